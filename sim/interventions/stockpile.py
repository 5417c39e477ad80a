"""Stockpiles: public or private reserves with rules for filling and release."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect, Reviews
from lodestone.interventions.fields import (
    Num,
    Words,
    ends_of,
    goods,
    leaves,
    number,
    text,
    users,
    words,
)
from lodestone.interventions.targets import takes_any
from lodestone.worlds.conditions import Reserve, Rules
from lodestone.worlds.market import Market
from lodestone.worlds.view import MarketView

#: Share of normal arrivals above which a reserve buys.
OPEN = 0.9


class StockpileEffect(Effect):
    """A public stock by cell: wishes to buy, and releases to those who may draw.

    Attributes
    ----------
    cells : ndarray of int, shape (n,)
    target, opening : ndarray, shape (n, w)
        Tonnes aimed at, and held on the first day.
    rows : ndarray of int
        User lines that may draw; ``user_share``, (u, 1), the part of each that may, and
        ``plant_share``, (n, 1), of the plants of each cell.
    """

    item: Stockpile
    empty = "the holder uses none of these goods, so that its target is nothing"

    def set_up(self, ctx: Context) -> None:
        """Resolve cells and users and draw sizes."""
        lay, item = ctx.layout, self.item
        held = item.held_for(ctx.chain)
        names, where = set(ctx.materials(item.materials)), held.use
        self.cells = np.array(
            [i for i, (m, r) in enumerate(lay.cells.keys) if m in names and r in where], dtype=int
        )
        weight = np.array([where[lay.cells.keys[i][1]] for i in self.cells])[:, None]
        self.plant_share = weight
        part = np.ones((lay.users.n, 1))
        for u, (sector, *_) in enumerate([] if "all" in item.draw else lay.users.keys):
            if sector not in item.draw:
                tiers = lay.tiers_of(u)
                part[u] = sum(tiers.get(t, 0.0) for t in dict.fromkeys(item.draw))
        there = np.array([where.get(r, 0.0) for r in lay.regions])
        self.user_share = part * there[lay.users.region][:, None]
        use = lay.cells.need[self.cells] * weight
        self.target = use * self.n.target_days / DAYS_PER_WEEK
        self.opening = use * self.n.opening_days / DAYS_PER_WEEK
        self.fill_weeks = self.n.fill_days / DAYS_PER_WEEK
        self.rows = np.flatnonzero((part[:, 0] > 0) & np.isin(lay.users.cell, self.cells))
        self.active = np.zeros(1)
        self.beside: list[Reserve] = []
        self.own: np.ndarray | None = None

    def why(self) -> str:
        """A reserve of nothing cannot fill."""
        return "" if np.any(self.target > 0.0) or np.any(self.opening > 0.0) else self.empty

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Put what is held on the first day into the stock, before the ledger opens."""
        m.open_reserve(self.cells, np.where(np.isfinite(self.start), self.opening, 0.0))

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """In force on these days."""
        self.active = self.share(t0, t1)
        self.beside, self.own = rules.stockpiles, None
        if np.any(self.active):
            rules.stockpiles.append(self)

    def held(self, m: MarketView) -> np.ndarray:
        """What of the public stock is this reserve's, t, shape (n, w): by the targets of all."""
        stock = m.state.public_stock[self.cells]
        others = [pile for pile in self.beside if isinstance(pile, StockpileEffect)]
        if len(others) < 2:
            return stock
        if self.own is None:  # the same until the rules are folded anew
            whole = np.zeros((m.layout.cells.n, self.worlds))
            for pile in others:
                whole[pile.cells] += pile.target * (pile.active > 0)
            whole = whole[self.cells]
            own = np.where(whole > 0.0, self.target / np.maximum(whole, 1e-12), 1.0)
            self.own = np.minimum(own, 1.0)
        return np.asarray(stock * self.own)

    def wish(self, m: MarketView) -> np.ndarray:
        """Tonnes it would buy this market day, shape (n, w): never while users go short."""
        rate = self.target / self.fill_weeks * m.weeks
        open_cells = m.state.openness[self.cells]
        wish = np.minimum(rate, np.maximum(self.target - self.held(m), 0.0)) * self.active
        return wish * (open_cells > OPEN)

    def release(self, m: MarketView, lack: np.ndarray) -> np.ndarray:
        """Tonnes it lets go this market day, shape (n, w).

        Parameters
        ----------
        lack : ndarray, shape (n, w)
            What those who may draw lack in each of its cells, t.
        """
        held = np.maximum(self.held(m), 0.0) * (self.active > 0)
        rule = self.item.release_rule
        if rule == "never":
            return np.zeros_like(held)
        if rule == "price":
            lay = m.layout
            ratio = np.exp(m.state.log_ask[self.cells] - lay.prices.log_reference[self.cells])
            dear = ratio >= self.n.release_price_multiple
            lack = np.where(dear, np.maximum(lack, held * 0.1), 0.0)
        return np.minimum(held, lack)


