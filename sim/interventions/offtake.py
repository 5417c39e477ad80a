"""Offtake and ownership: whose order a facility serves first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.border.errors import InputError
from lodestone.chain import naming
from lodestone.chain.nouns import Facility
from lodestone.interventions.base import (
    Intervention,
    Num,
    Path,
    Problem,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.interventions.supply_pivot import Turn
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.made import makes, share_of_cell

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

#: Highest weight of an order; all but a hair of what there is goes to it first.
FIRST = 1e4


def call_weight(share: np.ndarray, called: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Weight that gives called orders a share of scarce goods, and never less than pro rata.

    Parameters
    ----------
    share : ndarray
        Share of the goods that is called, 0..1.
    called, rest : ndarray
        Orders (times their usual weights) of those who call and of all others, t.

    Returns
    -------
    ndarray
        From 1 to ``FIRST``: with it called orders are ``share`` of all weighted orders. Conserves
        nothing (a weight).
    """
    weight = share * rest / np.maximum(called * (1.0 - share), 1e-12)
    weight = np.where(share >= 1.0 - 1e-9, FIRST, weight)
    return np.clip(np.where(called > 0.0, weight, 1.0), 1.0, FIRST)


def goods_of(facility: Facility, chain: Chain) -> list[str]:
    """Goods that a facility sells (none for a mine: ore goes by its own ways)."""
    return [] if facility.stage == "mine" else makes(facility, chain)


def cells_of(ctx: Context, facility: Facility) -> np.ndarray:
    """Cells in which a facility sells, (n,) int."""
    at = ctx.layout.cells.at
    goods = goods_of(facility, ctx.chain)
    return np.array([at[(m, facility.region)] for m in goods if (m, facility.region) in at], int)


def part_of_cell(day: Any, row: int, cells: np.ndarray) -> np.ndarray:
    """Share of what is made in each cell that one facility makes now, shape (n, w)."""
    out = np.zeros((len(cells), day.state.worlds))
    for n, c in enumerate(cells):
        out[n] = share_of_cell(day, row, int(c))
    return out


