"""Rows of arrays: constants by row, and sums of rows by group."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

WEEKS_PER_YEAR = 365.25 / 7.0


def column(values: object) -> np.ndarray:
    """A constant per row, shape (n, 1)."""
    return np.asarray(values, dtype=float).reshape(-1, 1)


class Segments:
    """Rows sorted by a group, and their sums by group.

    Sums are products with a sparse matrix of ones: four times faster than ``np.add.reduceat``
    and the same bytes for any number of worlds (each world is added in row order).

    Parameters
    ----------
    sorted_ids : ndarray of int, shape (n,)
        Group of each row, not decreasing.

    Attributes
    ----------
    group : ndarray of int, shape (n,)
        Position of each row's group among the groups present.
    starts : ndarray of int, shape (g,)
        First row of each group.
    ids : ndarray of int, shape (g,)
        Which group stands at each position.
    """

    def __init__(self, sorted_ids: np.ndarray) -> None:
        self.rows = np.asarray(sorted_ids, dtype=int)
        self.ids, self.starts, self.group = np.unique(
            self.rows, return_index=True, return_inverse=True
        )
        self._by_size: dict[int, csr_array] = {}

    @classmethod
    def of(cls, sorted_ids: np.ndarray) -> Segments:
        """Segments of an ascending array of group ids."""
        return cls(sorted_ids)

    def _matrix(self, size: int) -> csr_array:
        if size not in self._by_size:
            n = len(self.rows)
            target = self.rows if size else self.group
            shape = (size or len(self.ids), n)
            self._by_size[size] = csr_array((np.ones(n), (target, np.arange(n))), shape=shape)
        return self._by_size[size]

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """Sum of rows (n, ...) by the groups present, shape (g, ...)."""
        flat = np.ascontiguousarray(rows).reshape(len(self.rows), -1)
        return (self._matrix(0) @ flat).reshape(len(self.ids), *rows.shape[1:])

    def spread(self, rows: np.ndarray, size: int) -> np.ndarray:
        """Sum of rows (n, ...) in an array of ``size`` groups, zeros where none."""
        flat = np.ascontiguousarray(rows).reshape(len(self.rows), -1)
        return (self._matrix(size) @ flat).reshape(size, *rows.shape[1:])


__all__ = ["WEEKS_PER_YEAR", "Segments", "column"]
