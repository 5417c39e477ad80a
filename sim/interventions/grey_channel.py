"""Grey channels: undeclared trade through hubs that opens when the price gap is wide."""

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


@dataclass
class GreyEffect(Effect):
    """Sets the ceiling of the leak after its opening, and the chance of being caught."""

    links: np.ndarray  # (l,) bool
    opening: np.ndarray  # (w,) days
    ceiling: np.ndarray  # (w,)
    detection: DrawnPath

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Raise the ceiling where the channel is open; detection works at once."""
        active = self.share(t0, t1)
        if not np.any(active):
            return
        shape = (day.layout.links.n, len(self.start))
        opened = (t0 >= self.start + self.opening) & (active > 0)
        rules.most("leak_ceiling", self.links, shape, np.where(opened, self.ceiling, 0.0))
        rules.complement("detection", self.links, shape, self.detection.at(t0) * active)


@intervention("grey_channel")
class GreyChannel(Intervention):
    """Goods leave undeclared through hubs: after a lag, growing with the price gap to a ceiling."""

    title: ClassVar[str] = "undeclared exports through hubs, growing with the price gap"
    live: ClassVar[bool] = True

    exporter: Words = words(..., "regions that leak", names="place")
    hubs: Words = words(..., "regions through which the goods pass", names="place")
    materials: Words = words(("all",), "goods that leak", names="material")
    opening_days: Num = number(
        75.0, "days until the channel opens", unit="day", source="A36", low=0.0
    )
    ceiling_share: Num = number(
        0.5,
        "most that can leak, as a share of normal exports",
        unit="share",
        source="A35",
        low=0.0,
        high=2.0,
    )
    detection: Path = share(0.0, "share that is detected and stopped", source="definition")

    def compile(self, name: str, ctx: Context) -> GreyEffect:
        """Resolve links and draw ceiling, opening and detection."""
        mask, _ = ctx.links(self.exporter, ("all",), self.materials)
        return GreyEffect(
            **timing(self, name, ctx),
            links=mask,
            opening=ctx.number(self.opening_days, f"{name}/opening_days"),
            ceiling=ctx.number(self.ceiling_share, f"{name}/ceiling_share"),
            detection=ctx.path(self.detection, f"{name}/detection"),
        )
