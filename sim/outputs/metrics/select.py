"""Rows, windows and sums that several metrics are made of."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.outputs.items import ITEMS
from lodestone.outputs.kept import Series, names_of
from lodestone.outputs.metrics.registry import Values


def summed(series: Series, name: str, region: object, sector: object) -> Values:
    """Sum of a weekly series over rows and time, t, shape (w,)."""
    rows = series.group_rows(region, sector)
    return series[name][:, rows].sum(axis=(0, 1), dtype=float) * series.weeks


def share_lacking(unmet: np.ndarray, planned: np.ndarray) -> np.ndarray:
    """Net shortfall over planned use, shape as given; at most one.

    Where prices are below those of the reference users want a little more than planned: who has
    nothing then lacks more than the plan, and is counted as lacking all of it.
    """
    return np.minimum(unmet / np.maximum(planned, 1e-12), 1.0)


def unmet_shares(series: Series, region: object, sector: object) -> np.ndarray:
    """Share of planned use that goes unmet by market day, shape (T, w)."""
    rows = series.group_rows(region, sector)
    unmet = series["unmet"][:, rows].sum(axis=1, dtype=float)
    planned = series["planned"][:, rows].sum(axis=1, dtype=float)
    return share_lacking(unmet, planned)


def unmet_share_after(series: Series, region: Any, sector: Any, days: float) -> Values:
    """Share of planned use that goes unmet in so many days from the disruption on, shape (w,)."""
    rows = series.group_rows(region, sector)
    unmet = series["unmet"][:, rows].sum(axis=1, dtype=float)
    planned = series["planned"][:, rows].sum(axis=1, dtype=float)
    t = series.times[:, None]
    inside = (t >= series.shock_day) & (t < series.shock_day + days)
    return share_lacking((unmet * inside).sum(axis=0), (planned * inside).sum(axis=0))


def days_between(series: Series, since: Any, until: Any) -> np.ndarray:
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


def day_of(series: Series, day: Any) -> int:
    """Day of the run of a date."""
    return (date.fromisoformat(str(day)) - series.start).days


def price_path(series: Series, name: str, rows: np.ndarray) -> np.ndarray:
    """Price by market day, (T, w): over regions the mean by base-year tonnes bought there."""
    path = series[name][:, rows]
    if name == "home":
        return np.asarray(path.mean(axis=1, dtype=float))
    return np.asarray((path * series.price_weights(rows)[:, None]).sum(axis=1))


def material_rows(series: Series, material: Any) -> np.ndarray:
    """Rows of the home prices of a material."""
    names = series.chain.materials_named(str(material))
    return np.array([series.layout.material_at[m] for m in names if m in series.layout.material_at])


def priced_rows(series: Series, material: Any) -> np.ndarray:
    """Rows of the ask and paid prices of a material."""
    names = set(series.chain.materials_named(str(material)))
    rows = [i for i, c in enumerate(series.priced_cells) if series.layout.cells[c][0] in names]
    return np.array(rows, dtype=int)


def year_rows(series: Series, year: Any) -> np.ndarray:
    """Months of a year, or all."""
    rows = [i for i, m in enumerate(series.months) if year is None or m.startswith(str(int(year)))]
    if not rows:
        raise InputError(
            f"year {year} is outside the run ({series.months[0]} to {series.months[-1]})",
            key="year",
        )
    return np.array(rows, dtype=int)


def week_rows(series: Series, year: Any) -> np.ndarray:
    """Market days of a year, or all."""
    year_rows(series, year)
    return np.flatnonzero([year is None or d.year == int(year) for d in series.dates])


def output_of(series: Series, material: str, region: Any, year: Any) -> Values:
    """Output of a material in regions and a year, t of product, shape (w,)."""
    rows = series.cells(material, region)
    months = year_rows(series, year)
    return series["output"][months][:, rows].sum(axis=(0, 1), dtype=float)


def shipped_over(series: Series, key: str, rows: np.ndarray, year: Any) -> Values:
    """Shipments over links in a year, or all, t of product, shape (w,)."""
    months = year_rows(series, year)
    inside = series[key][months[0] : months[-1] + 1]
    return inside[:, rows].sum(axis=(0, 1), dtype=float)


def met_by(series: Series, item: str, region: Any, element: Any, year: Any) -> Values:
    """One item of how planned use is met, t of the element, in a year or (None) all of it."""
    return met_by_quarter(series, item, region, element)[quarter_rows(series, year)].sum(axis=0)


def met_by_quarter(series: Series, item: str, region: Any, element: Any) -> np.ndarray:
    """One item of how planned use is met, by quarter, t of the element, shape (Q, w)."""
    lay = series.layout
    names = series.region_names(region)
    chosen = element_rows(series, element)
    start = ITEMS.index(item) * len(lay.regions)
    rows = [
        (start + i) * len(lay.elements) + e
        for i, r in enumerate(lay.regions)
        if names is None or r in names
        for e in chosen
    ]
    return series["gap"][:, rows].sum(axis=1, dtype=float)


def element_rows(series: Series, element: Any) -> list[int]:
    """Rows of elements."""
    found = []
    for word in names_of(element) or series.layout.elements:
        if word not in series.layout.element_at:
            raise unknown("element", word, series.layout.elements, key="element")
        found.append(series.layout.element_at[word])
    return found


def quarter_rows(series: Series, year: Any) -> np.ndarray:
    """Quarters of a year, or all."""
    if year is not None:
        year_rows(series, year)
    inside = [year is None or q.startswith(str(int(year))) for q in series.quarters]
    return np.flatnonzero(inside)


def month_at(series: Series, month: Any) -> int:
    """Row of a month."""
    name = str(month)[:7]
    if name not in series.months:
        raise InputError(
            f"month {name} is outside the run ({series.months[0]} to {series.months[-1]})",
            key="month",
        )
    return series.months.index(name)
