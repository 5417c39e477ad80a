"""4 What has landed is handed out, the emptiest first; public stocks go to those who lack."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import NONE, compiled, fill, holds
from lodestone.engine.lanes import sent_along, ways_of
from lodestone.engine.phases.expecting import TRADED_WEEKS
from lodestone.equations import allocation
from lodestone.equations.allocation import LOW_STOCK
from lodestone.equations.lags import gain
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: What public stocks give over what users wanted last, so that they leave no crumbs unmet (A251).
OVER_LACK = 1.02

_wanted = compiled(allocation.wanted_on_arrival)
_weight = compiled(allocation.emptiness_weight)


class Edges(NamedTuple):
    """Rows that belong to each tie of a cell: links and user lines, ``starts`` (2c + 1,)."""

    links: np.ndarray
    users: np.ndarray


class Users(NamedTuple):
    """User lines, their stocks and what they like to hold."""

    forecast: np.ndarray  # (u, w) expected use, t/week
    weeks: np.ndarray  # (u, w) target cover, weeks
    cover: np.ndarray  # (b, u, w) the same by class
    priority: np.ndarray  # (u, w) or (0, 0) weight of a line's wants under the allocation rule
    urgent: np.ndarray  # (w,) weight of emptiness where a line runs low
    hold: np.ndarray  # (u, w) t, before the arrival
    stock: np.ndarray  # (b, u, w) t; raised
    received: np.ndarray  # (u, w) t; written


class Buyers(NamedTuple):
    """Plants and public stocks by cell (c, w)."""

    fear: np.ndarray  # extra cover wanted, share
    wishes: np.ndarray  # what public stocks want, t, or (0, 0)
    input_forecast: np.ndarray  # t/week
    input_weeks: np.ndarray  # weeks of use that plants like to hold
    inputs: np.ndarray  # t; raised
    shelves: np.ndarray  # t of sellers; raised where nobody wants what has landed
    rate: np.ndarray  # arrival over wants; written


class Drawing(NamedTuple):
    """Users who may draw on a public stock."""

    rows: np.ndarray  # (n,) user lines
    cell: np.ndarray  # (n,) of each
    each: np.ndarray  # (n, w) what each class wants of a market day, t
    share: np.ndarray  # (n,) part of the line that may draw


def hand_out(m: Market, f: Flows, rules: Conditions) -> None:
    """Goods landed since the last market day go to plants and users, emptiest first."""
    lay, st = m.layout, m.state
    piles = rules.stockpiles
    wishes = NONE
    if piles or np.any(st.sold_on):
        wishes = st.sold_on.copy()
        for pile in piles:
            wishes[pile.cells] += pile.wish(m)
    priority = rules.user_priority
    to_users = np.empty_like(st.forecast)
    rate = np.empty_like(st.plant_stock)
    landed, st.landed = st.landed, np.zeros_like(st.landed)
    f.landed = landed
    _give_back(m, landed)
    users = Users(
        st.forecast,
        m.c.user_weeks,
        m.c.user_cover,
        NONE if priority is None else priority,
        m.c.urgent_share,
        st.users_hold,
        st.user_stock,
        to_users,
    )
    buyers = Buyers(
        st.fear,
        wishes,
        st.plant_forecast,
        m.c.plant_weeks,
        st.plant_stock,
        st.seller_stock,
        rate,
    )
    share_landed(landed, Edges(lay.links.tie_starts, lay.users.tie_starts), users, buyers, m.weeks)
    bought = np.zeros_like(st.public_stock)
    if wishes is not NONE:
        # Traders shelve what they are to sell on; the rest goes into public stocks.
        st.seller_stock += st.sold_on * rate
        bought = (wishes - st.sold_on) * rate
        st.public_stock += bought
    f.to_users, f.bought = to_users, bought


def _give_back(m: Market, landed: np.ndarray) -> None:
    """Traders who find no buyer abroad any more sell what they hold to the users around them.

    ``landed`` (l, w) is raised by it, on the last lane into each place.
    """
    lay, st = m.layout, m.state
    rows = m.law.trades_only
    sent = np.empty((len(rows), st.worlds))
    sent_along(ways_of(lay.links), st.lane_flow, rows, sent)
    kept = TRADED_WEEKS * (st.made_expected[rows] + st.plant_output[rows]) + TRADED_WEEKS * sent
    back = np.maximum(st.seller_stock[rows] - kept, 0.0) * gain(m.weeks, TRADED_WEEKS)
    if not np.any(back):
        return
    st.seller_stock[rows] -= back
    landed[lay.links.starts[rows + 1] - 1] += back


def release_public_stocks(m: Market, f: Flows, rules: Conditions) -> None:
    """Public stocks go to those who may draw and lack most."""
    lay, st = m.layout, m.state
    f.released_public = np.zeros_like(st.public_stock)
    for pile in rules.stockpiles:
        rows, cells = pile.rows, pile.cells
        if not np.any(st.public_stock[cells]):
            continue
        # A hair over what was wanted last, so that a reserve does not leave crumbs unmet.
        rate = OVER_LACK * np.maximum(st.forecast[rows], st.last_wanted[rows])
        each = rate * (m.weeks / lay.classes)
        users = Drawing(rows, lay.users.cell[rows], each, pile.user_share[rows, 0])
        lack_users = np.zeros((lay.cells.n, st.worlds))
        lacked_by_users(users, st.user_stock, lack_users)
        lack_plant = np.maximum(st.plant_forecast[cells] * m.weeks - st.plant_stock[cells], 0.0)
        lack_plant = lack_plant * pile.plant_share
        total = lack_users[cells] + lack_plant
        given = np.where(total > 0.0, pile.release(m, total), 0.0)
        if not np.any(given):
            continue
        part = np.zeros((lay.cells.n, st.worlds))
        part[cells] = given / np.where(total > 0.0, total, 1.0)
        st.public_stock[cells] -= given
        st.plant_stock[cells] += lack_plant * part[cells]
        give_to_users(users, part, st.user_stock)
        f.released_public[cells] += given


@compiled
def lacked_by_users(users: Drawing, stock: np.ndarray, lack: np.ndarray) -> None:
    """Add to each cell (c, w) what its users lack for a market day, class by class, t."""
    worlds = stock.shape[2]
    of_line = np.empty(worlds)
    for n in range(users.rows.shape[0]):
        u, c, share = users.rows[n], users.cell[n], users.share[n]
        fill(of_line, 0.0)
        for b in range(stock.shape[0]):
            for w in range(worlds):
                of_line[w] += max(users.each[n, w] - stock[b, u, w], 0.0) * share
        for w in range(worlds):
            lack[c, w] += of_line[w]


@compiled
def give_to_users(users: Drawing, part: np.ndarray, stock: np.ndarray) -> None:
    """Fill a part (c, w) of what each class of users lacks, t; ``stock`` (b, u, w) is raised."""
    for n in range(users.rows.shape[0]):
        u, c, share = users.rows[n], users.cell[n], users.share[n]
        if not holds(part[c]):
            continue
        for b in range(stock.shape[0]):
            for w in range(stock.shape[2]):
                lack = max(users.each[n, w] - stock[b, u, w], 0.0) * share
                stock[b, u, w] += lack * part[c, w]


@compiled
def share_landed(
    landed: np.ndarray, edges: Edges, users: Users, buyers: Buyers, weeks: float
) -> None:
    """Share what has landed (l, w) over the users and plants of each cell, emptiest classes first.

    Wants are what brings stocks to target. Users get what has landed from where they are tied; plants,
    traders and public stocks want of each tie in proportion to what has landed from there.

    Conserves: what landed = what users, plants, public stocks and shelves get.
    """
    inputs, rate = buyers.inputs, buyers.rate
    cells, worlds = rate.shape
    arrived, total, plants = np.empty((2, worlds)), np.empty(worlds), np.empty(worlds)
    claims, of_tie = np.empty(worlds), np.empty(worlds)
    for c in range(cells):
        for k in range(2):
            fill(arrived[k], 0.0)
            for i in range(edges.links[2 * c + k], edges.links[2 * c + k + 1]):
                if holds(landed[i]):
                    for w in range(worlds):
                        arrived[k, w] += landed[i, w]
        for w in range(worlds):
            weighed = buyers.input_forecast[c, w]
            target = weighed * buyers.input_weeks[c, w] * (1.0 + buyers.fear[c, w])
            plants[w] = _wanted(weighed, weeks, target, inputs[c, w])
        for w in range(worlds):
            claims[w] = plants[w]
        if buyers.wishes.shape[0] > 0:
            for w in range(worlds):
                claims[w] += buyers.wishes[c, w]
        fill(rate[c], 0.0)
        for k in range(2):
            first, last = edges.users[2 * c + k], edges.users[2 * c + k + 1]
            if first == last and not holds(arrived[k]):
                continue
            for w in range(worlds):
                whole = arrived[0, w] + arrived[1, w]
                of_tie[w] = arrived[k, w] / whole if whole > 0.0 else 0.0
            for w in range(worlds):
                total[w] = claims[w] * of_tie[w]
            for u in range(first, last):
                for w in range(worlds):
                    target = users.forecast[u, w] * users.weeks[u, w] * (1.0 + buyers.fear[c, w])
                    wanted = _wanted(users.forecast[u, w], weeks, target, users.hold[u, w])
                    users.received[u, w] = wanted
                if users.priority.shape[0] > 0:
                    for w in range(worlds):
                        users.received[u, w] *= users.priority[u, w]
                for w in range(worlds):
                    total[w] += users.received[u, w]
            # Where nobody wants a landed good any more, traders put it back on the shelf.
            for w in range(worlds):
                if total[w] <= 0.0:
                    buyers.shelves[c, w] += arrived[k, w]
                    total[w] = 0.0
                else:
                    total[w] = arrived[k, w] / total[w]
                rate[c, w] += of_tie[w] * total[w]
            for u in range(first, last):
                for w in range(worlds):
                    users.received[u, w] *= total[w]
                _into_stock(users, u, buyers.fear[c])
        for w in range(worlds):
            inputs[c, w] += plants[w] * rate[c, w]


@compiled
def _into_stock(users: Users, u: int, fear: np.ndarray) -> None:
    """What a line has received goes to its classes: equally, or to the emptiest first.

    Where a line is below ``LOW_STOCK`` of target, class ``b`` gets
    ``((1 - urgent) / classes + urgent gap_b^2)`` of the line's part, scaled to a sum of one, with
    ``gap_b = max(1 - stock / target, 0)``: the emptiest first, nobody nothing. ``fear`` (w,) raises
    targets.
    """
    forecast, cover, stock = users.forecast, users.cover, users.stock
    classes, _, worlds = stock.shape
    low = np.empty(worlds, dtype=np.bool_)
    gap = np.empty(classes)
    runs_low = False
    for w in range(worlds):
        target = forecast[u, w] * users.weeks[u, w] * (1.0 + fear[w])
        first = cover[0, u, w] * (forecast[u, w] / classes) * (1.0 + fear[w])
        low[w] = (users.hold[u, w] < LOW_STOCK * target) | (stock[0, u, w] < LOW_STOCK * first)
        runs_low |= low[w]
    if not runs_low:
        for b in range(classes):
            for w in range(worlds):
                stock[b, u, w] += users.received[u, w] / classes
        return
    for w in range(worlds):
        part = users.received[u, w]
        if not low[w]:
            for b in range(classes):
                stock[b, u, w] += part / classes
            continue
        whole = 0.0
        for b in range(classes):
            target = cover[b, u, w] * (forecast[u, w] / classes) * (1.0 + fear[w])
            gap[b] = _weight(stock[b, u, w], target, users.urgent[w], classes)
            whole += gap[b]
        for b in range(classes):
            stock[b, u, w] += gap[b] / max(whole, 1e-12) * part
