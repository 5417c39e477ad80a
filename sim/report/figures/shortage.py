"""Unmet use over time: of all users, by region, by sector."""

from __future__ import annotations

import textwrap

import pandas as pd
from matplotlib.axes import Axes

from lodestone.report.asked import place
from lodestone.report.course import at_peak, ending
from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import NOTICEABLE, Reading, Shortage
from lodestone.report.style import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    canvas,
    date_axis,
    label_ends,
    label_line,
    mark_interventions,
    mark_words,
    ribbon,
    share_ticks,
)
from lodestone.report.wording import capital, human_of, joined, month, percent

BANDS = "Line: median of the worlds; band: 5\u201395 % of them."


def versus(reading: Reading) -> str:
    """Say against what the numbers of a figure are counted."""
    if reading.reference is None:
        return "Levels: the scenario was run alone."
    kind = "world by world" if reading.paired else "between quantiles (an older run folder)"
    return f"Difference from the reference, {kind}."


def shortage_sentence(reading: Reading) -> str:
    """Return the finding about unmet use of all users, right in every case."""
    found = reading.shortage()
    alone = reading.reference is None
    than = "" if alone else " than in the reference"
    if found.likelihood == "none":
        if alone:
            return (
                f"No shortage: less than {percent(NOTICEABLE)} of planned use stays unmet "
                "in 95 % of worlds at every date"
            )
        return (
            f"The measures change the shortage by less than {percent(NOTICEABLE)} of planned use "
            "in 95 % of worlds at every date"
        )
    more = "more" if found.sign > 0 else "less"
    if found.likelihood == "possible":
        far = percent(found.p95 if found.sign > 0 else -found.p05)
        head = "No shortage" if alone else "No change of the shortage"
        what = far if alone else f"{far} {more}"
        return (
            f"{head} in most worlds; in one in twenty {what} of planned use goes unmet "
            f"({month(found.peak)})"
        )
    share = at_peak(found)
    if alone:
        return f"Unmet use peaks at {share} of planned use in {month(found.peak)} {ending(found)}"
    return (
        f"Up to {share} of planned use {more} goes unmet{than}: it is worst in {month(found.peak)} {ending(found)}"
        if found.sign > 0
        else f"Up to {share} of planned use less goes unmet{than}, most in {month(found.peak)}{_turn(found)}"
    )


def _turn(found: Shortage) -> str:
    """Return that later the difference is the other way round, as the end of a title; else blank."""
    if found.turn is None or found.turn.since < found.peak:
        return ""
    return f"; from {month(found.turn.since)} on more"


@figure(
    title="Shortage over time",
    needs=["shortage_curve"],
    order=10,
    about=["shortage"],
    page="one",
)
def shortage_curve(reading: Reading) -> Drawing | None:
    """Difference of net and gross unmet use of all users, and both levels of the share."""
    window = reading.window
    delta = reading.delta().loc[window[0] : window[1]]
    levels = reading.curve().loc[window[0] : window[1]]
    title = shortage_sentence(reading)
    note = (
        f"Above: unmet use of magnets of all users, tonnes a week. {versus(reading)} "
        f"Net: what is really not used; gross: before stocks are drawn.{crossed(delta)} Below: the "
        f"share of planned use that goes unmet with and without the measures, medians. {BANDS} {mark_words(reading, window)}"
    )
    if reading.reference is None:
        note = note.replace(" with and without the measures, medians", ", median")
    figure_, axes = canvas(
        title, note, 2, 1, (7.4, 3.7), sharex=True, gridspec_kw={"height_ratios": [2.0, 1.0]}
    )
    ax, low = axes[:, 0]
    ax.axhline(0, color=INK, linewidth=0.7)
    ribbon(ax, delta, "gross_unmet", BLUE, linestyle=(0, (5, 1.6)))
    ribbon(ax, delta, "unmet", VERMILLION)
    columns = [f"{s}_{q}" for s in ("unmet", "gross_unmet") for q in ("p05", "p50", "p95")]
    top, bottom = float(delta[columns].max().max()), float(delta[columns].min().min())
    floor = NOTICEABLE * float(levels["demand_t_magnet_per_week"].mean())
    ax.set_ylim(
        min(1.1 * bottom, -0.15 * floor), max(1.12 * top, 2 * floor if bottom > -floor else floor)
    )
    ax.set_ylabel("t of magnet a week")
    ax.yaxis.set_major_formatter(lambda x, _: f"{x:,.0f}".replace("-", "\u2212"))
    low.plot(levels.index, levels["unmet_share_p50"], color=VERMILLION, linewidth=1.5)
    ends = [
        (
            float(levels["unmet_share_p50"].iloc[-1]),
            "with" if reading.reference else "level",
            VERMILLION,
        )
    ]
    if levels["reference_unmet_share_p50"].notna().any():
        low.plot(levels.index, levels["reference_unmet_share_p50"], color=GREY, lw=1.3, ls=":")
        ends.append((float(levels["reference_unmet_share_p50"].iloc[-1]), "without", GREY))
    high = float(levels[["unmet_share_p50", "reference_unmet_share_p50"]].max().max())
    low.set_ylim(0, max(1.15 * high, 2 * NOTICEABLE))
    low.yaxis.set_major_formatter(share_ticks(high > 0.05))
    low.set_ylabel("share unmet")
    date_axis(low, window)
    mark_interventions(ax, reading)
    mark_interventions(low, reading, words=False)
    _peak_labels(ax, delta)
    label_ends(low, ends, gap=0.16)
    both = levels[["unmet_share_p50", "reference_unmet_share_p50"]]
    both.columns = ["level_unmet_share_p50", "reference_unmet_share_p50"]
    data = delta.join(both).reset_index()
    alt = (
        f"{capital(title)}. Line chart of the difference in gross and net unmet use a week with "
        "5-95 % bands, over the shares with and without."
    )
    return Drawing(figure_, title, alt, data)


