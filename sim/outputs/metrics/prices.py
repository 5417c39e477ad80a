"""Prices at home and abroad, as multiples and levels."""

from __future__ import annotations

from typing import Any

import numpy as np

from lodestone.border.words import unknown
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics.registry import ELEMENTS, Values, metric
from lodestone.outputs.metrics.select import (
    day_of,
    days_between,
    price_path,
    week_rows,
)
from lodestone.outputs.rows import once


@once
def _peak_multiple(series: Series, name: str, material: Any, since: Any = None) -> Values:
    path = price_path(series, name, material)
    first = series.shock_day
    if since is not None:
        days_between(series, since, None)
        first = np.full(len(series.worlds), float(day_of(series, since)))
    before = np.maximum(np.searchsorted(series.times, first), 1)
    eight, two_years = round(56.0 / series.days), round(730.5 / series.days)
    out = np.empty(path.shape[1])
    for day in np.unique(before):
        worlds = before == day
        # World by world in memory, so that means do not depend on how many worlds there are.
        own = np.ascontiguousarray(path[:, worlds].T)
        base = own[:, max(day - eight, 0) : day].mean(axis=1)
        with np.errstate(invalid="ignore"):  # no price before: no multiple
            out[worlds] = own[:, day - 1 : day + two_years].max(axis=1) / base
    return out


_BY_MATERIAL: tuple[dict[str, Any], ...] = tuple({"material": m} for m in ELEMENTS)


@metric(
    "multiple",
    "highest home price in two years, multiple of before",
    _BY_MATERIAL,
    of="price_home",
    window="two years",
)
def price_multiple_home(series: Series, material: Any = "dy_oxide", since: Any = None) -> Values:
    """Peak of the price inside the exporter over its mean in the eight weeks before."""
    return _peak_multiple(series, "home", material, since)


@metric(
    "multiple",
    "highest ask outside in two years, multiple of before",
    _BY_MATERIAL,
    of="price_ask",
    window="two years",
)
def price_multiple_ask(series: Series, material: Any = "dy_oxide", since: Any = None) -> Values:
    """Peak of the mean spot price outside over its mean in the eight weeks before."""
    return _peak_multiple(series, "ask", material, since)


@metric(
    "multiple",
    "highest price paid outside in two years, multiple of before",
    _BY_MATERIAL,
    of="price_paid",
    window="two years",
)
def price_multiple_paid(series: Series, material: Any = "dy_oxide", since: Any = None) -> Values:
    """Peak of the mean price paid outside over its mean in the eight weeks before."""
    return _peak_multiple(series, "paid", material, since)


@metric(
    "multiple",
    "highest price anywhere in two years, multiple of before",
    _BY_MATERIAL,
    window="two years",
)
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
    weeks = week_rows(series, series.last_year if year is None else year)
    return price_path(series, market, material)[weeks].mean(axis=0)


@metric(
    "multiple", "highest ask outside over home price", ({"material": "dy_oxide"},), of="price_gap"
)
def price_gap_peak(series: Series, material: Any = "dy_oxide") -> Values:
    """Highest ratio of the mean spot price outside to the price inside the exporter."""
    home = price_path(series, "home", material)
    ask = price_path(series, "ask", material)
    return (ask / home).max(axis=0)
