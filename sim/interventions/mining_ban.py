"""Mining bans, and their lift: mines of a place may not dig, or may again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Words, places, plants, text
from lodestone.worlds.conditions import Rules
from lodestone.worlds.view import MarketView


class MiningBanEffect(Effect):
    """Closes mines until the ban ends or is lifted; a lift only moves the ends of bans."""

    item: MiningBan

    def set_up(self, ctx: Context) -> None:
        """Find the mines."""
        named = self.item.facilities
        where = None if named else self.item.region or ()
        rows = ctx.facilities(named, where, None if named else "mine")
        self.why_not = ""
        if self.item.commodity != "rare_earths":
            rows = rows[:0]
            self.why_not = f"it concerns {self.item.commodity.replace('_', ' ')}, not rare earths"
        elif not len(rows):
            self.why_not = "there is no rare-earth mine or project"
        self.rows = rows  # (n,) mines
        # Day from which each mine may dig again, (n, w).
        self.until = np.full((len(rows), ctx.count), np.inf)
        self.lift = self.item.action == "lift"
        self.opens = False  # a lift that some mine waits for

    def why(self) -> str:
        """Why it can change nothing."""
        if self.why_not:
            return self.why_not
        if self.lift and not self.opens:
            return "no rare-earth mine or project there is held back by a mining ban"
        return ""

    def connect(self, effects: Mapping[str, Effect]) -> None:
        """Lift the bans on the same mines."""
        if not self.lift:
            return
        for ban in effects.values():
            if not isinstance(ban, MiningBanEffect) or ban.lift:
                continue
            shared = np.isin(ban.rows, self.rows)
            if shared.any():
                self.opens = True
                ban.until[shared] = np.minimum(ban.until[shared], self.start)

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Close the mines on the days in force."""
        if self.lift or not len(self.rows):
            return
        days = np.minimum(np.minimum(self.until, self.end), t1) - np.maximum(self.start, t0)
        closed = np.clip(days / (t1 - t0), 0.0, 1.0)
        rules.facility_available.multiply(self.rows, 1.0 - closed)


@intervention("mining_ban")
class MiningBan(Intervention):
    """Mines may not dig while it holds; with ``action: lift`` the bans on them end.

    A lift adds supply only where a ban of the same scenario holds back a rare-earth mine or
    project: anything else is accepted, changes nothing, and the calendar says why.
    """

    title: ClassVar[str] = "mines of a place may not dig, or a ban on them is lifted"
    effect: ClassVar[type[Effect]] = MiningBanEffect
    one_of: ClassVar = ((("facilities",), ("region",)),)

    facilities: Words | None = plants(None, "mines concerned")
    region: Words | None = places(None, "or: all mines and projects of a place")
    action: Literal["ban", "lift"] = text("ban", "forbid mining, or lift the bans on it")
    commodity: str = text(
        "rare_earths",
        "what may or may not be mined; anything else (copper, nickel) leaves rare earths alone",
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse plants that are no mines."""
        return [
            Problem(
                key="facilities",
                message=f"{name} is no mine but a {chain.facilities[name].stage} plant",
                hint="Use an outage to close a plant.",
            )
            for name in self.facilities or ()
            if chain.facilities[name].stage != "mine"
        ]

    def nothing(self, chain: Chain) -> str:
        """Other commodities, and places without mines, leave rare earths alone."""
        if self.commodity != "rare_earths":
            return f"it concerns {self.commodity.replace('_', ' ')}, not rare earths"
        if self.facilities or naming.plants_at(chain, self.region or (), ("mine",)):
            return ""
        return f"there is no rare-earth mine or project in {', '.join(self.region or ())}"
