"""What is allowed and yet odd about a scenario: told by ``check``, by ``run`` and in the memo."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from lodestone.border.numbers import Distribution
from lodestone.scenario.checks import outside_ranges
from lodestone.scenario.scenario import Scenario

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = ["EARLY_DAYS", "LATE_DAYS", "clock_remarks", "idle_remarks", "remarks_on"]

#: A start further from the data than this is told: before it, and after it.
EARLY_DAYS, LATE_DAYS = 60, 550


def remarks_on(scenario: Scenario, chain: Chain) -> list[str]:
    """Return every remark on a scenario, one sentence each."""
    return [*outside_ranges(scenario), *clock_remarks(scenario, chain), *idle_remarks(scenario)]


def clock_remarks(scenario: Scenario, chain: Chain) -> list[str]:
    """Return what is odd about its dates beside those of the data."""
    found = []
    vintage = chain.vintage
    off = (scenario.start - vintage.start).days
    if off < -EARLY_DAYS or off > LATE_DAYS:
        when = "before" if off < 0 else "after"
        found.append(
            f"it starts on {scenario.start}, {abs(off)} days {when} the data of vintage "
            f"{vintage.name} ({vintage.start}): capacity, prices and habits are those of "
            f"{vintage.base_year}"
        )
    decision = scenario.decision_date
    if decision is not None and not scenario.start <= decision <= scenario.end:
        found.append(
            f"its decision date {decision} is outside the run "
            f"({scenario.start} to {scenario.end}), so that it has no effect"
        )
    return found


def idle_remarks(scenario: Scenario) -> list[str]:
    """Return which measures never act, and which steps of their paths lie outside the run."""
    found = []
    for name, item in scenario.interventions.items():
        first, last = _earliest(item.start), _latest(item.end)
        if first is not None and first >= scenario.end:
            found.append(
                f"{name} never acts: it starts on {first}, and the run ends on {scenario.end}"
            )
        elif last is not None and last <= scenario.start:
            found.append(
                f"{name} never acts: it ends on {last}, and the run starts on {scenario.start}"
            )
        elif isinstance(item.probability, float) and item.probability == 0.0:
            found.append(f"{name} never acts: its probability is 0")
        else:
            for key in type(item).model_fields:
                path = getattr(item, key)
                if isinstance(path, dict) and path and all(isinstance(d, date) for d in path):
                    late = sum(day >= scenario.end for day in path)
                    if late:
                        many = (
                            "its only step lies"
                            if late == len(path) == 1
                            else f"{late} of {len(path)} steps lie"
                        )
                        found.append(
                            f"{name}: {key}: {many} after the end of the run ({scenario.end})"
                        )
    return found


def _earliest(moment: date | Distribution | None) -> date | None:
    return _end_of(moment, 0)


def _latest(moment: date | Distribution | None) -> date | None:
    return _end_of(moment, 1)


def _end_of(moment: date | Distribution | None, side: int) -> date | None:
    if not isinstance(moment, Distribution):
        return moment
    day = moment.support()[side]
    return date.fromordinal(int(day)) if 1 <= day <= date.max.toordinal() else None
