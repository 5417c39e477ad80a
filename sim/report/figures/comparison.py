"""Figures of a comparison: cases by metric, shortage over time by case, cost against shortage."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lodestone.report.asked import quantiles, row_of
from lodestone.report.case_words import ranked, with_case
from lodestone.report.figures import Drawing
from lodestone.report.phrases import scale_of, shown
from lodestone.report.studies import save_drawing
from lodestone.report.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    VERMILLION,
    canvas,
    date_axis,
    label_ends,
    look,
    ribbon,
)
from lodestone.report.wording import capital, human, percent

if TYPE_CHECKING:
    from lodestone.report.cases import Comparison

__all__ = ["draw_comparison"]

MOST_PANELS = 6
#: Difference in public outlay from which cost is set against shortage (USD million).
LEAST_MONEY = 10.0
#: Marks of the cases and the same as characters of their labels.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SIGNS = ("\u25cf", "\u25a0", "\u25b2", "\u25c6", "\u25bc", "\u271a", "\u2716", "\u2605")


def draw_comparison(held: Comparison, target: Path) -> list[dict[str, str]]:
    """Draw the figures of a comparison and return their names, titles and alt texts."""
    found = []
    for name, title, draw in (
        ("cases_by_metric", "Cases by number", cases_by_metric),
        ("shortage_by_case", "Unmet use by case", shortage_by_case),
        ("cost_against_shortage", "Cost against shortage avoided", cost_against_shortage),
    ):
        with look():
            drawing = draw(held)
            if drawing is None:
                continue
            save_drawing(drawing, target, name)
        found.append(
            {"figure": name, "title": title, "finding": drawing.finding, "alt": drawing.alt}
        )
    return found


def cases_by_metric(held: Comparison) -> Drawing:
    """A panel a metric: median and band of every case on one axis."""
    metrics = [m for m in held.telling if np.isfinite(quantiles(m.own)[1])][:MOST_PANELS]
    metrics = metrics or held.metrics[:1]
    columns = 2 if len(metrics) > 1 else 1
    rows = -(-len(metrics) // columns)
    title = ranked(held, metrics[0]).rstrip(".")
    note = (
        "Median and 5\u201395 % band of the same worlds; base open. Each panel has its own scale."
    )
    size = (7.4, rows * (0.55 + 0.21 * len(held.cases)))
    figure, axes = canvas(title, note, rows, columns, size, sharey=True)
    lines = []
    for ax, metric in zip(axes.flat, metrics, strict=False):
        all_values = [held.row(metric, i).own for i in range(len(held.cases))]
        factor, unit = scale_of(metric.unit, *(q for v in all_values for q in quantiles(v)))
        for i, values in enumerate(all_values):
            known = values[np.isfinite(values)]
            if not known.size:
                ax.annotate(
                    "never", (0.02, i), xycoords=("axes fraction", "data"), size=7.5, va="center"
                )
                continue
            low, middle, high = (factor * q for q in quantiles(known))
            colour = BLUE if i == 0 else VERMILLION
            ax.plot(
                [low, high], [i, i], color=colour, linewidth=3, alpha=0.5, solid_capstyle="butt"
            )
            ax.plot(middle, i, "o", mec=colour, mfc="white" if i == 0 else colour, mew=1.4, ms=5)
            lines.append((metric.text, held.names[i], low, middle, high, unit))
        told = f"{metric.title}{f', {unit}' if unit else ''}"
        ax.set_title(
            textwrap.fill(textwrap.shorten(told, 100, placeholder=" \u2026"), 44),
            size=7.5,
            weight="normal",
        )
        ax.set_ylim(len(held.cases) - 0.5, -0.5)
        ax.set_yticks(
            range(len(held.cases)),
            [
                textwrap.shorten(n if "=" in n else capital(n), 30, placeholder=" \u2026")
                for n in held.names
            ],
            size=7.5,
        )
        ax.grid(True, axis="x")
        ax.grid(False, axis="y")
        ax.tick_params(axis="x", labelsize=7.5)
        ax.margins(x=0.08)
        ax.locator_params(axis="x", nbins=5)
        years = metric.unit == "year"
        ax.xaxis.set_major_formatter(
            lambda x, _, years=years: f"{x:.0f}" if years else f"{x:,.6g}".replace("-", "\u2212")
        )
    for ax in list(axes.flat)[len(metrics) :]:
        ax.remove()
    names = ["metric", "case", "p05", "p50", "p95", "unit"]
    alt = f"{title}. Dots and bands of {', '.join(held.names[:6])}."
    return Drawing(figure, title, alt, pd.DataFrame(lines, columns=names))


def shortage_by_case(held: Comparison) -> Drawing | None:
    """Small multiples of the unmet share over time with shared axes, the base dotted in each."""
    runs = [
        (n, c.reading) for n, c in zip(held.names, held.cases, strict=True) if c.reading is not None
    ]
    if len(runs) < 2:
        return None
    curves = {name: reading.curve() for name, reading in runs}
    first = min(reading.since for _, reading in runs)
    peak = max(float(c["unmet_share_p95"].loc[first:].max()) for c in curves.values())
    if not peak > 0.005:
        return None
    columns = min(3, len(runs))
    rows = -(-len(runs) // columns)
    worst = {n: float(c["unmet_share_p50"].loc[first:].max()) for n, c in curves.items()}
    low, high = min(worst, key=worst.__getitem__), max(worst, key=worst.__getitem__)
    title = (
        f"In the worst week of the median world {percent(worst[low])} of planned use goes unmet "
        f"{with_case(low)}, {percent(worst[high])} {with_case(high)}"
        if percent(worst[low]) != percent(worst[high])
        else f"In every case up to {percent(worst[high])} of planned use goes unmet in the median world"
    )
    note = "Share of planned use that goes unmet, all users; median and 5\u201395 % band of the worlds; dotted: the base case. Shared axes."
    figure, axes = canvas(title, note, rows, columns, (7.4, 1.75 * rows), sharex=True, sharey=True)
    base = curves[runs[0][0]]
    parts = []
    last = max(c.index[-1] for c in curves.values())
    for i, (ax, (name, _)) in enumerate(zip(axes.flat, runs, strict=False)):
        curve = curves[name].loc[first:]
        ribbon(ax, curve, "unmet_share", VERMILLION, linewidth=1.4)
        if i:
            shown = base.loc[first:]
            ax.plot(shown.index, shown["unmet_share_p50"], color=GREY, lw=1.0, ls=":")
        ax.set_title(textwrap.fill(capital(human(name)), 30), size=8)
        date_axis(ax, (first, last), ticks=5)
        ax.tick_params(labelsize=7.5, labelbottom=i + columns >= len(runs))
        ax.yaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
        part = curve[["unmet_share_p05", "unmet_share_p50", "unmet_share_p95"]].reset_index()
        part.insert(0, "case", name)
        parts.append(part)
    for ax in list(axes.flat)[len(runs) :]:
        ax.remove()
    axes[0, 0].set_ylim(0, 1.1 * peak)
    alt = f"{title}. Small line charts with shared axes: {', '.join(n for n, _ in runs[:6])}."
    return Drawing(figure, title, alt, pd.concat(parts, ignore_index=True))


def cost_against_shortage(held: Comparison) -> Drawing | None:
    """Public outlay more than the base against tonnes of shortage less than the base, by case."""
    from lodestone.report.cases import AVOIDED, COST

    reading = held.cases[0].reading
    if reading is None:
        return None
    cost, short = row_of(reading, COST), row_of(reading, AVOIDED)
    if cost is None or short is None:
        return None
    points = []
    for i, name in enumerate(held.names[1:], start=1):
        try:
            spent, lacking = held.row(cost, i).delta, held.row(short, i).delta
        except AssertionError:
            return None
        points.append((name, quantiles(spent), quantiles(-lacking)))
    if held.apart or not any(abs(p[1][1]) >= LEAST_MONEY for p in points):
        return None
    points = [p for p in points if any(abs(x) > 0.5 for x in (*p[1], *p[2]))]
    best = max(points, key=lambda p: p[2][1])
    title = (
        f"{shown(*best[2], 't_magnet')} of what users lack {with_case(held.names[0])} is avoided "
        f"{with_case(best[0])}: the most"
        if best[2][0] > 0
        else f"No case clearly avoids what users lack {with_case(held.names[0])}"
    )
    note = (
        "Right: more public outlay than the base, present value, million USD; up: fewer tonnes of "
        "magnet that users lack to the end of the run. Outlay is net: what public stocks sell counts "
        "against it. Median and 5\u201395 % band of the same worlds."
    )
    figure, axes = canvas(title, note, size=(7.4, 3.4))
    ax = axes[0, 0]
    lines = []
    labels = []
    for i, (name, money, avoided) in enumerate(points):
        colour = COLOURS[i % len(COLOURS)]
        sign = MARKERS[i % len(MARKERS)]
        ax.plot([money[0], money[2]], [avoided[1]] * 2, color=colour, lw=1.2)
        ax.plot([money[1]] * 2, [avoided[0], avoided[2]], color=colour, lw=1.2)
        ax.plot(money[1], avoided[1], sign, color=colour, ms=6.5)
        words = textwrap.shorten(capital(name), 30, placeholder=" \u2026")
        labels.append((avoided[1], f"{SIGNS[i % len(SIGNS)]} {words}", colour))
        lines.append((name, *money, *avoided))
    ax.axhline(0, color=INK, lw=0.6)
    ax.axvline(0, color=INK, lw=0.6)
    ax.set_xlabel("more public outlay, million USD")
    ax.set_ylabel("t of magnet avoided")
    ax.margins(0.08)
    label_ends(ax, labels, x=1.0)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda x, _: f"{x:,.0f}".replace("-", "\u2212"))
    names = ["case"]
    names += [f"outlay_usd_million_{q}" for q in ("p05", "p50", "p95")]
    names += [f"avoided_t_magnet_{q}" for q in ("p05", "p50", "p95")]
    noun = "case" if len(points) == 1 else "cases"
    alt = f"{title}. Scatter of {len(points)} {noun} with bands."
    return Drawing(figure, title, alt, pd.DataFrame(lines, columns=names))
