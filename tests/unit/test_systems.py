"""The table of systems that the press names: complete, and every name in it exists."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import pytest

from lodestone.border.paths import seeds_root
from lodestone.chain.load import load_chain
from lodestone.interventions import REGISTRY
from lodestone.scenario import find_overlays, find_scenarios, load_mapping

ROOT = Path(__file__).resolve().parents[2]
with (seeds_root() / "systems.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


def names(row, key):
    return [name for name in row[key].split(";") if name]


def kinds_of(path):
    """Kinds that a file uses, in its own entries, in what it inherits and in its variants."""
    data = load_mapping(path, overlay=path.parent.name == "overlays").data
    parts = [data, *(data.get("variants") or {}).values()]
    entries = [e for p in parts for e in ((p or {}).get("interventions") or {}).values() if e]
    return {str(e["kind"]) for e in entries if "kind" in e}


def functions_of(path):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}


def test_there_are_85_of_them_in_eight_groups_each_once():
    assert len(ROWS) == 85
    assert len({row["system"] for row in ROWS}) == 85
    assert len({row["group"] for row in ROWS}) == 8


@pytest.mark.parametrize("row", ROWS, ids=[r["system"] for r in ROWS])
def test_a_row_is_filled_and_what_it_names_exists(row):
    assert all(row[key] for key in ("system", "group", "thing", "test"))
    assert set(names(row, "claims")) <= set(load_chain().claims)
    assert set(names(row, "kinds")) <= set(REGISTRY)
    overlays, scenarios = find_overlays(), find_scenarios()
    assert set(names(row, "scenarios")) <= set(scenarios)
    assert set(names(row, "overlays")) <= set(overlays)
    where, test = row["test"].split("::")
    assert test in functions_of(where)
    # Either it can be run, or the table says why nothing can.
    runs = names(row, "scenarios") + names(row, "overlays")
    assert bool(runs) == bool(names(row, "kinds"))
    assert bool(runs) != bool(row["reason"])


@pytest.mark.parametrize("row", ROWS, ids=[r["system"] for r in ROWS])
def test_its_kinds_are_used_by_the_scenarios_and_overlays_it_names(row):
    used = set()
    for key, known in (("scenarios", find_scenarios()), ("overlays", find_overlays())):
        for name in names(row, key):
            if name in known:
                used |= kinds_of(known[name].path)
    # Growth of demand stands in the tables of the calm chain, not in an entry.
    assert set(names(row, "kinds")) - {"demand_growth"} <= used or not used


def test_every_kind_and_every_named_scenario_has_a_system():
    kinds = {kind for row in ROWS for kind in names(row, "kinds")}
    assert set(REGISTRY) - kinds <= {"route_closure"}  # Myanmar's border: not in the press texts
