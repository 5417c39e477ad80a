"""9 One law of price in every place; home, ask and contract are readings of it; fear."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import NONE, compiled
from lodestone.engine.phases.clearing import MOST_A_WEEK, NOTHING, Lanes, Law, Spots, clear
from lodestone.engine.phases.expecting import (
    BINDS,
    delivered,
    expected_need,
    expected_output,
    expected_plants,
    expected_rules,
    expected_stocks,
    gap_of_quotas,
    inputs_felt,
    landed_on_cheap_lanes,
    pass_on_costs,
    shift_by_cell,
)
from lodestone.engine.phases.shipping import remember
from lodestone.equations import pricing
from lodestone.equations.lags import gain
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Share of a price that no saving of its origins can take away (of no consequence: a guard).
LEAST_PRICE = 0.2
#: Deepest cut by a negative duty or fee, share (of no consequence: a guard).
LEAST_DUTY = -0.9

#: Weeks in which buyers answer to the announcement of a control (A314).
RUSH_WEEKS = 1.5

_fear_goal = compiled(pricing.fear_goal)


def set_prices(m: Market, f: Flows, rules: Conditions) -> None:
    """Prices move toward what clears every place over the horizon; buyers are told."""
    lay, st = m.layout, m.state
    _shift_prices(m, rules)
    levied = _levied(m, rules)
    move_prices(m, f, rules, levied)
    remember(m)
    gap_of_quotas(m, levied)
    delivered(m, levied)
    st.inputs_felt = inputs_felt(m)
    st.log_ask[...] = lay.prices.log_reference + st.log_price + shift_by_cell(m)
    known = lay.prices.home_cell >= 0
    st.log_home[known] = st.log_ask[lay.prices.home_cell[known]]
    charge = charges(m, rules)
    if charge is not None:
        paid = np.exp(st.log_ask)
        more = np.log(np.maximum(paid + charge, LEAST_PRICE * paid)) - st.log_ask
        # A world without a charge is what it is where no world has one, to the last digit.
        more = np.where(np.any(charge, axis=0), more, 0.0)
        st.log_ask += more
        st.log_base += more
    c = m.c
    told = Risk(
        st.openness,
        NONE if rules.announced is None else rules.announced,
        c.fear_threshold,
        c.fear_of_trend,
        c.fear_of_closure,
        c.fear_of_notice,
        c.fear_ceiling,
        c.fear_up,
        c.fear_down,
        float(gain(m.weeks, RUSH_WEEKS)),
    )
    gains = (c.contract_gain, c.trend_gain)
    pay_and_fear((st.log_ask, st.log_base), told, gains, st.log_contract, st.log_trend, st.fear)


def move_prices(m: Market, f: Flows, rules: Conditions, levied: np.ndarray) -> None:
    """Clear every material over the horizon and move prices one step toward it."""
    lay, st, law = m.layout, m.state, m.law
    usual, most = expected_plants(m, f)
    pass_on_costs(m)
    st.need_expected = expected_need(m, f, usual, usual * most)
    st.made_expected = expected_output(m, f)
    stock, target = expected_stocks(m, m.held_less)
    allowed = expected_rules(m, rules, st.need_expected)
    shift = shift_by_cell(m)
    landed = landed_on_cheap_lanes(m)
    lanes = Lanes(
        lay.links.starts,
        lay.links.origin,
        st.link_weight,
        law.seed,
        law.seed_cost,
        law.cost,
        law.pass_on,
        law.cheap_at,
        landed,
        law.pass_on[law.cheap] * np.exp(st.log_price[lay.links.origin[law.cheap]] - landed),
        law.response,
        law.reach,
        levied,
        NONE if allowed is None else allowed,
        st.lane_flow,
        st.lane_wish,
    )
    spots = Spots(
        law.active,
        law.active_starts,
        st.need_expected,
        st.made_expected,
        usual,
        st.plant_cost,
        most,
        stock,
        target,
        shift if isinstance(shift, np.ndarray) else NONE,
        law.elasticity,
        law.floor,
        law.ceiling,
        st.log_price,
        st.plant_output,
        st.saving,
    )
    numbers = Law(
        law.horizon,
        law.insisted,
        law.softness,
        law.slope,
        law.glut,
        law.gain,
        law.ease,
        MOST_A_WEEK * m.weeks,
    )
    clear(lanes, spots, numbers)
    st.lane_bound = st.lane_open = None
    if allowed is not None:
        st.lane_bound = st.lane_wish > BINDS * allowed
        st.lane_open = np.minimum(allowed / np.maximum(st.link_weight, NOTHING), 1.0)


def _levied(m: Market, rules: Conditions) -> np.ndarray:
    """Log of what is levied on each lane, (l, w), or (0, 0) where nothing is."""
    out = None
    for levied in (rules.import_tariff, rules.export_tax, rules.trade_cost):
        if levied is not None:
            part = np.log1p(np.maximum(levied, LEAST_DUTY))
            out = part if out is None else out + part
    return NONE if out is None else np.ascontiguousarray(out)


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


def _shift_prices(m: Market, rules: Conditions) -> None:
    """Move what exporters take off their prices by decision, with the lag of prices."""
    st = m.state
    if rules.price_shift is None and st.shifted is None:
        return
    old = st.shifted
    if old is None:
        old = np.zeros((len(m.layout.materials), st.worlds))
    goal = 0.0 if rules.price_shift is None else rules.price_shift
    new = old + (goal - old) * gain(m.weeks, m.draws["market.price_lag_weeks"])
    lasts = np.any(np.abs(new) > 1e-9, axis=0)
    st.shifted = np.where(lasts, new, 0.0) if np.any(lasts) else None


class Risk(NamedTuple):
    """What buyers fear, by cell, and how they answer, by world."""

    openness: np.ndarray  # (c, w) share of normal supply that passes
    announced: np.ndarray  # (c, w) or (0, 0) a control that is to come
    threshold: np.ndarray  # (w,)
    of_trend: np.ndarray  # (c, w)
    of_closure: np.ndarray  # (w,)
    of_notice: np.ndarray  # (w,)
    ceiling: np.ndarray  # (w,)
    up: np.ndarray  # (w,) gain
    down: np.ndarray  # (w,) gain
    rush: float  # gain once a control is announced


@compiled
def pay_and_fear(
    prices: tuple[np.ndarray, np.ndarray],
    risk: Risk,
    gains: tuple[np.ndarray, np.ndarray],
    log_contract: np.ndarray,
    log_trend: np.ndarray,
    fear: np.ndarray,
) -> None:
    """Contract, trend and the fear that follows, by cell (c, w), changed in place.

    Parameters
    ----------
    prices : (asked, delivered), shape (c, w) each
        Log price of the place, and log of delivered cost, USD/kg: contracts follow the second.
    risk : Risk
    gains : (contract, trend), shape (w,) each
    log_contract, log_trend, fear : ndarray, shape (c, w)
    """
    cells, worlds = fear.shape
    contract_gain, trend_gain = gains
    log_ask, log_base = prices
    for c in range(cells):
        for w in range(worlds):
            log_contract[c, w] += (log_base[c, w] - log_contract[c, w]) * contract_gain[w]
            log_trend[c, w] += (log_ask[c, w] - log_trend[c, w]) * trend_gain[w]
            told = risk.announced[c, w] if risk.announced.shape[0] > 0 else 0.0
            rise = log_ask[c, w] - log_trend[c, w] - risk.threshold[w]
            goal = 0.0
            closed = 1.0 - risk.openness[c, w]
            if rise > 0.0 or closed != 0.0 or told != 0.0:
                goal = _fear_goal(
                    rise,
                    closed,
                    told,
                    risk.of_trend[c, w],
                    risk.of_closure[w],
                    risk.of_notice[w],
                    risk.ceiling[w],
                )
            speed = risk.up[w] if goal > fear[c, w] else risk.down[w]
            if told > 0.0 and goal > fear[c, w]:
                speed = max(speed, risk.rush)
            fear[c, w] += (goal - fear[c, w]) * speed
