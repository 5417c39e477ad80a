"""A book: paper or a count that stands beside the stocks, and that can be copied and put back."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


class Book:
    """Base of licence office, quota books, magnets in use and ledger.

    What changes in a book are arrays, lists of arrays and plain numbers; everything else (layout,
    rules of a quota) stays as it was built and is shared.
    """

    def copy(self) -> Self:
        """An independent copy of what the book holds."""
        new = copy.copy(self)
        for name, value in vars(self).items():
            setattr(new, name, _copied(value))
        return new

    def restore(self, saved: Self) -> None:
        """Put back what a copy holds."""
        for name, value in vars(saved).items():
            setattr(self, name, _copied(value))


__all__ = ["Book"]
