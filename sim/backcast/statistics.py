"""What a fact says of a series: pure functions from a track to one number a world.

A *track* is a series cut into periods (weeks, months ...), with the world as last axis. Every
function returns one value per world, shape (w,). ``nan`` means that the value is not defined in
a world (a base of zero, a series without a peak); ``inf`` that a date never comes. Neither is
ever a pass. Conserves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lodestone.border.units import DAYS_PER_MONTH, DAYS_PER_WEEK

__all__ = [
    "KINDS",
    "Kind",
    "Span",
    "Track",
    "change",
    "difference",
    "duration",
    "fall_from_peak",
    "first_date",
    "index",
    "mean",
    "months_to_peak",
    "peak_lag",
    "peak_multiple",
    "ratio",
    "total",
    "trough_month",
    "value",
]

#: Days of the units in which a date may be counted.
UNITS = {"day": 1.0, "week": DAYS_PER_WEEK, "month": DAYS_PER_MONTH}


@dataclass(frozen=True)
class Span:
    """A stretch of time, days counted from one origin for all tracks: [first, last).

    Attributes
    ----------
    first, last : float
        First day, and first day after.
    month : int
        Months since year 0 of the first day (for counting calendar months).
    """

    first: float
    last: float
    month: int = 0


@dataclass(frozen=True)
class Track:
    """A series by period.

    Attributes
    ----------
    kind : str
        ``flow`` (adds up over time), ``level`` (a state or price: averaged over days), ``last``
        (a total to date: its value at the end of a period), ``share`` (one flow over another),
        ``to_date`` (a share counted from the first of January).
    start, end : ndarray, shape (p,)
        First day of each period, and first day after.
    month : ndarray of int, shape (p,)
        Months since year 0 of each period's first day.
    top : ndarray, shape (p, w)
        The series, or the flow above the line of a share.
    bottom : ndarray, shape (p, w), optional
        The flow below the line of a share.
    by_month : bool
        Whether the periods are calendar months.
    """

    kind: str
    start: np.ndarray
    end: np.ndarray
    month: np.ndarray
    top: np.ndarray
    bottom: np.ndarray | None = None
    by_month: bool = True

    def overlap(self, span: Span) -> np.ndarray:
        """Share of each period that lies in a span, shape (p,)."""
        inside = np.minimum(self.end, span.last) - np.maximum(self.start, span.first)
        return np.clip(inside / (self.end - self.start), 0.0, 1.0)

    def values(self) -> np.ndarray:
        """Value of every period, shape (p, w)."""
        if self.bottom is None:
            return self.top
        top, bottom = self.top, self.bottom
        if self.kind == "to_date":
            top, bottom = self._to_date(top), self._to_date(bottom)
        return over(top, bottom)

    def _to_date(self, flow: np.ndarray) -> np.ndarray:
        """Running sums that start again every January."""
        out = np.empty_like(flow)
        held = np.zeros(flow.shape[1:])
        for p in range(len(flow)):
            if p and self.month[p] // 12 != self.month[p - 1] // 12:
                held = np.zeros(flow.shape[1:])
            held = held + flow[p]
            out[p] = held
        return out

    def mean(self, span: Span) -> np.ndarray:
        """Mean over a span: of periods (flow), of days (level), or top over bottom (share)."""
        part = self.overlap(span)
        used = np.flatnonzero(part > 0.0)
        if not used.size:
            return np.full(self.top.shape[1], np.nan)
        if self.kind == "to_date" and used.size == 1:
            return self.values()[used[0]]
        if self.bottom is not None:
            return over(weighted(self.top, part, used), weighted(self.bottom, part, used))
        if self.kind == "flow":
            return weighted(self.top, part, used) / part.sum()
        days = part * (self.end - self.start)
        return weighted(self.top, days, used) / days.sum()

    def sum(self, span: Span) -> np.ndarray:
        """Total of a flow over a span."""
        part = self.overlap(span)
        used = np.flatnonzero(part > 0.0)
        if not used.size:
            return np.full(self.top.shape[1], np.nan)
        return weighted(self.top, part, used)

    def inside(self, span: Span) -> np.ndarray:
        """Rows of the periods of which at least half lies in a span."""
        return np.flatnonzero(self.overlap(span) >= 0.5)

    def months_since(self, rows: np.ndarray, since: Span) -> np.ndarray:
        """Months from a date to the periods in ``rows``; calendar months where these are months."""
        if self.by_month:
            return (self.month[rows] - since.month).astype(float)
        return (self.start[rows] - since.first) / DAYS_PER_MONTH


def weighted(rows: np.ndarray, weight: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Weighted sum of rows (p, w) over the rows used, in row order, shape (w,)."""
    return (rows[used] * weight[used][:, None]).sum(axis=0)


