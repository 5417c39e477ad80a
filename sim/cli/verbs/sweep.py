"""``lodestone sweep``: a scenario at many points, resumable, on this machine or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.cli.verb import Flag, Words, setting_flags, verb

if TYPE_CHECKING:
    from lodestone.studies.request import Request
    from lodestone.studies.study import Study

MORE = """
Runs every point, each with its reference, on the same worlds, and writes one table with a row a
point (results.csv), figures and a report. Points that are done are never run again: the same
command takes up an interrupted study, and values added to a key run only the new points.

  lodestone sweep cutoff_total scenario.overrides.stockpile.japan.days=0,30,60,90
  lodestone sweep licence_shock_april_2025 variant=all 'metric=first_stoppage(region=europe)'
  lodestone sweep licence_shock_april_2025 \\
      'scenario.interventions.april_2025_licences.spillover=linspace(0,1,5)' \\
      scenario.overrides.stockpile.japan.days=0,60 base=days=0,spillover=0
  lodestone sweep scenario=calm_2024,current_law ensemble.worlds=50
  lodestone sweep FOLDER                     goes on with the study of that folder
  lodestone sweep FOLDER --status            says what is done

Values: key=a,b,c   key=range(0,90,30) (without its end)   key=linspace(0,1,5)
  key=logspace(0,3,4) (1, 10, 100, 1000)   lists in brackets: 'overlays=[a,b],[a],[]'
  key=uniform(0,1), triangular(..), normal(..), lognormal(..), choice(..) with a sampled design
Designs: design=grid (every combination), zip (values one by one), lhs or sobol with points=N.
Keys: any that 'lodestone run' takes, and scenario=, variant= (all: every variant), overlays=,
  vintage=.
metric=M: what to show; any of 'lodestone list metrics' with its selectors, several with commas.
base=key=value,..: the point from which differences are taken (or its number).

Options: --yes (run it although it is large), --status, --threshold 'M < 0.05 in 95%' (the smallest
value of a swept key from which on it holds; of several keys, end it in ' by KEY'), --worlds N,
--seed N, --workers N, --out DIR, --quiet, --json. cluster=ADDRESS (or a scheduler file) runs the points on a dask cluster: docs/studies.md."""


@verb(
    about="runs a scenario at many points and compares them; resumes where it was interrupted",
    usage="lodestone sweep SCENARIO key=values [key=values ...] [design=...] | FOLDER",
    order=42,
    flags=(
        *setting_flags(),
        Flag("--yes", value=False),
        Flag("--status", value=False),
        Flag("--threshold"),
    ),
    more=MORE,
)
def work(words: Words) -> int:
    """Run what is missing of a study, write its tables and report, print its folder."""
    from lodestone.cli.console import Progress, say
    from lodestone.report.study_memo import write_study_report
    from lodestone.studies.study import Study
    from lodestone.studies.sweep import begin, measure, run_plan
    from lodestone.studies.threshold import read_threshold, swept_key

    request = _request(words)
    asked = words.flags.get("--threshold")
    thresholds = [(read_threshold(asked), None)] if asked else []
    plan, folder = begin(request, [t.metric for t, _ in thresholds])
    for threshold, _ in thresholds:
        swept_key(plan.points, threshold)
    size = measure(plan, folder)
    quiet = words.on("--quiet")
    if words.on("--status"):
        print(size.told())
        print(folder.folder.resolve())
        return 0
    if not quiet:
        for remark in plan.unusual[:5]:
            say(f"warning: {remark}")
        say(size.told())
    if (why := size.too_large()) and not words.on("--yes"):
        raise InputError(
            f"the study is large: {why} ({size.told()})",
            key="lodestone sweep",
            hint="Add --yes to run it, or take fewer points, worlds or years.",
        )
    with Progress(quiet=quiet) as progress:
        done = run_plan(plan, folder, progress)
    study = Study(plan, folder, done["failed"])
    study.save()
    if study.points:
        formats = request.carried.get("report.formats", ["md", "html"])
        made = write_study_report(study, (), thresholds, formats)
        if not quiet:
            _show(study, words.on("--json"), thresholds)
            if made:
                say(f"report: {made[-1].resolve()}")
    for key in study.idle_keys():
        say(f"warning: {key} makes no difference: every metric is the same at all of its values")
    if done["failed"]:
        say(f"{len(done['failed'])} points failed; see {folder.folder / 'failed.csv'}")
    print(study.folder)
    return 1 if done["failed"] and not study.points else 0


def _request(words: Words) -> Request:
    from dataclasses import replace

    from lodestone.studies.request import request_from_words
    from lodestone.studies.study import request_of

    if len(words.names) == 1 and (Path(words.names[0]) / "study.yaml").is_file():
        request = request_of(words.names[0])
        carried = ("workers=", "cluster=")
        for pair in words.pairs:
            if not pair.startswith(carried):
                raise InputError(
                    f"'{pair}' would change the study",
                    key=words.names[0],
                    hint="Write the whole command again with out=FOLDER to extend it.",
                )
        more = {k: v for k, _, v in (p.partition("=") for p in words.pairs)}
        held = {k: v for k, v in words.settings.items() if k == "workers"}
        return replace(request, carried={**request.carried, **more, **held})
    settings = dict(words.settings)
    carried_flags: dict[str, Any] = {
        k: settings.pop(k) for k in ("workers", "out") if k in settings
    }
    pairs = [*words.pairs, *(f"{k}={v}" for k, v in settings.items())]
    return request_from_words(words.names, pairs, carried_flags)


def _cell(value: Any, without: Any) -> Any:
    """A number with four digits; what never comes, or is nothing, as told."""
    from math import isfinite

    from lodestone.cli.running import short

    return short(value) if isfinite(float(value)) else without


def _show(study: Study, as_json: bool, thresholds: list[Any]) -> None:
    from lodestone.cli.console import print_table
    from lodestone.report.study_memo import shown_metrics, threshold_lines
    from lodestone.studies.metrics import column_of
    from lodestone.studies.points import short_names

    names = short_names(study.keys)
    columns = [column_of(m)[1] for m in shown_metrics(study)][:4]
    frame = study.table(columns)
    rows = []
    for row in frame.to_dict("records")[:60]:
        held = {names[k]: row[k] for k in study.keys}
        for column in columns:
            for q in ("p05", "p50", "p95"):
                held[f"{column} {q}"] = _cell(row[f"{column}_{q}"], None if as_json else "never")
            if f"{column}_delta_p50" in row:
                held[f"{column} delta"] = _cell(row[f"{column}_delta_p50"], None if as_json else "")
        rows.append(held)
    if rows:
        heads = list(rows[0])
        print_table(rows, heads, as_json=as_json, right=heads[len(names) :])
    for threshold, key in thresholds:
        for line in threshold_lines(study, threshold, key):
            print(line.removeprefix("- "))
