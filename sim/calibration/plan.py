"""What is fitted to what: episodes, controls, parameters, sizes of the ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.backcast.episodes import Episode, Fact, find_episodes, load_episode
from lodestone.border.paths import seeds_root
from lodestone.calibration.loss import error_of
from lodestone.chain.load import load_chain
from lodestone.chain.nouns import Parameter

__all__ = [
    "FITTED",
    "Ensemble",
    "Plan",
    "Target",
    "control_files",
    "episode_of",
    "fitted_parameters",
    "shipped_plan",
]

#: Error of a control world's fact, of that of its kind.
CONTROL = 0.25
#: Standings of parameters that history may teach something about; all others keep their prior.
FITTED = ("pinned", "product", "ridge", "free")


@dataclass(frozen=True)
class Target:
    """A fact of the fit.

    Attributes
    ----------
    history : str
        Episodes of one history are left out together.
    control : bool
        A world in which nothing happened: it holds the fit, but is no fact.
    """

    episode: str
    history: str
    fact: Fact
    control: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Episode and fact."""
        return self.episode, self.fact.id

    @property
    def error(self) -> float:
        """Discrepancy before scaling; a control world has no sources, so a quarter of it."""
        return error_of(self.fact) * (CONTROL if self.control else 1.0)


@dataclass(frozen=True)
class Plan:
    """What is fitted to what.

    Attributes
    ----------
    episodes, controls : tuple of Path
        Files of the episodes whose scored facts count, and of the control worlds.
    members : int
        Size of an ensemble; a member is a world.
    steps : int
        Times that the data are assimilated, each time with a larger error.
    seeds : tuple of int
        One ensemble each; they are pooled.
    market_days : float
    fold_steps : int
        Steps of the fits that leave a history out; 0: as many.
    """

    episodes: tuple[Path, ...]
    controls: tuple[Path, ...] = ()
    members: int = 200
    steps: int = 6
    seeds: tuple[int, ...] = (0,)
    market_days: float = 7.0
    fold_steps: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Episodes, then controls."""
        return (*self.episodes, *self.controls)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Facts that count, in the order of the columns of every ensemble."""
        return tuple(
            Target(e.name, e.history, fact, file in self.controls)
            for file in self.files
            for e in [episode_of(str(file))]
            for fact in e.facts
            if fact.scored
        )

    @property
    def histories(self) -> list[str]:
        """Histories of the episodes, each once."""
        return list(dict.fromkeys(t.history for t in self.targets if not t.control))

    def without(self, history: str) -> Plan:
        """The plan with all episodes of one history left out, and the steps of a fold."""
        kept = tuple(f for f in self.episodes if episode_of(str(f)).history != history)
        return replace(self, episodes=kept, steps=self.fold_steps or self.steps)

    def only(self, history: str) -> Plan:
        """The plan with the episodes of one history and no control."""
        kept = tuple(f for f in self.episodes if episode_of(str(f)).history == history)
        return replace(self, episodes=kept, controls=())


@lru_cache(maxsize=64)
def episode_of(file: str) -> Episode:
    """An episode whose chain draws all behaviour from its priors, whatever was fitted before."""
    episode = load_episode(Path(file))
    return replace(episode, chain=replace(episode.chain, posterior={}))


def control_files() -> tuple[Path, ...]:
    """Control worlds that come along."""
    return tuple(sorted((seeds_root() / "controls").glob("*/episode.yaml")))


def shipped_plan(names: Sequence[Path] = (), **how: Any) -> Plan:
    """A plan of the files given, or of all shipped episodes, with the shipped controls."""
    files = tuple(dict.fromkeys(names)) or tuple(find_episodes().values())
    return Plan(files, control_files(), **how)


def fitted_parameters(chain: Any = None) -> list[Parameter]:
    """Parameters of behaviour that have a range and that episodes can speak about."""
    chain = chain or load_chain()
    return [
        p
        for p in chain.parameters.values()
        if p.standing in FITTED
        and p.shape != "fixed"
        and p.low is not None
        and p.high is not None
        and p.low < p.high
    ]


@dataclass
class Ensemble:
    """Members of one assimilation.

    Attributes
    ----------
    names : list of str
        Parameters, all that have a prior.
    moved : ndarray of bool, shape (p,)
        Those that the data may move.
    scores : ndarray, shape (p, n)
        Normal scores of each parameter's prior: 0 is its median, whatever its shape.
    worlds : ndarray of int, shape (n,)
        World whose other draws (dates, lengths, inputs in doubt) a member has.
    predicted : ndarray, shape (n, facts)
        In the unit of each fact; ``nan`` not defined, ``inf`` never.
    """

    names: list[str]
    moved: np.ndarray
    scores: np.ndarray
    worlds: np.ndarray
    predicted: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
