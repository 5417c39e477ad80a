"""Lodestone: a disruption simulator for the rare-earth magnet supply chain.

>>> import lodestone as lode
>>> run = lode.run("licence_shock_april_2025", worlds=50)

The names of `lodestone.api` are found here, and imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = (
    "InputError",
    "ModelError",
    "Run",
    "StudyResult",
    "backcast",
    "compare",
    "load",
    "load_chain",
    "load_scenario",
    "metrics",
    "run",
    "sweep",
    "table",
)
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module("lodestone.api"), name)
    raise AttributeError(f"module 'lodestone' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
