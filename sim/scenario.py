"""A scenario: a named question with dated interventions, and how it is read from files.

A scenario file says what *happens*; the seeds say what *is*, the configuration how to run it.
Layers are laid over one another in this order, later ones winning: the scenarios named under
``defaults``, the file itself, the variant, the overlays, the overrides typed by the user.
Mappings merge key by key; everything else, and also a distribution or a mapping keyed by dates,
is one value and is replaced whole (a variant's approval path does not keep the old path's later
steps). An entry set to ``null`` under ``interventions`` or ``overrides`` is taken out.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.distributions import Distribution, Number, parse_date, parse_number, plain
from lodestone.errors import InputError
from lodestone.paths import data_root
from lodestone.words import nearest, suggestion, unknown
from lodestone.yamlfile import Document, dump_yaml, read_yaml

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.interventions.base import Intervention

__all__ = [
    "Scenario",
    "ScenarioFile",
    "build_scenario",
    "find_overlays",
    "find_scenarios",
    "flatten_overrides",
    "outside_ranges",
    "layer",
    "load_mapping",
    "load_reference",
    "load_scenario",
    "locate",
    "set_at",
    "write_scenario",
]

DEFAULT_VINTAGE = "2024"
DEFAULT_REFERENCE = "calm_2024"
#: Keys of a scenario file, in the order in which they are written.
KEYS = (
    "name",
    "title",
    "question",
    "narrative",
    "headline",
    "hypothesis",
    "vintage",
    "reference",
    "start",
    "end",
    "decision_date",
    "interventions",
    "overrides",
    "variants",
    "source",
    "note",
)
REQUIRED = ("name", "question", "start", "end", "interventions")
HYPOTHESIS_KEYS = ("text", "claims", "confirmed_if", "refuted_if")
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")
_PATH_KEY = re.compile(r"^\d{4}(-.*)?$")


@dataclass(frozen=True)
class Scenario:
    """A named question, checked against its chain.

    Attributes
    ----------
    name, title, question, narrative
        What it is called and asks.
    headline
        The metrics that answer the question, as ``metric(selector=value)``; a memo shows them first.
    hypothesis
        ``text``, ``claims``, ``confirmed_if``, ``refuted_if`` (see `lodestone.verdict`).
    vintage
        Folder of the seeds it stands on.
    reference
        Name of the scenario it is measured against, or None.
    start, end
        First day, and first day no longer simulated.
    interventions
        By name; the order has no meaning.
    overrides
        Parameters of the chain by dotted name; numbers, dates as ISO text, or distributions.
    variants
        Names of variants and what they change, as written.
    decision_date
        Until when it tells what happened; what follows is supposed.
    source_file
        Where it was read from.
    variant, overlays
        What was applied.
    source
        Keys of the bibliography for the scenario as a whole.
    """

    name: str
    title: str
    question: str
    narrative: str
    hypothesis: dict[str, Any]
    vintage: str
    reference: str | None
    start: date
    end: date
    interventions: dict[str, Intervention]
    overrides: dict[str, Number | str] = field(default_factory=dict)
    variants: dict[str, Any] = field(default_factory=dict)
    decision_date: date | None = None
    source_file: Path | None = None
    variant: str | None = None
    overlays: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    note: str = ""
    headline: tuple[str, ...] = ()

    @property
    def roles(self) -> dict[str, str]:
        """Role (disruption or policy) of each intervention."""
        return {name: item.role for name, item in self.interventions.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return everything that decides the outcome or is reported, fit for JSON.

        Interventions are written with all their defaults and sorted by name, so that two
        spellings of one scenario give the same result. Where it was read from is left out.
        """
        return {
            "name": self.name,
            "title": self.title,
            "question": self.question,
            "narrative": self.narrative,
            **({"headline": list(self.headline)} if self.headline else {}),
            "hypothesis": plain(self.hypothesis),
            "vintage": self.vintage,
            "reference": self.reference or "none",
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "decision_date": self.decision_date.isoformat() if self.decision_date else None,
            "interventions": {
                n: self.interventions[n].written() for n in sorted(self.interventions)
            },
            "overrides": {n: plain(self.overrides[n]) for n in sorted(self.overrides)},
            "variant": self.variant,
            "overlays": list(self.overlays),
            "source": list(self.source),
        }

    def sources(self) -> list[str]:
        """Return every key of the bibliography that the scenario cites, sorted."""
        cited = set(self.source) | set(self.hypothesis.get("claims") or ())
        for item in self.interventions.values():
            cited |= set(item.source)
        return sorted(cited)


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario file that was found, not yet checked."""

    name: str
    path: Path


# --------------------------------------------------------------------------- finding files


def search_folders() -> list[Path]:
    """Return the folders searched for scenarios, the first winning.

    They are ``./scenarios``, those of ``$LODESTONE_SCENARIOS`` and the shipped one.
    """
    folders = [Path.cwd() / "scenarios"]
    setting = os.environ.get("LODESTONE_SCENARIOS", "")
    folders += [Path(part).expanduser() for part in setting.split(os.pathsep) if part]
    folders.append(data_root("scenarios"))
    seen: list[Path] = []
    for folder in folders:
        if folder.is_dir() and folder.resolve() not in [s.resolve() for s in seen]:
            seen.append(folder)
    return seen


def _files(inside: str) -> dict[str, ScenarioFile]:
    found: dict[str, ScenarioFile] = {}
    for folder in search_folders():
        for path in sorted((folder / inside).glob("*.y*ml")):
            if path.suffix in (".yaml", ".yml"):
                found.setdefault(path.stem, ScenarioFile(path.stem, path))
    return dict(sorted(found.items()))


def find_scenarios() -> dict[str, ScenarioFile]:
    """Return every scenario that can be called by name."""
    return _files(".")


def find_overlays() -> dict[str, ScenarioFile]:
    """Return every overlay that can be called by name."""
    return _files("overlays")


def locate(name_or_path: str | Path, *, overlay: bool = False, beside: Path | None = None) -> Path:
    """Return the file of a scenario (or overlay), given its name or a path.

    Raises
    ------
    InputError
        If there is none; names the nearest known one.
    """
    word = str(name_or_path)
    looks_like_path = word.endswith((".yaml", ".yml")) or os.sep in word or "/" in word
    if looks_like_path:
        path = Path(word).expanduser()
        for candidate in (
            path,
            *((beside.parent / path,) if beside and not path.is_absolute() else ()),
        ):
            if candidate.is_file():
                return candidate
        what = "is a folder" if path.is_dir() else "no such file"
        raise InputError(
            what,
            file=path,
            hint="Name a scenario file, or a scenario that 'lodestone list scenarios' shows.",
        )
    if beside is not None:
        neighbour = beside.parent / ("overlays" if overlay else "") / f"{word}.yaml"
        if neighbour.is_file():
            return neighbour
    known = find_overlays() if overlay else find_scenarios()
    if word not in known:
        error = unknown("overlay" if overlay else "scenario", word, known)
        more = "See 'lodestone list " + ("overlays'." if overlay else "scenarios'.")
        error.hint = f"{error.hint} {more}" if error.hint else more
        raise error
    return known[word].path


# --------------------------------------------------------------------------- laying layers


def is_value(item: Any) -> bool:
    """Whether a mapping is one value: a distribution, or keyed by dates or periods."""
    return isinstance(item, Mapping) and (
        "dist" in item or (len(item) > 0 and all(_PATH_KEY.match(str(k)) for k in item))
    )


def layer(below: Any, above: Any) -> Any:
    """Lay one value over another: mappings merge key by key, everything else is replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    if is_value(below) or is_value(above):
        return above
    out = dict(below)
    for key, item in above.items():
        out[key] = layer(out[key], item) if key in out else item
    return out


