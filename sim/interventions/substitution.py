"""Substitution by design: magnets without heavy elements, products without rare earths."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Words, number, places, share, text, words
from lodestone.interventions.targets import Targets, users_of
from lodestone.worlds.conditions import Rules
from lodestone.worlds.view import MarketView


def adoption(age: np.ndarray, half_years: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Share of a use that has moved to a new design, an S-curve.

    Parameters
    ----------
    age : ndarray, shape (w,)
        Days since the design is on offer.
    half_years : ndarray, shape (w,)
        Years until half of the ceiling has moved.
    ceiling : ndarray, shape (w,) or (u, w)
        Share that can move at all.

    Returns
    -------
    ndarray
        ``ceiling x (1 - 2^-(age / half)^2)``: nothing at first, fastest in the middle, never
        above the ceiling, never falling. Half is reached at ``half_years`` exactly.
    """
    t = np.maximum(age, 0.0) / (half_years * DAYS_PER_YEAR)
    return ceiling * (1.0 - np.exp2(-(t**2)))


class SubstitutionEffect(Effect):
    """Raises the share of a use that has moved, along the curve of its age."""

    item: Substitution
    empty = "nobody there uses what it replaces"

    def set_up(self, ctx: Context) -> None:
        """Find the user lines that can move."""
        lay, heavy = ctx.layout, self.item.design == "heavy_free"
        lines = ctx.users(self.item.regions, self.item.sectors)
        self.users = replace(
            lines, rows=lines.rows & (lay.users.heavy if heavy else lay.users.magnet)
        )
        self.on = Targets(users=self.users)
        table = (lay.users.heavy_ceiling if heavy else lay.users.free_ceiling)[self.users.rows]
        shape = (len(table), ctx.count)
        self.ceiling = np.array(
            np.broadcast_to(self.n.ceiling if "ceiling" in self.n else table, shape)
        )

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """State the share that has moved by the end of the market day."""
        if not self.users.rows.any():
            return
        begun = np.isfinite(self.start)
        age = np.where(begun, np.minimum(t1, self.end) - np.where(begun, self.start, 0.0), 0.0)
        moved = adoption(age, self.n.years_to_half, self.ceiling) * self.n.saving
        rule = rules.heavy_free if self.item.design == "heavy_free" else rules.ree_free
        rule.raise_to(self.users, moved)


@intervention("substitution")
class Substitution(Intervention):
    """A design without heavy elements, or without rare earths, spreads whatever prices do.

    It comes on top of no price response: a user line moves as far as the further of the two has
    brought it. What has moved by the end stays.
    """

    where = users_of("regions", "sectors")
    effect: ClassVar[type[Effect]] = SubstitutionEffect
    neutral: ClassVar[dict[str, float]] = {"ceiling": 0.0, "saving": 0.0}
    title: ClassVar[str] = "designs without heavy elements, or without rare earths, spread by plan"

    design: Literal["heavy_free", "rare_earth_free"] = text(
        ..., "magnets without dysprosium and terbium, or products without rare-earth magnets"
    )
    sectors: Words = words(("all",), "sectors concerned", names="sector")
    regions: Words = places(("all",), "regions concerned")
    ceiling: Num | None = number(
        None,
        "share of the use that can move (null: as the sector's table says; likely 0.3 to 0.6 "
        "for electric cars)",
        unit="share",
        source="A22",
        low=0.0,
        high=1.0,
        hint="A share lies between 0 and 1, not in percent.",
    )
    years_to_half: Num = number(
        4.0,
        "years from the start until half of the ceiling has moved",
        unit="year",
        source="A98",
        low=0.1,
        high=100.0,
    )
    saving: Num = share(
        1.0,
        "share of the heavy elements, or of the magnets, that the design saves (heavy-free: "
        "0.5 to 1)",
        source="o15",
    )
