"""One batch of worlds of one case, run and left on disk as a part."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lodestone.border.files import save_text
from lodestone.engine.run import BatchRun
from lodestone.outputs.claims import claims_of, values_of
from lodestone.outputs.items import ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS, evaluate
from lodestone.outputs.parts import LABELS, NOTES, Rounding, steps_of, write_part
from lodestone.outputs.recorder import Recorder
from lodestone.outputs.room import Room
from lodestone.outputs.selectors import asked_metrics
from lodestone.runs.compiled import Compiled, shock_days
from lodestone.runs.identity import Stamp
from lodestone.scenario import Scenario

if TYPE_CHECKING:
    from lodestone.worlds.conditions import Conditions


@dataclass(frozen=True)
class Keeping:
    """What a batch leaves on disk of the series of its worlds.

    Attributes
    ----------
    series
        Names; None keeps all, to the bit and inside regions, too.
    exact
        Whether to the bit; else as `roundings` says. Metrics of every world are worked out before
        anything is rounded.
    """

    series: frozenset[str] | None
    exact: bool

    @property
    def told(self) -> str:
        """In a word."""
        return "all" if self.series is None else "exact" if self.exact else "rounded"

    def fits(self, part: Path) -> bool:
        """Whether a part on disk was kept so."""
        held = json.loads((part / NOTES).read_text(encoding="utf-8"))
        kept = json.loads(held["notes"]).get("kept")
        return kept == self.told and (self.series or frozenset()) <= set(held["checksums"])


def roundings(series: Series) -> dict[str, Rounding]:
    """How far the series of a run of many worlds are rounded.

    Prices and costs to 0.2 % (at home to 0.02 %); shortfalls to 0.1 % of planned use; tonnes of a
    row to 0.2 % of what is usual there, or of what its destination (stocks and output: a quarter of
    a region on average) has of the material, if that is more; how a gap was closed to 0.02 % of use.
    What is usual is what the first date has, so that a scenario and its reference are rounded alike.
    """
    labels, arrays = series.labels, series.arrays

    def first(name: str) -> np.ndarray:
        return np.asarray(arrays[name][0].mean(axis=-1, dtype=float))

    def tonnes(name: str, of: np.ndarray) -> Rounding:
        own = first(name)
        return Rounding(steps=steps_of(np.maximum(own, np.bincount(of, own)[of]), 8))

    out = {"ask": Rounding(), "paid": Rounding(), "cost": Rounding(floor=2.0**-10)}
    out["home"] = Rounding(bits=11)
    out["planned"] = out["military_planned"] = Rounding(bits=14)
    for name in ("gross", "unmet", "military_gross", "military_unmet"):
        planned = "military_planned" if name.startswith("military") else "planned"
        out[name] = Rounding(steps=steps_of(first(planned), 9))
    out["declared"] = out["grey"] = tonnes("declared", np.array([to for _, to in labels.links]))
    regions = len(labels.regions)
    for name in ("output", "stock", "used"):
        own = first(name)
        usual = np.bincount(labels.c_material, own)[labels.c_material] / regions
        out[name] = Rounding(steps=steps_of(np.maximum(own, usual / 4.0), 8))
    out["ore"] = Rounding(steps=steps_of(np.maximum(first("ore"), first("ore").mean()), 8))
    use = first("gap").reshape(len(ITEMS), -1).sum(axis=0)
    return out | {"gap": Rounding(bits=12, steps=steps_of(np.tile(use, len(ITEMS)), 11))}


def part_name(worlds: np.ndarray) -> str:
    """Name of the part of some worlds: first and last, padded, so that names sort by world."""
    return f"{int(worlds[0]):07d}-{int(worlds[-1]):07d}"


def record(
    compiled: Compiled,
    worlds: np.ndarray,
    shocks: Callable[[BatchRun], np.ndarray],
    tick: Callable[[float], None] | None = None,
    room: Callable[[BatchRun], Room] | None = None,
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
    room : callable, optional
        Gives the room that the batch has entered; by default it stands alone.
    """
    run = compiled.batch(worlds)
    recorder = Recorder(run, shocks(run), None if room is None else room(run))
    run.watchers.append(recorder)
    if tick is not None:
        run.watchers.append(_Ticker(tick, len(recorder.times)))
    run.run()
    # What points at the batch in turn would keep its memory until the next collection.
    run.watchers.clear()
    run.calendar.clear()
    return run, Series.of(recorder, compiled.discount_rate)


def run_chunk(
    case: str,
    compiled: Compiled,
    worlds: np.ndarray,
    folder: Path,
    both: tuple[Compiled, Scenario | None],
    stamp: Stamp,
    keeping: Keeping,
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
    keeping : Keeping
        What is kept of it.

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
        **_kept(series, keeping),
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
        "kept": keeping.told,
    }
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / LABELS).is_file():
        save_text(folder / LABELS, json.dumps(series.labels.to_dict()))
    stamp.hold()
    kept = {name: values[..., : series.keep] for name, values in arrays.items()}
    write_part(
        folder,
        part_name(worlds),
        kept,
        notes,
        {} if keeping.exact else roundings(series),
    )


def _kept(series: Series, keeping: Keeping) -> dict[str, np.ndarray]:
    """Series that go to disk: no table reads what moves inside a region."""
    if keeping.series is None:
        return dict(series.arrays)
    for name in ("declared", "grey"):
        series.arrays[name][:, series.labels.l_home] = 0.0
    return {name: series.arrays[name] for name in sorted(keeping.series)}


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
