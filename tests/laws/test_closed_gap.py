"""Planned use is met by its sources and savings, to the kilogram, in every world and quarter."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.chain.load import load_chain
from lodestone.engine.contents import contained_by_region
from lodestone.engine.run import BatchRun
from lodestone.outputs.items import ITEMS
from lodestone.outputs.recorder import Recorder
from lodestone.scenario import load_scenario

WORLDS = 5


def books(name: str, end: str, overrides: dict | None = None):
    """Series (q, items, r, e, w) of a scenario and planned use (r, e, w) counted apart."""
    scenario = load_scenario(name, overrides={"end": end, **(overrides or {})})
    run = BatchRun(scenario, load_chain(scenario.vintage), 1, np.arange(WORLDS))
    recorder = Recorder(run)
    lay = run.layout
    planned = np.zeros((len(lay.regions), len(lay.elements), WORLDS))

    class Count:
        def market_day(self, run, now, rules):
            tonnes = run.day.flows["planned"]
            users = (np.arange(lay.users.n), lay.users.material, lay.users.region)
            contained_by_region(tonnes, *users, lay.content, 1.0, planned)

    run.watchers += [recorder, Count()]
    run.run()
    shape = (-1, len(ITEMS), len(lay.regions), len(lay.elements), WORLDS)
    return recorder.gap.series.astype(float).reshape(shape), planned, lay


@pytest.mark.parametrize(
    "name", ["calm_2024", "licence_shock_april_2025", "cutoff_total", "myanmar_outage"]
)
def test_items_add_up_to_planned_use(name):
    series, planned, _ = books(name, "2027-04-01")
    size = np.abs(series).sum(axis=(0, 1))
    assert np.all(np.abs(series.sum(axis=(0, 1)) - planned) <= 1e-6 * size + 1e-6)
    assert planned.sum() > 1e5


#: An office that grants in the end what is filed, so that trade catches up.
GRANTS = {
    f"licence.refused_{what}": 0.0
    for what in ("product", "material_rival", "material_ally", "material_other")
}


def test_a_closure_falls_on_the_exporter_and_stocks_fill_it_first():
    series, _, lay = books("licence_shock_april_2025", "2025-10-01", {"overrides": GRANTS})
    calm, _, _ = books("calm_2024", "2025-10-01")
    outside = [r for r in range(len(lay.regions)) if r != lay.home]
    dy = lay.elements.index("dy")
    gone = (series - calm)[:, :, outside, dy].sum(axis=2)  # (q, item, w)
    spring = dict(zip(ITEMS, gone[5], strict=True))  # second quarter of 2025
    assert np.all(spring["exporter"] < -50)
    assert np.all(spring["stock_draw"] > 0.5 * -spring["exporter"])
    assert np.all(spring["leak"] >= 0) and np.all(spring["unmet"] > 0)
    summer = dict(zip(ITEMS, gone[6], strict=True))
    assert np.all(summer["exporter"] > 0) and np.all(summer["stock_draw"] < 0)
    assert np.all(np.abs(gone[:5]).sum(axis=(0, 1)) < 2.0)  # before the licences: next to nothing
