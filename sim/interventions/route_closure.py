"""Route closures: a border, a strait or a port is shut."""

from __future__ import annotations

from typing import ClassVar

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.effects import Acting
from lodestone.interventions.fields import Path, Words, goods, places, share, text
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules


@intervention("route_closure")
class RouteClosure(Intervention):
    """Shipments from origin to destination wait until the route opens again.

    A shut gate also holds what waits in bond behind it, so imports fall within days. Where only the
    way to the gate is cut (mines captured, a road lost), ``bonded_clears: true`` lets the buyers
    go on clearing what lies at the border.
    """

    title: ClassVar[str] = "shipments between two places wait until the route opens again"
    live: ClassVar[bool] = True
    where = trade("origin", "destination", "materials")
    neutral: ClassVar[dict[str, float]] = {"share_closed": 0.0}

    origin: Words = places(..., "where the shipments come from")
    destination: Words = places(("all",), "where they go")
    materials: Words = goods(("all",), "goods that wait")
    share_closed: Path = share(1.0, "share of the flow that is stopped", source="definition")
    bonded_clears: bool = text(
        False, "true: ore that lies in bond at the border is cleared all the same"
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a closure of a route that does not exist."""
        origins = naming.places(chain, self.origin).use
        ends = naming.places(chain, self.destination).use
        if any((o, d) in chain.routes for o in origins for d in ends if o != d):
            kinds = {chain.materials[m].form for m in naming.materials(chain, self.materials)}
            if not self.bonded_clears or "concentrate" in kinds:
                return []
            return [
                Problem(
                    key="bonded_clears",
                    message="is about ore, and the materials named hold none",
                    hint="Leave it out, or name concentrates.",
                )
            ]
        return [
            Problem(
                key="destination",
                message=f"no route leads from {', '.join(origins)} to {', '.join(ends)}",
                hint="Name an origin and a destination between which goods are shipped.",
            )
        ]

    def act(self, rules: Rules, on: Acting) -> None:
        """Close the share in force; goods under way wait outside."""
        passing = 1.0 - on.active * on.share_closed
        rules.route_open.lower_to(on.goods, passing)
        rules.ore_passes.multiply(on.ore, passing)
        if not self.bonded_clears:
            rules.ore_gate.lower_to(on.ore, passing)
