"""How long stocks last: weeks of cover left, by region."""

from __future__ import annotations

import pandas as pd

from lodestone.border.units import WEEKS_PER_MONTH
from lodestone.report.asked import place
from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import Reading
from lodestone.report.style import (
    COLOURS,
    GREY,
    canvas,
    date_axis,
    label_ends,
    mark_interventions,
    mark_words,
)
from lodestone.report.wording import capital, human, month, number

MATERIAL = "ndfeb_high_coercivity"
MOST = 5


def cover(reading: Reading) -> pd.DataFrame | None:
    """Return weeks of cover with and without by region and month (median stock over median use).

    Stock of high-coercivity magnets held in a region over what it used a week in the reference
    (alone: in the scenario) in that month; smoothed over three months of use.
    """
    path = reading.results.folder / "series.parquet"
    if not path.is_file():
        return None
    table = pd.read_parquet(path, columns=["date", "case", "variable", "material", "region", "p50"])
    table = table[(table["material"] == MATERIAL) & table["variable"].isin(["stock", "used"])]
    if table.empty:
        return None
    table = table.assign(date=pd.to_datetime(table["date"]))
    wide = table.pivot_table(index="date", columns=["case", "variable", "region"], values="p50")
    base = "reference" if "reference" in wide.columns.get_level_values(0) else "scenario"
    if (base, "used") not in {c[:2] for c in wide.columns}:
        return None
    use = wide[base, "used"].rolling(3, min_periods=1).mean()
    columns = {}
    for region in use.columns:
        if use[region].mean() <= 0 or ("scenario", "stock", region) not in wide:
            continue
        columns["with", region] = WEEKS_PER_MONTH * wide["scenario", "stock", region] / use[region]
        if base == "reference" and ("reference", "stock", region) in wide:
            columns["without", region] = (
                WEEKS_PER_MONTH * wide["reference", "stock", region] / use[region]
            )
    return pd.DataFrame(columns) if columns else None


@figure(
    title="Weeks of cover left",
    needs=["shortage_curve"],
    order=25,
    about=["shortage"],
    page="two",
)
def cover_left(reading: Reading) -> Drawing | None:
    """Lines of weeks of cover by region with the measures, reference dotted; largest users."""
    held = cover(reading)
    if held is None:
        return None
    window = reading.window
    shown = held.loc[window[0].replace(day=1) : window[1]]
    regions = [r for r in reading.members("region") if ("with", r) in held and r != "china"][:MOST]
    if len(shown) < 3 or not regions:
        return None
    lows = {r: float(shown["with", r].min()) for r in regions}
    worst = min(lows, key=lows.__getitem__)
    when = shown["with", worst].idxmin()
    dry = {r: s.index[0] for r in regions if len(s := shown[shown["with", r] < 1.0])}
    first = min(dry, key=dry.__getitem__) if dry else ""
    title = (
        f"Cover of high-coercivity magnets falls below one week of use first in "
        f"{place(first)}, in {month(dry[first])}"
        if dry
        else f"Cover of high-coercivity magnets is lowest in {place(worst)}: "
        f"{number(lows[worst])} weeks of use in {month(when)}"
    )
    note = (
        "Stock of high-coercivity NdFeB magnets of sellers, plants and users at a month's end, in weeks "
        "of the region's use "
        + ("in the reference" if reading.reference else "")
        + f", medians. Dotted: without the measures. {mark_words(reading, window)}"
    )
    figure_, axes = canvas(title, note, size=(7.4, 2.9))
    ax = axes[0, 0]
    ends = []
    styles = ["-", (0, (6, 1.5)), (0, (3, 1)), (0, (5, 1, 1, 1)), (0, (1, 1))]
    for i, region in enumerate(regions):
        ax.plot(shown.index, shown["with", region], color=COLOURS[i], linestyle=styles[i])
        if ("without", region) in shown:
            ax.plot(shown.index, shown["without", region], color=GREY, lw=0.9, ls=":")
        ends.append((float(shown["with", region].iloc[-1]), capital(human(region)), COLOURS[i]))
    ax.set_ylim(0, 1.12 * float(shown[[("with", r) for r in regions]].max().max()))
    ax.set_ylabel("weeks of use")
    date_axis(ax, (shown.index[0], window[1]))
    mark_interventions(ax, reading)
    label_ends(ax, ends, gap=0.075)
    data = shown[[c for c in shown.columns if c[1] in regions]].copy()
    data.columns = [f"{case}_{region}_weeks" for case, region in data.columns]
    alt = f"{title}. Line chart of weeks of cover by region, with and without the measures."
    return Drawing(figure_, title, alt, data.rename_axis("month").reset_index())
