"""The memo of a comparison: which case is best, what the bands separate, regret, dominance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.report.asked import Row, quantiles
from lodestone.report.case_words import lower, quoted, ranked, with_case
from lodestone.report.cases import Case, Comparison, changes
from lodestone.report.phrases import cells, difference, level, share_of_worlds, shown
from lodestone.report.trust import rough
from lodestone.report.wording import capital, joined, percent

__all__ = ["comparison_facts", "write_comparison"]

NO_CHOICE = (
    "The cases differ in what happens, not only in what is done about it: none is a choice that "
    "somebody has, so no regret is told and none is called best."
)
#: Columns of the table with one row a case.
COLUMNS = 4


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
    from lodestone.report.render import COMPARISON, Documents
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
    pages = Documents(folder, facts, COMPARISON)
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
            made += pages.write(form)
    return made


def _notes(facts: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(k, facts[k]) for k in ("answer", "separated", "regret", "dominance")]


def comparison_facts(
    held: Comparison, figures: list[dict[str, str]], command: str
) -> dict[str, Any]:
    """Return what the templates of a comparison show."""
    drawn = held.telling or held.metrics[:1]
    tables = []
    for metric in drawn:
        lines = []
        for i, name in enumerate(held.names):
            row = held.row(metric, i)
            unit, own, _, change = cells(row)
            lines.append([_called(name), own, change if i else "base", _clear(row) if i else ""])
        tables.append(
            {"title": metric.title, "unit": unit, "rows": lines, "note": held.note(metric)}
        )
    overview = _overview(held, drawn)
    base = held.cases[0].reading
    questions = {str(c.reading.scenario.get("question", "")) for c in held.cases if c.reading}
    return {
        "title": _title(held),
        "question": questions.pop() if len(questions) == 1 else "",
        "worlds": len(held.worlds),
        "base": held.names[0],
        "answer": _answer(held, drawn),
        "overview": overview,
        "still": _still(held),
        "cases": _cases(held),
        "tables": tables,
        "widths": [18, *[24 if "," in head else 14 for head in overview["heads"]]],
        "separated": [_separated(held, m) for m in held.telling[:3] if held.alike(m)],
        "choices": joined([quoted(held.names[i]) for i in held.choices])
        if 1 < len(held.choices) < len(held.cases)
        else "",
        "regret": []
        if len(held.choices) < 2
        else [t for t in (_regret(held, m) for m in held.telling) if t][:3],
        "dominance": [capital(t) for t in held.dominated()[:6]]
        or (["No case dominates another."] if len(held.choices) > 1 else [NO_CHOICE]),
        "sure": rough(len(held.worlds)),
        "figures": figures,
        "lead": figures[0] if figures else None,
        "others": figures[1:3],
        "command": command or "lodestone compare ...",
        "folders": [str(c.reading.results.folder) for c in held.cases if c.reading],
        "alone": base is None,
    }


def _title(held: Comparison) -> str:
    base = held.cases[0].reading
    if held.scenario is not None and base is not None:
        title = str(base.scenario.get("title") or held.scenario)
        return f"{title}: {len(held.cases)} variants compared"
    if base is None:
        return f"{len(held.cases)} points of a study compared"
    told = [str(c.reading.scenario.get("title") or n) if c.reading else n
            for c, n in zip(held.cases, held.names, strict=True)]  # fmt: skip
    if len(held.cases) == 2 and len(set(told)) == 2:
        return f"{told[0]} / {told[1]}"
    names = held.names
    return f"Comparison: {joined(names[:3])}" + (" and others" if len(names) > 3 else "")


def _cases(held: Comparison) -> list[list[str]]:
    """What each case is: how it differs from the base, or which question it asks."""
    base = held.cases[0].reading
    rows = []
    for i, (name, case) in enumerate(zip(held.names, held.cases, strict=True)):
        if case.reading is None or base is None:
            told = ""
        elif held.scenario is None:
            told = str(case.reading.scenario.get("question", ""))
        elif i == 0:
            told = "the base"
        else:
            told = "; ".join(changes(base, case.reading)) or "no other measure or number"
        rows.append([_called(name), told])
    return rows if any(r[1] for r in rows) else []


def _overview(held: Comparison, metrics: list[Row]) -> dict[str, Any]:
    """One row a case, a column for each of the first metrics; a star where clear of the base."""
    picked = metrics[:COLUMNS]
    letters = "ABCDEFGH"
    heads, legend = [], []
    for at, metric in enumerate(picked):
        unit = cells(held.row(metric, 0))[0]
        legend.append(f"{letters[at]}: {metric.title}{f', {unit}' if unit else ''}")
        short = unit.removesuffix(" of magnet")
        heads.append(f"{letters[at]}{f', {short}' if short else ''}")
    judged = held.scenario is not None and all("confirmed_if" in c.worlds for c in held.cases)
    rows = []
    for i, name in enumerate(held.names):
        line = [_called(name)]
        for metric in picked:
            row = held.row(metric, i)
            line.append(cells(row)[1] + ("*" if i and row.clear else ""))
        if judged:
            line.append(percent(float(held.values(held.cases[i], "confirmed_if").mean())))
        rows.append(line)
    if judged:
        heads.append("hypothesis holds")
    return {"heads": heads, "legend": legend, "rows": rows}


def _still(held: Comparison) -> str:
    """Count the metrics in which the cases do not differ."""
    ends = ""
    if held.apart:
        ends = " The runs end on different days: sums and extremes to the end are left out."
    same = [m for m in held.metrics if m not in held.moved]
    if not same or not held.moved:
        return ends.strip()
    told = joined([f"{lower(m.title)} ({level(held.row(m, 0))})" for m in same[:3]])
    more = f", and {len(same) - 3} more" if len(same) > 3 else ""
    return f"The same in every case, and left out: {told}{more}.{ends}"


def _called(name: str) -> str:
    """A case's name at the head of a row: keys with values stay as they are."""
    return name if "=" in name else capital(name)


