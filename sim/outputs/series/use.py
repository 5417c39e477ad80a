"""What is used, what goes missing, and what is in stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.border.units import DAYS_PER_WEEK
from lodestone.outputs.series import rows
from lodestone.outputs.series.asked import Asked
from lodestone.outputs.series.sums import Absent, Day, Look
from lodestone.outputs.series.vocabulary import USE, series

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions

GOODS = "ndfeb_magnets;smco"
#: What a stock is of where nothing is named.
STOCKS = "oxides;metals;magnets"


def _nobody(asked: Asked) -> str:
    return f"nobody in the chain uses {asked.told()}"


@series("t", "flow", USE, GOODS)
def use_t(asked: Asked) -> Look:
    """Use; of named oxides and metals also what makers take, unless a sector is named."""
    out = asked.sum().add(rows.used, asked.use()).add(rows.inputs, asked.makers())
    return out.some(_nobody(asked))


@series("t", "flow", USE, GOODS)
def planned_t(asked: Asked) -> Look:
    """Use that is planned, before prices and shortage."""
    return asked.sum().add(rows.planned, asked.use()).some(_nobody(asked))


@series("t", "flow", USE, GOODS)
def unmet_t(asked: Asked) -> Look:
    """Planned use that does not happen for lack of goods; what is put off counts once, when due."""
    return asked.sum().add(rows.missing, asked.use()).some(_nobody(asked))


@series("share", "share", USE, GOODS)
def unmet_share(asked: Asked) -> Look:
    """Planned use that does not happen over planned use."""
    lacks = asked.sum().add(rows.missing, asked.users()).some(_nobody(asked))
    plans = asked.sum().add(rows.planned, asked.users())
    return lambda run, rules: (lacks.of(run), plans.of(run))


@series("share", "share", (*USE, "design"), GOODS)
def moved_share(asked: Asked) -> Look:
    """Part of planned use that has moved to another design."""
    design = (asked.get("design") or ("heavy_free",))[0]

    def moved(run: BatchRun, lines: np.ndarray) -> np.ndarray:
        return getattr(run.day.state, design)[lines] * rows.planned(run, lines)

    part = asked.sum().add(moved, asked.users()).some(_nobody(asked))
    plans = asked.sum().add(rows.planned, asked.users())
    return lambda run, rules: (part.of(run), plans.of(run))


@series("classes", "level", USE, GOODS)
def stoppages(asked: Asked) -> Look:
    """Classes of users that stand (five by sector, grade and region), parts of them by origin."""
    lines = (asked.users() > 0.0).astype(float)
    return asked.sum().add(rows.stopped, lines).some(_nobody(asked))


@series("t", "level", USE, STOCKS)
def stock_t(asked: Asked) -> Look:
    """All stocks of makers, traders, users and governments; with a sector the users'."""
    lay, out = asked.lay, asked.sum()
    if asked.get("sector") is not None or asked.get("tier") is not None:
        return out.add(rows.held_by_users, asked.use()).some(_nobody(asked))
    pools = asked.pools()
    out.add(rows.held, asked.cells()).add(rows.ore_at_mines(asked.in_ore), pools)
    if np.any(pools) or any(lay.chain.materials[m].form == "concentrate" for m in asked.goods):
        places = asked.places("region")[lay.separation.regions]
        out.add(rows.ore_at_plants(asked.in_ore), places)
    return out.some(f"the chain holds no stock {asked.told()}")


@series("t", "level", ("material", "element", "stage", "region"), STOCKS)
def reserve_t(asked: Asked) -> Look:
    """What public reserves hold."""
    out = asked.sum().add(rows.reserve, asked.cells())
    return out.some(f"the chain holds no stock {asked.told()}")


@series("days", "level", USE, GOODS)
def cover_days(asked: Asked) -> Look:
    """Stock on hand and goods on the way, in days of use."""
    return _cover(asked, on_the_way=True)


@series("days", "level", USE, GOODS)
def cover_on_hand_days(asked: Asked) -> Look:
    """Stock on hand, in days of use."""
    return _cover(asked, on_the_way=False)


def _cover(asked: Asked, on_the_way: bool) -> Look:
    lay, width = asked.lay, asked.worlds
    users, makers = asked.users(), asked.makers()
    lines, inputs = np.flatnonzero(users), np.flatnonzero(makers)
    if not lines.size and not inputs.size:
        raise Absent(_nobody(asked))
    weight, cells = users[lines][:, None], lay.groups.by_input.ids[inputs]

    def look(run: BatchRun, rules: Conditions) -> Day:
        st = run.day.state
        rate = lay.users.by_cell.spread(st.forecast, lay.cells.n) + st.plant_forecast
        coming = lay.links.sum_by_destination(st.in_transit) if on_the_way else np.zeros_like(rate)
        per_use = coming / np.maximum(rate, 1e-12)  # weeks of use under way, by cell
        held, use = np.zeros(width), np.zeros(width)
        if lines.size:
            user = st.forecast[lines]
            stock = rows.held_by_users(run, lines) + user * per_use[lay.users.cell[lines]]
            held = held + (stock * weight).sum(axis=0)
            use = use + (user * weight).sum(axis=0)
        if inputs.size:
            maker = st.plant_forecast[cells]
            held = held + (st.plant_stock[cells] + maker * per_use[cells]).sum(axis=0)
            use = use + maker.sum(axis=0)
        days = DAYS_PER_WEEK * held / np.maximum(use, 1e-12)
        return np.where(use > 1e-12, days, np.nan), None

    return look
