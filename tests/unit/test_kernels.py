"""Compiled and interpreted kernels give the same bytes, on arrays that a real run hands them."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from lodestone.chain.load import load_chain
from lodestone.engine import contents, phases, sailings
from lodestone.engine import run as run_module
from lodestone.engine.phases import arrivals, clearing
from lodestone.engine.run import BatchRun
from lodestone.outputs import gap, recorder
from lodestone.outputs.recorder import Recorder
from lodestone.outputs.series import money
from lodestone.scenario import load_scenario

MODULES = [import_module(f"{phases.__name__}.{m.name}") for m in iter_modules(phases.__path__)]
#: Name of each compiled loop -> modules that call it under that name.
LOOPS: dict[str, list] = {}
for module in (*MODULES, contents, sailings, run_module, gap, money, recorder):
    for found, item in vars(module).items():
        if isinstance(item, CPUDispatcher) and not found.startswith("_"):
            LOOPS.setdefault(found, []).append(module)
NAMES = sorted(LOOPS)
#: Called by another loop, and tested with it.
INNER = {"contained", "holds", "fill", "draw", "want"} | {
    "lacked_by_users", "give_to_users",  # of reserves, which nobody draws on here: below
    "shadow_price",  # of quotas, of which this scenario has none: below
    "what_leaves", "what_fits", "serve_home", "ask_abroad", "share_the_rest", "fill_idle_home",
}  # fmt: skip


def flat(given):
    """Arrays among what a loop is given, bundles opened."""
    for item in given:
        if isinstance(item, tuple):
            yield from flat(item)
        else:
            yield item


#: Weeks into the run at which calls are kept: in the jam, with users dry, and catching up.
FROM, TO = 70, 92


@pytest.fixture(scope="module")
def calls():
    """One call of every kernel in the jam of 2025: the last that saw most going on."""
    kept: dict[str, list] = {}
    originals = {name: getattr(LOOPS[name][0], name) for name in NAMES}
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2025-11-01"})
    run = BatchRun(scenario, load_chain(scenario.vintage), 3, np.arange(2))
    seen = {"tick": 0}

    class Count:
        def market_day(self, run, now, rules):
            seen["tick"] += 1

    run.watchers += [Recorder(run), Count()]

    def keeper(name):
        def call(*given):
            if FROM <= seen["tick"] < TO or name not in kept:
                kept[name] = copy.deepcopy(given)
            return originals[name](*given)

        return call

    # What other loops call by name stays what it is: they may have to be compiled yet.
    for name in set(NAMES) - INNER:
        for place in LOOPS[name]:
            setattr(place, name, keeper(name))
    try:
        run.run()
    finally:
        for name, item in originals.items():
            for place in LOOPS[name]:
                setattr(place, name, item)
    return kept


@pytest.mark.parametrize("name", [n for n in NAMES if n not in INNER])
def test_a_kernel_computes_what_its_text_says(calls, name):
    kernel = getattr(LOOPS[name][0], name)
    assert name in calls, f"{name} was not called: is it still used?"
    first, second = copy.deepcopy(calls[name]), copy.deepcopy(calls[name])
    one, two = kernel(*first), kernel.py_func(*second)
    assert np.array_equal(one, two)
    moved = False
    for before, a, b in zip(flat(calls[name]), flat(first), flat(second), strict=True):
        if isinstance(a, np.ndarray):
            assert a.tobytes() == b.tobytes()
            moved = moved or a.tobytes() != before.tobytes()
    assert moved or one is not None, "the kernel changed nothing"


def test_the_rent_of_a_quota_is_the_same_compiled_and_as_text_and_carries_what_may_pass():
    usual = np.array([[1.0, 2.0], [3.0, 1.0]])
    rate = np.array([2.0, 9.0])
    told = []
    for loop in (clearing.shadow_price, clearing.shadow_price.py_func):
        covered = clearing.Covered(
            usual, np.array([[1.0, 1.0], [50.0, 50.0]]), np.ones((2, 1)), np.full((2, 2), 0.3),
            np.empty((2, 2)),
        )  # fmt: skip
        rent = np.empty(2)
        loop(covered, rate, 5000.0, rent)
        told.append((rent.tobytes(), covered.carried.tobytes()))
        assert rent[0] > 0.0 and rent[1] == 0.0
        assert covered.carried[:, 0].sum() == pytest.approx(2.0, rel=1e-3)
        assert np.array_equal(covered.carried[:, 1], usual[:, 1])
    assert told[0] == told[1]


def test_a_reserve_fills_its_part_of_what_each_class_lacks_compiled_and_as_text():
    told = []
    for compiled in (True, False):
        lacked, give = (
            loop if compiled else loop.py_func
            for loop in (arrivals.lacked_by_users, arrivals.give_to_users)
        )  # fmt: skip
        users = arrivals.Drawing(
            np.array([2, 0]),
            np.array([1, 1]),
            np.array([[1.0, 1.0], [2.0, 0.0]]),
            np.array([0.5, 1.0]),
        )
        stock = np.array(
            [[[0.5, 0.0], [9.0, 9.0], [0.0, 2.0]], [[0.0, 0.0], [9.0, 9.0], [0.4, 0.0]]]
        )
        before, lack = stock.copy(), np.zeros((2, 2))
        lacked(users, stock, lack)
        assert lack == pytest.approx(np.array([[0.0, 0.0], [0.5 * 1.6 + 3.5, 0.5]]))
        give(users, np.array([[1.0, 1.0], [0.5, 0.0]]), stock)
        assert (stock - before)[..., 0].sum() == pytest.approx(0.5 * lack[1, 0])
        assert np.array_equal(stock[..., 1], before[..., 1]) and np.array_equal(
            stock[:, 1], before[:, 1]
        )
        told.append((lack.tobytes(), stock.tobytes()))
    assert told[0] == told[1]


def test_land_moves_tonnes_and_conserves_them():
    under_way, landed = np.full((4, 3), 5.0), np.zeros((4, 3))
    load = np.arange(12.0).reshape(4, 3) / 4
    sailings.land_rows(np.array([3, 1]), load, under_way, landed)
    assert np.array_equal(landed[[3, 1]], load[[3, 1]]) and np.all(under_way + landed == 5.0)
    assert np.all(landed[[0, 2]] == 0.0)


def test_every_kernel_has_been_compiled_once(calls):
    """A second signature would mean an array of another layout: slow, and compiled anew."""
    more = [n for n in calls if len(getattr(LOOPS[n][0], n).signatures) > 1]
    assert not more


@pytest.mark.slow
def test_no_kernel_reads_or_writes_outside_its_arrays(tmp_path):
    """The same code with bounds checked: an array of a wrong shape is an error there."""
    text = """
import numpy as np
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.recorder import Recorder
from lodestone.outputs.series import money
from lodestone.scenario import load_scenario
scenario = load_scenario("current_law", overrides={"end": "2026-03-01"})
BatchRun(scenario, load_chain(scenario.vintage), 0, np.arange(3)).run()
"""
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
