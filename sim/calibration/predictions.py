"""Pre-registered predictions: bands for dates that have not come, from a commit that is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.backcast.episodes import Fact, read_episode
from lodestone.backcast.score import replay_episode
from lodestone.border.errors import InputError
from lodestone.border.paths import seeds_root
from lodestone.border.yamlfile import read_yaml
from lodestone.calibration.discrepancy import band
from lodestone.calibration.kept import scale_of_kept, shipped_facts

__all__ = ["Prediction", "predict", "read_predictions"]

KEYS = ("id", "text", "series", "statistic", "resolved", "by", "void", "unit")
#: Worlds of a prediction.
WORLDS = 200


@dataclass(frozen=True)
class Prediction:
    """One prediction.

    Attributes
    ----------
    fact : Fact
        What is foretold; its observed value is not known.
    resolved : str
        Date from which on it can be decided.
    by : str
        What decides it.
    void : str
        When it is neither hit nor miss.
    p05, p50, p95 : float
        With the model's discrepancy, in the unit of the fact.
    """

    fact: Fact
    resolved: str
    by: str
    void: str
    p05: float = np.nan
    p50: float = np.nan
    p95: float = np.nan


def read_predictions(file: Path | None = None) -> tuple[Any, list[Prediction]]:
    """The episode of the predictions and what each is about, checked as an episode is.

    Raises
    ------
    InputError
        Naming file, key and what is wrong.
    """
    path = file or seeds_root() / "predictions.yaml"
    document = read_yaml(path)
    given = document.data.get("predictions")
    if not isinstance(given, list) or not given:
        raise InputError("must be a list of predictions", file=path, key="predictions")
    facts = []
    for number, item in enumerate(given):
        at = f"predictions.{number}"
        for key in item:
            if key not in KEYS:
                raise InputError("unknown key", file=path, key=f"{at}.{key}")
        for key in ("resolved", "by", "void"):
            if not item.get(key):
                raise InputError(f"'{key}' is missing", file=path, key=at)
        kept = {k: v for k, v in item.items() if k not in ("resolved", "by", "void")}
        facts.append({**kept, "observed": 0.0, "band": [None, 1e12]})  # not known yet
    head: Mapping[str, Any] = {k: v for k, v in document.data.items() if k != "predictions"}
    episode = read_episode(path, {**head, "facts": facts})
    asked = {item["id"]: item for item in given}
    return episode, [
        Prediction(f, str(asked[f.id]["resolved"]), asked[f.id]["by"], asked[f.id]["void"])
        for f in episode.facts
    ]


def predict(file: Path | None = None, worlds: int = WORLDS, seed: int = 0) -> list[Prediction]:
    """Run the scenario and say a median and a 5-95 % band of each, the discrepancy included."""
    episode, asked = read_predictions(file)
    found = replay_episode(episode, None, worlds, seed)
    scale = scale_of_kept(shipped_facts())
    out = []
    for item in asked:
        low, middle, high = band(item.fact, found.values[item.fact.id], scale)
        out.append(Prediction(item.fact, item.resolved, item.by, item.void, low, middle, high))
    return out
