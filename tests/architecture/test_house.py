"""The house stays easy to live in: short rooms, few parameters, real types, one word for a length."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.test_imports import FILES, SIM, functions, tree_of

#: Lines of a file beyond which its docstring must say why: `LONG` and a reason.
MOST_LINES = 500
LONG = "Longer than 500 lines because"
#: Parameters of a function.
MOST_PARAMETERS = 12
#: Files of the levers where `Any` may stand, and why.
ANY = {"fields.py": "a declaration stands where pydantic wants a default, and its Field is Any"}
#: Rooms whose equations state the calendar in their own units.
EQUATIONS = ("engine", "equations", "worlds")
#: Lengths of the calendar; they stand in `border/units.py` and nowhere else.
LENGTHS = {365.25, 30.4375, 365.25 / 7.0}


def names(path):
    return path.relative_to(SIM).as_posix()


def test_a_long_file_says_why():
    long = {
        names(p)
        for p in FILES
        if p.read_text("utf-8").count("\n") > MOST_LINES
        and LONG not in " ".join((ast.get_docstring(tree_of(p)) or "").split())
    }
    assert not long, f"split them by subject, or write '{LONG} ...' in the docstring"


def parameters(node: ast.FunctionDef) -> int:
    return len(node.args.args) + len(node.args.kwonlyargs) + len(node.args.posonlyargs)


def test_functions_take_few_parameters():
    many = {
        f.name: parameters(f)
        for p in FILES
        for f in functions(p)
        if parameters(f) > MOST_PARAMETERS
    }
    assert not many


def anys(tree: ast.Module) -> list[int]:
    return [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "Any"]


@pytest.mark.parametrize("path", sorted((SIM / "interventions").glob("*.py")), ids=lambda p: p.name)
def test_levers_and_model_meet_in_real_types(path):
    found = anys(tree_of(path))
    assert bool(found) == (path.name in ANY), f"Any in lines {found}"


def lengths(tree: ast.Module) -> list[int]:
    """Lines with a length of the calendar written out: a number of it, or days divided by seven."""
    out = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            if node.value in LENGTHS:
                out.append(node.lineno)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Mult):
            sides = [s for s in (node.left, node.right) if isinstance(s, ast.Constant)]
            out += [s.lineno for s in sides if isinstance(s.value, float) and s.value == 7.0]
    return out


def test_lengths_of_the_calendar_have_names():
    bare = {
        names(p): found
        for p in FILES
        if p.relative_to(SIM).parts[0] not in EQUATIONS and names(p) != "border/units.py"
        if (found := lengths(tree_of(p)))
    }
    assert not bare, "read them from lodestone.border.units"


def test_the_checks_see_what_they_look_for():
    bad = ast.parse("from typing import Any\ndef f(a: Any) -> float:\n  return a / 7.0 + 365.25\n")
    assert anys(bad) == [2] and sorted(lengths(bad)) == [3, 3]
