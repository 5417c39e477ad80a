"""One slide, 16:9: a short title, the headline numbers, and the band of the first of them."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lodestone.report.asked import Row, headline_rows, quantiles
from lodestone.report.figures import save
from lodestone.report.phrases import difference, level, scale_of, share_of_worlds, shown
from lodestone.report.style import BLUE, GREY, INK, VERMILLION, look

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["write_slide"]

MOST = 4
#: Letters of a line of numbers that stand clear of its band.
WIDE = 46


def write_slide(reading: Reading, facts: dict[str, Any]) -> list[Path]:
    """Draw `figures/slide.png` and `.svg` and return them."""
    rows = [r for r in headline_rows(reading) if np.isfinite(quantiles(r.own)[1])]
    moved = ([r for r in rows if not r.still] or rows)[:MOST]
    with look():
        figure = Figure(figsize=(13.333, 7.5))
        FigureCanvasAgg(figure)
        figure.text(
            0.045,
            0.93,
            textwrap.shorten(reading.title, 70, placeholder=" \u2026"),
            size=27,
            weight="bold",
            va="top",
        )
        question = "\n".join(textwrap.wrap(facts["question"], 112)[:2])
        figure.text(0.045, 0.845, question, size=15, color="#4d4d4d", va="top", linespacing=1.3)
        if facts["nothing"] or not moved:
            figure.text(0.045, 0.6, textwrap.fill(facts["answer"][0], 80), size=20, va="top")
        else:
            for i, row in enumerate(moved):
                _line(figure, row, 0.67 - i * 0.155)
            _key(figure, moved)
        against = f"Compared with {reading.reference}, " if reading.reference else ""
        foot = (
            f"{against}{facts['worlds']} worlds: median and 5\u201395 % band. USD of 2024. "
            f"Lodestone, scenario {reading.name}."
        )
        figure.text(0.045, 0.035, foot, size=11, color=GREY)
        target = reading.results.folder / "figures"
        return [save(figure, target / f"slide.{suffix}") for suffix in ("png", "svg")]


def _line(figure: Figure, row: Row, top: float) -> None:
    """Draw one number: title, value, difference, and its band on a scale of its own."""
    known = row.own[np.isfinite(row.own)]
    told = level(row)
    if known.size < row.own.size:
        told = f"{shown(*quantiles(known), row.unit)}, {share_of_worlds(known.size, row.own.size)}"
    elif row.calm is not None and not row.still and np.isfinite(quantiles(row.delta)[1]):
        change = f"difference {difference(row)}"
        told += f"; {change}" if len(told) + len(change) < WIDE else f";\n{change}"
    figure.text(0.045, top + 0.045, textwrap.shorten(row.title, 95, placeholder=" \u2026"), size=14)
    figure.text(0.045, top, told, size=14.5, weight="bold", va="center")
    axes = figure.add_axes((0.62, top - 0.02, 0.33, 0.075))
    factor, _ = scale_of(row.unit, *quantiles(row.own))
    cases = [(row.own, VERMILLION, VERMILLION)]
    if row.calm is not None and np.isfinite(quantiles(row.calm)[1]):
        cases.append((row.calm, BLUE, "white"))
    for i, (values, colour, face) in enumerate(cases):
        low, middle, high = (factor * q for q in quantiles(values[np.isfinite(values)]))
        axes.plot([low, high], [i, i], color=colour, linewidth=5, alpha=0.5, solid_capstyle="butt")
        axes.plot(middle, i, "o", mec=colour, mfc=face, mew=2, ms=9)
    axes.set_ylim(len(cases) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    axes.tick_params(labelsize=11, colors=INK)
    axes.locator_params(axis="x", nbins=5)
    years = row.unit == "year"
    axes.xaxis.set_major_formatter(
        lambda x, _: f"{x:.0f}" if years else f"{x:,.6g}".replace("-", "\u2212")
    )


def _key(figure: Figure, rows: list[Row]) -> None:
    if any(row.calm is not None for row in rows):
        text = "\u25cf with the measures     \u25cb reference"
        figure.text(0.62, 0.765, text, size=12, color="#4d4d4d")
