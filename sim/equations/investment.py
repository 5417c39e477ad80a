"""Capacity that price and demand call up."""

from __future__ import annotations

import numpy as np

#: Log of the value ratio above the threshold at which investment runs at its full rate (A244).
FULL_PULL = float(np.log(1.5))
#: Log rise of value that calls up quotas and clays at home (A244).
HOME_THRESHOLD = 0.05
#: Least incentive price over the price of the base year (A244).
LEAST_INCENTIVE = 1.05
#: Log fall of value below which additions slow down (A244).
SLACK_THRESHOLD = -0.1
#: Share of what has been called up that lasting low prices can shut (A244).
SHUTTABLE = 0.8
#: Load of a group of plants at which more are added, and width of the response (A245).
LOAD_THRESHOLD, LOAD_WIDTH = 0.9, 0.1
#: Weeks over which investors form what they expect of prices (A244).
EXPECTATION_WEEKS = 52.0


def ore_growth(
    world: np.ndarray, follow_share: np.ndarray, called_up: np.ndarray | float
) -> np.ndarray:
    """Growth of an ore pool over the base year.

    Parameters
    ----------
    world : ndarray, shape (w,)
        Multiple of world use of magnets.
    follow_share : ndarray, shape (o, w)
        Power with which quotas and clays follow it, share; 0 elsewhere.
    called_up : ndarray, shape (o, w)
        Capacity that price has called up, share of the base year.

    Returns
    -------
    ndarray, shape (o, w)
        Multiple.

    Conserves: nothing (a capacity).
    Source: decision 11; `investment.follow_share`.
    """
    return np.exp(follow_share * np.log(world)) + called_up


def pull(expected: np.ndarray, threshold: np.ndarray | float) -> np.ndarray:
    """Share of the highest rate of investment that an expected value calls up.

    Parameters
    ----------
    expected, threshold : ndarray, shape (o, w)
        Logs of the value of a basket over the base year's.

    Returns
    -------
    ndarray, shape (o, w)
        Share, 0..1.

    Conserves: nothing (a rate).
    Source: A244.
    """
    return np.clip((expected - threshold) / FULL_PULL, 0.0, 1.0)


def slack(expected: np.ndarray) -> np.ndarray:
    """Share of the highest rate at which lasting low prices take additions back.

    Parameters
    ----------
    expected : ndarray, shape (o, w)
        Log of the value of a basket over the base year's.

    Returns
    -------
    ndarray, shape (o, w)
        Share, 0..1.

    Conserves: nothing (a rate).
    Source: A244.
    """
    return np.clip((SLACK_THRESHOLD - expected) / FULL_PULL, 0.0, 1.0)


def crowding(load: np.ndarray) -> np.ndarray:
    """Share of the highest rate at which metal and magnet plants are added.

    Parameters
    ----------
    load : ndarray, shape (g, w)
        Claims over capacity, share.

    Returns
    -------
    ndarray, shape (g, w)
        Share, 0..1.

    Conserves: nothing (a rate).
    Source: A245.
    """
    return np.clip((load - LOAD_THRESHOLD) / LOAD_WIDTH, 0.0, 1.0)
