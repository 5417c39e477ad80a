"""What a declared intervention does to the worlds of a run: drawn dates and a fold of the rules.

Compiling a declaration draws its numbers and turns its words into rows, once. The `Effect` that
comes out is asked at every market and office day to write what it changes into the
:class:`~lodestone.worlds.conditions.Rules` of that day: by default it lets the declaration `act`.
An effect never moves material and never writes the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from lodestone.border.numbers import Distribution, Number
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.context import Context, Steps, random_day
from lodestone.interventions.fields import declared
from lodestone.interventions.triggers import Trigger
from lodestone.interventions.watch import Seen, Watch, make_watch
from lodestone.worlds.conditions import Rules
from lodestone.worlds.made import makes
from lodestone.worlds.market import Market
from lodestone.worlds.parts import Part
from lodestone.worlds.view import MarketView

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lodestone.worlds.projects import Projects

#: Numbers that every kind has, drawn by `timing`.
OF_ALL = frozenset({"duration", "probability", "survival_per_year"})
#: Money spent: rows of facilities, and USD million, shape (n, w) or (w,).
Spending = tuple[Any, np.ndarray]


class Item(Protocol):
    """What an effect has to know of a declaration."""

    @property
    def kind(self) -> str:
        """Name of its kind."""

    @property
    def role(self) -> str:
        """Disruption or policy."""

    @property
    def announced(self) -> date | Distribution | None:
        """Day on which markets learn of it."""

    @property
    def start(self) -> date | Distribution | None:
        """First day in force."""

    @property
    def end(self) -> date | Distribution | None:
        """First day no longer in force."""

    @property
    def duration(self) -> Number | None:
        """Days in force, instead of an end."""

    @property
    def probability(self) -> Number:
        """Probability that it happens."""

    @property
    def survival_per_year(self) -> Number:
        """Probability that it outlives another year."""

    @property
    def triggered_by(self) -> str | Trigger | None:
        """What must happen before it."""

    @property
    def source(self) -> tuple[str, ...]:
        """What supports it."""

    def after(self) -> str | None:
        """The intervention without which it does not happen."""

    def targets(self) -> str:
        """Whom it concerns."""

    def act(self, rules: Rules, on: Acting) -> None:
        """Write its rules."""


class Reviews(Protocol):
    """What an effect may put on the calendar before the run."""

    @property
    def last_day(self) -> float:
        """Length of the run, days."""

    def review(
        self, day: float, action: Callable[[], None], what: str, where: str, source: str
    ) -> None:
        """Call ``action`` on a day before the market, and print a line."""


# --------------------------------------------------------------------------- words to rows


@dataclass(frozen=True)
class Targets:
    """The rows that a declaration means; what it does not name is empty."""

    goods: Part | None = None
    ore: Part | None = None
    cells: Part | None = None
    users: Part | None = None
    plants: np.ndarray | None = None

    def nothing(self) -> bool:
        """Whether it names rows and none is there."""
        named = [p for p in (self.goods, self.ore, self.users) if p is not None]
        rows = any(part.rows.any() for part in named)
        empty = self.plants is not None and not len(self.plants)
        return empty or (bool(named) and not rows)


class Select(Protocol):
    """How the words of a declaration become rows, and when they mean nothing at all."""

    def rows(self, item: Any, ctx: Context) -> Targets:
        """The rows meant."""

    def empty(self, item: Any, chain: Chain) -> str:
        """Why nothing is meant, in a few words; empty if something is."""


@dataclass(frozen=True)
class TradeOf:
    """Goods and ore that places named under these keys send one another."""

    exporter: str
    destinations: str | None = None
    materials: str | None = None

    def rows(self, item: Any, ctx: Context) -> Targets:
        """Trade links, links of concentrate, and buyers."""
        ours, ends, made = self._named(item)
        goods = ctx.goods(ours, ends, made)
        return Targets(goods=goods, ore=ctx.ore(ours, ends, made), cells=ctx.buyers(goods))

    def _named(self, item: Any) -> tuple[Any, Any, Any]:
        ends = getattr(item, self.destinations) if self.destinations else None
        made = getattr(item, self.materials) if self.materials else None
        return getattr(item, self.exporter), ends, made

    def empty(self, item: Any, chain: Chain) -> str:
        """Nothing is meant where the exporter makes none of it, or sells to itself alone."""
        exporter, ends, made = self._named(item)
        ours = naming.places(chain, exporter)
        theirs = naming.places(chain, naming.EVERYTHING if ends is None else ends)
        goods = naming.materials(chain, naming.EVERYTHING if made is None else made)
        makers = {region for region in ours.use if makes_any(chain, ours, region, goods)}
        if not makers:
            return f"{_listed(exporter)} makes none of {_listed(made or naming.EVERYTHING)}"
        if all(set(theirs.use) <= {region} for region in makers):
            return f"the model has no trade inside {' and '.join(sorted(makers))}"
        if not any(share > 0.0 for share in theirs.use.values()):
            return f"{_listed(ends)} has no share in what its region uses"
        return ""


@dataclass(frozen=True)
class UsersOf:
    """Users in the places and sectors named under these keys."""

    regions: str
    sectors: str

    def rows(self, item: Any, ctx: Context) -> Targets:
        """Lines of users."""
        return Targets(users=ctx.users(getattr(item, self.regions), getattr(item, self.sectors)))

    def empty(self, item: Any, chain: Chain) -> str:
        """Nothing is meant where nobody there uses anything for it."""
        where = naming.places(chain, getattr(item, self.regions)).use
        sectors = naming.sectors(chain, getattr(item, self.sectors))
        for _, sector, region in naming.uses(chain):
            if sector in sectors and where.get(region, 0.0) > 0.0:
                return ""
        return f"nobody in {_listed(getattr(item, self.regions))} uses anything for it"


@dataclass(frozen=True)
class PlantsOf:
    """Plants named, or those of a place and stage."""

    facilities: str | None
    region: str
    stage: str | None = None

    def _named(self, item: Any) -> tuple[Any, Any, Any]:
        names = getattr(item, self.facilities) if self.facilities else None
        at = getattr(item, self.stage) if self.stage else None
        return names, getattr(item, self.region), at

    def rows(self, item: Any, ctx: Context) -> Targets:
        """Plants."""
        return Targets(plants=ctx.facilities(*self._named(item)))

    def empty(self, item: Any, chain: Chain) -> str:
        """Nothing is meant where no plant of the stage is on file there."""
        names, region, stage = self._named(item)
        found = naming.plants(chain, names, region, stage)
        if any(chain.facilities[f].modelled for f in found):
            return ""
        what = f"facility of stage {stage}" if stage else "facility"
        return f"there is no {what} in {_listed(region or names)}"


def trade(exporter: str, destinations: str | None = None, materials: str | None = None) -> TradeOf:
    """What places named under these keys send one another."""
    return TradeOf(exporter, destinations, materials)


def users_of(regions: str, sectors: str) -> UsersOf:
    """Users in the places and sectors named under these keys."""
    return UsersOf(regions, sectors)


def plants_of(facilities: str | None, region: str, stage: str | None = None) -> PlantsOf:
    """Plants named under these keys, or those of a place and stage."""
    return PlantsOf(facilities, region, stage)


def makes_any(chain: Chain, where: naming.Places, region: str, goods: Iterable[str]) -> bool:
    """Whether the part of a region that is meant makes any of some goods, now or when built."""
    wanted = set(goods)
    split = region in where.split()
    for f in chain.facilities.values():
        if f.region != region or not f.modelled or (split and not where.holds(f)):
            continue
        if f.stage == "metal":
            made = {n for n, m in chain.materials.items() if m.form == "metal"}
        else:
            made = set(makes(f, chain))
        if made & wanted:
            return True
    alike = [f for f in chain.facilities.values() if f.region == region and f.modelled]
    on_file = {row.material for row in chain.baseline if row.region == region and row.tonnes > 0.0}
    return bool(on_file & wanted) and not (split and alike)


def _listed(words: Any) -> str:
    return words if isinstance(words, str) else ", ".join(words)


# --------------------------------------------------------------------------- numbers


class Numbers:
    """The numbers of a declaration, drawn in each world: by key, shape (w,).

    A path over time gives its first value; `now` gives what is in force.
    """

    def __init__(self, steps: dict[str, Steps], before: dict[str, float]) -> None:
        self._steps, self._before = steps, before

    def __getattr__(self, key: str) -> np.ndarray:
        if key.startswith("_") or key not in self._steps:
            raise AttributeError(key)
        return self._steps[key].values[0]

    def __contains__(self, key: object) -> bool:
        return key in self._steps

    def now(self, key: str, t0: float) -> np.ndarray:
        """What is in force on a day, shape (w,)."""
        return self._steps[key].at(t0, self._before[key])

    def steps(self, key: str) -> Steps:
        """The path itself."""
        return self._steps[key]


def drawn(item: Item, name: str, ctx: Context) -> Numbers:
    """Draw every number that a declaration holds, each from the stream of its key."""
    model: type[BaseModel] = type(item)  # type: ignore[assignment]
    steps, before = {}, {}
    for key in model.model_fields:
        told = declared(model, key)
        value = getattr(item, key)
        if "unit" not in told or key in OF_ALL or value is None:
            continue
        if isinstance(value, Mapping) and not all(isinstance(k, date) for k in value):
            continue  # by period or by place: its kind reads it
        stream = told.get("stream") or key
        steps[key] = ctx.steps(value, f"{name}/{stream}")
        before[key] = float(told.get("before") or 0.0)
    return Numbers(steps, before)


def timing(item: Item, name: str, ctx: Context) -> dict[str, Any]:
    """Start, end and announcement by world, (w,) each, and the watch on its trigger."""
    start = ctx.day(item.start, f"{name}/start", 0.0)
    begun = ctx.begins.get(name)
    if begun is not None:
        start = np.maximum(begun, start) if item.start is not None else begun
    length = ctx.full(np.inf)
    if item.duration is not None:
        length = ctx.number(item.duration, f"{name}/duration")
        end = start + length
    else:
        end = ctx.day(item.end, f"{name}/end", np.inf)
    if item.survival_per_year != 1.0:
        yearly = ctx.number(item.survival_per_year, f"{name}/survival_per_year")
        with np.errstate(divide="ignore"):
            lives = random_day(ctx, f"{name}/survives", ctx.full(0.0), -np.log(yearly))
        length = np.minimum(length, lives)
        end = np.minimum(end, start + lives)
    announced = ctx.day(item.announced, f"{name}/announced", np.inf)
    announced = np.where(np.isfinite(announced), np.minimum(announced, start), start)
    chance = ctx.number(item.probability, f"{name}/probability-of")
    happens = ctx.luck(f"{name}/happens") < chance
    if item.after():
        happens &= ctx.happens.get(str(item.after()), np.ones(ctx.count, dtype=bool))
    if begun is not None:  # where another starts it after its own end, or never, it does not
        happens &= np.isfinite(begun) & (start < end)
    watch = None
    if isinstance(item.triggered_by, Trigger) and item.triggered_by.watches:
        closes = ctx.day(item.end, f"{name}/end", np.inf)
        opens = np.where(happens, start, np.inf)
        watch = make_watch(item.triggered_by, name, ctx, opens, closes, length)
        start, end, announced = ctx.full(np.inf), ctx.full(np.inf), ctx.full(np.inf)
    ctx.happens[name] = happens
    return {
        "start": np.where(happens, start, np.inf),
        "end": np.where(happens, end, np.inf),
        "announced": np.where(happens, announced, np.inf),
        "watch": watch,
    }


# --------------------------------------------------------------------------- effects


class Effect(Seen):
    """A compiled intervention.

    Attributes
    ----------
    item : Item
        The declaration.
    name, kind, role : str
    start, end, announced : ndarray, shape (w,)
        Days; ``inf`` where it does not happen or does not end.
    source : tuple of str
    where : str
        Whom it concerns, for the calendar.
    watch : Watch or None
        What starts it, where its start depends on the state.
    suspensions : list of (start, end)
        Spans, (w,) each, in which a truce keeps it out of force.
    n : Numbers
        Its numbers, drawn.
    on : Targets
        Its rows.
    """

    #: When its `plan` is asked: dates first (0), then conditions (1), then queues (2).
    planning: ClassVar[int] = 1
    #: Why it can change nothing when it means no row.
    empty: ClassVar[str] = "it concerns nothing that is there"

    item: Any  # the declaration; kinds with an effect of their own say which

    def __init__(self, item: Item, name: str, ctx: Context) -> None:
        self.item = item
        self.name, self.kind, self.role = name, item.kind, str(item.role)
        self.source, self.where = tuple(item.source), item.targets()
        when = timing(item, name, ctx)
        self.start: np.ndarray = when["start"]
        self.end: np.ndarray = when["end"]
        self.announced: np.ndarray = when["announced"]
        self.watch: Watch | None = when["watch"]
        self.suspensions: list[tuple[np.ndarray, np.ndarray]] = []
        self.last_day = ctx.last_day
        self.n = drawn(item, name, ctx)
        select: Select | None = getattr(type(item), "where", None)
        self.on = select.rows(item, ctx) if select is not None else Targets()
        self.set_up(ctx)

    def set_up(self, ctx: Context) -> None:
        """Hook: resolve and draw what the declaration alone does not say."""

    @property
    def worlds(self) -> int:
        """Number of worlds."""
        return len(self.start)

    def share(self, t0: float, t1: float) -> np.ndarray:
        """Share of [t0, t1) on which it is in force, by world."""
        first, last = np.maximum(self.start, t0), np.minimum(self.end, t1)
        overlap = last - first
        for begin, finish in self.suspensions:
            taken = np.minimum(finish, last) - np.maximum(begin, first)
            overlap = np.minimum(overlap, last - first - np.maximum(taken, 0.0))
        return np.clip(overlap / (t1 - t0), 0.0, 1.0)

    def known(self, t0: float) -> np.ndarray:
        """1 where it is announced and not yet in force."""
        return ((self.announced <= t0) & (t0 < self.start)).astype(float)

    def connect(self, effects: Mapping[str, Effect]) -> None:
        """Hook before the run, when all are compiled: reach others by name, change their dates."""

    def look(self, now: float, days: float, m: MarketView, effects: Mapping[str, Effect]) -> None:
        """Hook before each market day: start where its trigger fires."""
        if self.watch is None:
            return
        new = self.watch.look(now, days, m, effects)
        if np.any(new):
            self.start[new] = self.announced[new] = now
            self.end[new] = np.minimum(now + self.watch.length, self.watch.closes)[new]

    @property
    def reason(self) -> str:
        """Why it can change nothing, in a few words for the calendar; empty if it can."""
        return self.idle() or self.why()

    def idle(self) -> str:
        """Why it is never in force in this run; empty if it is, in some world."""
        if self.watch is not None and np.any(np.isfinite(self.watch.opens)):
            return ""
        ever = (self.start < self.last_day) & (self.end > 0.0) & (self.start < self.end)
        return "" if np.any(ever) else "it is in force in no world of this run"

    def why(self) -> str:
        """Hook: why it changes nothing though it is in force."""
        return self.empty if self.on.nothing() else ""

    def plan(self, projects: Projects) -> None:
        """Hook before the run: change dates and chances of announced plants."""

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Hook before the run: open books, put shared dates on the calendar."""

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Write the contribution to the rules of [t0, t1)."""
        on = Acting(self, t0, t1, m)
        if np.any(on.active) or np.any(on.known):
            self.item.act(rules, on)

    def spending(self, t0: float, t1: float) -> Spending | None:
        """Public money spent in [t0, t1): (rows of facilities, USD million (n, w) or (w,))."""
        return None


class Acting:
    """An effect on one market day: what an `act` works with.

    Attributes
    ----------
    active : ndarray, shape (w,)
        Share of the day on which it is in force.
    known : ndarray, shape (w,)
        1 where it is announced and not yet in force.
    goods, ore, cells, users : Part
        The rows it means; `plants` : ndarray of int.
    m : Market
        The market as it stands.
    KEY : ndarray, shape (w,)
        Any number of the declaration, as it is in force today.
    """

    def __init__(self, effect: Effect, t0: float, t1: float, m: MarketView) -> None:
        self.effect, self.t0, self.t1, self.m = effect, t0, t1, m
        self.active, self.known = effect.share(t0, t1), effect.known(t0)

    def __getattr__(self, key: str) -> np.ndarray:
        if key.startswith("_"):
            raise AttributeError(key)
        return self.effect.n.now(key, self.t0)

    @property
    def goods(self) -> Part:
        """Trade links."""
        return _there(self.effect.on.goods)

    @property
    def ore(self) -> Part:
        """Links of concentrate."""
        return _there(self.effect.on.ore)

    @property
    def cells(self) -> Part:
        """Buyers of the goods."""
        return _there(self.effect.on.cells)

    @property
    def users(self) -> Part:
        """Lines of users."""
        return _there(self.effect.on.users)

    @property
    def plants(self) -> np.ndarray:
        """Rows of plants."""
        rows = self.effect.on.plants
        assert rows is not None
        return rows


def _there(part: Part | None) -> Part:
    assert part is not None
    return part


def cleared_share(
    effect: Effect, days: np.ndarray, active: np.ndarray, t0: float, t1: float
) -> np.ndarray:
    """Share of [t0, t1) on which goods still leave freely, (w,): the days before the start, and
    those of the ``days`` (w,) after it on which what was cleared before leaves.
    """
    late = np.minimum(effect.start + days, t1) - np.maximum(effect.start, t0)
    return np.clip((1.0 - active) + np.maximum(late, 0.0) / (t1 - t0), 0.0, 1.0)
