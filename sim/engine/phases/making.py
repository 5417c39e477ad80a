"""5 Metals and magnets are made to order, as far as capacity and inputs go."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.equations import production
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

_made_to_order = compiled(production.made_to_order)
_input_ration = compiled(production.input_ration)


def make_to_order(m: Market, f: Flows) -> None:
    """Made to order, within capacity and what the inputs on hand allow."""
    lay, st = m.layout, m.state
    f.group_capacity = np.empty((lay.n_groups, st.worlds))
    f.group_potential = np.empty_like(f.group_capacity)
    group_capacity(
        lay.plants_order,
        lay.g_of_facility[lay.plants_order],
        lay.f_capacity,
        lay.f_base,
        lay.f_use,
        f.available,
        f.normal_output,
        lay.g_unnamed,
        lay.g_base_output,
        st.group_expansion[3],
        f.group_capacity,
        f.group_potential,
    )
    f.group_load = np.empty_like(f.group_capacity)
    made, enough = np.empty_like(st.seller_stock), np.empty_like(st.seller_stock)
    make(
        lay.made_order,
        lay.g_of_cell[lay.made_order],
        m.c.seller_cover,
        m.c.made_to_order_weeks,
        f.group_capacity,
        lay.i_input,
        lay.i_output,
        lay.i_coefficient,
        m.c.forecast_gain,
        m.weeks,
        st.shipped,
        st.throughput,
        st.seller_stock,
        st.plant_stock,
        st.plant_forecast,
        f.output,
        f.group_load,
        made,
        enough,
    )
    f.input_short = enough
    # Scrap of magnet making, and the loss of oxide on the way to metal.
    scrap_and_loss(
        made,
        lay.left_cell,
        lay.left_region,
        lay.left_element,
        lay.left_tonnes,
        lay.r_recycles,
        st.scrap,
        f.lost,
    )


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
