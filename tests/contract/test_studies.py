"""Studies: paired, resumable, the same bytes however they were interrupted."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lodestone as lode
from lodestone.border.errors import InputError
from lodestone.studies.folder import StudyFolder
from lodestone.studies.request import request_from_words
from lodestone.studies.study import Study, open_study
from lodestone.studies.sweep import REPORT_MB, begin, chunks_of, measure, run_plan

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = "licence_shock_april_2025"
SPILLOVER = "scenario.interventions.april_2025_licences.spillover"
DAYS = "scenario.overrides.stockpile.japan.days"
SHORT = ["scenario.start=2025-01-01", "scenario.end=2025-08-01", "ensemble.worlds=5"]
#: Days and worlds of studies of many points, of which the number of chunks counts.
BRIEF = ["scenario.start=2025-03-01", "scenario.end=2025-05-01", "ensemble.worlds=3"]
METRIC = "unmet_share_between(region=europe, since=2025-05-01, until=2025-07-01)"


def sweep(folder, *words, names=(SCENARIO,), days=SHORT):
    plan, store = begin(request_from_words(names, [*days, *words], {"out": str(folder)}))
    done = run_plan(plan, store)
    study = Study(plan, store, done["failed"])
    study.save()
    return study, done["ran"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "a"
    return sweep(folder, f"{SPILLOVER}=0,1", f"{DAYS}=0,40", f"metric={METRIC}", "base=0")[0]


def test_a_row_a_point_with_keys_bands_and_paired_differences(study):
    with (study.folder / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(r[SPILLOVER], r[DAYS]) for r in rows] == [
        ("0", "0"), ("0", "40"), ("1", "0"), ("1", "40"),
    ]  # fmt: skip
    column = f"unmet_share_between[{METRIC.split('(')[1][:-1].replace(', ', ',')}]"
    for row in rows:
        for stem in (column, "unmet_t"):
            low, mid, high = (float(row[f"{stem}_{q}"]) for q in ("p05", "p50", "p95"))
            assert low <= mid <= high
        assert float(row[f"{column}_delta_p50"]) <= float(row[f"{column}_p50"]) + 1e-12
    assert float(rows[0]["unmet_t_base_p50"]) == float(rows[0]["unmet_t_base_p95"]) == 0.0
    assert any(float(r["unmet_t_base_p95"]) != 0.0 for r in rows[1:])
    assert (study.folder / "failed.csv").read_text().count("\n") == 1
    assert study.results.attrs["units"][f"{column}_p50"] == "share"


def test_the_numbers_are_those_of_a_run_to_the_bit(study, tmp_path):
    changes = {"start": "2025-01-01", "end": "2025-08-01"}
    changes |= {SPILLOVER.removeprefix("scenario."): 1, DAYS.removeprefix("scenario."): 40}
    run = lode.run(SCENARIO, changes, worlds=5, out=tmp_path / "run")
    kept, own = run.worlds, study.worlds(3)
    for column in kept.columns:
        if column in own.columns:
            np.testing.assert_array_equal(kept[column], own[column], err_msg=column)
    shared = [c for c in kept.columns if c in own.columns]
    assert {"unmet_t", "reference_unmet_t", "first_stoppage"} <= set(shared)
    assert sum(c.startswith("draw.") for c in shared) > 20
    # What the run did not keep is run again, on the same worlds.
    again = run.metric(METRIC)
    column = next(c for c in own.columns if c.startswith("unmet_share_between[region=europe,since"))
    np.testing.assert_array_equal(again.to_numpy(), own[column])
    assert again.attrs["unit"] == "share"
    np.testing.assert_array_equal(
        run.metric("delta(unmet_t)"), kept["unmet_t"] - kept["reference_unmet_t"]
    )


def test_done_points_are_not_run_again_and_new_levels_alone_are_run(study, tmp_path):
    folder = tmp_path / "b"
    first, ran = sweep(folder, f"{SPILLOVER}=0,1")
    assert ran == 2
    before = {p: p.stat().st_mtime_ns for p in (folder / "parts").iterdir()}
    assert sweep(folder, f"{SPILLOVER}=0,1")[1] == 0
    wider, ran = sweep(folder, f"{SPILLOVER}=0,0.5,1")
    assert ran == 1 and len(wider.results) == 3
    narrower, ran = sweep(folder, f"{SPILLOVER}=1,0.5")
    assert ran == 0 and len(narrower.results) == 2
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())
    rows = wider.results.set_index(SPILLOVER)
    np.testing.assert_array_equal(
        first.results.set_index(SPILLOVER).loc[1].drop("point"), rows.loc[1].drop("point")
    )
    # A metric that was not kept is a reason to run a point again; nothing else is.
    assert sweep(folder, f"{SPILLOVER}=0,1", f"metric={METRIC}")[1] == 2
    assert sweep(folder, f"{SPILLOVER}=0,1", f"metric={METRIC}")[1] == 0


def test_a_reference_shared_by_points_is_run_once(study, tmp_path):
    shared, _ = sweep(tmp_path / "c", f"{SPILLOVER}=0,0.3,1")
    keys = [k for k in shared.store.done() if "-" in k]
    assert len(keys) == 1
    assert len([k for k in study.store.done() if "-" in k]) == 2  # one for each stockpile


def test_all_points_see_the_same_worlds(study):
    draws = [study.worlds(i).filter(like="draw.") for i in range(4)]
    assert all(d.equals(draws[0]) for d in draws)
    assert len(list((study.folder / "parts").glob("draws-*"))) == 1


@pytest.fixture
def stacks(monkeypatch):
    """How many points each batch of several points had."""
    from lodestone.studies import abreast

    real, seen = abreast._abreast, []

    def counted(tasks, bench):
        found = real(tasks, bench)
        seen.append(len(tasks))
        return found

    monkeypatch.setattr(abreast, "_abreast", counted)
    monkeypatch.setattr(abreast, "_apart", set())
    return seen


@pytest.mark.parametrize("worlds", [1, 3])
def test_points_side_by_side_have_the_bytes_of_points_alone(worlds, stacks, tmp_path, monkeypatch):
    """Two numbers of a measure, a number of behaviour; a stock, in which points stand apart."""
    from lodestone.studies import abreast
    from lodestone.studies import sweep as module

    drawn = "{dist: uniform, low: 20, high: 90}"
    words = [
        f"{DAYS}=null,40",
        "scenario.overrides.order.forecast_weeks=6,9,{dist: uniform, low: 5, high: 9}",
        f"{SPILLOVER}=0.2,0.8",
        f"{SPILLOVER.replace('spillover', 'processing_days')}=30,{drawn}",
        f"metric={METRIC}", "base=0",
    ]  # fmt: skip
    days = ["scenario.start=2025-02-01", "scenario.end=2025-07-01", f"ensemble.worlds={worlds}"]
    monkeypatch.setattr(module, "CHUNK_SECONDS", 0.2)  # a few points each
    together, _ = sweep(tmp_path / "together", *words, days=days)
    assert sum(stacks) >= 12 and max(stacks) >= 2
    stacks.clear()
    monkeypatch.setattr(abreast, "COLUMNS", 1)
    alone, _ = sweep(tmp_path / "alone", *words, days=days)
    assert not stacks and len(alone.results) == 24
    assert bytes_of(together.folder) == bytes_of(alone.folder)
    assert alone.results["unmet_t_p50"].nunique() > 4


@pytest.mark.slow
def test_a_point_of_200_worlds_takes_less_than_a_megabyte(tmp_path):
    words = [w for w in SHORT if not w.startswith("ensemble")]
    out = {"out": str(tmp_path / "wide")}
    request = request_from_words([SCENARIO], [*words, "ensemble.worlds=200", f"{DAYS}=40"], out)
    plan, store = begin(request)
    said = measure(plan, store)
    run_plan(plan, store)
    assert 0.5 < (said.megabytes - REPORT_MB) * 1e6 / store.size() < 2.5
    assert store.size() < 1e6


def run_command(folder, *words, wait=True, days=SHORT):
    command = [str(Path(sys.executable).with_name("lodestone")), "sweep", SCENARIO, *days, *words]
    command += ["--out", str(folder), "--quiet", "report.formats=[]"]
    if wait:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def bytes_of(folder):
    names = [*(folder / "parts").glob("[!.]*"), folder / "results.csv", folder / "results.parquet"]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in names}


def killed_and_resumed(tmp_path, words, kills):
    """Run a study undisturbed, and once more killed after each of its parts; compare all bytes."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    done = run_command(whole, *words, days=BRIEF)
    assert done.returncode == 0, done.stderr
    partial = []
    for k, moment in enumerate(np.random.default_rng(17).uniform(0.0, 1.0, kills)):
        process = run_command(broken, *words, wait=False, days=BRIEF)
        while process.poll() is None and len(list((broken / "parts").glob("p-*"))) <= k:
            time.sleep(0.1)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        partial.append(len(list((broken / "parts").glob("p-*"))) if broken.is_dir() else 0)
    done = run_command(broken, *words, days=BRIEF)
    assert done.returncode == 0, done.stderr
    assert bytes_of(whole) == bytes_of(broken)
    assert not list((broken / "parts").glob(".*"))
    return partial


