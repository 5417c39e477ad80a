"""Numbers that can be worked out on paper."""

from __future__ import annotations

import itertools
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodestone.chain.load import load_chain
from lodestone.equations.demand import price_response
from lodestone.equations.lags import toward
from lodestone.interventions.price_floor import floor_payment
from lodestone.worlds.timeline import Timeline, ramp
from tests.fixtures.worlds import ban, day_after, shared, simulate


@pytest.fixture(scope="module")
def chain():
    return load_chain("2024")


# ---- static price multiple --------------------------------------------------------------


@pytest.mark.parametrize("cut", [0.05, 0.1, 0.3, 0.6])
@pytest.mark.parametrize(("a", "b"), [(0.05, 0.13), (0.1, 0.0), (0.4, 0.72)])
def test_the_price_that_clears_a_cut_market_is_the_closed_form(cut, a, b):
    """Stocks zero, adjustment at once: (1-s)^(-1/(a+b)) makes use equal to what is left."""
    multiple = (1.0 - cut) ** (-1.0 / (a + b))
    use = price_response(np.log(multiple), np.array(a))
    supply = (1.0 - cut) * multiple**b
    assert use == pytest.approx(supply, rel=1e-12)


# ---- price floor ------------------------------------------------------------------------


@pytest.mark.parametrize(("price", "million"), [(47.8, 162), (63, 122), (72, 99), (82, 73)])
def test_outlays_of_a_floor_of_110_on_2600_tonnes(price, million):
    paid = floor_payment(np.array(price), np.array(110.0), np.array(2600.0))
    assert paid == pytest.approx(million, abs=0.5)


@given(price=st.floats(110.0, 1000.0), tonnes=st.floats(0, 1e5))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_above_the_floor_the_state_pays_nothing_and_may_receive(price, tonnes):
    assert floor_payment(np.array(price), np.array(110.0), np.array(tonnes)) == 0.0
    back = floor_payment(np.array(price), np.array(110.0), np.array(tonnes), 0.3)
    assert back == pytest.approx(-0.3 * (price - 110.0) * tonnes / 1000.0)


def floor_run(floor, facility="us_mp_ndpr", **overrides):
    item = {
        "kind": "price_floor", "floor_usd_per_kg": floor, "materials": "ndpr_oxide",
        "facilities": facility, "start": "2024-01-01",
    }  # fmt: skip
    paid = []

    class Till:
        def market_day(self, run, now, rules):
            effect, active = rules.floors[0]
            m = run.layout.material_at["ndpr_oxide"]
            tonnes = run.day.facility_output(effect.rows, m)
            price = np.exp(run.day.state.log_home[m])
            paid.append((effect.outlay(run.day, active, now), tonnes, price))

    simulate(
        {"floor": item}, weeks=52, worlds=3, overrides=overrides or None,
        before=lambda run: run.watchers.append(Till()),
    )  # fmt: skip
    outlay, tonnes, price = (np.array(x) for x in zip(*paid, strict=True))
    return outlay, tonnes, price


def test_the_outlay_of_a_run_is_gap_times_output():
    outlay, tonnes, price = floor_run(110)
    assert np.all(tonnes > 0)
    assert np.allclose(outlay, np.maximum(110.0 - price, 0.0) * tonnes / 1000.0, rtol=1e-12)
    assert np.all(outlay.sum(axis=0) > 0)


def test_a_floor_below_the_price_costs_nothing():
    outlay, _, price = floor_run(20)
    assert price.min() > 20 and np.all(outlay == 0.0)


# ---- recycling and seeds ----------------------------------------------------------------


def test_a_line_of_100_tonnes_of_magnets_is_a_few_hundredths_of_a_percent(chain):
    """0.03 to 0.05 % of the world's NdPr, whichever of its outputs one divides by."""
    world = sum(
        b.tonnes
        for b in chain.baseline
        if b.stage == "separation_primary" and b.material == "ndpr_oxide"
    )
    recipe = chain.recipes["ndfeb_standard"]
    metal = sum(
        r.contained_element_t_per_t_output
        for r in recipe.values()
        if chain.materials[r.input].element == "ndpr"
    )
    oxide = 100.0 * metal * 0.95 / chain.elements["ndpr"].element_per_oxide
    assert 0.0002 < oxide / world < 0.0006, oxide / world


@pytest.mark.parametrize(
    ("element", "share"),
    [("ndpr", 0.857), ("dy", 0.871), ("tb", 0.850), ("la", 0.853), ("y", 0.787)],
)
def test_the_metal_in_an_oxide_follows_from_atomic_weights(chain, element, share):
    assert chain.elements[element].element_per_oxide == pytest.approx(share, abs=0.005)


