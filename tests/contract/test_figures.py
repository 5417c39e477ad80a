"""Every registered figure keeps the contract, whatever the run says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lodestone.border.errors import InputError
from lodestone.outputs.results import Results
from lodestone.report.figures import FIGURES, Drawing, draw_all, figure, registered
from lodestone.report.reading import Reading
from lodestone.report.style import look
from lodestone.report.wording import human_of
from tests.fixtures.run_folder import CASES, SECTORS, make_run_folder

SPECS = registered()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a run folder of each case."""
    top = tmp_path_factory.mktemp("runs")
    return {case: make_run_folder(top / case, case) for case in CASES}


@pytest.fixture(scope="module")
def drawn(runs: dict[str, Path]) -> Path:
    """Return the run folder of the common case with its figures drawn once."""
    draw_all(runs["some"])
    return runs["some"]


@pytest.fixture(scope="module")
def readings(runs: dict[str, Path]) -> dict[str, Reading]:
    """Return a reading of each case."""
    return {case: Reading(Results.load(folder)) for case, folder in runs.items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_figure_states_its_finding_or_is_left_out(spec, case, readings):
    with look():
        drawing = spec.draw(readings[case])
    if drawing is None:
        return
    assert isinstance(drawing, Drawing)
    assert 20 < len(drawing.finding) < 220
    assert drawing.finding[0].isupper()
    assert not re.search(r"\b(nan|inf|None)\b", drawing.finding + drawing.alt)
    assert len(drawing.alt) > len(drawing.finding)
    assert len(drawing.data) > 0
    written = [t.get_text() for t in drawing.figure.texts]
    assert " ".join(written[0].split()) == drawing.finding
    for axes in drawing.figure.axes:
        assert axes.lines or axes.collections or axes.patches or axes.images, "an empty panel"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_figure_is_saved_as_picture_and_table(spec, drawn):
    folder = drawn / "figures"
    for suffix in ("png", "svg", "csv"):
        assert (folder / f"{spec.name}.{suffix}").stat().st_size > 100
    with Image.open(folder / f"{spec.name}.png") as picture:
        grey = picture.convert("L")
        assert picture.width > 1000
        border = [grey.crop(box) for box in _edges(picture.size)]
        assert all(edge.getextrema()[0] > 240 for edge in border), "ink at the edge: clipped text"
    assert len(pd.read_csv(folder / f"{spec.name}.csv")) > 0
    listing = pd.read_csv(folder / "index.csv").set_index("figure")
    assert listing.loc[spec.name, "alt"]


def _edges(size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Return the right and the lower margin of a picture of this size, 2 pixels wide."""
    width, height = size
    return [(width - 2, 0, width, height), (0, height - 2, width, height)]


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(drawn, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(drawn, copy, ignore=shutil.ignore_patterns("figures"))
    draw_all(copy)
    names = sorted(p.name for p in (copy / "figures").iterdir())
    assert names == sorted(p.name for p in (drawn / "figures").iterdir())
    for name in names:
        first, second = (folder / "figures" / name for folder in (drawn, copy))
        assert first.read_bytes() == second.read_bytes(), name


@pytest.mark.slow
def test_figures_of_an_earlier_run_do_not_linger(runs, tmp_path):
    folder = tmp_path / "calm"
    shutil.copytree(runs["calm"], folder)
    (folder / "figures").mkdir()
    (folder / "figures" / "timeline.png").write_bytes(b"old")
    draw_all(folder)
    assert not (folder / "figures" / "timeline.png").exists()


@pytest.mark.parametrize("table", sorted({table for spec in SPECS for table in spec.needs}))
def test_a_missing_table_is_named(table, runs, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(runs["calm"], folder, ignore=shutil.ignore_patterns("figures"))
    (folder / f"{table}.csv").unlink()
    with pytest.raises(InputError, match=rf"{table}\.csv: is missing"):
        draw_all(folder)


def test_a_second_figure_of_a_name_is_refused():
    name = next(iter(FIGURES))

    def twin(reading):
        return None

    twin.__name__ = name
    with pytest.raises(ValueError, match="registered twice"):
        figure(title="Again", needs=["summary"])(twin)


def test_a_figure_that_needs_an_unknown_table_is_refused():
    with pytest.raises(ValueError, match="unknown tables"):
        figure(title="Odd", needs=["no_such_table"])(lambda reading: None)


def test_net_above_gross_in_a_difference_is_explained_where_it_occurs():
    from lodestone.report.figures.shortage import crossed

    delta = pd.DataFrame({"unmet_p50": [0.0, 5.0], "gross_unmet_p50": [9.0, 3.0]})
    assert "stocks cover less of the gap than in the reference" in crossed(delta)
    assert crossed(delta.assign(unmet_p50=[0.0, 3.0])) == ""


@pytest.mark.parametrize("case", ["some", "total", "alone"])
def test_the_labels_of_the_shortage_curve_cover_no_line(case, runs):
    from matplotlib import dates as mdates
    from matplotlib.text import Annotation

    from lodestone.report.figures.shortage import shortage_curve

    with look():
        drawing = shortage_curve(Reading(Results.load(runs[case])))
        assert drawing is not None
        drawing.figure.draw_without_rendering()
        axes = drawing.figure.axes[0]
        labels = [t for t in axes.texts if isinstance(t, Annotation)]
        told = {t.get_text(): t for t in labels if t.get_text() in ("gross", "net")}
        assert set(told) == {"gross", "net"}
        for name, label in told.items():
            box = label.get_window_extent()
            for line in axes.get_lines():
                x = mdates.date2num(line.get_xdata())
                at = axes.transData.transform(np.column_stack([x, line.get_ydata()]))
                steps = np.linspace(0, len(at) - 1, 12 * len(at))
                across, up = (np.interp(steps, range(len(at)), at[:, i]) for i in (0, 1))
                inside = (across > box.x0) & (across < box.x1) & (up > box.y0) & (up < box.y1)
                vertical = len(at) == 2 and at[0, 0] == at[1, 0]
                assert vertical or not inside.any(), (case, name)


def test_a_title_names_the_tier_and_not_a_bare_word(runs):
    from lodestone.report.figures.shortage import shortage_by_tier, worst_sentence

    reading = Reading(Results.load(runs["some"]))
    with look():
        drawing = shortage_by_tier(reading)
    assert drawing is not None
    title = worst_sentence(reading, "tier", reading.members("tier"))
    assert title.startswith(
        ("Defence use is", "Essential civilian use is", "Other civilian use is")
    )
    names = [axes.get_title(loc="left") for axes in drawing.figure.axes]
    assert names == ["Defence use", "Essential civilian use", "Other civilian use"]
    for axis in ("sector", "region"):
        for name in (*SECTORS, "other_automotive", "other_magnet"):
            assert human_of(axis, name) not in ("other", "other automotive", "other magnet")
