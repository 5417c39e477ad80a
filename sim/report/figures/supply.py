"""Merit order: available capacity by unit cost and bloc, in the reference and in the scenario."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from lodestone.report.figures import Drawing, figure
from lodestone.report.reading import Reading
from lodestone.report.style import BLOC_COLOURS, HATCHES, canvas
from lodestone.report.wording import capital, human, number, percent

PREFERRED_STAGES = ("separation", "magnet", "metal", "mine")


def pick(table: pd.DataFrame, since: int = 0) -> tuple[str, str, int, str] | None:
    """Return (stage, element, year, basis) where the scenario changes most, from a year on."""
    table = table[table["year"] >= since]
    if table.empty:
        return None
    basis = "cash" if (table["basis"] == "cash").any() else str(table["basis"].iloc[0])
    rows = table[table["basis"] == basis]
    total = rows.pivot_table(
        index=["stage", "element", "year"], columns="case", values="available_t", aggfunc="sum"
    ).fillna(0.0)
    if {"reference", "scenario"} <= set(total.columns):
        base = total["reference"].where(total["reference"] > 0)
        lost = (1 - total["scenario"] / base).abs().fillna(0.0).round(6)
        if lost.max() > 0.005:
            stage, element, year = lost.idxmax()
            return stage, element, int(year), basis
    first = rows[rows["year"] == rows["year"].min()]
    stages = [s for s in PREFERRED_STAGES if (first["stage"] == s).any()]
    stage = stages[0] if stages else first["stage"].iloc[0]
    elements = list(dict.fromkeys(first[first["stage"] == stage]["element"]))
    element = next((e for e in ("dy", "ndpr") if e in elements), elements[0])
    return stage, element, int(first["year"].iloc[0]), basis


@figure(title="Capacity by cost", needs=["supply_curve"], order=60, about=["supply"], page="two")
def supply_curve(reading: Reading) -> Drawing | None:
    """Step areas of available capacity by unit cost, one panel a case, coloured by bloc."""
    table = reading.results.table("supply_curve")
    found = pick(table, reading.since.year)
    if found is None:
        return None
    stage, element, year, basis = found
    rows = table[
        (table["stage"] == stage)
        & (table["element"] == element)
        & (table["year"] == year)
        & (table["basis"] == basis)
        & (table["available_t"] > 0)
    ]
    cases = [c for c in ("reference", "scenario") if (rows["case"] == c).any()]
    if not cases:
        return None
    rows = rows.sort_values(["case", "unit_cost_usd_per_kg", "facility"], kind="stable")
    what = (
        f"{human(element)} at the {stage} stage" if element not in {"", "all"} else f"{stage} stage"
    )
    title = _title(rows, cases, what, year)
    note = (
        f"{capital(what)}, {year}: available capacity in tonnes a year against unit "
        f"{'cash cost' if basis == 'cash' else 'cost with return on investment'}, USD of 2024 per kg, "
        "cheapest first. One step a facility, coloured and hatched by bloc."
    )
    figure_, axes = canvas(
        title, note, len(cases), 1, (7.4, 1.9 * len(cases) + 0.5), sharex=True, sharey=True
    )
    by_size = rows.groupby("bloc")["available_t"].sum().sort_values(ascending=False)
    looks = {
        bloc: (BLOC_COLOURS[min(i, 7)], HATCHES[min(i, 7)]) for i, bloc in enumerate(by_size.index)
    }
    widest = rows.groupby("case")["available_t"].sum().max()
    top = 1.45 * rows["unit_cost_usd_per_kg"].max()
    for ax, case in zip(axes[:, 0], cases, strict=True):
        _panel(ax, rows[rows["case"] == case], looks, float(widest), float(top))
        _key(ax, rows[rows["case"] == case], looks)
        ax.set_title(capital(case), size=8.5)
        ax.set_ylabel("USD per kg")
    axes[-1, 0].set_xlabel(f"cumulative available capacity, t of {_basis(stage, element)} a year")
    axes[0, 0].set_xlim(0, widest * 1.01)
    axes[0, 0].set_ylim(0, top)
    axes[-1, 0].xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}")
    alt = f"{title}. Step chart of capacity by unit cost for {' and '.join(cases)}, by bloc."
    return Drawing(figure_, title, alt, rows.reset_index(drop=True))


def _basis(stage: str, element: str) -> str:
    if element in {"", "all"}:
        return {"magnet": "magnets", "mine": "oxide contained"}.get(stage, "product")
    forms = {"mine": "oxide contained", "separation": "oxide", "metal": "metal"}
    return f"{human(element)} {forms.get(stage, 'product')}"


def _title(rows: pd.DataFrame, cases: list[str], what: str, year: int) -> str:
    total = rows.groupby("case")["available_t"].sum()
    blocs = rows[rows["case"] == cases[-1]].groupby("bloc")["available_t"].sum()
    largest = str(blocs.idxmax())
    share = percent(float(blocs.max() / blocs.sum()))
    if len(cases) == 2 and total["reference"] > 0:
        change = float(total["scenario"] / total["reference"] - 1)
        if abs(change) >= 0.02:
            verb, rest = ("lower", "what is left") if change < 0 else ("higher", "it all")
            return (
                f"Available capacity is {percent(abs(change))} {verb} than in the reference "
                f"({what}, {year}); {human(largest)} holds {share} of {rest}"
            )
        return (
            f"The scenario changes available capacity by less than 2 % ({what}, {year}); "
            f"{human(largest)} holds {share}"
        )
    return f"{capital(human(largest))} holds {share} of available capacity ({what}, {year})"


def _panel(
    ax: Axes, rows: pd.DataFrame, looks: dict[str, tuple[str, str]], widest: float, top: float
) -> None:
    """Draw the steps of one case and name the facilities that are wide enough."""
    left = 0.0
    blocks = rows.copy()
    blocks["run"] = (blocks["bloc"] != blocks["bloc"].shift()).cumsum()
    for row in rows.itertuples(index=False):
        colour, hatch = looks[row.bloc]
        ax.fill_between(
            [left, left + row.available_t],
            0,
            row.unit_cost_usd_per_kg,
            facecolor=colour,
            edgecolor="white",
            hatch=hatch,
            linewidth=0.6,
            alpha=0.85,
        )
        left += row.available_t
    left = 0.0
    for _, run in blocks.groupby("run"):
        width = float(run["available_t"].sum())
        centre, height = left + width / 2, float(run["unit_cost_usd_per_kg"].max())
        left += width
        text = capital(human(str(run["bloc"].iloc[0])))
        half = 0.0075 * widest * len(text)
        if width < 2 * half:
            continue
        ax.text(
            min(max(centre, half), widest - half),
            height + 0.03 * top,
            text,
            ha="center",
            va="bottom",
            size=8.5,
            weight="bold",
        )


def _key(ax: Axes, rows: pd.DataFrame, looks: dict[str, tuple[str, str]]) -> None:
    """Name every bloc of a panel with its tonnes: narrow steps have no room for a label."""
    totals = rows.groupby("bloc")["available_t"].sum()
    shown = [bloc for bloc in looks if bloc in totals]
    ax.legend(
        handles=[
            Patch(
                facecolor=looks[bloc][0],
                hatch=looks[bloc][1],
                edgecolor="white",
                linewidth=0.4,
                alpha=0.85,
                label=f"{capital(human(bloc))} {number(float(totals[bloc]))} t",
            )
            for bloc in shown
        ],
        loc="upper left",
        ncols=4,
        frameon=True,
        facecolor="white",
        edgecolor="none",
        framealpha=1.0,
        fontsize=8,
        handlelength=1.4,
        columnspacing=1.3,
        borderaxespad=0.1,
    )
