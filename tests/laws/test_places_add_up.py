"""A country inside a region means its share, in every kind; parts listed apart are the whole."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.chain import naming
from lodestone.chain.load import load_chain
from lodestone.interventions import build, kinds
from tests.fixtures.worlds import day_after, shared, simulate

REST = ["united_kingdom", "norway", "switzerland", "turkey", "greenland", "ukraine"]
START = day_after(2)
WORLDS, WEEKS = 2, 12

#: kind -> (entry, key of the place, what it is a measure on): Europe whole, and in parts.
WHOLE = {
    "export_ban": ({"exporter": "china", "materials": "magnets"}, "destinations"),
    "route_closure": ({"origin": "china"}, "destination"),
    "tariff": ({"exporter": "china", "rate": 0.4}, "importer"),
    "export_licence": ({"exporter": "china", "materials": "magnets", "approval": 0.3}, "destinations"),
    "end_use_denial": ({"exporter": "china", "materials": "magnets"}, "destinations"),
    "demand_shock": ({"sectors": "all", "factor": 1.5}, "regions"),
    "demand_growth": ({"sectors": "all", "multiple": {"2024-01-01": 1, "2024-06-01": 2}}, "regions"),
    "substitution": ({"design": "rare_earth_free", "years_to_half": 0.3}, "regions"),
    "stockpile": ({"materials": "ndfeb_magnets", "target_days": 60, "fill_days": 60}, "holder"),
    "outage": ({"stage": "magnet", "share_lost": 0.7}, "region"),
    "production_quota": ({"stage": "magnet", "share": 0.5}, "region"),
    "cost_shift": ({"stage": "magnet", "factor": 1.5}, "region"),
    "separation_learning": ({"stage": "magnet", "rate_per_doubling": 0.4, "experience_years": 0.2}, "region"),
    "price_floor": ({"materials": "ndfeb_standard", "floor_usd_per_kg": 400}, "region"),
    "export_quota": ({"materials": "magnets", "tonnes": {"2024": 40}}, "exporter"),
    "enforcement": ({"materials": "all", "deposit_share": 1.5}, "exporter"),
    "alloy_embargo": (
        {"target": ["united_states", "china", "japan", "india", "brazil"], "materials": "all"},
        "withheld_by",
    ),
    "certification": ({"excluded": "china"}, "bloc"),
}  # fmt: skip
#: The same with Europe at the other end: whose goods they are.
FROM_EUROPE = {
    "export_ban": ({"materials": "all"}, "exporter"),
    "route_closure": ({}, "origin"),
    "tariff": ({"importer": "all", "rate": 0.4}, "exporter"),
    "export_licence": ({"materials": "all", "approval": 0.3}, "exporter"),
}
#: Keys under which a place is meant by what it makes.
MAKERS = ("region", "exporter", "origin", "withheld_by")
CASES = [(kind, *case) for kind, case in WHOLE.items()]
CASES += [(kind, *case) for kind, case in FROM_EUROPE.items()]
IDS = [f"{kind}-{key}" for kind, _, key in CASES]
#: Flows and prices on which a measure is seen.
SEEN = ("declared", "landed", "wanted", "output", "log_ask", "public_stock", "ree_free")


@pytest.fixture(scope="module")
def chain():
    return load_chain()


def run(kind, entry, key, *parts):
    """One intervention for each list of places."""
    given = {
        f"part_{n}": {"kind": kind, "start": START, **entry, key: part}
        for n, part in enumerate(parts)
    }
    return shared(given, worlds=WORLDS, weeks=WEEKS)


def moved(one, other):
    """How far two runs lie apart, summed over what is seen."""
    return sum(float(np.abs(one[name] - other[name]).sum()) for name in SEEN)


@pytest.mark.parametrize(("kind", "entry", "key"), CASES, ids=IDS)
def test_listing_the_parts_of_a_region_in_one_measure_is_listing_the_region(
    kind, entry, key, chain
):
    if key == "holder":
        pytest.skip("a reserve has one holder")
    one = build("x", {"kind": kind, "start": START, **entry, key: ["eu", *REST]})
    whole = build("x", {"kind": kind, "start": START, **entry, key: ["europe"]})
    assert one.problems(chain) == whole.problems(chain) == []
    words = [getattr(item, key) for item in (one, whole)]
    assert naming.places(chain, words[0]).countries == naming.places(chain, words[1]).countries


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "entry", "key"), CASES, ids=IDS)
def test_two_measures_on_the_parts_of_a_region_are_one_on_the_region(kind, entry, key, chain):
    if kind in ("export_quota", "production_quota", "separation_learning", "price_floor"):
        pytest.skip("two caps in tonnes, two pools of experience or two programmes are not one")
    free = shared({}, worlds=WORLDS, weeks=WEEKS)
    whole = run(kind, entry, key, "europe")
    parts = ["eu", REST]
    if key == "holder":
        parts = ["eu", *REST[:4]]
    elif key in MAKERS:
        others = naming.places(chain, "europe") - naming.places(chain, "germany")
        parts = ["germany", sorted(others.countries)]
    apart = run(kind, entry, key, *parts)
    assert moved(whole, free) > 1e-6
    assert moved(apart, whole) < 0.02 * moved(whole, free), (
        moved(apart, whole),
        moved(whole, free),
    )


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "entry", "key"), CASES, ids=IDS)
def test_a_country_moves_less_than_its_region_and_something_or_says_that_it_is_nil(
    kind, entry, key, chain
):
    free = shared({}, worlds=WORLDS, weeks=WEEKS)
    whole = run(kind, entry, key, "europe")
    if kind == "export_quota":
        entry = {**entry, "tonnes": {"2024": 5}}
    if kind == "price_floor":
        pytest.skip("a floor on makers moves public money only")
    country = "estonia" if key in MAKERS[1:] and kind != "export_quota" else "germany"
    part = build("x", {"kind": kind, "start": START, **entry, key: country})
    assert part.problems(chain) == []
    assert (
        any(f"only {country} in europe" in told for told in part.remarks(chain)) or key == "holder"
    )
    small = run(kind, entry, key, country)
    assert moved(small, free) > 1e-9
    if kind != "export_quota":
        assert moved(small, free) <= moved(whole, free) * (1 + 1e-9)


@pytest.mark.parametrize(("kind", "entry", "key"), CASES, ids=IDS)
def test_a_country_without_any_part_in_it_is_refused_or_told(kind, entry, key, chain):
    """Malta makes no magnets; Greenland uses none."""
    makes = key in MAKERS
    item = build(
        "x", {"kind": kind, "start": START, **entry, key: "malta" if makes else "greenland"}
    )
    from datetime import date

    told = item.problems(chain) or item.inert(chain, date(2024, 1, 1), date(2025, 1, 1))
    assert told, (kind, key)


def test_an_outage_in_malta_stops_nobody_and_one_in_germany_stops_germany(chain):
    given = {"kind": "outage", "stage": "magnet", "region": "malta"}
    (problem,) = build("x", given).problems(chain)
    assert "no facility of stage magnet in malta" in problem.message
    trace = simulate({"it": {**given, "region": "germany", "start": START}}, worlds=2, weeks=8)
    lay = trace.layout
    down = [
        f.name
        for i, f in enumerate(lay.plants.rows)
        if trace.run.rules.facility_available[i, 0] < 1.0
    ]
    assert set(down) <= {"de_vac_hanau", "de_gkn", "eu_smco"} and "de_vac_hanau" in down


def test_every_kind_that_names_places_stands_here_or_says_why():
    named = {
        kind
        for kind, cls in kinds().items()
        for info in cls.model_fields.values()
        if isinstance(info.json_schema_extra, dict)
        and info.json_schema_extra.get("names") in ("place", "holder")
    }
    elsewhere = {
        "alliance", "allocation_rule",  # weights of links by part: contract tests
        "capacity_project", "price_war", "processing_requirement", "supply_pivot",  # ore: below
        "capital_support", "mining_ban", "permitting", "technology_ban",  # plants by where they lie
        "offtake", "ownership",  # buyers of one plant
        "grey_channel",
    }  # fmt: skip
    assert named <= set(WHOLE) | elsewhere
