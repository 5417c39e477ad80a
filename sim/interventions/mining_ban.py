"""Mining bans, and their lift: mines of a place may not dig, or may again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Problem,
    Words,
    intervention,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.worlds.conditions import Conditions


@dataclass
class MiningBanEffect(Effect):
    """Closes mines until the ban ends or is lifted; a lift only moves the ends of bans."""

    rows: np.ndarray  # (n,) mines
    until: np.ndarray  # (n, w) day from which each mine may dig again
    lift: bool
    why_not: str
    opens: bool = False  # a lift that some mine waits for

    @property
    def reason(self) -> str:
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

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Close the mines on the days in force."""
        if self.lift or not len(self.rows):
            return
        days = np.minimum(np.minimum(self.until, self.end), t1) - np.maximum(self.start, t0)
        closed = np.clip(days / (t1 - t0), 0.0, 1.0)
        if np.any(closed):
            shape = (len(day.layout.plants.rows), len(self.start))
            rules.multiply("facility_available", self.rows, shape, 1.0 - closed)


@intervention("mining_ban")
class MiningBan(Intervention):
    """Mines may not dig while it holds; with ``action: lift`` the bans on them end.

    A lift adds supply only where a ban of the same scenario holds back a rare-earth mine or
    project: anything else is accepted, changes nothing, and the calendar says why.
    """

    title: ClassVar[str] = "mines of a place may not dig, or a ban on them is lifted"
    one_of: ClassVar = ((("facilities",), ("region",)),)

    facilities: Words | None = words(None, "mines concerned", names="facility")
    region: Words | None = words(None, "or: all mines and projects of a place", names="place")
    action: Literal["ban", "lift"] = text("ban", "forbid mining, or lift the bans on it")
    commodity: str = text(
        "rare_earths",
        "what may or may not be mined; anything else (copper, nickel) leaves rare earths alone",
    )

    def check(self, chain: Any) -> list[Problem]:
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

    def compile(self, name: str, ctx: Context) -> MiningBanEffect:
        """Find the mines."""
        lay = ctx.layout
        when = timing(self, name, ctx)
        names = self.facilities or naming.plants_at(ctx.chain, self.region or (), ("mine",))
        rows = np.array([lay.plants.at[n] for n in names if n in lay.plants.at], dtype=int)
        why = ""
        if self.commodity != "rare_earths":
            rows = rows[:0]
            why = f"it concerns {self.commodity.replace('_', ' ')}, not rare earths"
        elif not len(rows):
            why = "there is no rare-earth mine or project"
        return MiningBanEffect(
            **when,
            rows=rows,
            until=np.full((len(rows), ctx.count), np.inf),
            lift=self.action == "lift",
            why_not=why,
        )
