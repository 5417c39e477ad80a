"""Runs as processes: who dies with whom, what a signal does, and who holds a folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lodestone.border.errors import InputError
from lodestone.outputs.parts import finished
from lodestone.runs import lock
from lodestone.runs.pool import pool
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.scenario import load_scenario

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SHORT = {"end": "2024-02-01"}


def children(process: int) -> list[int]:
    """Workers of a process (not the tracker of shared memory, which ends by itself)."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text().rsplit(")", 1)[1].split()
            command = (path / "cmdline").read_text()
        except OSError:
            continue
        if int(stat[1]) == process and stat[0] != "Z" and "resource_tracker" not in command:
            found.append(int(path.name))
    return found


#: Something that a process has in memory.
laid: list[int] = []


def worlds_laid() -> int:
    return len(laid)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(what, seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if what():
            return True
        time.sleep(0.05)
    return False


def started(out: Path, workers: int, worlds: int = 4000) -> subprocess.Popen:
    """A long run in a session of its own."""
    words = ["run", "calm_2024", f"out={out}", f"workers={workers}", f"ensemble.worlds={worlds}"]
    command = [sys.executable, "-m", "lodestone", *words, "report.formats=[]", "--quiet"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    )


def ended(run: subprocess.Popen, workers: list[int]) -> None:
    for process in (run.pid, *workers):
        if alive(process):
            os.kill(process, signal.SIGKILL)
    run.communicate()


@pytest.mark.slow
def test_workers_die_with_a_parent_that_is_killed(tmp_path):
    run = started(tmp_path / "run", workers=2)
    workers: list[int] = []
    try:
        assert wait_for(lambda: len(children(run.pid)) == 2, 60)
        workers = children(run.pid)
        time.sleep(3.0)  # they are at work
        run.kill()
        assert wait_for(lambda: not any(alive(w) for w in workers), 10)
    finally:
        ended(run, workers)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_end_is_an_interrupt_and_leaves_no_workers(tmp_path, number):
    run = started(tmp_path / "run", workers=2)
    workers: list[int] = []
    try:
        assert wait_for(lambda: len(children(run.pid)) == 2, 60)
        workers = children(run.pid)
        time.sleep(3.0)
        os.killpg(run.pid, number)
        _, said = run.communicate(timeout=20)
        assert run.returncode == 130, said
        assert "interrupted" in said and "Traceback" not in said
        assert not any(alive(w) for w in workers)
        assert not (tmp_path / "run" / lock.LOCK).exists()
    finally:
        ended(run, workers)


@pytest.mark.slow
def test_a_second_interrupt_ends_at_once(tmp_path):
    run = started(tmp_path / "run", workers=1)
    try:
        assert wait_for(lambda: (tmp_path / "run" / lock.LOCK).exists(), 60)
        time.sleep(1.0)
        os.kill(run.pid, signal.SIGINT)
        os.kill(run.pid, signal.SIGINT)
        began = time.monotonic()
        run.communicate(timeout=10)
        assert run.returncode == 130 and time.monotonic() - began < 5.0
    finally:
        ended(run, [])


def test_workers_have_what_their_parent_has_loaded_unless_another_thread_asks():
    from concurrent.futures import ThreadPoolExecutor

    def loaded() -> tuple[int, int]:
        with pool(2) as executor:
            assert executor is not None
            return executor.submit(os.getppid).result(), executor.submit(worlds_laid).result()

    laid.append(1)
    try:
        assert loaded() == (os.getpid(), 1)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(loaded).result(60) == (os.getpid(), 0)
    finally:
        laid.clear()


def test_a_folder_in_use_is_refused_and_says_who_has_it(tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nfrom pathlib import Path\nfrom lodestone.runs.lock import held\n"
            f"with held(Path({str(out)!r})):\n    print('mine', flush=True)\n    time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None and other.stdout.readline() == "mine\n"
        with (
            pytest.raises(InputError, match=f"process {other.pid} on {socket.gethostname()}"),
            lock.held(out),
        ):
            pass
        other.kill()
        other.wait()
        assert (out / lock.LOCK).exists(), "it left its lock behind"
        with lock.held(out):
            assert json.loads((out / lock.LOCK).read_text())["pid"] == os.getpid()
        assert not (out / lock.LOCK).exists()
    finally:
        ended(other, [])


def test_a_lock_of_another_machine_is_not_taken_for_stale(tmp_path):
    (tmp_path / lock.LOCK).write_text(json.dumps({"pid": 1, "host": "elsewhere", "since": "then"}))
    with pytest.raises(InputError, match="on elsewhere"), lock.held(tmp_path):
        pass
    assert (tmp_path / lock.LOCK).exists()


def test_a_damaged_part_is_computed_anew(tmp_path, monkeypatch):
    import lodestone.runs.simulate as composition

    scenario = load_scenario("calm_2024", overrides=SHORT)
    settings = replace(Settings(), worlds=5, workers=1, report_formats=())
    whole = simulate(scenario, replace(settings, out=tmp_path / "whole"))

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "cut"
    monkeypatch.setattr(composition, "CHUNK", 2)
    monkeypatch.setattr(composition, "write_folder", cut)
    with pytest.raises(KeyboardInterrupt):
        simulate(scenario, replace(settings, out=out))
    parts = out / ".parts" / "scenario"
    first, second, third = finished(parts)
    data = bytearray((parts / first / "unmet").read_bytes())
    data[len(data) // 2] ^= 1
    (parts / first / "unmet").write_bytes(bytes(data))
    (parts / second / "planned").unlink()
    monkeypatch.undo()
    monkeypatch.setattr(composition, "CHUNK", 2)
    ran: list[int] = []
    plain = composition.run_chunk

    def seen(case, ready, worlds, *rest):
        ran.append(int(worlds[0]))
        plain(case, ready, worlds, *rest)

    monkeypatch.setattr(composition, "run_chunk", seen)
    simulate(scenario, replace(settings, out=out))
    assert len(ran) == 2 and str(third)[:7] not in {f"{w:07d}" for w in ran}
    for name in ("summary.csv", "shortage_curve.csv", "worlds.parquet"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
