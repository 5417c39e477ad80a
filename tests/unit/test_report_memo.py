"""The memo: structure, and sentences that are right in every case."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from lodestone.border.errors import InputError
from lodestone.outputs.results import Results
from lodestone.report import write_report
from lodestone.report.memo import answer, escape, headline
from lodestone.report.reading import Reading
from tests.fixtures.run_folder import CASES, make_run_folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a run folder of each case."""
    top = tmp_path_factory.mktemp("runs")
    return {case: make_run_folder(top / case, case) for case in CASES}


@pytest.fixture(scope="module")
def readings(runs: dict[str, Path]) -> dict[str, Reading]:
    """Return a reading of each case."""
    return {case: Reading(Results.load(folder)) for case, folder in runs.items()}


@pytest.fixture(scope="module")
def report(runs: dict[str, Path]) -> list[Path]:
    """Return the memo of the common case in all formats."""
    return write_report(runs["some"], ("html", "md", "docx"))


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_three_sentences_with_numbers(case, readings):
    sentences = answer(readings[case])
    assert len(sentences) == 3
    for sentence in sentences:
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not re.search(r"\b(nan|inf|None|not known)\b", sentence)
    assert re.search(r"\d", sentences[0])


@pytest.mark.parametrize(
    ("case", "said", "never_said"),
    [
        ("none", "There is no shortage", "peaks"),
        ("calm", "There is no shortage", "peaks"),
        ("rare", "A shortage is unlikely", "in most worlds"),
        ("some", "is over by 10 November 2025", "horizon"),
        ("total", "is not over at the horizon", "is over by"),
        ("total", "in at least 95 % of worlds", "in most worlds"),
    ],
)
def test_how_short_is_right_in_every_case(case, said, never_said, readings):
    first = answer(readings[case])[0]
    assert said in first
    assert never_said not in first


def test_without_a_reference_nothing_is_compared(readings, runs):
    second = answer(readings["alone"])[1]
    assert "run alone" in second
    assert all(row["difference"] == "" for row in headline(readings["alone"]))
    (page,) = write_report(runs["alone"], ("md",))
    text = page.read_text(encoding="utf-8")
    assert "run alone, without a reference" in text
    assert "| Difference |" not in text


def test_a_shortage_of_the_reference_is_said(runs, tmp_path):
    folder = tmp_path / "both"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report.*"))
    results = Results.load(folder)
    table = results.table("shortage_curve").assign(reference_unmet_share_p50=0.04)
    table.to_csv(folder / "shortage_curve.csv", index=False)
    assert "itself leaves 4.0 % unmet" in answer(Reading(Results.load(folder)))[1]


def test_leaf_rows_alone_are_added_up_without_a_band(runs, tmp_path):
    folder = tmp_path / "leaves"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report.*"))
    table = Results.load(folder).table("shortage_curve")
    leaves = table[(table["region"] != "all") & (table["sector"] != "all")].assign(tier="other")
    leaves.to_csv(folder / "shortage_curve.csv", index=False)
    curve = Reading(Results.load(folder)).curve()
    day = leaves["date"] == curve.index[80]
    expected = leaves[day]["unmet_t_magnet_per_week_mean"].sum()
    assert curve["unmet_t_magnet_per_week_mean"].iloc[80] == pytest.approx(expected, rel=1e-9)
    assert curve["unmet_share_p95"].isna().all()


def test_what_is_not_reached_is_said_in_the_table(readings):
    rows = {row["what"]: row for row in headline(readings["total"])}
    assert rows["Time to recover"]["scenario"].startswith("not within the horizon")
    rows = {row["what"]: row for row in headline(readings["some"])}
    stop = rows["First users stop, after the first disruption"]
    assert stop["scenario"] == "48 days (37\u201366)"
    assert stop["reference"] == "not within the horizon"


def test_the_page_has_all_sections_and_is_self_contained(report):
    page = report[0].read_text(encoding="utf-8")
    sections = re.findall(r"<h2[^>]*>([^<]+)</h2>", page)
    assert sections == [
        "Question",
        "Answer",
        "Headline numbers",
        "Hypothesis",
        "Figures",
        "Claim check",
        "Calendar",
        "Assumptions and sources",
        "How to reproduce",
    ]
    pictures = re.findall(r"<img[^>]*>", page)
    assert len(pictures) == 10
    for picture in pictures:
        assert 'src="data:image/svg+xml' in picture
        assert len(re.search(r'alt="([^"]*)"', picture)[1]) > 60
    assert not re.search(r'(src|href)="(?!data:|https?://|#)', page)
    assert page.count("<table") >= 4
    assert "<script" not in page
    assert len(page) < 5_000_000


def test_the_markdown_links_to_files_that_exist(report):
    text = report[1].read_text(encoding="utf-8")
    links = re.findall(r"\]\((figures/[^)]+)\)", text)
    assert len(links) == 20
    for link in links:
        assert (report[1].parent / link).is_file()


def test_a_word_document_is_written(report):
    assert report[2].read_bytes()[:2] == b"PK"


def test_no_half_written_file_is_left(report):
    names = [p.name for p in report[0].parent.rglob("*")]
    assert not [n for n in names if n.startswith(".") or n.endswith(".part")]


def test_no_format_makes_no_report(runs):
    assert write_report(runs["calm"], ()) == []


@pytest.mark.parametrize(("form", "hint"), [("htm", "html"), ("pdf", "html")])
def test_an_unknown_format_is_refused_with_a_hint(form, hint, runs):
    with pytest.raises(InputError, match=hint):
        write_report(runs["calm"], (form,))


def test_text_from_outside_cannot_break_a_table():
    assert escape("a | b\n<script>") == "a \\| b \\<script\\>"


def test_a_tiny_user_is_not_called_the_hardest_hit(runs, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report.*"))
    table = Results.load(folder).table("shortage_curve").copy()
    assert Reading(Results.load(folder)).hardest("region")[0] == "india"
    tonnes = [c for c in table.columns if "_t_magnet_per_week" in c]
    table.loc[table["region"] == "india", tonnes] *= 0.01
    table.to_csv(folder / "shortage_curve.csv", index=False)
    assert Reading(Results.load(folder)).hardest("region")[0] == "europe"


def test_the_claim_check_tells_verdict_and_reason_of_every_claim(report):
    text = report[1].read_text(encoding="utf-8")
    section = text.split("\n## Claim check\n")[1].split("\n## ")[0]
    assert "2 press claims are tested: 1 inside what is found, 1 outside it; 1 cannot be" in section
    rows = [line for line in section.splitlines() if line.startswith("| c0")]
    assert len(rows) == 3
    assert "outside" in rows[1] and "claimed 2,876 t or more" in rows[1]
    assert "not testable" in rows[2] and "circular" in rows[2]
