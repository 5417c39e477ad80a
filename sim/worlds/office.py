"""The export-licence office: applications wait, are decided, granted or filed again.

Applications are paper: the goods are made when a licence is there. Goods of unlisted
look-alikes that customs hold for testing are goods, and stand in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.equations.lags import gain

if TYPE_CHECKING:
    from sim.worlds.conditions import Conditions
    from sim.worlds.layout import Layout
    from sim.worlds.state import State

#: Steps of a review; with them the spread of processing times over applicants is about 40 %
#: of the mean, so easy cases are decided early and hard ones late (assumption A-office).
STEPS = 4


@dataclass
class LicenceRule:
    """What one licence intervention asks of today's offices (folded into the office).

    Attributes
    ----------
    links : ndarray of bool, shape (l,)
        Listed links.
    lookalike : ndarray of bool, shape (l,)
        Unlisted links of the same customs codes.
    active : ndarray, shape (w,)
        Share of the tick on which the regime is in force.
    approval : ndarray, shape (w,)
        Probability that an application decided today is granted (civil end use).
    military_approval : ndarray, shape (w,)
    processing_weeks, refile_weeks, capacity, surge : ndarray, shape (w,)
    general : ndarray, shape (l, 1)
        Share of a link's orders under a general licence, which skips the queue.
    held_share : ndarray, shape (w,)
        Share of look-alikes held for testing today.
    cleared : ndarray, shape (w,)
        Share of listed goods that still leave on papers cleared before the date.
    """

    links: np.ndarray
    lookalike: np.ndarray
    active: np.ndarray
    approval: np.ndarray
    military_approval: np.ndarray
    processing_weeks: np.ndarray
    refile_weeks: np.ndarray
    capacity: np.ndarray
    surge: np.ndarray
    general: np.ndarray
    held_share: np.ndarray
    cleared: np.ndarray


@dataclass
class _Folded:
    active: np.ndarray  # (n, w) bool
    approval: np.ndarray
    military: np.ndarray
    processing: np.ndarray
    refile: np.ndarray
    capacity: np.ndarray
    surge: np.ndarray
    general: np.ndarray
    cleared: np.ndarray


class LicenceOffice:
    """Books of the office for every link that some regime lists.

    Rows are links; the civil and the military part of an order have separate books, so a refused
    class never ships on the licence of another.
    """

    def __init__(self, layout: Layout, worlds: int) -> None:
        self.layout, self.worlds = layout, worlds
        self.rows = np.zeros(0, dtype=int)
        self.filed = np.zeros((0, worlds))
        self.granted_total = np.zeros((0, worlds))
        self._military_share()

    def _military_share(self) -> None:
        lay = self.layout
        need = np.zeros(lay.n_cells)
        defence = np.zeros(lay.n_cells)
        np.add.at(need, lay.u_cell, lay.u_base[:, 0])
        np.add.at(defence, lay.u_cell, (lay.u_base * lay.u_defence)[:, 0])
        share = np.divide(defence, need, out=np.zeros_like(need), where=need > 0)
        self.military = share[lay.l_to][:, None]

    def open(self, links: np.ndarray) -> None:
        """Provide books for the listed links (before the run)."""
        rows = np.flatnonzero(links)
        self.rows = np.union1d(self.rows, rows).astype(int)
        n = len(self.rows)
        shape = (2, n, self.worlds)
        self.review = np.zeros((STEPS, *shape))
        self.ready = np.zeros(shape)
        self.refused = np.zeros(shape)
        self.granted = np.zeros(shape)
        self.filed = np.zeros((n, self.worlds))
        self.granted_total = np.zeros((n, self.worlds))
        self.share = np.stack([1.0 - self.military[self.rows], self.military[self.rows]])

    def _fold(self, rules: list[LicenceRule]) -> _Folded | None:
        if not rules or not len(self.rows):
            return None
        n = len(self.rows)
        shape = (n, self.worlds)
        f = _Folded(
            active=np.zeros(shape, dtype=bool),
            approval=np.ones(shape),
            military=np.ones(shape),
            processing=np.zeros(shape),
            refile=np.zeros(shape),
            capacity=np.full(shape, np.inf),
            surge=np.full(shape, np.inf),
            general=np.ones(shape),
            cleared=np.ones(shape),
        )
        for rule in rules:
            here = rule.links[self.rows][:, None] & (rule.active > 0)[None, :]
            f.active |= here
            f.approval = np.where(here, np.minimum(f.approval, rule.approval), f.approval)
            f.military = np.where(here, np.minimum(f.military, rule.military_approval), f.military)
            f.processing = np.where(
                here, np.maximum(f.processing, rule.processing_weeks), f.processing
            )
            f.refile = np.where(here, np.maximum(f.refile, rule.refile_weeks), f.refile)
            f.capacity = np.where(here, np.minimum(f.capacity, rule.capacity), f.capacity)
            f.surge = np.where(here, np.minimum(f.surge, rule.surge), f.surge)
            f.general = np.where(here, np.minimum(f.general, rule.general[self.rows]), f.general)
            f.cleared = np.where(here, np.minimum(f.cleared, rule.cleared), f.cleared)
        return f

    def decide(self, state: State, rules: Conditions, weeks: float) -> None:
        """One office day: file what is new, move reviews on, decide, grant or refuse.

        Parameters
        ----------
        state : State
            Unfilled orders are read; nothing physical is written.
        rules : Conditions
        weeks : float
            Time since the last office day, weeks.
        """
        f = self._fold(rules.licences)
        if f is None:
            if len(self.rows) and np.any(self.review):
                for book in (self.review, self.ready, self.refused, self.granted):
                    book[...] = 0.0
            return
        orders = state.orders[self.rows]
        off = ~f.active
        for book in (self.review, self.ready, self.refused, self.granted):
            book[..., off] = 0.0
        # Orders that were cancelled or went elsewhere leave the books in proportion.
        inside = self.review.sum(axis=0) + self.ready + self.refused + self.granted
        total = inside.sum(axis=0)
        keep = np.minimum(orders / np.maximum(total, 1e-12), 1.0)
        for book in (self.review, self.ready, self.refused, self.granted):
            book *= keep
        new = np.where(f.active, np.maximum(orders - total * keep, 0.0), 0.0)
        filing = new * self.share
        self.filed += new
        skip = filing * f.general * np.stack([np.ones_like(f.general), f.military > 0])
        self.granted += skip
        self.granted_total += skip.sum(axis=0)
        self.review[0] += filing - skip
        # Moves at the end of an office day: the mean stay in a step is exactly its share.
        step = np.minimum(weeks * STEPS / np.maximum(f.processing, 0.1), 1.0)
        for k in range(STEPS - 1, -1, -1):
            moved = self.review[k] * step
            self.review[k] -= moved
            if k + 1 < STEPS:
                self.review[k + 1] += moved
            else:
                self.ready += moved
        again = self.refused * gain(weeks, np.maximum(f.refile, 0.1))
        self.refused -= again
        self.ready += again
        able = f.capacity * np.maximum(state.normal[self.rows], 1e-9) * weeks
        pending = self.ready.sum(axis=0)
        decided = self.ready * np.minimum(able / np.maximum(pending, 1e-12), 1.0)
        chance = np.stack([f.approval, np.minimum(f.approval, f.military)])
        granted = decided * chance
        self.ready -= decided
        self.refused += decided - granted
        self.granted += granted
        self.granted_total += granted.sum(axis=0)

    def releasable(
        self, may: np.ndarray, state: State, rules: Conditions, weeks: float
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Limit what may leave to what is licensed, and per customer to a surge over normal.

        Returns
        -------
        may : ndarray, shape (l, w)
        licensed : ndarray of bool, shape (l, w), or None
            Links under licence today.
        """
        f = self._fold(rules.licences)
        if f is None:
            return may, None
        granted = self.granted.sum(axis=0)
        normal = state.normal[self.rows] * weeks
        limit = np.minimum(granted + f.cleared * normal, f.surge * normal)
        limit = np.where(f.active, np.minimum(may[self.rows], limit), may[self.rows])
        out = may.copy()
        out[self.rows] = limit
        licensed = np.zeros(may.shape, dtype=bool)
        licensed[self.rows] = f.active
        for rule in rules.licences:
            licensed |= rule.lookalike[:, None] & (rule.held_share > 0)[None, :]
        return out, licensed

    def settle(
        self, shipped: np.ndarray, state: State, rules: Conditions, weeks: float
    ) -> np.ndarray:
        """Use up licences, hold look-alikes for testing, and let out what has been tested.

        Returns
        -------
        ndarray, shape (l, w)
            What crosses the border today, t.
        """
        leaving = shipped.copy()
        if len(self.rows) and rules.licences:
            total = self.granted.sum(axis=0)
            used = np.minimum(shipped[self.rows], total)
            self.granted *= 1.0 - used / np.maximum(total, 1e-12)
        for rule in rules.licences:
            hold = leaving * np.where(rule.lookalike[:, None], rule.held_share, 0.0)
            state.held += hold
            leaving -= hold
        if np.any(state.held):
            out = state.held * gain(weeks, 4.0)
            state.held -= out
            leaving += out
        return leaving

    def granted_share(self) -> np.ndarray:
        """Granted over filed to date, by world, shape (w,) (NaN where nothing was filed)."""
        filed = self.filed.sum(axis=0)
        out = np.full(self.worlds, np.nan)
        return np.divide(self.granted_total.sum(axis=0), filed, out=out, where=filed > 1e-9)