def over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Top over bottom; not defined where the bottom is nothing."""
    safe = np.where(np.abs(bottom) > 1e-12, bottom, 1.0)
    return np.where(np.abs(bottom) > 1e-12, top / safe, np.nan)


def _extreme(track: Track, span: Span, sign: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value and row of the highest (or lowest) period of a span, and whether there is one."""
    rows = track.inside(span)
    if not rows.size:
        nothing = np.full(track.top.shape[1], np.nan)
        return nothing, np.zeros(track.top.shape[1], dtype=int), np.zeros(len(nothing), dtype=bool)
    values = track.values()[rows]
    defined = np.isfinite(values).all(axis=0)
    pick = np.argmax(np.where(np.isfinite(values), sign * values, -np.inf), axis=0)
    best = values[pick, np.arange(values.shape[1])]
    uneven = defined & (values.max(axis=0) > values.min(axis=0))
    return np.where(defined, best, np.nan), rows[pick], uneven


# ---- the kinds of statistic ------------------------------------------------------------


def index(track: Track, at: Span, base: Span) -> np.ndarray:
    """Mean at a time over the mean of the base, times 100."""
    return 100.0 * over(track.mean(at), track.mean(base))


def value(track: Track, at: Span) -> np.ndarray:
    """Value at a time (over a range its mean)."""
    return track.mean(at)


def mean(track: Track, over: Span) -> np.ndarray:
    """Mean over a range."""
    return track.mean(over)


def total(track: Track, over: Span) -> np.ndarray:
    """Sum of a flow over a range."""
    return track.sum(over)


def ratio(track: Track, at: Span, against: Track) -> np.ndarray:
    """Mean of a series over that of another in the same time."""
    return over(track.mean(at), against.mean(at))


def difference(track: Track, at: Span, against: Track) -> np.ndarray:
    """Mean of a series less that of another in the same time."""
    return track.mean(at) - against.mean(at)


def change(track: Track, first: Span, last: Span) -> np.ndarray:
    """Change from one time to another, per cent (falls are negative)."""
    return 100.0 * (over(track.mean(last), track.mean(first)) - 1.0)


def peak_multiple(track: Track, over_: Span, base: Span) -> np.ndarray:
    """Highest value of a range over the mean of the base."""
    best, _, _ = _extreme(track, over_, 1.0)
    return over(best, track.mean(base))


def months_to_peak(track: Track, since: Span, over_: Span) -> np.ndarray:
    """Months from a date to the highest value of a range (not defined for a flat series)."""
    _, row, there = _extreme(track, over_, 1.0)
    return np.where(there, track.months_since(row, since), np.nan)


def trough_month(track: Track, since: Span, over_: Span) -> np.ndarray:
    """Months from a date to the lowest value of a range (not defined for a flat series)."""
    _, row, there = _extreme(track, over_, -1.0)
    return np.where(there, track.months_since(row, since), np.nan)


def peak_lag(track: Track, over_: Span, against: Track) -> np.ndarray:
    """Months by which the series peaks after another one (negative: before)."""
    own, other = months_to_peak(track, over_, over_), months_to_peak(against, over_, over_)
    return own - other


def fall_from_peak(track: Track, by: Span, over_: Span) -> np.ndarray:
    """Fall from the highest value up to a time, to that time, per cent (falls are positive)."""
    best, _, _ = _extreme(track, Span(over_.first, by.last, over_.month), 1.0)
    return 100.0 * (1.0 - over(track.mean(by), best))


