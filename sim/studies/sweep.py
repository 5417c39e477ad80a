"""Run a study: what is missing, on this machine or a cluster, and nothing twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.border.units import DAYS_PER_YEAR
from lodestone.chain.load import seeds_at_rest
from lodestone.studies.columns import Columns
from lodestone.studies.evaluate import Outcome, compiles
from lodestone.studies.folder import FORMAT, Row, StudyFolder
from lodestone.studies.points import Plan, Point, apart, make_plan, one_of_each, study_name
from lodestone.studies.request import Request
from lodestone.studies.task import Task
from lodestone.studies.work import Job, reference_name, run_chunk, run_reference

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Size", "begin", "chunks_of", "measure", "run_plan"]

Progress = Callable[[int, int, str], None]
#: Cost of a world on a market day, seconds, and bytes of a metric of a world on disk: measured.
SECONDS_PER_WORLD_TICK = 2.6e-4
BYTES_PER_VALUE = 5.0
#: Megabytes of a study's report, figures and tables, and of the tables a point.
REPORT_MB, TABLES_MB = 0.6, 0.003
METRICS, DRAWS = 320, 85
#: A chunk of points is about so many seconds of one process, and at most so many points.
CHUNK_SECONDS, CHUNK_POINTS = 4.0, 64
#: So many chunks at least are left where chunks grow so that their points fill a batch.
CHUNKS = 8
#: Beyond this a study is only run when the user says so.
MOST_POINTS, MOST_HOURS, MOST_GIGABYTES = 1000, 1.0, 5.0
#: How often a pool whose worker died is started anew.
RESTARTS = 3
#: Up to so many points that differ in more than numbers of measures are compiled before the first is
#: run; of more, one of each structure. Of each structure one is asked for the metrics.
EVERY = 100


@dataclass(frozen=True)
class Size:
    """How large a study is, told before it runs.

    Attributes
    ----------
    points, references
        Points, and references that they are measured against, as far as known before the run
        (a reference is run once for each day of first disruption).
    missing
        Points that no part holds yet.
    world_years
        Simulated in all for what is missing.
    seconds
        Expected, with the workers there are.
    megabytes
        Of disk that the missing points will take.
    workers
        Processes on this machine; 0 for a cluster.
    """

    points: int
    references: int
    missing: int
    world_years: float
    seconds: float
    megabytes: float
    workers: int

    def told(self) -> str:
        """One line for the user."""
        from lodestone.studies.text import duration

        where = (
            "the cluster"
            if self.workers == 0
            else f"{self.workers} process" + ("es" if self.workers > 1 else "")
        )
        return (
            f"{self.points:,} points, {self.missing:,} to run, {self.references:,} "
            f"reference{'s' if self.references != 1 else ''}; {self.world_years:,.0f} world-years, "
            f"about {duration(self.seconds)} on {where}, {self.megabytes:,.1f} MB on disk"
        )

    def too_large(self) -> str | None:
        """Why the user has to say yes, or None."""
        if self.missing > MOST_POINTS:
            return f"{self.missing:,} points are more than {MOST_POINTS:,}"
        if self.seconds > 3600 * MOST_HOURS:
            return f"about {self.seconds / 3600:.1f} hours is more than {MOST_HOURS:g}"
        if self.megabytes > 1000 * MOST_GIGABYTES:
            return f"{self.megabytes / 1000:.1f} GB is more than {MOST_GIGABYTES:g} GB of disk"
        return None


def seconds_of(points: Iterable[Point]) -> float:
    """Expected cost of worlds, seconds of one process."""
    return sum(p.settings.worlds * _market_days(p) * SECONDS_PER_WORLD_TICK for p in points)


def begin(request: Request, also: Sequence[str] = ()) -> tuple[Plan, StudyFolder]:
    """Make every point of a study and find its folder; nothing is run or written.

    Parameters
    ----------
    also
        Metrics that are needed beside those to show.

    Raises
    ------
    InputError
        Anything that is wrong with a word, a point or the folder.
    """
    plan = make_plan(request, also)
    out = request.carried.get("out")
    folder = StudyFolder(read_path(str(out)) if out else study_name(request))
    folder.check(_manifest(plan))
    of_each = one_of_each(plan.points)
    with seeds_at_rest():
        different = apart(plan.points)
        for p in different if len(different) <= EVERY else of_each.values():
            asked = plan.asked if p.number in of_each else ()
            compiles(Task(p.key, p.scenario, p.reference, p.settings, asked))
    return plan, folder


def _manifest(plan: Plan) -> dict[str, Any]:
    from lodestone.outputs.provenance import code_hash, seeds_hash, versions

    request = plan.request
    return {
        "format": FORMAT,
        "scenario": list(request.scenarios),
        "varying": [a.key for a in request.varying],
        "fixed": {a.key: a.text for a in request.axes if not a.varies and a.key != "scenario"},
        "design": request.design,
        "metrics": list(plan.shown),
        "code": code_hash(),
        "seeds": seeds_hash(*{p.scenario.vintage for p in plan.points}),
        "versions": versions(),
        "points": [
            {"point": p.number, "key": p.key, "reference": p.reference_key, "values": p.values}
            for p in plan.points
        ],
    }


def measure(plan: Plan, folder: StudyFolder) -> Size:
    """Say how large a study is and how much of it is done."""
    done = folder.done(plan.asked)
    missing = _distinct([p for p in plan.points if p.key not in done])
    references = {p.reference_key: p for p in missing if p.reference_key is not None}
    run = [*missing, *references.values()]
    workers = _workers(plan.request, seconds_of(run), len(missing))
    values = sum(p.settings.worlds * (METRICS + len(plan.asked)) for p in run)
    values += max((p.settings.worlds for p in missing), default=0) * DRAWS
    years = sum(p.settings.worlds * p.years for p in run)
    return Size(
        points=len(plan.points),
        references=len({p.reference_key for p in plan.points} - {None}),
        missing=len(missing),
        world_years=years,
        seconds=seconds_of(run) / max(workers, 1),
        megabytes=(values * BYTES_PER_VALUE / 1e6 + REPORT_MB + TABLES_MB * len(plan.points))
        if missing
        else 0.0,
        workers=workers,
    )


def _distinct(points: Iterable[Point]) -> list[Point]:
    return list({p.key: p for p in points}.values())


def _workers(request: Request, seconds: float, tasks: int) -> int:
    from lodestone.runs.pool import count

    if request.carried.get("cluster"):
        return 0
    return count(int(request.carried.get("workers") or 0), seconds, tasks or 1)


# --------------------------------------------------------------------------- chunks


def chunks_of(plan: Plan, done: set[str]) -> list[list[Job]]:
    """Cut the points into chunks and keep of each what is missing.

    The cuts depend on the plan alone, so a study that was interrupted writes the same parts as
    one that was not.
    """
    points = _distinct(plan.points)
    if not points:
        return []
    each = max(seconds_of(points) / len(points), 1e-6)
    size = max(round(CHUNK_SECONDS / each), _side_by_side(points))
    size = int(np.clip(size, 1, CHUNK_POINTS))
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    users: dict[str, set[int]] = {}
    for i, group in enumerate(groups):
        for p in group:
            if p.reference_key is not None:
                users.setdefault(p.reference_key, set()).add(i)
    out = []
    for group in groups:
        jobs = []
        for p in group:
            if p.key in done:
                continue
            task = Task(p.key, p.scenario, p.reference, p.settings, plan.asked)
            own = p.reference is not None and len(users[str(p.reference_key)]) == 1
            jobs.append(Job(task, _reference_task(p, plan, ()) if own else None))
        if jobs:
            out.append(jobs)
    return out


def _side_by_side(points: Sequence[Point]) -> int:
    """Points that make a batch, as far as enough chunks are left for several processes."""
    from lodestone.studies.abreast import columns_of

    fewest = min(columns_of(*held) // max(held[0], 2) for held in _held(points))
    return min(fewest, len(points) // CHUNKS)


def _reference_task(point: Point, plan: Plan, shocks: tuple[np.ndarray, ...]) -> Task:
    assert point.reference is not None and point.reference_key is not None
    return Task(point.reference_key, point.reference, None, point.settings, plan.asked, shocks)


# --------------------------------------------------------------------------- running


def run_plan(plan: Plan, folder: StudyFolder, progress: Progress | None = None) -> dict[str, Any]:
    """Compute what is missing of a study and leave it in the folder.

    Returns
    -------
    dict
        ``failed``: error by key of a point; ``ran``: number of points that were run.

    Raises
    ------
    InputError
        Another process works in the folder, the disk is full, the cluster does not answer, or
        workers keep dying; what is finished is kept, and the same command goes on.
    """
    with folder.locked():
        for stale in folder.parts.glob(".*.part") if folder.parts.is_dir() else ():
            stale.unlink(missing_ok=True)
        folder.save_request(plan.request.to_dict(), _manifest(plan))
        _room_for(folder, plan, measure(plan, folder))
        try:
            return _Runner(plan, folder, progress or (lambda a, b, c: None)).run()
        except OSError as error:
            raise InputError(
                f"cannot be written: {error.strerror or error}",
                file=error.filename or folder.folder,
                hint="Free some space; the same command goes on from the finished points.",
            ) from error


def _room_for(folder: StudyFolder, plan: Plan, size: Size) -> None:
    from lodestone.runs.ready import A_WORLD_DAY, memory_of_batches, room_for
    from lodestone.studies.abreast import columns_of
    from lodestone.studies.bench import TOGETHER

    if size.missing and size.workers:
        most = max(memory_of_batches(columns_of(*held), held[1]) for held in _held(plan.points))
        most += TOGETHER * A_WORLD_DAY
        room_for(most * size.workers, size.workers)
    free = shutil.disk_usage(folder.folder).free
    if size.megabytes * 1e6 > free:
        raise InputError(
            f"the study needs about {size.megabytes:,.0f} MB and {free / 1e6:,.0f} MB are free",
            file=folder.folder,
            key="out",
            hint="Give a folder on another disk with out=DIR, or fewer points.",
        )


def _held(points: Sequence[Point]) -> set[tuple[int, float, int]]:
    """Worlds and market days of points, and how many points there are."""
    return {(p.settings.worlds, _market_days(p), len(points)) for p in points}


def _market_days(point: Point) -> float:
    return point.years * DAYS_PER_YEAR / point.settings.market_days


class _Runner:
    """Hands chunks to an executor and writes what comes back."""

    def __init__(self, plan: Plan, folder: StudyFolder, say: Progress) -> None:
        self.plan, self.folder, self.say = plan, folder, say
        self.points = {p.key: p for p in plan.points}
        self.failed: dict[str, tuple[str, str]] = {}
        self.finished = folder.done(plan.asked)
        self.total = sum(p.settings.worlds for p in self.points.values())
        self.worlds = sum(p.settings.worlds for k, p in self.points.items() if k in self.finished)
        self.asked_for: set[str] = set()
        self.begun: set[str] = set()
        self.later: dict[str, tuple[Point, list[np.ndarray]]] = {}
        self.pieces: dict[str, dict[int, Outcome]] = {}
        self.processes = 1
        self.ran = 0

    def run(self) -> dict[str, Any]:
        self.say(self.worlds, self.total, "worlds")
        waiting: list[tuple[Callable[..., Any], Any]] = [
            (run_chunk, c) for c in chunks_of(self.plan, self.finished)
        ]
        waiting += self._references(self.points)
        seconds = seconds_of(self.points.values())
        workers = _workers(self.plan.request, seconds, len(waiting))
        if self.plan.request.carried.get("cluster"):
            from lodestone.studies.cluster import cluster_executor

            address = str(self.plan.request.carried["cluster"])
            vintages = sorted({p.scenario.vintage for p in self.plan.points})
            with cluster_executor(address, vintages) as executor:
                self._through(executor, waiting)
        elif workers <= 1:
            while waiting := waiting or self._kept_back():
                work, what = waiting.pop(0)
                waiting += self._take(work(what))
        else:
            self._locally(workers, waiting)
        return {"failed": self.failed, "ran": self.ran}

    def _locally(self, workers: int, waiting: list[tuple[Callable[..., Any], Any]]) -> None:
        from concurrent.futures.process import BrokenProcessPool

        from lodestone.runs.pool import pool

        self.processes = workers
        for left in range(RESTARTS, -1, -1):
            try:
                with pool(workers) as executor:
                    assert executor is not None
                    self._through(executor, waiting)
                return
            except BrokenProcessPool:
                if left == 0:
                    raise InputError(
                        "worker processes keep dying, perhaps for lack of memory",
                        key="workers",
                        hint="Try fewer: workers=1. What is finished is kept; the same command "
                        "goes on.",
                    ) from None
                waiting = [(run_chunk, c) for c in chunks_of(self.plan, self.finished)]
                self.asked_for.clear()
                self.begun.clear()
                self.later.clear()
                self.pieces.clear()
                waiting += self._references(self.points)

    def _through(self, executor: Executor, waiting: list[tuple[Callable[..., Any], Any]]) -> None:
        from concurrent.futures import FIRST_COMPLETED, Future, wait

        pending: set[Future[Any]] = {executor.submit(work, what) for work, what in waiting}
        try:
            while pending or (pending := {executor.submit(w, t) for w, t in self._kept_back()}):
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    pending |= {executor.submit(w, t) for w, t in self._take(future.result())}
        except BaseException:
            for future in pending:
                future.cancel()
            raise

    def _take(self, found: Any) -> list[tuple[Callable[..., Any], Any]]:
        """Write what a worker gave back; return the shared references that it makes necessary."""
        if found and isinstance(found[0], Outcome):
            self._references_done(found)
            return []
        rows: list[Row] = []
        for outcome, more in found:
            point = self.points[outcome.key]
            self.worlds += point.settings.worlds
            self.ran += 1
            if outcome.error is not None:
                self.failed[outcome.key] = outcome.error
                continue
            assert outcome.shock is not None
            name = ""
            if point.reference_key is not None:
                name = reference_name(point.reference_key, outcome.shock)
            rows.append(Row(outcome.key, outcome.metrics[0], outcome.draws, outcome.shock, name))
            rows += [
                Row(o.key, o.metrics[0], Columns(), np.zeros(0), "")
                for o in more
                if o.error is None
            ]
            for other in more:
                if other.error is not None:
                    self.failed[outcome.key] = other.error
        if rows:
            self.folder.write("p", rows)
            self.finished |= {r.key for r in rows}
        self.say(self.worlds, self.total, "worlds")
        return self._references([r.key for r in rows])

    def _references_done(self, found: Sequence[Outcome]) -> None:
        for piece in found:
            held = self.pieces.setdefault(piece.key, {})
            held[piece.piece[0]] = piece
            if len(held) < piece.piece[1]:
                continue
            outcome = Outcome.joined([held[number] for number in sorted(held)])
            del self.pieces[piece.key]
            if outcome.error is not None:
                users = [p.key for p in self.points.values() if p.reference_key == outcome.key[:20]]
                self.failed |= dict.fromkeys(users, outcome.error)
                continue
            row = Row(outcome.key, outcome.metrics[0], Columns(), np.zeros(0), "")
            self.folder.write("r", [row])
            self.finished.add(outcome.key)

    def _references(self, keys: Iterable[str]) -> list[tuple[Callable[..., Any], Any]]:
        """References of finished points that are neither done nor asked for yet.

        A reference is run for the first point that needs it, by all processes: it comes last.
        Points whose first disruption falls on other days are kept back, and share one further run
        of it at the end.
        """
        from lodestone.studies.folder import REFERENCE, SHOCK

        tasks = []
        for key in keys:
            point = self.points.get(key)
            if point is None or point.reference is None or key not in self.finished:
                continue
            names, shock = self.folder.values(key, REFERENCE), self.folder.values(key, SHOCK)
            assert names is not None and shock is not None
            name = str(names[0])
            if name in self.finished or name in self.asked_for:
                continue
            self.asked_for.add(name)
            if point.reference_key in self.begun:
                self.later.setdefault(str(point.reference_key), (point, []))[1].append(shock)
                continue
            self.begun.add(str(point.reference_key))
            tasks.append(_reference_task(point, self.plan, (shock,)))
        return self._by_all(tasks)

    def _kept_back(self) -> list[tuple[Callable[..., Any], Any]]:
        """References that were kept back, one task each, when everything else is done."""
        tasks = [_reference_task(p, self.plan, tuple(s)) for p, s in self.later.values()]
        self.later.clear()
        return self._by_all(tasks)

    def _by_all(self, tasks: Sequence[Task]) -> list[tuple[Callable[..., Any], Any]]:
        """References cut into as many pieces as there are processes."""
        return [(run_reference, piece) for t in tasks for piece in t.pieces(self.processes)]
