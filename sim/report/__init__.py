"""What we show: figures and the memo, drawn from a run folder and from nothing else.

This package is the only one that imports matplotlib; importing it is cheap, drawing imports it.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["draw_figures", "write_report"]


def draw_figures(folder: Path | str) -> list[Path]:
    """Draw every figure of a run folder as PNG and SVG with its CSV; return the files."""
    from lodestone.report.figures import draw_all

    return draw_all(folder)


def write_report(folder: Path | str, formats: tuple[str, ...] = ("html", "md")) -> list[Path]:
    """Draw the figures and write the memo of a run folder; return the memo's files."""
    from lodestone.report.memo import write_memo

    return write_memo(folder, formats)
