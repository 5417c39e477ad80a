"""Sums over the rows of many selections at once, in the order in which numpy adds one of them."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled


@compiled
def add_by_day(
    values: np.ndarray, weight: np.ndarray, rows: np.ndarray, starts: np.ndarray, out: np.ndarray
) -> None:
    """Add weighted rows by market day.

    Parameters
    ----------
    values : ndarray, shape (T, g, w)
    weight : ndarray, shape (g,)
    rows, starts : ndarray of int, shape (m,), (n + 1,)
        Selection ``i`` owns ``rows[starts[i]:starts[i + 1]]``.
    out : ndarray, shape (n, T, w)
        Zeros, to which is added.
    """
    for i in range(len(starts) - 1):
        for t in range(values.shape[0]):
            for row in rows[starts[i] : starts[i + 1]]:
                for w in range(values.shape[2]):
                    out[i, t, w] += values[t, row, w] * weight[row]


@compiled
def add_whole(values: np.ndarray, rows: np.ndarray, starts: np.ndarray, out: np.ndarray) -> None:
    """Add rows over all market days: row by row, each from the first day to the last.

    Parameters
    ----------
    values : ndarray, shape (T, g, w)
    rows, starts : ndarray of int, shape (m,), (n + 1,)
        As in `add_by_day`.
    out : ndarray, shape (n, w)
        Zeros, to which is added.
    """
    for i in range(len(starts) - 1):
        for row in rows[starts[i] : starts[i + 1]]:
            for t in range(values.shape[0]):
                for w in range(values.shape[2]):
                    out[i, w] += values[t, row, w]
