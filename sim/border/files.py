"""Files, read and written: whole or not at all, and every failure one clear error.

Messages go by the number of the operating system's error, never by its text, so that they are the
same in every language and on every system.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "csv_cell",
    "csv_text",
    "json_text",
    "os_problem",
    "read_path",
    "read_text",
    "save_parquet",
    "save_table",
    "save_text",
]

#: Longest name of a file or folder that file systems take, in bytes, and longest path.
_NAME, _PATH = 255, 4000

_WHY = {
    errno.ENOENT: ("no such file or folder", None),
    errno.EACCES: ("may not be read or written by you", "Choose one you may use."),
    errno.EPERM: ("may not be changed by you", "Choose one you may use."),
    errno.EROFS: ("lies on a disk that is read-only", "Choose another folder, with out=DIR."),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", None),
    errno.EISDIR: ("is a folder", None),
    errno.ENAMETOOLONG: ("the name is too long", "Use at most 255 bytes a name."),
    errno.ELOOP: ("its links go in a circle", None),
    errno.EMFILE: ("too many files are open", "Use fewer workers."),
    errno.ENOSPC: (
        "the disk is full",
        "Free some space or choose another folder with out=DIR; no half-written file was left "
        "under its final name, and the same command goes on from the finished worlds.",
    ),
    errno.EINVAL: ("is not a name of a file", None),
}
_WHY[errno.EDQUOT] = _WHY[errno.ENOSPC]


def os_problem(error: OSError, file: object = None) -> InputError:
    """Return (not raise) the error to show for one of the operating system."""
    place = file if file is not None else error.filename
    if isinstance(place, bytes):
        place = os.fsdecode(place)
    number = error.errno or 0
    what, hint = _WHY.get(number, (f"the system reports error {number}", None))
    return InputError(what, file=place, hint=hint)


def read_path(text: object, key: object = None) -> Path:
    """Read a path as typed, with ``~`` spelt out.

    Raises
    ------
    InputError
        For a NUL, a name of more than 255 bytes, or a home that does not exist.
    """
    word = str(text)
    if "\0" in word:
        raise InputError("a path cannot hold a NUL", file=word, key=key)
    try:
        sizes = [len(os.fsencode(part)) for part in Path(word).parts]
    except UnicodeEncodeError:
        raise InputError("the path holds half a character", file=word, key=key) from None
    if sizes and (max(sizes) > _NAME or sum(sizes) > _PATH):
        raise InputError(
            "the name is too long", file=word, key=key, hint="Use at most 255 bytes a name."
        )
    if not word.startswith("~"):
        return Path(word)
    try:
        return Path(word).expanduser()
    except RuntimeError:
        raise InputError("no such home", file=word, key=key, hint="Write the path out.") from None


def read_text(path: Path, most: int | None = None) -> str:
    """Read a file of text in UTF-8, with or without a byte-order mark.

    Raises
    ------
    InputError
        If it cannot be read, is no text in UTF-8, or holds more than `most` bytes.
    """
    try:
        with path.open("rb") as stream:
            held = stream.read() if most is None else stream.read(most + 1)
    except OSError as error:
        raise os_problem(error, path) from None
    except ValueError:
        raise InputError("is not a name of a file", file=path) from None
    if most is not None and len(held) > most:
        raise InputError(f"holds more than {most:,} bytes", file=path, hint="Is it the right file?")
    return _decoded(held, "utf-8-sig", path)


def _decoded(held: bytes, code: str, path: Path) -> str:
    try:
        text = held.decode(code)
    except UnicodeDecodeError:
        line = held[: _bad(held)].count(b"\n") + 1
        raise InputError(
            f"line {line}: is not text in UTF-8", file=path, hint="Save it as UTF-8 text."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _bad(held: bytes) -> int:
    try:
        held.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


# --------------------------------------------------------------------------- text for programs


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON that every reader takes: what is no finite number is ``null``."""
    return json.dumps(
        _finite(value), ensure_ascii=False, indent=indent, default=str, allow_nan=False
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):  # a scalar of numpy
        return _finite(value.item())
    return value


def csv_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: text that looks so is quoted by ``'``.

    Numbers, dates and the minus of a number stay as they are.
    """
    if not isinstance(value, str) or value[:1] not in tuple("=+-@\t\r"):
        return value
    try:
        float(value)
    except ValueError:
        return "'" + value
    return value


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV; text that a spreadsheet would run is quoted (`csv_cell`)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


# --------------------------------------------------------------------------- written whole


def _hidden(path: Path) -> Path:
    """Where a file is written before it takes its place: of this process alone."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def save_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    hidden = _hidden(path)
    hidden.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
    hidden.replace(path)


def save_table(path: Path, frame: pd.DataFrame) -> None:
    """Write a CSV whole or not at all; numbers have the seven digits of single precision.

    Text that a spreadsheet would take for a formula is written as `csv_cell` says.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    changed: dict[str, Any] = {}
    for name, column in frame.items():
        if column.dtype == np.float64:
            changed[str(name)] = column.astype(np.float32)
        elif column.dtype.kind not in "biufM":
            changed[str(name)] = _tame(column)
    table = pa.Table.from_pandas(frame.assign(**changed), preserve_index=False)
    hidden = _hidden(path)
    for quoting in ("none", "needed"):  # "needed" quotes all text; rarely needed at all
        options = arrow_csv.WriteOptions(include_header=False, quoting_style=quoting)
        try:
            with hidden.open("wb") as out:
                out.write((",".join(table.column_names) + "\n").encode())
                arrow_csv.write_csv(table, out, options)
            break
        except pa.ArrowInvalid:
            continue
    hidden.replace(path)


def _tame(column: pd.Series) -> pd.Series:
    """Return a column with every cell as `csv_cell` says; in one of text each word is looked at once."""
    from pandas.api.types import infer_dtype

    if infer_dtype(column, skipna=True) != "string":
        return column.map(csv_cell, na_action="ignore")
    words = {word: csv_cell(word) for word in column.dropna().unique()}
    if all(word is new for word, new in words.items()):
        return column
    return column.map(words.__getitem__, na_action="ignore")


def save_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a Parquet file whole or not at all."""
    hidden = _hidden(path)
    frame.to_parquet(hidden, index=False, compression="zstd")
    hidden.replace(path)
