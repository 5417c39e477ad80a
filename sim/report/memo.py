"""The policy memo: one Markdown template, rendered by pandoc, from a run folder only."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.words import unknown

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.report.reading import Reading

__all__ = ["FORMATS", "answer", "headline", "write_memo"]

FORMATS = ("html", "md", "docx")
LATER = ("pdf",)
TEMPLATES = Path(__file__).parent / "templates"
READER = "markdown-raw_html-raw_tex-tex_math_dollars-citations-yaml_metadata_block"

# Metrics as people call them, in the order of the table. Others follow in the order of the file.
TITLES = {
    "gross_unmet_t": "Gross shortfall, before stocks are drawn",
    "unmet_t": "Net shortfall, what is really not used",
    "unmet_share": "Net shortfall as a share of planned use",
    "peak_unmet_share": "Highest weekly net shortfall, share of planned use",
    "unmet_share_peak": "Highest weekly net shortfall, share of planned use",
    "onset": "Start of the shortage, after the first disruption",
    "first_stoppage": "First users stop, after the first disruption",
    "time_to_survive_weeks": "Time to survive",
    "shortage_weeks": "Length of the shortage",
    "time_to_recover_weeks": "Time to recover",
    "stoppages": "Stopped classes of users",
    "catch_up_share": "Share of the shortfall made up later",
    "stoppage_weeks": "Longest time that users of one sector and region stand",
    "magnet_exports_t": "Declared magnet exports of China in the year after",
    "leak_t": "Undeclared shipments",
    "licences_granted_share": "Licences granted of those filed, at the end",
    "price_peak_multiple": "Highest price multiple",
    "price_multiple_home": "Highest price multiple, home",
    "price_multiple_ask": "Highest price multiple, ask",
    "price_multiple_paid": "Highest price multiple, paid",
    "lost_output_usd_million": "Value of lost output (upper bound)",
    "premium_usd_million": "Paid above base-year prices",
    "tariff_usd_million": "Tariffs paid",
    "public_outlay_usd_million": "Public outlay",
    "lost_output_usd_million_per_day": "Value of output lost on the worst day",
    "lost_output_per_usd": "Lost output per dollar of missing magnets",
    "price_gap_peak": "Highest ask outside over home price",
    "top_share": "Largest region's share of magnet output in the last year",
}
UNITS = {
    "USD million a day": "million USD a day",
    "USD per USD": "times",
    "t_magnet": "t of magnet",
    "t_oxide": "t of oxide",
    "t_reo": "t of REO",
    "multiple": "\u00d7",
    "x": "\u00d7",
    "usd_million": "million USD",
    "USD million": "million USD",
    "usd_per_kg": "USD per kg",
    "share": "%",
}
NEVER = "not within the horizon"


def write_memo(folder: Path | str, formats: Iterable[str] = ("html", "md")) -> list[Path]:
    """Draw the figures and write the memo of a run folder in the formats asked for.

    Parameters
    ----------
    folder
        A run folder; `figures/` and `report.*` are written into it.
    formats
        Any of `html` (one self-contained file), `md`, `docx`.

    Returns
    -------
    list of Path
        The memo's files, in the order of `formats`.

    Raises
    ------
    InputError
        If a format is not known, or a table of the run folder is missing or damaged.
    """
    wanted = list(dict.fromkeys(formats))
    for name in wanted:
        if name in LATER:
            raise InputError(
                f"the format '{name}' is not available in this version",
                key="report.formats",
                hint="Choose html, which prints well, docx or md.",
            )
        if name not in FORMATS:
            raise unknown("format", name, FORMATS, key="report.formats")
    if not wanted:
        return []

    from lodestone.outputs.results import Results
    from lodestone.report.figures import draw_all
    from lodestone.report.reading import Reading

    draw_all(folder)
    reading = Reading(Results.load(folder))
    facts = _facts(reading)
    return [_render(reading, facts, name) for name in wanted]


def _render(reading: Reading, facts: dict[str, Any], form: str) -> Path:
    """Write `report.FORM` and return it."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        comment_start_string="<#",
        comment_end_string="#>",
        autoescape=False,
    )
    environment.filters["md"] = escape
    picture = "svg" if form == "html" else "png"
    text = environment.get_template("memo.md.j2").render(
        **facts, picture=picture, plain=form == "md"
    )
    folder = reading.results.folder
    target = folder / f"report.{form}"
    part = folder / f".report.part.{form}"
    try:
        if form == "md":
            part.write_text(text, encoding="utf-8")
        else:
            _pandoc(text, form, part, folder, reading)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _pandoc(text: str, form: str, part: Path, folder: Path, reading: Reading) -> None:
    import pypandoc

    extra = ["--columns=10000", f"--resource-path={folder}", "--metadata=lang:en"]
    extra.append(f"--metadata=pagetitle:{reading.title}")
    if form == "html":
        extra += ["--standalone", "--embed-resources", f"--template={TEMPLATES / 'memo.html'}"]
    pypandoc.convert_text(
        text,
        "html5" if form == "html" else form,
        format=READER,
        outputfile=str(part),
        extra_args=extra,
    )


