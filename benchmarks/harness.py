"""Measure every way of computing the toy chain in one process, side by side, and compare results.

A way is a function `(toy, worlds, seed, outages) -> tonnes delivered (region, world)` under `@runner`
in a module of this package; it is found without being listed. Times are processor seconds, best of some
repetitions with the garbage collector as it is; ways take turns, so that a busy machine hurts all
alike.

Ways that compute the same (`same="tonnes"`) must deliver the same tonnes in every world they share.
A way that computes more (`same="rate"`) must deliver the same tonnes a week where nothing breaks,
within one percent, and less where something does.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

import benchmarks
from benchmarks.toy import Toy, toy_chain

__all__ = ["RUNNERS", "Measured", "Runner", "found", "lines", "measure", "runner", "weekly"]

Run = Callable[..., np.ndarray]
Same = Literal["tonnes", "rate"]
RATE_TOLERANCE = 0.01
"""How far the weekly deliveries of an undisturbed world may lie apart, share."""


@dataclass(frozen=True)
class Runner:
    """A way of computing the toy chain; `worlds` is the ensemble that it is measured with."""

    title: str
    worlds: int
    baseline: bool
    run: Run
    same: Same = "tonnes"


@dataclass(frozen=True)
class Measured:
    """Best time of a way: seconds for `worlds` worlds, and its ratio to the baseline a world.

    `largest_difference` is relative: of deliveries by region and world where `same` is `tonnes`,
    of the weekly deliveries of an undisturbed world where it is `rate`. `lost` is the share of
    the undisturbed deliveries that outages take, mean over worlds (NaN where not asked for).
    """

    title: str
    worlds: int
    seconds: float
    times_faster: float
    largest_difference: float
    same: Same = "tonnes"
    lost: float = float("nan")

    @property
    def ms_per_world(self) -> float:
        """Milliseconds a world."""
        return 1000 * self.seconds / self.worlds


RUNNERS: dict[str, Runner] = {}


def runner(
    title: str, worlds: int, baseline: bool = False, same: Same = "tonnes"
) -> Callable[[Run], Run]:
    """Register a way; a second one of the same title raises."""

    def register(function: Run) -> Run:
        if title in RUNNERS:
            raise ValueError(f"'{title}' is registered twice")
        RUNNERS[title] = Runner(title, worlds, baseline, function, same)
        return function

    return register


def found() -> list[Runner]:
    """Return all ways, the baseline first, importing every module of this package."""
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"benchmarks.{module.name}")
    return sorted(RUNNERS.values(), key=lambda way: (not way.baseline, way.title))


def measure(
    repeat: int = 3, toy: Toy | None = None, ways: Sequence[Runner] | None = None, seed: int = 0
) -> list[Measured]:
    """Measure the ways in turns and check that they agree on the worlds they share.

    Raises
    ------
    ArithmeticError
        If a way's deliveries differ from the baseline's by more than 1e-9 of them, or, where only
        the rate must agree, by more than a percent in an undisturbed world; or if outages cost
        such a way nothing.
    """
    toy = toy_chain() if toy is None else toy
    ways = found() if ways is None else ways
    base = next(way for way in ways if way.baseline)
    best = dict.fromkeys((way.title for way in ways), float("inf"))
    delivered: dict[str, np.ndarray] = {}
    for _ in range(repeat):
        for way in ways:
            start = time.process_time()
            delivered[way.title] = way.run(toy, way.worlds, seed)
            best[way.title] = min(best[way.title], time.process_time() - start)
    per_world = best[base.title] / base.worlds
    loose = any(way.same == "rate" for way in ways)
    calm = {base.title: weekly(base, toy, seed)} if loose else {}
    measured = []
    for way in ways:
        lost = float("nan")
        if way.same == "tonnes":
            shared = min(way.worlds, base.worlds)
            right = delivered[base.title][:, :shared]
            apart = float(np.abs(delivered[way.title][:, :shared] - right).max() / right.max())
            allowed = 1e-9
        else:
            calm[way.title] = weekly(way, toy, seed)
            apart = abs(calm[way.title].sum() / calm[base.title].sum() - 1.0)
            allowed = RATE_TOLERANCE
        if not apart <= allowed:
            raise ArithmeticError(f"'{way.title}' differs from '{base.title}' by {apart:.2g}")
        if loose:
            undisturbed = way.run(toy, 1, seed, outages=False).sum()
            lost = 1.0 - float(delivered[way.title].sum(axis=0).mean() / undisturbed)
            if way.same == "rate" and not lost > 0:
                raise ArithmeticError(f"outages cost '{way.title}' nothing")
        ratio = per_world / (best[way.title] / way.worlds)
        measured.append(
            Measured(way.title, way.worlds, best[way.title], ratio, apart, way.same, lost)
        )
    return measured


def weekly(way: Runner, toy: Toy, seed: int) -> np.ndarray:
    """Return the tonnes a week that reach users late in an undisturbed world, (region,)."""
    window = max(toy.weeks // 4, 1)
    shorter = replace(toy, weeks=toy.weeks - window)
    late = way.run(toy, 1, seed, outages=False) - way.run(shorter, 1, seed, outages=False)
    return late[:, 0] / window


def lines(measured: Sequence[Measured]) -> list[str]:
    """Return the measurements as a table in Markdown, and what was checked below it."""
    out = [
        "| way | worlds | seconds | ms a world | times faster | checked | lost to outages |",
        "|:---|---:|---:|---:|---:|:---|---:|",
    ]
    for m in measured:
        checked = (
            "tonnes equal" if m.same == "tonnes" else f"calm rate {m.largest_difference:.1e} off"
        )
        lost = "" if m.lost != m.lost else f"{m.lost:.1%}"
        out.append(
            f"| {m.title} | {m.worlds} | {m.seconds:.3f} | {m.ms_per_world:.3g} "
            f"| {m.times_faster:.3g} | {checked} | {lost} |"
        )
    return out
