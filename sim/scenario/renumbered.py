"""A scenario with other numbers: what does not differ is not read and checked again."""

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
    """Return what `build_scenario` gives for the same mapping with other numbers.

    Parameters
    ----------
    scenario
        As `build_scenario` gave it.
    numbers
        Number by place, ``interventions.NAME.KEY`` or ``overrides.NAME``; a number was given there
        before, too.
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
    made, overrides = dict(scenario.interventions), dict(scenario.overrides)
    wrong: list[tuple[str, str]] = []
    try:
        for section, name in {_changed(dotted) for dotted in numbers}:
            if section == "overrides":
                chain.with_overrides({name: data[section][name]})
                overrides[name] = float(data[section][name])
                continue
            item = registry.build(name, data["interventions"][name])
            if item.problems(chain) or item.refers() != made[name].refers():
                return None
            made[name] = item
        refuse_two_rules(made)
    except (InputError, ValueError):
        return None
    refuse_circles(made, lambda *told: wrong.append(told))
    for name, item in made.items():
        others = {n: other for n, other in made.items() if n != name}
        if wrong or item.beside(others, scenario.start):
            return None
    return replace(scenario, interventions=made, overrides=overrides, written=data)


def _changed(dotted: str) -> tuple[str, str]:
    """Section and name of what a number belongs to."""
    section, _, rest = dotted.partition(".")
    return section, rest if section == "overrides" else rest.partition(".")[0]
