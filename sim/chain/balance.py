"""The base year as one consistent set of flows, and the mass balance that is checked.

Demand by sector and region, mines, plants and trade habits come from different sources and do
not add up to the last tonne. Here they are made to: use and ore are taken as given, every stage
between is scaled to them, trade is fitted to the totals of origins and destinations by iterative
proportional fitting on the links that habit knows, and what separation makes beyond the needs of
magnets goes to the non-magnet users of each oxide. The gaps this closes are reported, with the
tolerance of the data (``lodestone check``); nothing is hidden in a stock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lodestone.border.errors import InputError
from lodestone.chain.fit import proportional_fit
from lodestone.chain.nouns import Chain, Facility

if TYPE_CHECKING:  # loaded where it is used, so that listing and help start without it
    pass

#: Share of scrap recovered as oxide, and recovery of separators without a number of their own.
SWARF_RECOVERY = 0.95
SEPARATION_RECOVERY = 0.92
#: Links that carry less than this share of a destination's need are left out.
SMALLEST_LINK = 0.02
#: Oxide users below this share of an oxide's use outside magnets join their sector's largest.
SMALLEST_USE = 0.01

Key2 = tuple[str, str]
Key3 = tuple[str, str, str]


@dataclass(frozen=True)
class Check:
    """One line of the mass-balance table: a control total against the chain's own flow."""

    stage: str
    region: str
    element: str
    unit: str
    target: float
    model: float
    tolerance: float
    source: str

    @property
    def gap(self) -> float:
        """Relative gap of the chain to the control total."""
        return self.model / self.target - 1.0 if self.target else float(self.model != 0.0)

    @property
    def ok(self) -> bool:
        """Whether the gap is within the tolerance of the data."""
        return abs(self.gap) <= self.tolerance


@dataclass(frozen=True)
class Balance:
    """Base-year flows that close exactly, t/year.

    Attributes
    ----------
    use : dict (sector, material, region) -> t
        End use of magnets (t_magnet) and of oxides outside magnets (t_oxide).
    production : dict (material, region) -> t
        Output of oxides (primary and recovered), metals and magnets.
    plant_need : dict (material, region) -> t
        Oxide drawn by metal makers, metal drawn by magnet makers.
    trade : dict (material, origin, destination) -> t
        Shipments of oxides, metals and magnets, home deliveries included.
    mined : dict facility -> t_reo
        Output of each mine that runs in the base year.
    ore : dict (material, origin, destination) -> dict element -> t_oxide contained
        Concentrate fed to separators.
    primary, recycled : dict (element, region) -> t_oxide
    swarf : dict (element, region) -> t element per year
        Scrap that magnet making yields.
    end_of_life : dict (element, region) -> t_oxide recovered from goods in use
    capacity_use : dict facility -> output over effective capacity in the base year
    checks : list of Check
    """

    use: dict[Key3, float]
    production: dict[Key2, float]
    plant_need: dict[Key2, float]
    trade: dict[Key3, float]
    mined: dict[str, float]
    ore: dict[Key3, dict[str, float]]
    primary: dict[Key2, float]
    recycled: dict[Key2, float]
    swarf: dict[Key2, float]
    end_of_life: dict[Key2, float]
    capacity_use: dict[str, float]
    recovery: dict[str, float] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)


def runs_in_base_year(item: Facility, base_year: int) -> bool:
    """Whether a facility produced in the base year (new plants of that year ramp in later)."""
    if item.role != "existing" or not item.modelled:
        return False
    if item.output_2024_t is not None:
        return item.output_2024_t > 0
    if item.status not in ("operating", "ramp"):
        return False
    return item.start_date is None or item.start_date.year < base_year


def balance(chain: Chain) -> Balance:
    """Close the base year of a vintage.

    Returns
    -------
    Balance
        Flows of the base year, t/year, with the control totals they are checked against.
        Conserves every element at every stage.
    """
    return _Closing(chain).run()


