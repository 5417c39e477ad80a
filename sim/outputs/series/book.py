"""Series that somebody asks for, kept by market day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.series.asked import Query
from lodestone.outputs.series.sums import Absent, Look
from lodestone.outputs.series.vocabulary import SERIES

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions

#: What decides what is read: a series and its words.
Probe = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]


class SeriesBook:
    """Watches a batch and keeps the series of some queries by market day, float64.

    Parameters
    ----------
    run : BatchRun
        The batch, before it starts.
    queries : iterable of Query
        Series of one case; what reads the same is kept once.

    Attributes
    ----------
    top, bottom : dict
        Probe -> (t, w); ``bottom`` only for shares.
    absent : dict
        Probe -> why the run has no such series.
    """

    def __init__(self, run: BatchRun, queries: Iterable[Query]) -> None:
        self.keep = len(run.asked)
        self.days = run.market_days
        self.first = float(run.scenario.start.toordinal())
        self.times = np.arange(0.0, run.calendar.last_day, run.market_days)
        self.looks: dict[Probe, Look] = {}
        self.absent: dict[Probe, str] = {}
        for query in queries:
            if query.probe in self.looks or query.probe in self.absent:
                continue
            try:
                self.looks[query.probe] = SERIES[query.metric].on(query, run)
            except Absent as error:
                self.absent[query.probe] = str(error)
        shape = (len(self.times), self.keep)
        self.top = {probe: np.zeros(shape) for probe in self.looks}
        self.bottom: dict[Probe, np.ndarray] = {}
        self.tick = 0

    def market_day(self, run: BatchRun, now: float, rules: Conditions) -> None:
        """Keep one market day."""
        for probe, look in self.looks.items():
            top, bottom = look(run, rules)
            self.top[probe][self.tick] = top[: self.keep]
            if bottom is not None:
                if probe not in self.bottom:
                    self.bottom[probe] = np.zeros_like(self.top[probe])
                self.bottom[probe][self.tick] = bottom[: self.keep]
        self.tick += 1

    def path(self, query: Query) -> np.ndarray:
        """A series by market day, shape (t, w); a share as what it is.

        Raises
        ------
        KeyError
            The run has no such series (see ``absent``).
        """
        top, bottom = self.top[query.probe][: self.tick], self.bottom.get(query.probe)
        return top if bottom is None else top / np.maximum(bottom[: self.tick], 1e-12)
