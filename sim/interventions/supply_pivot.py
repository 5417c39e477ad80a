"""Supply pivots: a share of a region's ore goes to the separators of a bloc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Path,
    Problem,
    Words,
    intervention,
    share,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

#: Separators take up to this multiple of their ability (as in the tick).
SLACK = 1.1


@dataclass
class Turn:
    """What one measure wants of the ore of some pools today.

    Attributes
    ----------
    origin, target : ndarray of bool, shape (k,)
        Ore links of the pools concerned, and those of them that lead where the ore is to go.
    share : ndarray, shape (o, w)
        Share of each pool's ore that is to go there.
    active : ndarray, shape (w,)
        Share of the market day on which it is in force.
    at_least : bool
        Whether more may go there than the share (a contract), or exactly the share (a pivot).
    """

    origin: np.ndarray
    target: np.ndarray
    share: np.ndarray
    active: np.ndarray
    at_least: bool

    def turn(self, shares: np.ndarray, tonnes: np.ndarray, day: Any) -> np.ndarray:
        """Turn the shares of ore links to where the ore is to go.

        Parameters
        ----------
        shares : ndarray, shape (k, w)
            Share of its pool's ore that each link would carry.
        tonnes : ndarray, shape (o, w)
            Ore of each pool that could leave today, t.
        day : MarketDay

        Returns
        -------
        ndarray, shape (k, w)
            Shares of the same pools, their sum never above one. What separators at the
            destination cannot take waits at the mine; no ore is made or lost.
        """
        lay = day.layout
        pools = len(lay.ore.pools)
        inside = self.target[:, None] & self.origin[:, None]
        others = self.origin[:, None] & ~self.target[:, None]
        before = lay.ore.links_by_pool.spread(np.where(inside, shares, 0.0), pools)
        rest = lay.ore.links_by_pool.spread(np.where(others, shares, 0.0), pools)
        wanted = np.maximum(self.share, before) if self.at_least else self.share
        # Ore that waited does not slip away elsewhere: others get their share of what is dug.
        dug = np.zeros_like(tonnes)
        dug[lay.ore.by_pool.ids] = lay.ore.by_pool.sum(day.flows["dug"])
        fresh = np.minimum(dug / np.maximum(tonnes, 1e-12), 1.0)
        elsewhere = np.maximum(1.0 - wanted, 0.0) * fresh
        usual = np.where(others & (rest[lay.ore.pool] <= 0.0), lay.ore.default + 1e-6, shares)
        usual = np.where(others, usual, 0.0)
        usual = usual / np.maximum(lay.ore.links_by_pool.spread(usual, pools), 1e-12)[lay.ore.pool]
        # Separators that run and have room; those served before keep at least that.
        rows = lay.separation.plants
        ability = np.zeros((len(lay.separation.places), shares.shape[-1]))
        ability[lay.separation.by_place.ids] = lay.separation.by_place.sum(
            lay.plants.capacity[rows] * day.available[rows] * lay.separation.takes_ore
        )
        ore = np.maximum(tonnes[lay.ore.pool], 1e-12)
        room = (
            np.maximum(SLACK * ability - lay.separation.fed.sum(axis=1), 0.0)[lay.ore.place]
            * day.weeks
        )
        most = shares + room / ore
        space = lay.ore.links_by_pool.spread(np.where(inside, most, 0.0), pools)
        there = np.where(wanted > 0.0, np.minimum(1.0 - elsewhere, space), 0.0)
        pulled = most / np.maximum(space, 1e-12)[lay.ore.pool] * there[lay.ore.pool]
        kept = np.minimum(usual * elsewhere[lay.ore.pool], most)
        new = np.where(inside, pulled, np.where(others, kept, shares))
        return shares + (new - shares) * self.active


@dataclass
class PivotEffect(Effect):
    """Sends a share of an origin's ore to named separators."""

    origin: np.ndarray  # (k,) bool
    target: np.ndarray  # (k,) bool
    pools: np.ndarray  # (o,) bool
    turned: DrawnPath

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Put the share in force."""
        active = self.share(t0, t1)
        if not np.any(active):
            return
        wanted = np.where(self.pools[:, None], self.turned.at(t0), 0.0)
        rules.pivots.append(Turn(self.origin, self.target, wanted, active, at_least=False))


@intervention("supply_pivot")
class SupplyPivot(Intervention):
    """A share of a region's ore goes to the separators of a region or bloc, the rest elsewhere.

    What the separators there cannot take waits at the mine: where there are none, the share is
    withheld.
    """

    title: ClassVar[str] = "a share of a region's ore goes to the separators of a region or bloc"
    live: ClassVar[bool] = True

    origin: Words = words(..., "regions whose ore it is", names="place")
    destination: Words = words(..., "regions or bloc that is to have it", names="place")
    materials: Words = words(("concentrates",), "kinds of ore", names="material")
    share: Path = share(..., "share of the ore that goes there", source="definition")

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse ore of a region without mines, and goods that are no ore."""
        found = []
        places = naming.places(chain, self.origin).use
        mines = [f for f in chain.facilities.values() if f.stage == "mine" and f.region in places]
        if not mines:
            found.append(
                Problem(
                    key="origin",
                    message=f"there is no mine in {', '.join(self.origin)}",
                    hint="See 'lodestone list facilities'.",
                )
            )
        wrong = [
            m
            for word in self.materials
            for m in chain.materials_named(word)
            if chain.materials[m].form != "concentrate"
        ]
        if wrong:
            found.append(
                Problem(
                    key="materials",
                    message=f"{wrong[0]} is no ore",
                    hint="A pivot turns ore; use a ban, a tariff or an offtake for other goods.",
                )
            )
        return found

    def compile(self, name: str, ctx: Context) -> PivotEffect:
        """Resolve pools and ore links."""
        lay = ctx.layout
        origins, ends = ctx.places(self.origin), ctx.places(self.destination)
        kinds = set(ctx.rows(self.materials) or [])
        pools = np.array([r in origins and m in kinds for m, r in lay.ore.pools])
        origin = pools[lay.ore.pool]
        target = origin & np.array([lay.regions[r] in ends for r in lay.ore.region_to])
        return PivotEffect(
            **timing(self, name, ctx),
            origin=origin,
            target=target,
            pools=pools,
            turned=ctx.path(self.share, f"{name}/share"),
        )
