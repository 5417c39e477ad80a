"""The inner loops of the market day, compiled: what is done to every link, user and ore row.

Each function is plain Python over arrays whose last axis is the world; numba compiles it on first
use and keeps the machine code beside the file. ``function.py_func`` is the same text interpreted:
the tests compare the two bit for bit, so there is one implementation and one reference.

Rows of a group stand together: ``starts`` has one entry more than there are groups, and group ``g``
owns rows ``starts[g]:starts[g + 1]``. Sums run over rows in order, world by world, so a world has
the same bytes in any batch. Nothing here draws, decides or knows a name; the equations and their
sources stand in ``sim/equations`` and in the methods of :mod:`lodestone.engine.tick` that call these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from lodestone.equations import demand, pricing, production

#: Stands for "no such rule" where a kernel takes an optional array.
NONE = np.zeros((0, 0))
#: The same for masks.
NO_MASK = np.zeros((0, 0), dtype=np.bool_)
#: Weeks of use above what buyers like to hold at which they give up their place in every queue.
FULL_WEEKS = 2.0


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel; the machine code is kept where the installation can be written."""
    try:
        return numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    except RuntimeError:  # nowhere to keep it: compile in every process
        return numba.njit(error_model="numpy", nogil=True)(function)


#: The equations themselves, compiled for use on single numbers inside a loop.
_scarcity = compiled(pricing.scarcity)
_fear_goal = compiled(pricing.fear_goal)
_planned_use = compiled(demand.planned_use)
_made_to_order = compiled(production.made_to_order)
_input_ration = compiled(production.input_ration)


# ---- ore -------------------------------------------------------------------------------


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


@compiled
def any_in(rows: np.ndarray, values: np.ndarray) -> bool:
    """Whether any of the rows of ``values`` (l, w) holds something."""
    for i in range(rows.shape[0]):
        row = rows[i]
        for w in range(values.shape[1]):
            if values[row, w] != 0.0:
                return True
    return False


@compiled
def land_rows(
    rows: np.ndarray, tonnes: np.ndarray, in_transit: np.ndarray, landed: np.ndarray
) -> None:
    """The rows of a sailing arrive: ``tonnes`` (l, w) of these links moves to landed (l, w)."""
    for i in range(rows.shape[0]):
        row = rows[i]
        for w in range(tonnes.shape[1]):
            in_transit[row, w] -= tonnes[row, w]
            landed[row, w] += tonnes[row, w]


@compiled
def separate(
    landed: np.ndarray,
    place: np.ndarray,
    ore: np.ndarray,
    draw: np.ndarray,
    limit: np.ndarray,
    recovery: np.ndarray,
    circuit: np.ndarray,
    light: np.ndarray,
    base_taken: np.ndarray,
    kind: np.ndarray,
    lead_element: int,
    weeks: float,
    per_oxide: np.ndarray,
    lost: np.ndarray,
    made: np.ndarray,
) -> None:
    """Take landed ore in, feed what plants can take, and split it in fixed proportion.

    Parameters
    ----------
    landed : ndarray, shape (k, e, w)
        Ore that has arrived.
    place : ndarray of int, shape (k,)
        Separator region of each ore link.
    ore : ndarray, shape (s, e, w)
        Ore at the separators, t contained oxide; changed in place.
    draw : ndarray, shape (w,)
        Share of the ore on hand that is drawn in this tick when nothing limits.
    limit : ndarray, shape (s, w)
        Most that can be fed in this tick, t contained oxide.
    recovery : ndarray, shape (s, e, 1) or (s, 1, 1)
    circuit : ndarray, shape (s, e, w)
        Heavy circuits, t oxide a week.
    light : ndarray, shape (s, e, w)
        Share of each light element that is taken out.
    base_taken : ndarray, shape (s, e)
        Share of each element taken out in the base year.
    kind : ndarray of int, shape (e,)
        0 light, 1 has a circuit of its own, 2 follows the lead element.
    lead_element : int
        The element that other heavies come out with.
    per_oxide : ndarray, shape (e, 1)
    lost : ndarray, shape (e, w)
        Raised by what is not taken out, t element.
    made : ndarray, shape (s, e, w)
        Oxides made, t; written.
    """
    links, elements, worlds = landed.shape
    for k in range(links):
        s = place[k]
        for e in range(elements):
            for w in range(worlds):
                ore[s, e, w] += landed[k, e, w]
    share = np.empty(worlds)
    lead = np.empty(worlds)
    for s in range(ore.shape[0]):
        for w in range(worlds):
            share[w] = 0.0
        for e in range(elements):
            for w in range(worlds):
                share[w] += ore[s, e, w]
        for w in range(worlds):
            share[w] = min(share[w] * draw[w], limit[s, w]) / max(share[w], 1e-12)
        yielded = recovery[s, 0, 0]
        for w in range(worlds):
            rate = max(ore[s, lead_element, w] * share[w] / weeks * yielded, 1e-12)
            lead[w] = min(circuit[s, lead_element, w] / rate, 1.0)
        for e in range(elements):
            before, base = base_taken[s, lead_element], base_taken[s, e]
            for w in range(worlds):
                fed = ore[s, e, w] * share[w]
                if kind[e] == 1:
                    rate = max(fed / weeks * yielded, 1e-12)
                    taken = min(circuit[s, e, w] / rate, 1.0)
                elif kind[e] == 2:
                    taken = base * min(lead[w] / max(before, 1e-12), 1.0) + (1.0 - base) * max(
                        lead[w] - before, 0.0
                    ) / max(1.0 - before, 1e-12)
                else:
                    taken = light[s, e, w]
                out = fed * yielded * min(taken, 1.0)
                ore[s, e, w] -= fed
                lost[e, w] += (fed - out) * per_oxide[e, 0]
                made[s, e, w] = out


