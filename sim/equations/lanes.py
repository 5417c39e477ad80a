"""Goods go where they pay more than it costs to bring them."""

from __future__ import annotations

import numpy as np

#: Power by which the exponential is replaced, so that a large loss stops a lane (stands for exp: A303).
POWER = 8.0


def lane_pull(gap: np.ndarray, response: float) -> np.ndarray:
    """Multiple of its usual tonnes that a lane is offered at a gap of prices.

    ``(1 + kappa g / 8)^8``, which is ``exp(kappa g)`` near nought and nil for a large loss.

    Parameters
    ----------
    gap : ndarray, shape (l, w)
        Log of the price there over the delivered cost from here: price, tax, freight, rent, risk.
    response : float
        ``kappa``, no unit.

    Returns
    -------
    ndarray
        Multiple, nought or more, one at a gap of nought.

    Conserves: nothing (an offer).
    Source: A303.
    """
    x = np.maximum(1.0 + response * gap / POWER, 0.0)
    x = x * x
    x = x * x
    return x * x
