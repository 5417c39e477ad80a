"""The toy chain that all ways compute: 4 stages x 10 regions, 520 weeks, three lanes out of each.

It is small enough to check by hand and has what makes the real chain slow: transit times, limited
inputs, outages that differ by world. All ways read the same numbers and the same draws, so their
results can be compared world by world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Toy", "outage_draws", "toy_chain"]

STAGES, REGIONS, WEEKS = 4, 10, 520
UP_WEEKS, DOWN_WEEKS, PAIRS = 100.0, 6.0, 40
LANES = ((0, 0.5), (1, 0.3), (3, 0.2))
"""Distance to the destination region and share of the output, by lane."""


@dataclass(frozen=True)
class Toy:
    """The chain as arrays; facility `f` is stage `f // REGIONS` in region `f % REGIONS`.

    Attributes
    ----------
    capacity
        Tonnes a week, (facility,).
    recovery
        Output per tonne of input, 0..1.
    source, destination
        Facility or end user (facilities first, then one user a region) by lane, (lane,).
    share
        Share of the source's output by lane; the shares of a source add up to one, (lane,).
    transit
        Whole weeks, 2-8, (lane,).
    weeks
        Length of a run.
    """

    capacity: np.ndarray
    recovery: float
    source: np.ndarray
    destination: np.ndarray
    share: np.ndarray
    transit: np.ndarray
    weeks: int = WEEKS

    @property
    def facilities(self) -> int:
        """Number of facilities."""
        return len(self.capacity)


def toy_chain(weeks: int = WEEKS) -> Toy:
    """Return the toy chain."""
    capacity = np.array([100.0 + 7 * (f % REGIONS) for f in range(STAGES * REGIONS)])
    lanes = [
        (f, (f // REGIONS + 1) * REGIONS + (f % REGIONS + step) % REGIONS, share)
        for f in range(STAGES * REGIONS)
        for step, share in LANES
    ]
    source, destination, share = (np.array(column) for column in zip(*lanes, strict=True))
    transit = 2 + (source * 5 + destination * 3) % 7
    return Toy(capacity, 0.92, source, destination, share, transit, weeks)


def outage_draws(facilities: int, seed: int, world: int) -> np.ndarray:
    """Return how long each facility is up and down in turn, weeks, (facility, 2 x PAIRS)."""
    rng = np.random.default_rng([seed, world])
    draws = rng.standard_exponential((facilities, 2 * PAIRS))
    draws[:, 0::2] *= UP_WEEKS
    draws[:, 1::2] *= DOWN_WEEKS
    return draws
