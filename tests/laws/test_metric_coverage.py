"""Metrics of need, coverage and cover: parts make a whole, and small sums done by hand agree."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.items import ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import find
from lodestone.outputs.metrics.coverage import CHAIN
from lodestone.outputs.recorder import Recorder
from lodestone.scenario import load_scenario

WORLDS = 3
SHOCK = 459.0


@pytest.fixture(scope="module")
def series() -> Series:
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2025-12-29"})
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(WORLDS), 7.0)
    recorder = Recorder(run, np.full(WORLDS, SHOCK))
    run.watchers.append(recorder)
    run.run()
    return Series.of(recorder)


def value(series: Series, name: str, **selectors: object) -> np.ndarray:
    return np.asarray(find(name)(series, **selectors), dtype=float)


def planned(series: Series, sector: str, region: str, year: int) -> np.ndarray:
    weeks = [d.year == year for d in series.dates]
    rows = series.group_rows(region, sector)
    return series["planned"][weeks][:, rows].sum(axis=(0, 1), dtype=float)


def test_the_need_of_a_sector_follows_from_its_magnets_and_the_recipes(series):
    # Traction motors use heavy grades only: t of magnet x t of metal x t of oxide.
    recipes = series.chain.recipes
    per = {
        e: recipes["ndfeb_high_coercivity"][f"{e}_metal"].input_t_per_t_output
        * recipes[f"{e}_metal"][f"{e}_oxide"].input_t_per_t_output
        for e in ("ndpr", "dy")
    }
    magnets = planned(series, "ev_traction", "europe", 2025)
    for element, tonnes in per.items():
        need = value(
            series, "need_t", material=f"{element}_oxide", region="europe",
            sector="ev_traction", year=2025,
        )  # fmt: skip
        assert need == pytest.approx(magnets * tonnes, rel=1e-6)
    assert per["ndpr"] == pytest.approx(0.465, abs=0.001)


def test_shares_of_need_make_a_whole_and_its_worth_is_tonnes_times_price(series):
    sectors = {s for _, s in series.groups}
    parts = [value(series, "need_share", sector=s, year=2025) for s in sectors]
    assert np.sum(parts, axis=0) == pytest.approx(1.0)
    both = sum(value(series, "need_t", sector="wind", year=y) for y in (2024, 2025))
    worth = value(series, "need_value_usd_million", sector="wind", at=110)
    assert worth == pytest.approx(both * 110 / 1000, rel=1e-6)


def test_the_coverage_of_a_chain_is_that_of_its_scarcest_stage(series):
    stages = {
        m: value(series, "stage_coverage", region="quad", material=m, year=2025) for m in CHAIN
    }
    whole = value(series, "chain_coverage", region="quad", year=2025)
    assert np.array_equal(whole, np.min(list(stages.values()), axis=0))
    own = value(series, "self_sufficiency", region="quad", year=2025)
    assert np.array_equal(stages["ndfeb_magnets"], own)
    oxide = value(series, "output_t", region="quad", material="ndpr_oxide", year=2025)
    need = value(series, "need_t", region="quad", material="ndpr_oxide", year=2025)
    assert stages["ndpr_oxide"] == pytest.approx(oxide / need)
    # Four countries make a third of their magnets and hardly any of their dysprosium.
    assert np.all(stages["ndfeb_magnets"] > 0.3)
    assert np.all(whole < 0.1)


def test_the_year_of_coverage_is_the_first_full_year_that_reaches_it(series):
    reached = value(series, "self_sufficiency", region="japan", year=2024)
    for share in (0.5 * float(reached.min()), 1.01 * float(reached.max())):
        found = value(series, "coverage_year", region="japan", share=share)
        later = value(series, "self_sufficiency", region="japan", year=2025) >= share
        assert np.array_equal(
            found, np.where(reached >= share, 2024.0, np.where(later, 2025.0, np.inf))
        )
    assert np.all(np.isinf(value(series, "coverage_year", region="europe", share=0.99, of="chain")))


def test_cover_is_stock_over_need(series):
    rows = series.cells("dy_oxide", "japan").rows
    at = int(SHOCK / 30.4375)
    stock = series["stock"][at:, rows].sum(axis=1, dtype=float).min(axis=0)
    need = float(series.labels.c_need[rows].sum()) / 7.0
    days = value(series, "cover_days_low", material="dy_oxide", region="japan")
    assert days == pytest.approx(stock / need, rel=1e-6)
    assert np.all(days < 1000)
    fewer = value(series, "cover_days_low", material="dy_oxide", region="japan", months=2)
    assert np.all(fewer >= days)


def test_japan_never_runs_out_of_dysprosium_in_2025(series):
    assert np.all(value(series, "cover_days_low", material="dy_oxide", region="japan") > 0)


def test_ways_of_meeting_use_make_a_whole(series):
    parts = [value(series, "met_share", by=item, element="dy", year=2025) for item in ITEMS]
    assert np.sum(parts, axis=0) == pytest.approx(1.0, abs=1e-5)
    with pytest.raises(InputError, match=r"unknown way of meeting use 'recyling'.*'recycling'"):
        value(series, "met_share", by="recyling")


def test_recycled_oxide_is_part_of_what_is_made(series):
    won = value(series, "recycled_share", region="japan", element="ndpr", year=2024)
    need = value(series, "need_t", region="japan", material="ndpr_oxide", year=2024)
    made = value(series, "output_t", region="japan", material="ndpr_oxide", year=2024)
    assert np.all(won > 0)
    assert np.all(won * need <= made * (1 + 1e-6))


def test_a_year_of_lost_output_is_part_of_all_of_it(series):
    whole = value(series, "lost_output_usd_million")
    year = value(series, "lost_in_a_year_usd_million")
    assert np.all((year > 0) & (year <= whole * (1 + 1e-6)))
    parts = [value(series, "lost_in_a_year_usd_million", region=r) for r in series.layout.regions]
    assert np.sum(parts, axis=0) == pytest.approx(year)


def test_the_first_short_year_is_the_first(series):
    lacking = {
        y: value(series, "unmet_share_between", since=f"{y}-01-01", until=f"{y + 1}-01-01")
        for y in (2024, 2025)
    }
    half = float(lacking[2025].min()) / 2
    assert np.all(lacking[2024] < half)
    assert np.all(value(series, "first_short_year", share=half) == 2025)
    assert np.all(np.isinf(value(series, "first_short_year", share=0.9)))
