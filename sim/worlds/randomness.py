"""Keyed random streams: the only importer of ``numpy.random``.

World ``k`` of a stream is the ``k``-th number of a Philox generator keyed by
``(seed, stream name)``. A world therefore sees the same numbers whether it runs alone, in a
batch of 8 or of 1,000, in one process or in many, and whatever other streams exist
(common random numbers across scenarios).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.random import Generator, Philox

from lodestone.border.abreast import Abreast, NotAbreast
from lodestone.border.numbers import Distribution, Number

#: Worlds up to which the numbers of a stream are kept.
KEPT = 1024


def uniforms(seed: int, stream: str, worlds: np.ndarray) -> np.ndarray:
    """Uniform numbers in [0, 1) of one stream for the given worlds.

    Parameters
    ----------
    seed : int
        Random seed of the ensemble.
    stream : str
        Name of the stream; equal names give equal numbers.
    worlds : ndarray of int, shape (w,)
        World numbers, counted from 0.

    Returns
    -------
    ndarray, shape (w,)
        One number per world, the same whatever else is drawn.
    """
    count = int(worlds.max()) + 1
    first = _first if count <= KEPT else _first.__wrapped__
    return np.asarray(first(int(seed), stream, count)[worlds])


@lru_cache(maxsize=1024)
def _first(seed: int, stream: str, count: int) -> np.ndarray:
    """The first numbers of a stream, kept because points of a study draw the same ones."""
    digest = hashlib.sha256(f"{seed}|{stream}".encode()).digest()
    key = np.frombuffer(digest[:16], dtype=np.uint64)
    return Generator(Philox(key=key)).random(count)


def quantile(spec: Number, u: np.ndarray) -> np.ndarray:
    """Inverse distribution function: turn uniform numbers into draws.

    Parameters
    ----------
    spec : float or Distribution
        What to draw from.
    u : ndarray, shape (w,)
        Uniform numbers in [0, 1).

    Returns
    -------
    ndarray, shape (w,)
        Draws in the unit of the specification (dates as day ordinals).
    """
    if not isinstance(spec, Distribution):
        return np.full(u.shape, float(spec))
    return spec.quantile(u)


def draw(spec: Number | Abreast, seed: int, stream: str, worlds: np.ndarray) -> np.ndarray:
    """Draw a number per world.

    Returns
    -------
    ndarray, shape (w,), or shape (1,) for a plain number
        A constant keeps a singleton world axis.
    """
    if isinstance(spec, Abreast):
        if len(worlds) != len(spec.each) * spec.wide:
            raise NotAbreast(spec.key, "it is drawn for some worlds alone")
        cut = worlds.reshape(len(spec.each), spec.wide)
        drawn = [draw(one, seed, stream, own) for one, own in zip(spec.each, cut, strict=True)]
        return np.concatenate([np.broadcast_to(values, spec.wide) for values in drawn])
    if not isinstance(spec, Distribution):
        return np.full(1, float(spec))
    return quantile(spec, uniforms(seed, stream, worlds))
