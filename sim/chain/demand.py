"""Who uses what, and what it costs: sectors, tiers, uses, prices, plants' costs, public stocks."""

from __future__ import annotations

from dataclasses import dataclass

from lodestone.chain.row import STAGES, TIERS, Row, column


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector(Row):
    """A use of magnets or of oxides, and how it behaves."""

    name: str = column(header="sector")
    title: str = column()
    kind: str = column(choices=("magnet", "oxide"))
    growth_2030: float = column(low=0, high=10_000, unit="multiple of 2024")
    growth_2035: float = column(low=0, high=10_000, unit="multiple of 2024")
    dy_wt_pct: float = column(low=0, high=10, unit="wt% of finished magnet", default=0.0)
    tb_wt_pct: float = column(low=0, high=5, unit="wt% of finished magnet", default=0.0)
    cover_weeks: float = column(low=0, high=104, unit="weeks")
    cover_low: float | None = column(low=0, unit="weeks", default=None)
    cover_high: float | None = column(low=0, unit="weeks", default=None)
    elasticity_short: float = column(low=0, high=2, unit="-")
    elasticity_low: float | None = column(low=0, unit="-", default=None)
    elasticity_high: float | None = column(low=0, unit="-", default=None)
    heavy_free_ceiling: float = column(low=0, high=1, unit="share")
    ree_free_ceiling: float = column(low=0, high=1, unit="share")
    substitution_lag_weeks: float = column(low=0, unit="weeks")
    lost_output_usd_per_kg: float = column(
        low=0, high=1_000_000, unit="USD per kg of missing material"
    )
    lost_output_low: float | None = column(low=0, unit="USD/kg", default=None)
    lost_output_high: float | None = column(low=0, unit="USD/kg", default=None)
    lifetime_years: float = column(low=0, unit="years")


@dataclass(frozen=True, slots=True, kw_only=True)
class TierShare(Row):
    """Share of a sector's use that belongs to a tier."""

    sector: str = column(of="sectors")
    tier: str = column(choices=TIERS)
    share: float = column(low=0, high=1, unit="share")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRow(Row):
    """Finished magnets of one grade used by a sector in a region in the base year."""

    sector: str = column(of="sectors")
    region: str = column(of="regions")
    material: str = column(of="materials")
    t_per_year: float = column(low=0, unit="t_magnet per year")


@dataclass(frozen=True, slots=True, kw_only=True)
class OxideUse(Row):
    """Share of the oxide that magnets leave over, by use and region (sums to 1 per material)."""

    sector: str = column(of="sectors")
    material: str = column(of="materials")
    region: str = column(of="regions")
    share_of_residual: float = column(low=0, high=1, unit="share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Row):
    """Base-year price without VAT. `home`: inside the exporter; `ask`: spot outside."""

    material: str = column(of="materials")
    market: str = column(choices=("home", "ask"))
    usd_per_kg: float = column(low=0.01, high=5000, unit="USD/kg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Row):
    """A cost, yield, tax or lead time that no facility row carries."""

    item: str = column()
    region: str = column(default="")
    stage: str = column(default="")
    value: float = column(unit="as `unit` says")
    unit: str = column()


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

    stage: str = column(choices=STAGES)
    region: str = column(default="")
    capital_usd_per_kg_year: float = column(low=0.1, high=5000, unit="USD per kg a year")
    build_months: float = column(low=0, high=240, unit="months")
    build_months_least: float = column(low=0, high=240, unit="months")
    permit_months: float = column(low=0, high=240, unit="months")

    @property
    def months(self) -> float:
        """From the decision to the first product: permit and building, months."""
        return self.permit_months + self.build_months


@dataclass(frozen=True, slots=True, kw_only=True)
class Stockpile(Row):
    """A stock held for policy or caution. Either tonnes or days of use is given."""

    name: str = column(header="holder")
    region: str = column(of="regions")
    materials: tuple[str, ...] = column(header="material")
    kind: str = column(choices=("government", "industry"))
    tonnes: float | None = column(low=0, unit="t", default=None)
    days: float | None = column(low=0, high=2000, unit="days of use", default=None)
    target_days: float | None = column(low=0, high=2000, unit="days of use", default=None)
