"""The scorecard of a backcast as a document: tables, and simulated bands over observed points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lodestone.report.style import BLUE, GREY, INK, VERMILLION, canvas, date_axis, look, panel_title

__all__ = ["draw_panels", "write_scorecard"]

COLUMNS = 3
#: Between these the README holds the scorecard; bars of a profile figure.
MARKS = ("<!-- scorecard -->", "<!-- end of the scorecard -->")
BARS = 12
#: Columns of its first table.
SUMS = ("facts", "in_the_fit", "in_band", "in_band_when_not_in_the_fit", "covered_by_5_to_95_%")
HEAD = """\
# Scorecard: history replayed

Written by `lodestone backcast --write docs`; do not edit by hand. {worlds} worlds. Each fact is
evaluated in every world by itself; the median world is held against the band, which is the interval
in which the median is accepted. A fact that cannot be evaluated counts as failed. *Observed* is as
the sources have it, prices without VAT. *Covered*: share of facts whose observed value lies within
5-95 % of the worlds; an honest band covers nine in ten. `docs/episodes.md` says how an episode is written.
"""


def write_scorecard(
    folder: Path,
    scored: Sequence[tuple[str, str, Sequence[Any], Sequence[Any]]],
    totals: Sequence[dict[str, Any]],
    worlds: int,
    unseen: Mapping[tuple[str, str], tuple[float, bool]] | None = None,
    known: Sequence[dict[str, Any]] = (),
    profiles: Sequence[Mapping[str, Any]] = (),
) -> list[Path]:
    """Write ``scorecard.md`` and its figures, and the short form of it in the README.

    Parameters
    ----------
    folder : Path
        Figures go to its folder ``img``; what stands in its ``scorecard_notes.md`` is added. A
        README beside the folder with the two marks gets the table between them.
    scored : sequence of (name, title, verdicts, panels)
        By episode.
    totals : sequence of dict
        Facts passed by episode.
    worlds : int
        How many worlds were run.
    unseen : mapping, optional
        (episode, fact) -> median and verdict of a fit that had not seen the episode.
    known : sequence of mapping, optional
        What history says of each parameter: ``parameter, range, best, p05_to_p95, verdict``.
    profiles : sequence of mapping, optional
        Facts along each parameter alone (``episode, fact, parameter, value, simulated``).

    Returns
    -------
    list of Path
        The files written.
    """
    (folder / "img").mkdir(parents=True, exist_ok=True)
    parts = [HEAD.format(worlds=worlds), _table(totals, ["episode", "passed", "failed", "not_evaluable", "facts", "share", "covered"])]  # fmt: skip
    if unseen:
        passed = sum(ok for _, ok in unseen.values())
        parts.append(
            f"Cross-validated: {passed} of {len(unseen)} facts in band "
            f"({passed / len(unseen):.0%}) when their episode is left out of the fit and the "
            "others set the numbers (column *unseen*).\n"
        )
    made = []
    for name, title, verdicts, panels in scored:
        parts.append(f"## {title} (`{name}`)\n")
        rows = [{"what": _text(v), **v.shown()} for v in verdicts]
        columns = ["fact", "what", "observed", "band", "unit", "p50", "p05_to_p95", "result"]
        if unseen:
            columns.append("unseen")
            for row in rows:
                middle, ok = unseen.get((name, row["fact"]), (math.nan, False))
                if math.isfinite(middle):
                    row["unseen"] = f"{middle:.3g} {'pass' if ok else 'FAIL'}"
        parts.append(_table(rows, columns))
        if panels:
            stem = folder / "img" / f"backcast_{name}"
            made += _save(draw_panels(title, panels), stem)
            parts.append(f"![Simulated bands and observed points, {title}](img/{stem.name}.png)\n")
    notes = folder / "scorecard_notes.md"
    if notes.is_file():
        parts.append(notes.read_text(encoding="utf-8"))
    missed = [v for _, _, vs, _ in scored for v in vs if v.passed is False and v.fact.scored]
    walked = {(row["episode"], row["fact"]) for row in profiles}
    missed = [v for v in missed if (v.episode, v.fact.id) in walked]
    if missed:
        stem = folder / "img" / "fact_profiles"
        made += _save(draw_profiles(missed, profiles), stem)
        parts.append(
            "Each fact that fails, along each number alone: the bar is what the fact becomes as the "
            "number goes through its whole range, all others at the best fit; grey, the band.\n\n"
            f"![Facts that fail, along each number of behaviour](img/{stem.name}.png)\n"
        )
    if known:
        parts.append("## What history says of each number of behaviour\n")
        parts.append(
            "*Pinned*: facts are lost elsewhere in its range. *Product*, *ridge*: known only together "
            "with another number. *Free*: history has not seen it; it is drawn from its whole range "
            "in every ensemble. The search is local: pinned means pinned near this solution.\n"
        )
        parts.append(_table(known, ["parameter", "range", "best", "p05_to_p95", "verdict"]))
    page = folder / "scorecard.md"
    _replace(page, "\n".join(parts))
    readme = folder.parent / "README.md"
    if readme.is_file() and MARKS[0] in readme.read_text(encoding="utf-8"):
        _replace(readme, _between(readme.read_text(encoding="utf-8"), _short(scored, unseen)))
        made.append(readme)
    return [page, *made]


def _replace(path: Path, text: str) -> None:
    hidden = path.with_name(f".{path.name}.part")
    hidden.write_text(text, encoding="utf-8")
    hidden.replace(path)


def _between(page: str, text: str) -> str:
    """The page with the text between its marks."""
    head, rest = page.split(MARKS[0], 1)
    _, tail = rest.split(MARKS[1], 1)
    return f"{head}{MARKS[0]}\n{text}{MARKS[1]}{tail}"


def _short(
    scored: Sequence[tuple[str, str, Sequence[Any], Sequence[Any]]],
    unseen: Mapping[tuple[str, str], tuple[float, bool]] | None,
) -> str:
    """The scorecard on one screen: by episode, and fact by fact to unfold."""
    totals: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    sums = np.zeros(len(SUMS), dtype=int)
    for name, title, verdicts, _ in scored:
        counted = [v for v in verdicts if v.fact.scored]
        fitted = [v for v in counted if unseen and (name, v.fact.id) in unseen]
        blind = sum(
            unseen[name, v.fact.id][1] if unseen and v in fitted else v.passed is True
            for v in counted
        )
        covered = sum(v.covered for v in counted)
        passed = sum(v.passed is True for v in counted)
        found = [len(counted), len(fitted), passed, blind, covered]
        sums += found
        totals.append(dict(zip(("history", *SUMS), (title, *found), strict=True)))
        for v in counted:
            rows.append(
                {"what": v.fact.text, **v.shown(), "in_band": "yes" if v.passed else "**no**"}
            )
    totals.append(dict(zip(("history", *SUMS), ("all", *sums), strict=True)))
    return (
        _table(totals, ["history", *SUMS])
        + "\n<details><summary>Fact by fact</summary>\n\n"
        + _table(rows, ["fact", "what", "observed", "band", "p50", "p05_to_p95", "in_band"])
        + "\n</details>\n"
    )


def _text(verdict: Any) -> str:
    note = f" {verdict.fact.note}" if verdict.fact.note else ""
    return f"{verdict.fact.text}.{note}"


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    heads = [{"p05_to_p95": "5–95 %", "p50": "simulated"}.get(c, c.replace("_", " ")) for c in columns]  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [str(row.get(c, "")).replace("..", " to ").replace("|", "\\|") for c in columns]
        lines.append("| " + " | ".join(" ".join(c.split()) for c in cells) + " |")
    return "\n".join(lines) + "\n"


def draw_profiles(missed: Sequence[Any], profiles: Sequence[Mapping[str, Any]]) -> Figure:
    """One panel a fact: its span along each parameter alone, the widest first."""
    table = pd.DataFrame(profiles)
    return _small_multiples(
        "Facts that fail, along each number of behaviour alone",
        "Bar: what the fact becomes over the whole range of the number. Line: at the best fit. "
        "Grey: the band. The widest bars only.",
        (3.6, 2.9),
        missed,
        lambda axes, verdict: _bars(axes, verdict, table),
    )


def _bars(axes: Any, verdict: Any, table: pd.DataFrame) -> None:
    fact = verdict.fact
    mine = table[(table.episode == verdict.episode) & (table.fact == fact.id)]
    best = float(mine[mine.parameter.isna() | (mine.parameter == "")].simulated.iloc[0])
    spans = mine.groupby("parameter").simulated.agg(["min", "max"]).drop(index="", errors="ignore")
    spans["width"] = spans["max"] - spans["min"]
    spans = spans.sort_values("width", ascending=False).head(BARS)[::-1]
    axes.use_sticky_edges = False  # room beside bars that begin at the left end
    axes.axvline(best, color=INK, linewidth=0.9)
    axes.barh(range(len(spans)), spans.width, left=spans["min"], color=BLUE, height=0.55)
    for end in (fact.low, fact.high):
        if math.isfinite(end):
            axes.axvline(end, color=GREY, alpha=0.3, linewidth=0.5, zorder=0)
    left, right = axes.get_xlim()  # an open band goes on to the edge of the panel
    low, high = max(fact.low, left), min(fact.high, right)
    axes.axvspan(low, high, color=GREY, alpha=0.3, linewidth=0, zorder=0)
    axes.set_xlim(left, right)
    axes.set_yticks(range(len(spans)), list(spans.index), fontsize=6)
    axes.set_title(f"{fact.id}: {panel_title(fact.unit)}")


def draw_panels(title: str, panels: Sequence[Any]) -> Figure:
    """Draw one panel a series: median and 5-95 % band, observed points, bands of the facts."""
    return _small_multiples(
        f"{title}: simulated against observed",
        "Line and shade: median and 5–95 % of the worlds. Dots: observed. Brackets: the band in "
        "which a fact accepts the median, dashed where it fails. Shades far above are cut.",
        (3.1, 2.1),
        panels,
        _draw,
    )


def _small_multiples(
    title: str,
    note: str,
    size: tuple[float, float],
    items: Sequence[Any],
    draw: Callable[[Any, Any], None],
) -> Figure:
    """One panel an item, ``size`` inches each, drawn by ``draw(axes, item)``."""
    columns = min(COLUMNS, len(items))
    rows = math.ceil(len(items) / columns)
    with look():
        figure, grid = canvas(title, note, rows, columns, size=(size[0] * columns, size[1] * rows))
        for axes in grid.flat[len(items) :]:
            axes.set_visible(False)
        for axes, item in zip(grid.flat, items, strict=False):
            draw(axes, item)
        return figure


def _draw(axes: Any, panel: Any) -> None:
    when = pd.to_datetime([d.isoformat() for d in panel.dates])
    axes.fill_between(when, panel.p05, panel.p95, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(when, panel.p50, color=BLUE, linewidth=1.4)
    if panel.points:
        at = pd.to_datetime([d.isoformat() for d, _ in panel.points])
        axes.plot(at, [v for _, v in panel.points], "o", color=INK, markersize=3.2, zorder=4)
    floor, roof = axes.get_ylim()
    roof = max([roof, *(b.high for b in panel.boxes if math.isfinite(b.high))])
    floor = min([floor, *(b.low for b in panel.boxes if math.isfinite(b.low))])
    for box in panel.boxes:
        low, high = max(box.low, floor), min(box.high, roof)
        first, last = pd.Timestamp(box.first), pd.Timestamp(box.last)
        middle = first + (last - first) / 2
        style = "-" if box.passed else (0, (2, 1.5))
        colour = GREY if box.passed else VERMILLION
        axes.plot([middle, middle], [low, high], color=colour, linewidth=1.1, linestyle=style)
        for edge, open_side in ((low, math.isinf(box.low)), (high, math.isinf(box.high))):
            if not open_side:
                axes.plot([first, last], [edge, edge], color=colour, linewidth=1.1)
    _height(axes, panel, floor, roof)
    date_axis(axes, (when[0], when[-1]), ticks=4)
    axes.set_title(panel_title(panel.name))
    axes.set_ylabel(panel.unit)


def _height(axes: Any, panel: Any, floor: float, roof: float) -> None:
    """Set the height of a panel so that what was observed can be read.

    Spreads over more than a factor of 30 get a logarithmic axis; where there are zeros, the
    shade is cut instead.
    """
    shade = [x for x in (*panel.p05, *panel.p95) if math.isfinite(x)]
    drawn = [x for x in (*panel.p50, *(v for _, v in panel.points)) if math.isfinite(x)]
    drawn += [x for b in panel.boxes for x in (b.low, b.high) if math.isfinite(x)]
    if not shade:
        return
    wide = min(*shade, *drawn) > 0.0 and max(shade) > 30.0 * min(shade)
    if wide and panel.unit not in ("share", "%"):
        axes.set_yscale("log")
        return
    if drawn:
        roof = min(roof, 3.0 * max(drawn)) if max(drawn) > 0.0 else roof
    axes.set_ylim(-0.02 * roof if min(*shade, *drawn) >= 0.0 else floor, roof * 1.03)


def _save(figure: Figure, stem: Path) -> list[Path]:
    made = []
    with look():
        for suffix, extra in ((".png", {"dpi": 130}), (".svg", {"metadata": {"Date": None}})):
            path = stem.with_suffix(suffix)
            hidden = path.with_name(f".{path.stem}.part{suffix}")
            figure.savefig(hidden, **extra)
            hidden.replace(path)
            made.append(path)
    return made
