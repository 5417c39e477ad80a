"""The nouns of the supply chain: frozen rows, and the `Chain` that holds them all.

Every noun is one row of a seeds table. The fields say what a column may hold (unit, range,
vocabulary); the loader and the checks read that from here, so a column is described once.
Nothing in this module reads files, draws random numbers or changes.

Masses name their basis: `t_reo` (rare-earth oxide in ore, contained), `t_oxide`, `t_metal`,
`t_magnet` (finished magnets, after machining).
"""

# ruff: noqa: RUF009 - `_col` only wraps `dataclasses.field`

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.words import unknown

__all__ = [
    "Assumption",
    "Baseline",
    "Bloc",
    "Chain",
    "Claim",
    "ConcentrateTrade",
    "Cost",
    "Country",
    "DemandRow",
    "Element",
    "Facility",
    "Material",
    "MixShare",
    "OxideUse",
    "Parameter",
    "PlantCost",
    "PolicyFact",
    "Price",
    "Recipe",
    "Region",
    "Route",
    "Row",
    "Sector",
    "Source",
    "Stockpile",
    "TierShare",
    "TradeFact",
    "TradePrior",
    "Vintage",
]

CONFIDENCES = ("high", "medium", "low")
FORMS = ("concentrate", "oxide", "metal", "magnet")
BASES = {"concentrate": "t_reo", "oxide": "t_oxide", "metal": "t_metal", "magnet": "t_magnet"}
STAGES = ("mine", "separation", "metal", "magnet", "recycling")
STATUSES = ("operating", "ramp", "construction", "permitting", "planned", "idle", "closed")
ROLES = ("existing", "planned_new", "included_in_other_row", "cancelled")
OWNERS = ("china_linked", "russia", "mixed", "other")
"""Words for an owner besides the regions."""
TIERS = ("defence", "essential_civilian", "other")
GRADES = ("plausible", "garbled", "contradicted", "opinion")
COMPARISONS = ("about", "at_least", "at_most", "between", "reading")


