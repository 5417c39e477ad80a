"""What a column of the seeds may hold, and what every row carries besides its content.

The loader and the checks read unit, range and vocabulary of a column from here, so that a column is
described once, by its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

CONFIDENCES = ("high", "medium", "low")
FORMS = ("concentrate", "oxide", "metal", "magnet")
BASES = {"concentrate": "t_reo", "oxide": "t_oxide", "metal": "t_metal", "magnet": "t_magnet"}
#: Stage that makes a form of goods.
STAGE_OF = {"concentrate": "mine", "oxide": "separation", "metal": "metal", "magnet": "magnet"}
STAGES = ("mine", "separation", "metal", "magnet", "recycling")
STATUSES = ("operating", "ramp", "construction", "permitting", "planned", "idle", "closed")
ROLES = ("existing", "planned_new", "included_in_other_row", "cancelled")
OWNERS = ("china_linked", "russia", "mixed", "other")
"""Words for an owner besides the regions."""
TIERS = ("defence", "essential_civilian", "other")
GRADES = ("plausible", "garbled", "contradicted", "opinion")
COMPARISONS = ("about", "at_least", "at_most", "between", "reading")


def column(
    *,
    of: str | None = None,
    unit: str | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    header: str | None = None,
    by_element: str | None = None,
    default: Any = ...,
) -> Any:
    """Describe a column: vocabulary `of`, `unit`, allowed range, allowed `choices`.

    `header` is its name in the table where that is not the field's. `by_element` stands for as many
    columns as there are elements: an element and this ending, each a number of zero or more.
    """
    metadata = {
        "of": of,
        "unit": unit,
        "low": low,
        "high": high,
        "choices": choices,
        "column": header,
        "by_element": by_element,
    }
    if default is ...:
        return field(metadata=metadata)
    return field(metadata=metadata, default=default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row of the seeds carries besides its content.

    Attributes
    ----------
    source
        Keys of the bibliography or of the assumptions, at least one.
    date
        Date or period that the content refers to (ISO, as precise as the source).
    confidence
        `high` (primary document or official statistic), `medium` (trade press, company claim)
        or `low` (recalled, assumed or calibrated).
    low, high
        Range where sources differ or the number is uncertain, in the unit of the row's number.
    note
        What a reader must know before using the number.
    """

    source: tuple[str, ...] = column(of="sources")
    date: str = column()
    confidence: str = column(choices=CONFIDENCES)
    low: float | None = column(default=None)
    high: float | None = column(default=None)
    note: str = column(default="")


_METADATA: dict[type, dict[str, Mapping[str, Any]]] = {}


def metadata(kind: type, key: str) -> Mapping[str, Any]:
    """What a column of a kind of row may hold."""
    if kind not in _METADATA:
        _METADATA[kind] = {item.name: item.metadata for item in fields(kind)}
    return _METADATA[kind][key]


def element_columns(kind: type) -> tuple[str, str] | None:
    """Field and ending of the columns that stand for elements; None where a table has none."""
    found = [(item.name, item.metadata.get("by_element")) for item in fields(kind)]
    return next(((name, ending) for name, ending in found if ending), None)
