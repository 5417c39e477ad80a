"""Metrics of several points worked out together: the same bytes as alone, one error for one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lodestone.outputs import metrics as registry
from lodestone.outputs.room import Room
from lodestone.runs.settings import Settings
from lodestone.scenario import load_scenario
from lodestone.studies.bench import Bench
from lodestone.studies.evaluate import run_task, start_task
from lodestone.studies.task import Task

NAME = "licence_shock_april_2025"


def task(worlds, spillover, asked=()):
    said = {
        "start": "2025-03-01",
        "end": "2025-06-01",
        "interventions.april_2025_licences.spillover": spillover,
    }
    scenario = load_scenario(NAME, overrides=said)
    return Task(str(spillover), scenario, None, Settings(worlds=worlds), asked)


def together(tasks):
    bench = Bench(tasks)
    running = [start_task(t, bench) for t in tasks]
    bench.settle()
    return [r.outcome() for r in running]


def same(one, other):
    assert one.error is other.error is None
    assert one.metrics[0].names == other.metrics[0].names
    np.testing.assert_array_equal(one.metrics[0].table, other.metrics[0].table)
    np.testing.assert_array_equal(one.draws.table, other.draws.table)
    np.testing.assert_array_equal(one.shock, other.shock)


def test_worlds_of_several_points_have_the_values_that_they_have_alone():
    tasks = [task(w, s) for w, s in ((3, 0.0), (1, 0.5), (3, 1.0))]
    found = together(tasks)
    assert found[0].metrics[0]["unmet_t"].tolist() != found[2].metrics[0]["unmet_t"].tolist()
    for one, outcome in zip(tasks, found, strict=True):
        same(run_task(one), outcome)


def test_metrics_are_called_once_for_all(monkeypatch):
    item, wide = registry.METRICS["leak_t"], []

    def leak_t(series, **said):
        wide.append(len(series.worlds))
        return item.function(series, **said)

    monkeypatch.setitem(registry.METRICS, "leak_t", replace(item, function=leak_t))
    together([task(3, s) for s in (0.0, 0.5, 1.0)])
    assert wide == [9]


def test_what_is_wrong_with_one_is_told_of_it_alone(monkeypatch):
    item = registry.METRICS["leak_t"]

    def leak_t(series, **said):
        if (series.shock_day == 7.0).any():
            raise ValueError("no such number")
        return item.function(series, **said)

    monkeypatch.setitem(registry.METRICS, "leak_t", replace(item, function=leak_t))
    tasks = [task(3, 0.0), replace(task(3, 0.5), shocks=(np.full(3, 7.0),)), task(3, 1.0)]
    found = together(tasks)
    assert [f.error for f in found] == [None, ("defect", "ValueError: no such number"), None]
    for i in (0, 2):
        same(run_task(tasks[i]), found[i])


def test_a_batch_that_fails_leaves_its_columns_as_they_were():
    room = Room(5)
    room.enter(3)
    room.zeros("unmet", 2, 4)[:] = 1.0
    room.enter(2)
    room.zeros("unmet", 2, 4)[:] = 2.0
    room.leave()
    assert (room.taken, room.free) == (3, 2)
    room.enter(2)
    assert not room.zeros("unmet", 2, 4).any()
    held = room.cut({"unmet": room.arrays["unmet"], "rent": np.zeros((1, 1, 2))}, slice(0, 5))
    assert np.shares_memory(held["unmet"], room.arrays["unmet"])
    assert held["rent"].shape == (1, 1, 5)


@pytest.mark.parametrize("most", [1, 10_000])
def test_how_many_stand_together_changes_nothing(monkeypatch, most):
    from lodestone.studies import bench

    monkeypatch.setattr(bench, "TOGETHER", most)
    tasks = [task(2, s) for s in (0.0, 1.0)]
    for one, outcome in zip(tasks, together(tasks), strict=True):
        same(run_task(one), outcome)
