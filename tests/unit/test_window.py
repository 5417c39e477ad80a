"""A metric that looks beyond the end of the run is marked as not complete, wherever it is told."""

from __future__ import annotations

import csv
import json
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from lodestone.border.expressions import parse_metric
from lodestone.cli import main
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS
from lodestone.outputs.metrics.window import cut_off, last_year, looks_at
from lodestone.outputs.selectors import window_remarks

START = date(2024, 1, 1)
SHOCK = (date(2025, 4, 4), date(2025, 4, 4))
AFTER = ["unmet_share", "lost_in_a_year_usd_million", "magnet_exports_t", "cover_days_low"]


@pytest.mark.parametrize("name", AFTER)
def test_the_year_after_is_complete_only_where_the_run_reaches_its_end(name):
    told = cut_off(name, {}, START, date(2025, 12, 29), SHOCK)
    assert told.startswith("not complete: the run ends on 2025-12-29, within the ")
    assert "2025-04-04" in told
    assert cut_off(name, {}, START, date(2026, 4, 6), SHOCK) == ""
    assert cut_off(name, {}, START, date(2026, 4, 6), None) == ""


def test_two_years_of_prices_months_of_cover_and_dates_of_their_own():
    end = date(2026, 12, 28)
    for name in ("price_multiple_home", "price_multiple_ask", "price_multiple_paid", "price_peak_multiple"):  # fmt: skip
        assert "within the two years" in cut_off(name, {}, START, end, SHOCK)
        assert cut_off(name, {"since": "2024-06-01"}, START, end, SHOCK) == ""
        assert cut_off(name, {"since": "2025-06-01"}, START, end, None) != ""
    assert cut_off("cover_days_low", {"months": "3"}, START, date(2025, 8, 1), SHOCK) == ""
    assert "24 months" in cut_off("cover_days_low", {"months": "24"}, START, end, SHOCK)


def test_where_worlds_differ_it_says_so():
    both = (date(2025, 1, 1), date(2025, 9, 1))
    told = cut_off("unmet_share", {}, START, date(2026, 3, 2), both)
    assert told.startswith("not complete in some worlds") and "2025-01-01 to 2025-09-01" in told


@pytest.mark.parametrize("name", sorted(n for n, m in METRICS.items() if m.window == "last year"))
def test_a_calendar_year_that_the_run_cuts_off_is_told(name):
    assert "within 2025" in cut_off(name, {}, START, date(2025, 8, 4), None)
    assert "within 2025" in cut_off(name, {"year": "2025"}, START, date(2025, 8, 4), None)
    assert cut_off(name, {"year": "2024"}, START, date(2025, 8, 4), None) == ""
    assert cut_off(name, {}, START, date(2026, 1, 1), None) == ""
    assert "starts on" in cut_off(name, {"year": 2024}, date(2024, 3, 1), date(2026, 1, 1), None)


def test_a_january_alone_is_no_year():
    assert last_year(START, date(2026, 1, 20)) == 2025
    assert last_year(START, date(2026, 1, 1)) == 2025
    assert last_year(START, date(2026, 3, 1)) == 2026
    assert last_year(START, date(2024, 1, 20)) == 2024


def test_what_looks_at_the_whole_run_has_no_window():
    for name in ("unmet_t", "leak_t", "premium_usd_million", "first_stoppage", "coverage_year"):
        assert cut_off(name, {}, START, date(2025, 5, 5), SHOCK) == ""
    assert "within 2025" in cut_off("leak_t", {"year": 2025}, START, date(2025, 5, 5), None)
    found = window_remarks(parse_metric("output_t(year=2025)"), START, date(2025, 5, 5))
    assert found == ["output_t(year=2025): not complete: the run ends on 2025-05-05, within 2025"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("unmet_t", "whole run"),
        ("unmet_share", "year from 2025-04-04"),
        ("first_stoppage", "from 2025-04-04"),
        ("first_military_stockout(since=2025-06-01)", "from 2025-06-01"),
        ("cover_days_low(months=6)", "6 months from 2025-04-04"),
        ("price_peak_multiple(since=2025-01-01)", "two years from 2025-01-01"),
        ("unmet_share_between(since=2025-05-01, until=2025-07-01)", "2025-05-01 to 2025-07-01"),
        ("unmet_share_between(since=2025-05-01)", "2025-05-01 to 2026-01-01"),
        ("need_t", "2025"),
        ("leak_t(year=2024)", "2024"),
        ("output_share_change", "2024 to 2025"),
    ],
)
def test_the_time_that_a_metric_looks_at_is_told(text, told):
    item = parse_metric(text)
    found = looks_at(item.name, dict(item.selectors), START, date(2026, 1, 1), SHOCK)
    assert found == told


def test_a_short_run_says_so_in_table_json_metric_and_memo(tmp_path, capsys, unpainted):
    words = ["run", "licence_shock_april_2025", "--worlds", "2", "workers=1", "--json"]
    folder = tmp_path / "out"
    more = [
        "scenario.start=2025-01-06",
        "scenario.end=2025-09-29",
        f"out={folder}",
        "report.formats=[md]",
        "outputs=[worlds]",
    ]
    assert main([*words, *more, 'scenario.headline=["unmet_share", "output_t(year=2025)"]']) == 0
    out = capsys.readouterr()
    assert "output_t(year=2025): not complete: the run ends on 2025-09-29" in out.err
    (line,) = [text for text in out.out.splitlines() if text.startswith("[")]
    rows = {r["metric"]: r for r in json.loads(line)}
    assert rows["unmet_share"]["complete"] is False and rows["unmet_t"]["complete"] is True
    assert rows["unmet_share"]["window"] == "year from 2025-04-04"
    assert rows["unmet_t"]["window"] == "whole run"
    with (folder / "summary.csv").open(newline="") as file:
        notes = {r["metric"]: r["note"] for r in csv.DictReader(file) if r["region"] == "all"}
    assert notes["unmet_share"].startswith("not complete") and notes["unmet_t"] == ""
    held = json.loads((folder / "provenance.json").read_text())
    assert held["first_disruption"] == ["2025-04-04", "2025-04-04"]
    assert any(r.startswith("unmet_share: not complete") for r in held["remarks"])
    memo = (folder / "report.md").read_text()
    assert memo.count("That is not complete: the run ends on 2025-09-29") == 2
    assert main(["metric", str(folder), "unmet_share", "unmet_t", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [r["complete"] for r in told] == [False, True]
    assert [r["window"] for r in told] == ["year from 2025-04-04", "whole run"]


@pytest.mark.parametrize(
    ("day", "month"),
    [("2024-01-01", 0), ("2025-04-04", 15), ("2026-12-01", 35), ("2026-11-30", 34)],
)
def test_a_year_after_begins_with_the_month_of_the_disruption(day, month):
    after = (date.fromisoformat(day) - date(2024, 1, 1)).days
    known = SimpleNamespace(
        start=date(2024, 1, 1), shock_day=np.array([after, 1e6]), months=[0] * 48
    )
    assert Series.shock_month.fget(known).tolist() == [month, 47]
