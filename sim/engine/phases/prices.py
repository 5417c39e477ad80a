"""9 Prices at home, asked and paid; closure as it is felt; fear."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import NONE, compiled
from lodestone.engine.contents import sum_on_links
from lodestone.engine.phases.shipping import perceive
from lodestone.equations import pricing
from lodestone.equations.lags import gain
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.market import Market

#: Share of a delivered price that no saving of its origins can take away.
LEAST_PRICE = 0.2

_scarcity = compiled(pricing.scarcity)
_fear_goal = compiled(pricing.fear_goal)


def set_prices(m: Market, rules: Conditions) -> None:
    """Home: a lagged level on an adaptive anchor. Ask: an expectation. Paid: mostly contract."""
    lay, st = m.layout, m.state
    _home_prices(m, rules)
    perceive(m)
    rent = np.zeros((lay.links.n, 1))
    for book in m.quotas:
        rent = rent + book.rent_by_link()
    links = np.maximum(lay.prices.home_link, 0)
    has = (lay.prices.home_link >= 0)[:, None]
    cost = np.exp(st.log_home)[lay.cells.material] + lay.prices.freight
    if m.quotas:
        cost = cost + np.where(has, rent[links], 0.0)
    delivered = np.log(cost * lay.prices.wedge)  # (c, w)
    for levied in (rules.import_tariff, rules.export_tax, rules.trade_cost):
        if levied is not None:
            delivered += np.log1p(np.where(has, levied[links], 0.0))
    delivered = np.where(lay.cells.home[:, None], st.log_home[lay.cells.material], delivered)
    charge = charges(m, rules)
    if charge is not None:
        price = np.exp(delivered)
        delivered = np.log(np.maximum(price + charge, LEAST_PRICE * price))
    announced, c = rules.announced, m.c
    ask_prices(
        lay.cells.home,
        delivered,
        st.openness,
        m.state.perceived,
        m.state.users_like,
        st.plant_forecast,
        m.c.plant_weeks,
        m.state.use_rate,
        m.state.cell_lead,
        m.state.cells_hold,
        st.plant_stock,
        m.c.no_cells if m.state.all_calm else lay.links.sum_by_destination(st.in_transit),
        c.closure_weeks,
        c.plateau,
        c.ask_gain,
        c.contract_gain,
        c.trend_gain,
        NONE if announced is None else announced,
        c.fear_threshold,
        c.fear_of_trend,
        c.fear_of_closure,
        c.fear_of_notice,
        c.fear_ceiling,
        c.fear_up,
        c.fear_down,
        st.log_base,
        st.log_ask,
        st.log_contract,
        st.log_trend,
        st.fear,
    )


def charges(m: Market, rules: Conditions) -> np.ndarray | None:
    """What buyers pay beside the price for costs and programmes at their origins, (c, w).

    USD/kg; negative where an origin has become cheaper.

    A charge on the output of a cell goes to whoever buys it, in proportion to what they buy
    there, and on into the metals and magnets they make: the sum of charges paid is the sum
    of charges laid.
    """
    lay = m.layout
    laid = rules.charge
    for floor, active in rules.floors:
        part = floor.charge(m, active, m.now)
        if part is not None:
            laid = part if laid is None else laid + part
    if laid is None or not np.any(laid):
        return None
    carried = laid
    paid = lay.links.sum_by_destination(m.state.link_share * carried[lay.links.origin])
    for _ in ("metal", "magnet"):
        need = lay.groups.coefficient * paid[lay.groups.input]
        carried = laid.copy()
        carried[lay.groups.by_output.ids] += lay.groups.by_output.sum(need[lay.groups.order_output])
        paid = lay.links.sum_by_destination(m.state.link_share * carried[lay.links.origin])
    return paid


def _hold_back(m: Market) -> np.ndarray | float:
    """Stock that home traders like to hold, over normal, shape (h, w) or 1.

    In 2011 goods piled up at home and home prices rose all the same: traders saw prices
    abroad, and kept back what they hoped to sell there. What counts is the part of the trend
    abroad beyond the trend at home, on links that pass; with free trade it is nil.
    """
    lay, st, d = m.layout, m.state, m.draws
    if m.state.all_open and not m.quotas and not np.any(st.held_back):
        return 1.0
    trend = st.log_ask - st.log_trend
    # Where less than half passes nobody counts on selling there.
    passes = np.maximum(2.0 * st.openness - 1.0, 0.0)
    abroad = lay.cells.by_material.spread(m.c.need_abroad * passes * trend, len(lay.materials))
    ahead = abroad[m.c.home_rows] / m.c.whole_abroad - trend[m.c.home_cells]
    none = np.zeros(1)
    goal = pricing.fear_goal(
        d["fear.home_watch"] * ahead - d["fear.threshold"],
        none,
        none,
        d["fear.trend"],
        none,
        none,
        d["market.fear_ceiling"],
    )
    held = st.held_back[m.c.home_rows]
    weeks = np.where(goal > held, d["fear.rise_weeks"], d["fear.fall_weeks"])
    held = held + (goal - held) * gain(m.weeks, weeks)
    st.held_back[m.c.home_rows] = held
    return 1.0 + held


def _ore_to_come(m: Market) -> np.ndarray:
    """What traders see missing (or more) under way in ore, t oxide, shape (h, w).

    Whoever prices an oxide knows what ore stands at the separators and what is coming:
    a closed border counts before the oxide is short, in part (``market.ore_watch``).
    """
    lay, st = m.layout, m.state
    if m.c.home_place < 0:
        return np.zeros((1, 1))
    links = m.c.home_ore_links
    ore = sum_on_links(links, st.ore_in_transit, st.ore_bonded, st.ore_landed)
    ore = ore + st.ore_at_plant[m.c.home_place]
    if m.state.ore_normal is None:
        m.state.ore_normal = np.maximum(ore, 0.0)
    cells = np.maximum(lay.separation.oxide_cell[lay.home], 0)
    grown = st.throughput[cells] / np.maximum(lay.cells.output[cells], 1e-12)
    short = (ore - m.state.ore_normal * np.minimum(grown, 1.0)) * m.c.home_yield
    out = np.zeros((len(m.c.home_rows), st.worlds))
    out[m.c.home_oxide_rows] = short[m.c.home_elements]
    return m.draws["market.ore_watch"] * out


def _home_prices(m: Market, rules: Conditions) -> None:
    lay, st, weeks, d = m.layout, m.state, m.weeks, m.draws
    rows, cells = m.c.home_rows, m.c.home_cells
    stock = st.seller_stock[cells] + np.minimum(
        st.plant_stock[cells], st.plant_forecast[cells] * m.c.plant_weeks[cells]
    )
    stock = np.maximum(stock + _ore_to_come(m), 0.1 * stock)
    # Fear acts through what it takes out of this stock, not a second time on the target.
    traders = st.throughput[cells] * d["cover.home_weeks"]
    normal = traders + st.plant_forecast[cells] * m.c.plant_weeks[cells]
    gap = pricing.cover_gap(normal, stock, high=d["market.cover_signal_ceiling"])
    # What traders would hold back over normal is bid for however little there is.
    held = _hold_back(m) - 1.0
    gap = gap + np.log1p(held * traders / np.maximum(normal, 1e-12))
    level = st.log_anchor[rows] + d["market.home_cover_response"] * gap
    before = st.log_home[rows]
    cut = None
    if rules.price_shift is not None or m.state.shifted is not None:
        # A price that an exporter sets lower than its market is laid on top of it, with the
        # same lag: the anchor goes on following the market's own price.
        before, cut = _shift_prices(m, rules, before, rows)
    st.log_home[rows] = before + (level - before) * gain(weeks, d["market.home_price_lag_weeks"])
    slow = d["market.anchor_lag_weeks"]
    st.log_anchor[rows] = pricing.anchor(
        st.log_anchor[rows],
        st.log_home[rows],
        lay.prices.home[rows],
        gain(weeks, slow),
        gain(weeks, 1.5 * slow),
    )
    if cut is not None:
        st.log_home[rows] += cut
    for row, inputs, rest in lay.prices.cost_rows:
        cost = rest
        for i, share in inputs:
            cost = cost + share * np.exp(st.log_home[i] - lay.prices.home[i])
        goal = lay.prices.home[row] + np.log(cost)
        if m.state.shifted is not None:
            goal = goal + m.state.shifted[row]
        st.log_home[row] += (goal - st.log_home[row]) * gain(weeks, 3.0)


def _shift_prices(
    m: Market, rules: Conditions, held: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Move what exporters take off their prices: (market's own price, shift) of ``rows``."""
    lag = m.draws["market.home_price_lag_weeks"]
    old = m.state.shifted
    if old is None:
        old = np.zeros((len(m.layout.materials), m.state.worlds))
    goal = 0.0 if rules.price_shift is None else rules.price_shift
    new = old + (goal - old) * gain(m.weeks, lag)
    m.state.shifted = None if not np.any(np.abs(new) > 1e-9) else new
    return held - old[rows], None if m.state.shifted is None else new[rows]


