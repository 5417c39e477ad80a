"""Sentences about metrics and about the course of a shortage, right in every case.

The awkward cases are the ordinary ones: nothing moves, the difference is not clear of zero, a date
never comes, one world in twenty, a fall where a rise was expected.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from lodestone.report.asked import Row, finite, quantiles
from lodestone.report.wording import (
    EN_DASH,
    MINUS,
    capital,
    joined,
    percent,
    resolution,
    stepped,
)

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = [
    "cells",
    "clear_of_zero",
    "against",
    "difference",
    "level",
    "more_or_less",
    "sentence",
    "share_of_worlds",
    "shown",
    "subject_of",
]

#: Share of what the measures bring below which a reference is told as nought.
NOTHING_OF = 1e-3
SCALES = ((1e6, "trillion"), (1e3, "billion"), (1.0, "million"))
TIMES = {"days", "weeks", "months", "years"}


def share_of_worlds(count: int, worlds: int) -> str:
    """Return how many worlds, in words that fit: none, one, all, `12 of 16 worlds (75 %)`."""
    if count == 0:
        return f"in none of the {worlds} worlds"
    if count == worlds:
        return f"in all {worlds} worlds"
    part = 100 * count / worlds
    told = f"{part:.0f} %" if part >= 1 else "under 1 %"
    return f"in {count} of {worlds} worlds ({told})"


def scale_of(unit: str, *values: float) -> tuple[float, str]:
    """Return factor and unit in which numbers of a unit are told: billions are billions."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if unit.startswith("USD million"):
        rest = unit.removeprefix("USD million")
        size, name = next(((s, n) for s, n in SCALES if largest >= s), SCALES[-1])
        return 1.0 / size, f"USD {name}{rest}"
    if unit == "share":
        return 100.0, "%"
    plain = {
        "t_magnet": "t of magnet",
        "t": "t",
        "t REO": "t of REO",
        "multiple": "times",
        "USD/kg": "USD per kg",
        "USD per USD": "USD per USD of magnet",
        "year": "",
    }
    return 1.0, plain.get(unit, unit.replace("_", " "))


def shown(
    low: float,
    middle: float,
    high: float,
    unit: str,
    *,
    signed: bool = False,
    scale: float | None = None,
    grain: float = 0.0,
) -> str:
    """Return a median with its band and unit, digits by the band.

    Parameters
    ----------
    low, middle, high
        5, 50 and 95 % quantiles; may be infinite (a date that never comes).
    unit
        As the metric declares it.
    signed
        For differences: a plus where it rises, points instead of per cent.
    scale
        A number whose size decides between million and billion: one scale a row.
    grain
        Smallest step that is told, in the metric's unit.
    """
    factor, name = scale_of(unit, *((low, middle, high) if scale is None else (scale,)))
    if signed and unit == "share":
        name = "points"
    if unit == "year" and not signed:
        return _years(low, middle, high)
    values = [v * factor for v in (middle, low, high)]
    if math.isnan(values[0]):
        return "not known"
    if math.isinf(values[0]):
        return "never within the run" if not signed else "not comparable"
    if unit == "year":
        name = "year" if abs(values[0]) == 1 else "years"
    step = max(resolution(*values) if low != high else resolution(values[0]), grain * factor)
    told = [stepped(v, step) if math.isfinite(v) else "never" for v in values]
    if low == high and "." in told[0]:
        told = [told[0].rstrip("0").rstrip(".")] * 3
    head, *ends = told
    if signed and values[0] > 0 and head != "0":
        head = f"+{head}"
    joint = " to " if signed or low < 0 or not math.isfinite(high) else EN_DASH
    tail = "" if set(told) == {told[0]} else f" ({joint.join(ends)})"
    if unit in TIMES and head.lstrip("+\u2212") == "1" and not tail:
        name = name.removesuffix("s")
    if unit.startswith("USD million"):
        return _money(head, name) + tail
    return f"{head} {name}".strip() + tail


