"""Scenarios under overlays, eighteen months long: each pair loads, runs, conserves and says so.

References are shared: a scenario without overlay is run once and compared with all of them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from functools import lru_cache

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.border.paths import data_root
from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import find
from lodestone.outputs.recorder import Recorder
from lodestone.scenario import find_overlays, load_scenario
from lodestone.scenario.remarks import remarks_on

FOLDER = data_root("scenarios")
SCENARIOS = sorted(p.stem for p in FOLDER.glob("*.yaml"))
OVERLAYS = sorted(p.stem for p in (FOLDER / "overlays").glob("*.yaml"))
WORLDS = 4
#: Scenarios that each overlay meets in the slow tests.
PARTNERS = 6
#: A sample for every day: each overlay once, over scenarios of different make.
SAMPLE = [
    (("current_law", "licence_shock_april_2025", "calm_2024")[i % 3], o)
    for i, o in enumerate(OVERLAYS)
]
#: What is named in words of the base year 2024 has no plant in the older tables.
NEW_PLANTS = {"pricing_pass_through_0", "pricing_pass_through_50", "pricing_pass_through_100"}


def cut(name, overlays=()):
    """A scenario over eighteen months around its first own measure."""
    scenario = load_scenario(FOLDER / f"{name}.yaml", overlays=overlays)
    plain = load_scenario(FOLDER / f"{name}.yaml")
    first = [e.start for e in plain.interventions.values() if isinstance(e.start, date)]
    start = max(scenario.start, min(first, default=scenario.start).replace(day=1))
    months = start.year * 12 + start.month - 1 + 18
    return replace(scenario, start=start, end=date(months // 12, months % 12 + 1, 1))


def run(scenario):
    batch = BatchRun(scenario, load_chain(scenario.vintage), 0, np.arange(WORLDS), 7.0)
    recorder = Recorder(batch)
    batch.watchers.append(recorder)
    batch.run()  # raises where an element does not balance
    return Series.of(recorder), batch


@lru_cache(maxsize=4)
def alone(name):
    return run(cut(name))[0]


def check(name, overlay):
    laid = cut(name, (overlay,))
    vintage = load_chain(laid.vintage).vintage.base_year
    series, batch = run(laid)
    assert laid.overlays == (overlay,)
    assert laid.interventions.keys() >= cut(name).interventions.keys()
    for item in ("unmet_t", "gross_unmet_t", "public_outlay_usd_million"):
        assert np.all(np.isfinite(find(item)(series))), item
    assert np.all(find("unmet_share_peak")(series) <= 1.0 + 1e-6)
    # The past is the same until the overlay begins.
    before = alone(name)
    assert series.dates == before.dates
    begins = min((float(np.min(e.start)) for e in batch.effects if e.name not in
                  cut(name).interventions), default=np.inf)  # fmt: skip
    same = series.times + series.days <= begins
    if vintage == 2024 and np.any(same) and overlay not in NEW_PLANTS:
        for key in ("home", "unmet"):
            now, then = series[key][same], before[key][same]
            if now.shape == then.shape:
                assert np.allclose(now[:1], then[:1], rtol=1e-6), key


@pytest.mark.parametrize(("name", "overlay"), SAMPLE, ids=[f"{n}+{o}" for n, o in SAMPLE])
def test_an_overlay_runs_over_some_scenario(name, overlay):
    check(name, overlay)


def pairs():
    """A covering sample of scenarios and overlays; all of them with LODESTONE_ALL_PAIRS=1."""
    if os.environ.get("LODESTONE_ALL_PAIRS"):
        return [(name, overlay) for name in SCENARIOS for overlay in OVERLAYS]
    step = max(1, len(SCENARIOS) // PARTNERS)
    drawn = {
        (SCENARIOS[(i + k * step) % len(SCENARIOS)], overlay)
        for i, overlay in enumerate(OVERLAYS)
        for k in range(PARTNERS)
    }
    # Scenarios that no overlay has met so far meet one.
    met = {name for name, _ in drawn}
    drawn |= {(n, OVERLAYS[i % len(OVERLAYS)]) for i, n in enumerate(SCENARIOS) if n not in met}
    return sorted(drawn)


def test_the_sample_covers_every_scenario_and_every_overlay():
    sample = pairs()
    assert {name for name, _ in sample} == set(SCENARIOS)
    assert min(sum(o == overlay for _, o in sample) for overlay in OVERLAYS) >= PARTNERS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "overlay"),
    [
        pytest.param(n, o, id=f"{n}+{o}", marks=pytest.mark.xdist_group(f"overlays over {n}"))
        for n, o in pairs()
    ],
)
def test_overlays_run_over_scenarios(name, overlay):
    check(name, overlay)


# ---- overlays beside one another --------------------------------------------------------


def test_an_overlay_is_laid_once():
    for twice in (
        ["stockpile_90d"] * 2,
        ["stockpile_90d", str(find_overlays()["stockpile_90d"].path)],
    ):
        with pytest.raises(InputError, match=r"names '.*stockpile_90d.*' twice") as error:
            load_scenario("calm_2024", overlays=twice)
        assert error.value.key == "overlays"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["allocation_pro_rata", "allocation_defence_first"], "(rule pro_rata and defence_first)"),
        (["stockpile_0d", "stockpile_365d"], "target_days 0 and 365"),
    ],
)
def test_of_two_overlays_that_differ_it_is_told_which_wins(names, says):
    scenario = load_scenario("calm_2024", overlays=names)
    (told,) = (t for t in remarks_on(scenario, load_chain()) if "both set" in t)
    assert says in told and told.endswith(f"the later one, {names[1]}, wins")


def test_overlays_that_agree_or_do_not_meet_say_nothing():
    for names in (["stockpile_90d", "permitting_fast"], ["stockpile_90d"]):
        assert not load_scenario("calm_2024", overlays=names).laid_over
