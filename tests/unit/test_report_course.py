"""When a difference is over, and when it comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lodestone.report.course import _again, _turned, at_peak, ending
from lodestone.report.shortages import Shortage, shortage_of

DATES = pd.date_range("2025-04-07", periods=140, freq="7D")


def found(middle: np.ndarray, far: np.ndarray) -> Shortage:
    """The course of a difference with a median and an outer quantile (share of planned use)."""
    delta = pd.DataFrame(
        {"unmet_share_p50": middle, "unmet_share_p95": far, "unmet_share_p05": 0.5 * middle}, DATES
    )
    levels = pd.DataFrame({"unmet_share_p50": middle, "reference_unmet_share_p50": 0.0}, DATES)
    return shortage_of(delta, levels)


def first_time(high: float = 0.03) -> np.ndarray:
    """A shortage of ten weeks from week ten on."""
    out = np.zeros(len(DATES))
    out[10:20] = high
    return out


def test_what_ends_has_ended():
    once = found(first_time(), 1.3 * first_time())
    assert once.end == DATES[19] and not once.open_end and once.back is None
    assert ending(once) == "and ends by August 2025"
    assert _again(once) == ""


def test_a_late_small_rise_is_told_and_called_no_forecast():
    middle, far = first_time(), 1.3 * first_time()
    middle[110:], far[110:] = 0.003, 0.012
    some = found(middle, far)
    assert some.back is not None and some.back.late and not some.back.in_median
    assert some.back.since == DATES[110]
    assert ending(some) == (
        "and ends by August 2025, but comes back in some worlds from May 2027 (small, no forecast)"
    )
    assert "0.3 % of planned use in the median world and 1.2 % in one world in twenty" in _again(
        some
    )
    assert _again(some).endswith("is no forecast.")


def test_a_return_in_the_median_is_no_end_and_no_footnote():
    middle, far = first_time(), 1.3 * first_time()
    middle[60:], far[60:] = 0.04, 0.06
    again = found(middle, far)
    assert again.peak == DATES[60] and again.open_end
    assert ending(again) == "and lasts to the end of the run"
    middle[60:], far[60:] = 0.02, 0.03
    again = found(middle, far)
    assert again.back is not None and again.back.in_median and not again.back.late
    assert ending(again) == "and ends by August 2025, but comes back from June 2026"


@pytest.mark.parametrize("tail", [0.0, 0.02])
def test_outer_worlds_that_recover_later_are_no_return(tail: float):
    middle, far = first_time(), 1.3 * first_time()
    far[20:60] = np.linspace(0.035, tail, 40)
    far[60:] = tail
    assert found(middle, far).back is None
    rise = far.copy()
    rise[100:] = 0.05
    back = found(middle, rise).back
    assert back is not None and back.since == DATES[100]


def test_what_turns_round_is_told():
    middle = -first_time()
    middle[60:70] = 0.01
    turned = found(middle, np.where(middle < 0, 0.5 * middle, 1.3 * middle))
    assert turned.sign == -1 and turned.turn is not None
    assert turned.turn.since == DATES[60]
    assert _turned(turned) == (
        "From June 2026 on it is the other way round: more use goes unmet, at most 1.0 % of planned use "
        "in June 2026 in the median world."
    )
    assert _turned(found(first_time(), first_time())) == ""


def test_the_first_return_is_named_though_a_later_one_is_larger():
    middle, far = first_time(), 1.3 * first_time()
    far[40:60], far[110:] = 0.015, 0.04
    back = found(middle, far).back
    assert back is not None and back.since == DATES[40] and back.peak == DATES[110]
    assert not back.late and back.broken
    told = _again(found(middle, far))
    assert told.startswith("More use goes unmet again in some worlds at times from January 2026 on")
    assert "in May 2027, when it is most" in told
    assert ending(found(middle, far)).endswith("comes back in some worlds from January 2026")


def test_a_band_of_one_day_says_so():
    assert at_peak(found(first_time(), 1.3 * first_time())) == "3.0 % (1.5\u20133.9 % on that day)"
