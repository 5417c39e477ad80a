"""Names of the rows and dates of what a run keeps; saved with the parts.

Whoever reads kept series (metrics, tables, figures) reads these and the chain, never a live run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun

Pair = tuple[str, str]


@dataclass(frozen=True)
class Labels:
    """Rows and dates of the kept series of a scenario; the same in every batch of worlds.

    Attributes
    ----------
    start : date
        Day 0.
    market_days : float
        Days from one market day to the next.
    ticks : int
        Market days of the run.
    regions, sectors, elements, materials : list of str
    home_region : str
        The region that sets home prices.
    form : list of str
        Form of each material: oxide, metal or magnet.
    content : list of list of float
        Tonnes of each element in a tonne of each material, (m, e).
    groups : list of (region, sector)
        Rows of the weekly series of magnet users.
    military_groups : list of int
        Groups with a military line of their own: rows of the ``military_`` series.
    cells : list of (material, region)
    need : list of float
        Base-year use and input of each cell, t a week.
    links : list of (origin cell, destination cell)
    ore_links : list of (material, region of the mine, region of the separator)
    priced_cells : list of int
        Cells with an ask: rows of the ``ask`` and ``paid`` series.
    facilities : list of (name, region, stage, material)
    magnet_use : list of (group, material, t a week)
        Base-year use of magnets by user line.
    """

    start: date
    market_days: float
    ticks: int
    regions: list[str]
    sectors: list[str]
    elements: list[str]
    materials: list[str]
    home_region: str
    form: list[str]
    content: list[list[float]]
    groups: list[Pair]
    military_groups: list[int]
    cells: list[Pair]
    need: list[float]
    links: list[tuple[int, int]]
    ore_links: list[tuple[str, str, str]]
    priced_cells: list[int]
    facilities: list[tuple[str, str, str, str]]
    magnet_use: list[tuple[int, str, float]]

    @classmethod
    def of(cls, run: BatchRun) -> Labels:
        """Labels of a run that is compiled."""
        lay = run.layout
        magnet = np.flatnonzero(lay.users.magnet)
        many = len(lay.sectors)
        code = lay.users.region[magnet] * many + lay.users.sector[magnet]
        ids = np.unique(code)
        at = {int(i): n for n, i in enumerate(ids)}
        military = magnet[lay.users.defence[magnet, 0] == 1.0]
        base = np.asarray(lay.users.base).reshape(lay.users.n, -1)[:, 0]
        return cls(
            start=run.scenario.start,
            market_days=run.market_days,
            ticks=len(np.arange(0.0, run.calendar.last_day, run.market_days)),
            regions=list(lay.regions),
            sectors=list(lay.sectors),
            elements=list(lay.elements),
            materials=list(lay.materials),
            home_region=lay.home_region,
            form=list(lay.form),
            content=lay.content.tolist(),
            groups=[(lay.regions[i // many], lay.sectors[i % many]) for i in ids],
            military_groups=sorted(
                {at[int(c)] for c in lay.users.region[military] * many + lay.users.sector[military]}
            ),
            cells=list(lay.cells.keys),
            need=[float(x) for x in lay.cells.need[:, 0]],
            links=[(int(o), int(d)) for o, d in lay.links.keys],
            ore_links=[(*lay.ore.pools[o], lay.separation.places[s]) for o, s in lay.ore.keys],
            priced_cells=[
                int(c) for c in np.flatnonzero((lay.cells.need[:, 0] > 0) & ~lay.cells.home)
            ],
            facilities=[(f.name, f.region, f.stage, f.material) for f in lay.plants.rows],
            magnet_use=[
                (int(at[int(c)]), lay.materials[lay.users.material[u]], float(base[u]))
                for u, c in zip(magnet, code, strict=True)
            ],
        )

    # ---- to and from disk --------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Fit for JSON; numbers come back as they were."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        return held | {"start": self.start.isoformat()}

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Labels:
        """From what `to_dict` gave."""
        pairs = ("groups", "cells", "links", "ore_links", "facilities", "magnet_use")
        read: dict[str, Any] = {
            k: [tuple(x) for x in v] if k in pairs else v for k, v in held.items()
        }
        return cls(**(read | {"start": date.fromisoformat(held["start"])}))

    # ---- dates -------------------------------------------------------------------------

    @cached_property
    def times(self) -> np.ndarray:
        """Day of each market day, shape (T,)."""
        return np.arange(self.ticks) * self.market_days

    @cached_property
    def dates(self) -> list[date]:
        """Date of each market day."""
        return [self.start + timedelta(days=int(t)) for t in self.times]

    @cached_property
    def month_of(self) -> list[str]:
        """Month of each market day, ``2025-04``."""
        return [f"{d.year:04d}-{d.month:02d}" for d in self.dates]

    @cached_property
    def months(self) -> list[str]:
        """Months with a market day."""
        return sorted(set(self.month_of))

    @cached_property
    def quarters(self) -> list[str]:
        """Quarters with a market day, named by their first month."""
        return sorted({f"{d.year:04d}-{3 * ((d.month - 1) // 3) + 1:02d}" for d in self.dates})

    @cached_property
    def years(self) -> list[int]:
        """Years with a market day."""
        return sorted({d.year for d in self.dates})

    @property
    def end(self) -> date:
        """First day no longer simulated."""
        return self.start + timedelta(days=self.ticks * self.market_days)

    @property
    def last_year(self) -> int:
        """What "the last year" means: a January alone is no year."""
        last = self.years[-1]
        alone = self.months[-1] == f"{last}-01" and len(self.years) > 1
        return last - 1 if alone else last

    # ---- rows --------------------------------------------------------------------------

    @cached_property
    def home(self) -> int:
        """Row of the region that sets home prices."""
        return self.regions.index(self.home_region)

    @cached_property
    def region_at(self) -> dict[str, int]:
        """Row of each region."""
        return _rows(self.regions)

    @cached_property
    def sector_at(self) -> dict[str, int]:
        """Row of each sector."""
        return _rows(self.sectors)

    @cached_property
    def element_at(self) -> dict[str, int]:
        """Row of each element."""
        return _rows(self.elements)

    @cached_property
    def material_at(self) -> dict[str, int]:
        """Row of each material."""
        return _rows(self.materials)

    @cached_property
    def c_material(self) -> np.ndarray:
        """Material of each cell, shape (c,)."""
        return np.array([self.material_at[m] for m, _ in self.cells])

    @cached_property
    def c_region(self) -> np.ndarray:
        """Region of each cell, shape (c,)."""
        return np.array([self.region_at[r] for _, r in self.cells])

    @cached_property
    def c_need(self) -> np.ndarray:
        """Base-year use and input of each cell, t a week, shape (c, 1)."""
        return np.array(self.need)[:, None]

    @cached_property
    def contents(self) -> np.ndarray:
        """Tonnes of each element in a tonne of each material, shape (m, e)."""
        return np.array(self.content)

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.array(self.links, dtype=int).reshape(-1, 2)

    @cached_property
    def l_material(self) -> np.ndarray:
        """Material of each link, shape (l,)."""
        return self.c_material[self._ends[:, 1]]

    @cached_property
    def l_region_from(self) -> np.ndarray:
        """Region that each link leaves, shape (l,)."""
        return self.c_region[self._ends[:, 0]]

    @cached_property
    def l_region_to(self) -> np.ndarray:
        """Region that each link goes to, shape (l,)."""
        return self.c_region[self._ends[:, 1]]

    @cached_property
    def l_home(self) -> np.ndarray:
        """Links that cross no border, shape (l,) bool."""
        return self._ends[:, 0] == self._ends[:, 1]

    def link_mask(
        self,
        origins: set[str] | None,
        places: set[str] | None,
        materials: Sequence[str] | None,
    ) -> np.ndarray:
        """Links from ``origins`` to ``places`` of ``materials`` that cross a border, (l,) bool."""
        mask = ~self.l_home
        if origins is not None:
            mask &= np.isin(self.l_region_from, [self.region_at[r] for r in origins])
        if places is not None:
            mask &= np.isin(self.l_region_to, [self.region_at[r] for r in places])
        if materials is not None:
            known = [self.material_at[m] for m in materials if m in self.material_at]
            mask &= np.isin(self.l_material, known)
        return mask


def _rows(names: Sequence[str]) -> dict[str, int]:
    return {name: i for i, name in enumerate(names)}
