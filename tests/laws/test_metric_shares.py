"""Metrics of shares, reliance and worth: parts make a whole, and small sums done by hand agree."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.items import ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import find, share_lacking
from lodestone.outputs.recorder import Recorder
from lodestone.scenario import load_scenario

WORLDS = 3


@pytest.fixture(scope="module")
def series() -> Series:
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2025-09-29"})
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(WORLDS), 7.0)
    recorder = Recorder(run, np.full(WORLDS, 459.0))
    run.watchers.append(recorder)
    run.run()
    return Series.of(recorder)


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
    weekly = np.einsum("tgw,g->tw", series["unmet"][:, rows].astype(float), worth[rows])
    told = value(series, "lost_output_usd_million_per_day")
    worth = 2.0 ** series.draws["money.lost_output_doublings"]
    assert np.allclose(told, weekly.max(axis=0) / 7000.0 * worth, rtol=1e-5)
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


# ---- windows, military users, how use is met, revenue ----------------------------------------


def test_windows_of_shortage_add_up(series):
    planned = {}
    for since, until in ((None, None), ("2024-01-01", "2025-06-01"), ("2025-06-01", None)):
        share = value(series, "unmet_share_between", region="europe", since=since, until=until)
        first = since or "2024-01-01"
        inside = [str(d) >= first and (until is None or str(d) < until) for d in series.dates]
        rows = series.group_rows("europe")
        plan = series["planned"][np.array(inside)][:, rows].sum(axis=(0, 1), dtype=float)
        planned[since, until] = share * plan
    parts = list(planned.values())
    assert np.all(parts[0] > 0)
    assert np.allclose(parts[0], parts[1] + parts[2])
    with pytest.raises(InputError, match="no market day"):
        value(series, "unmet_share_between", since="2031-01-01")


def test_sources_of_supply_make_a_whole_and_china_leads_in_heavies(series):
    items = ("exporter", "others", "new_supply", "recycling", "leak")
    shares = {k: value(series, "supply_share", item=k, element="dy", year=2024) for k in items}
    assert np.allclose(np.sum(list(shares.values()), axis=0), 1.0)
    assert np.all(shares["exporter"] > 0.9)
    with pytest.raises(InputError, match="source"):
        value(series, "supply_share", item="thin_air")
    with pytest.raises(InputError, match="element"):
        value(series, "supply_share", element="unobtainium")


def test_own_oxide_over_use_agrees_with_output_over_content(series):
    # 2024: what the United States separate and recycle of NdPr, as element, over their planned use.
    lay = series.layout
    covered = value(series, "separation_coverage", element="ndpr", year=2024)
    content = series["gap"][
        [i for i, q in enumerate(series.quarters) if q.startswith("2024")]
    ].reshape(4, -1, len(lay.regions), len(lay.elements), len(series.worlds))
    here = content[:, :, lay.regions.index("united_states"), lay.element_at["ndpr"]].sum(axis=0)
    from lodestone.outputs.items import ITEMS

    made = here[ITEMS.index("new_supply")] + here[ITEMS.index("recycling")]
    assert np.allclose(covered, made / here.sum(axis=0), rtol=1e-5)
    use = value(series, "use_of_plan", region="united_states", element="ndpr", year=2024)
    gone = sum(here[ITEMS.index(k)] for k in ("demand_destruction", "substitution", "unmet"))
    assert np.allclose(use, 1.0 - gone / here.sum(axis=0), rtol=1e-5)


def test_years_to_coverage_count_to_the_end_of_the_first_year_that_is_covered(series):
    covered = value(series, "separation_coverage", element="ndpr", year=2024)
    low, high = 0.5 * covered.min(), 50.0
    assert value(series, "years_to_coverage", element="ndpr", share=low).tolist() == [1.0] * WORLDS
    assert np.all(np.isinf(value(series, "years_to_coverage", element="ndpr", share=high)))
    some = value(series, "years_to_coverage", element="ndpr", share=float(covered.max()) + 1e-3)
    assert np.all(some > 1.0)


def test_military_users_are_followed_and_run_out_when_their_use_does_not_happen(series):
    share = value(series, "military_unmet_share", region="united_states", since="2025-04-04")
    assert np.all((share >= 0.0) & (share < 1.0))
    assert np.all(value(series, "first_military_stockout", region="all", share=2.0) == np.inf)
    rows = [
        i for i, g in enumerate(series.military_groups) if series.groups[g][0] == "united_states"
    ]
    held = series["military_unmet"].copy()
    try:
        series["military_unmet"][70:, rows] = series["military_planned"][70:, rows]
        day = value(series, "first_military_stockout", region="united_states", since="2025-04-04")
        assert np.all(day == 70 * 7 - 459)
    finally:
        series["military_unmet"][...] = held


def test_revenue_of_exports_adds_up_by_destination_and_falls_with_a_later_start(series):
    whole = value(series, "export_revenue_usd_million", origin="china")
    parts = [
        value(series, "export_revenue_usd_million", origin="china", destination=r)
        for r in series.layout.regions
    ]
    assert np.all(whole > 0)
    assert np.allclose(np.sum(parts, axis=0), whole)
    later = value(series, "export_revenue_usd_million", origin="china", since="2025-01-01")
    assert np.all(later < whole)


def test_the_price_paid_stands_between_its_months_and_burden_holds_both_parts(series):
    paid = value(series, "paid_usd_per_kg", year=2024)
    assert np.all((paid > 40) & (paid < 80))
    both = value(series, "burden_usd_million", region="europe")
    premium = value(series, "premium_usd_million", region="europe")
    assert np.all(both >= premium)


def test_ore_of_regions_adds_up_and_is_near_the_data(series):
    whole = value(series, "ore_t", year=2024)
    parts = [value(series, "ore_t", region=r, year=2024) for r in series.layout.regions]
    assert np.allclose(np.sum(parts, axis=0), whole)
    assert np.all((whole > 300_000) & (whole < 420_000))


@pytest.fixture(scope="module")
def cheap():
    """China sells at a fifth of its prices from June 2024 on."""
    scenario = load_scenario(
        "calm_2024",
        overrides={
            "end": "2025-10-27",
            "interventions.cut": {
                "kind": "price_war", "exporter": "china", "cut": 0.8, "start": "2024-06-01",
            },
        },
    )  # fmt: skip
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(WORLDS), 7.0)
    recorder = Recorder(run)
    run.watchers.append(recorder)
    run.run()
    return Series.of(recorder)


def test_nothing_is_idle_in_the_base_year_and_a_deep_price_cut_idles_mines(series, cheap):
    assert np.all(value(series, "idle_share", region="china", stage="mine", year=2024) < 0.02)
    # All of its ore is sold in China; American mines sell part of theirs at home.
    idle = {
        y: value(cheap, "idle_share", region="myanmar", stage="mine", year=y) for y in (2024, 2025)
    }
    assert np.all(idle[2025] > idle[2024])


def test_two_fifths_of_the_mines_stand_idle_where_goods_cost_a_fifth(cheap):
    idle = value(cheap, "idle_share", region="myanmar", stage="mine", year=2025)
    assert np.all(idle > 0.4)


def test_a_peak_counts_from_the_first_disruption_or_from_a_date(series):
    # Day 459 of the run is 2025-04-04.
    plain = value(series, "price_peak_multiple", material="dy_oxide")
    dated = value(series, "price_peak_multiple", material="dy_oxide", since="2025-04-04")
    assert np.array_equal(plain, dated)
    assert np.all(plain > value(series, "price_peak_multiple", material="dy_oxide", since="2025-07-01"))  # fmt: skip
    with pytest.raises(InputError, match="no market day"):
        value(series, "price_peak_multiple", since="2031-01-01")


def test_nobody_lacks_more_than_all_of_what_was_planned():
    unmet = np.array([0.0, 30.0, 109.0, 0.0])
    planned = np.array([100.0, 100.0, 100.0, 0.0])
    assert np.allclose(share_lacking(unmet, planned), [0.0, 0.3, 1.0, 0.0])


@pytest.mark.parametrize("region", ["united_states", "china", "japan", "all"])
def test_recycling_meets_a_part_of_use_and_scrap_is_a_minus(series, region):
    share = {
        by: value(series, "met_share", by=by, element="ndpr", region=region, year=2024)
        for by in ITEMS
    }
    assert np.allclose(sum(share.values()), 1.0)
    for by in ("recycling", "new_supply", "leak", "exporter", "substitution", "unmet"):
        assert np.all(share[by] >= -1e-6), by
    assert np.all(share["scrap_left"] <= 0.0)
    if region != "all":
        return
    left = value(series, "output_t", material="ndfeb_magnets", year=2024)
    assert np.all(share["scrap_left"] < 0.0) and np.all(left > 0.0)
