"""The benchmark compares like with like: the same tonnes in every world, or the same calm rate."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import engine
from benchmarks.bare_numpy import bare_numpy
from benchmarks.harness import Measured, Runner, found, lines, measure, runner, weekly
from benchmarks.lodestone_engine import lodestone_engine, steady
from benchmarks.plain_simpy import plain_simpy
from benchmarks.toy import LANES, toy_chain


def test_the_toy_chain_is_as_described():
    toy = toy_chain()
    assert toy.facilities == 40
    assert len(toy.share) == 120
    assert toy.transit.min() == 2
    assert toy.transit.max() == 8
    assert sum(share for _, share in LANES) == pytest.approx(1)
    assert np.bincount(toy.source, toy.share) == pytest.approx(np.ones(40))


@pytest.mark.parametrize("outages", [True, False])
def test_arrays_and_processes_deliver_the_same(outages):
    toy = toy_chain(weeks=130)
    plain = plain_simpy(toy, 3, seed=5, outages=outages)
    arrays = bare_numpy(toy, 3, seed=5, outages=outages)
    assert plain.min() > 0
    np.testing.assert_allclose(arrays, plain, rtol=1e-12)


def test_worlds_differ_by_their_outages_and_not_by_the_batch():
    toy = toy_chain(weeks=130)
    three, seven = bare_numpy(toy, 3, seed=5), bare_numpy(toy, 7, seed=5)
    np.testing.assert_array_equal(seven[:, :3], three)
    assert len(np.unique(seven, axis=1).T) == 7


def test_without_outages_nothing_is_lost_but_the_yield():
    toy = toy_chain(weeks=400)
    late = bare_numpy(toy, 1, seed=0, outages=False)
    later = bare_numpy(toy_chain(weeks=401), 1, seed=0, outages=False)
    weekly = float((later - late).sum())
    assert 0.7 * toy.capacity[:10].sum() < weekly <= toy.capacity[:10].sum() * 0.92**3 * (1 + 1e-9)


def test_a_way_that_computes_something_else_is_refused():
    wrong = Runner(
        "wrong", 2, False, lambda toy, worlds, seed: plain_simpy(toy, worlds, seed) * 1.01
    )
    ways = [found()[0], wrong]
    with pytest.raises(ArithmeticError, match="'wrong' differs"):
        measure(repeat=1, toy=toy_chain(weeks=60), ways=ways)


def test_the_table_has_a_row_for_each_way():
    measured = measure(repeat=1, toy=toy_chain(weeks=60))
    assert measured[0].times_faster == pytest.approx(1)
    assert len(lines(measured)) == 2 + len(found())


def test_a_second_way_of_a_title_is_refused():
    title = found()[0].title
    with pytest.raises(ValueError, match="registered twice"):
        runner(title, worlds=1)(lambda toy, worlds, seed: np.zeros((10, worlds)))


def test_the_engine_holds_what_the_plain_chain_delivers_when_nothing_breaks():
    toy = toy_chain(weeks=80)
    ways = {way.title: way for way in found()}
    plain = weekly(next(way for way in ways.values() if way.baseline), toy, 0)
    ours = weekly(next(way for way in ways.values() if way.same == "rate"), toy, 0)
    assert steady(toy)[-1]["used"] == pytest.approx(plain, rel=1e-9)
    np.testing.assert_allclose(ours, plain, rtol=0.01)


def test_outages_cost_the_engine_something_and_only_where_they_are_drawn():
    toy = toy_chain(weeks=160)
    calm = lodestone_engine(toy, 3, seed=5, outages=False).sum(axis=0)
    hit = lodestone_engine(toy, 3, seed=5).sum(axis=0)
    assert np.ptp(calm) <= 1e-9 * calm[0]
    assert (hit < calm).all()
    assert len(set(hit)) == 3


def test_the_engine_gives_a_world_the_same_tonnes_in_any_batch():
    toy = toy_chain(weeks=60)
    np.testing.assert_array_equal(
        lodestone_engine(toy, 5, seed=1)[:, :3], lodestone_engine(toy, 3, seed=1)
    )


def test_a_way_that_only_shares_the_rate_is_refused_when_the_rate_is_off():
    wrong = Runner(
        "wrong",
        2,
        False,
        lambda toy, worlds, seed, outages=True: plain_simpy(toy, worlds, seed, outages) * 1.02,
        "rate",
    )
    with pytest.raises(ArithmeticError, match=r"'wrong' differs .* 0\.02"):
        measure(repeat=1, toy=toy_chain(weeks=60), ways=[found()[0], wrong])


def test_a_way_that_feels_no_outage_is_refused():
    deaf = Runner(
        "deaf",
        2,
        False,
        lambda toy, worlds, seed, outages=True: plain_simpy(toy, worlds, seed, False),
        "rate",
    )
    with pytest.raises(ArithmeticError, match="outages cost 'deaf' nothing"):
        measure(repeat=1, toy=toy_chain(weeks=60), ways=[found()[0], deaf])


def test_the_table_says_what_was_checked():
    table = "\n".join(lines([Measured("a", 2, 1.0, 3.0, 2e-9, "rate", 0.02)]))
    assert "calm rate 2.0e-09 off" in table
    assert "2.0%" in table


def test_the_cost_of_a_world_is_carried_on_from_a_short_run():
    (figure,) = engine.engine_figures((2,), weeks=8, whole=40)
    assert figure.unit == "ms"
    assert figure.value > 0
    assert "carried on to 40" in figure.how
    assert len(engine.lines([figure])) == 3


def test_a_command_that_fails_is_not_timed():
    with pytest.raises(RuntimeError, match="failed"):
        engine._command(["show", "no_such_scenario"], 60)


def test_the_cost_of_a_point_is_told_by_step():
    from benchmarks import studies

    clock = studies.Clock()
    inner = clock.timed("inner", lambda: sum(range(200_000)))
    clock.timed("outer", lambda: [inner(), inner()])()
    assert clock.spent["inner"] > clock.spent["outer"] >= 0.0
    cost = studies.cost("numbers", points=2, worlds=2, end="2025-04-21")
    assert {"reading and checking", "metrics", "tables", studies.SIMULATING} <= set(cost.steps)
    assert all(ms >= 0.0 for ms in cost.steps.values()) and cost.overhead > 0.0
    told = "\n".join(studies.lines([cost]))
    assert "| ms a point | numbers, 2 worlds |" in told and "over simulating" in told