@pytest.mark.slow
def test_killed_at_random_moments_the_bytes_are_the_same(tmp_path):
    words = [f"{SPILLOVER}=linspace(0,1,650)", "workers=1"]  # eleven chunks
    partial = killed_and_resumed(tmp_path, words, 2)
    assert 1 <= partial[0] < 11 and partial[0] <= partial[1]


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers on this machine, without dashboards."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    work = [sys.executable, "-m", "distributed.cli.dask_worker"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    scheduler = subprocess.Popen(
        [*dask, "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
         "--scheduler-file", str(file)], **quiet,
    )  # fmt: skip
    workers = [
        subprocess.Popen(
            [*work, "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard",
             "--no-nanny", "--host", "127.0.0.1", "--local-directory", str(tmp_path)], **quiet,
        )
        for _ in range(2)
    ]  # fmt: skip
    for _ in range(200):
        if file.is_file() and file.stat().st_size:
            break
        time.sleep(0.1)
    yield file, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


@pytest.mark.slow
def test_on_a_cluster_with_a_worker_killed_nothing_is_lost_or_doubled(cluster, tmp_path):
    file, workers = cluster
    words = [f"{SPILLOVER}=linspace(0,1,200)"]
    done = run_command(tmp_path / "here", *words, "workers=1", days=BRIEF)
    assert done.returncode == 0, done.stderr
    process = run_command(tmp_path / "there", *words, f"cluster={file}", wait=False, days=BRIEF)
    parts = tmp_path / "there" / "parts"
    while process.poll() is None and not (parts.is_dir() and list(parts.glob("p-*"))):
        time.sleep(0.2)
    assert process.poll() is None, "the study ended before a worker could be killed"
    workers[0].kill()
    assert process.wait(timeout=600) == 0
    assert bytes_of(tmp_path / "here") == bytes_of(tmp_path / "there")
    with (tmp_path / "there" / "results.csv").open(encoding="utf-8") as held:
        assert [int(r["point"]) for r in csv.DictReader(held)] == list(range(200))


