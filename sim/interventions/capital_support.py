"""Capital support: public loans and equity that bring private money and open finance gates."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect, Spending
from lodestone.interventions.fields import Num, Words, number, places, plants, share, text
from lodestone.interventions.targets import plants_of
from lodestone.worlds.projects import Projects


class CapitalEffect(Effect):
    """Pays out over years, in step with private money, and moves the finance gate.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Projects that are still to come.
    need : ndarray, shape (n, w)
        Capital, USD million.
    split, covered : ndarray, shape (n, w)
        Public money of each, USD million, and the share of its need that is covered.
    """

    item: CapitalSupport

    def set_up(self, ctx: Context) -> None:
        """Find the projects, and what they need."""
        lay = ctx.layout
        assert self.on.plants is not None
        self.rows = np.array([i for i in self.on.plants if not lay.plants.base[i]], dtype=int)
        plants = [lay.plants.rows[i] for i in self.rows]
        if "capex_usd_per_kg_year" in self.n:
            capex = self.n.capex_usd_per_kg_year[None, :]
        else:
            usual = [ctx.chain.plant_cost(f.stage, f.region) for f in plants]
            capex = np.array([c.capital_usd_per_kg_year for c in usual]).reshape(-1, 1)
        size = np.array([f.capacity_t_per_year for f in plants]).reshape(-1, 1)
        shape = (len(plants), ctx.count)
        self.need = np.array(np.broadcast_to(size * capex / 1000.0, shape))
        self.pay_days, self.repay_days = (
            self.n.pay_years * DAYS_PER_YEAR,
            self.n.repay_years * DAYS_PER_YEAR,
        )
        self.repaid = self.n.repaid_share * (1.0 if self.item.instrument == "loan" else 0.0)
        self.split = self.covered = np.zeros((0, 0))
        self.projects: Projects | None = None
        self.back: np.ndarray | None = None  # (n, w) day of the first product: loans come back

    def why(self) -> str:
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
        paid = self.n.public_usd_million * self.paid_share()
        covered = np.minimum(paid * (1.0 + self.n.private_multiple) / np.maximum(total, 1e-9), 1.0)
        self.covered = np.where(seeks, covered, 0.0)
        self.split = self.n.public_usd_million * need / np.maximum(total, 1e-9)
        projects.failing[self.rows] *= 1.0 - self.covered * self.n.finance_share_of_failure
        start = np.where(np.isfinite(self.start), self.start, 0.0)
        drawn = np.where(seeks, projects.drawn[self.rows], 0.0)
        slip = np.minimum(projects.slip[self.rows], np.maximum(drawn - start, 0.0))
        projects.shift[self.rows] -= self.covered * self.n.finance_share_of_slip * slip
        self.projects = projects

    def spending(self, t0: float, t1: float) -> Spending | None:
        """Money paid out in [t0, t1) less what loans bring back, USD million, shape (n, w)."""
        if not len(self.rows) or not np.any(self.split):
            return None
        if self.back is None:
            assert self.projects is not None
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
    where = plants_of("facilities", "region", "stage")
    effect: ClassVar[type[Effect]] = CapitalEffect
    neutral: ClassVar[dict[str, float]] = {"public_usd_million": 0.0}
    one_of: ClassVar = ((("facilities",), ("region", "stage")),)

    facilities: Words | None = plants(None, "projects that may have it")
    region: Words | None = places(None, "or: all projects of these places")
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
        stream="capex",
    )
    finance_share_of_failure: Num = share(
        0.6, "share of failures that are for want of money", source="A91"
    )
    finance_share_of_slip: Num = share(0.5, "share of slip that is waiting for money", source="A91")
    repaid_share: Num = share(
        0.8, "share that comes back", source="A92", when={"instrument": ("loan",)}
    )
    repay_years: Num = number(
        10.0,
        "years from the first product over which it comes back",
        unit="year",
        source="A92",
        low=0.1,
        high=50.0,
        when={"instrument": ("loan",)},
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
