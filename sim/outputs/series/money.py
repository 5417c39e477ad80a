"""What it costs whom: items of the cost curve by region, USD million of the market day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

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


class CostBook:
    """Cost items of a market day by region.

    Parameters
    ----------
    run : BatchRun
        The batch, before it starts.
    """

    def __init__(self, run: BatchRun) -> None:
        users, regions = run.layout.users, len(run.layout.regions)
        self.reference_value = np.exp(run.layout.prices.log_reference)[users.cell]
        self.to_region = csr_array(
            (np.ones(users.n), (users.region, np.arange(users.n))), shape=(regions, users.n)
        )
        # Only magnets' missing output is counted as lost.
        self.lost_value = np.where(users.magnet[:, None], users.lost_output, 0.0) / 1000.0

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
        value = f.to_users * paid[lay.users.cell] / 1000.0
        plain = f.to_users * self.reference_value / 1000.0
        hold = (
            run.day.users_hold
            * paid[lay.users.cell]
            / 1000.0
            * run.draws["money.holding_cost"]
            * run.day.weeks
            / HOLDING_WEEKS
        )
        lost = lost_t * self.lost_value
        by_region = [self.to_region @ x for x in (value, value - plain, hold, lost)]
        tariff = np.zeros((len(lay.regions), w))
        if rules.import_tariff is not None:
            home = rows.home(run, lay.links.material)
            np.add.at(tariff, lay.links.region_to, f.shipped * rules.import_tariff * home / 1000.0)
        outlay = self._outlay(run, rules, w)
        return np.concatenate(
            [by_region[0], by_region[1], tariff, by_region[2], by_region[3], outlay]
        )

    def _outlay(self, run: BatchRun, rules: Conditions, w: int) -> np.ndarray:
        """Public outlay of the day by region, USD million, shape (r, w)."""
        lay, f = run.layout, run.day.flows
        outlay = np.zeros((len(lay.regions), w))
        for effect, active in rules.floors:
            paid_out = effect.outlay(run.day, active, run.calendar.now)
            places = {int(lay.plants.region[r]) for r in effect.rows}
            for region in places:
                outlay[region] += paid_out / len(places)
        bought = f.bought - f.released_public
        if np.any(bought):
            np.add.at(outlay, lay.cells.region, bought * rows.ask(run) / 1000.0)
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
