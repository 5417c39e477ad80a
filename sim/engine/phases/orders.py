"""7 Buyers order up to expected use and a cover that rises with fear; habit drifts."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import NONE, compiled
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Weeks of use above what buyers like to hold at which they give up their place in every queue.
FULL_WEEKS = 2.0


def place_orders(m: Market, f: Flows, rules: Conditions) -> None:
    """Order up to expected use and a target cover that rises with perceived risk."""
    lay, st = m.layout, m.state
    extra = NONE
    if rules.stockpiles:
        extra = np.zeros_like(st.public_stock)
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
        st.fear,
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
        m.state.use_growth,
        m.state.users_like,
        placed,
    )
    f.use_rate = m.state.use_rate
    f.ordered = placed
    m.state.days_seen += 1
    if m.state.days_seen % m.slow == 0:
        _offer_again(m, placed)
        _reweigh(m, f, rules)
        _weigh(m)


def _offer_again(m: Market, placed: np.ndarray) -> None:
    """What stays unfilled goes to the links that deliver, at the speed of qualification."""
    lay, st = m.layout, m.state
    moved = np.maximum(st.orders - 2.0 * placed, 0.0)
    if np.any(moved > 0):
        moved *= m.c.habit_gain
        free = st.link_weight * np.where(st.link_fill > 0.9, 1.0, 0.0)
        base = lay.links.sum_by_destination(free)
        total = np.where(base > 0, lay.links.sum_by_destination(moved), 0.0)
        moved = np.where((base > 0)[lay.links.destination], moved, 0.0)
        st.orders += (
            total[lay.links.destination] * free / np.maximum(base, 1e-12)[lay.links.destination]
            - moved
        )


def _weigh(m: Market) -> None:
    """Share of each link in its destination's orders, and the lead that follows."""
    lay, st = m.layout, m.state
    weight = np.maximum(lay.links.sum_by_destination(st.link_weight), 1e-12)
    m.state.link_share = st.link_weight / weight[lay.links.destination]
    m.state.cell_lead = lay.links.sum_by_destination(st.link_weight * m.c.lead) / weight


def _reweigh(m: Market, f: Flows, rules: Conditions) -> None:
    """Buyers drift to the origins that can deliver and are cheap, as fast as they qualify."""
    lay, st = m.layout, m.state
    push = st.shipped
    offer = np.where(lay.groups.made_to_order[:, None], 0.0, push)
    group = lay.groups.of_cell[lay.groups.made_cells]
    potential = f.group_potential[group]
    share = m.c.grade_share
    offer[lay.groups.made_cells] = potential * share
    goal = lay.links.share * offer[lay.links.origin]
    for contract in rules.contracts:
        goal = contract.pull(goal, offer, m)
    for dearer in (rules.import_tariff, rules.trade_cost):
        if dearer is not None:
            goal = goal * (1.0 + np.maximum(dearer, -0.9)) ** (-m.draws["market.armington"])
    if rules.undercut is not None:
        goal = goal * (1.0 - rules.undercut) ** (-m.draws["market.armington"])
    if rules.charge is not None:
        dear = rules.charge / np.exp(st.log_home)[lay.cells.material]
        goal = goal * (1.0 + np.maximum(dear, -0.9))[lay.links.origin] ** (
            -m.draws["market.armington"]
        )
    goal = goal * (0.05 + 0.95 * st.link_fill)
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
    use_growth: np.ndarray,
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
    use, use_growth, users_like : ndarray, shape (c, w)
        ``use`` holds last tick's rate and gets this one's; its growth and the users' target
        stock are written.
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
            use_growth[c, w] = min(max(rate[w] / max(use[c, w], 1e-12), 0.98), 1.02)
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
