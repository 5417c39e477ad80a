"""Processing requirements: ore may not leave the place where it is mined."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Path, Words, goods, number, places, share
from lodestone.interventions.targets import Targets
from lodestone.worlds.conditions import Rules
from lodestone.worlds.view import MarketView


class ProcessingEffect(Effect):
    """Keeps ore at home, and slows mines whose ore piles up for want of separators."""

    item: ProcessingRequirement
    empty = "no ore leaves there"

    def set_up(self, ctx: Context) -> None:
        """Find the ore links that cross the border, and the mines that feed them."""
        lay, item = ctx.layout, self.item
        part = ctx.ore(item.region, ("all",), item.materials)
        if item.partners:
            links = part.rows & ~ctx.ore(item.region, item.partners, item.materials).rows
            part = replace(part, rows=links)
        self.on = Targets(ore=part)
        there = naming.places(ctx.chain, item.region)
        bound = set(np.unique(lay.ore.pool[part.rows]).tolist())
        kinds = naming.materials(ctx.chain, item.materials)
        mines, pools = [], []
        for place, row in enumerate(lay.ore.mines):
            pool = int(lay.ore.by_pool.rows[place])
            if (
                there.holds(lay.plants.rows[row])
                and lay.ore.pools[pool][0] in kinds
                and pool in bound
            ):
                mines.append(int(row))
                pools.append(pool)
        self.mines = np.array(mines, dtype=int)  # (n,) facilities whose ore must stay
        self.pools = np.array(pools, dtype=int)  # pool of each

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Keep the share in force on the days in force."""
        active = self.share(t0, t1) * self.n.now("share", t0)
        assert self.on.ore is not None
        if not np.any(active) or not self.on.ore.rows.any():
            return
        lay = m.layout
        rules.ore_passes.multiply(self.on.ore, 1.0 - active)
        usual = np.maximum(lay.ore.pool_base.sum(axis=1) * np.ones((1, len(active))), 1e-9)
        piled = m.state.ore_at_mine.sum(axis=1) / usual  # weeks of base-year output
        # A pool without base-year output is measured against what it dug last.
        if "dug" in m.flows:
            dug = lay.ore.by_pool.spread(m.flows["dug"], len(lay.ore.pools)) / m.weeks
            piled = m.state.ore_at_mine.sum(axis=1) / np.maximum(np.maximum(usual, dug), 1e-9)
        full = np.clip(2.0 - piled[self.pools] / self.n.storage_weeks, 0.0, 1.0)
        rules.facility_available.multiply(self.mines, 1.0 - active * (1.0 - full))


@intervention("processing_requirement")
class ProcessingRequirement(Intervention):
    """Ore mined in a place must be separated there, or at the partners named.

    What home separators cannot take stays at the mine; a mine whose ore fills its yard digs less.
    """

    effect: ClassVar[type[Effect]] = ProcessingEffect
    neutral: ClassVar[dict[str, float]] = {"share": 0.0}
    title: ClassVar[str] = "ore of a place may not leave: it must be separated at home"

    region: Words = places(..., "where the ore is mined")
    materials: Words = goods(("concentrates",), "which ore")
    partners: Words | None = places(None, "where it may be separated as well (null: at home only)")
    share: Path = share(1.0, "share of the ore that must stay", source="definition")
    storage_weeks: Num = number(
        26.0,
        "weeks of output that a mine can pile up before it digs less (at twice that it stops)",
        unit="week",
        source="A95",
        low=1.0,
        high=1000.0,
    )

    def nothing(self, chain: Chain) -> str:
        """Where nothing is mined nothing has to stay."""
        if naming.plants_at(chain, self.region, ("mine",)):
            return ""
        return f"there is no mine in {', '.join(self.region)}"
