"""Thresholds: the smallest value of a swept key for which a metric stays on one side of a level.

Written ``metric < level`` with the share of worlds that must hold it: "the smallest target_days for
which 95 % of the worlds stay below 5 %".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.studies.metrics import check_metric
from lodestone.studies.values import shown

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.studies.points import Point
    from lodestone.studies.study import Study

__all__ = ["Threshold", "find_threshold", "read_threshold", "swept_key"]

_LEVEL = re.compile(
    r"(.*?)\s*(<=|>=|<|>)\s*([-+0-9.eE]+)\s*(%)?\s*(?:in\s+([0-9.]+)\s*%)?\s*(?:by\s+(\S+))?\s*",
    re.S,
)


@dataclass(frozen=True)
class Threshold:
    """What is asked of a metric.

    Attributes
    ----------
    metric
        As typed.
    op, level
        ``<``, ``<=``, ``>``, ``>=`` and the number.
    share
        Share of worlds in which it must hold.
    key
        The swept key whose smallest value is looked for, as typed; empty for the only one whose
        values are numbers.
    """

    metric: str
    op: str
    level: float
    share: float = 0.95
    key: str = ""


def read_threshold(text: str) -> Threshold:
    """Read ``unmet_share_peak(region=europe) < 0.05 in 95% by target_days``.

    Raises
    ------
    InputError
        It cannot be read, or asks for an unknown metric.
    """
    found = _LEVEL.fullmatch(text.strip())
    if not found:
        raise InputError(
            f"'{text}' is no threshold",
            key="threshold",
            hint="Write 'unmet_share_peak(region=europe) < 0.05', or with ' in 90%' of the worlds.",
        )
    try:
        level = float(found[3]) * (0.01 if found[4] else 1.0)
        share = float(found[5]) / 100.0 if found[5] else 0.95
    except ValueError:
        raise InputError(f"'{found[3]}' is no number", key="threshold") from None
    if not 0.0 < share <= 1.0:
        raise InputError("the share of worlds lies between 0 and 100 %", key="threshold")
    metric = found[1].strip()
    check_metric(metric)
    return Threshold(metric, found[2], level, share, found[6] or "")


def swept_key(points: Sequence[Point], threshold: Threshold) -> str:
    """Return the swept key whose smallest value a threshold looks for.

    Raises
    ------
    InputError
        No key, or several keys, have numbers, or the one that is named has none.
    """
    from lodestone.studies.points import numeric_keys, short_names

    numeric = numeric_keys(points)
    names = short_names(list(points[0].values)) if points else {}
    if not numeric:
        raise InputError(
            "no swept key has numbers, so that none has a smallest value",
            key="threshold",
            hint="Sweep a key over numbers, or leave the threshold out.",
        )
    told = " or ".join(f"'by {names[k]}'" for k in numeric)
    named = threshold.key
    fitting = [k for k in numeric if not named or k == named or k.endswith(f".{named}")]
    if len(fitting) == 1:
        return fitting[0]
    if named:
        what = "is no swept key" if not fitting else "is more than one swept key"
        raise InputError(f"'{named}' {what} whose values are numbers", key="threshold",
                         hint=f"Add {told}.")  # fmt: skip
    raise InputError(
        f"{len(numeric)} swept keys are numbers", key="threshold", hint=f"Add {told} at its end."
    )


def find_threshold(study: Study, threshold: Threshold, key: str | None = None) -> pd.DataFrame:
    """Find, for every combination of the other keys, where the threshold begins to hold.

    Parameters
    ----------
    key
        The swept key; by default the one that the threshold names, or the only one whose values
        are numbers.

    Returns
    -------
    DataFrame
        The other keys, then ``smallest`` (the smallest value from which on it holds at every
        larger value that was run, NaN where there is none), ``below`` (the next smaller value,
        where it does not hold: the threshold lies between the two), ``monotone`` (False where it
        holds at some smaller value too), ``share`` (of worlds, at ``smallest``), ``largest`` and
        ``above`` (where it does not hold at the largest value, but at the smallest: the value up
        to which it does, and the next one).

    Raises
    ------
    InputError
        No key, or several keys, have numbers.
    """
    import pandas as pd

    rows = study.long(threshold.metric)
    key = swept_key(study.points, replace(threshold, key=key or threshold.key))
    rows["holds"] = _compare(rows["value"].to_numpy(float), threshold)
    others = [k for k in study.keys if k != key]
    out: list[dict[str, Any]] = []
    groups = rows.groupby(others, sort=False) if others else [((), rows)]
    for names, group in groups:
        held = group.groupby(key)["holds"].mean().sort_index()
        out.append(dict(zip(others, names, strict=True)) | _first(held, threshold.share))
    return pd.DataFrame(out)


def _first(held: pd.Series, share: float) -> dict[str, Any]:
    enough = held.to_numpy() >= share - 1e-12
    values = held.index.to_numpy(float)
    if not enough[-1]:
        up_to = int(np.argmin(enough))  # first value at which it does not hold
        return {
            "smallest": np.nan,
            "below": float(values[-1]),
            "monotone": bool(not enough[up_to:].any()),
            "share": float(held.iloc[-1]),
            "largest": float(values[up_to - 1]) if up_to else np.nan,
            "above": float(values[up_to]) if up_to else np.nan,
        }
    at = len(enough) - int(np.argmin(enough[::-1])) if not enough.all() else 0
    return {
        "smallest": float(values[at]),
        "below": float(values[at - 1]) if at else np.nan,
        "monotone": bool(not enough[:at].any()),
        "share": float(held.iloc[at]),
        "largest": np.nan,
        "above": np.nan,
    }


def _compare(values: np.ndarray, threshold: Threshold) -> np.ndarray:
    ops = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
    return ops[threshold.op](values, threshold.level)


def told(row: pd.Series, threshold: Threshold, key: str) -> str:
    """Write a threshold that was found as a sentence."""
    what = f"{threshold.metric} {threshold.op} {threshold.level:g}"
    worlds = f"{100 * threshold.share:.0f} % of the worlds"
    if row["largest"] == row["largest"]:
        text = (
            f"{what} in {worlds} up to {key} = {shown(row['largest'])} "
            f"(no longer at {shown(row['above'])})"
        )
        return text if row["monotone"] else text + "; it also holds at some larger value"
    if row["smallest"] != row["smallest"]:
        text = (
            f"{what} in {worlds} is not reached up to {key} = {shown(row['below'])} "
            f"(there in {100 * row['share']:.0f} %)"
        )
        return text if row["monotone"] else text + "; it holds at some smaller value"
    text = f"{what} in {worlds} from {key} = {shown(row['smallest'])} on"
    if row["below"] == row["below"]:
        text += f" (not at {shown(row['below'])})"
    else:
        text += " (the smallest value that was run)"
    return text if row["monotone"] else text + "; it also holds at some smaller value"
