"""Triggers: an intervention that starts when the state of a world calls for it, or at random.

A trigger is looked at on every market day before the rules are folded. Where it fires it writes
the start (and end) of its intervention once, for the worlds concerned; the fold then reads those
dates like any others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.numbers import Distribution, Number, parse_number, plain
from lodestone.border.words import suggestion

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.interventions.effects import Context, Effect

#: Stages whose output can be watched.
WATCHED = ("mine", "separation", "metal", "magnet")
#: Days over which an exporter's share of output is averaged.
SHARE_DAYS = 182.0
DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True)
class Trigger:
    """What must hold for an intervention to start.

    Attributes
    ----------
    after : str or None
        Another intervention: only in worlds in which that one happens.
    approval_below : float or Distribution or None
        Share of licence applications granted, below which the trigger counts.
    licence : str or None
        Whose approval is watched (default: the lowest of all licences in force).
    share_below : float or Distribution or None
        Share of world output of ``stage`` held by ``region``, half-year average.
    region, stage : str or None
    months : float or Distribution
        How long the condition must have held without a break.
    hazard_per_year : float or Distribution or None
        Then it starts at random at this rate (None: at once).
    gain : float or Distribution
        The rate is multiplied by 1 + gain x depth, where depth is how far the watched share lies
        below its threshold, as a part of the threshold.
    """

    after: str | None = None
    approval_below: Number | None = None
    licence: str | None = None
    share_below: Number | None = None
    region: str | None = None
    stage: str | None = None
    months: Number = 0.0
    hazard_per_year: Number | None = None
    gain: Number = 0.0

    @property
    def watches(self) -> bool:
        """Whether it has to be looked at as the run goes."""
        return not (
            self.approval_below is None
            and self.share_below is None
            and self.hazard_per_year is None
        )

    def written(self) -> dict[str, Any]:
        """The trigger as a scenario file would hold it."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    def problems(self, chain: Chain) -> list[tuple[str, str, str | None]]:
        """What is wrong with it, as (key, message, hint)."""
        found: list[tuple[str, str, str | None]] = []
        for key, most in (
            ("approval_below", 1.0),
            ("share_below", 1.0),
            ("months", 600.0),
            ("hazard_per_year", 52.0),
            ("gain", 1000.0),
        ):
            value = getattr(self, key)
            if value is None:
                continue
            ends = value.support() if isinstance(value, Distribution) else (value, value)
            if ends[0] < 0.0 or ends[1] > most:
                found.append((key, f"must lie between 0 and {most:g}", None))
        if not self.watches and self.after is None:
            hint = "Give approval_below, share_below or hazard_per_year."
            found.append(("", "names no condition", hint))
        if self.approval_below is not None and self.share_below is not None:
            found.append(("share_below", "is given together with approval_below", "Keep one."))
        if self.licence is not None and self.approval_below is None:
            found.append(("licence", "is given without approval_below", "Add the threshold."))
        if self.share_below is None:
            for key in ("region", "stage"):
                if getattr(self, key) is not None:
                    found.append((key, "is given without share_below", "Add the threshold."))
            return found
        if self.region not in chain.regions:
            what = "is missing" if self.region is None else f"unknown region '{self.region}'"
            hint = (
                "Say whose share."
                if self.region is None
                else suggestion(self.region, chain.regions)
            )
            found.append(("region", what, hint))
        if self.stage not in WATCHED:
            what = "is missing" if self.stage is None else f"unknown stage '{self.stage}'"
            found.append(("stage", what, f"One of {', '.join(WATCHED)}."))
        return found


def read_trigger(value: Any) -> str | Trigger:
    """Read the name of another intervention, or a mapping of conditions."""
    if isinstance(value, Trigger) or (isinstance(value, str) and value):
        return value
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            "must be the name of another intervention, or conditions such as "
            "{approval_below: 0.5, months: 2}"
        )
    known = [f.name for f in fields(Trigger)]
    held: dict[str, Any] = {}
    for key, item in value.items():
        if key not in known:
            raise ValueError(f"unknown condition '{key}'. {suggestion(str(key), known)}")
        if item is None:
            continue
        if key in ("after", "licence", "region", "stage"):
            if not isinstance(item, str) or not item:
                raise ValueError(f"at {key}: must be a name, got {item!r}")
            held[str(key)] = item
            continue
        try:
            held[str(key)] = parse_number(item)
        except ValueError as error:
            raise ValueError(f"at {key}: {error}") from None
    return Trigger(**held)


def write_trigger(value: Any) -> Any:
    """Write what `read_trigger` reads."""
    if not isinstance(value, Trigger):
        return value
    return {k: v for k, v in value.written().items() if v is not None}


