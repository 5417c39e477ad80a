"""An episode's file turned into an `Episode`: every word is checked against the scenario's own chain.

What cannot be meant is refused with file, line, key and the nearest known word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from lodestone.backcast.episode import Episode, Fact, Point, Shock
from lodestone.backcast.recorded import CASES, PERIODS, day_span, month_span
from lodestone.backcast.statistics import KINDS, UNITS, Span
from lodestone.border.csvfile import read_rows
from lodestone.border.errors import InputError
from lodestone.border.numbers import read_float
from lodestone.border.units import unit_factor
from lodestone.border.words import suggestion, unknown
from lodestone.border.yamlfile import Document, find_place
from lodestone.chain.load import load_chain
from lodestone.outputs.series import SELECTORS, SERIES, Query, check_query
from lodestone.scenario import Scenario, load_reference, load_scenario

__all__ = ["read_document"]

EPISODE_KEYS = (
    "name", "title", "text", "scenario", "window", "facts", "points", "source", "note", "history",
    "inputs_in_doubt", "static",
)  # fmt: skip
FACT_KEYS = (
    "id", "text", "series", "statistic", "observed", "band", "unit", "source", "note", "scored",
    "panel",
)  # fmt: skip
FACT_NEEDS = ("id", "series", "statistic", "observed", "band")
#: Where a good may be scarcer, for the static forecaster.
SIDES = ("abroad", "home", "both")
#: Times of a statistic that may be a single moment or a range.
TIMES = ("at", "over", "base", "from", "to", "by")


def read_document(
    path: Path,
    document: Document,
    overrides: Mapping[str, Any],
    variant: str | None,
    overlays: tuple[str, ...],
) -> Episode:
    """An episode from its file's content, with changes to its scenario.

    Raises
    ------
    InputError
        Naming file, key, what is wrong and the nearest known word.
    """
    return _Reader(path, document).episode(dict(overrides), variant, overlays)


class _Reader:
    """Turns the content of an episode file into an `Episode`."""

    def __init__(self, path: Path, document: Document) -> None:
        self.path, self.data, self.places = path, document.data, document.places

    def fail(self, key: str, message: str, hint: str | None = None) -> InputError:
        """Build the error for a key, with its line."""
        return InputError(message, file=self.place(key), key=key, hint=hint)

    def place(self, key: str) -> str:
        return str(find_place(self.places, key) or self.path)

    def known(self, data: Mapping[str, Any], known: Iterable[str], at: str) -> None:
        for key in data:
            if key not in known:
                where = f"{at}.{key}" if at else key
                raise self.fail(where, "unknown key", suggestion(key, known))

    def texts(self, data: Mapping[str, Any], keys: Iterable[str], at: str) -> None:
        """Refuse a list or a mapping where text is meant."""
        for key in keys:
            if isinstance(data.get(key), Mapping | list | bool):
                raise self.fail(f"{at}{key}", f"must be text, got {data[key]!r}", "Quote it.")

    def episode(
        self, overrides: dict[str, Any], variant: str | None, overlays: tuple[str, ...]
    ) -> Episode:
        data = self.data
        self.known(data, EPISODE_KEYS, "")
        for key in ("name", "scenario", "window", "facts"):
            if data.get(key) in (None, "", []):
                raise self.fail(key, "is missing")
        window = self.window(data["window"])
        doubt = _words(data.get("inputs_in_doubt"))
        scenario = self.scenario(str(data["scenario"]), overrides, variant, (*doubt, *overlays))
        chain = load_chain(scenario.vintage)
        reference = load_reference(scenario)
        if reference is not None:
            reference = replace(reference, overrides={**reference.overrides, **scenario.overrides})
        if not isinstance(data["facts"], list):
            raise self.fail("facts", "must be a list of facts", "Write '- id: ...' for each.")
        self.chain, self.span, self.remarks = chain, window, list[str]()
        self.simulated = Span(scenario.start.toordinal(), scenario.end.toordinal())
        self.reference = reference
        self.about = f"scenario {scenario.name}, {scenario.start} to {scenario.end}"
        facts: list[Fact] = []
        for number, given in enumerate(data["facts"]):
            fact = self.fact(given, f"facts.{number}")
            if fact.id in [f.id for f in facts]:
                raise self.fail(f"facts.{number}.id", f"the id '{fact.id}' stands twice")
            facts.append(fact)
        last = min(scenario.end, date.fromordinal(int(window.last)))
        scenario = replace(scenario, end=last)
        if reference is not None:
            reference = replace(reference, end=last)
        return Episode(
            name=str(data["name"]),
            title=str(data.get("title") or str(data["name"]).replace("_", " ")),
            file=self.path,
            scenario=scenario,
            reference=reference,
            chain=chain,
            window=window,
            facts=tuple(facts),
            points=tuple(self.points(data.get("points"), [f.panel for f in facts])),
            remarks=tuple(self.remarks),
            history=str(data.get("history") or data["name"]),
            static=tuple(self.shocks(data.get("static"))),
        )

    def scenario(
        self, word: str, overrides: dict[str, Any], variant: str | None, overlays: tuple[str, ...]
    ) -> Scenario:
        """The episode's scenario: a path or name beside the file first, then a known name."""
        beside = [self.path.parent / word, self.path.parent / f"{word}.yaml"]
        found = next((p for p in beside if p.is_file()), None)
        try:
            return load_scenario(
                found or word, variant=variant, overlays=overlays, overrides=overrides
            )
        except InputError as error:
            if found is None and error.file is None and error.message.startswith("unknown scen"):
                raise self.fail("scenario", error.message, error.hint) from None
            raise

    def shocks(self, given: Any) -> list[Shock]:
        """What the static forecaster is told, checked."""
        out = []
        for number, item in enumerate(given or []):
            at = f"static.{number}"
            if not isinstance(item, Mapping):
                raise self.fail(at, "must be a mapping of materials, side, over and quantity")
            needs = ("materials", "side", "over", "quantity")
            self.known(item, needs, at)
            for key in needs:
                if item.get(key) is None:
                    raise self.fail(at, f"'{key}' is missing")
            if item["side"] not in SIDES:
                raise unknown("side", item["side"], SIDES, self.place(f"{at}.side"), f"{at}.side")
            quantity = self.number(item["quantity"], f"{at}.quantity")
            if quantity <= -1.0:
                raise self.fail(f"{at}.quantity", "must be above -1: something is always on offer")
            names = dict.fromkeys(
                m for word in _words(item["materials"]) for m in self.chain.materials_named(word)
            )
            span = self.time(item["over"], f"{at}.over")
            out.append(Shock(tuple(names), str(item["side"]), span, quantity))
        return out

    # ---- times -------------------------------------------------------------------------

    def moment(self, given: Any, key: str) -> Span:
        """One month or day."""
        text = str(given)
        try:
            if len(text) == 7:
                first = date.fromisoformat(f"{text}-01")
                return month_span(first.year * 12 + first.month - 1)
            if len(text) == 10:
                return day_span(date.fromisoformat(text))
        except ValueError:
            pass
        raise self.fail(key, f"must be YYYY-MM or YYYY-MM-DD, got '{text}'")

    def time(self, given: Any, key: str) -> Span:
        """A month, a day, or a range of them with both ends."""
        if not isinstance(given, list):
            return self.moment(given, key)
        if len(given) != 2:
            raise self.fail(key, "a range is [from, to], both ends included")
        first, last = (self.moment(g, key) for g in given)
        if last.last <= first.first:
            raise self.fail(key, f"the range ends ({given[1]}) before it begins ({given[0]})")
        return Span(first.first, last.last, first.month)

    def window(self, given: Any) -> Span:
        if not isinstance(given, list):
            raise self.fail("window", "must be a range", "Write window: [2024-01, 2025-09].")
        return self.time(given, "window")

    def inside(self, span: Span, given: Any, key: str) -> None:
        """Refuse a time outside the window or outside what the scenario simulates."""
        if span.first < self.span.first or span.last > self.span.last:
            raise self.fail(
                key,
                f"{_told(given)} is outside the window {_told(self.data['window'])}",
                "Widen the window, or correct the date.",
            )
        if span.last <= self.simulated.first or span.first >= self.simulated.last:
            raise self.fail(key, f"{_told(given)} is not simulated ({self.about})")
        early = max(self.simulated.first - span.first, 0.0)
        late = max(span.last - self.simulated.last, 0.0)
        if early + late > 15.5:
            raise self.fail(key, f"{_told(given)} is not simulated as a whole ({self.about})")

    # ---- one fact ----------------------------------------------------------------------

    def fact(self, given: Any, at: str) -> Fact:
        if not isinstance(given, Mapping):
            raise self.fail(at, "a fact is a mapping of keys", "Write '- id: ...'.")
        self.known(given, FACT_KEYS, at)
        for key in FACT_NEEDS:
            if given.get(key) in (None, "", {}, []):
                raise self.fail(f"{at}.{key}" if key in given else at, f"'{key}' is missing")
        self.texts(given, ("id", "text", "note", "panel"), f"{at}.")
        statistic = given["statistic"]
        if not isinstance(statistic, Mapping):
            raise self.fail(f"{at}.statistic", "must be a mapping", "{kind: value, at: 2025-05}")
        kind = str(statistic.get("kind", ""))
        if not kind:
            raise self.fail(f"{at}.statistic", "'kind' is missing", suggestion("", KINDS))
        if kind not in KINDS:
            raise self.fail(
                f"{at}.statistic.kind",
                f"unknown statistic '{kind}'",
                suggestion(kind, KINDS) or f"Known: {', '.join(KINDS)}.",
            )
        per = self.per(kind, statistic, given["series"], at)
        query = self.query(given["series"], f"{at}.series", per)
        keys, against = self.keys(kind, statistic, query, f"{at}.statistic")
        metric = SERIES[query.metric]
        if kind == "sum" and metric.kind != "flow":
            raise self.fail(
                f"{at}.statistic.kind",
                f"{query.metric} does not add up over time",
                "Use mean, or a metric in tonnes that flow.",
            )
        natural = _unit(kind, metric.unit, metric.kind, query.per, keys)
        unit, factor = self.unit(given.get("unit"), natural, f"{at}.unit")
        observed, low, high = self.numbers(given, kind, keys, at)
        if not low <= observed <= high:
            self.remarks.append(
                f"{self.place(f'{at}.observed')}: {given['id']}: the observed value "
                f"{observed:g} lies outside its own band"
            )
        return Fact(
            id=str(given["id"]),
            text=str(given.get("text") or given["id"]).strip(),
            series=query,
            against=against,
            kind=kind,
            keys=keys,
            observed=observed,
            low=low,
            high=high,
            unit=unit,
            factor=factor,
            source=_words(given.get("source")),
            note=str(given.get("note") or ""),
            scored=self.flag(given.get("scored", True), f"{at}.scored"),
            panel=str(given.get("panel") or given["id"]),
        )

    def unit(self, given: Any, natural: str, key: str) -> tuple[str, float]:
        """The unit in which a fact is stated, and the factor from the model's own to it."""
        if given is None:
            return natural, 1.0
        if not isinstance(given, str):
            raise self.fail(key, f"must be a unit, got {given!r}", f"It is {natural}.")
        try:
            return given, unit_factor(natural, given)
        except ValueError as error:
            raise self.fail(key, str(error), f"The model's own unit is {natural}.") from None

    def flag(self, given: Any, key: str) -> bool:
        if not isinstance(given, bool):
            raise self.fail(key, f"must be true or false, got {given!r}")
        return given

    def per(self, kind: str, statistic: Mapping[str, Any], series: Any, at: str) -> str:
        """Period of a series that states none: months, or weeks where the dates are days."""
        if isinstance(series, Mapping) and "per" in series:
            return str(series["per"])
        if kind == "duration":
            return "week"
        if kind == "first_date":
            return "month" if statistic.get("per") == "month" else "week"
        times = [statistic.get(key) for key in TIMES]
        flat = [str(t) for g in times if g is not None for t in (g if isinstance(g, list) else [g])]
        return "week" if any(len(t) == 10 for t in flat) else "month"

    def query(self, given: Any, at: str, per: str) -> Query:
        if not isinstance(given, Mapping):
            raise self.fail(at, "must be a mapping", "Write {metric: exports_t, origin: china}.")
        if not given.get("metric"):
            raise self.fail(at, "'metric' is missing", suggestion("", SERIES))
        if str(given["metric"]) not in SERIES:
            raise unknown(
                "metric", given["metric"], SERIES, self.place(f"{at}.metric"), f"{at}.metric"
            )
        words: list[tuple[str, tuple[str, ...]]] = []
        for key, value in given.items():
            if key == "metric":
                continue
            if key not in SELECTORS:
                raise unknown("selector", key, SELECTORS, self.place(f"{at}.{key}"), f"{at}.{key}")
            names = _words(value)
            if not names:
                raise self.fail(f"{at}.{key}", "is empty", "Leave it out, or write 'all'.")
            if key in ("case", "per") or (names == ("all",) and key != "channel"):
                continue
            words.append((key, names))
        case = str(given.get("case", "scenario"))
        for key, word, known in (("case", case, CASES), ("per", per, PERIODS)):
            if word not in known:
                raise unknown(key, word, known, self.place(f"{at}.{key}"), f"{at}.{key}")
        if case == "reference" and self.reference is None:
            raise self.fail(f"{at}.case", f"there is no reference ({self.about} runs alone)")
        query = Query(str(given["metric"]), tuple(words), case, per)
        try:
            return check_query(query, self.chain, None, at)
        except InputError as error:
            error.file = self.place(error.key or at)
            if error.message.startswith("unknown"):
                error.message += f" in the chain of {self.about.split(',')[0]}"
            raise

    def keys(
        self, kind: str, statistic: Mapping[str, Any], query: Query, at: str
    ) -> tuple[dict[str, Any], Query | None]:
        """Times and thresholds of a statistic, checked against its kind."""
        spec = KINDS[kind]
        allowed = {"kind", *(k for n in spec.needs for k in n.split("|")), *spec.may}
        self.known(statistic, sorted(allowed), at)
        for need in spec.needs:
            have = [k for k in need.split("|") if statistic.get(k) is not None]
            if len(have) != 1:
                what = need.replace("|", "' or '")
                raise self.fail(
                    at,
                    f"{kind} needs '{what}'" if not have else f"{kind} takes only one of '{what}'",
                )
        keys: dict[str, Any] = {}
        against: Query | None = None
        for key, given in statistic.items():
            here = f"{at}.{key}"
            if key == "kind" or given is None:
                continue
            if key == "against":
                inner = {"per": query.per, **given} if isinstance(given, Mapping) else given
                against = self.query(inner, here, query.per)
                if against.per != query.per:
                    raise self.fail(f"{here}.per", f"differs from the series' own ({query.per})")
            elif key in ("above", "below"):
                keys[key] = self.number(given, here)
            elif key == "per":
                if given not in UNITS:
                    raise unknown("per", given, UNITS, self.place(here), here)
                keys[key] = str(given)
            else:
                keys[key] = self.time(given, here)
                self.inside(keys[key], given, here)
        if kind == "first_date":
            keys.setdefault("per", "month" if query.per == "month" else "week")
            keys.setdefault("over", self.span)
        if kind == "fall_from_peak":
            keys.setdefault("over", self.span)
        return keys, against

    def number(self, given: Any, key: str) -> float:
        if isinstance(given, bool) or not isinstance(given, int | float):
            comma = isinstance(given, str) and re.fullmatch(r"[-+]?\d+,\d+", given.strip())
            hint = "Write it with a point: 0.5." if comma else None
            raise self.fail(key, f"must be a number, got {given!r}", hint)
        if math.isnan(given):
            raise self.fail(key, "is not a number (nan)")
        return float(given)

    def numbers(
        self, given: Mapping[str, Any], kind: str, keys: dict[str, Any], at: str
    ) -> tuple[float, float, float]:
        """Observed value and band; dates are turned into the time since ``from``."""

        def read(value: Any, key: str) -> float:
            if kind == "first_date" and isinstance(value, str):
                span, since = self.moment(value, key), keys["from"]
                if keys["per"] == "month":
                    return float(span.month - since.month)
                return (span.first - since.first) / UNITS[keys["per"]]
            return self.number(value, key)

        observed = read(given["observed"], f"{at}.observed")
        if not math.isfinite(observed):
            raise self.fail(f"{at}.observed", "must be a finite number")
        band = given["band"]
        if not isinstance(band, list) or len(band) != 2:
            raise self.fail(f"{at}.band", "must be [low, high]", "An open side is null.")
        low = -math.inf if band[0] is None else read(band[0], f"{at}.band")
        high = math.inf if band[1] is None else read(band[1], f"{at}.band")
        if low > high:
            raise self.fail(
                f"{at}.band", f"is upside down: {band[0]} is above {band[1]}", "Swap the two."
            )
        if math.isinf(low) and math.isinf(high):
            raise self.fail(f"{at}.band", "is open on both sides: everything would pass")
        return observed, low, high

    # ---- points ------------------------------------------------------------------------

    def points(self, given: Any, panels: list[str]) -> list[Point]:
        """Observed values from the CSV files beside the episode file."""
        out: list[Point] = []
        for number, name in enumerate(_words(given)):
            key = "points" if isinstance(given, str) else f"points.{number}"
            path = self.path.parent / name
            if not path.is_file():
                beside = [p.name for p in self.path.parent.glob("*.csv")]
                raise self.fail(key, f"no such file '{name}' beside it", suggestion(name, beside))
            out += _read_points(path, panels)
        return out


