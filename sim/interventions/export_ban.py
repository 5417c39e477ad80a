"""Export ban: nothing, or less, of listed goods leaves."""

from __future__ import annotations

from typing import ClassVar

from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.effects import Acting
from lodestone.interventions.fields import Path, Words, goods, places, share
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules


def stop(rules: Rules, on: Acting) -> None:
    """Goods and ore named may not leave: the share in force, on the days in force."""
    rules.announced.raise_to(on.cells, on.known)
    passing = 1.0 - on.active * on.share
    rules.passes.multiply(on.goods, passing)
    rules.ore_passes.multiply(on.ore, passing)


@intervention("export_ban")
class ExportBan(Intervention):
    """Listed goods may not be shipped to the destinations named; with a share, part may."""

    title: ClassVar[str] = "listed goods may not be shipped to the destinations named"
    live: ClassVar[bool] = True
    where = trade("exporter", "destinations", "materials")
    neutral: ClassVar[dict[str, float]] = {"share": 0.0}

    exporter: Words = places(..., "regions that ban the export")
    materials: Words = goods(..., "goods that may not leave")
    destinations: Words = places(("all",), "buyers who may not be served")
    share: Path = share(1.0, "share of the flow that is stopped (1: all)", source="definition")

    def act(self, rules: Rules, on: Acting) -> None:
        """Stop the share in force."""
        stop(rules, on)
