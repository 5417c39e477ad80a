"""Timelines: what differs by world and has a date (outages, slips, random starts and ends)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timeline:
    """Spans of time drawn per world before the run.

    Attributes
    ----------
    start, end : ndarray, shape (n, w)
        Days since the start of the run; ``inf`` means never. A span with ``end <= start`` is
        empty. Spans of one world may overlap.
    """

    start: np.ndarray
    end: np.ndarray

    def share(self, t0: float, t1: float) -> np.ndarray:
        """Share of [t0, t1) covered by each span, exact to the fraction of a day.

        Returns
        -------
        ndarray, shape (n, w)
            0 (not active) .. 1 (active all the time).
        """
        overlap = np.minimum(self.end, t1) - np.maximum(self.start, t0)
        return np.clip(overlap / (t1 - t0), 0.0, 1.0)

    def touches(self, t0: float, t1: float) -> bool:
        """Whether any span of any world overlaps [t0, t1)."""
        return bool(np.any((self.start < t1) & (self.end > t0) & (self.end > self.start)))


def ramp(now: float, online: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Share of capacity reached by a plant that ramps linearly after it comes on line.

    Parameters
    ----------
    now : float
        Days since the start of the run.
    online : ndarray, shape (f, w) or (f, 1)
        Day on which production begins; ``inf`` means never.
    months : ndarray, shape (f, 1)
        Ramp to full output, months (30.4375 days each).

    Returns
    -------
    ndarray
        0..1. Conserves nothing (a factor).
    """
    days = np.maximum(months * 30.4375, 1.0)
    return np.clip((now - online) / days, 0.0, 1.0)
