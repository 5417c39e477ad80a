"""Supply pivots: a share of a region's ore goes to the separators of a bloc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Path, Words, goods, places, share
from lodestone.worlds.conditions import Rules
from lodestone.worlds.parts import ore_there, separated_there
from lodestone.worlds.view import MarketView

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
    part : ndarray, shape (o, w), or float
        Part of each pool's ore that is meant; the rest goes where it would.
    room : ndarray, shape (k, 1), or None
        Share of the separators at the end of each link that is meant (None: all).
    """

    origin: np.ndarray
    target: np.ndarray
    share: np.ndarray
    active: np.ndarray
    at_least: bool
    part: np.ndarray | float = 1.0
    room: np.ndarray | None = None

    def turn(self, shares: np.ndarray, tonnes: np.ndarray, m: MarketView) -> np.ndarray:
        """Turn the shares of ore links to where the ore is to go.

        Parameters
        ----------
        shares : ndarray, shape (k, w)
            Share of its pool's ore that each link would carry.
        tonnes : ndarray, shape (o, w)
            Ore of each pool that could leave today, t.
        m : Market

        Returns
        -------
        ndarray, shape (k, w)
            Shares of the same pools, their sum never above one. What separators at the
            destination cannot take waits at the mine; no ore is made or lost.
        """
        lay = m.layout
        pools = len(lay.ore.pools)
        inside = self.target[:, None] & self.origin[:, None]
        others = self.origin[:, None] & ~self.target[:, None]
        before = lay.ore.links_by_pool.spread(np.where(inside, shares, 0.0), pools)
        rest = lay.ore.links_by_pool.spread(np.where(others, shares, 0.0), pools)
        wanted = np.maximum(self.share, before) if self.at_least else self.share
        # Ore that waited does not slip away elsewhere: others get their share of what is dug.
        dug = np.zeros_like(tonnes)
        dug[lay.ore.by_pool.ids] = lay.ore.by_pool.sum(m.flows["dug"])
        fresh = np.minimum(dug / np.maximum(tonnes, 1e-12), 1.0)
        elsewhere = np.maximum(1.0 - wanted, 0.0) * fresh
        usual = np.where(others & (rest[lay.ore.pool] <= 0.0), lay.ore.default + 1e-6, shares)
        usual = np.where(others, usual, 0.0)
        usual = usual / np.maximum(lay.ore.links_by_pool.spread(usual, pools), 1e-12)[lay.ore.pool]
        # Separators that run and have room; those served before keep at least that.
        rows = lay.separation.plants
        ability = np.zeros((len(lay.separation.places), shares.shape[-1]))
        ability[lay.separation.by_place.ids] = lay.separation.by_place.sum(
            lay.plants.capacity[rows] * m.available[rows] * lay.separation.takes_ore
        )
        ore = np.maximum(tonnes[lay.ore.pool], 1e-12)
        room = (
            np.maximum(SLACK * ability - lay.separation.fed.sum(axis=1), 0.0)[lay.ore.place]
            * m.weeks
        )
        if self.room is not None:
            room = room * np.where(self.target[:, None], self.room, 1.0)
        most = shares + room / ore
        space = lay.ore.links_by_pool.spread(np.where(inside, most, 0.0), pools)
        there = np.where(wanted > 0.0, np.minimum(1.0 - elsewhere, space), 0.0)
        pulled = most / np.maximum(space, 1e-12)[lay.ore.pool] * there[lay.ore.pool]
        kept = np.minimum(usual * elsewhere[lay.ore.pool], most)
        new = np.where(inside, pulled, np.where(others, kept, shares))
        if not isinstance(self.part, float):
            new = shares + (new - shares) * self.part[lay.ore.pool]
        return np.asarray(shares + (new - shares) * self.active)


class PivotEffect(Effect):
    """Sends a share of an origin's ore to named separators."""

    item: SupplyPivot
    empty = "there is no such ore"

    def set_up(self, ctx: Context) -> None:
        """Resolve pools and ore links."""
        lay, item = ctx.layout, self.item
        self.ours, self.theirs = ctx.places(item.origin), ctx.places(item.destination)
        kinds = set(naming.materials(ctx.chain, item.materials))
        regions = self.ours.use
        self.pools = np.array([r in regions and m in kinds for m, r in lay.ore.pools])
        self.origin = self.pools[lay.ore.pool]
        ends = ctx.region_rows(self.theirs.regions)
        self.target = self.origin & np.isin(lay.ore.region_to, ends)
        #: Share of the separators of each region that is meant, (r, 1).
        self.room = separated_there(lay, self.theirs.countries)

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Put the share in force."""
        active = self.share(t0, t1)
        if not np.any(active):
            return
        wanted = np.where(self.pools[:, None], self.n.now("share", t0), 0.0)
        part: np.ndarray | float = 1.0
        if self.ours.split():
            part = ore_there(m, self.ours.countries)
        room = self.room[m.layout.ore.region_to] if self.theirs.split() else None
        turn = Turn(self.origin, self.target, wanted, active, at_least=False, part=part, room=room)
        rules.pivots.append(turn)


@intervention("supply_pivot")
class SupplyPivot(Intervention):
    """A share of a region's ore goes to the separators of a region or bloc, the rest elsewhere.

    What the separators there cannot take waits at the mine: where there are none, the share is
    withheld.
    """

    title: ClassVar[str] = "a share of a region's ore goes to the separators of a region or bloc"
    live: ClassVar[bool] = True
    effect: ClassVar[type[Effect]] = PivotEffect

    origin: Words = places(..., "regions whose ore it is")
    destination: Words = places(..., "regions or bloc that is to have it")
    materials: Words = goods(("concentrates",), "kinds of ore")
    share: Path = share(..., "share of the ore that goes there", source="definition")

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse ore of a region without mines, and goods that are no ore."""
        found = []
        mines = naming.plants_at(chain, self.origin, ("mine",))
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
