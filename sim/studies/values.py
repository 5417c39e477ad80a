"""What a sweep varies: ``key=a,b,c``, ranges and distributions, as typed.

``range(0,90,30)`` stops before its end (0, 30, 60), as Python's and Hydra's do; ``linspace(0,1,5)``
has both ends; ``logspace(0,3,4)`` gives powers of ten (1, 10, 100, 1000). Values keep the digits
that were typed: 0.1 + 0.2 is 0.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.numbers import SHAPES, Distribution, parse_number
from lodestone.border.words import suggestion

__all__ = ["Axis", "read_axis", "read_value", "split_list"]

SERIES = {"range": (2, 3), "linspace": (3, 3), "logspace": (3, 3)}
#: Most values of one key: what is beyond is a slip.
MOST_VALUES = 100_000
_CALL = re.compile(r"\s*([A-Za-z_]+)\s*\((.*)\)\s*", re.S)
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True)
class Axis:
    """One key and what it is to be.

    Attributes
    ----------
    key
        As typed, for example ``scenario.overrides.stockpile.japan.days``.
    values
        The values, one for a key that stays the same; empty for a distribution.
    distribution
        What to sample from, or None.
    text
        As typed.
    """

    key: str
    values: tuple[Any, ...]
    distribution: Distribution | None = None
    text: str = ""

    @property
    def varies(self) -> bool:
        """Whether the key has more than one value."""
        return self.distribution is not None or len(self.values) > 1


def split_list(text: str) -> list[str]:
    """Split at the commas that stand outside brackets and quotes.

    Raises
    ------
    ValueError
        A bracket or quote is left open.
    """
    parts, depth, quote, at = [], 0, "", 0
    for i, mark in enumerate(text):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"":
            quote = mark
        elif mark in _OPEN:
            depth += 1
        elif mark in _CLOSE:
            depth -= 1
            if depth < 0:
                raise ValueError("a bracket is closed that was not opened")
        elif mark == "," and depth == 0:
            parts.append(text[at:i])
            at = i + 1
    if depth or quote:
        raise ValueError("a bracket or quote is left open")
    return [p.strip() for p in (*parts, text[at:])]


def read_axis(key: str, given: Any) -> Axis:
    """Read what a key is to be.

    Parameters
    ----------
    key
        For messages.
    given
        Text as typed, or from Python a single value, a list of values, or a distribution.

    Raises
    ------
    InputError
        Naming the key and how to write it.
    """
    if isinstance(given, Distribution):
        return Axis(key, (), given, str(given))
    if isinstance(given, list | tuple | range) or hasattr(given, "tolist"):
        held = given.tolist() if hasattr(given, "tolist") else list(given)
        values = tuple(held) if isinstance(held, list) else (held,)
        return _checked(Axis(key, values, None, ",".join(map(str, values))))
    if not isinstance(given, str):
        return Axis(key, (given,), None, str(given))
    if found := _CALL.fullmatch(given):
        return _called(key, found[1], found[2], given)
    try:
        parts = split_list(given)
    except ValueError as error:
        raise InputError(str(error), key=key, hint="Write key=a,b,c.") from None
    if len(parts) > 1 and "" in parts:
        raise InputError("holds an empty value", key=key, hint="Write key=a,b,c; null for none.")
    return _checked(Axis(key, tuple(read_value(key, p) for p in parts), None, given))


def read_value(key: str, text: str) -> Any:
    """Read one value, as ``lodestone run`` does."""
    from lodestone.runs.grammar import parse_words

    return parse_words([f"{key}={text}"])[key.lstrip("+")]


def _checked(axis: Axis) -> Axis:
    if not axis.values:
        raise InputError(
            "has no values",
            key=axis.key,
            hint="An empty range: range(start, end, step) stops before its end.",
        )
    seen: list[Any] = []
    for value in axis.values:
        if value in seen and len(axis.values) <= 1000:
            raise InputError(f"has the value {value} twice", key=axis.key, hint="Keep one.")
        seen.append(value)
    return axis


def _called(key: str, name: str, inside: str, text: str) -> Axis:
    if name not in SERIES and name not in SHAPES:
        known = [*SERIES, *SHAPES]
        raise InputError(
            f"unknown way to give values '{name}(...)'",
            key=key,
            hint=suggestion(name, known) or f"Known are {', '.join(known)}.",
        )
    try:
        parts = split_list(inside) if inside.strip() else []
    except ValueError as error:
        raise InputError(str(error), key=key) from None
    if name in SHAPES:
        return Axis(key, (), _distribution(key, name, parts), text)
    least, most = SERIES[name]
    if not least <= len(parts) <= most:
        usage = {"range": "range(start, end, step)", "linspace": "linspace(first, last, count)"}
        usage["logspace"] = "logspace(first exponent, last exponent, count)"
        raise InputError(f"takes other arguments: {usage[name]}", key=key)
    try:
        numbers = [Decimal(p) for p in parts]
    except InvalidOperation:
        raise InputError(f"{text} holds something that is no number", key=key) from None
    if not all(n.is_finite() for n in numbers):
        raise InputError(f"{text} holds something that is no finite number", key=key)
    return _checked(Axis(key, _series(key, name, numbers, text), None, text))


def _series(key: str, name: str, numbers: list[Decimal], text: str) -> tuple[Any, ...]:
    if name == "range":
        start, end, *more = numbers
        step = more[0] if more else Decimal(1)
        if step == 0:
            raise InputError(f"{text} has a step of 0", key=key)
        count = max(0, int(((end - start) / step).to_integral_value("ROUND_CEILING")))
        _not_too_many(key, count)
        return tuple(_plain(start + k * step) for k in range(count))
    first, last, many = numbers
    if many != int(many) or many < 2:
        raise InputError(f"{text}: the count must be a whole number from 2 on", key=key)
    _not_too_many(key, int(many))
    steps = [first + (last - first) * k / (int(many) - 1) for k in range(int(many))]
    if name == "logspace":
        return tuple(_short(10.0 ** float(s)) for s in steps)
    return tuple(_short(float(s)) for s in steps)


def _not_too_many(key: str, count: int) -> None:
    if count > MOST_VALUES:
        raise InputError(f"has {count:,} values; at most {MOST_VALUES:,} make sense", key=key)


def _plain(number: Decimal) -> int | float:
    return int(number) if number == int(number) and abs(number) < 10**15 else float(number)


def _short(number: float) -> int | float:
    """Twelve digits: what a user would have typed."""
    kept = float(f"{number:.12g}")
    return int(kept) if kept == int(kept) and abs(kept) < 1e15 else kept


def _distribution(key: str, name: str, parts: list[str]) -> Distribution:
    """``uniform(0,1)`` or ``uniform(low=0, high=1)`` as the mapping of a scenario file."""
    required, optional = SHAPES[name]
    names = [*required, *optional]
    held: dict[str, Any] = {"dist": name}
    if name == "choice" and not any("=" in p for p in parts):
        held["values"] = [_number(key, p) for p in parts]
        parts = []
    for place, part in enumerate(parts):
        word, sign, value = part.partition("=")
        if not sign:
            if place >= len(names):
                raise InputError(f"{name} takes {', '.join(names)}", key=key)
            word, value = names[place], part
        listed = value.strip().startswith("[")
        inside = split_list(value.strip()[1:-1]) if listed else []
        held[word.strip()] = [_number(key, v) for v in inside] if listed else _number(key, value)
    try:
        number = parse_number(held)
    except (ValueError, InputError) as error:
        raise InputError(str(error), key=key, hint=f"{name} takes {', '.join(names)}.") from None
    assert isinstance(number, Distribution)
    return number


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"'{text.strip()}' is no number", key=key) from None


def shown(value: Any) -> str:
    """Write a value of an axis as a reader knows it."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    return str(value)
