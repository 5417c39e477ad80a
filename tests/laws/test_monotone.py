"""More of a cause never gives less of its effect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.worlds import ban, day_after, not_yet, shared, simulate

SLACK = 1e-9  # of the total: room for the order of sums, not for a wrong sign
WORLDS = {"worlds": 3}


def rises(values, *, by=0.0):
    """Whether totals of shape (n, w) never fall from one to the next, in every world."""
    values = np.array(values)
    return bool(np.all(np.diff(values, axis=0) >= by - SLACK * np.abs(values).max()))


def falls(values, **more):
    return rises(-np.array(values), **more)


def test_the_yardstick_itself():
    assert rises([[1, 2], [1, 3]]) and not rises([[1, 2], [2, 1.9]])
    assert falls([[3, 2], [1, 2]]) and not falls([[3, 2], [1, 2.1]])
    assert not rises([[1.0], [1.0]], by=0.1)


# ---- bans -------------------------------------------------------------------------------


def delivered(share, to=("united_states",), materials="ndfeb_magnets", weeks=39):
    cut = ban(6, share=share, destinations=list(to), materials=materials)
    trace = shared({"cut": cut}, weeks=weeks, **WORLDS)
    links = trace.links("china", to, materials)
    return trace["declared"][6:, links].sum(axis=(0, 1))


SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


@pytest.mark.parametrize(
    ("to", "materials"),
    [
        (("united_states",), "ndfeb_magnets"),
        (("japan", "south_korea"), "ndfeb_magnets"),
        (("europe",), "all"),
        (("japan",), "oxides"),
    ],
)
def test_a_stricter_ban_never_raises_declared_deliveries_to_the_banned(to, materials):
    totals = [delivered(s, to, materials) for s in SHARES]
    assert falls(totals)
    assert np.all(totals[-1] == 0.0) and np.all(totals[0] > 0.0)


@given(a=st.floats(0, 1), b=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_of_two_bans_the_stricter_lets_less_through(a, b, seed):
    totals = []
    for s in sorted((a, b)):
        trace = simulate(
            {"cut": ban(4, share=s, destinations="japan")}, weeks=24, seed=seed, worlds=2
        )
        links = trace.links("china", ["japan"], "ndfeb_magnets")
        totals.append(trace["declared"][4:, links].sum(axis=(0, 1)))
    assert falls(totals)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_partial_ban_stops_its_share(share):
    """Half a ban lets half of normal tonnes pass, for as long as it lasts."""
    trace = shared({"cut": ban(6, share=share, destinations="united_states")}, weeks=84, **WORLDS)
    links = trace.links("china", ["united_states"], "ndfeb_magnets")
    flow = trace["declared"][32:, links].sum(axis=1) / trace.layout.links.base[links].sum()
    assert np.all(np.abs(flow.mean(axis=0) - (1.0 - share)) < 0.05)


def test_a_strait_that_is_half_closed_halves_what_comes():
    shut = {
        "kind": "route_closure", "origin": "china", "destination": "united_states",
        "share_closed": 0.5, "start": day_after(6),
    }  # fmt: skip
    trace = shared({"shut": shut}, weeks=84, **WORLDS)
    links = trace.links("china", ["united_states"], "ndfeb_magnets")
    flow = trace["landed"][40:, links].sum(axis=1) / trace.layout.links.base[links].sum()
    assert np.all(np.abs(flow.mean(axis=0) - 0.5) < 0.06)


def test_a_ban_on_one_buyer_is_felt_by_that_buyer():
    trace = shared({"cut": ban(6, 32, destinations="europe")}, weeks=52, **WORLDS)
    lay = trace.layout
    here = trace.users(abroad=True) & (lay.users.region == lay.region_at["europe"])
    there = trace.users(abroad=True) & ~here
    miss = trace["unmet"]
    assert np.all(miss[:, here].sum(axis=(0, 1)) > 0)
    assert np.all(miss[:, there].sum(axis=(0, 1)) <= 0.02 * miss[:, here].sum(axis=(0, 1)))


# ---- reserves ---------------------------------------------------------------------------


def unmet_with(days, draw="all", holder="japan"):
    given = {
        "cut": ban(6, 45),
        "reserve": {
            "kind": "stockpile", "holder": holder, "materials": "ndfeb_magnets", "draw": draw,
            "target_days": days, "opening_days": days, "release_rule": "emergency",
        },
    }  # fmt: skip
    trace = shared(given, weeks=65, **WORLDS)
    lay = trace.layout
    mine = trace.users(abroad=True) & (lay.users.region == lay.region_at[holder])
    if draw != "all":
        mine &= lay.users.sector == lay.sector_at[draw]
    return trace["unmet"][:, mine].sum(axis=(0, 1)), trace


@pytest.mark.parametrize("draw", ["all", "ev_traction"])
def test_a_larger_opening_stock_never_raises_unmet_use_of_its_drawers(draw):
    totals = [unmet_with(d, draw)[0] for d in (0, 13, 29, 61, 97)]
    assert falls(totals)
    assert np.all(totals[0] > 5 * totals[-1]), "a reserve of 97 days hardly helps"


def reserve_of(trace):
    return next(e for e in trace.run.effects if e.name == "reserve")


def test_a_reserve_releases_no_more_than_it_held_and_bought():
    _, trace = unmet_with(61)
    pile = reserve_of(trace)
    bought, released = trace["bought"][:, pile.cells], trace["released_public"][:, pile.cells]
    books = pile.opening + np.cumsum(bought - released, axis=0)
    assert np.allclose(trace["public_stock"][:, pile.cells], books, rtol=1e-9, atol=1e-6)
    assert released.sum() > 0 and bought.sum() > 0


def test_a_reserve_that_never_releases_helps_nobody():
    given = {
        "cut": ban(6, 30),
        "reserve": {
            "kind": "stockpile", "holder": "japan", "materials": "ndfeb_magnets",
            "target_days": 61, "opening_days": 61, "release_rule": "never",
        },
    }  # fmt: skip
    trace = simulate(given, weeks=40, worlds=2)
    pile = reserve_of(trace)
    assert trace["released_public"][:, pile.cells].sum() == 0.0
    assert np.all(trace["public_stock"][-1, pile.cells] >= pile.opening)


# ---- grey channels ----------------------------------------------------------------------


def leaked(ceiling, detection):
    given = {
        "cut": ban(6, materials="oxides"),
        "grey": {
            "kind": "grey_channel", "exporter": "china", "hubs": ["vietnam"],
            "opening_days": 30, "ceiling_share": ceiling, "detection": detection,
            "start": day_after(6),
        },
    }  # fmt: skip
    return shared(given, weeks=65, **WORLDS)["grey"].sum(axis=(0, 1))


def test_more_detection_never_raises_the_grey_flow():
    totals = [leaked(0.5, d) for d in (0.0, 0.2, 0.5, 0.8, 1.0)]
    assert falls(totals)
    assert np.all(totals[-1] == 0.0) and np.all(totals[0] > 0.0)


@not_yet("1.8 % less at 0.7 than at 0.3 in one world of three: what came early is not wanted later")
def test_a_higher_ceiling_never_lowers_the_grey_flow():
    assert rises([leaked(c, 0.1) for c in (0.1, 0.3, 0.7, 1.5)])


def test_a_channel_with_a_ceiling_of_nothing_leaks_nothing():
    assert np.all(leaked(0.0, 0.0) <= leaked(0.1, 0.0))


def test_opening_a_channel_does_not_lower_the_leak():
    without = shared({"cut": ban(6, materials="oxides")}, weeks=65, **WORLDS)
    assert np.all(leaked(0.3, 0.0) >= without["grey"].sum(axis=(0, 1)))


# ---- others -----------------------------------------------------------------------------


def test_more_demand_never_lowers_prices_and_orders():
    tops = []
    for factor in (0.9, 1.0, 1.1, 1.2):
        boom = {
            "kind": "demand_shock",
            "factor": factor,
            "start": day_after(4),
            "end": day_after(20),
        }
        trace = shared({"boom": boom}, weeks=26, **WORLDS)
        ndpr = trace.layout.material_at["ndpr_oxide"]
        tops.append(trace.home_prices()[20, ndpr])
    assert rises(tops, by=0.0) and np.all(tops[-1] > 1.02)


def test_a_longer_outage_never_lowers_the_price_of_what_is_lost():
    tops = []
    for share in (0.0, 0.3, 0.6, 0.9):
        outage = {
            "kind": "outage", "region": "china", "stage": "separation", "share_lost": share,
            "start": day_after(4), "end": day_after(16),
        }  # fmt: skip
        trace = shared({"outage": outage}, weeks=26, **WORLDS)
        tops.append(trace.home_prices()[16, trace.layout.material_at["ndpr_oxide"]])
    assert rises(tops) and np.all(tops[-1] > 1.02)


def test_a_tariff_never_raises_the_share_of_the_origin_it_hits():
    shares = []
    for rate in (0.0, 0.25, 1.0):
        tax = {
            "kind": "tariff", "rate": rate, "exporter": "china", "importer": "united_states",
            "materials": "ndfeb_magnets", "start": day_after(2),
        }  # fmt: skip
        trace = shared({"tax": tax}, weeks=104, **WORLDS)
        hit = trace.links("china", ["united_states"], "ndfeb_magnets")
        shares.append(trace["declared"][52:, hit].sum(axis=(0, 1)))
    assert falls(shares) and np.all(shares[-1] < 0.99 * shares[0])
