"""2 Ore is dug for the value of its whole basket, goes to who has room, and clears the border."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled, holds
from lodestone.engine.contents import mean_of_places
from lodestone.engine.phases.capacity import IDLE_BELOW, LEAST_MARGIN
from lodestone.engine.phases.expecting import shift_by_cell
from lodestone.engine.sailings import depart_ore
from lodestone.equations import investment, ore, production
from lodestone.equations.lags import gain, toward
from lodestone.equations.ore import DEFAULT_WEIGHT, MOST_ASKED
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Least worth of a mine's ore after what is laid on it, share of its value (A255).
LEAST_WORTH = 0.05
#: Weeks in a month.
WEEKS_PER_MONTH = 4.348
#: Most that base-year separators are taken to ramp up, multiple (of no consequence: a guard).
MOST_RAMP = 10.0

_room = compiled(ore.room_for_ore)
_part = compiled(ore.part_of)


class Separators(NamedTuple):
    """What separators can do today."""

    running: np.ndarray  # (plants, w) t REO a week that each plant can take
    ability: np.ndarray  # (s, w) the same by place
    grown: np.ndarray  # (s, w) growth of what each place was fed in the base year


class Mines(NamedTuple):
    """Mines and what their ore contains."""

    mix: np.ndarray  # (f, e, 1) share of each element in contained oxide
    pool: np.ndarray  # (f,) ore pool of each mine
    per_oxide: np.ndarray  # (e, 1) t element per t oxide


class OreLinks(NamedTuple):
    """Links of ore, sorted by pool."""

    pool: np.ndarray  # (k,)
    place: np.ndarray  # (k,) separators
    at_home: np.ndarray  # (k,) bool: in the country of the mines
    base_t: np.ndarray  # (k, 1) t/week in the base year
    default: np.ndarray  # (k, 1) 1 for the buyer of ore without one


class Places(NamedTuple):
    """Separators by place."""

    ability: np.ndarray  # (s, w) what they can take, t REO/week
    base_capacity: np.ndarray  # (s, 1) of the base year; 0: none on file
    base_feed: np.ndarray  # (s, 1) fed in the base year, t/week
    ramped: np.ndarray  # (s, w) growth of those that were still ramping
    at_plant: np.ndarray  # (s, e, w) ore piled up, t
    grown: np.ndarray  # (s, w) growth of what each was fed; written


class Pools(NamedTuple):
    """Ore at the mines."""

    ore: np.ndarray  # (o, e, w) t contained oxide
    share_out: np.ndarray  # (w,) share of it that leaves in this market day
    grown: np.ndarray  # (o, w) growth over the base year
    base_t: np.ndarray  # (o, 1) t/week
    weeks: float


def mine(m: Market, f: Flows, rules: Conditions) -> np.ndarray:
    """Ore is dug by the value of its whole basket.

    Returns
    -------
    ndarray, shape (e, w)
        Mined, t contained element.
    """
    lay, st, weeks = m.layout, m.state, m.weeks
    price = _ore_prices(m)  # (o, e, w): ore is paid where it is separated
    value = np.einsum("fe,few->fw", lay.ore.mix[:, :, 0], price[lay.ore.by_pool.rows])
    cost, worth = m.c.mine_cost, value
    if rules.margin_support is not None:
        # Support adds to revenue; what is laid on a mine adds to its cost.
        support = rules.margin_support[lay.ore.mines]
        value = value + np.maximum(support, 0.0)
        cost = cost - np.minimum(support, 0.0)
        worth = np.maximum(value + np.minimum(support, 0.0), LEAST_WORTH * value)
    ratio = np.ones((len(lay.ore.pools), st.worlds))
    ratio[lay.ore.by_pool.ids] = (worth / m.c.mine_value0)[lay.ore.by_pool.starts]
    f.ore_value = ratio
    margin = np.maximum(1.0 - cost / np.maximum(value, 1e-9), LEAST_MARGIN)
    goal = production.willingness(margin, m.c.mine_margin0, production.SHUT_DOWN_WIDTH)
    goal *= production.basket_response(
        value,
        m.c.mine_value0,
        m.draws["production.basket_elasticity"],
        m.draws["production.surge"],
    )
    rows = lay.ore.mines
    # A mine that has lost money for months is idle, and an idle mine is slow to come back.
    losing = margin < 0.0
    st.losing_weeks = np.where(losing, st.losing_weeks + weeks, 0.0)
    patience = m.draws["production.idle_months"] * WEEKS_PER_MONTH
    idle = st.losing_weeks > patience
    goal = np.where(idle, 0.0, goal)
    slow = (st.willing[rows] < IDLE_BELOW) & (goal > st.willing[rows])
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
        * f.grown[lay.ore.by_pool.ids][lay.ore.by_pool.group]
        * weeks
    )
    mined = np.empty_like(f.lost)
    dig(dug, Mines(lay.ore.mix, lay.ore.by_pool.rows, lay.per_oxide), st.ore_at_mine, mined)
    f.dug = dug
    return mined


def _ore_prices(m: Market) -> np.ndarray:
    """Oxide prices that each pool of ore is sold on, USD/kg, shape (o, e, w).

    Those of the places where it is separated, weighted by what went there last; over the base price
    inside the exporter, so that a mine is worth in the base year what its row says.
    """
    lay, st = m.layout, m.state
    cells = lay.separation.oxide_cell[lay.separation.regions]  # (s, e)
    near = np.where(cells >= 0, cells, lay.separation.oxide_cell[lay.home][None, :])
    ratio = np.exp((st.log_price + shift_by_cell(m))[np.maximum(near, 0)])  # (s, e, w)
    going = np.broadcast_to(lay.ore.base_t, (len(lay.ore.keys), st.worlds))
    if st.ore_went is not None:
        going = st.ore_went
    going = going + 1e-9 * (lay.ore.base_t + lay.ore.default)
    whole = lay.ore.links_by_pool.spread(going, len(lay.ore.pools))
    part = going / np.maximum(whole[lay.ore.pool], 1e-12)
    out = np.zeros((len(lay.ore.pools), *ratio.shape[1:]))
    mean_of_places(part, ratio, (lay.ore.pool, lay.ore.place), out)
    out[whole.max(axis=1) <= 0.0] = 1.0
    return np.asarray(out * np.exp(lay.prices.home[m.c.oxide_material])[None])


def send_ore(m: Market, f: Flows, rules: Conditions) -> Separators:
    """Ore leaves the mines for the separators that can take it, and sets sail."""
    lay, st = m.layout, m.state
    # What separators can take, t REO a week: those of the base year as they grow and ramp,
    # and new ones as far as their ore has not piled up.
    rows = lay.separation.plants
    running = lay.plants.capacity[rows] * f.available[rows] * lay.separation.takes_ore
    ability = np.zeros((len(lay.separation.places), st.worlds))
    ability[lay.separation.by_place.ids] = lay.separation.by_place.sum(running)
    ability *= 1.0 + st.separator_expansion[3]
    grown = np.empty_like(ability)
    share = np.empty((len(lay.ore.keys), st.worlds))
    links = OreLinks(lay.ore.pool, lay.ore.place, lay.ore.home, lay.ore.base_t, lay.ore.default)
    places = Places(
        ability,
        lay.separation.base_capacity,
        lay.separation.base_feed,
        _base_ramp(m, f),
        st.ore_at_plant,
        grown,
    )
    pools = Pools(st.ore_at_mine, m.c.ore_out, f.grown, lay.ore.pool_base_t, m.weeks)
    ore_shares(links, places, pools, share)
    for pivot in rules.pivots:
        tonnes = st.ore_at_mine.sum(axis=1) * m.c.ore_out
        share = np.ascontiguousarray(pivot.turn(share, tonnes, m))
    if rules.ore_passes is not None:
        share = share * rules.ore_passes
    shipped = np.empty_like(st.ore_in_transit)
    ship_ore(pools, lay.ore.pool, share, st.ore_in_transit, shipped)
    f.ore_shipped = shipped
    st.ore_went = shipped.sum(axis=1)
    depart_ore(m, shipped, np.asarray(np.any(st.ore_went, axis=1)))
    return Separators(running, ability, grown)


def _base_ramp(m: Market, f: Flows) -> np.ndarray:
    """Growth of base-year separators that were still ramping, by place, shape (s, w)."""
    lay = m.layout
    rows = lay.separation.plants
    base = lay.plants.base[rows][:, None]
    if not np.any(lay.plants.ramp_left[rows]):
        return np.ones((len(lay.separation.places), m.state.worlds))
    now = np.where(base, f.normal_output[rows], 0.0)
    then = np.where(base, lay.plants.capacity[rows] * lay.plants.use[rows] * f.available[rows], 0.0)
    ratio = np.ones((len(lay.separation.places), m.state.worlds))
    ratio[lay.separation.by_place.ids] = np.maximum(
        lay.separation.by_place.sum(now), 1e-12
    ) / np.maximum(lay.separation.by_place.sum(then), 1e-12)
    return np.where(lay.separation.base_capacity > 0, np.clip(ratio, 1.0, MOST_RAMP), 1.0)


def clear_bond(m: Market, f: Flows, rules: Conditions) -> None:
    """Ore in bond is imported at the usual pace, for as long as there is any.

    Its owners keep a stock and clear what arrives; when nothing arrives they go on until it is
    gone, when too much does the excess follows with ``ore.BOND_WEEKS``. A shut gate lets through its
    share only.
    """
    lay, st, weeks = m.layout, m.state, m.weeks
    rows = lay.ore.bonded
    if not len(rows):
        return
    held = st.ore_bonded[rows]
    total = held.sum(axis=1)
    usual = lay.ore.base_t[rows] * f.grown[lay.ore.pool[rows]]  # t/week
    out = ore.cleared_from_bond(
        total, usual, lay.ore.bond[rows, 0], weeks, gain(weeks, ore.BOND_WEEKS)
    )
    if rules.ore_gate is not None:
        out = out * rules.ore_gate[rows]
    cleared = held * (out / np.maximum(total, 1e-12))[:, None, :]
    st.ore_landed[rows] += cleared
    st.ore_bonded[rows] = held - cleared


def ore_growth(m: Market) -> np.ndarray:
    """Growth of each ore pool over the base year, shape (o, w).

    Quotas at the centre and the clays that feed it follow world demand in part; the rest
    is what price has called up.
    """
    lay, st = m.layout, m.state
    magnets = lay.users.magnet
    base = lay.users.base[magnets]
    world = (base * m.growth(m.now)[lay.users.sector[magnets]]).sum(axis=0) / base.sum()
    follow = np.where(lay.ore.fast[:, None], m.draws["investment.follow_share"], 0.0)
    return investment.ore_growth(world, follow, st.expansion[3])


@compiled
def dig(dug: np.ndarray, mines: Mines, ore: np.ndarray, mined: np.ndarray) -> None:
    """Put what each mine digs (f, w) into its ore pool (o, e, w); ``mined`` (e, w) in element.

    Conserves: ore after = ore before + dug.
    """
    mix, pool, per_oxide = mines
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
def ore_shares(links: OreLinks, places: Places, pools: Pools, share: np.ndarray) -> None:
    """What share of the ore that leaves each pool takes each link, ``share`` (k, w); written.

    Domestic ore first serves the domestic separators of the base year; new ones at home come after
    what is sold abroad under contract; new ones abroad ask all who could sell and get at most
    ``MOST_ASKED`` of what is left; the rest goes by habit. Ore without a habitual buyer abroad goes
    to separators at home that stand idle, up to their nameplate.

    Conserves: shares of a pool sum to one at most.
    """
    tonnes, spare = what_leaves(pools)
    more, room = what_fits(links, places, pools)
    home = serve_home(links, places, tonnes, spare, more, room)
    left, asked, given = ask_abroad(links, tonnes, home, room)
    weights = share_the_rest(links, tonnes, left, more, home, asked, given, share)
    fill_idle_home(links, places, tonnes, weights, share)


@compiled
def what_leaves(pools: Pools) -> tuple[np.ndarray, np.ndarray]:
    """Ore that leaves each pool and what of it is beyond base-year contracts, t/week (o, w)."""
    ore, share_out, grown, base_t, weeks = pools
    count, elements, worlds = ore.shape
    tonnes = np.zeros((count, worlds))
    spare = np.zeros((count, worlds))
    for o in range(count):
        for e in range(elements):
            for w in range(worlds):
                tonnes[o, w] += ore[o, e, w]
        for w in range(worlds):
            tonnes[o, w] *= share_out[w] / weeks
            spare[o, w] = max(tonnes[o, w] - base_t[o, 0] * min(grown[o, w], 1.0), 0.0)
    return tonnes, spare


@compiled
def what_fits(links: OreLinks, places: Places, pools: Pools) -> tuple[np.ndarray, np.ndarray]:
    """Growth of base-year separators (share) and room at new ones (t/week), (s, w) each."""
    pool, place, _, base_t, _ = links
    ability, base_capacity, base_feed, _, at_plant, places_grown = places
    grown = pools.grown
    count, elements, worlds = at_plant.shape
    more = np.empty((count, worlds))
    room = np.empty((count, worlds))
    places_grown[...] = 0.0
    for k in range(pool.shape[0]):
        for w in range(worlds):
            places_grown[place[k], w] += base_t[k, 0] * grown[pool[k], w]
    for s in range(count):
        known = base_capacity[s, 0] > 0.0
        fed = base_feed[s, 0] > 0.0
        for w in range(worlds):
            places_grown[s, w] = places_grown[s, w] / max(base_feed[s, 0], 1e-12) if fed else 1.0
            if known:
                more[s, w] = ability[s, w] / max(base_capacity[s, 0], 1e-9)
                room[s, w] = 0.0
            else:
                piled = 0.0
                for e in range(elements):
                    piled += at_plant[s, e, w]
                more[s, w] = 1.0
                room[s, w] = ability[s, w] * _room(piled, ability[s, w])
    return more, room


@compiled
def serve_home(
    links: OreLinks,
    places: Places,
    tonnes: np.ndarray,
    spare: np.ndarray,
    more: np.ndarray,
    room: np.ndarray,
) -> np.ndarray:
    """What separators at home get, t/week (k, w); ``room`` (s, w) is lowered by it."""
    pool, place, at_home, base_t, _ = links
    ramped, places_grown = places.ramped, places.grown
    worlds = tonnes.shape[1]
    home = np.zeros((pool.shape[0], worlds))
    by_place = np.zeros(room.shape)
    for k in range(pool.shape[0]):
        if not at_home[k]:
            continue
        s, o = place[k], pool[k]
        for w in range(worlds):
            want = base_t[k, 0] * (more[s, w] * ramped[s, w] * places_grown[s, w])
            home[k, w] = min(want, tonnes[o, w])
            by_place[s, w] += spare[o, w]
    for k in range(pool.shape[0]):
        if at_home[k]:
            s, o = place[k], pool[k]
            for w in range(worlds):
                home[k, w] += spare[o, w] * _part(room[s, w], by_place[s, w])
    by_place[...] = 0.0
    for k in range(pool.shape[0]):
        for w in range(worlds):
            by_place[place[k], w] += home[k, w]
    for s in range(room.shape[0]):
        for w in range(worlds):
            room[s, w] = max(room[s, w] - by_place[s, w], 0.0)
    return home


@compiled
def ask_abroad(
    links: OreLinks, tonnes: np.ndarray, home: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is left of each pool (o, w), what new separators abroad get (k, w), its sum by pool."""
    pool, place, at_home, _, _ = links
    count, worlds = tonnes.shape
    left = np.zeros((count, worlds))
    by_pool = np.zeros((count, worlds))
    by_place = np.zeros(room.shape)
    asked = np.zeros(home.shape)
    for k in range(pool.shape[0]):
        for w in range(worlds):
            by_pool[pool[k], w] += home[k, w]
    for o in range(count):
        for w in range(worlds):
            left[o, w] = max(tonnes[o, w] - by_pool[o, w], 0.0)
            by_pool[o, w] = 0.0
    for k in range(pool.shape[0]):
        if not at_home[k]:
            for w in range(worlds):
                if room[place[k], w] > 0.0:
                    by_place[place[k], w] += left[pool[k], w]
    for k in range(pool.shape[0]):
        if not at_home[k]:
            s, o = place[k], pool[k]
            for w in range(worlds):
                if room[s, w] > 0.0:
                    asked[k, w] = left[o, w] * _part(room[s, w], by_place[s, w])
                by_pool[o, w] += asked[k, w]
    given = np.zeros((count, worlds))
    for k in range(pool.shape[0]):
        o = pool[k]
        for w in range(worlds):
            asked[k, w] *= _part(MOST_ASKED * left[o, w], by_pool[o, w])
            given[o, w] += asked[k, w]
    return left, asked, given


