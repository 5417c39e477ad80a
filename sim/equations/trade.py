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


def expected_to_pass(passes: np.ndarray, lasting: np.ndarray) -> np.ndarray:
    """Share of normal tonnes that the market expects over its horizon of what is shut today.

    Nobody says when a ban or closure ends. A part of what it stops is taken for lasting, the rest
    for passing again.

    Parameters
    ----------
    passes : ndarray, shape (l, w)
        Share of normal tonnes that may pass today.
    lasting : ndarray, shape (l, w)
        Part of what is stopped that is taken for lasting, share: at first that of a closed mine, and
        the more the longer it lasts.

    Returns
    -------
    ndarray, shape (l, w)
        Share of normal tonnes, between ``passes`` and one.

    Conserves: nothing (an expectation).
    Source: A305, A306.
    """
    return 1.0 - (1.0 - passes) * lasting
