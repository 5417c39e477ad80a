"""The discrepancy: what the model misses at its best, and the bands that follow from it.

A band of a foretold fact is the spread of the ensemble and the discrepancy of the fact's kind
together, as the root of the sum of squares on each side of the median. One factor scales all
discrepancies; it is set so that nine in ten facts of *other* histories, each left out of its fit,
lie inside their bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lodestone.backcast.episodes import Fact
from lodestone.backcast.score import quantiles
from lodestone.calibration.loss import back, error_of, kind_of, transform
from lodestone.calibration.plan import Target

__all__ = ["ALIKE", "COVER", "band", "covariance", "needed", "scale_of"]

#: Correlation of the discrepancies of two facts of one kind in one history (A207).
ALIKE = 0.5
#: Share of facts that a 5-95 % band is to hold.
COVER = 0.9
#: Standard deviations from the median to the 5 and 95 % points.
SIDE = 1.645
#: Factors between which the scale is kept.
SMALLEST, LARGEST = 0.5, 5.0


def covariance(targets: Sequence[Target], scale: float = 1.0) -> np.ndarray:
    """Covariance of the discrepancies, shape (facts, facts).

    Facts of one kind in one history err together (``ALIKE``), so that seven months of one series
    do not count as seven witnesses.
    """
    errors = scale * np.array([t.error for t in targets])
    groups = [(t.history, kind_of(t.fact)) for t in targets]
    alike = np.array([[ALIKE if a == b else 0.0 for b in groups] for a in groups])
    np.fill_diagonal(alike, 1.0)
    return alike * np.outer(errors, errors)


def _spread(fact: Fact, values: np.ndarray) -> tuple[float, float, float] | None:
    """5, 50 and 95 % points in the compared space, in ascending order; None where undefined."""
    defined = values[~np.isnan(values)]
    if 2 * len(defined) <= len(values):
        return None
    low, middle, high = sorted(float(transform(fact, np.array(x))) for x in quantiles(defined))
    return (low, middle, high) if np.isfinite(middle) else None


def band(fact: Fact, values: np.ndarray, scale: float = 0.0) -> tuple[float, float, float]:
    """5, 50 and 95 % points of a fact, in its unit, with the discrepancy scaled by ``scale``.

    Parameters
    ----------
    fact : Fact
    values : ndarray, shape (n,)
        Simulated, in the fact's unit.
    scale : float
        0: the spread of the ensemble alone.

    Returns
    -------
    tuple of float
        All ``nan`` where most members do not define the fact.
    """
    found = _spread(fact, values)
    if found is None:
        return (np.nan, np.nan, np.nan)
    low, middle, high = found
    more = SIDE * scale * error_of(fact)
    ends = middle - np.hypot(middle - low, more), middle, middle + np.hypot(high - middle, more)
    first, centre, last = sorted(float(back(fact, np.array(x))) for x in ends)
    return first, centre, last


def needed(fact: Fact, values: np.ndarray) -> float:
    """Scale from which on the band of a fact holds what was observed; ``inf`` where undefined."""
    found = _spread(fact, values)
    if found is None:
        return np.inf
    low, middle, high = found
    away = float(transform(fact, np.array(fact.observed))) - middle
    side = high - middle if away > 0.0 else middle - low
    if abs(away) <= side:
        return 0.0
    return float(np.sqrt(away**2 - side**2) / (SIDE * error_of(fact)))


def scale_of(points: Iterable[float]) -> float:
    """Scale at which ``COVER`` of the facts would have been held, given what each needed."""
    scales = np.sort([p for p in points if np.isfinite(p)])
    if not scales.size:
        return 1.0
    at = int(np.ceil(COVER * len(scales))) - 1
    return float(np.clip(scales[at], SMALLEST, LARGEST))