def _col(
    *,
    of: str | None = None,
    unit: str | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    column: str | None = None,
    default: Any = ...,
) -> Any:
    """Describe a column: vocabulary `of`, `unit`, allowed range, allowed `choices`."""
    metadata = {
        "of": of,
        "unit": unit,
        "low": low,
        "high": high,
        "choices": choices,
        "column": column,
    }
    if default is ...:
        return field(metadata=metadata)
    return field(metadata=metadata, default=default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row of the seeds carries besides its content.

    Attributes
    ----------
    source
        Keys of the bibliography or of the assumptions, at least one.
    date
        Date or period that the content refers to (ISO, as precise as the source).
    confidence
        `high` (primary document or official statistic), `medium` (trade press, company claim)
        or `low` (recalled, assumed or calibrated).
    low, high
        Range where sources differ or the number is uncertain, in the unit of the row's number.
    note
        What a reader must know before using the number.
    """

    source: tuple[str, ...] = _col(of="sources")
    date: str = _col()
    confidence: str = _col(choices=CONFIDENCES)
    low: float | None = _col(default=None)
    high: float | None = _col(default=None)
    note: str = _col(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry of the bibliography. `grade` is our judgement of a press claim."""

    key: str = _col()
    title: str = _col()
    publisher: str = _col(default="")
    url: str = _col(default="")
    date: str = _col(default="")
    kind: str = _col(choices=("claim", "data", "outside", "assumption", "memory"))
    grade: str = _col(default="")
    licence: str = _col(default="")
    note: str = _col(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A number without a source that says so; cited by its key (A1, A2 ...)."""

    key: str = _col()
    statement: str = _col()
    value: str = _col(default="")
    low: float | None = _col(default=None)
    high: float | None = _col(default=None)
    unit: str = _col(default="")
    reason: str = _col()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the press says, in our words, and how it is tested.

    Attributes
    ----------
    name
        c001, c002 ...: the key of the bibliography.
    file
        Name of the press digest in which it stands.
    value, low, high
        What is said, in `unit`; ISO dates (2027, 2027-06 or 2027-06-01) where the unit is date.
    parameter
        Our parameter (dotted name) or table that it bears on.
    conflicts_with
        Claims that say something else about the same thing.
    test
        `data`: against a fact of the seeds; `run`: against a metric of a run of `scenario`;
        blank: not testable, for the reason in `not_testable`.
    expression
        ``fact(selector=value, ...)`` or ``metric(selector=value, ...)``.
    measure
        `level`, or `difference` from or `ratio` to the reference's value in the same world.
    factor
        From the claim's unit to the unit of the expression.
    comparison
        How the words bind: `about` the value within `tolerance` (relative), `at_least`,
        `at_most`, `between` low and high; `reading`: our reading of words without a number,
        `reading_low` to `reading_high` in the unit of the expression (A71).
    source
        Assumptions that the test rests on.
    """

    name: str = _col(column="claim")
    file: str = _col()
    article_date: dt.date = _col()
    topic: str = _col()
    statement: str = _col()
    quantity: str = _col()
    value: float | str | None = _col(default=None)
    low: float | str | None = _col(default=None)
    high: float | str | None = _col(default=None)
    unit: str = _col(default="")
    subject: str = _col()
    stage: str = _col()
    grade: str = _col(choices=GRADES)
    parameter: str = _col(default="")
    conflicts_with: tuple[str, ...] = _col(default=())
    test: str = _col(choices=("data", "run"), default="")
    scenario: str = _col(default="")
    expression: str = _col(default="")
    measure: str = _col(choices=("level", "difference", "ratio"), default="level")
    factor: float = _col(default=1.0)
    comparison: str = _col(choices=COMPARISONS, default="")
    tolerance: float = _col(low=0, high=1, unit="share", default=0.0)
    reading_low: float | str | None = _col(default=None)
    reading_high: float | str | None = _col(default=None)
    source: tuple[str, ...] = _col(of="sources", default=())
    not_testable: str = _col(default="")
    note: str = _col(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region(Row):
    """One of the model's regions."""

    name: str = _col(column="region")
    title: str = _col()


@dataclass(frozen=True, slots=True, kw_only=True)
class Country(Row):
    """A country, its region, and its weight there (share of the region's magnet demand).

    `also_called` are other words for it: ISO codes of two and three letters, common names.
    """

    name: str = _col(column="country")
    title: str = _col()
    region: str = _col(of="regions")
    share_of_region_demand: float = _col(low=0, high=1, unit="share")
    also_called: tuple[str, ...] = _col(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bloc:
    """A named list of countries."""

    name: str
    countries: tuple[str, ...]
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocMember(Row):
    """One country of one bloc."""

    bloc: str = _col()
    country: str = _col(of="countries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Element(Row):
    """An element, or the pair NdPr that the trade handles as one.

    ``circuit`` says how separators take it out: blank wherever ore is separated (light elements)
    or with the lead element (heavy ones), ``own`` by a circuit of its own whose nameplate is a
    column ``ELEMENT_t_per_year`` of the facilities, ``lead`` the same, and others follow it.
    """

    name: str = _col(column="element")
    title: str = _col()
    oxide: str = _col()
    element_per_oxide: float = _col(low=0.5, high=1, unit="t element per t oxide")
    group: str = _col(choices=("light", "heavy"))
    circuit: str = _col(choices=("", "own", "lead"), default="")
    thin_data: bool = _col()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material(Row):
    """A product form. Concentrates and magnets hold several elements, so `element` is blank."""

    name: str = _col(column="material")
    title: str = _col()
    form: str = _col(choices=FORMS)
    element: str | None = _col(of="elements", default=None)
    basis: str = _col(choices=tuple(BASES.values()))
    customs_code: str = _col(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Row):
    """What one tonne of output needs of one input, and what of it stays in the product.

    `contained_element_t_per_t_output` is tonnes of the input's element in one tonne of output;
    the rest of the input's element is swarf (magnets) or process loss (metals).
    """

    output: str = _col(of="materials")
    input: str = _col(of="materials")
    input_t_per_t_output: float = _col(low=0, high=5, unit="t per t")
    contained_element_t_per_t_output: float = _col(low=0, high=1, unit="t element per t")


@dataclass(frozen=True, slots=True, kw_only=True)
class MixShare(Row):
    """Tonnes of one element's oxide contained in one tonne of REO of a mix."""

    mix: str = _col()
    element: str = _col(of="elements")
    share: float = _col(low=0, high=1, unit="t oxide per t REO")


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
    ndpr_t_per_year, dy_t_per_year, tb_t_per_year
        Contents at nameplate: oxide for mine (contained), separation (output) and recycling;
        element for metal and magnet.
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

    name: str = _col(column="facility")
    title: str = _col(column="name")
    operator: str = _col(default="")
    country: str = _col(of="countries")
    region: str = _col(of="regions")
    stage: str = _col(choices=STAGES)
    material: str = _col()
    capacity_t_per_year: float = _col(low=0, unit="t per year in capacity_basis")
    capacity_basis: str = _col(choices=tuple(BASES.values()))
    output_2024_t: float | None = _col(low=0, unit="t in capacity_basis", default=None)
    mix: str | None = _col(of="mixes", default=None)
    ndpr_t_per_year: float = _col(low=0, unit="t per year", default=0.0)
    dy_t_per_year: float = _col(low=0, unit="t per year", default=0.0)
    tb_t_per_year: float = _col(low=0, unit="t per year", default=0.0)
    recovery: float | None = _col(low=0, high=1, unit="share", default=None)
    separates: tuple[str, ...] = _col(default=())
    status: str = _col(choices=STATUSES)
    start_date: dt.date | None = _col(default=None)
    ramp_months: float = _col(low=0, high=240, unit="months", default=0.0)
    unit_cost_usd_per_kg: float = _col(low=0, high=1000, unit="USD/kg")
    unit_cost_low: float | None = _col(low=0, unit="USD/kg", default=None)
    unit_cost_high: float | None = _col(low=0, unit="USD/kg", default=None)
    owner_bloc: str = _col()
    destination: str | None = _col(of="regions", default=None)
    feed: str = _col(default="")
    role: str = _col(choices=ROLES)

    def contents(self) -> dict[str, float]:
        """Nameplate by element that is on file, t a year: columns ``ELEMENT_t_per_year``."""
        tail = "_t_per_year"
        return {
            f.name.removesuffix(tail): float(getattr(self, f.name))
            for f in fields(self)
            if f.name.endswith(tail) and f.name != "capacity" + tail
        }

    @property
    def modelled(self) -> bool:
        """Whether the facility produces in the model (not cancelled, not part of another row)."""
        return self.role in ("existing", "planned_new") and self.status != "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Row):
    """A 2024 control total: what the chain must reproduce when nothing happens."""

    stage: str = _col()
    region: str = _col(of="regions")
    material: str = _col()
    tonnes: float = _col(low=0, unit="t in the stage's basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrateTrade(Row):
    """Share of an origin's concentrate that goes to a destination's separators."""

    material: str = _col(of="materials")
    origin: str = _col(of="regions")
    destination: str = _col(of="regions")
    share_of_origin_output: float = _col(low=0, high=1, unit="share")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePrior(Row):
    """Relative weight of a link before it is fitted to the totals (habit and contracts)."""

    form: str = _col(column="material_form", choices=FORMS)
    origin: str = _col(of="regions")
    destination: str = _col(of="regions")
    weight: float = _col(low=0, unit="weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Row):
    """Door to door: port to port plus customs and inland, and what it costs.

    ``ore_bond_days`` is the stock of ore at the border or in bond, in days of normal flow.
    """

    origin: str = _col(of="regions")
    destination: str = _col(of="regions")
    transit_days: float = _col(low=0, high=200, unit="days")
    express_days: float = _col(low=0, high=60, unit="days")
    freight_usd_per_kg: float = _col(low=0, high=100, unit="USD/kg")
    express_usd_per_kg: float = _col(low=0, high=100, unit="USD/kg")
    ore_bond_days: float = _col(low=0, high=365, unit="days", default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector(Row):
    """A use of magnets or of oxides, and how it behaves."""

    name: str = _col(column="sector")
    title: str = _col()
    kind: str = _col(choices=("magnet", "oxide"))
    growth_2030: float = _col(low=0, unit="multiple of 2024")
    growth_2035: float = _col(low=0, unit="multiple of 2024")
    dy_wt_pct: float = _col(low=0, high=10, unit="wt% of finished magnet", default=0.0)
    tb_wt_pct: float = _col(low=0, high=5, unit="wt% of finished magnet", default=0.0)
    cover_weeks: float = _col(low=0, high=104, unit="weeks")
    cover_low: float | None = _col(low=0, unit="weeks", default=None)
    cover_high: float | None = _col(low=0, unit="weeks", default=None)
    elasticity_short: float = _col(low=0, high=2, unit="-")
    elasticity_low: float | None = _col(low=0, unit="-", default=None)
    elasticity_high: float | None = _col(low=0, unit="-", default=None)
    heavy_free_ceiling: float = _col(low=0, high=1, unit="share")
    ree_free_ceiling: float = _col(low=0, high=1, unit="share")
    substitution_lag_weeks: float = _col(low=0, unit="weeks")
    lost_output_usd_per_kg: float = _col(low=0, unit="USD per kg of missing material")
    lost_output_low: float | None = _col(low=0, unit="USD/kg", default=None)
    lost_output_high: float | None = _col(low=0, unit="USD/kg", default=None)
    lifetime_years: float = _col(low=0, unit="years")


@dataclass(frozen=True, slots=True, kw_only=True)
class TierShare(Row):
    """Share of a sector's use that belongs to a tier."""

    sector: str = _col(of="sectors")
    tier: str = _col(choices=TIERS)
    share: float = _col(low=0, high=1, unit="share")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRow(Row):
    """Finished magnets of one grade used by a sector in a region in the base year."""

    sector: str = _col(of="sectors")
    region: str = _col(of="regions")
    material: str = _col(of="materials")
    t_per_year: float = _col(low=0, unit="t_magnet per year")


@dataclass(frozen=True, slots=True, kw_only=True)
class OxideUse(Row):
    """Share of the oxide that magnets leave over, by use and region (sums to 1 per material)."""

    sector: str = _col(of="sectors")
    material: str = _col(of="materials")
    region: str = _col(of="regions")
    share_of_residual: float = _col(low=0, high=1, unit="share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Row):
    """Base-year price without VAT. `home`: inside the exporter; `ask`: spot outside."""

    material: str = _col(of="materials")
    market: str = _col(choices=("home", "ask"))
    usd_per_kg: float = _col(low=0, high=5000, unit="USD/kg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Row):
    """A cost, yield, tax or lead time that no facility row carries."""

    item: str = _col()
    region: str = _col(default="")
    stage: str = _col(default="")
    value: float = _col(unit="as `unit` says")
    unit: str = _col()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantCost(Row):
    """What a plant of a stage costs to build and how long that takes; no region: elsewhere.

    Attributes
    ----------
    capital_usd_per_kg_year
        Capital per kg of yearly capacity, in the stage's basis (mine and separation: REO).
    build_months
        From permit to first product, as such plants usually take.
    build_months_least
        The same, faster than which nobody has built.
    permit_months
        From the first filing to the permit.
    """

    stage: str = _col(choices=STAGES)
    region: str = _col(default="")
    capital_usd_per_kg_year: float = _col(low=0.1, high=5000, unit="USD per kg a year")
    build_months: float = _col(low=0, high=240, unit="months")
    build_months_least: float = _col(low=0, high=240, unit="months")
    permit_months: float = _col(low=0, high=240, unit="months")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stockpile(Row):
    """A stock held for policy or caution. Either tonnes or days of use is given."""

    name: str = _col(column="holder")
    region: str = _col(of="regions")
    materials: tuple[str, ...] = _col(column="material")
    kind: str = _col(choices=("government", "industry"))
    tonnes: float | None = _col(low=0, unit="t", default=None)
    days: float | None = _col(low=0, high=2000, unit="days of use", default=None)
    target_days: float | None = _col(low=0, high=2000, unit="days of use", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFact(Row):
    """A dated measure of a government, as it was."""

    name: str = _col(column="policy")
    jurisdiction: str = _col()
    kind: str = _col()
    target: str = _col()
    terms: str = _col()
    start: dt.date | None = _col(default=None)
    end: dt.date | None = _col(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFact(Row):
    """A trade flow as reported, kept for checks."""

    period: str = _col()
    flow: str = _col()
    origin: str = _col()
    destination: str = _col()
    value: float = _col(low=0, unit="as `unit` says")
    unit: str = _col()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Row):
    """A number of the model's behaviour: dotted name, unit, default, range, source.

    `standing` says how well history fixes it: `pinned`, `product` (only a product of two is),
    `ridge` (moves with others), `free`, `input`, or `sourced`. `shape` is the distribution
    that its range stands for when it is drawn.
    """

    name: str = _col(column="parameter")
    title: str = _col()
    unit: str = _col()
    default: float | str | None = _col()
    shape: str = _col(choices=("triangular", "uniform", "fixed"), default="triangular")
    standing: str = _col(
        choices=("pinned", "product", "ridge", "free", "input", "sourced", "chain"),
        default="free",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """A folder of seeds: the chain as it was in a base year."""

    name: str
    base_year: int
    start: dt.date
    title: str = ""
    note: str = ""


_FACILITY_KEYS = ("capacity_t_per_year", "start_date", "ramp_months", "unit_cost_usd_per_kg")
_SECTOR_KEYS = (
    "cover_weeks",
    "heavy_free_ceiling",
    "ree_free_ceiling",
    "lost_output_usd_per_kg",
    "growth_2030",
    "growth_2035",
    "elasticity_short",
)
_SECTOR_RANGES = {
    "cover_weeks": ("cover_low", "cover_high"),
    "lost_output_usd_per_kg": ("lost_output_low", "lost_output_high"),
    "elasticity_short": ("elasticity_low", "elasticity_high"),
}


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The validated whole: what is, before anything happens."""

    vintage: Vintage
    regions: dict[str, Region]
    countries: dict[str, Country]
    blocs: dict[str, Bloc]
    elements: dict[str, Element]
    materials: dict[str, Material]
    recipes: dict[str, dict[str, Recipe]]
    mixes: dict[str, dict[str, float]]
    facilities: dict[str, Facility]
    baseline: tuple[Baseline, ...]
    concentrate_trade: tuple[ConcentrateTrade, ...]
    trade_priors: tuple[TradePrior, ...]
    routes: dict[tuple[str, str], Route]
    sectors: dict[str, Sector]
    tiers: dict[str, dict[str, float]]
    demand: tuple[DemandRow, ...]
    oxide_uses: tuple[OxideUse, ...]
    prices: dict[tuple[str, str], Price]
    costs: tuple[Cost, ...]
    plant_costs: dict[tuple[str, str], PlantCost]
    stockpiles: dict[str, Stockpile]
    policies: tuple[PolicyFact, ...]
    trade_facts: tuple[TradeFact, ...]
    parameters: dict[str, Parameter]
    sources: dict[str, Source]
    assumptions: dict[str, Assumption]
    claims: dict[str, Claim] = field(default_factory=dict, repr=False, compare=False)
    #: Calibrated parameter -> its value in every member of the posterior (same order for all).
    posterior: dict[str, tuple[float, ...]] = field(default_factory=dict, repr=False)
    tables: dict[str, tuple[Any, ...]] = field(default_factory=dict, repr=False, compare=False)

    # ---- words ---------------------------------------------------------------------------

    @property
    def forms(self) -> tuple[str, ...]:
        """The product forms in order of the chain."""
        return FORMS

    def material_words(self) -> list[str]:
        """Every word that names materials: names, `all`, `ndfeb_magnets`, forms in plural."""
        return [*self.materials, "all", "ndfeb_magnets", *(form + "s" for form in FORMS)]

    def materials_named(self, word: str, file: object = None, key: object = None) -> list[str]:
        """Return the materials that a word means, in the order of the table.

        Raises
        ------
        InputError
            If the word is unknown; it names the nearest known one.
        """
        if word == "all":
            return list(self.materials)
        if word == "ndfeb_magnets":
            return [name for name in self.materials if name.startswith("ndfeb_")]
        for form in FORMS:
            if word in (form + "s", form):
                return [name for name, item in self.materials.items() if item.form == form]
        if word in self.materials:
            return [word]
        raise unknown("material", word, self.material_words(), file, key)

    def plant_cost(self, stage: str, region: str) -> PlantCost:
        """Return what a plant of a stage costs and how long it takes to build in a region."""
        return self.plant_costs.get((stage, region)) or self.plant_costs[(stage, "")]

    def source_titles(self, keys: Iterable[str]) -> dict[str, str]:
        """Return key -> title (a source) or statement (an assumption) for the keys given."""
        found = {}
        for key in keys:
            if key in self.sources:
                found[key] = self.sources[key].title
            elif key in self.assumptions:
                found[key] = self.assumptions[key].statement
        return found

    def knows_source(self, key: str) -> bool:
        """Whether a source key resolves in the bibliography or the assumptions."""
        return key in self.sources or key in self.assumptions

    # ---- parameters ----------------------------------------------------------------------

    def parameter_names(self) -> dict[str, Parameter]:
        """Return every number that may be overridden: dotted name -> `Parameter`."""
        return dict(self._named)

    @cached_property
    def _named(self) -> dict[str, Parameter]:
        found = dict(self.parameters)
        for name, item in self.facilities.items():
            for key in _FACILITY_KEYS:
                value = getattr(item, key)
                default = value.isoformat() if isinstance(value, dt.date) else value
                low, high = None, None
                if key == "unit_cost_usd_per_kg":
                    low, high = item.unit_cost_low, item.unit_cost_high
                found[f"facility.{name}.{key}"] = _chain_parameter(
                    f"facility.{name}.{key}", item, key, default, low, high
                )
        for name, sector in self.sectors.items():
            for key in _SECTOR_KEYS:
                low_key, high_key = _SECTOR_RANGES.get(key, (None, None))
                found[f"sector.{name}.{key}"] = _chain_parameter(
                    f"sector.{name}.{key}",
                    sector,
                    key,
                    getattr(sector, key),
                    getattr(sector, low_key) if low_key else None,
                    getattr(sector, high_key) if high_key else None,
                )
        for name, pile in self.stockpiles.items():
            found[f"stockpile.{name}.days"] = _chain_parameter(
                f"stockpile.{name}.days", pile, "days", pile.days, pile.low, pile.high
            )
        for (material, market), price in self.prices.items():
            dotted = f"price.{material}.{market}_usd_per_kg"
            found[dotted] = _chain_parameter(
                dotted, price, "usd_per_kg", price.usd_per_kg, price.low, price.high
            )
        return found

    def with_overrides(self, overrides: Mapping[str, Any], file: object = None) -> Chain:
        """Return a chain with some numbers replaced, addressed by their dotted names.

        Parameters
        ----------
        overrides
            Dotted name -> number (or ISO date for `start_date`), as `parameter_names` lists.
        file
            Where the overrides stand, for the message of an error.

        Raises
        ------
        InputError
            If a name is unknown (naming the nearest), or a value is not of its kind or range.
        """
        if not overrides:
            return self
        facilities, sectors = dict(self.facilities), dict(self.sectors)
        stockpiles, prices = dict(self.stockpiles), dict(self.prices)
        parameters = dict(self.parameters)
        known = self.parameter_names()
        for dotted, value in overrides.items():
            if dotted not in known:
                raise unknown("parameter", dotted, _near_names(dotted, known), file, dotted)
            head, _, rest = dotted.partition(".")
            if head == "facility" and dotted not in self.parameters:
                name, key = rest.rsplit(".", 1)
                facilities[name] = _replaced(facilities[name], key, value, file, dotted)
            elif head == "sector" and dotted not in self.parameters:
                name, key = rest.rsplit(".", 1)
                sectors[name] = _replaced(sectors[name], key, value, file, dotted)
            elif head == "stockpile" and dotted not in self.parameters:
                name = rest.rsplit(".", 1)[0]
                stockpiles[name] = _replaced(stockpiles[name], "days", value, file, dotted)
            elif head == "price" and dotted not in self.parameters:
                name, key = rest.rsplit(".", 1)
                place = (name, key.split("_")[0])
                prices[place] = _replaced(prices[place], "usd_per_kg", value, file, dotted)
            else:
                number = _number(value, file, dotted)
                parameters[dotted] = replace(parameters[dotted], default=number)
        return replace(
            self,
            facilities=facilities,
            sectors=sectors,
            stockpiles=stockpiles,
            prices=prices,
            parameters=parameters,
        )

    def value(self, dotted: str) -> float:
        """Return the default of a behavioural parameter."""
        try:
            default = self.parameters[dotted].default
        except KeyError:
            raise unknown("parameter", dotted, self.parameters, key=dotted) from None
        return _number(default, None, dotted)


def _chain_parameter(
    dotted: str, row: Row, key: str, default: Any, low: float | None, high: float | None
) -> Parameter:
    meta = _metadata(type(row), key)
    return Parameter(
        name=dotted,
        title=f"{key.replace('_', ' ')} of {getattr(row, 'title', None) or dotted.split('.')[1]}",
        unit="date" if key == "start_date" else (meta["unit"] or "-"),
        default=default,
        low=low,
        high=high,
        shape="triangular" if low is not None else "fixed",
        standing="chain",
        source=row.source,
        date=row.date,
        confidence=row.confidence,
        note=row.note,
    )


_METADATA: dict[type, dict[str, Mapping[str, Any]]] = {}


def _metadata(kind: type, key: str) -> Mapping[str, Any]:
    if kind not in _METADATA:
        _METADATA[kind] = {item.name: item.metadata for item in fields(kind)}
    return _METADATA[kind][key]


def _near_names(dotted: str, known: Iterable[str]) -> list[str]:
    """Narrow the known names to the likely ones; a full comparison of hundreds is slow."""
    names = list(known)
    head = dotted.split(".")[0]
    close = [name for name in names if name.split(".")[0] == head]
    if not close:
        heads = sorted({name.split(".")[0] for name in names})
        near = difflib.get_close_matches(head, heads, n=1, cutoff=0.5)
        close = [name for name in names if near and name.split(".")[0] == near[0]]
    return close or names


def _number(value: Any, file: object, dotted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"'{value}' is not a number", file=file, key=dotted)
    if value != value or value in (float("inf"), float("-inf")):
        raise InputError(f"'{value}' is not a finite number", file=file, key=dotted)
    return float(value)


def _replaced(row: Any, key: str, value: Any, file: object, dotted: str) -> Any:
    if key == "start_date":
        if isinstance(value, dt.date):
            return replace(row, start_date=value)
        try:
            return replace(row, start_date=dt.date.fromisoformat(str(value)))
        except ValueError:
            raise InputError(
                f"'{value}' is not a date", file=file, key=dotted, hint="Write 2027-09-01."
            ) from None
    number = _number(value, file, dotted)
    meta = _metadata(type(row), key)
    low, high = meta["low"], meta["high"]
    if low is not None and number < low:
        raise InputError(f"{number:g} is below {low:g} ({meta['unit']})", file=file, key=dotted)
    if high is not None and number > high:
        raise InputError(f"{number:g} is above {high:g} ({meta['unit']})", file=file, key=dotted)
    return replace(row, **{key: number})
