"""The market of a set of worlds: what a phase works on, and what a lever and an observer may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lodestone.worlds.coefficients import Coefficients
from lodestone.worlds.flows import Flows
from lodestone.worlds.in_use import InUse
from lodestone.worlds.law import PriceLaw
from lodestone.worlds.ledger import Ledger
from lodestone.worlds.made import facility_output
from lodestone.worlds.office import LicenceOffice
from lodestone.worlds.quota import QuotaBook
from lodestone.worlds.state import Draws, State

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout


@dataclass
class Market:
    """Layout, coefficients, state and books of a set of worlds.

    Attributes
    ----------
    layout, draws, c, law : Layout, Draws, Coefficients, PriceLaw
        What stays the same through a run.
    state : State
        What changes; only the phases of the market day and the sailings write there.
    online : ndarray, shape (f, w)
        Day on which each plant comes on line (``inf``: never).
    days : float
        Length of a tick, days; ``slow`` ticks lie between two looks at what moves in months.
    worlds : ndarray of int, shape (w,)
    growth : callable
        Day -> demand multiple of the base year by sector, shape (d, w).
    office, quotas, in_use, ledger
        Books: licences, quotas by weight, magnets in use (where something is recycled), balance.
    flows : Flows
        What passed on the last market day, or so far on this one.
    now : float
        Day of the last market day.
    held_less : ndarray, shape (c, w)
        Multiple of their normal stock that holders keep, worked out when orders are placed and read
        again when prices are set.
    """

    layout: Layout
    draws: Draws
    c: Coefficients
    law: PriceLaw
    state: State
    online: np.ndarray
    days: float
    slow: int
    worlds: np.ndarray
    growth: Callable[[float], np.ndarray]
    office: LicenceOffice
    ledger: Ledger
    quotas: list[QuotaBook] = field(default_factory=list)
    in_use: InUse | None = None
    flows: Flows = field(default_factory=Flows)
    now: float = 0.0
    held_less: np.ndarray = field(init=False)

    @property
    def weeks(self) -> float:
        """Length of a tick, weeks."""
        return self.days / 7.0

    def wide(self, values: np.ndarray, rows: int) -> np.ndarray:
        """Values with a full world axis, shape (rows, w), as compiled loops take them."""
        shape = (rows, self.state.worlds)
        return np.array(np.broadcast_to(values, shape), dtype=float, order="C")

    # ---- what levers and observers read ------------------------------------------------

    def facility_output(self, rows: np.ndarray, material: int) -> np.ndarray:
        """Output of a material by the facilities named, t in this market day, shape (w,)."""
        return facility_output(self, map(int, rows), material)

    @property
    def available(self) -> np.ndarray:
        """Share of capacity that can run, shape (f, w)."""
        return self.flows.available

    @property
    def normal_output(self) -> np.ndarray:
        """Usual output of each plant, t/week, shape (f, w)."""
        return self.flows.normal_output

    @property
    def group_capacity(self) -> np.ndarray:
        """What each group of plants can make, t/week, shape (g, w)."""
        return self.flows.group_capacity

    @property
    def group_load(self) -> np.ndarray:
        """Claims on each group of plants over its capacity, shape (g, w)."""
        return self.flows.group_load

    @property
    def grown(self) -> np.ndarray:
        """Growth of each ore pool over the base year, shape (o, w)."""
        return self.flows.grown

    @property
    def users_hold(self) -> np.ndarray:
        """Stock of each user line, t, shape (u, w)."""
        return self.state.users_hold

    @property
    def cells_hold(self) -> np.ndarray:
        """Stock of all users of a cell, t, shape (c, w)."""
        return self.state.cells_hold

    @property
    def link_share(self) -> np.ndarray:
        """Share of each link in its destination's orders, shape (l, w)."""
        return self.state.link_share

    @property
    def l_need_share(self) -> np.ndarray:
        """Share of each link in its destination's base-year supply, shape (l, 1)."""
        return self.c.need_share

    @property
    def home_first(self) -> np.ndarray:
        """Weight of each link when its seller has too little, shape (l, w)."""
        return self.c.home_first

    @property
    def oxide_material(self) -> np.ndarray:
        """Material row of each element's oxide, shape (e,)."""
        return self.c.oxide_material

    @property
    def mine_cost(self) -> np.ndarray:
        """Cash cost of each mine, USD/kg, shape (mines, 1)."""
        return self.c.mine_cost

    @property
    def user_cover(self) -> np.ndarray:
        """Weeks of use that each class of each line likes to hold, shape (b, u, w)."""
        return self.c.user_cover

    @property
    def shifted(self) -> np.ndarray | None:
        """What exporters take off the log of their prices, shape (m, w)."""
        return self.state.shifted

    @property
    def made_so_far(self) -> np.ndarray | None:
        """Made since the first day, t, shape (c, w), where somebody asked for the count."""
        return self.state.made_so_far

    def open_quota(self, book: QuotaBook) -> None:
        """Let a quota bind what is shipped from now on."""
        self.quotas.append(book)
        self.state.books.append(book)

    def count_output(self) -> None:
        """Count what is made from now on (somebody learns from it)."""
        if self.state.made_so_far is None:
            self.state.made_so_far = np.zeros_like(self.state.seller_stock)

    def open_reserve(self, cells: np.ndarray, tonnes: np.ndarray) -> None:
        """Put what a reserve holds on the first day into the public stock, shape (n, w)."""
        self.state.public_stock[cells] += tonnes

    def count_in_use(self) -> InUse:
        """Count magnets in use from now on (somebody recycles them)."""
        if self.in_use is None:
            self.in_use = InUse(self.layout, self.state.worlds)
            self.state.books.append(self.in_use)
        return self.in_use


__all__ = ["Market"]
