"""How the keys of a kind are declared: each with its unit, limits, source and vocabulary.

The checks, the JSON schema, ``lodestone list interventions`` and the numbers drawn for each world
all come from these declarations. A declaration stands where pydantic wants a default, so what
`number` and its likes return is `Any`, as what pydantic's own ``Field`` returns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, PlainSerializer, PlainValidator, WithJsonSchema

from lodestone.border.numbers import (
    Distribution,
    Number,
    parse_date,
    parse_moment,
    parse_number,
    plain,
    read_at,
)
from lodestone.interventions.triggers import Trigger, read_trigger, write_trigger

STAGES = ("mine", "separation", "metal", "magnet", "recycling")
TIERS = ("defence", "essential_civilian", "other")
#: Categories of names that are places, so that codes and common names of countries are read.
PLACES = ("place", "holder")
_PERIOD = re.compile(r"^\d{4}(-(H[12]|Q[1-4]|0[1-9]|1[0-2]))?$")
_DIST_SCHEMA = {
    "type": "object",
    "properties": {"dist": {"type": "string"}},
    "required": ["dist"],
}

# --------------------------------------------------------------------------- value types


def _read_path(value: object) -> Number | dict[date, Number]:
    """Read a number, or a mapping from dates to numbers (a step function of time)."""
    if isinstance(value, Mapping) and "dist" not in value:
        if not value:
            raise ValueError("must not be empty: write {2025-04-04: 0.5} or one number")
        out: dict[date, Number] = {}
        last: date | None = None
        for key, item in value.items():
            day = parse_date(key)
            if last is not None and day <= last:
                raise ValueError(f"its dates are out of order: {day} stands after {last}")
            last = day
            out[day] = read_at(key, item)
        return dict(sorted(out.items()))
    return parse_number(value)


def _read_totals(value: object) -> dict[str, Number]:
    """Read a mapping from periods (2010, 2010-H1, 2010-Q1, 2010-07) to numbers."""
    if not isinstance(value, Mapping) or "dist" in value or not value:
        raise ValueError("must be a mapping from periods to tonnes, for example {2010-H1: 22282}")
    out: dict[str, Number] = {}
    for key, item in value.items():
        if not _PERIOD.match(str(key)):
            raise ValueError(f"unknown period {key!r}: write 2010, 2010-H1, 2010-Q1 or 2010-07")
        out[str(key)] = read_at(key, item)
    return out


def _read_words(value: object) -> tuple[str, ...]:
    """Read one name or a list of names."""
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(i, str) and i for i in items):
        raise ValueError(f"must be a name or a list of names, got {value!r}")
    if len(set(items)) != len(items):
        twice = next(i for i in items if list(items).count(i) > 1)
        raise ValueError(f"names {twice!r} twice")
    return tuple(items)


def _typed(reader: Callable[[Any], Any], schema: dict[str, Any]) -> tuple[Any, ...]:
    return (
        PlainValidator(reader),
        PlainSerializer(plain),
        WithJsonSchema(schema, mode="validation"),
    )


_NUMBER_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "number"}, _DIST_SCHEMA]}
_BY_KEY = {"type": "object", "additionalProperties": _NUMBER_SCHEMA}

#: A number or a distribution.
Num = Annotated[float | Distribution, *_typed(parse_number, _NUMBER_SCHEMA)]
#: A number, or ``{date: number}``: each value holds from its date on.
Path = Annotated[
    float | Distribution | dict[date, float | Distribution],
    *_typed(_read_path, {"anyOf": [{"type": "number"}, _BY_KEY]}),
]
#: ``{period: number}``.
Totals = Annotated[dict[str, float | Distribution], *_typed(_read_totals, _BY_KEY)]
#: A date or a distribution of dates.
Moment = Annotated[
    date | Distribution,
    *_typed(parse_moment, {"anyOf": [{"type": "string", "format": "date"}, _DIST_SCHEMA]}),
]
#: One name or several.
Words = Annotated[
    tuple[str, ...],
    *_typed(
        _read_words,
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    ),
]

#: The name of another intervention, or conditions read from the state of a world.
TriggeredBy = Annotated[
    str | Trigger,
    PlainValidator(read_trigger),
    PlainSerializer(write_trigger),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": True}]},
        mode="validation",
    ),
]

_REQUIRED: Any = ...
#: Most that a number of a unit can mean, where its key states no limit of its own: a lifetime, a
#: multiple of world output, the whole economy. Beyond it stands a slip of the unit.
MOST = {
    "day": 36_525.0,
    "working day": 36_525.0,
    "week": 5_218.0,
    "month": 1_200.0,
    "year": 100.0,
    "t": 1e8,
    "t/year": 1e8,
    "kg": 1e11,
    "USD/kg": 1e6,
    "USD million": 1e8,
    "multiple": 1e4,
    "factor": 1e4,
    "share of value": 100.0,
}


#: When a key is read: other keys with the values of which each must have one (``()``: anything but
#: its default). All keys of a mapping must hold, or all of one of several mappings.
When = Mapping[str, tuple[Any, ...]] | tuple[Mapping[str, tuple[Any, ...]], ...]


def number(
    default: Any,
    description: str,
    *,
    unit: str,
    source: str,
    low: float | None = None,
    high: float | None = None,
    plausible: tuple[float, float] | None = None,
    before: float = 0.0,
    stream: str | None = None,
    hint: str = "",
    when: When = (),
) -> Any:
    """Declare a numeric parameter (`Num`, `Path` or `Totals`) with unit, limits and source.

    Parameters
    ----------
    low, high
        What is possible at all.
    plausible
        What anybody can mean: a value outside is taken for a slip of unit (percent, per tonne).
    before
        Of a path: what holds before its first date.
    stream
        Name under which it is drawn (default: its key).
    when
        Other keys under whose values alone it is read; elsewhere it is refused (see `When`).
    """
    extra: Any = {
        "unit": unit,
        "source": source,
        "low": low,
        "high": high,
        "plausible": plausible,
        "before": before,
        "stream": stream,
        "hint": hint,
        **_under(when),
    }
    description = _told(description, when)
    if isinstance(default, dict):
        return Field(
            default_factory=lambda: dict(default), description=description, json_schema_extra=extra
        )
    return Field(default, description=description, json_schema_extra=extra)


def _under(when: When) -> dict[str, Any]:
    """A condition as it is kept beside a key: a list of mappings, of which one must hold."""
    several = (when,) if isinstance(when, Mapping) else tuple(when)
    return {"when": [{k: list(v) for k, v in one.items()} for one in several]} if several else {}


def _told(description: str, when: When) -> str:
    told = under_words(_under(when).get("when", ()))
    return f"{description}; only with {told}" if told else description


def under_words(when: Iterable[Mapping[str, Iterable[Any]]]) -> str:
    """A condition in words: ``release_rule: price``, ``valid_days``, joined by *and* and *or*."""
    return ", or ".join(" and ".join(_held(k, v) for k, v in one.items()) for one in when)


def _held(key: str, values: Iterable[Any]) -> str:
    said = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
    listed = " or ".join(
        [part for part in (", ".join(said[:-1]), said[-1]) if part] if said else []
    )
    return f"{key}: {listed}" if said else key


def share(
    default: Any, description: str, *, source: str, before: float = 0.0, when: When = ()
) -> Any:
    """Declare a share between 0 and 1."""
    return number(
        default,
        description,
        unit="share",
        source=source,
        low=0.0,
        high=1.0,
        before=before,
        hint="A share lies between 0 and 1, not in percent.",
        when=when,
    )


def path(default: Any, description: str, **declared: Any) -> Any:
    """Declare a number that may be a step function of time, ``{date: number}``."""
    return number(default, description, **declared)


def words(default: Any, description: str, *, names: str, when: When = ()) -> Any:
    """Declare a list of names from the vocabulary `names` (see `vocabulary`)."""
    extra: Any = {"names": names, **_under(when)}
    return Field(default, description=_told(description, when), json_schema_extra=extra)


def places(default: Any, description: str, *, when: When = ()) -> Any:
    """Declare places: regions, countries, blocs, or all."""
    return words(default, description, names="place", when=when)


def goods(default: Any, description: str, *, when: When = ()) -> Any:
    """Declare materials, or groups of them."""
    return words(default, description, names="material", when=when)


def users(default: Any, description: str, *, when: When = ()) -> Any:
    """Declare sectors and tiers."""
    return words(default, description, names="user", when=when)


def plants(default: Any, description: str) -> Any:
    """Declare mines and plants by name."""
    return words(default, description, names="facility")


def text(default: Any, description: str, *, when: When = ()) -> Any:
    """Declare a parameter that is neither a number nor a name of the chain."""
    extra: Any = _under(when) or None
    return Field(default, description=_told(description, when), json_schema_extra=extra)


def named(default: Any, description: str, *, live: bool = False, when: When = ()) -> Any:
    """Declare a list of names of other interventions of the scenario.

    With ``live`` only kinds whose dates are read anew at every fold may be named.
    """
    extra: Any = {"others": True, "live": live, **_under(when)}
    return Field(default, description=_told(description, when), json_schema_extra=extra)


@dataclass(frozen=True)
class Declared:
    """What is declared of a key beside its type and its description.

    Attributes
    ----------
    unit : str
        Empty where it is no number.
    source : str
        Of its default: a key of the bibliography, an assumption, or ``definition``.
    low, high : float or None
        What is possible at all.
    plausible : (float, float) or None
        What anybody can mean.
    before : float
        Of a path: what holds before its first date.
    stream : str or None
        Name under which it is drawn, where that is not its key.
    hint : str
    names : str
        Category of the words of the chain that it takes; empty where it takes none.
    others, live : bool
        Whether it names other interventions, and only such whose dates are read anew.
    when : tuple of mappings
        Other keys with the values under which alone it is read (see `When`); empty: always.
    """

    unit: str = ""
    source: str = ""
    low: float | None = None
    high: float | None = None
    plausible: tuple[float, float] | None = None
    before: float = 0.0
    stream: str | None = None
    hint: str = ""
    names: str = ""
    others: bool = False
    live: bool = False
    when: tuple[Mapping[str, tuple[Any, ...]], ...] = ()


@cache
def declared(model: type[BaseModel]) -> dict[str, Declared]:
    """What is declared of every key of a model."""
    out = {}
    for key, info in model.model_fields.items():
        extra = info.json_schema_extra
        held: dict[str, Any] = dict(extra) if isinstance(extra, dict) else {}
        out[key] = Declared(**held)
    return out


def leaves(key: str, value: object) -> list[tuple[str, float | Distribution]]:
    """Return the numbers in a field, each with its dotted key."""
    if isinstance(value, Mapping):
        return [leaf for k, v in value.items() for leaf in leaves(f"{key}.{plain(k)}", v)]
    if isinstance(value, Distribution) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    ):
        return [(key, value)]
    return []


def ends_of(value: float | Distribution) -> tuple[float, float]:
    """Least and most that a number can be."""
    return value.support() if isinstance(value, Distribution) else (value, value)


def bounds(moment: date | Distribution | None) -> tuple[date | None, date | None]:
    """Earliest and latest day that a date can be."""
    if isinstance(moment, Distribution):
        low, high = moment.support()
        ok = [date.fromordinal(int(v)) if 1 <= v <= 3_652_059 else None for v in (low, high)]
        return ok[0], ok[1]
    return moment, moment


def steps(given: Number | Mapping[date, Number], start: date) -> list[tuple[date, Number]]:
    """Return a `Path` as dated steps in order; a plain number becomes one step at `start`."""
    if isinstance(given, Mapping):
        return sorted(given.items())
    return [(start, given)]
