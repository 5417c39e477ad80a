"""Imports point one way; heavy and random libraries have one door each; equations stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIM = ROOT / "sim"
FILES = sorted(p for p in SIM.rglob("*.py") if "_data" not in p.parts)

#: Library -> where it may be imported (a file or a folder of ``sim``).
DOORS = {
    "simpy": ("engine/calendar.py",),
    "numba": ("engine/compiling.py",),
    "matplotlib": ("report/",),
    "omegaconf": ("runs/compose.py", "cli/hydra_app.py"),
    "hydra": ("runs/compose.py", "runs/grammar.py", "cli/hydra_app.py"),
    "numpy.random": ("worlds/randomness.py",),
    "random": (),
    "pyesmda": ("calibration/smoother.py",),
    "covmats": ("calibration/smoother.py",),
    "pypandoc": ("report/",),
    "yaml": ("border/yamlfile.py", "runs/write.py"),
}
#: Rooms (folders and lone files of ``sim``) from the ground up: an import only ever points down.
#: Every room has its floor here; a new one is put in where its imports allow.
FLOORS = (
    "_build",
    "border",
    "chain",
    "equations",
    "worlds",
    "interventions",
    "scenario",
    "engine",
    "outputs",
    "runs",
    "backcast",
    "calibration",
    "claims",
    "studies",
    "report",
    "cli",
    "api",
    "__main__",
)
#: Rooms that may not know each other, though floors would allow it, and why.
STRANGERS = {
    ("report", "backcast"): "a report reads a run folder and nothing else",
    ("report", "engine"): "a report reads a run folder and nothing else",
    ("report", "interventions"): "a report reads a run folder and nothing else",
    ("report", "worlds"): "a report reads a run folder and nothing else",
    ("report", "runs"): "a report reads a run folder and nothing else",
    ("interventions", "engine"): "levers write rules; time is the engine's",
    ("equations", "chain"): "equations are arrays in, arrays out",
}
#: Imports that still point up, as (module, module). The list may only shrink: one that no longer
#: exists fails until it is taken out here.
DEBT_UP: set[tuple[str, str]] = set()
#: Circles of modules that still exist, hints for types included; the same holds.
DEBT_CIRCLES: set[frozenset[str]] = set()
#: Longest body of an equation, lines of code without the docstring.
LONGEST = 40


@cache
def tree_of(path: Path) -> ast.Module:
    """A file of ``sim``, parsed once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path, typing: bool = False) -> frozenset[str]:
    """What a file imports, worked out once for all tests."""
    return frozenset(imports(tree_of(path), typing))


def module(path: Path) -> str:
    """Dotted name of a file below ``lodestone``; a package has the name of its folder."""
    parts = path.relative_to(SIM).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


@cache
def graph() -> dict[str, frozenset[str]]:
    """Module -> modules of ``sim`` that it imports, late ones and hints for types included."""
    known = {module(p): p for p in FILES}
    return {
        name: frozenset(
            n.removeprefix("lodestone.")
            for n in imports_of(path, True)
            if n.removeprefix("lodestone.") in known and n.removeprefix("lodestone.") != name
        )
        for name, path in known.items()
    }


def circles(arrows):
    """Sets of nodes that reach each other (strongly connected, more than one)."""
    reach = {}
    for start in arrows:
        seen, todo = set(), [start]
        while todo:
            for after in arrows.get(todo.pop(), ()):
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        reach[start] = seen
    found = {
        frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in arrows if a in reach[a]
    }
    return {c for c in found if len(c) > 1}


def imports(tree: ast.Module, typing: bool = False):
    """Names imported by a module, with every prefix; type-checking imports only if asked."""
    skip: set[int] = set()
    if not typing:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                skip |= {id(n) for part in node.body for n in ast.walk(part)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in skip:
            continue
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
    aliases = {
        a.asname or a.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for a in node.names
        if a.name == "numpy"
    }
    for node in ast.walk(tree):  # np.random.anything
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "random"
            and isinstance(node.value, ast.Name)
            and node.value.id in aliases
        ):
            found.add("numpy.random")
    return found


def within(name: str, library: str) -> bool:
    return name == library or name.startswith(library + ".")


def uses(library: str):
    return [
        p.relative_to(SIM).as_posix()
        for p in FILES
        if any(within(n, library) for n in imports_of(p))
    ]


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_has_one_door(library):
    allowed = DOORS[library]
    strangers = [
        p
        for p in uses(library)
        if not any(p == d or (d.endswith("/") and p.startswith(d)) for d in allowed)
    ]
    assert not strangers, f"{library} belongs in {allowed}"


