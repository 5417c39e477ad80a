"""Users tied to the home region or to others: neutral in calm, cut off first, requalified in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lodestone.equations.ties import leaving, mixed, wished_tie
from tests.fixtures.worlds import ban, day_after, shared, simulate

SHARE = st.floats(0.0, 1.0)
BAN_FROM = 8
WEEKS_TO_QUALIFY = 39.0
TO_JAPAN = {"destinations": ["japan"], "materials": "magnets"}


def lines(trace, region):
    """Magnet lines of a region: tied to China, and the same lines tied elsewhere."""
    lay = trace.layout
    here = lay.users.here
    mine = here[lay.users.magnet[here] & (lay.users.region[here] == lay.region_at[region])]
    return mine, lay.users.other[mine]


class Ties:
    """Keeps which share of each line has its tie."""

    def __init__(self):
        self.days = []

    def market_day(self, run, now, rules):
        self.days.append(run.day.state.tied.copy())


@pytest.fixture(scope="module")
def shut_out():
    """Japan alone gets no Chinese magnets from the eighth week on: shares by day, and the trace."""
    ties = Ties()
    trace = simulate(
        {"b": ban(BAN_FROM, **TO_JAPAN)}, weeks=112, worlds=3,
        overrides={"qualification.magnet_weeks": WEEKS_TO_QUALIFY},
        before=lambda run: run.watchers.append(ties),
    )  # fmt: skip
    return trace, np.array(ties.days)


def test_lines_are_split_as_the_base_year_traded():
    trace = shared({}, weeks=60, worlds=3)
    lay = trace.layout
    first = lay.users.here
    second = lay.users.other[first]
    assert np.allclose(lay.users.tied[first] + lay.users.tied[second], 1.0)
    assert np.allclose(lay.users.base[first] + lay.users.base[second], lay.users.whole[first])
    assert not np.any(lay.users.region[first] == lay.home)
    assert lay.users.base.sum() == pytest.approx(
        sum(lay.balance.use.values()) * 7.0 / 365.25, rel=1e-12
    )
    # Each tie gets in the base year what its users and the works of the cell take of it.
    into = np.zeros((2 * lay.cells.n, 1))
    np.add.at(into, lay.links.tie, lay.links.base)
    cell = lay.users.cell[first]
    came = into[2 * cell] / (into[2 * cell] + into[2 * cell + 1])
    assert np.allclose(came, lay.users.tied[first])


def test_ties_change_nothing_in_the_steady_state():
    trace = shared({}, weeks=60, worlds=3)
    day = trace.run.day.state
    assert np.allclose(day.tied, trace.layout.users.tied, atol=1e-9)
    assert np.allclose(trace["used"][-1], trace["used"][0], rtol=1e-7, atol=1e-9)
    assert np.all(trace["unmet"] == 0.0)


def test_a_ban_on_one_buyer_stops_those_who_are_tied_and_nobody_else(shut_out):
    trace, _ = shut_out
    tied, free = lines(trace, "japan")
    lacks = trace["unmet"][:, tied].sum(axis=1) / trace["wanted"][:, tied].sum(axis=1)
    others = trace["unmet"][:, free].sum(axis=1) / trace["wanted"][:, free].sum(axis=1)
    weeks = trace.weeks()
    # Stocks and ships under way last for weeks; then nearly all who are tied stand.
    assert lacks[weeks < BAN_FROM + 3].max() == 0.0
    assert np.all(lacks[(weeks > BAN_FROM + 26) & (weeks < BAN_FROM + 40)] > 0.9)
    assert others.max() < 0.02
    for region in ("europe", "united_states", "south_korea"):
        both = np.concatenate(lines(trace, region))
        assert trace["unmet"][:, both].sum() < 1e-3 * trace["wanted"][:, both].sum()


def test_users_requalify_in_the_time_of_qualification(shut_out):
    trace, tied_share = shut_out
    tied, free = lines(trace, "japan")
    assert np.allclose(tied_share[:, tied] + tied_share[:, free], 1.0)
    weeks = trace.weeks()
    start, later = (int(np.argmax(weeks >= BAN_FROM + w)) for w in (4, 4 + WEEKS_TO_QUALIFY))
    left = tied_share[later, tied] / tied_share[start, tied]
    assert np.allclose(left, np.exp(-1.0), rtol=0.1)
    lacks = trace["unmet"][:, [*tied, *free]].sum(axis=1)
    worst = lacks.max(axis=0)
    assert np.all(lacks[weeks >= BAN_FROM + 96].mean(axis=0) < 0.3 * worst)


def test_who_had_to_leave_comes_back_when_the_border_opens():
    ties = Ties()
    trace = simulate(
        {"b": ban(8, 60, **TO_JAPAN)}, weeks=190, worlds=3,
        before=lambda run: run.watchers.append(ties),
    )  # fmt: skip
    tied, _ = lines(trace, "japan")
    share = np.array(ties.days)[:, tied] / trace.layout.users.tied[tied]
    assert np.all(share[60] < 0.6)
    assert np.all(share[-1] > share[60] + 0.15)


@pytest.fixture(scope="module")
def refused():
    """European lines tied to China whose military users get no licence: share left, who, use."""
    licence = {
        "kind": "export_licence", "exporter": "china", "materials": "magnets",
        "start": day_after(8), "approval": 1.0, "processing_days": 14,
        "classes": {"military": {"approval": 0.0}},
    }  # fmt: skip
    trace = simulate({"l": licence}, weeks=160, worlds=3)
    users, (tied, _) = trace.layout.users, lines(trace, "europe")
    tied = tied[users.whole[tied, 0] > 0.0]
    left = trace.run.day.state.tied[tied] / users.tied[tied]
    return left, users.defence[tied, 0] == 1.0, users.base[tied]


def test_military_users_leave_an_origin_that_refuses_them_and_civil_ones_stay(refused):
    left, military, use = refused
    assert np.all(left[military] < 0.4)
    civil = use[~military]
    assert np.all((left[~military] * civil).sum(axis=0) > 0.97 * civil.sum())


def test_civil_users_stay_in_every_line(refused):
    left, military, _ = refused
    assert np.all(left[~military] > 0.8)


# ---- the equations ----------------------------------------------------------------------


@given(before=SHARE, now=SHARE, one=SHARE, two=SHARE)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_movers_bring_along_is_conserved(before, now, one, two):
    b, n = np.array([before]), np.array([now])
    away, back = leaving(b, n)
    assert np.allclose(b * (1.0 - away) + (1.0 - b) * back, n, atol=1e-9)
    first = mixed(one, two, min(before, now), now)
    second = mixed(two, one, 1.0 - max(before, now), 1.0 - now)
    whole = one * before + two * (1.0 - before)
    assert first * now + second * (1.0 - now) == pytest.approx(whole, abs=1e-9)
    assert min(one, two) - 1e-12 <= first <= max(one, two) + 1e-12


@pytest.mark.parametrize(
    ("expected", "short", "other_short", "wished"),
    [
        (0.5, 0.0, 0.0, 0.5),  # nobody lacks: as expected
        (0.2, 0.0, 0.0, 0.2),
        (0.9, 0.0, 0.0, 0.9),
        (0.9, 0.3, 0.3, 0.9),  # all lack alike
        (0.9, 0.3, 0.0, 0.42),  # three tenths of those who are tied leave, whatever is expected
        (0.2, 0.3, 0.0, 0.2),
        (0.9, 1.0, 0.0, 0.0),
        (0.2, 0.0, 0.5, 0.8),  # half of the others come
    ],
)
def test_who_lacks_leaves_and_nobody_moves_where_less_is_to_be_had(
    expected, short, other_short, wished
):
    given_ = [np.array([v]) for v in (0.6, expected, short, other_short)]
    assert wished_tie(*given_)[0] == pytest.approx(wished)
