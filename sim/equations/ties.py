"""Users who are tied to a supplier: who moves to another one, and what he brings along."""

from __future__ import annotations

import numpy as np

#: Difference in what two ties miss that nobody minds, share of use (rounding of the last shelves).
LACKS = 1e-3


def wished_tie(
    before: np.ndarray, expected: np.ndarray, short: np.ndarray, other_short: np.ndarray
) -> np.ndarray:
    """Share of users who would have the first of two ties if suppliers were qualified at once.

    Parameters
    ----------
    before : ndarray, shape (u, w)
        Share of all users of the line who have it.
    expected : ndarray, shape (u, w)
        Share of the first tie in what is expected to come.
    short, other_short : ndarray, shape (u, w)
        Share of the tonnes they want that users of the first tie, and of the second, have missed of late.

    Returns
    -------
    ndarray, shape (u, w)
        Share: what is expected; but of a tie that is shorter than the other at least those leave who
        miss more, and nobody moves to it.

    Conserves: nothing (a wish).
    Source: a supplier is qualified in months (`qualification`), and looked for by who lacks; decision 66.
    """
    more = short - other_short
    left = np.minimum(expected, before * (1.0 - np.maximum(more, 0.0)))
    right = np.maximum(expected, 1.0 - (1.0 - before) * (1.0 - np.maximum(-more, 0.0)))
    return np.where(more > LACKS, left, np.where(more < -LACKS, right, expected))


def requalified(
    before: np.ndarray, goal: np.ndarray, known: np.ndarray, gains: tuple[np.ndarray, float]
) -> np.ndarray:
    """Share of users with the first tie after a step: slow to a new supplier, fast back to a known one.

    Parameters
    ----------
    before, goal : ndarray, shape (u, w)
        Share of users who have the first tie, and who would have it.
    known : ndarray, shape (u, 1)
        Share who had it in the base year: up to there movers return to whom they are qualified with.
    gains : tuple of ndarray, shape (u, w), and float
        Share of the distance that a step covers, to a new supplier and back to a known one.

    Returns
    -------
    ndarray, shape (u, w)
        Share.

    Conserves: nothing (the other tie has the rest).
    Source: an approval of a supplier lasts for years; A325.
    """
    back = np.clip(known - before, np.minimum(goal - before, 0.0), np.maximum(goal - before, 0.0))
    return before + (goal - before - back) * gains[0] + back * np.maximum(gains[0], gains[1])


def leaving(before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the users of each of two ties who leave it when the share of the first tie moves.

    Parameters
    ----------
    before, now : ndarray, shape (u, w)
        Share of users who have the first tie.

    Returns
    -------
    tuple of ndarray, shape (u, w) each
        Share of those of the first tie who leave it, and of those of the second: one is nought.

    Conserves: users; before * first - (1 - before) * second = before - now.
    Source: the net move between two groups; what a user holds moves with him.
    """
    first = np.maximum(before - now, 0.0) / np.maximum(before, 1e-12)
    second = np.maximum(now - before, 0.0) / np.maximum(1.0 - before, 1e-12)
    return np.minimum(first, 1.0), np.minimum(second, 1.0)


def mixed(own: float, comers: float, stayed: float, now: float) -> float:
    """Mean over a group of what those who stayed and those who came have of something.

    Parameters
    ----------
    own, comers : float, of shape ()
        Level of those who stayed and of those who came.
    stayed, now : float
        Share of all users who stayed, and who are in the group now.

    Returns
    -------
    float
        Level now; as it was where nobody is left.

    Conserves: level x share, summed over the groups.
    Source: weighted mean.
    """
    weight = min(stayed / now, 1.0) if now > 1e-12 else 1.0
    return own * weight + comers * (1.0 - weight)
