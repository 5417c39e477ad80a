"""What all kinds of intervention share: the common keys, the checks, the registry.

An intervention is *declared* (a named entry of a scenario file) and never acts by itself: it only
states which rules it would change, where and when. A kind is one file of this package with one
class under the decorator `intervention`. Adding a kind touches that file and nothing else.

Every parameter is declared with `number`, `path`, `totals`, `words` or `moment` below, so that
its unit, limits, vocabulary and source stand beside it; the checks, the JSON schema and
``lodestone list interventions`` are all read from there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)

from lodestone.border.errors import InputError, combine
from lodestone.border.numbers import (
    Distribution,
    Number,
    parse_date,
    parse_moment,
    parse_number,
    plain,
)
from lodestone.border.words import nearest, suggestion
from lodestone.chain import naming
from lodestone.interventions.triggers import Trigger, read_trigger, write_trigger

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = [
    "REGISTRY",
    "Intervention",
    "Problem",
    "build",
    "intervention",
    "kinds",
    "steps",
    "vocabulary",
]

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


def _read_path(value: Any) -> Any:
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
            try:
                out[day] = parse_number(item)
            except ValueError as error:
                raise ValueError(f"at {key}: {error}") from None
        return dict(sorted(out.items()))
    return parse_number(value)


def _read_totals(value: Any) -> Any:
    """Read a mapping from periods (2010, 2010-H1, 2010-Q1, 2010-07) to numbers."""
    if not isinstance(value, Mapping) or "dist" in value or not value:
        raise ValueError("must be a mapping from periods to tonnes, for example {2010-H1: 22282}")
    out: dict[str, Number] = {}
    for key, item in value.items():
        if not _PERIOD.match(str(key)):
            raise ValueError(f"unknown period {key!r}: write 2010, 2010-H1, 2010-Q1 or 2010-07")
        try:
            out[str(key)] = parse_number(item)
        except ValueError as error:
            raise ValueError(f"at {key}: {error}") from None
    return out


def _read_words(value: Any) -> tuple[str, ...]:
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
_MOST = {
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


def number(
    default: Any,
    description: str,
    *,
    unit: str,
    source: str,
    low: float | None = None,
    high: float | None = None,
    hint: str = "",
) -> Any:
    """Declare a numeric parameter (`Num`, `Path` or `Totals`) with unit, limits and source."""
    extra: Any = {"unit": unit, "source": source, "low": low, "high": high, "hint": hint}
    if isinstance(default, dict):
        return Field(
            default_factory=lambda: dict(default), description=description, json_schema_extra=extra
        )
    return Field(default, description=description, json_schema_extra=extra)


def share(default: Any, description: str, *, source: str) -> Any:
    """Declare a share between 0 and 1."""
    return number(
        default,
        description,
        unit="share",
        source=source,
        low=0.0,
        high=1.0,
        hint="A share lies between 0 and 1, not in percent.",
    )


def words(default: Any, description: str, *, names: str) -> Any:
    """Declare a list of names from the vocabulary `names` (see `vocabulary`)."""
    return Field(default, description=description, json_schema_extra={"names": names})


def text(default: Any, description: str) -> Any:
    """Declare a parameter that is neither a number nor a name of the chain."""
    return Field(default, description=description)


def named(default: Any, description: str, *, live: bool = False) -> Any:
    """Declare a list of names of other interventions of the scenario.

    With ``live`` only kinds whose dates are read anew at every fold may be named.
    """
    return Field(default, description=description, json_schema_extra={"others": True, "live": live})


class Problem(BaseModel):
    """One thing that is wrong with an intervention: the key, what, and how to fix it."""

    model_config = ConfigDict(frozen=True)
    key: str
    message: str
    hint: str | None = None


# --------------------------------------------------------------------------- the base model


class Intervention(BaseModel):
    """One entry under ``interventions`` of a scenario file.

    Notes
    -----
    Instances are frozen. Dates are `datetime.date` or a `Distribution` of day ordinals; numbers
    are floats or a `Distribution`, in the unit of the field.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    kind: str = text(_REQUIRED, "which kind of intervention this is")
    role: Literal["disruption", "policy"] = text(
        "policy", "what it is in this scenario: a disruption or a policy"
    )
    announced: Moment | None = text(None, "date on which markets learn of it (default: the start)")
    start: Moment | None = text(None, "first day in force (default: the start of the scenario)")
    end: Moment | None = text(None, "first day no longer in force (null: stays in force)")
    duration: Num | None = number(
        None, "days in force, instead of an end", unit="day", source="definition", low=0.0
    )
    probability: Num = share(
        1.0, "probability that it happens at all, drawn once per world", source="definition"
    )
    triggered_by: TriggeredBy | None = text(
        None,
        "name of another intervention of the scenario: happens only in worlds where that does; or "
        "conditions that start it: {approval_below: 0.5, months: 2}, {share_below: 0.8, region: "
        "china, stage: magnet}, {hazard_per_year: 0.2}, with licence, gain and after",
    )
    survival_per_year: Num = share(
        1.0,
        "probability that it outlives another year, once in force; drawn once per world",
        source="definition",
    )
    source: Words = words((), "keys of the bibliography that support it", names="source")
    note: str = text("", "a remark for the reader")

    #: One sentence on what the kind does; shown by ``lodestone list interventions``.
    title: ClassVar[str] = ""
    #: Whether its dates are read anew at every fold, so that a truce may suspend it and a
    #: condition start it.
    live: ClassVar[bool] = False
    #: Groups of keys of which exactly one must be given: ``((("facilities",), ("region", "stage")),)``.
    one_of: ClassVar[tuple[tuple[tuple[str, ...], ...], ...]] = ()

    def names(self) -> list[tuple[str, str, str]]:
        """Return every name of the chain this intervention uses, as (key, category, name)."""
        out = []
        for key, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            category = extra.get("names") if isinstance(extra, dict) else None
            value = getattr(self, key)
            if category is None or value is None:
                continue
            used = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
            out += [(key, str(category), name) for name in used]
        return out

    def refers(self) -> list[tuple[str, str, bool]]:
        """Return the other interventions it names, as (key, name, must be live)."""
        out = []
        if isinstance(self.triggered_by, Trigger):
            for key in ("after", "licence"):
                name = getattr(self.triggered_by, key)
                if name is not None:
                    out.append((f"triggered_by.{key}", str(name), False))
        elif self.triggered_by is not None:
            out.append(("triggered_by", self.triggered_by, False))
        for key, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            if isinstance(extra, dict) and extra.get("others"):
                given: Any = getattr(self, key) or ()
                named = (given,) if isinstance(given, str) else given
                out += [(key, str(name), bool(extra.get("live"))) for name in named]
        return out

    def after(self) -> str | None:
        """Return the intervention without which it does not happen, if there is one."""
        if isinstance(self.triggered_by, Trigger):
            return self.triggered_by.after
        return self.triggered_by

    def begins(self) -> tuple[str, ...]:
        """Return the interventions whose start it writes."""
        return ()

    def opens(self, chain: Chain) -> list[tuple[str, str, str]]:
        """Return the trade links it needs, as (material, origin, destination)."""
        return []

    def problems(self, chain: Chain) -> list[Problem]:
        """Return everything that is wrong with this intervention on this chain."""
        found: list[Problem] = []
        for key, category, name in self.names():
            known = vocabulary(chain, category)
            if name not in known and not (category in PLACES and naming.known_place(chain, name)):
                kind = category.replace("_", " ")
                hint = suggestion(name, known, naming.also_called(chain))
                found.append(Problem(key=key, message=f"unknown {kind} '{name}'", hint=hint))
        found += self._limits() + self._order() + self._given() + self._trigger(chain)
        if not found:
            found += self.check(chain)
        return found

    def check(self, chain: Chain) -> list[Problem]:
        """Return what is wrong beyond names, limits and dates; kinds override this."""
        return []

    def default_sources(self) -> list[str]:
        """Return the sources of the defaults that stand because nothing else was given."""
        found = []
        for key, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            source = extra.get("source") if isinstance(extra, dict) else None
            if source and source != "definition" and key not in self.model_fields_set:
                found.append(str(source))
        return sorted(set(found))

    def beside(self, others: Mapping[str, Intervention], start: date | None) -> list[Problem]:
        """Return what is wrong with it beside the other interventions of the scenario."""
        return []

    def targets(self) -> str:
        """Return in a few words whom it concerns, for tables and calendars."""
        parts = []
        for key, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            category = extra.get("names") if isinstance(extra, dict) else None
            value = getattr(self, key)
            if category in (None, "source") or not value:
                continue
            listed = [value] if isinstance(value, str) else list(value)
            shown = ", ".join(listed[:4]) + (
                f" and {len(listed) - 4} more" if len(listed) > 4 else ""
            )
            parts.append(f"{key} {shown}")
        return "; ".join(parts)

    def written(self) -> dict[str, Any]:
        """Return the intervention as a scenario file would hold it, defaults included."""
        return plain(self.model_dump(mode="python"))

    # ------------------------------------------------------------------ checks of all kinds

    def _limits(self) -> list[Problem]:
        found = []
        for key, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            if not isinstance(extra, dict) or "unit" not in extra:
                continue
            for where, value in _leaves(key, getattr(self, key)):
                low: Any = extra.get("low")
                high: Any = extra.get("high")
                beyond = _MOST.get(str(extra["unit"]), 1e12)
                least, most = value.support() if isinstance(value, Distribution) else (value, value)
                unit = "" if extra["unit"] == "share" else f" {extra['unit']}"
                can = "can be" if isinstance(value, Distribution) else "is"
                hint = str(extra.get("hint") or "") or None
                if low is not None and least < low:
                    message = f"{can} {least:g}{unit}, below the lowest possible {low:g}"
                elif high is not None and most > high:
                    message = f"{can} {most:g}{unit}, above the highest possible {high:g}"
                elif far := [v for v in (least, most) if beyond < abs(v) < math.inf]:
                    message = f"{can} {far[0]:g}{unit}, beyond anything that can be meant"
                else:
                    continue
                found.append(Problem(key=where, message=message, hint=hint))
        return found

    def _order(self) -> list[Problem]:
        found = []
        start, end = _earliest(self.start), _latest(self.end)
        if start and end and end <= start:
            found.append(
                Problem(
                    key="end",
                    message=f"{end} is not after the start {start}",
                    hint="Give an end after the start, or leave it out to stay in force.",
                )
            )
        if self.end is not None and self.duration is not None:
            found.append(
                Problem(
                    key="duration",
                    message="is given together with end",
                    hint="Keep one of the two; set the other to null.",
                )
            )
        announced, latest = _earliest(self.announced), _latest(self.start)
        if announced and latest and announced > latest:
            found.append(
                Problem(
                    key="announced",
                    message=f"{announced} is after the start {latest}",
                    hint="A measure is announced on or before the day it starts.",
                )
            )
        return found

    def _trigger(self, chain: Chain) -> list[Problem]:
        if not isinstance(self.triggered_by, Trigger):
            return []
        found = [
            Problem(key=f"triggered_by.{key}".rstrip("."), message=message, hint=hint)
            for key, message, hint in self.triggered_by.problems(chain)
        ]
        if self.triggered_by.watches and not self.live:
            found.append(
                Problem(
                    key="triggered_by",
                    message=f"cannot be started by a condition: the dates of a {self.kind} are drawn "
                    "before the run",
                    hint="Give dates or a distribution of dates, or the name of another "
                    "intervention.",
                )
            )
        return found

    def _given(self) -> list[Problem]:
        found = []
        for group in self.one_of:
            full = [keys for keys in group if all(getattr(self, k) for k in keys)]
            some = [keys for keys in group if any(getattr(self, k) for k in keys)]
            if len(full) != 1 or len(some) != 1:
                choices = ", or ".join(" + ".join(keys) for keys in group)
                key = some[0][0] if some else group[0][0]
                what = "is missing" if not some else "does not name its target in one way"
                found.append(Problem(key=key, message=what, hint=f"Give either {choices}."))
        return found


