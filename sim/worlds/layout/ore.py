"""Ore: mines, pools of ore, and links to separators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.plants import Plants
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, Segments, column

#: Months in which clays leached on the spot open.
QUICK_MONTHS = 12.0


@dataclass(frozen=True)
class Ore:
    """Mines by pool (a kind of concentrate in a region), and links of ore sorted by pool."""

    mines: np.ndarray  # (mines,) facilities
    mix: np.ndarray  # (mines, e, 1) share of each element in contained oxide
    by_pool: Segments  # mines by pool
    pools: list[tuple[str, str]]  # (concentrate, region)
    fast: np.ndarray  # (o,) bool: opens within a year, and follows demand by plan
    pool_base: np.ndarray  # (o, e, 1) t/week in the base year
    pool_base_t: np.ndarray  # (o, 1)
    keys: list[tuple[int, int]]  # (pool, separators)
    pool: np.ndarray  # (k,)
    links_by_pool: Segments  # links by the pool they carry
    place: np.ndarray  # (k,)
    home: np.ndarray  # (k,) bool: mine and separators in one region
    region_from: np.ndarray  # (k,)
    region_to: np.ndarray  # (k,)
    base: np.ndarray  # (k, e, 1) t/week in the base year
    base_t: np.ndarray  # (k, 1)
    transit: np.ndarray  # (k,) days
    bond: np.ndarray  # (k, 1, 1) weeks in bond
    bonded: np.ndarray  # links with a bond
    fed: np.ndarray  # (s, e, 1) ore of the base year by separators, t/week
    default: np.ndarray  # (k, 1) 1 where ore without a base-year buyer goes


def places_of(n: Names, plants: Plants) -> list[str]:
    """Regions with separators, now or once they are built."""
    places = {f.region for f in plants.rows if f.stage == "separation"}
    places |= {p for _, _, p in n.balance.ore}
    return sorted(places, key=n.region_at.__getitem__)


def home_of(n: Names, plants: Plants) -> str:
    """The region that separates most ore: it sets home prices."""
    ore = _base_ore(n)
    return max(
        places_of(n, plants), key=lambda r: sum(t.sum() for (_, _, p), t in ore.items() if p == r)
    )


def _base_ore(n: Names) -> dict[tuple[str, str, str], np.ndarray]:
    """Ore of the base year, t/week by element: (concentrate, region, separators) -> (e,)."""
    return {
        key: np.array([t.get(e, 0.0) for e in n.elements]) / WEEKS_PER_YEAR
        for key, t in n.balance.ore.items()
    }


def ore_of(n: Names, plants: Plants, home_region: str) -> Ore:
    """Mines and pools, and which separators may get which ore."""
    mines = plants.of("mine")
    pools: dict[tuple[str, str], int] = {}
    for i in mines:
        pools.setdefault((plants.rows[i].material, plants.rows[i].region), len(pools))
    for material, region, _ in n.balance.ore:
        pools.setdefault((material, region), len(pools))

    def pool_of(i: int) -> int:
        return pools[(plants.rows[i].material, plants.rows[i].region)]

    mines = sorted(mines, key=pool_of)
    rows = [plants.rows[i] for i in mines]
    places = places_of(n, plants)
    links = _links(n, pools, places, home_region)
    keys = sorted(links)
    pool = np.array([o for o, _ in keys])
    base = np.array([links[k] for k in keys])[:, :, None]
    pool_region = [n.region_at[r] for _, r in pools]
    place_region = [n.region_at[r] for r in places]
    region_from = np.array([pool_region[o] for o, _ in keys])
    region_to = np.array([place_region[s] for _, s in keys])
    ends = [(n.regions[a], n.regions[b]) for a, b in zip(region_from, region_to, strict=True)]
    held = {pair: r.ore_bond_days / 7.0 for pair, r in n.chain.routes.items()}
    bond = np.array([held.get(pair, 0.0) for pair in ends])[:, None, None]
    fed = np.zeros((len(places), len(n.elements), 1))
    for (_, s), t in links.items():
        fed[s, :, 0] += t
    pool_base = np.add.reduceat(base, Segments.of(pool).starts, axis=0)
    return Ore(
        mines=np.array(mines),
        mix=np.array([[n.chain.mixes[f.mix or ""].get(e, 0.0) for e in n.elements] for f in rows])[
            :, :, None
        ],
        by_pool=Segments.of(np.array([pool_of(i) for i in mines])),
        pools=list(pools),
        fast=_fast(n, plants, pools, home_region),
        pool_base=pool_base,
        pool_base_t=column(pool_base[:, :, 0].sum(axis=1)) * np.ones(1),
        keys=keys,
        pool=pool,
        links_by_pool=Segments.of(pool),
        place=np.array([s for _, s in keys]),
        home=region_from == region_to,
        region_from=region_from,
        region_to=region_to,
        base=base,
        base_t=column([links[k].sum() for k in keys]),
        transit=np.array([n.route(a, b)[0] for a, b in ends]),
        bond=bond,
        bonded=np.flatnonzero(bond[:, 0, 0] > 0.0),
        fed=fed,
        default=_default(plants, list(pools), places, keys, home_region),
    )


def _links(
    n: Names, pools: dict[tuple[str, str], int], places: list[str], home_region: str
) -> dict[tuple[int, int], np.ndarray]:
    """Links of the base year and those that new separators may open, with t/week by element."""
    base, at = _base_ore(n), {r: i for i, r in enumerate(places)}
    links = {(pools[(m, r)], at[place]): t for (m, r, place), t in base.items()}
    fed = {p for _, _, p in base}
    for (_, region), o in pools.items():
        for place in places:
            new_plant = place not in fed or place == region
            abroad = region != home_region and (new_plant or place == home_region)
            if abroad or region == place:
                links.setdefault((o, at[place]), np.zeros(len(n.elements)))
    return links


def _fast(
    n: Names, plants: Plants, pools: dict[tuple[str, str], int], home_region: str
) -> np.ndarray:
    """Pools that open within a year, (o,) bool.

    Clays leached on the spot do; so does what a quota allows at the centre.
    """
    quick = {
        (f.material, f.region)
        for f in plants.rows
        if f.stage == "mine" and 0.0 < f.ramp_months <= QUICK_MONTHS and f.role == "existing"
    }
    at_home = np.array([r == home_region for _, r in pools])
    heavy = np.array(["heavy" in m for m, _ in pools])
    return (at_home & ~heavy) | (np.array([p in quick for p in pools]) & ~at_home)


def _default(
    plants: Plants,
    pools: list[tuple[str, str]],
    places: list[str],
    keys: list[tuple[int, int]],
    home_region: str,
) -> np.ndarray:
    """Where ore without a base-year buyer goes: as named in the data, else to the largest."""
    named: dict[tuple[str, str], str] = {}
    for f in plants.rows:
        if f.stage == "mine" and f.destination:
            named.setdefault((f.material, f.region), f.destination)
    chosen = [places[s] == named.get(pools[o], home_region) for o, s in keys]
    return column([1.0 if yes else 0.0 for yes in chosen])
