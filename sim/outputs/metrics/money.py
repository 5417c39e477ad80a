"""What it costs whom, present value."""

from __future__ import annotations

from typing import Any

import numpy as np

from lodestone.outputs.items import COST_ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics.registry import BY_REGION, Values, metric
from lodestone.outputs.metrics.select import month_at, price_path, week_rows


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
    weeks = week_rows(series, series.years[-1] if year is None else year)
    return price_path(series, "paid", np.array(rows, dtype=int))[weeks].mean(axis=0)


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
        return path[week_rows(series, int(year))].sum(axis=0) * series.weeks
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
    at = len(series.months) - 1 if month is None else month_at(series, month)
    return np.asarray(
        series["reserve"][at, series.cells(material, region)].sum(axis=0, dtype=float)
    )


@metric("USD million", "worth of public reserves at the end of the last month", ())
def reserve_value_usd_million(
    series: Series, material: Any = "all", region: Any = "all", month: Any = None
) -> Values:
    """Tonnes in public reserves at the mean home price of the month (default: the last)."""
    at = len(series.months) - 1 if month is None else month_at(series, month)
    days = [i for i, name in enumerate(series.labels.month_of) if name == series.months[at]]
    price = series["home"][days].mean(axis=0, dtype=float)
    rows = series.cells(material, region)
    held = series["reserve"][at, rows].astype(float)
    return np.asarray((held * price[series.labels.c_material[rows]]).sum(axis=0) / 1000.0)
