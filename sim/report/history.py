"""Panels of a replay: simulated bands over observed points and bands of facts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lodestone.report.style import BLUE, GREY, INK, VERMILLION, canvas, date_axis, look, panel_title

__all__ = ["draw_panels", "save"]

COLUMNS = 3


def draw_panels(title: str, panels: Sequence[Any]) -> Figure:
    """Draw one panel a series: median and 5-95 % band, observed points, bands of the facts."""
    return _small_multiples(
        f"{title}: simulated against observed",
        "Line and shade: median and 5–95 % of the worlds. Dots: observed. Brackets: the band in "
        "which a fact accepts the median, dashed where it fails. Shades far above are cut.",
        (3.1, 2.1),
        panels,
        _draw,
    )


def _small_multiples(
    title: str,
    note: str,
    size: tuple[float, float],
    items: Sequence[Any],
    draw: Callable[[Any, Any], None],
) -> Figure:
    """One panel an item, ``size`` inches each, drawn by ``draw(axes, item)``."""
    columns = min(COLUMNS, len(items))
    rows = math.ceil(len(items) / columns)
    with look():
        figure, grid = canvas(title, note, rows, columns, size=(size[0] * columns, size[1] * rows))
        for axes in grid.flat[len(items) :]:
            axes.set_visible(False)
        for axes, item in zip(grid.flat, items, strict=False):
            draw(axes, item)
        return figure


def _draw(axes: Any, panel: Any) -> None:
    when = pd.to_datetime([d.isoformat() for d in panel.dates])
    axes.fill_between(when, panel.p05, panel.p95, color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(when, panel.p50, color=BLUE, linewidth=1.4)
    if panel.points:
        at = pd.to_datetime([d.isoformat() for d, _ in panel.points])
        axes.plot(at, [v for _, v in panel.points], "o", color=INK, markersize=3.2, zorder=4)
    floor, roof = axes.get_ylim()
    roof = max([roof, *(b.high for b in panel.boxes if math.isfinite(b.high))])
    floor = min([floor, *(b.low for b in panel.boxes if math.isfinite(b.low))])
    for box in panel.boxes:
        low, high = max(box.low, floor), min(box.high, roof)
        first, last = pd.Timestamp(box.first), pd.Timestamp(box.last)
        middle = first + (last - first) / 2
        style = "-" if box.passed else (0, (2, 1.5))
        colour = GREY if box.passed else VERMILLION
        axes.plot([middle, middle], [low, high], color=colour, linewidth=1.1, linestyle=style)
        for edge, open_side in ((low, math.isinf(box.low)), (high, math.isinf(box.high))):
            if not open_side:
                axes.plot([first, last], [edge, edge], color=colour, linewidth=1.1)
    _height(axes, panel, floor, roof)
    date_axis(axes, (when[0], when[-1]), ticks=4)
    axes.set_title(panel_title(panel.name))
    axes.set_ylabel(panel.unit)


def _height(axes: Any, panel: Any, floor: float, roof: float) -> None:
    """Set the height of a panel so that what was observed can be read.

    Spreads over more than a factor of 30 get a logarithmic axis; where there are zeros, the
    shade is cut instead.
    """
    shade = [x for x in (*panel.p05, *panel.p95) if math.isfinite(x)]
    drawn = [x for x in (*panel.p50, *(v for _, v in panel.points)) if math.isfinite(x)]
    drawn += [x for b in panel.boxes for x in (b.low, b.high) if math.isfinite(x)]
    if not shade:
        return
    wide = min(*shade, *drawn) > 0.0 and max(shade) > 30.0 * min(shade)
    if wide and panel.unit not in ("share", "%"):
        axes.set_yscale("log")
        return
    if drawn:
        roof = min(roof, 3.0 * max(drawn)) if max(drawn) > 0.0 else roof
    axes.set_ylim(-0.02 * roof if min(*shade, *drawn) >= 0.0 else floor, roof * 1.03)


def save(figure: Figure, stem: Path) -> list[Path]:
    """Save a figure as PNG and SVG; the files written."""
    made = []
    with look():
        for suffix, extra in ((".png", {"dpi": 130}), (".svg", {"metadata": {"Date": None}})):
            path = stem.with_suffix(suffix)
            hidden = path.with_name(f".{path.stem}.part{suffix}")
            figure.savefig(hidden, **extra)
            hidden.replace(path)
            made.append(path)
    return made
