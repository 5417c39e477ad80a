"""What is wrong with a declaration whatever its kind: limits, dates, choices and unknown words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from lodestone.border.numbers import Distribution, Number
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.drawn import Item
from lodestone.interventions.fields import (
    MOST,
    STAGES,
    TIERS,
    Declared,
    bounds,
    declared,
    ends_of,
    leaves,
    under_words,
)
from lodestone.interventions.triggers import Trigger

__all__ = [
    "Problem",
    "Unread",
    "beyond_limits",
    "out_of_order",
    "unfit_trigger",
    "ungiven",
    "unread",
    "vocabulary",
]

Usual = Callable[[str], tuple[float, float] | None]


class Problem(BaseModel):
    """One thing that is wrong with an intervention: the key, what, and how to fix it."""

    model_config = ConfigDict(frozen=True)
    key: str
    message: str
    hint: str | None = None


class Unread(Problem):
    """A key that nothing reads, because it is read under another key's value only.

    ``here`` is true where that other key is a number that was given and happens to be neutral (a
    sweep down to nought): then the key may act elsewhere and is no mistake.
    """

    here: bool = False


def unread(item: BaseModel) -> list[Unread]:
    """Keys that are given and that nothing reads: those that they need have other values."""
    found = []
    for key, told in declared(type(item)).items():
        if not told.when or not _otherwise(item, key):
            continue
        lacks = [[k for k, values in one.items() if not _has(item, k, values)] for one in told.when]
        if not all(lacks):
            continue
        numbers = any(
            k in item.model_fields_set and declared(type(item))[k].unit
            for one in lacks
            for k in one
        )
        words = under_words(told.when)
        now = "" if len(told.when) > 1 else _now(item, lacks[0], told.when[0])
        found.append(
            Unread(
                key=key,
                message=f"does nothing{now}: it is read only with {words}",
                hint=f"Give {words}, or leave {key} out.",
                here=numbers,
            )
        )
    return found


def _otherwise(item: BaseModel, key: str) -> bool:
    """Whether a key has another value than its default."""
    info = type(item).model_fields[key]
    return bool(getattr(item, key) != info.get_default(call_default_factory=True))


def _has(item: BaseModel, key: str, values: Iterable[object]) -> bool:
    allowed = list(values)
    return getattr(item, key) in allowed if allowed else _otherwise(item, key)


def _now(item: BaseModel, keys: Iterable[str], one: Mapping[str, Iterable[object]]) -> str:
    """What the keys that it needs are now, where they are words; empty where they are missing."""
    told = [f"{k}: {str(getattr(item, k)).lower()}" for k in keys if list(one[k])]
    return f" with {' and '.join(told)}" if told else ""


def beyond_limits(item: BaseModel, usual: Usual) -> list[Problem]:
    """Numbers below or above what is possible, or what anybody can mean (``usual`` by key)."""
    found = []
    for key, told in declared(type(item)).items():
        if not told.unit:
            continue
        for where, value in leaves(key, getattr(item, key)):
            wrong = _beyond(value, told, usual(where))
            if wrong is not None:
                found.append(Problem(key=where, message=wrong[0], hint=wrong[1]))
    return found


def _beyond(
    value: Number, told: Declared, usual: tuple[float, float] | None
) -> tuple[str, str | None] | None:
    """Message and hint where a number cannot be; None where it can."""
    least, most = ends_of(value)
    middle = value.centre() if isinstance(value, Distribution) else value
    unit = "" if told.unit == "share" else f" {told.unit}"
    can = "can be" if isinstance(value, Distribution) else "is"
    hint = told.hint or None
    if told.low is not None and least < told.low:
        return f"{can} {least:g}{unit}, below the lowest possible {told.low:g}", hint
    if told.high is not None and most > told.high:
        return f"{can} {most:g}{unit}, above the highest possible {told.high:g}", hint
    if usual is not None and not usual[0] <= least <= most <= usual[1]:
        return _implausible(least, most, usual, told.unit, can)
    beyond = MOST.get(told.unit, 1e12)
    far = [v for v in (least, most, middle) if beyond < abs(v) < math.inf]
    if far:
        return f"{can} {far[0]:g}{unit}, beyond anything that can be meant", hint
    return None


def out_of_order(item: Item) -> list[Problem]:
    """Dates that contradict one another."""
    found = []
    start, end = bounds(item.start)[0], bounds(item.end)[1]
    if start and end and end <= start:
        found.append(
            Problem(
                key="end",
                message=f"{end} is not after the start {start}",
                hint="Give an end after the start, or leave it out to stay in force.",
            )
        )
    if item.end is not None and item.duration is not None:
        found.append(
            Problem(
                key="duration",
                message="is given together with end",
                hint="Keep one of the two; set the other to null.",
            )
        )
    announced, latest = bounds(item.announced)[0], bounds(item.start)[1]
    if announced and latest and announced > latest:
        found.append(
            Problem(
                key="announced",
                message=f"{announced} is after the start {latest}",
                hint="A measure is announced on or before the day it starts.",
            )
        )
    return found


def unfit_trigger(item: Item, live: bool, chain: Chain) -> list[Problem]:
    """Conditions that cannot start it; only a kind that is ``live`` is started by one."""
    if not isinstance(item.triggered_by, Trigger):
        return []
    found = [
        Problem(key=f"triggered_by.{key}".rstrip("."), message=message, hint=hint)
        for key, message, hint in item.triggered_by.problems(chain)
    ]
    if item.triggered_by.watches and not live:
        found.append(
            Problem(
                key="triggered_by",
                message=f"cannot be started by a condition: the dates of a {item.kind} are drawn "
                "before the run",
                hint="Give dates or a distribution of dates, or the name of another intervention.",
            )
        )
    return found


def ungiven(item: object, one_of: Iterable[tuple[tuple[str, ...], ...]]) -> list[Problem]:
    """Groups of keys of which not exactly one is given."""
    found = []
    for group in one_of:
        full = [keys for keys in group if all(getattr(item, k) for k in keys)]
        some = [keys for keys in group if any(getattr(item, k) for k in keys)]
        if len(full) != 1 or len(some) != 1:
            choices = ", or ".join(" + ".join(keys) for keys in group)
            key = some[0][0] if some else group[0][0]
            what = "is missing" if not some else "does not name its target in one way"
            found.append(Problem(key=key, message=what, hint=f"Give either {choices}."))
    return found


def _implausible(
    least: float, most: float, usual: tuple[float, float], unit: str, can: str
) -> tuple[str, str]:
    """Say that a magnitude can only be a slip, and which number was meant."""
    low, high = usual
    value, what = (least, "low") if least < low else (most, "high")
    if unit.startswith("share"):
        said, told = f"{value:g}", f"{100 * value:g} %"
        by, suffix = 100.0, ""
    else:
        said, told = f"{value:g} {unit}", f"{1000 * value:g} {unit.replace('/kg', ' per tonne')}"
        by, suffix = 1000.0, f" {unit}"
    message = f"{can} {said}, implausibly {what} ({told})"
    hint = f"Write a number between {_near(low)} and {_near(high)}{suffix}."
    meant = value / by if what == "high" else value * by
    if low <= meant <= high:
        hint = f"Between {_near(low)} and {_near(high)}{suffix}; did you mean {meant:g}{suffix}?"
    return message, hint


def _near(value: float) -> str:
    """A limit with three digits."""
    return f"{float(f'{value:.3g}'):g}"


def vocabulary(chain: Chain, category: str) -> set[str]:
    """Return the words allowed for a category of names.

    Parameters
    ----------
    category
        ``region``, ``place`` (regions, countries, blocs, all), ``holder`` (places and existing
        stockpiles), ``material`` (with the group words), ``sector``, ``facility``, ``stage``,
        ``tier``, ``user`` (sectors and tiers), ``source``.
    """
    known = set(naming.place_words(chain))
    match category:
        case "region":
            return set(chain.regions)
        case "place":
            return known
        case "holder":
            return (known - {"all"}) | set(chain.stockpiles)
        case "material":
            return set(chain.material_words())
        case "sector":
            return {*chain.sectors, "all"}
        case "facility":
            return set(chain.facilities)
        case "stage":
            return set(STAGES)
        case "tier":
            return {*TIERS, "all"}
        case "user":
            return {*chain.sectors, *TIERS, "all"}
        case "source":
            return {*chain.sources, *chain.assumptions}
    raise KeyError(category)