def _leaves(key: str, value: Any) -> list[tuple[str, float | Distribution]]:
    """Return the numbers in a field, each with its dotted key."""
    if isinstance(value, Mapping):
        return [leaf for k, v in value.items() for leaf in _leaves(f"{key}.{plain(k)}", v)]
    if isinstance(value, Distribution) or (
        isinstance(value, int | float) and not isinstance(value, bool)
    ):
        return [(key, value)]
    return []


def _bounds(moment: date | Distribution | None) -> tuple[date | None, date | None]:
    if isinstance(moment, Distribution):
        low, high = moment.support()
        ok = [date.fromordinal(int(v)) if 1 <= v <= 3_652_059 else None for v in (low, high)]
        return ok[0], ok[1]
    return moment, moment


def _earliest(moment: date | Distribution | None) -> date | None:
    return _bounds(moment)[0]


def _latest(moment: date | Distribution | None) -> date | None:
    return _bounds(moment)[1]


def steps(path: Number | Mapping[date, Number], start: date) -> list[tuple[date, Number]]:
    """Return a `Path` as dated steps in order; a plain number becomes one step at `start`."""
    if isinstance(path, Mapping):
        return sorted(path.items())
    return [(start, path)]


# --------------------------------------------------------------------------- the registry

REGISTRY: dict[str, type[Intervention]] = {}


