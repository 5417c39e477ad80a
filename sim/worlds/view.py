"""What a lever may see of the market: everything, and nothing to write on.

`lodestone.worlds.market.Market` is one. Levers read it to say what they change; only the phases of
a market day write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lodestone.worlds.made import Seen

if TYPE_CHECKING:
    from lodestone.worlds.flows import Flows
    from lodestone.worlds.in_use import InUse
    from lodestone.worlds.layout import Layout
    from lodestone.worlds.state import Draws, State

__all__ = ["MarketView", "Office"]


class Office(Protocol):
    """What is known of the licence office."""

    @property
    def military(self) -> np.ndarray:
        """Military share of the buyers at the end of each link, shape (l, 1)."""


class MarketView(Seen, Protocol):
    """The market of a set of worlds, to be read."""

    @property
    def layout(self) -> Layout:
        """Rows and constants."""

    @property
    def draws(self) -> Draws:
        """Behavioural parameters by name, shape (w,)."""

    @property
    def state(self) -> State:
        """What stands today."""

    @property
    def flows(self) -> Flows:
        """What passed on the last market day."""

    @property
    def now(self) -> float:
        """Day of the last market day."""

    @property
    def weeks(self) -> float:
        """Length of a tick, weeks."""

    @property
    def growth(self) -> Callable[[float], np.ndarray]:
        """Day -> demand multiple of the base year by sector, shape (d, w)."""

    @property
    def online(self) -> np.ndarray:
        """Day on which each plant comes on line, shape (f, w)."""

    @property
    def office(self) -> Office:
        """The licence office."""

    @property
    def in_use(self) -> InUse | None:
        """Magnets in use, where somebody recycles them."""

    @property
    def home_first(self) -> np.ndarray:
        """Weight of each link when its seller has too little, shape (l, w)."""

    @property
    def oxide_material(self) -> np.ndarray:
        """Material row of each element's oxide, shape (e,)."""

    @property
    def mine_cost(self) -> np.ndarray:
        """Cash cost of each mine, USD/kg, shape (mines, 1)."""

    @property
    def shifted(self) -> np.ndarray | None:
        """What exporters take off the log of their prices, shape (m, w)."""

    @property
    def made_so_far(self) -> np.ndarray | None:
        """Made since the first day, t, shape (c, w), where somebody asked for the count."""

    def facility_output(self, rows: np.ndarray, material: int) -> np.ndarray:
        """Output of a material by some plants, t in this market day, shape (w,)."""
