"""The frozen past: whoever moves a number says so.

A refactoring leaves every hash as it is. A change that is meant to move numbers re-freezes them,
``make refreeze`` (``python -m tests.regression``), which prints what moved; the list goes into the
commit message and, in short, under "Numbers moved" in the changelog.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.regression import measure


@pytest.mark.parametrize("name", sorted(measure.CASES))
def test_numbers_are_those_that_were_frozen(name, tmp_path):
    frozen = measure.load()
    exact = frozen["arithmetic"] == measure.arithmetic()
    moved = measure.moved(frozen["cases"][name], measure.measure(name, tmp_path), exact)
    shown = "\n  ".join(moved)
    assert not moved, f"{len(moved)} numbers of {name} moved (`make refreeze` if meant):\n  {shown}"


def test_every_case_is_frozen_and_says_something():
    cases = measure.load()["cases"]
    assert set(cases) == set(measure.CASES)
    for found in cases.values():
        assert sum(entry["mean"] != 0.0 for entry in found.values()) > 60


def test_a_moved_number_is_seen_and_named():
    old = {"a": measure.frozen_array(np.array([1.0, 2.0])), "gone": {"hash": "x", "mean": 0.0}}
    hair = {"a": measure.frozen_array(np.array([1.0, 2.0 + 4e-16])), "new": old["a"]}
    assert measure.moved(old, hair, exact=True)[0].startswith("a: mean 1.5 ->")
    assert measure.moved(old, hair, exact=False) == ["gone: gone", "new: new"]
    far = {"a": measure.frozen_array(np.array([1.0, 2.1])), "gone": old["gone"]}
    assert measure.moved(old, far, exact=False) == ["a: mean 1.5 -> 1.55"]
