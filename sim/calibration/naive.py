"""Two forecasters without a model, to be beaten.

*Nothing changes* runs the chain of the vintage standing still and takes every fact from it.
*Static elasticities* takes the same series, cuts trade by what the episode says is missing
(``static:``), and lets the price go up at once by the missing share to the power of minus one over
the elasticity (A211); when the shock is over, everything is as before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lodestone.backcast.episodes import Episode
from lodestone.backcast.recorded import Recorded
from lodestone.backcast.score import evaluate, record
from lodestone.backcast.statistics import Track
from lodestone.calibration.loss import kind_of
from lodestone.calibration.plan import episode_of
from lodestone.outputs.series import Query
from lodestone.scenario import load_scenario

__all__ = ["ELASTICITY", "forecasts"]

#: Elasticities of demand and supply together of the static forecaster (A211).
ELASTICITY = 0.4
#: Metrics that scale with what is on offer.
VOLUMES = ("exports_t", "imports_t", "use_t")


@dataclass
class Static(Recorded):
    """Series of a chain that stands still, with the shocks of an episode laid over them."""

    episode: Episode

    def track(self, query: Query) -> Track | str:
        """A query's series in its periods, shocked."""
        found = super().track(query)
        if isinstance(found, str):
            return found
        factor = _factor(self.episode, query, found)
        return replace(found, top=found.top * factor[:, None])


def _factor(episode: Episode, query: Query, track: Track) -> np.ndarray:
    """Multiple of a series in each period, shape (p,)."""
    named = query.get("material") or ()
    asked = {m for word in named for m in episode.chain.materials_named(word)}
    out = np.ones(len(track.start))
    side = "home" if query.metric == "price_home" else "abroad"
    for shock in episode.static:
        if query.metric not in VOLUMES and shock.side not in (side, "both"):
            continue
        part = len(asked & set(shock.materials)) / len(asked) if asked else 1.0
        missing = 1.0 + shock.quantity * part * track.overlap(shock.span)
        if query.metric in VOLUMES:
            out *= missing
        elif query.metric.startswith("price_"):
            out *= missing ** (-1.0 / ELASTICITY)
    return out


def forecasts(file: Path) -> dict[str, tuple[float, float]]:
    """Fact id -> value that nothing changes, and static elasticities, foretell.

    In the unit of each fact; ``nan`` or ``inf`` where such a forecaster says nothing: where
    nothing changes no date is foretold.
    """
    episode = episode_of(str(file))
    scenario = episode.scenario
    behaviour = {p.name: float(p.default) for p in episode.chain.parameters.values() if p.default is not None}  # fmt: skip
    still = replace(
        load_scenario(f"calm_{scenario.vintage}"),
        start=scenario.start,
        end=scenario.end,
        overrides={**behaviour, "demand.growth_scale": 0.0, "project.scale": 0.0},
    )
    queries = list(dict.fromkeys(q for fact in episode.facts for q in fact.queries))
    found = record(still, episode, queries, np.arange(1), 0, 7.0, None)
    shocked = Static(
        found.days, found.first, found.times, found.top, found.bottom, found.absent, episode
    )
    both = [
        evaluate(episode, {"scenario": seen, "reference": found}, 1).values
        for seen in (found, shocked)
    ]
    said = {**both[0], **{f.id: np.full(1, np.nan) for f in episode.facts if kind_of(f) == "month"}}
    return {
        fact.id: (float(said[fact.id][0]), float(both[1][fact.id][0])) for fact in episode.facts
    }
