"""The reverse lever: others stop delivering something to the exporter."""

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
    share,
    words,
)
from lodestone.interventions.effects import Context, timing
from lodestone.interventions.export_ban import BanEffect

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain


@dataclass
class EmbargoEffect(BanEffect):
    """A ban by many on one; it also says how much trade it stops, by value and by use.

    Attributes
    ----------
    goods_usd_million, ore_usd_million : float
        Value of the base-year trade it concerns, a year at full share.
    use_share : float
        Share of the target's base-year need of these goods that this trade covers.
    """

    goods_usd_million: float
    ore_usd_million: float
    use_share: float

    def prepare(self, day: Any, calendar: Any) -> None:
        """Print value and weight of what is stopped: value is not criticality."""
        first = float(np.min(self.start))
        if not np.isfinite(first) or first >= calendar.last_day:
            return
        calendar.review(
            max(first, 0.0),
            lambda: None,
            f"{self.name} concerns {self.goods_usd_million:,.1f} USD million a year of goods and "
            f"{self.ore_usd_million:,.1f} of ore, {100 * self.use_share:.1f} % of the target's need "
            "of these goods",
            self.where,
            ";".join(self.source),
        )


@intervention("alloy_embargo")
class AlloyEmbargo(Intervention):
    """Regions stop delivering metals (or ore, or anything else) to the exporter of rare earths.

    It works like an ``export_ban`` with many exporters and one destination. The calendar says
    what the trade is worth and how much of the target's need it covers, so that value and
    criticality can be told apart.
    """

    title: ClassVar[str] = "others stop delivering metals, ore or other goods to the exporter"
    live: ClassVar[bool] = True

    withheld_by: Words = words(..., "regions or bloc that stop delivering", names="place")
    target: Words = words(("china",), "whom they no longer deliver to", names="place")
    materials: Words = words(
        ("metals",), "goods withheld (metals, or concentrates as in trade statistics)",
        names="material",
    )  # fmt: skip
    share: Path = share(1.0, "share of the flow that is stopped (1: all)", source="definition")

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse an embargo of oneself."""
        both = sorted(
            set(naming.places(chain, self.withheld_by).use)
            & set(naming.places(chain, self.target).use)
        )
        if both and "all" not in self.withheld_by:
            return [
                Problem(
                    key="target",
                    message=f"{both[0]} would stop delivering to itself",
                    hint="Take it out of withheld_by or of target.",
                )
            ]
        return []

    def compile(self, name: str, ctx: Context) -> EmbargoEffect:
        """Resolve links, and the value and weight of the trade they carry."""
        lay = ctx.layout
        mask, weight = ctx.links(self.withheld_by, self.target, self.materials)
        ore = ctx.ore_links(self.withheld_by, self.target, self.materials)
        week = 365.25 / 7.0
        price = np.exp(lay.prices.log_reference[lay.links.origin])[:, 0]
        goods = float((lay.links.base[:, 0] * price * week / 1000.0)[mask].sum())
        elements = [
            next(
                m
                for m, n in enumerate(lay.materials)
                if ctx.chain.materials[n].form == "oxide" and ctx.chain.materials[n].element == e
            )
            for e in lay.elements
        ]
        oxide = np.exp(lay.prices.home[elements])[:, 0]
        dug = float(((lay.ore.base[:, :, 0] @ oxide) * week / 1000.0)[ore].sum())
        ends = np.unique(lay.links.destination[mask])
        need = float(lay.cells.need[ends].sum())
        return EmbargoEffect(
            **timing(self, name, ctx),
            links=mask,
            weight=weight,
            ore=ore,
            share_stopped=ctx.path(self.share, f"{name}/share"),
            goods_usd_million=goods,
            ore_usd_million=dug,
            use_share=float(lay.links.base[mask].sum()) / max(need, 1e-12),
        )
