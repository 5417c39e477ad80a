"""The calibration: one vector of behaviour for all episodes, its spread, and what it leaves out.

A candidate is a world: a batch runs a whole population side by side, one vector a world, with
everything that is not fitted at its default and all worlds on the same draws. Each fact gives a
distance, counted in half-widths of its band; CMA-ES (the ``cma`` package) looks for vectors that
bring all facts into their bands, from several starts, and once more from the best of all, after
the distance between that one world and the median of many has been measured. Every candidate ever
run is kept. The
*posterior* is the set of kept candidates that lose at most ``SLACK`` more than the best one; a
parameter whose spread among them is as wide as its prior was not seen by history, and keeps its
prior in later ensembles.

The search works in shares of each parameter's range, so a candidate cannot leave what is sourced;
and what is sourced pulls: the loss of a candidate is that of the facts and, lightly, that of the
prior (:func:`prior_loss`), so that among vectors which history does not tell apart the plausible
one is kept. Without it a fit wanders to edges, and fails on what it has not seen.
Work is saved after every generation; the same command goes on from there.
"""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.backcast.episodes import Episode, Fact, load_episode
from lodestone.backcast.score import evaluate_episode, score
from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.chain.nouns import Parameter
from lodestone.worlds.randomness import uniforms

__all__ = [
    "FITTED",
    "Fit",
    "Plan",
    "calibrate",
    "cross_validate",
    "distance",
    "fact_profiles",
    "findings",
    "identify",
    "load_fit",
    "loss",
    "posterior",
    "posterior_text",
    "to_values",
    "with_posterior",
]