def flatten_overrides(given: Any, file: Any = None, at: str = "overrides") -> dict[str, Any]:
    """Return ``overrides`` with dotted names, whether written nested, dotted or mixed.

    Raises
    ------
    InputError
        If one parameter is written twice in different spellings.
    """
    flat: dict[str, Any] = {}

    def walk(item: Any, name: str) -> None:
        if isinstance(item, Mapping) and "dist" not in item:
            for key, inside in item.items():
                walk(inside, f"{name}.{key}" if name else str(key))
            return
        if name in flat:
            raise InputError(
                "the same parameter is written both nested and dotted",
                file=file,
                key=f"{at}.{name}",
                hint="The two spellings mean the same: keep one.",
            )
        flat[name] = item

    if given is None:
        return flat
    if not isinstance(given, Mapping):
        raise InputError(
            "must be a mapping from parameters to numbers",
            file=file,
            key=at,
            hint="Write for example {stockpile.japan.days: 60}.",
        )
    walk(dict(given), "")
    return flat


def normalise(mapping: Mapping[str, Any], file: Any = None) -> dict[str, Any]:
    """Return one layer with its overrides flattened, so that layers can be laid over it."""
    out = dict(mapping)
    if "overrides" in out:
        out["overrides"] = flatten_overrides(out["overrides"], file)
    return out


