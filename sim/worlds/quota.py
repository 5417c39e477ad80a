"""Export quotas by weight: one cap over a group and a period, one rent per kg for all elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.equations import quota_rent
from lodestone.equations.lags import gain
from lodestone.worlds.book import Book

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout
    from lodestone.worlds.state import Draws, State

#: Most that holders who do not wait ship over what the period allots a week (A311).
PACE = 1.25
#: Weeks in which holders learn that it pays to wait (A311).
WAIT_WEEKS = 6.0
#: Climb of prices over their trend, log, at which all wait who ever do (A311).
CLIMB = 0.6
#: Weeks before their right lapses in which fewer and fewer holders wait (A311).
PATIENT_WEEKS = 26.0
#: Stands for no limit, t.
MOST = 1e30


class QuotaBook(Book):
    """The book of one quota.

    Parameters
    ----------
    layout : Layout
    links : ndarray of bool, shape (l,)
        Links that the quota covers.
    weight : ndarray, shape (l, 1)
        Tonnes that one tonne of product counts (1 for product weight).
    periods : list of (start day, end day, tonnes, year)
        Allocations; what a first half leaves over carries into the second, not over the year.
    enforcement : ndarray, shape (1,) or (w,)
        1 binds; 0 does not.
    outside : Path
        Share of the covered trade that leaves outside the quota lines, by day.
    withholding : ndarray, shape (1,) or (w,)
        Share of what is allotted whose holders wait while prices climb.
    """

    def __init__(
        self,
        layout: Layout,
        worlds: int,
        links: np.ndarray,
        weight: np.ndarray,
        periods: list[tuple[float, float, np.ndarray, int]],
        enforcement: np.ndarray,
        outside: object,
        withholding: np.ndarray,
    ) -> None:
        self.layout, self.links, self.weight = layout, links, weight
        self.rows = np.flatnonzero(links)
        self.periods, self.enforcement, self.outside = periods, enforcement, outside
        self.withholding = withholding
        #: Share of each covered link that is meant, (n, 1) or (n, w); None: all.
        self.part: np.ndarray | None = None
        self.left = np.zeros(worlds)
        self.period_end = 0.0
        self.rent = np.zeros(worlds)  # USD/kg that counts, at which lanes carry what may pass
        #: The most that a place pays above delivered cost, USD/kg of product, (n, w).
        self.gap = np.zeros((len(self.rows), worlds))
        self.waiting = np.zeros(worlds)  # of those who ever wait, for the climb of prices alone
        self.waited = np.zeros(worlds)  # most of those who ever wait that did in the year
        self.lapsed = np.zeros(worlds)  # share of a year's quota that lapsed with those who waited
        self.allotted = np.zeros(worlds)  # t a week of the period
        self.before = np.full(worlds, -1.0)  # t a week of the period before; below nought: none
        self.learnt = np.full(worlds, -1.0)  # rate that traders have seen; below nought: none yet
        self.granted = np.zeros(worlds)
        self.used = np.zeros(worlds)
        self.active = np.zeros(worlds)
        self.year = -1
        self.share_outside: np.ndarray | float = 0.0

    def open_period(self, index: int) -> None:
        """Start an allocation period."""
        start, end, tonnes, year = self.periods[index]
        if year != self.year:
            self._learn_of_lapsing()
        carried = self.left if year == self.year else np.zeros_like(self.left)
        self.left = carried + tonnes
        self.before = self.allotted if self.year > 0 else self.before
        self.allotted = tonnes * 7.0 / (end - start)
        self.granted = (
            self.granted + tonnes if year == self.year else np.zeros_like(self.left) + tonnes
        )
        self.used = self.used if year == self.year else np.zeros_like(self.used)
        self.year, self.period_end = year, end

    def _learn_of_lapsing(self) -> None:
        """At the turn of the year: whose right lapsed while he waited does not wait again."""
        lost = quota_rent.lapsed_waiting(self.left, self.granted, self.waited)
        self.lapsed = np.maximum(self.lapsed, lost)
        self.waited = np.zeros_like(self.waited)

    def rate(self, now: float) -> np.ndarray | None:
        """Tonnes that count which holders offer a week, shape (w,); None where it is not in force.

        Sellers pace what is left over the weeks left. Those who wait ship nothing meanwhile, the
        others have used their part evenly: at most ``PACE`` times what was allotted while nobody
        waits, the part of those who never wait while all others do.
        """
        if not np.any(self.active > 0):
            return None
        self.share_outside = self.outside.at(now)  # type: ignore[attr-defined]
        return self._offered(self.who_wait(now), now)

    def _offered(self, waiting: np.ndarray, now: float) -> np.ndarray:
        """Tonnes that count a week, (w,), if a share of those who ever wait does."""
        weeks_left = max((self.period_end - now) / 7.0, 4.0)
        patient = quota_rent.still_patient(self.withholding, self.lapsed)
        most = quota_rent.pace_of_holders(waiting, patient, PACE)
        offered = np.minimum(self.left / weeks_left, most * self.allotted)
        offered = offered / np.maximum(1.0 - self.share_outside, 1e-6)
        return np.where(self.active > 0, np.maximum(offered, 1e-9), np.inf)

    def _lapses_in(self, now: float) -> float:
        """Days until the right of this year lapses."""
        ends = (end for _, end, _, year in self.periods if year == self.year)
        return max(max(ends, default=now) - now, 0.0)

    def who_wait(self, now: float) -> np.ndarray:
        """Share of those holders who ever wait that wait now, shape (w,): none once their right lapses."""
        return quota_rent.share_waiting(self.waiting, self._lapses_in(now), PATIENT_WEEKS)

    def expected(self, now: float, weeks: float, draws: Draws) -> np.ndarray | None:
        """Tonnes that count which traders reckon with over the horizon, t/week, (w,); None: no quota.

        After the period they expect what the last two periods allotted. They take what is announced
        only in part for what will be, and learn the rest from what they have seen.
        """
        rate = self.rate(now)
        if rate is None:
            self.learnt[...] = -1.0
            return None
        in_force = np.isfinite(rate)
        seen = np.where(in_force, rate, 0.0)
        speed = gain(weeks, draws["market.belief_weeks"])
        learnt = np.where(self.learnt < 0.0, seen, self.learnt + (seen - self.learnt) * speed)
        self.learnt = np.where(in_force, learnt, -1.0)
        left = (self.period_end - now) / 7.0 / draws["market.horizon_weeks"]
        usual = 0.5 * (self.allotted + np.where(self.before < 0.0, self.allotted, self.before))
        usual = usual / np.maximum(1.0 - self.share_outside, 1e-6)
        known = np.clip(left, 0.0, 1.0)
        later = quota_rent.share_waiting_ahead(self.waiting, self._lapses_in(now), PATIENT_WEEKS)
        ahead = np.where(in_force, self._offered(later, now), 0.0)
        announced = known * ahead + (1.0 - known) * usual
        told = draws["market.announced_weight"]
        expected = told * announced + (1.0 - told) * self.learnt
        return np.where(in_force, expected, np.inf)

    def releasable(
        self, may: np.ndarray, state: State, weeks: float, now: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Limit covered shipments to what holders offer today, first where a kilogram earns most.

        Goods leave in the proportions at which every kilogram earns the same rent; what a lane
        cannot take of its part goes to the others.
        """
        rate = self.rate(now)
        bound = np.zeros(may.shape, dtype=bool)
        rows = self.rows
        cells = self.layout.links.destination[rows]
        trend = (state.log_ask[cells] - state.log_trend[cells]).mean(axis=0)
        # A right that is not scarce earns nothing: who holds it has nothing to wait for.
        goal = np.where(self.rent > 0.0, np.clip(trend / CLIMB, 0.0, 1.0), 0.0)
        self.waiting += (goal - self.waiting) * gain(weeks, WAIT_WEEKS)
        np.maximum(self.waited, self.who_wait(now), out=self.waited)
        if rate is None:
            return may, bound
        lay, stock = self.layout, state.seller_stock
        asked = lay.links.sum_by_origin(may)
        could = (
            np.minimum(stock / np.maximum(asked, 1e-12), 1.0)[lay.links.origin[rows]] * may[rows]
        )
        # Of a link into a region of which the quota means a part, the rest passes.
        cover = self._cover(rows)
        counted = could * cover * self.weight[rows]
        offered = np.minimum(rate * weeks, MOST)
        short = counted.sum(axis=0) > offered
        plan = state.lane_flow[rows] * cover * self.weight[rows]
        part = plan / np.maximum(plan.sum(axis=0), 1e-12) * offered
        first = np.minimum(part, counted)
        left = np.maximum(offered - first.sum(axis=0), 0.0)
        rest = counted - first
        given = first + rest * np.minimum(left / np.maximum(rest.sum(axis=0), 1e-12), 1.0)
        given = counted + (given - counted) * self.enforcement
        held = may[rows] * (1.0 - cover) + given / self.weight[rows]
        out = may.copy()
        out[rows] = np.where(short, held, may[rows])
        # A link whose sellers lack the goods is short, not shut: the quota holds nothing back there.
        bound[rows] = short & (given < 0.999 * counted) & (could > 0.5 * may[rows])
        return out, bound

    def _cover(self, rows: np.ndarray) -> np.ndarray:
        """Share of each covered link that the quota means, shape (n, 1) or (n, w)."""
        return np.ones((len(rows), 1)) if self.part is None else self.part

    def counts(self) -> np.ndarray:
        """Kilograms that a kilogram sent counts, by covered link, shape (n, 1): mean over worlds."""
        return np.asarray((self.weight[self.rows] * self._cover(self.rows)).mean(axis=1)[:, None])

    def settle(self, shipped: np.ndarray) -> None:
        """Charge today's shipments to the quota."""
        rows = np.flatnonzero(self.links)
        covered = shipped[rows] * self.weight[rows] * self._cover(rows)
        charged = covered.sum(axis=0) * (1.0 - self.share_outside)
        self.left = np.maximum(self.left - charged, 0.0)
        self.used = self.used + charged

    def rent_by_link(self) -> np.ndarray:
        """Rent in USD per kg of product, shape (l, w): nobody pays more than the place of sale does."""
        paid = np.zeros((len(self.links), len(self.rent)))
        earned = self.rent * self.weight[self.rows] * self._cover(self.rows)
        paid[self.rows] = np.minimum(earned, self.gap)
        return paid

    def dear(self) -> np.ndarray:
        """Covered links in worlds where the quota carries a rent, bool, shape (l, w)."""
        return self.links[:, None] & (self.rent > 0.0)

    def use_share(self) -> np.ndarray:
        """Used over allocated in the year to date, shape (w,)."""
        return self.used / np.maximum(self.granted, 1e-12)
