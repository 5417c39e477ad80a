"""Running an ensemble: members are worlds of one batch, episodes with one scenario run once.

What was run is kept on disk under a name made of everything that decides it (code, seeds,
scenario, members), so a calibration that was stopped goes on where it was, and fits that begin
with the same members share their first runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.backcast.score import evaluate, record, with_overrides
from lodestone.border.paths import seeds_root
from lodestone.calibration.plan import Plan, episode_of
from lodestone.outputs.provenance import canonical, code_hash, folder_hash, sha

__all__ = ["Forward", "clusters"]

#: Where facts are read off a run.
_BACKCAST = Path(__file__).resolve().parents[1] / "backcast"
#: Tables that do not change a run whose behaviour is given: results, words, sources.
NO_MATTER = (
    "posterior.csv",
    "fit_facts.csv",
    "fit_parameters.csv",
    "observed.csv",
    "bibliography.csv",
    "assumptions.csv",
    "claims.csv",
    "claims_verdicts.csv",
    "contradictions.csv",
    "systems.csv",
)
#: Members of one job.
BATCH = 80

Say = Callable[[str], None]


def _alike(file: Path) -> dict[str, str]:
    """Case -> what makes two runs the same but for where they end."""
    episode = episode_of(str(file))
    out = {}
    for case, (scenario, _) in episode.cases().items():
        told = {k: v for k, v in scenario.to_dict().items() if k not in ("end", "name", "title")}
        out[case] = sha(canonical([episode.chain.vintage.name, told]))
    return out


def clusters(files: Sequence[Path]) -> list[tuple[Path, ...]]:
    """Files that have a run in common, together; each file once, in the order given."""
    groups: list[tuple[list[Path], set[str]]] = []
    for file in files:
        runs = set(_alike(file).values())
        joined = [g for g in groups if g[1] & runs]
        new = ([f for g in joined for f in g[0]] + [file], runs.union(*(g[1] for g in joined)))
        groups = [g for g in groups if g not in joined] + [new]
    return [tuple(g[0]) for g in groups]


def run_cluster(
    files: tuple[Path, ...],
    overrides: Mapping[str, np.ndarray],
    worlds: np.ndarray,
    seed: int,
    market_days: float,
) -> dict[str, dict[str, np.ndarray]]:
    """Facts of episodes that share runs: file -> fact id -> one value a member."""
    wanted: dict[str, list[tuple[Path, str]]] = {}
    for file in files:
        for case, key in _alike(file).items():
            wanted.setdefault(key, []).append((file, case))
    kept: dict[Path, dict[str, Any]] = {file: {} for file in files}
    for users in wanted.values():
        episodes = [(episode_of(str(file)), case) for file, case in users]
        runs = [e.cases()[case] for e, case in episodes]
        last = max(scenario.end for scenario, _ in runs)
        queries = list(dict.fromkeys(q for _, asked in runs for q in asked))
        scenario = replace(runs[0][0], end=last)
        # What an episode tells of its years is no behaviour to be fitted.
        drawn = {k: v for k, v in overrides.items() if k not in scenario.overrides}
        own = with_overrides(scenario, drawn, episodes[0][0], slice(None))
        found = record(own, episodes[0][0], queries, worlds, seed, market_days, None)
        for file, case in users:
            kept[file][case] = found
    return {
        str(file): evaluate(episode_of(str(file)), kept[file], len(worlds)).values for file in files
    }


def _tables() -> list[str]:
    """Hashes of the tables of the seeds that a run with given behaviour reads."""
    names = sorted(seeds_root().rglob("*.csv"))
    return [sha(n.read_bytes()) for n in names if n.name not in NO_MATTER]


@dataclass
class Forward:
    """From parameters to facts.

    Attributes
    ----------
    folder : Path
        Where runs are kept (``runs/``).
    pool : Executor or None
        Runs jobs in other processes.
    say : callable
        Told a line after every ensemble.
    """

    folder: Path
    pool: Executor | None = None
    say: Say = field(default=lambda text: None)

    def __post_init__(self) -> None:
        self.code = sha(canonical([code_hash(), folder_hash(_BACKCAST, "*.py"), _tables()]))

    def facts(
        self, plan: Plan, values: Mapping[str, np.ndarray], worlds: np.ndarray, seed: int
    ) -> np.ndarray:
        """Predictions of an ensemble.

        Parameters
        ----------
        plan : Plan
            Its targets are the columns.
        values : mapping
            Parameter -> one value a member, shape (n,).
        worlds : ndarray of int, shape (n,)
            World whose other draws each member has.
        seed : int
            Of those draws.

        Returns
        -------
        ndarray, shape (n, facts)
            In the unit of each fact; ``nan`` where not defined, ``inf`` where never.
        """
        parts = [slice(i, i + BATCH) for i in range(0, len(worlds), BATCH)]
        waiting: list[tuple[Path, list[tuple[Path, Any]]]] = []
        fresh = 0
        groups = clusters(plan.files)
        for files in groups:
            jobs: list[tuple[Path, Any]] = []
            for rows in parts:
                own = {k: v[rows] for k, v in values.items()}
                path = self._path(files, own, worlds[rows], seed, plan.market_days)
                if path.is_file():
                    jobs.append((path, None))
                    continue
                fresh += 1
                args = (files, own, worlds[rows], seed, plan.market_days)
                if self.pool is None:
                    self._keep(path, run_cluster(*args))
                    jobs.append((path, None))
                else:
                    jobs.append((path, self.pool.submit(run_cluster, *args)))
            waiting.append((files[0], jobs))
        columns: dict[tuple[str, str], np.ndarray] = {}
        for _, jobs in waiting:
            pieces = []
            for path, job in jobs:
                if isinstance(job, Future):
                    self._keep(path, job.result())
                with np.load(path) as held:
                    pieces.append({k: held[k] for k in held.files})
            for key in pieces[0]:
                file, fact = json.loads(key)
                columns[file, fact] = np.concatenate([p[key] for p in pieces])
        self.say(f"{len(worlds)} members, {len(groups)} runs each, {fresh} jobs new")
        return np.stack(
            [
                columns[str(file), fact.id]
                for file in plan.files
                for fact in episode_of(str(file)).facts
                if fact.scored
            ],
            axis=1,
        )

    def _path(
        self,
        files: tuple[Path, ...],
        values: Mapping[str, np.ndarray],
        worlds: np.ndarray,
        seed: int,
        market_days: float,
    ) -> Path:
        known = [self.code, [f.read_text(encoding="utf-8") for f in files], seed, market_days]
        known += [
            [int(w) for w in worlds],
            {k: v.tobytes().hex() for k, v in sorted(values.items())},
        ]
        return self.folder / "runs" / f"{sha(json.dumps(known), 20)}.npz"

    def _keep(self, path: Path, found: dict[str, dict[str, np.ndarray]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{path.stem}.part.npz")
        flat = {json.dumps([f, k]): v for f, facts in found.items() for k, v in facts.items()}
        np.savez(hidden, **flat)  # type: ignore[arg-type]
        hidden.replace(path)
