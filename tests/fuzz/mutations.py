"""Scenario files with one fault each: what was done, and what has to be said about it.

A mutation returns the text of a file and a `Fault`: whether it has to be refused, and the words of
which the message must hold one (the key, or the line on which it stands).
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lodestone.border.yamlfile import _plain_rules, parse_yaml
from lodestone.scenario import find_overlays, find_scenarios

FILES = {n: i.path for n, i in find_scenarios().items()}
OVERLAYS = {n: i.path for n, i in find_overlays().items()}
#: Keys whose words are free: no fault of theirs can be seen.
FREE = ("note", "title", "narrative", "question", "text")


@_plain_rules
class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):
    """Quotes as the dumper of the package does, and is several times as fast."""


def dump_yaml(data: dict[str, Any]) -> str:
    """A document as text."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96)


@dataclass(frozen=True)
class Fault:
    """What was done to a file."""

    what: str
    at: tuple[str, ...]
    refuse: bool
    words: tuple[str, ...] = ()


def parsed(path: Path) -> dict[str, Any]:
    """A file as plain values."""
    return parse_yaml(path.read_text(encoding="utf-8"), path).data


def walk(value: Any, at: tuple[str, ...] = ()):
    """Every place of a document, from the top."""
    yield at, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, (*at, str(key)))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from walk(item, (*at, str(number)))


def put(data: Any, at: tuple[str, ...], value: Any) -> Any:
    """The document with another value at a place."""
    if not at:
        return value
    out = copy.copy(data)
    key: Any = int(at[0]) if isinstance(out, list) else at[0]
    out[key] = put(out[key], at[1:], value)
    return out


def misspelt(word: str, draw: np.random.Generator) -> str:
    """A word with one slip of the finger."""
    i = int(draw.integers(len(word)))
    kind = int(draw.integers(4))
    if kind == 0 and len(word) > 3:
        return word[:i] + word[i + 1 :]
    if kind == 1:
        return word[:i] + word[i] * 2 + word[i + 1 :]
    if kind == 2 and i + 1 < len(word) and word[i] != word[i + 1]:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    return word[:i] + "q" + word[i:]


def schema_keys(data: dict[str, Any]) -> list[tuple[str, ...]]:
    """Places whose key is a word of the format, not a name that the author chose."""
    found = []
    for at, _ in walk(data):
        layer = at[2:] if at[:1] == ("variants",) else at
        if not layer:
            continue
        if (
            len(layer) == 1
            or (layer[0] == "interventions" and len(layer) == 3)
            or (layer[0] == "hypothesis" and len(layer) == 2)
            or layer[0] == "overrides"
        ):
            found.append(at)
    return found


WORDS = (
    "kind", "role", "exporter", "importer", "materials", "destinations", "region", "regions",
    "sectors", "stage", "facilities", "facility", "source", "holder", "rule", "mechanism", "classes",
    "reference", "vintage", "members", "origin", "destination", "licence",
)  # fmt: skip


def mutate(data: dict[str, Any], draw: np.random.Generator) -> tuple[str, Fault]:
    """One fault, put into the text of a file."""
    for _ in range(60):
        done = MUTATIONS[int(draw.integers(len(MUTATIONS)))](copy.deepcopy(data), draw)
        if done is not None:
            changed, fault = done
            return (changed if isinstance(changed, str) else dump_yaml(changed)), fault
    raise AssertionError("no mutation fits this file")


def _pick(items: list[Any], draw: np.random.Generator) -> Any:
    return items[int(draw.integers(len(items)))] if items else None


def _renamed(data: Any, at: tuple[str, ...], key: str, value: Any = ...) -> Any:
    above = data
    for part in at[:-1]:
        above = above[int(part) if isinstance(above, list) else part]
    new = {}
    for name, held in above.items():
        if str(name) == at[-1]:
            new[key] = held if value is ... else value
        else:
            new[name] = held
    return put(data, at[:-1], new)


def key_misspelt(data, draw):
    """A key of the format, misspelt; sometimes with its value lost."""
    at = _pick(schema_keys(data), draw)
    key = misspelt(at[-1], draw)
    siblings = [a[-1] for a, _ in walk(data) if a and a[:-1] == at[:-1]]
    if key == at[-1] or key in siblings:
        return None
    empty = draw.random() < 0.3
    return _renamed(data, at, key, None if empty else ...), Fault("key misspelt", at, True, (key,))


