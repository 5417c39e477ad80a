"""Rows, windows and sums that several metrics are made of."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.equations.demand import worth_of_output
from lodestone.outputs.items import ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.labels import Labels
from lodestone.outputs.metrics.registry import Values
from lodestone.outputs.rows import Picked, Rows, names_of, once


@once
def summed(series: Series, name: str, region: object, sector: object) -> Values:
    """Sum of a weekly series over rows and time, t, shape (w,) or (each, w)."""
    each = series.users_each(region, sector)
    if each is not None:
        return each.whole(series[name]) * series.weeks
    return series.users(region, sector).total(series[name], (0, 1)) * series.weeks


@once
def lost_per_t(series: Series) -> np.ndarray:
    """Usual value of output that a tonne of magnets missed costs each group, USD thousand, (g, 1)."""
    sectors = series.chain.sectors
    return np.array([sectors[s].lost_output_usd_per_kg for _, s in series.groups])[:, None]


def worth(series: Series) -> np.ndarray:
    """Multiple of :func:`lost_per_t` in each world, shape (w,)."""
    return worth_of_output(series.draws["money.lost_output_doublings"])


@once
def missed_for_good(series: Series) -> np.ndarray:
    """Net shortfall of each group less what is made up, t a week, shape (T, g, w)."""
    return np.asarray(series["unmet"] - series["caught_up"])


def share_lacking(unmet: np.ndarray, planned: np.ndarray) -> np.ndarray:
    """Net shortfall over planned use, shape as given; at most one.

    Where prices are below those of the reference users want a little more than planned: who has
    nothing then lacks more than the plan, and is counted as lacking all of it.
    """
    return np.minimum(unmet / np.maximum(planned, 1e-12), 1.0)


@once
def unmet_shares(series: Series, region: object, sector: object) -> np.ndarray:
    """Share of planned use that goes unmet by market day, shape (T, w) or (each, T, w)."""
    planned = series.used("planned", region, sector)
    return share_lacking(series.used("unmet", region, sector), planned)


def unmet_share_after(series: Series, region: Any, sector: Any, days: float) -> Values:
    """Share of planned use unmet in so many days from the disruption on, shape (w,) or (each, w)."""
    unmet = series.used("unmet", region, sector)
    planned = series.used("planned", region, sector)
    t = series.times[:, None]
    inside = (t >= series.shock_day) & (t < series.shock_day + days)
    return share_lacking((unmet * inside).sum(axis=-2), (planned * inside).sum(axis=-2))


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


@once
def price_path(series: Series, name: str, material: Any, region: Any = "all") -> np.ndarray:
    """Price of a material by market day, (T, w).

    At home, or of what is asked or paid in regions: the mean by base-year tonnes bought there.
    """
    if name == "home":
        path = series[name][:, material_rows(series, material)]
        return np.asarray(path.mean(axis=1, dtype=float))
    rows = priced_rows(series, material, region)
    path = series[name][:, rows]
    return np.asarray((path * series.price_weights(rows)[:, None]).sum(axis=1))


def material_rows(series: Series, material: Any) -> np.ndarray:
    """Rows of the home prices of a material."""
    return _material_rows(series.rows, str(material))


@once
def _material_rows(rows: Rows, material: str) -> np.ndarray:
    at = rows.labels.material_at
    return np.array([at[m] for m in rows.chain.materials_named(material) if m in at])


def priced_rows(series: Series, material: Any, region: Any = "all") -> np.ndarray:
    """Rows of the ask and paid prices of a material in regions; a country has its region's."""
    return _priced_rows(series.rows, str(material), region)


@once
def _priced_rows(rows: Rows, material: str, region: Any) -> np.ndarray:
    names, use = set(rows.chain.materials_named(material)), rows.use_of(region)
    cells = [rows.labels.cells[c] for c in rows.labels.priced_cells]
    return np.array([i for i, (m, r) in enumerate(cells) if m in names and r in use], dtype=int)


def year_rows(series: Series, year: Any) -> np.ndarray:
    """Months of a year, or all."""
    return _months(series.rows, year)


