"""End-use denial: exports need a proof of use, and military use is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lodestone.interventions.base import (
    Intervention,
    Num,
    Path,
    Words,
    intervention,
    number,
    share,
    words,
)
from lodestone.interventions.effects import Context, Effect, cleared_share, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.office import LicenceRule

#: Calendar days per working day.
CALENDAR_PER_WORKING_DAY = 7.0 / 5.0
#: More than any office has to decide: the proof itself has no limit of capacity.
AMPLE = 1e6


@dataclass
class DenialEffect(Effect):
    """Adds a proof of end use to every application, and refuses those for military use."""

    links: np.ndarray  # (l,) bool
    proof_weeks: np.ndarray  # (w,)
    civil: DrawnPath
    military: DrawnPath
    refile: np.ndarray  # (w,) weeks
    surge: np.ndarray  # (w,)
    cleared: np.ndarray  # (w,) days

    def prepare(self, day: Any, calendar: Any) -> None:
        """Open the books of the listed links."""
        day.office.open(self.links)

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Hand today's rule to the office, beside those of the licences in force."""
        known = self.known(t0)
        if np.any(known):
            cells = np.unique(day.layout.links.destination[self.links])
            rules.most("announced", cells, (day.layout.cells.n, len(known)), known)
        active = self.share(t0, t1)
        if not np.any(active):
            return
        none = np.zeros(len(self.start))
        rules.licences.append(
            LicenceRule(
                links=self.links,
                lookalike=np.zeros_like(self.links),
                active=active,
                approval=self.civil.at(t0, 1.0),
                military_approval=self.military.at(t0, 1.0),
                processing_weeks=none,
                refile_weeks=self.refile,
                capacity=none + AMPLE,
                surge=self.surge,
                general=None,
                held_share=none,
                cleared=cleared_share(self, self.cleared, active, t0, t1),
                added_weeks=self.proof_weeks,
            )
        )


@intervention("end_use_denial")
class EndUseDenial(Intervention):
    """Buyers prove the end use of listed goods, and military use is refused.

    Alone every order waits for its proof and then leaves; beside an ``export_licence`` the proof
    is added to the review, and general licences go on skipping the queue for civil buyers. What
    is licensed for civil use reaches civil users only.
    """

    title: ClassVar[str] = "buyers prove the end use, which takes time, and military use is refused"
    live: ClassVar[bool] = True

    exporter: Words = words(..., "regions that ask for the proof", names="place")
    materials: Words = words(..., "goods that need one", names="material")
    destinations: Words = words(("all",), "buyers concerned", names="place")
    proof_working_days: Num = number(
        20.0,
        "working days that the proof adds (10 to 30)",
        unit="working day",
        source="A75",
        low=0.0,
        high=1000.0,
    )
    military_approval: Path = share(
        0.0, "share granted of applications for military use", source="c194"
    )
    civil_approval: Path = share(
        1.0, "share granted of applications for civil use", source="definition"
    )
    refile_days: Num = number(
        30.0,
        "days after which a refused application is filed again",
        unit="day",
        source="A36",
        low=1.0,
    )

    cleared_days: Num = number(
        10.0,
        "days after the start during which goods cleared before still leave",
        unit="day",
        source="A35",
        low=0.0,
    )

    def compile(self, name: str, ctx: Context) -> DenialEffect:
        """Resolve listed links and draw the length of the proof."""
        listed, _ = ctx.links(self.exporter, self.destinations, self.materials)
        days = ctx.number(self.proof_working_days, f"{name}/proof_working_days")
        return DenialEffect(
            **timing(self, name, ctx),
            links=listed,
            proof_weeks=days * CALENDAR_PER_WORKING_DAY / 7.0,
            civil=ctx.path(self.civil_approval, f"{name}/civil_approval"),
            military=ctx.path(self.military_approval, f"{name}/military_approval"),
            refile=ctx.number(self.refile_days, f"{name}/refile_days") / 7.0,
            surge=ctx.full(ctx.draws["licence.surge"]),
            cleared=ctx.number(self.cleared_days, f"{name}/cleared_days"),
        )
