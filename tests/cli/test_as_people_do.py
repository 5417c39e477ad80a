"""Folders, words and files as people have them; damage, and what is typed by mistake."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lodestone.border.errors import InputError
from lodestone.cli import main
from lodestone.runs.grammar import parse_words
from lodestone.studies.metrics import check_metric

TEXT = """name: small
title: "${{oc.env:HOME}}"
question: Who runs short?
reference: none
start: 2024-01-01
end: 2024-02-05
interventions:
  ban: {{kind: export_ban, exporter: china, materials: magnets, start: 2024-01-08, share: {share}}}
"""
NINES = "9" * 5000


def write(folder: Path, share: str = "0.5", name: str = "small.yaml") -> Path:
    path = folder / name
    path.write_text(TEXT.format(share=share), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A run in a folder with spaces, a colon and other alphabets, made by the plain application."""
    folder = tmp_path_factory.mktemp("x") / "Ordner mit: Ünïcode 数据"
    folder.mkdir()
    path = write(folder, name="für mich.yaml")
    words = [f"scenario='{path}'", f"out={folder}/Lauf: 1 ü", "ensemble.worlds=1", "workers=1"]
    words += ["report.formats=[docx]", "scenario.question=${oc.env:HOME}"]
    done = subprocess.run([sys.executable, "-m", "lodestone", *words], cwd=folder, capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "Lauf: 1 ü", done.stderr


@pytest.mark.slow
def test_folders_with_spaces_colons_and_other_alphabets(odd):
    folder, told = odd
    assert "Could not fetch" not in told and (folder / "report.docx").stat().st_size > 40_000


@pytest.mark.slow
def test_the_environment_reaches_no_result(odd):
    """Neither from the file nor from what is typed."""
    text = (odd[0] / "config.yaml").read_text(encoding="utf-8")
    assert text.count("title: ${oc.env:HOME}") == 2
    assert text.count("question: ${oc.env:HOME}") == 2
    assert str(Path.home()) not in text.replace(str(odd[0].parent), "")


@pytest.mark.slow
def test_a_run_is_repeated_from_such_a_folder_and_an_edited_one_is_not(odd, tmp_path, capsys, monkeypatch):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["run", str(odd[0] / "config.yaml"), "out=zwei: ñ", "--quiet", "workers=1"]) == 0
    again = tmp_path / "zwei: ñ"
    for name in ("summary.csv", "worlds.parquet", "shortage_curve.csv"):
        assert (again / name).read_bytes() == (odd[0] / name).read_bytes()
    config = again / "config.yaml"
    written = config.read_text()
    config.write_text(written.replace("share: 0.5", "share: 0.9"))
    assert main(["run", str(config), "out=three", "--quiet"]) == 2
    assert "is not the file that the run wrote" in capsys.readouterr().err
    config.write_text(written)
    (again / "claims.csv").unlink()
    assert main(["report", str(again), "--format", "md"]) == 2
    assert "claims.csv" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["out=Ergebnis: 1 ü", "out=數據/a b", "out=Läufe (2), neu", "out=a=b"])  # fmt: skip
def test_a_path_is_taken_as_it_is_typed(word):
    assert parse_words([word]) == {"out": word.removeprefix("out=")}


def test_text_of_any_alphabet_is_text():
    assert parse_words(["scenario.title=Über uns: 1"]) == {"scenario.title": "Über uns: 1"}
    assert parse_words(["out='a b'"]) == {"out": "a b"}


@pytest.mark.parametrize(
    ("share", "told"),
    [
        ("0,5", "0.5"),
        ("{dist: uniform, low: 0,1, high: 0,5}", "decimal comma"),
        ("[0,5]", "write 0.5"),
        ("{2024-01-08: 0,5}", "decimal comma"),
    ],
)
def test_a_decimal_comma_in_one_line_is_told(tmp_path, capsys, share, told):
    assert main(["check", str(write(tmp_path, share))]) == 2
    err = capsys.readouterr().err
    assert told in err and "small.yaml:8" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--worlds", NINES],
        [f"ensemble.seed={NINES}"],
        ["ensemble.worlds=1e400"],
        [f"scenario.interventions.ban.share={NINES}"],
        [f"scenario.overrides.stockpile.japan.days={NINES}"],
        [f"workers=-{NINES}"],
    ],
)
def test_numbers_of_thousands_of_digits(tmp_path, capsys, words):
    assert main(["run", str(write(tmp_path)), *words]) == 2
    err = capsys.readouterr().err
    assert len(err) < 1600 and "Traceback" not in err


