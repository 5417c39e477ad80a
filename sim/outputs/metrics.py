"""Headline metrics: one function each, a value for every world.

A metric is registered by the decorator :func:`metric` with unit and title; it reads the kept
series of a batch and returns shape ``(w,)``. The same functions fill ``summary.csv``, the table
of worlds, and the verdict expressions of scenarios.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion, unknown
from lodestone.outputs.items import COST_ITEMS, ITEMS
from lodestone.outputs.kept import Series, names_of

Values = np.ndarray


@dataclass(frozen=True)
class Metric:
    """A registered metric.

    Attributes
    ----------
    name, unit, title : str
    function : callable
        ``(series, **selectors) -> (w,)``.
    over : tuple of dict
        Selections that the summary reports.
    additive : bool
        Whether parts by region or sector sum to the total.
    """

    name: str
    unit: str
    title: str
    function: Callable[..., Values]
    over: tuple[dict[str, Any], ...]
    additive: bool

    def __call__(self, series: Series, **selectors: Any) -> Values:
        """Value in every world.

        Raises
        ------
        InputError
            A selector that the metric does not know.
        """
        known = self.function.__code__.co_varnames[1 : self.function.__code__.co_argcount]
        for key in selectors:
            if key not in known:
                raise unknown("selector", key, known, key=f"{self.name}({key}=...)")
        return self.function(series, **selectors)


METRICS: dict[str, Metric] = {}
BY_REGION: tuple[dict[str, Any], ...] = ({}, {"region": "*"})
BY_GROUP: tuple[dict[str, Any], ...] = ({}, {"region": "*"}, {"sector": "*"})
ELEMENTS = ("ndpr_oxide", "dy_oxide", "tb_oxide", "ndfeb_high_coercivity")


def metric(
    unit: str,
    title: str,
    over: tuple[dict[str, Any], ...] = ({},),
    additive: bool = False,
) -> Callable[[Callable[..., Values]], Callable[..., Values]]:
    """Register a metric under its function's name; a second one of that name raises."""

    def register(function: Callable[..., Values]) -> Callable[..., Values]:
        name = function.__name__
        if name in METRICS:
            raise ValueError(f"two metrics are called {name}")
        METRICS[name] = Metric(name, unit, title, function, over, additive)
        return function

    return register


def find(name: str) -> Metric:
    """A metric by name.

    Raises
    ------
    InputError
        Unknown; names the nearest.
    """
    if name not in METRICS:
        raise InputError(
            f"unknown metric '{name}'",
            key=name,
            hint=suggestion(name, METRICS),
        )
    return METRICS[name]


def _sum(series: Series, name: str, region: object, sector: object) -> Values:
    rows = series.group_rows(region, sector)
    return series[name][:, rows].sum(axis=(0, 1), dtype=float) * series.weeks


def share_lacking(unmet: np.ndarray, planned: np.ndarray) -> np.ndarray:
    """Net shortfall over planned use, shape as given; at most one.

    Where prices are below those of the reference users want a little more than planned: who has
    nothing then lacks more than the plan, and is counted as lacking all of it.
    """
    return np.minimum(unmet / np.maximum(planned, 1e-12), 1.0)


def _shares(series: Series, region: object, sector: object) -> np.ndarray:
    rows = series.group_rows(region, sector)
    unmet = series["unmet"][:, rows].sum(axis=1, dtype=float)
    planned = series["planned"][:, rows].sum(axis=1, dtype=float)
    return share_lacking(unmet, planned)


# ---- shortage --------------------------------------------------------------------------


