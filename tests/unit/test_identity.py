"""What decides a run is in its hash, and machine code follows the text it was made from."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lodestone.border.errors import InputError
from lodestone.border.paths import data_root
from lodestone.outputs import provenance
from lodestone.outputs.provenance import code_read, files_hash, seeds_hash, seeds_read
from lodestone.runs import identity
from lodestone.runs.identity import Stamp, identity_of, reference_told, remarks
from lodestone.runs.settings import Settings
from lodestone.scenario import load_scenario
from tests.architecture.test_imports import graph

SIM = Path(provenance.__file__).resolve().parents[1]
ROOTS = ("runs.simulate", "runs.chunk", "runs.write", "runs.compiled")


@pytest.fixture
def seeds(tmp_path, monkeypatch):
    """A copy of the shipped seeds, in use."""
    folder = tmp_path / "seeds"
    shutil.copytree(data_root("seeds"), folder)
    monkeypatch.setenv("LODESTONE_SEEDS", str(folder))
    return folder


def reached(roots):
    """Modules on the way from a scenario to its tables."""
    arrows, seen, todo = graph(), set(), list(roots)
    while todo:
        name = todo.pop()
        if name in seen or name not in arrows:
            continue
        seen.add(name)
        todo += arrows[name]
    return seen


def test_every_module_that_a_run_imports_is_in_the_hash_of_the_code():
    hashed = {
        ".".join(p.relative_to(SIM).with_suffix("").parts).removesuffix(".__init__")
        for p in code_read()
    }
    on_the_way = reached(ROOTS)
    assert len(on_the_way) > 60
    assert not on_the_way - hashed


@pytest.mark.parametrize(
    "file",
    [
        "scenario/load.py",
        "border/numbers.py",
        "border/expressions.py",
        "runs/chunk.py",
        "outputs/metrics/shortage.py",
        "equations/pricing.py",
        "engine/tick.py",
        "interventions/export_ban.py",
        "chain/balance.py",
    ],
)
def test_a_change_of_code_that_decides_results_changes_the_hash(file, tmp_path):
    copy = tmp_path / "sim"
    shutil.copytree(SIM, copy, ignore=shutil.ignore_patterns("__pycache__", "_data"))
    before = files_hash(copy, code_read(copy))
    path = copy / file
    if not path.is_file():
        path = next(copy.joinpath(*file.removesuffix(".py").split("/")).glob("*.py"))
    path.write_text(path.read_text() + "\nX = 1\n")
    assert files_hash(copy, code_read(copy)) != before
    (copy / "report" / "style.py").write_text("X = 1\n")
    after = files_hash(copy, code_read(copy))
    (copy / "report" / "style.py").write_text("X = 2\n")
    assert files_hash(copy, code_read(copy)) == after, "what shows decides nothing"


def test_every_file_of_the_seeds_that_a_run_reads_changes_its_hash(seeds):
    scenario = load_scenario("licence_shock_april_2025")
    before = seeds_hash("2024")
    assert identity_of(scenario, Settings())["seeds"] == before
    read = seeds_read("2024")
    assert {p.name for p in read} >= {
        "vintage.yaml",
        "prices.csv",
        "parameters.csv",
        "posterior.csv",
    }
    for path in read:
        old = path.read_bytes()
        path.write_bytes(old + b"\n")
        assert seeds_hash("2024") != before, path.name
        path.write_bytes(old)
    for other in (seeds / "2009" / "prices.csv", seeds / "claims_verdicts.csv"):
        other.write_bytes(other.read_bytes() + b"\n")
    assert seeds_hash("2024") == before, "what no run on the vintage reads decides nothing"


def test_a_vintage_of_ones_own_is_in_the_hash(seeds, tmp_path):
    own = tmp_path / "mine"
    shutil.copytree(seeds / "2024", own)
    before = seeds_hash(str(own))
    text = (own / "prices.csv").read_text()
    (own / "prices.csv").write_text(text.replace("0", "1", 1))
    assert seeds_hash(str(own)) != before


def test_no_batch_is_made_of_other_seeds_than_the_run_began_with(seeds):
    scenario = load_scenario("calm_2024")
    stamp = Stamp.of(scenario, None)
    stamp.hold()
    path = seeds / "2024" / "prices.csv"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(InputError, match="seeds changed while the run"):
        stamp.hold()
    with pytest.raises(InputError, match="code changed while the run"):
        replace(stamp, seeds=seeds_hash("2024"), code="other").hold()


def test_a_reference_in_the_working_folder_is_told_and_hashed(tmp_path, monkeypatch):
    scenario = load_scenario("licence_shock_april_2025")
    plain = identity_of(scenario, Settings())
    assert remarks(scenario) == []
    assert reference_told(scenario, identity.reference_of(scenario))["shipped"]
    (tmp_path / "scenarios").mkdir()
    shipped = (data_root("scenarios") / "calm_2024.yaml").read_text()
    mine = shipped + "\noverrides: {stockpile.japan.days: 90}\n"
    if "\noverrides:" in shipped:
        mine = shipped.replace("overrides:", "overrides:\n  stockpile.japan.days: 90", 1)
    (tmp_path / "scenarios" / "calm_2024.yaml").write_text(mine)
    monkeypatch.chdir(tmp_path)
    own = load_scenario(str(data_root("scenarios") / "licence_shock_april_2025.yaml"))
    told = reference_told(own, identity.reference_of(own))
    named = load_scenario("licence_shock_april_2025")
    for which in (own, named):
        reference = identity.reference_of(which)
        if reference.overrides.get("stockpile.japan.days") == 90:
            assert identity_of(which, Settings())["reference"] != plain["reference"]
            (line,) = remarks(which)
            assert "calm_2024" in line and "not the shipped one" in line
            told = reference_told(which, reference)
            assert not told["shipped"] and Path(told["file"]).name == "calm_2024.yaml"
    assert told["hash"]


LOOP = """
from lodestone.engine.compiling import compiled
from lodestone.equations.trial import step

