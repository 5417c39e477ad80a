"""The benchmark compares like with like: every way delivers the same tonnes in every world."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bare_numpy import bare_numpy
from benchmarks.harness import Runner, found, lines, measure, runner
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
