"""Imports point one way; heavy and random libraries have one door each; equations stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIM = ROOT / "sim"
FILES = sorted(p for p in SIM.rglob("*.py") if "_data" not in p.parts)

#: Library -> where it may be imported (a file or a folder of ``sim``).
DOORS = {
    "simpy": ("engine/calendar.py",),
    "numba": ("engine/kernels.py",),
    "matplotlib": ("report/",),
    "omegaconf": ("config.py",),
    "hydra": ("config.py",),
    "numpy.random": ("worlds/randomness.py",),
    "random": (),
    "pypandoc": ("report/",),
    "yaml": ("yamlfile.py", "simulate.py"),
}
#: Package -> packages of ``sim`` that it may not know (what lies above it).
ABOVE = {
    "chain": ("worlds", "equations", "interventions", "engine", "outputs", "backcast", "report", "scenario", "simulate", "cli"),
    "equations": ("chain", "worlds", "interventions", "engine", "outputs", "backcast", "report", "scenario", "simulate", "cli"),
    "worlds": ("interventions", "engine", "outputs", "backcast", "report", "scenario", "simulate", "cli"),
    "interventions": ("engine", "outputs", "backcast", "report", "scenario", "simulate", "cli"),
    "engine": ("outputs", "backcast", "report", "simulate", "cli"),
    "outputs": ("backcast", "report", "cli"),
    "backcast": ("outputs", "report", "simulate", "cli"),
    "report": ("backcast", "engine", "interventions", "worlds", "equations", "simulate", "cli"),
}  # fmt: skip
#: Longest body of an equation, lines of code without the docstring.
LONGEST = 40


def imports(text: str, typing: bool = False):
    """Names imported by a module, with every prefix; type-checking imports only if asked."""
    tree = ast.parse(text)
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
        if any(within(n, library) for n in imports(p.read_text(encoding="utf-8")))
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


@pytest.mark.parametrize("package", sorted(ABOVE))
def test_imports_point_one_way(package):
    wrong = []
    for path in sorted((SIM / package).rglob("*.py")):
        for name in imports(path.read_text(encoding="utf-8")):
            wrong += [
                f"{path.relative_to(ROOT)} imports {name}"
                for above in ABOVE[package]
                if within(name, f"lodestone.{above}")
            ]
    assert not wrong


def test_equations_know_nothing_of_sim_but_equations():
    for path in (SIM / "equations").glob("*.py"):
        known = {
            n
            for n in imports(path.read_text(encoding="utf-8"), typing=True)
            if within(n, "lodestone")
        }
        assert all(within(n, "lodestone.equations") for n in known), path.name


def test_only_the_composition_root_knows_engine_and_outputs_both():
    both = [
        p.relative_to(SIM).as_posix()
        for p in FILES
        if {"engine", "report"}
        <= {
            n.split(".")[1]
            for n in imports(p.read_text(encoding="utf-8"))
            if within(n, "lodestone") and "." in n
        }
    ]
    assert not [p for p in both if p not in ("cli.py", "simulate.py", "catalogue.py")]


def code_lines(node: ast.FunctionDef) -> int:
    body = node.body
    if ast.get_docstring(node) is not None:
        body = body[1:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def functions(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]


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
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.ClassDef | ast.Global | ast.Nonlocal), path.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in banned, path.name


def undocumented(text: str):
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

    tree = ast.parse(text)
    if ast.get_docstring(tree) is None:
        out.append("the module")
    visit(tree, [])
    return out


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SIM).as_posix())
def test_everything_public_says_what_it_does(path):
    assert not undocumented(path.read_text(encoding="utf-8"))


def test_the_checks_see_what_they_look_for():
    bad = "import numpy as np\nimport simpy.events\nfrom lodestone.engine import tick\nnp.random.rand(3)\ndef f():\n  pass\n"
    found = imports(bad)
    assert {"simpy.events", "lodestone.engine.tick", "numpy.random"} <= found
    assert any(within(n, "lodestone.engine") for n in found)
    assert undocumented(bad) == ["the module", "f"]
    late = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import simpy\n"
    assert "simpy" not in imports(late) and "simpy" in imports(late, typing=True)


def test_listing_scenarios_imports_nothing_heavy():
    code = (
        "import sys, lodestone.cli\n"
        "heavy = {'matplotlib', 'pandas', 'pyarrow', 'pypandoc', 'numba'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
