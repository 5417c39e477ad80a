"""The kept series of some worlds, with their labels: what metrics read.

They come from a recorder while a run is in memory, or from its parts on disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.outputs.labels import Labels
from lodestone.outputs.rows import Each, Picked, Rows, Stack, once

if TYPE_CHECKING:
    from lodestone.outputs.recorder import Recorder


class Series:
    """The kept series of some worlds.

    Parameters
    ----------
    labels : Labels
        Names of rows and dates.
    chain : Chain
        Of the scenario, plants that it adds included.
    arrays : mapping
        Series by name, (T, rows, w) each.
    worlds : ndarray of int, shape (w,)
        A single world stands beside a copy of itself, because sums of a lone column round
        differently; ``keep`` says how many count.
    shock_day : ndarray, shape (w,)
        First disruption of the scenario in each world; stops before it are not counted as its
        consequence.
    keep : int, optional
    draws : mapping, optional
        What was drawn, by name, shape (w,) each.
    discount_rate : float
        Share a year, real.
    rows : Rows, optional
        What words mean among the labels, where it has been looked up before.
    """

    def __init__(
        self,
        labels: Labels,
        chain: Chain,
        arrays: Mapping[str, np.ndarray],
        worlds: np.ndarray,
        shock_day: np.ndarray,
        *,
        keep: int | None = None,
        draws: Mapping[str, np.ndarray] | None = None,
        discount_rate: float = 0.05,
        rows: Rows | None = None,
    ) -> None:
        self.rows = rows or Rows(labels, chain)
        self.labels, self.chain, self.arrays = labels, chain, arrays
        self.worlds = worlds
        self.keep = len(worlds) if keep is None else keep
        self.shock_day = shock_day
        self.draws = dict(draws or {})
        self.discount_rate = discount_rate
        self.start, self.days = labels.start, labels.market_days
        self.times, self.dates = labels.times, labels.dates
        self.months, self.quarters, self.years = labels.months, labels.quarters, labels.years
        self.groups = labels.groups
        self.military_groups = np.array(labels.military_groups, dtype=int)
        self.priced_cells = np.array(labels.priced_cells, dtype=int)
        self.cost_regions = labels.regions
        self.found: dict[Any, Any] = {}

    @property
    def shock_month(self) -> np.ndarray:
        """Which of the months the first disruption begins in, by world, shape (w,)."""
        start = np.datetime64(self.start, "D")
        day = start + np.floor(self.shock_day).astype("timedelta64[D]")
        months = (day.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(int)
        return np.asarray(np.minimum(months, len(self.months) - 1))

    @classmethod
    def of(cls, recorder: Recorder, discount_rate: float = 0.05) -> Series:
        """The series that a recorder holds; nothing is copied."""
        run = recorder.run
        return cls(
            recorder.labels,
            run.chain,
            recorder.arrays(),
            run.worlds,
            recorder.shock_day,
            keep=len(run.asked),
            draws=recorder.draws,
            discount_rate=discount_rate,
            rows=recorder.rows,
        )

    def after(self, shock_day: np.ndarray) -> Series:
        """The same series, with another day from which consequences are counted."""
        return Series(
            self.labels,
            self.chain,
            self.arrays,
            self.worlds,
            np.resize(shock_day, len(self.worlds)),
            keep=self.keep,
            draws=self.draws,
            discount_rate=self.discount_rate,
            rows=self.rows,
        )

    def part(self, columns: slice, keep: int) -> Series:
        """The series of some columns, of which the first ``keep`` count; nothing is copied."""
        return Series(
            self.labels,
            self.chain,
            {name: values[..., columns] for name, values in self.arrays.items()},
            self.worlds[columns],
            self.shock_day[columns],
            keep=keep,
            draws={name: values[columns] for name, values in self.draws.items()},
            discount_rate=self.discount_rate,
            rows=self.rows,
        )

    @staticmethod
    def beside(each: Sequence[Series], arrays: Mapping[str, np.ndarray]) -> Series:
        """Worlds of several batches that share rows, chain and discount rate, as one.

        Parameters
        ----------
        each : sequence of Series
        arrays : mapping
            Their series side by side, (T, rows, all worlds) each.
        """
        first = each[0]
        return Series(
            first.labels,
            first.chain,
            arrays,
            np.concatenate([s.worlds for s in each]),
            np.concatenate([s.shock_day for s in each]),
            draws={name: np.concatenate([s.draws[name] for s in each]) for name in first.draws},
            discount_rate=first.discount_rate,
            rows=first.rows,
        )

    def __getitem__(self, name: str) -> np.ndarray:
        """A kept series by name, shape (T, rows, w)."""
        return self.arrays[name]

    @property
    def last_year(self) -> int:
        """What "the last year" means: a January alone is no year."""
        return self.labels.last_year

    @property
    def layout(self) -> Labels:
        """Rows, under the names that the layout of a run has."""
        return self.labels

    @cached_property
    def first_stop(self) -> np.ndarray:
        """Day of the first stop of each group from the disruption on, inf: none, shape (g, w).

        A group in which users stood on the market day before the disruption does not stop by it.
        """
        since = self.times[:, None] >= self.shock_day
        last = np.maximum(np.argmax(since, axis=0) - 1, 0)
        stood = ~since[0] & (self["stopped"][last, :, np.arange(since.shape[1])].T > 0)
        stopped = self._stopped & ~stood
        first = self.times[np.argmax(stopped, axis=0)]
        return np.where(stopped.any(axis=0), first, np.inf)

    @cached_property
    def stop_weeks(self) -> np.ndarray:
        """Weeks from the disruption on in which a class of each group stood, shape (g, w)."""
        return self._stopped.sum(axis=0) * self.weeks

    @cached_property
    def _stopped(self) -> np.ndarray:
        since = self.times[:, None, None] >= self.shock_day
        return np.asarray((self["stopped"] > 0) & since)

    @property
    def weeks(self) -> float:
        """Length of a market day, weeks."""
        return self.days / DAYS_PER_WEEK

    def group_rows(self, region: object = "all", sector: object = "all") -> np.ndarray:
        """Rows of the groups of regions and sectors (names, lists, blocs or ``all``)."""
        return self.users(region, sector).rows

    def users(self, region: object = "all", sector: object = "all") -> Picked:
        """Groups of users: of a region of which a part is meant, its share of the use (A43)."""
        return self.rows.users(region, sector)

    def users_each(self, region: object, sector: object) -> Stack | None:
        """Groups of users of each region or sector, where they are named one by one."""
        if isinstance(region, Each) or isinstance(sector, Each):
            return self.rows.users_each(region, sector)
        return None

    @once
    def used(self, name: str, region: object = "all", sector: object = "all") -> np.ndarray:
        """Sum of a series over what is meant of groups of users, shape (T, w) or (each, T, w)."""
        each = self.users_each(region, sector)
        if each is not None:
            return each.by_day(self[name])
        return self.users(region, sector).total(self[name])

    def places(self, region: object) -> naming.Places:
        """Countries meant by a selector."""
        return self.rows.places(region)

    def use_of(self, region: object) -> dict[str, float]:
        """Region -> share of its use that is meant; regions not meant are left out."""
        return self.rows.use_of(region)

    @once
    def made_in(
        self, region: object, material: str, year: int, stage: str | None = None
    ) -> dict[str, Any]:
        """Region -> share of its output of a material (or ``ore``) that is meant, in a year.

        By the plants of the run, of one stage or all that make it: what they could make in the
        middle of that year.
        """
        whole = self.rows.whole(region)
        if whole is not None:
            return dict(whole)
        at = self.years.index(year)
        able = {
            name: self["available"][at, i].astype(float)
            for i, (name, _, step, _) in enumerate(self.labels.facilities)
            if stage in (None, step)
        }
        return dict(self.places(region).made(material, able))

    def plants(self, region: object, *stages: str) -> np.ndarray:
        """Rows of the plants that lie in regions or countries, of some stages or all."""
        return self.rows.plants(region, *stages)

    @once
    def links(
        self,
        material: object = "all",
        origin: object = "all",
        destination: object = "all",
        year: int | None = None,
    ) -> Picked:
        """Links of a selection that cross a border.

        Of an origin its share of what its region makes in a year, of a destination its share of
        what its region uses.
        """
        if self.rows.whole(origin) is not None:
            return self.rows.links(material, origin, destination)
        year = self.last_year if year is None else year
        made = {m: self.made_in(origin, m, year) for m in self.materials(material)}
        return self.rows.links_of(made, destination)

    def cells(self, material: object = "all", region: object = "all") -> Picked:
        """Cells of materials and regions: their stocks, by share of use."""
        return self.rows.cells(material, region)

    @once
    def makers(self, material: object, region: object, year: int) -> Picked:
        """Cells of materials and regions: their output in a year, by share of what is made."""
        if self.rows.whole(region) is not None:
            return self.rows.makers(material, region)
        made = {m: self.made_in(region, m, year) for m in self.materials(material)}
        return self.rows.makers_of(made)

    def materials(self, words: object) -> list[str]:
        """Materials meant by a selector."""
        return self.rows.materials(words)

    def price_weights(self, rows: np.ndarray) -> np.ndarray:
        """Weights of rows of the ask and paid prices: base-year tonnes bought there, sum 1."""
        tonnes = self.layout.c_need[self.priced_cells[rows], 0]
        return tonnes / tonnes.sum()
