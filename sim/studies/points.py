"""Points: each built and checked as ``lodestone run`` would, and named by what it contains."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.units import DAYS_PER_YEAR
from lodestone.border.words import suggestion
from lodestone.studies.design import count_points, make_points
from lodestone.studies.request import Request
from lodestone.studies.values import Axis, shown

if TYPE_CHECKING:
    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["Plan", "Point", "apart", "make_plan", "one_of_each"]

#: Places in a scenario at which a number may be another without anything else being read again.
_NUMBER = re.compile(r"interventions\.\w+\.\w+|overrides\..+")
#: Parts of a scenario that decide no number.
WORDS_ONLY = ("title", "question", "narrative", "hypothesis", "headline", "source", "name")


@dataclass(frozen=True)
class Point:
    """A point of a study.

    Attributes
    ----------
    number
        From 0 on, in the order of the design.
    values
        Value by key, of the keys that vary.
    scenario, reference, settings
        What is run.
    key
        Hash of everything that decides its numbers.
    reference_key
        The same of its reference, or None.
    """

    number: int
    values: dict[str, Any]
    scenario: Scenario
    reference: Scenario | None
    settings: Settings
    key: str
    reference_key: str | None

    @property
    def years(self) -> float:
        """Length of the run in years."""
        return (self.scenario.end - self.scenario.start).days / DAYS_PER_YEAR


@dataclass(frozen=True)
class Plan:
    """All points of a study.

    Attributes
    ----------
    request
        What was asked.
    points
        In the order of the design.
    asked
        Columns of metrics with selectors beside those that every summary has.
    shown
        Columns of the metrics that ``results.csv`` holds.
    base
        Number of the base point, or None.
    """

    request: Request
    points: tuple[Point, ...]
    asked: tuple[str, ...]
    shown: tuple[str, ...]
    base: int | None = None
    unusual: tuple[str, ...] = field(default=())

    @property
    def varying(self) -> tuple[Axis, ...]:
        """The keys that vary."""
        return self.request.varying


def make_plan(request: Request, also: Sequence[str] = ()) -> Plan:
    """Build and check every point of a study; nothing is run.

    Parameters
    ----------
    also
        Metrics that are needed beside those to show (of a threshold).

    Raises
    ------
    InputError
        The first thing that is wrong with a point, with the point's values.
    """
    from lodestone.chain.load import seeds_at_rest

    count_points(request.axes, request.design, request.points)
    builder = _Builder()
    varying = [a.key for a in request.varying]
    made: list[Point] = []
    drawn = make_points(request.axes, request.design, request.points, request.design_seed)
    with seeds_at_rest():
        for number, values in enumerate(drawn):
            own = {k: values[k] for k in varying}
            try:
                made.append(builder.point(number, values, own))
            except InputError as error:
                if own:
                    told = ", ".join(f"{k}={shown(v)}" for k, v in own.items())
                    error.hint = f"{error.hint or ''} (At point {number}: {told}.)".strip()
                raise
        asked, headline = _metrics(request, made, also)
    return Plan(
        request,
        tuple(made),
        asked=asked,
        shown=headline,
        base=find_base(request.base, made) if request.base is not None else None,
        unusual=tuple(dict.fromkeys([*builder.remarks, *_remarks(asked, made)])),
    )


class _Builder:
    """Builds points and reads nothing twice."""

    def __init__(self) -> None:
        self.settings: dict[str, Settings] = {}
        self.documents: dict[str, Any] = {}
        self.built: dict[Any, Scenario] = {}
        self.calm: dict[Any, Scenario | None] = {}
        self.calm_keys: dict[tuple[int, int], tuple[Scenario, str]] = {}
        self.seeds: dict[str, str] = {}
        self.remarks: list[str] = []
        self.seen: set[tuple[str, str]] = set()
        self.checked: set[tuple[Any, ...]] = set()

    def point(self, number: int, values: Mapping[str, Any], own: dict[str, Any]) -> Point:
        from lodestone.chain.load import load_chain
        from lodestone.outputs.selectors import asked_remarks, check_expressions
        from lodestone.runs.job import refuse_two_spellings, with_decision_date
        from lodestone.scenario.remarks import remarks_on, shipped_remarks
        from lodestone.studies.identity import case_key

        overrides: dict[str, Any] = {}
        settings: dict[str, Any] = {}
        naming: dict[str, Any] = {"scenario": None, "variant": None, "overlays": None}
        for key, value in values.items():
            if key == "vintage":
                overrides["vintage"] = str(value)
            elif key in naming:
                naming[key] = value
            elif key.startswith("scenario."):
                overrides[key.removeprefix("scenario.")] = value
            else:
                settings[key] = value
        refuse_two_spellings(overrides)
        held = self._settings(settings)
        scenario = self._scenario(naming, overrides)
        scenario = with_decision_date(scenario, held)
        chain = load_chain(scenario.vintage)
        said = [r for r in remarks_on(scenario, chain) if (scenario.name, r) not in self.seen]
        if said:
            self.seen |= {(scenario.name, r) for r in said}
            # What is shipped as it is tells `show` and the memo.
            shipped = shipped_remarks(scenario, chain)
            said = [r for r in said if r not in shipped]
        span = (scenario.name, scenario.vintage, scenario.start, scenario.end)
        asked = (*span, scenario.headline, str(scenario.hypothesis))
        if asked not in self.checked:
            check_expressions(scenario, chain)
            self.checked.add(asked)
            said += asked_remarks(scenario, chain)
        self.remarks += [f"{scenario.name}: {r}" for r in said]
        reference = self._reference(scenario)
        return Point(
            number,
            own,
            scenario,
            reference,
            held,
            key=case_key(scenario, reference, held, self._seeds(scenario)),
            reference_key=None if reference is None else self._reference_key(reference, held),
        )

    def _reference(self, scenario: Scenario) -> Scenario | None:
        """The reference of a point; points of the same days and behaviour share it."""
        from lodestone.runs.identity import reference_of
        from lodestone.scenario import load_reference

        if scenario.reference is None or scenario.kept_reference is not None:
            return reference_of(scenario)
        days = (scenario.reference, scenario.source_file, scenario.start, scenario.end)
        if days not in self.calm:
            self.calm[days] = load_reference(scenario)
        said = (*days, str(sorted((k, repr(v)) for k, v in scenario.overrides.items())))
        if said not in self.calm:
            self.calm[said] = reference_of(scenario, self.calm[days])
        return self.calm[said]

    def _reference_key(self, reference: Scenario, held: Settings) -> str:
        """Key of a reference; that of one which points share is worked out once."""
        from lodestone.studies.identity import case_key

        which = (id(reference), id(held))
        if which not in self.calm_keys:
            # The reference is held, so that no other one takes its place in memory and its key.
            self.calm_keys[which] = (
                reference,
                case_key(reference, None, held, self._seeds(reference)),
            )
        return self.calm_keys[which][1]

    def _seeds(self, scenario: Scenario) -> str:
        from lodestone.outputs.provenance import seeds_hash

        if scenario.vintage not in self.seeds:
            self.seeds[scenario.vintage] = seeds_hash(scenario.vintage)
        return self.seeds[scenario.vintage]

    def _settings(self, given: dict[str, Any]) -> Settings:
        from lodestone.outputs.provenance import canonical
        from lodestone.runs.compose import compose_settings

        text = canonical(given)
        if text not in self.settings:
            self.settings[text] = compose_settings(given)
        return self.settings[text]

    def _scenario(self, naming: Mapping[str, Any], overrides: dict[str, Any]) -> Scenario:
        """The scenario of a point: an earlier one with other numbers, or built as a run's is."""
        from lodestone.chain.load import load_chain
        from lodestone.scenario import renumbered

        numbers = {
            key: value
            for key, value in overrides.items()
            if _plain(value)
            and _NUMBER.fullmatch(key)
            and not any(k.startswith(f"{key}.") or key.startswith(f"{k}.") for k in overrides)
        }
        others = [(key, repr(value)) for key, value in overrides.items() if key not in numbers]
        alike = (repr(naming), str(others), tuple(numbers))
        if alike in self.built:
            held = self.built[alike]
            found = renumbered(held, numbers, load_chain(held.vintage))
            if found is not None:
                return found
        self.built[alike] = self._built(naming, overrides)
        return self.built[alike]

    def _built(self, naming: Mapping[str, Any], overrides: dict[str, Any]) -> Scenario:
        from lodestone.scenario import build_scenario, load_mapping

        name = str(naming["scenario"])
        if name not in self.documents:
            self.documents[name] = load_mapping(name)
        document = self.documents[name]
        overlays = naming["overlays"]
        names = overlays if isinstance(overlays, list | tuple) else [overlays]
        return build_scenario(
            document.data,
            file=document.file,
            places=document.places,
            variant=None if naming["variant"] is None else str(naming["variant"]),
            overlays=tuple(str(n) for n in names if n not in (None, "", "none")),
            overrides=overrides,
        )


