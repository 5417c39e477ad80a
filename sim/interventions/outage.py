"""Outages of mines and plants, dated or random."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Words, number, places, plants, share, text
from lodestone.interventions.targets import plants_of
from lodestone.worlds.conditions import Rules
from lodestone.worlds.randomness import uniforms
from lodestone.worlds.timeline import Timeline
from lodestone.worlds.view import MarketView


def random_spans(
    ctx: Context,
    name: str,
    facilities: int,
    rate: np.ndarray,
    length: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
) -> Timeline:
    """Outages at exponential intervals while in force.

    Returns
    -------
    Timeline
        Spans of shape (n, facilities, w) in order of time, drawn once before the run.
    """
    horizon = ctx.last_day
    most = int(np.ceil(3.0 + 2.0 * float(rate.max()) * (horizon / DAYS_PER_YEAR + 1.0)))
    shape = (facilities, ctx.count)
    starts, ends = [], []
    clock = np.empty(shape)
    clock[...] = np.where(np.isfinite(start), np.maximum(start, 0.0), np.inf)
    for n in range(most):
        u = np.stack(
            [uniforms(ctx.seed, f"{name}/outage/{f}/{n}", ctx.worlds) for f in range(facilities)]
        )
        clock = clock - np.log1p(-u) * DAYS_PER_YEAR / np.maximum(rate, 1e-9)
        begin = np.where(clock < np.minimum(end, horizon), clock, np.inf)
        starts.append(begin)
        ends.append(np.minimum(begin + length, end))
        clock = clock + length
        if not np.any(np.isfinite(begin)):
            break
    return Timeline(np.array(starts), np.array(ends))


class OutageEffect(Effect):
    """Multiplies what a facility can run by one minus the share lost."""

    def set_up(self, ctx: Context) -> None:
        """Draw the spans of each world."""
        assert self.on.plants is not None
        self.rows = self.on.plants
        self.spans: Timeline | None = None
        if "rate_per_year" in self.n:
            self.spans = random_spans(
                ctx,
                self.name,
                len(self.rows),
                self.n.rate_per_year,
                self.n.outage_days,
                self.start,
                self.end,
            )
        self.cursor = np.zeros((0, 0), dtype=int)
        self.begin = self.finish = np.zeros((0, 0))

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Take out the share lost, to the fraction of a day."""
        lost = self.n.share_lost
        if self.spans is None:
            rules.facility_available.multiply(self.rows, 1.0 - self.share(t0, t1) * lost)
            return
        down = self._down(t0, t1)
        rules.facility_available.multiply(self.rows, 1.0 - np.minimum(down, 1.0) * lost)

    def _down(self, t0: float, t1: float) -> np.ndarray:
        """Share of [t0, t1) that each facility is down, shape (n, w).

        Days are asked for in order, so a cursor on the current span saves looking at all of them.
        """
        assert self.spans is not None
        start, end = self.spans.start, self.spans.end
        last = len(start) - 1
        if not self.cursor.size:
            self.cursor = np.zeros(start.shape[1:], dtype=int)
            self.begin, self.finish = start[0].copy(), end[0].copy()
        while True:  # spans that are over give way to the next
            f, w = np.nonzero((self.finish <= t0) & (self.cursor < last))
            if not f.size:
                break
            self.cursor[f, w] += 1
            index = self.cursor[f, w]
            self.begin[f, w], self.finish[f, w] = start[index, f, w], end[index, f, w]
        down = np.minimum(self.finish, t1) - np.maximum(self.begin, t0)
        np.maximum(down, 0.0, out=down)
        # A span may end and others follow within the same days.
        f, w = np.nonzero((self.finish < t1) & (self.cursor < last))
        index = self.cursor[f, w]
        while f.size:
            index = index + 1
            begin, finish = start[index, f, w], end[index, f, w]
            down[f, w] += np.maximum(np.minimum(finish, t1) - np.maximum(begin, t0), 0.0)
            more = (finish < t1) & (index < last)
            f, w, index = f[more], w[more], index[more]
        return down / (t1 - t0)


@intervention("outage")
class Outage(Intervention):
    """Facilities lose part of their capacity: dated, or at random with a rate per year."""

    title: ClassVar[str] = "mines or plants lose part of their capacity, dated or at random"
    where = plants_of("facilities", "region", "stage")
    effect: ClassVar[type[Effect]] = OutageEffect
    neutral: ClassVar[dict[str, float]] = {"share_lost": 0.0, "rate_per_year": 0.0}
    one_of: ClassVar = ((("facilities",), ("region", "stage")),)

    facilities: Words | None = plants(None, "facilities concerned")
    region: Words | None = places(None, "or: all facilities of a region")
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
        30.0,
        "length of one random outage",
        unit="day",
        source="A36",
        low=0.0,
        when={"rate_per_year": ()},
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse an outage that hits nothing."""
        if naming.plants(chain, self.facilities, self.region, self.stage):
            return []
        return [
            Problem(
                key="region",
                message=f"there is no facility of stage {self.stage} in {', '.join(self.region or ())}",
                hint="See 'lodestone list facilities'.",
            )
        ]
