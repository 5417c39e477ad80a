"""What binds: the stage and element that limit deliveries, by date."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import Reading
from lodestone.report.style import (
    COLOURS,
    HATCHES,
    canvas,
    date_axis,
    mark_interventions,
    mark_words,
)
from lodestone.report.wording import capital, human, month, percent

NOTHING = {"", "none", "all"}


def binding_shares(reading: Reading) -> pd.DataFrame:
    """Return the share of worlds by date and what binds there, for all regions and sectors."""
    table = reading.results.table("bottlenecks")
    for column in ("region", "sector"):
        if (table[column] == "all").any():
            table = table[table[column] == "all"]
    table = table[~table["binding_stage"].isin(NOTHING)]
    if table.empty:
        return pd.DataFrame()
    names = [
        f"{human(stage)} stage" if element in NOTHING else f"{human(element)}, {human(stage)} stage"
        for stage, element in zip(table["binding_stage"], table["binding_element"], strict=True)
    ]
    groups = table[["region", "sector"]].drop_duplicates().shape[0]
    shares = table.assign(what=names).pivot_table(
        index="date", columns="what", values="share_of_worlds", aggfunc="sum"
    )
    every = reading.curve().index
    # Recorded at the end of each month, for the weeks of that month.
    shares = shares.fillna(0.0).reindex(every)
    return shares.groupby(every.strftime("%Y-%m")).bfill().fillna(0.0) / groups


@figure(
    title="What binds",
    needs=["bottlenecks", "shortage_curve"],
    order=35,
    about=["shortage"],
    page="two",
)
def bottlenecks(reading: Reading) -> Drawing | None:
    """Stacked share of worlds by the stage and element that bind."""
    window = reading.window
    shares = binding_shares(reading)
    if shares.empty:
        return None
    shares = shares.loc[window[0] : window[1]]
    order = shares.sum().sort_values(ascending=False)
    order = order[order > 0]
    if order.empty:
        return None
    shown = shares[list(order.index[:5])].copy()
    rest = list(order.index[5:])
    if rest:
        shown["other"] = shares[rest].sum(axis=1)
    first = str(order.index[0])
    when = shares[first].idxmax()
    title = (
        f"What binds most is {first.replace(', ', ' at the ')}: in {percent(shares[first].max())} "
        f"of worlds in {month(when)}"
    )
    note = (
        "Share of worlds in which a stage and element limits what users get, all regions and "
        f"sectors; the rest of the worlds has no bottleneck. {mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, size=(7.4, 2.7))
    ax = axes[0, 0]
    base = np.zeros(len(shown))
    for i, name in enumerate(shown.columns):
        top = base + shown[name].to_numpy()
        ax.fill_between(
            shown.index,
            base,
            top,
            step="post",
            label=name,
            facecolor=COLOURS[i],
            edgecolor="white",
            hatch=HATCHES[i],
            linewidth=0.4,
            alpha=0.85,
        )
        base = top
    ax.set_ylim(0, min(1.02, max(0.1, 1.1 * float(base.max()))))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_ylabel("share of worlds")
    date_axis(ax, window)
    mark_interventions(ax, reading)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, reverse=True)
    alt = f"{title}. Stacked areas by date: {'; '.join(capital(str(n)) for n in shown.columns)}."
    return Drawing(figure_, title, alt, shown.reset_index())
