"""Separation: joint products in fixed proportion; heavy elements as far as circuits go."""

from __future__ import annotations

import numpy as np

#: What separators take over their nameplate when ore has piled up, multiple (A249).
OVERLOAD = 1.1


def fed(on_hand: np.ndarray, drawn: np.ndarray | float, most: np.ndarray) -> np.ndarray:
    """Share of the ore on hand that is fed in a step.

    Parameters
    ----------
    on_hand : ndarray, shape (s, w)
        t contained oxide.
    drawn : ndarray, shape (w,)
        Share drawn when nothing limits.
    most : ndarray, shape (s, w)
        Most that can be fed, t.

    Returns
    -------
    ndarray, shape (s, w)
        Share.

    Conserves: what is fed is never more than is on hand, nor than ``most``.
    Source: `cover.ore_weeks` of `parameters.csv`.
    """
    return np.minimum(on_hand * drawn, most) / np.maximum(on_hand, 1e-12)


def circuit_share(circuit: np.ndarray, offered: np.ndarray) -> np.ndarray:
    """Share of an element that its circuit takes out.

    Parameters
    ----------
    circuit, offered : ndarray, shape (s, w)
        Nameplate, and what the feed would give, t oxide/week.

    Returns
    -------
    ndarray, shape (s, w)
        Share, 0..1.

    Conserves: output never exceeds the nameplate.
    Source: decision 10 (nameplates count in the element's own tonnes).
    """
    return np.minimum(circuit / np.maximum(offered, 1e-12), 1.0)


def follower_share(base: np.ndarray, lead: np.ndarray, lead_base: np.ndarray) -> np.ndarray:
    """Share of a heavy element that comes out with the lead element of the heavy circuit.

    Parameters
    ----------
    base, lead_base : float
        Shares taken out in the base year, of this element and of the lead element.
    lead : ndarray, shape (s, w)
        Share of the lead element taken out now.

    Returns
    -------
    ndarray, shape (s, w)
        Share: in proportion up to the base year's lead, from there in a line to all.

    Conserves: nothing (a share).
    Source: decision 10 (the other heavies come with dysprosium).
    """
    return base * np.minimum(lead / np.maximum(lead_base, 1e-12), 1.0) + (1.0 - base) * np.maximum(
        lead - lead_base, 0.0
    ) / np.maximum(1.0 - lead_base, 1e-12)
