"""6 Users draw on their stocks; a class of users at zero stops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import NONE, compiled
from lodestone.engine.contents import contained_by_cell
from lodestone.equations import demand, lags
from lodestone.equations.lags import gain
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Days in a year.
DAYS_PER_YEAR = 365.25
#: Share of what a class wants below which it counts as running (A252).
STOPPED = 0.001
#: Share of a new line's thinnest class that may be used up in a week by users moving over (A253).
MOVE_OVER = 0.5
#: Gap to what was planned that is rounding, share.
ROUNDING = 1e-9

_planned_use = compiled(demand.planned_use)
_lacking = compiled(demand.lacking)
_follow = compiled(lags.follow)


class Lines(NamedTuple):
    """User lines: sector, material and region."""

    base: np.ndarray  # (u, 1) use of the base year, t/week
    sector: np.ndarray  # (u,)
    cell: np.ndarray  # (u,)
    twin: np.ndarray  # (u,) line of the same use without heavy elements, or -1


class Plans(NamedTuple):
    """What users want, and how they answer."""

    growth: np.ndarray  # (d, w) multiple by sector
    factor: np.ndarray  # (u, w) or (0, 0) demand shocks, multiple
    response: np.ndarray  # (u, w) multiplier of the price paid
    ree_free: np.ndarray  # (u, w) share of use without rare earths
    heavy_free: np.ndarray  # (u, w) share without heavy elements
    catch_up_share: np.ndarray  # (w,) share of unmet use that is made up later
    catch_up_weeks: np.ndarray  # (w,) in how many weeks
    forecast_gain: np.ndarray  # (w,)
    weeks: float  # length of the market day


class Stocks(NamedTuple):
    """Stocks and memories of users; changed."""

    received: np.ndarray  # (u, w) t of this market day (read)
    postponed: np.ndarray  # (u, w) t
    stock: np.ndarray  # (b, u, w) t
    forecast: np.ndarray  # (u, w) t/week
    hold: np.ndarray  # (u, w) t after use
    thinnest: np.ndarray  # (u, w) t, the class of least cover
    rate: np.ndarray  # (u, w) use wanted, t/week
    missing: np.ndarray  # (u, w) t unmet since the last look at substitution
    missed_of: np.ndarray  # (u, w) t of how much wanted
    cells_hold: np.ndarray  # (c, w) t


class Used(NamedTuple):
    """Tonnes of the day; written."""

    planned: np.ndarray  # (u, w)
    wanted: np.ndarray  # (u, w)
    used: np.ndarray  # (u, w)
    unmet: np.ndarray  # (u, w)
    gross: np.ndarray  # (u, w) planned and not arrived
    stopped: np.ndarray  # (u, w) classes of cover that stopped
    by_cell: np.ndarray  # (c, w) used


def draw_on_stocks(m: Market, f: Flows, rules: Conditions) -> np.ndarray:
    """Users draw on their own stock; a class at zero stops.

    Returns
    -------
    ndarray, shape (e, w)
        Used, t contained element.
    """
    lay, st, d = m.layout, m.state, m.draws
    paid = demand.paid_over_base(
        st.log_contract, st.log_ask, lay.prices.log_reference, d["market.contract_share"]
    )
    # Runs, recipes and orders are planned ahead: use answers to the price of the last months.
    st.log_felt += (paid - st.log_felt) * gain(m.weeks, d["demand.response_weeks"])
    f.response = demand.price_response(st.log_felt[lay.users.cell], m.c.elasticity)
    f.late = st.postponed / d["catch_up.weeks"] * m.weeks
    by_line = [np.empty_like(st.forecast) for _ in Used._fields[:-1]]
    new = Used._make([*by_line, np.empty_like(st.fear)])
    st.last_wanted = np.empty_like(st.forecast)
    lines = Lines(lay.users.base, lay.users.sector, lay.users.cell, lay.users.twin)
    plans = Plans(
        m.wide(m.growth(m.now), len(lay.sectors)),
        NONE if rules.demand_factor is None else rules.demand_factor,
        f.response,
        st.ree_free,
        _without_heavy(m),
        m.c.catch_up_share,
        m.c.catch_up_weeks,
        m.c.forecast_gain,
        m.weeks,
    )
    stocks = Stocks(
        f.to_users,
        st.postponed,
        st.user_stock,
        st.forecast,
        st.users_hold,
        st.thinnest,
        st.last_wanted,
        st.missing,
        st.missed_of,
        st.cells_hold,
    )
    use_up(lines, plans, stocks, new)
    f.planned, f.wanted, f.used, f.unmet, f.gross, f.stopped, f.used_by_cell = new
    if m.in_use is not None:
        m.in_use.add(f.used)
    return contained_by_cell(lay, f.used_by_cell)


def _without_heavy(m: Market) -> np.ndarray:
    """Share of each line that does without heavy elements: moved by price, and by progress.

    Better grain boundaries save dysprosium and terbium year by year, whatever they cost.
    """
    st, d = m.state, m.draws
    years = m.now / DAYS_PER_YEAR * d["demand.growth_scale"]
    thrifty = demand.thrift(d["thrift.heavy_per_year"], years)
    kept = np.where((m.layout.users.twin >= 0)[:, None], thrifty, 1.0)
    return np.ascontiguousarray(1.0 - (1.0 - st.heavy_free) * kept)


@compiled
def use_up(lines: Lines, plans: Plans, stocks: Stocks, flows: Used) -> None:
    """Users draw on their stock; a class at zero stops.

    Conserves: stocks before and what was received = stocks after + used.
    """
    base, sector, cell, twin = lines
    (
        growth,
        factor,
        response,
        ree_free,
        heavy_free,
        catch_up_share,
        catch_up_weeks,
        smoothing,
        weeks,
    ) = plans
    (
        to_users,
        postponed,
        user_stock,
        forecast,
        users_hold,
        thinnest,
        rate,
        missing,
        missed_of,
        cells_hold,
    ) = stocks
    planned, wanted, used, unmet, gross, stopped, by_cell = flows
    classes, count, worlds = user_stock.shape
    coming = np.zeros((count, worlds))
    for u in range(count):
        d = sector[u]
        for w in range(worlds):
            shock = factor[u, w] if factor.shape[0] > 0 else 1.0
            planned[u, w] = _planned_use(base[u, 0], growth[d, w], shock)
            rate[u, w] = planned[u, w] * response[u, w] * (1.0 - ree_free[u, w])
            planned[u, w] *= weeks
    for u in range(count):
        other = twin[u]
        if other >= 0 and base[other, 0] > 0.0:
            for w in range(worlds):
                moved = rate[u, w] * heavy_free[u, w]
                rate[u, w] *= 1.0 - heavy_free[u, w]
                rate[other, w] += moved
        elif other >= 0:
            # A line that is new moves over only as its first goods arrive, and orders for more.
            for w in range(worlds):
                moved = rate[u, w] * heavy_free[u, w]
                least = user_stock[0, other, w]
                for b in range(1, classes):
                    least = min(least, user_stock[b, other, w])
                coming[other, w] = moved
                moved = min(moved, MOVE_OVER * classes * least / weeks)
                rate[u, w] -= moved
                rate[other, w] += moved
        else:
            for w in range(worlds):
                rate[u, w] *= 1.0 - heavy_free[u, w]
    for c in range(by_cell.shape[0]):
        for w in range(worlds):
            by_cell[c, w] = 0.0
            cells_hold[c, w] = 0.0
    for u in range(count):
        c = cell[u]
        for w in range(worlds):
            late = postponed[u, w] / catch_up_weeks[w]
            rate[u, w] += late
            unmet[u, w] = 0.0
            stopped[u, w] = 0.0
            users_hold[u, w] = 0.0
            postponed[u, w] -= late * weeks
        for b in range(classes):
            for w in range(worlds):
                each = rate[u, w] * (weeks / classes)
                lack = _lacking(user_stock[b, u, w], each)
                user_stock[b, u, w] = max(user_stock[b, u, w] - each, 0.0)
                unmet[u, w] += lack
                stopped[u, w] += 1.0 if lack > STOPPED * each else 0.0
                users_hold[u, w] += user_stock[b, u, w]
        for w in range(worlds):
            thinnest[u, w] = user_stock[0, u, w]
            postponed[u, w] += catch_up_share[w] * unmet[u, w]
            wanted[u, w] = rate[u, w] * weeks
            used[u, w] = wanted[u, w] - unmet[u, w]
            missing[u, w] += unmet[u, w]
            missed_of[u, w] += wanted[u, w]
            short = planned[u, w] - to_users[u, w]
            gross[u, w] = short if short > ROUNDING * planned[u, w] else 0.0
            expected = max(rate[u, w], coming[u, w])
            forecast[u, w] = _follow(forecast[u, w], expected, smoothing[w])
            by_cell[c, w] += used[u, w]
            cells_hold[c, w] += users_hold[u, w]
