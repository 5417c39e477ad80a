"""The composition root: scenario + seeds + settings -> run folder."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.claims import claims_of, values_of
from lodestone.outputs.metrics import METRICS, evaluate
from lodestone.outputs.parts import Parts, finished, write_part
from lodestone.outputs.provenance import canonical, code_hash, commit, seeds_hash, sha, versions
from lodestone.outputs.recorder import Recorder, Series
from lodestone.outputs.selectors import asked_metrics, check_expressions
from lodestone.scenario import Scenario, load_reference, outside_ranges

if TYPE_CHECKING:
    from lodestone.runs.settings import Settings
    from lodestone.worlds.conditions import Conditions

Progress = Callable[[int, int, str], None]
#: Worlds of one batch: enough to spread the cost of a tick, few enough to stay in cache.
CHUNK = 128
#: Seconds of work below which no second process is started, and cost of a world-tick.
POOL_FROM_SECONDS = 8.0
SECONDS_PER_WORLD_TICK = 2.0e-4


def simulate(scenario: Scenario, settings: Settings, progress: Progress | None = None) -> Path:
    """Run a scenario and its reference and write the tables of a run folder.

    Parameters
    ----------
    scenario : Scenario
    settings : Settings
    progress : callable, optional
        ``progress(worlds done, worlds in all, what)``.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    InputError
        The folder belongs to another run, a verdict asks for an unknown metric, or a measure
        cannot be compiled; what was not on disk before is not there afterwards.
    ModelError
        The mass balance does not close; nothing is reported.
    """
    began = time.monotonic()
    check_verdicts(scenario)
    reference = _reference_of(scenario)
    identity = _identity(scenario, reference, settings)
    folder = run_folder(scenario, settings, identity)
    parts = folder / ".parts"
    cases: dict[str, Scenario] = {"scenario": scenario}
    if reference is not None:
        cases["reference"] = reference
    new = _not_there(parts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _save_identity(parts, identity)
        _run_all(cases, settings, parts, progress)
        _write(folder, cases, settings, parts, identity, began)
    except InputError:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
        raise
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}",
            file=error.filename or folder,
            hint="Free some space or give another folder with out=DIR; the same command goes on "
            "from the finished worlds.",
        ) from error
    shutil.rmtree(parts, ignore_errors=True)
    return folder


def run_scenarios(
    scenarios: list[Scenario], settings: Settings, progress: Progress | None = None
) -> list[Path]:
    """Run several scenarios, each into its own folder."""
    folders = []
    for scenario in scenarios:
        own = settings
        if settings.out is not None and len(scenarios) > 1:
            own = replace(settings, out=settings.out / scenario.name)
        folders.append(simulate(scenario, own, progress))
    return folders


# ---- folders ---------------------------------------------------------------------------


def _not_there(folder: Path) -> Path | None:
    """The outermost folder of a path that does not exist yet, None where all of it does."""
    if folder.exists():
        return None
    return _not_there(folder.parent) or folder


def _reference_of(scenario: Scenario) -> Scenario | None:
    """The reference, with the scenario's own parameter overrides: only interventions differ."""
    reference = load_reference(scenario)
    if reference is None:
        return None
    return replace(reference, overrides={**reference.overrides, **scenario.overrides})


def _identity(scenario: Scenario, reference: Scenario | None, settings: Settings) -> dict[str, Any]:
    return {
        "scenario": scenario.to_dict(),
        "reference": reference.to_dict() if reference else None,
        "ensemble": {"worlds": settings.worlds, "seed": settings.seed},
        "clock": {"market_days": settings.market_days},
        "allocation": settings.allocation,
        "discount_rate": settings.discount_rate,
        "seeds": seeds_hash(),
        "code": code_hash(),
    }


