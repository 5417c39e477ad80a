"""Need, own coverage of it, and cover by stocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK, DAYS_PER_YEAR
from lodestone.border.words import unknown
from lodestone.outputs.items import ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics.registry import Values, metric
from lodestone.outputs.metrics.select import (
    lost_per_t,
    material_rows,
    met_by,
    missed_for_good,
    output_of,
    share_lacking,
    week_rows,
    worth,
)
from lodestone.outputs.metrics.trade import self_sufficiency
from lodestone.outputs.rows import Picked, Rows, once


@once
def _per_t_magnet(rows: Rows, material: str) -> dict[str, float]:
    """Tonnes of a material that a tonne of each magnet grade takes, through all stages."""
    recipes = rows.chain.recipes

    def through(output: str) -> float:
        if output == material:
            return 1.0
        return sum(
            r.input_t_per_t_output * through(r.input) for r in recipes.get(output, {}).values()
        )

    return {n: through(n) for n, m in rows.chain.materials.items() if m.form == "magnet"}


@once
def _per_t_of_group(rows: Rows, material: str) -> np.ndarray:
    """Tonnes of a material that a tonne of the magnets of each group takes, shape (g,)."""
    per = _per_t_magnet(rows, material)
    content, whole = np.zeros((2, len(rows.labels.groups)))
    for group, made, tonnes in rows.labels.magnet_use:
        whole[group] += tonnes
        content[group] += tonnes * per.get(made, 0.0)
    return content / np.maximum(whole, 1e-12)


@once
def _needed(series: Series, material: str, region: Any, sector: Any) -> np.ndarray:
    """Material that planned use of magnets takes, t a week, shape (T, w)."""
    users = series.users(region, sector)
    each = _per_t_of_group(series.rows, material)[users.rows]
    return np.einsum("tgw,g->tw", users.parts(series["planned"]).astype(float), each)


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
    weeks = week_rows(series, series.last_year if year is None else year)
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
    price = series["home"][:, material_rows(series, material)].mean(axis=1, dtype=float)
    return (needed * price).sum(axis=0) * series.weeks / 1000.0


@metric(
    "share", "own output over what own users need", ({"region": "united_states"},), inside="plants"
)
def stage_coverage(
    series: Series, region: Any = "united_states", material: Any = "ndpr_oxide", year: Any = None
) -> Values:
    """Output of oxide, metal or magnets in a region over what its planned use takes, in a year.

    The stage with the smallest coverage is the one that binds a chain of its own.
    """
    year = series.last_year if year is None else year
    if str(material) == "ndfeb_magnets":
        return self_sufficiency(series, region, year)
    made = output_of(series, str(material), region, year)
    return made / np.maximum(need_t(series, material, region, "all", year), 1e-12)


#: What a chain of magnets consists of; the smallest of these is the coverage of the chain.
CHAIN = ("ndfeb_magnets", "ndpr_metal", "ndpr_oxide", "dy_oxide")


@metric(
    "share",
    "coverage of magnets and all their inputs",
    ({"region": "united_states"},),
    inside="plants",
)
def chain_coverage(series: Series, region: Any = "united_states", year: Any = None) -> Values:
    """Smallest of the coverages of NdFeB magnets, NdPr metal, NdPr and dysprosium oxide."""
    return np.min([stage_coverage(series, region, m, year) for m in CHAIN], axis=0)


@metric(
    "year",
    "first year in which own magnets cover a share of use",
    tuple({"region": "united_states", "share": s} for s in (0.25, 0.5, 0.8)),
    inside="plants",
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
    users = series.users(region, sector)
    unmet, planned = users.total(series["unmet"]), users.total(series["planned"])
    found = np.full(len(series.worlds), np.inf)
    for year in reversed(series.years):
        if since is not None and year < int(since):
            break
        weeks = week_rows(series, year)
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
    cells = series.cells(material, region)
    stock = cells.total(series["stock"])
    daily = float(cells.total(series.layout.c_need)[0]) / DAYS_PER_WEEK
    out = np.empty(len(series.worlds))
    for w, month in enumerate(series.shock_month):
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

    `by` is an item of ``closed_gap.csv``: recycling, substitution, new_supply, leak and so on. All
    items add up to planned use. ``scrap_left``, what makers of magnets leave of what they take in, is
    never positive; ``others`` and ``stock_draw`` may be negative where a region ships more than it
    takes in, or fills its stocks.
    """
    if by not in ITEMS:
        raise unknown("way of meeting use", str(by), ITEMS, key="by")
    year = series.last_year if year is None else year
    planned = sum(met_by(series, item, region, element, year) for item in ITEMS)
    return np.asarray(met_by(series, str(by), region, element, year) / np.maximum(planned, 1e-12))


@metric("USD million", "value of lost output in the year after the disruption", window="year")
def lost_in_a_year_usd_million(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Net shortfall in the year after the disruption, less what is made up in it, times its worth."""
    users, value = series.users(region, sector), lost_per_t(series)
    if users.share is None:
        lost = users.by_day(missed_for_good(series), value[:, 0])
    else:
        tonnes = users.parts(series["unmet"]) - users.parts(series["caught_up"])
        lost = (tonnes * value[users.rows]).sum(axis=1, dtype=float)
    t = series.times[:, None]
    inside = (t >= series.shock_day) & (t < series.shock_day + DAYS_PER_YEAR)
    return (lost * inside).sum(axis=0) * series.weeks / 1000.0 * worth(series)


@metric("share", "oxide won from scrap over what own use takes in the last year", inside="plants")
def recycled_share(
    series: Series, region: Any = "united_states", element: Any = "ndpr", year: Any = None
) -> Values:
    """Oxide that recyclers of a region win from scrap and old goods over the need of its users."""
    lay = series.layout
    year = series.last_year if year is None else int(year)
    made = series.made_in(region, f"{element}_oxide", year, "recycling")
    e, many = lay.element_at[str(element)], len(lay.elements)
    picked = {i * many + e: made[r] for i, r in enumerate(lay.regions) if r in made}
    won = Picked.of(picked).total(series["recycled"][series.years.index(year)])
    return won / np.maximum(need_t(series, f"{element}_oxide", region, "all", year), 1e-12)
