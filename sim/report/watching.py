"""What to watch next: dated decisions ahead, and the first months after what happens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lodestone.report.case_words import quoted
from lodestone.report.wording import day, human, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.report.asked import Row
    from lodestone.report.marks import Mark
    from lodestone.report.reading import Reading

__all__ = ["watch"]


def watch(reading: Reading, rows: list[Row]) -> list[str]:
    """Return what to watch next: dated decisions ahead, and the first months of the own measures."""
    told = _dated(reading)
    told += _exports(reading)
    told += _prices(reading)
    if any(mark.kind == "capacity_project" for mark in reading.marks):
        told.append("First output of the plants named above against their dates.")
    if reading.reference is None:
        return told[:3]
    return told[:3] or ["No dated decision and no early signal distinguishes the two cases."]


def _dated(reading: Reading) -> list[str]:
    """Return the next start and the next end that are still ahead, by date."""
    today, last = _decision(reading), reading.curve().index[-1]
    found: list[tuple[pd.Timestamp, str]] = []
    for mark in sorted(reading.marks, key=lambda m: m.start):
        ahead = mark.announced is not None and mark.announced < mark.start
        if not ahead or (today is not None and mark.start <= today) or _in_reference(reading, mark):
            continue
        name, when = quoted(human(mark.name)), f"{mark.start:%B %Y}"
        some = f"in {percent(mark.share)} of worlds" if mark.share < 1.0 else ""
        if mark.drawn:
            inside = f"{some}; median start {when}" if some else f"median of worlds {when}"
            found.append((mark.start, f"Whether and when {name} starts ({inside})."))
        else:
            inside = f"{when}, {some}" if some else when
            found.append(
                (mark.start, f"Whether the start of {name} comes as announced ({inside}).")
            )
        break
    ends = [m for m in reading.marks if m.end is not None and m.change != "removed"]
    ends = [m for m in ends if m.end is not None and m.end <= last]
    ends = [m for m in ends if m.end is not None and (today is None or m.end >= today)]
    if ends:
        mark = min(ends, key=lambda m: m.end or last)
        assert mark.end is not None
        when = (
            f"in {mark.end:%B %Y} (median of worlds)" if mark.end_drawn else f"on {day(mark.end)}"
        )
        found.append((mark.end, f"What follows the end of {quoted(human(mark.name))} {when}."))
    return [text for _, text in sorted(found, key=lambda pair: pair[0])]


#: Keys in which two forms of a measure may differ and still be the same measure.
_OTHERWISE = {"source", "note", "role", "announced", "start", "end", "duration"}


def _in_reference(reading: Reading, mark: Mark) -> bool:
    """Whether the reference has a measure, under this or another name, in force by its start."""
    if mark.change == "removed":
        return True
    own = (reading.scenario.get("interventions") or {}).get(mark.name) or {}
    for other in (reading.reference_scenario.get("interventions") or {}).values():
        if not isinstance(other, dict):
            continue
        same = all(own.get(k) == other.get(k) for k in {*own, *other} - _OTHERWISE)
        start = str(other.get("start") or "")
        if same and start[:4].isdigit() and start <= str(mark.start.date()):
            return True
    return False


def _decision(reading: Reading) -> pd.Timestamp | None:
    """Until when the scenario tells what happened; None where it does not say."""
    import pandas as pd

    told = reading.scenario.get("decision_date")
    return pd.Timestamp(str(told)) if told else None


def _after(reading: Reading, months: int = 3) -> pd.Timestamp | None:
    import pandas as pd

    start, today = reading.shock, _decision(reading)
    if start is None:
        return None
    start = start if today is None else max(start, today)
    when = (start + pd.DateOffset(months=months)).normalize().replace(day=1)
    return when if when < reading.curve().index[-1] else None


def _exports(reading: Reading) -> list[str]:
    when = _after(reading)
    if when is None or not reading.results.has("trade_flows"):
        return []
    trade = reading.magnet_trade
    rows = trade[
        (trade["month"] == when) & (trade["origin"] == "china") & (trade["channel"] == "declared")
    ]
    sums = rows.groupby("case")["tonnes_mean"].sum()
    if "scenario" not in sums or "reference" not in sums or sums["reference"] <= 0:
        return []
    if abs(sums["scenario"] / sums["reference"] - 1) < 0.03:
        return []
    return [
        f"China's declared magnet exports in {when:%B %Y}: {number(float(sums['scenario']))} t with the "
        f"measures, {number(float(sums['reference']))} t without (means of worlds)."
    ]


#: A ratio of prices beyond what episodes of history have shown.
FAR = 5.0


def _caveat(ratio: float) -> str:
    """Say how to read a price far from that of the reference; blank for others."""
    if 1 / FAR < ratio < FAR:
        return ""
    return (
        " No episode of history moved a price so far, and here it may rise to what the last user pays: "
        "watch the direction and not the height."
    )


def _prices(reading: Reading) -> list[str]:
    when = _after(reading)
    if when is None:
        return []
    best: tuple[float, str] | None = None
    for material in ("dy_oxide", "ndpr_oxide", "ndfeb_high_coercivity"):
        prices = reading.prices(material, "ask")
        if prices is None or reading.reference is None:
            continue
        row = prices.loc[when:].iloc[0]
        calm = float(row["reference_usd_per_kg_p50"])
        if not calm > 0:
            continue
        ratio = float(row["usd_per_kg_p50"]) / calm
        if abs(math.log(max(ratio, 1e-9))) > 0.05 and (best is None or abs(ratio - 1) > best[0]):
            best = (
                abs(ratio - 1),
                f"The spot price of {human(material)} outside China in {when:%B %Y}: "
                f"{number(float(row['usd_per_kg_p50']))} USD per kg with the measures, "
                f"{number(calm)} without (medians).{_caveat(ratio)}",
            )
    return [] if best is None else [best[1]]
