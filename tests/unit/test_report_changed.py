"""A memo of a changed scenario tells the change on its first page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lodestone.outputs.results import Results
from lodestone.report.changed import changed_here
from lodestone.report.reading import Reading
from tests.fixtures.run_folder import make_run_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the common case with a file, a variant and words typed."""
    return make_run_folder(tmp_path / "run")


def told(folder: Path, config: str = "", command: str = "", variant: str = "") -> str:
    """Return what is told of a folder with lines added to its settings."""
    page = folder / "config.yaml"
    text = page.read_text(encoding="utf-8")
    if variant:
        text = text.replace("  interventions:", f"  variant: {variant}\n  interventions:", 1)
        text = text.replace("licence_shock_some", "current_law")
    page.write_text(text + config, encoding="utf-8")
    if command:
        held = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        held["command"] = command
        (folder / "provenance.json").write_text(json.dumps(held), encoding="utf-8")
    return changed_here(Reading(Results.load(folder)))


def test_an_unchanged_scenario_tells_nothing(folder):
    assert told(folder) == ""


def test_what_was_typed_has_its_old_and_its_new_value(folder):
    rerun = """rerun:
  scenario: {interventions: {mp_price_floor: {kind: price_floor, floor_usd_per_kg: 90, note: x}}}
  filed: {mp_price_floor: {kind: price_floor, floor_usd_per_kg: 110, note: y}}
"""
    command = (
        "lodestone run x scenario.interventions.mp_price_floor.floor_usd_per_kg=90 "
        "scenario.overrides.stockpile.japan.days=60 --worlds 8"
    )
    text = told(folder, rerun, command)
    assert text.startswith(
        "MP price floor, floor USD per kg 110 \u2192 90; stockpile.japan.days 60. Title, narrative"
    )
    assert "hypothesis and question are those of the unchanged scenario" in text


def test_a_measure_typed_away_is_told(folder):
    rerun = """rerun:
  scenario: {interventions: {}}
  filed: {price_floor: {kind: price_floor}}
"""
    assert told(folder, rerun).startswith("price floor taken out.")


def test_a_variant_tells_what_it_changes_also_without_its_file(folder, monkeypatch):
    rerun = "rerun: {scenario: {interventions: {truce: {kind: truce, renewal_probability: 0}}}}\n"
    text = told(folder, rerun, variant="october_package_returns")
    assert text.startswith("truce, renewal probability triangular (0.5, 0.75, 0.95) \u2192 0.")
    copy = shutil.copytree(folder, folder.parent / "copy")
    monkeypatch.setattr("lodestone.border.paths.data_root", lambda: folder / "nothing")
    assert changed_here(Reading(Results.load(copy))) == text
