"""Withdrawal of support: programmes end on a day, or survive each year with a probability."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.border.words import suggestion
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Words, number, text

#: Kinds that are support, and end.
SUPPORT = ("price_floor", "capital_support", "stockpile", "offtake", "cost_shift", "tariff")


def years_survived(luck: np.ndarray, survival: np.ndarray) -> np.ndarray:
    """Yearly review that a programme does not survive: 1, 2 ... or ``inf``.

    Parameters
    ----------
    luck : ndarray, shape (w,)
        Uniform number of each world.
    survival : ndarray, shape (w,)
        Probability to survive a review.

    Returns
    -------
    ndarray, shape (w,)
        Geometric with mean ``1 / (1 - survival)``; a higher survival never ends it earlier in
        any world.
    """
    p = np.clip(survival, 1e-12, 1.0)
    log_p = np.log(p)
    with np.errstate(divide="ignore"):
        count = np.ceil(np.log(np.maximum(luck, 1e-300)) / np.where(log_p < 0.0, log_p, -1.0))
    return np.where(log_p < 0.0, np.maximum(count, 1.0), np.inf)


class WithdrawalEffect(Effect):
    """Ends the programmes it names."""

    item: SupportWithdrawal

    def set_up(self, ctx: Context) -> None:
        """Draw the day of the end."""
        self.found = False
        if "survival_each_review" in self.n:
            luck = ctx.luck(f"{self.name}/survives")
            ends = self.start + DAYS_PER_YEAR * years_survived(luck, self.n.survival_each_review)
            self.start = np.where(ends < self.end, ends, np.inf)

    def why(self) -> str:
        """Where no such programme is, none ends."""
        return "" if self.found else "there is no such programme"

    def connect(self, effects: Mapping[str, Effect]) -> None:
        """Move the end of each programme to the day of the withdrawal, if it comes first."""
        for effect in effects.values():
            if effect.name in self.item.supports or effect.kind in self.item.supports:
                self.found = True
                effect.end = np.minimum(effect.end, self.start)


@intervention("support_withdrawal")
class SupportWithdrawal(Intervention):
    """Programmes named by their names or kinds end.

    Without ``survival_each_review`` they end on ``start``. With it they are reviewed every year
    from ``start`` on, and end with the first review that they do not survive.
    """

    effect: ClassVar[type[Effect]] = WithdrawalEffect
    title: ClassVar[str] = "programmes end on a day, or survive each year with a probability"

    supports: Words = text(
        ..., "interventions of the scenario that end, by name or by kind (price_floor, stockpile)"
    )
    survival_each_review: Num | None = number(
        None,
        "probability to survive each yearly review from the start on (null: ends on the start; "
        "likely 0.7 to 1)",
        unit="share",
        source="c078",
        low=0.0,
        high=1.0,
        hint="A share lies between 0 and 1, not in percent.",
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse an end of what happens on one day: support that has ended does not come back."""
        if self.survival_each_review is not None:
            return []
        told = {"end": self.end, "duration": self.duration}
        return [
            Problem(
                key=key,
                message="has no effect: support that has ended does not come back",
                hint="Leave it out, or give survival_each_review, whose reviews it ends.",
            )
            for key, value in told.items()
            if value is not None
        ]

    def beside(self, others: Mapping[str, Intervention], start: date | None) -> list[Problem]:
        """Refuse a withdrawal of what is not there, or of what is no support."""
        found = []
        kinds = {item.kind for item in others.values()}
        for name in self.supports:
            kind = others[name].kind if name in others else name
            if name in SUPPORT and name not in others:
                continue  # a kind of which there is none here, in a variant, say
            if name not in others and name not in kinds:
                known = [n for n, item in others.items() if item.kind in SUPPORT]
                found.append(
                    Problem(
                        key="supports",
                        message=f"unknown intervention '{name}'",
                        hint=suggestion(name, [*known, *sorted(kinds & set(SUPPORT))])
                        or "Name a programme of this scenario, or its kind.",
                    )
                )
            elif kind not in SUPPORT:
                found.append(
                    Problem(
                        key="supports",
                        message=f"'{name}' is no support (it is a {kind})",
                        hint=f"Support is {', '.join(SUPPORT)}.",
                    )
                )
        return found

    def targets(self) -> str:
        """Name the programmes."""
        return f"supports {', '.join(self.supports)}"
