"""Output, exports, shares of the world and reliance on imports."""

from __future__ import annotations

from typing import Any

import numpy as np

from lodestone.outputs.kept import Series
from lodestone.outputs.metrics.registry import Values, metric
from lodestone.outputs.metrics.select import (
    ore_of,
    output_of,
    shipped_over,
    week_rows,
    year_rows,
)
from lodestone.outputs.rows import names_of


@metric(
    "t_magnet",
    "declared magnet exports of China in the year after the disruption",
    inside="plants",
    of="exports_t",
    window="year",
)
def magnet_exports_t(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Declared exports of NdFeB magnets over the year after the first disruption, or a year."""
    if year is not None:
        return shipped_over(series, "declared", "ndfeb_magnets", region, "all", year)
    parts = []
    for y in series.years:
        months = year_rows(series, y)
        inside = series["declared"][months[0] : months[-1] + 1]
        parts.append(series.links("ndfeb_magnets", region, "all", y).total(inside))
    monthly = np.concatenate(parts)
    return np.array([monthly[f : f + 12, w].sum() for w, f in enumerate(series.shock_month)])


@metric(
    "share",
    "share of world magnet output in the last year",
    ({"region": "china"},),
    inside="plants",
    of="production_t",
)
def magnet_share(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Share of a region in world output of NdFeB magnets in a year (default: the last)."""
    year = series.last_year if year is None else year
    whole = output_of(series, "ndfeb_magnets", "all", year)
    return output_of(series, "ndfeb_magnets", region, year) / np.maximum(whole, 1e-12)


@metric(
    "share",
    "own magnet output over use in the last year",
    ({"region": "united_states"},),
    inside="plants",
    of="production_t",
)
def self_sufficiency(series: Series, region: Any = "united_states", year: Any = None) -> Values:
    """NdFeB magnets made in a region over what its users plan to use, in a year."""
    year = series.last_year if year is None else year
    made = output_of(series, "ndfeb_magnets", region, year)
    inside = np.array([d.year == int(year) for d in series.dates])
    use = series.users(region).total(series["planned"][inside], (0, 1)) * series.weeks
    return made / np.maximum(use, 1e-12)


@metric("t", "undeclared shipments over the horizon", window="run")
def leak_t(
    series: Series,
    material: Any = "all",
    origin: Any = "all",
    destination: Any = "all",
    year: Any = None,
) -> Values:
    """Grey flow of oxides, metals and magnets, t of product, over the horizon or in a year."""
    return shipped_over(series, "grey", material, origin, destination, year)


@metric(
    "t",
    "declared shipments in the last year",
    ({"origin": "china", "material": "oxides"},),
    of="exports_t",
)
def traded_t(
    series: Series,
    material: Any = "ndfeb_magnets",
    origin: Any = "all",
    destination: Any = "all",
    year: Any = None,
) -> Values:
    """Declared shipments across borders in a year (default: the last), t of product."""
    year = series.last_year if year is None else year
    return shipped_over(series, "declared", material, origin, destination, year)


@metric(
    "USD million",
    "worth of declared trade in the last year",
    ({"origin": "china", "material": "oxides"},),
    of="exports_t",
)
def trade_value_usd_million(
    series: Series,
    material: Any = "oxides",
    origin: Any = "all",
    destination: Any = "all",
    year: Any = None,
) -> Values:
    """Declared shipments of a year (default: the last) at the year's mean home price."""
    year = series.last_year if year is None else year
    lay, months = series.layout, year_rows(series, year)
    weeks = week_rows(series, year)
    price = series["home"][weeks].mean(axis=0, dtype=float)
    links = series.links(material, origin, destination, int(year))
    tonnes = series["declared"][months][:, links.rows].sum(axis=0, dtype=float)
    if links.share is not None:
        tonnes = tonnes * links.share
    return np.asarray((tonnes * price[lay.l_material[links.rows]] / 1000.0).sum(axis=0))


@metric(
    "share",
    "share in world exports of magnets in the last year",
    ({"origin": "china"},),
    inside="plants",
    of="exports_t",
)
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


@metric(
    "share",
    "net import reliance in the last year",
    ({"region": "united_states"},),
    inside="plants",
    of="exports_t",
)
def import_reliance(
    series: Series,
    region: Any = "united_states",
    material: Any = "ndfeb_magnets",
    year: Any = None,
) -> Values:
    """Imports less exports over output plus imports less exports, in a year; 0 for net sellers.

    The reading of statistical offices, without changes of stock.
    """
    year = series.last_year if year is None else year
    bought = traded_t(series, material, "all", region, year)
    net = bought - traded_t(series, material, region, "all", year)
    return np.maximum(net, 0.0) / np.maximum(output_of(series, material, region, year) + net, 1e-12)


@metric(
    "share",
    "share of mined ore in the last year",
    ({"region": "china"},),
    inside="plants",
    of="ore_t",
)
def mining_share(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Share of a region in the ore (t REO) that mines send to separators in a year."""
    year = series.last_year if year is None else year
    return ore_of(series, region, year) / np.maximum(ore_of(series, "all", year), 1e-12)


@metric(
    "t",
    "output in the last year",
    ({"region": "united_states", "material": "ndpr_oxide"},),
    inside="plants",
    of="production_t",
)
def output_t(
    series: Series, region: Any = "all", material: Any = "ndfeb_magnets", year: Any = None
) -> Values:
    """Output of oxides (recycled too), metals or magnets in a year, t of product."""
    return output_of(series, material, region, series.last_year if year is None else year)


@metric(
    "share",
    "share of world output in the last year",
    ({"region": "china", "material": "ndpr_oxide"},),
    inside="plants",
    of="production_t",
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
    inside="plants",
    of="production_t",
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


@metric(
    "share", "largest region's share of world magnet output in the last year", of="production_t"
)
def top_share(series: Series, material: Any = "ndfeb_magnets", year: Any = None) -> Values:
    """Share of the region that makes most of a material in a year (default: the last)."""
    shares = [output_share(series, r, material, year) for r in series.layout.regions]
    return np.max(shares, axis=0)


@metric(
    "share",
    "use of magnet capacity in the last year",
    ({"region": "china"},),
    inside="plants",
    of="production_t",
)
def magnet_plant_use(series: Series, region: Any = "china", year: Any = None) -> Values:
    """Output of NdFeB magnets over what plants could make (at mid-year), in a year."""
    year = series.last_year if year is None else int(year)
    made = output_of(series, "ndfeb_magnets", region, year)
    kinds = [material for *_, material in series.layout.facilities]
    rows = [i for i in series.plants(region, "magnet") if kinds[i] == "ndfeb"]
    able = series["available"][series.years.index(year)][rows].sum(axis=0, dtype=float)
    return made / np.maximum(able, 1e-12)


@metric("share", "licences granted of those filed, at the end")
def licences_granted_share(series: Series) -> Values:
    """Granted over filed tonnes to date, last value (NaN where nothing was filed)."""
    path = series["licences"][:, 0]
    seen = np.isfinite(path)
    last = len(path) - 1 - np.argmax(seen[::-1], axis=0)
    return np.where(seen.any(axis=0), path[last, np.arange(path.shape[1])], np.nan)


@metric(
    "share",
    "capacity that stands idle for want of margin in the last year",
    (),
    inside="plants",
    of="able_t",
)
def idle_share(
    series: Series, region: Any = "all", stage: Any = "mine", year: Any = None
) -> Values:
    """Capacity that its owners do not run because it loses money, over what is built, in a year.

    Looked at in mid-year; stages are mine, separation, metal, magnet and recycling.
    """
    year = series.last_year if year is None else int(year)
    year_rows(series, year)
    rows = series.plants(region, *(names_of(stage) or ()))
    mines = [series.layout.facilities[i][2] == "mine" for i in rows]
    at = series.years.index(year)
    idle = series["idle"][at][rows].astype(float)
    able = series["available"][at][rows].astype(float)
    built = able + idle * ~np.array(mines, dtype=bool)[:, None]
    return np.asarray(idle.sum(axis=0) / np.maximum(built.sum(axis=0), 1e-12))
