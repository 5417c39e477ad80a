"""One point of a study: the worlds of a scenario, metric by metric, without a run folder.

This is all that studies ask of the model. What comes back of a task are plain arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lodestone.border.errors import InputError, ModelError
from lodestone.studies.bench import WRONG, Batch, Bench, asked_of
from lodestone.studies.columns import Columns
from lodestone.studies.task import Task

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun

__all__ = ["Outcome", "Running", "Task", "compiles", "run_task", "start_task"]


@dataclass(frozen=True)
class Outcome:
    """What a task gives back.

    Attributes
    ----------
    key
        As in the task.
    metrics
        For a point one table, for a reference one for each of its shocks: values by metric,
        shape (w,).
    draws
        Values by input, shape (w,).
    shock
        Day of the first disruption, shape (w,).
    error
        What went wrong: kind and message; then there are no metrics.
    piece
        As in the task.
    """

    key: str
    metrics: tuple[Columns, ...] = ()
    draws: Columns = field(default_factory=Columns)
    shock: np.ndarray | None = None
    error: tuple[str, str] | None = None
    piece: tuple[int, int] = (0, 1)

    @classmethod
    def joined(cls, pieces: Sequence[Outcome]) -> Outcome:
        """The outcome of a reference whose worlds were run in pieces."""
        wrong = next((p for p in pieces if p.error is not None), None)
        if wrong is not None or len(pieces) == 1:
            return wrong or pieces[0]
        each = zip(*(p.metrics for p in pieces), strict=True)
        return cls(pieces[0].key, tuple(map(Columns.joined, each)))


def compiles(task: Task) -> None:
    """Build a point without running it.

    Raises
    ------
    InputError
        A measure that cannot be compiled, or a metric that the run does not have.
    """
    from lodestone.outputs.kept import Series
    from lodestone.outputs.recorder import Recorder
    from lodestone.runs.compiled import compile_scenario

    run = compile_scenario(task.scenario, task.settings).batch(np.arange(2))
    if task.asked:
        asked_of(Series.of(Recorder(run)), task.asked)


@dataclass
class Running:
    """A task that has been run; its metrics are there when the bench has settled.

    Attributes
    ----------
    key
        As in the task.
    batches
        Its worlds.
    shock
        Of a point: day of the first disruption, shape (w,).
    error
        What went wrong.
    more
        Of a reference: metrics from each further shock.
    """

    key: str
    batches: list[Batch] = field(default_factory=list)
    shock: np.ndarray | None = None
    error: Exception | None = None
    more: tuple[Columns, ...] = ()

    def outcome(self) -> Outcome:
        """What the task gives back; what is wrong with the input or the model is told."""
        error = next((e for e in (self.error, *(b.error for b in self.batches)) if e), None)
        if error is not None:
            return Outcome(self.key, error=_told(error))
        metrics = Columns.joined([b.metrics for b in self.batches if b.metrics is not None])
        draws = Columns.joined([b.draws for b in self.batches])
        return Outcome(self.key, (metrics, *self.more), draws, self.shock)


def _told(error: Exception) -> tuple[str, str]:
    """Kind and message of an error."""
    for kind, what in (("input", InputError), ("model", ModelError)):
        if isinstance(error, what):
            return kind, str(error)
    return "defect", f"{type(error).__name__}: {error}"


def run_task(task: Task) -> Outcome:
    """Run one task; what is wrong with the input or the model is told, not raised."""
    bench = Bench([task])
    running = start_task(task, bench)
    bench.settle()
    return running.outcome()


def start_task(task: Task, bench: Bench) -> Running:
    """Run the worlds of a task, and leave their metrics to the bench."""
    running = Running(task.key)
    try:
        _reference(task, bench, running) if task.shocks else _point(task, bench, running)
    except WRONG as error:
        running.error, running.shock = error, None
    return running


def _point(task: Task, bench: Bench, running: Running) -> None:
    from lodestone.runs.compiled import compile_scenario, shock_days

    compiled = compile_scenario(task.scenario, task.settings)
    for worlds in task.batches():

        def shock(run: BatchRun, worlds: np.ndarray = worlds) -> np.ndarray:
            return shock_days(compiled, task.reference, worlds, run)

        running.batches.append(bench.record(task, compiled, worlds, shock))
    running.shock = np.concatenate([b.shock for b in running.batches])


def _since(shock: np.ndarray, run: BatchRun) -> np.ndarray:
    """Days that another case gives, whatever a batch holds."""
    return shock


def _reference(task: Task, bench: Bench, running: Running) -> None:
    """Worlds of a reference, run once; metrics are counted from each point's own first disruption."""
    from lodestone.runs.compiled import compile_scenario

    compiled = compile_scenario(task.scenario, task.settings)
    first, *others = task.shocks
    more: list[list[Columns]] = [[] for _ in others]
    for worlds in task.batches():
        batch = bench.record(task, compiled, worlds, partial(_since, first[worlds]))
        running.batches.append(batch)
        for parts, found in zip(more, bench.again(batch, (s[worlds] for s in others)), strict=True):
            parts.append(found)
    running.more = tuple(map(Columns.joined, more))
