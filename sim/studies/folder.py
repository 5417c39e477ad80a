"""A study on disk: what was asked, what is done, and a lock so that two do not write at once.

``study.yaml`` is the request, ``manifest.json`` the points with their keys, ``parts/`` the worlds.
A part is one Parquet file, written under a dot name and renamed when whole: a row a world of a
point, with the point's key, its metrics, and the names of its draws and of its reference. Draws
that points share are kept once (``draws-*.parquet``), as are references (``reference-*.parquet``).
Parts name their content, so nothing needs to be believed about them: what a part holds of a key is
done, what no part holds is to be done.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.outputs.tables import save_text
from lodestone.studies.columns import Columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["FORMAT", "Row", "StudyFolder"]

#: Version of the folder's layout.
FORMAT = 1
#: Columns of a part that are no metric.
KEY, WORLD, DRAWS, SHOCK, REFERENCE = "key", "world", "draws", "shock", "reference"
OWN = (KEY, WORLD, DRAWS, SHOCK, REFERENCE)


@dataclass(frozen=True)
class Row:
    """A point (or reference) that is done.

    Attributes
    ----------
    key
        Of the point; of a reference: of the reference and the day its metrics count from.
    metrics, draws
        By name, shape (w,).
    shock
        Day of the first disruption, shape (w,); empty for a reference.
    reference
        Key under which the reference's row stands, or an empty text.
    """

    key: str
    metrics: Columns
    draws: Columns
    shock: np.ndarray
    reference: str


@dataclass
class _Part:
    """A part in memory: its table, the rows of each key, and the columns that were asked for."""

    whole: pa.Table
    where: dict[str, slice]
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    tables: dict[tuple[str, ...], np.ndarray] = field(default_factory=dict)
    frame: pd.DataFrame | None = None


def array_hash(arrays: Mapping[str, np.ndarray]) -> str:
    """Hash of named arrays, by content."""
    import hashlib

    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()[:16]


class StudyFolder:
    """A folder that holds a study.

    Parameters
    ----------
    folder : Path
        It is made when something is first written.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.parts = self.folder / "parts"
        self._index: dict[str, tuple[Path, frozenset[str]]] | None = None
        self._read: dict[Path, _Part] = {}
        self.damaged: list[Path] = []

    # ---- the folder itself -------------------------------------------------------------

    @property
    def study_file(self) -> Path:
        """The request."""
        return self.folder / "study.yaml"

    def exists(self) -> bool:
        """Whether a study has been begun here."""
        return self.study_file.is_file()

    def check(self, manifest: dict[str, Any] | None = None) -> None:
        """Refuse a folder that is another's, a file, or of another version.

        Raises
        ------
        InputError
            With what to do.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError("is a file, not a folder", file=self.folder, key="out")
        if not self.exists():
            if self.folder.is_dir() and any(
                p.name not in (".lock",) for p in self.folder.iterdir()
            ):
                raise InputError(
                    "this folder is not empty and holds no study",
                    file=self.folder,
                    key="out",
                    hint="Give a new or empty folder with out=DIR.",
                )
            return
        held = self.manifest()
        if held.get("format") != FORMAT:
            raise InputError(
                f"was written by another version of the program (layout {held.get('format')}, "
                f"this one writes {FORMAT})",
                file=self.folder,
                hint="Give another folder with out=DIR; the same command runs the study anew.",
            )
        if manifest is not None:
            self._same_study(held, manifest)

    def _same_study(self, held: dict[str, Any], own: dict[str, Any]) -> None:
        """A study may be extended and narrowed; another one has a folder of its own."""
        for what in ("scenario", "varying", "fixed"):
            if held.get(what) != own[what]:
                raise InputError(
                    f"this folder holds another study: its {_WHAT[what]} "
                    f"{_told(held.get(what))}, not {_told(own[what])}",
                    file=self.folder,
                    key="out",
                    hint="Give another folder with out=DIR. (Values of a swept key may be added "
                    "and taken away in the same folder.)",
                )

    def manifest(self) -> dict[str, Any]:
        """Read ``manifest.json``; {} without one.

        Raises
        ------
        InputError
            It is damaged.
        """
        path = self.folder / "manifest.json"
        if not path.is_file():
            return {"format": FORMAT} if self.exists() else {}
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"is damaged ({error})", file=path, hint="Remove this file; parts/ is kept."
            ) from None
        return held if isinstance(held, dict) else {}

    def save_request(self, request: dict[str, Any], manifest: dict[str, Any]) -> None:
        """Write ``study.yaml`` and ``manifest.json``."""
        from lodestone.border.yamlfile import dump_yaml

        self.parts.mkdir(parents=True, exist_ok=True)
        save_text(self.folder / "manifest.json", json.dumps(manifest, indent=1) + "\n")
        save_text(self.study_file, dump_yaml(request))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; a second process is told who has it.

        The operating system lets go of the lock when its process ends, however it ends.

        Raises
        ------
        InputError
            Another process works here.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / ".lock"
        with path.open("a+", encoding="utf-8") as file:
            if not _take(file):
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise InputError(
                    f"{holder} is working in this folder",
                    file=self.folder,
                    hint="Wait for it, or give another folder with out=DIR.",
                )
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
            yield

    # ---- parts -------------------------------------------------------------------------

    def _keys(self) -> dict[str, tuple[Path, frozenset[str]]]:
        """Where each key stands, and the metrics it has; parts cut short are set aside."""
        if self._index is None:
            import pyarrow.parquet as pq

            self._index = {}
            for path in sorted(self.parts.glob("[pr]*.parquet")) if self.parts.is_dir() else ():
                try:
                    file = pq.ParquetFile(path)
                    columns = frozenset(file.schema_arrow.names)
                    keys = file.read(columns=[KEY]).column(KEY).unique().to_pylist()
                except Exception:  # pyarrow raises many kinds for bytes that are no table
                    self.damaged.append(path)
                    continue
                for key in keys:
                    if key not in self._index or len(columns) > len(self._index[key][1]):
                        self._index[key] = (path, columns)
        return self._index

    def done(self, asked: Sequence[str] = ()) -> set[str]:
        """Keys of points and references that are done with all the metrics asked for."""
        wanted = frozenset(asked)
        return {key for key, (_, columns) in self._keys().items() if wanted <= columns}

    def holds(self, key: str) -> bool:
        """Whether a point or reference is done, with whatever metrics."""
        return key in self._keys()

    def write(self, kind: str, rows: Sequence[Row]) -> Path:
        """Write a part of points (``p``) or references (``r``) whole or not at all."""

        names = {
            names: np.array(sorted(map(hash_of, names)))
            for names in {r.metrics.names for r in rows}
        }
        table = _table(rows, self._write_draws(rows))
        name = array_hash({r.key: names[r.metrics.names] for r in rows})
        path = self.parts / f"{kind}-{name}.parquet"
        _save(path, table)
        self._keep(path, table)
        if self._index is not None:
            held = {n: frozenset(n) for n in names}
            for row in rows:
                self._index[row.key] = (path, held[row.metrics.names])
        return path

    def _write_draws(self, rows: Sequence[Row]) -> list[str]:
        """Keep the draws of points under a name of their content, once; return the names."""
        import pyarrow as pa

        names: list[str] = []
        for i, row in enumerate(rows):
            draws = row.draws
            if i and draws.same(rows[i - 1].draws):
                names.append(names[-1])
                continue
            names.append(array_hash(draws))
            path = self.parts / f"draws-{names[-1]}.parquet"
            if draws and not path.exists():
                _save(path, pa.table({n: draws[n] for n in sorted(draws)}))
        return names

    def worlds(self, key: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read the rows of one point or reference, one a world.

        Raises
        ------
        KeyError
            It is not done.
        """
        part = self._part(key)
        if part.frame is None:
            part.frame = part.whole.to_pandas()
        frame = part.frame.iloc[part.where[key]]
        return frame if columns is None else frame[list(columns)]

    def values(self, key: str, column: str) -> np.ndarray | None:
        """One column of the rows of a point or reference, (w,); None where it was not kept.

        Raises
        ------
        KeyError
            It is not done.
        """
        part = self._part(key)
        if column not in part.columns:
            if column not in part.whole.column_names:
                return None
            part.columns[column] = part.whole[column].to_numpy()
        return part.columns[column][part.where[key]]

    def table(self, key: str, columns: tuple[str, ...]) -> np.ndarray | None:
        """Several columns of the rows of a point or reference, (columns, w), as `values`."""
        part = self._part(key)
        if columns not in part.tables:
            if not {*columns} <= {*part.whole.column_names}:
                return None
            each = [part.whole[column].to_numpy() for column in columns]
            part.tables[columns] = np.array(each, dtype=float)
        return part.tables[columns][:, part.where[key]]

    def _part(self, key: str) -> _Part:
        """The part in which a point or reference stands."""
        import pyarrow.parquet as pq

        path, _ = self._keys()[key]
        if path not in self._read:
            self._keep(path, pq.read_table(path))
        return self._read[path]

    def _keep(self, path: Path, table: pa.Table) -> None:
        """Keep a part in memory, as it stands on disk."""
        if len(self._read) > 8:
            self._read.clear()
        # Rows of a point stand together, so that each is a slice of the whole.
        keys = table[KEY].to_numpy()
        first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        ends = [*first[1:], len(keys)]
        where = {keys[a]: slice(a, b) for a, b in zip(first, ends, strict=True)}
        self._read[path] = _Part(table, where)

    def draws(self, name: str) -> pd.DataFrame:
        """Read draws by the name that a point's rows give."""
        import pandas as pd

        path = self.parts / f"draws-{name}.parquet"
        return pd.read_parquet(path) if path.is_file() else pd.DataFrame()

    def size(self) -> int:
        """Bytes of all parts."""
        return sum(p.stat().st_size for p in self.parts.glob("*.parquet"))


