"""What a point of a study costs beside its worlds, and what a second process is worth.

Processor milliseconds a point by step, for points that differ in a number of a measure (they share
one reference), in a number of behaviour (each has a reference of its own) and in a number of the
chain (each lays its base year anew, too). Simulating is the market days, recording included; all else is overhead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

SCENARIO = "licence_shock_april_2025"
SWEPT = {
    "numbers": "scenario.interventions.april_2025_licences.spillover=linspace(0,1,{n})",
    "behaviour": "scenario.overrides.order.forecast_weeks=linspace(5,9,{n})",
    "structure": "scenario.overrides.sector.consumer_electronics.growth_2030=linspace(1,2,{n})",
}
SIMULATING = "simulating"


@dataclass(frozen=True)
class Cost:
    """Processor milliseconds a point by step.

    Attributes
    ----------
    what
        How points differ.
    points, worlds
        Of the study.
    steps
        Milliseconds by step.
    """

    what: str
    points: int
    worlds: int
    steps: dict[str, float]

    @property
    def overhead(self) -> float:
        """Milliseconds a point of everything but simulating."""
        return sum(ms for name, ms in self.steps.items() if name != SIMULATING)


class Clock:
    """Adds up processor seconds by step; a step inside another one counts for itself alone."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._inside: list[float] = []

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that adds its processor seconds to a step."""

        def call(*given: Any, **named: Any) -> Any:
            self._inside.append(0.0)
            began = time.process_time()
            try:
                return function(*given, **named)
            finally:
                took = time.process_time() - began
                own = took - self._inside.pop()
                self.spent[name] = self.spent.get(name, 0.0) + own
                if self._inside:
                    self._inside[-1] += took

        return call


def _study(folder: Path, what: str, points: int, worlds: int, end: str, workers: int = 1) -> None:
    from lodestone.studies import sweep
    from lodestone.studies.request import request_from_words
    from lodestone.studies.study import Study

    words = [SWEPT[what].format(n=points), f"ensemble.worlds={worlds}", f"scenario.end={end}"]
    request = request_from_words([SCENARIO], [*words, f"out={folder}"], {"workers": workers})
    plan, place = sweep.begin(request)
    sweep.run_plan(plan, place)
    Study(plan, place).save()


def cost(what: str, points: int = 20, worlds: int = 8, end: str = "2025-06-02") -> Cost:
    """Run a study in this process twice, and time the second one.

    Parameters
    ----------
    what : str
        Key of `SWEPT`.
    end : str
        Last day of every point.
    """
    from lodestone.engine import ground
    from lodestone.engine.run import BatchRun
    from lodestone.outputs.recorder import Recorder
    from lodestone.runs.compiled import Compiled
    from lodestone.studies import bench, sweep
    from lodestone.studies import points as made
    from lodestone.studies.folder import StudyFolder
    from lodestone.studies.study import Study

    clock = Clock()
    steps: tuple[tuple[str, Any, str], ...] = (
        ("reading and checking", made._Builder, "point"),
        ("laying the ground", ground, "balance"),
        ("laying the ground", ground.Layout, "of"),
        ("drawing worlds", Compiled, "batch"),
        ("room for series", Recorder, "__init__"),
        (SIMULATING, BatchRun, "run"),
        ("metrics", bench, "_work_out"),
        ("parts", StudyFolder, "write"),
        ("tables", Study, "save"),
    )
    with TemporaryDirectory() as root, ExitStack() as stack:
        _study(Path(root) / "warm", what, min(points, 3), worlds, end)
        for name, owner, attribute in steps:
            call = clock.timed(name, getattr(owner, attribute))
            stack.enter_context(mock.patch.object(owner, attribute, call))
        clock.timed("everything else", _study)(Path(root) / "timed", what, points, worlds, end)
    assert points <= sweep.EVERY, "not every point was compiled beforehand"
    return Cost(what, points, worlds, {k: 1000.0 * v / points for k, v in clock.spent.items()})


def speed_up(
    workers: int = 2, points: int = 12, worlds: int = 64, end: str = "2025-06-02"
) -> float:
    """Wall time of a study in one process over that in several; the starting of them included."""
    took = []
    for number in (1, workers):
        with TemporaryDirectory() as root:
            began = time.perf_counter()
            _study(Path(root) / "study", "numbers", points, worlds, end, number)
            took.append(time.perf_counter() - began)
    return took[0] / took[1]


def lines(costs: list[Cost]) -> list[str]:
    """Return the costs side by side as a table in Markdown."""
    names = list(dict.fromkeys(name for c in costs for name in c.steps))
    head = [f"{c.what}, {c.worlds} worlds" for c in costs]
    rows = [
        f"| {name} | " + " | ".join(f"{c.steps.get(name, 0.0):.1f}" for c in costs) + " |"
        for name in names
    ]
    beside = " | ".join(f"{c.overhead:.1f}" for c in costs)
    ratio = " | ".join(f"{c.overhead / c.steps[SIMULATING]:.2f}" for c in costs)
    return [
        "| ms a point | " + " | ".join(head) + " |",
        "|:---|" + "---:|" * len(costs),
        *rows,
        f"| all but {SIMULATING} | {beside} |",
        f"| over {SIMULATING} | {ratio} |",
    ]
