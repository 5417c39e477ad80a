"""Batches of worlds that are run one after the other and whose metrics are worked out together.

A metric gives one value a world, and costs as much to call for eight worlds as for a hundred. So
the worlds of several points stand side by side in one room, as those of one batch do, and every
metric is worked out once for all of them. What a metric may read of its series decides which worlds
can stand together: the same rows, chain, discount rate and names of draws. Days of first
disruption and draws are a value a world, so any metric can be worked out so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError, ModelError
from lodestone.outputs.kept import Series
from lodestone.outputs.room import Room
from lodestone.studies.columns import Columns

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.runs.compiled import Compiled
    from lodestone.studies.task import Task

__all__ = ["WRONG", "Batch", "Bench"]

#: What goes wrong with a point and is told, not raised.
WRONG = (
    InputError, ModelError, ArithmeticError, LookupError, TypeError, ValueError, AssertionError,
)  # fmt: skip
#: Worlds times market days that stand side by side at most, unless one batch has more: some 140 MB.
TOGETHER = 16_384


@dataclass
class Batch:
    """A batch of worlds of a task that has been run.

    Attributes
    ----------
    asked
        Columns of metrics beside those of every summary.
    series, columns
        What it left, and where that stands in its room; None once it has been read.
    draws, shock
        Values by input, (inputs, w), and day of the first disruption, (w,).
    metrics
        Once they are worked out, (metrics, w).
    error
        What went wrong with them.
    """

    asked: tuple[str, ...]
    series: Series | None
    columns: slice
    draws: Columns
    shock: np.ndarray
    metrics: Columns | None = None
    error: Exception | None = None


class Bench:
    """Runs batches and works out their metrics.

    Parameters
    ----------
    ahead : iterable of Task
        What will come, for the room that is made. Nothing but time depends on it.
    """

    def __init__(self, ahead: Iterable[Task] = ()) -> None:
        self.ahead: Counter[tuple[Any, ...]] = Counter()
        for task in ahead:
            self.ahead[_kind(task)] += max(task.settings.worlds, 2)  # a single one has a copy
        self.room = Room(0)
        self.key: tuple[Any, ...] = ()
        self.held: list[Batch] = []

    def record(
        self,
        task: Task,
        compiled: Compiled,
        worlds: np.ndarray,
        shock: Callable[[BatchRun], np.ndarray],
    ) -> Batch:
        """Run some worlds of a task; their metrics are worked out later, by `settle` at the latest.

        Parameters
        ----------
        shock : callable
            Day from which consequences are counted, shape (w,), for the batch.
        """
        batch = _batch(task, *self._run(task, compiled, worlds, shock))
        self.held.append(batch)
        return batch

    def record_abreast(
        self,
        tasks: Sequence[Task],
        compiled: Compiled,
        worlds: np.ndarray,
        shock: Callable[[BatchRun], np.ndarray],
    ) -> list[Batch]:
        """Run the worlds of several tasks as one batch and cut it apart.

        Parameters
        ----------
        tasks : sequence of Task
            They are run alike, and asked for the same.
        compiled : Compiled
            All of them, see `abreast`.
        worlds : ndarray of int, shape (tasks * w,)
            Those of the first task, of the second, and so on: at least two of each.
        shock : callable
            As in `record`, for all columns.
        """
        series, columns = self._run(tasks[0], compiled, worlds, shock)
        wide, batches = len(worlds) // len(tasks), []
        for k, task in enumerate(tasks):
            own = slice(k * wide, (k + 1) * wide)
            part = series.part(own, min(task.settings.worlds, wide))
            here = slice(columns.start + own.start, columns.start + own.stop)
            batches.append(_batch(task, part, here))
        self.held += batches
        return batches

    def _run(
        self,
        task: Task,
        compiled: Compiled,
        worlds: np.ndarray,
        shock: Callable[[BatchRun], np.ndarray],
    ) -> tuple[Series, slice]:
        """Run some worlds in the room; what they left, and its columns there."""
        from lodestone.runs.chunk import record

        entered = False

        def room(run: BatchRun) -> Room:
            nonlocal entered
            self._make_room(task, run, compiled.discount_rate)
            self.room.enter(len(run.worlds))
            entered = True
            return self.room

        try:
            _, series = record(compiled, worlds, shock, room=room)
        except BaseException:
            if entered:
                self.room.leave()
            raise
        return series, slice(self.room.first, self.room.taken)

    def _make_room(self, task: Task, run: BatchRun, discount_rate: float) -> None:
        """Leave the room as it is where a batch fits in; else settle what stands there."""
        from lodestone.outputs.recorder import drawn_names
        from lodestone.outputs.rows import rows_of

        wide, kind = len(run.worlds), _kind(task)
        drawn = drawn_names(run)
        # Those who stand there hold rows and chain, so that no others take their place in memory.
        key = (id(rows_of(run)), id(run.chain), discount_rate, task.asked, drawn)
        if key != self.key or self.room.free < wide:
            self.settle()
            days = task.settings.days_of(task.scenario.start, task.scenario.end)
            most = min(int(TOGETHER / max(days, 1.0)), self.ahead[kind])
            self.key, self.room = key, Room(max(most // wide, 1) * wide)
        self.ahead[kind] -= wide

    def settle(self) -> None:
        """Work out the metrics of all batches that stand in the room, and leave it."""
        held, room = self.held, self.room
        self.held, self.room, self.key = [], Room(0), ()
        try:
            _work_out(held, room)
        except WRONG:  # one of them is wrong: the others stand
            for batch in held:
                try:
                    _work_out([batch], room)
                except WRONG as error:
                    batch.error = error
        for batch in held:
            batch.series = None

    def again(self, batch: Batch, shocks: Iterable[np.ndarray]) -> list[Columns]:
        """Metrics of a batch that stands in the room, counted from other days, (w,) each."""
        series = batch.series
        assert series is not None
        arrays, found = self.room.cut(series.arrays, batch.columns), []
        for shock in shocks:
            whole = Series.beside([series.after(shock)], arrays)
            found.append(Columns.of(values_of(whole, batch.asked)).cut(slice(0, series.keep)))
        return found


def _batch(task: Task, series: Series, columns: slice) -> Batch:
    """A batch whose metrics are still to be worked out."""
    draws = Columns.of(series.draws).cut(slice(0, series.keep))
    return Batch(task.asked, series, columns, draws, series.shock_day[: series.keep])


def _work_out(batches: Sequence[Batch], room: Room) -> None:
    """Work out the metrics of batches that stand side by side."""
    each = [b.series for b in batches if b.series is not None]
    if not each:
        return
    first = batches[0].columns.start
    columns = slice(first, batches[-1].columns.stop)
    whole = Series.beside(each, room.cut(each[0].arrays, columns))
    found = Columns.of(values_of(whole, batches[0].asked))
    for batch, series in zip(batches, each, strict=True):
        start = batch.columns.start - first
        batch.metrics = found.cut(slice(start, start + series.keep))


def _kind(task: Task) -> tuple[Any, ...]:
    """What tasks whose worlds will stand together mostly share."""
    s, settings = task.scenario, task.settings
    said = sorted((key, repr(value)) for key, value in s.overrides.items())
    return s.vintage, s.start, s.end, settings.market_days, settings.discount_rate, tuple(said)


def values_of(series: Series, asked: Sequence[str]) -> dict[str, np.ndarray]:
    """Metrics of some worlds: those of every summary, and those asked for."""
    from lodestone.outputs.metrics import evaluate

    return evaluate(series) | asked_of(series, asked)


def asked_of(series: Any, asked: Sequence[str]) -> dict[str, np.ndarray]:
    """Metrics that are asked for, by column."""
    from lodestone.outputs.metrics import find
    from lodestone.studies.metrics import selectors_of

    out = {}
    for column in asked:
        name, selectors = selectors_of(column)
        out[column] = find(name)(series, **selectors)
    return out
