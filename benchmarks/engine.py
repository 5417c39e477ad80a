"""The full chain: time a world costs, time to start, memory at the peak.

Times of the engine are processor seconds of one process (so another job on the machine disturbs
them little); start-up is wall time of a new process; memory is the largest resident set of a
process and of what it started, as the operating system counts it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

YEARS = 12
BATCHES = (32, 128, 256)
SCENARIO = "licence_shock_april_2025"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    how: str
    value: float
    unit: str


def world_cost(worlds: int, weeks: int) -> float:
    """Return the processor seconds that `calm_2024` takes for a batch, set-up included.

    Parameters
    ----------
    worlds : int
        Worlds of the batch.
    weeks : int
        Length of the run from 2024-01-01.
    """
    from lodestone.chain.load import load_chain
    from lodestone.engine.run import BatchRun
    from lodestone.scenario import load_scenario

    end = date(2024, 1, 1) + timedelta(weeks=weeks)
    scenario = load_scenario("calm_2024", overrides={"end": end.isoformat()})
    chain = load_chain(scenario.vintage)
    start = time.process_time()
    BatchRun(scenario, chain, 0, np.arange(worlds)).run()
    return time.process_time() - start


def engine_figures(
    batches: Sequence[int] = BATCHES, weeks: int = 104, whole: int = 626
) -> Iterator[Figure]:
    """Yield milliseconds per world and core over twelve years, at several widths of a batch.

    Parameters
    ----------
    batches : sequence of int
    weeks : int
        Weeks that are really run; the rest is set-up once and the slope of the run.
    whole : int
        Weeks that the figure stands for.
    """
    for worlds in batches:
        seconds = world_cost(worlds, weeks)
        how = f"calm_2024, {weeks} weeks"
        if weeks < whole:
            short = world_cost(worlds, max(weeks // 4, 1))
            slope = (seconds - short) / (weeks - max(weeks // 4, 1))
            seconds += slope * (whole - weeks)
            how += f" run, carried on to {whole}"
        yield Figure(
            f"a world, {YEARS} years by week, batch of {worlds}", how, 1000 * seconds / worlds, "ms"
        )


def startup_figures(repeat: int = 3) -> Iterator[Figure]:
    """Yield the wall time of commands that only print, best of some new processes."""
    for words in (["list", "scenarios"], ["show", SCENARIO]):
        best = float("inf")
        for _ in range(repeat):
            start = time.perf_counter()
            _command(words, 60)
            best = min(best, time.perf_counter() - start)
        yield Figure(f"start-up of '{' '.join(words)}'", f"best of {repeat}", best, "s")


def memory_figure(worlds: int) -> Figure:
    """Return the peak memory of a run with its reference, tables written and no report."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["run", SCENARIO, f"ensemble.worlds={worlds}", f"out={folder}/run"]
        started = time.perf_counter()
        peak = _command([*words, "report.formats=[]", "--quiet"], 3600)
        took = time.perf_counter() - started
    how = f"{worlds} worlds with reference, {took:.0f} s"
    return Figure(f"peak memory of 'run {SCENARIO}'", how, peak, "MiB")


def _command(words: list[str], seconds: float) -> float:
    """Run a command in a new process and return its peak memory, MiB."""
    with tempfile.TemporaryFile() as said:
        # Started by a small shell: a process inherits the peak of the one it was forked from.
        child = subprocess.Popen(
            ["/bin/sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "sim", *words],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        until = time.monotonic() + seconds
        while True:
            done, status, usage = os.wait4(child.pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > until:
                child.kill()
                os.wait4(child.pid, 0)
                raise TimeoutError(f"'{' '.join(words)}' takes longer than {seconds:g} s")
            time.sleep(0.005)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise RuntimeError(f"'{' '.join(words)}' failed:\n{said.read().decode()[-2000:]}")
    return usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def figures(long: bool = False, repeat: int = 3) -> Iterator[Figure]:
    """Yield all lines of the table; `long` runs all twelve years and a thousand worlds."""
    yield from startup_figures(repeat)
    yield memory_figure(1000 if long else 50)
    if long:
        yield from engine_figures(BATCHES, 626)
    else:
        yield from engine_figures((32, 128), 104)


def lines(found: Sequence[Figure]) -> list[str]:
    """Return the figures as a table in Markdown."""
    rows = [f"| {f.what} | {f.how} | {f.value:.3g} {f.unit} |" for f in found]
    return ["| what | how | |", "|:---|:---|---:|", *rows]
