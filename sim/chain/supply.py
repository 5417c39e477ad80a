"""Where goods are and what they are made of, by whom: places, materials, plants, trade and routes.

Masses name their basis: `t_reo` (rare-earth oxide in ore, contained), `t_oxide`, `t_metal`,
`t_magnet` (finished magnets, after machining).
"""

# ruff: noqa: RUF009 - `column` only wraps `dataclasses.field`

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lodestone.chain.row import BASES, FORMS, ROLES, STAGES, STATUSES, Row, column


@dataclass(frozen=True, slots=True, kw_only=True)
class Region(Row):
    """One of the model's regions."""

    name: str = column(header="region")
    title: str = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Country(Row):
    """A country, its region, and its weight there (share of the region's magnet demand).

    `also_called` are other words for it: ISO codes of two and three letters, common names.
    """

    name: str = column(header="country")
    title: str = column()
    region: str = column(of="regions")
    share_of_region_demand: float = column(low=0, high=1, unit="share")
    also_called: tuple[str, ...] = column(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bloc:
    """A named list of countries."""

    name: str
    countries: tuple[str, ...]
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocMember(Row):
    """One country of one bloc."""

    bloc: str = column()
    country: str = column(of="countries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Element(Row):
    """An element, or the pair NdPr that the trade handles as one.

    ``circuit`` says how separators take it out: blank wherever ore is separated (light elements)
    or with the lead element (heavy ones), ``own`` by a circuit of its own whose nameplate is a
    column ``ELEMENT_t_per_year`` of the facilities, ``lead`` the same, and others follow it.
    """

    name: str = column(header="element")
    title: str = column()
    oxide: str = column()
    element_per_oxide: float = column(low=0.5, high=1, unit="t element per t oxide")
    group: str = column(choices=("light", "heavy"))
    circuit: str = column(choices=("", "own", "lead"), default="")
    thin_data: bool = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material(Row):
    """A product form. Concentrates and magnets hold several elements, so `element` is blank."""

    name: str = column(header="material")
    title: str = column()
    form: str = column(choices=FORMS)
    element: str | None = column(of="elements", default=None)
    basis: str = column(choices=tuple(BASES.values()))
    customs_code: str = column(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Row):
    """What one tonne of output needs of one input, and what of it stays in the product.

    `contained_element_t_per_t_output` is tonnes of the input's element in one tonne of output;
    the rest of the input's element is swarf (magnets) or process loss (metals).
    """

    output: str = column(of="materials")
    input: str = column(of="materials")
    input_t_per_t_output: float = column(low=0, high=5, unit="t per t")
    contained_element_t_per_t_output: float = column(low=0, high=1, unit="t element per t")


@dataclass(frozen=True, slots=True, kw_only=True)
class MixShare(Row):
    """Tonnes of one element's oxide contained in one tonne of REO of a mix."""

    mix: str = column()
    element: str = column(of="elements")
    share: float = column(low=0, high=1, unit="t oxide per t REO")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility(Row):
    """A mine, a plant, or an aggregate of small ones.

    Attributes
    ----------
    material
        Main output: a concentrate (mine), `oxide` (separation, recycling), a metal, `ndfeb` or
        `smco` (magnet).
    capacity_t_per_year
        Nameplate in `capacity_basis`: t_reo (mine; separation: contained feed), t_oxide
        (recycling), t_metal, t_magnet (finished).
    holds
        Contents at nameplate by element, as many as there are columns ``ELEMENT_t_per_year``: oxide
        for mine (contained), separation (output) and recycling; element for metal and magnet.
    separates
        Separation and recycling: `all`, `light`, `heavy`, or elements.
    owner_bloc
        Whose orders come first: a region, or one of `OWNERS`.
    destination
        Mines: the region whose separators take the ore; blank means that the region's row in
        the concentrate trade decides.
    unit_cost_usd_per_kg
        Mine: per kg REO in concentrate; separation: per kg REO fed; metal: conversion per kg
        metal; magnet: conversion per kg finished; recycling: per kg oxide. Inputs excluded.
    """

    name: str = column(header="facility")
    title: str = column(header="name")
    operator: str = column(default="")
    country: str = column(of="countries")
    region: str = column(of="regions")
    stage: str = column(choices=STAGES)
    material: str = column()
    capacity_t_per_year: float = column(low=0, high=2_000_000, unit="t per year in capacity_basis")
    capacity_basis: str = column(choices=tuple(BASES.values()))
    output_2024_t: float | None = column(low=0, unit="t in capacity_basis", default=None)
    mix: str | None = column(of="mixes", default=None)
    holds: tuple[tuple[str, float], ...] = column(by_element="_t_per_year", default=())
    recovery: float | None = column(low=0, high=1, unit="share", default=None)
    separates: tuple[str, ...] = column(default=())
    status: str = column(choices=STATUSES)
    start_date: dt.date | None = column(default=None)
    ramp_months: float = column(low=0, high=240, unit="months", default=0.0)
    unit_cost_usd_per_kg: float = column(low=0, high=1000, unit="USD/kg")
    unit_cost_low: float | None = column(low=0, unit="USD/kg", default=None)
    unit_cost_high: float | None = column(low=0, unit="USD/kg", default=None)
    owner_bloc: str = column()
    destination: str | None = column(of="regions", default=None)
    feed: str = column(default="")
    role: str = column(choices=ROLES)

    def contents(self) -> dict[str, float]:
        """Nameplate by element that is on file, t a year."""
        return dict(self.holds)

    def holding(self, scale: float) -> tuple[tuple[str, float], ...]:
        """Contents of a plant of the same make and another size."""
        return tuple((element, tonnes * scale) for element, tonnes in self.holds)

    @property
    def modelled(self) -> bool:
        """Whether the facility produces in the model (not cancelled, not part of another row)."""
        return self.role in ("existing", "planned_new") and self.status != "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Row):
    """A 2024 control total: what the chain must reproduce when nothing happens."""

    stage: str = column()
    region: str = column(of="regions")
    material: str = column()
    tonnes: float = column(low=0, unit="t in the stage's basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrateTrade(Row):
    """Share of an origin's concentrate that goes to a destination's separators."""

    material: str = column(of="materials")
    origin: str = column(of="regions")
    destination: str = column(of="regions")
    share_of_origin_output: float = column(low=0, high=1, unit="share")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePrior(Row):
    """Relative weight of a link before it is fitted to the totals (habit and contracts)."""

    form: str = column(header="material_form", choices=FORMS)
    origin: str = column(of="regions")
    destination: str = column(of="regions")
    weight: float = column(low=0, unit="weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Row):
    """Door to door: port to port plus customs and inland, and what it costs.

    ``ore_bond_days`` is the stock of ore at the border or in bond, in days of normal flow.
    """

    origin: str = column(of="regions")
    destination: str = column(of="regions")
    transit_days: float = column(low=0, high=200, unit="days")
    express_days: float = column(low=0, high=60, unit="days")
    freight_usd_per_kg: float = column(low=0, high=100, unit="USD/kg")
    express_usd_per_kg: float = column(low=0, high=100, unit="USD/kg")
    ore_bond_days: float = column(low=0, high=365, unit="days", default=0.0)
