"""Who gets what is there."""

from __future__ import annotations

import numpy as np


def ration(
    wanted: np.ndarray,
    weight: np.ndarray,
    available: np.ndarray,
    group: np.ndarray,
    starts: np.ndarray,
) -> np.ndarray:
    """Share scarce stock over lanes by weighted rationing, in two rounds.

    Parameters
    ----------
    wanted : ndarray, shape (l, w)
        Releasable orders, t, lanes sorted by origin.
    weight : ndarray, shape (l, w) or (l, 1)
        Priority weight, above zero.
    available : ndarray, shape (c, w)
        Stock at the origins in the order of the groups, t.
    group : ndarray of int, shape (l,)
        Origin of each lane, 0..c-1, not decreasing.
    starts : ndarray of int, shape (c,)
        First lane of each origin.

    Returns
    -------
    ndarray, shape (l, w)
        Shipments, never above the order nor, summed over an origin, above its stock.
        Conserves: what is shipped is what is taken from stock.
    """
    claims = np.add.reduceat(wanted, starts, axis=0)
    if not np.any(claims > available):
        return wanted.copy()
    weighted = wanted * weight
    share = available / np.maximum(np.add.reduceat(weighted, starts, axis=0), 1e-12)
    first = np.minimum(wanted, weighted * share[group])
    rest = wanted - first
    left = np.maximum(available - np.add.reduceat(first, starts, axis=0), 0.0)
    fill = np.minimum(left / np.maximum(np.add.reduceat(rest, starts, axis=0), 1e-12), 1.0)
    shipped = first + rest * fill[group]
    # Rounding may ask for a hair more than there is; scale back, never create tonnes.
    total = np.add.reduceat(shipped, starts, axis=0)
    scale = np.minimum(available / np.maximum(total, 1e-12), 1.0)
    return np.where((claims > available)[group], shipped * scale[group], wanted)
