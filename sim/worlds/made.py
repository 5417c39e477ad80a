"""Who made what today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lodestone.worlds.flows import Flows
    from lodestone.worlds.layout import Layout


def facility_output(layout: Layout, flows: Flows, rows: np.ndarray, material: int) -> np.ndarray:
    """Output of a material by the facilities named, t in this market day, shape (w,)."""
    lay = layout
    total = np.zeros(flows.normal_output.shape[1])
    item = lay.chain.materials[lay.materials[material]]
    for row in rows:
        f = lay.facilities[row]
        cell = lay.cell_at.get((lay.materials[material], f.region))
        if f.stage == "separation" and item.form == "oxide" and f.region in lay.separator_at:
            s, e = lay.separator_at[f.region], lay.element_at[item.element or ""]
            mates = lay.separation[lay.f_region[lay.separation] == lay.f_region[row]]
            run = flows.normal_output[row] / np.maximum(
                flows.normal_output[mates].sum(axis=0), 1e-12
            )
            total += flows.separated[s, e] * run
        elif f.stage == "mine" and item.form == "oxide":
            at = int(np.flatnonzero(lay.mines == row)[0])
            total += flows.dug[at] * lay.mine_mix[at, lay.element_at[item.element or ""]]
        elif f.stage == item.form and cell is not None:
            g = lay.g_of_facility[row]
            capacity = np.maximum(flows.group_capacity[g], 1e-12)
            run = lay.f_capacity[row] * flows.available[row] / capacity
            total += flows.output[cell] * run
    return total
