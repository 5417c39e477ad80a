"""Numbers of behaviour as the phases of a market day take them: worked out once, then frozen.

Everything here follows from the layout and the draws. Gains are shares of a distance covered in one
market day (`equations.lags.gain`); rows are named by the index letters of the layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lodestone.chain.row import STAGE_OF
from lodestone.equations.lags import gain
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, column
from lodestone.worlds.state import Draws, column_lead, plant_targets, user_targets

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout

#: Price at which use has the elasticity of the table, USD/kg (A316).
STIFF_AT = 100.0
#: Least elasticity of any good (A302).
LEAST_ELASTICITY = 0.1
#: Highest gain of each of the two loops that hoard, buyers' fear and traders' stocks: expectations
#: multiply it by up to 2.5, and both together stay below one (control worlds; decision 9).
LOOP = 0.38
#: Weeks in which the stock that firms like to hold follows what they use or ship (A327).
TARGET_WEEKS = 52.0
#: Weeks in which buyers move unfilled orders to links that deliver (A257).
FILL_WEEKS = 8.0
#: Highest cash cost of a plant that runs, share of the value of its basket in the base year (A256).
RUNNING_COST = 0.9
#: Use of capacity that plants still ramping in the base year reach, share (A256).
FULL_USE = 0.9


#: Days under way, and the links that take them.
Routes = tuple[tuple[float, np.ndarray], ...]


@dataclass(frozen=True)
class Coefficients:
    """What stays the same through a run; ``w`` is the world, gains are shares a market day."""

    lead: np.ndarray  # (l, 1) weeks of its flow under way on each link
    user_cover: np.ndarray  # (b, u, w) weeks of use that each class likes to hold
    user_weeks: np.ndarray  # (u, w) the same, mean over classes
    plant_weeks: np.ndarray  # (c, w) weeks of use that metal and magnet makers like to hold
    seller_cover: np.ndarray  # (c, w) weeks of throughput that makers like to hold finished
    made_to_order_weeks: np.ndarray  # (w,) weeks in which a gap of finished stock is closed
    elasticity: np.ndarray  # (u, w) or (u, 1) short-run price elasticity of use, positive
    tie_gain: np.ndarray  # (c, w) of requalification in a slow step
    return_gain: float  # of going back to a supplier of the base year in a slow step
    habit_gain: np.ndarray  # (l, w) drift of habit in a slow step, at the speed of qualification
    ore_out: np.ndarray  # (w,) share of ore on hand that leaves a mine, or is drawn by a plant
    scrap_out: np.ndarray  # (w,) share of scrap that is worked up
    forecast_gain: np.ndarray  # (w,) of planned use and of plants' inputs
    wait_gain: np.ndarray  # (w,) of how long orders wait
    adjust_gain: np.ndarray  # (w,) of a gap of stock in orders
    plan_gain: np.ndarray  # (w,) of the sales that plans follow
    target_gain: float  # of what is taken for lasting when stocks are sized
    fill_gain: float  # of moving unfilled orders to links that deliver
    urgent_share: np.ndarray  # (w,) weight of emptiness where a line runs low
    catch_up_share: np.ndarray  # (w,) share of unmet use that is made up later
    catch_up_weeks: np.ndarray  # (w,) in how many weeks
    cancel_share: np.ndarray  # (w,) share of an excess of orders cancelled
    express_share: np.ndarray  # (w,) share of magnets flown in by users that run dry
    need_share: np.ndarray  # (l, 1) share of a link in its destination's base-year supply
    home_first: np.ndarray  # (l, w) weight of a claim when a seller has too little
    leak_factor: np.ndarray  # (l, w) or (l, 1) grey trade of a good over that of oxides
    grade_share: np.ndarray  # (made cells, 1) share of a plant group that a grade would take
    build_weeks: np.ndarray  # (c, w) from the decision to what new works first make there
    oxide_material: np.ndarray  # (e,) material row of each element's oxide, -1 without
    home_rows: np.ndarray  # (h,) materials with a home price
    home_cells: np.ndarray  # (h,) their cells in the home region
    home_place: int  # separators of the home region, -1 without
    home_ore_links: np.ndarray  # ore links to them
    home_elements: np.ndarray  # elements whose oxide has a home price
    home_oxide_rows: np.ndarray  # and its row in ``home_rows``
    home_yield: np.ndarray  # (e, 1) t oxide a tonne of oxide in ore, at home
    mine_value0: np.ndarray  # (mines, 1) value of the basket at base-year prices, USD/kg
    mine_cost: np.ndarray  # (mines, 1) cash cost, USD/kg
    mine_margin0: np.ndarray  # (mines, 1) margin of the base year, share of value
    full_use: np.ndarray  # (f, 1) use of capacity once base-year plants have ramped
    forgetting: np.ndarray  # (w,) share of a remembered closure that stays
    contract_gain: np.ndarray  # (w,)
    trend_gain: np.ndarray  # (w,) of the moving average of the ask
    fear_threshold: np.ndarray  # (w,) log rise of the ask that nobody minds
    fear_of_trend: np.ndarray  # (c, w) extra cover per log rise, bounded (decision 9)
    fear_of_closure: np.ndarray  # (w,)
    fear_of_notice: np.ndarray  # (w,)
    fear_ceiling: np.ndarray  # (w,) share of normal cover
    fear_up: np.ndarray  # (w,) gain
    fear_down: np.ndarray  # (w,) gain
    no_links: np.ndarray  # (l, w) zeros
    sea: Routes  # links by days under way
    air: Routes  # the same for magnets flown in
    ore_routes: Routes  # ore links by days under way


def coefficients(
    layout: Layout, draws: Draws, worlds: int, market_days: float, slow: int
) -> Coefficients:
    """Work out the coefficients of a run.

    Parameters
    ----------
    layout : Layout
    draws : dict
        Behavioural parameters, shape (1,) or (w,) each.
    worlds : int
    market_days : float
        Length of a tick, days.
    slow : int
        Ticks between two looks at what moves in months.
    """
    lay, d, weeks = layout, draws, market_days / 7.0

    def wide(values: np.ndarray | float, rows: int | None = None) -> np.ndarray:
        """Values with a full world axis, shape (w,) or (rows, w), as compiled loops take them."""
        shape = (worlds,) if rows is None else (rows, worlds)
        return np.array(np.broadcast_to(values, shape), dtype=float, order="C")

    def step(name: str) -> np.ndarray:
        return wide(gain(weeks, d[name]))

    cover = user_targets(lay, d)
    user_cover = np.array(
        np.broadcast_to(cover, (lay.classes, lay.users.n, worlds)), dtype=float, order="C"
    )
    user_weeks = user_cover.mean(axis=0)
    plant_weeks = wide(plant_targets(lay, d), lay.cells.n)
    qualified = np.where(
        lay.cells.oxide[:, None],
        d["qualification.oxide_weeks"],
        np.where(
            lay.cells.metal[:, None],
            d["qualification.metal_weeks"],
            d["qualification.magnet_weeks"],
        ),
    )
    tie_gain = wide(gain(weeks * slow, qualified), lay.cells.n)
    base_link = np.maximum(lay.links.base, 0.0)
    need = np.maximum(lay.links.sum_by_destination(base_link), 1e-12)
    calm = _calmest_fear(lay, d, user_weeks, plant_weeks)
    home_rows = np.flatnonzero(lay.prices.priced & (lay.prices.home_cell >= 0))
    home_cover = np.where(lay.cells.home[:, None], d["cover.home_weeks"], d["cover.seller_weeks"])
    home_weight = np.where(lay.links.home[:, None], d["allocation.home_weight"], 1.0)
    return Coefficients(
        lead=column_lead(lay, market_days),
        user_cover=user_cover,
        user_weeks=user_weeks,
        plant_weeks=plant_weeks,
        seller_cover=wide(home_cover, lay.cells.n),
        made_to_order_weeks=wide(d["production.made_to_order_weeks"]),
        # Sectors differ as their rows say; on average use answers as the law of price reckons.
        elasticity=lay.users.elasticity
        / np.maximum(lay.users.mean_elasticity(len(lay.materials))[lay.users.material], 1e-9)
        * own_elasticity(lay, d)[lay.users.cell],
        tie_gain=tie_gain,
        return_gain=float(gain(weeks * slow, FILL_WEEKS)),
        habit_gain=tie_gain[lay.links.destination],
        ore_out=step("cover.ore_weeks"),
        scrap_out=step("recycling.swarf_weeks"),
        forecast_gain=step("order.forecast_weeks"),
        wait_gain=step("order.wait_weeks"),
        adjust_gain=step("order.adjust_weeks"),
        plan_gain=step("production.made_to_order_weeks"),
        target_gain=float(gain(weeks, TARGET_WEEKS)),
        fill_gain=float(gain(weeks, FILL_WEEKS)),
        urgent_share=wide(d["urgent.share"]),
        catch_up_share=wide(d["catch_up.share"]),
        catch_up_weeks=wide(d["catch_up.weeks"]),
        cancel_share=wide(d["order.cancel_share"]),
        express_share=wide(d["express.share"]),
        need_share=base_link / need[lay.links.destination],
        home_first=wide(home_weight, lay.links.n),
        leak_factor=np.where(lay.links.magnet[:, None], d["leak.magnet_factor"], np.ones((1, 1))),
        grade_share=_grade_share(lay),
        build_weeks=wide(_build_weeks(lay, d), lay.cells.n),
        full_use=np.maximum(lay.plants.use, FULL_USE),
        forgetting=1.0 - gain(weeks, d["market.closure_memory_weeks"]),
        contract_gain=step("market.contract_lag_weeks"),
        trend_gain=step("fear.trend_window_weeks"),
        fear_threshold=wide(d["fear.threshold"]),
        fear_of_trend=wide(np.minimum(d["fear.trend"], calm), lay.cells.n),
        fear_of_closure=wide(d["fear.unfilled"]),
        fear_of_notice=wide(d["fear.announced"]),
        fear_ceiling=wide(d["market.fear_ceiling"]),
        fear_up=step("fear.rise_weeks"),
        fear_down=step("fear.fall_weeks"),
        no_links=np.zeros((lay.links.n, worlds)),
        sea=_routes(lay.links.transit),
        air=_routes(lay.links.express),
        ore_routes=_routes(lay.ore.transit),
        **_home(lay, home_rows),
        **_mines(lay),
    )


def _routes(transit: np.ndarray) -> Routes:
    """Links grouped by their days under way."""
    return tuple((float(t), np.flatnonzero(transit == t)) for t in np.unique(transit))


def _oxide_row(lay: Layout, e: int) -> int:
    for m, name in enumerate(lay.materials):
        item = lay.chain.materials[name]
        if item.form == "oxide" and item.element == lay.elements[e]:
            return m
    return -1


def _home(lay: Layout, home_rows: np.ndarray) -> dict:
    """Rows of what is priced at home, and where its ore comes in."""
    oxide_of = [_oxide_row(lay, e) for e in range(len(lay.elements))]
    row_of = {int(m): row for row, m in enumerate(home_rows)}
    priced = [e for e, m in enumerate(oxide_of) if m in row_of]
    place = lay.separation.at.get(lay.regions[lay.home], -1)
    made = np.zeros((len(lay.elements), 1))
    if place >= 0:
        made = lay.separation.taken[place] * lay.separation.recovery[place]
    return {
        "oxide_material": np.array(oxide_of),
        "home_rows": home_rows,
        "home_cells": lay.prices.home_cell[home_rows],
        "home_place": place,
        "home_ore_links": np.flatnonzero(lay.ore.place == place),
        "home_elements": np.array(priced, dtype=int),
        "home_oxide_rows": np.array([row_of[oxide_of[e]] for e in priced], dtype=int),
        "home_yield": made,
    }


def _mines(lay: Layout) -> dict:
    """Cost, value and margin of the mines in the base year.

    Plants that ran in the base year, and those announced since, cover their cash cost at base-year
    prices (decision 12): a dearer midpoint is cut to ``RUNNING_COST`` of value.
    """
    oxide = np.array([_oxide_row(lay, e) for e in range(len(lay.elements))])
    value = (lay.ore.mix[:, :, 0] @ np.exp(lay.prices.home[oxide, 0]))[:, None]
    cost = np.minimum(lay.plants.cost[lay.ore.mines], RUNNING_COST * value)
    return {"mine_value0": value, "mine_cost": cost, "mine_margin0": 1.0 - cost / value}


def own_elasticity(lay: Layout, d: Draws) -> np.ndarray:
    """Elasticity of use of each good to its price, (c, w) or (c, 1).

    Cheap goods are a small part of cost, and use answers less (Marshall's third rule).
    """
    price = np.exp(lay.prices.log_reference) / STIFF_AT
    usual = d["market.scarcity_elasticity"]
    return np.maximum(usual * price ** d["market.elasticity_power"], LEAST_ELASTICITY)


def answer_of_price(lay: Layout, d: Draws) -> np.ndarray:
    """Log of each price for a week of cover that is missing near the target, (c, w) or (c, 1)."""
    kink = (d["market.insisted_share"] - 1.0) / d["market.cover_softness"]
    falls = 1.0 / (1.0 + np.exp(-kink)) + d["market.storage_slope"]
    return np.asarray(falls / (d["market.horizon_weeks"] * own_elasticity(lay, d)))


def _calmest_fear(
    lay: Layout, d: Draws, user_weeks: np.ndarray, plant_weeks: np.ndarray
) -> np.ndarray:
    """Highest response of fear to a price trend that dies out by itself, shape (c, w).

    Fear raises what all buyers of a good want to hold; what they add comes out of the home
    traders' stock, which raises the price by the slope of the law at the target. The loop is that
    slope times buyers' cover over traders' cover, and expectations make up to 2.5 times of a rise. Below ``LOOP`` a shock is never its own cause.
    """
    held = lay.users.by_cell.spread(lay.users.base * user_weeks, lay.cells.n)
    held = held + lay.cells.plant_need * plant_weeks
    wanted = lay.cells.by_material.spread(held, len(lay.materials))
    cells = np.maximum(lay.prices.home_cell, 0)
    traders = np.where(
        (lay.prices.home_cell >= 0)[:, None],
        lay.cells.output[cells] * d["cover.home_weeks"],
        0.0,
    )
    ratio = wanted / np.maximum(traders, 1e-9)
    answers = answer_of_price(lay, d)[cells] * d["cover.home_weeks"]
    most = LOOP / (answers * np.maximum(ratio, 1e-6))
    return most[lay.cells.material]


def _build_weeks(lay: Layout, d: Draws) -> np.ndarray:
    """Weeks to permit and build works for each good where it is, (c, w) or (c, 1).

    Stages and regions stand to each other as in `plant_costs.csv`; how long it takes is drawn for
    magnets outside the regions that it names.
    """
    chain = lay.chain
    usual = chain.plant_cost("magnet", "").months
    part = column(
        [
            chain.plant_cost(STAGE_OF[chain.materials[material].form], region).months / usual
            for material, region in lay.cells.keys
        ]
    )
    return part * d["investment.lead_years_magnet"] * WEEKS_PER_YEAR


def _grade_share(lay: Layout) -> np.ndarray:
    """Share of a plant group's capacity that each grade would take, shape (made cells, 1)."""
    cells, group = (
        lay.groups.made_cells,
        lay.groups.of_cell[lay.groups.made_cells],
    )
    base = lay.cells.output[cells, 0]
    world = np.zeros(len(lay.materials))
    np.add.at(world, lay.cells.material, lay.cells.output[:, 0])
    fallback = world[lay.cells.material[cells]]
    total_base = np.zeros(lay.groups.n)
    np.add.at(total_base, group, base)
    total_fallback = np.zeros(lay.groups.n)
    np.add.at(total_fallback, group, fallback)
    share = np.where(
        total_base[group] > 0,
        base / np.maximum(total_base[group], 1e-12),
        fallback / np.maximum(total_fallback[group], 1e-12),
    )
    return share[:, None]


__all__ = ["Coefficients", "Routes", "coefficients"]
