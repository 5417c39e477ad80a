"""Route closures: a border, a strait or a port is shut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Path,
    Problem,
    Words,
    intervention,
    share,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain


@dataclass
class ClosureEffect(Effect):
    """Keeps the smallest open share of the routes; goods under way wait outside."""

    links: np.ndarray  # (l,) bool
    ore: np.ndarray  # (k,) bool
    closed: DrawnPath

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Close the share in force."""
        active = self.share(t0, t1) * self.closed.at(t0)
        if not np.any(active):
            return
        lay, w = day.layout, len(self.start)
        rules.least("route_open", self.links, (lay.links.n, w), 1.0 - active)
        if self.ore.any():
            rules.multiply("ore_passes", self.ore, (len(lay.ore.keys), w), 1.0 - active)


@intervention("route_closure")
class RouteClosure(Intervention):
    """Shipments from origin to destination wait until the route opens again."""

    title: ClassVar[str] = "shipments between two places wait until the route opens again"
    live: ClassVar[bool] = True

    origin: Words = words(..., "where the shipments come from", names="place")
    destination: Words = words(("all",), "where they go", names="place")
    materials: Words = words(("all",), "goods that wait", names="material")
    share_closed: Path = share(1.0, "share of the flow that is stopped", source="definition")

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a closure of a route that does not exist."""
        origins = naming.places(chain, self.origin).use
        ends = naming.places(chain, self.destination).use
        if any((o, d) in chain.routes for o in origins for d in ends if o != d):
            return []
        return [
            Problem(
                key="destination",
                message=f"no route leads from {', '.join(origins)} to {', '.join(ends)}",
                hint="Name an origin and a destination between which goods are shipped.",
            )
        ]

    def compile(self, name: str, ctx: Context) -> ClosureEffect:
        """Resolve links and draw dates and shares."""
        mask, _ = ctx.links(self.origin, self.destination, self.materials)
        return ClosureEffect(
            **timing(self, name, ctx),
            links=mask,
            ore=ctx.ore_links(self.origin, self.destination, self.materials),
            closed=ctx.path(self.share_closed, f"{name}/share_closed"),
        )
