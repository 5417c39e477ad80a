"""Points that share a first day get its bytes and never write into it; others draw their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lodestone.engine import opening
from lodestone.runs.compiled import compile_scenario
from lodestone.runs.settings import Settings
from lodestone.runs.worlds import run_worlds
from lodestone.scenario import load_scenario

NAME = "licence_shock_april_2025"
LICENCES = "interventions.april_2025_licences"
WORLDS = np.arange(3)
#: Points by what they change: those that start from the first day of the plain one, and others.
SAME = {
    "a number of a measure": {f"{LICENCES}.spillover": 0.9},
    "a measure more or less": {f"{LICENCES}.approval": 0.0},
}
OTHER = {
    "a number of behaviour": {"overrides.cover.user_weeks": 9.0},
    "its distribution": {
        "overrides.cover.user_weeks": {"dist": "uniform", "low": 5.0, "high": 9.0}
    },
    "a row of the chain": {"overrides.facility.cn_creg_sep.capacity_t_per_year": 30000.0},
    "what users hold": {"overrides.sector.ev_traction.cover_weeks": 9.0},
    "the growth of a use": {"overrides.sector.consumer_electronics.growth_2030": 2.0},
    "the first day": {"start": "2024-07-01"},
}


def compiled(overrides=None, **settings):
    words = {"start": "2025-01-06", "end": "2025-06-02", **(overrides or {})}
    return compile_scenario(load_scenario(NAME, overrides=words), replace(Settings(), **settings))


def outcome(case):
    return run_worlds(case, WORLDS).metrics


def alone(case, monkeypatch):
    """The same case in a process that has drawn nothing yet."""
    with monkeypatch.context() as patch:
        patch.setattr(opening, "_kept", type(opening._kept)())
        return outcome(case)


def bytes_of(metrics):
    return {name: values.tobytes() for name, values in metrics.items()}


@pytest.mark.parametrize("what", [*SAME, *OTHER])
def test_a_point_after_others_is_what_it_is_alone(what, monkeypatch):
    plain, changed = compiled(), compiled((SAME | OTHER)[what])
    before = outcome(plain)
    drawn = opening.drawn
    after = outcome(changed)
    assert (opening.drawn > drawn) == (what in OTHER)
    assert bytes_of(after) == bytes_of(alone(changed, monkeypatch))
    assert bytes_of(after) != bytes_of(before), "the point differs in nothing"
    assert bytes_of(outcome(plain)) == bytes_of(before)


@pytest.mark.parametrize("setting", [{"seed": 1}, {"market_days": 14.0}])
def test_another_seed_or_step_draws_its_own(setting, monkeypatch):
    before, changed = outcome(compiled()), compiled(**setting)
    after = outcome(changed)
    assert bytes_of(after) == bytes_of(alone(changed, monkeypatch)) != bytes_of(before)


def test_other_worlds_and_values_given_by_world_are_told_apart(monkeypatch):
    case = compiled()
    first = case.batch(np.arange(3)).draws["fear.trend"]
    later = case.batch(np.arange(3, 6)).draws["fear.trend"]
    assert not np.array_equal(first, later)
    given = [np.linspace(0.1, 2.0, 1200) for _ in range(2)]
    given[1][600] = 7.0  # where the text of a long array says nothing
    drawn = []
    for values in given:
        scenario = replace(case.scenario, overrides={"fear.trend": values})
        drawn.append(case.with_(scenario).batch(np.arange(1200)).draws["fear.trend"])
    assert drawn[0][600] != 7.0 and drawn[1][600] == 7.0


def test_announced_plants_are_drawn_anew_where_their_delay_is_another():
    def online(overrides):
        return compiled(overrides).batch(WORLDS).day.online

    late, early = online({"overrides.project.slip_months": 60.0}), online({})
    assert np.all(late >= early) and np.any(late > early)
    assert np.array_equal(online({}), early)


def test_running_writes_nothing_into_a_first_day():
    case = compiled()
    run = case.batch(WORLDS)
    [held] = [o for _, o in opening._kept.values() if o.draws is run.draws]
    market, projects = held._market, held.projects

    def arrays():
        tables = (market.state, market.c, market.law, market.office, market.ledger, projects)
        found = [v for table in tables for v in vars(table).values() if isinstance(v, np.ndarray)]
        found += [sailing.tonnes for sailing in market.state.sailings]
        return [a.tobytes() for a in (*found, market.online, *held.draws.values())]

    before = arrays()
    assert len(before) > 150
    run.run()
    assert arrays() == before
    assert not market.quotas and len(market.state.books) == 2


def test_first_days_kept_are_bounded(monkeypatch):
    monkeypatch.setattr(opening, "_kept", type(opening._kept)())
    monkeypatch.setattr(opening, "WORLDS_KEPT", 8)
    for seed in range(4):
        compiled(seed=seed).batch(WORLDS)
    assert len(opening._kept) == 2, "two of three worlds each"
    compiled().batch(np.arange(20))
    assert len(opening._kept) == 1, "one is kept however wide it is"


def arrays_of(first):
    """Every array of a first day by name."""
    market = first.market(first.projects.online())
    tables = {"state": market.state, "c": market.c, "law": market.law, "office": market.office}
    tables |= {"ledger": market.ledger, "projects": first.projects, "market": market}
    found = {f"{t}.{k}": v for t, table in tables.items() for k, v in vars(table).items()}
    found |= {f"draws.{name}": values for name, values in first.draws.items()}
    found |= {f"sailing.{n}": s.tonnes for n, s in enumerate(market.state.sailings)}
    found["growth"] = market.growth(400.0)
    return {name: v for name, v in found.items() if isinstance(v, np.ndarray)}


@pytest.mark.parametrize("own", [[0, 0], [4, 2], range(3), range(5, 16)], ids=str)
def test_worlds_that_stand_there_several_times_are_worked_out_once(own, monkeypatch):
    case, worlds = compiled(), np.tile(list(own), 3)

    def first():
        monkeypatch.setattr(opening, "_kept", type(opening._kept)())
        return arrays_of(opening.opening_of(case.ground, {}, 0, worlds, 7.0))

    once = first()
    [(_, kept)] = opening._kept.values()
    assert kept.projects.luck.shape[1] == len(own)
    monkeypatch.setattr(opening, "_times", lambda worlds: 1)
    whole = first()
    assert len(once) > 200
    for name, values in whole.items():
        same = once[name]
        assert (same.shape, same.dtype) == (values.shape, values.dtype), name
        assert same.tobytes() == values.tobytes(), name
        assert same.flags.c_contiguous == values.flags.c_contiguous, name


@pytest.mark.parametrize(
    ("worlds", "times"),
    [([0], 1), ([0, 0], 1), ([0, 0, 0], 1), ([0, 1, 0, 1], 2), ([0, 1, 0], 1), ([0, 1, 0, 2], 1)],
)
def test_how_often_worlds_come_again(worlds, times):
    assert opening._times(np.array(worlds)) == times
