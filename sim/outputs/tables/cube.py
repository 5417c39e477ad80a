"""The monthly cube: output, stock and use by material and region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.parts import Parts, bands
from lodestone.outputs.series import KEPT
from lodestone.outputs.tables.frame import BAND, Stack
from lodestone.outputs.tables.registry import Source

if TYPE_CHECKING:
    import pandas as pd

#: Series of the cube and their units.
UNITS = {key: KEPT[key].unit for key in ("output", "stock", "used")}


def series_table(src: Source) -> pd.DataFrame:
    """The weekly and monthly cube, tidy: quantiles by variable, region and material."""

    stack = Stack()
    cases: list[tuple[str, Parts]] = [("scenario", src.scenario)]
    if src.reference:
        cases.append(("reference", src.reference))
    months = [f"{m}-01" for m in src.labels.months]
    for case, parts in cases:
        cells = parts.rows.cells
        for key, unit in UNITS.items():
            for rows, values in parts.blocks(key):
                mean, q = bands(values)
                for j, row in enumerate(rows):
                    if not np.any(values[:, j]):
                        continue
                    material, region = cells[row]
                    stack.add(
                        **{
                            "date": months,
                            "case": case,
                            "variable": key,
                            "material": material,
                            "region": region,
                            "unit": unit,
                            **{b: v[:, j] for b, v in zip(BAND, (mean, *q), strict=True)},
                        }
                    )
    return stack.frame()
