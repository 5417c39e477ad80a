"""The toy chain as one compiled loop of the same arithmetic: how far an engine is from the metal."""

from __future__ import annotations

import numba
import numpy as np

from benchmarks.bare_numpy import running
from benchmarks.harness import runner
from benchmarks.toy import REGIONS, Toy


@numba.njit(error_model="numpy")
def weeks_of(
    lanes: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    capacity: np.ndarray,
    recovery: float,
    up: np.ndarray,
    made: np.ndarray,
    stock: np.ndarray,
) -> None:
    """Run all weeks: ``made`` (week + longest, f, w) and ``stock`` (f + regions, w) are changed.

    ``lanes`` are source, destination, share and weeks under way, sorted by destination; ``up``
    (week, f, w) says which facility runs.
    """
    source, destination, share, transit = lanes
    weeks, facilities, worlds = up.shape
    longest = made.shape[0] - weeks
    regions = stock.shape[0] - facilities
    arrived = np.zeros(worlds)
    for week in range(weeks):
        for i in range(source.shape[0]):
            if i == 0 or destination[i] != destination[i - 1]:
                arrived[:] = 0.0
            sent = made[week + longest - transit[i], source[i]]
            for w in range(worlds):
                arrived[w] += sent[w] * share[i]
            if i + 1 == source.shape[0] or destination[i + 1] != destination[i]:
                for w in range(worlds):
                    stock[destination[i], w] += arrived[w]
        for f in range(facilities):
            now = made[week + longest, f]
            for w in range(worlds):
                runs = 1.0 if up[week, f, w] else 0.0
                if f < regions:
                    now[w] = capacity[f] * runs
                else:
                    used = min(capacity[f], stock[f, w]) * runs
                    stock[f, w] -= used
                    now[w] = used * recovery


@runner("bare compiled loop, all worlds at once", worlds=256)
def bare_compiled(toy: Toy, worlds: int, seed: int, outages: bool = True) -> np.ndarray:
    """Return the tonnes delivered to users, (region, world)."""
    if outages:
        up = running(toy, worlds, seed)
    else:
        up = np.ones((toy.weeks, toy.facilities, worlds), dtype=bool)
    order = np.argsort(toy.destination, kind="stable")
    lanes = (toy.source[order], toy.destination[order], toy.share[order], toy.transit[order])
    stock = np.zeros((toy.facilities + REGIONS, worlds))
    made = np.zeros((toy.weeks + int(toy.transit.max()), toy.facilities, worlds))
    weeks_of(lanes, toy.capacity, toy.recovery, up, made, stock)
    return stock[toy.facilities :]
