"""Tables that a calibration leaves in the seeds, read back for the scorecard."""

from __future__ import annotations

from typing import Any

from lodestone.border.paths import seeds_root

__all__ = ["CROSS", "KNOWN", "PROFILES", "crossed", "kept_rows"]

#: Where the scores of unseen episodes are kept, what history says of each parameter, and how each
#: fact answers to each parameter alone.
CROSS, KNOWN, PROFILES = "crossvalidation.csv", "identified.csv", "fact_profiles.csv"


def crossed() -> dict[tuple[str, str], tuple[float, bool]]:
    """Simulated median and verdict of each fact when its episode was left out of the fit."""
    return {
        (r["episode"], r["fact"]): (float(r["simulated_p50"] or "nan"), bool(r["pass"]))
        for r in kept_rows(CROSS)
    }


def kept_rows(name: str) -> list[dict[str, Any]]:
    """Rows of a table that a calibration left in the seeds; none if there is none."""
    import pandas as pd

    path = seeds_root() / name
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = pd.read_csv(path, keep_default_na=False).to_dict("records")
    return rows
