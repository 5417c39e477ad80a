"""Every table of a run folder: declared once, with the columns a reader may rely on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lodestone.chain.nouns import Chain
from lodestone.outputs.labels import Labels
from lodestone.outputs.parts import Parts
from lodestone.outputs.tables.frame import BAND

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.scenario import Scenario

Make = Callable[["Source"], "pd.DataFrame"]


@dataclass(frozen=True)
class Source:
    """What tables are made of: kept series with their labels, and the chain; no live run.

    Attributes
    ----------
    chain, calm_chain : Chain
        Of the scenario and of its reference, plants that they add included.
    asked : Scenario
    scenario, reference : Parts
        Parts of both cases; ``reference`` is None where the scenario runs alone.
    discount_rate : float
        Share a year, real.
    """

    chain: Chain
    calm_chain: Chain
    asked: Scenario
    scenario: Parts
    reference: Parts | None
    discount_rate: float

    @property
    def labels(self) -> Labels:
        """Rows and dates of the scenario; those of the reference are its parts' own."""
        return self.scenario.rows

    @cached_property
    def dates(self) -> list[str]:
        """Market days, ISO."""
        return [d.isoformat() for d in self.labels.dates]

    @cached_property
    def shocks(self) -> tuple[date, date]:
        """First and last day of the first disruption over the worlds."""
        days = self.scenario.array("shock_day")
        start = self.labels.start
        first, last = (start + timedelta(days=int(d)) for d in (days.min(), days.max()))
        return first, last

    def price_weights(self, rows: np.ndarray) -> np.ndarray:
        """Weights of rows of the ask and paid prices: base-year tonnes bought there, sum 1."""
        tonnes = self.labels.c_need[np.array(self.labels.priced_cells)[rows], 0]
        return tonnes / tonnes.sum()


@dataclass(frozen=True)
class Table:
    """A registered table.

    Attributes
    ----------
    name : str
        Of its function and, with ``.csv``, of its file.
    words, numbers : tuple of str
        Columns that a reader may rely on; none: whatever stands there.
    paired : bool
        Whether there is one only where the run has a reference.
    reads : tuple of str
        Series of every world that it is made of: a run keeps them until its tables are written.
    make : callable
        ``make(source)`` gives the frame.
    """

    name: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    paired: bool
    reads: tuple[str, ...]
    make: Make


TABLES: dict[str, Table] = {}


def table(
    words: tuple[str, ...] = (),
    numbers: tuple[str, ...] = (),
    paired: bool = False,
    reads: tuple[str, ...] = (),
) -> Callable[[Make], Make]:
    """Register a table under its function's name; a second one of that name raises."""

    def register(make: Make) -> Make:
        name = make.__name__
        if name in TABLES:
            raise ValueError(f"two tables are called {name}")
        TABLES[name] = Table(name, words, numbers, paired, reads, make)
        return make

    return register


def banded(stem: str) -> tuple[str, ...]:
    """Columns of a band: mean and three quantiles."""
    return tuple(f"{stem}_{quantile}" for quantile in BAND)
