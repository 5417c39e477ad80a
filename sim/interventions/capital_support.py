"""Capital support: public loans and equity that bring private money and open finance gates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Num,
    Problem,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.worlds.projects import Projects

YEAR = 365.25


@dataclass
class CapitalEffect(Effect):
    """Pays out over years, in step with private money, and moves the finance gate."""

    rows: np.ndarray  # (n,) facilities
    need: np.ndarray  # (n, w) USD million of capital
    public: np.ndarray  # (w,) USD million
    multiple: np.ndarray  # (w,) private money per public dollar
    pay_days: np.ndarray  # (w,)
    of_failure: np.ndarray  # (w,) share of failures that money cures
    of_slip: np.ndarray  # (w,)
    repaid: np.ndarray  # (w,) share of the money that comes back
    repay_days: np.ndarray  # (w,)
    split: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))  # (n, w) USD million
    covered: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))  # (n, w) share of need
    projects: Any = None
    back: np.ndarray | None = None  # (n, w) day of the first product, from which loans come back

    @property
    def reason(self) -> str:
        """Without a project that still seeks money there is nothing to pay for."""
        seeks = len(self.rows) and (self.projects is None or np.any(self.split))
        return "" if seeks else "no project there still seeks money"

    def paid_share(self) -> np.ndarray:
        """Share of the programme that is paid out before it ends, shape (w,)."""
        begins = np.where(np.isfinite(self.start), self.start, 0.0)
        lasts = np.where(np.isfinite(self.start), self.end - begins, 0.0)
        return np.clip(lasts / self.pay_days, 0.0, 1.0)

    def plan(self, projects: Projects) -> None:
        """Raise the chance of what is paid for, and take away the slip that waits for money."""
        seeks = projects.open(self.rows, self.start)
        need = np.where(seeks, self.need, 0.0)
        total = need.sum(axis=0)
        paid = self.public * self.paid_share()
        covered = np.minimum(paid * (1.0 + self.multiple) / np.maximum(total, 1e-9), 1.0)
        self.covered = np.where(seeks, covered, 0.0)
        self.split = self.public * need / np.maximum(total, 1e-9)
        projects.failing[self.rows] *= 1.0 - self.covered * self.of_failure
        start = np.where(np.isfinite(self.start), self.start, 0.0)
        drawn = np.where(seeks, projects.drawn[self.rows], 0.0)
        slip = np.minimum(projects.slip[self.rows], np.maximum(drawn - start, 0.0))
        projects.shift[self.rows] -= self.covered * self.of_slip * slip
        self.projects = projects

    def spending(self, t0: float, t1: float) -> tuple[Any, np.ndarray] | None:
        """Money paid out in [t0, t1) less what loans bring back, USD million, shape (n, w)."""
        if not len(self.rows) or not np.any(self.split):
            return None
        if self.back is None:
            self.back = self.projects.online()[self.rows]
        paid = _overlap(self.start, np.minimum(self.end, self.start + self.pay_days), t0, t1)
        out = self.split * paid / self.pay_days
        lent = self.split * self.paid_share() * self.repaid
        due = np.maximum(self.back, self.start)
        return self.rows, out - lent * _overlap(due, due + self.repay_days, t0, t1) / (
            self.repay_days
        )


def _overlap(start: np.ndarray, end: np.ndarray, t0: float, t1: float) -> np.ndarray:
    """Days of [t0, t1) between start and end; 0 where they never come."""
    ends = np.where(np.isfinite(start), np.minimum(end, t1), -np.inf)
    return np.clip(ends - np.maximum(start, t0), 0.0, None)


@intervention("capital_support")
class CapitalSupport(Intervention):
    """Public loans or equity, and the private money that comes with them while they last.

    The share of the capital need that is covered lowers the chance that a project fails (by the
    part of failures that are for want of money) and the slip that is still ahead of it. Without
    a project that is still to be built nothing is paid.
    """

    title: ClassVar[str] = "public loans or equity, with private money beside, open finance gates"
    one_of: ClassVar = ((("facilities",), ("region", "stage")),)

    facilities: Words | None = words(None, "projects that may have it", names="facility")
    region: Words | None = words(None, "or: all projects of these places", names="place")
    stage: Literal["mine", "separation", "metal", "magnet", "recycling"] | None = text(
        None, "and of this stage"
    )
    public_usd_million: Num = number(
        ..., "public money", unit="USD million", source="definition", low=0.0, high=1e6
    )
    instrument: Literal["loan", "equity", "grant"] = text(
        "loan", "a loan comes back in part once the plant runs; equity and grants do not"
    )
    private_multiple: Num = number(
        2.5,
        "private money that comes with each public dollar while support lasts",
        unit="USD per USD",
        source="o02",
        low=0.0,
        high=20.0,
    )
    pay_years: Num = number(
        3.0, "years over which it is paid out", unit="year", source="A92", low=0.1, high=30.0
    )
    capex_usd_per_kg_year: Num | None = number(
        None,
        "capital need per kg of yearly capacity (null: as in plant_costs.csv; outside China mines "
        "40, separation 60, metal 30, magnets 100, recycling 20)",
        unit="USD per kg a year",
        source="A90",
        low=0.1,
        high=5000.0,
    )
    finance_share_of_failure: Num = share(
        0.6, "share of failures that are for want of money", source="A91"
    )
    finance_share_of_slip: Num = share(0.5, "share of slip that is waiting for money", source="A91")
    repaid_share: Num = share(0.8, "of a loan: share that comes back", source="A92")
    repay_years: Num = number(
        10.0,
        "of a loan: years from the first product over which it comes back",
        unit="year",
        source="A92",
        low=0.1,
        high=50.0,
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse support for nothing at all."""
        if self.facilities or naming.plants_at(chain, self.region or (), (str(self.stage),)):
            return []
        return [
            Problem(
                key="region",
                message=f"there is no facility of stage {self.stage} in {', '.join(self.region or ())}",
                hint="Add a capacity_project, or see 'lodestone list facilities'.",
            )
        ]

    def compile(self, name: str, ctx: Context) -> CapitalEffect:
        """Find the projects, and draw what they need and what money does."""
        lay = ctx.layout
        names = self.facilities or naming.plants_at(
            ctx.chain, self.region or (), (str(self.stage),)
        )
        found = [lay.plants.at[n] for n in names if n in lay.plants.at]
        rows = np.array([i for i in found if not lay.plants.base[i]], dtype=int)
        if self.capex_usd_per_kg_year is None:
            costs = [
                ctx.chain.plant_cost(f.stage, f.region) for f in (lay.plants.rows[i] for i in rows)
            ]
            capex = np.array([c.capital_usd_per_kg_year for c in costs]).reshape(-1, 1)
        else:
            capex = ctx.number(self.capex_usd_per_kg_year, f"{name}/capex")[None, :]
        size = np.array([lay.plants.rows[i].capacity_t_per_year for i in rows]).reshape(-1, 1)
        loan = 1.0 if self.instrument == "loan" else 0.0

        def drawn(key: str) -> np.ndarray:
            return ctx.number(getattr(self, key), f"{name}/{key}")

        return CapitalEffect(
            **timing(self, name, ctx),
            rows=rows,
            need=np.array(np.broadcast_to(size * capex / 1000.0, (len(rows), ctx.count))),
            public=drawn("public_usd_million"),
            multiple=drawn("private_multiple"),
            pay_days=drawn("pay_years") * YEAR,
            of_failure=drawn("finance_share_of_failure"),
            of_slip=drawn("finance_share_of_slip"),
            repaid=drawn("repaid_share") * loan,
            repay_days=drawn("repay_years") * YEAR,
        )
