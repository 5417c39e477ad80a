"""Goods and ore under way."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled


@compiled
def any_in(rows: np.ndarray, values: np.ndarray) -> bool:
    """Whether any of the rows of ``values`` (l, w) holds something."""
    for i in range(rows.shape[0]):
        row = rows[i]
        for w in range(values.shape[1]):
            if values[row, w] != 0.0:
                return True
    return False


@compiled
def land_rows(
    rows: np.ndarray, tonnes: np.ndarray, in_transit: np.ndarray, landed: np.ndarray
) -> None:
    """The rows of a sailing arrive: ``tonnes`` (l, w) of these links moves to landed (l, w)."""
    for i in range(rows.shape[0]):
        row = rows[i]
        for w in range(tonnes.shape[1]):
            in_transit[row, w] -= tonnes[row, w]
            landed[row, w] += tonnes[row, w]
