"""Statistics of an episode's facts, against series worked out by hand."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodestone.backcast import statistics as s
from lodestone.backcast.recorded import Recorded, cut, day_span, month_span
from lodestone.outputs.series import Query


def months(first: str, last: str | None = None) -> s.Span:
    """Span of one month or of a range with both ends."""
    a = date.fromisoformat(f"{first}-01")
    b = date.fromisoformat(f"{last or first}-01")
    start, end = (month_span(d.year * 12 + d.month - 1) for d in (a, b))
    return s.Span(start.first, end.last, start.month)


def track(values, kind="flow", first="2025-01", bottom=None) -> s.Track:
    """A monthly track from January 2025 on; one column a world."""
    top = np.array(values, dtype=float)
    top = top[:, None] if top.ndim == 1 else top
    start = months(first)
    spans = [month_span(start.month + i) for i in range(len(top))]
    return s.Track(
        kind=kind,
        start=np.array([p.first for p in spans]),
        end=np.array([p.last for p in spans]),
        month=np.array([p.month for p in spans]),
        top=top,
        bottom=None if bottom is None else np.array(bottom, dtype=float)[:, None],
    )


def weekly(values, first=date(2025, 1, 1), kind="level") -> s.Track:
    """A weekly track."""
    top = np.array(values, dtype=float)
    top = top[:, None] if top.ndim == 1 else top
    start = first.toordinal() + 7.0 * np.arange(len(top))
    month = np.array([(d := date.fromordinal(int(x))).year * 12 + d.month - 1 for x in start])
    return s.Track(kind, start, start + 7.0, month, top, None, by_month=False)


EXPORTS = track([10, 30, 20, 5, 15, 25])


def test_index_is_a_month_over_the_mean_of_the_base():
    assert s.index(EXPORTS, months("2025-04"), months("2025-01", "2025-03")) == pytest.approx(25.0)


def test_index_over_a_range_is_the_mean_of_its_months():
    got = s.index(EXPORTS, months("2025-05", "2025-06"), months("2025-01", "2025-03"))
    assert got == pytest.approx(100.0)


def test_value_mean_and_sum():
    assert s.value(EXPORTS, months("2025-02")) == pytest.approx(30.0)
    assert s.mean(EXPORTS, months("2025-01", "2025-04")) == pytest.approx(65 / 4)
    assert s.total(EXPORTS, months("2025-01", "2025-04")) == pytest.approx(65.0)


def test_ratio_and_difference_of_two_series():
    other = track([5, 10, 10, 5, 5, 5])
    at = months("2025-01", "2025-02")
    assert s.ratio(EXPORTS, at, other) == pytest.approx(40 / 15)
    assert s.difference(EXPORTS, at, other) == pytest.approx(20 - 7.5)


def test_falls_are_negative_changes_and_positive_falls():
    assert s.change(EXPORTS, months("2025-02"), months("2025-04")) == pytest.approx(-250 / 3)
    whole = months("2025-01", "2025-06")
    assert s.fall_from_peak(EXPORTS, months("2025-04"), whole) == pytest.approx(250 / 3)
    # A peak after the time asked for does not count.
    assert s.fall_from_peak(track([4, 2, 9]), months("2025-02"), whole) == pytest.approx(50.0)


def test_peaks_and_troughs():
    whole = months("2025-01", "2025-06")
    assert s.peak_multiple(EXPORTS, whole, months("2025-01")) == pytest.approx(3.0)
    assert s.months_to_peak(EXPORTS, months("2024-07"), whole) == pytest.approx(7.0)
    assert s.trough_month(EXPORTS, months("2025-01"), whole) == pytest.approx(3.0)
    later = track([1, 1, 1, 1, 8, 1])
    assert s.peak_lag(later, whole, EXPORTS) == pytest.approx(3.0)
    assert s.peak_lag(EXPORTS, whole, later) == pytest.approx(-3.0)


def test_each_world_has_its_own_peak():
    two = track([[1, 5], [9, 1], [2, 2]])
    assert s.months_to_peak(two, months("2025-01"), months("2025-01", "2025-03")).tolist() == [1, 0]


def test_first_date_counts_from_its_day_in_its_unit():
    stops = weekly([0, 0, 0, 2, 0])
    since, until = day_span(date(2025, 1, 1)), months("2025-01", "2025-12")
    assert s.first_date(stops, since, until, 0.0, True, "week") == pytest.approx(3.0)
    assert s.first_date(stops, since, until, 0.0, True, "day") == pytest.approx(21.0)
    monthly = s.first_date(EXPORTS, months("2024-12"), until, 8.0, False, "month")
    assert monthly == pytest.approx(4.0)


def test_a_date_that_never_comes_is_infinite():
    since, until = day_span(date(2025, 1, 1)), months("2025-01", "2025-12")
    assert np.isinf(s.first_date(weekly([0, 0]), since, until, 0.0, True, "week")).all()


def test_the_week_that_holds_the_starting_day_counts_as_none():
    since = day_span(date(2025, 1, 4))
    got = s.first_date(weekly([3, 0]), since, months("2025-01", "2025-02"), 0.0, True, "week")
    assert got == pytest.approx(0.0)


def test_duration_adds_up_the_weeks_beyond():
    stops = weekly([0, 1, 1, 0, 1, 0])
    assert s.duration(stops, months("2025-01", "2025-02"), 0.0, True) == pytest.approx(3.0)
    assert s.duration(stops, months("2025-01", "2025-02"), 1.0, False) == pytest.approx(3.0)


def test_levels_are_averaged_over_days_and_flows_over_months():
    two = [28.0, 31.0]
    february = months("2025-02", "2025-03")
    flow = s.mean(track(two, first="2025-02"), february)
    level = s.mean(track(two, "level", first="2025-02"), february)
    assert flow == pytest.approx(29.5)
    assert level == pytest.approx((28 * 28 + 31 * 31) / 59)


def test_shares_are_sums_over_sums():
    unmet = track([1, 9], "share", bottom=[10, 10])
    assert s.mean(unmet, months("2025-01", "2025-02")) == pytest.approx(0.5)
    assert s.value(unmet, months("2025-02")) == pytest.approx(0.9)


def test_use_of_a_quota_counts_from_january():
    used = track([8, 2, 2, 4], "to_date", first="2024-11", bottom=[10, 10, 4, 4])
    assert s.value(used, months("2024-12")) == pytest.approx(0.5)
    assert s.value(used, months("2025-02")) == pytest.approx(0.75)
    assert s.mean(used, months("2024-11", "2025-02")) == pytest.approx(16 / 28)


@pytest.mark.parametrize(
    "got",
    [
        s.index(track([0, 0, 5]), months("2025-03"), months("2025-01", "2025-02")),
        s.change(track([0, 5]), months("2025-01"), months("2025-02")),
        s.peak_multiple(track([0, 5]), months("2025-02"), months("2025-01")),
        s.ratio(track([1]), months("2025-01"), track([0])),
        s.months_to_peak(track([4, 4, 4]), months("2025-01"), months("2025-01", "2025-03")),
        s.trough_month(track([0, 0]), months("2025-01"), months("2025-01", "2025-02")),
        s.fall_from_peak(track([0, 0]), months("2025-02"), months("2025-01", "2025-02")),
        s.value(track([1]), months("2026-01")),
        s.value(track([np.nan], "last"), months("2025-01")),
        s.duration(track([np.nan]), months("2025-01"), 0.0, True),
    ],
)
def test_what_is_not_defined_is_nan(got):
    assert np.isnan(got).all()


# ---- cutting weeks into periods ---------------------------------------------------------


def recorded(values, start: date, days: float = 7.0, metric: str = "exports_t") -> Recorded:
    top = np.array(values, dtype=float)[:, None]
    times = days * np.arange(len(top))
    return Recorded(days, float(start.toordinal()), times, {(metric, ()): top}, {}, {})


def test_a_week_over_the_turn_of_a_month_is_split_by_its_days():
    # Weeks begin on 1, 8, 15, 22 and 29 January 2025: three days of the last are January's.
    held = recorded([7, 7, 7, 7, 70], date(2025, 1, 1))
    got = held.track(Query("exports_t"))
    assert got.top[0, 0] == pytest.approx(28 + 30)
    # Four days of February at 10 t a day stand for all 28.
    assert got.top[1, 0] == pytest.approx(280)


def test_what_has_landed_belongs_to_the_days_before():
    got = recorded([14] * 10, date(2025, 1, 8), metric="imports_t").track(Query("imports_t"))
    assert got.start[0] == date(2025, 1, 1).toordinal()
    assert got.top[0, 0] == pytest.approx(62)


def test_prices_of_a_month_are_means_over_days():
    got = recorded([1, 1, 1, 1, 8], date(2025, 1, 1), metric="price_home").track(
        Query("price_home")
    )
    assert got.top[0, 0] == pytest.approx((28 + 3 * 8) / 31)


def test_a_total_to_date_is_the_one_at_the_end_of_the_month():
    got = recorded(
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], date(2025, 1, 1), metric="licences_granted_share"
    )
    assert got.track(Query("licences_granted_share")).top[:, 0].tolist() == [0.5, 0.6]


@given(st.integers(0, 400), st.integers(1, 40), st.sampled_from([1.0, 7.0, 14.0]))
def test_cutting_keeps_every_tonne(offset, count, days):
    start = date.fromordinal(date(2024, 1, 1).toordinal() + offset)
    values = 1.0 + np.arange(count)
    held = recorded(values, start, days)
    for per in ("week", "month", "quarter", "year"):
        got = held.track(Query("exports_t", per=per))
        first, last = start.toordinal(), start.toordinal() + count * days
        inside = np.minimum(got.end, last) - np.maximum(got.start, first)
        kept = got.top[:, 0] * inside / (got.end - got.start)
        assert kept.sum() == pytest.approx(values.sum())


@given(st.lists(st.floats(0.1, 1e6), min_size=2, max_size=24), st.floats(0.01, 100))
@settings(derandomize=True)
def test_what_is_relative_does_not_see_the_unit(values, factor):
    whole, base = months("2025-01", "2026-12"), months("2025-01")
    one, other = track(values), track([v * factor for v in values])
    for work in (
        lambda t: s.index(t, months("2025-02"), base),
        lambda t: s.peak_multiple(t, whole, base),
        lambda t: s.change(t, base, months("2025-02")),
        lambda t: s.fall_from_peak(t, months("2025-02"), whole),
    ):
        np.testing.assert_allclose(work(one), work(other), rtol=1e-9)


def test_periods_follow_one_another_without_gap():
    first, last = date(2024, 2, 10).toordinal(), date(2025, 3, 5).toordinal()
    for per in ("week", "month", "quarter", "year"):
        spans = cut(first, last, per)
        assert spans[0].first <= first and spans[-1].last >= last
        assert all(a.last == b.first for a, b in pairwise(spans))
