"""What all worlds of a scenario share: its chain, the closed base year and the index spaces.

Nothing here depends on worlds, on numbers of behaviour or on when interventions act. So scenarios
that differ only in those stand on the same ground, and each process closes the base year once for
all of them: two batches of a run, a scenario and its reference, a thousand points of a sweep.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lodestone.border.numbers import Distribution
from lodestone.chain.balance import Balance, balance
from lodestone.chain.nouns import Chain
from lodestone.worlds.layout import Layout

if TYPE_CHECKING:
    from lodestone.scenario import Scenario

#: Grounds kept in a process, the latest used last, 0.6 MB each: a study that has laid those of its
#: points to check them lays none of them again.
KEPT = 64


@dataclass(frozen=True)
class Ground:
    """What all worlds of a scenario share; nothing writes into it.

    Attributes
    ----------
    chain : Chain
        The vintage with the scenario's overrides and with the plants that interventions add.
    balance : Balance
        Its closed base year.
    layout : Layout
        Rows of all arrays, and base-year numbers.
    base : Chain
        The vintage before the scenario's overrides.
    """

    chain: Chain
    balance: Balance
    layout: Layout
    base: Chain


_kept: OrderedDict[Any, tuple[Any, Ground]] = OrderedDict()
#: How many grounds this process has laid: tests count them.
laid = 0


def behaviour_of(scenario: Scenario, chain: Chain) -> dict[str, Any]:
    """Overrides of the numbers of behaviour, which are drawn for each world."""
    return {k: v for k, v in scenario.overrides.items() if k in chain.parameters}


def fixed_chain(scenario: Scenario, chain: Chain) -> tuple[Chain, dict[str, Any]]:
    """Apply overrides of the chain's own numbers; return the rest, drawn per world.

    Interventions that add a plant put it into the chain here, so every array has its row.
    """
    behaviour = behaviour_of(scenario, chain)
    plain = {}
    for key, value in scenario.overrides.items():
        if key in behaviour:
            continue
        plain[key] = value.centre() if isinstance(value, Distribution) else value
    chain = chain.with_overrides(plain, file=scenario.source_file)
    facilities = dict(chain.facilities)
    for name, item in scenario.interventions.items():
        make = getattr(item, "new_facility", None)
        added = make(name, chain) if make else None
        if added is not None:
            facilities[added.name] = added
    if facilities != chain.facilities:
        chain = replace(chain, facilities=facilities)
    return chain, behaviour


def ground_of(scenario: Scenario, chain: Chain) -> Ground:
    """The ground of a scenario on a vintage; the one at hand where an earlier one is the same.

    Raises
    ------
    InputError
        An override is wrong, or the base year does not close.
    """
    global laid
    fixed, _ = fixed_chain(scenario, chain)
    opened = frozenset(way for item in scenario.interventions.values() for way in item.opens(fixed))
    plain = sorted((k, repr(v)) for k, v in scenario.overrides.items() if k not in chain.parameters)
    laid_out = tuple(p for p in plain if not _held_by_government(p[0], chain))
    added = [repr(f) for n, f in fixed.facilities.items() if chain.facilities.get(n) is not f]
    key = (id(chain), laid_out, tuple(added), opened, scenario.start)
    own, found = _kept.get(key, (None, None))
    if found is None:
        closed = balance(fixed)
        found = Ground(fixed, closed, Layout.of(fixed, closed, scenario.start, opened), chain)
        laid += 1
        _kept[key] = (plain, found)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    elif own != plain:
        found = replace(found, chain=fixed)
    _kept.move_to_end(key)
    return found


def _held_by_government(name: str, chain: Chain) -> bool:
    """Whether an override is of a public stock: neither the base year nor the layout knows it."""
    head, _, rest = name.partition(".")
    pile = chain.stockpiles.get(rest.rpartition(".")[0]) if head == "stockpile" else None
    return pile is not None and pile.kind == "government"
