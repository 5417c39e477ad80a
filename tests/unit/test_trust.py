"""Nothing about input is silently wrong: each kind of fault by a small file, and by a twin of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lodestone.border.csvfile import read_rows
from lodestone.border.errors import LONGEST, InputError, printable
from lodestone.border.files import csv_cell, csv_text, json_text, read_path, read_text, save_table
from lodestone.border.units import unit_factor
from lodestone.cli import main
from lodestone.scenario import load_scenario

MINE = """
name: mine
question: What if?
start: 2024-01-01
end: 2026-01-01
interventions:
  stop:
    kind: export_ban
    exporter: china
    materials: dy_oxide
    start: 2025-01-01
    share: 0.5
variants:
  half: {interventions: {stop: {share: 0.25}}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(folder: Path, text: str, name: str = "mine.yaml", **how) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(path, **how)
    return str(caught.value)


# ---- accepted and without effect -------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("half: {interventions", "half: {intervention", "variants.half.intervention: unknown key. Did you mean 'interventions'?"),
        ("{stop: {share", "{stop: {shar", "variants.half.interventions.stop.shar: unknown key. Did you mean 'share'?"),
        ("{stop: {share: 0.25", "{stpo: {share: 0.25", "unknown intervention 'stpo'. Did you mean 'stop'?"),
        ("{stop: {share: 0.25}}", "{stop: {shar: }}", "unknown key. Did you mean 'share'?"),
        ("half: {interventions: {stop: {share: 0.25}}}", "half: {overrides: {stockpile.japan.day: 1}}", "unknown parameter 'stockpile.japan.day'"),
        ("half: {interventions: {stop: {share: 0.25}}}", "half: {hypothesis: {confirmed: x}}", "variants.half.hypothesis.confirmed: unknown key"),
        ("half: {interventions: {stop: {share: 0.25}}}", "half: {}", "changes nothing"),
        ("    share: 0.5", "    shar:", "interventions.stop.shar: unknown key. Did you mean 'share'?"),
        ("    share: 0.5", "    share: 0,5", "write 0.5, with a point"),
        ("end: 2026-01-01", "end: 2026-01-01\ntitle: [a, b]", "title: must be text"),
        ("end: 2026-01-01", "end: 2026-01-01\nnarrative: {a: b}", "narrative: must be text"),
        ("end: 2026-01-01", "end: 2026-01-01\noverrides: {stockpile.japan.day: }", "unknown parameter"),
        ("end: 2026-01-01", "end: 2026-01-01\noverrides: {stockpile.japan.days: }", "overrides.stockpile.japan.days: is empty"),
        ("    share: 0.5", "  other:", "is empty"),
    ],
)  # fmt: skip
def test_what_would_have_no_effect_is_refused(here, old, new, told):
    text = MINE.replace(old, new)
    assert text != MINE
    if "other:" in new:
        text = MINE.replace("    share: 0.5", "    share: 0.5\n  other:")
    assert told in refusal(here, text)


def test_a_decimal_comma_in_one_line_is_refused_with_the_point_as_hint(here):
    line = "interventions: {stop: {kind: export_ban, exporter: china, materials: dy_oxide, share: 0,5}}"
    text = MINE[: MINE.index("interventions:")] + line + "\n"
    assert "A decimal comma? Numbers are written with a point: 0.5." in refusal(here, text)


def test_an_overlay_that_takes_out_what_is_not_there_is_refused(here):
    (here / "none.yaml").write_text("interventions: {stpo: null}\n", encoding="utf-8")
    told = refusal(here, MINE, overlays=["none.yaml"])
    assert "none.yaml:1: interventions.stpo: " in told and "Did you mean 'stop'?" in told
    (here / "title.yaml").write_text("title: [a]\ninterventions: {stop: null}\n", encoding="utf-8")
    assert "title.yaml:1: title: must be text" in refusal(here, MINE, overlays=["title.yaml"])


# ---- the right place is blamed ----------------------------------------------------------------


def test_each_layer_has_its_own_file_and_line(here):
    (here / "base.yaml").write_text(MINE.replace("mine", "base"), encoding="utf-8")
    child = "defaults: [base, _self_]\nname: mine\ninterventions:\n  stop: {share: 7}\n"
    assert "mine.yaml:4: interventions.stop.share" in refusal(here, child)
    (here / "base.yaml").write_text(
        MINE.replace("mine", "base").replace("share: 0.5", "share: 7"), encoding="utf-8"
    )
    told = refusal(here, "defaults: [base, _self_]\nname: mine\n")
    assert "base.yaml:12: interventions.stop.share" in told
    (here / "over.yaml").write_text(
        "title: x\n\noverrides:\n  stockpile.japan.days: -5\n", encoding="utf-8"
    )
    assert "over.yaml:4: overrides.stockpile.japan.days" in refusal(
        here, MINE, overlays=["over.yaml"]
    )
    variant = MINE.replace("share: 0.25", "share: 25")
    assert "mine.yaml:14: interventions.stop.share" in refusal(here, variant, variant="half")
    told = refusal(here, MINE, overrides={"interventions.stop.share": 7})
    assert told.startswith("scenario.interventions.stop.share: ")


