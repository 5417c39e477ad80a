"""A run is repeated from its own folder, and what cannot end well is refused before it begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lodestone.cli import main
from lodestone.runs import ready as readiness
from lodestone.scenario import load_scenario

MINE = """
name: mine
question: What if?
start: 2024-01-01
end: 2024-07-01
reference: calm
interventions:
  stop: {kind: export_ban, exporter: china, materials: dy_oxide, start: 2024-02-01,
         share: {dist: uniform, low: 0.4, high: 0.9}}
variants: {half: {interventions: {stop: {share: 0.5}}}}
headline: ["unmet_t(region=europe)"]
"""
CALM = """
name: calm
question: And if not?
start: 2024-01-01
end: 2024-07-01
reference: none
interventions: {}
"""
FEW = ["ensemble.worlds=2", "clock.market_days=14", "workers=1", "report.formats=[]", "--quiet"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    (tmp_path / "calm.yaml").write_text(CALM, encoding="utf-8")
    return tmp_path


def test_a_run_is_repeated_from_its_folder_without_the_files_it_was_read_from(here, capsys):
    assert main(["run", "mine.yaml", "variant=half", *FEW, "out=first"]) == 0
    (here / "mine.yaml").unlink()
    (here / "calm.yaml").write_text(CALM.replace("07-01", "06-01"), encoding="utf-8")
    assert main(["run", "first/config.yaml", "--quiet", "--workers", "1", "out=second"]) == 0
    first, second = (
        json.loads((here / n / "provenance.json").read_text()) for n in ("first", "second")
    )
    assert first["config_hash"] == second["config_hash"]
    for name in (
        "summary.csv",
        "shortage_curve.csv",
        "sources.csv",
        "assumptions.csv",
        "worlds.parquet",
    ):
        assert (here / "first" / name).read_bytes() == (here / "second" / name).read_bytes(), name
    capsys.readouterr()
    assert main(["run", "first/config.yaml", "variant=half", "out=third"]) == 2
    assert "a run is repeated as it was" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["out=calm.yaml/x"], "is a file, not a folder"),
        (["out=" + "x" * 300], "the name is too long"),
        (["report.formats=[pptx]"], "unknown format 'pptx'"),
        (["cluster=tcp://nowhere"], "needs a folder that its workers see"),
        (["ensemble.worlds=1e400"], "must be"),
    ],
)
def test_what_cannot_end_well_is_refused_before_a_world_is_drawn(
    here, capsys, monkeypatch, words, told
):
    monkeypatch.setattr("lodestone.runs.simulate.simulate", lambda *_, **__: pytest.fail("it ran"))
    assert main(["run", "mine.yaml", *words]) == 2
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said


def test_the_second_of_two_scenarios_is_checked_before_the_first_is_run(here, capsys, monkeypatch):
    monkeypatch.setattr("lodestone.runs.simulate.simulate", lambda *_, **__: pytest.fail("it ran"))
    wrong = MINE.replace("name: mine", "name: other").replace("unmet_t(region=europe)", "unmet_q")
    (here / "other.yaml").write_text(wrong, encoding="utf-8")
    assert main(["run", "mine.yaml", "other.yaml", *FEW]) == 2
    assert "other.yaml:11: headline.0: unknown metric 'unmet_q'" in capsys.readouterr().err


def test_a_run_that_does_not_fit_the_disk_is_refused(here, monkeypatch, capsys):
    class Free:
        free = 60_000_000

    monkeypatch.setattr(readiness.shutil, "disk_usage", lambda _: Free)
    assert main(["run", "mine.yaml", "ensemble.worlds=100000", "out=big"]) == 2
    assert "GB of disk" in capsys.readouterr().err


def test_a_run_that_does_not_fit_the_memory_is_told_how_to_be_smaller(here, monkeypatch, capsys):
    monkeypatch.setattr(readiness, "memory_free", lambda: 0.9e9)
    assert main(["run", "mine.yaml", "ensemble.worlds=2000", "workers=4", "out=big"]) == 2
    told = capsys.readouterr().err
    assert "GB of memory in 4 processes" in told and "workers=2" in told
    monkeypatch.setattr(readiness, "memory_free", lambda: 0.1e9)
    words = ["mine.yaml", "scenario.overrides.stockpile.japan.days=0,30", "ensemble.worlds=8"]
    assert main(["sweep", *words, "out=study"]) == 2
    assert "GB of memory in 1 process," in capsys.readouterr().err


def test_what_is_free_is_read_where_the_system_tells():
    free = readiness.memory_free()
    assert free is None or 1e6 < free < 1e15


def test_what_is_odd_is_told_by_check_and_by_run(here, capsys):
    late = MINE.replace("end: 2024-07-01\nref", "end: 2029-07-01\nref").replace(
        "start: 2024-01-01", "start: 2029-01-01"
    )
    (here / "mine.yaml").write_text(late, encoding="utf-8")
    assert main(["check", "mine.yaml"]) == 0
    said = capsys.readouterr().err
    assert "1827 days after the data of vintage 2024" in said
    early = MINE.replace("start: 2024-02-01", "start: 2025-02-01")
    (here / "mine.yaml").write_text(early, encoding="utf-8")
    assert main(["check", "mine.yaml"]) == 0
    assert "stop never acts: it starts on 2025-02-01" in capsys.readouterr().err
    assert main(["run", "mine.yaml", *FEW, "out=run"]) == 0
    assert "stop never acts" in capsys.readouterr().err
    kept = json.loads((here / "run" / "provenance.json").read_text())["remarks"]
    assert any("stop never acts" in remark for remark in kept)


def test_a_repeated_run_says_what_was_changed_in_it_alone(here):
    shared = CALM.replace("interventions: {}", "interventions: {wall: {kind: export_ban, "
        "exporter: china, materials: y_oxide, start: 2024-03-01, share: 0.3}}")  # fmt: skip
    (here / "calm.yaml").write_text(shared, encoding="utf-8")
    wall = "  wall: {kind: export_ban, exporter: china, materials: y_oxide, start: 2024-03-01, share: 0.3}\n"
    (here / "mine.yaml").write_text(MINE.replace("variants:", wall + "variants:"), encoding="utf-8")
    typed = "scenario.interventions.wall.share=0.6"
    assert main(["run", "mine.yaml", typed, *FEW, "out=first"]) == 0
    assert main(["run", "first/config.yaml", "--quiet", "--workers", "1", "out=second"]) == 0
    first, second = (
        json.loads((here / n / "provenance.json").read_text()) for n in ("first", "second")
    )
    assert first["config_hash"] == second["config_hash"]
    assert any("wall is changed here alone (share from 0.3 to 0.6)" in r for r in first["remarks"])
    assert second["remarks"] == first["remarks"]
    assert second["changed_alone"] == first["changed_alone"] == ["wall"]


def test_the_written_mapping_builds_the_same_scenario():
    from lodestone.runs.rerun import rerun_part
    from lodestone.scenario import build_scenario, find_scenarios

    for name in list(find_scenarios())[::6]:
        scenario = load_scenario(name)
        again = build_scenario(rerun_part(scenario, None)["scenario"])
        ours, theirs = scenario.to_dict(), again.to_dict()
        assert {**theirs, "reference": ours["reference"]} == ours
