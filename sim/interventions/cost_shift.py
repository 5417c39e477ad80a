"""Cost shifts: a stage becomes dearer or cheaper in a region, in opex, capex or price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Path, Words, number, places, share, text
from lodestone.worlds.conditions import Rules
from lodestone.worlds.layout import Layout
from lodestone.worlds.projects import Projects
from lodestone.worlds.view import MarketView

#: The form of goods that each stage sells.
SELLS = {"separation": "oxide", "recycling": "oxide", "metal": "metal", "magnet": "magnet"}


@dataclass(frozen=True)
class StageCosts:
    """What a stage costs in some regions, per unit of its plants and per kg of its goods.

    Attributes
    ----------
    rows : ndarray, shape (n,)
        Plants of the stage.
    unit : ndarray, shape (n, 1)
        Operating cost of each, USD/kg of its own basis.
    cells : ndarray, shape (k,)
        Cells of the goods they sell; none for mines, whose ore has no price of its own.
    on_goods : ndarray, shape (k, 1)
        Mean operating cost in a kg of each of these goods, USD/kg.
    price : ndarray, shape (k, 1)
        Base-year price of these goods at home, USD/kg.
    """

    rows: np.ndarray
    unit: np.ndarray
    cells: np.ndarray
    on_goods: np.ndarray
    price: np.ndarray


def stage_costs(lay: Layout, where: naming.Places | None, stage: str) -> StageCosts:
    """Costs of a stage in some places, from the plants there.

    The cost of separating a kg of ore is laid on the oxides that come out by their value. A
    country's plants lay theirs on the goods of its region in proportion to their capacity.
    """
    regions = where.use if where is not None else {}
    alike = [i for i, f in enumerate(lay.plants.rows) if f.stage == stage]
    rows = np.array(
        [i for i in alike if where is not None and where.holds(lay.plants.rows[i])], dtype=int
    )
    cells, on_goods, price = [], [], []
    for region in regions if stage in SELLS else ():
        here = [i for i in rows if lay.plants.rows[i].region == region]
        if not here:
            continue
        size = lay.plants.capacity[here]
        whole = lay.plants.capacity[[i for i in alike if lay.plants.rows[i].region == region]]
        part = 1.0 if len(here) == len(whole) else float(size.sum() / max(whole.sum(), 1e-12))
        mean = float((lay.plants.cost[here] * size).sum() / max(float(size.sum()), 1e-12))
        per_value = 1.0
        if stage == "separation":
            per_value = 1.0 / max(_basket(lay, region), 1e-9)
        for c, (m, r) in enumerate(lay.cells.keys):
            if r != region or lay.form[lay.cells.material[c]] != SELLS[stage]:
                continue
            value = float(np.exp(lay.prices.home[lay.material_at[m], 0]))
            cells.append(c)
            price.append(value * part)
            cost = mean * value * per_value if stage == "separation" else mean
            on_goods.append(cost * part)
    return StageCosts(
        rows=rows,
        unit=lay.plants.cost[rows],
        cells=np.array(cells, dtype=int),
        on_goods=np.array(on_goods, dtype=float).reshape(-1, 1),
        price=np.array(price, dtype=float).reshape(-1, 1),
    )


def _basket(lay: Layout, region: str) -> float:
    """Value of the oxides out of a kg of ore at base-year prices, USD/kg REO."""
    fed = lay.separation.fed[:, :, 0]
    if region in lay.separation.at and fed[lay.separation.at[region]].sum() > 0:
        rows = np.array([lay.separation.at[region]])
    else:
        rows = np.arange(len(lay.separation.places))
    oxide = [lay.material_at.get(lay.names.oxide(e), -1) for e in lay.elements]
    price = np.array([np.exp(lay.prices.home[m, 0]) if m >= 0 else 0.0 for m in oxide])
    made = (
        fed[rows]
        * lay.separation.recovery[rows, :, 0]
        * np.minimum(lay.separation.taken[rows, :, 0], 1.0)
    )
    return float((made @ price).sum() / max(fed[rows].sum(), 1e-12))


def shift_costs(
    rules: Rules, costs: StageCosts, on_plants: np.ndarray, on_goods: np.ndarray, passed: np.ndarray
) -> None:
    """Lay a cost on buyers and plants: the part passed on goes to prices, the rest to margins.

    Parameters
    ----------
    rules : Rules
    costs : StageCosts
    on_plants : ndarray, shape (n, w)
        Added cost, USD/kg of the plants' own basis; negative is cheaper.
    on_goods : ndarray, shape (k, w)
        The same on a kg of their goods.
    passed : ndarray, shape (w,)
        Share that buyers pay; mines take prices and pass on nothing.
    """
    if len(costs.cells):
        rules.charge.add(costs.cells, on_goods * passed)
        on_plants = on_plants * (1.0 - passed)
    if np.any(on_plants):
        rules.margin_support.add(costs.rows, -on_plants)


class CostEffect(Effect):
    """Shifts running costs or prices every day, or the odds of projects before the run."""

    item: CostShift

    def set_up(self, ctx: Context) -> None:
        """Resolve plants and goods."""
        self.costs = stage_costs(ctx.layout, ctx.places(self.item.region), self.item.stage)

    def why(self) -> str:
        """Without a plant of the stage nothing gets dearer."""
        if self.item.base == "off":
            return "it is switched off"
        return "" if len(self.costs.rows) else "there is no plant of this stage"

    def plan(self, projects: Projects) -> None:
        """Dearer capital lowers the odds that what is still to come is built."""
        if self.item.base != "capex" or not len(self.costs.rows):
            return
        open_ = projects.open(self.costs.rows, self.start)
        by = self.n.factor**-self.n.capex_sensitivity
        projects.odds[self.costs.rows] *= np.where(open_, by, 1.0)

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Lay the added cost on buyers and plants."""
        base, costs = self.item.base, self.costs
        if base not in ("opex", "price") or not len(costs.rows):
            return
        more = (self.n.now("factor", t0) - 1.0) * self.share(t0, t1)
        if not np.any(more):
            return
        passed = self.n.pass_through
        if base == "opex":
            unit = np.minimum(costs.unit, _covered(m, costs.rows))
            shift_costs(rules, costs, unit * more, costs.on_goods * more, passed)
        else:
            shape = (len(costs.rows), len(more))
            mean = float(costs.price.mean()) if len(costs.cells) else 0.0
            on_plants = np.broadcast_to(mean * more, shape)
            shift_costs(rules, costs, on_plants, costs.price * more, passed)