@pytest.mark.slow
def test_rows_of_ones_own_travel_to_a_cluster(cluster, tmp_path):
    file, _ = cluster
    from lodestone.chain.overlay import write_example

    write_example(tmp_path / "mine")
    words = [f"{SPILLOVER}=0,1", f"seeds={tmp_path / 'mine'}"]
    plain = run_command(tmp_path / "plain", words[0], f"cluster={file}")
    here = run_command(tmp_path / "here", *words, "workers=1")
    there = run_command(tmp_path / "there", *words, f"cluster={file}")
    after = run_command(tmp_path / "after", words[0], f"cluster={file}")
    for done in (plain, here, there, after):
        assert done.returncode == 0, done.stderr
    assert bytes_of(tmp_path / "here") == bytes_of(tmp_path / "there")
    # The workers' own seeds are as they were, and the rows do change numbers.
    assert bytes_of(tmp_path / "plain") == bytes_of(tmp_path / "after")
    tables = [(tmp_path / n / "results.csv").read_text() for n in ("plain", "there")]
    assert tables[0] != tables[1]


@pytest.mark.slow
def test_a_run_on_a_cluster_writes_the_same_tables(cluster, tmp_path):
    file, _ = cluster
    words = ["calm_2024", "scenario.end=2024-03-01", "ensemble.worlds=130", "report.formats=[]"]
    command = [str(Path(sys.executable).with_name("lodestone")), "run", *words, "--quiet"]
    for name, more in (("here", []), ("there", [f"cluster={file}"])):
        done = subprocess.run(
            [*command, *more, "--out", str(tmp_path / name)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    for name in ("summary.csv", "shortage_curve.csv", "worlds.parquet"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_a_cluster_that_does_not_answer_is_told(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    from lodestone.studies import cluster as module

    monkeypatch.setattr(module, "PATIENCE", 0.5)
    with pytest.raises(InputError, match="does not answer"):
        sweep(tmp_path / "f", f"{SPILLOVER}=0,1", "cluster=tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="is no address of a cluster"):
        sweep(tmp_path / "f", f"{SPILLOVER}=0,1", "cluster=nonsense")
    (tmp_path / "odd.json").write_text("{}")
    with pytest.raises(InputError, match="is no scheduler file"):
        sweep(tmp_path / "f", f"{SPILLOVER}=0,1", f"cluster={tmp_path / 'odd.json'}")
    with pytest.raises(InputError, match="no such scheduler file"):
        sweep(tmp_path / "f", f"{SPILLOVER}=0,1", f"cluster={tmp_path / 'none.json'}")


@pytest.mark.slow
def test_a_study_cut_short_gives_the_same_bytes(study, tmp_path):
    """As after a kill: parts missing, one cut short, one half written."""
    words = [f"{SPILLOVER}=0,1", f"{DAYS}=0,40", f"metric={METRIC}", "base=0"]
    folder = tmp_path / "again"
    sweep(folder, *words)
    whole = bytes_of(folder)
    assert whole == bytes_of(study.folder)
    parts = sorted((folder / "parts").glob("p-*"))
    parts[0].write_bytes(parts[0].read_bytes()[:2000])
    (folder / "parts" / ".p-half.parquet.part").write_bytes(b"PAR1")
    (folder / "results.csv").unlink()
    _, ran = sweep(folder, *words)
    assert ran > 0
    assert bytes_of(folder) == whole
    assert not list((folder / "parts").glob(".*"))


def test_chunks_do_not_depend_on_what_is_done(study):
    every = chunks_of(study.plan, set())
    left = chunks_of(study.plan, {study.plan.points[0].key})
    assert [j.task.key for c in every for j in c][1:] == [j.task.key for c in left for j in c]


def test_a_second_process_is_told_who_works_there(tmp_path):
    folder = StudyFolder(tmp_path / "d")
    second = StudyFolder(tmp_path / "d").locked()
    with folder.locked(), pytest.raises(InputError, match=f"process {os.getpid()}"), second:
        pytest.fail("two hold the lock")
    with folder.locked():
        pass  # free again


def test_another_study_another_version_and_other_folders_are_refused(study, tmp_path):
    with pytest.raises(InputError, match="another study: its swept keys"):
        sweep(study.folder, f"{SPILLOVER}=0,1")
    words = [f"{SPILLOVER}=0,1", f"{DAYS}=0,40", "clock.market_days=14"]
    with pytest.raises(InputError, match="another study: its other words"):
        sweep(study.folder, *words)
    with pytest.raises(InputError, match="another study: its scenario"):
        sweep(study.folder, *words[1:], "allocation=pro_rata,contract_first", names=("calm_2024",))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        sweep(tmp_path / "full", f"{SPILLOVER}=0,1")
    old = tmp_path / "old"
    old.mkdir()
    (old / "study.yaml").write_text((study.folder / "study.yaml").read_text())
    (old / "manifest.json").write_text(json.dumps({"format": 0}))
    with pytest.raises(InputError, match="another version"):
        open_study(old)
    with pytest.raises(InputError, match=r"study\.yaml"):
        open_study(tmp_path)


def test_a_large_study_waits_for_yes(tmp_path):
    done = run_command(tmp_path / "large", f"{SPILLOVER}=linspace(0,1,1200)")
    assert done.returncode == 2
    assert "--yes" in done.stderr and "1,200 points" in done.stderr
    assert not (tmp_path / "large").exists()


def test_the_command_goes_on_with_a_folder_and_tells_its_status(study):
    lodestone = str(Path(sys.executable).with_name("lodestone"))
    done = subprocess.run(
        [lodestone, "sweep", str(study.folder), "--status"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "4 points, 0 to run" in done.stdout
    assert done.stdout.splitlines()[-1] == str(study.folder)


def test_a_point_that_fails_is_told_and_the_others_stand(tmp_path, monkeypatch):
    from lodestone.border.abreast import Abreast
    from lodestone.border.errors import ModelError
    from lodestone.engine.run import BatchRun

    real = BatchRun.run

    def broken(run):
        item = run.scenario.interventions.get("april_2025_licences")
        several = item is not None and isinstance(item.spillover, Abreast)
        if item is not None and (several or item.spillover == 0.8):
            raise ModelError("the mass balance does not close")
        real(run)

    monkeypatch.setattr(BatchRun, "run", broken)
    found, ran = sweep(tmp_path / "e", f"{SPILLOVER}=0.2,0.8")
    assert ran == 2 and len(found.results) == 1
    with (tmp_path / "e" / "failed.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(r["point"], r[SPILLOVER], r["kind"]) for r in rows] == [("1", "0.8", "model")]
    monkeypatch.undo()
    found, ran = sweep(tmp_path / "e", f"{SPILLOVER}=0.2,0.8")
    assert ran == 1 and len(found.results) == 2


def test_points_that_differ_in_numbers_of_a_measure_are_compiled_once(tmp_path, monkeypatch):
    from lodestone.studies import sweep as module

    seen: list[str] = []
    monkeypatch.setattr(module, "compiles", lambda task: seen.append(task.key))

    def compiled(*words: str) -> int:
        seen.clear()
        out = {"out": str(tmp_path / "none")}
        begin(request_from_words([SCENARIO], [*SHORT, *words], out))
        return len(seen)

    measure = SPILLOVER.rpartition(".")[0]
    assert compiled(f"{SPILLOVER}=linspace(0,1,7)") == 1
    assert compiled(f"{SPILLOVER}=0,1", f"{measure}.destinations=[europe],[japan],[all]") == 3
    assert compiled(f"{SPILLOVER}=0,1", f"{DAYS}=0,40") == 2
    wrong = f"{measure}.destinations=[europe],[nowhere]"
    with pytest.raises(InputError, match="nowhere"):
        compiled(wrong)


def test_figures_say_what_they_show(study, tmp_path):
    held = lode.load(study.folder)
    heat = held.figure("unmet_t(region=europe)", "heat")
    assert "tonnes" in heat.finding or "t magnet" in heat.finding
    assert len(heat.data) == 4
    assert heat.save(tmp_path / "heat.png").stat().st_size > 10_000
    tornado = held.figure("unmet_t", "tornado")
    assert len(tornado.data) == 3  # all but the base point
    with pytest.raises(InputError, match="2 keys cannot be drawn"):
        held.figure("unmet_t", "line")
    with pytest.raises(InputError, match="does not hold"):
        held.figure("unmet_share_between(region=japan, since=2025-05-01)")


def test_numbers_beside_words_and_a_key_that_does_nothing(tmp_path):
    """A value, none (what the file says) and a draw a world are values of one key."""
    cancel = "scenario.overrides.order.cancel_share"
    words = [f"{cancel}=0.3,null,{{dist: uniform, low: 0.3, high: 0.4}}", f"{SPILLOVER}=0,1"]
    words += ["scenario.start=2025-01-01", "scenario.end=2025-03-03", "ensemble.worlds=2"]
    plan, store = begin(request_from_words([SCENARIO], words, {"out": str(tmp_path / "a")}))
    run_plan(plan, store)
    held = Study(plan, store)
    held.save()
    assert held.idle_keys() == [cancel, SPILLOVER]
    kept = pd.read_parquet(held.folder / "results.parquet")
    told = ["0.3", "0.3", "none", "none", *2 * ["{dist: uniform, low: 0.3, high: 0.4}"]]
    assert kept[cancel].tolist() == told and kept[SPILLOVER].tolist() == 3 * [0, 1]
    rows = list(csv.DictReader((held.folder / "results.csv").open(encoding="utf-8")))
    assert [r[cancel] for r in rows] == told


def test_a_key_that_does_something_is_not_told_to_do_nothing(study):
    assert SPILLOVER not in study.idle_keys()


def test_long_tables_and_thresholds(study):
    held = lode.load(study.folder)
    rows = held.long("unmet_t")
    assert len(rows) == 4 * 5 and set(rows.columns) == {"point", SPILLOVER, DAYS, "world", "value"}
    level = float(rows["value"].max())
    found = held.threshold(f"unmet_t <= {level!r}", key=DAYS)
    assert found["smallest"].tolist() == [0.0, 0.0] and found["share"].tolist() == [1.0, 1.0]
    none = held.threshold("unmet_t < 0", key=DAYS)
    assert none["smallest"].isna().all() and none["below"].tolist() == [40.0, 40.0]
