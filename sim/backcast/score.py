"""The score: episodes are run in batches of worlds, and each fact is held against its band.

A fact is evaluated in every world by itself; the median over the worlds is held against the
band. (The statistic of the median path would be another number: a median of paths peaks lower
and later than any of them.)
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lodestone.backcast.episodes import Episode, Fact
from lodestone.backcast.recorded import Recorded
from lodestone.backcast.statistics import KINDS, Track
from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.engine.run import BatchRun
from lodestone.outputs.series import Query
from lodestone.outputs.series.book import SeriesBook
from lodestone.runs.pool import pool as local_pool
from lodestone.scenario import Scenario

__all__ = [
    "BATCH",
    "Replayed",
    "Verdict",
    "evaluate",
    "evaluate_episode",
    "judge",
    "quantiles",
    "record",
    "replay_episode",
    "score",
    "totals",
    "with_overrides",
]

#: Worlds of one batch.
BATCH = 64
#: World-ticks below which no second process is worth its start.
POOL_FROM = 30_000

Progress = Callable[[int, int, str], None]
Overrides = Mapping[str, float | np.ndarray]


@dataclass(frozen=True)
class Replayed:
    """What an episode's facts are in every world.

    Attributes
    ----------
    values : dict
        Fact id -> value in every world, shape (w,), in the fact's unit. ``nan``: not defined
        there; ``inf``: a date that never comes.
    absent : dict
        Fact id -> why the run has no such series (its values are then ``nan``).
    tracks : dict
        Fact id -> its series, and the one it is set against (None without).
    """

    values: dict[str, np.ndarray]
    absent: dict[str, str]
    tracks: dict[str, tuple[Track, Track | None]]


@dataclass(frozen=True)
class Verdict:
    """A fact and what came of it.

    Attributes
    ----------
    p05, p50, p95 : float
        Over the worlds; not finite where not evaluable.
    status : str
        ``evaluated`` or ``not_evaluable``.
    reason : str
        Why not, or what a reader should know.
    passed : bool or None
        None where not evaluable, which counts as failed.
    """

    episode: str
    fact: Fact
    p05: float
    p50: float
    p95: float
    status: str
    reason: str
    passed: bool | None

    @property
    def covered(self) -> bool:
        """Whether what was observed lies between the 5th and the 95th percentile of the worlds."""
        return bool(self.p05 <= self.fact.observed <= self.p95)

    def row(self) -> dict[str, Any]:
        """The verdict fit for JSON; what is not finite becomes null."""
        fact = self.fact
        return {
            "episode": self.episode,
            "id": fact.id,
            "text": fact.text,
            "observed": fact.observed,
            "band": [_finite(fact.low), _finite(fact.high)],
            "unit": fact.unit,
            "simulated_p50": _finite(self.p50),
            "simulated_p05": _finite(self.p05),
            "simulated_p95": _finite(self.p95),
            "status": self.status,
            "reason": self.reason,
            "pass": self.passed,
            "covered": self.covered,
            "scored": fact.scored,
        }

    def shown(self) -> dict[str, Any]:
        """The verdict as a line of the printed scorecard."""
        fact = self.fact
        ends = ["" if math.isinf(x) else f"{x:g}" for x in (fact.low, fact.high)]
        words = {True: "pass", False: "FAIL", None: f"not evaluable: {self.reason}"}
        result = words[self.passed]
        if self.reason and self.passed is not None:
            result += f" ({self.reason})"
        if not fact.scored:
            result += " (not scored)"
        there = self.status == "evaluated"
        return {
            "fact": fact.id,
            "text": fact.text,
            "observed": f"{fact.observed:g}",
            "band": f"{ends[0]}..{ends[1]}",
            "unit": fact.unit,
            "p50": f"{self.p50:.3g}" if there else "",
            "p05_to_p95": f"{self.p05:.3g}..{self.p95:.3g}" if there else "",
            "result": result,
        }


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


# ---- running ---------------------------------------------------------------------------


def with_overrides(
    scenario: Scenario, overrides: Overrides, episode: Episode, rows: slice
) -> Scenario:
    """The scenario with behavioural parameters replaced, by a number or by one a world."""
    if not overrides:
        return scenario
    known = episode.chain.parameter_names()
    held: dict[str, Any] = dict(scenario.overrides)
    for name, value in overrides.items():
        if name not in known:
            raise unknown("parameter", name, known, key=name)
        array = np.asarray(value, dtype=float)
        if not np.all(np.isfinite(array)):
            raise InputError("is not a finite number in every world", key=name)
        if array.ndim == 0:
            held[name] = float(array)
        elif name not in episode.chain.parameters:
            raise InputError(
                "is a number of the chain: one value for all worlds", key=name,
                hint="Only the parameters of behaviour can differ by world.",
            )  # fmt: skip
        else:
            held[name] = array[rows]
    return replace(scenario, overrides=held)


def record(
    scenario: Scenario,
    episode: Episode,
    queries: Sequence[Query],
    worlds: np.ndarray,
    seed: int,
    market_days: float,
    allocation: str | None,
) -> Recorded:
    """Run one batch of one case and keep what is asked for."""
    run = BatchRun(scenario, episode.chain, seed, worlds, market_days, allocation)
    book = SeriesBook(run, queries)
    run.watchers.append(book)
    run.run()
    return Recorded.of(book)


def replay_episode(
    episode: Episode,
    overrides: Overrides | None = None,
    worlds: np.ndarray | int = BATCH,
    seed: int = 0,
    *,
    market_days: float = 7.0,
    allocation: str | None = None,
    batch: int = BATCH,
    pool: Any = None,
    progress: Callable[[int], None] | None = None,
) -> Replayed:
    """Run an episode in some worlds and evaluate its facts in each of them.

    Parameters
    ----------
    episode : Episode
    overrides : mapping, optional
        Parameter -> a number, or an array with one value for each of ``worlds``; over the
        scenario's own overrides, in the scenario and in its reference.
    worlds : ndarray of int, shape (w,), or int
        World numbers, or how many.
    seed : int
    market_days : float
    allocation : str, optional
        Allocation rule everywhere.
    batch : int
        Worlds that run side by side.
    pool : Executor, optional
        Runs batches in other processes.
    progress : callable, optional
        Called with the worlds done since the last call.

    Raises
    ------
    InputError
        An override names no parameter.
    ModelError
        The mass balance does not close.
    """
    numbers = np.arange(worlds) if isinstance(worlds, int) else np.asarray(worlds)
    jobs: list[tuple[str, tuple[Any, ...]]] = []
    cases = episode.cases()
    for case, (scenario, queries) in cases.items():
        for first in range(0, len(numbers), batch):
            rows = slice(first, first + batch)
            own = with_overrides(scenario, overrides or {}, episode, rows)
            args = (own, episode, queries, numbers[rows], seed, market_days, allocation)
            jobs.append((case, args))
    done: dict[str, Recorded] = {}
    if pool is None:
        results: Iterable[Recorded] = (record(*args) for _, args in jobs)
    else:
        results = (f.result() for f in [pool.submit(record, *args) for _, args in jobs])
    for (case, args), part in zip(jobs, results, strict=True):
        done[case] = done[case].beside(part) if case in done else part
        if progress is not None:
            progress(len(args[3]))
    return evaluate(episode, done, len(numbers))


def evaluate(episode: Episode, done: Mapping[str, Recorded], width: int) -> Replayed:
    """Facts of an episode from what was recorded of its cases, in ``width`` worlds."""
    values: dict[str, np.ndarray] = {}
    absent: dict[str, str] = {}
    tracks: dict[str, tuple[Track, Track | None]] = {}
    made: dict[Query, Track | str] = {}
    for fact in episode.facts:
        for query in fact.queries:
            if query not in made:
                made[query] = done[query.case].track(query)
        found = [made[query] for query in fact.queries]
        why = next((f for f in found if isinstance(f, str)), None)
        if why is not None:
            absent[fact.id] = why
            values[fact.id] = np.full(width, np.nan)
            continue
        track, against = found[0], found[1] if len(found) > 1 else None
        assert isinstance(track, Track) and not isinstance(against, str)
        tracks[fact.id] = (track, against)
        values[fact.id] = fact.factor * KINDS[fact.kind].work(track, fact.keys, against)
    return Replayed(values, absent, tracks)


def evaluate_episode(
    episode: Episode,
    overrides: Overrides | None = None,
    worlds: np.ndarray | int = BATCH,
    seed: int = 0,
    **how: Any,
) -> dict[str, np.ndarray]:
    """Value of every fact in every world: what a calibration calls.

    Parameters
    ----------
    episode, overrides, worlds, seed
        As `replay_episode`; ``how`` are its further arguments.

    Returns
    -------
    dict
        Fact id -> shape (w,), in the fact's unit; ``nan`` where not defined, ``inf`` where a
        date never comes.
    """
    return replay_episode(episode, overrides, worlds, seed, **how).values


# ---- judging ---------------------------------------------------------------------------


def judge(episode: Episode, replayed: Replayed) -> list[Verdict]:
    """Hold the median world of every fact against its band."""
    return [_verdict(episode, fact, replayed) for fact in episode.facts]


def _verdict(episode: Episode, fact: Fact, replayed: Replayed) -> Verdict:
    values = replayed.values[fact.id]
    nothing = (math.nan, math.nan, math.nan)

    def refused(reason: str) -> Verdict:
        return Verdict(episode.name, fact, *nothing, "not_evaluable", reason, None)

    if fact.id in replayed.absent:
        return refused(replayed.absent[fact.id])
    defined = values[~np.isnan(values)]
    lost = len(values) - len(defined)
    why = KINDS[fact.kind].undefined
    if 2 * len(defined) <= len(values):
        return refused(f"{why} (in {lost} of {len(values)} worlds)")
    low, middle, high = quantiles(defined)
    if not math.isfinite(middle):
        never = int(np.sum(~np.isfinite(values)))
        return refused(f"{why} (in {never} of {len(values)} worlds)")
    passed = bool(fact.low <= middle <= fact.high)
    reason = f"{why} in {lost} of {len(values)} worlds, left out" if lost else ""
    return Verdict(episode.name, fact, low, middle, high, "evaluated", reason, passed)


def quantiles(values: np.ndarray) -> tuple[float, float, float]:
    """5th, 50th and 95th percentile, with ``inf`` as the largest value there is."""
    finite = np.isfinite(values)
    if finite.all():
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
        return float(low), float(middle), float(high)
    ordered = np.sort(values)
    pick = [ordered[int(np.ceil(q * (len(ordered) - 1)))] for q in (0.05, 0.5, 0.95)]
    return float(pick[0]), float(pick[1]), float(pick[2])


def score(
    episodes: Sequence[Episode],
    *,
    worlds: int = BATCH,
    seed: int = 0,
    market_days: float = 7.0,
    allocation: str | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> list[tuple[Episode, Replayed, list[Verdict]]]:
    """Run episodes and judge their facts, in several processes where that is worth it."""
    ticks = {
        e.name: sum((s.end - s.start).days / market_days for s, _ in e.cases().values())
        for e in episodes
    }
    total = sum(worlds * len(e.cases()) for e in episodes)
    count = workers or (os.cpu_count() or 1)
    if workers == 0 and worlds * sum(ticks.values()) < POOL_FROM:
        count = 1
    batch = BATCH if count == 1 else max(8, min(BATCH, -(-worlds // count)))
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, total, "worlds")

    out = []
    with local_pool(count) as pool:
        for episode in episodes:
            replayed = replay_episode(
                episode,
                None,
                worlds,
                seed,
                market_days=market_days,
                allocation=allocation,
                batch=batch,
                pool=pool,
                progress=tell,
            )
            out.append((episode, replayed, judge(episode, replayed)))
    return out


def totals(
    scored: Iterable[tuple[Episode, Replayed, Sequence[Verdict]]],
    fitted: Collection[tuple[str, str]] = (),
    wide: Mapping[tuple[str, str], tuple[float, float]] | None = None,
) -> list[dict[str, Any]]:
    """Facts passed, failed, not evaluable and covered by episode, and over all; only what is scored.

    Parameters
    ----------
    scored : iterable of (Episode, Replayed, verdicts)
    fitted : collection of (episode, fact id), optional
        Facts to which behaviour was fitted. With them the sums are also told apart: facts in the
        fit, and facts that it has not seen.
    wide : mapping, optional
        (episode, fact id) -> band of the worlds and the model's discrepancy together.

    Returns
    -------
    list of dict
        ``episode, passed, failed, not_evaluable, facts, share, covered, covered_wide``: shares of
        facts whose observed value lies within 5-95 % of the worlds, and within ``wide``.
    """
    found = [v for _, _, verdicts in scored for v in verdicts if v.fact.scored]
    names = list(dict.fromkeys(v.episode for v in found))
    rows = [_sum(name, [v for v in found if v.episode == name], wide) for name in names]
    if len(names) > 1:
        seen = [v for v in found if (v.episode, v.fact.id) in fitted]
        if fitted and len(seen) < len(found):
            other = [v for v in found if v not in seen]
            rows += [_sum("in the fit", seen, wide), _sum("not in the fit", other, wide)]
        rows.append(_sum("all", found, wide))
    return rows


def _sum(
    name: str,
    verdicts: Sequence[Verdict],
    wide: Mapping[tuple[str, str], tuple[float, float]] | None,
) -> dict[str, Any]:
    passed = sum(v.passed is True for v in verdicts)
    unclear = sum(v.passed is None for v in verdicts)
    row = {
        "episode": name,
        "passed": passed,
        "failed": len(verdicts) - passed - unclear,
        "not_evaluable": unclear,
        "facts": len(verdicts),
    }
    if not verdicts:
        return row
    known = wide or {}
    bands = [known.get((v.episode, v.fact.id), (math.nan, math.nan)) for v in verdicts]
    held = sum(
        low <= v.fact.observed <= high for v, (low, high) in zip(verdicts, bands, strict=True)
    )
    row["share"] = f"{passed / len(verdicts):.0%}"
    row["covered"] = f"{sum(v.covered for v in verdicts) / len(verdicts):.0%}"
    row["covered_wide"] = f"{held / len(verdicts):.0%}" if wide else ""
    return row