def run_folder(scenario: Scenario, settings: Settings, identity: dict[str, Any]) -> Path:
    """Folder of a run: as asked for, an unfinished one of the same content, or a new one.

    Raises
    ------
    InputError
        The folder asked for belongs to a run of other content.
    """
    own = sha(canonical(identity))
    if settings.out is not None:
        folder = Path(settings.out)
        held = _held_hash(folder)
        if held is not None and held != own:
            raise InputError(
                f"this folder holds another run (its hash is {held}, this run's is {own})",
                file=folder,
                key="out",
                hint="Give another folder with out=DIR, or remove this one.",
            )
        if folder.exists() and not folder.is_dir():
            raise InputError("is a file, not a folder", file=folder, key="out")
        if held is None and folder.is_dir() and any(folder.iterdir()):
            raise InputError(
                "this folder is not empty and holds no run",
                file=folder,
                key="out",
                hint="Give a new or empty folder with out=DIR.",
            )
        return folder
    root = Path("results") / scenario.name
    for path in sorted(root.glob(f"*-{own}"), reverse=True):
        if (path / ".parts").is_dir() and not (path / "provenance.json").exists():
            return path
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return root / f"{stamp}-{own}"


def finished_folder(scenario: Scenario, settings: Settings) -> Path | None:
    """The newest finished run of the same scenario, settings, seeds and code; None without one."""
    own = sha(canonical(_identity(scenario, _reference_of(scenario), settings)))
    if settings.out is not None:
        folder = Path(settings.out)
        done = (folder / "provenance.json").is_file() and _held_hash(folder) == own
        return folder if done else None
    for path in sorted((Path("results") / scenario.name).glob(f"*-{own}"), reverse=True):
        if (path / "provenance.json").is_file() and (path / "claims.csv").is_file():
            return path
    return None


def _held_hash(folder: Path) -> str | None:
    for path in (folder / "provenance.json", folder / ".parts" / "identity.json"):
        if path.is_file():
            try:
                return str(json.loads(path.read_text(encoding="utf-8"))["config_hash"])
            except (ValueError, KeyError, OSError):
                raise InputError("is damaged", file=path, hint="Remove the folder.") from None
    return None


def _save_identity(parts: Path, identity: dict[str, Any]) -> None:
    parts.mkdir(parents=True, exist_ok=True)
    from lodestone.outputs.tables import save_text

    save_text(parts / "identity.json", json.dumps({"config_hash": sha(canonical(identity))}))


# ---- worlds ----------------------------------------------------------------------------


