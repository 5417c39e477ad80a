"""A scenario in a batch of worlds: the calendar is set up, run, and watched by a recorder."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lodestone.chain.nouns import Chain, Stockpile
from lodestone.engine.calendar import MARKET, OFFICE, REVIEW, Calendar
from lodestone.engine.checkpoint import Checkpoint, memory_of, put_back
from lodestone.engine.ground import behaviour_of, ground_of
from lodestone.engine.opening import opening_of
from lodestone.engine.sailings import land_due
from lodestone.engine.tick import market_day, open_ledger
from lodestone.interventions.base import Context, Effect, Intervention, compile_effect
from lodestone.scenario import Scenario, refuse_two_rules, waits_for
from lodestone.worlds.conditions import Conditions, Rules

OFFICE_DAYS = 7.0


class Watcher(Protocol):
    """Whoever wants to see every market day (recorder, replay)."""

    def market_day(self, run: BatchRun, now: float, rules: Conditions) -> None:
        """Called after each market day has closed."""


@dataclass
class ReviewCalendar:
    """What effects may put on the calendar: dated reviews with a printed line."""

    calendar: Calendar

    @property
    def last_day(self) -> float:
        """Length of the run, days."""
        return self.calendar.last_day

    def review(
        self, day: float, action: Callable[[], None], what: str, where: str, source: str
    ) -> None:
        """Call ``action`` on ``day`` before the market, and print a line."""
        self.calendar.at(day, REVIEW, action)
        self.calendar.note(day, what, where, "all", source)


class BatchRun:
    """One scenario in a batch of worlds.

    Parameters
    ----------
    scenario : Scenario
    chain : Chain
        The vintage, before the scenario's overrides.
    seed : int
    worlds : ndarray of int, shape (w,)
        World numbers. A single world is run beside a copy of itself, because sums of a lone
        column round differently.
    market_days : float
    """

    def __init__(
        self,
        scenario: Scenario,
        chain: Chain,
        seed: int,
        worlds: np.ndarray,
        market_days: float = 7.0,
        allocation: str | None = None,
    ) -> None:
        self.asked = worlds
        if len(worlds) == 1:
            worlds = np.concatenate([worlds, worlds])
        self.scenario, self.seed, self.worlds = scenario, seed, worlds
        ground = ground_of(scenario, chain)
        self.chain, self.balance, self.layout = ground.chain, ground.balance, ground.layout
        opening = opening_of(ground, behaviour_of(scenario, chain), seed, worlds, market_days)
        self.draws = opening.draws
        self.market_days = market_days
        self.calendar = Calendar(scenario.start, scenario.end)
        self.projects = opening.projects.copy()
        online = self.projects.online()
        self.day = opening.market(online)
        self.effects: list[Effect] = []
        context = Context(
            self.layout, self.draws, seed, worlds, scenario.start, self.calendar.last_day
        )
        items = dict(scenario.interventions)
        if allocation:
            from lodestone.interventions import build

            items["allocation_setting"] = build(
                "allocation_setting", {"kind": "allocation_rule", "rule": allocation}
            )
            refuse_two_rules(items)
        for name, pile in self.chain.stockpiles.items():
            if pile.kind == "government" and pile.days and f"stockpile_{name}" not in items:
                items[f"stockpile_{name}"] = _held_by_government(name, pile)
        reviews = ReviewCalendar(self.calendar)
        for name in _in_order(items):
            effect = compile_effect(items[name], name, context)
            self.effects.append(effect)
            effect.prepare(self.day, reviews)
        self.by_name = {effect.name: effect for effect in self.effects}
        for effect in self.effects:
            effect.connect(self.by_name)
        # Dates first, then conditions, then queues; within a step the order does not matter.
        for step in (0, 1, 2):
            for effect in self.effects:
                if effect.planning == step:
                    effect.plan(self.projects)
            if step == 0:
                self.projects.settle_dates()
        online[...] = self.projects.online()
        open_ledger(self.day)
        self.watchers: list[Watcher] = []
        self.resumed = False
        self._set_calendar()

    # ---- set-up ------------------------------------------------------------------------

    def _set_calendar(self) -> None:
        cal = self.calendar
        cal.every(self.market_days, MARKET, self._market)
        cal.every(OFFICE_DAYS, OFFICE, self._office, first=0.0)
        cal.note(0.0, f"market day, every {self.market_days:g} days", "all regions")
        cal.note(0.0, f"licence-office day, every {OFFICE_DAYS:g} days", "exporters with licences")

    def timelines(self) -> list[tuple[str, str, str, np.ndarray]]:
        """What has a date in each world: (what, where, source, days (w,)), for the calendar."""
        lay, last = self.layout, self.calendar.last_day
        out = []
        for effect in self.effects:
            source = ";".join(effect.source)
            for days, word in (
                (effect.announced, "announced"),
                (effect.start, "starts"),
                (effect.end, "ends"),
            ):
                inside = np.where(days < last, np.maximum(days, 0.0), np.inf)
                out.append((f"{effect.name} {word}", effect.where, source, inside))
            if effect.reason:
                begins = np.where(effect.start < last, np.maximum(effect.start, 0.0), np.inf)
                what = f"{effect.name} changes nothing: {effect.reason}"
                out.append((what, effect.where, source, begins))
        for row, item in enumerate(lay.plants.rows):
            days = self.day.online[row]
            inside = np.where((days >= 0.0) & (days < last), days, np.inf)
            if not lay.plants.base[row]:
                out.append((f"{item.name} on line", item.region, ";".join(item.source), inside))
        return out

    # ---- events ------------------------------------------------------------------------

    def fold(self, t0: float, t1: float) -> Conditions:
        """Rules in force over [t0, t1), folded anew from the active interventions."""
        rules = Rules(self.day, len(self.worlds))
        for effect in self.effects:
            effect.fold(rules, t0, t1, self.day)
        return rules.sealed()

    def _market(self) -> None:
        now = self.calendar.now
        land_due(self.day, now)
        for effect in self.effects:
            effect.look(now, self.market_days, self.day, self.by_name)
        self.rules = self.fold(now, now + self.market_days)
        self.day.state.route_open = self.rules.route_open
        self.day.office.tell_users(self.rules, self.day.state, self.market_days)
        when = self.calendar.date_of(now)
        market_day(self.day, self.rules, now, when)
        for watcher in self.watchers:
            watcher.market_day(self, now, self.rules)

    def _office(self) -> None:
        now = self.calendar.now
        if self.effects and len(self.day.office.rows):
            rules = self.fold(now, now + OFFICE_DAYS)
            office, state = self.day.office, self.day.state
            state.orders[office.rows] -= office.decide(state, rules, OFFICE_DAYS / 7.0)

    def run(self) -> None:
        """Run to the end of the scenario.

        Raises
        ------
        ModelError
            The mass balance does not close, or a number is not finite.
        """
        if not self.resumed:
            self.rules = self.fold(0.0, self.market_days)
            self.day.state.route_open = self.rules.route_open
        self.calendar.run()
        land_due(self.day, np.nextafter(self.calendar.last_day, 0.0))

    def run_until(self, day: float) -> None:
        """Run up to a day, entries of that day left out."""
        self.rules = self.fold(0.0, self.market_days)
        self.day.state.route_open = self.rules.route_open
        self.calendar.run(until=day)

    def checkpoint(self) -> Checkpoint:
        """What has changed up to now: enough for the same scenario to go on from here."""
        return Checkpoint(
            self.calendar.now,
            self.day.state.copy(),
            copy.deepcopy(self.day.flows),
            memory_of(self.effects),
        )

    def resume(self, saved: Checkpoint) -> None:
        """Go on from a checkpoint of a run of the same scenario, worlds and step.

        Parameters
        ----------
        saved : Checkpoint
            Of :meth:`checkpoint`; this run must be new.
        """
        self.calendar.skip_to(saved.day)
        self.day.state.restore(saved.state)
        self.day.flows = copy.deepcopy(saved.flows)
        for effect, held in zip(self.effects, saved.memory, strict=True):
            put_back(effect, held)
        self.resumed = True


def _held_by_government(name: str, pile: Stockpile) -> Intervention:
    """A stock that a government holds from the first day and releases in an emergency."""
    from lodestone.interventions import build

    return build(
        f"stockpile_{name}",
        {
            "kind": "stockpile",
            "holder": pile.region,
            "materials": list(pile.materials),
            "target_days": pile.days,
            "opening_days": pile.days,
            "fill_days": 3650,
            "source": list(pile.source),
            "note": "held in the base year",
        },
    )


def _in_order(items: dict[str, Any]) -> list[str]:
    """Names so that a trigger is compiled before what it triggers, else alphabetical."""
    done: list[str] = []
    waits = waits_for(items)

    def add(name: str, trail: tuple[str, ...] = ()) -> None:
        if name in done or name in trail:
            return
        for other in waits[name]:
            add(other, (*trail, name))
        done.append(name)

    for name in sorted(items):
        add(name)
    return done
