"""Links: from the cell of a seller to the cell of a buyer of one material."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from lodestone.worlds.layout.cells import Cells
from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, column

#: Share of the use outside the home region from which a place is worth a lane that is not there yet,
#: for oxides and metals and for magnets, and from which it is large enough to sell on (A303).
LEAST_PLACE, LEAST_MAGNET, HUB = 0.02, 0.01, 0.05


@dataclass(frozen=True)
class Links:
    """One row a link, sorted by destination and tie; by seller they are reached through ``by_origin``.

    A *tie* is what users of a cell buy from: the home region, or anybody else, works on the spot
    included. Where there is no such choice all links are of the second tie.
    """

    keys: list[tuple[int, int]]  # (origin cell, destination cell)
    n: int
    origin: np.ndarray  # (l,)
    destination: np.ndarray  # (l,)
    starts: np.ndarray  # (c + 1,) links into each cell
    tied: np.ndarray  # (c,) bool: users there are tied to the home region, or to all others
    tie: np.ndarray  # (l,) row of ties (2c,): bought in the home region, 2c, or elsewhere, 2c + 1
    tie_starts: np.ndarray  # (2c + 1,) links of each tie
    by_origin: np.ndarray  # (l,) links sorted by seller
    origin_starts: np.ndarray  # (c + 1,) links of each seller in ``by_origin``
    home: np.ndarray  # (l,) bool: inside a region
    magnet: np.ndarray  # (l,) bool
    material: np.ndarray  # (l,)
    region_from: np.ndarray  # (l,)
    region_to: np.ndarray  # (l,)
    base: np.ndarray  # (l, 1) t/week in the base year
    share: np.ndarray  # (l, 1) of the seller's output that the link stands for
    transit: np.ndarray  # (l,) days
    express: np.ndarray  # (l,) days by air
    freight: np.ndarray  # (l, 1) USD/kg
    _by_origin: csr_array
    _by_destination: csr_array

    def sum_by_destination(self, rows: np.ndarray) -> np.ndarray:
        """Sum of links by their destination cell: (l, w) -> (c, w)."""
        return self._by_destination @ rows

    def sum_by_origin(self, rows: np.ndarray) -> np.ndarray:
        """Sum of links by their origin cell: (l, w) -> (c, w)."""
        return self._by_origin @ rows


def links_of(n: Names, cells: Cells, opened: Set[tuple[str, str, str]]) -> Links:
    """Links of habit, of contract and those that may open (``opened``: material, origin, destination)."""
    base: dict[tuple[int, int], float] = {}
    for (m, origin, place), t in n.balance.trade.items():
        pair = (cells.at[(m, origin)], cells.at[(m, place)])
        base[pair] = base.get(pair, 0.0) + t / WEEKS_PER_YEAR
    makes = cells.makes
    weight_of: dict[tuple[int, int], float] = {(c, c): 0.0 for c in range(cells.n) if makes[c]}
    weight_of.update(dict.fromkeys(base, 0.0))
    for pair in _open_to_all(n, cells):
        weight_of.setdefault(pair, 0.0)
    for m, origin, place in opened:
        ends = (cells.at.get((m, origin)), cells.at.get((m, place)))
        if None not in ends and cells.uses[ends[1]] and makes[ends[0]]:
            weight_of.setdefault((int(ends[0]), int(ends[1])), 0.0)  # type: ignore[arg-type]
    tied = _tied(n, cells, list(weight_of))
    keys = sorted(weight_of, key=lambda p: (p[1], not (tied[p[1]] and cells.home[p[0]]), p[0]))
    first, second = np.array([o for o, _ in keys]), np.array([d for _, d in keys])
    tie = 2 * second + np.where(tied[second] & cells.home[first], 0, 1)
    at = np.arange(cells.n + 1)
    by_origin = np.argsort(first, kind="stable")
    tonnes = column([base.get(p, 0.0) for p in keys])
    shape = (cells.n, len(keys))
    ones, rows = np.ones(len(keys)), np.arange(len(keys))
    routes = [n.route(cells.keys[o][1], cells.keys[d][1]) for o, d in keys]
    return Links(
        keys=keys,
        n=len(keys),
        origin=first,
        destination=second,
        starts=np.searchsorted(second, at),
        tied=tied,
        tie=tie,
        tie_starts=np.searchsorted(tie, np.arange(2 * cells.n + 1)),
        by_origin=by_origin,
        origin_starts=np.searchsorted(first[by_origin], at),
        home=first == second,
        magnet=cells.magnet[second],
        material=cells.material[second],
        region_from=cells.region[first],
        region_to=cells.region[second],
        base=tonnes,
        share=_shares(cells, first, tonnes, np.array([weight_of[p] for p in keys])),
        transit=np.array([r[0] for r in routes]),
        express=np.array([r[1] for r in routes]),
        freight=column([r[2] for r in routes]),
        _by_origin=csr_array((ones, (first, rows)), shape=shape),
        _by_destination=csr_array((ones, (second, rows)), shape=shape),
    )


def _tied(n: Names, cells: Cells, lanes: list[tuple[int, int]]) -> np.ndarray:
    """Cells abroad whose users may buy in the home region and elsewhere, (c,) bool."""
    used = {(m, r) for _, m, r in n.balance.use}
    near, far = np.zeros((2, cells.n), dtype=bool)
    for origin, place in lanes:
        (near if cells.home[origin] else far)[place] = True
    return near & far & ~cells.home & np.array([key in used for key in cells.keys])


def _open_to_all(n: Names, cells: Cells) -> list[tuple[int, int]]:
    """Lanes without trade in the base year that may open, (from cell, to cell).

    Any maker may sell to any place that uses the good, once it is qualified; so may whoever has
    bought much of it abroad. Places with a hair of the use outside the home region are left out, but
    not the inputs of works that are to be built.
    """
    need, found = cells.need[:, 0], []
    for c, (m, _) in enumerate(cells.keys):
        same = cells.material == cells.material[c]
        outside = max(float(need[same & ~cells.home].sum()), 1e-12)
        trades = not cells.home[c] and need[c] >= HUB * outside
        if not (cells.makes[c] or trades):
            continue
        least = LEAST_MAGNET if n.chain.materials[m].form == "magnet" else LEAST_PLACE
        for d in map(int, np.flatnonzero(same & cells.uses)):
            large = cells.home[d] or need[d] >= least * outside or need[d] == 0.0
            if large and (cells.makes[c] or not cells.home[d]):
                found.append((c, d))
    return found


def _shares(cells: Cells, first: np.ndarray, tonnes: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Share of an origin's output that a link stands for (new links: by need and habit)."""
    out = cells.output[first, 0]
    total = np.zeros(cells.n)
    np.add.at(total, first, new)
    of_new = np.divide(new, total[first], out=np.zeros_like(new), where=total[first] > 0)
    return column(np.where(out > 0, tonnes[:, 0] / np.maximum(out, 1e-12), of_new))