def _money(head: str, name: str) -> str:
    """`1.2` with `USD billion a day` as `USD 1.2 billion a day`; a minus stands in front."""
    _, size, *rest = name.split(" ", 2)
    if head == "0":
        return "USD 0"
    sign = head[0] if head[:1] in f"+{MINUS}" else ""
    return " ".join([f"{sign}USD {head.removeprefix(sign)}", size, *rest])


def _years(low: float, middle: float, high: float) -> str:
    def one(value: float) -> str:
        return f"{value:.0f}" if math.isfinite(value) else "never within the run"

    if math.isnan(middle):
        return "not known"
    text = one(middle)
    if low == high:
        return text
    return f"{text} ({one(low)} to {one(high)})"


def _scale(row: Row) -> float:
    """The number whose size sets the scale of all cells of a row: trillions where a median is one."""
    bands = [quantiles(row.own), *([] if row.calm is None else [quantiles(row.calm)])]
    largest = max((abs(v) for band in bands for v in band if math.isfinite(v)), default=0.0)
    trillion = SCALES[0][0]
    return (
        largest if any(abs(band[1]) >= trillion for band in bands) else min(largest, trillion - 1)
    )


def level(row: Row) -> str:
    """Return the metric with the measures."""
    return shown(*quantiles(row.own), row.unit, scale=_scale(row))


def reference_level(row: Row) -> str:
    """Return the median without the measures; blank without one.

    In the digits of the row, or of its own band where that is narrower; nought where it is next to
    nothing of what the measures bring.
    """
    if row.calm is None:
        return ""
    middle = quantiles(row.calm)[1]
    if abs(middle) < NOTHING_OF * abs(quantiles(row.own)[1]):
        middle = 0.0
    factor, _ = scale_of(row.unit, _scale(row))
    grains = [
        resolution(mid * factor, low * factor, high * factor) / factor
        for low, mid, high in (quantiles(row.own), quantiles(row.calm))
        if all(map(math.isfinite, (low, mid, high))) and low != high
    ]
    grain = min(grains, default=0.0)
    return shown(middle, middle, middle, row.unit, scale=_scale(row), grain=grain)


def difference(row: Row) -> str:
    """Return the paired difference with its band; blank without a reference."""
    if row.calm is None or not row.delta.size:
        return ""
    if row.still:
        return "0"
    return shown(*quantiles(row.delta), row.unit, signed=True, scale=_scale(row), grain=row.grain)


def cells(row: Row) -> tuple[str, str, str, str]:
    """Return the cells of a table: unit, with, without, difference; numbers without their unit."""
    _, name = scale_of(row.unit, _scale(row))
    unit = "year" if row.unit == "year" else name
    held = [level(row), reference_level(row), difference(row)]
    held = [
        h.replace("never within the run", "never").replace("not comparable", EN_DASH) for h in held
    ]
    words = [w for w in (name, "points", "years", "year") if w]
    with_, without, change = (_bare(text, words, name) for text in held)
    return unit, with_, without, change


def _bare(text: str, words: list[str], name: str) -> str:
    """Take the unit out of a number's text."""
    if name.startswith("USD ") and "USD" in text:
        size = name.removeprefix("USD ")
        return text.replace("USD ", "", 1).replace(f" {size}", "", 1)
    for word in words:
        text = re.sub(rf"(?<=[\d)]) {re.escape(word)}(?= \(|$)", "", text)
    return text


def clear_of_zero(row: Row) -> str:
    """Say how the difference stands to zero."""
    if row.still:
        return "no effect"
    return "clear" if row.clear else "not clear of zero"


