"""What the pictures of an episode show: simulated bands, observed points, bands of facts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from lodestone.backcast.episodes import Episode, Fact
from lodestone.backcast.score import Replayed, Verdict
from lodestone.backcast.statistics import Span, Track, over
from lodestone.outputs.series import SERIES

__all__ = ["Box", "Panel", "panels"]


@dataclass(frozen=True)
class Box:
    """The band of a fact, where and when it applies; an open side is infinite."""

    fact: str
    first: date
    last: date
    low: float
    high: float
    passed: bool | None


@dataclass(frozen=True)
class Panel:
    """One series of an episode with what was observed of it.

    Attributes
    ----------
    name, text, unit : str
    dates : list of date
        Middle of each period.
    p05, p50, p95 : ndarray, shape (p,)
        Over the worlds; ``nan`` where the series is not defined.
    points : list of (date, value)
    boxes : list of Box
    """

    name: str
    text: str
    unit: str
    dates: list[date]
    p05: np.ndarray
    p50: np.ndarray
    p95: np.ndarray
    points: list[tuple[date, float]] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)


def panels(episode: Episode, replayed: Replayed, verdicts: Sequence[Verdict]) -> list[Panel]:
    """One panel for each series of which facts of an episode speak, in the order of the facts."""
    out = []
    passed = {v.fact.id: v.passed for v in verdicts}
    for name in dict.fromkeys(f.panel for f in episode.facts):
        facts = [f for f in episode.facts if f.panel == name and f.id in replayed.tracks]
        if not facts:
            continue
        lead = facts[0]
        track, against = replayed.tracks[lead.id]
        values, unit, base = _drawn(lead, track, against)
        rows = track.inside(episode.window)
        middle = np.array([_middle(v) for v in values[rows]]).reshape(-1, 3)
        when = [date.fromordinal(int((track.start[r] + track.end[r]) / 2)) for r in rows]
        boxes = [b for f in facts if (b := _box(f, track, values, base, passed[f.id])) is not None]
        out.append(
            Panel(
                name=name,
                text=lead.series.told() if len(facts) > 1 else lead.text,
                unit=unit,
                dates=when,
                p05=middle[:, 0],
                p50=middle[:, 1],
                p95=middle[:, 2],
                points=[(p.day, p.value) for p in episode.points if p.panel == name],
                boxes=boxes,
            )
        )
    return out


def _middle(values: np.ndarray) -> tuple[float, float, float]:
    """5th, 50th and 95th percentile of what is defined, or nothing."""
    defined = values[np.isfinite(values)]
    if not defined.size:
        return math.nan, math.nan, math.nan
    low, middle, high = np.quantile(defined, (0.05, 0.5, 0.95))
    return float(low), float(middle), float(high)


def _drawn(fact: Fact, track: Track, against: Track | None) -> tuple[np.ndarray, str, np.ndarray]:
    """Values to draw (p, w), their unit, and what one unit of the series is divided by, (w,)."""
    values = track.values()
    one = np.ones(values.shape[1])
    if fact.kind in ("index", "peak_multiple"):
        scale = track.mean(fact.keys["base"]) / (100.0 if fact.kind == "index" else 1.0)
        return over(values, np.broadcast_to(scale, values.shape)), fact.unit, scale
    if fact.kind == "ratio" and against is not None:
        return over(values, against.values()), fact.unit, one
    if fact.kind == "difference" and against is not None:
        return values - against.values(), fact.unit, one
    if fact.kind in ("value", "mean"):
        return values * fact.factor, fact.unit, one / fact.factor
    metric = SERIES[fact.series.metric]
    unit = f"{metric.unit} per {fact.series.per}" if metric.kind == "flow" else metric.unit
    return values, unit, one


def _box(
    fact: Fact, track: Track, values: np.ndarray, base: np.ndarray, passed: bool | None
) -> Box | None:
    """Where the band of a fact lies in its panel; None where it is no height of the series."""
    keys = fact.keys
    low, high = fact.low, fact.high
    if fact.kind == "change":
        when, start = keys["to"], float(np.nanmedian(track.mean(keys["from"]) / base))
        low, high = start * (1 + low / 100), start * (1 + high / 100)
    elif fact.kind == "fall_from_peak":
        when = keys["by"]
        rows = track.inside(Span(keys["over"].first, when.last))
        peak = float(np.nanmedian(values[rows].max(axis=0))) if rows.size else math.nan
        low, high = peak * (1 - fact.high / 100), peak * (1 - fact.low / 100)
    elif fact.kind in ("index", "value", "mean", "ratio", "difference", "peak_multiple"):
        when = keys.get("at", keys.get("over"))
    else:
        return None
    if math.isnan(low) or math.isnan(high):
        return None
    first, last = date.fromordinal(int(when.first)), date.fromordinal(int(when.last))
    return Box(fact.id, first, last, low, high, passed)
