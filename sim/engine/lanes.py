"""Sums over lanes by the places they join, in one pass each: what comes, what goes, what it costs.

Lanes that hold nothing in any world are stepped over; sums stay the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled, fill, holds

if TYPE_CHECKING:
    from lodestone.worlds.layout.links import Links

#: Flow that is rounding and no trade, t/week (a microgram).
TRACE = 1e-12


class Ways(NamedTuple):
    """Which places lanes join; sorted by destination."""

    starts: np.ndarray  # (c + 1,) lanes into each cell
    origin: np.ndarray  # (l,) cell
    destination: np.ndarray  # (l,) cell
    home: np.ndarray  # (l,) bool: inside a region
    by_origin: np.ndarray  # (l,) lanes sorted by seller
    origin_starts: np.ndarray  # (c + 1,) lanes of each seller in ``by_origin``


def ways_of(links: Links) -> Ways:
    """The ways of a layout as loops take them."""
    return Ways(
        links.starts,
        links.origin,
        links.destination,
        links.home,
        links.by_origin,
        links.origin_starts,
    )


class Offered(NamedTuple):
    """What lanes would bring, and what places can send of it."""

    flow: np.ndarray  # (l, w) t/week
    part: np.ndarray  # (c, w) share of it that each place can send; written by `share_out`
    kept: np.ndarray  # (c, w) t/week that stays at home; written by `share_out`


@compiled
def share_out(ways: Ways, offered: Offered, made: np.ndarray, need: np.ndarray) -> None:
    """Which part of what is offered places can send: none sends more than it has.

    Parameters
    ----------
    ways : Ways
    offered : Offered
    made, need : ndarray, shape (c, w)
        Of what comes for its own needs a place sells on at most ``need``, t/week.
    """
    flow, part, kept = offered
    cells, worlds = made.shape
    for c in range(cells):
        fill(part[c], 0.0)
        fill(kept[c], 0.0)
    for c in range(cells):
        for i in range(ways.starts[c], ways.starts[c + 1]):
            if holds(flow[i]):
                o = ways.origin[i]
                for w in range(worlds):
                    part[c, w] += flow[i, w]
                for w in range(worlds):
                    kept[o, w] += flow[i, w]
    for c in range(cells):
        for w in range(worlds):
            has = made[c, w] + min(part[c, w], need[c, w])
            part[c, w] = min(has / max(kept[c, w], 1e-12), 1.0)
        for w in range(worlds):
            kept[c, w] = max(made[c, w] - kept[c, w] * part[c, w], 0.0)


@compiled
def brings(ways: Ways, offered: Offered, i: int, row: np.ndarray) -> bool:
    """What lane ``i`` brings (w,), t/week; home lanes bring the rest. Whether it is anything."""
    o = ways.origin[i]
    if ways.home[i]:
        for w in range(row.shape[0]):
            row[w] = offered.kept[o, w]
    elif holds(offered.flow[i]):
        for w in range(row.shape[0]):
            row[w] = offered.flow[i, w] * offered.part[o, w]
    else:
        fill(row, 0.0)
        return False
    return holds(row)


@compiled
def all_bring(ways: Ways, offered: Offered, out: np.ndarray) -> None:
    """What every lane brings, t/week; written (l, w)."""
    for i in range(out.shape[0]):
        brings(ways, offered, i, out[i])


@compiled
def _of_whole(ways: Ways, c: int, whole: np.ndarray, share: np.ndarray) -> None:
    """Divide what lanes bring to cell ``c``, rows of ``share`` (l, w), by its sum ``whole`` (w,).

    A sum of less than ``TRACE`` is rounding, and nothing: it is made infinite.
    """
    worlds = whole.shape[0]
    for w in range(worlds):
        whole[w] = whole[w] if whole[w] > TRACE else np.inf
    for i in range(ways.starts[c], ways.starts[c + 1]):
        if holds(share[i]):
            for w in range(worlds):
                share[i, w] /= whole[w]


@compiled
def shares(ways: Ways, offered: Offered, share: np.ndarray) -> None:
    """Share of each lane in what comes to its destination; written (l, w), nought where nothing comes."""
    worlds = share.shape[1]
    whole = np.empty(worlds)
    for c in range(ways.starts.shape[0] - 1):
        fill(whole, 0.0)
        for i in range(ways.starts[c], ways.starts[c + 1]):
            if brings(ways, offered, i, share[i]):
                for w in range(worlds):
                    whole[w] += share[i, w]
        _of_whole(ways, c, whole, share)


class Ties(NamedTuple):
    """What comes by tie: from the home region (rows 2c), and from elsewhere (2c + 1)."""

    starts: np.ndarray  # (2c + 1,) lanes of each tie
    share: np.ndarray  # (2c, w) of what comes to the cell; written
    lead: np.ndarray  # (2c, w) weeks under way; written


@compiled
def split_orders(
    ways: Ways, offered: Offered, lead: np.ndarray, share: np.ndarray, ties: Ties
) -> None:
    """Share of each lane (l, w) in what comes to its destination, and share and lead of each tie.

    Parameters
    ----------
    ways : Ways
    offered : Offered
    lead : ndarray, shape (l, 1)
        Weeks.
    share : ndarray, shape (l, w)
        Written.
    ties : Ties
        Written; shares of the ties of a cell sum to one where anything comes. What is less than
        ``TRACE`` is rounding, and nothing: its shares would hang on the last digit.
    """
    worlds = share.shape[1]
    whole = np.empty(worlds)
    for c in range(ways.starts.shape[0] - 1):
        fill(whole, 0.0)
        for t in range(2 * c, 2 * c + 2):
            fill(ties.share[t], 0.0)
            fill(ties.lead[t], 0.0)
            for i in range(ties.starts[t], ties.starts[t + 1]):
                if brings(ways, offered, i, share[i]):
                    for w in range(worlds):
                        ties.share[t, w] += share[i, w]
                    for w in range(worlds):
                        ties.lead[t, w] += share[i, w] * lead[i, 0]
            for w in range(worlds):
                whole[w] += ties.share[t, w]
            for w in range(worlds):
                ties.lead[t, w] /= max(ties.share[t, w], TRACE)
        _of_whole(ways, c, whole, share)
        for t in range(2 * c, 2 * c + 2):
            for w in range(worlds):
                ties.share[t, w] /= whole[w]


class Paid(NamedTuple):
    """What goods cost where lanes end, logs over the base year's price."""

    pass_on: np.ndarray  # (l, 1) share of the seller's price
    cheap_at: np.ndarray  # (l,) row of a lane on which freight weighs; -1 elsewhere
    landed: np.ndarray  # (n, w) log of delivered cost on such lanes, without what is levied
    price: np.ndarray  # (c, w) of sellers
    at_home: np.ndarray  # (c, w) of what is made on the spot
    levied: np.ndarray  # (l, w) or (0, 0) taxes and fees
    shift: np.ndarray  # (c, w) or (0, 0) what sellers take off by decision
    rent: np.ndarray  # (l, w) or (0, 0) USD/kg
    reference: np.ndarray  # (c, 1) log of the base year's price, USD/kg


