"""The rules in force: folded anew at every tick from the interventions that are active.

Each field says how contributions combine, so the order of interventions does not matter and
nothing has to be undone when one of them ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Field -> how contributions combine (documented, and tested by the contract test).
COMBINES = {
    "facility_available": "multiply",
    "output_cap": "minimum",
    "passes": "multiply",
    "route_open": "minimum",
    "ore_passes": "multiply",
    "import_tariff": "add",
    "export_tax": "add",
    "demand_factor": "multiply",
    "announced": "maximum",
    "approval": "minimum",
    "processing_weeks": "maximum",
    "leak_ceiling": "maximum",
    "detection": "complement",
    "margin_support": "add",
    "trade_cost": "add",
    "undercut": "maximum",
    "price_shift": "add",
    "priority": "maximum",
    "user_priority": "multiply",
    "charge": "add",
    "heavy_free": "maximum",
    "ree_free": "maximum",
}


@dataclass
class Conditions:
    """Rules of one tick. ``None`` means that no intervention touches the field.

    Attributes
    ----------
    facility_available : ndarray, shape (f, w)
        Share of capacity that can run; contributions multiply.
    passes : ndarray, shape (l, w)
        Share of orders that may leave (bans); contributions multiply.
    route_open : ndarray, shape (l, w)
        Share of goods that may depart and arrive; the minimum counts.
    ore_passes : ndarray, shape (k, w)
        The same for links of concentrate; contributions multiply.
    import_tariff, export_tax : ndarray, shape (l, w)
        Ad-valorem rates as buyers feel them; contributions add.
    demand_factor : ndarray, shape (u, w)
        Multiplier of planned use; contributions multiply.
    announced : ndarray, shape (c, w)
        1 where a control is announced and not yet in force; the maximum counts.
    margin_support : ndarray, shape (f, w)
        USD/kg that a programme adds to the revenue of a plant; contributions add.
    charge : ndarray, shape (c, w)
        USD/kg that buyers of a cell's output pay beside its price; contributions add.
    heavy_free, ree_free : ndarray, shape (u, w)
        Share of a use that new designs have moved to; the maximum counts.
    leak_ceiling, detection : ndarray, shape (l, w)
        Grey channel: share of normal exports that may leak; chance of being caught.
    trade_cost : ndarray, shape (l, w)
        Costs of legal trade that are no duties (guarantees, certificates), as a share of value;
        contributions add.
    undercut : ndarray, shape (l, w)
        Share by which sellers of a link undercut others; the maximum counts.
    price_shift : ndarray, shape (m, w)
        What an exporter adds to the log of its home price; contributions add.
    priority : ndarray, shape (l, w)
        Weight of a link when its seller has too little; the maximum counts.
    user_priority : ndarray, shape (u, w)
        Weight of a user line when a region receives too little; contributions multiply.
    pivots, contracts : list
        What turns ore to named separators, and orders to named sellers.
    """

    facility_available: np.ndarray | None = None
    passes: np.ndarray | None = None
    route_open: np.ndarray | None = None
    ore_passes: np.ndarray | None = None
    import_tariff: np.ndarray | None = None
    export_tax: np.ndarray | None = None
    demand_factor: np.ndarray | None = None
    announced: np.ndarray | None = None
    margin_support: np.ndarray | None = None
    charge: np.ndarray | None = None
    heavy_free: np.ndarray | None = None
    ree_free: np.ndarray | None = None
    leak_ceiling: np.ndarray | None = None
    detection: np.ndarray | None = None
    trade_cost: np.ndarray | None = None
    undercut: np.ndarray | None = None
    price_shift: np.ndarray | None = None
    priority: np.ndarray | None = None
    user_priority: np.ndarray | None = None
    pivots: list = field(default_factory=list)
    contracts: list = field(default_factory=list)
    licences: list = field(default_factory=list)
    quotas: list = field(default_factory=list)
    stockpiles: list = field(default_factory=list)
    floors: list = field(default_factory=list)
    recycling: list = field(default_factory=list)

    def _combine(self, name: str, shape: tuple[int, int], neutral: float) -> np.ndarray:
        held = getattr(self, name)
        if held is None:
            held = np.full(shape, neutral)
            setattr(self, name, held)
        return held

    def multiply(self, name: str, rows: np.ndarray, shape: tuple[int, int], by: np.ndarray) -> None:
        """Multiply rows (bool or index) of a field by a factor of shape (w,) or (n, w)."""
        held = self._combine(name, shape, 1.0)
        held[rows] *= by

    def least(self, name: str, rows: np.ndarray, shape: tuple[int, int], value: np.ndarray) -> None:
        """Keep the minimum of what is held and ``value``."""
        held = self._combine(name, shape, 1.0)
        held[rows] = np.minimum(held[rows], value)

    def most(self, name: str, rows: np.ndarray, shape: tuple[int, int], value: np.ndarray) -> None:
        """Keep the maximum of what is held and ``value``."""
        held = self._combine(name, shape, 0.0)
        held[rows] = np.maximum(held[rows], value)

    def complement(
        self, name: str, rows: np.ndarray, shape: tuple[int, int], value: np.ndarray
    ) -> None:
        """Keep the chance that at least one of several independent ones catches."""
        held = self._combine(name, shape, 0.0)
        held[rows] = 1.0 - (1.0 - held[rows]) * (1.0 - value)

    def favour(self, rows: np.ndarray, shape: tuple[int, int], weight: np.ndarray) -> None:
        """Keep the highest weight of links when goods are scarce; 1 where nobody says."""
        if self.priority is None:
            self.priority = np.ones(shape)
        self.priority[rows] = np.maximum(self.priority[rows], weight)

    def add(self, name: str, rows: np.ndarray, shape: tuple[int, int], value: np.ndarray) -> None:
        """Add ``value`` to what is held."""
        held = self._combine(name, shape, 0.0)
        held[rows] += value
