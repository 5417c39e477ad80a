"""The rent of a quota by weight: one shadow price a kilogram, and nothing remembered."""

from __future__ import annotations

import numpy as np

#: Stands for a week, days.
WEEK = 7.0


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


def wanted_of_lacking(lacking: np.ndarray, used_to: np.ndarray) -> np.ndarray:
    """Tonnes that a place takes from covered lanes at a rent of nought.

    ``max(L, K)``: what it lacks of its need, and no less than it had got used to, of which it may
    sell some on. Who went without for a while had not come to need less.

    Parameters
    ----------
    lacking : ndarray, shape (c, w)
        Need less what is made on the spot and what other lanes bring, t a week.
    used_to : ndarray, shape (c, w)
        Usual tonnes of all covered lanes to the place, t a week.

    Returns
    -------
    ndarray, shape (c, w)
        t a week.

    Conserves: nothing (a plan).
    Source: residual demand (A304).
    """
    return np.where(used_to > 0.0, np.maximum(lacking, used_to), 0.0)


def share_waiting(climbing: np.ndarray, days_left: float, patient: float) -> np.ndarray:
    """Share of those holders who ever wait for a better price that wait now.

    ``min(v T / (7 H), 1)``: who waits can wait as long as his right lasts, so fewer do as it lapses.

    Parameters
    ----------
    climbing : ndarray, shape (w,)
        Share that the climb of prices has taught to wait, no unit.
    days_left : float
        Until the right lapses, days.
    patient : float
        Time before it lapses in which fewer and fewer wait, weeks.

    Returns
    -------
    ndarray, shape (w,)
        Share, nought to one, no unit.

    Conserves: nothing (a plan).
    Source: option value of a right that lapses (A311).
    """
    return np.minimum(climbing * days_left / WEEK / patient, 1.0)


def share_waiting_ahead(climbing: np.ndarray, days_left: float, patient: float) -> np.ndarray:
    """Mean of :func:`share_waiting` from now until the right lapses, if prices go on climbing.

    With ``x = v T / (7 H)``: ``x / 2`` up to one, ``1 - 1 / (2 x)`` beyond. What holders keep back in the
    first half of a year they ship in the second, and buyers know it.

    Parameters
    ----------
    climbing, days_left, patient : as in :func:`share_waiting`
        Shape (w,), share; days; weeks.

    Returns
    -------
    ndarray, shape (w,)
        Share, nought to one, no unit.

    Conserves: nothing (an expectation).
    Source: the integral of the above over the weeks left (A311).
    """
    whole = climbing * days_left / (WEEK * patient)
    return np.where(whole <= 1.0, whole / 2.0, 1.0 - 0.5 / np.maximum(whole, 1.0))


def lapsed_waiting(left: np.ndarray, granted: np.ndarray, waited: np.ndarray) -> np.ndarray:
    """Share of a year's quota that lapsed with holders who had waited.

    ``v L / G``: of what nobody used, the part that belongs to those who waited.

    Parameters
    ----------
    left, granted : ndarray, shape (w,)
        What lapses with the year and what was granted in it, t.
    waited : ndarray, shape (w,)
        Most of those who ever wait that did in the year, share, no unit.

    Returns
    -------
    ndarray, shape (w,)
        Share, nought to one, no unit.

    Conserves: nothing (a memory).
    Source: A311.
    """
    return waited * left / np.maximum(granted, 1e-12)


def still_patient(withholding: np.ndarray, lapsed: np.ndarray) -> np.ndarray:
    """Share of what is allotted whose holders still wait after rights have lapsed.

    ``max(h - l, 0)``: who lost his right by waiting ships the next time.

    Parameters
    ----------
    withholding : ndarray, shape (1,) or (w,)
        Share whose holders wait before they have lost anything by it.
    lapsed : ndarray, shape (w,)
        Largest share of a year's quota that lapsed with those who waited.

    Returns
    -------
    ndarray, shape (w,)
        Share, nought to one, no unit.

    Conserves: nothing (a plan).
    Source: A311.
    """
    return np.maximum(withholding - lapsed, 0.0)


def pace_of_holders(waiting: np.ndarray, withholding: np.ndarray, pace: float) -> np.ndarray:
    """Most that holders ship, over what the period allots a week.

    ``pace (1 - v) + (1 - h) v``: while nobody waits they catch up at the highest pace, while all do
    who ever wait the others ship their part evenly.

    Parameters
    ----------
    waiting : ndarray, shape (w,)
        Share of those who ever wait that do.
    withholding : ndarray, shape (1,) or (w,)
        Share of what is allotted whose holders ever wait.
    pace : float
        Multiple of what is allotted a week.

    Returns
    -------
    ndarray, shape (w,)
        Multiple of what is allotted a week.

    Conserves: nothing (a plan).
    Source: A311.
    """
    return pace * (1.0 - waiting) + (1.0 - withholding) * waiting
