"""The kept series of some worlds, with their labels: what metrics read.

They come from a recorder while a run is in memory, or from its parts on disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.outputs.labels import Labels

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
    ) -> None:
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

    @classmethod
    def of(cls, recorder: Recorder, discount_rate: float = 0.05) -> Series:
        """The series that a recorder holds; nothing is copied."""
        run = recorder.run
        wide = len(run.worlds)
        return cls(
            recorder.labels,
            run.chain,
            recorder.arrays(),
            run.worlds,
            recorder.shock_day,
            keep=len(run.asked),
            draws={k: np.broadcast_to(v, (wide,)) for k, v in recorder.draws.items() if v.size > 1},
            discount_rate=discount_rate,
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
        )

    def __getitem__(self, name: str) -> np.ndarray:
        """A kept series by name, shape (T, rows, w)."""
        return self.arrays[name]

    @property
    def layout(self) -> Labels:
        """Rows, under the names that the layout of a run has."""
        return self.labels

    @cached_property
    def first_stop(self) -> np.ndarray:
        """Day of the first stop of each group from the disruption on, inf: none, shape (g, w)."""
        stopped = self._stopped
        first = self.times[np.argmax(stopped, axis=0)]
        return np.where(stopped.any(axis=0), first, np.inf)

    @cached_property
    def stop_weeks(self) -> np.ndarray:
        """Weeks from the disruption on in which a class of each group stood, shape (g, w)."""
        return self._stopped.sum(axis=0) * self.weeks

    @property
    def _stopped(self) -> np.ndarray:
        since = self.times[:, None, None] >= self.shock_day
        return np.asarray((self["stopped"] > 0) & since)

    @property
    def weeks(self) -> float:
        """Length of a market day, weeks."""
        return self.days / 7.0

    def group_rows(self, region: object = "all", sector: object = "all") -> np.ndarray:
        """Rows of the groups of regions and sectors (names, lists, blocs or ``all``)."""
        regions = self.region_names(region)
        sectors = names_of(sector)
        return np.array(
            [
                i
                for i, (r, s) in enumerate(self.groups)
                if (regions is None or r in regions) and (sectors is None or s in sectors)
            ],
            dtype=int,
        )

    def region_names(self, region: object) -> set[str] | None:
        """Regions meant by a selector, None for all."""
        words = names_of(region)
        return None if words is None else set(naming.places(self.chain, words).regions)

    def links(
        self, material: object = "all", origin: object = "all", destination: object = "all"
    ) -> np.ndarray:
        """Rows of the links of a selection that cross a border."""
        lay = self.layout
        materials = names_of(material)
        names: list[str] | None = None
        if materials is not None:
            names = [m for word in materials for m in self.chain.materials_named(word)]
        origins = self.region_names(origin)
        places = self.region_names(destination)
        mask = lay.link_mask(origins, places, names)
        return np.flatnonzero(mask)

    def price_weights(self, rows: np.ndarray) -> np.ndarray:
        """Weights of rows of the ask and paid prices: base-year tonnes bought there, sum 1."""
        tonnes = self.layout.c_need[self.priced_cells[rows], 0]
        return tonnes / tonnes.sum()

    def cells(self, material: object = "all", region: object = "all") -> np.ndarray:
        """Rows of the cells of materials and regions."""
        materials = names_of(material)
        names = None
        if materials is not None:
            names = {m for word in materials for m in self.chain.materials_named(word)}
        regions = self.region_names(region)
        return np.array(
            [
                i
                for i, (m, r) in enumerate(self.layout.cells)
                if (names is None or m in names) and (regions is None or r in regions)
            ],
            dtype=int,
        )


def names_of(selector: object) -> list[str] | None:
    """A selector as a list of names; None for ``all``."""
    if selector is None or selector == "all":
        return None
    if isinstance(selector, str):
        return [selector]
    return [str(s) for s in selector]  # type: ignore[attr-defined]
