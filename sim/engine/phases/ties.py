"""7 Users who are tied to the home region or to others move over as they qualify new suppliers.

A line of use outside the home region is two lines of the layout: users who buy in the home region, and
users who buy anywhere else. They share prices and needs, but not goods, orders and stocks.
"""

from __future__ import annotations

import numpy as np

from lodestone.equations.allocation import LOW_STOCK
from lodestone.equations.ties import leaving, mixed, requalified, wished_tie
from lodestone.worlds.market import Market


def requalify(m: Market) -> None:
    """Users follow what is expected to come from each tie under the rules, as fast as they qualify.

    Who goes short leaves whatever is expected, and nobody moves to a tie that is shorter or emptier than
    his own. Who comes back to where he bought in the base year is qualified there already.
    Who moves takes along his stock, what he put off and what he has redesigned, and cancels what he has
    on order. Habit of lanes stays as it was under law (`orders.py`): who buys elsewhere may be there
    only for want of better.

    Conserves: stock, postponed use and memories of use, summed over the ties.
    """
    users, st = m.layout.users, m.state
    one, two = users.here, users.other[users.here]
    cell, before = users.cell[one], st.tied[one]
    known = st.tie_share[2 * cell] + st.tie_share[2 * cell + 1] > 0.0
    expected = np.where(known, st.tie_share[2 * cell], before)
    lack = st.missing / np.maximum(st.missed_of, 1e-12)
    goal = wished_tie(before, expected, lack[one], lack[two])
    full = st.users_hold / np.maximum(st.forecast * m.c.user_weeks, 1e-12)
    goal = np.where(full[one] < np.minimum(full[two], LOW_STOCK), np.minimum(goal, before), goal)
    goal = np.where(full[two] < np.minimum(full[one], LOW_STOCK), np.maximum(goal, before), goal)
    now = requalified(before, goal, users.tied[one], (m.c.tie_gain[cell], m.c.return_gain))
    st.tied[one], st.tied[two] = now, 1.0 - now
    away, back = leaving(before, now)
    _cancel(m, away, back)
    for held in (
        st.user_stock, st.users_hold, st.forecast, st.last_wanted, st.want_trend, st.postponed,
        st.missing, st.missed_of,
    ):  # fmt: skip
        moved = held[..., one, :] * away - held[..., two, :] * back
        held[..., one, :] -= moved
        held[..., two, :] += moved
    if len(m.office.rows):
        m.office.meet_users(st.forecast)
    for share in (st.ree_free, st.heavy_free, st.signal):
        first, second = share[..., one, :], share[..., two, :]
        share[..., one, :] = mixed(first, second, before * (1.0 - away), now)
        share[..., two, :] = mixed(second, first, (1.0 - before) * (1.0 - back), 1.0 - now)


def _cancel(m: Market, away: np.ndarray, back: np.ndarray) -> None:
    """Cancel the orders of users who leave a tie: their share (p, w) in what it expects to use."""
    lay, st = m.layout, m.state
    rate = np.repeat(st.plant_forecast, 2, axis=0) * st.tie_share
    np.add.at(rate, lay.users.tie, st.forecast)
    gone = np.zeros_like(rate)
    np.add.at(gone, lay.users.tie[lay.users.here], st.forecast[lay.users.here] * away)
    there = lay.users.other[lay.users.here]
    np.add.at(gone, lay.users.tie[there], st.forecast[there] * back)
    st.orders *= (1.0 - gone / np.maximum(rate, 1e-12))[lay.links.tie]
