"""Three prices, never mixed: home (a level with an anchor), ask (an expectation), paid."""

from __future__ import annotations

import numpy as np

#: Bounds of the log of target over stock that a price answers to (A154 above).
COVER_LOW, COVER_HIGH = -2.0, 2.5


def cover_gap(
    target: np.ndarray,
    available: np.ndarray,
    low: float = COVER_LOW,
    high: np.ndarray | float = COVER_HIGH,
) -> np.ndarray:
    """Log of target over available stock, clipped (t over t, same shape).

    Conserves: nothing (a signal).
    Source: upper bound `market.cover_signal_ceiling` (A154).
    """
    ratio = target / np.maximum(available, 1e-9 * np.maximum(target, 1e-9))
    return np.clip(np.log(np.maximum(ratio, 1e-9)), low, high)


def scarcity(
    openness: np.ndarray,
    wanted: np.ndarray,
    reachable: np.ndarray,
    expected_closure: np.ndarray,
    plateau: np.ndarray | float,
    steepness: float = 0.5,
) -> np.ndarray:
    """Log mark-up of the ask over delivered cost when supply is closed.

    The ask is an expectation, not a cover price: the weeks of closure that the market expects
    count in what it wants, and the licence book does not count as available.

    Parameters
    ----------
    openness : ndarray, shape (c, w)
        Share of normal tonnes that pass, 0..1.
    wanted, reachable : ndarray, shape (c, w)
        Target stock plus pipeline need; stock on hand plus goods in transit, t.
    expected_closure : ndarray, shape (c, w)
        Use over the closure that the market expects, t.
    plateau : float
        Ceiling of the log mark-up (beta_F x g_cap of the market mechanism).
    steepness : float
        Log gap at which the plateau is reached.

    Returns
    -------
    ndarray, shape (c, w)
        Log mark-up, zero when trade is open.

    Conserves: nothing (a price).
    Source: plateau fitted to the few observed closures (A35; decision 8).
    """
    closed = 1.0 - openness
    target = wanted + expected_closure * closed
    ratio = target / np.maximum(reachable, 1e-9 * np.maximum(target, 1e-9))
    gap = np.minimum(np.log(np.maximum(ratio, 1.0)), steepness)
    return plateau * closed * gap / steepness


def anchor(
    log_anchor: np.ndarray,
    log_price: np.ndarray,
    log_cost: np.ndarray,
    gain_adapt: np.ndarray | float,
    gain_cost: np.ndarray | float,
) -> np.ndarray:
    """Adaptive price anchor: follows the price and is pulled back to marginal cost.

    All arguments are logs of USD/kg, shape (h, w); gains are shares per step.

    Conserves: nothing (an expectation).
    Source: adaptive expectations with a cost floor (decision 8).
    """
    return log_anchor + (log_price - log_anchor) * gain_adapt - (log_anchor - log_cost) * gain_cost


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
