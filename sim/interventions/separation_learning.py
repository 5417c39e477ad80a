"""Learning: every doubling of what plants of a stage have ever made cuts their cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from lodestone.interventions.base import (
    Intervention,
    Num,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.cost_shift import StageCosts, shift_costs, stage_costs
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.worlds.conditions import Conditions

WEEKS_PER_YEAR = 365.25 / 7.0


def learnt_factor(made: np.ndarray, before: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Multiple of the first cost after some experience (Wright's law).

    Parameters
    ----------
    made : ndarray
        Made since the beginning, t.
    before : ndarray
        Experience there was, t; positive.
    rate : ndarray
        Share that a doubling of experience takes off the cost.

    Returns
    -------
    ndarray
        ``(1 - rate) ^ log2((before + made) / before)``: one without experience or rate, never
        rising.
    """
    return (1.0 - rate) ** np.log2((before + made) / before)


@dataclass
class LearningEffect(Effect):
    """Lowers costs with what has been made since the start."""

    costs: StageCosts
    rate: np.ndarray  # (w,)
    before: np.ndarray  # (w,) t
    pass_through: np.ndarray  # (w,)

    @property
    def reason(self) -> str:
        """Without plants nobody learns."""
        return "" if len(self.costs.cells) else "there is no plant of this stage"

    def prepare(self, day: Any, calendar: Any) -> None:
        """Output is added up from the first day."""
        day.count_output()

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Take off what has been learnt."""
        active = self.share(t0, t1)
        if not np.any(active) or not len(self.costs.cells):
            return
        made = day.made_so_far[self.costs.cells].sum(axis=0)
        more = (learnt_factor(made, self.before, self.rate) - 1.0) * active
        if np.any(more):
            costs = self.costs
            shift_costs(
                rules,
                day.layout,
                costs,
                costs.unit * more,
                costs.on_goods * more,
                self.pass_through,
            )


@intervention("separation_learning")
class SeparationLearning(Intervention):
    """Plants of a stage in some regions get cheaper as their experience doubles.

    Experience counts the output of those regions together; ``start`` is the day from which
    learning is open to them (a technology gate). It pays part of a cost shift, and what it saves
    goes to buyers as far as it is passed on.
    """

    title: ClassVar[str] = (
        "each doubling of experience outside the exporter cuts the cost of a stage"
    )

    region: Words = words(..., "regions that learn together", names="place")
    stage: Literal["separation", "metal", "magnet", "recycling"] = text("separation", "the stage")
    rate_per_doubling: Num = number(
        0.07,
        "share that a doubling takes off the operating cost (likely 0 to 0.15)",
        unit="share",
        source="A102",
        low=0.0,
        high=0.5,
        hint="A share lies between 0 and 1, not in percent.",
    )
    experience_years: Num = number(
        5.0,
        "experience there is, in years of base-year output",
        unit="year",
        source="A102",
        low=0.1,
        high=100.0,
    )
    pass_through: Num = share(1.0, "share of the saving that buyers get", source="A100")

    def compile(self, name: str, ctx: Context) -> LearningEffect:
        """Resolve plants and goods, and draw the rate."""
        lay = ctx.layout
        costs = stage_costs(lay, ctx.places(self.region), self.stage)
        base = max(float(lay.cells.output[costs.cells].sum()) * WEEKS_PER_YEAR, 100.0)
        years = ctx.number(self.experience_years, f"{name}/experience_years")
        return LearningEffect(
            **timing(self, name, ctx),
            costs=costs,
            rate=ctx.number(self.rate_per_doubling, f"{name}/rate_per_doubling"),
            before=years * base,
            pass_through=ctx.number(self.pass_through, f"{name}/pass_through"),
        )
