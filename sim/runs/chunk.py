"""One batch of worlds of one case, run and left on disk as a part."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lodestone.border.files import save_text
from lodestone.engine.run import BatchRun
from lodestone.outputs.claims import claims_of, values_of
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS, evaluate
from lodestone.outputs.parts import LABELS, rounded, write_part
from lodestone.outputs.recorder import Recorder
from lodestone.outputs.selectors import asked_metrics
from lodestone.runs.compiled import Compiled, shock_days
from lodestone.runs.identity import Stamp
from lodestone.scenario import Scenario

if TYPE_CHECKING:
    from lodestone.worlds.conditions import Conditions

#: Series that a run of many worlds keeps rounded. What adds up exactly, and prices at home, is kept
#: as it is; metrics of every world are worked out before anything is rounded.
ROUNDED = (
    "gross",
    "unmet",
    "military_gross",
    "military_unmet",
    "ask",
    "paid",
    "cost",
    "declared",
    "grey",
    "output",
    "stock",
    "used",
    "ore",
)


def part_name(worlds: np.ndarray) -> str:
    """Name of the part of some worlds: first and last, padded, so that names sort by world."""
    return f"{int(worlds[0]):07d}-{int(worlds[-1]):07d}"


def record(
    compiled: Compiled,
    worlds: np.ndarray,
    shocks: Callable[[BatchRun], np.ndarray],
    tick: Callable[[float], None] | None = None,
) -> tuple[BatchRun, Series]:
    """Run some worlds and keep their series.

    Parameters
    ----------
    compiled : Compiled
    worlds : ndarray of int, shape (w,)
    shocks : callable
        Gives the day from which consequences are counted, shape (w,), for the batch.
    tick : callable, optional
        Called now and then with the share that is done.
    """
    # A batch and its calendar point at each other: give back the last one's memory first.
    gc.collect()
    run = compiled.batch(worlds)
    recorder = Recorder(run, shocks(run))
    run.watchers.append(recorder)
    if tick is not None:
        run.watchers.append(_Ticker(tick, len(recorder.times)))
    run.run()
    return run, Series.of(recorder, compiled.discount_rate)


def run_chunk(
    case: str,
    compiled: Compiled,
    worlds: np.ndarray,
    folder: Path,
    both: tuple[Compiled, Scenario | None],
    stamp: Stamp,
    exact: bool,
    tick: Callable[[float], None] | None = None,
) -> None:
    """Run a batch of worlds of one case and leave its part on disk.

    Parameters
    ----------
    case : str
        ``scenario`` or ``reference``.
    compiled : Compiled
        The case to run.
    folder : Path
        Of this case's parts.
    both : (scenario, reference)
        Both, because metrics of both are counted from the scenario's first disruption.
    stamp : Stamp
        Code and seeds that the run began with.
    exact : bool
        Whether series are kept as they are; else those of `ROUNDED` to 0.2 %.

    Raises
    ------
    InputError
        Code or seeds are others by now.
    ModelError
        The mass balance does not close.
    """
    scenario, reference = both
    stamp.hold()
    run, series = record(
        compiled,
        worlds,
        lambda run: shock_days(scenario, reference, worlds, run if case == "scenario" else None),
        tick,
    )
    metrics = evaluate(series)
    asked = asked_of(scenario.scenario, series)
    said = values_of(series, claims_of(run.chain, scenario.scenario))
    tested = {name: values for name, values in said.items() if not isinstance(values, str)}
    wide, names, timelines = len(series.worlds), sorted(series.draws), run.timelines()

    def table(rows: list[np.ndarray]) -> np.ndarray:
        return np.array(rows, dtype=float).reshape(-1, wide)

    arrays: dict[str, np.ndarray] = {
        **series.arrays,
        "worlds": series.worlds,
        "shock_day": series.shock_day,
        "metrics": table(list(metrics.values())),
        "claims": table(list(tested.values())),
        "draws": table([series.draws[n] for n in names]),
        "asked": table(list(asked.values())),
        "timelines": table([days for *_, days in timelines]),
    }
    notes = {
        "metrics": list(metrics),
        "claims": list(tested),
        "untold": {name: why for name, why in said.items() if name not in tested},
        "draws": names,
        "asked": list(asked),
        "timelines": [[what, where, source] for what, where, source, _ in timelines],
        "calendar": [[e.day, e.what, e.where, e.worlds, e.source] for e in run.calendar.entries],
        "ledger_worst_eps": run.day.ledger.worst / np.finfo(float).eps,
        "licence_books": len(run.day.office.rows),
    }
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / LABELS).is_file():
        save_text(folder / LABELS, json.dumps(series.labels.to_dict()))
    stamp.hold()
    kept = {name: values[..., : series.keep] for name, values in arrays.items()}
    if not exact:
        kept |= {name: rounded(kept[name]) for name in ROUNDED}
    write_part(folder, part_name(worlds), kept, notes)


def asked_of(scenario: Scenario, series: Series) -> dict[str, np.ndarray]:
    """Metrics that headline and hypothesis ask for, in every world of a batch of any case."""
    return {
        name: np.asarray(METRICS[item.name](series, **dict(item.selectors)), dtype=float)
        for name, item in asked_metrics(scenario).items()
    }


class _Ticker:
    """Tells the progress bar how far a batch is; it sees the run and changes nothing."""

    def __init__(self, tick: Callable[[float], None], ticks: int) -> None:
        self.tick, self.ticks, self.seen = tick, ticks, 0

    def market_day(self, run: BatchRun, now: float, rules: Conditions) -> None:
        """Count."""
        self.seen += 1
        if self.seen % 10 == 0:
            self.tick(self.seen / self.ticks)
