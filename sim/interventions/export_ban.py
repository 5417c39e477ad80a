"""Export ban: nothing, or less, of listed goods leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lodestone.interventions.base import Intervention, Path, Words, intervention, share, words
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions


@dataclass
class BanEffect(Effect):
    """Multiplies what may leave by one minus the share banned."""

    links: np.ndarray  # (l,) bool
    weight: np.ndarray  # (l, 1) share of the destination meant
    ore: np.ndarray  # (k,) bool
    share_stopped: DrawnPath

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Stop the share in force on the days in force."""
        lay, w = day.layout, len(self.start)
        known = self.known(t0)
        if np.any(known):
            cells = np.unique(lay.links.destination[self.links])
            rules.most("announced", cells, (lay.cells.n, w), known)
        active = self.share(t0, t1) * self.share_stopped.at(t0)
        if not np.any(active):
            return
        rules.multiply(
            "passes", self.links, (lay.links.n, w), 1.0 - self.weight[self.links] * active
        )
        if self.ore.any():
            rules.multiply("ore_passes", self.ore, (len(lay.ore.keys), w), 1.0 - active)


@intervention("export_ban")
class ExportBan(Intervention):
    """Listed goods may not be shipped to the destinations named; with a share, part may."""

    title: ClassVar[str] = "listed goods may not be shipped to the destinations named"
    live: ClassVar[bool] = True

    exporter: Words = words(..., "regions that ban the export", names="place")
    materials: Words = words(..., "goods that may not leave", names="material")
    destinations: Words = words(("all",), "buyers who may not be served", names="place")
    share: Path = share(1.0, "share of the flow that is stopped (1: all)", source="definition")

    def compile(self, name: str, ctx: Context) -> BanEffect:
        """Resolve links and draw dates and shares."""
        mask, weight = ctx.links(self.exporter, self.destinations, self.materials)
        return BanEffect(
            **timing(self, name, ctx),
            links=mask,
            weight=weight,
            ore=ctx.ore_links(self.exporter, self.destinations, self.materials),
            share_stopped=ctx.path(self.share, f"{name}/share"),
        )