#: Standings of parameters that history may teach something about.
FITTED = ("pinned", "product", "ridge", "free")
#: A fact this many half-widths from the middle of its band counts no more than this.
FARTHEST = 6.0
#: Half-widths from the middle of a band from which on a fact costs: a little inside, because other
#: worlds than those of the fit decide whether it is met.
AIM = 0.85
#: Weight of the distance to the middle of a band for facts that are inside.
INSIDE = 0.05
#: Most that a fact weighs against the average one.
HEAVIEST = 3.0
#: Loss beyond the best at which a candidate still belongs to the posterior: about one fact more
#: out of band.
SLACK = 1.5
#: Correlation among the members above which two parameters are known only together.
TOGETHER = 0.7
#: Share of the prior's spread above which a parameter is called free.
AS_WIDE = 0.8
#: Candidates of the first look, spread evenly, and the rank correlation with some fact from which
#: on a parameter counts as seen by history (twice what chance gives over so many facts).
SCREEN, LOUD = 512, 0.2
#: Half-widths of its band by which a fact must move, from the first starting point, between the
#: 10 and the 90 % point of a parameter for that parameter to be searched.
NEARBY = 0.5
#: Worlds among which the most ordinary one is sought, and worlds that say how far the median
#: world is from it.
ORDINARY, SHIFT_WORLDS = 24, 32
#: Turns of the descent on a local model, and how far around the best it is believed at first.
DESCENTS, TRUST = 8, 0.12
#: Loss that may be paid in all for putting parameters back to the middle of their ranges.
FORGIVEN = 0.3
#: Points of the profile of each parameter, and turns of scattering around the best.
LEVELS, SCATTER = 5, 3
#: What a fall of the prior's density by a factor e costs, where a fact out of band costs two.
PRIOR = 0.3
#: Density, as a share of its peak, below which the prior costs no more.
RAREST = 1e-3
#: Most members that the posterior keeps.
MEMBERS = 200

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is fitted to what.

    Attributes
    ----------
    episodes : tuple of Path
        Folders of the episodes whose facts count.
    population, generations : int
        Candidates a generation; generations from each start.
    starts : int
        Searches from different points.
    seed : int
    draws : tuple of int
        Worlds whose other draws (dates, lengths) the candidates run on; a fact's value is the
        mean over them. Empty: the one world of ``ORDINARY`` in which all facts are nearest to
        their medians.
    """

    episodes: tuple[Path, ...]
    population: int = 48
    generations: int = 60
    starts: int = 2
    seed: int = 0
    draws: tuple[int, ...] = ()

    def key(self, names: Sequence[str]) -> dict[str, Any]:
        """What makes a saved search of another plan useless."""
        return {
            "episodes": [p.name for p in self.episodes],
            "population": self.population,
            "seed": self.seed,
            "draws": list(self.draws),
            "parameters": list(names),
        }


@dataclass
class Fit:
    """All candidates of a calibration.

    Attributes
    ----------
    names : list of str
        Parameters that could be fitted; ``seen`` (p,) says which of them move a fact.
    facts : list of (episode, fact id)
    points : ndarray, shape (n, p)
        Candidates, as shares of each parameter's range.
    values : ndarray, shape (n, facts)
    losses : ndarray, shape (n,)
        Of the facts and of the prior together.
    done : dict
        Start -> generations done; the number of starts stands for the last search, from the best
        of all, the next number for the turns of the descent. ``search`` holds the optimiser's own
        state.
    shift : ndarray, shape (facts,)
        Added to what the one world of the candidates shows, so that ``values`` are those of the
        median world; ``settled`` times measured.
    since : int
        First candidate of the last search: those before it moved what later draws its prior.
    best_alone : ndarray, shape (p, LEVELS)
        Loss of the facts along each parameter alone, less that of the best candidate.
    """

    names: list[str]
    facts: list[tuple[str, str]]
    points: np.ndarray
    values: np.ndarray
    losses: np.ndarray
    seen: np.ndarray | None = None
    best_alone: np.ndarray | None = None
    done: dict[int, int] = field(default_factory=dict)
    search: bytes = b""
    shift: np.ndarray = field(default_factory=lambda: np.zeros(1))
    settled: int = 0
    since: int = 0

    @property
    def best(self) -> int:
        """Row of the best candidate."""
        return int(self.ranked()[0])

    def ranked(self) -> np.ndarray:
        """Rows of the candidates of the search that counts, best first."""
        return self.since + np.argsort(self.losses[self.since :], kind="stable")


def fitted_parameters(chain: Any) -> list[Parameter]:
    """Parameters of behaviour that have a range and that episodes can speak about."""
    return [
        p
        for p in chain.parameters.values()
        if p.standing in FITTED
        and p.shape != "fixed"
        and p.low is not None
        and p.high is not None
        and p.low < p.high
    ]


def to_values(items: Sequence[Parameter], points: np.ndarray) -> dict[str, np.ndarray]:
    """Values of parameters at shares of their ranges: shape (n, p) of 0..1 -> name -> (n,)."""
    out = {}
    for column, item in enumerate(items):
        low, high = float(item.low or 0.0), float(item.high or 0.0)
        out[item.name] = low + (high - low) * points[:, column]
    return out


def distance(values: np.ndarray, fact: Fact) -> np.ndarray:
    """Half-widths between a value and the middle of a fact's band, shape as ``values``.

    A one-sided band has a quarter of its edge, or of what was observed, as half-width; a value that
    is not defined is as far as can be.
    """
    low, high = fact.low, fact.high
    if np.isfinite(low) and np.isfinite(high):
        half = max((high - low) / 2.0, 1e-9)
        away = np.abs(values - (low + high) / 2.0) / half
    else:
        edge = low if np.isfinite(low) else high
        scale = max(abs(edge), abs(fact.observed), 1e-9) * 0.25
        beyond = (edge - values) if np.isfinite(low) else (values - edge)
        away = np.maximum(1.0 + beyond / scale, 0.0)
    return np.where(np.isnan(away), FARTHEST, np.minimum(away, FARTHEST))


def weights_of(facts: Sequence[tuple[str, Fact]]) -> np.ndarray:
    """Weight of each fact: episodes count alike, however many facts they have, shape (facts,).

    No fact weighs more than ``HEAVIEST`` times the average one.
    """
    names = [episode for episode, _ in facts]
    whole = len(names) / len(set(names))
    return np.array([min(whole / names.count(name), HEAVIEST) for name in names])


def loss(distances: np.ndarray, weights: np.ndarray | float = 1.0) -> np.ndarray:
    """Loss of candidates, shape (n, facts) -> (n,).

    A fact out of band costs up to two, and a little for each half-width beyond, so that facts
    which no vector can meet do not pull those that can be met out of their bands.
    """
    outside = np.maximum(distances - AIM, 0.0)
    inside = INSIDE * np.minimum(distances, 1.0) ** 2
    return np.asarray((weights * (2.0 * -np.expm1(-outside) + 0.2 * outside + inside)).sum(axis=1))


def prior_loss(items: Sequence[Parameter], points: np.ndarray) -> np.ndarray:
    """Loss of candidates (n, p) by what is known beforehand, shape (n,).

    ``PRIOR`` times the sum of ``-log(density / peak)``: nothing at the modes; a triangular density
    falls straight to zero at the edges of the range, a uniform one costs nothing anywhere.
    """
    mode = _defaults(items)
    with np.errstate(divide="ignore", invalid="ignore"):
        below, above = points / mode, (1.0 - points) / (1.0 - mode)
    density = np.where(points < mode, below, np.where(points > mode, above, 1.0))
    shaped = np.array([item.shape == "triangular" for item in items])
    cost = np.where(shaped, -np.log(np.clip(density, RAREST, 1.0)), 0.0)
    return np.asarray(PRIOR * cost.sum(axis=1))


# ---- running ---------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _episode(folder: str) -> Episode:
    return load_episode(Path(folder))


def _evaluate(folder: str, overrides: dict[str, Any], worlds: np.ndarray) -> dict[str, np.ndarray]:
    """Facts of one episode for candidates, in a worker."""
    return evaluate_episode(_episode(folder), overrides, worlds, 0, batch=len(worlds))


def _run(
    plan: Plan, items: Sequence[Parameter], others: dict[str, float], points: np.ndarray, pool: Any
) -> np.ndarray:
    """Values of all scored facts for candidates, shape (n, facts)."""
    n, repeat = len(points), len(plan.draws)
    values = {k: np.repeat(v, repeat) for k, v in to_values(items, points).items()}
    overrides: dict[str, Any] = {**others, **values}
    worlds = np.tile(np.asarray(plan.draws), n)
    if pool is None:
        found = [_evaluate(str(f), overrides, worlds) for f in plan.episodes]
    else:
        jobs = [pool.submit(_evaluate, str(f), overrides, worlds) for f in plan.episodes]
        found = [job.result() for job in jobs]
    columns = []
    for folder, values_of in zip(plan.episodes, found, strict=True):
        for fact in _episode(str(folder)).facts:
            if fact.scored:
                columns.append(values_of[fact.id].reshape(n, repeat).mean(axis=1))
    return np.stack(columns, axis=1)


def scored_facts(folders: Sequence[Path]) -> list[tuple[str, Fact]]:
    """Facts that count, with their episode, in the order of the columns."""
    return [
        (_episode(str(f)).name, fact)
        for f in folders
        for fact in _episode(str(f)).facts
        if fact.scored
    ]


def others_of(chain: Any, items: Sequence[Parameter]) -> dict[str, float]:
    """Parameters that are not fitted, at their defaults."""
    fitted = {p.name for p in items}
    return {
        name: float(p.default)
        for name, p in chain.parameters.items()
        if name not in fitted and p.default is not None and not isinstance(p.default, str)
    }


def calibrate(
    plan: Plan,
    folder: Path,
    workers: int = 0,
    say: Say | None = None,
    spread_of: Fit | None = None,
    begin: Fit | None = None,
) -> Fit:
    """Search, or go on with a search that was interrupted.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Where the search is kept (``search.pickle``, ``plan.json``).
    workers : int
        Processes; 0: as many as there are cores, at most one an episode.
    say : callable, optional
        Told a line after every generation.
    spread_of : Fit, optional
        A finished calibration on these and more facts: its even spread (which no fact guided) is
        taken over instead of being run again.
    begin : Fit, optional
        An earlier calibration (perhaps of an earlier program): the first search starts at its
        best vector, and closer.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        The folder holds a search of another plan.
    """
    import cma

    chain = load_chain()
    items = fitted_parameters(chain)
    others = others_of(chain, items)
    names = [p.name for p in items]
    facts = scored_facts(plan.episodes)
    middle = _defaults(items)
    fit = _resume(plan, folder, names, facts)
    tell = say or (lambda text: None)
    count = min(workers or os.cpu_count() or 1, len(plan.episodes))
    pool = None
    if count > 1:
        import multiprocessing

        pool = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))

    def weigh(points: np.ndarray, values: np.ndarray) -> np.ndarray:
        away = np.stack([distance(values[:, i], f) for i, (_, f) in enumerate(facts)], axis=1)
        return loss(away, weights_of(facts)) + prior_loss(items, points)

    def add(points: np.ndarray) -> np.ndarray:
        values = _run(plan, items, others, points, pool) + fit.shift
        losses = weigh(points, values)
        fit.points = np.concatenate([fit.points, points])
        fit.values = np.concatenate([fit.values, values])
        fit.losses = np.concatenate([fit.losses, losses])
        return losses

    def search(stage: int, generations: int, from_: np.ndarray, step: float) -> None:
        """Go on with a search over the parameters of ``fit.seen``, or begin it."""
        columns = np.flatnonzero(np.asarray(fit.seen))
        done = fit.done.get(stage, 0)
        if done >= generations:
            return
        if done:
            strategy = pickle.loads(fit.search)
        else:
            strategy = cma.CMAEvolutionStrategy(
                from_[columns],
                step,
                {
                    "bounds": [0.0, 1.0],
                    "popsize": plan.population,
                    "seed": 1 + plan.seed * 1000 + stage,
                    "verbose": -9,
                },
            )
        while done < generations:
            asked = np.clip(np.array(strategy.ask()), 0.0, 1.0)
            points = np.tile(middle, (len(asked), 1))
            points[:, columns] = asked
            losses = add(points)
            strategy.tell(list(asked), losses.tolist())
            done += 1
            fit.done[stage] = done
            fit.search = pickle.dumps(strategy)
            _keep(plan, folder, fit)
            inside = in_band(fit.values[-len(losses) :][int(np.argmin(losses))], facts)
            what = "again" if stage == plan.starts else f"start {stage + 1}"
            tell(
                f"{what}, generation {done}: best loss {fit.losses[fit.best]:.2f}, "
                f"this one {losses.min():.2f} with {inside} of {len(facts)} facts in band"
            )

    def descend(turns: int) -> None:
        """Go down on a local model of every fact, made anew around the best in every turn."""
        stage = plan.starts + 1
        radius = TRUST
        columns = np.flatnonzero(np.asarray(fit.seen))
        while fit.done.get(stage, 0) < turns:
            before = fit.losses[fit.best]
            best = fit.points[fit.best].copy()
            add(_around(best, columns, 0.5 * radius))
            model = _local_model(fit, best, columns, 1.5 * radius)
            seed = 1 + plan.seed * 1000 + stage + fit.done.get(stage, 0)
            lowest = _lowest(model, weigh, best, columns, radius, seed)
            ways = np.concatenate([np.linspace(0.2, 1.3, 12), np.full(12, 1.0)])
            tried = best + ways[:, None] * (lowest - best)
            turned = uniforms(plan.seed, f"calibration/turned/{seed}", np.arange(12 * len(columns)))
            tried[12:, columns] += radius * (turned.reshape(12, -1) - 0.5) / 2.0
            add(np.clip(tried, 0.0, 1.0))
            gained = before - fit.losses[fit.best]
            radius = min(radius * 1.3, 0.3) if gained > 0.02 else radius * 0.6
            fit.done[stage] = fit.done.get(stage, 0) + 1
            _keep(plan, folder, fit)
            inside = in_band(fit.values[fit.best], facts)
            tell(
                f"descent {fit.done[stage]}: best loss {fit.losses[fit.best]:.2f} "
                f"with {inside} of {len(facts)} facts in band"
            )

    def let_go() -> None:
        """Put back to their middles what the facts do not hold, as long as that costs hardly any.

        What history has not seen is drawn from its whole range later on. Numbers of which each
        alone does not matter may matter together: those are kept.
        """
        known = identify(fit, posterior(fit))
        point, allowed = fit.points[fit.best].copy(), fit.losses[fit.best] + FORGIVEN
        seen = np.asarray(fit.seen).copy()
        loose = [i for i in np.flatnonzero(seen) if known[names[i]]["verdict"] == "free"]
        for i in sorted(loose, key=lambda i: abs(point[i] - middle[i])):
            trial = point.copy()
            trial[i] = middle[i]
            if add(trial[None, :])[0] <= allowed:
                point, seen[i] = trial, False
        fit.seen = seen
        fit.since = len(fit.points)
        add(point[None, :])
        tell(f"{int(seen.sum())} parameters are known from the facts, alone or together")

    def settle(turn: int) -> None:
        """Look around the best, and count values as the median world has them from here on."""
        if fit.settled > turn:
            return
        _look_around(plan, fit, items, add)
        tell(f"looked around the best: {len(fit.points)} candidates in all")
        if turn == 0:
            let_go()
        shift = _shift(plan, fit, pool)
        fit.values = fit.values + (shift - fit.shift)
        fit.losses = weigh(fit.points, fit.values)
        fit.shift = shift
        fit.settled = turn + 1
        _keep(plan, folder, fit)
        tell(f"values counted as the median world has them: best loss {fit.losses[fit.best]:.2f}")

    try:
        if not plan.draws:
            plan = replace(plan, draws=(_ordinary(plan, items, others, pool),))
        if fit.seen is None:
            from scipy.stats import qmc

            if begin is not None:
                fit.shift = np.array([_shift_of(begin, label) for label in fit.facts])
            spread = qmc.Sobol(len(items), seed=plan.seed).random(SCREEN)
            if spread_of is not None and not len(fit.points):
                columns = [spread_of.facts.index(label) for label in fit.facts]
                fit.points = spread_of.points[:SCREEN]
                fit.values = spread_of.values[:SCREEN, columns] - spread_of.shift[columns]
                fit.losses = weigh(fit.points, fit.values)
            for first in range(len(fit.points), SCREEN, 2 * plan.population):
                add(spread[first : first + 2 * plan.population])
                _keep(plan, folder, fit)
            seen = seen_by_history(fit.points[:SCREEN], fit.values[:SCREEN])
            near = middle if begin is None else _best_of(begin, names, middle)
            fit.seen = seen | _moves_nearby(near, ~seen, add, fit, facts)
            _keep(plan, folder, fit)
            tell(
                f"{int(fit.seen.sum())} of {len(items)} parameters move some fact, "
                f"{int(seen.sum())} of them everywhere"
            )
        for start in range(plan.starts):
            if start:
                search(start, plan.generations, _start_of(fit, start - 1), 0.2)
            elif begin is None:
                search(start, plan.generations, middle, 0.15)
            else:
                search(start, plan.generations, _best_of(begin, names, middle), 0.1)
        settle(0)
        search(plan.starts, max(plan.generations // 4, 1), fit.points[fit.best], 0.08)
        descend(DESCENTS)
        settle(1)
    finally:
        if pool is not None:
            pool.shutdown()
    return fit


def _around(point: np.ndarray, columns: np.ndarray, step: float) -> np.ndarray:
    """A step up and a step down along each of the columns, within the ranges, (2 columns, p)."""
    out = np.tile(point, (2 * len(columns), 1))
    rows = np.arange(len(columns))
    up, down = point[columns] + step, point[columns] - step
    # At an edge both steps go inwards, one of them half as far.
    out[2 * rows, columns] = np.where(up > 1.0, point[columns] - 0.5 * step, up)
    out[2 * rows + 1, columns] = np.where(down < 0.0, point[columns] + 0.5 * step, down)
    return np.clip(out, 0.0, 1.0)


def _local_model(
    fit: Fit, best: np.ndarray, columns: np.ndarray, reach: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Facts near the best as sums of parabolas, one a parameter, by least squares with a ridge.

    Returns
    -------
    callable
        Points (n, p) -> values (n, facts).
    """
    apart = fit.points - best
    near = np.abs(apart).max(axis=1) <= reach
    still = np.setdiff1d(np.arange(fit.points.shape[1]), columns)
    near &= np.abs(apart[:, still]).max(axis=1, initial=0.0) < 1e-9
    at = fit.values[fit.best]

    def features(points: np.ndarray) -> np.ndarray:
        step = (points - best)[:, columns] / reach
        return np.concatenate([step, step**2], axis=1)

    known = fit.values[near] - at
    x = features(fit.points[near])
    # What is undefined somewhere counts as no change there.
    y = np.where(np.isfinite(known), known, 0.0)
    slopes = np.linalg.solve(x.T @ x + 1e-3 * np.eye(x.shape[1]), x.T @ y)
    return lambda points: at + features(points) @ slopes


