"""Capacity projects: add a plant, or change one that is announced."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import ClassVar, Literal

import numpy as np

from lodestone.border.numbers import Distribution
from lodestone.border.units import DAYS_PER_WEEK, DAYS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.balance import runs_in_base_year
from lodestone.chain.nouns import Chain, Facility
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect, Spending
from lodestone.interventions.fields import (
    Num,
    When,
    Words,
    bounds,
    ends_of,
    goods,
    number,
    places,
    plants,
    text,
    words,
)
from lodestone.worlds.conditions import Rules
from lodestone.worlds.projects import MONTH, Projects
from lodestone.worlds.view import MarketView

#: The forms of product that a stage makes.
MAKES = {
    "mine": ("concentrate",),
    "separation": ("oxide",),
    "recycling": ("oxide",),
    "metal": ("metal",),
    "magnet": ("magnet",),
}
#: What a plant that is never built does not have.
BUILT: When = {"cancelled": (False,)}


def new_facility_name(name: str) -> str:
    """Name of the plant that an intervention adds."""
    return f"added_{name}"


def centre(value: float | Distribution) -> float:
    """A plain number, or the middle of a distribution (sizes are fixed before the worlds)."""
    return value.centre() if isinstance(value, Distribution) else float(value)


def shut(rules: Rules, row: int, end: np.ndarray, t0: float, t1: float) -> None:
    """Close a plant for good on the day its measure ends, (w,), over the part of [t0, t1) after it."""
    over = np.clip((t1 - np.maximum(end, t0)) / (t1 - t0), 0.0, 1.0)
    if np.any(over):
        rules.facility_available.multiply(np.array([row]), 1.0 - over)


class ProjectEffect(Effect):
    """Moves the day on which a plant comes on line; the plant itself is in the chain.

    Attributes
    ----------
    row : int
        The plant (-1: none).
    dated, added, running, cancelled : bool
        Whether its day is given; it is new; it ran in the base year; it is never built.
    due : ndarray, shape (w,)
        Day on which it is to produce, for the spending.
    """

    item: CapacityProject

    def set_up(self, ctx: Context) -> None:
        """Find the plant, added to the chain before the run, and its day on line."""
        item, lay = self.item, ctx.layout
        self.row = lay.plants.at.get(item.facility or new_facility_name(self.name), -1)
        self.dated, self.added = item.start is not None, item.facility is None
        self.running = self.row >= 0 and bool(lay.plants.base[self.row])
        self.cancelled = item.cancelled
        self.delay, self.funding = self.n.delay_days, self.n.public_funding_usd_million
        online = float(lay.plants.online[self.row, 0]) if self.row >= 0 else np.inf
        self.due = (self.start if self.dated else ctx.full(online)) + self.delay
        self.adds_nothing = item.adds_nothing()

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Close a plant of the base year that is cancelled, and one whose time is over."""
        if self.cancelled and self.running:
            rules.facility_available.multiply(np.array([self.row]), 1.0 - self.share(t0, t1))
        elif self.row >= 0 and not self.cancelled:
            shut(rules, self.row, self.end, t0, t1)

    planning: ClassVar[int] = 0

    def why(self) -> str:
        """A project without rare earths, or without capacity, adds nothing."""
        return self.adds_nothing

    def plan(self, projects: Projects) -> None:
        """Set the day on line of this plant, or shift it."""
        if self.row < 0 or self.running:
            return
        happens = np.isfinite(self.start)
        if self.cancelled:
            projects.drop(self.row, happens)
            return
        if self.dated:
            projects.fix(self.row, self.start, happens)
        # Where it does not happen an announced plant keeps its own date; an added one never comes.
        if self.added:
            projects.drop(self.row, ~happens)
        projects.shift[self.row] += np.where(happens, self.delay, 0.0)

    def spending(self, t0: float, t1: float) -> Spending | None:
        """Public money of [t0, t1), USD million, spread over the year before the start."""
        if self.row < 0 or not np.any(self.funding):
            return None
        # The year before it is due; what would fall before the run is spent over what is left.
        due = np.maximum(self.due, DAYS_PER_WEEK)
        begin = np.maximum(due - DAYS_PER_YEAR, 0.0)
        overlap = np.clip(np.minimum(due, t1) - np.maximum(begin, t0), 0.0, None)
        happens = np.isfinite(self.start) & np.isfinite(due)
        share = np.where(happens, overlap / np.where(happens, due - begin, 1.0), 0.0)
        return self.row, share * self.funding