def crossed(delta: pd.DataFrame) -> str:
    """Say why a difference of net unmet use may exceed that of gross; blank where none does."""
    over = delta["unmet_p50"] - delta["gross_unmet_p50"]
    if not (over > 0.01 * delta[["unmet_p50", "gross_unmet_p50"]].abs().max().max()).any():
        return ""
    return " Where net lies above gross, stocks cover less of the gap than in the reference."


def _peak_labels(ax: Axes, delta: pd.DataFrame) -> None:
    """Label the two curves where each is highest, or at the edge where both are flat."""
    net, gross = delta["unmet_p50"], delta["gross_unmet_p50"]
    bottom, top = ax.get_ylim()
    if max(gross.max(), net.max()) < 0.06 * (top - bottom):
        ends = [(float(net.iloc[-1]), "net", VERMILLION), (float(gross.iloc[-1]), "gross", BLUE)]
        label_ends(ax, ends, gap=0.09)
        return
    lines = [delta[f"gross_unmet_{q}"] for q in ("p50", "p05", "p95")]
    lines += [delta[f"unmet_{q}"] for q in ("p50", "p05", "p95")]
    for series, text, colour in ((gross, "gross", BLUE), (net, "net", VERMILLION)):
        label_line(ax, series, text, colour, lines)


