"""Learning: every doubling of what plants of a stage have ever made cuts their cost."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from lodestone.border.units import WEEKS_PER_YEAR
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.cost_shift import shift_costs, stage_costs
from lodestone.interventions.effects import Effect, Reviews
from lodestone.interventions.fields import Num, Words, number, places, share, text
from lodestone.interventions.targets import plants_of
from lodestone.worlds.conditions import Rules
from lodestone.worlds.market import Market
from lodestone.worlds.view import MarketView


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


class LearningEffect(Effect):
    """Lowers costs with what has been made since the start."""

    item: SeparationLearning

    def set_up(self, ctx: Context) -> None:
        """Resolve plants and goods, and the experience there is."""
        lay = ctx.layout
        self.costs = stage_costs(lay, ctx.places(self.item.region), self.item.stage)
        base = max(float(lay.cells.output[self.costs.cells].sum()) * WEEKS_PER_YEAR, 100.0)
        self.before = self.n.experience_years * base  # (w,) t

    def why(self) -> str:
        """Without plants nobody learns."""
        return "" if len(self.costs.cells) else "there is no plant of this stage"

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Output is added up from the first day."""
        m.count_output()

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Take off what has been learnt."""
        active, costs = self.share(t0, t1), self.costs
        if not np.any(active) or not len(costs.cells) or m.made_so_far is None:
            return
        made = m.made_so_far[costs.cells].sum(axis=0)
        more = (learnt_factor(made, self.before, self.n.rate_per_doubling) - 1.0) * active
        if np.any(more):
            passed = self.n.pass_through
            shift_costs(rules, costs, costs.unit * more, costs.on_goods * more, passed)


@intervention("separation_learning")
class SeparationLearning(Intervention):
    """Plants of a stage in some regions get cheaper as their experience doubles.

    Experience counts the output of those regions together; ``start`` is the day from which
    learning is open to them (a technology gate). It pays part of a cost shift, and what it saves
    goes to buyers as far as it is passed on.
    """

    where = plants_of(None, "region", "stage")
    effect: ClassVar[type[Effect]] = LearningEffect
    neutral: ClassVar[dict[str, float]] = {"rate_per_doubling": 0.0}
    title: ClassVar[str] = (
        "each doubling of experience outside the exporter cuts the cost of a stage"
    )

    region: Words = places(..., "regions that learn together")
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
