"""Cross-validation: each history left out in turn, and foretold by a fit on the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lodestone.calibration.discrepancy import needed, scale_of
from lodestone.calibration.ensemble import Forward
from lodestone.calibration.plan import Ensemble, Plan, fitted_parameters
from lodestone.calibration.priors import draw_scores, to_values

__all__ = ["fresh", "left_out", "scales"]

#: Added to the seed of an ensemble for what is drawn afresh when a history is foretold.
AFRESH = 1000


def fresh(plan: Plan, ensemble: Ensemble, forward: Forward, seed: int) -> np.ndarray:
    """Predictions of a fitted ensemble for episodes that it may not have seen.

    What the fit moved is kept; everything else, the world of each member (dates, lengths, inputs
    in doubt) and the parameters that history does not see, is drawn afresh.

    Returns
    -------
    ndarray, shape (n, facts of the plan)
    """
    items = [p for p in fitted_parameters() if p.name in ensemble.names]
    members = np.arange(ensemble.scores.shape[1])
    again = draw_scores(items, seed + AFRESH, members)
    scores = np.where(ensemble.moved[:, None], ensemble.scores, again)
    return forward.facts(plan, to_values(items, scores), members, seed + AFRESH)


def left_out(
    plan: Plan, forward: Forward, fit: Mapping[str, Ensemble]
) -> dict[tuple[str, str], np.ndarray]:
    """What every fact is foretold to be by the fit that left its history out.

    Parameters
    ----------
    plan : Plan
    forward : Forward
    fit : mapping
        History -> ensemble fitted to all others.

    Returns
    -------
    dict
        (episode, fact) -> shape (n,), in the fact's unit.
    """
    found: dict[tuple[str, str], np.ndarray] = {}
    for history, ensemble in fit.items():
        part = plan.only(history)
        predicted = fresh(part, ensemble, forward, plan.seeds[0])
        found |= {t.key: predicted[:, i] for i, t in enumerate(part.targets)}
    return found


def scales(
    plan: Plan, foretold: Mapping[tuple[str, str], np.ndarray]
) -> tuple[float, dict[str, float]]:
    """The scale of the discrepancy: over all, and for each history from the others alone.

    Returns
    -------
    float
        For what lies ahead: nine in ten of all facts, each foretold unseen, are held.
    dict
        History -> scale set by the facts of all other histories; what its coverage is judged by.
    """
    facts = [t for t in plan.targets if not t.control and t.key in foretold]
    points = [(t.history, needed(t.fact, foretold[t.key])) for t in facts]
    own = {h: scale_of(x for other, x in points if other != h) for h in dict(points)}
    return scale_of(x for _, x in points), own
