"""A run that is stopped on any day and goes on from its copied state gives the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.scenario import load_scenario

#: Scenario, its end, and the day on which it is stopped: in a jam, in a quota period with a rent,
#: before a trigger can fire, with a route closed and goods waiting before it.
CASES = {
    "licence_shock_april_2025": ("2025-07-14", 500.0),
    "quota_2010": ("2010-10-11", 595.0),
    "mp_deal_2025": ("2025-10-06", 583.0),
    "no_truce_2025": ("2025-12-15", 640.0),
}


def fresh(name: str) -> BatchRun:
    scenario = load_scenario(name, overrides={"end": CASES[name][0]})
    return BatchRun(scenario, load_chain(scenario.vintage), 1, np.arange(3))


def everything(run: BatchRun) -> dict[str, bytes]:
    state, ledger = run.day.state, run.day.ledger
    held = {**state.arrays(), "used": ledger.used, "lost": ledger.lost, "stock": ledger.stock}
    held |= dict(run.day.flows.items())
    return {name: np.ascontiguousarray(values).tobytes() for name, values in held.items()}


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_run_resumed_from_a_copy_gives_the_same_bytes(name):
    whole = fresh(name)
    whole.run()
    stopped = fresh(name)
    stopped.run_until(CASES[name][1])
    saved = stopped.checkpoint()
    stopped.day.state.seller_stock[...] = 7.0  # the copy shares nothing with the run it is of
    resumed = fresh(name)
    resumed.resume(saved)
    resumed.run()
    one, other = everything(whole), everything(resumed)
    assert set(one) == set(other)
    assert not [key for key in one if one[key] != other[key]]


def test_a_checkpoint_holds_what_the_calendar_used_to_hold():
    run = fresh("licence_shock_april_2025")
    run.run_until(500.0)
    saved = run.checkpoint()
    assert saved.day == 500.0
    assert len(saved.state.sailings) > 20 and all(s.day >= 497.0 for s in saved.state.sailings)
    assert saved.state.books[0] is not run.day.office
    assert np.array_equal(saved.state.books[0].granted, run.day.office.granted)
