"""A scenario with other numbers in its measures: what does not differ is not read and checked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lodestone.border.errors import InputError
from lodestone.scenario.layers import set_at
from lodestone.scenario.scenario import Scenario
from lodestone.scenario.together import refuse_circles, refuse_two_rules

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = ["renumbered"]


def renumbered(scenario: Scenario, numbers: Mapping[str, float], chain: Chain) -> Scenario | None:
    """Return what `build_scenario` gives for the same mapping with other numbers in measures.

    Parameters
    ----------
    scenario
        As `build_scenario` gave it.
    numbers
        Number by place, ``interventions.NAME.KEY``; a number was given there before, too.
    chain
        Of its vintage.

    Returns
    -------
    Scenario or None
        None where something is wrong or measures would refer to others: `build_scenario` says.
    """
    import lodestone.interventions as registry

    data = dict(scenario.written)
    for dotted, value in numbers.items():
        data = set_at(data, dotted, value)
    made = dict(scenario.interventions)
    wrong: list[tuple[str, str]] = []
    try:
        for name in {dotted.split(".")[1] for dotted in numbers}:
            item = registry.build(name, data["interventions"][name])
            if item.problems(chain) or item.refers() != made[name].refers():
                return None
            made[name] = item
        refuse_two_rules(made)
    except InputError:
        return None
    refuse_circles(made, lambda *told: wrong.append(told))
    for name, item in made.items():
        others = {n: other for n, other in made.items() if n != name}
        if wrong or item.beside(others, scenario.start):
            return None
    return replace(scenario, interventions=made, written=data)
