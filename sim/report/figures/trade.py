"""Who gets the exporter's magnets with and without the measures."""

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

NEAR = 0.05
"""Share of the reference within which exports count as back at its level (0..1)."""


def magnet_exports(reading: Reading) -> tuple[str, pd.DataFrame] | None:
    """Return the largest magnet exporter and its rows without its own use, all channels."""
    rows = reading.magnet_trade
    if rows.empty:
        return None
    origin = str(rows.groupby("origin")["tonnes_mean"].sum().idxmax())
    return origin, rows[rows["origin"] == origin]


@figure(
    title="Trade in magnets",
    needs=["trade_flows", "shortage_curve"],
    order=70,
    about=["trade", "any"],
    page="one",
)
def trade_flows(reading: Reading) -> Drawing | None:
    """Magnet exports of the largest exporter: by month, and by destination before, during, after."""
    found = magnet_exports(reading)
    if found is None:
        return None
    origin, rows = found
    monthly = rows.groupby(["case", "month"])["tonnes_mean"].sum().unstack("case").sort_index()
    if "scenario" not in monthly or len(monthly) < 13:
        return None
    periods = periods_of(reading, monthly)
    if periods is None:
        return None
    against = "reference" if "reference" in monthly else "scenario"
    sides = _sides(rows, periods, against)
    title = _title(reading, origin, monthly, periods)
    window = reading.window
    base = (
        "open circle: reference, same months as the worst quarter"
        if against == "reference"
        else "open circle: the year before"
    )
    note = (
        f"Magnets from {human(origin)}, finished tonnes a month by month of shipment, declared and "
        f"grey, means over the worlds. Right: by destination; {base}; full circle: the quarter that "
        f"differs most ({span_told(periods['during'])}); cross: the last year of the run. "
        f"{mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, 1, 2, (7.4, 3.2), gridspec_kw={"width_ratios": [1.2, 1]})
    left, right = axes[0]
    shown = monthly.loc[window[0].replace(day=1) : window[1]]
    if "reference" in shown:
        left.plot(shown.index, shown["reference"], color=GREY, lw=1.3, linestyle=":")
    left.plot(shown.index, shown["scenario"], color=VERMILLION)
    left.set_ylim(0, 1.1 * float(shown.max().max()))
    left.yaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    left.set_ylabel("t of magnet a month")
    date_axis(left, window, ticks=5)
    mark_interventions(left, reading)
    ends = [(float(shown["scenario"].iloc[-1]), "with" if "reference" in shown else "", VERMILLION)]
    if "reference" in shown:
        ends.append((float(shown["reference"].iloc[-1]), "without", GREY))
    label_ends(left, ends)
    for i, row in enumerate(sides.itertuples()):
        right.plot([row.before, row.during], [i, i], color="#bdbdbd", lw=2.2, zorder=1)
        right.plot(row.before, i, "o", mfc="white", mec=BLUE, mew=1.6, ms=6.5)
        right.plot(row.during, i, "o", color=VERMILLION, ms=6.0)
        right.plot(row.after, i, "x", color=INK, mew=1.4, ms=5.5)
    right.set_yticks(range(len(sides)), [capital(human(d)) for d in sides.index])
    right.set_ylim(len(sides) - 0.5, -0.6)
    right.set_xlim(left=0)
    right.grid(True, axis="x")
    right.grid(False, axis="y")
    right.set_xlabel("t of magnet a month", color=INK)
    right.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    data = sides.reset_index()
    alt = f"{title}. Monthly exports as lines, and by destination: before, during and after."
    return Drawing(figure_, title, alt, data)


def _sides(rows: pd.DataFrame, periods: dict[str, list], against: str) -> pd.DataFrame:
    """Return monthly tonnes by destination before, during and after, ten largest."""
    picks = {
        "before": ("reference" if against == "reference" else "scenario", periods["before"]),
        "during": ("scenario", periods["during"]),
        "after": ("scenario", periods["after"]),
    }
    columns = {}
    for name, (case, months) in picks.items():
        part = rows[(rows["case"] == case) & rows["month"].isin(months)]
        columns[name] = part.groupby("destination")["tonnes_mean"].sum() / max(len(months), 1)
    sides = pd.DataFrame(columns).fillna(0.0)
    return sides.sort_values(["before", "during"], ascending=False).head(10)


def periods_of(reading: Reading, monthly: pd.DataFrame) -> dict[str, list] | None:
    """Return the months before, during and after, all from the first own measure on.

    During is the quarter that differs most from the reference (alone: the lowest) from the first own
    measure to two years after the shock; before are the same months of the reference, or alone the
    first year; after is the last year of the run.
    """
    months = [m for m in monthly.index if m >= reading.since.replace(day=1)]
    start = reading.begins if reading.begins is not None else reading.since
    later = [m for m in months if m >= start.replace(day=1)]
    if len(later) < 6:
        return None
    scenario = monthly["scenario"]
    gap = scenario - monthly["reference"] if "reference" in monthly else -scenario
    shock = start if reading.shock is None else max(reading.shock, start)
    near = later[: max(25, sum(m < shock.replace(day=1) for m in later) + 25)]
    sums = [abs(float(gap.loc[near[i : i + 3]].sum())) for i in range(len(near) - 2)]
    at = sums.index(max(sums))
    during = near[at : at + 3]
    before = during if "reference" in monthly else months[:12]
    return {"before": before, "during": during, "after": months[-12:]}


def span_told(months: list) -> str:
    """Return the first and the last of some months, as `Jan 2027\u2013Mar 2027`."""
    return f"{months[0]:%b %Y}\u2013{months[-1]:%b %Y}"


def _title(reading: Reading, origin: str, monthly: pd.DataFrame, periods: dict[str, list]) -> str:
    who = f"Magnet exports of {capital(human(origin))}"
    scenario = monthly["scenario"]
    during = periods["during"]
    if "reference" not in monthly:
        change = float(
            scenario.loc[periods["after"]].mean() / scenario.loc[periods["before"]].mean() - 1
        )
        if abs(change) < 0.02:
            return f"{who} keep their level over the years shown"
        verb = "grow" if change > 0 else "fall"
        return f"{who} {verb} by {percent(abs(change))} from the first year to the last"
    calm = monthly["reference"]
    change = float(scenario.loc[during].sum() / max(float(calm.loc[during].sum()), 1e-9) - 1)
    if abs(change) < 0.02:
        return f"{who} differ from the reference by less than 2 % in every quarter of two years"
    verb = "below" if change < 0 else "above"
    text = f"{who} are {percent(abs(change))} {verb} the reference in {span_told(during)}"
    after = [m for m in scenario.index if m > during[-1]]
    ratio = (scenario.loc[after] / calm.loc[after].clip(lower=1e-9)).rolling(3).mean().dropna()
    return f"{text}{_afterwards(ratio, change < 0)}"


def _afterwards(ratio: pd.Series, below: bool) -> str:
    """Return how exports go on after their worst quarter, as the end of a title.

    Parameters
    ----------
    ratio
        Exports over those of the reference by month, means of three months.
    below
        Whether they were below the reference in that quarter.
    """
    if ratio.empty:
        return ""
    away = (ratio - 1).abs() >= NEAR
    if not away.iloc[-1]:
        last = away[away].index
        lasting = ratio.index[0] if not len(last) else ratio.index[ratio.index > last[-1]][0]
        return f" and within 5 % of it from {month(lasting)} on"
    other = ratio[(ratio >= 1 + NEAR) if below else (ratio <= 1 - NEAR)]
    if len(other) >= 3:
        word = "above" if below else "below"
        text = f", {word} it between {month(other.index[0])} and {month(other.index[-1])}"
        ends = "above" if ratio.iloc[-1] > 1 else "below"
        return f"{text}, and {ends} it at the end of the run"
    near = ratio[~away]
    if len(near):
        return f", near it from {month(near.index[0])} for a time, and not at the end of the run"
    return " and do not come back to it within the run"
