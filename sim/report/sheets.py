"""The tables of a memo as a workbook: headline, all numbers, tables, units and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.report.asked import Row, headline_rows, quantiles

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["save_workbook", "tame", "write_workbook"]

#: Tables of the run folder that fit a sheet, with the title of theirs.
TABLES = {
    "summary": "All numbers",
    "public_money": "Public money",
    "verdict": "Hypothesis",
    "claims": "Claim check",
    "calendar": "Calendar",
    "assumptions": "Assumptions",
    "sources": "Sources",
}
MOST_ROWS = 5_000
Sheet = tuple[str, Sequence[str], Iterable[Sequence[Any]]]


def write_workbook(reading: Reading, facts: Mapping[str, Any]) -> Path:
    """Write `summary.xlsx` of a run and return it.

    Numbers stay numbers; text that a spreadsheet would read as a formula is written as text.
    """
    sheets: list[Sheet] = [_headline(headline_rows(reading)), _notes(facts)]
    for name, title in TABLES.items():
        if reading.results.has(name):
            table = reading.results.table(name)
            sheets.append(
                (title, list(table.columns), table.head(MOST_ROWS).itertuples(index=False))
            )
    path = reading.results.folder / "summary.xlsx"
    save_workbook(path, sheets)
    return path


def _headline(rows: Sequence[Row]) -> Sheet:
    columns = ["what", "metric", "unit", "p05", "p50", "p95", "reference_p50"]
    columns += ["difference_p05", "difference_p50", "difference_p95", "clear_of_zero"]
    lines = []
    for row in rows:
        low, middle, high = quantiles(row.own)
        line = [row.title, row.text, row.unit, low, middle, high]
        if row.calm is None:
            line += [None] * 5
        else:
            line += [quantiles(row.calm)[1], *quantiles(row.delta), "yes" if row.clear else "no"]
        lines.append(line)
    return "Headline", columns, lines


def _notes(facts: Mapping[str, Any]) -> Sheet:
    lines = [
        ("Question", facts["question"]),
        *(("Answer", text) for text in facts["answer"]),
        ("Compared", facts["measures"]),
        ("Worlds", facts["worlds"]),
        (
            "Bands",
            "p05, p50, p95: quantiles over the worlds; differences are taken world by world.",
        ),
        (
            "Money",
            "USD of 2024, real; prices without VAT. Present values at the run's discount rate.",
        ),
        ("Magnets", "Finished tonnes. Shares lie between 0 and 1 in this workbook."),
        *(("Not modelled", text) for text in facts["limits"]),
        *(("Remark", text) for text in facts["remarks"]),
        ("Reproduce", facts["command"]),
    ]
    return "Notes", ["what", "text"], lines


def tame(value: Any) -> Any:
    """Return a cell's value: numbers and dates as such, no formula, nothing that is not finite."""
    import math

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        number = float(value)
        if math.isnan(number):
            return None
        return ("never" if number > 0 else "minus infinity") if math.isinf(number) else number
    text = "".join(c for c in str(value) if c in "\n\t" or ord(c) >= 32)
    return f"'{text}" if text[:1] in "=+-@\t" else text


def save_workbook(path: Path, sheets: Iterable[Sheet]) -> None:
    """Write a workbook whole or not at all, without a time stamp.

    Parameters
    ----------
    path
        The file.
    sheets
        Title, column names and rows of each sheet.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    assert book.active is not None
    book.remove(book.active)
    book.properties.creator = "Lodestone"
    book.properties.created = book.properties.modified = datetime(2000, 1, 1)
    for title, columns, rows in sheets:
        sheet = book.create_sheet(title[:31])
        sheet.append([str(c) for c in columns])
        widths = [len(str(c)) for c in columns]
        for row in rows:
            cells = [tame(v) for v in row]
            sheet.append(cells)
            for i, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.cell(sheet.max_row, i + 1).data_type = "s"
                    widths[i] = max(widths[i], min(len(cell), 70))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for i, width in enumerate(widths):
            letter = get_column_letter(i + 1)
            sheet.column_dimensions[letter].width = max(10, min(width + 2, 72))
        if title == "Notes":
            for cells_of in sheet.iter_rows(min_row=2):
                for cell in cells_of:
                    cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.freeze_panes = "A2"
    hidden = path.with_name(f".{path.name}.part.xlsx")
    try:
        book.save(hidden)
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)
