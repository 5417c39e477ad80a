"""One body over every registered kind: its documented example compiles, runs, conserves, and acts.

What an example must change, and in which direction, stands in its `shows:`; that it does so is
tested with the pictures (`test_pictures.py`).
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.interventions import kinds
from lodestone.interventions.effects import Effect
from lodestone.scenario import load_scenario
from lodestone.worlds.conditions import (
    FIELDS,
    Chance,
    Conditions,
    Least,
    Most,
    Product,
    Rules,
    Total,
)
from tests.fixtures.worlds import Trace, fingerprint, shared

EPS = np.finfo(float).eps
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
#: Days that an example runs on after its kind has begun, and at most at all.
AFTER, MOST = 60, 2500
#: Days after its start on which an example is made to end.
UNTIL = 90


@cache
def run(kind):
    """The example of a kind in two worlds, until some weeks after the kind has begun."""
    scenario = load_scenario(EXAMPLES / f"{kind}.yaml")
    begins = [i.start for i in scenario.interventions.values() if i.kind == kind and i.start]
    first = max((d for d in begins if hasattr(d, "year")), default=scenario.start)
    last = min(first + timedelta(AFTER), scenario.start + timedelta(MOST), scenario.end)
    made = BatchRun(replace(scenario, end=last), load_chain("2024"), 0, np.arange(2), 7.0)
    trace = Trace(made, keep=("log_home", "log_ask", "used", "orders", "declared"))
    made.watchers.append(trace)
    made.run()
    return trace


def effects(kind):
    return [e for e in run(kind).run.effects if e.kind == kind]


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_an_example_compiles_runs_and_conserves(kind):
    trace = run(kind)
    for effect in effects(kind):
        assert isinstance(effect, Effect)
        assert effect.start.shape == effect.end.shape == (2,)
    assert trace.run.day.ledger.worst <= 100 * EPS
    for name in trace.keep:
        assert np.isfinite(trace[name]).all(), name


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_an_example_says_when_and_for_whom_and_is_not_idle(kind):
    own = effects(kind)
    assert any(e.where for e in own)
    assert not all(e.reason for e in own), [e.reason for e in own]
    scenario = run(kind).run.scenario
    chain = load_chain("2024")
    built = scenario.interventions[own[0].name]
    assert built.inert(chain, scenario.start, scenario.end) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(kinds()))
def test_an_end_does_something_or_is_refused(kind):
    scenario, chain = load_scenario(EXAMPLES / f"{kind}.yaml"), load_chain("2024")
    own = {n: i for n, i in scenario.interventions.items() if i.kind == kind}
    first = max((i.start for i in own.values() if i.start), default=scenario.start)
    cut = {n: i.model_copy(update={"end": first + timedelta(UNTIL)}) for n, i in own.items()}
    if any(p.key == "end" for i in cut.values() for p in i.problems(chain)):
        return
    seen = []
    for items in (own, cut):
        last = min(first + timedelta(UNTIL + AFTER), scenario.end)
        told = replace(scenario, end=last, interventions=scenario.interventions | items)
        made = BatchRun(told, chain, 0, np.arange(2), 28.0)
        made.run()
        seen.append((fingerprint(made), made.day.online.tobytes()))
    assert seen[0] != seen[1]


# ---- the fold ---------------------------------------------------------------------------


#: What the rules hold beside arrays.
LISTS = {"licences", "stockpiles", "floors", "pivots", "contracts", "recycling"}
#: Verb of each way to combine, two values, and what they give on a whole row and on two halves.
VERBS = {
    Product: ("multiply", 0.2 * 0.5),
    Least: ("lower_to", 0.2),
    Most: ("raise_to", 0.5),
    Total: ("add", 0.7),
    Chance: ("catch", 0.6),
}


@pytest.fixture(scope="module")
def market():
    return shared({}, worlds=2, weeks=4).run.day


def test_every_rule_is_declared_once_and_read_under_the_same_name():
    assert {f.name for f in fields(Conditions)} - LISTS == set(FIELDS)
    for name, rule in FIELDS.items():
        assert rule.doc and rule.held in VERBS, name


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_rule_offers_its_own_verb_only_and_combines_in_any_order(name, market):
    rule = FIELDS[name]
    verb, expected = VERBS[rule.held]
    said = (1.2, 1.5) if rule.neutral == 1.0 and rule.held is Most else (0.2, 0.5)
    if said[1] == 1.5:
        expected = 1.5
    for order in (said, said[::-1]):
        rules = Rules(market, 2)
        held = getattr(rules, name)
        others = {other for other, _ in VERBS.values()} - {verb}
        assert hasattr(held, verb) and not any(hasattr(held, other) for other in others)
        for value in order:
            getattr(held, verb)(np.array([0, 2]), np.full(2, value))
        value = getattr(rules.sealed(), name)
        assert np.allclose(value[[0, 2]], expected)
        assert np.allclose(value[1], rule.neutral)


def test_rules_that_nobody_touches_are_none(market):
    sealed = Rules(market, 2).sealed()
    assert all(getattr(sealed, name) is None for name in FIELDS)
    assert all(getattr(sealed, name) == [] for name in LISTS)
