"""Offtake and ownership: whose order a facility serves first."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.border.errors import InputError
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
)
from lodestone.interventions.supply_pivot import Turn
from lodestone.worlds.conditions import Rules
from lodestone.worlds.made import content, makes, share_of_cell
from lodestone.worlds.parts import used_there
from lodestone.worlds.view import MarketView

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


def part_of_cell(m: MarketView, row: int, cells: np.ndarray) -> np.ndarray:
    """Share of what is made in each cell that one facility makes now, shape (n, w)."""
    out = np.zeros((len(cells), m.state.worlds))
    for n, c in enumerate(cells):
        out[n] = share_of_cell(m, row, int(c))
    return out


class CallEffect(Effect):
    """Turns orders to a facility, and serves them first.

    Attributes
    ----------
    row : int
        The facility.
    cells : ndarray of int, shape (n,)
        Where it sells.
    links : ndarray of bool, shape (l,)
        From those cells to the buyers; ``buyers``, (l, 1), the part of each destination meant.
    origin, target : ndarray of bool, shape (k,)
        Ore links of a mine's pool, and those to the buyers' separators.
    pool : int
        Ore pool of a mine (-1: not a mine).
    called : ndarray, shape (n, w), or None
        Share of each cell's goods that is called.
    """

    item: Offtake | Ownership
    #: Key of the share, and whether buyers move orders there, or are only served first.
    key: ClassVar[str] = "share"
    contract: ClassVar[bool] = True

    def set_up(self, ctx: Context) -> None:
        """Resolve the facility and its buyers to rows."""
        lay, item = ctx.layout, self.item
        self.row = lay.plants.at.get(item.facility, -1)
        if self.row < 0:
            raise InputError(
                f"{item.facility} makes nothing in this chain",
                key=f"interventions.{self.name}.facility",
                hint="It has no capacity, or its output stands in another row.",
            )
        facility = lay.plants.rows[self.row]
        where = ctx.places(item.buyers())
        ends = ctx.region_rows(where.regions)
        self.cells = cells_of(ctx, facility)
        self.links = np.isin(lay.links.region_to, ends) & np.isin(lay.links.origin, self.cells)
        self.buyers = used_there(lay, where.countries)[lay.links.region_to]
        self.pool = -1
        self.origin = np.zeros(len(lay.ore.keys), dtype=bool)
        self.target = self.origin.copy()
        if facility.stage == "mine":
            self.pool = lay.ore.pools.index((facility.material, facility.region))
            self.origin = lay.ore.pool == self.pool
            self.target = self.origin & np.isin(lay.ore.region_to, ends)
        if not (self.links.any() or self.target.any()):
            raise InputError(
                f"{facility.name} has no way to sell to {', '.join(item.buyers())}",
                key=f"interventions.{self.name}.{item.buyers_key}",
                hint="No trade link leads there in this chain: the buyer has no need, or no plant.",
            )
        self.called: np.ndarray | None = None

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Put the contract in force."""
        self.called = None
        active = self.share(t0, t1)
        if not np.any(active):
            return
        share = self.n.now(self.key, t0)
        self.support(rules, share * active, m)
        if self.pool >= 0:
            self._ore(rules, share, active, m)
            return
        self.called = part_of_cell(m, self.row, self.cells) * share * active
        if not np.any(self.called):
            return
        if self.contract:
            rules.contracts.append(self)
        if self.first_call():
            self._first(rules, m)

    def first_call(self) -> bool:
        """Whether the buyers are served before all others."""
        return True

    def support(self, rules: Rules, share: np.ndarray, m: MarketView) -> None:
        """Hook: what an agreed price adds to the margin of a mine."""

    def _first(self, rules: Rules, m: MarketView) -> None:
        """Weights with which the buyers' orders get what they may call."""
        lay, st = m.layout, m.state
        assert self.called is not None
        expected = (st.orders + st.link_weight * m.weeks) * m.home_first
        for n, c in enumerate(self.cells):
            here = lay.links.origin == c
            mine = here & self.links
            ours = (expected * self.buyers)[mine].sum(axis=0)
            rest = expected[here & ~self.links].sum(axis=0)
            rest = rest + (expected * (1.0 - self.buyers))[mine].sum(axis=0)
            weight = call_weight(self.called[n], ours, rest)
            part = self.buyers[mine]
            first = weight if np.all(part == 1.0) else 1.0 + (weight - 1.0) * part
            rules.priority.raise_to(mine, first)

    def _ore(self, rules: Rules, share: np.ndarray, active: np.ndarray, m: MarketView) -> None:
        """Ore of the mine goes to the buyers' separators, at least as much as is called."""
        lay = m.layout
        if "dug" not in m.flows:
            return
        at = lay.ore.by_pool.group[np.flatnonzero(lay.ore.mines == self.row)[0]]
        mine = m.flows["dug"][lay.ore.mines == self.row].sum(axis=0)
        whole = lay.ore.by_pool.sum(m.flows["dug"])[at]
        wanted = np.zeros((len(lay.ore.pools), len(self.start)))
        wanted[self.pool] = share * mine / np.maximum(whole, 1e-12)
        rules.pivots.append(Turn(self.origin, self.target, wanted, active, at_least=True))

    def pull(self, goal: np.ndarray, offer: np.ndarray, m: MarketView) -> np.ndarray:
        """Turn the orders that buyers would send to a seller: at least what is called.

        Parameters
        ----------
        goal : ndarray, shape (l, w)
            What each link is worth to its buyers, t a week.
        offer : ndarray, shape (c, w)
            What each origin can be expected to sell, t a week.
        m : Market

        Returns
        -------
        ndarray, shape (l, w)
            The same sum by origin.
        """
        lay = m.layout
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
            calls = self.called[n] != 0.0  # a world that calls nothing is left as it is
            goal[mine] = np.where(calls, spread * wanted, goal[mine])
            kept = np.maximum(now + left - wanted, 0.0) / np.maximum(left, 1e-12)
            goal[rest] *= np.where(calls, kept, 1.0)
        return goal


