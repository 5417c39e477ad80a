"""10 Every fourth week: substitution, and capacity that follows demand and price."""

from __future__ import annotations

import numpy as np

from lodestone.equations import demand
from lodestone.equations.lags import gain, toward
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.layout import WEEKS_PER_YEAR
from lodestone.worlds.market import Market


def substitute(m: Market, rules: Conditions) -> None:
    """Thrift and substitution follow lasting price and unmet use, slowly, part for good."""
    lay, st, weeks, d = m.layout, m.state, m.weeks * m.slow, m.draws
    paid = (
        st.log_contract * d["market.contract_share"]
        + st.log_ask * (1.0 - d["market.contract_share"])
        - lay.c_log_reference
    )[lay.u_cell]
    missing = (
        d["substitution.unmet_weight"] * m.state.missing / np.maximum(m.state.missed_of, 1e-12)
    )
    m.state.missing[...] = 0.0
    m.state.missed_of[...] = 0.0
    lag = gain(
        weeks,
        lay.u_lag * (d["substitution.lag_weeks"] / d["substitution.lag_weeks.default"]) / 2.0,
    )
    # Away from rare earths: the price of the product. Away from heavy elements: theirs.
    # Nobody redesigns a product for a price that moves as prices do.
    usual = d["fear.threshold"]
    now = np.maximum(paid - usual, 0.0) + missing
    heavy = missing.copy()
    if lay.by_heavy is not None:
        dear = st.log_ask[lay.h_cell] - lay.c_log_reference[lay.h_cell]
        heavy[lay.by_heavy.ids] += np.maximum(lay.by_heavy.sum(dear * lay.h_share) - usual, 0.0)
    for held, ceiling, signal, heard in (
        (st.ree_free, lay.u_free_ceiling, st.signal[0:2], now),
        (st.heavy_free, lay.u_heavy_ceiling, st.signal[2:4], heavy),
    ):
        signal[0] += (heard - signal[0]) * lag
        signal[1] += (signal[0] - signal[1]) * lag
        if not (np.any(signal[1] > 1e-9) or np.any(held)):
            continue
        goal = demand.substitution_target(signal[1], ceiling, d["substitution.speed"])
        most = d["substitution.max_per_year"] * weeks / WEEKS_PER_YEAR
        up = np.minimum((goal - held) * gain(weeks, 13.0), most)
        down = (goal - held) * gain(weeks, 200.0) * (1.0 - d["substitution.permanent_share"])
        held += np.where(goal > held, up, down)
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
    st.expected_price = toward(st.expected_price, value, weeks, 52.0)
    fast = lay.o_fast[:, None]
    threshold = np.where(
        fast,
        0.05,
        np.log(
            np.maximum(
                d["investment.incentive_price_ndpr_usd_per_kg"]
                / np.exp(lay.m_home[m.c.oxide_material[lay.element_at.get("ndpr", 0)], 0]),
                1.05,
            )
        ),
    )
    pull = np.clip((st.expected_price - threshold) / np.log(1.5), 0.0, 1.0)
    most = np.where(fast, d["investment.home_rate_per_year"], d["investment.rate_per_year"])
    lead = (
        np.where(fast, d["investment.home_lead_years"], d["investment.lead_years_mine"])
        * WEEKS_PER_YEAR
    )
    _pipeline(st.expansion, most * pull * weeks / WEEKS_PER_YEAR, gain(weeks, lead / 3.0))
    # A lasting low price slows what quotas and clays were to add, and shuts what it called up.
    slack = np.clip((-0.1 - st.expected_price) / np.log(1.5), 0.0, 1.0)
    floor = -0.8 * np.maximum(f.grown - st.expansion[3] - 1.0, 0.0)
    lower = st.expansion[3] - most * slack * weeks / WEEKS_PER_YEAR
    st.expansion[3] = np.where(slack > 0, np.maximum(lower, floor), st.expansion[3])
    # Metal and magnet plants are added where the order book outgrows them.
    load = np.clip((f.group_load - 0.9) / 0.1, 0.0, 1.0)
    lead = d["investment.lead_years_magnet"] * WEEKS_PER_YEAR
    rate = d["investment.midstream_rate_per_year"] * load * weeks / WEEKS_PER_YEAR
    _pipeline(st.group_expansion, rate, gain(weeks, lead / 3.0))


def _pipeline(held: np.ndarray, started: np.ndarray, passed: np.ndarray) -> None:
    """Move capacity through a pipeline of three steps into service, in place.

    Parameters
    ----------
    held : ndarray, shape (4, n, w)
        Three steps under way and, last, what is in service, as shares of the base year.
    started : ndarray, shape (n, w)
        Decided in this tick.
    passed : ndarray
        Share of each step that moves on in this tick.
    """
    if not (np.any(started) or np.any(held[:3])):
        return
    moved = held[:3] * passed
    held[0] += started - moved[0]
    held[1] += moved[0] - moved[1]
    held[2] += moved[1] - moved[2]
    held[3] += moved[2]
