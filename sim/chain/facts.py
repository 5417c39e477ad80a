"""Facts of the seeds as intervals: what press claims on the base year are held against.

A fact is registered by :func:`fact` with unit and title; it reads the chain only and returns
``(low, middle, high)``, the range that the sources of the rows leave open. Nothing is simulated.
Dates are years with a fraction (`year_of`), so that they compare like numbers.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.units import DAYS_PER_YEAR
from lodestone.border.words import unknown
from lodestone.chain import naming
from lodestone.chain.nouns import Chain

__all__ = ["FACTS", "Fact", "Interval", "date_of", "fact", "find_fact", "span_of", "year_of"]

Interval = tuple[float, float, float]
STAGES = {"mine": ("mine",), "separation": ("separation_primary", "separation_recycled"),
          "metal": ("metal",), "magnet": ("magnet",), "demand": ("demand",)}  # fmt: skip
MAIN = {"mine": "reo", "separation": "ndpr_oxide", "metal": "ndpr_metal", "magnet": "ndfeb", "demand": "ndfeb"}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """A registered fact: ``function(chain, **selectors) -> (low, middle, high)`` in `unit`."""

    name: str
    unit: str
    title: str
    function: Callable[..., Interval]

    def __call__(self, chain: Chain, **selectors: Any) -> Interval:
        """Return the interval.

        Raises
        ------
        InputError
            A selector, or a word given to one, that is not known.
        """
        known = self.selectors
        for key in selectors:
            if key not in known:
                raise unknown("selector", key, known, key=f"{self.name}({key}=...)")
        return self.function(chain, **selectors)

    @property
    def selectors(self) -> tuple[str, ...]:
        """Names that may stand in the brackets."""
        code = self.function.__code__
        return code.co_varnames[1 : code.co_argcount]


FACTS: dict[str, Fact] = {}


def fact(unit: str, title: str) -> Callable[[Callable[..., Interval]], Callable[..., Interval]]:
    """Register a fact under its function's name; a second one of that name raises."""

    def register(function: Callable[..., Interval]) -> Callable[..., Interval]:
        name = function.__name__
        if name in FACTS:
            raise ValueError(f"two facts are called {name}")
        FACTS[name] = Fact(name, unit, title, function)
        return function

    return register


def find_fact(name: str) -> Fact:
    """Return a fact by name.

    Raises
    ------
    InputError
        Unknown; names the nearest.
    """
    if name not in FACTS:
        raise unknown("fact", name, FACTS)
    return FACTS[name]


# ---- dates -----------------------------------------------------------------------------


def year_of(date: dt.date) -> float:
    """Return a date as a year with the share of it that is over: 2025-07-02 is 2025.4986."""
    whole = 366 if calendar.isleap(date.year) else 365
    return date.year + (date.timetuple().tm_yday - 1) / whole


def date_of(year: float) -> dt.date:
    """Return the date of a year with a fraction (the inverse of `year_of`)."""
    whole = 366 if calendar.isleap(int(year)) else 365
    return dt.date(int(year), 1, 1) + dt.timedelta(days=round((year - int(year)) * whole))


