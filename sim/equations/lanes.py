"""Goods go where they pay more than it costs to bring them."""

from __future__ import annotations

import numpy as np

#: Power by which the exponential is replaced, so that a large loss stops a lane (stands for exp: A303).
POWER = 8.0
#: Share of the seller's price in delivered cost above which the rest is left aside (rounding).
NEARLY_ALL = 0.98


def landed(log_price: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Log of delivered cost over the base year's, from the seller's price: freight does not move with it.

    ``ln(s P + 1 - s)``. Where freight is next to nothing, ``s ln P`` will do.

    Parameters
    ----------
    log_price : ndarray, shape (n, w)
        Log of the seller's price over its base, no unit.
    share : ndarray, shape (n, 1)
        Share ``s`` of the seller's price in delivered cost, no unit.

    Returns
    -------
    ndarray, shape (n, w)
        Log, no unit.

    Conserves: nothing (a price).
    Source: delivered cost is price plus freight (A303).
    """
    return np.log(share * np.exp(log_price) + 1.0 - share)


def lane_root(gap: float, response: float) -> float:
    """Eighth root of what a lane is offered at a gap of prices: ``1 + kappa g / 8``, nought at least.

    To the eighth power this is ``exp(kappa g)`` near nought and nil for a large loss.

    Parameters
    ----------
    gap : float, of a lane and world: shape ()
        Log of the price there over the delivered cost from here: price, tax, freight, rent, risk.
    response : float
        ``kappa``, no unit.

    Returns
    -------
    float
        Root, one at a gap of nought; what is offered rises by ``kappa / root`` of itself a log of gap.

    Conserves: nothing (an offer).
    Source: A303.
    """
    return max(1.0 + response * gap / POWER, 0.0)


def pull_of_root(root: float) -> float:
    """Multiple of its usual tonnes that a lane is offered, from its eighth root.

    Parameters
    ----------
    root : float, of a lane and world: shape ()
        :func:`lane_root`, no unit.

    Returns
    -------
    float
        Multiple, nought or more.

    Conserves: nothing (an offer).
    Source: A303.
    """
    square = root * root
    fourth = square * square
    return fourth * fourth
