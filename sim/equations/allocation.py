"""Who gets what is there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def ration(
    wanted: np.ndarray,
    weight: np.ndarray,
    available: np.ndarray,
    group: np.ndarray,
    total: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Share scarce stock over lanes by weighted rationing, in two rounds.

    Parameters
    ----------
    wanted : ndarray, shape (l, w)
        Releasable orders, t.
    weight : ndarray, shape (l, w) or (l, 1)
        Priority weight, above zero.
    available : ndarray, shape (c, w)
        Stock at the origins in the order of the groups, t.
    group : ndarray of int, shape (l,)
        Origin of each link, 0..c-1.
    total : callable
        Sums links by origin: (l, w) -> (c, w).

    Returns
    -------
    ndarray, shape (l, w)
        Shipments, never above the order nor, summed over an origin, above its stock.
        Conserves: what is shipped is what is taken from stock.
    """
    claims = total(wanted)
    if not np.any(claims > available):
        return wanted.copy()
    weighted = wanted * weight
    share = available / np.maximum(total(weighted), 1e-12)
    first = np.minimum(wanted, weighted * share[group])
    rest = wanted - first
    left = np.maximum(available - total(first), 0.0)
    fill = np.minimum(left / np.maximum(total(rest), 1e-12), 1.0)
    shipped = first + rest * fill[group]
    # Rounding may ask for a hair more than there is; scale back, never create tonnes.
    taken = total(shipped)
    scale = np.minimum(available / np.maximum(taken, 1e-12), 1.0)
    return np.where((claims > available)[group], shipped * scale[group], wanted)
