"""Keys that are read only under another key's value: refused where nothing reads them."""

from __future__ import annotations

from datetime import date

import pytest

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.interventions import build, kinds
from lodestone.interventions.fields import declared
from lodestone.scenario import build_scenario
from lodestone.scenario.remarks import idle_remarks, remarks_on

RESERVE = {"kind": "stockpile", "holder": "japan", "materials": "magnets", "target_days": 30}
LICENCE = {"kind": "export_licence", "exporter": "china", "materials": "magnets"}
PLANT = {"kind": "capacity_project", "facility": "us_vulcan"}
SHIFT = {"kind": "cost_shift", "region": "united_states", "stage": "magnet", "factor": 1.5}


@pytest.fixture(scope="module")
def chain():
    return load_chain()


def problems(chain, **given):
    return build("x", given, "file.yaml").problems(chain)


@pytest.mark.parametrize(
    ("given", "key", "needs"),
    [
        ({**RESERVE, "release_price_multiple": 1.5}, "release_price_multiple", "release_rule: price"),
        ({**RESERVE, "release_rule": "never", "draw": ["defence"]}, "draw", "emergency or price"),
        ({"kind": "tariff", "rate": 0.1, "step_days": 10}, "step_days", "escalation"),
        ({**LICENCE, "renewal_probability": 0.5}, "renewal_probability", "valid_days"),
        ({**LICENCE, "valid_days": 90}, "valid_days", "renewal_probability"),
        ({**LICENCE, "refused_for_good": 0.1}, "refused_for_good", "approval"),
        ({**LICENCE, "revocation_hazard_per_year": 1}, "revocation_hazard_per_year", "general_licences"),
        ({**PLANT, "cancelled": True, "ramp_months": 6}, "ramp_months", "cancelled: false"),
        ({**SHIFT, "base": "capex", "pass_through": 0.5}, "pass_through", "base: opex, price or off"),
        ({**SHIFT, "capex_sensitivity": 2}, "capex_sensitivity", "base: capex"),
        ({"kind": "outage", "facilities": "mm_kachin", "outage_days": 9}, "outage_days", "rate_per_year"),
        (
            {"kind": "enforcement", "exporter": "china", "detection": 0.5, "deposit_days": 9},
            "deposit_days", "deposit_share",
        ),
        (
            {"kind": "offtake", "facility": "us_mountain_pass", "buyer": "japan", "share": 0.5,
             "price_material": "dy_oxide"},
            "price_material", "price_usd_per_kg",
        ),
        (
            {"kind": "alliance", "members": "quad", "loyal": "japan"},
            "loyal", "defection_hazard_per_year",
        ),
    ],
)  # fmt: skip
def test_a_key_that_nothing_reads_is_refused_and_says_what_it_needs(chain, given, key, needs):
    (problem,) = problems(chain, **given)
    assert problem.key == key
    assert "does nothing" in problem.message and needs in problem.message
    assert needs in problem.hint and f"leave {key} out" in problem.hint


def test_it_is_read_where_the_other_key_has_its_value(chain):
    assert problems(chain, **RESERVE, release_rule="price", release_price_multiple=1.5) == []
    assert problems(chain, **RESERVE, release_rule="price", draw=["defence"]) == []
    assert problems(chain, **LICENCE, valid_days=90, renewal_probability=0.5) == []
    assert problems(chain, **SHIFT, base="off", capex_sensitivity=2) == []


def test_a_default_that_is_written_out_is_no_mistake(chain):
    assert problems(chain, **RESERVE, release_price_multiple=2, draw="all") == []


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_condition_names_keys_and_values_that_there_are(kind):
    fields = kinds()[kind].model_fields
    for key, told in declared(kinds()[kind]).items():
        for one in told.when:
            assert set(one) <= set(fields) - {key}
            for other, values in one.items():
                options = getattr(fields[other].annotation, "__args__", ()) or (True, False)
                assert set(values) <= set(options), (key, other)
        assert not told.when or "; only with " in fields[key].description


# ------------------------------------------------------------------------------- in a scenario


def mapping(**entries):
    return {
        "name": "mine",
        "question": "Why?",
        "start": "2024-01-01",
        "end": "2026-01-01",
        "interventions": entries,
    }


PRICED = {**RESERVE, "release_rule": "price", "release_price_multiple": 1.5}


def test_a_variant_that_leaves_a_key_without_effect_is_told_and_not_refused(chain):
    given = mapping(stock=PRICED)
    given["variants"] = {"shut": {"interventions": {"stock": {"release_rule": "never"}}}}
    told = idle_remarks(build_scenario(given, variant="shut", chain=chain), chain)
    assert [t.partition(" does")[0] for t in told] == ["stock: release_price_multiple"]
    assert idle_remarks(build_scenario(given, chain=chain), chain) == []


def test_so_is_a_word_that_is_typed_but_not_two_that_contradict(chain):
    given, rule = mapping(stock=PRICED), "interventions.stock.release_rule"
    made = build_scenario(given, overrides={rule: "emergency"}, chain=chain)
    assert "release_price_multiple does nothing" in idle_remarks(made, chain)[0]
    typed = {rule: "emergency", "interventions.stock.release_price_multiple": 3}
    build_scenario(given, overrides=typed, chain=chain)  # the file has it in use
    with pytest.raises(InputError, match="does nothing with release_rule: emergency"):
        build_scenario(mapping(stock=RESERVE), overrides=typed, chain=chain)


