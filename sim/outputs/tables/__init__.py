"""The tables of a run folder, each declared once with its columns."""

from __future__ import annotations

from collections.abc import Mapping

from lodestone.border.files import csv_text, save_parquet, save_table, save_text
from lodestone.outputs.tables import (
    bottlenecks,
    cube,
    delta,
    gap,
    money,
    prices,
    shortage,
    summary,
    supply,
    trade,
    verdicts,
)
from lodestone.outputs.tables.registry import TABLES, Source, Table

__all__ = [
    "COLUMNS",
    "TABLES",
    "Source",
    "Table",
    "bottlenecks",
    "csv_text",
    "save_parquet",
    "save_table",
    "save_text",
    "cube",
    "delta",
    "gap",
    "money",
    "prices",
    "shortage",
    "summary",
    "supply",
    "trade",
    "verdicts",
]

#: Words first, then numbers, by table: what a reader may rely on. Further columns are welcome.
COLUMNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "calendar": (("date", "what", "where", "worlds", "source"), ("day",)),
    "sources": ((), ()),
    "assumptions": ((), ()),
    **{name: (item.words, item.numbers) for name, item in TABLES.items()},
}