def _metrics(
    request: Request, points: Sequence[Point], also: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns that must be evaluated beside every summary's, and columns to show.

    What the user asked for comes first, then the headline of the scenarios, then the metrics over
    all regions and sectors.
    """
    from lodestone.outputs.metrics import METRICS
    from lodestone.studies.metrics import check_metric

    for metric in (*request.metrics, *also):
        for error in _problems(metric, points):
            raise error
    wished = [check_metric(m) for m in (*request.metrics, *also)]
    headlines = dict.fromkeys(m for p in points for m in p.scenario.headline)
    # A headline may name a year that a shorter run no longer has: it is not shown then.
    wished += [check_metric(m) for m in headlines if not _problems(m, points)]
    plain = [name for name, item in METRICS.items() if {} in item.over]
    asked = tuple(dict.fromkeys(c for c in wished if c not in plain))
    return asked, tuple(dict.fromkeys([*wished, *plain]))


def _remarks(columns: Sequence[str], points: Sequence[Point]) -> list[str]:
    """How the metrics of a study take countries inside regions, and which are not complete."""
    from lodestone.chain.load import load_chain
    from lodestone.outputs.selectors import metric_remarks, window_remarks
    from lodestone.studies.metrics import metric_of

    spans = dict.fromkeys((p.scenario.vintage, p.scenario.start, p.scenario.end) for p in points)
    return [
        told
        for metric in map(metric_of, columns)
        for vintage, start, end in spans
        for told in (
            *metric_remarks(metric, load_chain(vintage)),
            *window_remarks(metric, start, end),
        )
    ]


def _problems(metric: str, points: Sequence[Point]) -> list[InputError]:
    """Selectors of a metric that name what the chain does not have, or days outside a run."""
    from lodestone.chain.load import load_chain
    from lodestone.outputs.selectors import metric_problems
    from lodestone.studies.metrics import metric_of

    spans = {(p.scenario.vintage, p.scenario.start, p.scenario.end) for p in points}
    item = metric_of(metric)
    return [
        InputError(message, key=f"metric={metric}", hint=hint)
        for vintage, start, end in sorted(spans)
        for message, hint in metric_problems(item, load_chain(vintage), start, end)
    ]


def _plain(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def one_of_each(points: Sequence[Point]) -> dict[int, Point]:
    """The first point of each set of measures, places and dates, by its number."""
    found: dict[Any, Point] = {}
    for point in points:
        s = point.scenario
        kinds = tuple(sorted((n, i.kind) for n, i in s.interventions.items()))
        found.setdefault((s.vintage, s.start, s.end, kinds), point)
    return {point.number: point for point in found.values()}


def apart(points: Sequence[Point]) -> list[Point]:
    """Points without those that differ from an earlier one in numbers of measures or behaviour alone.

    Such a number was checked when it was read: it is drawn, and no row depends on it, unless the
    measure adds a plant or a way.
    """
    from lodestone.chain.load import load_chain
    from lodestone.interventions.base import Intervention

    def number(point: Point, key: str, value: object) -> bool:
        place, _, rest = key.removeprefix("scenario.").partition(".")
        if place == "overrides":
            return _plain(value) and rest in load_chain(point.scenario.vintage).parameters
        kind = type(point.scenario.interventions.get(rest.partition(".")[0]))
        return (
            _plain(value)
            and place == "interventions"
            and issubclass(kind, Intervention)
            and (
                kind.new_facility is Intervention.new_facility and kind.opens is Intervention.opens
            )
        )

    found: dict[str, Point] = {}
    for p in points:
        said = {k: v for k, v in p.values.items() if not number(p, k, v)}
        found.setdefault(repr((p.scenario.name, said)), p)
    return list(found.values())


def find_base(text: str, points: Sequence[Point]) -> int:
    """Return the number of the point that a user names.

    Parameters
    ----------
    text
        A number, or ``key=value`` words joined by commas; a key may be shortened to its end.

    Raises
    ------
    InputError
        No point or several fit.
    """
    from lodestone.studies.values import read_value, split_list

    if text.strip().isdigit():
        number = int(text)
        if number >= len(points):
            raise InputError(
                f"there is no point {number}: they are 0 to {len(points) - 1}", key="base"
            )
        return number
    keys = list(points[0].values)
    wanted: dict[str, Any] = {}
    for word in split_list(text):
        key, _, value = word.partition("=")
        fitting = [k for k in keys if k == key or k.endswith(f".{key}")]
        if len(fitting) != 1:
            raise InputError(
                f"'{key}' is not one of the swept keys", key="base", hint=suggestion(key, keys)
            )
        wanted[fitting[0]] = read_value(fitting[0], value)
    fits = [p.number for p in points if all(p.values[k] == v for k, v in wanted.items())]
    if len(fits) != 1:
        what = "no point fits" if not fits else f"{len(fits)} points fit"
        raise InputError(f"{what} '{text}'", key="base", hint="Name every swept key's value.")
    return fits[0]


def numeric_keys(points: Sequence[Point]) -> list[str]:
    """Return the swept keys whose value is a number at every one of some points."""
    return [
        key
        for key in (points[0].values if points else ())
        if all(_plain(p.values[key]) for p in points)
    ]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return for each key the shortest end of its dotted name that no other key shares."""
    out = {}
    for key in keys:
        parts = key.split(".")
        for n in range(1, len(parts) + 1):
            end = ".".join(parts[-n:])
            if sum(k == end or k.endswith(f".{end}") for k in keys) == 1 and (
                n >= 2 or len(parts) == 1 or len(parts[-1]) > 4
            ):
                break
        out[key] = end
    return out


def study_name(request: Request) -> Path:
    """Return the usual folder of a study: the same for the same keys, so that it goes on."""
    from lodestone.outputs.provenance import canonical, sha

    fixed = {a.key: a.values for a in request.axes if not a.varies}
    content = {"fixed": fixed, "varying": [a.key for a in request.varying]}
    name = Path(request.scenarios[0]).stem if len(request.scenarios) == 1 else "scenarios"
    return Path("results") / "studies" / f"{name}-{sha(canonical(content), 8)}"
