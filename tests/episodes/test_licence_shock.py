"""April 2025 already on its timing: exports, stops and prices, before any fine calibration.

Facts: customs magnet exports by month (index, January 2024 to March 2025 = 100), vehicle-plant
stops in weeks 5 to 9, and the ex-China price of dysprosium parting from the price at home.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.scenario import load_scenario

WORLDS = 13
OBSERVED = {"2025-04": 54, "2025-05": 25, "2025-06": 65, "2025-07": 114, "2025-08": 126}


class Watch:
    """Chinese magnet exports by month, stopped users abroad, and Dy oxide prices."""

    def __init__(self, run: BatchRun) -> None:
        lay = run.layout
        grades = [lay.material_at[m] for m in ("ndfeb_standard", "ndfeb_high_coercivity")]
        self.links = lay.link_mask({"china"}, None, [lay.materials[m] for m in grades])
        self.abroad = lay.users.magnet & (lay.users.region != lay.home)
        self.dy = lay.material_at["dy_oxide"]
        self.cells = np.flatnonzero((lay.cells.material == self.dy) & ~lay.cells.home)
        self.months: dict[str, np.ndarray] = {}
        self.stopped: dict[date, np.ndarray] = {}
        self.ask: dict[date, np.ndarray] = {}
        self.home: dict[date, np.ndarray] = {}

    def market_day(self, run: BatchRun, now: float, rules: object) -> None:
        """Keep one market day; its shipments fall on its seven days."""
        today = run.calendar.date_of(now)
        left = run.day.flows["declared"][self.links].sum(axis=0) / 7.0
        for k in range(7):
            month = (today + timedelta(days=k)).isoformat()[:7]
            self.months[month] = self.months.get(month, 0.0) + left
        self.stopped[today] = run.day.flows["stopped"][self.abroad].sum(axis=0)
        st = run.day.state
        need = run.layout.cells.need[self.cells]
        self.ask[today] = (np.exp(st.log_ask[self.cells]) * need).sum(axis=0) / need.sum()
        self.home[today] = np.exp(st.log_home[self.dy]).copy()


def watch(name: str) -> Watch:
    scenario = load_scenario(name, overrides={"end": "2025-10-06"})
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(WORLDS))
    seen = Watch(run)
    run.watchers.append(seen)
    run.run()
    return seen


@pytest.fixture(scope="module")
def shock() -> Watch:
    return watch("licence_shock_april_2025")


@pytest.fixture(scope="module")
def calm() -> Watch:
    return watch("calm_2024")


def index(seen: Watch, month: str) -> float:
    base = np.mean([t for m, t in seen.months.items() if m <= "2025-03"], axis=0)
    return float(np.median(seen.months[month] / base)) * 100.0


@pytest.mark.parametrize("month", sorted(OBSERVED))
def test_magnet_exports_fall_and_come_back_on_the_timing_of_2025(shock, month):
    assert abs(index(shock, month) - OBSERVED[month]) < 20


@pytest.mark.parametrize("month", sorted(OBSERVED))
def test_without_the_licences_the_same_months_are_ordinary(calm, month):
    assert 90 < index(calm, month) < 115


def test_first_stops_come_in_weeks_five_to_nine(shock, calm):
    start = date(2025, 4, 4)
    first = [
        min(d for d, stopped in shock.stopped.items() if stopped[w] > 0) for w in range(WORLDS)
    ]
    weeks = np.array([(d - start).days / 7.0 for d in first])
    assert np.all((weeks >= 4.0) & (weeks <= 10.0)) and 5.0 <= np.median(weeks) <= 9.0
    assert not any(np.any(stopped) for stopped in calm.stopped.values())


def test_the_ask_parts_from_the_home_price(shock):
    # The market day of 31 March sees the control of 4 April.
    before, during = date(2025, 3, 24), date(2025, 5, 19)
    ratio = {d: float(np.median(shock.ask[d] / shock.home[d])) for d in (before, during)}
    assert 1.1 < ratio[before] < 1.4
    assert 2.5 < ratio[during] < 4.4


def test_the_home_price_does_not_rise_for_the_control(shock, calm):
    late = date(2025, 9, 1)
    assert np.median(shock.home[late]) < 1.05 * np.median(shock.home[date(2025, 3, 31)])
    assert np.median(shock.home[late]) < np.median(calm.home[late])
