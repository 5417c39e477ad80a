"""What it takes to stop a run on a day and to go on from there, in another process if need be."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from lodestone.chain.nouns import Chain
from lodestone.interventions.effects import Effect
from lodestone.worlds.flows import Flows
from lodestone.worlds.layout import Layout
from lodestone.worlds.state import State


@dataclass(frozen=True)
class Checkpoint:
    """A run on one of its days.

    Attributes
    ----------
    day : float
        Entries of the calendar before this day have happened.
    state : State
        Everything that changes, books and sailings included.
    flows : Flows
        What passed on the last market day: rules of the next may look back at it.
    memory : list of dict
        What each intervention remembers.
    """

    day: float
    state: State
    flows: Flows
    memory: list[dict[str, Any]]


def memory_of(effects: list[Effect]) -> list[dict[str, Any]]:
    """What effects remember, copied; chain and layout are shared, not copied."""
    shared: dict[int, Any] = {}
    _share(effects, shared, set())
    return [dict(vars(effect)) for effect in copy.deepcopy(effects, shared)]


def _share(item: Any, shared: dict[int, Any], seen: set[int]) -> None:
    """Note what no copy is made of: whatever does not change in a run."""
    if id(item) in seen:
        return
    seen.add(id(item))
    if isinstance(item, Chain | Layout):
        shared[id(item)] = item
    elif isinstance(item, list | tuple | set):
        for part in item:
            _share(part, shared, seen)
    elif isinstance(item, dict):
        for part in item.values():
            _share(part, shared, seen)
    elif hasattr(item, "__dict__") and not isinstance(item, type):
        for part in vars(item).values():
            _share(part, shared, seen)


def put_back(effect: Any, memory: dict[str, Any]) -> None:
    """Put what an effect remembered into a fresh one, and into what it holds."""
    for name, value in memory.items():
        own = getattr(effect, name, None)
        if isinstance(value, np.ndarray | bool | int | float | str) or value is None:
            setattr(effect, name, copy.copy(value))
        elif type(own) is type(value) and hasattr(value, "__dict__"):
            frozen = getattr(getattr(value, "__dataclass_params__", None), "frozen", False)
            declared = isinstance(value, BaseModel)  # what was asked for does not change in a run
            if not frozen and not declared and not isinstance(value, Effect | Layout):
                put_back(own, vars(value))
        elif isinstance(value, list) and all(isinstance(v, np.ndarray) for v in value):
            setattr(effect, name, [v.copy() for v in value])


__all__ = ["Checkpoint", "memory_of", "put_back"]
