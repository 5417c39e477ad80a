"""End use: how much is wanted, used, missed, and how substitution builds up."""

from __future__ import annotations

import numpy as np

CLASSES = 5
CLASS_Z = np.array([-1.4, -0.53, 0.0, 0.53, 1.4])


def class_cover(spread: np.ndarray) -> np.ndarray:
    """Multipliers of target cover of the user classes (mean one).

    Parameters
    ----------
    spread : ndarray, shape (w,) or (1,)
        Log-standard deviation of cover over users.

    Returns
    -------
    ndarray, shape (b, w)
        ``exp(spread z_b)`` divided by its mean; five classes of equal use
        (quintile mid-points of a normal).
    """
    raw = np.exp(CLASS_Z[:, None] * np.atleast_1d(spread)[None, :])
    return raw / raw.mean(axis=0)


def planned_use(
    base: np.ndarray,
    growth: np.ndarray,
    factor: np.ndarray | float,
) -> np.ndarray:
    """Use planned before price response and substitution, t/week, shape (u, w)."""
    return base * growth * factor


def price_response(log_price_ratio: np.ndarray, elasticity: np.ndarray) -> np.ndarray:
    """Demand multiplier of the paid price: ``(P / P0) ** -elasticity``.

    Parameters
    ----------
    log_price_ratio : ndarray, shape (u, w)
        Log of paid price over its base-year value.
    elasticity : ndarray, shape (u, 1) or (u, w)
        Short-run elasticity, positive number.
    """
    return np.exp(-elasticity * log_price_ratio)


def substitution_target(
    signal: np.ndarray, ceiling: np.ndarray, speed: np.ndarray | float
) -> np.ndarray:
    """Share of use that would be substituted if today's signal lasted.

    Parameters
    ----------
    signal : ndarray, shape (u, w)
        Lagged signal: log price ratio above one plus three times the unmet share.
    ceiling : ndarray, shape (u, 1)
        Highest share that can ever be substituted.
    speed : float
        Steepness; only the product with the ceiling is pinned by history.
    """
    return ceiling * -np.expm1(-speed * signal)
