"""Read the seeds: the only module that does.

Plain `csv` and one pass, because every command waits for it. All problems are collected and
reported at once, each with file, line, column and the nearest known word.
"""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError, clip, combine
from lodestone.border.files import read_text
from lodestone.border.numbers import MOST_DIGITS, read_int
from lodestone.border.paths import seeds_root, vintages
from lodestone.border.words import unknown
from lodestone.chain import nouns
from lodestone.chain.checks import Problem, check_chain, sort_problems
from lodestone.chain.merged import placed
from lodestone.chain.nouns import Bloc, Chain, Vintage
from lodestone.chain.posterior import read_posterior, rows_of
from lodestone.chain.row import column, element_columns

__all__ = ["load_chain", "read_table", "seeds_at_rest"]

COMMON: dict[str, type] = {
    "bibliography": nouns.Source,
    "assumptions": nouns.Assumption,
    "regions": nouns.Region,
    "countries": nouns.Country,
    "blocs": nouns.BlocMember,
    "elements": nouns.Element,
    "materials": nouns.Material,
    "recipes": nouns.Recipe,
    "plant_costs": nouns.PlantCost,
    "parameters": nouns.Parameter,
    "claims": nouns.Claim,
}
BY_VINTAGE: dict[str, type] = {
    "element_mix": nouns.MixShare,
    "facilities": nouns.Facility,
    "baseline": nouns.Baseline,
    "concentrate_trade": nouns.ConcentrateTrade,
    "trade_priors": nouns.TradePrior,
    "routes": nouns.Route,
    "sectors": nouns.Sector,
    "tiers": nouns.TierShare,
    "demand": nouns.DemandRow,
    "oxide_uses": nouns.OxideUse,
    "prices": nouns.Price,
    "costs": nouns.Cost,
    "stockpiles": nouns.Stockpile,
    "policies": nouns.PolicyFact,
    "trade_facts": nouns.TradeFact,
}
"""Tables of a vintage folder. A table of COMMON that stands there too replaces the common one."""

KEYS: dict[str, tuple[str, ...]] = {
    "bibliography": ("key",),
    "assumptions": ("key",),
    "regions": ("name",),
    "countries": ("name",),
    "blocs": ("bloc", "country"),
    "elements": ("name",),
    "materials": ("name",),
    "recipes": ("output", "input"),
    "parameters": ("name",),
    "claims": ("name",),
    "element_mix": ("mix", "element"),
    "facilities": ("name",),
    "baseline": ("stage", "region", "material"),
    "concentrate_trade": ("material", "origin", "destination"),
    "trade_priors": ("form", "origin", "destination"),
    "routes": ("origin", "destination"),
    "sectors": ("name",),
    "tiers": ("sector", "tier"),
    "demand": ("sector", "region", "material"),
    "oxide_uses": ("sector", "material", "region"),
    "prices": ("material", "market"),
    "plant_costs": ("stage", "region"),
    "stockpiles": ("name",),
    "policies": ("name",),
    "trade_facts": ("period", "flow", "origin", "destination", "unit"),
}
"""Columns that name a row; a second row of the same name is a mistake."""

#: The calibrated vectors of behaviour, written by ``lodestone calibrate --write``.
POSTERIOR = "posterior.csv"
OPTIONAL = frozenset({"policies", "trade_facts", "stockpiles", "costs", "claims"})


def load_chain(vintage: str = "2024", root: Path | str | None = None) -> Chain:
    """Read and check a vintage.

    Parameters
    ----------
    vintage
        Name of a folder of the seeds that holds a `vintage.yaml`.
    root
        Another seeds folder; by default `$LODESTONE_SEEDS`, else the shipped one.

    Returns
    -------
    Chain
        The validated chain. Calling again for unchanged files returns the same object.

    Raises
    ------
    InputError
        Listing every problem found: file, line, column, what is wrong, nearest known word.
    """
    folder = seeds_root(root)
    held = _held.get((str(vintage), folder))
    if held is not None:
        return held
    if not (folder / str(vintage) / "vintage.yaml").is_file():
        known = vintages(folder)
        raise unknown("vintage", vintage, known, file=folder if not known else None)
    chain = _load(str(vintage), str(folder), _stamp(folder, str(vintage)))
    if _holding:
        _held[str(vintage), folder] = chain
    return chain


