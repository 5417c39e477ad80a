"""2 Separation: joint products in fixed proportion, heavy elements as far as circuits go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled, holds
from lodestone.engine.phases.mining import Separators
from lodestone.equations.separation import OVERLOAD, circuit_share, fed, follower_share
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

_fed = compiled(fed)
_circuit_share = compiled(circuit_share)
_follower_share = compiled(follower_share)


def separate(m: Market, f: Flows, plants: Separators) -> None:
    """What has landed is split in fixed proportion, and goes on the shelves of sellers."""
    lay, st, weeks = m.layout, m.state, m.weeks
    rows = lay.separation.plants
    ability, running = plants.ability, plants.running
    named = np.zeros((len(lay.separation.places), len(lay.elements), st.worlds))
    able = np.zeros_like(named)
    able[lay.separation.by_place.ids] = lay.separation.by_place.sum(
        lay.separation.able * running[:, None, :]
    )
    named[lay.separation.by_place.ids] = lay.separation.by_place.sum(
        lay.separation.nameplate * f.available[rows][:, None, :]
    )
    growth = plants.grown
    # A region whose base-year output exceeds the plants on file keeps that output.
    scale = np.where(
        lay.separation.base_capacity > 0,
        ability / np.maximum(lay.separation.base_capacity, 1e-12),
        1.0,
    )
    limit = (
        np.maximum(ability * OVERLOAD, lay.separation.base_feed * OVERLOAD * scale) * growth * weeks
    )
    # Dy and Tb: as far as the nameplates of their circuits go, in the element's own tonnes.
    circuit = np.where(
        lay.separation.base_nameplate > 0,
        lay.separation.circuit * named / np.maximum(lay.separation.base_nameplate, 1e-12),
        lay.separation.circuit + named,
    )
    # Other heavies come out with dysprosium; light elements wherever ore is separated.
    light = np.where(
        lay.separation.taken > 0,
        lay.separation.taken,
        np.minimum(able / np.maximum(able.max(axis=1, keepdims=True), 1e-12), 1.0),
    )
    made = np.empty_like(st.ore_at_plant)
    landed, st.ore_landed = st.ore_landed, np.zeros_like(st.ore_landed)
    f.ore_landed = landed
    feed = Feed(landed, lay.ore.place, st.ore_at_plant, m.c.ore_out, limit, weeks)
    circuits = Circuits(
        lay.separation.recovery,
        circuit * growth[:, None, :],
        light,
        lay.separation.taken[:, :, 0],
        lay.separation.kind,
        lay.separation.lead,
        lay.per_oxide,
    )
    split_ore(feed, circuits, f.lost, made)
    f.separated = made
    to_sellers(m, f, made, lay.separation.regions)


def to_sellers(m: Market, f: Flows, oxide: np.ndarray, regions: np.ndarray) -> None:
    """Put oxides (n, e, w) on the shelves of the sellers of their regions."""
    lay, st = m.layout, m.state
    cells = (lay.separation.oxide_cell[regions], lay.per_oxide)
    put_on_shelf(oxide, cells, f.output, st.seller_stock, f.lost)


class Feed(NamedTuple):
    """Ore on its way into separation."""

    landed: np.ndarray  # (k, e, w) ore that has arrived, t contained oxide
    place: np.ndarray  # (k,) separators of each ore link
    ore: np.ndarray  # (s, e, w) ore at the separators; changed
    draw: np.ndarray  # (w,) share of the ore on hand drawn when nothing limits
    limit: np.ndarray  # (s, w) most that can be fed, t
    weeks: float  # length of the market day


class Circuits(NamedTuple):
    """What separators take out of what they are fed."""

    recovery: np.ndarray  # (s, e, 1) or (s, 1, 1) share
    circuit: np.ndarray  # (s, e, w) heavy circuits, t oxide/week
    light: np.ndarray  # (s, e, w) share of each light element taken out
    base_taken: np.ndarray  # (s, e) share of each element taken out in the base year
    kind: np.ndarray  # (e,) 0 light, 1 has a circuit of its own, 2 follows the lead element
    lead: int  # element that other heavies come out with
    per_oxide: np.ndarray  # (e, 1) t element per t oxide


@compiled
def split_ore(feed: Feed, circuits: Circuits, lost: np.ndarray, made: np.ndarray) -> None:
    """Take landed ore in, feed what plants can take, and split it in fixed proportion.

    ``lost`` (e, w) is raised by what is not taken out, t element; ``made`` (s, e, w) is written, t
    oxide.

    Conserves: ore before + landed = ore after + made + lost (in oxide).
    """
    landed, place, ore, draw, limit, weeks = feed
    recovery, circuit, light, base_taken, kind, lead_element, per_oxide = circuits
    links, elements, worlds = landed.shape
    for k in range(links):
        s = place[k]
        for e in range(elements):
            if holds(landed[k, e]):
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
            share[w] = _fed(share[w], draw[w], limit[s, w])
        yielded = recovery[s, 0, 0]
        for w in range(worlds):
            offered = ore[s, lead_element, w] * share[w] / weeks * yielded
            lead[w] = _circuit_share(circuit[s, lead_element, w], offered)
        for e in range(elements):
            before, base = base_taken[s, lead_element], base_taken[s, e]
            for w in range(worlds):
                fed = ore[s, e, w] * share[w]
                if kind[e] == 1:
                    taken = _circuit_share(circuit[s, e, w], fed / weeks * yielded)
                elif kind[e] == 2:
                    taken = _follower_share(base, lead[w], before)
                else:
                    taken = light[s, e, w]
                out = fed * yielded * min(taken, 1.0)
                ore[s, e, w] -= fed
                lost[e, w] += (fed - out) * per_oxide[e, 0]
                made[s, e, w] = out


@compiled
def put_on_shelf(
    made: np.ndarray,
    cells: tuple[np.ndarray, np.ndarray],
    output: np.ndarray,
    shelves: np.ndarray,
    lost: np.ndarray,
) -> None:
    """Give oxides made (n, e, w) to sellers.

    ``cells`` are the cells (n, e), -1 where an oxide has no market and is lost, and the tonnes of
    element per tonne of oxide (e, 1). ``output`` and ``shelves`` (c, w), ``lost`` (e, w) are raised.

    Conserves: made = shelves + lost.
    """
    cell, per_oxide = cells
    for n in range(made.shape[0]):
        for e in range(made.shape[1]):
            c = cell[n, e]
            for w in range(made.shape[2]):
                if c >= 0:
                    output[c, w] += made[n, e, w]
                    shelves[c, w] += made[n, e, w]
                else:
                    lost[e, w] += made[n, e, w] * per_oxide[e, 0]
