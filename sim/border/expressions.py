"""Verdict expressions: when is a hypothesis confirmed or refuted in a world?

The language is ``metric(selector=value, ...) op number``, joined by ``and``, ``or``, ``not`` and
brackets. A number may be written ``days(70)``, ``weeks(10)``, ``years(2)`` (all in days) or
``percent(5)`` (as a share).

A metric may stand inside ``reference(...)``, its value in the reference, ``delta(...)``, the
scenario's less the reference's, or ``fall(...)``, the contrary. To the right of the comparison may
stand another metric, or a number times one: ``unmet_t > 0.9 * reference(unmet_t)``.

Text is parsed into the small tree below and nothing is ever evaluated as code. Judging the tree
needs only functions that give a metric's value in every world (see `judge`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lodestone.border.numbers import read_float
from lodestone.border.units import DAYS_PER_WEEK, DAYS_PER_YEAR

__all__ = [
    "And",
    "Compare",
    "Metric",
    "Not",
    "Or",
    "Term",
    "asks_reference",
    "comparisons_in",
    "judge",
    "metrics_in",
    "parse_metric",
    "parse_verdict",
    "written",
]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w-]))"
    r"|(?P<word>[A-Za-z_0-9][\w-]*)"
    r"|(?P<op><=|>=|==|!=|<|>)"
    r"|(?P<mark>[(),=*\[\]]))"
)
#: Budgets of an expression that a person writes.
LONGEST, DEEPEST = 2000, 30
_SCALES = {"days": 1.0, "weeks": DAYS_PER_WEEK, "years": DAYS_PER_YEAR, "percent": 0.01}
#: How a metric counts: the scenario's value, the reference's, or a difference of both.
_HOW = ("reference", "delta", "fall")
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
class Term:
    """A metric and how it counts: its ``level``, ``reference``, ``delta`` or ``fall``."""

    metric: Metric
    how: str = "level"


@dataclass(frozen=True)
class Compare:
    """``metric op number``, or ``metric op number * other``."""

    metric: Metric
    op: str
    number: float
    how: str = "level"
    other: Term | None = None

    @property
    def terms(self) -> tuple[Term, ...]:
        """Both sides, as far as they are metrics."""
        own = Term(self.metric, self.how)
        return (own,) if self.other is None else (own, self.other)


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


@lru_cache(maxsize=1024)
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


@lru_cache(maxsize=1024)
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
    return [term.metric for term in _terms(tree)]


def comparisons_in(tree: Any) -> list[Compare]:
    """Return every comparison of a tree."""
    if isinstance(tree, Compare):
        return [tree]
    if isinstance(tree, Not):
        return comparisons_in(tree.part)
    return [one for part in tree.parts for one in comparisons_in(part)]


def asks_reference(tree: Any) -> bool:
    """Return whether a tree can only be judged beside a reference."""
    return any(term.how != "level" for term in _terms(tree))


def written(metric: Metric) -> str:
    """Return a metric as text that `parse_metric` reads back."""
    inside = [
        f"{key}={value if isinstance(value, str) else '[' + ', '.join(value) + ']'}"
        for key, value in metric.selectors
    ]
    return f"{metric.name}({', '.join(inside)})" if inside else metric.name


def _terms(tree: Any) -> list[Term]:
    if isinstance(tree, Compare):
        return list(tree.terms)
    if isinstance(tree, Not):
        return _terms(tree.part)
    return [term for part in tree.parts for term in _terms(part)]


def judge(
    tree: Any,
    value: Callable[[str, Mapping[str, Any]], Any],
    reference: Callable[[str, Mapping[str, Any]], Any] | None = None,
) -> Any:
    """Judge a tree in every world.

    Parameters
    ----------
    tree
        From `parse_verdict`.
    value
        Given a metric's name and its selectors, returns its value per world, shape ``(w,)``.
    reference
        The same for the reference, where the tree asks for it (`asks_reference`).

    Returns
    -------
    array of bool, shape ``(w,)``
        Where two endless times are compared, their difference counts as none.

    Raises
    ------
    ValueError
        The tree asks for a reference and there is none.
    """
    if isinstance(tree, Compare):
        right: Any = tree.number
        if tree.other is not None:
            right = tree.number * _value_of(tree.other, value, reference)
        return _OPS[tree.op](_value_of(Term(tree.metric, tree.how), value, reference), right)
    if isinstance(tree, Not):
        return ~judge(tree.part, value, reference)
    verdict = judge(tree.parts[0], value, reference)
    for part in tree.parts[1:]:
        if isinstance(tree, And):
            verdict = verdict & judge(part, value, reference)
        else:
            verdict = verdict | judge(part, value, reference)
    return verdict


def _value_of(term: Term, value: Callable[..., Any], reference: Callable[..., Any] | None) -> Any:
    name, selectors = term.metric.name, dict(term.metric.selectors)
    if term.how == "level":
        return value(name, selectors)
    if reference is None:
        raise ValueError("it asks for a reference and there is none")
    calm = reference(name, selectors)
    if term.how == "reference":
        return calm
    own = value(name, selectors)
    more, less = (own, calm) if term.how == "delta" else (calm, own)
    import numpy as np

    with np.errstate(invalid="ignore"):
        return np.where(more == less, 0.0, more - less)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        if len(expression) > LONGEST:
            raise ValueError(f"has {len(expression)} characters, more than {LONGEST}")
        self.depth = 0
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
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"is nested more than {DEEPEST} deep")
        tree: Any
        if self.peek() == "not":
            self.take()
            tree = Not(self.single())
        elif self.peek() == "(":
            self.take()
            tree = self.either()
            self.take(")")
        else:
            tree = self.comparison()
        self.depth -= 1
        return tree

    def alone(self) -> Metric:
        metric = self.metric()
        if self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            why = "one metric is meant, no comparison"
            if kind == "word":
                why = "selectors stand in brackets"
            elif text in ")]":
                why = "no bracket is open"
            raise ValueError(f"does not end at {text!r}: {why}")
        return metric

    def metric(self) -> Metric:
        if not self.tokens[self.at :] or self.tokens[self.at][0] != "word":
            raise ValueError(f"has {self.peek()!r} where a metric was expected")
        name = self.take()
        if name in _HOW and self.peek() == "(":
            raise ValueError(f"has '{name}(...)' where a metric alone was expected")
        return Metric(name, self.selectors() if self.peek() == "(" else ())

    def term(self) -> Term:
        if self.peek() not in _HOW:
            return Term(self.metric())
        how = self.take()
        self.take("(")
        metric = self.metric()
        self.take(")")
        return Term(metric, how)

    def comparison(self) -> Compare:
        left = self.term()
        op = self.take()
        if op not in _OPS:
            raise ValueError(f"has {op!r} where one of {' '.join(_OPS)} was expected")
        number, other = 1.0, None
        after = self.tokens[self.at + 1][1] if self.at + 1 < len(self.tokens) else ""
        called = self.at < len(self.tokens) and self.tokens[self.at][0] == "word" and after == "("
        if called and self.peek() not in _SCALES:
            other = self.term()
        else:
            number = self.number()
            if self.peek() == "*":
                self.take()
                other = self.term()
        return Compare(left.metric, op, number, left.how, other)

    def selectors(self) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
        self.take("(")
        found: list[tuple[str, str | tuple[str, ...]]] = []
        while self.open(")"):
            key = self.word("a selector", ")")
            if self.peek() != "=":
                self.open(")")
                raise ValueError(f"has {key!r} without '=' and a value (write region=europe)")
            self.take()
            if self.peek() == "[":
                self.take()
                many = []
                while self.open("]"):
                    many.append(self.word(f"a value of {key}", "]"))
                    self.comma("]")
                self.take("]")
                found.append((key, tuple(many)))
            else:
                found.append((key, self.word(f"a value of {key}", ")")))
            self.comma(")")
        self.take(")")
        return tuple(found)

    def open(self, end: str) -> bool:
        """Whether a bracket goes on; one that is never closed is refused."""
        if self.at >= len(self.tokens):
            raise ValueError(f"ends within a bracket: {end!r} is missing")
        return self.peek() != end

    def word(self, what: str, end: str) -> str:
        """Take a word or a number inside a bracket."""
        self.open(end)
        if self.tokens[self.at][0] in ("word", "number"):
            return self.take()
        raise ValueError(f"has {self.peek()!r} where {what} was expected")

    def comma(self, end: str) -> None:
        """Take the comma between two entries; a list may end with one."""
        if self.open(end) and self.peek() != ",":
            raise ValueError(f"lacks a comma or {end!r} before {self.peek()!r}")
        if self.peek() == ",":
            self.take()

    def number(self) -> float:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "number":
            self.take()
            return read_float(text)
        if text in _SCALES:
            self.take()
            self.take("(")
            inside = self.number()
            self.take(")")
            return inside * _SCALES[text]
        raise ValueError(
            f"has {text!r} where a number was expected (write 0.5, days(70) or percent(5))"
        )
