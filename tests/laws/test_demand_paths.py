"""What users want: paths of units and multiples, and designs that need less."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.interventions.demand_growth import between, units_sold
from lodestone.interventions.substitution import adoption
from tests.fixtures.worlds import day_after, scenario, shared, simulate

YEAR = 365.25
ROBOTS = {
    "kind": "demand_growth", "sectors": "humanoid_robots", "kg_per_unit": 3, "lifetime_years": 9,
    "units_in_use": {"2024-01-01": 0, "2030-01-01": 2e6, "2040-01-01": 134e6, "2050-01-01": 1e9},
    "start": "2024-01-01",
}  # fmt: skip


# ---- growth -----------------------------------------------------------------------------


VALUE = st.just(0.0) | st.floats(1e-3, 1e6)


@given(a=VALUE, b=VALUE, length=st.floats(10, 5000), part=st.floats(0, 0.999))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_path_meets_its_values_and_its_rise_is_its_slope(a, b, length, part):
    days, values = np.array([0.0, length]), np.array([[a], [b]])
    assert between(days, values, -5.0)[0] == a
    assert between(days, values, 0.0)[0] == pytest.approx(a)
    assert between(days, values, length)[0] == pytest.approx(b)
    assert between(days, values, length + 9.0) == (b, 0.0)
    now = part * length
    value, rise = between(days, values, now)
    assert min(a, b) - 1e-6 <= value <= max(a, b) * (1 + 1e-9) + 1e-6
    step = 1e-4 * length
    ahead, _ = between(days, values, min(now + step, length * (1 - 1e-9)))
    slope = (ahead - value) / max(min(now + step, length * (1 - 1e-9)) - now, 1e-12)
    if min(a, b) > 1.0 and now + step < length:
        assert slope == pytest.approx(float(rise[0]), rel=0.02, abs=1e-6 * max(a, b))


def test_units_are_made_for_growth_and_for_what_wears_out():
    nine = np.array([9.0])
    assert units_sold(np.array([900.0]), np.array([0.0]), nine) == pytest.approx(100.0)
    assert units_sold(np.array([0.0]), np.array([50.0]), nine) == pytest.approx(50.0)
    assert units_sold(np.array([9.0]), np.array([-50.0]), nine) == 0.0


def robots(trace):
    lay = trace.layout
    rows = lay.users.sector == lay.sector_at["humanoid_robots"]
    return trace["planned"][:, rows].sum(axis=1)


def test_robots_use_units_times_kilograms_and_others_what_they_did():
    trace, base = shared({"robots": ROBOTS}, worlds=2, weeks=60), shared({}, worlds=2, weeks=60)
    lay = trace.layout
    made = 2e6 / (6 * YEAR) * 7.0  # a straight line from nothing to two million in six years
    early = robots(trace)[0] / 1.0
    assert early == pytest.approx(made * 3 / 1000.0, rel=0.01)
    others = lay.users.sector != lay.sector_at["humanoid_robots"]
    # Which of them is tied to whom moves with what is to come; what they plan together does not.
    planned = [x.both_ties("planned")[:, others] for x in (trace, base)]
    assert np.allclose(*planned, rtol=1e-14, atol=0.0)


def test_a_multiple_grows_evenly_and_one_changes_nothing():
    it = {"kind": "demand_growth", "sectors": "wind", "start": "2024-01-01",
          "multiple": {"2024-01-01": 1, day_after(52): 4}}  # fmt: skip
    trace, base = shared({"it": it}, worlds=2, weeks=60), shared({}, worlds=2, weeks=60)
    lay = trace.layout
    rows = (lay.users.sector == lay.sector_at["wind"]) & (lay.users.base[:, 0] > 0)
    ratio = trace.both_ties("planned")[:, rows] / base.both_ties("planned")[:, rows]
    assert np.allclose(ratio[26], 2.0, rtol=1e-6) and np.allclose(ratio[55:], 4.0)
    assert np.all(np.diff(ratio, axis=0) >= -1e-14)  # two ties add up to rounding


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"multiple": 2}, "name its target in one way"),
        ({"kg_per_unit": None}, "units_in_use"),
        ({"sectors": "catalysts"}, "uses oxides, not magnets"),
    ],
)
def test_one_path_and_only_of_magnets(more, says):
    with pytest.raises(InputError, match=says):
        scenario({"x": {**ROBOTS, **more}})


def test_magnets_grow_as_forecasters_say_and_oxides_as_in_the_table():
    """Published forecasts of magnets go from 4 to 9 % a year (A326)."""
    run = BatchRun(scenario({}, weeks=52, flat=False), load_chain("2024"), 0, np.arange(97))
    lay, six_years = run.layout, 2.5 * YEAR + 4 * YEAR
    grown = run.day.growth(six_years)[lay.users.sector]  # (u, w), from the middle of 2024
    magnet = lay.users.magnet
    world = (lay.users.base * grown)[magnet].sum(axis=0) / lay.users.base[magnet].sum()
    a_year = world ** (1.0 / 6.0) - 1.0
    assert np.all((a_year > 0.038) & (a_year < 0.09)), (a_year.min(), a_year.max())
    low, high = np.quantile(a_year, [0.05, 0.95])
    assert low < 0.052 and high > 0.075, (low, high)
    assert np.all(grown[~magnet] == grown[~magnet][:, :1])
    still = BatchRun(scenario({}, weeks=52), load_chain("2024"), 0, np.arange(5))
    assert np.all(still.day.growth(six_years) == 1.0)


def test_growth_after_the_last_table_year_goes_on_and_fades():
    run = BatchRun(scenario({}, weeks=52, flat=False), load_chain("2024"), 0, np.arange(2))
    start = run.scenario.start
    multiples = [
        run.day.growth(float((date(year, 7, 1) - start).days))
        for year in (2034, 2035, 2040, 2050, 2070)
    ]
    ev = run.layout.sector_at["ev_traction"]
    path = np.array([m[ev, 0] for m in multiples])
    assert np.all(np.diff(path) > 0)
    before = np.log(path[1] / path[0])
    assert np.log(path[2] / path[1]) < 5 * before
    fade = float(run.draws["demand.fade_years"][0])  # the rate times the years it fades in
    assert np.log(path[4] / path[1]) == pytest.approx(fade * before, rel=0.06)


@pytest.mark.slow
def test_robots_to_2050_run_and_balance():
    trace = simulate(
        {"robots": ROBOTS},
        worlds=2,
        weeks=26 * 52,
        flat=False,
        keep=("planned", "unmet", "log_home"),
    )
    assert trace.run.day.ledger.worst <= 100 * np.finfo(float).eps
    assert np.isfinite(trace["log_home"]).all()
    a_year = robots(trace)[-52:].sum(axis=0)
    made = 1e9 * np.log(1000 / 134) / 10 + 1e9 / 9
    assert np.allclose(a_year, made * 3 / 1000.0, rtol=0.15)


# ---- designs that need less -------------------------------------------------------------


@given(
    age=st.floats(-500, 20000),
    more=st.floats(0, 5000),
    half=st.floats(0.1, 20),
    top=st.floats(0, 1),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_adoption_never_falls_and_never_passes_its_ceiling(age, more, half, top):
    def at(days, years=half):
        return adoption(np.array([days]), np.array([years]), np.array([top]))[0]

    assert 0.0 <= at(age) <= at(age + more) <= top + 1e-12
    assert at(half * YEAR) == pytest.approx(top / 2)
    assert at(age, half * 2) <= at(age) + 1e-12  # slower never leads


def wanted(items, material):
    trace = shared(items, worlds=3, weeks=104)
    lay = trace.layout
    rows = lay.users.material == lay.material_at[material]
    return trace["wanted"][-20:, rows].sum(axis=(0, 1)), trace


def design(**more):
    return {"it": {"kind": "substitution", "years_to_half": 0.6, "start": day_after(4), **more}}


def test_heavy_free_magnets_take_the_place_of_heavy_ones():
    heavy, _ = wanted({}, "ndfeb_high_coercivity")
    light, base = wanted({}, "ndfeb_standard")
    less, trace = wanted(design(design="heavy_free"), "ndfeb_high_coercivity")
    more, _ = wanted(design(design="heavy_free"), "ndfeb_standard")
    assert np.all(less < heavy) and np.all(more > light)
    dy = trace.layout.material_at["dy_oxide"]
    assert np.all(trace["log_home"][-1, dy] < base["log_home"][-1, dy])


def test_the_more_a_design_can_replace_the_less_magnets_its_sector_wants():
    totals = []
    for ceiling in (0.0, 0.3, 0.6):
        it = design(design="rare_earth_free", sectors="ev_traction", ceiling=ceiling)
        trace = shared(it, worlds=3, weeks=104)
        lay = trace.layout
        rows = lay.users.sector == lay.sector_at["ev_traction"]
        totals.append(trace["wanted"][-20:, rows].sum(axis=(0, 1)))
    # What others use more of because prices fall is not the sector's.
    assert np.all(np.diff(totals, axis=0) < -0.1 * totals[0])


def test_what_has_moved_stays_after_the_end_of_a_programme():
    _, trace = wanted(design(design="heavy_free", end=day_after(40)), "ndfeb_standard")
    rows = trace.layout.users.heavy
    moved = trace["heavy_free"][:, rows].mean(axis=(1, 2))
    assert moved[60] == pytest.approx(moved[-1], rel=1e-6) and moved[60] > 0.05
