"""What all kinds of intervention share: the common keys, the checks, the registry.

An intervention is *declared* (a named entry of a scenario file) and never acts by itself: it only
states which rules it would change, where and when. A kind is one file of this package with one
class under the decorator `intervention`: its keys, and one method, `act`, that writes rules.
Adding a kind touches that file and its documented example, ``docs/examples/KIND.yaml``.

Every parameter is declared with `number`, `share`, `places`, `goods` or another of
`lodestone.interventions.fields`, so that its unit, limits, vocabulary and source stand beside it;
the checks, the JSON schema, ``lodestone list interventions`` and the numbers drawn for each world
are all read from there. Kinds that need more than a method give an `Effect` of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lodestone.border.errors import InputError, combine
from lodestone.border.numbers import Distribution, plain
from lodestone.border.words import nearest, suggestion
from lodestone.chain import naming
from lodestone.chain.nouns import Chain, Facility
from lodestone.interventions.context import Context
from lodestone.interventions.effects import (
    Acting,
    Effect,
    Select,
    plants_of,
    trade,
    users_of,
)
from lodestone.interventions.fields import (
    _REQUIRED,
    MOST,
    PLACES,
    STAGES,
    TIERS,
    Moment,
    Num,
    Path,
    Totals,
    TriggeredBy,
    Words,
    bounds,
    declared,
    ends_of,
    goods,
    leaves,
    named,
    number,
    path,
    places,
    plants,
    share,
    text,
    users,
    words,
)
from lodestone.interventions.triggers import Trigger
from lodestone.worlds.conditions import Rules

__all__ = [
    "REGISTRY",
    "Acting",
    "Context",
    "Effect",
    "Intervention",
    "Num",
    "Path",
    "Problem",
    "Rules",
    "Totals",
    "Words",
    "build",
    "compile_effect",
    "goods",
    "intervention",
    "kinds",
    "leaves",
    "named",
    "number",
    "path",
    "places",
    "plants",
    "plants_of",
    "share",
    "text",
    "trade",
    "users",
    "users_of",
    "vocabulary",
    "words",
]


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

    #: How its words become rows (`trade`, `users_of`, `plants_of`).
    where: ClassVar[Select | None] = None
    #: What it is once compiled; kinds with a memory or a plan of their own give another.
    effect: ClassVar[type[Effect]] = Effect
    #: Key -> value at which it does nothing.
    neutral: ClassVar[dict[str, float]] = {}

    def act(self, rules: Rules, on: Acting) -> None:
        """Write the rules of one market day, on which it is announced or in force."""

    def inert(self, chain: Chain, start: date, end: date) -> str | None:
        """Return why it never acts in a run from start to end; None if it may.

        Parameters
        ----------
        chain
            The chain of the run, with the plants that the scenario adds.
        """
        first, last = bounds(self.start)[0], bounds(self.end)[1]
        if first is not None and first >= end:
            return f"it starts on {first}, and the run ends on {end}"
        if last is not None and last <= start:
            return f"it ends on {last}, and the run starts on {start}"
        if self.duration is not None and ends_of(self.duration)[1] <= 0.0:
            return "its duration is 0"
        if ends_of(self.probability)[1] <= 0.0:
            return "its probability is 0"
        for key, nothing in self.neutral.items():
            said = [ends_of(value) for _, value in leaves(key, getattr(self, key))]
            if said and all(ends == (nothing, nothing) for ends in said):
                return f"its {key} is {nothing:g}"
        return self.nothing(chain) or None

    def nothing(self, chain: Chain) -> str:
        """Return why what it names means nothing in this chain; empty if it means something."""
        return self.where.empty(self, chain) if self.where is not None else ""

    def remarks(self, chain: Chain) -> list[str]:
        """Return what a reader must know of how the model takes it: shares, what it cannot tell."""
        found = []
        for key in type(self).model_fields:
            given = getattr(self, key)
            if declared(type(self), key).get("names") != "place" or not given:
                continue
            for region, there in naming.places(chain, given).split().items():
                meant = naming.Places(chain, frozenset(there))
                use = meant.use.get(region, 0.0)
                who = ", ".join(there[:3]) + (" and others" if len(there) > 3 else "")
                found.append(
                    f"{key}: only {who} in {region}, so plants that lie there and "
                    f"{100 * use:.3g} % of the region's use (A43); its buyers and stocks are not "
                    "told apart by country"
                )
        return found

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

    def new_facility(self, name: str, chain: Chain) -> Facility | None:
        """Return the plant that it adds to the chain of the run, or changes there."""
        return None

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
        found += self._limits(chain) + self._order() + self._given() + self._trigger(chain)
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

    def usual(self, key: str, chain: Chain) -> tuple[float, float] | None:
        """Return what a number can be meant to be; outside it is taken for a slip of unit."""
        held: Any = declared(type(self), key).get("plausible")
        return held

    def _limits(self, chain: Chain) -> list[Problem]:
        found = []
        for key, info in type(self).model_fields.items():
            extra = info.json_schema_extra
            if not isinstance(extra, dict) or "unit" not in extra:
                continue
            for where, value in leaves(key, getattr(self, key)):
                low: Any = extra.get("low")
                high: Any = extra.get("high")
                beyond = MOST.get(str(extra["unit"]), 1e12)
                least, most = ends_of(value)
                unit = "" if extra["unit"] == "share" else f" {extra['unit']}"
                usual = self.usual(key, chain)
                can = "can be" if isinstance(value, Distribution) else "is"
                hint = str(extra.get("hint") or "") or None
                if low is not None and least < low:
                    message = f"{can} {least:g}{unit}, below the lowest possible {low:g}"
                elif high is not None and most > high:
                    message = f"{can} {most:g}{unit}, above the highest possible {high:g}"
                elif usual is not None and not usual[0] <= least <= most <= usual[1]:
                    message, hint = _implausible(least, most, usual, str(extra["unit"]), can)
                elif far := [
                    v
                    for v in (
                        least,
                        most,
                        (value.centre() if isinstance(value, Distribution) else value),
                    )
                    if beyond < abs(v) < math.inf
                ]:
                    message = f"{can} {far[0]:g}{unit}, beyond anything that can be meant"
                else:
                    continue
                found.append(Problem(key=where, message=message, hint=hint))
        return found

    def _order(self) -> list[Problem]:
        found = []
        start, end = bounds(self.start)[0], bounds(self.end)[1]
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
        announced, latest = bounds(self.announced)[0], bounds(self.start)[1]
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


def _implausible(
    least: float, most: float, usual: tuple[float, float], unit: str, can: str
) -> tuple[str, str]:
    """Say that a magnitude can only be a slip, and which number was meant."""
    low, high = usual
    value, what = (least, "low") if least < low else (most, "high")
    if unit.startswith("share"):
        said, told = f"{value:g}", f"{100 * value:g} %"
        by, suffix = 100.0, ""
    else:
        said, told = f"{value:g} {unit}", f"{1000 * value:g} {unit.replace('/kg', ' per tonne')}"
        by, suffix = 1000.0, f" {unit}"
    message = f"{can} {said}, implausibly {what} ({told})"
    hint = f"Write a number between {low:g} and {high:g}."
    meant = value / by if what == "high" else value * by
    if low <= meant <= high:
        hint = f"Between {low:g} and {high:g}{suffix}; did you mean {meant:g}{suffix}?"
    return message, hint


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
        slip = next((k for k in given if k not in Intervention.model_fields and near_kind(k)), None)
        if slip is not None:
            at = f"{at}.{slip}"
            raise InputError("unknown key", file=file, key=at, hint="Did you mean 'kind'?")
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


def near_kind(key: object) -> bool:
    """Whether a key is a slip of ``kind``."""
    return nearest(str(key), ("kind", *Intervention.model_fields)) == "kind"


def _unknown_key(cls: type[Intervention], at: str, place: list[str], file: Any) -> InputError:
    known = _keys_at(cls, place[:-1])
    hint = f"Known keys are {', '.join(known)}."
    if re.fullmatch(r"\d+", place[-1]):
        hint = "A decimal comma? Numbers are written with a point: 0.5."
    elif near := nearest(place[-1], known):
        hint = f"Did you mean '{near}'?"
    return InputError("unknown key", file=file, key=".".join((at, *place)), hint=hint)


def compile_effect(item: Intervention, name: str, ctx: Context) -> Effect:
    """Draw the numbers of a declaration in the worlds of a run and turn its words into rows."""
    return item.effect(item, name, ctx)


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
    known = set(naming.place_words(chain))
    match category:
        case "region":
            return set(chain.regions)
        case "place":
            return known
        case "holder":
            return (known - {"all"}) | set(chain.stockpiles)
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
