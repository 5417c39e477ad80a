"""Numbers, distributions and verdict expressions as a scenario file writes them."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.border.expressions import (
    asks_reference,
    judge,
    metrics_in,
    parse_metric,
    parse_verdict,
    written,
)
from lodestone.border.numbers import Distribution, parse_moment, parse_number, plain


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


def _calm(name, selectors):
    return {"a": np.array([2.0, 2.0, 2.0]), "b": np.array([0.5, 0.5, np.inf])}[name]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("reference(a) == 2", [True, True, True]),
        ("not reference(a) == 2 or a > 8", [False, False, True]),
        ("delta(a) > 0", [False, True, True]),
        ("fall(a) > 0", [True, False, False]),
        ("delta(a) == -1 or fall(a) == -7", [True, False, True]),
        ("a > 2 * reference(a)", [False, True, True]),
        ("a > percent(250) * reference(a(region=all))", [False, False, True]),
        ("delta(a) < reference(b(region=all))", [True, False, True]),
        ("delta(a) >= 20 * delta(b)", [True, True, True]),
        ("a > 10 * b", [False, False, False]),
    ],
)
def test_verdicts_may_ask_for_the_reference(expression, expected):
    assert judge(parse_verdict(expression), _value, _calm).tolist() == expected


def test_only_some_verdicts_need_a_reference():
    assert not asks_reference(parse_verdict("a > 10 * b and not a < 3"))
    assert asks_reference(parse_verdict("a > 10 * b or a < 3 * reference(a)"))


def test_two_endless_times_do_not_differ_and_one_does():
    def endless(name, selectors):
        return np.array([np.inf, np.inf, 3.0])

    def calm(name, selectors):
        return np.array([np.inf, 4.0, np.inf])

    assert judge(parse_verdict("delta(t) == 0"), endless, calm).tolist() == [True, False, False]
    assert judge(parse_verdict("delta(t) >= 2"), endless, calm).tolist() == [False, True, False]
    assert judge(parse_verdict("fall(t) >= 2"), endless, calm).tolist() == [False, False, True]


def test_a_verdict_beside_nothing_says_so():
    tree = parse_verdict("a < 1 and not fall(b) > 0")
    assert asks_reference(tree)
    with pytest.raises(ValueError, match="reference"):
        judge(tree, _value)


def test_a_metric_is_written_as_it_is_read():
    for text in ("m", "m(region=all)", "m(region=[japan, europe], year=2030)"):
        (metric,) = metrics_in(parse_verdict(f"delta({text}) < 1"))
        assert written(metric) == text
        assert parse_metric(text) == metric


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
        "a < 2 * 3",
        "a < 2 *",
        "delta(a < 1)",
        "delta(delta(a)) < 1",
        "delta a < 1",
        "a < 1; b",
    ],
)
def test_what_is_no_verdict_is_refused(expression):
    with pytest.raises(ValueError, match=r"[a-z]"):
        parse_verdict(expression)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("unmet_share_peak(region=europe", "ends within a bracket: ')'"),
        ("unmet_t(region=[europe, japan", "ends within a bracket: ']'"),
        ("unmet_t[region=europe", "ends within a bracket: ']'"),
        ("delta(unmet_t", "ends within a bracket: ')'"),
        ("unmet_t(region=europe))", "does not end at ')': no bracket is open"),
        ("first_stoppage(region europe)", "has 'region' without '=' and a value"),
        ("unmet_t(europe)", "has 'europe' without '=' and a value"),
        ("unmet_t(region=)", "has ')' where a value of region was expected"),
        ("unmet_t(region=europe sector=wind)", "lacks a comma or ')' before 'sector'"),
        ("unmet_t region=europe", "does not end at 'region': selectors stand in brackets"),
        ("unmet_t > 5", "does not end at '>': one metric is meant, no comparison"),
        ("fall(unmet_t)", "has 'fall(...)' where a metric alone was expected"),
    ],
)
def test_what_is_wrong_with_a_metric_is_named_with_an_example(typed, why):
    from lodestone.studies.metrics import check_metric

    with pytest.raises(InputError) as caught:
        check_metric(typed)
    assert why in caught.value.message
    assert "unmet_t(region=europe, sector=wind)" in str(caught.value.hint)
