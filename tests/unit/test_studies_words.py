"""Words of a sweep: what they mean, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lodestone.border.errors import InputError
from lodestone.studies.design import count_points, make_points
from lodestone.studies.points import find_base, make_plan, short_names
from lodestone.studies.request import request_from_words
from lodestone.studies.threshold import _first, read_threshold, swept_key
from lodestone.studies.threshold import told as sentence
from lodestone.studies.values import read_axis

SCENARIO = "licence_shock_april_2025"
SPILLOVER = "scenario.interventions.april_2025_licences.spillover"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0,30,60", (0, 30, 60)),
        ("range(0,90,30)", (0, 30, 60)),
        ("range(0.1,0.7,0.2)", (0.1, 0.3, 0.5)),
        ("range(3,0,-1)", (3, 2, 1)),
        ("linspace(0,1,5)", (0, 0.25, 0.5, 0.75, 1)),
        ("logspace(0,3,4)", (1, 10, 100, 1000)),
        ("[a,b],[a],[]", (["a", "b"], ["a"], [])),
        ("{2025-04-04: 0.1},{2025-04-04: 0.2}", ({"2025-04-04": 0.1}, {"2025-04-04": 0.2})),
        ("null,no_talks", (None, "no_talks")),
        ("2024-01-01,2025-01-01", ("2024-01-01", "2025-01-01")),
    ],
)
def test_values_are_read(text, values):
    assert read_axis("key", text).values == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("range(5,0)", "no values"),
        ("range(0,1,0)", "step of 0"),
        ("range(0,1e9)", "at most"),
        ("linspace(0,1)", "linspace"),
        ("linspace(0,1,1)", "from 2 on"),
        ("linspce(0,1,5)", "linspace"),
        ("1,,2", "empty value"),
        ("1,1", "twice"),
        ("[a,b", "left open"),
        ("uniform(1)", "high"),
        ("range(a,b)", "no number"),
    ],
)
def test_wrong_values_are_refused_with_the_reason(text, why):
    with pytest.raises(InputError, match=why):
        read_axis("key", text)


def axes(**given):
    return [read_axis(k, v) for k, v in given.items()]


def test_a_grid_has_every_combination_the_last_key_fastest():
    points = list(make_points(axes(a="1,2", b="x,y,z", c="7"), "grid"))
    assert [(p["a"], p["b"]) for p in points] == [
        (1, "x"), (1, "y"), (1, "z"), (2, "x"), (2, "y"), (2, "z"),
    ]  # fmt: skip
    assert all(p["c"] == 7 for p in points)


def test_zip_pairs_and_says_what_does_not_fit():
    points = list(make_points(axes(a="1,2", b="x,y"), "zip"))
    assert [tuple(p.values()) for p in points] == [(1, "x"), (2, "y")]
    with pytest.raises(InputError, match="a has 2, b has 3"):
        count_points(axes(a="1,2", b="1,2,3"), "zip", None)


@pytest.mark.parametrize("design", ["lhs", "sobol"])
def test_sampled_points_fill_the_range_and_repeat(design):
    given = axes(u="uniform(10,20)", n="normal(5,1)", word="x,y")
    points = list(make_points(given, design, 64))
    assert points == list(make_points(given, design, 64))
    assert points != list(make_points(given, design, 64, seed=1))
    u = np.array([p["u"] for p in points])
    assert u.min() >= 10 and u.max() <= 20
    assert np.histogram(u, bins=8, range=(10, 20))[0].tolist() == [8] * 8
    assert abs(np.median([p["n"] for p in points]) - 5.0) < 0.2
    assert [p["word"] for p in points].count("x") == 32


def test_a_longer_sobol_study_holds_the_shorter_one():
    given = axes(u="uniform(0,1)", v="uniform(0,1)")
    assert list(make_points(given, "sobol", 16)) == list(make_points(given, "sobol", 32))[:16]


@pytest.mark.parametrize(
    ("given", "design", "points", "why"),
    [
        ({"a": "uniform(0,1)"}, "grid", None, "sampled design"),
        ({"a": "1,2"}, "lhs", None, "points=N"),
        ({"a": "1,2"}, "grid", 8, "from the values"),
        ({"a": "1"}, "lhs", 8, "no key varies"),
        ({"a": "1,2"}, "cube", None, "unknown design"),
        ({"a": "range(0,10000)", "b": "range(0,1000)"}, "grid", None, "10,000,000 points"),
        ({"a": "uniform(0,1)"}, "sobol", 10_000_000, "10,000,000 points"),
    ],
)
def test_designs_that_make_no_sense_are_refused_before_a_point_is_made(given, design, points, why):
    with pytest.raises(InputError, match=why):
        count_points(axes(**given), design, points)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["scenario.overrides.stockpile.japn.days=0,30"], "stockpile.japan.days"),
        (["ensemble.wolrds=8"], "ensemble.worlds"),
        (["workers=1,2"], "cannot be swept"),
        (["metric=unmet_shar"], "unmet_share"),
        (["metric=unmet_share(regoin=europe)"], "region"),
        (["metric=unmet_share(region=europe"], "left open. Write for example 'unmet_t"),
        (["metric=unmet_share(region=atlantis)", f"{SPILLOVER}=0,1"], "atlantis"),
        (["variant=no_takls,null"], "no_talks"),
        ([f"{SPILLOVER}=0,1.5"], "spillover"),
        (["base=7", f"{SPILLOVER}=0,1"], "no point 7"),
        (["base=volume=3", f"{SPILLOVER}=0,1"], "not one of the swept keys"),
        (["a=1", "a=2"], "twice"),
    ],
)  # fmt: skip
def test_every_word_is_checked_before_anything_runs(words, why):
    with pytest.raises(InputError, match=why):
        make_plan(request_from_words([SCENARIO], [*words, "ensemble.worlds=8"]))


def test_a_wrong_point_says_which_one():
    with pytest.raises(InputError, match="At point 1"):
        make_plan(request_from_words([SCENARIO], [f"{SPILLOVER}=0,1.5"]))


def test_points_are_named_by_their_content():
    one = make_plan(request_from_words([SCENARIO], [f"{SPILLOVER}=0,1", "ensemble.worlds=8"]))
    more = make_plan(request_from_words([SCENARIO], [f"{SPILLOVER}=1,0.5", "ensemble.worlds=8"]))
    seeds = make_plan(request_from_words([SCENARIO], [f"{SPILLOVER}=1,0.5", "ensemble.worlds=9"]))
    assert one.points[1].key == more.points[0].key
    assert one.points[0].key != one.points[1].key
    assert not {p.key for p in one.points} & {p.key for p in seeds.points}
    assert len({p.reference_key for p in (*one.points, *more.points)}) == 1


def test_variants_overlays_and_scenarios_are_keys():
    every = make_plan(request_from_words([SCENARIO], ["variant=all", "ensemble.worlds=8"]))
    assert every.points[0].values["variant"] is None and len(every.points) > 1
    assert len({p.key for p in every.points}) == len(every.points)
    two = make_plan(request_from_words([], ["scenario=calm_2024,current_law"]))
    assert [p.scenario.name for p in two.points] == ["calm_2024", "current_law"]


def test_the_base_point_is_found_by_short_names():
    words = [f"{SPILLOVER}=0,1", "scenario.overrides.stockpile.japan.days=0,30"]
    plan = make_plan(request_from_words([SCENARIO], words))
    assert find_base("spillover=1,days=30", plan.points) == 3
    with pytest.raises(InputError, match="2 points fit"):
        find_base("spillover=1", plan.points)
    assert short_names(["a.b.c.days", "a.x.c.days"]) == {
        "a.b.c.days": "b.c.days", "a.x.c.days": "x.c.days",
    }  # fmt: skip


def test_a_threshold_names_its_key_or_there_is_only_one():
    words = [f"{SPILLOVER}=0,1", "scenario.overrides.stockpile.japan.days=0,30", "variant=null"]
    points = make_plan(request_from_words([SCENARIO], words)).points
    asked = read_threshold("unmet_t < 5 in 80% by days")
    assert (asked.key, asked.share) == ("days", 0.8)
    assert swept_key(points, asked).endswith("stockpile.japan.days")
    assert swept_key(points, read_threshold("unmet_t < 5 by japan.days")).endswith("japan.days")
    with pytest.raises(
        InputError, match=r"2 swept keys are numbers.*'by .*spillover' or 'by japan.days'"
    ):
        swept_key(points, read_threshold("unmet_t < 5"))
    with pytest.raises(InputError, match="'week' is no swept key"):
        swept_key(points, read_threshold("unmet_t < 5 by week"))
    mixed = make_plan(request_from_words([SCENARIO], [f"{SPILLOVER}=0,null"])).points
    with pytest.raises(InputError, match="no swept key has numbers"):
        swept_key(mixed, read_threshold("unmet_t < 5"))


def test_thresholds_are_read():
    found = read_threshold("unmet_share_peak(region=europe) <= 5 % in 90%")
    assert (found.op, found.share) == ("<=", 0.9) and math.isclose(found.level, 0.05)
    assert read_threshold("first_stoppage > 100").share == 0.95
    with pytest.raises(InputError, match="no threshold"):
        read_threshold("first_stoppage")


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ([0.2, 0.9, 1.0], "from days = 20 on (not at 10)"),
        ([1.0, 0.96, 0.6], "up to days = 20 (no longer at 30)"),
        ([1.0, 0.6, 0.2], "up to days = 10 (no longer at 20)"),
        ([0.2, 0.99, 0.6], "is not reached up to days = 30 (there in 60 %); it holds at some smaller value"),
        ([0.2, 0.3, 0.6], "is not reached up to days = 30 (there in 60 %)"),
    ],
)  # fmt: skip
def test_a_threshold_is_found_whichever_way_the_key_works(held, told):
    asked = read_threshold("unmet_t < 5 in 90%")
    row = pd.Series(_first(pd.Series(held, index=[10, 20, 30]), asked.share))
    assert sentence(row, asked, "days") == f"unmet_t < 5 in 90 % of the worlds {told}"
