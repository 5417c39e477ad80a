"""Price wars: an exporter sells below its market's price for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Path,
    Problem,
    Words,
    intervention,
    number,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain


@dataclass
class PriceWarEffect(Effect):
    """Lowers the exporter's prices, keeps its own mines whole, and undercuts other sellers."""

    materials: np.ndarray  # (n,) rows of materials
    mines: np.ndarray  # (n,) facility rows of the exporter's own mines
    links: np.ndarray  # (l,) bool
    cut: DrawnPath

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Put the cut in force; its mines are paid what they would have got without it."""
        lay, w = day.layout, len(self.start)
        shifted = getattr(day, "shifted", None)
        active = self.share(t0, t1) * self.cut.at(t0)
        if shifted is not None and len(self.mines):
            # What the cut takes from the basket of the exporter's own mines, as it fades in and out.
            oxide = day.oxide_material
            price = np.exp(day.state.log_home[oxide])
            own = np.isin(oxide, self.materials)[:, None]
            lost = np.where(own, price * np.expm1(-np.minimum(shifted[oxide], 0.0)), 0.0)
            mix = np.zeros((len(lay.plants.rows), len(lay.elements)))
            mix[lay.ore.mines] = lay.ore.mix[:, :, 0]
            kept = np.einsum("fe,ew->fw", mix[self.mines], lost)
            rules.add("margin_support", self.mines, (len(lay.plants.rows), w), kept)
        if not np.any(active):
            return
        shape = (len(lay.materials), w)
        rules.add("price_shift", self.materials, shape, np.log1p(-active))
        rules.most("undercut", self.links, (lay.links.n, w), active)


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

    exporter: Words = words(..., "region that cuts its price", names="place")
    materials: Words = words(
        ("ndpr_oxide", "dy_oxide", "tb_oxide"), "goods whose price it cuts", names="material"
    )
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
        made: dict[str, float] = {}
        for f in chain.facilities.values():
            if f.stage == "separation" and f.modelled:
                made[f.region] = made.get(f.region, 0.0) + f.capacity_t_per_year
        home = max(made, key=lambda r: (made[r], r))
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

    def compile(self, name: str, ctx: Context) -> PriceWarEffect:
        """Resolve materials, links and the exporter's own mines."""
        lay = ctx.layout
        rows = [m for m in ctx.rows(self.materials) or [] if m in lay.material_at]
        mask, _ = ctx.links(self.exporter, ("all",), self.materials)
        where = ctx.places(self.exporter)
        mines = [i for i in lay.ore.mines if lay.plants.rows[i].region in where]
        return PriceWarEffect(
            **timing(self, name, ctx),
            materials=np.array([lay.material_at[m] for m in rows], dtype=int),
            mines=np.array(sorted(mines), dtype=int),
            links=mask,
            cut=ctx.path(self.cut, f"{name}/cut"),
        )
