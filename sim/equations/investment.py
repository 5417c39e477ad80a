"""Capacity that price and demand call up."""

from __future__ import annotations

import numpy as np

#: Log of the value ratio below the threshold at which additions are taken back at full rate (A244).
FULL_PULL = float(np.log(1.5))
#: Log rise of value that calls up quotas and clays at home (A244).
HOME_THRESHOLD = 0.05
#: Least incentive price over the price of the base year (A244).
LEAST_INCENTIVE = 1.05
#: Log fall of value below which additions slow down (A244).
SLACK_THRESHOLD = -0.1
#: Share of what has been called up that lasting low prices can shut (A244).
SHUTTABLE = 0.8
#: Log of a price over the hurdle at which all that is missing pays (A245).
HURDLE_WIDTH = 0.1
#: Share of need that is missing beyond which builders do not look (A245).
MOST_MISSING = 0.9
#: Weeks over which investors form what they expect of prices, and begin to build (A244).
EXPECTATION_WEEKS = 26.0


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


def needed_capacity(log_price: np.ndarray, elasticity: np.ndarray | float) -> np.ndarray:
    """Share of capacity whose coming would bring a price back to full cost.

    A price ``P`` over its anchor rations ``1 - (P/A)^-eps`` of need, so capacity has to grow by
    ``(P/A)^eps - 1``. What is under way counts against it: nobody builds twice.

    Parameters
    ----------
    log_price : ndarray, shape (o, w)
        Log of the expected price over full cost; below nought nothing is built.
    elasticity : ndarray or float
        Of use to price, positive, no unit.

    Returns
    -------
    ndarray, shape (o, w)
        Capacity as a share of today's, nought or more.

    Conserves: nothing (a capacity).
    Source: inverse demand (A302).
    """
    return np.expm1(elasticity * np.maximum(log_price, 0.0))


def missing_capacity(share_short: np.ndarray, most: float = MOST_MISSING) -> np.ndarray:
    """Capacity that would meet the need that is not met, as a share of what is there: q / (1 - q).

    Parameters
    ----------
    share_short : ndarray, shape (g, w)
        Share of need at base prices that has to be saved; below nought nothing is missing.
    most : float
        Share beyond which builders do not look.

    Returns
    -------
    ndarray, shape (g, w)
        Share of today's capacity, nought or more.

    Conserves: nothing (a capacity).
    Source: the physical balance at base prices.
    """
    short = np.clip(share_short, 0.0, most)
    return short / (1.0 - short)


def pays(log_margin: np.ndarray, hurdle: np.ndarray | float) -> np.ndarray:
    """Share of what is missing that is worth building at an expected price over full cost.

    Parameters
    ----------
    log_margin : ndarray, shape (g, w)
        Log of the expected price over full cost.
    hurdle : ndarray or float
        What it must exceed; a tenth more and all of it pays.

    Returns
    -------
    ndarray, shape (g, w)
        Share, 0..1.

    Conserves: nothing (a share).
    Source: `investment.hurdle` (A36).
    """
    return np.clip((log_margin - hurdle) / HURDLE_WIDTH, 0.0, 1.0)


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
