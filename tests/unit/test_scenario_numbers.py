"""Numbers, distributions and verdict expressions as a scenario file writes them."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from sim.distributions import Distribution, parse_moment, parse_number, plain
from sim.verdict import judge, metrics_in, parse_verdict


def test_a_plain_number_is_a_float():
    assert parse_number(3) == 3.0
    assert isinstance(parse_number(3), float)


@pytest.mark.parametrize(
    ("given", "support"),
    [
        ({"dist": "uniform", "low": 1, "high": 2}, (1, 2)),
        ({"dist": "triangular", "low": 30, "mode": 63, "high": 100}, (30, 100)),
        ({"dist": "normal", "mean": 1, "sd": 2}, (-math.inf, math.inf)),
        ({"dist": "normal", "mean": 1, "sd": 2, "low": 0}, (0, math.inf)),
        ({"dist": "lognormal", "median": 5, "sigma": 0.3}, (0, math.inf)),
        ({"dist": "lognormal", "median": 5, "sigma": 0.3, "low": 1, "high": 9}, (1, 9)),
        ({"dist": "choice", "values": [3, 1, 2], "weights": [1, 1, 0]}, (1, 3)),
        ({"dist": "fixed", "value": 7}, (7, 7)),
    ],
)
def test_distributions_know_what_they_can_give(given, support):
    made = parse_number(given)
    assert isinstance(made, Distribution)
    assert made.support() == support
    assert parse_number(made.as_written()) == made


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("many", "must be a number"),
        ("5%", "not percent"),
        ("110 USD/t", "bare number"),
        (True, "must be a number"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        ({"low": 1, "high": 2}, "distribution such as"),
        ({"dist": "unifrm", "low": 1, "high": 2}, "'uniform'"),
        ({"dist": "uniform", "low": 1}, "lacks high"),
        ({"dist": "uniform", "low": 1, "hi": 2}, "'high'"),
        ({"dist": "uniform", "low": 3, "high": 2}, "low above high"),
        ({"dist": "triangular", "low": 1, "mode": 5, "high": 2}, "low <= mode <= high"),
        ({"dist": "normal", "mean": 1, "sd": -1}, "sd >= 0"),
        ({"dist": "lognormal", "median": 0, "sigma": 1}, "median > 0"),
        ({"dist": "choice", "values": []}, "list of numbers"),
        ({"dist": "choice", "values": [1, 2], "weights": [1]}, "as many weights"),
        ({"dist": "choice", "values": [1, 2], "weights": [0, 0]}, "not all zero"),
        ({"dist": "uniform", "low": float("nan"), "high": 2}, "finite"),
    ],
)
def test_what_is_no_number_says_why(given, says):
    with pytest.raises(ValueError, match=says):
        parse_number(given)


def test_dates_may_be_uncertain():
    moment = parse_moment({"dist": "uniform", "low": "2026-01-01", "high": "2026-01-11"})
    low, high = moment.support()
    assert high - low == 10
    assert date.fromordinal(int(low)) == date(2026, 1, 1)
    assert plain(moment) == {"dist": "uniform", "low": "2026-01-01", "high": "2026-01-11"}
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        parse_moment("soon")
    with pytest.raises(ValueError, match="lognormal"):
        parse_moment({"dist": "lognormal", "median": "2026-01-01", "sigma": 1})


def _value(name, selectors):
    return {"a": np.array([1.0, 5.0, 9.0]), "b": np.array([0.1, 0.5, 0.9])}[name]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a < 5", [True, False, False]),
        ("a(region=all) >= 5 and b < percent(60)", [False, True, False]),
        ("a < 2 or a > 8", [True, False, True]),
        ("not (a < 2 or a > 8)", [False, True, False]),
        ("not a == 5 and b > 0.5", [False, False, True]),
        ("a < weeks(1)", [True, True, False]),
        ("a(region=[japan, europe], at=2025-05) > 1e0", [False, True, True]),
    ],
)
def test_verdicts_are_judged_world_by_world(expression, expected):
    assert judge(parse_verdict(expression), _value).tolist() == expected


def test_selectors_are_read():
    (metric,) = metrics_in(parse_verdict("m(region=[japan, europe], at=2025-05-01) < 1"))
    assert metric.selectors == (("region", ("japan", "europe")), ("at", "2025-05-01"))


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "a",
        "a <",
        "a < b",
        "a < 1 and",
        "(a < 1",
        "a < 1)",
        "a(region) < 1",
        "a = 1",
        "1 < a",
        "a < 1 b < 2",
        "__import__('os').system('true') < 1",
        "a < fortnights(2)",
        "a < 1; b",
    ],
)
def test_what_is_no_verdict_is_refused(expression):
    with pytest.raises(ValueError, match=r"[a-z]"):
        parse_verdict(expression)
