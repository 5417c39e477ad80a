"""Metrics by column: ``unmet_t(region=europe)`` as typed, ``unmet_t[region=europe]`` as kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.border.expressions import Metric

__all__ = [
    "check_metric",
    "column_of",
    "metric_of",
    "paired",
    "selectors_of",
    "title_of",
    "unit_of",
    "values_in",
]

DRAW = "draw."
EXAMPLE = "Write for example 'unmet_t(region=europe, sector=wind)' or 'delta(unmet_t)'."
#: Selectors whose words speak for themselves in a title.
NAMED = ("region", "sector", "material", "element", "stage")


def column_of(metric: str) -> tuple[str, str]:
    """Split an expression into how it counts and the column it stands in.

    Returns
    -------
    how, column : str
        ``level``, ``delta`` or ``reference``; the column as in ``worlds.parquet``.

    Raises
    ------
    InputError
        The expression cannot be read.
    """
    from lodestone.border.expressions import parse_metric

    text, how = metric.strip(), "level"
    whole = True
    if found := re.fullmatch(r"(delta|reference)\((.*?)(\)?)", text, re.S):
        how, text, whole = found[1], found[2].strip(), bool(found[3])
    name, column, inside = text.partition("[")
    column = "" if "(" in name else column
    try:
        for closed, end in ((whole, ")"), (not column or inside.endswith("]"), "]")):
            if not closed:
                raise ValueError(f"ends within a bracket: {end!r} is missing")
        item = parse_metric(f"{name}({inside[:-1]})" if column else text)
    except ValueError as error:
        raise InputError(str(error), key=f"metric={metric}", hint=EXAMPLE) from None
    if column:
        return how, text
    named = [key for key, _ in item.selectors]
    if len(set(named)) < len(named):
        raise InputError(
            "a selector stands twice", key=f"metric={metric}", hint="Keep one of the two."
        )
    inside = ",".join(
        f"{k}={v if isinstance(v, str) else '[' + ', '.join(v) + ']'}"
        for k, v in sorted(item.selectors)
        if v != "all"
    )
    return how, f"{item.name}[{inside}]" if inside else item.name


def metric_of(metric: str) -> Metric:
    """Return an expression, or a column, with its selectors read; ``delta(...)`` left off."""
    from lodestone.border.expressions import parse_metric

    name, mark, inside = column_of(metric)[1].partition("[")
    return parse_metric(f"{name}({inside[:-1]})" if mark else name)


def selectors_of(column: str) -> tuple[str, dict[str, Any]]:
    """Return the metric's name and the selectors of a column."""
    item = metric_of(column)
    return item.name, {k: v if isinstance(v, str) else list(v) for k, v in item.selectors}


def check_metric(metric: str) -> str:
    """Return the column of a metric whose name and selectors are known.

    Raises
    ------
    InputError
        Unknown metric or selector; names the nearest.
    """
    from lodestone.border.words import unknown
    from lodestone.outputs.metrics import METRICS

    column = column_of(metric)[1]
    name, selectors = selectors_of(column)
    if name not in METRICS:
        raise unknown("metric", name, METRICS, key=f"metric={metric}")
    code = METRICS[name].function.__code__
    known = code.co_varnames[1 : code.co_argcount]
    for key in selectors:
        if key not in known:
            raise unknown("selector", key, known, key=f"metric={metric}")
    return column


def unit_of(metric: str) -> str:
    """Return the unit of a metric, as registered."""
    from lodestone.outputs.metrics import find

    return find(column_of(metric)[1].split("[")[0]).unit


def title_of(metric: str) -> str:
    """Return a metric in words: ``net shortfall, share of planned use, Europe``."""
    from lodestone.outputs.metrics import find

    how, column = column_of(metric)
    name, selectors = selectors_of(column)
    words = find(name).title
    told = [
        ("" if k in NAMED else f"{k} ")
        + (" and ".join(map(_plain, v)) if isinstance(v, list) else _plain(v))
        for k, v in selectors.items()
    ]
    head = {"level": "", "delta": "change of ", "reference": "reference: "}[how]
    return head + ", ".join([words, *told])


def _plain(word: str) -> str:
    """A name of the chain as it is written in a sentence; names of places are the regions'."""
    from lodestone.chain.load import load_chain

    regions = load_chain().regions
    text = str(word).replace("_", " ")
    return " ".join(w.capitalize() for w in text.split()) if word in regions else text


def paired(values: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Difference in the same world, shape (..., w); equal endless values differ by nothing."""
    with np.errstate(invalid="ignore"):
        return np.where(values == other, 0.0, values - other)


def values_in(table: pd.DataFrame, metric: str, file: Path | str | None = None) -> np.ndarray:
    """Return a metric of a table of worlds, shape (rows,).

    Raises
    ------
    InputError
        The table does not hold it; names the nearest that it does.
    """
    how, column = column_of(metric)
    needed = [column] if how == "level" else [f"reference_{column}"]
    if how == "delta":
        needed.append(column)
    for name in needed:
        if name not in table.columns:
            known = [c for c in table.columns if not c.startswith((DRAW, "reference_"))]
            known = [c for c in known if c not in ("world", "point")]
            raise InputError(
                f"no column '{name}' among the worlds that were kept",
                file=file,
                key=f"metric={metric}",
                hint=suggestion(column, known),
            )
    values = table[needed[0]].to_numpy(float)
    return paired(table[column].to_numpy(float), values) if how == "delta" else values


def expression(name: str, selectors: dict[str, Any]) -> str:
    """Write a metric with selectors as an expression.

    Raises
    ------
    InputError
        Selectors stand in the text and beside it.
    """
    if not selectors:
        return name
    if "(" in name or "[" in name:
        raise InputError("selectors stand in the text and beside it", key=name)
    inside = ", ".join(
        f"{k}={'[' + ', '.join(map(str, v)) + ']' if isinstance(v, list | tuple) else v}"
        for k, v in selectors.items()
    )
    return f"{name}({inside})"
