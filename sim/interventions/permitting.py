"""Permitting: the time that projects of a region still need for permits is stretched or cut."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Words, ends_of, number, places, words
from lodestone.worlds.projects import MONTH, Projects

#: States of a project that still needs permits.
WAITING = ("planned", "permitting")


def permit_shift(
    begin: np.ndarray, finish: np.ndarray, start: np.ndarray, end: np.ndarray, factor: np.ndarray
) -> np.ndarray:
    """Days that a factor on permitting time adds to a project.

    Parameters
    ----------
    begin, finish : ndarray, shape (n, w)
        Days between which the project would seek its permits.
    start, end : ndarray, shape (w,)
        Days between which the factor is in force.
    factor : ndarray, shape (w,)
        Multiple of the time that a step of the procedure takes.

    Returns
    -------
    ndarray, shape (n, w)
        ``(factor - 1) x`` the work done while in force; negative is earlier. A permit is never
        granted before the factor is in force, nor in less than the factor of what was left.
    """
    first = np.maximum(begin, start)
    left = np.clip(finish - first, 0.0, None)
    room = np.clip(end - first, 0.0, None)
    return (factor - 1.0) * np.minimum(left, room / factor)


class PermittingEffect(Effect):
    """Shifts the projects of its places that have no permits yet."""

    item: Permitting

    def set_up(self, ctx: Context) -> None:
        """Find the projects without permits, and how long permits and building take."""
        lay, item = ctx.layout, self.item
        there = set(naming.plants_at(ctx.chain, item.regions, item.stages))
        self.rows = np.array(
            [
                i
                for i, f in enumerate(lay.plants.rows)
                if f.name in there
                and not lay.plants.base[i]
                and (f.status in WAITING or f.name.startswith("added_"))
            ],
            dtype=int,
        )
        costs = [
            ctx.chain.plant_cost(f.stage, f.region) for f in (lay.plants.rows[i] for i in self.rows)
        ]
        self.permit_days = self._days(ctx, "permitting_months", [c.permit_months for c in costs])
        self.build_days = self._days(ctx, "construction_months", [c.build_months for c in costs])

    def _days(self, ctx: Context, key: str, usual: list[float]) -> np.ndarray:
        """Days of a step by project and world, (n, w): as given, else as is usual."""
        months = getattr(self.n, key) if key in self.n else np.array(usual).reshape(-1, 1)
        return np.broadcast_to(months, (len(usual), ctx.count)) * MONTH

    def why(self) -> str:
        """Without a project that waits for permits there is nothing to speed up or slow down."""
        return "" if len(self.rows) else "no project there still waits for permits"

    def plan(self, projects: Projects) -> None:
        """Move each project by the factor on what is left of its permitting."""
        waits = projects.open(self.rows, self.start)
        finish = np.where(waits, projects.drawn[self.rows], 0.0) - self.build_days
        start = np.where(np.isfinite(self.start), self.start, 0.0)
        shift = permit_shift(finish - self.permit_days, finish, start, self.end, self.n.factor)
        projects.shift[self.rows] += np.where(waits, shift, 0.0)


@intervention("permitting")
class Permitting(Intervention):
    """Multiplies the time that projects still need for permits; plants being built have theirs."""

    effect: ClassVar[type[Effect]] = PermittingEffect
    neutral: ClassVar[dict[str, float]] = {"factor": 1.0}
    title: ClassVar[str] = "the permitting time of projects in a region is stretched or cut"

    regions: Words = places(..., "where the projects lie")
    stages: Words = words(
        ("mine", "separation", "recycling", "metal", "magnet"), "their stages", names="stage"
    )
    factor: Num = number(
        ...,
        "multiple of the permitting time that is left (likely 0.5 to 1.5)",
        unit="multiple",
        source="A94",
        low=0.1,
        high=10.0,
    )
    permitting_months: Num | None = number(
        None,
        "time for permits before construction (null: as in plant_costs.csv; outside China 48 for "
        "mines, 24 for separation, 12 else)",
        unit="month",
        source="A94",
        low=0.0,
        high=240.0,
    )
    construction_months: Num | None = number(
        None,
        "time from permit to first product (null: as in plant_costs.csv; outside China "
        "30 for mines and magnets, 38 for separation, 24 for metal, 18 for recycling)",
        unit="month",
        source="A94",
        low=0.0,
        high=240.0,
    )

    def hastens(self, chain: Chain) -> Collection[str]:
        """Plants there, where permits come sooner."""
        given = (self.permitting_months, self.construction_months)
        if ends_of(self.factor)[0] >= 1.0 and given == (None, None):
            return ()
        return naming.plants_at(chain, self.regions, self.stages)
