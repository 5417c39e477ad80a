"""The space in which a fact and its simulation are compared: kinds, transformations, errors.

Multiples, ratios and wedges are compared as logs, changes and falls as the log of what is left,
volumes as the log of their index, dates and shares as they are. In that space every kind of fact
has one error, which is the *discrepancy* of the model for facts of this kind, not that of the
source: what a model of this sort misses even with the best numbers.
"""

from __future__ import annotations

import numpy as np

from lodestone.backcast.episodes import Fact

__all__ = ["ERRORS", "back", "error_of", "innovation", "kind_of", "observation", "transform"]

#: Discrepancy by kind before any scaling (A206): logs for the first four, then the fact's own unit
#: of time, then a share of one.
ERRORS = {
    "multiple": 0.40,
    "wedge": 0.45,
    "price change": 0.22,
    "volume": 0.22,
    "month": 2.5,
    "share": 0.12,
}
_DATES = ("months_to_peak", "trough_month", "peak_lag", "first_date", "duration")
_SHARES = ("quota_use", "licences_granted_share", "unmet_share", "spot_share")
#: Least share left, index over 100, or multiple that is told from nothing.
LEAST = 0.005
#: Errors from what was observed at which an undefined value, or a date that never comes, is put,
#: and beyond which no value counts as farther.
UNDEFINED, FARTHEST = 4.0, 10.0


def kind_of(fact: Fact) -> str:
    """Kind of a fact, a key of ``ERRORS``."""
    price = fact.series.metric.startswith("price_")
    if fact.kind in _DATES:
        return "month"
    if fact.kind == "difference":
        return "wedge" if price else "share"
    if fact.kind in ("change", "fall_from_peak"):
        return "price change" if price else "volume"
    if fact.kind == "ratio" or (fact.kind == "peak_multiple" and price):
        return "multiple"
    if fact.kind in ("value", "mean") and fact.series.metric in _SHARES:
        return "share"
    return "volume"


def error_of(fact: Fact) -> float:
    """Error of a fact, in the space of ``transform``."""
    return ERRORS[kind_of(fact)]


def _unit(fact: Fact) -> float:
    return 100.0 if fact.unit in ("%", "percent") else 1.0


def _floor(fact: Fact) -> float:
    """Least amount that is told from nothing, in the fact's unit."""
    if kind_of(fact) == "wedge":
        return 1.0  # USD/kg
    if np.isfinite(fact.low) and fact.low <= 0.0 < fact.high < np.inf:
        return fact.high  # a band that begins at nothing means: no more than this
    return max(LEAST * abs(fact.observed), 1e-9)


def transform(fact: Fact, values: np.ndarray) -> np.ndarray:
    """Values in a fact's unit -> the space in which errors are counted; ``nan`` and ``inf`` stay."""
    given = np.asarray(values, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind_of(fact) == "month":
            return given
        if kind_of(fact) == "share":
            return given / _unit(fact)
        if fact.kind == "change":
            return np.log(np.maximum(1.0 + given / 100.0, LEAST))
        if fact.kind == "fall_from_peak":
            return np.log(np.maximum(1.0 - given / 100.0, LEAST))
        return np.log(np.maximum(given, _floor(fact)))


def back(fact: Fact, compared: np.ndarray) -> np.ndarray:
    """Inverse of `transform`."""
    given = np.asarray(compared, dtype=float)
    if kind_of(fact) == "month":
        return given
    if kind_of(fact) == "share":
        return given * _unit(fact)
    if fact.kind == "change":
        return 100.0 * np.expm1(given)
    if fact.kind == "fall_from_peak":
        return -100.0 * np.expm1(given)
    return np.exp(given)


def _edges(fact: Fact) -> tuple[float, float]:
    """Ends of the band in the compared space; infinite where open."""
    first, last = (
        float(transform(fact, np.array(x))) if np.isfinite(x) else x for x in (fact.low, fact.high)
    )
    if fact.kind != "fall_from_peak":
        return first, last
    # The deeper the fall, the less is left.
    return (last if np.isfinite(last) else -np.inf, first if np.isfinite(first) else np.inf)


def observation(fact: Fact) -> float:
    """What the simulation is compared with: the observed value, or the edge of a one-sided band."""
    low, high = _edges(fact)
    if np.isinf(low):
        return high
    return low if np.isinf(high) else float(transform(fact, np.array(fact.observed)))


def innovation(fact: Fact, values: np.ndarray) -> np.ndarray:
    """Predictions of a fact as the smoother sees them, shape as ``values``, all finite.

    Inside a one-sided band a prediction is put on its edge: there is nothing to learn from it.
    """
    seen, error = observation(fact), error_of(fact)
    found = transform(fact, values)
    low, high = _edges(fact)
    if np.isinf(low):
        found = np.maximum(found, high)
    elif np.isinf(high):
        found = np.minimum(found, low)
    found = np.where(np.isfinite(found), found, seen + UNDEFINED * error)
    return np.clip(found, seen - FARTHEST * error, seen + FARTHEST * error)
