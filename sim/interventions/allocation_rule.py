"""Allocation rules: who is served first when an exporter has too little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from lodestone.interventions.base import Intervention, Words, intervention, text, words
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.worlds.conditions import Conditions


@dataclass
class AllocationEffect(Effect):
    """Weights of links and users when goods are scarce."""

    links: np.ndarray  # (l,) bool
    rule: str

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Put the rule's weights in force; ``pro_rata`` leaves all weights at one."""
        active = self.share(t0, t1)
        if self.rule == "pro_rata" or not np.any(active):
            return
        lay, st = day.layout, day.state
        shape = (lay.links.n, len(self.start))
        if self.rule == "defence_first":
            more = day.draws["allocation.defence_weight"] - 1.0
            defence = np.where(lay.users.defence > 0, 1.0 + more * lay.users.defence * active, 1.0)
            rules.multiply("user_priority", np.arange(lay.users.n), defence.shape, defence)
            weight = 1.0 + more * day.office.military[self.links] * active
        elif self.rule == "contract_first":
            habit = lay.links.share[self.links] / np.maximum(
                lay.links.share[self.links].max(), 1e-12
            )
            weight = 1.0 + 4.0 * np.sqrt(habit) * active
        else:
            bid = np.exp(st.log_ask[lay.links.destination] - st.log_home[lay.links.material])[
                self.links
            ]
            weight = 1.0 + (np.maximum(bid, 1.0) ** 2 - 1.0) * active
        rules.favour(self.links, shape, weight)


@intervention("allocation_rule")
class AllocationRule(Intervention):
    """Sets the order in which an exporter serves foreign orders when it cannot serve all."""

    title: ClassVar[str] = "who is served first when an exporter cannot serve all"
    live: ClassVar[bool] = True

    rule: Literal["pro_rata", "contract_first", "defence_first", "highest_bid"] = text(
        ..., "all alike, contracts first, defence first, or the highest bid first"
    )
    exporter: Words = words(("all",), "exporters that follow it", names="place")

    def compile(self, name: str, ctx: Context) -> AllocationEffect:
        """Resolve the links of the exporters that follow the rule."""
        mask, _ = ctx.links(self.exporter, ("all",), None)
        return AllocationEffect(**timing(self, name, ctx), links=mask, rule=self.rule)
