"""Comparison: same worlds only, paired differences, regret, dominance, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lodestone.border.errors import InputError
from lodestone.report.asked import Frame
from lodestone.report.cases import Comparison, case_of_point, case_of_run
from lodestone.report.compare import NO_CHOICE, _groups, comparison_facts, write_comparison
from tests.fixtures.run_folder import make_run_folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return run folders of three cases."""
    top = tmp_path_factory.mktemp("runs")
    return {case: make_run_folder(top / case, case) for case in ("none", "some", "total")}


@pytest.fixture(scope="module")
def held(runs: dict[str, Path]) -> Comparison:
    """Return the three cases compared."""
    return Comparison(tuple(case_of_run(folder) for folder in runs.values()))


def test_differences_are_paired_and_the_first_case_is_the_base(held):
    table = held.table().set_index(["metric", "case"])
    rows = table.loc["lost_output_usd_million"]
    base, some = rows.iloc[0], rows.iloc[1]
    assert base["difference_p50"] == 0 and base["separated_from_base"] == ""
    own = held.cases[1].worlds["lost_output_usd_million"].to_numpy()
    calm = held.cases[0].worlds["lost_output_usd_million"].to_numpy()
    assert some["difference_p50"] == pytest.approx(np.median(own - calm))
    assert some["separated_from_base"] == "yes"


def test_regret_is_to_the_best_case_of_the_same_world(held):
    metric = next(m for m in held.metrics if m.name == "lost_output_usd_million")
    regret = held.regret(metric)
    assert (regret.min(axis=0) == 0).all()
    assert regret[0].max() == 0
    assert (regret[2] >= regret[1]).all()


def test_dominance_needs_to_be_no_better_in_anything(held):
    told = held.dominated()
    assert any(t.startswith("licence shock total is dominated by licence shock none") for t in told)
    assert not any(t.startswith("licence shock none is dominated") for t in told)


def test_cases_of_another_seed_are_refused():
    one = case_of_point("a", pd.DataFrame({"world": [0, 1], "unmet_t": [1.0, 2.0]}), 0, "2024")
    two = case_of_point("b", pd.DataFrame({"world": [0, 1], "unmet_t": [1.0, 2.0]}), 1, "2024")
    with pytest.raises(InputError, match="do not hold the same worlds"):
        _ = Comparison((one, two)).worlds


def test_points_of_a_study_are_compared_in_the_worlds_they_share():
    one = case_of_point("a", pd.DataFrame({"world": [0, 1, 2], "unmet_t": [1.0, 2.0, 9.0]}), 0, "x")
    two = case_of_point("b", pd.DataFrame({"world": [1, 0], "unmet_t": [4.0, 5.0]}), 0, "x")
    held = Comparison((one, two))
    assert list(held.worlds) == [0, 1]
    row = held.row(held.metrics[0], 1)
    assert list(row.delta) == [4.0, 2.0]


def test_what_the_bands_do_not_separate_is_named():
    worlds = np.arange(40)
    same = pd.DataFrame({"world": worlds, "unmet_t": 100.0 + worlds})
    jitter = same.assign(unmet_t=same["unmet_t"] + np.where(worlds % 2, 5.0, -5.0))
    far = same.assign(unmet_t=same["unmet_t"] + 50.0)
    cases = [case_of_point(n, f, 0, "x") for n, f in (("a", same), ("b", jitter), ("c", far))]
    held = Comparison(tuple(cases))
    assert held.not_separated(held.metrics[0]) == [("a", "b")]


def test_the_files_of_a_comparison(runs, tmp_path):
    import pypdf

    cases = [case_of_run(folder) for folder in runs.values()]
    made = write_comparison(cases, tmp_path / "c", ("md", "brief", "xlsx"), "lodestone compare a b")
    assert {p.name for p in made} == {
        "report.md",
        "report-brief.pdf",
        "report-brief.docx",
        "summary.xlsx",
    }
    text = (tmp_path / "c" / "report.md").read_text(encoding="utf-8")
    assert "What the bands do not separate" in text and "is dominated by" in text
    for name in ("cases_by_metric", "shortage_by_case"):
        assert (tmp_path / "c" / "figures" / f"{name}.png").is_file()
    assert len(pypdf.PdfReader(tmp_path / "c" / "report-brief.pdf").pages) == 2
    table = pd.read_csv(tmp_path / "c" / "comparison.csv")
    assert set(table["case"]) == {f"licence_shock_{c}" for c in runs}


