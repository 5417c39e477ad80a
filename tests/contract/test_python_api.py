"""Python: five lines, light to import, errors that name file, key and hint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lodestone as lode

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = "licence_shock_april_2025"
SHORT = {"start": "2025-01-01", "end": "2025-08-01"}


def test_importing_is_light():
    code = (
        "import sys, lodestone\n"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'pyarrow', 'numba', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there_and_documented():
    import lodestone.api

    assert set(lode.__all__) - {"__version__"} == set(lodestone.api.__all__)
    for name in lodestone.api.__all__:
        assert getattr(lode, name).__doc__, name
    with pytest.raises(AttributeError, match="runn"):
        lode.runn  # noqa: B018


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return lode.run(SCENARIO, SHORT, worlds=4, out=tmp_path_factory.mktemp("api") / "run")


def test_a_run_has_tables_metrics_figures_and_worlds(run):
    assert len(run.summary) and set(run.tables) >= {"summary", "price_curve", "worlds", "series"}
    prices = run.table("price_curve")
    assert prices.attrs["units"]["usd_per_kg_p50"] == "usd_per_kg"
    prices["usd_per_kg_p50"] = 0.0
    assert run.table("price_curve")["usd_per_kg_p50"].max() > 0  # a copy of one's own
    peak = run.metric("unmet_share_peak", region="europe")
    assert list(peak.index) == [0, 1, 2, 3] and peak.attrs["unit"] == "share"
    assert "Europe" in peak.attrs["title"]
    assert run.world(2)["unmet_share_peak[region=europe]"] == peak[2]
    both = run.metric("unmet_t", region=["europe", "japan"])
    apart = run.metric("unmet_t", region="europe") + run.metric("unmet_t", region="japan")
    assert both.to_numpy() == pytest.approx(apart.to_numpy(), rel=1e-6)
    figure = run.figure("price_curve")
    assert figure._repr_png_()[:4] == b"\x89PNG" and figure.finding
    assert "unmet_share" in run._repr_html_()
    assert any("licence" in line for line in run.replay(1, "2025-04-01", "2025-04-20"))


def test_the_command_line_gives_the_same_bytes(run, tmp_path):
    lodestone = str(Path(sys.executable).with_name("lodestone"))
    words = [f"scenario.{k}={v}" for k, v in SHORT.items()]
    subprocess.run(
        [lodestone, "run", SCENARIO, *words, "--worlds", "4", "--out", str(tmp_path / "cli"),
         "report.formats=[]", "--quiet"],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    for name in ("summary.csv", "worlds.parquet", "shortage_curve.csv", "price_curve.csv"):
        assert (tmp_path / "cli" / name).read_bytes() == (run.folder / name).read_bytes(), name


def test_metric_and_table_verbs(run, tmp_path, capsys):
    from lodestone.cli import main

    expression = "unmet_share_between(region=europe, since=2025-05-01, until=2025-07-01)"
    assert main(["metric", str(run.folder), expression, "--json"]) == 0
    import json

    (row,) = json.loads(capsys.readouterr().out)
    assert row["p50"] == pytest.approx(float(run.metric(expression).median()))
    target = tmp_path / "t.csv"
    words = ["table", str(run.folder), "metric=unmet_t,delta(unmet_t)", "--to", str(target)]
    assert main([*words, "--decimal-comma"]) == 0
    lines = target.read_text().splitlines()
    assert lines[0].split(";")[-5:] == ["mean", "p05", "p50", "p95", "note"]
    assert len(lines) == 3
    assert "," in lines[1].split(";")[-2] and "." not in lines[1].split(";")[-2]
    assert main(["table", str(run.folder), "metric=unmet_t", "--to", str(tmp_path / "t.doc")]) == 2
    assert "xlsx" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lode.run("licence_shock_apri_2025"), "licence_shock_april_2025"),
        (lambda: lode.run(SCENARIO, worlds=0), "ensemble.worlds"),
        (lambda: lode.run(SCENARIO, {"overrides.stockpile.japn.days": 3}), "japan"),
        (lambda: lode.load("/nowhere/at/all"), "not a folder"),
        (lambda: lode.sweep(SCENARIO, {"overrides.stockpile.japan.days": []}), "no values"),
    ],
)
def test_errors_are_exceptions_with_place_and_hint(call, says):
    with pytest.raises(lode.InputError) as caught:
        call()
    assert says in str(caught.value)
    assert caught.value.hint or caught.value.key or caught.value.file
