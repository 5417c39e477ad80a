"""The course of a difference in shortage in words, and what tells a scenario from its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.report.asked import place, quantiles, row_of
from lodestone.report.phrases import level, shown
from lodestone.report.shortages import NOTICEABLE
from lodestone.report.wording import day, duration, human, month, percent

if TYPE_CHECKING:
    from lodestone.report.asked import Row
    from lodestone.report.reading import Mark, Reading
    from lodestone.report.shortages import Shortage

__all__ = ["at_peak", "course", "ending", "measures", "more_there"]


def measures(reading: Reading) -> str:
    """Say what tells the scenario from its reference, with announcement and start."""
    marks = reading.marks
    if reading.reference is None:
        return "The scenario was run alone: numbers are levels, not differences."
    head = f"Compared world by world with `{reading.reference}`"
    if not marks and reading.from_the_start:
        return f"{head}, from which it differs by its parameters alone, from the first day on."
    if not marks:
        return f"{head}, from which it differs by no measure."
    told = [_measure(mark) for mark in marks[:4]]
    more = len(marks) - len(told)
    text = f"{head}, which does not have: {'; '.join(told)}"
    if more:
        text += f"; and {more} more (see the calendar)"
    extra = " Other parameters differ as well." if reading.from_the_start else ""
    return f"{text}.{extra}"


def _measure(mark: Mark) -> str:
    name = f"\u201c{human(mark.name)}\u201d"
    if mark.change == "removed":
        return f"{name} (only in the reference, from {day(mark.start)})"
    if mark.change == "changed":
        return f"{name} in this form (from {day(mark.start)} on)"
    start = f"in force from {day(mark.start)}"
    if mark.drawn:
        start = f"start drawn by world, median {day(mark.start)}"
    elif mark.true_start is not None:
        start = f"in force {'since' if mark.end is None else 'from'} {day(mark.true_start)}"
    some = f"in {percent(mark.share)} of worlds, " if mark.share < 1.0 else ""
    told = "" if mark.announced in (None, mark.start) else f"announced {day(mark.announced)}, "
    if mark.true_start is not None:
        told = ""
    end = ""
    if mark.end is not None:
        end = f", median of the ends {day(mark.end)}" if mark.end_drawn else f" to {day(mark.end)}"
    return f"{name} ({some}{told}{start}{end}{_pause(mark)})"


def _pause(mark: Mark) -> str:
    """Say that a truce suspends a measure, and until when; blank where none does."""
    if mark.suspended is None:
        return ""
    since, until = mark.suspended
    when = "from its first day on" if since <= mark.start else f"from {day(since)} on"
    return f", suspended {when}" if until is None else f", suspended {when} to {day(until)}"


def course(reading: Reading, region: str = "all") -> str:
    """Return the course of the difference in shortage: from when, how much, until when.

    Parameters
    ----------
    reading
        The run.
    region
        Whose users; of all the tonnes are told, too.
    """
    found = reading.shortage(region=region)
    alone = reading.reference is None
    little = percent(NOTICEABLE)
    than = "" if alone else " than in the reference"
    at = "" if region == "all" else f" in {place(region)}"
    if found.likelihood == "none":
        if alone:
            return (
                f"There is no shortage{at}: less than {little} of planned use stays unmet at every date "
                "in 95 % of worlds."
            )
        return (
            f"The measures neither cause nor cure a shortage{at}: the share of planned use that goes unmet "
            f"differs from the reference by less than {little} at every date in 95 % of worlds."
        )
    more = "more" if found.sign > 0 else "less"
    if found.likelihood == "possible":
        far = found.p95 if found.sign > 0 else -found.p05
        return (
            f"In most worlds the shortage{at} changes by less than {little} of planned use; in one world "
            f"in twenty {percent(far)} {more} goes unmet{than} around {day(found.peak)}."
        )
    assert found.onset is not None and found.end is not None
    after = ""
    if reading.shock is not None and not alone and found.onset >= reading.shock:
        wait = (found.onset - reading.shock).days
        after = " (at once)" if wait < 7 else f" ({duration(wait)} after {reading.clock})"
    sure = "in at least 95 % of worlds" if found.sure_at_onset else "in the median world"
    until = (
        f"lasts to the end of the run ({day(found.end)})"
        if found.open_end
        else f"{'is over' if found.back is None else f'is below {little}'} after {day(found.end)}"
        f"{' in the median world' if found.sure_at_onset else ''}"
    )
    subject = f"use goes unmet{at}" if alone else f"{more} use goes unmet{at}{than}"
    what = "it" if alone else "the difference"
    later = [_again(found), _turned(found)]
    if found.back is not None and found.turn is not None and found.turn.since < found.back.since:
        later.reverse()
    told = [
        f"{subject[0].upper()}{subject[1:]} from {day(found.onset)}{after} {sure}; {what} is largest "
        f"around {day(found.peak)}, {at_peak(found)} of planned use, and {until}.",
        _worst_weeks(reading, found) if region == "all" and found.sign > 0 else "",
        *later,
        tonnes(reading, found) if region == "all" else "",
    ]
    return " ".join(t for t in told if t)


def at_peak(found: Shortage) -> str:
    """Return the median difference at its peak; the band is that of the same day, and says so."""
    text = percent(abs(found.p50), *_band(found))
    return f"{text[:-1]} on that day)" if text.endswith(")") else text


def _worst_weeks(reading: Reading, found: Shortage) -> str:
    """Say how much goes unmet in each world's own worst week, as the table does.

    Blank where it is no more than on the day of the median's peak.
    """
    row = row_of(reading, "unmet_share_peak")
    if row is None or (row.calm is not None and not row.clear):
        return ""
    low, middle, high = quantiles(row.own)
    if percent(middle, low, high) == percent(abs(found.p50), *_band(found)):
        return ""
    return f"In its own worst week, whenever that comes, a world lacks {level(row)} of planned use."


def _band(found: Shortage) -> tuple[float, float]:
    """Size of the difference at its peak in nine worlds of ten, whichever its sign."""
    ends = abs(found.p05), abs(found.p95)
    return (0.0 if found.p05 * found.p95 < 0 else min(ends)), max(ends)


def _turned(found: Shortage) -> str:
    """Say that at other dates the difference is the other way round; else blank."""
    turn = found.turn
    if turn is None:
        return ""
    other = "less" if found.sign > 0 else "more"
    return (
        f"From {month(turn.since)} on it is the other way round: {other} use goes unmet, at most "
        f"{percent(turn.size)} of planned use in {month(turn.peak)} in the median world."
        if turn.since > found.peak
        else f"Before, from {month(turn.since)} on, {other} use goes unmet, at most {percent(turn.size)} of "
        f"planned use in {month(turn.peak)} in the median world."
    )


def more_there(reading: Reading, region: str) -> str:
    """Return in half a sentence how much more or less goes unmet in a region, and when most."""
    found = reading.shortage(region=region)
    if found.likelihood in ("none", "possible"):
        return "in the median world the measures change the shortage there by too little to tell."
    more = "more" if found.sign > 0 else "less"
    assert found.onset is not None
    return (
        f"from {day(found.onset)} on {more} use goes unmet there than in the reference, at most "
        f"{at_peak(found)} of planned use around {day(found.peak)}."
    )


def _again(found: Shortage) -> str:
    """Say that a difference comes back after it was over, and how far to read that; else blank."""
    back = found.back
    if back is None:
        return ""
    some = "" if back.in_median else " in some worlds"
    times = " at times" if back.broken else ""
    text = (
        f"{'More' if found.sign > 0 else 'Less'} use goes unmet again{some}{times} from "
        f"{month(back.since)} on: {percent(max(back.p50, 0.0))} of planned use in the median world and "
        f"{percent(back.far)} in one world in twenty in {month(back.peak)}"
    )
    if month(back.peak) != month(back.since):
        text += ", when it is most"
    if back.late:
        text += "; so small and so late, that rests on assumed growth of plants and use and is no forecast"
    return f"{text}."


def ending(found: Shortage) -> str:
    """Return how a shortage ends, as the end of a title; it says so where it comes back."""
    if found.open_end or found.end is None:
        return "and lasts to the end of the run"
    if found.back is None:
        return f"and ends by {month(found.end)}"
    some = "" if found.back.in_median else " in some worlds"
    late = " (small, no forecast)" if found.back.late else ""
    return (
        f"and ends by {month(found.end)}, but comes back{some} from {month(found.back.since)}{late}"
    )


def tonnes(reading: Reading, found: Shortage) -> str:
    """Say how many tonnes the difference is to the end of the run."""
    row = row_of(reading, "unmet_t")
    if row is None:
        return ""
    end = reading.curve().index[-1]
    if row.calm is None:
        return f"To the end of the run ({day(end)}) that is {level(row)} in all."
    low, middle, high = quantiles(row.delta)
    if middle * found.sign <= 0:
        return ""
    more = "more" if found.sign > 0 else "less"
    size = (low, high) if found.sign > 0 else (-high, -low)
    amount = shown(size[0], abs(middle), size[1], row.unit)
    when = "" if found.open_end else f" ({day(end)})"
    return (
        f"In all, users lack {amount} {more} to the end of the run{when}{_by(reading, found, row)}."
    )


def _by(reading: Reading, found: Shortage, row: Row) -> str:
    """Say which part of the mean tonnes falls before the difference comes back; blank where it does not.

    A share of means is told of the mean: few worlds with very much move it away from the median.
    """
    if found.back is None or found.end is None:
        return ""
    mean = reading.delta()["unmet_mean"]
    total = float(row.delta[np.isfinite(row.delta)].mean()) * found.sign
    whole = float(mean.sum())
    first = float(mean[: found.end].sum()) / whole if whole else 0.0
    if not 0.0 < first < 0.995 or total <= 0:
        return ""
    return f"; the mean of the worlds is {shown(total, total, total, row.unit)}, {percent(first)} of it by {month(found.end)}"