def test_one_case_is_no_comparison(runs, tmp_path):
    with pytest.raises(InputError, match="two cases"):
        write_comparison([case_of_run(runs["some"])], tmp_path / "one")


def _case(name: str, unmet: float, happens: object, last: str = "2029-12-31"):
    worlds = pd.DataFrame({"world": range(8), "unmet_t": unmet + np.arange(8.0)})
    frame = Frame(pd.Timestamp(last), "the first own measure")
    return case_of_point(name, worlds, 0, "x", asked=("unmet_t",), frame=frame, happens=happens)


def test_regret_is_told_for_choices_alone():
    cases = (_case("a", 100.0, 1), _case("b", 10.0, 2), _case("c", 50.0, 1))
    facts = comparison_facts(Comparison(cases), [], "")
    assert facts["choices"] == "\u201ca\u201d and \u201cc\u201d"
    assert facts["regret"] == [
        "Net shortfall of magnets, to the end of 2029: no regret with \u201cc\u201d, the best case of every "
        "world; most with \u201ca\u201d (mean 50 t of magnet)."
    ]
    assert facts["answer"][0].startswith("Net shortfall of magnets, to the end of 2029: from 14 t")
    assert "Of the cases in which the same happens" in facts["answer"][-1]


def test_what_happens_is_no_choice():
    facts = comparison_facts(Comparison((_case("a", 100.0, 1), _case("b", 10.0, 2))), [], "")
    assert facts["regret"] == []
    assert facts["dominance"] == [NO_CHOICE]


def test_sums_to_the_end_of_runs_of_other_length_are_not_compared():
    held = Comparison((_case("a", 100.0, 1), _case("b", 10.0, 1, last="2027-12-31")))
    assert held.metrics == []


def test_days_counted_from_other_first_measures_are_not_subtracted():
    def case(name: str, days: float, *shocks: str):
        worlds = pd.DataFrame({"world": range(8), "first_stoppage": days + np.arange(8.0)})
        worlds["unmet_share"] = days / 100 + worlds["world"] / 100
        frame = Frame(pd.Timestamp("2029-12-31"), shocks[0])
        asked = ("first_stoppage", "unmet_share")
        return case_of_point(name, worlds, 0, "x", asked=asked, frame=frame, shocks=shocks)

    held = Comparison((case("a", 30.0, "2026-12-01"), case("b", 60.0, "2025-11-10")))
    table = held.table().set_index(["metric", "case"])
    row = table.loc[("first_stoppage", "b")]
    assert row["p50"] == 63.5 and np.isnan(row["difference_p50"])
    assert row["separated_from_base"] == "" and np.isnan(row["mean_regret"])
    assert "a: 2026-12-01; b: 2025-11-10" in row["note"] and "no difference" in row["note"]
    year = table.loc[("unmet_share", "b")]
    assert "not the same time" in year["note"]
    assert np.isnan(year["difference_p50"]) and year["separated_from_base"] == ""
    facts = comparison_facts(held, [], "")
    assert facts["tables"][0]["rows"][1][2:] == ["", "not comparable"]
    assert not any("stop" in text for text in (*facts["separated"], *facts["regret"]))

    same = Comparison((case("a", 30.0, "2026-12-01"), case("b", 60.0, "2026-12-01")))
    row = same.table().set_index(["metric", "case"]).loc[("first_stoppage", "b")]
    assert row["difference_p50"] == 30.0 and row["note"] == ""


def test_groups_that_are_not_told_apart_cover_every_pair():
    pairs = [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")]
    assert _groups(["a", "b", "c", "d"], pairs) == [["a", "b", "c"], ["c", "d"]]


def test_every_metric_that_looks_from_the_first_disruption_is_known_by_the_registry():
    from lodestone.outputs.metrics.window import counts_from_shock

    for name in ("price_peak_multiple", "unmet_share", "first_stoppage", "cover_days_low"):
        assert counts_from_shock(name, {})
    assert not counts_from_shock("price_peak_multiple", {"since": "2026-01-01"})
    assert not counts_from_shock("magnet_exports_t", {"year": 2027})
    assert not counts_from_shock("unmet_t", {})


def test_medians_that_read_the_same_are_no_range():
    from lodestone.report.case_words import ranked

    held = Comparison((_case("a", 5000.0, None), _case("b", 5000.4, None)))
    text = ranked(held, next(m for m in held.metrics if m.name == "unmet_t"))
    assert "from" not in text and "in every case" in text
