"""What the terminal shows: tables, progress and messages.

On a terminal tables and progress use `rich`; elsewhere they are plain text, one row a line, so
that ``grep`` and scripts can read them. Tables go to standard output, everything said on the way
to standard error.
"""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, TextIO

from lodestone.border.errors import printable
from lodestone.border.files import json_text

__all__ = ["Progress", "paragraph", "print_table", "say"]

WIDTH = 96


def say(message: str) -> None:
    """Write a remark to standard error."""
    print(printable(message), file=sys.stderr, flush=True)


def paragraph(text: str, indent: str = "") -> str:
    """Return text wrapped to the page."""
    lines = [" ".join(part.split()) for part in printable(text).strip().split("\n\n")]
    return "\n\n".join(
        textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent)
        for line in lines
    )


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is looking."""
    return bool(getattr(stream, "isatty", lambda: False)())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(v) for v in value)
    return printable(" ".join(str(value).split()))


def print_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    as_json: bool = False,
    title: str = "",
    right: Iterable[str] = (),
) -> None:
    """Print rows as JSON, as a table (on a terminal) or as aligned plain text.

    Parameters
    ----------
    rows
        One mapping per row.
    columns
        Which keys, in which order.
    as_json
        Print the rows as one line of JSON.
    title
        Above the table.
    right
        Columns aligned to the right.
    """
    if as_json:
        print(json_text([{c: row.get(c) for c in columns} for row in rows]))
        return
    right = set(right)
    if is_terminal(sys.stdout):
        from rich.console import Console
        from rich.table import Table

        table = Table(title=title or None, title_justify="left", header_style="bold", box=None)
        for column in columns:
            table.add_column(
                column.replace("_", " "),
                justify="right" if column in right else "left",
                overflow="fold",
                no_wrap=column == columns[0],
            )
        for row in rows:
            table.add_row(*(_cell(row.get(c)).replace("[", r"\[") for c in columns))
        Console().print(table)
        return
    if title:
        print(title)
    cells = [[c.replace("_", " ") for c in columns]]
    cells += [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        parts = [
            text.rjust(width) if column in right else text.ljust(width)
            for text, width, column in zip(line, widths, columns, strict=True)
        ]
        print("  ".join(parts).rstrip())


class Progress:
    """Shows worlds done and time left: a bar on a terminal, else a line for every tenth.

    Call it with the number done, the total and what is being run; it never changes a result.

    Parameters
    ----------
    quiet
        Show nothing.
    stream
        Where to; by default standard error.
    """

    def __init__(self, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.quiet = quiet
        self.stream = stream or sys.stderr
        self.bar: Any = None
        self.tasks: dict[str, Any] = {}
        self.began: dict[str, float] = {}
        self.shown: dict[str, int] = {}

    def __enter__(self) -> Progress:
        if not self.quiet and is_terminal(self.stream):
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import (
                Progress as Bar,
            )

            self.bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("worlds, left"),
                TimeRemainingColumn(),
                TextColumn("gone"),
                TimeElapsedColumn(),
                console=Console(file=self.stream),
                transient=True,
            )
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Note that `done` of `total` worlds of `what` are finished."""
        if self.quiet or total <= 0:
            return
        if self.bar is not None:
            if what not in self.tasks:
                self.tasks[what] = self.bar.add_task(what, total=total)
            self.bar.update(self.tasks[what], completed=done, total=total)
            return
        now = time.monotonic()
        began = self.began.setdefault(what, now)
        tenth = 10 * done // total
        if tenth == self.shown.get(what, 0):
            return
        self.shown[what] = tenth
        gone = now - began
        left = gone * (total - done) / done if done else 0.0
        rest = f", about {left:.0f} s left" if done < total else f" in {gone:.0f} s"
        print(f"{what}: {done} of {total} worlds{rest}", file=self.stream, flush=True)
