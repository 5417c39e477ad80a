"""Runs without files: compiled once, measured against a reference that is run once."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lodestone.engine import ground
from lodestone.runs.compiled import compile_scenario
from lodestone.runs.identity import reference_of
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.runs.worlds import run_reference, run_worlds
from lodestone.scenario import load_scenario

SHORT = {"start": "2025-01-06", "end": "2025-08-04"}
SETTINGS = replace(Settings(), worlds=5, workers=1, report_formats=())


@pytest.fixture(scope="module")
def shock():
    return load_scenario("licence_shock_april_2025", overrides=SHORT)


@pytest.fixture(scope="module")
def outcome(shock):
    reference = run_reference(compile_scenario(reference_of(shock), SETTINGS), 5)
    return run_worlds(compile_scenario(shock, SETTINGS), 5, reference=reference)


def test_worlds_without_files_are_those_of_a_run_folder(shock, outcome, tmp_path):
    folder = simulate(shock, replace(SETTINGS, out=tmp_path / "run"))
    table = pd.read_parquet(folder / "worlds.parquet")
    for key, values in outcome.metrics.items():
        assert np.array_equal(table[key].to_numpy(), values, equal_nan=True), key
        calm = table[f"reference_{key}"].to_numpy()
        assert np.array_equal(calm, outcome.reference[key], equal_nan=True), key
    assert np.all(outcome.delta["unmet_t"] > 0.0)


def test_a_run_of_many_batches_closes_the_base_year_once(shock, tmp_path, monkeypatch):
    import lodestone.runs.simulate as composition

    monkeypatch.setattr(composition, "CHUNK", 2)
    monkeypatch.setattr(ground, "_kept", type(ground._kept)())
    before = ground.laid
    simulate(shock, replace(SETTINGS, out=tmp_path / "run"))
    assert ground.laid == before + 1, "scenario and reference stand on the same chain"


def test_points_that_differ_in_numbers_share_their_ground(shock):
    one = compile_scenario(shock, SETTINGS)
    other = load_scenario(
        "licence_shock_april_2025", overrides={**SHORT, "overrides.fear.trend": 2.0}
    )
    assert one.with_(other).ground is one.ground
    moved = load_scenario(
        "licence_shock_april_2025", overrides={**SHORT, "overrides.stockpile.japan.days": 90}
    )
    assert one.with_(moved).ground is not one.ground


def test_running_changes_nothing_of_the_ground(shock):
    ready = compile_scenario(shock, SETTINGS)
    lay = ready.ground.layout
    tables = [lay, *(t for t in vars(lay).values() if hasattr(t, "__dataclass_fields__"))]
    held = {
        (n, k): v.copy()
        for n, table in enumerate(tables)
        for k, v in vars(table).items()
        if isinstance(v, np.ndarray)
    }
    assert len(held) > 50
    run_worlds(ready, 3, asked=["unmet_t"])
    for (n, name), values in held.items():
        now = getattr(tables[n], name)
        assert np.array_equal(values, now, equal_nan=values.dtype.kind == "f"), name


def test_a_compiled_scenario_goes_to_another_process_small(shock):
    text = pickle.dumps(compile_scenario(shock, SETTINGS))
    assert len(text) < 100_000
    back = pickle.loads(text)
    asked = ["unmet_t(region=europe)"]
    again = run_worlds(back, 3, asked=asked).metrics
    assert np.array_equal(
        again[asked[0]],
        run_worlds(compile_scenario(shock, SETTINGS), 3, asked=asked).metrics[asked[0]],
    )


def test_a_reference_of_other_worlds_is_refused(shock):
    reference = run_reference(compile_scenario(reference_of(shock), SETTINGS), 3)
    with pytest.raises(ValueError, match="other worlds"):
        run_worlds(compile_scenario(shock, SETTINGS), np.arange(1, 4), reference=reference)


def test_a_batch_gives_its_memory_back_when_it_is_done():
    import gc
    import weakref

    from lodestone.runs.chunk import record

    compiled = compile_scenario(load_scenario("licence_shock_april_2025", overrides=SHORT))
    gc.disable()
    try:
        run, series = record(compiled, np.arange(2), lambda run: np.zeros(2))
        state = weakref.ref(run.day.state)
        assert state() is not None and series["unmet"].size
        del run
        assert state() is None, "something in a circle holds the batch until it is collected"
    finally:
        gc.enable()


def test_points_that_differ_in_a_public_stock_stand_on_one_ground():
    def made(days):
        words = {**SHORT, "overrides.stockpile.japan.days": days}
        return compile_scenario(load_scenario("calm_2024", overrides=words))

    first = made(30)
    laid = ground.laid
    other = made(75)
    assert ground.laid == laid and other.ground.layout is first.ground.layout
    assert first.ground.chain.stockpiles["japan"].days == 30
    assert other.ground.chain.stockpiles["japan"].days == 75
    held = [c.batch(np.arange(2)).day.state.public_stock.sum() for c in (first, other)]
    assert held[1] > held[0]


def test_long_runs_have_narrower_batches_and_no_world_is_lost():
    from lodestone.runs.ready import memory_of_batches
    from lodestone.runs.simulate import CHUNK, LONG_DAYS, chunks

    for worlds in (1, 128, 129, 10_000):
        for days in (20.0, LONG_DAYS, 1409.0, 50_000.0):
            cut = chunks(worlds, days)
            assert np.array_equal(np.concatenate(cut), np.arange(worlds))
            assert len(cut[0]) == 1 or len(cut[0]) * days <= CHUNK * LONG_DAYS
            assert len(cut[0]) <= CHUNK and memory_of_batches(worlds, days) < 1.5e9
