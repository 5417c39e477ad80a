"""What can be seen of a run: one list of series, and what parts keep of them.

Adding a series is one function under ``@series`` in a file of this folder.
"""

from __future__ import annotations

import importlib

from lodestone.outputs.series.asked import Asked, Query
from lodestone.outputs.series.check import check_query
from lodestone.outputs.series.kept import KEPT, Kept
from lodestone.outputs.series.sums import Absent, Look
from lodestone.outputs.series.vocabulary import SELECTORS, SERIES, Quantity, find_series, series

#: Files of series, in the order in which they are listed.
FILES = ("trade", "production", "use", "prices", "money")
for _file in FILES:
    importlib.import_module(f"{__name__}.{_file}")

__all__ = [
    "KEPT",
    "SELECTORS",
    "SERIES",
    "Absent",
    "Asked",
    "Kept",
    "Look",
    "Quantity",
    "Query",
    "check_query",
    "find_series",
    "series",
]
