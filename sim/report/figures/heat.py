"""Who lacks what and when: shortage by sector and month as a table of shades."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lodestone.report.figures import Drawing, figure
from lodestone.report.figures.shortage import versus, worst_sentence
from lodestone.report.reading import NOTICEABLE, Reading
from lodestone.report.style import canvas
from lodestone.report.wording import capital, human

MOST_COLUMNS = 26
#: Shades below which a table says less than its title.
FEWEST = 3


def _unnumbered(table: pd.DataFrame) -> bool:
    """Whether cells are so many that those below 1 % have a colour and no number."""
    size = table.abs()
    return table.shape[1] >= 15 and bool(((size >= NOTICEABLE) & (size < 0.0095)).any().any())


@figure(
    title="Shortage by sector and month",
    needs=["shortage_curve"],
    order=22,
    about=["shortage"],
    page="two",
)
def shortage_heat(reading: Reading) -> Drawing | None:
    """Median difference of the unmet share by sector and month; numbers where they are noticeable."""
    names = reading.members("sector")
    if not names:
        return None
    window = reading.window
    columns = {}
    for name in names:
        delta = reading.delta(sector=name)["unmet_share_p50"].loc[window[0] : window[1]]
        columns[name] = delta.groupby(delta.index.to_period("M")).mean()
    table = pd.DataFrame(columns).T
    step = -(-table.shape[1] // MOST_COLUMNS)
    if step > 1:
        step = next((s for s in (2, 3, 4, 6, 12, 24) if s >= step), step)
        months = table.columns.year * 12 + table.columns.month - 1  # periods begin with the year
        groups = months // step
        labels = [table.columns[groups == g][0] for g in np.unique(groups)]
        table = table.T.groupby(groups).mean().T
        table.columns = labels
    most = table.abs().max(axis=1).sort_values(ascending=False)
    table = table.loc[most.index[most >= NOTICEABLE]]
    if int((table.abs() >= NOTICEABLE).sum().sum()) < FEWEST:
        return None
    others = len(names) - len(table)
    title = worst_sentence(reading, "sector", names)
    span = "month" if step == 1 else f"period of {step} months"
    note = (
        f"Net unmet share of planned use by sector and {span}, per cent, median of worlds. "
        f"{versus(reading)} Darker: more. Blank: below {100 * NOTICEABLE:g} %"
        + (f", as everywhere in the {others} sectors left out." if others > 1 else ".")
        + (" Coloured without a number: below 1 %." if _unnumbered(table) else "")
    )
    figure_, axes = canvas(title, note, size=(7.4, 0.27 * len(table) + 0.6))
    ax = axes[0, 0]
    limit = float(table.abs().max().max())
    signed = bool((table < -NOTICEABLE).any().any())
    ax.imshow(
        np.ma.masked_where(table.abs().to_numpy() < NOTICEABLE, table.to_numpy()),
        aspect="auto",
        cmap="PuOr_r" if signed else "Oranges",
        vmin=-limit if signed else 0.0,
        vmax=limit,
    )
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            value = float(table.iloc[i, j])
            if abs(value) >= NOTICEABLE and (abs(value) >= 0.0095 or table.shape[1] < 15):
                text = f"{100 * value:.0f}" if abs(value) >= 0.0095 else f"{100 * value:.1f}"
                dark = abs(value) > 0.6 * limit
                ax.text(
                    j,
                    i,
                    text.replace("-", "\u2212"),
                    ha="center",
                    va="center",
                    size=6.8,
                    color="white" if dark else "#1a1a1a",
                )
    ax.set_yticks(range(len(table)), [capital(human(n)) for n in table.index], size=8)
    ticks = [
        j
        for j, m in enumerate(table.columns)
        if j == 0 or m.year != table.columns[j - 1].year or len(table.columns) < 14
    ]
    ticks = ticks[:: -(-len(ticks) // 13)]
    if len(ticks) > 1 and ticks[1] - ticks[0] < 2 and len(table.columns) >= 14:
        ticks = ticks[1:]
    ax.set_xticks(ticks, [f"{table.columns[j]:%b}\n{table.columns[j]:%Y}" for j in ticks], size=7.5)
    ax.grid(False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    alt = f"{title}. Table of shades: {len(table)} sectors by {table.shape[1]} periods."
    data = table.copy()
    data.columns = [str(c) for c in data.columns]
    return Drawing(figure_, title, alt, data.rename_axis("sector").reset_index())
