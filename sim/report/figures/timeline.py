"""What happens when: the interventions over the shortage they cause or cure."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from lodestone.report.calendar import events
from lodestone.report.figures import Drawing, figure
from lodestone.report.figures.shortage import versus
from lodestone.report.reading import NOTICEABLE, Mark, Reading
from lodestone.report.style import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    canvas,
    date_axis,
    ribbon,
    share_ticks,
)
from lodestone.report.wording import capital, day, duration, human, percent


@figure(title="Time line of the measures", needs=["calendar", "shortage_curve"], order=15)
def timeline(reading: Reading) -> Drawing | None:
    """Bars of the own measures and dots of dated events, over the difference in shortage."""
    window = reading.window
    marks = [
        m for m in reading.marks if m.start <= window[1] and (m.end is None or m.end >= window[0])
    ]
    if not marks:
        return None
    curve = reading.delta().loc[window[0] : window[1]]
    title = _title(reading)
    note = (
        f"Above: net unmet share of planned use, all users. {versus(reading)} Median and 5\u201395 % "
        "band. Below: measures that the reference does not have; thin line from the announcement; an "
        "arrow means that it has no end within the dates shown. "
        f"Red hatched: disruption; blue: policy.{_key(marks)} Dots: entries of the calendar."
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
    three = curve[["unmet_share_p05", "unmet_share_p50", "unmet_share_p95"]]
    highest, lowest = float(three.max().max()), float(three.min().min())
    top.axhline(0, color=INK, linewidth=0.6)
    top.set_ylim(min(1.08 * lowest, -NOTICEABLE), max(1.08 * highest, 2 * NOTICEABLE))
    wide = highest - lowest > 0.05
    top.yaxis.set_major_formatter(share_ticks(wide))
    top.set_ylabel("unmet share")
    rows = []
    for i, mark in enumerate(marks):
        start = max(mark.start, window[0])
        end = window[1] if mark.end is None else min(mark.end, window[1])
        _bar(low, i, mark, (start, end))
        if mark.share < 1.0:
            low.annotate(
                percent(mark.share),
                (start if end >= window[1] else end, i),
                xytext=(-3 if end >= window[1] else 3, 0),
                textcoords="offset points",
                ha="right" if end >= window[1] else "left",
                va="center",
                size=7.5,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
            )
        if mark.known < start:
            low.plot([max(mark.known, window[0]), start], [i, i], color=INK, linewidth=1.0)
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
        rows.append(
            (mark.name, mark.kind, mark.role, start.date(), end.date(), round(mark.share, 3))
        )
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
    data = pd.DataFrame(rows, columns=["name", "kind", "role", "start", "end", "worlds"])
    alt = (
        f"{title}. Above, the unmet share by date; below, bars of {len(marks)} "
        f"intervention{'s' if len(marks) > 1 else ''} on the same dates."
    )
    return Drawing(figure_, title, alt, data)


def _bar(axes: Axes, i: int, mark: Mark, span: tuple[pd.Timestamp, pd.Timestamp]) -> None:
    """Draw a measure's bar: pale where few worlds have it, hollow where it is suspended."""
    start, end = span
    disruption = mark.role == "disruption"
    edge, face = (VERMILLION, "#f2b48c") if disruption else (BLUE, "#9cc7e0")
    parts = [(start, end, False)]
    if mark.suspended is not None:
        since, until = mark.suspended
        since, until = max(since, start), min(until or end, end)
        parts = [(start, since, False), (since, until, True), (until, end, False)]
    for left, right, hollow in parts:
        if right <= left:
            continue
        axes.barh(
            i,
            right - left,
            left=left,
            height=0.5,
            color="white" if hollow else face,
            edgecolor=edge,
            hatch="////" if disruption and not hollow else "",
            linewidth=0.8,
            linestyle=(0, (2, 2)) if hollow else "-",
            alpha=1.0 if mark.share >= 1.0 else 0.25 + 0.6 * mark.share,
        )


def _key(marks: list[Mark]) -> str:
    """Say what pale and hollow bars mean, where there are any."""
    text = ""
    if any(mark.share < 1.0 for mark in marks):
        text += " Pale, with the share: in that part of the worlds alone."
    if any(mark.end_drawn or mark.drawn for mark in marks):
        text += " Where dates differ by world, medians."
    if any(mark.suspended is not None for mark in marks):
        text += " Hollow: suspended, to the truce's dated end (then where it is not renewed)."
    return text


def _title(reading: Reading) -> str:
    found, begins = reading.shortage(), reading.shock
    than = "" if reading.reference is None else " the shortage of the reference"
    if begins is None or found.likelihood == "none":
        return f"The measures pass without a noticeable change of{than or ' the shortage'}"
    if found.likelihood == "possible":
        return "In the median world the measures do not change the shortage"
    assert found.onset is not None
    what = "the shortage grows" if found.sign > 0 else "the shortage eases"
    if found.onset < begins:
        cause = "the announcement" if reading.begins == begins else "the first measure"
        return f"From {day(found.onset)}, after {cause} and before {reading.clock}, {what}"
    lag = (found.onset - begins).days
    peak = (found.peak - begins).days
    after = "at once" if lag < 7 else f"after {duration(lag)}"
    most = f"most after {duration(peak)}" if peak > lag else "most from then on"
    return f"From {reading.clock} on {day(begins)} {what} {after}, {most}"
