"""Nothing outside the engine writes state: levers write rules, observers read."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIM = ROOT / "sim"
#: The engine, and the state itself.
WRITERS = ("engine/", "worlds/state.py", "worlds/market.py")
#: Files that still write, and how often; the list may only shrink.
DEBT: dict[str, int] = {}
#: Calls that change an array they are given.
IN_PLACE = {"fill", "sort", "put", "partition", "resize", "itemset"}


def reaches_state(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression is a part of a market's state (`x.state.y[z]`, or a name for it)."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "state":
            return True
        if isinstance(inner, ast.Name) and inner.id in names:
            return True
        node = inner
    return False


def aliases(function: ast.AST) -> set[str]:
    """Names that stand for a state or for one of its arrays in a function."""
    found = (
        {"state"}
        if any(isinstance(n, ast.arg) and n.arg == "state" for n in ast.walk(function))
        else set()
    )
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        pairs = [(node.targets[0], node.value)]
        if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
        for target, value in pairs:
            is_state = isinstance(value, ast.Attribute) and (
                value.attr == "state" or reaches_state(value, found)
            )
            if isinstance(target, ast.Name) and is_state:
                found.add(target.id)
    return found


def writes(tree: ast.AST) -> list[int]:
    """Lines that assign to state, in place or not."""
    lines = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = aliases(function)
        for node in ast.walk(function):
            targets: list[ast.AST] = []
            if isinstance(node, ast.Assign):
                targets = list(node.targets)
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                targets = [node.target]
            elif isinstance(node, ast.Call):
                targets = [k.value for k in node.keywords if k.arg == "out"]
                if isinstance(node.func, ast.Attribute) and node.func.attr in IN_PLACE:
                    targets.append(node.func.value)
                if isinstance(node.func, ast.Attribute) and node.func.attr == "at" and node.args:
                    targets.append(node.args[0])
            for target in targets:
                parts = target.elts if isinstance(target, ast.Tuple) else [target]
                for part in parts:
                    held = isinstance(node, ast.AugAssign) and isinstance(part, ast.Name)
                    if reaches_state(part, names) or (held and part.id in names):
                        lines.add(node.lineno)
    return sorted(lines)


def test_nothing_outside_the_engine_writes_state():
    found = {}
    for path in sorted(SIM.rglob("*.py")):
        name = path.relative_to(SIM).as_posix()
        if "_data" in path.parts or name.startswith(WRITERS):
            continue
        lines = writes(ast.parse(path.read_text(encoding="utf-8")))
        if lines:
            found[name] = lines
    counts = {name: len(lines) for name, lines in found.items()}
    assert counts == DEBT, found


def test_the_check_sees_what_it_looks_for():
    bad = """
def f(day, market, state):
    day.state.orders[3] += 1.0
    st = day.state
    st.fear[...] = 0.0
    lay, kept = day.layout, market.state.held
    kept += 2.0
    np.maximum(st.wait, 0.0, out=st.wait)
    st.log_ask.fill(0.0)
    state.landed = kept
    mine = day.state.orders * 2.0
    mine += 1.0
"""
    assert writes(ast.parse(bad)) == [3, 5, 7, 8, 9, 10]
