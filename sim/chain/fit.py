"""Iterative proportional fitting: a table of habits made to agree with the totals of both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded where it is used, so that listing and help start without it
    import numpy as np


def proportional_fit(
    prior: np.ndarray, rows: np.ndarray, columns: np.ndarray, rounds: int = 500
) -> np.ndarray:
    """Scale a matrix to given row and column sums (iterative proportional fitting).

    Parameters
    ----------
    prior : ndarray, shape (o, d)
        Habit weights of the links, zero where there is none.
    rows, columns : ndarray, shape (o,), (d,)
        Supply of origins and need of destinations, equal totals.

    Returns
    -------
    ndarray, shape (o, d)
        Flows whose column sums are exact.
    """
    import numpy as np

    flow = prior.astype(float).copy()
    for _ in range(rounds):
        sums = flow.sum(axis=1)
        flow *= np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        sums = flow.sum(axis=0)
        flow *= np.divide(columns, sums, out=np.zeros_like(sums), where=sums > 0)[None, :]
        if np.abs(flow.sum(axis=1) - rows).max() <= 1e-10 * max(rows.sum(), 1e-12):
            break
    return flow