def test_what_is_kept_of_a_run_can_be_read_again(chain):
    given = mapping(stock=PRICED)
    rule = {"interventions.stock.release_rule": "never"}
    made = build_scenario(given, overrides=rule, chain=chain)
    written = made.to_dict()["interventions"]["stock"]
    assert written["release_price_multiple"] == 2.0
    assert build("stock", written).problems(chain) == []


def test_a_number_that_is_swept_down_to_nought_leaves_the_others_in_place(chain):
    hunt = {"kind": "enforcement", "exporter": "china", "deposit_share": 0, "deposit_days": 30}
    made = build_scenario(mapping(hunt=hunt), chain=chain)
    assert any("deposit_days does nothing" in t for t in idle_remarks(made, chain))


# ------------------------------------------------------------------------------- what never acts


def closure(**more):
    return {"kind": "route_closure", "origin": "myanmar", "destination": "japan", **more}


def test_a_lane_that_carries_nothing_is_told(chain):
    ore = build("shut", closure(materials="concentrates"))
    why = ore.inert(chain, date(2024, 1, 1), date(2026, 1, 1))
    assert (
        why == "no lane takes concentrates from myanmar to japan before the run ends on 2026-01-01"
    )
    assert ore.inert(chain, date(2024, 1, 1), date(2032, 1, 1)) is None  # separators are planned
    korea = build("shut", closure(destination="south_korea", materials="concentrates"))
    assert "no lane takes" in korea.inert(chain, date(2024, 1, 1), date(2032, 1, 1))
    china = build("shut", closure(destination="china", materials="concentrates"))
    assert china.inert(chain, date(2024, 1, 1), date(2026, 1, 1)) is None


def test_plants_that_a_measure_brings_forward_are_counted(chain):
    sooner = {"kind": "permitting", "regions": "japan", "factor": 0.5}
    given = mapping(shut=closure(materials="concentrates"), sooner=sooner)
    assert idle_remarks(build_scenario(given, chain=chain), chain) == []


def test_a_lane_that_is_called_empty_is_none_of_the_model(chain):
    from types import SimpleNamespace

    from lodestone.chain.balance import balance
    from lodestone.interventions.targets import trade
    from lodestone.worlds.layout import Layout

    lay = Layout.of(chain, balance(chain), chain.vintage.start)
    cells = lay.cells.keys
    lanes = {(cells[o][0], cells[o][1], cells[d][1]) for o, d in lay.links.keys}
    ore = zip(lay.ore.pool, lay.ore.region_from, lay.ore.region_to, strict=True)
    lanes |= {(lay.ore.pools[p][0], lay.regions[a], lay.regions[b]) for p, a, b in ore}
    names = trade("o", "d", "m")
    for good, a, b in lanes:
        if a != b:
            why = names.empty(SimpleNamespace(o=(a,), d=(b,), m=(good,)), chain)
            assert "no lane" not in why, (good, a, b)


def test_ore_in_bond_is_no_matter_of_magnets(chain):
    (problem,) = problems(
        chain, kind="route_closure", origin="china", destination="japan", materials="magnets",
        bonded_clears=True,
    )  # fmt: skip
    assert problem.key == "bonded_clears"


def test_a_reserve_above_its_target_says_when_it_buys(chain):
    given = mapping(stock={**RESERVE, "opening_days": 60})
    told = remarks_on(build_scenario(given, chain=chain), chain)
    assert any("opens above its target" in t for t in told)
    never = {**RESERVE, "opening_days": 60, "release_rule": "never"}
    told = remarks_on(build_scenario(mapping(stock=never), chain=chain), chain)
    assert any("never acts: it holds its target" in t for t in told)


def test_a_gain_without_a_rate_or_a_threshold_is_refused(chain):
    tax = {"kind": "tariff", "rate": 0.1}
    for trigger in ({"approval_below": 0.5, "gain": 3}, {"hazard_per_year": 0.2, "gain": 3}):
        (problem,) = problems(chain, **tax, triggered_by=trigger)
        assert problem.key == "triggered_by.gain"


# ------------------------------------------------------------------------------- price floors


def floor(**more):
    return {"kind": "price_floor", "region": "united_states", **more}


@pytest.mark.parametrize(
    "more",
    [
        {"materials": "la_oxide", "floor_usd_per_kg": 2},
        {"by_element": {"la": 2, "tb": 2050}},
        {"materials": "ndpr_oxide", "floor_usd_per_kg": 110},
    ],
)
def test_a_floor_is_held_against_the_price_of_its_own_good(chain, more):
    assert problems(chain, **floor(**more)) == []


def test_each_element_has_limits_of_its_own(chain):
    (problem,) = problems(chain, **floor(by_element={"la": 2, "tb": 2}))
    assert problem.key == "by_element.tb" and "implausibly low" in problem.message
    (problem,) = problems(chain, **floor(by_element={"la": 2000, "tb": 2050}))
    assert problem.key == "by_element.la" and "did you mean 2 USD/kg" in problem.hint
