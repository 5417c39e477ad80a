"""Tariffs: an ad valorem charge at the border, levied by the importer or the exporter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from lodestone.border.numbers import Distribution, parse_number, plain
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import (
    Num,
    Path,
    Words,
    ends_of,
    goods,
    number,
    places,
    share,
    text,
)
from lodestone.interventions.targets import trade
from lodestone.interventions.triggers import Trigger
from lodestone.worlds.conditions import Rules
from lodestone.worlds.view import MarketView

#: Rates that a tariff can mean, as shares of value: the highest ever announced on these goods is
#: 1.45; five would be 500 percent.
PLAUSIBLE = (0.0, 3.0)


def _read_rates(value: object) -> tuple[float | Distribution, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of rates, for example [0.5, 1.0]")
    return tuple(parse_number(item) for item in value)


#: Rates in order.
Rates = Annotated[
    tuple[float | Distribution, ...],
    PlainValidator(_read_rates),
    PlainSerializer(lambda rates: [plain(rate) for rate in rates]),
    WithJsonSchema({"type": "array"}, mode="validation"),
]


class TariffEffect(Effect):
    """Climbs the steps of an escalation in each world."""

    item: Tariff

    def set_up(self, ctx: Context) -> None:
        """Draw the rates it may climb to."""
        self.steps = [
            ctx.number(rate, f"{self.name}/escalation/{k}")
            for k, rate in enumerate(self.item.escalation)
        ]
        self.level = np.zeros(ctx.count, dtype=int)  # steps taken
        self.since = ctx.full(-np.inf)  # day of the last step

    def look(self, now: float, days: float, m: MarketView, effects: Mapping[str, Effect]) -> None:
        """Climb a step where the condition that started it still holds."""
        super().look(now, days, m, effects)
        if not self.steps or self.watch is None:
            return
        ripe = now - np.maximum(self.since, self.start) >= self.n.step_days
        up = ripe & self.watch.holds & (self.share(now, now + days) > 0.0)
        up &= self.level < len(self.steps)
        self.level[up] += 1
        self.since[up] = now

    def charge(self, now: float) -> np.ndarray:
        """Rate in force, shape (w,)."""
        rates = np.stack([self.n.now("rate", now), *self.steps])
        return rates[self.level, np.arange(len(self.level))]

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Add the rate that buyers feel."""
        assert self.on.goods is not None
        felt = self.share(t0, t1) * self.charge(t0) * self.n.pass_through
        levied = rules.export_tax if self.item.levied_by == "exporter" else rules.import_tariff
        levied.add(self.on.goods, felt)


@intervention("tariff")
class Tariff(Intervention):
    """An ad valorem charge; several tariffs on one trade add up. Levied by the exporter it is
    an export tax.
    """

    title: ClassVar[str] = (
        "an ad valorem charge at the border (an export tax if the exporter levies)"
    )
    live: ClassVar[bool] = True
    where = trade("exporter", "importer", "materials")
    effect: ClassVar[type[Effect]] = TariffEffect

    levied_by: Literal["importer", "exporter"] = text("importer", "who levies it")
    exporter: Words = places(("all",), "origins charged")
    importer: Words = places(("all",), "destinations charged")
    materials: Words = goods(("all",), "goods charged")
    rate: Path = number(
        ...,
        "charge as a share of the value, or {date: share}",
        unit="share of value",
        source="definition",
        low=0.0,
        plausible=PLAUSIBLE,
        hint="Write a rate of 25 percent as 0.25.",
    )
    pass_through: Num = share(
        1.0,
        "share of the charge that the buyer pays; the rest the seller bears",
        source="definition",
    )

    escalation: Rates = text(
        (),
        "further rates it climbs to, one every step_days, as long as the condition that started "
        "it (triggered_by) holds: [0.5, 1.0]",
    )
    step_days: Num = number(
        60.0,
        "days between two steps of an escalation",
        unit="day",
        source="A83",
        low=1.0,
        when={"escalation": ()},
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse steps that nothing takes, that lead down, or that are in percent."""
        found = []
        if self.escalation and not (
            isinstance(self.triggered_by, Trigger) and self.triggered_by.watches
        ):
            found.append(
                Problem(
                    key="escalation",
                    message="has steps, but no condition that takes them",
                    hint="Add triggered_by, for example {approval_below: 0.5, months: 2}.",
                )
            )
        for rate in self.escalation:
            ends = ends_of(rate)
            if ends[0] < 0.0 or ends[1] > PLAUSIBLE[1]:
                found.append(
                    Problem(
                        key="escalation",
                        message=f"{ends[1]:g} ({100 * ends[1]:g} %) is not a plausible rate",
                        hint=f"Between 0 and {PLAUSIBLE[1]:g}; did you mean {ends[1] / 100:g}?",
                    )
                )
        plain_rates = [r for r in self.escalation if not isinstance(r, Distribution)]
        if plain_rates != sorted(plain_rates):
            found.append(Problem(key="escalation", message="its steps do not rise"))
        return found
