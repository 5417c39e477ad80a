"""6 Users draw on their stocks; a class of users at zero stops."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import NONE, compiled
from lodestone.engine.contents import contained_by_cell
from lodestone.equations import demand
from lodestone.equations.lags import gain
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

_planned_use = compiled(demand.planned_use)


def draw_on_stocks(m: Market, f: Flows, rules: Conditions) -> np.ndarray:
    """Users draw on their own stock; a class at zero stops.

    Returns
    -------
    ndarray, shape (e, w)
        Used, t contained element.
    """
    lay, st, d = m.layout, m.state, m.draws
    share = d["market.contract_share"]
    paid = st.log_contract * share + st.log_ask * (1.0 - share) - lay.c_log_reference
    factor = rules.demand_factor
    # Runs, recipes and orders are planned ahead: use answers to the price of the last months.
    st.log_felt += (paid - st.log_felt) * gain(m.weeks, d["demand.response_weeks"])
    response = demand.price_response(st.log_felt[lay.u_cell], m.c.elasticity)
    late = st.postponed / d["catch_up.weeks"] * m.weeks
    names = ("planned", "wanted", "used", "unmet", "gross", "stopped")
    new = {name: np.empty_like(st.forecast) for name in names}
    by_cell, rate = np.empty_like(st.fear), np.empty_like(st.forecast)
    use_up(
        lay.u_base,
        m.wide(m.growth(m.now), len(lay.sectors)),
        lay.u_sector,
        lay.u_cell,
        lay.u_twin,
        NONE if factor is None else factor,
        response,
        st.ree_free,
        _without_heavy(m),
        m.c.catch_up_share,
        m.c.catch_up_weeks,
        m.c.forecast_gain,
        m.weeks,
        f.to_users,
        st.postponed,
        st.user_stock,
        st.forecast,
        m.state.users_hold,
        m.state.thinnest,
        rate,
        *new.values(),
        m.state.missing,
        m.state.missed_of,
        by_cell,
        m.state.cells_hold,
    )
    m.state.last_wanted = rate
    for name, value in new.items():
        f[name] = value
    f.used_by_cell, f.response, f.late = by_cell, response, late
    if m.in_use is not None:
        m.in_use.add(new["used"])
    return contained_by_cell(lay, by_cell)


def _without_heavy(m: Market) -> np.ndarray:
    """Share of each line that does without heavy elements: moved by price, and by progress.

    Better grain boundaries save dysprosium and terbium year by year, whatever they cost.
    """
    st, d = m.state, m.draws
    years = m.now / 365.25 * d["demand.growth_scale"]
    kept = np.where(
        (m.layout.u_twin >= 0)[:, None],
        np.exp(-d["thrift.heavy_per_year"] * years),
        1.0,
    )
    return np.ascontiguousarray(1.0 - (1.0 - st.heavy_free) * kept)


@compiled
def use_up(
    base: np.ndarray,
    growth: np.ndarray,
    sector: np.ndarray,
    cell: np.ndarray,
    twin: np.ndarray,
    factor: np.ndarray,
    response: np.ndarray,
    ree_free: np.ndarray,
    heavy_free: np.ndarray,
    catch_up_share: np.ndarray,
    catch_up_weeks: np.ndarray,
    smoothing: np.ndarray,
    weeks: float,
    to_users: np.ndarray,
    postponed: np.ndarray,
    user_stock: np.ndarray,
    forecast: np.ndarray,
    users_hold: np.ndarray,
    thinnest: np.ndarray,
    rate: np.ndarray,
    planned: np.ndarray,
    wanted: np.ndarray,
    used: np.ndarray,
    unmet: np.ndarray,
    gross: np.ndarray,
    stopped: np.ndarray,
    missing: np.ndarray,
    missed_of: np.ndarray,
    by_cell: np.ndarray,
    cells_hold: np.ndarray,
) -> None:
    """Users draw on their stock; a class at zero stops.

    Parameters
    ----------
    base : ndarray, shape (u, 1)
        Use of the base year, t/week.
    growth : ndarray, shape (d, w)
        Multiple by sector; ``sector`` (u,) says whose.
    cell, twin : ndarray of int, shape (u,)
        Cell of each line; the line of the same use without heavy elements, or -1.
    factor : ndarray, shape (u, w) or (0, 0)
        Demand shocks.
    response : ndarray, shape (u, w)
        Multiplier of the paid price.
    ree_free, heavy_free : ndarray, shape (u, w)
        Shares substituted.
    catch_up_share, catch_up_weeks, smoothing : ndarray, shape (w,)
        Share of unmet use made up later, in how many weeks, and the gain of the forecast.
    to_users : ndarray, shape (u, w)
        What arrived in this tick, t.
    postponed, user_stock, forecast : ndarray
        Changed in place.
    users_hold, thinnest, rate, planned, wanted, used, unmet, gross, stopped : ndarray, (u, w)
        Written: stocks after use, use wanted (t/week), then tonnes of this tick.
    missing, missed_of : ndarray, shape (u, w)
        Unmet and wanted use since the last look at substitution, t; raised.
    by_cell, cells_hold : ndarray, shape (c, w)
        Use and stock by cell; written.
    """
    classes, lines, worlds = user_stock.shape
    coming = np.zeros((lines, worlds))
    for u in range(lines):
        d = sector[u]
        for w in range(worlds):
            shock = factor[u, w] if factor.shape[0] > 0 else 1.0
            planned[u, w] = _planned_use(base[u, 0], growth[d, w], shock)
            rate[u, w] = planned[u, w] * response[u, w] * (1.0 - ree_free[u, w])
            planned[u, w] *= weeks
    for u in range(lines):
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
                moved = min(moved, 0.5 * classes * least / weeks)
                rate[u, w] -= moved
                rate[other, w] += moved
        else:
            for w in range(worlds):
                rate[u, w] *= 1.0 - heavy_free[u, w]
    for c in range(by_cell.shape[0]):
        for w in range(worlds):
            by_cell[c, w] = 0.0
            cells_hold[c, w] = 0.0
    for u in range(lines):
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
                left = user_stock[b, u, w] - each
                lack = max(-left, 0.0)
                user_stock[b, u, w] = max(left, 0.0)
                unmet[u, w] += lack
                stopped[u, w] += 1.0 if lack > 0.001 * each else 0.0
                users_hold[u, w] += user_stock[b, u, w]
        for w in range(worlds):
            thinnest[u, w] = user_stock[0, u, w]
            postponed[u, w] += catch_up_share[w] * unmet[u, w]
            wanted[u, w] = rate[u, w] * weeks
            used[u, w] = wanted[u, w] - unmet[u, w]
            missing[u, w] += unmet[u, w]
            missed_of[u, w] += wanted[u, w]
            short = planned[u, w] - to_users[u, w]
            gross[u, w] = short if short > 1e-9 * planned[u, w] else 0.0
            expected = max(rate[u, w], coming[u, w])
            forecast[u, w] += (expected - forecast[u, w]) * smoothing[w]
            by_cell[c, w] += used[u, w]
            cells_hold[c, w] += users_hold[u, w]
