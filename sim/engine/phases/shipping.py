"""8 Regimes say what may leave; sellers share out what they have; goods set sail."""

from __future__ import annotations

from typing import NamedTuple, overload

import numpy as np

from lodestone.engine.compiling import compiled, holds
from lodestone.engine.sailings import depart
from lodestone.equations import trade
from lodestone.equations.lags import toward
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Share of their normal stock at which buyers have caught up (A250).
FILLED = 0.98


def ship(m: Market, f: Flows, rules: Conditions) -> None:
    """Regimes say what may leave; sellers share out what they have; goods set sail."""
    lay, st, weeks, d = m.layout, m.state, m.weeks, m.draws
    may = st.orders
    restricted = None
    for share in (rules.passes, rules.route_open):
        if share is None:
            continue
        # A share of normal tonnes, not of the order book: a backlog does not widen the door.
        closed = share < 1.0
        may = np.where(closed, np.minimum(may, share * st.normal * weeks), may)
        restricted = _either(restricted, closed)
    _after_regimes(m, rules)
    flagged = _either(restricted, m.state.recovering)
    if flagged is not None:
        # Catching up is flat, not a spike: a backlog leaves at a surge over normal tonnes.
        most = d["licence.surge"] * st.normal * weeks
        may = np.where(flagged, np.minimum(may, most), may)
        # Catching up lasts until the book is short and the buyers' shelves are full again.
        like = st.users_like + st.plant_forecast * m.c.plant_weeks * f.lasting
        empty = st.cells_hold + st.plant_stock < FILLED * like
        still = flagged & ((st.orders > 1.5 * st.normal * weeks) | empty[lay.links.destination])
        m.state.recovering = still if np.any(still) else None
    may, licensed = m.office.releasable(may, st, rules, weeks)
    if licensed is not None:
        restricted = _either(restricted, licensed)
    watched = restricted
    if restricted is not None:
        m.state.hard = _either(m.state.hard, restricted)
    for book in m.quotas:
        may, bound = book.releasable(may, st, weeks, m.now)
        restricted = _either(restricted, bound)
        dear = bound | book.dear()  # smugglers stay as long as a licence has a price
        watched = _either(watched, dear)
    leak, lawful = _leak(m, rules, watched), may
    if leak is not None:
        may = np.minimum(may + leak.most, st.orders)
    weight = m.c.home_first
    if rules.priority is not None:
        weight = np.ascontiguousarray(weight * rules.priority)
    shipped, sold = np.empty_like(may), np.empty_like(st.seller_stock)
    ration(
        may,
        weight,
        (st.link_weight, weeks),
        st.seller_stock,
        lay.links.by_origin,
        lay.links.origin_starts,
        shipped,
        sold,
    )
    # Whoever gets paper buys with it; smugglers undercut its taxes and rents, and bring the rest.
    grey, legal = m.c.no_links, shipped
    if leak is not None:
        grey = np.maximum(np.minimum(leak.cheaper, shipped), shipped - lawful)
        legal = shipped - grey
    # What stocks are sized by is slow: a jam does not make it forget.
    take(
        shipped,
        sold,
        f.output,
        lay.groups.made_to_order,
        m.c.plan_gain,
        m.c.target_gain,
        weeks,
        st.orders,
        st.seller_stock,
        st.shipped,
        st.throughput,
    )
    released = legal
    if rules.licences or m.state.customs_hold:
        released, st.held = m.office.settle(legal, st.held, rules, weeks)
        m.state.customs_hold = bool(np.any(st.held))
    for book in m.quotas:
        book.settle(legal)
    leaving = released if leak is None else released + grey
    f.shipped, f.grey, f.declared = leaving, grey, released
    _dispatch(m, leaving)
    _openness(m, released, restricted)


def _after_regimes(m: Market, rules: Conditions) -> None:
    """Where licences or a quota have ended, what has piled up leaves as after any closure."""
    under = None
    regimes = [(rule.links, rule.active) for rule in rules.licences]
    for links, active in (
        *regimes,
        *((book.links, book.active * book.enforcement) for book in m.quotas),
    ):
        under = _either(under, links[:, None] & (active > 0.0))
    before, m.state.under_regime = m.state.under_regime, under
    if before is None:
        return
    ended = before if under is None else before & ~under
    if np.any(ended):
        m.state.recovering = _either(m.state.recovering, ended)


