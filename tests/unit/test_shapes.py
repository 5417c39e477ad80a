"""Shapes of distributions: one class each, found by its name everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.border.numbers import Distribution, parse_number
from lodestone.border.shapes import FORMS, Shape, shape
from lodestone.chain.load import load_chain
from lodestone.scenario.schema import scenario_schema
from lodestone.worlds.randomness import quantile

EXAMPLES = {
    "fixed": {"value": 3},
    "uniform": {"low": 1, "high": 2},
    "triangular": {"low": 30, "mode": 63, "high": 100},
    "normal": {"mean": 10, "sd": 2, "low": 0},
    "lognormal": {"median": 10, "sigma": 0.3, "high": 20},
    "choice": {"values": [1, 2, 5], "weights": [0.5, 0.25, 0.25]},
}
U = np.linspace(0.0, 0.999, 997)


@pytest.mark.parametrize("name", list(FORMS))
def test_draws_stay_within_the_support_rise_and_have_the_centre_inside(name):
    spec = parse_number({"dist": name, **EXAMPLES[name]})
    assert isinstance(spec, Distribution)
    drawn = quantile(spec, U)
    low, high = spec.support()
    assert drawn.shape == U.shape and np.all(np.diff(drawn) >= 0.0)
    assert low <= drawn.min() and drawn.max() <= high and low <= spec.centre() <= high
    assert parse_number(spec.as_written()) == spec


def test_quantiles_are_those_on_paper():
    def at(u, **held):
        return float(quantile(parse_number(held), np.array([u]))[0])

    assert at(0.25, dist="uniform", low=1, high=2) == 1.25
    assert at(0.5, dist="triangular", low=0, mode=1, high=2) == pytest.approx(1.0)
    assert at(0.5, dist="lognormal", median=10, sigma=0.7) == pytest.approx(10.0)
    assert at(0.975, dist="normal", mean=0, sd=1) == pytest.approx(1.959964, abs=1e-6)
    assert at(0.49, dist="choice", values=[1, 2], weights=[1, 1]) == 1.0


def test_a_new_shape_is_one_class():
    @shape("spike")
    class Spike(Shape):
        needed = ("at",)
        example = "{dist: spike, at: 1}"

        @staticmethod
        def support(held):
            return held["at"], held["at"] + 1.0

        @staticmethod
        def centre(held):
            return float(held["at"])

        @staticmethod
        def quantile(held, u):
            return held["at"] + u**9

    try:
        spec = parse_number({"dist": "spike", "at": 4})
        assert quantile(spec, np.zeros(3)).tolist() == [4.0, 4.0, 4.0]
        assert (spec.support(), spec.centre(), str(spec)) == ((4.0, 5.0), 4.0, "spike(4)")
        with pytest.raises(ValueError, match=r"Write for example {dist: spike, at: 1}"):
            parse_number({"dist": "spike"})
        schema = scenario_schema(load_chain("2024"))
        shapes = schema["definitions"]["distribution"]["oneOf"]
        assert {"const": "spike"} in [s["properties"]["dist"] for s in shapes]
        with pytest.raises(ValueError, match="two shapes are called"):
            shape("spike")(Spike)
    finally:
        del FORMS["spike"]