def first_date(
    track: Track, since: Span, until: Span, threshold: float, above: bool, unit: str
) -> np.ndarray:
    """Time from a date to the first period beyond a threshold; ``inf`` if it never comes."""
    rows = np.flatnonzero((track.end > since.first) & (track.start < until.last))
    out = np.full(track.top.shape[1], np.inf)
    if not rows.size:
        return out
    values = track.values()[rows]
    beyond = values > threshold if above else values < threshold
    found = rows[np.argmax(beyond, axis=0)]
    if unit == "month":
        gone = track.months_since(found, since)
    else:
        gone = (track.start[found] - since.first) / UNITS[unit]
    return np.where(beyond.any(axis=0), np.maximum(gone, 0.0), out)


def duration(track: Track, over_: Span, threshold: float, above: bool) -> np.ndarray:
    """Weeks of a range in which the series is beyond a threshold, in one stretch or several."""
    part = track.overlap(over_)
    used = np.flatnonzero(part > 0.0)
    values = track.values()[used]
    beyond = values > threshold if above else values < threshold
    weeks = (part * (track.end - track.start))[used][:, None] / DAYS_PER_WEEK
    return np.where(np.isfinite(values).all(axis=0), (beyond * weeks).sum(axis=0), np.nan)


# ---- how they are written --------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of statistic as episode files write it.

    Attributes
    ----------
    needs : tuple of str
        Required keys; ``a|b`` means exactly one of them.
    may : tuple of str
        Further keys.
    unit : str
        Unit of the result; blank: that of the series.
    undefined : str
        Why the value may be undefined in a world.
    work : callable
        ``work(track, keys, against)``, keys as read from the file.
    """

    needs: tuple[str, ...]
    may: tuple[str, ...]
    unit: str
    undefined: str
    work: Callable[[Track, dict[str, Any], Any], np.ndarray]


def _beyond(k: dict[str, Any]) -> tuple[float, bool]:
    return (k["above"], True) if "above" in k else (k["below"], False)


def _time(k: dict[str, Any]) -> Span:
    return k["at"] if "at" in k else k["over"]


_BASE = "the mean of the base is zero or missing"
_NONE = "the series has no value in that time"
_OTHER = "the series it is set against is zero or missing in that time"
_FLAT = "the series is flat in that range, so it has neither peak nor trough"
_BY = "|".join(("above", "below"))
#: Kinds of statistic by name.
KINDS: dict[str, Kind] = {
    "index": Kind(("at", "base"), (), "index", _BASE, lambda t, k, a: index(t, k["at"], k["base"])),
    "value": Kind(("at",), (), "", _NONE, lambda t, k, a: value(t, k["at"])),
    "mean": Kind(("over",), (), "", _NONE, lambda t, k, a: mean(t, k["over"])),
    "sum": Kind(("over",), (), "", _NONE, lambda t, k, a: total(t, k["over"])),
    "ratio": Kind(("at|over", "against"), (), "ratio", _OTHER, lambda t, k, a: ratio(t, _time(k), a)),
    "difference": Kind(("at|over", "against"), (), "", _NONE, lambda t, k, a: difference(t, _time(k), a)),
    "change": Kind(("from", "to"), (), "%", "the starting value is zero or missing", lambda t, k, a: change(t, k["from"], k["to"])),
    "peak_multiple": Kind(("over", "base"), (), "multiple", _BASE, lambda t, k, a: peak_multiple(t, k["over"], k["base"])),
    "months_to_peak": Kind(("from", "over"), (), "months", _FLAT, lambda t, k, a: months_to_peak(t, k["from"], k["over"])),
    "peak_lag": Kind(("against", "over"), (), "months", _FLAT, lambda t, k, a: peak_lag(t, k["over"], a)),
    "fall_from_peak": Kind(("by",), ("over",), "%", "there is no peak before that time", lambda t, k, a: fall_from_peak(t, k["by"], k["over"])),
    "trough_month": Kind(("from", "over"), (), "months", _FLAT, lambda t, k, a: trough_month(t, k["from"], k["over"])),
    "first_date": Kind((_BY, "from"), ("per", "over"), "", "the threshold is never reached", lambda t, k, a: first_date(t, k["from"], k["over"], *_beyond(k), k["per"])),
    "duration": Kind((_BY, "over"), (), "weeks", _NONE, lambda t, k, a: duration(t, k["over"], *_beyond(k))),
}  # fmt: skip