def _dispatch(m: Market, leaving: np.ndarray) -> None:
    """Home deliveries at once; the rest by sea, magnets partly by air when users run dry."""
    lay, st = m.layout, m.state
    rows, by_air = lay.cells.magnet, np.zeros_like(st.cells_hold)
    dry = np.clip(1.0 - st.cells_hold[rows] / np.maximum(st.users_like[rows], 1e-12), 0.0, 1.0)
    by_air[rows] = np.minimum(m.c.express_share * dry, 1.0)
    to, sails = lay.links.destination, np.empty(lay.links.n, dtype=np.bool_)
    if dispatch(leaving, lay.links.home, to, by_air, (st.in_transit, st.landed), sails):
        flying, at_sea = np.empty_like(leaving), np.empty_like(leaving)
        flies = np.zeros_like(sails)
        split_by_air(leaving, (to, by_air), (flying, at_sea), (flies, sails))
        depart(m, m.c.air, flying, flies)
        leaving = at_sea
    depart(m, m.c.sea, leaving, sails)


class Leak(NamedTuple):
    """What smugglers can bring in a market day, t, shape (l, w)."""

    most: np.ndarray  # with all that they have built
    cheaper: np.ndarray  # of it, what undercuts legal trade by the taxes and rents that this pays


def _leak(m: Market, rules: Conditions, restricted: np.ndarray | None) -> Leak | None:
    """Grey flow: grows with the price wedge up to a ceiling, falls with detection."""
    lay, st, weeks, d = m.layout, m.state, m.weeks, m.draws
    if restricted is None:
        if not holds(st.leak_capacity.reshape(-1)):
            return None
        restricted = np.zeros(st.orders.shape, dtype=bool)
    ask = np.exp(st.log_ask[lay.links.destination])
    if rules.trade_cost is not None:
        # Guarantees and certificates make legal goods dearer, not smuggling more rewarding.
        ask = ask / (1.0 + rules.trade_cost)
    home = np.exp(st.log_home[lay.links.material])
    legal = (home + lay.links.freight) * lay.prices.wedge[lay.links.destination]
    wedge = np.maximum(ask / legal - 1.0, 0.0)
    goal = trade.leak_goal(wedge, d["leak.scale"], d["leak.half_wedge"]) * m.c.leak_factor
    if rules.leak_ceiling is not None:
        # A channel that a scenario names comes on top of what smugglers find by themselves.
        goal = goal + trade.leak_goal(wedge, rules.leak_ceiling, d["leak.half_wedge"])
    if rules.detection is not None:
        goal = goal * (1.0 - rules.detection)
    ours = (lay.links.region_from == lay.home)[:, None]
    # Once built it lives on what legal trade pays in taxes and for papers, as far as that goes.
    saved = np.maximum(lay.prices.wedge[lay.links.destination] - 1.0, 0.0)
    for book in m.quotas:
        if np.any(book.rent):
            saved = saved + book.rent_by_link() / legal
    taxed = trade.leak_goal(saved, d["leak.scale"], d["leak.half_wedge"])
    left = np.minimum(st.leak_capacity, taxed * m.c.leak_factor)
    goal = np.where(restricted & ours, np.maximum(goal, left), left)
    lag = np.where(goal > st.leak_capacity, d["leak.lag_weeks"], d["leak.fade_weeks"])
    st.leak_capacity = toward(st.leak_capacity, goal, weeks, lag)
    # Nobody pays a smuggler for what a licence is granted for.
    serves = np.minimum(d["leak.order_share"] * st.orders, m.office.unserved(st, weeks))
    most = np.minimum(st.leak_capacity * st.normal * weeks, serves)
    return Leak(most, np.minimum(left * st.normal * weeks, most))


def _openness(m: Market, released: np.ndarray, restricted: np.ndarray | None) -> None:
    """Share of normal tonnes that pass, by link and by cell (a share of tonnes, not a rate)."""
    lay, st, weeks = m.layout, m.state, m.weeks
    usual = None
    if m.state.days_seen % m.slow == 0:
        usual = st.normal.copy()
        rows = np.flatnonzero(usual.any(axis=1) | released.any(axis=1))
        usual[rows] = toward(usual[rows], released[rows] / weeks, weeks * m.slow, 26.0)
    kept = _either(st.recovering, restricted)
    if kept is not None:
        # Under control, normal tonnes grow only with what the destination plans to use; and what is
        # caught up is no new habit.
        grown = st.normal * st.need_growth[lay.links.destination]
        usual = np.where(kept, grown, st.normal if usual is None else usual)
    normal, st.normal = st.normal, st.normal if usual is None else usual
    if restricted is None:
        if st.all_open:
            return
        passing = np.ones_like(released)
    else:
        # Against normal tonnes, or what buyers still want of it where that is less.
        wanted = np.minimum(normal * weeks, released + st.orders)
        flow = np.minimum(released / np.maximum(wanted, 1e-9), 1.0)
        passing = np.where(restricted & (normal > 1e-6), flow, 1.0)
        passing = m.office.passing(released, passing, st.link_pass, weeks)
    st.link_pass = toward(st.link_pass, passing, weeks, 1.0)
    st.link_pass = np.where(st.link_pass > 1.0 - 1e-6, 1.0, st.link_pass)
    m.state.all_open = bool(np.all(st.link_pass == 1.0))
    lacking = m.c.need_share * (1.0 - st.link_pass)
    st.openness = 1.0 - np.clip(lay.links.sum_by_destination(lacking), 0.0, 1.0)


