"""From which day on two forms of one measure differ: the clock of everything that is compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

__all__ = ["first_difference"]

#: Keys that change nothing in a run.
REMARKS = {"source", "note", "role"}


def first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> date | None:
    """Return the first date at which two forms of an intervention differ.

    Parameters
    ----------
    one, other
        The intervention's keys as in a scenario file (dates as text or `date`).

    Returns
    -------
    date or None
        The earliest date among entries that differ; None where something without a date differs,
        so that the difference counts from the start on, or where nothing differs.
    """
    dates: list[date] = []
    for key in {*one, *other} - REMARKS:
        a, b = one.get(key), other.get(key)
        if a == b:
            continue
        if key in {"end", "duration"}:
            ends = [d for d in (day_of(a), day_of(b)) if d is not None]
            if len(ends) < 1:
                return None
            dates.append(min(ends))
            continue
        found = list(_dated(a, b))
        if not found or None in found:
            return None
        dates += [d for d in found if d is not None]
    return min(dates) if dates else None


def _dated(a: Any, b: Any) -> Iterator[date | None]:
    """Dates of the entries that differ; None for one that has no date."""
    if isinstance(a or {}, Mapping) and isinstance(b or {}, Mapping):
        a, b = a or {}, b or {}
        if not ({*a, *b} & {"dist"}):
            for key in {*a, *b}:
                if a.get(key) == b.get(key):
                    continue
                when = day_of(key)
                if when is not None:
                    yield when
                else:
                    yield from _dated(a.get(key), b.get(key))
            return
    yield None


def day_of(value: object) -> date | None:
    """Return a date given as a date or as ISO text, else None."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
