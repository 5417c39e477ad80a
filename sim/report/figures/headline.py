"""The numbers that were asked for, with and without the measures."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from lodestone.report.asked import Row, headline_rows, quantiles
from lodestone.report.figures import Drawing, figure
from lodestone.report.phrases import level, scale_of, sentence
from lodestone.report.reading import Reading
from lodestone.report.style import BLUE, GREY, INK, VERMILLION, canvas

MOST = 6


@figure(
    title="The numbers asked for",
    needs=["shortage_curve"],
    order=5,
    about=["supply", "trade", "need", "money", "any"],
    page="one",
)
def with_and_without(reading: Reading) -> Drawing | None:
    """A strip for each number asked for: median and band with the measures and in the reference."""
    rows = [row for row in headline_rows(reading) if np.isfinite(quantiles(row.own)[1])]
    moved = [row for row in rows if not row.still] or rows
    rows = moved[:MOST]
    if not rows:
        return None
    title = _title(reading, rows)
    pair = any(row.calm is not None for row in rows)
    note = "Median and 5\u201395 % band of the worlds. " + (
        "Filled circle: with the measures; open circle: reference. Each strip has its own scale."
        if pair
        else "Each strip has its own scale."
    )
    figure_, axes = canvas(title, note, len(rows), 1, (7.4, 0.72 * len(rows) + 0.1))
    parts = []
    for ax, row in zip(axes[:, 0], rows, strict=True):
        parts.append(_strip(ax, row))
    alt = f"{title}. Strips with medians and bands of {len(rows)} numbers."
    return Drawing(figure_, title, alt, pd.concat(parts, ignore_index=True))


def _title(reading: Reading, rows: list[Row]) -> str:
    text = sentence(reading, rows[0]).rstrip(".")
    if len(text) < 200:
        return text
    short = f"{rows[0].title}: {level(rows[0])}"
    return short if len(short) < 215 else textwrap.shorten(short, 215, placeholder=" \u2026")


def _strip(ax: Axes, row: Row) -> pd.DataFrame:
    """Draw one number as two whiskers and return what was drawn."""
    factor, unit = scale_of(row.unit, *quantiles(row.own))
    cases = [("with", row.own, VERMILLION, VERMILLION)]
    if row.calm is not None and np.isfinite(quantiles(row.calm)[1]):
        cases.append(("reference", row.calm, BLUE, "white"))
    bands = [tuple(factor * q for q in quantiles(values)) for _, values, *_ in cases]
    ends = [x for band in bands for x in band if np.isfinite(x)]
    span = max(ends) - min(ends) or max(abs(max(ends)), 1.0)
    ax.set_xlim(min(ends) - 0.12 * span, max(ends) + 0.12 * span)
    drawn = []
    for i, ((name, _, colour, face), (low, middle, high)) in enumerate(
        zip(cases, bands, strict=True)
    ):
        edge = min(high, ax.get_xlim()[1])
        ax.plot([low, edge], [i, i], color=colour, linewidth=3.0, alpha=0.55, solid_capstyle="butt")
        ax.plot(middle, i, "o", mec=colour, mfc=face, mew=1.5, ms=6)
        if edge < high:
            ax.annotate(
                "to never", (edge, i), (2, 0), textcoords="offset points", va="center", size=7
            )
        drawn.append((row.text, name, low, middle, high, unit))
    ax.set_ylim(len(cases) - 0.4, -0.6)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(True, axis="x")
    ax.grid(False, axis="y")
    ax.tick_params(labelsize=7.5)
    if row.unit == "year":
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:.0f}")
    else:
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:,.6g}".replace("-", "\u2212"))
    ax.locator_params(axis="x", nbins=6)
    told = f"{row.title}{f', {unit}' if unit else ''}"
    ax.set_title(
        textwrap.shorten(told, 118, placeholder=" \u2026"),
        size=8,
        color=INK,
        pad=2,
        weight="normal",
    )
    ax.axvline(0, color=GREY, linewidth=0.6) if min(ends) < 0 < max(ends) else None
    names = ["metric", "case", "p05", "p50", "p95", "unit"]
    return pd.DataFrame(drawn, columns=names)