def remember(m: Market) -> None:
    """Closure by law at the margin, remembered for a while: what keeps goods from users (bottlenecks).

    Where a licence or a ban shuts, a buyer who has half or more of a good from there counts as if all
    were shut. After the border opens it fades with ``market.closure_memory_weeks``. A quota that is
    used up opens with the next period, as everybody knows.
    """
    lay, st = m.layout, m.state
    if st.all_open and not np.any(st.remembered):
        return
    st.remembered *= m.c.forgetting
    if st.hard is not None:
        shut = np.where(st.hard, m.c.need_share * (1.0 - st.link_pass), 0.0)
        depends = np.maximum(lay.links.sum_by_destination(m.c.need_share * st.hard), 1e-9)
        now = lay.links.sum_by_destination(shut) * np.minimum(1.0 / depends, 2.0)
        np.maximum(st.remembered, np.minimum(now, 1.0), out=st.remembered)
    st.remembered[st.remembered < 1e-3] = 0.0


@overload
def _either(one: np.ndarray | None, other: np.ndarray) -> np.ndarray: ...
@overload
def _either(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None: ...
def _either(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    """Union of two masks of which each may be missing."""
    if one is None or other is None:
        return other if one is None else one
    return np.asarray(one | other)


@compiled
def ration(
    wanted: np.ndarray,
    weight: np.ndarray,
    custom: tuple[np.ndarray, float],
    available: np.ndarray,
    origin_links: np.ndarray,
    origin_starts: np.ndarray,
    shipped: np.ndarray,
    sold: np.ndarray,
) -> None:
    """Share out the stock of each seller: by usual custom first, never above order or stock.

    A seller who is short serves whom he has always served, weighted; what is left goes to all others
    in proportion to what they still want.

    Parameters
    ----------
    wanted, weight : ndarray, shape (l, w)
        What may leave, t; weight of each claim.
    custom : ndarray, shape (l, w), and weeks of the market day
        What each buyer usually takes there, t/week (A318).
    available : ndarray, shape (c, w)
        Stock of each seller, t.
    origin_links : ndarray of int, shape (l,)
        Links sorted by their seller; seller ``c`` owns ``origin_starts[c]:origin_starts[c + 1]``.
    shipped : ndarray, shape (l, w)
        Written. Conserves: its sum over a seller is ``sold`` (c, w), never above ``available``.
    """
    usual, weeks = custom
    worlds = wanted.shape[1]
    claims = np.empty(worlds)
    share = np.empty(worlds)
    taken = np.empty(worlds)
    rest = np.empty(worlds)
    fill = np.empty(worlds)
    for c in range(origin_starts.shape[0] - 1):
        first, last = origin_starts[c], origin_starts[c + 1]
        for w in range(worlds):
            claims[w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            if holds(wanted[row]):
                for w in range(worlds):
                    claims[w] += wanted[row, w]
                for w in range(worlds):
                    shipped[row, w] = wanted[row, w]
            else:
                for w in range(worlds):
                    shipped[row, w] = 0.0
        short = False
        for w in range(worlds):
            sold[c, w] = claims[w]
            short |= claims[w] > available[c, w]
        if not short:
            continue
        for w in range(worlds):
            share[w] = 0.0
            taken[w] = 0.0
            rest[w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                share[w] += min(wanted[row, w], usual[row, w] * weeks) * weight[row, w]
        for w in range(worlds):
            share[w] = available[c, w] / max(share[w], 1e-12)
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                claim = min(wanted[row, w], usual[row, w] * weeks) * weight[row, w]
                part = min(wanted[row, w], claim * share[w])
                taken[w] += part
                rest[w] += wanted[row, w] - part
        for w in range(worlds):
            left = max(available[c, w] - taken[w], 0.0)
            fill[w] = min(left / max(rest[w], 1e-12), 1.0)
            taken[w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                claim = min(wanted[row, w], usual[row, w] * weeks) * weight[row, w]
                part = min(wanted[row, w], claim * share[w])
                part += (wanted[row, w] - part) * fill[w]
                if claims[w] > available[c, w]:
                    shipped[row, w] = part
                taken[w] += shipped[row, w]
        # Rounding may ask for a hair more than there is; scale back, never create tonnes.
        for w in range(worlds):
            fill[w] = min(available[c, w] / max(taken[w], 1e-12), 1.0)
            if not claims[w] > available[c, w]:
                fill[w] = 1.0
            sold[c, w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                shipped[row, w] *= fill[w]
                sold[c, w] += shipped[row, w]


@compiled
def take(
    shipped: np.ndarray,
    sold: np.ndarray,
    output: np.ndarray,
    made_to_order: np.ndarray,
    orders_gain: np.ndarray,
    normal_gain: float,
    weeks: float,
    orders: np.ndarray,
    seller_stock: np.ndarray,
    sellers_ship: np.ndarray,
    throughput: np.ndarray,
) -> None:
    """Take what is sold out of stocks and order books, and remember the flow of each seller.

    Parameters
    ----------
    shipped : ndarray, shape (l, w)
    sold, output : ndarray, shape (c, w)
        Sales and output of this tick, t.
    made_to_order : ndarray of bool, shape (c,)
        These remember sales; the others, that push, their output.
    orders_gain : ndarray, shape (w,)
        Gain of the memory that plans follow; ``normal_gain`` of what stocks are sized by.
    orders, seller_stock, sellers_ship, throughput : ndarray
        Changed in place.
    """
    worlds = sold.shape[1]
    for i in range(shipped.shape[0]):
        if holds(shipped[i]) or holds(orders[i]):
            for w in range(worlds):
                orders[i, w] = max(orders[i, w] - shipped[i, w], 0.0)
    for c in range(sold.shape[0]):
        for w in range(worlds):
            seller_stock[c, w] = max(seller_stock[c, w] - sold[c, w], 0.0)
            flow = sold[c, w] if made_to_order[c] else output[c, w]
            sellers_ship[c, w] += (flow / weeks - sellers_ship[c, w]) * orders_gain[w]
            throughput[c, w] += (sold[c, w] / weeks - throughput[c, w]) * normal_gain


@compiled
def dispatch(
    leaving: np.ndarray,
    home: np.ndarray,
    to: np.ndarray,
    by_air: np.ndarray,
    stocks: tuple[np.ndarray, np.ndarray],
    sails: np.ndarray,
) -> bool:
    """Home deliveries land at once; the rest goes on its way, magnets partly by air.

    Parameters
    ----------
    leaving : ndarray, shape (l, w)
        What crosses the border or stays at home, t.
    home, to : ndarray, shape (l,)
        Domestic links; destination cell.
    by_air : ndarray, shape (c, w)
        Share of magnets that users of a cell have flown in; zero for other goods.
    stocks : in transit and landed, shape (l, w) each
        Raised in place.
    sails : ndarray of bool, shape (l,)
        Whether anything goes on its way there; written.

    Returns
    -------
    bool
        Whether anything may fly.
    """
    in_transit, landed = stocks
    flies = False
    worlds = leaving.shape[1]
    for i in range(leaving.shape[0]):
        some = holds(leaving[i])
        sails[i] = some and not home[i]
        if some and home[i]:
            for w in range(worlds):
                landed[i, w] += leaving[i, w]
        elif some:
            for w in range(worlds):
                in_transit[i, w] += leaving[i, w]
            flies |= holds(by_air[to[i]])
    return flies


@compiled
def split_by_air(
    leaving: np.ndarray,
    air: tuple[np.ndarray, np.ndarray],
    parts: tuple[np.ndarray, np.ndarray],
    goes: tuple[np.ndarray, np.ndarray],
) -> None:
    """Split what leaves (l, w) into what flies and what sails.

    Parameters
    ----------
    leaving : ndarray, shape (l, w)
        t.
    air : destination cell of each link (l,), and share flown there (c, w)
    parts : what flies and what sails, shape (l, w) each
        t; written on links where something does.
    goes : ndarray of bool, shape (l,) each
        Whether anything flies on a link, and whether anything sails: at first, whether anything goes.
    """
    to, by_air = air
    flying, at_sea = parts
    flies, sails = goes
    worlds = leaving.shape[1]
    for i in range(leaving.shape[0]):
        if not sails[i]:
            continue
        c = to[i]
        if holds(by_air[c]):
            for w in range(worlds):
                flying[i, w] = leaving[i, w] * by_air[c, w]
            for w in range(worlds):
                at_sea[i, w] = leaving[i, w] - flying[i, w]
            flies[i], sails[i] = holds(flying[i]), holds(at_sea[i])
        else:
            for w in range(worlds):
                at_sea[i, w] = leaving[i, w]
