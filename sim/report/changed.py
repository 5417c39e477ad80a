"""What was changed of a scenario in this run: by its variant, by overlays and by what was typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lodestone.report.wording import human, joined

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["changed_here"]

MOST_CHANGES = 6
LONGEST_VALUE = 40
#: Keys that change nothing in a run, or whose change is plain from the page.
SILENT = {"source", "note", "headline", "title", "question", "narrative", "claims", "name"}
#: The file in a run folder that keeps what its variant changes.
KEPT = "variant.yaml"


def changed_here(reading: Reading) -> str:
    """Say what differs from the scenario as it is filed, with old and new values; blank for nothing."""
    told: dict[str, str] = {}
    for path, old, new in _variant(reading):
        told[path] = _words(path, old, new)
    filed = (reading.results.config.get("rerun") or {}).get("filed") or {}
    written = _written(reading).get("interventions") or {}
    for name, held in filed.items():
        told |= _measure(str(name), held, written.get(name))
    for path, value in _typed(reading):
        if not any(path == k or path.startswith(f"{k}.") or k.startswith(f"{path}.") for k in told):
            told[path] = _words(path, None, value)
    if not told:
        return ""
    lines = list(told.values())
    if len(lines) > MOST_CHANGES:
        lines = [*lines[:MOST_CHANGES], f"and {len(lines) - MOST_CHANGES} more"]
    stays = ["narrative"] if reading.scenario.get("narrative") else []
    stays += ["hypothesis"] if reading.scenario.get("hypothesis") else []
    text = f"{'; '.join(lines)}."
    return f"{text} Title, {joined([*stays, 'question'])} are those of the unchanged scenario."


def _written(reading: Reading) -> dict[str, Any]:
    """The scenario as it was written, all layers laid; else as it was run."""
    held = (reading.results.config.get("rerun") or {}).get("scenario")
    return held if isinstance(held, dict) else reading.scenario


def _measure(name: str, old: Any, new: Any) -> dict[str, str]:
    """Keys of a measure that differ from its file."""
    path = f"interventions.{name}"
    if not isinstance(new, dict) or not isinstance(old, dict):
        return {path: _words(path, old, new)}
    keys = [k for k in {**old, **new} if k not in SILENT and old.get(k) != new.get(k)]
    return {f"{path}.{k}": _words(f"{path}.{k}", old.get(k), new.get(k)) for k in keys}


def _words(path: str, old: Any, new: Any) -> str:
    """One change: what, the old value where it is known, and the new one."""
    head, _, rest = path.partition(".")
    where = [human(p) for p in rest.split(".")] if head == "interventions" else []
    name = ", ".join(where) or (rest if head == "overrides" else path).replace("_", " ")
    if head == "interventions" and len(where) == 1:
        if new is None:
            return f"{name} taken out"
        if isinstance(new, dict) and old is None:
            return f"{name} added"
    if new is None:
        return f"{name} taken out" if old is None else f"{name} {_value(old)} \u2192 none"
    if old is None:
        return f"{name} {_value(new)}"
    return f"{name} {_value(old)} \u2192 {_value(new)}"


def _value(value: Any) -> str:
    if isinstance(value, dict) and "dist" in value:
        inside = ", ".join(f"{_value(v)}" for k, v in value.items() if k != "dist")
        text = f"{value['dist']} ({inside})"
    elif isinstance(value, list):
        text = joined([_value(v) for v in value])
    elif isinstance(value, dict):
        text = "a path"
    elif isinstance(value, float):
        text = f"{value:g}"
    else:
        text = "none" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else "otherwise"


def _typed(reading: Reading) -> Iterator[tuple[str, Any]]:
    """Yield what the command set of the scenario: dotted place and value."""
    from lodestone.border.errors import InputError
    from lodestone.border.yamlfile import parse_yaml

    command = str(reading.results.provenance.get("command") or "")
    try:
        words = shlex.split(command)
    except ValueError:
        return
    for word in words:
        key, is_set, value = word.partition("=")
        place = key.lstrip("+~")
        if not is_set or not place.startswith("scenario."):
            continue
        place = place.removeprefix("scenario.")
        if place.partition(".")[0] in SILENT | {"variant", "overlays", "reference"}:
            continue
        try:
            yield place, parse_yaml(f"value: {value}").data["value"]
        except InputError:
            yield place, value


def _variant(reading: Reading) -> list[tuple[str, Any, Any]]:
    """Return what the variant changes: place, old value (None where not known) and new one.

    The scenario's file tells it when the first report is made, as long as that holds what was run;
    the folder keeps it for later reports.
    """
    from lodestone.border.files import save_text
    from lodestone.border.yamlfile import dump_yaml, read_yaml

    name = reading.scenario.get("variant")
    if not name:
        return []
    own = reading.results.folder / KEPT
    if own.is_file():
        held = read_yaml(own).data.get("changes") or []
        return [(str(p), old, new) for p, old, new in held]
    found = list(_from_file(reading, str(name)))
    save_text(own, dump_yaml({"changes": [list(c) for c in found]}))
    return found


def _from_file(reading: Reading, variant: str) -> Iterator[tuple[str, Any, Any]]:
    from lodestone.border.errors import InputError
    from lodestone.border.paths import data_root
    from lodestone.border.yamlfile import read_yaml

    try:
        page = data_root() / "scenarios" / f"{reading.name}.yaml"
    except InputError:
        return
    if not page.is_file():
        return
    data = _plain(read_yaml(page).data)
    layer = (data.get("variants") or {}).get(variant)
    if not isinstance(layer, dict):
        return
    run, overrides = _written(reading), data.get("overrides") or {}
    measures, base = run.get("interventions") or {}, data.get("interventions") or {}
    for name, content in (layer.get("interventions") or {}).items():
        old, path = base.get(name), f"interventions.{name}"
        if content is None or not isinstance(measures.get(name), dict):
            if content is None and name not in measures:
                yield path, old, None
        elif old is None and "kind" in content:
            yield path, None, content
        else:
            for key, value in content.items():
                if key not in SILENT and key in measures[name]:
                    yield f"{path}.{key}", (old or {}).get(key), value
    for key, value in _leaves(layer.get("overrides") or {}):
        yield f"overrides.{key}", dict(_leaves(overrides)).get(key), value
    for key, value in layer.items():
        if key not in SILENT | {"interventions", "overrides", "hypothesis", "reference"}:
            yield key, data.get(key), value


def _plain(value: Any) -> Any:
    """Dates as text, as run folders hold them."""
    if isinstance(value, dict):
        return {_plain(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _leaves(value: Mapping[str, Any], head: str = "") -> Iterator[tuple[str, Any]]:
    for key, held in value.items():
        path = f"{head}.{key}" if head else str(key)
        if isinstance(held, dict) and "dist" not in held:
            yield from _leaves(held, path)
        else:
            yield path, held
