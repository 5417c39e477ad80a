"""Measure every way of computing the toy chain in one process, side by side, and compare results.

A way is a function `(toy, worlds, seed) -> tonnes delivered (region, world)` under `@runner` in a
module of this package; it is found without being listed. Times are the best of some repetitions
with the garbage collector as it is; ways take turns, so that a busy machine hurts all alike.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import benchmarks
from benchmarks.toy import Toy, toy_chain

__all__ = ["RUNNERS", "Measured", "Runner", "found", "lines", "measure", "runner"]

Run = Callable[[Toy, int, int], np.ndarray]


@dataclass(frozen=True)
class Runner:
    """A way of computing the toy chain; `worlds` is the ensemble that it is measured with."""

    title: str
    worlds: int
    baseline: bool
    run: Run


@dataclass(frozen=True)
class Measured:
    """Best time of a way: seconds for `worlds` worlds, and its ratio to the baseline a world."""

    title: str
    worlds: int
    seconds: float
    times_faster: float
    largest_difference: float

    @property
    def ms_per_world(self) -> float:
        """Milliseconds a world."""
        return 1000 * self.seconds / self.worlds


RUNNERS: dict[str, Runner] = {}


def runner(title: str, worlds: int, baseline: bool = False) -> Callable[[Run], Run]:
    """Register a way; a second one of the same title raises."""

    def register(function: Run) -> Run:
        if title in RUNNERS:
            raise ValueError(f"'{title}' is registered twice")
        RUNNERS[title] = Runner(title, worlds, baseline, function)
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
        If a way's deliveries differ from the baseline's by more than 1e-9 of them.
    """
    toy = toy_chain() if toy is None else toy
    ways = found() if ways is None else ways
    base = next(way for way in ways if way.baseline)
    best = dict.fromkeys((way.title for way in ways), float("inf"))
    delivered: dict[str, np.ndarray] = {}
    for _ in range(repeat):
        for way in ways:
            start = time.perf_counter()
            delivered[way.title] = way.run(toy, way.worlds, seed)
            best[way.title] = min(best[way.title], time.perf_counter() - start)
    per_world = best[base.title] / base.worlds
    measured = []
    for way in ways:
        shared = min(way.worlds, base.worlds)
        right = delivered[base.title][:, :shared]
        apart = float(np.abs(delivered[way.title][:, :shared] - right).max() / right.max())
        if apart > 1e-9:
            raise ArithmeticError(f"'{way.title}' differs from '{base.title}' by {apart:.2g}")
        ratio = per_world / (best[way.title] / way.worlds)
        measured.append(Measured(way.title, way.worlds, best[way.title], ratio, apart))
    return measured


def lines(measured: Sequence[Measured]) -> list[str]:
    """Return the measurements as a table in Markdown."""
    out = [
        "| way | worlds | seconds | ms a world | times faster |",
        "|:---|---:|---:|---:|---:|",
    ]
    out += [
        f"| {m.title} | {m.worlds} | {m.seconds:.3f} | {m.ms_per_world:.3g} | {m.times_faster:.3g} |"
        for m in measured
    ]
    return out
