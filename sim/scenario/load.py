"""Read a scenario: its file and what it inherits, variant, overlays, overrides; its reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion, unknown
from lodestone.scenario.checks import checked
from lodestone.scenario.files import locate
from lodestone.scenario.layers import HYPOTHESIS_KEYS, KEYS, layer, load_mapping, normalise, set_at
from lodestone.scenario.scenario import Scenario

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = ["build_scenario", "load_reference", "load_scenario"]


def load_scenario(
    name_or_path: str | Path,
    *,
    variant: str | None = None,
    overlays: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    chain: Chain | None = None,
) -> Scenario:
    """Read, assemble and check a scenario.

    Parameters
    ----------
    name_or_path
        A name that `find_scenarios` knows, or the path of a YAML file.
    variant
        Name of one of its variants.
    overlays
        Names or paths of overlays, laid over it in this order.
    overrides
        Values by dotted place in the scenario, for example ``start``,
        ``interventions.NAME.KEY`` or ``overrides.PARAMETER``; they win over everything else.
    chain
        The chain to check against; by default that of its vintage is loaded.

    Raises
    ------
    InputError
        Naming file, key, what is wrong, the nearest known word and how to fix it.
    """
    document = load_mapping(name_or_path)
    return build_scenario(
        document.data,
        file=document.file,
        lines=document.lines,
        variant=variant,
        overlays=overlays,
        overrides=overrides,
        chain=chain,
    )


def load_reference(scenario: Scenario) -> Scenario | None:
    """Return the scenario that a scenario is measured against, over the same days.

    It is looked for beside the scenario's own file first, then among the known ones. The
    scenario's variant, overlays and overrides do not reach it.
    """
    if scenario.reference is None:
        return None
    path = locate(scenario.reference, beside=scenario.source_file)
    return replace(load_scenario(path), start=scenario.start, end=scenario.end)


def build_scenario(
    mapping: Mapping[str, Any],
    *,
    file: Path | None = None,
    lines: Mapping[tuple[str, ...], int] | None = None,
    variant: str | None = None,
    overlays: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    chain: Chain | None = None,
) -> Scenario:
    """Assemble and check a scenario from its mapping (see `load_scenario`)."""
    data = normalise(mapping, file)
    _known_keys(data, KEYS, file, "", lines)
    overlays = tuple(overlays)
    if variant is not None:
        data = layer(data, _variant(data, variant, file))
    for name in overlays:
        over = load_mapping(name, overlay=True)
        content = {
            k: v for k, v in over.data.items() if k not in ("name", "title", "question", "note")
        }
        _known_keys(content, KEYS, over.file, "", over.lines)
        data = layer(data, content)
    for dotted, value in (overrides or {}).items():
        _addressable(data, dotted)
        data = set_at(data, dotted, value)
    return checked(data, file, lines or {}, overrides or {}, chain, (variant, overlays))


def _variant(data: Mapping[str, Any], name: str, file: Any) -> dict[str, Any]:
    variants = data.get("variants") or {}
    if not isinstance(variants, Mapping) or name not in variants:
        known = list(variants) if isinstance(variants, Mapping) else []
        error = unknown("variant", name, known, file=file, key="variant")
        if not known:
            error.hint = "The scenario has no variants."
        raise error
    content = variants[name]
    if not isinstance(content, Mapping):
        raise InputError("must be a mapping", file=file, key=f"variants.{name}")
    return normalise(content, file)


def _known_keys(
    data: Mapping[str, Any],
    known: Iterable[str],
    file: Any,
    at: str,
    lines: Mapping[tuple[str, ...], int] | None = None,
) -> None:
    prefix = tuple(at.split(".")) if at else ()
    for key in data:
        if key not in known:
            line = (lines or {}).get((*prefix, key))
            raise InputError(
                "unknown key",
                file=f"{file}:{line}" if file and line else file,
                key=".".join((*prefix, key)),
                hint=suggestion(key, known),
            )


def _addressable(data: Mapping[str, Any], dotted: str) -> None:
    """Refuse an override whose place does not exist in the scenario."""
    parts = dotted.split(".")
    key = f"scenario.{dotted}"
    if parts[0] not in KEYS:
        raise unknown("key", parts[0], KEYS, key=key)
    if parts[0] == "interventions" and len(parts) > 1:
        known = list(data.get("interventions") or {})
        if parts[1] not in known and len(parts) > 2:
            error = unknown("intervention", parts[1], known, key=key)
            if not known:
                error.hint = "The scenario has no interventions; add some in a file or an overlay."
            raise error
    elif parts[0] == "hypothesis" and len(parts) > 1 and parts[1] not in HYPOTHESIS_KEYS:
        raise unknown("key", parts[1], HYPOTHESIS_KEYS, key=key)
    elif len(parts) > 1 and parts[0] not in (
        "interventions",
        "overrides",
        "hypothesis",
        "variants",
    ):
        raise InputError(
            f"'{parts[0]}' has no parts", key=key, hint=f"Write scenario.{parts[0]}=..."
        )
