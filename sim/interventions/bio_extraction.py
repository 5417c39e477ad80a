"""Bio-based separation: small plants, once the technology is ready, at a cost of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.interventions.base import (
    Intervention,
    Num,
    Problem,
    Words,
    intervention,
    number,
    words,
)
from lodestone.interventions.capacity_project import (
    CapacityProject,
    ProjectEffect,
    centre,
    new_facility_name,
)
from lodestone.interventions.cost_shift import stage_costs
from lodestone.interventions.effects import Context, timing
from lodestone.worlds.conditions import Conditions

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain, Facility


@dataclass
class BioEffect(ProjectEffect):
    """A plant that comes with the technology; its cost goes to those who buy its output."""

    factor: np.ndarray  # (w,)
    cells: np.ndarray  # (k,) oxides of its region
    on_goods: np.ndarray  # (k, 1) USD/kg

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Lay what it costs more (or less) on its share of the region's oxides."""
        if self.row < 0 or "separated" not in day.flows:
            return
        lay = day.layout
        running = (day.online[self.row] <= t0) & (self.factor != 1.0)
        if not np.any(running):
            return
        mates = lay.separation.plants[
            lay.plants.region[lay.separation.plants] == lay.plants.region[self.row]
        ]
        whole = np.maximum(day.normal_output[mates].sum(axis=0), 1e-12)
        part = day.normal_output[self.row] / whole * running
        charge = self.on_goods * (self.factor - 1.0) * part
        rules.add("charge", self.cells, (lay.cells.n, len(self.start)), charge)


@intervention("bio_extraction")
class BioExtraction(Intervention):
    """A plant that separates with bacteria or proteins, from the day on which that works.

    ``start`` is the day on which the technology is ready (give a distribution, likely 2027 to
    2032; ``probability`` that it ever is). It can be built smaller than solvent extraction, but
    not below ``minimum_tonnes_per_year``.
    """

    title: ClassVar[str] = "small bio-based separation plants, once the technology is ready"

    region: str = words(..., "where it is built", names="region")
    material: Words = words(("oxides",), "oxides it separates", names="material")
    tonnes_per_year: Num = number(
        ...,
        "ore it works up at full ramp, contained oxide",
        unit="t/year",
        source="definition",
        low=0.0,
        high=1e6,
    )
    minimum_tonnes_per_year: Num = number(
        200.0,
        "smallest plant that is worth building",
        unit="t/year",
        source="A101",
        low=0.0,
        high=1e6,
    )
    cost_factor: Num = number(
        1.1,
        "operating cost over that of solvent extraction (likely 0.8 to 1.5)",
        unit="multiple",
        source="A101",
        low=0.1,
        high=10.0,
    )
    ramp_months: Num = number(
        24.0, "months to full capacity", unit="month", source="A101", low=0.0, high=240.0
    )

    def too_small(self) -> bool:
        """Whether the plant is below the smallest that is built."""
        size = centre(self.tonnes_per_year)
        return size <= 0.0 or size < centre(self.minimum_tonnes_per_year)

    def check(self, chain: Chain) -> list[Problem]:
        """Ask for a date, and for oxides."""
        return self._plant(chain).check(chain) + (
            [
                Problem(
                    key="start",
                    message="is missing",
                    hint="Give the day on which the technology is ready, or a distribution.",
                )
            ]
            if self.start is None
            else []
        )

    def _plant(self, chain: Chain) -> CapacityProject:
        """The same as an added separation plant."""
        return CapacityProject(
            kind="capacity_project",
            region=self.region,
            stage="separation",
            material=self.material,
            tonnes_per_year=self.tonnes_per_year,
            ramp_months=self.ramp_months,
            start=self.start or chain.vintage.start,
            source=self.source,
        )

    def new_facility(self, name: str, chain: Chain) -> Facility | None:
        """The plant, where it is large enough to be built."""
        if self.too_small() or self.probability == 0.0:
            return None
        return self._plant(chain).new_facility(name, chain)

    def compile(self, name: str, ctx: Context) -> BioEffect:
        """Find the plant, and draw the day and the cost."""
        lay = ctx.layout
        row = lay.plants.at.get(new_facility_name(name), -1)
        when = timing(self, name, ctx)
        costs = stage_costs(lay, {self.region: 1.0} if row >= 0 else {}, "separation")
        return BioEffect(
            **when,
            row=row,
            dated=True,
            added=True,
            running=False,
            cancelled=False,
            delay=ctx.full(0.0),
            due=when["start"],
            funding=ctx.full(0.0),
            adds_nothing="the plant is smaller than the smallest that is built" if row < 0 else "",
            factor=ctx.number(self.cost_factor, f"{name}/cost_factor"),
            cells=costs.cells,
            on_goods=costs.on_goods,
        )
