"""The validated whole of a vintage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lodestone.border.words import unknown
from lodestone.chain.demand import Cost, DemandRow, OxideUse, PlantCost
from lodestone.chain.evidence import Assumption, Claim, PolicyFact, Source, TradeFact, Vintage
from lodestone.chain.overrides import Numbers
from lodestone.chain.row import FORMS
from lodestone.chain.supply import (
    Baseline,
    Bloc,
    ConcentrateTrade,
    Country,
    Element,
    Material,
    Recipe,
    Region,
    Route,
    TradePrior,
)


@dataclass(frozen=True, kw_only=True)
class Chain(Numbers):
    """The validated whole: what is, before anything happens."""

    vintage: Vintage
    regions: dict[str, Region]
    countries: dict[str, Country]
    blocs: dict[str, Bloc]
    elements: dict[str, Element]
    materials: dict[str, Material]
    recipes: dict[str, dict[str, Recipe]]
    mixes: dict[str, dict[str, float]]
    baseline: tuple[Baseline, ...]
    concentrate_trade: tuple[ConcentrateTrade, ...]
    trade_priors: tuple[TradePrior, ...]
    routes: dict[tuple[str, str], Route]
    tiers: dict[str, dict[str, float]]
    demand: tuple[DemandRow, ...]
    oxide_uses: tuple[OxideUse, ...]
    costs: tuple[Cost, ...]
    plant_costs: dict[tuple[str, str], PlantCost]
    policies: tuple[PolicyFact, ...]
    trade_facts: tuple[TradeFact, ...]
    sources: dict[str, Source]
    assumptions: dict[str, Assumption]
    claims: dict[str, Claim] = field(default_factory=dict, repr=False, compare=False)
    #: Calibrated parameter -> its value in every member of the posterior (same order for all).
    posterior: dict[str, tuple[float, ...]] = field(default_factory=dict, repr=False)
    tables: dict[str, tuple[Any, ...]] = field(default_factory=dict, repr=False, compare=False)

    # ---- places --------------------------------------------------------------------------

    @cached_property
    def countries_by_region(self) -> dict[str, list[str]]:
        """Region -> its countries; a region without a row among them stands for itself."""
        out: dict[str, list[str]] = {region: [] for region in self.regions}
        for country in self.countries.values():
            out.setdefault(country.region, []).append(country.name)
        return {region: there or [region] for region, there in out.items()}

    # ---- words ---------------------------------------------------------------------------

    @property
    def forms(self) -> tuple[str, ...]:
        """The product forms in order of the chain."""
        return FORMS

    def material_words(self) -> list[str]:
        """Every word that names materials: names, `all`, `ndfeb_magnets`, forms in plural."""
        return [*self.materials, "all", "ndfeb_magnets", *(form + "s" for form in FORMS)]

    def materials_named(self, word: str, file: object = None, key: object = None) -> list[str]:
        """Return the materials that a word means, in the order of the table.

        Raises
        ------
        InputError
            If the word is unknown; it names the nearest known one.
        """
        if word == "all":
            return list(self.materials)
        if word == "ndfeb_magnets":
            return [name for name in self.materials if name.startswith("ndfeb_")]
        for form in FORMS:
            if word in (form + "s", form):
                return [name for name, item in self.materials.items() if item.form == form]
        if word in self.materials:
            return [word]
        raise unknown("material", word, self.material_words(), file, key)

    def plant_cost(self, stage: str, region: str) -> PlantCost:
        """Return what a plant of a stage costs and how long it takes to build in a region."""
        return self.plant_costs.get((stage, region)) or self.plant_costs[(stage, "")]

    def source_titles(self, keys: Iterable[str]) -> dict[str, str]:
        """Return key -> title (a source) or statement (an assumption) for the keys given."""
        found = {}
        for key in keys:
            if key in self.sources:
                found[key] = self.sources[key].title
            elif key in self.assumptions:
                found[key] = self.assumptions[key].statement
        return found

    def knows_source(self, key: str) -> bool:
        """Whether a source key resolves in the bibliography or the assumptions."""
        return key in self.sources or key in self.assumptions
