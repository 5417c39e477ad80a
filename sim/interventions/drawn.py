"""The numbers and dates of a declaration, drawn in each world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np
from pydantic import BaseModel

from lodestone.border.abreast import Abreast
from lodestone.border.numbers import Distribution, Number
from lodestone.interventions.context import Context, Steps, random_day
from lodestone.interventions.fields import declared
from lodestone.interventions.triggers import Trigger
from lodestone.interventions.watch import Watch, make_watch

#: Numbers that every kind has, drawn by `timing`.
OF_ALL = frozenset({"duration", "probability", "survival_per_year"})


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
    for key, told in declared(model).items():
        value = getattr(item, key)
        if not told.unit or key in OF_ALL or value is None:
            continue
        if isinstance(value, Mapping) and not all(isinstance(k, date) for k in value):
            continue  # by period or by place: its kind reads it
        steps[key] = ctx.steps(value, f"{name}/{told.stream or key}")
        before[key] = told.before
    return Numbers(steps, before)


@dataclass(frozen=True)
class Timing:
    """When a declaration is in force, by world.

    Attributes
    ----------
    start, end, announced : ndarray, shape (w,)
        Days; ``inf`` where it does not happen or does not end.
    watch : Watch or None
        What starts it, where its start depends on the state.
    """

    start: np.ndarray
    end: np.ndarray
    announced: np.ndarray
    watch: Watch | None


def timing(item: Item, name: str, ctx: Context) -> Timing:
    """Draw when it is announced, starts and ends, and set the watch on its trigger."""
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
    # Of points side by side the lasting ones get what others get without a draw: it never ends.
    if isinstance(item.survival_per_year, Abreast) or item.survival_per_year != 1.0:
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
    return Timing(
        start=np.where(happens, start, np.inf),
        end=np.where(happens, end, np.inf),
        announced=np.where(happens, announced, np.inf),
        watch=watch,
    )
