"""Unmet use over time: of all users, by region, by sector."""

from __future__ import annotations

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import NOTICEABLE, Reading
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
)
from lodestone.report.wording import capital, human_of, joined, month, percent

BANDS = "Line: median of the worlds; band: 5\u201395 % of them."
GROSS, NET = "gross_unmet_t_magnet_per_week", "unmet_t_magnet_per_week"


def shortage_sentence(reading: Reading) -> str:
    """Return the finding about unmet use of all users, right in every case."""
    found = reading.shortage()
    if found.likelihood == "none":
        return (
            f"No shortage: less than {percent(NOTICEABLE)} of planned use stays unmet "
            "in 95 % of worlds at every date"
        )
    if found.likelihood == "possible":
        return (
            "A shortage is possible but unlikely: none in the median world, "
            f"{percent(found.p95)} of planned use in the worst twentieth "
            f"({month(found.peak)})"
        )
    share = percent(found.p50, found.p05, found.p95)
    ending = (
        "and lasts to the horizon"
        if found.open_end or not found.end
        else f"and ends by {month(found.end)}"
    )
    return f"Unmet use peaks at {share} of planned use in {month(found.peak)} {ending}"


@figure(title="Shortage over time", needs=["shortage_curve"], order=10)
def shortage_curve(reading: Reading) -> Drawing | None:
    """Gross and net unmet use of all users, tonnes of magnet a week."""
    window = reading.window
    whole = reading.curve()
    curve = whole.loc[window[0] : window[1]]
    title = shortage_sentence(reading)
    note = (
        "Unmet use of rare-earth magnets, all regions and sectors, tonnes of magnet a week. "
        "Gross: before stocks are drawn; net: what is really not used. "
        f"{BANDS} {mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, size=(7.4, 3.3))
    ax: Axes = axes[0, 0]
    ribbon(ax, curve, GROSS, BLUE, linestyle=(0, (5, 1.6)))
    ribbon(ax, curve, NET, VERMILLION)
    reference = curve["reference_unmet_share_p50"] * curve["demand_t_magnet_per_week"]
    if reference.notna().any():
        ax.plot(curve.index, reference, color=GREY, linewidth=1.2, linestyle=":")
    top = max(curve[f"{GROSS}_p95"].max(), curve[f"{NET}_p95"].max(), curve[f"{GROSS}_p50"].max())
    floor = NOTICEABLE * float(curve["demand_t_magnet_per_week"].mean())
    ax.set_ylim(0, max(1.06 * float(top if pd.notna(top) else 0), 2 * floor))
    ax.set_ylabel("t of magnet a week")
    date_axis(ax, window)
    mark_interventions(ax, reading)
    _peak_labels(ax, curve, reference)
    data = curve.reset_index()
    alt = f"{capital(title)}. Line chart of gross and net unmet use a week with 5-95 % bands."
    return Drawing(figure_, title, alt, data)


def _peak_labels(ax: Axes, curve: pd.DataFrame, reference: pd.Series) -> None:
    """Label the two curves where each is highest, or at the edge where both are flat."""
    net, gross = curve[f"{NET}_p50"], curve[f"{GROSS}_p50"]
    top = ax.get_ylim()[1]
    if gross.max() < 0.06 * top:
        ends = [(float(gross.iloc[-1]), "gross and net", VERMILLION)]
        if reference.notna().any() and abs(reference.iloc[-1] - net.iloc[-1]) > 0.03 * top:
            ends.append((float(reference.iloc[-1]), "reference", GREY))
        label_ends(ax, ends)
        return
    lines = [curve[f"{GROSS}_{q}"] for q in ("p50", "p05", "p95")]
    lines += [curve[f"{NET}_{q}"] for q in ("p50", "p05", "p95")]
    for series, text, colour in ((gross, "gross", BLUE), (net, "net", VERMILLION)):
        label_line(ax, series, text, colour, lines)
    if reference.notna().any():
        label_ends(ax, [(float(reference.iloc[-1]), "reference", GREY)])


def _panels(reading: Reading, axis: str, title: str, note: str, names: list[str]) -> Drawing:
    """Draw small multiples of the net unmet share, one panel a member of an axis."""
    window = reading.window
    rows = -(-len(names) // 4)
    columns = -(-len(names) // rows)
    figure_, axes = canvas(
        title, note, rows, columns, (7.4, 1.6 * rows + 0.3), sharex=True, sharey=True
    )
    parts = []
    top = 2 * NOTICEABLE
    for ax, name in zip(axes.flat, names, strict=False):
        curve = reading.curve(**{axis: name}).loc[window[0] : window[1]]
        ribbon(ax, curve, "unmet_share", VERMILLION, linewidth=1.5)
        if curve["reference_unmet_share_p50"].notna().any():
            ax.plot(
                curve.index, curve["reference_unmet_share_p50"], color=GREY, lw=1, linestyle=":"
            )
        highest = curve[["unmet_share_p50", "unmet_share_p95"]].max().max()
        top = max(top, float(highest))
        ax.set_title(
            textwrap.fill(capital(human_of(axis, name)), 68 // columns), size=8.5, linespacing=1.0
        )
        found = reading.shortage(**{axis: name})
        if found.likelihood in {"likely", "sure"}:
            ax.annotate(
                f"peak {percent(found.p50, found.p05, found.p95).split(' (')[0]}",
                (0.98, 0.97),
                xycoords="axes fraction",
                ha="right",
                va="top",
                size=8,
                color=INK,
            )
        part = curve.reset_index()
        part.insert(1, "panel", name)
        parts.append(part)
    for ax in list(axes.flat)[: len(names)]:
        date_axis(ax, window, ticks=14 // columns)
        mark_interventions(ax, reading, words=False)
        ax.tick_params(labelsize=7.5)
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0 if top > 0.05 else 1))
    for ax in list(axes.flat)[len(names) :]:
        above = ax.get_subplotspec().rowspan.start - 1
        column = ax.get_subplotspec().colspan.start
        axes[above, column].tick_params(labelbottom=True)
        ax.remove()
    axes[0, 0].set_ylim(0, 1.22 * top)
    step = next((s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if top / s < 4.5), 0.5)
    axes[0, 0].set_yticks([i * step for i in range(int(min(top, 1.0) / step + 1e-6) + 1)])
    return Drawing(figure_, title, _alt(title, axis, names), pd.concat(parts, ignore_index=True))


def _any_short(reading: Reading, axis: str, names: list[str]) -> bool:
    """Say whether any member has a shortage worth a panel; empty panels are not drawn."""
    return any(reading.shortage(**{axis: name}).likelihood != "none" for name in names)


def _alt(title: str, axis: str, names: list[str]) -> str:
    return (
        f"{title}. Small line charts of the unmet share of planned use with 5-95 % bands: "
        f"{joined([human_of(axis, n) for n in names])}."
    )


def worst_sentence(reading: Reading, axis: str, names: list[str]) -> str:
    """Return who is hit hardest in share and in tonnes, or that nobody is."""
    found = {name: reading.shortage(**{axis: name}) for name in names}
    hit = [n for n in names if found[n].likelihood in {"likely", "sure"}]
    if not hit:
        possible = [n for n in names if found[n].likelihood == "possible"]
        if not possible:
            return f"No {axis} runs short in 95 % of worlds"
        return (
            f"In the median world no {axis} runs short; a few worlds see a shortage in "
            f"{joined([human_of(axis, n) for n in possible[:3]])}"
            + (" and elsewhere" if len(possible) > 3 else "")
        )
    hardest = reading.hardest(axis)
    assert hardest is not None
    worst, f = hardest
    text = (
        f"{capital(human_of(axis, worst))} is hit hardest: {percent(f.p50, f.p05, f.p95)} of planned use "
        f"unmet at the peak in {month(f.peak)}"
    )
    spared = len(names) - len(hit)
    if spared and len(names) > 2:
        plural = {"region": "regions", "sector": "sectors", "tier": "tiers"}[axis]
        text += f"; {spared} of {len(names)} {plural} {'is' if spared == 1 else 'are'} spared in the median world"
    return text


def _note(reading: Reading, names: list[str], all_names: list[str], order: str) -> str:
    some = "" if len(names) == len(all_names) else f"The {len(names)} with the largest loss. "
    return (
        f"Net unmet share of planned use, {order}. {some}{BANDS} Dotted: reference. "
        f"{mark_words(reading, reading.window)}"
    )


@figure(title="Shortage by region", needs=["shortage_curve"], order=20)
def shortage_by_region(reading: Reading) -> Drawing | None:
    """Net unmet share by region, small multiples, largest loss first."""
    every = reading.members("region")
    if not _any_short(reading, "region", every):
        return None
    names = every[:12]
    title = worst_sentence(reading, "region", every)
    return _panels(reading, "region", title, _note(reading, names, every, "by region"), names)


@figure(title="Shortage by sector", needs=["shortage_curve"], order=30)
def shortage_by_sector(reading: Reading) -> Drawing | None:
    """Net unmet share by sector, small multiples, largest loss first."""
    every = reading.members("sector")
    if not _any_short(reading, "sector", every):
        return None
    names = every[:12]
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
