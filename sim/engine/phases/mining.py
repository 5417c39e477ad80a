"""2 Ore is dug for the value of its whole basket, goes to who has room, and clears the border."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.engine.phases.capacity import LEAST_MARGIN
from lodestone.equations import production
from lodestone.equations.lags import gain, toward
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Dispatch of ore: (transit days of each link, tonnes) -> None.
Sail = Callable[[np.ndarray, np.ndarray], None]
#: Weeks in which owners of ore in bond import what they have beyond their usual stock.
BOND_WEEKS = 13.0


class Separators(NamedTuple):
    """What separators can do today."""

    running: np.ndarray  # (plants, w) t REO a week that each plant can take
    ability: np.ndarray  # (s, w) the same by place
    grown: np.ndarray  # (s, w) growth of what each place was fed in the base year


def mine(m: Market, f: Flows, rules: Conditions) -> np.ndarray:
    """Ore is dug by the value of its whole basket.

    Returns
    -------
    ndarray, shape (e, w)
        Mined, t contained element.
    """
    lay, st, weeks = m.layout, m.state, m.weeks
    oxide = m.c.oxide_material
    price = np.exp(st.log_home[oxide])  # (e, w): ore is sold on home prices
    value = np.einsum("fe,ew->fw", lay.mine_mix[:, :, 0], price)
    cost, worth = m.c.mine_cost, value
    if rules.margin_support is not None:
        # Support adds to revenue; what is laid on a mine adds to its cost.
        support = rules.margin_support[lay.mines]
        value = value + np.maximum(support, 0.0)
        cost = cost - np.minimum(support, 0.0)
        worth = np.maximum(value + np.minimum(support, 0.0), 0.05 * value)
    ratio = np.ones((len(lay.ore_pools), st.worlds))
    ratio[lay.by_pool.ids] = (worth / m.c.mine_value0)[lay.by_pool.starts]
    f.ore_value = ratio
    margin = np.maximum(1.0 - cost / np.maximum(value, 1e-9), LEAST_MARGIN)
    goal = production.willingness(margin, m.c.mine_margin0, 0.05)
    goal *= np.clip(
        (value / m.c.mine_value0) ** m.draws["production.basket_elasticity"],
        0.5,
        m.draws["production.surge"],
    )
    rows = lay.mines
    # A mine that has lost money for months is idle, and an idle mine is slow to come back.
    losing = margin < 0.0
    st.losing_weeks = np.where(losing, st.losing_weeks + weeks, 0.0)
    patience = m.draws["production.idle_months"] * 4.348
    idle = st.losing_weeks > patience
    goal = np.where(idle, 0.0, goal)
    slow = (st.willing[rows] < 0.5) & (goal > st.willing[rows])
    lag = np.where(
        slow,
        m.draws["production.restart_weeks"] + m.draws["production.adjust_weeks"],
        m.draws["production.adjust_weeks"],
    )
    st.willing[rows] = toward(st.willing[rows], goal, weeks, lag)
    f.grown = ore_growth(m)
    dug = (
        f.normal_output[rows]
        * st.willing[rows]
        * f.grown[lay.by_pool.ids][lay.by_pool.group]
        * weeks
    )
    mined = np.empty_like(f.lost)
    dig(dug, lay.mine_mix, lay.by_pool.rows, lay.per_oxide, st.ore_at_mine, mined)
    f.dug = dug
    return mined


def send_ore(m: Market, f: Flows, rules: Conditions, sail_ore: Sail) -> Separators:
    """Ore leaves the mines for the separators that can take it, and sets sail."""
    lay, st = m.layout, m.state
    # What separators can take, t REO a week: those of the base year as they grow and ramp,
    # and new ones as far as their ore has not piled up.
    rows = lay.separation
    running = lay.f_capacity[rows] * f.available[rows] * lay.sep_takes_ore
    ability = np.zeros((len(lay.separators), st.worlds))
    ability[lay.sep_by_place.ids] = lay.sep_by_place.sum(running)
    separators_grown = np.empty_like(ability)
    share = np.empty((len(lay.ore_links), st.worlds))
    ore_shares(
        st.ore_at_mine,
        m.c.ore_out,
        st.ore_at_plant,
        ability,
        lay.s_base_capacity,
        lay.s_base_feed,
        f.grown,
        _base_ramp(m, f),
        lay.k_pool,
        lay.k_place,
        lay.k_home,
        lay.k_base_t,
        lay.pool_base_t,
        lay.k_default,
        m.weeks,
        separators_grown,
        share,
    )
    for pivot in rules.pivots:
        tonnes = st.ore_at_mine.sum(axis=1) * m.c.ore_out
        share = np.ascontiguousarray(pivot.turn(share, tonnes, m))
    if rules.ore_passes is not None:
        share = share * rules.ore_passes
    shipped = np.empty_like(st.ore_in_transit)
    ship_ore(st.ore_at_mine, m.c.ore_out, share, lay.k_pool, st.ore_in_transit, shipped)
    f.ore_shipped = shipped
    sail_ore(lay.k_transit, shipped)
    return Separators(running, ability, separators_grown)


def _base_ramp(m: Market, f: Flows) -> np.ndarray:
    """Growth of base-year separators that were still ramping, by place, shape (s, w)."""
    lay = m.layout
    rows = lay.separation
    base = lay.f_base[rows][:, None]
    if not np.any(lay.f_ramp_left[rows]):
        return np.ones((len(lay.separators), m.state.worlds))
    now = np.where(base, f.normal_output[rows], 0.0)
    then = np.where(base, lay.f_capacity[rows] * lay.f_use[rows] * f.available[rows], 0.0)
    ratio = np.ones((len(lay.separators), m.state.worlds))
    ratio[lay.sep_by_place.ids] = np.maximum(lay.sep_by_place.sum(now), 1e-12) / np.maximum(
        lay.sep_by_place.sum(then), 1e-12
    )
    return np.where(lay.s_base_capacity > 0, np.clip(ratio, 1.0, 10.0), 1.0)


def clear_bond(m: Market, f: Flows) -> None:
    """Ore in bond is imported at the usual pace, for as long as there is any.

    Its owners keep a stock and clear what arrives; when nothing arrives they go on until it is
    gone, when too much does the excess follows with ``BOND_WEEKS``.
    """
    lay, st, weeks = m.layout, m.state, m.weeks
    rows = lay.k_bonded
    if not len(rows):
        return
    held = st.ore_bonded[rows]
    total = held.sum(axis=1)
    usual = lay.k_base_t[rows] * f.grown[lay.k_pool[rows]]  # t/week
    excess = np.maximum(total - usual * (weeks + lay.k_bond[rows, 0]), 0.0)
    out = np.minimum(total, usual * weeks + excess * gain(weeks, BOND_WEEKS))
    cleared = held * (out / np.maximum(total, 1e-12))[:, None, :]
    st.ore_landed[rows] += cleared
    st.ore_bonded[rows] = held - cleared


def ore_growth(m: Market) -> np.ndarray:
    """Growth of each ore pool over the base year, shape (o, w).

    Quotas at the centre and the clays that feed it follow world demand in part; the rest
    is what price has called up.
    """
    lay, st = m.layout, m.state
    magnets = lay.u_magnet
    base = lay.u_base[magnets]
    world = (base * m.growth(m.now)[lay.u_sector[magnets]]).sum(axis=0) / base.sum()
    follow = np.where(lay.o_follows[:, None], m.draws["investment.follow_share"], 0.0)
    return np.exp(follow * np.log(world)) + st.expansion[3]


@compiled
def dig(
    dug: np.ndarray,
    mix: np.ndarray,
    pool: np.ndarray,
    per_oxide: np.ndarray,
    ore: np.ndarray,
    mined: np.ndarray,
) -> None:
    """Put what each mine digs (f, w) into its ore pool (o, e, w); ``mined`` (e, w) in element."""
    worlds = dug.shape[1]
    mined[...] = 0.0
    for f in range(dug.shape[0]):
        o = pool[f]
        for e in range(mix.shape[1]):
            share = mix[f, e, 0]
            for w in range(worlds):
                ore[o, e, w] += share * dug[f, w]
                mined[e, w] += share * dug[f, w] * per_oxide[e, 0]


@compiled
def ore_shares(
    ore: np.ndarray,
    share_out: np.ndarray,
    at_plant: np.ndarray,
    ability: np.ndarray,
    base_capacity: np.ndarray,
    base_feed: np.ndarray,
    grown: np.ndarray,
    ramped: np.ndarray,
    pool: np.ndarray,
    place: np.ndarray,
    at_home: np.ndarray,
    base_t: np.ndarray,
    pool_base_t: np.ndarray,
    default: np.ndarray,
    weeks: float,
    places_grown: np.ndarray,
    share: np.ndarray,
) -> None:
    """Which separators get what share of the ore that leaves each pool.

    Domestic ore first serves the domestic separators of the base year; new ones at home come after
    what is sold abroad under contract; new ones abroad ask all who could sell and get at most half
    of what is left; the rest goes by habit. Ore without a habitual buyer abroad goes to separators
    at home that stand idle, up to their nameplate.

    Parameters
    ----------
    ore : ndarray, shape (o, e, w)
        Stock at the mines; the share ``share_out`` (w,) of it leaves.
    at_plant : ndarray, shape (s, e, w)
        Ore piled up at separators.
    ability : ndarray, shape (s, w)
        What separators can take, t REO a week.
    base_capacity, base_feed : ndarray, shape (s, 1)
        Capacity of the base year (0: none on file) and what was fed in it.
    grown : ndarray, shape (o, w)
        Growth of each pool; ``ramped`` (s, w) of separators that were still ramping.
    pool, place, at_home : ndarray, shape (k,)
        Ore links; sorted by pool.
    base_t, default : ndarray, shape (k, 1)
        Base-year tonnes a week; 1 for the buyer of ore without one.
    pool_base_t : ndarray, shape (o, 1)
    places_grown : ndarray, shape (s, w)
        Growth of what each separator was fed; written.
    share : ndarray, shape (k, w)
        Written; at most one in sum over a pool.
    """
    pools, elements, worlds = ore.shape
    places, links = ability.shape[0], pool.shape[0]
    tonnes = np.zeros((pools, worlds))
    left = np.zeros((pools, worlds))
    spare = np.zeros((pools, worlds))
    by_pool = np.zeros((pools, worlds))
    by_place = np.zeros((places, worlds))
    more = np.empty((places, worlds))
    room = np.empty((places, worlds))
    home = np.zeros((links, worlds))
    asked = np.zeros((links, worlds))
    for o in range(pools):
        for e in range(elements):
            for w in range(worlds):
                tonnes[o, w] += ore[o, e, w]
        for w in range(worlds):
            tonnes[o, w] *= share_out[w] / weeks
            spare[o, w] = max(tonnes[o, w] - pool_base_t[o, 0] * min(grown[o, w], 1.0), 0.0)
    places_grown[...] = 0.0
    for k in range(links):
        for w in range(worlds):
            places_grown[place[k], w] += base_t[k, 0] * grown[pool[k], w]
    for s in range(places):
        known = base_capacity[s, 0] > 0.0
        for w in range(worlds):
            fed = base_feed[s, 0] > 0.0
            places_grown[s, w] = places_grown[s, w] / max(base_feed[s, 0], 1e-12) if fed else 1.0
            if known:
                more[s, w] = ability[s, w] / max(base_capacity[s, 0], 1e-9)
                room[s, w] = 0.0
            else:
                piled = 0.0
                for e in range(elements):
                    piled += at_plant[s, e, w]
                full = min(max(2.0 - piled / max(4.0 * ability[s, w], 1e-9), 0.0), 1.0)
                more[s, w] = 1.0
                room[s, w] = ability[s, w] * full
    for k in range(links):
        if not at_home[k]:
            continue
        s, o = place[k], pool[k]
        for w in range(worlds):
            want = base_t[k, 0] * (more[s, w] * ramped[s, w] * places_grown[s, w])
            home[k, w] = min(want, tonnes[o, w])
            by_place[s, w] += spare[o, w]
    for k in range(links):
        if at_home[k]:
            s, o = place[k], pool[k]
            for w in range(worlds):
                home[k, w] += spare[o, w] * min(room[s, w] / max(by_place[s, w], 1e-12), 1.0)
    by_place[...] = 0.0
    for k in range(links):
        for w in range(worlds):
            by_pool[pool[k], w] += home[k, w]
            by_place[place[k], w] += home[k, w]
    for o in range(pools):
        for w in range(worlds):
            left[o, w] = max(tonnes[o, w] - by_pool[o, w], 0.0)
            by_pool[o, w] = 0.0
    for s in range(places):
        for w in range(worlds):
            room[s, w] = max(room[s, w] - by_place[s, w], 0.0)
            by_place[s, w] = 0.0
    for k in range(links):
        if not at_home[k]:
            for w in range(worlds):
                if room[place[k], w] > 0.0:
                    by_place[place[k], w] += left[pool[k], w]
    for k in range(links):
        if not at_home[k]:
            s, o = place[k], pool[k]
            for w in range(worlds):
                if room[s, w] > 0.0:
                    asked[k, w] = left[o, w] * min(room[s, w] / max(by_place[s, w], 1e-12), 1.0)
                by_pool[o, w] += asked[k, w]
    for k in range(links):
        o = pool[k]
        for w in range(worlds):
            asked[k, w] *= min(0.5 * left[o, w] / max(by_pool[o, w], 1e-12), 1.0)
    by_pool[...] = 0.0
    weights = np.zeros((pools, worlds))
    for k in range(links):
        o = pool[k]
        for w in range(worlds):
            by_pool[o, w] += asked[k, w]
            if not at_home[k]:
                weights[o, w] += base_t[k, 0] * min(more[place[k], w], 1.0) + 1e-6 * default[k, 0]
    whole = np.zeros((pools, worlds))
    for k in range(links):
        o = pool[k]
        for w in range(worlds):
            given = home[k, w] + asked[k, w]
            if not at_home[k]:
                weight = base_t[k, 0] * min(more[place[k], w], 1.0) + 1e-6 * default[k, 0]
                rest = max(left[o, w] - by_pool[o, w], 0.0)
                given += rest * weight / max(weights[o, w], 1e-12)
            share[k, w] = given / max(tonnes[o, w], 1e-12)
            whole[o, w] += share[k, w]
    # What nobody abroad is used to buying goes to capacity at home that stands idle.
    by_place[...] = 0.0
    room[...] = 0.0
    for k in range(links):
        s, o = place[k], pool[k]
        for w in range(worlds):
            room[s, w] -= share[k, w] * tonnes[o, w]
            if at_home[k] and weights[o, w] <= 0.0:
                by_place[s, w] += max(1.0 - whole[o, w], 0.0) * tonnes[o, w]
    for k in range(links):
        s, o = place[k], pool[k]
        for w in range(worlds):
            if at_home[k] and weights[o, w] <= 0.0:
                idle = max(ability[s, w] + room[s, w], 0.0)
                more_ore = min(idle / max(by_place[s, w], 1e-12), 1.0)
                share[k, w] += max(1.0 - whole[o, w], 0.0) * more_ore
    for k in range(links):
        for w in range(worlds):
            share[k, w] /= max(whole[pool[k], w], 1.0)


@compiled
def ship_ore(
    ore: np.ndarray,
    share_out: np.ndarray,
    share: np.ndarray,
    pool: np.ndarray,
    in_transit: np.ndarray,
    shipped: np.ndarray,
) -> None:
    """Send ore on its way: stocks at the mines fall, ore under way rises.

    Parameters
    ----------
    ore : ndarray, shape (o, e, w)
        Stock at the mines, t contained oxide; lowered in place.
    share_out : ndarray, shape (w,)
        Share of the stock that leaves in this tick.
    share : ndarray, shape (k, w)
        Share of it that takes each link; at most one in sum over a pool.
    pool : ndarray of int, shape (k,)
        Pool of each link, not decreasing.
    in_transit, shipped : ndarray, shape (k, e, w)
        Ore under way, raised in place; what left, written.
    """
    links, elements, worlds = in_transit.shape
    for k in range(links):
        o = pool[k]
        for e in range(elements):
            for w in range(worlds):
                shipped[k, e, w] = ore[o, e, w] * share_out[w] * share[k, w]
    for k in range(links):
        o = pool[k]
        for e in range(elements):
            for w in range(worlds):
                ore[o, e, w] -= shipped[k, e, w]
                in_transit[k, e, w] += shipped[k, e, w]
