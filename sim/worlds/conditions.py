"""The rules in force: folded anew at every tick from the interventions that are active.

Each field of `Rules` owns the way in which contributions combine and offers that verb only, so the
order of interventions does not matter and nothing has to be undone when one of them ends. What
the phases of a market day read are `Conditions`: the same names, as arrays, ``None`` where nobody
said anything.

To add a rule that no equation knows yet: one `Field` here, the attribute of the same name in
`Conditions`, and the equation that obeys it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, overload

import numpy as np

from lodestone.worlds.parts import Part, alike, blend
from lodestone.worlds.view import MarketView

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout

__all__ = ["FIELDS", "FREE", "Conditions", "Field", "LicenceRule", "Rules", "Where"]

#: Stands for no limit: finite, so that no limit times nothing is nothing.
FREE = 1e30
#: Rows of a field: a part of rows, or rows as such (a mask or numbers).
Where = Part | np.ndarray
Axis = Literal["facility", "link", "ore_link", "cell", "user", "material"]
Combine = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _size(lay: Layout, axis: Axis) -> int:
    return {
        "facility": len(lay.plants.rows),
        "link": lay.links.n,
        "ore_link": len(lay.ore.keys),
        "cell": lay.cells.n,
        "user": lay.users.n,
        "material": len(lay.materials),
    }[axis]


class Held:
    """What the interventions of a day say of one rule."""

    def __init__(self, m: MarketView, axis: Axis, neutral: float, worlds: int) -> None:
        self._m, self._axis, self._neutral, self._worlds = m, axis, neutral, worlds
        self._array: np.ndarray | None = None
        self._parts: list[tuple[Part, np.ndarray]] = []

    @property
    def _values(self) -> np.ndarray:
        if self._array is None:
            shape = (_size(self._m.layout, self._axis), self._worlds)
            self._array = np.full(shape, self._neutral)
        return self._array

    def _say(self, where: Where, value: np.ndarray, combine: Combine) -> None:
        held = self._values
        if isinstance(where, Part):
            if not where.rows.any():
                return
            if not where.whole:
                self._parts.append((where, value))
                return
        rows = where.rows if isinstance(where, Part) else where
        held[rows] = combine(held[rows], value)

    def _combine(self, held: np.ndarray, value: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def value(self) -> np.ndarray | None:
        """The rule as an array, shape (rows, w); None where nobody said anything."""
        if not self._parts:
            return self._array
        out, neutral = self._values.copy(), np.full(1, self._neutral)
        speaks = np.zeros((len(self._parts), self._worlds), dtype=bool)
        for row, (_, said) in enumerate(self._parts):
            changes = self._combine(neutral, said) != neutral
            speaks[row] = np.atleast_2d(changes).any(axis=0)
        for kind, worlds in alike(speaks):
            if kind.any():
                here = list(compress(self._parts, kind))
                out[:, worlds] = blend(self._m, here, self._values, self._combine)[:, worlds]
        return out


class Product(Held):
    """Contributions multiply."""

    def multiply(self, where: Where, by: np.ndarray) -> None:
        """Multiply the part meant by a factor, shape (w,) or (rows, w)."""
        if np.any(by != 1.0):
            self._say(where, by, self._combine)

    def _combine(self, held: np.ndarray, value: np.ndarray) -> np.ndarray:
        return held * value


class Least(Held):
    """The smallest contribution holds."""

    def lower_to(self, where: Where, value: np.ndarray) -> None:
        """Let nothing above a value pass in the part meant."""
        if np.any(value < self._neutral):
            self._say(where, value, self._combine)

    def _combine(self, held: np.ndarray, value: np.ndarray) -> np.ndarray:
        return np.minimum(held, value)


class Most(Held):
    """The largest contribution holds."""

    def raise_to(self, where: Where, value: np.ndarray) -> None:
        """Let the part meant be a value at least."""
        if np.any(value > self._neutral):
            self._say(where, value, self._combine)

    def _combine(self, held: np.ndarray, value: np.ndarray) -> np.ndarray:
        return np.maximum(held, value)


class Total(Held):
    """Contributions add up."""

    def add(self, where: Where, value: np.ndarray) -> None:
        """Add a value, as far as the part is meant."""
        if not np.any(value):
            return
        held = self._values
        if not isinstance(where, Part):
            held[where] += value
        elif where.rows.any():
            held[where.rows] += value if where.whole else where.weight(self._m) * value

    def _combine(self, held: np.ndarray, value: np.ndarray) -> np.ndarray:
        return held + value


class Chance(Held):
    """Independent chances: whether at least one of them comes true."""

    def catch(self, where: Where, chance: np.ndarray) -> None:
        """Add a chance in the part meant."""
        if np.any(chance):
            self._say(where, chance, self._combine)

    def _combine(self, held: np.ndarray, value: np.ndarray) -> np.ndarray:
        return 1.0 - (1.0 - held) * (1.0 - value)


H = TypeVar("H", bound=Held)


@dataclass
class Field(Generic[H]):
    """One rule: what its rows are, how contributions combine, and what holds where nobody speaks."""

    axis: Axis
    held: type[H]
    neutral: float
    doc: str
    name: str = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        FIELDS[name] = self

    @overload
    def __get__(self, rules: None, owner: type) -> Field[H]: ...
    @overload
    def __get__(self, rules: Rules, owner: type) -> H: ...
    def __get__(self, rules: Rules | None, owner: type) -> Field[H] | H:
        if rules is None:
            return self
        made = rules.__dict__.get(self.name)
        if made is None:
            made = self.held(rules.market, self.axis, self.neutral, rules.worlds)
            rules.__dict__[self.name] = made
        return made


#: Every rule by name, filled by `Rules`.
FIELDS: dict[str, Field] = {}


class Pivot(Protocol):
    """What turns ore to named separators."""

    def turn(self, shares: np.ndarray, tonnes: np.ndarray, m: MarketView) -> np.ndarray:
        """Shares of ore links, turned, shape (k, w)."""


class Contract(Protocol):
    """What turns orders to named sellers."""

    def pull(self, goal: np.ndarray, offer: np.ndarray, m: MarketView) -> np.ndarray:
        """Worth of links to their buyers, turned, shape (l, w)."""


class Reserve(Protocol):
    """A public stock: what it would buy, and what it lets go, a market day."""

    cells: np.ndarray
    rows: np.ndarray
    user_share: np.ndarray
    plant_share: np.ndarray

    def wish(self, m: MarketView) -> np.ndarray:
        """Tonnes it would buy, shape (n, w)."""

    def release(self, m: MarketView, lack: np.ndarray) -> np.ndarray:
        """Tonnes it lets go, shape (n, w)."""


class Floor(Protocol):
    """A price floor: what it buys, what it costs, what buyers bear of it."""

    rows: np.ndarray  # plants whose output is eligible
    payers: list[int]  # regions whose treasuries share what it costs

    def purchase(self, m: MarketView, active: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Cells it buys in, and tonnes it would buy today, shape (n, w); None if it buys nothing."""

    def bought(self, tonnes: np.ndarray) -> None:
        """Told what it got, shape (n, w)."""

    def outlay(self, m: MarketView, active: np.ndarray, t0: float) -> np.ndarray:
        """Public money, USD million, shape (w,)."""

    def charge(self, m: MarketView, active: np.ndarray, t0: float) -> np.ndarray | None:
        """USD/kg that buyers of each cell pay, shape (c, w)."""


