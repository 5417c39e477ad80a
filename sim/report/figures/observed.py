"""Prices that were observed before and beside the run, on one scale with the run's own."""

from __future__ import annotations

import csv
import io

import pandas as pd

from lodestone.report.figures import Drawing, figure
from lodestone.report.figures.prices import few_ticks, shown_materials
from lodestone.report.reading import Reading
from lodestone.report.style import (
    GREY,
    INK,
    VERMILLION,
    canvas,
    date_axis,
    mark_interventions,
    mark_words,
    ribbon,
)
from lodestone.report.trust import kept
from lodestone.report.wording import capital, human, joined, number

MOST = 6
YEARS = 10


def observed(reading: Reading) -> pd.DataFrame | None:
    """Return observed prices (material, product, date, span, usd_per_kg), dated by their middle."""
    text = kept(reading, "price_history.csv", ("seeds", "price_history.csv"))
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows:
        return None
    table = pd.DataFrame(rows)
    start = pd.to_datetime(table["date"], format="ISO8601")
    half = table["span"].map({"year": pd.Timedelta(days=182), "month": pd.Timedelta(days=15)})
    table["date"] = start + half
    table["usd_per_kg"] = table["usd_per_kg"].astype(float)
    return table


@figure(
    title="Prices, observed and simulated",
    needs=["price_curve", "shortage_curve"],
    order=42,
    about=["price"],
)
def observed_prices(reading: Reading) -> Drawing | None:
    """Small multiples: dots of observed means, line and band of the run's spot price."""
    held = observed(reading)
    if held is None:
        return None
    first = reading.curve().index[0]
    earliest = first - pd.DateOffset(years=YEARS)
    held = held[(held["date"] >= earliest) & (held["date"] <= reading.curve().index[-1])]
    order = [m for m in shown_materials(reading) if m in set(held["material"])]
    order += [m for m in reading.materials if m in set(held["material"]) and m not in order]
    counts = held[held["date"] < first]["material"].value_counts()
    materials = [m for m in order if counts.get(m, 0) >= 3 and reading.prices(m, "ask") is not None]
    materials = materials[:MOST]
    if not materials:
        return None
    window = (earliest, reading.window[1])
    title = _title(reading, held, materials)
    note = (
        "USD per kg without VAT, logarithmic. Dots: observed, FOB China, means of a year (large) or a "
        "month (small), nominal (USGS; months: KOMIS). Line and band: spot price outside China in the run, USD of 2024, "
        f"median and 5\u201395 % of worlds; dotted: reference. {mark_words(reading, window)}"
    )
    columns = min(3, len(materials))
    rows = -(-len(materials) // columns)
    figure_, axes = canvas(title, note, rows, columns, (7.4, 1.9 * rows))
    parts = []
    for at, (ax, material) in enumerate(zip(axes.flat, materials, strict=False)):
        prices = reading.prices(material, "ask")
        assert prices is not None
        shown = prices.loc[first : window[1]]
        if shown["reference_usd_per_kg_p50"].notna().any():
            ax.plot(shown.index, shown["reference_usd_per_kg_p50"], color=GREY, lw=1.1, ls=":")
        ribbon(ax, shown, "usd_per_kg", VERMILLION, linewidth=1.4)
        dots = held[held["material"] == material]
        for span, size in (("year", 3.6), ("month", 1.6)):
            own = dots[dots["span"] == span]
            ax.plot(own["date"], own["usd_per_kg"], "o", color=INK, ms=size, zorder=4)
        ax.set_yscale("log")
        few_ticks(ax)
        named = sorted(set(dots["product"]) - {material})
        beside = f" (dots also {joined([human(n) for n in named])})" if named else ""
        ax.set_title(capital(human(material)) + beside, size=8)
        date_axis(ax, window, ticks=5)
        ax.tick_params(labelsize=7.5)
        mark_interventions(ax, reading, words=False)
        if at % columns == 0:
            ax.set_ylabel("USD per kg", size=8)
        run = shown[["usd_per_kg_p05", "usd_per_kg_p50", "usd_per_kg_p95"]].reset_index()
        parts.append(run.assign(material=material, what="run"))
        parts.append(dots[["date", "usd_per_kg", "material"]].assign(what="observed"))
    for ax in list(axes.flat)[len(materials) :]:
        ax.remove()
    alt = f"{title}. Small line charts with dots: {joined([human(m) for m in materials])}."
    return Drawing(figure_, title, alt, pd.concat(parts, ignore_index=True))


def _title(reading: Reading, held: pd.DataFrame, materials: list[str]) -> str:
    """Say how the run's highest spot price of the first material stands to what was observed."""
    material = materials[0]
    prices = reading.prices(material, "ask")
    assert prices is not None
    before = held[(held["material"] == material) & (held["span"] == "year")]
    before = before[before["date"] < reading.curve().index[0]]
    top = float(prices["usd_per_kg_p50"].loc[reading.since :].max())
    most = float(before["usd_per_kg"].max())
    year = int(before.loc[before["usd_per_kg"].idxmax(), "date"].year)
    how = "above" if top > most else "below"
    return (
        f"The highest spot price of {human(material)} in the run, {number(top)} USD per kg (median), "
        f"lies {how} the highest yearly mean observed before it, {number(most)} ({year})"
    )
