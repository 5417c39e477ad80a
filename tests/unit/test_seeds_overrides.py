"""Numbers of the chain can be replaced by their dotted names, and only in that way."""

from __future__ import annotations

import datetime as dt

import pytest

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain


@pytest.fixture(scope="module")
def chain():
    return load_chain("2024")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        (
            "facility.us_vulcan.capacity_t_per_year",
            8000,
            lambda c: c.facilities["us_vulcan"].capacity_t_per_year,
        ),
        ("facility.us_vulcan.ramp_months", 12, lambda c: c.facilities["us_vulcan"].ramp_months),
        (
            "facility.my_lamp.unit_cost_usd_per_kg",
            6.5,
            lambda c: c.facilities["my_lamp"].unit_cost_usd_per_kg,
        ),
        ("sector.ev_traction.cover_weeks", 7, lambda c: c.sectors["ev_traction"].cover_weeks),
        ("sector.wind.heavy_free_ceiling", 0.2, lambda c: c.sectors["wind"].heavy_free_ceiling),
        ("stockpile.japan.days", 60, lambda c: c.stockpiles["japan"].days),
        ("price.dy_oxide.home_usd_per_kg", 300, lambda c: c.prices["dy_oxide", "home"].usd_per_kg),
        ("market.scarcity_elasticity", 0.15, lambda c: c.value("market.scarcity_elasticity")),
    ],
)
def test_one_number_changes_and_the_original_stays(chain, name, value, read):
    before = read(chain)
    changed = chain.with_overrides({name: value})
    assert read(changed) == value
    assert read(chain) == before != value
    assert changed.demand is chain.demand


def test_a_date_may_be_text_or_a_date(chain):
    name = "facility.us_vulcan.start_date"
    wanted = dt.date(2029, 3, 1)
    for value in ("2029-03-01", wanted):
        assert chain.with_overrides({name: value}).facilities["us_vulcan"].start_date == wanted


def test_nothing_to_override_gives_the_same_chain(chain):
    assert chain.with_overrides({}) is chain


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"stockpile.japn.days": 60}, "Did you mean 'stockpile.japan.days'"),
        ({"market.scarcity_elastcity": 0.1}, "Did you mean 'market.scarcity_elasticity'"),
        ({"facility.us_vulcan.capacity_t_per_year": -5}, "below 0"),
        ({"sector.wind.heavy_free_ceiling": 1.4}, "above 1"),
        ({"market.scarcity_elasticity": "much"}, "not a number"),
        ({"market.scarcity_elasticity": float("nan")}, "not a finite number"),
        ({"market.scarcity_elasticity": True}, "not a number"),
        ({"facility.us_vulcan.start_date": "soon"}, "not a date"),
    ],
)
def test_wrong_overrides_are_refused(chain, overrides, message):
    with pytest.raises(InputError, match=message):
        chain.with_overrides(overrides, file="study.yaml")


def test_every_parameter_has_unit_source_and_a_default_in_its_range(chain):
    names = chain.parameter_names()
    assert len(names) > 500
    for name, item in names.items():
        assert item.name == name
        assert item.unit
        assert item.source, name
        if isinstance(item.default, float) and item.low is not None and item.high is not None:
            assert item.low <= item.default <= item.high, name


@pytest.mark.parametrize(
    "name",
    [
        "market.scarcity_elasticity",
        "market.horizon_weeks",
        "fear.trend",
        "licence.surge",
        "cover.user_weeks",
        "leak.scale",
        "rent.withholding",
        "substitution.max_per_year",
        "project.slip_months",
        "project.scale",
        "demand.growth_scale",
        "qualification.magnet_weeks",
        "catch_up.share",
        "recycling.eol_growth",
    ],
)
def test_behavioural_parameters_that_others_rely_on(chain, name):
    assert name in chain.parameters
