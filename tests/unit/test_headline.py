"""Metrics that a scenario asks for: checked before anything runs, each fault with its key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS
from lodestone.outputs.selectors import asked_metrics, check_expressions
from lodestone.scenario import find_scenarios, load_scenario

TEXT = """
name: mine
question: What if?
start: 2024-01-01
end: 2026-01-01
interventions: {}
headline: [%s]
"""


def load(folder: Path, *entries: str):
    path = folder / "mine.yaml"
    path.write_text(TEXT % ", ".join(f'"{e}"' for e in entries), encoding="utf-8")
    scenario = load_scenario(path)
    check_expressions(scenario, load_chain("2024"))
    return scenario


def test_a_headline_is_kept_in_order_and_asked_of_the_run(tmp_path):
    entries = (
        "unmet_share(region=europe)",
        "first_stoppage",
        "unmet_t(region=[japan, south_korea])",
    )
    scenario = load(tmp_path, *entries)
    assert scenario.headline == entries
    assert list(asked_metrics(scenario)) == list(entries)
    assert scenario.to_dict()["headline"] == list(entries)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("unmet_shar(region=europe)", "unknown metric 'unmet_shar'. Did you mean 'unmet_share'?"),
        ("unmet_share(regoin=europe)", "unknown selector 'regoin'. Did you mean 'region'?"),
        ("unmet_share(region=europa)", "unknown region 'europa'. Did you mean 'europe'?"),
        ("unmet_share(sector=ev_tracton)", "Did you mean 'ev_traction'?"),
        ("unmet_share(region=all, region=europe)", "the selector stands twice"),
        ("unmet_share(region=[])", "is an empty list"),
        ("idle_share(stage=magnets)", "Did you mean 'magnet'?"),
        ("idle_share(year=soon)", "'soon' is not a year"),
        ("coverage_year(share=80)", "80 is not between 0 and 1"),
        ("met_share(by=substitutoin)", "Did you mean 'substitution'?"),
        ("unmet_share(region=europe) > 0.5", "one metric is meant, no comparison"),
        ("unmet_share(region", "the expression ends"),
        ("traded_t(origin=china, destination=china)", "trade inside a region is not modelled"),
        ("traded_t(origin=germany, destination=france)", "trade inside a region is not modelled"),
    ],
)
def test_what_no_run_can_tell_is_refused_with_its_key_and_the_nearest_word(tmp_path, entry, told):
    with pytest.raises(InputError) as caught:
        load(tmp_path, entry)
    assert told in str(caught.value)
    assert "headline.0" in str(caught.value) and "mine.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "entry", ["idle_share(year=2031)", "price_multiple_home(since=2027-01-01)"]
)
def test_what_a_shorter_run_does_not_reach_is_left_out(tmp_path, entry):
    # A headline is inherited, and runs are made shorter by scenario.end=...: no reason to refuse.
    scenario = load(tmp_path, "unmet_t", entry)
    assert list(asked_metrics(scenario)) == ["unmet_t"]


def test_a_headline_is_a_list_without_repetition(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT.replace("[%s]", "unmet_t"), encoding="utf-8")
    with pytest.raises(InputError, match="headline: must be a list of metrics"):
        load_scenario(path)
    with pytest.raises(InputError, match="'unmet_t' stands twice"):
        load(tmp_path, "unmet_t", "unmet_t")


def test_a_selection_that_holds_nothing_is_refused(tmp_path):
    """Smelters buy no magnets: a sector that the base year does not know in a region."""
    chain = load_chain("2024")
    used = {(row.region, row.sector) for row in (*chain.demand, *chain.oxide_uses)}
    region, sector = next(
        (r, s) for r in chain.regions for s in chain.sectors if (r, s) not in used
    )
    with pytest.raises(InputError, match="selects nothing"):
        load(tmp_path, f"unmet_t(region={region}, sector={sector})")


def test_a_hypothesis_is_checked_the_same_way():
    scenario = replace(
        load_scenario("calm_2024"), hypothesis={"confirmed_if": "unmet_t(sector=ev_tracton) > 1"}
    )
    with pytest.raises(InputError, match=r"hypothesis\.confirmed_if: .*'ev_traction'"):
        check_expressions(scenario, load_chain("2024"))


@pytest.mark.parametrize("name", list(find_scenarios()))
def test_what_shipped_scenarios_ask_for_exists(name):
    scenario = load_scenario(name)
    check_expressions(scenario, load_chain(scenario.vintage))
    for variant in scenario.variants:
        check_expressions(load_scenario(name, variant=variant), load_chain(scenario.vintage))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{confirmed_if: 'unmet_share_peak > 5'}", r"never > 5.*percent\(5\)"),
        ("{confirmed_if: 'magnet_share(region=china) < 87'}", r"always < 87.*percent\(87\)"),
        (
            "{confirmed_if: 'unmet_t > 5', refuted_if: 'unmet_t  >  5.0'}",
            "refuted_if: is the same condition as confirmed_if",
        ),
    ],
)
def test_a_condition_that_decides_nothing_is_refused(tmp_path, entry, told):
    path = tmp_path / "mine.yaml"
    path.write_text(f"{TEXT % 'unmet_t'}hypothesis: {entry}\n", encoding="utf-8")
    scenario = load_scenario(path)
    with pytest.raises(InputError, match=told):
        check_expressions(scenario, load_chain())


def test_users_that_stood_before_the_disruption_do_not_stop_by_it():
    """First stop of groups that stand throughout, stop later, and never; the day of the shock 14."""
    stopped = np.zeros((4, 3, 2), dtype=bool)
    stopped[:, 0] = True
    stopped[3, 1] = True
    times = np.arange(4) * 7.0

    def series(shock: float) -> SimpleNamespace:
        since = (times >= shock)[:, None, None] & np.ones((1, 1, 2), bool)
        arrays = {"stopped": stopped}

        class Held(SimpleNamespace):
            def __getitem__(self, name: str) -> np.ndarray:
                return arrays[name]

        held = {"shock_day": np.full(2, shock), "_stopped": stopped & since, "weeks": 1.0}
        return Held(times=times, **held)

    first = Series.first_stop.func(series(14.0))  # type: ignore[attr-defined]
    assert first.tolist() == [[np.inf, np.inf], [21.0, 21.0], [np.inf, np.inf]]
    # From the first day on there is no day before.
    assert Series.first_stop.func(series(0.0))[0].tolist() == [0.0, 0.0]  # type: ignore[attr-defined]
    # The weeks in which they stand count them, and say so.
    weeks = Series.stop_weeks.func(series(14.0))  # type: ignore[attr-defined]
    assert weeks[:, 0].tolist() == [2.0, 1.0, 0.0]
    assert METRICS["stoppage_weeks"].title.endswith("who stood before included")


def test_a_hypothesis_beyond_a_shorter_run_says_how_to_ask_without_it():
    def ask(**more):
        changes = {"end": "2026-06-01", **more}
        scenario = load_scenario("truce_snapback_2026", overrides=changes)
        check_expressions(scenario, load_chain("2024"))
        return scenario

    with pytest.raises(InputError, match=r"outside the run.*scenario\.hypothesis=null") as caught:
        ask()
    assert "hypothesis.confirmed_if" in str(caught.value)
    assert ask(hypothesis=None).hypothesis == {}
