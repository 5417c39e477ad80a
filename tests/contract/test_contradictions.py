"""Where the press contradicts itself: the product does what its own table says, row by row.

`seeds/contradictions.csv` holds a row for each quantity of which the press says several things, how
the product deals with it, and the test below that says so. `docs/contradictions.md` shows the same.
"""

from __future__ import annotations

import ast
import csv
import math
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.border.expressions import metrics_in, parse_verdict
from lodestone.border.paths import data_root, seeds_root
from lodestone.border.units import usd_million
from lodestone.chain.facts import find_fact
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.interventions import REGISTRY, build
from lodestone.outputs.claims import OUTSIDE, against_data, claimed, claims_of
from lodestone.outputs.items import STAGES
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS
from lodestone.outputs.recorder import Recorder
from lodestone.scenario import build_scenario, find_overlays, load_mapping, load_scenario

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"range", "two outputs", "switch", "scenario", "refused", "unused"}
with (seeds_root() / "contradictions.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


@pytest.fixture(scope="module")
def chain():
    return load_chain("2024")


@cache
def year_of(name, overlay=None, years=1):
    """The first year of a calm world, or more of them, as metrics read it."""
    scenario = load_scenario(name, overlays=[overlay] if overlay else [])
    first = scenario.start
    scenario = replace(scenario, end=first.replace(year=first.year + years))
    run = BatchRun(scenario, load_chain(scenario.vintage), 0, np.arange(3), 7.0)
    recorder = Recorder(run)
    run.watchers.append(recorder)
    run.run()
    return Series.of(recorder)


def shipped(name):
    return load_mapping(data_root("scenarios") / f"{name}.yaml").data


def variant(name, key):
    return load_scenario(name, variant=key)


def judged(name, key="confirmed_if"):
    return [m.name for m in metrics_in(parse_verdict(load_scenario(name).hypothesis[key]))]


def support(number):
    """Lowest and highest value of a number that may be a distribution or a path of one value."""
    if isinstance(number, dict):
        (number,) = number.values()
    return number.support() if hasattr(number, "support") else (number, number)


def spans(row, low, high):
    assert row.low <= low and row.high >= high, (row.low, row.high)


# ---- the table ---------------------------------------------------------------------------


def test_there_are_thirty_quantities_each_once():
    assert len(ROWS) == 30
    assert len({r["quantity"] for r in ROWS}) == 30
    assert len({r["test"] for r in ROWS}) == 30


@pytest.mark.parametrize("row", ROWS, ids=[r["quantity"] for r in ROWS])
def test_a_row_is_filled_and_what_it_names_exists(row, chain):
    assert all(row.values())
    assert row["kind"] in KINDS
    names = row["claims"].split(";")
    assert set(names) <= set(chain.claims)
    where, test = row["test"].split("::")
    tree = ast.parse((ROOT / where).read_text("utf-8"))
    assert test in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    known = {*load_scenarios(), *find_overlays(), *METRICS, *REGISTRY}
    for word in re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b", row["handled_by"]):
        assert word in known or word in TERMS or is_variant(word), word


#: Words with an underscore that name neither a scenario, nor a metric, a kind or a variant.
TERMS = {"baseline_share", "pass_through", "ndpr_oxide"}


@cache
def load_scenarios():
    return tuple(sorted(p.stem for p in data_root("scenarios").glob("*.yaml")))


def is_variant(word):
    return any(word in (shipped(name).get("variants") or {}) for name in load_scenarios())


def test_the_page_shows_every_row():
    page = (ROOT / "docs" / "contradictions.md").read_text("utf-8")
    for row in ROWS:
        claims = row["claims"].replace(";", ", ")
        line = (
            f"| {row['quantity']} | {claims} | {row['why']} | {row['kind']} | {row['handled_by']} |"
        )
        assert line in page, row["quantity"]
    assert page.count("\n| ") == len(ROWS) + 1


def test_most_pairs_of_the_register_lie_in_a_row(chain):
    rows = [set(r["claims"].split(";")) for r in ROWS]
    pairs = {frozenset((n, o)) for n, c in chain.claims.items() for o in c.conflicts_with}
    met = [p for p in pairs if any(p <= r for r in rows)]
    assert len(met) >= 25
    left = {tuple(sorted(p)) for p in pairs} - {tuple(sorted(p)) for p in met}
    # What lies in none is said of two quantities: size against fame, goods against plants.
    assert len(left) < len(pairs) / 2, sorted(left)


# ---- shares ------------------------------------------------------------------------------


def test_mining_has_a_share_of_ore_and_one_of_magnet_elements(chain):
    share = find_fact("baseline_share")
    ore = share(chain, stage="mine", region="china", material="reo")
    magnet = share(chain, stage="mine", region="china", material="ndpr_oxide")
    assert 0.67 < ore[0] <= ore[2] < 0.71
    assert 0.58 < magnet[0] <= magnet[2] < 0.71 and magnet[0] < ore[0]
    read = {c: chain.claims[c].expression for c in ("c022", "c042", "c157")}
    assert "material=reo" in read["c022"] and "material=reo" in read["c042"]
    assert "material=reo" not in read["c157"]


def test_separation_is_by_element_and_the_headline_is_a_sensitivity(chain):
    share = find_fact("baseline_share")
    light = share(chain, stage="separation", region="china", material="ndpr_oxide")
    heavy = share(chain, stage="separation", region="china", material="dy_oxide")
    assert 0.85 < light[0] < light[2] < 0.92
    assert 0.95 <= round(heavy[0], 2) < heavy[2] <= 1.0 and heavy[0] > light[2]
    plain = METRICS["output_share"](year_of("calm_2024"), region="china", material="ndpr_oxide")
    fifth = METRICS["output_share"](
        year_of("calm_2024", "refining_headline_80", 3), region="china", material="ndpr_oxide"
    )
    assert np.all((plain > 0.86) & (plain < 0.91))
    assert np.all(np.abs(fifth - 0.80) < 0.02)
    entries = load_mapping(find_overlays()["refining_headline_80"].path, overlay=True).data
    for item in entries["interventions"].values():
        assert {"c098", "c114"} <= set(item["source"])


def test_magnets_are_nine_tenths_and_their_decline_is_asked_of_a_run(chain):
    share = find_fact("baseline_share")(chain, stage="magnet", region="china", material="ndfeb")
    assert 0.90 < share[0] < share[2] < 0.96
    claim = chain.claims["c155"]
    assert (claim.test, claim.scenario) == ("run", "baseline_2025")
    assert claim.expression.startswith("output_share_change(region=china")
    # No input says that the share falls: plants and their luck do.
    assert not [n for n in chain.parameter_names() if "trend" in n and "magnet" in n]


def test_supply_and_exports_are_two_shares(chain):
    year = year_of("calm_2024")
    goods = ["oxides", "metals"]
    exported = METRICS["export_share"](year, origin="china", material=goods)
    made = METRICS["output_share"](year, region="china", material="ndpr_oxide")
    assert np.all(exported > 0.55) and np.all(exported < 0.70) and np.all(made > exported + 0.15)
    assert "export_share" in chain.claims["c113"].expression
    assert "export_share" not in chain.claims["c062"].expression
    assert not {"share", "china_share", "market_share"} & set(METRICS)


def test_american_dependence_is_told_of_imports_and_of_needs():
    year, goods = year_of("calm_2024"), ["oxides", "metals"]
    of_imports = METRICS["import_share"](year, region="united_states", material=goods)
    reliance = METRICS["import_reliance"](year, region="united_states", material=goods)
    assert np.all((of_imports > 0.70) & (of_imports < 0.90))
    of_needs = of_imports * reliance
    assert np.all(of_needs < 0.77) and np.all(of_needs < of_imports - 0.05)
    # The Geological Survey counts 80 % of needs as imported, seven tenths of it from China.
    assert np.all(of_needs > 0.55)


def test_japan_hung_on_china_in_2009_and_does_less_now():
    goods = ["oxides", "metals"]
    then = METRICS["import_share"](year_of("calm_2009"), region="japan", material=goods)
    now = METRICS["import_share"](year_of("calm_2024"), region="japan", material=goods)
    assert np.all(np.abs(then - 0.90) < 0.03)
    assert np.all((now > 0.35) & (now < 0.70))


# ---- dependence, prices, the floor -------------------------------------------------------


def test_both_sides_stop_and_value_stands_beside_lost_output():
    scenario = load_scenario("alloy_leverage_test")
    others = load_scenario("current_law").interventions
    kinds = {i.kind for name, i in scenario.interventions.items() if name not in others}
    assert {"alloy_embargo", "export_ban"} <= kinds
    assert set(judged("alloy_leverage_test")) == {"lost_in_a_year_usd_million"}
    text = scenario.hypothesis["confirmed_if"]
    assert "region=china" in text and "region=allies" in text
    for name in ("trade_value_usd_million", "lost_in_a_year_usd_million", "lost_output_per_usd"):
        assert METRICS[name].over, f"{name} is in no summary"
    assert {"alloys_are_ore", "without_lcm", "west_alone", "china_alone"} <= set(
        shipped("alloy_leverage_test")["variants"]
    )


def test_prices_of_the_press_are_the_ends_of_a_stress(chain):
    price = chain.prices[("ndpr_oxide", "home")]
    low, high = 110 / chain.claims["c173"].value, claimed(chain.claims["c084"])[0] * 1.13
    assert price.low < low < price.high < high
    stress = [
        variant("us_price_floor_110", key).overrides.get("price.ndpr_oxide.home_usd_per_kg")
        for key in ("market_of_63", "market_of_95", "market_of_137")
    ]
    assert stress == [63, 95, 137] and stress[-1] == pytest.approx(high, abs=0.5)
    cheap = variant("us_price_floor_110", "market_of_48_goes_on").interventions["cheap_market"]
    assert "c173" in cheap.source
    for vintage in ("2019", "2024"):
        known = load_chain(vintage).prices[("ndpr_oxide", "home")]
        assert max(known.usd_per_kg, known.high or 0) < 110


def test_a_floor_by_the_tonne_is_refused(chain):
    plain = shipped("us_price_floor_110")["interventions"]["mp_price_floor"]
    assert plain["floor_usd_per_kg"] == 110 and not build("floor", plain).problems(chain)
    (problem,) = build("floor", {**plain, "floor_usd_per_kg": 0.11}).problems(chain)
    assert "110 USD per tonne" in problem.message
    path = "interventions.mp_price_floor.floor_usd_per_kg"
    with pytest.raises(InputError, match="implausibly low"):
        load_scenario("us_price_floor_110", overrides={path: 0.11})


def test_a_floor_is_paid_by_difference_or_by_purchase():
    plain = load_scenario("us_price_floor_110").interventions["mp_price_floor"]
    bought = variant("us_price_floor_110", "by_purchase").interventions["mp_price_floor"]
    assert (plain.mechanism, bought.mechanism) == ("cfd", "purchase")
    assert {"c012", "c174"} <= set(bought.source)
    with pytest.raises(InputError, match="mechanism"):
        load_scenario(
            "us_price_floor_110", overrides={"interventions.mp_price_floor.mechanism": "gift"}
        )


def test_who_pays_for_the_floor_is_a_parameter():
    floor = load_scenario("us_price_floor_110").interventions["mp_price_floor"]
    assert support(floor.pass_through) == (0.0, 1.0)
    assert "c071" in floor.source and "c013" in load_scenario("us_price_floor_110").sources()
    for key, value in (("nothing", 0.0), ("half", 0.5), ("all", 1.0)):
        item = variant("us_price_floor_110", f"buyers_pay_{key}").interventions["mp_price_floor"]
        assert item.pass_through == value
    overlays = {f"pricing_pass_through_{n}" for n in (0, 50, 100)}
    assert overlays <= set(find_overlays())


def test_a_bloc_is_judged_by_plant_use_and_by_earnings():
    assert set(judged("eight_country_certified_bloc")) == {
        "magnet_plant_use",
        "trade_value_usd_million",
    }
    assert set(judged("eight_country_certified_bloc", "refuted_if")) == {"trade_value_usd_million"}
    claims = load_scenario("eight_country_certified_bloc").hypothesis["claims"]
    assert {"c002", "c182"} <= set(claims)


# ---- time, cost, technology --------------------------------------------------------------


def test_lead_times_are_classes_and_each_claim_has_a_probability(chain):
    mine = chain.parameters["investment.lead_years_mine"]
    spans(mine, 5, 12)
    assert {"c115", "c159", "c188"} <= set(mine.source)
    magnet = chain.parameters["investment.lead_years_magnet"]
    assert magnet.high < mine.low, "classes do not mix"
    items = {r.item for r in chain.costs}
    assert {
        "lead_time_mine_permit",
        "lead_time_separation_build",
        "lead_time_magnet_build",
    } <= items
    line = chain.facilities["us_koreazinc_alta"]
    assert line.stage == "recycling" and line.start_date.year == 2027
    with (seeds_root() / "claims_verdicts.csv").open(encoding="utf-8", newline="") as file:
        stored = {r["claim"]: r for r in csv.DictReader(file)}
    assert stored["c067"]["verdict"] == OUTSIDE
    assert 0.0 <= float(stored["c067"]["share_of_worlds"]) < 0.01
    asked = {c.name for c in claims_of(chain, load_scenario("quad_parallel_chain"))}
    assert {"c067", "c159", "c188"} <= asked


def test_the_multiple_has_a_range_and_its_base_is_a_switch(chain):
    row = next(r for r in chain.costs if r.item == "capex_multiple")
    assert [row.low, row.value, row.high] == [3, 4, 5] and {"c177", "c180"} <= set(row.source)
    item = variant("quad_parallel_chain", "capital_three_to_five_times").interventions[
        "dear_plants"
    ]
    assert item.base == "capex" and support(item.factor) == (3.0, 5.0)
    dear = shipped("quad_parallel_chain")["variants"]["environment_half_dearer"]
    plain = dear["interventions"]["clean_plants"]
    for base in ("opex", "capex", "price", "off"):
        assert build("clean_plants", {**plain, "base": base}).base == base
    assert row.high * plain["factor"] == 7.5
    with pytest.raises(InputError, match="base"):
        build("clean_plants", {**plain, "base": "everything"})


def test_the_standard_can_be_made_equal(chain):
    row = next(r for r in chain.costs if r.item == "environmental_opex_premium")
    assert [row.low, row.high] == [0.0, 0.5] and {"c178", "c108"} <= set(row.source)
    one = variant("quad_parallel_chain", "environment_half_dearer").interventions
    both = variant("quad_parallel_chain", "environment_as_dear_in_china").interventions
    assert set(both) - set(one) == {"clean_plants_in_china"}
    ours, theirs = both["clean_plants"], both["clean_plants_in_china"]
    assert (ours.factor, ours.base, ours.stage) == (theirs.factor, theirs.base, theirs.stage)
    assert tuple(theirs.region) == ("china",) and {"c108", "c178"} <= set(theirs.source)
    # With one standard the ratio of costs is what it is without any; the rest of the gap remains.
    cost = find_fact("cost_ratio")
    gap = cost(chain, item="all_in_cash_cost", region="united_states", over="china")[1]
    assert gap * ours.factor / theirs.factor == gap > 1.25


def test_learning_spans_no_advance_and_much():
    item = variant("quad_parallel_chain", "plants_learn").interventions["learning"]
    assert support(item.rate_per_doubling) == (0.0, 0.15)
    assert {"c109", "c152"} <= set(item.source)


def test_a_resource_never_binds(chain):
    said = chain.claims["c058"].value
    mines = [f for f in chain.facilities.values() if f.stage == "mine"]
    assert max(f.capacity_t_per_year for f in mines) < said
    assert not [n for n in chain.parameter_names() if "resource" in n or "reserve" in n]
    fields = {f for rows in chain.tables.values() for _, r in rows for f in r.__dataclass_fields__}
    assert not [f for f in fields if "resource" in f or "reserve" in f]
    assert set(STAGES) == {"none", "trade", "magnet", "metal", "separation"}
    assert "exporter" in load_scenario("us_mine_wave_no_midstream").hypothesis["confirmed_if"]


def test_mountain_pass_runs_and_its_cap_is_a_variant(chain):
    mine = chain.facilities["us_mountain_pass"]
    assert mine.output_2024_t / mine.capacity_t_per_year > 0.9
    assert against_data(chain.claims["c190"], chain)["verdict"] == OUTSIDE
    plain = load_scenario("us_mine_wave_no_midstream").interventions
    capped = variant("us_mine_wave_no_midstream", "mountain_pass_held_back").interventions
    assert "mountain_pass_expansion" in plain and "mountain_pass_expansion" not in capped
    cap = capped["rules_and_pollution"]
    assert cap.share_lost >= 1 - claimed(chain.claims["c190"])[1]
    assert "c190" in cap.source and not any("c190" in i.source for i in plain.values())


def test_permits_span_faster_and_slower():
    item = load_scenario("us_mine_wave_no_midstream").interventions["permits"]
    assert support(item.factor) == (0.5, 1.5) and {"c069", "c189"} <= set(item.source)
    for name, factor in (("fast", 0.5), ("base", 1.0), ("slow", 1.5)):
        laid = load_scenario("calm_2024", overlays=[f"permitting_{name}"]).interventions
        assert laid["overlay_permitting"].factor == factor
        assert {"c069", "c189"} <= set(laid["overlay_permitting"].source)


def test_support_survives_with_a_probability():
    item = variant("support_withdrawal_price_war", "reviewed_each_year").interventions
    ends = item["support_ends"]
    assert support(ends.survival_each_review) == (0.7, 1.0)
    assert {"c078", "c133"} <= set(ends.source)


# ---- measures and places -----------------------------------------------------------------


def test_april_lasts_and_only_october_is_paused():
    for key in (None, *shipped("truce_snapback_2026")["variants"]):
        item = load_scenario("truce_snapback_2026", variant=key).interventions
        assert item["april_2025_licences"].end is None
        assert "april_2025_licences" not in item["truce"].suspends
        assert "october_2025_package" in item["truce"].suspends
    drawn = variant("truce_snapback_2026", "perhaps_renewed").interventions["truce"]
    assert drawn.renewal_probability == 0.5 and {"c119", "c162"} <= set(drawn.source)
    broken = variant("truce_snapback_2026", "early_breakdown").interventions["truce"]
    assert support(broken.breakdown_hazard_per_year) == (0.25, 1.0)
    assert load_scenario("baseline_2025").interventions["april_2025_licences"].end is None


def test_lynas_serves_japan_first_and_owes_china_nothing(chain):
    plants = [f for f in chain.facilities.values() if f.operator.startswith("Lynas")]
    assert {f.region for f in plants} >= {"australia", "malaysia"}
    assert {f.owner_bloc for f in plants} == {"australia"}
    assert not chain.claims["c027"].test and chain.claims["c027"].grade == "contradicted"
    calls = [
        i
        for i in load_scenario("current_law").interventions.values()
        if i.kind == "offtake" and i.facility == "my_lamp_hre1"
    ]
    assert [(tuple(i.buyer), i.first_call) for i in calls] == [(("japan",), True)]
    assert support(calls[0].share)[1] == 0.65


def test_india_is_in_two_blocs_and_may_leave(chain):
    for bloc in ("quad", "brics"):
        assert "india" in chain.blocs[bloc].countries
    laid = load_scenario("quad_parallel_chain", overlays=["ally_defection"])
    leaving = laid.interventions["overlay_defection"]
    assert "india" in leaving.members and "c088" in leaving.source
    run = BatchRun(replace(laid, hypothesis={}), load_chain("2024"), 0, np.arange(3), 7.0)
    assert run.layout.region_at["india"] in run.by_name["overlay_defection"].members


def test_thailand_as_a_partner_lowers_the_ceiling():
    effects = []
    for key in (None, "thailand_turns_ally"):
        scenario = load_scenario("grey_channel_crackdown", variant=key)
        item = scenario.interventions["hubs"]
        assert ("thailand" in item.hubs) == (key is None)
        run = BatchRun(scenario, load_chain("2024"), 0, np.arange(11), 7.0)
        effects += [e for e in run.effects if e.name == "hubs"]
    assert {"c079", "c160"} <= set(item.source)
    before, after = effects
    assert np.all(after.n.ceiling_share < before.n.ceiling_share)
    assert np.allclose(after.n.opening_days, before.n.opening_days)


def test_brazil_is_a_flow_and_a_scenario_decides(chain):
    mined = [
        f.output_2024_t or 0.0
        for f in chain.facilities.values()
        if f.region == "brazil" and f.stage == "mine"
    ]
    assert 0 < sum(mined) < 1e-3 * chain.claims["c052"].value
    shares = {
        key: variant("brazil_brics_pivot", key).interventions.get("ore_to_china")
        for key in (None, "half_to_china", "none_to_china", "as_usual")
    }
    assert shares[None].share == 1.0 and shares["half_to_china"].share == 0.5
    assert "china" not in shares["none_to_china"].destination and shares["as_usual"] is None
    assert "element=dy" in load_scenario("brazil_brics_pivot").hypothesis["confirmed_if"]


def test_robots_are_units_times_kilograms(chain):
    item = load_scenario("humanoid_boom_2050").interventions["robots"]
    units = max(item.units_in_use.values())
    low, high = support(item.kg_per_unit)
    assert units == 1e9
    assert low * 0.28 > 0.89 and high * 0.28 < 1.31
    dearest = usd_million(units * 1.3 / 1000, 209) * 1e6
    assert dearest < 0.5 * chain.claims["c130"].value
    assert not chain.claims["c130"].test
    for kind in ("demand_growth", "demand_shock"):
        assert not [key for key in REGISTRY[kind].model_fields if "usd" in key]


def test_values_are_reported_and_nothing_is_fitted_to_them():
    assert METRICS["trade_value_usd_million"].over
    for path in sorted((seeds_root() / "episodes").glob("*/episode.yaml")):
        text = path.read_text("utf-8")
        assert "trade_value" not in text and "million" not in text.lower(), path


def test_the_alliance_is_asked_for_its_weakest_stage(chain):
    text = load_scenario("quad_parallel_chain").hypothesis["confirmed_if"]
    assert "of=chain" in text and set(judged("quad_parallel_chain")) == {"coverage_year"}
    year = year_of("calm_2024")
    whole = METRICS["chain_coverage"](year, region="quad")
    parts = [
        METRICS["stage_coverage"](year, region="quad", material=m)
        for m in ("ndfeb_magnets", "ndpr_oxide", "dy_oxide")
    ]
    assert np.all(whole <= np.min(parts, axis=0) + 1e-9)


def test_the_grey_channel_is_a_share_and_no_tonnage(chain):
    item = load_scenario("grey_channel_crackdown").interventions["hubs"]
    assert support(item.ceiling_share) == (0.0, 0.8)
    assert support(item.opening_days) == (60.0, 90.0)
    assert {"c079", "o01"} <= set(item.source) and "antimony" in item.note
    assert not [f for f in type(item).model_fields if "tonnes" in f]


def test_patents_are_no_number_of_ours(chain):
    names = [*chain.parameter_names(), *(r.item for r in chain.costs)]
    assert not [n for n in names if "patent" in n or "licence_fee" in n]
    assert not chain.claims["c024"].test and not chain.claims["c107"].test


# ---- errors of the press that stay out ---------------------------------------------------


def every_number(chain):
    """Every number of the tables, of the scenarios and of the overlays, with its place."""
    for name, rows in chain.tables.items():
        if name in ("claims", "bibliography"):
            continue
        for _, row in rows:
            for field in row.__dataclass_fields__:
                if isinstance(value := getattr(row, field), int | float):
                    yield f"{name}.{field}", float(value)
    for path in sorted(data_root("scenarios").rglob("*.yaml")):
        data = load_mapping(path, overlay=path.parent.name == "overlays").data
        yield from leaves(data, path.stem)


def leaves(data, place):
    if isinstance(data, dict):
        for key, item in data.items():
            yield from leaves(item, f"{place}.{key}")
    elif isinstance(data, list | tuple):
        for item in data:
            yield from leaves(item, place)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield place, float(data)


#: What the press has wrong, as it might be typed in: claim, numbers, keys at which they would matter.
ERRORS = {
    "NdPr at 980,000 yuan": ("c084", (980_000, 980, 136.7, 121.0), "price|usd"),
    "antimony by way of Thailand and Mexico": ("c079", (3834, 3366, 767, 1278), ""),
    "zinc from Mexico": ("c095", (468,), ""),
    "antimony up by 2,700 percent": ("c093", (2700, 27), "leak|ceiling|share|trade"),
    "robots for 800 billion": ("c130", (8e11, 8e5), ""),
    "alloys for 1.4 billion": ("c146", (1.4e9, 1400), "usd|value|trade"),
    "a resource as yearly supply": ("c058", (1.7e6,), ""),
    "inflation of 600 percent": ("c183", (600, 6, 7), "rate|factor|premium|share"),
    "purity of six nines": ("c087", (99.9999, 0.999999), ""),
}


@pytest.mark.parametrize("what", ERRORS)
def test_a_number_that_the_press_has_wrong_is_typed_in_nowhere(what, chain):
    claim, numbers, keys = ERRORS[what]
    assert claim in chain.claims
    found = [
        (place, value)
        for place, value in every_number(chain)
        if any(math.isclose(value, wrong, rel_tol=1e-6) for wrong in numbers)
        and re.search(keys, place.rpartition(".")[2])
    ]
    assert not found


def test_a_leak_of_27_times_normal_trade_is_refused(chain):
    hubs = shipped("grey_channel_crackdown")["interventions"]["hubs"]
    for wrong in (27, 2700):
        problems = build("hubs", {**hubs, "ceiling_share": wrong}).problems(chain)
        assert any("ceiling_share" in str(p.key) for p in problems)


def test_35_percent_of_a_battery_is_no_cost_and_motors_carry_the_price(chain):
    assert not chain.claims["c085"].test and "hold no NdPr" in chain.claims["c085"].not_testable
    # Batteries use lanthanum and cerium in one alloy; they hold none of what goes into magnets.
    used = {r.material for r in chain.oxide_uses if "battery" in r.sector}
    assert not {"ndpr_oxide", "dy_oxide", "tb_oxide"} & used
    assert not [r.item for r in chain.costs if "battery" in r.item]
    # Two kilograms of magnet with 28 percent of NdPr: 75 USD/kg more make a car 40 USD dearer.
    oxide = 0.28 / chain.elements["ndpr"].element_per_oxide
    assert 1.0 * oxide * 75 >= 20 and 2.0 * oxide * 75 <= 52


@pytest.mark.parametrize("word", ["inflation", "price_level"])
def test_no_scenario_uses_an_inflation(word):
    for path in sorted(data_root("scenarios").rglob("*.yaml")):
        data = load_mapping(path, overlay=path.parent.name == "overlays").data
        for item in (data.get("interventions") or {}).values():
            assert not item or word not in " ".join(map(str, item))


@pytest.mark.parametrize("metal", ["tungsten", "copper", "nickel", "cobalt"])
def test_other_metals_are_no_rare_earth_supply(metal, chain):
    assert not [m for m in (*chain.materials, *chain.elements) if metal in m]
    item = {"kind": "mining_ban", "role": "policy", "region": "united_states", "action": "lift",
            "commodity": "copper_nickel", "start": "2026-01-21", "source": "c011"}  # fmt: skip
    if metal == "tungsten":
        item = {"kind": "capacity_project", "region": "rest_of_world", "commodity": "tungsten",
                "tonnes_per_year": 1200, "start": "2028-01-01", "source": "c192"}  # fmt: skip
    given = {**shipped("calm_2024"), "name": "other_metal", "interventions": {"other": item}}
    scenario = build_scenario(given)
    run = BatchRun(scenario, chain, 0, np.arange(2), 7.0)
    assert run.by_name["other"].reason


def test_nothing_is_taken_to_stand_by_2025(chain):
    claim = chain.claims["c067"]
    assert (claim.test, claim.grade) == ("run", "contradicted")
    quad = {"united_states", "japan", "australia", "india"}
    coming = [
        f
        for f in chain.facilities.values()
        if f.modelled and f.region in quad and f.stage == "magnet" and f.start_date
        and f.start_date.year == 2025
    ]  # fmt: skip
    used = sum(r.tonnes for r in chain.baseline if r.stage == "demand" and r.region in quad)
    assert sum(f.capacity_t_per_year for f in coming) < 0.15 * used
    assert not [f for f in REGISTRY["alliance"].model_fields if "target" in f]
    whole = METRICS["chain_coverage"](year_of("calm_2024"), region="quad")
    assert np.all(whole < 0.25)


def test_a_guarantee_has_a_base_a_time_and_a_price():
    kind = REGISTRY["enforcement"]
    about = {key: info.description for key, info in kind.model_fields.items()}
    assert "value of the cargo" in about["deposit_share"]
    assert "days" in about["deposit_days"] and "cost of the money" in about["deposit_interest"]
    plain = {"kind": "enforcement", "exporter": "china", "materials": "magnets"}
    assert build("hunt", plain).deposit_share == 0, "off unless a scenario asks for it"
    item = load_scenario("grey_channel_crackdown").interventions["hunt"]
    assert item.deposit_share == 1.5 and "base not stated" in item.note
    problems = build("hunt", {**plain, "deposit_share": 150}).problems(load_chain())
    assert any("deposit_share" in str(p.key) for p in problems)
