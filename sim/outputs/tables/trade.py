"""Who ships how much to whom, by month."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.parts import Parts, bands
from lodestone.outputs.tables.frame import BAND, NEGLIGIBLE_T, Stack
from lodestone.outputs.tables.registry import Source, banded, table

if TYPE_CHECKING:
    import pandas as pd


@table(
    words=("month", "case", "material", "origin", "destination", "channel", "basis"),
    numbers=banded("tonnes"),
    reads=("declared", "grey", "ore"),
)
def trade_flows(src: Source) -> pd.DataFrame:
    """Monthly shipments by link: leaf rows, declared and grey, both cases."""

    chain = src.chain
    stack = Stack()
    cases: list[tuple[str, Parts]] = [("scenario", src.scenario)]
    if src.reference:
        cases.insert(0, ("reference", src.reference))
    for case, parts in cases:
        lay = parts.rows
        ways = [(*lay.cells[o], lay.cells[d][1]) for o, d in lay.links]
        for channel, key in (("declared", "declared"), ("grey", "grey"), ("declared", "ore")):
            names = lay.ore_links if key == "ore" else ways
            for rows, values in parts.blocks(key):
                mean, q = bands(values)
                for j, row in enumerate(rows):
                    material, origin, place = names[row]
                    if origin == place or not np.any(values[:, j] > NEGLIGIBLE_T):
                        continue
                    seen = mean[:, j] > NEGLIGIBLE_T
                    stack.add(
                        **{
                            "month": np.array(src.labels.months)[seen],
                            "case": case,
                            "material": material,
                            "origin": origin,
                            "destination": place,
                            "channel": channel,
                            "basis": chain.materials[material].basis,
                            **{
                                f"tonnes_{b}": v[:, j][seen]
                                for b, v in zip(BAND, (mean, *q), strict=True)
                            },
                        }
                    )
    return stack.frame()
