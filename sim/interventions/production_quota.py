"""Production quotas: what a region's mines or plants may make is capped, period by period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Num,
    Path,
    Problem,
    Totals,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.interventions.export_quota import period_dates
from lodestone.interventions.triggers import stage_output
from lodestone.worlds.conditions import Conditions

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

#: Share of their capacity that makers of metals and magnets plan with (as in the tick).
PLAN_SHARE = 0.97
#: Weeks over which what is left of a period is spread at least.
PACE_WEEKS = 4.0


@dataclass
class ProductionQuotaEffect(Effect):
    """Closes as much capacity as keeps the output of a stage within its quota.

    Attributes
    ----------
    rows : ndarray of int
        Facilities concerned.
    regions : ndarray of int
    allowed : Path or None
        Share of base-year output allowed.
    periods : list of (first day, last day, tonnes (w,))
    """

    stage: str
    rows: np.ndarray
    regions: np.ndarray
    allowed: DrawnPath | None
    periods: list[tuple[float, float, np.ndarray]]
    enforcement: np.ndarray
    imported: bool
    factor: np.ndarray = field(default_factory=lambda: np.ones(1))
    base: np.ndarray | None = None
    book: np.ndarray | None = None
    period: int = -1
    steered: np.ndarray = field(default_factory=lambda: np.full(1, np.nan))

    def look(self, now: float, days: float, day: Any, effects: Mapping[str, Effect]) -> None:
        """Charge the last market day to the quota, and set the share that may run in the next."""
        super().look(now, days, day, effects)
        weeks = days / 7.0
        if self.base is None:
            self.base = self._base_output(day)
        made = self._made(day)
        if self.book is None:
            self.book = np.zeros(len(self.start))
        active = self.share(now, now + days)
        if made is not None:
            self.book += made
        limit = np.full(len(self.start), np.inf)
        if self.allowed is not None:
            limit = self.allowed.at(now, 1.0) * self.base
        for k, (first, last, tonnes) in enumerate(self.periods):
            if not first <= now < last:
                continue
            if k != self.period:
                self.period, self.book = k, np.zeros(len(self.start))
                # A quota that came in force within its period leaves what is left of the year.
                late = np.clip((np.maximum(self.start, first) - first) / (last - first), 0.0, 1.0)
                self.book += np.where(np.isfinite(late), late, 0.0) * tonnes
            left = np.maximum(tonnes - self.book, 0.0)
            pace = np.maximum((last - now) / 7.0, min(PACE_WEEKS, (last - first) / 7.0))
            limit = np.minimum(limit, left / np.maximum(pace, weeks))
        counted = self._domestic(day)
        if self.stage == "separation":
            self.steered = np.where(active > 0, self._steer(limit, made, weeks), np.nan)
            wanted = self.steered
        else:
            able = self._able(day, made, weeks)
            wanted = np.minimum(limit / np.maximum(able, 1e-12), 1.0)
        wanted = np.where(np.isfinite(limit) & (active > 0), wanted, 1.0)
        wanted = counted * wanted + 1.0 - counted
        self.factor = 1.0 - (1.0 - wanted) * self.enforcement * (active > 0)

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Close the capacity that the quota does not allow to run."""
        active = self.share(t0, t1)
        if not np.any(active) or np.all(self.factor >= 1.0):
            return
        shape = (len(day.layout.plants.rows), len(self.start))
        rules.multiply("facility_available", self.rows, shape, 1.0 - active * (1.0 - self.factor))

    def _made(self, day: Any) -> np.ndarray | None:
        """Output of the stage in its regions on the last market day, t, shape (w,)."""
        found = stage_output(day, self.stage)
        if found is None:
            return None
        tonnes, where = found
        made = tonnes[np.isin(where, self.regions)].sum(axis=0)
        own = self._domestic(day)
        if np.all(own == 1.0):
            return made
        # Ore from abroad goes on being worked as in the base year, outside the quota.
        assert self.base is not None
        abroad = self.base / np.maximum(own, 1e-12) * (1.0 - own) * day.weeks
        return np.maximum(made - abroad, 0.0)

    def _base_output(self, day: Any) -> np.ndarray:
        """Output of the stage in the base year, t a week, shape (w,)."""
        lay = day.layout
        if self.stage == "mine":
            base = (lay.plants.capacity * lay.plants.use)[self.rows].sum()
        elif self.stage == "separation":
            here = np.isin(lay.separation.regions, self.regions)
            base = (lay.separation.fed * lay.separation.recovery * lay.separation.taken)[here].sum()
        else:
            form = lay.cells.metal if self.stage == "metal" else lay.cells.magnet
            base = lay.cells.output[form & np.isin(lay.cells.region, self.regions)].sum()
        return np.full(len(self.start), float(base)) * self._domestic(day)

    def _able(self, day: Any, made: np.ndarray | None, weeks: float) -> np.ndarray:
        """Output at which closing capacity begins to bind, t a week, shape (w,)."""
        lay, base = day.layout, self.base
        assert base is not None
        factor = np.maximum(self.factor, 1e-3) * np.ones(len(self.start))
        if self.stage == "mine":
            return base if made is None else made / weeks / factor
        groups = np.unique(lay.groups.of_facility[self.rows])
        groups = groups[groups >= 0]
        if not hasattr(day, "group_capacity"):
            return np.full(len(self.start), np.inf)
        return PLAN_SHARE * day.group_capacity[groups].sum(axis=0) / factor

    def _steer(self, limit: np.ndarray, made: np.ndarray | None, weeks: float) -> np.ndarray:
        """Share of separators that may run, moved to where their output meets the limit.

        Ore on hand and slack of the plants stand between capacity and output, so the share is
        steered by what was made: up or down by the root of the miss, at most a quarter a step.
        """
        assert self.base is not None
        held = self.steered * np.ones(len(self.start))
        first = np.minimum(np.where(np.isfinite(limit), limit / self.base, 1.0), 1.0)
        if made is None:
            return first
        miss = np.where(np.isfinite(limit), limit * weeks / np.maximum(made, 1e-12), np.inf)
        moved = np.clip(held * np.clip(np.sqrt(miss), 0.8, 1.25), 1e-3, 1.0)
        return np.where(np.isnan(held), first, moved)

    def _domestic(self, day: Any) -> np.ndarray:
        """Share of the output that counts: all of it, or what is made of the regions' own ore."""
        if self.imported or self.stage != "separation":
            return np.ones(len(self.start))
        lay = day.layout
        here = np.isin(lay.ore.region_to, self.regions)
        own = here & np.isin(lay.ore.region_from, self.regions)
        part = lay.ore.base_t[own].sum() / max(float(lay.ore.base_t[here].sum()), 1e-12)
        return np.full(len(self.start), float(part))