class OfftakeEffect(CallEffect):
    """A contract: orders move to the facility, and may be served first, at an agreed price."""

    item: Offtake

    def first_call(self) -> bool:
        """As the contract says."""
        return self.item.first_call

    def support(self, rules: Rules, share: np.ndarray, m: MarketView) -> None:
        """The agreed price lifts the margin of a mine while the market pays less."""
        if "price_usd_per_kg" not in self.n:
            return
        lay = m.layout
        f = lay.plants.rows[self.row]
        (material, *_) = naming.materials(lay.chain, self.item.price_material)
        price = np.exp(m.state.log_home[lay.material_at[material]])
        gap = np.maximum(self.n.price_usd_per_kg - price, 0.0)
        part = content(f, lay.chain, lay.chain.materials[material].element or "")
        rules.margin_support.add(np.array([self.row]), gap * part * share)


class OwnershipEffect(CallEffect):
    """An owner: its orders are served first, and move only as they are served."""

    item: Ownership
    key: ClassVar[str] = "priority_share"
    contract: ClassVar[bool] = False


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
    effect: ClassVar[type[Effect]] = OfftakeEffect
    neutral: ClassVar[dict[str, float]] = {"share": 0.0}

    facility: str = plants(..., "whose output it is")
    buyer: Words = places(..., "who takes it")
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
    price_material: Words = goods(
        ("ndpr_oxide",), "oxide that the agreed price is for", when={"price_usd_per_kg": ()}
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

    buyers_key: ClassVar[str] = "buyer"

    def buyers(self) -> tuple[str, ...]:
        """Who takes the output."""
        return self.buyer


@intervention("ownership")
class Ownership(Intervention):
    """A facility changes hands: orders of its owner's bloc are served first.

    Capacity does not change. Buyers at home come after the owner's when goods are scarce.
    """

    title: ClassVar[str] = "a facility changes hands, and its owner's orders are served first"
    live: ClassVar[bool] = True
    effect: ClassVar[type[Effect]] = OwnershipEffect
    neutral: ClassVar[dict[str, float]] = {"priority_share": 0.0}

    facility: str = plants(..., "what is bought")
    bloc: Words = places(..., "whose orders go first")
    priority_share: Path = share(
        1.0, "share of the output on which the owner's bloc has the first call", source="A79"
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a bloc that nobody is in."""
        if naming.places(chain, self.bloc).use:
            return []
        return [Problem(key="bloc", message="has no member", hint="See 'lodestone list blocs'.")]

    buyers_key: ClassVar[str] = "bloc"

    def buyers(self) -> tuple[str, ...]:
        """Whose orders go first."""
        return self.bloc
