"""Generated numbers and names: rounding follows the band, words are right in every case."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lodestone.report.wording import band, day, duration, human, joined, number, percent, resolution


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (1234.0, 800.0, 1600.0, "1,200 (800\u20131,600)"),
        (1234.0, 1180.0, 1290.0, "1,230 (1,180\u20131,290)"),
        (5.3, 5.1, 5.9, "5.3 (5.1\u20135.9)"),
        (0.0, 0.0, 0.0, "0"),
        (7.0, 7.0, 7.0, "7"),
        (-4.2, -8.1, 1.3, "\u22124 (\u22128 to 1)"),
    ],
)
def test_digits_follow_the_band(value, low, high, expected):
    assert band(value, low, high) == expected


def test_a_unit_and_a_sign():
    assert band(12.0, 5.0, 19.0, "t", signed=True) == "+12 t (5 to 19)"
    assert band(0.0, 0.0, 0.0, "t", signed=True) == "0 t"
    assert band(2.0, 1.5, 2.5, "\u00d7") == "2.0\u00d7 (1.5\u20132.5)"


def test_what_is_not_reached_is_said():
    assert band(math.inf, math.inf, math.inf) == "not within the horizon"
    assert band(math.inf, 50.0, math.inf, "days") == "not within the horizon (50.0 to not reached)"
    assert band(math.nan, 0.0, 1.0) == "not known"


@given(
    st.floats(0.001, 1e9),
    st.floats(0.0, 1.0),
    st.floats(1.0, 3.0),
)
def test_rounding_stays_inside_what_the_band_supports(value, down, up):
    low, high = value * down, value * up
    step = resolution(value, low, high)
    assert step <= max(high - low, high / 99)
    assert step >= high / 1001


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0 %"), (0.0004, "under 0.1 %"), (0.005, "0.5 %"), (0.123, "12 %"), (1.0, "100 %")],
)
def test_shares(value, expected):
    assert percent(value) == expected


def test_a_share_with_a_band():
    assert percent(0.136, 0.06, 0.29) == "14 % (6\u201329 %)"
    assert percent(0.0, 0.0, 0.0005) == "under 0.1 %"
    assert percent(0.0, 0.0, 0.0) == "0 %"


def test_names():
    assert human("dy_oxide") == "Dy oxide"
    assert human("ev_traction") == "EV traction"
    assert human("united_states") == "United States"
    assert human("april_2025_licences") == "April 2025 licences"
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert joined([]) == ""


def test_times():
    assert day(date(2025, 4, 4)) == "4 April 2025"
    assert duration(1) == "1 day"
    assert duration(49) == "7 weeks"
    assert duration(365) == "12 months"
    assert duration(4000) == "11 years"


def test_a_number_without_a_band_has_three_digits_and_no_idle_zeros():
    assert number(8.0) == "8"
    assert number(1234.5) == "1,230"
    assert number(0.4163) == "0.416"
