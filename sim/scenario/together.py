"""What interventions of one scenario are to one another: who waits for whom, and who contradicts whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from lodestone.border.errors import InputError

if TYPE_CHECKING:
    from lodestone.interventions.base import Intervention

__all__ = ["refuse_circles", "refuse_two_rules", "waits_for"]


def waits_for(items: Mapping[str, Intervention]) -> dict[str, list[str]]:
    """Return, by name, the interventions that must be drawn before an intervention.

    It waits for the one that triggers it, and for those that write its start.
    """
    waits: dict[str, list[str]] = {name: [] for name in items}
    for name, item in items.items():
        trigger = item.after()
        if trigger is not None and trigger in items:
            waits[name].append(trigger)
        for other in item.begins():
            if other in items:
                waits[other].append(name)
    return {name: sorted(set(others)) for name, others in waits.items()}


def refuse_circles(made: Mapping[str, Intervention], problem: Callable[[str, str], None]) -> None:
    """Note interventions that wait for one another."""
    waits = waits_for(made)

    def trail(name: str, at: str, seen: tuple[str, ...]) -> tuple[str, ...] | None:
        for other in waits[at]:
            if other == name:
                return (*seen, name)
            if other not in seen:
                found = trail(name, other, (*seen, other))
                if found:
                    return found
        return None

    for name in made:
        circle = trail(name, name, (name,))
        if circle and len(circle) > 2:
            problem(
                f"interventions.{name}.triggered_by",
                f"waits for itself ({' -> '.join(circle)})",
            )


def refuse_two_rules(items: Mapping[str, Intervention]) -> None:
    """Refuse two allocation rules that tell one exporter two things at once.

    Raises
    ------
    InputError
        Naming both.
    """
    from lodestone.interventions.allocation_rule import AllocationRule
    from lodestone.interventions.fields import bounds

    held = {n: item for n, item in items.items() if isinstance(item, AllocationRule)}
    rules = sorted(held)
    for i, first in enumerate(rules):
        for second in rules[i + 1 :]:
            a, b = held[first], held[second]
            shared = set(a.exporter) & set(b.exporter)
            everybody = "all" in a.exporter or "all" in b.exporter
            if a.rule == b.rule or not (shared or everybody):
                continue
            spans = []
            for x in (a, b):
                open_end = x.end is None
                spans.append(
                    (bounds(x.start)[0] or date.min, None if open_end else bounds(x.end)[1])
                )
            (s1, e1), (s2, e2) = spans
            if (e1 is not None and e1 <= s2) or (e2 is not None and e2 <= s1):
                continue
            whom = "every exporter" if everybody else ", ".join(sorted(shared))
            raise InputError(
                f"'{second}' ({b.rule}) and '{first}' ({a.rule}) rule {whom} at the same time",
                key=f"interventions.{second}.rule",
                hint="Keep one, or give the first an end on or before the start of the second.",
            )