def test_magnets_hold_the_rare_earth_that_the_literature_gives(chain):
    for name in ("ndfeb_standard", "ndfeb_high_coercivity"):
        held = sum(r.contained_element_t_per_t_output for r in chain.recipes[name].values())
        drawn = sum(r.input_t_per_t_output for r in chain.recipes[name].values())
        assert 0.27 < held < 0.33, name
        assert 0.15 < 1.0 - held / drawn < 0.35, name  # scrap of magnet making


def test_the_base_year_balances_by_material(chain):
    """What every material's makers put out, its users and plants take in (t a week, base year)."""
    lay = simulate(weeks=2, worlds=2, keep=()).layout
    made = np.zeros(len(lay.materials))
    need = np.zeros(len(lay.materials))
    np.add.at(made, lay.cells.material, lay.cells.output[:, 0])
    np.add.at(need, lay.cells.material, lay.cells.need[:, 0])
    assert np.allclose(made, need, rtol=1e-6), dict(zip(lay.materials, made / need, strict=True))
    into = lay.links.sum_by_destination(lay.links.base)[:, 0]
    assert np.allclose(into, lay.cells.need[:, 0], rtol=1e-6, atol=1e-9)


# ---- timelines --------------------------------------------------------------------------


def test_a_timeline_gives_the_exact_fraction():
    spans = Timeline(
        np.array([[3.0, 0.0, np.inf], [9.5, 2.0, 5.0]]),
        np.array([[5.0, 70.0, np.inf], [11.0, 2.0, 4.0]]),
    )
    share = spans.share(0.0, 7.0)
    assert np.allclose(share, [[2 / 7, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert np.allclose(spans.share(7.0, 14.0)[1], [1.5 / 7, 0.0, 0.0])
    assert spans.touches(4.0, 6.0) and not Timeline(np.array([[9.0]]), np.array([[9.0]])).touches(
        0, 99
    )


@given(
    start=st.floats(-20, 60),
    length=st.floats(0, 50),
    cuts=st.lists(st.integers(0, 160).map(lambda n: n / 4), min_size=1, max_size=6),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_parts_of_a_timeline_add_up_to_the_whole(start, length, cuts):
    spans = Timeline(np.array([[start]]), np.array([[start + length]]))
    edges = sorted({0.0, 40.0, *cuts})
    parts = sum(
        float(spans.share(a, b)[0, 0]) * (b - a) for a, b in itertools.pairwise(edges) if b > a
    )
    whole = max(min(start + length, 40.0) - max(start, 0.0), 0.0)
    assert parts == pytest.approx(whole, abs=1e-9)


def test_a_ramp_is_a_straight_line():
    months = np.array([[12.0]])
    online = np.array([[100.0, np.inf]])
    year = 12 * 30.4375
    for now, reached in ((99.0, 0.0), (100.0 + year / 4, 0.25), (100.0 + 2 * year, 1.0)):
        assert np.allclose(ramp(now, online, months), [[reached, 0.0]])


def test_a_lag_over_many_steps_is_the_exponential():
    for steps in (1, 4, 52):
        x = 1.0
        for _ in range(steps):
            x = toward(x, 0.0, 26.0 / steps, 13.0)
        assert x == pytest.approx(np.exp(-2.0), rel=1e-12)


def test_a_dated_ban_covers_its_days_to_the_fraction():
    seen = []

    class Rules:
        def market_day(self, run, now, rules):
            seen.append(0.0 if rules.passes is None else 1.0 - float(rules.passes.min()))

    cut = {**ban(0), "start": "2024-01-17", "end": "2024-02-09"}
    simulate({"cut": cut}, weeks=8, worlds=2, before=lambda run: run.watchers.append(Rules()))
    days = (date(2024, 2, 9) - date(2024, 1, 17)).days
    assert sum(seen) * 7 == pytest.approx(days)
    assert seen[2] == pytest.approx(5 / 7) and seen[5] == pytest.approx(4 / 7)


# ---- joint production -------------------------------------------------------------------


def stockpiled(holder, worlds=3):
    pile = {
        "kind": "stockpile", "holder": holder, "materials": "dy_oxide", "target_days": 365,
        "fill_days": 365, "start": day_after(4), "release_rule": "never",
    }  # fmt: skip
    return shared({"pile": pile}, weeks=78, worlds=worlds).home_prices()


@pytest.mark.parametrize("holder", ["china", "japan"])
def test_stockpiling_one_oxide_raises_its_price_and_not_those_of_the_others(holder):
    prices = stockpiled(holder)
    lay = shared({}, weeks=60, worlds=3).layout
    dy = lay.material_at["dy_oxide"]
    others = [
        lay.material_at[m] for m in ("la_oxide", "ce_oxide", "ndpr_oxide", "tb_oxide", "y_oxide")
    ]
    assert np.all(prices[:, dy].max(axis=0) > 1.01)
    # More Dy is dug out, and the rest of the basket comes with it. What little is left above
    # one is substitution: users who flee dear Dy take more of the grade without it.
    year = prices[30:56, others].mean(axis=0)
    assert year.max() <= 1.01 and np.median(year) <= 1.0
