"""Alliances: members share projects and serve one another first, with friction and drop-outs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context, random_day
from lodestone.interventions.effects import Acting, Effect
from lodestone.interventions.export_licence import LicenceEffect
from lodestone.interventions.fields import Num, Words, named, number, places, share
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules
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


class AllianceEffect(Effect):
    """Moves the projects of its members, and lets them serve one another first.

    Attributes
    ----------
    members : ndarray of int, shape (n,)
        Regions.
    leaves : ndarray, shape (n, w)
        Day on which each leaves; ``inf``: never.
    rows : ndarray of int, shape (p,)
        Announced plants of the members.
    drops, shared : ndarray of bool, shape (p, w)
        Projects that fall out, and those that allies would save.
    """

    item: Alliance

    def set_up(self, ctx: Context) -> None:
        """Draw who leaves, and which projects fall out or are saved."""
        lay, item, name = ctx.layout, self.item, self.name
        inside = ctx.places(item.members)
        regions = inside.regions
        self.members = ctx.region_rows(regions)
        loyal = ctx.places(item.loyal).use if item.loyal else {}
        leaves = np.full((len(self.members), ctx.count), np.inf)
        hazard = self.n.defection_hazard_per_year
        for k, region in enumerate(regions):
            if region not in loyal:
                leaves[k] = random_day(ctx, f"{name}/leaves/{region}", self.start, hazard)
        self.leaves = np.where(leaves < self.end, leaves, np.inf)
        self.rows = np.array(
            [
                i
                for i, f in enumerate(lay.plants.rows)
                if not lay.plants.base[i] and inside.holds(f)
            ],
            dtype=int,
        )
        plants = [lay.plants.rows[i].name for i in self.rows]
        shape = (len(plants), ctx.count)
        self.drops, self.shared = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for k, plant in enumerate(plants):
            self.drops[k] = ctx.luck(f"{name}/drops/{plant}") < self.n.drop_probability
            self.shared[k] = ctx.luck(f"{name}/shares/{plant}") < self.n.cost_sharing
        self.regions_of_rows = lay.plants.region[self.rows]

    def connect(self, effects: Mapping[str, Effect]) -> None:
        """Give those who leave their licences; leave plants alone that something else dates."""
        taken = [getattr(e, "row", -1) for e in effects.values() if hasattr(e, "dated")]
        self.shared[np.isin(self.rows, taken)] = False
        if not self.item.side_deal:
            return
        side_deal = self.item.side_deal[0]
        named = effects.values() if side_deal == ALL_LICENCES else [effects[side_deal]]
        for licence in named:
            if not isinstance(licence, LicenceEffect):
                continue
            for k, region in enumerate(self.members):
                if np.any(np.isfinite(self.leaves[k])):
                    part = (licence.layout.links.region_to == region).astype(float)[:, None]
                    licence.general.append((part, Since(self.leaves[k]), np.full(1, np.inf)))

    def plan(self, projects: Projects) -> None:
        """Move the projects of members: slower together, some dropped, some saved by allies."""
        if not len(self.rows):
            return
        place = {int(r): k for k, r in enumerate(self.members)}
        left = self.leaves[[place[int(r)] for r in self.regions_of_rows]]
        due, chance = projects.drawn[self.rows], projects.chance[self.rows]
        possible = np.isfinite(due) & (chance > 0.0)
        concerned = possible & (due > self.start) & (due < self.end) & (due < left)
        begun = np.where(np.isfinite(self.start), np.maximum(self.start, 0.0), 0.0)
        ahead = np.where(concerned, due - begun, 0.0)
        projects.shift[self.rows] += (self.n.friction - 1.0) * np.maximum(ahead, 0.0)
        chance = np.where(concerned & self.shared, 1.0, chance)
        projects.chance[self.rows] = np.where(concerned & self.drops, 0.0, chance)


@intervention("alliance")
class Alliance(Intervention):
    """Members share the cost of projects and pool what they make.

    Every announced plant in a member's region that would come on line while the alliance lasts is
    concerned: working together takes longer (friction), some projects fall out, and some that
    would have failed alone are built because allies bear part of their cost. Between members
    orders go first when goods are scarce. A member may leave, for good.
    """

    title: ClassVar[str] = "members share projects and serve one another first"

    where = trade("members", "members")
    effect: ClassVar[type[Effect]] = AllianceEffect

    members: Words = places(..., "who is in it")
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
    loyal: Words = places((), "members that never leave", when={"defection_hazard_per_year": ()})
    side_deal: Words = named(
        (),
        "licence of this scenario whose queue a member skips once it has left (export_licence: all "
        "there are)",
        when={"defection_hazard_per_year": ()},
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse an alliance of nobody, or of one."""
        count = len(naming.places(chain, self.members).countries)
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

    def beside(self, others: Mapping[str, Intervention], start: date | None) -> list[Problem]:
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

    def act(self, rules: Rules, on: Acting) -> None:
        """Members serve one another before others when goods are scarce."""
        effect, lay = on.effect, on.m.layout
        assert isinstance(effect, AllianceEffect)
        inside = np.zeros((len(lay.regions), effect.worlds))
        inside[effect.members] = on.t0 < effect.leaves
        rows = on.goods.rows
        both = inside[lay.links.region_from[rows]] * inside[lay.links.region_to[rows]]
        rules.priority.raise_to(on.goods, 1.0 + (on.pooled_weight - 1.0) * on.active * both)
