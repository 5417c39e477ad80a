"""The report of a study: figures of each metric, thresholds and results, in Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.report import studies as draw
from lodestone.report.figures import Drawing
from lodestone.studies.metrics import column_of, selectors_of, title_of, unit_of
from lodestone.studies.points import short_names
from lodestone.studies.study import Study, plain_value
from lodestone.studies.text import number
from lodestone.studies.threshold import Threshold, find_threshold, told

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIGURE_KINDS", "draw_study", "study_figure", "write_study_report"]

FIGURE_KINDS = ("auto", "line", "heat", "multiples", "tornado")
#: Metrics that are drawn where the user names none.
DRAWN = 2


def file_name(metric: str, kind: str) -> str:
    """Return the file name of a figure: ``line_unmet_share_peak_europe``."""
    import re

    how, column = column_of(metric)
    name, selectors = selectors_of(column)
    words = [v if isinstance(v, str) else "_".join(v) for v in selectors.values()]
    told = "_".join([kind, *([] if how == "level" else [how]), name, *words])
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", told)


def study_figure(study: Study, metric: str, kind: str = "auto") -> Drawing:
    """Draw a metric of a study as fits the number of its keys.

    Parameters
    ----------
    metric
        Any metric of the study; ``delta(...)`` is its paired difference from the reference.
    kind
        ``line`` (one key), ``heat`` (two), ``multiples`` (three and more), ``tornado``
        (differences of all points); ``auto`` chooses among the first three.

    Raises
    ------
    InputError
        The study has too few keys for the kind, no point, or does not hold the metric.
    """
    from lodestone.border.errors import InputError
    from lodestone.border.words import unknown

    if kind not in FIGURE_KINDS:
        raise unknown("kind of figure", kind, FIGURE_KINDS, key="kind")
    table = _points(study, metric)
    if table.empty:
        raise InputError("no point is done", file=study.folder)
    keys = [a.key for a in study.plan.varying]
    sampled = study.plan.request.design in ("lhs", "sobol")
    if kind == "auto":
        if study.plan.request.design != "grid" and len(keys) > 1:
            kind = "tornado"
        else:
            kind = {0: "tornado", 1: "line", 2: "heat"}.get(len(keys), "multiples")
    needed = {"line": 1, "heat": 2, "multiples": 3, "tornado": 0}[kind]
    if len(keys) < needed or (kind in ("line", "heat") and len(keys) != needed):
        raise InputError(f"a study with {len(keys)} keys cannot be drawn as '{kind}'", key="kind")
    if sampled and kind in ("heat", "multiples"):
        raise InputError("a sampled study is no grid", key="kind", hint="Use kind=tornado.")
    words, unit = title_of(metric), unit_of(metric)
    worlds = int(table["worlds"].max())
    names = short_names(keys)
    labels = [names[k].replace("_usd_per_kg", ", USD per kg").replace("_", " ") for k in keys]
    if kind == "line":
        return draw.line_with_band(table, keys[0], labels[0], words, unit, worlds)
    if kind == "heat":
        return draw.heat_map(table, (keys[0], keys[1]), (labels[0], labels[1]), words, unit, worlds)
    if kind == "multiples":
        return draw.multiples(table, keys, labels, words, unit, worlds)
    return _tornado(study, metric, words, unit, worlds, names)


def _points(study: Study, metric: str) -> pd.DataFrame:
    """A row a point with band and, for a level, the reference's median."""
    import pandas as pd

    how, column = column_of(metric)
    frame = study.table([column])
    if frame.empty:
        return frame
    stem = column if how == "level" else f"{column}_delta"
    keys = [a.key for a in study.plan.varying]
    out = frame[["point", *keys, "worlds"]].copy()
    for q in ("p05", "p50", "p95"):
        out[q] = frame.get(f"{stem}_{q}", pd.Series(float("nan"), frame.index))
    if how == "level" and f"{column}_delta_p50" in frame:
        out["reference_p50"] = _reference(study, column)
    return out


