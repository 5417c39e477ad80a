"""Every scenario to its end: its hypothesis is judged, and the brief is two pages.

No sentence and no title names a month before the first own measure.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pypdf
import pytest

from lodestone.outputs.results import Results
from lodestone.report import write_report
from lodestone.report.asked import headline_rows
from lodestone.report.course import course
from lodestone.report.memo import answer, left_out
from lodestone.report.reading import Reading
from lodestone.report.watching import watch
from lodestone.report.word import measure
from lodestone.runs.compiled import compile_scenario, shock_days
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.scenario import Scenario, find_scenarios, load_scenario

MONTHS = "January February March April May June July August September October November December"
FULL = re.compile(rf"\b(?:(\d{{1,2}}) )?({'|'.join(MONTHS.split())}) (\d{{4}})\b")
SHORT = re.compile(rf"\b({'|'.join(m[:3] for m in MONTHS.split())}) (\d{{4}})\b")
FAST = ("truce_snapback_2026",)


def months_in(text: str) -> list[pd.Timestamp]:
    """Every month that a text names."""
    found = [pd.Timestamp(f"1 {name} {year}") for _, name, year in FULL.findall(text)]
    return found + [pd.Timestamp(f"1 {name} {year}") for name, year in SHORT.findall(text)]


def test_the_test_finds_months():
    text = "from 11 January 2027, worst in Aug 2028; USD of 2024"
    assert months_in(text) == [pd.Timestamp("2027-01-01"), pd.Timestamp("2028-08-01")]


@pytest.mark.parametrize(
    "name",
    [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in sorted(find_scenarios())],
)
def test_it_runs_to_its_end_is_judged_and_told_on_the_right_clock(name: str, tmp_path: Path):
    """One run of every scenario: its verdict, every sentence and title, and the two pages."""
    scenario = load_scenario(name)
    settings = Settings(worlds=2, workers=1, market_days=14, out=tmp_path / "run", quiet=True)
    folder = simulate(scenario, replace(settings, report_formats=()))
    judged(scenario, folder)
    pdf, word = write_report(folder, ("brief",))
    assert len(pypdf.PdfReader(pdf).pages) == 2
    pages = measure(word)
    assert len(pages) == 2 and all(page.height < 1.0 for page in pages), pages
    reading = Reading(Results.load(folder))
    rows = headline_rows(reading)
    # The first sentence answers what the scenario asks first, as far as the run reaches it.
    assert rows and rows[0].text in scenario.headline
    told = [*answer(reading, rows), course(reading), left_out(reading, rows)]
    told += watch(reading, rows)
    drawn = pd.read_csv(folder / "figures" / "index.csv")
    assert len(drawn) == len(list((folder / "figures").glob("*.png"))) >= 5
    told += drawn["finding"].tolist()
    first = reading.since.replace(day=1)
    for text in told:
        early = [m for m in months_in(text) if m < first]
        assert not early, f"names {early[0]:%B %Y}, before {first:%B %Y}: {text}"


def judged(scenario: Scenario, folder: Path) -> None:
    """Hold the verdicts of a run against the hypothesis of its scenario."""
    with (folder / "verdict.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["kind"]: row for row in csv.DictReader(file)}
    kinds = [k for k in ("confirmed_if", "refuted_if") if scenario.hypothesis.get(k)]
    assert list(rows) == kinds
    for kind in kinds:
        assert rows[kind]["expression"] == scenario.hypothesis[kind]
        assert float(rows[kind]["probability"]) in (0.0, 0.5, 1.0)


def test_a_changed_disruption_counts_from_its_change_in_metrics_and_titles():
    """`first_stoppage` counts the days from the day that its title names."""
    scenario = load_scenario("truce_snapback_2026")
    reference = load_scenario(str(scenario.reference))
    days = shock_days(compile_scenario(scenario), reference, np.arange(2))
    assert [scenario.start + timedelta(days=float(d)) for d in days] == [date(2025, 11, 10)] * 2
