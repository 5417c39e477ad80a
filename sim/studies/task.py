"""What travels to a worker of a study: everything in it can be pickled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["Task"]


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
    """

    key: str
    scenario: Scenario
    reference: Scenario | None
    settings: Settings
    asked: tuple[str, ...] = ()
    shocks: tuple[np.ndarray, ...] = ()
