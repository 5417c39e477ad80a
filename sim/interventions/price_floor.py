"""Price floors: the state tops up the price of eligible output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from lodestone.border.numbers import Distribution, Number, plain, read_at
from lodestone.border.units import DAYS_PER_YEAR
from lodestone.border.words import suggestion
from lodestone.chain import naming
from lodestone.chain.nouns import Chain, Facility
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import (
    Num,
    Path,
    Words,
    goods,
    number,
    places,
    plants,
    share,
    text,
    words,
)
from lodestone.worlds.conditions import Rules
from lodestone.worlds.layout import Layout
from lodestone.worlds.made import content, makes
from lodestone.worlds.view import MarketView

#: A floor further than this from the prices of the goods it covers, times or as a part, is taken for
#: a slip of unit.
PLAUSIBLE_TIMES = 100.0


def _read_by_element(value: object) -> dict[str, Number]:
    """Read a mapping from elements to floors."""
    if not isinstance(value, Mapping) or "dist" in value or not value:
        raise ValueError("must be a mapping from elements to USD/kg, for example {ndpr: 110}")
    return {str(key): read_at(key, item) for key, item in value.items()}


#: ``{element: number}``.
ByElement = Annotated[
    dict[str, float | Distribution],
    PlainValidator(_read_by_element),
    PlainSerializer(plain),
    WithJsonSchema({"type": "object"}, mode="validation"),
]


def escalated(floor: np.ndarray, yearly: np.ndarray, days: np.ndarray) -> np.ndarray:
    """A floor that rises by a share on every anniversary of its start.

    Parameters
    ----------
    floor : ndarray, shape (w,)
        USD/kg at the start.
    yearly : ndarray, shape (w,)
        Rise a year, share.
    days : ndarray, shape (w,)
        Days since the start; before it nothing has risen.
    """
    years = np.floor(np.maximum(days, 0.0) / DAYS_PER_YEAR)
    return np.asarray(floor * (1.0 + yearly) ** years)


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


def _share_of(lay: Layout, f: Facility, material: int) -> float:
    """Tonnes of a product in a tonne of what a plant counts its cost on."""
    item = lay.chain.materials[lay.materials[material]]
    if item.form == "metal" and f.stage == "metal":
        return 1.0 if lay.materials[material] in lay.names.metals_of(f) else 0.0
    return _tonnes_of(lay.chain, f, item.name)


def _tonnes_of(chain: Chain, f: Facility, material: str) -> float:
    item = chain.materials[material]
    if item.form == "oxide":
        splits = f.stage in ("mine", "separation", "recycling")
        return content(f, chain, item.element or "") if splits else 0.0
    return 1.0 if f.stage == item.form and material in makes(f, chain) else 0.0


def _makes(chain: Chain, f: Facility, goods: list[str]) -> bool:
    """Whether a plant makes any of some goods; metal plants make small amounts of all metals."""
    metals = any(chain.materials[m].form == "metal" for m in goods)
    return (f.stage == "metal" and metals) or any(_tonnes_of(chain, f, m) > 0.0 for m in goods)


class FloorStock:
    """Output bought at a floor and kept: a public stock that those who run short may draw on."""

    def __init__(self, cells: np.ndarray, lay: Layout, worlds: int) -> None:
        self.cells = cells  # (n,) cells whose output is bought
        self.rows = np.flatnonzero(np.isin(lay.users.cell, cells))  # user lines on those cells
        self.user_share = np.ones((lay.users.n, 1))
        self.plant_share = np.ones((len(cells), 1))
        self.taken = np.zeros((len(cells), worlds))  # t bought on this market day

    def wish(self, m: MarketView) -> np.ndarray:
        """Tonnes to buy in the market: none, it buys at the plant gate only, shape (n, w)."""
        return np.zeros_like(self.taken)

    def release(self, m: MarketView, lack: np.ndarray) -> np.ndarray:
        """Tonnes it lets go: what those who run short lack, as far as it goes, shape (n, w)."""
        return np.minimum(np.maximum(m.state.public_stock[self.cells], 0.0), lack)


class FloorEffect(Effect):
    """Pays the gap to a floor on eligible output, and supports the margin of those plants.

    A contract for difference leaves the goods where they are. A purchase pays the floor for the
    output of the day while the market is below it, and either sells it again at once (which
    costs the same gap) or takes it off the market into the public stock. What buyers pay
    (``pass_through``) is a charge on the output of the plants' region, which its buyers bear.
    """

    item: PriceFloor
    empty = "no plant there makes any of it"

    def set_up(self, ctx: Context) -> None:
        """Resolve the plants whose output is eligible."""
        lay, item = ctx.layout, self.item
        found = ctx.facilities(item.facilities, None if item.facilities else item.region)
        self.materials = ctx.material_rows(item.goods)
        #: Floors by row of the material, where they differ by element, (w,) each.
        self.own = {
            int(ctx.material_rows((f"{element}_oxide",))[0]): ctx.number(
                given, f"{self.name}/by_element.{element}"
            )
            for element, given in (item.by_element or {}).items()
        }
        self.rows = np.array(
            [
                i
                for i in found
                if any(_share_of(lay, lay.plants.rows[i], int(m)) for m in self.materials)
            ],
            dtype=int,
        )
        self.regions = sorted({lay.plants.rows[row].region for row in self.rows})
        payers = [item.payer] if item.payer else self.regions
        self.payers = [lay.region_at[region] for region in payers]
        self.store: FloorStock | None = None  # where bought output is kept, if it is
        if item.mechanism == "purchase" and item.disposal == "stock":
            wanted = [
                i
                for i, (m, r) in enumerate(lay.cells.keys)
                if lay.material_at[m] in self.materials and r in self.regions
            ]
            self.store = FloorStock(np.array(wanted, dtype=int), lay, ctx.count)

    def why(self) -> str:
        """Without eligible output there is nothing to pay for."""
        return "" if len(self.rows) else self.empty

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Put the programme in force."""
        active = self.share(t0, t1)
        if self.store is not None and np.any(self.start <= t0):
            rules.stockpiles.append(self.store)  # it may be drawn on after the end as well
        if not np.any(active):
            return
        lay = m.layout
        for k in map(int, self.materials):
            gap = self.gap(m, k, t0) * active
            for row in self.rows:
                share = _share_of(lay, lay.plants.rows[row], k)
                rules.margin_support.add(np.array([row]), gap * share)
            self._support_mines(rules, m, k, gap)
        rules.floors.append((self, active))

    def _support_mines(self, rules: Rules, m: MarketView, material: int, gap: np.ndarray) -> None:
        """What separators of a region receive keeps the mines there that feed them.

        The payment of last market day is spread over the ore that the region's mines dug.
        """
        lay = m.layout
        if "dug" not in m.flows or not np.any(gap):
            return
        for region in sorted({int(lay.plants.region[row]) for row in self.rows}):
            here = self.rows[(lay.plants.region[self.rows] == region)]
            plants = np.array(
                [row for row in here if lay.plants.rows[row].stage == "separation"], dtype=int
            )
            mines = np.flatnonzero(lay.plants.region[lay.ore.mines] == region)
            if not len(plants) or not len(mines):
                continue
            tonnes = m.facility_output(plants, material)
            dug = np.maximum(m.flows["dug"][mines].sum(axis=0), 1e-9)
            rules.margin_support.add(lay.ore.mines[mines], gap * np.minimum(tonnes / dug, 1.0))

    def floor(self, material: int, t0: float) -> np.ndarray:
        """The floor under a material on a day, USD/kg, shape (w,)."""
        base = self.own[material] if self.own else self.n.now("floor_usd_per_kg", t0)
        if not np.any(self.n.escalator):
            return base
        return escalated(base, self.n.escalator, t0 - self.start)

    @property
    def excess(self) -> np.ndarray:
        """Share of what the market pays above the floor that the state receives, shape (w,)."""
        return self.n.excess_share if "excess_share" in self.n else self.n.upside_share

    def gap(self, m: MarketView, material: int, t0: float) -> np.ndarray:
        """What the market lacks to the floor, USD/kg, shape (w,)."""
        return np.maximum(self.floor(material, t0) - np.exp(m.state.log_home[material]), 0.0)

    def outlay(self, m: MarketView, active: np.ndarray, t0: float) -> np.ndarray:
        """Public outlay of the market day, USD million, shape (w,)."""
        total = np.zeros(self.worlds)
        if self.store is not None:
            for cell, taken in zip(self.store.cells, self.store.taken, strict=True):
                total += self.floor(int(m.layout.cells.material[cell]), t0) * taken / 1000.0
            return total
        for k in map(int, self.materials):
            tonnes = m.facility_output(self.rows, k) * active
            price, floor = np.exp(m.state.log_home[k]), self.floor(k, t0)
            topped_up = floor_payment(price, floor, tonnes)
            upside = topped_up - floor_payment(price, floor, tonnes, self.excess)
            total += topped_up * (1.0 - self.n.pass_through) - upside
        return total

    def charge(self, m: MarketView, active: np.ndarray, t0: float) -> np.ndarray | None:
        """What buyers pay on the output of each cell, USD/kg, shape (c, w); None if nothing."""
        lay = m.layout
        if not np.any(self.n.pass_through):
            return None
        out = np.zeros((lay.cells.n, self.worlds))
        made = m.flows["output"]
        for k in map(int, self.materials):
            gap = self.gap(m, k, t0) * active * self.n.pass_through
            for region in self.regions:
                cell = lay.cells.at.get((lay.materials[k], region))
                if cell is None:
                    continue
                rows = [row for row in self.rows if lay.plants.rows[row].region == region]
                tonnes = m.facility_output(np.array(rows), k)
                out[cell] += gap * np.minimum(tonnes / np.maximum(made[cell], 1e-12), 1.0)
        return out

    def purchase(self, m: MarketView, active: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Cells it buys in, and what it would buy there today, t, shape (n, w)."""
        if self.store is None:
            return None
        lay, store = m.layout, self.store
        wanted = np.zeros_like(store.taken)
        for n, cell in enumerate(store.cells):
            k = int(lay.cells.material[cell])
            here = self.rows[lay.plants.region[self.rows] == lay.cells.region[cell]]
            tonnes = m.facility_output(here, k) * active
            wanted[n] = np.where(self.gap(m, k, m.now) > 0.0, tonnes, 0.0)
        return store.cells, wanted

    def bought(self, tonnes: np.ndarray) -> None:
        """Note what was there to be bought, t, shape (n, w)."""
        assert self.store is not None
        self.store.taken = tonnes


@intervention("price_floor")
class PriceFloor(Intervention):
    """Eligible output earns at least the floor: the state pays max(0, floor - price), or buys."""

    title: ClassVar[str] = "the state tops the price of eligible output up to a floor"
    live: ClassVar[bool] = True
    effect: ClassVar[type[Effect]] = FloorEffect
    one_of: ClassVar = (
        (("facilities",), ("region",)),
        (("floor_usd_per_kg", "materials"), ("by_element",)),
    )

    floor_usd_per_kg: Path | None = number(
        None,
        "the floor, excluding VAT",
        unit="USD/kg",
        source="definition",
        low=0.0,
    )
    materials: Words | None = goods(None, "products it covers")
    by_element: ByElement | None = number(
        None,
        "or: floors of the oxides by element, {ndpr: 110, dy: 575}",
        unit="USD/kg",
        source="definition",
        low=0.0,
    )
    escalator: Num = share(
        0.0,
        "rise of the floor on every anniversary of its start, in money of constant worth",
        source="definition",
    )
    facilities: Words | None = plants(None, "facilities whose output is eligible")
    region: Words | None = places(None, "or: all of these regions")
    mechanism: Literal["cfd", "purchase"] = text(
        "cfd",
        "contract for difference (cfd), or purchase of the output at the floor while the market "
        "is below it",
    )
    disposal: Literal["resell", "stock"] = text(
        "resell",
        "what is bought is sold again at once at the market price, or kept in a public stock that "
        "users who run short may draw on",
        when={"mechanism": ("purchase",)},
    )
    pass_through: Num = share(
        0.0,
        "share of the top-up that buyers of the region's output pay, in prices down the chain",
        source="definition",
        when={"disposal": ("resell",)},
    )
    excess_share: Num | None = share(
        None,
        "share of what the market pays above the floor that the state receives",
        source="definition",
        when={"mechanism": ("cfd",)},
    )
    upside_share: Num = share(
        0.0, "older word for excess_share", source="definition", when={"mechanism": ("cfd",)}
    )
    payer: str | None = words(
        None, "region whose treasury pays and receives (null: where the plants are)", names="region"
    )

    @property
    def goods(self) -> tuple[str, ...]:
        """The products it covers, named one by one or by their elements."""
        if self.by_element:
            return tuple(f"{element}_oxide" for element in self.by_element)
        return self.materials or ()

    def targets(self) -> str:
        """Plants or places, and the goods."""
        told = super().targets()
        return f"{told}; by element {', '.join(self.by_element)}" if self.by_element else told

    def usual(self, key: str, chain: Chain) -> tuple[float, float] | None:
        """A floor lies within a hundredth and a hundred times the prices of what it covers."""
        head, _, element = key.partition(".")
        if head not in ("floor_usd_per_kg", "by_element"):
            return super().usual(key, chain)
        words = (f"{element}_oxide",) if head == "by_element" else self.goods
        names = naming.materials(chain, [w for w in words if w in chain.material_words()])
        prices = [p.usd_per_kg for (m, _), p in chain.prices.items() if m in names]
        if not prices:
            return None
        return min(prices) / PLAUSIBLE_TIMES, max(prices) * PLAUSIBLE_TIMES

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse keys of the other mechanism, and plants that make nothing of it."""
        known = [e for e in chain.elements if f"{e}_oxide" in chain.materials]
        strange = [e for e in self.by_element or () if e not in known]
        if strange:
            return [
                Problem(
                    key=f"by_element.{element}",
                    message=f"unknown element '{element}', or one without an oxide of its own",
                    hint=suggestion(element, known),
                )
                for element in strange
            ]
        return self._consistent() + self._eligible(chain)

    def _eligible(self, chain: Chain) -> list[Problem]:
        """Refuse what a floor cannot pay for: ore as such, and plants that make none of it."""
        goods = naming.materials(chain, self.goods)
        ore = [m for m in goods if chain.materials[m].form == "concentrate"]
        if ore and set(ore) == set(goods):
            return [
                Problem(
                    key="materials",
                    message=f"{ore[0]} has no price of its own",
                    hint="Ore is paid by the oxides it holds: name those.",
                )
            ]
        listed = naming.plants(chain, self.facilities, None if self.facilities else self.region)
        plants = [chain.facilities[name] for name in listed]
        eligible = [f.name for f in plants if f.modelled and _makes(chain, f, goods)]
        told = ", ".join(self.goods)
        if self.facilities:
            return [
                Problem(
                    key="facilities",
                    message=f"{f.name} makes none of {told}",
                    hint="Name what it makes, or a plant that makes it.",
                )
                for f in plants
                if f.name not in eligible
            ]
        if not eligible:
            return [
                Problem(
                    key="region",
                    message=f"no plant in {', '.join(self.region or ())} makes any of {told}",
                    hint="See 'lodestone list facilities'.",
                )
            ]
        return []

    def _consistent(self) -> list[Problem]:
        """Refuse two words for one thing."""
        if self.excess_share is None or self.upside_share == 0.0:
            return []
        return [
            Problem(
                key="upside_share",
                message="is the older word for excess_share, which is given too",
                hint="Keep excess_share.",
            )
        ]
