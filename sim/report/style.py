"""One look for all figures: paper white, few lines, direct labels, readable in grey.

Colours are those of Okabe and Ito, which readers with the common colour deficiencies can tell
apart; what matters is told apart by line style, hatching or a label too.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from lodestone.report.reading import Mark, Reading
from lodestone.report.wording import capital, human

__all__ = [
    "BLOC_COLOURS",
    "COLOURS",
    "GREY",
    "INK",
    "HATCHES",
    "canvas",
    "date_axis",
    "label_ends",
    "label_line",
    "letter",
    "look",
    "mark_interventions",
    "mark_words",
    "marks_shown",
    "panel_title",
    "ribbon",
]

INK = "#1a1a1a"
GREY = "#767676"
FAINT = "#dcdcdc"
BLUE, VERMILLION, GREEN, SKY = "#0072b2", "#d55e00", "#009e73", "#56b4e9"
ORANGE, PURPLE, YELLOW = "#e69f00", "#cc79a7", "#f0e442"
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, YELLOW, GREY)
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "++", "oo")
BLOC_COLOURS = (VERMILLION, BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW, GREY)

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "lodestone",
    "svg.fonttype": "path",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
HEAD, LINE, SUB, MARGIN = 0.12, 0.245, 0.18, 0.12


@contextmanager
def look() -> Iterator[None]:
    """Draw with this style and nothing of the reader's own matplotlib settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def canvas(
    title: str,
    note: str,
    rows: int = 1,
    columns: int = 1,
    size: tuple[float, float] = (7.4, 4.2),
    **grid: Any,
) -> tuple[Figure, np.ndarray]:
    """Return a figure with its finding as title, its note below it, and its axes (rows, columns).

    Parameters
    ----------
    title
        The finding, one or two lines.
    note
        Units, bands and marks in words.
    size
        Width and height of the panels' area in inches; the head comes on top of it.
    """
    width = size[0]
    title_lines = textwrap.wrap(title, int(width * 9.0))
    note_lines = textwrap.wrap(note, int(width * 14.6))
    head = HEAD + LINE * len(title_lines) + SUB * len(note_lines) + MARGIN
    height = size[1] + head
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.008, 0.012, 0.984, 1 - head / height - 0.012), w_pad=0.06, h_pad=0.05)
    figure.text(
        0.012,
        1 - HEAD / height,
        "\n".join(title_lines),
        size=11.5,
        weight="bold",
        va="top",
        linespacing=1.25,
    )
    figure.text(
        0.012,
        1 - (HEAD + LINE * len(title_lines) + 0.05) / height,
        "\n".join(note_lines),
        size=8.5,
        color="#4d4d4d",
        va="top",
        linespacing=1.3,
    )
    axes = figure.subplots(rows, columns, squeeze=False, **grid)
    return figure, axes


