"""Export quota: a cap by weight over a group of goods and a period."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

import numpy as np

from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect, Reviews
from lodestone.interventions.fields import (
    Num,
    Path,
    Totals,
    Words,
    goods,
    number,
    places,
    share,
    text,
)
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules
from lodestone.worlds.market import Market
from lodestone.worlds.quota import QuotaBook
from lodestone.worlds.view import MarketView


def period_dates(period: str) -> tuple[date, date]:
    """First day, and first day after, of a year, half, quarter or month."""
    year = int(period[:4])
    part = period[5:]
    if not part:
        first, months = 1, 12
    elif part[0] == "H":
        first, months = 1 + 6 * (int(part[1]) - 1), 6
    elif part[0] == "Q":
        first, months = 1 + 3 * (int(part[1]) - 1), 3
    else:
        first, months = int(part), 1
    after = first + months
    return date(year, first, 1), date(year + (after > 12), (after - 1) % 12 + 1, 1)


class QuotaEffect(Effect):
    """Keeps the book of a quota and opens its periods by the calendar."""

    item: ExportQuota

    def set_up(self, ctx: Context) -> None:
        """Resolve weights and allocation periods."""
        lay, item = ctx.layout, self.item
        assert self.on.goods is not None
        weight = np.ones(lay.links.n)
        if item.basis == "t_reo":
            contained = lay.content @ (1.0 / lay.per_oxide[:, 0])
            weight = contained[lay.links.material]
        periods = []
        for index, (period, tonnes) in enumerate(sorted(item.tonnes.items())):
            first, last = period_dates(period)
            drawn = ctx.number(tonnes, f"{self.name}/tonnes/{index}")
            begin, end = (float((d - ctx.start).days) for d in (first, last))
            periods.append((begin, end, drawn, first.year))
        self.book = QuotaBook(
            lay,
            ctx.count,
            self.on.goods.rows,
            weight[:, None],
            periods,
            self.n.enforcement,
            self.n.steps("outside_quota"),
            ctx.draws["rent.withholding"],
        )

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Put the allocation periods on the calendar."""
        m.open_quota(self.book)
        for index, (first, last, tonnes, _year) in enumerate(self.book.periods):
            if last <= 0.0 or first >= calendar.last_day:
                continue
            calendar.review(
                max(first, 0.0),
                lambda index=index: self.book.open_period(index),  # type: ignore[misc]
                f"quota period opens: {float(np.median(tonnes)):,.0f} t",
                self.name,
                ";".join(self.source),
            )

    def idle(self) -> str:
        """A quota acts in its allocation periods only."""
        inside = any(
            last > 0.0 and first < self.last_day for first, last, _, _ in self.book.periods
        )
        return super().idle() or ("" if inside else "none of its periods lies in this run")

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Say in which worlds the quota is in force: never outside its allocation periods."""
        assert self.on.goods is not None and self.on.cells is not None
        covered = sum(
            max(min(last, t1) - max(first, t0), 0.0) for first, last, _, _ in self.book.periods
        )
        self.book.active = self.share(t0, t1) * min(covered / (t1 - t0), 1.0)
        if not self.on.goods.whole:
            self.book.part = self.on.goods.weight(m)
        rules.announced.raise_to(self.on.cells, self.known(t0))


@intervention("export_quota")
class ExportQuota(Intervention):
    """A cap by weight on the exports of a group of goods, period by period.

    Its scarcity rent is one price per kg of product, the same for cheap and dear elements,
    because the cap counts kilograms.
    """

    title: ClassVar[str] = "exports of a group of goods are capped by weight, period by period"
    live: ClassVar[bool] = True
    where = trade("exporter", None, "materials")
    effect: ClassVar[type[Effect]] = QuotaEffect
    neutral: ClassVar[dict[str, float]] = {"enforcement": 0.0}

    exporter: Words = places(..., "regions that set the quota")
    materials: Words = goods(..., "goods that count against it")
    tonnes: Totals = number(
        ...,
        "cap by period (2010, 2010-H1, 2010-Q1, 2010-07)",
        unit="t",
        source="definition",
        low=0.0,
    )
    basis: Literal["t_reo", "t_product"] = text(
        "t_product", "what is weighed: contained oxide, or the product as shipped"
    )
    enforcement: Num = share(
        1.0, "share of the quota regime that is enforced at the border", source="definition"
    )
    outside_quota: Path = share(
        0.0,
        "share of the covered exports that leaves outside its lines (alloys not yet listed)",
        source="definition",
    )

    def inert(self, chain: Chain, start: date, end: date) -> str | None:
        """A quota acts in its allocation periods only."""
        why = super().inert(chain, start, end)
        spans = [period_dates(period) for period in self.tonnes]
        if why is None and not any(last > start and first < end for first, last in spans):
            return f"none of its periods lies in the run ({start} to {end})"
        return why