def _clear(row: Row) -> str:
    if row.calm is None:
        return "not comparable"
    if row.still:
        return "no difference"
    return "yes" if row.clear else "no"


def _answer(held: Comparison, metrics: list[Row]) -> list[str]:
    """Say how the cases stand in the first number, which choice is best, and the second number."""
    if not held.moved:
        return ["The cases do not differ in any of the numbers asked for."]
    told = [ranked(held, metrics[0]), *_others(held, metrics[0])]
    if len(held.choices) > 1:
        told += [t for t in (_best(held, m) for m in metrics[:2]) if t]
    else:
        told += [ranked(held, m) for m in metrics[1:3]]
    return told


def _best(held: Comparison, metric: Row) -> str:
    """Say which choice is best in a number, and in how many worlds; blank where none is."""
    regret = _regrets(held, metric)
    if regret is None or np.ptp(regret.mean(axis=1)) <= 0.5 * metric.grain:
        return ""
    at = int(regret.mean(axis=1).argmin())
    alone = int(((regret[at] == 0) & (np.sort(regret, axis=0)[1] > 0)).sum())
    how = share_of_worlds(alone, regret.shape[1])
    best = held.choices[at]
    first = "as it is" if best == 0 else level(held.row(metric, best))
    whole = len(held.choices) == len(held.cases)
    among = "Of all cases" if whole else "Of the cases in which the same happens"
    return (
        f"{among}, {quoted(held.names[best])} does best in {lower(metric.title)}: {first}, "
        f"alone so {how}."
    )


def _regrets(held: Comparison, metric: Row) -> np.ndarray | None:
    """Regret of the choices against the best of them, (choices, w)."""
    regret = held.regret(metric)
    if regret is None:
        return None
    own = regret[held.choices]
    return own - own.min(axis=0)


