"""Truces: named measures are suspended, until the truce ends or breaks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

import numpy as np

from lodestone.border.numbers import Distribution
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context, random_day
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Words, bounds, named, number, share


class TruceEffect(Effect):
    """Keeps the measures it names out of force from its start to its end in each world.

    Attributes
    ----------
    breaks : ndarray, shape (w,)
        Day on which it breaks before its time; ``inf`` where it holds.
    """

    item: Truce

    def set_up(self, ctx: Context) -> None:
        """Draw renewals and the day on which it breaks."""
        start, end, name = self.start, self.end, self.name
        chance = self.n.renewal_probability
        again = np.isfinite(end) & (chance > 0.0)
        period = np.where(np.isfinite(end), end, 0.0) - np.where(np.isfinite(end), start, 0.0)
        k = 0
        while np.any(again) and np.any(again & (end < ctx.last_day)):
            again &= ctx.luck(f"{name}/renewal/{k}") < chance
            end = np.where(again, end + period, end)
            k += 1
        breaks = random_day(ctx, f"{name}/breakdown", start, self.n.breakdown_hazard_per_year)
        self.breaks = np.where(breaks < end, breaks, np.inf)
        self.end = np.minimum(end, self.breaks)
        for other in self.item.on_breakdown:
            earlier = ctx.begins.get(other)
            ctx.begins[other] = self.breaks if earlier is None else np.minimum(earlier, self.breaks)

    def connect(self, effects: Mapping[str, Effect]) -> None:
        """Write its span into the measures it suspends."""
        for name in self.item.suspends:
            effects[name].suspensions.append((self.start, self.end))


@intervention("truce")
class Truce(Intervention):
    """Named measures of the scenario are out of force while the truce holds.

    It may be renewed at its end, for as long again, and it may break at any time: then the
    measures come back at once, and those under ``on_breakdown`` start. A truce that never breaks
    is the same as a suspension.
    """

    effect: ClassVar[type[Effect]] = TruceEffect
    title: ClassVar[str] = "named measures are suspended until it ends or breaks"

    suspends: Words = named(..., "measures of this scenario that it suspends", live=True)
    breakdown_hazard_per_year: Num = number(
        0.0,
        "rate at which it breaks while it lasts, a year (0.25 to 1 are told of 2026)",
        unit="1/year",
        source="c166",
        low=0.0,
        high=52.0,
    )
    renewal_probability: Num = share(
        0.0, "probability that it is renewed for as long again, at each end", source="c119"
    )
    on_breakdown: Words = named(
        (),
        "measures of this scenario that start when it breaks",
        when={"breakdown_hazard_per_year": ()},
    )

    def begins(self) -> tuple[str, ...]:
        """Measures that start on the day it breaks."""
        return self.on_breakdown

    def targets(self) -> str:
        """Say what it suspends."""
        return f"suspends {', '.join(self.suspends)}"

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a renewal of a truce without an end, and one that starts what it suspends."""
        found = []
        renewed = self.renewal_probability
        if (isinstance(renewed, Distribution) or renewed > 0.0) and (
            self.end is None and self.duration is None
        ):
            found.append(
                Problem(
                    key="renewal_probability",
                    message="is given, but the truce has no end at which it could be renewed",
                    hint="Give an end or a duration.",
                )
            )
        both = sorted(set(self.suspends) & set(self.on_breakdown))
        if both:
            found.append(
                Problem(
                    key="on_breakdown",
                    message=f"'{both[0]}' is also suspended by it",
                    hint="What is suspended comes back by itself when the truce breaks.",
                )
            )
        return found

    def beside(self, others: Mapping[str, Intervention], start: date | None) -> list[Problem]:
        """Refuse a truce that is over before what it suspends begins."""
        found = []
        last = None if self.end is None else bounds(self.end)[1]
        first = bounds(self.start)[0] or start
        for name in self.suspends:
            other = others.get(name)
            if other is None or other.triggered_by is not None:
                continue
            begins = bounds(other.start)[0] or start
            ends = None if other.end is None else bounds(other.end)[1]
            if (last and begins and begins >= last) or (ends and first and ends <= first):
                found.append(
                    Problem(
                        key="suspends",
                        message=f"'{name}' is not in force at any time of the truce",
                        hint="Let their dates overlap, or take it out.",
                    )
                )
        return found
