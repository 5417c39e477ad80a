"""Run scenarios one after the other: progress, summary table, report."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.numbers import parse_date

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from datetime import date

    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["run_job", "short"]

#: Disk from which on a run says beforehand what it will need, bytes.
WORTH_TELLING = 1e9


def run_job(scenarios: Sequence[Scenario], settings: Settings) -> list[Path]:
    """Run scenarios one after the other, with progress, summary table and report.

    Returns
    -------
    list of Path
        The absolute run folders.
    """
    from lodestone.chain.load import load_chain
    from lodestone.cli.console import Progress, say
    from lodestone.outputs.selectors import own_remarks
    from lodestone.runs.identity import remarks
    from lodestone.runs.ready import budget, ready
    from lodestone.runs.simulate import simulate

    each = [
        replace(settings, out=settings.out / s.name)
        if settings.out is not None and len(scenarios) > 1
        else settings
        for s in scenarios
    ]
    if settings.cluster is not None:
        if settings.out is None:
            raise InputError(
                "needs a folder that its workers see",
                key="cluster",
                hint="Add out=DIR on a disk that all of them share.",
            )
        each = [replace(own, out=own.out.absolute()) for own in each if own.out is not None]
    for scenario, own in zip(scenarios, each, strict=True):
        ready(scenario, own)
        needed = budget(scenario, own)
        if needed.disk > WORTH_TELLING and not settings.quiet:
            say(f"{scenario.name}: {needed.told()} while it runs")
    folders = []
    for scenario, own in zip(scenarios, each, strict=True):
        odd, more = own_remarks(scenario, load_chain(scenario.vintage))
        for remark in (*odd, *remarks(scenario)):
            say(f"warning: {scenario.name}: {remark}")
        if more and not settings.quiet:
            say(f"{scenario.name}: {shipped_told(more)}")
        with Progress(quiet=settings.quiet) as progress, _machines(scenario, own) as others:
            folder = Path(simulate(scenario, own, progress=progress, executor=others)).resolve()
        if settings.report_formats:
            from lodestone.report import write_report

            if not settings.quiet:
                say(f"{scenario.name}: writing the report")
            made = write_report(folder, settings.report_formats)
            if not settings.quiet:
                say(f"report: {made[0]}")
        folders.append(folder)
    for scenario, folder in zip(scenarios, folders, strict=True):
        if not settings.quiet:
            _summary(scenario, folder, settings)
    for folder in folders:
        print(folder)
    return folders


def shipped_told(count: int) -> str:
    """Where remarks on what is shipped are read, which are not printed."""
    many = "a remark" if count == 1 else f"{count} remarks"
    return f"{many} on what is shipped: see 'lodestone show' or the memo"


@contextmanager
def _machines(scenario: Scenario, settings: Settings) -> Iterator[Executor | None]:
    """The cluster that the settings name, whose workers see the run folder; None without one."""
    if settings.cluster is None:
        yield None
        return
    from lodestone.studies.cluster import cluster_executor

    with cluster_executor(settings.cluster, [scenario.vintage]) as executor:
        yield executor


def _told(scenario: Scenario) -> str:
    """The scenario's name with the variant and overlays applied."""
    applied = [a for a in (scenario.variant, *scenario.overlays) if a]
    return f"{scenario.name} ({', '.join(map(str, applied))})" if applied else scenario.name


def _summary(scenario: Scenario, folder: Path, settings: Settings) -> None:
    """Print the headline rows of a run folder's summary (all regions, sectors and elements)."""
    from lodestone.cli.console import print_table, say
    from lodestone.outputs.metrics.window import looks_at

    span = scenario.start, scenario.end, _first_disruption(folder)
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    head = [
        r for r in rows if all(r.get(k) in ("all", "") for k in ("region", "sector", "element"))
    ]
    columns = ["metric", "window", "unit", "p05", "p50", "p95", "reference_p50", "delta_p50"]
    numbers = columns[3:]
    shown = [r | {c: _cell(r, c) for c in numbers} for r in head or rows]
    for row in shown:
        row["window"] = looks_at(row["metric"], {}, *span)
        row["complete"] = not row.get("note", "").startswith("not complete")
        if not row["complete"] and not settings.json:
            row["metric"] += " *"
    notes = dict.fromkeys(r["note"].partition(";")[0] for r in shown if not r["complete"])
    print_table(
        shown,
        [*columns, "complete", "note"] if settings.json else columns,
        as_json=settings.json,
        title=f"{_told(scenario)} against {scenario.reference or 'nothing'}, {settings.worlds} worlds",
        right=numbers,
    )
    if not settings.json:
        for note in notes:
            say(f"* {note}")


def _first_disruption(folder: Path) -> tuple[date, date] | None:
    """First and last day of the first disruption over the worlds of a run; None where not known."""
    written = folder / "provenance.json"
    if not written.is_file():
        return None
    first, last = json.loads(written.read_text(encoding="utf-8"))["first_disruption"]
    return parse_date(first), parse_date(last)


def _cell(row: dict[str, Any], column: str) -> Any:
    """A number with four digits, or the word of the row's note where there is none."""
    for part in (row.get("note") or "").split("; "):
        columns, _, why = part.partition(": ")
        if column in columns.split(", "):
            return "never" if why == "never within the run" else ""
    return short(row.get(column))


def short(cell: Any, difference: bool = False) -> Any:
    """Return a number with four digits, words where there is none; what is no number as it is.

    Endless is *never*, and *not comparable* where a difference is endless or not known.
    """
    try:
        number = float(f"{float(cell):.4g}")
    except (TypeError, ValueError):
        return cell
    if difference and not isfinite(number):
        return "not comparable"
    return "never" if number == inf else number