def sentence(reading: Reading, row: Row) -> str:
    """Return one sentence that tells a metric, its reference and the difference."""
    if row.name == "coverage_year":
        return _coverage(reading, row)
    if row.name in {"first_stoppage", "first_military_stockout", "years_to_coverage"}:
        return _waiting(row)
    if row.name == "first_short_year":
        return _first_year(row)
    low, middle, high = quantiles(row.own)
    subject, verb, of = subject_of(row)
    if math.isinf(middle):
        never = int(np.isinf(row.own).sum())
        return (
            f"{row.title}: not over by the end of the run, {share_of_worlds(never, row.own.size)}."
        )
    if low == middle == high == 0 and row.still:
        return f"{subject} {verb} zero in every world, with and without the measures."
    text = f"{subject} {verb} {level(row)}{of}"
    if row.calm is None:
        return f"{text}."
    if row.still:
        return f"{text}, in every world as in the reference."
    return f"{text}{_against(row)}."


PLURAL = {
    "premium_usd_million",
    "magnet_exports_t",
    "leak_t",
    "traded_t",
    "export_revenue_usd_million",
    "trade_value_usd_million",
}
WITH_THE = {
    "Change", "Cost", "First", "Highest", "Largest", "Last", "Length", "Longest", "Lowest", "Mean",
    "Net", "Part", "Peak", "Share", "Shortfall", "Time", "Use", "Worth", "Tariff",
}  # fmt: skip


def subject_of(row: Row) -> tuple[str, str, str]:
    """Return a title as a sentence begins with it, its verb, and what its number is a part of."""
    title, of = row.title, ""
    if row.unit == "multiple" and title.endswith(", over the price before"):
        title, of = title.removesuffix(", over the price before"), " the price before"
    elif row.unit == "share" and ", share of " in title:
        title, _, whole = title.rpartition(", share of ")
        of = f" of {whole}"
    if ", " in title and not title.rpartition(", ")[2].startswith("in "):
        title = f"{title.rstrip(',')},"
    if title.split(" ", 1)[0] in WITH_THE:
        title = f"The {title[0].lower()}{title[1:]}"
    return title, "are" if row.name in PLURAL else "is", of


def _against(row: Row) -> str:
    """Return the rest of a sentence: how far from the reference, and whether that is clear."""
    assert row.calm is not None
    if not np.any(row.calm) or cells(row)[2] == "0":
        return "; in the reference zero"
    low, middle, high = quantiles(row.delta)
    if not all(map(math.isfinite, (low, middle, high))):
        calm = reference_level(row)
        return f", against {'no rise' if calm == '1 times' else calm} in the reference"
    if row.clear and row.unit == "multiple":
        calm = reference_level(row)
        return f", against {'no rise' if calm == '1 times' else calm} in the reference"
    if row.clear:
        return f", {against(row)} {more_or_less(row, middle > 0)} than in the reference"
    changed = int((np.abs(row.delta) > 0).sum())
    if middle == 0 and changed * 10 < row.delta.size:
        return f", the same as in the reference except {share_of_worlds(changed, row.delta.size)}"
    change = re.sub(r"\bpoints\b", "percentage points", difference(row))
    return f"; the difference from the reference, {change}, does not stand clear of zero"


def against(row: Row) -> str:
    """Return the size of a difference that is clear of zero, without its sign."""
    low, middle, high = quantiles(row.delta)
    small, large = sorted(abs(x) for x in (low, high))
    text = shown(
        small, abs(middle), large, row.unit, signed=True, scale=_scale(row), grain=row.grain
    )
    return text.removeprefix("+").replace(" points", " percentage points")


def more_or_less(row: Row, rises: bool) -> str:
    """Return the word for a difference that fits the unit: more, higher, later, longer."""
    if row.unit == "year":
        return "later" if rises else "earlier"
    if row.unit in TIMES and not row.name.startswith("cover_"):
        return "longer" if rises else "shorter"
    if row.unit in ("share", "multiple", *TIMES) or row.unit.startswith("USD/"):
        return "higher" if rises else "lower"
    return "more" if rises else "less"


