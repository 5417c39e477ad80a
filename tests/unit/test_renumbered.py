"""A scenario with other numbers is what it is when all of it is read anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.interventions.fields import declared
from lodestone.scenario import load_scenario, renumbered

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "docs" / "examples").glob("*.yaml"))
FACTORS = (-1.0, 0.0, 0.5, 3.0, 1e6)


def anew(file, **numbers):
    try:
        return load_scenario(file, overrides=numbers)
    except InputError:
        return None


def plain(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_number_of_a_measure(file):
    scenario = load_scenario(file)
    chain = load_chain(scenario.vintage)
    for name, item in scenario.interventions.items():
        for key in declared(type(item)):
            value = getattr(item, key)
            if not plain(value):
                continue
            place = f"interventions.{name}.{key}"
            given = load_scenario(file, overrides={place: value})
            for number in (factor * (value or 0.4) for factor in FACTORS):
                expected = anew(file, **{place: number})
                found = renumbered(given, {place: number}, chain)
                assert found == expected, (place, number)
                if expected is not None:
                    assert found.written == expected.written
                    assert found.as_filed == expected.as_filed
                    assert found.to_dict() == expected.to_dict()
    assert scenario == load_scenario(file), "what was there before is as it was"


def test_every_number_of_behaviour_and_of_the_chain():
    file = EXAMPLES[0]
    chain = load_chain(load_scenario(file).vintage)
    every = [n for n, item in chain.parameter_names().items() if plain(item.default)]
    for name in every[::7]:
        item = chain.parameter_names()[name]
        place = f"overrides.{name}"
        given = load_scenario(file, overrides={place: item.default, "end": "2026-01-01"})
        for number in (factor * (item.default or 0.4) for factor in FACTORS):
            expected = anew(file, **{place: number, "end": "2026-01-01"})
            found = renumbered(given, {place: number}, chain)
            assert found == expected, (place, number)
            assert expected is None or found.written == expected.written