class _Closing:
    """Working paper of :func:`balance`: one method a stage, from the ends to the middle."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.year = chain.vintage.base_year
        self.running = {
            n: f for n, f in chain.facilities.items() if runs_in_base_year(f, self.year)
        }
        self.use: dict[Key3, float] = {}
        self.production: dict[Key2, float] = {}
        self.plant_need: dict[Key2, float] = {}
        self.trade: dict[Key3, float] = {}
        self.mined: dict[str, float] = {}
        self.ore: dict[Key3, dict[str, float]] = {}
        self.primary: dict[Key2, float] = {}
        self.recycled: dict[Key2, float] = {}
        self.swarf: dict[Key2, float] = {}
        self.end_of_life: dict[Key2, float] = {}
        self.recovery: dict[str, float] = {}
        self.checks: list[Check] = []
        self.targets: dict[tuple[str, str, str], tuple[float, float, str]] = {}
        for row in chain.baseline:
            spread = 0.02
            if row.low is not None and row.high is not None and row.tonnes > 0:
                spread = max(row.high / row.tonnes - 1.0, 1.0 - row.low / row.tonnes, 0.02)
            self.targets[(row.stage, row.region, row.material)] = (
                row.tonnes,
                spread,
                ";".join(row.source),
            )

    def run(self) -> Balance:
        self._mines()
        self._separation()
        self._magnets()
        self._metals()
        self._recycling()
        self._oxides()
        return Balance(
            use=self.use,
            production=self.production,
            plant_need=self.plant_need,
            trade=self.trade,
            mined=self.mined,
            ore=self.ore,
            primary=self.primary,
            recycled=self.recycled,
            swarf=self.swarf,
            end_of_life=self.end_of_life,
            capacity_use=self._capacity_use(),
            recovery=self.recovery,
            checks=self._checks(),
        )

    # ---- ore ---------------------------------------------------------------------------

    def _mines(self) -> None:
        stay: dict[Key2, list[tuple[str, float]]] = {}
        for row in self.chain.concentrate_trade:
            stay.setdefault((row.material, row.origin), []).append(
                (row.destination, row.share_of_origin_output)
            )
        for name, item in self.running.items():
            if item.stage != "mine":
                continue
            tonnes = item.output_2024_t
            tonnes = item.capacity_t_per_year if tonnes is None else tonnes
            self.mined[name] = tonnes
            contents = {e: tonnes * share for e, share in self.chain.mixes[item.mix or ""].items()}
            links = stay.get((item.material, item.region))
            if item.destination:
                links = [(item.destination, 1.0)]
            for destination, share in links or []:
                held = self.ore.setdefault((item.material, item.region, destination), {})
                for e, t in contents.items():
                    held[e] = held.get(e, 0.0) + t * share

    def _separation(self) -> None:
        fed: dict[Key2, float] = {}
        for (_, _, place), contents in self.ore.items():
            for e, t in contents.items():
                fed[(e, place)] = fed.get((e, place), 0.0) + t
        for place in {p for _, p in fed}:
            plants = [
                f for f in self.running.values() if f.stage == "separation" and f.region == place
            ]
            known = [(f.recovery, f.capacity_t_per_year) for f in plants if f.recovery]
            weight = sum(c for _, c in known)
            self.recovery[place] = (
                sum(r * c for r, c in known) / weight if weight else SEPARATION_RECOVERY
            )
        self.fed = fed
        for (e, place), t in fed.items():
            made = t * self.recovery[place]
            made *= self.heavy_share(e, place)
            if made > 0:
                self.primary[(e, place)] = made

    def heavy_share(self, element: str, place: str) -> float:
        """Share of a fed element that the base-year circuits of a region take out."""
        plants = [f for f in self.running.values() if f.stage == "separation"]
        here = [f for f in plants if f.region == place]
        if not here:
            return 0.0
        able = [f for f in here if separates(f, element, self.chain)]
        whole = sum(f.capacity_t_per_year for f in here)
        return sum(f.capacity_t_per_year for f in able) / whole if whole else 0.0

    # ---- magnets and metals ------------------------------------------------------------

    def _magnets(self) -> None:
        need: dict[Key2, float] = {}
        for row in self.chain.demand:
            key = (row.sector, row.material, row.region)
            self.use[key] = self.use.get(key, 0.0) + row.t_per_year
            need[(row.material, row.region)] = (
                need.get((row.material, row.region), 0.0) + row.t_per_year
            )
        for family in ("ndfeb", "smco"):
            grades = [m for m in self._of_form("magnet") if m.startswith(family)]
            total = {r: sum(need.get((m, r), 0.0) for m in grades) for r in self.chain.regions}
            made = self._stage_output("magnet", family, sum(total.values()))
            flows = self._fit("magnet", made, total)
            for (origin, place), t in flows.items():
                for m in grades:
                    share = need.get((m, place), 0.0) / total[place]
                    if share > 0:
                        self._ship(m, origin, place, t * share)
        for m in self._of_form("magnet"):
            for (name, place), made_here in list(self.production.items()):
                if name != m:
                    continue
                for recipe in self.chain.recipes[m].values():
                    self._draw(recipe.input, place, made_here * recipe.input_t_per_t_output)
                    e = self.chain.materials[recipe.input].element or ""
                    scrap = (
                        recipe.input_t_per_t_output - recipe.contained_element_t_per_t_output
                    ) * made_here
                    self.swarf[(e, place)] = self.swarf.get((e, place), 0.0) + scrap

    def _metals(self) -> None:
        for m in self._of_form("metal"):
            need = {r: self.plant_need.get((m, r), 0.0) for r in self.chain.regions}
            if sum(need.values()) <= 0:
                continue
            made = self._stage_output("metal", m, sum(need.values()))
            for (origin, place), t in self._fit("metal", made, need).items():
                self._ship(m, origin, place, t)
            for recipe in self.chain.recipes[m].values():
                for r in self.chain.regions:
                    t = self.production.get((m, r), 0.0)
                    if t > 0:
                        self._draw(recipe.input, r, t * recipe.input_t_per_t_output)

    # ---- oxides ------------------------------------------------------------------------

    def _recycling(self) -> None:
        for row in self.chain.baseline:
            if row.stage != "separation_recycled":
                continue
            e = self.chain.materials[row.material].element or ""
            per_oxide = self.chain.elements[e].element_per_oxide
            swarf = self.swarf.get((e, row.region), 0.0) / per_oxide * SWARF_RECOVERY
            self.recycled[(e, row.region)] = max(row.tonnes, swarf)
            self.end_of_life[(e, row.region)] = max(row.tonnes - swarf, 0.0)
        places = {r for _, r in self.recycled}
        for (e, place), t in self.swarf.items():
            if place in places and (e, place) not in self.recycled:
                per_oxide = self.chain.elements[e].element_per_oxide
                self.recycled[(e, place)] = t / per_oxide * SWARF_RECOVERY

    def _oxides(self) -> None:
        for m in self._of_form("oxide"):
            e = self.chain.materials[m].element or ""
            made = {
                r: self.primary.get((e, r), 0.0) + self.recycled.get((e, r), 0.0)
                for r in self.chain.regions
            }
            plants = {r: self.plant_need.get((m, r), 0.0) for r in self.chain.regions}
            left = sum(made.values()) - sum(plants.values())
            self.residual_checks(m, left)
            if left < 0:
                raise InputError(
                    f"{m}: magnets need {-left:.0f} t a year more than separators and recyclers make",
                    file="demand.csv",
                    key="t_per_year",
                    hint="Let less be used, or more be separated (baseline.csv, facilities.csv).",
                )
            need = dict(plants)
            shares = self._oxide_shares(m)
            weight = sum(shares.values())
            for (sector, region), share in shares.items():
                t = left * share / weight
                key = (sector, m, region)
                self.use[key] = self.use.get(key, 0.0) + t
                need[region] += t
            for (origin, place), t in self._fit("oxide", made, need).items():
                self._ship(m, origin, place, t)

    def _oxide_shares(self, material: str) -> dict[Key2, float]:
        """Users of an oxide by sector and region; the smallest join their sector's largest."""
        shares = {
            (row.sector, row.region): row.share_of_residual
            for row in self.chain.oxide_uses
            if row.material == material
        }
        whole = sum(shares.values())
        kept = dict(shares)
        for (sector, region), share in shares.items():
            largest = max((k for k in shares if k[0] == sector), key=lambda k: (shares[k], k[1]))
            if share < SMALLEST_USE * whole and (sector, region) != largest:
                kept[largest] += kept.pop((sector, region))
        return kept

    def residual_checks(self, material: str, left: float) -> None:
        """Compare what magnets leave over with the non-magnet use that the data expect."""
        for (stage, region, m), (tonnes, spread, source) in self.targets.items():
            if stage == "non_magnet_use" and m == material:
                self.checks.append(Check(stage, region, m, "t_oxide", tonnes, left, spread, source))

    # ---- helpers -----------------------------------------------------------------------

    def _of_form(self, form: str) -> list[str]:
        return [n for n, m in self.chain.materials.items() if m.form == form]

    def _draw(self, material: str, place: str, tonnes: float) -> None:
        key = (material, place)
        self.plant_need[key] = self.plant_need.get(key, 0.0) + tonnes

    def _ship(self, material: str, origin: str, place: str, tonnes: float) -> None:
        key = (material, origin, place)
        self.trade[key] = self.trade.get(key, 0.0) + tonnes
        self.production[(material, origin)] = self.production.get((material, origin), 0.0) + tonnes

    def _stage_output(self, stage: str, material: str, total: float) -> dict[str, float]:
        """Output by region in proportion to the control totals (else running capacity)."""
        weights = {
            r: self.targets[(stage, r, m)][0]
            for (s, r, m) in self.targets
            if s == stage and (m == material or (m.startswith(material) and stage == "magnet"))
        }
        if not weights:
            for f in self.running.values():
                if f.stage == stage and f.material == material:
                    weights[f.region] = weights.get(f.region, 0.0) + f.capacity_t_per_year
        if not weights:
            leader = max(
                self.chain.regions,
                key=lambda r: sum(
                    f.capacity_t_per_year
                    for f in self.running.values()
                    if f.stage == stage and f.region == r
                ),
            )
            weights = {leader: 1.0}
        scale = total / sum(weights.values())
        return {r: w * scale for r, w in weights.items() if w > 0}

    def _fit(self, form: str, made: dict[str, float], need: dict[str, float]) -> dict[Key2, float]:
        import numpy as np

        regions = list(self.chain.regions)
        at = {r: i for i, r in enumerate(regions)}
        rows = np.array([made.get(r, 0.0) for r in regions])
        columns = np.array([need.get(r, 0.0) for r in regions])
        columns = columns * (rows.sum() / columns.sum())
        prior = np.full((len(regions), len(regions)), 1e-4)
        np.fill_diagonal(prior, 1.0)
        for row in self.chain.trade_priors:
            if row.form == form:
                prior[at[row.origin], at[row.destination]] = row.weight
        flow = proportional_fit(prior, rows, columns)
        # Drop the links that only rounding keeps alive, and fit once more on what remains.
        keep = flow >= SMALLEST_LINK * np.maximum(columns, 1e-12)[None, :]
        keep |= flow >= 0.05 * np.maximum(rows, 1e-12)[:, None]
        fitted = proportional_fit(np.where(keep, flow, 0.0), rows, columns)
        if np.abs(fitted.sum(axis=1) - rows).max() <= 1e-6 * rows.sum():
            flow = fitted
        return {
            (regions[o], regions[d]): float(flow[o, d])
            for o, d in zip(*np.nonzero(flow > 0), strict=True)
        }

    def _capacity_use(self) -> dict[str, float]:
        """Base-year output of every running facility over its nameplate."""
        out: dict[str, float] = {}
        for name, f in self.running.items():
            if f.stage == "mine":
                out[name] = self.mined[name] / max(f.capacity_t_per_year, 1e-9)
            elif f.output_2024_t is not None:
                out[name] = f.output_2024_t / max(f.capacity_t_per_year, 1e-9)
        return out

    def _checks(self) -> list[Check]:
        checks = list(self.checks)
        model: dict[tuple[str, str, str], tuple[float, str]] = {}

        def add(stage: str, region: str, what: str, tonnes: float, unit: str) -> None:
            old = model.get((stage, region, what), (0.0, unit))[0]
            model[(stage, region, what)] = (old + tonnes, unit)

        for name, t in self.mined.items():
            f = self.chain.facilities[name]
            add("mine", f.region, "reo", t, "t_reo")
            for e, share in self.chain.mixes[f.mix or ""].items():
                add("mine", f.region, f"{e}_oxide", t * share, "t_oxide contained")
        for (e, r), t in self.primary.items():
            add("separation_primary", r, f"{e}_oxide", t, "t_oxide")
        for (e, r), t in self.recycled.items():
            add("separation_recycled", r, f"{e}_oxide", t, "t_oxide")
        for (m, r), t in self.production.items():
            form = self.chain.materials[m].form
            if form == "metal":
                add("metal", r, m, t, "t_metal")
            if form == "magnet":
                add("magnet", r, m.split("_")[0], t, "t_magnet")
        for (_, m, r), t in self.use.items():
            if self.chain.materials[m].form == "magnet":
                add("demand", r, m.split("_")[0], t, "t_magnet")
        for (m, origin, place), t in self.trade.items():
            if self.chain.materials[m].form == "magnet" and origin != place:
                add(
                    "magnet_export",
                    origin,
                    "ndfeb_magnets" if m.startswith("ndfeb") else m,
                    t,
                    "t_magnet",
                )
        for (m, origin, place), t in self.trade.items():
            if self.chain.materials[m].form in ("oxide", "metal") and origin != place:
                add("oxide_and_metal_export", origin, "rare_earths", t, "t_product")
        for (stage, region, what), (target, spread, source) in self.targets.items():
            if (stage, region, what) in model:
                tonnes, unit = model[(stage, region, what)]
            elif stage == "non_magnet_use":
                continue
            else:
                tonnes, unit = 0.0, ""
            checks.append(Check(stage, region, what, unit, target, tonnes, spread, source))
        return checks


def separates(item: Facility, element: str, chain: Chain) -> bool:
    """Whether a separation or recycling plant takes an element out."""
    words = item.separates or ("all",)
    return "all" in words or element in words or chain.elements[element].group in words


def balance_table(chain: Chain) -> list[dict[str, object]]:
    """Rows of the mass-balance table that ``lodestone check`` prints."""
    return [
        {
            "stage": c.stage,
            "region": c.region,
            "element": c.element,
            "unit": c.unit,
            "target": c.target,
            "model": c.model,
            "gap_pct": 100.0 * c.gap,
            "tolerance_pct": 100.0 * c.tolerance,
            "ok": c.ok,
            "source": c.source,
        }
        for c in balance(chain).checks
    ]
