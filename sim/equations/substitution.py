"""How users move away from rare earths, or from the heavy ones."""

from __future__ import annotations

import numpy as np

#: Weeks in which what is decided is designed in, and in which it is undone (A243).
DESIGN_WEEKS, UNDO_WEEKS = 13.0, 200.0
#: Weeks in a year.
WEEKS_PER_YEAR = 365.25 / 7.0


def grades_kept(log_saved: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Multiple of their heavy grades that users keep at the price of heavy elements of late.

    Inverse demand read the other way: where a price says that a share of an element must be saved,
    this is who saves it. Users take weaker grades of the same magnet while heavies are dear, and
    stronger ones while they are cheap, as far as better making has left room.

    Parameters
    ----------
    log_saved : ndarray, shape (u, w)
        Elasticity times the lagged log of the price of heavies over the base year's, no unit.
    moved : ndarray, shape (u, w)
        Share that has moved for good.

    Returns
    -------
    ndarray, shape (u, w)
        Multiple; not above what undoes ``moved``.

    Conserves: magnets (what leaves one grade goes to the other).
    Source: the elasticity of the law of price (A302); both ways: A317.
    """
    return np.minimum(np.exp(-log_saved), 1.0 / np.maximum(1.0 - moved, 1e-12))


def substitution_target(
    signal: np.ndarray, ceiling: np.ndarray, speed: np.ndarray | float
) -> np.ndarray:
    """Share of use that would be substituted if today's signal lasted.

    Parameters
    ----------
    signal : ndarray, shape (u, w)
        Lagged signal: log price ratio above one plus three times the unmet share.
    ceiling : ndarray, shape (u, 1)
        Highest share that can ever be substituted.
    speed : float
        Steepness, share per log; only the product with the ceiling is pinned by history.

    Returns
    -------
    ndarray, shape (u, w)
        Share.

    Conserves: nothing (a goal).
    Source: `substitution.speed`, `sector.*_ceiling` of `parameters.csv` and `sectors.csv`.
    """
    return ceiling * -np.expm1(-speed * signal)


def substitution_step(
    held: np.ndarray,
    goal: np.ndarray,
    up: np.ndarray | float,
    down: np.ndarray | float,
    for_good: np.ndarray | float,
    most: np.ndarray | float,
) -> np.ndarray:
    """Change of the share substituted in a step: up within a limit, down only in part.

    Parameters
    ----------
    held, goal : ndarray, shape (u, w)
        Shares.
    up, down : ndarray or float
        Gains, share of the way.
    for_good : ndarray or float
        Share that is never undone.
    most : ndarray or float
        Highest rise in a step, share.

    Returns
    -------
    ndarray, shape (u, w)
        Share.

    Conserves: nothing (a design).
    Source: lags A243; `substitution.max_per_year`, `substitution.permanent_share`.
    """
    rise = np.minimum((goal - held) * up, most)
    return np.where(goal > held, rise, (goal - held) * down * (1.0 - for_good))