@metric("t_magnet", "gross shortfall over the horizon", BY_GROUP, additive=True)
def gross_unmet_t(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Planned use less what arrives (averaged over four weeks), before any stock is drawn.

    Summed over the horizon. In no week below what goes unmet, nor above what is planned.
    """
    return _sum(series, "gross", region, sector)


@metric("t_magnet", "net shortfall over the horizon", BY_GROUP, additive=True)
def unmet_t(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Planned use that does not happen for lack of material, summed over the horizon.

    Use that is put off counts once, in the week in which it was due.
    """
    return _sum(series, "unmet", region, sector)


@metric("share", "net shortfall, share of planned use", BY_GROUP)
def unmet_share(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Net shortfall over planned use in the year after the first disruption."""
    return _shares_window(series, region, sector, 365.25)


def _shares_window(series: Series, region: Any, sector: Any, days: float) -> Values:
    rows = series.group_rows(region, sector)
    unmet = series["unmet"][:, rows].sum(axis=1, dtype=float)
    planned = series["planned"][:, rows].sum(axis=1, dtype=float)
    t = series.times[:, None]
    inside = (t >= series.shock_day) & (t < series.shock_day + days)
    return share_lacking((unmet * inside).sum(axis=0), (planned * inside).sum(axis=0))


def _days_between(series: Series, since: Any, until: Any) -> np.ndarray:
    """Market days from one date to the day before another; open ends are those of the run."""
    first = series.start if since is None else date.fromisoformat(str(since))
    last = date.max if until is None else date.fromisoformat(str(until))
    inside = np.array([first <= d < last for d in series.dates])
    if not inside.any():
        raise InputError(
            f"no market day lies between {first} and {last}",
            key="since",
            hint=f"The run goes from {series.dates[0]} to {series.dates[-1]}.",
        )
    return inside


@metric("share", "net shortfall between two dates, share of planned use", ())
def unmet_share_between(
    series: Series, region: Any = "all", sector: Any = "all", since: Any = None, until: Any = None
) -> Values:
    """Net shortfall over planned use from one date to the day before another."""
    rows, inside = series.group_rows(region, sector), _days_between(series, since, until)
    unmet = series["unmet"][inside][:, rows].sum(axis=(0, 1), dtype=float)
    planned = series["planned"][inside][:, rows].sum(axis=(0, 1), dtype=float)
    return share_lacking(unmet, planned)


def _military_rows(series: Series, region: Any) -> np.ndarray:
    groups = set(series.group_rows(region, "all").tolist())
    return np.array([i for i, g in enumerate(series.military_groups) if int(g) in groups], int)


@metric("share", "net shortfall of military use, share of planned use", ())
def military_unmet_share(
    series: Series, region: Any = "all", since: Any = None, until: Any = None
) -> Values:
    """Net shortfall over planned use of military users from one date to the day before another.

    NaN where a run keeps no military users of their own (nothing is refused to them).
    """
    rows, inside = _military_rows(series, region), _days_between(series, since, until)
    unmet = series["military_unmet"][inside][:, rows].sum(axis=(0, 1), dtype=float)
    planned = series["military_planned"][inside][:, rows].sum(axis=(0, 1), dtype=float)
    return np.where(planned > 0.0, share_lacking(unmet, planned), np.nan)


@metric("days", "military users lack half of their use, days after a date", ())
def first_military_stockout(
    series: Series, region: Any = "all", share: Any = 0.5, since: Any = None
) -> Values:
    """Days to the first market day on which a share of planned military use goes unmet.

    Counted from the first disruption or from a date; ``inf``: never, or nothing is refused to
    military users.
    """
    rows = _military_rows(series, region)
    unmet = series["military_unmet"][:, rows].sum(axis=1, dtype=float)
    planned = series["military_planned"][:, rows].sum(axis=1, dtype=float)
    if since is None:
        first = series.shock_day
    else:
        first = np.full(len(series.worlds), float(_day_of(series, since)))
    short = (unmet > float(share) * planned) & (planned > 0.0)
    short &= series.times[:, None] >= first
    at = series.times[np.argmax(short, axis=0)]
    return np.where(short.any(axis=0), at - first, np.inf)


def _day_of(series: Series, day: Any) -> int:
    return (date.fromisoformat(str(day)) - series.start).days


@metric("share", "highest weekly net shortfall, share of planned use", BY_GROUP)
def unmet_share_peak(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Highest share of planned use that goes unmet in a market day."""
    return _shares(series, region, sector).max(axis=0)


@metric("days", "first users stop, days after the first disruption", BY_REGION)
def first_stoppage(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Days from the first disruption to the first user class at zero (inf: none stops)."""
    rows = series.group_rows(region, sector)
    if not rows.size:
        return np.full(len(series.worlds), np.inf)
    return series.first_stop[rows].min(axis=0) - series.shock_day


@metric("weeks", "longest time that users of one sector and region stand", BY_REGION)
def stoppage_weeks(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Weeks in which at least one class of the worst-hit group stood."""
    rows = series.group_rows(region, sector)
    return series.stop_weeks[rows].max(axis=0) if rows.size else np.zeros(len(series.worlds))


@metric("weeks", "time to recover (net shortfall back below 1 %)", BY_REGION)
def time_to_recover_weeks(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Weeks from the first market day with more than 1 % unmet to the last before a calm quarter.

    Counted from the first disruption; 0: never short; inf: not within the horizon.
    """
    short = _shares(series, region, sector) > 0.01
    short &= series.times[:, None] >= series.shock_day
    quarter = max(1, round(91.0 / series.days))
    out = np.zeros(short.shape[1])
    for w in np.flatnonzero(short.any(axis=0)):
        days = np.flatnonzero(short[:, w])
        tail = len(series.times) if short[-1, w] else len(series.times) + quarter
        gaps = np.diff(np.append(days, tail))
        over = np.flatnonzero(gaps > quarter)
        out[w] = (days[over[0]] - days[0] + 1) * series.weeks if over.size else np.inf
    return out


@metric("USD million", "value of lost output (upper bound)", BY_GROUP, additive=True)
def lost_output_usd_million(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Net shortfall, less what is made up later, times the value of output per kg of magnet."""
    rows = series.group_rows(region, sector)
    value = np.array([series.chain.sectors[s].lost_output_usd_per_kg for _, s in series.groups])
    lost = series["unmet"][:, rows] - series["caught_up"][:, rows]
    tonnes = lost.sum(axis=0, dtype=float) * series.weeks
    return (tonnes * value[rows][:, None]).sum(axis=0) / 1000.0


@metric("USD million a day", "value of output lost on the worst day", BY_REGION)
def lost_output_usd_million_per_day(
    series: Series, region: Any = "all", sector: Any = "all"
) -> Values:
    """Highest value of lost output of a market day, per calendar day."""
    rows = series.group_rows(region, sector)
    value = np.array([series.chain.sectors[s].lost_output_usd_per_kg for _, s in series.groups])
    weekly = (series["unmet"][:, rows] * value[rows][:, None]).sum(axis=1, dtype=float)
    return weekly.max(axis=0) / 1000.0 / 7.0


@metric("USD per USD", "lost output per dollar of missing magnets")
def lost_output_per_usd(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Value of lost output over the base-year worth of the magnets missed (NaN: none missed)."""
    names = series.chain.materials_named("ndfeb_magnets")
    price = np.mean([series.chain.prices[m, "ask"].usd_per_kg for m in names])
    missed = unmet_t(series, region, sector) * price / 1000.0
    lost = lost_output_usd_million(series, region, sector)
    return np.where(missed > 0.0, lost / np.maximum(missed, 1e-12), np.nan)


# ---- prices ----------------------------------------------------------------------------


def _prices(series: Series, name: str, rows: np.ndarray) -> np.ndarray:
    """Price by market day, (T, w): over regions the mean by base-year tonnes bought there."""
    path = series[name][:, rows]
    if name == "home":
        return np.asarray(path.mean(axis=1, dtype=float))
    return np.asarray((path * series.price_weights(rows)[:, None]).sum(axis=1))


def _peak_multiple(series: Series, name: str, rows: np.ndarray, since: Any = None) -> Values:
    path = _prices(series, name, rows)
    first = series.shock_day
    if since is not None:
        _days_between(series, since, None)
        first = np.full(len(series.worlds), float(_day_of(series, since)))
    before = np.maximum(np.searchsorted(series.times, first), 1)
    eight, two_years = round(56.0 / series.days), round(730.5 / series.days)
    out = np.empty(path.shape[1])
    for w in range(path.shape[1]):
        base = path[max(before[w] - eight, 0) : before[w], w].mean()
        out[w] = path[before[w] - 1 : before[w] + two_years, w].max() / base
    return out


_BY_MATERIAL: tuple[dict[str, Any], ...] = tuple({"material": m} for m in ELEMENTS)


@metric("multiple", "highest home price in two years, multiple of before", _BY_MATERIAL)
def price_multiple_home(series: Series, material: Any = "dy_oxide", since: Any = None) -> Values:
    """Peak of the price inside the exporter over its mean in the eight weeks before."""
    return _peak_multiple(series, "home", _material_rows(series, material), since)


@metric("multiple", "highest ask outside in two years, multiple of before", _BY_MATERIAL)
def price_multiple_ask(series: Series, material: Any = "dy_oxide", since: Any = None) -> Values:
    """Peak of the mean spot price outside over its mean in the eight weeks before."""
    return _peak_multiple(series, "ask", _priced_rows(series, material), since)


@metric("multiple", "highest price paid outside in two years, multiple of before", _BY_MATERIAL)
def price_multiple_paid(series: Series, material: Any = "dy_oxide", since: Any = None) -> Values:
    """Peak of the mean price paid outside over its mean in the eight weeks before."""
    return _peak_multiple(series, "paid", _priced_rows(series, material), since)


@metric("multiple", "highest price anywhere in two years, multiple of before", _BY_MATERIAL)
def price_peak_multiple(series: Series, material: Any = "dy_oxide", since: Any = None) -> Values:
    """The larger of the home and the ask multiple, from the first disruption or a date on."""
    home = price_multiple_home(series, material, since)
    return np.maximum(home, price_multiple_ask(series, material, since))


@metric("USD/kg", "mean price in the last year", ({"material": "ndpr_oxide"},))
def price_usd_per_kg(
    series: Series, material: Any = "ndpr_oxide", market: Any = "home", year: Any = None
) -> Values:
    """Mean price of a year (default: the last), without VAT; market is home, ask or paid."""
    if market not in ("home", "ask", "paid"):
        raise unknown("market", market, ("home", "ask", "paid"), key="market")
    rows = _material_rows(series, material) if market == "home" else _priced_rows(series, material)
    weeks = _week_rows(series, series.years[-1] if year is None else year)
    return _prices(series, market, rows)[weeks].mean(axis=0)


@metric("multiple", "highest ask outside over home price", ({"material": "dy_oxide"},))
def price_gap_peak(series: Series, material: Any = "dy_oxide") -> Values:
    """Highest ratio of the mean spot price outside to the price inside the exporter."""
    home = _prices(series, "home", _material_rows(series, material))
    ask = _prices(series, "ask", _priced_rows(series, material))
    return (ask / home).max(axis=0)


def _material_rows(series: Series, material: Any) -> np.ndarray:
    names = series.chain.materials_named(str(material))
    return np.array([series.layout.material_at[m] for m in names if m in series.layout.material_at])


def _priced_rows(series: Series, material: Any) -> np.ndarray:
    names = set(series.chain.materials_named(str(material)))
    rows = [i for i, c in enumerate(series.priced_cells) if series.layout.cells[c][0] in names]
    return np.array(rows, dtype=int)


# ---- trade and shares ------------------------------------------------------------------


def _year_rows(series: Series, year: Any) -> np.ndarray:
    rows = [i for i, m in enumerate(series.months) if year is None or m.startswith(str(int(year)))]
    if not rows:
        raise InputError(
            f"year {year} is outside the run ({series.months[0]} to {series.months[-1]})",
            key="year",
        )
    return np.array(rows, dtype=int)


def _week_rows(series: Series, year: Any) -> np.ndarray:
    _year_rows(series, year)
    return np.flatnonzero([year is None or d.year == int(year) for d in series.dates])


@metric("t_magnet", "declared magnet exports of China in the year after the disruption")
def magnet_exports_t(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Declared exports of NdFeB magnets over the year after the first disruption, or a year."""
    rows = series.links("ndfeb_magnets", region, "all")
    monthly = series["declared"][:, rows].sum(axis=1, dtype=float)
    if year is not None:
        return monthly[_year_rows(series, year)].sum(axis=0)
    first = np.minimum((series.shock_day / 30.4375).astype(int), len(series.months) - 1)
    return np.array([monthly[f : f + 12, w].sum() for w, f in enumerate(first)])


def _output(series: Series, material: str, region: Any, year: Any) -> Values:
    rows = series.cells(material, region)
    months = _year_rows(series, year)
    return series["output"][months][:, rows].sum(axis=(0, 1), dtype=float)


@metric("share", "share of world magnet output in the last year", ({"region": "china"},))
def magnet_share(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Share of a region in world output of NdFeB magnets in a year (default: the last)."""
    year = series.years[-1] if year is None else year
    whole = _output(series, "ndfeb_magnets", "all", year)
    return _output(series, "ndfeb_magnets", region, year) / np.maximum(whole, 1e-12)


@metric("share", "own magnet output over use in the last year", ({"region": "united_states"},))
def self_sufficiency(series: Series, region: Any = "united_states", year: Any = None) -> Values:
    """NdFeB magnets made in a region over what its users plan to use, in a year."""
    year = series.years[-1] if year is None else year
    made = _output(series, "ndfeb_magnets", region, year)
    rows = series.group_rows(region, "all")
    inside = np.array([d.year == int(year) for d in series.dates])
    use = series["planned"][inside][:, rows].sum(axis=(0, 1), dtype=float) * series.weeks
    return made / np.maximum(use, 1e-12)


def _shipped(series: Series, key: str, rows: np.ndarray, year: Any) -> Values:
    months = _year_rows(series, year)
    inside = series[key][months[0] : months[-1] + 1]
    return inside[:, rows].sum(axis=(0, 1), dtype=float)


@metric("t", "undeclared shipments over the horizon")
def leak_t(
    series: Series,
    material: Any = "all",
    origin: Any = "all",
    destination: Any = "all",
    year: Any = None,
) -> Values:
    """Grey flow of oxides, metals and magnets, t of product, over the horizon or in a year."""
    return _shipped(series, "grey", series.links(material, origin, destination), year)


@metric("t", "declared shipments in the last year", ({"origin": "china", "material": "oxides"},))
def traded_t(
    series: Series,
    material: Any = "ndfeb_magnets",
    origin: Any = "all",
    destination: Any = "all",
    year: Any = None,
) -> Values:
    """Declared shipments across borders in a year (default: the last), t of product."""
    year = series.years[-1] if year is None else year
    return _shipped(series, "declared", series.links(material, origin, destination), year)


@metric(
    "USD million",
    "worth of declared trade in the last year",
    ({"origin": "china", "material": "oxides"},),
)
def trade_value_usd_million(
    series: Series,
    material: Any = "oxides",
    origin: Any = "all",
    destination: Any = "all",
    year: Any = None,
) -> Values:
    """Declared shipments of a year (default: the last) at the year's mean home price."""
    year = series.years[-1] if year is None else year
    lay, months = series.layout, _year_rows(series, year)
    weeks = _week_rows(series, year)
    price = series["home"][weeks].mean(axis=0, dtype=float)
    total = np.zeros(len(series.worlds))
    for row in series.links(material, origin, destination):
        tonnes = series["declared"][months, row].sum(axis=0, dtype=float)
        total += tonnes * price[lay.l_material[row]] / 1000.0
    return total


@metric("share", "share in world exports of magnets in the last year", ({"origin": "china"},))
def export_share(
    series: Series, origin: Any = "china", material: Any = "ndfeb_magnets", year: Any = None
) -> Values:
    """Declared tonnes that leave a region over those that cross any border, in a year."""
    own = traded_t(series, material, origin, "all", year)
    return own / np.maximum(traded_t(series, material, "all", "all", year), 1e-12)


@metric("share", "share of an origin in imports in the last year", ({"region": "united_states"},))
def import_share(
    series: Series,
    region: Any = "united_states",
    origin: Any = "china",
    material: Any = "ndfeb_magnets",
    year: Any = None,
) -> Values:
    """Declared tonnes from an origin over all declared tonnes shipped to a region, in a year."""
    own = traded_t(series, material, origin, region, year)
    return own / np.maximum(traded_t(series, material, "all", region, year), 1e-12)


@metric("share", "net import reliance in the last year", ({"region": "united_states"},))
def import_reliance(
    series: Series,
    region: Any = "united_states",
    material: Any = "ndfeb_magnets",
    year: Any = None,
) -> Values:
    """Imports less exports over output plus imports less exports, in a year; 0 for net sellers.

    The reading of statistical offices, without changes of stock.
    """
    year = series.years[-1] if year is None else year
    net = traded_t(series, material, "all", region, year)
    net -= traded_t(series, material, region, "all", year)
    return np.maximum(net, 0.0) / np.maximum(_output(series, material, region, year) + net, 1e-12)


@metric("share", "share of mined ore in the last year", ({"region": "china"},))
def mining_share(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Share of a region in the ore (t REO) that mines send to separators in a year."""
    lay = series.layout
    names = series.region_names(region)
    months = _year_rows(series, series.years[-1] if year is None else year)
    shipped = series["ore"][months].sum(axis=0, dtype=float)
    own = [i for i, (_, mine, _) in enumerate(lay.ore_links) if names is None or mine in names]
    return shipped[own].sum(axis=0) / np.maximum(shipped.sum(axis=0), 1e-12)


@metric("t", "output in the last year", ({"region": "united_states", "material": "ndpr_oxide"},))
def output_t(
    series: Series, region: Any = "all", material: Any = "ndfeb_magnets", year: Any = None
) -> Values:
    """Output of oxides (recycled too), metals or magnets in a year, t of product."""
    return _output(series, material, region, series.years[-1] if year is None else year)


@metric(
    "share",
    "share of world output in the last year",
    ({"region": "china", "material": "ndpr_oxide"},),
)
def output_share(
    series: Series, region: Any = "china", material: Any = "ndpr_oxide", year: Any = None
) -> Values:
    """Share of a region in world output of a material in a year (default: the last)."""
    whole = output_t(series, "all", material, year)
    return output_t(series, region, material, year) / np.maximum(whole, 1e-12)


@metric(
    "share",
    "change of the share of world output",
    ({"region": "china", "material": "ndfeb_magnets"},),
)
def output_share_change(
    series: Series,
    region: Any = "china",
    material: Any = "ndfeb_magnets",
    since: Any = None,
    year: Any = None,
) -> Values:
    """Share of world output in a year (default: the last) less that of another (the first)."""
    since = series.years[0] if since is None else since
    now = output_share(series, region, material, year)
    return now - output_share(series, region, material, since)


@metric("share", "largest region's share of world magnet output in the last year")
def top_share(series: Series, material: Any = "ndfeb_magnets", year: Any = None) -> Values:
    """Share of the region that makes most of a material in a year (default: the last)."""
    shares = [output_share(series, r, material, year) for r in series.layout.regions]
    return np.max(shares, axis=0)


@metric("share", "use of magnet capacity in the last year", ({"region": "china"},))
def magnet_plant_use(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Output of NdFeB magnets over what plants could make (at mid-year), in a year."""
    year = series.years[-1] if year is None else int(year)
    names = series.region_names(region)
    made = _output(series, "ndfeb_magnets", region, year)
    lay = series.layout
    rows = [
        i
        for i, (_, place, stage, material) in enumerate(lay.facilities)
        if (stage, material) == ("magnet", "ndfeb") and (names is None or place in names)
    ]
    able = series["available"][series.years.index(year)][rows].sum(axis=0, dtype=float)
    return made / np.maximum(able, 1e-12)


@metric("share", "licences granted of those filed, at the end")
def licences_granted_share(series: Series) -> Values:
    """Granted over filed tonnes to date, last value (NaN where nothing was filed)."""
    path = series["licences"][:, 0]
    seen = np.isfinite(path)
    last = len(path) - 1 - np.argmax(seen[::-1], axis=0)
    return np.where(seen.any(axis=0), path[last, np.arange(path.shape[1])], np.nan)


@metric("share", "capacity that stands idle for want of margin in the last year", ())
def idle_share(
    series: Series, region: Any = "all", stage: Any = "mine", year: Any = None
) -> Values:
    """Capacity that its owners do not run because it loses money, over what is built, in a year.

    Looked at in mid-year; stages are mine, separation, metal, magnet and recycling.
    """
    year = series.years[-1] if year is None else int(year)
    _year_rows(series, year)
    names, stages = series.region_names(region), names_of(stage)
    rows, mines = [], []
    for i, (_, place, step, _) in enumerate(series.layout.facilities):
        if (names is None or place in names) and (stages is None or step in stages):
            rows.append(i)
            mines.append(step == "mine")
    at = series.years.index(year)
    idle = series["idle"][at][rows].astype(float)
    able = series["available"][at][rows].astype(float)
    built = able + idle * ~np.array(mines, dtype=bool)[:, None]
    return np.asarray(idle.sum(axis=0) / np.maximum(built.sum(axis=0), 1e-12))


# ---- how planned use is met ------------------------------------------------------------


def _met(series: Series, item: str, region: Any, element: Any, year: Any) -> Values:
    """One item of how planned use is met, t of the element, in a year or (None) all of it."""
    return _met_by_quarter(series, item, region, element)[_quarter_rows(series, year)].sum(axis=0)


def _met_by_quarter(series: Series, item: str, region: Any, element: Any) -> np.ndarray:
    lay = series.layout
    names = series.region_names(region)
    chosen = _element_rows(series, element)
    start = ITEMS.index(item) * len(lay.regions)
    rows = [
        (start + i) * len(lay.elements) + e
        for i, r in enumerate(lay.regions)
        if names is None or r in names
        for e in chosen
    ]
    return series["gap"][:, rows].sum(axis=1, dtype=float)


def _element_rows(series: Series, element: Any) -> list[int]:
    found = []
    for word in names_of(element) or series.layout.elements:
        if word not in series.layout.element_at:
            raise unknown("element", word, series.layout.elements, key="element")
        found.append(series.layout.element_at[word])
    return found


def _quarter_rows(series: Series, year: Any) -> np.ndarray:
    if year is not None:
        _year_rows(series, year)
    inside = [year is None or q.startswith(str(int(year))) for q in series.quarters]
    return np.flatnonzero(inside)


@metric("share", "China's share of the supply of an element in the last year", ())
def supply_share(
    series: Series,
    region: Any = "united_states",
    element: Any = "ndpr",
    item: Any = "exporter",
    year: Any = None,
) -> Values:
    """Share of one source in what a region is supplied with, in oxides, metals and magnets.

    Sources are the exporter (declared, content of whatever form), others (net), new_supply
    (separated in the region), recycling and leak, t of the element, in a year.
    """
    year = series.years[-1] if year is None else year
    known = ("exporter", "others", "new_supply", "recycling", "leak")
    if item not in known:
        raise unknown("source", str(item), known, key="item")
    parts = {k: np.maximum(_met(series, k, region, element, year), 0.0) for k in known}
    return parts[str(item)] / np.maximum(np.sum(list(parts.values()), axis=0), 1e-12)


@metric("share", "own oxide over planned use in the last year", ())
def separation_coverage(
    series: Series, region: Any = "united_states", element: Any = "ndpr", year: Any = None
) -> Values:
    """What regions separate and recycle of an element over their planned use, in a year."""
    year = series.years[-1] if year is None else year
    made = sum(_met(series, k, region, element, year) for k in ("new_supply", "recycling"))
    planned = sum(_met(series, k, region, element, year) for k in ITEMS)
    return np.asarray(made / np.maximum(planned, 1e-12))


@metric("years", "years until own oxide covers a share of planned use", ())
def years_to_coverage(
    series: Series, region: Any = "united_states", element: Any = "ndpr", share: Any = 0.25
) -> Values:
    """Years from the start to the first four quarters in which regions cover a share of their use.

    Cover is what they separate and recycle over what they plan to use, t of the element. Counted
    to the end of the four quarters; ``inf``: not within the run.
    """
    made = sum(_met_by_quarter(series, k, region, element) for k in ("new_supply", "recycling"))
    planned = sum(_met_by_quarter(series, k, region, element) for k in ITEMS)
    total = np.cumsum(np.stack([np.asarray(made), np.asarray(planned)]), axis=1)
    if total.shape[1] < 4:
        return np.full(len(series.worlds), np.inf)
    year = total[:, 3:].copy()
    year[:, 1:] -= total[:, :-4]
    enough = year[0] >= float(share) * year[1]
    quarters = np.argmax(enough, axis=0) + 4
    return np.where(enough.any(axis=0), quarters / 4.0, np.inf)


@metric("share", "use that happens, share of planned use, in the last year", ())
def use_of_plan(
    series: Series, region: Any = "all", element: Any = "ndpr", year: Any = None
) -> Values:
    """Use after thrift, substitution and shortage over planned use of an element, in a year."""
    year = series.years[-1] if year is None else year
    gone = sum(
        _met(series, k, region, element, year)
        for k in ("demand_destruction", "substitution", "unmet")
    )
    planned = sum(_met(series, k, region, element, year) for k in ITEMS)
    return np.asarray(1.0 - gone / np.maximum(planned, 1e-12))


@metric("t REO", "ore sent to separators in the last year", ())
def ore_t(series: Series, region: Any = "all", year: Any = None) -> Values:
    """Ore that the mines of regions send to separators in a year, t REO."""
    lay = series.layout
    names = series.region_names(region)
    months = _year_rows(series, series.years[-1] if year is None else year)
    shipped = series["ore"][months].sum(axis=0, dtype=float)
    own = [i for i, (_, mine, _) in enumerate(lay.ore_links) if names is None or mine in names]
    return np.asarray(shipped[own].sum(axis=0))


# ---- money -----------------------------------------------------------------------------


@metric("USD million", "worth of declared exports over the horizon, discounted", ())
def export_revenue_usd_million(
    series: Series,
    origin: Any = "china",
    material: Any = "all",
    destination: Any = "all",
    since: Any = None,
) -> Values:
    """Declared shipments at the price at home and the rent of quotas, present value from a date on."""
    lay = series.layout
    month_of = np.array([series.months.index(f"{d:%Y-%m}") for d in series.dates])
    first = 0 if since is None else series.months.index(str(since)[:7])
    total = np.zeros(len(series.worlds))
    links = series.links(material, origin, destination)
    for month in range(first, len(series.months)):
        days = month_of == month
        price = series["home"][days].mean(axis=0, dtype=float)
        factor = (1.0 + series.discount_rate) ** (-series.times[days].mean() / 365.25)
        tonnes = series["declared"][month, links]
        worth = (tonnes * price[lay.l_material[links]]).sum(axis=0) / 1000.0
        rent = series["rent"][month, links].sum(axis=0, dtype=float)
        total += (worth + rent) * factor
    return total


@metric("USD/kg", "mean price paid in a region in the last year", ())
def paid_usd_per_kg(
    series: Series,
    material: Any = "ndfeb_standard",
    region: Any = "united_states",
    year: Any = None,
) -> Values:
    """Mean price that the users and plants of regions pay in a year, without VAT."""
    names = set(series.chain.materials_named(str(material)))
    places = series.region_names(region)
    rows = [
        i
        for i, c in enumerate(series.priced_cells)
        if series.layout.cells[c][0] in names
        and (places is None or series.layout.cells[c][1] in places)
    ]
    weeks = _week_rows(series, series.years[-1] if year is None else year)
    return _prices(series, "paid", np.array(rows, dtype=int))[weeks].mean(axis=0)


def _cost(series: Series, item: str, region: Any, year: Any = None) -> Values:
    """A cost over the run as present value, or of one calendar year as it is paid."""
    n = len(series.cost_regions)
    names = series.region_names(region)
    rows = [
        COST_ITEMS.index(item) * n + i
        for i, r in enumerate(series.cost_regions)
        if names is None or r in names
    ]
    discount = (1.0 + series.discount_rate) ** (-series.times / 365.25)
    path = series["cost"][:, rows].sum(axis=1, dtype=float)
    if year is not None:
        return path[_week_rows(series, int(year))].sum(axis=0) * series.weeks
    return (path * discount[:, None]).sum(axis=0) * series.weeks


@metric("USD million", "public outlay, discounted", BY_REGION, additive=True)
def public_outlay_usd_million(series: Series, region: Any = "all", year: Any = None) -> Values:
    """Price floors, stockpile purchases less sales, and project funding, net present value."""
    return _cost(series, "public_outlay", region, year)


@metric("USD million", "paid above base-year prices, discounted", BY_REGION, additive=True)
def premium_usd_million(series: Series, region: Any = "all", year: Any = None) -> Values:
    """Cost of purchases above the same goods at base-year prices, net present value."""
    return _cost(series, "premium", region, year)


@metric("USD million", "tariffs paid, discounted", BY_REGION, additive=True)
def tariff_usd_million(series: Series, region: Any = "all", year: Any = None) -> Values:
    """Import duties paid on oxides, metals and magnets, net present value."""
    return _cost(series, "tariff", region, year)


@metric("USD million", "what scarcity costs buyers, discounted", ())
def burden_usd_million(series: Series, region: Any = "all") -> Values:
    """Price paid above base-year prices, duties passed on included, and lost output, present value.

    Lost output is an upper bound (see `lost_output_usd_million`).
    """
    return np.asarray(_cost(series, "premium", region) + _cost(series, "lost_output", region))


def _discounted(series: Series, name: str, region: Any) -> Values:
    names = series.region_names(region)
    rows = [i for i, r in enumerate(series.cost_regions) if names is None or r in names]
    factor = (1.0 + series.discount_rate) ** (-series.times / 365.25)
    path = series[name][:, rows].sum(axis=1, dtype=float)
    return np.asarray((path * factor[:, None]).sum(axis=0) * series.weeks)


@metric("USD million", "bought by public reserves, discounted", ())
def reserve_bought_usd_million(series: Series, region: Any = "all") -> Values:
    """What public reserves pay for what they buy, at the ask of the day, net present value."""
    return _discounted(series, "reserve_bought", region)


@metric("USD million", "sold by public reserves, discounted", ())
def reserve_sold_usd_million(series: Series, region: Any = "all") -> Values:
    """What public reserves take in for what they release, at the ask of the day, present value."""
    return _discounted(series, "reserve_sold", region)


@metric("t", "held by public reserves at the end of the last month", ())
def reserve_t(
    series: Series, material: Any = "all", region: Any = "all", month: Any = None
) -> Values:
    """Tonnes of product in public reserves at the end of a month (default: the last)."""
    at = len(series.months) - 1 if month is None else _month_at(series, month)
    return np.asarray(
        series["reserve"][at, series.cells(material, region)].sum(axis=0, dtype=float)
    )


@metric("USD million", "worth of public reserves at the end of the last month", ())
def reserve_value_usd_million(
    series: Series, material: Any = "all", region: Any = "all", month: Any = None
) -> Values:
    """Tonnes in public reserves at the mean home price of the month (default: the last)."""
    at = len(series.months) - 1 if month is None else _month_at(series, month)
    days = [i for i, name in enumerate(series.labels.month_of) if name == series.months[at]]
    price = series["home"][days].mean(axis=0, dtype=float)
    rows = series.cells(material, region)
    held = series["reserve"][at, rows].astype(float)
    return np.asarray((held * price[series.labels.c_material[rows]]).sum(axis=0) / 1000.0)


def _month_at(series: Series, month: Any) -> int:
    name = str(month)[:7]
    if name not in series.months:
        raise InputError(
            f"month {name} is outside the run ({series.months[0]} to {series.months[-1]})",
            key="month",
        )
    return series.months.index(name)


# ---- need, coverage, cover ---------------------------------------------------------------


def _per_t_magnet(series: Series, material: str) -> dict[str, float]:
    """Tonnes of a material that a tonne of each magnet grade takes, through all stages."""
    recipes = series.chain.recipes

    def through(output: str) -> float:
        if output == material:
            return 1.0
        return sum(
            r.input_t_per_t_output * through(r.input) for r in recipes.get(output, {}).values()
        )

    return {n: through(n) for n, m in series.chain.materials.items() if m.form == "magnet"}


def _needed(series: Series, material: str, region: Any, sector: Any) -> np.ndarray:
    """Material that planned use of magnets takes, t a week, shape (T, w)."""
    per = _per_t_magnet(series, material)
    content = np.zeros(len(series.groups))
    whole = np.zeros(len(series.groups))
    for group, made, tonnes in series.labels.magnet_use:
        whole[group] += tonnes
        content[group] += tonnes * per.get(made, 0.0)
    rows = series.group_rows(region, sector)
    each = content[rows] / np.maximum(whole[rows], 1e-12)
    return np.einsum("tgw,g->tw", series["planned"][:, rows].astype(float), each)


@metric("t", "oxide that planned use of magnets takes in the last year", ({"region": "all"},))
def need_t(
    series: Series,
    material: Any = "ndpr_oxide",
    region: Any = "all",
    sector: Any = "all",
    year: Any = None,
) -> Values:
    """Oxide or metal that the planned use of magnets takes in a year, t of that material.

    Through the recipes, with the swarf and losses that making magnets leaves; prices and
    substitution do not change it.
    """
    weeks = _week_rows(series, series.years[-1] if year is None else year)
    return _needed(series, str(material), region, sector)[weeks].sum(axis=0) * series.weeks


@metric("share", "share of a use in the need in the last year", ({"sector": "humanoid_robots"},))
def need_share(
    series: Series,
    sector: Any = "humanoid_robots",
    material: Any = "ndpr_oxide",
    region: Any = "all",
    year: Any = None,
) -> Values:
    """Part of the need for a material that falls to a sector, in a year."""
    part = need_t(series, material, region, sector, year)
    return part / np.maximum(need_t(series, material, region, "all", year), 1e-12)


@metric(
    "USD million", "worth of what a use needs over the horizon", ({"sector": "humanoid_robots"},)
)
def need_value_usd_million(
    series: Series,
    sector: Any = "humanoid_robots",
    material: Any = "ndpr_oxide",
    region: Any = "all",
    at: Any = None,
) -> Values:
    """Need of a sector over the horizon, not discounted.

    At the home price of the day, or ``at`` a price in USD/kg: a wave of demand that supply does
    not follow drives the price, and its worth with it.
    """
    needed = _needed(series, str(material), region, sector)
    if at is not None:
        return needed.sum(axis=0) * series.weeks * float(at) / 1000.0
    price = series["home"][:, _material_rows(series, material)].mean(axis=1, dtype=float)
    return (needed * price).sum(axis=0) * series.weeks / 1000.0


@metric("share", "own output over what own users need", ({"region": "united_states"},))
def stage_coverage(
    series: Series, region: Any = "united_states", material: Any = "ndpr_oxide", year: Any = None
) -> Values:
    """Output of oxide, metal or magnets in a region over what its planned use takes, in a year.

    The stage with the smallest coverage is the one that binds a chain of its own.
    """
    year = series.years[-1] if year is None else year
    if str(material) == "ndfeb_magnets":
        return self_sufficiency(series, region, year)
    made = _output(series, str(material), region, year)
    return made / np.maximum(need_t(series, material, region, "all", year), 1e-12)


#: What a chain of magnets consists of; the smallest of these is the coverage of the chain.
CHAIN = ("ndfeb_magnets", "ndpr_metal", "ndpr_oxide", "dy_oxide")


@metric("share", "coverage of magnets and all their inputs", ({"region": "united_states"},))
def chain_coverage(series: Series, region: Any = "united_states", year: Any = None) -> Values:
    """Smallest of the coverages of NdFeB magnets, NdPr metal, NdPr and dysprosium oxide."""
    return np.min([stage_coverage(series, region, m, year) for m in CHAIN], axis=0)


@metric(
    "year",
    "first year in which own magnets cover a share of use",
    tuple({"region": "united_states", "share": s} for s in (0.25, 0.5, 0.8)),
)
def coverage_year(
    series: Series, region: Any = "united_states", share: Any = 0.5, of: Any = "ndfeb_magnets"
) -> Values:
    """First full year with at least that coverage (inf: not within the horizon).

    `of` is a material, as in ``stage_coverage``, or ``chain`` for magnets and all their inputs.
    """
    least = float(share)
    found = np.full(len(series.worlds), np.inf)
    for year in reversed(series.years):
        if sum(m.startswith(str(year)) for m in series.months) < 12:
            continue
        covered = (
            chain_coverage(series, region, year)
            if of == "chain"
            else stage_coverage(series, region, of, year)
        )
        found = np.where(covered >= least, float(year), found)
    return found


@metric("year", "first year in which a share of planned use goes unmet")
def first_short_year(
    series: Series,
    region: Any = "all",
    sector: Any = "all",
    share: Any = 0.05,
    since: Any = None,
) -> Values:
    """First year from ``since`` on with more than a share of planned use unmet (inf: none)."""
    rows = series.group_rows(region, sector)
    unmet = series["unmet"][:, rows].sum(axis=1, dtype=float)
    planned = series["planned"][:, rows].sum(axis=1, dtype=float)
    found = np.full(len(series.worlds), np.inf)
    for year in reversed(series.years):
        if since is not None and year < int(since):
            break
        weeks = _week_rows(series, year)
        lacking = share_lacking(unmet[weeks].sum(axis=0), planned[weeks].sum(axis=0))
        found = np.where(lacking > float(share), float(year), found)
    return found


@metric("year", "last year in which mines can be decided to be in time", ())
def mine_decision_year(
    series: Series,
    region: Any = "all",
    sector: Any = "all",
    share: Any = 0.05,
    since: Any = None,
) -> Values:
    """First short year less the lead time of a mine drawn in the world (inf: never short)."""
    lead = series.draws["investment.lead_years_mine"]
    return np.floor(first_short_year(series, region, sector, share, since) - lead)


@metric(
    "days",
    "lowest stock in the year after the disruption, days of use",
    tuple({"material": m, "region": "allies"} for m in ("dy_oxide", "tb_oxide")),
)
def cover_days_low(
    series: Series,
    material: Any = "dy_oxide",
    region: Any = "allies",
    months: Any = 12,
) -> Values:
    """Lowest stock of sellers, plants and users at a month's end, in days of base-year need.

    Looked at in the months that follow the first disruption. Regions that do not need the material
    count with their stocks only.
    """
    rows = series.cells(material, region)
    stock = series["stock"][:, rows].sum(axis=1, dtype=float)
    daily = float(series.layout.c_need[rows].sum()) / 7.0
    at = np.minimum((series.shock_day / 30.4375).astype(int), len(series.months) - 1)
    out = np.empty(len(series.worlds))
    for w, month in enumerate(at):
        out[w] = stock[month : month + int(months), w].min() / max(daily, 1e-12)
    return out


@metric(
    "share",
    "part of planned use that is met or saved so, in the last year",
    (
        {"by": "substitution", "element": "ndpr"},
        {"by": "substitution", "element": "dy"},
    ),
)
def met_share(
    series: Series,
    by: Any = "substitution",
    element: Any = "ndpr",
    region: Any = "all",
    year: Any = None,
) -> Values:
    """Part of planned use of an element that one way of meeting it accounts for, in a year.

    `by` is an item of ``closed_gap.csv``: recycling, substitution, new_supply, leak and so on.
    """
    if by not in ITEMS:
        raise unknown("way of meeting use", str(by), ITEMS, key="by")
    year = series.years[-1] if year is None else year
    planned = sum(_met(series, item, region, element, year) for item in ITEMS)
    return np.asarray(_met(series, str(by), region, element, year) / np.maximum(planned, 1e-12))


@metric("USD million", "value of lost output in the year after the disruption")
def lost_in_a_year_usd_million(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Net shortfall in the year after the disruption, less what is made up in it, times its worth."""
    rows = series.group_rows(region, sector)
    value = np.array([series.chain.sectors[s].lost_output_usd_per_kg for _, s in series.groups])
    tonnes = series["unmet"][:, rows] - series["caught_up"][:, rows]
    lost = (tonnes * value[rows][:, None]).sum(axis=1, dtype=float)
    t = series.times[:, None]
    inside = (t >= series.shock_day) & (t < series.shock_day + 365.25)
    return (lost * inside).sum(axis=0) * series.weeks / 1000.0


@metric("share", "oxide won from scrap over what own use takes in the last year")
def recycled_share(
    series: Series, region: Any = "united_states", element: Any = "ndpr", year: Any = None
) -> Values:
    """Oxide that recyclers of a region win from scrap and old goods over the need of its users."""
    lay = series.layout
    year = series.years[-1] if year is None else int(year)
    places = series.region_names(region)
    e, many = lay.element_at[str(element)], len(lay.elements)
    rows = [i * many + e for i, r in enumerate(lay.regions) if places is None or r in places]
    won = series["recycled"][series.years.index(year)][rows].sum(axis=0, dtype=float)
    return won / np.maximum(need_t(series, f"{element}_oxide", region, "all", year), 1e-12)


def selections(item: Metric, series: Series) -> list[dict[str, Any]]:
    """Selections of a metric that the summary reports, with ``*`` spelt out."""
    out: list[dict[str, Any]] = []
    regions = list(series.layout.regions)
    sectors = sorted({s for _, s in series.groups}, key=series.layout.sector_at.__getitem__)
    for over in item.over:
        if over.get("region") == "*":
            out += [{**over, "region": r} for r in regions]
        elif over.get("sector") == "*":
            out += [{**over, "sector": s} for s in sectors]
        else:
            out.append(dict(over))
    return out


def key_of(name: str, selection: dict[str, Any]) -> str:
    """Column name of a metric and selection: ``unmet_t[region=europe]``."""
    if not selection:
        return name
    inside = ",".join(f"{k}={v}" for k, v in sorted(selection.items()))
    return f"{name}[{inside}]"


def evaluate(series: Series) -> dict[str, Values]:
    """All metrics of a batch by key, shape (w,) each."""
    out = {}
    for name, item in METRICS.items():
        for selection in selections(item, series):
            out[key_of(name, selection)] = np.asarray(item(series, **selection), dtype=float)
    return out
