"""Room for series: arrays in which batches of worlds stand side by side on the last axis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Room:
    """Arrays of one layout and as many columns as batches are expected to fill.

    A batch writes its series where they are read together with those of others, so that nothing is
    copied: putting series side by side afterwards costs as much as reading them.

    Parameters
    ----------
    worlds : int
        Columns.
    """

    def __init__(self, worlds: int) -> None:
        self.worlds = worlds
        self.first = self.taken = 0
        self.arrays: dict[str, np.ndarray] = {}

    @property
    def free(self) -> int:
        """Columns that nobody has."""
        return self.worlds - self.taken

    def enter(self, worlds: int) -> None:
        """Give the next columns to a batch."""
        self.first, self.taken = self.taken, self.taken + worlds

    def leave(self) -> None:
        """Take the columns back from the batch that entered last, as if it had never been here."""
        for held in self.arrays.values():
            held[..., self.first : self.taken] = 0
        self.taken = self.first

    def zeros(self, name: str, steps: int, rows: int, code: bool = False) -> np.ndarray:
        """Room for a series of the batch that entered last, shape (steps, rows, w)."""
        if name not in self.arrays:
            shape = (steps, rows, self.worlds)
            self.arrays[name] = np.zeros(shape, dtype=np.uint8 if code else np.float32)
        return self.arrays[name][..., self.first : self.taken]

    def cut(self, like: Mapping[str, np.ndarray], columns: slice) -> dict[str, np.ndarray]:
        """Series of some columns, contiguous; all of them are not copied.

        Parameters
        ----------
        like : mapping
            Series of one batch by name, (steps, rows, w) each: what nobody has written (one number
            for all worlds) is not here, and is as wide as the columns.
        columns : slice
        """
        wide = columns.stop - columns.start

        def cut(name: str, own: np.ndarray) -> np.ndarray:
            if name in self.arrays:
                return np.ascontiguousarray(self.arrays[name][..., columns])
            return np.broadcast_to(own[..., :1], (*own.shape[:-1], wide))

        return {name: cut(name, own) for name, own in like.items()}
