"""What a market day reads row by row: the one place where a name becomes arrays of the engine.

Every function takes a run whose market day has closed and the rows that are wanted (all of them by
default) and returns (rows, w); what it returns may be the engine's own array, so nobody writes on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lodestone.border.units import WEEKS_PER_YEAR
from lodestone.outputs.shortage import shortfall

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun

    Pick = np.ndarray | slice

ALL = slice(None)


def flow(name: str) -> Callable[[BatchRun, Pick], np.ndarray]:
    """A flow of the day as the phases call it, t of the market day."""

    def read(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
        return np.asarray(run.day.flows[name][rows])

    return read


#: By link: what customs see leave, what they do not, and what has landed.
declared, grey, landed = flow("declared"), flow("grey"), flow("landed")
#: By cell: what is made. By mine: what is dug, t contained oxide.
output, dug = flow("output"), flow("dug")
#: By user line: use, plans, and classes of cover that stand still.
used, planned, stopped = flow("used"), flow("planned"), flow("stopped")


def missing(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """Planned use that does not happen for lack of goods, by user line, t."""
    f = run.day.flows
    return shortfall(f.planned[rows], f.wanted[rows], f.unmet[rows], f.late[rows])[0]


def inputs(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """What makers take of each of their inputs, t."""
    groups = run.layout.groups
    return groups.by_input.sum(groups.coefficient * run.day.flows.output[groups.output])[rows]


def held_by_users(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """Stock of each user line, t."""
    return run.day.users_hold[rows]


def held_by_makers(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """Stock of sellers, plants and users of each cell, t; public reserves are apart."""
    st = run.day.state
    return st.seller_stock[rows] + st.plant_stock[rows] + run.day.cells_hold[rows]


def reserve(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """What public reserves hold of each cell, t."""
    return run.day.state.public_stock[rows]


def held(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """All stock of a cell, that of public reserves included, t."""
    st = run.day.state
    stock = st.seller_stock[rows] + st.plant_stock[rows] + st.public_stock[rows]
    return stock + run.day.cells_hold[rows]


def home(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """Price of each material in the home market, USD/kg."""
    return np.exp(run.day.state.log_home[rows])


def ask(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """Spot price of each cell, USD/kg."""
    return np.exp(run.day.state.log_ask[rows])


def paid(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """What buyers of each cell pay, contracts and spot, USD/kg."""
    st, share = run.day.state, run.draws["market.contract_share"]
    return np.exp(st.log_contract[rows] * share + st.log_ask[rows] * (1.0 - share))


def ore_at_mines(elements: np.ndarray) -> Callable[[BatchRun, Pick], np.ndarray]:
    """Elements (e,) in the ore that lies at the mines of each pool, t."""
    return lambda run, rows: (run.day.state.ore_at_mine[rows] * elements[:, None]).sum(axis=1)


def ore_at_plants(elements: np.ndarray) -> Callable[[BatchRun, Pick], np.ndarray]:
    """Elements (e,) in the ore that lies at the separators of each place, t."""
    return lambda run, rows: (run.day.state.ore_at_plant[rows] * elements[:, None]).sum(axis=1)


def ore(name: str, elements: np.ndarray) -> Callable[[BatchRun, Pick], np.ndarray]:
    """Elements (e,) in the ore of a flow by ore link, t."""
    return lambda run, rows: (run.day.flows[name][rows] * elements[:, None]).sum(axis=1)


def able(run: BatchRun, rows: Pick = ALL) -> np.ndarray:
    """What each plant could make in a year, t of its own basis."""
    lay, day = run.layout, run.day
    grown = np.ones((len(lay.plants.rows), day.state.worlds))
    grown[lay.ore.mines] = day.grown[lay.ore.by_pool.ids][lay.ore.by_pool.group]
    return (lay.plants.capacity * day.available * grown * WEEKS_PER_YEAR)[rows]


def idle(run: BatchRun, able: np.ndarray) -> np.ndarray:
    """What each plant could make in a year but does not for want of margin, t.

    Mines are not counted as less able when they dig less; other plants are.
    """
    willing = np.clip(run.day.state.willing, 1e-6, 1.0)
    whole = able / willing
    mines = run.layout.ore.mines
    whole[mines] = able[mines]
    return whole * (1.0 - willing)
