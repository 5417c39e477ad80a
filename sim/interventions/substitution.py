"""Substitution by design: magnets without heavy elements, products without rare earths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Num,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.worlds.conditions import Conditions

YEAR = 365.25


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
    t = np.maximum(age, 0.0) / (half_years * YEAR)
    return ceiling * (1.0 - np.exp2(-(t**2)))


@dataclass
class SubstitutionEffect(Effect):
    """Raises the share of a use that has moved, along the curve of its age."""

    users: np.ndarray  # (n,) user lines
    weight: np.ndarray  # (n, 1)
    ceiling: np.ndarray  # (n, w)
    half_years: np.ndarray  # (w,)
    saving: np.ndarray  # (w,)
    field: str

    @property
    def reason(self) -> str:
        """Where nobody uses what is replaced, nothing moves."""
        return "" if len(self.users) else "nobody there uses what it replaces"

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """State the share that has moved by the end of the market day."""
        if not len(self.users):
            return
        begun = np.isfinite(self.start)
        age = np.where(begun, np.minimum(t1, self.end) - np.where(begun, self.start, 0.0), 0.0)
        moved = adoption(age, self.half_years, self.ceiling) * self.saving * self.weight
        if np.any(moved):
            shape = (day.layout.users.n, len(age))
            rules.most(self.field, self.users, shape, moved)


@intervention("substitution")
class Substitution(Intervention):
    """A design without heavy elements, or without rare earths, spreads whatever prices do.

    It comes on top of no price response: a user line moves as far as the further of the two has
    brought it. What has moved by the end stays.
    """

    title: ClassVar[str] = "designs without heavy elements, or without rare earths, spread by plan"

    design: Literal["heavy_free", "rare_earth_free"] = text(
        ..., "magnets without dysprosium and terbium, or products without rare-earth magnets"
    )
    sectors: Words = words(("all",), "sectors concerned", names="sector")
    regions: Words = words(("all",), "regions concerned", names="place")
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

    def compile(self, name: str, ctx: Context) -> SubstitutionEffect:
        """Find the user lines that can move."""
        lay, where = ctx.layout, ctx.places(self.regions)
        heavy = self.design == "heavy_free"
        rows = lay.user_rows(set(where), set(naming.sectors(ctx.chain, self.sectors)))
        rows = np.flatnonzero(rows & (lay.users.heavy if heavy else lay.users.magnet))
        table = lay.users.heavy_ceiling if heavy else lay.users.free_ceiling
        shape = (len(rows), ctx.count)
        ceiling = np.broadcast_to(
            table[rows] if self.ceiling is None else ctx.number(self.ceiling, f"{name}/ceiling"),
            shape,
        )
        weight = np.array([where[lay.regions[lay.users.region[u]]] for u in rows])
        return SubstitutionEffect(
            **timing(self, name, ctx),
            users=rows,
            weight=weight.reshape(-1, 1),
            ceiling=np.array(ceiling),
            half_years=ctx.number(self.years_to_half, f"{name}/years_to_half"),
            saving=ctx.number(self.saving, f"{name}/saving"),
            field="heavy_free" if heavy else "ree_free",
        )
