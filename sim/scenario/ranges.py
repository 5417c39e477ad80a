"""Numbers of a chain that a scenario replaces: what cannot be meant, and what no source covers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from lodestone.border.errors import InputError
from lodestone.border.numbers import Distribution
from lodestone.scenario.scenario import Scenario

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = ["outside_ranges", "refuse_implausible"]


def refuse_implausible(chain: Chain, name: str, value: float | str | date) -> None:
    """Refuse a negative number, or a share above one, where the parameter cannot be so."""
    if isinstance(value, str | date) or name not in chain.parameters:
        return
    item = chain.parameters[name]
    default = item.default if isinstance(item.default, int | float) else None
    least = min((v for v in (default, item.low) if v is not None), default=None)
    most = max((v for v in (default, item.high) if v is not None), default=None)
    if value < 0 and least is not None and least >= 0:
        raise InputError(f"{value:g} is negative", hint=f"The range is {item.low} to {item.high}.")
    if value > 1 and item.unit == "share" and most is not None and most <= 1:
        raise InputError(
            f"{value:g} is above 1", hint="A share lies between 0 and 1, not in percent."
        )


def outside_ranges(scenario: Scenario) -> list[str]:
    """Overrides that leave the documented range of their parameter: one sentence each.

    They are allowed (stress cases need them) and no longer covered by the parameter's sources.
    """
    from lodestone.chain.load import load_chain

    known = load_chain(scenario.vintage).parameter_names()
    found = []
    for name, value in scenario.overrides.items():
        item = known[name]
        if isinstance(value, str) or item.low is None or item.high is None:
            continue
        least, most = value.support() if isinstance(value, Distribution) else (value, value)
        if least < item.low or most > item.high:
            unit = "" if item.unit in ("", "-") else f" {item.unit}"
            told = f"{value}" if isinstance(value, Distribution) else f"{value:g}"
            found.append(
                f"{name} = {told} lies outside its documented range "
                f"({item.low:g} to {item.high:g}{unit})"
            )
    return found
