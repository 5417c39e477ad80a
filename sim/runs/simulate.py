"""A scenario and its reference, from settings to a run folder: the composition root."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.outputs.parts import sound
from lodestone.outputs.selectors import check_expressions
from lodestone.outputs.tables import TABLES, cube
from lodestone.runs import pool
from lodestone.runs.chunk import Keeping, part_name, run_chunk
from lodestone.runs.compiled import Compiled, compile_scenario
from lodestone.runs.folders import PARTS, WORLDS, not_there, run_folder, save_identity
from lodestone.runs.identity import Stamp, identity_of, reference_of
from lodestone.runs.lock import held
from lodestone.runs.settings import Settings
from lodestone.runs.write import write_folder
from lodestone.scenario import Scenario

Progress = Callable[[int, int, str], None]
#: Worlds of one batch: enough to spread the cost of a tick, few enough to stay in cache.
CHUNK = 128
#: Market days beyond which batches are narrower, because memory grows with both.
LONG_DAYS = 800
#: Worlds up to which series are kept as they are; beyond, rounded (`roundings` in `chunk.py`).
EXACT = 500
#: Cost of a world's market day, seconds; decides when a second process is worth its start.
SECONDS_PER_WORLD_TICK = 2.0e-4


def simulate(
    scenario: Scenario,
    settings: Settings,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Path:
    """Run a scenario and its reference and write the tables of a run folder.

    Parameters
    ----------
    scenario : Scenario
    settings : Settings
    progress : callable, optional
        ``progress(worlds done, worlds in all, what)``.
    executor : Executor, optional
        Where batches are run; by default processes of this machine, as many as are worth it.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    InputError
        The folder belongs to another run, a verdict asks for an unknown metric, or a measure
        cannot be compiled; what was not on disk before is not there afterwards.
    ModelError
        The mass balance does not close; nothing is reported.
    """
    began = time.monotonic()
    check_verdicts(scenario)
    reference = reference_of(scenario)
    identity = identity_of(scenario, settings)
    folder = run_folder(scenario, settings, identity)
    parts = folder / PARTS
    new = not_there(parts)
    try:
        cases = {"scenario": compile_scenario(scenario, settings)}
        if reference is not None:
            cases["reference"] = compile_scenario(reference, settings)
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder):
            save_identity(parts, identity)
            run_all(cases, settings, parts, progress, executor)
            write_folder(folder, cases, settings, parts, identity, began, is_exact(settings))
            keep_worlds(parts, folder, settings)
    except InputError:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
        raise
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}",
            file=error.filename or folder,
            hint="Free some space or give another folder with out=DIR; the same command goes on "
            "from the finished worlds.",
        ) from error
    return folder


def check_verdicts(scenario: Scenario) -> None:
    """Refuse a headline or a hypothesis that asks for an unknown metric, selector or word.

    Raises
    ------
    InputError
        Names the key and the nearest known word.
    """
    check_expressions(scenario, load_chain(scenario.vintage))


def is_exact(settings: Settings) -> bool:
    """Whether series are kept as they are: up to 500 worlds, and where they are asked for."""
    return settings.worlds <= EXACT or "worlds" in settings.outputs


def keeping(settings: Settings, paired: bool) -> Keeping:
    """What is kept of every world until the tables are written: what some table reads."""
    if "worlds" in settings.outputs:
        return Keeping(None, exact=True)
    tables = {name: item for name, item in TABLES.items() if paired or not item.paired}
    if "gap" not in settings.outputs:
        tables.pop("closed_gap", None)
    read = {name for item in tables.values() for name in item.reads}
    if "series" in settings.outputs:
        read |= set(cube.UNITS)
    return Keeping(frozenset(read), is_exact(settings))


def keep_worlds(parts: Path, folder: Path, settings: Settings) -> None:
    """Keep the parts of a finished run where they were asked for, else throw them away."""
    if "worlds" in settings.outputs:
        shutil.rmtree(folder / WORLDS, ignore_errors=True)
        parts.replace(folder / WORLDS)
    else:
        shutil.rmtree(parts, ignore_errors=True)


def chunks(worlds: int, days: float) -> list[np.ndarray]:
    """Numbers of so many worlds, cut into batches that hold so many market days in memory."""
    wide = max(1, int(CHUNK * min(1.0, LONG_DAYS / max(days, 1.0))))
    n = max(1, -(-worlds // wide))
    return [np.asarray(c) for c in np.array_split(np.arange(worlds), n)]


def processes(settings: Settings, cases: int, days: float, batches: int | None = None) -> int:
    """How many processes of this machine a run gets.

    Parameters
    ----------
    cases : int
        Two with a reference.
    days : float
        Market days of one case.
    batches : int, optional
        That are to be run; by default all.
    """
    work = settings.worlds * cases * days * SECONDS_PER_WORLD_TICK
    if batches is None:
        batches = cases * len(chunks(settings.worlds, days))
    return pool.count(settings.workers, work, batches)


def run_all(
    cases: dict[str, Compiled],
    settings: Settings,
    parts: Path,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Run what is not on disk yet of every case, batch by batch."""
    first = cases["scenario"].scenario
    days = settings.days_of(first.start, first.end)
    batches = chunks(settings.worlds, days)
    todo: list[tuple[str, np.ndarray]] = []
    kept = keeping(settings, len(cases) > 1)
    for case in cases:
        have = {name for name in sound(parts / case) if kept.fits(parts / case / name)}
        todo += [(case, c) for c in batches if part_name(c) not in have]
    total = settings.worlds * len(cases)
    done = total - sum(len(c) for _, c in todo)
    say = progress or (lambda a, b, c: None)
    say(done, total, "worlds")
    calm = cases["reference"].scenario if "reference" in cases else None
    both = (cases["scenario"], calm)
    stamp = Stamp.of(cases["scenario"].scenario, calm)
    workers = processes(settings, len(cases), days, len(todo))
    alone = executor is None and workers == 1

    begun = 0

    def tick(share: float) -> None:
        say(done + int(share * len(todo[begun][1])), total, "worlds")

    def one_done(number: int) -> None:
        nonlocal done, begun
        done += len(todo[number][1])
        begun = min(begun + 1, len(todo) - 1)
        say(done, total, "worlds")

    tail: tuple[Any, ...] = (tick,) if alone else ()
    jobs = [
        (run_chunk, (case, cases[case], chunk, parts / case, both, stamp, kept, *tail))
        for case, chunk in todo
    ]
    with nullcontext(executor) if executor is not None else pool.pool(workers) as chosen:
        pool.results(chosen, jobs, one_done)
