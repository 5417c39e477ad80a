"""3 Scrap of magnet making and old goods come back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.engine.phases.separation import to_sellers
from lodestone.equations.recycling import end_of_life_growth, oxide_from_scrap
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market

#: Days in a year.
DAYS_PER_YEAR = 365.25

_oxide_from_scrap = compiled(oxide_from_scrap)


def recycle(m: Market, f: Flows, rules: Conditions) -> np.ndarray:
    """Scrap of magnet making returns in weeks; goods at the end of their life come back.

    Returns
    -------
    ndarray, shape (e, w)
        Recovered from goods in use, t contained element.
    """
    lay, st, weeks = m.layout, m.state, m.weeks
    years = m.now / DAYS_PER_YEAR * m.draws["demand.growth_scale"]
    grown = end_of_life_growth(m.draws["recycling.eol_growth"], years)
    back = lay.scrap.end_of_life * grown * weeks * np.ones((1, 1, st.worlds))
    if len(lay.scrap.recyclers):
        new = (
            lay.scrap.recycler_yield
            * f.normal_output[lay.scrap.recyclers][:, None, :]
            / np.maximum(lay.plants.capacity[lay.scrap.recyclers][:, None, :], 1e-12)
        )
        for n, i in enumerate(lay.scrap.recyclers):
            back[lay.plants.region[i]] += new[n] * weeks
    if m.in_use is not None:
        retired = m.in_use.retire(weeks)
        back = np.array(np.broadcast_to(back, (*back.shape[:2], st.worlds)))
        for line, active in rules.recycling:
            back[line.region] += line.recover(m, retired, back, active)
    f.recovered = back
    made, recovered = np.empty_like(st.scrap), np.empty_like(f.lost)
    work_scrap(
        Scrap(st.scrap, m.c.scrap_out, lay.scrap.recovery, lay.per_oxide),
        back,
        f.lost,
        recovered,
        made,
    )
    f.recycled = made
    to_sellers(m, f, made, np.arange(len(lay.regions)))
    return recovered


class Scrap(NamedTuple):
    """Scrap of magnet making."""

    tonnes: np.ndarray  # (r, e, w) t element; lowered by what is worked up
    share: np.ndarray  # (w,) worked up in this market day
    recovery: float  # share
    per_oxide: np.ndarray  # (e, 1) t element per t oxide


@compiled
def work_scrap(
    scrap: Scrap, back: np.ndarray, lost: np.ndarray, recovered: np.ndarray, made: np.ndarray
) -> None:
    """Work up scrap and goods at the end of their life.

    ``back`` (r, e, w) is oxide from goods in use, t; ``lost`` (e, w) is raised by what is not won,
    ``recovered`` (e, w) and ``made`` (r, e, w) are written: ``back`` in element, oxide made.

    Conserves: scrap before + recovered = scrap after + made in element + lost.
    """
    tonnes, share, recovery, per_oxide = scrap
    recovered[...] = 0.0
    for r in range(tonnes.shape[0]):
        for e in range(tonnes.shape[1]):
            for w in range(tonnes.shape[2]):
                worked = tonnes[r, e, w] * share[w]
                tonnes[r, e, w] -= worked
                won = _oxide_from_scrap(worked, recovery, per_oxide[e, 0])
                made[r, e, w] = won + back[r, e, w]
                lost[e, w] += worked * (1.0 - recovery)
                recovered[e, w] += back[r, e, w] * per_oxide[e, 0]
