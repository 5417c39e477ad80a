"""Metrics of shares, reliance and worth: parts make a whole, and small sums done by hand agree."""

from __future__ import annotations

import numpy as np
import pytest

from sim.chain.load import load_chain
from sim.engine.run import BatchRun
from sim.errors import InputError
from sim.outputs.metrics import find
from sim.outputs.recorder import Recorder, Series
from sim.scenario import load_scenario

WORLDS = 3


@pytest.fixture(scope="module")
def series() -> Series:
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2025-09-29"})
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(WORLDS), 7.0)
    recorder = Recorder(run, np.full(WORLDS, 459.0))
    run.watchers.append(recorder)
    run.run()
    return Series(recorder)


def value(series: Series, name: str, **selectors: object) -> np.ndarray:
    return np.asarray(find(name)(series, **selectors), dtype=float)


@pytest.mark.parametrize("material", ["ndfeb_magnets", "ndpr_oxide", "dy_metal"])
def test_shares_of_output_make_a_whole_and_the_largest_is_the_top(series, material):
    parts = [
        value(series, "output_share", region=r, material=material, year=2024)
        for r in series.layout.regions
    ]
    assert np.allclose(np.sum(parts, axis=0), 1.0)
    assert np.array_equal(np.max(parts, axis=0), value(series, "top_share", material=material, year=2024))  # fmt: skip
    whole = value(series, "output_t", material=material, year=2024)
    assert np.all(whole > 0)
    own = value(series, "output_t", material=material, region="china", year=2024)
    assert np.allclose(own / whole, value(series, "output_share", material=material, year=2024))


def test_shares_of_mining_make_a_whole_near_the_data(series):
    parts = {r: value(series, "mining_share", region=r, year=2024) for r in series.layout.regions}
    assert np.allclose(np.sum(list(parts.values()), axis=0), 1.0)
    assert np.all((parts["china"] > 0.6) & (parts["china"] < 0.75))
    both = value(series, "mining_share", region=["china", "myanmar"], year=2024)
    assert np.allclose(both, parts["china"] + parts["myanmar"])


def test_shares_of_trade_make_a_whole(series):
    regions = series.layout.regions
    out = [value(series, "export_share", origin=r, year=2024) for r in regions]
    assert np.allclose(np.sum(out, axis=0), 1.0)
    into = [value(series, "import_share", region="europe", origin=r, year=2024) for r in regions]
    assert np.allclose(np.sum(into, axis=0), 1.0)


def test_what_is_exported_is_imported(series):
    regions = series.layout.regions
    sold = sum(value(series, "traded_t", origin=r, year=2025) for r in regions)
    bought = sum(value(series, "traded_t", destination=r, year=2025) for r in regions)
    whole = value(series, "traded_t", year=2025)
    assert np.allclose(sold, whole) and np.allclose(bought, whole)
    china = value(series, "traded_t", origin="china", year=2024)
    assert np.allclose(china, value(series, "magnet_exports_t", year=2024))


def test_net_import_reliance_is_done_by_hand(series):
    made = value(series, "output_t", region="united_states", year=2024)
    bought = value(series, "traded_t", destination="united_states", year=2024)
    sold = value(series, "traded_t", origin="united_states", year=2024)
    told = value(series, "import_reliance", region="united_states", year=2024)
    assert np.allclose(told, (bought - sold) / (made + bought - sold))
    assert np.all(told > 0.9)
    assert np.all(value(series, "import_reliance", region="china", year=2024) == 0.0)


def test_trade_of_one_material_is_worth_its_tonnes_at_its_price(series):
    how = {"material": "ndpr_oxide", "year": 2024}
    worth = value(series, "trade_value_usd_million", origin="china", **how)
    tonnes = value(series, "traded_t", origin="china", **how)
    price = value(series, "price_usd_per_kg", market="home", **how)
    assert np.allclose(worth, tonnes * price / 1000.0, rtol=1e-5)
    both = value(series, "trade_value_usd_million", origin="china", material=["oxides", "metals"], year=2024)  # fmt: skip
    one = [value(series, "trade_value_usd_million", origin="china", material=m, year=2024) for m in ("oxides", "metals")]  # fmt: skip
    assert np.allclose(both, sum(one))


def test_prices_outside_stand_above_home_and_gaps_open_under_licences(series):
    home = value(series, "price_usd_per_kg", material="dy_oxide", year=2024)
    ask = value(series, "price_usd_per_kg", material="dy_oxide", market="ask", year=2024)
    assert np.allclose(home, 222.1, rtol=0.1) and np.all(ask > home)
    assert np.all(value(series, "price_gap_peak", material="dy_oxide") > np.max(ask / home))
    with pytest.raises(InputError, match="home"):
        value(series, "price_usd_per_kg", market="hom")


def test_grey_tonnes_add_up_over_years_and_destinations(series):
    whole = value(series, "leak_t")
    assert np.all(whole > 0)
    by_year = sum(value(series, "leak_t", year=y) for y in (2024, 2025))
    assert np.allclose(whole, by_year)
    places = sum(value(series, "leak_t", destination=r) for r in series.layout.regions)
    assert np.allclose(whole, places)


def test_a_change_of_share_is_the_difference_of_two_years(series):
    change = value(series, "output_share_change", material="ndfeb_magnets", since=2024, year=2025)
    then, now = (value(series, "magnet_share", year=y) for y in (2024, 2025))
    assert np.allclose(change, now - then)


def test_the_worst_day_is_a_seventh_of_the_worst_week(series):
    rows = series.group_rows("all", "all")
    worth = np.array([series.chain.sectors[s].lost_output_usd_per_kg for _, s in series.groups])
    weekly = np.einsum("tgw,g->tw", series.weekly["unmet"][:, rows].astype(float), worth[rows])
    told = value(series, "lost_output_usd_million_per_day")
    assert np.allclose(told, weekly.max(axis=0) / 7000.0, rtol=1e-5)
    assert np.all(told > 0)
    parts = [value(series, "lost_output_usd_million_per_day", region=r) for r in series.layout.regions]  # fmt: skip
    assert np.all(np.sum(parts, axis=0) >= told * (1 - 1e-6)), "worst days need not coincide"


def test_a_dollar_of_magnets_stands_for_many_and_for_none_where_nothing_lacks(series):
    told = value(series, "lost_output_per_usd")
    least = min(s.lost_output_usd_per_kg for s in series.chain.sectors.values() if s.kind == "magnet")  # fmt: skip
    assert np.all(told > least / 50.0)
    assert np.all(np.isnan(value(series, "lost_output_per_usd", region="china")))


def test_chinese_magnet_plants_run_within_what_they_can_make(series):
    use = value(series, "magnet_plant_use", region="china", year=2024)
    assert np.all((use > 0.4) & (use <= 1.2))


def test_a_year_outside_the_run_is_refused(series):
    for name in ("mining_share", "traded_t", "price_usd_per_kg", "magnet_plant_use"):
        with pytest.raises(InputError, match="outside the run"):
            value(series, name, year=2030)
