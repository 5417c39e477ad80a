"""Which rows of the kept series words mean: the same in every world, and in every run of a layout."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.outputs.labels import Labels

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun

#: Layouts of which a process keeps the rows that words mean, the latest used last: some 0.5 MB each.
KEPT = 8
#: Answers that an object keeps; beyond, it begins anew.
MOST = 4096

T = TypeVar("T", bound=Callable[..., Any])


class Each(tuple[str, ...]):
    """Names of regions or sectors that are meant one by one, not together.

    What is asked for each of them stands on a leading axis, in their order. Several names together
    are another selector than each of them.
    """

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Each) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def names_of(selector: object) -> list[str] | None:
    """A selector as a list of names; None for ``all``."""
    if selector is None or selector == "all":
        return None
    if isinstance(selector, str):
        return [selector]
    return [str(s) for s in selector]  # type: ignore[attr-defined]


def once(function: T) -> T:
    """Keep what a function of an object gave for the same words, in its ``found``.

    The object is its first argument; nothing can write into an array that it gives.
    """

    @wraps(function)
    def call(self: Any, *given: Any, **named: Any) -> Any:
        key = (function, given, *named.items())
        try:
            hash(key)
        except TypeError:  # a list of names
            key = (function, _word(given), *((k, _word(v)) for k, v in named.items()))
        if key not in self.found:
            if len(self.found) >= MOST:
                self.found.clear()
            found = function(self, *given, **named)
            if isinstance(found, np.ndarray):
                found = found.view()
                found.flags.writeable = False
            self.found[key] = found
        return self.found[key]

    return call  # type: ignore[return-value]


def _word(value: Any) -> Any:
    """A selector fit for a key, lists in it as tuples."""
    if isinstance(value, list | tuple | set) and not isinstance(value, Each):
        return tuple(map(_word, value))
    return value


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

    def total(self, values: np.ndarray, axis: int | tuple[int, int] = -2) -> np.ndarray:
        """Sum of what is meant; over the rows, or over the market days (T, rows, w), too."""
        if self.share is None and values.ndim == 3 and values.flags.c_contiguous:
            # The same order of adding, without a copy of the rows.
            return (self._alone.whole(values) if axis == (0, 1) else self._alone.by_day(values))[0]
        return np.asarray(self.parts(values).sum(axis=axis, dtype=float))

    def by_day(self, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Sum of what is meant of weighted rows: values (T, rows, w), weight (rows,) -> (T, w)."""
        if self.share is None and values.flags.c_contiguous:
            return self._alone.by_day(values, weight)[0]
        parts = self.parts(values) * weight[self.rows, None]
        return np.asarray(parts.sum(axis=1, dtype=float))

    @property
    def _alone(self) -> Stack:
        """Rows of this selection alone."""
        return Stack(self.rows, np.array([0, len(self.rows)]))


