"""What binds each group of users at the end of a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.items import STAGES
from lodestone.outputs.tables.registry import Source, table

if TYPE_CHECKING:
    import pandas as pd


@table(
    words=("date", "region", "sector", "binding_stage", "binding_element"),
    numbers=("share_of_worlds",),
    reads=("binding",),
)
def bottlenecks(src: Source) -> pd.DataFrame:
    """What binds each group at each month's end, with the share of worlds."""
    import pandas as pd

    codes = src.scenario.array("binding")
    groups = src.labels.groups
    last_day: dict[str, str] = {}
    for d, m in zip(src.labels.dates, [d.isoformat()[:7] for d in src.labels.dates], strict=True):
        last_day[m] = d.isoformat()
    rows = []
    for t, month in enumerate(src.labels.months):
        if not codes[t].any():
            continue
        votes: dict[tuple[str, str], np.ndarray] = {}
        for g, (region, sector) in enumerate(groups):
            found = codes[t, g]
            for code in np.unique(found[found > 0]):
                stage = STAGES[code % 8]
                element = src.labels.elements[code // 8 - 1] if code % 8 else "none"
                share = float((found == code).mean())
                rows.append((last_day[month], region, sector, stage, element, share))
                held = votes.setdefault((stage, element), np.zeros(codes.shape[-1]))
                held += found == code
        # Over all users: what binds most groups of a world, so that shares add up to one.
        names = sorted(votes)
        counts = np.array([votes[n] for n in names])
        first = np.where(counts.max(axis=0) > 0, counts.argmax(axis=0), -1)
        for i, (stage, element) in enumerate(names):
            share = float((first == i).mean())
            if share > 0:
                rows.append((last_day[month], "all", "all", stage, element, share))
    columns = [
        "date",
        "region",
        "sector",
        "binding_stage",
        "binding_element",
        "share_of_worlds",
    ]
    return pd.DataFrame(rows, columns=columns)
