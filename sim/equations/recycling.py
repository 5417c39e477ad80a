"""Scrap, and magnets at the end of their life."""

from __future__ import annotations

import numpy as np

#: Years from the base year to 2030; least and most growth a year before it (A97).
YEARS_TO_2030, LEAST_GROWTH, MOST_GROWTH = 6.0, 0.04, 0.3
#: Stages of age: their sum is a service life with a spread of 1/sqrt(3), about 58 %.
STAGES = 3


def end_of_life_growth(rate: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Growth of what comes back from goods in use, beyond named recyclers.

    Parameters
    ----------
    rate : ndarray, shape (w,)
        Share a year.
    years : ndarray, shape (w,)
        Since the first day, years (scaled with demand).

    Returns
    -------
    ndarray, shape (w,)
        Multiple.

    Conserves: nothing (a flow).
    Source: `recycling.eol_growth` of `parameters.csv`.
    """
    return (1.0 + rate) ** years


def oxide_from_scrap(
    worked: np.ndarray, recovery: float, element_per_oxide: np.ndarray
) -> np.ndarray:
    """Oxide won from magnet-making scrap.

    Parameters
    ----------
    worked : ndarray, shape (r, e, w)
        t element.
    recovery : float
        Share.
    element_per_oxide : ndarray, shape (e, 1)
        t element per t oxide.

    Returns
    -------
    ndarray, shape (r, e, w)
        t oxide.

    Conserves: worked = won in element + lost, ``worked (1 - recovery)``.
    Source: recovery in `recipes.csv`.
    """
    return worked * recovery / element_per_oxide


def past_growth(planned_to_2030: np.ndarray) -> np.ndarray:
    """Growth of use a year before the base year, from the multiple planned to 2030.

    Parameters
    ----------
    planned_to_2030 : ndarray, shape (n,)
        Multiple over six years.

    Returns
    -------
    ndarray, shape (n,)
        Share a year: young uses grew fastest, twice the planned rate, between 4 and 30 %.

    Conserves: nothing (a rate).
    Source: A97.
    """
    rate = 2.0 * np.log(np.maximum(planned_to_2030, 1e-6)) / YEARS_TO_2030
    return np.clip(rate, LEAST_GROWTH, MOST_GROWTH)


def grown_stock(
    use: np.ndarray, stage_weeks: np.ndarray, growth_per_week: np.ndarray
) -> np.ndarray:
    """Stock by stage of age after a long time of steady growth.

    Parameters
    ----------
    use : ndarray, shape (n, 1)
        Put to work a week now, t.
    stage_weeks : ndarray, shape (n, 1)
        Mean weeks in a stage.
    growth_per_week : ndarray, shape (n, 1)
        Rate at which use has grown.

    Returns
    -------
    ndarray, shape (STAGES, n, 1)
        Tonnes.

    Conserves: each stage takes in what leaves the one before.
    Source: steady growth of an Erlang service life (definition); A97.
    """
    out, inflow = [], use
    for _ in range(STAGES):
        stock = inflow / (growth_per_week + 1.0 / stage_weeks)
        out.append(stock)
        inflow = stock / stage_weeks
    return np.array(out)
