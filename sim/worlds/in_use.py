"""Magnets in use: what users have put to work, how it ages, and what comes to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.equations.lags import gain
from lodestone.equations.recycling import STAGES, grown_stock, past_growth
from lodestone.worlds.book import Book

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout

WEEKS_PER_YEAR = 365.25 / 7.0


class InUse(Book):
    """Stock of magnets in use by user line, outside the ledger (what is used has left it).

    Parameters
    ----------
    layout : Layout
    worlds : int

    Attributes
    ----------
    stock : ndarray, shape (STAGES, n, w)
        Tonnes of magnet by stage of age.
    lines : ndarray, shape (n,)
        User lines of magnets.
    """

    def __init__(self, layout: Layout, worlds: int) -> None:
        self.layout = layout
        self.lines = np.flatnonzero(layout.users.magnet)
        sectors = [layout.chain.sectors[layout.users.keys[u][0]] for u in self.lines]
        years = np.array([s.lifetime_years for s in sectors])
        growth = past_growth(np.array([s.growth_2030 for s in sectors])).reshape(-1, 1)
        self.stage_weeks = years.reshape(-1, 1) * WEEKS_PER_YEAR / STAGES
        begun = grown_stock(
            layout.users.base[self.lines], self.stage_weeks, growth / WEEKS_PER_YEAR
        )
        self.stock = np.array(np.broadcast_to(begun, (STAGES, len(self.lines), worlds)))
        self.content = layout.content[layout.users.material[self.lines]]  # (n, e) t per t
        self.region = layout.users.region[self.lines]

    def retire(self, weeks: float) -> np.ndarray:
        """Let everything age; return what comes to its end, t of magnet, shape (n, w)."""
        moved = self.stock * gain(weeks, self.stage_weeks)
        self.stock -= moved
        self.stock[1:] += moved[:-1]
        return moved[-1]

    def add(self, used: np.ndarray) -> None:
        """Put what users used (u, w) to work."""
        self.stock[0] += used[self.lines]

    def oxide_of(self, retired: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Oxide equivalent of what retires, by region and element.

        Parameters
        ----------
        retired : ndarray, shape (n, w)
        chosen : ndarray of bool, shape (n,)
            Lines that count.

        Returns
        -------
        ndarray, shape (r, e, w)
            Tonnes of oxide.
        """
        lay = self.layout
        out = np.zeros((len(lay.regions), len(lay.elements), retired.shape[1]))
        held = retired[chosen][:, None, :] * self.content[chosen][:, :, None]
        np.add.at(out, self.region[chosen], held)
        return out / lay.per_oxide


__all__ = ["STAGES", "WEEKS_PER_YEAR", "InUse", "grown_stock", "past_growth"]
