"""Every number of every kind of measure and of behaviour: points side by side are what they are alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lodestone.border.errors import InputError
from lodestone.border.numbers import Distribution
from lodestone.chain.load import load_chain
from lodestone.chain.overrides import ONE_FOR_ALL
from lodestone.interventions import kinds
from lodestone.interventions.fields import declared
from lodestone.runs.settings import Settings
from lodestone.scenario import load_reference, load_scenario
from lodestone.studies import abreast
from lodestone.studies.bench import Bench
from lodestone.studies.evaluate import start_task
from lodestone.studies.task import Task

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
DAYS = {"start": "2024-05-06", "end": "2025-06-02"}
SETTINGS = replace(Settings(), worlds=3)
#: What is tried in place of a number: nothing, less and more of it.
FACTORS = (0.0, 0.6, 1.4)
#: Kinds that are looked at with every test: quotas, whose books fill; a size that the layout reads.
FEW = ("bio_extraction", "export_quota")


def scaled(value, factor):
    if isinstance(value, Distribution):
        return {
            k: v if k == "dist" else [x * factor for x in v] if isinstance(v, list) else v * factor
            for k, v in value.as_written().items()
        }
    if isinstance(value, Mapping):
        return {str(key): scaled(one, factor) for key, one in value.items()}
    return value * factor if value else 0.3 * factor


def changed(name, key, value):
    """The scenario with one number changed; None where it may not be so."""
    try:
        return load_scenario(name, overrides={**DAYS, key: value})
    except InputError:
        return None


def points_of(kind):
    name = str(EXAMPLES / f"{kind}.yaml")
    base = load_scenario(name, overrides=DAYS)
    yield base
    for of, item in base.interventions.items():
        for key, told in declared(type(item)).items():
            value = getattr(item, key)
            if told.unit:
                value = (30.0 if told.unit == "day" else 0.5) if value is None else value
                at = f"interventions.{of}.{key}"
                made = (changed(name, at, scaled(value, factor)) for factor in FACTORS)
                yield from (point for point in made if point is not None)


def outcomes(tasks, start):
    bench = Bench(tasks)
    running = start(tasks, bench)
    bench.settle()
    return [held.outcome() for held in running]


def compare(scenarios):
    """Run scenarios side by side and alone: every byte is the same."""
    tasks = [
        Task(str(k), s, load_reference(s) if s.reference else None, SETTINGS)
        for k, s in enumerate(scenarios)
    ]
    together = outcomes(tasks, abreast.start_tasks)
    alone = outcomes(tasks, lambda tasks, bench: [start_task(task, bench) for task in tasks])
    for scenario, own, other in zip(scenarios, together, alone, strict=True):
        said = {name: item.written() for name, item in scenario.interventions.items()}
        assert own.error == other.error, said
        assert own.error is not None or own.metrics[0].same(other.metrics[0]), said
        assert own.draws.same(other.draws), said
        assert (own.shock is None) == (other.shock is None), said
        assert own.shock is None or own.shock.tobytes() == other.shock.tobytes(), said


@pytest.mark.parametrize("kind", FEW)
def test_some_kinds(kind):
    compare(list(points_of(kind)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted({*kinds()} - {*FEW}))
def test_every_kind(kind):
    compare(list(points_of(kind)))


#: Numbers of behaviour that are looked at with every test.
OFTEN = ("cover.user_weeks", "market.elasticity_power", "investment.lead_years_mine")
#: The others: those that differ between worlds unless a scenario says otherwise.
NUMBERS = sorted(
    name
    for name, item in load_chain().parameters.items()
    if name not in (*abreast.ALONE, *OFTEN) and not isinstance(item.default, str | None)
)


def of_behaviour(name, **more):
    """Points that differ in a number of behaviour, and points in which worlds differ in it, too."""
    item = load_chain().parameters[name]
    low, high = item.low, item.high
    if low is None or high is None or low >= high:
        low, high = 0.8 * item.default, 1.2 * item.default
    middle = 0.3 * low + 0.7 * high
    drawn = ({"dist": "uniform", "low": low, "high": end} for end in (middle, high))
    values = (low, middle, high, *drawn) if low < high else (0.5, 0.75)
    return [
        load_scenario(
            "licence_shock_april_2025",
            overrides={"start": "2025-01-06", "end": "2025-10-06", f"overrides.{name}": v, **more},
        )
        for v in values
    ]


@pytest.mark.parametrize(
    "name", [*OFTEN, *(pytest.param(n, marks=pytest.mark.slow) for n in NUMBERS)]
)
def test_numbers_of_behaviour(name, monkeypatch):
    beside = []

    def counted(tasks, bench, own=abreast._abreast):
        beside.append(len(tasks))
        return own(tasks, bench)

    monkeypatch.setattr(abreast, "_abreast", counted)
    compare(of_behaviour(name))
    assert beside and min(beside) >= 2


def test_a_number_of_behaviour_that_is_the_same_in_all_worlds_of_any_point():
    """Where little is drawn, sums of one column for all worlds are most common."""
    fixed = {
        f"overrides.{name}": item.default
        for name, item in load_chain().parameters.items()
        if name in (*abreast.ALONE, *NUMBERS) and name not in ONE_FOR_ALL
    }
    compare(of_behaviour("cover.user_weeks", **fixed))
