"""Processing requirements: ore may not leave the place where it is mined."""

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
class ProcessingEffect(Effect):
    """Keeps ore at home, and slows mines whose ore piles up for want of separators."""

    links: np.ndarray  # (k,) bool
    kept: DrawnPath
    mines: np.ndarray  # (n,) facilities whose ore must stay
    pools: np.ndarray  # (n,) pool of each of these mines
    room_weeks: np.ndarray  # (w,)

    @property
    def reason(self) -> str:
        """Where no ore is mined, or none leaves, nothing has to stay."""
        return "" if self.links.any() else "no ore leaves there"

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Keep the share in force on the days in force."""
        active = self.share(t0, t1) * self.kept.at(t0)
        if not np.any(active) or not self.links.any():
            return
        lay = day.layout
        rules.multiply("ore_passes", self.links, (len(lay.ore.keys), len(active)), 1.0 - active)
        usual = np.maximum(lay.ore.pool_base.sum(axis=1) * np.ones((1, len(active))), 1e-9)
        piled = day.state.ore_at_mine.sum(axis=1) / usual  # weeks of base-year output
        # A pool without base-year output is measured against what it dug last.
        if "dug" in day.flows:
            dug = lay.ore.by_pool.spread(day.flows["dug"], len(lay.ore.pools)) / day.weeks
            piled = day.state.ore_at_mine.sum(axis=1) / np.maximum(np.maximum(usual, dug), 1e-9)
        full = np.clip(2.0 - piled[self.pools] / self.room_weeks, 0.0, 1.0)
        slowed = 1.0 - active * (1.0 - full)
        if np.any(slowed < 1.0):
            shape = (len(lay.plants.rows), len(active))
            rules.multiply("facility_available", self.mines, shape, slowed)


@intervention("processing_requirement")
class ProcessingRequirement(Intervention):
    """Ore mined in a place must be separated there, or at the partners named.

    What home separators cannot take stays at the mine; a mine whose ore fills its yard digs less.
    """

    title: ClassVar[str] = "ore of a place may not leave: it must be separated at home"

    region: Words = words(..., "where the ore is mined", names="place")
    materials: Words = words(("concentrates",), "which ore", names="material")
    partners: Words | None = words(
        None, "where it may be separated as well (null: at home only)", names="place"
    )
    share: Path = share(1.0, "share of the ore that must stay", source="definition")
    storage_weeks: Num = number(
        26.0,
        "weeks of output that a mine can pile up before it digs less (at twice that it stops)",
        unit="week",
        source="A95",
        low=1.0,
        high=1000.0,
    )

    def compile(self, name: str, ctx: Context) -> ProcessingEffect:
        """Find the ore links that cross the border."""
        lay = ctx.layout
        links = ctx.ore_links(self.region, ("all",), self.materials)
        if self.partners:
            links &= ~ctx.ore_links(self.region, self.partners, self.materials)
        home, names = ctx.places(self.region), ctx.rows(self.materials) or []
        bound = set(np.unique(lay.ore.pool[links]).tolist())
        mines, pools = [], []
        for place, row in enumerate(lay.ore.mines):
            pool = int(lay.ore.by_pool.rows[place])
            material, region = lay.ore.pools[pool]
            if region in home and material in names and pool in bound:
                mines.append(int(row))
                pools.append(pool)
        return ProcessingEffect(
            **timing(self, name, ctx),
            links=links,
            kept=ctx.path(self.share, f"{name}/share"),
            mines=np.array(mines, dtype=int),
            pools=np.array(pools, dtype=int),
            room_weeks=ctx.number(self.storage_weeks, f"{name}/storage_weeks"),
        )
