"""Parts on disk: what one batch of worlds leaves, and its quantiles over all batches.

A part is a folder of packed arrays, written under a dot name and renamed when it is whole; an
interrupted run finds the whole ones again. Every file has a checksum in ``part.json``: a part that
was damaged since is left out, and its worlds are run anew. Quantiles are exact for any number of
worlds, because they are taken row by row from the parts.

A packed series has one block a row, so that a row can be read alone: the numbers of the row (w, T),
their bytes put in planes (first bytes of all numbers, second bytes ...), compressed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.outputs.labels import Labels

if TYPE_CHECKING:
    import pyarrow as pa

#: File of the names of rows and dates, beside the parts of a case.
LABELS = "labels.json"
#: File of a part that holds its notes and checksums.
NOTES = "part.json"
QUANTILES = (0.05, 0.5, 0.95)
#: Numbers taken from disk at a time (float32), so that memory does not grow with worlds.
BLOCK = 12_000_000
#: Bits of the fraction that rounded series keep: a relative error of 0.2 % at most.
BITS = 8


def _codec() -> pa.Codec:
    import pyarrow as pa

    return pa.Codec("zstd", compression_level=1)


def checksum(data: bytes) -> str:
    """Checksum of the bytes of a file."""
    return hashlib.blake2b(data, digest_size=12).hexdigest()


def rounded(values: np.ndarray, bits: int = BITS) -> np.ndarray:
    """Single-precision numbers with fewer bits of fraction, to the nearest: they pack well.

    The relative error is at most ``2 ** -(bits + 1)``; zero, infinities and NaN stay themselves.
    """
    raw = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    drop = np.uint32(23 - bits)
    near = (raw + (np.uint32(1) << (drop - np.uint32(1)))) >> drop << drop
    return np.where(np.isfinite(values), near.view(np.float32), values).astype(np.float32)


def pack(values: np.ndarray) -> bytes:
    """An array as bytes: a line that describes it, then its blocks.

    Parameters
    ----------
    values : ndarray
        A series (T, rows, w) is packed row by row, anything else in one block.
    """
    codec = _codec()
    rows = values.transpose(1, 2, 0) if values.ndim == 3 else values[None]
    size = values.dtype.itemsize
    blocks = []
    for row in rows:
        planes = np.ascontiguousarray(row).view(np.uint8).reshape(-1, size).T
        blocks.append(codec.compress(np.ascontiguousarray(planes).tobytes(), asbytes=True))
    head = {
        "shape": list(values.shape),
        "dtype": values.dtype.str,
        "blocks": [len(block) for block in blocks],
    }
    return b"".join([json.dumps(head).encode() + b"\n", *blocks])


class Packed:
    """A packed array on disk; rows are read alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = json.loads(file.readline())
            first = file.tell()
        self.shape = tuple(int(n) for n in head["shape"])
        self.dtype = np.dtype(head["dtype"])
        self.lengths: list[int] = head["blocks"]
        self.starts = first + np.concatenate([[0], np.cumsum(self.lengths)]).astype(int)

    def read(self, rows: slice | np.ndarray | None = None) -> np.ndarray:
        """The array, or of a series only some rows, as (T, rows, w)."""
        codec = _codec()
        if len(self.shape) != 3:
            with self.path.open("rb") as file:
                return self._row(codec, file, 0, self.shape)
        t, many, w = self.shape
        chosen = slice(0, many) if rows is None else rows
        numbers = (
            range(*chosen.indices(many)) if isinstance(chosen, slice) else [int(r) for r in chosen]
        )
        # Rows stand first in memory: sums over rows then add in the same order for any width.
        out = np.empty((len(numbers), t, w), dtype=self.dtype)
        with self.path.open("rb") as file:
            for at, row in enumerate(numbers):
                out[at] = self._row(codec, file, row, (w, t)).T
        return out.transpose(1, 0, 2)

    def _row(self, codec: pa.Codec, file: Any, row: int, shape: tuple[int, ...]) -> np.ndarray:
        count = int(np.prod(shape))
        size = self.dtype.itemsize
        if count == 0:
            return np.zeros(shape, dtype=self.dtype)
        file.seek(int(self.starts[row]))
        raw = codec.decompress(file.read(self.lengths[row]), count * size, asbytes=True)
        planes = np.frombuffer(raw, np.uint8).reshape(size, count)
        return np.ascontiguousarray(planes.T).view(self.dtype).reshape(shape)


