"""What part of a row a measure means: of a link, an ore link, a cell or a user line.

A row of the model is a region's; a measure may name a country inside it. `Part` holds the rows
and the countries at both ends, and says which share of each row lies between them. Two measures
on two parts of the same row are told apart by country (`blend`): bans on the European Union and
on the rest of Europe, listed apart, are a ban on Europe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from weakref import finalize

import numpy as np

from lodestone.chain import naming
from lodestone.chain.row import STAGE_OF
from lodestone.worlds.made import share_of_plants
from lodestone.worlds.view import MarketView

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout

__all__ = ["Axis", "Part", "alike", "blend", "made_there", "ore_there", "pieces", "used_there"]

#: What a row is: a trade link, a link of concentrate, a good in a region, a line of users.
Axis = Literal["link", "ore_link", "cell", "user"]
Countries = frozenset[str]
TINY = 1e-12


#: Layout (by identity) -> share of each region's use by countries; gone with the layout.
_USE: dict[int, dict[Countries, np.ndarray]] = {}


def used_there(lay: Layout, countries: Countries) -> np.ndarray:
    """Share of each region's use that lies in some countries, shape (r, 1) (A43)."""
    if id(lay) not in _USE:
        _USE[id(lay)] = {}
        finalize(lay, _USE.pop, id(lay), None)
    kept = _USE[id(lay)]
    if countries not in kept:
        share = naming.Places(lay.chain, countries).use
        kept[countries] = np.array([share.get(r, 0.0) for r in lay.regions])[:, None]
    return kept[countries]


def separated_there(lay: Layout, countries: Countries) -> np.ndarray:
    """Share of each region's separators that lies in some countries, shape (r, 1)."""
    share = naming.Places(lay.chain, countries).making("separation")
    return np.array([share.get(r, 0.0) for r in lay.regions])[:, None]


def made_there(m: MarketView, countries: Countries, cells: np.ndarray) -> np.ndarray:
    """Share of what each cell sells that is made in some countries, shape (n, w) or (n, 1).

    By the plants on file that ran on the last market day; before the first one, and where none
    runs, as in the base year.
    """
    lay = m.layout
    places = naming.Places(lay.chain, countries)
    split, use = places.split(), places.use
    out = np.zeros((len(cells), 1))
    names = set(places.plants())
    rows = np.array([i for i, f in enumerate(lay.plants.rows) if f.name in names], dtype=int)
    seen = m.flows.get("available") is not None
    for n, c in enumerate(cells):
        region = lay.regions[lay.cells.region[c]]
        if region not in use:
            continue
        if region not in split:
            out[n] = 1.0
            continue
        form = lay.chain.materials[lay.materials[lay.cells.material[c]]].form
        on_paper = places.making(STAGE_OF[form])[region]
        if not seen:
            out[n] = on_paper
            continue
        every = np.array(
            [i for i, f in enumerate(lay.plants.rows) if f.region == region], dtype=int
        )
        now = share_of_plants(m, rows, int(c))
        runs = share_of_plants(m, every, int(c)) > 0.0
        if out.shape[1] == 1:
            out = np.repeat(out, now.shape[-1], axis=1)
        out[n] = np.where(runs, now, on_paper)
    return out


