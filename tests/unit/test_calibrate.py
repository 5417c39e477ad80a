"""The calibration's arithmetic: distances, losses, what counts as known, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lodestone.backcast.calibrate import (
    FARTHEST,
    LEVELS,
    PRIOR,
    RAREST,
    SLACK,
    Fit,
    Plan,
    _around,
    _local_model,
    _lowest,
    calibrate,
    distance,
    fitted_parameters,
    identify,
    loss,
    posterior,
    posterior_text,
    prior_loss,
    prior_spread,
    seen_by_history,
    to_values,
)
from lodestone.backcast.episodes import load_episode, locate_episodes
from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain, read_posterior
from lodestone.engine.run import draw_parameters
from lodestone.worlds.randomness import uniforms


def fact(name: str):
    episode = load_episode(locate_episodes("licensing_2025")[0])
    return next(f for f in episode.facts if f.id == name)


def test_distance_is_counted_in_half_widths_and_never_without_end():
    june = fact("B1_jun")  # 55..75
    found = distance(np.array([65.0, 55.0, 75.0, 85.0, 1e9, np.nan]), june)
    assert np.allclose(found, [0.0, 1.0, 1.0, 2.0, FARTHEST, FARTHEST])


def test_a_one_sided_band_costs_nothing_on_its_side():
    home = fact("B7")  # at most 0
    found = distance(np.array([-50.0, 0.0, 0.5]), home)
    assert np.array_equal(found[:2], [0.0, 1.0]) and found[2] > 1.0


def test_a_fact_out_of_band_costs_more_than_any_place_inside():
    inside = loss(np.array([[1.0, 1.0]]))
    outside = loss(np.array([[0.0, 1.5]]))
    far = loss(np.array([[0.0, FARTHEST]]))
    assert inside < outside < far < 4.0


def test_candidates_stay_in_the_sourced_range():
    items = fitted_parameters(load_chain())
    low, high = (to_values(items, np.full((1, len(items)), u)) for u in (0.0, 1.0))
    for item in items:
        assert low[item.name][0] == pytest.approx(item.low)
        assert high[item.name][0] == pytest.approx(item.high)


def test_what_is_likely_beforehand_costs_nothing_and_edges_cost_most():
    items = fitted_parameters(load_chain())
    mode = np.array([(p.default - p.low) / (p.high - p.low) for p in items])
    assert prior_loss(items, mode[None, :])[0] == pytest.approx(0.0, abs=1e-9)
    # One number alone, half-way from its mode to its upper edge: half the density.
    i = int(np.argmin(np.abs(mode - 0.5)))
    half, edge = mode.copy(), mode.copy()
    half[i], edge[i] = (1.0 + mode[i]) / 2.0, 1.0
    found = prior_loss(items, np.stack([half, edge]))
    assert found == pytest.approx([PRIOR * np.log(2.0), -PRIOR * np.log(RAREST)])
    flat = [replace(p, shape="uniform") for p in items]
    assert np.all(prior_loss(flat, np.stack([half, edge])) == 0.0)


def test_the_spread_of_a_prior_is_that_of_its_draws():
    items = fitted_parameters(load_chain())
    rng = np.random.default_rng(4)
    for item, spread in list(zip(items, prior_spread(items), strict=True))[:12]:
        drawn = rng.triangular(item.low, item.default, item.high, 20000)
        assert drawn.std() / (item.high - item.low) == pytest.approx(spread, rel=0.03)


def test_the_local_model_knows_slopes_and_bends_and_leads_to_the_lowest_point():
    names = [p.name for p in fitted_parameters(load_chain())][:4]
    best = np.array([0.5, 0.5, 0.98, 0.3])
    columns = np.array([0, 1, 2])

    def truth(x: np.ndarray) -> np.ndarray:
        return np.stack([3.0 * x[:, 0] - x[:, 1], x[:, 1] ** 2 + x[:, 2]], axis=1)

    points = np.concatenate([best[None, :], _around(best, columns, 0.06)])
    assert np.all((points >= 0.0) & (points <= 1.0)) and np.all(points[:, 3] == 0.3)
    losses = np.concatenate([[0.0], np.ones(6)])
    fit = Fit(names, [], points, truth(points), losses, np.array([True, True, True, False]))
    model = _local_model(fit, best, columns, 0.1)
    tried = best + np.array([[0.05, -0.05, 0.01, 0.0]])
    assert model(tried) == pytest.approx(truth(tried), abs=2e-3)
    # The first fact should rise by 0.2, the second stay: x0 up, the rest where it is or back.
    goal = truth(best[None, :])[0] + [0.2, 0.0]
    found = _lowest(model, lambda x, v: ((v - goal) ** 2).sum(axis=1), best, columns, 0.1, 1)
    assert np.abs(found - best).max() <= 0.1 + 1e-12 and found[3] == 0.3
    assert truth(found[None, :])[0] == pytest.approx(goal, abs=5e-3)


def test_what_no_fact_sees_is_told_apart():
    rng = np.random.default_rng(1)
    points = rng.random((512, 3))
    values = np.stack([5 * points[:, 0] + 0.1 * rng.random(512), rng.random(512)], axis=1)
    assert list(seen_by_history(points, values)) == [True, False, False]


def planted(ridge: int) -> Fit:
    """Candidates scored by a known valley: a alone; with a ridge a and b, one against (-1) or with
    the other (+1); c is free."""
    rng = np.random.default_rng(2)
    names = [p.name for p in fitted_parameters(load_chain())][:3]
    points = rng.random((4000, 3))
    off = points[:, 0] - ridge * (points[:, 1] - 0.5) - 0.5
    losses = 2000.0 * off**2
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    profile = np.stack(
        [2000.0 * (levels - 0.5) ** 2, 2000.0 * (levels - 0.5) ** 2 * abs(ridge), 0.0 * levels]
    )
    seen = np.array([True, bool(ridge), False])
    return Fit(names, [], points, np.zeros((4000, 0)), losses, seen, profile, {})


def test_a_planted_valley_is_found_pinned_and_the_rest_free():
    fit = planted(ridge=0)
    members = posterior(fit)
    assert np.all(fit.losses[members] <= fit.losses[fit.best] + SLACK)
    found = identify(fit, members)
    assert [found[n]["verdict"] for n in fit.names] == ["pinned", "free", "free"]
    assert found[fit.names[0]]["spread"] < 0.2


@pytest.mark.parametrize(("sign", "word"), [(1, "ridge"), (-1, "product")])
def test_a_planted_ridge_is_called_one(sign, word):
    fit = planted(ridge=sign)
    found = identify(fit, posterior(fit))
    first, second, third = (found[n] for n in fit.names)
    assert first["verdict"] == word and first["with"] == fit.names[1]
    assert sign * first["correlation"] > 0.8 and third["verdict"] == "free"
    assert second["verdict"] in (word, "free")


def test_the_posterior_is_read_back_and_drawn_a_member_a_world(tmp_path, monkeypatch):
    fit = planted(ridge=0)
    path = tmp_path / "posterior.csv"
    path.write_text(posterior_text(fit))
    chain = load_chain()
    problems: list = []
    held = read_posterior(path, chain.parameters, problems)
    assert not problems and list(held) == [fit.names[0]]
    worlds = np.arange(50)
    draws = draw_parameters(replace(chain, posterior=held), {}, 3, worlds)
    values = np.array(held[fit.names[0]])
    found = draws[fit.names[0]]
    member = values[(uniforms(3, "posterior/member", worlds) * len(values)).astype(int)]
    assert np.all((found >= values.min()) & (found <= values.max()))
    assert np.all(np.abs(found - member) <= 0.27 * np.ptp(values))
    assert len(np.unique(found)) == 50
    fixed = draw_parameters(replace(chain, posterior=held), {fit.names[0]: values[0]}, 3, worlds)
    assert np.all(fixed[fit.names[0]] == values[0])  # what a scenario sets goes first


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("market.elasticty_short\n0.1\n", "unknown parameter 'market.elasticty_short'"),
        ("market.elasticity_short\n9\n", "outside the range"),
        ("market.elasticity_short\nnan\n", "no finite number"),
        ("market.elasticity_short,licence.surge\n0.1\n", "1 cells, but the header has 2"),
        ("market.elasticity_short\n", "no member"),
    ],
)
def test_a_bad_posterior_is_refused(tmp_path, text, says):
    path = tmp_path / "posterior.csv"
    path.write_text(text)
    problems: list = []
    assert read_posterior(path, load_chain().parameters, problems) == {}
    assert any(says in p.message for p in problems)


@pytest.mark.slow
def test_a_search_goes_on_where_it_was_and_refuses_another_plan(tmp_path, monkeypatch):
    import lodestone.backcast.calibrate as module

    monkeypatch.setattr(module, "SCREEN", 8)
    monkeypatch.setattr(module, "SCATTER", 1)
    monkeypatch.setattr(module, "LEVELS", 2)
    monkeypatch.setattr(module, "ORDINARY", 2)
    monkeypatch.setattr(module, "SHIFT_WORLDS", 2)
    monkeypatch.setattr(module, "seen_by_history", lambda p, v: np.arange(p.shape[1]) < 3)
    folders = tuple(locate_episodes("myanmar_2024"))
    plan = Plan(folders, 4, 3, 1)
    whole = calibrate(plan, tmp_path / "whole", workers=1)

    def stop(text: str) -> None:
        if "generation 2" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(plan, tmp_path / "parts", workers=1, say=stop)
    parts = calibrate(plan, tmp_path / "parts", workers=1)
    assert np.array_equal(whole.points, parts.points)
    assert np.array_equal(whole.losses, parts.losses)
    with pytest.raises(InputError, match="another plan"):
        calibrate(Plan(folders, 5, 2, 1), tmp_path / "parts", workers=1)
