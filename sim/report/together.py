"""The answer in sentences: numbers that differ by year or place alone are told in one sentence.

Where users stand in the reference as well, the day on which the first of them stops tells nothing of
the measures; then the course of the difference in that place is told instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.report.asked import Row, place, quantiles, within
from lodestone.report.course import course, more_there
from lodestone.report.phrases import (
    against,
    difference,
    level,
    more_or_less,
    sentence,
    share_of_worlds,
    shown,
    subject_of,
)
from lodestone.report.wording import human, joined

if TYPE_CHECKING:
    from lodestone.report.reading import Reading

__all__ = ["sentences"]

#: Metrics whose finding the course of the shortage tells already.
TOLD_BY_COURSE = ("unmet_t", "unmet_share_peak")
#: Metrics that are told alone: they have sentences of their own.
ALONE = (
    "coverage_year",
    "first_military_stockout",
    "first_short_year",
    "mine_decision_year",
    "time_to_recover_weeks",
    "years_to_coverage",
)
MOST_TOGETHER = 4


def sentences(reading: Reading, rows: list[Row], most: int) -> list[str]:
    """Return up to `most` sentences that tell rows in their order, those that belong together at once."""
    told: list[str] = []
    done: set[int] = set()
    for i, row in enumerate(rows):
        if len(told) == most:
            break
        if i in done:
            continue
        whole = not {"region", "sector"} & set(row.selectors)
        if whole and row.name in TOLD_BY_COURSE:
            text = course(reading)
        else:
            group = [
                i,
                *(j for j in range(i + 1, len(rows)) if j not in done and _label(row, rows[j])),
            ]
            group = group[:MOST_TOGETHER]
            text, count = _told(reading, [rows[j] for j in group])
            done |= set(group[:count])
        if why := reading.cut_off(row.name, row.selectors):
            text += f" That is {why}."
        if text not in told:
            told.append(text)
    return told


def _told(reading: Reading, rows: list[Row]) -> tuple[str, int]:
    """Return a sentence and how many of the rows it tells."""
    first = rows[0]
    if first.name == "first_stoppage":
        return _stops(reading, rows), len(rows)
    key = _key(first, rows[1]) if len(rows) > 1 else ""
    if key and (text := _series(rows, key)):
        return text, len(rows)
    return sentence(reading, first), 1


def _label(one: Row, other: Row) -> bool:
    """Whether two rows are the same number of another year or place."""
    return (
        one.name == other.name
        and one.name not in ALONE
        and _key(one, other) in ("region", "sector", "year")
    )


def _key(one: Row, other: Row) -> str:
    """The one selector in which two rows differ; blank where there are several."""
    keys = {k for k in {*one.selectors, *other.selectors}
            if one.selectors.get(k) != other.selectors.get(k)}  # fmt: skip
    return keys.pop() if len(keys) == 1 else ""


def _where(row: Row, key: str) -> str:
    """`in 2030`, `in Europe`, `for wind`: what tells a row from the others; blank for all places."""
    value: Any = row.selectors.get(key)
    if key == "year":
        return f"in {value}"
    if key == "sector":
        return f"for {human(str(value))}" if isinstance(value, str) and value != "all" else ""
    name = place("all" if value is None else value)
    return within(name) if name else ""


def _series(rows: list[Row], key: str) -> str:
    """One sentence for a number in several years or places; blank where the titles do not allow it."""
    labels = [_where(row, key) for row in rows]
    bare = {row.title.replace(f" {label}", "", 1) for row, label in zip(rows, labels, strict=True)}
    known = all(np.isfinite(quantiles(row.own)).all() for row in rows)
    if "" in labels or len(bare) != 1 or not known:
        return ""
    subject, verb, of = subject_of(replace(rows[0], title=bare.pop()))
    values = [f"{level(row)}{of} {label}" for row, label in zip(rows, labels, strict=True)]
    text = f"{subject} {verb} {joined(values)}"
    if rows[0].calm is None:
        return f"{text}."
    if all(row.still for row in rows):
        return f"{text}, in every world as in the reference."
    if not any(np.any(row.calm) for row in rows):
        return f"{text}; in the reference zero."
    if not any(row.clear for row in rows):
        return f"{text}; no difference from the reference stands clear of zero."
    signs = {bool(quantiles(row.delta)[1] > 0) for row in rows}
    if all(row.clear for row in rows) and len(signs) == 1:
        amounts = joined([against(row) for row in rows])
        return f"{text}: {amounts} {more_or_less(rows[0], signs.pop())} than in the reference."
    changes = [
        f"none {label}"
        if row.still
        else f"{difference(row)} {label}{'' if row.clear else ' (not clear of zero)'}"
        for row, label in zip(rows, labels, strict=True)
    ]
    return f"{text}; the differences from the reference are {joined(changes)}."


def _stops(reading: Reading, rows: list[Row]) -> str:
    """Say after how long the first users stop, by place where several are asked for."""
    clean = [row for row in rows if not _stands_anyway(row)]
    if any(row.calm is not None and _sooner(row.calm, row.own) for row in clean):
        return " ".join(sentence(reading, row) for row in rows)
    told = []
    if len(clean) == 1 or len(rows) == 1:
        told += [sentence(reading, row) for row in clean]
    elif clean:
        told.append(_several(clean))
    told += [_instead(reading, row) for row in rows if _stands_anyway(row)]
    return " ".join(told)


def _several(rows: list[Row]) -> str:
    """Say when the first users stop in several places in which the measures bring that about."""
    since = rows[0].title.partition(", from ")[2]
    key = _key(rows[0], rows[1])
    comes = [np.isfinite(row.own) for row in rows]
    told = []
    for i, (row, own) in enumerate(zip(rows, comes, strict=True)):
        where = _where(row, key)
        head = where or ("" if not i else "in all regions" if key == "region" else "for all users")
        if not i:
            head = (
                f"{where[:1].upper()}{where[1:]} the first users stop"
                if where
                else "The first users stop"
            )
        if not own.any():
            told.append(f"{head} {'' if i else 'within the run '}in no world")
            continue
        when = shown(*quantiles(row.own[own]), row.unit)
        when = f"{when} after {since}" if not i else when
        same = i and own.sum() == comes[0].sum()
        told.append(
            f"{head} {when}" + ("" if same else f", {share_of_worlds(int(own.sum()), own.size)}")
        )
    text = "; ".join([told[0], joined(told[1:])])
    if rows[0].calm is None:
        return f"{text}."
    never = not any(np.isfinite(row.calm).any() for row in rows if row.calm is not None)
    return f"{text}. In the reference {'none stop' if never else 'they stop later or not at all'}."


def _stands_anyway(row: Row) -> bool:
    """Whether users stop in the reference too, and not sooner or later in nearly all worlds."""
    if row.calm is None or not np.isfinite(row.calm).any():
        return False
    return not _sooner(row.own, row.calm) and not _sooner(row.calm, row.own)


def _sooner(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one comes before the other in nearly all worlds."""
    first, second = (np.nan_to_num(v, nan=np.inf) for v in (one, other))
    return bool((first < second).mean() >= 0.95)


def _instead(reading: Reading, row: Row) -> str:
    """Say what the measures do where users stop without them as well."""
    assert row.calm is not None
    region = row.selectors.get("region") or "all"
    if "sector" in row.selectors or not isinstance(region, str):
        return sentence(reading, row)
    where = _where(row, "region")
    count = share_of_worlds(int(np.isfinite(row.calm).sum()), row.calm.size)
    head = f"{where[:1].upper()}{where[1:]} some users" if where else "Some users"
    return f"{head} stop without the measures as well, {count}; {more_there(reading, region)}"