@intervention("capacity_project")
class CapacityProject(Intervention):
    """Adds capacity, or accelerates, delays, cancels or redirects an announced facility.

    With ``facility`` the seeds' own date, size and ramp hold unless given here; ``start`` is the
    day on which it begins to produce, ``end`` that on which it shuts. With ``region``, ``stage`` and
    ``material`` a new plant is added.
    """

    title: ClassVar[str] = "adds a plant, or speeds up, delays, cancels or redirects one"
    effect: ClassVar[type[Effect]] = ProjectEffect
    one_of: ClassVar = ((("facility",), ("region", "stage", "material")),)

    facility: str | None = plants(None, "an announced or existing facility")
    region: str | None = words(None, "or a new plant: its region", names="region")
    stage: Literal["mine", "separation", "metal", "magnet", "recycling"] | None = text(
        None, "its stage"
    )
    material: Words | None = goods(None, "its main product")
    tonnes_per_year: Num | None = number(
        None,
        "capacity at full ramp, in the product's own basis (null: as in the seeds)",
        unit="t/year",
        source="definition",
        low=0.0,
        high=1e6,
        hint="A capacity cannot be negative; use cancelled: true to take a plant out.",
        when=BUILT,
    )
    ramp_months: Num | None = number(
        None,
        "months from first product to full capacity",
        unit="month",
        source="definition",
        low=0.0,
        high=240.0,
        when=BUILT,
    )
    delay_days: Num = number(
        0.0,
        "days later (negative: earlier) than the start in force",
        unit="day",
        source="definition",
        low=-3650.0,
        high=36500.0,
        when=BUILT,
    )
    unit_cost_usd_per_kg: Num | None = number(
        None,
        "operating cost (null: as similar plants)",
        unit="USD/kg",
        source="definition",
        low=0.0,
        high=5000.0,
        when=BUILT,
    )
    public_funding_usd_million: Num = number(
        0.0,
        "public money it receives, spread over the year before its start",
        unit="USD million",
        source="definition",
        low=0.0,
        stream="public_funding",
    )
    cancelled: bool = text(False, "true: it is never built")
    destination: Words | None = places(None, "only these buyers are served", when=BUILT)
    commodity: str = text(
        "rare_earths",
        "what it yields; with anything else (tungsten, copper, antimony) it is accepted, adds no "
        "rare earths, and the calendar says so",
    )

    def adds_nothing(self) -> str:
        """Why it adds no rare earths, in a few words; empty if it does."""
        if self.commodity != "rare_earths":
            return f"it yields {self.commodity.replace('_', ' ')}, no rare earths"
        if self.facility is None and self.tonnes_per_year == 0.0:
            return "a resource without a plant has no capacity"
        return ""

    def ungiven(self) -> list[Problem]:
        """What yields no rare earths needs a region only: it has no place in the chain."""
        if self.commodity != "rare_earths" and self.facility is None:
            return (
                []
                if self.region
                else [
                    Problem(key="region", message="is missing", hint="Say where the project lies.")
                ]
            )
        return super().ungiven()

    def check(self, chain: Chain) -> list[Problem]:
        """Check that a new plant says how large it is and makes what its stage makes."""
        found: list[Problem] = []
        if self.commodity != "rare_earths":
            if self.facility is not None:
                found.append(
                    Problem(
                        key="commodity",
                        message=f"{self.facility} is a rare-earth plant",
                        hint="Leave commodity out, or name the region instead of the facility.",
                    )
                )
            return found
        if self.facility is not None and not self.cancelled:
            old = chain.facilities[self.facility]
            if runs_in_base_year(old, chain.vintage.base_year) and (
                self.tonnes_per_year is not None or self.start is not None or self.delay_days
            ):
                found.append(
                    Problem(
                        key="facility",
                        message=f"{self.facility} already runs in {chain.vintage.base_year}",
                        hint="Add the increment as a new plant with region, stage and material, or "
                        "use cancelled: true or an outage to take it out.",
                    )
                )
        if self.facility is not None and not self.cancelled:
            found += self._permit(chain.facilities[self.facility], chain)
        if (
            self.destination
            and (self.stage or chain.facilities[str(self.facility)].stage) != "mine"
        ):
            found.append(
                Problem(
                    key="destination",
                    message="only a mine's destination can be set",
                    hint="Plants sell where orders come from; use a tariff or a ban to steer them.",
                )
            )
        if self.facility is None:
            if self.tonnes_per_year is None:
                found.append(
                    Problem(
                        key="tonnes_per_year",
                        message="is missing",
                        hint="A new plant needs its capacity in t/year.",
                    )
                )
            if self.start is None:
                found.append(
                    Problem(
                        key="start",
                        message="is missing",
                        hint="A new plant needs the day on which it begins to produce.",
                    )
                )
            forms = MAKES[str(self.stage)]
            found += [
                Problem(
                    key="material",
                    message=f"a {self.stage} plant does not make {name}",
                    hint=f"It makes {' or '.join(forms)}s.",
                )
                for name in self.material or ()
                if any(chain.materials[m].form not in forms for m in chain.materials_named(name))
            ]
        return found

    def _permit(self, old: Facility, chain: Chain) -> list[Problem]:
        """Refuse to have a plant that is only planned produce before it can have its permit."""
        if old.status not in ("planned", "permitting") or old.start_date is None:
            return []
        months = chain.plant_cost(old.stage, old.region).build_months_least
        permit = old.start_date - timedelta(days=round(months * MONTH))
        first = bounds(self.start)[0] or old.start_date
        least = ends_of(self.delay_days)[0]
        first = first + timedelta(days=int(max(least, -36500.0)))
        if first >= permit:
            return []
        return [
            Problem(
                key="start" if self.start is not None else "delay_days",
                message=f"{old.name} would produce on {first}, before its permit (about {permit})",
                hint=f"It is only {old.status}, to produce on {old.start_date}: faster than the "
                f"{months:g} months of building it cannot be.",
            )
        ]

    def nothing(self, chain: Chain) -> str:
        """What yields no rare earths, or has no capacity, adds nothing."""
        return self.adds_nothing()

    def hastens(self, chain: Chain) -> Collection[str]:
        """The plant named."""
        return (self.facility,) if self.facility else ()

    def new_facility(self, name: str, chain: Chain) -> Facility | None:
        """The facility row this intervention adds or changes, for the chain of the run."""
        if self.adds_nothing():
            return None
        if self.facility is not None:
            found = old = chain.facilities[self.facility]
            if self.tonnes_per_year is not None:
                size = centre(self.tonnes_per_year)
                scale = size / old.capacity_t_per_year if old.capacity_t_per_year else 1.0
                found = replace(old, capacity_t_per_year=size, holds=old.holding(scale))
            if self.ramp_months is not None:
                found = replace(found, ramp_months=centre(self.ramp_months))
            if self.unit_cost_usd_per_kg is not None:
                found = replace(found, unit_cost_usd_per_kg=centre(self.unit_cost_usd_per_kg))
            if self.destination and old.stage == "mine":
                place = next(iter(naming.places(chain, self.destination).use))
                found = replace(found, destination=place)
            return found if found is not old else None
        stage, region = str(self.stage), str(self.region)
        size = centre(self.tonnes_per_year or 0.0)
        alike = [f for f in chain.facilities.values() if f.stage == stage]
        near = [f for f in alike if f.region == region] or alike
        model = max(near, key=lambda f: f.capacity_t_per_year)
        material = (self.material or ("",))[0]
        if stage in ("separation", "recycling"):
            separates = tuple(
                chain.materials[m].element or ""
                for m in naming.materials(chain, self.material or ())
            )
        else:
            separates = ()
        scale = size / model.capacity_t_per_year if model.capacity_t_per_year else 0.0
        cost = self.unit_cost_usd_per_kg
        return replace(
            model,
            name=new_facility_name(name),
            title=name.replace("_", " "),
            region=region,
            country=model.country if model.region == region else naming.country_of(chain, region),
            material="ndfeb" if material.startswith("ndfeb") else material,
            capacity_t_per_year=size,
            output_2024_t=None,
            holds=model.holding(scale),
            separates=separates,
            status="construction",
            start_date=self.start if isinstance(self.start, date) else model.start_date,
            ramp_months=centre(self.ramp_months) if self.ramp_months is not None else 18.0,
            unit_cost_usd_per_kg=centre(cost) if cost is not None else model.unit_cost_usd_per_kg,
            destination=next(iter(naming.places(chain, self.destination).use))
            if self.destination and stage == "mine"
            else None,
            role="planned_new",
            source=tuple(self.source) or model.source,
        )
