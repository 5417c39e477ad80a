"""Price floors: the state tops up the price of eligible output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sim.interventions.base import (
    Intervention,
    Num,
    Path,
    Problem,
    Words,
    _leaves,
    intervention,
    number,
    share,
    text,
    words,
)
from sim.interventions.effects import Context, Effect, timing
from sim.interventions.effects import Path as DrawnPath
from sim.worlds.conditions import Conditions

if TYPE_CHECKING:
    from sim.chain.nouns import Chain

#: A floor outside these values, USD/kg, is taken for a slip of unit.
PLAUSIBLE_USD_PER_KG = (5.0, 1000.0)


def floor_payment(
    price: np.ndarray, floor: np.ndarray, tonnes: np.ndarray, upside_share: np.ndarray | float = 0.0
) -> np.ndarray:
    """What the state pays on eligible output, USD million.

    Parameters
    ----------
    price, floor : ndarray
        USD/kg, without VAT.
    tonnes : ndarray
        Eligible output, t.
    upside_share : float
        Share of the margin above the floor that the state receives back.

    Returns
    -------
    ndarray
        ``max(0, floor - price) x tonnes / 1000`` less the upside; positive is an outlay.
    """
    gap = floor - price
    return (np.maximum(gap, 0.0) - upside_share * np.maximum(-gap, 0.0)) * tonnes / 1000.0


@dataclass
class FloorEffect(Effect):
    """Pays the gap to a floor on eligible output, and supports the margin of those plants."""

    rows: np.ndarray  # (n,) facilities
    materials: np.ndarray  # (k,) materials
    floor: DrawnPath
    mechanism: str
    pass_through: np.ndarray  # (w,)
    upside: np.ndarray  # (w,)

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Put the programme in force."""
        active = self.share(t0, t1)
        if not np.any(active):
            return
        lay = day.layout
        shape = (len(lay.facilities), len(self.start))
        for m in self.materials:
            price = np.exp(day.state.log_home[m])
            gap = np.maximum(self.floor.at(t0) - price, 0.0) * active
            element = lay.chain.materials[lay.materials[m]].element
            for row in self.rows:
                f = lay.facilities[row]
                share = lay.chain.mixes.get(f.mix or "", {}).get(element or "", 0.0)
                rules.add("margin_support", np.array([row]), shape, gap * share)
        rules.floors.append((self, active))

    def outlay(self, day: Any, active: np.ndarray, t0: float) -> np.ndarray:
        """Public outlay of the market day, USD million, shape (w,)."""
        lay = day.layout
        total = np.zeros(len(self.start))
        for m in self.materials:
            tonnes = day.facility_output(self.rows, int(m))
            total += floor_payment(
                np.exp(day.state.log_home[m]), self.floor.at(t0), tonnes, self.upside
            )
        del lay
        return total * active * (1.0 - self.pass_through)


@intervention("price_floor")
class PriceFloor(Intervention):
    """Eligible output earns at least the floor: the state pays max(0, floor - price), or buys."""

    title: ClassVar[str] = "the state tops the price of eligible output up to a floor"
    live: ClassVar[bool] = True
    one_of: ClassVar = ((("facilities",), ("region",)),)

    floor_usd_per_kg: Path = number(
        ..., "the floor, excluding VAT", unit="USD/kg", source="definition", low=0.0
    )
    materials: Words = words(..., "products it covers", names="material")
    facilities: Words | None = words(None, "facilities whose output is eligible", names="facility")
    region: Words | None = words(None, "or: all of these regions", names="place")
    mechanism: Literal["cfd", "purchase"] = text(
        "cfd", "contract for difference (cfd), or purchase of the output at the floor"
    )
    pass_through: Num = share(
        0.0, "share of the top-up that buyers pay through prices", source="definition"
    )
    upside_share: Num = share(
        0.0, "share of the margin above the floor that the state receives", source="definition"
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a floor that can only be a slip of unit (110 USD per tonne is 0.11 USD/kg)."""
        low, high = PLAUSIBLE_USD_PER_KG
        found = []
        for key, value in _leaves("floor_usd_per_kg", self.floor_usd_per_kg):
            least, most = (value, value) if isinstance(value, float) else value.support()
            if least < low:
                found.append(
                    Problem(
                        key=key,
                        message=f"{least:g} USD/kg is implausibly low ({least * 1000:g} USD per tonne)",
                        hint=f"Floors are per kilogram, between {low:g} and {high:g}; did you mean "
                        f"{least * 1000:g} USD/kg?",
                    )
                )
            elif most > high:
                found.append(
                    Problem(
                        key=key,
                        message=f"{most:g} USD/kg is implausibly high",
                        hint=f"Floors are per kilogram, between {low:g} and {high:g}; did you mean "
                        f"{most / 1000:g} USD/kg (a price per tonne divided by 1,000)?",
                    )
                )
        return found

    def compile(self, name: str, ctx: Context) -> FloorEffect:
        """Resolve the plants whose output is eligible."""
        lay = ctx.layout
        if self.facilities:
            names = list(self.facilities)
        else:
            where = ctx.places(self.region)
            names = [f.name for f in lay.facilities if f.region in where]
        rows = np.array([lay.facility_at[n] for n in names if n in lay.facility_at], dtype=int)
        materials = [
            lay.material_at[m] for m in ctx.rows(self.materials) or [] if m in lay.material_at
        ]
        return FloorEffect(
            **timing(self, name, ctx),
            rows=rows,
            materials=np.array(materials, dtype=int),
            floor=ctx.path(self.floor_usd_per_kg, f"{name}/floor_usd_per_kg"),
            mechanism=self.mechanism,
            pass_through=ctx.number(self.pass_through, f"{name}/pass_through"),
            upside=ctx.number(self.upside_share, f"{name}/upside_share"),
        )
