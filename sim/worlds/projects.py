"""Announced plants: what stands between an announcement and the first product, world by world."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from lodestone.border.numbers import Distribution
from lodestone.worlds.randomness import quantile, uniforms

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout
    from lodestone.worlds.state import Draws

#: Slip of announced plants, months, at the default of ``project.slip_months`` (24): plants under
#: construction slip less than planned ones (A37).
SLIP = {
    "construction": Distribution("triangular", (("low", 0.0), ("mode", 6.0), ("high", 30.0))),
    "permitting": Distribution("triangular", (("low", 0.0), ("mode", 12.0), ("high", 48.0))),
    "planned": Distribution("triangular", (("low", 0.0), ("mode", 18.0), ("high", 60.0))),
}
#: Days of a month.
MONTH = 30.4375


class Projects:
    """Dates and fates of the plants that did not run in the base year.

    Interventions change them before the run, in three steps whose inner order does not matter:
    first scenarios set dates (``planning`` 0), then conditions shift them and change the odds
    (1), then what is scarce is queued for (2).

    Parameters
    ----------
    layout : Layout
    draws : dict
    seed : int
    worlds : ndarray of int, shape (w,)

    Attributes
    ----------
    announced : ndarray, shape (f, w)
        Day on which a plant is to come on line; ``-inf`` for those that run, ``inf`` for never.
    slip : ndarray, shape (f, w)
        Days by which it is late, drawn.
    luck, chance : ndarray, shape (f, w)
        It is built where luck (uniform) is below the chance.
    shift : ndarray, shape (f, w)
        Days that conditions add.
    failing : ndarray, shape (f, w)
        Multiple of the chance to fail.
    odds : ndarray, shape (f, w)
        Multiple of the odds to be built.
    """

    def __init__(self, layout: Layout, draws: Draws, seed: int, worlds: np.ndarray) -> None:
        shape = (len(layout.plants.rows), len(worlds))
        self.layout = layout
        self.announced = np.array(np.broadcast_to(layout.plants.online, shape))
        self.slip, self.luck = np.zeros(shape), np.zeros(shape)
        self.chance, self.shift = np.ones(shape), np.zeros(shape)
        self.failing, self.odds = np.ones(shape), np.ones(shape)
        self.drawn = self.announced
        chance = {
            "construction": draws["project.success_construction"],
            "planned": draws["project.success_planned"],
            "permitting": draws["project.success_permitting"],
        }
        for row, item in enumerate(layout.plants.rows):
            if layout.plants.base[row]:
                continue
            if item.status in chance:
                self.luck[row] = uniforms(seed, f"facility/{item.name}/alive", worlds)
                u = uniforms(seed, f"facility/{item.name}/slip", worlds)
                self.slip[row] = (
                    quantile(SLIP[item.status], u)
                    * MONTH
                    * (draws["project.slip_months"] / draws["project.slip_months.default"])
                )
                self.chance[row] = chance[item.status]
            elif item.status in ("idle", "closed"):
                self.chance[row] = 0.0
            self.chance[row] = np.where(draws["project.scale"] > 0, self.chance[row], 0.0)

    def copy(self, times: int = 1) -> Projects:
        """An independent copy, or several side by side."""
        new = copy.copy(self)
        arrays = {k: v for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        vars(new).update({k: np.tile(v, times) for k, v in arrays.items()})
        if self.drawn is self.announced:  # dates are not settled yet
            new.drawn = new.announced
        return new

    def fix(self, row: int, day: np.ndarray, where: np.ndarray) -> None:
        """A scenario sets the day of a plant, where it does: nothing of it is left to chance."""
        self.announced[row] = np.where(where, day, self.announced[row])
        self.slip[row] = np.where(where, 0.0, self.slip[row])
        self.chance[row] = np.where(where, 1.0, self.chance[row])

    def drop(self, row: int, where: np.ndarray) -> None:
        """A plant is never built, where so."""
        self.chance[row] = np.where(where, 0.0, self.chance[row])

    def settle_dates(self) -> None:
        """Freeze the days that conditions start from, shape (f, w)."""
        self.drawn = self.announced + self.slip + self.shift

    def open(self, rows: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Which of the plants are still to come on a day of each world, shape (n, w) bool."""
        return (self.drawn[rows] > start) & np.isfinite(self.drawn[rows]) & np.isfinite(start)

    def online(self) -> np.ndarray:
        """Day on which each plant comes on line in each world (``inf``: never), shape (f, w)."""
        chance = np.where(
            self.failing == 1.0, self.chance, 1.0 - (1.0 - self.chance) * self.failing
        )
        chance = np.where(self.chance > 0.0, chance, 0.0)
        odds = chance * self.odds
        chance = np.where(self.odds == 1.0, chance, odds / (1.0 - chance + odds))
        return np.where(self.luck < chance, self.announced + self.slip + self.shift, np.inf)
