"""Layers of a scenario, and how they are laid over one another.

A scenario file says what *happens*; the seeds say what *is*, the configuration how to run it.
Layers are laid over one another in this order, later ones winning: the scenarios named under
``defaults``, the file itself, the variant, the overlays, the overrides typed by the user.
Mappings merge key by key; everything else, and also a distribution or a mapping keyed by dates,
is one value and is replaced whole (a variant's approval path does not keep the old path's later
steps). An entry set to ``null`` under ``interventions`` or ``overrides`` is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion
from lodestone.border.yamlfile import Document, KeyPath, Place, find_place, read_yaml_kept
from lodestone.scenario.files import locate

__all__ = [
    "GROUPS",
    "flatten_overrides",
    "is_value",
    "lay",
    "layer",
    "load_mapping",
    "normalise",
    "set_at",
]

#: Keys of a scenario file, in the order in which they are written.
KEYS = (
    "name",
    "title",
    "group",
    "question",
    "narrative",
    "headline",
    "hypothesis",
    "vintage",
    "reference",
    "start",
    "end",
    "decision_date",
    "interventions",
    "overrides",
    "variants",
    "source",
    "note",
    "shows",
)
#: Groups of the catalogue of scenarios, in its order.
GROUPS = {
    "reference": "worlds to measure against",
    "shock": "something is cut off, or demand jumps",
    "policy": "somebody does something about it",
    "history": "what happened, replayed",
    "other": "your own",
}
REQUIRED = ("name", "question", "start", "end", "interventions")
HYPOTHESIS_KEYS = ("text", "claims", "confirmed_if", "refuted_if")
NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")
#: How deep scenarios may inherit, and from how many at once.
DEEPEST = 8
MOST_DEFAULTS = 20
_PATH_KEY = re.compile(r"^\d{4}(-.*)?$")


def is_value(item: Any) -> bool:
    """Whether a mapping is one value: a distribution, or keyed by dates or periods."""
    return isinstance(item, Mapping) and (
        "dist" in item or (len(item) > 0 and all(_PATH_KEY.match(str(k)) for k in item))
    )


def layer(below: Any, above: Any) -> Any:
    """Lay one value over another: mappings merge key by key, everything else is replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    if is_value(below) or is_value(above):
        return above
    out = dict(below)
    for key, item in above.items():
        out[key] = layer(out[key], item) if key in out else item
    return out


def lay(below: Document, content: Mapping[str, Any], places: Mapping[KeyPath, Place]) -> Document:
    """Lay a layer with places of its own over a document.

    Raises
    ------
    InputError
        An entry is to be taken out that is not there.
    """
    for section in ("interventions", "overrides"):
        held = below.data.get(section)
        given = content.get(section)
        if not isinstance(given, Mapping):
            continue
        names = list(held) if isinstance(held, Mapping) else []
        for name, value in given.items():
            if value is None and name not in names:
                key = f"{section}.{name}"
                raise InputError(
                    "is empty, and there is nothing of that name to take out",
                    file=find_place(places, key),
                    key=key,
                    hint=suggestion(str(name), names) or None,
                )
    data = layer(below.data, content)
    for section in ("interventions", "overrides"):
        if isinstance(data.get(section), Mapping):
            gone = content.get(section) or {}
            data[section] = {
                k: v
                for k, v in data[section].items()
                if not (v is None and isinstance(gone, Mapping) and k in gone)
            }
    return Document(data, {**below.places, **places}, below.file)


def flatten_overrides(given: Any, file: Any = None, at: str = "overrides") -> dict[str, Any]:
    """Return ``overrides`` with dotted names, whether written nested, dotted or mixed.

    Raises
    ------
    InputError
        If one parameter is written twice in different spellings.
    """
    flat: dict[str, Any] = {}

    def walk(item: Any, name: str) -> None:
        if isinstance(item, Mapping) and "dist" not in item:
            for key, inside in item.items():
                walk(inside, f"{name}.{key}" if name else str(key))
            return
        if name in flat:
            raise InputError(
                "the same parameter is written both nested and dotted",
                file=file,
                key=f"{at}.{name}",
                hint="The two spellings mean the same: keep one.",
            )
        flat[name] = item

    if given is None:
        return flat
    if not isinstance(given, Mapping):
        raise InputError(
            "must be a mapping from parameters to numbers",
            file=file,
            key=at,
            hint="Write for example {stockpile.japan.days: 60}.",
        )
    walk(dict(given), "")
    return flat


def normalise(mapping: Mapping[str, Any], file: Any = None) -> dict[str, Any]:
    """Return one layer with its overrides flattened, so that layers can be laid over it."""
    out = dict(mapping)
    if "overrides" in out:
        out["overrides"] = flatten_overrides(out["overrides"], file)
    return out


def set_at(mapping: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """Return a copy of a mapping with the value at a dotted place replaced.

    Below ``overrides`` the rest of the place is one parameter name.
    """
    head, _, rest = dotted.partition(".")
    out = dict(mapping)
    if not rest:
        out[head] = flatten_overrides(value) if head == "overrides" else value
        return out
    if head == "overrides":
        held = dict(out.get(head) or {})
        held |= flatten_overrides({rest: value})
        out[head] = held
        return out
    below = out.get(head)
    held = set_at(dict(below) if isinstance(below, Mapping) else {}, rest, value)
    # A step put into a path stands in its place in time.
    out[head] = dict(sorted(held.items(), key=lambda i: str(i[0]))) if _dated(held) else held
    return out


def _dated(held: Mapping[Any, Any]) -> bool:
    return len(held) > 1 and all(_PATH_KEY.match(str(key)) for key in held)


def load_mapping(
    name_or_path: str | Path, *, overlay: bool = False, _seen: tuple[Path, ...] = ()
) -> Document:
    """Read a scenario file with everything it inherits, not yet checked.

    Raises
    ------
    InputError
        If a file is missing or unreadable, or inherits from itself.
    """
    beside = _seen[-1] if _seen else None
    path = locate(name_or_path, overlay=overlay, beside=beside)
    if path.resolve() in [p.resolve() for p in _seen]:
        chain = " -> ".join(p.stem for p in (*_seen, path))
        raise InputError(f"inherits from itself ({chain})", file=path, key="defaults")
    document = read_yaml_kept(path)
    own = normalise(document.data, path)
    defaults = own.pop("defaults", None)
    if defaults is None:
        return Document(own, document.places, path)
    if isinstance(defaults, str):
        defaults = [defaults]
    if not isinstance(defaults, list) or not all(isinstance(d, str) for d in defaults):
        raise InputError(
            "must be a list of scenario names",
            file=find_place(document.places, "defaults"),
            key="defaults",
            hint="Write for example 'defaults: [current_law, _self_]'.",
        )
    if len(_seen) >= DEEPEST or len(defaults) > MOST_DEFAULTS:
        raise InputError("inherits too much", file=path, key="defaults", hint="Write it out.")
    if "_self_" not in defaults:
        defaults = [*defaults, "_self_"]
    whole = Document({}, {}, path)
    for entry in defaults:
        if entry == "_self_":
            whole = lay(whole, own, document.places)
            continue
        try:
            below = load_mapping(entry, _seen=(*_seen, path))
        except InputError as error:
            if error.file is None:
                error.file = str(find_place(document.places, "defaults") or path)
                error.key = "defaults"
            raise
        whole = Document(layer(whole.data, below.data), {**whole.places, **below.places}, path)
    return whole
