"""The reverse lever: others stop delivering something to the exporter."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.border.units import WEEKS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.effects import Acting, Effect, Reviews
from lodestone.interventions.export_ban import stop
from lodestone.interventions.fields import Path, Words, goods, places, share
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules
from lodestone.worlds.market import Market
from lodestone.worlds.view import MarketView


class EmbargoEffect(Effect):
    """A ban by many on one; it also says how much trade it stops, by value and by use.

    Attributes
    ----------
    goods_usd_million, ore_usd_million : float
        Value of the base-year trade it concerns, a year at full share.
    use_share : float
        Share of the target's base-year need of these goods that this trade covers.
    """

    def prepare(self, m: Market, calendar: Reviews) -> None:
        """Print value and weight of what is stopped: value is not criticality."""
        self._weigh(m)
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

    def _weigh(self, m: MarketView) -> None:
        """Value and weight of the base-year trade that is meant."""
        lay, on = m.layout, self.on
        assert on.goods is not None and on.ore is not None
        links, ore, week = on.goods.rows, on.ore.rows, WEEKS_PER_YEAR
        part = on.goods.weight(m).mean(axis=1)
        price = np.exp(lay.prices.log_reference[lay.links.origin])[:, 0]
        flow = lay.links.base[links, 0] * part
        self.goods_usd_million = float((flow * price[links] * week / 1000.0).sum())
        oxide = np.exp(lay.prices.home[m.oxide_material])[:, 0]
        dug = (lay.ore.base[:, :, 0] @ oxide) * week / 1000.0
        self.ore_usd_million = float((dug[ore] * on.ore.weight(m).mean(axis=1)).sum())
        need = float(lay.cells.need[np.unique(lay.links.destination[links])].sum())
        self.use_share = float(flow.sum()) / max(need, 1e-12)


@intervention("alloy_embargo")
class AlloyEmbargo(Intervention):
    """Regions stop delivering metals (or ore, or anything else) to the exporter of rare earths.

    It works like an ``export_ban`` with many exporters and one destination. The calendar says
    what the trade is worth and how much of the target's need it covers, so that value and
    criticality can be told apart.
    """

    title: ClassVar[str] = "others stop delivering metals, ore or other goods to the exporter"
    live: ClassVar[bool] = True
    where = trade("withheld_by", "target", "materials")
    effect: ClassVar[type[Effect]] = EmbargoEffect
    neutral: ClassVar[dict[str, float]] = {"share": 0.0}

    withheld_by: Words = places(..., "regions or bloc that stop delivering")
    target: Words = places(("china",), "whom they no longer deliver to")
    materials: Words = goods(("metals",), "goods withheld (metals, or concentrates as in trade statistics)")  # fmt: skip
    share: Path = share(1.0, "share of the flow that is stopped (1: all)", source="definition")

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse an embargo of oneself."""
        both = sorted(
            (naming.places(chain, self.withheld_by) & naming.places(chain, self.target)).countries
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

    def act(self, rules: Rules, on: Acting) -> None:
        """Stop the share in force."""
        stop(rules, on)
