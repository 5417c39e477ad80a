"""Metrics world by world, and over worlds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.outputs.metrics import METRICS
from lodestone.outputs.metrics.window import cut_off
from lodestone.outputs.parts import bands
from lodestone.outputs.tables.frame import BAND
from lodestone.outputs.tables.registry import Source, table
from lodestone.outputs.tables.verdicts import judged

if TYPE_CHECKING:
    import pandas as pd


#: Selectors of a metric that have a column of their own in the summary.
SHOWN = ("region", "sector", "material", "element")


def worlds(src: Source) -> pd.DataFrame:
    """One row a world: draws, metrics, the reference's metrics, verdicts."""
    import pandas as pd

    label = src.scenario.labels[0]
    columns: dict[str, Any] = {"world": src.scenario.array("worlds").astype(int)}
    draws = src.scenario.array("draws")
    for i, name in enumerate(label["draws"]):
        columns[f"draw.{name}"] = draws[i]
    metrics = src.scenario.array("metrics")
    for i, name in enumerate(label["metrics"]):
        columns[name] = metrics[i]
    if src.reference:
        calm = src.reference.array("metrics")
        for i, name in enumerate(src.reference.labels[0]["metrics"]):
            columns[f"reference_{name}"] = calm[i]
    # What headline and hypothesis ask for, as it is written there.
    for prefix, parts in (("", src.scenario), ("reference_", src.reference)):
        if parts is not None:
            held = parts.array("asked")
            for i, name in enumerate(parts.labels[0]["asked"]):
                columns.setdefault(f"{prefix}{name}", held[i])
    columns |= {k: v for k, v in judged(src).items() if v is not None}
    frame = pd.DataFrame(columns)
    return frame.sort_values("world", ignore_index=True)


@table(
    words=("metric", "region", "sector", "element", "unit"),
    numbers=(*BAND, "reference_p50", "delta_p50", "delta_p05", "delta_p95"),
)
def summary(src: Source) -> pd.DataFrame:
    """Metrics over worlds, with paired differences to the reference."""
    import pandas as pd

    held = worlds(src)
    rows: list[dict[str, Any]] = []
    others: list[dict[str, str]] = []
    told: list[str] = []
    element_of = {n: m.element for n, m in src.chain.materials.items()}
    for key in src.scenario.labels[0]["metrics"]:
        name, selection = parse_key(key)
        values = held[key].to_numpy()
        known = values[~np.isnan(values)]
        if not known.size:
            continue
        mean, q = bands(known)
        material = selection.get("material")
        row: dict[str, Any] = {
            "metric": name,
            "region": selection.get("region", "all"),
            "sector": selection.get("sector", "all"),
            "element": selection.get("element")
            or ((element_of.get(material) or material) if material else "all"),
            "unit": METRICS[name].unit,
            "mean": float(mean),
            **dict(zip(BAND[1:], map(float, q), strict=True)),
        }
        reference = f"reference_{key}"
        if reference in held:
            calm = held[reference].to_numpy()
            calm_known = calm[~np.isnan(calm)]
            row["reference_p50"] = float(bands(calm_known)[1][1]) if calm_known.size else np.nan
            delta = _difference(values, calm)
            delta = delta[~np.isnan(delta)]
            low, middle, high = bands(delta)[1] if delta.size else (np.nan,) * 3
            row.update(delta_p50=middle, delta_p05=low, delta_p95=high)
        else:
            row.update(reference_p50=np.nan, delta_p50=0.0, delta_p05=0.0, delta_p95=0.0)
        rows.append(row)
        told.append(key)
        others.append({k: v for k, v in selection.items() if k not in SHOWN})
    # Rows that only a selector without a column tells apart carry it in their name.
    place = ("metric", "region", "sector", "element")
    keys = [tuple(row[k] for k in place) for row in rows]
    for row, key, more in zip(rows, keys, others, strict=True):
        if keys.count(key) > 1:
            row["metric"] += "(" + ", ".join(f"{k}={v}" for k, v in more.items()) + ")"
    for row in rows:
        row["note"] = _emptied(row)
    for row, key in zip(rows, told, strict=True):
        name, selection = parse_key(key)
        parts = [
            cut_off(name, selection, src.labels.start, src.labels.end, src.shocks),
            row["note"],
        ]
        row["note"] = "; ".join(part for part in parts if part)
    return pd.DataFrame(rows)


def _emptied(row: dict[str, Any]) -> str:
    """Empty the cells of a row that hold no number, and say why: what never comes has no date."""
    infinite = [k for k, v in row.items() if isinstance(v, float) and np.isinf(v)]
    row.update(dict.fromkeys(infinite, np.nan))
    never = [k for k in infinite if not k.startswith("delta_")]
    apart = [k for k in infinite if k.startswith("delta_")]
    told = [f"{', '.join(never)}: never within the run"] if never else []
    told += [f"{', '.join(apart)}: never in one of the two runs"] if apart else []
    return "; ".join(told)


def parse_key(key: str) -> tuple[str, dict[str, str]]:
    """Metric name and selection of a column name (the inverse of ``metrics.key_of``)."""
    if "[" not in key:
        return key, {}
    name, inside = key[:-1].split("[", 1)
    # A comma inside a list of names is no comma between selectors.
    return name, dict(part.split("=", 1) for part in re.split(r",\s*(?=[a-z_]+=)", inside))


def _difference(values: np.ndarray, calm: np.ndarray) -> np.ndarray:
    """Paired difference; equal infinities differ by nothing."""
    with np.errstate(invalid="ignore"):
        return np.where(values == calm, 0.0, values - calm)