@dataclass
class OfftakeEffect(Effect):
    """Turns orders to a facility, and serves them first.

    Attributes
    ----------
    row : int
        The facility.
    cells : ndarray of int, shape (n,)
        Where it sells.
    links : ndarray of bool, shape (l,)
        From those cells to the buyers.
    origin, target : ndarray of bool, shape (k,)
        Ore links of a mine's pool, and those to the buyers' separators.
    pool : int
        Ore pool of a mine (-1: not a mine).
    """

    row: int
    cells: np.ndarray
    links: np.ndarray
    origin: np.ndarray
    target: np.ndarray
    pool: int
    part: DrawnPath
    first_call: bool
    price: np.ndarray | None  # (w,) USD/kg
    material: int
    contract: bool = True  # whether buyers move orders there, or are only served first
    called: np.ndarray | None = None  # (n, w) share of each cell's goods that is called

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Put contract, first call and price in force."""
        active = self.share(t0, t1)
        if not np.any(active):
            return
        share = self.part.at(t0)
        if self.price is not None:
            self._support(rules, share * active, day)
        if self.pool >= 0:
            self._ore(rules, share, active, day)
            return
        self.called = part_of_cell(day, self.row, self.cells) * share * active
        if not np.any(self.called):
            return
        if self.contract:
            rules.contracts.append(self)
        if self.first_call:
            self._first(rules, day)

    def _first(self, rules: Conditions, day: Any) -> None:
        """Weights with which the buyers' orders get what they may call."""
        lay, st = day.layout, day.state
        assert self.called is not None
        expected = (st.orders + st.link_weight * day.weeks) * day.home_first
        for n, c in enumerate(self.cells):
            here = lay.links.origin == c
            mine = here & self.links
            weight = call_weight(
                self.called[n],
                expected[mine].sum(axis=0),
                expected[here & ~self.links].sum(axis=0),
            )
            rules.favour(mine, st.orders.shape, weight)

    def _ore(self, rules: Conditions, share: np.ndarray, active: np.ndarray, day: Any) -> None:
        """Ore of the mine goes to the buyers' separators, at least as much as is called."""
        lay = day.layout
        if "dug" not in day.flows:
            return
        at = lay.ore.by_pool.group[np.flatnonzero(lay.ore.mines == self.row)[0]]
        mine = day.flows["dug"][lay.ore.mines == self.row].sum(axis=0)
        whole = lay.ore.by_pool.sum(day.flows["dug"])[at]
        wanted = np.zeros((len(lay.ore.pools), len(self.start)))
        wanted[self.pool] = share * mine / np.maximum(whole, 1e-12)
        rules.pivots.append(Turn(self.origin, self.target, wanted, active, at_least=True))

    def _support(self, rules: Conditions, share: np.ndarray, day: Any) -> None:
        """The agreed price lifts the margin of a mine while the market pays less."""
        lay = day.layout
        f = lay.plants.rows[self.row]
        element = lay.chain.materials[lay.materials[self.material]].element or ""
        gap = np.maximum(np.asarray(self.price) - np.exp(day.state.log_home[self.material]), 0.0)
        part = lay.chain.mixes.get(f.mix or "", {}).get(element, 0.0)
        shape = (len(lay.plants.rows), len(self.start))
        rules.add("margin_support", np.array([self.row]), shape, gap * part * share)

    def pull(self, goal: np.ndarray, offer: np.ndarray, day: Any) -> np.ndarray:
        """Turn the orders that buyers would send to a seller: at least what is called.

        Parameters
        ----------
        goal : ndarray, shape (l, w)
            What each link is worth to its buyers, t a week.
        offer : ndarray, shape (c, w)
            What each origin can be expected to sell, t a week.
        day : MarketDay

        Returns
        -------
        ndarray, shape (l, w)
            The same sum by origin.
        """
        lay = day.layout
        assert self.called is not None
        goal = goal.copy()
        need = lay.cells.need[lay.links.destination]
        for n, c in enumerate(self.cells):
            here = lay.links.origin == c
            mine, rest = here & self.links, here & ~self.links
            now, left = goal[mine].sum(axis=0), goal[rest].sum(axis=0)
            wanted = np.maximum(np.minimum(self.called[n] * offer[c], now + left), now)
            by_need = need[mine] / np.maximum(need[mine].sum(axis=0), 1e-12)
            spread = np.where(now > 1e-12, goal[mine] / np.maximum(now, 1e-12), by_need)
            goal[mine] = spread * wanted
            goal[rest] *= np.maximum(now + left - wanted, 0.0) / np.maximum(left, 1e-12)
        return goal


def compile_call(
    item: Any,
    name: str,
    ctx: Context,
    buyers: tuple[str, ...],
    key: str,
    part: DrawnPath,
    first_call: bool,
) -> OfftakeEffect:
    """Resolve a facility and its buyers to rows."""
    lay = ctx.layout
    row = lay.plants.at.get(item.facility, -1)
    if row < 0:
        raise InputError(
            f"{item.facility} makes nothing in this chain",
            key=f"interventions.{name}.facility",
            hint="It has no capacity, or its output stands in another row.",
        )
    facility = lay.plants.rows[row]
    where = ctx.places(buyers)
    cells = cells_of(ctx, facility)
    inside = np.array([lay.regions[r] in where for r in lay.links.region_to])
    links = inside & np.isin(lay.links.origin, cells)
    pool = -1
    origin = np.zeros(len(lay.ore.keys), dtype=bool)
    target = origin.copy()
    if facility.stage == "mine":
        pool = lay.ore.pools.index((facility.material, facility.region))
        origin = lay.ore.pool == pool
        target = origin & np.array([lay.regions[r] in where for r in lay.ore.region_to])
    if not (links.any() or target.any()):
        raise InputError(
            f"{facility.name} has no way to sell to {', '.join(buyers)}",
            key=f"interventions.{name}.{key}",
            hint="No trade link leads there in this chain: the buyer has no need, or no plant.",
        )
    price = getattr(item, "price_usd_per_kg", None)
    material = -1
    if price is not None:
        (first, *_) = ctx.rows(item.price_material) or [""]
        material = lay.material_at[first]
    return OfftakeEffect(
        **timing(item, name, ctx),
        row=row,
        cells=cells,
        links=links,
        origin=origin,
        target=target,
        pool=pool,
        part=part,
        first_call=first_call,
        price=None if price is None else ctx.number(price, f"{name}/price_usd_per_kg"),
        material=material,
    )


