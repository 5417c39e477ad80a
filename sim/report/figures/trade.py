"""Who gets the exporter's magnets before and during the disruption."""

from __future__ import annotations

import pandas as pd

from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import Reading
from lodestone.report.style import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    canvas,
    date_axis,
    label_ends,
    mark_interventions,
    mark_words,
)
from lodestone.report.wording import capital, human, month, percent


def magnet_exports(reading: Reading) -> tuple[str, pd.DataFrame] | None:
    """Return the largest magnet exporter and its rows without its own use, all channels."""
    table = reading.results.table("trade_flows")
    rows = table[table["material"].str.startswith(("ndfeb", "smco"))]
    rows = rows[rows["origin"] != rows["destination"]]
    if rows.empty:
        return None
    origin = str(rows.groupby("origin")["tonnes_mean"].sum().idxmax())
    return origin, rows[rows["origin"] == origin]


@figure(title="Trade before and during", needs=["trade_flows", "shortage_curve"], order=70)
def trade_flows(reading: Reading) -> Drawing | None:
    """Magnet exports of the largest exporter: by month, and by destination before and during."""
    found = magnet_exports(reading)
    if found is None:
        return None
    origin, rows = found
    monthly = rows.groupby(["case", "month"])["tonnes_mean"].sum().unstack("case").sort_index()
    if "scenario" not in monthly or len(monthly) < 13:
        return None
    before, during, words = _periods(reading, monthly["scenario"])
    scenario = rows[rows["case"] == "scenario"]
    sides = pd.DataFrame(
        {
            name: scenario[scenario["month"].isin(months)]
            .groupby("destination")["tonnes_mean"]
            .sum()
            / len(months)
            for name, months in (("before", before), ("during", during))
        }
    ).fillna(0.0)
    sides = sides.sort_values(["before", "during"], ascending=False).head(10)
    change = float(
        monthly["scenario"].loc[during].mean() / max(monthly["scenario"].loc[before].mean(), 1e-9)
        - 1
    )
    title = _title(reading, origin, change, monthly["scenario"], during)
    window = reading.window
    note = (
        f"Magnets from {human(origin)}, finished tonnes a month by month of shipment, declared and "
        f"grey, means over the worlds. Left: all destinations; right: by destination, {words}. "
        f"{mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, 1, 2, (7.4, 3.2), gridspec_kw={"width_ratios": [1.2, 1]})
    left, right = axes[0]
    shown = monthly.loc[window[0] - pd.Timedelta(days=31) : window[1]]
    if "reference" in shown:
        left.plot(shown.index, shown["reference"], color=GREY, lw=1.3, linestyle=":")
    left.plot(shown.index, shown["scenario"], color=VERMILLION)
    left.set_ylim(0, 1.1 * float(shown.max().max()))
    left.yaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    left.set_ylabel("t of magnet a month")
    date_axis(left, window, ticks=5)
    mark_interventions(left, reading)
    ends = [(float(shown["scenario"].iloc[-1]), "scenario", VERMILLION)]
    if "reference" in shown:
        ends.append((float(shown["reference"].iloc[-1]), "reference", GREY))
    label_ends(left, ends)
    for i, row in enumerate(sides.itertuples()):
        right.plot([row.before, row.during], [i, i], color="#bdbdbd", lw=2.2, zorder=1)
        right.plot(row.before, i, "o", mfc="white", mec=BLUE, mew=1.6, ms=6.5)
        right.plot(row.during, i, "o", color=VERMILLION, ms=6.5)
    first = sides.iloc[0]
    apart = abs(first["before"] - first["during"]) > 0.2 * sides.max().max()
    same = abs(first["before"] - first["during"]) < 0.02 * sides.max().max()
    names = (("before", BLUE), ("during", VERMILLION))
    if same:
        right.annotate(
            "before and during",
            (first["before"], 0),
            xytext=(0, 7),
            textcoords="offset points",
            ha="right",
            size=8.5,
            weight="bold",
        )
    for name, colour in () if same else names:
        other = "during" if name == "before" else "before"
        align = "center" if apart else ("left" if first[name] >= first[other] else "right")
        right.annotate(
            name,
            (first[name], 0),
            xytext=(0, 7),
            textcoords="offset points",
            ha=align,
            color=colour,
            size=8.5,
            weight="bold",
        )
    right.set_yticks(range(len(sides)), [capital(human(d)) for d in sides.index])
    right.set_ylim(len(sides) - 0.5, -0.85)
    right.set_xlim(left=0)
    right.grid(True, axis="x")
    right.grid(False, axis="y")
    right.set_xlabel("t of magnet a month", color=INK)
    right.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    data = sides.reset_index()
    alt = f"{title}. Monthly exports as lines, and dots by destination before and during."
    return Drawing(figure_, title, alt, data)


def _periods(reading: Reading, scenario: pd.Series) -> tuple[list, list, str]:
    """Return the months before and during, and both in words.

    During is the quarter with the lowest exports within a year of the shock, before are the
    twelve months up to the shock. Without a shock the last twelve months stand against the first.
    """
    months = list(scenario.index)
    shock = reading.shock
    earlier = [m for m in months if shock is not None and m + pd.offsets.MonthEnd(0) < shock]
    later = [m for m in months if m not in earlier][:13] if earlier else []
    if len(later) < 3:
        before, during = months[:12], months[-12:]
    else:
        before = earlier[-12:]
        sums = [float(scenario.loc[later[i : i + 3]].sum()) for i in range(len(later) - 2)]
        at = sums.index(min(sums))
        during = later[at : at + 3]
    return before, during, f"{_span(before)} and {_span(during)}"


def _span(months: list) -> str:
    return f"{months[0]:%b %Y}\u2013{months[-1]:%b %Y}"


def _title(reading: Reading, origin: str, change: float, scenario: pd.Series, during: list) -> str:
    who = f"Magnet exports of {capital(human(origin))}"
    if reading.shock is None:
        verb = "grow" if change > 0 else "fall"
        if abs(change) < 0.02:
            return f"{who} keep their level over the years shown"
        return f"{who} {verb} by {percent(abs(change))} from the first year to the last"
    if abs(change) < 0.02:
        return f"{who} keep their level in the lowest quarter after the shock"
    if change > 0:
        return (
            f"{who} do not fall: even the lowest quarter is {percent(change)} above the year before"
        )
    after = scenario[scenario.index > during[-1]]
    before = float(scenario[scenario.index < during[0]].tail(12).mean())
    back = after[after >= 0.95 * before]
    tail = f"back in {month(back.index[0])}" if len(back) else "not back within the horizon"
    return f"{who} fall by {percent(-change)} in the worst quarter and are {tail}"
