"""Cells: a material in a region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.plants import Plants
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, Segments, column


@dataclass(frozen=True)
class Cells:
    """One row a material in a region, by material."""

    keys: list[tuple[str, str]]  # (material, region)
    at: dict[tuple[str, str], int]
    n: int
    material: np.ndarray  # (c,)
    region: np.ndarray  # (c,)
    home: np.ndarray  # (c,) bool: in the region that sets home prices
    output: np.ndarray  # (c, 1) t/week in the base year
    need: np.ndarray  # (c, 1) use and inputs, t/week in the base year
    plant_need: np.ndarray  # (c, 1) inputs of metal and magnet makers, t/week
    plant_cover: np.ndarray  # (c, 1) weeks of them that makers hold
    oxide: np.ndarray  # (c,) bool
    metal: np.ndarray  # (c,) bool
    magnet: np.ndarray  # (c,) bool
    makes: np.ndarray  # (c,) bool: makes the material, or may once
    uses: np.ndarray  # (c,) bool: uses it, or may once: an input of works that are to be built
    by_material: Segments


def cells_of(n: Names, plants: Plants, home_region: str) -> Cells:
    """Every material in every region that makes, needs or may once make it."""
    b, chain = n.balance, n.chain
    wanted: set[tuple[str, str]] = set(b.production) | set(b.plant_need)
    wanted |= {(m, r) for (_, m, r) in b.use}
    made = set(b.production)
    for f in plants.rows:
        if f.stage in ("separation", "recycling"):
            wanted |= {(m, f.region) for m in n.materials if chain.materials[m].form == "oxide"}
        made |= {(m, f.region) for m in (*n.metals_of(f), *n.magnets_of(f))}
    wanted |= made
    for m, r in list(wanted):
        if (m, r) in made:
            wanted |= {(recipe.input, r) for recipe in chain.recipes.get(m, {}).values()}
    for m, r in list(wanted):  # inputs of the inputs (metal made on the spot)
        if (m, r) in b.production:
            wanted |= {(recipe.input, r) for recipe in chain.recipes.get(m, {}).values()}
    keys = sorted(wanted, key=lambda c: (n.material_at[c[0]], n.region_at[c[1]]))
    at = {c: i for i, c in enumerate(keys)}
    material = np.array([n.material_at[m] for m, _ in keys])
    region = np.array([n.region_at[r] for _, r in keys])
    per_week = 1.0 / WEEKS_PER_YEAR
    plant_need = column([b.plant_need.get(c, 0.0) * per_week for c in keys])
    need = plant_need[:, 0].copy()
    for (_, m, r), t in b.use.items():
        need[at[(m, r)]] += t / WEEKS_PER_YEAR
    forms = np.array([n.form[m] for m in material])
    makes = np.array([n.ever_makes(m, r, plants.rows) for m, r in keys])
    uses = need > 0
    for (m, r), able in zip(keys, makes, strict=True):
        for recipe in chain.recipes.get(m, {}).values() if able else ():
            uses[at[(recipe.input, r)]] = True
    return Cells(
        keys=keys,
        at=at,
        n=len(keys),
        material=material,
        region=region,
        home=region == n.region_at[home_region],
        output=column([b.production.get(c, 0.0) * per_week for c in keys]),
        need=column(need),
        plant_need=plant_need,
        plant_cover=column([_plant_cover(n, m, r) for m, r in keys]),
        oxide=forms == "oxide",
        metal=forms == "metal",
        magnet=forms == "magnet",
        makes=makes,
        uses=uses,
        by_material=Segments.of(material),
    )


def _plant_cover(n: Names, material: str, region: str) -> float:
    """Weeks of an input that makers of a region hold: as reported, else the default."""
    for row in n.chain.stockpiles.values():
        if row.kind == "industry" and row.region == region and row.days:
            named = {m for word in row.materials for m in n.chain.materials_named(word)}
            if material in named and n.chain.materials[material].form != "magnet":
                return row.days / 7.0
    return n.chain.value("cover.plant_weeks")