@compiled
def put_on_shelf(
    made: np.ndarray,
    cell: np.ndarray,
    per_oxide: np.ndarray,
    output: np.ndarray,
    seller_stock: np.ndarray,
    lost: np.ndarray,
) -> None:
    """Give oxides made (n, e, w) to the sellers of the cells (n, e); -1 has no market: lost."""
    for n in range(made.shape[0]):
        for e in range(made.shape[1]):
            c = cell[n, e]
            for w in range(made.shape[2]):
                if c >= 0:
                    output[c, w] += made[n, e, w]
                    seller_stock[c, w] += made[n, e, w]
                else:
                    lost[e, w] += made[n, e, w] * per_oxide[e, 0]


@compiled
def work_scrap(
    scrap: np.ndarray,
    share: np.ndarray,
    recovery: float,
    back: np.ndarray,
    per_oxide: np.ndarray,
    lost: np.ndarray,
    recovered: np.ndarray,
    made: np.ndarray,
) -> None:
    """Work up magnet-making scrap and goods at the end of their life.

    Parameters
    ----------
    scrap : ndarray, shape (r, e, w)
        t element; lowered by the share (w,) that is worked up in this tick.
    recovery : float
    back : ndarray, shape (r, e, w)
        Oxide from goods in use, t.
    lost, recovered : ndarray, shape (e, w)
        ``lost`` is raised by what is not recovered, ``recovered`` written: ``back`` in element.
    made : ndarray, shape (r, e, w)
        Oxide made, t; written.
    """
    recovered[...] = 0.0
    for r in range(scrap.shape[0]):
        for e in range(scrap.shape[1]):
            for w in range(scrap.shape[2]):
                worked = scrap[r, e, w] * share[w]
                scrap[r, e, w] -= worked
                made[r, e, w] = worked * recovery / per_oxide[e, 0] + back[r, e, w]
                lost[e, w] += worked * (1.0 - recovery)
                recovered[e, w] += back[r, e, w] * per_oxide[e, 0]


# ---- plants ----------------------------------------------------------------------------


@compiled
def group_capacity(
    plants: np.ndarray,
    group: np.ndarray,
    capacity: np.ndarray,
    base: np.ndarray,
    use: np.ndarray,
    available: np.ndarray,
    normal_output: np.ndarray,
    unnamed: np.ndarray,
    base_output: np.ndarray,
    expansion: np.ndarray,
    can: np.ndarray,
    potential: np.ndarray,
) -> None:
    """What each group of plants can make, and what it can be expected to sell, t/week.

    Parameters
    ----------
    plants, group : ndarray of int, shape (p,)
        Facilities and the group that each belongs to.
    capacity, use : ndarray, shape (f, 1)
        Nameplate, t/week, and its use in the base year; ``base`` (f,) says who ran then.
    available, normal_output : ndarray, shape (f, w)
        Share of capacity that can run; usual output, t/week.
    unnamed, base_output : ndarray, shape (g, 1)
        Plants of the base year that are not on file (they stand still as the named ones do);
        output of the base year.
    expansion : ndarray, shape (g, w)
        Capacity called up by price, share.
    can, potential : ndarray, shape (g, w)
        Written.
    """
    groups, worlds = can.shape
    named = np.zeros(groups)
    then = np.zeros(groups)
    up = np.zeros((groups, worlds))
    ran = np.zeros((groups, worlds))
    can[...] = 0.0
    potential[...] = 0.0
    for p in range(plants.shape[0]):
        f, g = plants[p], group[p]
        if base[f]:
            named[g] += capacity[f, 0]
            then[g] += capacity[f, 0] * use[f, 0]
        for w in range(worlds):
            running = capacity[f, 0] * available[f, w]
            can[g, w] += running
            if base[f]:
                up[g, w] += running
                ran[g, w] += normal_output[f, w]
            else:
                potential[g, w] += normal_output[f, w]
    for g in range(groups):
        for w in range(worlds):
            still = up[g, w] / named[g] if named[g] > 0.0 else 1.0
            can[g, w] = (can[g, w] + unnamed[g, 0] * still) * (1.0 + expansion[g, w])
            ratio = ran[g, w] / then[g] if then[g] > 0.0 else 1.0
            potential[g, w] += base_output[g, 0] * ratio
            potential[g, w] *= 1.0 + expansion[g, w]


