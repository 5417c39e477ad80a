"""Holders of quota on paper: who waits, for how long it can pay, and what leaves meanwhile."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from lodestone.worlds.quota import PACE, PATIENT_WEEKS, QuotaBook

HALF = 26 * 7.0  # days
TONNES = 2600.0  # 100 t a week
NEVER = np.array([0.4, 0.4])  # share of what is allotted whose holders wait while prices climb


@pytest.fixture
def book():
    """Two halves of one year and the year after; all who ever wait do."""
    halves = [(0.0, HALF, 2010), (HALF, 2 * HALF, 2010), (2 * HALF, 4 * HALF, 2011)]
    periods = [(a, b, np.full(2, TONNES), year) for a, b, year in halves]
    nothing = SimpleNamespace(at=lambda now: 0.0)
    made = QuotaBook(
        SimpleNamespace(), 2, np.array([True]), np.ones((1, 1)), periods, np.ones(1), nothing, NEVER
    )
    made.active = np.ones(2)
    made.open_period(0)
    made.waiting[...] = 1.0
    return made


def test_who_never_waits_ships_his_part_evenly(book):
    assert np.allclose(book.rate(0.0), (1.0 - NEVER) * 100.0)


def test_waiting_ends_as_the_right_lapses(book):
    """The right is the year's: nobody stops waiting at the end of its first half."""
    assert np.allclose(book.who_wait(HALF - 7.0), 1.0)
    weeks = np.array([26.0, 13.0, 4.0, 1.0, 0.0])
    waits = [book.who_wait(2 * HALF - 7.0 * w)[0] for w in weeks]
    assert np.allclose(waits, weeks / PATIENT_WEEKS)


def test_what_was_held_back_leaves_before_it_lapses_as_fast_as_holders_can(book):
    """Half of the year's right is left in the last month: all ship at the highest pace."""
    book.open_period(1)
    book.left = np.full(2, TONNES)
    last = book.rate(2 * HALF - 7.0)
    wait = 1.0 / PATIENT_WEEKS
    assert np.allclose(last, (PACE * (1.0 - wait) + (1.0 - NEVER) * wait) * 100.0)
    book.left = np.full(2, 40.0)  # hardly anything is left: it lasts for four weeks
    assert np.allclose(book.rate(2 * HALF - 7.0), 10.0)


def test_the_more_wait_the_less_is_offered(book):
    offered = []
    for share in (0.0, 0.3, 0.6, 1.0):
        book.waiting[...] = share
        offered.append(book.rate(0.0)[0])
    # The left-over of the half would allow 100 t a week; the more wait the less leaves.
    assert offered[0] == 100.0 and np.all(np.diff(offered) <= 0.0) and offered[-1] < offered[0]


def test_what_is_left_of_a_half_is_carried_and_of_a_year_is_not(book):
    book.left = np.full(2, 900.0)
    book.open_period(1)
    assert np.allclose(book.left, TONNES + 900.0)
    book.open_period(2)
    assert np.allclose(book.left, TONNES)


def test_whose_right_lapsed_while_he_waited_does_not_wait_again(book):
    """A quarter of the year's right is lost: a quarter of what is allotted waits no more."""
    book.waited = np.array([1.0, 0.0])  # in the other world nobody had waited: nothing is learnt
    book.open_period(1)
    book.left = np.full(2, TONNES / 2.0)
    book.open_period(2)
    assert np.allclose(book.rate(2 * HALF), (1.0 - np.array([0.15, 0.4])) * 50.0)
    assert np.allclose(book.waited, 0.0)


def test_what_is_carried_within_a_year_has_not_lapsed(book):
    book.waited = np.ones(2)
    book.left = np.full(2, TONNES)
    book.open_period(1)
    assert np.allclose(book.lapsed, 0.0) and np.allclose(book.waited, 1.0)


def test_what_holders_learnt_is_not_forgotten_after_a_good_year(book):
    book.lapsed = np.array([0.3, 0.0])
    book.open_period(1)
    book.left = np.zeros(2)
    book.open_period(2)
    assert np.allclose(book.lapsed, [0.3, 0.0])
