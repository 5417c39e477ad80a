"""Tariffs: an ad valorem charge at the border, levied by the importer or the exporter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from lodestone.border.numbers import Distribution, parse_number, plain
from lodestone.interventions.base import (
    Intervention,
    Num,
    Path,
    Problem,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.interventions.triggers import Trigger
from lodestone.worlds.conditions import Conditions

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain


def _read_rates(value: Any) -> tuple[float | Distribution, ...]:
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


@dataclass
class TariffEffect(Effect):
    """Adds to the ad-valorem charges of its links."""

    links: np.ndarray  # (l,) bool
    weight: np.ndarray  # (l, 1)
    rate: DrawnPath
    pass_through: np.ndarray  # (w,)
    field: str
    steps: list[np.ndarray]  # (w,) each: rates it climbs to
    step_days: np.ndarray  # (w,)
    level: np.ndarray  # (w,) steps taken
    since: np.ndarray  # (w,) day of the last step

    def look(self, now: float, days: float, day: Any, effects: Mapping[str, Effect]) -> None:
        """Climb a step where the condition that started it still holds."""
        super().look(now, days, day, effects)
        if not self.steps or self.watch is None:
            return
        ripe = now - np.maximum(self.since, self.start) >= self.step_days
        up = ripe & self.watch.holds & (self.share(now, now + days) > 0.0)
        up &= self.level < len(self.steps)
        self.level[up] += 1
        self.since[up] = now

    def charge(self, now: float) -> np.ndarray:
        """Rate in force, shape (w,)."""
        rates = np.stack([self.rate.at(now), *self.steps])
        return rates[self.level, np.arange(len(self.level))]

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Add the rate that buyers feel."""
        active = self.share(t0, t1) * self.charge(t0) * self.pass_through
        if not np.any(active):
            return
        shape = (day.layout.links.n, len(self.start))
        rules.add(self.field, self.links, shape, self.weight[self.links] * active)


@intervention("tariff")
class Tariff(Intervention):
    """An ad valorem charge; several tariffs on one trade add up. Levied by the exporter it is
    an export tax.
    """

    title: ClassVar[str] = (
        "an ad valorem charge at the border (an export tax if the exporter levies)"
    )
    live: ClassVar[bool] = True

    levied_by: Literal["importer", "exporter"] = text("importer", "who levies it")
    exporter: Words = words(("all",), "origins charged", names="place")
    importer: Words = words(("all",), "destinations charged", names="place")
    materials: Words = words(("all",), "goods charged", names="material")
    rate: Path = number(
        ...,
        "charge as a share of the value, or {date: share}",
        unit="share of value",
        source="definition",
        low=0.0,
        high=5.0,
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
        60.0, "days between two steps of an escalation", unit="day", source="A83", low=1.0
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
            ends = rate.support() if isinstance(rate, Distribution) else (rate, rate)
            if ends[0] < 0.0 or ends[1] > 5.0:
                found.append(
                    Problem(
                        key="escalation",
                        message=f"{ends[1]:g} is not a rate between 0 and 5",
                        hint="Write a rate of 25 percent as 0.25.",
                    )
                )
        plain_rates = [r for r in self.escalation if not isinstance(r, Distribution)]
        if plain_rates != sorted(plain_rates):
            found.append(Problem(key="escalation", message="its steps do not rise"))
        return found

    def compile(self, name: str, ctx: Context) -> TariffEffect:
        """Resolve links and draw rates."""
        mask, weight = ctx.links(self.exporter, self.importer, self.materials)
        return TariffEffect(
            **timing(self, name, ctx),
            links=mask,
            weight=weight,
            rate=ctx.path(self.rate, f"{name}/rate"),
            pass_through=ctx.number(self.pass_through, f"{name}/pass_through"),
            field="export_tax" if self.levied_by == "exporter" else "import_tariff",
            steps=[
                ctx.number(rate, f"{name}/escalation/{k}") for k, rate in enumerate(self.escalation)
            ],
            step_days=ctx.number(self.step_days, f"{name}/step_days"),
            level=np.zeros(ctx.count, dtype=int),
            since=ctx.full(-np.inf),
        )
