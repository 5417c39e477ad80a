"""What making leaves behind, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.chain.balance import SWARF_RECOVERY
from lodestone.worlds.layout.cells import Cells
from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.plants import Plants
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR


@dataclass(frozen=True)
class Scrap:
    """Scrap of making, losses, recyclers and goods at the end of their life."""

    base: np.ndarray  # (r, e, 1) scrap of the base year, t element/week
    end_of_life: np.ndarray  # (r, e, 1) oxide from old goods in the base year, t/week
    recycles: np.ndarray  # (r, 1, 1) 1 where scrap is worked up
    recovery: float  # share of scrap
    recyclers: np.ndarray  # facilities announced that work up old goods
    recycler_yield: np.ndarray  # (n, e, 1) t oxide/week each
    left_cell: np.ndarray  # (x,) what making a cell leaves behind: one row a cell and element
    left_region: np.ndarray  # (x,) where its scrap is, -1: lost
    left_element: np.ndarray  # (x,)
    left_tonnes: np.ndarray  # (x,) t element a tonne made


def scrap_of(n: Names, plants: Plants, cells: Cells) -> Scrap:
    """Scrap and losses by recipe, old goods and recyclers by what is on file."""
    count = len(n.elements)
    base = np.zeros((len(n.regions), count, 1))
    old = np.zeros(base.shape)
    for (e, r), t in n.balance.swarf.items():
        base[n.region_at[r], n.element_at[e], 0] = t / WEEKS_PER_YEAR
    for (e, r), t in n.balance.end_of_life.items():
        old[n.region_at[r], n.element_at[e], 0] = t / WEEKS_PER_YEAR
    works = {r for _, r in n.balance.recycled}
    recyclers = [i for i in plants.of("recycling") if not plants.base[i]]
    yields = np.zeros((len(recyclers), count))
    for row, i in enumerate(recyclers):
        for e, t in plants.rows[i].contents().items():
            if e in n.element_at:
                yields[row, n.element_at[e]] = t / WEEKS_PER_YEAR
    left = _left_behind(n, cells)
    return Scrap(
        base=base,
        end_of_life=old,
        recycles=np.array([1.0 if r in works else 0.0 for r in n.regions])[:, None, None],
        recovery=SWARF_RECOVERY,
        recyclers=np.array(recyclers, dtype=int),
        recycler_yield=yields[:, :, None],
        left_cell=np.array([c for c, *_ in left], dtype=int),
        left_region=np.array([r for _, r, *_ in left], dtype=int),
        left_element=np.array([e for *_, e, _ in left], dtype=int),
        left_tonnes=np.array([t for *_, t in left]),
    )


def _left_behind(n: Names, cells: Cells) -> list[tuple[int, int, int, float]]:
    """Scrap of magnets by region and element, and oxide lost on the way to metal (region -1)."""
    count = len(n.elements)
    scrap: dict[tuple[int, int], float] = {}
    loss: dict[tuple[int, int], float] = {}
    for c, (m, _) in enumerate(cells.keys):
        for recipe in n.chain.recipes.get(m, {}).values():
            i = n.element_at[n.chain.materials[recipe.input].element or ""]
            if cells.magnet[c]:
                row = int(cells.region[c]) * count + i
                scrap[(row, c)] = scrap.get((row, c), 0.0) + (
                    recipe.input_t_per_t_output - recipe.contained_element_t_per_t_output
                )
            elif cells.metal[c]:
                kept = float(n.per_oxide[i, 0])
                loss[(i, c)] = recipe.input_t_per_t_output * kept - 1.0
    left = [(c, row // count, row % count, t) for (row, c), t in scrap.items()]
    return left + [(c, -1, e, t) for (e, c), t in loss.items()]
