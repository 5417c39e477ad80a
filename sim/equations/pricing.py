"""What buyers fear, and what they want to hold for it."""

from __future__ import annotations

import numpy as np


def fear_goal(
    trend: np.ndarray,
    closed: np.ndarray,
    announced: np.ndarray | float,
    weight_trend: np.ndarray | float,
    weight_closed: np.ndarray | float,
    weight_announced: np.ndarray | float,
    ceiling: np.ndarray | float = 2.0,
) -> np.ndarray:
    """Extra cover that buyers want out of fear, as a share of normal cover (0..ceiling).

    Parameters
    ----------
    trend : ndarray, shape (c, w)
        Log price above its own moving average.
    closed : ndarray, shape (c, w)
        Share of normal supply that does not pass.
    announced : ndarray, shape (c, w)
        1 where a control on this good has been announced and is not yet in force.

    Returns
    -------
    ndarray, shape (c, w)
        Share of normal cover.

    Conserves: nothing (a wish).
    Source: precautionary demand with a threshold (decision 9); `fear.*` of `parameters.csv`.
    """
    raw = (
        weight_trend * np.maximum(trend, 0.0)
        + weight_closed * closed
        + weight_announced * announced
    )
    return ceiling * np.tanh(raw / ceiling)