_held: dict[tuple[str, Path], Chain] = {}
_holding: list[None] = []


@contextmanager
def seeds_at_rest() -> Iterator[None]:
    """Look at the files of each vintage once for as long as this lasts: a plan of many points."""
    _holding.append(None)
    try:
        yield
    finally:
        _holding.pop()
        if not _holding:
            _held.clear()


def _stamp(folder: Path, vintage: str) -> tuple[tuple[str, int, int], ...]:
    entries = []
    for place in (folder, folder / vintage):
        with os.scandir(place) as listing:
            for entry in listing:
                if entry.name.endswith((".csv", ".yaml")):
                    stat = entry.stat()
                    entries.append((entry.path, stat.st_mtime_ns, stat.st_size))
    return tuple(sorted(entries))


@lru_cache(maxsize=8)
def _load(vintage: str, root: str, stamp: tuple[tuple[str, int, int], ...]) -> Chain:
    folder = Path(root)
    problems: list[Problem] = []
    tables: dict[str, list[tuple[int, Any]]] = {}
    for name, kind in {**COMMON, **BY_VINTAGE}.items():
        tables[name] = read_table(_table_path(folder, vintage, name), kind, problems)
        _check_unique(_table_path(folder, vintage, name), name, tables[name], problems)
    if problems:
        raise _failure(problems)
    chain = _assemble(_vintage(folder / vintage / "vintage.yaml"), tables)
    problems = check_chain(chain, files={n: _table_path(folder, vintage, n) for n in tables})
    posterior = read_posterior(folder / POSTERIOR, chain.parameters, problems)
    if problems:
        raise _failure(problems)
    return replace(chain, posterior=posterior)


def _table_path(folder: Path, vintage: str, name: str) -> Path:
    inside = folder / vintage / f"{name}.csv"
    if name in COMMON and not inside.is_file():
        return folder / f"{name}.csv"
    return inside


def _failure(problems: list[Problem]) -> InputError:
    ordered = sort_problems(map(placed, problems))
    if len(ordered) == 1:
        only = ordered[0]
        return InputError(only.message, file=only.place, key=only.key, hint=only.hint or None)
    return combine(
        [InputError(p.message, file=p.place, key=p.key, hint=p.hint or None) for p in ordered]
    )


def read_table(path: Path, kind: type, problems: list[Problem]) -> list[tuple[int, Any]]:
    """Read a table into rows of `kind`, each with its line; add what is wrong to `problems`."""
    if not path.is_file():
        if path.stem not in OPTIONAL:
            problems.append(Problem(str(path), 0, "", "the file is missing"))
        return []
    columns = _columns(kind)
    ending = element_columns(kind)
    rows: list[tuple[int, Any]] = []
    held = rows_of(path, problems)
    if held is None:
        return []
    if not held:
        problems.append(Problem(str(path), 1, "", "the file is empty"))
        return []
    header = [word.strip() for word in held[0][1]]
    if ending:
        own = [word for word in header if word.endswith(ending[1]) and word not in columns]
        columns = columns | {word: _Column(_ELEMENT, word) for word in own}
    if not _check_header(path, header, columns, problems):
        return []
    for line, cells in held[1:]:
        if not cells:
            continue
        if len(cells) != len(header):
            message = f"{len(cells)} cells, but the header has {len(header)}"
            problems.append(Problem(str(path), line, "", message))
            continue
        values = _row(path, line, dict(zip(header, cells, strict=True)), columns, problems)
        if values is not None:
            if ending:
                key, tail = ending
                values[key] = tuple(
                    (word.removesuffix(tail), values.pop(word, 0.0)) for word in own
                )
            rows.append((line, kind(**values)))
    return rows