def _covered(m: MarketView, rows: np.ndarray) -> np.ndarray:
    """Cost that the base year covers: mines' is cut to their basket (decision 12), (n, 1)."""
    out = np.full((len(rows), 1), np.inf)
    at = {int(row): i for i, row in enumerate(m.layout.ore.mines)}
    for n, row in enumerate(rows):
        if int(row) in at:
            out[n] = m.mine_cost[at[int(row)]]
    return out


@intervention("cost_shift")
class CostShift(Intervention):
    """A stage becomes dearer (or cheaper) in a region; ``base`` says what the factor is on.

    On ``opex`` or ``price`` the added cost goes to buyers as far as it is passed on, and on into
    what they make; the rest is taken out of the plants' margin, and plants that lose money shut
    down. On ``capex`` it changes the odds that announced plants are built. ``off`` keeps the
    entry and switches it off.
    """

    effect: ClassVar[type[Effect]] = CostEffect
    neutral: ClassVar[dict[str, float]] = {"factor": 1.0}
    title: ClassVar[str] = "a stage becomes dearer or cheaper in a region: opex, capex or price"

    region: Words = places(..., "regions concerned")
    stage: Literal["mine", "separation", "metal", "magnet", "recycling"] = text(..., "the stage")
    base: Literal["opex", "capex", "price", "off"] = text(
        "opex", "what the factor is on: operating cost, capital, price, or nothing at all"
    )
    factor: Path = number(
        ...,
        "multiple of it, or {date: multiple}: 1.5 is the premium of 50 percent",
        unit="multiple",
        source="c178",
        before=1.0,
        low=0.1,
        high=50.0,
        hint="Write a premium of 50 percent as 1.5.",
    )
    pass_through: Num = share(
        1.0,
        "share that buyers pay; mines pass on nothing",
        source="A100",
        when={"base": ("opex", "price", "off"), "stage": tuple(SELLS)},
    )
    capex_sensitivity: Num = number(
        1.0,
        "the odds to be built fall with the factor to this power",
        unit="-",
        source="A99",
        low=0.0,
        high=5.0,
        when={"base": ("capex", "off")},
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse what cannot be meant."""
        found = []
        if self.base == "capex" and isinstance(self.factor, Mapping):
            found.append(
                Problem(
                    key="factor",
                    message="capital has one price: a path over time is not read",
                    hint="Give one number, and a start.",
                )
            )
        if self.base == "price" and self.stage == "mine":
            found.append(
                Problem(
                    key="base",
                    message="ore is sold on the prices of its oxides",
                    hint="Use base: opex for mines.",
                )
            )
        if not naming.plants(chain, None, self.region, self.stage):
            found.append(
                Problem(
                    key="region",
                    message=f"there is no facility of stage {self.stage} in {', '.join(self.region)}",
                    hint="See 'lodestone list facilities'.",
                )
            )
        return found

    def nothing(self, chain: Chain) -> str:
        """Switched off, it changes nothing."""
        return "it is switched off" if self.base == "off" else ""