@intervention("production_quota")
class ProductionQuota(Intervention):
    """The output of a stage is capped: at a share of the base year, or in tonnes a period.

    Tonnes are spread over what is left of their period. Mines are counted in tonnes of rare-earth
    oxides dug, separation in tonnes of oxide made (from domestic and, unless excluded, from
    imported ore), metals and magnets in tonnes of product.
    """

    title: ClassVar[str] = "what mines or plants of a region may make is capped, period by period"
    live: ClassVar[bool] = True
    one_of: ClassVar = ((("share",), ("tonnes",)),)

    region: Words = words(..., "regions whose output is capped", names="place")
    stage: Literal["mine", "separation", "metal", "magnet"] = text(..., "stage that is capped")
    enforcement: Num = share(1.0, "share of the cut that is enforced", source="definition")
    share: Path | None = number(
        None,
        "output allowed, as a share of the base year's",
        unit="share of base year",
        source="definition",
        low=0.001,
        high=10.0,
    )
    tonnes: Totals | None = number(
        None,
        "or the output allowed by period (2026, 2026-H1, 2026-Q1, 2026-07)",
        unit="t",
        source="definition",
        low=0.0,
    )
    imported_ore: bool = text(
        True, "whether separation of imported ore counts too (in China since August 2025)"
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a quota on nothing."""
        if not naming.plants(chain, None, self.region, self.stage):
            return [
                Problem(
                    key="region",
                    message=f"there is no facility of stage {self.stage} in "
                    f"{', '.join(self.region)}",
                    hint="See 'lodestone list facilities'.",
                )
            ]
        if not self.imported_ore and self.stage != "separation":
            return [
                Problem(
                    key="imported_ore",
                    message=f"a {self.stage} works no imported ore",
                    hint="It says which ore counts at separation; leave it out.",
                )
            ]
        return []

    def compile(self, name: str, ctx: Context) -> ProductionQuotaEffect:
        """Resolve facilities and periods."""
        lay = ctx.layout
        names = naming.plants(ctx.chain, None, self.region, self.stage)
        rows = np.array([lay.plants.at[n] for n in names if n in lay.plants.at], dtype=int)
        periods = []
        for index, (period, tonnes) in enumerate(sorted((self.tonnes or {}).items())):
            first, last = period_dates(period)
            drawn = ctx.number(tonnes, f"{name}/tonnes/{index}")
            periods.append((float((first - ctx.start).days), float((last - ctx.start).days), drawn))
        return ProductionQuotaEffect(
            **timing(self, name, ctx),
            stage=self.stage,
            rows=rows,
            regions=np.array([lay.region_at[r] for r in ctx.places(self.region)], dtype=int),
            allowed=None if self.share is None else ctx.path(self.share, f"{name}/share"),
            periods=periods,
            enforcement=ctx.number(self.enforcement, f"{name}/enforcement"),
            imported=self.imported_ore,
        )
