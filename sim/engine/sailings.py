"""Goods and ore under way: what sails is in the state until it lands."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled, holds
from lodestone.worlds.coefficients import Routes
from lodestone.worlds.market import Market
from lodestone.worlds.state import Sailing

#: Days after which goods before a closed route try again.
TRY_AGAIN_DAYS = 7.0
#: Part of a day within which a crossing counts as a whole number of market days (rounding).
WHOLE_DAY = 1e-9


def depart(m: Market, routes: Routes, tonnes: np.ndarray, sails: np.ndarray) -> None:
    """Goods (l, w) of the links that ``sails`` (l,) names set sail; deliveries at home have landed."""
    for days, rows in routes:
        going = rows[sails[rows]]
        if days > 0.0 and len(going):
            m.state.sailings.append(Sailing(m.now + days, going, tonnes, ore=False))


def depart_ore(m: Market, tonnes: np.ndarray, sails: np.ndarray) -> None:
    """Ore (k, e, w) of the links that ``sails`` (k,) names sets out; what has no way is there at once."""
    flat = tonnes.reshape(len(tonnes), -1)
    for days, every in m.c.ore_routes:
        rows = every[sails[every]]
        if not len(rows):
            continue
        if days == 0.0:
            _land_ore(m, rows, flat)
        else:
            m.state.sailings.append(Sailing(m.now + days, rows, flat, ore=True))


def land_due(m: Market, now: float) -> None:
    """Land what is due by ``now``, by day and then in the order of departure.

    A route that is open in part (the rules of the last market day) lets that part through; the
    rest tries again a week later.
    """
    sailings = m.state.sailings
    while due := sorted((s for s in sailings if s.day <= now), key=lambda s: s.day):
        sailings[:] = [s for s in sailings if s.day > now]
        for sailing in due:
            if sailing.ore:
                _land_ore(m, sailing.rows, sailing.tonnes)
            else:
                _land_goods(m, sailing)


def _land_goods(m: Market, sailing: Sailing) -> None:
    st, rows, tonnes = m.state, sailing.rows, sailing.tonnes
    if st.route_open is None:
        land_rows(rows, tonnes, st.in_transit, st.landed)
        return
    through, waiting = np.zeros((2, *tonnes.shape))
    through[rows] = tonnes[rows] * st.route_open[rows]
    land_rows(rows, through, st.in_transit, st.landed)
    waiting[rows] = tonnes[rows] - through[rows]
    if np.any(waiting[rows]):
        st.sailings.append(Sailing(sailing.day + TRY_AGAIN_DAYS, rows, waiting, ore=False))


def _land_ore(m: Market, rows: np.ndarray, flat: np.ndarray) -> None:
    """Ore of some links arrives, at the separators or in bond; ``flat`` is (k, e x w)."""
    st, k = m.state, len(flat)
    bonded = m.layout.ore.bond[rows, 0, 0] > 0.0
    for part, stock in ((rows[~bonded], st.ore_landed), (rows[bonded], st.ore_bonded)):
        if len(part):
            under_way, there = st.ore_in_transit.reshape(k, -1), stock.reshape(k, -1)
            land_rows(part, flat, under_way, there)


def already_at_sea(m: Market) -> None:
    """Goods and ore under way on the first day: one sailing for each market day of a crossing."""
    lay, st, days = m.layout, m.state, m.days
    goods = np.array(np.broadcast_to(lay.links.base * m.weeks, st.in_transit.shape))
    goods[lay.links.home] = 0.0
    ore = np.array(np.broadcast_to(lay.ore.base * m.weeks, st.ore_in_transit.shape))
    ore = ore.reshape(len(ore), -1)
    for routes, tonnes, is_ore in ((m.c.sea, goods, False), (m.c.ore_routes, ore, True)):
        for transit, rows in routes:
            for k in range(1, int(np.ceil(transit / days - WHOLE_DAY)) + 1):
                left = max(transit - k * days, 0.0)
                st.sailings.append(Sailing(left, rows, tonnes, is_ore))


@compiled
def land_rows(
    rows: np.ndarray, tonnes: np.ndarray, in_transit: np.ndarray, landed: np.ndarray
) -> None:
    """The rows of a sailing arrive: ``tonnes`` (l, w) of these links moves to landed (l, w)."""
    for i in range(rows.shape[0]):
        row = rows[i]
        if holds(tonnes[row]):
            for w in range(tonnes.shape[1]):
                in_transit[row, w] -= tonnes[row, w]
            for w in range(tonnes.shape[1]):
                landed[row, w] += tonnes[row, w]