def _coverage(reading: Reading, row: Row) -> str:
    """Say the probability of a coverage by the years that people ask for."""
    last = reading.curve().index[-1].year
    first = reading.since.year
    years = [y for y in (2027, 2030, 2035, last) if first <= y <= last]
    years = list(dict.fromkeys(years))[:3] or [last]
    told = []
    for year in years:
        own = percent(float((row.own <= year).mean()))
        calm = "" if row.calm is None else percent(float((row.calm <= year).mean()))
        told.append(
            f"{own} by {year}" + (f" ({calm} without the measures)" if calm and calm != own else "")
        )
    what = row.title.removeprefix("First year in which ")
    if "magnets with all" not in what:
        what = what.replace(" cover ", " covers ", 1).replace("magnets", "magnet output", 1)
    if all(t.startswith("100 % by") and "without" not in t for t in told):
        told = told[:1]
    if all(t.startswith("0 % by") and "without" not in t for t in told):
        told = told[-1:]
    same = row.calm is not None and row.still
    tail = "; the measures change that in no world" if same else ""
    return f"The probability that {what} is {joined(told)}{tail}."


def _first_year(row: Row) -> str:
    finite_own = finite(row.own)
    what = row.title.removeprefix("First year in which ")
    if not finite_own.size:
        return f"In no world does {what.replace('goes', 'go', 1)} within the run."
    text = f"{capital(what)} first in {_years(*quantiles(finite_own))}"
    if finite_own.size < row.own.size:
        text += f", {share_of_worlds(finite_own.size, row.own.size)}"
    if row.calm is not None and not row.still:
        calm = finite(row.calm)
        text += (
            f"; in the reference in {_years(*quantiles(calm))}"
            if calm.size
            else "; in the reference in no world"
        )
    return f"{text}."


def _waiting(row: Row) -> str:
    """Say after how long something happens, and in how many worlds it does."""
    worlds = row.own.size
    head, _, start = row.title.removeprefix("Time until ").partition(", from ")
    head = capital(head)
    since = f" after {start}" if start else " from the start of the run"
    own = np.where(np.isnan(row.own), np.inf, row.own)
    calm = None if row.calm is None else np.where(np.isnan(row.calm), np.inf, row.calm)
    comes = np.isfinite(own)
    if not comes.any():
        tail = _in_reference(calm, worlds, row.unit)
        return f"{head} in no world within the run{tail}."
    if calm is not None and np.array_equal(own, calm):
        text = f"{head} {shown(*quantiles(own[comes]), row.unit)}{since}, {share_of_worlds(int(comes.sum()), worlds)}"
        return f"{text}; the measures change that in no world."
    text = f"{head} {shown(*quantiles(own[comes]), row.unit)}{since}, {share_of_worlds(int(comes.sum()), worlds)}"
    if calm is None:
        return f"{text}."
    both = comes & np.isfinite(calm)
    if not np.isfinite(calm).any():
        return f"{text}; in the reference in none."
    shift = own[both] - calm[both]
    if shift.size and (quantiles(shift)[0] > 0 or quantiles(shift)[2] < 0):
        size = sorted(abs(x) for x in (quantiles(shift)[0], quantiles(shift)[2]))
        word = "later" if quantiles(shift)[1] > 0 else "earlier"
        gap = shown(size[0], abs(quantiles(shift)[1]), size[1], row.unit)
        if both.all():
            return f"{text}, {gap} {word} than in the reference."
        some = share_of_worlds(int(both.sum()), worlds)
        return f"{text}; {gap} {word} than in the reference where it comes to that as well, {some}."
    return f"{text}{_in_reference(calm, worlds, row.unit)}."


def _in_reference(calm: np.ndarray | None, worlds: int, unit: str) -> str:
    if calm is None:
        return ""
    comes = calm[np.isfinite(calm)]
    if not comes.size:
        return f"; in the reference {share_of_worlds(0, worlds)}"
    after = shown(*quantiles(comes), unit)
    return f"; in the reference {after}, {share_of_worlds(comes.size, worlds)}"
