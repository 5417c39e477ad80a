"""Numbers that may be uncertain: the values a scenario file can hold.

A *number* is either a plain float or a `Distribution`, drawn once per world. Dates may be
uncertain in the same way: a `Distribution` with ``dates=True`` holds integer days (proleptic
Gregorian ordinals, as `datetime.date.toordinal`). Nothing is drawn here; sampling belongs to the
ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from lodestone.border.shapes import FORMS
from lodestone.border.words import nearest

if TYPE_CHECKING:
    import numpy as np

#: Required and optional parameters of each distribution.
SHAPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    name: (form.needed, form.optional) for name, form in FORMS.items()
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
        return FORMS[self.dist].support(dict(self.parameters))

    def centre(self) -> float:
        """Return a central value: median, mode or mean, whichever the form names (for display)."""
        return FORMS[self.dist].centre(dict(self.parameters))

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Return draws for uniform numbers in [0, 1), shape (w,) as given."""
        return FORMS[self.dist].quantile(dict(self.parameters), u)

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


def _whole(values: list[Any]) -> bool:
    return all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values)


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
        comma = str(value).isdecimal() and len(str(value)) < 4
        hint = " (a decimal comma? Numbers are written with a point: 0.5)" if comma else ""
        raise ValueError(f"must be a date written YYYY-MM-DD, got {value!r}{hint}") from None


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
        elif isinstance(value, list) and len(value) == 2 and _whole(value):
            hint = f" (write {value[0]}.{value[1]}, with a point)"
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
    if name not in FORMS:
        near = nearest(name, FORMS)
        guess = f" Did you mean {near!r}?" if near else ""
        raise ValueError(
            f"unknown distribution {name!r}.{guess} Known are {', '.join(sorted(FORMS))}"
        )
    needed, optional = FORMS[name].needed, FORMS[name].optional
    given = [k for k in value if k != "dist"]
    for key in given:
        if key not in needed + optional:
            near = nearest(str(key), needed + optional)
            guess = f" Did you mean {near!r}?" if near else ""
            if str(key).isdecimal():
                guess = " A decimal comma? Numbers are written with a point: 0.5."
            raise ValueError(
                f"{name} has no parameter {key!r}.{guess} Write for example {FORMS[name].example}"
            )
    lacking = [key for key in needed if key not in value]
    if lacking:
        raise ValueError(
            f"{name} lacks {', '.join(lacking)}. Write for example {FORMS[name].example}"
        )
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
    FORMS[name].check(held, dates)
    return Distribution(name, tuple(held.items()), dates)


def read_at(key: object, item: Any, reader: Callable[[Any], Any] = parse_number) -> Any:
    """Read one item of a mapping, so that what is wrong with it is said at its key.

    Raises
    ------
    ValueError
        The reader's message, with the key before it.
    """
    try:
        return reader(item)
    except ValueError as error:
        raise ValueError(f"at {key}: {error}") from None


def _date_number(value: Any, what: str) -> float:
    try:
        return float(parse_date(value).toordinal())
    except ValueError as error:
        raise ValueError(f"{what} {error}") from None


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
    if isinstance(number, str | float | int):
        return number
    if isinstance(number, Distribution):
        return number.as_written()
    if isinstance(number, date):
        return number.isoformat()
    if isinstance(number, Mapping):
        return {str(plain(k)): plain(v) for k, v in number.items()}
    if isinstance(number, list | tuple):
        return [plain(v) for v in number]
    return number
