"""Who ships magnets to whom before, during and after: schematic flows between regions."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from lodestone.report.figures import Drawing, figure
from lodestone.report.figures.trade import magnet_exports, periods_of, span_told
from lodestone.report.reading import Reading
from lodestone.report.style import BLOC_COLOURS, GREY, INK, canvas
from lodestone.report.wording import capital, human, number, percent

ORIGINS, DESTINATIONS = 4, 7
OTHERS = "others"
GAP = 0.025


@figure(
    title="Trade in magnets before, during and after",
    needs=["trade_flows", "shortage_curve"],
    order=72,
    about=["trade", "any"],
    page="two",
)
def magnet_flows(reading: Reading) -> Drawing | None:
    """Three panels of ribbons from origins to destinations, one scale of tonnes a month."""
    found = magnet_exports(reading)
    if found is None:
        return None
    monthly = found[1].groupby(["case", "month"])["tonnes_mean"].sum().unstack("case").sort_index()
    if "scenario" not in monthly or len(monthly) < 13:
        return None
    periods = periods_of(reading, monthly)
    if periods is None:
        return None
    alone = "reference" not in monthly
    rows = reading.magnet_trade
    picks = {
        "before": ("scenario" if alone else "reference", periods["before"]),
        "during": ("scenario", periods["during"]),
        "after": ("scenario", periods["after"]),
    }
    flows = {
        name: rows[(rows["case"] == case) & rows["month"].isin(months)]
        .groupby(["origin", "destination"])["tonnes_mean"]
        .sum()
        / max(len(months), 1)
        for name, (case, months) in picks.items()
    }
    whole = pd.DataFrame(flows).fillna(0.0)
    if whole["before"].sum() <= 0:
        return None
    shown = _lumped(whole)
    title = _title(shown, periods)
    first = "the year before" if alone else "the reference in the same months"
    heads = {
        "before": "First year" if alone else "Without the measures",
        "during": f"With, {span_told(periods['during'])}",
        "after": f"With, {span_told(periods['after'])}",
    }
    note = (
        f"Finished magnets between regions, declared and grey, tonnes a month, means over the worlds; "
        f"one scale. Left panel: {first}; middle: the quarter that differs most; right: the last "
        "year of the run. A scheme, not a map: origins left, destinations right."
    )
    figure_, axes = canvas(title, note, 1, 3, (7.4, 3.5))
    most = float(shown.sum().max())
    origins = list(dict.fromkeys(shown.index.get_level_values(0)))
    colours = {o: GREY if o == OTHERS else BLOC_COLOURS[i] for i, o in enumerate(origins)}
    for ax, name in zip(axes[0], shown.columns, strict=True):
        _panel(ax, shown[name], most, colours)
        ax.set_title(heads[name], size=8.5)
    data = shown.reset_index().rename(columns={c: f"{c}_t_per_month" for c in shown.columns})
    alt = f"{title}. Ribbons from origins to destinations in three panels."
    return Drawing(figure_, title, alt, data)


def _lumped(whole: pd.DataFrame) -> pd.DataFrame:
    """Keep the largest origins and destinations, and add the rest up."""

    def names(level: str, most: int) -> list[str]:
        sums = whole.max(axis=1).groupby(level=level).sum().sort_values(ascending=False)
        return [str(n) for n in sums.index[:most]]

    origins, ends = names("origin", ORIGINS), names("destination", DESTINATIONS)
    held = whole.reset_index()
    held["origin"] = held["origin"].where(held["origin"].isin(origins), OTHERS)
    held["destination"] = held["destination"].where(held["destination"].isin(ends), OTHERS)
    summed = held.groupby(["origin", "destination"])[list(whole.columns)].sum()
    ranks = {n: i for i, n in enumerate([*origins, OTHERS])}
    places = {n: i for i, n in enumerate([*ends, OTHERS])}
    order = sorted(summed.index, key=lambda k: (ranks[k[0]], places[k[1]]))
    return summed.loc[order]


def _panel(ax: Any, flow: pd.Series, most: float, colours: dict[str, Any]) -> None:
    ax.axis("off")
    ax.set_xlim(0, 1)
    ax.set_ylim(1.0, -0.02)
    origins = list(dict.fromkeys(flow.index.get_level_values(0)))
    ends = sorted(
        set(flow.index.get_level_values(1)),
        key=lambda d: (d == OTHERS, -float(flow.xs(d, level=1).sum())),
    )
    room = 1.0 - GAP * max(len(origins), len(ends))
    scale = room / most
    left, right = _stacked(flow, origins, 0, scale), _stacked(flow, ends, 1, scale)
    starts = {o: top for o, (top, _) in left.items()}
    stops = {d: top for d, (top, _) in right.items()}
    for origin in origins:
        for end in ends:
            size = scale * float(flow.get((origin, end), 0.0))
            if size <= 0:
                continue
            _ribbon(ax, starts[origin], stops[end], size, colours[origin])
            starts[origin] += size
            stops[end] += size
    for side, x, align in ((left, 0.24, "right"), (right, 0.66, "left")):
        taken = -1.0
        for name, (top, size) in side.items():
            tonnes = size / scale
            if tonnes < 0.005 * most:
                continue
            y = max(top + size / 2, taken + 0.042)
            taken = y
            words = f"{capital(human(name))} {number(tonnes)}"
            ax.text(x, y, words, ha=align, va="center", size=6.6, color=INK)


def _stacked(
    flow: pd.Series, names: list[str], level: int, scale: float
) -> dict[str, tuple[float, float]]:
    """Top and height of each node, stacked with gaps."""
    at, out = 0.0, {}
    for name in names:
        size = scale * float(flow.xs(name, level=level).sum())
        out[name] = (at, size)
        at += size + GAP
    return out


def _ribbon(ax: Any, y0: float, y1: float, size: float, colour: Any) -> None:
    x0, x1 = 0.26, 0.64
    middle = (x0 + x1) / 2
    points = [(x0, y0), (middle, y0), (middle, y1), (x1, y1)]
    points += [(x1, y1 + size), (middle, y1 + size), (middle, y0 + size), (x0, y0 + size), (x0, y0)]
    move, curve, line = Outline.MOVETO, Outline.CURVE4, Outline.LINETO
    codes = [move, curve, curve, curve, line, curve, curve, curve, Outline.CLOSEPOLY]
    patch = PathPatch(Outline(points, codes), facecolor=colour, alpha=0.55, edgecolor="none")
    ax.add_patch(patch)


def _title(shown: pd.DataFrame, periods: dict[str, list]) -> str:
    """Say which destination loses and which gains most in the quarter that differs most."""
    ends = shown.groupby(level=1).sum()
    gap = (ends["during"] - ends["before"]).drop(OTHERS, errors="ignore")
    total = float(shown["before"].sum())
    when = span_told(periods["during"])
    if gap.abs().max() < 0.01 * total:
        return f"Who ships magnets to whom hardly changes ({when})"
    change = float(shown["during"].sum()) / total - 1
    way = "below" if change < 0 else "above"
    told = (
        f"Trade in magnets between regions is {percent(abs(change))} {way} the left panel in {when}"
    )
    if abs(change) < 0.01:
        told = f"As many magnets cross between regions in {when}, but not to the same buyers"
    low, high = str(gap.idxmin()), str(gap.idxmax())
    if gap[low] < -0.01 * total:
        told += f"; {capital(human(low))} loses most ({number(-float(gap[low]))} t a month)"
    if gap[high] > 0.01 * total:
        told += f"; {capital(human(high))} gains most ({number(float(gap[high]))})"
    return told
