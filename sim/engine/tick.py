"""One market day. Read this first: it is the model.

Interventions have written the rules of the day into :class:`Conditions`; here plants produce, users
use, buyers order, sellers ship, prices move and the ledger is closed. Each line is one file of
`phases/`; each file names its equations, and `equations/` holds them with unit and source. What one
phase hands to another is a field of :class:`Flows`; what lasts is in :class:`State`. Everything is an
array with the world axis last; nothing loops over worlds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from lodestone.engine.phases.adapting import invest, substitute
from lodestone.engine.phases.arrivals import hand_out, release_public_stocks
from lodestone.engine.phases.capacity import run_plants
from lodestone.engine.phases.closing import recount
from lodestone.engine.phases.expecting import expect_growth
from lodestone.engine.phases.making import make_to_order
from lodestone.engine.phases.mining import clear_bond, mine, send_ore
from lodestone.engine.phases.orders import place_orders
from lodestone.engine.phases.prices import set_prices
from lodestone.engine.phases.recycling import recycle
from lodestone.engine.phases.separation import separate
from lodestone.engine.phases.shipping import ship
from lodestone.engine.phases.use import draw_on_stocks
from lodestone.engine.sailings import already_at_sea
from lodestone.worlds.coefficients import coefficients
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.law import price_law
from lodestone.worlds.layout import Layout
from lodestone.worlds.ledger import Ledger
from lodestone.worlds.market import Market
from lodestone.worlds.office import LicenceOffice
from lodestone.worlds.state import Draws, State, steady_state

#: Days between two looks at what moves in months (habit, substitution, investment).
SLOW_DAYS = 28.0


def market_day(m: Market, rules: Conditions, now: float, when: date) -> Flows:
    """Run one market day.

    Parameters
    ----------
    m : Market
    rules : Conditions
        Rules in force over the coming market day.
    now : float
        Day of the run.
    when : date
        For messages.

    Returns
    -------
    Flows
        What passed.

    Raises
    ------
    ModelError
        The mass balance does not close.
    """
    m.now = now
    m.flows = f = Flows()
    f.output, f.lost = np.zeros_like(m.state.seller_stock), np.zeros_like(m.ledger.stock)
    # 1 what can run today
    run_plants(m, f, rules)
    # 2 ore is dug for its whole basket, goes to who has room, and is split in fixed proportion
    mined = mine(m, f, rules)
    plants = send_ore(m, f, rules)
    clear_bond(m, f, rules)
    separate(m, f, plants)
    # 3 scrap and old goods come back
    recovered = recycle(m, f, rules)
    # 4 what has landed goes to the emptiest first; public stocks to those who lack
    hand_out(m, f, rules)
    release_public_stocks(m, f, rules)
    # 5 metals and magnets
    make_to_order(m, f)
    buy_at_floor(m, f, rules)
    # 6 use; a class of users at zero stops
    used = draw_on_stocks(m, f, rules)
    # 7 orders up to use and cover under fear; every fourth week habit drifts
    place_orders(m, f, rules)
    # 8 what may leave, shared out
    ship(m, f, rules)
    # 9 one law of price in every place; home, ask and contract are read off it; fear
    set_prices(m, f, rules)
    # 10 every fourth week: substitution, new capacity
    if m.state.days_seen % m.slow == 0:
        substitute(m, rules)
        invest(m, f)
    # 11 every stock is recounted, or ModelError
    m.ledger.close(recount(m), mined, recovered, used, f.lost, when.isoformat())
    return f


def buy_at_floor(m: Market, f: Flows, rules: Conditions) -> None:
    """Price floors take what they buy off the market; output is counted where somebody learns."""
    st = m.state
    for floor, active in rules.floors:
        wanted = floor.purchase(m, active)
        if wanted is None:
            continue
        cells, tonnes = wanted
        taken = np.minimum(tonnes, st.seller_stock[cells])
        st.seller_stock[cells] -= taken
        st.public_stock[cells] += taken
        floor.bought(taken)
    if m.state.made_so_far is not None:
        m.state.made_so_far += f.output


def open_market(
    layout: Layout,
    draws: Draws,
    online: np.ndarray,
    market_days: float,
    worlds: np.ndarray,
    growth: Callable[[float], np.ndarray],
) -> Market:
    """The market on its first day, in the steady state of the base year.

    Parameters
    ----------
    layout : Layout
    draws : dict
        Behavioural parameters, shape (1,) or (w,) each.
    online : ndarray, shape (f, w)
        Day on which each plant comes on line (``inf``: never).
    market_days : float
        Length of a tick, days.
    worlds : ndarray of int, shape (w,)
    growth : callable
        Day -> demand multiple of the base year by sector, shape (d, w).
    """
    state = steady_state(layout, draws, len(worlds), market_days)
    m = market_of(layout, draws, online, market_days, worlds, growth, state)
    expect_growth(m)
    return m


def market_of(
    layout: Layout,
    draws: Draws,
    online: np.ndarray,
    market_days: float,
    worlds: np.ndarray,
    growth: Callable[[float], np.ndarray],
    state: State,
) -> Market:
    """The market of a state of the first day, with new books; see `open_market`."""
    slow = max(1, round(SLOW_DAYS / market_days))
    office = LicenceOffice(layout, len(worlds))
    nothing = np.zeros((len(layout.elements), len(worlds)))
    ledger = Ledger(layout.elements, worlds, nothing)
    state.books += [office, ledger]
    m = Market(
        layout=layout,
        draws=draws,
        c=coefficients(layout, draws, len(worlds), market_days, slow),
        law=price_law(layout, draws, len(worlds), market_days),
        state=state,
        online=online,
        days=market_days,
        slow=slow,
        worlds=worlds,
        growth=growth,
        office=office,
        ledger=ledger,
    )
    already_at_sea(m)
    return m


def open_ledger(m: Market) -> None:
    """Take the opening stocks, after interventions have put theirs in."""
    m.ledger.stock = recount(m)


__all__ = ["market_day", "market_of", "open_ledger", "open_market"]
