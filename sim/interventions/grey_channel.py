"""Grey channels: undeclared trade through hubs that opens when the price gap is wide."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.effects import Acting
from lodestone.interventions.fields import Num, Path, Words, goods, number, places, share
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules


@intervention("grey_channel")
class GreyChannel(Intervention):
    """Goods leave undeclared through hubs: after a lag, growing with the price gap to a ceiling."""

    title: ClassVar[str] = "undeclared exports through hubs, growing with the price gap"
    live: ClassVar[bool] = True
    where = trade("exporter", None, "materials")

    exporter: Words = places(..., "regions that leak")
    hubs: Words = places(..., "regions through which the goods pass")
    materials: Words = goods(("all",), "goods that leak")
    opening_days: Num = number(
        75.0, "days until the channel opens", unit="day", source="A36", low=0.0
    )
    ceiling_share: Num = number(
        0.5,
        "most that can leak, as a share of normal exports",
        unit="share",
        source="A35",
        low=0.0,
        high=2.0,
    )
    detection: Path = share(0.0, "share that is detected and stopped", source="definition")

    def act(self, rules: Rules, on: Acting) -> None:
        """Raise the ceiling where the channel is open; detection works at once."""
        opened = (on.t0 >= on.effect.start + on.opening_days) & (on.active > 0)
        rules.leak_ceiling.raise_to(on.goods, np.where(opened, on.ceiling_share, 0.0))
        rules.detection.catch(on.goods, on.detection * on.active)

    def nothing(self, chain: Chain) -> str:
        """Undeclared trade is modelled out of the region that sets the price at home."""
        home = naming.home_of(chain)
        if home not in naming.places(chain, self.exporter).use:
            return f"the model knows undeclared exports out of {home} only"
        return super().nothing(chain)

    def remarks(self, chain: Chain) -> list[str]:
        """Hubs are told, not modelled."""
        told = "hubs: named for the reader; the flow is not counted by hub"
        return [*super().remarks(chain), told]