def _panels(reading: Reading, axis: str, title: str, note: str, names: list[str]) -> Drawing:
    """Draw small multiples of the difference in the net unmet share, one a member of an axis."""
    window = reading.window
    rows = -(-len(names) // 4)
    columns = -(-len(names) // rows)
    figure_, axes = canvas(
        title, note, rows, columns, (7.4, 1.3 * rows + 0.3), sharex=True, sharey=True
    )
    parts = []
    top, bottom = 2 * NOTICEABLE, 0.0
    for ax, name in zip(axes.flat, names, strict=False):
        delta = reading.delta(**{axis: name}).loc[window[0] : window[1]]
        ax.axhline(0, color=GREY, linewidth=0.6)
        ribbon(ax, delta, "unmet_share", VERMILLION, linewidth=1.5)
        three = delta[["unmet_share_p05", "unmet_share_p50", "unmet_share_p95"]]
        top, bottom = max(top, float(three.max().max())), min(bottom, float(three.min().min()))
        ax.set_title(
            textwrap.fill(capital(human_of(axis, name)), 68 // columns), size=8.5, linespacing=1.0
        )
        found = reading.shortage(**{axis: name})
        if found.likelihood in {"likely", "sure"}:
            plus = "+" if found.p50 > 0 and reading.reference else ""
            told = plus + percent(found.p50, found.p05, found.p95).split(" (")[0]
            ax.annotate(
                f"peak {told}",
                (0.98, 0.97),
                xycoords="axes fraction",
                ha="right",
                va="top",
                size=8,
                color=INK,
            )
        part = three.reset_index()
        part.insert(1, "panel", name)
        parts.append(part)
    for ax in list(axes.flat)[: len(names)]:
        date_axis(ax, window, ticks=14 // columns)
        mark_interventions(ax, reading, words=False)
        ax.tick_params(labelsize=7.5)
        ax.yaxis.set_major_formatter(share_ticks(top - bottom > 0.05))
    for ax in list(axes.flat)[len(names) :]:
        above = ax.get_subplotspec().rowspan.start - 1
        column = ax.get_subplotspec().colspan.start
        axes[above, column].tick_params(labelbottom=True)
        ax.remove()
    axes[0, 0].set_ylim(1.1 * bottom, 1.25 * top)
    return Drawing(figure_, title, _alt(title, axis, names), pd.concat(parts, ignore_index=True))


def _any_short(reading: Reading, axis: str, names: list[str]) -> bool:
    """Say whether any member has a shortage worth a panel; empty panels are not drawn."""
    return any(reading.shortage(**{axis: name}).likelihood != "none" for name in names)


def _alt(title: str, axis: str, names: list[str]) -> str:
    return (
        f"{title}. Small line charts of the difference in the unmet share with 5-95 % bands: "
        f"{joined([human_of(axis, n) for n in names])}."
    )


def worst_sentence(reading: Reading, axis: str, names: list[str]) -> str:
    """Return who is hit (or spared) most, or that nobody is."""
    found = {name: reading.shortage(**{axis: name}) for name in names}
    sign = reading.shortage().sign
    hit = [n for n in names if found[n].likelihood in {"likely", "sure"} and found[n].sign == sign]
    alone = reading.reference is None
    more = "" if alone else " more" if sign > 0 else " less"
    if not hit:
        possible = [n for n in names if found[n].likelihood == "possible"]
        if not possible:
            return (
                f"No {axis} runs short in 95 % of worlds"
                if alone
                else f"No {axis} runs shorter in 95 % of worlds"
            )
        return (
            f"In the median world no {axis} is touched; a few worlds differ in "
            f"{joined([human_of(axis, n) for n in possible[:3]])}"
            + (" and elsewhere" if len(possible) > 3 else "")
        )
    hardest = reading.hardest(axis)
    assert hardest is not None
    worst, f = hardest
    verb = "hit hardest" if sign > 0 else "spared most"
    plural = {"region": "regions", "sector": "sectors", "tier": "tiers"}[axis]
    who = place(worst) if axis == "region" else human_of(axis, worst)
    # A small user may lack more, and its panel says so.
    if any(round(100 * sign * found[n].p50) > round(100 * sign * f.p50) for n in hit):
        who = f"of the larger {plural} {who}"
    text = (
        f"{capital(who)} is {verb}: {at_peak(f)}{more} of planned "
        f"use goes unmet at the peak in {month(f.peak)}"
    )
    out = len(names) - len(hit)
    if out and len(names) > 2:
        text += f"; {out} of {len(names)} {plural} {'is' if out == 1 else 'are'} not touched in the median world"
    back = [
        n
        for n in hit
        if sign > 0 and (b := found[n].back) is not None and not b.late and b.in_median
    ]
    if back:
        since = min(b.since for n in back if (b := found[n].back) is not None)
        some = place(back) if axis == "region" and len(back) < 3 else human_of(axis, back[0])
        if len(back) > 1 and (axis != "region" or len(back) > 2):
            some = f"{len(back)} {axis}s"
        text += f"; it comes back in {some} from {month(since)}"
    return text


def _note(reading: Reading, names: list[str], all_names: list[str], order: str) -> str:
    some = (
        "" if len(names) == len(all_names) else f"The {len(names)} that the measures touch most. "
    )
    return (
        f"Net unmet share of planned use, {order}. {versus(reading)} {some}{BANDS} "
        f"{mark_words(reading, reading.window)}"
    )


@figure(
    title="Shortage by region",
    needs=["shortage_curve"],
    order=20,
    about=["shortage"],
    page="two",
)
def shortage_by_region(reading: Reading) -> Drawing | None:
    """Net unmet share by region, small multiples, largest loss first."""
    every = reading.members("region")
    if not _any_short(reading, "region", every):
        return None
    names = _touched(reading, "region", every)[:12]
    title = worst_sentence(reading, "region", every)
    return _panels(reading, "region", title, _note(reading, names, every, "by region"), names)


def _touched(reading: Reading, axis: str, names: list[str]) -> list[str]:
    """Return the members that the measures touch at any date in one world in twenty or more."""
    return [n for n in names if reading.shortage(**{axis: n}).likelihood != "none"] or names[:1]


@figure(title="Shortage by sector", needs=["shortage_curve"], order=30)
def shortage_by_sector(reading: Reading) -> Drawing | None:
    """Net unmet share by sector, small multiples, largest loss first."""
    every = reading.members("sector")
    if not _any_short(reading, "sector", every):
        return None
    names = _touched(reading, "sector", every)[:12]
    title = worst_sentence(reading, "sector", every)
    return _panels(reading, "sector", title, _note(reading, names, every, "by sector"), names)


@figure(title="Shortage by tier", needs=["shortage_curve"], order=32)
def shortage_by_tier(reading: Reading) -> Drawing | None:
    """Net unmet share of defence, essential civilian and other users."""
    every = reading.members("tier")
    if len(every) < 2 or not _any_short(reading, "tier", every):
        return None
    order = ("defence", "essential_civilian", "other")
    names = sorted(every, key=lambda t: order.index(t) if t in order else len(order))
    title = worst_sentence(reading, "tier", names)
    return _panels(reading, "tier", title, _note(reading, names, every, "by tier of users"), names)
