"""Prices and costs by date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.outputs.items import COST_ITEMS
from lodestone.outputs.parts import Parts, bands
from lodestone.outputs.tables.frame import BAND, Stack
from lodestone.outputs.tables.registry import Source, banded, table

if TYPE_CHECKING:
    import pandas as pd


@table(
    words=("date", "material", "market", "kind"),
    numbers=(*banded("usd_per_kg"), "reference_usd_per_kg_p50"),
    reads=("home", "ask", "paid"),
)
def price_curve(src: Source) -> pd.DataFrame:
    """Home, ask and paid prices by date, material and market (all: over regions, by tonnes)."""

    lay = src.labels
    stack = Stack()

    priced = [lay.cells[c] for c in lay.priced_cells]
    there: list[Any] = []
    if src.reference:
        held = src.reference.rows
        there = [held.cells[c] for c in held.priced_cells]

    def add(material: str, market: str, kind: str, rows: list[int], key: str) -> None:
        weights = np.ones(1) if key == "home" else src.price_weights(np.array(rows))
        values = _mean_rows(src.scenario, key, rows, weights)
        mean, q = bands(values)
        calm: Any = np.nan
        if src.reference and (key == "home" or all(priced[i] in there for i in rows)):
            own = rows if key == "home" else [there.index(priced[i]) for i in rows]
            calm = bands(_mean_rows(src.reference, key, own, weights))[1][1]
        stack.add(
            **{
                "date": src.dates,
                "material": material,
                "market": market,
                "kind": kind,
                **{f"usd_per_kg_{n}": v for n, v in zip(BAND, (mean, *q), strict=True)},
                "reference_usd_per_kg_p50": calm,
            }
        )

    for m, name in enumerate(lay.materials):
        cells = [i for i, c in enumerate(src.labels.priced_cells) if lay.c_material[c] == m]
        add(name, lay.home_region, "home", [m], "home")
        for kind in ("ask", "paid"):
            if cells:
                add(name, "all", kind, cells, kind)
            for i in cells:
                region = lay.cells[src.labels.priced_cells[i]][1]
                add(name, region, kind, [i], kind)
    return stack.frame()


def _mean_rows(parts: Parts, key: str, rows: list[int], weights: np.ndarray) -> np.ndarray:
    pieces = [
        chosen[:, 0] if len(rows) == 1 else (chosen * weights[:, None]).sum(axis=1)
        for chosen in parts.pieces(key, np.asarray(rows))
    ]
    return np.concatenate(pieces, axis=-1)


@table(words=("date", "region", "item"), numbers=banded("usd_million_per_week"), reads=("cost",))
def cost_curve(src: Source) -> pd.DataFrame:
    """Cost items by date and region, USD million a week, with differences world by world."""

    regions = src.labels.regions
    stack = Stack()
    for k, item in enumerate(COST_ITEMS):
        for region in ("all", *regions):
            path = _week(src.scenario, regions, k, region)
            columns = _bands(path, "usd_million_per_week")
            if src.reference:
                calm = _week(src.reference, src.reference.rows.regions, k, region)
                columns |= _bands(path - calm, "delta_usd_million_per_week")
            stack.add(**{"date": src.dates, "region": region, "item": item, **columns})
    return stack.frame()


def _week(parts: Parts, regions: list[str], item: int, region: str) -> np.ndarray:
    """A cost item of a region, or of all, by week and world, (T, w)."""
    first = item * len(regions)
    if region == "all":
        return parts.total("cost", slice(first, first + len(regions)))
    row = first + regions.index(region)
    return parts.array("cost", slice(row, row + 1))[:, 0]


def _bands(values: np.ndarray, stem: str) -> dict[str, np.ndarray]:
    mean, q = bands(values)
    return {f"{stem}_{b}": v for b, v in zip(BAND, (mean, *q), strict=True)}
