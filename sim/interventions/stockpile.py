"""Stockpiles: public or private reserves with rules for filling and release."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from lodestone.interventions.base import Intervention, Num, Words, intervention, number, text, words
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.worlds.conditions import Conditions


@dataclass
class StockpileEffect(Effect):
    """A public stock by cell: wishes to buy, and releases to those who may draw."""

    cells: np.ndarray  # (n,) cells
    target: np.ndarray  # (n, w) t
    opening: np.ndarray  # (n, w) t
    fill_weeks: np.ndarray  # (w,)
    rule: str
    multiple: np.ndarray  # (w,)
    rows: np.ndarray  # user lines that may draw
    user_share: np.ndarray  # (u, 1)
    active: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def prepare(self, day: Any, calendar: Any) -> None:
        """Put what is held on the first day into the stock, before the ledger opens."""
        day.state.public_stock[self.cells] += np.where(np.isfinite(self.start), self.opening, 0.0)

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """In force on these days."""
        self.active = self.share(t0, t1)
        if np.any(self.active):
            rules.stockpiles.append(self)

    def wish(self, day: Any) -> np.ndarray:
        """Tonnes it would buy this market day, shape (n, w): never while users go short."""
        held = day.state.public_stock[self.cells]
        rate = self.target / self.fill_weeks * day.weeks
        open_cells = day.state.openness[self.cells]
        wish = np.minimum(rate, np.maximum(self.target - held, 0.0)) * self.active
        return wish * (open_cells > 0.9)

    def release(self, day: Any, lack: np.ndarray) -> np.ndarray:
        """Tonnes it lets go this market day, shape (n, w).

        Parameters
        ----------
        lack : ndarray, shape (n, w)
            What those who may draw lack in each of its cells, t.
        """
        held = np.maximum(day.state.public_stock[self.cells], 0.0) * (self.active > 0)
        if self.rule == "never":
            return np.zeros_like(held)
        if self.rule == "price":
            lay = day.layout
            ratio = np.exp(day.state.log_ask[self.cells] - lay.prices.log_reference[self.cells])
            lack = np.where(ratio >= self.multiple, np.maximum(lack, held * 0.1), 0.0)
        return np.minimum(held, lack)


@intervention("stockpile")
class Stockpile(Intervention):
    """A reserve that buys up to a target and releases by rule to those who may draw."""

    title: ClassVar[str] = "a reserve buys to a target of days and releases by rule"

    holder: str = words(..., "region, bloc or existing stockpile that holds it", names="holder")
    materials: Words = words(..., "goods it holds", names="material")
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
        "with release_rule price: the multiple of the reference price at which release begins",
        unit="multiple",
        source="A36",
        low=1.0,
    )
    draw: Words = words(("all",), "sectors and tiers that may draw", names="user")

    def compile(self, name: str, ctx: Context) -> StockpileEffect:
        """Resolve cells and users and draw sizes."""
        lay, chain = ctx.layout, ctx.chain
        where = (
            {chain.stockpiles[self.holder].region: 1.0}
            if self.holder in chain.stockpiles
            else ctx.places((self.holder,))
        )
        names = set(ctx.rows(self.materials) or [])
        cells = np.array(
            [i for i, (m, r) in enumerate(lay.cells.keys) if m in names and r in where], dtype=int
        )
        weight = np.array([where[lay.cells.keys[i][1]] for i in cells])[:, None]
        wanted = set(self.draw)
        users = np.zeros(lay.users.n, dtype=bool)
        share = np.zeros((lay.users.n, 1))
        for u, (s, _, _) in enumerate(lay.users.keys):
            tiers = lay.tiers_of(u)
            part = (
                1.0 if ("all" in wanted or s in wanted) else sum(tiers.get(t, 0.0) for t in wanted)
            )
            share[u] = part
            users[u] = part > 0
        use = lay.cells.need[cells] * weight
        return StockpileEffect(
            **timing(self, name, ctx),
            cells=cells,
            target=use * ctx.number(self.target_days, f"{name}/target_days") / 7.0,
            opening=use * ctx.number(self.opening_days, f"{name}/opening_days") / 7.0,
            fill_weeks=ctx.number(self.fill_days, f"{name}/fill_days") / 7.0,
            rule=self.release_rule,
            multiple=ctx.number(self.release_price_multiple, f"{name}/release_price_multiple"),
            rows=np.flatnonzero(users & np.isin(lay.users.cell, cells)),
            user_share=share,
        )