class Collector(Protocol):
    """What collects old magnets in a region and gives back oxide."""

    region: int

    def recover(
        self, m: MarketView, retired: np.ndarray, taken: np.ndarray, active: np.ndarray
    ) -> np.ndarray:
        """Oxide it gives back today, t, shape (e, w)."""


@dataclass
class LicenceRule:
    """What one licence intervention asks of today's offices (folded into the office).

    Attributes
    ----------
    links : ndarray of bool, shape (l,)
        Listed links.
    lookalike : ndarray of bool, shape (l,)
        Unlisted links of the same customs codes.
    active : ndarray, shape (w,)
        Share of the tick on which the regime is in force.
    approval : ndarray, shape (w,)
        Probability that an application decided today is granted (civil end use).
    military_approval : ndarray, shape (w,)
    processing_weeks, refile_weeks, capacity, surge : ndarray, shape (w,)
    general : ndarray, shape (l, w), or None
        Share of a link's orders under a general licence, which skips the queue (None: this rule
        grants none and takes none away).
    held_share : ndarray, shape (w,)
        Share of look-alikes held for testing today.
    cleared : ndarray, shape (w,)
        Share of listed goods that still leave on papers cleared before the date.
    added_weeks : ndarray, shape (w,) or float
        What it adds to the review of other rules (a proof of end use).
    refused : ndarray, shape (l, w), or float
        Share of each link's trade that is never licensed.
    slower : ndarray, shape (l, w), or float
        Review of each link's goods over the processing time.
    part : Part or None
        Which part of the listed links is meant (None: all of them); ``alike`` the same of the
        look-alikes, and ``market`` what shares are measured on.
    """

    links: np.ndarray
    lookalike: np.ndarray
    active: np.ndarray
    approval: np.ndarray
    military_approval: np.ndarray
    processing_weeks: np.ndarray
    refile_weeks: np.ndarray
    capacity: np.ndarray
    surge: np.ndarray
    general: np.ndarray | None
    held_share: np.ndarray
    cleared: np.ndarray
    added_weeks: np.ndarray | float = 0.0
    refused: np.ndarray | float = 0.0
    slower: np.ndarray | float = 1.0
    part: Part | None = None
    alike: Part | None = None
    market: MarketView | None = None