@intervention("stockpile")
class Stockpile(Intervention):
    """A reserve that buys up to a target and releases by rule to those who may draw."""

    effect: ClassVar[type[Effect]] = StockpileEffect
    title: ClassVar[str] = "a reserve buys to a target of days and releases by rule"

    holder: str = words(..., "region, bloc or existing stockpile that holds it", names="holder")
    materials: Words = goods(..., "goods it holds")
    target_days: Num = number(
        ...,
        "size aimed at, in days of the holder's normal use",
        unit="day",
        source="definition",
        low=0.0,
        high=3650.0,
    )
    fill_days: Num = number(
        365.0,
        "days over which it is filled",
        unit="day",
        source="A36",
        low=1.0,
        high=36500.0,
    )
    opening_days: Num = number(
        0.0, "days already held at its start", unit="day", source="definition", low=0.0, high=3650.0
    )
    release_rule: Literal["emergency", "never", "price"] = text(
        "emergency",
        "released when users run short (emergency), when the price is far above its reference "
        "(price), or never",
    )
    release_price_multiple: Num = number(
        2.0,
        "multiple of the reference price at which release begins",
        unit="multiple",
        source="A36",
        low=1.0,
        when={"release_rule": ("price",)},
    )
    draw: Words = users(
        ("all",), "sectors and tiers that may draw", when={"release_rule": ("emergency", "price")}
    )

    def held_for(self, chain: Chain) -> naming.Places:
        """Places whose use it is measured on."""
        held = chain.stockpiles.get(self.holder)
        return naming.places(chain, held.region if held is not None else self.holder)

    def nothing(self, chain: Chain) -> str:
        """A reserve of what its holder does not use has a target of nothing and cannot fill."""
        if not leaves("target_days", self.target_days) or (
            ends_of(self.target_days)[1] <= 0.0 and ends_of(self.opening_days)[1] <= 0.0
        ):
            return "its target is 0 days"
        where = self.held_for(chain).use
        names = set(naming.materials(chain, self.materials))
        if any(takes_any(chain, region, names) for region, use in where.items() if use > 0.0):
            return self._idle_rule()
        return f"{self.holder} uses none of {', '.join(self.materials)}: the reserve cannot fill"

    def _idle_rule(self) -> str:
        """A reserve that never releases acts while it fills, or not at all."""
        least, most = ends_of(self.opening_days)[0], ends_of(self.target_days)[1]
        if self.release_rule == "never" and least >= most:
            return "it holds its target from the first day on, and never releases"
        return ""

    def remarks(self, chain: Chain) -> list[str]:
        """When it buys, and when it does not."""
        more = ends_of(self.opening_days)[0] > ends_of(self.target_days)[1]
        return [
            *super().remarks(chain),
            *(["opens above its target: it buys only once less is left"] if more else []),
            f"buys only while at least {100 * OPEN:.0f} % of what the holder usually receives "
            "arrives: a reserve that starts in a shortage fills when it is over",
        ]
