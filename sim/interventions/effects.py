"""What a declared intervention does to the worlds of a run: drawn dates and a fold of the rules.

``Intervention.compile`` resolves names to rows once and draws what differs by world; the
``Effect`` it returns is asked at every market and office day to write its contribution into the
:class:`~lodestone.worlds.conditions.Conditions` of that day. An effect never moves material.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.border.numbers import Distribution, Number
from lodestone.chain import naming
from lodestone.interventions.base import Intervention, steps
from lodestone.interventions.triggers import Trigger, Watch, make_watch, random_day
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.randomness import draw, uniforms

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.worlds.layout import Layout
    from lodestone.worlds.projects import Projects
    from lodestone.worlds.state import Draws


@dataclass
class Context:
    """What an intervention needs to become an effect.

    Attributes
    ----------
    layout : Layout
    draws : dict
        Behavioural parameters by name.
    seed : int
    worlds : ndarray of int, shape (w,)
    start : date
        Day 0 of the run.
    last_day : float
    happens : dict
        Name -> worlds in which an intervention compiled before happens, for ``triggered_by``.
    begins : dict
        Name -> day on which another intervention starts it, (w,), ``inf`` where it does not.
    """

    layout: Layout
    draws: Draws
    seed: int
    worlds: np.ndarray
    start: date
    last_day: float
    happens: dict[str, np.ndarray] = field(default_factory=dict)
    begins: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def chain(self) -> Chain:
        """The chain of the run."""
        return self.layout.chain

    @property
    def count(self) -> int:
        """Number of worlds."""
        return len(self.worlds)

    def full(self, values: np.ndarray | float) -> np.ndarray:
        """A value per world, shape (w,)."""
        return np.array(np.broadcast_to(values, (self.count,)), dtype=float)

    def number(self, spec: Number, stream: str) -> np.ndarray:
        """Draw a number of an intervention, shape (w,)."""
        return self.full(draw(spec, self.seed, stream, self.worlds))

    def day(self, moment: date | Distribution | None, stream: str, default: float) -> np.ndarray:
        """Day of a date or of a drawn date, shape (w,)."""
        if moment is None:
            return self.full(default)
        if isinstance(moment, Distribution):
            return self.number(moment, stream) - self.start.toordinal()
        return self.full(float((moment - self.start).days))

    def path(self, given: Any, stream: str) -> Path:
        """A number, or a step function of time, drawn per world."""
        days, values = [], []
        for when, value in steps(given, self.start):
            is_path = isinstance(given, Mapping)
            days.append(float((when - self.start).days) if is_path else -np.inf)
            values.append(self.number(value, f"{stream}/{when}" if is_path else stream))
        return Path(np.array(days), np.array(values))

    def rows(self, given: tuple[str, ...] | None) -> list[str] | None:
        """Materials meant (None: all)."""
        return None if given is None else naming.materials(self.chain, given)

    def places(self, given: tuple[str, ...] | None) -> dict[str, float]:
        """Regions meant, each with the share of its demand that is meant."""
        return naming.places(self.chain, given or ("all",)).use

    def links(
        self,
        exporter: tuple[str, ...] | None,
        places: tuple[str, ...] | None,
        materials: tuple[str, ...] | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Links concerned, (l,) bool, and the share of each that is meant, (l, 1)."""
        lay = self.layout
        where = self.places(places)
        mask = lay.link_mask(set(self.places(exporter)), where, self.rows(materials))
        weight = np.array([where.get(lay.regions[r], 0.0) for r in lay.links.region_to])
        return mask, weight[:, None]

    def ore_links(
        self,
        exporter: tuple[str, ...] | None,
        places: tuple[str, ...] | None,
        materials: tuple[str, ...] | None,
    ) -> np.ndarray:
        """Links of concentrate concerned, (k,) bool."""
        lay = self.layout
        origins, ends = self.places(exporter), self.places(places)
        names = self.rows(materials)
        out = []
        for (o, s), a, b in zip(lay.ore.keys, lay.ore.region_from, lay.ore.region_to, strict=True):
            material = lay.ore.pools[o][0]
            out.append(
                lay.regions[a] in origins
                and lay.regions[b] in ends
                and a != b
                and (names is None or material in names)
            )
            del s
        return np.array(out, dtype=bool)


@dataclass(frozen=True)
class Path:
    """A step function of time, one value per world: each holds from its day on."""

    days: np.ndarray  # (n,)
    values: np.ndarray  # (n, w)

    def at(self, now: float, before: float = 0.0) -> np.ndarray:
        """Value in force on a day, shape (w,); ``before`` the first step."""
        index = int(np.searchsorted(self.days, now, side="right")) - 1
        if index < 0:
            return np.full(self.values.shape[1], before)
        return self.values[index]


@dataclass
class Effect:
    """A compiled intervention.

    Attributes
    ----------
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
    """

    name: str
    kind: str
    role: str
    start: np.ndarray
    end: np.ndarray
    announced: np.ndarray
    source: tuple[str, ...]
    where: str
    watch: Watch | None = field(default=None, kw_only=True)
    suspensions: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list, kw_only=True)

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

    def look(self, now: float, days: float, day: Any, effects: Mapping[str, Effect]) -> None:
        """Hook before each market day: start where its trigger fires."""
        if self.watch is None:
            return
        new = self.watch.look(now, days, day, effects)
        if np.any(new):
            self.start[new] = self.announced[new] = now
            self.end[new] = np.minimum(now + self.watch.length, self.watch.closes)[new]

    #: When its `plan` is asked: dates first (0), then conditions (1), then queues (2).
    planning: ClassVar[int] = 1

    @property
    def reason(self) -> str:
        """Why it can change nothing, in a few words for the calendar; empty if it can."""
        return ""

    def plan(self, projects: Projects) -> None:
        """Hook before the run: change dates and chances of announced plants."""

    def prepare(self, day: Any, calendar: Any) -> None:
        """Hook before the run: open books, put shared dates on the calendar."""

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Write the contribution to the rules of [t0, t1)."""

    def spending(self, t0: float, t1: float) -> tuple[Any, np.ndarray] | None:
        """Public money spent in [t0, t1): (rows of facilities, USD million (n, w) or (w,))."""
        return None


def cleared_share(
    effect: Effect, days: np.ndarray, active: np.ndarray, t0: float, t1: float
) -> np.ndarray:
    """Share of [t0, t1) on which goods still leave freely, (w,): the days before the start, and
    those of the ``days`` (w,) after it on which what was cleared before leaves.
    """
    late = np.minimum(effect.start + days, t1) - np.maximum(effect.start, t0)
    return np.clip((1.0 - active) + np.maximum(late, 0.0) / (t1 - t0), 0.0, 1.0)


def timing(item: Intervention, name: str, ctx: Context) -> dict[str, Any]:
    """Start, end and announcement by world, and the words of an effect."""
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
    happens = uniforms(ctx.seed, f"{name}/happens", ctx.worlds) < chance
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
        "name": name,
        "kind": item.kind,
        "role": item.role,
        "start": np.where(happens, start, np.inf),
        "end": np.where(happens, end, np.inf),
        "announced": np.where(happens, announced, np.inf),
        "source": tuple(item.source),
        "where": item.targets(),
        "watch": watch,
    }
