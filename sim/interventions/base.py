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

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from lodestone.border.numbers import plain
from lodestone.border.words import suggestion
from lodestone.chain import naming
from lodestone.chain.nouns import Chain, Facility
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Acting, Effect
from lodestone.interventions.fields import (
    _REQUIRED,
    PLACES,
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
from lodestone.interventions.problems import (
    Problem,
    Unread,
    beyond_limits,
    out_of_order,
    unfit_trigger,
    ungiven,
    unread,
    vocabulary,
)
from lodestone.interventions.targets import Select, TradeOf, plants_of, trade, users_of
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
    announced: Moment | None = text(
        None,
        "date on which markets learn of it (default: the start): buyers stock up before a ban, a licence, a quota, a denial or a certificate; other kinds tell it in the calendar only",
    )
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

    @field_validator("*", mode="after")
    @classmethod
    def _names_something(cls, value: object, info: ValidationInfo) -> object:
        """An empty list means nobody; a key that names somebody unless it is left out cannot."""
        if value == () and cls.model_fields[str(info.field_name)].default not in ((), None):
            raise ValueError("is an empty list; name something, or leave the key out")
        return value

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
        why = self.nothing(chain)
        if not why and isinstance(self.where, TradeOf):
            why = self.where.later(self, chain, end)
        return why or None

    def nothing(self, chain: Chain) -> str:
        """Return why what it names means nothing in this chain; empty if it means something."""
        return self.where.empty(self, chain) if self.where is not None else ""

    def remarks(self, chain: Chain) -> list[str]:
        """Return what a reader must know of how the model takes it: shares, what it cannot tell."""
        found = []
        for key, told in declared(type(self)).items():
            given = getattr(self, key)
            if told.names != "place" or not given:
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
        for key, told in declared(type(self)).items():
            value = getattr(self, key)
            if not told.names or value is None:
                continue
            used = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
            out += [(key, told.names, name) for name in used]
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
        for key, told in declared(type(self)).items():
            if told.others:
                given: str | Iterable[str] = getattr(self, key) or ()
                named = (given,) if isinstance(given, str) else given
                out += [(key, str(name), told.live) for name in named]
        return out

    def after(self) -> str | None:
        """Return the intervention without which it does not happen, if there is one."""
        if isinstance(self.triggered_by, Trigger):
            return self.triggered_by.after
        return self.triggered_by

    def hastens(self, chain: Chain) -> Collection[str]:
        """Return the plants on file that it may bring on line before their day."""
        return ()

    def begins(self) -> tuple[str, ...]:
        """Return the interventions whose start it writes."""
        return ()

    def new_facility(self, name: str, chain: Chain) -> Facility | None:
        """Return the plant that it adds to the chain of the run, or changes there."""
        return None

    def opens(self, chain: Chain) -> list[tuple[str, str, str]]:
        """Return the trade links it needs, as (material, origin, destination)."""
        return []

    def unread(self) -> list[Unread]:
        """Return the keys that are given and that nothing reads (see `When` in `fields`)."""
        return unread(self)

    def problems(self, chain: Chain, elsewhere: Collection[str] = ()) -> list[Problem]:
        """Return everything that is wrong with this intervention on this chain.

        Parameters
        ----------
        elsewhere
            Keys that are read where the scenario is run otherwise (another variant, a word that
            was typed): no mistake where nothing reads them.
        """
        found: list[Problem] = []
        names = list(self.names())
        words = {category: vocabulary(chain, category) for category in {c for _, c, _ in names}}
        for key, category, name in names:
            known = words[category]
            if name not in known and not (category in PLACES and naming.known_place(chain, name)):
                kind = category.replace("_", " ")
                hint = suggestion(name, known, naming.also_called(chain))
                found.append(Problem(key=key, message=f"unknown {kind} '{name}'", hint=hint))
        found += beyond_limits(self, lambda key: self.usual(key, chain)) + out_of_order(self)
        found += self.ungiven() + unfit_trigger(self, self.live, chain)
        if not found:
            found += self.check(chain)
        idle = [one for one in self.unread() if not one.here and one.key not in elsewhere]
        return found + [one for one in idle if one.key not in {p.key for p in found}]

    def check(self, chain: Chain) -> list[Problem]:
        """Return what is wrong beyond names, limits and dates; kinds override this."""
        return []

    def default_sources(self) -> list[str]:
        """Return the sources of the defaults that stand because nothing else was given."""
        found = []
        for key, told in declared(type(self)).items():
            if told.source not in ("", "definition") and key not in self.model_fields_set:
                found.append(told.source)
        return sorted(set(found))

    def beside(self, others: Mapping[str, Intervention], start: date | None) -> list[Problem]:
        """Return what is wrong with it beside the other interventions of the scenario."""
        return []

    def targets(self) -> str:
        """Return in a few words whom it concerns, for tables and calendars."""
        parts = []
        for key, told in declared(type(self)).items():
            value = getattr(self, key)
            if told.names in ("", "source") or not value:
                continue
            listed = [value] if isinstance(value, str) else list(value)
            shown = ", ".join(listed[:4]) + (
                f" and {len(listed) - 4} more" if len(listed) > 4 else ""
            )
            parts.append(f"{key} {shown}")
        return "; ".join(parts)

    def written(self) -> dict[str, object]:
        """Return the intervention as a scenario file would hold it, defaults included.

        A key that nothing reads stands at its default, so that a record of a run can be read.
        """
        idle = [one.key for one in self.unread() if not one.here]
        bare = {k: type(self).model_fields[k].get_default(call_default_factory=True) for k in idle}
        return plain({**self.model_dump(mode="python"), **bare})

    # ------------------------------------------------------------------ checks of all kinds

    def ungiven(self) -> list[Problem]:
        """Return the groups of keys of which not exactly one is given."""
        return ungiven(self, self.one_of)

    def usual(self, key: str, chain: Chain) -> tuple[float, float] | None:
        """Return what a number can be meant to be; outside it is taken for a slip of unit.

        Parameters
        ----------
        key
            Dotted where the number stands below its key: ``by_element.dy``, a date of a path.
        """
        return declared(type(self))[key.partition(".")[0]].plausible


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


def compile_effect(item: Intervention, name: str, ctx: Context) -> Effect:
    """Draw the numbers of a declaration in the worlds of a run and turn its words into rows."""
    return item.effect(item, name, ctx)
