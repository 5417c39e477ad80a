"""The memo of a comparison: which case is best, what the bands separate, regret, dominance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.report.asked import Row, quantiles
from lodestone.report.cases import Case, Comparison
from lodestone.report.phrases import cells, difference, level, share_of_worlds, shown
from lodestone.report.wording import joined

__all__ = ["comparison_facts", "write_comparison"]


def write_comparison(
    cases: Sequence[Case], folder: Path, formats: Sequence[str] = ("html", "md"), command: str = ""
) -> list[Path]:
    """Write `comparison.csv`, figures and the memo of a comparison, and return its files.

    Parameters
    ----------
    cases
        Two or more; the first is the base.
    folder
        Where it goes.
    formats
        As for `lodestone.report.memo.write_memo`.
    command
        As typed, for the reproduction line.
    """
    from lodestone.border.files import csv_text, save_text
    from lodestone.report.figures.comparison import draw_comparison
    from lodestone.report.memo import check_formats
    from lodestone.report.render import COMPARISON, write_files
    from lodestone.report.sheets import save_workbook

    wanted = check_formats(formats)
    if len(cases) < 2:
        raise InputError("needs two cases or more", key="lodestone compare")
    held = Comparison(tuple(cases))
    if not held.metrics:
        raise InputError("the cases share no metric", key="lodestone compare")
    folder.mkdir(parents=True, exist_ok=True)
    table = held.table()
    text = csv_text(list(table.columns), table.itertuples(index=False))
    save_text(folder / "comparison.csv", text)
    figures = draw_comparison(held, folder / "figures")
    facts = comparison_facts(held, figures, command)
    made: list[Path] = []
    for form in wanted:
        if form == "xlsx":
            path = folder / "summary.xlsx"
            columns = list(table.columns)
            notes = [(k, v) for k, values in _notes(facts) for v in values]
            sheets = [
                ("Comparison", columns, table.itertuples(index=False)),
                ("Notes", ["what", "text"], notes),
            ]
            save_workbook(path, sheets)
            made.append(path)
        elif form == "slide":
            made += [folder / "figures" / f"cases_by_metric.{s}" for s in ("png", "svg")]
        elif form == "explorer":
            from lodestone.report.explorer import write_explorer

            readings = [(n, c.reading) for n, c in zip(held.names, held.cases, strict=True)]
            runs = [(n, r) for n, r in readings if r is not None]
            if not runs:
                raise InputError(
                    "an explorer needs run folders; points of a study keep no series",
                    key="lodestone compare --format",
                )
            made.append(write_explorer(runs, folder, str(facts["title"])))
        else:
            made += write_files(folder, form, facts, COMPARISON)
    return made


def _notes(facts: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(k, facts[k]) for k in ("answer", "separated", "regret", "dominance")]


def comparison_facts(
    held: Comparison, figures: list[dict[str, str]], command: str
) -> dict[str, Any]:
    """Return what the templates of a comparison show."""
    first = held.metrics[0]
    rows = [held.row(first, i) for i in range(len(held.cases))]
    answer = [_best(held, first)]
    told = _by_case(held, rows)
    answer += told
    tables = []
    for metric in held.metrics:
        lines = []
        for i, name in enumerate(held.names):
            row = held.row(metric, i)
            unit, own, _, change = cells(row)
            lines.append([name, own, change if i else "base", "" if not i else _clear(row)])
        tables.append({"title": metric.title, "unit": unit, "rows": lines})
    base = held.cases[0].reading
    return {
        "title": f"Comparison: {joined(held.names[:3])}"
        + (" and others" if len(held.names) > 3 else ""),
        "question": base.scenario.get("question", "") if base else "",
        "worlds": len(held.worlds),
        "base": held.names[0],
        "answer": answer,
        "tables": tables,
        "separated": [_separated(held, m) for m in held.metrics[:4]],
        "regret": [t for t in (_regret(held, m) for m in held.metrics) if t][:3],
        "dominance": held.dominated() or ["No case dominates another."],
        "figures": figures,
        "lead": figures[0] if figures else None,
        "others": figures[1:3],
        "command": command or "lodestone compare ...",
    }


def _clear(row: Row) -> str:
    if row.still:
        return "no difference"
    return "yes" if row.clear else "no"


def _best(held: Comparison, metric: Row) -> str:
    """Say which case is best in the first number, and in how many worlds."""
    regret = held.regret(metric)
    if regret is None:
        return f"{metric.title}: {held.names[0]} {level(held.row(metric, 0))}."
    means = regret.mean(axis=1)
    best = int(means.argmin())
    alone = int(((regret[best] == 0) & (np.sort(regret, axis=0)[1] > 0)).sum())
    total = regret.shape[1]
    title = metric.title[0].lower() + metric.title[1:]
    if np.ptp(means) <= 0.5 * metric.grain:
        return f"The cases do not differ in {title}."
    return (
        f"In {title} {held.names[best]} is best, alone so {share_of_worlds(alone, total)}: "
        f"{level(held.row(metric, best))}."
    )


def _by_case(held: Comparison, rows: list[Row]) -> list[str]:
    told = []
    for i, row in enumerate(rows[1:4], start=1):
        if row.still:
            told.append(
                f"{held.names[i]} does not differ from {held.names[0]} in the first number."
            )
        elif not np.isfinite(quantiles(row.delta)[1]):
            told.append(
                f"{held.names[i]}: {level(row)}, against {level(rows[0])} in {held.names[0]}."
            )
        else:
            clear = "" if row.clear else ", which does not stand clear of zero"
            told.append(
                f"{held.names[i]}: {level(row)}, a difference of {difference(row)} from {held.names[0]}{clear}."
            )
    return told


def _separated(held: Comparison, metric: Row) -> str:
    pairs = held.not_separated(metric)
    count = len(held.cases) * (len(held.cases) - 1) // 2
    if not pairs:
        return f"{metric.title}: the bands separate all {count} pairs of cases."
    shown = joined([f"{a} / {b}" for a, b in pairs[:4]])
    more = f" and {len(pairs) - 4} more" if len(pairs) > 4 else ""
    return (
        f"{metric.title}: the bands do not separate {shown}{more} ({len(pairs)} of {count} pairs)."
    )


def _regret(held: Comparison, metric: Row) -> str:
    regret = held.regret(metric)
    if regret is None or np.ptp(regret.mean(axis=1)) <= 0.5 * metric.grain:
        return ""
    order = np.argsort(regret.mean(axis=1), kind="stable")
    least, most = int(order[0]), int(order[-1])
    worst = quantiles(regret[least])[2]

    def told(value: float) -> str:
        signed = metric.unit == "share"
        return shown(value, value, value, metric.unit, signed=signed).removeprefix("+")

    return (
        f"{metric.title}: least regret with {held.names[least]} (mean {told(float(regret[least].mean()))}, "
        f"95th percentile {told(worst)} worse than the best case of the same world), most with "
        f"{held.names[most]} (mean {told(float(regret[most].mean()))})."
    )
