"""Demand growth: a sector follows a path of its own, by units in use or by multiples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR, WEEKS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context, Steps
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Path, Words, number, places, words
from lodestone.interventions.targets import users_of
from lodestone.worlds.conditions import Rules
from lodestone.worlds.parts import Part
from lodestone.worlds.view import MarketView


def between(days: np.ndarray, values: np.ndarray, now: float) -> tuple[np.ndarray, np.ndarray]:
    """Value of a path between its dates, and how fast it rises.

    Between two positive values it grows at a constant rate; from or to zero it is a straight
    line; before the first and after the last date it stays.

    Parameters
    ----------
    days : ndarray, shape (n,)
    values : ndarray, shape (n, w)
    now : float

    Returns
    -------
    tuple of ndarray
        Value and its change a day, shape (w,) each.
    """
    i = int(np.searchsorted(days, now, side="right")) - 1
    still = np.zeros(values.shape[1])
    if i < 0:
        return values[0], still
    if i + 1 >= len(days):
        return values[-1], still
    a, b, length = values[i], values[i + 1], days[i + 1] - days[i]
    part = (now - days[i]) / length
    grows = (a > 0.0) & (b > 0.0)
    rate = (np.log(np.where(grows, b, 1.0)) - np.log(np.where(grows, a, 1.0))) / length
    value = np.where(grows, a * np.exp(rate * (now - days[i])), a + (b - a) * part)
    return value, np.where(grows, value * rate, (b - a) / length)


def units_sold(in_use: np.ndarray, rise: np.ndarray, lifetime: np.ndarray) -> np.ndarray:
    """Units made in a year so that those in use follow their path.

    Parameters
    ----------
    in_use : ndarray, shape (w,)
        Units in use.
    rise : ndarray, shape (w,)
        Their change a year.
    lifetime : ndarray, shape (w,)
        Mean years of service; one in ``lifetime`` is replaced each year.

    Returns
    -------
    ndarray, shape (w,)
        ``rise + in_use / lifetime``, never below zero.
    """
    return np.maximum(rise + in_use / lifetime, 0.0)


class GrowthEffect(Effect):
    """Puts sectors on a path of their own, on the days in force."""

    item: DemandGrowth
    empty = "nobody there uses magnets for it"

    def set_up(self, ctx: Context) -> None:
        """Draw the path; a single number is one from the first day on."""

        def drawn(key: str) -> Steps | None:
            given = getattr(self.item, key)
            if given is None:
                return None
            dated = given if isinstance(given, Mapping) else {ctx.start: given}
            return ctx.steps(dated, f"{self.name}/{key}")

        self.multiples, self.units = drawn("multiple"), drawn("units_in_use")

    def factor(self, t0: float, m: MarketView, users: Part) -> np.ndarray:
        """The path over what was planned, shape (w,)."""
        if self.multiples is not None:
            return between(self.multiples.days, self.multiples.values, t0)[0]
        assert self.units is not None
        in_use, rise = between(self.units.days, self.units.values, t0)
        made = units_sold(in_use, rise * DAYS_PER_YEAR, self.n.lifetime_years)
        tonnes_week = made * self.n.kg_per_unit / 1000.0 / WEEKS_PER_YEAR
        lay = m.layout
        planned = (lay.users.base * m.growth(t0)[lay.users.sector])[users.rows]
        total = (planned * users.weight(m)).sum(axis=0)
        return np.asarray(tonnes_week / np.maximum(total, 1e-12))

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Multiply planned use by what the path is over what was planned."""
        active, users = self.share(t0, t1), self.on.users
        assert users is not None
        if not np.any(active) or not users.rows.any():
            return
        change = (self.factor(t0, m, users) - 1.0) * active
        rules.demand_factor.multiply(users, 1.0 + change)


@intervention("demand_growth")
class DemandGrowth(Intervention):
    """Sectors grow along a path: units in use times kilograms, or a multiple of what is planned.

    With ``units_in_use`` the use of the sectors (which must be users of magnets) is what is made
    to reach the path and to replace what wears out, shared among the regions as planned. With
    ``multiple`` planned use is multiplied, smoothly between the dates given.
    """

    where = users_of("regions", "sectors")
    effect: ClassVar[type[Effect]] = GrowthEffect
    neutral: ClassVar[dict[str, float]] = {"multiple": 1.0}
    title: ClassVar[str] = "sectors grow along a path of units in use, or of multiples of the plan"
    one_of: ClassVar = ((("multiple",), ("units_in_use", "kg_per_unit")),)

    regions: Words = places(("all",), "regions concerned")
    sectors: Words = words(..., "sectors concerned", names="sector")
    multiple: Path | None = number(
        None,
        "multiple of planned use at dates, growing evenly between them",
        unit="multiple",
        source="definition",
        low=0.0,
        high=10000.0,
    )
    units_in_use: Path | None = number(
        None,
        "units in use at dates, growing evenly between them",
        unit="units",
        source="o09",
        low=0.0,
        high=1e11,
    )
    kg_per_unit: Num | None = number(
        None,
        "magnets in a unit (a humanoid robot 2 to 4 kg, with 0.9 to 1.3 kg of NdPr)",
        unit="kg",
        source="A42",
        low=0.0,
        high=100000.0,
    )
    lifetime_years: Num = number(
        9.0,
        "mean service life of a unit",
        unit="year",
        source="A24",
        low=0.5,
        high=100.0,
        when={"units_in_use": ()},
    )

    def check(self, chain: Chain) -> list[Problem]:
        """A path in units counts magnets, so that its sectors must use magnets."""
        if self.units_in_use is None:
            return []
        return [
            Problem(
                key="sectors",
                message=f"{name} uses oxides, not magnets",
                hint="Use multiple for it.",
            )
            for name in naming.sectors(chain, self.sectors)
            if chain.sectors[name].kind != "magnet"
        ]
