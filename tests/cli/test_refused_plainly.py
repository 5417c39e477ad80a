"""Words that are refused, or told of, in one line that says what is meant."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lodestone.chain.overlay import write_example
from lodestone.cli import main

MINE = """name: {name}
question: Why?
start: 2024-01-01
end: 2026-01-01
interventions: {{}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LODESTONE_SCENARIOS", raising=False)
    return tmp_path


def said(capsys, *words: str, status: int = 2) -> str:
    assert main(list(words)) == status
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "says"),
    [
        (
            "discount_rate=5",
            "must lie between 0 and 0.5, got 5. 5 percent is 0.05. Yearly rate at which money is "
            "discounted, in real terms.",
        ),
        ("clock.market_days=0", "got 0. Days from one market day to the next."),
        ("report.formats=[docc]", "unknown format 'docc'. Did you mean 'docx'?"),
        (
            "variant=[a,b]",
            "variant: takes one variant, got a, b. Several are for 'lodestone sweep SCENARIO "
            "variant=[a,b]'",
        ),
    ],
)
def test_settings_say_what_they_are(capsys, word, says):
    (line,) = said(capsys, "run", "current_law", word).splitlines()
    assert says in line


def test_compare_counts_before_it_runs(capsys, monkeypatch):
    def run(*_, **__):
        raise AssertionError("was run")

    monkeypatch.setattr("lodestone.runs.simulate.simulate", run)
    assert "needs two cases or more" in said(capsys, "compare", "calm_2024")


# ------------------------------------------------------------------------------- the reference


def test_a_file_that_takes_the_name_of_the_reference_is_refused(here, capsys):
    (here / "mine.yaml").write_text(MINE.format(name="calm_2024"), encoding="utf-8")
    told = said(capsys, "check", "mine.yaml")
    assert "mine.yaml:1: name: 'calm_2024' is the reference" in told
    assert "Give it a name of its own, or write 'reference: none'" in told
    with (here / "mine.yaml").open("a", encoding="utf-8") as file:
        file.write("reference: none\n")
    assert "warning" not in said(capsys, "check", "mine.yaml", status=0)


def test_a_file_that_is_the_reference_of_its_folder_is_told_so(here, capsys):
    (here / "calm_2024.yaml").write_text(MINE.format(name="calm_2024"), encoding="utf-8")
    told = said(capsys, "check", "calm_2024.yaml", status=0)
    assert "measured against nothing" in told and "because of its name" in told


def test_another_vintage_without_a_reference_is_told_so(here, capsys):
    text = MINE.format(name="mine").replace("2024-", "2019-") + 'vintage: "2019"\n'
    (here / "mine.yaml").write_text(text, encoding="utf-8")
    assert "name a reference of its vintage" in said(capsys, "check", "mine.yaml", status=0)


# ------------------------------------------------------------------------------- the headline


def test_a_headline_that_a_shorter_run_does_not_reach_is_told(capsys):
    told = said(capsys, "check", "calm_2024", "scenario.end=2032-01-01", status=0)
    (line,) = (part for part in told.splitlines() if "headline" in part)
    assert "mining_share(region=china, year=2035): left out of the headline" in line
    assert "year=2030" not in line
    assert "headline" not in said(capsys, "check", "calm_2024", status=0)


# ------------------------------------------------------------------------------- rows of one's own


def test_what_is_wrong_with_rows_of_ones_own_stands_alone(here, capsys):
    write_example(here / "rows")
    rows = here / "rows" / "2024" / "prices.csv"
    rows.write_text("material,market,usd_per_kg\ndy_oxide,ask,-330\n", encoding="utf-8")
    assert main(["check", "seeds=rows"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert "rows/2024/prices.csv:2: usd_per_kg: -330 is below" in line
    assert main(["check", "seeds=rows", "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 1


def test_no_temporary_folder_is_named_where_rows_are_fine(here, capsys):
    write_example(here / "rows")
    main(["check", "seeds=rows"])
    told = capsys.readouterr().err
    assert "episode.yaml" in told and "lodestone-seeds" not in told


def test_a_plant_that_does_not_make_a_good_is_told_in_english(here, capsys):
    rows = here / "rows" / "2024"
    rows.mkdir(parents=True)
    text = "facility,material\nus_vulcan,dy_oxide\n"
    (rows / "facilities.csv").write_text(text, encoding="utf-8")
    told = said(capsys, "check", "seeds=rows")
    assert "a plant of stage magnet does not make oxides. It makes magnets." in told


# ------------------------------------------------------------------------------- the plain application

RESERVE = """name: mine
question: Why?
reference: none
start: 2024-01-01
end: 2024-02-05
interventions:
  stock: {kind: stockpile, holder: japan, materials: magnets, target_days: 30, release_rule: price,
    release_price_multiple: 1.5}
"""


@pytest.mark.slow
def test_the_plain_application_takes_a_word_typed_as_the_command_does(here):
    (here / "mine.yaml").write_text(RESERVE, encoding="utf-8")
    words = ["scenario=mine.yaml", "scenario.interventions.stock.release_rule=never", "report=none"]
    words += ["ensemble.worlds=1", "workers=1", "out=made"]
    done = subprocess.run(
        [sys.executable, "-m", "lodestone", *words], cwd=here, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "stock: release_price_multiple does nothing with release_rule: never" in done.stderr
