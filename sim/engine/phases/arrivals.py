"""4 What has landed is handed out, the emptiest first; public stocks go to those who lack."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import NONE, compiled
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Share of its target below which a user line hands goods to its emptiest classes first.
LOW_STOCK = 0.9


def hand_out(m: Market, f: Flows, rules: Conditions) -> None:
    """Goods landed since the last market day go to plants and users, emptiest first."""
    lay, st = m.layout, m.state
    piles = rules.stockpiles
    wishes = NONE
    if piles:
        wishes = np.zeros_like(st.public_stock)
        for pile in piles:
            wishes[pile.cells] += pile.wish(m)
    priority = rules.user_priority
    to_users = np.empty_like(st.forecast)
    rate = np.empty_like(st.plant_stock)
    landed, st.landed = st.landed, np.zeros_like(st.landed)
    f.landed = landed
    share_landed(
        landed,
        lay.link_starts,
        lay.user_starts,
        st.forecast,
        m.c.user_weeks,
        m.c.user_cover,
        st.fear,
        NONE if priority is None else priority,
        wishes,
        st.plant_forecast,
        m.c.plant_weeks,
        m.c.urgent_share,
        m.weeks,
        LOW_STOCK,
        m.state.users_hold,
        m.state.thinnest,
        st.user_stock,
        st.plant_stock,
        st.seller_stock,
        to_users,
        rate,
    )
    bought = wishes * rate if piles else np.zeros_like(st.public_stock)
    st.public_stock += bought
    f.to_users, f.bought = to_users, bought


def release_public_stocks(m: Market, f: Flows, rules: Conditions) -> None:
    """Public stocks go to those who may draw and lack most."""
    lay, st = m.layout, m.state
    f.released_public = np.zeros_like(st.public_stock)
    for pile in rules.stockpiles:
        rows, cells = pile.rows, pile.cells
        # A hair over what was wanted last, so that a reserve does not leave crumbs unmet.
        rate = 1.02 * np.maximum(st.forecast[rows], m.state.last_wanted[rows])
        each = rate * (m.weeks / lay.classes)
        lack = np.maximum(each - st.user_stock[:, rows], 0.0) * pile.user_share[rows]
        lack_users = np.zeros((lay.n_cells, st.worlds))
        np.add.at(lack_users, lay.u_cell[rows], lack.sum(axis=0))
        lack_plant = np.maximum(st.plant_forecast[cells] * m.weeks - st.plant_stock[cells], 0.0)
        total = lack_users[cells] + lack_plant
        given = np.where(total > 0.0, pile.release(m, total), 0.0)
        if not np.any(given):
            continue
        rate = np.zeros((lay.n_cells, st.worlds))
        rate[cells] = given / np.where(total > 0.0, total, 1.0)
        st.public_stock[cells] -= given
        st.plant_stock[cells] += lack_plant * rate[cells]
        st.user_stock[:, rows] += lack * rate[lay.u_cell[rows]]
        f.released_public[cells] += given


@compiled
def share_landed(
    landed: np.ndarray,
    link_starts: np.ndarray,
    user_starts: np.ndarray,
    forecast: np.ndarray,
    user_weeks: np.ndarray,
    user_cover: np.ndarray,
    fear: np.ndarray,
    priority: np.ndarray,
    wishes: np.ndarray,
    plant_forecast: np.ndarray,
    plant_weeks: np.ndarray,
    urgent: np.ndarray,
    weeks: float,
    low_stock: float,
    users_hold: np.ndarray,
    thinnest: np.ndarray,
    user_stock: np.ndarray,
    plant_stock: np.ndarray,
    seller_stock: np.ndarray,
    to_users: np.ndarray,
    rate: np.ndarray,
) -> None:
    """Share what has landed over the users and plants of each cell, emptiest classes first.

    Wants are what brings stocks to target. Where a line is below ``low_stock`` of target, class
    ``b`` gets ``((1 - urgent) / classes + urgent gap_b^2)`` of the line's part, scaled to a sum of
    one, with ``gap_b = max(1 - stock / target, 0)``: the emptiest first, nobody nothing.

    Parameters
    ----------
    landed : ndarray, shape (l, w)
        t.
    link_starts, user_starts : ndarray of int, shape (c + 1,)
        Links into and user lines of each cell.
    forecast : ndarray, shape (u, w)
        Expected use, t/week.
    user_weeks : ndarray, shape (u, w)
        Target cover, weeks; ``user_cover`` (b, u, w) the same by class.
    fear : ndarray, shape (c, w)
        Extra cover wanted, share.
    priority : ndarray, shape (u, w) or (0, 0)
        Weight of a line's wants under the allocation rule.
    wishes : ndarray, shape (c, w) or (0, 0)
        What public stockpiles want, t.
    plant_forecast, plant_weeks, plant_stock : ndarray, shape (c, w)
    urgent : ndarray, shape (w,)
        Weight of emptiness where a line runs low.
    low_stock : float
        Share of target below which a line serves its emptiest classes first.
    users_hold, thinnest : ndarray, shape (u, w)
        Stock of each line and of its thinnest class before the arrival.
    user_stock : ndarray, shape (b, u, w)
        Raised in place, as are ``plant_stock`` and, where nobody wants it, ``seller_stock``.
    to_users : ndarray, shape (u, w)
        What lines get, t; written.
    rate : ndarray, shape (c, w)
        Arrival over wants; written (for what stockpiles get).
    """
    classes, _, worlds = user_stock.shape
    arrived = np.empty(worlds)
    total = np.empty(worlds)
    plants = np.empty(worlds)
    low = np.empty(worlds, dtype=np.bool_)
    gap = np.empty(classes)
    for c in range(link_starts.shape[0] - 1):
        for w in range(worlds):
            arrived[w] = 0.0
            total[w] = 0.0
        for i in range(link_starts[c], link_starts[c + 1]):
            for w in range(worlds):
                arrived[w] += landed[i, w]
        for u in range(user_starts[c], user_starts[c + 1]):
            for w in range(worlds):
                target = forecast[u, w] * user_weeks[u, w] * (1.0 + fear[c, w])
                want = max(forecast[u, w] * weeks + target - users_hold[u, w], 0.0)
                to_users[u, w] = want + 1e-9 * forecast[u, w]
            if priority.shape[0] > 0:
                for w in range(worlds):
                    to_users[u, w] *= priority[u, w]
            for w in range(worlds):
                total[w] += to_users[u, w]
        for w in range(worlds):
            target = plant_forecast[c, w] * plant_weeks[c, w] * (1.0 + fear[c, w])
            want = max(plant_forecast[c, w] * weeks + target - plant_stock[c, w], 0.0)
            plants[w] = want + 1e-9 * plant_forecast[c, w]
            total[w] += plants[w]
        if wishes.shape[0] > 0:
            for w in range(worlds):
                total[w] += wishes[c, w]
        # Where nobody wants a landed good any more, traders put it back on the shelf.
        for w in range(worlds):
            if total[w] <= 0.0:
                seller_stock[c, w] += arrived[w]
                rate[c, w] = 0.0
            else:
                rate[c, w] = arrived[w] / total[w]
            plant_stock[c, w] += plants[w] * rate[c, w]
        for u in range(user_starts[c], user_starts[c + 1]):
            runs_low = False
            for w in range(worlds):
                to_users[u, w] *= rate[c, w]
                target = forecast[u, w] * user_weeks[u, w] * (1.0 + fear[c, w])
                first = user_cover[0, u, w] * (forecast[u, w] / classes) * (1.0 + fear[c, w])
                low[w] = (users_hold[u, w] < low_stock * target) | (
                    thinnest[u, w] < low_stock * first
                )
                runs_low |= low[w]
            # Normally every class gets its equal part; a line that runs low serves its emptiest
            # first: the class of least cover runs dry first.
            if not runs_low:
                for b in range(classes):
                    for w in range(worlds):
                        user_stock[b, u, w] += to_users[u, w] / classes
                continue
            for w in range(worlds):
                part = to_users[u, w]
                if not low[w]:
                    for b in range(classes):
                        user_stock[b, u, w] += part / classes
                    continue
                whole = 0.0
                for b in range(classes):
                    target = user_cover[b, u, w] * (forecast[u, w] / classes) * (1.0 + fear[c, w])
                    empty = max(1.0 - user_stock[b, u, w] / max(target, 1e-12), 0.0)
                    gap[b] = (1.0 - urgent[w]) / classes + urgent[w] * (empty * empty)
                    whole += gap[b]
                for b in range(classes):
                    user_stock[b, u, w] += gap[b] / max(whole, 1e-12) * part
