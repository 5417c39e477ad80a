"""The measures that tell a scenario from its reference, as they stand on a date axis."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from lodestone.border.difference import first_difference

__all__ = ["Mark", "marks_of"]


@dataclass(frozen=True)
class Mark:
    """A measure that the reference does not have, as it is drawn on a date axis.

    Attributes
    ----------
    name, kind, role
        As in the scenario.
    announced
        When it became known; None where that is its start.
    start
        When it begins to work, the run's first day at the earliest; for a start drawn by world the
        median (`drawn` says so).
    end
        From its `end`, or its `duration`; the median where it differs by world (`end_drawn`). None
        where it has none.
    change
        `added`, `changed` (the reference has it otherwise) or `removed` (only the reference has it).
    drawn
        Whether the start differs by world.
    earliest
        The first start that may be drawn; None where all worlds share it.
    end_drawn
        Whether the end differs by world.
    share
        Share of worlds in which it happens at all, 0..1.
    true_start
        When it began, where that is before the run; else None.
    suspended
        From and until when another measure suspends it (None: to the end); None where none does.
    """

    name: str
    kind: str
    role: str
    start: pd.Timestamp
    end: pd.Timestamp | None
    announced: pd.Timestamp | None = None
    change: str = "added"
    drawn: bool = False
    earliest: pd.Timestamp | None = None
    end_drawn: bool = False
    share: float = 1.0
    true_start: pd.Timestamp | None = None
    suspended: tuple[pd.Timestamp, pd.Timestamp | None] | None = None

    @property
    def known(self) -> pd.Timestamp:
        """When it may first be felt: announcement or earliest start, whichever is first."""
        return min(d for d in (self.announced, self.earliest, self.start) if d is not None)


def marks_of(
    own: dict[str, Any],
    calm: dict[str, Any],
    calendar: pd.DataFrame | None,
    horizon: pd.DatetimeIndex,
) -> list[Mark]:
    """Return the measures that tell scenario and reference apart, by start; alone: all of them.

    Parameters
    ----------
    own, calm
        Interventions of the scenario and of the reference by name.
    calendar
        Dates of starts and ends; None where the run holds none.
    horizon
        Dates of the run.
    """
    found = []
    for name in dict.fromkeys([*own, *calm]):
        spec, other = own.get(name), calm.get(name)
        if spec == other or not isinstance(spec or other, dict):
            continue
        mark = _mark(calendar, horizon[0], str(name), (spec, other))
        if mark is not None and mark.known <= horizon[-1]:
            found.append(mark)
    return sorted(_suspended(found, own), key=lambda mark: (mark.start, mark.name))


def _mark(
    calendar: pd.DataFrame | None, first: pd.Timestamp, name: str, specs: tuple[Any, Any]
) -> Mark | None:
    spec, other = specs
    held = spec if isinstance(spec, dict) else other
    change = "added" if other is None else "removed" if spec is None else "changed"
    start, drawn, share = _begins(calendar, name, held)
    began = start
    if change == "changed" and isinstance(other, dict):
        later = first_difference(held, other)
        start = start if later is None else pd.Timestamp(later)
    if start is None:
        return None
    announced = None if change == "changed" else _date(held.get("announced"))
    possible = [d for d in map(_date, _leaves(held.get("start"))) if d is not None]
    end, end_drawn = _ends(calendar, name, held, began)
    return Mark(
        name=name,
        kind=str(held.get("kind", "")),
        role=str(held.get("role") or "policy"),
        start=max(start, first),
        end=end,
        announced=None if announced is None else max(announced, first),
        change=change,
        drawn=drawn,
        earliest=max(first, min(possible)) if drawn and possible else None,
        end_drawn=end_drawn,
        share=share,
        true_start=start if start < first else None,
    )


def _entry(calendar: pd.DataFrame | None, name: str, verb: str) -> pd.Series | None:
    """Return the first line of the calendar that a measure `starts` or `ends`; None without one."""
    if calendar is None:
        return None
    rows = calendar[calendar["what"].str.match(rf"{re.escape(name)} {verb}\b")]
    return rows.iloc[0] if len(rows) else None


def _begins(
    calendar: pd.DataFrame | None, name: str, spec: dict[str, Any]
) -> tuple[pd.Timestamp | None, bool, float]:
    """Start of a measure, whether it differs by world (then the calendar's median), share of worlds."""
    entry = _entry(calendar, name, "starts")
    share = _share(None if entry is None else entry["worlds"], spec)
    start = _date(spec.get("start"))
    if start is not None:
        return start, False, share
    if entry is not None:
        return entry["date"], "median" in entry["what"], share
    drawn = [d for d in map(_date, _leaves(spec.get("start"))) if d is not None]
    return (min(drawn) if drawn else None), True, share


def _share(worlds: Any, spec: dict[str, Any]) -> float:
    """Share of worlds in which a measure happens: as counted, else as stated."""
    value: Any
    for value in (worlds, spec.get("probability")):
        if str(value) == "all":
            return 1.0
        try:
            share = float(value)
        except (TypeError, ValueError):
            continue
        if 0.0 <= share <= 1.0:
            return share
    return 1.0


def _ends(
    calendar: pd.DataFrame | None, name: str, spec: dict[str, Any], start: pd.Timestamp | None
) -> tuple[pd.Timestamp | None, bool]:
    """End of a measure and whether it differs by world: its own date, or from its duration."""
    end = _date(spec.get("end"))
    if end is not None or spec.get("duration") is None:
        return end, False
    entry = _entry(calendar, name, "ends")
    if entry is not None:
        return entry["date"], "median" in entry["what"]
    lasts = spec["duration"]
    if start is None or isinstance(lasts, bool) or not isinstance(lasts, int | float):
        return None, False
    return start + pd.Timedelta(days=float(lasts)), not isinstance(spec.get("start"), str)


def _suspended(found: list[Mark], own: dict[str, Any]) -> list[Mark]:
    """Return the marks, those that a truce in force in all worlds suspends with the dates of that."""
    held: dict[str, tuple[pd.Timestamp, pd.Timestamp | None]] = {}
    for mark in found:
        spec = own.get(mark.name)
        names = spec.get("suspends") if isinstance(spec, dict) else None
        if mark.share < 1.0 or mark.drawn or not names:
            continue
        for name in [names] if isinstance(names, str) else names:
            held[str(name)] = (mark.start, mark.end)
    return [replace(mark, suspended=held.get(mark.name)) for mark in found]


def _leaves(value: object) -> list[object]:
    """All single values inside a mapping or list."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in _leaves(part)]
    return [value]


def _date(value: object) -> pd.Timestamp | None:
    """Return a fixed date as a timestamp, None for none, for a random or a relative one."""
    if not isinstance(value, str) or not value[:4].isdigit():
        return None
    try:
        return pd.Timestamp(value)
    except ValueError:
        return None
