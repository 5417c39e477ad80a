"""Where the time of a market day goes, by phase."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

#: Functions that `lodestone.engine.tick` and `lodestone.engine.run` call by name, in reading order.
PHASES = (
    "land_due", "run_plants", "mine", "send_ore", "clear_bond", "separate", "recycle", "hand_out",
    "release_public_stocks", "make_to_order", "draw_on_stocks", "place_orders", "ship",
    "set_prices", "substitute", "invest", "recount",
)  # fmt: skip


def by_phase(worlds: int = 200, end: str = "2025-01-01") -> dict[str, float]:
    """Processor milliseconds a market day by phase, recording and folding of rules included.

    Parameters
    ----------
    worlds : int
        Worlds of the batch.
    end : str
        Last day of `calm_2024`; the first weeks are run once before, so that loops are compiled.
    """
    from lodestone.chain.load import load_chain
    from lodestone.engine import run as run_module
    from lodestone.engine import tick
    from lodestone.engine.run import BatchRun
    from lodestone.outputs.recorder import Recorder
    from lodestone.scenario import load_scenario

    chain = load_chain("2024")

    def batch(last: str) -> BatchRun:
        scenario = load_scenario("calm_2024", overrides={"end": last})
        return BatchRun(scenario, chain, 0, np.arange(worlds))

    warm = batch("2024-03-01")
    warm.watchers.append(Recorder(warm))
    warm.run()
    spent: dict[str, float] = {}
    originals = {}
    for name in PHASES:
        place = tick if hasattr(tick, name) else run_module
        if hasattr(place, name):
            originals[name] = (place, getattr(place, name))
            setattr(place, name, timed(name, getattr(place, name), spent))
    try:
        run = batch(end)
        recorder = Recorder(run)
        recorder.market_day = timed("recording", recorder.market_day, spent)  # type: ignore[method-assign]
        run.fold = timed("rules", run.fold, spent)  # type: ignore[method-assign]
        run.watchers.append(recorder)
        began = time.process_time()
        run.run()
        whole = time.process_time() - began
    finally:
        for name, (place, function) in originals.items():
            setattr(place, name, function)
    days = len(np.arange(0.0, run.calendar.last_day, run.market_days))
    spent["everything else"] = whole - sum(spent.values())
    return {name: 1000.0 * seconds / days for name, seconds in spent.items()}


def timed(name: str, function: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    """A function that adds its processor seconds to ``spent``."""

    def call(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return function(*given, **named)
        finally:
            spent[name] = spent.get(name, 0.0) + time.process_time() - began

    return call


def lines(found: dict[str, float], worlds: int) -> list[str]:
    """Return the times as a table in Markdown, with the milliseconds a world of twelve years."""
    whole = sum(found.values())
    per_world = 12 * 365.25 / 7 / worlds
    rows = [
        f"| {name} | {ms:.2f} | {ms / whole:.0%} | {ms * per_world:.1f} |"
        for name, ms in found.items()
    ]
    return [
        f"| phase ({worlds} worlds) | ms a market day | share | ms a world, 12 years |",
        "|:---|---:|---:|---:|",
        *rows,
        f"| all | {whole:.2f} | | {whole * per_world:.1f} |",
    ]