@dataclass(frozen=True)
class Stack:
    """Rows of several selections, each of which means all of its rows.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
    starts : ndarray of int, shape (n + 1,)
        Selection ``i`` owns ``rows[starts[i]:starts[i + 1]]``.
    """

    rows: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, each: Sequence[Picked]) -> Stack:
        """One under the other."""
        assert all(p.share is None for p in each), "regions and sectors are meant as a whole"
        starts = np.cumsum([0, *(len(p.rows) for p in each)])
        return cls(np.concatenate([p.rows for p in each]), starts)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Rows of each selection."""
        return iter(np.split(self.rows, self.starts[1:-1]))

    def by_day(self, values: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """Sums of weighted rows: values (T, g, w), weight (g,) or one -> (n, T, w)."""
        from lodestone.outputs.adding import add_by_day

        weight = np.ones(values.shape[1]) if weight is None else weight
        out = np.zeros((len(self.starts) - 1, len(values), values.shape[-1]))
        add_by_day(values, weight, self.rows, self.starts, out)
        return out

    def whole(self, values: np.ndarray) -> np.ndarray:
        """Sums of rows over all market days: values (T, g, w) -> (n, w)."""
        from lodestone.outputs.adding import add_whole

        out = np.zeros((len(self.starts) - 1, values.shape[-1]))
        add_whole(values, self.rows, self.starts, out)
        return out


class Rows:
    """Which rows words mean.

    Parameters
    ----------
    labels : Labels
        Names of rows and dates.
    chain : Chain
        Whose places and materials the words are.
    """

    #: Tables of the chain that say what words mean; no other one is read here.
    TABLES: ClassVar[tuple[str, ...]] = (
        "vintage", "regions", "countries", "blocs", "facilities", "elements", "materials", "recipes",
    )  # fmt: skip

    def __init__(self, labels: Labels, chain: Chain) -> None:
        self.labels, self.chain = labels, chain
        self.found: dict[Any, Any] = {}

    def tells_the_same(self, other: Rows) -> bool:
        """Whether every word means the same rows, by the same shares, among the same labels."""
        return self.labels == other.labels and all(
            getattr(self.chain, table) == getattr(other.chain, table) for table in self.TABLES
        )

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
    def whole(self, region: object) -> dict[str, float] | None:
        """Region -> share of what it makes that is meant, or None where the plants of the run say.

        They do where countries inside a region are meant (A43).
        """
        if names_of(region) is None:
            return dict.fromkeys(self.labels.regions, 1.0)
        places = self.places(region)
        return None if places.split() else dict(places.use)

    @once
    def users(self, region: object = "all", sector: object = "all") -> Picked:
        """Groups of users: of a region of which a part is meant, its share of the use (A43)."""
        use, sectors = self.use_of(region), names_of(sector)
        picked = {
            i: use[r]
            for i, (r, s) in enumerate(self.labels.groups)
            if use.get(r, 0.0) > 0.0 and (sectors is None or s in sectors)
        }
        return Picked.of(picked)

    @once
    def users_each(self, region: object, sector: object) -> Stack:
        """Groups of users of each of the regions or sectors that are named one by one."""
        if isinstance(region, Each):
            return Stack.of([self.users(r, sector) for r in region])
        assert isinstance(sector, Each)
        return Stack.of([self.users(region, s) for s in sector])

    @once
    def plants(self, region: object, *stages: str) -> np.ndarray:
        """Rows of the plants that lie in regions or countries, of some stages or all."""
        meant = set(self.places(region).plants(*stages))
        return np.array([i for i, (f, *_) in enumerate(self.labels.facilities) if f in meant], int)

    @once
    def cells(self, material: object = "all", region: object = "all") -> Picked:
        """Cells of materials and regions: their stocks, by share of use."""
        use, names = self.use_of(region), self.materials(material)
        picked = {
            i: use[r]
            for i, (m, r) in enumerate(self.labels.cells)
            if m in names and use.get(r, 0.0) > 0.0
        }
        return Picked.of(picked)

    @once
    def materials(self, words: object) -> list[str]:
        """Materials meant by a selector."""
        named = names_of(words)
        return list(self.chain.materials) if named is None else naming.materials(self.chain, named)

    @once
    def links(self, material: object, origin: object, destination: object) -> Picked:
        """Links that cross a border out of whole regions: see `links_of`."""
        made = self.whole(origin)
        assert made is not None
        return self.links_of(dict.fromkeys(self.materials(material), made), destination)

    def links_of(self, made: Mapping[str, Mapping[str, Any]], destination: object) -> Picked:
        """Links that cross a border.

        Parameters
        ----------
        made : dict
            Material -> region -> share of what it makes that is meant, a number or one a world.
        destination : str or list of str
            Of which regions the share of use counts.
        """
        use = self.use_of(destination)
        picked = {}
        for i, m, seller, buyer in self._abroad:
            if m in made and seller in made[m] and use.get(buyer, 0.0) > 0.0:
                picked[i] = made[m][seller] * use[buyer]
        return Picked.of(picked)

    @cached_property
    def _abroad(self) -> list[tuple[int, str, str, str]]:
        """Links across a border: row, material, region that sells, region that buys."""
        lay = self.labels
        ways = [(int(i), *lay.links[i]) for i in np.flatnonzero(~lay.l_home)]
        return [(i, *lay.cells[seller], lay.cells[buyer][1]) for i, seller, buyer in ways]

    @once
    def makers(self, material: object, region: object) -> Picked:
        """Cells of materials in whole regions: see `makers_of`."""
        made = self.whole(region)
        assert made is not None
        return self.makers_of(dict.fromkeys(self.materials(material), made))

    def makers_of(self, made: Mapping[str, Mapping[str, Any]]) -> Picked:
        """Cells by share of what is made there: material -> region -> share."""
        picked = {
            i: made[m][r]
            for i, (m, r) in enumerate(self.labels.cells)
            if m in made and r in made[m]
        }
        return Picked.of(picked)

    def ore_of(self, dug: Mapping[str, Any]) -> Picked:
        """Links of ore by share of what is dug: region of the mine -> share."""
        mines = [mine for _, mine, _ in self.labels.ore_links]
        return Picked.of({i: dug[mine] for i, mine in enumerate(mines) if mine in dug})


_kept: OrderedDict[tuple[Any, ...], tuple[Any, Rows]] = OrderedDict()


def rows_of(run: BatchRun) -> Rows:
    """Rows of a batch; those at hand where an earlier one has the same layout and market days.

    Points of a study that differ in numbers only share their layout, and those that differ in a
    number that no word and no label tells share their rows: neither looks up a word twice.
    """
    key = (id(run.layout), run.scenario.start, run.market_days, run.calendar.last_day)
    if key not in _kept:
        new = Rows(Labels.of(run), run.layout.chain)
        alike = next((old for _, old in reversed(_kept.values()) if old.tells_the_same(new)), new)
        # The layout is held, so that no other one takes its place in memory and its rows.
        _kept[key] = run.layout, alike
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    return _kept[key][1]
