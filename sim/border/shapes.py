"""Shapes of distributions: one class each, with its parameters, what can come out, and its quantile.

Adding a shape is one class under the decorator `shape`: reading, checks, the JSON schema, sweeps,
draws and help find it by its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FORMS", "Shape", "shape"]

Held = Mapping[str, Any]


class Shape:
    """A shape of distribution; parameters are handed in as read, by name.

    Attributes
    ----------
    needed, optional
        Names of its parameters, in the order in which they are written.
    example
        How it is written, for messages.
    """

    needed: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = ""

    @staticmethod
    def check(held: Held, dates: bool) -> None:
        """Raise ValueError, with a message for the user, where parameters contradict each other."""

    @staticmethod
    def support(held: Held) -> tuple[float, float]:
        """Return the lowest and highest value that can be drawn (may be infinite)."""
        raise NotImplementedError

    @staticmethod
    def centre(held: Held) -> float:
        """Return a central value: median, mode or mean, whichever the form names."""
        raise NotImplementedError

    @staticmethod
    def quantile(held: Held, u: np.ndarray) -> np.ndarray:
        """Return draws for uniform numbers in [0, 1), shape (w,) as given."""
        raise NotImplementedError


FORMS: dict[str, type[Shape]] = {}


def shape(name: str) -> Callable[[type[Shape]], type[Shape]]:
    """Register a class as the shape of this name; a second one of the name is an error."""

    def register(cls: type[Shape]) -> type[Shape]:
        if name in FORMS:
            raise ValueError(f"two shapes are called {name!r}")
        FORMS[name] = cls
        return cls

    return register


@shape("fixed")
class Fixed(Shape):
    """One value."""

    needed = ("value",)
    example = "{dist: fixed, value: 1}"

    @staticmethod
    def support(held: Held) -> tuple[float, float]:
        """The value itself."""
        return held["value"], held["value"]

    @staticmethod
    def centre(held: Held) -> float:
        """The value itself."""
        return float(held["value"])

    @staticmethod
    def quantile(held: Held, u: np.ndarray) -> np.ndarray:
        """The value in every world."""
        import numpy as np

        return np.full(u.shape, float(held["value"]))


@shape("uniform")
class Uniform(Shape):
    """Any value between two is as likely."""

    needed = ("low", "high")
    example = "{dist: uniform, low: 1, high: 2}"

    @staticmethod
    def check(held: Held, dates: bool) -> None:
        """The ends are in order."""
        _in_order("uniform", held)

    @staticmethod
    def support(held: Held) -> tuple[float, float]:
        """From low to high."""
        return held["low"], held["high"]

    @staticmethod
    def centre(held: Held) -> float:
        """Half-way."""
        return float((held["low"] + held["high"]) / 2)

    @staticmethod
    def quantile(held: Held, u: np.ndarray) -> np.ndarray:
        """Linear in u."""
        return held["low"] + (held["high"] - held["low"]) * u


@shape("triangular")
class Triangular(Shape):
    """Likeliest at a mode, falling off to both ends."""

    needed = ("low", "mode", "high")
    example = "{dist: triangular, low: 30, mode: 63, high: 100}"

    @staticmethod
    def check(held: Held, dates: bool) -> None:
        """The mode lies between the ends."""
        _in_order("triangular", held)
        if not held["low"] <= held["mode"] <= held["high"]:
            raise ValueError("triangular needs low <= mode <= high")

    @staticmethod
    def support(held: Held) -> tuple[float, float]:
        """From low to high."""
        return held["low"], held["high"]

    @staticmethod
    def centre(held: Held) -> float:
        """The mode."""
        return float(held["mode"])

    @staticmethod
    def quantile(held: Held, u: np.ndarray) -> np.ndarray:
        """Root of u on either side of the mode."""
        import numpy as np

        low, mode, high = held["low"], held["mode"], held["high"]
        if high == low:
            return np.full(u.shape, float(low))
        left = low + np.sqrt(u * (high - low) * (mode - low))
        right = high - np.sqrt((1.0 - u) * (high - low) * (high - mode))
        return np.where(u < (mode - low) / (high - low), left, right)


class _Bell(Shape):
    """What normal and lognormal share: they may be cut off at both ends."""

    optional = ("low", "high")
    lowest: ClassVar[float] = -math.inf

    @classmethod
    def support(cls, held: Held) -> tuple[float, float]:
        """From the lowest that the shape or a cut allows to the highest."""
        return max(cls.lowest, held.get("low", cls.lowest)), held.get("high", math.inf)

    @staticmethod
    def cut(held: Held, out: np.ndarray) -> np.ndarray:
        """Draws, cut off where the file says so."""
        import numpy as np

        return np.clip(out, held.get("low", -np.inf), held.get("high", np.inf))


def _standard_normal(u: np.ndarray) -> np.ndarray:
    import numpy as np
    from scipy.special import ndtri

    z: np.ndarray = ndtri(np.clip(u, 1e-12, 1.0 - 1e-12))
    return z


@shape("normal")
class Normal(_Bell):
    """A bell, cut off at low and high where they are given."""

    needed = ("mean", "sd")
    example = "{dist: normal, mean: 10, sd: 2, low: 0}"

    @staticmethod
    def check(held: Held, dates: bool) -> None:
        """The spread is no less than zero."""
        _in_order("normal", held)
        if held["sd"] < 0:
            raise ValueError("normal needs sd >= 0")

    @staticmethod
    def centre(held: Held) -> float:
        """The mean."""
        return float(held["mean"])

    @staticmethod
    def quantile(held: Held, u: np.ndarray) -> np.ndarray:
        """Mean and spread times the standard normal quantile."""
        return Normal.cut(held, held["mean"] + held["sd"] * _standard_normal(u))


@shape("lognormal")
class Lognormal(_Bell):
    """A value whose logarithm is normal: never below zero."""

    needed = ("median", "sigma")
    example = "{dist: lognormal, median: 10, sigma: 0.3}"
    lowest = 0.0

    @staticmethod
    def check(held: Held, dates: bool) -> None:
        """The median is above zero; a date is none."""
        _in_order("lognormal", held)
        if dates:
            raise ValueError("a date cannot be lognormal: use uniform, triangular or normal")
        if held["median"] <= 0 or held["sigma"] < 0:
            raise ValueError("lognormal needs median > 0 and sigma >= 0")
        if held.get("high", math.inf) <= 0:
            raise ValueError("lognormal needs high > 0")

    @staticmethod
    def centre(held: Held) -> float:
        """The median."""
        return float(held["median"])

    @staticmethod
    def quantile(held: Held, u: np.ndarray) -> np.ndarray:
        """Median times the exponential of the normal quantile."""
        import numpy as np

        return Lognormal.cut(held, held["median"] * np.exp(held["sigma"] * _standard_normal(u)))


@shape("choice")
class Choice(Shape):
    """One of several values, by weight."""

    needed = ("values",)
    optional = ("weights",)
    example = "{dist: choice, values: [1, 2], weights: [0.7, 0.3]}"

    @staticmethod
    def check(held: Held, dates: bool) -> None:
        """As many weights as values, none negative, not all zero."""
        if "weights" not in held:
            return
        if len(held["weights"]) != len(held["values"]):
            raise ValueError("choice needs as many weights as values")
        if min(held["weights"]) < 0 or sum(held["weights"]) <= 0:
            raise ValueError("choice needs weights that are not negative and not all zero")

    @staticmethod
    def support(held: Held) -> tuple[float, float]:
        """The least and the greatest value."""
        return min(held["values"]), max(held["values"])

    @staticmethod
    def centre(held: Held) -> float:
        """The value in the middle of all, whatever their weights."""
        values = sorted(held["values"])
        return float(values[len(values) // 2])

    @staticmethod
    def quantile(held: Held, u: np.ndarray) -> np.ndarray:
        """The value whose share of the weights holds u."""
        import numpy as np

        values = np.asarray(held["values"], dtype=float)
        weights = np.asarray(held.get("weights", [1.0] * len(values)), dtype=float)
        edges = np.cumsum(weights) / weights.sum()
        return values[np.minimum(np.searchsorted(edges, u, side="right"), len(values) - 1)]


def _in_order(name: str, held: Held) -> None:
    if held.get("low", -math.inf) > held.get("high", math.inf):
        raise ValueError(f"{name} has low above high")
