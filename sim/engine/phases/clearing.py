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

from lodestone.engine.compiling import compiled, fill, holds
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
    cheap_at: np.ndarray  # (l,) row of a lane on which freight weighs; -1 elsewhere
    landed: np.ndarray  # (n, w) log of delivered cost on such lanes, without what is levied
    passed: np.ndarray  # (n, w) how it answers to the seller's price
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


class System(NamedTuple):
    """One implicit step of the places of a material, in the order of ``Spots.active``."""

    a: np.ndarray  # (n, n, w) what a log of each price does to each equation
    b: np.ndarray  # (n, w) how far each price wants to move, log; at last how far it moves
    net: np.ndarray  # (n, w) what lanes bring less what they take, t/week
    through: np.ndarray  # (c, w) what passes through each place, t/week


@compiled
def clear(lanes: Lanes, spots: Spots, law: Law) -> None:
    """Move the prices of all places one step toward what clears them, lanes included."""
    cells, worlds = spots.price.shape
    place = np.full(cells, -1)
    through = np.zeros((cells, worlds))
    at_liking = np.empty(worlds)
    for w in range(worlds):
        at_liking[w] = _cover_used(1.0, 1.0, law.insisted[w], law.softness[w], law.slope[w])
    for j in range(spots.active.shape[0]):
        c = spots.active[j]
        place[c] = j
        for w in range(worlds):
            through[c, w] += spots.need[c, w] + spots.made[c, w] + spots.plants[c, w]
        for i in range(lanes.starts[c], lanes.starts[c + 1]):
            o = lanes.origin[i]
            if o != c and holds(lanes.usual[i]):
                for w in range(worlds):
                    through[c, w] += lanes.usual[i, w]
                for w in range(worlds):
                    through[o, w] += lanes.usual[i, w]
    for c in range(cells):
        for w in range(worlds):
            through[c, w] *= 0.5
    for good in range(spots.starts.shape[0] - 1):
        first, last = spots.starts[good], spots.starts[good + 1]
        n = last - first
        system = System(
            np.zeros((n, n, worlds)), np.zeros((n, worlds)), np.zeros((n, worlds)), through
        )
        _offer(lanes, spots, system, place, first)
        for j in range(n):
            _value(spots, law, system, at_liking, spots.active[first + j], j)
        _solve(system.a, system.b)
        for j in range(n):
            c = spots.active[first + j]
            for w in range(worlds):
                spots.price[c, w] += min(max(system.b[j, w], -law.most), law.most)


@compiled
def _offer(lanes: Lanes, spots: Spots, system: System, place: np.ndarray, first: int) -> None:
    """What lanes between the places of a material bring, and how it answers to their prices.

    Loops over worlds are short and without branches, so that they run as vectors.
    """
    a, _, net, through = system
    price, shift = spots.price, spots.shift
    n, worlds = net.shape
    taxed, shifted = lanes.levied.shape[0] > 0, shift.shape[0] > 0
    ruled = lanes.allowed.shape[0] > 0
    gap, answer, passed = np.empty(worlds), np.empty(worlds), np.empty(worlds)
    for j in range(n):
        c = spots.active[first + j]
        for i in range(lanes.starts[c], lanes.starts[c + 1]):
            o = lanes.origin[i]
            if o == c or place[o] < 0:
                continue
            k = place[o] - first
            kappa, phi, reach = lanes.response[i, 0], lanes.pass_on[i, 0], lanes.reach[i, 0]
            seed, extra, cost = lanes.seed[i, 0], lanes.seed_cost[i, 0], lanes.cost[i, 0]
            wish, flow = lanes.wish[i], lanes.flow[i]
            row = lanes.cheap_at[i]
            if row >= 0:
                for w in range(worlds):
                    gap[w] = price[c, w] - lanes.landed[row, w] - cost
                for w in range(worlds):
                    passed[w] = lanes.passed[row, w]
            else:
                for w in range(worlds):
                    gap[w] = price[c, w] - phi * price[o, w] - cost
                fill(passed, phi)
            if taxed:
                for w in range(worlds):
                    gap[w] -= lanes.levied[i, w]
            if shifted:
                for w in range(worlds):
                    gap[w] += shift[c, w] - shift[o, w]
            pays = False
            for w in range(worlds):
                pays |= gap[w] > extra
            if not (pays or holds(lanes.usual[i])):
                fill(wish, 0.0)
                fill(flow, 0.0)
                continue
            for w in range(worlds):
                pull = _pull(_root(gap[w], kappa))
                wish[w] = lanes.usual[i, w] * min(pull, reach)
            for w in range(worlds):
                x = _root(gap[w], kappa)
                answer[w] = 0.0 if _pull(x) > reach else wish[w] * kappa / max(x, 1e-9)
            if pays:
                for w in range(worlds):
                    x = _root(gap[w] - extra, kappa)
                    room = seed * min(through[c, w], through[o, w])
                    answers = room * kappa * _pull(x) / max(x, 1e-9)
                    full = (_pull(x) > 1.0 + FULL) | (gap[w] <= extra)
                    answer[w] += 0.0 if full else answers
                for w in range(worlds):
                    pull = _pull(_root(gap[w] - extra, kappa))
                    room = seed * min(through[c, w], through[o, w])
                    wish[w] += room * min(max(pull - 1.0, 0.0), FULL)
            for w in range(worlds):
                flow[w] = wish[w]
            if ruled:
                for w in range(worlds):
                    answer[w] = 0.0 if wish[w] > lanes.allowed[i, w] else answer[w]
                for w in range(worlds):
                    flow[w] = min(wish[w], lanes.allowed[i, w])
            if shifted:
                _count_shifted(lanes, spots, net, (i, c, o), (j, k))
            else:
                for w in range(worlds):
                    net[j, w] += flow[w]
                for w in range(worlds):
                    net[k, w] -= flow[w]
            for w in range(worlds):
                a[j, j, w] += answer[w]
            for w in range(worlds):
                a[j, k, w] -= passed[w] * answer[w]
            for w in range(worlds):
                a[k, k, w] += passed[w] * answer[w]
            for w in range(worlds):
                a[k, j, w] -= answer[w]


