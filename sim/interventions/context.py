"""What an intervention needs to become an effect: rows for its words, draws for its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from lodestone.border.numbers import Distribution, Number
from lodestone.border.units import DAYS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.fields import steps
from lodestone.worlds.layout import Layout
from lodestone.worlds.parts import Axis, Part
from lodestone.worlds.randomness import draw, uniforms
from lodestone.worlds.state import Draws

Words = str | Iterable[str] | None


@dataclass(frozen=True)
class Steps:
    """A step function of time, one value per world: each holds from its day on."""

    days: np.ndarray  # (n,)
    values: np.ndarray  # (n, w)

    def at(self, now: float, before: float = 0.0) -> np.ndarray:
        """Value in force on a day, shape (w,); ``before`` the first step."""
        index = int(np.searchsorted(self.days, now, side="right")) - 1
        if index < 0:
            return np.full(self.values.shape[1], before)
        return self.values[index]

    def first_day(self) -> np.ndarray:
        """Day from which each world has something, shape (w,); nought where none of it ever has."""
        some = self.values != 0.0
        return np.where(some.any(axis=0), self.days[np.argmax(some, axis=0)], 0.0)


@dataclass
class Context:
    """What an intervention needs to become an effect.

    Attributes
    ----------
    layout : Layout
    draws : dict
        Behavioural parameters by name.
    seed : int
    worlds : ndarray of int, shape (w,)
    start : date
        Day 0 of the run.
    last_day : float
    happens : dict
        Name -> worlds in which an intervention compiled before happens, for ``triggered_by``.
    begins : dict
        Name -> day on which another intervention starts it, (w,), ``inf`` where it does not.
    """

    layout: Layout
    draws: Draws
    seed: int
    worlds: np.ndarray
    start: date
    last_day: float
    happens: dict[str, np.ndarray] = field(default_factory=dict)
    begins: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def chain(self) -> Chain:
        """The chain of the run."""
        return self.layout.chain

    @property
    def count(self) -> int:
        """Number of worlds."""
        return len(self.worlds)

    # ---- numbers -----------------------------------------------------------------------

    def full(self, values: np.ndarray | float) -> np.ndarray:
        """A value per world, shape (w,)."""
        out = np.empty(self.count)
        out[...] = values
        return out

    def number(self, spec: Number, stream: str) -> np.ndarray:
        """Draw a number of an intervention, shape (w,)."""
        return self.full(draw(spec, self.seed, stream, self.worlds))

    def day(self, moment: date | Distribution | None, stream: str, default: float) -> np.ndarray:
        """Day of a date or of a drawn date, shape (w,)."""
        if moment is None:
            return self.full(default)
        if isinstance(moment, Distribution):
            return self.number(moment, stream) - self.start.toordinal()
        return self.full(float((moment - self.start).days))

    def steps(self, given: Number | Mapping[date, Number], stream: str) -> Steps:
        """A number, or a step function of time, drawn per world."""
        days, values = [], []
        for when, value in steps(given, self.start):
            is_path = isinstance(given, Mapping)
            days.append(float((when - self.start).days) if is_path else -np.inf)
            values.append(self.number(value, f"{stream}/{when}" if is_path else stream))
        return Steps(np.array(days), np.array(values))

    def luck(self, stream: str) -> np.ndarray:
        """A uniform number of each world, shape (w,)."""
        return uniforms(self.seed, stream, self.worlds)

    # ---- words to rows -----------------------------------------------------------------

    def places(self, given: Words) -> naming.Places:
        """Places meant (None: all)."""
        return naming.places(self.chain, naming.EVERYTHING if given is None else given)

    def materials(self, given: Words) -> list[str]:
        """Materials meant that the layout knows, in its order (None: all)."""
        wanted = naming.materials(self.chain, naming.EVERYTHING if given is None else given)
        return [m for m in wanted if m in self.layout.material_at]

    def material_rows(self, given: Words) -> np.ndarray:
        """Rows of the materials meant, shape (n,)."""
        return np.array([self.layout.material_at[m] for m in self.materials(given)], dtype=int)

    def goods(self, exporter: Words, places: Words, materials: Words) -> Part:
        """Links across a border that are meant, and what part of each."""
        lay, (ours, theirs) = self.layout, (self.places(exporter), self.places(places))
        made = self.materials(materials)
        rows = lay.link_mask(set(ours.regions), dict.fromkeys(theirs.regions, 1.0), made)
        return self._part("link", rows, ours, theirs, lay.links.region_from, lay.links.region_to)

    def ore(self, exporter: Words, places: Words, materials: Words) -> Part:
        """Links of concentrate across a border that are meant, and what part of each."""
        lay, (ours, theirs) = self.layout, (self.places(exporter), self.places(places))
        kinds = naming.materials(self.chain, naming.EVERYTHING if materials is None else materials)
        mined = np.array([m in kinds for m, _ in lay.ore.pools], dtype=bool)
        rows = mined[lay.ore.pool] & (lay.ore.region_from != lay.ore.region_to)
        rows &= np.isin(lay.ore.region_from, self.region_rows(ours.regions))
        rows &= np.isin(lay.ore.region_to, self.region_rows(theirs.regions))
        return self._part("ore_link", rows, ours, theirs, lay.ore.region_from, lay.ore.region_to)

    def users(self, places: Words, sectors: Words) -> Part:
        """User lines that are meant, and what part of each."""
        lay, where = self.layout, self.places(places)
        names = naming.sectors(self.chain, naming.EVERYTHING if sectors is None else sectors)
        rows = lay.user_rows(set(where.regions), set(names))
        return self._part("user", rows, None, where, None, lay.users.region)

    def buyers(self, goods: Part) -> Part:
        """Cells into which the goods of some links go, and the part of the buyers meant."""
        lay = self.layout
        rows = np.zeros(lay.cells.n, dtype=bool)
        rows[np.unique(lay.links.destination[goods.rows])] = True
        if goods.destination is None:
            return Part("cell", rows)
        where = naming.Places(self.chain, goods.destination)
        return self._part("cell", rows, None, where, None, lay.cells.region)

    def facilities(
        self, names: Words = None, where: Words = None, stage: str | None = None
    ) -> np.ndarray:
        """Rows of the plants meant by name, or by place and stage, shape (n,)."""
        listed = (names,) if isinstance(names, str) else names
        at = self.layout.plants.at
        found = naming.plants(self.chain, listed, where, stage)
        return np.array([at[n] for n in found if n in at], dtype=int)

    def region_rows(self, regions: Iterable[str]) -> np.ndarray:
        """Rows of regions, shape (n,)."""
        return np.array([self.layout.region_at[r] for r in regions], dtype=int)

    def _part(
        self,
        axis: Axis,
        rows: np.ndarray,
        ours: naming.Places | None,
        theirs: naming.Places,
        from_: np.ndarray | None,
        to: np.ndarray,
    ) -> Part:
        """A part that says whether the rows touched are meant entirely."""

        def cut(where: naming.Places | None, region: np.ndarray | None) -> bool:
            if where is None or region is None:
                return False
            split = self.region_rows(where.split())
            return bool(np.isin(region[rows], split).any())

        origin = ours.countries if ours is not None and cut(ours, from_) else None
        end = theirs.countries if cut(theirs, to) else None
        return Part(axis, rows, origin, end, origin is None and end is None)


def random_day(
    ctx: Context, stream: str, since: np.ndarray, hazard_per_year: np.ndarray
) -> np.ndarray:
    """Day of a random event after ``since`` at a constant hazard, shape (w,); inf: never.

    A higher hazard never gives a later day in the same world.
    """
    wait = -np.log1p(-ctx.luck(stream)) * DAYS_PER_YEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        days = np.where(hazard_per_year > 0.0, wait / hazard_per_year, np.inf)
    return since + days
