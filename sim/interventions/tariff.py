"""Tariffs: an ad valorem charge at the border, levied by the importer or the exporter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from sim.interventions.base import (
    Intervention,
    Num,
    Path,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from sim.interventions.effects import Context, Effect, timing
from sim.interventions.effects import Path as DrawnPath
from sim.worlds.conditions import Conditions


@dataclass
class TariffEffect(Effect):
    """Adds to the ad-valorem charges of its links."""

    links: np.ndarray  # (l,) bool
    weight: np.ndarray  # (l, 1)
    rate: DrawnPath
    pass_through: np.ndarray  # (w,)
    field: str

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Add the rate that buyers feel."""
        active = self.share(t0, t1) * self.rate.at(t0) * self.pass_through
        if not np.any(active):
            return
        shape = (day.layout.n_links, len(self.start))
        rules.add(self.field, self.links, shape, self.weight[self.links] * active)


@intervention("tariff")
class Tariff(Intervention):
    """An ad valorem charge; several tariffs on one trade add up. Levied by the exporter it is
    an export tax.
    """

    title: ClassVar[str] = (
        "an ad valorem charge at the border (an export tax if the exporter levies)"
    )

    levied_by: Literal["importer", "exporter"] = text("importer", "who levies it")
    exporter: Words = words(("all",), "origins charged", names="place")
    importer: Words = words(("all",), "destinations charged", names="place")
    materials: Words = words(("all",), "goods charged", names="material")
    rate: Path = number(
        ...,
        "charge as a share of the value, or {date: share}",
        unit="share of value",
        source="definition",
        low=0.0,
        high=5.0,
        hint="Write a rate of 25 percent as 0.25.",
    )
    pass_through: Num = share(
        1.0,
        "share of the charge that the buyer pays; the rest the seller bears",
        source="definition",
    )

    def compile(self, name: str, ctx: Context) -> TariffEffect:
        """Resolve links and draw rates."""
        mask, weight = ctx.links(self.exporter, self.importer, self.materials)
        return TariffEffect(
            **timing(self, name, ctx),
            links=mask,
            weight=weight,
            rate=ctx.path(self.rate, f"{name}/rate"),
            pass_through=ctx.number(self.pass_through, f"{name}/pass_through"),
            field="export_tax" if self.levied_by == "exporter" else "import_tariff",
        )
