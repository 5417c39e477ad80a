"""What it costs whom: items of the cost curve by region, USD million of the market day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lodestone.engine.compiling import add_rows, compiled, holds
from lodestone.equations.demand import worth_of_output
from lodestone.outputs.items import COST_ITEMS
from lodestone.outputs.series import rows
from lodestone.outputs.series.asked import Asked
from lodestone.outputs.series.sums import Day, Look
from lodestone.outputs.series.vocabulary import series
from lodestone.outputs.shortage import shortfall

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions

#: Weeks of a year by which holding cost is spread, as it was first rounded.
HOLDING_WEEKS = 52.18


class Lines(NamedTuple):
    """User lines as costs see them."""

    cell: np.ndarray  # (u,)
    region: np.ndarray  # (u,)
    reference: np.ndarray  # (u, 1) price of the base year, USD/kg
    lost: np.ndarray  # (u, 1) what a tonne that goes missing costs, USD million


@compiled
def cost_of_lines(
    lines: Lines,
    goods: tuple[np.ndarray, np.ndarray, np.ndarray],
    paid: np.ndarray,
    holding: tuple[np.ndarray, float],
    costs: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Add up by region (r, w), USD million, what user lines pay and lose.

    Parameters
    ----------
    lines : Lines
    goods : what they got, hold and lack, shape (u, w) each
        t.
    paid : ndarray, shape (c, w)
        USD/kg.
    holding : cost of a year (w,), share of value; weeks of the day
    costs : purchases, premium over the base year's price, holding, lost output
        Raised.
    """
    got, held, lacks = goods
    yearly, weeks = holding
    value, premium, hold, lost = costs
    for u in range(got.shape[0]):
        c, r = lines.cell[u], lines.region[u]
        for w in range(got.shape[1]):
            value[r, w] += got[u, w] * paid[c, w] / 1000.0
        for w in range(got.shape[1]):
            plain = got[u, w] * lines.reference[u, 0] / 1000.0
            premium[r, w] += got[u, w] * paid[c, w] / 1000.0 - plain
        for w in range(got.shape[1]):
            hold[r, w] += held[u, w] * paid[c, w] / 1000.0 * yearly[w] * weeks / HOLDING_WEEKS
        if holds(lacks[u]):
            for w in range(got.shape[1]):
                lost[r, w] += lacks[u, w] * lines.lost[u, 0]


class CostBook:
    """Cost items of a market day by region.

    Parameters
    ----------
    run : BatchRun
        The batch, before it starts.
    """

    def __init__(self, run: BatchRun) -> None:
        users = run.layout.users
        self.reference_value = np.exp(run.layout.prices.log_reference)[users.cell]
        # Only magnets' missing output is counted as lost.
        self.lost_value = np.where(users.magnet[:, None], users.lost_output, 0.0) / 1000.0
        self.worth = worth_of_output(run.draws["money.lost_output_doublings"])

    def items(
        self, run: BatchRun, rules: Conditions, paid: np.ndarray, lost_t: np.ndarray
    ) -> np.ndarray:
        """Cost items of the day, USD million, shape (items x regions, w).

        Parameters
        ----------
        paid : ndarray, shape (c, w)
            What buyers pay, USD/kg.
        lost_t : ndarray, shape (u, w)
            Use that goes missing, less what is made up, t.
        """
        lay, st, f = run.layout, run.day.state, run.day.flows
        w = st.worlds
        lines = Lines(lay.users.cell, lay.users.region, self.reference_value, self.lost_value)
        goods = (f.to_users, run.day.users_hold, lost_t)
        holding = run.day.wide(run.draws["money.holding_cost"], 1)[0]
        value, premium, hold, lost = np.zeros((4, len(lay.regions), w))
        cost_of_lines(lines, goods, paid, (holding, run.day.weeks), (value, premium, hold, lost))
        tariff = np.zeros((len(lay.regions), w))
        if rules.import_tariff is not None:
            home = rows.home(run, lay.links.material)
            add_rows(lay.links.region_to, f.shipped * rules.import_tariff * home / 1000.0, tariff)
        outlay = self._outlay(run, rules, w)
        lost *= self.worth
        return np.concatenate([value, premium, tariff, hold, lost, outlay])

    def _outlay(self, run: BatchRun, rules: Conditions, w: int) -> np.ndarray:
        """Public outlay of the day by region, USD million, shape (r, w)."""
        lay, f = run.layout, run.day.flows
        outlay = np.zeros((len(lay.regions), w))
        for effect, active in rules.floors:
            paid_out = effect.outlay(run.day, active, run.calendar.now)
            for region in effect.payers:
                outlay[region] += paid_out / len(effect.payers)
        bought = f.bought - f.released_public
        if np.any(bought):
            add_rows(lay.cells.region, bought * rows.ask(run) / 1000.0, outlay)
        for item in run.effects:
            spent = item.spending(run.calendar.now, run.calendar.now + run.market_days)
            if spent is not None:
                np.add.at(outlay, lay.plants.region[spent[0]], spent[1])
        return outlay


@series("USD million", "flow", ("item", "region"), "all")
def cost_usd_million(asked: Asked) -> Look:
    """One item of the cost curve, or all; items overlap (premium is inside purchase)."""
    book, place = CostBook(asked.run), asked.places("region")
    items = asked.get("item") or COST_ITEMS
    weight = np.concatenate([place * (item in items) for item in COST_ITEMS])[:, None]

    def look(run: BatchRun, rules: Conditions) -> Day:
        f = run.day.flows
        missing, made_up = shortfall(f.planned, f.wanted, f.unmet, f.late)
        costs = book.items(run, rules, rows.paid(run), missing - made_up)
        return (costs * weight).sum(axis=0), None

    return look