@dataclass
class Conditions:
    """Rules of one tick as the phases read them. ``None`` means that no intervention speaks.

    Attributes
    ----------
    See `Rules`, field by field.
    """

    facility_available: np.ndarray | None = None
    passes: np.ndarray | None = None
    route_open: np.ndarray | None = None
    ore_passes: np.ndarray | None = None
    ore_gate: np.ndarray | None = None
    import_tariff: np.ndarray | None = None
    export_tax: np.ndarray | None = None
    demand_factor: np.ndarray | None = None
    announced: np.ndarray | None = None
    margin_support: np.ndarray | None = None
    charge: np.ndarray | None = None
    heavy_free: np.ndarray | None = None
    ree_free: np.ndarray | None = None
    leak_ceiling: np.ndarray | None = None
    detection: np.ndarray | None = None
    trade_cost: np.ndarray | None = None
    undercut: np.ndarray | None = None
    price_shift: np.ndarray | None = None
    priority: np.ndarray | None = None
    user_priority: np.ndarray | None = None
    pivots: list[Pivot] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    licences: list[LicenceRule] = field(default_factory=list)
    stockpiles: list[Reserve] = field(default_factory=list)
    floors: list[tuple[Floor, np.ndarray]] = field(default_factory=list)
    recycling: list[tuple[Collector, np.ndarray]] = field(default_factory=list)


class Rules:
    """What interventions write. Shapes: f facilities, l links, k ore links, c cells, u users,
    m materials, w worlds.
    """

    facility_available = Field(
        "facility", Product, 1.0, "share of capacity that can run, shape (f, w)"
    )
    passes = Field("link", Product, 1.0, "share of normal tonnes that may leave (bans), (l, w)")
    route_open = Field(
        "link", Least, 1.0, "share of goods that may depart and arrive on a route, (l, w)"
    )
    ore_passes = Field("ore_link", Product, 1.0, "share of concentrate that may leave, (k, w)")
    ore_gate = Field(
        "ore_link", Least, 1.0, "share of usual that ore in bond may clear at the border, (k, w)"
    )
    import_tariff = Field("link", Total, 0.0, "ad valorem rate that buyers feel, (l, w)")
    export_tax = Field("link", Total, 0.0, "the same, levied by the exporter, (l, w)")
    demand_factor = Field("user", Product, 1.0, "multiplier of planned use, (u, w)")
    announced = Field("cell", Most, 0.0, "1 where a control is known and not in force, (c, w)")
    margin_support = Field(
        "facility", Total, 0.0, "USD/kg that a programme adds to a plant's revenue, (f, w)"
    )
    charge = Field("cell", Total, 0.0, "USD/kg that buyers of a cell pay beside its price, (c, w)")
    heavy_free = Field(
        "user", Most, 0.0, "share of a use moved to designs without heavy elements, (u, w)"
    )
    ree_free = Field("user", Most, 0.0, "the same without rare earths, (u, w)")
    leak_ceiling = Field("link", Most, 0.0, "share of normal exports that may leak, (l, w)")
    detection = Field("link", Chance, 0.0, "chance that grey goods are caught, (l, w)")
    trade_cost = Field(
        "link", Total, 0.0, "cost of legal trade that is no duty, share of value, (l, w)"
    )
    undercut = Field("link", Most, 0.0, "share by which sellers undercut others, (l, w)")
    price_shift = Field(
        "material", Total, 0.0, "what an exporter adds to the log of its home price, (m, w)"
    )
    priority = Field("link", Most, 1.0, "weight of a link when its seller has too little, (l, w)")
    user_priority = Field(
        "user", Product, 1.0, "weight of users when a region receives too little, (u, w)"
    )

    def __init__(self, market: MarketView, worlds: int) -> None:
        self.market, self.worlds = market, worlds
        self.pivots: list[Pivot] = []
        self.contracts: list[Contract] = []
        self.licences: list[LicenceRule] = []
        self.stockpiles: list[Reserve] = []
        self.floors: list[tuple[Floor, np.ndarray]] = []
        self.recycling: list[tuple[Collector, np.ndarray]] = []

    def sealed(self) -> Conditions:
        """What has been said, as the phases read it."""
        spoken = {name: self.__dict__[name].value() for name in FIELDS if name in self.__dict__}
        return Conditions(
            **spoken,
            pivots=self.pivots,
            contracts=self.contracts,
            licences=self.licences,
            stockpiles=self.stockpiles,
            floors=self.floors,
            recycling=self.recycling,
        )