@compiled
def _count_shifted(
    lanes: Lanes,
    spots: Spots,
    net: np.ndarray,
    lane: tuple[int, int, int],
    ends: tuple[int, int],
) -> None:
    """Count what a lane brings where sellers take something off their prices by decision.

    Who sets his price below the market's meets what that calls up: his own place is cleared as if
    he had not.
    """
    i, c, o = lane
    j, k = ends
    kappa, reach = lanes.response[i, 0], lanes.reach[i, 0]
    for w in range(net.shape[1]):
        row = lanes.cheap_at[i]
        asked = lanes.landed[row, w] if row >= 0 else lanes.pass_on[i, 0] * spots.price[o, w]
        gap = spots.price[c, w] - asked - lanes.cost[i, 0]
        if lanes.levied.shape[0] > 0:
            gap -= lanes.levied[i, w]
        plain = lanes.usual[i, w] * min(_pull(_root(gap, kappa)), reach)
        if lanes.allowed.shape[0] > 0:
            plain = min(plain, lanes.allowed[i, w])
        net[j, w] += plain if spots.shift[c, w] != 0.0 else lanes.flow[i, w]
        net[k, w] -= plain if spots.shift[o, w] != 0.0 else lanes.flow[i, w]


@compiled
def _value(spots: Spots, law: Law, system: System, at_liking: np.ndarray, c: int, j: int) -> None:
    """What a good is worth in a place ``c``, row ``j`` of its system, and how it answers there.

    ``at_liking`` (w,) is what :func:`lodestone.equations.scarcity.cover_used` says of a cover as
    holders like it, a week of it: what must be saved grows in proportion to what they like.
    """
    a, b, net, through = system
    n, worlds = net.shape
    answers, moves = np.empty(worlds), np.zeros(worlds)
    for w in range(worlds):
        x = _root(spots.price[c, w] - spots.plant_cost[c, w], PLANT_RESPONSE)
        full = _pull(x) > spots.plant_most[c, w]
        own = spots.plants[c, w] * min(_pull(x), spots.plant_most[c, w])
        answers[w] = 0.0 if full else own * PLANT_RESPONSE / max(x, 1e-9)
        spots.output[c, w] = own
    for w in range(worlds):
        t = through[c, w]
        if t <= NOTHING:
            spots.saving[c, w] = 0.0
            continue
        h = law.horizon[w]
        likes = max(spots.target[c, w] / t, 1.0)
        surplus = spots.made[c, w] + spots.output[c, w] + net[j, w] - spots.need[c, w]
        cover = (spots.stock[c, w] - spots.target[c, w] + h * surplus) / (t * likes) + 1.0
        m, soft, slope = law.insisted[w], law.softness[w], law.slope[w]
        q = (_cover_used(cover, 1.0, m, soft, slope) - at_liking[w]) * likes / h
        falls = _cover_slope(cover, 1.0, m, soft, slope)
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
        moves[w] = g * steep
    for k in range(n):
        for w in range(worlds):
            a[j, k, w] *= moves[w]
    for w in range(worlds):
        a[j, j, w] += 1.0 + moves[w] * answers[w]


@compiled
def _solve(a: np.ndarray, b: np.ndarray) -> None:
    """Solve the systems (n, n, w) of all worlds; the answers stand in ``b`` (n, w)."""
    n, worlds = b.shape
    ratio = np.empty(worlds)
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
        for w in range(worlds):
            b[j, w] /= a[j, j, w]


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
