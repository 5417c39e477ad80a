"""The calendar of a run: every date that all worlds share. The only importer of SimPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

import simpy

if TYPE_CHECKING:
    from simpy.events import EventPriority

# Order of entries that fall on the same day.
REVIEW, MARKET, OFFICE = 2, 5, 6


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
        self._skipping = False

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
        self._schedule(day, priority, lambda: self._act(action))

    def _schedule(self, day: float, priority: int, action: Callable[[], None]) -> None:
        event = simpy.Event(self._clock)
        event._ok, event._value = True, None
        assert event.callbacks is not None
        event.callbacks.append(lambda _event: action())
        # Any integer orders entries of a day; SimPy itself uses only 0 and 1.
        rank = cast("EventPriority", priority)
        self._clock.schedule(event, priority=rank, delay=max(day - self.now, 0.0))

    def _act(self, action: Callable[[], None]) -> None:
        if not self._skipping:
            action()

    def every(
        self, days: float, priority: int, action: Callable[[], None], first: float = 0.0
    ) -> None:
        """Call ``action`` on ``first`` and then every ``days`` until the run ends."""
        if first < self.last_day:
            self._schedule(first, priority, partial(self._again, days, priority, action))

    def _again(self, days: float, priority: int, action: Callable[[], None]) -> None:
        self._act(action)
        if self.now + days < self.last_day:
            self._schedule(self.now + days, priority, partial(self._again, days, priority, action))

    def clear(self) -> None:
        """Drop what is still to come, and with it whoever it would call; the day stays."""
        self._clock = simpy.Environment(initial_time=self.now)

    def note(
        self, day: float, what: str, where: str = "", worlds: str = "all", source: str = ""
    ) -> None:
        """Put a line into the printed calendar (no action)."""
        self.entries.append(Entry(day, self.date_of(day).isoformat(), what, where, worlds, source))

    def run(self, until: float | None = None) -> None:
        """Run to the end of the horizon, or to a day; entries dated on that day do not happen."""
        self._clock.run(until=self.last_day if until is None else until)

    def skip_to(self, day: float) -> None:
        """Let the days before ``day`` pass without their entries."""
        self._skipping = True
        self._clock.run(until=day)
        self._skipping = False
