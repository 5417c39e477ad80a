"""Elements contained in goods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.engine.compiling import compiled, holds

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout


def contained_by_cell(layout: Layout, tonnes: np.ndarray) -> np.ndarray:
    """Contained element of tonnes by cell: (c, w) -> (e, w)."""
    by_material = layout.cells.by_material.spread(tonnes, len(layout.materials))
    out = np.empty((layout.content.shape[1], tonnes.shape[1]))
    contained(layout.content, by_material, out)
    return out


@compiled
def contained(content: np.ndarray, goods: np.ndarray, out: np.ndarray) -> None:
    """Element in goods by material: content (m, e) and goods (m, w) into ``out`` (e, w)."""
    worlds = goods.shape[1]
    out[...] = 0.0
    for m in range(content.shape[0]):
        for e in range(content.shape[1]):
            share = content[m, e]
            if share != 0.0:
                for w in range(worlds):
                    out[e, w] += share * goods[m, w]


@compiled
def contained_by_region(
    tonnes: np.ndarray,
    rows: np.ndarray,
    material: np.ndarray,
    region: np.ndarray,
    content: np.ndarray,
    sign: float,
    out: np.ndarray,
) -> None:
    """Add the element in some rows of goods (n, w), times ``sign``, to (r, e, w).

    ``material`` and ``region`` (n,) say what the goods are and where they count.
    """
    for n in rows:
        if not holds(tonnes[n]):
            continue
        m, r = material[n], region[n]
        for e in range(content.shape[1]):
            share = content[m, e] * sign
            if share != 0.0:
                for w in range(tonnes.shape[1]):
                    out[r, e, w] += share * tonnes[n, w]


@compiled
def left_behind(
    made: np.ndarray,
    cell: np.ndarray,
    is_scrap: np.ndarray,
    region: np.ndarray,
    element: np.ndarray,
    tonnes: np.ndarray,
    scrap: np.ndarray,
    loss: np.ndarray,
) -> None:
    """Subtract scrap and losses of what is made (c, w) from two books (r, e, w), t element."""
    for n in range(cell.shape[0]):
        c, r, e = cell[n], region[n], element[n]
        for w in range(made.shape[1]):
            left = tonnes[n] * made[c, w]
            if is_scrap[n]:
                scrap[r, e, w] -= left
            else:
                loss[r, e, w] -= left


@compiled
def sum_rows(values: np.ndarray) -> np.ndarray:
    """Sum of rows (k, e, w) in their order, (e, w); what holds nothing is stepped over."""
    out = np.zeros(values.shape[1:])
    for k in range(values.shape[0]):
        for e in range(values.shape[1]):
            if holds(values[k, e]):
                for w in range(values.shape[2]):
                    out[e, w] += values[k, e, w]
    return out


@compiled
def sum_on_links(links: np.ndarray, stock: np.ndarray) -> np.ndarray:
    """Sum of a stock (k, e, w) over some links, (e, w)."""
    out = np.zeros(stock.shape[1:])
    for i in range(links.shape[0]):
        k = links[i]
        for e in range(stock.shape[1]):
            if holds(stock[k, e]):
                for w in range(stock.shape[2]):
                    out[e, w] += stock[k, e, w]
    return out


@compiled
def mean_of_places(
    part: np.ndarray, values: np.ndarray, ends: tuple[np.ndarray, np.ndarray], out: np.ndarray
) -> None:
    """Add what places have (s, e, w), by the part of each ore link (k, w), to its pool (o, e, w): ``out``.

    ``ends`` are pool and place of each link, (k,) each.
    """
    pool, place = ends
    for k in range(part.shape[0]):
        if holds(part[k]):
            o, s = pool[k], place[k]
            for e in range(values.shape[1]):
                for w in range(part.shape[1]):
                    out[o, e, w] += part[k, w] * values[s, e, w]
