"""Bio-based separation: small plants, once the technology is ready, at a cost of their own."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.chain.nouns import Chain, Facility
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.capacity_project import (
    CapacityProject,
    centre,
    new_facility_name,
    shut,
)
from lodestone.interventions.context import Context
from lodestone.interventions.cost_shift import stage_costs
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Words, goods, number, words
from lodestone.worlds.conditions import Rules
from lodestone.worlds.projects import Projects
from lodestone.worlds.view import MarketView

TOO_SMALL = "the plant is smaller than the smallest that is built"


class BioEffect(Effect):
    """A plant that comes with the technology; its cost goes to those who buy its output."""

    item: BioExtraction
    planning: ClassVar[int] = 0
    dated = True

    def set_up(self, ctx: Context) -> None:
        """Find the plant and the oxides of its region."""
        lay, region = ctx.layout, self.item.region
        self.row = lay.plants.at.get(new_facility_name(self.name), -1)
        costs = stage_costs(lay, ctx.places(region) if self.row >= 0 else None, "separation")
        self.cells, self.on_goods = costs.cells, costs.on_goods

    def why(self) -> str:
        """A plant below the smallest is not built."""
        return "" if self.row >= 0 else TOO_SMALL

    def plan(self, projects: Projects) -> None:
        """The plant produces from the day on which the technology is ready, or never."""
        if self.row < 0:
            return
        happens = np.isfinite(self.start)
        projects.fix(self.row, self.start, happens)
        projects.drop(self.row, ~happens)

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Lay what it costs more (or less) on its share of the region's oxides; shut it at the end."""
        if self.row < 0:
            return
        shut(rules, self.row, self.end, t0, t1)
        if "separated" not in m.flows:
            return
        lay, factor = m.layout, self.n.cost_factor
        running = (m.online[self.row] <= t0) & (t0 < self.end) & (factor != 1.0)
        if not np.any(running):
            return
        mates = lay.separation.plants[
            lay.plants.region[lay.separation.plants] == lay.plants.region[self.row]
        ]
        whole = np.maximum(m.normal_output[mates].sum(axis=0), 1e-12)
        part = m.normal_output[self.row] / whole * running
        rules.charge.add(self.cells, self.on_goods * (factor - 1.0) * part)


@intervention("bio_extraction")
class BioExtraction(Intervention):
    """A plant that separates with bacteria or proteins, from the day on which that works.

    ``start`` is the day on which the technology is ready (give a distribution, likely 2027 to
    2032; ``probability`` that it ever is), ``end`` that on which the plant shuts. It can be built smaller than solvent extraction, but
    not below ``minimum_tonnes_per_year``.
    """

    effect: ClassVar[type[Effect]] = BioEffect
    title: ClassVar[str] = "small bio-based separation plants, once the technology is ready"

    region: str = words(..., "where it is built", names="region")
    material: Words = goods(("oxides",), "oxides it separates")
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

    def nothing(self, chain: Chain) -> str:
        """A plant below the smallest is not built."""
        return TOO_SMALL if self.too_small() else ""
