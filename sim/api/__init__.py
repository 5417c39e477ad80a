"""Lodestone from Python: the same scenarios, numbers and errors as on the command line.

>>> import lodestone as lode
>>> run = lode.run("licence_shock_april_2025", worlds=50)
>>> run.metric("unmet_share_peak", region="europe").median()
>>> study = lode.sweep("cutoff_total",
...                    {"overrides.stockpile.japan.days": [0, 30, 60, 90]}, worlds=50)
>>> study.figure("unmet_share_peak(region=japan)")

`import lodestone` is light; what is heavy is imported when it is first used.
"""

from __future__ import annotations

from lodestone.api.calls import (
    backcast,
    compare,
    load,
    load_chain,
    load_scenario,
    metrics,
    run,
    sweep,
    table,
)
from lodestone.api.run import Run
from lodestone.api.study import StudyResult
from lodestone.border.errors import InputError, ModelError

__all__ = [
    "InputError",
    "ModelError",
    "Run",
    "StudyResult",
    "backcast",
    "compare",
    "load",
    "load_chain",
    "load_scenario",
    "metrics",
    "run",
    "sweep",
    "table",
]
