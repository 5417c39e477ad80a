"""3 Scrap of magnet making and old goods come back."""

from __future__ import annotations

import numpy as np

from lodestone.engine.compiling import compiled
from lodestone.engine.phases.separation import to_sellers
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.market import Market


def recycle(m: Market, f: Flows, rules: Conditions) -> np.ndarray:
    """Scrap of magnet making returns in weeks; goods at the end of their life come back.

    Returns
    -------
    ndarray, shape (e, w)
        Recovered from goods in use, t contained element.
    """
    lay, st, weeks = m.layout, m.state, m.weeks
    grown = (1.0 + m.draws["recycling.eol_growth"]) ** (
        m.now / 365.25 * m.draws["demand.growth_scale"]
    )
    back = lay.end_of_life * grown * weeks * np.ones((1, 1, st.worlds))
    if len(lay.recyclers):
        new = (
            lay.recycler_yield
            * f.normal_output[lay.recyclers][:, None, :]
            / np.maximum(lay.f_capacity[lay.recyclers][:, None, :], 1e-12)
        )
        for n, i in enumerate(lay.recyclers):
            back[lay.f_region[i]] += new[n] * weeks
    if m.in_use is not None:
        retired = m.in_use.retire(weeks)
        back = np.array(np.broadcast_to(back, (*back.shape[:2], st.worlds)))
        for line, active in rules.recycling:
            back[line.region] += line.recover(m, retired, back, active)
    f.recovered = back
    made, recovered = np.empty_like(st.scrap), np.empty_like(f.lost)
    work_scrap(
        st.scrap,
        m.c.scrap_out,
        lay.swarf_recovery,
        back,
        lay.per_oxide,
        f.lost,
        recovered,
        made,
    )
    f.recycled = made
    to_sellers(m, f, made, np.arange(len(lay.regions)))
    return recovered


@compiled
def work_scrap(
    scrap: np.ndarray,
    share: np.ndarray,
    recovery: float,
    back: np.ndarray,
    per_oxide: np.ndarray,
    lost: np.ndarray,
    recovered: np.ndarray,
    made: np.ndarray,
) -> None:
    """Work up magnet-making scrap and goods at the end of their life.

    Parameters
    ----------
    scrap : ndarray, shape (r, e, w)
        t element; lowered by the share (w,) that is worked up in this tick.
    recovery : float
    back : ndarray, shape (r, e, w)
        Oxide from goods in use, t.
    lost, recovered : ndarray, shape (e, w)
        ``lost`` is raised by what is not recovered, ``recovered`` written: ``back`` in element.
    made : ndarray, shape (r, e, w)
        Oxide made, t; written.
    """
    recovered[...] = 0.0
    for r in range(scrap.shape[0]):
        for e in range(scrap.shape[1]):
            for w in range(scrap.shape[2]):
                worked = scrap[r, e, w] * share[w]
                scrap[r, e, w] -= worked
                made[r, e, w] = worked * recovery / per_oxide[e, 0] + back[r, e, w]
                lost[e, w] += worked * (1.0 - recovery)
                recovered[e, w] += back[r, e, w] * per_oxide[e, 0]
