"""How a gap in supply was closed: every source and every saving, by region, element and quarter.

For a region and an element, in tonnes of the element contained in whatever form it moves:

``planned use = exporter + others + new_supply + recycling + scrap_left + leak + stock_draw
+ demand_destruction + substitution + unmet``

holds in every world and quarter; `scrap_left` is what makers of magnets leave of what they take in,
so it is never positive, and `recycling` never negative. The recorder keeps the right-hand side of a run; the difference
between a scenario and its reference says what fell away and what filled the gap.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from lodestone.engine.compiling import compiled, holds
from lodestone.engine.contents import contained_by_region, left_behind
from lodestone.outputs.items import ITEMS
from lodestone.outputs.room import Room

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun


@compiled
def saved_by_users(
    use: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    goods: tuple[np.ndarray, np.ndarray],
    content: np.ndarray,
    out: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Add the element in what users plan and do not use, by region, (r, e, w) each: ``out``.

    Parameters
    ----------
    use : planned, response to prices (a multiple), wanted, late and unmet, shape (u, w) each
        t of material.
    goods : material and region of each line, shape (u,) each
    content : ndarray, shape (m, e)
        t element per t of material.
    out : saved by price; by other materials; missing, less what is made up
        t element; raised.
    """
    planned, response, wanted, late, unmet = use
    by_price, otherwise, missing = out
    worlds = planned.shape[1]
    each = np.empty(worlds)
    for u in range(planned.shape[0]):
        goes = goods[0][u], goods[1][u]
        for w in range(worlds):
            each[w] = planned[u, w] - planned[u, w] * response[u, w]
        _add_element(each, goes, content, by_price)
        for w in range(worlds):
            each[w] = planned[u, w] * response[u, w] - (wanted[u, w] - late[u, w])
        _add_element(each, goes, content, otherwise)
        if holds(unmet[u]) or holds(late[u]):
            for w in range(worlds):
                each[w] = unmet[u, w] - late[u, w]
            _add_element(each, goes, content, missing)


@compiled
def _add_element(
    tonnes: np.ndarray, goods: tuple[int, int], content: np.ndarray, out: np.ndarray
) -> None:
    """Add the element in some tonnes (w,) of a material in a region (``goods``) to (r, e, w)."""
    if not holds(tonnes):
        return
    m, r = goods
    for e in range(content.shape[1]):
        share = content[m, e]
        if share != 0.0:
            for w in range(tonnes.shape[0]):
                out[r, e, w] += share * tonnes[w]


class GapBook:
    """Adds up, by quarter, how planned use of each element is met in each region.

    Parameters
    ----------
    run : BatchRun
        The batch, before it starts.
    dates : list of date
        Its market days.
    room : Room
        Where its series stands.
    """

    def __init__(self, run: BatchRun, dates: list[date], room: Room) -> None:
        lay = run.layout
        self.regions, self.elements = len(lay.regions), len(lay.elements)
        self.worlds = len(run.worlds)
        names = [f"{d.year:04d}-{3 * ((d.month - 1) // 3) + 1:02d}" for d in dates]
        self.quarters = sorted(set(names))
        self.last_of = [i + 1 == len(names) or names[i + 1] != n for i, n in enumerate(names)]
        self.at = [self.quarters.index(n) for n in names]
        rows = len(ITEMS) * self.regions * self.elements
        self.series = room.zeros("gap", len(self.quarters), rows)
        self.flow = self._empty()
        self.before = self._stock(run)
        abroad = ~lay.links.home
        exporter = lay.links.region_from == lay.home
        self.from_exporter = np.flatnonzero(abroad & exporter)
        self.from_others = np.flatnonzero(abroad & ~exporter)
        self.abroad = np.flatnonzero(abroad)
        # Oxide cells that have a market, by separator region and by region, for the ledger's sake.
        self.sold = (lay.separation.oxide_cell >= 0)[:, :, None]
        self.left_at = np.where(
            lay.scrap.left_region >= 0,
            lay.scrap.left_region,
            lay.cells.region[lay.scrap.left_cell],
        )
        self.tick = 0

    def _empty(self) -> dict[str, np.ndarray]:
        shape = (self.regions, self.elements, self.worlds)
        return {item: np.zeros(shape) for item in ITEMS}

    def market_day(self, run: BatchRun) -> None:
        """Add one market day."""
        lay, f, flow = run.layout, run.day.flows, self.flow
        content = lay.content

        def add(
            item: str,
            tonnes: np.ndarray,
            goods: tuple[np.ndarray, np.ndarray, np.ndarray],
            sign: float,
        ) -> None:
            contained_by_region(tonnes, *goods, content, sign, flow[item])

        saved_by_users(
            (f.planned, f.response, f.wanted, f.late, f.unmet),
            (lay.users.material, lay.users.region),
            content,
            (flow["demand_destruction"], flow["substitution"], flow["unmet"]),
        )
        material, to, origin = lay.links.material, lay.links.region_to, lay.links.region_from
        add("exporter", f["declared"], (self.from_exporter, material, to), 1.0)
        add("others", f["declared"], (self.from_others, material, to), 1.0)
        add("others", f["declared"], (self.abroad, material, origin), -1.0)
        if f["grey"] is not run.day.c.no_links:
            add("leak", f["grey"], (self.abroad, material, to), 1.0)
            add("others", f["grey"], (self.abroad, material, origin), -1.0)
        places = lay.separation.regions
        flow["new_supply"][places] += f["separated"] * lay.per_oxide * self.sold[places]
        flow["recycling"] += f["recycled"] * lay.per_oxide * self.sold
        left_behind(
            f["output"],
            lay.scrap.left_cell,
            lay.scrap.left_region >= 0,
            self.left_at,
            lay.scrap.left_element,
            lay.scrap.left_tonnes,
            flow["scrap_left"],
            flow["others"],
        )
        if self.last_of[self.tick]:
            after = self._stock(run)
            flow["stock_draw"] = self.before - after
            self.before = after
            whole = np.concatenate([flow[item].reshape(-1, self.worlds) for item in ITEMS])
            self.series[self.at[self.tick]] = whole
            self.flow = self._empty()
        self.tick += 1

    def _stock(self, run: BatchRun) -> np.ndarray:
        """Element in goods of each region, at sea towards it included, t, shape (r, e, w)."""
        lay, st, day = run.layout, run.day.state, run.day
        out = np.zeros((self.regions, self.elements, self.worlds))
        here = st.seller_stock + st.plant_stock + st.public_stock + day.cells_hold
        cells, links = np.arange(lay.cells.n), np.arange(lay.links.n)
        contained_by_region(
            here, cells, lay.cells.material, lay.cells.region, lay.content, 1.0, out
        )
        for stock, region in (
            (st.in_transit, lay.links.region_to),
            (st.landed, lay.links.region_to),
            (st.held, lay.links.region_from),
        ):
            contained_by_region(stock, links, lay.links.material, region, lay.content, 1.0, out)
        return out


__all__ = ["GapBook"]
