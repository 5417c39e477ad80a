"""The kept series of some worlds, with their labels: what metrics read.

They come from a recorder while a run is in memory, or from its parts on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.outputs.labels import Labels

if TYPE_CHECKING:
    from lodestone.outputs.recorder import Recorder


@dataclass(frozen=True)
class Picked:
    """Rows of a kept series, and which share of each is meant.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
    share : ndarray or None
        Shape (n, 1) or (n, w); None: all of every row.
    """

    rows: np.ndarray
    share: np.ndarray | None

    @classmethod
    def of(cls, picked: Mapping[int, Any]) -> Picked:
        """Row -> share (a number, or one a world)."""
        rows = np.array(list(picked), dtype=int)
        if all(np.ndim(v) == 0 and v == 1.0 for v in picked.values()):
            return cls(rows, None)
        wide = np.broadcast_shapes(*(np.shape(v) or (1,) for v in picked.values()))
        return cls(rows, np.stack([np.broadcast_to(v, wide) for v in picked.values()]))

    def parts(self, values: np.ndarray) -> np.ndarray:
        """What is meant of each row: of values (..., rows, w), shape (..., n, w)."""
        return (
            values[..., self.rows, :]
            if self.share is None
            else values[..., self.rows, :] * self.share
        )

    def total(self, values: np.ndarray, axis: int | tuple[int, ...] = -2) -> np.ndarray:
        """Sum of what is meant; over the rows, or other axes too."""
        return np.asarray(self.parts(values).sum(axis=axis, dtype=float))


def once(method: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what a method of `Series` gave for the same words: nothing writes into it."""

    @wraps(method)
    def call(self: Series, *given: Any, **named: Any) -> Any:
        key = (method.__name__, *map(_word, given), *((k, _word(v)) for k, v in named.items()))
        if key not in self.found:
            self.found[key] = method(self, *given, **named)
        return self.found[key]

    return call


def _word(value: Any) -> Any:
    return tuple(map(_word, value)) if isinstance(value, list | tuple | set) else value


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
        self.found: dict[Any, Any] = {}

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

    @property
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

    @once
    def users(self, region: object = "all", sector: object = "all") -> Picked:
        """Groups of users: of a region of which a part is meant, its share of the use (A43)."""
        use, sectors = self.use_of(region), names_of(sector)
        picked = {
            i: use[r]
            for i, (r, s) in enumerate(self.groups)
            if use.get(r, 0.0) > 0.0 and (sectors is None or s in sectors)
        }
        return Picked.of(picked)

    @once
    def used(self, name: str, region: object = "all", sector: object = "all") -> np.ndarray:
        """Sum of a series over what is meant of groups of users, shape (T, w)."""
        return self.users(region, sector).total(self[name])

    @once
    def places(self, region: object) -> naming.Places:
        """Countries meant by a selector."""
        return naming.places(self.chain, names_of(region) or naming.EVERYTHING)

    @once
    def use_of(self, region: object) -> dict[str, float]:
        """Region -> share of its use that is meant; regions not meant are left out."""
        if names_of(region) is None:
            return dict.fromkeys(self.labels.regions, 1.0)
        return self.places(region).use

    @once
    def made_in(
        self, region: object, material: str, year: int, stage: str | None = None
    ) -> dict[str, Any]:
        """Region -> share of its output of a material (or ``ore``) that is meant, in a year.

        By the plants of the run, of one stage or all that make it: what they could make in the
        middle of that year.
        """
        if names_of(region) is None:
            return dict.fromkeys(self.labels.regions, 1.0)
        places = self.places(region)
        if not places.split():
            return dict(places.use)
        at = self.years.index(year)
        able = {
            name: self["available"][at, i].astype(float)
            for i, (name, _, step, _) in enumerate(self.labels.facilities)
            if stage in (None, step)
        }
        return dict(places.made(material, able))

    @once
    def plants(self, region: object, *stages: str) -> np.ndarray:
        """Rows of the plants that lie in regions or countries, of some stages or all."""
        meant = set(self.places(region).plants(*stages))
        return np.array([i for i, (f, *_) in enumerate(self.labels.facilities) if f in meant], int)

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
        use = self.use_of(destination)
        year = self.last_year if year is None else year
        made = {m: self.made_in(origin, m, year) for m in self.materials(material)}
        picked = {}
        for i, m, seller, buyer in self._abroad:
            if m in made and seller in made[m] and use.get(buyer, 0.0) > 0.0:
                picked[i] = made[m][seller] * use[buyer]
        return Picked.of(picked)

    @cached_property
    def _abroad(self) -> list[tuple[int, str, str, str]]:
        """Links across a border: row, material, region that sells, region that buys."""
        lay = self.layout
        ways = [(int(i), *lay.links[i]) for i in np.flatnonzero(~lay.l_home)]
        return [(i, *lay.cells[seller], lay.cells[buyer][1]) for i, seller, buyer in ways]

    @once
    def cells(self, material: object = "all", region: object = "all") -> Picked:
        """Cells of materials and regions: their stocks, by share of use."""
        use, names = self.use_of(region), self.materials(material)
        picked = {
            i: use[r]
            for i, (m, r) in enumerate(self.layout.cells)
            if m in names and use.get(r, 0.0) > 0.0
        }
        return Picked.of(picked)

    @once
    def makers(self, material: object, region: object, year: int) -> Picked:
        """Cells of materials and regions: their output in a year, by share of what is made."""
        made = {m: self.made_in(region, m, year) for m in self.materials(material)}
        picked = {
            i: made[m][r]
            for i, (m, r) in enumerate(self.layout.cells)
            if m in made and r in made[m]
        }
        return Picked.of(picked)

    @once
    def materials(self, words: object) -> list[str]:
        """Materials meant by a selector."""
        named = names_of(words)
        return list(self.chain.materials) if named is None else naming.materials(self.chain, named)

    def price_weights(self, rows: np.ndarray) -> np.ndarray:
        """Weights of rows of the ask and paid prices: base-year tonnes bought there, sum 1."""
        tonnes = self.layout.c_need[self.priced_cells[rows], 0]
        return tonnes / tonnes.sum()


def names_of(selector: object) -> list[str] | None:
    """A selector as a list of names; None for ``all``."""
    if selector is None or selector == "all":
        return None
    if isinstance(selector, str):
        return [selector]
    return [str(s) for s in selector]  # type: ignore[attr-defined]
