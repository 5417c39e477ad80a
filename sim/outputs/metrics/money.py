"""What it costs whom, present value."""

from __future__ import annotations

from typing import Any

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.outputs.items import COST_ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics.registry import BY_REGION, Values, metric
from lodestone.outputs.metrics.select import month_at, price_path, week_rows
from lodestone.outputs.rows import Each, Picked


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
    month_of = np.array([series.months.index(m) for m in series.labels.month_of])
    first = 0 if since is None else series.months.index(str(since)[:7])
    total = np.zeros(len(series.worlds))
    for month in range(first, len(series.months)):
        year = int(series.months[month][:4])
        if month == first or series.months[month].endswith("-01"):
            links = series.links(material, origin, destination, year)
        days = month_of == month
        price = series["home"][days].mean(axis=0, dtype=float)
        factor = (1.0 + series.discount_rate) ** (-series.times[days].mean() / DAYS_PER_YEAR)
        tonnes = links.parts(series["declared"][month])
        worth = (tonnes * price[lay.l_material[links.rows]]).sum(axis=0) / 1000.0
        rent = links.total(series["rent"][month])
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
    weeks = week_rows(series, series.last_year if year is None else year)
    return price_path(series, "paid", material, region)[weeks].mean(axis=0)


def _cost(series: Series, item: str, region: Any, year: Any = None) -> Values:
    """A cost over the run as present value, or of one calendar year as it is paid."""
    start = COST_ITEMS.index(item) * len(series.cost_regions)
    if isinstance(region, Each):
        rows = [start + series.cost_regions.index(r) for r in region]
        path = series["cost"][:, rows].astype(float).swapaxes(0, 1)
    else:
        use = series.use_of(region)
        picked = {start + i: use[r] for i, r in enumerate(series.cost_regions) if r in use}
        path = Picked.of(picked).total(series["cost"])
    if year is not None:
        return path[..., week_rows(series, int(year)), :].sum(axis=-2) * series.weeks
    return (path * _discount(series)).sum(axis=-2) * series.weeks


def _discount(series: Series) -> np.ndarray:
    """Present value of what is paid on each market day, shape (T, 1)."""
    return ((1.0 + series.discount_rate) ** (-series.times / DAYS_PER_YEAR))[:, None]


@metric(
    "USD million", "public outlay, discounted", BY_REGION, additive=True, window="run", each=True
)
def public_outlay_usd_million(series: Series, region: Any = "all", year: Any = None) -> Values:
    """Price floors, stockpile purchases less sales, and project funding, net present value."""
    return _cost(series, "public_outlay", region, year)


@metric(
    "USD million",
    "paid above base-year prices, discounted",
    BY_REGION,
    additive=True,
    window="run",
    each=True,
)
def premium_usd_million(series: Series, region: Any = "all", year: Any = None) -> Values:
    """Cost of purchases above the same goods at base-year prices, net present value."""
    return _cost(series, "premium", region, year)


@metric(
    "USD million", "tariffs paid, discounted", BY_REGION, additive=True, window="run", each=True
)
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
    use = series.use_of(region)
    picked = {i: use[r] for i, r in enumerate(series.cost_regions) if r in use}
    path = Picked.of(picked).total(series[name])
    return np.asarray((path * _discount(series)).sum(axis=0) * series.weeks)


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
    return series.cells(material, region).total(series["reserve"][at])


@metric("USD million", "worth of public reserves at the end of the last month", ())
def reserve_value_usd_million(
    series: Series, material: Any = "all", region: Any = "all", month: Any = None
) -> Values:
    """Tonnes in public reserves at the mean home price of the month (default: the last)."""
    at = len(series.months) - 1 if month is None else month_at(series, month)
    days = [i for i, name in enumerate(series.labels.month_of) if name == series.months[at]]
    price = series["home"][days].mean(axis=0, dtype=float)
    cells = series.cells(material, region)
    held = cells.parts(series["reserve"][at]).astype(float)
    return np.asarray((held * price[series.labels.c_material[cells.rows]]).sum(axis=0) / 1000.0)
