"""Files of a run, written whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def save_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    hidden = path.with_name(f".{path.name}.part")
    hidden.write_text(text, encoding="utf-8", newline="")
    hidden.replace(path)


def save_table(path: Path, frame: pd.DataFrame) -> None:
    """Write a CSV whole or not at all; numbers have the seven digits of single precision."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    narrow = {
        name: column.astype(np.float32)
        for name, column in frame.items()
        if column.dtype == np.float64
    }
    table = pa.Table.from_pandas(frame.assign(**narrow), preserve_index=False)
    hidden = path.with_name(f".{path.name}.part")
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


def save_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a Parquet file whole or not at all."""
    hidden = path.with_name(f".{path.name}.part")
    frame.to_parquet(hidden, index=False, compression="zstd")
    hidden.replace(path)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()
