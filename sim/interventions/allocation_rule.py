"""Allocation rules: who is served first when an exporter has too little."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.effects import Acting
from lodestone.interventions.fields import Words, places, text
from lodestone.interventions.targets import trade
from lodestone.worlds.conditions import Rules


@intervention("allocation_rule")
class AllocationRule(Intervention):
    """Sets the order in which an exporter serves foreign orders when it cannot serve all."""

    title: ClassVar[str] = "who is served first when an exporter cannot serve all"
    live: ClassVar[bool] = True
    where = trade("exporter")

    rule: Literal["pro_rata", "contract_first", "defence_first", "highest_bid"] = text(
        ..., "all alike, contracts first, defence first, or the highest bid first"
    )
    exporter: Words = places(("all",), "exporters that follow it")

    def act(self, rules: Rules, on: Acting) -> None:
        """Put the rule's weights in force; ``pro_rata`` leaves all weights at one."""
        if self.rule == "pro_rata" or not np.any(on.active):
            return
        m, links = on.m, on.goods.rows
        lay, st = m.layout, m.state
        if self.rule == "defence_first":
            more = m.draws["allocation.defence_weight"] - 1.0
            defence = np.where(
                lay.users.defence > 0, 1.0 + more * lay.users.defence * on.active, 1.0
            )
            rules.user_priority.multiply(np.arange(lay.users.n), defence)
            weight = 1.0 + more * m.office.military[links] * on.active
        elif self.rule == "contract_first":
            habit = lay.links.share[links] / np.maximum(lay.links.share[links].max(), 1e-12)
            weight = 1.0 + 4.0 * np.sqrt(habit) * on.active
        else:
            bid = np.exp(st.log_ask[lay.links.destination] - st.log_home[lay.links.material])[links]
            weight = 1.0 + (np.maximum(bid, 1.0) ** 2 - 1.0) * on.active
        rules.priority.raise_to(on.goods, weight)