@dataclass
class Watch:
    """A trigger at work in a set of worlds.

    Attributes
    ----------
    trigger : Trigger
    opens, closes : ndarray, shape (w,)
        Days between which it may fire (``inf`` in ``opens``: not in this world).
    length : ndarray, shape (w,)
        Days in force once fired.
    threshold, months, hazard, gain : ndarray, shape (w,)
    patience : ndarray, shape (w,)
        Accumulated hazard at which it fires: exponential, drawn once per world.
    holds : ndarray of bool, shape (w,)
        Whether the condition held when last looked at.
    """

    trigger: Trigger
    opens: np.ndarray
    closes: np.ndarray
    length: np.ndarray
    threshold: np.ndarray
    months: np.ndarray
    hazard: np.ndarray
    gain: np.ndarray
    patience: np.ndarray
    holds: np.ndarray = field(init=False)
    held: np.ndarray = field(init=False)
    risk: np.ndarray = field(init=False)
    fired: np.ndarray = field(init=False)
    average: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Nothing has held, and nothing has fired."""
        shape = self.opens.shape
        self.holds, self.fired = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        self.held, self.risk = np.zeros(shape), np.zeros(shape)

    def look(self, now: float, days: float, day: Any, effects: Mapping[str, Effect]) -> np.ndarray:
        """Look at the state before a market day; the worlds in which it fires now, (w,) bool.

        Parameters
        ----------
        now, days : float
            Day of the run, and days since the last look.
        day : MarketDay
        effects : dict
            All effects of the run by name.
        """
        depth = np.zeros_like(self.held)
        measured = self._measure(now, days, day, effects)
        if measured is None:
            self.holds = np.ones(self.held.shape, dtype=bool)
        else:
            with np.errstate(invalid="ignore"):
                self.holds = measured < self.threshold
            gap = (self.threshold - measured) / np.maximum(self.threshold, 1e-12)
            depth = np.where(self.holds, gap, 0.0)
        inside = (now >= self.opens) & (now < self.closes) & ~self.fired
        self.held = np.where(inside & self.holds, self.held + days, 0.0)
        # A condition seen for the first time has held for nothing yet.
        ripe = inside & self.holds & (self.held - days >= self.months * DAYS_PER_MONTH)
        if self.trigger.hazard_per_year is None:
            new = ripe
        else:
            rate = self.hazard * (1.0 + self.gain * depth)
            self.risk += np.where(ripe, rate * days / 365.25, 0.0)
            new = ripe & (self.risk >= self.patience)
        self.fired |= new
        return new

    def _measure(
        self, now: float, days: float, day: Any, effects: Mapping[str, Effect]
    ) -> np.ndarray | None:
        """What is watched, shape (w,), NaN where there is nothing to see; None: nothing is."""
        if self.trigger.approval_below is not None:
            chosen = [effects[self.trigger.licence]] if self.trigger.licence else effects.values()
            seen = [e.approval_now(now, day) for e in chosen if hasattr(e, "approval_now")]
            if not seen:
                return np.full(self.held.shape, np.nan)
            return np.fmin.reduce(seen)
        if self.trigger.share_below is not None:
            share = output_share(day, str(self.trigger.region), str(self.trigger.stage))
            if share is None:
                return np.full(self.held.shape, np.nan)
            if self.average is None:
                self.average = share
            else:
                self.average += (share - self.average) * (1.0 - np.exp(-days / SHARE_DAYS))
            return self.average
        return None


def stage_output(day: Any, stage: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Output of a stage on the last market day: (t by row, region of each row).

    Returns
    -------
    (ndarray (n, w), ndarray of int (n,)) or None
        Mines in t REO dug, separators in t oxide, metals and magnets in t of product; None before
        the first market day.
    """
    lay, flows = day.layout, day.flows
    if "output" not in flows:
        return None
    if stage == "mine":
        return flows["dug"], lay.plants.region[lay.ore.mines]
    if stage == "separation":
        return flows["separated"].sum(axis=1), lay.separation.regions
    rows = np.flatnonzero(lay.cells.metal if stage == "metal" else lay.cells.magnet)
    return flows["output"][rows], lay.cells.region[rows]


def output_share(day: Any, region: str, stage: str) -> np.ndarray | None:
    """Share of a region in the world's output of a stage on the last market day, shape (w,)."""
    found = stage_output(day, stage)
    if found is None:
        return None
    tonnes, where = found
    mine = tonnes[where == day.layout.region_at[region]].sum(axis=0)
    return mine / np.maximum(tonnes.sum(axis=0), 1e-12)


def make_watch(
    trigger: Trigger,
    name: str,
    ctx: Context,
    opens: np.ndarray,
    closes: np.ndarray,
    length: np.ndarray,
) -> Watch:
    """Draw the thresholds and the patience of a trigger in the worlds of a run."""
    from lodestone.worlds.randomness import uniforms

    def drawn(value: Number | None, key: str) -> np.ndarray:
        return ctx.number(0.0 if value is None else value, f"{name}/trigger/{key}")

    limit = trigger.approval_below if trigger.approval_below is not None else trigger.share_below
    u = uniforms(ctx.seed, f"{name}/trigger/patience", ctx.worlds)
    return Watch(
        trigger=trigger,
        opens=opens,
        closes=closes,
        length=length,
        threshold=drawn(limit, "threshold"),
        months=drawn(trigger.months, "months"),
        hazard=drawn(trigger.hazard_per_year, "hazard"),
        gain=drawn(trigger.gain, "gain"),
        patience=-np.log1p(-u),
    )


def random_day(
    ctx: Context, stream: str, since: np.ndarray, hazard_per_year: np.ndarray
) -> np.ndarray:
    """Day of a random event after ``since`` at a constant hazard, shape (w,); inf: never.

    A higher hazard never gives a later day in the same world.
    """
    from lodestone.worlds.randomness import uniforms

    wait = -np.log1p(-uniforms(ctx.seed, stream, ctx.worlds)) * 365.25
    with np.errstate(divide="ignore", invalid="ignore"):
        days = np.where(hazard_per_year > 0.0, wait / hazard_per_year, np.inf)
    return since + days