def span_of(text: str) -> tuple[float, float]:
    """Return first and last day of a date written 2027, 2027-06 or 2027-06-01.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        return year_of(dt.date(parts[0], 1, 1)), year_of(dt.date(parts[0], 12, 31))
    if len(parts) == 2:
        year, month = parts
        last = calendar.monthrange(year, month)[1]
        return year_of(dt.date(year, month, 1)), year_of(dt.date(year, month, last))
    day = year_of(dt.date.fromisoformat(text))
    return day, day


# ---- arithmetic on intervals -----------------------------------------------------------


def _add(items: Iterable[Interval]) -> Interval:
    rows = list(items)
    low, middle, high = (math.fsum(row[i] for row in rows) for i in range(3))
    return low, middle, high


def _scaled(value: Interval, by: float) -> Interval:
    return value[0] * by, value[1] * by, value[2] * by


def _part(own: Interval, rest: Interval) -> Interval:
    """Share of a part in the whole of part and rest: low against high, high against low."""

    def share(a: float, b: float) -> float:
        return a / (a + b) if a + b > 0 else 0.0

    return share(own[0], rest[2]), share(own[1], rest[1]), share(own[2], rest[0])


def _over(above: Interval, below: Interval) -> Interval:
    return above[0] / below[2], above[1] / below[1], above[2] / below[0]


def _interval(row: Any, value: float) -> Interval:
    low = value if row.low is None else min(row.low, value)
    high = value if row.high is None else max(row.high, value)
    return low, value, high


# ---- the base year ---------------------------------------------------------------------


def _tonnes(chain: Chain, stage: str, material: str | None) -> dict[str, Interval]:
    """Base-year tonnes of a stage by region, primary and recycled together."""
    if stage not in STAGES:
        raise unknown("stage", stage, STAGES)
    material = material or MAIN[stage]
    rows = [r for r in chain.baseline if r.stage in STAGES[stage]]
    if not any(r.material == material for r in rows):
        raise unknown("material", material, {r.material for r in rows})
    found: dict[str, list[Interval]] = {}
    for row in rows:
        if row.material == material:
            found.setdefault(row.region, []).append(_interval(row, row.tonnes))
    return {region: _add(parts) for region, parts in found.items()}


@fact("share", "share of a region in the base year's tonnes of a stage")
def baseline_share(
    chain: Chain, stage: str = "mine", region: Any = "china", material: str | None = None
) -> Interval:
    """Share of regions in a stage; stages mine, separation (with recycling), metal, magnet, demand."""
    tonnes = _tonnes(chain, stage, material)
    share = _share(chain, stage, region)
    own = _add(_scaled(v, share.get(k, 0.0)) for k, v in tonnes.items())
    return _part(own, _add(_scaled(v, 1.0 - share.get(k, 0.0)) for k, v in tonnes.items()))


def _share(chain: Chain, stage: str, words: Any) -> dict[str, float]:
    """Region -> share of its tonnes of a stage that is meant."""
    meant = naming.places(chain, words)
    return meant.use if stage == "demand" else meant.making(stage)


def _there(chain: Chain, stage: str, tonnes: dict[str, Interval], words: Any) -> Interval:
    """Tonnes of a stage in some places; where nothing is made there is nothing to compare."""
    share = _share(chain, stage, words)
    found = [_scaled(v, share[k]) for k, v in tonnes.items() if share.get(k, 0.0) > 0.0]
    if not found:
        raise unknown("region with that stage", str(words), tonnes)
    return _add(found)


@fact("share", "smallest share of a region over the four stages")
def weakest_stage_share(chain: Chain, region: str = "china") -> Interval:
    """Share where a region is weakest: ore (NdPr content), separation, metal or magnets."""
    stages = (("mine", "ndpr_oxide"), *((s, None) for s in ("separation", "metal", "magnet")))
    return min((baseline_share(chain, s, region, m) for s, m in stages), key=lambda i: i[1])


@fact("ratio", "base-year tonnes of one region over those of another at a stage")
def baseline_ratio(
    chain: Chain,
    stage: str = "separation",
    region: str = "united_states",
    over: str = "china",
    material: str | None = None,
) -> Interval:
    """Ratio of two regions' tonnes at a stage."""
    tonnes = _tonnes(chain, stage, material)
    own, other = (_there(chain, stage, tonnes, word) for word in (region, over))
    return _over(own, other)


@fact("share", "share that a plant of given size would have in world output of a stage")
def share_of_world(
    chain: Chain, stage: str = "separation", facility: str = "", material: str | None = None
) -> Interval:
    """NdPr oxide of a plant over the base year's world output (with recycling)."""
    item = _facility(chain, facility)
    world = _add(_tonnes(chain, stage, material).values())
    size = item.contents().get("ndpr", 0.0)
    return size / world[2], size / world[1], size / world[0]


@fact("share", "share of a region's ore that goes to a destination's separators")
def ore_share(
    chain: Chain,
    origin: str = "united_states",
    destination: str = "china",
    material: str = "concentrate_light",
) -> Interval:
    """Row of the concentrate trade of the base year."""
    ends = [naming.known_place(chain, word) or word for word in (origin, destination)]
    for row in chain.concentrate_trade:
        if [row.material, row.origin, row.destination] == [material, *ends]:
            return _interval(row, row.share_of_origin_output)
    places = {f"{r.origin} to {r.destination}" for r in chain.concentrate_trade}
    raise unknown("ore trade", f"{origin} to {destination}", places)


# ---- use -------------------------------------------------------------------------------


