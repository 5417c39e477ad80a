"""The calendar of a run: every date that all worlds share. The only importer of SimPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

import simpy

if TYPE_CHECKING:
    from simpy.events import EventPriority

# Order of entries that fall on the same day.
SAILING, POLICY, REVIEW, MARKET, OFFICE = 0, 1, 2, 5, 6


@dataclass(frozen=True)
class Entry:
    """One dated line of the printed calendar (``calendar.csv``)."""

    day: float
    date: str
    what: str
    where: str
    worlds: str
    source: str


class Calendar:
    """Dates on a SimPy clock; days are counted from the start of the run.

    Parameters
    ----------
    start, end : date
        First day and the day on which the run stops (entries on the end day do not happen).
    """

    def __init__(self, start: date, end: date) -> None:
        self.start, self.end = start, end
        self.last_day = float((end - start).days)
        self._clock = simpy.Environment()
        self.entries: list[Entry] = []

    @property
    def now(self) -> float:
        """Days since the start."""
        return float(self._clock.now)

    def date_of(self, day: float) -> date:
        """Calendar date of a day number."""
        return self.start + timedelta(days=int(day))

    def day_of(self, when: date) -> float:
        """Day number of a calendar date (negative before the start)."""
        return float((when - self.start).days)

    def at(self, day: float, priority: int, action: Callable[[], None]) -> None:
        """Call ``action`` on ``day``; entries of one day run by priority, then in order."""
        event = simpy.Event(self._clock)
        event._ok, event._value = True, None
        assert event.callbacks is not None
        event.callbacks.append(lambda _event: action())
        # Any integer orders entries of a day; SimPy itself uses only 0 and 1.
        rank = cast("EventPriority", priority)
        self._clock.schedule(event, priority=rank, delay=max(day - self.now, 0.0))

    def every(
        self, days: float, priority: int, action: Callable[[], None], first: float = 0.0
    ) -> None:
        """Call ``action`` on ``first`` and then every ``days`` until the run ends."""

        def again() -> None:
            action()
            if self.now + days < self.last_day:
                self.at(self.now + days, priority, again)

        if first < self.last_day:
            self.at(first, priority, again)

    def on_dates(self, dates: list[date], priority: int, action: Callable[[date], None]) -> None:
        """Call ``action(date)`` on each of the dates inside the run."""
        for when in dates:
            day = self.day_of(when)
            if 0.0 <= day < self.last_day:
                self.at(day, priority, lambda when=when: action(when))  # type: ignore[misc]

    def note(
        self, day: float, what: str, where: str = "", worlds: str = "all", source: str = ""
    ) -> None:
        """Put a line into the printed calendar (no action)."""
        self.entries.append(Entry(day, self.date_of(day).isoformat(), what, where, worlds, source))

    def run(self) -> None:
        """Run to the end of the horizon; entries dated on the last day do not happen."""
        self._clock.run(until=self.last_day)


def month_starts(start: date, end: date) -> list[date]:
    """First days of the months in (start, end)."""
    out: list[date] = []
    year, month = start.year, start.month
    while True:
        month += 1
        if month > 12:
            year, month = year + 1, 1
        when = date(year, month, 1)
        if when >= end:
            return out
        out.append(when)
