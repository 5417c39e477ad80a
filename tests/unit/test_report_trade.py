"""When exports are farthest from the reference, and how they go on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lodestone.report.figures.trade import _afterwards, periods_of

MONTHS = pd.date_range("2024-01-01", periods=72, freq="MS")


def test_the_worst_quarter_is_looked_for_after_the_shock_too():
    monthly = pd.DataFrame({"scenario": 100.0, "reference": 100.0}, MONTHS)
    monthly.loc["2024-11":"2025-01", "scenario"] = 84.0
    monthly.loc["2027-01":"2027-03", "scenario"] = 61.0
    reading = SimpleNamespace(
        since=pd.Timestamp("2024-02-01"),
        begins=pd.Timestamp("2024-02-01"),
        shock=pd.Timestamp("2026-12-15"),
    )
    periods = periods_of(reading, monthly)
    assert [f"{m:%Y-%m}" for m in periods["during"]] == ["2027-01", "2027-02", "2027-03"]
    assert periods["before"] == periods["during"]


def ratio(*parts: tuple[int, float]) -> pd.Series:
    """Return a course of months with a ratio each."""
    values = np.concatenate([np.full(n, x) for n, x in parts])
    return pd.Series(values, MONTHS[: len(values)])


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([(6, 0.7), (20, 1.0)], " and within 5 % of it from July 2024 on"),
        ([(6, 0.7), (2, 1.0), (6, 0.8), (6, 1.0)], " and within 5 % of it from March 2025 on"),
        (
            [(6, 0.7), (8, 1.2), (10, 0.8)],
            ", above it between July 2024 and February 2025, and below it at the end of the run",
        ),
        (
            [(6, 0.7), (2, 1.0), (10, 0.8)],
            ", near it from July 2024 for a time, and not at the end of the run",
        ),
        ([(20, 0.7)], " and do not come back to it within the run"),
    ],
)
def test_back_at_the_level_of_the_reference_is_lasting(parts, said):
    assert _afterwards(ratio(*parts), below=True) == said