def test_a_wrong_reference_is_blamed_on_the_reference(here, capsys):
    (here / "calm.yaml").write_text(
        MINE.replace("mine", "calm").replace("share: 0.5", "share: 7"), encoding="utf-8"
    )
    (here / "mine.yaml").write_text(
        MINE.replace("end: 2026", "reference: calm\nend: 2026"), encoding="utf-8"
    )
    assert main(["check", "mine.yaml"]) == 2
    assert "calm.yaml:12: interventions.stop.share" in capsys.readouterr().err


def test_an_overlay_is_checked_in_any_folder(here, capsys):
    (here / "deep").mkdir()
    overlay = here / "deep" / "mine.yaml"
    overlay.write_text("overrides: {stockpile.japan.days: 30}\n", encoding="utf-8")
    assert main(["check", str(overlay)]) == 0
    overlay.write_text("overrides: {stockpile.japan.dys: 30}\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["check", str(overlay)]) == 2
    assert "mine.yaml:1: overrides.stockpile.japan.dys" in capsys.readouterr().err


# ---- budgets and numbers ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: " + "[" * 60000, "is nested more than"),
        ("a: " + "{b: " * 60000, "is nested more than"),
        (
            "a: &a [" + "1," * 900 + "1]\nb: [" + "*a," * 100 + "*a]\n",
            "holds more than 20,000 values",
        ),
        ("a: " + "9" * 5000, "a number of 5000 digits"),
        ("a: !!python/object/apply:os.system [ls]\n", "is not read"),
        ("a: !thing 1\n", "is not read"),
        ("a: *b\n", "not valid YAML"),
        ("x" * 300 + ": 1\n", "a key of 300 characters"),
        ("a: '" + "x" * 1_000_001 + "'", "holds more than 1,000,000 bytes"),
        ("a: 1\n---\nb: 2\n", "a second document begins"),
        ("a: \0\n", "not valid YAML"),
    ],
)
def test_what_only_a_program_would_write_is_refused_at_once(here, text, told):
    message = refusal(here, text)
    assert told in message or (told == "not valid YAML" and "nothing is called" in message)
    assert len(message) <= LONGEST


def test_a_hundred_problems_are_told_within_a_page(here):
    bad = "\n".join(
        f"  n{i}: {{kind: export_ban, exporter: chinna, materials: dy_oxid}}" for i in range(100)
    )
    told = refusal(here, MINE[: MINE.index("  stop:")] + bad + "\n")
    assert told.startswith("200 problems:") and len(told) <= LONGEST and " more" in told


def test_messages_do_not_steer_the_terminal(here):
    told = refusal(here, MINE.replace("exporter: china", 'exporter: "\\e[31mchina\\u202e"'))
    assert "\x1b" not in told and "\u202e" not in told and "\\x1b[31mchina" in told
    assert printable("grüße 稀土\n\t") == "grüße 稀土\n\t"


# ---- files as people have them ----------------------------------------------------------------


def test_a_byte_order_mark_line_ends_and_other_alphabets(here):
    folder = here / "мои сценарии: 稀土 (a b)"
    folder.mkdir()
    path = folder / "mine.yaml"
    path.write_bytes(("\ufeff" + MINE).replace("\n", "\r\n").encode())
    assert load_scenario(path).name == "mine"
    path.write_bytes(MINE.encode() + b"note: \xff\xfe\n")
    with pytest.raises(InputError, match="line 15: is not text in UTF-8"):
        load_scenario(path)


