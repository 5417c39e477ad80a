"""Links: from the cell of a seller to the cell of a buyer of one material."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from lodestone.worlds.layout.cells import Cells
from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.plants import Plants
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, column

#: Least share of world need at which a new seller looks for a buyer abroad (A259).
LEAST_MARKET = 0.003
#: Habit with a buyer of oxide or metal that trade statistics do not know, weight (A259).
NEW_BUYER = 0.05


@dataclass(frozen=True)
class Links:
    """One row a link, sorted by destination; by seller they are reached through ``by_origin``."""

    keys: list[tuple[int, int]]  # (origin cell, destination cell)
    n: int
    origin: np.ndarray  # (l,)
    destination: np.ndarray  # (l,)
    starts: np.ndarray  # (c + 1,) links into each cell
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


def links_of(n: Names, plants: Plants, cells: Cells, opened: Set[tuple[str, str, str]]) -> Links:
    """Links of habit, of size and of contract (``opened``: material, origin, destination)."""
    base: dict[tuple[int, int], float] = {}
    for (m, origin, place), t in n.balance.trade.items():
        pair = (cells.at[(m, origin)], cells.at[(m, place)])
        base[pair] = base.get(pair, 0.0) + t / WEEKS_PER_YEAR
    makes = [n.ever_makes(m, r, plants.rows) for m, r in cells.keys]
    weight_of: dict[tuple[int, int], float] = {(c, c): 0.0 for c in range(cells.n) if makes[c]}
    weight_of.update(dict.fromkeys(base, 0.0))
    weight_of.update(_new_sellers(n, cells, makes))
    need = cells.need[:, 0]
    for m, origin, place in opened:
        ends = (cells.at.get((m, origin)), cells.at.get((m, place)))
        if None not in ends and need[ends[1]] > 0 and makes[ends[0]]:  # type: ignore[index]
            weight_of.setdefault((int(ends[0]), int(ends[1])), 0.0)  # type: ignore[arg-type]
    keys = sorted(weight_of, key=lambda p: (p[1], p[0]))
    first, second = np.array([o for o, _ in keys]), np.array([d for _, d in keys])
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


def _new_sellers(n: Names, cells: Cells, makes: list[bool]) -> dict[tuple[int, int], float]:
    """Weights of the links of those who did not sell in the base year: by need and habit."""
    habit = {(row.form, row.origin, row.destination): row.weight for row in n.chain.trade_priors}
    need, out = cells.need[:, 0], {}
    for c, (m, r) in enumerate(cells.keys):
        if cells.output[c, 0] > 0 or not makes[c]:
            continue
        form = n.chain.materials[m].form
        same = cells.material == cells.material[c]
        for d in map(int, np.flatnonzero(same & (need > 0))):
            weight = habit.get((form, r, cells.keys[d][1]), 0.0)
            if d == c:
                weight = max(weight, 1.0)
            elif weight == 0.0 and form == "magnet":
                continue
            share = need[d] / max(need[same].sum(), 1e-9)
            if d != c and share < LEAST_MARKET:
                continue
            least = NEW_BUYER if form != "magnet" else 0.0
            out[(c, d)] = max(weight, least) * (1.0 if d == c else share)
    return out


def _shares(cells: Cells, first: np.ndarray, tonnes: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Share of an origin's output that a link stands for (new links: by need and habit)."""
    out = cells.output[first, 0]
    total = np.zeros(cells.n)
    np.add.at(total, first, new)
    of_new = np.divide(new, total[first], out=np.zeros_like(new), where=total[first] > 0)
    return column(np.where(out > 0, tonnes[:, 0] / np.maximum(out, 1e-12), of_new))
