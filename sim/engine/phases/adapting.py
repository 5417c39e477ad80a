"""10 Every fourth week: substitution, and capacity that follows demand and price."""

from __future__ import annotations

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK
from lodestone.engine.compiling import add_rows
from lodestone.engine.phases.expecting import PLANNED, STEPS, need_ahead, need_later
from lodestone.equations import investment
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

#: Lagged signal below which nobody redesigns (rounding).
NO_SIGNAL = 1e-9


def substitute(m: Market, rules: Conditions) -> None:
    """Thrift and substitution follow lasting price and unmet use, slowly, part for good."""
    lay, st, weeks, d = m.layout, m.state, m.weeks * m.slow, m.draws
    share = d["market.contract_share"]
    paid = (st.log_contract * share + st.log_ask * (1.0 - share) - lay.prices.log_reference)[
        lay.users.cell
    ]
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
        hears = np.any((signal[1] > NO_SIGNAL) | (held != 0.0), axis=0)
        if not np.any(hears):
            continue
        goal = substitution_target(signal[1], ceiling, d["substitution.speed"])
        most = d["substitution.max_per_year"] * weeks / WEEKS_PER_YEAR
        step = substitution_step(
            held,
            goal,
            gain(weeks, DESIGN_WEEKS),
            gain(weeks, UNDO_WEEKS),
            d["substitution.permanent_share"],
            most,
        )
        held += np.where(hears, step, 0.0)
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
    ahead = need_ahead(m)
    value = np.log(np.maximum(f.ore_value, 1e-9))
    # What buyers will need once the plants under way are built makes ore dearer.
    ndpr = m.c.oxide_material[lay.element_at.get("ndpr", 0)]
    answers = m.law.elasticity[max(int(lay.prices.home_cell[ndpr]), 0)]
    value = value + np.log(_ore_ahead(m, ahead)) / answers
    st.expected_price = toward(st.expected_price, value, weeks, investment.EXPECTATION_WEEKS)
    fast = lay.ore.fast[:, None]
    # Full cost: what a new mine must earn stands over the base price.
    price = np.exp(lay.prices.home[ndpr, 0])
    incentive = d["investment.incentive_price_ndpr_usd_per_kg"] / price
    hurdle = np.where(
        fast,
        investment.HOME_THRESHOLD,
        np.log(np.maximum(incentive, investment.LEAST_INCENTIVE)),
    )
    needed = investment.needed_capacity(st.expected_price - hurdle, answers)
    open_to = np.maximum(needed - st.expansion[:3].sum(axis=0), 0.0)
    most = np.where(fast, d["investment.home_rate_per_year"], d["investment.rate_per_year"])
    begun = open_to * gain(weeks, investment.EXPECTATION_WEEKS)
    lead = (
        np.where(fast, d["investment.home_lead_years"], d["investment.lead_years_mine"])
        * WEEKS_PER_YEAR
    )
    begun = np.minimum(begun, most * weeks / WEEKS_PER_YEAR)
    _build(st.expansion, begun, gain(weeks, lead / STEPS))
    # A lasting low price slows what quotas and clays were to add, and shuts what it called up.
    slack = investment.slack(st.expected_price)
    floor = -investment.SHUTTABLE * np.maximum(f.grown - st.expansion[3] - 1.0, 0.0)
    lower = st.expansion[3] - most * slack * weeks / WEEKS_PER_YEAR
    st.expansion[3] = np.where(slack > 0, np.maximum(lower, floor), st.expansion[3])
    # Builders count what need will be once they are done: by today's alone they stay behind its growth.
    runs = _weeks_to_run(m)
    grown = need_later(m, runs)
    later = 1.0 - (1.0 - st.saving) / (ahead * grown)
    _plants(m, later, _lacking_later(m, f, runs, grown))
    _separators(m, later)


def _ore_ahead(m: Market, ahead: np.ndarray) -> np.ndarray:
    """Need ahead over today's for the basket of each pool, by value and place, shape (o, w)."""
    lay = m.layout
    cells = lay.separation.oxide_cell[lay.separation.regions]
    worth = np.zeros((len(lay.ore.pools), len(lay.elements)))
    value = lay.ore.mix[:, :, 0] * np.exp(lay.prices.home[m.c.oxide_material, 0])
    worth[lay.ore.by_pool.ids] = value[lay.ore.by_pool.starts]
    worth /= np.maximum(worth.sum(axis=1, keepdims=True), 1e-12)
    going = lay.ore.base_t + 1e-9 * lay.ore.default
    part = going / np.maximum(
        lay.ore.links_by_pool.spread(going, len(lay.ore.pools))[lay.ore.pool], 1e-12
    )
    ratio = ahead[np.maximum(cells, 0)][lay.ore.place]  # (k, e, w)
    each = np.einsum("ke,kew->kw", worth[lay.ore.pool], ratio)
    return np.maximum(lay.ore.links_by_pool.spread(part * each, len(lay.ore.pools)), 1.0)


