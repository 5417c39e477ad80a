"""Technology bans: the exporter's engineers stay at home, and others start plants without them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import Intervention, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Words, number, places, share, words
from lodestone.worlds.conditions import Rules
from lodestone.worlds.projects import MONTH, Projects
from lodestone.worlds.view import MarketView


def wait_for_teams(
    ready: np.ndarray, service: np.ndarray, teams: np.ndarray, until: np.ndarray
) -> np.ndarray:
    """Day on which each plant gets a commissioning team: first come, first served.

    Parameters
    ----------
    ready : ndarray, shape (n, w)
        Day on which a plant is built and waits for a team; ``inf`` for those that need none.
    service : ndarray, shape (w,)
        Days that a team is bound by one plant.
    teams : ndarray of int, shape (w,)
        Teams there are.
    until : ndarray, shape (w,)
        From this day on teams are no longer scarce.

    Returns
    -------
    ndarray, shape (n, w)
        Day on which commissioning begins, never before ``ready``. With more teams, or shorter
        service, nobody begins later.
    """
    out = np.array(ready, dtype=float)
    n, worlds = out.shape
    if n == 0:
        return out
    most = max(int(teams.max()), 1)
    free = np.where(np.arange(most)[:, None] < teams, -np.inf, np.inf)
    columns = np.arange(worlds)
    order = np.argsort(ready, axis=0, kind="stable")
    for rank in range(n):
        row = order[rank]
        asks = ready[row, columns]
        first = np.argmin(free, axis=0)
        begin = np.maximum(asks, np.minimum(free[first, columns], np.maximum(asks, until)))
        out[row, columns] = begin
        bound = np.isfinite(asks)
        free[first, columns] = np.where(bound, begin + service, free[first, columns])
    return out


class TechnologyBanEffect(Effect):
    """Queues new plants for teams, stretches their ramp and lowers their first yields.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Facilities outside the exporter that are still to start.
    online : ndarray, shape (n, w)
        Day on line of those that had to do it alone; ``inf`` for all others.
    """

    item: TechnologyBan
    planning: ClassVar[int] = 2

    def set_up(self, ctx: Context) -> None:
        """Find the plants still to start."""
        lay, item = ctx.layout, self.item
        there = set(naming.plants_at(ctx.chain, item.regions, item.stages))
        there -= set(naming.plants_at(ctx.chain, item.exporter, item.stages))
        self.rows = np.array(
            [
                i
                for i, f in enumerate(lay.plants.rows)
                if f.name in there and not lay.plants.base[i]
            ],
            dtype=int,
        )
        self.teams = np.maximum(np.round(self.n.teams), 1).astype(int)
        self.commissioning_days = self.n.commissioning_months * MONTH
        self.recovery_days = self.n.recovery_months * MONTH
        self.ramp_days = np.maximum(lay.plants.ramp_months[self.rows] * MONTH, 1.0)
        self.ramp_factor, self.yield_loss = self.n.ramp_factor, self.n.yield_loss
        self.online, self.hit = np.zeros((0, 0)), np.zeros((0, 0), dtype=bool)

    def why(self) -> str:
        """Without a plant to be started there is nobody to slow down."""
        return "" if len(self.rows) else "no plant of these stages is to start there"

    def plan(self, projects: Projects) -> None:
        """Queue the plants that are ready while the ban holds."""
        online = projects.online()[self.rows]
        planned = np.isfinite(online)
        ready = np.where(planned, online, 0.0) - self.commissioning_days
        self.hit = planned & (ready >= self.start) & (ready < self.end)
        waiting = np.where(self.hit, ready, np.inf)
        bound = self.commissioning_days * self.ramp_factor
        begins = wait_for_teams(waiting, bound, self.teams, self.end)
        late = np.where(self.hit, begins, 0.0) - np.where(self.hit, ready, 0.0)
        longer = self.commissioning_days * (self.ramp_factor - 1.0)
        projects.shift[self.rows] += np.where(self.hit, late + longer, 0.0)
        self.online = np.where(self.hit, projects.online()[self.rows], np.inf)

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Slow the ramp and lower the first yields of the plants that had to do it alone."""
        running = self.online <= t0
        if not np.any(running):
            return
        age = np.where(running, t0 - self.online, 0.0)
        usual = np.clip(age / self.ramp_days, 0.0, 1.0)
        slowed = np.clip(age / (self.ramp_days * self.ramp_factor), 0.0, 1.0)
        share = np.where(usual > 0.0, slowed / np.maximum(usual, 1e-12), 1.0)
        learnt = np.clip(age / np.maximum(self.recovery_days, 1.0), 0.0, 1.0)
        share = np.where(running, share * (1.0 - self.yield_loss * (1.0 - learnt)), 1.0)
        rules.facility_available.multiply(self.rows, share)


@intervention("technology_ban")
class TechnologyBan(Intervention):
    """Plants outside the exporter that are ready while it holds queue for the few teams that can
    start them, take longer to ramp, and lose yield until they have learnt. Expert registers are
    the same with fewer teams.
    """

    effect: ClassVar[type[Effect]] = TechnologyBanEffect
    title: ClassVar[str] = (
        "engineers of the exporter stay at home: new plants elsewhere wait for the few other teams, "
        "ramp slowly and lose yield at first"
    )

    exporter: Words = places(("china",), "who keeps its know-how at home")
    regions: Words = places(("all",), "where plants need it (never the exporter)")
    stages: Words = words(("separation", "metal", "magnet"), "which stages need it", names="stage")
    teams: Num = number(
        4,
        "commissioning teams outside the exporter (likely 2 to 6)",
        unit="teams",
        source="A93",
        low=1,
        high=100,
    )
    commissioning_months: Num = number(
        6,
        "time that a team needs for one plant when it has help",
        unit="month",
        source="A93",
        low=0.0,
        high=60.0,
    )
    ramp_factor: Num = number(
        1.5,
        "multiple of commissioning and ramp without help (likely 1 to 2)",
        unit="multiple",
        source="A93",
        low=1.0,
        high=5.0,
    )
    yield_loss: Num = share(0.2, "share of output lost at first (likely 0.1 to 0.3)", source="A93")
    recovery_months: Num = number(
        24,
        "time until the lost yield is regained",
        unit="month",
        source="A93",
        low=0.0,
        high=240.0,
    )
