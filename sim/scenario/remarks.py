"""What is allowed and yet odd about a scenario: told by ``check``, by ``run`` and in the memo."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from lodestone.scenario.checks import DEFAULT_REFERENCE
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
    "shipped_remarks",
]

#: A start further from the data than this is told: before it, and after it.
EARLY_DAYS, LATE_DAYS = 60, 550


def remarks_on(scenario: Scenario, chain: Chain) -> list[str]:
    """Return every remark on a scenario, one sentence each."""
    return [
        *outside_ranges(scenario),
        *scenario.laid_over,
        *clock_remarks(scenario, chain),
        *idle_remarks(scenario, chain),
        *place_remarks(scenario, chain),
    ]


def clock_remarks(scenario: Scenario, chain: Chain) -> list[str]:
    """Return what is odd about its dates beside those of the data, and about its reference."""
    found = []
    vintage = chain.vintage
    if scenario.reference is None and "reference" not in scenario.written:
        found.append(
            "it is measured against nothing, and other scenarios against it, because of its name: "
            "give it another one, or write reference: none"
            if scenario.name == DEFAULT_REFERENCE
            else "it is measured against nothing: name a reference of its vintage, or write "
            "reference: none"
        )
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


def shipped_remarks(scenario: Scenario, chain: Chain) -> set[str]:
    """Return the remarks on measures that stand in the run as the program ships them.

    They tell the author of a scenario how its words are taken; to others the memo and
    ``lodestone show`` tell them.
    """
    told = _placed(scenario, chain)
    if {"start", "end"} <= scenario.shipped:
        told += _idle(scenario, chain)
    return {remark for name, remark in told if name in scenario.shipped}


def idle_remarks(scenario: Scenario, chain: Chain) -> list[str]:
    """Return which measures and keys never act, and which steps of their paths lie outside the run."""
    return [remark for _, remark in _idle(scenario, chain)]


def _idle(scenario: Scenario, chain: Chain) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    built = with_plants(scenario, chain)
    hastened = {f for item in scenario.interventions.values() for f in item.hastens(chain)}
    undated = {f: replace(built.facilities[f], start_date=None) for f in hastened}
    built = replace(built, facilities={**built.facilities, **undated}) if undated else built
    for name, item in scenario.interventions.items():
        why = item.inert(built, scenario.start, scenario.end)
        if why is not None:
            found.append((name, f"{name} never acts: {why}"))
        else:
            found += [(name, f"{name}: {one.key} {one.message}") for one in item.unread()]
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
                        told = f"{name}: {key}: {many} after the end of the run ({scenario.end})"
                        found.append((name, told))
    return found


def place_remarks(scenario: Scenario, chain: Chain) -> list[str]:
    """Return how measures are taken where their words are finer than the model."""
    return [remark for _, remark in _placed(scenario, chain)]


def _placed(scenario: Scenario, chain: Chain) -> list[tuple[str, str]]:
    built = with_plants(scenario, chain)
    return [
        (name, f"{name}: {told}")
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