class _Column:
    __slots__ = ("choices", "convert", "default", "high", "low", "name", "optional", "required")

    def __init__(self, item: Any, name: str = "") -> None:
        meta = item.metadata
        self.name = name or item.name
        self.required = item.default is MISSING
        self.default = None if self.required else item.default
        self.optional = "None" in str(item.type)
        self.convert = _CONVERT[str(item.type).replace(" | None", "")]
        self.low, self.high, self.choices = meta["low"], meta["high"], meta["choices"]


def _text(cell: str) -> str:
    return cell


def _float(cell: str) -> float:
    number = float(cell) if len(cell) <= MOST_DIGITS else math.nan
    if not math.isfinite(number) or "_" in cell:
        raise ValueError(f"'{clip(cell, 40)}' is not a finite number")
    return number


def _yes(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise ValueError(f"'{cell}' is neither yes nor no")
    return cell == "yes"


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(";") if word.strip())


def _either(cell: str) -> float | str:
    try:
        return _float(cell)
    except ValueError:
        if cell.lower() in ("nan", "inf", "-inf"):
            raise
        return cell


_CONVERT: dict[str, Callable[[str], Any]] = {
    "str": _text,
    "float": _float,
    "int": read_int,
    "bool": _yes,
    "tuple[str, ...]": _words,
    "dt.date": dt.date.fromisoformat,
    "float | str": _either,
}
_KIND_WORDS = {
    _float: "a number",
    read_int: "a whole number",
    dt.date.fromisoformat: "a date like 2027-09-01",
}


@lru_cache(maxsize=64)
def _columns(kind: type) -> dict[str, _Column]:
    held = [item for item in fields(kind) if not item.metadata.get("by_element")]
    return {item.metadata.get("column") or item.name: _Column(item) for item in held}


@dataclass
class _Tonnes:
    """What a column of an element may hold."""

    tonnes: float = column(low=0, unit="t per year", default=0.0)


_ELEMENT = fields(_Tonnes)[0]


def _check_header(
    path: Path, header: list[str], columns: dict[str, _Column], problems: list[Problem]
) -> bool:
    fine = True
    for word in header:
        if word not in columns:
            error = unknown("column", word, columns)
            problems.append(Problem(str(path), 1, word, error.message, error.hint or ""))
            fine = False
    for word in sorted({word for word in header if header.count(word) > 1}):
        problems.append(Problem(str(path), 1, word, "the column stands twice"))
        fine = False
    for name, known in columns.items():
        if known.required and name not in header:
            problems.append(Problem(str(path), 1, name, "the column is missing"))
            fine = False
    return fine


def _row(
    path: Path,
    line: int,
    cells: dict[str, str],
    columns: dict[str, _Column],
    problems: list[Problem],
) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    fine = True
    for name, cell in cells.items():
        held = columns[name]
        cell = cell.strip()
        if not cell:
            if held.required and not held.optional:
                problems.append(Problem(str(path), line, name, "the cell is empty"))
                fine = False
            elif held.required:
                values[held.name] = None
            continue
        try:
            value = held.convert(cell)
        except ValueError as error:
            kind_word = _KIND_WORDS.get(held.convert)
            message = f"'{clip(cell, 60)}' is not {kind_word}" if kind_word else str(error)
            problems.append(Problem(str(path), line, name, message))
            fine = False
            continue
        if held.choices and value not in held.choices:
            wrong = unknown(name, value, held.choices)
            problems.append(Problem(str(path), line, name, wrong.message, wrong.hint or ""))
            fine = False
        if held.low is not None and value < held.low:
            message = f"{value:g} is below {held.low:g}"
            problems.append(Problem(str(path), line, name, message))
            fine = False
        if held.high is not None and value > held.high:
            message = f"{value:g} is above {held.high:g}"
            problems.append(Problem(str(path), line, name, message))
            fine = False
        values[held.name] = value
    return values if fine else None