@fact("share", "share of sectors in the use of magnets")
def use_share(chain: Chain, sector: Any = "ev_traction", region: str = "all") -> Interval:
    """Share of sectors in finished magnets used in a region in the base year."""
    names = [sector] if isinstance(sector, str) else list(sector)
    for name in names:
        if name not in chain.sectors:
            raise unknown("sector", name, chain.sectors)
    places = naming.places(chain, region).use
    own: list[Interval] = []
    rest: list[Interval] = []
    for row in chain.demand:
        if row.region in places:
            tonnes = _scaled(_interval(row, row.t_per_year), places[row.region])
            (own if row.sector in names else rest).append(tonnes)
    return _part(_add(own), _add(rest))


@fact("share", "share of a tier in the use of magnets")
def tier_share(chain: Chain, tier: str = "defence", region: str = "all") -> Interval:
    """Share of a tier in finished magnets used in a region in the base year."""
    known = {name for shares in chain.tiers.values() for name in shares}
    if tier not in known:
        raise unknown("tier", tier, known)
    places = naming.places(chain, region).use
    total = own = 0.0
    for row in chain.demand:
        if row.region in places:
            tonnes = row.t_per_year * places[row.region]
            total += tonnes
            own += tonnes * chain.tiers[row.sector].get(tier, 0.0)
    share = own / total
    return share, share, share


@fact("share", "most of a sector's magnets that motors without rare earths could replace")
def ree_free_ceiling(chain: Chain, sector: str = "ev_traction") -> Interval:
    """Ceiling of motors without rare earths in a sector."""
    if sector not in chain.sectors:
        raise unknown("sector", sector, chain.sectors)
    value = chain.sectors[sector].ree_free_ceiling
    return value, value, value


@fact("days", "days of use that a holder of stocks has")
def stock_days(chain: Chain, holder: str = "japan") -> Interval:
    """Days of a row of the stockpiles."""
    if holder not in chain.stockpiles:
        raise unknown("holder", holder, chain.stockpiles)
    item = chain.stockpiles[holder]
    if item.days is None:
        raise InputError(f"'{holder}' states no days", key="holder")
    return _interval(item, item.days)


# ---- money -----------------------------------------------------------------------------


def _cost(chain: Chain, item: str, region: str) -> Interval:
    rows = [r for r in chain.costs if r.item == item]
    if not rows:
        raise unknown("item", item, {r.item for r in chain.costs})
    name = naming.known_place(chain, region) or region
    for row in rows:
        if row.region == name:
            return _interval(row, row.value)
    raise unknown("region", region, {r.region for r in rows})


@fact("as in costs.csv", "a row of the costs")
def cost(chain: Chain, item: str = "price_floor", region: str = "united_states") -> Interval:
    """Value of a cost row with its range."""
    return _cost(chain, item, region)


@fact("years", "sum of lead times that follow each other")
def lead_years(chain: Chain, items: Any = (), region: Any = "united_states") -> Interval:
    """Sum of rows of the costs in years; one region, or one for each item."""
    names = [items] if isinstance(items, str) else list(items)
    places = [region] * len(names) if isinstance(region, str) else list(region)
    return _add(_cost(chain, n, p) for n, p in zip(names, places, strict=True))


@fact("ratio", "a cost in one region over the same cost in another")
def cost_ratio(
    chain: Chain, item: str = "all_in_cash_cost", region: str = "united_states", over: str = "china"
) -> Interval:
    """Ratio of two rows of the costs."""
    return _over(_cost(chain, item, region), _cost(chain, item, over))


@fact("ratio", "capital per tonne of yearly output abroad over China")
def capex_ratio(chain: Chain, stage: str = "magnet") -> Interval:
    """Capital of plants outside China over that of plants inside, from announced projects."""
    rows = [r for r in chain.costs if r.item.startswith("capex: ") and r.stage == stage]
    rows = [r for r in rows if "per kg" in r.unit]
    own = [r.value for r in rows if r.region == "china"]
    abroad = [r.value for r in rows if r.region != "china"]
    if not own or not abroad:
        raise unknown("stage", stage, {r.stage for r in chain.costs if r.item.startswith("capex")})
    middle = statistics.median(abroad) / statistics.median(own)
    return min(abroad) / max(own), middle, max(abroad) / min(own)


