"""Scenarios: finding, inheriting, layering, overriding, and refusing what is wrong."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.border.numbers import Distribution
from lodestone.border.yamlfile import parse_yaml
from lodestone.chain.load import load_chain
from lodestone.scenario import (
    Scenario,
    find_scenarios,
    flatten_overrides,
    layer,
    load_mapping,
    load_reference,
    load_scenario,
    write_scenario,
)

SHOCK = "licence_shock_april_2025"

MINIMAL = """
name: mine
question: What if?
start: 2024-01-01
end: 2026-01-01
interventions:
  stop:
    kind: export_ban
    exporter: china
    materials: dy_oxide
    start: 2025-01-01
    source: c120
overrides: {stockpile.japan.days: 60}
variants:
  half: {interventions: {stop: {share: 0.5}}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LODESTONE_SCENARIOS", raising=False)
    return tmp_path


def write(folder: Path, text: str = MINIMAL, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------------------- finding


def test_a_minimal_file_gives_a_checked_scenario(here):
    scenario = load_scenario(write(here))
    assert (scenario.name, scenario.vintage, scenario.reference) == ("mine", "2024", "calm_2024")
    assert (scenario.start, scenario.end) == (date(2024, 1, 1), date(2026, 1, 1))
    assert scenario.overrides == {"stockpile.japan.days": 60.0}
    assert scenario.roles == {"stop": "policy"}
    assert scenario.interventions["stop"].materials == ("dy_oxide",)
    assert scenario.sources() == ["c120"]


def test_search_order_is_here_then_variable_then_shipped(here, monkeypatch):
    shared = here / "elsewhere"
    write(shared, MINIMAL, "mine.yaml")
    assert "mine" not in find_scenarios()
    monkeypatch.setenv("LODESTONE_SCENARIOS", str(shared))
    assert find_scenarios()["mine"].path == shared / "mine.yaml"
    write(here / "scenarios", MINIMAL.replace("What if?", "Near?"), "mine.yaml")
    assert load_scenario("mine").question == "Near?"
    assert SHOCK in find_scenarios()


def test_an_unknown_name_names_the_nearest(here):
    with pytest.raises(InputError, match=f"Did you mean '{SHOCK}'"):
        load_scenario("licence_shock_april")


@pytest.mark.parametrize("word", ["nowhere.yaml", "./nowhere/x.yaml"])
def test_a_missing_file_is_named(here, word):
    with pytest.raises(InputError, match="no such file"):
        load_scenario(word)


def test_reference_none_and_default(here):
    assert load_scenario(write(here, MINIMAL + "reference: none\n")).reference is None
    assert load_scenario("calm_2024").reference is None
    with pytest.raises(InputError, match=r"reference: unknown scenario 'calm_2042'.*calm_2024"):
        load_scenario(write(here, MINIMAL + "reference: calm_2042\n"))


def test_the_reference_is_found_beside_the_file_and_covers_the_same_days(here):
    write(here, MINIMAL.replace("name: mine", "name: base"), "base.yaml")
    scenario = load_scenario(
        write(here, MINIMAL + "reference: base\n"), overrides={"end": "2025-06-01"}
    )
    reference = load_reference(scenario)
    assert reference.name == "base"
    assert (reference.start, reference.end) == (scenario.start, scenario.end)
    shipped = load_reference(load_scenario(SHOCK))
    assert (shipped.name, shipped.end) == ("calm_2024", date(2028, 1, 1))
    assert load_reference(load_scenario("calm_2024")) is None


# ------------------------------------------------------------------------------- layers


def test_mappings_merge_but_paths_and_distributions_are_replaced():
    below = {
        "a": {"x": 1, "y": {"2025-01-01": 0.0, "2025-06-01": 1.0}},
        "d": {"dist": "fixed", "value": 1},
    }
    above = {"a": {"y": {"2025-01-01": 0.5}}, "d": {"dist": "uniform", "low": 0, "high": 1}}
    assert layer(below, above) == {
        "a": {"x": 1, "y": {"2025-01-01": 0.5}},
        "d": {"dist": "uniform", "low": 0, "high": 1},
    }


def test_a_variant_replaces_the_whole_approval_path(here):
    calm, talks = load_scenario(SHOCK, variant="no_talks"), load_scenario(SHOCK)
    assert calm.interventions["april_2025_licences"].approval == {date(2025, 4, 4): 0.1}
    assert len(talks.interventions["april_2025_licences"].approval) == 4
    assert calm.variant == "no_talks"


def test_inheritance_merges_and_null_takes_out(here):
    write(here, name="base.yaml")
    child = write(
        here,
        "defaults: [base, _self_]\nname: child\nend: 2027-01-01\n"
        "interventions:\n  stop: {share: 0.25}\n"
        "  more: {kind: export_ban, exporter: china, materials: smco}\n",
        "child.yaml",
    )
    scenario = load_scenario(child)
    assert scenario.name == "child"
    assert scenario.end == date(2027, 1, 1)
    assert scenario.start == date(2024, 1, 1)
    assert sorted(scenario.interventions) == ["more", "stop"]
    assert scenario.interventions["stop"].share == 0.25
    grandchild = write(
        here,
        "defaults: [child]\nname: grandchild\ninterventions: {stop: null}\n"
        "overrides: {stockpile: {japan: {days: null}}}\n",
        "grandchild.yaml",
    )
    last = load_scenario(grandchild)
    assert sorted(last.interventions) == ["more"]
    assert last.overrides == {}


def test_inheriting_from_oneself_is_refused(here):
    write(here, "defaults: [b]\nname: a\n", "a.yaml")
    b = write(here, "defaults: [a]\nname: b\n", "b.yaml")
    with pytest.raises(InputError, match="inherits from itself"):
        load_scenario(b)


def test_overlays_are_laid_on_in_order_and_keep_the_name(here):
    one = write(here, "title: one\ninterventions: {stop: {share: 0.4}}\n", "one.yaml")
    two = write(here, "title: two\ninterventions: {stop: {share: 0.6}}\n", "two.yaml")
    scenario = load_scenario(write(here), overlays=[str(one), str(two)])
    assert scenario.interventions["stop"].share == 0.6
    assert scenario.name == "mine"
    assert scenario.overlays == (str(one), str(two))
    swapped = load_scenario(write(here), overlays=[str(two), str(one)])
    assert swapped.interventions["stop"].share == 0.4
    named = load_scenario(SHOCK, overlays=["defence_first"])
    assert named.interventions["overlay_defence_first"].rule == "defence_first"


def test_what_is_typed_wins_over_variant_and_overlay(here):
    overlay = write(here, "interventions: {stop: {share: 0.4}}\n", "o.yaml")
    scenario = load_scenario(
        write(here),
        variant="half",
        overlays=[str(overlay)],
        overrides={"interventions.stop.share": 0.9, "start": "2023-01-01"},
    )
    assert scenario.interventions["stop"].share == 0.9
    assert scenario.start == date(2023, 1, 1)


def test_an_override_may_reach_into_a_path_or_a_distribution(here):
    place = "interventions.april_2025_licences"
    scenario = load_scenario(
        SHOCK,
        overrides={f"{place}.processing_days.mode": 50, f"{place}.approval.2025-06-27": 0.9},
    )
    item = scenario.interventions["april_2025_licences"]
    assert item.processing_days["mode"] == 50
    assert item.approval[date(2025, 6, 27)] == 0.9
    assert item.approval[date(2025, 6, 4)] == 0.25


# ------------------------------------------------------------------------------- overrides


def test_nested_and_dotted_parameters_mean_the_same(here):
    flat = load_scenario(write(here))
    nested = load_scenario(
        write(
            here, MINIMAL.replace("{stockpile.japan.days: 60}", "{stockpile: {japan: {days: 60}}}")
        )
    )
    assert flat.to_dict() == nested.to_dict()
    typed = load_scenario(
        write(here), overrides={"overrides": {"stockpile": {"japan": {"days": 7}}}}
    )
    assert typed.overrides == {"stockpile.japan.days": 7.0}
    dotted = load_scenario(write(here), overrides={"overrides.stockpile.japan.days": 7})
    assert dotted.to_dict() == typed.to_dict()


def test_both_spellings_at_once_are_refused(here):
    both = "{stockpile.japan.days: 60, stockpile: {japan: {days: 50}}}"
    with pytest.raises(InputError, match="both nested and dotted"):
        load_scenario(write(here, MINIMAL.replace("{stockpile.japan.days: 60}", both)))
    assert flatten_overrides({"a.b": 1, "a": {"c": 2}}) == {"a.b": 1, "a.c": 2}


def test_parameters_may_be_uncertain_and_dates(here):
    scenario = load_scenario(
        write(here),
        overrides={
            "overrides.market.contract_share": {"dist": "uniform", "low": 0.5, "high": 0.9},
            "overrides.facility.us_vulcan.start_date": "2029-01-01",
        },
    )
    assert isinstance(scenario.overrides["market.contract_share"], Distribution)
    assert scenario.overrides["facility.us_vulcan.start_date"] == "2029-01-01"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("stockpile.japn.days", 3, "stockpile.japan.days"),
        ("stockpile.japan.days", -3, "below 0"),
        ("stockpile.japan.days", "many", "not a number"),
        ("stockpile.japan.days", float("nan"), "finite"),
        ("facility.us_vulcan.capacity_t_per_year", -1, "below 0"),
        ("facility.us_vulcan.capacity_t_per_year", 1e12, "above 2e\\+06 t per year"),
        ("price.dy_oxide.home_usd_per_kg", 0, "below 0.01 USD/kg"),
        ("facility.us_vulcan.start_date", "soon", "not a date"),
        ("market.contract_share", 75, "above 1"),
        ("market.contract_lag_weeks", -1, "below 1 weeks"),
        ("market.contract_lag_weeks", 0, "below 1 weeks"),
        ("demand.growth_outlook", 99, "above 0.25 share per year"),
        ("demand.growth_outlook", -0.9, "below -0.25 share per year"),
        ("money.lost_output_doublings", 99, "above 5 doublings"),
        ("market.storage_slope", 50, "above 3, the limit"),
        ("market.glut_elasticity", 0, "below 0.025, the limit"),
        ("fear.unfilled", -0.1, "below 0, the limit"),
        ("market.contract_share", {"dist": "uniform", "low": 0.5, "high": 1.5}, "above 1"),
        ("market.contract_share", {"dist": "uniform", "low": 0.5}, "lacks high"),
        (
            "market.lane_response",
            {"dist": "uniform", "low": 6, "high": 10},
            "one number for all worlds",
        ),
        ("market.contract_share", {"dist": "normal", "mean": 0.7, "sd": 5}, "is below 0"),
        ("market.contract_share", {"dist": "normal", "mean": 0.7, "sd": 0.12}, "is above 1"),
    ],
)
def test_wrong_parameters_are_refused(here, name, value, says):
    with pytest.raises(InputError, match=says) as error:
        load_scenario(write(here), overrides={f"overrides.{name}": value})
    assert f"scenario.overrides.{name}" in str(error.value)