def key_added(data, draw):
    """A key that no kind has, empty or not."""
    at = _pick([a for a in schema_keys(data) if "overrides" not in a], draw)
    value = _pick([None, 1, "x", [], {}], draw)
    above = data
    for part in at[:-1]:
        above = above[part]
    return put(data, at[:-1], {**above, "zzq": value}), Fault("key added", at, True, ("zzq",))


def word_misspelt(data, draw):
    """A word of the chain or the registry, misspelt."""
    places = [
        (at, value)
        for at, value in walk(data)
        if isinstance(value, str)
        and any(part in WORDS for part in at)
        and value not in ("none", "all")
        and "overrides" not in at
        and not value[:1].isdigit()
    ]
    found = _pick(places, draw)
    if found is None:
        return None
    at, value = found
    return put(data, at, misspelt(value, draw) + "qx"), Fault("word misspelt", at, True)


def _numbers(data):
    return [
        (at, v)
        for at, v in walk(data)
        if isinstance(v, int | float)
        and not isinstance(v, bool)
        and not any(p in FREE for p in at)
        and at[-1] != "vintage"
    ]


def number_absurd(data, draw):
    """A number beyond all magnitudes, or none at all."""
    found = _pick(_numbers(data), draw)
    if found is None:
        return None
    value = _pick(
        [1e300, -1e300, float("inf"), float("nan"), -1e9, 1e15, "1e999", "9" * 5000], draw
    )
    at = found[0]
    if isinstance(value, str):
        text = dump_yaml(put(data, at, "ZZZ")).replace("ZZZ", value)
        return text, Fault("number absurd", at, True)
    return put(data, at, value), Fault("number absurd", at, True)


def number_as_text(data, draw):
    """A number with a comma, a unit, a percent sign, or in words."""
    found = _pick(_numbers(data), draw)
    if found is None:
        return None
    value = _pick(["0,5", "50 %", "12 weeks", "many", "1.2.3", "--1"], draw)
    return put(data, found[0], value), Fault("number as text", found[0], True)


def wrong_sort(data, draw):
    """A list for a word, a mapping for a number, text for a mapping."""
    places = [(a, v) for a, v in walk(data) if a and not any(p in ("variants",) for p in a[1:])]
    at, value = _pick(places, draw)
    if isinstance(value, dict):
        new: Any = _pick(["text", 3, ["a", "b"], True], draw)
    elif isinstance(value, list):
        new = _pick([3.5, {"a": 1}, [["nested"]], True], draw)
    else:
        new = _pick([["one", ["two"]], {"a": {"b": 1}}], draw)
    return put(data, at, new), Fault("wrong sort", at, True)


def date_wrong(data, draw):
    """A date that does not exist, or an order that cannot be."""
    places = [
        at
        for at, v in walk(data)
        if isinstance(v, str) and len(v) == 10 and v[4:5] == "-" and v[7:8] == "-"
        and not any(p in FREE for p in at)
    ]  # fmt: skip
    at = _pick(places, draw)
    if at is None:
        return None
    value = _pick(
        ["2024-13-45", "2024-02-30", "31.12.2024", "soon", "99999-01-01", "2024/01/01"], draw
    )
    return put(data, at, value), Fault("date wrong", at, True)


def date_key_wrong(data, draw):
    """A step of a path on a date that does not exist."""
    places = [at for at, _ in walk(data) if at and len(at[-1]) == 10 and at[-1][4] == "-"]
    at = _pick(places, draw)
    if at is None:
        return None
    key = _pick(["2024-13-45", "2024-02-30", "soon", "2024/01/01"], draw)
    return _renamed(data, at, key), Fault("step on no date", at, True, (key, *at))


def needed_key_lost(data, draw):
    """Something without which a scenario asks nothing."""
    key = _pick(
        [k for k in ("name", "question", "start", "end", "interventions") if k in data], draw
    )
    if key is None or "defaults" in data or "start" not in data:
        return None
    return {k: v for k, v in data.items() if k != key}, Fault("key lost", (key,), True, (key,))


