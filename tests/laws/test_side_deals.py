"""A side deal about all licences is one about each of them."""

from __future__ import annotations

import numpy as np

from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import find
from lodestone.outputs.recorder import Recorder
from lodestone.scenario import load_scenario


def exports(side_deal: object) -> np.ndarray:
    scenario = load_scenario(
        "licence_shock_april_2025",
        overrides={
            "end": "2026-07-01",
            "interventions.april_2025_licences.approval": 0.1,
            "interventions.friends": {
                "kind": "alliance", "members": ["japan", "united_states"],
                "loyal": ["united_states"], "pooled_weight": 1, "side_deal": side_deal,
                "start": "2025-05-01", "defection_hazard_per_year": 20,
            },
        },
    )  # fmt: skip
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(3), 7.0)
    recorder = Recorder(run)
    run.watchers.append(recorder)
    run.run()
    select = {"material": "dy_oxide", "origin": "china", "destination": "japan", "year": 2026}
    return np.asarray(find("traded_t")(Series.of(recorder), **select))


def test_a_deal_about_every_licence_is_a_deal_about_the_only_one():
    every, one, none = (exports(x) for x in ("export_licence", "april_2025_licences", []))
    assert np.array_equal(every, one)
    assert np.all(every > none)


def test_where_there_is_no_licence_there_is_no_deal():
    law = load_scenario("calm_2024", overlays=["ally_defection"])
    assert law.interventions["overlay_defection"].side_deal == ("export_licence",)
