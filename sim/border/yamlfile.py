"""Read and write YAML without its traps.

The plain YAML 1.1 rules turn ``2025-04-04`` into a date object, ``no`` into ``False``, ``12:30``
into a number in base 60, and let a key that occurs twice pass silently. Scenario files are read
by people who write policy, so here dates stay text, only ``true`` and ``false`` are booleans,
keys are always text, a repeated key is an error, and every key remembers its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lodestone.border.errors import InputError

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
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loader with the rules of this module."""


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
class Document:
    """A YAML file as plain Python values, with the line on which each key stands.

    Attributes
    ----------
    data
        The content: dicts with text keys, lists, text, int, float, bool, None.
    lines
        Line number (from 1) of each key, by its path.
    file
        Where it was read from.
    """

    data: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)
    file: Path | None = None


def read_yaml(path: Path) -> Document:
    """Read a YAML file whose top level is a mapping.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, repeats a key, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "is not text in UTF-8", file=path, hint="Save it as UTF-8 YAML text"
        ) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path | None = None) -> Document:
    """Parse YAML text whose top level is a mapping (see `read_yaml`)."""
    where = path if path is not None else "text"
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(
            f"{line}is not valid YAML ({problem})",
            file=where,
            hint="Indent with spaces, write 'key: value', and close every quote and bracket",
        ) from error
    lines: dict[KeyPath, int] = {}
    data = {} if node is None else _value(node, (), lines, where)
    if not isinstance(data, dict):
        raise InputError(
            "is not a mapping of keys to values",
            file=where,
            hint="The file must consist of 'key: value' lines, beginning with 'name:'",
        )
    return Document(data, lines, path)


def _value(node: yaml.Node, at: KeyPath, lines: dict[KeyPath, int], where: Any) -> Any:
    """Turn a YAML node into Python values, noting lines and refusing repeated keys."""
    if isinstance(node, yaml.MappingNode):
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError(f"line {line}: a key must be one word", file=where)
            key = key_node.value
            if key in out:
                raise InputError(
                    f"line {line}: the key occurs twice (first on line {lines[(*at, key)]})",
                    file=where,
                    key=".".join((*at, key)),
                    hint="Keep one of the two",
                )
            lines[(*at, key)] = line
            out[key] = _value(value_node, (*at, key), lines, where)
        return out
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*at, str(i)), lines, where) for i, item in enumerate(node.value)]
    text = node.value
    tag = node.tag.rsplit(":", 1)[-1]
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    if tag == "int" and _INT.match(text):
        return int(text.replace("_", ""))
    if tag == "float":
        plain = text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
        return float(plain)
    return text


def dump_yaml(data: dict[str, Any]) -> str:
    """Write plain values as YAML that `parse_yaml` reads back unchanged."""
    return yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96, default_flow_style=None
    )
