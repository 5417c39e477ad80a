"""What it costs, week by week: differences from the reference."""

from __future__ import annotations

import textwrap

import pandas as pd

from lodestone.report.asked import quantiles, row_of
from lodestone.report.figures import Drawing, figure
from lodestone.report.phrases import shown
from lodestone.report.reading import Reading
from lodestone.report.style import (
    COLOURS,
    INK,
    canvas,
    date_axis,
    mark_interventions,
    mark_words,
)
from lodestone.report.wording import capital, human, month

ORDINARY = ("purchase", "total")
"""Items that hold others: purchases contain premium and tariff."""

NAMES = {
    "lost_output": "lost output (upper bound)",
    "premium": "paid above base-year prices",
    "public_outlay": "public outlay, net",
    "tariff": "tariffs",
    "holding": "holding stocks",
}
LEAST_PART = 1e-3
"""Part of the largest mean change below which a change is no finding, however clear."""

LEAST = 0.05
"""Million USD a week below which a cost is not drawn."""


def extra_costs(reading: Reading) -> pd.DataFrame:
    """Return the weekly mean cost by item without purchases, largest total first."""
    costs = reading.costs()
    costs = costs[[c for c in costs.columns if c not in ORDINARY and not c.startswith("reference")]]
    totals = costs.abs().sum()
    names = sorted(totals[totals > 0].index, key=lambda c: (-totals[c], c))
    return costs[[n for n in names if costs[n].abs().max() >= LEAST]]


def cost_sentence(reading: Reading) -> str:
    """Return the finding about costs: the largest item, to the end of the run, and how sure."""
    costs = extra_costs(reading)
    than = " than in the reference" if reading.costs_differ else ""
    if not len(costs.columns):
        return (
            "No cost differs noticeably from the reference"
            if than
            else "No noticeable cost beside purchases"
        )
    sums = costs.sum() * reading.weeks
    largest = str(sums.abs().idxmax())
    name = NAMES.get(largest, human(largest))
    if not than:
        return f"The largest cost is {name}: {_amount(reading, largest, float(sums[largest]), '')}"
    least = LEAST_PART * float(sums.abs().max())
    clear = [c for c in sums.index if _clear(reading, c) and abs(float(sums[c])) >= least]
    if not clear:
        return (
            f"No cost differs from the reference by more than chance; largest in the mean: {name}"
        )
    sure = str(sums[clear].abs().idxmax())
    word = f" {'more' if sums[sure] > 0 else 'less'}{than}"
    change = _amount(reading, sure, abs(float(sums[sure])), word)
    if sure != largest:
        return (
            f"{capital(name)} changes most in the mean, but not clear of zero; what changes clearly is "
            f"{NAMES.get(sure, human(sure))}: {change}"
        )
    return f"The largest change of cost is {name}: {change}"


def _clear(reading: Reading, item: str) -> bool:
    """Whether the total of an item stands clear of the reference, world by world."""
    row = row_of(reading, f"{item}_usd_million")
    return row is None or row.clear


def _amount(reading: Reading, item: str, million: float, word: str) -> str:
    """Return what an item adds up to: as the headline tells it where it does, else the mean."""
    end = month(reading.curve().index[-1])
    row = row_of(reading, f"{item}_usd_million")
    if row is None:
        told = shown(million, million, million, "USD million")
        return f"{told}{word} (mean of the worlds, to {end})"
    low, middle, high = quantiles(row.own if row.calm is None else row.delta)
    if row.calm is not None and middle < 0:
        low, middle, high = -high, -middle, -low
    what = "present value" if "present value" in row.title else "sum"
    return f"{shown(low, middle, high, row.unit, grain=row.grain)}{word} ({what} to {end})"


@figure(
    title="Cost over time",
    needs=["cost_curve", "shortage_curve"],
    order=50,
    about=["money"],
    page="one",
)
def cost_curve(reading: Reading) -> Drawing | None:
    """Weekly cost by item, a panel each with its own scale: median and band of the worlds."""
    every = extra_costs(reading)
    if not len(every.columns):
        return None
    window = (reading.window[0], every.index[-1]) if _late(every, reading) else reading.window
    shown = list(every.columns[:4])
    title = cost_sentence(reading)
    kind = "Difference from the reference, world by world" if reading.costs_differ else "Levels"
    note = (
        f"Million USD of 2024 a week, all regions. {kind}; means of thirteen weeks around each day; line: mean of the worlds, "
        "which adds up; band: 5\u201395 % of them. Each panel has its own scale; items overlap "
        f"(duties are part of what is paid) and must not be added. {mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, 1, len(shown), (7.4, 2.5))
    table = reading.results.table("cost_curve")
    stem = "delta_usd_million_per_week" if reading.costs_differ else "usd_million_per_week"
    parts = []
    for i, (ax, item) in enumerate(zip(axes[0], shown, strict=True)):
        rows = (
            table[(table["region"] == "all") & (table["item"] == item)]
            .set_index("date")
            .sort_index()
        )
        wide = rows[[f"{stem}_{q}" for q in ("mean", "p05", "p95")]]
        smooth = wide.rolling(13, min_periods=1, center=True).mean()
        smooth = smooth.loc[window[0] : window[1]]
        colour = COLOURS[i + 1]
        ax.fill_between(
            smooth.index,
            smooth[f"{stem}_p05"],
            smooth[f"{stem}_p95"],
            color=colour,
            alpha=0.2,
            lw=0,
        )
        ax.plot(smooth.index, smooth[f"{stem}_mean"], color=colour)
        ax.axhline(0, color=INK, linewidth=0.6)
        ax.set_title(textwrap.fill(capital(NAMES.get(item, human(item))), 22), size=8.5)
        date_axis(ax, window, ticks=3)
        ax.tick_params(labelsize=7.5)
        ax.yaxis.set_major_formatter(lambda x, _: f"{x:,.6g}".replace("-", "\u2212"))
        mark_interventions(ax, reading, words=False)
        part = smooth.reset_index()
        part.insert(1, "item", item)
        parts.append(part)
    axes[0, 0].set_ylabel("million USD a week")
    alt = (
        f"{title}. Line charts of weekly cost: {', '.join(NAMES.get(c, human(c)) for c in shown)}."
    )
    return Drawing(figure_, title, alt, pd.concat(parts, ignore_index=True))


def _late(costs: pd.DataFrame, reading: Reading) -> bool:
    """Whether costs still differ after the window of the shortage."""
    after = costs.loc[reading.window[1] :]
    return bool(len(after) and after.abs().max().max() > 0.1 * costs.abs().max().max())