def _chunks(worlds: int) -> list[np.ndarray]:
    n = max(1, -(-worlds // CHUNK))
    return [np.asarray(c) for c in np.array_split(np.arange(worlds), n)]


def _run_all(
    cases: dict[str, Scenario], settings: Settings, parts: Path, progress: Progress | None
) -> None:
    chunks = _chunks(settings.worlds)
    jobs: list[tuple[str, np.ndarray]] = []
    for case in cases:
        have = set(finished(parts / case))
        jobs += [(case, c) for c in chunks if _part_name(c) not in have]
    total = settings.worlds * len(cases)
    done = total - sum(len(c) for _, c in jobs)
    say = progress or (lambda a, b, c: None)
    say(done, total, "worlds")
    workers = _workers(cases, settings, len(jobs))
    both = (cases["scenario"], cases.get("reference"))
    if workers <= 1:
        for case, chunk in jobs:
            base = done

            def tick(share: float, base: int = base, size: int = len(chunk)) -> None:
                say(base + int(share * size), total, "worlds")

            run_chunk(cases[case], chunk, settings, parts / case, both, tick)
            done += len(chunk)
            say(done, total, "worlds")
        return
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {
            pool.submit(run_chunk, cases[case], chunk, settings, parts / case, both): len(chunk)
            for case, chunk in jobs
        }
        try:
            for future in as_completed(futures):
                future.result()
                done += futures[future]
                say(done, total, "worlds")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            processes = list((getattr(pool, "_processes", None) or {}).values())
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(5.0)
            raise


def _workers(cases: dict[str, Scenario], settings: Settings, jobs: int) -> int:
    most = settings.workers or os.cpu_count() or 1
    if settings.workers == 0:
        days = sum((s.end - s.start).days for s in cases.values())
        work = settings.worlds * days / settings.market_days * SECONDS_PER_WORLD_TICK
        if work < POOL_FROM_SECONDS:
            return 1
    return max(1, min(most, jobs))


def _part_name(worlds: np.ndarray) -> str:
    return f"{int(worlds[0]):07d}-{int(worlds[-1]):07d}"


def _compiled(scenario: Scenario, settings: Settings, worlds: np.ndarray) -> BatchRun:
    """Some worlds of a scenario, drawn and laid out."""
    chain, days = load_chain(scenario.vintage), float(settings.market_days)
    return BatchRun(scenario, chain, settings.seed, worlds, days, settings.allocation)


def shock_days(
    scenario: Scenario, reference: Scenario | None, settings: Settings, worlds: np.ndarray
) -> np.ndarray:
    """Day of the first disruption that the reference does not have, by world, shape (w,).

    Without a disruption the first intervention counts, without any the first day.
    """
    same = {} if reference is None else reference.interventions
    own = {n for n, item in scenario.interventions.items() if same.get(n) != item}
    run = _compiled(scenario, settings, worlds)
    effects = [e for e in run.effects if e.name in own]
    first = [e.start for e in effects if e.role == "disruption"] or [e.start for e in effects]
    days = np.min(np.stack(first), axis=0) if first else np.zeros(len(run.worlds))
    return np.where(np.isfinite(days), np.maximum(days, 0.0), 0.0)[: len(worlds)]


def run_chunk(
    scenario: Scenario,
    worlds: np.ndarray,
    settings: Settings,
    folder: Path,
    cases: tuple[Scenario, Scenario | None],
    tick: Callable[[float], None] | None = None,
) -> None:
    """Run a batch of worlds of one case and leave its part on disk.

    Parameters
    ----------
    scenario : Scenario
        The case to run.
    cases : (scenario, reference)
        Both, because metrics of both are counted from the scenario's first disruption.

    Raises
    ------
    ModelError
        The mass balance does not close.
    """
    # A batch and its calendar point at each other: give back the last one's memory first.
    gc.collect()
    run = BatchRun(
        scenario,
        load_chain(scenario.vintage),
        settings.seed,
        worlds,
        float(settings.market_days),
        settings.allocation,
    )
    recorder = Recorder(run, shock_days(*cases, settings, worlds))
    run.watchers.append(recorder)
    if tick is not None:
        run.watchers.append(_Ticker(tick, len(recorder.times)))
    run.run()
    series = Series(recorder)
    series.discount_rate = settings.discount_rate
    metrics = evaluate(series)
    asked = _asked(cases[0], series)
    arrays: dict[str, np.ndarray] = {**series.weekly, **series.monthly, **series.yearly}
    arrays["gap"] = series.gap
    arrays["worlds"] = series.worlds
    arrays["metrics"] = np.array(list(metrics.values()))
    said = values_of(series, claims_of(run.chain, cases[0]))
    tested = {name: values for name, values in said.items() if not isinstance(values, str)}
    wide = len(series.worlds)
    arrays["claims"] = np.array(list(tested.values()), dtype=float).reshape(-1, wide)
    names = sorted(series.draws)
    arrays["draws"] = (
        np.array([series.draws[n] for n in names]) if names else np.zeros((0, len(series.worlds)))
    )
    arrays["asked"] = np.array(list(asked.values()), dtype=float).reshape(-1, wide)
    timelines = run.timelines()
    arrays["timelines"] = np.array([days for *_, days in timelines]).reshape(-1, wide)
    arrays = {name: values[..., : series.keep] for name, values in arrays.items()}
    lay = run.layout
    labels = {
        "metrics": list(metrics),
        "claims": list(tested),
        "untold": {name: why for name, why in said.items() if name not in tested},
        "draws": names,
        "asked": list(asked),
        "links": [[lay.cells[o][0], lay.cells[o][1], lay.cells[d][1]] for o, d in lay.links],
        "ore_links": [
            [lay.ore_pools[o][0], lay.ore_pools[o][1], lay.separators[s]] for o, s in lay.ore_links
        ],
        "cells": [list(c) for c in lay.cells],
        "timelines": [[what, where, source] for what, where, source, _ in timelines],
        "calendar": [[e.day, e.what, e.where, e.worlds, e.source] for e in run.calendar.entries],
        "ledger_worst_eps": run.day.ledger.worst / np.finfo(float).eps,
        "licence_books": len(run.day.office.rows),
    }
    write_part(folder, _part_name(worlds), arrays, labels)


class _Ticker:
    """Tells the progress bar how far a batch is; it sees the run and changes nothing."""

    def __init__(self, tick: Callable[[float], None], ticks: int) -> None:
        self.tick, self.ticks, self.seen = tick, ticks, 0

    def market_day(self, run: BatchRun, now: float, rules: Conditions) -> None:
        self.seen += 1
        if self.seen % 10 == 0:
            self.tick(self.seen / self.ticks)


def check_verdicts(scenario: Scenario) -> None:
    """Refuse a headline or a hypothesis that asks for an unknown metric, selector or word.

    Raises
    ------
    InputError
        Names the key and the nearest known word.
    """
    check_expressions(scenario, load_chain(scenario.vintage))


def _asked(scenario: Scenario, series: Series) -> dict[str, np.ndarray]:
    """Metrics that headline and hypothesis ask for, in every world of a batch of any case."""
    return {
        name: np.asarray(METRICS[item.name](series, **dict(item.selectors)), dtype=float)
        for name, item in asked_metrics(scenario).items()
    }


# ---- writing ---------------------------------------------------------------------------


def _write(
    folder: Path,
    cases: dict[str, Scenario],
    settings: Settings,
    parts: Path,
    identity: dict[str, Any],
    began: float,
) -> None:
    from lodestone.outputs.delta import delta_curve
    from lodestone.outputs.gap import closed_gap
    from lodestone.outputs.tables import Tables, csv_text, save_parquet, save_table, save_text

    scenario = cases["scenario"]
    run = _compiled(scenario, settings, np.arange(2))
    series = Series(Recorder(run))
    series.discount_rate = settings.discount_rate
    own = Parts(parts / "scenario")
    calm = Parts(parts / "reference") if "reference" in cases else None
    tables = Tables(run, series, own, calm)
    save_text(folder / "config.yaml", _config_text(identity, settings))
    save_text(folder / "calendar.csv", _calendar(own, scenario.start, settings.worlds))
    worlds = tables.worlds()
    save_parquet(folder / "worlds.parquet", worlds)
    save_table(folder / "summary.csv", tables.summary(worlds))
    save_table(folder / "shortage_curve.csv", tables.shortage_curve())
    save_table(folder / "price_curve.csv", tables.price_curve())
    save_table(folder / "cost_curve.csv", tables.cost_curve())
    save_table(folder / "supply_curve.csv", tables.supply_curve())
    save_table(folder / "trade_flows.csv", tables.trade_flows())
    save_table(folder / "bottlenecks.csv", tables.bottlenecks())
    if calm is not None:
        lay = run.layout
        places = (lay.regions, lay.elements, lay.home)
        save_table(folder / "closed_gap.csv", closed_gap(own, calm, series.quarters, *places))
        dates = [d.isoformat() for d in series.dates]
        save_table(folder / "delta_curve.csv", delta_curve(own, calm, dates, series.groups))
    save_table(folder / "verdict.csv", tables.verdict())
    save_table(folder / "claims.csv", tables.claims())
    save_parquet(folder / "series.parquet", tables.series_table())
    _save_sources(folder, run, scenario, csv_text, save_text)
    provenance = {
        "scenario": scenario.name,
        "config_hash": sha(canonical(identity)),
        "scenario_hash": sha(canonical(scenario.to_dict())),
        "seeds_hash": seeds_hash(),
        "code_hash": code_hash(),
        "commit": commit(),
        "versions": versions(),
        "worlds": settings.worlds,
        "seed": settings.seed,
        "outside_ranges": outside_ranges(scenario),
        "quantiles": "exact, from parts on disk",
        "mass_balance_worst_eps": max(
            label["ledger_worst_eps"] for p in (own, calm) if p for label in p.labels
        ),
        "command": " ".join(["lodestone", *sys.argv[1:]]) if len(sys.argv) > 1 else "lodestone",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_time_s": round(time.monotonic() - began, 2),
    }
    save_text(folder / "provenance.json", json.dumps(provenance, indent=2) + "\n")


def _config_text(identity: dict[str, Any], settings: Settings) -> str:
    import yaml

    settled = {k: v for k, v in identity.items() if k not in ("seeds", "code")}
    settled["report"] = {"formats": list(settings.report_formats)}
    return yaml.safe_dump(settled, sort_keys=False, allow_unicode=True, width=100)


def _calendar(parts: Parts, start: date, worlds: int) -> str:
    """The printed calendar: shared dates, and medians over worlds of what differs by world."""
    from lodestone.outputs.tables import csv_text

    rows: list[tuple[float, str, str, str, str]] = []
    for day, what, where, share, source in parts.labels[0]["calendar"]:
        rows.append((float(day), what, where, share, source))
    days = parts.array("timelines")
    known = {label[0]: days[i] for i, label in enumerate(parts.labels[0]["timelines"])}
    for i, (what, where, source) in enumerate(parts.labels[0]["timelines"]):
        begins = known.get(what.removesuffix(" announced") + " starts")
        if what.endswith(" announced") and begins is not None and np.array_equal(days[i], begins):
            continue
        finite = days[i][np.isfinite(days[i])]
        if not finite.size:
            continue
        same = finite.size == days.shape[1] and np.all(finite == finite[0])
        middle = float(np.median(finite))
        share = "all" if finite.size == days.shape[1] else f"{finite.size / days.shape[1]:.3f}"
        rows.append((middle, what if same else f"{what} (median of worlds)", where, share, source))
    rows.sort(key=lambda r: (r[0], r[1], r[2]))
    table = [
        (f"{day:g}", (start + timedelta(days=int(day))).isoformat(), what, where, share, source)
        for day, what, where, share, source in rows
        if day >= 0.0
    ]
    del worlds
    return csv_text(("day", "date", "what", "where", "worlds", "source"), table)


def _save_sources(
    folder: Path, run: BatchRun, scenario: Scenario, csv_text: Any, save_text: Any
) -> None:
    """Exactly the sources and assumptions that the run used, and for what."""
    chain = run.chain
    used: dict[str, set[str]] = {}

    def add(keys: Any, what: str) -> None:
        for key in keys:
            used.setdefault(key, set()).add(what)

    for name, item in scenario.interventions.items():
        add(item.source, f"intervention {name}")
        add(item.default_sources(), f"defaults of intervention {name}")
    add(scenario.source, "scenario")
    add(scenario.hypothesis.get("claims", ()), "hypothesis")
    tables: list[tuple[str, Any]] = [
        ("parameters", chain.parameters.values()),
        ("facilities", (f for f in chain.facilities.values() if f.modelled)),
        ("demand", chain.demand),
        ("sectors", chain.sectors.values()),
        ("prices", chain.prices.values()),
        ("routes", chain.routes.values()),
        ("baseline", chain.baseline),
        ("trade habits", chain.trade_priors),
        ("oxide uses", chain.oxide_uses),
        ("concentrate trade", chain.concentrate_trade),
    ]
    for what, items in tables:
        for item in items:
            add(item.source, what)
    files: tuple[tuple[str, Mapping[str, Any], tuple[str, ...]], ...] = (
        (
            "sources.csv",
            chain.sources,
            ("title", "publisher", "url", "date", "kind", "grade"),
        ),
        (
            "assumptions.csv",
            chain.assumptions,
            ("statement", "value", "low", "high", "unit", "reason"),
        ),
    )
    for file, known, columns in files:
        rows = [
            (key, *(getattr(known[key], c) for c in columns), "; ".join(sorted(used[key])))
            for key in sorted(used)
            if key in known
        ]
        save_text(folder / file, csv_text(("key", *columns, "used_for"), rows))


# ---- replay ----------------------------------------------------------------------------


def replay(
    scenario: Scenario,
    world: int,
    first: date | None,
    last: date | None,
    settings: Settings,
) -> Iterator[str]:
    """One world, tick by tick: the rules in force and the flows, prices and stocks by name.

    Yields
    ------
    str
        Lines of text.
    """
    from lodestone.outputs.replay import Replay

    run = BatchRun(
        scenario,
        load_chain(scenario.vintage),
        settings.seed,
        np.array([world]),
        float(settings.market_days),
        settings.allocation,
    )
    teller = Replay(run, first or scenario.start, last or scenario.end)
    run.watchers.append(teller)
    yield from teller.head()
    run.run()
    yield from teller.lines
