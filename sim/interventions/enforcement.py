"""Enforcement of export controls: detection, tracking, blacklists and guarantees."""

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
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions

DAYS_PER_YEAR = 365.25


def leak_stopped(
    detection: np.ndarray,
    tracking: np.ndarray,
    blacklist_days: np.ndarray,
    between_days: np.ndarray,
) -> np.ndarray:
    """Share of a grey flow that enforcement stops.

    Parameters
    ----------
    detection : ndarray, shape (w,)
        Chance that a shipment is found.
    tracking : ndarray, shape (w,)
        Share of goods traced from the mine on; traced goods cannot leave undeclared.
    blacklist_days : ndarray, shape (w,)
        Days for which whoever is caught is out of business.
    between_days : ndarray, shape (w,)
        Days between two shipments of one smuggler.

    Returns
    -------
    ndarray, shape (w,)
        0..1; never falls when an argument but the last rises. Of smugglers that ship every
        ``between_days`` and are out for ``blacklist_days`` when caught with probability ``d``,
        the share ``1 / (1 + d x blacklist / between)`` is in business (renewal argument).
    """
    caught = 1.0 - (1.0 - detection) * (1.0 - tracking)
    at_work = 1.0 / (1.0 + caught * blacklist_days / np.maximum(between_days, 1e-9))
    return 1.0 - (1.0 - caught) * at_work


@dataclass
class EnforcementEffect(Effect):
    """Raises the chance that grey goods are stopped, and the cost of legal ones."""

    links: np.ndarray  # (l,) bool
    detection: DrawnPath
    tracking: DrawnPath
    blacklist: np.ndarray  # (w,) days
    between: np.ndarray  # (w,) days
    deposit_cost: np.ndarray  # (w,) share of value

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Stop part of the leak; charge the working capital of the guarantee."""
        active = self.share(t0, t1)
        if not np.any(active):
            return
        shape = (day.layout.links.n, len(self.start))
        stopped = leak_stopped(
            self.detection.at(t0), self.tracking.at(t0), self.blacklist, self.between
        )
        rules.complement("detection", self.links, shape, stopped * active)
        if np.any(self.deposit_cost):
            rules.add("trade_cost", self.links, shape, self.deposit_cost * active)


@intervention("enforcement")
class Enforcement(Intervention):
    """Grey exports are found, traced and punished, and legal ones may need a guarantee.

    Whoever is blacklisted no longer smuggles; legal orders go to others, so legal tonnage does
    not fall. The guarantee ties up working capital, which makes legal goods dearer for buyers.
    """

    title: ClassVar[str] = (
        "grey exports are found, traced and punished; legal ones post a guarantee"
    )
    live: ClassVar[bool] = True

    exporter: Words = words(..., "regions that enforce their controls", names="place")
    materials: Words = words(("all",), "goods concerned", names="material")
    detection: Path = share(0.0, "chance that a grey shipment is found (0 to 0.8)", source="c089")
    tracking: Path = share(
        0.0, "share of goods traced from the mine on, which cannot leave undeclared", source="o26"
    )
    blacklist_days: Num = number(
        0.0,
        "days for which a smuggler who is caught is out of business",
        unit="day",
        source="c091",
        low=0.0,
        high=36500.0,
    )
    shipment_days: Num = number(
        30.0, "days between two shipments of a smuggler", unit="day", source="A76", low=1.0
    )
    deposit_share: Num = number(
        0.0,
        "guarantee to be posted, as a multiple of the value of the cargo",
        unit="share of value",
        source="c090",
        low=0.0,
        high=10.0,
        hint="Write a guarantee of 150 percent as 1.5.",
    )
    deposit_days: Num = number(
        90.0, "days for which the guarantee is held", unit="day", source="A76", low=0.0
    )
    deposit_interest: Num = share(0.08, "yearly cost of the money tied up in it", source="A76")

    def compile(self, name: str, ctx: Context) -> EnforcementEffect:
        """Resolve links and draw chances and costs."""
        mask, _ = ctx.links(self.exporter, ("all",), self.materials)
        deposit = ctx.number(self.deposit_share, f"{name}/deposit_share")
        days = ctx.number(self.deposit_days, f"{name}/deposit_days")
        interest = ctx.number(self.deposit_interest, f"{name}/deposit_interest")
        return EnforcementEffect(
            **timing(self, name, ctx),
            links=mask,
            detection=ctx.path(self.detection, f"{name}/detection"),
            tracking=ctx.path(self.tracking, f"{name}/tracking"),
            blacklist=ctx.number(self.blacklist_days, f"{name}/blacklist_days"),
            between=ctx.number(self.shipment_days, f"{name}/shipment_days"),
            deposit_cost=deposit * interest * days / DAYS_PER_YEAR,
        )
