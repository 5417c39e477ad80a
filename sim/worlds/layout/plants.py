"""Facilities as rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.chain.balance import runs_in_base_year
from lodestone.chain.nouns import Facility
from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, column

#: Stages in the order of the chain.
ORDER = {"mine": 0, "separation": 1, "recycling": 2, "metal": 3, "magnet": 4}
DAYS_PER_MONTH = 30.4375
#: Years before the base year from which a plant may still be ramping up in it.
RAMPING_YEARS = 2


@dataclass(frozen=True)
class Plants:
    """One row a facility, by stage, region and name."""

    rows: list[Facility]
    at: dict[str, int]
    region: np.ndarray  # (f,)
    capacity: np.ndarray  # (f, 1) nameplate, t/week in the plant's basis
    base: np.ndarray  # (f,) bool: ran in the base year
    use: np.ndarray  # (f, 1) use of capacity in the base year, share
    cost: np.ndarray  # (f, 1) cash cost, USD/kg
    ramp_months: np.ndarray  # (f, 1)
    online: np.ndarray  # (f, 1) day on which a plant is announced to come on line
    ramp_left: np.ndarray  # (f, 1) days to full output of base-year plants that were ramping

    def of(self, stage: str, region: str | None = None) -> list[int]:
        """Rows of the facilities of a stage (and region)."""
        return [
            i
            for i, f in enumerate(self.rows)
            if f.stage == stage and (region is None or f.region == region)
        ]


def plants_of(n: Names) -> Plants:
    """Rows of the facilities that are modelled."""
    chain = n.chain
    rows = [f for f in chain.facilities.values() if f.modelled]
    rows.sort(key=lambda f: (ORDER[f.stage], n.region_at[f.region], f.name))
    base = [runs_in_base_year(f, chain.vintage.base_year) for f in rows]
    use = n.balance.capacity_use
    online, left = [], []
    for f, b in zip(rows, base, strict=True):
        if b:
            online.append(-np.inf)
        elif f.start_date is None:
            online.append(np.inf)
        else:
            online.append(float((f.start_date - n.start).days))
        if b and f.start_date is not None and f.ramp_months > 0:
            end = (f.start_date - n.start).days + f.ramp_months * DAYS_PER_MONTH
            recent = f.start_date.year >= chain.vintage.base_year - RAMPING_YEARS
            left.append(max(end, 0.0) if recent else 0.0)
        else:
            left.append(0.0)
    return Plants(
        rows=rows,
        at={f.name: i for i, f in enumerate(rows)},
        region=np.array([n.region_at[f.region] for f in rows]),
        capacity=column([f.capacity_t_per_year / WEEKS_PER_YEAR for f in rows]),
        base=np.array(base),
        use=column([use.get(f.name, 1.0) if b else 0.0 for f, b in zip(rows, base, strict=True)]),
        cost=column([f.unit_cost_usd_per_kg for f in rows]),
        ramp_months=column([max(f.ramp_months, 1.0) for f in rows]),
        online=column(online),
        ramp_left=column(left),
    )
