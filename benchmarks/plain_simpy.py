"""The toy chain as one writes it with SimPy at first: a process for each shipment.

One process a facility produces and sends every week, one process a facility breaks it and mends
it, and every shipment is a process of its own that waits for its transit time. One run is one
world.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from benchmarks.harness import runner
from benchmarks.toy import REGIONS, Toy, outage_draws

Process = Generator[simpy.Event, Any, None]


class Chain:
    """One world of the toy chain."""

    def __init__(self, toy: Toy, seed: int, world: int, outages: bool) -> None:
        self.toy = toy
        self.env = simpy.Environment()
        self.stock = [0.0] * (toy.facilities + REGIONS)
        self.up = [True] * toy.facilities
        self.lanes: list[list[tuple[int, float, int]]] = [[] for _ in range(toy.facilities)]
        for source, *lane in zip(
            toy.source.tolist(),
            toy.destination.tolist(),
            toy.share.tolist(),
            toy.transit.tolist(),
            strict=True,
        ):
            self.lanes[source].append(tuple(lane))
        draws = outage_draws(toy.facilities, seed, world)
        for facility in range(toy.facilities):
            self.env.process(self.work(facility))
            if outages:
                self.env.process(self.break_down(facility, draws[facility].tolist()))

    def work(self, facility: int) -> Process:
        """Produce once a week from what has arrived and send it on."""
        capacity = float(self.toy.capacity[facility])
        first_stage = facility < REGIONS
        while True:
            if self.up[facility]:
                made = capacity
                if not first_stage:
                    used = min(capacity, self.stock[facility])
                    self.stock[facility] -= used
                    made = used * self.toy.recovery
                if made > 0:
                    for destination, share, transit in self.lanes[facility]:
                        self.env.process(self.ship(destination, made * share, transit))
            yield self.env.timeout(1)

    def ship(self, destination: int, tonnes: float, transit: int) -> Process:
        """Travel, then arrive."""
        yield self.env.timeout(transit)
        self.stock[destination] += tonnes

    def break_down(self, facility: int, durations: list[float]) -> Process:
        """Go down and up again after the drawn durations."""
        for duration in durations:
            yield self.env.timeout(duration)
            self.up[facility] = not self.up[facility]


@runner("plain SimPy, a process for each shipment", worlds=3, baseline=True)
def plain_simpy(toy: Toy, worlds: int, seed: int, outages: bool = True) -> np.ndarray:
    """Return the tonnes delivered to users, (region, world)."""
    delivered = np.empty((REGIONS, worlds))
    for world in range(worlds):
        chain = Chain(toy, seed, world, outages)
        chain.env.run(until=toy.weeks)
        delivered[:, world] = chain.stock[toy.facilities :]
    return delivered
