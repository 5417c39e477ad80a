"""The ensemble smoother with multiple data assimilation (ES-MDA) [@emerick_reynolds_2013].

The data are assimilated several times, each time with the discrepancy inflated, so that the
ensemble moves toward them in steps and goes on spreading as far as they allow. What correlates
with a fact by chance only is not moved by it (adaptive localisation).
"""

from __future__ import annotations

from collections.abc import Callable

import covmats
import numpy as np
from pyesmda import ESMDA, LocalizationStrategy

from lodestone.calibration.priors import FARTHEST

__all__ = ["assimilate", "inflations"]

#: Correlation of a parameter with a fact, times the root of the members, below which the fact
#: leaves the parameter alone.
CHANCE = 2.0


def inflations(steps: int) -> list[float]:
    """Factors on the covariance, each half of the one before; their inverses add up to one."""
    falling = 2.0 ** -np.arange(steps)
    return [float(x) for x in falling * np.sum(1.0 / falling)]


class BeyondChance(LocalizationStrategy):
    """Covariances of parameters and facts, nought where the correlation may be chance."""

    def localize(
        self, X: np.ndarray, Y: np.ndarray, batch_slice: slice = slice(None)
    ) -> np.ndarray:
        """Covariance of two ensembles with members in columns, shape (rows of X, rows of Y)."""
        members = X.shape[1]
        x, y = (a - a.mean(axis=1, keepdims=True) for a in (X, Y))
        covariance = x @ y.T / (members - 1)
        sizes = np.outer(x.std(axis=1, ddof=1), y.std(axis=1, ddof=1))
        kept = np.abs(covariance) > CHANCE / np.sqrt(members) * np.maximum(sizes, 1e-12)
        return np.asarray(np.where(kept, covariance, 0.0))

    def localize_multi_dot(
        self, X: np.ndarray, Y: np.ndarray, *args: np.ndarray, batch_slice: slice = slice(None)
    ) -> np.ndarray:
        """The same, times further matrices from the right."""
        return np.asarray(np.linalg.multi_dot([self.localize(X, Y), *args]))


def assimilate(
    prior: np.ndarray,
    forward: Callable[[np.ndarray], np.ndarray],
    observed: np.ndarray,
    covariance: np.ndarray,
    steps: int,
    seed: int,
) -> np.ndarray:
    """Move an ensemble toward what was observed.

    Parameters
    ----------
    prior : ndarray, shape (p, n)
        Normal scores.
    forward : callable
        Scores (p, n) -> predictions (facts, n), all finite.
    observed : ndarray, shape (facts,)
    covariance : ndarray, shape (facts, facts)
        Of the discrepancies.
    steps : int
    seed : int
        Of the perturbed observations.

    Returns
    -------
    ndarray, shape (p, n)
        Scores, kept between the 0.1 and 99.9 % points of the priors.
    """
    solver = ESMDA(
        obs=observed,
        m_init=prior,
        cov_obs=covmats.CovViaCholesky(np.linalg.cholesky(covariance)),
        forward_model=forward,
        n_assimilations=steps,
        cov_obs_inflation_factors=inflations(steps),
        C_MD_localization=BeyondChance(),
        m_bounds=np.tile([-FARTHEST, FARTHEST], (len(prior), 1)),
        inversion_type="cholesky",
        is_forecast_for_last_assimilation=False,
        is_parallel_analyse_step=False,
        random_state=seed,
    )
    solver.solve()
    return np.asarray(solver.m_posterior)
