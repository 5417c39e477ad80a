"""Any metric of a finished run: from the worlds it kept, else by running the same worlds again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.border.numbers import parse_date
from lodestone.outputs.results import Results
from lodestone.studies.metrics import check_metric, column_of, metric_of, paired, values_in

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain
    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["cases_of", "metric_of_run", "remarks_of_run", "window_of_run"]


def metric_of_run(results: Results, metric: str) -> np.ndarray:
    """Return a metric in every world of a run, shape (w,).

    Parameters
    ----------
    metric
        With its selectors, as typed; ``delta(...)`` and ``reference(...)`` of it too. What the
        run did not keep (dates, lists of regions) is computed by running its worlds again; they
        are the same worlds to the bit.

    Raises
    ------
    InputError
        An unknown metric, selector or word; a run alone that is asked for a difference; or a run
        by other code or other seeds, whose worlds cannot be run again.
    """
    column = check_metric(metric)
    for message, hint in _problems(results, metric):
        raise InputError(message, file=results.folder, key=metric, hint=hint)
    how = column_of(metric)[0]
    table = results.worlds
    if how != "level" and not any(c.startswith("reference_") for c in table.columns):
        raise InputError("the run has no reference", file=results.folder, key=metric)
    if column in table.columns and (how == "level" or f"reference_{column}" in table.columns):
        return values_in(table, metric, results.folder)
    asked = _as_written(metric)
    if asked in table.columns and (how == "level" or f"reference_{asked}" in table.columns):
        own = table[asked].to_numpy(dtype=float)
        calm = None if how == "level" else table[f"reference_{asked}"].to_numpy(dtype=float)
    else:
        own, calm = _again(results, column, how != "level")
    if how == "level":
        return own
    assert calm is not None
    return calm if how == "reference" else paired(own, calm)


def _problems(results: Results, metric: str) -> list[tuple[str, str | None]]:
    """What a run cannot be asked: told before its worlds are run again."""
    from lodestone.outputs.selectors import metric_problems

    return metric_problems(metric_of(metric), _chain(results), *_span(results))


def remarks_of_run(results: Results, metric: str) -> list[str]:
    """Return what to know of a metric of a run, one sentence each.

    How it takes countries inside regions, and whether the run reaches the end of what it looks at.
    """
    from lodestone.outputs.selectors import metric_remarks, window_remarks

    item = metric_of(metric)
    return [
        *metric_remarks(item, _chain(results)),
        *window_remarks(item, *_span(results), _shocks(results)),
    ]


def window_of_run(results: Results, metric: str) -> str:
    """Return the time that a metric of a run looks at (see `lodestone.outputs.metrics.window`)."""
    from lodestone.outputs.metrics.window import looks_at

    item = metric_of(metric)
    return looks_at(item.name, dict(item.selectors), *_span(results), _shocks(results))


def _shocks(results: Results) -> tuple[date, date] | None:
    held = [parse_date(str(day)) for day in results.provenance.get("first_disruption") or ()]
    return (held[0], held[-1]) if held else None


def _span(results: Results) -> tuple[date, date]:
    said = results.config["scenario"]
    return parse_date(str(said["start"])), parse_date(str(said["end"]))


def _chain(results: Results) -> Chain:
    from lodestone.chain.load import load_chain

    return load_chain(str(results.config["scenario"]["vintage"]))


def _as_written(metric: str) -> str:
    """The column of a metric that headline or hypothesis ask for: as it is written there."""
    from lodestone.border.expressions import parse_metric, written

    text = metric.strip()
    for how in ("delta(", "reference("):
        if text.startswith(how) and text.endswith(")"):
            text = text[len(how) : -1].strip()
    return text if "[" in text.split("(")[0] else written(parse_metric(text))


def cases_of(results: Results) -> tuple[Scenario, Scenario | None, Settings]:
    """Return the scenario, the reference and the settings that a run folder was made from.

    Raises
    ------
    InputError
        The run was made by other code or from other seeds.
    """
    from lodestone.outputs.provenance import code_hash, seeds_hash
    from lodestone.runs.settings import Settings

    held, config = results.provenance, results.config
    cases = [config["scenario"], config.get("reference")]
    vintages = {str(c["vintage"]) for c in cases if isinstance(c, dict)}
    for key, now, what in (
        ("code_hash", code_hash(), "another version of the program"),
        ("seeds_hash", seeds_hash(*vintages), "other seeds"),
    ):
        if held.get(key) != now:
            raise InputError(
                f"was made with {what}, so its worlds cannot be run again",
                file=results.folder,
                hint="Metrics that it kept can be read; run the scenario anew for others.",
            )
    settings = Settings(
        worlds=int(config["ensemble"]["worlds"]),
        seed=int(config["ensemble"]["seed"]),
        market_days=int(config["clock"]["market_days"]),
        allocation=config.get("allocation"),
        discount_rate=float(config.get("discount_rate", 0.05)),
    )
    reference = config.get("reference")
    return (
        _scenario(config["scenario"], results.folder),
        _scenario(reference, results.folder) if isinstance(reference, dict) else None,
        settings,
    )


def _scenario(mapping: dict[str, Any], folder: Path) -> Scenario:
    from lodestone.scenario import build_scenario

    own = {k: v for k, v in mapping.items() if k not in ("variant", "overlays")}
    # Its reference stands in the folder; a file of that name may not exist any more.
    built = build_scenario({**own, "reference": "none"}, file=folder / "config.yaml")
    return replace(built, reference=None)


def _again(
    results: Results, column: str, with_reference: bool
) -> tuple[np.ndarray, np.ndarray | None]:

    from lodestone.runs.evaluate import evaluate_on, keeps_worlds

    if keeps_worlds(results.folder):
        name, mark, inside = column.partition("[")
        text = f"{name}({inside[:-1]})" if mark else name
        own = evaluate_on(results.folder, text)
        return own, evaluate_on(results.folder, text, "reference") if with_reference else None
    from lodestone.studies.evaluate import run_task
    from lodestone.studies.task import Task

    scenario, reference, settings = cases_of(results)
    task = Task("again", scenario, reference, settings, (column,))
    found = run_task(task)
    if found.error is not None:
        raise InputError(found.error[1], file=results.folder, key=column)
    calm = None
    if with_reference and reference is not None and found.shock is not None:
        other = run_task(Task("again", reference, None, settings, (column,), (found.shock,)))
        if other.error is not None:
            raise InputError(other.error[1], file=results.folder, key=column)
        calm = other.metrics[0][column]
    return found.metrics[0][column], calm
