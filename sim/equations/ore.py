"""Ore: who takes how much, and what clears the border."""

from __future__ import annotations

import numpy as np

#: Part of a pool's free ore that new separators abroad get at most (A246).
MOST_ASKED = 0.5
#: Weeks of its ability that a new separator piles up before it takes no more (A247).
PILE_WEEKS = 4.0
#: Weight of a buyer of ore without base-year tonnes, t/week (of no consequence beside others).
DEFAULT_WEIGHT = 1e-6
#: Weeks in which owners of ore in bond import what they have beyond their usual stock (A248).
BOND_WEEKS = 13.0


def room_for_ore(piled: np.ndarray, ability: np.ndarray) -> np.ndarray:
    """Share of its ability for which a new separator still takes ore.

    Parameters
    ----------
    piled : ndarray, shape (s, w)
        Ore on hand, t contained oxide.
    ability : ndarray, shape (s, w)
        What it can take, t/week.

    Returns
    -------
    ndarray, shape (s, w)
        Share: one up to ``PILE_WEEKS`` of ability, nothing from twice that.

    Conserves: nothing (a wish).
    Source: A247.
    """
    return np.minimum(np.maximum(2.0 - piled / np.maximum(PILE_WEEKS * ability, 1e-9), 0.0), 1.0)


def part_of(room: np.ndarray, offered: np.ndarray) -> np.ndarray:
    """Share of what is offered that finds room.

    Parameters
    ----------
    room, offered : ndarray, shape (s, w)
        t/week.

    Returns
    -------
    ndarray, shape (s, w)
        Share, 0..1.

    Conserves: what is taken never exceeds the room.
    Source: pro rata (definition).
    """
    return np.minimum(room / np.maximum(offered, 1e-12), 1.0)


def cleared_from_bond(
    held: np.ndarray,
    usual: np.ndarray,
    days_weeks: np.ndarray,
    weeks: float,
    excess_gain: np.ndarray | float,
) -> np.ndarray:
    """Ore imported out of bond: at the usual pace, and what is too much besides.

    Parameters
    ----------
    held : ndarray, shape (k, w)
        Ore in bond, t contained oxide.
    usual : ndarray, shape (k, w)
        Usual pace, t/week.
    days_weeks : ndarray, shape (k, 1)
        Usual stay in bond, weeks.
    weeks : float
        Length of the step, weeks.
    excess_gain : float
        Share of the excess that follows in the step.

    Returns
    -------
    ndarray, shape (k, w)
        t, never more than is held.

    Conserves: bond before = bond after + cleared.
    Source: `ore_bond_days` of `routes.csv`; A248.
    """
    excess = np.maximum(held - usual * (weeks + days_weeks), 0.0)
    return np.minimum(held, usual * weeks + excess * excess_gain)
