"""Goods go where they pay more than it costs to bring them."""

from __future__ import annotations

#: Power by which the exponential is replaced, so that a large loss stops a lane (stands for exp: A303).
POWER = 8.0


def lane_root(gap: float, response: float) -> float:
    """Eighth root of what a lane is offered at a gap of prices: ``1 + kappa g / 8``, nought at least.

    To the eighth power this is ``exp(kappa g)`` near nought and nil for a large loss.

    Parameters
    ----------
    gap : float, of a lane and world: shape ()
        Log of the price there over the delivered cost from here: price, tax, freight, rent, risk.
    response : float
        ``kappa``, no unit.

    Returns
    -------
    float
        Root, one at a gap of nought; what is offered rises by ``kappa / root`` of itself a log of gap.

    Conserves: nothing (an offer).
    Source: A303.
    """
    return max(1.0 + response * gap / POWER, 0.0)


def pull_of_root(root: float) -> float:
    """Multiple of its usual tonnes that a lane is offered, from its eighth root.

    Parameters
    ----------
    root : float, of a lane and world: shape ()
        :func:`lane_root`, no unit.

    Returns
    -------
    float
        Multiple, nought or more.

    Conserves: nothing (an offer).
    Source: A303.
    """
    square = root * root
    fourth = square * square
    return fourth * fourth
