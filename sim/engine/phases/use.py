"""6 Users draw on their stocks; a class of users at zero stops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import NONE, add_rows, compiled, holds
from lodestone.engine.contents import contained_by_cell
from lodestone.engine.lanes import felt_along, ways_of
from lodestone.equations import demand, lags
from lodestone.equations.lags import gain
from lodestone.equations.substitution import grades_kept
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
_carried_on = compiled(lags.carried_on)


class Lines(NamedTuple):
    """User lines: sector, material, region and tie."""

    whole: np.ndarray  # (u, 1) use of the base year, both ties, t/week
    part: np.ndarray  # (u, w) share of it that has this tie
    other: np.ndarray  # (u,) the same line with the other tie, or -1
    sector: np.ndarray  # (u,)
    cell: np.ndarray  # (u,)
    twin: np.ndarray  # (u,) line of the same use without heavy elements, or -1


class Plans(NamedTuple):
    """What users want, and how they answer."""

    growth: np.ndarray  # (d, w) multiple by sector
    factor: np.ndarray  # (u, w) or (0, 0) demand shocks, multiple
    response: np.ndarray  # (u, w) multiplier of the price paid
    ree_free: np.ndarray  # (u, w) share of use without rare earths
    heavy_free: np.ndarray  # (u, w) share that price has moved to do without heavy elements
    thrift: np.ndarray  # (w,) share of heavy elements that better grain boundaries still need
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
    late: np.ndarray  # (u, w) made up today
    by_cell: np.ndarray  # (c, w) used


class Lacking(NamedTuple):
    """What is not there, by user line (u, w); raised."""

    unmet: np.ndarray  # t
    stopped: np.ndarray  # classes of cover that stopped


def draw_on_stocks(m: Market, f: Flows, rules: Conditions) -> np.ndarray:
    """Users draw on their own stock; a class at zero stops.

    Returns
    -------
    ndarray, shape (e, w)
        Used, t contained element.
    """
    lay, st, d = m.layout, m.state, m.draws
    contract = st.log_contract - lay.prices.log_reference + st.inputs_felt
    ask = st.log_ask - lay.prices.log_reference + st.inputs_felt
    # Where neither price has moved, all cells pay alike.
    rows = np.flatnonzero(contract.any(axis=1) | ask.any(axis=1))
    paid = np.zeros_like(ask)
    paid[rows] = demand.paid_over_base(
        contract[rows], ask[rows], d["market.contract_share"], m.law.elasticity[rows]
    )
    # Runs, recipes and orders are planned ahead: use answers to the price of the last months.
    st.log_felt += (paid - st.log_felt) * gain(m.weeks, d["demand.response_weeks"])
    # Lines that answer alike pay the same price: worked out once.
    users = lay.users
    felt = st.log_felt[users.cell[users.alike]]
    answers = demand.price_response(felt, m.c.elasticity[users.alike])
    f.response = answers[users.alike_as]
    _save_heavies(m)
    f.without_heavies = _without_heavies(m)
    by_line = [np.empty_like(st.forecast) for _ in Used._fields[:-1]]
    new = Used._make([*by_line, np.empty_like(st.fear)])
    st.last_wanted = np.empty_like(st.forecast)
    lines = Lines(users.whole, st.tied, users.other, users.sector, users.cell, users.twin)
    plans = Plans(
        m.wide(m.growth(m.now), len(lay.sectors)),
        NONE if rules.demand_factor is None else rules.demand_factor,
        f.response,
        st.ree_free,
        f.without_heavies,
        m.wide(better_making(m), 1)[0],
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
        st.last_wanted,
        st.missing,
        st.missed_of,
        st.cells_hold,
    )
    use_up(lines, plans, stocks, new)
    f.planned, f.wanted, f.used, f.unmet, f.gross, f.stopped, f.late, f.used_by_cell = new
    if m.in_use is not None:
        m.in_use.add(f.used)
    return contained_by_cell(lay, f.used_by_cell)


def _save_heavies(m: Market) -> None:
    """What dear heavy elements move users to save for now, through the makers that they buy from."""
    lay, st = m.layout, m.state
    if not np.any(st.log_price) and not np.any(st.heavy_saved):
        return
    rows = m.law.heavy_rows
    saved = np.zeros_like(st.log_price)
    each = m.law.heavy_answer * st.log_price[lay.groups.input[rows]]
    add_rows(lay.groups.output[rows], each, saved)
    felt = np.empty_like(saved)
    felt_along(ways_of(lay.links), st.link_share, saved, felt)
    pace = m.wide(gain(m.weeks, m.draws["demand.response_weeks"]), 1)[0]
    follow_cells(lay.users.cell, felt, pace, st.heavy_saved)


def _without_heavies(m: Market) -> np.ndarray:
    """Share of each line that does without heavy elements, for good or for now, (u, w)."""
    st, users = m.state, m.layout.users
    twins = np.flatnonzero(users.twin >= 0)
    out = st.heavy_free.copy()
    moved = out[twins]
    if np.any(moved):
        out[twins] = 1.0 - (1.0 - moved) * grades_kept(st.heavy_saved[twins], moved)
    elif np.any(st.heavy_saved):
        # What is moved for now is one number a cell until somebody has moved for good.
        _, first, row = np.unique(users.cell[twins], return_index=True, return_inverse=True)
        nobody = np.zeros_like(moved[first])
        out[twins] = (1.0 - grades_kept(st.heavy_saved[twins[first]], nobody))[row]
    return out


def better_making(m: Market) -> np.ndarray:
    """Share of heavy elements still needed after the years of the run, (w,)."""
    years = m.now / DAYS_PER_YEAR * m.draws["demand.growth_scale"]
    return demand.thrift(m.draws["thrift.heavy_per_year"], years)


@compiled
def follow_cells(cell: np.ndarray, felt: np.ndarray, pace: np.ndarray, level: np.ndarray) -> None:
    """Lines (u, w) follow what is felt in their cell (c, w), at a pace (w,); ``level`` is moved."""
    for u in range(level.shape[0]):
        c = cell[u]
        if holds(felt[c]) or holds(level[u]):
            for w in range(level.shape[1]):
                level[u, w] = _follow(level[u, w], felt[c, w], pace[w])


@compiled
def want(
    lines: Lines,
    plans: Plans,
    stock: np.ndarray,
    written: tuple[np.ndarray, np.ndarray],
    movers: tuple[np.ndarray, np.ndarray],
) -> None:
    """What each line plans (t) and wants to use (t/week), (u, w) each: ``written``.

    Lines with a twin move over to grades without heavy elements. ``movers`` are the row of each
    line that is new (u,), -1 for others, and what is about to come to it, t/week; written.
    """
    whole, part, second, sector, _, twin = lines
    growth, factor, response = plans.growth, plans.factor, plans.response
    ree_free, price_moved, thrift, weeks = (
        plans.ree_free,
        plans.heavy_free,
        plans.thrift,
        plans.weeks,
    )
    planned, rate = written
    slot, coming = movers
    classes, count, worlds = stock.shape
    heavy_free, moves, moved = np.empty(worlds), np.empty(worlds), np.empty(worlds)
    least = np.empty(worlds)
    for u in range(count):
        d = sector[u]
        for w in range(worlds):
            shock = factor[u, w] if factor.shape[0] > 0 else 1.0
            planned[u, w] = _planned_use(whole[u, 0], growth[d, w], shock) * part[u, w]
        for w in range(worlds):
            rate[u, w] = planned[u, w] * response[u, w] * (1.0 - ree_free[u, w])
        for w in range(worlds):
            planned[u, w] *= weeks
    for u in range(count):
        other = twin[u]
        if other < 0:
            for w in range(worlds):
                rate[u, w] *= 1.0 - (1.0 - (1.0 - price_moved[u, w]))
            continue
        for w in range(worlds):
            heavy_free[w] = 1.0 - (1.0 - price_moved[u, w]) * thrift[w]
        for w in range(worlds):
            moves[w] = rate[u, w] * heavy_free[w]
        # Who moves over buys the other grade as its users do: in the shares of their ties.
        for to in (other, second[other]):
            if to < 0:
                continue
            for w in range(worlds):
                moved[w] = moves[w] * part[to, w]
            if not whole[to, 0] > 0.0:
                # A line that is new moves over only as its first goods arrive, and orders for more.
                for w in range(worlds):
                    coming[slot[to], w] += moved[w]
                for w in range(worlds):
                    least[w] = stock[0, to, w]
                for b in range(1, classes):
                    for w in range(worlds):
                        least[w] = min(least[w], stock[b, to, w])
                for w in range(worlds):
                    most = MOVE_OVER * classes * least[w] * part[u, w] / weeks
                    moved[w] = min(moved[w], most)
            for w in range(worlds):
                rate[to, w] += moved[w]
            for w in range(worlds):
                rate[u, w] -= moved[w]


@compiled
def draw(each: np.ndarray, stock: np.ndarray, row: int, part: np.ndarray, lacking: Lacking) -> bool:
    """One line's classes (b) draw what each wants (w,) on their stocks (b, u, w): whether any lacks.

    A class that stands counts by the part (u, w) of it that has this tie. Loops are short and write
    one array each, so that they run as vectors.
    """
    worlds = each.shape[0]
    short = 0
    for b in range(stock.shape[0]):
        for w in range(worlds):
            short += 1 if each[w] > stock[b, row, w] else 0
    if short == 0:
        for b in range(stock.shape[0]):
            for w in range(worlds):
                stock[b, row, w] -= each[w]
        return False
    lack = np.empty(worlds)
    for b in range(stock.shape[0]):
        for w in range(worlds):
            lack[w] = _lacking(stock[b, row, w], each[w])
        for w in range(worlds):
            stock[b, row, w] = max(stock[b, row, w] - each[w], 0.0)
        for w in range(worlds):
            lacking.unmet[row, w] += lack[w]
        for w in range(worlds):
            stands = lack[w] * part[row, w] > STOPPED * each[w]
            lacking.stopped[row, w] += part[row, w] if stands else 0.0
    return True


@compiled
def use_up(lines: Lines, plans: Plans, stocks: Stocks, flows: Used) -> None:
    """Users draw on their stock; a class at zero stops.

    Conserves: stocks before and what was received = stocks after + used.
    """
    cell, twin, other, whole = lines.cell, lines.twin, lines.other, lines.whole
    catch_up_share, catch_up_weeks = plans.catch_up_share, plans.catch_up_weeks
    smoothing, weeks = plans.forecast_gain, plans.weeks
    received, postponed, stock, forecast, hold, rate, missing, missed_of, cells_hold = stocks
    planned, wanted, used, unmet, gross, stopped, late, by_cell = flows
    classes, count, worlds = stock.shape
    # Lines that are new: users of the lines they are twins of move over to them.
    slot = np.full(count, -1)
    new = 0
    for u in range(count):
        if twin[u] >= 0 and not whole[twin[u], 0] > 0.0 and slot[twin[u]] < 0:
            for to in (twin[u], other[twin[u]]):
                if to >= 0:
                    slot[to] = new
                    new += 1
    coming = np.zeros((new, worlds))
    want(lines, plans, stock, (flows.planned, rate), (slot, coming))
    each = np.empty(worlds)
    by_cell[...] = 0.0
    cells_hold[...] = 0.0
    unmet[...] = 0.0
    stopped[...] = 0.0
    lacking = Lacking(unmet, stopped)
    late[...] = 0.0
    for u in range(count):
        c = cell[u]
        if holds(postponed[u]):
            for w in range(worlds):
                each[w] = postponed[u, w] / catch_up_weeks[w]
            for w in range(worlds):
                rate[u, w] += each[w]
            for w in range(worlds):
                late[u, w] = each[w] * weeks
            for w in range(worlds):
                postponed[u, w] -= late[u, w]
        for w in range(worlds):
            each[w] = rate[u, w] * (weeks / classes)
        for w in range(worlds):
            wanted[u, w] = rate[u, w] * weeks
        if draw(each, stock, u, lines.part, lacking):
            for w in range(worlds):
                postponed[u, w] += catch_up_share[w] * unmet[u, w]
            for w in range(worlds):
                missing[u, w] += unmet[u, w]
        for w in range(worlds):
            used[u, w] = wanted[u, w] - unmet[u, w]
        for w in range(worlds):
            each[w] = 0.0
        for b in range(classes):
            for w in range(worlds):
                each[w] += stock[b, u, w]
        for w in range(worlds):
            hold[u, w] = each[w]
        for w in range(worlds):
            cells_hold[c, w] += each[w]
        for w in range(worlds):
            missed_of[u, w] += wanted[u, w]
        for w in range(worlds):
            short = planned[u, w] - received[u, w]
            gross[u, w] = short if short > ROUNDING * planned[u, w] else 0.0
        for w in range(worlds):
            by_cell[c, w] += used[u, w]
        for w in range(worlds):
            each[w] = rate[u, w]
        if slot[u] >= 0:
            for w in range(worlds):
                each[w] = max(each[w], coming[slot[u], w])
        for w in range(worlds):
            forecast[u, w] = _follow(forecast[u, w], each[w], smoothing[w])


@compiled
def wants_of_lines(
    lines: tuple[np.ndarray, np.ndarray],
    plans: tuple[np.ndarray, np.ndarray],
    rates: tuple[np.ndarray, np.ndarray, float, float],
    moved: tuple[np.ndarray, np.ndarray, np.ndarray],
    out: tuple[np.ndarray, np.ndarray],
) -> None:
    """Sum over lines of what is expected of their use, by the grade that they will ask for.

    A lasting growth is followed without lag and carried on to the middle of the horizon, a few weeks
    count little.

    Parameters
    ----------
    lines : cell and twin of each line, shape (u,) each
    plans : trend (2, u, w), t/week, moved in place, and planned use (u, w), t of the market day
    rates : gain of the trend (w,), share of heavies that better making still needs (w,),
        weeks a market day, weight of the trend
    moved : shares (u, w) without rare earths; without heavies; without them for good
    out : want, saved, shape (c, w) each
        t/week; raised.
    """
    cell, twin = lines
    trend, planned = plans
    pace, better, weeks, trend_weight = rates
    no_earths, no_heavies, for_good = moved
    want, saved = out
    worlds = planned.shape[1]
    expected = np.empty(worlds)
    for u in range(planned.shape[0]):
        c = cell[u]
        for w in range(worlds):
            trend[0, u, w] = _follow(trend[0, u, w], planned[u, w] / weeks, pace[w])
        for w in range(worlds):
            trend[1, u, w] = _follow(trend[1, u, w], trend[0, u, w], pace[w])
        for w in range(worlds):
            ahead = _carried_on(trend[0, u, w], trend[1, u, w], trend_weight)
            expected[w] = max(ahead, 0.0) * (1.0 - no_earths[u, w])
        if twin[u] < 0:
            for w in range(worlds):
                want[c, w] += expected[w] * (1.0 - no_heavies[u, w])
            continue
        to = cell[twin[u]]
        for w in range(worlds):
            want[c, w] += expected[w] * (1.0 - no_heavies[u, w]) * better[w]
        for w in range(worlds):
            want[to, w] += expected[w] * (1.0 - (1.0 - no_heavies[u, w]) * better[w])
        for w in range(worlds):
            saved[c, w] += expected[w] * (no_heavies[u, w] - for_good[u, w]) * better[w]
