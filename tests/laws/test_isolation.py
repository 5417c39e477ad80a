"""A world is itself: alone or in company, in any order, under any hash seed, in any scenario."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lodestone.runs.compiled import compile_scenario
from lodestone.runs.worlds import run_worlds
from tests.fixtures.worlds import ban, day_after, fingerprint, scenario, shared, simulate

ROOT = Path(__file__).resolve().parents[2]

#: Differs by world in what happens, when, how strongly and for how long.
MIXED = {
    "licence": {
        "kind": "export_licence", "exporter": "china", "materials": ["oxides", "ndfeb_magnets"],
        "start": day_after(5), "probability": 0.5, "approval": {"dist": "uniform", "low": 0, "high": 1},
        "processing_days": {"dist": "triangular", "low": 20, "mode": 40, "high": 90},
    },
    "ban": ban(
        9, None, duration={"dist": "uniform", "low": 3, "high": 90}, probability=0.5,
        destinations="europe",
    ),
    "quota": {
        "kind": "export_quota", "exporter": "china", "materials": "oxides", "start": day_after(1),
        "tonnes": {"2024": {"dist": "uniform", "low": 10000, "high": 60000}}, "probability": 0.7,
    },
    "strait": {
        "kind": "route_closure", "origin": "china", "destination": "all", "start": day_after(11),
        "end": day_after(16), "probability": 0.4,
    },
    "outages": {
        "kind": "outage", "region": "china", "stage": "separation", "rate_per_year": 1,
        "share_lost": {"dist": "uniform", "low": 0, "high": 1}, "start": day_after(2),
    },
    "reserve": {
        "kind": "stockpile", "holder": "japan", "materials": "dy_oxide", "fill_days": 100,
        "target_days": {"dist": "uniform", "low": 0, "high": 90}, "probability": 0.5,
    },
    "grey": {
        "kind": "grey_channel", "exporter": "china", "hubs": ["vietnam"], "start": day_after(6),
        "opening_days": 20, "ceiling_share": 0.4, "probability": 0.5,
    },
    "rule": {"kind": "allocation_rule", "rule": "highest_bid", "probability": 0.5},
    "tax": {"kind": "tariff", "rate": 0.5, "exporter": "china", "importer": "japan", "probability": 0.5},
}  # fmt: skip
SETTINGS = {"weeks": 32, "flat": False, "prints": True, "keep": []}


def in_company(count):
    return shared(MIXED, worlds=count, **SETTINGS)


@pytest.mark.parametrize("world", [0, 3, 6])
def test_a_world_gives_the_same_bytes_alone_in_8_and_in_64(world):
    alone = simulate(MIXED, worlds=[world], **SETTINGS).fingerprints
    eight, many = in_company(8).fingerprints, in_company(64).fingerprints
    assert len(alone) == 32
    for day, (a, b, c) in enumerate(zip(alone, eight, many, strict=True)):
        assert a[0] == b[world] == c[world], f"world {world} differs on market day {day}"


#: A licence that ends in each world on another day.
ENDS = {
    "licence": {
        **MIXED["licence"], "probability": 1, "approval": 0.2,
        "duration": {"dist": "uniform", "low": 60, "high": 140},
    }
}  # fmt: skip
#: Measures on overlapping parts of a region, each of which ends on another day.
PARTS = {
    f"{name}_{place}": {
        **MIXED[name], "destinations": place, "probability": 1,
        "duration": {"dist": "uniform", "low": 40, "high": 180},
    }
    for name in ("licence", "ban")
    for place in ("eu", "germany", "europe")
}  # fmt: skip


@pytest.mark.parametrize("measures", [ENDS, PARTS], ids=["licence", "parts"])
def test_what_has_ended_is_gone_whoever_else_has_it(measures):
    """What passes after the end is asked of the world, not of the batch, to the last digit."""
    eight = simulate(measures, worlds=8, **SETTINGS)
    for world in (1, 4):
        alone = simulate(measures, worlds=[world], **SETTINGS).fingerprints
        assert [day[world] for day in eight.fingerprints] == [day[0] for day in alone], world


def test_what_is_kept_of_a_licence_ends_with_it_in_each_world():
    """What was granted to the end is told of the last day on which the world has a licence."""
    case = compile_scenario(scenario(ENDS, weeks=32, flat=False))
    name = "licences_granted_share"
    eight = run_worlds(case, 8, asked=[name]).metrics[name]
    assert len(set(eight)) > 1
    alone = [run_worlds(case, [world], asked=[name]).metrics[name] for world in (1, 4)]
    assert np.concatenate(alone).tobytes() == eight[[1, 4]].tobytes()


def test_the_order_of_the_worlds_does_not_matter():
    turned = simulate(MIXED, worlds=[6, 0, 3], **SETTINGS).fingerprints
    eight = in_company(8).fingerprints
    assert [[d[6], d[0], d[3]] for d in eight] == turned


def test_worlds_and_seeds_do_differ():
    last = in_company(64).fingerprints[-1]
    assert len(set(last)) == 64
    other = simulate(MIXED, worlds=[0], seed=1, **SETTINGS).fingerprints[-1]
    assert other[0] != last[0]


def test_one_bit_in_one_world_is_seen_and_stays_there():
    """The check itself: a last bit changed in world 2 shows in world 2, and only there."""

    class Nudge:
        def market_day(self, run, now, rules):
            if now == 70.0:
                stock = run.day.state.orders
                stock[0, 2] = np.nextafter(stock[0, 2] + 1e-300, np.inf)

    nudged = simulate(
        MIXED, worlds=8, before=lambda run: run.watchers.insert(0, Nudge()), **SETTINGS
    ).fingerprints
    right = in_company(8).fingerprints
    assert nudged[9] == right[9]
    assert [a == b for a, b in zip(nudged[10], right[10], strict=True)] == [
        w != 2 for w in range(8)
    ]
    assert [a[w] for a in nudged for w in (0, 1, 3, 7)] == [
        a[w] for a in right for w in (0, 1, 3, 7)
    ]


def test_a_number_taken_from_the_whole_batch_is_caught():
    """The law broken on purpose: a price that looks at the mean of all worlds."""

    class Gossip:
        def market_day(self, run, now, rules):
            price = run.day.state.log_home
            price += 1e-9 * (price.mean(axis=-1, keepdims=True) - price)

    def gossip(run):
        run.watchers.insert(0, Gossip())

    eight = simulate(MIXED, worlds=8, before=gossip, **SETTINGS).fingerprints
    three = simulate(MIXED, worlds=3, before=gossip, **SETTINGS).fingerprints
    assert eight[-1][:3] != three[-1]


SCRIPT = """
import json, sys
from tests.laws.test_isolation import MIXED, SETTINGS
from tests.fixtures.worlds import simulate
trace = simulate(MIXED, worlds=3, **SETTINGS)
print(json.dumps([trace.fingerprints[-1], [vars(e) for e in trace.run.calendar.entries]]))
"""


@pytest.mark.slow
def test_two_hash_seeds_give_the_same_bytes():
    out = []
    for seed in ("1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=env, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        out.append(json.loads(done.stdout))
    assert out[0] == out[1]
    assert out[0][0] == in_company(8).fingerprints[-1][:3]


# ---- common random numbers --------------------------------------------------------------


def effect(trace, name):
    return next(e for e in trace.run.effects if e.name == name)


def test_two_scenarios_with_one_seed_see_the_same_projects_and_outages():
    outages = {"outages": MIXED["outages"]}
    calm = simulate(outages, worlds=7, weeks=104, flat=False, keep=())
    shock = simulate({**outages, **MIXED, "cut": ban(2)}, worlds=7, weeks=104, flat=False, keep=())
    assert np.array_equal(calm.run.day.online, shock.run.day.online)
    assert any(np.unique(row).size > 2 for row in calm.run.day.online)  # slips differ by world
    a, b = effect(calm, "outages"), effect(shock, "outages")
    assert np.array_equal(a.n.share_lost, b.n.share_lost)
    assert np.isfinite(a.spans.start).sum() > 7  # two years of outages
    assert np.array_equal(a.spans.start, b.spans.start)
    assert np.array_equal(a.spans.end, b.spans.end)
    for name, value in calm.run.draws.items():
        assert np.array_equal(value, shock.run.draws[name]), name
    other = simulate(outages, worlds=7, weeks=104, flat=False, keep=(), seed=1)
    assert not np.array_equal(other.run.day.online, calm.run.day.online)


def test_the_streams_of_worlds_are_distinct():
    """As many different worlds as worlds were asked for, in every drawn parameter."""
    trace = simulate(worlds=101, weeks=2, flat=False, keep=())
    drawn = {k: v for k, v in trace.run.draws.items() if v.size > 1}
    assert len(drawn) > 40
    for name, value in drawn.items():
        assert np.unique(value).size == 101, name
    # What history has fitted is drawn together; everything else is independent of all.
    known = trace.run.chain.posterior
    table = np.array([v for k, v in drawn.items() if k not in known])
    inside = np.corrcoef(table)[~np.eye(len(table), dtype=bool)]
    assert np.abs(inside).max() < 0.45  # 5 standard errors of 101 draws is 0.5


def test_a_fingerprint_covers_the_whole_state():
    run = simulate(worlds=3, weeks=2, keep=()).run
    before = fingerprint(run)
    run.day.state.leak_capacity[-1, 1] += 1e-12
    after = fingerprint(run)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