@compiled
def share_the_rest(
    links: OreLinks,
    tonnes: np.ndarray,
    left: np.ndarray,
    more: np.ndarray,
    home: np.ndarray,
    asked: np.ndarray,
    given: np.ndarray,
    share: np.ndarray,
) -> np.ndarray:
    """The rest goes by habit: ``share`` (k, w) is written; weights of habit by pool (o, w)."""
    pool, place, at_home, base_t, default = links
    worlds = tonnes.shape[1]
    weights = np.zeros(tonnes.shape)
    for k in range(pool.shape[0]):
        if not at_home[k]:
            for w in range(worlds):
                habit = base_t[k, 0] * min(more[place[k], w], 1.0)
                weights[pool[k], w] += habit + DEFAULT_WEIGHT * default[k, 0]
    for k in range(pool.shape[0]):
        o = pool[k]
        for w in range(worlds):
            got = home[k, w] + asked[k, w]
            if not at_home[k]:
                habit = base_t[k, 0] * min(more[place[k], w], 1.0)
                weight = habit + DEFAULT_WEIGHT * default[k, 0]
                rest = max(left[o, w] - given[o, w], 0.0)
                got += rest * weight / max(weights[o, w], 1e-12)
            share[k, w] = got / max(tonnes[o, w], 1e-12)
    return weights