# ------------------------------------------------------------------------------- bad files

BAD = {
    "misspelt key of the file": ("question:", "qestion:", r"qestion: unknown key.*'question'"),
    "missing question": ("question: What if?\n", "", "question: is missing"),
    "misspelt key of an intervention": ("exporter: china", "exportr: china", r"exportr: unknown key.*'exporter'"),
    "missing key": ("    exporter: china\n", "", r"stop.exporter: is missing"),
    "unknown kind": ("export_ban", "exprt_ban", r"unknown kind of intervention 'exprt_ban'.*'export_ban'"),
    "missing kind": ("    kind: export_ban\n", "", "lacks its kind"),
    "unknown region": ("china", "chnia", r"unknown place 'chnia'.*'china'"),
    "unknown material": ("dy_oxide", "dy_oxid", r"unknown material 'dy_oxid'.*'dy_oxide'"),
    "unknown source": ("c120", "c12o", r"unknown source 'c12o'"),
    "unknown role": ("exporter: china", "exporter: china\n    role: villain", "role: must be 'disruption' or 'policy'"),
    "end before start": ("end: 2026-01-01", "end: 2023-01-01", "2023-01-01 is not after the start"),
    "no date": ("end: 2026-01-01", "end: next year", "YYYY-MM-DD"),
    "impossible date": ("end: 2026-01-01", "end: 2026-02-30", "YYYY-MM-DD"),
    "intervention ends first": ("start: 2025-01-01", "start: 2025-01-01\n    end: 2024-06-01", "not after the start"),
    "end and duration": (
        "start: 2025-01-01", "start: 2025-01-01\n    end: 2025-06-01\n    duration: 30", "together with end"
    ),
    "announced late": ("start: 2025-01-01", "start: 2025-01-01\n    announced: 2025-02-01", "announced"),
    "share above one": ("start: 2025-01-01", "share: 1.2", "above the highest possible 1"),
    "share below nought": ("start: 2025-01-01", "share: -0.2", "below the lowest possible 0"),
    "share in percent": ("start: 2025-01-01", "share: 50%", "not percent"),
    "uncertain share above one": (
        "start: 2025-01-01", "share: {dist: uniform, low: 0.5, high: 1.5}", "can be 1.5"
    ),
    "probability": ("start: 2025-01-01", "probability: 7", "probability"),
    "unknown trigger": ("start: 2025-01-01", "triggered_by: go", "unknown intervention 'go'"),
    "override": ("stockpile.japan.days", "stockpile.japan.dayz", "stockpile.japan.days"),
    "vintage": ("name: mine", "name: mine\nvintage: 2042", "unknown vintage '2042'"),
    "interventions as a list": (
        MINIMAL[MINIMAL.index("interventions:") : MINIMAL.index("overrides")], "interventions: [a]\n", "mapping by name"
    ),
    "name with spaces": ("name: mine", "name: my own", "is not a name"),
    "verdict": ("name: mine", "name: mine\nhypothesis: {confirmed_if: first_stoppage < soon}", "number was expected"),
    "claim": ("name: mine", "name: mine\nhypothesis: {claims: [c999]}", "unknown claim 'c999'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=[c.replace(" ", "_") for c in BAD])
def test_bad_files_give_one_clear_error(here, case):
    old, new, says = BAD[case]
    assert old in MINIMAL
    path = write(here, MINIMAL.replace(old, new))
    with pytest.raises(InputError, match=says) as error:
        load_scenario(path)
    assert str(path) in str(error.value)


def test_an_error_names_file_line_and_key(here):
    path = write(here, MINIMAL.replace("dy_oxide", "dy_oxid"))
    line = 1 + next(i for i, text in enumerate(path.read_text().splitlines()) if "dy_oxid" in text)
    with pytest.raises(InputError) as error:
        load_scenario(path)
    assert str(error.value).startswith(
        f"{path}:{line}: interventions.stop.materials: unknown material"
    )


def test_several_problems_are_told_at_once(here):
    text = MINIMAL.replace("china", "chnia").replace("dy_oxide", "dy_oxid").replace("2026", "2022")
    with pytest.raises(InputError) as error:
        load_scenario(write(here, text))
    message = str(error.value)
    assert "3 problems" in message
    assert all(word in message for word in ("chnia", "dy_oxid", "2022-01-01"))


@pytest.mark.parametrize(
    ("place", "near"),
    [
        ("strat", "start"),
        ("interventions.stp.share", "stop"),
        ("interventions.stop.shre", "share"),
        ("start.day", "no parts"),
    ],
)
def test_a_mistyped_override_names_the_nearest(here, place, near):
    with pytest.raises(InputError, match=near) as error:
        load_scenario(write(here), overrides={place: 1})
    assert f"scenario.{place.split('.')[0]}" in str(error.value)


def test_unknown_variant_and_overlay(here):
    with pytest.raises(InputError, match=r"unknown variant 'hlaf'.*'half'"):
        load_scenario(write(here), variant="hlaf")
    with pytest.raises(InputError, match=r"unknown overlay 'defence_frist'.*'defence_first'"):
        load_scenario(write(here), overlays=["defence_frist"])


def test_waiting_in_a_circle_is_refused(here):
    text = MINIMAL.replace("start: 2025-01-01", "triggered_by: other").replace(
        "overrides:",
        "  other: {kind: export_ban, exporter: china, materials: smco, triggered_by: stop}\noverrides:",
    )
    with pytest.raises(InputError, match="waits for itself"):
        load_scenario(write(here, text))


# ------------------------------------------------------------------------------- together

#: What does not go together: name -> (entries beside ``stop``, key, what the error says).
TOGETHER = {
    "a truce over nothing": (
        "  pause: {kind: truce, suspends: stpo, start: 2025-02-01}",
        "pause.suspends", "unknown intervention 'stpo'.*Did you mean 'stop'",
    ),
    "a truce that is over before": (
        "  pause: {kind: truce, suspends: stop, start: 2024-02-01, end: 2024-08-01}",
        "pause.suspends", "'stop' is not in force at any time of the truce",
    ),
    "a truce over nature": (
        "  flood: {kind: outage, facilities: mm_kachin}\n"
        "  pause: {kind: truce, suspends: flood}",
        "pause.suspends", "'flood' .outage. cannot be suspended",
    ),
    "a truce that starts what it suspends": (
        "  pause: {kind: truce, suspends: stop, on_breakdown: stop}",
        "pause.on_breakdown", "also suspended",
    ),
    "a truce renewed for ever without an end": (
        "  pause: {kind: truce, suspends: stop, renewal_probability: 0.5}",
        "pause.renewal_probability", "no end at which it could be renewed",
    ),
    "two allocation rules": (
        "  one: {kind: allocation_rule, rule: defence_first}\n"
        "  two: {kind: allocation_rule, rule: pro_rata, exporter: china, start: 2025-01-01}",
        "two.rule", "'two' .pro_rata. and 'one' .defence_first. rule every exporter at the same",
    ),
    "a bloc without a member": (
        "  pure: {kind: certification, bloc: quad, "
        "without: [japan, united_states, australia, india]}",
        "pure.bloc", "no member",
    ),
    "a bloc named by nobody": (
        "  pure: {kind: certification, bloc: []}", "pure.bloc", "empty list",
    ),
    "an alliance of one": (
        "  us: {kind: alliance, members: japan}", "us.members", "one member only",
    ),
    "a path out of order": (
        "  ask: {kind: export_licence, exporter: china, materials: smco, "
        "approval: {2025-06-04: 0.25, 2025-04-04: 0}}",
        "ask.approval", "out of order: 2025-04-04 stands after 2025-06-04",
    ),
    "a project before its permit": (
        "  rush: {kind: capacity_project, facility: us_round_top, start: 2026-01-01}",
        "rush.start", "before its permit",
    ),
    "a project hurried before its permit": (
        "  rush: {kind: capacity_project, facility: us_round_top, delay_days: -1200}",
        "rush.delay_days", "before its permit",
    ),
    "an escalation that nothing takes": (
        "  tax: {kind: tariff, rate: 0.1, escalation: [0.5]}", "tax.escalation", "no condition",
    ),
    "a condition on what is drawn before": (
        "  flood: {kind: outage, facilities: mm_kachin, triggered_by: {hazard_per_year: 1}}",
        "flood.triggered_by", "cannot be started by a condition",
    ),
    "a condition on an unknown licence": (
        "  tax: {kind: tariff, rate: 0.1, triggered_by: {approval_below: 0.5, licence: lic}}",
        "tax.triggered_by.licence", "unknown intervention 'lic'",
    ),
    "a condition on the approval of a ban": (
        "  tax: {kind: tariff, rate: 0.1, triggered_by: {approval_below: 0.5, licence: stop}}",
        "tax.triggered_by.licence",
        "grants no licences",
    ),
    "a condition misspelt": (
        "  tax: {kind: tariff, rate: 0.1, triggered_by: {aproval_below: 0.5}}",
        "tax.triggered_by", "Did you mean 'approval_below'",
    ),
    "a condition in percent": (
        "  tax: {kind: tariff, rate: 0.1, triggered_by: {approval_below: 50}}",
        "tax.triggered_by.approval_below", "between 0 and 1",
    ),
    "a side deal about a ban": (
        "  us: {kind: alliance, members: quad, side_deal: stop}",
        "us.side_deal", "grants no licences",
    ),
    "a price war by somebody else": (
        "  war: {kind: price_war, exporter: japan, cut: 0.3}", "war.exporter", "does not set",
    ),
    "a quota on no plant": (
        "  cap: {kind: production_quota, region: myanmar, stage: magnet, share: 0.5}",
        "cap.region", "no facility",
    ),
    "a price for a plant": (
        "  buy: {kind: offtake, facility: my_lamp, buyer: japan, share: 0.5, price_usd_per_kg: 90}",
        "buy.price_usd_per_kg", "is no mine",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TOGETHER, ids=[c.replace(" ", "_") for c in TOGETHER])
def test_what_does_not_go_together_is_refused_with_the_reason(here, case):
    entries, key, says = TOGETHER[case]
    text = MINIMAL.replace("overrides:", f"{entries}\noverrides:")
    with pytest.raises(InputError, match=says) as error:
        load_scenario(write(here, text))
    assert f"interventions.{key}" in str(error.value)


def test_rules_that_follow_one_another_or_concern_others_are_fine(here):
    text = MINIMAL.replace(
        "overrides:",
        "  one: {kind: allocation_rule, rule: defence_first, end: 2025-01-01}\n"
        "  two: {kind: allocation_rule, rule: highest_bid, start: 2025-01-01, exporter: china}\n"
        "  three: {kind: allocation_rule, rule: pro_rata, start: 2025-01-01, exporter: japan}\n"
        "overrides:",
    )
    assert len(load_scenario(write(here, text)).interventions) == 4


def test_a_rule_of_the_settings_beside_another_in_the_scenario_is_refused(here):
    from lodestone.engine.run import BatchRun

    text = MINIMAL.replace(
        "overrides:", "  one: {kind: allocation_rule, rule: defence_first}\noverrides:"
    )
    scenario, chain = load_scenario(write(here, text)), load_chain()
    with pytest.raises(InputError, match="at the same time"):
        BatchRun(scenario, chain, 0, np.arange(2), allocation="pro_rata")
    BatchRun(scenario, chain, 0, np.arange(2), allocation="defence_first")


def test_what_breaks_a_truce_waits_for_it_and_not_for_itself(here):
    text = MINIMAL.replace(
        "overrides:",
        "  pause: {kind: truce, suspends: stop, on_breakdown: more, triggered_by: more}\n"
        "  more: {kind: export_ban, exporter: china, materials: smco}\noverrides:",
    )
    with pytest.raises(InputError, match="waits for itself"):
        load_scenario(write(here, text))


# ------------------------------------------------------------------------------- writing


def test_to_dict_is_json_and_does_not_depend_on_order_or_place(here):
    first = load_scenario(write(here))
    lines = MINIMAL.strip().splitlines()
    moved = "\n".join(lines[4:] + lines[:4])
    second = load_scenario(write(here, moved, "deep/mine.yaml"))
    assert json.dumps(first.to_dict(), sort_keys=True) == json.dumps(
        second.to_dict(), sort_keys=True
    )
    other = load_scenario(write(here), variant="half")
    assert first.to_dict() != other.to_dict()


@pytest.mark.parametrize("name", sorted(find_scenarios()))
def test_init_writes_a_file_that_gives_the_same_scenario(here, name):
    original = load_scenario(name)
    text = write_scenario(load_mapping(name), load_chain(original.vintage))
    assert "defaults" not in parse_yaml(text).data
    copy = load_scenario(write(here, text, "copy.yaml"))
    assert isinstance(copy, Scenario)
    assert copy.to_dict() == original.to_dict()
    assert copy.variants == original.variants


def test_a_scenario_says_in_its_own_file_where_the_catalogue_shows_it(here):
    from lodestone.cli.catalogue import group_of

    path = write(here, MINIMAL.replace("question:", "group: policy\nquestion:"))
    load_scenario(str(path))
    assert group_of("mine", path) == "policy"
    heir = write(here, "defaults: [mine, _self_]\nname: heir\n", "heir.yaml")
    assert group_of("heir", heir) != "policy", "a group is not inherited"
    path = write(here, MINIMAL.replace("question:", "group: polcy\nquestion:"))
    with pytest.raises(InputError, match="unknown group 'polcy'") as caught:
        load_scenario(str(path))
    assert "policy" in str(caught.value)
