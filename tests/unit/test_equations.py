"""Equations one by one: limits, exactness, what they conserve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodestone.engine.compiling import NONE
from lodestone.engine.phases.arrivals import Buyers, Edges, Users, share_landed
from lodestone.engine.phases.shipping import ration
from lodestone.equations import (
    demand,
    lags,
    lanes,
    pricing,
    production,
    quota_rent,
    scarcity,
    substitution,
    trade,
)

POSITIVE = st.floats(1e-3, 1e6)
SHARE = st.floats(0.0, 1.0)


# ---- lags -------------------------------------------------------------------------------


@given(x=st.floats(-5, 5), goal=st.floats(-5, 5), weeks=st.floats(0.01, 20), t=st.floats(0.05, 200))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_two_half_steps_equal_one(x, goal, weeks, t):
    whole = lags.toward(x, goal, weeks, t)
    half = lags.toward(lags.toward(x, goal, weeks / 2, t), goal, weeks / 2, t)
    assert np.isclose(whole, half, rtol=1e-12, atol=1e-12)
    assert min(x, goal) - 1e-12 <= whole <= max(x, goal) + 1e-12  # never overshoots


def test_a_lag_is_the_exponential_and_no_time_constant_is_at_once():
    assert np.isclose(lags.gain(7.0, 7.0), 1.0 - np.exp(-1.0))
    assert lags.gain(1.0, 0.0) == 1.0
    assert lags.gain(0.0, 5.0) == 0.0


# ---- allocation -------------------------------------------------------------------------


def links(claims, stock, weights=None, group=None, usual=None):
    wanted = np.array(claims, dtype=float)
    group = np.zeros(len(wanted), dtype=int) if group is None else np.array(group)
    weight = np.ones_like(wanted) if weights is None else np.array(weights, dtype=float)
    weight = np.array(np.broadcast_to(weight, wanted.shape))
    custom = wanted.copy() if usual is None else np.array(usual, dtype=float)
    stock = np.array(stock, dtype=float)
    shipped, sold = np.empty_like(wanted), np.empty_like(stock)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(stock) + 1))
    ration(wanted, weight, (custom, 1.0), stock, order, starts, shipped, sold)
    for g in range(len(stock)):
        assert np.allclose(sold[g], shipped[group == g].sum(axis=0))
    return shipped


@given(
    claims=st.lists(st.floats(0, 1e4), min_size=7, max_size=7),
    weights=st.lists(st.floats(0.1, 20), min_size=7, max_size=7),
    stock=st.lists(st.floats(0, 1e4), min_size=3, max_size=3),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_rationing_never_gives_more_than_asked_or_than_there_is(claims, weights, stock):
    group = [0, 0, 0, 1, 1, 2, 2]
    wanted = np.array(claims)[:, None]
    out = links(wanted, np.array(stock)[:, None], np.array(weights)[:, None], group)
    given_out = np.zeros(3)
    np.add.at(given_out, group, out[:, 0])
    asked = np.zeros(3)
    np.add.at(asked, group, wanted[:, 0])
    assert np.all(out >= 0) and np.all(out <= wanted + 1e-9)
    assert np.all(given_out <= np.array(stock) * (1 + 1e-12) + 1e-9)
    short = asked > np.array(stock) + 1e-6
    assert np.allclose(given_out[~short], asked[~short])


def test_equal_weights_share_pro_rata_and_a_weight_serves_first():
    assert np.allclose(links([[30.0], [10.0]], [[20.0]])[:, 0], [15.0, 5.0])
    first = links([[10.0], [10.0]], [[12.0]], [[9.0], [1.0]])[:, 0]
    assert np.isclose(first.sum(), 12.0) and first[0] == 10.0
    assert np.array_equal(links([[3.0], [4.0]], [[7.0]])[:, 0], [3.0, 4.0])


def test_usual_customers_come_first_and_share_what_is_left_with_others():
    # He who always takes ten gets ten, though a new customer asks for ten times as much.
    assert np.allclose(links([[100.0], [10.0]], [[15.0]], usual=[[2.0], [10.0]])[:, 0], [5.0, 10.0])
    # Too little for all usual customers: in proportion to what they usually take.
    assert np.allclose(links([[100.0], [10.0]], [[6.0]], usual=[[2.0], [10.0]])[:, 0], [1.0, 5.0])
    # Nobody is usual: all share.
    assert np.allclose(links([[30.0], [10.0]], [[20.0]], usual=[[0.0], [0.0]])[:, 0], [15.0, 5.0])


def test_one_world_short_does_not_touch_the_other():
    out = links([[30.0, 3.0], [10.0, 4.0]], [[20.0, 7.0]])
    assert np.array_equal(out[:, 1], [3.0, 4.0]) and np.isclose(out[:, 0].sum(), 20.0)


# ---- demand -----------------------------------------------------------------------------


@given(spread=st.floats(0.0, 0.6))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_cover_classes_have_mean_one_and_rise(spread):
    cover = demand.class_cover(np.array([spread]))[:, 0]
    assert np.isclose(cover.mean(), 1.0) and np.all(np.diff(cover) >= 0)


def handed_out(stock, target, urgent, arrival=1.0):
    """What each class of one user line gets of an arrival, when the line is low on stock."""
    stock = np.array(stock, dtype=float)[:, None, None]
    cover = np.array(target, dtype=float)[:, None, None] * 5.0  # weeks, at a use of one a week
    one, zero = np.ones((1, 1)), np.zeros((1, 1))
    after, to_users = stock.copy(), np.empty((1, 1))
    edge = np.array([0, 0, 1])  # no tie to the home region
    users = Users(
        one, cover.mean(axis=0), cover, NONE, np.array([urgent]), stock.sum(axis=0),
        after, to_users,
    )  # fmt: skip
    buyers = Buyers(zero, NONE, zero, zero, zero.copy(), zero.copy(), zero.copy())
    share_landed(one * arrival, Edges(edge, edge), users, buyers, 1.0)
    assert np.isclose(to_users[0, 0], arrival)
    return (after - stock)[:, 0, 0]


@given(
    stock=st.lists(st.floats(0, 1), min_size=5, max_size=5),
    target=st.lists(st.floats(2, 9), min_size=5, max_size=5),
    weight=st.floats(0.0, 0.99),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_an_arrival_is_shared_out_whole_and_the_emptiest_gets_most(stock, target, weight):
    share = handed_out(stock, target, weight)
    gap = 1 - np.array(stock) / np.array(target)
    assert np.isclose(share.sum(), 1.0) and np.all(share >= -1e-12)
    assert share[np.argmax(gap)] >= share.max() - 1e-12


def test_classes_that_are_alike_share_alike():
    assert np.allclose(handed_out([1.0] * 5, [3.0] * 5, 0.5), 0.2)
    assert np.allclose(handed_out([4.0] * 5, [3.0] * 5, 0.5), 0.2)  # full: no urgency


def test_the_price_response_is_a_constant_elasticity():
    assert demand.price_response(np.log(2.0), 0.1) == pytest.approx(2.0**-0.1)
    assert demand.price_response(0.0, 0.4) == 1.0


@given(signal=st.floats(0, 50), ceiling=SHARE, speed=st.floats(0.01, 3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_substitution_stays_under_its_ceiling(signal, ceiling, speed):
    goal = substitution.substitution_target(signal, ceiling, speed)
    assert 0.0 <= goal <= ceiling
    assert substitution.substitution_target(0.0, ceiling, speed) == 0.0


# ---- prices -----------------------------------------------------------------------------


def saving(cover, target=13.0, insisted=0.6, softness=0.5, slope=0.15, horizon=39.0):
    at = scarcity.cover_used(target, target, insisted, softness, slope)
    return (scarcity.cover_used(cover, target, insisted, softness, slope) - at) / horizon


def test_nothing_has_to_be_saved_at_the_target_and_all_of_a_lasting_deficit_below_it():
    assert saving(13.0) == 0.0
    assert saving(14.0) < 0.0 < saving(12.0)
    # Far below nought a week of cover less is a week of need to be saved, and the slope on top.
    assert (saving(-60.0) - saving(-50.0)) * 39.0 == pytest.approx(11.5, rel=0.01)
    assert np.isfinite(saving(-1e6)) and np.isfinite(saving(1e6))


@given(c=st.floats(-300, 300), t=st.floats(1, 60))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_slope_of_cover_is_the_slope(c, t):
    step = 1e-3
    low, high = (scarcity.cover_used(c + d, t, 0.6, 0.8, 0.15) for d in (-step, step))
    slope = scarcity.cover_slope(c, t, 0.6, 0.8, 0.15)
    assert (low - high) / (2 * step) == pytest.approx(slope, abs=1e-4)


def test_less_is_held_of_what_is_dear_and_more_while_a_price_climbs():
    assert scarcity.stock_held(np.log([0.5, 1.0, 16.0]), 0.25) == pytest.approx([1.0, 1.0, 0.5])
    rise = np.array([-1.0, 0.2, 0.7, 9.0])
    assert scarcity.stock_hoarded(rise, 1.0) == pytest.approx([1.0, 1.0, 1.5, 2.0])


def test_the_price_is_inverse_demand():
    assert scarcity.price_of_saving(0.0, 0.25) == 0.0
    for share in (0.03, 0.25, 0.5):
        price = np.exp(scarcity.price_of_saving(share, 0.28))
        assert price**-0.28 == pytest.approx(1.0 - share)
    assert scarcity.soft_floor(0.0, 0.5) == 0.0
    assert -0.5 < scarcity.soft_floor(-2.0, 0.5) < -0.45


def test_a_lane_is_offered_its_usual_tonnes_without_a_gap_and_nothing_at_a_loss():
    assert lanes.pull_of_root(lanes.lane_root(0.0, 8.0)) == 1.0
    assert lanes.pull_of_root(lanes.lane_root(-2.0, 8.0)) == 0.0
    assert lanes.pull_of_root(lanes.lane_root(0.02, 8.0)) == pytest.approx(np.exp(0.16), rel=0.01)


def test_a_rent_a_kilogram_weighs_on_what_is_cheap():
    usual, weight, answers = np.ones(2), np.ones(2), np.full(2, 0.3)
    cheap, dear = quota_rent.wanted_under_rent(usual, np.array([1.0, 300.0]), weight, answers, 30.0)
    assert cheap < 0.4 and dear > 0.95
    free = quota_rent.wanted_under_rent(usual, np.array([1.0, 300.0]), weight, answers, 0.0)
    assert np.all(free == 1.0)


@pytest.mark.parametrize("weeks", [4.0, 13.0, 26.0, 40.0, 52.0])
@pytest.mark.parametrize("climbing", [0.0, 0.3, 0.8, 1.0])
def test_waiting_ahead_is_the_mean_of_waiting_until_the_right_lapses(weeks, climbing):
    left = (np.arange(20000) + 0.5) / 20000 * weeks * 7.0
    mean = quota_rent.share_waiting(np.full(20000, climbing), left, 26.0).mean()
    ahead = quota_rent.share_waiting_ahead(np.array([climbing]), weeks * 7.0, 26.0)
    assert ahead == pytest.approx(mean, abs=1e-4)


def test_a_place_takes_what_it_lacks_whatever_it_had_got_used_to():
    used_to = np.array([4.0, 1.0, 4.0, 0.0])
    # As ever; used to less; with more than it needs, which it sells on; without a lane under the quota.
    lacking = np.array([4.0, 4.0, -1.0, 4.0])
    taken = quota_rent.wanted_of_lacking(lacking, used_to)
    assert taken.tolist() == [4.0, 4.0, 4.0, 0.0]


def test_who_lost_his_right_by_waiting_does_not_wait_again():
    left, granted = np.array([50.0, 50.0, 0.0, 0.0]), np.array([100.0, 100.0, 100.0, 0.0])
    waited = np.array([1.0, 0.0, 1.0, 1.0])
    lapsed = quota_rent.lapsed_waiting(left, granted, waited)
    assert lapsed.tolist() == [0.5, 0.0, 0.0, 0.0]
    patient = quota_rent.still_patient(np.array([0.6]), np.array([0.0, 0.2, 0.9]))
    assert np.allclose(patient, [0.6, 0.4, 0.0])


@given(trend=st.floats(-3, 30), closed=SHARE, told=st.integers(0, 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_fear_has_a_ceiling_and_falling_prices_give_none(trend, closed, told):
    fear = pricing.fear_goal(trend, closed, told, 2.2, 0.3, 0.25)
    assert 0.0 <= fear <= 2.0
    assert fear >= pricing.fear_goal(trend - 0.1, closed, told, 2.2, 0.3, 0.25)
    assert pricing.fear_goal(min(trend, 0.0), 0.0, 0, 2.2, 0.3, 0.25) == 0.0


# ---- production and trade ---------------------------------------------------------------


@given(margin=st.floats(-2, 0.99), base=st.floats(0.0, 0.9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_plant_runs_by_its_margin_and_as_usual_at_its_usual_one(margin, base):
    here = production.willingness(np.array(margin), np.array(base), 0.05)
    assert 0.0 <= here <= 1.0
    assert here <= production.willingness(np.array(margin + 0.05), np.array(base), 0.05) + 1e-12
    assert production.willingness(np.array(base), np.array(base), 0.05) == pytest.approx(1.0)


def test_a_plant_deep_in_the_red_stops():
    assert production.willingness(np.array(-0.5), np.array(0.2), 0.05) < 0.001


def test_plants_make_what_is_shipped_and_close_the_gap_of_stock():
    assert production.made_to_order(10.0, 20.0, 26.0, 0.0, 6.0) == pytest.approx(11.0)
    assert production.made_to_order(1.0, 90.0, 20.0, 0.0, 6.0) == 0.0


def test_plants_that_sell_nothing_plan_what_waits_for_output():
    assert production.made_to_order(0.0, 0.0, 0.0, 30.0, 6.0) == pytest.approx(5.0)
    assert production.made_to_order(0.0, 0.0, 0.0, 0.0, 6.0) == 0.0


@given(saved=st.floats(-3, 3), moved=st.floats(0, 0.9))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_dear_heavies_move_users_to_weaker_grades_and_cheap_ones_back(saved, moved):
    kept = substitution.grades_kept(np.array(saved), np.array(moved))
    assert kept <= 1.0 / (1.0 - moved) + 1e-12
    assert (kept < 1.0) == (saved > 0.0) or abs(saved) < 1e-12 or kept == 1.0


@given(stock=st.floats(0, 1e3), need=st.floats(0, 1e3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_inputs_are_rationed_and_never_floored(stock, need):
    share = production.input_ration(np.array(stock), np.array(need))
    assert 0.0 <= share <= 1.0
    assert share * need <= stock * (1 + 1e-12) + 1e-300


@given(wedge=st.floats(0, 100), scale=st.floats(0, 2), half=st.floats(0.1, 3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_leak_grows_with_the_wedge_up_to_its_ceiling(wedge, scale, half):
    leak = trade.leak_goal(wedge, scale, half)
    assert 0.0 <= leak <= scale
    assert trade.leak_goal(half, scale, half) == pytest.approx(scale / 2)
    assert trade.leak_goal(0.0, scale, half) == 0.0
