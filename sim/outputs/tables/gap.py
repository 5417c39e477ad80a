"""How the gap was closed: the table of `sim/outputs/gap.py`, scenario less reference."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.items import ITEMS, row_of
from lodestone.outputs.parts import bands
from lodestone.outputs.tables.frame import BAND, Stack
from lodestone.outputs.tables.registry import Source, banded, table

if TYPE_CHECKING:
    import pandas as pd

#: Tonnes a quarter below which a row is left out.
NEGLIGIBLE_T = 1e-3


def quarter_start(name: str) -> date:
    """First day of a quarter named by its first month (``2025-04``)."""
    return date(int(name[:4]), int(name[5:7]), 1)


@table(
    words=("date", "region", "element", "item"),
    numbers=banded("tonnes"),
    paired=True,
    reads=("gap",),
)
def closed_gap(src: Source) -> pd.DataFrame:
    """What fell away and what filled the gap, against the reference, world by world.

    Scenario less reference, t of contained element in the quarter. ``planned_use`` is the sum of
    the other items; the region ``outside`` is all regions but the one that sets home prices.
    """
    import pandas as pd

    assert src.reference is not None
    scenario, reference = src.scenario, src.reference
    quarters, regions, elements = src.labels.quarters, src.labels.regions, src.labels.elements
    home = src.labels.home

    places = {name: [r] for r, name in enumerate(regions)}
    places["outside"] = [r for r in range(len(regions)) if r != home]
    starts = np.array([quarter_start(q).isoformat() for q in quarters])
    stack = Stack()
    for place, members in places.items():
        for e, element in enumerate(elements):
            total = 0.0
            for item in (*ITEMS, "planned_use"):
                if item == "planned_use":
                    delta = np.asarray(total)
                else:
                    rows = [row_of(item, r, e, len(regions), len(elements)) for r in members]
                    weight = np.ones(len(rows))
                    delta = scenario.weighted("gap", np.array(rows), weight).astype(float)
                    delta = delta - reference.weighted("gap", np.array(rows), weight)
                    total = total + delta
                if not np.any(np.abs(delta) > NEGLIGIBLE_T):
                    continue
                mean, quantiles = bands(delta)
                shown = np.any(np.abs(delta) > NEGLIGIBLE_T, axis=1)
                stack.add(
                    date=starts[shown],
                    region=place,
                    element=element,
                    item=item,
                    tonnes_mean=mean[shown],
                    tonnes_p05=quantiles[0][shown],
                    tonnes_p50=quantiles[1][shown],
                    tonnes_p95=quantiles[2][shown],
                )
    if stack.lengths:
        return stack.frame()
    names = ("date", "region", "element", "item", *(f"tonnes_{b}" for b in BAND))
    return pd.DataFrame({name: [] for name in names})
