"""One body over every registered kind of intervention: it compiles, runs, conserves, and acts."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from lodestone.interventions import kinds
from lodestone.interventions.effects import Effect
from lodestone.worlds.conditions import (
    FIELDS,
    Chance,
    Conditions,
    Least,
    Most,
    Product,
    Rules,
    Total,
)
from tests.fixtures.worlds import ban, day_after, shared

FROM = 4
EPS = np.finfo(float).eps


def to(trace, region, material="ndfeb_magnets", what="declared"):
    """Tonnes from China to a region after the start."""
    return trace[what][FROM:, trace.links("china", [region] if region else None, material)].sum()


def home(trace, material):
    return trace.home_prices()[FROM:, trace.layout.material_at[material]].mean()


def output(trace, material, region):
    return trace["output"][FROM:, trace.layout.cells.at[(material, region)]].sum()


def use(trace, sector, what="planned"):
    lay = trace.layout
    return trace[what][FROM:, lay.users.sector == lay.sector_at[sector]].sum()


def share_to(trace, origin, region, material="ndfeb_magnets"):
    """Share of what an origin ships abroad that goes to one region."""
    every = trace["declared"][FROM:, trace.links(origin, None, material)].sum()
    return trace["declared"][FROM:, trace.links(origin, [region], material)].sum() / every


#: What stands beside an intervention that acts only on something: a scarcity, a wedge.
WEDGE = {"wedge": ban(2, materials="oxides")}

#: A plant that starts after the end of the run: what moves its date is seen in the date.
LATE_PLANT = {"plant": {
    "kind": "capacity_project", "region": "united_states", "stage": "magnet",
    "material": "ndfeb_standard", "tonnes_per_year": 9000, "start": "2031-01-01",
}}  # fmt: skip
FLOOR = {"floor": {
    "kind": "price_floor", "floor_usd_per_kg": 110, "materials": "ndpr_oxide",
    "facilities": "us_mp_ndpr",
}}  # fmt: skip

#: kind -> (an example, what stands beside it, what it must change, in which direction).
EFFECTS = {
    "alliance": (
        {"members": ["japan", "united_states"], "pooled_weight": 20.0},
        {"outage": {
            "kind": "outage", "region": "japan", "stage": "magnet", "share_lost": 0.8,
            "start": day_after(2),
        }}, lambda t: share_to(t, "japan", "united_states"), +1,
    ),
    "alloy_embargo": (
        {"withheld_by": "all", "target": "china", "materials": ["metals", "concentrates"]},
        {}, lambda t: output(t, "ndpr_oxide", "china"), -1,
    ),
    "certification": (
        {"bloc": "eight_country", "share": 0.5}, {}, lambda t: to(t, "japan"), -1,
    ),
    "end_use_denial": (
        {"exporter": "china", "materials": "magnets"}, {}, lambda t: to(t, None), -1,
    ),
    "enforcement": (
        {"exporter": "china", "detection": 0.8}, WEDGE, lambda t: t["grey"].sum(), -1,
    ),
    "offtake": (
        {"facility": "my_lamp", "buyer": "europe", "share": 0.14},
        WEDGE, lambda t: share_to(t, "malaysia", "europe", "ndpr_oxide"), +1,
    ),
    "ownership": (
        {"facility": "my_lamp", "bloc": "europe"},
        WEDGE, lambda t: share_to(t, "malaysia", "europe", "ndpr_oxide"), +1,
    ),
    "price_war": (
        {"exporter": "china", "cut": 0.4}, {}, lambda t: home(t, "ndpr_oxide"), -1,
    ),
    "production_quota": (
        {"region": "china", "stage": "magnet", "share": 0.8},
        {}, lambda t: output(t, "ndfeb_standard", "china"), -1,
    ),
    "supply_pivot": (
        {"origin": "australia", "destination": "china", "share": 1.0},
        {}, lambda t: output(t, "ndpr_oxide", "malaysia"), -1,
    ),
    "truce": (
        {"suspends": "cut"}, {"cut": ban(2)}, lambda t: to(t, None), +1,
    ),
    "allocation_rule": (
        {"rule": "defence_first"}, {"outage": {
            "kind": "outage", "region": "china", "stage": "magnet", "share_lost": 0.8,
            "start": day_after(2),
        }}, lambda t: defence_share(t), +1,
    ),
    "bio_extraction": (
        {"region": "brazil", "tonnes_per_year": 3000, "ramp_months": 1},
        {}, lambda t: output(t, "ndpr_oxide", "brazil") if ("ndpr_oxide", "brazil")
        in t.layout.cells.at else 0.0, +1,
    ),
    "capacity_project": (
        {"region": "united_states", "stage": "magnet", "material": "ndfeb_standard",
         "tonnes_per_year": 9000, "ramp_months": 1, "start": day_after(FROM)},
        {}, lambda t: output(t, "ndfeb_standard", "united_states"), +1,
    ),
    "capital_support": (
        {"facilities": "us_vulcan", "public_usd_million": 670}, {}, lambda t: spent(t), +1,
    ),
    "cost_shift": (
        {"region": "china", "stage": "magnet", "factor": 1.5}, {}, lambda t: ask(t, "europe"), +1,
    ),
    "demand_growth": (
        {"sectors": "humanoid_robots", "kg_per_unit": 3,
         "units_in_use": {"2024-01-01": 0, "2025-01-01": 100_000}},
        {}, lambda t: use(t, "humanoid_robots"), +1,
    ),
    "demand_shock": ({"sectors": "ev_traction", "factor": 1.5}, {}, lambda t: use(t, "ev_traction"), +1),
    "export_ban": (
        {"exporter": "china", "materials": "ndfeb_magnets", "destinations": "europe"},
        {}, lambda t: to(t, "europe"), -1,
    ),
    "export_licence": (
        {"exporter": "china", "materials": "ndfeb_magnets", "approval": 0.3},
        {}, lambda t: to(t, None), -1,
    ),
    "export_quota": (
        {"exporter": "china", "materials": "oxides", "tonnes": {"2024": 9000}},
        {}, lambda t: to(t, None, "oxides"), -1,
    ),
    "grey_channel": (
        {"exporter": "china", "hubs": ["vietnam"], "materials": "oxides", "opening_days": 0,
         "ceiling_share": 1.0, "detection": 0.9},
        WEDGE, lambda t: t["grey"].sum(), -1,  # detection; the ceiling is tested in tests/laws
    ),
    "mining_ban": ({"region": "myanmar"}, {}, lambda t: home(t, "dy_oxide"), +1),
    "outage": (
        {"region": "china", "stage": "separation", "share_lost": 0.7},
        {}, lambda t: output(t, "ndpr_oxide", "china"), -1,
    ),
    "permitting": ({"regions": "all", "factor": 1.5}, LATE_PLANT, lambda t: started(t), +1),
    "price_floor": (
        {"floor_usd_per_kg": 110, "materials": "ndpr_oxide", "facilities": "us_mp_ndpr"},
        {}, lambda t: floors(t), +1,
    ),
    "processing_requirement": (
        {"region": ["united_states", "myanmar"]}, {}, lambda t: home(t, "dy_oxide"), +1,
    ),
    "recycling": (
        {"region": "united_states", "collection": 0.5, "ramp_months": 0},
        {}, lambda t: output(t, "ndpr_oxide", "united_states"), +1,
    ),
    "route_closure": (
        {"origin": "china", "destination": "europe"}, {}, lambda t: to(t, "europe", what="landed"), -1,
    ),
    "separation_learning": (
        {"region": "malaysia", "rate_per_doubling": 0.5, "experience_years": 0.2},
        {}, lambda t: ask(t, "japan", "ndpr_oxide"), -1,
    ),
    "stockpile": (
        {"holder": "japan", "materials": "dy_oxide", "target_days": 365, "fill_days": 90,
         "release_rule": "never"},
        {}, lambda t: home(t, "dy_oxide"), +1,
    ),
    "substitution": (
        {"design": "rare_earth_free", "sectors": "ev_traction", "years_to_half": 0.3},
        {}, lambda t: use(t, "ev_traction", "wanted"), -1,
    ),
    "support_withdrawal": ({"supports": "floor"}, FLOOR, lambda t: floors(t), -1),
    "tariff": (
        {"rate": 1.0, "exporter": "china", "importer": "europe"},
        {}, lambda t: ask(t, "europe"), +1,
    ),
    "technology_ban": ({"exporter": "china"}, LATE_PLANT, lambda t: started(t), +1),
}  # fmt: skip


def ask(trace, region, material="ndfeb_standard"):
    cell = trace.layout.cells.at[(material, region)]
    return trace["log_ask"][FROM:, cell].mean()


def defence_share(trace):
    """Share of what defence wanted that it got."""
    lay = trace.layout
    rows = lay.users.magnet & (lay.users.sector == lay.sector_at["defence_and_aerospace"])
    return trace["to_users"][FROM:, rows].sum() / trace["wanted"][FROM:, rows].sum()


def started(trace):
    """Day on which the late plant comes on line."""
    return trace.run.day.online[trace.layout.plants.at["added_plant"]].mean()


def spent(trace):
    """Public money of an intervention over the run, USD million."""
    effects = [e for e in trace.run.effects if e.name == "it"]
    parts = [e.spending(t, t + 7.0) for e in effects for t in trace.days]
    return sum(float(part[1].sum()) for part in parts if part is not None)


def floors(trace):
    """Public outlay on the last market day, USD million."""
    run = trace.run
    return sum(float(e.outlay(run.day, a, run.calendar.now).sum()) for e, a in run.rules.floors)


def run(kind, more=True):
    item, beside, _, _ = EFFECTS[kind]
    given = dict(beside)
    if more:
        given["it"] = {"kind": kind, "start": day_after(FROM), **item}
    return shared(given, worlds=2, weeks=30)


def test_every_kind_has_an_effect_here():
    assert set(EFFECTS) == set(kinds()), "add an example, and what it must change, for a new kind"


@pytest.mark.parametrize("kind", sorted(EFFECTS))
def test_a_kind_compiles_runs_and_conserves(kind):
    trace = run(kind)
    effect = next(e for e in trace.run.effects if e.name == "it")
    assert isinstance(effect, Effect) and effect.kind == kind
    assert effect.start.shape == effect.end.shape == (2,)
    assert trace.run.day.ledger.worst <= 100 * EPS
    assert len(trace.days) == 30
    for name in ("log_home", "log_ask", "used", "orders", "declared"):
        assert np.isfinite(trace[name]).all(), name


@pytest.mark.parametrize("kind", sorted(EFFECTS))
def test_a_kind_changes_what_it_should(kind):
    _, _, measure, direction = EFFECTS[kind]
    before, after = measure(run(kind, more=False)), measure(run(kind))
    assert direction * (after - before) > 1e-3 * max(abs(before), abs(after)), (before, after)


@pytest.mark.parametrize("kind", sorted(EFFECTS))
def test_a_kind_says_when_and_for_whom(kind):
    effect = next(e for e in run(kind).run.effects if e.name == "it")
    assert np.all(effect.start == 7.0 * FROM)
    assert effect.where


# ---- the fold ---------------------------------------------------------------------------


#: What the rules hold beside arrays.
LISTS = {"licences", "stockpiles", "floors", "pivots", "contracts", "recycling"}
#: Verb of each way to combine, two values, and what they give on a whole row and on two halves.
VERBS = {
    Product: ("multiply", 0.2 * 0.5),
    Least: ("lower_to", 0.2),
    Most: ("raise_to", 0.5),
    Total: ("add", 0.7),
    Chance: ("catch", 0.6),
}


@pytest.fixture(scope="module")
def market():
    return shared({}, worlds=2, weeks=4).run.day


def test_every_rule_is_declared_once_and_read_under_the_same_name():
    assert {f.name for f in fields(Conditions)} - LISTS == set(FIELDS)
    for name, rule in FIELDS.items():
        assert rule.doc and rule.held in VERBS, name


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_rule_offers_its_own_verb_only_and_combines_in_any_order(name, market):
    rule = FIELDS[name]
    verb, expected = VERBS[rule.held]
    said = (1.2, 1.5) if rule.neutral == 1.0 and rule.held is Most else (0.2, 0.5)
    if said[1] == 1.5:
        expected = 1.5
    for order in (said, said[::-1]):
        rules = Rules(market, 2)
        held = getattr(rules, name)
        others = {other for other, _ in VERBS.values()} - {verb}
        assert hasattr(held, verb) and not any(hasattr(held, other) for other in others)
        for value in order:
            getattr(held, verb)(np.array([0, 2]), np.full(2, value))
        value = getattr(rules.sealed(), name)
        assert np.allclose(value[[0, 2]], expected)
        assert np.allclose(value[1], rule.neutral)


def test_rules_that_nobody_touches_are_none(market):
    sealed = Rules(market, 2).sealed()
    assert all(getattr(sealed, name) is None for name in FIELDS)
    assert all(getattr(sealed, name) == [] for name in LISTS)