@compiled
def mean_paid(ways: Ways, offered: Offered, paid: Paid, log_paid: np.ndarray) -> None:
    """Log of the mean delivered cost by place (c, w), USD/kg; where nothing comes it stays.

    Parameters
    ----------
    ways : Ways
    offered : Offered
        What lanes bring weighs.
    paid : Paid
    log_paid : ndarray, shape (c, w)
        Changed in place.
    """
    cells, worlds = log_paid.shape
    each, whole, mean = np.empty(worlds), np.empty(worlds), np.empty(worlds)
    weight = np.empty(worlds)
    for c in range(cells):
        fill(whole, 0.0)
        fill(mean, 0.0)
        for i in range(ways.starts[c], ways.starts[c + 1]):
            if not brings(ways, offered, i, weight):
                continue
            o = ways.origin[i]
            if ways.home[i]:
                for w in range(worlds):
                    each[w] = paid.at_home[o, w]
            else:
                row = paid.cheap_at[i]
                if row >= 0:
                    for w in range(worlds):
                        each[w] = paid.landed[row, w]
                else:
                    for w in range(worlds):
                        each[w] = paid.pass_on[i, 0] * paid.price[o, w]
                if paid.levied.shape[0] > 0:
                    for w in range(worlds):
                        each[w] += paid.levied[i, w]
                if paid.shift.shape[0] > 0:
                    for w in range(worlds):
                        each[w] += paid.shift[o, w]
                if paid.rent.shape[0] > 0 and holds(paid.rent[i]):
                    for w in range(worlds):
                        place = math.exp(paid.reference[c, 0] + each[w])
                        each[w] += math.log1p(paid.rent[i, w] / place)
            for w in range(worlds):
                whole[w] += weight[w]
            for w in range(worlds):
                mean[w] += weight[w] * each[w]
        for w in range(worlds):
            now = paid.reference[c, 0] + mean[w] / max(whole[w], 1e-12)
            log_paid[c, w] = now if whole[w] > 1e-9 else log_paid[c, w]


