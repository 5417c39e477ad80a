"""Weeks from the first short market day to the last before a calm quarter, path by path."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from lodestone.outputs.metrics import shortage


def by_hand(short, quarter, weeks):
    """Weeks of one path of market days."""
    days = np.flatnonzero(short)
    if not days.size:
        return 0.0
    for here, following in zip(days, [*days[1:], None], strict=True):
        calm = len(short) - 1 - here if following is None else following - here
        if calm > quarter or (following is None and calm):
            return (here - days[0] + 1) * weeks
    return np.inf


@pytest.mark.parametrize("step", [7.0, 28.0])
def test_every_path_is_what_it_is_by_hand(monkeypatch, step):
    quarter = round(shortage.DAYS_PER_QUARTER / step)
    rng = np.random.default_rng(7)
    odds = rng.choice([0.0, 0.02, 0.05, 0.3, 1.0], size=(3, 1, 200))
    share = np.where(rng.random((3, 60, 200)) < odds, 0.5, 0.0)
    shock = rng.integers(0, 30, 200) * step
    times = np.arange(60) * step
    series = SimpleNamespace(times=times, shock_day=shock, days=step, weeks=step / 7.0)
    monkeypatch.setattr(shortage, "unmet_shares", lambda *_: share)
    found = shortage.time_to_recover_weeks(series)
    short = (share > 0.0) & (times[:, None] >= shock)
    expected = [
        [by_hand(short[n, :, w], quarter, series.weeks) for w in range(200)] for n in range(3)
    ]
    assert np.array_equal(found, expected)
    assert {0.0, np.inf} < set(np.unique(found)), "no path recovers"
