"""Announced plants: what moves their dates and chances, in which direction, and only theirs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.interventions.permitting import permit_shift
from lodestone.interventions.support_withdrawal import years_survived
from lodestone.interventions.technology_ban import wait_for_teams
from tests.fixtures.worlds import day_after, scenario, shared

WORLDS = np.arange(23)


def planned(interventions=None, worlds=WORLDS):
    """A run that is set up but not started: its plants have their dates."""
    what = scenario(interventions, weeks=520, flat=False)
    return BatchRun(what, load_chain("2024"), 0, worlds)


def dates(interventions=None):
    run = planned(interventions)
    return run, run.day.online


# ---- permitting -------------------------------------------------------------------------


def permitting(factor, **more):
    return {"p": {"kind": "permitting", "regions": "united_states", "factor": factor, **more}}


def test_permits_take_the_factor_of_what_is_left_and_no_less():
    day = np.array([[400.0]])
    zero = np.array([0.0])
    half = permit_shift(np.array([[0.0]]), day, zero, np.array([np.inf]), np.array([0.5]))
    assert half == pytest.approx(-200.0)
    # 100 days at double speed do 200 days of work.
    short = permit_shift(np.array([[0.0]]), day, zero, np.array([100.0]), np.array([0.5]))
    assert short == pytest.approx(-100.0)
    late = permit_shift(
        np.array([[0.0]]), day, np.array([400.0]), np.array([np.inf]), np.array([0.5])
    )
    assert late == 0.0


@given(
    begin=st.floats(-1000, 3000), length=st.floats(0, 3000), start=st.floats(0, 2000),
    lasts=st.floats(0, 4000), a=st.floats(0.1, 3), b=st.floats(0.1, 3),
)  # fmt: skip
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_higher_factor_never_brings_a_permit_earlier(begin, length, start, lasts, a, b):
    def shift(factor):
        return permit_shift(
            np.array([[begin]]), np.array([[begin + length]]), np.array([start]),
            np.array([start + lasts]), np.array([factor]),
        )[0, 0]  # fmt: skip

    low, high = sorted((a, b))
    assert shift(low) <= shift(high) + 1e-9
    finish = begin + length
    assert finish + shift(low) >= min(finish, max(start, begin)) - 1e-6


def test_permitting_moves_the_projects_of_its_region_that_wait_for_permits_and_no_others():
    base, before = dates()
    _, faster = dates(permitting(0.5, start="2025-01-01"))
    _, slower = dates(permitting(1.5, start="2025-01-01"))
    lay = base.layout
    waits = np.array(
        [
            f.region == "united_states" and f.status in ("planned", "permitting")
            for f in lay.plants.rows
        ]
    )
    moved = (before != faster).any(axis=1)
    assert moved.any() and not moved[~waits].any()
    finite = np.isfinite(before)
    assert np.all(faster[finite] <= before[finite]) and np.all(slower[finite] >= before[finite])
    assert np.array_equal(finite, np.isfinite(faster))  # a permit does not decide whether
    assert np.all(faster[moved & (finite.all(axis=1))] >= 366.0)


# ---- teams and the technology ban -------------------------------------------------------


@given(
    ready=st.lists(st.floats(0, 3000), min_size=1, max_size=9),
    teams=st.integers(1, 5), service=st.floats(0, 700), extra=st.floats(0, 300),
)  # fmt: skip
@settings(max_examples=60, deadline=None, derandomize=True)
def test_nobody_begins_later_with_more_teams_and_no_more_plants_are_served_than_teams(
    ready, teams, service, extra
):
    asks = np.array(ready)[:, None]
    never = np.array([np.inf])

    def begins(n, days):
        return wait_for_teams(asks, np.array([days]), np.array([n]), never)

    now = begins(teams, service)
    assert np.all(now >= asks)
    assert np.all(begins(teams + 1, service) <= now + 1e-9)
    assert np.all(begins(teams, service + extra) >= now - 1e-9)
    assert np.array_equal(begins(len(ready), service), asks)
    for day in now[:, 0]:
        bound = (now <= day) & (day < now + service)
        assert bound.sum() <= teams


def test_scarcity_of_teams_ends_with_the_ban():
    asks = np.array([[0.0], [0.0], [0.0]])
    begins = wait_for_teams(asks, np.array([100.0]), np.array([1]), np.array([150.0]))
    assert sorted(begins[:, 0]) == [0.0, 100.0, 150.0]


def technology(**more):
    return {"t": {"kind": "technology_ban", "start": "2025-06-01", **more}}


def test_a_technology_ban_delays_plants_outside_the_exporter_only():
    base, before = dates()
    _, after = dates(technology(teams=2))
    lay = base.layout
    finite = np.isfinite(before)
    assert np.all(after[finite] >= before[finite]) and np.array_equal(finite, np.isfinite(after))
    moved = (after != before).any(axis=1)
    outside = np.array(
        [
            f.region != "china" and f.stage in ("separation", "metal", "magnet")
            for f in lay.plants.rows
        ]
    )
    assert moved.any() and not moved[~outside].any()


@pytest.mark.parametrize(
    ("mild", "harsh"),
    [({"teams": 6}, {"teams": 2}), ({"ramp_factor": 1.0}, {"ramp_factor": 2.0})],
)
def test_a_harsher_ban_delays_no_less(mild, harsh):
    (_, a), (_, b) = dates(technology(**mild)), dates(technology(**harsh))
    finite = np.isfinite(a)
    assert np.all(b[finite] >= a[finite] - 1e-9) and np.any(b[finite] > a[finite])


def test_a_plant_without_help_ramps_slowly_and_loses_yield_until_it_has_learnt():
    plant = {
        "kind": "capacity_project", "region": "united_states", "stage": "metal",
        "material": "ndpr_metal", "tonnes_per_year": 3000, "ramp_months": 2, "start": day_after(4),
    }  # fmt: skip
    ban = {
        "kind": "technology_ban", "start": day_after(0), "commissioning_months": 0,
        "ramp_factor": 2.0, "yield_loss": 0.3, "recovery_months": 6, "teams": 9,
    }  # fmt: skip
    seen = {}
    for name, items in (("free", {"plant": plant}), ("ban", {"plant": plant, "ban": ban})):
        trace = shared(items, worlds=2, weeks=60)
        row = trace.layout.plants.at["added_plant"]
        rules = trace.run.fold
        shares = []
        for week in range(4, 60):
            held = rules(7.0 * week, 7.0 * week + 7.0).facility_available
            shares.append(1.0 if held is None else held[row].min())
        seen[name] = np.array(shares)
    assert np.all(seen["free"] == 1.0)
    assert seen["ban"][1] == pytest.approx(0.5 * 0.7, rel=0.05)  # half the ramp, 30 points lost
    assert np.all(np.diff(seen["ban"][1:]) >= -1e-9) and seen["ban"][-1] == 1.0


# ---- capital ----------------------------------------------------------------------------


def capital(million, **more):
    return {
        "money": {
            "kind": "capital_support", "region": "united_states", "stage": "magnet",
            "start": "2025-01-01", "public_usd_million": million, **more,
        },
    }  # fmt: skip


def test_more_money_builds_no_less_and_no_later():
    runs = [dates(capital(m))[1] for m in (0.0, 300.0, 1000.0)]
    for less, more in pairwise(runs):
        assert np.all(np.isfinite(less) <= np.isfinite(more))
        both = np.isfinite(less)
        assert np.all(more[both] <= less[both])
    assert np.isfinite(runs[-1]).sum() > np.isfinite(runs[0]).sum()
    assert np.array_equal(runs[0], dates()[1])


def test_money_that_private_money_follows_does_more():
    alone, together = (dates(capital(300.0, private_multiple=k))[1] for k in (0.0, 2.5))
    assert np.isfinite(together).sum() >= np.isfinite(alone).sum()
    both = np.isfinite(alone)
    assert together[both].sum() < alone[both].sum()


def paid_out(run, name="money"):
    effect = next(e for e in run.effects if e.name == name)
    parts = [effect.spending(t, t + 7.0) for t in np.arange(0.0, 365.25 * 40, 7.0)]
    return np.sum([part[1].sum(axis=0) for part in parts], axis=0), effect


def test_a_grant_is_paid_once_and_a_loan_comes_back_where_the_plant_is_built():
    grant, _ = paid_out(planned(capital(500.0, instrument="grant")))
    assert np.allclose(grant, 500.0, rtol=1e-9)
    loan, effect = paid_out(planned(capital(500.0, repaid_share=0.8, repay_years=5)))
    built = np.isfinite(effect.back)
    assert np.allclose(loan, 500.0 - 0.8 * (effect.split * built).sum(axis=0), rtol=1e-6)


def test_a_programme_that_ends_early_pays_and_moves_its_part_only():
    whole, _ = paid_out(planned(capital(500.0, instrument="grant")))
    half = {**capital(500.0, instrument="grant", pay_years=2.0), "w": {
        "kind": "support_withdrawal", "supports": "money", "start": "2026-01-01",
    }}  # fmt: skip
    paid, effect = paid_out(planned(half))
    assert np.allclose(paid, whole * 365.0 / 730.5, rtol=1e-6)
    assert np.all(effect.covered <= paid_out(planned(capital(500.0)))[1].covered + 1e-12)


# ---- withdrawal -------------------------------------------------------------------------


@given(luck=st.floats(1e-9, 1.0), a=st.floats(0, 1), b=st.floats(0, 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_higher_survival_never_ends_a_programme_earlier(luck, a, b):
    low, high = sorted((a, b))
    years = [years_survived(np.array([luck]), np.array([p]))[0] for p in (low, high)]
    assert 1.0 <= years[0] <= years[1]
    assert years_survived(np.array([luck]), np.array([1.0]))[0] == np.inf


def test_survivors_thin_out_by_the_yearly_probability():
    luck = (np.arange(10_000) + 0.5) / 10_000
    years = years_survived(luck, np.array([0.7]))
    for n in (1, 2, 5):
        assert np.mean(years > n) == pytest.approx(0.7**n, abs=2e-3)


def test_a_withdrawn_programme_is_one_that_ends_that_day():
    floor = {
        "kind": "price_floor", "floor_usd_per_kg": 200, "materials": "ndpr_oxide",
        "facilities": "us_mp_ndpr", "start": day_after(2), "pass_through": 0.5,
    }  # fmt: skip
    settings_ = {"worlds": 3, "weeks": 30, "prints": True, "keep": []}
    ended = shared({"floor": {**floor, "end": day_after(12)}}, **settings_)
    gone = {"kind": "support_withdrawal", "supports": "price_floor", "start": day_after(12)}
    assert shared({"floor": floor, "gone": gone}, **settings_).fingerprints == ended.fingerprints
    assert shared({"floor": floor}, **settings_).fingerprints != ended.fingerprints


@pytest.mark.parametrize(
    ("supports", "says"), [("flor", "Did you mean 'floor'"), ("shock", "is no support")]
)
def test_only_support_that_is_there_can_be_withdrawn(supports, says):
    items = {
        "floor": {
            "kind": "price_floor", "floor_usd_per_kg": 110, "materials": "ndpr_oxide",
            "facilities": "us_mp_ndpr",
        },
        "shock": {"kind": "demand_shock", "factor": 1.1},
        "gone": {"kind": "support_withdrawal", "supports": supports},
    }  # fmt: skip
    with pytest.raises(InputError, match=says):
        scenario(items)


def test_projects_without_conditions_are_as_drawn():
    run = planned()
    assert np.array_equal(run.day.online, run.projects.online())
    assert np.all(run.projects.shift == 0.0) and np.all(run.projects.failing == 1.0)


# ---- plants with an end -----------------------------------------------------------------


def test_a_plant_makes_as_much_as_one_that_stays_until_its_end_and_nothing_after():
    plant = {
        "kind": "capacity_project", "region": "united_states", "stage": "metal",
        "material": "ndpr_metal", "tonnes_per_year": 3000, "ramp_months": 1, "start": day_after(4),
    }  # fmt: skip
    made, able = [], []
    for end in ({}, {"end": day_after(20)}):
        trace = shared({"plant": plant | end}, worlds=3, weeks=40)
        made.append(trace["output"][:, trace.layout.cells.at["ndpr_metal", "united_states"]])
        rules = [trace.run.fold(7.0 * w, 7.0 * w + 7.0).facility_available for w in range(40)]
        row = trace.layout.plants.at["added_plant"]
        able.append([1.0 if held is None else held[row].max() for held in rules])
    assert able == [40 * [1.0], 20 * [1.0] + 20 * [0.0]]
    stays, shuts = made
    assert np.array_equal(stays[:20], shuts[:20]) and np.all(shuts[22:] < stays[22:])