@compiled
def ask_prices(
    home: np.ndarray,
    delivered: np.ndarray,
    openness: np.ndarray,
    perceived: np.ndarray,
    users_like: np.ndarray,
    plant_forecast: np.ndarray,
    plant_weeks: np.ndarray,
    use: np.ndarray,
    lead: np.ndarray,
    cells_hold: np.ndarray,
    plant_stock: np.ndarray,
    under_way: np.ndarray,
    closure_weeks: np.ndarray,
    plateau: np.ndarray,
    ask_gain: np.ndarray,
    contract_gain: np.ndarray,
    trend_gain: np.ndarray,
    announced: np.ndarray,
    threshold: np.ndarray,
    per_trend: np.ndarray,
    per_closed: np.ndarray,
    per_announced: np.ndarray,
    ceiling: np.ndarray,
    up: np.ndarray,
    down: np.ndarray,
    log_base: np.ndarray,
    log_ask: np.ndarray,
    log_contract: np.ndarray,
    log_trend: np.ndarray,
    fear: np.ndarray,
) -> None:
    """Ask, contract and the fear that follows, by cell.

    Parameters
    ----------
    home : ndarray of bool, shape (c,)
        Cells inside the exporter: there the ask is the home price.
    delivered : ndarray, shape (c, w)
        Log of delivered cost, USD/kg.
    openness : ndarray, shape (c, w)
        Share of normal supply that passes; ``perceived`` (c, w): closure that sellers price in.
    users_like, plant_forecast, plant_weeks, use, lead, cells_hold, plant_stock, under_way : (c, w)
        What buyers like to hold, need and have (t, t/week, weeks).
    closure_weeks, plateau, ask_gain, contract_gain, trend_gain : ndarray, shape (w,)
        Weeks of closure that the market expects, ceiling of the mark-up, gains of this step.
    announced : ndarray, shape (c, w) or (0, 0)
        A control that is to come.
    threshold, per_closed, per_announced, ceiling, up, down : ndarray, shape (w,)
    per_trend : ndarray, shape (c, w)
        Numbers of ``pricing.fear_goal``, and the gains of fear upward and downward.
    log_base, log_ask, log_contract, log_trend, fear : ndarray, shape (c, w)
        Changed in place.
    """
    cells, worlds = fear.shape
    for c in range(cells):
        for w in range(worlds):
            open_share = openness[c, w]
            log_base[c, w] += (delivered[c, w] - log_base[c, w]) * ask_gain[w] * open_share
            if home[c]:
                log_ask[c, w] = log_base[c, w]
            else:
                goal = log_base[c, w]
                if perceived[c, w] > 0.0:
                    likes = users_like[c, w] + plant_forecast[c, w] * plant_weeks[c, w]
                    goal += _scarcity(
                        1.0 - perceived[c, w],
                        likes * (1.0 + fear[c, w]) + use[c, w] * lead[c, w],
                        cells_hold[c, w] + plant_stock[c, w] + under_way[c, w],
                        use[c, w] * closure_weeks[w],
                        plateau[w],
                        0.5,
                    )
                log_ask[c, w] += (goal - log_ask[c, w]) * ask_gain[w]
            log_contract[c, w] += (log_base[c, w] - log_contract[c, w]) * contract_gain[w]
            log_trend[c, w] += (log_ask[c, w] - log_trend[c, w]) * trend_gain[w]
            told = announced[c, w] if announced.shape[0] > 0 else 0.0
            rise = log_ask[c, w] - log_trend[c, w] - threshold[w]
            goal = 0.0
            closed = 1.0 - open_share
            if rise > 0.0 or closed != 0.0 or told != 0.0:
                goal = _fear_goal(
                    rise,
                    closed,
                    told,
                    per_trend[c, w],
                    per_closed[w],
                    per_announced[w],
                    ceiling[w],
                )
            speed = up[w] if goal > fear[c, w] else down[w]
            fear[c, w] += (goal - fear[c, w]) * speed
