"""What is allowed and yet odd about a scenario: told by ``check``, by ``run`` and in the memo."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from lodestone.scenario.ranges import outside_ranges
from lodestone.scenario.scenario import Scenario

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = [
    "EARLY_DAYS",
    "LATE_DAYS",
    "clock_remarks",
    "idle_remarks",
    "place_remarks",
    "remarks_on",
]

#: A start further from the data than this is told: before it, and after it.
EARLY_DAYS, LATE_DAYS = 60, 550


def remarks_on(scenario: Scenario, chain: Chain) -> list[str]:
    """Return every remark on a scenario, one sentence each."""
    return [
        *outside_ranges(scenario),
        *clock_remarks(scenario, chain),
        *idle_remarks(scenario, chain),
        *place_remarks(scenario, chain),
    ]


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


def idle_remarks(scenario: Scenario, chain: Chain) -> list[str]:
    """Return which measures never act, and which steps of their paths lie outside the run."""
    found = []
    built = with_plants(scenario, chain)
    for name, item in scenario.interventions.items():
        why = item.inert(built, scenario.start, scenario.end)
        if why is not None:
            found.append(f"{name} never acts: {why}")
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


def place_remarks(scenario: Scenario, chain: Chain) -> list[str]:
    """Return how measures are taken where their words are finer than the model."""
    built = with_plants(scenario, chain)
    return [
        f"{name}: {told}"
        for name, item in scenario.interventions.items()
        for told in item.remarks(built)
    ]


def with_plants(scenario: Scenario, chain: Chain) -> Chain:
    """Return the chain with the plants that the scenario adds or changes."""
    facilities = dict(chain.facilities)
    for name, item in scenario.interventions.items():
        added = item.new_facility(name, chain)
        if added is not None:
            facilities[added.name] = added
    return replace(chain, facilities=facilities) if facilities != chain.facilities else chain
