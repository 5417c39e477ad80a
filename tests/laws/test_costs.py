"""Costs: who pays them, what they shut down, and how experience and new processes lower them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodestone.border.errors import InputError
from lodestone.chain import naming
from lodestone.chain.load import load_chain
from lodestone.engine.phases.prices import charges
from lodestone.engine.run import BatchRun
from lodestone.interventions.cost_shift import stage_costs
from lodestone.interventions.separation_learning import learnt_factor
from tests.fixtures.worlds import day_after, not_yet, scenario, shared

SETTINGS = {"worlds": 3, "weeks": 90}
PRINTS = {**SETTINGS, "weeks": 40, "prints": True, "keep": []}


def shift(region="united_states", stage="magnet", **more):
    return {
        "it": {
            "kind": "cost_shift", "region": region, "stage": stage, "factor": 1.5,
            "start": day_after(6), **more,
        },
    }  # fmt: skip


def paid(items, cell):
    trace = shared(items, **SETTINGS)
    return np.exp(trace["log_ask"][-1, trace.layout.cells.at[cell]])


# ---- what buyers pay --------------------------------------------------------------------


@pytest.mark.parametrize("base", ["opex", "price"])
def test_a_dearer_origin_costs_its_buyers_the_added_cost_and_no_more(base):
    """All buyers of Chinese magnets: the added cost times the share that comes from there."""
    trace, before = shared(shift("china", base=base), **SETTINGS), shared({}, **SETTINGS)
    lay = trace.layout
    costs = stage_costs(lay, naming.places(lay.chain, "china"), "magnet")
    at = {int(c): i for i, c in enumerate(costs.cells)}
    home = lay.cells.at[("ndfeb_standard", "china")]
    added = (costs.on_goods if base == "opex" else costs.price)[at[home], 0] * 0.5
    cell = lay.cells.at[("ndfeb_standard", "united_states")]
    here = lay.links.destination == cell
    from_china = (trace.run.day.link_share[here] * (lay.links.origin[here] == home)[:, None]).sum(
        axis=0
    )
    rise = np.exp(trace["log_base"][-1, cell]) - np.exp(before["log_base"][-1, cell])
    charge = charges(trace.run.day, trace.run.rules)[cell]
    assert np.allclose(charge, added * from_china, rtol=1e-3), (charge, added * from_china)
    # Dearer goods are used less and bought elsewhere: part of it comes off the exporter's price.
    assert np.all((rise <= charge) & (rise > 0.5 * charge)), (rise, charge)


def test_buyers_pay_more_the_more_is_passed_on():
    cell = ("ndfeb_standard", "united_states")
    asks = [paid(shift(pass_through=p), cell) for p in (0.5, 1.0)]
    assert np.all(asks[1] > asks[0]) and np.all(asks[0] > paid({}, cell))


@not_yet(
    "an added cost is paid but no part of what lanes compare: after 90 weeks shares move by 0.3 "
    "points either way, after four years they are one to two points lower"
)
def test_buyers_drift_away_from_an_origin_that_gets_dearer_than_others():
    shares = []
    for factor in (1.0, 1.2, 1.5):
        trace = shared(shift("china", base="price", factor=factor), **SETTINGS)
        lay = trace.layout
        there = (lay.links.origin == lay.cells.at[("ndfeb_standard", "china")]) & (
            lay.links.destination == lay.cells.at[("ndfeb_standard", "japan")]
        )
        shares.append(trace.run.day.link_share[there].sum(axis=0))
    assert np.all(np.diff(shares, axis=0) < 0)


def test_cost_of_oxide_goes_down_the_chain_once():
    """Separation half as dear again: metal rises by what is in it, magnets by what is in them."""
    trace, before = shared(shift("china", "separation"), **SETTINGS), shared({}, **SETTINGS)
    lay = trace.layout
    charge = charges(trace.run.day, trace.run.rules)
    assert np.all(charge >= 0.0)
    oxide, metal = (lay.cells.at[(m, "china")] for m in ("ndpr_oxide", "ndpr_metal"))
    recipe = lay.chain.recipes["ndpr_metal"]
    (use,) = [r.input_t_per_t_output for r in recipe.values() if r.input == "ndpr_oxide"]
    share = charge[metal] / (use * charge[oxide])
    assert np.all((share > 0.9) & (share <= 1.0 + 1e-9))
    dearer = np.exp(trace["log_ask"][-1] - before["log_ask"][-1])
    assert np.all(dearer[metal] > 1.0)


def test_a_dearer_oxide_rises_more_than_the_metal_made_of_it():
    trace, before = shared(shift("china", "separation"), **SETTINGS), shared({}, **SETTINGS)
    oxide, metal = (trace.layout.cells.at[(m, "china")] for m in ("ndpr_oxide", "ndpr_metal"))
    dearer = np.exp(trace["log_ask"][-1] - before["log_ask"][-1])
    assert np.all(dearer[oxide] > dearer[metal])


def test_the_cost_of_ore_is_laid_on_oxides_in_full():
    lay = shared({}, **SETTINGS).layout
    costs = stage_costs(lay, naming.places(lay.chain, "china"), "separation")
    s = lay.separation.at["china"]
    made = (
        lay.separation.fed[s]
        * lay.separation.recovery[s]
        * np.minimum(lay.separation.taken[s], 1.0)
    )  # (e, 1)
    cell_of = {lay.materials[lay.cells.material[c]]: i for i, c in enumerate(costs.cells)}
    laid = sum(
        float(made[lay.element_at[e], 0]) * float(costs.on_goods[cell_of[lay.names.oxide(e)], 0])
        for e in lay.elements
        if lay.names.oxide(e) in cell_of
    )
    size = lay.plants.capacity[costs.rows]
    mean = float((costs.unit * size).sum() / size.sum())
    assert laid == pytest.approx(mean * float(lay.separation.fed[s].sum()), rel=1e-6)


# ---- what plants do ---------------------------------------------------------------------


def made(items, material, region):
    trace = shared(items, **SETTINGS)
    return trace["output"][-20:, trace.layout.cells.at[(material, region)]].sum(axis=0)


def test_plants_that_cannot_pass_on_their_cost_shut_down_and_the_more_the_dearer():
    outputs = [
        made(shift("japan", pass_through=0.0, factor=f), "ndfeb_standard", "japan")
        for f in (1.0, 1.1, 1.5)
    ]
    assert np.all(np.diff(outputs, axis=0) < 0) and np.all(outputs[-1] < 0.5 * outputs[0])


def test_a_mine_takes_prices_and_digs_less_when_it_gets_dearer():
    less = made(shift("myanmar", "mine", factor=3.0), "dy_oxide", "china")
    assert np.all(less < made({}, "dy_oxide", "china"))


def test_plants_come_back_after_a_shift_ends():
    it = shift("japan", pass_through=0.0, factor=1.5, end=day_after(30))
    trace = shared(it, **{**SETTINGS, "weeks": 160})
    plants = trace.layout.plants.of("magnet", "japan")
    assert np.all(trace.run.day.state.willing[plants] > 0.95)


@pytest.mark.parametrize("more", [{"base": "off"}, {"factor": 1.0}, {"base": "capex"}])
def test_a_factor_of_one_a_switched_off_base_and_capital_without_projects_move_nothing(more):
    assert shared(shift(**more), **PRINTS).fingerprints == shared({}, **PRINTS).fingerprints


def test_dearer_capital_builds_less_and_moves_no_date():
    def online(**more):
        what = scenario(shift(base="capex", **more), weeks=520, flat=False)
        return BatchRun(what, load_chain("2024"), 0, np.arange(37)).day.online

    cheap, base, dear = (online(factor=f, stage="magnet") for f in (0.5, 1.0, 4.0))
    for more, less in ((cheap, base), (base, dear)):
        assert np.all(np.isfinite(less) <= np.isfinite(more))
        both = np.isfinite(less)
        assert np.array_equal(less[both], more[both])
    assert np.isfinite(dear).sum() < np.isfinite(base).sum() < np.isfinite(cheap).sum()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"base": "capex", "factor": {"2025-01-01": 2}}, "a path over time is not read"),
        ({"base": "price", "stage": "mine"}, "sold on the prices of its oxides"),
        ({"region": "myanmar"}, "no facility of stage magnet in myanmar"),
    ],
)
def test_what_cannot_be_meant_is_refused(more, says):
    with pytest.raises(InputError, match=says):
        scenario(shift(**more))


# ---- learning ---------------------------------------------------------------------------


@given(
    made=st.floats(0, 1e7), more=st.floats(0, 1e6), before=st.floats(1, 1e6), rate=st.floats(0, 0.5)
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_experience_never_makes_dearer_and_a_doubling_takes_off_the_rate(made, more, before, rate):
    def at(tonnes, r=rate):
        return learnt_factor(np.array(tonnes), np.array(before), np.array(r))

    assert at(0.0) == 1.0 and at(before) == pytest.approx(1.0 - rate)
    assert at(made + more) <= at(made) + 1e-12
    assert at(made, 0.0) == 1.0


def learning(**more):
    return {
        "it": {
            "kind": "separation_learning", "region": "malaysia", "rate_per_doubling": 0.3,
            "experience_years": 0.5, "start": day_after(6), **more,
        },
    }  # fmt: skip


def test_learning_pays_back_part_of_a_cost_shift():
    cell = ("ndpr_oxide", "japan")
    dear = shift("malaysia", "separation")
    both = {**dear, "learn": learning()["it"]}
    assert np.all(paid(both, cell) < paid(dear, cell))
    assert np.all(paid(learning(rate_per_doubling=0.4), cell) < paid(learning(), cell))


# ---- bio-based separation ---------------------------------------------------------------


def bio(**more):
    return {
        "bio": {
            "kind": "bio_extraction", "region": "brazil", "tonnes_per_year": 3000,
            "ramp_months": 1, "start": day_after(10), **more,
        },
    }  # fmt: skip


def test_a_plant_below_the_smallest_scale_is_not_built_and_says_why():
    small = bio(tonnes_per_year=150)
    assert shared(small, **PRINTS).fingerprints == shared({}, **PRINTS).fingerprints
    lines = [what for what, *_ in shared(small, **SETTINGS).run.timelines()]
    assert any("smaller than the smallest" in line for line in lines)
    assert shared(
        bio(tonnes_per_year=150, minimum_tonnes_per_year=100), **SETTINGS
    ).layout.plants.at["added_bio"]


def test_it_separates_from_the_day_the_technology_is_ready_and_never_more_than_its_size():
    trace = shared(bio(), **SETTINGS)
    lay = trace.layout
    cells = [
        c
        for c, (m, r) in enumerate(lay.cells.keys)
        if r == "brazil" and lay.form[lay.cells.material[c]] == "oxide"
    ]
    out = trace["output"][:, cells].sum(axis=1)
    before = shared({}, **SETTINGS)
    old = [
        before.layout.cells.at[lay.cells.keys[c]]
        for c in cells
        if lay.cells.keys[c] in before.layout.cells.at
    ]
    base = before["output"][:, old].sum(axis=1) if old else np.zeros_like(out)
    assert np.allclose(out[:10], base[:10])
    assert np.all(out[-10:].sum(axis=0) > base[-10:].sum(axis=0))
    assert np.all((out - base).max(axis=0) <= 3000 / 52.18 * 1.15)


def test_a_dearer_process_makes_its_oxide_dearer():
    cell = ("ndpr_oxide", "brazil")
    trace = shared(bio(cost_factor=1.5), **SETTINGS)
    runs = [shared(bio(cost_factor=f), **SETTINGS).run for f in (0.8, 1.5)]
    paid = [charges(run.day, run.rules) for run in runs]
    home = trace.layout.cells.at[cell]
    assert np.all(paid[0] <= 0.0) and np.all(paid[1] >= 0.0)
    assert paid[1][home].min() >= 0.0 and paid[1].max() > 0.0 > paid[0].min()
