"""Every metric that a run can be asked for.

Adding one is one function under ``@metric`` in a file of this folder.
"""

from __future__ import annotations

import importlib

from lodestone.outputs.metrics.registry import (
    METRICS,
    Metric,
    evaluate,
    find,
    key_of,
    metric,
    selections,
)
from lodestone.outputs.metrics.select import share_lacking

__all__ = [
    "METRICS",
    "Metric",
    "evaluate",
    "find",
    "key_of",
    "metric",
    "selections",
    "share_lacking",
]

#: Files of metrics, in the order in which the summary shows them.
FILES = ("shortage", "prices", "trade", "met", "money", "coverage")
for _file in FILES:
    importlib.import_module(f"{__name__}.{_file}")
