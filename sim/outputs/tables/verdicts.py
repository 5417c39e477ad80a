"""What the worlds say to the hypothesis and to press claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.expressions import Metric, asks_reference, judge, parse_verdict, written
from lodestone.outputs.parts import Parts
from lodestone.outputs.tables.registry import Source, table

if TYPE_CHECKING:
    import pandas as pd


def judged(src: Source) -> dict[str, np.ndarray | None]:
    """Each verdict expression in every world; None where it lacks a reference."""

    def values(parts: Parts) -> Callable[[str, Any], np.ndarray]:
        held, names = parts.array("asked"), parts.labels[0]["asked"]
        rows = {name: held[i] for i, name in enumerate(names)}
        return lambda name, selectors: rows[written(Metric(name, tuple(selectors.items())))]

    own = values(src.scenario)
    calm = values(src.reference) if src.reference else None
    found: dict[str, np.ndarray | None] = {}
    for kind in ("confirmed_if", "refuted_if"):
        text = src.asked.hypothesis.get(kind)
        if text:
            tree = parse_verdict(text)
            alone = calm is None and asks_reference(tree)
            found[kind] = None if alone else np.asarray(judge(tree, own, calm), dtype=bool)
    return found


@table()
def verdict(src: Source) -> pd.DataFrame:
    """Probability of each verdict expression (none where it lacks a reference)."""
    import pandas as pd

    worlds = src.scenario.array("worlds").size
    rows = [
        {
            "kind": kind,
            "expression": src.asked.hypothesis[kind],
            "probability": float("nan") if found is None else float(found.mean()),
            "worlds": int(worlds),
        }
        for kind, found in judged(src).items()
    ]
    columns = ["kind", "expression", "probability", "worlds"]
    return pd.DataFrame(rows, columns=columns)


@table(
    words=(
        "claim",
        "statement",
        "grade",
        "verdict",
        "tested",
        "expression",
        "measure",
        "unit",
        "why",
    ),
    numbers=("claimed_low", "claimed_high", "p05", "p50", "p95", "share_of_worlds", "worlds"),
)
def claims(src: Source) -> pd.DataFrame:
    """Press claims that the hypothesis names or whose test names the scenario, with verdict."""
    import pandas as pd

    from lodestone.outputs.claims import COLUMNS, claims_of, table_of_run

    def values(parts: Parts) -> dict[str, Any]:
        held = parts.array("claims")
        told: dict[str, Any] = dict(parts.labels[0]["untold"])
        return told | {name: held[i] for i, name in enumerate(parts.labels[0]["claims"])}

    scenario, chain = src.asked, src.chain
    calm = values(src.reference) if src.reference else None
    asked = claims_of(chain, scenario)
    rows = table_of_run(asked, chain, scenario.name, values(src.scenario), calm)
    return pd.DataFrame(rows, columns=list(COLUMNS))
