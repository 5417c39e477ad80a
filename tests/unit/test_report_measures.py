"""How long a measure is in force, in how many worlds, and what follows it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from lodestone.outputs.results import Results
from lodestone.report.course import measures
from lodestone.report.figures.timeline import timeline
from lodestone.report.reading import Mark, Reading
from lodestone.report.style import look
from lodestone.report.watching import _caveat, watch
from tests.fixtures.run_folder import make_run_folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the common case."""
    return make_run_folder(tmp_path_factory.mktemp("runs") / "some")


def changed(plain: Path, folder: Path, *texts: tuple[str, str], lines: tuple = ()) -> Reading:
    """Return a copy with texts of its settings changed and lines added to its calendar."""
    shutil.copytree(plain, folder)
    page = folder / "config.yaml"
    text = page.read_text(encoding="utf-8")
    for old, new in texts:
        assert old in text
        text = text.replace(old, new, 1)
    page.write_text(text, encoding="utf-8")
    if lines:
        table = pd.read_csv(folder / "calendar.csv")
        added = pd.DataFrame(list(lines), columns=table.columns)
        pd.concat([table, added]).to_csv(folder / "calendar.csv", index=False)
    return Reading(Results.load(folder))


def mark(reading: Reading, name: str) -> Mark:
    """Return a measure by name."""
    return next(m for m in reading.marks if m.name == name)


def test_a_duration_is_an_end(plain, tmp_path):
    reading = changed(
        plain, tmp_path / "run", ("      end: null", "      end: null\n      duration: 365")
    )
    held = mark(reading, "april_2025_licences")
    assert str(held.end.date()) == "2026-04-04" and not held.end_drawn
    assert "(in force from 4 April 2025 to 4 April 2026)" in measures(reading)
    with look():
        drawing = timeline(reading)
    data = drawing.data.set_index("name")
    assert str(data["end"]["april_2025_licences"]) == "2026-04-04"


def test_a_drawn_duration_ends_at_the_median_and_few_worlds_are_told(plain, tmp_path):
    reading = changed(
        plain,
        tmp_path / "run",
        (
            "      end: null",
            "      end: null\n      duration: {dist: uniform, low: 300, high: 500}",
        ),
        ("      end: 2027-10-01", "      end: 2027-10-01\n      probability: 0.12"),
        lines=((856, "2026-05-09", "april_2025_licences ends (median of worlds)", "", "all", ""),),
    )
    held = mark(reading, "april_2025_licences")
    assert str(held.end.date()) == "2026-05-09" and held.end_drawn
    assert "from 4 April 2025, median of the ends 9 May 2026)" in measures(reading)
    folder = reading.results.folder
    table = pd.read_csv(folder / "calendar.csv", dtype=str)
    table.loc[table["what"] == "price_floor starts", "worlds"] = "0.13"
    table.to_csv(folder / "calendar.csv", index=False)
    reading = Reading(Results.load(folder))
    assert mark(reading, "price_floor").share == 0.13
    assert "(in 13 % of worlds, in force from 1 October 2025" in measures(reading)
    with look():
        drawing = timeline(reading)
    bars = [p for axes in drawing.figure.axes for p in axes.patches if p.get_height() == 0.5]
    assert sorted({round(b.get_alpha(), 2) for b in bars}) == [0.33, 1.0]
    assert "13 %" in [t.get_text() for axes in drawing.figure.axes for t in axes.texts]


def test_a_measure_of_before_the_run_has_its_true_date(plain, tmp_path):
    reading = changed(
        plain,
        tmp_path / "run",
        ("start: 2025-10-01\n      end: 2027", "start: 2023-03-01\n      end: 2027"),
    )
    assert "in force from 1 March 2023 to 1 October 2027" in measures(reading)


def test_what_a_truce_suspends_is_hollow(plain, tmp_path):
    truce = (
        "    truce: {kind: truce, role: policy, start: 2025-04-03, end: 2026-01-10, "
        "suspends: [april_2025_licences]}\n    price_floor:"
    )
    reading = changed(plain, tmp_path / "run", ("    price_floor:", truce))
    held = mark(reading, "april_2025_licences")
    assert [str(d.date()) for d in held.suspended] == ["2025-04-03", "2026-01-10"]
    assert "suspended from its first day on to 10 January 2026" in measures(reading)
    with look():
        drawing = timeline(reading)
    low = drawing.figure.axes[1]
    row = [m.name for m in reading.marks].index("april_2025_licences")
    faces = [
        p.get_facecolor()[:3]
        for p in low.patches
        if p.get_height() == 0.5 and p.get_y() == row - 0.25
    ]
    assert faces[0] == (1.0, 1.0, 1.0) and faces[1] != (1.0, 1.0, 1.0)


def test_what_to_watch_begins_with_the_nearest_date(plain, tmp_path):
    truce = (
        "  decision_date: 2027-01-10\n  interventions:\n    early: {kind: stockpile, role: policy, "
        "start: 2024-02-01}\n    truce: {kind: truce, role: policy, "
        "start: 2025-11-07, end: 2027-01-10, suspends: [april_2025_licences]}"
    )
    reading = changed(plain, tmp_path / "run", ("  interventions:", truce))
    told = watch(reading, [])
    assert told[0] == "What follows the end of “truce” on 10 January 2027."
    assert not any("price floor" in line for line in told[1:])


def test_what_to_watch_is_counted_from_the_shock_and_not_from_an_early_reserve(plain, tmp_path):
    reserve = "  interventions:\n    early: {kind: stockpile, role: policy, start: 2024-02-01}"
    reading = changed(plain, tmp_path / "run", ("  interventions:", reserve))
    told = " ".join(watch(reading, []))
    assert "July 2025" in told and "May 2024" not in told


def test_a_start_that_the_reference_has_is_not_to_be_watched(plain, tmp_path):
    floor = "{kind: price_floor, role: policy, announced: 2026-01-01, start: 2026-06-01}"
    here = ("  interventions:", f"  interventions:\n    floor_here: {floor}")
    reading = changed(plain, tmp_path / "new", here)
    assert "Whether the start of “floor here” comes as announced (June 2026)." in watch(reading, [])
    there = (
        "reference: {name: calm_2024}",
        f"reference: {{name: calm_2024, interventions: {{floor_there: {floor}}}}}",
    )
    reading = changed(plain, tmp_path / "both", here, there)
    assert not any("Whether" in line for line in watch(reading, []))


def test_a_price_beyond_history_has_a_caveat():
    assert _caveat(3.0) == "" and "watch the direction" in _caveat(2090 / 62)


def test_plants_and_ticks_read_well():
    from lodestone.report.calendar import said
    from lodestone.report.style import share_ticks

    assert said("de_heraeus on line") == "Heraeus (DE) on line"
    assert said("april_2025_licences starts") == "April 2025 licences starts"
    ticks = [share_ticks(False)(x, 0) for x in (0.0, 0.0025, 0.005, 0.0075, 0.01)]
    assert ticks == ["0%", "0.25%", "0.5%", "0.75%", "1%"]
