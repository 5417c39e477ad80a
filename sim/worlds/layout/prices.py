"""Prices of the base year, and how costs are passed on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.worlds.layout.cells import Cells
from lodestone.worlds.layout.links import Links
from lodestone.worlds.layout.names import DEFAULT_FREIGHT, Names
from lodestone.worlds.layout.rows import column

#: Log mark-up of the ask over the home price where none is on file (A262).
DEFAULT_MARK_UP = 0.05
#: Highest share of inputs in the price of a product (A262).
MOST_INPUT_SHARE = 0.95


@dataclass(frozen=True)
class Prices:
    """Base-year prices by material and by cell."""

    home: np.ndarray  # (m, 1) log USD/kg inside the home region
    ask: np.ndarray  # (m, 1) log USD/kg outside
    home_cell: np.ndarray  # (m,) cell in the home region, or -1
    priced: np.ndarray  # (m,) bool: has a price of its own (no recipe)
    log_reference: np.ndarray  # (c, 1) log USD/kg
    home_link: np.ndarray  # (c,) link from the home region, or -1
    freight: np.ndarray  # (c, 1) USD/kg from there
    wedge: np.ndarray  # (c, 1) price over delivered cost in the base year
    cost_rows: list[tuple[int, list[tuple[int, float]], float]]  # material, inputs, rest of cost


def prices_of(n: Names, cells: Cells, links: Links, home_region: str) -> Prices:
    """Home prices and asks, and what a delivered kilogram costs beside them."""
    home = column([np.log(n.chain.prices[(m, "home")].usd_per_kg) for m in n.materials])
    asks = []
    for m in n.materials:
        row = n.chain.prices.get((m, "ask"))
        asks.append(
            np.log(row.usd_per_kg) if row else float(home[n.material_at[m], 0]) + DEFAULT_MARK_UP
        )
    ask = column(asks)
    home_cell = np.array([cells.at.get((m, home_region), -1) for m in n.materials])
    reference = np.where(cells.home[:, None], home[cells.material], ask[cells.material])
    link_at = {p: i for i, p in enumerate(links.keys)}
    home_link = np.array(
        [link_at.get((home_cell[cells.material[c]], c), -1) for c in range(cells.n)]
    )
    paid = np.where(home_link >= 0, links.freight[np.maximum(home_link, 0), 0], DEFAULT_FREIGHT)
    freight = column(np.where(cells.home, 0.0, paid))
    delivered = np.exp(home[cells.material]) + freight
    return Prices(
        home=home,
        ask=ask,
        home_cell=home_cell,
        priced=np.array([not n.chain.recipes.get(m) for m in n.materials]),
        log_reference=reference,
        home_link=home_link,
        freight=freight,
        wedge=np.exp(reference) / delivered,
        cost_rows=_cost_rows(n, home),
    )


def _cost_rows(n: Names, home: np.ndarray) -> list[tuple[int, list[tuple[int, float]], float]]:
    """Costs passed on: metals from oxides, magnets from metals."""
    out = []
    for row, m in enumerate(n.materials):
        recipes = n.chain.recipes.get(m, {})
        if not recipes:
            continue
        inputs = [(n.material_at[r.input], r.input_t_per_t_output) for r in recipes.values()]
        cost = sum(x * np.exp(home[i, 0]) for i, x in inputs)
        share = min(cost / np.exp(home[row, 0]), MOST_INPUT_SHARE)
        weights = [(i, share * x * np.exp(home[i, 0]) / cost) for i, x in inputs]
        out.append((row, weights, 1.0 - share))
    return out
