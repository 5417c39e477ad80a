"""A trigger at work in a set of worlds: looked at before every market day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lodestone.border.numbers import Number
from lodestone.border.units import DAYS_PER_MONTH, DAYS_PER_YEAR
from lodestone.interventions.context import Context
from lodestone.interventions.triggers import Trigger
from lodestone.worlds.randomness import uniforms
from lodestone.worlds.view import MarketView

#: Days over which an exporter's share of output is averaged.
SHARE_DAYS = 182.0


class Seen:
    """What a trigger may watch of another intervention."""

    def approval_now(self, now: float, m: MarketView) -> np.ndarray | None:
        """Share of listed trade that is granted now, shape (w,); None: it grants none."""
        return None


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

    def look(
        self, now: float, days: float, m: MarketView, effects: Mapping[str, Seen]
    ) -> np.ndarray:
        """Look at the state before a market day; the worlds in which it fires now, (w,) bool.

        Parameters
        ----------
        now, days : float
            Day of the run, and days since the last look.
        m : Market
        effects : dict
            All effects of the run by name.
        """
        depth = np.zeros_like(self.held)
        measured = self._measure(now, days, m, effects)
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
            self.risk += np.where(ripe, rate * days / DAYS_PER_YEAR, 0.0)
            new = ripe & (self.risk >= self.patience)
        self.fired |= new
        return new

    def _measure(
        self, now: float, days: float, m: MarketView, effects: Mapping[str, Seen]
    ) -> np.ndarray | None:
        """What is watched, shape (w,), NaN where there is nothing to see; None: nothing is."""
        if self.trigger.approval_below is not None:
            chosen = [effects[self.trigger.licence]] if self.trigger.licence else effects.values()
            said = [e.approval_now(now, m) for e in chosen]
            seen = [share for share in said if share is not None]
            if not seen:
                return np.full(self.held.shape, np.nan)
            return np.fmin.reduce(seen)
        if self.trigger.share_below is not None:
            share = output_share(m, str(self.trigger.region), str(self.trigger.stage))
            if share is None:
                return np.full(self.held.shape, np.nan)
            if self.average is None:
                self.average = share
            else:
                self.average += (share - self.average) * (1.0 - np.exp(-days / SHARE_DAYS))
            return self.average
        return None


def stage_output(m: MarketView, stage: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Output of a stage on the last market day: (t by row, region of each row).

    Returns
    -------
    (ndarray (n, w), ndarray of int (n,)) or None
        Mines in t REO dug, separators in t oxide, metals and magnets in t of product; None before
        the first market day.
    """
    lay, flows = m.layout, m.flows
    if "output" not in flows:
        return None
    if stage == "mine":
        return flows["dug"], lay.plants.region[lay.ore.mines]
    if stage == "separation":
        return flows["separated"].sum(axis=1), lay.separation.regions
    rows = np.flatnonzero(lay.cells.metal if stage == "metal" else lay.cells.magnet)
    return flows["output"][rows], lay.cells.region[rows]


def output_share(m: MarketView, region: str, stage: str) -> np.ndarray | None:
    """Share of a region in the world's output of a stage on the last market day, shape (w,)."""
    found = stage_output(m, stage)
    if found is None:
        return None
    tonnes, where = found
    mine = tonnes[where == m.layout.region_at[region]].sum(axis=0)
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
