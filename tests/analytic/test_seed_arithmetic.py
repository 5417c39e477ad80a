"""The arithmetic of the press claims, done with the register and the product's own functions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.border.units import to_canonical, usd_million
from lodestone.chain.facts import find_fact
from lodestone.chain.load import load_chain
from lodestone.interventions import build
from lodestone.interventions.capacity_project import CapacityProject
from lodestone.interventions.price_floor import PriceFloor, floor_payment
from lodestone.outputs.claims import OUTSIDE, against_data, claimed

YUAN_PER_USD, VAT = 7.17, 1.13
CARS_A_DAY, KG_A_CAR = 1000, (0.5, 2.0)


@pytest.fixture(scope="module")
def chain():
    return load_chain("2024")


@pytest.fixture(scope="module")
def said(chain):
    """The number of a claim, in its own unit."""
    return {name: item.value for name, item in chain.claims.items()}


def paid(price: float, tonnes: float, floor: float) -> float:
    return float(floor_payment(np.array(price), np.array(floor), np.array(tonnes)))


# ---- the floor and the prices beside it -------------------------------------------------


def test_a_floor_of_2_3_times_the_market_means_48_dollars_and_pays_62(said):
    market = said["c012"] / said["c173"]
    assert market == pytest.approx(47.8, abs=0.05)
    assert paid(market, 1000.0, said["c012"]) == pytest.approx(62.2, abs=0.05)


def test_the_price_in_yuan_lies_above_the_floor_so_that_nothing_is_paid(said):
    price = to_canonical(said["c084"] / YUAN_PER_USD, "USD/t", "price")
    assert price == pytest.approx(137, abs=0.5)
    assert price / VAT == pytest.approx(121, abs=0.5)
    for shown in (price, price / VAT):
        assert paid(shown, 2600.0, said["c012"]) == 0.0
    assert price / (said["c012"] / said["c173"]) == pytest.approx(2.9, abs=0.05)


def test_the_register_converts_yuan_a_tonne_without_vat(chain):
    low, high = claimed(chain.claims["c084"])
    assert low == pytest.approx(980_000 / YUAN_PER_USD / VAT / 1000, rel=1e-3)
    assert math.isinf(high)


@pytest.mark.parametrize(
    ("tonnes", "million"), [(2600, (162, 122, 99, 73)), (6000, (373, 282, 228, 168))]
)
def test_a_year_of_the_floor_costs(tonnes, million, said):
    for price, expected in zip((47.8, 63, 72, 82), million, strict=True):
        assert paid(price, tonnes, said["c012"]) == pytest.approx(expected, abs=0.6)


def test_110_dollars_a_tonne_are_11_cents_that_never_bind_and_are_refused(chain, said):
    floor = to_canonical(said["c172"], "USD/t", "price")
    assert floor == pytest.approx(0.11)
    lowest = min(price.usd_per_kg for price in chain.prices.values())
    assert floor < lowest
    assert paid(lowest, 1e6, floor) == 0.0
    with pytest.raises(InputError, match="price"):
        to_canonical(said["c172"], "t", "price")
    item = build(
        "floor",
        {
            "kind": "price_floor", "floor_usd_per_kg": floor, "materials": "ndpr_oxide",
            "facilities": "us_mp_ndpr", "start": "2025-10-01",
        },
    )  # fmt: skip
    assert isinstance(item, PriceFloor)
    (problem,) = item.problems(chain)
    assert "implausibly low (110 USD per tonne)" in problem.message
    assert "110 USD/kg" in problem.hint
    assert against_data(chain.claims["c172"], chain)["verdict"] == OUTSIDE


# ---- trade ------------------------------------------------------------------------------


def test_reliance_times_the_chinese_share_is_two_thirds_of_american_needs(chain):
    needs = claimed(chain.claims["c063"])
    share = chain.claims["c064"].value * chain.claims["c064"].factor
    assert [share * x for x in needs] == pytest.approx([0.67, 0.71], abs=0.005)
    # Read as a share of needs, China would supply more than all imports at the lower end.
    of_imports = sorted(share / x for x in needs)
    assert of_imports == pytest.approx([0.985, 1.046], abs=0.002)
    assert of_imports[1] > 1.0


def test_by_its_own_numbers_the_eu_buys_six_times_as_many_alloys_from_china(chain, said):
    elements = said["c139"] * said["c140"] / 100
    alloys = said["c141"] * said["c142"] / 100
    assert elements == pytest.approx(5e6, rel=0.01)
    assert alloys == pytest.approx(30e6)
    assert alloys / elements == pytest.approx(6.0, abs=0.01)


def test_american_and_european_purchases_explain_7_per_cent_of_chinese_exports(said):
    known = said["c143"] / 100 * said["c144"] + said["c139"] * said["c140"] / 100
    assert known / said["c147"] == pytest.approx(0.069, abs=0.0005)


def test_the_detour_is_a_sevenfold_jump_of_antimony(chain, said):
    a_month = said["c079"] / 5
    before = said["c079"] / 36
    assert a_month == pytest.approx(said["c081"], abs=1)
    assert before == pytest.approx(107, abs=0.6)
    assert a_month / before == pytest.approx(7.2)
    assert said["c079"] / 3 == said["c080"]
    assert said["c079"] - said["c095"] == 3366
    assert "antimony" not in chain.elements
    assert not [m for m in chain.materials if "antimony" in m or m.startswith("sb_")]


# ---- lost output, resources, robots -----------------------------------------------------


def test_a_day_at_one_plant_means_11000_to_44000_dollars_a_kilogram(chain, said):
    a_car = said["c083"] / CARS_A_DAY
    assert a_car == 22_000
    per_kg = [a_car / kg for kg in reversed(KG_A_CAR)]
    assert per_kg == [11_000, 44_000]
    for name in ("ev_traction", "other_automotive"):
        sector = chain.sectors[name]
        assert [sector.lost_output_low, sector.lost_output_high] == per_kg
        assert sector.lost_output_low <= sector.lost_output_usd_per_kg <= sector.lost_output_high
    magnets = (60.0, 100.0)
    assert per_kg[0] / magnets[1] == pytest.approx(110)
    assert per_kg[1] / magnets[0] == pytest.approx(733, abs=1)


def test_brook_is_mined_out_after_1500_years(chain, said):
    short_ton = 0.9072
    planned = 1242 * short_ton
    assert chain.facilities["us_brook"].capacity_t_per_year == pytest.approx(planned, rel=0.001)
    assert planned / said["c058"] == pytest.approx(0.0007, abs=0.00005)
    assert said["c058"] / planned == pytest.approx(1509, abs=1)
    largest = max(f.capacity_t_per_year for f in chain.facilities.values() if f.stage == "mine")
    assert said["c058"] > largest, "a resource is not the capacity of a mine"


@pytest.mark.parametrize(("oxide", "magnets", "cars"), [(100, 210, 140_000), (30, 64, 43_000)])
def test_a_hundred_tonnes_of_recycled_oxide_are_cars_but_no_market(oxide, magnets, cars, chain):
    element = oxide * chain.elements["ndpr"].element_per_oxide
    made = element / 0.30 * 0.75
    assert made == pytest.approx(magnets, rel=0.02)
    assert made * 1000 / 1.5 == pytest.approx(cars, rel=0.02)
    share = find_fact("share_of_world")(chain, facility="us_koreazinc_alta")
    assert share[2] < 0.0011


def test_a_billion_robots_are_a_fraction_of_800_billion_dollars(said):
    tonnes = 1e9 * 0.9 / 1000
    assert tonnes == 0.9e6
    assert usd_million(tonnes, 110) / 1000 == pytest.approx(99)
    assert usd_million(tonnes, 209) / 1000 == pytest.approx(188, abs=0.5)
    assert said["c130"] / 1e9 > 4 * usd_million(tonnes, 209) / 1000


def test_capital_and_the_environment_together_are_4_5_to_7_5_fold(chain):
    low, high = claimed(chain.claims["c177"])
    more = 1 + chain.claims["c178"].value / 100
    assert [low * more, high * more] == [4.5, 7.5]
    row = next(r for r in chain.costs if r.item == "capex_multiple")
    assert [row.low, row.high] == [low, high]


def test_tenfold_in_fifteen_years_is_16_6_per_cent_a_year(said):
    assert said["c118"] ** (1 / 15) - 1 == pytest.approx(0.166, abs=0.0005)


def test_four_times_the_patents_are_four_fifths_of_five_countries(chain):
    item = chain.claims["c107"]
    assert [x / (x + 1) for x in (item.low, item.high)] == pytest.approx([0.8, 0.8333], abs=1e-4)
    assert item.high / (item.high + 1) < chain.claims["c024"].value / 100


# ---- known errors stay out --------------------------------------------------------------


def numbers_of_the_chain(chain):
    """Every number of every table but the register and the prose."""
    for name, rows in chain.tables.items():
        if name in ("claims", "bibliography"):
            continue
        for _, row in rows:
            for field in row.__dataclass_fields__:
                value = getattr(row, field)
                if isinstance(value, float):
                    yield name, field, value


@pytest.mark.parametrize("claim", ["c058", "c079", "c080", "c081", "c084", "c095", "c130", "c146"])
def test_a_wrong_number_of_the_press_is_nowhere_an_input(claim, chain, said):
    found = [
        x for x in numbers_of_the_chain(chain) if math.isclose(x[2], said[claim], rel_tol=1e-6)
    ]
    assert not found


@pytest.mark.parametrize("word", ["inflation", "price_level", "battery_cost", "antimony", "purity"])
def test_what_the_garbled_claims_speak_of_is_no_number_of_ours(word, chain):
    names = [*chain.parameter_names(), *(row.item for row in chain.costs)]
    assert not [name for name in names if word in name]


@pytest.mark.parametrize("claim", ["c011", "c192", "c065", "c074"])
def test_what_adds_no_rare_earth_is_said_so_and_has_no_test(claim, chain):
    item = chain.claims[claim]
    assert not item.test and item.not_testable
    names = " ".join(f"{f.name} {f.title} {f.operator}".lower() for f in chain.facilities.values())
    for word in ("tungsten", "minnesota", "colosseum", "ukrain"):
        assert word not in names


def test_one_event_under_two_names_is_one_bloc(chain):
    members = {"united_states", "japan", "australia", "india"}
    same = [n for n, b in chain.blocs.items() if set(b.countries) == members]
    assert same == ["quad"]
    assert len(members) == chain.claims["c097"].value


def test_named_companies_are_not_those_of_the_garbled_text(chain):
    names = " ".join(f"{f.title} {f.operator}".lower() for f in chain.facilities.values())
    for word, right in (("macoc", "brook"), ("jinko", "jl mag")):
        assert word not in names
        assert right in names


def test_a_project_without_a_plant_needs_tonnes_of_its_own(chain):
    item = build(
        "kazakh_tungsten",
        {"kind": "capacity_project", "role": "policy", "region": "rest_of_world", "stage": "mine",
         "material": "tungsten", "start": "2029-06-01"},
    )  # fmt: skip
    assert isinstance(item, CapacityProject)
    assert any(
        "tungsten" in str(p.message) or "t/year" in str(p.hint) for p in item.problems(chain)
    )


def test_pairs_of_contradictions_are_symmetric(chain):
    pairs = {
        frozenset((name, other))
        for name, item in chain.claims.items()
        for other in item.conflicts_with
    }
    assert len(pairs) > 40
    for a, b in map(tuple, pairs):
        assert b in chain.claims[a].conflicts_with and a in chain.claims[b].conflicts_with
    assert all(len(p) == 2 for p in pairs), "no claim contradicts itself"
    assert set(itertools.chain(*pairs)) <= set(chain.claims)
