"""What plants want to make and what their inputs let them make."""

from __future__ import annotations

import numpy as np


def willingness(margin: np.ndarray, margin_reference: np.ndarray, slope: float) -> np.ndarray:
    """Share of its normal output that a plant wants to make at a cash margin.

    A smooth curve, one at the reference margin, near one above it, falling to zero when the
    plant no longer earns its cash cost.

    Parameters
    ----------
    margin : ndarray, shape (f, w)
        Cash margin, share of the value of output.
    margin_reference : ndarray, shape (f, 1)
        Margin in the base year.
    slope : float
        Width of the shut-down region, share of value.

    Returns
    -------
    ndarray, shape (f, w)
        0..1. Conserves nothing. Source: utilisation follows margin (A20).
    """
    here = 1.0 / (1.0 + np.exp(-(margin + slope) / slope))
    base = 1.0 / (1.0 + np.exp(-(margin_reference + slope) / slope))
    return np.minimum(here / base, 1.0)


def made_to_order(
    shipped: np.ndarray,
    stock: np.ndarray,
    stock_target: np.ndarray,
    adjust_weeks: np.ndarray | float,
) -> np.ndarray:
    """Output that a made-to-order stage plans.

    Parameters
    ----------
    shipped : ndarray, shape (c, w)
        Smoothed shipments, t/week.
    stock, stock_target : ndarray, shape (c, w)
        Finished stock and its target, t.
    adjust_weeks : float
        Weeks in which a gap of stock is to be closed.

    Returns
    -------
    ndarray, shape (c, w)
        Planned output, t/week, never negative. Conserves nothing (a plan).
    """
    return np.maximum(shipped + (stock_target - stock) / adjust_weeks, 0.0)


def input_ration(stock: np.ndarray, need: np.ndarray) -> np.ndarray:
    """Share of the wanted inputs that the stock allows (0..1), rationed, never floored.

    Parameters
    ----------
    stock, need : ndarray, shape (n, w)
        Stock on hand and wanted draw, t.
    """
    return np.minimum(stock / np.maximum(need, 1e-12), 1.0)
