"""What passed between the phases of one market day, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np


@dataclass
class Flows:
    """The values that phases hand to each other and that observers read; tonnes of the day.

    A field is missing until its phase has run. For those who are handed a name (recorder, replay)
    a field is also an item: ``flows["used"]``.
    """

    # 1 capacity
    available: np.ndarray = field(init=False)  # (f, w) share of capacity that can run
    normal_output: np.ndarray = field(init=False)  # (f, w) t/week in the plant's basis
    # 2 ore and separation
    grown: np.ndarray = field(init=False)  # (o, w) growth of each ore pool over the base year
    ore_value: np.ndarray = field(init=False)  # (o, w) value of a basket over the base year's
    dug: np.ndarray = field(init=False)  # (mines, w) t contained oxide
    ore_shipped: np.ndarray = field(init=False)  # (k, e, w)
    ore_landed: np.ndarray = field(init=False)  # (k, e, w)
    separated: np.ndarray = field(init=False)  # (s, e, w) t oxide
    # 3 recycling
    recovered: np.ndarray = field(init=False)  # (r, e, w) t oxide from goods in use
    recycled: np.ndarray = field(init=False)  # (r, e, w) t oxide from scrap and goods in use
    # 4 arrivals
    landed: np.ndarray = field(init=False)  # (l, w)
    to_users: np.ndarray = field(init=False)  # (u, w)
    bought: np.ndarray = field(init=False)  # (c, w) into public stocks
    released_public: np.ndarray = field(init=False)  # (c, w)
    # 5 metals and magnets
    group_capacity: np.ndarray = field(init=False)  # (g, w) t/week
    group_potential: np.ndarray = field(init=False)  # (g, w) t/week that could be expected from it
    group_load: np.ndarray = field(init=False)  # (g, w) claimed over capacity
    input_short: np.ndarray = field(init=False)  # (c, w) share of the plan that inputs allow
    output: np.ndarray = field(init=False)  # (c, w) made by all stages
    # 6 end use
    planned: np.ndarray = field(init=False)  # (u, w) before prices and substitution
    wanted: np.ndarray = field(init=False)  # (u, w)
    used: np.ndarray = field(init=False)  # (u, w)
    unmet: np.ndarray = field(init=False)  # (u, w) wanted and not there
    gross: np.ndarray = field(init=False)  # (u, w) planned and not arrived
    stopped: np.ndarray = field(init=False)  # (u, w) classes of cover that stopped
    used_by_cell: np.ndarray = field(init=False)  # (c, w)
    response: np.ndarray = field(init=False)  # (u, w) multiplier of the price paid
    late: np.ndarray = field(init=False)  # (u, w) made up today
    without_heavies: np.ndarray = field(init=False)  # (u, w) share, for good or for now
    # 7 orders
    use_rate: np.ndarray = field(init=False)  # (c, w) t/week that buyers expect to use
    lasting: np.ndarray = field(init=False)  # (c, w) use that lasts, over that
    ordered: np.ndarray = field(init=False)  # (l, w)
    # 8 shipping
    shipped: np.ndarray = field(init=False)  # (l, w) leaves, grey goods included
    grey: np.ndarray = field(init=False)  # (l, w)
    declared: np.ndarray = field(init=False)  # (l, w)
    # every phase may lose something
    lost: np.ndarray = field(init=False)  # (e, w) t element

    def get(self, name: str) -> Any:
        """A field by name; None where there is none or its phase has not run."""
        return getattr(self, name, None)

    def __getitem__(self, name: str) -> Any:
        value = getattr(self, name, None)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: np.ndarray) -> None:
        setattr(self, name, value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and getattr(self, name, None) is not None

    def items(self) -> Iterator[tuple[str, np.ndarray]]:
        """Name and value of what has been written."""
        for f in fields(self):
            value = self.get(f.name)
            if value is not None:
                yield f.name, value


__all__ = ["Flows"]
