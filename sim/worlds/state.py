"""Tonnes and prices now, in every world, and the steady state the run starts from."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lodestone.equations.demand import class_cover
from lodestone.equations.lags import gain
from lodestone.worlds.book import Book

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout

#: Parameter name -> value per world, shape (1,) or (w,).
Draws = dict[str, np.ndarray]


class Sailing(NamedTuple):
    """Goods or ore under way that land together."""

    day: float  # of landing
    rows: np.ndarray  # links that they take
    tonnes: np.ndarray  # (l, w), or (k, e x w) of ore; only ``rows`` count
    ore: bool


@dataclass
class State:
    """Everything that changes in a run; the last axis is always ``world``.

    Stocks are tonnes of the material (oxide, metal, finished magnet) or, for ore, of contained
    oxide by element. Only the engine writes here (a test says so).
    """

    ore_at_mine: np.ndarray  # (o, e, w) t contained oxide
    ore_in_transit: np.ndarray  # (k, e, w)
    ore_bonded: np.ndarray  # (k, e, w) at the border and in bond, not yet imported
    ore_landed: np.ndarray  # (k, e, w)
    ore_at_plant: np.ndarray  # (s, e, w)
    seller_stock: np.ndarray  # (c, w) finished goods of makers and traders
    plant_stock: np.ndarray  # (c, w) inputs held by metal and magnet makers
    user_stock: np.ndarray  # (b, u, w) held by users, by cover class
    in_transit: np.ndarray  # (l, w) sailing, and landed not yet handed out
    landed: np.ndarray  # (l, w)
    held: np.ndarray  # (l, w) held by customs for testing
    scrap: np.ndarray  # (r, e, w) t element, magnet-making scrap
    public_stock: np.ndarray  # (c, w) government stockpiles
    orders: np.ndarray  # (l, w) unfilled orders, t (paper, not goods)
    link_weight: np.ndarray  # (l, w) habit: t/week that a link stands for
    link_pass: np.ndarray  # (l, w) smoothed share of normal tonnes that pass
    normal: np.ndarray  # (l, w) normal weekly shipments, as before a control
    leak_capacity: np.ndarray  # (l, w) multiple of normal shipments
    wait: np.ndarray  # (2c, w) by tie, weeks of use that buyers expect orders to wait, learnt
    tied: np.ndarray  # (u, w) share of a line's use that has its tie: with the other tie it is one
    forecast: np.ndarray  # (u, w) smoothed planned use, t/week
    plant_forecast: np.ndarray  # (c, w) smoothed wanted inputs of plants, t/week
    shipped: np.ndarray  # (c, w) smoothed shipments of makers, t/week
    throughput: np.ndarray  # (c, w) smoothed output and shipments at home, t/week
    openness: np.ndarray  # (c, w) share of normal supply that passes
    remembered: np.ndarray  # (c, w) closure by licence or ban that is not yet forgotten, share
    fear: np.ndarray  # (c, w) extra cover wanted, share
    log_home: np.ndarray  # (m, w) log USD/kg inside the exporter
    log_base: np.ndarray  # (c, w) log of delivered cost, USD/kg: what contracts follow
    log_ask: np.ndarray  # (c, w) log USD/kg; the home price in home cells
    log_contract: np.ndarray  # (c, w)
    log_felt: np.ndarray  # (c, w) log of the price paid over its base that use answers to
    log_trend: np.ndarray  # (c, w) moving average of the ask
    signal: np.ndarray  # (4, u, w) price and lack, then heavy price and lack, lagged twice
    heavy_free: np.ndarray  # (u, w) share moved to grades without heavy elements
    heavy_saved: np.ndarray  # (u, w) of the rest, what dear heavies move for now (log, both ways)
    ree_free: np.ndarray  # (u, w) share moved to designs without rare earths
    postponed: np.ndarray  # (u, w) unmet use that is to be made up later, t
    willing: np.ndarray  # (f, w) share of normal output that plants want to make
    losing_weeks: np.ndarray  # (mines, w) weeks with a negative cash margin
    expansion: np.ndarray  # (4, o, w) induced mine capacity and its pipeline
    group_expansion: np.ndarray  # (4, g, w) induced metal and magnet capacity
    group_margin: np.ndarray  # (g, w) log price over full cost that builders of plants expect
    group_short: np.ndarray  # (g, w) share of need not met that they expect
    separator_expansion: np.ndarray  # (4, s, w) induced separators and their pipeline
    separator_margin: np.ndarray  # (s, w) log price of the lead oxide over that at home, lagged
    separator_short: np.ndarray  # (s, w) share of its need not met there, lagged
    expected_price: np.ndarray  # (o, w) log basket value ratio that investors expect
    # Prices of places and what traders expect.
    log_price: np.ndarray  # (c, w) log over the base year
    lane_flow: np.ndarray  # (l, w) expected under the rules, t/week (home lanes: nought)
    lane_wish: np.ndarray  # (l, w) without the rules
    plant_output: np.ndarray  # (c, w) expected of plants that make to order, t/week
    plant_plan: np.ndarray  # (c, w) the same, lagged, at base prices of inputs
    plant_cost: np.ndarray  # (c, w) log over the base year
    saving: np.ndarray  # (c, w) share of need that has to be saved
    need_trend: np.ndarray  # (2, c, w) need at base prices, averaged once and twice, t/week
    plant_asked: np.ndarray  # (c, w) what customers need of works, t/week
    want_trend: np.ndarray  # (2, u, w) planned use, averaged once and twice, t/week
    made_trend: np.ndarray  # (2, c, w) output that is pushed, the same
    need_expected: np.ndarray  # (c, w) t/week
    inputs_expected: np.ndarray  # (c, w) of them inputs of works
    made_expected: np.ndarray  # (c, w) pushed output, t/week
    made_now: np.ndarray  # (c, w) seen, t/week
    made_usually: np.ndarray  # (c, w) taken for lasting, t/week
    sold_on: np.ndarray  # (c, w) what traders are to sell on, t a market day
    # What the market remembers from one day to the next.
    users_hold: np.ndarray  # (u, w) stock of each line, all classes
    last_wanted: np.ndarray  # (u, w) use wanted on the last market day, t/week
    cells_hold: np.ndarray  # (c, w) stock of all users of a cell
    users_like: np.ndarray  # (c, w) stock that they would like to hold
    use_rate: np.ndarray  # (c, w) expected use, t/week
    use_usual: np.ndarray  # (c, w) use taken for lasting, t/week
    need_growth: np.ndarray  # (c, w) need at base prices over the last market day's
    link_share: np.ndarray  # (l, w) share of a link in its destination's orders
    tie_share: np.ndarray  # (2c, w) share of what is expected to come, by tie
    tie_lead: np.ndarray  # (2c, w) weeks under way, mean over links
    missing: np.ndarray  # (u, w) unmet since the last look at substitution, t
    missed_of: np.ndarray  # (u, w) of how much wanted, t
    need_now: np.ndarray | None = None  # (c, w) need at base prices, t/week
    inputs_felt: np.ndarray | float = 0.0  # (c, w) log, what users feel of dear inputs
    ore_went: np.ndarray | None = None  # (k, w) ore that left on the last market day, t
    lane_bound: np.ndarray | None = None  # (l, w) bool: a rule binds
    lane_open: np.ndarray | None = None  # (l, w) share of usual tonnes that rules are to let pass
    believed: np.ndarray | None = None  # (l, w) share believed to pass under licences
    closure_known: np.ndarray | None = None  # (l, w) of a ban or closure, learnt to last, share
    licensed_weeks: np.ndarray | None = None  # (l, w) weeks under licence
    days_seen: int = 0  # market days up to now
    recovering: np.ndarray | None = None  # (l, w) bool: what piled up leaves at the surge
    under_regime: np.ndarray | None = None  # (l, w) bool: under licence or quota yesterday
    hard: np.ndarray | None = None  # (l, w) bool: ever under ban, closure or licence
    shifted: np.ndarray | None = None  # (m, w) what exporters take off the log of their price
    ore_normal: np.ndarray | None = None  # (2, e, w) ore under way home and in bond, normally
    made_so_far: np.ndarray | None = None  # (c, w) t, counted where somebody learns
    # Short cuts for what is nearly always so; each is exact for every world.
    squeezed: bool = False  # some plant beside mines wants to make less
    customs_hold: bool = False  # customs hold goods for testing
    all_open: bool = True
    route_open: np.ndarray | None = None  # (l, w) share of a route that is open till the next day
    sailings: list[Sailing] = field(default_factory=list)  # in the order of departure
    books: list[Book] = field(default_factory=list)  # licences, quotas, magnets in use, ledger

    @property
    def worlds(self) -> int:
        """Number of worlds."""
        return int(self.orders.shape[-1])

    def copy(self) -> State:
        """An independent copy, books and sailings included."""
        new: dict[str, Any] = {name: values.copy() for name, values in self.arrays().items()}
        new["sailings"] = list(self.sailings)
        new["books"] = [book.copy() for book in self.books]
        return replace(self, **new)

    def spread(self, times: int) -> State:
        """The same worlds several times, side by side; without books, and with nothing under way."""
        new: dict[str, Any] = {
            name: _tiled(values, times) for name, values in self.arrays().items()
        }
        return replace(self, **new, sailings=[], books=[])

    def restore(self, saved: State) -> None:
        """Put a copy back, into the same books."""
        fresh = saved.copy()
        for f in fields(self):
            if f.name != "books":
                setattr(self, f.name, getattr(fresh, f.name))
        for own, kept in zip(self.books, fresh.books, strict=True):
            own.restore(kept)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array of the state by name, without those that nothing has called up."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in held.items() if isinstance(value, np.ndarray)}


def _tiled(values: np.ndarray, times: int) -> np.ndarray:
    """Values (..., w) several times side by side, (..., times x w)."""
    new = np.empty((*values.shape[:-1], times, values.shape[-1]), dtype=values.dtype)
    new[...] = values[..., None, :]
    return new.reshape(*values.shape[:-1], -1)


def ticks_under_way(transit_days: np.ndarray, market_days: float) -> np.ndarray:
    """Shipments of a link that are under way when orders are placed, in market days (int)."""
    return np.maximum(np.ceil(transit_days / market_days - 1e-9) - 1.0, 0.0)


def lead_weeks(transit_days: np.ndarray, market_days: float) -> np.ndarray:
    """Pipeline of a link in weeks of its flow."""
    return ticks_under_way(transit_days, market_days) * market_days / 7.0


def user_targets(layout: Layout, draws: Draws) -> np.ndarray:
    """Normal cover of each class of each user line, weeks, shape (b, u, w)."""
    cover = layout.users.cover * (draws["cover.user_weeks"] / draws["cover.user_weeks.default"])
    return class_cover(draws["cover.user_spread"])[:, None, :] * cover[None, :, :]


def plant_targets(layout: Layout, draws: Draws) -> np.ndarray:
    """Normal stock of inputs at metal and magnet makers, weeks of use, shape (c, w) or (c, 1)."""
    return layout.cells.plant_cover * (
        draws["cover.plant_weeks"] / draws["cover.plant_weeks.default"]
    )


def steady_state(layout: Layout, draws: Draws, worlds: int, market_days: float) -> State:
    """State in which every flow of the base year reproduces itself.

    Parameters
    ----------
    layout : Layout
    draws : dict
        Behavioural parameters, shape (1,) or (w,) each.
    worlds : int
        Number of worlds.
    market_days : float
        Length of a tick, days.

    Returns
    -------
    State
        Stocks, in tonnes, after the close of a market day of the base year.
    """
    weeks = market_days / 7.0
    nC, nL, nU, nF = layout.cells.n, layout.links.n, layout.users.n, len(layout.plants.rows)
    nE = len(layout.elements)

    def full(base: np.ndarray) -> np.ndarray:
        return np.array(np.broadcast_to(base, (*base.shape[:-1], worlds)), dtype=float, order="C")

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros((*shape, worlds))

    sailing = np.ceil(layout.links.transit / market_days - 1e-9)[:, None]
    ore_gain = gain(weeks, draws["cover.ore_weeks"])
    pool = layout.ore.pool_base * weeks
    feed = layout.separation.fed * weeks
    scrap_gain = gain(weeks, draws["recycling.swarf_weeks"])
    user = np.empty((layout.classes, nU, worlds))
    user[...] = user_targets(layout, draws) * (layout.users.base / layout.classes)
    home_cover = draws["cover.home_weeks"]
    made = np.maximum(layout.cells.output, 0.0)
    seller_cover = np.where(layout.cells.home[:, None], home_cover, draws["cover.seller_weeks"])
    ore_sailing = np.ceil(layout.ore.transit / market_days - 1e-9)[:, None, None]
    base_reference = layout.prices.log_reference
    share_heavy = np.zeros((nU, 1))
    abroad = np.where(layout.links.home[:, None], 0.0, layout.links.base)
    to_order = np.where(layout.groups.made_to_order[:, None], layout.cells.output, 0.0)
    forecast, plant_forecast = full(layout.users.base), full(layout.cells.plant_need)
    use = layout.users.by_cell.spread(forecast, nC) + plant_forecast
    users_hold, habit = user.sum(axis=0), full(layout.links.base)
    weight = np.maximum(layout.links.sum_by_destination(habit), 1e-12)
    return State(
        ore_at_mine=full(pool * (1.0 / ore_gain - 1.0)),
        ore_in_transit=full(layout.ore.base * weeks * ore_sailing),
        ore_bonded=full(layout.ore.base * layout.ore.bond),
        ore_landed=zeros(len(layout.ore.keys), nE),
        ore_at_plant=full(feed * (1.0 / ore_gain - 1.0)),
        seller_stock=full(made * seller_cover),
        plant_stock=full(layout.cells.plant_need * plant_targets(layout, draws)),
        user_stock=user,
        in_transit=full(layout.links.base * weeks * sailing),
        landed=full(np.where(layout.links.home[:, None], layout.links.base * weeks, 0.0)),
        held=zeros(nL),
        scrap=full(layout.scrap.base * layout.scrap.recycles * weeks / scrap_gain),
        public_stock=zeros(nC),
        orders=zeros(nL),
        link_weight=habit,
        link_pass=np.ones((nL, worlds)),
        normal=full(layout.links.base),
        leak_capacity=zeros(nL),
        wait=zeros(2 * nC),
        tied=full(layout.users.tied),
        forecast=forecast,
        plant_forecast=plant_forecast,
        shipped=full(layout.cells.output),
        throughput=full(layout.cells.output),
        openness=np.ones((nC, worlds)),
        remembered=zeros(nC),
        fear=zeros(nC),
        log_home=full(layout.prices.home),
        log_base=full(base_reference),
        log_ask=full(base_reference),
        log_contract=full(base_reference),
        log_felt=zeros(nC),
        log_trend=full(base_reference),
        signal=zeros(4, nU),
        heavy_free=full(share_heavy),
        heavy_saved=zeros(nU),
        ree_free=full(share_heavy),
        postponed=zeros(nU),
        willing=np.ones((nF, worlds)),
        losing_weeks=zeros(len(layout.ore.mines)),
        expansion=zeros(4, len(layout.ore.pools)),
        group_expansion=zeros(4, layout.groups.n),
        group_margin=zeros(layout.groups.n),
        group_short=zeros(layout.groups.n),
        separator_expansion=zeros(4, len(layout.separation.places)),
        separator_margin=zeros(len(layout.separation.places)),
        separator_short=zeros(len(layout.separation.places)),
        expected_price=zeros(len(layout.ore.pools)),
        log_price=zeros(nC),
        lane_flow=full(abroad),
        lane_wish=full(abroad),
        plant_output=full(to_order),
        plant_plan=full(to_order),
        plant_cost=zeros(nC),
        saving=zeros(nC),
        need_trend=np.stack(2 * [full(layout.cells.need)]),
        plant_asked=full(to_order),
        want_trend=np.stack([forecast, forecast]),
        made_trend=np.stack(2 * [full(layout.cells.output - to_order)]),
        need_expected=full(layout.cells.need),
        inputs_expected=full(layout.cells.plant_need),
        made_expected=full(layout.cells.output - to_order),
        made_now=full(layout.cells.output - to_order),
        made_usually=full(layout.cells.output - to_order),
        sold_on=zeros(nC),
        users_hold=users_hold,
        last_wanted=forecast.copy(),
        cells_hold=layout.users.by_cell.spread(users_hold, nC),
        users_like=zeros(nC),
        use_rate=use,
        use_usual=use.copy(),
        need_growth=np.ones((nC, worlds)),
        link_share=habit / weight[layout.links.destination],
        tie_share=zeros(2 * nC),
        tie_lead=zeros(2 * nC),
        missing=zeros(nU),
        missed_of=zeros(nU),
    )


def column_lead(layout: Layout, market_days: float) -> np.ndarray:
    """Lead of every link in weeks of its flow, shape (l, 1)."""
    return lead_weeks(layout.links.transit, market_days)[:, None]
