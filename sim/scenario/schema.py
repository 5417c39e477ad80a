"""The format of a scenario file as a JSON schema, so that editors complete and check it.

Kinds, keys, units, limits and sentences are read from the registry of interventions, known words
from the chain. The schema is a first check beside the text: ``lodestone check`` knows more (words
that fit together, dates, sources, references).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lodestone.border.shapes import FORMS
from lodestone.scenario.files import find_scenarios
from lodestone.scenario.layers import GROUPS, HYPOTHESIS_KEYS, KEYS, REQUIRED

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.interventions.base import Intervention

__all__ = ["scenario_schema"]

_TEXT: dict[str, Any] = {"type": "string"}
_DATE: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_NULL: dict[str, Any] = {"type": "null"}
#: What each key of a scenario is for; its shape stands in `_top`.
_ABOUT = {
    "name": "letters, digits and _; in a folder of scenarios the file's own name",
    "title": "a heading for tables and memos",
    "question": "what the scenario answers, in one sentence",
    "group": "where the catalogue shows it, if its interventions do not tell",
    "narrative": "the story, in a paragraph",
    "headline": "the metrics that answer the question: metric(selector=value)",
    "hypothesis": "what is expected, the press claims behind it, and when it holds",
    "vintage": "folder of the seeds it stands on",
    "reference": "scenario it is measured against, or none",
    "start": "first day",
    "end": "first day no longer simulated",
    "decision_date": "until when it tells what happened; what follows is supposed",
    "interventions": "what happens, by a name of your own",
    "overrides": "numbers of the base line by dotted name: 'lodestone list parameters'",
    "variants": "changes to the scenario, by a name of your own: variant=NAME",
    "source": "keys of the bibliography for the scenario as a whole",
    "note": "a remark for the reader",
    "shows": "of a documented example: what its picture shows, and which way it moves",
    "defaults": "scenarios whose content this one takes over; _self_ stands for this file",
}


def scenario_schema(chain: Chain) -> dict[str, Any]:
    """Return the JSON schema (draft 7) of scenario files on a chain."""
    from lodestone.interventions import kinds
    from lodestone.interventions.base import vocabulary

    words = (
        "region",
        "place",
        "holder",
        "material",
        "sector",
        "facility",
        "stage",
        "tier",
        "user",
        "source",
    )
    definitions: dict[str, Any] = {"distribution": _distribution(), "number": _number({})}
    for category in words:
        definitions[f"word_{category}"] = {"enum": sorted(vocabulary(chain, category))}
    for name, cls in kinds().items():
        definitions[f"kind_{name}"] = _kind(name, cls)
    known = {"enum": sorted(kinds())}
    entry = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": known},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/definitions/kind_{name}"},
            }
            for name in kinds()
        ],
    }
    definitions["intervention"] = entry
    definitions["change"] = _change(definitions)
    top = _top(chain)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Lodestone scenario",
        "description": f"A scenario on vintage {chain.vintage.name}: what happens, and what is asked.",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: {**top[key], "description": text} for key, text in _ABOUT.items()},
        "anyOf": [{"required": list(REQUIRED)}, {"required": ["name", "defaults"]}],
        "definitions": definitions,
    }


def _top(chain: Chain) -> dict[str, Any]:
    """The shape of each key of a scenario."""
    many = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "uniqueItems": True}]}
    source = {"$ref": "#/definitions/word_source"}
    sources = {"anyOf": [source, {"type": "array", "items": source}]}
    parameters = {"anyOf": [{"$ref": "#/definitions/number"}, _DATE, _NULL, {"type": "object"}]}
    names = {"pattern": "^[A-Za-z][A-Za-z0-9_]*$"}
    text = {"anyOf": [_TEXT, {"type": "number"}, _NULL]}
    hypothesis: dict[str, Any] = {key: {"anyOf": [_TEXT, _NULL]} for key in HYPOTHESIS_KEYS}
    hypothesis["claims"] = {"anyOf": [*many["anyOf"], _NULL]}
    entries = {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": {"$ref": "#/definitions/intervention"},
    }
    changed = {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": {"anyOf": [{"$ref": "#/definitions/change"}, _NULL]},
    }
    overrides = {
        "type": "object",
        "properties": {
            name: {**parameters, "description": _parameter(item)}
            for name, item in chain.parameter_names().items()
        },
        "additionalProperties": {
            "anyOf": [{"$ref": "#/definitions/number"}, {"type": "object"}, _NULL]
        },
    }
    shapes: dict[str, Any] = {
        "name": {"type": "string", **names},
        "title": text,
        "group": {"enum": list(GROUPS)},
        "question": text,
        "narrative": text,
        "note": text,
        "shows": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["show", "title", "goes"],
                "properties": {
                    "show": _TEXT,
                    "title": _TEXT,
                    "goes": {"enum": ["up", "down", "moves"]},
                },
            },
        },
        "headline": {"type": "array", "items": _TEXT, "uniqueItems": True},
        "hypothesis": {
            "type": "object",
            "additionalProperties": False,
            "properties": hypothesis,
        },
        "vintage": {"type": ["string", "integer"]},
        "reference": {"anyOf": [{"enum": ["none", *find_scenarios()]}, _TEXT, _NULL]},
        "start": _DATE,
        "end": _DATE,
        "decision_date": {"anyOf": [_DATE, _NULL]},
        "interventions": entries,
        "overrides": overrides,
        "source": sources,
        "defaults": many,
    }
    variant = {key: shapes[key] for key in shapes if key in KEYS and key not in ("name", "group")}
    shapes["variants"] = {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {**variant, "interventions": changed},
        },
    }
    # What is inherited may be changed or taken out, as in a variant.
    shapes["interventions"] = {"anyOf": [entries, changed]}
    for key in ("hypothesis", "variants", "overrides", "source", "headline", "defaults"):
        shapes[key] = {"anyOf": [shapes[key], _NULL]}
    return shapes


def _parameter(item: Any) -> str:
    span = "" if item.low is None or item.high is None else f", {item.low:g} to {item.high:g}"
    return f"{item.title} ({item.default} {item.unit}{span})"


def _distribution() -> dict[str, Any]:
    """A distribution: one shape for each `dist`."""
    many = {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "number"}, _DATE]}}
    value = {"anyOf": [{"type": "number"}, _DATE]}
    return {
        "type": "object",
        "required": ["dist"],
        "oneOf": [
            {
                "properties": {
                    "dist": {"const": name},
                    **{
                        key: many if key in ("values", "weights") else value
                        for key in form.needed + form.optional
                    },
                },
                "required": ["dist", *form.needed],
                "additionalProperties": False,
            }
            for name, form in FORMS.items()
        ],
    }


def _number(extra: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": "number"}
    if extra.get("low") is not None:
        plain["minimum"] = extra["low"]
    if extra.get("high") is not None:
        plain["maximum"] = extra["high"]
    return {"anyOf": [plain, {"$ref": "#/definitions/distribution"}]}


def _kind(name: str, cls: type[Intervention]) -> dict[str, Any]:
    """The keys of one kind, with what the registry says of each."""
    own = cls.model_json_schema()
    inner = own.get("$defs", {})
    properties: dict[str, Any] = {}
    for key, info in cls.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        shape = _key(dict(extra), _inlined(own["properties"][key], inner))
        shape["description"] = _sentence(info.description or "", dict(extra))
        properties[key] = shape
    properties["kind"] = {"const": name, "description": cls.title}
    return {
        "type": "object",
        "description": cls.title,
        "additionalProperties": False,
        "required": list(own.get("required", [])),
        "properties": properties,
    }


def _key(extra: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """The shape of one key: limits for numbers, known words for names, null for the default."""
    if "names" in extra:
        word: dict[str, Any] = {"$ref": f"#/definitions/word_{extra['names']}"}
        if extra["names"] in ("place", "holder", "region"):
            word = {"anyOf": [word, _TEXT]}  # codes and common names of countries are read too
        return {"anyOf": [word, {"type": "array", "items": word, "uniqueItems": True}, _NULL]}
    choices = list(shape.get("anyOf", [shape]))
    out = []
    for choice in choices:
        if choice.get("type") == "number" and "unit" in extra:
            out += _number(extra)["anyOf"]
        elif choice.get("type") == "object" and "dist" in choice.get("properties", {}):
            out.append({"$ref": "#/definitions/distribution"})
        elif (
            choice.get("type") == "object" and "additionalProperties" in choice and "unit" in extra
        ):
            out.append(
                {"type": "object", "minProperties": 1, "additionalProperties": _number(extra)}
            )
        else:
            out.append({k: v for k, v in choice.items() if k not in _OURS})
    unique = [item for i, item in enumerate(out) if item not in out[:i]]
    return {"anyOf": [*unique, *([] if _NULL in unique else [_NULL])]}


#: What the registry keeps beside a key that is no word of JSON schema.
_OURS = (
    "unit",
    "source",
    "low",
    "high",
    "hint",
    "names",
    "others",
    "live",
    "when",
    "default",
    "title",
)


def _inlined(shape: Any, inner: dict[str, Any]) -> Any:
    """A shape without references into its own definitions."""
    if isinstance(shape, list):
        return [_inlined(item, inner) for item in shape]
    if not isinstance(shape, dict):
        return shape
    if "$ref" in shape:
        return _inlined(inner[shape["$ref"].rpartition("/")[2]], inner)
    return {key: _inlined(item, inner) for key, item in shape.items()}


def _sentence(text: str, extra: dict[str, Any]) -> str:
    unit = extra.get("unit")
    if unit in (None, "-"):
        return text
    low, high = extra.get("low"), extra.get("high")
    span = f", from {low:g}" if low is not None else ""
    span += f", at most {high:g}" if high is not None else ""
    return f"{text} [{unit}{span}]"


def _change(definitions: dict[str, Any]) -> dict[str, Any]:
    """Keys that a variant may give an entry of the scenario: those of any kind."""
    properties: dict[str, list[Any]] = {}
    for name, shape in definitions.items():
        if name.startswith("kind_"):
            for key, value in shape["properties"].items():
                held = properties.setdefault(key, [])
                if value not in held:
                    held.append(value)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
            for key, shapes in properties.items()
        },
    }