@intervention("offtake")
class Offtake(Intervention):
    """A buyer takes a share of a facility's output, and may have the first call on it.

    The share is a lower bound: buyers order at least that much there, as fast as they requalify,
    and with ``first_call`` their orders are served up to it before all others when goods are
    scarce. Ore of a mine goes to the buyer's separators.
    """

    title: ClassVar[str] = (
        "a buyer takes a share of a facility's output, and may have the first call"
    )
    live: ClassVar[bool] = True

    facility: str = words(..., "whose output it is", names="facility")
    buyer: Words = words(..., "who takes it", names="place")
    share: Path = share(
        ..., "share of the output that the buyer takes (up to 0.65 of Lynas's heavies)",
        source="o31",
    )  # fmt: skip
    first_call: bool = text(True, "whether the buyer is served before all others")
    price_usd_per_kg: Num | None = number(
        None,
        "agreed price; it lifts the margin of a mine while the market pays less (null: market)",
        unit="USD/kg",
        source="definition",
        low=0.0,
        high=5000.0,
    )
    price_material: Words = words(
        ("ndpr_oxide",), "oxide that the agreed price is for", names="material"
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a price where nothing listens to it."""
        stage = chain.facilities[self.facility].stage
        if self.price_usd_per_kg is not None and stage != "mine":
            return [
                Problem(
                    key="price_usd_per_kg",
                    message=f"{self.facility} is no mine: its output does not follow a margin",
                    hint="Leave the price out, or give it to the mine that feeds it.",
                )
            ]
        wrong = [
            m
            for word in self.price_material
            for m in chain.materials_named(word)
            if chain.materials[m].form != "oxide"
        ]
        if wrong:
            return [Problem(key="price_material", message=f"{wrong[0]} is no oxide")]
        return []

    def opens(self, chain: Chain) -> list[tuple[str, str, str]]:
        """A contract opens the way from the facility to its buyer where there is none yet."""
        facility = chain.facilities[self.facility]
        return [
            (m, facility.region, place)
            for m in goods_of(facility, chain)
            for place in naming.places(chain, self.buyer).use
            if place != facility.region
        ]

    def compile(self, name: str, ctx: Context) -> OfftakeEffect:
        """Resolve the facility and its buyer."""
        return compile_call(
            self, name, ctx, self.buyer, "buyer", ctx.path(self.share, f"{name}/share"),
            self.first_call,
        )  # fmt: skip


@intervention("ownership")
class Ownership(Intervention):
    """A facility changes hands: orders of its owner's bloc are served first.

    Capacity does not change. Buyers at home come after the owner's when goods are scarce.
    """

    title: ClassVar[str] = "a facility changes hands, and its owner's orders are served first"
    live: ClassVar[bool] = True

    facility: str = words(..., "what is bought", names="facility")
    bloc: Words = words(..., "whose orders go first", names="place")
    priority_share: Path = share(
        1.0, "share of the output on which the owner's bloc has the first call", source="A79"
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a bloc that nobody is in."""
        if naming.places(chain, self.bloc).use:
            return []
        return [Problem(key="bloc", message="has no member", hint="See 'lodestone list blocs'.")]

    def compile(self, name: str, ctx: Context) -> OfftakeEffect:
        """Resolve the facility and its owner's bloc; orders move only as they are served."""
        part = ctx.path(self.priority_share, f"{name}/priority_share")
        effect = compile_call(self, name, ctx, self.bloc, "bloc", part, True)
        effect.contract = False
        return effect
