"""Metrics by name: one function each, a value for every world.

A metric is registered by the decorator :func:`metric` with unit and title; it reads the kept
series of some worlds and returns shape ``(w,)``. The same functions fill ``summary.csv``, the table
of worlds, and the verdict expressions of scenarios.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, Literal

import numpy as np

from lodestone.border.words import unknown
from lodestone.outputs.kept import Series
from lodestone.outputs.rows import Each, Rows, once
from lodestone.outputs.series import SERIES

Values = np.ndarray
Inside = Literal["use", "plants", "whole"]
Window = Literal["run", "last year", "year", "two years"]


@dataclass(frozen=True)
class Metric:
    """A registered metric.

    Attributes
    ----------
    name, unit, title : str
    function : callable
        ``(series, **selectors) -> (w,)``.
    over : tuple of dict
        Selections that the summary reports.
    additive : bool
        Whether parts by region or sector sum to the total.
    inside : str
        What ``region=`` means where it names a country inside a region: ``use``, its share of the
        region's use; ``plants``, its plants too; ``whole``, the region's value, because the model
        does not tell the country apart.
    of : str
        The series of which it is a statistic (see `lodestone.outputs.series`); empty where it is
        one of several, or of none. A metric with the name of a series is always one of it.
    window : str
        What it looks at: the whole run, its last year (unless ``year=`` names one), or the year or
        the two years after the first disruption.
    each : bool
        Whether it takes `Each`: regions or sectors one by one, on a leading axis, shape (n, w).
    """

    name: str
    unit: str
    title: str
    function: Callable[..., Values]
    over: tuple[dict[str, Any], ...]
    additive: bool
    inside: Inside
    of: str = ""
    window: Window = "run"
    each: bool = False

    def __call__(self, series: Series, **selectors: Any) -> Values:
        """Value in every world.

        Raises
        ------
        InputError
            A selector that the metric does not know.
        """
        known = self.function.__code__.co_varnames[1 : self.function.__code__.co_argcount]
        for key in selectors:
            if key not in known:
                raise unknown("selector", key, known, key=f"{self.name}({key}=...)")
        return self.function(series, **selectors)


METRICS: dict[str, Metric] = {}


BY_REGION: tuple[dict[str, Any], ...] = ({}, {"region": "*"})


BY_GROUP: tuple[dict[str, Any], ...] = ({}, {"region": "*"}, {"sector": "*"})


ELEMENTS = ("ndpr_oxide", "dy_oxide", "tb_oxide", "ndfeb_high_coercivity")


def metric(
    unit: str,
    title: str,
    over: tuple[dict[str, Any], ...] = ({},),
    additive: bool = False,
    inside: Inside | None = None,
    of: str = "",
    window: Window | None = None,
    each: bool = False,
) -> Callable[[Callable[..., Values]], Callable[..., Values]]:
    """Register a metric under its function's name; a second one of that name raises.

    Tonnes and money of a country inside a region are its share of the region's use, anything else
    is the region's, unless ``inside`` says otherwise. A metric that takes a ``year`` looks at the
    last one, any other at the whole run, unless ``window`` says otherwise. The summary asks a
    metric that takes ``each`` for all regions at once, any other for one after the other.
    """
    tonnes_or_money = unit.split("_")[0].split()[0] in ("t", "USD") and unit != "USD per USD"
    apart: Inside = inside or ("use" if tonnes_or_money else "whole")

    def register(function: Callable[..., Values]) -> Callable[..., Values]:
        name = function.__name__
        if name in METRICS:
            raise ValueError(f"two metrics are called {name}")
        if of and of not in SERIES:
            raise ValueError(f"{name}: there is no series {of}")
        of_series = name if name in SERIES else of
        yearly: Window = "last year" if "year" in signature(function).parameters else "run"
        seen = window or yearly
        METRICS[name] = Metric(
            name, unit, title, function, over, additive, apart, of_series, seen, each
        )
        return function

    return register


def find(name: str) -> Metric:
    """A metric by name.

    Raises
    ------
    InputError
        Unknown; names the nearest.
    """
    if name not in METRICS:
        raise unknown("metric", name, METRICS, key=name)
    return METRICS[name]


def selections(item: Metric, series: Series) -> list[dict[str, Any]]:
    """Selections of a metric that the summary reports, with ``*`` spelt out."""
    return [s for at_once in _asked_at_once(item, series.rows) for s in _spelt(at_once)]


def key_of(name: str, selection: dict[str, Any]) -> str:
    """Column name of a metric and selection: ``unmet_t[region=europe]``."""
    if not selection:
        return name
    inside = ",".join(f"{k}={v}" for k, v in sorted(selection.items()))
    return f"{name}[{inside}]"


def evaluate(series: Series) -> dict[str, Values]:
    """All metrics of a batch by key, shape (w,) each."""
    out: dict[str, Values] = {}
    for name, selection, columns in _plan(series.rows, tuple(METRICS)):
        values = np.asarray(METRICS[name](series, **selection), dtype=float)
        out.update(zip(columns, values.reshape(len(columns), -1), strict=True))
    return out


@once
def _plan(rows: Rows, metrics: tuple[str, ...]) -> list[tuple[str, dict[str, Any], list[str]]]:
    """What is asked of each metric, and the columns that it fills, in their order."""
    plan = []
    for name in metrics:
        for selection in _asked_at_once(METRICS[name], rows):
            spelt = _spelt(selection)
            at_once = [selection] if METRICS[name].each else spelt
            columns = [key_of(name, s) for s in spelt]
            if len(at_once) == 1:
                plan.append((name, selection, columns))
            else:
                plan += [(name, s, [c]) for s, c in zip(at_once, columns, strict=True)]
    return plan


def _spelt(selection: dict[str, Any]) -> list[dict[str, Any]]:
    """A selection for each of the regions or sectors that it means one by one."""
    each = next((k for k, v in selection.items() if isinstance(v, Each)), None)
    return [selection] if each is None else [{**selection, each: v} for v in selection[each]]


def _asked_at_once(item: Metric, rows: Rows) -> list[dict[str, Any]]:
    """Selections of a metric that the summary reports; ``*`` are all regions or sectors."""
    lay = rows.labels
    sectors = sorted({s for _, s in lay.groups}, key=lay.sector_at.__getitem__)
    every = {"region": Each(lay.regions), "sector": Each(sectors)}
    return [{k: every[k] if v == "*" else v for k, v in over.items()} for over in item.over]