@compiled
def make(
    cells: np.ndarray,
    group: np.ndarray,
    seller_cover: np.ndarray,
    adjust_weeks: np.ndarray,
    can: np.ndarray,
    in_cell: np.ndarray,
    out_cell: np.ndarray,
    coefficient: np.ndarray,
    smoothing: np.ndarray,
    weeks: float,
    sellers_ship: np.ndarray,
    throughput: np.ndarray,
    seller_stock: np.ndarray,
    plant_stock: np.ndarray,
    plant_forecast: np.ndarray,
    output: np.ndarray,
    load: np.ndarray,
    made: np.ndarray,
    enough: np.ndarray,
) -> None:
    """Metals and magnets: made to order, within capacity and what the inputs on hand allow.

    Parameters
    ----------
    cells, group : ndarray of int, shape (n,)
        Cells that are made to order and the group of plants that makes each.
    seller_cover : ndarray, shape (c, w)
        Weeks of throughput that makers like to hold finished.
    adjust_weeks, smoothing : ndarray, shape (w,)
        Weeks in which a gap of finished stock is closed; gain of the forecast of inputs.
    can : ndarray, shape (g, w)
        Capacity of each group, t/week.
    in_cell, out_cell, coefficient : ndarray, shape (i,), (i,), (i, 1)
        Inputs: t of ``in_cell`` for a tonne of ``out_cell``.
    sellers_ship, throughput : ndarray, shape (c, w)
        Remembered sales, t/week.
    seller_stock, plant_stock, plant_forecast, output : ndarray, shape (c, w)
        Changed in place.
    load : ndarray, shape (g, w)
        Claimed over capacity; written.
    made, enough : ndarray, shape (c, w)
        Made, t, and the share of the plan that inputs allow; written.
    """
    worlds = can.shape[1]
    plan = np.zeros(made.shape)
    need = np.zeros(made.shape)
    load[...] = 0.0
    made[...] = 0.0
    enough[...] = 1.0
    for n in range(cells.shape[0]):
        c, g = cells[n], group[n]
        for w in range(worlds):
            target = throughput[c, w] * seller_cover[c, w]
            plan[c, w] = _made_to_order(
                sellers_ship[c, w], seller_stock[c, w], target, adjust_weeks[w]
            )
            load[g, w] += plan[c, w]
    for n in range(cells.shape[0]):
        c, g = cells[n], group[n]
        for w in range(worlds):
            plan[c, w] *= min(0.97 * can[g, w] / max(load[g, w], 1e-12), 1.0)
    for g in range(load.shape[0]):
        for w in range(worlds):
            load[g, w] /= max(can[g, w], 1e-12)
    for i in range(in_cell.shape[0]):
        a, b = in_cell[i], out_cell[i]
        for w in range(worlds):
            need[a, w] += coefficient[i, 0] * plan[b, w]
    for i in range(in_cell.shape[0]):
        a, b = in_cell[i], out_cell[i]
        for w in range(worlds):
            enough[b, w] = min(enough[b, w], _input_ration(plant_stock[a, w], need[a, w] * weeks))
    for n in range(cells.shape[0]):
        c = cells[n]
        for w in range(worlds):
            made[c, w] = plan[c, w] * enough[c, w] * weeks
            seller_stock[c, w] += made[c, w]
            output[c, w] += made[c, w]
    # What plants expect to need is their plan, not what shortages let them make.
    last = -1
    for i in range(in_cell.shape[0]):
        a, b = in_cell[i], out_cell[i]
        for w in range(worlds):
            plant_stock[a, w] -= coefficient[i, 0] * made[b, w]
        if a != last:
            last = a
            for w in range(worlds):
                plant_forecast[a, w] += (need[a, w] - plant_forecast[a, w]) * smoothing[w]
    for i in range(in_cell.shape[0]):
        a = in_cell[i]
        for w in range(worlds):
            plant_stock[a, w] = max(plant_stock[a, w], 0.0)


@compiled
def scrap_and_loss(
    made: np.ndarray,
    cell: np.ndarray,
    region: np.ndarray,
    element: np.ndarray,
    tonnes: np.ndarray,
    recycles: np.ndarray,
    scrap: np.ndarray,
    lost: np.ndarray,
) -> None:
    """Book what making metals and magnets leaves behind.

    Parameters
    ----------
    made : ndarray, shape (c, w)
    cell, region, element : ndarray of int, shape (n,)
        One row a cell and element; region -1: lost in any case (oxide on the way to metal).
    tonnes : ndarray, shape (n,)
        t element for a tonne made.
    recycles : ndarray, shape (r, 1, 1)
        1 where scrap is worked up.
    scrap, lost : ndarray, shape (r, e, w) and (e, w)
        Raised in place.
    """
    for n in range(cell.shape[0]):
        c, r, e = cell[n], region[n], element[n]
        kept = recycles[r, 0, 0] if r >= 0 else 0.0
        for w in range(made.shape[1]):
            left = tonnes[n] * made[c, w]
            if r >= 0:
                scrap[r, e, w] += left * kept
            lost[e, w] += left * (1.0 - kept)


# ---- users -----------------------------------------------------------------------------


