"""Read and write YAML without its traps.

The plain YAML 1.1 rules turn ``2025-04-04`` into a date object, ``no`` into ``False``, ``12:30``
into a number in base 60, and let a key that occurs twice pass silently. Scenario files are read
by people who write policy, so here dates stay text, only ``true`` and ``false`` are booleans,
keys are always text, a repeated key is an error, and every key remembers its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from lodestone.border.errors import InputError
from lodestone.border.files import read_text
from lodestone.border.numbers import read_int

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Budgets: files that people write stay far below, files made to harm do not.
LARGEST = 1_000_000
DEEPEST = 24
MOST_VALUES = 20_000
LONGEST_KEY = 200

KeyPath = tuple[str, ...]

_FLOAT = re.compile(
    r"""^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?
        |[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)
        |[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?
        |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$""",
    re.X,
)
_INT = re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$")
_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")


def _plain_rules(cls: type) -> type:
    """Replace the implicit YAML 1.1 rules of a loader or dumper by the four of this module."""
    cls.yaml_implicit_resolvers = {}  # type: ignore[attr-defined]
    for tag, pattern, first in (
        ("tag:yaml.org,2002:bool", _BOOL, list("tTfF")),
        ("tag:yaml.org,2002:int", _INT, list("-+0123456789")),
        ("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789.")),
        ("tag:yaml.org,2002:null", _NULL, ["~", "n", "N", ""]),
    ):
        cls.add_implicit_resolver(tag, pattern, first)  # type: ignore[attr-defined]
    return cls


@_plain_rules
class _Dumper(yaml.SafeDumper):
    """Safe dumper that quotes only what the loader above would misread."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        """Indent lists under their key, as people write them."""
        return super().increase_indent(flow, False)


def _as_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _as_text)


@dataclass(frozen=True)
class Place:
    """Where something stands: a file and, where known, a line (from 1)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


def find_place(places: Mapping[KeyPath, Place], key: str) -> Place | None:
    """Return the place of a dotted key, or of the nearest key above it that has one."""
    parts = tuple(key.split("."))
    while parts:
        if parts in places:
            return places[parts]
        parts = parts[:-1]
    return None


@dataclass(frozen=True)
class Document:
    """A YAML file as plain Python values, with the place where each key stands.

    Attributes
    ----------
    data
        The content: dicts with text keys, lists, text, int, float, bool, None.
    places
        Place of each key and list item, by its path. A key with points in it counts as several.
    file
        Where it was read from.
    """

    data: dict[str, Any]
    places: dict[KeyPath, Place] = field(default_factory=dict)
    file: Path | None = None


def read_yaml(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, repeats a key, is not a mapping, or is larger
        than any file of a person.
    """
    return parse_yaml(read_text(path, LARGEST), path)


def read_yaml_kept(path: Path) -> Document:
    """Read a YAML file as `read_yaml` does; for unchanged text the same object, not to be changed."""
    return _parsed(read_text(path, LARGEST), path)


@lru_cache(maxsize=128)
def _parsed(text: str, path: Path) -> Document:
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path | None = None) -> Document:
    """Parse YAML text whose top level is a mapping (see `read_yaml`)."""
    return _Builder(text, path).document()


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Builder:
    """Builds plain values from the parser's events, within budgets, noting places.

    The parser's own composer recurses without end on brackets without end, multiplies aliases and
    understands tags; none of that is needed for files that people write.
    """

    def __init__(self, text: str, path: Path | None) -> None:
        self.file = str(path) if path is not None else "text"
        self.path = path
        self.text = text
        self.places: dict[KeyPath, Place] = {}
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.values = 0
        self.last = 0

    def document(self) -> Document:
        data: Any = {}
        documents = 0
        try:
            self.events = yaml.parse(self.text, Loader=_PARSER)
            for event in self.events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        raise self.fail(event, "a second document begins", "Keep one, without ---.")
                    data = self.value(next(self.events), ())
        except yaml.YAMLError as error:
            raise self.unreadable(error) from None
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise InputError(
                "is not a mapping of keys to values",
                file=self.file,
                hint="The file must consist of 'key: value' lines, beginning with 'name:'",
            )
        whole = {tuple(".".join(path).split(".")): place for path, place in self.places.items()}
        return Document(data, {**whole, **self.places}, self.path)

    def unreadable(self, error: yaml.YAMLError) -> InputError:
        mark = getattr(error, "problem_mark", None)
        number = mark.line + 1 if mark is not None else None
        if number is None and isinstance(getattr(error, "position", None), int):
            number = self.text.count("\n", 0, error.position) + 1  # type: ignore[attr-defined]
        line = f"line {number}: " if number else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None)
        return InputError(
            f"{line}is not valid YAML ({problem or str(error).splitlines()[0]})",
            file=self.file,
            hint="Indent with spaces, write 'key: value', and close every quote and bracket",
        )

    def fail(self, event: Any, message: str, hint: str, at: KeyPath = ()) -> InputError:
        return InputError(
            f"line {_line(event)}: {message}",
            file=self.file,
            key=".".join(at) or None,
            hint=hint,
        )

    def value(self, event: Any, at: KeyPath) -> Any:
        self.last = _line(event)
        self.values += 1
        if len(at) > DEEPEST:
            raise self.fail(event, f"is nested more than {DEEPEST} deep", "Close some brackets.")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise self.fail(event, f"nothing is called &{event.anchor}", "Write it out.", at)
            held, size = self.anchors[event.anchor]
            self.values += size
            self.enough(event)
            return held
        self.enough(event)
        if event.tag is not None and event.tag not in ("!", "tag:yaml.org,2002:str"):
            raise self.fail(event, f"the tag {event.tag} is not read", "Leave it out.", at)
        before = self.values
        if isinstance(event, yaml.MappingStartEvent):
            out: Any = self.mapping(at)
        elif isinstance(event, yaml.SequenceStartEvent):
            out = self.sequence(at)
        else:
            out = self.scalar(event, at)
        if event.anchor is not None:
            self.anchors[event.anchor] = (out, self.values - before + 1)
        return out

    def enough(self, event: Any) -> None:
        if self.values > MOST_VALUES:
            raise self.fail(
                event,
                f"holds more than {MOST_VALUES:,} values, those that aliases repeat included",
                "A scenario is a page or two.",
            )

    def mapping(self, at: KeyPath) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.fail(event, "a key must be one word", "Write 'key: value'.", at)
            key = event.value
            if len(key) > LONGEST_KEY:
                raise self.fail(
                    event, f"a key of {len(key)} characters", "Quote text; keys are words.", at
                )
            if key in out:
                first = self.places[*at, key].line
                raise self.fail(
                    event, f"the key occurs twice (first on line {first})", "Keep one of the two",
                    (*at, key),
                )  # fmt: skip
            self.places[*at, key] = Place(self.file, line)
            out[key] = self.value(next(self.events), (*at, key))
        return out

    def sequence(self, at: KeyPath) -> list[Any]:
        out: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            here = (*at, str(len(out)))
            self.places[here] = Place(self.file, _line(event))
            out.append(self.value(event, here))
        return out

    def scalar(self, event: Any, at: KeyPath) -> Any:
        text = str(event.value)
        if event.tag is not None or not event.implicit[0]:
            return text
        if _NULL.match(text):
            return None
        if _BOOL.match(text):
            return text.lower() == "true"
        try:
            if _INT.match(text):
                return read_int(text.replace("_", ""))
            if _FLOAT.match(text):
                return float(
                    text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
                )
        except ValueError as error:
            raise self.fail(
                event, str(error), "Write a number that a person can read.", at
            ) from None
        return text


def dump_yaml(data: dict[str, Any]) -> str:
    """Write plain values as YAML that `parse_yaml` reads back unchanged."""
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96, default_flow_style=None
    )
