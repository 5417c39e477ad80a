"""Weighted rows of a market day, added up: what nearly every series is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions

#: A market day of a series: its value, or what is over what where it is a share, shape (w,) each.
Day = tuple[np.ndarray, np.ndarray | None]
Look = Callable[["BatchRun", "Conditions"], Day]
#: Rows of a market day: (run, rows) -> (rows, w).
Rows = Callable[["BatchRun", np.ndarray], np.ndarray]


class Absent(Exception):
    """The run has no such series; the message says why."""


class Sum:
    """Rows of readings with what of each counts, added up to shape (w,).

    Parameters
    ----------
    worlds : int
    """

    def __init__(self, worlds: int) -> None:
        self.worlds = worlds
        self.terms: list[tuple[Rows, np.ndarray, np.ndarray]] = []

    def add(self, read: Rows, weight: np.ndarray) -> Sum:
        """Add rows of a reading by their weights, shape (rows,); those of none are left out."""
        rows = np.flatnonzero(weight)
        if rows.size:
            self.terms.append((read, rows, weight[rows][:, None]))
        return self

    def some(self, why: str) -> Sum:
        """This sum, where it has a row at all.

        Raises
        ------
        Absent
            It has none: ``why``.
        """
        if not self.terms:
            raise Absent(why)
        return self

    def of(self, run: BatchRun) -> np.ndarray:
        """The sum on the market day that has closed, shape (w,)."""
        total = np.zeros(self.worlds)
        for read, rows, weight in self.terms:
            total = total + (read(run, rows) * weight).sum(axis=0)
        return total

    def __call__(self, run: BatchRun, rules: Conditions) -> Day:
        """As what reads a market day."""
        return self.of(run), None
