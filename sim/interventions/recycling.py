"""Recycling of magnets at the end of their life: collected, worked up, within a capacity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import ClassVar

import numpy as np

from lodestone.border.numbers import Distribution
from lodestone.border.units import DAYS_PER_WEEK, WEEKS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.nouns import Chain, Facility
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.capacity_project import new_facility_name
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect, Reviews
from lodestone.interventions.fields import Num, Words, number, share, words
from lodestone.worlds.conditions import Rules
from lodestone.worlds.market import Market
from lodestone.worlds.projects import MONTH
from lodestone.worlds.view import MarketView


class RecyclingEffect(Effect):
    """Takes part of what users throw away, as far as its plant goes."""

    item: Recycling

    def set_up(self, ctx: Context) -> None:
        """Resolve the region and the capacity, t oxide a week."""
        lay, item = ctx.layout, self.item
        wanted = set(naming.sectors(ctx.chain, item.sectors))
        self.region = lay.region_at[item.region]
        self.sectors = np.array([s in wanted for s in lay.sectors])
        self.collection, self.recovery = self.n.collection, self.n.recovery
        self.capacity = ctx.full(np.inf)
        if "tonnes_per_year" in self.n:
            self.capacity = self.n.tonnes_per_year / WEEKS_PER_YEAR
        self.ramp_days = np.maximum(self.n.ramp_months * MONTH, 1.0)

    def why(self) -> str:
        """Nothing collected or no capacity gives nothing back."""
        if not np.any(self.collection) or not np.any(self.capacity):
            return "nothing is collected, or there is no capacity"
        return ""

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Magnets in use are counted from the first m."""
        m.count_in_use()

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """In force on these days."""
        active = self.share(t0, t1)
        if np.any(active):
            rules.recycling.append((self, active))

    def recover(
        self, m: MarketView, retired: np.ndarray, taken: np.ndarray, active: np.ndarray
    ) -> np.ndarray:
        """Oxide it gives back today.

        Parameters
        ----------
        m : Market
        retired : ndarray, shape (n, w)
            Magnets at the end of their life today, t by user line.
        taken : ndarray, shape (r, e, w)
            Oxide in them that others recover today, t.
        active : ndarray, shape (w,)
            Share of the day in force.

        Returns
        -------
        ndarray, shape (e, w)
            Tonnes of oxide: never more than the collected share of what is left, times the
            recovery, nor than the capacity that has ramped up.
        """
        lay, book = m.layout, m.in_use
        assert book is not None
        chosen = self.sectors[lay.users.sector[book.lines]] & (book.region == self.region)
        there = book.oxide_of(retired, chosen)[self.region]
        left = np.maximum(there - taken[self.region], 0.0)
        begun = np.where(np.isfinite(self.start), self.start, 0.0)
        ramped = np.clip((m.now + DAYS_PER_WEEK * m.weeks - begun) / self.ramp_days, 0.0, 1.0)
        out = left * self.collection * self.recovery * active
        room = self.capacity * ramped * m.weeks * active
        return out * np.minimum(room / np.maximum(out.sum(axis=0), 1e-12), 1.0)


@intervention("recycling")
class Recycling(Intervention):
    """Magnets at the end of their life are collected in a region and worked up to oxide.

    What comes to its end follows from what was used: each sector's magnets age through their
    service life. What is recycled today already is not counted twice.
    """

    effect: ClassVar[type[Effect]] = RecyclingEffect
    neutral: ClassVar[dict[str, float]] = {"collection": 0.0, "tonnes_per_year": 0.0}
    title: ClassVar[str] = "magnets at the end of their life are collected and worked up to oxide"

    region: str = words(..., "where they are collected and worked up", names="region")
    collection: Num = share(
        ...,
        "share collected of what comes to its end and is not recycled already (likely 0.05 to 0.5)",
        source="A97",
    )
    sectors: Words = words(("all",), "whose magnets are collected", names="sector")
    recovery: Num = share(0.9, "share of the oxide that is won back", source="A97")
    tonnes_per_year: Num | None = number(
        None,
        "capacity, oxide a year (null: whatever is collected)",
        unit="t/year",
        source="definition",
        low=0.0,
        high=1e6,
    )
    ramp_months: Num = number(
        12.0,
        "months to full capacity",
        unit="month",
        source="A97",
        low=0.0,
        high=240.0,
        when={"tonnes_per_year": ()},
    )

    def new_facility(self, name: str, chain: Chain) -> Facility | None:
        """A place to sell the oxide from, where the region has none."""
        there = [
            f
            for f in chain.facilities.values()
            if f.region == self.region and f.stage in ("separation", "recycling") and f.modelled
        ]
        if there or self.probability == 0.0 or not self.collection or self.tonnes_per_year == 0.0:
            return None
        model = next(f for f in chain.facilities.values() if f.stage == "recycling")
        size = self.tonnes_per_year
        return replace(
            model,
            name=new_facility_name(name),
            title=name.replace("_", " "),
            region=self.region,
            country=naming.country_of(chain, self.region),
            capacity_t_per_year=_centre(size) if size is not None else 1.0,
            output_2024_t=None,
            holds=model.holding(0.0),
            status="construction",
            start_date=self.start if isinstance(self.start, date) else date(2024, 1, 1),
            role="planned_new",
            source=tuple(self.source) or model.source,
        )


def _centre(value: float | Distribution) -> float:
    return value.centre() if isinstance(value, Distribution) else float(value)
