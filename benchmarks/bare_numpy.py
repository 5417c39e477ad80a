"""The toy chain as bare array arithmetic over all worlds: how fast it can be without an engine."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import runner
from benchmarks.toy import REGIONS, Toy, outage_draws


def running(toy: Toy, worlds: int, seed: int) -> np.ndarray:
    """Return whether a facility is up at the start of a week, (week, facility, world)."""
    up = np.empty((toy.weeks, toy.facilities, worlds), dtype=bool)
    weeks = np.arange(toy.weeks)
    for world in range(worlds):
        switches = np.cumsum(outage_draws(toy.facilities, seed, world), axis=1)
        for facility in range(toy.facilities):
            passed = np.searchsorted(switches[facility], weeks, side="right")
            up[:, facility, world] = passed % 2 == 0
    return up


@runner("bare numpy, all worlds at once", worlds=256)
def bare_numpy(toy: Toy, worlds: int, seed: int, outages: bool = True) -> np.ndarray:
    """Return the tonnes delivered to users, (region, world)."""
    up = running(toy, worlds, seed) if outages else None
    order = np.argsort(toy.destination, kind="stable")
    source, transit = toy.source[order], toy.transit[order]
    share = toy.share[order][:, None]
    places, starts = np.unique(toy.destination[order], return_index=True)
    stock = np.zeros((toy.facilities + REGIONS, worlds))
    longest = int(transit.max())
    made = np.zeros((toy.weeks + longest, toy.facilities, worlds))
    capacity = toy.capacity[:, None]
    for week in range(toy.weeks):
        sent = made[week + longest - transit, source]
        sent *= share
        stock[places] += np.add.reduceat(sent, starts, axis=0)
        now = made[week + longest]
        now[:REGIONS] = capacity[:REGIONS]
        used = np.minimum(capacity[REGIONS:], stock[REGIONS : toy.facilities])
        if up is not None:
            now[:REGIONS] *= up[week, :REGIONS]
            used *= up[week, REGIONS:]
        stock[REGIONS : toy.facilities] -= used
        np.multiply(used, toy.recovery, out=now[REGIONS:])
    return stock[toy.facilities :]
