"""The export-licence office: applications wait, are decided, granted or filed again.

Applications are paper: the goods are made when a licence is there. Goods of unlisted
look-alikes that customs hold for testing are goods, and stand in the ledger.

Longer than 500 lines because filing, review, grant and what passes are one set of books.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from lodestone.equations.lags import gain, toward
from lodestone.worlds.book import Book
from lodestone.worlds.conditions import FREE, Conditions, LicenceRule
from lodestone.worlds.parts import Part, alike, pieces

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout
    from lodestone.worlds.state import State

#: Applicants differ: half of what is filed is easy and takes 0.4 of the mean processing time,
#: half is hard and takes 1.6 of it (A110); each review has two steps.
STEPS = 2
#: Weeks of trade for which customers who have not filed may do so at once: a contract round (A319).
FILED_AHEAD = 13.0
#: Part of usual trade below which what is filed tells little of what passes (A319).
FEW = 0.05
#: Weeks of what smugglers bring for which refused customers leave their orders with them (A329).
GREY_WEEKS = 4.0
#: Weeks of what passes that customers wait for at most (A319).
PATIENCE = 26.0
#: Weeks after which a class that is never granted a licence has qualified other suppliers (A319).
GIVEN_UP = 104.0
#: Weeks over which what is filed is measured (A319).
OF_LATE = 13.0
#: Weeks that testing of look-alikes takes (A263).
TESTING_WEEKS = 4.0
EASY_SHARE, EASY_TIME = 0.5, 0.4
HARD_TIME = (1.0 - EASY_SHARE * EASY_TIME) / (1.0 - EASY_SHARE)


def of_rows(values: np.ndarray | float, rows: np.ndarray) -> np.ndarray | float:
    """Numbers of some links, or the one of all."""
    return values[rows] if isinstance(values, np.ndarray) else values


def _whole(rule: LicenceRule) -> bool:
    return rule.part is None or rule.part.whole


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
    refused: np.ndarray  # share of trade that is never licensed
    cover: np.ndarray | None = None  # share of each link that is listed at all (None: all)

    @cached_property
    def passes(self) -> np.ndarray:
        """Share of customers who are not refused for good, (n, w)."""
        return np.where(self.active, 1.0 - (1.0 - self.general) * self.refused, 1.0)

    @cached_property
    def able(self) -> np.ndarray:
        """Classes that may be granted a licence, civil and military, (2, n, w) bool."""
        return np.stack([np.ones_like(self.active), self.military > 0.0])


#: What is averaged over the parts of a link that different rules mean.
_MEANS = (
    "approval", "military", "processing", "refile", "capacity", "surge", "general", "cleared",
    "refused",
)  # fmt: skip


class LicenceOffice(Book):
    """Books of the office for every link that some regime lists.

    Rows are links; the civil and the military part of an order have separate books, so a refused
    class never ships on the licence of another.
    """

    def __init__(self, layout: Layout, worlds: int) -> None:
        self.layout, self.worlds = layout, worlds
        self.rows = np.zeros(0, dtype=int)
        self.unlisted: np.ndarray | float = 0.0  # share of what may leave that nobody lists
        self.filed = self.filing = self.granted_total = np.zeros((0, worlds))
        # Links under licence on the last office day; of these, those on the last market day, too.
        self.listed = np.zeros((0, worlds), dtype=bool)
        self.ruled = np.zeros((0, worlds), dtype=bool)
        # Share of the military part of each shipment that may be put to military use, by link
        # with a book and by market day, latest first; None while nobody refuses it.
        self.usable: list[np.ndarray] = []
        self.usable_now: np.ndarray | None = None
        self.meet_users(layout.users.base)

    def meet_users(self, use: np.ndarray) -> None:
        """Learn which part of what users order on each link is military.

        Parameters
        ----------
        use : ndarray, shape (u, w) or (u, 1)
            Expected use, t/week: a tie that its military users have left files civil orders only.
        """
        lay = self.layout
        need, defence = np.zeros((2, 2 * lay.cells.n, use.shape[1]))
        np.add.at(need, lay.users.tie, use)
        np.add.at(defence, lay.users.tie, use * lay.users.defence)
        share = np.divide(defence, need, out=np.zeros_like(need), where=need > 1e-12)
        self.military = share[lay.links.tie]
        self.share = np.stack([1.0 - self.military[self.rows], self.military[self.rows]])

    def open(self, links: np.ndarray) -> None:
        """Provide books for the listed links (before the run)."""
        rows = np.flatnonzero(links)
        self.rows = np.union1d(self.rows, rows).astype(int)
        n = len(self.rows)
        shape = (2, n, self.worlds)
        self.review = np.zeros((2 * STEPS, *shape))  # steps of easy cases, then of hard ones
        self.ready = np.zeros(shape)
        self.refused = np.zeros(shape)
        self.granted = np.zeros(shape)
        self.allowed = np.zeros(shape)  # t that those who are not refused for good may file today
        # Of normal trade, what customers do who are not refused.
        self.pass_share = np.ones((n, self.worlds))
        self.may_file = np.zeros((n, self.worlds))  # what they trade, t/week
        self.filing = np.zeros((n, self.worlds))  # of late, net of what was cancelled, t/week
        self.grey = np.zeros((n, self.worlds))  # orders of refused customers left with smugglers, t
        self.listed = np.zeros((n, self.worlds), dtype=bool)
        self.ruled = np.zeros((n, self.worlds), dtype=bool)
        self.filed = np.zeros((n, self.worlds))
        self.granted_total = np.zeros((n, self.worlds))
        self.share = np.stack([1.0 - self.military[self.rows], self.military[self.rows]])

    def _fold(self, rules: list[LicenceRule]) -> _Folded | None:
        """What the rules of each world come to there."""
        if not rules or not len(self.rows):
            return None
        if all(_whole(rule) for rule in rules):
            return self._strictest(rules)
        out = self._strictest([])
        out.cover = np.ones_like(out.approval)
        for kind, worlds in alike(np.stack([rule.active > 0.0 for rule in rules])):
            here = list(compress(rules, kind))
            whole = all(_whole(rule) for rule in here)
            own = self._strictest(here) if whole else self._by_country(here)
            for name in ("active", *_MEANS):
                getattr(out, name)[:, worlds] = getattr(own, name)[:, worlds]
            if own.cover is not None:
                out.cover[:, worlds] = own.cover[:, worlds]
        return out

    def _by_country(self, rules: list[LicenceRule]) -> _Folded:
        """Rules on parts of links: the strictest in each piece, then the mean over the pieces."""
        parts = [rule.part or Part("link", rule.links) for rule in rules]
        touched = np.logical_or.reduce([part.rows for part in parts])
        at = np.cumsum(touched) - 1
        mine = touched[self.rows]
        mean: dict[str, np.ndarray] = {}
        cover = np.zeros((len(self.rows), self.worlds))
        market = next(rule.market for rule in rules if rule.market is not None)
        for meant, share in pieces(market, parts):
            here = [rule for rule, yes in zip(rules, meant, strict=True) if yes]
            if not here:
                continue
            piece = self._strictest(here)
            weight = np.zeros_like(cover)
            weight[mine] = (share * np.ones((1, self.worlds)))[at[self.rows[mine]]]
            weight = np.where(piece.active, weight, 0.0)
            cover += weight
            for name in _MEANS:
                held = mean.setdefault(name, np.zeros_like(cover))
                held += np.where(weight > 0.0, weight * getattr(piece, name), 0.0)
        listed = cover > 1e-12
        neutral = {name: value / np.maximum(cover, 1e-12) for name, value in mean.items()}
        return _Folded(active=listed, cover=np.minimum(cover, 1.0), **neutral)

    def _strictest(self, rules: list[LicenceRule]) -> _Folded:
        """The strictest of all rules on each link."""
        n = len(self.rows)
        shape = (n, self.worlds)
        f = _Folded(
            active=np.zeros(shape, dtype=bool),
            approval=np.ones(shape),
            military=np.ones(shape),
            processing=np.zeros(shape),
            refile=np.zeros(shape),
            capacity=np.full(shape, FREE),
            surge=np.full(shape, FREE),
            general=np.ones(shape),
            cleared=np.ones(shape),
            refused=np.zeros(shape),
        )
        granted, added = np.zeros(shape, dtype=bool), np.zeros(shape)
        for rule in rules:
            here = rule.links[self.rows][:, None] & (rule.active > 0)[None, :]
            f.active |= here
            f.approval = np.where(here, np.minimum(f.approval, rule.approval), f.approval)
            f.military = np.where(here, np.minimum(f.military, rule.military_approval), f.military)
            review = rule.processing_weeks * of_rows(rule.slower, self.rows)
            f.processing = np.where(here, np.maximum(f.processing, review), f.processing)
            never = of_rows(rule.refused, self.rows)
            f.refused = np.where(here, np.maximum(f.refused, never), f.refused)
            f.refile = np.where(here, np.maximum(f.refile, rule.refile_weeks), f.refile)
            f.capacity = np.where(here, np.minimum(f.capacity, rule.capacity), f.capacity)
            f.surge = np.where(here, np.minimum(f.surge, rule.surge), f.surge)
            added += np.where(here, rule.added_weeks, 0.0)
            if rule.general is not None:
                general = np.minimum(f.general, rule.general[self.rows])
                f.general = np.where(here, general, f.general)
                granted |= here
            f.cleared = np.where(here, np.minimum(f.cleared, rule.cleared), f.cleared)
        f.processing += added
        f.general = np.where(granted, f.general, 0.0)
        return f

    def decide(self, state: State, rules: Conditions, weeks: float) -> np.ndarray:
        """One office day: file what is new, move reviews on, decide, grant or refuse.

        Parameters
        ----------
        state : State
            Unfilled orders are read; nothing physical is written.
        rules : Conditions
        weeks : float
            Time since the last office day, weeks.

        Returns
        -------
        ndarray, shape (n, w)
            Orders of customers who are refused for good, t, on the links with a book: they are
            crossed out, and looked for elsewhere.
        """
        f = self._fold(rules.licences)
        if f is None:
            if len(self.rows) and np.any(self.listed):
                for book in (*self._books(), self.allowed, self.grey, self.filing, self.may_file):
                    book[...] = 0.0
                self.pass_share[...] = 1.0
                self.listed[...] = False
            return np.zeros_like(self.filing)
        orders, normal = state.orders[self.rows], state.normal[self.rows]
        if f.cover is not None:
            orders, normal = orders * f.cover, normal * f.cover
        for book in (*self._books(), self.allowed, self.grey):
            book[..., ~f.active] = 0.0
        filing, crossed_out = self._take_in(f, orders, normal, weeks)
        # Of those who are refused, some find a smuggler.
        refused = crossed_out + self.grey
        self.grey = np.minimum(refused, state.leak_capacity[self.rows] * normal * GREY_WEEKS)
        crossed_out = refused - self.grey
        self._review(f, filing, weeks)
        self._grant(f, normal, weeks)
        return crossed_out

    def _books(self) -> tuple[np.ndarray, ...]:
        """Where applications stand, by class and link, t."""
        return self.review, self.ready, self.refused, self.granted

    def _take_in(
        self, f: _Folded, orders: np.ndarray, normal: np.ndarray, weeks: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """What is filed today, by class (2, n, w), and what is crossed out (n, w), t."""
        # Orders that were cancelled or went elsewhere leave the books in proportion.
        total = self._pending()
        keep = np.minimum(orders / np.maximum(total, 1e-12), 1.0)
        for book in self._books():
            book *= keep
        others = np.maximum(orders - total * keep, 0.0)
        self.grey = np.minimum(self.grey, others)
        new = np.where(f.active, others - self.grey, 0.0)
        self.filed += new
        theirs = np.where(f.active, f.passes * self.share * normal, 0.0)
        ahead = np.maximum(theirs * FILED_AHEAD, f.passes * new * self.share)
        self.allowed = np.where(f.active & ~self.listed, ahead, self.allowed)
        some = (f.passes < 1.0) | np.any(~f.able & (self.share > 0.0), axis=0)
        filing = np.where(some, self._file(new * self.share, theirs, weeks), new * self.share)
        crossed_out = new - filing.sum(axis=0)
        # A class that is never granted waits for two years, and nobody takes it for trade that passes.
        self.refused += np.where(f.able, 0.0, filing)
        given_up = np.where(f.able, 0.0, np.maximum(self.refused - theirs * GIVEN_UP, 0.0))
        self.refused -= given_up
        crossed_out += given_up.sum(axis=0)
        filing = np.where(f.able, filing, 0.0)
        self.may_file = np.where(f.active, (theirs * f.able).sum(axis=0), 0.0)
        passes = (self.share * f.able).sum(axis=0) * f.passes
        self.pass_share = np.where(f.active, passes, 1.0)
        net = (filing.sum(axis=0) - total * (1.0 - keep)) / weeks
        before = np.where(self.listed, self.filing, self.pass_share * normal)
        self.filing = np.where(f.active, toward(before, net, weeks, OF_LATE), 0.0)
        self.listed = f.active
        return filing, crossed_out

    def _review(self, f: _Folded, filing: np.ndarray, weeks: float) -> None:
        """General licences skip the queue; the rest moves on through its reviews."""
        # Of what is filed, general licences take their share of all that was ordered.
        skip = filing * f.general / np.maximum(f.passes, 1e-12)
        self.granted += skip
        self.granted_total += skip.sum(axis=0)
        self.review[0] += EASY_SHARE * (filing - skip)
        self.review[STEPS] += (1.0 - EASY_SHARE) * (filing - skip)
        # Moves at the end of an office day: the mean stay in a step is exactly its share.
        # A review shorter than its steps in office days passes several in one of them.
        for first, time in ((0, EASY_TIME), (STEPS, HARD_TIME)):
            steps = weeks * STEPS / np.maximum(time * f.processing, 1e-9)
            steps = np.minimum(steps, float(STEPS))
            for turn in range(int(np.ceil(steps.max()))):
                step = np.clip(steps - turn, 0.0, 1.0)
                for k in range(first + STEPS - 1, first - 1, -1):
                    moved = self.review[k] * step
                    self.review[k] -= moved
                    if k + 1 < first + STEPS:
                        self.review[k + 1] += moved
                    else:
                        self.ready += moved

    def _grant(self, f: _Folded, normal: np.ndarray, weeks: float) -> None:
        """Decide what is ready, as far as the office can: grant, or refuse until it is filed again."""
        again = self.refused * f.able * gain(weeks, np.maximum(f.refile, 0.1))
        self.refused -= again
        self.ready += again
        most = f.capacity * np.maximum(normal, 1e-9) * weeks
        pending = self.ready.sum(axis=0)
        decided = self.ready * np.minimum(most / np.maximum(pending, 1e-12), 1.0)
        chance = np.stack([f.approval, np.minimum(f.approval, f.military)])
        granted = decided * chance
        self.ready -= decided
        self.refused += decided - granted
        self.granted += granted
        self.granted_total += granted.sum(axis=0)

    def _file(self, orders: np.ndarray, theirs: np.ndarray, weeks: float) -> np.ndarray:
        """What customers file who are not refused for good, of new orders (2, n, w), t.

        Customers are refused, not orders: the others file what they order as far as they trade
        (``theirs``, t/week), and nobody waits for the rest, who look for it elsewhere.
        """
        more = np.clip(theirs * FILED_AHEAD - self.allowed, 0.0, theirs * weeks)
        filing = np.minimum(orders, self.allowed + more)
        self.allowed += more - filing
        return filing

    def _pending(self) -> np.ndarray:
        """Orders that lie with the office or have its licence, t, (n, w)."""
        books = self.review.sum(axis=0) + self.ready + self.refused + self.granted
        return np.asarray(books.sum(axis=0))

    def waiting(self, state: State) -> np.ndarray:
        """Orders that lie with the office and have not failed, t, shape (l, w), or (0, 0).

        A queue of more than half a year at the pace of what passes has.
        """
        if not np.any(self.listed):
            return np.zeros((0, 0))
        out = np.zeros((self.layout.links.n, self.worlds))
        pace = state.normal[self.rows] * state.link_pass[self.rows]
        out[self.rows] = np.minimum(self._pending(), PATIENCE * pace)
        return out

    def unserved(self, state: State, weeks: float) -> np.ndarray:
        """Orders (l, w), t, but those that lie with the office or will be filed this market day.

        As far as licensed goods leave: where nothing is granted, or a ban stops what is, nobody is served.
        """
        orders = state.orders
        if not np.any(self.listed):
            return orders
        out = orders.copy()
        served = state.link_pass[self.rows] / np.maximum(self.pass_share, 1e-12)
        legal = (self._pending() + self.may_file * weeks) * np.minimum(served, 1.0)
        out[self.rows] = np.maximum(orders[self.rows] - legal, 0.0)
        return out

    def passing(
        self, released: np.ndarray, usual: np.ndarray, before: np.ndarray, weeks: float
    ) -> np.ndarray:
        """Share of normal trade that passes: of customers who are not refused, what they get.

        Parameters
        ----------
        released : ndarray, shape (l, w)
            What crosses the border today, t.
        usual : ndarray, shape (l, w)
            The answer where nothing is listed.
        before : ndarray, shape (l, w)
            Share that passed of late.

        Returns
        -------
        ndarray, shape (l, w)
            A delay lets less pass while it begins and nothing less afterwards.
        """
        if not np.any(self.ruled):
            return usual
        out = usual.copy()
        free = released[self.rows] * self.unlisted
        listed = (released[self.rows] - free) / weeks
        # Where next to nobody files, nobody sees anything new.
        few = FEW * self.may_file + 1e-9
        seen = np.clip(before[self.rows] / np.maximum(self.pass_share, 1e-12), 0.0, 1.0)
        got = np.minimum((listed + few * seen) / (np.maximum(self.filing, 0.0) + few), 1.0)
        out[self.rows] = np.where(self.ruled, self.pass_share * got, usual[self.rows])
        return out

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
        self.ruled = self.listed & (False if f is None else f.active)
        if f is None:
            return may, None
        granted = self.granted.sum(axis=0)
        normal = state.normal[self.rows] * weeks
        asked, free = may[self.rows], np.zeros(1)
        if f.cover is not None:  # what no rule lists leaves as it likes
            free = asked * (1.0 - f.cover)
            asked, normal = asked * f.cover, normal * f.cover
        limit = np.minimum(granted + f.cleared * normal, f.surge * normal)
        limit = np.where(f.active, np.minimum(asked, limit) + free, may[self.rows])
        self.unlisted = free / np.maximum(limit, 1e-12)
        out = may.copy()
        out[self.rows] = limit
        licensed = np.zeros(may.shape, dtype=bool)
        licensed[self.rows] = f.active
        for rule in rules.licences:
            licensed |= rule.lookalike[:, None] & (rule.held_share > 0)[None, :]
        return out, licensed

    def settle(
        self, shipped: np.ndarray, held: np.ndarray, rules: Conditions, weeks: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Use up licences, hold look-alikes for testing, and let out what has been tested.

        Parameters
        ----------
        shipped : ndarray, shape (l, w)
            What sellers send today, t.
        held : ndarray, shape (l, w)
            Held by customs until now, t.

        Returns
        -------
        leaving, held : ndarray, shape (l, w) each
            What crosses the border today, and what customs hold afterwards, t: their sum is that
            of what was sent and held.
        """
        leaving = shipped.copy()
        if len(self.rows) and rules.licences:
            total = self.granted.sum(axis=0)
            used = np.minimum(shipped[self.rows] * (1.0 - self.unlisted), total)
            used = np.where(self.ruled, used, 0.0)  # once the rule has ended nobody asks for paper
            self._compose(shipped[self.rows], used, total)
            self.granted *= 1.0 - used / np.maximum(total, 1e-12)
        for rule in rules.licences:
            hold = leaving * np.where(rule.lookalike[:, None], rule.held_share, 0.0)
            if rule.alike is not None and not rule.alike.whole and rule.market is not None:
                hold[rule.alike.rows] *= rule.alike.weight(rule.market)
            held = held + hold
            leaving -= hold
        if np.any(held):
            out = held * gain(weeks, TESTING_WEEKS)
            held = held - out
            leaving += out
        return leaving, held

    def _compose(self, shipped: np.ndarray, used: np.ndarray, total: np.ndarray) -> None:
        """Note how much of today's shipments may be put to military use, (n, w)."""
        normal = self.military[self.rows]
        military = self.granted[1] / np.maximum(total, 1e-12)
        # What leaves on a licence is as military as the licences are; the rest is as usual.
        part = (used * military + (shipped - used) * normal) / np.maximum(shipped, 1e-12)
        usable = np.minimum(part / np.maximum(normal, 1e-12), 1.0)
        usable = np.where((normal > 0.0) & (shipped > 1e-12), usable, 1.0)
        usable[usable > 1.0 - 1e-6] = 1.0
        self.usable_now = None if np.all(usable == 1.0) else usable

    def tell_users(self, rules: Conditions, state: State, market_days: float) -> None:
        """Goods licensed for civil use do not reach military users when they are handed out.

        A user line with a defence share d gets the weight 1 - d (1 - a), where a is the share of
        what lands for its tie that may be put to military use: what was licensed so when it was
        shipped, and everything that needs no licence.

        Parameters
        ----------
        rules : Conditions
            Rules of the coming market day; ``user_priority`` is written.
        state : State
            Goods landed since the last market day are read.
        market_days : float
            Length of a tick: shipments are looked up as long ago as their transit.
        """
        lay = self.layout
        ticks = np.ceil(lay.links.transit[self.rows] / market_days - 1e-9).astype(int)
        deep = int(ticks.max()) + 1 if len(ticks) else 1
        ones = np.ones((len(self.rows), self.worlds))
        self.usable = [ones if self.usable_now is None else self.usable_now, *self.usable][:deep]
        self.usable_now = None
        if all(np.all(day == 1.0) for day in self.usable):
            return
        usable = ones.copy()
        for k in np.unique(ticks):
            if 1 <= k <= len(self.usable):
                here = ticks == k
                usable[here] = self.usable[k - 1][here]
        barred = np.zeros_like(state.landed)
        barred[self.rows] = state.landed[self.rows] * (1.0 - usable)
        if not np.any(barred):
            return
        lost, total = np.zeros((2, 2 * lay.cells.n, self.worlds))
        np.add.at(lost, lay.links.tie, barred)
        np.add.at(total, lay.links.tie, state.landed)
        lost = np.minimum(lost / np.maximum(total, 1e-12), 1.0)
        weight = 1.0 - lay.users.defence * lost[lay.users.tie]
        held = rules.user_priority
        rules.user_priority = weight if held is None else held * weight

    def granted_share(self) -> np.ndarray:
        """Granted over filed to date, by world, shape (w,) (NaN where nothing was filed)."""
        filed = self.filed.sum(axis=0)
        out = np.full(self.worlds, np.nan)
        return np.divide(self.granted_total.sum(axis=0), filed, out=out, where=filed > 1e-9)
