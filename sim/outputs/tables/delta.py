"""What a scenario changes in shortage, against its reference in the same world.

A difference of two medians is not the median of the differences: here each world is set against
itself without the scenario's measures, and the bands are of those differences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.metrics import share_lacking
from lodestone.outputs.parts import bands
from lodestone.outputs.tables.frame import BAND, NEGLIGIBLE_T, Stack
from lodestone.outputs.tables.registry import Source, table

if TYPE_CHECKING:
    import pandas as pd

#: Series of the table and their units.
SERIES = {
    "gross_unmet": "t_magnet_per_week",
    "unmet": "t_magnet_per_week",
    "unmet_share": "share",
}


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


@table(
    words=("date", "region", "sector", "series", "unit"),
    numbers=BAND,
    paired=True,
    reads=("planned", "gross", "unmet"),
)
def delta_curve(src: Source) -> pd.DataFrame:
    """Scenario less reference, world by world, of gross and net shortfall and its share.

    Tonnes are t of magnet a week; ``unmet_share`` is each case's net shortfall over its own planned
    use. A region and sector whose tonnes never differ is left out: its difference is zero.
    """
    assert src.reference is not None
    scenario, reference, groups = src.scenario, src.reference, src.labels.groups
    stack = Stack()
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
            stack.add(
                date=src.dates,
                region=region,
                sector=sector,
                series=series,
                unit=unit,
                **dict(zip(BAND, (mean, *quantiles), strict=True)),
            )
    return stack.frame()