def _others(held: Comparison, metric: Row) -> list[str]:
    """Say which cases differ clearly from the base in a metric, and which do not."""
    clear, unclear, same = [], [], []
    for i in range(1, len(held.cases)):
        row = held.row(metric, i)
        if row.calm is None:
            continue
        if row.still:
            same.append(quoted(held.names[i]))
        elif not np.isfinite(quantiles(row.delta)[1]) or not row.clear:
            unclear.append(quoted(held.names[i]))
        else:
            clear.append(
                (abs(quantiles(row.delta)[1]), f"{quoted(held.names[i])} {difference(row)}")
            )
    told = []
    base = f"{quoted(held.names[0])} in {lower(metric.title)}"
    if clear:
        parts = [text for _, text in sorted(clear, key=lambda p: -p[0])]
        more = f", and {len(parts) - 4} more" if len(parts) > 4 else ""
        told.append(f"Clearly different from {base}, world by world: {'; '.join(parts[:4])}{more}.")
    if unclear:
        more = f" and {len(unclear) - 5} more" if len(unclear) > 5 else ""
        told.append(
            f"Not told apart from {base} (the difference does not stand clear of zero): "
            f"{joined(unclear[:5])}{more}."
        )
    if same:
        told.append(f"No different from {base}: {joined(same)}.")
    return told


def _separated(held: Comparison, metric: Row) -> str:
    pairs = held.not_separated(metric)
    count = len(held.cases) * (len(held.cases) - 1) // 2
    if count == 1:
        return f"{metric.title}: the band of the difference {'does not separate' if pairs else 'separates'} the two."
    if not pairs:
        return f"{metric.title}: the bands separate all {count} pairs of cases."
    groups = _groups(held.names, pairs)
    told = "; ".join(joined([quoted(name) for name in g]) for g in groups[:4])
    more = f"; and {len(groups) - 4} more groups" if len(groups) > 4 else ""
    return (
        f"{metric.title}: not told apart from each other are {told}{more} "
        f"({len(pairs)} of {count} pairs)."
    )


def _groups(names: list[str], pairs: list[tuple[str, str]]) -> list[list[str]]:
    """Cover pairs by the largest groups in which every pair is one of them, greedily."""
    linked = {frozenset(p) for p in pairs}
    left, groups = set(linked), []
    while left:
        best: list[str] = []
        for start in names:
            group = [start]
            for name in names:
                if name != start and all(frozenset((name, g)) in linked for g in group):
                    group.append(name)
            new = sum(frozenset((a, b)) in left for a in group for b in group if a < b)
            old = sum(frozenset((a, b)) in left for a in best for b in best if a < b)
            if new > old:
                best = group
        left -= {frozenset((a, b)) for a in best for b in best if a != b}
        groups.append(sorted(best, key=names.index))
    return groups


def _regret(held: Comparison, metric: Row) -> str:
    regret = _regrets(held, metric)
    if regret is None or np.ptp(regret.mean(axis=1)) <= 0.5 * metric.grain:
        return ""
    order = np.argsort(regret.mean(axis=1), kind="stable")
    least, most = int(order[0]), int(order[-1])
    worst = quantiles(regret[least])[2]

    def told(value: float) -> str:
        signed = metric.unit == "share"
        text = shown(value, value, value, metric.unit, signed=signed, grain=metric.grain)
        return text.removeprefix("+")

    small = float(regret[least].mean())
    if regret[least].max() == 0:
        first = (
            f"no regret {with_case(held.names[held.choices[least]])}, the best case of every world"
        )
    else:
        first = (
            f"least regret {with_case(held.names[held.choices[least]])} (mean {told(small)}, in one world in twenty "
            f"{told(worst)} or more)"
        )
    return f"{metric.title}: {first}; most {with_case(held.names[held.choices[most]])} (mean {told(float(regret[most].mean()))})."
