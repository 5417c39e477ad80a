"""Quota rent, leak and other quantities of restricted trade."""

from __future__ import annotations

import numpy as np


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
