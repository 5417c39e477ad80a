"""What it costs, week by week and by who bears it."""

from __future__ import annotations

import matplotlib.colors as mcolors
import pandas as pd
from matplotlib.axes import Axes

from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import Reading
from lodestone.report.style import (
    COLOURS,
    HATCHES,
    canvas,
    date_axis,
    label_ends,
    mark_interventions,
    mark_words,
)
from lodestone.report.wording import human, month, number

ORDINARY = ("purchase", "total")
"""Items that would be there without any disruption, or that hold the others."""


def extra_costs(reading: Reading) -> pd.DataFrame:
    """Return the weekly mean cost by item without ordinary purchases, largest total first."""
    costs = reading.costs()
    costs = costs[[c for c in costs.columns if c not in ORDINARY and not c.startswith("reference")]]
    totals = costs.sum()
    names = sorted(totals[totals.abs() > 0].index, key=lambda c: (-totals[c], c))
    return costs[names]


def cost_sentence(reading: Reading) -> str:
    """Return the finding about costs."""
    costs = extra_costs(reading)
    if costs.empty or not len(costs.columns):
        return "No cost beside ordinary purchases"
    total = costs.sum(axis=1)
    weekly = total.max()
    if weekly < 0.05:
        return "No noticeable cost beside ordinary purchases"
    whole = total.sum() * reading.weeks
    largest = costs.sum().idxmax()
    share = costs[largest].sum() / total.sum()
    when = total.idxmax()
    return (
        f"Costs beside ordinary purchases peak at USD {_money(weekly)} a week in "
        f"{month(when)} and add up to USD {_money(whole)}, {_part(share)} {human(largest)}"
    )


def _part(share: float) -> str:
    return "nearly all of it" if share > 0.985 else f"{100 * share:.0f} % of it"


def _money(million: float) -> str:
    if million >= 1e6:
        return f"{number(million / 1e6)} trillion"
    return f"{number(million / 1000)} billion" if million >= 1000 else f"{number(million)} million"


@figure(title="Cost over time", needs=["cost_curve", "shortage_curve"], order=50)
def cost_curve(reading: Reading) -> Drawing | None:
    """Stacked weekly cost by item, means of the worlds (means add up, medians do not)."""
    window = reading.window
    every = extra_costs(reading)
    if every.empty or not len(every.columns) or every.abs().max().max() < 0.05:
        return None
    costs = every.loc[window[0] : window[1]]
    shown = [c for c in costs.columns if costs[c].abs().sum() > 0][:6]
    if not shown:
        return None
    rest = [c for c in costs.columns if c not in shown]
    stacked = costs[shown].copy()
    if rest and costs[rest].abs().sum().sum() > 0:
        stacked["other"] = costs[rest].sum(axis=1)
    title = cost_sentence(reading)
    upper = " (lost output is an upper bound)" if "lost_output" in stacked else ""
    note = (
        "Million USD of 2024 a week, all regions, means over the worlds "
        f"stacked{upper}. "
        f"Ordinary purchases are left out; at the edge the totals over the dates shown, billion USD. {_bands(reading)}"
        f"{mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, size=(7.4, 3.2))
    ax = axes[0, 0]
    base = pd.Series(0.0, index=stacked.index)
    labels = []
    for i, name in enumerate(stacked.columns):
        top = base + stacked[name].clip(lower=0)
        ax.fill_between(
            stacked.index,
            base,
            top,
            facecolor=_colour(i),
            edgecolor="white",
            hatch=HATCHES[i % len(HATCHES)],
            linewidth=0.5,
            alpha=0.85,
        )
        labels.append((name, base, top))
        base = top
    ax.set_ylim(0, max(1.08 * float(base.max()), 0.1))
    ax.set_ylabel("million USD a week")
    date_axis(ax, window)
    mark_interventions(ax, reading)
    _label_layers(ax, labels, reading.weeks)
    data = stacked.reset_index()
    alt = (
        f"{title}. Stacked areas of weekly cost by item: {', '.join(map(human, stacked.columns))}."
    )
    return Drawing(figure_, title, alt, data)


def _bands(reading: Reading) -> str:
    """Say how wide the band of the largest item is at its highest week."""
    table = reading.results.table("cost_curve")
    costs = extra_costs(reading)
    largest = costs.sum().idxmax()
    rows = table[(table["region"] == "all") & (table["item"] == largest)]
    if rows.empty or rows["usd_million_per_week_p95"].isna().all():
        return ""
    row = rows.loc[rows["usd_million_per_week_mean"].idxmax()]
    low, high = row["usd_million_per_week_p05"], row["usd_million_per_week_p95"]
    if high <= low:
        return ""
    return (
        f"In its highest week {human(str(largest))} is "
        f"{number(low, low, high)}\u2013{number(high, low, high)} in 5\u201395 % of worlds. "
    )


def _label_layers(ax: Axes, layers: list[tuple[str, pd.Series, pd.Series]], weeks: float) -> None:
    """Write a layer's name into it where it is thick, and all names with totals at the edge."""
    height = ax.get_ylim()[1]
    edge = []
    for i, (name, low, high) in enumerate(layers):
        thick = high - low
        widest = thick.index[thick >= 0.9 * thick.max()]
        when = widest[len(widest) // 2]
        if thick.max() > 0.16 * height:
            ax.annotate(
                human(name),
                (when, float((low[when] + high[when]) / 2)),
                ha="center",
                va="center",
                size=9,
                weight="bold",
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85},
            )
        total = number(float(thick.sum()) * weeks / 1000)
        middle = float((low.iloc[-1] + high.iloc[-1]) / 2)
        edge.append((middle + i * 1e-6, f"{human(name)} {total}", _dark(_colour(i))))
    label_ends(ax, edge, gap=0.052)


def _colour(i: int) -> str:
    return COLOURS[(i + 1) % len(COLOURS)]


def _dark(colour: str) -> str:
    """Return a colour dark enough for text on white."""
    r, g, b = mcolors.to_rgb(colour)
    light = 0.3 * r + 0.6 * g + 0.1 * b
    factor = 1.0 if light < 0.5 else 0.5 / light
    return mcolors.to_hex((r * factor, g * factor, b * factor))
