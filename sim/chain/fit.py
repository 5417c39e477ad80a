"""Iterative proportional fitting: a table of habits made to agree with the totals of both ends."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded where it is used, so that listing and help start without it
    import numpy as np


#: Fits kept in a process, the latest used last: a base year takes some 26, of 2 kB each.
KEPT = 128

_kept: OrderedDict[tuple[bytes, ...], np.ndarray] = OrderedDict()


def proportional_fit(
    prior: np.ndarray, rows: np.ndarray, columns: np.ndarray, rounds: int = 500
) -> np.ndarray:
    """Scale a matrix to given row and column sums (iterative proportional fitting).

    Most stages of two base years that differ in one number have the same totals: what was fitted
    to the same bytes is kept.

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
    key = (prior.tobytes(), rows.tobytes(), columns.tobytes(), b"%d" % rounds)
    if key not in _kept:
        _kept[key] = _fitted(prior, rows, columns, rounds)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key].copy()


def _fitted(prior: np.ndarray, rows: np.ndarray, columns: np.ndarray, rounds: int) -> np.ndarray:
    import numpy as np

    flow = prior.astype(float).copy()
    enough = 1e-10 * max(rows.sum(), 1e-12)
    sums = flow.sum(axis=1)
    for _ in range(rounds):
        flow *= np.divide(rows, sums, out=np.zeros_like(sums), where=sums > 0)[:, None]
        sums = flow.sum(axis=0)
        flow *= np.divide(columns, sums, out=np.zeros_like(sums), where=sums > 0)[None, :]
        sums = flow.sum(axis=1)
        if np.abs(sums - rows).max() <= enough:
            break
    return flow