def _plants(m: Market, short: np.ndarray, lacks: np.ndarray) -> None:
    """Metal and magnet plants are added where need is not met and their price pays full cost.

    What is short, by cell (c, w), and what plants lack of what will be asked of them (g, w), shares.
    """
    lay, st, weeks, d = m.layout, m.state, m.weeks * m.slow, m.draws
    rows, group = lay.groups.made_cells, lay.groups.of_cell[lay.groups.made_cells]
    weight = st.plant_output[rows] + 1e-12
    total, earned, missed = np.zeros((3, lay.groups.n, st.worlds))
    add_rows(group, weight, total)
    add_rows(group, weight * (st.log_price - st.plant_cost)[rows], earned)
    add_rows(group, weight * short[rows], missed)
    slow = gain(weeks, investment.EXPECTATION_WEEKS)
    # What will be short will be dear: builders look at the price of then where that calls for more.
    now, short_now = earned / total, missed / total
    then = np.maximum(now, 0.0) - np.log1p(-lacks) / m.law.elasticity[lay.groups.a_cell]
    later = _worth(then, lacks, d) > _worth(now, short_now, d)
    st.group_margin += (np.where(later, then, now) - st.group_margin) * slow
    st.group_short += (np.where(later, lacks, short_now) - st.group_short) * slow
    lead = m.c.build_weeks[lay.groups.a_cell]
    _add(m, st.group_expansion, st.group_margin, st.group_short, lead)


def _weeks_to_run(m: Market) -> np.ndarray:
    """Until what is thought of now runs, (c, w): to see it, to decide, to build."""
    deciding = WEEKS_PER_YEAR / m.draws["investment.midstream_rate_per_year"]
    return np.asarray(investment.EXPECTATION_WEEKS + deciding + m.c.build_weeks)


def _lacking_later(m: Market, f: Flows, runs: np.ndarray, grown: np.ndarray) -> np.ndarray:
    """Share of need that plants on line or announced would leave unmet once new ones could run, (g, w).

    New ones run in ``runs`` weeks, when need is ``grown`` times today's, (c, w) both. Before what
    builders have begun by themselves, which `_add` nets.
    """
    lay, st = m.layout, m.state
    rows, group = lay.groups.made_cells, lay.groups.of_cell[lay.groups.made_cells]
    need = np.zeros((lay.groups.n, st.worlds))
    add_rows(group, (st.plant_asked * grown)[rows], need)
    plants = lay.groups.plants_order
    until = m.now + DAYS_PER_WEEK * runs[lay.groups.a_cell[lay.groups.of_facility[plants]]]
    comes = (m.online[plants] > m.now) & (m.online[plants] <= until)
    coming = np.zeros_like(need)
    add_rows(lay.groups.of_facility[plants], lay.plants.capacity[plants] * comes, coming)
    able = np.maximum(PLANNED * (f.group_capacity + coming), lay.groups.base_output)
    return np.clip(1.0 - able / np.maximum(need, 1e-12), 0.0, investment.MOST_MISSING)


def _separators(m: Market, short: np.ndarray) -> None:
    """Separators outside the exporter are added where oxides are missing and pay for it.

    What they earn is the gap between the lead oxide's price there and at home, where ore goes
    otherwise.
    """
    lay, st, weeks = m.layout, m.state, m.weeks * m.slow
    lead = lay.element_at.get("ndpr", 0)
    cells, home = (
        lay.separation.oxide_cell[lay.separation.regions][:, lead],
        lay.separation.oxide_cell[lay.home][lead],
    )
    known = ((cells >= 0) & (cells != home))[:, None]
    near = np.maximum(cells, 0)
    slow = gain(weeks, investment.EXPECTATION_WEEKS)
    margin = np.where(known, st.log_price[near] - st.log_price[home], 0.0)
    st.separator_margin += (margin - st.separator_margin) * slow
    st.separator_short += (np.where(known, short[near], 0.0) - st.separator_short) * slow
    _add(m, st.separator_expansion, st.separator_margin, st.separator_short, m.c.build_weeks[near])


def _worth(margin: np.ndarray, short: np.ndarray, d: dict[str, np.ndarray]) -> np.ndarray:
    """What is missing and pays, as a share of what is there, shape as given."""
    paying = investment.pays(margin, d["investment.hurdle"])
    return np.asarray(paying * investment.missing_capacity(short))


def _add(
    m: Market, held: np.ndarray, margin: np.ndarray, short: np.ndarray, lead: np.ndarray
) -> None:
    """Begin what is missing and pays, net of what is under way, and build on, in place.

    ``lead`` (n, w) is how long it takes to build, weeks.
    """
    weeks, d = m.weeks * m.slow, m.draws
    worth = _worth(margin, short, d) * (1.0 + held[3])
    open_to = np.maximum(worth - held[:3].sum(axis=0), 0.0)
    begun = open_to * gain(weeks, WEEKS_PER_YEAR / d["investment.midstream_rate_per_year"])
    _build(held, begun, gain(weeks, lead / STEPS))


def _build(held: np.ndarray, started: np.ndarray, passed: np.ndarray) -> None:
    """Move capacity (4, n, w) through its three steps into service, in place."""
    if np.any(started) or np.any(held[:3]):
        held[0], held[1], held[2], held[3] = pipeline(held, started, passed)
