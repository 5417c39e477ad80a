"""Price floors: the state tops up the price of eligible output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from lodestone.interventions.base import (
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
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.made import content

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

#: A floor outside these values, USD/kg, is taken for a slip of unit.
PLAUSIBLE_USD_PER_KG = (5.0, 1000.0)
#: A floor may also be this many times the price of the dearest good it covers.
PLAUSIBLE_TIMES_PRICE = 5.0


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


def _share_of(lay: Any, f: Any, material: int) -> float:
    """Tonnes of a product in a tonne of what a plant counts its cost on."""
    item = lay.chain.materials[lay.materials[material]]
    if item.form != "oxide":
        return 1.0 if f.stage == item.form else 0.0
    if f.stage not in ("mine", "separation", "recycling"):
        return 0.0
    return content(f, lay.chain, item.element or "")


@dataclass
class FloorStock:
    """Output bought at a floor and kept: a public stock that those who run short may draw on."""

    cells: np.ndarray  # (n,) cells whose output is bought
    rows: np.ndarray  # user lines on those cells
    user_share: np.ndarray  # (u, 1) share of each user line that may draw
    taken: np.ndarray  # (n, w) t bought on this market day

    def wish(self, day: Any) -> np.ndarray:
        """Tonnes to buy in the market: none, it buys at the plant gate only, shape (n, w)."""
        return np.zeros_like(self.taken)

    def release(self, day: Any, lack: np.ndarray) -> np.ndarray:
        """Tonnes it lets go: what those who run short lack, as far as it goes, shape (n, w)."""
        return np.minimum(np.maximum(day.state.public_stock[self.cells], 0.0), lack)


@dataclass
class FloorEffect(Effect):
    """Pays the gap to a floor on eligible output, and supports the margin of those plants.

    A contract for difference leaves the goods where they are. A purchase pays the floor for the
    output of the day while the market is below it, and either sells it again at once (which
    costs the same gap) or takes it off the market into the public stock. What buyers pay
    (``pass_through``) is a charge on the output of the plants' region, which its buyers bear.
    """

    rows: np.ndarray  # (n,) facilities
    materials: np.ndarray  # (k,) materials
    floor: DrawnPath
    pass_through: np.ndarray  # (w,)
    upside: np.ndarray  # (w,)
    store: FloorStock | None  # where bought output is kept, if it is

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Put the programme in force."""
        active = self.share(t0, t1)
        if self.store is not None and np.any(self.start <= t0):
            rules.stockpiles.append(self.store)  # it may be drawn on after the end as well
        if not np.any(active):
            return
        lay = day.layout
        shape = (len(lay.plants.rows), len(self.start))
        for m in self.materials:
            gap = self.gap(day, int(m), t0) * active
            for row in self.rows:
                f = lay.plants.rows[row]
                share = _share_of(lay, f, int(m))
                rules.add("margin_support", np.array([row]), shape, gap * share)
            self._support_mines(rules, shape, day, int(m), gap)
        rules.floors.append((self, active))

    def _support_mines(
        self, rules: Conditions, shape: tuple[int, int], day: Any, material: int, gap: np.ndarray
    ) -> None:
        """What separators of a region receive keeps the mines there that feed them.

        The payment of last market day is spread over the ore that the region's mines dug.
        """
        lay = day.layout
        if "dug" not in day.flows or not np.any(gap):
            return
        for region in sorted({int(lay.plants.region[row]) for row in self.rows}):
            here = self.rows[(lay.plants.region[self.rows] == region)]
            plants = np.array(
                [row for row in here if lay.plants.rows[row].stage == "separation"], dtype=int
            )
            mines = np.flatnonzero(lay.plants.region[lay.ore.mines] == region)
            if not len(plants) or not len(mines):
                continue
            tonnes = day.facility_output(plants, material)
            dug = np.maximum(day.flows["dug"][mines].sum(axis=0), 1e-9)
            rules.add(
                "margin_support", lay.ore.mines[mines], shape, gap * np.minimum(tonnes / dug, 1.0)
            )

    def gap(self, day: Any, material: int, t0: float) -> np.ndarray:
        """What the market lacks to the floor, USD/kg, shape (w,)."""
        return np.maximum(self.floor.at(t0) - np.exp(day.state.log_home[material]), 0.0)

    def outlay(self, day: Any, active: np.ndarray, t0: float) -> np.ndarray:
        """Public outlay of the market day, USD million, shape (w,)."""
        if self.store is not None:
            return self.floor.at(t0) * self.store.taken.sum(axis=0) / 1000.0
        total = np.zeros(len(self.start))
        for m in self.materials:
            tonnes = day.facility_output(self.rows, int(m)) * active
            price, floor = np.exp(day.state.log_home[m]), self.floor.at(t0)
            topped_up = floor_payment(price, floor, tonnes)
            upside = topped_up - floor_payment(price, floor, tonnes, self.upside)
            total += topped_up * (1.0 - self.pass_through) - upside
        return total

    def charge(self, day: Any, active: np.ndarray, t0: float) -> np.ndarray | None:
        """What buyers pay on the output of each cell, USD/kg, shape (c, w); None if nothing."""
        lay = day.layout
        if not np.any(self.pass_through):
            return None
        out = np.zeros((lay.cells.n, len(self.start)))
        made = day.flows["output"]
        for m in self.materials:
            gap = self.gap(day, int(m), t0) * active * self.pass_through
            for region in sorted({lay.plants.rows[row].region for row in self.rows}):
                cell = lay.cells.at.get((lay.materials[m], region))
                if cell is None:
                    continue
                rows = [row for row in self.rows if lay.plants.rows[row].region == region]
                tonnes = day.facility_output(np.array(rows), int(m))
                out[cell] += gap * np.minimum(tonnes / np.maximum(made[cell], 1e-12), 1.0)
        return out

    def take(self, day: Any, active: np.ndarray) -> None:
        """Move what is bought today from the makers' shelves to the public stock."""
        if self.store is None:
            return
        lay, st, store = day.layout, day.state, self.store
        store.taken = np.zeros((len(store.cells), len(self.start)))
        for n, cell in enumerate(store.cells):
            m = int(lay.cells.material[cell])
            here = self.rows[lay.plants.region[self.rows] == lay.cells.region[cell]]
            tonnes = day.facility_output(here, m) * active
            wanted = np.where(self.gap(day, m, day.now) > 0.0, tonnes, 0.0)
            store.taken[n] = np.minimum(wanted, st.seller_stock[cell])
        st.seller_stock[store.cells] -= store.taken
        st.public_stock[store.cells] += store.taken


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
        "cfd",
        "contract for difference (cfd), or purchase of the output at the floor while the market "
        "is below it",
    )
    disposal: Literal["resell", "stock"] = text(
        "resell",
        "with purchase: sold again at once at the market price, or kept in a public stock that "
        "users who run short may draw on",
    )
    pass_through: Num = share(
        0.0,
        "share of the top-up that buyers of the region's output pay, in prices down the chain",
        source="definition",
    )
    upside_share: Num = share(
        0.0,
        "with cfd: share of the margin above the floor that the state receives",
        source="definition",
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a floor that can only be a slip of unit (110 USD per tonne is 0.11 USD/kg)."""
        low, high = PLAUSIBLE_USD_PER_KG
        names = {
            m
            for word in self.materials
            if word in chain.material_words()
            for m in chain.materials_named(word)
        }
        prices = [p.usd_per_kg for (m, market), p in chain.prices.items() if m in names]
        high = max(high, PLAUSIBLE_TIMES_PRICE * max(prices, default=0.0))
        found = self._consistent()
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

    def _consistent(self) -> list[Problem]:
        """Refuse keys that belong to the other mechanism."""
        found = []
        if self.mechanism == "cfd" and self.disposal == "stock":
            found.append(
                Problem(
                    key="disposal",
                    message="a contract for difference buys no goods",
                    hint="Use mechanism: purchase to put output into a stock.",
                )
            )
        if self.mechanism == "purchase" and self.upside_share != 0.0:
            found.append(
                Problem(
                    key="upside_share",
                    message="a purchase at the floor leaves the upside to the seller",
                    hint="Use mechanism: cfd for a share of the margin above the floor.",
                )
            )
        if self.disposal == "stock" and self.pass_through != 0.0:
            found.append(
                Problem(
                    key="pass_through",
                    message="nobody buys what is kept in a stock",
                    hint="Leave pass_through at 0, or use disposal: resell.",
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
            names = [f.name for f in lay.plants.rows if f.region in where]
        rows = np.array([lay.plants.at[n] for n in names if n in lay.plants.at], dtype=int)
        materials = [
            lay.material_at[m] for m in ctx.rows(self.materials) or [] if m in lay.material_at
        ]
        places = {lay.plants.rows[row].region for row in rows}
        store = None
        if self.mechanism == "purchase" and self.disposal == "stock":
            wanted = [
                i
                for i, (m, r) in enumerate(lay.cells.keys)
                if lay.material_at[m] in materials and r in places
            ]
            cells = np.array(wanted, dtype=int)
            store = FloorStock(
                cells=cells,
                rows=np.flatnonzero(np.isin(lay.users.cell, cells)),
                user_share=np.ones((lay.users.n, 1)),
                taken=np.zeros((len(cells), ctx.count)),
            )
        return FloorEffect(
            **timing(self, name, ctx),
            rows=rows,
            materials=np.array(materials, dtype=int),
            floor=ctx.path(self.floor_usd_per_kg, f"{name}/floor_usd_per_kg"),
            store=store,
            pass_through=ctx.number(self.pass_through, f"{name}/pass_through"),
            upside=ctx.number(self.upside_share, f"{name}/upside_share"),
        )
