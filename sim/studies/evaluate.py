"""One point of a study: the worlds of a scenario, metric by metric, without a run folder.

This is all that studies ask of the model. A task is what travels to a worker: everything in it can
be pickled, and what comes back are plain arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError, ModelError

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.outputs.kept import Series
    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["Outcome", "Task", "compiles", "run_task"]


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
    """

    key: str
    metrics: tuple[dict[str, np.ndarray], ...] = ()
    draws: dict[str, np.ndarray] = field(default_factory=dict)
    shock: np.ndarray | None = None
    error: tuple[str, str] | None = None


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
        _asked(Series.of(Recorder(run)), task.asked)


def run_task(task: Task) -> Outcome:
    """Run one task; what is wrong with the input or the model is told, not raised."""
    try:
        return _reference(task) if task.shocks else _point(task)
    except InputError as error:
        return Outcome(task.key, error=("input", str(error)))
    except ModelError as error:
        return Outcome(task.key, error=("model", str(error)))
    except (ArithmeticError, LookupError, TypeError, ValueError, AssertionError) as error:
        return Outcome(task.key, error=("defect", f"{type(error).__name__}: {error}"))


def _point(task: Task) -> Outcome:
    from lodestone.runs.chunk import record
    from lodestone.runs.compiled import compile_scenario, shock_days

    compiled = compile_scenario(task.scenario, task.settings)
    metrics: list[dict[str, np.ndarray]] = []
    draws: list[dict[str, np.ndarray]] = []
    shocks: list[np.ndarray] = []
    for worlds in _batches(task):

        def shock(run: BatchRun, worlds: np.ndarray = worlds) -> np.ndarray:
            return shock_days(compiled, task.reference, worlds, run)

        _, series = record(compiled, worlds, shock)
        metrics.append(_values(series, task.asked))
        draws.append(_draws(series))
        shocks.append(series.shock_day[: series.keep])
    return Outcome(task.key, (_joined(metrics),), _joined(draws), np.concatenate(shocks))


def _batches(task: Task) -> list[np.ndarray]:
    from lodestone.runs.simulate import chunks

    days = task.settings.days_of(task.scenario.start, task.scenario.end)
    return chunks(task.settings.worlds, days)


def _reference(task: Task) -> Outcome:
    """Worlds of a reference, run once; metrics are counted from each point's own first disruption."""
    from lodestone.runs.chunk import record
    from lodestone.runs.compiled import compile_scenario

    compiled = compile_scenario(task.scenario, task.settings)
    parts: list[list[dict[str, np.ndarray]]] = [[] for _ in task.shocks]
    draws: list[dict[str, np.ndarray]] = []
    for worlds in _batches(task):
        _, series = record(compiled, worlds, lambda run: np.zeros(len(run.worlds)))
        for i, shock in enumerate(task.shocks):
            parts[i].append(_values(series.after(shock[worlds]), task.asked))
        draws.append(_draws(series))
    return Outcome(task.key, tuple(_joined(p) for p in parts), _joined(draws))


def _values(series: Series, asked: Sequence[str]) -> dict[str, np.ndarray]:
    """Metrics of a batch of worlds: those of the summary, and those asked for."""
    from lodestone.outputs.metrics import evaluate

    values: dict[str, Any] = evaluate(series) | _asked(series, asked)
    return {name: np.asarray(v, dtype=float)[: series.keep] for name, v in values.items()}


def _draws(series: Series) -> dict[str, np.ndarray]:
    return {name: np.asarray(v, dtype=float)[: series.keep] for name, v in series.draws.items()}


def _asked(series: Any, asked: Sequence[str]) -> dict[str, np.ndarray]:
    from lodestone.outputs.metrics import find
    from lodestone.studies.metrics import selectors_of

    out = {}
    for column in asked:
        name, selectors = selectors_of(column)
        out[column] = find(name)(series, **selectors)
    return out


def _joined(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
