"""A number of several points can be drawn, in the worlds of each, and nothing else."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from lodestone.border.abreast import Abreast, NotAbreast
from lodestone.border.numbers import Distribution, parse_number
from lodestone.studies.abreast import COLUMNS, TOGETHER, columns_of
from lodestone.worlds.randomness import draw

UNIFORM = Distribution("uniform", (("low", 1.0), ("high", 3.0)))
SEVERAL = Abreast("tariff.rate", (0.5, UNIFORM, 2), 3)


def test_each_point_draws_its_own_in_its_own_worlds():
    worlds = np.array([4, 0, 7])
    found = draw(SEVERAL, 11, "stream", np.tile(worlds, 3)).reshape(3, 3)
    assert found[0].tolist() == 3 * [0.5] and found[2].tolist() == 3 * [2.0]
    assert found[1].tobytes() == draw(UNIFORM, 11, "stream", worlds).tobytes()
    with pytest.raises(NotAbreast, match=r"tariff\.rate"):
        draw(SEVERAL, 11, "stream", worlds)


@pytest.mark.parametrize(
    "read",
    [
        float, int, bool, str, abs, round, hash, np.asarray, np.isfinite,
        lambda v: f"{v}", lambda v: v + 1, lambda v: 2.0 * v, lambda v: np.ones(3) * v,
        lambda v: v > 0.0, lambda v: np.ones(3) < v, lambda v: v == 0.5, lambda v: v != v,
        lambda v: v or 1.0, lambda v: max(v, 0.0), lambda v: v.centre(), lambda v: v in (0.5, 1.0),
        lambda v: np.full(3, 0.0) + np.float64(1.0) / v, lambda v: getattr(v, "low", None),
        lambda v: range(3)[v], lambda v: np.array([v], dtype=float),
    ],
)  # fmt: skip
def test_it_is_read_by_nobody(read):
    with pytest.raises(TypeError):
        read(SEVERAL)


def test_it_is_never_read_from_a_file_and_can_be_copied():
    with pytest.raises(ValueError, match="must be a number"):
        parse_number(SEVERAL)
    for other in (copy.copy(SEVERAL), copy.deepcopy(SEVERAL), pickle.loads(pickle.dumps(SEVERAL))):
        assert repr(other) == repr(SEVERAL)


def test_batches_are_bounded_in_columns_and_in_what_they_hold():
    assert columns_of(8, 209.0, 40) == 128 and columns_of(8, 209.0, 3) == 24
    assert columns_of(8, 626.0, 40) * 626 <= TOGETHER
    assert columns_of(200, 209.0, 40) == 200, "one is never cut"
    assert columns_of(1, 10.0, 500) == COLUMNS, "a single world has a copy"
