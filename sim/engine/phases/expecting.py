"""9 What traders expect over the horizon: need, output, stocks, and what the rules will let pass.

Longer than 500 lines because all that the law of price takes for the future is expected in one phase.
"""

from __future__ import annotations

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.engine.compiling import NONE, add_rows
from lodestone.engine.contents import sum_on_links
from lodestone.engine.lanes import (
    Offered,
    Paid,
    asked_along,
    brought_along,
    felt_along,
    mean_paid,
    sent_along,
    share_out,
    shares,
    under_way,
    ways_of,
)
from lodestone.engine.phases.clearing import Covered, shadow_price
from lodestone.engine.phases.use import better_making, wants_of_lines
from lodestone.equations import quota_rent, scarcity
from lodestone.equations.lags import gain
from lodestone.equations.lanes import landed
from lodestone.equations.trade import expected_to_pass
from lodestone.worlds.conditions import FREE, Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.layout import WEEKS_PER_YEAR
from lodestone.worlds.market import Market
from lodestone.worlds.office import of_rows
from lodestone.worlds.quota import QuotaBook

#: Weeks in which traders see what is made now, and in which they take a fall for lasting (A305).
SEEN_WEEKS, LASTING_WEEKS = 4.0, 78.0
#: Weight of the trend: one to undo the lag of the mean, a half to the middle of the horizon (A301).
AHEAD = 1.5
#: Weeks over which builders read the trend of need, and the most that they make of it (A245).
TREND_WEEKS, MOST_LATER = 52.0, 2.0
#: Most by which need moves normal tonnes under control in a market day (of no consequence: a guard).
MOST_GROWN = 0.02
#: Steps of building: a third of the lead each.
STEPS = 3.0
#: Share of capacity that makers plan with (A242).
PLANNED = 0.97
#: Highest rent that anybody pays, USD/kg (A308).
TOP_RENT = 5000.0
#: Most by which a lane answers more than the whole of its buyers do: it is one of several (A303).
MOST_SHARP = 8.0
#: Weeks of what they sell on that traders hold (A303).
TRADED_WEEKS = 13.0
#: Share of their normal stock at which users leave nothing to be sold on (A303).
SHORT = 0.7
#: Share of what lanes would bring at which a rule binds (rounding).
BINDS = 0.999


def expect_growth(m: Market) -> None:
    """On the first day everybody knows how use has been growing, and the output that follows it.

    Averages stand where they do on a path of even growth: behind today by their own lag.
    """
    users, cells, st = m.layout.users, m.layout.cells, m.state
    rate = np.log(m.growth(2.0 * DAYS_PER_YEAR) / m.growth(DAYS_PER_YEAR))[users.sector]
    magnets = users.base * users.magnet[:, None]
    world = (magnets * rate).sum(axis=0) / max(magnets.sum(), 1e-12)
    need = np.zeros_like(st.log_price)
    np.add.at(need, users.cell, users.base * rate)
    need = (need + cells.plant_need * world) / np.maximum(cells.need, 1e-12)
    made = cells.home[:, None] * m.draws["investment.follow_share"] * world
    weeks = m.law.horizon / WEEKS_PER_YEAR
    for trend, grows in (
        (st.want_trend, rate * weeks),
        (st.made_trend, made * weeks),
        (st.need_trend, need * TREND_WEEKS / WEEKS_PER_YEAR),
    ):
        trend[0] *= np.exp(-grows)
        trend[1] *= np.exp(-2.0 * grows)


