"""7 Buyers order up to expected use and a cover that rises with fear; habit drifts."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import NONE, compiled
from lodestone.engine.phases.expecting import hold_less, sold_on, weights
from lodestone.equations.lags import gain
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Weeks of use above what buyers like to hold at which they give up their place in every queue.
FULL_WEEKS = 2.0
#: Part of what a link is expected to bring that it takes in orders from those that do not deliver.
ROOM = 0.3
#: Weeks of what a link is expected to bring beyond which its queue is full.
QUEUE_WEEKS = 2.0
#: Weeks in which traders build up what they sell on (A303).
TRADERS_WEEKS = 13.0


def place_orders(m: Market, f: Flows, rules: Conditions) -> None:
    """Order up to expected use and a target cover that rises with perceived risk."""
    lay, st = m.layout, m.state
    weigh(m)
    st.sold_on += (sold_on(m) * m.weeks - st.sold_on) * gain(m.weeks, TRADERS_WEEKS)
    extra = NONE
    if rules.stockpiles or np.any(st.sold_on):
        extra = st.sold_on.copy()
        for pile in rules.stockpiles:
            extra[pile.cells] += pile.wish(m)
    placed = np.empty_like(st.orders)
    order_up_to(
        lay.links.starts,
        lay.users.starts,
        st.forecast,
        m.c.user_weeks,
        st.plant_forecast,
        m.c.plant_weeks,
        st.plant_stock,
        m.state.cells_hold,
        (1.0 + st.fear) * hold_less(m) - 1.0,
        st.in_transit,
        st.held if m.state.customs_hold else NONE,
        m.state.cell_lead,
        extra,
        m.state.link_share,
        m.c.wait_gain,
        m.c.adjust_gain,
        m.c.cancel_share,
        m.weeks,
        st.orders,
        st.wait,
        m.state.use_rate,
        m.state.users_like,
        placed,
    )
    f.use_rate = m.state.use_rate
    f.ordered = placed
    _offer_again(m, placed)
    m.state.days_seen += 1
    if m.state.days_seen % m.slow == 0:
        _reweigh(m, f, rules)


def _offer_again(m: Market, placed: np.ndarray) -> None:
    """What stays unfilled goes to the links that deliver, as buyers review their suppliers (A257).

    A link that delivers takes at most ``ROOM`` of what it is expected to bring on top.
    """
    lay, st = m.layout, m.state
    moved = np.maximum(st.orders - 2.0 * placed, 0.0)
    if not np.any(moved > 0):
        return
    moved *= m.c.fill_gain
    # A link with less than a fortnight's queue takes orders.
    free = np.where(st.orders < QUEUE_WEEKS * st.lane_flow, st.lane_flow, 0.0)
    base = lay.links.sum_by_destination(free)
    total = lay.links.sum_by_destination(moved)
    part = np.minimum(ROOM * m.weeks * base / np.maximum(total, 1e-12), 1.0)
    moved *= part[lay.links.destination]
    share = (total * part) / np.maximum(base, 1e-12)
    st.orders += share[lay.links.destination] * free - moved


def weigh(m: Market) -> None:
    """Share of each link in its destination's orders, and the lead that follows.

    Buyers order by what a lane is expected to bring: nothing where all is banned.
    """
    lay, st = m.layout, m.state
    brings = weights(m, under_law=True)
    whole = np.maximum(lay.links.sum_by_destination(brings), 1e-12)
    st.link_share = brings / whole[lay.links.destination]
    st.cell_lead = lay.links.sum_by_destination(brings * m.c.lead) / whole


def _reweigh(m: Market, f: Flows, rules: Conditions) -> None:
    """Habit follows what lanes are offered, as fast as buyers qualify; it is frozen under law."""
    lay, st = m.layout, m.state
    goal = weights(m, under_law=False)
    if rules.contracts:
        offer = np.where(lay.groups.made_to_order[:, None], 0.0, st.shipped)
        group = lay.groups.of_cell[lay.groups.made_cells]
        offer[lay.groups.made_cells] = f.group_potential[group] * m.c.grade_share
        for contract in rules.contracts:
            goal = contract.pull(goal, offer, m)
    if st.lane_bound is not None:
        goal = np.where(st.lane_bound, st.link_weight, goal)
    st.link_weight += (goal - st.link_weight) * m.c.habit_gain


@compiled
def order_up_to(
    link_starts: np.ndarray,
    user_starts: np.ndarray,
    forecast: np.ndarray,
    user_weeks: np.ndarray,
    plant_forecast: np.ndarray,
    plant_weeks: np.ndarray,
    plant_stock: np.ndarray,
    cells_hold: np.ndarray,
    fear: np.ndarray,
    in_transit: np.ndarray,
    held: np.ndarray,
    lead: np.ndarray,
    extra: np.ndarray,
    link_share: np.ndarray,
    wait_gain: np.ndarray,
    adjust: np.ndarray,
    cancel: np.ndarray,
    weeks: float,
    orders: np.ndarray,
    wait: np.ndarray,
    use: np.ndarray,
    users_like: np.ndarray,
    placed: np.ndarray,
) -> None:
    """Order up to expected use and target cover; cancel what is too much.

    Parameters
    ----------
    link_starts, user_starts : ndarray of int, shape (c + 1,)
    forecast, user_weeks : ndarray, shape (u, w)
    plant_forecast, plant_weeks, plant_stock, cells_hold, fear, lead : ndarray, shape (c, w)
        Expected need and cover of plants; stocks of plants and users; extra cover wanted; weeks
        under way.
    in_transit : ndarray, shape (l, w)
        ``held`` (l, w) or (0, 0): goods held by customs count as under way.
    extra : ndarray, shape (c, w) or (0, 0)
        What public stockpiles order on top, t.
    link_share : ndarray, shape (l, w)
        Share of each link in its destination's orders.
    wait_gain, adjust, cancel : ndarray, shape (w,)
        Gains of what buyers learn about waiting and of stock adjustment; share of an excess that
        is cancelled; of the open orders, too, once shelves are full.
    orders, wait : ndarray
        Unfilled orders (l, w) and expected wait (c, w); changed in place.
    use, users_like : ndarray, shape (c, w)
        ``use`` holds last tick's rate and gets this one's; the users' target stock
        is written.
    placed : ndarray, shape (l, w)
        New orders, t; written.
    """
    worlds = orders.shape[1]
    rate = np.empty(worlds)
    under_way = np.empty(worlds)
    book = np.empty(worlds)
    order = np.empty(worlds)
    keep = np.empty(worlds)
    for c in range(link_starts.shape[0] - 1):
        first, last = link_starts[c], link_starts[c + 1]
        for w in range(worlds):
            rate[w] = 0.0
            users_like[c, w] = 0.0
            under_way[w] = 0.0
            book[w] = 0.0
        for u in range(user_starts[c], user_starts[c + 1]):
            for w in range(worlds):
                rate[w] += forecast[u, w]
                users_like[c, w] += forecast[u, w] * user_weeks[u, w]
        for i in range(first, last):
            for w in range(worlds):
                under_way[w] += in_transit[i, w]
                book[w] += orders[i, w]
        if held.shape[0] > 0:
            for i in range(first, last):
                for w in range(worlds):
                    under_way[w] += held[i, w]
        cancelled = False
        for w in range(worlds):
            rate[w] += plant_forecast[c, w]
            likes = users_like[c, w] + plant_forecast[c, w] * plant_weeks[c, w]
            target = likes * (1.0 + fear[c, w])
            # Buyers learn how long orders wait (for licences, quota, stock) and order ahead.
            waiting = min(book[w] / max(rate[w], 1e-9), 26.0)
            wait[c, w] += (waiting - wait[c, w]) * wait_gain[w]
            on_hand = cells_hold[c, w] + plant_stock[c, w]
            gap = target + rate[w] * (lead[c, w] + wait[c, w]) - on_hand - under_way[w] - book[w]
            order[w] = rate[w] * weeks + gap * adjust[w]
            use[c, w] = rate[w]
            # Whoever has full shelves needs no place in a queue.
            full = on_hand + under_way[w] - target - rate[w] * lead[c, w]
            if full > 0.0:
                sure = min(full / max(FULL_WEEKS * rate[w], 1e-12), 1.0)
                idle = sure * max(book[w] - rate[w] * weeks, 0.0)
            else:
                idle = 0.0
            excess = min(max(-order[w], idle) * cancel[w], book[w])
            keep[w] = 1.0 - excess / max(book[w], 1e-12)
            cancelled |= excess > 0.0
            order[w] = max(order[w], 0.0)
        if extra.shape[0] > 0:
            for w in range(worlds):
                order[w] += extra[c, w]
        if cancelled:
            for i in range(first, last):
                for w in range(worlds):
                    orders[i, w] *= keep[w]
        for i in range(first, last):
            for w in range(worlds):
                placed[i, w] = order[w] * link_share[i, w]
                orders[i, w] += placed[i, w]
