"""A run that keeps its worlds answers any metric later; a long run does not fill the disk."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from lodestone.border.errors import InputError
from lodestone.outputs.results import Results
from lodestone.runs.evaluate import evaluate_on, keeps_worlds
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.runs.write import THINNED
from lodestone.scenario import load_scenario

SHORT = {"start": "2025-01-06", "end": "2025-08-04"}


def settings(out, **more):
    return replace(Settings(), worlds=5, workers=1, report_formats=(), out=out, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import lodestone.runs.simulate as composition

    out = tmp_path_factory.mktemp("kept") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "CHUNK", 2)
        scenario = load_scenario("licence_shock_april_2025", overrides=SHORT)
        return simulate(scenario, settings(out, outputs=("worlds",)))


def test_every_metric_of_the_summary_is_the_same_from_kept_worlds(folder):
    table = pd.read_parquet(folder / "worlds.parquet")
    seen: Counter[str] = Counter()
    for key in table.columns:
        name, mark, inside = key.partition("[")
        if seen[name] > 1:  # one selection of each metric beside the whole
            continue
        if key.startswith(("draw.", "reference_", "delta_")) or key in ("world", "confirmed_if", "refuted_if"):  # fmt: skip
            continue
        text = f"{name}({inside[:-1]})" if mark else name
        try:
            found = evaluate_on(folder, text)
        except InputError as error:
            pytest.fail(f"{text}: {error}")
        assert np.array_equal(found, table[key].to_numpy(dtype=float), equal_nan=True), key
        if f"reference_{key}" in table:
            calm = evaluate_on(folder, text, "reference")
            assert np.array_equal(calm, table[f"reference_{key}"].to_numpy(dtype=float), equal_nan=True)  # fmt: skip
        seen[name] += 1
    assert seen.total() > 60


def test_what_the_summary_does_not_show_can_be_asked_later(folder):
    some = evaluate_on(folder, "unmet_share_between(since=2025-05-01, until=2025-07-01)")
    assert some.shape == (5,) and np.all(some > 0.0)
    from lodestone.studies.again import metric_of_run

    text = "delta(unmet_share_between(since=2025-05-01,until=2025-07-01))"
    assert np.all(metric_of_run(Results.load(folder), text) > 0.0)
    with pytest.raises(InputError, match="unknown metric"):
        evaluate_on(folder, "unmett_t")


def test_only_what_is_asked_for_is_written(folder, tmp_path):
    assert keeps_worlds(folder)
    assert not (folder / "closed_gap.csv").exists() and not (folder / "series.parquet").exists()
    told = json.loads((folder / "provenance.json").read_text())
    kept = sum(p.stat().st_size for p in (folder / "worlds").rglob("*") if p.is_file())
    assert told["bytes_per_world"] == pytest.approx(kept / 5, rel=0.01)
    assert told["dates"] == "every market day"


def test_a_damaged_world_is_named(folder, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    part = sorted((copy / "worlds" / "scenario").glob("0*"))[0]
    (part / "unmet").write_bytes((part / "unmet").read_bytes()[:-1])
    with pytest.raises(InputError, match="is damaged"):
        evaluate_on(copy, "unmet_t")


def test_a_long_run_shows_one_market_day_in_four(tmp_path, monkeypatch):
    import lodestone.runs.write as write

    monkeypatch.setattr(write, "LONG_YEARS", 0.5)
    scenario = load_scenario("calm_2024", overrides={"end": "2024-12-01"})
    thin = simulate(scenario, settings(tmp_path / "thin"))
    whole = simulate(scenario, settings(tmp_path / "whole", outputs=("weekly",)))
    few, all_ = (pd.read_csv(f / "shortage_curve.csv") for f in (thin, whole))
    days = sorted(all_["date"].unique())
    assert sorted(few["date"].unique()) == days[::THINNED]
    same = all_[all_["date"].isin(days[::THINNED])].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, same)
    assert (thin / "summary.csv").read_bytes() == (whole / "summary.csv").read_bytes()
    assert "one market day in 4" in json.loads((thin / "provenance.json").read_text())["dates"]


def test_tables_of_rounded_series_are_near_those_of_exact_ones(tmp_path, monkeypatch):
    import lodestone.runs.simulate as composition

    scenario = load_scenario("licence_shock_april_2025", overrides={**SHORT, "end": "2025-07-01"})
    exact = simulate(scenario, settings(tmp_path / "exact"))
    monkeypatch.setattr(composition, "EXACT", 1)
    near = simulate(scenario, settings(tmp_path / "near"))
    assert "rounded" in json.loads((near / "provenance.json").read_text())["quantiles"]
    for name in ("summary.csv", "verdict.csv", "bottlenecks.csv"):
        assert (near / name).read_bytes() == (exact / name).read_bytes(), name
    for name in ("shortage_curve", "price_curve", "cost_curve"):
        one, other = (pd.read_csv(f / f"{name}.csv") for f in (exact, near))
        words = [c for c in one if one[c].dtype.kind not in "fi"]
        pd.testing.assert_frame_equal(one[words], other[words])
    # Before the shock a scenario is its reference to the last digit, rounded or not.
    delta = pd.read_csv(near / "delta_curve.csv")
    whole = pd.read_csv(exact / "delta_curve.csv")
    keys = ["date", "region", "sector", "series"]
    both = whole.merge(delta, on=keys, how="left", suffixes=("", "_near"))
    missing = both["mean_near"].isna() & (both["series"] != "unmet_share")
    assert len(delta) == (~both["mean_near"].isna()).sum()
    assert (both.loc[missing, "mean"].abs() < 0.5).all(), "left out, but it differs"
    before = delta[delta["date"] < "2025-04-01"].select_dtypes("number")
    assert len(before) and not before.to_numpy().any()
    shares = [pd.read_csv(f / "shortage_curve.csv")["unmet_share_p50"] for f in (exact, near)]
    assert np.abs(shares[0] - shares[1]).max() < 2e-3


def test_a_part_kept_otherwise_is_run_again(tmp_path):
    from lodestone.runs.compiled import compile_scenario
    from lodestone.runs.simulate import run_all

    scenario = load_scenario("calm_2024", overrides={"end": "2024-03-01"})
    cases = {"scenario": compile_scenario(scenario)}
    seen = []
    for outputs in ((), ("series",), ("series",), (), ("worlds",)):
        told: list[int] = []
        say = partial(lambda told, done, total, what: told.append(done), told)
        run_all(cases, settings(None, outputs=outputs), tmp_path, say)
        seen.append(told[0])
    # Worlds done at the start: a part that holds more than is asked for does.
    assert seen == [0, 0, 5, 5, 0]
