"""Exact first-order lags: stable for any time constant at any step."""

from __future__ import annotations

import numpy as np


def gain(weeks: np.ndarray | float, time_constant: np.ndarray | float) -> np.ndarray:
    """Share of the distance covered in a step by a first-order lag: ``1 - exp(-Δ / τ)``.

    Parameters
    ----------
    weeks : float
        Length of the step, weeks.
    time_constant : ndarray or float, any shape
        Time constant, weeks; 0 gives an immediate response.

    Returns
    -------
    ndarray, same shape
        Share, 0..1.

    Conserves: nothing (a share).
    Source: exact solution of a first-order lag over a step (definition).
    """
    return -np.expm1(-weeks / np.maximum(time_constant, 1e-9))


def follow(value: np.ndarray, goal: np.ndarray, share: np.ndarray | float) -> np.ndarray:
    """Move a value the share of the way to its goal that a lag covers in a step.

    Parameters
    ----------
    value, goal : ndarray, any shape
        In one unit, whatever it is.
    share : ndarray or float
        ``gain`` of the lag, share.

    Returns
    -------
    ndarray, same shape and unit

    Conserves: nothing (an expectation or a level).
    Source: exact solution of a first-order lag over a step (definition).
    """
    return value + (goal - value) * share


def carried_on(level: np.ndarray, slower: np.ndarray, weight: np.ndarray | float) -> np.ndarray:
    """Carry a trend on: what a smoothed flow will be if it goes on moving away from its slower mean.

    Parameters
    ----------
    level, slower : ndarray, any shape
        A flow smoothed once, and that smoothed again, in one unit.
    weight : ndarray or float
        Of their difference: one undoes the lag of the level, more looks ahead.

    Returns
    -------
    ndarray, same shape and unit

    Conserves: nothing (an expectation).
    Source: double exponential smoothing (definition).
    """
    return level + weight * (level - slower)


def toward(
    value: np.ndarray, goal: np.ndarray, weeks: float, time_constant: np.ndarray | float
) -> np.ndarray:
    """Move ``value`` toward ``goal`` for ``weeks`` with a first-order lag (same shape and unit).

    Conserves: nothing (an expectation or a level).
    Source: exact solution of a first-order lag over a step (definition).
    """
    return value + (goal - value) * gain(weeks, time_constant)


def pipeline(
    held: np.ndarray, started: np.ndarray, passed: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Move capacity through three steps of building into service.

    Parameters
    ----------
    held : ndarray, shape (4, n, w)
        Three steps under way and, last, what is in service, share of the base year.
    started : ndarray, shape (n, w)
        Decided in this step, share of the base year.
    passed : ndarray or float
        Share of each step that moves on.

    Returns
    -------
    tuple of ndarray, shape (n, w) each
        The four steps afterwards.

    Conserves: their sum grows by ``started``.
    Source: Erlang delay of order three, after Sterman, Business Dynamics (2000), ch. 11.
    """
    moved = held[:3] * passed
    return (
        held[0] + (started - moved[0]),
        held[1] + (moved[0] - moved[1]),
        held[2] + (moved[1] - moved[2]),
        held[3] + moved[2],
    )
