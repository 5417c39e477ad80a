"""Enforcement of export controls: detection, tracking, blacklists and guarantees."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.effects import Acting
from lodestone.interventions.fields import Num, Path, Words, ends_of, goods, number, places, share
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules


def leak_stopped(
    detection: np.ndarray,
    tracking: np.ndarray,
    blacklist_days: np.ndarray,
    between_days: np.ndarray,
) -> np.ndarray:
    """Share of a grey flow that enforcement stops.

    Parameters
    ----------
    detection : ndarray, shape (w,)
        Chance that a shipment is found.
    tracking : ndarray, shape (w,)
        Share of goods traced from the mine on; traced goods cannot leave undeclared.
    blacklist_days : ndarray, shape (w,)
        Days for which whoever is caught is out of business.
    between_days : ndarray, shape (w,)
        Days between two shipments of one smuggler.

    Returns
    -------
    ndarray, shape (w,)
        0..1; never falls when an argument but the last rises. Of smugglers that ship every
        ``between_days`` and are out for ``blacklist_days`` when caught with probability ``d``,
        the share ``1 / (1 + d x blacklist / between)`` is in business (renewal argument).
    """
    caught = 1.0 - (1.0 - detection) * (1.0 - tracking)
    at_work = 1.0 / (1.0 + caught * blacklist_days / np.maximum(between_days, 1e-9))
    return 1.0 - (1.0 - caught) * at_work


@intervention("enforcement")
class Enforcement(Intervention):
    """Grey exports are found, traced and punished, and legal ones may need a guarantee.

    Whoever is blacklisted no longer smuggles; legal orders go to others, so legal tonnage does
    not fall. The guarantee ties up working capital, which makes legal goods dearer for buyers.
    """

    title: ClassVar[str] = (
        "grey exports are found, traced and punished; legal ones post a guarantee"
    )
    live: ClassVar[bool] = True
    where = trade("exporter", None, "materials")

    exporter: Words = places(..., "regions that enforce their controls")
    materials: Words = goods(("all",), "goods concerned")
    detection: Path = share(0.0, "chance that a grey shipment is found (0 to 0.8)", source="c089")
    tracking: Path = share(
        0.0, "share of goods traced from the mine on, which cannot leave undeclared", source="o26"
    )
    blacklist_days: Num = number(
        0.0,
        "days for which a smuggler who is caught is out of business",
        unit="day",
        source="c091",
        low=0.0,
        high=36500.0,
        when={"detection": ()},
    )
    shipment_days: Num = number(
        30.0,
        "days between two shipments of a smuggler",
        unit="day",
        source="A76",
        low=1.0,
        when={"blacklist_days": ()},
    )
    deposit_share: Num = number(
        0.0,
        "guarantee to be posted, as a multiple of the value of the cargo",
        unit="share of value",
        source="c090",
        low=0.0,
        high=10.0,
        hint="Write a guarantee of 150 percent as 1.5.",
    )
    deposit_days: Num = number(
        90.0,
        "days for which the guarantee is held",
        unit="day",
        source="A76",
        low=0.0,
        when={"deposit_share": ()},
    )
    deposit_interest: Num = share(
        0.08,
        "yearly cost of the money tied up in it",
        source="A76",
        when={"deposit_share": ()},
    )

    def act(self, rules: Rules, on: Acting) -> None:
        """Stop part of the leak; charge the working capital of the guarantee."""
        stopped = leak_stopped(on.detection, on.tracking, on.blacklist_days, on.shipment_days)
        rules.detection.catch(on.goods, stopped * on.active)
        cost = on.deposit_share * on.deposit_interest * on.deposit_days / DAYS_PER_YEAR
        rules.trade_cost.add(on.goods, cost * on.active)

    def nothing(self, chain: Chain) -> str:
        """Detection finds undeclared goods, and those leave the home of the price only."""
        home = naming.home_of(chain)
        if home in naming.places(chain, self.exporter).use or ends_of(self.deposit_share)[1] > 0.0:
            return super().nothing(chain)
        return f"the model knows undeclared exports out of {home} only"