@once
def _months(rows: Rows, year: Any) -> np.ndarray:
    months = rows.labels.months
    found = [i for i, m in enumerate(months) if year is None or m.startswith(str(int(year)))]
    if not found:
        raise InputError(
            f"year {year} is outside the run ({months[0]} to {months[-1]})", key="year"
        )
    return np.array(found, dtype=int)


def week_rows(series: Series, year: Any) -> np.ndarray:
    """Market days of a year, or all."""
    year_rows(series, year)
    return _market_days(series.rows, year)


@once
def _market_days(rows: Rows, year: Any) -> np.ndarray:
    return np.flatnonzero([year is None or d.year == int(year) for d in rows.labels.dates])


@once
def output_of(series: Series, material: Any, region: Any, year: Any) -> Values:
    """Output of a material in regions and a year, t of product, shape (w,)."""
    months = year_rows(series, year)
    makers = series.makers(material, region, int(year))
    return makers.total(series["output"][months], (0, 1))


@once
def shipped_over(
    series: Series, key: str, material: Any, origin: Any, destination: Any, year: Any
) -> Values:
    """Shipments over links in a year, or all, t of product, shape (w,)."""
    months = year_rows(series, year)
    first = series.links(material, origin, destination, None if year is None else int(year))
    if year is not None or first.share is None:
        return first.total(series[key][months[0] : months[-1] + 1], (0, 1))
    each = [shipped_over(series, key, material, origin, destination, y) for y in series.years]
    return np.asarray(np.sum(each, axis=0))


@once
def ore_of(series: Series, region: Any, year: Any) -> Values:
    """Ore that the mines of regions send to separators in a year, t REO, shape (w,)."""
    shipped = series["ore"][year_rows(series, year)].sum(axis=0, dtype=float)
    whole = series.rows.whole(region)
    if whole is not None:
        return _ore_rows(series.rows, region).total(shipped)
    return series.rows.ore_of(series.made_in(region, "ore", int(year))).total(shipped)


@once
def _ore_rows(rows: Rows, region: Any) -> Picked:
    """Links of ore out of whole regions."""
    return rows.ore_of(rows.whole(region) or {})


@once
def met_by(series: Series, item: str, region: Any, element: Any, year: Any) -> Values:
    """One item of how planned use is met, t of the element, in a year or (None) all of it."""
    return met_by_quarter(series, item, region, element)[quarter_rows(series, year)].sum(axis=0)


@once
def met_by_quarter(series: Series, item: str, region: Any, element: Any) -> np.ndarray:
    """One item of how planned use is met, by quarter, t of the element, shape (Q, w)."""
    return _gap_rows(series.rows, item, region, element).total(series["gap"])


@once
def _gap_rows(rows: Rows, item: str, region: Any, element: Any) -> Picked:
    """Rows of one item of how planned use is met, by share of use."""
    lay, use = rows.labels, rows.use_of(region)
    chosen = element_rows(lay, element)
    start = ITEMS.index(item) * len(lay.regions)
    return Picked.of(
        {
            (start + i) * len(lay.elements) + e: use[r]
            for i, r in enumerate(lay.regions)
            if r in use
            for e in chosen
        }
    )


def won_by_quarter(series: Series, region: Any, element: Any) -> np.ndarray:
    """What regions separate and recycle of an element by quarter, t, shape (Q, w).

    Of a country inside a region by its plants, not by its use.
    """
    lay, chosen = series.layout, element_rows(series.layout, element)
    year_of = np.array([int(q[:4]) for q in series.quarters])
    total = np.zeros((len(series.quarters), series["gap"].shape[-1]))
    for item in ("new_supply", "recycling"):
        start = ITEMS.index(item) * len(lay.regions)
        for year in dict.fromkeys(year_of.tolist()):
            picked = {}
            for e in chosen:
                made = series.made_in(region, f"{lay.elements[e]}_oxide", year)
                for i, r in enumerate(lay.regions):
                    if r in made:
                        picked[(start + i) * len(lay.elements) + e] = made[r]
            total[year_of == year] += Picked.of(picked).total(series["gap"][year_of == year])
    return total


def element_rows(lay: Labels, element: Any) -> list[int]:
    """Rows of elements."""
    found = []
    for word in names_of(element) or lay.elements:
        if word not in lay.element_at:
            raise unknown("element", word, lay.elements, key="element")
        found.append(lay.element_at[word])
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
