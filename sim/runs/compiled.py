"""A scenario made ready to run: compiled once, then drawn in as many batches as one likes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lodestone.border.difference import first_difference
from lodestone.chain.load import load_chain
from lodestone.engine.ground import Ground, ground_of
from lodestone.engine.run import BatchRun
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario


@dataclass(frozen=True)
class Compiled:
    """A scenario on its ground, with what decides how it is run.

    The ground (chain, closed base year, index spaces) is shared in a process by all scenarios that
    differ only in numbers of behaviour or in what their measures do. To another process only the
    scenario and the settings are sent; it lays the ground once.

    Attributes
    ----------
    scenario : Scenario
    seed : int
    market_days : float
    allocation : str or None
        Allocation rule everywhere unless the scenario says otherwise.
    discount_rate : float
        Share a year, real.
    """

    scenario: Scenario
    seed: int = 0
    market_days: float = 7.0
    allocation: str | None = None
    discount_rate: float = 0.05

    @cached_property
    def ground(self) -> Ground:
        """What all worlds share."""
        return ground_of(self.scenario, load_chain(self.scenario.vintage))

    def batch(self, worlds: np.ndarray) -> BatchRun:
        """Some worlds, drawn and ready to run; ``worlds`` are their numbers, shape (w,)."""
        base = load_chain(self.scenario.vintage)
        return BatchRun(self.scenario, base, self.seed, worlds, self.market_days, self.allocation)

    def with_(self, scenario: Scenario) -> Compiled:
        """Another scenario under the same settings."""
        return replace(self, scenario=scenario)

    def __getstate__(self) -> dict[str, object]:
        return {k: v for k, v in self.__dict__.items() if k != "ground"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)


def compile_scenario(scenario: Scenario, settings: Settings | None = None) -> Compiled:
    """A scenario compiled once.

    Raises
    ------
    InputError
        An override is wrong, a plant that is added does not fit, or the base year does not close.
    """
    settings = settings or Settings()
    compiled = Compiled(
        scenario,
        settings.seed,
        float(settings.market_days),
        settings.allocation,
        settings.discount_rate,
    )
    compiled.ground  # noqa: B018  compiled now, so that what is wrong is said here
    return compiled


def shock_days(
    scenario: Compiled,
    reference: Scenario | None,
    worlds: np.ndarray,
    run: BatchRun | None = None,
    first_column: int = 0,
) -> np.ndarray:
    """Day of the first disruption that the reference does not have, by world, shape (w,).

    A disruption that the reference has in another form counts from the first day on which the two
    differ, as far as it has begun by then. Without a disruption the first intervention counts,
    without any the first day.

    Parameters
    ----------
    scenario : Compiled
    reference : Scenario or None
    worlds : ndarray of int, shape (w,)
    run : BatchRun, optional
        The scenario in these worlds, where it is drawn already.
    first_column : int
        Where these worlds begin among those of the run.
    """
    same = {} if reference is None else reference.interventions
    own: dict[str, float] = {}
    for name, item in scenario.scenario.interventions.items():
        if same.get(name) != item:
            other = same.get(name)
            later = first_difference(item.written(), other.written()) if other else None
            own[name] = 0.0 if later is None else float((later - scenario.scenario.start).days)
    run = run or scenario.batch(worlds)
    effects = [e for e in run.effects if e.name in own]
    first = [
        np.maximum(e.start, own[e.name])
        for e in [e for e in effects if e.role == "disruption"] or effects
    ]
    days = np.min(np.stack(first), axis=0) if first else np.zeros(len(run.worlds))
    days = days[first_column : first_column + len(worlds)]
    return np.where(np.isfinite(days), np.maximum(days, 0.0), 0.0)
