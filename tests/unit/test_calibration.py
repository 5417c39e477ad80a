"""The calibration's arithmetic: priors, errors by kind, the smoother, bands, and what is refused."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from lodestone.backcast.episodes import find_episodes, load_episode
from lodestone.border.errors import InputError
from lodestone.border.yamlfile import dump_yaml, read_yaml
from lodestone.calibration.calibrate import fit, session
from lodestone.calibration.discrepancy import (
    ALIKE,
    LARGEST,
    SIDE,
    band,
    covariance,
    needed,
    scale_of,
)
from lodestone.calibration.ensemble import run_cluster
from lodestone.calibration.findings import miss, skill_rows, summary_rows
from lodestone.calibration.loss import (
    ERRORS,
    UNDEFINED,
    back,
    error_of,
    innovation,
    kind_of,
    observation,
    transform,
)
from lodestone.calibration.naive import ELASTICITY, forecasts
from lodestone.calibration.plan import Ensemble, Plan, Target, fitted_parameters, shipped_plan
from lodestone.calibration.posterior import parameter_rows, posterior_text
from lodestone.calibration.priors import draw_scores, to_values
from lodestone.calibration.screen import in_reach, seen_by_facts
from lodestone.calibration.smoother import assimilate, inflations
from lodestone.chain.load import load_chain
from lodestone.chain.posterior import read_posterior

EPISODES = find_episodes()


def fact(name: str):
    for file in EPISODES.values():
        for found in load_episode(file).facts:
            if found.id == name:
                return found
    raise KeyError(name)


# ---- priors -----------------------------------------------------------------------------


def test_draws_never_leave_the_sourced_range_and_the_median_is_the_prior_s():
    items = fitted_parameters()
    scores = np.tile([-9.0, 0.0, 9.0], (len(items), 1))
    values = to_values(items, scores)
    for item in items:
        low, middle, high = values[item.name]
        assert item.low <= low <= middle <= high <= item.high
        drawn = np.random.default_rng(1).triangular(item.low, item.default, item.high, 20_000)
        assert middle == pytest.approx(np.median(drawn), abs=0.02 * (item.high - item.low))


def test_a_member_is_the_same_in_every_ensemble():
    items = fitted_parameters()[:3]
    few, many = (draw_scores(items, 4, np.arange(n)) for n in (5, 50))
    assert np.array_equal(few, many[:, :5])
    assert not np.array_equal(few, draw_scores(items, 5, np.arange(5)))


# ---- the space of comparison ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("A1_multiple", "multiple"),
        ("A3_nd", "wedge"),
        ("A6", "price change"),
        ("B1_may", "volume"),
        ("C5", "volume"),
        ("B9_onset", "month"),
        ("A5", "share"),
    ],
)
def test_every_fact_has_a_kind_and_comes_back_from_its_space(name, kind):
    found = fact(name)
    assert kind_of(found) == kind and error_of(found) == ERRORS[kind]
    values = np.array([found.observed, 0.9 * found.observed])
    assert back(found, transform(found, values)) == pytest.approx(values)


def test_a_multiple_twice_too_high_is_as_wrong_as_one_twice_too_low():
    found = fact("A1_multiple")
    seen = observation(found)
    high, low = transform(found, np.array([2.0, 0.5]) * found.observed) - seen
    assert high == pytest.approx(-low) == pytest.approx(np.log(2.0))


def test_a_fall_of_90_is_twice_as_far_from_80_as_80_from_60():
    found = fact("A6")  # what is left: 0.1, 0.2, 0.4
    left = transform(found, np.array([90.0, 80.0, 60.0]))
    assert left[1] - left[0] == pytest.approx(left[2] - left[1]) == pytest.approx(np.log(2.0))


def test_inside_a_one_sided_band_there_is_nothing_to_learn():
    found = fact("D3_civilian")  # 90 or more
    seen = innovation(found, np.array([95.0, 400.0, 60.0]))
    assert seen[0] == seen[1] == observation(found) > seen[2]
    falls = replace(fact("A6"), low=-np.inf)  # at most that deep
    edge = observation(falls)
    assert innovation(falls, np.array([10.0]))[0] == edge > innovation(falls, np.array([99.0]))[0]


def test_what_is_not_defined_is_far_away_and_finite():
    found = fact("B9_onset")
    seen = innovation(found, np.array([np.nan, np.inf]))
    assert np.all(seen == observation(found) + UNDEFINED * error_of(found))
    target = Target("e", "h", found)
    assert miss(target, np.inf) == UNDEFINED and miss(target, found.observed) == 0.0


# ---- the smoother -----------------------------------------------------------------------


def test_inflations_fall_by_halves_and_their_inverses_add_up_to_one():
    found = inflations(5)
    assert sum(1 / a for a in found) == pytest.approx(1.0)
    assert [b / a for a, b in itertools.pairwise(found)] == pytest.approx([0.5] * 4)


def test_a_linear_case_gives_the_posterior_of_the_textbook():
    rng = np.random.default_rng(3)
    prior = rng.normal(size=(3, 600))
    error = 0.5

    def forward(x: np.ndarray) -> np.ndarray:
        return np.stack([x[0] + x[1], x[0] - x[1]])

    observed = np.array([1.0, 0.4])
    found = assimilate(prior, forward, observed, error**2 * np.eye(2), 4, 1)
    # Sum and difference have variance 2 beforehand: gain 2 / (2 + error^2).
    gain = 2.0 / (2.0 + error**2)
    assert found[0].mean() == pytest.approx(gain * 0.7, abs=0.07)
    assert found[1].mean() == pytest.approx(gain * 0.3, abs=0.07)
    assert found[0].var() == pytest.approx(0.5 * (1.0 - gain) * 2.0, rel=0.35)
    # What no fact sees keeps its prior, to the digit.
    assert np.array_equal(found[2], prior[2]) or found[2].std() == pytest.approx(1.0, abs=0.08)


def test_only_what_some_fact_answers_to_is_moved():
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(3, 200))
    target = Target("e", "h", fact("B1_may"))
    predicted = (40.0 * np.exp(0.5 * scores[1] + 0.1 * rng.normal(size=200)))[:, None]
    assert list(seen_by_facts(scores, predicted, [target])) == [False, True, False]
    assert not seen_by_facts(scores, np.full((200, 1), 30.0), [target]).any()


def test_a_fact_that_the_whole_prior_cannot_show_is_out_of_reach():
    target = Target("e", "h", fact("B1_may"))  # 25, error 0.22 in logs
    far, near = np.full((50, 1), 110.0), 60.0 * np.exp(np.linspace(-0.6, 0.6, 50))[:, None]
    assert list(in_reach(far, [target])) == [False]
    assert list(in_reach(near, [target])) == [True]


# ---- bands ------------------------------------------------------------------------------


def test_facts_of_one_kind_in_one_history_err_together():
    may, june, cover = (fact(n) for n in ("B1_may", "B1_jun", "B9_onset"))
    targets = [Target("e", "one", may), Target("f", "one", june), Target("e", "one", cover),
               Target("g", "other", june)]  # fmt: skip
    found = covariance(targets, 2.0)
    sizes = np.sqrt(np.diag(found))
    assert sizes == pytest.approx([0.44, 0.44, 5.0, 0.44])
    alike = found / np.outer(sizes, sizes)
    assert alike[0, 1] == pytest.approx(ALIKE)
    assert alike[0, 2] == alike[0, 3] == 0.0
    assert np.all(np.linalg.eigvalsh(found) > 0.0)


def test_a_control_world_is_held_more_tightly_than_history():
    one = fact("A1_multiple")
    assert Target("e", "h", one, control=True).error == 0.25 * Target("e", "h", one).error


def test_a_band_adds_discrepancy_to_the_spread_as_a_root_of_squares():
    found = fact("A1_multiple")
    low, middle, high = band(found, np.full(50, 8.0), 1.5)
    assert middle == pytest.approx(8.0)
    assert np.log(high / 8.0) == pytest.approx(SIDE * 1.5 * 0.4) == pytest.approx(np.log(8.0 / low))
    spread = 8.0 * np.exp(np.linspace(-1.0, 1.0, 101))
    alone, both = band(found, spread, 0.0), band(found, spread, 1.5)
    assert np.log(both[2] / 8.0) == pytest.approx(np.hypot(np.log(alone[2] / 8.0), SIDE * 0.6))
    assert np.all(np.isnan(band(found, np.full(5, np.nan), 1.0)))


def test_the_scale_is_what_nine_in_ten_facts_need():
    found = fact("A1_multiple")
    values = found.observed * np.exp(np.linspace(-0.2, 0.2, 41) + 1.0)
    scale = needed(found, values)
    low, _, high = band(found, values, scale * 1.001)
    assert low <= found.observed <= high
    low, _, high = band(found, values, scale * 0.98)
    assert not low <= found.observed <= high
    assert needed(found, values / np.e) == 0.0
    assert scale_of(np.arange(1.0, 11.0) / 10.0 + 1.0) == pytest.approx(1.9)
    assert scale_of([99.0] * 10) == LARGEST


# ---- without a model --------------------------------------------------------------------


def test_where_nothing_changes_nothing_does_and_static_prices_jump_and_return():
    found = forecasts(EPISODES["quota_2010_elements"])
    assert found["A3_la_multiple"][0] == pytest.approx(1.0, abs=0.01)
    assert found["A3_la_multiple"][1] == pytest.approx(0.5 ** (-1 / ELASTICITY), rel=0.01)
    assert found["A6_la"][0] == pytest.approx(0.0, abs=0.5)
    assert np.isnan(found["A2_months"][0])


def row(episode, view, ok, off, held=True):
    return {"episode": episode, "history": episode, "view": view, "pass": ok, "held": held,
            "held_wide": True, "miss": off}  # fmt: skip


def test_skill_is_nought_for_a_rival_as_good_and_the_sums_leave_controls_aside():
    rows = [
        row("a", "left_out", True, 1.0), row("a", "prior", True, 1.0),
        row("a", "nothing_changes", False, 2.0), row("a", "static", False, 0.5),
        {**row("c", "in_fit", False, 4.0), "history": "control"},
        row("a", "in_fit", True, 0.5, held=False),
    ]  # fmt: skip
    (one, everything) = skill_rows(rows)
    assert one["against_prior"] == "+0.00" and one["against_nothing_changes"] == "+0.50"
    assert one["against_static"] == "-1.00" and everything["mean_miss"] == "1.00"
    first = summary_rows(rows)[0]
    assert (first["facts"], first["in_band"], first["held_by_worlds"]) == (1, 1, "0%")


# ---- a fit from end to end --------------------------------------------------------------


def test_histories_are_left_out_as_a_whole():
    plan = shipped_plan()
    assert {"years_of_quota", "licences_of_2025"} < set(plan.histories)
    rest = plan.without("years_of_quota")
    assert not {"quota_2010", "quota_2010_elements"} & {t.episode for t in rest.targets}
    assert any(t.control for t in rest.targets)
    assert {t.episode for t in plan.only("years_of_quota").targets} == {
        "quota_2010",
        "quota_2010_elements",
    }


def test_the_posterior_is_read_back(tmp_path):
    items = fitted_parameters()
    moved = np.arange(len(items)) < 2
    scores = draw_scores(items, 0, np.arange(30))
    ensemble = Ensemble([p.name for p in items], moved, scores, np.arange(30))
    path = tmp_path / "posterior.csv"
    path.write_text(posterior_text(ensemble))
    problems: list = []
    held = read_posterior(path, load_chain().parameters, problems)
    assert not problems and list(held) == [p.name for p in items[:2]]
    words = [r["verdict"] for r in parameter_rows(ensemble)]
    assert words[0] in ("free", "narrowed") and set(words[2:]) == {"not seen"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("market.elasticty_short\n0.1\n", "unknown parameter 'market.elasticty_short'"),
        ("{name}\n1e9\n", "outside the range"),
        ("{name}\nnan\n", "no finite number"),
        ("{name},{other}\n{low}\n", "1 cells, but the header has 2"),
        ("{name}\n", "no member"),
    ],
)
def test_a_bad_posterior_is_refused(tmp_path, text, says):
    one, two = fitted_parameters()[:2]
    path = tmp_path / "posterior.csv"
    path.write_text(text.format(name=one.name, other=two.name, low=one.low))
    problems: list = []
    assert read_posterior(path, load_chain().parameters, problems) == {}
    assert any(says in p.message for p in problems)


def test_what_an_episode_tells_of_its_years_is_not_fitted():
    """Quotas of 2020 are told year by year: no member lets them follow demand as well."""
    files, worlds = (EPISODES["demand_2020"],), np.arange(4)
    assert "investment.follow_share" in {p.name for p in fitted_parameters()}
    plain = run_cluster(files, {}, worlds, 0, 28.0)
    fitted = run_cluster(files, {"investment.follow_share": np.full(4, 0.9)}, worlds, 0, 28.0)
    for found, moved in zip(plain.values(), fitted.values(), strict=True):
        for fact_id, values in found.items():
            assert np.array_equal(values, moved[fact_id], equal_nan=True), fact_id
    other = run_cluster(files, {"market.scarcity_elasticity": np.full(4, 0.1)}, worlds, 0, 28.0)
    name = str(files[0])
    assert not np.array_equal(plain[name]["E1_multiple"], other[name]["E1_multiple"])


@pytest.mark.slow
def test_a_fit_goes_on_where_it_was_and_refuses_another_plan(tmp_path):
    plan = Plan((EPISODES["myanmar_2024"],), (), members=24, steps=2)
    with session(plan, tmp_path / "whole", 1) as forward:
        whole = fit(plan, forward, 0)

    class Stop(Exception):
        pass

    def stop(text: str) -> None:
        if "step 2" in text:
            raise Stop

    with pytest.raises(Stop), session(plan, tmp_path / "parts", 1, stop) as forward:
        fit(plan, forward, 0)
    lines: list[str] = []
    with session(plan, tmp_path / "parts", 1, lines.append) as forward:
        parts = fit(plan, forward, 0)
    assert np.array_equal(whole.scores, parts.scores)
    assert np.array_equal(whole.predicted, parts.predicted)
    assert "0 jobs new" in lines[0]
    again = replace(plan, steps=3)
    with pytest.raises(InputError, match="another plan"), session(again, tmp_path / "parts", 1):
        pass


@pytest.mark.parametrize(
    ("shock", "says"),
    [
        ({"side": "outside"}, "side"),
        ({"quantity": -1.0}, "above -1"),
        ({"quantity": None}, "'quantity' is missing"),
        ({"materials": "dy_oxid"}, "dy_oxide"),
        ({"price": 3}, "unknown key"),
    ],
)
def test_what_the_static_forecaster_cannot_be_told_is_refused(tmp_path, shock, says):
    data = dict(read_yaml(EPISODES["myanmar_2024"]).data)
    data.pop("points")
    good = {"materials": "dy_oxide", "side": "home", "over": "2024-11", "quantity": -0.3}
    data["static"] = [{k: v for k, v in {**good, **shock}.items() if v is not None}]
    path = tmp_path / "episode.yaml"
    path.write_text(dump_yaml(data))
    with pytest.raises(InputError) as error:
        load_episode(path)
    assert says in f"{error.value} {error.value.hint}"
