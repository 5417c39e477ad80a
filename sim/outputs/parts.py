"""Parts on disk: what one batch of worlds leaves, and its quantiles over all batches.

A part is a folder of ``.npy`` arrays (T, rows, w), written under a dot name and renamed when it
is whole; an interrupted run finds the whole ones again. Quantiles are exact for any number of
worlds, because they are taken row by row from the parts.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lodestone.outputs.labels import Labels

#: File of the names of rows and dates, beside the parts of a case.
LABELS = "labels.json"
QUANTILES = (0.05, 0.5, 0.95)
#: Numbers taken from disk at a time (float32), so that memory does not grow with worlds.
BLOCK = 12_000_000


def write_part(
    folder: Path, name: str, arrays: dict[str, np.ndarray], extra: dict[str, Any]
) -> None:
    """Write a part whole or not at all.

    Parameters
    ----------
    folder : Path
        Folder of all parts.
    name : str
        Name of this part (its first world, padded, so that names sort by world).
    arrays : dict
        Arrays by name.
    extra : dict
        Labels, fit for JSON.
    """
    hidden = folder / f".{name}.{os.getpid()}"
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    for key, values in arrays.items():
        # Series are read by rows: rows stand first on disk, so that a read is one stretch.
        stored = values.transpose(1, 0, 2) if values.ndim == 3 else values
        np.save(hidden / f"{key}.npy", np.ascontiguousarray(stored))
    (hidden / "part.json").write_text(json.dumps(extra), encoding="utf-8")
    final = folder / name
    shutil.rmtree(final, ignore_errors=True)
    hidden.replace(final)


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape, type and first byte of the numbers of a ``.npy`` file."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        return shape, dtype, file.tell()


def read_rows(path: Path, rows: slice | np.ndarray | None = None) -> np.ndarray:
    """Read an array, or of a series (rows first on disk) only some rows, as (T, rows, w).

    Nothing is mapped into memory: what is not asked for does not count.
    """
    shape, dtype, offset = _header(path)
    if len(shape) != 3:
        return np.load(path)
    size = shape[1] * shape[2]
    if rows is None:
        rows = slice(0, shape[0])
    numbers = range(*rows.indices(shape[0])) if isinstance(rows, slice) else list(map(int, rows))
    out = np.empty((len(numbers), *shape[1:]), dtype=dtype)
    with path.open("rb") as file:
        if isinstance(rows, slice) and numbers:
            file.seek(offset + numbers[0] * size * dtype.itemsize)
            out[...] = np.fromfile(file, dtype, len(numbers) * size).reshape(out.shape)
        else:
            for at, row in enumerate(numbers):
                file.seek(offset + row * size * dtype.itemsize)
                out[at] = np.fromfile(file, dtype, size).reshape(shape[1:])
    return out.transpose(1, 0, 2)


def finished(folder: Path) -> list[str]:
    """Names of the parts that are whole, in the order of their worlds."""
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


class Parts:
    """All parts of one case of a run.

    Parameters
    ----------
    folder : Path
        Folder that holds the parts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = finished(folder)
        self.labels: list[dict[str, Any]] = [
            json.loads((folder / n / "part.json").read_text(encoding="utf-8")) for n in self.names
        ]

    @cached_property
    def rows(self) -> Labels:
        """Names of rows and dates, as they were saved with the first part."""
        text = (self.folder / LABELS).read_text(encoding="utf-8")
        return Labels.from_dict(json.loads(text))

    def array(self, key: str, rows: slice | np.ndarray | None = None) -> np.ndarray:
        """An array over all worlds, joined along the world axis; of series, all rows or some."""
        pieces = [read_rows(self.folder / n / f"{key}.npy", rows) for n in self.names]
        return np.concatenate(pieces, axis=-1)

    def weighted(self, key: str, rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Weighted sum of rows of a (T, rows, w) array, shape (T, w), a part at a time."""
        pieces = []
        for name in self.names:
            chosen = read_rows(self.folder / name / f"{key}.npy", rows)
            if len(rows) == 1:
                pieces.append(chosen[:, 0] * weight[0])
            else:
                pieces.append(np.einsum("trw,r->tw", chosen, weight))
        return np.concatenate(pieces, axis=-1)

    def shape(self, key: str) -> tuple[int, ...]:
        """Shape (T, rows, w) of a series over all worlds."""
        shapes = [_header(self.folder / n / f"{key}.npy")[0] for n in self.names]
        rows, t, _ = shapes[0]
        return t, rows, sum(s[-1] for s in shapes)

    def blocks(self, key: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Blocks of rows of a (T, rows, w) array: (row numbers, values (T, n, w))."""
        t, rows, w = self.shape(key)
        step = max(1, BLOCK // max(t * w, 1))
        for first in range(0, rows, step):
            chosen = np.arange(first, min(first + step, rows))
            yield chosen, self.array(key, slice(first, min(first + step, rows)))


def bands(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and the 5, 50 and 95 % quantiles over worlds.

    Parameters
    ----------
    values : ndarray, shape (..., w)

    Returns
    -------
    mean : ndarray, shape (...)
        Summed world by world in order, so it does not depend on batches.
    quantiles : ndarray, shape (3, ...)
        Linear interpolation between order statistics.
    """
    w = values.shape[-1]
    ordered = np.sort(values, axis=-1)
    with np.errstate(invalid="ignore"):
        mean = ordered.sum(axis=-1, dtype=float) / w
    out = []
    for q in QUANTILES:
        at = q * (w - 1)
        low = int(np.floor(at))
        high = min(low + 1, w - 1)
        part = at - low
        a = ordered[..., low].astype(float)
        b = ordered[..., high].astype(float)
        # Equal ends first: infinity minus infinity is no number.
        with np.errstate(invalid="ignore"):
            out.append(np.where((a == b) | (part == 0.0), a, a + (b - a) * part))
    return mean, np.stack(out)
