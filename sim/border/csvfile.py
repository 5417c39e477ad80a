"""Tables as people save them: a byte-order mark, semicolons, decimal commas; but no broken quotes.

A table is comma-separated UTF-8. One that a spreadsheet saved with semicolons is read as well: then
``0,5`` is a number. A quote that is not closed would swallow the rows after it without a word, so
it is an error that names its line.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.border.files import read_text

__all__ = ["LARGEST", "read_rows"]

#: Most bytes of a table, and most characters of a cell.
LARGEST = 50_000_000
_CELL = 20_000
_DECIMAL_COMMA = re.compile(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")


def read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Read the rows of a table, each with the line on which it begins; the first is the header.

    Raises
    ------
    InputError
        Naming the line: a quote that is not closed, a cell as long as a page, a NUL.
    """
    text = read_text(path, LARGEST)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError("holds a NUL", file=f"{path}:{line}", hint="Is it a text file?")
    head = text.partition("\n")[0]
    semicolons = head.count(";") > head.count(",")
    reader = csv.reader(io.StringIO(text), delimiter=";" if semicolons else ",", strict=True)
    rows: list[tuple[int, list[str]]] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            told = "unexpected end of data" in str(error)
            what = "a quote is opened and not closed" if told else "a quote stands inside a cell"
            if "field larger" in str(error):
                what = "a cell is longer than a page: is a quote not closed?"
            raise InputError(
                what, file=f"{path}:{line}", hint='Close it; a quote within quotes is written "".'
            ) from None
        if cells is None:
            return rows
        if any(len(cell) > _CELL for cell in cells):
            raise InputError(
                "a cell is longer than a page: is a quote not closed?", file=f"{path}:{line}"
            )
        if semicolons:
            cells = [c.replace(",", ".") if _DECIMAL_COMMA.match(c.strip()) else c for c in cells]
        rows.append((line, cells))
