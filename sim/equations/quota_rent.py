"""The rent of a quota by weight: one shadow price a kilogram, and nothing remembered."""

from __future__ import annotations

import numpy as np


def wanted_under_rent(
    usual: np.ndarray, cost: np.ndarray, weight: np.ndarray, elasticity: np.ndarray, rent: float
) -> np.ndarray:
    """Tonnes that a covered lane still carries when each kilogram under the quota costs a rent.

    ``F = K ((c + rho w) / c)^-e``: the same rent a kilogram weighs a hundred times more on cerium
    than on dysprosium.

    Parameters
    ----------
    usual : ndarray, shape (n, w)
        t a week at a rent of nought.
    cost : ndarray
        Delivered cost without the rent, USD/kg.
    weight : ndarray
        Kilograms that a kilogram of product counts.
    elasticity : ndarray
        Of what the buyers of this lane take from it, positive.
    rent : float
        USD a kilogram that counts.

    Returns
    -------
    ndarray
        t a week.

    Conserves: nothing (a plan).
    Source: complementary slackness (A304).
    """
    return usual * (1.0 + rent * weight / cost) ** -elasticity
