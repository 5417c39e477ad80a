"""Three prices, without VAT: inside the exporter, the spot outside, and what is paid there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.chain import naming
from lodestone.outputs.series import rows
from lodestone.outputs.series.asked import Asked
from lodestone.outputs.series.sums import Absent, Day, Look, Rows
from lodestone.outputs.series.vocabulary import PRICE, series

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions


@series("USD/kg", "level", PRICE, "all", of_element="oxides")
def price_home(asked: Asked) -> Look:
    """Price inside the exporter; of several goods the mean by what is made there."""
    lay, places = asked.lay, asked.get("market") or asked.get("region")
    if places is not None and lay.home_region not in naming.places(lay.chain, places).use:
        raise Absent(f"home prices exist in {lay.home_region} only")
    goods = [lay.material_at[m] for m in asked.priced if m in lay.material_at]
    if not goods:
        raise Absent(f"no price in the chain answers to {asked.told()}")
    cells = lay.prices.home_cell[goods]

    def look(run: BatchRun, rules: Conditions) -> Day:
        st, price = run.day.state, rows.home(run, np.array(goods))
        if len(goods) == 1:
            return np.array(price[0]), None
        volume = np.where((cells >= 0)[:, None], st.throughput[np.maximum(cells, 0)], 0.0) + 1e-12
        return (price * volume).sum(axis=0) / volume.sum(axis=0), None

    return look


@series("USD/kg", "level", PRICE, "all", of_element="oxides")
def price_ask(asked: Asked) -> Look:
    """Spot price outside the exporter: the mean by what buyers use."""
    return _abroad(asked, rows.ask)


@series("USD/kg", "level", PRICE, "all", of_element="oxides")
def price_paid(asked: Asked) -> Look:
    """What is paid outside the exporter, contracts and spot: the mean by what buyers use."""
    return _abroad(asked, rows.paid)


@series("multiple", "level", PRICE, "all", of_element="oxides")
def price_gap(asked: Asked) -> Look:
    """Spot price outside over the price inside the exporter."""
    lay, ask = asked.lay, _abroad(asked, rows.ask)
    goods = np.array([lay.material_at[m] for m in asked.priced])
    return lambda run, rules: (ask(run, rules)[0] / rows.home(run, goods).mean(axis=0), None)


def _abroad(asked: Asked, price: Rows) -> Look:
    lay, names = asked.lay, set(asked.priced)
    cells = lay.cells
    meant = np.array([m in names for m in lay.materials])[cells.material] & (cells.need[:, 0] > 0)
    weight = np.where(meant, asked.places("market", "region")[cells.region], 0.0)
    if asked.get("market") is None and asked.get("region") is None:
        weight = np.where(cells.home, 0.0, weight)
    bought = np.flatnonzero(weight)
    if not bought.size:
        raise Absent(f"nobody in the chain buys {asked.told()}")
    part = weight[bought][:, None]

    def look(run: BatchRun, rules: Conditions) -> Day:
        volume = part * np.maximum(run.day.flows.use_rate[bought], 1e-12)
        return (price(run, bought) * volume).sum(axis=0) / volume.sum(axis=0), None

    return look
