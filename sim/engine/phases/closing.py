"""11 Every stock is recounted, and the ledger closes or stops the run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled, holds
from lodestone.engine.contents import contained, sum_rows
from lodestone.worlds.market import Market


def recount(m: Market) -> np.ndarray:
    """All stocks recounted from the state, t contained element, shape (e, w)."""
    lay, st = m.layout, m.state
    out = np.empty((len(lay.elements), st.worlds))
    shelves = Shelves(st.seller_stock, st.plant_stock, st.public_stock, st.cells_hold)
    sailing = Sailing(lay.links.starts, st.in_transit, st.landed, st.held)
    count_goods((lay.cells.material, lay.content), shelves, sailing, out)
    ore = (
        st.ore_at_mine.sum(axis=0)
        + sum_rows(st.ore_in_transit)
        + sum_rows(st.ore_bonded)
        + sum_rows(st.ore_landed)
        + st.ore_at_plant.sum(axis=0)
    )
    return out + ore * lay.per_oxide + sum_rows(st.scrap)


class Shelves(NamedTuple):
    """Stocks by cell (c, w), t."""

    sellers: np.ndarray
    plants: np.ndarray
    public: np.ndarray
    users: np.ndarray


class Sailing(NamedTuple):
    """Goods under way by link (l, w), t; ``starts`` (c + 1,): links into each cell."""

    starts: np.ndarray
    in_transit: np.ndarray
    landed: np.ndarray
    held: np.ndarray


@compiled
def count_goods(
    goods: tuple[np.ndarray, np.ndarray], shelves: Shelves, sailing: Sailing, out: np.ndarray
) -> None:
    """Contained element of all goods, t: stocks by cell, then under way, into ``out`` (e, w).

    ``goods`` are the material of each cell (c,) and the t element per t material (m, e).
    """
    material, content = goods
    sellers, plants, public, users = shelves
    starts, in_transit, landed, held = sailing
    worlds = in_transit.shape[1]
    by_material = np.zeros((content.shape[0], worlds))
    for c in range(starts.shape[0] - 1):
        m = material[c]
        for w in range(worlds):
            here = sellers[c, w] + plants[c, w]
            by_material[m, w] += here + public[c, w] + users[c, w]
        for i in range(starts[c], starts[c + 1]):
            if holds(in_transit[i]) or holds(landed[i]) or holds(held[i]):
                for w in range(worlds):
                    by_material[m, w] += in_transit[i, w] + landed[i, w] + held[i, w]
    contained(content, by_material, out)
