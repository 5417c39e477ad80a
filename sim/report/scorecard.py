"""The scorecard of a backcast as a document: what was fitted, what foretold, what is held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from lodestone.border.files import save_text
from lodestone.report.history import draw_panels, save

__all__ = ["write_scorecard"]

#: Between these the README holds the scorecard.
MARKS = ("<!-- scorecard -->", "<!-- end of the scorecard -->")
HEAD = """\
# Scorecard: history replayed

Written by `lodestone backcast --write docs`; do not edit by hand. {worlds} worlds. Each fact is
evaluated in every world by itself; the median world is held against the band, which is the interval
in which the median is accepted. A fact that cannot be evaluated counts as failed. *Observed* is as
the sources have it, prices without VAT. `docs/episodes.md` says how an episode is written.
"""
VIEWS = """\
*In the fit*: the posterior was fitted to these facts and those of the other years. *Left out*: a fit
that has not seen the years of a fact foretells it; what was not fitted is drawn afresh. *The priors
alone*: nothing is fitted. *Nothing changes* and *static elasticities* are forecasters without a model
(`docs/episodes.md`). *Held by worlds*: share of observed values within 5 to 95 % of the worlds; *with
discrepancy*: the same with what a model of this sort misses at its best, by kind of fact; an honest
band holds nine in ten. *Mean miss*: of the median, in discrepancies of its kind, at most 4.
"""
SKILL = """\
Skill of what was left out: one less the mean miss over that of the rival; above nought the model is
the better forecaster.
"""
#: Why a fact at an edge may pass in one table and not in the other.
AFRESH = """\
Fresh worlds of the shipped posterior; *in the fit* above counts the members that were fitted, so a fact
whose median lies at an edge may pass in one and not in the other. *Covered*: by the worlds; *wide*: with
the discrepancy.
"""
KNOWN = """\
*Pinned* and *narrowed*: the spread is below 0.5 and 0.85 of the prior's. *Free*: moved by the data,
but hardly narrowed. *Not seen*: no fact answers to it; it is drawn from its whole range in every
ensemble. *Shift*: of the mean, in standard deviations of the prior.
"""
Scored = Sequence[tuple[str, str, Sequence[Any], Sequence[dict[str, Any]], Sequence[Any]]]


class Card(Protocol):
    """What the page needs of a calibration (`lodestone.calibration.card.Card`)."""

    @property
    def breath(self) -> str:
        """In the fit, left out, coverage, in one sentence."""

    def totals(self) -> list[dict[str, Any]]:
        """By episode."""

    def summary(self) -> list[dict[str, Any]]:
        """By view."""

    def skill(self) -> list[dict[str, Any]]:
        """By episode."""

    def parameters(self) -> list[dict[str, Any]]:
        """By parameter."""


def facts_csv(verdicts: Sequence[Any]) -> str:
    """Return every fact with what the model made of it, as the memo reads it."""
    from lodestone.border.files import csv_text

    names = [
        "episode",
        "id",
        "text",
        "metric",
        "observed",
        "band_low",
        "band_high",
        "unit",
        "simulated_p05",
        "simulated_p50",
        "simulated_p95",
        "pass",
        "scored",
    ]
    rows = []
    for verdict in verdicts:
        told = verdict.row()
        numbers = [told["observed"], *told["band"]]
        simulated = [told[f"simulated_{q}"] for q in ("p05", "p50", "p95")]
        shown = ["" if x is None else f"{x:.6g}" for x in (*numbers, *simulated)]
        rows.append(
            (
                *(told[k] for k in ("episode", "id", "text")),
                verdict.fact.series.metric,
                *shown[:3],
                told["unit"],
                *shown[3:],
                str(bool(told["pass"])).lower(),
                str(told["scored"]).lower(),
            )
        )
    return csv_text(names, rows)


def write_scorecard(folder: Path, scored: Scored, card: Card, worlds: int) -> list[Path]:
    """Write ``scorecard.md`` and its figures, and the short form of it in the README.

    Parameters
    ----------
    folder : Path
        Figures go to its folder ``img``; what stands in its ``scorecard_notes.md`` is added. A
        README beside the folder with the two marks gets the short form between them.
    scored : sequence of (name, title, verdicts, rows, panels)
        By episode; ``rows`` as `Card.rows` gives them.
    card : Card
    worlds : int
        How many worlds were run.

    Returns
    -------
    list of Path
        The files written.
    """
    (folder / "img").mkdir(parents=True, exist_ok=True)
    parts = [HEAD.format(worlds=worlds)]
    if card.breath:
        parts += [
            f"**{card.breath}**\n",
            _table(card.summary()),
            VIEWS,
            _table(card.skill()),
            SKILL,
        ]
    elif card.summary():
        parts += [_table(card.summary()), VIEWS]
    parts += [*([AFRESH] if card.summary() else []), _table(card.totals())]
    made = []
    for name, title, verdicts, rows, panels in scored:
        parts.append(f"## {title} (`{name}`)\n")
        texts = {v.fact.id: _text(v) for v in verdicts}
        columns = ["fact", "what", "observed", "band", "unit", "p50", "p05_to_p95"]
        columns += ["with_discrepancy", "result", "left_out"] if card.summary() else ["result"]
        parts.append(_table([{"what": texts[row["fact"]], **row} for row in rows], columns))
        if panels:
            stem = folder / "img" / f"backcast_{name}"
            made += save(draw_panels(title, panels), stem)
            parts.append(f"![Simulated bands and observed points, {title}](img/{stem.name}.png)\n")
    notes = folder / "scorecard_notes.md"
    if notes.is_file():
        parts.append(notes.read_text(encoding="utf-8"))
    if card.parameters():
        parts += ["## What history says of each number of behaviour\n", KNOWN]
        parts.append(_table(card.parameters()))
    page = folder / "scorecard.md"
    save_text(page, "\n".join(parts))
    save_text(
        folder / "backcast.csv", facts_csv([v for _, _, verdicts, *_ in scored for v in verdicts])
    )
    readme = folder.parent / "README.md"
    if readme.is_file() and MARKS[0] in readme.read_text(encoding="utf-8"):
        save_text(readme, _between(readme.read_text(encoding="utf-8"), _short(scored, card)))
        made.append(readme)
    return [page, *made]


def _between(page: str, text: str) -> str:
    """The page with the text between its marks."""
    head, rest = page.split(MARKS[0], 1)
    _, tail = rest.split(MARKS[1], 1)
    return f"{head}{MARKS[0]}\n{text}{MARKS[1]}{tail}"


def _short(scored: Scored, card: Card) -> str:
    """The scorecard on one screen: the sentence, by view, by episode, fact by fact to unfold."""
    facts = [
        {"what": v.fact.text, **row}
        for _, _, verdicts, rows, _ in scored
        for v, row in zip(verdicts, rows, strict=True)
        if v.fact.scored
    ]
    columns = ["fact", "what", "observed", "band", "p50", "p05_to_p95"]
    columns += ["with_discrepancy", "result", "left_out"] if card.summary() else ["result"]
    note = f"{AFRESH}\n" if card.summary() else ""
    return (
        (f"{card.breath}\n\n" if card.breath else "")
        + (f"{_table(card.summary())}\n" if card.summary() else "")
        + f"<details><summary>By episode ({len(scored)})</summary>\n\n{note}{_table(card.totals())}\n</details>\n"
        + f"<details><summary>Fact by fact</summary>\n\n{_table(facts, columns)}\n</details>\n"
    )


def _text(verdict: Any) -> str:
    note = f" {verdict.fact.note}" if verdict.fact.note else ""
    return f"{verdict.fact.text}.{note}"


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> str:
    columns = columns or list(rows[0])
    named = {"p05_to_p95": "5–95 %", "p50": "simulated", "with_discrepancy": "with discrepancy"}
    heads = [named.get(c, c.replace("_", " ")) for c in columns]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = [str(row.get(c, "")).replace("..", " to ").replace("|", "\\|") for c in columns]
        lines.append("| " + " | ".join(" ".join(c.split()) for c in cells) + " |")
    return "\n".join(lines) + "\n"