def write_part(
    folder: Path, name: str, arrays: Mapping[str, np.ndarray], notes: dict[str, Any]
) -> int:
    """Write a part whole or not at all.

    Parameters
    ----------
    folder : Path
        Folder of all parts.
    name : str
        Name of this part (its first world, padded, so that names sort by world).
    arrays : mapping
        Arrays by name.
    notes : dict
        What is said of it, fit for JSON.

    Returns
    -------
    int
        Bytes on disk.
    """
    hidden = folder / f".{name}.{os.getpid()}"
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    sums, size = {}, 0
    for key, values in arrays.items():
        data = pack(values)
        (hidden / key).write_bytes(data)
        sums[key] = checksum(data)
        size += len(data)
    text = json.dumps(notes)
    whole = {"notes": text, "checksum": checksum(text.encode()), "checksums": sums}
    (hidden / NOTES).write_text(json.dumps(whole), encoding="utf-8")
    final = folder / name
    shutil.rmtree(final, ignore_errors=True)
    hidden.replace(final)
    return size


def is_whole(part: Path) -> bool:
    """Whether a part has every file that it was written with, byte for byte."""
    try:
        held = json.loads((part / NOTES).read_text(encoding="utf-8"))
        if checksum(held["notes"].encode()) != held["checksum"]:
            return False
        return all(
            checksum((part / key).read_bytes()) == told for key, told in held["checksums"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def finished(folder: Path) -> list[str]:
    """Names of the parts that are there under their final name, in the order of their worlds."""
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def sound(folder: Path) -> list[str]:
    """Names of the parts that are whole; one that is damaged is taken away."""
    good = []
    for name in finished(folder):
        if is_whole(folder / name):
            good.append(name)
        else:
            shutil.rmtree(folder / name, ignore_errors=True)
    return good


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
            json.loads(json.loads((folder / n / NOTES).read_text(encoding="utf-8"))["notes"])
            for n in self.names
        ]
        self._files: dict[tuple[str, str], Packed] = {}

    @cached_property
    def rows(self) -> Labels:
        """Names of rows and dates, as they were saved with the first part."""
        text = (self.folder / LABELS).read_text(encoding="utf-8")
        return Labels.from_dict(json.loads(text))

    def packed(self, name: str, key: str) -> Packed:
        """An array of one part; its description is read once."""
        if (name, key) not in self._files:
            self._files[name, key] = Packed(self.folder / name / key)
        return self._files[name, key]

    def pieces(self, key: str, rows: slice | np.ndarray | None = None) -> Iterator[np.ndarray]:
        """An array part by part; of a series all rows or some, as (T, rows, w)."""
        for name in self.names:
            yield self.packed(name, key).read(rows)

    def array(self, key: str, rows: slice | np.ndarray | None = None) -> np.ndarray:
        """An array over all worlds, joined along the world axis; of series, all rows or some."""
        return np.concatenate(list(self.pieces(key, rows)), axis=-1)

    def weighted(self, key: str, rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Weighted sum of rows of a (T, rows, w) array, shape (T, w), a part at a time."""
        return np.concatenate(
            [
                chosen[:, 0] * weight[0]
                if len(rows) == 1
                else np.einsum("trw,r->tw", chosen, weight)
                for chosen in self.pieces(key, rows)
            ],
            axis=-1,
        )

    def total(self, key: str, rows: slice) -> np.ndarray:
        """Sum of rows in double precision, shape (T, w), a part at a time."""
        return np.concatenate(
            [chosen.sum(axis=1, dtype=float) for chosen in self.pieces(key, rows)], axis=-1
        )

    def means(self, key: str) -> np.ndarray:
        """Mean over worlds of a (T, rows, w) array, shape (T, rows), block by block."""
        t, rows, _ = self.shape(key)
        out = np.empty((t, rows))
        for chosen, values in self.blocks(key):
            out[:, chosen] = bands(values)[0]
        return out

    def shape(self, key: str) -> tuple[int, ...]:
        """Shape (T, rows, w) of a series over all worlds."""
        shapes = [self.packed(n, key).shape for n in self.names]
        return (*shapes[0][:-1], sum(s[-1] for s in shapes))

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