def ore_there(m: MarketView, countries: Countries) -> np.ndarray:
    """Share of the ore of each pool that is dug in some countries, shape (o, w) or (o, 1)."""
    lay = m.layout
    places = naming.Places(lay.chain, countries)
    split, use = places.split(), places.use
    out = np.zeros((len(lay.ore.pools), 1))
    dug = m.flows.get("dug")
    for o, (material, region) in enumerate(lay.ore.pools):
        if region not in use:
            continue
        if region not in split:
            out[o] = 1.0
            continue
        on_paper = places.making("mine", material)[region]
        rows = [
            (n, places.holds(lay.plants.rows[i]))
            for n, i in enumerate(lay.ore.mines)
            if lay.plants.rows[i].region == region and lay.plants.rows[i].material == material
        ]
        if dug is None or not rows:
            out[o] = on_paper
            continue
        whole = dug[[n for n, _ in rows]].sum(axis=0)
        own = dug[[n for n, there in rows if there]].sum(axis=0)
        if out.shape[1] == 1:
            out = np.repeat(out, dug.shape[-1], axis=1)
        out[o] = np.where(whole > TINY, own / np.maximum(whole, TINY), on_paper)
    return out


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows, and of each what lies between some countries.

    Attributes
    ----------
    axis : Axis
    rows : ndarray of bool, shape (n,)
        Rows touched.
    origin, destination : frozenset of str, or None
        Countries at each end (None: whoever it is).
    whole : bool
        Whether every row is meant entirely.
    """

    axis: Axis
    rows: np.ndarray
    origin: Countries | None = None
    destination: Countries | None = None
    whole: bool = True

    def weight(self, m: MarketView) -> np.ndarray:
        """Share of each row touched that is meant, shape (k, 1) or (k, w) of the k rows touched."""
        if self.whole:
            return np.ones((int(self.rows.sum()), 1))
        out = _side(m, self.axis, self.rows, self.origin, True)
        return np.asarray(out * _side(m, self.axis, self.rows, self.destination, False))


def _side(
    m: MarketView, axis: Axis, rows: np.ndarray, countries: Countries | None, origin: bool
) -> np.ndarray:
    """Share of each row that lies in some countries at one end, shape (k, 1) or (k, w)."""
    lay = m.layout
    if countries is None:
        return np.ones((int(rows.sum()), 1))
    if axis == "link" and origin:
        cells, back = np.unique(lay.links.origin[rows], return_inverse=True)
        return made_there(m, countries, cells)[back]
    if axis == "ore_link":
        if origin:
            return ore_there(m, countries)[lay.ore.pool[rows]]
        return separated_there(lay, countries)[lay.ore.region_to[rows]]
    region = {"link": lay.links.region_to, "cell": lay.cells.region, "user": lay.users.region}[axis]
    return used_there(lay, countries)[region[rows]]


def _classes(sets: Sequence[Countries | None]) -> list[tuple[tuple[bool, ...], Countries | None]]:
    """Countries by which of some sets they are in; None stands for all countries in no set."""
    groups: dict[tuple[bool, ...], set[str]] = {}
    for country in sorted(set().union(*(s for s in sets if s is not None))):
        held = tuple(s is None or country in s for s in sets)
        groups.setdefault(held, set()).add(country)
    rest = tuple(s is None for s in sets)
    found: list[tuple[tuple[bool, ...], Countries | None]] = [
        (held, frozenset(group)) for held, group in groups.items() if held != rest
    ]
    return [*found, (rest, None)]


def pieces(m: MarketView, parts: Sequence[Part]) -> Iterator[tuple[tuple[bool, ...], np.ndarray]]:
    """Cut rows by the countries at both ends into pieces that the same parts mean.

    Yields
    ------
    tuple of bool
        Which of the parts mean the piece.
    ndarray, shape (k, 1) or (k, w)
        Its share of each row that any of the parts touches; the shares of a row sum to one.
    """
    axis = parts[0].axis
    rows = np.logical_or.reduce([part.rows for part in parts])

    def ends(sets: Sequence[Countries | None], origin: bool) -> list[Any]:
        held, left = [], np.ones((int(rows.sum()), 1))
        for mark, group in _classes(sets):
            if group is None:
                held.append((mark, np.maximum(left, 0.0)))
            else:
                share = _side(m, axis, rows, group, origin)
                held.append((mark, share))
                left = left - share
        return held

    to = ends([part.destination for part in parts], False)
    for by_origin, from_ in ends([part.origin for part in parts], True):
        for by_end, share in to:
            yield tuple(a and b for a, b in zip(by_origin, by_end, strict=True)), from_ * share


def alike(speaks: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Worlds in which the same measures speak: pieces are cut by those of a world and no others.

    Where another cut would add up to the same, it would round otherwise.

    Parameters
    ----------
    speaks : ndarray of bool, shape (measures, w)

    Yields
    ------
    ndarray of bool, shape (measures,)
        Which measures speak.
    ndarray of int, shape (n,)
        The worlds in which just these do.
    """
    kinds, kind_of = np.unique(speaks, axis=1, return_inverse=True)
    for number, kind in enumerate(kinds.T):
        yield kind, np.flatnonzero(kind_of.reshape(-1) == number)


def blend(
    m: MarketView,
    parts: Sequence[tuple[Part, np.ndarray]],
    start: np.ndarray,
    combine: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Combine what several measures say of parts of the same rows.

    Parameters
    ----------
    m : MarketView
    parts : sequence of (Part, ndarray)
        Each measure and its value, shape (w,) or one row for each row touched.
    start : ndarray, shape (n, w)
        What holds without them.
    combine : callable
        How two values on the same goods become one.

    Returns
    -------
    ndarray, shape (n, w)
        Mean over the countries at both ends, by their share of the row, of the combined values
        of the measures that mean them. Listing parts apart gives what listing the whole gives.
    """
    rows = np.logical_or.reduce([part.rows for part, _ in parts])
    at = np.cumsum(rows) - 1
    out = np.zeros((int(rows.sum()), start.shape[1]))
    for meant, share in pieces(m, [part for part, _ in parts]):
        value = start[rows].copy()
        for here, (part, said) in zip(meant, parts, strict=True):
            if here:
                value[at[part.rows]] = combine(value[at[part.rows]], said)
        out += share * value
    result = start.copy()
    result[rows] = out
    return result