def _read_points(path: Path, panels: list[str]) -> list[Point]:
    needed = ("panel", "date", "value", "source")
    rows = read_rows(path)
    header = [word.strip() for word in rows[0][1]] if rows else []
    for column in needed:
        if header.count(column) != 1:
            what = "the column is missing" if column not in header else "the column stands twice"
            raise InputError(what, file=f"{path}:1", key=column)
    out = []
    for line, cells in rows[1:]:
        if not cells:
            continue
        where = f"{path}:{line}"
        if len(cells) != len(header):
            raise InputError(f"{len(cells)} cells, but the header has {len(header)}", file=where)
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        if row["panel"] not in panels:
            raise unknown("panel", row["panel"], panels, where, "panel")
        try:
            text = row["date"]
            day = date.fromisoformat(f"{text}-15" if len(text) == 7 else text)
        except ValueError:
            raise InputError(f"'{row['date']}' is not a date", file=where, key="date",
                             hint="Write YYYY-MM or YYYY-MM-DD.") from None  # fmt: skip
        try:
            number = read_float(row["value"])
        except ValueError as error:
            raise InputError(str(error), file=where, key="value") from None
        out.append(Point(row["panel"], day, number, row["source"]))
    return out


def _words(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return tuple(str(g) for g in given) if isinstance(given, list) else (str(given),)


def _told(given: Any) -> str:
    return " to ".join(map(str, given)) if isinstance(given, list) else str(given)


def _unit(kind: str, unit: str, track: str, per: str, keys: dict[str, Any]) -> str:
    """Unit of a statistic's result."""
    if kind == "first_date":
        return f"{keys['per']}s"
    if KINDS[kind].unit:
        return KINDS[kind].unit
    return f"{unit} per {per}" if track == "flow" and kind != "sum" else unit
