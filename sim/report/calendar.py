"""The calendar of a run as people want it: routine entries told once, dated events one by one."""

from __future__ import annotations

import re

import pandas as pd

from lodestone.report.reading import Reading
from lodestone.report.wording import capital, human

__all__ = ["condensed", "events", "said"]

ROUTINE = 4
"""An entry (what, where) that occurs more often than this is routine."""


def _counted(reading: Reading) -> pd.DataFrame:
    table = reading.results.table("calendar").copy()
    table["times"] = table.groupby(["what", "where"])["date"].transform("size")
    return table.sort_values(["date", "what", "where"], kind="stable")


def events(reading: Reading) -> pd.DataFrame:
    """Return the entries that are not routine, by date."""
    table = _counted(reading)
    return table[table["times"] <= ROUTINE].reset_index(drop=True)


def condensed(reading: Reading) -> pd.DataFrame:
    """Return the calendar with routine entries as one row: first and last date, how often."""
    table = _counted(reading)
    routine = table[table["times"] > ROUTINE]
    rows = [
        (
            group["date"].min(),
            group["date"].max(),
            what,
            where,
            "all",
            len(group),
            group["source"].iloc[0],
        )
        for (what, where), group in routine.groupby(["what", "where"], sort=True)
    ]
    once = table[table["times"] <= ROUTINE]
    rows += [
        (row.date, row.date, row.what, row.where, row.worlds, 1, row.source)
        for row in once.itertuples(index=False)
    ]
    names = ["first", "last", "what", "where", "worlds", "times", "source"]
    return pd.DataFrame(rows, columns=names).sort_values(
        ["times", "first"],
        ascending=[False, True],
        key=lambda c: (c > 1) if c.name == "times" else c,
    )


def said(what: str) -> str:
    """Return an entry as people read it; a plant by its name, with its country behind it."""
    plant = re.match(r"([a-z]{2})_(\w+)( on line\b.*)", what)
    if plant is None:
        return human(what)
    country, name, rest = plant.groups()
    return f"{capital(human(name))} ({country.upper()}){rest}"
