"""Price wars: an exporter sells below its market's price for a while."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Path, Words, goods, number, places
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules
from lodestone.worlds.view import MarketView


class PriceWarEffect(Effect):
    """Lowers the exporter's prices, keeps its own mines whole, and undercuts other sellers."""

    item: PriceWar

    def set_up(self, ctx: Context) -> None:
        """Resolve materials and the exporter's own mines."""
        self.materials = ctx.material_rows(self.item.materials)
        self.mines = np.sort(ctx.facilities(None, self.item.exporter, "mine"))

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Put the cut in force; its mines are paid what they would have got without it."""
        lay, shifted = m.layout, m.shifted
        active = self.share(t0, t1) * self.n.now("cut", t0)
        if shifted is not None and len(self.mines):
            # What the cut takes from the basket of the exporter's own mines, as it fades in and out.
            oxide = m.oxide_material
            price = np.exp(m.state.log_home[oxide])
            own = np.isin(oxide, self.materials)[:, None]
            lost = np.where(own, price * np.expm1(-np.minimum(shifted[oxide], 0.0)), 0.0)
            mix = np.zeros((len(lay.plants.rows), len(lay.elements)))
            mix[lay.ore.mines] = lay.ore.mix[:, :, 0]
            kept = np.einsum("fe,ew->fw", mix[self.mines], lost)
            rules.margin_support.add(self.mines, kept)
        if not np.any(active):
            return
        assert self.on.goods is not None
        rules.price_shift.add(self.materials, np.log1p(-active))
        rules.undercut.raise_to(self.on.goods, active)


@intervention("price_war")
class PriceWar(Intervention):
    """The exporter that sets the home price cuts it by a share; its own mines are kept whole.

    Mines elsewhere sell on that price and lose their margin; makers elsewhere lose orders to the
    cheaper origin as fast as buyers requalify. The cut comes and goes with the lag of the home
    price. It is laid on top of the market: cheaper goods are used more, stocks shrink, and part of
    the cut is lost again.
    """

    title: ClassVar[str] = "an exporter cuts its price by a share, and plants elsewhere lose margin"
    live: ClassVar[bool] = True
    where = trade("exporter", None, "materials")
    effect: ClassVar[type[Effect]] = PriceWarEffect
    neutral: ClassVar[dict[str, float]] = {"cut": 0.0}

    exporter: Words = places(..., "region that cuts its price")
    materials: Words = goods(("ndpr_oxide", "dy_oxide", "tb_oxide"), "goods whose price it cuts")
    cut: Path = number(
        ...,
        "share by which the price is cut (0.3 to 0.5)",
        unit="share",
        source="A77",
        low=0.0,
        high=0.95,
        hint="Write a cut of 30 percent as 0.3.",
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a war by a region that makes no price, and on goods that have none."""
        found = []
        home = naming.home_of(chain)
        if home not in naming.places(chain, self.exporter).use:
            found.append(
                Problem(
                    key="exporter",
                    message=f"{', '.join(self.exporter)} does not set the price",
                    hint=f"The region that separates most does: {home}.",
                )
            )
        ore = [
            m
            for word in self.materials
            for m in chain.materials_named(word)
            if chain.materials[m].form == "concentrate" and word != "all"
        ]
        if ore:
            found.append(
                Problem(
                    key="materials",
                    message=f"{ore[0]} has no price of its own",
                    hint="Ore is paid by the oxides it holds: name those.",
                )
            )
        return found
