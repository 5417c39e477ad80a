"""Any metric of a finished run from the series that it kept of every world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.expressions import parse_metric
from lodestone.border.yamlfile import read_yaml
from lodestone.chain.load import load_chain
from lodestone.engine.ground import fixed_chain
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import find
from lodestone.outputs.parts import Parts, is_whole
from lodestone.runs.folders import WORLDS
from lodestone.scenario import build_scenario


class _Lazy(Mapping[str, np.ndarray]):
    """Arrays of one part, read when they are asked for."""

    def __init__(self, parts: Parts, name: str) -> None:
        self.parts, self.name = parts, name
        self.read: dict[str, np.ndarray] = {}

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self.read:
            self.read[key] = self.parts.packed(self.name, key).read()
        return self.read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read)

    def __len__(self) -> int:
        return len(self.read)


def keeps_worlds(folder: Path) -> bool:
    """Whether a run folder holds the series of every world."""
    return (folder / WORLDS / "scenario").is_dir()


def evaluate_on(folder: Path, expression: str, case: str = "scenario") -> np.ndarray:
    """A metric in every world of a finished run, shape (w,), from the series that it kept.

    Parameters
    ----------
    folder : Path
        Of a run with ``outputs=[worlds]``.
    expression : str
        Metric with its selectors: ``unmet_t(region=europe)``.
    case : str
        ``scenario`` or ``reference``; both are counted from the scenario's first disruption.

    Raises
    ------
    InputError
        The run kept no worlds, or no such case; a part is damaged; the metric, a selector or a word
        is unknown.
    """
    place = folder / WORLDS / case
    if not place.is_dir():
        raise InputError(
            f"holds no series of every world of the {case}",
            file=folder,
            hint="Run with outputs=[gap,series,worlds]; without them the worlds are run again.",
        )
    parts = Parts(place)
    for name in parts.names:
        if not is_whole(place / name):
            raise InputError("is damaged: its checksums differ", file=place / name)
    held = read_yaml(folder / "config.yaml").data
    mapping = {k: v for k, v in held[case].items() if k not in ("variant", "overlays")}
    scenario = build_scenario({**mapping, "reference": "none"}, file=folder / "config.yaml")
    chain, _ = fixed_chain(replace(scenario, reference=None), load_chain(scenario.vintage))
    metric = parse_metric(expression)
    found = []
    for number, name in enumerate(parts.names):
        lazy = _Lazy(parts, name)
        worlds, shock = lazy["worlds"], lazy["shock_day"]
        if len(worlds) == 1:  # sums of a lone column round differently: beside a copy of itself
            lazy = _Doubled(parts, name)
        series = Series(
            parts.rows,
            chain,
            lazy,
            np.resize(worlds, max(len(worlds), 2)),
            np.resize(shock, max(len(shock), 2)),
            keep=len(worlds),
            draws=dict(zip(parts.labels[number]["draws"], lazy["draws"], strict=True)),
            discount_rate=float(held.get("discount_rate", 0.05)),
        )
        values = find(metric.name)(series, **dict(metric.selectors))
        found.append(np.asarray(values, dtype=float)[: len(worlds)])
    return np.concatenate(found)


class _Doubled(_Lazy):
    """Arrays of a part of one world, that world twice."""

    def __getitem__(self, key: str) -> np.ndarray:
        return np.repeat(super().__getitem__(key), 2, axis=-1)
