"""One buyer and one supplier on paper: what is ordered, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.engine.compiling import NONE
from lodestone.engine.phases.orders import Book, Goods, Habits, Needs, order_up_to

USE, COVER, LEAD, GAIN = 10.0, 5.0, 4.0, 0.25  # t/week, weeks, weeks, share


def one(value):
    return np.array([[float(value)]])


def two(value):
    return np.array([[float(value)], [0.0]])


def ordered(waits=0.0, learnt=0.0, on_hand=USE * COVER, coming=USE * LEAD, lasting=1.0):
    """Tonnes that the buyer orders in a week (users tied to one supplier; nobody has the other tie)."""
    goods = Goods(one(on_hand), one(0.0), one(coming), NONE)
    needs = Needs(
        np.array([0, 1, 1]), one(USE), one(COVER), one(0.0), one(0.0), one(lasting), one(0.0),
        two(1.0), two(LEAD), NONE, 1.0,
    )  # fmt: skip
    book = Book(
        np.array([0, 1, 1]), one(1.0), one(USE), one(waits), NONE, one(0.0), two(learnt),
        one(0.0), one(0.0),
    )  # fmt: skip
    # What is learnt about waiting stays as it is.
    order_up_to(goods, needs, Habits(np.zeros(1), np.full(1, GAIN), np.full(1, 0.5), 0.0), book)
    return book.placed[0, 0], book.users_like[0, 0]


def test_in_the_steady_state_the_order_is_the_use():
    assert ordered() == pytest.approx((USE, USE * COVER))


def test_a_gap_of_stock_is_ordered_beside_the_use():
    assert ordered(on_hand=30.0)[0] == pytest.approx(USE + GAIN * 20.0)


def test_stocks_are_sized_by_the_use_that_lasts():
    """Use has doubled, but its mean over the year is three quarters of that: so is what is liked."""
    order, liked = ordered(lasting=0.75, on_hand=20.0)
    assert liked == pytest.approx(0.75 * USE * COVER)
    assert order == pytest.approx(USE + GAIN * (liked - 20.0))


@pytest.mark.parametrize(("waits", "learnt", "ahead"), [(30.0, 8.0, 3.0), (30.0, 2.0, 2.0), (0.0, 8.0, 0.0)])  # fmt: skip
def test_nobody_orders_ahead_for_a_queue_that_is_shorter_than_what_he_remembers(waits, learnt, ahead):  # fmt: skip
    """Orders ahead cover the wait that was learnt, at most what stands in the queue today."""
    order, _ = ordered(waits=waits, learnt=learnt)
    assert order == pytest.approx(max(USE + GAIN * (ahead * USE - waits), 0.0))
