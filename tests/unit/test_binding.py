"""What binds: the stage that is named is the one that keeps the goods, and none where none does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.items import STAGES
from lodestone.outputs.recorder import Recorder
from lodestone.outputs.results import Results
from lodestone.runs.settings import Settings
from lodestone.runs.simulate import simulate
from lodestone.scenario import load_scenario

WORLDS = 3


@pytest.fixture
def calm():
    """A recorder after some calm weeks, with every reason for a lack taken away."""
    scenario = replace(load_scenario("calm_2024"), end=date(2024, 3, 1), hypothesis={})
    run = BatchRun(scenario, load_chain("2024"), 0, np.arange(WORLDS), 7.0)
    recorder = Recorder(run)
    run.run()
    st = run.day.state
    st.openness[:], st.remembered[:] = 1.0, 0.0
    run.day.flows["input_short"][:] = 1.0
    run.day.group_load[:] = 0.5
    run.day.flows["unmet"] = run.day.flows["planned"] * 0.01
    return recorder, run


def stages(calm):
    """Stage of the heavy line of European cars in every world."""
    recorder, run = calm
    lay = run.layout
    line = lay.users.keys.index(
        next(u for u in lay.users.keys if u[1:] == LINE[1:] and u[0] == LINE[0])
    )
    found = recorder._stages(run)[line]
    assert len(set(found)) == 1
    return STAGES[int(found[0])]


LINE = ("ev_traction", "ndfeb_high_coercivity", "europe")


def cell(run, material, region):
    return run.layout.cells.at[(material, region)]


def test_where_nothing_binds_it_says_so(calm):
    assert stages(calm) == "none"


def test_full_makers_bind(calm):
    calm[1].day.group_load[:] = 1.0
    assert stages(calm) == "magnet"


def test_makers_without_metal_bind_at_metal_and_without_oxide_at_separation(calm):
    run = calm[1]
    short = run.day.flows["input_short"]
    short[cell(run, "ndfeb_high_coercivity", "china")] = 0.8
    assert stages(calm) == "metal"
    short[cell(run, "dy_metal", "china")] = 0.8
    assert stages(calm) == "separation"


def test_a_border_that_is_shut_binds_before_all_else(calm):
    run = calm[1]
    run.day.group_load[:] = 1.0
    run.day.state.openness[cell(run, "ndfeb_high_coercivity", "europe")] = 0.9
    assert stages(calm) == "trade"


def test_after_a_closure_what_is_under_way_or_waits_is_trade(calm):
    run = calm[1]
    st = run.day.state
    here = cell(run, "ndfeb_high_coercivity", "europe")
    st.remembered[here] = 0.3
    assert stages(calm) == "trade"
    for held in (st.orders, st.in_transit, st.landed, st.held):
        held[run.layout.links.destination == here] = 0.0
    assert stages(calm) == "none"


def test_makers_elsewhere_who_are_kept_from_their_inputs_lack_them_by_trade(calm):
    run = calm[1]
    lay = run.layout
    japan = cell(run, "ndfeb_high_coercivity", "japan")
    run.day.flows["input_short"][japan] = 0.5
    # As if a tenth of what Europe needs came from Japan.
    link = (lay.links.origin == japan) & (
        lay.links.destination == cell(run, "ndfeb_high_coercivity", "europe")
    )
    run.day.l_need_share[link] = 0.1
    assert stages(calm) == "metal"
    for name in ("dy_metal", "tb_metal", "ndpr_metal"):
        run.day.state.openness[cell(run, name, "japan")] = 0.5
    assert stages(calm) == "trade"


def test_the_licences_of_april_2025_bind_by_trade_until_the_lack_is_over(tmp_path):
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2025-10-06"})
    settings = replace(
        Settings(), worlds=5, workers=1, report_formats=(), out=tmp_path / "shock"
    )  # fmt: skip
    table = Results.load(simulate(scenario, settings)).table("bottlenecks")
    after = table[table["date"] >= "2025-05-01"]
    july = after[(after["date"].astype(str).str[:7] == "2025-07") & (after["region"] == "all")]
    assert list(july["binding_stage"]) == ["trade"] and july["share_of_worlds"].iloc[0] == 1
    assert set(after["binding_stage"]) == {"trade"}
