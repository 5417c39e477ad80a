"""5 Metals and magnets are made to order, as far as capacity and inputs go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.engine.lanes import sent_along, ways_of
from lodestone.equations import lags, production
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

_made_to_order = compiled(production.made_to_order)
_input_ration = compiled(production.input_ration)
_within_capacity = compiled(production.within_capacity)
_follow = compiled(lags.follow)


class Plants(NamedTuple):
    """Makers of metals and magnets, and what they can do."""

    rows: np.ndarray  # (p,) facilities
    group: np.ndarray  # (p,) group of plants that each belongs to
    capacity: np.ndarray  # (f, 1) nameplate, t/week
    base: np.ndarray  # (f,) bool: ran in the base year
    use: np.ndarray  # (f, 1) use of capacity in the base year
    available: np.ndarray  # (f, w) share of capacity that can run
    normal_output: np.ndarray  # (f, w) usual output, t/week


class Groups(NamedTuple):
    """Groups of plants that share a capacity."""

    unnamed: np.ndarray  # (g, 1) base-year capacity not on file: it stands still as the named does
    base_output: np.ndarray  # (g, 1) t/week
    expansion: np.ndarray  # (g, w) capacity called up, share
    capacity: np.ndarray  # (g, w) t/week; written
    potential: np.ndarray  # (g, w) what can be expected of it, t/week; written
    load: np.ndarray  # (g, w) claims over capacity; written


class Recipes(NamedTuple):
    """What is made, by whom and of what."""

    cells: np.ndarray  # (n,) cells that are made to order
    group: np.ndarray  # (n,) group of plants that makes each
    input: np.ndarray  # (i,) input cell
    output: np.ndarray  # (i,) output cell
    coefficient: np.ndarray  # (i, 1) t of input a tonne of output


class Habits(NamedTuple):
    """How makers plan."""

    seller_cover: np.ndarray  # (c, w) weeks of throughput that they like to hold finished
    adjust_weeks: np.ndarray  # (w,) in which a gap of finished stock is closed
    forecast_gain: np.ndarray  # (w,)
    weeks: float  # length of the market day


class Shelves(NamedTuple):
    """Stocks and memories of makers, by cell (c, w)."""

    sales: np.ndarray  # remembered, t/week
    throughput: np.ndarray  # remembered, t/week
    backlog: np.ndarray  # open orders that wait for output, t
    finished: np.ndarray  # t; changed
    inputs: np.ndarray  # t; changed
    input_forecast: np.ndarray  # t/week; changed
    output: np.ndarray  # t; raised
    made: np.ndarray  # t; written
    enough: np.ndarray  # share of the plan that inputs allow; written


class Residues(NamedTuple):
    """What making leaves behind: one row a cell and element."""

    cell: np.ndarray  # (n,)
    region: np.ndarray  # (n,) -1: lost in any case (oxide on the way to metal)
    element: np.ndarray  # (n,)
    tonnes: np.ndarray  # (n,) t element a tonne made
    recycles: np.ndarray  # (r, 1, 1) 1 where scrap is worked up


def make_to_order(m: Market, f: Flows) -> None:
    """Made to order, within capacity and what the inputs on hand allow."""
    lay, st = m.layout, m.state
    f.group_capacity = np.empty((lay.groups.n, st.worlds))
    f.group_potential = np.empty_like(f.group_capacity)
    f.group_load = np.empty_like(f.group_capacity)
    made, enough = np.empty_like(st.seller_stock), np.empty_like(st.seller_stock)
    plants = Plants(
        lay.groups.plants_order,
        lay.groups.of_facility[lay.groups.plants_order],
        lay.plants.capacity,
        lay.plants.base,
        lay.plants.use,
        f.available,
        f.normal_output,
    )
    groups = Groups(
        lay.groups.unnamed,
        lay.groups.base_output,
        st.group_expansion[3],
        f.group_capacity,
        f.group_potential,
        f.group_load,
    )
    recipes = Recipes(
        lay.groups.made_order,
        lay.groups.of_cell[lay.groups.made_order],
        lay.groups.input,
        lay.groups.output,
        lay.groups.coefficient,
    )
    habits = Habits(m.c.seller_cover, m.c.made_to_order_weeks, m.c.forecast_gain, m.weeks)
    shelves = Shelves(
        st.shipped,
        st.throughput,
        _backlog(m),
        st.seller_stock,
        st.plant_stock,
        st.plant_forecast,
        f.output,
        made,
        enough,
    )
    left = Residues(
        lay.scrap.left_cell,
        lay.scrap.left_region,
        lay.scrap.left_element,
        lay.scrap.left_tonnes,
        lay.scrap.recycles,
    )
    group_capacity(plants, groups)
    make(recipes, groups, habits, shelves)
    f.input_short = enough
    scrap_and_loss(made, left, st.scrap, f.lost)


def _backlog(m: Market) -> np.ndarray:
    """Open orders that wait for output, t, (c, w): no more than what customers need of the works.

    What is open while finished goods lie there waits for a rule. Buyers who cannot get a good order it
    in several places, so a book counts up to what they all need while it is worked off.
    """
    lay, st, rows = m.layout, m.state, m.layout.groups.made_cells
    book = np.empty((len(rows), st.worlds))
    sent_along(ways_of(lay.links), st.orders, rows, book)
    waits = np.maximum(book - st.seller_stock[rows], 0.0)
    out = np.zeros_like(st.seller_stock)
    out[rows] = np.minimum(waits, st.plant_asked[rows] * m.c.made_to_order_weeks)
    return out


@compiled
def group_capacity(plants: Plants, groups: Groups) -> None:
    """What each group of plants can make, and what it can be expected to sell, t/week."""
    rows, group, capacity, base, use, available, normal_output = plants
    unnamed, base_output, expansion, can, potential, _ = groups
    count, worlds = can.shape
    named = np.zeros(count)
    then = np.zeros(count)
    up = np.zeros((count, worlds))
    ran = np.zeros((count, worlds))
    can[...] = 0.0
    potential[...] = 0.0
    for p in range(rows.shape[0]):
        f, g = rows[p], group[p]
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
    for g in range(count):
        for w in range(worlds):
            still = up[g, w] / named[g] if named[g] > 0.0 else 1.0
            can[g, w] = (can[g, w] + unnamed[g, 0] * still) * (1.0 + expansion[g, w])
            ratio = ran[g, w] / then[g] if then[g] > 0.0 else 1.0
            potential[g, w] += base_output[g, 0] * ratio
            potential[g, w] *= 1.0 + expansion[g, w]


@compiled
def make(recipes: Recipes, groups: Groups, habits: Habits, shelves: Shelves) -> None:
    """Metals and magnets: made to order, within capacity and what the inputs on hand allow."""
    cells, group, in_cell, out_cell, coefficient = recipes
    _, _, _, can, _, load = groups
    seller_cover, adjust_weeks, smoothing, weeks = habits
    sales, throughput, backlog, finished, inputs, input_forecast, output, made, enough = shelves
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
                sales[c, w], finished[c, w], target, backlog[c, w], adjust_weeks[w]
            )
            load[g, w] += plan[c, w]
    for n in range(cells.shape[0]):
        c, g = cells[n], group[n]
        for w in range(worlds):
            plan[c, w] *= _within_capacity(load[g, w], can[g, w])
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
            enough[b, w] = min(enough[b, w], _input_ration(inputs[a, w], need[a, w] * weeks))
    for n in range(cells.shape[0]):
        c = cells[n]
        for w in range(worlds):
            made[c, w] = plan[c, w] * enough[c, w] * weeks
            finished[c, w] += made[c, w]
            output[c, w] += made[c, w]
    # What plants expect to need is their plan, not what shortages let them make.
    last = -1
    for i in range(in_cell.shape[0]):
        a, b = in_cell[i], out_cell[i]
        for w in range(worlds):
            inputs[a, w] -= coefficient[i, 0] * made[b, w]
        if a != last:
            last = a
            for w in range(worlds):
                input_forecast[a, w] = _follow(input_forecast[a, w], need[a, w], smoothing[w])
    for i in range(in_cell.shape[0]):
        a = in_cell[i]
        for w in range(worlds):
            inputs[a, w] = max(inputs[a, w], 0.0)


@compiled
def scrap_and_loss(made: np.ndarray, left: Residues, scrap: np.ndarray, lost: np.ndarray) -> None:
    """Book what making metals and magnets (c, w) leaves behind: scrap (r, e, w), lost (e, w)."""
    cell, region, element, tonnes, recycles = left
    for n in range(cell.shape[0]):
        c, r, e = cell[n], region[n], element[n]
        kept = recycles[r, 0, 0] if r >= 0 else 0.0
        for w in range(made.shape[1]):
            part = tonnes[n] * made[c, w]
            if r >= 0:
                scrap[r, e, w] += part * kept
            lost[e, w] += part * (1.0 - kept)
