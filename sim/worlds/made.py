"""Who made what: the one answer to what part of a region's output comes out of a plant.

A plant's output is told by its *circuits*: a plant that separates light earths alone makes next
to no dysprosium, whatever its capacity; dysprosium and terbium go by the nameplates of the heavy
circuits, the other heavies with dysprosium, the light elements by ore worked up. Metals and
magnets go by the capacity that can run of the plants that make them.

Price floors, contracts, facts by plant, the merit order and shares of countries inside a region
all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lodestone.chain.balance import separates
from lodestone.chain.nouns import Chain, Facility

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout

__all__ = [
    "Seen",
    "content",
    "facility_output",
    "makes",
    "nameplate",
    "share_of_cell",
    "share_of_plants",
]

TINY = 1e-12


class Seen(Protocol):
    """What has to be known of a market day: what could run, and what came out."""

    @property
    def layout(self) -> Layout:
        """Rows and constants."""

    @property
    def flows(self) -> Any:
        """Tonnes of the day by name."""

    @property
    def weeks(self) -> float:
        """Length of the market day."""

    @property
    def available(self) -> np.ndarray:
        """Share of capacity that can run, shape (f, w)."""

    @property
    def normal_output(self) -> np.ndarray:
        """Usual output of each plant, t/week in its basis, shape (f, w)."""

    @property
    def group_capacity(self) -> np.ndarray:
        """What each group of metal or magnet plants can make, t/week, shape (g, w)."""


# --------------------------------------------------------------------------- on paper


def nameplate(facility: Facility, chain: Chain) -> dict[str, float]:
    """What a plant makes a year at full capacity, by element.

    Returns
    -------
    dict
        Tonnes of oxide for mines (contained), separation and recycling; of element for metals
        and magnets. Elements that the plant does not take out are left out.
    """
    if facility.stage == "mine":
        mix: Mapping[str, float] = chain.mixes.get(facility.mix or "", {})
        return {e: facility.capacity_t_per_year * share for e, share in mix.items()}
    stated = facility.contents()
    splits = facility.stage in ("separation", "recycling")
    return {
        e: t
        for e, t in stated.items()
        if t > 0.0 and (not splits or e not in chain.elements or separates(facility, e, chain))
    }


def content(facility: Facility, chain: Chain, element: str) -> float:
    """Tonnes of an element in a tonne of what a plant counts its capacity on (see `nameplate`)."""
    if facility.stage == "mine":
        return float(chain.mixes.get(facility.mix or "", {}).get(element, 0.0))
    whole = facility.capacity_t_per_year
    return nameplate(facility, chain).get(element, 0.0) / whole if whole > 0.0 else 0.0


def makes(facility: Facility, chain: Chain) -> list[str]:
    """Materials that come out of a plant, in the order of the chain."""
    if facility.stage == "magnet":
        family = "smco" if facility.material.startswith("smco") else "ndfeb"
        return [
            n for n, m in chain.materials.items() if m.form == "magnet" and n.startswith(family)
        ]
    if facility.stage in ("separation", "recycling"):
        return [
            n
            for n, m in chain.materials.items()
            if m.form == "oxide" and separates(facility, m.element or "", chain)
        ]
    return [facility.material] if facility.material in chain.materials else []


# --------------------------------------------------------------------------- today


def _able(lay: Layout, row: int, material: int) -> bool:
    f = lay.plants.rows[row]
    if f.stage == "metal":
        return lay.materials[material] in lay.names.metals_of(f)
    return lay.materials[material] in makes(f, lay.chain)


def _separated_share(m: Seen, row: int, e: int) -> np.ndarray:
    """Share of a plant in what its region separates of an element, shape (w,)."""
    lay = m.layout
    mates = np.flatnonzero(lay.plants.region[lay.separation.plants] == lay.plants.region[row])
    mine = int(np.flatnonzero(lay.separation.plants[mates] == row)[0])
    rows = lay.separation.plants[mates]
    lead = lay.separation.lead if lay.separation.follows[e] else e
    named = (
        lay.separation.nameplate[mates, lead] * lay.separation.able[mates, e] * m.available[rows]
    )
    plain = m.normal_output[rows] * lay.separation.able[mates, e] * lay.separation.takes_ore[mates]
    by_name = named.sum(axis=0)
    by_ore = plain.sum(axis=0)
    return np.where(
        by_name > 0.0,
        named[mine] / np.maximum(by_name, TINY),
        plain[mine] / np.maximum(by_ore, TINY),
    )


def _group_share(m: Seen, row: int, material: int) -> np.ndarray:
    """Share of a metal or magnet plant in what its region makes of a product, shape (w,)."""
    lay = m.layout
    g = int(lay.groups.of_facility[row])
    if g < 0 or not _able(lay, row, material):
        return np.zeros(m.available.shape[1])
    running = lay.plants.capacity * m.available
    mates = np.flatnonzero(lay.groups.of_facility == g)
    able = [i for i in mates if _able(lay, int(i), material)]
    unnamed = np.maximum(m.group_capacity[g] - running[mates].sum(axis=0), 0.0)
    return running[row] / np.maximum(running[able].sum(axis=0) + unnamed, TINY)


def _recycled(m: Seen, row: int, e: int) -> np.ndarray:
    """Oxide of an element that a recycling plant gave back today, t, shape (w,).

    Plants that came after the base year by their own yield; those of the base year share what
    else their region recycled, none above its nameplate (the rest is nobody's on file).
    """
    lay = m.layout
    region = int(lay.plants.region[row])
    alike = [int(i) for i in lay.plants.of("recycling", lay.plants.rows[row].region)]
    ran = m.normal_output / np.maximum(lay.plants.capacity, TINY)
    new = {int(i): n for n, i in enumerate(lay.scrap.recyclers)}
    if row in new:
        return lay.scrap.recycler_yield[new[row], e] * ran[row] * m.weeks
    others = np.zeros(m.available.shape[1])
    for i in alike:
        if i in new:
            others = others + lay.scrap.recycler_yield[new[i], e] * ran[i] * m.weeks
    left = np.maximum(m.flows["recycled"][region, e] - others, 0.0)
    element = lay.elements[e]
    week = m.weeks * 7.0 / 365.25

    def able(i: int) -> np.ndarray:
        return nameplate(lay.plants.rows[i], lay.chain).get(element, 0.0) * week * m.available[i]

    whole = sum((able(i) for i in alike if i not in new), np.zeros_like(left))
    return left * able(row) / np.maximum(np.maximum(whole, left), TINY)


def facility_output(m: Seen, rows: Iterable[int], material: int) -> np.ndarray:
    """Output of a material by some plants on the last market day, t, shape (w,).

    Parameters
    ----------
    m : Seen
        The market on or after its first day.
    rows : iterable of int
        Plants.
    material : int
        Row of the material. Of a mine: its concentrate (t REO), or the oxide in its ore.

    Notes
    -----
    Conserves: over all plants of a region never more than the region made.
    """
    lay, flows = m.layout, m.flows
    item = lay.chain.materials[lay.materials[material]]
    total = np.zeros(m.available.shape[1])
    for row in map(int, rows):
        f = lay.plants.rows[row]
        if f.stage == "mine":
            at = int(np.flatnonzero(lay.ore.mines == row)[0])
            if item.form == "oxide" and item.element in lay.element_at:
                total += flows["dug"][at] * lay.ore.mix[at, lay.element_at[item.element]]
            elif lay.materials[material] == f.material:
                total += flows["dug"][at]
            continue
        if item.form == "oxide" and f.stage in ("separation", "recycling"):
            if not _able(lay, row, material):
                continue
            e = lay.element_at[item.element or ""]
            if f.stage == "recycling":
                total += _recycled(m, row, e)
            else:
                s = lay.separation.at[f.region]
                total += flows["separated"][s, e] * _separated_share(m, row, e)
            continue
        cell = lay.cells.at.get((lay.materials[material], f.region))
        if f.stage == item.form and cell is not None:
            total += flows["output"][cell] * _group_share(m, row, material)
    return total


def share_of_cell(m: Seen, row: int, cell: int) -> np.ndarray:
    """Share of a plant in what its cell (a good in a region) sells, 0 to 1, shape (w,).

    What its capacity and circuits say; of oxides, the part that is separated and not recycled.
    Zero before the first market day, and for a mine: ore is sold from no cell.
    """
    lay = m.layout
    f, material = lay.plants.rows[row], int(lay.cells.material[cell])
    width = lay.cells.output.shape[1] if not _seen(m) else m.available.shape[1]
    if not _seen(m) or f.stage == "mine" or lay.regions[lay.cells.region[cell]] != f.region:
        return np.zeros(width)
    if f.stage in ("metal", "magnet"):
        return np.minimum(_group_share(m, row, material), 1.0)
    if not _able(lay, row, material):
        return np.zeros(width)
    e = lay.element_at[lay.chain.materials[lay.materials[material]].element or ""]
    made = m.flows["output"][cell]
    if f.stage == "recycling":
        return np.minimum(_recycled(m, row, e) / np.maximum(made, TINY), 1.0)
    primary = m.flows["separated"][lay.separation.at[f.region], e]
    part = np.where(made > TINY, np.minimum(primary / np.maximum(made, TINY), 1.0), 1.0)
    return np.minimum(_separated_share(m, row, e) * part, 1.0)


def share_of_plants(m: Seen, rows: np.ndarray, cell: int) -> np.ndarray:
    """Share of some plants in what all plants on file of their region make for a cell, (w,).

    Unlike `share_of_cell` it leaves out what no plant on file makes, so that the shares of the
    countries of a region add up to one.
    """
    lay = m.layout
    every = [
        i for i, f in enumerate(lay.plants.rows) if lay.plants.region[i] == lay.cells.region[cell]
    ]
    parts = {i: share_of_cell(m, i, cell) for i in every if lay.plants.rows[i].stage != "mine"}
    whole = sum(parts.values(), np.zeros(m.available.shape[1]))
    own = sum((parts[int(i)] for i in rows if int(i) in parts), np.zeros_like(whole))
    return np.where(whole > TINY, own / np.maximum(whole, TINY), 0.0)


def _seen(m: Seen) -> bool:
    """Whether a market day has been."""
    return m.flows.get("available") is not None and "output" in m.flows