def escape(value: object) -> str:
    """Return text that Markdown shows as it is, also in a table's cell."""
    text = " ".join(str(value).split())
    for sign in "\\`*_{}[]<>#|~^":
        text = text.replace(sign, f"\\{sign}")
    return text


def _facts(reading: Reading) -> dict[str, Any]:
    """Return everything that the template shows."""
    results = reading.results
    curve = reading.curve()
    return {
        "title": reading.title,
        "name": reading.name,
        "question": str(reading.scenario.get("question", "")),
        "narrative": str(reading.scenario.get("narrative") or ""),
        "reference": reading.reference,
        "worlds": reading.worlds,
        "first": curve.index[0].date(),
        "last": curve.index[-1].date(),
        "vintage": str(reading.scenario.get("vintage", "")),
        "answer": answer(reading),
        "headline": headline(reading),
        "figures": _figures(results.folder / "figures" / "index.csv"),
        "calendar": _calendar(reading),
        "verdict": _generic(reading, "verdict"),
        "claims": _claims(reading),
        "assumptions": _generic(reading, "assumptions"),
        "outside": [str(x) for x in results.provenance.get("outside_ranges") or ()],
        "sources": _sources(reading),
        "provenance": _provenance(reading),
        "command": str(results.provenance.get("command") or f"lodestone run {reading.name}"),
    }


def answer(reading: Reading) -> list[str]:
    """Return the answer in three sentences: how short and when, who and why, at what price."""
    return [_how_short(reading), _who(reading), _price_and_cost(reading)]


def _how_short(reading: Reading) -> str:
    from lodestone.report.reading import NOTICEABLE
    from lodestone.report.wording import band, day, number, percent

    found = reading.shortage()
    curve = reading.curve()
    noticeable = percent(NOTICEABLE)
    if found.likelihood == "none":
        gross = curve["gross_unmet_t_magnet_per_week_p50"]
        share = (gross / curve["demand_t_magnet_per_week"]).max()
        text = (
            f"There is no shortage: in 95 % of worlds less than {noticeable} of planned use of magnets stays unmet at "
            "every date"
        )
        if share >= NOTICEABLE:
            text += (
                f", because stocks bridge a gap that would reach {percent(float(share))} of planned "
                "use without them (median world)"
            )
        return f"{text}."
    total = reading.metric(("unmet_t", "net_unmet_t"))
    if total is not None:
        amount = f"{band(total['p50'], total['p05'], total['p95'], 't of magnet')} in all"
    else:
        mean = float(curve["unmet_t_magnet_per_week_mean"].sum()) * reading.weeks
        amount = f"{number(mean)} t of magnet in all on average over the worlds"
    if found.likelihood == "possible":
        worst = amount if total is None else f"{number(total['p95'])} t of magnet in all"
        return (
            "A shortage is unlikely: in the median world less than "
            f"{noticeable} of planned use of magnets stays unmet at every date, but in the worst "
            f"twentieth of the worlds {percent(found.p95)} or more does around {day(found.peak)} "
            f"({worst})."
        )
    sure = "in at least 95 % of worlds" if found.likelihood == "sure" else "in most worlds"
    assert found.onset is not None and found.end is not None
    until = (
        f"is not over at the horizon ({day(found.end)})"
        if found.open_end
        else f"is over by {day(found.end)} in the median world"
    )
    text = (
        f"Users run short {sure}: the shortage starts around {day(found.onset)}, peaks around "
        f"{day(found.peak)} at {percent(found.p50, found.p05, found.p95)} of planned use and "
        f"{until}; {amount} go unused"
    )
    stop = reading.metric(("first_stoppage",))
    if stop is not None and math.isfinite(stop["p50"]):
        text += (
            "; the first users stop "
            f"{band(stop['p50'], stop['p05'], stop['p95'], str(stop['unit']))} after the first "
            "disruption"
        )
    return f"{text}."


def _who(reading: Reading) -> str:
    from lodestone.report.reading import NOTICEABLE
    from lodestone.report.wording import human, joined, percent

    overall = reading.shortage()
    hardest = []
    for axis in ("region", "sector"):
        worst = reading.hardest(axis)
        if worst is not None:
            name, f = worst
            hardest.append(f"{human(name)} ({percent(f.p50, f.p05, f.p95)} at its peak)")
    if not hardest:
        text = "No region and no sector runs short in the median world"
    else:
        verb = "are" if len(hardest) > 1 else "is"
        text = f"Hardest hit {verb} {joined(hardest)}"
        binding = reading.binding()
        if binding is not None:
            stage, element, share = binding
            what = (
                f"{human(element)} at the {human(stage)} stage"
                if element
                not in {
                    "",
                    "all",
                    "none",
                }
                else f"the {human(stage)} stage"
            )
            text += f"; what binds most often is {what} ({percent(share)} of the worlds, averaged over the weeks with a bottleneck)"
    if reading.reference is None:
        return f"{text}; the scenario was run alone, so nothing is said about differences."
    reference = overall.reference_p50
    if math.isnan(reference):
        return f"{text}."
    if reference >= NOTICEABLE:
        return (
            f"{text}; the reference {escape(reading.reference)} itself leaves {percent(reference)} "
            "unmet at that date."
        )
    return (
        f"{text}; in the reference {escape(reading.reference)} there is no shortage at that date."
    )


