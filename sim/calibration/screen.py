"""Screening on the prior: which parameters some fact answers to, and which facts are in reach.

Parameters that no fact sees keep their prior, in the fit and in every later ensemble: what history
has not seen it must not narrow by chance. Facts that the model shows nowhere in the whole prior, its
discrepancy included, are not assimilated: they would drag parameters to the edges of their ranges
for nothing. They are a fault of the structure, count in every score, and are listed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from lodestone.calibration.loss import innovation, observation
from lodestone.calibration.plan import Target

__all__ = ["MOST", "REACH", "in_reach", "seen_by_facts"]

#: Rank correlation times the root of the members above which a parameter is seen: about what one
#: pair in fifteen hundred reaches by chance.
LOUD = 3.4
#: Standard deviations, of the prior's spread and of the discrepancy added, beyond which a fact is
#: out of reach: the usual rule of ensemble smoothers for outliers.
REACH = 3.0
#: Most parameters that the data may move; the strongest are taken.
MOST = 24


def seen_by_facts(
    scores: np.ndarray, predicted: np.ndarray, targets: Sequence[Target], most: int = MOST
) -> np.ndarray:
    """Which parameters the data may move.

    Parameters
    ----------
    scores : ndarray, shape (p, n)
        A prior ensemble.
    predicted : ndarray, shape (n, facts)
    targets : sequence of Target
        Facts of the columns.
    most : int

    Returns
    -------
    ndarray of bool, shape (p,)
    """
    n = scores.shape[1]
    ranks = np.array([rankdata(row) for row in scores])
    strongest = np.zeros(len(scores))
    for column, target in enumerate(targets):
        found = innovation(target.fact, predicted[:, column])
        if np.ptp(found) < 1e-9:
            continue
        both = np.corrcoef(np.vstack([rankdata(found), ranks]))[0, 1:]
        strongest = np.maximum(strongest, np.abs(np.nan_to_num(both)))
    order = np.argsort(-strongest, kind="stable")[:most]
    out = np.zeros(len(scores), dtype=bool)
    out[order] = strongest[order] > LOUD / np.sqrt(n)
    return out


def in_reach(predicted: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
    """Which facts the prior, with the discrepancy, can show, shape (facts,).

    Parameters
    ----------
    predicted : ndarray, shape (n, facts)
        Of a prior ensemble, in the unit of each fact.
    targets : sequence of Target
    """
    out = np.ones(len(targets), dtype=bool)
    for column, target in enumerate(targets):
        found = innovation(target.fact, predicted[:, column])
        away = abs(observation(target.fact) - found.mean())
        out[column] = away <= REACH * (found.std() + target.error)
    return out
