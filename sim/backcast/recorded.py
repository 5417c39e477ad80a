"""Series of an episode over its worlds, cut into the periods of which facts speak.

Sums are in float64. Days are counted from year 1, so that dates of all runs share an origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from lodestone.backcast.statistics import Span, Track
from lodestone.border.units import DAYS_PER_WEEK
from lodestone.outputs.series import SERIES, Query
from lodestone.outputs.series.book import Probe, SeriesBook

__all__ = ["CASES", "PERIODS", "Recorded", "cut", "day_span", "month_span"]

PERIODS = ("week", "month", "quarter", "year")
CASES = ("scenario", "reference")


@dataclass
class Recorded:
    """Series by market day of one case, over the worlds of one or several batches.

    Attributes
    ----------
    days : float
        Length of a market day.
    first : float
        Ordinal of the first day.
    times : ndarray, shape (t,)
        Days since then of each market day.
    top, bottom : dict
        Probe -> (t, w); ``bottom`` only for shares.
    absent : dict
        Probe -> why there is no such series.
    """

    days: float
    first: float
    times: np.ndarray
    top: dict[Probe, np.ndarray]
    bottom: dict[Probe, np.ndarray]
    absent: dict[Probe, str]

    @classmethod
    def of(cls, book: SeriesBook) -> Recorded:
        """What a book has kept."""
        seen = book.times[: book.tick]
        return cls(book.days, book.first, seen, book.top, book.bottom, book.absent)

    def beside(self, other: Recorded) -> Recorded:
        """The same series with the worlds of another batch after these."""

        def join(a: dict[Probe, np.ndarray], b: dict[Probe, np.ndarray]) -> dict[Probe, np.ndarray]:
            return {k: np.concatenate([a[k], b[k]], axis=1) for k in a}

        return Recorded(
            self.days,
            self.first,
            self.times,
            join(self.top, other.top),
            join(self.bottom, other.bottom),
            self.absent,
        )

    def track(self, query: Query) -> Track | str:
        """A query's series cut into its periods, or why there is none.

        A market day's flow falls on its days in equal parts, so a week over the turn of a month
        is split by its days. Months that the run covers in part count as if all their days were
        like the covered ones.
        """
        if query.probe in self.absent:
            return self.absent[query.probe]
        metric = SERIES[query.metric]
        start = self.first + self.times - (self.days if metric.arrives else 0.0)
        end = start + self.days
        periods = cut(start[0], end[-1], query.per)
        edges = np.array([p.first for p in periods]), np.array([p.last for p in periods])
        inside = np.minimum(edges[1][:, None], end) - np.maximum(edges[0][:, None], start)
        inside = np.clip(inside, 0.0, None)  # days of each market day in each period, (p, t)
        top = self.top[query.probe]
        bottom = self.bottom.get(query.probe)
        covered = inside.sum(axis=1, keepdims=True)
        if metric.kind == "level":
            top = _rows(inside / covered, top)
        elif metric.kind == "last":
            pick = [int(np.flatnonzero(row > 0.0)[-1]) for row in inside]
            top = top[pick]
        else:
            whole = (edges[1] - edges[0])[:, None] / covered
            top = _rows(inside / self.days, top) * whole
            if bottom is not None:
                bottom = _rows(inside / self.days, bottom) * whole
        return Track(
            kind=metric.kind,
            start=edges[0],
            end=edges[1],
            month=np.array([p.month for p in periods]),
            top=top,
            bottom=bottom,
            by_month=query.per == "month",
        )


def _rows(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted sums of rows, period by period in row order: (p, t) and (t, w) -> (p, w)."""
    out = np.zeros((len(weight), values.shape[1]))
    for p, row in enumerate(weight):
        used = np.flatnonzero(row > 0.0)
        out[p] = (values[used] * row[used][:, None]).sum(axis=0)
    return out


def cut(first: float, last: float, per: str) -> list[Span]:
    """Periods that cover the days [first, last): weeks from the first day, or calendar periods."""
    out: list[Span] = []
    if per == "week":
        at = first
        while at < last - 1e-9:
            day = date.fromordinal(int(at))
            out.append(Span(at, at + DAYS_PER_WEEK, day.year * 12 + day.month - 1))
            at += DAYS_PER_WEEK
        return out
    months = {"month": 1, "quarter": 3, "year": 12}[per]
    day = date.fromordinal(int(first))
    at_month = (day.year * 12 + day.month - 1) // months * months
    while True:
        span = month_span(at_month, months)
        if span.first >= last:
            return out
        out.append(span)
        at_month += months


def month_span(month: int, count: int = 1) -> Span:
    """Span of calendar months, from months since year 0."""
    first = date(month // 12, month % 12 + 1, 1)
    after = month + count
    return Span(
        float(first.toordinal()),
        float(date(after // 12, after % 12 + 1, 1).toordinal()),
        month,
    )


def day_span(day: date) -> Span:
    """Span of one day."""
    after = day + timedelta(days=1)
    return Span(float(day.toordinal()), float(after.toordinal()), day.year * 12 + day.month - 1)