def set_at(mapping: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """Return a copy of a mapping with the value at a dotted place replaced.

    Below ``overrides`` the rest of the place is one parameter name.
    """
    head, _, rest = dotted.partition(".")
    out = dict(mapping)
    if not rest:
        out[head] = flatten_overrides(value) if head == "overrides" else value
        return out
    if head == "overrides":
        held = dict(out.get(head) or {})
        held |= flatten_overrides({rest: value})
        out[head] = held
        return out
    below = out.get(head)
    held = set_at(dict(below) if isinstance(below, Mapping) else {}, rest, value)
    # A step put into a path stands in its place in time.
    out[head] = dict(sorted(held.items(), key=lambda i: str(i[0]))) if _dated(held) else held
    return out


def vintage_of(data: Mapping[str, Any], file: Path | None) -> str:
    """Return the vintage of a scenario: a name, or the path of a folder beside its file."""
    word = str(data.get("vintage") or DEFAULT_VINTAGE)
    if file is not None:
        beside = (file.parent / word).resolve()
        if (beside / "vintage.yaml").is_file():
            return str(beside)
    return word


def _dated(held: Mapping[Any, Any]) -> bool:
    return len(held) > 1 and all(_PATH_KEY.match(str(key)) for key in held)


def load_mapping(
    name_or_path: str | Path, *, overlay: bool = False, _seen: tuple[Path, ...] = ()
) -> Document:
    """Read a scenario file with everything it inherits, not yet checked.

    Raises
    ------
    InputError
        If a file is missing or unreadable, or inherits from itself.
    """
    beside = _seen[-1] if _seen else None
    path = locate(name_or_path, overlay=overlay, beside=beside)
    if path.resolve() in [p.resolve() for p in _seen]:
        chain = " -> ".join(p.stem for p in (*_seen, path))
        raise InputError(f"inherits from itself ({chain})", file=path, key="defaults")
    document = read_yaml(path)
    own = normalise(document.data, path)
    defaults = own.pop("defaults", None)
    if defaults is None:
        return Document(own, document.lines, path)
    if isinstance(defaults, str):
        defaults = [defaults]
    if not isinstance(defaults, list) or not all(isinstance(d, str) for d in defaults):
        raise InputError(
            "must be a list of scenario names",
            file=path,
            key="defaults",
            hint="Write for example 'defaults: [current_law, _self_]'.",
        )
    if "_self_" not in defaults:
        defaults = [*defaults, "_self_"]
    data: dict[str, Any] = {}
    lines: dict[tuple[str, ...], int] = {}
    for entry in defaults:
        if entry == "_self_":
            data = layer(data, own)
            lines |= document.lines
        else:
            below = load_mapping(entry, _seen=(*_seen, path))
            data = layer(data, below.data)
    return Document(data, lines, path)


def load_scenario(
    name_or_path: str | Path,
    *,
    variant: str | None = None,
    overlays: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    chain: Chain | None = None,
) -> Scenario:
    """Read, assemble and check a scenario.

    Parameters
    ----------
    name_or_path
        A name that `find_scenarios` knows, or the path of a YAML file.
    variant
        Name of one of its variants.
    overlays
        Names or paths of overlays, laid over it in this order.
    overrides
        Values by dotted place in the scenario, for example ``start``,
        ``interventions.NAME.KEY`` or ``overrides.PARAMETER``; they win over everything else.
    chain
        The chain to check against; by default that of its vintage is loaded.

    Raises
    ------
    InputError
        Naming file, key, what is wrong, the nearest known word and how to fix it.
    """
    document = load_mapping(name_or_path)
    return build_scenario(
        document.data,
        file=document.file,
        lines=document.lines,
        variant=variant,
        overlays=overlays,
        overrides=overrides,
        chain=chain,
    )


def load_reference(scenario: Scenario) -> Scenario | None:
    """Return the scenario that a scenario is measured against, over the same days.

    It is looked for beside the scenario's own file first, then among the known ones. The
    scenario's variant, overlays and overrides do not reach it.
    """
    if scenario.reference is None:
        return None
    path = locate(scenario.reference, beside=scenario.source_file)
    return replace(load_scenario(path), start=scenario.start, end=scenario.end)


def build_scenario(
    mapping: Mapping[str, Any],
    *,
    file: Path | None = None,
    lines: Mapping[tuple[str, ...], int] | None = None,
    variant: str | None = None,
    overlays: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    chain: Chain | None = None,
) -> Scenario:
    """Assemble and check a scenario from its mapping (see `load_scenario`)."""
    data = normalise(mapping, file)
    _known_keys(data, KEYS, file, "", lines)
    overlays = tuple(overlays)
    if variant is not None:
        data = layer(data, _variant(data, variant, file))
    for name in overlays:
        over = load_mapping(name, overlay=True)
        content = {
            k: v for k, v in over.data.items() if k not in ("name", "title", "question", "note")
        }
        _known_keys(content, KEYS, over.file, "", over.lines)
        data = layer(data, content)
    for dotted, value in (overrides or {}).items():
        _addressable(data, dotted)
        data = set_at(data, dotted, value)
    return _Checker(data, file, dict(lines or {}), overrides or {}, chain).scenario(
        variant, overlays
    )


def _variant(data: Mapping[str, Any], name: str, file: Any) -> dict[str, Any]:
    variants = data.get("variants") or {}
    if not isinstance(variants, Mapping) or name not in variants:
        known = list(variants) if isinstance(variants, Mapping) else []
        error = unknown("variant", name, known, file=file, key="variant")
        if not known:
            error.hint = "The scenario has no variants."
        raise error
    content = variants[name]
    if not isinstance(content, Mapping):
        raise InputError("must be a mapping", file=file, key=f"variants.{name}")
    return normalise(content, file)


def _known_keys(
    data: Mapping[str, Any],
    known: Iterable[str],
    file: Any,
    at: str,
    lines: Mapping[tuple[str, ...], int] | None = None,
) -> None:
    prefix = tuple(at.split(".")) if at else ()
    for key in data:
        if key not in known:
            line = (lines or {}).get((*prefix, key))
            raise InputError(
                "unknown key",
                file=f"{file}:{line}" if file and line else file,
                key=".".join((*prefix, key)),
                hint=suggestion(key, known),
            )


def _addressable(data: Mapping[str, Any], dotted: str) -> None:
    """Refuse an override whose place does not exist in the scenario."""
    parts = dotted.split(".")
    key = f"scenario.{dotted}"
    if parts[0] not in KEYS:
        raise unknown("key", parts[0], KEYS, key=key)
    if parts[0] == "interventions" and len(parts) > 1:
        known = list(data.get("interventions") or {})
        if parts[1] not in known and len(parts) > 2:
            error = unknown("intervention", parts[1], known, key=key)
            if not known:
                error.hint = "The scenario has no interventions; add some in a file or an overlay."
            raise error
    elif parts[0] == "hypothesis" and len(parts) > 1 and parts[1] not in HYPOTHESIS_KEYS:
        raise unknown("key", parts[1], HYPOTHESIS_KEYS, key=key)
    elif len(parts) > 1 and parts[0] not in (
        "interventions",
        "overrides",
        "hypothesis",
        "variants",
    ):
        raise InputError(
            f"'{parts[0]}' has no parts", key=key, hint=f"Write scenario.{parts[0]}=..."
        )


# --------------------------------------------------------------------------- checking


class _Checker:
    """Turns an assembled mapping into a `Scenario`, collecting everything that is wrong."""

    def __init__(
        self,
        data: dict[str, Any],
        file: Path | None,
        lines: dict[tuple[str, ...], int],
        typed: Mapping[str, Any],
        chain: Chain | None,
    ) -> None:
        self.data = data
        self.file = file
        self.lines = lines
        self.typed = typed
        self.chain = chain
        self.found: list[InputError] = []

    def place(self, key: str) -> dict[str, Any]:
        """Return file (with line, where known) and key of a problem."""
        for typed in self.typed:
            if key == typed or key.startswith(f"{typed}."):
                return {"file": None, "key": f"scenario.{key}"}
        parts = tuple(key.split("."))
        while parts and parts not in self.lines:
            parts = parts[:-1]
        line = self.lines.get(parts)
        file = f"{self.file}:{line}" if self.file and line else self.file
        return {"file": file, "key": key}

    def problem(self, key: str, message: str, hint: str | None = None) -> None:
        """Note one thing that is wrong."""
        self.found.append(InputError(message, hint=hint, **self.place(key)))

    def take(self, error: InputError, key: str) -> None:
        """Note an error raised below, giving it the place we know."""
        self.problem(error.key or key, error.message, error.hint)

    def scenario(self, variant: str | None, overlays: tuple[str, ...]) -> Scenario:
        """Return the checked scenario, or raise one error with all problems."""
        from lodestone.interventions.base import combine

        for key in REQUIRED:
            if self.data.get(key) in (None, "") and not (
                key == "interventions" and key in self.data
            ):
                self.problem(key, "is missing", _ADVICE[key])
        name = self.text("name")
        if name and not _NAME.match(name):
            self.problem(
                "name", f"'{name}' is not a name", "Use letters, digits and _, a letter first."
            )
        start, end = self.day("start"), self.day("end")
        decision = self.day("decision_date")
        self.horizon(start, end)
        vintage = vintage_of(self.data, self.file)
        chain = self.chain or self.load_chain(vintage)
        interventions = self.interventions(chain, start, end)
        overrides = self.overrides(chain)
        headline = self.headline()
        hypothesis = self.hypothesis(chain)
        source = self.source(chain)
        reference = self.reference(name, vintage)
        variants = self.mapping("variants")
        if self.found:
            raise combine(self.found)
        assert start is not None and end is not None
        return Scenario(
            name=name,
            title=self.text("title") or name.replace("_", " "),
            question=self.text("question"),
            narrative=self.text("narrative"),
            hypothesis=hypothesis,
            vintage=vintage,
            reference=reference,
            start=start,
            end=end,
            interventions=interventions,
            overrides=overrides,
            variants=variants,
            decision_date=decision,
            source_file=self.file,
            variant=variant,
            overlays=overlays,
            source=source,
            note=self.text("note"),
            headline=headline,
        )

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if value is None:
            return ""
        if isinstance(value, Mapping | list):
            self.problem(key, "must be text")
            return ""
        return str(value).strip()

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.data.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.problem(key, f"must be a mapping by name, got {value!r}", _ADVICE.get(key))
            return {}
        return dict(value)

    def day(self, key: str) -> date | None:
        value = self.data.get(key)
        if value is None:
            return None
        try:
            return parse_date(value)
        except ValueError as error:
            self.problem(key, str(error))
            return None

    def horizon(self, start: date | None, end: date | None) -> None:
        if start is None or end is None:
            return
        if end <= start:
            self.problem(
                "end",
                f"{end} is not after the start {start}",
                "Give an end after the start.",
            )
        elif (end - start).days < 14:
            self.problem("end", f"leaves {(end - start).days} days", "Simulate at least two weeks.")
        elif (end - start).days > 366 * 60:
            self.problem("end", f"leaves {(end - start).days // 365} years", "At most 60 years.")

    def load_chain(self, vintage: str) -> Chain:
        from lodestone.chain.load import load_chain
        from lodestone.paths import vintages

        if vintage not in vintages() and not (Path(vintage) / "vintage.yaml").is_file():
            known = vintages()
            raise InputError(
                f"unknown vintage '{vintage}'",
                hint=suggestion(vintage, known),
                **self.place("vintage"),
            )
        return load_chain(vintage)

    def interventions(
        self, chain: Chain, start: date | None, end: date | None
    ) -> dict[str, Intervention]:
        import lodestone.interventions as registry

        made: dict[str, Intervention] = {}
        for name, given in self.mapping("interventions").items():
            if given is None:
                continue
            if not _NAME.match(str(name)):
                self.problem(
                    f"interventions.{name}",
                    "is not a name",
                    "Use letters, digits and _, a letter first.",
                )
                continue
            try:
                item = registry.build(name, given)
            except InputError as error:
                self.spread(error, f"interventions.{name}")
                continue
            made[name] = item
            for wrong in item.problems(chain):
                self.problem(f"interventions.{name}.{wrong.key}", wrong.message, wrong.hint)
        for name, item in made.items():
            others = [n for n in made if n != name]
            for key, other, live in item.refers():
                if other not in others:
                    self.problem(
                        f"interventions.{name}.{key}",
                        f"unknown intervention '{other}'",
                        suggestion(other, others) or "Name another intervention of this scenario.",
                    )
                elif key == "triggered_by.licence" and made[other].kind != "export_licence":
                    self.problem(
                        f"interventions.{name}.{key}",
                        f"'{other}' ({made[other].kind}) grants no licences",
                        "Name an export_licence.",
                    )
                elif live and not made[other].live:
                    self.problem(
                        f"interventions.{name}.{key}",
                        f"'{other}' ({made[other].kind}) cannot be suspended",
                        "Its dates are drawn before the run: give it an end instead.",
                    )
            for wrong in item.beside({n: made[n] for n in others}, start):
                self.problem(f"interventions.{name}.{wrong.key}", wrong.message, wrong.hint)
        _refuse_circles(made, self)
        try:
            refuse_two_rules(made)
        except InputError as error:
            self.take(error, "interventions")
        return dict(sorted(made.items()))

    def spread(self, error: InputError, key: str) -> None:
        """Note an error that may stand for several."""
        parts = getattr(error, "parts", None) or [error]
        for part in parts:
            self.take(part, key)

    def overrides(self, chain: Chain) -> dict[str, Number | str]:
        out: dict[str, Number | str] = {}
        try:
            flat = flatten_overrides(self.data.get("overrides"))
        except InputError as error:
            self.take(error, "overrides")
            return out
        for name, given in flat.items():
            if given is None:
                continue
            key = f"overrides.{name}"
            try:
                value: Any = given
                if isinstance(given, Mapping):
                    value = parse_number(given, dates=name.endswith("start_date"))
                tried = [given]
                if isinstance(value, Distribution):
                    ends = [v for v in value.support() if math.isfinite(v)] or [value.centre()]
                    tried = [date.fromordinal(int(v)) for v in ends] if value.dates else ends
                for trial in tried:
                    chain.with_overrides({name: trial})
                    _plausible(chain, name, trial)
            except ValueError as error:
                self.problem(key, str(error))
            except InputError as error:
                hint = error.hint
                if error.message.startswith("unknown"):
                    hint = f"{hint or ''} See 'lodestone list parameters'.".strip()
                self.problem(key, error.message, hint)
            else:
                out[name] = value if isinstance(value, Distribution | str) else _plain_number(value)
        return dict(sorted(out.items()))

    def headline(self) -> tuple[str, ...]:
        from lodestone.verdict import parse_metric

        given = self.data.get("headline")
        if given is None:
            return ()
        if not isinstance(given, list) or not all(isinstance(g, str) for g in given):
            self.problem("headline", "must be a list of metrics", _ADVICE["headline"])
            return ()
        for number, text in enumerate(given):
            try:
                parse_metric(text)
            except ValueError as error:
                self.problem(f"headline.{number}", f"the expression {error}", _ADVICE["headline"])
            if given.index(text) != number:
                self.problem(f"headline.{number}", f"'{text}' stands twice", "Keep one of the two.")
        return tuple(given)

    def hypothesis(self, chain: Chain) -> dict[str, Any]:
        from lodestone.verdict import parse_verdict

        held = self.mapping("hypothesis")
        for key in held:
            if key not in HYPOTHESIS_KEYS:
                self.problem(f"hypothesis.{key}", "unknown key", suggestion(key, HYPOTHESIS_KEYS))
        claims = held.get("claims") or []
        claims = [claims] if isinstance(claims, str) else list(claims)
        for claim in claims:
            if not chain.knows_source(str(claim)):
                near = nearest(str(claim), chain.sources)
                self.problem(
                    "hypothesis.claims",
                    f"unknown claim '{claim}'",
                    f"Did you mean '{near}'?" if near else None,
                )
        for key in ("confirmed_if", "refuted_if"):
            if held.get(key):
                try:
                    parse_verdict(str(held[key]))
                except ValueError as error:
                    self.problem(
                        f"hypothesis.{key}",
                        f"the expression {error}",
                        "Write for example 'first_stoppage(region=all) < days(70)'.",
                    )
        if claims:
            held["claims"] = claims
        return held

    def source(self, chain: Chain) -> tuple[str, ...]:
        given = self.data.get("source") or []
        keys = tuple([given] if isinstance(given, str) else given)
        for key in keys:
            if not chain.knows_source(str(key)):
                self.problem(
                    "source", f"unknown source '{key}'", suggestion(str(key), chain.sources)
                )
        return keys

    def reference(self, name: str, vintage: str) -> str | None:
        if "reference" in self.data:
            given = self.data["reference"]
            if given is None or str(given).lower() == "none":
                return None
            reference = str(given)
            if reference == name:
                self.problem("reference", "a scenario cannot be its own reference", "Write none.")
                return None
            try:
                found = locate(reference, beside=self.file)
            except InputError as error:
                self.problem("reference", f"unknown scenario '{reference}'", error.hint)
                return None
            other = vintage_of(load_mapping(found).data, found)
            if other != vintage:
                self.problem(
                    "reference",
                    f"'{reference}' stands on vintage {other}, this scenario on {vintage}",
                    "Name a reference of the same vintage, or none.",
                )
            return reference
        if vintage == DEFAULT_VINTAGE and name != DEFAULT_REFERENCE:
            return DEFAULT_REFERENCE
        return None


_ADVICE = {
    "headline": "Write for example 'headline: [\"unmet_share(region=europe)\", first_stoppage]'.",
    "name": "Add 'name: my_scenario'.",
    "question": "Add 'question:' with the question the scenario answers, in one sentence.",
    "start": "Add 'start: 2024-01-01'.",
    "end": "Add 'end: 2028-01-01'.",
    "interventions": "Add 'interventions:' with entries by name, or 'interventions: {}' for none.",
    "variants": "Write 'variants: {name: {interventions: {...}}}'.",
}


def _plain_number(value: Any) -> Number | str:
    return value.isoformat() if isinstance(value, date) else float(value)


def _plausible(chain: Chain, name: str, value: Any) -> None:
    """Refuse a negative number, or a share above one, where the parameter cannot be so."""
    if isinstance(value, str | date) or name not in chain.parameters:
        return
    item = chain.parameters[name]
    default = item.default if isinstance(item.default, int | float) else None
    least = min((v for v in (default, item.low) if v is not None), default=None)
    most = max((v for v in (default, item.high) if v is not None), default=None)
    if value < 0 and least is not None and least >= 0:
        raise InputError(f"{value:g} is negative", hint=f"The range is {item.low} to {item.high}.")
    if value > 1 and item.unit == "share" and most is not None and most <= 1:
        raise InputError(
            f"{value:g} is above 1", hint="A share lies between 0 and 1, not in percent."
        )


def outside_ranges(scenario: Scenario) -> list[str]:
    """Overrides that leave the documented range of their parameter: one sentence each.

    They are allowed (stress cases need them) and no longer covered by the parameter's sources.
    """
    from lodestone.chain.load import load_chain

    known = load_chain(scenario.vintage).parameter_names()
    found = []
    for name, value in scenario.overrides.items():
        item = known[name]
        if isinstance(value, str) or item.low is None or item.high is None:
            continue
        least, most = value.support() if isinstance(value, Distribution) else (value, value)
        if least < item.low or most > item.high:
            unit = "" if item.unit in ("", "-") else f" {item.unit}"
            told = f"{value}" if isinstance(value, Distribution) else f"{value:g}"
            found.append(
                f"{name} = {told} lies outside its documented range "
                f"({item.low:g} to {item.high:g}{unit})"
            )
    return found


def waits_for(items: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return, by name, the interventions that must be drawn before an intervention.

    It waits for the one that triggers it, and for those that write its start.
    """
    waits: dict[str, list[str]] = {name: [] for name in items}
    for name, item in items.items():
        trigger = item.after()
        if trigger in items:
            waits[name].append(trigger)
        for other in item.begins():
            if other in items:
                waits[other].append(name)
    return {name: sorted(set(others)) for name, others in waits.items()}


def _refuse_circles(made: Mapping[str, Any], checker: _Checker) -> None:
    """Note interventions that wait for one another."""
    waits = waits_for(made)

    def trail(name: str, at: str, seen: tuple[str, ...]) -> tuple[str, ...] | None:
        for other in waits[at]:
            if other == name:
                return (*seen, name)
            if other not in seen:
                found = trail(name, other, (*seen, other))
                if found:
                    return found
        return None

    for name in made:
        circle = trail(name, name, (name,))
        if circle and len(circle) > 2:
            checker.problem(
                f"interventions.{name}.triggered_by",
                f"waits for itself ({' -> '.join(circle)})",
            )


def refuse_two_rules(items: Mapping[str, Any]) -> None:
    """Refuse two allocation rules that tell one exporter two things at once.

    Raises
    ------
    InputError
        Naming both.
    """
    from lodestone.interventions.base import _earliest, _latest

    rules = sorted(n for n, item in items.items() if item.kind == "allocation_rule")
    for i, first in enumerate(rules):
        for second in rules[i + 1 :]:
            a, b = items[first], items[second]
            shared = set(a.exporter) & set(b.exporter)
            everybody = "all" in a.exporter or "all" in b.exporter
            if a.rule == b.rule or not (shared or everybody):
                continue
            spans = []
            for x in (a, b):
                open_end = x.end is None
                spans.append((_earliest(x.start) or date.min, None if open_end else _latest(x.end)))
            (s1, e1), (s2, e2) = spans
            if (e1 is not None and e1 <= s2) or (e2 is not None and e2 <= s1):
                continue
            whom = "every exporter" if everybody else ", ".join(sorted(shared))
            raise InputError(
                f"'{second}' ({b.rule}) and '{first}' ({a.rule}) rule {whom} at the same time",
                key=f"interventions.{second}.rule",
                hint="Keep one, or give the first an end on or before the start of the second.",
            )


def write_scenario(document: Document, chain: Chain | None = None) -> str:
    """Return a self-contained scenario file: everything inherited is written out.

    Parameters
    ----------
    document
        From `load_mapping`.
    chain
        If given, the titles of the sources are written as comments.
    """
    data = {key: document.data[key] for key in KEYS if key in document.data}
    head = [
        "# A Lodestone scenario: what happens. Edit it, give it a name of its own, then",
        "#   lodestone check FILE.yaml      finds mistakes",
        "#   lodestone run FILE.yaml        runs it against its reference",
        "# Any number may be uncertain: {dist: triangular, low: 30, mode: 63, high: 100}.",
        "# Kinds of intervention and their keys: lodestone list interventions",
        "",
    ]
    tail: list[str] = []
    if chain is not None:
        cited = build_scenario(data, file=document.file, chain=chain).sources()
        titles = chain.source_titles(cited)
        if cited:
            tail = ["", "# Sources cited:", *(f"#   {k}: {titles.get(k, '')}" for k in cited)]
    return "\n".join(head) + dump_yaml(data) + "\n".join(tail) + ("\n" if tail else "")
