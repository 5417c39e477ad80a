"""Numbers that may be uncertain: the values a scenario file can hold.

A *number* is either a plain float or a `Distribution`, drawn once per world. Dates may be
uncertain in the same way: a `Distribution` with ``dates=True`` holds integer days (proleptic
Gregorian ordinals, as `datetime.date.toordinal`). Nothing is drawn here; sampling belongs to the
ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lodestone.border.words import nearest

#: Required parameters of each distribution; ``low``/``high`` after the bar may truncate.
SHAPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "fixed": (("value",), ()),
    "uniform": (("low", "high"), ()),
    "triangular": (("low", "mode", "high"), ()),
    "normal": (("mean", "sd"), ("low", "high")),
    "lognormal": (("median", "sigma"), ("low", "high")),
    "choice": (("values",), ("weights",)),
}
_EXAMPLES = {
    "fixed": "{dist: fixed, value: 1}",
    "uniform": "{dist: uniform, low: 1, high: 2}",
    "triangular": "{dist: triangular, low: 30, mode: 63, high: 100}",
    "normal": "{dist: normal, mean: 10, sd: 2, low: 0}",
    "lognormal": "{dist: lognormal, median: 10, sigma: 0.3}",
    "choice": "{dist: choice, values: [1, 2], weights: [0.7, 0.3]}",
}
#: Parameters that are lengths of time, not dates, in a distribution of dates.
_SPREADS = ("sd", "sigma", "weights")


@dataclass(frozen=True)
class Distribution:
    """A value drawn once per world.

    Attributes
    ----------
    dist
        Its name: one of `SHAPES`.
    parameters
        ``(name, value)`` pairs in the order of `SHAPES`; values are floats or tuples of floats.
    dates
        True where the values are dates, held as integer day ordinals.
    """

    dist: str
    parameters: tuple[tuple[str, Any], ...]
    dates: bool = False

    def __getitem__(self, name: str) -> Any:
        """Return the parameter called `name`."""
        return dict(self.parameters)[name]

    def as_dict(self) -> dict[str, Any]:
        """Return the mapping of a scenario file, numbers only (dates as ordinals)."""
        out: dict[str, Any] = {"dist": self.dist}
        for name, value in self.parameters:
            out[name] = list(value) if isinstance(value, tuple) else value
        return out

    def as_written(self) -> dict[str, Any]:
        """Return the mapping of a scenario file, dates as ISO text."""
        out = self.as_dict()
        if not self.dates:
            return out
        for name, value in out.items():
            if name in ("dist", *_SPREADS):
                continue
            many = isinstance(value, list)
            text = [date.fromordinal(int(v)).isoformat() for v in (value if many else [value])]
            out[name] = text if many else text[0]
        return out

    def support(self) -> tuple[float, float]:
        """Return the lowest and highest value that can be drawn (may be infinite)."""
        held = dict(self.parameters)
        if self.dist == "fixed":
            return held["value"], held["value"]
        if self.dist == "choice":
            return min(held["values"]), max(held["values"])
        low = 0.0 if self.dist == "lognormal" else -math.inf
        return max(low, held.get("low", low)), held.get("high", math.inf)

    def centre(self) -> float:
        """Return a central value: median, mode or mean, whichever the form names (for display)."""
        held = dict(self.parameters)
        for name in ("value", "mode", "mean", "median"):
            if name in held:
                return float(held[name])
        if self.dist == "choice":
            values = sorted(held["values"])
            return float(values[len(values) // 2])
        return (held["low"] + held["high"]) / 2

    def __str__(self) -> str:
        """Short form for tables: ``triangular(30, 63, 100)``."""
        return f"{self.dist}({', '.join(_short(v) for n, v in self.as_written().items() if n != 'dist')})"


Number = float | Distribution

#: Most digits of a number that a person writes.
MOST_DIGITS = 40


def read_int(text: str) -> int:
    """Read a whole number.

    Raises
    ------
    ValueError
        With a message for the user, if it is none or has more digits than a person writes.
    """
    word = text.strip()
    if len(word) > MOST_DIGITS:
        raise ValueError(f"a number of {len(word)} digits")
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"must be a whole number, got {word!r}") from None


def read_float(text: str) -> float:
    """Read a finite number, with a decimal point.

    Raises
    ------
    ValueError
        With a message for the user: no number, a decimal comma, or beyond all bounds.
    """
    word = text.strip()
    if len(word) > MOST_DIGITS:
        raise ValueError(f"a number of {len(word)} digits")
    try:
        value = float(word)
    except ValueError:
        comma = word.replace(",", ".", 1)
        hint = f" (write {comma}, with a point)" if comma != word and _is_float(comma) else ""
        raise ValueError(f"must be a number, got {word!r}{hint}") from None
    if not math.isfinite(value) or "_" in word:
        raise ValueError(f"must be a finite number, got {word!r}")
    return value


def _is_float(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "[" + ", ".join(_short(v) for v in value) + "]"
    return str(value)


def parse_date(value: Any) -> date:
    """Read one ISO date (``2025-04-04``).

    Raises
    ------
    ValueError
        With a message for the user, if it is not one.
    """
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"must be a date written YYYY-MM-DD, got {value!r}") from None


def _real(value: Any, what: str = "") -> float:
    prefix = f"{what} " if what else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = ""
        if isinstance(value, str) and value.strip().endswith("%"):
            hint = " (write a share between 0 and 1, not percent)"
        elif (
            isinstance(value, str) and value.count(",") == 1 and _is_float(value.replace(",", "."))
        ):
            hint = f" (write {value.replace(',', '.')}, with a point)"
        elif isinstance(value, str) and value[:1].isdigit() and " " in value:
            hint = " (write the bare number in the unit of the key)"
        raise ValueError(f"{prefix}must be a number, got {value!r}{hint}")
    if not math.isfinite(value):
        raise ValueError(f"{prefix}must be a finite number, got {value}")
    return float(value)


def parse_number(value: Any, *, dates: bool = False) -> Number:
    """Read a number or a distribution ``{dist: ..., ...}``.

    Parameters
    ----------
    value
        What the file holds.
    dates
        True where the distribution's values are dates.

    Raises
    ------
    ValueError
        With a message for the user.
    """
    if isinstance(value, Distribution):
        return value
    if not isinstance(value, Mapping):
        return _real(value)
    if "dist" not in value:
        raise ValueError(
            "must be a number or a distribution such as {dist: uniform, low: 1, high: 2}, "
            f"got {dict(value)!r}"
        )
    name = str(value["dist"])
    if name not in SHAPES:
        near = nearest(name, SHAPES)
        guess = f" Did you mean {near!r}?" if near else ""
        raise ValueError(
            f"unknown distribution {name!r}.{guess} Known are {', '.join(sorted(SHAPES))}"
        )
    needed, optional = SHAPES[name]
    given = [k for k in value if k != "dist"]
    for key in given:
        if key not in needed + optional:
            near = nearest(str(key), needed + optional)
            guess = f" Did you mean {near!r}?" if near else ""
            raise ValueError(
                f"{name} has no parameter {key!r}.{guess} Write for example {_EXAMPLES[name]}"
            )
    lacking = [key for key in needed if key not in value]
    if lacking:
        raise ValueError(f"{name} lacks {', '.join(lacking)}. Write for example {_EXAMPLES[name]}")
    held: dict[str, Any] = {}
    for key in needed + optional:
        if key not in value:
            continue
        read = _real if (not dates or key in _SPREADS) else _date_number
        if key in ("values", "weights"):
            if not isinstance(value[key], list | tuple) or not value[key]:
                raise ValueError(f"{key} of {name} must be a list of numbers")
            held[key] = tuple(read(v, key) for v in value[key])
        else:
            held[key] = read(value[key], key)
    _check_shape(name, held, dates)
    return Distribution(name, tuple(held.items()), dates)


def _date_number(value: Any, what: str) -> float:
    try:
        return float(parse_date(value).toordinal())
    except ValueError as error:
        raise ValueError(f"{what} {error}") from None


def _check_shape(name: str, held: dict[str, Any], dates: bool) -> None:
    """Raise ValueError where the parameters of a distribution contradict each other."""
    low, high = held.get("low", -math.inf), held.get("high", math.inf)
    if low > high:
        raise ValueError(f"{name} has low above high")
    if name == "triangular" and not low <= held["mode"] <= high:
        raise ValueError("triangular needs low <= mode <= high")
    if name == "normal" and held["sd"] < 0:
        raise ValueError("normal needs sd >= 0")
    if name == "lognormal":
        if dates:
            raise ValueError("a date cannot be lognormal: use uniform, triangular or normal")
        if held["median"] <= 0 or held["sigma"] < 0:
            raise ValueError("lognormal needs median > 0 and sigma >= 0")
        if high <= 0:
            raise ValueError("lognormal needs high > 0")
    if name == "choice" and "weights" in held:
        if len(held["weights"]) != len(held["values"]):
            raise ValueError("choice needs as many weights as values")
        if min(held["weights"]) < 0 or sum(held["weights"]) <= 0:
            raise ValueError("choice needs weights that are not negative and not all zero")


def parse_moment(value: Any) -> date | Distribution:
    """Read a date or a distribution of dates."""
    if isinstance(value, Distribution):
        return value
    if isinstance(value, Mapping):
        moment = parse_number(value, dates=True)
        assert isinstance(moment, Distribution)
        return moment
    return parse_date(value)


def plain(number: Any) -> Any:
    """Return what JSON and YAML can hold: distributions as mappings, dates as text."""
    if isinstance(number, Distribution):
        return number.as_written()
    if isinstance(number, date):
        return number.isoformat()
    if isinstance(number, Mapping):
        return {str(plain(k)): plain(v) for k, v in number.items()}
    if isinstance(number, list | tuple):
        return [plain(v) for v in number]
    return number
