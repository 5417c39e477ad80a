"""9 The loops of the law of price: all places of a material cleared at once, and a quota's rent.

Prices are logs over the base year's, by cell. The share of need that has to be saved over the horizon
gives the price; lanes answer to the gaps between places. Lanes answer ten times as strongly as prices
move, so an explicit step would explode: one linear system a material makes the step implicit. It is
diagonally dominant, so it is solved by elimination without pivots.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.equations import lanes as ways
from lodestone.equations import quota_rent, scarcity

#: Most that a log price moves in a week (A301).
MOST_A_WEEK = 0.4
#: Share that must be saved beyond which nobody can say more (rounding).
ALL = 0.999
#: Multiple of its share at which a new lane is full (A303).
FULL = 8.0
#: Answer of plants that make to order to their margin (A303).
PLANT_RESPONSE = 8.0
#: Throughput below which a place has no market, t/week (rounding).
NOTHING = 1e-9
#: Halvings in the search of a rent (rounding: 5,000 USD/kg to a cent).
TURNS = 24

_cover_used = compiled(scarcity.cover_used)
_cover_slope = compiled(scarcity.cover_slope)
_price_of_saving = compiled(scarcity.price_of_saving)
_soft_floor = compiled(scarcity.soft_floor)
_root = compiled(ways.lane_root)
_pull = compiled(ways.pull_of_root)
_wanted = compiled(quota_rent.wanted_under_rent)


class Lanes(NamedTuple):
    """Ways between places, sorted by destination."""

    starts: np.ndarray  # (c + 1,) lanes into each cell
    origin: np.ndarray  # (l,) cell
    usual: np.ndarray  # (l, w) t/week at a gap of nought
    seed: np.ndarray  # (l, 1) what may come beside it, share of the smaller end
    seed_cost: np.ndarray  # (l, 1) log cost of it
    cost: np.ndarray  # (l, 1) log of delivered cost over the price there, on empty lanes
    pass_on: np.ndarray  # (l, 1) share of the seller's price in delivered cost
    response: np.ndarray  # (l, 1) kappa
    reach: np.ndarray  # (l, 1) most of usual tonnes
    levied: np.ndarray  # (l, w) or (0, 0) taxes and fees, log
    allowed: np.ndarray  # (l, w) or (0, 0) what the rules are expected to let pass, t/week
    flow: np.ndarray  # (l, w) expected, t/week; written
    wish: np.ndarray  # (l, w) the same without the rules; written


class Spots(NamedTuple):
    """Places: a material in a region each, by cell."""

    active: np.ndarray  # (n,) cells with a market, by material
    starts: np.ndarray  # (m + 1,) of them
    need: np.ndarray  # (c, w) use at base prices, t/week
    made: np.ndarray  # (c, w) output that is pushed, t/week
    plants: np.ndarray  # (c, w) usual output of plants that make to order, t/week
    plant_cost: np.ndarray  # (c, w) log
    plant_most: np.ndarray  # (c, w) most of usual output
    stock: np.ndarray  # (c, w) on hand and under way, t
    target: np.ndarray  # (c, w) what holders like, t
    shift: np.ndarray  # (c, w) or (0, 0) what sellers take off by decision, log
    elasticity: np.ndarray  # (c, w) of use to the price
    floor: np.ndarray  # (c, 1) log, above nought
    ceiling: np.ndarray  # (c, 1) log
    price: np.ndarray  # (c, w) log; moved
    output: np.ndarray  # (c, w) expected of plants, t/week; written
    saving: np.ndarray  # (c, w) share of need; written


class Law(NamedTuple):
    """Numbers of the law, shape (w,)."""

    horizon: np.ndarray  # weeks
    insisted: np.ndarray  # share of the target
    softness: np.ndarray
    slope: np.ndarray
    glut: np.ndarray
    gain: np.ndarray  # a market day, upward
    ease: np.ndarray  # the same downward
    most: float  # log a market day


@compiled
def clear(lanes: Lanes, spots: Spots, law: Law) -> None:
    """Move the prices of all places one step toward what clears them, lanes included."""
    cells, worlds = spots.price.shape
    taxed, shifted = lanes.levied.shape[0] > 0, spots.shift.shape[0] > 0
    ruled = lanes.allowed.shape[0] > 0
    place = np.full(cells, -1)
    through = np.zeros((cells, worlds))
    net = np.zeros((cells, worlds))
    ratio = np.empty(worlds)
    for j in range(spots.active.shape[0]):
        c = spots.active[j]
        place[c] = j
        for w in range(worlds):
            through[c, w] += spots.need[c, w] + spots.made[c, w] + spots.plants[c, w]
        for i in range(lanes.starts[c], lanes.starts[c + 1]):
            o = lanes.origin[i]
            if o != c:
                for w in range(worlds):
                    through[c, w] += lanes.usual[i, w]
                    through[o, w] += lanes.usual[i, w]
    for c in range(cells):
        for w in range(worlds):
            through[c, w] *= 0.5
    for good in range(spots.starts.shape[0] - 1):
        first, last = spots.starts[good], spots.starts[good + 1]
        n = last - first
        a = np.zeros((n, n, worlds))
        b = np.zeros((n, worlds))
        for j in range(n):
            c = spots.active[first + j]
            for i in range(lanes.starts[c], lanes.starts[c + 1]):
                o = lanes.origin[i]
                if o == c or place[o] < 0:
                    continue
                k = place[o] - first
                kappa, phi, reach = lanes.response[i, 0], lanes.pass_on[i, 0], lanes.reach[i, 0]
                seed, extra, cost = lanes.seed[i, 0], lanes.seed_cost[i, 0], lanes.cost[i, 0]
                for w in range(worlds):
                    gap = spots.price[c, w] - phi * spots.price[o, w] - cost
                    if taxed:
                        gap -= lanes.levied[i, w]
                    if shifted:
                        gap += spots.shift[c, w] - spots.shift[o, w]
                    x = _root(gap, kappa)
                    pull = _pull(x)
                    if pull > reach:
                        f = lanes.usual[i, w] * reach
                        d = 0.0
                    else:
                        f = lanes.usual[i, w] * pull
                        d = f * kappa / max(x, 1e-9)
                    gap -= extra
                    if gap > 0.0:
                        x = _root(gap, kappa)
                        pull = _pull(x)
                        room = seed * min(through[c, w], through[o, w])
                        if pull > 1.0 + FULL:
                            f += room * FULL
                        else:
                            f += room * (pull - 1.0)
                            d += room * kappa * pull / x
                    lanes.wish[i, w] = f
                    if ruled and f > lanes.allowed[i, w]:
                        f = lanes.allowed[i, w]
                        d = 0.0
                    lanes.flow[i, w] = f
                    here = there = f
                    if shifted:
                        # Who sets his price below the market's meets what that calls up: his own
                        # place is cleared as if he had not.
                        gap = spots.price[c, w] - phi * spots.price[o, w] - cost
                        if taxed:
                            gap -= lanes.levied[i, w]
                        plain = lanes.usual[i, w] * min(_pull(_root(gap, kappa)), reach)
                        if ruled:
                            plain = min(plain, lanes.allowed[i, w])
                        if spots.shift[o, w] != 0.0:
                            there = plain
                        if spots.shift[c, w] != 0.0:
                            here = plain
                    net[c, w] += here
                    net[o, w] -= there
                    a[j, j, w] += d
                    a[j, k, w] -= phi * d
                    a[k, k, w] += phi * d
                    a[k, j, w] -= d
        for j in range(n):
            c = spots.active[first + j]
            for w in range(worlds):
                x = _root(spots.price[c, w] - spots.plant_cost[c, w], PLANT_RESPONSE)
                pull = _pull(x)
                own = spots.plants[c, w] * pull
                answers = own * PLANT_RESPONSE / max(x, 1e-9)
                if pull > spots.plant_most[c, w]:
                    own = spots.plants[c, w] * spots.plant_most[c, w]
                    answers = 0.0
                spots.output[c, w] = own
                t = through[c, w]
                if t <= NOTHING:
                    spots.saving[c, w] = 0.0
                    for k in range(n):
                        a[j, k, w] = 0.0
                    a[j, j, w] = 1.0
                    continue
                h = law.horizon[w]
                likes = max(spots.target[c, w] / t, 1.0)
                surplus = spots.made[c, w] + own + net[c, w] - spots.need[c, w]
                cover = likes + (spots.stock[c, w] - spots.target[c, w] + h * surplus) / t
                m, soft, slope = law.insisted[w], law.softness[w], law.slope[w]
                q = _cover_used(cover, likes, m, soft, slope)
                q = (q - _cover_used(likes, likes, m, soft, slope)) / h
                falls = _cover_slope(cover, likes, m, soft, slope)
                spots.saving[c, w] = q
                if q > 0.0:
                    q = min(q, ALL)
                    goal = _price_of_saving(q, spots.elasticity[c, w])
                    steep = falls / (spots.elasticity[c, w] * (1.0 - q) * t)
                    if goal > spots.ceiling[c, 0]:
                        goal = spots.ceiling[c, 0]
                        steep = 0.0
                else:
                    floor = spots.floor[c, 0]
                    goal = _soft_floor(_price_of_saving(q, law.glut[w]), floor)
                    low = 1.0 + goal / floor
                    steep = low * falls / (law.glut[w] * (1.0 - q) * t)
                g = law.gain[w] if goal > spots.price[c, w] else law.ease[w]
                b[j, w] = g * (goal - spots.price[c, w])
                for k in range(n):
                    a[j, k, w] *= g * steep
                a[j, j, w] += 1.0 + g * steep * answers
        for j in range(n):
            for k in range(j + 1, n):
                touched = False
                for w in range(worlds):
                    ratio[w] = a[k, j, w] / a[j, j, w]
                    touched |= ratio[w] != 0.0
                if touched:
                    for i in range(j + 1, n):
                        for w in range(worlds):
                            a[k, i, w] -= ratio[w] * a[j, i, w]
                    for w in range(worlds):
                        b[k, w] -= ratio[w] * b[j, w]
        for j in range(n - 1, -1, -1):
            for i in range(j + 1, n):
                for w in range(worlds):
                    b[j, w] -= a[j, i, w] * b[i, w]
            c = spots.active[first + j]
            for w in range(worlds):
                b[j, w] /= a[j, j, w]
                spots.price[c, w] += min(max(b[j, w], -law.most), law.most)


class Covered(NamedTuple):
    """Lanes under one quota."""

    usual: np.ndarray  # (n, w) t/week at a rent of nought
    cost: np.ndarray  # (n, w) delivered cost without the rent, USD/kg
    weight: np.ndarray  # (n, 1) kilograms that count for a kilogram of product
    elasticity: np.ndarray  # (n, w) of what buyers take from a lane
    carried: np.ndarray  # (n, w) t/week at the rent; written


@compiled
def shadow_price(covered: Covered, rate: np.ndarray, top: float, rent: np.ndarray) -> None:
    """The rent (w,), at most ``top``, at which lanes carry what a quota lets pass, ``rate`` (w,)."""
    for w in range(rate.shape[0]):
        low, high, x = 0.0, top, 0.0
        for turn in range(TURNS):
            total = 0.0
            for n in range(covered.weight.shape[0]):
                f = _wanted(
                    covered.usual[n, w],
                    covered.cost[n, w],
                    covered.weight[n, 0],
                    covered.elasticity[n, w],
                    x,
                )
                covered.carried[n, w] = f
                total += f * covered.weight[n, 0]
            if turn == 0:
                if total <= rate[w]:
                    break
            elif total > rate[w]:
                low = x
            else:
                high = x
            # Halve in logs: rents span four orders of size.
            x = math.exp(0.5 * (math.log1p(low) + math.log1p(high))) - 1.0
        rent[w] = x
