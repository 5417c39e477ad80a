"""What goes missing: net at most gross at most planned, counted once, whatever the step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import find
from lodestone.outputs.shortage import shortfall
from lodestone.runs.compiled import compile_scenario
from lodestone.runs.settings import Settings
from lodestone.runs.worlds import run_worlds
from lodestone.scenario import load_scenario
from tests.fixtures.worlds import ban, day_after, scenario

WORLDS = 11


def series_of(case, days: int = 7, worlds: int = WORLDS) -> Series:
    compiled = compile_scenario(case, replace(Settings(), market_days=days))
    found = run_worlds(compiled, worlds, asked=[], keep=True).series
    assert found is not None
    return found


@pytest.fixture(scope="module")
def cutoff() -> Series:
    return series_of(load_scenario("cutoff_total", overrides={"end": "2028-01-01"}))


def test_net_is_at_most_gross_and_gross_at_most_planned_in_every_world_week_and_group(cutoff):
    net, gross, planned = cutoff["unmet"], cutoff["gross"], cutoff["planned"]
    assert net.max() > 1.0, "the law is looked at where goods are short"
    assert np.all(net >= 0.0)
    assert np.all(net <= gross)
    assert np.all(gross <= planned)
    own = cutoff.military_groups
    assert np.all(cutoff["military_unmet"] <= cutoff["military_gross"])
    assert np.all(cutoff["military_gross"] <= cutoff["military_planned"])
    assert np.all(cutoff["military_gross"] <= gross[:, own])


def test_use_put_off_is_counted_once():
    planned = np.array([[10.0]])
    late = np.array([[5.0]])
    for came in (0.0, 3.0, 15.0):
        unmet = planned + late - came
        missing, made_up = shortfall(planned, planned + late, unmet, late)
        assert missing + late - made_up == pytest.approx(unmet)
        assert missing[0, 0] == pytest.approx(10.0 * (1.0 - came / 15.0))
    missing, _ = shortfall(planned, np.array([[14.0]]), np.array([[14.0]]), np.zeros((1, 1)))
    assert missing[0, 0] == 10.0, "cheap goods make nobody lack more than the plan"


def test_output_lost_is_net_of_what_is_caught_up_and_never_below_nothing(cutoff):
    lost = find("lost_output_usd_million")(cutoff)
    value = np.array([cutoff.chain.sectors[s].lost_output_usd_per_kg for _, s in cutoff.groups])
    whole = (cutoff["unmet"].sum(axis=0, dtype=float) * value[:, None]).sum(axis=0) / 1000.0
    whole *= 2.0 ** cutoff.draws["money.lost_output_doublings"]
    assert np.all(lost > 0.0) and np.all(lost < whole)
    assert np.all(cutoff["caught_up"] >= 0.0)
    made_up = cutoff["caught_up"].sum(axis=0, dtype=float)
    assert np.all(made_up <= cutoff["unmet"].sum(axis=0, dtype=float) + 1e-3)


def test_a_number_that_is_set_counts_as_one_that_is_drawn():
    eight = {"investment.lead_years_mine": 8.0, "money.lost_output_doublings": 1.0}
    cut = {"cut": ban(20, 40)}
    found = series_of(scenario(cut, weeks=78, overrides=eight), worlds=3)
    plain = series_of(
        scenario(cut, weeks=78, overrides={**eight, "money.lost_output_doublings": 0.0}), worlds=3
    )
    first = find("first_short_year")(found, share=0.01)
    assert np.array_equal(find("mine_decision_year")(found, share=0.01), np.floor(first - 8.0))
    lost = [find("lost_output_usd_million")(s) for s in (found, plain)]
    assert np.all(lost[1] > 0.0) and np.allclose(lost[0], 2.0 * lost[1], rtol=1e-6)


@pytest.mark.parametrize("days", [1, 3, 14])
def test_gross_does_not_depend_on_the_step(days):
    shock = scenario({"stop": ban(20, 60)}, weeks=78)
    weekly, other = (find("gross_unmet_t")(series_of(shock, step, worlds=5)) for step in (7, days))
    assert np.all(weekly > 0.0)
    assert np.all(np.abs(other / weekly - 1.0) < 0.08), other / weekly


def test_a_reserve_is_a_series_and_what_it_buys_and_sells_stand_apart():
    reserve = {
        "kind": "stockpile", "holder": "japan", "materials": ["dy_oxide"], "target_days": 200,
        "opening_days": 50, "fill_days": 365, "start": day_after(4),
    }  # fmt: skip
    found = series_of(scenario({"pile": reserve}, weeks=78), worlds=5)
    held = found["reserve"][:, found.cells("dy_oxide", "japan").rows].sum(axis=1, dtype=float)
    assert np.all(np.diff(held, axis=0) >= -1e-4) and np.all(held[-1] > held[0])
    bought = find("reserve_bought_usd_million")(found, region="japan")
    sold = find("reserve_sold_usd_million")(found, region="japan")
    assert np.all(bought > 0.0) and np.all(sold == 0.0)
    assert np.all(find("reserve_bought_usd_million")(found, region="europe") == 0.0)
    worth = find("reserve_value_usd_million")(found, region="japan", material="dy_oxide")
    tonnes = find("reserve_t")(found, region="japan", material="dy_oxide")
    assert np.allclose(tonnes, held[-1], rtol=1e-6)
    price = worth * 1000.0 / tonnes
    last = [i for i, m in enumerate(found.labels.month_of) if m == found.months[-1]]
    home = found["home"][last, found.labels.material_at["dy_oxide"]].mean(axis=0)
    assert np.allclose(price, home, rtol=1e-5)
    outlay = find("public_outlay_usd_million")(found, region="japan")
    assert np.allclose(outlay, bought - sold, rtol=1e-3)


def test_revenue_of_the_exporter_includes_the_rent_of_a_quota():
    case = load_scenario("quota_2010", overrides={"end": "2011-01-10"})
    found = series_of(case, worlds=5)
    rent = found["rent"]
    assert rent.max() > 0.0
    whole = find("export_revenue_usd_million")(found, origin="china")
    held = dict(found.arrays)
    held["rent"] = np.zeros_like(rent)
    found.arrays = held
    plain = find("export_revenue_usd_million")(found, origin="china")
    assert np.all(whole > plain)
