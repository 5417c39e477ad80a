"""Quota rent, leak and other quantities of restricted trade."""

from __future__ import annotations

import numpy as np


def quota_rent(
    rent: np.ndarray,
    wanted: np.ndarray,
    offered: np.ndarray,
    weeks: float,
    rise: np.ndarray | float,
    fall: np.ndarray | float,
    scale: np.ndarray | float,
) -> np.ndarray:
    """Scarcity rent of a quota by weight: one price per kg, with dynamics of its own.

    Parameters
    ----------
    rent : ndarray, shape (w,)
        Rent, USD/kg of product.
    wanted, offered : ndarray, shape (w,)
        Orders and tonnes on offer under the quota, t/week.
    rise, fall : float
        Growth per week at a log ratio of one, up and down.
    scale : float
        USD/kg; the rent moves as a shifted log, so it can start at zero and return to it.

    Returns
    -------
    ndarray, shape (w,)
        New rent, USD/kg, never negative.

    Conserves: nothing (a price).
    Source: one price a kilogram for all elements, seen in 2010-11; `rent.*` of `parameters.csv`.
    """
    ratio = np.clip(np.log(np.maximum(wanted, 1e-9) / np.maximum(offered, 1e-9)), -1.0, 1.0)
    speed = np.where(ratio > 0.0, rise, fall)
    return np.maximum((rent + scale) * np.exp(speed * ratio * weeks) - scale, 0.0)


def leak_goal(wedge: np.ndarray, scale: np.ndarray | float, half: np.ndarray | float) -> np.ndarray:
    """Leak capacity, as a multiple of normal exports, that a relative price wedge calls up.

    Parameters
    ----------
    wedge : ndarray, shape (l, w)
        (ask net of tax and freight - home) / home, never below zero.
    scale, half : float
        Ceiling, multiple of normal exports, and the wedge at which half of it is reached.

    Returns
    -------
    ndarray, shape (l, w)
        Multiple of normal exports.

    Conserves: nothing (a capacity).
    Source: `leak.*` of `parameters.csv`.
    """
    return scale * wedge / (wedge + half)
