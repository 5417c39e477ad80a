"""What happens when: the interventions over the shortage they cause or cure."""

from __future__ import annotations

import pandas as pd
from matplotlib.ticker import PercentFormatter

from lodestone.report.calendar import events
from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import NOTICEABLE, Reading
from lodestone.report.style import BLUE, GREY, INK, VERMILLION, canvas, date_axis, ribbon
from lodestone.report.wording import capital, day, duration, human


@figure(title="Time line of events", needs=["calendar", "shortage_curve"], order=15)
def timeline(reading: Reading) -> Drawing | None:
    """Bars of the interventions and dots of dated events, over the net unmet share."""
    window = reading.window
    marks = [
        m for m in reading.marks if m.start <= window[1] and (m.end is None or m.end >= window[0])
    ]
    if not marks:
        return None
    curve = reading.curve().loc[window[0] : window[1]]
    title = _title(reading)
    note = (
        "Above: net unmet share of planned use, all users, median and 5\u201395 % band of the worlds. "
        "Below: interventions in force; an arrow means that it has no end within the dates shown. "
        "Red hatched: disruption; blue: policy. Dots: entries of the calendar."
    )
    dated = events(reading)
    dated = dated[(dated["date"] >= window[0]) & (dated["date"] <= window[1])]
    figure_, axes = canvas(
        title,
        note,
        2,
        1,
        (7.4, 2.2 + 0.3 * len(marks)),
        sharex=True,
        gridspec_kw={"height_ratios": [1.7, 0.3 + 0.3 * len(marks)]},
    )
    top, low = axes[:, 0]
    ribbon(top, curve, "unmet_share", VERMILLION)
    highest = curve[["unmet_share_p50", "unmet_share_p95"]].max().max()
    top.set_ylim(0, max(1.08 * float(highest), 2 * NOTICEABLE))
    top.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if highest > 0.05 else 1))
    top.set_ylabel("unmet share")
    rows = []
    for i, mark in enumerate(marks):
        start = max(mark.start, window[0])
        end = window[1] if mark.end is None else min(mark.end, window[1])
        disruption = mark.role == "disruption"
        low.barh(
            i,
            end - start,
            left=start,
            height=0.5,
            color="#f2b48c" if disruption else "#9cc7e0",
            edgecolor=VERMILLION if disruption else BLUE,
            hatch="////" if disruption else "",
            linewidth=0.8,
        )
        if mark.end is None or mark.end > window[1]:
            low.annotate(
                "",
                (window[1], i),
                xytext=(-11, 0),
                textcoords="offset points",
                arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1},
            )
        for ax in (top, low):
            ax.axvline(start, color=INK, linewidth=0.7, linestyle=(0, (3, 3)), zorder=1)
        rows.append((mark.name, mark.kind, mark.role, start.date(), end.date()))
    if len(dated):
        low.plot(
            dated["date"],
            [len(marks) - 0.3] * len(dated),
            "o",
            markersize=3.5,
            color=GREY,
            clip_on=False,
        )
    low.set_yticks(range(len(marks)), [capital(human(m.name)) for m in marks])
    low.set_ylim(len(marks) - (0.05 if len(dated) else 0.45), -0.55)
    low.grid(False)
    low.spines["left"].set_visible(False)
    date_axis(low, window)
    data = pd.DataFrame(rows, columns=["name", "kind", "role", "start", "end"])
    alt = (
        f"{title}. Above, the unmet share by date; below, bars of {len(marks)} "
        f"intervention{'s' if len(marks) > 1 else ''} on the same dates."
    )
    return Drawing(figure_, title, alt, data)


def _title(reading: Reading) -> str:
    found, shock = reading.shortage(), reading.shock
    if shock is None or found.likelihood == "none":
        return "The interventions pass without a noticeable shortage"
    if found.likelihood == "possible":
        return "The interventions pass without a shortage in the median world"
    if found.onset is None or found.onset < shock:
        return "The shortage begins before the first intervention"
    lag = (found.onset - shock).days
    peak = (found.peak - shock).days
    after = "at once" if lag < 7 else f"{duration(lag)} later"
    return (
        f"From {day(shock)} the shortage shows {after} and is worst after {duration(peak)}"
        if peak > lag
        else f"From {day(shock)} the shortage shows {after} and is worst from the start"
    )
