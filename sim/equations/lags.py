"""Exact first-order lags: stable for any time constant at any step."""

from __future__ import annotations

import numpy as np


def gain(weeks: np.ndarray | float, time_constant: np.ndarray | float) -> np.ndarray:
    """Share of the distance covered in a step by a first-order lag.

    Parameters
    ----------
    weeks : float
        Length of the step, weeks.
    time_constant : ndarray or float
        Time constant, weeks; 0 gives an immediate response.

    Returns
    -------
    ndarray
        ``1 - exp(-weeks / time_constant)``, 0..1. Conserves nothing.
    """
    return -np.expm1(-weeks / np.maximum(time_constant, 1e-9))


def toward(
    value: np.ndarray, goal: np.ndarray, weeks: float, time_constant: np.ndarray | float
) -> np.ndarray:
    """Move ``value`` toward ``goal`` for ``weeks`` with a first-order lag (same shape and unit)."""
    return value + (goal - value) * gain(weeks, time_constant)
