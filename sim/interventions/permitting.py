"""Permitting: the time that projects of a region still need for permits is stretched or cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Num,
    Words,
    intervention,
    number,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.worlds.projects import MONTH

if TYPE_CHECKING:
    from lodestone.worlds.projects import Projects

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


@dataclass
class PermittingEffect(Effect):
    """Shifts the projects of its places that have no permits yet."""

    rows: np.ndarray  # (n,) facilities
    permit_days: np.ndarray  # (n, w)
    build_days: np.ndarray  # (n, w)
    factor: np.ndarray  # (w,)

    @property
    def reason(self) -> str:
        """Without a project that waits for permits there is nothing to speed up or slow down."""
        return "" if len(self.rows) else "no project there still waits for permits"

    def plan(self, projects: Projects) -> None:
        """Move each project by the factor on what is left of its permitting."""
        waits = projects.open(self.rows, self.start)
        finish = np.where(waits, projects.drawn[self.rows], 0.0) - self.build_days
        start = np.where(np.isfinite(self.start), self.start, 0.0)
        shift = permit_shift(finish - self.permit_days, finish, start, self.end, self.factor)
        projects.shift[self.rows] += np.where(waits, shift, 0.0)


@intervention("permitting")
class Permitting(Intervention):
    """Multiplies the time that projects still need for permits; plants being built have theirs."""

    title: ClassVar[str] = "the permitting time of projects in a region is stretched or cut"

    regions: Words = words(..., "where the projects lie", names="place")
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

    def compile(self, name: str, ctx: Context) -> PermittingEffect:
        """Find the projects without permits, and draw the factor."""
        lay, there = ctx.layout, set(naming.plants_at(ctx.chain, self.regions, self.stages))
        rows = np.array(
            [
                i
                for i, f in enumerate(lay.plants.rows)
                if f.name in there
                and not lay.plants.base[i]
                and (f.status in WAITING or f.name.startswith("added_"))
            ],
            dtype=int,
        )
        days = []
        for key, column in (
            ("permitting_months", "permit_months"),
            ("construction_months", "build_months"),
        ):
            given = getattr(self, key)
            plants = [lay.plants.rows[i] for i in rows]
            months = [getattr(ctx.chain.plant_cost(f.stage, f.region), column) for f in plants]
            spread = (
                np.broadcast_to(np.array(months).reshape(-1, 1), (len(rows), ctx.count))
                if given is None
                else np.broadcast_to(ctx.number(given, f"{name}/{key}"), (len(rows), ctx.count))
            )
            days.append(spread * MONTH)
        return PermittingEffect(
            **timing(self, name, ctx),
            rows=rows,
            permit_days=days[0],
            build_days=days[1],
            factor=ctx.number(self.factor, f"{name}/factor"),
        )
