"""Export quota: a cap by weight over a group of goods and a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Literal

import numpy as np

from lodestone.interventions.base import (
    Intervention,
    Num,
    Path,
    Totals,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.quota import QuotaBook


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


@dataclass
class QuotaEffect(Effect):
    """Keeps the book of a quota and opens its periods by the calendar."""

    book: QuotaBook

    def prepare(self, day: Any, calendar: Any) -> None:
        """Put the allocation periods on the calendar."""
        day.open_quota(self.book)
        for index, (first, last, tonnes, _year) in enumerate(self.book.periods):
            if last <= 0.0 or first >= calendar.last_day:
                continue
            calendar.review(
                max(first, 0.0),
                lambda index=index: self.book.open_period(index),
                f"quota period opens: {float(np.median(tonnes)):,.0f} t",
                self.name,
                ";".join(self.source),
            )

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Say in which worlds the quota is in force: never outside its allocation periods."""
        covered = sum(
            max(min(last, t1) - max(first, t0), 0.0) for first, last, _, _ in self.book.periods
        )
        self.book.active = self.share(t0, t1) * min(covered / (t1 - t0), 1.0)
        known = self.known(t0)
        if np.any(known):
            cells = np.unique(day.layout.links.destination[self.book.links])
            rules.most("announced", cells, (day.layout.cells.n, len(known)), known)


@intervention("export_quota")
class ExportQuota(Intervention):
    """A cap by weight on the exports of a group of goods, period by period.

    Its scarcity rent is one price per kg of product, the same for cheap and dear elements,
    because the cap counts kilograms.
    """

    title: ClassVar[str] = "exports of a group of goods are capped by weight, period by period"
    live: ClassVar[bool] = True

    exporter: Words = words(..., "regions that set the quota", names="place")
    materials: Words = words(..., "goods that count against it", names="material")
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

    def compile(self, name: str, ctx: Context) -> QuotaEffect:
        """Resolve links, weights and allocation periods."""
        lay = ctx.layout
        mask, _ = ctx.links(self.exporter, ("all",), self.materials)
        weight = np.ones(lay.links.n)
        if self.basis == "t_reo":
            contained = lay.content @ (1.0 / lay.per_oxide[:, 0])
            weight = contained[lay.links.material]
        periods = []
        for index, (period, tonnes) in enumerate(sorted(self.tonnes.items())):
            first, last = period_dates(period)
            drawn = ctx.number(tonnes, f"{name}/tonnes/{index}")
            periods.append(
                (
                    float((first - ctx.start).days),
                    float((last - ctx.start).days),
                    drawn,
                    first.year,
                )
            )
        return QuotaEffect(
            **timing(self, name, ctx),
            book=QuotaBook(
                lay,
                ctx.count,
                mask,
                weight[:, None],
                periods,
                ctx.number(self.enforcement, f"{name}/enforcement"),
                ctx.path(self.outside_quota, f"{name}/outside_quota"),
            ),
        )