def expected_need(m: Market, f: Flows, plants: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Need at base prices after lasting thrift, t/week, shape (c, w): nobody saves yet.

    Use is pulled back through works and suppliers as buyers share out their orders, so a works needs
    what its customers need, whatever it can sell this week; ``plants`` (c, w) is what works usually make,
    ``most`` the most of it.
    What dear inputs take off sales is counted once, in the price of the inputs: in the products it
    is taken to be saved.
    """
    st = m.state
    used, saved = _wanted_by_grade(m, f)
    need = used.copy()
    _pull_back(m, need, saved, plants, most)
    if st.need_now is None:
        st.need_now = need
    grown = need / np.maximum(st.need_now, 1e-12)
    st.need_growth = np.clip(grown, 1.0 - MOST_GROWN, 1.0 + MOST_GROWN)
    st.need_now = need.copy()
    pace = gain(m.weeks, TREND_WEEKS)
    st.need_trend[0] += (need - st.need_trend[0]) * pace
    st.need_trend[1] += (st.need_trend[0] - st.need_trend[1]) * pace
    st.inputs_expected = need - used
    if isinstance(st.inputs_felt, np.ndarray):
        rows = np.flatnonzero(st.inputs_felt.any(axis=1))
        need[rows] *= np.exp(-m.law.elasticity[rows] * np.maximum(st.inputs_felt[rows], 0.0))
    return need


def _wanted_by_grade(m: Market, f: Flows) -> tuple[np.ndarray, np.ndarray]:
    """What users of each cell want, and what of it dear heavies move to other grades, t/week, (c, w)."""
    users, st = m.layout.users, m.state
    want, saved = np.zeros((2, *st.log_price.shape))
    rates = (
        m.wide(gain(m.weeks, m.law.horizon), 1)[0],
        m.wide(better_making(m), 1)[0],
        m.weeks,
        AHEAD,
    )
    moved = st.ree_free, f.without_heavies, st.heavy_free
    wants_of_lines(
        (users.cell, users.twin), (st.want_trend, f.planned), rates, moved, (want, saved)
    )
    return want, saved


def _pull_back(
    m: Market, need: np.ndarray, saved: np.ndarray, plants: np.ndarray, most: np.ndarray
) -> None:
    """Add what works need for what their customers need, (c, w), magnets first, then metals.

    Customers are where they usually buy, as far as rules let them: whom dear inputs drive elsewhere
    answers to a price, and is none of the need at base prices.
    What dear heavies move for now (``saved``) is saved of them, and of nothing else.
    """
    lay, st = m.layout, m.state
    ways = ways_of(lay.links)
    flow = _from_others(m)
    if st.lane_open is not None:
        flow = flow * st.lane_open
    usual = Offered(flow, np.empty_like(need), np.empty_like(need))
    share_out(ways, usual, st.made_expected + plants, st.need_expected)
    share = np.empty_like(flow)
    shares(ways, usual, share)
    for form in (lay.cells.magnet, lay.cells.metal):
        rows = np.flatnonzero(form[lay.groups.output])
        made = np.flatnonzero(form & lay.groups.made_to_order)
        asked = np.empty((len(made), st.worlds))
        asked_along(ways, share, need, made, asked)
        st.plant_asked[made] = asked
        plan = np.minimum(asked, most[made])
        st.plant_plan[made] += (plan - st.plant_plan[made]) * m.c.plan_gain
        inputs = lay.groups.coefficient[rows] * st.plant_plan[lay.groups.output[rows]]
        add_rows(lay.groups.input[rows], inputs, need)
        if form is lay.cells.magnet:
            heavy = m.law.heavy_rows
            asked_along(ways, share, saved, made, asked)
            room = np.maximum(most[made] - st.plant_plan[made], 0.0)
            more = np.zeros_like(saved)
            more[made] = np.clip(asked, -st.plant_plan[made], room)
            inputs = lay.groups.coefficient[heavy] * more[lay.groups.output[heavy]]
            add_rows(lay.groups.input[heavy], inputs, need)


def expected_output(m: Market, f: Flows) -> np.ndarray:
    """Oxides that are expected to be made, t/week: a fall counts as lasting only in part at first."""
    lay, st, weeks = m.layout, m.state, m.weeks
    now = np.where(lay.groups.made_to_order[:, None], 0.0, f.output) / weeks
    _as_ore_sets_out(m, f, now)
    st.made_now += (now - st.made_now) * gain(weeks, SEEN_WEEKS)
    speed = np.where(
        st.made_now > st.made_usually, gain(weeks, SEEN_WEEKS), gain(weeks, LASTING_WEEKS)
    )
    st.made_usually += (st.made_now - st.made_usually) * speed
    fall = st.made_now - st.made_usually
    # What has been growing goes on to the middle of the horizon.
    level, slower = st.made_trend
    pace = gain(weeks, m.law.horizon)
    level += (st.made_now - level) * pace
    slower += (level - slower) * pace
    grows = (AHEAD - 1.0) * (level - slower)
    lasting = st.made_usually + fall * m.draws["market.output_persistence"]
    return np.asarray(lasting + np.maximum(grows, 0.0))


def _as_ore_sets_out(m: Market, f: Flows, now: np.ndarray) -> None:
    """Count the exporter's oxides when their ore sets out, not when it has been split, in place."""
    lay, weeks = m.layout, m.weeks
    if m.c.home_place < 0:
        return
    sent = sum_on_links(m.c.home_ore_links, f.ore_shipped) * m.c.home_yield
    later = (sent - f.separated[m.c.home_place]) / weeks
    now[lay.separation.oxide_cell[lay.home][m.c.home_elements]] += later[m.c.home_elements]


def expected_plants(m: Market, f: Flows) -> tuple[np.ndarray, np.ndarray]:
    """Usual output of plants that make to order, t/week, and most of it, as a multiple.

    What is about to be finished counts for what is expected within the horizon.
    """
    lay, st = m.layout, m.state
    step = m.c.build_weeks[lay.groups.a_cell] / STEPS
    soon = st.group_expansion[2] * gain(m.law.horizon / 2.0, step) / (1.0 + st.group_expansion[3])
    group = lay.groups.of_cell[lay.groups.made_cells]
    potential = (f.group_potential * (1.0 + soon))[group]
    usual, most = np.zeros_like(st.log_price), np.ones_like(st.log_price)
    usual[lay.groups.made_cells] = potential * m.c.grade_share
    can = PLANNED * (f.group_capacity * (1.0 + soon))[group] / np.maximum(potential, 1e-12)
    most[lay.groups.made_cells] = np.maximum(can, 1.0)
    return usual, most


def pass_on_costs(m: Market) -> None:
    """Works pass on what their inputs cost at once: what the law moves is what is scarce beside them."""
    lay, st = m.layout, m.state
    cost = np.log(m.law.rest) + np.zeros_like(st.log_price)
    each = m.law.input_share * np.exp(st.log_price[lay.groups.input])
    made = lay.groups.by_output.ids
    cost[made] = np.log(m.law.rest[made] + lay.groups.by_output.sum(each[lay.groups.order_output]))
    rows = np.flatnonzero(lay.groups.made_to_order)
    own, brings = st.plant_output[rows], np.empty((len(rows), st.worlds))
    brought_along(ways_of(lay.links), st.lane_flow, rows, brings)
    more = (cost - st.plant_cost)[rows]
    st.log_price[rows] += more * own / np.maximum(own + brings, 1e-12)
    st.plant_cost = cost


def expected_stocks(m: Market, held_less: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """On hand and under way, and what holders like of it, t, both (c, w).

    ``held_less`` (c, w) is :func:`hold_less` of the day.
    """
    lay, st = m.layout, m.state
    stock = st.seller_stock + st.plant_stock + st.cells_hold
    # Works and traders restock for what is asked of them now: who has saved does not bid for stock.
    made = (st.made_expected + st.plant_output) * m.c.seller_cover * hoarding(m)
    target = made + st.inputs_expected * m.c.plant_weeks
    rows = np.flatnonzero(target.any(axis=1))
    dear = np.maximum(st.log_trend[rows] - lay.prices.log_reference[rows], 0.0)
    target[rows] *= np.exp(-m.law.elasticity[rows] * dear)
    target = (target + st.users_like) * held_less
    coming = (st.in_transit, st.landed, st.held if st.customs_hold else NONE)
    under_way(ways_of(lay.links), coming, (st.link_weight, m.law.ticks), stock, target)
    missing = _ore_missing(m)
    if missing is not None:
        stock[m.c.home_cells] += missing
    return stock, target


def hoarding(m: Market) -> np.ndarray:
    """Multiple of their stock that traders at home want while prices climb, (c, w)."""
    lay, st = m.layout, m.state
    rows, out = lay.cells.home, np.ones_like(st.log_ask)
    climb = st.log_ask[rows] - st.log_trend[rows]
    out[rows] = scarcity.stock_hoarded(climb, m.law.hoarding[rows])
    return out


def hold_less(m: Market) -> np.ndarray:
    """Multiple of their normal stock that holders keep at the prices of late, (c, w)."""
    dear = m.state.log_trend - m.layout.prices.log_reference
    return scarcity.stock_held(dear, m.law.holding)


def _ore_missing(m: Market) -> np.ndarray | None:
    """What traders see missing (or more) under way in ore, t oxide, shape (h, w).

    Against what is usually under way at the output that they expect: ore that did not come is output
    that will be missing, once, whatever comes after it.
    """
    lay, st = m.layout, m.state
    if m.c.home_place < 0:
        return None
    links = m.c.home_ore_links
    ore = sum_on_links(links, st.ore_in_transit) + sum_on_links(links, st.ore_landed)
    ore = ore + st.ore_at_plant[m.c.home_place]
    bonded = sum_on_links(links, st.ore_bonded)
    if st.ore_normal is None:
        st.ore_normal = np.maximum(np.stack([ore, bonded]), 0.0)
    cells = np.maximum(lay.separation.oxide_cell[lay.home], 0)
    grown = st.made_expected[cells] / np.maximum(lay.cells.output[cells], 1e-12)
    way, bond = st.ore_normal * grown
    # Ore in bond is cleared whenever less comes; a bond that is not full stops nothing.
    short = (ore - way + np.maximum(bonded - bond, 0.0)) * m.c.home_yield
    out = np.zeros((len(m.c.home_rows), st.worlds))
    out[m.c.home_oxide_rows] = short[m.c.home_elements]
    return out


def shift_by_cell(m: Market) -> np.ndarray | float:
    """What exporters take off the log of their prices by decision, (c, w) or nought."""
    lay, shifted = m.layout, m.state.shifted
    if shifted is None:
        return 0.0
    return np.where(lay.cells.home[:, None], shifted[lay.cells.material], 0.0)


def expected_rules(m: Market, rules: Conditions, need: np.ndarray) -> np.ndarray | None:
    """What the rules are expected to let pass, t/week, shape (l, w); None: everything.

    Bans and closures are taken for lasting in part at first, and the more the longer they last; under
    licences the market believes in a share, and learns. The rent of each quota is set on the way: nought where it does not bind, whatever it was before.
    """
    st, out = m.state, None
    share = passing(rules)
    if share is not None:
        out = _closed(m, share)
    else:
        st.closure_known = None
    if rules.licences:
        out = np.full(st.normal.shape, FREE) if out is None else out
        out = np.minimum(out, _licensed(m, rules))
    elif st.licensed_weeks is not None:
        st.licensed_weeks = st.believed = None
    for book in m.quotas:
        rate = book.expected(m.now, m.weeks, m.draws)
        if rate is None:
            book.rent = np.zeros_like(book.rent)
            continue
        out = np.full(st.normal.shape, FREE) if out is None else out
        carried = _rent(m, book, rate, need)
        bound = np.minimum(out[book.rows], carried)
        out[book.rows] = np.where(book.rent > 0.0, bound, out[book.rows])
    return out


def passing(rules: Conditions) -> np.ndarray | None:
    """Share of normal tonnes that bans and closures let pass today, (l, w); None: everything."""
    shares = [s for s in (rules.passes, rules.route_open) if s is not None]
    if not shares:
        return None
    return shares[0] if len(shares) == 1 else np.minimum(*np.broadcast_arrays(*shares))


def _closed(m: Market, share: np.ndarray) -> np.ndarray:
    """Tonnes a week that the market expects of lanes under a ban or closure, shape (l, w).

    Nobody says when it ends: of what it stops a part is taken for lasting on the first day, as of
    closed mines, and the rest as the market learns.
    """
    st, d = m.state, m.draws
    known = np.zeros(st.normal.shape) if st.closure_known is None else st.closure_known
    shut = np.broadcast_to(share < 1.0, st.normal.shape)
    lasting = 1.0 - (1.0 - d["market.output_persistence"]) * (1.0 - known)
    known = np.where(shut, known + (1.0 - known) * gain(m.weeks, d["market.belief_weeks"]), 0.0)
    st.closure_known = known
    return np.where(shut, expected_to_pass(share, lasting) * st.normal, FREE)


def _licensed(m: Market, rules: Conditions) -> np.ndarray:
    """Tonnes a week that the market believes in under licences, shape (l, w)."""
    st, d, weeks, rows = m.state, m.draws, m.weeks, m.office.rows
    if st.licensed_weeks is None or st.believed is None:
        st.licensed_weeks, st.believed = np.zeros(st.normal.shape), np.ones(st.normal.shape)
    active = np.zeros((len(rows), st.worlds), dtype=bool)
    never = np.zeros(active.shape)
    for rule in rules.licences:
        here = rule.links[rows][:, None] & (rule.active > 0.0)
        active |= here
        never = np.maximum(never, np.where(here, of_rows(rule.refused, rows), 0.0))
    since = st.licensed_weeks[rows]
    # What offices never granted is known of such goods in part; most of the rest is believed to pass.
    believed = np.where(
        active & (since == 0.0),
        d["market.believed_share"] * (1.0 - never * d["market.practice_believed"]),
        st.believed[rows],
    )
    since = np.where(active, since + weeks, 0.0)
    left = np.maximum(d["market.expected_closure_weeks"] - since, 0.0)
    seen = np.where(left > 0.0, believed, st.link_pass[rows])
    believed += (seen - believed) * gain(weeks, d["market.belief_weeks"])
    st.licensed_weeks[rows], st.believed[rows] = since, np.where(active, believed, 1.0)
    open_for = np.maximum(m.law.horizon - left, 0.0) / m.law.horizon
    # Once the wait that the market reckoned with is over, it sees what waited catch up, and that end.
    more = d["licence.surge"] - 1.0
    since = since - d["market.expected_closure_weeks"]
    lasts = d["market.expected_closure_weeks"] / np.maximum(more, 1e-9) - since
    caught_up = more * np.clip(lasts / m.law.horizon, 0.0, 1.0)
    brings = st.normal[rows] * believed * open_for * (1.0 + np.where(left > 0.0, 0.0, caught_up))
    out = np.full(st.normal.shape, FREE)
    out[rows] = np.where(active, brings, FREE)
    return out


def _rent(m: Market, book: QuotaBook, rate: np.ndarray, need: np.ndarray) -> np.ndarray:
    """Set the rent of a quota; return what its lanes carry at it, t/week, shape (n, w)."""
    lay, st, rows = m.layout, m.state, book.rows
    origin, place = lay.links.origin[rows], lay.links.destination[rows]
    cost = np.exp(lay.prices.log_reference[origin] + st.log_price[origin]) + lay.links.freight[rows]
    usual = np.ascontiguousarray(st.normal[rows])
    whole = np.zeros_like(need)
    add_rows(place, usual, whole)
    lacking = _lacking(m, rows, need)
    wanted = quota_rent.wanted_of_lacking(lacking, whole)
    usual *= (wanted / np.maximum(whole, 1e-12))[place]
    part = (need / np.maximum(wanted, 1e-12))[place]
    covered = Covered(
        usual,
        cost,
        book.counts(),
        m.law.elasticity[place] * np.clip(part, 1.0, MOST_SHARP),
        np.empty_like(usual),
    )
    rent = np.empty(st.worlds)
    shadow_price(covered, rate, TOP_RENT, rent)
    book.rent = rent * book.enforcement
    return covered.carried


def _lacking(m: Market, covered: np.ndarray, need: np.ndarray) -> np.ndarray:
    """What places lack of their need but for covered lanes (rows), t/week, shape (c, w).

    At base prices throughout: works make what they plan, for which the need for their inputs is
    reckoned. What dear inputs squeeze out of them would count twice, as inputs and as their product.
    """
    st, free = m.state, _from_others(m)
    free[covered] = 0.0
    return need - st.made_expected - st.plant_plan - m.layout.links.sum_by_destination(free)


def _from_others(m: Market) -> np.ndarray:
    """What lanes usually bring from elsewhere, t/week, shape (l, w): nought on those inside a place."""
    return np.where(m.layout.links.home[:, None], 0.0, m.state.link_weight)


def offered(m: Market, flow: np.ndarray) -> Offered:
    """What lanes are expected to bring of a flow (l, w), t/week, as far as places have it.

    Home lanes bring the rest. No place sends more than it makes and, of what it gets for its own
    needs, sells on.
    """
    st = m.state
    made = st.made_expected + st.plant_output
    out = Offered(flow, np.empty_like(made), np.empty_like(made))
    share_out(ways_of(m.layout.links), out, made, st.need_expected)
    return out


def brought_and_smuggled(m: Market, rules: Conditions) -> np.ndarray:
    """What lanes are to bring, t/week, (l, w): what the rules let pass and what smugglers add.

    Whoever sets a price does not reckon with smugglers; who needs goods asks whoever has them, and
    nobody beyond a border that is shut today.
    """
    st, flow = m.state, m.state.lane_flow
    share = passing(rules)
    if share is not None:
        flow = np.where(share < 1.0, np.minimum(flow, share * st.normal), flow)
    if st.lane_bound is None or not np.any(st.leak_capacity):
        return flow
    return np.minimum(flow + st.leak_capacity * st.normal, st.lane_wish)


def sold_on(m: Market) -> np.ndarray:
    """What places are to send out of what they have bought, t/week, shape (c, w)."""
    st, rows = m.state, np.flatnonzero(m.law.sells_on[:, 0])
    sold, out = np.zeros_like(st.plant_output), np.empty((len(rows), st.worlds))
    sent_along(ways_of(m.layout.links), st.lane_flow, rows, out)
    more = out - st.made_expected[rows] - st.plant_output[rows]
    some = np.flatnonzero((more > 1e-6 * out).any(axis=1))
    if not len(some):
        return sold
    rows, out, more = rows[some], out[some], more[some]
    # Nobody sells on while his own customers run short.
    full = st.cells_hold[rows] / np.maximum(st.users_like[rows], 1e-12)
    spare = np.clip((full - SHORT) / (1.0 - SHORT), 0.0, 1.0)
    # Nor does he buy what he holds already.
    lacks = 1.0 - st.seller_stock[rows] / np.maximum(TRADED_WEEKS * more, 1e-12)
    wanted = more * spare * np.clip(2.0 * lacks, 0.0, 1.0)
    sold[rows] = np.where(more > 1e-6 * out, wanted, 0.0)
    return sold


def landed_on_cheap_lanes(m: Market) -> np.ndarray:
    """Log of delivered cost where freight weighs, without what is levied, shape (n, w)."""
    rows = m.law.cheap
    return landed(m.state.log_price[m.layout.links.origin[rows]], m.law.pass_on[rows])


def gap_of_quotas(m: Market, levied: np.ndarray) -> None:
    """Renew what a place pays above delivered cost on the lanes of each quota, USD/kg of product.

    The rent of a quota is the gap that it opens; what lanes would bear without stocks is no price.
    """
    lay, st = m.layout, m.state
    shift = shift_by_cell(m)
    for book in m.quotas:
        rows = book.rows
        origin, place = lay.links.origin[rows], lay.links.destination[rows]
        cost = landed(st.log_price[origin], m.law.pass_on[rows])
        if len(levied):
            cost = cost + levied[rows]
        if isinstance(shift, np.ndarray):
            cost = cost + shift[origin]
        base = np.exp(lay.prices.log_reference[place])
        gap = base * np.maximum(np.exp(st.log_price[place]) - np.exp(cost), 0.0)
        book.gap = np.where(book.rent > 0.0, gap, 0.0)


def delivered(m: Market, levied: np.ndarray) -> None:
    """Renew the log of delivered cost over the base price, what contracts follow, shape (c, w).

    Mean over the lanes that bring something: the seller's price, duties and rents; what is made on
    the spot costs what it takes to make. Where nothing comes it stays as it was.
    """
    lay, st = m.layout, m.state
    rents = [book.rent_by_link() for book in m.quotas if np.any(book.rent)]
    shift = shift_by_cell(m)
    paid = Paid(
        m.law.pass_on,
        m.law.cheap_at,
        landed_on_cheap_lanes(m),
        st.log_price,
        np.where(lay.groups.made_to_order[:, None], st.plant_cost, st.log_price + shift),
        levied,
        shift if isinstance(shift, np.ndarray) else NONE,
        np.ascontiguousarray(sum(rents)) if rents else NONE,
        lay.prices.log_reference,
    )
    mean_paid(ways_of(lay.links), offered(m, st.lane_flow), paid, st.log_base)


def inputs_felt(m: Market) -> np.ndarray | float:
    """What users feel of a dear input beyond its part in the price they pay, log, (c, w).

    The law prices an oxide by how much of its need must be saved; what is saved is magnets not
    bought. A user therefore answers to the main input's price as to his own, through the makers he
    buys from: rationed grades, minimum lots, smaller designs.
    """
    lay, st = m.layout, m.state
    moved = np.any(st.log_price, axis=0)
    if not np.any(moved):
        return 0.0
    rows = np.flatnonzero(lay.groups.made_to_order & (m.law.main_input >= 0))
    extra = np.zeros_like(st.log_price)
    # Metals first: what they pass on of oxides is felt in full by makers of magnets.
    for form in (lay.cells.metal, lay.cells.magnet):
        here = rows[form[rows]]
        main = m.law.main_input[here]
        extra[here] = st.log_price[main] + extra[main] - st.plant_cost[here]
    felt = np.empty_like(extra)
    felt_along(ways_of(lay.links), st.link_share, extra, felt)
    return np.where(moved, felt, 0.0)


def need_later(m: Market, weeks: np.ndarray) -> np.ndarray:
    """Multiple of today's need that its trend of a year makes of it in some weeks, shape (c, w) both."""
    mean, slower = m.state.need_trend
    grows = (mean - slower) / (TREND_WEEKS * np.maximum(mean, 1e-12))
    return np.clip(1.0 + grows * weeks, 1.0, MOST_LATER)


def need_ahead(m: Market) -> np.ndarray:
    """Need for inputs once the plants under way are built, over today's, shape (c, w).

    Home and outside are each taken as a whole: whoever builds a metal works or a separator counts
    the magnet plants that are being built around him.
    """
    lay, st = m.layout, m.state
    building = st.group_expansion[:3].sum(axis=0) / (1.0 + st.group_expansion[3])
    ahead = np.ones_like(st.log_price)
    if not np.any(building):
        return ahead
    own = np.ones_like(st.log_price)
    own[lay.groups.made_cells] += building[lay.groups.of_cell[lay.groups.made_cells]]
    side = 2 * lay.cells.material + lay.cells.home
    need = np.zeros((2 * len(lay.materials), st.worlds))
    add_rows(side, st.need_expected, need)
    for form in (lay.cells.magnet, lay.cells.metal):
        rows = np.flatnonzero(form[lay.groups.output])
        use = lay.groups.coefficient[rows] * st.plant_plan[lay.groups.output[rows]]
        more = use * ((own * ahead)[lay.groups.output[rows]] - 1.0)
        added = np.zeros_like(need)
        add_rows(side[lay.groups.input[rows]], more, added)
        inputs = np.flatnonzero(
            np.isin(lay.cells.material, lay.cells.material[lay.groups.input[rows]])
        )
        # Use of the good itself, not in plants, does not grow with them.
        grows = added / np.maximum(need, 1e-12)
        ahead[inputs] = 1.0 + grows[side[inputs]]
    return ahead
