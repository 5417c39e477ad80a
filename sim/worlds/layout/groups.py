"""Metals and magnets: their inputs, and which plants share a capacity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.worlds.layout.cells import Cells
from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.plants import Plants
from lodestone.worlds.layout.rows import Segments, column

#: Use of the capacity that unnamed plants are taken to have had in the base year, share (A260).
UNNAMED_USE = 0.85


@dataclass(frozen=True)
class Groups:
    """Groups of plants that share a capacity, and the cells they make to order."""

    keys: list[tuple[str, int]]  # (family, region): NdFeB grades share plants; so do all metals
    n: int
    input: np.ndarray  # (i,) input cell
    output: np.ndarray  # (i,) output cell
    coefficient: np.ndarray  # (i, 1) t of input a tonne of output
    by_input: Segments  # inputs stand sorted by their cell
    order_output: np.ndarray  # (i,) inputs sorted by output
    by_output: Segments
    made_to_order: np.ndarray  # (c,) bool
    made_cells: np.ndarray  # cells that are made to order
    made_order: np.ndarray  # the same sorted by group
    of_cell: np.ndarray  # (c,) or -1
    of_facility: np.ndarray  # (f,) or -1
    plants_order: np.ndarray  # facilities with a group, sorted by it
    unnamed: np.ndarray  # (g, 1) base-year capacity that is not on file, t/week
    base_output: np.ndarray  # (g, 1) t/week
    a_cell: np.ndarray  # (g,) a cell that it makes: all of them take as long to build


def groups_of(n: Names, plants: Plants, cells: Cells) -> Groups:
    """Recipes as rows, and who makes what with which capacity."""
    rows = []
    for c, (m, r) in enumerate(cells.keys):
        for recipe in n.chain.recipes.get(m, {}).values():
            if (recipe.input, r) in cells.at and n.ever_makes(m, r, plants.rows):
                rows.append((cells.at[(recipe.input, r)], c, recipe.input_t_per_t_output))
    rows.sort()
    inputs = np.array([i for i, _, _ in rows], dtype=int)
    output = np.array([o for _, o, _ in rows], dtype=int)
    order = np.argsort(output, kind="stable")
    made = np.zeros(cells.n, dtype=bool)
    made[output] = True
    keys: dict[tuple[str, int], int] = {}
    of_cell = np.full(cells.n, -1)
    for c in map(int, np.flatnonzero(made)):
        m, r = cells.keys[c]
        family = m.split("_")[0] if n.chain.materials[m].form == "magnet" else "metal"
        of_cell[c] = keys.setdefault((family, n.region_at[r]), len(keys))
    of_facility = np.full(len(plants.rows), -1)
    for i, f in enumerate(plants.rows):
        if f.stage == "metal":
            of_facility[i] = keys.get(("metal", n.region_at[f.region]), -1)
        elif f.stage == "magnet":
            family = "smco" if f.material.startswith("smco") else "ndfeb"
            of_facility[i] = keys.get((family, n.region_at[f.region]), -1)
    base, capacity = np.zeros(len(keys)), np.zeros(len(keys))
    for c in map(int, np.flatnonzero(made)):
        base[of_cell[c]] += cells.output[c, 0]
    for i in range(len(plants.rows)):
        if of_facility[i] >= 0 and plants.base[i]:
            capacity[of_facility[i]] += plants.capacity[i, 0]
    made_cells, with_group = np.flatnonzero(made), np.flatnonzero(of_facility >= 0)
    return Groups(
        keys=list(keys),
        n=len(keys),
        input=inputs,
        output=output,
        coefficient=column([x for _, _, x in rows]),
        by_input=Segments.of(inputs),
        order_output=order,
        by_output=Segments.of(output[order]),
        made_to_order=made,
        made_cells=made_cells,
        made_order=made_cells[np.argsort(of_cell[made_cells], kind="stable")],
        of_cell=of_cell,
        of_facility=of_facility,
        plants_order=with_group[np.argsort(of_facility[with_group], kind="stable")],
        # Where the control totals exceed the nameplates on file, unnamed plants make the rest.
        unnamed=column(np.maximum(base / UNNAMED_USE - capacity, 0.0)),
        base_output=column(base),
        a_cell=np.array(
            [int(np.flatnonzero(of_cell == g)[0]) for g in range(len(keys))], dtype=int
        ),
    )
