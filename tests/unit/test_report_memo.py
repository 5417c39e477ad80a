"""The memo: the question asked, on the right clock, in every case; its files and their pages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from lodestone.border.errors import InputError
from lodestone.outputs.results import Results
from lodestone.report import write_report
from lodestone.report.asked import headline_rows
from lodestone.report.course import course, measures
from lodestone.report.figures.shortage import worst_sentence
from lodestone.report.memo import answer, headline_table, hypothesis, left_out
from lodestone.report.phrases import share_of_worlds
from lodestone.report.reading import Reading
from lodestone.report.render import escape
from lodestone.report.word import lines, measure
from tests.fixtures.run_folder import CASES, make_run_folder

FORMATS = ("html", "md", "docx", "pdf", "brief", "xlsx", "slide")


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
def report(runs: dict[str, Path]) -> dict[str, Path]:
    """Return the memo's files of the common case, all formats."""
    return {path.name: path for path in write_report(runs["some"], FORMATS)}


def changed(folder: Path, target: Path, old: str, new: str) -> Path:
    """Copy a run folder with a text of its settings changed."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("figures", "report*"))
    page = target / "config.yaml"
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new), encoding="utf-8")
    return target


# ---- the answer ------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_answer_is_sentences_with_numbers_and_nothing_raw(case, readings):
    sentences = answer(readings[case])
    assert 1 <= len(sentences) <= 4
    for sentence in sentences:
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not re.search(r"\b(nan|inf|None|not known)\b", sentence)
    if case != "calm":
        assert re.search(r"\d", sentences[0])


@pytest.mark.parametrize("case", [c for c in CASES if c != "calm"])
def test_the_first_sentence_answers_the_first_number_asked_for(case, readings):
    assert answer(readings[case])[0].startswith("The first users stop")


@pytest.mark.parametrize(
    ("case", "said", "never_said"),
    [
        ("none", "in no world within the run", "days"),
        ("rare", "in 2 of 23 worlds (9 %)", "in all"),
        ("some", "48 days (37\u201366) after 4 April 2025, in all 23 worlds", "none of the 23"),
        ("fewer", "10 days later than in the reference", "earlier"),
    ],
)
def test_waiting_is_told_right(case, said, never_said, readings):
    first = answer(readings[case])[0]
    assert said in first
    assert never_said not in first


@pytest.mark.parametrize(
    ("case", "said", "never_said"),
    [
        ("none", "neither cause nor cure", "largest"),
        ("calm", "neither cause nor cure", "largest"),
        ("rare", "in one world in twenty", "in most worlds;"),
        ("some", "is over after 10 November 2025", "to the end of the run;"),
        ("total", "lasts to the end of the run", "is over"),
        ("total", "in at least 95 % of worlds", "in most worlds"),
        ("fewer", "Less use goes unmet than in the reference", "more"),
        ("alone", "Use goes unmet from", "reference"),
    ],
)
def test_the_course_is_right_in_every_case(case, said, never_said, readings):
    text = course(readings[case])
    assert said in text
    assert never_said not in text


def test_where_nothing_differs_the_memo_says_so_and_stops(runs, readings, unpainted):
    assert len(answer(readings["calm"])) == 1
    assert "Nothing differs from the reference" in answer(readings["calm"])[0]
    (page,) = write_report(runs["calm"], ("md",))
    text = page.read_text(encoding="utf-8")
    assert "| Asked for |" not in text
    assert "*Figure 1" not in text
    assert "What to watch next" not in text


def test_shortage_is_not_told_where_it_is_not_asked_for(runs, tmp_path):
    text = runs["some"] / "config.yaml"
    asked = re.search(r"  headline:\n(    - .*\n)+", text.read_text(encoding="utf-8"))[0]
    new = "  headline:\n    - public_outlay_usd_million\n"
    folder = changed(runs["some"], tmp_path / "money", asked, new)
    told = answer(Reading(Results.load(folder)))
    assert told[0].startswith("Public outlay")
    assert not any("goes unmet" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "in none of the 200 worlds"),
        (1, "in 1 of 200 worlds (under 1 %)"),
        (10, "in 10 of 200 worlds (5 %)"),
        (200, "in all 200 worlds"),
    ],
)
def test_shares_of_worlds_have_words_of_their_own(count, said):
    assert share_of_worlds(count, 200) == said


def test_the_hypothesis_is_a_sentence_with_its_probability(readings, report):
    stated = hypothesis(readings["rare"])
    assert stated["text"] == "Missing magnets stop assembly plants within ten weeks."
    assert stated["told"] == (
        "It holds in 2 of 23 worlds (9 %) and is refuted in 21 of 23 worlds (91 %)."
    )
    brief, annex = report["report.md"].read_text(encoding="utf-8").split("\n# Annexes\n")
    assert "< days(70)" not in brief.replace("\\", "")
    assert "< days(70)" in annex.replace("\\", "")


def test_the_hypothesis_says_that_a_measure_was_changed_beside_the_reference(runs, tmp_path):
    folder = tmp_path / "typed"
    shutil.copytree(runs["rare"], folder)
    path = folder / "provenance.json"
    held = json.loads(path.read_text(encoding="utf-8")) | {"changed_alone": ["mine_halt"]}
    path.write_text(json.dumps(held), encoding="utf-8")
    stated = hypothesis(Reading(Results.load(folder)))
    assert "\u201cmine halt\u201d is changed and the reference not" in stated["told"]


# ---- the clock -------------------------------------------------------------------------


def test_the_clock_starts_with_the_first_measure_that_the_reference_does_not_have(
    runs, tmp_path, unpainted
):
    shared = """reference: {name: other, interventions: {april_2025_licences: {kind: export_licence,
      role: disruption, exporter: china, materials: [dy_oxide, tb_oxide, ndfeb_high_coercivity, smco],
      announced: 2025-04-04, start: 2025-04-04, end: null, source: [c120]}}}"""
    folder = changed(runs["some"], tmp_path / "late", "reference: {name: calm_2024}", shared)
    reading = Reading(Results.load(folder))
    assert [mark.name for mark in reading.marks] == ["price_floor"]
    assert str(reading.since.date()) == "2025-10-01"
    assert reading.delta().index[0] >= reading.since
    assert "4 April" not in measures(reading)
    (page,) = write_report(folder, ("md",))
    brief = page.read_text(encoding="utf-8").split("\n# Annexes\n")[0]
    earlier = (
        r"(January|February|March|April|May|June|July|August|September) 2025|2024(?!-01-01|\.)"
    )
    told = [
        line for line in brief.splitlines() if "data of 2024" not in line and "USD of" not in line
    ]
    assert not re.findall(earlier, "\n".join(told).replace("Licences of", ""))


def test_a_measure_that_the_reference_has_otherwise_counts_from_where_it_differs(runs, tmp_path):
    longer = """reference: {name: other, interventions: {april_2025_licences: {kind: export_licence,
      role: disruption, exporter: china, materials: [dy_oxide, tb_oxide, ndfeb_high_coercivity, smco],
      announced: 2025-04-04, start: 2025-04-04, end: 2026-05-01, source: [c120]}}}"""
    folder = changed(runs["some"], tmp_path / "end", "reference: {name: calm_2024}", longer)
    marks = {mark.name: mark for mark in Reading(Results.load(folder)).marks}
    assert marks["april_2025_licences"].change == "changed"
    assert str(marks["april_2025_licences"].start.date()) == "2026-05-01"


def test_a_metric_that_counts_from_a_date_names_it_and_not_the_first_measure():
    from lodestone.report.asked import Frame, title_of

    frame = Frame(pd.Timestamp("2014-12-29"), pd.Timestamp("2009-01-01"))
    for name in ("price_peak_multiple", "price_multiple_home", "price_multiple_ask"):
        asked = {"material": "la_oxide"}
        assert "within two years of 1 January 2009" in title_of(frame, name, asked)
        cut = title_of(frame, name, {**asked, "since": "2010-07-08"})
        assert "within two years of 8 July 2010" in cut and "2009" not in cut


def test_announcement_and_start_are_both_named(runs, tmp_path):
    folder = changed(
        runs["some"], tmp_path / "told", "announced: 2025-04-04", "announced: 2025-02-01"
    )
    reading = Reading(Results.load(folder))
    assert str(reading.since.date()) == "2025-02-01"
    assert "announced 1 February 2025, in force from 4 April 2025" in measures(reading)


def test_an_older_run_folder_gives_differences_of_quantiles_and_says_so(runs, tmp_path, unpainted):
    folder = tmp_path / "old"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report*"))
    (folder / "delta_curve.csv").unlink()
    reading = Reading(Results.load(folder))
    assert not reading.paired
    paired = Reading(Results.load(runs["some"])).shortage()
    assert reading.shortage().p50 == pytest.approx(paired.p50)
    (page,) = write_report(folder, ("md",))
    assert "no differences world by world" in page.read_text(encoding="utf-8")


# ---- the tables ------------------------------------------------------------------------


def test_rows_without_effect_are_left_out_and_counted(readings):
    rows = headline_rows(readings["some"])
    shown = headline_table(rows)
    assert len(rows) == 6
    assert len(shown) == 5
    assert "One number asked for is not moved" in left_out(readings["some"], rows)
    assert "share of China in world magnet output" in left_out(readings["some"], rows)


def test_one_scale_and_unit_a_row(readings):
    rows = {row["what"]: row for row in headline_table(headline_rows(readings["some"]))}
    lost = next(row for what, row in rows.items() if what.startswith("Lost output"))
    assert lost["unit"] == "USD billion"
    assert lost["scenario"] == "12 (6\u201326)"
    assert lost["difference"] == "+12 (6 to 26)"
    stop = next(row for what, row in rows.items() if what.startswith("Time until"))
    assert stop["reference"] == "never"


def test_without_a_reference_nothing_is_compared(readings, runs, unpainted):
    assert "levels, not differences" in measures(readings["alone"])
    assert all(row["difference"] == "" for row in headline_table(headline_rows(readings["alone"])))
    (page,) = write_report(runs["alone"], ("md",))
    assert "| Difference |" not in page.read_text(encoding="utf-8")


def test_the_days_after_which_users_stop_stand_in_a_table(report):
    text = report["report.md"].read_text(encoding="utf-8")
    section = text.split("\n## Users that stop\n")[1].split("\n## ")[0]
    assert "| region | Europe | 51 days (40\u201369) | 100 % |" in section
    assert "| sector | Wind | 57 days (46\u201375) | 100 % |" in section


def test_a_tiny_user_is_not_called_the_hardest_hit(runs, tmp_path):
    folder = tmp_path / "tiny"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report*"))
    table = Results.load(folder).table("shortage_curve").copy()
    assert Reading(Results.load(folder)).hardest("region")[0] == "india"
    tonnes = [c for c in table.columns if "_t_magnet_per_week" in c]
    table.loc[table["region"] == "india", tonnes] *= 0.01
    table.to_csv(folder / "shortage_curve.csv", index=False)
    reading = Reading(Results.load(folder))
    assert reading.hardest("region")[0] == "europe"
    told = worst_sentence(reading, "region", reading.members("region"))
    assert told.startswith("Of the larger regions Europe is hit hardest: "), told


def test_leaf_rows_alone_are_added_up_without_a_band(runs, tmp_path):
    folder = tmp_path / "leaves"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report*"))
    table = Results.load(folder).table("shortage_curve")
    leaves = table[(table["region"] != "all") & (table["sector"] != "all")].assign(tier="other")
    leaves.to_csv(folder / "shortage_curve.csv", index=False)
    curve = Reading(Results.load(folder)).curve()
    day = leaves["date"] == curve.index[80]
    expected = leaves[day]["unmet_t_magnet_per_week_mean"].sum()
    assert curve["unmet_t_magnet_per_week_mean"].iloc[80] == pytest.approx(expected, rel=1e-9)
    assert curve["unmet_share_p95"].isna().all()


def test_the_claim_check_tells_verdict_and_reason_of_every_claim(report):
    text = report["report.md"].read_text(encoding="utf-8")
    section = text.split("\n## Claim check\n")[1].split("\n## ")[0]
    assert "2 press claims are tested: 1 inside what is found, 1 outside it; 1 cannot be" in section
    rows = [line for line in section.splitlines() if line.startswith("| c0")]
    assert len(rows) == 3
    assert "outside" in rows[1] and "claimed 2,876 t or more" in rows[1]
    assert "not testable" in rows[2] and "circular" in rows[2]


# ---- the files -------------------------------------------------------------------------


def test_the_page_has_all_sections_and_is_self_contained(report):
    page = report["report.html"].read_text(encoding="utf-8")
    sections = re.findall(r"<h2[^>]*>([^<]+)</h2>", page)
    assert sections == [
        "What would change the answer",
        "How far to trust it",
        "What to watch next",
        "The scenario",
        "What the headline numbers rest on",
        "Hypothesis, as it is judged",
        "Users that stop",
        "All numbers",
        "Public money",
        "Further figures",
        "Claim check",
        "Calendar",
        "Remarks on the scenario",
        "Assumptions and sources",
        "How to reproduce",
    ]
    assert "Price_floor never acts: its end lies before; its own start." in page
    assert re.search(r"Public stocks.* buy for USD 80 million .*, sell for USD 29 million", page)
    assert "hold goods at the end worth" in page
    pictures = re.findall(r"<img[^>]*>", page)
    assert len(pictures) >= 10
    for picture in pictures:
        assert 'src="data:image/' in picture
        assert len(re.search(r'alt="([^"]*)"', picture)[1]) > 60
    assert not re.search(r'(src|href)="(?!data:|https?://|#)', page)
    assert "<script" not in page
    assert len(page) < 2_000_000


@pytest.mark.parametrize(
    "case",
    [c if c == "total" else pytest.param(c, marks=pytest.mark.slow) for c in CASES],
)
def test_the_brief_is_two_pages(case, runs, tmp_path):
    import pypdf

    folder = tmp_path / case
    shutil.copytree(runs[case], folder, ignore=shutil.ignore_patterns("figures", "report*"))
    write_report(folder, ("brief",))
    reader = pypdf.PdfReader(folder / "report-brief.pdf")
    assert len(reader.pages) == 2
    assert "How many days after licensing" in reader.pages[0].extract_text()
    assert "How far to trust it" in reader.pages[1].extract_text()
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts and all("+" in font for font in fonts), "a font that is not embedded"
    # Word breaks pages where it is opened: the two pages are measured from above, and where LibreOffice
    # is they are counted.
    pages = measure(folder / "report-brief.docx")
    assert len(pages) == 2
    assert all(0.1 < page.height < 1.0 for page in pages), pages
    assert bool(pages[0].pictures) == (case != "calm")  # where nothing differs no figure stands
    for page in pages:
        assert len({wide for wide, _ in page.pictures}) <= 1, "figures of a page have one width"
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is not None:
        command = [office, f"-env:UserInstallation=file://{tmp_path / 'office'}", "--headless"]
        command += ["--convert-to", "pdf", "--outdir", str(tmp_path / "word")]
        done = [*command, str(folder / "report-brief.docx")]
        subprocess.run(done, check=True, capture_output=True, timeout=180)
        assert len(pypdf.PdfReader(tmp_path / "word" / "report-brief.pdf").pages) == 2


def test_lines_of_a_word_file_are_counted_from_above():
    assert lines("", 10, 100) == 1
    assert lines("four", 10, 100) == 1
    assert lines("four words in sum", 10, 30) == 3
    assert lines("x" * 30, 10, 100) == 2  # Helvetica: half its size an x
    assert lines("the same words, bold", 10, 95, bold=True) >= lines("the same words, bold", 10, 95)


def test_the_word_document_has_styles_captions_and_no_time_stamp(report):
    with zipfile.ZipFile(report["report.docx"]) as held:
        document = held.read("word/document.xml").decode()
        styles = held.read("word/styles.xml").decode()
        core = held.read("docProps/core.xml").decode()
        assert {info.date_time for info in held.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert "dcterms:created" not in core
    for style in ("MemoAnswer", "MemoQuestion", "MemoSmall", "Heading2", "ImageCaption"):
        assert f'w:styleId="{style}"' in styles
        assert f'"{style}"' in document
    widths = re.findall(r"<w:tblW [^>]*>", document)
    assert widths and all('w:type="pct" w:w="5000"' in w for w in widths)


def test_the_workbook_keeps_numbers_and_tames_formulas(report, runs, tmp_path):
    from openpyxl import load_workbook

    from lodestone.report.sheets import save_workbook

    book = load_workbook(report["summary.xlsx"])
    assert book.sheetnames[:3] == ["Headline", "Notes", "All numbers"]
    head = [cell.value for cell in book["Headline"][1]]
    row = dict(zip(head, (cell.value for cell in book["Headline"][3]), strict=True))
    assert row["metric"] == "unmet_t" and isinstance(row["p50"], float)
    path = tmp_path / "book.xlsx"
    save_workbook(path, [("A", ["x"], [["=1+1"], ["+2"], ["-3 t"], ["@cmd"], [-4.5]])])
    cells = [cell.value for (cell,) in load_workbook(path)["A"].iter_rows(min_row=2)]
    assert cells == ["'=1+1", "'+2", "'-3 t", "'@cmd", -4.5]
    assert all(c.data_type != "f" for (c,) in load_workbook(path)["A"].iter_rows())


def test_the_slide_is_sixteen_to_nine(report):
    from PIL import Image

    with Image.open(report["slide.png"]) as picture:
        assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.01)


def test_the_markdown_links_to_files_that_exist(report):
    page = report["report.md"]
    links = re.findall(r"\]\((figures/[^)]+)\)", page.read_text(encoding="utf-8"))
    assert len(links) >= 20 and len(set(links)) == len(links)
    for link in links:
        assert (page.parent / link).is_file()


@pytest.mark.slow
def test_the_same_folder_gives_the_same_bytes(report, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(report["report.md"].parent, copy, ignore=shutil.ignore_patterns("report*"))
    made = write_report(copy, ("brief", "html"))
    for path in made:
        assert path.read_bytes() == (report.get(path.name, path)).read_bytes()


@pytest.mark.slow
def test_a_report_is_made_without_the_data_that_made_the_run(runs, tmp_path, monkeypatch):
    folder = tmp_path / "later"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report*"))
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr("lodestone.report.figures.settle", lambda _: None)
        quick.setattr("lodestone.report.figures.save", lambda _, path: path)
        write_report(folder, ("md",))
    kept = (folder / "report.md").read_text(encoding="utf-8")
    from lodestone.border import paths

    def gone(*_: object) -> Path:
        raise InputError("the data folder 'seeds' is missing")

    monkeypatch.setattr(paths, "data_root", gone)
    write_report(folder, ("md",))
    assert (folder / "report.md").read_text(encoding="utf-8") == kept


@pytest.mark.parametrize("name", ["worlds.parquet", "shortage_curve.csv", "config.yaml"])
def test_a_missing_or_damaged_file_is_named(name, runs, tmp_path):
    folder = tmp_path / "hurt"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report*"))
    (folder / name).write_bytes(b"\x00\x01 not a table {")
    with pytest.raises(InputError) as caught:
        write_report(folder, ("md",))
    assert name in str(caught.value)
    (folder / name).unlink()
    with pytest.raises(InputError) as caught:
        write_report(folder, ("md",))
    assert name in str(caught.value)


def test_no_half_written_file_is_left(report):
    names = [p.name for p in report["report.md"].parent.rglob("*")]
    assert not [n for n in names if n.startswith(".") or n.endswith(".part")]


def test_no_format_makes_no_report(runs):
    assert write_report(runs["calm"], ()) == []


@pytest.mark.parametrize(("form", "hint"), [("htm", "html"), ("brif", "brief"), ("xls", "xlsx")])
def test_an_unknown_format_is_refused_with_a_hint(form, hint, runs):
    with pytest.raises(InputError, match=hint):
        write_report(runs["calm"], (form,))


def test_text_from_outside_cannot_break_a_table():
    assert escape("a | b\n<script>") == "a \\| b \\<script\\>"


def test_the_kept_scorecard_is_read_again(runs, tmp_path, unpainted):
    folder = tmp_path / "kept"
    shutil.copytree(runs["some"], folder, ignore=shutil.ignore_patterns("figures", "report*"))
    (folder / "backcast.csv").write_text(
        "episode,id,text,metric,observed,band_low,band_high,unit,simulated_p05,simulated_p50,"
        "simulated_p95,pass,scored\n"
        "licensing_2025,X1,plants that stood,stoppages,2.6,2,3,weeks,0,0,0,false,true\n",
        encoding="utf-8",
    )
    (page,) = write_report(folder, ("md",))
    text = page.read_text(encoding="utf-8").replace("\\", "")
    assert "0 of 1 facts in band; missed: plants that stood (observed 2.6, model 0 weeks)" in text


def test_json_of_the_provenance_is_not_needed_to_be_complete(runs):
    held = json.loads((runs["some"] / "provenance.json").read_text(encoding="utf-8"))
    assert "outside_ranges" not in held
