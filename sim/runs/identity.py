"""What decides the result of a run, and its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lodestone.border.difference import REMARKS
from lodestone.border.errors import InputError
from lodestone.border.paths import data_root
from lodestone.outputs.provenance import canonical, code_hash, seeds_hash, sha
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario, load_reference

#: Changed keys that a remark tells, and the characters of a value that it can hold.
MOST_KEYS, LONGEST_VALUE = 3, 24


def reference_of(scenario: Scenario, calm: Scenario | None = None) -> Scenario | None:
    """The reference, with the scenario's own parameter overrides: only interventions differ.

    Parameters
    ----------
    calm
        What `load_reference` gives, where it has been read before.
    """
    reference = calm or load_reference(scenario)
    if reference is None:
        return None
    return replace(reference, overrides={**reference.overrides, **scenario.overrides})


def identity_of(scenario: Scenario, settings: Settings) -> dict[str, Any]:
    """Everything that decides the result, fit for JSON; equal identity, equal numbers."""
    reference = reference_of(scenario)
    vintages = [s.vintage for s in (scenario, reference) if s is not None]
    return {
        "scenario": scenario.to_dict(),
        "reference": reference.to_dict() if reference else None,
        **settings.decisive(),
        "seeds": seeds_hash(*vintages),
        "code": code_hash(),
    }


@dataclass(frozen=True)
class Stamp:
    """The code and the seeds that a run began with: no batch may be made of others.

    Attributes
    ----------
    seeds, code : str
        Hashes.
    vintages : tuple of str
        Whose seeds were read.
    """

    seeds: str
    code: str
    vintages: tuple[str, ...]

    @classmethod
    def of(cls, scenario: Scenario, reference: Scenario | None) -> Stamp:
        """What stands there now."""
        vintages = tuple(s.vintage for s in (scenario, reference) if s is not None)
        return cls(seeds_hash(*vintages), code_hash(), vintages)

    def hold(self) -> None:
        """Refuse to go on where the seeds or the code are no longer those.

        Raises
        ------
        InputError
            Says which.
        """
        for what, then, now in (
            ("seeds", self.seeds, seeds_hash(*self.vintages)),
            ("code", self.code, code_hash()),
        ):
            if then != now:
                raise InputError(
                    f"the {what} changed while the run was under way ({then} is now {now})",
                    hint="Nothing of both is mixed: finished worlds of the old ones are left aside. "
                    "Run the same command again.",
                )


def reference_told(scenario: Scenario, reference: Scenario | None) -> dict[str, Any] | None:
    """Which reference a run was really measured against: name, file, whether shipped, hash."""
    if reference is None:
        return None
    file = reference.source_file
    shipped = file is not None and file.resolve().is_relative_to(data_root("scenarios").resolve())
    return {
        "name": reference.name,
        "file": str(file) if file is not None else "",
        "shipped": shipped,
        "hash": sha(canonical(reference.to_dict())),
    }


def changed_alone(
    scenario: Scenario, reference: Scenario | None
) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Keys that were changed in a scenario alone, by measure, each with what was and what is.

    Its file has them as its reference has.

    By an overlay or a word typed: neither reaches the reference. What the scenario is asked then
    holds that change beside its own.
    """
    if reference is None:
        return {}
    theirs, own = ((s.written.get("interventions") or {}) for s in (reference, scenario))
    found = {}
    for name, filed in scenario.as_filed.items():
        calm, now = theirs.get(name) or {}, own.get(name) or {}
        keys = {
            k: (filed.get(k), now.get(k))
            for k in {**filed, **now}
            if k not in REMARKS and filed.get(k) == calm.get(k) != now.get(k)
        }
        if calm and keys:
            found[name] = keys
    return found


def changed_remarks(scenario: Scenario, reference: Scenario | None) -> list[str]:
    """A sentence for each measure that was changed in the scenario alone."""
    asked = " and the hypothesis" if scenario.hypothesis else ""
    return [
        f"{name} is {_told(keys)}, not in the reference: numbers{asked} are about that change as well"
        for name, keys in changed_alone(scenario, reference).items()
    ]


def _told(keys: Mapping[str, tuple[Any, Any]]) -> str:
    """What was done: changed keys with their values as far as a line holds them, or taken out."""
    if all(new is None for _, new in keys.values()):
        return "taken out here alone"
    out = []
    for key, pair in list(keys.items())[:MOST_KEYS]:
        old, new = map(_value, pair)
        short = max(len(old), len(new)) <= LONGEST_VALUE
        out.append(f"{key} from {old} to {new}" if short else key)
    more = len(keys) - len(out)
    told = ", ".join(out) + (f" and {more} more" if more > 0 else "")
    return f"changed here alone ({told})"


def _value(value: Any) -> str:
    """A value as a reader says it: a number or word, or what a distribution spans."""
    if isinstance(value, Mapping) and "dist" in value:
        ends = [value[k] for k in ("low", "high") if k in value]
        return f"a draw of {ends[0]} to {ends[1]}" if len(ends) == 2 else f"a {value['dist']} draw"
    return "nothing" if value is None else str(value)


def remarks(scenario: Scenario, calm: Scenario | None = None) -> list[str]:
    """What a reader should know of the reference before a run: how it is not as one expects.

    Parameters
    ----------
    calm
        What `load_reference` gives, where it has been read before.
    """
    reference = reference_of(scenario, calm)
    changed = changed_remarks(scenario, reference)
    told = reference_told(scenario, reference)
    if told is None or told["shipped"] or told["name"] not in shipped_names():
        return changed
    return [
        *changed,
        f"the reference {told['name']} is read from {told['file']}, not the shipped one of that "
        f"name (hash {told['hash']})",
    ]


def shipped_names() -> set[str]:
    """Names of the scenarios that come with the program."""
    return {p.stem for p in data_root("scenarios").glob("*.yaml")}
