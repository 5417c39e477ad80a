"""Runs and points of studies in one tidy table, for a spreadsheet or for further analysis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.numbers import parse_date
from lodestone.outputs.parts import bands

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "save_tidy", "tidy"]

FORMATS = (".csv", ".parquet", ".xlsx")


def tidy(folders: Sequence[Path | str], metrics: Sequence[str]) -> pd.DataFrame:
    """Return metrics of runs and studies, a row a metric and run or point.

    Returns
    -------
    DataFrame
        ``run, scenario, variant, point``, swept keys, ``metric, unit, window, worlds, mean, p05,
        p50, p95, note``; window is the time that the metric looks at; means and quantiles over the worlds that have a value. The note says how a
        country inside a region was taken, and which number is not complete.

    Raises
    ------
    InputError
        A folder is neither run nor study, or a metric is unknown.
    """
    import pandas as pd

    from lodestone.studies.metrics import check_metric

    if not metrics:
        raise InputError("names no metric", key="metric", hint="Write metric=unmet_t, for example.")
    for metric in metrics:
        check_metric(metric)
    rows: list[dict[str, Any]] = []
    for folder in folders:
        study = (Path(folder) / "study.yaml").is_file()
        rows += _study_rows(folder, metrics) if study else _run_rows(folder, metrics)
    head = ["run", "scenario", "variant", "point"]
    tail = ["metric", "unit", "window", "worlds", "mean", "p05", "p50", "p95", "note"]
    keys = list(dict.fromkeys(k for r in rows for k in r if k not in head + tail))
    return pd.DataFrame(rows, columns=[*head, *keys, *tail])


def _row(values: np.ndarray, metric: str, window: str, remarks: Sequence[str]) -> dict[str, Any]:
    from lodestone.studies.metrics import unit_of

    known = values[~np.isnan(values)]
    mean, q = bands(known) if known.size else (np.nan, np.full(3, np.nan))
    return {
        "metric": metric,
        "unit": unit_of(metric),
        "window": window,
        "worlds": int(known.size),
        "mean": float(mean),
        **dict(zip(("p05", "p50", "p95"), map(float, q), strict=True)),
        "note": "; ".join(remarks),
    }


def _run_rows(folder: Path | str, metrics: Sequence[str]) -> list[dict[str, Any]]:
    from lodestone.outputs.results import Results
    from lodestone.studies.again import metric_of_run, remarks_of_run, window_of_run

    results = Results.load(folder)
    said = results.config["scenario"]
    head = {
        "run": Path(folder).name,
        "scenario": said["name"],
        "variant": said.get("variant") or "",
        "point": None,
    }
    return [
        head
        | _row(metric_of_run(results, m), m, window_of_run(results, m), remarks_of_run(results, m))
        for m in metrics
    ]


def _study_rows(folder: Path | str, metrics: Sequence[str]) -> list[dict[str, Any]]:
    from lodestone.chain.load import load_chain
    from lodestone.outputs.metrics.window import looks_at
    from lodestone.outputs.selectors import metric_remarks, window_remarks
    from lodestone.studies.metrics import column_of, metric_of, paired
    from lodestone.studies.study import open_study, plain_value

    study = open_study(folder)
    rows = []
    for point in study.points:
        head: dict[str, Any] = {
            "run": Path(folder).name,
            "scenario": point.scenario.name,
            "variant": point.scenario.variant or "",
            "point": point.number,
        }
        named = ("scenario", "variant")
        head |= {k: plain_value(v) for k, v in point.values.items() if k not in named}
        for metric in metrics:
            how, column = column_of(metric)
            own, calm = study.values(point, column)
            if how != "level":
                if calm is None:
                    raise InputError("has no reference", file=folder, key=f"metric={metric}")
                own = calm if how == "reference" else paired(own, calm)
            item, asked = metric_of(metric), point.scenario
            remarks = metric_remarks(item, load_chain(asked.vintage))
            remarks += window_remarks(item, asked.start, asked.end)
            shocks = study.shocks(point)
            days = (parse_date(shocks[0]), parse_date(shocks[-1])) if shocks else None
            window = looks_at(item.name, dict(item.selectors), asked.start, asked.end, days)
            rows.append(head | _row(own, metric, window, remarks))
    return rows


def save_tidy(table: pd.DataFrame, path: Path, decimal_comma: bool = False) -> Path:
    """Write a table as CSV, Parquet or XLSX, by the ending of its name, whole or not at all.

    Parameters
    ----------
    decimal_comma
        Of CSV: ``;`` between cells and a comma before decimals, as much of Europe reads it.

    Raises
    ------
    InputError
        Another ending, or a format that cannot be written here.
    """
    if path.suffix not in FORMATS:
        raise InputError(
            f"cannot be written as '{path.suffix or 'no ending'}'",
            file=path,
            hint=f"End its name in {', '.join(FORMATS)}.",
        )
    if not path.parent.is_dir():
        raise InputError("no such folder", file=path.parent)
    hidden = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        if path.suffix == ".csv":
            sign = {"sep": ";", "decimal": ","} if decimal_comma else {}
            table.to_csv(hidden, index=False, lineterminator="\n", encoding="utf-8", **sign)
        elif path.suffix == ".parquet":
            table.to_parquet(hidden, index=False)
        else:
            _excel(table, hidden)
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)
    return path


def _excel(table: pd.DataFrame, path: Path) -> None:
    import pandas as pd

    def safe(cell: Any) -> Any:
        """No formula out of a name, and no infinity, which a sheet does not know."""
        if isinstance(cell, float) and np.isinf(cell):
            return "never" if cell > 0 else "-never"
        if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@"):
            return f"'{cell}"
        return cell

    try:
        with pd.ExcelWriter(path, engine="openpyxl") as book:
            table.map(safe).to_excel(book, sheet_name="table", index=False)
            notes = [("metric", "as typed"), ("p05, p50, p95", "quantiles over worlds")]
            pd.DataFrame(notes, columns=["column", "meaning"]).to_excel(
                book, sheet_name="notes", index=False
            )
    except ImportError:
        raise InputError(
            "openpyxl is not installed", file=path, hint="pip install openpyxl, or write CSV."
        ) from None