def _check_unique(
    path: Path, name: str, rows: list[tuple[int, Any]], problems: list[Problem]
) -> None:
    if name not in KEYS:
        return
    seen: dict[tuple[str, ...], int] = {}
    for line, row in rows:
        key = tuple(getattr(row, part) for part in KEYS[name])
        if key in seen:
            message = f"{' '.join(key)} stands already in line {seen[key]}"
            problems.append(Problem(str(path), line, KEYS[name][0], message))
        seen.setdefault(key, line)


def _vintage(path: Path) -> Vintage:
    """Read the flat `key: value` lines of a vintage file."""
    values: dict[str, str] = {}
    for number, line in enumerate(read_text(path, 100_000).splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, colon, value = text.partition(":")
        if not colon:
            raise InputError("is not 'key: value'", file=f"{path}:{number}", key=text)
        values[key.strip()] = value.strip().strip("'\"")
    known = [item.name for item in fields(Vintage)]
    for key in values:
        if key not in known:
            raise unknown("key", key, known, file=path, key=key)
    try:
        return Vintage(
            name=values["name"],
            base_year=read_int(values["base_year"]),
            start=dt.date.fromisoformat(values["start"]),
            title=values.get("title", ""),
            note=values.get("note", ""),
        )
    except KeyError as error:
        raise InputError("the key is missing", file=path, key=error.args[0]) from None
    except ValueError as error:
        raise InputError(str(error), file=path) from None


def _assemble(vintage: Vintage, tables: dict[str, list[tuple[int, Any]]]) -> Chain:
    rows = {name: [row for _, row in table] for name, table in tables.items()}
    recipes: dict[str, dict[str, nouns.Recipe]] = {}
    for recipe in rows["recipes"]:
        recipes.setdefault(recipe.output, {})[recipe.input] = recipe
    mixes: dict[str, dict[str, float]] = {}
    for share in rows["element_mix"]:
        mixes.setdefault(share.mix, {})[share.element] = share.share
    tiers: dict[str, dict[str, float]] = {}
    for tier in rows["tiers"]:
        tiers.setdefault(tier.sector, {})[tier.tier] = tier.share
    blocs: dict[str, Bloc] = {}
    for member in rows["blocs"]:
        before = blocs.get(member.bloc)
        blocs[member.bloc] = Bloc(
            name=member.bloc,
            countries=(*(before.countries if before else ()), member.country),
            source=tuple(dict.fromkeys((*(before.source if before else ()), *member.source))),
        )
    return Chain(
        vintage=vintage,
        regions=_by_name(rows["regions"]),
        countries=_by_name(rows["countries"]),
        blocs=blocs,
        elements=_by_name(rows["elements"]),
        materials=_by_name(rows["materials"]),
        recipes=recipes,
        mixes=mixes,
        facilities=_by_name(rows["facilities"]),
        baseline=tuple(rows["baseline"]),
        concentrate_trade=tuple(rows["concentrate_trade"]),
        trade_priors=tuple(rows["trade_priors"]),
        routes={(route.origin, route.destination): route for route in rows["routes"]},
        sectors=_by_name(rows["sectors"]),
        tiers=tiers,
        demand=tuple(rows["demand"]),
        oxide_uses=tuple(rows["oxide_uses"]),
        prices={(price.material, price.market): price for price in rows["prices"]},
        costs=tuple(rows["costs"]),
        plant_costs={(row.stage, row.region): row for row in rows["plant_costs"]},
        stockpiles=_by_name(rows["stockpiles"]),
        policies=tuple(rows["policies"]),
        trade_facts=tuple(rows["trade_facts"]),
        parameters=_by_name(rows["parameters"]),
        sources={source.key: source for source in rows["bibliography"]},
        assumptions={item.key: item for item in rows["assumptions"]},
        claims=_by_name(rows["claims"]),
        tables={name: tuple(table) for name, table in tables.items()},
    )


def _by_name(rows: list[Any]) -> dict[str, Any]:
    return {row.name: row for row in rows}
