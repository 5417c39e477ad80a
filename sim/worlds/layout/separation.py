"""Separators: what they can take, and what their circuits take out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.chain.balance import separates
from lodestone.worlds.layout.cells import Cells
from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.ore import Ore, places_of
from lodestone.worlds.layout.plants import Plants
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, Segments, column

#: Recovery where no plant on file states one, share (A1).
DEFAULT_RECOVERY = 0.92
#: What heavy circuits of the base year can do over what they did, multiple (A261).
CIRCUIT_ROOM = 1.15
#: Kinds of elements: taken out wherever ore is separated, by a circuit of their own, or with the
#: lead element of the heavy circuit.
LIGHT, OWN_CIRCUIT, FOLLOWS = 0, 1, 2


@dataclass(frozen=True)
class Separation:
    """Separators by plant and by place (a region with separators)."""

    places: list[str]
    at: dict[str, int]
    regions: np.ndarray  # (s,)
    plants: np.ndarray  # (p,) facilities, by place
    by_place: Segments
    able: np.ndarray  # (p, e, 1) 1 where a plant takes an element out
    nameplate: np.ndarray  # (p, e, 1) heavy circuits, t oxide/week
    takes_ore: np.ndarray  # (p, 1) 0: works up what other plants of its region leave
    fed: np.ndarray  # (s, e, 1) ore of the base year, t/week
    base_feed: np.ndarray  # (s, 1)
    base_capacity: np.ndarray  # (s, 1) t REO/week; 0: none on file
    recovery: np.ndarray  # (s, 1, 1) share
    taken: np.ndarray  # (s, e, 1) share of each element taken out in the base year
    base_nameplate: np.ndarray  # (s, e, 1) heavy circuits of base-year plants, t oxide/week
    circuit: np.ndarray  # (s, e, 1) the same, or what they made where that is more
    kind: np.ndarray  # (e,) LIGHT, OWN_CIRCUIT or FOLLOWS
    lead: int  # element that others follow
    oxide_cell: np.ndarray  # (r, e) cell of an element's oxide, -1 without

    @property
    def follows(self) -> np.ndarray:
        """Elements that come out with the lead element, (e,) bool."""
        return self.kind == FOLLOWS


def separation_of(n: Names, plants: Plants, cells: Cells, ore: Ore) -> Separation:
    """Capacity, circuits and yields of separators, closed on the base year."""
    places = places_of(n, plants)
    at = {r: i for i, r in enumerate(places)}
    rows = sorted(plants.of("separation"), key=lambda i: at[plants.rows[i].region])
    place_of = np.array([at[plants.rows[i].region] for i in rows])
    lights = [e for e in n.elements if n.chain.elements[e].group == "light"]

    def does(i: int, e: str) -> bool:
        return separates(plants.rows[i], e, n.chain)

    takes_ore = column([1.0 if any(does(i, e) for e in lights) else 0.0 for i in rows])
    nameplate = _nameplate(n, plants, rows)
    fed = ore.fed[:, :, 0]
    recovery = np.array([n.balance.recovery.get(r, DEFAULT_RECOVERY) for r in places])
    capacity, on_file = np.zeros(len(places)), np.zeros(fed.shape)
    for p, i in enumerate(rows):
        if plants.base[i]:
            capacity[place_of[p]] += plants.capacity[i, 0] * takes_ore[p, 0]
            on_file[place_of[p]] += nameplate[p, :, 0]
    # Yield of each fed element in the base year (circuits for heavies may be missing).
    taken = np.zeros(fed.shape)
    for (e, r), tonnes in n.balance.primary.items():
        here = (at[r], n.element_at[e])
        whole = fed[here] * recovery[here[0]]
        taken[here] = (tonnes / WEEKS_PER_YEAR) / whole if whole > 0 else 0.0
    # Output rules where the data state less nameplate than was made.
    made = fed * recovery[:, None] * taken
    return Separation(
        places=places,
        at=at,
        regions=np.array([n.region_at[r] for r in places]),
        plants=np.array(rows, dtype=int),
        by_place=Segments.of(place_of),
        able=np.array([[1.0 if does(i, e) else 0.0 for e in n.elements] for i in rows])[:, :, None],
        nameplate=nameplate,
        takes_ore=takes_ore,
        fed=ore.fed,
        base_feed=ore.fed.sum(axis=1),
        base_capacity=column(capacity),
        recovery=recovery[:, None, None],
        taken=taken[:, :, None],
        base_nameplate=on_file[:, :, None],
        circuit=np.maximum(on_file, made)[:, :, None] * CIRCUIT_ROOM,
        kind=np.array([_kind(n, e) for e in n.elements]),
        lead=next(
            (i for i, e in enumerate(n.elements) if n.chain.elements[e].circuit == "lead"), 0
        ),
        oxide_cell=np.array(
            [[cells.at.get((n.oxide(e), r), -1) for e in n.elements] for r in n.regions]
        ),
    )


def _nameplate(n: Names, plants: Plants, rows: list[int]) -> np.ndarray:
    """Nameplate of heavy circuits, t oxide/week, shape (p, e, 1).

    Plants for heavies alone take no ore in, they work up what other plants of their region leave.
    """
    out = np.zeros((len(rows), len(n.elements), 1))
    for p, i in enumerate(rows):
        f = plants.rows[i]
        for e, t_year in f.contents().items():
            item = n.chain.elements.get(e)
            if item is not None and item.circuit and separates(f, e, n.chain):
                out[p, n.element_at[e], 0] = t_year / WEEKS_PER_YEAR
    return out


def _kind(n: Names, element: str) -> int:
    item = n.chain.elements[element]
    if item.circuit:
        return OWN_CIRCUIT
    return FOLLOWS if item.group == "heavy" else LIGHT
