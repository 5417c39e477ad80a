"""The policy memo: what stands on its two pages and in its annexes, from a run folder only.

Page one answers the question that was asked, page two says what would change the answer and how far
to trust it; everything else is annex. `lodestone.report.render` turns it into files.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.formats import FORMATS
from lodestone.report.asked import Row, default_rows, headline_rows, quantiles
from lodestone.report.beside import own_remarks, public_table, public_told, remarks
from lodestone.report.changed import changed_here
from lodestone.report.families import family
from lodestone.report.trust import facts_of, how_sure, inputs_told, not_modelled
from lodestone.report.watching import watch
from lodestone.report.wording import capital, human, joined, percent

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["FORMATS", "answer", "check_formats", "facts", "headline_table", "write_memo"]

MOST_ROWS = 10
MOST_SENTENCES = 4
NO_NUMBER = "The run holds none of the numbers asked for."
GRADES = {
    "data": "data",
    "filing": "filing",
    "press": "press",
    "claim": "press",
    "outside": "press",
    "memory": "recalled",
    "assumption": "assumed",
}


def check_formats(formats: Iterable[str]) -> list[str]:
    """Return the formats once each, in order.

    Raises
    ------
    InputError
        If one is not known; names the nearest.
    """
    from lodestone.border.words import unknown

    wanted = list(dict.fromkeys(formats))
    for name in wanted:
        if name not in FORMATS:
            raise unknown("format", name, FORMATS, key="report.formats")
    return wanted


def write_memo(folder: Path | str, formats: Iterable[str] = ("html", "md")) -> list[Path]:
    """Draw the figures and write the memo of a run folder in the formats asked for.

    Parameters
    ----------
    folder
        A run folder; `figures/`, `report.*` and `summary.xlsx` are written into it.
    formats
        Any of `FORMATS`: `html` (one self-contained file), `md`, `pdf`, `docx`, `brief` (the two
        pages alone as `report-brief.pdf` and `.docx`), `xlsx` (`summary.xlsx`), `slide`
        (`figures/slide.png` and `.svg`), `explorer` (`explorer.html`).

    Returns
    -------
    list of Path
        The memo's files, in the order of `formats`.

    Raises
    ------
    InputError
        If a format is not known, or a table of the run folder is missing or damaged.
    """
    wanted = check_formats(formats)
    if not wanted:
        return []

    from lodestone.outputs.results import Results
    from lodestone.report.figures import draw_all
    from lodestone.report.reading import Reading
    from lodestone.report.render import write_formats

    reading = Reading(Results.load(folder))
    if wanted == ["explorer"]:
        return write_formats(reading, {}, wanted)
    draw_all(reading)
    return write_formats(reading, facts(reading, wanted), wanted)


def facts(reading: Reading, formats: Iterable[str] = ()) -> dict[str, Any]:
    """Return everything that the templates show, figures already drawn."""
    from lodestone.report.course import measures

    results = reading.results
    rows = headline_rows(reading)
    dates = reading.curve().index
    nothing = differs_in_nothing(reading, rows)
    figures = _figures(results.folder / "figures" / "index.csv")
    lead, others = _chosen(figures, rows)
    outside = [str(x) for x in results.provenance.get("outside_ranges") or ()]
    return {
        "title": reading.title,
        "name": reading.name,
        "changed": changed_here(reading),
        "question": str(reading.scenario.get("question", "")),
        "narrative": str(reading.scenario.get("narrative") or ""),
        "reference": reading.reference,
        "worlds": len(results.worlds),
        "first": dates[0].date(),
        "last": dates[-1].date(),
        "vintage": str(reading.scenario.get("vintage", "")),
        "measures": measures(reading),
        "nothing": nothing,
        "answer": answer(reading, rows),
        "hypothesis": hypothesis(reading),
        "headline": headline_table(rows),
        "left_out": left_out(reading, rows),
        "paired": reading.paired or reading.reference is None,
        "lead": lead,
        "others": others,
        "figures": [f for f in figures if nothing or f not in [lead, *others]],
        "change": inputs_told(reading, rows) if rows else [NO_NUMBER],
        "trust": facts_of(reading, rows) if rows else [],
        "limits": not_modelled(rows),
        "sure": how_sure(reading),
        "watch": watch(reading, rows) if rows and not nothing else [],
        "stops": _stops(reading),
        "everything": _everything(reading),
        "public": public_told(reading),
        "public_table": public_table(reading),
        "traced": _traced(reading, rows),
        "calendar": _calendar(reading),
        "verdict": _generic(reading, "verdict"),
        "claims": _claims(reading),
        "assumptions": _assumptions(reading),
        "outside": outside,
        "rest": "summary.xlsx" if "xlsx" in formats else "summary.csv",
        "remarks": remarks(reading),
        "own_remarks": own_remarks(reading),
        "sources": _sources(reading),
        "provenance": _provenance(reading),
        "command": str(results.provenance.get("command") or f"lodestone run {reading.name}"),
    }


def differs_in_nothing(reading: Reading, rows: list[Row]) -> bool:
    """Whether no metric asked for and no shortage differs from the reference."""
    if reading.reference is None:
        return False
    every = [*rows, *default_rows(reading)]
    return all(row.still for row in every) and reading.shortage().likelihood == "none"


def answer(reading: Reading, rows: list[Row] | None = None) -> list[str]:
    """Return the answer in up to four sentences: the metrics asked for, first things first.

    Where nothing differs from the reference it says so and stops. Shortage is told only where the
    question asks for it.
    """
    from lodestone.report.together import sentences

    rows = headline_rows(reading) if rows is None else rows
    if differs_in_nothing(reading, rows):
        asked = "" if reading.marks else " It has no measure of its own."
        return [
            f"Nothing differs from the reference {_code(reading.reference)}: none of the numbers asked "
            f"for, and no user's shortage at any date, in any world.{asked}"
        ]
    return sentences(reading, rows, MOST_SENTENCES)


def _code(name: str | None) -> str:
    return f"`{name}`"


def hypothesis(reading: Reading) -> dict[str, str] | None:
    """Return the hypothesis as a sentence with its probability; None without one."""
    from lodestone.report.phrases import share_of_worlds

    stated = reading.scenario.get("hypothesis") or {}
    text = " ".join(str(stated.get("text") or "").split())
    worlds = reading.results.worlds
    if not text or "confirmed_if" not in worlds:
        return None
    count = len(worlds)
    yes = int(worlds["confirmed_if"].sum())
    told = f"It holds {share_of_worlds(yes, count)}"
    if "refuted_if" in worlds:
        no = int(worlds["refuted_if"].sum())
        told += f" and is refuted {share_of_worlds(no, count) if no else 'in none'}"
        if (rest := count - yes - no) > 0:
            told += f"; {share_of_worlds(rest, count)} it is open"
    if changed := reading.results.provenance.get("changed_alone"):
        names = joined([f"\u201c{human(name)}\u201d" for name in changed])
        verb = "is" if len(changed) == 1 else "are"
        told += (
            f". It was asked of another comparison: here {names} {verb} changed and the reference "
            "not, so that it is judged of that change as well"
        )
    return {"text": text, "told": f"{told}."}


def headline_table(rows: list[Row]) -> list[dict[str, str]]:
    """Return the rows of the headline table: what, unit, with, without, difference.

    Rows that the measures do not move are left out (`left_out` counts them), but for the first.
    """
    from lodestone.report.phrases import cells

    shown = [row for i, row in enumerate(rows) if i == 0 or not row.still][:MOST_ROWS]
    names = ("what", "unit", "scenario", "reference", "difference")
    return [dict(zip(names, (row.title, *cells(row)), strict=True)) for row in shown]


def left_out(reading: Reading, rows: list[Row]) -> str:
    """Say which numbers asked for the measures do not move."""
    from lodestone.report.phrases import level

    asked = list(reading.scenario.get("headline") or ())
    told_of = {row.text for row in rows}
    absent = (
        [text for text in asked if text not in told_of] if rows and rows[0].text in asked else []
    )
    beyond = ""
    if absent:
        beyond = f" Not told, because this run does not reach or hold it: {joined(absent)}."
    still = [row for row in rows[1:] if row.still]
    if not still:
        return beyond.strip()
    told = joined([f"{row.title[0].lower()}{row.title[1:]} ({level(row)})" for row in still[:4]])
    noun = "number asked for is" if len(still) == 1 else f"{len(still)} numbers asked for are"
    head = "One" if len(still) == 1 else ""
    more = f", and {len(still) - 4} more" if len(still) > 4 else ""
    return f"{capital(f'{head} {noun}'.strip())} not moved by the measures and left out: {told}{more}.{beyond}"


def _figures(index: Path) -> list[dict[str, str]]:
    with index.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _chosen(
    figures: list[dict[str, str]], rows: list[Row]
) -> tuple[dict[str, str] | None, list[dict[str, str]]]:
    """Return the figure of page one and the two of page two, by what the rows are about."""
    families = list(dict.fromkeys(family(row.name) for row in rows)) or ["shortage"]

    def rank(figure: dict[str, str]) -> tuple[int, int]:
        about = figure["about"].split()
        at = [families.index(f) for f in about if f in families]
        return (
            min(at) if at else len(families) + (0 if "any" in about else 5),
            figures.index(figure),
        )

    usable = [f for f in figures if f["page"] != "annex"]
    ordered = sorted(usable, key=rank)
    lead = next((f for f in ordered if f["page"] == "one"), ordered[0] if ordered else None)
    rest = [f for f in ordered if f is not lead and rank(f)[0] <= len(families)]
    return lead, rest[:2]


def _stops(reading: Reading) -> dict[str, Any] | None:
    """Return after how many days users stop, by region and sector, with the share of worlds."""
    import numpy as np

    from lodestone.report.asked import row_of
    from lodestone.report.phrases import shown

    rows = []
    for axis in ("region", "sector"):
        for name in reading.members(axis):
            row = row_of(reading, f"first_stoppage[{axis}={name}]")
            if row is None:
                continue
            own = row.own
            calm = (
                np.full_like(own, np.inf)
                if row.calm is None
                else np.nan_to_num(row.calm, nan=np.inf)
            )
            new = own[np.isfinite(own) & (own < calm - 1e-9) & (own >= 0)]
            if not new.size:
                continue
            share = percent(new.size / own.size)
            rows.append([axis, capital(human(name)), shown(*quantiles(new), "days"), share])
    if not rows:
        return None
    return {"columns": ["Users by", "", "First stop after", "Share of worlds"], "rows": rows}


def _everything(reading: Reading) -> dict[str, Any] | None:
    """Return every metric of the summary that the measures move clearly, and count the others."""
    from lodestone.report.asked import row_of
    from lodestone.report.phrases import cells

    columns = [
        c for c in reading.results.worlds.columns if not c.startswith(("draw.", "reference_"))
    ]
    skip = {"world", "confirmed_if", "refuted_if"}
    rows, still, unclear = [], 0, 0
    for column in columns:
        if column in skip or "(" in column:
            continue
        row = row_of(reading, column)
        if row is None or not np_known(row):
            continue
        if row.calm is not None and row.still:
            still += 1
        elif row.calm is not None and not row.clear:
            unclear += 1
        else:
            shown = cells(row)
            rows.append([row.title, *(shown if row.calm is not None else shown[:2])])
    if not rows and not still:
        return None
    return {"rows": rows[:150], "still": still, "unclear": unclear, "more": max(0, len(rows) - 150)}


def np_known(row: Row) -> bool:
    """Whether a metric is known in any world."""
    import numpy as np

    return bool((~np.isnan(row.own)).any())


def _traced(reading: Reading, rows: list[Row]) -> list[str]:
    """Say on what the headline numbers rest: sources by grade, assumptions, draws."""
    told = []
    counts: dict[str, int] = {}
    for row in _sources(reading):
        counts[row["grade_told"]] = counts.get(row["grade_told"], 0) + 1
    assumed = 0
    if reading.results.has("assumptions"):
        assumed = len(reading.results.table("assumptions"))
    order = ("data", "filing", "press", "recalled", "assumed", "ungraded")
    parts = [f"{counts[g]} {g}" for g in order if counts.get(g)]
    if parts or assumed:
        told.append(
            f"The run used {joined(parts)} sources and {assumed} assumptions; the lists below say for what each was used."
        )
    draws = [c for c in reading.results.worlds.columns if c.startswith("draw.")]
    told.append(
        f"{len(draws)} inputs were drawn in each world; all others are fixed at their default."
    )
    expressions = [f"`{row.text}`" for row in rows]
    told.append(f"The headline numbers are, in order: {joined(expressions)}.")
    return told


def _calendar(reading: Reading) -> list[dict[str, str]]:
    from lodestone.report.calendar import condensed, said

    rows = []
    for row in condensed(reading).itertuples(index=False):
        when = f"{row.first:%Y-%m-%d}"
        if row.times > 1:
            when += f" to {row.last:%Y-%m-%d}, {row.times} times"
        where = "" if row.where in {"", "all"} else human(row.where)
        what = said(str(row.what)) + _in_worlds(str(row.worlds))
        rows.append(
            {
                "when": when,
                "what": what,
                "where": where,
                "source": str(row.source).replace(";", "; "),
            }
        )
    return rows[:200]


def _in_worlds(worlds: str) -> str:
    """Return in how many worlds an entry stands, where it is not in all."""
    if worlds in {"", "all"}:
        return ""
    try:
        share = float(worlds)
    except ValueError:
        return f" (worlds: {worlds})"
    return "" if share >= 1 else f" (in {percent(share)} of worlds)"


def _generic(reading: Reading, name: str) -> dict[str, Any] | None:
    """Return a small table as it stands: its columns in plain words and its rows."""
    if not reading.results.has(name):
        return None
    table = reading.results.table(name)
    if table.empty:
        return None
    return {
        "columns": [capital(str(c).replace("_", " ")) for c in table.columns],
        "rows": [[_plain(v) for v in row] for row in table.itertuples(index=False)],
    }


def _assumptions(reading: Reading) -> dict[str, Any] | None:
    """Return what was assumed: key, statement, value with range and unit, reason."""
    if not reading.results.has("assumptions"):
        return None
    table = reading.results.table("assumptions")
    if table.empty:
        return None
    rows = []
    for row in table.to_dict("records"):
        held = {str(k): _plain(v) for k, v in row.items()}
        value = held.get("value", "")
        if held.get("low") or held.get("high"):
            value += f" ({held.get('low', '')} to {held.get('high', '')})"
        if held.get("unit"):
            value += f" {held['unit']}"
        rows.append([held.get("key", ""), held.get("statement", ""), value, held.get("reason", "")])
    return {"columns": ["Key", "Assumed", "Value", "Reason"], "rows": rows}


def _claims(reading: Reading) -> dict[str, Any] | None:
    """Return the claim check: a sentence, and per claim what is said, the verdict and why."""
    from lodestone.report.wording import claim_check

    if not reading.results.has("claims"):
        return None
    table = reading.results.table("claims")
    if table.empty:
        return None
    rows = [
        [f"{row.claim}: {row.statement}", row.grade, row.verdict, row.why]
        for row in table.itertuples(index=False)
    ]
    return {
        "sentence": claim_check([str(v) for v in table["verdict"]]),
        "columns": ["Press claim, in our words", "Our grade", "Verdict", "Why"],
        "rows": rows,
    }


def _plain(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    return str(value)


def _sources(reading: Reading) -> list[dict[str, str]]:
    if not reading.results.has("sources"):
        return []
    table = reading.results.table("sources")
    rows = []
    for row in table.to_dict("records"):
        given = {str(k): _plain(v) for k, v in row.items()}
        held = {
            k: given.get(k, "") for k in ("key", "title", "publisher", "date", "url", "used_for")
        }
        kind = given.get("kind", "") or given.get("grade", "")
        held["grade_told"] = GRADES.get(kind, "ungraded")
        rows.append(held)
    return rows


def _provenance(reading: Reading) -> list[tuple[str, str]]:
    """Return the entries of the provenance that are single words or numbers."""
    skip = {"command", "wall_time", "wall_time_s", "created", "finished", "started"}
    return [
        (key.replace("_", " "), str(value))
        for key, value in reading.results.provenance.items()
        if isinstance(value, str | int | float) and key not in skip
    ]
