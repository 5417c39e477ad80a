"""Layout: the small frozen tables under one roof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date

import numpy as np

from lodestone.chain.balance import Balance
from lodestone.chain.nouns import Chain
from lodestone.equations.demand import CLASSES
from lodestone.worlds.layout.cells import Cells, cells_of
from lodestone.worlds.layout.groups import Groups, groups_of
from lodestone.worlds.layout.links import Links, links_of
from lodestone.worlds.layout.names import Names, names_of
from lodestone.worlds.layout.ore import Ore, home_of, ore_of
from lodestone.worlds.layout.plants import Plants, plants_of
from lodestone.worlds.layout.prices import Prices, prices_of
from lodestone.worlds.layout.scrap import Scrap, scrap_of
from lodestone.worlds.layout.separation import Separation, separation_of
from lodestone.worlds.layout.users import Users, users_of


@dataclass(frozen=True)
class Layout:
    """Index spaces and base-year arrays of a chain; all worlds share them, nothing changes them.

    Index letters: ``r`` region, ``e`` element, ``m`` material (oxides, metals, magnets), ``c``
    cell (a material in a region), ``l`` link from an origin cell to a destination cell of the
    same material, ``u`` user line (sector, material, region), ``f`` facility, ``o`` ore pool
    (concentrate kind in a mining region), ``k`` ore link, ``s`` region with separators,
    ``i`` input of a plant cell, ``w`` world. A constant has a singleton world axis, shape (n, 1).
    """

    names: Names
    home_region: str  # sets home prices: it separates most ore
    content: np.ndarray  # (m, e) t element a tonne of material
    plants: Plants
    cells: Cells
    links: Links
    users: Users
    groups: Groups
    ore: Ore
    separation: Separation
    scrap: Scrap
    prices: Prices

    @classmethod
    def of(
        cls,
        chain: Chain,
        balance: Balance,
        start: date,
        opened: Set[tuple[str, str, str]] = frozenset(),
    ) -> Layout:
        """Lay a chain out.

        Parameters
        ----------
        chain : Chain
        balance : Balance
            Closed base year of the same chain.
        start : date
            Day 0 of the run.
        opened : set of (material, origin, destination)
            Links that a contract opens beside those of habit and size; nobody orders there by
            himself.
        """
        names = names_of(chain, balance, start)
        plants = plants_of(names)
        home = home_of(names, plants)
        cells = cells_of(names, plants, home)
        links = links_of(names, cells, opened)
        ore = ore_of(names, plants, home)
        return cls(
            names=names,
            home_region=home,
            content=_content(names),
            plants=plants,
            cells=cells,
            links=links,
            users=users_of(names, cells, links, home),
            groups=groups_of(names, plants, cells),
            ore=ore,
            separation=separation_of(names, plants, cells, ore),
            scrap=scrap_of(names, plants, cells),
            prices=prices_of(names, cells, links, home),
        )

    # ---- names -------------------------------------------------------------------------

    @property
    def chain(self) -> Chain:
        """The chain that is laid out."""
        return self.names.chain

    @property
    def balance(self) -> Balance:
        """Its closed base year."""
        return self.names.balance

    @property
    def start(self) -> date:
        """Day 0 of the run."""
        return self.names.start

    @property
    def regions(self) -> list[str]:
        """Regions, by row."""
        return self.names.regions

    @property
    def elements(self) -> list[str]:
        """Elements, by row."""
        return self.names.elements

    @property
    def materials(self) -> list[str]:
        """Oxides, metals and magnets, by row."""
        return self.names.materials

    @property
    def sectors(self) -> list[str]:
        """Sectors, by row."""
        return self.names.sectors

    @property
    def region_at(self) -> dict[str, int]:
        """Row of each region."""
        return self.names.region_at

    @property
    def element_at(self) -> dict[str, int]:
        """Row of each element."""
        return self.names.element_at

    @property
    def material_at(self) -> dict[str, int]:
        """Row of each material."""
        return self.names.material_at

    @property
    def sector_at(self) -> dict[str, int]:
        """Row of each sector."""
        return self.names.sector_at

    @property
    def form(self) -> list[str]:
        """Form of each material: oxide, metal or magnet."""
        return self.names.form

    @property
    def per_oxide(self) -> np.ndarray:
        """Tonnes of element a tonne of its oxide, (e, 1)."""
        return self.names.per_oxide

    @property
    def home(self) -> int:
        """Row of the region that sets home prices."""
        return self.names.region_at[self.home_region]

    @property
    def classes(self) -> int:
        """Number of cover classes of a user line."""
        return CLASSES

    # ---- lookups -----------------------------------------------------------------------

    def tiers_of(self, line: int) -> dict[str, float]:
        """Share of each tier in the use of a user line."""
        sector = self.users.keys[line][0]
        tiers = self.chain.tiers.get(sector, {})
        whole, mine = tiers.get("defence", 0.0), float(self.users.defence[line, 0])
        if mine == whole:
            return dict(tiers)
        rest = (1.0 - mine) / max(1.0 - whole, 1e-12)
        return {t: mine if t == "defence" else share * rest for t, share in tiers.items()}

    def link_mask(
        self,
        origins: set[str] | None,
        places: dict[str, float] | None,
        materials: list[str] | None,
    ) -> np.ndarray:
        """Links from ``origins`` to ``places`` of ``materials`` that cross a border, (l,) bool."""
        links = self.links
        mask = ~links.home
        if origins is not None:
            mask &= _among(self.region_at, origins)[links.region_from]
        if places is not None:
            mask &= _among(self.region_at, places)[links.region_to]
        if materials is not None:
            known = [m for m in materials if m in self.material_at]
            mask &= _among(self.material_at, known)[links.material]
        return mask

    def user_rows(self, regions: set[str] | None, sectors: set[str] | None) -> np.ndarray:
        """User lines of regions and sectors, (u,) bool."""
        mask = np.ones(self.users.n, dtype=bool)
        if regions is not None:
            mask &= _among(self.region_at, regions)[self.users.region]
        if sectors is not None:
            mask &= _among(self.sector_at, sectors)[self.users.sector]
        return mask


def _among(at: Mapping[str, int], names: Iterable[str]) -> np.ndarray:
    """Which rows bear one of some names, shape (n,) bool."""
    out = np.zeros(len(at), dtype=bool)
    out[[at[name] for name in names]] = True
    return out


def _content(n: Names) -> np.ndarray:
    """Tonnes of element in a tonne of each material, for the ledger, shape (m, e)."""
    content = np.zeros((len(n.materials), len(n.elements)))
    for i, m in enumerate(n.materials):
        item = n.chain.materials[m]
        if item.form == "oxide":
            e = n.element_at[item.element or ""]
            content[i, e] = n.per_oxide[e, 0]
        elif item.form == "metal":
            content[i, n.element_at[item.element or ""]] = 1.0
        else:
            for recipe in n.chain.recipes[m].values():
                e = n.element_at[n.chain.materials[recipe.input].element or ""]
                content[i, e] += recipe.contained_element_t_per_t_output
    return content
