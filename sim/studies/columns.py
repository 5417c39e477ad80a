"""Named values of worlds in one array, which travels between processes and to disk as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

__all__ = ["Columns"]


@dataclass(frozen=True, eq=False)
class Columns(Mapping[str, np.ndarray]):
    """Values by name, shape (w,) each.

    Attributes
    ----------
    names
        Of the rows.
    table
        Shape (names, w).
    """

    names: tuple[str, ...] = ()
    table: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    @classmethod
    def of(cls, values: Mapping[str, np.ndarray]) -> Columns:
        """The columns of a mapping."""
        return cls(tuple(values), np.array(list(values.values()), dtype=float)) if values else cls()

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """The worlds of several, one after the other; all have the same names."""
        if len(parts) == 1:
            return parts[0]
        return cls(parts[0].names, np.concatenate([p.table for p in parts], axis=1))

    def cut(self, worlds: slice) -> Columns:
        """Some worlds, as an array of their own."""
        return Columns(self.names, self.table[:, worlds].copy())

    def same(self, other: Columns) -> bool:
        """Whether names and bytes are the same."""
        return self.names == other.names and self.table.tobytes() == other.table.tobytes()

    @cached_property
    def _at(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def __getitem__(self, name: str) -> np.ndarray:
        return np.asarray(self.table[self._at[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __getstate__(self) -> dict[str, object]:
        return {"names": self.names, "table": self.table}
