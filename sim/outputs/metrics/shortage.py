"""What goes missing, when users stop, and what it costs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lodestone.border.units import DAYS_PER_QUARTER, DAYS_PER_WEEK, DAYS_PER_YEAR
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics.registry import BY_GROUP, BY_REGION, Values, metric
from lodestone.outputs.metrics.select import (
    day_of,
    days_between,
    lost_per_t,
    missed_for_good,
    share_lacking,
    summed,
    unmet_share_after,
    unmet_shares,
    worth,
)
from lodestone.outputs.rows import Picked, once


@metric("t_magnet", "gross shortfall over the horizon", BY_GROUP, additive=True, each=True)
def gross_unmet_t(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Planned use less what arrives (averaged over four weeks), before any stock is drawn.

    Summed over the horizon. In no week below what goes unmet, nor above what is planned.
    """
    return summed(series, "gross", region, sector)


@metric("t_magnet", "net shortfall over the horizon", BY_GROUP, additive=True, each=True)
def unmet_t(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Planned use that does not happen for lack of material, summed over the horizon.

    Use that is put off counts once, in the week in which it was due.
    """
    return summed(series, "unmet", region, sector)


@metric("share", "net shortfall, share of planned use", BY_GROUP, window="year", each=True)
def unmet_share(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Net shortfall over planned use in the year after the first disruption."""
    return unmet_share_after(series, region, sector, DAYS_PER_YEAR)


@metric("share", "net shortfall between two dates, share of planned use", (), of="unmet_share")
def unmet_share_between(
    series: Series, region: Any = "all", sector: Any = "all", since: Any = None, until: Any = None
) -> Values:
    """Net shortfall over planned use from one date to the day before another."""
    users, inside = series.users(region, sector), days_between(series, since, until)
    unmet = users.total(series["unmet"][inside], (0, 1))
    return share_lacking(unmet, users.total(series["planned"][inside], (0, 1)))


def _military(series: Series, region: Any) -> Picked:
    use = series.use_of(region)
    places = [series.groups[int(g)][0] for g in series.military_groups]
    return Picked.of({i: use[r] for i, r in enumerate(places) if use.get(r, 0.0) > 0.0})


@metric("share", "net shortfall of military use, share of planned use", (), of="unmet_share")
def military_unmet_share(
    series: Series, region: Any = "all", since: Any = None, until: Any = None
) -> Values:
    """Net shortfall over planned use of military users from one date to the day before another.

    NaN where a run keeps no military users of their own (nothing is refused to them).
    """
    users, inside = _military(series, region), days_between(series, since, until)
    unmet = users.total(series["military_unmet"][inside], (0, 1))
    planned = users.total(series["military_planned"][inside], (0, 1))
    return np.where(planned > 0.0, share_lacking(unmet, planned), np.nan)


@metric("days", "military users lack half of their use, days after a date", (), of="unmet_share")
def first_military_stockout(
    series: Series, region: Any = "all", share: Any = 0.5, since: Any = None
) -> Values:
    """Days to the first market day on which a share of planned military use goes unmet.

    Counted from the first disruption or from a date; ``inf``: never, or nothing is refused to
    military users.
    """
    users = _military(series, region)
    unmet = users.total(series["military_unmet"])
    planned = users.total(series["military_planned"])
    if since is None:
        first = series.shock_day
    else:
        first = np.full(len(series.worlds), float(day_of(series, since)))
    short = (unmet > float(share) * planned) & (planned > 0.0)
    short &= series.times[:, None] >= first
    at = series.times[np.argmax(short, axis=0)]
    return np.where(short.any(axis=0), at - first, np.inf)


@metric(
    "share",
    "highest weekly net shortfall, share of planned use",
    BY_GROUP,
    of="unmet_share",
    each=True,
)
def unmet_share_peak(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Highest share of planned use that goes unmet in a market day."""
    return unmet_shares(series, region, sector).max(axis=-2)


@metric(
    "days",
    "first users stop, days after the first disruption",
    BY_GROUP,
    of="stoppages",
    each=True,
)
def first_stoppage(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Days from the first disruption to the first user class at zero (inf: none stops).

    Groups of users that stood on the market day before do not count.
    """
    first = series.first_stop
    day = _by_group(series, region, sector, lambda r: first[r].min(axis=0, initial=np.inf))
    return day - series.shock_day


@metric(
    "weeks",
    "longest time that users of one sector and region stand, who stood before included",
    BY_REGION,
    of="stoppages",
    each=True,
)
def stoppage_weeks(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Weeks from the first disruption on in which a class of the worst-hit group stood.

    Groups of users that stood on the market day before count, other than in `first_stoppage`.
    """
    weeks = series.stop_weeks
    return _by_group(series, region, sector, lambda r: weeks[r].max(axis=0, initial=0.0))


def _by_group(
    series: Series, region: Any, sector: Any, of: Callable[[np.ndarray], np.ndarray]
) -> Values:
    """What rows of groups of users give, (w,); for regions or sectors one by one (n, w)."""
    each = series.users_each(region, sector)
    if each is None:
        return of(series.group_rows(region, sector))
    return np.stack([of(rows) for rows in each])


@metric(
    "weeks",
    "time to recover (net shortfall back below 1 %)",
    BY_REGION,
    of="unmet_share",
    each=True,
)
def time_to_recover_weeks(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Weeks from the first market day with more than 1 % unmet to the last before a calm quarter.

    Counted from the first disruption; 0: never short; inf: not within the horizon.
    """
    short = unmet_shares(series, region, sector) > 0.01
    short &= series.times[:, None] >= series.shock_day
    quarter = max(1, round(DAYS_PER_QUARTER / series.days))
    never = len(series.times) + quarter
    day = np.arange(len(series.times), dtype=np.int32)[:, None]
    # The next short day of each: beyond the horizon for the last one, but of who is short to its end.
    ahead = np.where(short, day, np.int32(never))[..., ::-1, :]
    follows = np.full_like(ahead, never)
    follows[..., :-1, :] = np.minimum.accumulate(ahead, axis=-2)[..., :-1, :][..., ::-1, :]
    over = short & (follows - day > quarter)
    over[..., -1, :] = False
    weeks = (over.argmax(axis=-2) - short.argmax(axis=-2) + 1) * series.weeks
    weeks = np.where(over.any(axis=-2), weeks, np.inf)
    return np.where(short.any(axis=-2), weeks, 0.0)


@metric(
    "USD million",
    "value of lost output (upper bound)",
    BY_GROUP,
    additive=True,
    of="unmet_t",
    each=True,
)
def lost_output_usd_million(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Net shortfall, less what is made up later, times the value of output per kg of magnet."""
    value, each = lost_per_t(series), series.users_each(region, sector)
    if each is not None:
        return each.whole((_lost_t(series) * value)[None]) / 1000.0 * worth(series)
    users = series.users(region, sector)
    if users.share is None:
        tonnes = _lost_t(series)[users.rows]
    else:
        parts = users.parts(series["unmet"]) - users.parts(series["caught_up"])
        tonnes = parts.sum(axis=0, dtype=float) * series.weeks
    return np.asarray((tonnes * value[users.rows]).sum(axis=0) / 1000.0 * worth(series))


@once
def _lost_t(series: Series) -> np.ndarray:
    """Net shortfall of each group less what is made up later, t, shape (g, w)."""
    return np.asarray(missed_for_good(series).sum(axis=0, dtype=float) * series.weeks)


@metric(
    "USD million a day",
    "value of output lost on the worst day",
    BY_REGION,
    of="unmet_t",
    each=True,
)
def lost_output_usd_million_per_day(
    series: Series, region: Any = "all", sector: Any = "all"
) -> Values:
    """Highest value of lost output of a market day, per calendar day."""
    value, each = lost_per_t(series), series.users_each(region, sector)
    if each is not None:
        weekly = each.by_day(series["unmet"], value[:, 0])
    else:
        weekly = series.users(region, sector).by_day(series["unmet"], value[:, 0])
    return weekly.max(axis=-2) / 1000.0 / DAYS_PER_WEEK * worth(series)


@metric("USD per USD", "lost output per dollar of missing magnets", of="unmet_t")
def lost_output_per_usd(series: Series, region: Any = "all", sector: Any = "all") -> Values:
    """Value of lost output over the base-year worth of the magnets missed (NaN: none missed)."""
    names = series.chain.materials_named("ndfeb_magnets")
    price = np.mean([series.chain.prices[m, "ask"].usd_per_kg for m in names])
    missed = unmet_t(series, region, sector) * price / 1000.0
    lost = lost_output_usd_million(series, region, sector)
    return np.where(missed > 0.0, lost / np.maximum(missed, 1e-12), np.nan)
