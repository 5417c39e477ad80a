"""What a worker does for a study: a chunk of points, or (a piece of) a reference they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lodestone.chain.load import seeds_at_rest
from lodestone.studies.abreast import start_tasks
from lodestone.studies.bench import Bench
from lodestone.studies.evaluate import Outcome, run_task
from lodestone.studies.folder import array_hash
from lodestone.studies.task import Task

__all__ = ["Job", "reference_name", "run_chunk", "run_reference"]


@dataclass(frozen=True)
class Job:
    """A point and whether its reference is run with it (no other chunk needs it)."""

    task: Task
    reference: Task | None


def run_chunk(jobs: Sequence[Job]) -> list[tuple[Outcome, list[Outcome]]]:
    """Run a chunk in a worker: each point, and the references that are its own.

    Returns
    -------
    list of (outcome of a point, outcomes of references)
        A reference that two points of the chunk share stands once.
    """
    bench = Bench(_ahead(jobs))
    with seeds_at_rest():
        points = start_tasks([job.task for job in jobs], bench)
        names: list[str] = []
        own: dict[str, Task] = {}
        for job, running in zip(jobs, points, strict=True):
            name = ""
            if job.reference is not None and running.shock is not None:
                name = reference_name(job.reference.key, running.shock)
                own.setdefault(name, replace(job.reference, key=name, shocks=(running.shock,)))
            names.append(name)
        references = dict(zip(own, start_tasks(list(own.values()), bench), strict=True))
        bench.settle()
    out = []
    for running, name in zip(points, names, strict=True):
        outcome = running.outcome()
        calm = None if outcome.error is not None else references.pop(name, None)
        out.append((outcome, [] if calm is None else [calm.outcome()]))
    return out


def _ahead(jobs: Sequence[Job]) -> list[Task]:
    """What a chunk will run, as far as known: points may share a reference or not."""
    references = {job.reference.key: job.reference for job in jobs if job.reference is not None}
    return [*(job.task for job in jobs), *references.values()]


def run_reference(task: Task) -> list[Outcome]:
    """Run a shared reference in a worker: its worlds once, its metrics from each first disruption."""
    found = run_task(task)
    if found.error is not None:
        return [
            Outcome(reference_name(task.key, s), error=found.error, piece=task.piece)
            for s in task.shocks
        ]
    return [
        Outcome(reference_name(task.key, shock), (metrics,), piece=task.piece)
        for shock, metrics in zip(task.shocks, found.metrics, strict=True)
    ]


def reference_name(key: str, shock: np.ndarray) -> str:
    """Key under which a reference's metrics stand, counted from one day of first disruption."""
    return f"{key}-{array_hash({'shock': shock})[:10]}"
