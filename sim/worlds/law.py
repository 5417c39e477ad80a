"""Numbers of the law of price as the phases take them: lanes, plants, horizon; worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lodestone.equations.lags import gain
from lodestone.equations.lanes import NEARLY_ALL
from lodestone.worlds.coefficients import LOOP, answer_of_price, own_elasticity
from lodestone.worlds.state import Draws

if TYPE_CHECKING:
    from lodestone.worlds.layout import Layout

#: Log of a price over cash cost, for elements that carry the cost of their ore and for by-products
#: of it (A307).
CASH, BY_PRODUCT = 0.5, 1.2
#: By-products: nobody mines for them.
BY_PRODUCTS = ("la", "ce", "sm", "y")
#: Most that anybody pays for a kilogram, USD, and as a multiple of the base price (A308).
WORTH, MOST_MULTIPLE = 3000.0, 60.0
#: What a lane that is new, or one that sells on, could bring within the horizon, as a share of what
#: passes through the smaller of its ends (A303).
NEW_LANE, SELL_ON = 0.05, 0.06
#: Answer of magnets, which are designed in, to a gap of prices between places (A303).
MAGNET_RESPONSE = 5.0
#: Share of use outside the exporter above which weeks of surge add to a lane's reach.
HALF = 0.5


@dataclass(frozen=True)
class PriceLaw:
    """What stays the same through a run; gains are shares a market day."""

    active: np.ndarray  # (n,) cells that use or may make something, by material
    active_starts: np.ndarray  # (m + 1,)
    cost: np.ndarray  # (l, 1) log of delivered cost over the price there, on lanes without trade
    pass_on: np.ndarray  # (l, 1) share of the seller's price in delivered cost
    cheap: np.ndarray  # (n,) lanes on which freight weighs
    cheap_at: np.ndarray  # (l,) where a lane stands among them; -1 elsewhere
    response: np.ndarray  # (l, 1) kappa
    reach: np.ndarray  # (l, 1) most of its usual tonnes that a lane is offered within the horizon
    seed: np.ndarray  # (l, 1) what may come beside them, share of the smaller end
    seed_cost: np.ndarray  # (l, 1) log cost of opening a lane, or of selling on
    sells_on: np.ndarray  # (c, 1) bool: places outside that use the good
    trades_only: np.ndarray  # (n,) of them that made none in the base year
    input_share: np.ndarray  # (i, 1) share of an input in the cost of what is made of it
    rest: np.ndarray  # (c, 1) share of other cost
    main_input: np.ndarray  # (c,) input with the largest share, -1 without
    heavy_rows: np.ndarray  # (h,) inputs of heavy elements that magnets are made with, rows of (i,)
    heavy_answer: np.ndarray  # (h, w) elasticity of their use, by their part of the cost of heavies
    horizon: np.ndarray  # (w,) weeks
    insisted: np.ndarray  # (w,) share of their stock that holders want at the end of the horizon
    softness: np.ndarray  # (w,)
    slope: np.ndarray  # (w,)
    elasticity: np.ndarray  # (c, w) of use to the price of each good
    glut: np.ndarray  # (w,)
    holding: np.ndarray  # (w,) elasticity of stocks held to the price
    hoarding: np.ndarray  # (c, w) response of traders' stocks at home to a climbing price
    floor: np.ndarray  # (c, 1) log, above nought
    ceiling: np.ndarray  # (c, 1) log
    gain: np.ndarray  # (w,) of prices, upward
    ease: np.ndarray  # (w,) downward
    ticks: np.ndarray  # (l, 1) weeks of a lane's flow that are under way at the close


def price_law(lay: Layout, d: Draws, worlds: int, days: float) -> PriceLaw:
    """Work out the numbers of the law.

    Parameters
    ----------
    lay, d : Layout, Draws
    worlds : int
    days : float
        Length of a tick.
    """

    def wide(name: str) -> np.ndarray:
        return np.array(np.broadcast_to(d[name], (worlds,)), dtype=float)

    reference = np.exp(lay.prices.log_reference[:, 0])
    here, there = reference[lay.links.origin], reference[lay.links.destination]
    landed = here + lay.links.freight[:, 0]
    form = np.array(lay.form)[lay.links.material]
    seller = here / landed
    cheap = np.flatnonzero(seller <= NEARLY_ALL)
    cheap_at = np.full(lay.links.n, -1)
    cheap_at[cheap] = np.arange(len(cheap))

    def by_form(values: dict[str, float]) -> np.ndarray:
        return np.array([values[f] for f in form], dtype=float)[:, None]

    kappa, horizon = float(np.mean(d["market.lane_response"])), wide("market.horizon_weeks")
    weeks = {
        f: float(d[f"qualification.{f}_weeks.default"][0]) for f in ("oxide", "metal", "magnet")
    }
    ahead = float(d["market.horizon_weeks.default"][0])
    grows = float(d["licence.surge.default"][0]) - 1.0
    new = by_form({f: NEW_LANE * min(1.0, HALF * ahead / weeks[f]) for f in weeks})
    resold = ~lay.cells.home[lay.links.origin] & (lay.cells.need[lay.links.origin, 0] > 0)
    seed = np.where(resold[:, None], np.maximum(new, SELL_ON), new)
    seed[lay.links.home] = 0.0
    share, rest, main = _costs(lay)
    heavies, part = _heavies(lay, share)
    own = own_elasticity(lay, d) * np.ones((1, worlds))
    element = [lay.chain.materials[m].element or "" for m in lay.materials]
    follows = np.array([e in BY_PRODUCTS for e in element])[lay.cells.material]
    active = np.flatnonzero(lay.cells.uses | lay.cells.makes)
    materials = np.arange(len(lay.materials) + 1)
    sailing = np.where(lay.links.home, 1.0, np.ceil(lay.links.transit / days - 1e-9))
    return PriceLaw(
        active=active,
        active_starts=np.searchsorted(lay.cells.material[active], materials),
        cost=np.where(lay.links.base[:, 0] > 0, 0.0, np.maximum(np.log(landed / there), 0.0))[
            :, None
        ],
        pass_on=seller[:, None],
        cheap=cheap,
        cheap_at=cheap_at,
        response=by_form({"oxide": kappa, "metal": kappa, "magnet": MAGNET_RESPONSE}),
        reach=by_form({f: 1.0 + grows * max(1.0, HALF * ahead / weeks[f]) for f in weeks}),
        seed=seed,
        seed_cost=np.full((lay.links.n, 1), float(np.mean(d["market.resale_cost"]))),
        sells_on=(~lay.cells.home & (lay.cells.need[:, 0] > 0))[:, None],
        trades_only=np.flatnonzero(
            ~lay.cells.home
            & (lay.cells.need[:, 0] > 0)
            & (lay.cells.output[:, 0] <= 0)
            & (np.diff(lay.links.starts) > 0)
        ),
        input_share=share,
        rest=rest,
        main_input=main,
        horizon=horizon,
        insisted=wide("market.insisted_share"),
        softness=wide("market.cover_softness"),
        slope=wide("market.storage_slope"),
        heavy_rows=heavies,
        heavy_answer=part * own[lay.groups.input[heavies]],
        elasticity=own,
        glut=wide("market.glut_elasticity"),
        # What hoarding adds to a price stays below what would feed on itself.
        hoarding=np.minimum(
            wide("market.hoarding"), LOOP / (answer_of_price(lay, d) * wide("cover.home_weeks"))
        ),
        holding=wide("market.holding_elasticity"),
        floor=np.where(follows, BY_PRODUCT, CASH)[:, None],
        ceiling=np.minimum(np.log(WORTH / reference), np.log(MOST_MULTIPLE))[:, None],
        gain=gain(days / 7.0, wide("market.price_lag_weeks")),
        ease=gain(days / 7.0, wide("market.price_lag_weeks") * wide("market.price_fall_ratio")),
        ticks=(sailing * days / 7.0)[:, None],
    )


def _costs(lay: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of inputs (i, 1) and of the rest (c, 1) in cost, and the main input of each cell."""
    share = np.zeros((len(lay.groups.input), 1))
    rest = np.ones((lay.cells.n, 1))
    main = np.full(lay.cells.n, -1)
    best = np.zeros(lay.cells.n)
    rows = {m: (dict(inputs), left) for m, inputs, left in lay.prices.cost_rows}
    for n, (i, o) in enumerate(zip(lay.groups.input, lay.groups.output, strict=True)):
        inputs, left = rows[int(lay.cells.material[o])]
        share[n, 0] = inputs[int(lay.cells.material[i])]
        rest[o, 0] = left
        if share[n, 0] > best[o]:
            best[o], main[o] = share[n, 0], i
    return share, rest, main


def _heavies(lay: Layout, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of heavy metals to magnets, rows (h,), and their part of what heavies cost, (h, 1)."""
    group = [
        lay.chain.elements[e].group if (e := lay.chain.materials[m].element) else ""
        for m in lay.materials
    ]
    heavy = np.array([g == "heavy" for g in group])[lay.cells.material[lay.groups.input]]
    rows = np.flatnonzero(heavy & lay.cells.magnet[lay.groups.output])
    whole = np.zeros((lay.cells.n, 1))
    np.add.at(whole, lay.groups.output[rows], share[rows])
    return rows, share[rows] / np.maximum(whole[lay.groups.output[rows]], 1e-12)


__all__ = ["PriceLaw", "price_law"]
