"""Read a scenario: its file and what it inherits, variant, overlays, overrides; its reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError, combine
from lodestone.border.words import unknown
from lodestone.border.yamlfile import Document, KeyPath, Place, find_place
from lodestone.scenario.applied import Applied, as_shipped, both_set
from lodestone.scenario.checks import checked
from lodestone.scenario.files import locate
from lodestone.scenario.keys import kind_of, unknown_keys
from lodestone.scenario.layers import HYPOTHESIS_KEYS, KEYS, lay, load_mapping, normalise, set_at
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
        places=document.places,
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
    if scenario.kept_reference is not None:
        return scenario.kept_reference
    path = locate(scenario.reference, beside=scenario.source_file)
    return replace(load_scenario(path), start=scenario.start, end=scenario.end)


def build_scenario(
    mapping: Mapping[str, Any],
    *,
    file: Path | None = None,
    places: Mapping[KeyPath, Place] | None = None,
    variant: str | None = None,
    overlays: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    chain: Chain | None = None,
) -> Scenario:
    """Assemble and check a scenario from its mapping (see `load_scenario`)."""
    if not isinstance(mapping, Mapping):
        raise InputError("is not a mapping of keys to values", file=file)
    whole = Document(normalise(mapping, file), dict(places or {}), file)
    _refuse_unknown(whole.data, whole.places, file)
    overlays = tuple(overlays)
    entries = whole.data.get("interventions")
    kinds = {n: kind_of(e) for n, e in entries.items()} if isinstance(entries, Mapping) else {}
    below = [entries]
    if variant is not None:
        at = ("variants", variant)
        own = {path[2:]: place for path, place in whole.places.items() if path[:2] == at}
        whole = lay(whole, _variant(whole.data, variant, file), own)
    filed = whole.data.get("interventions")
    below.append(filed)
    whole, told = _overlaid(whole, overlays)
    below.append(whole.data.get("interventions"))
    data = whole.data
    for dotted, value in (overrides or {}).items():
        _addressable(data, dotted)
        data = set_at(data, dotted, value)
        if value is None and dotted.partition(".")[0] in ("interventions", "overrides"):
            data = _taken_out(data, dotted)
    applied = Applied(variant, overlays, kinds, [e for e in below if isinstance(e, Mapping)])
    made = checked(data, file, whole.places, overrides or {}, chain, applied)
    as_filed = filed if isinstance(filed, Mapping) else {}
    shipped = as_shipped(data, as_filed, whole.places, overrides or ())
    return replace(made, as_filed=as_filed, laid_over=tuple(told), shipped=shipped)


def _overlaid(whole: Document, overlays: tuple[str, ...]) -> tuple[Document, list[str]]:
    """A document with overlays laid over it, and what they say of one thing differently."""
    told: list[str] = []
    earlier: list[tuple[str, Mapping[str, Any]]] = []
    files: dict[Path | None, str] = {}
    for name in overlays:
        over = load_mapping(name, overlay=True)
        _refuse_unknown(over.data, over.places, over.file)
        file = None if over.file is None else Path(over.file).resolve()
        if file in files:
            raise InputError(
                f"names '{name}' twice", key="overlays", hint="It is laid over once: keep one."
            )
        files[file] = name
        content = normalise(_overlay_content(over), over.file)
        told += both_set(earlier, Path(name).stem, content)
        earlier.append((Path(name).stem, content))
        whole = lay(whole, content, over.places)
    return whole, told


#: Keys of an overlay that say what it is, and change nothing.
_OF_OVERLAY = ("name", "title", "question", "note")


def _overlay_content(over: Document) -> dict[str, Any]:
    """What an overlay changes; what it says of itself is checked and left out."""
    for key in _OF_OVERLAY:
        value = over.data.get(key)
        if value is not None and not isinstance(value, str):
            raise InputError(
                f"must be text, got {value!r}",
                file=find_place(over.places, key) or over.file,
                key=key,
                hint="Put quotes around it.",
            )
    content = {k: v for k, v in over.data.items() if k not in _OF_OVERLAY}
    if not content:
        raise InputError("changes nothing", file=over.file, hint="Add interventions or overrides.")
    return content


def _taken_out(data: dict[str, Any], dotted: str) -> dict[str, Any]:
    """The mapping without an entry that was set to null by the user."""
    section, _, name = dotted.partition(".")
    held = data.get(section)
    if isinstance(held, Mapping) and held.get(name, 0) is None:
        return {**data, section: {k: v for k, v in held.items() if k != name}}
    return data


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


def _refuse_unknown(data: Mapping[str, Any], places: Mapping[KeyPath, Place], file: Any) -> None:
    found = unknown_keys(data, KEYS, "")
    for error in found:
        error.file = str(find_place(places, str(error.key)) or file or "") or None
    if found:
        raise combine(found)


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
