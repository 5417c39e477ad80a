"""From keys and their values to points: grid, zip, Latin hypercube, Sobol sequence."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.studies.values import Axis

__all__ = ["DESIGNS", "MOST_POINTS", "Design", "count_points", "make_points"]

DESIGNS = ("grid", "zip", "lhs", "sobol")
#: More points than this are refused whatever the user says.
MOST_POINTS = 1_000_000
Design = str


def count_points(axes: Sequence[Axis], design: Design, points: int | None) -> int:
    """Say how many points a study has, without making them.

    Raises
    ------
    InputError
        Design and keys do not go together, or there would be more than a million points.
    """
    if design not in DESIGNS:
        raise unknown("design", design, DESIGNS, key="design")
    drawn = [a for a in axes if a.distribution is not None]
    varying = [a for a in axes if a.varies]
    if design in ("grid", "zip"):
        if drawn:
            raise InputError(
                "is a distribution, which only a sampled design can use",
                key=drawn[0].key,
                hint="Add design=lhs points=64 (or design=sobol), or give a list of values. "
                "To draw it anew in every world write {dist: uniform, low: 1, high: 2}.",
            )
        if points is not None:
            raise InputError(
                f"design={design} makes its points from the values",
                key="points",
                hint="Leave points= out, or use design=lhs.",
            )
    elif points is None or points < 1:
        raise InputError(
            f"design={design} needs points=N", key="points", hint="For example points=64."
        )
    elif not varying:
        raise InputError("no key varies", key=f"design={design}")
    if design == "zip":
        lengths = {len(a.values) for a in varying}
        if len(lengths) > 1:
            told = ", ".join(f"{a.key} has {len(a.values)}" for a in varying)
            raise InputError(f"design=zip pairs values one by one, but {told}", key=varying[0].key)
        return lengths.pop() if lengths else 1
    if design == "grid":
        number = math.prod(len(a.values) for a in axes)
    else:
        assert points is not None
        number = points
    if number > MOST_POINTS:
        raise InputError(
            f"{number:,} points are more than a study can hold ({MOST_POINTS:,})",
            key="points"
            if design in ("lhs", "sobol")
            else max(axes, key=lambda a: len(a.values)).key,
            hint="Sample instead: design=sobol points=256.",
        )
    return number


def make_points(
    axes: Sequence[Axis], design: Design, points: int | None = None, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield the points of a study: the value of every key.

    Parameters
    ----------
    axes
        In the order typed: in a grid the last key varies fastest.
    points
        Number of sampled points.
    seed
        Of the sampled designs (not of the worlds, which are the same at all points).
    """
    count_points(axes, design, points)
    if design == "grid":
        for values in itertools.product(*(a.values for a in axes)):
            yield dict(zip((a.key for a in axes), values, strict=True))
        return
    fixed = {a.key: a.values[0] for a in axes if not a.varies}
    varying = [a for a in axes if a.varies]
    if design == "zip":
        for i in range(len(varying[0].values) if varying else 1):
            yield _in_order(axes, fixed | {a.key: a.values[i] for a in varying})
        return
    assert points is not None
    for row in _unit_points(len(varying), design, points, seed):
        drawn = {a.key: _at(a, u) for a, u in zip(varying, row, strict=True)}
        yield _in_order(axes, fixed | drawn)


def _in_order(axes: Sequence[Axis], values: dict[str, Any]) -> dict[str, Any]:
    return {a.key: values[a.key] for a in axes}


def _unit_points(keys: int, design: Design, points: int, seed: int) -> np.ndarray:
    """Points in the unit cube, shape (points, keys), by scipy's samplers with a fixed seed.

    The first points of a longer Sobol sequence are those of a shorter one, so a sampled study can
    be extended; a Latin hypercube is another one for every number of points.
    """
    import warnings

    from scipy.stats import qmc

    if design == "sobol":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # balance needs a power of two; the user is told
            return qmc.Sobol(keys, scramble=True, rng=seed).random(points)
    return qmc.LatinHypercube(keys, rng=seed).random(points)


def _at(axis: Axis, u: float) -> Any:
    if axis.distribution is None:  # a list: each value equally often
        return axis.values[min(int(u * len(axis.values)), len(axis.values) - 1)]
    from lodestone.worlds.randomness import quantile

    value = float(quantile(axis.distribution, np.array([u]))[0])
    return float(f"{value:.10g}")
