"""Pictures of studies: line with band, heat map, small multiples, tornado, sensitivity, scatter.

Each function takes plain tables and returns a `Drawing`: its title states the finding, with unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.report.figures import Drawing

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "heat_map",
    "line_with_band",
    "multiples",
    "ranking",
    "save_drawing",
    "scatter",
    "tornado",
]


def save_drawing(drawing: Drawing, folder: Path, name: str) -> list[Path]:
    """Write a drawing as PNG, SVG and CSV of what was drawn."""
    from lodestone.report.figures import _csv, _write, save, settle
    from lodestone.report.style import look

    folder.mkdir(parents=True, exist_ok=True)
    with look():
        settle(drawing.figure)
        files = [save(drawing.figure, folder / f"{name}.{s}") for s in ("png", "svg")]
    return [*files, _write(folder / f"{name}.csv", _csv(drawing.data))]


class Unit:
    """How numbers of a unit are shown: shares as percent, everything else as it is."""

    def __init__(self, unit: str) -> None:
        self.share = unit == "share"
        self.factor = 100.0 if self.share else 1.0
        self.year = unit == "year"
        self.word = "" if self.year else "%" if self.share else unit.replace("_", " ")
        self.step = "percentage points" if self.share else self.word

    def text(self, value: float) -> str:
        """A number with its unit."""
        if np.isnan(value):
            return "none"
        if np.isinf(value):
            return "never" if value > 0 else "no end"
        if self.year:
            return f"{value:.0f}"
        return f"{_short(value * self.factor)} {self.word}".strip()

    def axis(self, title: str) -> str:
        """A title of an axis with the unit."""
        head = title[:1].upper() + title[1:]
        return f"{head}, {self.word}" if self.word else head


def _short(value: float) -> str:
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _drawable(values: np.ndarray, ceiling: float) -> np.ndarray:
    """Endless values at the edge of the picture."""
    return np.where(np.isposinf(values), ceiling, np.where(np.isneginf(values), np.nan, values))


def _ceiling(*arrays: np.ndarray, zero: bool = True) -> tuple[float, bool]:
    """Where endless values are drawn, and whether there are any; `zero`: the axis begins at 0."""
    every = np.concatenate([np.ravel(a) for a in arrays])
    finite = every[np.isfinite(every)]
    top = float(finite.max()) if finite.size else 1.0
    low = float(finite.min()) if finite.size else 0.0
    low = min(0.0, low) if zero else min(low, top - 1.0)
    return top + 0.12 * max(top - low, 1e-9), bool(np.isposinf(every).any())


def line_with_band(
    table: pd.DataFrame, key: str, label: str, metric: str, unit: str, worlds: int
) -> Drawing:
    """Median and 5-95 % of the worlds along one key.

    Parameters
    ----------
    table
        Columns `key`, ``p05, p50, p95``, and ``reference_p50`` where there is a reference; in
        the unit of the metric.
    label
        The key as the axis names it.
    metric
        The metric in words.
    """
    from lodestone.report.style import BLUE, GREY, canvas, label_ends, look

    u = Unit(unit)
    numeric = table[key].dtype.kind in "if"
    shown = table.sort_values(key) if numeric else table
    x = shown[key].to_numpy(float) if numeric else np.arange(len(shown))
    low, mid, high = (shown[c].to_numpy(float) for c in ("p05", "p50", "p95"))
    calm = shown["reference_p50"].to_numpy(float) if "reference_p50" in shown else np.empty(0)
    ceiling, endless = _ceiling(low, mid, high, calm, zero=not u.year)
    first, last = shown.iloc[0], shown.iloc[-1]
    if numeric:
        title = _line_title(metric, label, u, first, last, key)
    else:
        title = f"{metric[:1].upper()}{metric[1:]}: {_range_words(table, [key], [label], u)}"
    note = f"Median (line) and 5-95 % (band) of {worlds} worlds, the same worlds at every point."
    if endless:
        note += " Never: not within the horizon."
    with look():
        figure, grid = canvas(title, note, size=(7.4, 3.9))
        axes = grid[0, 0]
        lows, mids, highs = (_drawable(v, ceiling) * u.factor for v in (low, mid, high))
        if numeric:
            axes.fill_between(x, lows, highs, color=BLUE, alpha=0.2, linewidth=0)
            axes.plot(x, mids, color=BLUE, marker="o", markersize=3.5)
        else:
            reach = np.vstack([mids - lows, highs - mids])
            axes.errorbar(x, mids, yerr=reach, fmt="o", color=BLUE, elinewidth=5, alpha=0.9)
            axes.set_xticks(x, [_wrapped(v) for v in shown[key]])
        labels = [
            (float(v[-1]), text, BLUE)
            for v, text in ((highs, "95 %"), (mids, "median"), (lows, "5 %"))
            if np.isfinite(v[-1])
        ]
        if calm.size:
            calm = _drawable(calm, ceiling) * u.factor
            axes.plot(x, calm, color=GREY, linestyle=(0, (4, 2)), linewidth=1.3)
            if np.isfinite(calm[-1]):
                labels.append((float(calm[-1]), "reference, median", GREY))
        axes.set_xlabel(label)
        axes.set_ylabel(_wrapped(u.axis(metric), 44))
        if u.year:
            axes.yaxis.get_major_locator().set_params(integer=True)
        elif np.nanmin(lows, initial=0.0) >= 0:
            axes.set_ylim(bottom=0)
        axes.margins(x=0.02 if numeric else 0.15)
        if endless:
            _never(axes, ceiling * u.factor)
        if numeric:
            label_ends(axes, labels)
    data = shown[[key, "p05", "p50", "p95", *(c for c in ("reference_p50",) if c in shown)]]
    return Drawing(figure, title, f"Line of {metric} along {label}, with band.", data)


def _never(axes: Any, height: float) -> None:
    """Name the height at which endless values are drawn, in place of numbers above it."""
    low = axes.get_ylim()[0]
    reach = height - low
    axes.set_yticks([t for t in axes.get_yticks() if low <= t < height - 0.07 * reach])
    axes.set_ylim(low, height + 0.05 * reach)
    axes.annotate(
        "never",
        (0.0, height),
        xycoords=("axes fraction", "data"),
        xytext=(-5, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        size=8.5,
    )


def _line_title(
    metric: str, label: str, u: Unit, first: pd.Series, last: pd.Series, key: str
) -> str:
    head = f"{metric[:1].upper()}{metric[1:]}: "
    a, b = first["p50"], last["p50"]
    span = f"{label} from {_value(first[key])} to {_value(last[key])}"
    if u.text(a) == u.text(b):
        if u.text(first["p95"]) != u.text(last["p95"]):
            return (
                f"{head}the median stays at {u.text(a)}, the 95 % world goes from "
                f"{u.text(first['p95'])} to {u.text(last['p95'])} with {span}"
            )
        return f"{head}the median stays at {u.text(a)} with {span}"
    return f"{head}from {u.text(a)} to {u.text(b)} in the median world with {span}"


def _value(value: Any) -> str:
    return _short(float(value)) if isinstance(value, int | float | np.number) else str(value)


def _wrapped(text: Any, width: int = 16) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(_value(text).replace("_", " "), width)) or " "


def heat_map(
    table: pd.DataFrame, keys: tuple[str, str], labels: tuple[str, str], metric: str, unit: str,
    worlds: int,
) -> Drawing:  # fmt: skip
    """Median over two keys, as coloured and written cells.

    Parameters
    ----------
    table
        Columns of both keys and ``p50``.
    """
    from lodestone.report.style import canvas, look

    u = Unit(unit)
    grid = table.pivot(index=keys[1], columns=keys[0], values="p50")
    title = f"{metric[:1].upper()}{metric[1:]}: {_range_words(table, keys, labels, u)}"
    note = f"Median of {worlds} worlds, {u.word}."
    with look():
        figure, axes = canvas(title, note, size=(7.4, 1.2 + 0.42 * max(len(grid), 5)))
        _cells(axes[0, 0], grid, u, None)
        axes[0, 0].set_xlabel(labels[0])
        axes[0, 0].set_ylabel(labels[1])
    return Drawing(figure, title, f"Heat map of {metric}.", table[[*keys, "p50"]])


def _range_words(table: pd.DataFrame, keys: Sequence[str], labels: Sequence[str], u: Unit) -> str:
    least, most = table.loc[table["p50"].idxmin()], table.loc[table["p50"].idxmax()]

    def where(row: pd.Series) -> str:
        return "; ".join(f"{n}: {_value(row[k])}" for k, n in zip(keys, labels, strict=True))

    if least["p50"] == most["p50"]:
        return f"{u.text(least['p50'])} at every point"
    return f"{u.text(least['p50'])} ({where(least)}) to {u.text(most['p50'])} ({where(most)})"


def _cells(axes: Any, grid: pd.DataFrame, u: Unit, limits: tuple[float, float] | None) -> None:
    """Draw a table of numbers as cells, darker where larger."""
    import matplotlib as mpl

    values = grid.to_numpy(float) * u.factor
    finite = values[np.isfinite(values)]
    low, high = limits or (
        (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    )
    high = high if high > low else low + 1.0
    axes.grid(False)
    colours = mpl.colormaps["Blues"].with_extremes(bad="#f2f2f2", over="#08203e")
    axes.imshow(
        np.where(np.isposinf(values), high + 1.0, values),
        cmap=colours,
        vmin=low - 0.05 * (high - low),
        vmax=high,
        aspect="auto",
        origin="lower",
    )
    axes.set_xticks(range(len(grid.columns)), [_wrapped(v, 14) for v in grid.columns])
    axes.set_yticks(range(len(grid.index)), [_wrapped(v, 18) for v in grid.index])
    small = 8.5 if len(grid.columns) <= 9 else 6.5
    if values.size <= 220:
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                dark = value > low + 0.55 * (high - low)
                text = "never" if np.isposinf(value) else "" if np.isnan(value) else _short(value)
                axes.text(
                    j, i, text, ha="center", va="center", size=small,
                    color="white" if dark else "#1a1a1a",
                )  # fmt: skip


def multiples(
    table: pd.DataFrame, keys: Sequence[str], labels: Sequence[str], metric: str, unit: str,
    worlds: int,
) -> Drawing:  # fmt: skip
    """Heat maps of the first two keys, one for each value of the third (or of all others).

    Parameters
    ----------
    table
        Columns of the keys and ``p50``.
    """
    from lodestone.report.style import canvas, look

    u = Unit(unit)
    rest = list(keys[2:])
    groups = list(table.groupby(rest, sort=False))[:9]
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    title = f"{metric[:1].upper()}{metric[1:]}: {_range_words(table, keys, labels, u)}"
    left = len(list(table.groupby(rest))) - len(groups)
    note = f"Median of {worlds} worlds, {u.word}; one scale of colour." + (
        f" {left} further panels are in the table." if left else ""
    )
    finite = table["p50"].to_numpy(float)
    finite = finite[np.isfinite(finite)] * u.factor
    limits = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    with look():
        figure, axes = canvas(title, note, rows, columns, size=(7.4, 0.6 + 2.2 * rows))
        for ax in axes.ravel()[len(groups) :]:
            ax.set_visible(False)
        for n, (names, group) in enumerate(groups):
            ax = axes.ravel()[n]
            grid = group.pivot(index=keys[1], columns=keys[0], values="p50")
            _cells(ax, grid, u, limits)
            told = names if isinstance(names, tuple) else (names,)
            words = [f"{k} {_value(v)}" for k, v in zip(labels[2:], told, strict=True)]
            ax.set_title(_wrapped(", ".join(words), 34), size=8.5)
            if n % columns == 0:
                ax.set_ylabel(_wrapped(labels[1], 24))
            if n // columns == rows - 1:
                ax.set_xlabel(_wrapped(labels[0], 28))
    return Drawing(figure, title, f"Small heat maps of {metric}.", table[[*keys, "p50"]])


def tornado(
    table: pd.DataFrame, metric: str, unit: str, base: str, worlds: int, versus: str
) -> Drawing:
    """Paired differences of points, the largest first.

    Parameters
    ----------
    table
        ``label``, ``p05, p50, p95`` of the difference in the same world.
    base
        What the points are compared with, in words.
    versus
        For the title: ``the reference``, or the base point.
    """
    from lodestone.report.style import BLUE, GREY, VERMILLION, canvas, look

    u = Unit(unit)
    size = table[["p05", "p50", "p95"]].abs().replace(np.inf, np.nan).max(axis=1).fillna(np.inf)
    order = np.lexsort((-size.to_numpy(), -table["p50"].abs().to_numpy()))
    shown = table.iloc[order].head(20)
    top = shown.iloc[0]
    title = (
        f"{metric[:1].upper()}{metric[1:]}: {_wrapped(top['label'], 200)} changes it most against "
        f"{versus}, by {_signed(top['p50'], u)} in the median world"
    )
    if not shown["p50"].abs().max() > 0:
        title = (
            f"{metric[:1].upper()}{metric[1:]}: no point moves the median world against {versus}"
        )
    note = (
        f"Difference in the same world, median (mark) and 5-95 % (bar) of {worlds} worlds; "
        f"against {base}."
    )
    with look():
        figure, grid = canvas(title, note, size=(7.4, 0.9 + 0.34 * len(shown)))
        axes = grid[0, 0]
        ceiling, endless = _ceiling(*(shown[c].to_numpy(float) for c in ("p05", "p50", "p95")))
        for i, (_, row) in enumerate(shown[::-1].iterrows()):
            low, mid, high = (
                float(np.clip(row[c], -ceiling, ceiling)) * u.factor for c in ("p05", "p50", "p95")
            )
            colour = VERMILLION if row["p50"] > 0 else BLUE if row["p50"] < 0 else GREY
            axes.barh(i, high - low, left=low, height=0.55, color=colour, alpha=0.35)
            axes.plot([mid, mid], [i - 0.36, i + 0.36], color=colour, linewidth=2)
        axes.set_yticks(range(len(shown)), [_wrapped(v, 46) for v in shown["label"][::-1]])
        axes.axvline(0.0, color=GREY, linewidth=0.8)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"Difference, {u.step}" + (" (at the edge: never)" if endless else ""))
    return Drawing(figure, title, f"Tornado of {metric}.", shown)


def _signed(value: float, u: Unit) -> str:
    if not np.isfinite(value):
        return u.text(value)
    sign = "+" if value > 0 else ""
    return f"{sign}{_short(value * u.factor)} {u.step}".strip()


def ranking(table: pd.DataFrame, metric: str, worlds: int) -> Drawing:
    """Which inputs decide a metric: index with interval, and the noise floor.

    Parameters
    ----------
    table
        From `lodestone.studies.sensitivity.indices`.
    """
    from lodestone.report.style import BLUE, GREY, canvas, look

    shown = table.head(15)
    above = shown[shown["above_noise"]]
    if above.empty:
        title = (
            f"{metric[:1].upper()}{metric[1:]}: no input stands out from chance in {worlds} worlds"
        )
    else:
        names = [f"{r.input} ({r.direction} it)" for r in above.head(3).itertuples()]
        title = f"{metric[:1].upper()}{metric[1:]} is decided most by {', '.join(names)}"
    note = (
        "PAWN index less what chance gives (mark), 95 % bootstrap interval (bar). Grey: within what "
        f"chance gives the largest of {len(table)} inputs once in twenty times."
    )
    with look():
        figure, grid = canvas(title, note, size=(7.4, 0.9 + 0.3 * len(shown)))
        axes = grid[0, 0]
        for i, row in enumerate(shown[::-1].rename(columns={"index": "found"}).itertuples()):
            colour = BLUE if row.above_noise else GREY
            axes.plot([row.low, row.high], [i, i], color=colour, alpha=0.4, linewidth=5)
            axes.plot([row.found], [i], "o", color=colour, markersize=5)
        axes.axvline(float(shown["floor"].max()), color=GREY, linestyle=(0, (4, 2)), linewidth=1.2)
        axes.set_yticks(range(len(shown)), list(shown["input"][::-1]))
        axes.set_xlim(left=0)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("Sensitivity index (0: none, 1: all); dashed: noise floor")
    return Drawing(figure, title, f"Ranking of inputs for {metric}.", shown)


def scatter(
    inputs: pd.DataFrame,
    values: np.ndarray,
    names: Sequence[str],
    above: Sequence[str],
    metric: str,
    unit: str,
) -> Drawing:
    """The metric against its most decisive inputs, world by world, with the median of ten slices.

    Parameters
    ----------
    names
        The inputs, the most decisive first; four are drawn.
    above
        Those of them that stand out from chance.
    """
    import pandas as pd

    from lodestone.report.style import BLUE, VERMILLION, canvas, look

    u = Unit(unit)
    names, sure = list(names)[:4], set(above)
    ceiling, endless = _ceiling(values, zero=not u.year)
    drawn = _drawable(values, ceiling) * u.factor
    title = f"{metric[:1].upper()}{metric[1:]} against the inputs that decide it most"
    note = f"A dot a world ({len(values):,} in all); line: median of ten slices." + (
        " Never: not within the horizon." if endless else ""
    )
    with look():
        columns = min(2, len(names))
        rows = -(-len(names) // columns)
        figure, axes = canvas(title, note, rows, columns, size=(7.4, 0.4 + 2.5 * rows), sharey=True)
        for ax in axes.ravel()[len(names) :]:
            ax.set_visible(False)
        for ax, name in zip(axes.ravel(), names, strict=False):
            x = inputs[name].to_numpy(float)
            ax.plot(x, drawn, ".", color=BLUE, alpha=min(0.6, 200 / len(x) + 0.08), markersize=3.5)
            edges = np.quantile(x, np.linspace(0, 1, 11))
            part = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, 9)
            middle = pd.DataFrame({"x": x, "y": drawn}).groupby(part).median()
            ax.plot(middle["x"], middle["y"], color=VERMILLION)
            ax.set_xlabel(name if name in sure else f"{name} (not told from chance)")
        for ax in axes[:, 0]:
            ax.set_ylabel(_wrapped(u.axis(metric), 34))
            if endless:
                _never(ax, ceiling * u.factor)
    data = inputs[names].assign(value=values)
    return Drawing(figure, title, f"Scatter of {metric}.", data)