_WHAT = {"scenario": "scenario is", "varying": "swept keys are", "fixed": "other words are"}


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}={v}" for k, v in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@cache
def hash_of(name: str) -> int:
    """A number for a name, the same in every process."""
    import zlib

    return zlib.crc32(name.encode())


def _table(rows: Sequence[Row], draws: Sequence[str]) -> pa.Table:
    """A row a world; a metric that some of the points do not have is empty there."""
    import pyarrow as pa

    wide = [row.metrics.table.shape[1] for row in rows]

    def text(words: Sequence[str]) -> pa.Array:
        each = zip(words, wide, strict=True)
        return pa.array([word for word, n in each for _ in range(n)]).dictionary_encode()

    shocks = [
        r.shock if r.shock.size else np.full(n, np.nan) for r, n in zip(rows, wide, strict=True)
    ]
    columns: dict[str, Any] = {
        KEY: text([r.key for r in rows]),
        WORLD: np.concatenate([np.arange(n, dtype=np.int32) for n in wide]),
        DRAWS: text(draws),
        SHOCK: np.concatenate(shocks),
        REFERENCE: text([r.reference for r in rows]),
    }
    if len({row.metrics.names for row in rows}) == 1:
        return pa.table(columns | dict(Columns.joined([row.metrics for row in rows])))
    for name in dict.fromkeys(name for row in rows for name in row.metrics):
        if all(name in row.metrics for row in rows):
            columns[name] = np.concatenate([row.metrics[name] for row in rows])
            continue
        columns[name] = pa.chunked_array(
            [
                row.metrics[name] if name in row.metrics else pa.nulls(n, pa.float64())
                for row, n in zip(rows, wide, strict=True)
            ]
        )
    return pa.table(columns)


def _save(path: Path, table: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    hidden = path.with_name(f".{path.name}.part")
    texts = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
    table = table.unify_dictionaries()
    split = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    pq.write_table(
        table,
        hidden,
        compression="zstd",
        use_dictionary=texts,
        use_byte_stream_split=split,
        write_statistics=[KEY] if KEY in table.column_names else False,
    )
    hidden.replace(path)


def _take(file: Any) -> bool:
    """Take the lock of an open file; False where another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
