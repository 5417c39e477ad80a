"""10 Every fourth week: substitution, and capacity that follows demand and price."""

from __future__ import annotations

import numpy as np

from lodestone.equations import demand, investment
from lodestone.equations.lags import gain, pipeline, toward
from lodestone.equations.substitution import (
    DESIGN_WEEKS,
    UNDO_WEEKS,
    substitution_step,
    substitution_target,
)
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.layout import WEEKS_PER_YEAR
from lodestone.worlds.market import Market

#: Steps of building: a third of the lead each.
STEPS = 3.0
#: Lagged signal below which nobody redesigns (rounding).
NO_SIGNAL = 1e-9


def substitute(m: Market, rules: Conditions) -> None:
    """Thrift and substitution follow lasting price and unmet use, slowly, part for good."""
    lay, st, weeks, d = m.layout, m.state, m.weeks * m.slow, m.draws
    paid = demand.paid_over_base(
        st.log_contract, st.log_ask, lay.prices.log_reference, d["market.contract_share"]
    )[lay.users.cell]
    missing = d["substitution.unmet_weight"] * st.missing / np.maximum(st.missed_of, 1e-12)
    st.missing[...] = 0.0
    st.missed_of[...] = 0.0
    lag = gain(
        weeks,
        lay.users.lag * (d["substitution.lag_weeks"] / d["substitution.lag_weeks.default"]) / 2.0,
    )
    # Away from rare earths: the price of the product. Away from heavy elements: theirs.
    # Nobody redesigns a product for a price that moves as prices do.
    usual = d["fear.threshold"]
    now = np.maximum(paid - usual, 0.0) + missing
    heavy = missing.copy()
    if lay.users.by_heavy is not None:
        dear = st.log_ask[lay.users.heavy_cell] - lay.prices.log_reference[lay.users.heavy_cell]
        heavy[lay.users.by_heavy.ids] += np.maximum(
            lay.users.by_heavy.sum(dear * lay.users.heavy_share) - usual, 0.0
        )
    price_signal, heavy_signal = st.signal[:2], st.signal[2:]
    for held, ceiling, signal, heard in (
        (st.ree_free, lay.users.free_ceiling, price_signal, now),
        (st.heavy_free, lay.users.heavy_ceiling, heavy_signal, heavy),
    ):
        signal[0] += (heard - signal[0]) * lag
        signal[1] += (signal[0] - signal[1]) * lag
        if not (np.any(signal[1] > NO_SIGNAL) or np.any(held)):
            continue
        goal = substitution_target(signal[1], ceiling, d["substitution.speed"])
        most = d["substitution.max_per_year"] * weeks / WEEKS_PER_YEAR
        held += substitution_step(
            held,
            goal,
            gain(weeks, DESIGN_WEEKS),
            gain(weeks, UNDO_WEEKS),
            d["substitution.permanent_share"],
            most,
        )
    _designs(m, rules)


def _designs(m: Market, rules: Conditions) -> None:
    """What new designs have moved stands, however far prices have moved users."""
    for held, moved in (
        (m.state.heavy_free, rules.heavy_free),
        (m.state.ree_free, rules.ree_free),
    ):
        if moved is not None:
            np.maximum(held, moved, out=held)


def invest(m: Market, f: Flows) -> None:
    """Capacity that follows demand and price: slow, limited, where it can be had."""
    lay, st, weeks, d = m.layout, m.state, m.weeks * m.slow, m.draws
    value = np.log(np.maximum(f.ore_value, 1e-9))
    st.expected_price = toward(st.expected_price, value, weeks, investment.EXPECTATION_WEEKS)
    fast = lay.ore.fast[:, None]
    ndpr = np.exp(lay.prices.home[m.c.oxide_material[lay.element_at.get("ndpr", 0)], 0])
    incentive = d["investment.incentive_price_ndpr_usd_per_kg"] / ndpr
    threshold = np.where(
        fast,
        investment.HOME_THRESHOLD,
        np.log(np.maximum(incentive, investment.LEAST_INCENTIVE)),
    )
    pull = investment.pull(st.expected_price, threshold)
    most = np.where(fast, d["investment.home_rate_per_year"], d["investment.rate_per_year"])
    lead = (
        np.where(fast, d["investment.home_lead_years"], d["investment.lead_years_mine"])
        * WEEKS_PER_YEAR
    )
    _build(st.expansion, most * pull * weeks / WEEKS_PER_YEAR, gain(weeks, lead / STEPS))
    # A lasting low price slows what quotas and clays were to add, and shuts what it called up.
    slack = investment.slack(st.expected_price)
    floor = -investment.SHUTTABLE * np.maximum(f.grown - st.expansion[3] - 1.0, 0.0)
    lower = st.expansion[3] - most * slack * weeks / WEEKS_PER_YEAR
    st.expansion[3] = np.where(slack > 0, np.maximum(lower, floor), st.expansion[3])
    # Metal and magnet plants are added where the order book outgrows them.
    lead = d["investment.lead_years_magnet"] * WEEKS_PER_YEAR
    rate = d["investment.midstream_rate_per_year"] * investment.crowding(f.group_load)
    _build(st.group_expansion, rate * weeks / WEEKS_PER_YEAR, gain(weeks, lead / STEPS))


def _build(held: np.ndarray, started: np.ndarray, passed: np.ndarray) -> None:
    """Move capacity (4, n, w) through its three steps into service, in place."""
    if np.any(started) or np.any(held[:3]):
        held[0], held[1], held[2], held[3] = pipeline(held, started, passed)