def _lowest(
    model: Callable[[np.ndarray], np.ndarray],
    weigh: Callable[[np.ndarray, np.ndarray], np.ndarray],
    best: np.ndarray,
    columns: np.ndarray,
    radius: float,
    seed: int,
) -> np.ndarray:
    """Point (p,) with the least loss on a model of the facts, at most ``radius`` from the best."""
    import cma

    low = np.maximum(best[columns] - radius, 0.0).tolist()
    high = np.minimum(best[columns] + radius, 1.0).tolist()
    bounds = {"bounds": [low, high], "popsize": 48, "seed": seed, "verbose": -9, "maxiter": 200}
    strategy = cma.CMAEvolutionStrategy(best[columns], 0.3 * radius, bounds)
    while not strategy.stop():
        asked = np.array(strategy.ask())
        points = np.tile(best, (len(asked), 1))
        points[:, columns] = np.clip(asked, 0.0, 1.0)
        strategy.tell(list(asked), weigh(points, model(points)).tolist())
    out = best.copy()
    out[columns] = np.clip(strategy.result.xbest, low, high)
    return out


def _shift(plan: Plan, fit: Fit, pool: Any) -> np.ndarray:
    """What the median world shows beyond the one world of the candidates, shape (facts,).

    Candidates run on the draws of one ordinary world, with what is not fitted at its default. The
    facts are held against the median of worlds in which dates, lengths and all that history has
    not seen are drawn: the difference is measured with the posterior so far.
    """
    members = posterior(fit)
    one = np.median(fit.values[members] - fit.shift, axis=0)
    worlds = np.arange(SHIFT_WORLDS)
    jobs: list[Any] = []
    held = _held(fit)
    for folder in plan.episodes:
        jobs.append(
            _with_members(str(folder), held, worlds)
            if pool is None
            else pool.submit(_with_members, str(folder), held, worlds)
        )
    found = [job if pool is None else job.result() for job in jobs]
    many = np.array(
        [
            np.nanmedian(values[fact.id])
            for folder, values in zip(plan.episodes, found, strict=True)
            for fact in _episode(str(folder)).facts
            if fact.scored
        ]
    )
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(many - one), many - one, 0.0)


