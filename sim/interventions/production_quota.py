"""Production quotas: what a region's mines or plants may make is capped, period by period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Literal

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.export_quota import period_dates
from lodestone.interventions.fields import Num, Path, Totals, Words, number, places, share, text
from lodestone.interventions.targets import plants_of
from lodestone.interventions.watch import stage_output
from lodestone.worlds.conditions import Rules
from lodestone.worlds.view import MarketView

#: Share of their capacity that makers of metals and magnets plan with (as in the tick).
PLAN_SHARE = 0.97
#: Weeks over which what is left of a period is spread at least.
PACE_WEEKS = 4.0


class ProductionQuotaEffect(Effect):
    """Closes as much capacity as keeps the output of a stage within its quota.

    Attributes
    ----------
    rows : ndarray of int
        Facilities concerned.
    regions : ndarray of int
        Regions they lie in; ``part``, (w,) or a number, is the share of those regions' output
        that is meant.
    allowed : Steps or None
        Share of base-year output allowed.
    periods : list of (first day, last day, tonnes (w,))
    """

    item: ProductionQuota

    def set_up(self, ctx: Context) -> None:
        """Resolve facilities and periods."""
        item = self.item
        assert self.on.plants is not None
        self.stage, self.rows = item.stage, self.on.plants
        self.meant = ctx.places(item.region)
        self.regions = ctx.region_rows(self.meant.regions)
        self.allowed = self.n.steps("share") if item.share is not None else None
        self.periods: list[tuple[float, float, np.ndarray]] = []
        for index, (period, tonnes) in enumerate(sorted((item.tonnes or {}).items())):
            first, last = period_dates(period)
            drawn = ctx.number(tonnes, f"{self.name}/tonnes/{index}")
            begin, end = (float((d - ctx.start).days) for d in (first, last))
            self.periods.append((begin, end, drawn))
        self.enforcement, self.imported = self.n.enforcement, item.imported_ore
        self.factor = np.ones(1)
        self.base: np.ndarray | None = None
        self.book: np.ndarray | None = None
        self.period = -1
        self.steered = np.full(1, np.nan)
        share = self.meant.making(self.stage)
        #: Share of each region's output that is meant, by row of the layout's regions.
        self.share_of = {ctx.layout.region_at[r]: s for r, s in share.items()}

    def look(self, now: float, days: float, m: MarketView, effects: Mapping[str, Effect]) -> None:
        """Charge the last market day to the quota, and set the share that may run in the next."""
        super().look(now, days, m, effects)
        weeks = days / DAYS_PER_WEEK
        if self.base is None:
            self.base = self._base_output(m)
        made = self._made(m)
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
            pace = np.maximum(
                (last - now) / DAYS_PER_WEEK, min(PACE_WEEKS, (last - first) / DAYS_PER_WEEK)
            )
            limit = np.minimum(limit, left / np.maximum(pace, weeks))
        counted = self._domestic(m)
        if self.stage == "separation":
            self.steered = np.where(active > 0, self._steer(limit, made, weeks), np.nan)
            wanted = self.steered
        else:
            able = self._able(m, made, weeks)
            wanted = np.minimum(limit / np.maximum(able, 1e-12), 1.0)
        wanted = np.where(np.isfinite(limit) & (active > 0), wanted, 1.0)
        wanted = counted * wanted + 1.0 - counted
        self.factor = 1.0 - (1.0 - wanted) * self.enforcement * (active > 0)

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Close the capacity that the quota does not allow to run."""
        active = self.share(t0, t1)
        if not np.any(active) or np.all(self.factor >= 1.0):
            return
        rules.facility_available.multiply(self.rows, 1.0 - active * (1.0 - self.factor))

    def _counted(self, tonnes: np.ndarray, where: np.ndarray) -> np.ndarray:
        """Sum of what lies in its places, shape (w,): a country counts with its share."""
        here = np.isin(where, self.regions)
        if not self.meant.split():
            return np.asarray(tonnes[here].sum(axis=0))
        part = np.array([self.share_of[int(r)] for r in where[here]])[:, None]
        return np.asarray((tonnes[here] * part).sum(axis=0))

    def _made(self, m: MarketView) -> np.ndarray | None:
        """Output of the stage in its regions on the last market day, t, shape (w,)."""
        found = stage_output(m, self.stage)
        if found is None:
            return None
        tonnes, where = found
        made = self._counted(tonnes, where)
        own = self._domestic(m)
        if np.all(own == 1.0):
            return made
        # Ore from abroad goes on being worked as in the base year, outside the quota.
        assert self.base is not None
        abroad = self.base / np.maximum(own, 1e-12) * (1.0 - own) * m.weeks
        return np.maximum(made - abroad, 0.0)

    def _base_output(self, m: MarketView) -> np.ndarray:
        """Output of the stage in the base year, t a week, shape (w,)."""
        lay = m.layout
        if self.stage == "mine":
            base = (lay.plants.capacity * lay.plants.use)[self.rows].sum()
        elif self.stage == "separation":
            made = (lay.separation.fed * lay.separation.recovery * lay.separation.taken).sum(axis=1)
            base = self._counted(made, lay.separation.regions).sum()
        else:
            rows = np.flatnonzero(lay.cells.metal if self.stage == "metal" else lay.cells.magnet)
            base = self._counted(lay.cells.output[rows], lay.cells.region[rows]).sum()
        return np.full(len(self.start), float(base)) * self._domestic(m)

    def _able(self, m: MarketView, made: np.ndarray | None, weeks: float) -> np.ndarray:
        """Output at which closing capacity begins to bind, t a week, shape (w,)."""
        lay, base = m.layout, self.base
        assert base is not None
        factor = np.maximum(self.factor, 1e-3) * np.ones(len(self.start))
        if self.stage == "mine":
            return base if made is None else made / weeks / factor
        groups = np.unique(lay.groups.of_facility[self.rows])
        groups = groups[groups >= 0]
        if m.flows.get("group_capacity") is None:
            return np.full(len(self.start), np.inf)
        where = lay.plants.region[[np.flatnonzero(lay.groups.of_facility == g)[0] for g in groups]]
        return PLAN_SHARE * self._counted(m.group_capacity[groups], where) / factor

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

    def _domestic(self, m: MarketView) -> np.ndarray:
        """Share of the output that counts: all of it, or what is made of the regions' own ore."""
        if self.imported or self.stage != "separation":
            return np.ones(len(self.start))
        lay = m.layout
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
    where = plants_of(None, "region", "stage")
    effect: ClassVar[type[Effect]] = ProductionQuotaEffect
    neutral: ClassVar[dict[str, float]] = {"enforcement": 0.0}
    one_of: ClassVar = ((("share",), ("tonnes",)),)

    region: Words = places(..., "regions whose output is capped")
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
        True,
        "whether separation of imported ore counts too (in China since August 2025)",
        when={"stage": ("separation",)},
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
        return []

    def inert(self, chain: Chain, start: date, end: date) -> str | None:
        """A quota in tonnes acts in its periods only."""
        why = super().inert(chain, start, end)
        spans = [period_dates(period) for period in self.tonnes or ()]
        if why is None and spans and not any(last > start and first < end for first, last in spans):
            return f"none of its periods lies in the run ({start} to {end})"
        return why
