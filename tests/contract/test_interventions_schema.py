"""One body over every registered kind of intervention: what each must declare and refuse."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from lodestone.border.errors import InputError
from lodestone.border.numbers import Distribution
from lodestone.chain import naming
from lodestone.chain.load import load_chain
from lodestone.interventions import build, intervention, kinds
from lodestone.interventions.base import Intervention, vocabulary
from lodestone.interventions.fields import steps


def entry_of(kind):
    """The entry of a kind in its documented example, `docs/examples/KIND.yaml`."""
    file = EXAMPLE_FILES / f"{kind}.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    return next(dict(item) for item in data["interventions"].values() if item["kind"] == kind)


EXAMPLE_FILES = Path(__file__).parents[2] / "docs" / "examples"
#: Kind -> the entry of its example. A new kind without one fails here.
EXAMPLES = {kind: entry_of(kind) for kind in kinds()}
#: A word that no vocabulary holds.
NOWHERE = "atlantis"


@pytest.fixture(scope="module")
def chain():
    return load_chain()


def made(kind, **more):
    return build("x", {**EXAMPLES[kind], **more}, "file.yaml")


def fields(cls):
    for key, info in cls.model_fields.items():
        yield key, info, info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def test_every_kind_has_an_example():
    assert set(EXAMPLES) == set(kinds())


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_key_says_what_it_is_with_unit_and_source(kind, chain):
    known = vocabulary(chain, "source")
    assert kinds()[kind].title
    assert kinds()[kind].__doc__
    for key, info, extra in fields(kinds()[kind]):
        assert info.description, key
        if "unit" in extra:
            assert extra["unit"], key
            assert extra["source"] in known, (key, extra["source"])


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_the_example_is_valid_and_written_out_in_full(kind, chain):
    item = made(kind)
    assert item.problems(chain) == []
    again = build("x", item.written(), "file.yaml")
    assert again == item
    assert set(item.written()) == set(kinds()[kind].model_fields)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_it_is_frozen_and_refuses_unknown_keys_with_the_nearest(kind):
    item = made(kind)
    with pytest.raises(Exception, match="frozen"):
        item.note = "changed"
    with pytest.raises(InputError, match="Did you mean 'probability'") as error:
        made(kind, probabilty=0.5)
    assert error.value.key == "interventions.x.probabilty"
    assert error.value.file == "file.yaml"


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_json_schema_can_be_written(kind):
    schema = kinds()[kind].model_json_schema()
    assert schema["additionalProperties"] is False
    assert {"kind", "start", "probability"} <= set(schema["properties"])


def cases(wanted):
    return [
        pytest.param(kind, key, extra, id=f"{kind}-{key}")
        for kind, cls in sorted(kinds().items())
        for key, _, extra in fields(cls)
        if wanted in extra
    ]


def first_value(kind, key):
    """A value of the right shape for a numeric key."""
    given = EXAMPLES[kind].get(key)
    return given if isinstance(given, dict) else None


@pytest.mark.parametrize(("kind", "key", "extra"), cases("unit"))
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), "many", True, {"dist": "nope"}])
def test_every_number_refuses_what_is_none(kind, key, extra, wrong):
    period = first_value(kind, key)
    value = dict.fromkeys(period, wrong) if period and "tonnes" in key else wrong
    if key == "general_licences":
        value = {"japan": wrong}
    with pytest.raises(InputError) as error:
        made(kind, **{key: value})
    assert f"interventions.x.{key}" in str(error.value)


@pytest.mark.parametrize(("kind", "key", "extra"), cases("unit"))
def test_every_limit_holds_for_numbers_and_distributions(kind, key, extra, chain):
    low, high = extra.get("low"), extra.get("high")
    for limit, step in ((low, -1.0), (high, 1.0)):
        if limit is None:
            continue
        beyond = limit + step
        for value in (
            beyond,
            {"dist": "uniform", "low": min(limit, beyond), "high": max(limit, beyond)},
        ):
            given = value
            if key == "tonnes":
                given = {"2026": value}
            if key == "general_licences":
                given = {"japan": value}
            if key == "by_element":
                given = {"dy": value}
            found = made(kind, **{key: given}).problems(chain)
            assert [p for p in found if p.key.split(".")[0] == key], (value, found)


@pytest.mark.parametrize(("kind", "key", "extra"), cases("names"))
def test_every_name_is_checked_against_the_chain(kind, key, extra, chain):
    more = {key: NOWHERE}
    if kind == "outage" and key == "region":
        more |= {"facilities": None, "stage": "mine"}
    found = made(kind, **more).problems(chain)
    assert any(p.key == key and NOWHERE in p.message for p in found)


def test_an_empty_list_is_refused_where_leaving_the_key_out_names_somebody():
    tried = 0
    for kind in kinds():
        for key, info, extra in fields(type(made(kind))):
            several = isinstance(getattr(made(kind), key), tuple)
            if "names" not in extra or not several or info.default in ((), None):
                continue
            tried += 1
            with pytest.raises(InputError, match="empty list") as caught:
                made(kind, **{key: []})
            assert key in str(caught.value)
    assert tried > 20


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_order_of_dates(kind, chain):
    # What ends on one day has no end of its own, unless it is reviewed.
    more = {"survival_each_review": 0.9} if kind == "support_withdrawal" else {}

    def wrong(end):
        return [p.key for p in made(kind, start="2026-01-01", end=end, **more).problems(chain)]

    assert wrong("2025-01-01") == ["end"]
    assert wrong({"dist": "uniform", "low": "2024-01-01", "high": "2026-06-01"}) == []
    assert wrong({"dist": "uniform", "low": "2024-01-01", "high": "2025-06-01"}) == ["end"]


def test_a_second_kind_of_one_name_is_refused():
    with pytest.raises(ValueError, match="two kinds"):
        intervention("tariff")(Intervention)


# ------------------------------------------------------------------------------- single kinds


@pytest.mark.parametrize(
    ("floor", "says"),
    [
        (0.11, r"implausibly low \(110 USD per tonne\).*did you mean 110 USD/kg"),
        (110_000, r"implausibly high.*did you mean 110 USD/kg"),
        ({"2025-10-01": 110, "2027-01-01": 0.12}, "implausibly low"),
        ({"dist": "uniform", "low": 0.1, "high": 0.2}, "implausibly low"),
    ],
)
def test_a_price_floor_per_tonne_is_refused(floor, says, chain):
    (problem,) = made("price_floor", floor_usd_per_kg=floor).problems(chain)
    import re

    assert re.search(says, f"{problem.message} {problem.hint}")


def test_a_price_floor_of_110_usd_per_kg_is_fine(chain):
    assert made("price_floor").problems(chain) == []


def test_one_way_to_name_a_target(chain):
    both = made("outage", region="china", stage="mine").problems(chain)
    assert [p.key for p in both] == ["facilities"]
    neither = made("outage", facilities=None).problems(chain)
    assert "is missing" in neither[0].message
    half = made("outage", facilities=None, region="china").problems(chain)
    assert "region + stage" in (half[0].hint or "")
    assert made("outage", facilities=None, region="china", stage="mine").problems(chain) == []
    empty = made("outage", facilities=None, region="myanmar", stage="magnet").problems(chain)
    assert "no facility" in empty[0].message


def test_a_new_plant_needs_size_date_and_a_fitting_product(chain):
    new = {
        "facility": None, "region": "united_states", "stage": "metal", "material": "ndpr_metal",
        "tonnes_per_year": None, "start": None,
    }  # fmt: skip
    keys = {p.key for p in made("capacity_project", **new).problems(chain)}
    assert keys == {"tonnes_per_year", "start"}
    full = new | {"tonnes_per_year": 100, "start": "2028-01-01"}
    assert made("capacity_project", **full).problems(chain) == []
    wrong = made("capacity_project", **(full | {"material": "dy_oxide"})).problems(chain)
    assert "does not make dy_oxide" in wrong[0].message
    negative = made("capacity_project", tonnes_per_year=-5).problems(chain)
    assert "below the lowest possible 0" in negative[0].message


def test_a_route_that_does_not_exist_is_refused(chain):
    found = made("route_closure", origin="china", destination="china").problems(chain)
    assert "no route" in found[0].message


def test_licence_classes(chain):
    item = made("export_licence", classes={"military": {"approval": 0}})
    assert item.problems(chain) == []
    assert item.licence_classes()["military"].tiers == ("defence",)
    assert (
        made("export_licence", classes={"vip": {"approval": 1}}).problems(chain)[0].key
        == "classes.vip"
    )
    typo = made("export_licence", classes={"vip": {"destinations": "chna"}}).problems(chain)
    assert any("Did you mean 'china'" in (problem.hint or "") for problem in typo)
    # Only the military class has a book of its own; anything else is refused, never ignored.
    other = made("export_licence", classes={"usa": {"destinations": "united_states"}})
    assert [p.key for p in other.problems(chain)] == ["classes.usa"]
    slow = made("export_licence", classes={"military": {"processing_days": 90}})
    assert slow.problems(chain)[0].key == "classes.military.processing_days"
    high = made("export_licence", classes={"military": {"approval": 2}}).problems(chain)
    assert high[0].key == "classes.military.approval"
    with pytest.raises(InputError, match=r"classes\.military\.aproval: unknown key.*'approval'"):
        made("export_licence", classes={"military": {"aproval": 0}})


def test_general_licences_by_list_share_and_date(chain):
    listed = made("export_licence", general_licences=["japan", "eu"])
    assert listed.general_licences == {"japan": 1.0, "eu": 1.0}
    dated = made("export_licence", general_licences={"japan": {"2025-12-02": 0.3}})
    assert dated.general_licences == {"japan": {date(2025, 12, 2): 0.3}}
    assert dated.problems(chain) == []
    typo = made("export_licence", general_licences=["japn"]).problems(chain)
    assert "Did you mean 'japan'" in (typo[0].hint or "")


@pytest.mark.parametrize("period", ["2010", "2010-H2", "2010-Q3", "2010-07"])
def test_quota_periods(period, chain):
    assert made("export_quota", tonnes={period: 7976}).problems(chain) == []


@pytest.mark.parametrize("period", ["2010-H3", "10", "2010-13", "H1-2010"])
def test_wrong_quota_periods(period):
    with pytest.raises(InputError, match="unknown period"):
        made("export_quota", tonnes={period: 7976})


def test_a_tariff_in_percent_is_refused(chain):
    (problem,) = made("tariff", rate=25).problems(chain)
    assert "0.25" in (problem.hint or "")


def test_names_twice_are_refused():
    with pytest.raises(InputError, match="twice"):
        made("export_ban", materials=["dy_oxide", "dy_oxide"])


# ------------------------------------------------------------------------------- targets


def test_places_resolve_to_regions_with_shares(chain):
    assert set(naming.places(chain, ["all"]).use) == set(chain.regions)
    assert naming.places(chain, ["japan"]).use == {"japan": 1.0}
    germany = naming.places(chain, ["germany"]).use["europe"]
    assert 0 < germany < 1
    assert naming.places(chain, ["germany", "germany"]).use == {"europe": germany}
    assert naming.places(chain, ["eu", "germany"]).use == naming.places(chain, ["eu"]).use
    assert naming.places(chain, ["europe", "germany"]).use == {"europe": 1.0}
    both = naming.places(chain, ["germany", "france"]).use["europe"]
    assert both == pytest.approx(germany + naming.places(chain, ["france"]).use["europe"])


def test_materials_sectors_and_facilities_resolve_in_the_order_of_the_chain(chain):
    order = list(chain.materials)
    magnets = naming.materials(chain, ["smco", "ndfeb_magnets"])
    assert set(magnets) == set(naming.materials(chain, ["magnets"]))
    assert magnets == sorted(magnets, key=order.index)
    assert naming.materials(chain, ["all"]) == order
    assert naming.sectors(chain, ["wind", "ev_traction"]) == ["ev_traction", "wind"]
    mines = naming.plants(chain, None, ["myanmar"], "mine")
    assert "mm_kachin" in mines
    assert naming.plants(chain, ["us_vulcan", "mm_kachin"]) == ["mm_kachin", "us_vulcan"]


def test_steps_of_a_path():
    assert steps(0.5, date(2025, 1, 1)) == [(date(2025, 1, 1), 0.5)]
    wide = Distribution("uniform", (("low", 0.0), ("high", 1.0)))
    path = {date(2026, 1, 1): wide, date(2025, 1, 1): 0.1}
    assert [d.year for d, _ in steps(path, date(2020, 1, 1))] == [2025, 2026]


def test_a_default_that_stands_brings_its_source_and_one_that_is_given_does_not():
    assert made("permitting").default_sources() == ["A94"]
    given = {"permitting_months": 12, "construction_months": 24}
    assert made("permitting", **given).default_sources() == []
