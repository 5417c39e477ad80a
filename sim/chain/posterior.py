"""The calibrated vectors of behaviour, and rows of any table with what is wrong with the file."""

from __future__ import annotations

import math
from pathlib import Path

from lodestone.border.csvfile import read_rows
from lodestone.border.errors import InputError
from lodestone.border.words import suggestion
from lodestone.chain.checks import Problem
from lodestone.chain.nouns import Parameter

__all__ = ["read_posterior", "rows_of"]


def read_posterior(
    path: Path, parameters: dict[str, Parameter], problems: list[Problem]
) -> dict[str, tuple[float, ...]]:
    """Read the calibrated vectors: a column a parameter, a row a member; {} without the file.

    What is wrong is added to `problems`: an unknown parameter, a cell that is no number, a value
    outside the parameter's sourced range.
    """
    if not path.is_file():
        return {}
    held = rows_of(path, problems)
    if held is None:
        return {}
    rows = [cells for _, cells in held if cells]
    if len(rows) < 2:
        problems.append(Problem(str(path), 1, "", "there is no member in it"))
        return {}
    names = rows[0]
    for name in names:
        if name not in parameters:
            hint = suggestion(name, parameters)
            problems.append(Problem(str(path), 1, name, f"unknown parameter '{name}'", hint))
    members: list[list[float]] = []
    for line, cells in enumerate(rows[1:], start=2):
        if len(cells) != len(names):
            message = f"{len(cells)} cells, but the header has {len(names)}"
            problems.append(Problem(str(path), line, "", message))
            continue
        values = []
        for name, cell in zip(names, cells, strict=True):
            item = parameters.get(name)
            try:
                value = float(cell)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                problems.append(Problem(str(path), line, name, f"'{cell}' is no finite number"))
            elif item is not None and item.low is not None and item.high is not None:
                slack = 1e-6 * (item.high - item.low)
                if not item.low - slack <= value <= item.high + slack:
                    message = f"{value:g} lies outside the range {item.low:g} to {item.high:g}"
                    problems.append(Problem(str(path), line, name, message))
            values.append(value)
        members.append(values)
    if problems:
        return {}
    return {name: tuple(row[i] for row in members) for i, name in enumerate(names)}


def rows_of(path: Path, problems: list[Problem]) -> list[tuple[int, list[str]]] | None:
    """The rows of a table with their lines; None where it cannot be read."""
    try:
        return read_rows(path)
    except InputError as error:
        place, _, line = str(error.file).rpartition(":")
        number = int(line) if place and line.isdecimal() else 0
        problems.append(Problem(str(path), number, "", error.message, error.hint or ""))
        return None
