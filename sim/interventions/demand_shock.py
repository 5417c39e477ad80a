"""Demand shocks: use grows or shrinks against its path."""

from __future__ import annotations

from typing import ClassVar

from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.effects import Acting
from lodestone.interventions.fields import Path, Words, path, places, words
from lodestone.interventions.targets import users_of
from lodestone.worlds.conditions import Rules


@intervention("demand_shock")
class DemandShock(Intervention):
    """Multiplies planned use; between two dates of ``factor`` each value holds until the next."""

    title: ClassVar[str] = "planned use of sectors is multiplied (robots, a boom, a recession)"
    live: ClassVar[bool] = True
    where = users_of("regions", "sectors")
    neutral: ClassVar[dict[str, float]] = {"factor": 1.0}

    regions: Words = places(("all",), "regions concerned")
    sectors: Words = words(("all",), "sectors concerned", names="sector")
    factor: Path = path(
        ...,
        "multiple of planned use, or {date: multiple}",
        unit="multiple",
        source="definition",
        low=0.0,
        high=1000.0,
        before=1.0,
    )

    def act(self, rules: Rules, on: Acting) -> None:
        """Multiply by the factor on the days in force."""
        rules.demand_factor.multiply(on.users, 1.0 + (on.factor - 1.0) * on.active)
