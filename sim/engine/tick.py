"""One market day, the physics in reading order: read this first, it is the model.

Interventions have written the rules of the day into :class:`Conditions`; here plants produce,
users use, buyers order, sellers ship, prices move and the ledger is closed. Everything is an
array with the world axis last; nothing loops over worlds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

import numpy as np

from lodestone.engine import kernels
from lodestone.equations import demand, pricing, production, trade
from lodestone.equations.lags import gain, toward
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.in_use import InUse
from lodestone.worlds.layout import WEEKS_PER_YEAR, Layout
from lodestone.worlds.ledger import Ledger
from lodestone.worlds.office import LicenceOffice
from lodestone.worlds.quota import QuotaBook
from lodestone.worlds.state import Draws, State, column_lead, plant_targets, user_targets
from lodestone.worlds.timeline import ramp

#: Dispatch of sailings: (links, tonnes, transit days of each link) -> None.
Sail = Callable[[np.ndarray, np.ndarray], None]
#: Share of its target below which a user line hands goods to its emptiest classes first.
LOW_STOCK = 0.9
#: Days between two looks at what moves in months (habit, substitution, investment).
SLOW_DAYS = 28.0
#: Share of a delivered price that no saving of its origins can take away.
LEAST_PRICE = 0.2
#: Margin below which nothing changes any more (share of value).
LEAST_MARGIN = -10.0
#: Margin of plants of the middle stages in the base year, share of value (A100).
USUAL_MARGIN = 0.1
#: Highest loop gain of fear and price before the anchor's 2.5 (control worlds; decision 9).
LOOP = 0.38
#: Weeks in which owners of ore in bond import what they have beyond their usual stock.
BOND_WEEKS = 13.0


class MarketDay:
    """The market day of a set of worlds.

    Parameters
    ----------
    layout, draws, state : Layout, Draws, State
    online : ndarray, shape (f, w)
        Day on which each plant comes on line (``inf``: never).
    market_days : float
        Length of a tick, days.
    worlds : ndarray of int, shape (w,)
    growth : callable
        Day -> demand multiple of the base year by sector, shape (d, w).
    """

    def __init__(
        self,
        layout: Layout,
        draws: Draws,
        state: State,
        online: np.ndarray,
        market_days: float,
        worlds: np.ndarray,
        growth: Callable[[float], np.ndarray],
    ) -> None:
        self.layout, self.draws, self.state = layout, draws, state
        self.online, self.days, self.weeks = online, market_days, market_days / 7.0
        self.worlds, self.growth = worlds, growth
        self.slow = max(1, round(SLOW_DAYS / market_days))
        self.office = LicenceOffice(layout, state.worlds)
        self.quotas: list[QuotaBook] = []
        self.piles: list = []
        self.in_use: InUse | None = None  # counted where something is recycled
        self.made_so_far: np.ndarray | None = None  # (c, w) t, counted where somebody learns
        self.squeezed = False
        self.flows: dict[str, np.ndarray] = {}
        self.lead = column_lead(layout, market_days)
        cover = user_targets(layout, draws)
        self.user_cover = np.array(np.broadcast_to(cover, state.user_stock.shape), order="C")
        self.user_weeks = self.user_cover.mean(axis=0)
        self.plant_weeks = self._wide(plant_targets(layout, draws), layout.n_cells)
        self.users_hold = state.user_stock.sum(axis=0)
        self.thinnest = state.user_stock[0].copy()
        self.last_wanted = state.forecast
        self.cells_hold = layout.by_cell.spread(self.users_hold, layout.n_cells)
        self.market_days_seen = 0
        # Short cuts for what is nearly always so; each is exact for every world.
        self.customs_hold, self.all_open, self.all_filled = False, True, True
        self.all_calm, self.perceived = True, np.zeros_like(state.fear)
        self.hard: np.ndarray | None = None
        self.shifted: np.ndarray | None = None
        self.nothing = np.zeros_like(state.orders)
        self.use_rate = self._base_use()
        self.use_growth = np.ones_like(self.use_rate)
        self.users_like = np.zeros_like(self.use_rate)
        self.recovering: np.ndarray | None = None
        self.under_regime: np.ndarray | None = None
        self.missing = np.zeros_like(state.forecast)
        self.missed_of = np.zeros_like(state.forecast)
        self._constants()
        self._weigh()

    def open_ledger(self) -> None:
        """Take the opening stocks, after interventions have put theirs in."""
        self.ledger = Ledger(self.layout.elements, self.worlds, self._stocks())

    def _constants(self) -> None:
        lay, d, weeks = self.layout, self.draws, self.weeks
        self.c_habit_weeks = np.where(
            lay.c_oxide[:, None],
            d["qualification.oxide_weeks"],
            np.where(
                lay.c_metal[:, None],
                d["qualification.metal_weeks"],
                d["qualification.magnet_weeks"],
            ),
        )
        self.l_slow_gain = gain(weeks * self.slow, self.c_habit_weeks)[lay.l_to]
        self.ore_out = self._wide(gain(weeks, d["cover.ore_weeks"]))
        self.scrap_out = self._wide(gain(weeks, d["recycling.swarf_weeks"]))
        self.all_regions = np.arange(len(lay.regions))
        self.seller_cover = self._wide(
            np.where(lay.c_home[:, None], d["cover.home_weeks"], d["cover.seller_weeks"]),
            lay.n_cells,
        )
        self.made_to_order_weeks = self._wide(d["production.made_to_order_weeks"])
        self.elasticity = lay.u_elasticity * (
            d["market.elasticity_short"] / d["market.elasticity_short.default"]
        )
        self.home_rows = np.flatnonzero(lay.m_priced & (lay.home_cell >= 0))
        self.home_cells = lay.home_cell[self.home_rows]
        oxide_of = [self._oxide_row(e) for e in range(len(lay.elements))]
        self.home_place = lay.separator_at.get(lay.regions[lay.home], -1)
        self.home_ore_links = np.flatnonzero(lay.k_place == self.home_place)
        self.ore_normal: np.ndarray | None = None
        row_of = {int(m): row for row, m in enumerate(self.home_rows)}
        at_home = [e for e, m in enumerate(oxide_of) if m in row_of]
        self.home_elements = np.array(at_home, dtype=int)
        self.home_oxide_rows = np.array([row_of[oxide_of[e]] for e in at_home], dtype=int)
        if self.home_place >= 0:
            taken = lay.s_taken[self.home_place] * lay.s_recovery[self.home_place]
            self.home_yield = taken  # (e, 1) t oxide a tonne of oxide in ore
        self.oxide_material = np.array(oxide_of)
        mines = lay.mines
        reference = np.exp(lay.m_home[self.oxide_material, 0])
        self.mine_value0 = (lay.mine_mix[:, :, 0] @ reference)[:, None]
        cost = lay.f_cost[mines]
        # Plants that ran in the base year, and those announced since, cover their cash cost at
        # base-year prices (assumption A-running): a dearer midpoint is cut to 90 % of value.
        self.mine_cost = np.minimum(cost, 0.9 * self.mine_value0)
        self.mine_margin0 = 1.0 - self.mine_cost / self.mine_value0
        self.f_full_use = np.maximum(lay.f_use, np.minimum(0.9, 1.0))
        base_link = np.maximum(lay.l_base, 0.0)
        need = np.maximum(lay.sum_by_destination(base_link), 1e-12)
        self.l_need_share = base_link / need[lay.l_to]
        self.home_first = self._wide(
            np.where(lay.l_home[:, None], d["allocation.home_weight"], 1.0), lay.n_links
        )
        self.leak_factor = np.where(lay.l_magnet[:, None], d["leak.magnet_factor"], np.ones((1, 1)))

        self.price_fear = np.minimum(d["fear.trend"], self._calmest_fear())
        names = (
            "urgent.share",
            "catch_up.share",
            "catch_up.weeks",
            "order.cancel_share",
            "express.share",
        )
        self.wide = {name: self._wide(d[name]) for name in names}
        self.forgetting = 1.0 - gain(weeks, d["market.closure_memory_weeks"])
        self.nowhere = np.zeros_like(self.state.fear)
        # Numbers of kernels.ask_prices, in its order.
        self.risk = [
            self._wide(x)
            for x in (
                d["market.expected_closure_weeks"],
                d["market.ask_response"],
                gain(weeks, d["market.ask_lag_weeks"]),
                gain(weeks, d["market.contract_lag_weeks"]),
                gain(weeks, d["fear.trend_window_weeks"]),
            )
        ]
        self.fears = [
            self._wide(d["fear.threshold"]),
            self._wide(self.price_fear, lay.n_cells),
            self._wide(d["fear.unfilled"]),
            self._wide(d["fear.announced"]),
            self._wide(d["market.fear_ceiling"]),
            self._wide(gain(weeks, d["fear.rise_weeks"])),
            self._wide(gain(weeks, d["fear.fall_weeks"])),
        ]
        self.forecast_gain = self._wide(gain(weeks, d["order.forecast_weeks"]))
        self.wait_gain = self._wide(gain(weeks, d["order.wait_weeks"]))
        self.adjust_gain = self._wide(gain(weeks, d["order.adjust_weeks"]))
        self.plan_gain = self._wide(gain(weeks, d["production.made_to_order_weeks"]))
        self.throughput_gain = float(gain(weeks, 13.0))
        self.fill_gain = float(gain(weeks, 8.0))

    def _wide(self, values: np.ndarray, rows: int | None = None) -> np.ndarray:
        """Values with a full world axis, shape (w,) or (rows, w), as the kernels take them."""
        shape = (self.state.worlds,) if rows is None else (rows, self.state.worlds)
        return np.array(np.broadcast_to(values, shape), dtype=float, order="C")

    def _base_use(self) -> np.ndarray:
        """Expected use of each cell, t/week, shape (c, w)."""
        lay, st = self.layout, self.state
        return lay.by_cell.spread(st.forecast, lay.n_cells) + st.plant_forecast

    def _calmest_fear(self) -> np.ndarray:
        """Highest response of fear to a price trend that dies out by itself, shape (c, w).

        Fear raises what all buyers of a good want to hold; what they add comes out of the home
        traders' stock, which raises the price by ``market.home_cover_response``. The loop is
        that response times buyers' cover over traders' cover, and the adaptive anchor makes up
        to 2.5 times of a lasting rise. Below ``LOOP`` a shock is never its own cause.
        """
        lay, d = self.layout, self.draws
        held = lay.by_cell.spread(lay.u_base * self.user_weeks, lay.n_cells)
        held = held + lay.c_plant_need * self.plant_weeks
        wanted = lay.by_material.spread(held, len(lay.materials))
        cells = np.maximum(lay.home_cell, 0)
        traders = np.where(
            (lay.home_cell >= 0)[:, None], lay.c_output[cells] * d["cover.home_weeks"], 0.0
        )
        ratio = wanted / np.maximum(traders, 1e-9)
        most = LOOP / (d["market.home_cover_response"] * np.maximum(ratio, 1e-6))
        return most[lay.c_material]

    def _oxide_row(self, e: int) -> int:
        for m, name in enumerate(self.layout.materials):
            item = self.layout.chain.materials[name]
            if item.form == "oxide" and item.element == self.layout.elements[e]:
                return m
        return -1

    # ---- the market day ----------------------------------------------------------------

    def run(self, now: float, rules: Conditions, sail: Sail, sail_ore: Sail, when: str) -> None:
        """Run one market day.

        Parameters
        ----------
        now : float
            Day of the run.
        rules : Conditions
            Rules in force over the coming market day.
        sail, sail_ore : callable
            Send goods on their way: they arrive by the calendar.
        when : str
            ISO date, for messages.

        Raises
        ------
        ModelError
            The mass balance does not close.
        """
        self.now, self.rules = now, rules
        self.flows = {"output": np.zeros_like(self.state.seller_stock)}
        self.lost = np.zeros_like(self.ledger.stock)
        self.plants()
        mined = self.mines_and_separators(sail_ore)
        recovered = self.recycle()
        self.hand_out()
        self.metals_and_magnets()
        for floor, active in self.rules.floors:
            floor.take(self, active)
        if self.made_so_far is not None:
            self.made_so_far += self.flows["output"]
        used = self.end_use()
        if self.in_use is not None:
            self.in_use.add(self.flows["used"])
        self.place_orders()
        self.ship(sail)
        self.set_prices()
        self.substitute()
        self.invest()
        self.ledger.close(self._stocks(), mined, recovered, used, self.lost, when)

    # ---- 1 capacity --------------------------------------------------------------------

    def plants(self) -> None:
        """Capacity that can run today: on line, ramped, not broken down, willing to run."""
        lay, st = self.layout, self.state
        built = ramp(self.now, self.online, lay.f_ramp_months)
        built[lay.f_base] = 1.0
        available = built
        if self.rules.facility_available is not None:
            available = built * self.rules.facility_available
        if self.rules.margin_support is not None or self.squeezed:
            available = available * self._viability()
        # Plants of the base year that were still ramping reach full output in time.
        left = lay.f_ramp_left
        progress = np.clip(self.now / np.maximum(left, 1.0), 0.0, 1.0) * (left > 0)
        progress = progress * self.draws["project.scale"]
        use = np.where(
            lay.f_base[:, None],
            lay.f_use + (self.f_full_use - lay.f_use) * progress,
            self.draws["production.normal_use"],
        )
        self.available = available
        self.normal_output = lay.f_capacity * use * available  # t/week in the plant's basis
        del st

    def _viability(self) -> np.ndarray:
        """Share of their output that plants other than mines still want to make, shape (f, w).

        One where nobody touches their margin; where a cost is laid on them they shut down as
        mines do, and come back slowly.
        """
        lay, st, d = self.layout, self.state, self.draws
        rows = np.flatnonzero(~np.isin(np.arange(len(lay.facilities)), lay.mines))
        support = self.rules.margin_support
        held = np.zeros((len(rows), st.worlds)) if support is None else support[rows]
        out = np.ones((len(lay.facilities), st.worlds))
        if not self.squeezed and not np.any(held < 0.0):
            return out
        cost = np.maximum(lay.f_cost[rows], 1e-9)
        value = cost / (1.0 - USUAL_MARGIN) + np.maximum(held, 0.0)
        margin = np.maximum(1.0 - (cost - np.minimum(held, 0.0)) / value, LEAST_MARGIN)
        goal = production.willingness(margin, np.full((1, 1), USUAL_MARGIN), 0.05)
        goal = np.where(held >= 0.0, 1.0, goal)
        slow = (st.willing[rows] < 0.5) & (goal > st.willing[rows])
        lag = d["production.adjust_weeks"] + np.where(slow, d["production.restart_weeks"], 0.0)
        willing = toward(st.willing[rows], goal, self.weeks, lag)
        st.willing[rows] = np.where((goal == 1.0) & (willing > 1.0 - 1e-6), 1.0, willing)
        self.squeezed = bool(np.any(st.willing[rows] < 1.0))
        out[rows] = st.willing[rows]
        return out

    # ---- 2 mines and separation --------------------------------------------------------

    def mines_and_separators(self, sail_ore: Sail) -> np.ndarray:
        """Ore is dug by the value of its whole basket, shipped, and split in fixed proportion.

        Returns
        -------
        ndarray, shape (e, w)
            Mined, t contained element.
        """
        lay, st, weeks = self.layout, self.state, self.weeks
        oxide = self.oxide_material
        price = np.exp(st.log_home[oxide])  # (e, w): ore is sold on home prices
        value = np.einsum("fe,ew->fw", lay.mine_mix[:, :, 0], price)
        cost, worth = self.mine_cost, value
        if self.rules.margin_support is not None:
            # Support adds to revenue; what is laid on a mine adds to its cost.
            support = self.rules.margin_support[lay.mines]
            value = value + np.maximum(support, 0.0)
            cost = cost - np.minimum(support, 0.0)
            worth = np.maximum(value + np.minimum(support, 0.0), 0.05 * value)
        ratio = np.ones((len(lay.ore_pools), st.worlds))
        ratio[lay.by_pool.ids] = (worth / self.mine_value0)[lay.by_pool.starts]
        self.flows["ore_value"] = ratio
        margin = np.maximum(1.0 - cost / np.maximum(value, 1e-9), LEAST_MARGIN)
        goal = production.willingness(margin, self.mine_margin0, 0.05)
        goal *= np.clip(
            (value / self.mine_value0) ** self.draws["production.basket_elasticity"],
            0.5,
            self.draws["production.surge"],
        )
        rows = lay.mines
        # A mine that has lost money for months is idle, and an idle mine is slow to come back.
        losing = margin < 0.0
        st.losing_weeks = np.where(losing, st.losing_weeks + weeks, 0.0)
        patience = self.draws["production.idle_months"] * 4.348
        idle = st.losing_weeks > patience
        goal = np.where(idle, 0.0, goal)
        slow = (st.willing[rows] < 0.5) & (goal > st.willing[rows])
        lag = np.where(
            slow,
            self.draws["production.restart_weeks"] + self.draws["production.adjust_weeks"],
            self.draws["production.adjust_weeks"],
        )
        st.willing[rows] = toward(st.willing[rows], goal, weeks, lag)
        self.grown = self.ore_growth()
        dug = (
            self.normal_output[rows]
            * st.willing[rows]
            * self.grown[lay.by_pool.ids][lay.by_pool.group]
            * weeks
        )
        mined = np.empty_like(self.lost)
        kernels.dig(dug, lay.mine_mix, lay.by_pool.rows, lay.per_oxide, st.ore_at_mine, mined)
        self.flows["dug"] = dug
        self._ship_ore(sail_ore)
        self._clear_bond()
        self._separate()
        return mined

    def _ship_ore(self, sail_ore: Sail) -> None:
        lay, st = self.layout, self.state
        # What separators can take, t REO a week: those of the base year as they grow and ramp,
        # and new ones as far as their ore has not piled up.
        rows = lay.separation
        self.sep_running = lay.f_capacity[rows] * self.available[rows] * lay.sep_takes_ore
        self.sep_ability = np.zeros((len(lay.separators), st.worlds))
        self.sep_ability[lay.sep_by_place.ids] = lay.sep_by_place.sum(self.sep_running)
        self.separators_grown = np.empty_like(self.sep_ability)
        share = np.empty((len(lay.ore_links), st.worlds))
        kernels.ore_shares(
            st.ore_at_mine,
            self.ore_out,
            st.ore_at_plant,
            self.sep_ability,
            lay.s_base_capacity,
            lay.s_base_feed,
            self.grown,
            self._base_ramp(),
            lay.k_pool,
            lay.k_place,
            lay.k_home,
            lay.k_base_t,
            lay.pool_base_t,
            lay.k_default,
            self.weeks,
            self.separators_grown,
            share,
        )
        for pivot in self.rules.pivots:
            tonnes = st.ore_at_mine.sum(axis=1) * self.ore_out
            share = np.ascontiguousarray(pivot.turn(share, tonnes, self))
        if self.rules.ore_passes is not None:
            share = share * self.rules.ore_passes
        shipped = np.empty_like(st.ore_in_transit)
        kernels.ship_ore(
            st.ore_at_mine, self.ore_out, share, lay.k_pool, st.ore_in_transit, shipped
        )
        self.flows["ore_shipped"] = shipped
        sail_ore(lay.k_transit, shipped)

    def _base_ramp(self) -> np.ndarray:
        """Growth of base-year separators that were still ramping, by place, shape (s, w)."""
        lay = self.layout
        rows = lay.separation
        base = lay.f_base[rows][:, None]
        if not np.any(lay.f_ramp_left[rows]):
            return np.ones((len(lay.separators), self.state.worlds))
        now = np.where(base, self.normal_output[rows], 0.0)
        then = np.where(base, lay.f_capacity[rows] * lay.f_use[rows] * self.available[rows], 0.0)
        ratio = np.ones((len(lay.separators), self.state.worlds))
        ratio[lay.sep_by_place.ids] = np.maximum(lay.sep_by_place.sum(now), 1e-12) / np.maximum(
            lay.sep_by_place.sum(then), 1e-12
        )
        return np.where(lay.s_base_capacity > 0, np.clip(ratio, 1.0, 10.0), 1.0)

    def _separate(self) -> None:
        lay, st, weeks = self.layout, self.state, self.weeks
        rows = lay.separation
        ability, running = self.sep_ability, self.sep_running
        named = np.zeros((len(lay.separators), len(lay.elements), st.worlds))
        able = np.zeros_like(named)
        able[lay.sep_by_place.ids] = lay.sep_by_place.sum(lay.sep_able * running[:, None, :])
        named[lay.sep_by_place.ids] = lay.sep_by_place.sum(
            lay.sep_name * self.available[rows][:, None, :]
        )
        growth = self.separators_grown
        # A region whose base-year output exceeds the plants on file keeps that output.
        scale = np.where(
            lay.s_base_capacity > 0, ability / np.maximum(lay.s_base_capacity, 1e-12), 1.0
        )
        limit = np.maximum(ability * 1.1, lay.s_base_feed * 1.1 * scale) * growth * weeks
        # Dy and Tb: as far as the nameplates of their circuits go, in the element's own tonnes.
        circuit = np.where(
            lay.s_named > 0,
            lay.s_circuit * named / np.maximum(lay.s_named, 1e-12),
            lay.s_circuit + named,
        )
        # Other heavies come out with dysprosium; light elements wherever ore is separated.
        light = np.where(
            lay.s_taken > 0,
            lay.s_taken,
            np.minimum(able / np.maximum(able.max(axis=1, keepdims=True), 1e-12), 1.0),
        )
        made = np.empty_like(st.ore_at_plant)
        landed, st.ore_landed = st.ore_landed, np.zeros_like(st.ore_landed)
        self.flows["ore_landed"] = landed
        kernels.separate(
            landed,
            lay.k_place,
            st.ore_at_plant,
            self.ore_out,
            limit,
            lay.s_recovery,
            circuit * growth[:, None, :],
            light,
            lay.s_taken[:, :, 0],
            lay.e_kind,
            lay.element_at.get("dy", 0),
            weeks,
            lay.per_oxide,
            self.lost,
            made,
        )
        self.flows["separated"] = made
        self._to_sellers(made, lay.separator_regions)

    def _clear_bond(self) -> None:
        """Ore in bond is imported at the usual pace, for as long as there is any.

        Its owners keep a stock and clear what arrives; when nothing arrives they go on until it is
        gone, when too much does the excess follows with ``BOND_WEEKS``.
        """
        lay, st, weeks = self.layout, self.state, self.weeks
        rows = lay.k_bonded
        if not len(rows):
            return
        held = st.ore_bonded[rows]
        total = held.sum(axis=1)
        usual = lay.k_base_t[rows] * self.grown[lay.k_pool[rows]]  # t/week
        excess = np.maximum(total - usual * (weeks + lay.k_bond[rows, 0]), 0.0)
        out = np.minimum(total, usual * weeks + excess * gain(weeks, BOND_WEEKS))
        cleared = held * (out / np.maximum(total, 1e-12))[:, None, :]
        st.ore_landed[rows] += cleared
        st.ore_bonded[rows] = held - cleared

    def _to_sellers(self, oxide: np.ndarray, regions: np.ndarray) -> None:
        """Put oxides (n, e, w) on the shelves of the sellers of their regions."""
        lay, st = self.layout, self.state
        kernels.put_on_shelf(
            oxide,
            lay.oxide_cell[regions],
            lay.per_oxide,
            self.flows["output"],
            st.seller_stock,
            self.lost,
        )

    # ---- 3 recycling -------------------------------------------------------------------

    def recycle(self) -> np.ndarray:
        """Scrap of magnet making returns in weeks; goods at the end of their life come back.

        Returns
        -------
        ndarray, shape (e, w)
            Recovered from goods in use, t contained element.
        """
        lay, st, weeks = self.layout, self.state, self.weeks
        grown = (1.0 + self.draws["recycling.eol_growth"]) ** (
            self.now / 365.25 * self.draws["demand.growth_scale"]
        )
        back = lay.end_of_life * grown * weeks * np.ones((1, 1, st.worlds))
        if len(lay.recyclers):
            new = (
                lay.recycler_yield
                * self.normal_output[lay.recyclers][:, None, :]
                / np.maximum(lay.f_capacity[lay.recyclers][:, None, :], 1e-12)
            )
            for n, i in enumerate(lay.recyclers):
                back[lay.f_region[i]] += new[n] * weeks
        if self.in_use is not None:
            retired = self.in_use.retire(weeks)
            back = np.array(np.broadcast_to(back, (*back.shape[:2], st.worlds)))
            for line, active in self.rules.recycling:
                back[line.region] += line.recover(self, retired, back, active)
        self.flows["recovered"] = back
        made, recovered = np.empty_like(st.scrap), np.empty_like(self.lost)
        kernels.work_scrap(
            st.scrap,
            self.scrap_out,
            lay.swarf_recovery,
            back,
            lay.per_oxide,
            self.lost,
            recovered,
            made,
        )
        self.flows["recycled"] = made
        self._to_sellers(made, self.all_regions)
        return recovered

    # ---- 4 arrivals --------------------------------------------------------------------

    def hand_out(self) -> None:
        """Goods landed since the last market day go to plants and users, emptiest first."""
        lay, st = self.layout, self.state
        piles = self.rules.stockpiles
        wishes = kernels.NONE
        if piles:
            wishes = np.zeros_like(st.public_stock)
            for pile in piles:
                wishes[pile.cells] += pile.wish(self)
        priority = self.rules.user_priority
        to_users = np.empty_like(st.forecast)
        rate = np.empty_like(st.plant_stock)
        landed, st.landed = st.landed, np.zeros_like(st.landed)
        self.flows["landed"] = landed
        kernels.hand_out(
            landed,
            lay.link_starts,
            lay.user_starts,
            st.forecast,
            self.user_weeks,
            self.user_cover,
            st.fear,
            kernels.NONE if priority is None else priority,
            wishes,
            st.plant_forecast,
            self.plant_weeks,
            self.wide["urgent.share"],
            self.weeks,
            LOW_STOCK,
            self.users_hold,
            self.thinnest,
            st.user_stock,
            st.plant_stock,
            st.seller_stock,
            to_users,
            rate,
        )
        bought = wishes * rate if piles else np.zeros_like(st.public_stock)
        st.public_stock += bought
        self.flows.update(to_users=to_users, bought=bought)
        self._release()

    def _release(self) -> None:
        """Public stocks go to those who may draw and lack most."""
        lay, st = self.layout, self.state
        self.flows["released_public"] = np.zeros_like(st.public_stock)
        for pile in self.rules.stockpiles:
            rows, cells = pile.rows, pile.cells
            # A hair over what was wanted last, so that a reserve does not leave crumbs unmet.
            rate = 1.02 * np.maximum(st.forecast[rows], self.last_wanted[rows])
            each = rate * (self.weeks / lay.classes)
            lack = np.maximum(each - st.user_stock[:, rows], 0.0) * pile.user_share[rows]
            lack_users = np.zeros((lay.n_cells, st.worlds))
            np.add.at(lack_users, lay.u_cell[rows], lack.sum(axis=0))
            lack_plant = np.maximum(
                st.plant_forecast[cells] * self.weeks - st.plant_stock[cells], 0.0
            )
            total = lack_users[cells] + lack_plant
            given = np.where(total > 0.0, pile.release(self, total), 0.0)
            if not np.any(given):
                continue
            rate = np.zeros((lay.n_cells, st.worlds))
            rate[cells] = given / np.where(total > 0.0, total, 1.0)
            st.public_stock[cells] -= given
            st.plant_stock[cells] += lack_plant * rate[cells]
            st.user_stock[:, rows] += lack * rate[lay.u_cell[rows]]
            self.flows["released_public"][cells] += given

    # ---- 5 metals and magnets ----------------------------------------------------------

    def metals_and_magnets(self) -> None:
        """Made to order, within capacity and what the inputs on hand allow."""
        lay, st = self.layout, self.state
        self.group_capacity = np.empty((lay.n_groups, st.worlds))
        self.group_potential = np.empty_like(self.group_capacity)
        kernels.group_capacity(
            lay.plants_order,
            lay.g_of_facility[lay.plants_order],
            lay.f_capacity,
            lay.f_base,
            lay.f_use,
            self.available,
            self.normal_output,
            lay.g_unnamed,
            lay.g_base_output,
            st.group_expansion[3],
            self.group_capacity,
            self.group_potential,
        )
        self.group_load = np.empty_like(self.group_capacity)
        made, enough = np.empty_like(st.seller_stock), np.empty_like(st.seller_stock)
        kernels.make(
            lay.made_order,
            lay.g_of_cell[lay.made_order],
            self.seller_cover,
            self.made_to_order_weeks,
            self.group_capacity,
            lay.i_input,
            lay.i_output,
            lay.i_coefficient,
            self.forecast_gain,
            self.weeks,
            st.shipped,
            st.throughput,
            st.seller_stock,
            st.plant_stock,
            st.plant_forecast,
            self.flows["output"],
            self.group_load,
            made,
            enough,
        )
        self.flows["input_short"] = enough
        # Scrap of magnet making, and the loss of oxide on the way to metal.
        kernels.scrap_and_loss(
            made,
            lay.left_cell,
            lay.left_region,
            lay.left_element,
            lay.left_tonnes,
            lay.r_recycles,
            st.scrap,
            self.lost,
        )

    # ---- 6 end use ---------------------------------------------------------------------

    def end_use(self) -> np.ndarray:
        """Users draw on their own stock; a class at zero stops.

        Returns
        -------
        ndarray, shape (e, w)
            Used, t contained element.
        """
        lay, st, d = self.layout, self.state, self.draws
        share = d["market.contract_share"]
        paid = st.log_contract * share + st.log_ask * (1.0 - share) - lay.c_log_reference
        factor = self.rules.demand_factor
        # Runs, recipes and orders are planned ahead: use answers to the price of the last months.
        st.log_felt += (paid - st.log_felt) * gain(self.weeks, d["demand.response_weeks"])
        response = demand.price_response(st.log_felt[lay.u_cell], self.elasticity)
        late = st.postponed / d["catch_up.weeks"] * self.weeks
        names = ("planned", "wanted", "used", "unmet", "gross", "stopped")
        new = {name: np.empty_like(st.forecast) for name in names}
        by_cell, rate = np.empty_like(st.fear), np.empty_like(st.forecast)
        kernels.end_use(
            lay.u_base,
            self._wide(self.growth(self.now), len(lay.sectors)),
            lay.u_sector,
            lay.u_cell,
            lay.u_twin,
            kernels.NONE if factor is None else factor,
            response,
            st.ree_free,
            self._without_heavy(),
            self.wide["catch_up.share"],
            self.wide["catch_up.weeks"],
            self.forecast_gain,
            self.weeks,
            self.flows["to_users"],
            st.postponed,
            st.user_stock,
            st.forecast,
            self.users_hold,
            self.thinnest,
            rate,
            *new.values(),
            self.missing,
            self.missed_of,
            by_cell,
            self.cells_hold,
        )
        self.last_wanted = rate
        self.flows.update(new, used_by_cell=by_cell, response=response, late=late)
        return self._contained(by_cell)

    def _without_heavy(self) -> np.ndarray:
        """Share of each line that does without heavy elements: moved by price, and by progress.

        Better grain boundaries save dysprosium and terbium year by year, whatever they cost.
        """
        st, d = self.state, self.draws
        years = self.now / 365.25 * d["demand.growth_scale"]
        kept = np.where(
            (self.layout.u_twin >= 0)[:, None],
            np.exp(-d["thrift.heavy_per_year"] * years),
            1.0,
        )
        return np.ascontiguousarray(1.0 - (1.0 - st.heavy_free) * kept)

    # ---- 7 orders ----------------------------------------------------------------------

    def place_orders(self) -> None:
        """Order up to expected use and a target cover that rises with perceived risk."""
        lay, st = self.layout, self.state
        extra = kernels.NONE
        if self.rules.stockpiles:
            extra = np.zeros_like(st.public_stock)
            for pile in self.rules.stockpiles:
                extra[pile.cells] += pile.wish(self)
        placed = np.empty_like(st.orders)
        kernels.place_orders(
            lay.link_starts,
            lay.user_starts,
            st.forecast,
            self.user_weeks,
            st.plant_forecast,
            self.plant_weeks,
            st.plant_stock,
            self.cells_hold,
            st.fear,
            st.in_transit,
            st.held if self.customs_hold else kernels.NONE,
            self.cell_lead,
            extra,
            self.link_share,
            self.wait_gain,
            self.adjust_gain,
            self.wide["order.cancel_share"],
            self.weeks,
            st.orders,
            st.wait,
            self.use_rate,
            self.use_growth,
            self.users_like,
            placed,
        )
        self.flows["use_rate"] = self.use_rate
        self.flows["ordered"] = placed
        self.market_days_seen += 1
        if self.market_days_seen % self.slow == 0:
            self._offer_again(placed)
            self._reweigh()
            self._weigh()

    def _offer_again(self, placed: np.ndarray) -> None:
        """What stays unfilled goes to the links that deliver, at the speed of qualification."""
        lay, st = self.layout, self.state
        moved = np.maximum(st.orders - 2.0 * placed, 0.0)
        if np.any(moved > 0):
            moved *= self.l_slow_gain
            free = st.link_weight * np.where(st.link_fill > 0.9, 1.0, 0.0)
            base = lay.sum_by_destination(free)
            total = np.where(base > 0, lay.sum_by_destination(moved), 0.0)
            moved = np.where((base > 0)[lay.l_to], moved, 0.0)
            st.orders += total[lay.l_to] * free / np.maximum(base, 1e-12)[lay.l_to] - moved

    def _weigh(self) -> None:
        """Share of each link in its destination's orders, and the lead that follows."""
        lay, st = self.layout, self.state
        weight = np.maximum(lay.sum_by_destination(st.link_weight), 1e-12)
        self.link_share = st.link_weight / weight[lay.l_to]
        self.cell_lead = lay.sum_by_destination(st.link_weight * self.lead) / weight

    def _reweigh(self) -> None:
        """Buyers drift to the origins that can deliver and are cheap, as fast as they qualify."""
        lay, st = self.layout, self.state
        push = st.shipped
        offer = np.where(lay.c_made_to_order[:, None], 0.0, push)
        group = lay.g_of_cell[lay.made_cells]
        potential = self.group_potential[group]
        share = self._grade_share()
        offer[lay.made_cells] = potential * share
        goal = lay.l_share * offer[lay.l_from]
        for contract in self.rules.contracts:
            goal = contract.pull(goal, offer, self)
        for dearer in (self.rules.import_tariff, self.rules.trade_cost):
            if dearer is not None:
                goal = goal * (1.0 + np.maximum(dearer, -0.9)) ** (-self.draws["market.armington"])
        if self.rules.undercut is not None:
            goal = goal * (1.0 - self.rules.undercut) ** (-self.draws["market.armington"])
        if self.rules.charge is not None:
            dear = self.rules.charge / np.exp(st.log_home)[lay.c_material]
            goal = goal * (1.0 + np.maximum(dear, -0.9))[lay.l_from] ** (
                -self.draws["market.armington"]
            )
        goal = goal * (0.05 + 0.95 * st.link_fill)
        st.link_weight += (goal - st.link_weight) * self.l_slow_gain

    def _grade_share(self) -> np.ndarray:
        """Share of a plant group's capacity that each grade would take, shape (made cells, w)."""
        lay = self.layout
        if not hasattr(self, "_grade_base"):
            cells, group = lay.made_cells, lay.g_of_cell[lay.made_cells]
            base = lay.c_output[cells, 0]
            world = np.zeros(len(lay.materials))
            np.add.at(world, lay.c_material, lay.c_output[:, 0])
            fallback = world[lay.c_material[cells]]
            total_base = np.zeros(lay.n_groups)
            np.add.at(total_base, group, base)
            total_fallback = np.zeros(lay.n_groups)
            np.add.at(total_fallback, group, fallback)
            share = np.where(
                total_base[group] > 0,
                base / np.maximum(total_base[group], 1e-12),
                fallback / np.maximum(total_fallback[group], 1e-12),
            )
            self._grade_base = share[:, None]
        return self._grade_base

    # ---- 8 shipping --------------------------------------------------------------------

    def ship(self, sail: Sail) -> None:
        """Regimes say what may leave; sellers share out what they have; goods set sail."""
        lay, st, weeks, d = self.layout, self.state, self.weeks, self.draws
        rules = self.rules
        may = st.orders
        restricted = None
        for share in (rules.passes, rules.route_open):
            if share is None:
                continue
            # A share of normal tonnes, not of the order book: a backlog does not widen the door.
            closed = share < 1.0
            may = np.where(closed, np.minimum(may, share * st.normal * weeks), may)
            restricted = _either(restricted, closed)
        self._after_regimes()
        flagged = _either(restricted, self.recovering)
        if flagged is not None:
            # Catching up is flat, not a spike: a backlog leaves at a surge over normal tonnes.
            most = d["licence.surge"] * st.normal * weeks
            may = np.where(flagged, np.minimum(may, most), may)
            still = flagged & (st.orders > 1.5 * st.normal * weeks)
            self.recovering = still if np.any(still) else None
        may, licensed = self.office.releasable(may, st, rules, weeks)
        if licensed is not None:
            restricted = _either(restricted, licensed)
        watched = restricted
        if restricted is not None:
            self.hard = _either(self.hard, restricted)
        for book in self.quotas:
            may, bound = book.releasable(may, self)
            restricted = _either(restricted, bound)
            dear = bound | book.dear()  # smugglers stay as long as a licence has a price
            watched = _either(watched, dear)
        leak = self._leak(watched)
        if leak is not None:
            may = np.minimum(may + leak, st.orders)
        weight = self.home_first
        if rules.priority is not None:
            weight = np.ascontiguousarray(weight * rules.priority)
        shipped, sold = np.empty_like(may), np.empty_like(st.seller_stock)
        kernels.ration(
            may, weight, st.seller_stock, lay.origin_links, lay.origin_starts, shipped, sold
        )
        # Normal throughput, for cover targets, is slow: a jam does not make it forget.
        kernels.take(
            shipped,
            sold,
            self.flows["output"],
            lay.c_made_to_order,
            self.plan_gain,
            self.throughput_gain,
            weeks,
            st.orders,
            st.seller_stock,
            st.shipped,
            st.throughput,
        )
        grey = self.nothing if leak is None else np.minimum(leak, shipped)
        legal = shipped if leak is None else shipped - grey
        released = legal
        if rules.licences or self.customs_hold:
            released = self.office.settle(legal, st, rules, weeks)
            self.customs_hold = bool(np.any(st.held))
        for book in self.quotas:
            book.settle(legal)
        leaving = released if leak is None else released + grey
        self.flows.update(shipped=leaving, grey=grey, declared=released)
        self._dispatch(leaving, sail)
        self.all_filled = kernels.deliveries(
            shipped, st.orders, self.fill_gain, self.all_filled, st.link_fill
        )
        self._openness(released, restricted, weeks)

    def _after_regimes(self) -> None:
        """Where licences or a quota have ended, what has piled up leaves as after any closure."""
        under = None
        for regime in (*self.rules.licences, *self.quotas):
            under = _either(under, regime.links[:, None] & (regime.active > 0.0))
        before, self.under_regime = self.under_regime, under
        if before is None:
            return
        ended = before if under is None else before & ~under
        if np.any(ended):
            self.recovering = _either(self.recovering, ended)

    def _dispatch(self, leaving: np.ndarray, sail: Sail) -> None:
        """Home deliveries at once; the rest by sea, magnets partly by air when users run dry."""
        lay, st = self.layout, self.state
        dry = np.clip(1.0 - self.cells_hold / np.maximum(self.users_like, 1e-12), 0.0, 1.0)
        by_air = np.minimum(self.wide["express.share"] * dry, 1.0)
        by_air[~lay.c_magnet] = 0.0
        abroad, flying = np.empty_like(leaving), np.empty_like(leaving)
        if kernels.dispatch(
            leaving, lay.l_home, lay.l_to, by_air, st.in_transit, st.landed, abroad, flying
        ):
            sail(lay.l_express, flying)
        sail(lay.l_transit, abroad)

    def _leak(self, restricted: np.ndarray | None) -> np.ndarray | None:
        """Grey flow: grows with the price wedge up to a ceiling, falls with detection."""
        lay, st, weeks, d = self.layout, self.state, self.weeks, self.draws
        if restricted is None:
            if not np.any(st.leak_capacity):
                return None
            restricted = np.zeros(st.orders.shape, dtype=bool)
        ask = np.exp(st.log_ask[lay.l_to])
        if self.rules.trade_cost is not None:
            # Guarantees and certificates make legal goods dearer, not smuggling more rewarding.
            ask = ask / (1.0 + self.rules.trade_cost)
        home = np.exp(st.log_home[lay.l_material])
        legal = (home + lay.l_freight) * lay.c_wedge[lay.l_to]
        wedge = np.maximum(ask / legal - 1.0, 0.0)
        goal = trade.leak_goal(wedge, d["leak.scale"], d["leak.half_wedge"]) * self.leak_factor
        if self.rules.leak_ceiling is not None:
            # A channel that a scenario names comes on top of what smugglers find by themselves.
            goal = goal + trade.leak_goal(wedge, self.rules.leak_ceiling, d["leak.half_wedge"])
        if self.rules.detection is not None:
            goal = goal * (1.0 - self.rules.detection)
        goal = np.where(restricted & (lay.l_region_from == lay.home)[:, None], goal, 0.0)
        st.leak_capacity = toward(st.leak_capacity, goal, weeks, d["leak.lag_weeks"])
        return np.minimum(st.leak_capacity * st.normal * weeks, d["leak.order_share"] * st.orders)

    def _openness(self, released: np.ndarray, restricted: np.ndarray | None, weeks: float) -> None:
        """Share of normal tonnes that pass, by link and by cell (a share of tonnes, not a rate)."""
        lay, st = self.layout, self.state
        usual = None
        if self.market_days_seen % self.slow == 0:
            usual = toward(st.normal, released / weeks, weeks * self.slow, 26.0)
        if restricted is None:
            if usual is not None:
                # What is caught up is no new habit.
                grown = st.normal * self.use_growth[lay.l_to]
                st.normal = (
                    usual if self.recovering is None else np.where(self.recovering, grown, usual)
                )
            if self.all_open:
                return
            passing = np.ones_like(released)
        else:
            # Against normal tonnes, or what buyers still want of it where that is less.
            wanted = np.minimum(st.normal * weeks, released + st.orders)
            flow = np.minimum(released / np.maximum(wanted, 1e-9), 1.0)
            passing = np.where(restricted & (st.normal > 1e-6), flow, 1.0)
            # Under control, normal tonnes grow only with what the destination plans to use.
            grown = st.normal * self.use_growth[lay.l_to]
            kept = _either(self.recovering, restricted)
            st.normal = np.where(kept, grown, st.normal if usual is None else usual)
        st.link_pass = toward(st.link_pass, passing, weeks, 1.0)
        st.link_pass = np.where(st.link_pass > 1.0 - 1e-6, 1.0, st.link_pass)
        self.all_open = bool(np.all(st.link_pass == 1.0))
        lacking = self.l_need_share * (1.0 - st.link_pass)
        st.openness = 1.0 - np.clip(lay.sum_by_destination(lacking), 0.0, 1.0)

    def _perceive(self) -> None:
        """Closure that spot sellers price in: at the margin, and remembered for a while.

        Where a licence or a ban shuts, a buyer who has half or more of a good from there pays as
        if all were shut: the spot market is the margin. After the border opens the risk is priced
        on, and fades with ``market.closure_memory_weeks``. A quota that is used up opens with the
        next period, as everybody knows: it counts as it is, and its rent prices the rest.
        """
        lay, st = self.layout, self.state
        if self.all_open and self.all_calm:
            return
        st.remembered *= self.forgetting
        if self.hard is not None:
            shut = np.where(self.hard, self.l_need_share * (1.0 - st.link_pass), 0.0)
            depends = np.maximum(lay.sum_by_destination(self.l_need_share * self.hard), 1e-9)
            now = lay.sum_by_destination(shut) * np.minimum(1.0 / depends, 2.0)
            np.maximum(st.remembered, np.minimum(now, 1.0), out=st.remembered)
        st.remembered[st.remembered < 1e-3] = 0.0
        self.perceived = np.maximum(1.0 - st.openness, st.remembered)
        self.all_calm = not np.any(self.perceived)

    # ---- 9 prices ----------------------------------------------------------------------

    def set_prices(self) -> None:
        """Home: a lagged level on an adaptive anchor. Ask: an expectation. Paid: mostly contract."""
        lay, st = self.layout, self.state
        self._home_prices()
        self._perceive()
        rent = np.zeros((lay.n_links, 1))
        for book in self.quotas:
            rent = rent + book.rent_by_link()
        links = np.maximum(lay.c_home_link, 0)
        has = (lay.c_home_link >= 0)[:, None]
        cost = np.exp(st.log_home)[lay.c_material] + lay.c_freight
        if self.quotas:
            cost = cost + np.where(has, rent[links], 0.0)
        delivered = np.log(cost * lay.c_wedge)  # (c, w)
        for levied in (self.rules.import_tariff, self.rules.export_tax, self.rules.trade_cost):
            if levied is not None:
                delivered += np.log1p(np.where(has, levied[links], 0.0))
        delivered = np.where(lay.c_home[:, None], st.log_home[lay.c_material], delivered)
        charge = self._charges()
        if charge is not None:
            price = np.exp(delivered)
            delivered = np.log(np.maximum(price + charge, LEAST_PRICE * price))
        announced = self.rules.announced
        kernels.ask_prices(
            lay.c_home,
            delivered,
            st.openness,
            self.perceived,
            self.users_like,
            st.plant_forecast,
            self.plant_weeks,
            self.use_rate,
            self.cell_lead,
            self.cells_hold,
            st.plant_stock,
            self.nowhere if self.all_calm else lay.sum_by_destination(st.in_transit),
            *self.risk,
            kernels.NONE if announced is None else announced,
            *self.fears,
            st.log_base,
            st.log_ask,
            st.log_contract,
            st.log_trend,
            st.fear,
        )

    def _charges(self) -> np.ndarray | None:
        """What buyers pay beside the price for costs and programmes at their origins, (c, w).

        USD/kg; negative where an origin has become cheaper.

        A charge on the output of a cell goes to whoever buys it, in proportion to what they buy
        there, and on into the metals and magnets they make: the sum of charges paid is the sum
        of charges laid.
        """
        lay = self.layout
        laid = self.rules.charge
        for floor, active in self.rules.floors:
            part = floor.charge(self, active, self.now)
            if part is not None:
                laid = part if laid is None else laid + part
        if laid is None or not np.any(laid):
            return None
        carried = laid
        paid = lay.sum_by_destination(self.link_share * carried[lay.l_from])
        for _ in ("metal", "magnet"):
            need = lay.i_coefficient * paid[lay.i_input]
            carried = laid.copy()
            carried[lay.by_output.ids] += lay.by_output.sum(need[lay.order_output])
            paid = lay.sum_by_destination(self.link_share * carried[lay.l_from])
        return paid

    def _hold_back(self) -> np.ndarray | float:
        """Stock that home traders like to hold, over normal, shape (h, w) or 1.

        In 2011 goods piled up at home and home prices rose all the same: traders saw prices
        abroad, and kept back what they hoped to sell there. What counts is the part of the trend
        abroad beyond the trend at home, on links that pass; with free trade it is nil.
        """
        lay, st, d = self.layout, self.state, self.draws
        if self.all_open and not self.quotas and not np.any(st.held_back):
            return 1.0
        if not hasattr(self, "_need_abroad"):
            self._need_abroad = np.where(lay.c_home[:, None], 0.0, lay.c_need)
            whole = lay.by_material.spread(self._need_abroad, len(lay.materials))
            self._whole_abroad = np.maximum(whole, 1e-12)[self.home_rows]
        trend = st.log_ask - st.log_trend
        # Where less than half passes nobody counts on selling there.
        passes = np.maximum(2.0 * st.openness - 1.0, 0.0)
        abroad = lay.by_material.spread(self._need_abroad * passes * trend, len(lay.materials))
        ahead = abroad[self.home_rows] / self._whole_abroad - trend[self.home_cells]
        none = np.zeros(1)
        goal = pricing.fear_goal(
            d["fear.home_watch"] * ahead - d["fear.threshold"],
            none,
            none,
            d["fear.trend"],
            none,
            none,
            d["market.fear_ceiling"],
        )
        held = st.held_back[self.home_rows]
        weeks = np.where(goal > held, d["fear.rise_weeks"], d["fear.fall_weeks"])
        held = held + (goal - held) * gain(self.weeks, weeks)
        st.held_back[self.home_rows] = held
        return 1.0 + held

    def _ore_to_come(self) -> np.ndarray:
        """What traders see missing (or more) under way in ore, t oxide, shape (h, w).

        Whoever prices an oxide knows what ore stands at the separators and what is coming:
        a closed border counts before the oxide is short, in part (``market.ore_watch``).
        """
        lay, st = self.layout, self.state
        if self.home_place < 0:
            return np.zeros((1, 1))
        links = self.home_ore_links
        ore = st.ore_in_transit[links] + st.ore_bonded[links] + st.ore_landed[links]
        ore = ore.sum(axis=0)
        ore = ore + st.ore_at_plant[self.home_place]
        if self.ore_normal is None:
            self.ore_normal = np.maximum(ore, 0.0)
        cells = np.maximum(lay.oxide_cell[lay.home], 0)
        grown = st.throughput[cells] / np.maximum(lay.c_output[cells], 1e-12)
        short = (ore - self.ore_normal * np.minimum(grown, 1.0)) * self.home_yield
        out = np.zeros((len(self.home_rows), st.worlds))
        out[self.home_oxide_rows] = short[self.home_elements]
        return self.draws["market.ore_watch"] * out

    def _home_prices(self) -> None:
        lay, st, weeks, d = self.layout, self.state, self.weeks, self.draws
        rows, cells = self.home_rows, self.home_cells
        stock = st.seller_stock[cells] + np.minimum(
            st.plant_stock[cells], st.plant_forecast[cells] * self.plant_weeks[cells]
        )
        stock = np.maximum(stock + self._ore_to_come(), 0.1 * stock)
        # Fear acts through what it takes out of this stock, not a second time on the target.
        traders = st.throughput[cells] * d["cover.home_weeks"]
        normal = traders + st.plant_forecast[cells] * self.plant_weeks[cells]
        gap = pricing.cover_gap(normal, stock, high=d["market.cover_signal_ceiling"])
        # What traders would hold back over normal is bid for however little there is.
        held = self._hold_back() - 1.0
        gap = gap + np.log1p(held * traders / np.maximum(normal, 1e-12))
        level = st.log_anchor[rows] + d["market.home_cover_response"] * gap
        before = st.log_home[rows]
        cut = None
        if self.rules.price_shift is not None or self.shifted is not None:
            # A price that an exporter sets lower than its market is laid on top of it, with the
            # same lag: the anchor goes on following the market's own price.
            before, cut = self._shift_prices(before, rows)
        st.log_home[rows] = before + (level - before) * gain(
            weeks, d["market.home_price_lag_weeks"]
        )
        slow = d["market.anchor_lag_weeks"]
        st.log_anchor[rows] = pricing.anchor(
            st.log_anchor[rows],
            st.log_home[rows],
            lay.m_home[rows],
            gain(weeks, slow),
            gain(weeks, 1.5 * slow),
        )
        if cut is not None:
            st.log_home[rows] += cut
        for m, inputs, rest in lay.cost_rows:
            cost = rest
            for i, share in inputs:
                cost = cost + share * np.exp(st.log_home[i] - lay.m_home[i])
            goal = lay.m_home[m] + np.log(cost)
            if self.shifted is not None:
                goal = goal + self.shifted[m]
            st.log_home[m] += (goal - st.log_home[m]) * gain(weeks, 3.0)

    def _shift_prices(
        self, held: np.ndarray, rows: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Move what exporters take off their prices: (market's own price, shift) of ``rows``."""
        lag = self.draws["market.home_price_lag_weeks"]
        old = self.shifted
        if old is None:
            old = np.zeros((len(self.layout.materials), self.state.worlds))
        goal = 0.0 if self.rules.price_shift is None else self.rules.price_shift
        new = old + (goal - old) * gain(self.weeks, lag)
        self.shifted = None if not np.any(np.abs(new) > 1e-9) else new
        return held - old[rows], None if self.shifted is None else new[rows]

    # ---- 10 slow responses -------------------------------------------------------------

    def substitute(self) -> None:
        """Thrift and substitution follow lasting price and unmet use, slowly, part for good."""
        if self.market_days_seen % self.slow:
            return
        lay, st, weeks, d = self.layout, self.state, self.weeks * self.slow, self.draws
        paid = (
            st.log_contract * d["market.contract_share"]
            + st.log_ask * (1.0 - d["market.contract_share"])
            - lay.c_log_reference
        )[lay.u_cell]
        missing = d["substitution.unmet_weight"] * self.missing / np.maximum(self.missed_of, 1e-12)
        self.missing[...] = 0.0
        self.missed_of[...] = 0.0
        lag = gain(
            weeks,
            lay.u_lag * (d["substitution.lag_weeks"] / d["substitution.lag_weeks.default"]) / 2.0,
        )
        # Away from rare earths: the price of the product. Away from heavy elements: theirs.
        # Nobody redesigns a product for a price that moves as prices do.
        usual = d["fear.threshold"]
        now = np.maximum(paid - usual, 0.0) + missing
        heavy = missing.copy()
        if lay.by_heavy is not None:
            dear = st.log_ask[lay.h_cell] - lay.c_log_reference[lay.h_cell]
            heavy[lay.by_heavy.ids] += np.maximum(lay.by_heavy.sum(dear * lay.h_share) - usual, 0.0)
        for held, ceiling, signal, heard in (
            (st.ree_free, lay.u_free_ceiling, st.signal[0:2], now),
            (st.heavy_free, lay.u_heavy_ceiling, st.signal[2:4], heavy),
        ):
            signal[0] += (heard - signal[0]) * lag
            signal[1] += (signal[0] - signal[1]) * lag
            if not (np.any(signal[1] > 1e-9) or np.any(held)):
                continue
            goal = demand.substitution_target(signal[1], ceiling, d["substitution.speed"])
            most = d["substitution.max_per_year"] * weeks / WEEKS_PER_YEAR
            up = np.minimum((goal - held) * gain(weeks, 13.0), most)
            down = (goal - held) * gain(weeks, 200.0) * (1.0 - d["substitution.permanent_share"])
            held += np.where(goal > held, up, down)
        self._designs()

    def _designs(self) -> None:
        """What new designs have moved stands, however far prices have moved users."""
        for held, moved in (
            (self.state.heavy_free, self.rules.heavy_free),
            (self.state.ree_free, self.rules.ree_free),
        ):
            if moved is not None:
                np.maximum(held, moved, out=held)

    def invest(self) -> None:
        """Capacity that follows demand and price: slow, limited, where it can be had."""
        if self.market_days_seen % self.slow:
            return
        lay, st, weeks, d = self.layout, self.state, self.weeks * self.slow, self.draws
        value = np.log(np.maximum(self.flows["ore_value"], 1e-9))
        st.expected_price = toward(st.expected_price, value, weeks, 52.0)
        fast = lay.o_fast[:, None]
        threshold = np.where(
            fast,
            0.05,
            np.log(
                np.maximum(
                    d["investment.incentive_price_ndpr_usd_per_kg"]
                    / np.exp(lay.m_home[self.oxide_material[self._lead_element()], 0]),
                    1.05,
                )
            ),
        )
        pull = np.clip((st.expected_price - threshold) / np.log(1.5), 0.0, 1.0)
        most = np.where(fast, d["investment.home_rate_per_year"], d["investment.rate_per_year"])
        lead = (
            np.where(fast, d["investment.home_lead_years"], d["investment.lead_years_mine"])
            * WEEKS_PER_YEAR
        )
        _pipeline(st.expansion, most * pull * weeks / WEEKS_PER_YEAR, gain(weeks, lead / 3.0))
        # A lasting low price slows what quotas and clays were to add, and shuts what it called up.
        slack = np.clip((-0.1 - st.expected_price) / np.log(1.5), 0.0, 1.0)
        floor = -0.8 * np.maximum(self.grown - st.expansion[3] - 1.0, 0.0)
        lower = st.expansion[3] - most * slack * weeks / WEEKS_PER_YEAR
        st.expansion[3] = np.where(slack > 0, np.maximum(lower, floor), st.expansion[3])
        # Metal and magnet plants are added where the order book outgrows them.
        load = np.clip((self.group_load - 0.9) / 0.1, 0.0, 1.0)
        lead = d["investment.lead_years_magnet"] * WEEKS_PER_YEAR
        rate = d["investment.midstream_rate_per_year"] * load * weeks / WEEKS_PER_YEAR
        _pipeline(st.group_expansion, rate, gain(weeks, lead / 3.0))

    def ore_growth(self) -> np.ndarray:
        """Growth of each ore pool over the base year, shape (o, w).

        Quotas at the centre and the clays that feed it follow world demand in part; the rest
        is what price has called up.
        """
        lay, st = self.layout, self.state
        magnets = lay.u_magnet
        base = lay.u_base[magnets]
        world = (base * self.growth(self.now)[lay.u_sector[magnets]]).sum(axis=0) / base.sum()
        follow = np.where(lay.o_follows[:, None], self.draws["investment.follow_share"], 0.0)
        return np.exp(follow * np.log(world)) + st.expansion[3]

    def _lead_element(self) -> int:
        return self.layout.element_at.get("ndpr", 0)

    # ---- by facility -------------------------------------------------------------------

    def facility_output(self, rows: np.ndarray, material: int) -> np.ndarray:
        """Output of a material by the facilities named, t in this market day, shape (w,)."""
        lay = self.layout
        total = np.zeros(self.state.worlds)
        item = lay.chain.materials[lay.materials[material]]
        for row in rows:
            f = lay.facilities[row]
            cell = lay.cell_at.get((lay.materials[material], f.region))
            if f.stage == "separation" and item.form == "oxide" and f.region in lay.separator_at:
                s, e = lay.separator_at[f.region], lay.element_at[item.element or ""]
                mates = lay.separation[lay.f_region[lay.separation] == lay.f_region[row]]
                run = self.normal_output[row] / np.maximum(
                    self.normal_output[mates].sum(axis=0), 1e-12
                )
                total += self.flows["separated"][s, e] * run
            elif f.stage == "mine" and item.form == "oxide":
                at = int(np.flatnonzero(lay.mines == row)[0])
                total += (
                    self.flows["dug"][at] * lay.mine_mix[at, lay.element_at[item.element or ""]]
                )
            elif f.stage == item.form and cell is not None:
                g = lay.g_of_facility[row]
                capacity = np.maximum(self.group_capacity[g], 1e-12)
                run = lay.f_capacity[row] * self.available[row] / capacity
                total += self.flows["output"][cell] * run
        return total

    # ---- ledger ------------------------------------------------------------------------

    def _contained(self, by_cell: np.ndarray) -> np.ndarray:
        """Contained element of tonnes by cell: (c, w) -> (e, w)."""
        lay = self.layout
        by_material = lay.by_material.spread(by_cell, len(lay.materials))
        return np.einsum("me,mw->ew", lay.content, by_material)

    def _stocks(self) -> np.ndarray:
        """All stocks recounted from the state, t contained element, shape (e, w)."""
        lay, st = self.layout, self.state
        out = np.empty((len(lay.elements), st.worlds))
        kernels.stocks(
            lay.link_starts,
            lay.c_material,
            lay.content,
            st.seller_stock,
            st.plant_stock,
            st.public_stock,
            self.cells_hold,
            st.in_transit,
            st.landed,
            st.held,
            np.empty((len(lay.materials), st.worlds)),
            out,
        )
        ore = (
            st.ore_at_mine.sum(axis=0)
            + st.ore_in_transit.sum(axis=0)
            + st.ore_bonded.sum(axis=0)
            + st.ore_landed.sum(axis=0)
            + st.ore_at_plant.sum(axis=0)
        )
        return out + ore * lay.per_oxide + st.scrap.sum(axis=0)


@overload
def _either(one: np.ndarray | None, other: np.ndarray) -> np.ndarray: ...
@overload
def _either(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None: ...
def _either(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    """Union of two masks of which each may be missing."""
    if one is None or other is None:
        return other if one is None else one
    return np.asarray(one | other)


def _pipeline(held: np.ndarray, started: np.ndarray, passed: np.ndarray) -> None:
    """Move capacity through a pipeline of three steps into service, in place.

    Parameters
    ----------
    held : ndarray, shape (4, n, w)
        Three steps under way and, last, what is in service, as shares of the base year.
    started : ndarray, shape (n, w)
        Decided in this tick.
    passed : ndarray
        Share of each step that moves on in this tick.
    """
    if not (np.any(started) or np.any(held[:3])):
        return
    moved = held[:3] * passed
    held[0] += started - moved[0]
    held[1] += moved[0] - moved[1]
    held[2] += moved[1] - moved[2]
    held[3] += moved[2]


__all__ = ["MarketDay"]