@compiled
def hand_out(
    landed: np.ndarray,
    link_starts: np.ndarray,
    user_starts: np.ndarray,
    forecast: np.ndarray,
    user_weeks: np.ndarray,
    user_cover: np.ndarray,
    fear: np.ndarray,
    priority: np.ndarray,
    wishes: np.ndarray,
    plant_forecast: np.ndarray,
    plant_weeks: np.ndarray,
    urgent: np.ndarray,
    weeks: float,
    low_stock: float,
    users_hold: np.ndarray,
    thinnest: np.ndarray,
    user_stock: np.ndarray,
    plant_stock: np.ndarray,
    seller_stock: np.ndarray,
    to_users: np.ndarray,
    rate: np.ndarray,
) -> None:
    """Share what has landed over the users and plants of each cell, emptiest classes first.

    Wants are what brings stocks to target. Where a line is below ``low_stock`` of target, class
    ``b`` gets ``((1 - urgent) / classes + urgent gap_b^2)`` of the line's part, scaled to a sum of
    one, with ``gap_b = max(1 - stock / target, 0)``: the emptiest first, nobody nothing.

    Parameters
    ----------
    landed : ndarray, shape (l, w)
        t.
    link_starts, user_starts : ndarray of int, shape (c + 1,)
        Links into and user lines of each cell.
    forecast : ndarray, shape (u, w)
        Expected use, t/week.
    user_weeks : ndarray, shape (u, w)
        Target cover, weeks; ``user_cover`` (b, u, w) the same by class.
    fear : ndarray, shape (c, w)
        Extra cover wanted, share.
    priority : ndarray, shape (u, w) or (0, 0)
        Weight of a line's wants under the allocation rule.
    wishes : ndarray, shape (c, w) or (0, 0)
        What public stockpiles want, t.
    plant_forecast, plant_weeks, plant_stock : ndarray, shape (c, w)
    urgent : ndarray, shape (w,)
        Weight of emptiness where a line runs low.
    low_stock : float
        Share of target below which a line serves its emptiest classes first.
    users_hold, thinnest : ndarray, shape (u, w)
        Stock of each line and of its thinnest class before the arrival.
    user_stock : ndarray, shape (b, u, w)
        Raised in place, as are ``plant_stock`` and, where nobody wants it, ``seller_stock``.
    to_users : ndarray, shape (u, w)
        What lines get, t; written.
    rate : ndarray, shape (c, w)
        Arrival over wants; written (for what stockpiles get).
    """
    classes, _, worlds = user_stock.shape
    arrived = np.empty(worlds)
    total = np.empty(worlds)
    plants = np.empty(worlds)
    low = np.empty(worlds, dtype=np.bool_)
    gap = np.empty(classes)
    for c in range(link_starts.shape[0] - 1):
        for w in range(worlds):
            arrived[w] = 0.0
            total[w] = 0.0
        for i in range(link_starts[c], link_starts[c + 1]):
            for w in range(worlds):
                arrived[w] += landed[i, w]
        for u in range(user_starts[c], user_starts[c + 1]):
            for w in range(worlds):
                target = forecast[u, w] * user_weeks[u, w] * (1.0 + fear[c, w])
                want = max(forecast[u, w] * weeks + target - users_hold[u, w], 0.0)
                to_users[u, w] = want + 1e-9 * forecast[u, w]
            if priority.shape[0] > 0:
                for w in range(worlds):
                    to_users[u, w] *= priority[u, w]
            for w in range(worlds):
                total[w] += to_users[u, w]
        for w in range(worlds):
            target = plant_forecast[c, w] * plant_weeks[c, w] * (1.0 + fear[c, w])
            want = max(plant_forecast[c, w] * weeks + target - plant_stock[c, w], 0.0)
            plants[w] = want + 1e-9 * plant_forecast[c, w]
            total[w] += plants[w]
        if wishes.shape[0] > 0:
            for w in range(worlds):
                total[w] += wishes[c, w]
        # Where nobody wants a landed good any more, traders put it back on the shelf.
        for w in range(worlds):
            if total[w] <= 0.0:
                seller_stock[c, w] += arrived[w]
                rate[c, w] = 0.0
            else:
                rate[c, w] = arrived[w] / total[w]
            plant_stock[c, w] += plants[w] * rate[c, w]
        for u in range(user_starts[c], user_starts[c + 1]):
            runs_low = False
            for w in range(worlds):
                to_users[u, w] *= rate[c, w]
                target = forecast[u, w] * user_weeks[u, w] * (1.0 + fear[c, w])
                first = user_cover[0, u, w] * (forecast[u, w] / classes) * (1.0 + fear[c, w])
                low[w] = (users_hold[u, w] < low_stock * target) | (
                    thinnest[u, w] < low_stock * first
                )
                runs_low |= low[w]
            # Normally every class gets its equal part; a line that runs low serves its emptiest
            # first: the class of least cover runs dry first.
            if not runs_low:
                for b in range(classes):
                    for w in range(worlds):
                        user_stock[b, u, w] += to_users[u, w] / classes
                continue
            for w in range(worlds):
                part = to_users[u, w]
                if not low[w]:
                    for b in range(classes):
                        user_stock[b, u, w] += part / classes
                    continue
                whole = 0.0
                for b in range(classes):
                    target = user_cover[b, u, w] * (forecast[u, w] / classes) * (1.0 + fear[c, w])
                    empty = max(1.0 - user_stock[b, u, w] / max(target, 1e-12), 0.0)
                    gap[b] = (1.0 - urgent[w]) / classes + urgent[w] * (empty * empty)
                    whole += gap[b]
                for b in range(classes):
                    user_stock[b, u, w] += gap[b] / max(whole, 1e-12) * part


