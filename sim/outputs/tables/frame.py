"""Blocks of rows that become one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


BAND = ("mean", "p05", "p50", "p95")
NEGLIGIBLE_T = 1e-4


class Stack:
    """Collects blocks of rows and makes one table of them (a frame per block is slow)."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {}
        self.lengths: list[int] = []

    def add(self, **columns: Any) -> None:
        """Add a block: arrays of one length, and words that hold for all its rows."""
        length = max(len(v) for v in columns.values() if not isinstance(v, str | float | int))
        self.lengths.append(length)
        for name, values in columns.items():
            self.columns.setdefault(name, []).append(values)

    def frame(self) -> pd.DataFrame:
        """All blocks as a table."""
        import pandas as pd

        done: dict[str, Any] = {}
        for name, blocks in self.columns.items():
            if all(isinstance(b, str) for b in blocks):
                words, codes = np.unique(np.array(blocks, dtype=object), return_inverse=True)
                done[name] = pd.Categorical.from_codes(
                    np.repeat(codes, self.lengths), list(words)
                ).astype("str")
            else:
                done[name] = np.concatenate(
                    [
                        np.full(n, b) if isinstance(b, float | int) else np.asarray(b)
                        for b, n in zip(blocks, self.lengths, strict=True)
                    ]
                )
        return pd.DataFrame(done)
