"""Numbers of a chain that a scenario replaces: what no source covers."""

from __future__ import annotations

from lodestone.border.numbers import Distribution
from lodestone.scenario.scenario import Scenario

__all__ = ["outside_ranges"]


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
