"""1 Capacity: what can run today."""

from __future__ import annotations

import numpy as np

from lodestone.border.units import DAYS_PER_YEAR
from lodestone.equations import production
from lodestone.equations.lags import toward
from lodestone.equations.production import SHUT_DOWN_WIDTH
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market
from lodestone.worlds.timeline import ramp

#: Margin below which nothing changes any more (share of value): of no consequence.
LEAST_MARGIN = -10.0
#: Willingness below which a plant stands idle and is slow to come back (A254).
IDLE_BELOW = 0.5
#: Share short of whole at which willingness counts as whole (rounding).
WHOLE = 1e-6
#: Middle of the base year, days after its first (stands for the date of its mean).
MIDDLE = DAYS_PER_YEAR / 2.0
#: Margin of plants of the middle stages in the base year, share of value (A100).
USUAL_MARGIN = 0.1


def run_plants(m: Market, f: Flows, rules: Conditions) -> None:
    """Capacity that can run today: on line, ramped, not broken down, willing to run."""
    lay = m.layout
    built = ramp(m.now, m.online, lay.plants.ramp_months)
    built[lay.plants.base] = 1.0
    available = built
    if rules.facility_available is not None:
        available = built * rules.facility_available
    if rules.margin_support is not None or m.state.squeezed:
        available = available * _viability(m, rules)
    # Plants of the base year that were still ramping reach full output in time. What they made in
    # that year is its mean: they stand there in its middle.
    left = lay.plants.ramp_left
    since = (m.now - MIDDLE) / np.maximum(left - MIDDLE, MIDDLE)
    progress = np.clip(since, 0.0, 1.0) * (left > 0)
    progress = progress * m.draws["project.scale"]
    use = np.where(
        lay.plants.base[:, None],
        lay.plants.use + (m.c.full_use - lay.plants.use) * progress,
        m.draws["production.normal_use"],
    )
    f.available = available
    f.normal_output = lay.plants.capacity * use * available  # t/week in the plant's basis


def _viability(m: Market, rules: Conditions) -> np.ndarray:
    """Share of their output that plants other than mines still want to make, shape (f, w).

    One where nobody touches their margin; where a cost is laid on them they shut down as
    mines do, and come back slowly.
    """
    lay, st, d = m.layout, m.state, m.draws
    rows = np.flatnonzero(~np.isin(np.arange(len(lay.plants.rows)), lay.ore.mines))
    support = rules.margin_support
    held = np.zeros((len(rows), st.worlds)) if support is None else support[rows]
    out = np.ones((len(lay.plants.rows), st.worlds))
    if not m.state.squeezed and not np.any(held < 0.0):
        return out
    cost = np.maximum(lay.plants.cost[rows], 1e-9)
    value = cost / (1.0 - USUAL_MARGIN) + np.maximum(held, 0.0)
    margin = np.maximum(1.0 - (cost - np.minimum(held, 0.0)) / value, LEAST_MARGIN)
    goal = production.willingness(margin, np.full((1, 1), USUAL_MARGIN), SHUT_DOWN_WIDTH)
    goal = np.where(held >= 0.0, 1.0, goal)
    slow = (st.willing[rows] < IDLE_BELOW) & (goal > st.willing[rows])
    lag = d["production.adjust_weeks"] + np.where(slow, d["production.restart_weeks"], 0.0)
    willing = toward(st.willing[rows], goal, m.weeks, lag)
    st.willing[rows] = np.where((goal == 1.0) & (willing > 1.0 - WHOLE), 1.0, willing)
    m.state.squeezed = bool(np.any(st.willing[rows] < 1.0))
    out[rows] = st.willing[rows]
    return out
