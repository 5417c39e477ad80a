"""The order of the steps: prior, screening, assimilation, forecast.

`fit` is one ensemble; `calibrate` pools one for each seed; `cross_validate` fits again without
each history. Every run of an ensemble is kept on disk, so the same command goes on where it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.calibration.crossvalidate import fresh, left_out
from lodestone.calibration.discrepancy import covariance
from lodestone.calibration.ensemble import Forward
from lodestone.calibration.findings import Found, by_key, fact_rows
from lodestone.calibration.loss import innovation, observation
from lodestone.calibration.plan import Ensemble, Plan, fitted_parameters
from lodestone.calibration.posterior import pool
from lodestone.calibration.priors import draw_scores, to_values
from lodestone.calibration.screen import in_reach, seen_by_facts
from lodestone.calibration.smoother import assimilate
from lodestone.runs.pool import pool as local_pool

__all__ = ["calibrate", "cross_validate", "fit", "prior", "session", "study"]

Say = Callable[[str], None]


@contextmanager
def session(
    plan: Plan, folder: Path, workers: int = 0, say: Say | None = None
) -> Iterator[Forward]:
    """A calibration's folder and processes, closed at the end.

    Raises
    ------
    InputError
        The folder holds a calibration of another plan.
    """
    told = {
        "episodes": [str(f.parent.name) for f in plan.files],
        "members": plan.members,
        "steps": plan.steps,
        "seeds": list(plan.seeds),
    }
    page = folder / "plan.json"
    if page.is_file() and json.loads(page.read_text(encoding="utf-8")) != told:
        raise InputError(
            "this folder holds a calibration of another plan",
            file=folder,
            key="out",
            hint="Give another folder with --out=DIR, or remove this one.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    page.write_text(json.dumps(told), encoding="utf-8")
    tell = say or (lambda text: None)
    count = workers or os.cpu_count() or 1
    with local_pool(count) as executor:
        yield Forward(folder, executor, tell)


def prior(plan: Plan, forward: Forward, seed: int) -> Ensemble:
    """An ensemble drawn from the priors alone, with what it foretells of the plan's facts."""
    items = fitted_parameters()
    members = np.arange(plan.members)
    scores = draw_scores(items, seed, members)
    predicted = forward.facts(plan, to_values(items, scores), members, seed)
    moved = np.zeros(len(items), dtype=bool)
    return Ensemble([p.name for p in items], moved, scores, members, predicted)


def fit(plan: Plan, forward: Forward, seed: int, forecast: bool = True) -> Ensemble:
    """One ensemble moved toward the facts of a plan.

    Parameters
    ----------
    plan : Plan
    forward : Forward
    seed : int
        Of the prior draws, of the other draws of each member, and of the perturbed observations.
    forecast : bool
        Run the fitted members once more; without, ``predicted`` is that of the prior.

    Returns
    -------
    Ensemble
        With what its members show of the facts that they were fitted to.
    """
    items = fitted_parameters()
    first = prior(plan, forward, seed)
    kept = np.flatnonzero(in_reach(first.predicted, plan.targets))
    targets = [plan.targets[i] for i in kept]
    moved = seen_by_facts(first.scores, first.predicted[:, kept], targets)
    forward.say(
        f"{moved.sum()} of {len(moved)} parameters are seen by {len(targets)} facts in reach of "
        f"{len(plan.targets)}"
    )
    step = 0

    def predict(scores: np.ndarray) -> np.ndarray:
        nonlocal step
        whole = first.scores.copy()
        whole[moved] = scores
        values = to_values(items, whole)
        found = forward.facts(plan, values, first.worlds, seed)
        seen = [innovation(t.fact, found[:, i]) for i, t in zip(kept, targets, strict=True)]
        step += 1
        away = (np.array(seen) - observed[:, None]) / errors[:, None]
        forward.say(f"step {step} of {plan.steps}: misfit {np.mean(away**2):.2f}")
        return np.array(seen)

    observed = np.array([observation(t.fact) for t in targets])
    errors = np.array([t.error for t in targets])
    scores = first.scores.copy()
    scores[moved] = assimilate(
        first.scores[moved], predict, observed, covariance(targets), plan.steps, seed
    )
    predicted = first.predicted
    if forecast:
        predicted = forward.facts(plan, to_values(items, scores), first.worlds, seed)
    return Ensemble(first.names, moved, scores, first.worlds, predicted)


def calibrate(plan: Plan, forward: Forward, forecast: bool = True) -> Ensemble:
    """The fit to all facts of a plan, pooled over its seeds."""
    return pool([fit(plan, forward, seed, forecast) for seed in plan.seeds])


def cross_validate(plan: Plan, forward: Forward) -> dict[tuple[str, str], Any]:
    """(episode, fact) -> what a fit foretells that has not seen the fact's history, shape (n,)."""
    fits = {}
    for history in plan.histories:
        forward.say(f"without {history}")
        fits[history] = calibrate(plan.without(history), forward, forecast=False)
    return left_out(plan, forward, fits)


@dataclass(frozen=True)
class Study:
    """A calibration and what it foretells.

    Attributes
    ----------
    posterior : Ensemble
    facts : list of dict
        Rows of ``fit_facts.csv`` (`lodestone.calibration.findings.fact_rows`).
    """

    posterior: Ensemble
    facts: list[dict[str, Any]]


def study(
    plan: Plan, folder: Path, workers: int = 0, say: Say | None = None, crossed: bool = False
) -> Study:
    """Fit, forecast afresh, and with ``crossed`` leave each history out in turn."""
    with session(plan, folder, workers, say) as forward:
        seed = plan.seeds[0]
        first = prior(plan, forward, seed)
        posterior = calibrate(plan, forward)
        again = fresh(plan, posterior, forward, seed)
        foretold = cross_validate(plan, forward) if crossed else {}
        found = Found(by_key(plan, again), foretold, by_key(plan, first.predicted))
        return Study(posterior, fact_rows(plan, found))