def _shift_of(fit: Fit, label: tuple[str, str]) -> float:
    """Shift of one fact in an earlier calibration; none if it did not know the fact."""
    return float(fit.shift[fit.facts.index(label)]) if label in fit.facts else 0.0


def _with_members(
    folder: str, held: dict[str, tuple[float, ...]], worlds: np.ndarray
) -> dict[str, np.ndarray]:
    """Facts of one episode in worlds that draw their behaviour from members, in a worker."""
    episode = _episode(folder)
    drawn = replace(episode, chain=replace(episode.chain, posterior=held))
    return evaluate_episode(drawn, {}, worlds, 0)


def _ordinary(plan: Plan, items: Sequence[Parameter], others: dict[str, float], pool: Any) -> int:
    """World whose other draws bring all facts nearest to their medians, behaviour at defaults."""
    worlds = replace(plan, draws=tuple(range(ORDINARY)))
    usual = {p.name: float(p.default) for p in items}  # type: ignore[arg-type]
    values = []
    for folder in plan.episodes:
        job = (str(folder), {**others, **usual}, np.asarray(worlds.draws))
        found = _evaluate(*job) if pool is None else pool.submit(_evaluate, *job).result()
        values += [found[f.id] for f in _episode(str(folder)).facts if f.scored]
    table = np.stack(values)
    apart = np.abs(table - np.nanmedian(table, axis=1, keepdims=True))
    scale = np.nanmedian(apart, axis=1, keepdims=True) + 1e-9
    far = np.where(np.isnan(apart), FARTHEST, np.minimum(apart / scale, FARTHEST))
    return int(np.argmin(far.sum(axis=0)))