def ribbon(axes: Axes, table: pd.DataFrame, stem: str, colour: str, **line: Any) -> None:
    """Draw a median with its 5-95 % band; without a band the line alone."""
    low, high = table[f"{stem}_p05"], table[f"{stem}_p95"]
    if low.notna().any():
        axes.fill_between(table.index, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(table.index, table[f"{stem}_p50"], color=colour, **line)


def date_axis(axes: Axes, window: tuple[pd.Timestamp, pd.Timestamp], ticks: int = 7) -> None:
    """Set the window of a date axis and label it by months or years without repeating."""
    axes.set_xlim(window[0].to_pydatetime(), window[1].to_pydatetime())
    months = (window[1] - window[0]).days / 30.44
    step = next((s for s in (1, 2, 3, 6, 12, 24, 36, 60) if months / s <= ticks), 120)
    count = window[0].year * 12 + window[0].month - 1
    first = -(-(count + (window[0].day > 1)) // step) * step
    last = window[1].year * 12 + window[1].month - 1
    at = [pd.Timestamp(n // 12, n % 12 + 1, 1) for n in range(first, last + 1, step)]
    labels = []
    for i, when in enumerate(at):
        if step >= 12:
            labels.append(f"{when:%Y}")
        else:
            new = i == 0 or when.year != at[i - 1].year
            labels.append(f"{when:%b}\n{when:%Y}" if new else f"{when:%b}")
    axes.set_xticks([when.to_pydatetime() for when in at], labels)


def mark_interventions(axes: Axes, reading: Reading, *, words: bool = True) -> list[Mark]:
    """Draw a dashed line where an intervention starts, with its letter; return what was drawn."""
    left, right = (pd.Timestamp(mdates.num2date(x).replace(tzinfo=None)) for x in axes.get_xlim())
    shown = marks_shown(reading, (left, right))
    near = (right - left) / 45
    groups: list[list[Mark]] = []
    for mark in shown:
        axes.axvline(
            mark.start,
            color=INK if words else GREY,
            linewidth=0.8 if words else 0.6,
            linestyle=(0, (3, 3)),
            zorder=1,
        )
        if groups and mark.start - groups[-1][-1].start < near:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    if words:
        for group in groups:
            when = group[0].start + (group[-1].start - group[0].start) / 2
            axes.annotate(
                "".join(letter(reading, mark) for mark in group),
                (when, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                va="bottom",
                size=8,
                weight="bold",
            )
    return shown


def share_ticks(wide: bool) -> FuncFormatter:
    """Return how ticks of shares (0..1) read, in per cent: whole, or as fine as they are set."""
    digits = 0 if wide else 3
    return FuncFormatter(lambda x, _: f"{round(100 * x, digits) + 0.0:g}%".replace("-", "\u2212"))


def marks_shown(
    reading: Reading, window: tuple[pd.Timestamp, pd.Timestamp], most: int = 4
) -> list[Mark]:
    """Return the interventions that start in the window; of many only the disruptions."""
    inside = [m for m in reading.marks if window[0] <= m.start <= window[1]]
    if len(inside) <= most:
        return inside
    return [m for m in inside if m.role == "disruption"][:most]


def letter(reading: Reading, mark: Mark) -> str:
    """Return the letter of an intervention: the same one in all figures of a run."""
    number = reading.marks.index(mark)
    return chr(ord("A") + number) if number < 26 else f"{number + 1}"


def mark_words(reading: Reading, window: tuple[pd.Timestamp, pd.Timestamp]) -> str:
    """Return the key to the letters of the interventions that start in the window."""
    inside = marks_shown(reading, window)
    if not inside:
        return ""
    words = [f"{human(mark.name)} ({letter(reading, mark)})" for mark in inside]
    return f"Dashed line{'s' if len(words) > 1 else ''}: start of {'; '.join(words)}."


def label_ends(
    axes: Axes,
    labels: Sequence[tuple[float, str, str]],
    *,
    x: float = 1.0,
    gap: float = 0.055,
) -> None:
    """Write labels at the right edge at (height, text, colour), moved apart where they collide."""
    low, high = axes.get_ylim()
    log = axes.get_yscale() == "log"

    def height(y: float) -> float:
        if log:
            return float((np.log(y) - np.log(low)) / (np.log(high) - np.log(low)))
        return (y - low) / (high - low)

    placed = sorted(((height(y), text, colour) for y, text, colour in labels), key=lambda p: p[0])
    heights = [p[0] for p in placed]
    for _ in range(60):
        for i in range(len(heights) - 1):
            lines = max(placed[i][1].count("\n"), placed[i + 1][1].count("\n")) + 1
            overlap = gap * lines - (heights[i + 1] - heights[i])
            if overlap > 1e-9:
                heights[i] -= overlap / 2
                heights[i + 1] += overlap / 2
        if heights and heights[0] < 0.02:
            heights[0] = 0.02
        if heights and heights[-1] > 0.98:
            heights[-1] = 0.98
    for y, (_, text, colour) in zip(heights, placed, strict=True):
        axes.annotate(
            text,
            (x, y),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            color=colour,
            size=8.5,
            va="center",
            ha="left",
            annotation_clip=False,
        )


def label_line(
    axes: Axes, series: pd.Series, text: str, colour: str, lines: Sequence[pd.Series]
) -> None:
    """Write a label beside a line near its highest point, where it covers no line.

    Parameters
    ----------
    axes
        Its limits are set already.
    series
        The line to be labelled, by date.
    lines
        Every line and edge of a band that the label must not touch, by date.
    """
    figure: Any = axes.get_figure(root=True)
    figure.get_layout_engine().execute(figure)  # so that distances on the page are known
    points = axes.figure.dpi / 72.0
    wide, high = (0.31 * 9 * len(text) + 2) * points, 6.0 * points  # half the box of the text
    taken = []
    for line in lines:
        whole = line.dropna()
        if len(whole) > 1:
            at = axes.transData.transform(
                np.column_stack([mdates.date2num(whole.index), whole.to_numpy(dtype=float)])
            )
            steps = np.linspace(0, len(at) - 1, 12 * len(at))
            taken.append(
                np.column_stack([np.interp(steps, range(len(at)), at[:, i]) for i in (0, 1)])
            )
    box = axes.get_window_extent()
    for mark in axes.get_lines():
        across = np.asarray(mark.get_xdata())
        if len(across) == 2 and across[0] == across[1]:  # a vertical mark from top to bottom
            mark_x = axes.transData.transform((mdates.date2num(across[0]), 0.0))[0]
            taken.append(np.column_stack([np.full(200, mark_x), np.linspace(box.y0, box.y1, 200)]))
    obstacles = np.concatenate(taken)
    upper = series[series >= 0.35 * series.max()]
    own = axes.transData.transform(
        np.column_stack([mdates.date2num(upper.index), upper.to_numpy(dtype=float)])
    )
    top = own[np.argmax(own[:, 1])]
    found: tuple[float, np.ndarray] | None = None
    for x, y in own:
        for reach in (1.3, 2.2, 3.2):
            for right, up in ((0, 1), (-1, 0), (1, 0), (-1, 1), (1, 1), (0, -1)):
                middle = np.array([x + right * (wide + 4 * reach * points), y])
                middle[1] += up * (high + 3 * reach * points)
                inside = (
                    box.x0 + wide < middle[0] < box.x1 - wide
                    and box.y0 + high < middle[1] < box.y1 + 2 * high
                )
                hit = np.any(
                    (np.abs(obstacles[:, 0] - middle[0]) < wide)
                    & (np.abs(obstacles[:, 1] - middle[1]) < high)
                )
                cost = float(np.hypot(*(middle - top)) + 4 * reach * points)
                if inside and not hit and (found is None or cost < found[0]):
                    found = cost, middle
    place = top + [0, high + 4 * points] if found is None else found[1]
    across, up = axes.transAxes.inverted().transform(place)
    axes.annotate(
        text,
        (round(float(across), 3), round(float(up), 3)),
        xycoords="axes fraction",
        ha="center",
        va="center",
        color=colour,
        weight="bold",
        size=9,
    )


def panel_title(name: str) -> str:
    """Return a name as the title of a small panel."""
    return capital(human(name))