def _price_and_cost(reading: Reading) -> str:
    from lodestone.report.figures.costs import cost_sentence
    from lodestone.report.figures.prices import price_sentence, shown_materials
    from lodestone.report.wording import band

    materials = shown_materials(reading)
    text = price_sentence(reading, materials) if materials else "No prices were recorded"
    costs = cost_sentence(reading)
    text += f"; {costs[0].lower()}{costs[1:]} (means over the worlds)"
    lost = reading.metric(("lost_output_usd_million", "lost_output"))
    if lost is not None and lost["p95"] > 0:
        value = band(lost["p50"], lost["p05"], lost["p95"], "million USD")
        text += f", with lost output at {value} as an upper bound"
    return f"{text}."


def headline(reading: Reading) -> list[dict[str, str]]:
    """Return the rows of the headline table: what, scenario, reference, difference.

    Metrics that have a title here; ``summary.csv`` holds them all.
    """
    from lodestone.report.wording import human

    table = reading.results.table("summary")
    whole = table[table["region"].isin(["all", ""]) & table["sector"].isin(["all", ""])]
    rows = []
    for name, title_of in TITLES.items():
        for _, row in whole[whole["metric"] == name].iterrows():
            title = title_of
            if row["element"] not in {"", "all"}:
                title += f", {human(row['element'])}"
            unit = str(row["unit"])
            alone = reading.reference is None
            rows.append(
                {
                    "what": title,
                    "scenario": _cell(row, ("p50", "p05", "p95"), unit),
                    "reference": "" if alone else _cell(row, ("reference_p50",), unit),
                    "difference": ""
                    if alone
                    else _cell(row, ("delta_p50", "delta_p05", "delta_p95"), unit, signed=True),
                }
            )
    return rows[:40]


def _cell(row: pd.Series, columns: tuple[str, ...], unit: str, *, signed: bool = False) -> str:
    """Return a number with its band and unit for the table."""
    from lodestone.report.wording import band, number

    values = [float(row[c]) for c in columns]
    if math.isnan(values[0]) or (math.isinf(values[0]) and len(values) == 1):
        timed = unit in {"days", "weeks", "months", "years", "date"}
        return NEVER if timed and not signed else "\u2013"
    if unit == "share":
        values = [100 * v for v in values]
    shown = UNITS.get(unit, unit.replace("_", " "))
    if signed and unit == "share":
        shown = "points"
    if len(values) == 1:
        space = "" if shown == "\u00d7" else " "
        return f"{number(values[0])}{space}{shown}".strip()
    if math.isinf(values[0]) and signed:
        return "\u2013"
    middle, low, high = values
    return band(middle, low, high, shown, signed=signed)


def _figures(index: Path) -> list[dict[str, str]]:
    with index.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _calendar(reading: Reading) -> list[dict[str, str]]:
    from lodestone.report.calendar import condensed
    from lodestone.report.wording import human

    rows = []
    for row in condensed(reading).itertuples(index=False):
        when = f"{row.first:%Y-%m-%d}"
        if row.times > 1:
            when += f" to {row.last:%Y-%m-%d}, {row.times} times"
        where = "" if row.where in {"", "all"} else human(row.where)
        what = human(row.what) + _in_worlds(str(row.worlds))
        rows.append({"when": when, "what": what, "where": where, "source": str(row.source)})
    return rows[:200]


def _in_worlds(worlds: str) -> str:
    """Return in how many worlds an entry stands, where it is not in all."""
    from lodestone.report.wording import percent

    if worlds in {"", "all"}:
        return ""
    try:
        share = float(worlds)
    except ValueError:
        return f" (worlds: {worlds})"
    return "" if share >= 1 else f" (in {percent(share)} of worlds)"


def _generic(reading: Reading, name: str) -> dict[str, Any] | None:
    """Return a small table as it stands: its columns in plain words and its rows."""
    from lodestone.report.wording import capital

    if not reading.results.has(name):
        return None
    table = reading.results.table(name)
    if table.empty:
        return None
    return {
        "columns": [capital(str(c).replace("_", " ")) for c in table.columns],
        "rows": [[_plain(v) for v in row] for row in table.itertuples(index=False)],
    }


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
        rows.append({k: given.get(k, "") for k in ("key", "title", "publisher", "date", "url")})
    return rows


def _provenance(reading: Reading) -> list[tuple[str, str]]:
    """Return the entries of the provenance that are single words or numbers."""
    skip = {"command", "wall_time", "wall_time_s", "created", "finished", "started"}
    return [
        (key.replace("_", " "), str(value))
        for key, value in reading.results.provenance.items()
        if isinstance(value, str | int | float) and key not in skip
    ]