_step = compiled(step)


@compiled
def twice(x):
    return _step(_step(x))
"""
PROGRAM = "from lodestone.engine.loops import twice; print(twice(2.0), sum(twice.stats.cache_hits.values()))"


@pytest.mark.slow
def test_an_edited_equation_is_never_served_from_old_machine_code(tmp_path):
    package = tmp_path / "lodestone"
    shutil.copytree(SIM, package, ignore=shutil.ignore_patterns("__pycache__", "_data"))
    equation = package / "equations" / "trial.py"
    (package / "engine" / "loops.py").write_text(LOOP)
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}

    def answer(step):
        equation.write_text(f"def step(x):\n    return x + {step}\n")
        os.utime(equation, (1e9, 1e9))  # an editor, or a checkout, may keep time and size
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True
        )
        value, hits = done.stdout.split()
        return float(value), int(hits)

    assert answer("1.0") == (4.0, 0)
    assert answer("1.0") == (4.0, 1), "the second process takes the machine code from disk"
    for path in (tmp_path / "cache").rglob("*.nb?"):
        path.write_bytes(path.read_bytes()[:20])
    assert answer("1.0") == (4.0, 0), "what cannot be read is dropped"
    assert answer("2.0") == (6.0, 0)


def test_the_hash_of_machine_code_follows_imports():
    from lodestone.engine.compiling import code_of

    phases = sorted((SIM / "engine" / "phases").glob("*.py"))
    loops = [
        p for p in phases if "import compiled" in p.read_text() or "@compiled" in p.read_text()
    ]
    assert len(loops) >= 8
    assert len({code_of(p) for p in loops}) == len(loops)
    for path in loops:
        names = {
            n.module
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.ImportFrom) and n.module and "equations" in n.module
        }
        assert all(n.startswith("lodestone.") for n in names)


def test_a_measure_that_is_changed_beside_the_reference_is_told():
    """What is typed does not reach the reference, so that the comparison holds it as well."""
    key = "interventions.april_2025_licences.processing_days"
    changed = load_scenario("cutoff_total", overrides={key: 45})
    (told,) = remarks(changed)
    assert told.startswith(
        "april_2025_licences is changed here alone (processing_days from a draw of 30 to 100 to 45)"
    )
    assert "the hypothesis" in told
    # Its own measure, and one that the scenario has otherwise by itself, are what it asks about.
    assert (
        remarks(load_scenario("cutoff_total", overrides={"interventions.no_exports.share": 0.5}))
        == []
    )
    approval = {"interventions.april_2025_licences.approval": {"2025-04-04": 0.5}}
    assert remarks(load_scenario("truce_snapback_2026", overrides=approval)) == []
    assert len(remarks(load_scenario("truce_snapback_2026", overrides={key: 45}))) == 1
    taken = load_scenario("cutoff_total", overrides={"interventions.serra_verde_floor": None})
    assert remarks(taken)[0].startswith("serra_verde_floor is taken out here alone")
    assert remarks(load_scenario("cutoff_total")) == []
