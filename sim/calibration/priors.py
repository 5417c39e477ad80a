"""Priors: draws as normal scores, and back to values inside their sourced range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from lodestone.chain.nouns import Parameter
from lodestone.engine.opening import parameter_spec
from lodestone.worlds.randomness import quantile, uniforms

__all__ = ["draw_scores", "to_values"]

#: Normal scores beyond which a member is held: quantiles 0.1 and 99.9 %.
FARTHEST = 3.0


def draw_scores(items: Sequence[Parameter], seed: int, members: np.ndarray) -> np.ndarray:
    """Normal scores of prior draws, shape (p, n); the same member always has the same."""
    draws = [uniforms(seed, f"calibration/{item.name}", members) for item in items]
    return np.clip(ndtri(np.clip(np.array(draws), 1e-6, 1 - 1e-6)), -FARTHEST, FARTHEST)


def to_values(items: Sequence[Parameter], scores: np.ndarray) -> dict[str, np.ndarray]:
    """Values at normal scores (p, n): name -> (n,); never outside a parameter's range."""
    return {
        item.name: quantile(parameter_spec(item), ndtr(row))
        for item, row in zip(items, scores, strict=True)
    }
