"""7 Users who are tied to the home region or to others move over as they qualify new suppliers.

A line of use outside the home region is two lines of the layout: users who buy in the home region, and
users who buy anywhere else. They share prices and needs, but not goods, orders and stocks.
"""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled, holds
from lodestone.equations import ties
from lodestone.equations.allocation import LOW_STOCK
from lodestone.worlds.market import Market

_mixed = compiled(ties.mixed)


def requalify(m: Market) -> None:
    """Users follow what is expected to come from each tie under the rules, as fast as they qualify.

    Who goes short leaves whatever is expected, and nobody moves to a tie that is shorter or emptier than
    his own. Who comes back to where he bought in the base year is qualified there already.
    Who moves takes along his stock, what he put off and what he has redesigned, and cancels what he has
    on order. Habit of lanes stays as it was under law (`orders.py`): who buys elsewhere may be there
    only for want of better.

    Conserves: stock, postponed use and memories of use, summed over the ties.
    """
    lay, users, st = m.layout, m.layout.users, m.state
    one, two = users.here, users.there
    cell, before = users.cell[one], st.tied[one]
    known = st.tie_share[2 * cell] + st.tie_share[2 * cell + 1] > 0.0
    goal = np.where(known, st.tie_share[2 * cell], before)
    lack = [st.missing[rows] / np.maximum(st.missed_of[rows], 1e-12) for rows in (one, two)]
    goal = ties.wished_tie(before, goal, *lack)
    full, other = (
        st.users_hold[rows] / np.maximum(st.forecast[rows] * m.c.user_weeks[rows], 1e-12)
        for rows in (one, two)
    )
    goal = np.where(full < np.minimum(other, LOW_STOCK), np.minimum(goal, before), goal)
    goal = np.where(other < np.minimum(full, LOW_STOCK), np.maximum(goal, before), goal)
    now = ties.requalified(before, goal, users.tied[one], (m.c.tie_gain[cell], m.c.return_gain))
    away, back = ties.leaving(before, now)
    rate = np.repeat(st.plant_forecast, 2, axis=0) * st.tie_share
    gone = np.zeros_like(rate)
    leave((one, two, users.tie), (away, back), st.forecast, rate, gone)
    st.orders *= (1.0 - gone / np.maximum(rate, 1e-12))[lay.links.tie]
    held = [st.users_hold, st.forecast, st.last_wanted, st.postponed, st.missing, st.missed_of]
    for values in (*st.user_stock, *st.want_trend, *held):
        move((one, two), (away, back), values)
    for share in (st.ree_free, st.heavy_free, *st.signal):
        mix((one, two), (before, now), share)
    st.tied[one], st.tied[two] = now, 1.0 - now
    if len(m.office.rows):
        m.office.meet_users(st.forecast)


@compiled
def leave(
    lines: tuple[np.ndarray, np.ndarray, np.ndarray],
    moving: tuple[np.ndarray, np.ndarray],
    forecast: np.ndarray,
    rate: np.ndarray,
    gone: np.ndarray,
) -> None:
    """Expected use of each tie, and of those who leave it, t/week, (2c, w): ``rate`` raised, ``gone``.

    ``lines`` are the lines (p,) of the first tie, those of the second, and the tie of each line (u,);
    ``moving`` the share of each (p, w) that leaves it.
    """
    one, two, tie = lines
    away, back = moving
    for u in range(forecast.shape[0]):
        for w in range(forecast.shape[1]):
            rate[tie[u], w] += forecast[u, w]
    for p in range(one.shape[0]):
        u, v = one[p], two[p]
        for w in range(forecast.shape[1]):
            gone[tie[u], w] += forecast[u, w] * away[p, w]
        for w in range(forecast.shape[1]):
            gone[tie[v], w] += forecast[v, w] * back[p, w]


@compiled
def move(
    lines: tuple[np.ndarray, np.ndarray], moving: tuple[np.ndarray, np.ndarray], values: np.ndarray
) -> None:
    """Who moves takes along his part of some tonnes (u, w), in place; both ties together keep them."""
    one, two = lines
    away, back = moving
    for p in range(one.shape[0]):
        u, v = one[p], two[p]
        if not (holds(values[u]) or holds(values[v])):
            continue
        for w in range(values.shape[1]):
            moved = values[u, w] * away[p, w] - values[v, w] * back[p, w]
            values[u, w] -= moved
            values[v, w] += moved


@compiled
def mix(
    lines: tuple[np.ndarray, np.ndarray], shares: tuple[np.ndarray, np.ndarray], level: np.ndarray
) -> None:
    """Who moves brings his level of something (u, w) to the mean of those he joins, in place.

    ``shares`` (p, w) are the users of the first tie, before and now.
    """
    one, two = lines
    before, now = shares
    for p in range(one.shape[0]):
        u, v = one[p], two[p]
        if not (holds(level[u]) or holds(level[v])):
            continue
        for w in range(level.shape[1]):
            first, second = level[u, w], level[v, w]
            level[u, w] = _mixed(first, second, min(before[p, w], now[p, w]), now[p, w])
            stayed = 1.0 - max(before[p, w], now[p, w])
            level[v, w] = _mixed(second, first, stayed, 1.0 - now[p, w])
