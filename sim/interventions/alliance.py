"""Alliances: members share projects and serve one another first, with friction and drop-outs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Num,
    Problem,
    Words,
    intervention,
    named,
    number,
    share,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.export_licence import LicenceEffect
from lodestone.interventions.triggers import random_day
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.randomness import uniforms

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.worlds.projects import Projects

#: Word for every licence that a scenario has.
ALL_LICENCES = "export_licence"


@dataclass(frozen=True)
class Since:
    """A share that holds from a day on, by world."""

    day: np.ndarray  # (w,)

    def at(self, now: float, before: float = 0.0) -> np.ndarray:
        """1 from its day on, else ``before``, shape (w,)."""
        return np.where(now >= self.day, 1.0, before)


@dataclass
class AllianceEffect(Effect):
    """Moves the projects of its members, and lets them serve one another first.

    Attributes
    ----------
    members : ndarray of int, shape (m,)
        Regions.
    leaves : ndarray, shape (m, w)
        Day on which each leaves; ``inf``: never.
    rows : ndarray of int, shape (p,)
        Announced plants in the members' regions.
    friction, drop, sharing, pooled : ndarray
        Drawn by world, ``drops`` and ``shared`` by plant and world (p, w).
    """

    members: np.ndarray
    leaves: np.ndarray
    links: np.ndarray  # (l,) bool, between two members
    rows: np.ndarray
    friction: np.ndarray
    drops: np.ndarray
    shared: np.ndarray
    pooled: np.ndarray
    side_deal: str | None
    regions_of_rows: np.ndarray  # (p,) int

    def connect(self, effects: Mapping[str, Effect]) -> None:
        """Give those who leave their licences; leave plants alone that something else dates."""
        taken = [getattr(e, "row", -1) for e in effects.values() if hasattr(e, "dated")]
        self.shared[np.isin(self.rows, taken)] = False
        if self.side_deal is None:
            return
        licences: list[Any] = (
            [e for e in effects.values() if isinstance(e, LicenceEffect)]
            if self.side_deal == ALL_LICENCES
            else [effects[self.side_deal]]
        )
        for licence in licences:
            lay = licence.layout
            for m, region in enumerate(self.members):
                if np.any(np.isfinite(self.leaves[m])):
                    part = (lay.links.region_to == region).astype(float)[:, None]
                    licence.general.append((part, Since(self.leaves[m]), np.full(1, np.inf)))

    def plan(self, projects: Projects) -> None:
        """Move the projects of members: slower together, some dropped, some saved by allies."""
        if not len(self.rows):
            return
        place = {int(r): m for m, r in enumerate(self.members)}
        left = self.leaves[[place[int(r)] for r in self.regions_of_rows]]
        due, chance = projects.drawn[self.rows], projects.chance[self.rows]
        possible = np.isfinite(due) & (chance > 0.0)
        concerned = possible & (due > self.start) & (due < self.end) & (due < left)
        begun = np.where(np.isfinite(self.start), np.maximum(self.start, 0.0), 0.0)
        ahead = np.where(concerned, due - begun, 0.0)
        projects.shift[self.rows] += (self.friction - 1.0) * np.maximum(ahead, 0.0)
        chance = np.where(concerned & self.shared, 1.0, chance)
        projects.chance[self.rows] = np.where(concerned & self.drops, 0.0, chance)

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Members serve one another before others when goods are scarce."""
        active = self.share(t0, t1)
        if not np.any(active * (self.pooled > 1.0)):
            return
        lay = day.layout
        inside = np.zeros((len(lay.regions), len(self.start)))
        inside[self.members] = t0 < self.leaves
        both = inside[lay.links.region_from[self.links]] * inside[lay.links.region_to[self.links]]
        shape = (lay.links.n, len(self.start))
        rules.favour(self.links, shape, 1.0 + (self.pooled - 1.0) * active * both)


