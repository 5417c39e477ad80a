"""How cases of a comparison stand in sentences and titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.report.asked import Row, quantiles
from lodestone.report.cases import AS_WRITTEN
from lodestone.report.phrases import level

if TYPE_CHECKING:
    from lodestone.report.cases import Comparison

__all__ = ["lower", "quoted", "ranked", "with_case"]


def ranked(held: Comparison, metric: Row) -> str:
    """Say which case is lowest and which highest in a number, and where the base is."""
    middles = [quantiles(held.row(metric, i).own)[1] for i in range(len(held.cases))]
    low, high = int(np.argmin(middles)), int(np.argmax(middles))
    if middles[low] == middles[high]:
        return f"The medians of the cases do not differ in {lower(metric.title)}."

    def told(i: int) -> str:
        return f"{level(held.row(metric, i))} {with_case(held.names[i])}"

    ends = [level(held.row(metric, i)) for i in (low, high)]
    if ends[0] == ends[1]:
        return f"{metric.title}: {ends[0]} in every case, as far as the bands let it be told."
    base = f"; {told(0)}" if 0 not in (low, high) else ""
    return f"{metric.title}: from {told(low)} to {told(high)}{base}."


def with_case(name: str) -> str:
    """Return a case as it follows a number: `as written`, `with “renewed”`."""
    return name if name.startswith((AS_WRITTEN, "with")) else f"with {quoted(name)}"


def quoted(name: str) -> str:
    """Return a case's name as it stands in a sentence: in quotes, unless it is none or a setting."""
    return name if name == AS_WRITTEN or "=" in name else f"\u201c{name}\u201d"


def lower(title: str) -> str:
    """Return a title inside a sentence."""
    return title[0].lower() + title[1:]
