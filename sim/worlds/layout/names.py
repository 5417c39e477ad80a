"""What the rows and columns of arrays are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from lodestone.chain.balance import Balance
from lodestone.chain.nouns import Chain, Facility
from lodestone.worlds.layout.rows import column

#: Transit assumed where no route row exists, days (A258).
DEFAULT_TRANSIT_DAYS = 35.0
DEFAULT_EXPRESS_DAYS = 10.0
#: Freight assumed there, USD/kg (A258).
DEFAULT_FREIGHT = 0.3


@dataclass(frozen=True)
class Names:
    """Regions, elements, materials and sectors in the order of their rows."""

    chain: Chain
    balance: Balance
    start: date
    regions: list[str]
    elements: list[str]
    materials: list[str]
    sectors: list[str]
    region_at: dict[str, int]
    element_at: dict[str, int]
    material_at: dict[str, int]
    sector_at: dict[str, int]
    form: list[str]  # oxide, metal or magnet, by material
    per_oxide: np.ndarray  # (e, 1) t element per t oxide

    def metals_of(self, f: Facility) -> list[str]:
        """Metals that a metal plant can make (its own and, in small amounts, the others)."""
        if f.stage != "metal":
            return []
        return [m for m in self.materials if self.chain.materials[m].form == "metal"]

    def magnets_of(self, f: Facility) -> list[str]:
        """Magnet grades that a magnet plant can make."""
        if f.stage != "magnet":
            return []
        family = "smco" if f.material.startswith("smco") else "ndfeb"
        return [
            m
            for m in self.materials
            if self.chain.materials[m].form == "magnet" and m.startswith(family)
        ]

    def ever_makes(self, material: str, region: str, facilities: list[Facility]) -> bool:
        """Whether a region makes a material, or may once its plants are on line."""
        if (material, region) in self.balance.production:
            return True
        form = self.chain.materials[material].form
        for f in facilities:
            if f.region != region:
                continue
            if form == "oxide" and f.stage in ("separation", "recycling"):
                return True
            if material in self.metals_of(f) or material in self.magnets_of(f):
                return True
        return False

    def route(self, origin: str, place: str) -> tuple[float, float, float]:
        """Transit days, express days and freight (USD/kg) of a pair of regions."""
        if origin == place:
            return 0.0, 0.0, 0.0
        found = self.chain.routes.get((origin, place)) or self.chain.routes.get((place, origin))
        if found is None:
            return DEFAULT_TRANSIT_DAYS, DEFAULT_EXPRESS_DAYS, DEFAULT_FREIGHT
        return (
            found.transit_days,
            min(found.express_days, found.transit_days),
            found.freight_usd_per_kg,
        )

    def oxide(self, element: str) -> str:
        """Name of an element's oxide, empty without."""
        for m in self.materials:
            item = self.chain.materials[m]
            if item.form == "oxide" and item.element == element:
                return m
        return ""

    @cached_property
    def heavy(self) -> frozenset[str]:
        """Magnets with heavy elements."""
        return frozenset(
            material
            for material, form in zip(self.materials, self.form, strict=True)
            if form == "magnet"
            and any(
                self.chain.elements[self.chain.materials[r.input].element or ""].group == "heavy"
                for r in self.chain.recipes.get(material, {}).values()
                if self.chain.materials[r.input].element
            )
        )

    @cached_property
    def light_twin(self) -> dict[str, str]:
        """Magnet with heavy elements -> the grade of the same family without them."""
        out = {}
        for material in self.heavy:
            family = material.split("_")[0]
            alike = [m for m in self.materials if m.startswith(family) and m not in self.heavy]
            if alike:
                out[material] = alike[0]
        return out


def names_of(chain: Chain, balance: Balance, start: date) -> Names:
    """Give every region, element, material and sector its row."""
    regions, elements = list(chain.regions), list(chain.elements)
    materials = [n for n, m in chain.materials.items() if m.form != "concentrate"]
    sectors = list(chain.sectors)
    return Names(
        chain=chain,
        balance=balance,
        start=start,
        regions=regions,
        elements=elements,
        materials=materials,
        sectors=sectors,
        region_at={n: i for i, n in enumerate(regions)},
        element_at={n: i for i, n in enumerate(elements)},
        material_at={n: i for i, n in enumerate(materials)},
        sector_at={n: i for i, n in enumerate(sectors)},
        form=[chain.materials[m].form for m in materials],
        per_oxide=column([chain.elements[e].element_per_oxide for e in elements]),
    )