def room(name: str) -> str:
    return name.split(".", 1)[0]


def test_every_room_has_a_floor():
    assert len(set(FLOORS)) == len(FLOORS)
    rooms = {room(name) for name in graph()} - {"__init__"}
    assert not rooms - set(FLOORS), "put the new room into FLOORS where its imports allow"


def test_imports_point_down():
    floor = {name: n for n, name in enumerate(FLOORS)}
    up = {
        (a, b)
        for a, found in graph().items()
        for b in found
        if "__init__" not in (a, b) and floor[room(a)] < floor[room(b)]
    }
    assert not up - DEBT_UP, "these imports point up"
    assert not DEBT_UP - up, "paid: take these out of DEBT_UP"


@pytest.mark.parametrize(("one", "other"), sorted(STRANGERS))
def test_some_rooms_do_not_know_each_other(one, other):
    wrong = [
        f"{a} imports {b}"
        for a, found in graph().items()
        for b in found
        if (room(a), room(b)) == (one, other)
    ]
    assert not wrong, STRANGERS[one, other]


def test_no_module_stands_in_a_circle():
    found = circles(graph())
    assert not found - DEBT_CIRCLES, "new circles"
    assert not DEBT_CIRCLES - found, "mended: take these out of DEBT_CIRCLES"


def test_equations_know_nothing_of_sim_but_equations():
    for path in (SIM / "equations").glob("*.py"):
        known = {n for n in imports_of(path, True) if within(n, "lodestone")}
        assert all(within(n, "lodestone.equations") for n in known), path.name


def test_only_the_composition_root_knows_engine_and_outputs_both():
    both = [
        p.relative_to(SIM).as_posix()
        for p in FILES
        if {"engine", "report"}
        <= {n.split(".")[1] for n in imports_of(p) if within(n, "lodestone") and "." in n}
    ]
    assert not [p for p in both if p not in ("cli/running.py", "cli/catalogue.py")]


def code_lines(node: ast.FunctionDef) -> int:
    body = node.body
    if ast.get_docstring(node) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions(path: Path):
    return [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef)]


def test_equations_are_short():
    long = [
        f"{p.name}:{n.name} has {code_lines(n)} lines"
        for p in (SIM / "equations").glob("*.py")
        for n in functions(p)
        if code_lines(n) > LONGEST
    ]
    assert not long


def test_equations_take_and_give_arrays_and_keep_nothing():
    """No classes, no globals written, no reading or printing."""
    banned = {"open", "print", "input", "exec", "eval"}
    for path in (SIM / "equations").glob("*.py"):
        for node in ast.walk(tree_of(path)):
            assert not isinstance(node, ast.ClassDef | ast.Global | ast.Nonlocal), path.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in banned, path.name


def undocumented(tree: ast.Module):
    """Public functions, classes and methods without a docstring."""
    out = []

    def visit(node, inside):
        for part in getattr(node, "body", []):
            if isinstance(part, ast.FunctionDef | ast.ClassDef):
                public = not part.name.startswith("_")
                stub = isinstance(part, ast.FunctionDef) and any(
                    "overload" in ast.dump(d) for d in part.decorator_list
                )
                if public and not stub and ast.get_docstring(part) is None:
                    out.append(".".join([*inside, part.name]))
                if public and isinstance(part, ast.ClassDef):
                    visit(part, [*inside, part.name])

    if ast.get_docstring(tree) is None:
        out.append("the module")
    visit(tree, [])
    return out


def test_everything_public_says_what_it_does():
    silent = {module(p): found for p in FILES if (found := undocumented(tree_of(p)))}
    assert not silent


def test_the_checks_see_what_they_look_for():
    text = "import numpy as np\nimport simpy.events\nfrom lodestone.engine import tick\nnp.random.rand(3)\ndef f():\n  pass\n"
    bad = ast.parse(text)
    found = imports(bad)
    assert {"simpy.events", "lodestone.engine.tick", "numpy.random"} <= found
    assert any(within(n, "lodestone.engine") for n in found)
    assert undocumented(bad) == ["the module", "f"]
    late = ast.parse("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import simpy\n")
    assert "simpy" not in imports(late) and "simpy" in imports(late, typing=True)
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert circles(arrows) == {frozenset({"b", "c"})}


def test_listing_scenarios_imports_nothing_heavy():
    code = (
        "import sys, lodestone.cli\n"
        "heavy = {'matplotlib', 'pandas', 'pyarrow', 'pypandoc', 'numba'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