def in_band(values: np.ndarray, facts: Sequence[tuple[str, Fact]]) -> int:
    """Number of facts in band, for the values (facts,) of one candidate."""
    return sum(bool(fact.low <= v <= fact.high) for v, (_, fact) in zip(values, facts, strict=True))


def seen_by_history(points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which parameters move some fact: rank correlations over an even spread, shape (p,) bool."""
    from scipy.stats import rankdata

    ranks = rankdata(points, axis=0)
    known = np.where(np.isfinite(values), values, np.nan)
    out = np.zeros(points.shape[1], dtype=bool)
    for column in known.T:
        there = ~np.isnan(column)
        if there.sum() < len(column) // 2 or np.ptp(column[there]) == 0.0:
            continue
        rank = rankdata(column[there])
        both = np.corrcoef(np.vstack([rank, ranks[there].T]))[0, 1:]
        out |= np.abs(np.nan_to_num(both)) > LOUD
    return out


def _moves_nearby(
    point: np.ndarray,
    asked: np.ndarray,
    add: Callable[[np.ndarray], np.ndarray],
    fit: Fit,
    facts: Sequence[tuple[str, Fact]],
) -> np.ndarray:
    """Which of the parameters ``asked`` (p,) move a fact by a quarter of its band from ``point``.

    What the even spread does not show may matter near a solution: over the whole space most
    vectors explode or sleep.
    """
    columns = np.flatnonzero(asked)
    turned = np.tile(point, (2 * len(columns), 1))
    turned[::2, :][np.arange(len(columns)), columns] = 0.1
    turned[1::2, :][np.arange(len(columns)), columns] = 0.9
    if not len(columns):
        return np.zeros(len(asked), dtype=bool)
    add(turned)
    away = np.stack(
        [distance(fit.values[-len(turned) :, i], fact) for i, (_, fact) in enumerate(facts)], axis=1
    )
    out = np.zeros(len(asked), dtype=bool)
    out[columns] = (np.abs(away[::2] - away[1::2]) > NEARBY).any(axis=1)
    return out


def _best_of(begin: Fit | None, names: Sequence[str], middle: np.ndarray) -> np.ndarray:
    """Best vector of an earlier calibration; parameters that it did not know at their defaults."""
    assert begin is not None
    point = dict(zip(begin.names, begin.points[begin.best], strict=True))
    return np.array(
        [np.clip(point.get(n, m), 0.02, 0.98) for n, m in zip(names, middle, strict=True)]
    )


def _start_of(fit: Fit, start: int) -> np.ndarray:
    """Where a further search starts: the best of the even spread, then its next best."""
    order = np.argsort(fit.losses[:SCREEN], kind="stable")
    return np.clip(fit.points[order[start]], 0.05, 0.95)


def _look_around(
    plan: Plan, fit: Fit, items: Sequence[Parameter], add: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Walk along each parameter alone from the best, and scatter around the best ones."""
    search_in = np.flatnonzero(np.asarray(fit.seen))
    best = fit.points[fit.best].copy()
    least = fit.losses[fit.best] - prior_loss(items, best[None, :])[0]
    levels = (np.arange(LEVELS) + 0.5) / LEVELS
    alone = np.tile(best, (len(search_in) * LEVELS, 1))
    for row, column in enumerate(search_in):
        alone[row * LEVELS : (row + 1) * LEVELS, column] = levels
    losses = np.concatenate(
        [add(alone[i : i + 2 * plan.population]) for i in range(0, len(alone), 2 * plan.population)]
    )
    profile = np.full((len(fit.names), LEVELS), np.nan)
    of_facts = losses - prior_loss(items, alone) - least
    profile[search_in] = of_facts.reshape(len(search_in), LEVELS)
    # Scatter: mixtures of good candidates, a little apart (differences of pairs keep the ridges).
    for turn in range(SCATTER):
        order = fit.ranked()[: 4 * plan.population]
        size = 2 * plan.population
        draws = [
            uniforms(plan.seed, f"calibration/scatter/{turn}/{k}", np.arange(size))
            for k in range(4)
        ]
        base, one, two = (order[(u * len(order)).astype(int)] for u in draws[:3])
        step = 0.4 + 0.8 * draws[3]
        points = fit.points[base] + step[:, None] * (fit.points[one] - fit.points[two])
        add(
            np.clip(
                np.where(points < 0.0, -points, np.where(points > 1.0, 2.0 - points, points)),
                0.0,
                1.0,
            )
        )
    fit.best_alone = profile


def prior_spread(items: Sequence[Parameter]) -> np.ndarray:
    """Standard deviation of each prior, as a share of its range, shape (p,)."""
    mode = _defaults(items)
    shaped = np.array([item.shape == "triangular" for item in items])
    return np.sqrt(np.where(shaped, (1.0 - mode + mode**2) / 18.0, 1.0 / 12.0))


def _defaults(items: Sequence[Parameter]) -> np.ndarray:
    """The defaults, which are the modes of the priors, as shares of the ranges."""
    return np.array(
        [
            np.clip((float(p.default) - p.low) / (p.high - p.low), 0.0, 1.0)  # type: ignore
            for p in items
        ]
    )


def _resume(plan: Plan, folder: Path, names: list[str], facts: Sequence[tuple[str, Fact]]) -> Fit:
    labels = [(episode, fact.id) for episode, fact in facts]
    held = folder / "search.pickle"
    if not held.exists():
        empty = np.zeros((0, len(names)))
        blank = np.zeros(len(labels))
        return Fit(names, labels, empty, np.zeros((0, len(labels))), np.zeros(0), shift=blank)
    known = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    known["draws"] = known["draws"] if plan.draws else []
    if known != plan.key(names):
        raise InputError(
            "this folder holds a calibration of another plan",
            file=folder,
            key="out",
            hint="Give another folder with out=DIR, or remove this one.",
        )
    fit = pickle.loads(held.read_bytes())
    if fit.facts != labels:
        raise InputError(
            "this folder holds a calibration on other facts",
            file=folder,
            key="out",
            hint="Give another folder with out=DIR, or remove this one.",
        )
    return fit


def load_fit(folder: Path) -> Fit:
    """Read a calibration from its folder.

    Raises
    ------
    InputError
        There is none.
    """
    path = folder / "search.pickle"
    if not path.is_file():
        raise InputError("holds no calibration", file=folder, key="begin")
    fit: Fit = pickle.loads(path.read_bytes())
    return fit


def _keep(plan: Plan, folder: Path, fit: Fit) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(json.dumps(plan.key(fit.names)), encoding="utf-8")
    hidden = folder / ".search.pickle.part"
    hidden.write_bytes(pickle.dumps(fit))
    hidden.replace(folder / "search.pickle")


# ---- what was learnt -------------------------------------------------------------------


def posterior(fit: Fit, slack: float = SLACK, most: int = MEMBERS) -> np.ndarray:
    """Rows of the candidates that history does not tell apart from the best, best first."""
    order = fit.ranked()
    kept = order[fit.losses[order] <= fit.losses[fit.best] + slack]
    if len(kept) <= most:
        return kept
    # Spread over the losses, so that not only the last generation of one start is kept.
    pick = np.unique(np.round(np.linspace(0, len(kept) - 1, most)).astype(int))
    return kept[pick]


def identify(fit: Fit, members: np.ndarray) -> dict[str, dict[str, Any]]:
    """What the facts say about each parameter.

    Returns
    -------
    dict
        Name -> ``spread`` (share of the prior's), ``verdict`` (pinned, product, ridge, free) and,
        for a product or a ridge, the parameter it moves with and the correlation.
    """
    points = fit.points[members]
    priors = load_chain().parameters
    spread = points.std(axis=0) / prior_spread([priors[name] for name in fit.names])
    with np.errstate(invalid="ignore"):  # what was never moved has no correlation
        together = np.corrcoef(points.T) if len(members) > 2 else np.eye(points.shape[1])
    out = {}
    for i, name in enumerate(fit.names):
        if fit.seen is not None and not fit.seen[i]:
            out[name] = {"spread": 1.0, "with": None, "correlation": None, "verdict": "free"}
            continue
        others = np.where(np.arange(len(fit.names)) == i, 0.0, np.nan_to_num(together[i]))
        mate = int(np.argmax(np.abs(others)))
        row: dict[str, Any] = {"spread": float(spread[i]), "with": None, "correlation": None}
        if fit.best_alone is not None and np.all(np.isfinite(fit.best_alone[i])):
            row["range_within_slack"] = float(np.mean(fit.best_alone[i] <= SLACK))
        if row.get("range_within_slack", 0.0) == 1.0:
            # Flat alone, and kept all the same: known only together with others.
            row["verdict"] = "ridge" if fit.since else "free"
        elif abs(others[mate]) > TOGETHER:
            # Two quantiles that fall against each other leave their product as it is.
            word = "product" if others[mate] < 0.0 else "ridge"
            row.update(verdict=word, correlation=float(others[mate]), **{"with": fit.names[mate]})
        elif spread[i] > AS_WIDE:
            row["verdict"] = "free"
        else:
            row["verdict"] = "pinned"
        out[name] = row
    return out


def findings(plan: Plan, fit: Fit) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was learnt, as lines of two tables: fact by fact, parameter by parameter."""
    members = posterior(fit)
    facts = []
    for i, (episode, fact) in enumerate(scored_facts(plan.episodes)):
        found = fit.values[members, i]
        low, high = np.nanquantile(found, (0.05, 0.95)) if len(found) else (np.nan, np.nan)
        best = float(fit.values[fit.best, i])
        facts.append(
            {
                "episode": episode,
                "fact": fact.id,
                "band": f"{fact.low:g}..{fact.high:g}",
                "best": f"{best:.3g}",
                "p05_to_p95": f"{low:.3g}..{high:.3g}",
                "in_band": "yes" if fact.low <= best <= fact.high else "NO",
            }
        )
    items = {p.name: p for p in fitted_parameters(load_chain())}
    known = identify(fit, members)
    values = to_values([items[n] for n in fit.names], fit.points)
    parameters = []
    for name, row in known.items():
        found = values[name][members]
        low, high = np.quantile(found, (0.05, 0.95))
        word = row["verdict"]
        if row["with"]:
            word += f" with {row['with']} ({row['correlation']:+.2f})"
        parameters.append(
            {
                "parameter": name,
                "range": f"{items[name].low:g}..{items[name].high:g}",
                "best": f"{values[name][fit.best]:.3g}",
                "p05_to_p95": f"{low:.3g}..{high:.3g}",
                "spread": f"{row['spread']:.0%}",
                "verdict": word,
            }
        )
    return facts, parameters


def fact_profiles(plan: Plan, fit: Fit) -> list[dict[str, Any]]:
    """Every fact along each parameter alone, from the best vector, over its whole sourced range.

    What stays outside its band along all of them cannot be met by changing one number.

    Returns
    -------
    list of dict
        ``episode, fact, parameter, value, simulated``; without parameter: the best vector itself.
    """
    items = fitted_parameters(load_chain())
    facts = scored_facts(plan.episodes)
    others = others_of(load_chain(), items)
    if not plan.draws:
        plan = replace(plan, draws=(_ordinary(plan, items, others, None),))
    best = fit.points[fit.best]
    columns = np.flatnonzero(np.asarray(fit.seen))
    levels = np.linspace(0.01, 0.99, LEVELS)
    points = np.tile(best, (1 + len(columns) * LEVELS, 1))
    for k, column in enumerate(columns):
        points[1 + k * LEVELS : 1 + (k + 1) * LEVELS, column] = levels
    found = np.concatenate(
        [
            _run(plan, items, others, points[i : i + 2 * plan.population], None)
            for i in range(0, len(points), 2 * plan.population)
        ]
    )
    found += fit.shift
    values = to_values(items, points)
    rows = []
    for i, (episode, fact) in enumerate(facts):
        rows.append(
            {"episode": episode, "fact": fact.id, "parameter": "", "value": np.nan,
             "simulated": found[0, i]}
        )  # fmt: skip
        for k, column in enumerate(columns):
            name = fit.names[column]
            for j in range(1 + k * LEVELS, 1 + (k + 1) * LEVELS):
                rows.append(
                    {"episode": episode, "fact": fact.id, "parameter": name,
                     "value": values[name][j], "simulated": found[j, i]}
                )  # fmt: skip
    return rows


def posterior_rows(fit: Fit) -> tuple[list[str], np.ndarray]:
    """Parameters that history has seen and their values in every member, (members, names)."""
    members = posterior(fit)
    known = identify(fit, members)
    items = {p.name: p for p in fitted_parameters(load_chain())}
    values = to_values([items[n] for n in fit.names], fit.points)
    names = [n for n in fit.names if known[n]["verdict"] != "free"]
    return names, np.stack([values[n][members] for n in names], axis=1)


def with_posterior(episode: Episode, fit: Fit) -> Episode:
    """The episode on a chain that draws its behaviour from a calibration."""
    return replace(episode, chain=replace(episode.chain, posterior=_held(fit)))


def _held(fit: Fit) -> dict[str, tuple[float, ...]]:
    """Parameter -> its value in every member, as a chain holds them."""
    names, rows = posterior_rows(fit)
    return {name: tuple(map(float, rows[:, i])) for i, name in enumerate(names)}


def cross_validate(
    plan: Plan,
    folder: Path,
    whole: Fit,
    unseen: Sequence[Path],
    workers: int = 0,
    worlds: int = 64,
    say: Say | None = None,
) -> list[dict[str, Any]]:
    """Leave each episode out in turn, fit on the others, and score the facts that were not seen.

    Parameters
    ----------
    plan : Plan
        Of the whole calibration; each fit has one start, from the modes of the priors.
    folder : Path
        Searches are kept in ``folder/without_NAME`` and go on where they were.
    whole : Fit
    unseen : sequence of Path
        Episodes to leave out.
    worlds : int
        Worlds that score.

    Returns
    -------
    list of dict
        Rows of ``crossvalidation.csv``.
    """
    rows: list[dict[str, Any]] = []
    for left in unseen:
        name = _episode(str(left)).name
        part = replace(
            plan,
            episodes=tuple(p for p in plan.episodes if p != left),
            starts=1,
        )
        fit = calibrate(part, folder / f"without_{name}", workers, say, spread_of=whole)
        episode = with_posterior(_episode(str(left)), fit)
        for _, _, verdicts in score([episode], worlds=worlds, workers=workers):
            rows += [
                {
                    "episode": v.episode,
                    "fact": v.fact.id,
                    "band_low": v.fact.low,
                    "band_high": v.fact.high,
                    "simulated_p05": v.p05,
                    "simulated_p50": v.p50,
                    "simulated_p95": v.p95,
                    "pass": v.passed is True,
                }
                for v in verdicts
                if v.fact.scored
            ]
    return rows


def posterior_text(fit: Fit) -> str:
    """The posterior as the CSV that ``load_chain`` reads: a column a parameter, a row a member."""
    names, rows = posterior_rows(fit)
    lines = [",".join(names), *(",".join(f"{x:.6g}" for x in row) for row in rows)]
    return "\n".join(lines) + "\n"