def _price(chain: Chain, material: str, market: str) -> Interval:
    if (material, market) not in chain.prices:
        raise unknown("price", f"{material} {market}", {f"{m} {k}" for m, k in chain.prices})
    row = chain.prices[material, market]
    return _interval(row, row.usd_per_kg)


@fact("ratio", "base-year price over cash cost")
def price_over_cost(
    chain: Chain,
    material: str = "ndpr_oxide",
    market: str = "home",
    region: str = "united_states",
) -> Interval:
    """Base-year price over the all-in cash cost of a region: below one a maker loses money."""
    return _over(_price(chain, material, market), _cost(chain, "all_in_cash_cost", region))


@fact("ratio", "price floor over base-year price")
def floor_over_price(chain: Chain, material: str = "ndpr_oxide", market: str = "home") -> Interval:
    """The American floor over the base-year price."""
    return _over(_cost(chain, "price_floor", "united_states"), _price(chain, material, market))


# ---- plants, measures, blocs -----------------------------------------------------------


def _facility(chain: Chain, name: str) -> Any:
    if name not in chain.facilities:
        raise unknown("facility", name, chain.facilities)
    return chain.facilities[name]


@fact("t a year", "nameplate capacity of a plant")
def facility_capacity(chain: Chain, facility: str = "") -> Interval:
    """Capacity in the plant's own basis."""
    value = _facility(chain, facility).capacity_t_per_year
    return value, value, value


@fact("calendar year", "announced start of a plant")
def facility_start(chain: Chain, facility: str = "") -> Interval:
    """Start as the company says, before any slip."""
    date = _facility(chain, facility).start_date
    if date is None:
        raise InputError(f"'{facility}' states no start", key="facility")
    year = year_of(date)
    return year, year, year


@fact("share", "base-year output over capacity of a plant")
def facility_use(chain: Chain, facility: str = "") -> Interval:
    """Use of capacity in the base year."""
    item = _facility(chain, facility)
    if not item.output_2024_t:
        raise InputError(f"'{facility}' states no output in the base year", key="facility")
    share = item.output_2024_t / item.capacity_t_per_year
    return share, share, share


@fact("share", "share of a plant in its region's capacity at its stage in the base year")
def facility_share(chain: Chain, facility: str = "") -> Interval:
    """Base-year output of a plant over that of all plants of its region and stage."""
    item = _facility(chain, facility)
    all_of = [
        f for f in chain.facilities.values() if (f.region, f.stage) == (item.region, item.stage)
    ]
    share = (item.output_2024_t or 0.0) / math.fsum(f.output_2024_t or 0.0 for f in all_of)
    return share, share, share


@fact("share", "share of a region's coming plants that have a status")
def pipeline_share(
    chain: Chain, region: str = "united_states", stage: str = "mine", status: str = "construction"
) -> Interval:
    """Count of coming mines or plants (construction, permitting, planned) with a status."""
    there = naming.places(chain, region)
    coming = [
        f
        for f in chain.facilities.values()
        if (f.stage, f.role) == (stage, "planned_new")
        and there.holds(f)
        and f.status in ("construction", "permitting", "planned")
    ]
    if not coming:
        raise InputError(f"no coming {stage} in {region}", key="pipeline_share")
    share = sum(f.status == status for f in coming) / len(coming)
    return share, share, share


@fact("calendar year", "start of a measure")
def policy_start(chain: Chain, policy: str = "") -> Interval:
    """First day of a row of the policies."""
    item = _policy(chain, policy)
    year = year_of(item.start)
    return year, year, year


@fact("years", "length of a measure")
def policy_years(chain: Chain, policy: str = "") -> Interval:
    """Years from start to end of a row of the policies."""
    item = _policy(chain, policy)
    if item.end is None:
        raise InputError(f"'{policy}' has no end", key="policy")
    years = (item.end - item.start).days / DAYS_PER_YEAR
    return years, years, years


def _policy(chain: Chain, name: str) -> Any:
    found = {p.name: p for p in chain.policies}
    if name not in found:
        raise unknown("policy", name, found)
    if found[name].start is None:
        raise InputError(f"'{name}' has no start", key="policy")
    return found[name]


@fact("countries", "number of members of a bloc")
def bloc_size(chain: Chain, bloc: str = "quad") -> Interval:
    """Members of a bloc."""
    if bloc not in chain.blocs:
        raise unknown("bloc", bloc, chain.blocs)
    size = float(len(chain.blocs[bloc].countries))
    return size, size, size
