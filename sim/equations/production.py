"""What plants want to make and what their inputs let them make."""

from __future__ import annotations

import numpy as np

#: Width of the region in which a plant shuts down, share of the value of its output (A240).
SHUT_DOWN_WIDTH = 0.05
#: Least and, per world, most that a mine's output moves with the value of its basket (A241).
LEAST_RESPONSE = 0.5
#: Share of nameplate that makers of metals and magnets plan with (A242).
PLANNED_SHARE = 0.97


def willingness(margin: np.ndarray, margin_reference: np.ndarray, slope: float) -> np.ndarray:
    """Share of its normal output that a plant wants to make at a cash margin.

    A smooth curve, one at the reference margin, near one above it, falling to zero when the
    plant no longer earns its cash cost.

    Parameters
    ----------
    margin : ndarray, shape (f, w)
        Cash margin, share of the value of output.
    margin_reference : ndarray, shape (f, 1)
        Margin in the base year, share of value.
    slope : float
        Width of the shut-down region, share of value.

    Returns
    -------
    ndarray, shape (f, w)
        Share, 0..1.

    Conserves: nothing (a share of output).
    Source: utilisation follows margin (A20); width A240.
    """
    here = 1.0 / (1.0 + np.exp(-(margin + slope) / slope))
    base = 1.0 / (1.0 + np.exp(-(margin_reference + slope) / slope))
    return np.minimum(here / base, 1.0)


def basket_response(
    value: np.ndarray,
    value_reference: np.ndarray,
    elasticity: np.ndarray | float,
    surge: np.ndarray | float,
) -> np.ndarray:
    """Multiplier of a mine's output by the value of its whole basket.

    Parameters
    ----------
    value, value_reference : ndarray, shape (mines, w) and (mines, 1)
        Value of what a tonne of ore contains, USD/kg, now and in the base year.
    elasticity : ndarray or float
        Of output to value.
    surge : ndarray or float
        Most that a mine gives, multiple of normal.

    Returns
    -------
    ndarray, shape (mines, w)
        Multiple, between ``LEAST_RESPONSE`` and ``surge``.

    Conserves: nothing (a plan).
    Source: joint products are mined for their joint value (decision 10); bounds A241.
    """
    return np.clip((value / value_reference) ** elasticity, LEAST_RESPONSE, surge)


def made_to_order(
    shipped: np.ndarray,
    stock: np.ndarray,
    stock_target: np.ndarray,
    backlog: np.ndarray,
    adjust_weeks: np.ndarray | float,
) -> np.ndarray:
    """Output that a made-to-order stage plans: what is sold, and what is ordered and not delivered.

    Without the backlog a works that has run out of an input plans what it could sell, which is
    nothing, orders no inputs and never starts again.

    Parameters
    ----------
    shipped : ndarray, shape (c, w)
        Smoothed shipments, t/week.
    stock, stock_target : ndarray, shape (c, w)
        Finished stock and its target, t.
    backlog : ndarray, shape (c, w)
        Open orders that wait for output, t.
    adjust_weeks : float
        Weeks in which a gap of stock, or a backlog, is to be closed.

    Returns
    -------
    ndarray, shape (c, w)
        Planned output, t/week, never negative.

    Conserves: nothing (a plan).
    Source: stock adjustment, Sterman, Business Dynamics (2000), ch. 17; weeks A158.
    """
    return np.maximum(shipped + (stock_target + backlog - stock) / adjust_weeks, 0.0)


def within_capacity(claimed: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Share of what products of one group of plants claim that its capacity allows.

    Parameters
    ----------
    claimed, capacity : ndarray, shape (g, w)
        t/week.

    Returns
    -------
    ndarray, shape (g, w)
        Share, 0..1.

    Conserves: what is made of a group never exceeds its capacity.
    Source: definition; planned share A242.
    """
    return np.minimum(PLANNED_SHARE * capacity / np.maximum(claimed, 1e-12), 1.0)


def input_ration(stock: np.ndarray, need: np.ndarray) -> np.ndarray:
    """Share of the wanted inputs that the stock allows, rationed, never floored.

    Parameters
    ----------
    stock, need : ndarray, shape (n, w)
        Stock on hand and wanted draw, t.

    Returns
    -------
    ndarray, shape (n, w)
        Share, 0..1.

    Conserves: what is drawn never exceeds the stock.
    Source: Leontief technology: the scarcest input binds (definition).
    """
    return np.minimum(stock / np.maximum(need, 1e-12), 1.0)
