"""7 Buyers order up to expected use and a cover that rises with fear, each where he is tied; habit drifts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import NONE, compiled, fill, holds
from lodestone.engine.lanes import Ties, all_bring, split_orders, ways_of
from lodestone.engine.phases.expecting import brought_and_smuggled, hold_less, offered, sold_on
from lodestone.engine.phases.ties import requalify
from lodestone.equations import demand
from lodestone.equations.lags import follow, gain
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


class Goods(NamedTuple):
    """What buyers hold and what is on its way to them, t."""

    users: np.ndarray  # (u, w)
    plants: np.ndarray  # (c, w)
    in_transit: np.ndarray  # (l, w)
    held: np.ndarray  # (l, w) or (0, 0) by customs, which counts as under way


class Needs(NamedTuple):
    """What buyers expect to use, and what they like to hold for it."""

    users: np.ndarray  # (2c + 1,) user lines of each tie
    forecast: np.ndarray  # (u, w) of users, t/week
    user_weeks: np.ndarray  # (u, w) weeks of it that they like to hold
    plant_forecast: np.ndarray  # (c, w) of plants, t/week
    plant_weeks: np.ndarray  # (c, w)
    lasting: np.ndarray  # (c, w) use that is taken for lasting over use expected now
    fear: np.ndarray  # (c, w) extra cover wanted, share
    part: np.ndarray  # (2c, w) share of each tie in what is to come: plants buy so
    lead: np.ndarray  # (2c, w) weeks under way
    extra: np.ndarray  # (c, w) or (0, 0) what traders and public stocks order on top, t
    weeks: float  # length of the market day


class Habits(NamedTuple):
    """How fast buyers answer."""

    wait_gain: np.ndarray  # (w,) of what they learn about waiting
    adjust_gain: np.ndarray  # (w,) of stocks
    cancel_share: np.ndarray  # (w,) of an excess; of open orders, too, once shelves are full
    fill_gain: float  # of moving unfilled orders


class Book(NamedTuple):
    """Order books of links, sorted by destination and tie; changed in place."""

    starts: np.ndarray  # (2c + 1,) links of each tie
    share: np.ndarray  # (l, w) share of each link in its destination's orders (read)
    flow: np.ndarray  # (l, w) what it is seen to bring, t/week (read)
    orders: np.ndarray  # (l, w) unfilled, t
    filed: np.ndarray  # (l, w) or (0, 0) what of them lies with a licence office (read)
    placed: np.ndarray  # (l, w) new, t; written
    wait: np.ndarray  # (2c, w) expected, weeks
    use: np.ndarray  # (c, w) t/week; written
    users_like: np.ndarray  # (c, w) the stock that users like, t; written


def place_orders(m: Market, f: Flows, rules: Conditions) -> None:
    """Order up to expected use and a target cover that rises with perceived risk."""
    lay, st = m.layout, m.state
    m.held_less = hold_less(m)
    # Of today's expectations: yesterday's may be nothing where a works stood, and today's not.
    use_now = lay.users.by_cell.spread(st.forecast, lay.cells.n) + st.plant_forecast
    st.use_usual = follow(st.use_usual, use_now, m.c.target_gain)
    f.lasting = demand.lasting_share(st.use_usual, use_now)
    flow = brought_and_smuggled(m, rules)
    weigh(m, flow)
    st.sold_on += (sold_on(m) * m.weeks - st.sold_on) * gain(m.weeks, TRADERS_WEEKS)
    extra = NONE
    if rules.stockpiles or np.any(st.sold_on):
        extra = st.sold_on.copy()
        for pile in rules.stockpiles:
            extra[pile.cells] += pile.wish(m)
    placed = np.empty_like(st.orders)
    goods = Goods(
        st.users_hold,
        st.plant_stock,
        st.in_transit,
        st.held if st.customs_hold else NONE,
    )
    needs = Needs(
        lay.users.tie_starts,
        st.forecast,
        m.c.user_weeks,
        st.plant_forecast,
        m.c.plant_weeks,
        f.lasting,
        (1.0 + st.fear) * m.held_less - 1.0,
        st.tie_share,
        st.tie_lead,
        extra,
        m.weeks,
    )
    habits = Habits(m.c.wait_gain, m.c.adjust_gain, m.c.cancel_share, m.c.fill_gain)
    book = Book(
        lay.links.tie_starts,
        st.link_share,
        flow,
        st.orders,
        m.office.waiting(st),
        placed,
        st.wait,
        st.use_rate,
        st.users_like,
    )
    order_up_to(goods, needs, habits, book)
    f.use_rate = m.state.use_rate
    f.ordered = placed
    m.state.days_seen += 1
    if m.state.days_seen % m.slow == 0:
        _reweigh(m, f, rules)
        requalify(m)


def weigh(m: Market, flow: np.ndarray) -> None:
    """Share of each link and tie in what is to come to its destination, and the lead that follows.

    Buyers order by what lanes are to bring (l, w), t/week: under the rules, and smugglers beside it.
    """
    st, ways = m.state, ways_of(m.layout.links)
    ties = Ties(m.layout.links.tie_starts, st.tie_share, st.tie_lead)
    split_orders(ways, offered(m, flow), m.c.lead, st.link_share, ties)


def _reweigh(m: Market, f: Flows, rules: Conditions) -> None:
    """Habit follows what lanes are offered, as fast as buyers qualify; it is frozen under law."""
    lay, st = m.layout, m.state
    goal = np.empty_like(st.link_weight)
    all_bring(ways_of(lay.links), offered(m, st.lane_wish), goal)
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
def order_up_to(goods: Goods, needs: Needs, habits: Habits, book: Book) -> None:
    """Order up to expected use and target cover; cancel what is too much, offer again what waits.

    Users order where they are tied, in the shares of their links; plants, traders and public stocks
    buy wherever something is to come from.

    Parameters
    ----------
    goods : Goods
    needs : Needs
    habits : Habits
    book : Book
        Orders, waits and what users like to hold are changed in place.
    """
    orders, placed, wait = book.orders, book.placed, book.wait
    weeks, worlds = needs.weeks, orders.shape[1]
    rate, under_way, waits = np.empty(worlds), np.empty(worlds), np.empty(worlds)
    order, keep, full = np.empty(worlds), np.empty(worlds), np.empty(worlds)
    target, on_hand, waiting = np.empty(worlds), np.empty(worlds), np.empty(worlds)
    for c in range(book.use.shape[0]):
        fill(book.use[c], 0.0)
        fill(book.users_like[c], 0.0)
    for t in range(book.starts.shape[0] - 1):
        c, first, last = t // 2, book.starts[t], book.starts[t + 1]
        if first == last:
            continue
        part = needs.part[t]
        _wanted_and_held(goods, needs, t, (rate, target, on_hand))
        fill(under_way, 0.0)
        fill(waits, 0.0)
        for i in range(first, last):
            if holds(goods.in_transit[i]):
                for w in range(worlds):
                    under_way[w] += goods.in_transit[i, w]
            if holds(orders[i]):
                for w in range(worlds):
                    waits[w] += orders[i, w]
        if goods.held.shape[0] > 0:
            for i in range(first, last):
                for w in range(worlds):
                    under_way[w] += goods.held[i, w]
        for w in range(worlds):
            target[w] *= needs.lasting[c, w]
        for w in range(worlds):
            book.users_like[c, w] += target[w]
        for w in range(worlds):
            rate[w] += needs.plant_forecast[c, w] * part[w]
        for w in range(worlds):
            # Buyers learn how long orders wait (for licences, quota, stock) and order ahead.
            waiting[w] = min(waits[w] / max(rate[w], 1e-9), 26.0)
            wait[t, w] += (waiting[w] - wait[t, w]) * habits.wait_gain[w]
        for w in range(worlds):
            inputs = needs.plant_forecast[c, w] * part[w] * needs.plant_weeks[c, w]
            inputs *= needs.lasting[c, w]
            target[w] = (target[w] + inputs) * (1.0 + needs.fear[c, w])
        for w in range(worlds):
            on_hand[w] += goods.plants[c, w] * part[w]
        for w in range(worlds):
            ahead = min(wait[t, w], waiting[w])  # nobody joins a queue that is gone
            order[w] = target[w] + rate[w] * (needs.lead[t, w] + ahead)
        for w in range(worlds):
            gap = order[w] - on_hand[w] - under_way[w] - waits[w]
            order[w] = rate[w] * weeks + gap * habits.adjust_gain[w]
        # Whoever has full shelves needs no place in a queue.
        for w in range(worlds):
            full[w] = on_hand[w] + under_way[w] - target[w] - rate[w] * needs.lead[t, w]
        for w in range(worlds):
            sure = min(full[w] / max(FULL_WEEKS * rate[w], 1e-12), 1.0)
            idle = sure * max(waits[w] - rate[w] * weeks, 0.0)
            full[w] = idle if full[w] > 0.0 else 0.0
        for w in range(worlds):
            excess = min(max(-order[w], full[w]) * habits.cancel_share[w], waits[w])
            keep[w] = 1.0 - excess / max(waits[w], 1e-12)
        cancelled = False
        for w in range(worlds):
            cancelled |= keep[w] < 1.0
        for w in range(worlds):
            book.use[c, w] += rate[w]
        for w in range(worlds):
            order[w] = max(order[w], 0.0)
        if needs.extra.shape[0] > 0:
            for w in range(worlds):
                order[w] += needs.extra[c, w] * part[w]
        if cancelled:
            for i in range(first, last):
                for w in range(worlds):
                    orders[i, w] *= keep[w]
        for i in range(first, last):
            if holds(book.share[i]):
                for w in range(worlds):
                    placed[i, w] = order[w] * book.share[i, w] / max(part[w], 1e-12)
                for w in range(worlds):
                    orders[i, w] += placed[i, w]
            else:
                fill(placed[i], 0.0)
        _offer_again(book, habits.fill_gain, weeks, t)


@compiled
def _wanted_and_held(
    goods: Goods, needs: Needs, t: int, users: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """What the users of a tie expect to use, t/week, like to hold and hold, t, (w,) each: ``users``."""
    rate, target, on_hand = users
    worlds = rate.shape[0]
    for values in users:
        fill(values, 0.0)
    for u in range(needs.users[t], needs.users[t + 1]):
        for w in range(worlds):
            rate[w] += needs.forecast[u, w]
        for w in range(worlds):
            target[w] += needs.forecast[u, w] * needs.user_weeks[u, w]
        for w in range(worlds):
            on_hand[w] += goods.users[u, w]


@compiled
def _offer_again(book: Book, fill_gain: float, weeks: float, t: int) -> None:
    """What stays unfilled goes to links of the tie that deliver, as buyers review suppliers (A257).

    A link that delivers takes at most ``ROOM`` of what it is expected to bring on top, and only with
    less than a fortnight's queue. What lies with a licence office waits; it has not failed.
    """
    first, last = book.starts[t], book.starts[t + 1]
    orders, flow, worlds = book.orders, book.flow, book.orders.shape[1]
    waiting = False
    for i in range(first, last):
        for w in range(worlds):
            waiting |= orders[i, w] > 2.0 * book.placed[i, w]
    if not waiting:
        return
    moved, free = np.empty((last - first, worlds)), np.empty((last - first, worlds))
    base, total, lies = np.zeros(worlds), np.zeros(worlds), np.empty(worlds)
    filed = book.filed.shape[0] > 0
    for n in range(last - first):
        for w in range(worlds):
            lies[w] = book.filed[first + n, w] if filed else 0.0
        for w in range(worlds):
            waits = orders[first + n, w] - lies[w] - 2.0 * book.placed[first + n, w]
            moved[n, w] = max(waits, 0.0) * fill_gain
        for w in range(worlds):
            takes = orders[first + n, w] - lies[w] < QUEUE_WEEKS * flow[first + n, w]
            free[n, w] = flow[first + n, w] if takes else 0.0
        for w in range(worlds):
            base[w] += free[n, w]
        for w in range(worlds):
            total[w] += moved[n, w]
    for w in range(worlds):
        part = min(ROOM * weeks * base[w] / max(total[w], 1e-12), 1.0)
        base[w] = total[w] * part / max(base[w], 1e-12)
        total[w] = part
    for n in range(last - first):
        for w in range(worlds):
            orders[first + n, w] += base[w] * free[n, w] - moved[n, w] * total[w]
