"""Verdict expressions: when is a hypothesis confirmed or refuted in a world?

The language is ``metric(selector=value, ...) op number``, joined by ``and``, ``or``, ``not`` and
brackets. A number may be written ``days(70)``, ``weeks(10)``, ``years(2)`` (all in days) or
``percent(5)`` (as a share). Text is parsed into the small tree below and nothing is ever evaluated as code. Judging
the tree needs only a function that gives a metric's value in every world (see `judge`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "And",
    "Compare",
    "Metric",
    "Not",
    "Or",
    "judge",
    "metrics_in",
    "parse_metric",
    "parse_verdict",
]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w-]))"
    r"|(?P<word>[A-Za-z_0-9][\w-]*)"
    r"|(?P<op><=|>=|==|!=|<|>)"
    r"|(?P<mark>[(),=\[\]]))"
)
_SCALES = {"days": 1.0, "weeks": 7.0, "years": 365.25, "percent": 0.01}
_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@dataclass(frozen=True)
class Metric:
    """A metric by name with its selectors, for example ``unmet_share(region=europe)``."""

    name: str
    selectors: tuple[tuple[str, str | tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Compare:
    """``metric op number``."""

    metric: Metric
    op: str
    number: float


@dataclass(frozen=True)
class Not:
    """The contrary."""

    part: Any


@dataclass(frozen=True)
class And:
    """All parts hold."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Or:
    """At least one part holds."""

    parts: tuple[Any, ...]


def parse_verdict(expression: str) -> Any:
    """Parse a verdict expression.

    Returns
    -------
    Compare, Not, And or Or
        The tree.

    Raises
    ------
    ValueError
        With a message for the user that names the place.
    """
    return _Parser(expression).whole()


def parse_metric(expression: str) -> Metric:
    """Parse ``metric(selector=value, ...)`` alone, without a comparison.

    Raises
    ------
    ValueError
        With a message for the user that names the place.
    """
    return _Parser(expression).alone()


def metrics_in(tree: Any) -> list[Metric]:
    """Return every metric that a tree asks for."""
    if isinstance(tree, Compare):
        return [tree.metric]
    if isinstance(tree, Not):
        return metrics_in(tree.part)
    return [metric for part in tree.parts for metric in metrics_in(part)]


def judge(tree: Any, value: Callable[[str, Mapping[str, Any]], Any]) -> Any:
    """Judge a tree in every world.

    Parameters
    ----------
    tree
        From `parse_verdict`.
    value
        Given a metric's name and its selectors, returns its value per world, shape ``(w,)``.

    Returns
    -------
    array of bool, shape ``(w,)``
    """
    if isinstance(tree, Compare):
        return _OPS[tree.op](value(tree.metric.name, dict(tree.metric.selectors)), tree.number)
    if isinstance(tree, Not):
        return ~judge(tree.part, value)
    verdict = judge(tree.parts[0], value)
    for part in tree.parts[1:]:
        if isinstance(tree, And):
            verdict = verdict & judge(part, value)
        else:
            verdict = verdict | judge(part, value)
    return verdict


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = expression.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"cannot be read from {text[at:].strip()[:20]!r} on")
            kind = str(match.lastgroup)
            self.tokens.append((kind, match.group(kind)))
            at = match.end()
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        if self.at >= len(self.tokens):
            raise ValueError(f"ends where {expected or 'more'!r} was expected")
        text = self.tokens[self.at][1]
        if expected is not None and text != expected:
            raise ValueError(f"has {text!r} where {expected!r} was expected")
        self.at += 1
        return text

    def whole(self) -> Any:
        tree = self.either()
        if self.at < len(self.tokens):
            raise ValueError(f"does not end at {self.peek()!r}: join comparisons by and, or")
        return tree

    def either(self) -> Any:
        parts = [self.both()]
        while self.peek() == "or":
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self) -> Any:
        parts = [self.single()]
        while self.peek() == "and":
            self.take()
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def single(self) -> Any:
        if self.peek() == "not":
            self.take()
            return Not(self.single())
        if self.peek() == "(":
            self.take()
            tree = self.either()
            self.take(")")
            return tree
        return self.comparison()

    def alone(self) -> Metric:
        metric = self.metric()
        if self.at < len(self.tokens):
            raise ValueError(f"does not end at {self.peek()!r}: one metric is meant, no comparison")
        return metric

    def metric(self) -> Metric:
        if not self.tokens[self.at :] or self.tokens[self.at][0] != "word":
            raise ValueError(f"has {self.peek()!r} where a metric was expected")
        name = self.take()
        return Metric(name, self.selectors() if self.peek() == "(" else ())

    def comparison(self) -> Compare:
        metric = self.metric()
        op = self.take()
        if op not in _OPS:
            raise ValueError(f"has {op!r} where one of {' '.join(_OPS)} was expected")
        return Compare(metric, op, self.number())

    def selectors(self) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
        self.take("(")
        found: list[tuple[str, str | tuple[str, ...]]] = []
        while self.peek() != ")":
            key = self.take()
            self.take("=")
            if self.peek() == "[":
                self.take()
                many = []
                while self.peek() != "]":
                    many.append(self.take())
                    if self.peek() == ",":
                        self.take()
                self.take("]")
                found.append((key, tuple(many)))
            else:
                found.append((key, self.take()))
            if self.peek() == ",":
                self.take()
        self.take(")")
        return tuple(found)

    def number(self) -> float:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "number":
            self.take()
            return float(text)
        if text in _SCALES:
            self.take()
            self.take("(")
            inside = self.number()
            self.take(")")
            return inside * _SCALES[text]
        raise ValueError(
            f"has {text!r} where a number was expected (write 0.5, days(70) or percent(5))"
        )