def intervention(kind: str) -> Callable[[type[Intervention]], type[Intervention]]:
    """Register a class as the kind of this name; a second class of the same name is an error."""

    def register(cls: type[Intervention]) -> type[Intervention]:
        if kind in REGISTRY:
            raise ValueError(f"two kinds of intervention are called {kind!r}")
        REGISTRY[kind] = cls
        return cls

    return register


def kinds() -> dict[str, type[Intervention]]:
    """Return all registered kinds by name, in alphabetical order."""
    return dict(sorted(REGISTRY.items()))


def build(name: str, given: Any, file: Any = None) -> Intervention:
    """Make one intervention from its mapping in a scenario file.

    Raises
    ------
    InputError
        For an unknown kind or key, a missing key, or a value of the wrong sort. Names and
        magnitudes are checked later, against the chain, by `Intervention.problems`.
    """
    at = f"interventions.{name}"
    if not isinstance(given, Mapping):
        raise InputError(
            f"must be a mapping with a kind, got {given!r}",
            file=file,
            key=at,
            hint="Write its keys indented below the name, beginning with 'kind:'.",
        )
    kind = given.get("kind")
    if kind is None:
        raise InputError(
            "lacks its kind", file=file, key=at, hint=f"Add 'kind:', one of {', '.join(kinds())}."
        )
    if not isinstance(kind, str) or kind not in REGISTRY:
        raise InputError(
            f"unknown kind of intervention '{kind}'",
            file=file,
            key=f"{at}.kind",
            hint=suggestion(str(kind), REGISTRY),
        )
    cls = REGISTRY[str(kind)]
    # An unknown key is refused before empty values drop: null means, as by default.
    found = [_unknown_key(cls, at, [str(k)], file) for k in given if k not in cls.model_fields]
    try:
        made = cls.model_validate(
            {k: v for k, v in given.items() if v is not None and k in cls.model_fields}
        )
    except ValidationError as error:
        raise combine([*found, *_readable(error, cls, at, file)]) from None
    if found:
        raise combine(found)
    return made


