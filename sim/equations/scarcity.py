"""What a good is worth in a place: expected cover, the share that must be saved, the price."""

from __future__ import annotations

import math

import numpy as np

#: Cover over its soft width at which the exponential is nil (rounding).
STEEP = 40.0


def cover_used(
    cover: float, target: float, insisted: float, softness: float, slope: float
) -> float:
    """Weeks of need that have to be saved over the horizon, up to a constant.

    ``h(c) = w C ln(1 + exp((m C - c) / (w C))) - a c``: holders insist on the part ``m`` of their
    stock at the end of the horizon, so far below it every missing week has to be saved; far above it
    only the share ``a`` of what is too much weighs on the price, because shelves take the rest.

    Parameters
    ----------
    cover : float, of a place and world: shape ()
        Weeks of throughput that would be on hand at the end of the horizon if nobody saved.
    target : float
        Weeks that holders like to have, above nought.
    insisted : float
        ``m``, share of the target.
    softness, slope : float
        ``w`` and ``a``, no unit.

    Returns
    -------
    float
        Weeks.

    Conserves: nothing (an expectation).
    Source: theory of storage, smoothed (A301).
    """
    width = softness * target
    lacks = insisted * target - cover
    x = min(max(lacks / width, -STEEP), STEEP)
    # For a cover far below the target the logarithm is what is lacking itself.
    rest = max(lacks - width * x, 0.0)
    return width * math.log(1.0 + math.exp(x)) + rest - slope * cover


def cover_slope(
    cover: float, target: float, insisted: float, softness: float, slope: float
) -> float:
    """Fall of :func:`cover_used` for a week more of cover.

    Parameters
    ----------
    cover, target, insisted, softness, slope : float, of a place and world: shape ()
        As above: weeks, weeks, share, no unit.

    Returns
    -------
    float
        Weeks a week, above nought.

    Conserves: nothing (a slope).
    Source: as above.
    """
    x = min(max((insisted * target - cover) / (softness * target), -STEEP), STEEP)
    grows = math.exp(x)
    return grows / (1.0 + grows) + slope


def price_of_saving(share: float, elasticity: float) -> float:
    """Log price at which users save a share of their need: inverse demand.

    ``ln(P/A) = -ln(1 - q) / eps``. A lasting deficit ``d`` ends where ``q = d``, so the price is
    inverse demand at ``d``, whatever the horizon and the target cover are. Below the anchor the
    share is negative and more has to be used.

    Parameters
    ----------
    share : float, of a place and world: shape ()
        Share of need that must be saved, below one.
    elasticity : float
        Of use to price, positive.

    Returns
    -------
    float
        Log of price over anchor.

    Conserves: nothing (a price).
    Source: A302.
    """
    return -math.log(1.0 - share) / elasticity


def soft_floor(log_price: float, floor: float) -> float:
    """Log price below the anchor that goes toward ``-floor`` and never below, as output is cut.

    Parameters
    ----------
    log_price : float, of a place and world: shape ()
        Log of price over anchor, no unit, nought or less.
    floor : float
        Log, above nought.

    Returns
    -------
    float
        Log of price over anchor.

    Conserves: nothing (a price).
    Source: cash cost (A307).
    """
    return -floor * (1.0 - math.exp(log_price / floor))


def stock_held(log_price: np.ndarray, elasticity: np.ndarray) -> np.ndarray:
    """Multiple of its normal stock that a good is held at when it has become dear.

    Holding stock ties up what it is worth: the square-root law of inventory, weaker, and only
    upward. Users who run their shelves down after a peak are why orders fall short of quotas.

    Parameters
    ----------
    log_price : ndarray, shape (c, w)
        Log of the lagged price over its base, no unit.
    elasticity : ndarray, shape (w,)
        Positive, no unit.

    Returns
    -------
    ndarray
        Multiple of the normal stock in t, one or less.

    Conserves: nothing (a wish).
    Source: A309.
    """
    return np.exp(-elasticity * np.maximum(log_price, 0.0))


#: Log rise of a price above its average of late that nobody hoards for, and the most that is hoarded
#: beside the normal stock (A315).
CALM, MOST_HOARDED = 0.2, 1.0


def stock_hoarded(rise: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Multiple of their normal stock that traders want while a price climbs.

    Only large moves feed on themselves; small ones do not.

    Parameters
    ----------
    rise : ndarray, shape (c, w)
        Log of the price over its average of late.
    response : ndarray, shape (w,)
        Share of the normal stock for a log of rise beyond ``CALM``.

    Returns
    -------
    ndarray
        Multiple, between one and ``1 + MOST_HOARDED``.

    Conserves: nothing (a wish).
    Source: A315.
    """
    return 1.0 + np.clip(response * (rise - CALM), 0.0, MOST_HOARDED)
