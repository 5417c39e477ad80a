"""Some worlds of a scenario in this process, without files: what studies call a thousand times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lodestone.border.expressions import Metric, parse_metric
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS, find, key_of, selections
from lodestone.runs.chunk import record
from lodestone.runs.compiled import Compiled, shock_days
from lodestone.scenario import Scenario

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """What some worlds of a scenario came to.

    Attributes
    ----------
    worlds : ndarray of int, shape (w,)
    metrics : dict
        Value in every world, shape (w,), by the name of its column: ``unmet_t[region=europe]``.
    reference : dict
        The same in the reference, counted from this scenario's first disruption; empty without one.
    series : Series or None
        The kept series, where they were asked for.
    """

    worlds: np.ndarray
    metrics: Values
    reference: Values = field(default_factory=dict)
    series: Series | None = None

    @property
    def delta(self) -> Values:
        """Scenario less reference in the same world; equal infinities differ by nothing."""
        out = {}
        with np.errstate(invalid="ignore"):
            for key, calm in self.reference.items():
                own = self.metrics[key]
                out[key] = np.where(own == calm, 0.0, own - calm)
        return out


@dataclass(frozen=True)
class Reference:
    """Worlds of a reference, run once for all the scenarios that are measured against it.

    Attributes
    ----------
    scenario : Scenario
    worlds : ndarray of int, shape (w,)
    seed, market_days, allocation
        How it was run; a scenario run otherwise cannot be measured against it.
    series : Series
    """

    scenario: Scenario
    worlds: np.ndarray
    seed: int
    market_days: float
    allocation: str | None
    series: Series


def _numbers(worlds: np.ndarray | int) -> np.ndarray:
    return np.arange(worlds) if isinstance(worlds, int) else np.asarray(worlds, dtype=int)


def wanted(asked: Sequence[str] | None, series: Series) -> dict[str, Metric]:
    """Metrics by the name of their column: those asked for, else all that the summary shows.

    Raises
    ------
    ValueError
        An expression cannot be read.
    """
    if asked is None:
        return {
            key_of(name, selection): Metric(name, tuple(selection.items()))
            for name, item in METRICS.items()
            for selection in selections(item, series)
        }
    return {text: parse_metric(text) for text in asked}


def values_of(series: Series, metrics: Mapping[str, Metric]) -> Values:
    """Metrics in every world that counts, shape (w,) each."""
    return {
        key: np.asarray(find(item.name)(series, **dict(item.selectors)), dtype=float)[: series.keep]
        for key, item in metrics.items()
    }


def run_worlds(
    compiled: Compiled,
    worlds: np.ndarray | int,
    *,
    asked: Sequence[str] | None = None,
    reference: Reference | None = None,
    keep: bool = False,
) -> Outcome:
    """Run some worlds in this process and say what came of them; nothing is written.

    Parameters
    ----------
    compiled : Compiled
    worlds : ndarray of int, shape (w,), or int
        World numbers, or how many from the first on. All at once: 128 are a good batch.
    asked : sequence of str, optional
        Metrics as in a verdict, ``unmet_t(region=europe)``; by default all of the summary.
    reference : Reference, optional
        Of the same worlds, from `run_reference`.
    keep : bool
        Whether the series come with the outcome.

    Raises
    ------
    InputError
        A metric or a selector is unknown, or a measure cannot be compiled.
    ModelError
        The mass balance does not close.
    ValueError
        The reference has other worlds or was run otherwise.
    """
    numbers = _numbers(worlds)
    calm = None if reference is None else reference.scenario
    if reference is not None:
        how = (compiled.seed, compiled.market_days, compiled.allocation)
        if how != (reference.seed, reference.market_days, reference.allocation) or not (
            np.array_equal(numbers, reference.worlds)
        ):
            raise ValueError("the reference has other worlds, or was run under other settings")
    _, series = record(compiled, numbers, lambda run: shock_days(compiled, calm, numbers, run))
    metrics = wanted(asked, series)
    against: Values = {}
    if reference is not None:
        against = values_of(reference.series.after(series.shock_day), metrics)
    return Outcome(numbers, values_of(series, metrics), against, series if keep else None)


def run_reference(compiled: Compiled, worlds: np.ndarray | int) -> Reference:
    """Run some worlds of a reference once; see `run_worlds` for the arguments.

    Its metrics are worked out anew for every scenario, because they are counted from the
    scenario's first disruption; its worlds are not run again.
    """
    numbers = _numbers(worlds)
    _, series = record(compiled, numbers, lambda run: np.zeros(len(numbers)))
    return Reference(
        compiled.scenario,
        numbers,
        compiled.seed,
        compiled.market_days,
        compiled.allocation,
        series,
    )
