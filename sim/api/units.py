"""Units of columns, read from their names: the convention of every table of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["unit_in_name", "with_units"]

#: Units as they stand in names of columns, the longest first.
KNOWN = (
    "t_magnet_per_week",
    "t_contained_per_week",
    "usd_million_per_week",
    "usd_million_per_day",
    "usd_million",
    "usd_per_kg",
    "t_magnet",
    "t_contained",
    "tonnes",
    "share",
    "weeks",
    "days",
    "year",
)


def unit_in_name(column: str) -> str | None:
    """Return the unit that a column's name carries, None where it carries none."""
    stem = column
    for ending in ("_mean", "_p05", "_p50", "_p95", "_delta", "_base"):
        stem = stem.removesuffix(ending)
    for unit in KNOWN:
        if stem == unit or stem.endswith(f"_{unit}"):
            return "t" if unit == "tonnes" else unit
    return "t" if stem.endswith("_t") else None


def with_units(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table its units: ``attrs["units"]``, unit by column."""
    from lodestone.outputs.metrics import METRICS

    units: dict[str, str] = {}
    for column in map(str, table.columns):
        name = column.removeprefix("reference_").split("[")[0]
        unit = METRICS[name].unit if name in METRICS else unit_in_name(column)
        if unit is not None:
            units[column] = unit
    table.attrs["units"] = units
    return table
