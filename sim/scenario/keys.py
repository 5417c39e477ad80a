"""Keys of a layer, checked as written: before layers are laid and before empty values drop.

A misspelt key in a variant changes nothing, so the variant equals its base and nobody is told. So
every variant is looked at whenever its scenario is read, whether it is asked for or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion
from lodestone.scenario.layers import HYPOTHESIS_KEYS, KEYS, NAME, flatten_overrides

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = ["kind_of", "unknown_keys", "variant_problems"]

#: What a variant may change; its own name is where it stands.
VARIANT_KEYS = tuple(k for k in KEYS if k not in ("name", "group", "variants"))


def kind_of(given: Any) -> str | None:
    """Return the kind that an entry under ``interventions`` gives itself."""
    kind = given.get("kind") if isinstance(given, Mapping) else None
    return kind if isinstance(kind, str) else None


def unknown_keys(
    data: Mapping[str, Any], known: Iterable[str], at: str, file: Any = None
) -> list[InputError]:
    """Return an error for each key that is not known, with the nearest known one."""
    known = tuple(known)
    prefix = f"{at}." if at else ""
    return [
        InputError("unknown key", file=file, key=f"{prefix}{key}", hint=_hint(str(key), known))
        for key in data
        if key not in known
    ]


def _hint(key: str, known: Iterable[str]) -> str | None:
    if re.fullmatch(r"\d+", key):
        return "A decimal comma? Numbers are written with a point: 0.5."
    return suggestion(key, known) or None


def variant_problems(
    variants: Any, kinds: Mapping[str, str | None], chain: Chain
) -> list[InputError]:
    """Return what is wrong with the keys of the variants of a scenario.

    Parameters
    ----------
    variants
        As written.
    kinds
        Kind of each intervention of the scenario, by name.
    chain
        Whose parameters ``overrides`` may name.
    """
    if not isinstance(variants, Mapping):
        return []
    found: list[InputError] = []
    for name, content in variants.items():
        at = f"variants.{name}"
        if not NAME.match(str(name)):
            hint = "Use letters, digits and _, a letter first."
            found.append(InputError(f"'{name}' is not a name", key=at, hint=hint))
        elif not isinstance(content, Mapping) or not content:
            hint = "Write for example 'interventions: {NAME: {share: 0.5}}' below it."
            found.append(InputError("changes nothing: it must be a mapping", key=at, hint=hint))
        else:
            found += unknown_keys(content, VARIANT_KEYS, at)
            found += _entries(content.get("interventions"), kinds, f"{at}.interventions")
            found += _hypothesis(content.get("hypothesis"), f"{at}.hypothesis")
            found += _overrides(content.get("overrides"), chain, f"{at}.overrides")
    return found


def _entries(given: Any, kinds: Mapping[str, str | None], at: str) -> list[InputError]:
    import lodestone.interventions as registry

    if not isinstance(given, Mapping):
        wrong = InputError(f"must be a mapping by name, got {given!r}", key=at)
        return [] if given is None else [wrong]
    found: list[InputError] = []
    for name, entry in given.items():
        key = f"{at}.{name}"
        kind = kind_of(entry) or kinds.get(name)
        if name not in kinds and kind is None:
            hint = suggestion(str(name), kinds) or "A new one needs a kind."
            if isinstance(entry, Mapping) and "kind" in entry:
                key = f"{key}.kind"
                hint = f"Write one of {', '.join(registry.kinds())}."
            found.append(InputError(f"unknown intervention '{name}'", key=key, hint=hint))
        elif entry is not None and not isinstance(entry, Mapping):
            found.append(InputError(f"must be a mapping, got {entry!r}", key=key))
        elif isinstance(entry, Mapping) and kind in registry.kinds():
            found += unknown_keys(entry, registry.kinds()[kind].model_fields, key)
    return found


def _hypothesis(given: Any, at: str) -> list[InputError]:
    return unknown_keys(given, HYPOTHESIS_KEYS, at) if isinstance(given, Mapping) else []


def _overrides(given: Any, chain: Chain, at: str) -> list[InputError]:
    if given is None:
        return []
    try:
        flat = flatten_overrides(given, at=at)
    except InputError as error:
        return [error]
    known = chain.parameter_names()
    return [
        InputError(f"unknown parameter '{name}'", key=f"{at}.{name}", hint=suggestion(name, known))
        for name in flat
        if name not in known
    ]