@compiled
def fill_idle_home(
    links: OreLinks, places: Places, tonnes: np.ndarray, weights: np.ndarray, share: np.ndarray
) -> None:
    """What nobody abroad is used to buying goes to capacity at home that stands idle."""
    pool, place, at_home, _, _ = links
    ability = places.ability
    worlds = tonnes.shape[1]
    whole = np.zeros(tonnes.shape)
    by_place = np.zeros(ability.shape)
    taken = np.zeros(ability.shape)
    for k in range(pool.shape[0]):
        for w in range(worlds):
            whole[pool[k], w] += share[k, w]
    for k in range(pool.shape[0]):
        s, o = place[k], pool[k]
        for w in range(worlds):
            taken[s, w] -= share[k, w] * tonnes[o, w]
            if at_home[k] and weights[o, w] <= 0.0:
                by_place[s, w] += max(1.0 - whole[o, w], 0.0) * tonnes[o, w]
    for k in range(pool.shape[0]):
        s, o = place[k], pool[k]
        for w in range(worlds):
            if at_home[k] and weights[o, w] <= 0.0:
                idle = max(ability[s, w] + taken[s, w], 0.0)
                share[k, w] += max(1.0 - whole[o, w], 0.0) * _part(idle, by_place[s, w])
    for k in range(pool.shape[0]):
        for w in range(worlds):
            share[k, w] /= max(whole[pool[k], w], 1.0)


@compiled
def ship_ore(
    pools: Pools, pool: np.ndarray, share: np.ndarray, in_transit: np.ndarray, shipped: np.ndarray
) -> None:
    """Send ore on its way: stocks at the mines fall, ore under way (k, e, w) rises.

    Conserves: ore before + under way before = ore after + under way after.
    """
    ore, share_out = pools.ore, pools.share_out
    links, elements, worlds = in_transit.shape
    shipped[...] = 0.0
    for k in range(links):
        if holds(share[k]):
            o = pool[k]
            for e in range(elements):
                for w in range(worlds):
                    shipped[k, e, w] = ore[o, e, w] * share_out[w] * share[k, w]
    for k in range(links):
        if holds(share[k]):
            o = pool[k]
            for e in range(elements):
                for w in range(worlds):
                    ore[o, e, w] -= shipped[k, e, w]
                for w in range(worlds):
                    in_transit[k, e, w] += shipped[k, e, w]