def _reference(study: Study, column: str) -> list[float]:
    import numpy as np

    from lodestone.outputs.parts import bands

    out = []
    for point in study.points:
        _, calm = study.values(point, column)
        known = calm[~np.isnan(calm)] if calm is not None else np.zeros(0)
        out.append(float(bands(known)[1][1]) if known.size else float("nan"))
    return out


def _tornado(
    study: Study, metric: str, words: str, unit: str, worlds: int, names: dict[str, str]
) -> Drawing:
    import pandas as pd

    column = column_of(metric)[1]
    frame = study.table([column])
    based = f"{column}_base_p50" in frame
    stem = f"{column}_base" if based else f"{column}_delta"
    rows = []
    for row in frame.to_dict("records"):
        if based and row["point"] == study.plan.base:
            continue
        label = ", ".join(f"{names[k]} {_cell(row[k])}" for k in names) or "the scenario"
        held = {q: row.get(f"{stem}_{q}", row[f"{column}_{q}"]) for q in ("p05", "p50", "p95")}
        rows.append({"label": label} | held)
    if based:
        values = study.plan.points[int(study.plan.base or 0)].values
        base = ", ".join(f"{names[k]} {_cell(plain_value(v))}" for k, v in values.items())
        return draw.tornado(
            pd.DataFrame(rows), words, unit, f"the base point ({base})", worlds, "the base point"
        )
    return draw.tornado(pd.DataFrame(rows), words, unit, "the reference", worlds, "the reference")