@pytest.mark.parametrize("metric", ["unmet_t(sector=all, sector=all)", "delta(unmet_t(region=japan,region=europe))", "reference(leak_t(year=2024,year=2024))"])  # fmt: skip
def test_a_repeated_selector_is_refused_even_where_it_says_the_same(metric):
    with pytest.raises(InputError, match="twice"):
        check_metric(metric)


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-", "0<&-"])
def test_an_output_that_is_closed_from_the_start_is_no_error(closed):
    code = "import sys; from lodestone.cli import main; sys.exit(main(['list', 'metrics']))"
    line = f'"{sys.executable}" -c "{code}" {closed}'
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "defect" not in done.stderr


def test_an_overlay_that_changes_a_measure_is_checked_beside_its_scenario(tmp_path, capsys):
    write(tmp_path)
    overlay = tmp_path / "more.yaml"
    overlay.write_text("interventions:\n  ban: {share: 0.7}\n")
    assert main(["check", str(overlay)]) == 0
    overlay.write_text("interventions:\n  ban: {shar: 0.7}\n")
    capsys.readouterr()
    assert main(["check", str(overlay)]) == 2
    err = capsys.readouterr().err
    assert "more.yaml:2" in err and "'share'" in err


def test_check_tells_that_the_reference_is_not_the_shipped_one(tmp_path, capsys, monkeypatch):
    from lodestone.border.paths import data_root

    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    text = (data_root("scenarios") / "calm_2024.yaml").read_text()
    (tmp_path / "scenarios" / "calm_2024.yaml").write_text(text)
    own = tmp_path / "small.yaml"
    own.write_text(TEXT.format(share="0.5").replace("reference: none", "reference: calm_2024"))
    assert main(["check", str(own)]) == 0
    assert "not the shipped one" in capsys.readouterr().err


def test_metric_writes_null_for_never(odd, capsys):
    assert main(["metric", str(odd[0]), "first_stoppage(region=china)", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["p50"] is None


def test_metric_says_never_on_the_screen_as_the_table_of_run_does(odd, capsys):
    assert main(["metric", str(odd[0]), "first_stoppage(region=china)"]) == 0
    told = capsys.readouterr().out
    assert "never" in told and "inf" not in told


def test_every_test_that_the_table_of_faults_names_exists():
    root, seen = Path(__file__).parents[2], 0
    for line in (root / "docs/faults.md").read_text(encoding="utf-8").splitlines():
        file = root
        for named in re.findall(r"`((?:tests/|test_)[\w/.:]+)`", line):
            path, _, name = named.rpartition("::") if "::" in named else ("", "", named)
            if named.startswith("tests/") and not path:
                path, name = named, ""
            file = root / path if path else file
            assert file.exists() and (file.is_file() or not name), line
            assert not name or f"def {name}(" in file.read_text(encoding="utf-8"), named
            seen += 1
    assert seen > 40


@pytest.mark.parametrize(
    ("unit", "told"),
    [("kg", "is a mass"), ("share", "is a share"), ("[weeks]", "must be a unit"), ("fortnites", "unknown unit")],
)  # fmt: skip
def test_the_unit_of_an_observed_fact_is_read_where_it_stands(tmp_path, capsys, unit, told):
    from lodestone.border.paths import data_root

    shipped = data_root("seeds") / "episodes" / "licensing_2025"
    text = (shipped / "episode.yaml").read_text(encoding="utf-8")
    (line,) = [n for n, row in enumerate(text.splitlines(), 1) if row == "    unit: weeks"]
    folder = tmp_path / "licensing_2025"
    folder.mkdir()
    for file in shipped.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "episode.yaml").write_text(text.replace("    unit: weeks", f"    unit: {unit}"))
    assert main(["check", str(folder / "episode.yaml")]) == 2
    err = capsys.readouterr().err
    assert f"episode.yaml:{line}: facts." in err and told in err


def test_a_decimal_comma_in_an_episode_is_told(tmp_path, capsys):
    from lodestone.border.paths import data_root

    shipped = data_root("seeds") / "episodes" / "border_2021"
    text = (shipped / "episode.yaml").read_text(encoding="utf-8")
    folder = tmp_path / "border_2021"
    folder.mkdir()
    (folder / "episode.yaml").write_text(text.replace("observed: -93.5", "observed: -93,5"))
    assert main(["check", str(folder / "episode.yaml")]) == 2
    err = capsys.readouterr().err
    assert "facts.0.observed" in err and "with a point" in err
