"""The three prices of the materials that matter most, never mixed."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import Reading
from lodestone.report.style import (
    BLUE,
    GREEN,
    GREY,
    VERMILLION,
    canvas,
    date_axis,
    label_ends,
    mark_interventions,
    mark_words,
    ribbon,
)
from lodestone.report.wording import capital, human, joined, month, number

KINDS = {"home": (BLUE, "-"), "ask": (VERMILLION, (0, (5, 1.5))), "paid": (GREEN, (0, (1, 1.1)))}


def shown_materials(reading: Reading) -> list[str]:
    """Return up to three materials: the hardest hit oxide, NdPr oxide and a magnet."""
    names = reading.materials
    oxides = [n for n in names if n.endswith("_oxide")]
    magnets = [n for n in names if n.startswith(("ndfeb", "smco"))]
    wanted: list[str] = [n for n in ("dy_oxide", "ndpr_oxide") if n in oxides] or oxides[:2]
    if oxides and oxides[0] not in wanted and len(wanted) > 1:
        found, usual = reading.multiple(oxides[0], "ask"), reading.multiple(wanted[0], "ask")
        if found and found[2] > 1.5 * (usual[2] if usual else 1.0):
            wanted[0] = oxides[0]
    high: list[str] = [
        n for n in ("ndfeb_high_coercivity", "ndfeb_magnets") if n in magnets
    ] or magnets
    return (wanted + high[:1]) or names[:3]


def price_sentence(reading: Reading, materials: list[str]) -> str:
    """Return the finding about prices: the largest multiple at the ask, and what is paid."""
    base = "the reference" if reading.reference else "the price before"
    if reading.reference is None and not reading.marks:
        base = f"that of {month(reading.curve().index[0])}"
    asked = {m: found for m in materials if (found := reading.multiple(m, "ask"))}
    if not asked:
        return "Prices of the run"
    material = max(asked, key=lambda m: asked[m][2])
    when, _, mid, high = asked[material]
    if mid < 1.1:
        lowest = min(found[2] for found in asked.values())
        if lowest < 0.9:
            return f"No spot price rises noticeably above {base}"
        return (
            f"Prices stay within 10 % of {base}"
            if high < 1.1
            else (f"In the median world no spot price exceeds {base} by more than 10 %")
        )
    text = (
        f"The spot price of {human(material)} outside China reaches {number(mid)} times {base} "
        f"in {month(when)}"
    )
    paid, home = reading.multiple(material, "paid"), reading.prices(material, "home")
    if paid:
        text += f"; the price paid peaks at {number(paid[2])} times"
    if home is not None and (at := reading.multiple(material, "home")) and at[2] < 1.1:
        text += ", and the home price does not follow"
    return text


@figure(
    title="Prices",
    needs=["price_curve", "shortage_curve"],
    order=40,
    about=["price", "any"],
    page="one",
)
def price_curve(reading: Reading) -> Drawing | None:
    """Home, ask and paid price of up to three materials, logarithmic."""
    materials = shown_materials(reading)
    if not materials:
        return None
    window = reading.window
    title = price_sentence(reading, materials)
    note = (
        "USD of 2024 per kg without VAT, logarithmic. Home: inside the exporting country; ask: "
        "marginal spot price outside; paid: average over contracts and spot. Lines: medians; "
        f"bands: 5\u201395 % of worlds. Grey: reference, ask. {mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, 1, len(materials), (7.4, 3.0))
    parts = []
    for ax, material in zip(axes[0], materials, strict=True):
        ends = []
        for kind, (colour, style) in KINDS.items():
            prices = reading.prices(material, kind)
            if prices is None:
                continue
            shown = prices.loc[window[0] : window[1]]
            if kind == "ask" and shown["reference_usd_per_kg_p50"].notna().any():
                ax.plot(shown.index, shown["reference_usd_per_kg_p50"], color=GREY, lw=1.1, ls=":")
            ribbon(ax, shown, "usd_per_kg", colour, linestyle=style, linewidth=1.6)
            last = float(shown["usd_per_kg_p50"].iloc[-1])
            ends.append((last, kind, colour))
            parts.append(shown.reset_index())
        ax.set_yscale("log")
        few_ticks(ax)
        ax.set_title(textwrap.fill(capital(human(material)), 24), size=8.5)
        date_axis(ax, window, ticks=4)
        ax.tick_params(labelsize=7.5)
        mark_interventions(ax, reading, words=False)
        label_ends(ax, ends, gap=0.06)
    axes[0, 0].set_ylabel("USD per kg")
    alt = (
        f"{title}. Line charts of home, ask and paid price with 5-95 % bands: "
        f"{joined([human(m) for m in materials])}."
    )
    return Drawing(figure_, title, alt, pd.concat(parts, ignore_index=True))


def few_ticks(ax: Axes) -> None:
    """Label a logarithmic axis with three to six round numbers."""
    low, high = ax.get_ylim()
    if high / low < 1.6:
        middle = float(np.sqrt(low * high))
        low, high = middle / 1.28, middle * 1.28
        ax.set_ylim(low, high)
    steps: tuple[float, ...] = (1, 2, 5) if high / low > 3 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    if high / low < 2:
        steps = tuple(x / 10 for x in range(10, 100, 5 if high / low > 1.5 else 2))
    ax.yaxis.set_major_locator(LogLocator(subs=steps, numticks=20))
    ticks = [t for t in ax.yaxis.get_major_locator().tick_values(low, high) if low <= t <= high]
    every = -(-len(ticks) // 6)
    ax.set_yticks(ticks[::every])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.4g}"))
