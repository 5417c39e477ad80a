"""What the shipped posterior foretells of years it has not seen: pass rate and coverage side by side.

The table of the calibration is read, and a part of it is run again. These numbers follow the fit; they
are no laws. A fit that gains facts in band and loses coverage is worse, so both have a floor.
"""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.backcast.episodes import find_episodes, load_episode
from lodestone.backcast.score import replay_episode
from lodestone.calibration.discrepancy import COVER
from lodestone.calibration.findings import PARAMETERS, skill_rows
from lodestone.calibration.kept import kept_rows, shipped_facts
from lodestone.calibration.loss import transform
from lodestone.chain.load import load_chain

ROWS = shipped_facts()
#: Floors, a little under what the shipped fit reaches.
IN_FIT, LEFT_OUT, HELD, HELD_BY_WORLDS = 0.42, 0.52, 0.83, 0.62
#: Episodes that a forecaster to whom nothing changes foretells as well: a gate shut in the middle of a
#: month is shut by half in it (docs/scorecard.md).
NOT_BEATEN = {"border_2021"}
pytestmark = pytest.mark.skipif(not ROWS, reason="no posterior is shipped")


def seen(view: str) -> list[dict]:
    return [r for r in ROWS if r["view"] == view and r["history"] != "control"]


def share(view: str, column: str) -> float:
    return float(np.mean([bool(r[column]) for r in seen(view)]))


def test_every_scored_fact_is_foretold_unseen_and_by_every_rival():
    facts = {(e.name, f.id) for n in find_episodes() for e in [load_episode(n)] for f in e.facts if f.scored}  # fmt: skip
    for view in ("left_out", "prior", "nothing_changes", "static"):
        assert {(r["episode"], r["fact"]) for r in seen(view)} == facts, view
    assert {(r["episode"], r["fact"]) for r in seen("in_fit")} <= facts


def test_facts_in_band_and_coverage_have_a_floor():
    assert share("in_fit", "pass") >= IN_FIT
    assert share("left_out", "pass") >= LEFT_OUT
    assert share("left_out", "held_wide") >= HELD
    assert share("left_out", "held") >= HELD_BY_WORLDS


def test_bands_are_not_wider_than_honesty_asks():
    """A band that holds everything says nothing: the scale is the least that holds nine in ten."""
    (scale,) = {r["scale"] for r in seen("in_fit")}
    assert share("left_out", "held_wide") <= 0.5 * (1 + COVER)
    assert 0.5 <= scale <= 3.0


def test_the_forecast_beats_those_without_a_model():
    *episodes, everything = skill_rows(ROWS)
    assert float(everything["against_nothing_changes"]) > 0.25
    assert float(everything["against_static"]) > 0.25
    beaten = {r["episode"] for r in episodes if float(r["against_nothing_changes"]) <= 0}
    assert beaten <= NOT_BEATEN


def test_the_posterior_is_that_of_the_table():
    moved = {r["parameter"] for r in kept_rows(PARAMETERS) if r["verdict"] != "not seen"}
    assert moved == set(load_chain().posterior)


@pytest.mark.parametrize("name", ["myanmar_2024", "licensing_2025"])
def test_a_replay_shows_what_the_table_says(name):
    episode = load_episode(name)
    found = replay_episode(episode, None, 24).values
    told = {r["fact"]: r for r in seen("in_fit") if r["episode"] == name}
    for fact in episode.facts:
        row = told.get(fact.id)
        if row is None or not np.isfinite(row["p50"]):
            continue
        low, middle, high = (
            float(transform(fact, np.array(row[q]))) for q in ("p05", "p50", "p95")
        )
        again = float(transform(fact, np.median(found[fact.id])))
        assert abs(again - middle) <= abs(high - low) + 0.05, (fact.id, again, middle)