@compiled
def end_use(
    base: np.ndarray,
    growth: np.ndarray,
    sector: np.ndarray,
    cell: np.ndarray,
    twin: np.ndarray,
    factor: np.ndarray,
    response: np.ndarray,
    ree_free: np.ndarray,
    heavy_free: np.ndarray,
    catch_up_share: np.ndarray,
    catch_up_weeks: np.ndarray,
    smoothing: np.ndarray,
    weeks: float,
    to_users: np.ndarray,
    postponed: np.ndarray,
    user_stock: np.ndarray,
    forecast: np.ndarray,
    users_hold: np.ndarray,
    thinnest: np.ndarray,
    rate: np.ndarray,
    planned: np.ndarray,
    wanted: np.ndarray,
    used: np.ndarray,
    unmet: np.ndarray,
    gross: np.ndarray,
    stopped: np.ndarray,
    missing: np.ndarray,
    missed_of: np.ndarray,
    by_cell: np.ndarray,
    cells_hold: np.ndarray,
) -> None:
    """Users draw on their stock; a class at zero stops.

    Parameters
    ----------
    base : ndarray, shape (u, 1)
        Use of the base year, t/week.
    growth : ndarray, shape (d, w)
        Multiple by sector; ``sector`` (u,) says whose.
    cell, twin : ndarray of int, shape (u,)
        Cell of each line; the line of the same use without heavy elements, or -1.
    factor : ndarray, shape (u, w) or (0, 0)
        Demand shocks.
    response : ndarray, shape (u, w)
        Multiplier of the paid price.
    ree_free, heavy_free : ndarray, shape (u, w)
        Shares substituted.
    catch_up_share, catch_up_weeks, smoothing : ndarray, shape (w,)
        Share of unmet use made up later, in how many weeks, and the gain of the forecast.
    to_users : ndarray, shape (u, w)
        What arrived in this tick, t.
    postponed, user_stock, forecast : ndarray
        Changed in place.
    users_hold, thinnest, rate, planned, wanted, used, unmet, gross, stopped : ndarray, (u, w)
        Written: stocks after use, use wanted (t/week), then tonnes of this tick.
    missing, missed_of : ndarray, shape (u, w)
        Unmet and wanted use since the last look at substitution, t; raised.
    by_cell, cells_hold : ndarray, shape (c, w)
        Use and stock by cell; written.
    """
    classes, lines, worlds = user_stock.shape
    coming = np.zeros((lines, worlds))
    for u in range(lines):
        d = sector[u]
        for w in range(worlds):
            shock = factor[u, w] if factor.shape[0] > 0 else 1.0
            planned[u, w] = _planned_use(base[u, 0], growth[d, w], shock)
            rate[u, w] = planned[u, w] * response[u, w] * (1.0 - ree_free[u, w])
            planned[u, w] *= weeks
    for u in range(lines):
        other = twin[u]
        if other >= 0 and base[other, 0] > 0.0:
            for w in range(worlds):
                moved = rate[u, w] * heavy_free[u, w]
                rate[u, w] *= 1.0 - heavy_free[u, w]
                rate[other, w] += moved
        elif other >= 0:
            # A line that is new moves over only as its first goods arrive, and orders for more.
            for w in range(worlds):
                moved = rate[u, w] * heavy_free[u, w]
                least = user_stock[0, other, w]
                for b in range(1, classes):
                    least = min(least, user_stock[b, other, w])
                coming[other, w] = moved
                moved = min(moved, 0.5 * classes * least / weeks)
                rate[u, w] -= moved
                rate[other, w] += moved
        else:
            for w in range(worlds):
                rate[u, w] *= 1.0 - heavy_free[u, w]
    for c in range(by_cell.shape[0]):
        for w in range(worlds):
            by_cell[c, w] = 0.0
            cells_hold[c, w] = 0.0
    for u in range(lines):
        c = cell[u]
        for w in range(worlds):
            late = postponed[u, w] / catch_up_weeks[w]
            rate[u, w] += late
            unmet[u, w] = 0.0
            stopped[u, w] = 0.0
            users_hold[u, w] = 0.0
            postponed[u, w] -= late * weeks
        for b in range(classes):
            for w in range(worlds):
                each = rate[u, w] * (weeks / classes)
                left = user_stock[b, u, w] - each
                lack = max(-left, 0.0)
                user_stock[b, u, w] = max(left, 0.0)
                unmet[u, w] += lack
                stopped[u, w] += 1.0 if lack > 0.001 * each else 0.0
                users_hold[u, w] += user_stock[b, u, w]
        for w in range(worlds):
            thinnest[u, w] = user_stock[0, u, w]
            postponed[u, w] += catch_up_share[w] * unmet[u, w]
            wanted[u, w] = rate[u, w] * weeks
            used[u, w] = wanted[u, w] - unmet[u, w]
            missing[u, w] += unmet[u, w]
            missed_of[u, w] += wanted[u, w]
            short = planned[u, w] - to_users[u, w]
            gross[u, w] = short if short > 1e-9 * planned[u, w] else 0.0
            expected = max(rate[u, w], coming[u, w])
            forecast[u, w] += (expected - forecast[u, w]) * smoothing[w]
            by_cell[c, w] += used[u, w]
            cells_hold[c, w] += users_hold[u, w]


