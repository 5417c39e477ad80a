"""Parts of a run -> the tables and papers of its folder."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.border.files import csv_text, save_parquet, save_table, save_text
from lodestone.border.units import DAYS_PER_YEAR
from lodestone.border.yamlfile import dump_yaml
from lodestone.chain.nouns import Chain
from lodestone.outputs.parts import Parts, checksum
from lodestone.outputs.provenance import canonical, commit, seeds_told, sha, versions
from lodestone.outputs.selectors import remarks_on
from lodestone.outputs.tables import TABLES, Source, cube, summary
from lodestone.runs.compiled import Compiled
from lodestone.runs.identity import changed_alone, changed_remarks, reference_told
from lodestone.runs.rerun import rerun_part
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario, outside_ranges

#: Tables with a row for every market day.
BY_DAY = ("shortage_curve", "delta_curve", "price_curve", "cost_curve")
#: Years beyond which they show one market day in so many.
LONG_YEARS, THINNED = 15.0, 4


def write_folder(
    folder: Path,
    cases: Mapping[str, Compiled],
    settings: Settings,
    parts: Path,
    identity: dict[str, Any],
    began: float,
    exact: bool,
) -> None:
    """Write every table of a run folder, and last of all its provenance.

    Parameters
    ----------
    folder, parts : Path
        The run folder, and where its parts are.
    cases : mapping
        ``scenario`` and, where there is one, ``reference``.
    settings : Settings
    identity : dict
        What decides the result.
    began : float
        ``time.monotonic()`` when the run began.
    exact : bool
        Whether the parts hold the series as they are.
    """
    scenario, chain = cases["scenario"].scenario, cases["scenario"].ground.chain
    own = Parts(parts / "scenario")
    calm = Parts(parts / "reference") if "reference" in cases else None
    calm_chain = cases["reference"].ground.chain if calm else chain
    source = Source(chain, calm_chain, scenario, own, calm, settings.discount_rate)
    calm_scenario = cases["reference"].scenario if calm else None
    rerun = rerun_part(scenario, calm_scenario)
    save_text(folder / "config.yaml", _config_text(identity, settings, rerun))
    save_text(folder / "calendar.csv", _calendar(own, scenario.start))
    save_parquet(folder / "worlds.parquet", summary.worlds(source))
    shown = shown_dates(source, settings)
    for name, item in TABLES.items():
        if (calm is None and item.paired) or (
            name == "closed_gap" and "gap" not in settings.outputs
        ):
            continue
        frame = item.make(source)
        if name in BY_DAY and len(shown) < len(source.dates):
            frame = frame[frame["date"].isin(shown)]
        save_table(folder / f"{name}.csv", frame)
    if "series" in settings.outputs:
        save_parquet(folder / "series.parquet", cube.series_table(source))
    _save_sources(folder, chain, scenario)
    provenance = {
        "scenario": scenario.name,
        "config_hash": sha(canonical(identity)),
        "scenario_hash": sha(canonical(scenario.to_dict())),
        "seeds_hash": identity["seeds"],
        "code_hash": identity["code"],
        "seeds_from": seeds_told(*{c.scenario.vintage for c in cases.values()}),
        "reference": reference_told(scenario, cases["reference"].scenario if calm else None),
        "commit": commit(),
        "versions": versions(),
        "worlds": settings.worlds,
        "seed": settings.seed,
        "outside_ranges": outside_ranges(scenario),
        "remarks": [
            *remarks_on(scenario, chain, source.shocks),
            *changed_remarks(scenario, calm_scenario),
        ],
        "changed_alone": list(changed_alone(scenario, calm_scenario)),
        "first_disruption": [day.isoformat() for day in source.shocks],
        "quantiles": "exact, over all worlds"
        if exact
        else "exact over all worlds, of series rounded as sim/runs/chunk.py says (0.2 %)",
        "mass_balance_worst_eps": max(
            label["ledger_worst_eps"] for p in (own, calm) if p for label in p.labels
        ),
        "dates": "every market day"
        if len(shown) == len(source.dates)
        else f"one market day in {THINNED} ({', '.join(BY_DAY)}); outputs=[weekly] writes all",
        "bytes_per_world": sum(p.stat().st_size for p in parts.rglob("*") if p.is_file())
        // settings.worlds,
        "files": {p.name: checksum(p.read_bytes()) for p in written(folder)},
        "command": shlex.join(["lodestone", *sys.argv[1:]]),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_time_s": round(time.monotonic() - began, 2),
    }
    save_text(folder / "provenance.json", json.dumps(provenance, indent=2) + "\n")


def shown_dates(source: Source, settings: Settings) -> set[str]:
    """Market days that the tables by day show: all, or of a long run one in four."""
    days = source.labels.ticks * source.labels.market_days
    step = THINNED if days > LONG_YEARS * DAYS_PER_YEAR and "weekly" not in settings.outputs else 1
    return set(source.dates[::step])


def written(folder: Path) -> list[Path]:
    """Files that a run wrote into its folder, the provenance itself apart."""
    names = [f"{n}.csv" for n in (*TABLES, "calendar", "sources", "assumptions")]
    names += ["worlds.parquet", "series.parquet", "config.yaml"]
    return [folder / name for name in sorted(names) if (folder / name).is_file()]


def _config_text(identity: dict[str, Any], settings: Settings, rerun: dict[str, Any]) -> str:
    settled = {k: v for k, v in identity.items() if k not in ("seeds", "code")}
    settled["report"] = {"formats": list(settings.report_formats)}
    settled["rerun"] = rerun
    return dump_yaml(settled)


def _calendar(parts: Parts, start: date) -> str:
    """The printed calendar: shared dates, and medians over worlds of what differs by world."""
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
    return csv_text(("day", "date", "what", "where", "worlds", "source"), table)


def _save_sources(folder: Path, chain: Chain, scenario: Scenario) -> None:
    """Exactly the sources and assumptions that the run used, and for what."""
    used: dict[str, set[str]] = {}

    def add(keys: Iterable[str], what: str) -> None:
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
