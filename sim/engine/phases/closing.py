"""11 Every stock is recounted, and the ledger closes or stops the run."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.engine.contents import contained
from lodestone.worlds.market import Market


def recount(m: Market) -> np.ndarray:
    """All stocks recounted from the state, t contained element, shape (e, w)."""
    lay, st = m.layout, m.state
    out = np.empty((len(lay.elements), st.worlds))
    stocks(
        lay.link_starts,
        lay.c_material,
        lay.content,
        st.seller_stock,
        st.plant_stock,
        st.public_stock,
        m.state.cells_hold,
        st.in_transit,
        st.landed,
        st.held,
        np.empty((len(lay.materials), st.worlds)),
        out,
    )
    ore = (
        st.ore_at_mine.sum(axis=0)
        + st.ore_in_transit.sum(axis=0)
        + st.ore_bonded.sum(axis=0)
        + st.ore_landed.sum(axis=0)
        + st.ore_at_plant.sum(axis=0)
    )
    return out + ore * lay.per_oxide + st.scrap.sum(axis=0)


@compiled
def stocks(
    starts: np.ndarray,
    material: np.ndarray,
    content: np.ndarray,
    seller_stock: np.ndarray,
    plant_stock: np.ndarray,
    public_stock: np.ndarray,
    cells_hold: np.ndarray,
    in_transit: np.ndarray,
    landed: np.ndarray,
    held: np.ndarray,
    goods: np.ndarray,
    out: np.ndarray,
) -> None:
    """Contained element of all goods, t: stocks by cell, then under way, into ``out`` (e, w).

    Parameters
    ----------
    starts : ndarray of int, shape (c + 1,)
        Links into each cell.
    material, content : ndarray, shape (c,) and (m, e)
        Material of a cell; t element per t material.
    seller_stock, plant_stock, public_stock, cells_hold : ndarray, shape (c, w)
    in_transit, landed, held : ndarray, shape (l, w)
    goods : ndarray, shape (m, w)
        By material, t; written.
    out : ndarray, shape (e, w)
        Written.
    """
    worlds = in_transit.shape[1]
    goods[...] = 0.0
    for c in range(starts.shape[0] - 1):
        m = material[c]
        for w in range(worlds):
            here = seller_stock[c, w] + plant_stock[c, w]
            goods[m, w] += here + public_stock[c, w] + cells_hold[c, w]
        for i in range(starts[c], starts[c + 1]):
            for w in range(worlds):
                goods[m, w] += in_transit[i, w] + landed[i, w] + held[i, w]
    contained(content, goods, out)