@compiled
def place_orders(
    link_starts: np.ndarray,
    user_starts: np.ndarray,
    forecast: np.ndarray,
    user_weeks: np.ndarray,
    plant_forecast: np.ndarray,
    plant_weeks: np.ndarray,
    plant_stock: np.ndarray,
    cells_hold: np.ndarray,
    fear: np.ndarray,
    in_transit: np.ndarray,
    held: np.ndarray,
    lead: np.ndarray,
    extra: np.ndarray,
    link_share: np.ndarray,
    wait_gain: np.ndarray,
    adjust: np.ndarray,
    cancel: np.ndarray,
    weeks: float,
    orders: np.ndarray,
    wait: np.ndarray,
    use: np.ndarray,
    use_growth: np.ndarray,
    users_like: np.ndarray,
    placed: np.ndarray,
) -> None:
    """Order up to expected use and target cover; cancel what is too much.

    Parameters
    ----------
    link_starts, user_starts : ndarray of int, shape (c + 1,)
    forecast, user_weeks : ndarray, shape (u, w)
    plant_forecast, plant_weeks, plant_stock, cells_hold, fear, lead : ndarray, shape (c, w)
        Expected need and cover of plants; stocks of plants and users; extra cover wanted; weeks
        under way.
    in_transit : ndarray, shape (l, w)
        ``held`` (l, w) or (0, 0): goods held by customs count as under way.
    extra : ndarray, shape (c, w) or (0, 0)
        What public stockpiles order on top, t.
    link_share : ndarray, shape (l, w)
        Share of each link in its destination's orders.
    wait_gain, adjust, cancel : ndarray, shape (w,)
        Gains of what buyers learn about waiting and of stock adjustment; share of an excess that
        is cancelled; of the open orders, too, once shelves are full.
    orders, wait : ndarray
        Unfilled orders (l, w) and expected wait (c, w); changed in place.
    use, use_growth, users_like : ndarray, shape (c, w)
        ``use`` holds last tick's rate and gets this one's; its growth and the users' target
        stock are written.
    placed : ndarray, shape (l, w)
        New orders, t; written.
    """
    worlds = orders.shape[1]
    rate = np.empty(worlds)
    under_way = np.empty(worlds)
    book = np.empty(worlds)
    order = np.empty(worlds)
    keep = np.empty(worlds)
    for c in range(link_starts.shape[0] - 1):
        first, last = link_starts[c], link_starts[c + 1]
        for w in range(worlds):
            rate[w] = 0.0
            users_like[c, w] = 0.0
            under_way[w] = 0.0
            book[w] = 0.0
        for u in range(user_starts[c], user_starts[c + 1]):
            for w in range(worlds):
                rate[w] += forecast[u, w]
                users_like[c, w] += forecast[u, w] * user_weeks[u, w]
        for i in range(first, last):
            for w in range(worlds):
                under_way[w] += in_transit[i, w]
                book[w] += orders[i, w]
        if held.shape[0] > 0:
            for i in range(first, last):
                for w in range(worlds):
                    under_way[w] += held[i, w]
        cancelled = False
        for w in range(worlds):
            rate[w] += plant_forecast[c, w]
            likes = users_like[c, w] + plant_forecast[c, w] * plant_weeks[c, w]
            target = likes * (1.0 + fear[c, w])
            # Buyers learn how long orders wait (for licences, quota, stock) and order ahead.
            waiting = min(book[w] / max(rate[w], 1e-9), 26.0)
            wait[c, w] += (waiting - wait[c, w]) * wait_gain[w]
            on_hand = cells_hold[c, w] + plant_stock[c, w]
            gap = target + rate[w] * (lead[c, w] + wait[c, w]) - on_hand - under_way[w] - book[w]
            order[w] = rate[w] * weeks + gap * adjust[w]
            use_growth[c, w] = min(max(rate[w] / max(use[c, w], 1e-12), 0.98), 1.02)
            use[c, w] = rate[w]
            # Whoever has full shelves needs no place in a queue.
            full = on_hand + under_way[w] - target - rate[w] * lead[c, w]
            if full > 0.0:
                sure = min(full / max(FULL_WEEKS * rate[w], 1e-12), 1.0)
                idle = sure * max(book[w] - rate[w] * weeks, 0.0)
            else:
                idle = 0.0
            excess = min(max(-order[w], idle) * cancel[w], book[w])
            keep[w] = 1.0 - excess / max(book[w], 1e-12)
            cancelled |= excess > 0.0
            order[w] = max(order[w], 0.0)
        if extra.shape[0] > 0:
            for w in range(worlds):
                order[w] += extra[c, w]
        if cancelled:
            for i in range(first, last):
                for w in range(worlds):
                    orders[i, w] *= keep[w]
        for i in range(first, last):
            for w in range(worlds):
                placed[i, w] = order[w] * link_share[i, w]
                orders[i, w] += placed[i, w]


# ---- shipping --------------------------------------------------------------------------