@intervention("alliance")
class Alliance(Intervention):
    """Members share the cost of projects and pool what they make.

    Every announced plant in a member's region that would come on line while the alliance lasts is
    concerned: working together takes longer (friction), some projects fall out, and some that
    would have failed alone are built because allies bear part of their cost. Between members
    orders go first when goods are scarce. A member may leave, for good.
    """

    title: ClassVar[str] = "members share projects and serve one another first"

    members: Words = words(..., "who is in it", names="place")
    friction: Num = number(
        1.0,
        "factor on the time that is left until a member's project produces (1 to 1.5)",
        unit="factor",
        source="A80",
        low=1.0,
        high=10.0,
    )
    drop_probability: Num = share(
        0.0, "probability that a project falls out, drawn once per project (0 to 0.5)", source="A80"
    )
    cost_sharing: Num = share(
        0.0,
        "share of capital cost that allies bear (0 to 0.5): with this probability a project that "
        "would have failed is built",
        source="A80",
    )
    pooled_weight: Num = number(
        2.0,
        "weight of orders between members when goods are scarce (1: like all others)",
        unit="weight",
        source="A80",
        low=1.0,
        high=100.0,
    )
    defection_hazard_per_year: Num = number(
        0.0,
        "rate at which each member leaves",
        unit="1/year",
        source="c038",
        low=0.0,
        high=52.0,
    )
    loyal: Words = words((), "members that never leave", names="place")
    side_deal: Words = named(
        (),
        "licence of this scenario whose queue a member skips once it has left (export_licence: all "
        "there are)",
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse an alliance of nobody, or of one."""
        count = len(naming.places(chain, self.members).use)
        found = []
        if count < 2:
            what = "has no member" if count == 0 else "has one member only"
            found.append(
                Problem(key="members", message=what, hint="Name a bloc, or two regions or more.")
            )
        if len(self.side_deal) > 1:
            found.append(Problem(key="side_deal", message="names more than one licence"))
        return found

    def refers(self) -> list[tuple[str, str, bool]]:
        """Return what it names; a side deal about all licences names none."""
        return [r for r in super().refers() if r[:2] != ("side_deal", ALL_LICENCES)]

    def beside(self, others: Mapping[str, Intervention], start: Any) -> list[Problem]:
        """Refuse a side deal about something that grants no licences."""
        return [
            Problem(
                key="side_deal",
                message=f"'{name}' is a {others[name].kind} and grants no licences",
                hint="Name an export_licence.",
            )
            for name in self.side_deal
            if name in others and others[name].kind != "export_licence"
        ]

    def compile(self, name: str, ctx: Context) -> AllianceEffect:
        """Draw who leaves, and which projects fall out or are saved."""
        lay = ctx.layout
        when = timing(self, name, ctx)
        regions = list(ctx.places(self.members))
        members = np.array([lay.region_at[r] for r in regions], dtype=int)
        hazard = ctx.number(self.defection_hazard_per_year, f"{name}/defection_hazard_per_year")
        loyal = ctx.places(self.loyal) if self.loyal else {}
        leaves = np.full((len(members), ctx.count), np.inf)
        for m, region in enumerate(regions):
            if region not in loyal:
                leaves[m] = random_day(ctx, f"{name}/leaves/{region}", when["start"], hazard)
        leaves = np.where(leaves < when["end"], leaves, np.inf)
        rows = np.array(
            [
                i
                for i, f in enumerate(lay.plants.rows)
                if not lay.plants.base[i] and f.region in regions
            ],
            dtype=int,
        )
        drop = ctx.number(self.drop_probability, f"{name}/drop_probability")
        sharing = ctx.number(self.cost_sharing, f"{name}/cost_sharing")
        shape = (len(rows), ctx.count)
        drops, shared = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for n, i in enumerate(rows):
            plant = lay.plants.rows[i].name
            drops[n] = uniforms(ctx.seed, f"{name}/drops/{plant}", ctx.worlds) < drop
            shared[n] = uniforms(ctx.seed, f"{name}/shares/{plant}", ctx.worlds) < sharing
        mask, _ = ctx.links(self.members, self.members, None)
        return AllianceEffect(
            **when,
            members=members,
            leaves=leaves,
            links=mask,
            rows=rows,
            friction=ctx.number(self.friction, f"{name}/friction"),
            drops=drops,
            shared=shared,
            pooled=ctx.number(self.pooled_weight, f"{name}/pooled_weight"),
            side_deal=self.side_deal[0] if self.side_deal else None,
            regions_of_rows=lay.plants.region[rows],
        )
