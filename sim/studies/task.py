"""What travels to a worker of a study: everything in it can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["Task"]

#: Worlds of a piece at least: a market day costs nearly as much for fewer.
LEAST = 16


@dataclass(frozen=True)
class Task:
    """Worlds to run.

    Attributes
    ----------
    key
        Of the point, or of the reference.
    scenario
        What is run.
    reference
        What it is measured against (for the day of the first disruption), or None.
    settings
        Worlds, seed, market days.
    asked
        Further metrics with selectors, as text, beside those of every summary.
    shocks
        For a reference: the days of the first disruption from which its metrics are counted,
        shape (w,) each. Empty for a point, which finds its own.
    piece
        Which piece of the worlds this is, and of how many.
    """

    key: str
    scenario: Scenario
    reference: Scenario | None
    settings: Settings
    asked: tuple[str, ...] = ()
    shocks: tuple[np.ndarray, ...] = ()
    piece: tuple[int, int] = (0, 1)

    def pieces(self, processes: int) -> list[Task]:
        """The task cut by worlds, so that several processes share it."""
        many = max(1, min(processes, self.settings.worlds // LEAST))
        return [replace(self, piece=(k, many)) for k in range(many)]

    def batches(self) -> list[np.ndarray]:
        """Numbers of the worlds of this piece, batch by batch."""
        from lodestone.runs.simulate import chunks

        number, many = self.piece
        own = np.array_split(np.arange(self.settings.worlds), many)[number]
        days = self.settings.days_of(self.scenario.start, self.scenario.end)
        return [own[batch] for batch in chunks(len(own), days)]