@compiled
def ration(
    wanted: np.ndarray,
    weight: np.ndarray,
    available: np.ndarray,
    origin_links: np.ndarray,
    origin_starts: np.ndarray,
    shipped: np.ndarray,
    sold: np.ndarray,
) -> None:
    """Share out the stock of each seller: weighted, in two rounds, never above order or stock.

    Parameters
    ----------
    wanted, weight : ndarray, shape (l, w)
        What may leave, t; weight of each claim.
    available : ndarray, shape (c, w)
        Stock of each seller, t.
    origin_links : ndarray of int, shape (l,)
        Links sorted by their seller; seller ``c`` owns ``origin_starts[c]:origin_starts[c + 1]``.
    shipped : ndarray, shape (l, w)
        Written. Conserves: its sum over a seller is ``sold`` (c, w), never above ``available``.
    """
    worlds = wanted.shape[1]
    claims = np.empty(worlds)
    share = np.empty(worlds)
    taken = np.empty(worlds)
    rest = np.empty(worlds)
    fill = np.empty(worlds)
    for c in range(origin_starts.shape[0] - 1):
        first, last = origin_starts[c], origin_starts[c + 1]
        for w in range(worlds):
            claims[w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                claims[w] += wanted[row, w]
                shipped[row, w] = wanted[row, w]
        short = False
        for w in range(worlds):
            sold[c, w] = claims[w]
            short |= claims[w] > available[c, w]
        if not short:
            continue
        for w in range(worlds):
            share[w] = 0.0
            taken[w] = 0.0
            rest[w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                share[w] += wanted[row, w] * weight[row, w]
        for w in range(worlds):
            share[w] = available[c, w] / max(share[w], 1e-12)
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                part = min(wanted[row, w], wanted[row, w] * weight[row, w] * share[w])
                taken[w] += part
                rest[w] += wanted[row, w] - part
        for w in range(worlds):
            left = max(available[c, w] - taken[w], 0.0)
            fill[w] = min(left / max(rest[w], 1e-12), 1.0)
            taken[w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                part = min(wanted[row, w], wanted[row, w] * weight[row, w] * share[w])
                part += (wanted[row, w] - part) * fill[w]
                if claims[w] > available[c, w]:
                    shipped[row, w] = part
                taken[w] += shipped[row, w]
        # Rounding may ask for a hair more than there is; scale back, never create tonnes.
        for w in range(worlds):
            fill[w] = min(available[c, w] / max(taken[w], 1e-12), 1.0)
            if not claims[w] > available[c, w]:
                fill[w] = 1.0
            sold[c, w] = 0.0
        for i in range(first, last):
            row = origin_links[i]
            for w in range(worlds):
                shipped[row, w] *= fill[w]
                sold[c, w] += shipped[row, w]


@compiled
def take(
    shipped: np.ndarray,
    sold: np.ndarray,
    output: np.ndarray,
    made_to_order: np.ndarray,
    orders_gain: np.ndarray,
    normal_gain: float,
    weeks: float,
    orders: np.ndarray,
    seller_stock: np.ndarray,
    sellers_ship: np.ndarray,
    throughput: np.ndarray,
) -> None:
    """Take what is sold out of stocks and order books, and remember the flow of each seller.

    Parameters
    ----------
    shipped : ndarray, shape (l, w)
    sold, output : ndarray, shape (c, w)
        Sales and output of this tick, t.
    made_to_order : ndarray of bool, shape (c,)
        These remember sales; the others, that push, their output.
    orders_gain : ndarray, shape (w,)
        Gain of the memory that plans follow; ``normal_gain`` of normal throughput.
    orders, seller_stock, sellers_ship, throughput : ndarray
        Changed in place.
    """
    worlds = sold.shape[1]
    for i in range(shipped.shape[0]):
        for w in range(worlds):
            orders[i, w] = max(orders[i, w] - shipped[i, w], 0.0)
    for c in range(sold.shape[0]):
        for w in range(worlds):
            seller_stock[c, w] = max(seller_stock[c, w] - sold[c, w], 0.0)
            flow = sold[c, w] if made_to_order[c] else output[c, w]
            sellers_ship[c, w] += (flow / weeks - sellers_ship[c, w]) * orders_gain[w]
            throughput[c, w] += (sold[c, w] / weeks - throughput[c, w]) * normal_gain


@compiled
def dispatch(
    leaving: np.ndarray,
    home: np.ndarray,
    to: np.ndarray,
    by_air: np.ndarray,
    in_transit: np.ndarray,
    landed: np.ndarray,
    abroad: np.ndarray,
    flying: np.ndarray,
) -> bool:
    """Home deliveries land at once; the rest goes on its way, magnets partly by air.

    Parameters
    ----------
    leaving : ndarray, shape (l, w)
        What crosses the border or stays at home, t.
    home, to : ndarray, shape (l,)
        Domestic links; destination cell.
    by_air : ndarray, shape (c, w)
        Share of magnets that users of a cell have flown in; zero for other goods.
    in_transit, landed : ndarray, shape (l, w)
        Raised in place.
    abroad, flying : ndarray, shape (l, w)
        By sea and by air, t; written.

    Returns
    -------
    bool
        Whether anything flies.
    """
    flies = False
    worlds = leaving.shape[1]
    for i in range(leaving.shape[0]):
        if home[i]:
            for w in range(worlds):
                landed[i, w] += leaving[i, w]
                abroad[i, w] = 0.0
                flying[i, w] = 0.0
            continue
        c = to[i]
        for w in range(worlds):
            in_transit[i, w] += leaving[i, w]
            flying[i, w] = leaving[i, w] * by_air[c, w]
            abroad[i, w] = leaving[i, w] - flying[i, w]
            flies |= flying[i, w] > 0.0
    return flies


# ---- prices and perceived risk -----------------------------------------------------------


@compiled
def ask_prices(
    home: np.ndarray,
    delivered: np.ndarray,
    openness: np.ndarray,
    perceived: np.ndarray,
    users_like: np.ndarray,
    plant_forecast: np.ndarray,
    plant_weeks: np.ndarray,
    use: np.ndarray,
    lead: np.ndarray,
    cells_hold: np.ndarray,
    plant_stock: np.ndarray,
    under_way: np.ndarray,
    closure_weeks: np.ndarray,
    plateau: np.ndarray,
    ask_gain: np.ndarray,
    contract_gain: np.ndarray,
    trend_gain: np.ndarray,
    announced: np.ndarray,
    threshold: np.ndarray,
    per_trend: np.ndarray,
    per_closed: np.ndarray,
    per_announced: np.ndarray,
    ceiling: np.ndarray,
    up: np.ndarray,
    down: np.ndarray,
    log_base: np.ndarray,
    log_ask: np.ndarray,
    log_contract: np.ndarray,
    log_trend: np.ndarray,
    fear: np.ndarray,
) -> None:
    """Ask, contract and the fear that follows, by cell.

    Parameters
    ----------
    home : ndarray of bool, shape (c,)
        Cells inside the exporter: there the ask is the home price.
    delivered : ndarray, shape (c, w)
        Log of delivered cost, USD/kg.
    openness : ndarray, shape (c, w)
        Share of normal supply that passes; ``perceived`` (c, w): closure that sellers price in.
    users_like, plant_forecast, plant_weeks, use, lead, cells_hold, plant_stock, under_way : (c, w)
        What buyers like to hold, need and have (t, t/week, weeks).
    closure_weeks, plateau, ask_gain, contract_gain, trend_gain : ndarray, shape (w,)
        Weeks of closure that the market expects, ceiling of the mark-up, gains of this step.
    announced : ndarray, shape (c, w) or (0, 0)
        A control that is to come.
    threshold, per_closed, per_announced, ceiling, up, down : ndarray, shape (w,)
    per_trend : ndarray, shape (c, w)
        Numbers of ``pricing.fear_goal``, and the gains of fear upward and downward.
    log_base, log_ask, log_contract, log_trend, fear : ndarray, shape (c, w)
        Changed in place.
    """
    cells, worlds = fear.shape
    for c in range(cells):
        for w in range(worlds):
            open_share = openness[c, w]
            log_base[c, w] += (delivered[c, w] - log_base[c, w]) * ask_gain[w] * open_share
            if home[c]:
                log_ask[c, w] = log_base[c, w]
            else:
                goal = log_base[c, w]
                if perceived[c, w] > 0.0:
                    likes = users_like[c, w] + plant_forecast[c, w] * plant_weeks[c, w]
                    goal += _scarcity(
                        1.0 - perceived[c, w],
                        likes * (1.0 + fear[c, w]) + use[c, w] * lead[c, w],
                        cells_hold[c, w] + plant_stock[c, w] + under_way[c, w],
                        use[c, w] * closure_weeks[w],
                        plateau[w],
                        0.5,
                    )
                log_ask[c, w] += (goal - log_ask[c, w]) * ask_gain[w]
            log_contract[c, w] += (log_base[c, w] - log_contract[c, w]) * contract_gain[w]
            log_trend[c, w] += (log_ask[c, w] - log_trend[c, w]) * trend_gain[w]
            told = announced[c, w] if announced.shape[0] > 0 else 0.0
            rise = log_ask[c, w] - log_trend[c, w] - threshold[w]
            goal = 0.0
            closed = 1.0 - open_share
            if rise > 0.0 or closed != 0.0 or told != 0.0:
                goal = _fear_goal(
                    rise,
                    closed,
                    told,
                    per_trend[c, w],
                    per_closed[w],
                    per_announced[w],
                    ceiling[w],
                )
            speed = up[w] if goal > fear[c, w] else down[w]
            fear[c, w] += (goal - fear[c, w]) * speed


@compiled
def deliveries(
    shipped: np.ndarray,
    orders: np.ndarray,
    gain: float,
    all_filled: bool,
    fill: np.ndarray,
) -> bool:
    """Remember what share of orders each link delivers (l, w); return whether all deliver."""
    worlds = shipped.shape[1]
    late = False
    for i in range(shipped.shape[0]):
        for w in range(worlds):
            late |= orders[i, w] > 0.05 * shipped[i, w]
    if all_filled and not late:
        return True
    every = True
    for i in range(shipped.shape[0]):
        for w in range(worlds):
            delivered = 1.0
            if orders[i, w] > 0.05 * shipped[i, w]:
                delivered = shipped[i, w] / max(shipped[i, w] + orders[i, w], 1e-12)
            new = fill[i, w] + (delivered - fill[i, w]) * gain
            fill[i, w] = 1.0 if new > 1.0 - 1e-6 else new
            every &= fill[i, w] == 1.0
    return every


@compiled
def stocks(
    starts: np.ndarray,
    material: np.ndarray,
    content: np.ndarray,
    seller_stock: np.ndarray,
    plant_stock: np.ndarray,
    public_stock: np.ndarray,
    cells_hold: np.ndarray,
    in_transit: np.ndarray,
    landed: np.ndarray,
    held: np.ndarray,
    goods: np.ndarray,
    out: np.ndarray,
) -> None:
    """Contained element of all goods, t: stocks by cell, then under way, into ``out`` (e, w).

    Parameters
    ----------
    starts : ndarray of int, shape (c + 1,)
        Links into each cell.
    material, content : ndarray, shape (c,) and (m, e)
        Material of a cell; t element per t material.
    seller_stock, plant_stock, public_stock, cells_hold : ndarray, shape (c, w)
    in_transit, landed, held : ndarray, shape (l, w)
    goods : ndarray, shape (m, w)
        By material, t; written.
    out : ndarray, shape (e, w)
        Written.
    """
    worlds = in_transit.shape[1]
    goods[...] = 0.0
    for c in range(starts.shape[0] - 1):
        m = material[c]
        for w in range(worlds):
            here = seller_stock[c, w] + plant_stock[c, w]
            goods[m, w] += here + public_stock[c, w] + cells_hold[c, w]
        for i in range(starts[c], starts[c + 1]):
            for w in range(worlds):
                goods[m, w] += in_transit[i, w] + landed[i, w] + held[i, w]
    contained(content, goods, out)


@compiled
def contained_by_region(
    tonnes: np.ndarray,
    material: np.ndarray,
    region: np.ndarray,
    content: np.ndarray,
    sign: float,
    out: np.ndarray,
) -> None:
    """Add the element in goods (n, w) of a material and a region each, times ``sign``, to (r, e, w)."""
    for n in range(tonnes.shape[0]):
        m, r = material[n], region[n]
        for e in range(content.shape[1]):
            share = content[m, e] * sign
            if share != 0.0:
                for w in range(tonnes.shape[1]):
                    out[r, e, w] += share * tonnes[n, w]


@compiled
def left_behind(
    made: np.ndarray,
    cell: np.ndarray,
    is_scrap: np.ndarray,
    region: np.ndarray,
    element: np.ndarray,
    tonnes: np.ndarray,
    scrap: np.ndarray,
    loss: np.ndarray,
) -> None:
    """Subtract scrap and losses of what is made (c, w) from two books (r, e, w), t element."""
    for n in range(cell.shape[0]):
        c, r, e = cell[n], region[n], element[n]
        for w in range(made.shape[1]):
            left = tonnes[n] * made[c, w]
            if is_scrap[n]:
                scrap[r, e, w] -= left
            else:
                loss[r, e, w] -= left


@compiled
def contained(content: np.ndarray, goods: np.ndarray, out: np.ndarray) -> None:
    """Element in goods by material: content (m, e) and goods (m, w) into ``out`` (e, w)."""
    worlds = goods.shape[1]
    out[...] = 0.0
    for m in range(content.shape[0]):
        for e in range(content.shape[1]):
            share = content[m, e]
            if share != 0.0:
                for w in range(worlds):
                    out[e, w] += share * goods[m, w]


__all__ = [
    "NONE",
    "NO_MASK",
    "any_in",
    "ask_prices",
    "compiled",
    "contained",
    "contained_by_region",
    "deliveries",
    "dig",
    "dispatch",
    "end_use",
    "group_capacity",
    "hand_out",
    "left_behind",
    "land_rows",
    "make",
    "ore_shares",
    "place_orders",
    "put_on_shelf",
    "ration",
    "scrap_and_loss",
    "separate",
    "ship_ore",
    "stocks",
    "take",
    "work_scrap",
]