def upside_down(data, draw):
    """An end before the start."""
    if "start" not in data or "end" not in data:
        return None
    return {**data, "end": "1999-01-01"}, Fault("upside down", ("end",), True, ("end",))


def expression_wrong(data, draw):
    """A verdict over nothing."""
    held = data.get("hypothesis")
    if not isinstance(held, dict):
        return None
    text = _pick(
        [
            "unmet_t(region=nowhere) > 1", "unmet_t(sector=ev_tracton) > 1", "unmett > 1",
            "unmet_t(regoin=all) > 1", "unmet_t(region=all", "unmet_t", "unmet_t > ", "1 > 2 > 3",
            "unmet_t(region=[]) > 1", "unmet_t(region=all, region=all) > 1", "import('os') > 1",
            "unmet_t > 1 and", "(" * 3000 + "unmet_t > 1" + ")" * 3000, "unmet_t > 1e999",
            "not " * 5000 + "unmet_t > 1", "unmet_t > " + "9" * 500,
        ],
        draw,
    )  # fmt: skip
    key = _pick(["confirmed_if", "refuted_if"], draw)
    return put(data, ("hypothesis",), {**held, key: text}), Fault(
        "expression", ("hypothesis", key), True
    )


def headline_wrong(data, draw):
    """A headline that no run can tell."""
    value = _pick(
        ["unmet_t", [1], ["unmet_t(x=1)"], ["no_such"], [["a"]], {"a": 1}, ["unmet_t > 1"]], draw
    )
    return {**data, "headline": value}, Fault("headline", ("headline",), True)


def distribution_wrong(data, draw):
    """A distribution that is none."""
    found = _pick(_numbers(data), draw)
    if found is None:
        return None
    value = _pick(
        [
            {"dist": "gaussian", "mean": 1, "sd": 1}, {"dist": "uniform", "low": 2, "high": 1},
            {"dist": "uniform", "low": 1}, {"dist": "triangular", "low": 1, "mode": 9, "high": 3},
            {"dist": "normal", "mean": 1, "sd": -1}, {"dist": "choice", "values": []},
            {"dist": "lognormal", "median": -1, "sigma": 1}, {"dist": ["uniform"]},
            {"dist": "choice", "values": [1, 2], "weights": [1]}, {"dist": None}, {},
        ],
        draw,
    )  # fmt: skip
    return put(data, found[0], value), Fault("distribution", found[0], True)


def trap(data, draw):
    """What only a program would write: depth, aliases, tags, size, bytes."""
    text = dump_yaml(data)
    kind = int(draw.integers(9))
    if kind == 0:
        text += "zz: " + "[" * 60000
    elif kind == 1:
        names = [f"a{i}" for i in range(12)]
        lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
        lines += [f"{b}: &{b} [{','.join(['*' + a] * 10)}]" for a, b in itertools.pairwise(names)]
        text += "\n".join(lines) + "\n"
    elif kind == 2:
        text += "zz: !!python/object/apply:os.system ['true']\n"
    elif kind == 3:
        text += "zz: " + "x" * 1_100_000 + "\n"
    elif kind == 4:
        text += "zz: \0\n"
    elif kind == 5:
        text += "k" * 5000 + ": 1\n"
    elif kind == 6:
        text += "\x1b[31mzz\x1b[0m: 1\n"
    elif kind == 7:
        text += "---\nname: second\n"
    else:
        text += "? [a, b]\n: 1\n"
    return text, Fault("trap", ("zz",), True, ("zz", "line", "bytes", "k" * 20))


def scribble(data, draw):
    """Some bytes of the text changed: anything may come out, but nothing may break."""
    text = list(dump_yaml(data))
    for _ in range(int(draw.integers(1, 6))):
        i = int(draw.integers(len(text)))
        text[i] = _pick(list("{}[]:#&*!|>'\"%@,\n\t -=0?\x7f\u202e"), draw)
    return "".join(text), Fault("scribble", (), False)


MUTATIONS = (
    key_misspelt, key_misspelt, key_misspelt, key_added, key_added, word_misspelt, word_misspelt,
    number_absurd, number_as_text, wrong_sort, wrong_sort, date_wrong, date_key_wrong,
    needed_key_lost, upside_down, expression_wrong, headline_wrong, distribution_wrong, trap,
    scribble, scribble,
)  # fmt: skip
