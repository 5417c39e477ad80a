"""What a scenario changes in shortage, against its reference in the same world.

A difference of two medians is not the median of the differences: here each world is set against
itself without the scenario's measures, and the bands are of those differences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.parts import Parts, bands

if TYPE_CHECKING:
    import pandas as pd

#: Columns of the table, words first.
WORDS = ("date", "region", "sector", "series", "unit")
BAND = ("mean", "p05", "p50", "p95")
#: Series of the table and their units.
SERIES = {
    "gross_unmet": "t_magnet_per_week",
    "unmet": "t_magnet_per_week",
    "unmet_share": "share",
}
#: Tonnes of magnet a week below which a region and sector of no total is left out.
NEGLIGIBLE_T = 1e-4


def selections(groups: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Region, sector and rows: the whole, each region, each sector, and each pair of both."""
    regions = list(dict.fromkeys(r for r, _ in groups))
    sectors = list(dict.fromkeys(s for _, s in groups))
    yield "all", "all", np.arange(len(groups))
    for region in regions:
        yield region, "all", np.array([i for i, g in enumerate(groups) if g[0] == region])
    for sector in sectors:
        yield "all", sector, np.array([i for i, g in enumerate(groups) if g[1] == sector])
    for i, (region, sector) in enumerate(groups):
        yield region, sector, np.array([i])


def delta_curve(
    scenario: Parts, reference: Parts, dates: Sequence[str], groups: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Scenario less reference, world by world, of gross and net shortfall and its share.

    Parameters
    ----------
    scenario, reference : Parts
        With the weekly series ``planned``, ``gross`` and ``unmet`` of the same worlds.
    dates : sequence of str
        Market days, ISO.
    groups : sequence of (region, sector)

    Returns
    -------
    DataFrame
        ``date, region, sector, series, unit, mean, p05, p50, p95``. Tonnes are t of magnet a week;
        ``unmet_share`` is each case's net shortfall over its own planned use. A region and sector
        whose tonnes never differ is left out: its difference is zero.
    """
    import pandas as pd

    from lodestone.outputs.metrics import share_lacking

    blocks: list[pd.DataFrame] = []
    for region, sector, rows in selections(groups):
        ones = np.ones(len(rows), dtype=np.float32)
        own, calm = (
            {key: parts.weighted(key, rows, ones).astype(float) for key in ("planned", "gross", "unmet")}
            for parts in (scenario, reference)
        )  # fmt: skip
        deltas = {
            "gross_unmet": own["gross"] - calm["gross"],
            "unmet": own["unmet"] - calm["unmet"],
            "unmet_share": share_lacking(own["unmet"], own["planned"])
            - share_lacking(calm["unmet"], calm["planned"]),
        }
        most = max(np.abs(deltas[key]).max() for key in ("gross_unmet", "unmet"))
        if "all" not in (region, sector) and most <= NEGLIGIBLE_T:
            continue
        for series, unit in SERIES.items():
            mean, quantiles = bands(deltas[series])
            blocks.append(
                pd.DataFrame(
                    {
                        "date": list(dates),
                        "region": region,
                        "sector": sector,
                        "series": series,
                        "unit": unit,
                        **dict(zip(BAND, (mean, *quantiles), strict=True)),
                    }
                )
            )
    return pd.concat(blocks, ignore_index=True)
