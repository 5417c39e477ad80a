"""The explorer: one page that works from a file; looked at by a browser where there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lodestone.outputs.results import Results
from lodestone.report import write_report
from lodestone.report.explorer import explorer_data, write_explorer
from lodestone.report.reading import Reading
from tests.fixtures.run_folder import CASES, make_run_folder

BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder with its explorer."""
    made = make_run_folder(tmp_path_factory.mktemp("runs") / "some", "some")
    assert [p.name for p in write_report(made, ("explorer",))] == ["explorer.html"]
    return made


@pytest.mark.parametrize("case", CASES)
def test_every_series_has_as_many_values_as_dates(case, tmp_path):
    reading = Reading(Results.load(make_run_folder(tmp_path / case, case)))
    data = explorer_data([(reading.name, reading)])
    assert {"unmet_share", "price_ask"} <= set(data["series"])
    for held in data["series"].values():
        for values in held["values"].values():
            assert all(len(column) == len(held["dates"]) for column in values.values())
    json.dumps(data, allow_nan=False)


def test_the_page_is_one_small_file_that_needs_nothing_else(folder):
    page = (folder / "explorer.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 5_000_000
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="http', page)
    for word in (
        'aria-live="polite"',
        "<label>",
        "<caption" if "<caption" in page else "createCaption",
    ):
        assert word in page


def test_a_question_cannot_break_out_of_the_page(tmp_path):
    folder = make_run_folder(tmp_path / "some", "some")
    settings = folder / "config.yaml"
    text = settings.read_text(encoding="utf-8")
    text = re.sub(r"question: .*", 'question: "</script><script>alert(1)</script>"', text)
    settings.write_text(text, encoding="utf-8")
    reading = Reading(Results.load(folder))
    page = write_explorer([("</script><b>x", reading)], folder, "</script>").read_text("utf-8")
    assert "<script>alert(1)" not in page
    assert "</script><b>x" not in page


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_browser_draws_the_chart_and_the_table_of_the_view_in_the_link(folder):
    view = "#metric=price_ask&region=all&sector=all&element=dy_oxide&cases=with"
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=9000"]
        + ["--dump-dom", f"file://{folder / 'explorer.html'}{view}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    page = done.stdout
    assert 'data-ready="yes"' in page
    assert "<svg" in page
    assert "Spot price outside China (USD of 2024 per kg), Dy oxide" in page
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    assert body.count("<tr>") > 50
    assert "With the measures" in body and "Reference" not in body
