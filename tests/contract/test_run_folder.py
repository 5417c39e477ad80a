"""A run folder from start to end: every table with its columns, bytes, resume, refusals."""

from __future__ import annotations

import errno
import filecmp
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lodestone.runs.simulate as composition
from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.cli.running import run_job
from lodestone.engine.run import BatchRun
from lodestone.outputs.metrics import METRICS, find, selections
from lodestone.outputs.results import COLUMNS, Results
from lodestone.runs import chunk, compiled
from lodestone.runs.compiled import compile_scenario
from lodestone.runs.replay import replay
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.scenario import build_scenario, load_scenario, outside_ranges

SHORT = {"start": "2025-01-06", "end": "2025-08-04"}


def settings(out: Path | None, **more: object) -> Settings:
    return replace(Settings(), worlds=5, workers=1, report_formats=(), out=out, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run") / "shock"
    return simulate(load_scenario("licence_shock_april_2025", overrides=SHORT), settings(out))


def test_every_table_is_there_with_its_columns(folder):
    results = Results.load(folder)
    for name, (words, numbers) in COLUMNS.items():
        table = results.table(name)
        assert set(words) | set(numbers) <= set(table.columns), name
        assert len(table) > 0, name
    assert not list(folder.glob(".*")), "no parts or hidden files stay behind"


def test_provenance_says_what_it_takes_to_repeat_the_run(folder):
    told = json.loads((folder / "provenance.json").read_text())
    for key in ("config_hash", "seeds_hash", "code_hash", "seed", "worlds", "command", "versions"):
        assert told[key] not in (None, ""), key
    assert told["mass_balance_worst_eps"] <= 100


def test_shortage_rows_add_up(folder):
    table = pd.read_csv(folder / "shortage_curve.csv")
    day = table[table["date"] == "2025-07-07"].set_index(["region", "sector", "tier"])
    mean = day["unmet_t_magnet_per_week_mean"]
    leaves = mean[[k for k in mean.index if "all" not in k[:2]]]
    assert mean["all", "all", "all"] > 0
    assert np.isclose(leaves.sum(), mean["all", "all", "all"], rtol=1e-4)
    tiers = [k for k in mean.index if k[0] == "all" and k[1] == "all" and k[2] != "all"]
    assert np.isclose(mean[tiers].sum(), mean["all", "all", "all"], rtol=1e-4)
    assert (day["unmet_share_p05"] <= day["unmet_share_p95"]).all()
    gross, net = (
        day[f"{kind}_t_magnet_per_week_mean"]["all", "all", "all"]
        for kind in ("gross_unmet", "unmet")
    )
    assert gross >= net


def test_paired_differences_add_up_to_the_difference_of_the_metric_in_the_same_worlds(folder):
    curve = pd.read_csv(folder / "delta_curve.csv")
    worlds = pd.read_parquet(folder / "worlds.parquet")
    for series, metric in (("unmet", "unmet_t"), ("gross_unmet", "gross_unmet_t")):
        mine = curve[curve["series"] == series].groupby(["region", "sector"])["mean"].sum()
        for region in ("all", "europe", "japan"):
            at = "" if region == "all" else f"[region={region}]"
            paired = (worlds[metric + at] - worlds[f"reference_{metric}{at}"]).mean()
            assert np.isclose(mine[region, "all"], paired, rtol=1e-4, atol=1e-2), (series, region)
        leaves = mine[[k for k in mine.index if "all" not in k]].sum()
        assert np.isclose(leaves, mine["all", "all"], rtol=1e-3, atol=0.5)
    assert (curve["p05"] <= curve["p95"]).all() and curve["mean"].abs().max() > 0


def test_trade_flows_agree_with_the_exports_metric(tmp_path):
    whole = load_scenario("licence_shock_april_2025", overrides={"end": "2025-08-04"})
    folder = simulate(whole, settings(tmp_path / "whole"))
    flows = pd.read_csv(folder / "trade_flows.csv")
    worlds = pd.read_parquet(folder / "worlds.parquet")
    mine = flows[
        (flows["case"] == "scenario")
        & (flows["origin"] == "china")
        & flows["material"].str.startswith("ndfeb")
        & (flows["channel"] == "declared")
    ]
    year = mine[mine["month"].str.startswith("2024")]["tonnes_mean"].sum()
    assert 0.95 * 58_150 < year < 1.05 * 58_150
    # The metric counts from the month of the disruption to the end of this short run.
    since = mine[mine["month"] >= "2025-04"]["tonnes_mean"].sum()
    assert np.isclose(since, worlds["magnet_exports_t"].mean(), rtol=0.02)


def test_worlds_are_different_draws_and_carry_their_reference(folder):
    worlds = pd.read_parquet(folder / "worlds.parquet")
    assert list(worlds["world"]) == list(range(5))
    draws = worlds.filter(like="draw.")
    assert len(draws.drop_duplicates()) == 5 and draws.shape[1] > 40
    assert {"unmet_t", "reference_unmet_t", "confirmed_if"} <= set(worlds.columns)


@pytest.mark.slow
def test_the_same_run_in_two_processes_gives_the_same_bytes(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(composition, "CHUNK", 3)
    scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
    again = simulate(scenario, replace(settings(tmp_path / "again"), workers=2))
    names = [p.name for p in folder.iterdir() if p.is_file() and p.name != "provenance.json"]
    match, differ, missing = filecmp.cmpfiles(folder, again, names, shallow=False)
    assert not differ and not missing and len(match) > 10


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_was(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(composition, "CHUNK", 2)
    scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
    out = tmp_path / "cut"
    done: list[str] = []
    real = composition.run_chunk

    def cut(case, ready, worlds, *rest):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(str(worlds))
        real(case, ready, worlds, *rest)

    monkeypatch.setattr(composition, "run_chunk", cut)
    with pytest.raises(KeyboardInterrupt):
        simulate(scenario, settings(out))
    assert not (out / "summary.csv").exists(), "nothing stands under a final name yet"

    def count(case, ready, worlds, *rest):
        done.append(str(worlds))
        real(case, ready, worlds, *rest)

    monkeypatch.setattr(composition, "run_chunk", count)
    simulate(scenario, settings(out))
    assert len(done) == 2 * 3, "three chunks a case, none of them twice"
    for name in ("summary.csv", "shortage_curve.csv", "worlds.parquet"):
        assert (out / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("damage", ["cut in half", "one digit", "gone"])
def test_a_table_that_is_not_the_one_written_is_named(folder, tmp_path, damage):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / "price_curve.csv"
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut in half":
        path.write_bytes(data[: data.index(b"\n", len(data) // 2) + 1])
    else:
        path.write_bytes(data[:-3] + (b"1" if data[-3:-2] != b"1" else b"2") + data[-2:])
    words = "is missing" if damage == "gone" else "is not the file that the run wrote"
    with pytest.raises(InputError, match=words) as error:
        Results.load(copy).table("price_curve")
    assert "price_curve.csv" in str(error.value)


def test_a_folder_of_another_run_is_refused(folder):
    scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
    with pytest.raises(InputError, match="holds another run"):
        simulate(scenario, replace(settings(folder), seed=1))


def test_a_full_disk_is_one_clear_error(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "x"))

    monkeypatch.setattr(chunk, "write_part", full)
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2024-02-01"})
    with pytest.raises(InputError, match="No space left"):
        simulate(scenario, settings(tmp_path / "full"))
    assert not list((tmp_path / "full").glob("*.csv"))


NOTHING_TO_SELL = {
    "kind": "offtake", "facility": "au_kalgoorlie", "buyer": "japan", "share": 0.5,
    "start": "2025-01-01",
}  # fmt: skip


@pytest.mark.parametrize("where", ["new", "new/inside/another", "empty", "from a working folder"])
def test_a_run_refused_while_it_compiles_leaves_nothing_behind(where, tmp_path, monkeypatch):
    refused = build_scenario(
        {
            "name": "refused", "question": "Who takes it?", "start": "2024-01-01",
            "end": "2024-06-01", "reference": "calm_2024", "interventions": {"it": NOTHING_TO_SELL},
        }
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    out = None if where.startswith("from") else tmp_path / where
    with pytest.raises(InputError, match="makes nothing"):
        simulate(refused, settings(out))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_refusal_keeps_the_worlds_that_an_earlier_attempt_finished(tmp_path, monkeypatch):
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2024-02-01"})
    plain = composition.run_chunk

    def stopped(case, *rest, **more):
        if case == "reference":
            raise KeyboardInterrupt
        return plain(case, *rest, **more)

    monkeypatch.setattr(composition, "run_chunk", stopped)
    with pytest.raises(KeyboardInterrupt):
        simulate(scenario, settings(tmp_path / "twice"))
    kept = sorted((tmp_path / "twice").rglob("*.npz")) or sorted((tmp_path / "twice").rglob("*"))
    assert kept

    def refused(*_: object, **__: object) -> None:
        raise InputError("is wrong")

    monkeypatch.setattr(composition, "run_chunk", refused)
    with pytest.raises(InputError, match="is wrong"):
        simulate(scenario, settings(tmp_path / "twice"))
    assert all(path.exists() for path in kept)


def test_a_scenario_alone_has_no_reference(tmp_path):
    out = simulate(
        load_scenario("calm_2024", overrides={"end": "2024-06-01"}), settings(tmp_path / "alone")
    )
    summary = pd.read_csv(out / "summary.csv")
    assert summary["reference_p50"].isna().all() and (summary["delta_p50"] == 0).all()


def test_replay_tells_one_world_by_name():
    scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
    from datetime import date

    lines = list(replay(scenario, 3, date(2025, 6, 1), date(2025, 6, 15), settings(None)))
    text = "\n".join(lines)
    assert "world 3" in lines[0] and "rules in force: april_2025_licences" in text
    assert "dy_oxide" in text and "users who go short" in text
    assert sum(line.startswith("== ") for line in lines) == 2


def test_an_unknown_metric_in_a_verdict_is_refused_before_anything_runs(tmp_path):
    scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
    wrong = replace(scenario, hypothesis={"confirmed_if": "first_stopage(region=all) < days(70)"})
    with pytest.raises(InputError, match="first_stoppage"):
        simulate(wrong, settings(tmp_path / "never"))
    assert not (tmp_path / "never").exists()


def test_a_hypothesis_is_judged_world_by_world_beside_its_reference(folder, tmp_path):
    scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
    asked = {
        "confirmed_if": "delta(unmet_t(region=europe)) > 0 and reference(unmet_t) == 0",
        "refuted_if": "unmet_t < 0.5 * unmet_t(region=[europe, japan])",
    }
    done = simulate(replace(scenario, hypothesis=asked), settings(tmp_path / "asked"))
    rows = pd.read_csv(done / "verdict.csv").set_index("kind")
    worlds = pd.read_parquet(done / "worlds.parquet")
    own, calm = worlds["unmet_t[region=europe]"], worlds["reference_unmet_t[region=europe]"]
    by_hand = (own - calm > 0) & (worlds["reference_unmet_t"] == 0)
    assert worlds["confirmed_if"].tolist() == by_hand.tolist()
    assert rows.loc["confirmed_if", "probability"] == pytest.approx(by_hand.mean())
    assert by_hand.any()
    both = own + worlds["unmet_t[region=japan]"]
    assert worlds["refuted_if"].tolist() == (worlds["unmet_t"] < 0.5 * both).tolist()
    assert rows["expression"].to_dict() == asked


def test_a_run_without_its_reference_has_no_verdict_that_needs_it(tmp_path):
    scenario = load_scenario("licence_shock_april_2025", overrides={**SHORT, "reference": "none"})
    asked = {"confirmed_if": "delta(unmet_t) > 0", "refuted_if": "unmet_t < 0"}
    done = simulate(replace(scenario, hypothesis=asked), settings(tmp_path / "alone"))
    rows = pd.read_csv(done / "verdict.csv").set_index("kind")
    assert np.isnan(rows.loc["confirmed_if", "probability"])
    assert rows.loc["refuted_if", "probability"] == 0.0
    assert "confirmed_if" not in pd.read_parquet(done / "worlds.parquet").columns


def test_a_year_outside_the_run_is_refused_before_anything_runs(tmp_path):
    scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
    wrong = replace(scenario, hypothesis={"confirmed_if": "delta(magnet_share(year=2031)) < 0"})
    with pytest.raises(InputError, match="2031"):
        simulate(wrong, settings(tmp_path / "late"))
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_is_named_finite_and_adds_up_where_it_says_so(name, folder):
    item = find(name)
    assert item.unit and item.title and item.function.__doc__
    worlds = pd.read_parquet(folder / "worlds.parquet")
    own = [c for c in worlds.columns if c == name or c.startswith(f"{name}[")]
    if not item.over:
        assert not own and not item.additive, "it is worked out where a hypothesis asks for it"
        return
    assert own, "it is in the table of worlds"
    assert worlds[own].notna().any().any() or name == "licences_granted_share"
    if item.additive:
        parts = [c for c in own if "region=" in c]
        assert np.allclose(worlds[parts].sum(axis=1), worlds[name], rtol=1e-5, atol=1e-6)
    assert selections


def test_prices_of_all_regions_weigh_by_the_tonnes_of_the_base_year(folder):
    table = Results.load(folder).table("price_curve")
    lay = BatchRun(
        load_scenario("licence_shock_april_2025"), load_chain("2024"), 0, np.arange(2), 7.0
    ).layout
    for kind in ("ask", "paid"):
        for good in ("dy_oxide", "ndfeb_high_coercivity"):
            some = table[(table["material"] == good) & (table["kind"] == kind)]
            wide = some.pivot_table(index="date", columns="market", values="usd_per_kg_mean")
            places = [r for r in wide.columns if r != "all"]
            tonnes = np.array([lay.cells.need[lay.cells.at[(good, r)], 0] for r in places])
            mean = wide[places].to_numpy() @ (tonnes / tonnes.sum())
            assert wide["all"].to_numpy() == pytest.approx(mean, rel=1e-4)
            plain = wide[places].mean(axis=1).to_numpy()
            assert np.abs(plain / mean - 1).max() > 1e-3, "the test sees the weights"


def test_the_day_of_the_shock_is_asked_of_the_rule_that_the_run_has(monkeypatch):
    seen = []

    class Seen(BatchRun):
        def __init__(self, *given, **more):
            seen.append(given[5] if len(given) > 5 else more.get("allocation"))
            super().__init__(*given, **more)

    monkeypatch.setattr(compiled, "BatchRun", Seen)
    own = replace(settings(None), allocation="defence_first")
    shock = load_scenario("licence_shock_april_2025")
    days = compiled.shock_days(compile_scenario(shock, own), None, np.arange(3))
    assert seen == ["defence_first"]
    assert list(days) == [(shock.interventions["april_2025_licences"].start - shock.start).days] * 3


OUTSIDE = {"overrides.cover.user_weeks": 9}


def test_a_number_outside_its_range_is_told_and_kept_in_the_report(tmp_path, capsys, unpainted):
    scenario = load_scenario("calm_2024", overrides={**OUTSIDE, "end": "2024-04-01"})
    assert outside_ranges(scenario) == [
        "cover.user_weeks = 9 lies outside its documented range (3 to 8.5 weeks)"
    ]
    own = replace(settings(tmp_path / "far"), worlds=2, quiet=True, report_formats=("md",))
    (folder,) = run_job([scenario], own)
    said = capsys.readouterr().err.splitlines()
    outside, dropped = (line for line in said if line.startswith("warning: "))
    assert outside == f"warning: calm_2024: {outside_ranges(scenario)[0]}"
    assert " and 4 more: left out of the headline" in dropped
    held = json.loads((folder / "provenance.json").read_text("utf-8"))["outside_ranges"]
    assert held == outside_ranges(scenario)
    memo = (folder / "report.md").read_text("utf-8")
    assert "outside what the sources cover" in memo and "3 to 8.5 weeks" in memo


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"overrides.cover.user_weeks": 5}, False),
        ({"overrides.cover.user_weeks": 4.2}, False),
        ({"overrides.cover.user_weeks": {"dist": "uniform", "low": 5, "high": 9}}, True),
        ({"overrides.price.ndpr_oxide.home_usd_per_kg": 137}, True),
        ({"overrides.facility.my_lamp.start_date": "2012-11-02"}, False),
    ],
)
def test_only_what_leaves_its_range_is_told(overrides, told):
    remarks = outside_ranges(load_scenario("calm_2024", overrides=overrides))
    assert bool(remarks) == told
    name = next(iter(overrides)).removeprefix("overrides.")
    assert all(name in remark for remark in remarks)


def test_no_two_rows_of_the_summary_have_the_same_key(folder):
    rows = pd.read_csv(folder / "summary.csv", keep_default_na=False)
    assert not rows.duplicated(["metric", "region", "sector", "element"]).any()
    assert rows["metric"].str.startswith("coverage_year(share=").any()
