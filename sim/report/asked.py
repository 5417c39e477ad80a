"""The metrics that a scenario's question asks for, in every world, and how people call them.

A row holds a metric with its selectors in the scenario and in the reference. Its title is made
from the metric and the selectors; nothing here knows a scenario.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.report.wording import day, human, joined

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.report.reading import Reading

__all__ = [
    "Frame",
    "Row",
    "default_rows",
    "frame_of",
    "headline_rows",
    "place",
    "row_in",
    "row_of",
    "within",
]

# {at}: " in Europe"; {of}: " of Europe"; {users}: " for wind"; {year}: "2030"; {goods}: "Dy oxide";
# {span}: "from 2024 to the end of 2029"; {origin}, {to}: places of trade; {share}: "25 %".
TITLES: Mapping[str, str] = {
    "gross_unmet_t": "Shortfall{at}{users} before stocks are drawn, to {end}",
    "unmet_t": "Net shortfall of magnets{at}{users}, to {end}",
    "unmet_share": "Net shortfall{at}{users} in the year after {shock}, share of planned use",
    "unmet_share_between": "Net shortfall{at}{users}, {span}, share of planned use",
    "unmet_share_peak": "Net shortfall{at}{users} in the worst week, share of planned use",
    "military_unmet_share": "Net shortfall of military users{at}, {span}, share of planned use",
    "first_military_stockout": "Time until military users{at} lack half of their use, from {moment}",
    "first_stoppage": "Time until the first users{at}{users} stop, from {shock}",
    "stoppage_weeks": "Longest time that users of one sector{at} stand, from {shock}, who stood before included",
    "time_to_recover_weeks": "Length of the shortage{at}{users} (above 1 % of planned use)",
    "lost_output_usd_million": "Lost output{at}{users} to {end} (upper bound)",
    "lost_output_usd_million_per_day": "Lost output{at} on the worst day (upper bound)",
    "lost_in_a_year_usd_million": "Lost output{at}{users} in the year after {shock} (upper bound)",
    "lost_output_per_usd": "Lost output per dollar of magnets that are missing",
    "first_short_year": "First year in which more than {share} of planned use{at}{users} goes unmet",
    "mine_decision_year": "Last year in which mines can be decided to be in time",
    "cover_days_low": "Lowest stock of {goods}{at} in the {months} months after {shock}",
    "use_of_plan": "Use of {element}{at} that happens in {year}, share of planned use",
    "price_multiple_home": "Peak home price of {goods} within two years of {moment}, over the price before",
    "price_multiple_ask": "Peak spot price of {goods} outside China within two years of {moment}, over the price before",
    "price_multiple_paid": "Peak price paid for {goods} outside China within two years of {moment}, over the price before",
    "price_peak_multiple": "Peak price of {goods} within two years of {moment}, over the price before",
    "price_usd_per_kg": "Mean {market} price of {goods} in {year}",
    "price_gap_peak": "Highest ratio of the spot price of {goods} outside to the home price",
    "paid_usd_per_kg": "Mean price paid for {goods}{at} in {year}",
    "public_outlay_usd_million": "Public outlay{at}, net of receipts, {when}",
    "premium_usd_million": "Payments of buyers{at} above base-year prices, {when}",
    "tariff_usd_million": "Tariff bill{at}, {when}",
    "burden_usd_million": "Cost of scarcity to buyers{at} (premium and lost output), present value",
    "export_revenue_usd_million": "Earnings{ofo} from exports of {goods}{to}, {span}, present value",
    "trade_value_usd_million": "Earnings{ofo} from exports of {goods}{to} in {year}",
    "magnet_exports_t": "Declared magnet exports{of} in {when_or_year}",
    "magnet_share": "Share{of} in world magnet output in {year}",
    "self_sufficiency": "Own magnet output{at} in {year}, share of use",
    "leak_t": "Undeclared shipments of {goods}{fromo}{to} {leak}",
    "traded_t": "Declared shipments of {goods}{fromo}{to} in {year}",
    "export_share": "Share{ofo} in world exports of {goods} in {year}",
    "import_share": "Share{ofo} in the imports of {goods}{of} in {year}",
    "import_reliance": "Net import reliance{of} for {goods} in {year}",
    "mining_share": "Share{of} in mined ore in {year}",
    "output_t": "Output of {goods}{at} in {year}",
    "output_share": "Share{of} in world output of {goods} in {year}",
    "output_share_change": "Change of the share{of} in world output of {goods}",
    "top_share": "Share of the largest region in world output of {goods} in {year}",
    "magnet_plant_use": "Use of magnet capacity{at} in {year}",
    "licences_granted_share": "Part of the licences filed that is granted by {end}",
    "idle_share": "{stage} capacity{at} that stands idle for want of margin in {year}",
    "supply_share": "Part of the {element} supply{of} that comes from {item} in {year}",
    "separation_coverage": "Own {element} oxide{at} in {year}, share of planned use",
    "years_to_coverage": "Time until own {element} oxide{at} covers {share} of planned use",
    "ore_t": "Ore that mines{at} send to separators in {year}",
    "need_t": "{goods} that planned use{at}{users} takes in {year}",
    "need_share": "Share of {sector} in the need for {goods} in {year}",
    "need_value_usd_million": "Worth of the {goods} that {sector} need, to {end}",
    "stage_coverage": "Own output of {goods}{at} in {year}, share of own need",
    "chain_coverage": "Own output{at} in {year} at the scarcest stage from oxide to magnet, share of need",
    "coverage_year": "First year in which own {what}{at} {cover} {share} of use",
    "met_share": "Part of the planned use of {element}{at} that is {by} in {year}",
    "recycled_share": "Own oxide from scrap{at} in {year}, share of the need for {element}",
}
ITEMS = {
    "exporter": "China",
    "others": "other countries",
    "new_supply": "own separation",
    "recycling": "recycling",
    "leak": "undeclared shipments",
}
BY = {
    "unmet": "left unmet",
    "substitution": "saved by substitution",
    "demand_destruction": "given up because of prices",
    "new_supply": "met by own separation",
    "recycling": "met by recycling",
    "scrap_left": "left as scrap by makers of magnets",
    "leak": "met by undeclared shipments",
    "exporter": "met by the largest exporter",
    "others": "met by other countries",
    "stock_draw": "met from stocks",
}
DEFAULTS = {
    "material": "dy_oxide",
    "share": 0.5,
    "element": "ndpr",
    "item": "exporter",
    "by": "substitution",
    "stage": "mine",
    "sector": "humanoid_robots",
    "months": 12,
    "market": "home",
}
ARTICLE = {
    "united_states",
    "rest_of_world",
    "quad",
    "g7",
    "eu",
    "eight_country",
    "allies",
    "brics",
    "five_eyes",
}
PLACES = {"allies": "the allies", "japan_eu": "Japan and Europe", "eu": "the EU"}
REGIONS = 12


def place(names: object) -> str:
    """Return one or several regions or blocs as they stand in a sentence; blank for all."""
    listed = [names] if isinstance(names, str) else list(names)  # type: ignore[call-overload]
    if listed in (["all"], []):
        return ""
    if "china" not in listed and len(listed) >= REGIONS:
        return "the world without China"
    told = [PLACES.get(n) or (f"the {human(n)}" if n in ARTICLE else human(n)) for n in listed]
    return joined(told)


def within(name: str) -> str:
    """Return a place with its preposition: `in Europe`, `among the allies`."""
    return f"among {name}" if name == PLACES["allies"] else f"in {name}"


@dataclass(frozen=True, eq=False)
class Row:
    """A metric with its selectors, in every world.

    Attributes
    ----------
    text
        As written: ``unmet_share(region=europe)``.
    name, selectors, unit
        The metric.
    title
        What people call it.
    own, calm
        Values with and without the measures, shape (w,); `calm` is None without a reference.
    """

    text: str
    name: str
    selectors: Mapping[str, Any]
    unit: str
    title: str
    own: np.ndarray
    calm: np.ndarray | None

    @cached_property
    def delta(self) -> np.ndarray:
        """Differences world by world, where both are known; equal infinities differ by nothing."""
        if self.calm is None:
            return np.zeros(0)
        with np.errstate(invalid="ignore"):
            out = np.where(self.own == self.calm, 0.0, self.own - self.calm)
        return out[~np.isnan(out)]

    @cached_property
    def grain(self) -> float:
        """Three digits of the largest level: below half of it a difference is not told.

        A year is told to the year.
        """
        if self.unit == "year":
            return 1.0
        values = [self.own] if self.calm is None else [self.own, self.calm]
        size = max(float(np.abs(finite(v)).max(initial=0.0)) for v in values)
        if size <= 0.0:
            return 1e-12
        least = 0.001 if self.unit == "share" else 0.0
        return max(10.0 ** (math.floor(math.log10(size)) - 2), least)

    @property
    def still(self) -> bool:
        """Whether the measures move it in no world, or by less than is told of a number."""
        if self.calm is None or not self.delta.size:
            return False
        return bool((np.abs(self.delta) < 0.5 * self.grain).all())

    @property
    def clear(self) -> bool:
        """Whether the band of the differences stands clear of zero."""
        if self.calm is None or not self.delta.size:
            return False
        low, middle, high = quantiles(self.delta)
        return (low > 0 or high < 0) and abs(middle) >= 0.5 * self.grain


def finite(values: np.ndarray) -> np.ndarray:
    """The finite ones of some values."""
    return values[np.isfinite(values)]


def quantiles(values: np.ndarray) -> tuple[float, float, float]:
    """The 5, 50 and 95 % quantiles of known values; infinite ones are larger than all others."""
    known = np.sort(values[~np.isnan(values)])
    if not known.size:
        return (math.nan,) * 3
    out = []
    for q in (0.05, 0.5, 0.95):
        at = q * (known.size - 1)
        low, part = float(known[int(at)]), at - int(at)
        high = float(known[min(int(at) + 1, known.size - 1)])
        if math.isinf(low) or math.isinf(high):
            out.append(low if low == high or part < 0.5 else high)
        else:
            out.append(low + (high - low) * part)
    return out[0], out[1], out[2]


@dataclass(frozen=True)
class Frame:
    """What a title needs to know of a run.

    Attributes
    ----------
    last
        Last date of the run.
    shock
        Start of the first own disruption, or words for it where it differs by case; None for none.
    """

    last: pd.Timestamp
    shock: pd.Timestamp | str | None


def frame_of(reading: Reading) -> Frame:
    """Return the frame of a run."""
    return Frame(reading.curve().index[-1], reading.shock)


def headline_rows(reading: Reading) -> list[Row]:
    """Return the rows that the scenario asks for, in its order; without any, what moved most."""
    rows = [row_of(reading, text) for text in reading.scenario.get("headline") or ()]
    found = [row for row in rows if row is not None]
    return found or default_rows(reading)


#: What a scenario that names no headline is told about, as far as it moves.
USUAL = (
    "unmet_share_peak",
    "unmet_t",
    "first_stoppage",
    "lost_output_usd_million",
    "price_peak_multiple[material=dy_oxide]",
    "price_peak_multiple[material=ndpr_oxide]",
    "public_outlay_usd_million",
    "premium_usd_million",
    "tariff_usd_million",
    "magnet_exports_t",
    "magnet_share[region=china]",
    "self_sufficiency[region=united_states]",
    "top_share",
    "leak_t",
)


def default_rows(reading: Reading) -> list[Row]:
    """Return the usual metrics that the measures move clearly, up to eight."""
    rows = [row for row in (row_of(reading, text) for text in USUAL) if row is not None]
    moved = [row for row in rows if row.calm is None or row.clear]
    return (moved or [row for row in rows if not row.still] or rows)[:8]


def row_of(reading: Reading, text: str) -> Row | None:
    """Return a metric of the table of worlds by expression or column name; None if not there."""
    return row_in(reading.results.worlds, frame_of(reading), text)


def row_in(worlds: pd.DataFrame, frame: Frame, text: str) -> Row | None:
    """Return a metric of a table of worlds by expression or column name; None if not there."""
    from lodestone.border.expressions import parse_metric
    from lodestone.outputs.tables.summary import parse_key

    if "[" in text.partition("(")[0]:  # a column; an expression may hold a list of names
        name, picked = parse_key(text)
        selectors: dict[str, Any] = dict(picked)
        keys = [text]
    else:
        metric = parse_metric(text)
        name = metric.name
        selectors = dict(metric.selectors)
        keys = [_written(name, selectors), _column(name, selectors), text]
    key = next((k for k in keys if k in worlds), None)
    if key is None:
        return None
    own = worlds[key].to_numpy(dtype=float)
    other = f"reference_{key}"
    calm = worlds[other].to_numpy(dtype=float) if other in worlds else None
    return Row(text, name, selectors, _unit(name), title_of(frame, name, selectors), own, calm)


def _written(name: str, selectors: Mapping[str, Any]) -> str:
    from lodestone.border.expressions import Metric, written

    return written(Metric(name, tuple(selectors.items())))


def _column(name: str, selectors: Mapping[str, Any]) -> str:
    if not selectors:
        return name
    inside = ",".join(f"{k}={v}" for k, v in sorted(selectors.items()))
    return f"{name}[{inside}]"


def _unit(name: str) -> str:
    from lodestone.outputs.metrics import METRICS

    return METRICS[name].unit if name in METRICS else ""


def _default(name: str, key: str) -> Any:
    """What a metric takes where a selector is not named."""
    import inspect

    from lodestone.outputs.metrics import METRICS

    if name in METRICS:
        held = inspect.signature(METRICS[name].function).parameters.get(key)
        if held is not None and held.default is not inspect.Parameter.empty:
            return held.default
    return DEFAULTS.get(key)


def title_of(frame: Frame, name: str, selectors: Mapping[str, Any]) -> str:
    """Return what people call a metric with its selectors."""

    def given(key: str) -> Any:
        value = selectors.get(key)
        return _default(name, key) if value is None else value

    pattern = TITLES.get(name)
    last = frame.last
    year_ends = (last.month == 12 and last.day > 20) or (last.month == 1 and last.day < 10)
    end = last.year - (last.month == 1)
    through = f"the end of {end}" if year_ends else day(last)
    if pattern is None:
        extra = ", ".join(f"{k} {_several(v)}" for k, v in selectors.items())
        return capital_name(name) + (f" ({extra})" if extra else "")
    region, origin = place(given("region") or "all"), place(given("origin") or "all")
    to = place(selectors.get("destination") or "all")
    sector, shock = given("sector") or "all", frame.shock
    year = str(given("year") or end)
    since, until = selectors.get("since"), selectors.get("until")
    share = given("share")
    of = str(selectors.get("of", "ndfeb_magnets"))
    moment = since or shock
    words = {
        "at": f" {within(region)}" if region else "",
        "of": f" of {region}" if region else " of the largest region",
        "ofo": f" of {origin}" if origin else "",
        "fromo": f" from {origin}" if origin else "",
        "to": f" to {to}" if to else "",
        "users": "" if sector == "all" else f" for {_several(sector)}",
        "sector": _several(sector),
        "year": year,
        "when": f"in {selectors['year']}" if "year" in selectors else f"present value to {through}",
        "when_or_year": year if "year" in selectors else f"the year after {_told(shock)}",
        "leak": f"in {selectors['year']}" if "year" in selectors else f"to {through}",
        "end": through,
        "goods": _goods(given("material")),
        "element": _several(given("element") or "ndpr"),
        "span": _span(since, until, through),
        "shock": _told(shock),
        "moment": _told(moment),
        "share": "" if share is None else f"{100 * float(share):.3g} %",
        "months": str(given("months") or ""),
        "market": str(given("market") or "").replace("ask", "spot"),
        "stage": human(_several(given("stage") or "mine")).capitalize(),
        "item": ITEMS.get(str(given("item")), str(given("item"))),
        "by": BY.get(str(given("by")), str(given("by"))),
        "what": "magnets with all their inputs" if of == "chain" else _goods(of),
        "cover": "cover",
    }
    text = string.Formatter().vformat(pattern, (), words)
    return text[:1].upper() + text[1:]


def capital_name(name: str) -> str:
    """Return a metric's name as a title."""
    from lodestone.outputs.metrics import METRICS

    text = METRICS[name].title if name in METRICS else human(name)
    return text[:1].upper() + text[1:]


def _goods(material: object) -> str:
    several = [material] if isinstance(material, str) else list(material or ())  # type: ignore[call-overload]
    if several in (["all"], []):
        return "rare-earth goods"
    if len(several) > 3:
        return "the listed goods"
    return joined([human(str(m)) for m in several])


def _several(value: object) -> str:
    listed: Iterable[Any] = [value] if isinstance(value, str | float | int) else value  # type: ignore[assignment]
    return joined([human(str(v)) for v in listed])


def _told(when: object) -> str:
    import pandas as pd

    if not when:
        return "the start"
    if isinstance(when, str) and not when[:4].isdigit():
        return when
    return day(pd.Timestamp(str(when)))


def _span(since: object, until: object, end: str) -> str:
    if since and until:
        return f"{_told(since)} to {_told(until)}"
    if since:
        return f"from {_told(since)} to {end}"
    return f"to {end}" if not until else f"to {_told(until)}"
