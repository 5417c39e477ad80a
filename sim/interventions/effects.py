"""What a declared intervention does to the worlds of a run: drawn dates and a fold of the rules.

Compiling a declaration draws its numbers and turns its words into rows, once. The `Effect` that
comes out is asked at every market and office day to write what it changes into the
:class:`~lodestone.worlds.conditions.Rules` of that day: by default it lets the declaration `act`.
An effect never moves material and never writes the state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from lodestone.interventions.context import Context
from lodestone.interventions.drawn import Item, drawn, timing
from lodestone.interventions.targets import Select, Targets
from lodestone.interventions.watch import Seen, Watch
from lodestone.worlds.conditions import Rules
from lodestone.worlds.market import Market
from lodestone.worlds.parts import Part
from lodestone.worlds.view import MarketView

if TYPE_CHECKING:
    from lodestone.worlds.projects import Projects

#: Money spent: rows of facilities (or one), and USD million, shape (n, w) or (w,).
Spending = tuple[np.ndarray | list[int] | int, np.ndarray]


class Acts(Item, Protocol):
    """A declaration that writes rules."""

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


class Effect(Seen):
    """A compiled intervention.

    Attributes
    ----------
    item : Acts
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

    item: Acts  # the declaration; kinds with an effect of their own say which

    def __init__(self, item: Acts, name: str, ctx: Context) -> None:
        self.item = item
        self.name, self.kind, self.role = name, item.kind, str(item.role)
        self.source, self.where = tuple(item.source), item.targets()
        when = timing(item, name, ctx)
        self.start, self.end, self.announced = when.start, when.end, when.announced
        self.watch: Watch | None = when.watch
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