def test_tables_with_semicolons_and_decimal_commas(here):
    path = here / "t.csv"
    path.write_text("\ufeffname;value;text\na;0,5;one, two\nb;-1,25;x\n", encoding="utf-8")
    assert read_rows(path) == [
        (1, ["name", "value", "text"]), (2, ["a", "0.5", "one, two"]), (3, ["b", "-1.25", "x"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('a,b\n1,"x\n2,y\n3,z\n', ":2: a quote is opened and not closed"),
        ('a,b\n1,x\n2,"y" z\n', ":3: a quote stands inside a cell"),
        ("a,b\n1,\0\n", ":2: holds a NUL"),
    ],
)
def test_a_broken_table_names_the_line(here, text, told):
    path = here / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_rows(path)
    assert told in str(caught.value)


@pytest.mark.parametrize("word", ["a\0b", "x" * 300, "a/" + "y" * 256, "~no_such_person_at_all/x"])
def test_paths_that_are_none(word):
    with pytest.raises(InputError):
        read_path(word)


def test_what_the_system_refuses_is_told_in_our_words(here):
    with pytest.raises(InputError, match="is a folder"):
        read_text(here)
    (here / "loop").symlink_to(here / "loop")
    with pytest.raises(InputError, match="links go in a circle"):
        read_text(here / "loop")


# ---- what leaves the program ------------------------------------------------------------------


def test_no_cell_is_a_formula_and_no_number_is_lost(here):
    import pandas as pd

    assert [csv_cell(v) for v in ("=1+1", "@x", "+cmd", "-x", "-1.5", "+2", "a=b", 3.0, "")] == [
        "'=1+1", "'@x", "'+cmd", "'-x", "-1.5", "+2", "a=b", 3.0, "",
    ]  # fmt: skip
    assert csv_text(("a",), [("=cmd()",)]) == "a\n'=cmd()\n"
    save_table(here / "t.csv", pd.DataFrame({"a": ["=cmd()", "b"], "n": [-1.0, 2.0]}))
    assert (here / "t.csv").read_text() == "a,n\n'=cmd(),-1\nb,2\n"


def test_json_holds_no_number_that_does_not_exist():
    held = {"a": float("inf"), "b": [float("nan"), -float("inf"), 1.5], "c": {"d": float("nan")}}
    assert json.loads(json_text(held)) == {"a": None, "b": [None, None, 1.5], "c": {"d": None}}


def test_an_interpolation_in_a_users_file_is_text(here):
    """The plain Hydra application resolves ``${...}`` of its own files, never of a user's."""
    text = MINE.replace(
        "question: What if?", "question: 'What of ${oc.env:HOME} and ${x}?'"
    ).replace("end: 2026-01-01", "end: 2024-03-01\nreference: none")
    (here / "mine.yaml").write_text(
        text.replace("start: 2025-01-01", "start: 2024-02-01"), encoding="utf-8"
    )
    words = ["scenario=mine.yaml", "ensemble.worlds=2", "clock.market_days=14", "workers=1",
             "report.formats=[]", "out=out", "quiet=true"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "lodestone", *words], capture_output=True, text=True, cwd=here
    )
    assert done.returncode == 0, done.stderr
    config = (here / "out" / "config.yaml").read_text(encoding="utf-8")
    assert "${oc.env:HOME}" in config and os.environ.get("HOME", "/root") not in config


def test_a_closed_output_is_no_error(here):
    done = subprocess.run(
        f"{sys.executable} -m lodestone list parameters | head -1", shell=True,
        capture_output=True, text=True, cwd=here,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == ""


def test_text_that_a_terminal_cannot_print_is_written_out(here):
    (here / "scenarios").mkdir()
    (here / "scenarios" / "mine.yaml").write_text(
        MINE.replace("What if?", "Was wäre, 稀土?"), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "lodestone", "show", "mine"], capture_output=True, cwd=here,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0 and rb"\u7a00" in done.stdout


def test_a_defect_is_one_line_and_with_debug_a_log_file(here, monkeypatch, capsys):
    def broken(*_):
        raise ZeroDivisionError("so it goes")

    monkeypatch.setattr("lodestone.cli.catalogue.catalogue", broken)
    assert main(["list", "scenarios"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said and "so it goes" in said and not list(here.glob("*.log"))
    assert main(["list", "scenarios", "--debug"]) == 1
    (log,) = here.glob("lodestone-*.log")
    assert "ZeroDivisionError" in log.read_text() and str(log) in capsys.readouterr().err


# ---- units ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("natural", "stated", "factor"),
    [
        ("share", "%", 100.0), ("weeks", "days", 7.0), ("t per month", "kt/year", 12 / 1000),
        ("USD/kg", "USD/t", 1000.0), ("days", "weeks", 1 / 7), ("ratio", "percent", 100.0), ("t", "kt", 1e-3),
    ],
)  # fmt: skip
def test_units_are_converted(natural, stated, factor):
    assert unit_factor(natural, stated) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("natural", "stated", "told"),
    [
        ("USD/kg", "t", "'t' is a mass"), ("t per month", "t", "'t' is a mass"),
        ("share", "weeks", "'weeks' is a time"), ("index", "%", "is a share"),
        ("USD/kg", "USD/lb", "unknown unit"), ("t", "tonns", "unknown unit"),
    ],
)  # fmt: skip
def test_a_unit_of_something_else_is_refused(natural, stated, told):
    with pytest.raises(ValueError, match=told):
        unit_factor(natural, stated)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    share: 0.5", "    share: 50"),
        ("    share: 0.5", "    share: 0.5\n    duration: 1.0e+9"),
        ("kind: export_ban\n    exporter: china\n    materials: dy_oxide",
         "kind: tariff\n    levied_by: importer\n    importer: united_states\n    exporter: china\n    materials: dy_oxide\n    rate: 500"),
    ],
)  # fmt: skip
def test_magnitudes_that_nobody_means_are_refused(here, old, new):
    text = MINE.replace(old, new)
    if "tariff" in new:
        text = text.replace("    share: 0.5\n", "")[: text.index("variants")]
    assert "mine.yaml:" in refusal(here, text)
