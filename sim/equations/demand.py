"""End use: how much is wanted, used and missed."""

from __future__ import annotations

import numpy as np

#: Classes of cover: fifths of users, five by decision 13.
CLASSES = 5
#: Mid-points of the fifths of a standard normal.
CLASS_Z = np.array([-1.4, -0.53, 0.0, 0.53, 1.4])


def class_cover(spread: np.ndarray) -> np.ndarray:
    """Multipliers of target cover of the user classes (mean one).

    Parameters
    ----------
    spread : ndarray, shape (w,) or (1,)
        Log-standard deviation of cover over users, share.

    Returns
    -------
    ndarray, shape (b, w)
        Multiples, ``exp(spread z_b)`` divided by their mean; five classes of equal use
        (quintile mid-points of a normal).

    Conserves: the mean cover of a line.
    Source: log-normal cover over users (decision 13).
    """
    raw = np.exp(CLASS_Z[:, None] * np.atleast_1d(spread)[None, :])
    return raw / raw.mean(axis=0)


def growth_multiple(
    year: float,
    log_multiples: tuple[np.ndarray, np.ndarray],
    fade_years: np.ndarray,
    scale: np.ndarray,
    years: tuple[float, float, float],
) -> np.ndarray:
    """Demand multiple of the base year: compound growth over two spans, then fading.

    Parameters
    ----------
    year : float
        Date, years.
    log_multiples : (ndarray, ndarray), shape (d, 1) each
        Log of the multiple at the end of the first and of the second span.
    fade_years : ndarray, shape (1, w)
        Time constant, years, with which the last rate fades.
    scale : ndarray, shape (1, w)
        Of growth, share (0 keeps the base year).
    years : (float, float, float)
        Middle of the base year, end of the first and of the second span.

    Returns
    -------
    ndarray, shape (d, w)
        Multiple.

    Conserves: nothing (a plan).
    Source: published paths to 2030 and 2035 (`demand.csv`); fading `demand.fade_years`.
    """
    first, second = log_multiples
    base, middle, last = years
    if year <= base:
        log = np.zeros_like(first)
    elif year <= middle:
        log = first * ((year - base) / (middle - base))
    elif year <= last:
        log = first + (second - first) * ((year - middle) / (last - middle))
    else:
        faded = fade_years * (1.0 - np.exp(-(year - last) / fade_years))
        log = second + (second - first) / (last - middle) * faded
    return np.exp(log * scale)


def planned_use(
    base: np.ndarray,
    growth: np.ndarray,
    factor: np.ndarray | float,
) -> np.ndarray:
    """Use planned before price response and substitution.

    Parameters
    ----------
    base : ndarray, shape (u, 1)
        Use of the base year, t/week.
    growth, factor : ndarray, shape (u, w)
        Multiples of growth and of demand shocks.

    Returns
    -------
    ndarray, shape (u, w)
        t/week.

    Conserves: nothing (a plan).
    Source: definition.
    """
    return base * growth * factor


def paid_over_base(
    log_contract: np.ndarray,
    log_ask: np.ndarray,
    contract_share: np.ndarray | float,
    elasticity: np.ndarray | float,
) -> np.ndarray:
    """Log of the one price to which use would answer as it does to contract and spot together.

    What is under contract answers to the contract's price, the rest to the spot's: the mean of
    ``(P/P0)^-eps`` over the two, turned back into a price. However dear spot is, contracts go on.

    Parameters
    ----------
    log_contract, log_ask : ndarray, shape (c, w)
        Logs over the base year's price.
    contract_share : ndarray or float
        Share bought under contract.
    elasticity : ndarray or float
        Of use to price, positive.

    Returns
    -------
    ndarray, shape (c, w)
        Log ratio.

    Conserves: nothing (a price).
    Source: share `market.contract_share` of `parameters.csv`.
    """
    under = contract_share * np.exp(-elasticity * log_contract)
    spot = (1.0 - contract_share) * np.exp(-elasticity * log_ask)
    return -np.log(under + spot) / elasticity


def price_response(log_price_ratio: np.ndarray, elasticity: np.ndarray) -> np.ndarray:
    """Demand multiplier of the paid price: ``(P / P0) ** -elasticity``.

    Parameters
    ----------
    log_price_ratio : ndarray, shape (u, w)
        Log of paid price over its base-year value.
    elasticity : ndarray, shape (u, 1) or (u, w)
        Short-run elasticity, positive number.

    Returns
    -------
    ndarray, shape (u, w)
        Multiple.

    Conserves: nothing (a plan).
    Source: constant elasticity; 0.1 for magnets (A21).
    """
    return np.exp(-elasticity * log_price_ratio)


def worth_of_output(doublings: np.ndarray) -> np.ndarray:
    """Value of the output that a missing kilogram costs, over what the sector's row says.

    Parameters
    ----------
    doublings : ndarray, shape (w,)
        One for the high end of what is said of it, minus one for the low end, no unit.

    Returns
    -------
    ndarray, shape (w,)
        Multiple.

    Conserves: nothing (a value).
    Source: `money.lost_output_doublings` (A23).
    """
    return np.exp2(doublings)


def thrift(rate_per_year: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Share of heavy elements still needed after years of better grain boundaries.

    Parameters
    ----------
    rate_per_year : ndarray, shape (w,)
        Share saved a year whatever it costs.
    years : ndarray, shape (w,)
        Years of progress.

    Returns
    -------
    ndarray, shape (w,)
        Share.

    Conserves: nothing (a recipe).
    Source: `thrift.heavy_per_year` of `parameters.csv`.
    """
    return np.exp(-rate_per_year * years)


def lacking(stock: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """What a class of users lacks: it uses what it has.

    Parameters
    ----------
    stock, wanted : ndarray, shape (b, u, w)
        Stock of the class and what it wants to use, t.

    Returns
    -------
    ndarray, shape (b, u, w)
        Unmet use, t; the stock falls by the rest.

    Conserves: stock before = stock after + wanted - lacking.
    Source: definition.
    """
    return np.maximum(wanted - stock, 0.0)


def lasting_share(usual: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Use that is taken for lasting, over use expected now: the stock that is liked is sized by it.

    A gap of stock is closed within weeks, but what stock is thought right follows sales slowly. Sized
    by what is used now, every stage of a chain orders more than its customers do, and a rise of a
    tenth at users becomes a rise of a half at metal works.

    Parameters
    ----------
    usual : ndarray, shape (c, w)
        Use averaged over a year, t/week.
    now : ndarray, shape (c, w)
        Use that is expected, t/week: what the multiple is laid on, so that their product is never
        more than the mean.

    Returns
    -------
    ndarray, shape (c, w)
        Multiple, one where use has been steady.

    Conserves: nothing (a wish).
    Source: target adjustment, Feldstein and Auerbach (1978); weeks A327.
    """
    return usual / np.maximum(now, 1e-12)
