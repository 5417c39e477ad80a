"""Public money taken apart: what public stocks buy, sell and hold at the end, and all other support."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK, DAYS_PER_YEAR
from lodestone.outputs.items import COST_ITEMS
from lodestone.outputs.parts import Parts, bands
from lodestone.outputs.tables.frame import BAND
from lodestone.outputs.tables.registry import Source, banded, table

if TYPE_CHECKING:
    import pandas as pd

#: Items in order; outlay = other_support + stock_bought - stock_sold.
PUBLIC_ITEMS = ("outlay", "other_support", "stock_bought", "stock_sold", "stock_left")
#: Million USD below which a region is left out.
NEGLIGIBLE = 1e-3


@table(
    words=("region", "item"),
    numbers=banded("usd_million"),
    reads=("cost", "home", "reserve", "reserve_bought", "reserve_sold"),
)
def public_money(src: Source) -> pd.DataFrame:
    """Public money of the whole run by region and item, USD million, present value.

    ``outlay`` is net; ``other_support`` (price floors, funding of plants) + ``stock_bought`` -
    ``stock_sold`` give it in every world. ``stock_left`` is what public stocks hold at the end, at
    the home price of the last month, discounted alike; it is in no outlay. With a reference the
    differences stand beside, world by world.
    """
    import pandas as pd

    regions = src.labels.regions
    own = _by_item(src.scenario, src.discount_rate)
    calm = _by_item(src.reference, src.discount_rate) if src.reference else None
    lines = []
    for place in ("all", *regions):
        rows = slice(None) if place == "all" else [regions.index(place)]
        sums = {item: own[item][rows].sum(axis=0) for item in PUBLIC_ITEMS}
        others = {} if calm is None else {i: calm[i][rows].sum(axis=0) for i in PUBLIC_ITEMS}
        if all(np.abs(v).max() < NEGLIGIBLE for v in (*sums.values(), *others.values())):
            continue
        for item in PUBLIC_ITEMS:
            line = {"region": place, "item": item} | _banded(sums[item], "usd_million")
            if calm is not None:
                line |= _banded(others[item], "reference_usd_million")
                line |= _banded(sums[item] - others[item], "delta_usd_million")
            lines.append(line)
    if lines:
        return pd.DataFrame(lines)
    names = ("region", "item", *(f"usd_million_{b}" for b in BAND))
    return pd.DataFrame({name: [] for name in names})


def _by_item(parts: Parts, rate: float) -> dict[str, np.ndarray]:
    """Present values by region and world, (r, w), of each item."""
    rows = parts.rows
    n = len(rows.regions)
    factor = (1.0 + rate) ** (-rows.times / DAYS_PER_YEAR)
    weeks = rows.market_days / DAYS_PER_WEEK

    def summed(key: str, chosen: slice) -> np.ndarray:
        return np.concatenate(
            [np.einsum("trw,t->rw", p, factor, dtype=float) for p in parts.pieces(key, chosen)],
            axis=-1,
        )

    first = COST_ITEMS.index("public_outlay") * n
    outlay = summed("cost", slice(first, first + n)) * weeks
    bought = summed("reserve_bought", slice(0, n)) * weeks
    sold = summed("reserve_sold", slice(0, n)) * weeks
    days = [i for i, name in enumerate(rows.month_of) if name == rows.months[-1]]
    left = []
    for held, home in zip(parts.pieces("reserve"), parts.pieces("home"), strict=True):
        price = home[days].mean(axis=0, dtype=float)
        worth = held[-1].astype(float) * price[rows.c_material] / 1000.0
        by_region = np.zeros((n, worth.shape[1]))
        np.add.at(by_region, rows.c_region, worth)
        left.append(by_region * factor[-1])
    return {
        "outlay": outlay,
        "other_support": outlay - bought + sold,
        "stock_bought": bought,
        "stock_sold": sold,
        "stock_left": np.concatenate(left, axis=-1),
    }


def _banded(values: np.ndarray, stem: str) -> dict[str, float]:
    mean, q = bands(values)
    return {f"{stem}_{b}": float(v) for b, v in zip(BAND, (mean, *q), strict=True)}
