"""Metrics with selectors, as people write them: checked against the registry and the chain.

``headline`` and ``hypothesis`` of a scenario, and every other place where a metric is asked for by
``metric(selector=value)``, are checked here, before anything is simulated: the metric and its
selectors must exist, each value must be a known word, and the selection may not be empty.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError, combine
from lodestone.border.expressions import (
    Compare,
    Metric,
    comparisons_in,
    metrics_in,
    parse_metric,
    parse_verdict,
    written,
)
from lodestone.border.numbers import parse_date
from lodestone.border.words import suggestion
from lodestone.chain import naming
from lodestone.outputs.items import ITEMS
from lodestone.outputs.metrics import METRICS
from lodestone.outputs.metrics.window import cut_off
from lodestone.scenario.remarks import remarks_on as scenario_remarks
from lodestone.scenario.remarks import shipped_remarks

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.scenario import Scenario

__all__ = [
    "asked_metrics",
    "check_expressions",
    "expression_problems",
    "metric_problems",
    "metric_remarks",
    "own_remarks",
    "remarks_on",
    "window_remarks",
]

#: Words of the selectors whose vocabulary does not depend on the chain.
_FIXED = {
    "market": ("home", "ask", "paid"),
    "stage": ("all", "mine", "separation", "metal", "magnet", "recycling"),
    "item": ("exporter", "others", "new_supply", "recycling", "leak"),
    "by": tuple(ITEMS),
}
#: Selectors that are numbers, with the least and the most they may be.
_NUMBERS = {"share": (0.0, 1.0), "at": (0.0, 1e6), "months": (1.0, 720.0)}
#: Selectors that may name several words.
_SEVERAL = ("region", "sector", "material", "origin", "destination", "element", "stage")

#: Metrics of a headline that a remark names.
MOST_LEFT = 3
#: Metrics that are parts of a whole: from 0 to 1.
_PARTS = (
    "unmet_share",
    "unmet_share_between",
    "unmet_share_peak",
    "military_unmet_share",
    "magnet_share",
    "mining_share",
    "output_share",
    "top_share",
    "export_share",
    "import_share",
    "need_share",
    "idle_share",
    "licences_granted_share",
    "magnet_plant_use",
)
#: Metrics whose ``since`` is a year, and those where it may be a month.
_FROM_YEAR = ("first_short_year", "mine_decision_year", "output_share_change")
_FROM_MONTH = ("export_revenue_usd_million",)

Found = list[tuple[str, str | None]]


def metric_problems(metric: Metric, chain: Chain, start: date, end: date) -> Found:
    """Return what is wrong with a metric and its selectors, as (message, hint).

    Parameters
    ----------
    metric
        From `lodestone.border.expressions`.
    chain
        Whose words the values must be.
    start, end
        First day of the run, and first day no longer simulated.
    """
    if metric.name not in METRICS:
        return [(f"unknown metric '{metric.name}'", suggestion(metric.name, METRICS) or None)]
    known = list(inspect.signature(METRICS[metric.name].function).parameters)[1:]
    found: Found = []
    seen: set[str] = set()
    for key, value in metric.selectors:
        what = f"{metric.name}({key}=...)"
        if key not in known:
            hint = suggestion(key, known) if known else "It takes no selectors."
            found.append((f"{what}: unknown selector '{key}'", hint))
        elif key in seen:
            found.append((f"{what}: the selector stands twice", "Keep one of the two."))
        else:
            found += [
                (f"{what}: {message}", hint)
                for message, hint in _value(metric.name, key, value, chain, start, end)
            ]
        seen.add(key)
    return found or _nothing(metric, chain)


def _value(
    name: str, key: str, value: str | tuple[str, ...], chain: Chain, start: date, end: date
) -> Found:
    items = (value,) if isinstance(value, str) else value
    if not items:
        return [("is an empty list", "Name something, or write all.")]
    if isinstance(value, tuple) and key not in _SEVERAL:
        return [("takes one value, not a list", None)]
    if key == "year":
        return _year(items[0], start, end)
    if key == "since" and name in _FROM_YEAR:
        return _year(items[0], start, end)
    if key in ("since", "until"):
        return _day(items[0], key, name in _FROM_MONTH, start, end)
    if key == "month":
        return _day(items[0], "since", True, start, end)
    if key in _NUMBERS:
        return _number(items[0], *_NUMBERS[key])
    known = _words(key, chain)
    place = key in ("region", "origin", "destination")
    also = naming.also_called(chain) if place else None
    return [
        (f"unknown {_NAMED.get(key, key)} '{item}'", suggestion(item, known, also) or None)
        for item in items
        if item not in known and not (place and naming.known_place(chain, item))
    ]


_NAMED = {"origin": "region", "destination": "region", "of": "material", "by": "way of meeting use"}


def _words(key: str, chain: Chain) -> list[str]:
    if key in ("region", "origin", "destination"):
        return naming.place_words(chain)
    if key in ("material", "of"):
        return [*chain.material_words(), *(["chain"] if key == "of" else [])]
    if key == "sector":
        return [*chain.sectors, "all"]
    if key == "element":
        return [*chain.elements, "all"]
    return list(_FIXED[key])


def _year(text: str, start: date, end: date) -> Found:
    last = end - timedelta(days=1)
    if not text.isdecimal() or len(text) != 4:
        return [(f"'{text}' is not a year", "Write four digits.")]
    if not start.year <= int(text) <= last.year:
        return [(
            f"year {text} is outside the run ({start} to {end})",
            "Name a year of the run, or let the scenario end later.",
        )]  # fmt: skip
    return []


def _day(text: str, key: str, month: bool, start: date, end: date) -> Found:
    try:
        day = parse_date(f"{text}-01" if month and len(text) == 7 else text)
    except ValueError as error:
        return [(str(error), None)]
    if not (start <= day < end if key == "since" else start < day <= end):
        return [(
            f"{day} is outside the run ({start} to {end})",
            "Name a day of the run, or let the scenario run longer.",
        )]  # fmt: skip
    return []


def _number(text: str, low: float, high: float) -> Found:
    try:
        value = float(text)
    except ValueError:
        return [(f"'{text}' is not a number", None)]
    if not low <= value <= high:
        return [(f"{text} is not between {low:g} and {high:g}", None)]
    return []


def _nothing(metric: Metric, chain: Chain) -> Found:
    """Refuse a selection that holds nothing: no such trade, or no such use in the base year."""
    picked = dict(metric.selectors)
    known = inspect.signature(METRICS[metric.name].function).parameters
    if {"origin", "destination"} <= set(picked):
        ends = [naming.places(chain, picked[key]).use for key in ("origin", "destination")]
        there = {region for use in ends for region, share in use.items() if share > 0.0}
        if len(there) == 1:
            told = f"{written(metric)} selects nothing: trade inside a region is not modelled"
            return [(told, None)]
    if "sector" not in known or not {"sector", "region"} & set(picked):
        return []
    if metric.name.startswith("need"):  # a sector may get its first use in the scenario
        picked.pop("sector", None)

    def many(key: str) -> set[str]:
        value = picked.get(key, "all")
        return {value} if isinstance(value, str) else set(value)

    sectors = many("sector")
    regions = {r for r, share in naming.places(chain, many("region")).use.items() if share > 0.0}
    for _, sector, region in naming.uses(chain):
        if region in regions and ("all" in sectors or sector in sectors):
            return []
    told = written(metric)
    return [(f"{told} selects nothing: no such use in the base year", None)]


def metric_remarks(metric: Metric, chain: Chain) -> list[str]:
    """Return how a metric takes countries that are part of a region, one sentence each.

    The model has no countries inside a region: what a metric says of one is a share of the
    region's, or the region's own value.
    """
    found = []
    for key, words in metric.selectors:
        if key not in ("region", "origin", "destination"):
            continue
        meant = naming.places(chain, words)
        for region, there in meant.split().items():
            who = ", ".join(there[:3]) + (" and others" if len(there) > 3 else "")
            share = f"{100 * meant.use[region]:.3g} % of the region's use (A43)"
            inside = {"origin": "plants", "destination": "use"}.get(key) or METRICS[
                metric.name
            ].inside
            if inside == "plants":
                told = f"{who} in {region} counts with its plants on file and {share}; trade inside the region is not modelled"  # fmt: skip
            elif inside == "use":
                told = f"{who} in {region} counts with {share}; who inside the region goes short, pays or holds stocks is not told apart by country"  # fmt: skip
            else:
                told = f"{who} is not told apart from the rest of {region}: the value is that of the region"  # fmt: skip
                told += f", which weighs here with {share}" if len(meant.use) > 1 else ""
            found.append(f"{written(metric)}: {told}")
    return found


def window_remarks(
    metric: Metric, start: date, end: date, shocks: tuple[date, date] | None = None
) -> list[str]:
    """Return why a metric is not complete (see `window.cut_off`): no sentence or one."""
    if metric.name not in METRICS:
        return []
    why = cut_off(metric.name, dict(metric.selectors), start, end, shocks)
    return [f"{written(metric)}: {why}"] if why else []


def remarks_on(
    scenario: Scenario, chain: Chain, shocks: tuple[date, date] | None = None
) -> list[str]:
    """Return every remark on a scenario and on the metrics it asks for, one sentence each.

    Parameters
    ----------
    shocks
        First and last day of the first disruption over the worlds, once it is known.
    """
    return [*scenario_remarks(scenario, chain), *asked_remarks(scenario, chain, shocks)]


def asked_remarks(
    scenario: Scenario, chain: Chain, shocks: tuple[date, date] | None = None
) -> list[str]:
    """Return every remark on the metrics that a scenario asks for; see `remarks_on`."""
    asked = [
        told
        for metric in asked_metrics(scenario).values()
        for told in (
            *metric_remarks(metric, chain),
            *window_remarks(metric, scenario.start, scenario.end, shocks),
        )
    ]
    return list(dict.fromkeys(asked))


def own_remarks(scenario: Scenario, chain: Chain) -> tuple[list[str], int]:
    """Return the remarks on what a user wrote or typed, and how many there are on shipped parts.

    Those of metrics count as shipped where headline and hypothesis are.
    """
    shipped = shipped_remarks(scenario, chain)
    if {"headline", "hypothesis"} <= scenario.shipped:
        for metric in asked_metrics(scenario).values():
            shipped |= set(metric_remarks(metric, chain))
    told = remarks_on(scenario, chain)
    left = [t for t in scenario.headline if beyond_the_run(t, scenario.start, scenario.end)]
    if left and not {"headline", "start", "end"} <= scenario.shipped:
        more = f" and {len(left) - MOST_LEFT} more" if len(left) > MOST_LEFT else ""
        told.append(
            f"{', '.join(left[:MOST_LEFT])}{more}: left out of the headline, because the run "
            f"({scenario.start} to {scenario.end}) does not reach that far"
        )
    own = [remark for remark in told if remark not in shipped]
    return own, len(told) - len(own)


def expression_problems(key: str, text: str, chain: Chain, start: date, end: date) -> Found:
    """Return what is wrong with one expression; those of ``headline`` are a metric alone."""
    try:
        if key.startswith("headline"):
            metrics = [parse_metric(text)]
        else:
            tree = parse_verdict(text)
            metrics = metrics_in(tree)
            if beyond := [p for one in comparisons_in(tree) for p in _decided(one)]:
                return beyond
    except ValueError as error:
        example = "first_stoppage(region=all)"
        if not key.startswith("headline"):
            example += " < days(70)"
        return [(f"the expression {error}", f"Write for example '{example}'.")]
    return [
        problem
        for metric in dict.fromkeys(metrics)
        for problem in metric_problems(metric, chain, start, end)
    ]


def _decided(one: Compare) -> Found:
    """Refuse a comparison whose outcome is known: a share is never above one."""
    if one.metric.name not in _PARTS or one.other is not None or one.op in ("==", "!="):
        return []
    above = one.op in (">", ">=")
    beyond = one.number > 1.0 or (one.number == 1.0 and one.op in (">", "<="))
    if not beyond:
        return []
    told = f"{written(one.metric)} is a share, from 0 to 1: it is "
    told += f"{'never' if above else 'always'} {one.op} {one.number:g}"
    meant = f"did you mean percent({one.number:g})?" if 1.0 < one.number <= 100.0 else ""
    return [(told, f"Write 5 percent as 0.05 or percent(5){'; ' if meant else '.'}{meant}")]


def beyond_the_run(text: str, start: date, end: date) -> bool:
    """Whether a metric asks for a year or a day that a run does not reach.

    A headline is written for the scenario's own dates; in a run that is made shorter, or a file
    that inherits it, such a metric is left out (and a memo says so) rather than refused.
    """
    try:
        picked = dict(parse_metric(text).selectors)
    except ValueError:
        return False
    for key, value in picked.items():
        if not isinstance(value, str):
            continue
        if key == "year" and value.isdecimal() and _year(value, start, end):
            return True
        if key in ("since", "until") and len(value) == 10:
            found = _day(value, key, False, start, end)
            if any("outside the run" in message for message, _ in found):
                return True
    return False


def _expressions(scenario: Scenario) -> Iterable[tuple[str, str]]:
    for number, text in enumerate(scenario.headline):
        if not beyond_the_run(text, scenario.start, scenario.end):
            yield f"headline.{number}", text
    for kind in ("confirmed_if", "refuted_if"):
        if scenario.hypothesis.get(kind):
            yield f"hypothesis.{kind}", str(scenario.hypothesis[kind])


def _or_without(key: str, message: str, hint: str | None) -> str | None:
    """A hint, with the way out of a hypothesis on dates that a shorter run does not reach."""
    if not key.startswith("hypothesis") or "outside the run" not in message:
        return hint
    return f"{hint} Or ask without it: scenario.hypothesis=null."


def _one_condition(scenario: Scenario) -> bool:
    """Whether a hypothesis is confirmed and refuted by the same."""
    both = [scenario.hypothesis.get(key) for key in ("confirmed_if", "refuted_if")]
    return all(both) and parse_verdict(str(both[0])) == parse_verdict(str(both[1]))


def check_expressions(scenario: Scenario, chain: Chain) -> None:
    """Refuse a headline or a hypothesis that asks for what no run can tell.

    Raises
    ------
    InputError
        Names the key, what is wrong and the nearest known word; all problems at once.
    """
    problems = [
        InputError(message, file=scenario.place(key), key=key, hint=_or_without(key, message, hint))
        for key, text in _expressions(scenario)
        for message, hint in expression_problems(key, text, chain, scenario.start, scenario.end)
    ]
    if not problems and _one_condition(scenario):
        key = "hypothesis.refuted_if"
        problems = [
            InputError(
                "is the same condition as confirmed_if",
                file=scenario.place(key),
                key=key,
                hint="Say what would refute it, or leave it out.",
            )
        ]
    if problems:
        raise combine(problems)


def asked_metrics(scenario: Scenario) -> Mapping[str, Metric]:
    """Return the metrics a scenario asks for by name and selectors, by how they are written."""
    out: dict[str, Any] = {}
    for key, text in _expressions(scenario):
        many = (
            [parse_metric(text)] if key.startswith("headline") else metrics_in(parse_verdict(text))
        )
        out |= {written(metric): metric for metric in many}
    return out
