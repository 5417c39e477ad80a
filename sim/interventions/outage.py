"""Outages of mines and plants, dated or random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sim.interventions.base import (
    Intervention,
    Num,
    Problem,
    Words,
    intervention,
    number,
    resolve_facilities,
    share,
    text,
    words,
)
from sim.interventions.effects import Context, Effect, timing
from sim.worlds.conditions import Conditions
from sim.worlds.randomness import uniforms
from sim.worlds.timeline import Timeline

if TYPE_CHECKING:
    from sim.chain.nouns import Chain


def random_spans(
    ctx: Context,
    name: str,
    facilities: int,
    rate: np.ndarray,
    length: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
) -> list[Timeline]:
    """Outages at exponential intervals while in force, one timeline a facility.

    Returns
    -------
    list of Timeline
        Spans of shape (n, w) each, drawn once before the run.
    """
    out = []
    horizon = ctx.last_day
    most = int(np.ceil(3.0 + 2.0 * float(rate.max()) * (horizon / 365.25 + 1.0)))
    for f in range(facilities):
        clock = np.where(np.isfinite(start), np.maximum(start, 0.0), np.inf)
        starts, ends = [], []
        for n in range(most):
            u = uniforms(ctx.seed, f"{name}/outage/{f}/{n}", ctx.worlds)
            clock = clock - np.log1p(-u) * 365.25 / np.maximum(rate, 1e-9)
            begin = np.where(clock < np.minimum(end, horizon), clock, np.inf)
            starts.append(begin)
            ends.append(np.minimum(begin + length, end))
            clock = clock + length
            if not np.any(np.isfinite(begin)):
                break
        out.append(Timeline(np.array(starts), np.array(ends)))
    return out


@dataclass
class OutageEffect(Effect):
    """Multiplies what a facility can run by one minus the share lost."""

    rows: np.ndarray  # (n,) facilities
    lost: np.ndarray  # (w,)
    spans: list[Timeline] | None

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Take out the share lost, to the fraction of a day."""
        shape = (len(day.layout.facilities), len(self.start))
        if self.spans is None:
            down = self.share(t0, t1) * self.lost
            if np.any(down):
                rules.multiply("facility_available", self.rows, shape, 1.0 - down)
            return
        for row, spans in zip(self.rows, self.spans, strict=True):
            if spans.touches(t0, t1):
                down = np.minimum(spans.share(t0, t1).sum(axis=0), 1.0) * self.lost
                rules.multiply("facility_available", np.array([row]), shape, 1.0 - down)


@intervention("outage")
class Outage(Intervention):
    """Facilities lose part of their capacity: dated, or at random with a rate per year."""

    title: ClassVar[str] = "mines or plants lose part of their capacity, dated or at random"
    one_of: ClassVar = ((("facilities",), ("region", "stage")),)

    facilities: Words | None = words(None, "facilities concerned", names="facility")
    region: Words | None = words(None, "or: all facilities of a region", names="place")
    stage: Literal["mine", "separation", "metal", "magnet", "recycling"] | None = text(
        None, "and this stage"
    )
    share_lost: Num = share(1.0, "share of the capacity that is lost", source="definition")
    rate_per_year: Num | None = number(
        None,
        "random outages a year while in force, each lasting outage_days (null: one dated outage)",
        unit="1/year",
        source="definition",
        low=0.0,
        high=52.0,
    )
    outage_days: Num = number(
        30.0, "length of one random outage", unit="day", source="A36", low=0.0
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse an outage that hits nothing."""
        if resolve_facilities(chain, self.facilities, self.region, self.stage):
            return []
        return [
            Problem(
                key="region",
                message=f"there is no facility of stage {self.stage} in {', '.join(self.region or ())}",
                hint="See 'lodestone list facilities'.",
            )
        ]

    def compile(self, name: str, ctx: Context) -> OutageEffect:
        """Resolve facilities and draw the spans of each world."""
        lay = ctx.layout
        names = resolve_facilities(ctx.chain, self.facilities, self.region, self.stage)
        rows = np.array([lay.facility_at[n] for n in names if n in lay.facility_at], dtype=int)
        when = timing(self, name, ctx)
        lost = ctx.number(self.share_lost, f"{name}/share_lost")
        spans = None
        if self.rate_per_year is not None:
            rate = ctx.number(self.rate_per_year, f"{name}/rate_per_year")
            length = ctx.number(self.outage_days, f"{name}/outage_days")
            spans = random_spans(ctx, name, len(rows), rate, length, when["start"], when["end"])
        return OutageEffect(**when, rows=rows, lost=lost, spans=spans)
