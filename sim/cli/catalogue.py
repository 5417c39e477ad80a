"""What there is: the rows that ``lodestone list``, ``show`` and ``sources`` print."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.numbers import Distribution, plain
from lodestone.border.paths import data_root
from lodestone.border.words import suggestion, unknown

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.scenario import Scenario

__all__ = ["CATEGORIES", "catalogue", "filtered", "intervention_keys", "levers", "source_rows"]

#: Keys common to all kinds that need no line of their own in a list of levers.
_COMMON = ("kind", "role", "announced", "duration", "triggered_by", "source", "note")


def shown(value: Any) -> str:
    """Return a value as a person would type it."""
    if value is None:
        return "null"
    if isinstance(value, Distribution):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{plain(k)}: {shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return str(plain(value))


def _chain() -> Chain:
    from lodestone.chain.load import load_chain

    return load_chain()


def group_of(name: str, path: Path) -> str:
    """Return the group of a scenario: as its own file says, else what its own entries are."""
    from lodestone.border.yamlfile import read_yaml

    own = read_yaml(path).data
    if own.get("group"):
        return str(own["group"])
    entries = [e for e in (own.get("interventions") or {}).values() if isinstance(e, dict)]
    if name.startswith("calm_") or not entries:
        return "reference"
    if not path.is_relative_to(data_root("scenarios")):
        return "other"
    if any(e.get("role") == "disruption" for e in entries):
        return "history" if str(own.get("vintage", "2024")) != "2024" else "shock"
    return "policy"


def _scenarios() -> list[dict[str, Any]]:
    from lodestone.scenario import find_scenarios, load_mapping

    rows = []
    for name, item in find_scenarios().items():
        try:
            data = load_mapping(item.path).data
            about = data.get("question") or data.get("title") or ""
            variants = list(data.get("variants") or {})
            group = group_of(name, item.path)
        except InputError as error:
            about, variants, group = f"cannot be read: {error}", [], "other"
        rows.append({"scenario": name, "group": group, "question": about, "variants": variants})
    from lodestone.scenario.layers import GROUPS

    order = list(GROUPS)
    return sorted(rows, key=lambda row: (order.index(row["group"]), row["scenario"]))


def _overlays() -> list[dict[str, Any]]:
    from lodestone.border.yamlfile import read_yaml
    from lodestone.scenario import find_overlays

    rows = []
    for name, item in find_overlays().items():
        try:
            data = read_yaml(item.path).data
            about = data.get("title") or data.get("question") or ""
        except InputError as error:
            about = f"cannot be read: {error}"
        rows.append({"overlay": name, "title": about})
    return rows


def _interventions() -> list[dict[str, Any]]:
    from lodestone.interventions import kinds
    from lodestone.interventions.base import Intervention

    common = set(Intervention.model_fields)
    return [
        {
            "kind": kind,
            "what_it_does": cls.title,
            "keys": [k for k in cls.model_fields if k not in common],
        }
        for kind, cls in kinds().items()
    ]


def _parameters() -> list[dict[str, Any]]:
    rows = []
    for name, item in sorted(_chain().parameter_names().items()):
        span = "" if item.low is None or item.high is None else f"{item.low:g} to {item.high:g}"
        rows.append(
            {
                "parameter": name,
                "unit": item.unit,
                "default": item.default,
                "range": span,
                "source": item.source,
                "title": item.title,
            }
        )
    return rows


def _metrics() -> list[dict[str, Any]]:
    registry = importlib.import_module("lodestone.outputs.metrics").METRICS
    return [
        {
            "metric": name,
            "unit": getattr(item, "unit", ""),
            "title": getattr(item, "title", ""),
            "series": getattr(item, "of", ""),
        }
        for name, item in sorted(registry.items())
    ]


def _series() -> list[dict[str, Any]]:
    from lodestone.outputs.series import KEPT, SERIES

    rows: list[dict[str, Any]] = [
        {
            "series": name,
            "unit": item.unit,
            "what_it_is": item.about,
            "selectors": list(item.selectors),
            "kept": [f"{k.name} (by {k.axis}, {k.per})" for k in KEPT.values() if k.of == name],
        }
        for name, item in SERIES.items()
    ]
    return rows + [
        {
            "series": k.name,
            "unit": k.unit,
            "what_it_is": f"{k.what()} (kept only)",
            "selectors": [],
            "kept": [f"{k.name} (by {k.axis}, {k.per})"],
        }
        for k in KEPT.values()
        if not k.of
    ]


def _regions() -> list[dict[str, Any]]:
    chain = _chain()
    return [
        {
            "region": name,
            "title": item.title,
            "countries": [c for c, row in chain.countries.items() if row.region == name],
        }
        for name, item in chain.regions.items()
    ]


def _materials() -> list[dict[str, Any]]:
    chain = _chain()
    rows: list[dict[str, Any]] = [
        {
            "material": name,
            "title": item.title,
            "form": item.form,
            "element": item.element or "",
            "basis": item.basis,
        }
        for name, item in chain.materials.items()
    ]
    for word in chain.material_words():
        if word not in chain.materials:
            meant = chain.materials_named(word)
            rows.append(
                {
                    "material": word,
                    "title": "every material" if len(meant) == len(chain.materials) else meant,
                    "form": "group",
                    "element": "",
                    "basis": "",
                }
            )
    return rows


def _sectors() -> list[dict[str, Any]]:
    chain = _chain()
    use: dict[str, float] = {}
    for row in chain.demand:
        use[row.sector] = use.get(row.sector, 0.0) + row.t_per_year
    return [
        {
            "sector": name,
            "title": item.title,
            "kind": item.kind,
            "use_t_magnet_per_year": round(use[name]) if name in use else None,
            "tiers": [f"{t} {s:g}" for t, s in chain.tiers.get(name, {}).items()],
        }
        for name, item in chain.sectors.items()
    ]


def _facilities() -> list[dict[str, Any]]:
    return [
        {
            "facility": name,
            "title": item.title,
            "region": item.region,
            "stage": item.stage,
            "capacity_per_year": item.capacity_t_per_year,
            "basis": item.capacity_basis,
            "status": item.status,
            "start": item.start_date.isoformat() if item.start_date else "",
        }
        for name, item in _chain().facilities.items()
    ]


def _blocs() -> list[dict[str, Any]]:
    return [{"bloc": name, "countries": item.countries} for name, item in _chain().blocs.items()]


def _episodes() -> list[dict[str, Any]]:
    from lodestone.border.paths import seeds_root
    from lodestone.border.yamlfile import read_yaml

    rows = []
    for path in sorted((seeds_root() / "episodes").glob("*/episode.yaml")):
        data = read_yaml(path).data
        rows.append(
            {
                "episode": data.get("name", path.parent.name),
                "scenario": data.get("scenario", ""),
                "window": data.get("window") or [],
                "facts": len(data.get("facts") or []),
            }
        )
    return rows


def _vintages() -> list[dict[str, Any]]:
    from lodestone.border.paths import seeds_root, vintages
    from lodestone.border.yamlfile import read_yaml

    rows = []
    for name in vintages():
        data = read_yaml(seeds_root() / name / "vintage.yaml").data
        rows.append(
            {
                "vintage": name,
                "base_year": data.get("base_year"),
                "start": data.get("start"),
                "title": data.get("title") or data.get("note") or "",
            }
        )
    return rows


CATEGORIES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "scenarios": _scenarios,
    "overlays": _overlays,
    "interventions": _interventions,
    "parameters": _parameters,
    "metrics": _metrics,
    "series": _series,
    "regions": _regions,
    "materials": _materials,
    "sectors": _sectors,
    "facilities": _facilities,
    "blocs": _blocs,
    "episodes": _episodes,
    "vintages": _vintages,
}


def catalogue(category: str) -> list[dict[str, Any]]:
    """Return the rows of a category.

    Raises
    ------
    InputError
        For an unknown category; names the nearest.
    """
    if category not in CATEGORIES:
        if f"{category}s" in CATEGORIES:
            category = f"{category}s"
        else:
            raise unknown("category", category, CATEGORIES, key="list")
    return CATEGORIES[category]()


def filtered(rows: list[dict[str, Any]], word: str) -> list[dict[str, Any]]:
    """Return the rows that contain a word in any cell."""
    wanted = word.lower()
    return [row for row in rows if any(wanted in shown(v).lower() for v in row.values())]


def intervention_keys(kind: str) -> list[dict[str, Any]]:
    """Return the keys of a kind of intervention: default, unit, meaning and source."""
    from lodestone.interventions import REGISTRY

    if kind not in REGISTRY:
        raise unknown("kind of intervention", kind, REGISTRY)
    rows = []
    for key, info in REGISTRY[kind].model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        default = (
            "required" if info.is_required() else shown(info.get_default(call_default_factory=True))
        )
        rows.append(
            {
                "key": key,
                "default": default,
                "unit": extra.get("unit")
                or (f"names: {extra['names']}" if "names" in extra else ""),
                "meaning": info.description,
                "source": extra.get("source", ""),
            }
        )
    return rows


def levers(scenario: Scenario) -> dict[str, list[dict[str, Any]]]:
    """Return what one may override, by place: key, present value, unit and meaning."""
    places: dict[str, list[dict[str, Any]]] = {
        "scenario": [
            {
                "key": key,
                "now": getattr(scenario, key).isoformat(),
                "unit": "date",
                "meaning": meaning,
            }
            for key, meaning in (("start", "first day"), ("end", "first day no longer simulated"))
        ]
    }
    for name, item in scenario.interventions.items():
        rows = places.setdefault(f"scenario.interventions.{name}", [])
        for key, info in type(item).model_fields.items():
            value = getattr(item, key)
            if key in _COMMON or (key == "probability" and value == 1.0):
                continue
            extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
            rows.append(
                {
                    "key": key,
                    "now": shown(plain(value) if key == "classes" else value),
                    "unit": extra.get("unit", "date" if key in ("start", "end") else ""),
                    "meaning": info.description,
                }
            )
    if scenario.overrides:
        chain_rows = places.setdefault("scenario.overrides", [])
        for name, number in scenario.overrides.items():
            chain_rows.append({"key": name, "now": shown(number), "unit": "", "meaning": ""})
    return places


def source_rows(chain: Chain, keys: Iterable[str]) -> list[dict[str, Any]]:
    """Return the bibliography entries (or assumptions) of some keys."""
    rows = []
    for key in keys:
        if key in chain.sources:
            item = chain.sources[key]
            rows.append(
                {
                    "key": key,
                    "title": item.title,
                    "publisher": item.publisher,
                    "date": item.date,
                    "kind": item.kind,
                    "grade": item.grade,
                    "url": item.url,
                }
            )
        elif key in chain.assumptions:
            held = chain.assumptions[key]
            rows.append(
                {
                    "key": key,
                    "title": held.statement,
                    "publisher": "assumption of this project",
                    "date": "",
                    "kind": "assumption",
                    "grade": "",
                    "url": "",
                }
            )
        else:
            raise InputError(
                f"unknown source '{key}'",
                hint=suggestion(key, {*chain.sources, *chain.assumptions}),
            )
    return rows


def uses_of(chain: Chain, key: str) -> list[dict[str, Any]]:
    """Return where a source is used: tables of the seeds, parameters and scenarios."""
    from lodestone.scenario import find_scenarios, load_mapping

    rows = []
    for table, held in sorted(chain.tables.items()):
        count = sum(1 for _, row in _pairs(held) if key in getattr(row, "source", ()))
        if count:
            rows.append({"where": f"seeds, table {table}", "rows": count})
    for name, item in find_scenarios().items():
        try:
            data = load_mapping(item.path).data
        except InputError:
            continue
        count = sum(
            key in (given.get("source") or [])
            for given in (data.get("interventions") or {}).values()
            if isinstance(given, dict)
        ) + (key in ((data.get("hypothesis") or {}).get("claims") or []))
        if count:
            rows.append({"where": f"scenario {name}", "rows": count})
    return rows


def _pairs(held: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    """Yield (line, row) whether a table holds rows or numbered rows."""
    for item in held:
        yield item if isinstance(item, tuple) and len(item) == 2 else (None, item)


def relative(path: Path | None) -> str:
    """Return a path as short as it can be said from here."""
    if path is None:
        return ""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
