"""A run repeated from its own folder: ``lodestone run FOLDER/config.yaml``.

``config.yaml`` holds, under ``rerun``, the scenario and the reference as they were written with all
layers laid, so that a run does not depend on the files it was read from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.border.numbers import plain
from lodestone.border.yamlfile import Document, read_yaml
from lodestone.outputs.parts import checksum
from lodestone.runs.settings import SETTINGS
from lodestone.scenario import Scenario, build_scenario

__all__ = ["is_config", "kept_scenario", "kept_settings", "rerun_part"]


def rerun_part(scenario: Scenario, reference: Scenario | None) -> dict[str, Any]:
    """Return what a folder keeps so that its run can be repeated."""
    return {
        "scenario": _kept(scenario),
        "reference": None if reference is None else _kept(reference),
        "variant": scenario.variant,
        "overlays": list(scenario.overlays),
        "filed": _filed_otherwise(scenario),
        "laid_over": list(scenario.laid_over),
        "shipped": sorted(scenario.shipped),
    }


def _filed_otherwise(scenario: Scenario) -> dict[str, Any]:
    """Measures that an overlay or a word typed changed, as their file has them."""
    now = scenario.written.get("interventions") or {}
    return {name: item for name, item in scenario.as_filed.items() if item != now.get(name)}


def _kept(scenario: Scenario) -> dict[str, Any]:
    data = {k: v for k, v in scenario.written.items() if k not in ("variants", "reference")}
    data |= {
        "vintage": scenario.vintage,
        "reference": "none",
        "start": scenario.start.isoformat(),
        "end": scenario.end.isoformat(),
        "overrides": {name: plain(value) for name, value in scenario.overrides.items()},
    }
    if scenario.decision_date is not None:
        data["decision_date"] = scenario.decision_date.isoformat()
    return data


def is_config(word: str) -> bool:
    """Whether a word names the ``config.yaml`` of a run folder."""
    if Path(word).name != "config.yaml":
        return False
    path = read_path(word)
    return path.is_file() and "rerun" in read_yaml(path).data


def kept_scenario(word: str) -> Scenario:
    """Return the scenario of a run folder, with its reference, as they were run.

    Raises
    ------
    InputError
        The file is damaged.
    """
    path = read_path(word)
    _refuse_edited(path)
    document = read_yaml(path)
    held = document.data.get("rerun")
    if not isinstance(held, Mapping) or not isinstance(held.get("scenario"), Mapping):
        raise InputError("is damaged", file=path, key="rerun", hint="Run the scenario itself.")
    made = _built(document, path, "scenario")
    reference = None if held.get("reference") is None else _built(document, path, "reference")
    filed = held.get("filed") or {}
    entries = made.written.get("interventions") or {}
    return replace(
        made,
        reference=None if reference is None else reference.name,
        kept_reference=reference,
        variant=held.get("variant"),
        overlays=_words(held.get("overlays")),
        laid_over=_words(held.get("laid_over")),
        shipped=frozenset(_words(held.get("shipped"))),
        as_filed={**entries, **filed} if isinstance(filed, Mapping) else entries,
    )


def _words(given: Any) -> tuple[str, ...]:
    return tuple(map(str, given)) if isinstance(given, list) else ()


def _refuse_edited(path: Path) -> None:
    """Refuse the file of a run folder that is not the one that the run wrote."""
    try:
        told = json.loads((path.parent / "provenance.json").read_text(encoding="utf-8"))
        written = told["files"][path.name]
    except (OSError, ValueError, KeyError, TypeError):
        return  # a copy, or a run that kept no checksums
    if checksum(path.read_bytes()) != written:
        raise InputError(
            "is not the file that the run wrote: its checksum differs from the one in "
            "provenance.json",
            file=path,
            hint="It was damaged or edited. Copy it into another folder to run what it says.",
        )


def _built(document: Document, path: Path, which: str) -> Scenario:
    at = ("rerun", which)
    places = {p[2:]: place for p, place in document.places.items() if p[:2] == at}
    return build_scenario(document.data["rerun"][which], file=path, places=places)


def kept_settings(word: str) -> dict[str, Any]:
    """Return the settings that decide a run's numbers, and its formats, by key."""
    data = read_yaml(read_path(word)).data
    out: dict[str, Any] = {}
    for key, item in SETTINGS.items():
        if not item.decides and key != "report.formats":
            continue
        at: Any = data
        for part in key.split("."):
            at = at.get(part) if isinstance(at, Mapping) else None
        if at is not None:
            out[key] = at
    return out


def changed_since(word: str, now: Mapping[str, str]) -> list[str]:
    """Return what has changed since a run, of the hashes of code and seeds: a sentence each."""
    path = read_path(word).parent / "provenance.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    told = {"code_hash": "the code", "seeds_hash": "the seeds"}
    return [
        f"{what} changed since that run, so that numbers may differ"
        for key, what in told.items()
        if key in now and held.get(key) not in (None, now[key])
    ]
