"""A country inside a region in a metric: its share, adding up when listed apart, or told."""

from __future__ import annotations

import inspect
from datetime import date

import numpy as np
import pytest

from lodestone.border.expressions import parse_metric
from lodestone.chain import naming
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS, find
from lodestone.outputs.recorder import Recorder
from lodestone.outputs.selectors import metric_problems, metric_remarks
from lodestone.scenario import load_scenario

#: Selectors that name places.
PLACES = ("region", "origin", "destination")
#: Tonnes and money that parts listed apart do not add up to, and why.
NOT_ADDED = {"lost_output_per_usd": "a ratio"}


@pytest.fixture(scope="module")
def series() -> Series:
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2026-08-03"})
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(3), 7.0)
    recorder = Recorder(run, np.full(3, 459.0))
    run.watchers.append(recorder)
    run.run()
    return Series.of(recorder)


def value(series: Series, name: str, **selectors: object) -> np.ndarray:
    return np.asarray(find(name)(series, **selectors), dtype=float)


def added() -> list[tuple[str, str]]:
    """Metrics in tonnes or money, by each selector that names places."""
    return [
        (name, key)
        for name, item in METRICS.items()
        if item.unit.split("_")[0].split()[0] in ("t", "USD") and item.unit not in ("USD/kg",)
        if name not in NOT_ADDED
        for key in inspect.signature(item.function).parameters
        if key in PLACES
    ]


@pytest.mark.parametrize(("name", "key"), added())
def test_countries_listed_apart_add_up_to_their_region(series, name, key):
    chain = series.chain
    for region in ("europe", "africa", "rest_of_world"):
        there = [c.name for c in chain.countries.values() if c.region == region]
        whole = value(series, name, **{key: region})
        parts = sum(value(series, name, **{key: c}) for c in there)
        # Shares in the table have five digits.
        assert np.allclose(parts, whole, rtol=2e-4, atol=1e-9), (name, region)
        assert np.allclose(value(series, name, **{key: there}), whole, rtol=1e-9, atol=1e-12)
        some, rest = there[:3], there[3:]
        split = value(series, name, **{key: some}) + value(series, name, **{key: rest})
        assert np.allclose(split, whole, rtol=2e-4, atol=1e-9)


def test_a_country_counts_once_however_it_is_named(series):
    once = value(series, "unmet_t", region="eu")
    assert np.array_equal(value(series, "unmet_t", region=["eu", "germany", "fra", "DE"]), once)
    both = value(series, "unmet_t", region=["japan", "germany"])
    apart = value(series, "unmet_t", region="japan") + value(series, "unmet_t", region="germany")
    assert np.allclose(both, apart)


def test_tonnes_of_users_are_the_share_of_the_table(series):
    share = load_chain("2024").countries["germany"].share_of_region_demand
    for name in ("unmet_t", "gross_unmet_t", "need_t", "lost_output_usd_million"):
        own, all_of_it = (value(series, name, region=r) for r in ("germany", "europe"))
        assert np.allclose(own, share * all_of_it), name
        assert np.all(all_of_it > 0.0)


def test_output_is_that_of_the_plants_that_lie_there(series):
    """Estonia has the separators of Europe and the larger magnet plant; Spain has neither."""
    made = {c: value(series, "output_t", region=c, year=2024) for c in ("germany", "slovenia", "spain")}  # fmt: skip
    assert np.all(made["germany"] > made["slovenia"]) and np.all(made["slovenia"] > 0.0)
    assert np.all(made["spain"] == 0.0)
    assert np.all(value(series, "idle_share", region="spain", stage="magnet", year=2024) == 0.0)
    oxide = value(series, "output_t", region="estonia", material="ndpr_oxide", year=2024)
    assert np.all(oxide > 0.0)
    # A plant that comes in the run counts from then on.
    then, now = (value(series, "output_t", region="estonia", year=y) for y in (2024, 2026))
    assert np.all(now > then)


@pytest.mark.parametrize("name", ["unmet_share", "unmet_share_peak", "first_stoppage", "stoppage_weeks", "time_to_recover_weeks", "paid_usd_per_kg", "use_of_plan", "cover_days_low"])  # fmt: skip
def test_what_is_not_told_apart_is_the_regions_and_said_so(series, name):
    chain = series.chain
    for country, region in (("germany", "europe"), ("russia", "rest_of_world")):
        selectors = {"year": 2025} if "year" in inspect.signature(METRICS[name].function).parameters else {}  # fmt: skip
        own = value(series, name, region=country, **selectors)
        assert np.allclose(own, value(series, name, region=region, **selectors), equal_nan=True)
        (told,) = metric_remarks(parse_metric(f"{name}(region={country})"), chain)
        assert country in told and f"the rest of {region}" in told
    assert metric_remarks(parse_metric(f"{name}(region=europe)"), chain) == []
    assert metric_remarks(parse_metric(f"{name}(region=[germany, japan])"), chain) != []


def test_a_share_of_several_places_weighs_a_country_by_its_use(series):
    share, unmet, planned = {}, {}, {}
    for place in ("germany", "united_states"):
        share[place] = value(series, "unmet_share_between", region=place, since="2024-01-01")
        unmet[place] = value(series, "unmet_t", region=place)
        planned[place] = unmet[place] / share[place]
    asked = {"region": ["germany", "usa"], "since": "2024-01-01"}
    both = value(series, "unmet_share_between", **asked)
    assert np.allclose(both, sum(unmet.values()) / sum(planned.values()))
    assert not np.allclose(both, value(series, "unmet_share_between", **asked | {"region": ["europe", "usa"]}))  # fmt: skip


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_says_how_it_takes_a_country(name):
    chain = load_chain("2024")
    for key in inspect.signature(METRICS[name].function).parameters:
        if key in PLACES:
            for country in ("germany", "nigeria", "gb"):
                assert metric_remarks(parse_metric(f"{name}({key}={country})"), chain), (name, key)
            for whole in ("europe", "all", "japan", "usa"):
                assert not metric_remarks(parse_metric(f"{name}({key}={whole})"), chain)


@pytest.mark.parametrize("text", ["unmet_t(region=greenland)", "first_stoppage(region=[angola, malawi])", "unmet_share(region=UA)", "need_t(region=tanzania)"])  # fmt: skip
def test_a_country_without_use_is_an_empty_selection(text):
    found = metric_problems(parse_metric(text), load_chain("2024"), date(2024, 1, 1), date(2026, 1, 1))  # fmt: skip
    assert [message for message, _ in found] and "selects nothing" in found[0][0]


def test_who_makes_an_oxide_is_told_by_circuits():
    chain = load_chain("2024")
    made = {c: naming.places(chain, c).made("dy_oxide") for c in ("france", "estonia", "germany")}
    assert made["estonia"]["europe"] == 0.0, "its separators take out light elements only"
    metal = {c: naming.places(chain, c).made("sm_metal")["europe"] for c in ("france", "estonia")}
    assert metal == {"france": 1.0, "estonia": 0.0}
