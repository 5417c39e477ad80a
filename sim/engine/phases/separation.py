"""2 Separation: joint products in fixed proportion, heavy elements as far as circuits go."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.engine.phases.mining import Separators
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market


def separate(m: Market, f: Flows, plants: Separators) -> None:
    """What has landed is split in fixed proportion, and goes on the shelves of sellers."""
    lay, st, weeks = m.layout, m.state, m.weeks
    rows = lay.separation
    ability, running = plants.ability, plants.running
    named = np.zeros((len(lay.separators), len(lay.elements), st.worlds))
    able = np.zeros_like(named)
    able[lay.sep_by_place.ids] = lay.sep_by_place.sum(lay.sep_able * running[:, None, :])
    named[lay.sep_by_place.ids] = lay.sep_by_place.sum(lay.sep_name * f.available[rows][:, None, :])
    growth = plants.grown
    # A region whose base-year output exceeds the plants on file keeps that output.
    scale = np.where(lay.s_base_capacity > 0, ability / np.maximum(lay.s_base_capacity, 1e-12), 1.0)
    limit = np.maximum(ability * 1.1, lay.s_base_feed * 1.1 * scale) * growth * weeks
    # Dy and Tb: as far as the nameplates of their circuits go, in the element's own tonnes.
    circuit = np.where(
        lay.s_named > 0,
        lay.s_circuit * named / np.maximum(lay.s_named, 1e-12),
        lay.s_circuit + named,
    )
    # Other heavies come out with dysprosium; light elements wherever ore is separated.
    light = np.where(
        lay.s_taken > 0,
        lay.s_taken,
        np.minimum(able / np.maximum(able.max(axis=1, keepdims=True), 1e-12), 1.0),
    )
    made = np.empty_like(st.ore_at_plant)
    landed, st.ore_landed = st.ore_landed, np.zeros_like(st.ore_landed)
    f.ore_landed = landed
    split_ore(
        landed,
        lay.k_place,
        st.ore_at_plant,
        m.c.ore_out,
        limit,
        lay.s_recovery,
        circuit * growth[:, None, :],
        light,
        lay.s_taken[:, :, 0],
        lay.e_kind,
        lay.element_at.get("dy", 0),
        weeks,
        lay.per_oxide,
        f.lost,
        made,
    )
    f.separated = made
    to_sellers(m, f, made, lay.separator_regions)


def to_sellers(m: Market, f: Flows, oxide: np.ndarray, regions: np.ndarray) -> None:
    """Put oxides (n, e, w) on the shelves of the sellers of their regions."""
    lay, st = m.layout, m.state
    put_on_shelf(
        oxide,
        lay.oxide_cell[regions],
        lay.per_oxide,
        f.output,
        st.seller_stock,
        f.lost,
    )


@compiled
def split_ore(
    landed: np.ndarray,
    place: np.ndarray,
    ore: np.ndarray,
    draw: np.ndarray,
    limit: np.ndarray,
    recovery: np.ndarray,
    circuit: np.ndarray,
    light: np.ndarray,
    base_taken: np.ndarray,
    kind: np.ndarray,
    lead_element: int,
    weeks: float,
    per_oxide: np.ndarray,
    lost: np.ndarray,
    made: np.ndarray,
) -> None:
    """Take landed ore in, feed what plants can take, and split it in fixed proportion.

    Parameters
    ----------
    landed : ndarray, shape (k, e, w)
        Ore that has arrived.
    place : ndarray of int, shape (k,)
        Separator region of each ore link.
    ore : ndarray, shape (s, e, w)
        Ore at the separators, t contained oxide; changed in place.
    draw : ndarray, shape (w,)
        Share of the ore on hand that is drawn in this tick when nothing limits.
    limit : ndarray, shape (s, w)
        Most that can be fed in this tick, t contained oxide.
    recovery : ndarray, shape (s, e, 1) or (s, 1, 1)
    circuit : ndarray, shape (s, e, w)
        Heavy circuits, t oxide a week.
    light : ndarray, shape (s, e, w)
        Share of each light element that is taken out.
    base_taken : ndarray, shape (s, e)
        Share of each element taken out in the base year.
    kind : ndarray of int, shape (e,)
        0 light, 1 has a circuit of its own, 2 follows the lead element.
    lead_element : int
        The element that other heavies come out with.
    per_oxide : ndarray, shape (e, 1)
    lost : ndarray, shape (e, w)
        Raised by what is not taken out, t element.
    made : ndarray, shape (s, e, w)
        Oxides made, t; written.
    """
    links, elements, worlds = landed.shape
    for k in range(links):
        s = place[k]
        for e in range(elements):
            for w in range(worlds):
                ore[s, e, w] += landed[k, e, w]
    share = np.empty(worlds)
    lead = np.empty(worlds)
    for s in range(ore.shape[0]):
        for w in range(worlds):
            share[w] = 0.0
        for e in range(elements):
            for w in range(worlds):
                share[w] += ore[s, e, w]
        for w in range(worlds):
            share[w] = min(share[w] * draw[w], limit[s, w]) / max(share[w], 1e-12)
        yielded = recovery[s, 0, 0]
        for w in range(worlds):
            rate = max(ore[s, lead_element, w] * share[w] / weeks * yielded, 1e-12)
            lead[w] = min(circuit[s, lead_element, w] / rate, 1.0)
        for e in range(elements):
            before, base = base_taken[s, lead_element], base_taken[s, e]
            for w in range(worlds):
                fed = ore[s, e, w] * share[w]
                if kind[e] == 1:
                    rate = max(fed / weeks * yielded, 1e-12)
                    taken = min(circuit[s, e, w] / rate, 1.0)
                elif kind[e] == 2:
                    taken = base * min(lead[w] / max(before, 1e-12), 1.0) + (1.0 - base) * max(
                        lead[w] - before, 0.0
                    ) / max(1.0 - before, 1e-12)
                else:
                    taken = light[s, e, w]
                out = fed * yielded * min(taken, 1.0)
                ore[s, e, w] -= fed
                lost[e, w] += (fed - out) * per_oxide[e, 0]
                made[s, e, w] = out


@compiled
def put_on_shelf(
    made: np.ndarray,
    cell: np.ndarray,
    per_oxide: np.ndarray,
    output: np.ndarray,
    seller_stock: np.ndarray,
    lost: np.ndarray,
) -> None:
    """Give oxides made (n, e, w) to the sellers of the cells (n, e); -1 has no market: lost."""
    for n in range(made.shape[0]):
        for e in range(made.shape[1]):
            c = cell[n, e]
            for w in range(made.shape[2]):
                if c >= 0:
                    output[c, w] += made[n, e, w]
                    seller_stock[c, w] += made[n, e, w]
                else:
                    lost[e, w] += made[n, e, w] * per_oxide[e, 0]
