"""Mass balance of every element, in every world, at every tick: it runs always and raises."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lodestone.border.errors import ModelError
from lodestone.worlds.book import Book


@dataclass
class Ledger(Book):
    """Double-entry book of contained element tonnes.

    ``opening + mined + recovered = closing + used + lost`` where the stocks of opening and
    closing include goods in transit, goods held in the licence queue and customs, scrap, and
    public stockpiles; ``recovered`` is what comes back from goods in use.

    Attributes
    ----------
    elements : list of str
    worlds : ndarray of int
        World numbers, for messages.
    stock : ndarray, shape (e, w)
        Stocks after the last closing, t contained element.
    mined, recovered, used, lost : ndarray, shape (e, w)
        Cumulated flows, t contained element.
    """

    elements: list[str]
    worlds: np.ndarray
    stock: np.ndarray
    mined: np.ndarray = field(init=False)
    recovered: np.ndarray = field(init=False)
    used: np.ndarray = field(init=False)
    lost: np.ndarray = field(init=False)
    worst: float = 0.0

    def __post_init__(self) -> None:
        self.mined = np.zeros_like(self.stock)
        self.recovered = np.zeros_like(self.stock)
        self.used = np.zeros_like(self.stock)
        self.lost = np.zeros_like(self.stock)

    def close(
        self,
        stock: np.ndarray,
        mined: np.ndarray,
        recovered: np.ndarray,
        used: np.ndarray,
        lost: np.ndarray,
        when: str,
    ) -> None:
        """Close a tick: compare stocks recounted from the state with the posted flows.

        Parameters
        ----------
        stock : ndarray, shape (e, w)
            Stocks recounted from the state, t contained element.
        mined, recovered, used, lost : ndarray, shape (e, w)
            Flows of this tick, t contained element.
        when : str
            Date, for the message.

        Raises
        ------
        ModelError
            An imbalance above 100 x machine epsilon x the largest stock or flow of the
            element in that world, or a number that is not finite.
        """
        gap = self.stock + mined + recovered - stock - used - lost
        scale = np.maximum(np.maximum(self.stock, stock), np.maximum(mined, used))
        relative = np.abs(gap) / np.maximum(scale, 1e-6)
        worst = float(relative.max())
        if not worst <= 100 * np.finfo(float).eps:
            e, w = np.unravel_index(int(np.argmax(np.nan_to_num(relative, nan=np.inf))), gap.shape)
            raise ModelError(
                f"mass balance broken for {self.elements[e]} in world {self.worlds[w]} on {when}: "
                f"{gap[e, w]:.3e} t of {scale[e, w]:.3e} t"
            )
        self.worst = max(self.worst, worst)
        self.stock = stock
        self.mined += mined
        self.recovered += recovered
        self.used += used
        self.lost += lost
