"""What a run left on disk, read back: the only way in which reports see a run.

A run folder is complete in itself. `Results.load` opens one, each table is read when it is first
asked for, and a file that is missing or damaged is named in an `InputError` (exit status 2).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.border.yamlfile import read_yaml
from lodestone.outputs.parts import checksum
from lodestone.outputs.tables import COLUMNS
from lodestone.outputs.tables.frame import BAND

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BAND", "COLUMNS", "Results"]

DATES = ("date", "month")


class Results:
    """A run folder, read lazily.

    Parameters
    ----------
    folder
        The run folder. Use `Results.load`, which checks it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tables: dict[str, pd.DataFrame] = {}

    @classmethod
    def load(cls, folder: Path | str) -> Results:
        """Open a run folder; its tables are read when they are first used.

        Raises
        ------
        InputError
            If the folder does not exist or is not a run folder.
        """
        path = Path(folder)
        if not path.is_dir():
            raise InputError(
                "is not a folder",
                file=path,
                hint="Give the run folder that `lodestone run` printed as its last line.",
            )
        if not (path / "config.yaml").is_file() and not (path / "shortage_curve.csv").is_file():
            raise InputError(
                "is not a run folder: it holds neither config.yaml nor shortage_curve.csv",
                file=path,
                hint="Give the run folder that `lodestone run` printed as its last line.",
            )
        return cls(path)

    def has(self, name: str) -> bool:
        """Say whether the run wrote the table `name` (without `.csv`).

        Raises
        ------
        InputError
            It did, and the file is gone.
        """
        file = f"{name}.csv"
        return file in self._checksums or (self.folder / file).is_file()

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the run folder by its name without `.csv`.

        Words are text (blank stays blank), numbers are float64 (blank becomes NaN), `date` and
        `month` are timestamps. Do not write into the frame: it is shared.

        Raises
        ------
        InputError
            If the file is missing or damaged: no text, no table, a column that is missing, a
            number or a date that is none.
        """
        if name not in COLUMNS:
            raise unknown("table", name, COLUMNS)
        if name not in self._tables:
            self._tables[name] = self._read(name)
        return self._tables[name]

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved settings of the run (`config.yaml`)."""
        return read_yaml(self._existing("config.yaml")).data

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Versions, hashes and the command of the run (`provenance.json`)."""
        path = self._existing("provenance.json")
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise _damaged(path, f"not JSON ({error})") from error
        if not isinstance(data, dict):
            raise _damaged(path, "not a JSON object")
        return data

    @cached_property
    def worlds(self) -> pd.DataFrame:
        """One row per world: draws, headline metrics, the reference's prefixed `reference_`."""
        import pandas as pd

        path = self._existing("worlds.parquet")
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise _damaged(path, f"not Parquet ({error})") from error

    def _existing(self, file: str) -> Path:
        path = self.folder / file
        if not path.is_file():
            raise InputError(
                "is missing from the run folder",
                file=path,
                hint="Run the scenario again; a run folder is used whole.",
            )
        told = None if file == "provenance.json" else self._checksums.get(file)
        if told is not None and checksum(path.read_bytes()) != told:
            raise InputError(
                "is not the file that the run wrote: its checksum differs from the one in "
                "provenance.json",
                file=path,
                hint="It was damaged or edited. Run the scenario again; edit copies only.",
            )
        return path

    @cached_property
    def _checksums(self) -> Mapping[str, str]:
        """Checksum of each file that the run wrote; none from a run that kept none."""
        if not (self.folder / "provenance.json").is_file():
            return {}
        told = self.provenance.get("files", {})
        return told if isinstance(told, dict) else {}

    def _read(self, name: str) -> pd.DataFrame:
        import pandas as pd

        path = self._existing(f"{name}.csv")
        words, numbers = COLUMNS[name]
        try:
            header = pd.read_csv(path, nrows=0, encoding="utf-8").columns
            frame = pd.read_csv(
                path,
                encoding="utf-8",
                dtype=dict.fromkeys([w for w in words if w in header] or header, str)
                if words or not numbers
                else None,
                keep_default_na=False,
                na_values={column: ["", "nan", "NaN"] for column in numbers},
            )
        except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise _damaged(path, f"not a table ({error})") from error
        missing = [column for column in (*words, *numbers) if column not in frame.columns]
        if missing:
            raise _damaged(path, f"lacks the column {', '.join(missing)}")
        for column in numbers:
            frame[column] = _converted(path, frame[column], column, pd.to_numeric, "a number")
            frame[column] = frame[column].astype("float64")
        for column in DATES:
            if column in words:
                frame[column] = _converted(path, frame[column], column, pd.to_datetime, "a date")
        return frame


def _converted(path: Path, column: pd.Series, name: str, convert: Any, what: str) -> pd.Series:
    """Convert a column, naming the first line and value that cannot be converted."""
    try:
        return convert(column)
    except (ValueError, TypeError):
        converted = convert(column, errors="coerce")
        bad = column[converted.isna() & column.notna() & (column.astype(str) != "")]
        line = int(bad.index[0]) + 2
        raise _damaged(path, f"line {line}, {name}: '{bad.iloc[0]}' is not {what}") from None


def _damaged(path: Path, what: str) -> InputError:
    return InputError(
        f"is damaged: {what}", file=path, hint="Run the scenario again to have it whole."
    )
