"""Demand shocks: use grows or shrinks against its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Path,
    Words,
    intervention,
    number,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions


@dataclass
class DemandEffect(Effect):
    """Multiplies planned use."""

    users: np.ndarray  # (u,) bool
    weight: np.ndarray  # (u, 1)
    factor: DrawnPath

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Multiply by the factor on the days in force."""
        active = self.share(t0, t1)
        change = (self.factor.at(t0, 1.0) - 1.0) * active
        if not np.any(change):
            return
        shape = (day.layout.users.n, len(self.start))
        rules.multiply("demand_factor", self.users, shape, 1.0 + self.weight[self.users] * change)


@intervention("demand_shock")
class DemandShock(Intervention):
    """Multiplies planned use; between two dates of ``factor`` each value holds until the next."""

    title: ClassVar[str] = "planned use of sectors is multiplied (robots, a boom, a recession)"
    live: ClassVar[bool] = True

    regions: Words = words(("all",), "regions concerned", names="place")
    sectors: Words = words(("all",), "sectors concerned", names="sector")
    factor: Path = number(
        ...,
        "multiple of planned use, or {date: multiple}",
        unit="multiple",
        source="definition",
        low=0.0,
        high=1000.0,
    )

    def compile(self, name: str, ctx: Context) -> DemandEffect:
        """Resolve user lines and draw factors."""
        lay = ctx.layout
        where = ctx.places(self.regions)
        rows = lay.user_rows(set(where), set(naming.sectors(ctx.chain, self.sectors)))
        weight = np.array([where.get(lay.regions[r], 0.0) for r in lay.users.region])
        return DemandEffect(
            **timing(self, name, ctx),
            users=rows,
            weight=weight[:, None],
            factor=ctx.path(self.factor, f"{name}/factor"),
        )