@compiled
def felt_along(ways: Ways, share: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Sum of what sellers have (c, w), in the share (l, w) of each lane; written, (c, w)."""
    worlds = values.shape[1]
    for c in range(out.shape[0]):
        fill(out[c], 0.0)
        for i in range(ways.starts[c], ways.starts[c + 1]):
            o = ways.origin[i]
            if holds(values[o]) and holds(share[i]):
                for w in range(worlds):
                    out[c, w] += share[i, w] * values[o, w]


@compiled
def asked_along(
    ways: Ways, share: np.ndarray, values: np.ndarray, rows: np.ndarray, out: np.ndarray
) -> None:
    """Sum of what buyers have (c, w), in the share (l, w) of each lane, for the sellers ``rows``.

    ``out`` (n, w) is written.
    """
    worlds = values.shape[1]
    for n in range(rows.shape[0]):
        fill(out[n], 0.0)
        for k in range(ways.origin_starts[rows[n]], ways.origin_starts[rows[n] + 1]):
            i = ways.by_origin[k]
            if holds(share[i]):
                d = ways.destination[i]
                for w in range(worlds):
                    out[n, w] += share[i, w] * values[d, w]


@compiled
def sent_along(ways: Ways, flow: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
    """Sum of a flow (l, w) by the sellers ``rows``; ``out`` (n, w) is written."""
    for n in range(rows.shape[0]):
        fill(out[n], 0.0)
        for k in range(ways.origin_starts[rows[n]], ways.origin_starts[rows[n] + 1]):
            i = ways.by_origin[k]
            if holds(flow[i]):
                for w in range(flow.shape[1]):
                    out[n, w] += flow[i, w]


@compiled
def brought_along(ways: Ways, flow: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
    """Sum of a flow (l, w) by the places ``rows`` where it ends; ``out`` (n, w) is written."""
    for n in range(rows.shape[0]):
        fill(out[n], 0.0)
        for i in range(ways.starts[rows[n]], ways.starts[rows[n] + 1]):
            if holds(flow[i]):
                for w in range(flow.shape[1]):
                    out[n, w] += flow[i, w]


@compiled
def under_way(
    ways: Ways,
    coming: tuple[np.ndarray, np.ndarray, np.ndarray],
    usual: tuple[np.ndarray, np.ndarray],
    stock: np.ndarray,
    target: np.ndarray,
) -> None:
    """Add to stocks (c, w) what is under way to each place, and to targets what usually is.

    Parameters
    ----------
    ways : Ways
    coming : in transit, landed, held by customs, shape (l, w) each or (0, 0)
        t.
    usual : (l, w) t/week, and (l, 1) weeks under way
    stock, target : ndarray, shape (c, w)
        t; raised.
    """
    in_transit, landed, held = coming
    flow, weeks = usual
    worlds = stock.shape[1]
    comes, likes = np.empty(worlds), np.empty(worlds)
    for c in range(stock.shape[0]):
        fill(comes, 0.0)
        fill(likes, 0.0)
        for i in range(ways.starts[c], ways.starts[c + 1]):
            if held.shape[0] > 0:
                for w in range(worlds):
                    comes[w] += in_transit[i, w] + landed[i, w] + held[i, w]
            elif holds(in_transit[i]) or holds(landed[i]):
                for w in range(worlds):
                    comes[w] += in_transit[i, w] + landed[i, w]
            if holds(flow[i]):
                for w in range(worlds):
                    likes[w] += flow[i, w] * weeks[i, 0]
        for w in range(worlds):
            stock[c, w] += comes[w]
        for w in range(worlds):
            target[c, w] += likes[w]