def _cell(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def shown_metrics(study: Study) -> list[str]:
    """The metrics that a report draws: those asked for, else the first of the headline."""
    asked = [str(m) for m in study.plan.request.metrics]
    return asked or list(study.plan.shown[:DRAWN])


def draw_study(study: Study, metrics: Sequence[str] = ()) -> list[tuple[Drawing, str]]:
    """Draw a study's metrics into ``figures/``; return each drawing with its file name."""
    from lodestone.border.errors import InputError

    out: list[tuple[Drawing, str]] = []
    for metric in metrics or shown_metrics(study):
        for kind in ("auto", "tornado"):
            if kind == "tornado" and (len(study.points) < 3 or (out and _is_tornado(out[-1]))):
                continue
            try:
                drawing = study_figure(study, metric, kind)
            except InputError:
                if kind == "auto":
                    raise
                continue
            if _is_tornado((drawing, "")) and not np.isfinite(drawing.data["p50"]).any():
                continue  # what never happens in the median world of one side has no size
            name = file_name(metric, "tornado" if kind == "tornado" else "by_point")
            draw.save_drawing(drawing, study.store.folder / "figures", name)
            out.append((drawing, name))
    return out


def _is_tornado(made: tuple[Drawing, str]) -> bool:
    return made[0].alt.startswith("Tornado")


def write_study_report(
    study: Study,
    metrics: Sequence[str] = (),
    thresholds: Sequence[tuple[Threshold, str | None]] = (),
    formats: Sequence[str] = ("md", "html"),
) -> list[Path]:
    """Draw a study and write ``report.md`` and ``report.html``.

    Parameters
    ----------
    thresholds
        What is asked, and the key it is asked of (None: the only one with numbers).

    Returns
    -------
    list of Path
        The report's files.
    """
    drawn = draw_study(study, metrics)
    text = _text(study, drawn, thresholds)
    from lodestone.border.files import save_text

    folder = study.store.folder
    files = []
    if "md" in formats:
        save_text(folder / "report.md", text)
        files.append(folder / "report.md")
    if "html" in formats:
        save_text(folder / "report.html", _html(text, folder))
        files.append(folder / "report.html")
    return files


def _few(study: Study) -> str:
    """Say what so few worlds a point cannot tell, as memos of a run do; blank for many."""
    from lodestone.report.trust import rough

    worlds = min((int(point.settings.worlds) for point in study.points), default=0)
    return f"**{worlds} worlds a point.** {rough(worlds)}" if 0 < worlds < 100 else ""


def _text(
    study: Study,
    drawn: Sequence[tuple[Drawing, str]],
    thresholds: Sequence[tuple[Threshold, str | None]],
) -> str:
    plan = study.plan
    names = short_names(study.keys)
    lines = [f"# Study: {', '.join(plan.request.scenarios)}", ""]
    lines += [f"{len(study.points)} of {len(plan.points)} points are done, {len(study.errors)} "
              f"failed; every point has the same worlds, so differences between points are paired.",
              ""]  # fmt: skip
    lines += [f"- `{a.key}`: {a.text}" for a in plan.request.axes if a.key != "scenario"]
    lines += [f"- design: {plan.request.design}", ""]
    if warning := _few(study):
        lines += [warning, ""]
    idle = [f"`{key}` changes no metric of any world" for key in study.idle_keys()]
    remarks = [*idle, *plan.unusual]
    if remarks:
        lines += ["**Remarks:**", ""]
        lines += [f"- {remark}" for remark in remarks[:10]]
        if len(remarks) > 10:
            lines.append(f"- and {len(remarks) - 10} more")
        lines.append("")
    for drawing, name in drawn:
        lines += [f"## {drawing.finding}", "", f"![{drawing.alt}](figures/{name}.svg)", ""]
    if thresholds:
        lines += ["## Thresholds", ""]
        for threshold, key in thresholds:
            lines += threshold_lines(study, threshold, key)
        lines.append("")
    if not study.failed.empty:
        lines += ["## Failed points", ""]
        lines += [f"- point {r['point']}: {r['error']}" for r in study.failed.to_dict("records")]
        lines.append("")
    lines += _table(study, names)
    lines += [
        "",
        "Medians over worlds. All columns, with 5 and 95 % and paired differences, stand in "
        "`results.csv`; the worlds of every point in `parts/`.",
    ]
    return "\n".join(lines) + "\n"


def threshold_lines(study: Study, threshold: Threshold, key: str | None) -> list[str]:
    """The thresholds of a study as list items, one for each combination of the other keys."""
    found = find_threshold(study, threshold, key)
    swept = next(k for k in study.keys if k not in found.columns)
    names = short_names(study.keys)
    out = []
    for _, row in found.iterrows():
        others = [f"{names[k]} {_cell(row[k])}" for k in study.keys if k in found.columns]
        head = f"{', '.join(others)}: " if others else ""
        out.append(f"- {head}{told(row, threshold, names[swept])}")
    return out


def _table(study: Study, names: dict[str, str]) -> list[str]:
    columns = list(dict.fromkeys([column_of(m)[1] for m in shown_metrics(study)]))
    frame = study.table(columns)
    heads = [names[k] for k in study.keys]
    lines = ["## Points", "", "| " + " | ".join(["point", *heads, *columns]) + " |"]
    lines.append("|" + "---|" * (1 + len(heads) + len(columns)))
    for row in frame.head(200).to_dict("records"):
        cells = [str(row["point"]), *(_cell(row[k]) for k in study.keys)]
        cells += [number(row[f"{c}_p50"]) for c in columns]
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    if len(frame) > 200:
        lines += ["", f"The first 200 of {len(frame)} points."]
    return lines


def _html(text: str, folder: Path) -> str:
    import pypandoc

    title = text.split("\n", 1)[0].removeprefix("# ")
    style = (
        "<style>body{max-width:52rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 Georgia,serif;"
        "color:#1a1a1a}img{max-width:100%}table{border-collapse:collapse;font-size:.8em}"
        "td,th{padding:.2em .7em;border-bottom:1px solid #ddd;text-align:right}"
        "h2{font-size:1.15rem;margin-top:2.2rem}code{font-size:.85em}</style>"
    )
    return pypandoc.convert_text(
        text.split("\n", 1)[1],
        "html5",
        format="gfm",
        extra_args=[
            "--standalone",
            "--embed-resources",
            "--resource-path=.",
            f"--metadata=title:{title}",
            f"--metadata=pagetitle:{title}",
            f"--variable=header-includes:{style}",
        ],
        cworkdir=str(folder.resolve()),
    )