def _unknown_key(cls: type[Intervention], at: str, place: list[str], file: Any) -> InputError:
    known = _keys_at(cls, place[:-1])
    hint = f"Known keys are {', '.join(known)}."
    if re.fullmatch(r"\d+", place[-1]):
        hint = "A decimal comma? Numbers are written with a point: 0.5."
    elif near := nearest(place[-1], known):
        hint = f"Did you mean '{near}'?"
    return InputError("unknown key", file=file, key=".".join((at, *place)), hint=hint)


def _readable(
    error: ValidationError, cls: type[Intervention], at: str, file: Any
) -> list[InputError]:
    """Turn pydantic's report into errors with key, what is wrong and how to fix it."""
    found = []
    for item in error.errors():
        place = [str(part) for part in item["loc"]]
        key = ".".join((at, *place))
        sort = item["type"]
        if sort == "extra_forbidden":
            found.append(_unknown_key(cls, at, place, file))
        elif sort == "missing":
            what = cls.model_fields[place[0]].description if place[0] in cls.model_fields else ""
            found.append(
                InputError(
                    "is missing", file=file, key=key, hint=f"Add it: {what}." if what else None
                )
            )
        else:
            message = item["msg"].removeprefix("Value error, ")
            if sort in ("literal_error", "enum"):
                expected = str(item.get("ctx", {}).get("expected", ""))
                message = f"must be {expected}, got {item['input']!r}"
            found.append(InputError(message[:1].lower() + message[1:], file=file, key=key))
    return found


def _keys_at(cls: type[BaseModel], place: list[str]) -> list[str]:
    """Return the keys known at a nested place of a model."""
    model: Any = cls
    for part in place:
        info = getattr(model, "model_fields", {}).get(part)
        if info is None:
            continue
        for arg in getattr(info.annotation, "__args__", ()):
            if isinstance(arg, type) and issubclass(arg, BaseModel):
                model = arg
    return list(model.model_fields)


# --------------------------------------------------------------------------- names and targets


def vocabulary(chain: Chain, category: str) -> set[str]:
    """Return the words allowed for a category of names.

    Parameters
    ----------
    category
        ``region``, ``place`` (regions, countries, blocs, all), ``holder`` (places and existing
        stockpiles), ``material`` (with the group words), ``sector``, ``facility``, ``stage``,
        ``tier``, ``user`` (sectors and tiers), ``source``.
    """
    places = set(naming.place_words(chain))
    match category:
        case "region":
            return set(chain.regions)
        case "place":
            return places
        case "holder":
            return (places - {"all"}) | set(chain.stockpiles)
        case "material":
            return set(chain.material_words())
        case "sector":
            return {*chain.sectors, "all"}
        case "facility":
            return set(chain.facilities)
        case "stage":
            return set(STAGES)
        case "tier":
            return {*TIERS, "all"}
        case "user":
            return {*chain.sectors, *TIERS, "all"}
        case "source":
            return {*chain.sources, *chain.assumptions}
    raise KeyError(category)
