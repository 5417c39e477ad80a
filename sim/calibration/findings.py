"""What a calibration found, as tables: fact by fact, in sum, and against forecasters without a model.

A fact is seen in five *views*: ``in_fit`` (fitted to all histories), ``left_out`` (foretold by a
fit that has not seen its history), ``prior`` (nothing fitted), ``nothing_changes`` and ``static``
(no model). ``seeds/fit_facts.csv`` has one row a fact and view.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lodestone.backcast.score import quantiles
from lodestone.calibration.crossvalidate import scales
from lodestone.calibration.discrepancy import band
from lodestone.calibration.loss import UNDEFINED, kind_of, transform
from lodestone.calibration.naive import forecasts
from lodestone.calibration.plan import Plan, Target, episode_of
from lodestone.calibration.screen import in_reach

__all__ = ["FACTS", "PARAMETERS", "VIEWS", "Found", "fact_rows", "skill_rows", "summary_rows"]

#: Tables of the seeds that a calibration writes beside the posterior.
FACTS, PARAMETERS = "fit_facts.csv", "fit_parameters.csv"
VIEWS = {
    "in_fit": "in the fit",
    "left_out": "left out of the fit",
    "prior": "the priors alone",
    "nothing_changes": "nothing changes",
    "static": "static elasticities",
}

Foretold = Mapping[tuple[str, str], np.ndarray]


@dataclass(frozen=True)
class Found:
    """Predictions of every fact in each view, (episode, fact) -> shape (n,), in its unit."""

    in_fit: Foretold
    left_out: Foretold
    prior: Foretold

    @property
    def views(self) -> dict[str, Foretold]:
        """By the name of the view; one that is empty was not asked for."""
        return {"in_fit": self.in_fit, "left_out": self.left_out, "prior": self.prior}


def by_key(plan: Plan, predicted: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Columns of an ensemble by episode and fact, controls included."""
    return {t.key: predicted[:, i] for i, t in enumerate(plan.targets)}


def miss(target: Target, value: float) -> float:
    """Distance of a point forecast from what was observed, in errors of the fact's kind.

    One that is not defined, or never, counts as ``UNDEFINED`` errors off, and none as more.
    """
    seen = float(transform(target.fact, np.array(target.fact.observed)))
    found = float(transform(target.fact, np.array(value)))
    off = abs(found - seen) / target.error if np.isfinite(found) else UNDEFINED
    return min(off, UNDEFINED)


def fact_rows(plan: Plan, found: Found) -> list[dict[str, Any]]:
    """One row a fact and view, controls with ``in_fit`` only.

    Returns
    -------
    list of dict
        ``episode, history, fact, kind, view, observed, low, high`` (the band in which the median is
        accepted), ``p05, p50, p95`` (spread of the worlds), ``scale`` (of the discrepancy),
        ``wide_p05, wide_p95`` (with it), ``pass`` (median in band), ``held`` and ``held_wide``
        (observed within 5-95 %), ``miss`` (of the median, in errors), ``in_reach`` (of the priors;
        others are not assimilated).
    """
    first = np.stack([found.prior[t.key] for t in plan.targets], axis=1)
    reach = dict(zip((t.key for t in plan.targets), in_reach(first, plan.targets), strict=True))
    scale, own = scales(plan, found.left_out) if found.left_out else (1.0, {})
    out = []
    naive = {
        (episode_of(str(file)).name, fact): pair
        for file in plan.episodes
        for fact, pair in forecasts(file).items()
    }
    for target in plan.targets:
        head = {**_head(target), "in_reach": bool(reach[target.key])}
        for view, foretold in found.views.items():
            if target.key not in foretold or (target.control and view != "in_fit"):
                continue
            factor = own.get(target.history, scale) if view == "left_out" else scale
            out.append({**head, "view": view, **_seen(target, foretold[target.key], factor)})
        for at, view in enumerate(("nothing_changes", "static")):
            if target.key in naive:
                out.append({**head, "view": view, **_point(target, naive[target.key][at])})
    return out


def _head(target: Target) -> dict[str, Any]:
    fact = target.fact
    return {
        "episode": target.episode,
        "history": "control" if target.control else target.history,
        "fact": fact.id,
        "kind": kind_of(fact),
        "observed": fact.observed,
        "low": fact.low,
        "high": fact.high,
    }


def _seen(target: Target, values: np.ndarray, scale: float) -> dict[str, Any]:
    fact = target.fact
    defined = values[~np.isnan(values)]
    clear = 2 * len(defined) > len(values)
    low, middle, high = quantiles(defined) if clear else (np.nan, np.nan, np.nan)
    first, _, last = band(fact, values, scale)
    return {
        "p05": low,
        "p50": middle,
        "p95": high,
        "scale": scale,
        "wide_p05": first,
        "wide_p95": last,
        "pass": bool(np.isfinite(middle) and fact.low <= middle <= fact.high),
        "held": bool(low <= fact.observed <= high),
        "held_wide": bool(first <= fact.observed <= last),
        "miss": miss(target, middle),
    }


def _point(target: Target, value: float) -> dict[str, Any]:
    fact = target.fact
    return {
        "p50": value,
        "pass": bool(np.isfinite(value) and fact.low <= value <= fact.high),
        "miss": miss(target, value),
    }


def _facts_of(rows: Iterable[Mapping[str, Any]], view: str) -> list[Mapping[str, Any]]:
    return [r for r in rows if r["view"] == view and r["history"] != "control"]


def summary_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By view: facts, share in band, share held by 5-95 %, mean miss; controls left aside."""
    out = []
    for view, title in VIEWS.items():
        mine = _facts_of(rows, view)
        if not mine:
            continue
        bands = view in ("in_fit", "left_out", "prior")
        out.append(
            {
                "view": title,
                "facts": len(mine),
                "in_band": sum(bool(r["pass"]) for r in mine),
                "share": f"{np.mean([bool(r['pass']) for r in mine]):.0%}",
                "held_by_worlds": f"{np.mean([bool(r['held']) for r in mine]):.0%}"
                if bands
                else "",
                "held_with_discrepancy": (
                    f"{np.mean([bool(r['held_wide']) for r in mine]):.0%}" if bands else ""
                ),
                "mean_miss": f"{np.mean([float(r['miss']) for r in mine]):.2f}",
            }
        )
    return out


def skill_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Skill of the forecast of each episode left out: one less its mean miss over another's.

    Above nought the model is better; the columns are the others: the priors alone and the two
    forecasters without a model.
    """
    rivals = ("prior", "nothing_changes", "static")
    out = []
    names = list(dict.fromkeys(r["episode"] for r in _facts_of(rows, "left_out")))
    for name in [*names, "all"]:
        mean = {
            view: np.mean(
                [float(r["miss"]) for r in _facts_of(rows, view) if name in (r["episode"], "all")]
            )
            for view in ("left_out", *rivals)
        }
        out.append(
            {
                "episode": name,
                "mean_miss": f"{mean['left_out']:.2f}",
                **{f"against_{v}": f"{1.0 - mean['left_out'] / mean[v]:+.2f}" for v in rivals},
            }
        )
    return out
