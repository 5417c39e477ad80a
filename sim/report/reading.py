"""What the numbers of a run say: the findings that titles and sentences are made of.

Everything here is derived from the run folder.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lodestone.outputs.results import BAND, Results
from lodestone.report.marks import Mark, marks_of
from lodestone.report.shortages import NOTICEABLE, Shortage, shortage_of
from lodestone.report.wording import capital, human

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["NOTICEABLE", "Mark", "Reading", "Shortage"]

WORTH_NAMING = 0.01
"""Share of all planned use from which a group of users is named as the hardest hit (0..1)."""

#: Differences below these are numerical dust (tonnes a week, share of planned use).
DUST_T, DUST_SHARE = 1e-3, 1e-6


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
        self._deltas: dict[tuple[str, str, str], pd.DataFrame] = {}

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
        title = str(self.scenario.get("title") or "")
        if title in ("", self.name.replace("_", " ")):
            title = capital(human(self.name))
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

    def cut_off(self, name: str, selectors: Mapping[str, Any]) -> str:
        """Say why a metric is not complete: the run ends within what it looks at; else blank."""
        from lodestone.outputs.metrics import METRICS
        from lodestone.outputs.metrics.window import cut_off

        held = self.results.provenance.get("first_disruption")
        said = [self.scenario.get("start"), self.scenario.get("end")]
        if name not in METRICS or not held or None in said:
            return ""
        start, end, first, last = (date.fromisoformat(str(d)) for d in (*said, held[0], held[-1]))
        return cut_off(name, dict(selectors), start, end, (first, last))

    @cached_property
    def marks(self) -> list[Mark]:
        """The measures that tell scenario and reference apart, by start; alone: all of them."""
        held = self.results.table("calendar") if self.results.has("calendar") else None
        own, calm = (s.get("interventions") or {} for s in (self.scenario, self.reference_scenario))
        return marks_of(own, calm, held, self.curve().index)

    @cached_property
    def reference_scenario(self) -> dict[str, Any]:
        """The reference as it was run; empty where there is none or the folder does not hold it."""
        inner = self.results.config.get("reference")
        return inner if isinstance(inner, dict) else {}

    @cached_property
    def from_the_start(self) -> bool:
        """Whether scenario and reference differ from the first day on: other parameters."""
        calm = self.reference_scenario
        return bool(calm) and (self.scenario.get("overrides") or {}) != (
            calm.get("overrides") or {}
        )

    @cached_property
    def since(self) -> pd.Timestamp:
        """The day from which anything may differ: the first own measure becomes known.

        Before it no sentence and no figure names a date. The run's first day where the scenario
        was run alone, differs by parameters, or has no measure of its own.
        """
        first = self.curve().index[0]
        if self.reference is None or self.from_the_start or not self.marks:
            return first
        return max(first, min(mark.known for mark in self.marks))

    @cached_property
    def begins(self) -> pd.Timestamp | None:
        """Start of the first own measure of any role; None where there is none."""
        return min((mark.start for mark in self.marks), default=None)

    @cached_property
    def shock(self) -> pd.Timestamp | None:
        """Start of the first own disruption, else of the first own measure, else None."""
        disruptions = [mark.start for mark in self.marks if mark.role == "disruption"]
        starts = disruptions or [mark.start for mark in self.marks]
        return min(starts) if starts else None

    @cached_property
    def clock(self) -> str:
        """What `shock` is, in words: the start, or the first disruption where a policy is earlier."""
        return "the start" if self.shock == self.begins else "the first disruption"

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

    def delta(self, region: str = "all", sector: str = "all", tier: str = "all") -> pd.DataFrame:
        """Return what the measures add to unmet use of a group, by date from `since` on.

        Columns ``SERIES_Q``: series `unmet`, `gross_unmet` (t of magnet a week) and `unmet_share`
        (share of planned use), Q of mean, p05, p50, p95. From ``delta_curve.csv``, where each world
        is set against itself; a run folder without it, and tiers, give differences of the
        quantiles (`paired` says which). Alone: the levels.
        """
        key = (region, sector, tier)
        if key not in self._deltas:
            whole = self._paired(region, sector) if tier == "all" and self.paired else None
            if whole is None:
                whole = self._unpaired(*key)
            self._deltas[key] = whole.loc[self.since :]
        return self._deltas[key]

    @cached_property
    def paired(self) -> bool:
        """Whether differences are taken world by world."""
        return self.reference is not None and self.results.has("delta_curve")

    @cached_property
    def _delta_cells(self) -> dict[tuple[str, str, str], np.ndarray]:
        table = self.results.table("delta_curve")
        return table.groupby(["region", "sector", "series"], sort=False).indices

    def _paired(self, region: str, sector: str) -> pd.DataFrame:
        table = self.results.table("delta_curve")
        index = self.curve().index
        columns = {}
        for series in ("unmet", "gross_unmet", "unmet_share"):
            rows = self._delta_cells.get((region, sector, series))
            held = None if rows is None else table.iloc[rows].set_index("date").sort_index()
            dust = DUST_SHARE if series == "unmet_share" else DUST_T
            for q in BAND:
                values = pd.Series(0.0, index) if held is None else held[q].reindex(index)
                columns[f"{series}_{q}"] = values.where(values.abs() > dust, 0.0)
        return pd.DataFrame(columns, index=index)

    def _unpaired(self, region: str, sector: str, tier: str) -> pd.DataFrame:
        curve = self.curve(region, sector, tier)
        calm = curve["reference_unmet_share_p50"].fillna(0.0)
        tonnes = calm * curve["demand_t_magnet_per_week"]
        columns = {}
        for q in BAND:
            columns[f"unmet_{q}"] = curve[f"unmet_t_magnet_per_week_{q}"] - tonnes
            columns[f"gross_unmet_{q}"] = curve[f"gross_unmet_t_magnet_per_week_{q}"] - tonnes
            columns[f"unmet_share_{q}"] = curve[f"unmet_share_{q}"] - calm
        return pd.DataFrame(columns, index=curve.index)

    def members(self, axis: str) -> list[str]:
        """Return the regions, sectors or tiers of the curve, most tonnes at stake first."""
        position = ("region", "sector", "tier").index(axis)
        names = sorted({cell[position] for cell in self.cells} - {"all"})
        totals = {
            name: float(self.delta(**{axis: name})["unmet_mean"].abs().sum()) for name in names
        }
        return sorted(names, key=lambda name: (-totals[name], name))

    def shortage(self, **group: str) -> Shortage:
        """Return what the measures do to the unmet use of a group of users (see `delta`)."""
        delta = self.delta(**group)
        return shortage_of(delta, self.curve(**group).loc[self.since :])

    def hardest(self, axis: str) -> tuple[str, Shortage] | None:
        """Return the member of an axis with the largest median difference in share, or None.

        Members with less than `WORTH_NAMING` of all planned use are passed over while a larger
        one runs short: a tiny user without magnets is no finding.
        """
        sign = self.shortage().sign
        demand = {
            name: float(self.curve(**{axis: name})["demand_t_magnet_per_week"].sum())
            for name in self.members(axis)
        }
        whole = sum(demand.values())
        hit = {
            name: found
            for name in demand
            if (found := self.shortage(**{axis: name})).likelihood in {"likely", "sure"}
            and found.sign == sign
        }
        large = [name for name in hit if demand[name] >= WORTH_NAMING * whole]
        candidates = large or list(hit)
        if not candidates:
            return None
        worst = max(candidates, key=lambda name: sign * hit[name].p50)
        return worst, hit[worst]

    @property
    def asks_for_shortage(self) -> bool:
        """Whether the first number asked for is about shortage; also where none is asked for."""
        from lodestone.report.families import family

        asked = [str(text) for text in self.scenario.get("headline") or ()]
        return not asked or family(asked[0].split("(", 1)[0]) == "shortage"

    @cached_property
    def window(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """The dates worth drawing: from the first own measure to after the last difference."""
        index = self.curve().index
        first, last = index[0], index[-1]
        if self.shock is None and self.since == first:
            return first, last
        if not self.asks_for_shortage:
            return max(first, self.since), last
        delta = self.delta()
        far = delta[["unmet_share_p05", "unmet_share_p95"]].abs().max(axis=1)
        noticed = far[far >= NOTICEABLE].index
        latest = max([self.since, *(mark.start for mark in self.marks)])
        until = noticed[-1] if len(noticed) else latest
        end = max(until + pd.Timedelta(days=180), latest + pd.Timedelta(days=548))
        return max(first, self.since), min(last, end)

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
            before = middle[middle.index < self.since]
            base = pd.Series(float((before if len(before) else middle).iloc[-1]), middle.index)
        ratio = (middle / base).dropna()
        ratio = ratio[ratio.index >= self.since]
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

    def costs(self, region: str = "all") -> pd.DataFrame:
        """Return the mean extra cost of a region by date and item, million USD a week.

        The difference from the reference where the table has it, else the level (`costs_differ`).
        """
        table = self.results.table("cost_curve")
        rows = table[(table["region"] == region) & (table["date"] >= self.since)]
        return rows.pivot_table(
            index="date",
            columns="item",
            values=self._cost_stem + "_mean",
            aggfunc="sum",
            sort=False,
        ).fillna(0.0)

    @cached_property
    def magnet_trade(self) -> pd.DataFrame:
        """Rows of ``trade_flows`` of magnets that cross a border, all channels, t a month."""
        table = self.results.table("trade_flows")
        magnets = table["material"].str.startswith(("ndfeb", "smco"))
        return table[magnets & (table["origin"] != table["destination"])]

    @cached_property
    def costs_differ(self) -> bool:
        """Whether costs are told as differences from the reference, world by world."""
        table = self.results.table("cost_curve")
        return self.reference is not None and "delta_usd_million_per_week_mean" in table

    @property
    def _cost_stem(self) -> str:
        return "delta_usd_million_per_week" if self.costs_differ else "usd_million_per_week"
