"""Parts on disk: what one batch of worlds leaves, and its quantiles over all batches.

A part is a folder of packed arrays, written under a dot name and renamed when it is whole; an
interrupted run finds the whole ones again. Every file has a checksum in ``part.json``: a part that
was damaged since is left out, and its worlds are run anew. Quantiles are exact for any number of
worlds, because they are taken row by row from the parts.

A packed series has one block a row, so that a row can be read alone. The numbers of the row (w, T)
become whole numbers (multiples of a step, or the bits of a float in the order of their size), less
their mean over worlds, less the date before; their bytes are put in planes (first bytes of all
numbers, second bytes ...) and compressed. A row of zeros has an empty block.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
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
#: Version of the packing.
PACKING = 2
#: How the numbers of a row stand in its block: as bits of floats, or as multiples of a power of two.
_FLOATS, _STEPS = 0, 1


def _codec() -> pa.Codec:
    import pyarrow as pa

    return pa.Codec("zstd", compression_level=9)


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


@dataclass(frozen=True)
class Rounding:
    """How far a series may be rounded before it is packed.

    Attributes
    ----------
    bits
        Of the fraction that a number keeps; the relative error is at most ``2 ** -(bits + 1)``.
    floor
        A power of two; numbers are no finer than multiples of it.
    steps
        Step of each row, a power of two, shape (rows,); its numbers become multiples of it. Where
        it is zero, or the row holds what is no number, ``bits`` holds.
    """

    bits: int = BITS
    floor: float = 0.0
    steps: np.ndarray | None = None


def steps_of(scale: np.ndarray, bits: int) -> np.ndarray:
    """Steps of rows from what is usual there: ``2 ** -bits`` of it at most, 0 where that is nothing."""
    scale = np.asarray(scale, dtype=float)
    known = np.isfinite(scale) & (scale > 0.0)
    return np.where(known, np.exp2(np.floor(np.log2(np.where(known, scale, 1.0))) - bits), 0.0)


def pack(values: np.ndarray, rounding: Rounding | None = None) -> bytes:
    """An array as bytes: a line that describes it, then its blocks.

    Parameters
    ----------
    values : ndarray
        A series (T, rows, w) of float32 or uint8 is packed row by row, anything else in one block.
    rounding : Rounding, optional
        Of a series of float32; by default it is kept to the bit.
    """
    codec = _codec()
    if values.ndim == 3:
        steps = np.zeros(values.shape[1])
        if rounding is not None and rounding.steps is not None:
            steps = rounding.steps
        rows = values.transpose(1, 2, 0)
        blocks = [_block(r, rounding, float(s), codec) for r, s in zip(rows, steps, strict=True)]
    else:
        blocks = [codec.compress(_planes(np.ascontiguousarray(values)), asbytes=True)]
    head = {
        "packing": PACKING,
        "shape": list(values.shape),
        "dtype": values.dtype.str,
        "blocks": [len(block) for block in blocks],
    }
    return b"".join([json.dumps(head).encode() + b"\n", *blocks])


def _planes(values: np.ndarray) -> bytes:
    raw = values.view(np.uint8).reshape(-1, values.dtype.itemsize)
    return np.ascontiguousarray(raw.T).tobytes()


def _block(row: np.ndarray, rounding: Rounding | None, step: float, codec: pa.Codec) -> bytes:
    """A row (w, T) as bytes: how its numbers stand, their width, then the numbers."""
    row = np.ascontiguousarray(row)
    if not row.view(np.uint8).any():
        return b""
    kind, number, whole = _whole(row, rounding, step)
    # Whole numbers wrap around, there and back.
    middle = np.rint(whole.mean(axis=0)).astype(np.int32)
    apart = np.concatenate([middle[None], whole - middle])
    change = np.diff(apart, axis=1, prepend=np.int32(0))
    folded = ((change << 1) ^ (change >> 31)).view(np.uint32)
    most = int(folded.max(initial=0))
    width = 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4
    data = _planes(folded.astype(f"<u{width}"))
    return bytes([kind, number + 128, width]) + codec.compress(data, asbytes=True)


def _whole(row: np.ndarray, rounding: Rounding | None, step: float) -> tuple[int, int, np.ndarray]:
    """Whole numbers (w, T), int32, that stand for a row, and what turns them back."""
    if row.dtype != np.float32:
        return _FLOATS, 0, row.astype(np.int32)
    if step > 0.0 and np.isfinite(row).all() and np.abs(row).max() < step * 2.0**23:
        return _STEPS, int(np.log2(step)), np.rint(row * (1.0 / step)).astype(np.int32)
    if rounding is not None:
        if rounding.floor:
            row = np.rint(row / np.float32(rounding.floor)) * np.float32(rounding.floor)
        row = rounded(row, rounding.bits)
    raw = row.view(np.int32)
    any_bit = int(np.bitwise_or.reduce(raw, axis=None)) & 0xFFFFFFFF
    drop = max(min((any_bit & -any_bit).bit_length() - 1, 23), 0)
    raw = raw >> drop
    return _FLOATS, drop, raw ^ ((raw >> 31) & (0x7FFFFFFF >> drop))


class Packed:
    """A packed array on disk; rows are read alone.

    Raises
    ------
    InputError
        It was packed by another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = json.loads(file.readline())
            first = file.tell()
        if head.get("packing") != PACKING:
            raise InputError(
                "was written by another version of the program", file=path, hint="Run it anew."
            )
        self.shape = tuple(int(n) for n in head["shape"])
        self.dtype = np.dtype(head["dtype"])
        self.lengths: list[int] = head["blocks"]
        self.starts = first + np.concatenate([[0], np.cumsum(self.lengths)]).astype(int)

    def read(self, rows: slice | np.ndarray | None = None) -> np.ndarray:
        """The array, or of a series only some rows, as (T, rows, w)."""
        codec = _codec()
        if len(self.shape) != 3:
            return self._one(codec)
        t, many, w = self.shape
        chosen = slice(0, many) if rows is None else rows
        numbers = (
            range(*chosen.indices(many)) if isinstance(chosen, slice) else [int(r) for r in chosen]
        )
        # Rows stand first in memory: sums over rows then add in the same order for any width.
        out = np.zeros((len(numbers), t, w), dtype=self.dtype)
        with self.path.open("rb") as file:
            for at, row in enumerate(numbers):
                if self.lengths[row]:
                    file.seek(int(self.starts[row]))
                    out[at] = self._row(codec, file.read(self.lengths[row])).T
        return out.transpose(1, 0, 2)

    def _one(self, codec: pa.Codec) -> np.ndarray:
        """An array that stands in one block."""
        count, size = int(np.prod(self.shape)), self.dtype.itemsize
        with self.path.open("rb") as file:
            file.seek(int(self.starts[0]))
            raw = codec.decompress(file.read(self.lengths[0]), count * size, asbytes=True)
        planes = np.frombuffer(raw, np.uint8).reshape(size, count)
        return np.ascontiguousarray(planes.T).view(self.dtype).reshape(self.shape)

    def _row(self, codec: pa.Codec, block: bytes) -> np.ndarray:
        """A row (w, T) from its block."""
        t, _, w = self.shape
        kind, number, width = block[0], block[1] - 128, block[2]
        raw = codec.decompress(block[3:], (w + 1) * t * width, asbytes=True)
        planes = np.frombuffer(raw, np.uint8).reshape(width, -1)
        folded = np.ascontiguousarray(planes.T).view(f"<u{width}").reshape(w + 1, t)
        folded = folded.astype(np.uint32)
        change = ((folded >> 1) ^ -(folded & 1)).view(np.int32)
        apart = np.cumsum(change, axis=1, dtype=np.int32)
        whole = apart[1:] + apart[0]
        if self.dtype != np.float32:
            return whole.astype(self.dtype)
        if kind == _STEPS:
            return whole.astype(np.float32) * np.float32(2.0**number)
        raw_bits = whole ^ ((whole >> 31) & (0x7FFFFFFF >> number))
        return (raw_bits << number).view(np.float32)


def write_part(
    folder: Path,
    name: str,
    arrays: Mapping[str, np.ndarray],
    notes: dict[str, Any],
    roundings: Mapping[str, Rounding] | None = None,
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
    roundings : mapping, optional
        By name of the series that need not be kept to the bit.

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
        data = pack(values, (roundings or {}).get(key))
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
