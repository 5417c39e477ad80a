"""How what has landed is shared out."""

from __future__ import annotations

import numpy as np

#: Share of its target below which a user line serves its emptiest classes first (A250).
LOW_STOCK = 0.9
#: Claim of a line that wants nothing, share of its weekly use: so that
#: landed goods find a place (of no consequence for tonnes).
CRUMB = 1e-9


def wanted_on_arrival(
    rate: np.ndarray, weeks: float, target: np.ndarray, held: np.ndarray
) -> np.ndarray:
    """What a line or plant claims of an arrival: what brings its stock to target after use.

    Parameters
    ----------
    rate : ndarray, shape (u, w)
        Expected use, t/week.
    weeks : float
        Until the next arrival, weeks.
    target, held : ndarray, shape (u, w)
        Target stock and stock, t.

    Returns
    -------
    ndarray, shape (u, w)
        t, never nothing where there is use.

    Conserves: nothing (a claim).
    Source: order-up-to (base-stock) policy; Sterman, Business Dynamics (2000), ch. 17.
    """
    return np.maximum(rate * weeks + target - held, 0.0) + CRUMB * rate


def emptiness_weight(
    stock: np.ndarray, target: np.ndarray, urgent: np.ndarray | float, classes: int
) -> np.ndarray:
    """Weight of a class of users when its line runs low: equal parts, and the square of what lacks.

    Parameters
    ----------
    stock, target : ndarray, shape (b, u, w)
        t.
    urgent : ndarray, shape (w,)
        Weight of emptiness, share.
    classes : int

    Returns
    -------
    ndarray, shape (b, u, w)
        Weight, share before scaling to a sum of one.

    Conserves: nothing (a weight; what is handed out sums to what arrived).
    Source: `urgent.share` of `parameters.csv`; decision 13.
    """
    empty = np.maximum(1.0 - stock / np.maximum(target, 1e-12), 0.0)
    return (1.0 - urgent) / classes + urgent * (empty * empty)
