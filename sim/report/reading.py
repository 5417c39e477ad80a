"""What the numbers of a run say: the findings that titles and sentences are made of.

Everything here is derived from the run folder. A share of unmet use below `NOTICEABLE` is treated
as no shortage, so that rounding and ordinary friction are not reported as a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from lodestone.outputs.results import BAND, Results

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NOTICEABLE", "Mark", "Reading", "Shortage"]

NOTICEABLE = 0.005
"""Share of planned use from which unmet use is called a shortage (0..1)."""

WORTH_NAMING = 0.01
"""Share of all planned use from which a group of users is named as the hardest hit (0..1)."""

Likelihood = Literal["none", "possible", "likely", "sure"]


@dataclass(frozen=True)
class Mark:
    """An intervention as it is drawn on a date axis; `end` is None where it does not end."""

    name: str
    kind: str
    role: str
    start: pd.Timestamp
    end: pd.Timestamp | None


@dataclass(frozen=True)
class Shortage:
    """The course of unmet use of one group of users.

    Attributes
    ----------
    likelihood
        `none`: below the noticeable share in 95 % of worlds at every date; `possible`: above it
        in fewer than half of them; `likely`: in more than half; `sure`: in at least 95 %.
    peak
        First date at which the median (for `possible` the 95th percentile) is within 2 % of its
        highest, so that a plateau peaks where it is reached.
    p05, p50, p95
        Unmet share of planned use at the highest, 0..1.
    onset, end
        First and last date of a noticeable median; None where there is none.
    open_end
        Whether the noticeable median lasts to the end of the horizon.
    reference_p50
        Median unmet share of the reference at the peak; NaN without a reference.
    """

    likelihood: Likelihood
    peak: pd.Timestamp
    p05: float
    p50: float
    p95: float
    onset: pd.Timestamp | None
    end: pd.Timestamp | None
    open_end: bool
    reference_p50: float


class Reading:
    """A run folder with the questions that a report asks of it.

    Parameters
    ----------
    results
        The run.
    """

    def __init__(self, results: Results) -> None:
        self.results = results
        self._curves: dict[tuple[str, str, str], pd.DataFrame] = {}

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The scenario as it was run."""
        inner = self.results.config.get("scenario")
        return inner if isinstance(inner, dict) else self.results.config

    @property
    def name(self) -> str:
        """The scenario's name."""
        return str(self.scenario.get("name", self.results.folder.name))

    @property
    def title(self) -> str:
        """The scenario's title, or its name, with the variant and overlays that were applied."""
        title = str(self.scenario.get("title") or self.name)
        applied = [self.scenario.get("variant"), *(self.scenario.get("overlays") or [])]
        told = ", ".join(str(a).replace("_", " ") for a in applied if a)
        return f"{title} (variant: {told})" if told else title

    @cached_property
    def reference(self) -> str | None:
        """The reference's name, or None where the scenario was run alone."""
        value = self.scenario.get("reference")
        return None if value is None or str(value).lower() in {"", "none", "null"} else str(value)

    @cached_property
    def worlds(self) -> int | None:
        """Number of worlds (replications), if the settings say it."""
        for source in (self.results.config.get("ensemble"), self.results.config):
            if isinstance(source, dict) and isinstance(source.get("worlds"), int):
                return int(source["worlds"])
        value = self.results.provenance.get("worlds")
        return int(value) if isinstance(value, int) else None

    @cached_property
    def marks(self) -> list[Mark]:
        """The interventions with a date that all worlds share, by date."""
        horizon = self.curve().index
        found = []
        for name, spec in (self.scenario.get("interventions") or {}).items():
            start = _date(spec.get("start")) if isinstance(spec, dict) else None
            if start is None or start > horizon[-1]:
                continue
            end = _date(spec.get("end"))
            role, kind = str(spec.get("role", "policy")), str(spec.get("kind", ""))
            found.append(Mark(str(name), kind, role, max(start, horizon[0]), end))
        return sorted(found, key=lambda mark: (mark.start, mark.name))

    @cached_property
    def shock(self) -> pd.Timestamp | None:
        """Start of the first disruption, else of the first intervention, else None."""
        disruptions = [mark.start for mark in self.marks if mark.role == "disruption"]
        starts = disruptions or [mark.start for mark in self.marks]
        return min(starts) if starts else None

    @cached_property
    def cells(self) -> dict[tuple[str, str, str], np.ndarray]:
        """The rows of each (region, sector, tier) group of users for which there is a curve."""
        table = self.results.table("shortage_curve")
        return table.groupby(["region", "sector", "tier"], sort=False).indices

    def curve(self, region: str = "all", sector: str = "all", tier: str = "all") -> pd.DataFrame:
        """Return the shortage curve of a group of users by date.

        The recorded row of the group is used where there is one. Otherwise the means of its
        leaves are added up, and the quantiles, which do not add up, are NaN.
        """
        key = (region, sector, tier)
        if key not in self._curves:
            self._curves[key] = self._curve(*key)
        return self._curves[key]

    def _curve(self, region: str, sector: str, tier: str) -> pd.DataFrame:
        table = self.results.table("shortage_curve")
        if (region, sector, tier) in self.cells:
            rows = table.iloc[self.cells[region, sector, tier]]
            return rows.set_index("date").sort_index()
        wanted = {"region": region, "sector": sector, "tier": tier}
        keep = pd.Series(True, index=table.index)
        for column, value in wanted.items():
            keep &= (table[column] != "all") if value == "all" else (table[column] == value)
        rows = table[keep]
        names = ["demand_t_magnet_per_week"]
        names += [f"{stem}_t_magnet_per_week_mean" for stem in ("gross_unmet", "unmet")]
        summed = rows.groupby("date")[names].sum().sort_index()
        total = summed["demand_t_magnet_per_week"].where(lambda t: t > 0)
        summed["unmet_share_mean"] = summed["unmet_t_magnet_per_week_mean"] / total
        for column in table.columns[4:]:
            if column not in summed:
                summed[column] = float("nan")
        for stem in ("gross_unmet_t_magnet_per_week", "unmet_t_magnet_per_week", "unmet_share"):
            summed[f"{stem}_p50"] = summed[f"{stem}_mean"]
        return summed

    def members(self, axis: str) -> list[str]:
        """Return the regions, sectors or tiers of the curve, most unmet tonnes first."""
        position = ("region", "sector", "tier").index(axis)
        names = sorted({cell[position] for cell in self.cells} - {"all"})
        totals = {
            name: float(self.curve(**{axis: name})["unmet_t_magnet_per_week_mean"].sum())
            for name in names
        }
        return sorted(names, key=lambda name: (-totals[name], name))

    def shortage(self, **group: str) -> Shortage:
        """Return the course of the shortage of a group of users (see `curve`)."""
        curve = self.curve(**group)
        middle = curve["unmet_share_p50"].fillna(0.0)
        high = curve["unmet_share_p95"].fillna(middle)
        low = curve["unmet_share_p05"].fillna(middle)
        likelihood: Likelihood = "sure"
        if high.max() < NOTICEABLE:
            likelihood = "none"
        elif middle.max() < NOTICEABLE:
            likelihood = "possible"
        elif low.max() < NOTICEABLE:
            likelihood = "likely"
        leading = middle if middle.max() >= NOTICEABLE else high
        highest = leading.idxmax()
        peak = leading.index[leading >= 0.98 * leading.max()][0]
        noticed = middle[middle >= NOTICEABLE].index
        return Shortage(
            likelihood=likelihood,
            peak=peak,
            p05=float(low[highest]),
            p50=float(middle[highest]),
            p95=float(high[highest]),
            onset=noticed[0] if len(noticed) else None,
            end=noticed[-1] if len(noticed) else None,
            open_end=len(noticed) > 0 and noticed[-1] == middle.index[-1],
            reference_p50=float(curve["reference_unmet_share_p50"][peak]),
        )

    def hardest(self, axis: str) -> tuple[str, Shortage] | None:
        """Return the member of an axis with the largest median shortage share, or None.

        Members with less than `WORTH_NAMING` of all planned use are passed over while a larger
        one runs short: a tiny user without magnets is no finding.
        """
        demand = {
            name: float(self.curve(**{axis: name})["demand_t_magnet_per_week"].sum())
            for name in self.members(axis)
        }
        whole = sum(demand.values())
        hit = {
            name: found
            for name in demand
            if (found := self.shortage(**{axis: name})).likelihood in {"likely", "sure"}
        }
        large = [name for name in hit if demand[name] >= WORTH_NAMING * whole]
        candidates = large or list(hit)
        if not candidates:
            return None
        worst = max(candidates, key=lambda name: hit[name].p50)
        return worst, hit[worst]

    @cached_property
    def window(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """The dates worth drawing: from before the shock to after the last noticeable shortage."""
        index = self.curve().index
        first, last = index[0], index[-1]
        if self.shock is None:
            return first, last
        high = self.curve()["unmet_share_p95"].fillna(self.curve()["unmet_share_p50"])
        noticed = high[high >= NOTICEABLE].index
        begin = max(first, self.shock - pd.Timedelta(days=180))
        until = noticed[-1] if len(noticed) else self.shock
        end = max(until + pd.Timedelta(days=180), self.shock + pd.Timedelta(days=548))
        return begin, min(last, end)

    @cached_property
    def weeks(self) -> float:
        """Length of a market interval in weeks."""
        index = self.curve().index
        return float((index[1] - index[0]).days) / 7 if len(index) > 1 else 1.0

    def metric(self, names: Iterable[str], element: str | None = None) -> pd.Series | None:
        """Return the first of `names` that the summary has for all regions and sectors."""
        table = self.results.table("summary")
        whole = table[table["region"].isin(["all", ""]) & table["sector"].isin(["all", ""])]
        for name in names:
            rows = whole[whole["metric"] == name]
            if element is None and len(rows) > 1:
                rows = rows[rows["element"].isin(["all", ""])]
            elif element is not None:
                rows = rows[rows["element"] == element]
            if len(rows):
                return rows.iloc[0]
        return None

    def prices(self, material: str, kind: str) -> pd.DataFrame | None:
        """Return the course of a price by date; for `ask` and `paid` the first market outside.

        The market is `all` or the one that stands first in the file; None where there is none.
        """
        table = self.results.table("price_curve")
        rows = table[(table["material"] == material) & (table["kind"] == kind)]
        if rows.empty:
            return None
        markets = list(dict.fromkeys(rows["market"]))
        market = next((m for m in ("all", "world") if m in markets), markets[0])
        return rows[rows["market"] == market].set_index("date").sort_index()

    def multiple(self, material: str, kind: str) -> tuple[pd.Timestamp, float, float, float] | None:
        """Return date and (p05, p50, p95) of the highest price multiple of the median.

        The base is the reference at the same date, or without a reference the last price before
        the first intervention. The band is that of the price, over the base's median.
        """
        prices = self.prices(material, kind)
        if prices is None:
            return None
        middle = prices["usd_per_kg_p50"]
        base = prices["reference_usd_per_kg_p50"]
        if self.reference is None or base.isna().all():
            before = middle[middle.index < self.shock] if self.shock is not None else middle[:1]
            base = pd.Series(float((before if len(before) else middle).iloc[-1]), middle.index)
        ratio = (middle / base).dropna()
        if self.shock is not None and (ratio.index >= self.shock).any():
            ratio = ratio[ratio.index >= self.shock]
        if ratio.empty:
            return None
        when = ratio.index[ratio >= 0.98 * ratio.max()][0]
        top = ratio.idxmax()
        low, mid, high = (float(prices[f"usd_per_kg_{q}"][top] / base[top]) for q in BAND[1:])
        return when, low, mid, high

    @cached_property
    def materials(self) -> list[str]:
        """The materials of the price curve, highest price multiple at the ask first."""
        names = list(dict.fromkeys(self.results.table("price_curve")["material"]))
        rank = {}
        for name in names:
            found = self.multiple(name, "ask") or self.multiple(name, "paid")
            rank[name] = found[2] if found else 0.0
        return sorted(names, key=lambda name: (-rank[name], name))

    def costs(self) -> pd.DataFrame:
        """Return the mean cost of all regions by date and item, million USD a week."""
        table = self.results.table("cost_curve")
        rows = table[table["region"] == "all"]
        if rows.empty:
            rows = table
        return rows.pivot_table(
            index="date",
            columns="item",
            values="usd_million_per_week_mean",
            aggfunc="sum",
            sort=False,
        ).fillna(0.0)

    def binding(self) -> tuple[str, str, float] | None:
        """Return the (stage, element, mean share of worlds) that binds most, or None."""
        table = self.results.table("bottlenecks")
        rows = table[table["region"] == "all"]
        rows = rows if len(rows) else table
        rows = rows[rows["binding_stage"] != "none"]
        if rows.empty:
            return None
        total = rows.groupby(["binding_stage", "binding_element"])["share_of_worlds"].sum()
        stage, element = total.idxmax()
        dates = max(
            1,
            rows["date"].nunique() * max(1, rows[["region", "sector"]].drop_duplicates().shape[0]),
        )
        return str(stage), str(element), float(total.max() / dates)


def _date(value: object) -> pd.Timestamp | None:
    """Return a fixed date as a timestamp, None for none, for a random or a relative one."""
    if not isinstance(value, str):
        return None
    try:
        return pd.Timestamp(value)
    except ValueError:
        return None
