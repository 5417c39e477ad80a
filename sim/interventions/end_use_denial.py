"""End-use denial: exports need a proof of use, and military use is refused."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Acting, Effect, Reviews, cleared_share
from lodestone.interventions.fields import Num, Path, Words, goods, number, places, share
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import LicenceRule, Rules
from lodestone.worlds.market import Market

#: Calendar days per working m.
CALENDAR_PER_WORKING_DAY = DAYS_PER_WEEK / 5.0
#: More than any office has to decide: the proof itself has no limit of capacity.
AMPLE = 1e6


class DenialEffect(Effect):
    """Adds a proof of end use to every application, and refuses those for military use."""

    def set_up(self, ctx: Context) -> None:
        """How fast the office lets a backlog out."""
        self.surge = ctx.full(ctx.draws["licence.surge"])

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Open the books of the listed links."""
        assert self.on.goods is not None
        m.office.open(self.on.goods.rows)


@intervention("end_use_denial")
class EndUseDenial(Intervention):
    """Buyers prove the end use of listed goods, and military use is refused.

    Alone every order waits for its proof and then leaves; beside an ``export_licence`` the proof
    is added to the review, and general licences go on skipping the queue for civil buyers. What
    is licensed for civil use reaches civil users only.
    """

    title: ClassVar[str] = "buyers prove the end use, which takes time, and military use is refused"
    live: ClassVar[bool] = True
    where = trade("exporter", "destinations", "materials")
    effect: ClassVar[type[Effect]] = DenialEffect

    exporter: Words = places(..., "regions that ask for the proof")
    materials: Words = goods(..., "goods that need one")
    destinations: Words = places(("all",), "buyers concerned")
    proof_working_days: Num = number(
        20.0,
        "working days that the proof adds (10 to 30)",
        unit="working day",
        source="A75",
        low=0.0,
        high=1000.0,
    )
    military_approval: Path = share(
        0.0, "share granted of applications for military use", source="c194", before=1.0
    )
    civil_approval: Path = share(
        1.0, "share granted of applications for civil use", source="definition", before=1.0
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

    def act(self, rules: Rules, on: Acting) -> None:
        """Hand today's rule to the office, beside those of the licences in force."""
        rules.announced.raise_to(on.cells, on.known)
        if not np.any(on.active):
            return
        effect = on.effect
        assert isinstance(effect, DenialEffect)
        none = np.zeros_like(on.active)
        rules.licences.append(
            LicenceRule(
                links=on.goods.rows,
                lookalike=np.zeros_like(on.goods.rows),
                active=on.active,
                approval=on.civil_approval,
                military_approval=on.military_approval,
                processing_weeks=none,
                refile_weeks=on.refile_days / DAYS_PER_WEEK,
                capacity=none + AMPLE,
                surge=effect.surge,
                general=None,
                held_share=none,
                cleared=cleared_share(effect, on.cleared_days, on.active, on.t0, on.t1),
                added_weeks=on.proof_working_days * CALENDAR_PER_WORKING_DAY / DAYS_PER_WEEK,
                part=on.goods,
                market=on.m,
            )
        )
