"""Every equation says what it takes and keeps; every number in the physics has a name and a source."""

from __future__ import annotations

import ast
import csv
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EQUATIONS = sorted((ROOT / "sim/equations").glob("*.py"))
PHYSICS = [*EQUATIONS, *sorted((ROOT / "sim/engine/phases").glob("*.py"))]
UNITS = r"\b(t|tonnes?|weeks?|days?|years?|share|shares|multiples?|USD|logs?|log|unit|weight)\b"
#: What a docstring of an equation must hold, and the words that show it.
ASKED = {
    "shapes": r"\bshape\b",
    "units": UNITS,
    "what it conserves": r"Conserves: \S",
    "its source": r"Source: \S",
}
#: Numbers that need no name: counts, halves, signs, and guards against division by nothing.
PLAIN = {0, 1, 2, 0.5, -1, 3}
GUARDS = {1e-12, 1e-9, 1e-6}
#: Files of the market that are being replaced: numbers without a name in them are a debt that may
#: only shrink (file -> how many).
DEBT = {"shipping.py": 3, "orders.py": 1}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public(path: Path):
    return [
        n
        for n in tree_of(path).body
        if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")
    ]


def silent_about(node: ast.FunctionDef) -> list[str]:
    text = ast.get_docstring(node) or ""
    return [what for what, shown in ASKED.items() if not re.search(shown, text)]


def test_every_equation_says_shapes_units_what_it_conserves_and_its_source():
    lacking = {
        f"{path.stem}.{node.name}": gaps
        for path in EQUATIONS
        for node in public(path)
        if (gaps := silent_about(node))
    }
    assert not lacking


def bare_numbers(tree: ast.Module) -> list[float]:
    """Numbers inside functions that are neither plain nor a guard, nor a default of a parameter."""
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for part in function.body:
            for node in ast.walk(part):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, int | float)
                    and not isinstance(node.value, bool)
                    and node.value not in PLAIN | GUARDS
                ):
                    found.append(node.value)
    return found


@pytest.mark.parametrize("path", PHYSICS, ids=lambda p: p.name)
def test_no_number_in_the_physics_is_without_a_name(path):
    found = bare_numbers(tree_of(path))
    assert len(found) <= DEBT.get(path.name, 0), f"name these: {found}"
    assert len(found) == DEBT.get(path.name, 0), "fewer than the debt says: lower it"


def named_numbers(path: Path):
    """Module constants that hold a number: (name, the comment above it)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in tree_of(path).body:
        if not isinstance(node, ast.Assign) or not any(
            isinstance(n, ast.Constant) and isinstance(n.value, int | float)
            for n in ast.walk(node.value)
        ):
            continue
        above = []
        at = node.lineno - 2
        while at >= 0 and lines[at].startswith("#:"):
            above.insert(0, lines[at])
            at -= 1
        yield ast.unparse(node.targets[0]), " ".join(above)


@pytest.mark.parametrize("path", PHYSICS, ids=lambda p: p.name)
def test_a_named_number_says_its_unit_and_where_it_comes_from(path):
    """A unit or definition, and an assumption that exists; definitions and roundings need none."""
    known = {
        row["key"]
        for row in csv.DictReader((ROOT / "seeds/assumptions.csv").open(encoding="utf-8"))
    }
    for name, comment in named_numbers(path):
        if path.name in DEBT:
            continue
        assert comment, f"{path.name}: {name} has no comment"
        cited = set(re.findall(r"\bA\d+\b", comment))
        assert cited <= known, f"{path.name}: {name} cites what is not there"
        free = re.search(
            r"decision \d+|in a year|in a month|round|normal\b|[Ss]tages|Mid-points|Steps|"
            r"of no consequence|[Ss]tands for",
            comment,
        )
        assert cited or free, f"{path.name}: {name} has no assumption"


def test_the_checks_see_what_they_look_for():
    tree = ast.parse("LAG = 4\ndef f(x=7):\n    return 0.5 * x + 13.0 / max(x, 1e-12)\n")
    assert bare_numbers(tree) == [13.0]
    node = ast.parse('def g():\n    """Rates, shape (w,).\n\n    Source: definition."""').body[0]
    assert silent_about(node) == ["units", "what it conserves"]
