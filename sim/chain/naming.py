"""The one resolver of words: what a place, a material, a user or a plant named in a file means.

Measures, facts, metrics, series, tables and figures ask here, so that a word means one thing.

Places are resolved to *countries* first: a region means all of its countries, a bloc its members,
``all`` every country. So a country named twice, by itself and by a bloc, counts once; the
members of a bloc and the rest of a region, listed apart, add up to the region; and a country
inside a region means its share of the region, never the whole:

- of what the region *uses*: the country's share of its demand (``countries.csv``, A43);
- of what it *makes*: the country's share of the plants on file (by capacity).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lodestone.border.words import unknown
from lodestone.chain.balance import runs_in_base_year
from lodestone.chain.nouns import Chain, Facility

if TYPE_CHECKING:  # loaded where it is used, so that listing and help start without it
    import numpy as np

__all__ = [
    "EVERYTHING",
    "Places",
    "Users",
    "also_called",
    "country_of",
    "home_of",
    "known_place",
    "materials",
    "place_words",
    "places",
    "plants",
    "plants_at",
    "sectors",
    "user_words",
    "users",
    "uses",
]

#: The word for every place, material, sector or tier.
EVERYTHING = "all"
#: Weights below this are nothing (shares in the tables have five digits).
NOTHING = 1e-9


# --------------------------------------------------------------------------- places


@dataclass(frozen=True)
class Places:
    """Some countries of a chain, by whatever words they were named.

    Attributes
    ----------
    countries : frozenset of str
        What is meant. A region without a row in the table of countries stands for itself.
    """

    chain: Chain
    countries: frozenset[str]

    @cached_property
    def use(self) -> dict[str, float]:
        """Region -> share of its use that is meant, 0 to 1; regions not touched are left out."""
        out: dict[str, float] = {}
        for region, there in self.chain.countries_by_region.items():
            named = [c for c in there if c in self.countries]
            if not named:
                continue
            if all(c in self.countries or self.weight(c) <= 0.0 for c in there):
                out[region] = 1.0
            else:
                out[region] = min(1.0, sum(self.weight(c) for c in sorted(named)))
        return out

    def making(self, stage: str, material: str | None = None) -> dict[str, float]:
        """Region -> share of what its plants of a stage make that is meant, 0 to 1.

        By the capacity of the plants on file that ran in the base year; where none did, of those
        announced. A country without such a plant makes nothing of it. A region without any plant
        on file is told apart by use (A43).

        Parameters
        ----------
        stage
            mine, separation, metal, magnet or recycling.
        material
            Only plants whose main product it is (default: all of the stage).
        """
        alike = [
            f
            for f in self.chain.facilities.values()
            if f.stage == stage and f.modelled and (material is None or f.material == material)
        ]
        return self._by_plants(alike, lambda f: f.capacity_t_per_year)

    def made(
        self, material: str, able: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, float | np.ndarray]:
        """Region -> share of its output of a material that is meant, 0 to 1.

        By what the plants on file can make of it: of an oxide their contents of its element, where
        those are on file (recycling plants too); of a metal or a kind of magnet the capacity of
        those that make it; of ore that of the mines.

        Parameters
        ----------
        material
            Name of a material, or ``ore``.
        able
            What each plant could make in a year, t of its own basis, shape (w,), by name; by
            default the capacity of those that ran in the base year. Where no plant could, that
            of the base year.

        Returns
        -------
        dict
            A number, or with ``able`` and a region of which a part is meant, shape (w,).
        """
        if not self.split():
            return dict(self.use)
        item = self.chain.materials.get(material)
        form = item.form if item else "concentrate"
        stages = {"oxide": ("separation", "recycling"), "concentrate": ("mine",)}.get(form, (form,))
        alike = [f for f in self.chain.facilities.values() if f.stage in stages and f.modelled]
        if form == "magnet":
            alike = [f for f in alike if material.startswith(f.material)]
        elif form == "metal":
            alike = [f for f in alike if f.material == material]
        element = item.element if item and form == "oxide" else None
        told = any(element in f.contents() for f in alike)

        def size(f: Facility) -> float:
            return f.contents()[str(element)] if told else f.capacity_t_per_year

        on_paper = self._by_plants(alike, size)
        out: dict[str, float | np.ndarray] = dict(on_paper)
        if able is None:
            return out
        import numpy as np

        for region, share in on_paper.items():
            if region not in self.split():
                continue
            here = [f for f in alike if f.region == region and f.name in able]
            sizes = [able[f.name] * (size(f) / max(f.capacity_t_per_year, NOTHING)) for f in here]
            whole = sum(sizes, np.zeros(1))
            own = sum((t for f, t in zip(here, sizes, strict=True) if self.holds(f)), np.zeros(1))
            out[region] = np.where(whole > NOTHING, own / np.maximum(whole, NOTHING), share)
        return out

    def _by_plants(
        self, alike: Iterable[Facility], size: Callable[[Facility], float]
    ) -> dict[str, float]:
        """Region -> share of the size of some plants; by use where a region has none."""
        alike = list(alike)
        year = self.chain.vintage.base_year
        split = self.split()
        out = {}
        for region, share in self.use.items():
            here = [f for f in alike if f.region == region]
            counted = [f for f in here if runs_in_base_year(f, year) and size(f) > 0.0] or here
            whole = sum(map(size, counted))
            if region not in split:
                out[region] = 1.0
            elif whole <= 0.0:
                out[region] = share
            else:
                out[region] = sum(size(f) for f in counted if self.holds(f)) / whole
        return out

    def weight(self, country: str) -> float:
        """Share of a country in the use of its region (1 where a region is one country)."""
        row = self.chain.countries.get(country)
        return 1.0 if row is None else row.share_of_region_demand

    @property
    def regions(self) -> list[str]:
        """Regions touched, in the order of the chain."""
        return list(self.use)

    def split(self) -> dict[str, list[str]]:
        """Region -> countries meant, for regions of which only a part is meant."""
        out = {}
        for region, there in self.chain.countries_by_region.items():
            named = [c for c in there if c in self.countries]
            if named and len(named) < len(there):
                out[region] = named
        return out

    def holds(self, facility: Facility) -> bool:
        """Whether a plant lies there."""
        if facility.country in self.chain.countries:
            return facility.country in self.countries
        return facility.region in self.countries

    def plants(self, *stages: str) -> list[str]:
        """Names of the plants there (of some stages, or all), in the order of the chain."""
        return [
            name
            for name, item in self.chain.facilities.items()
            if (not stages or item.stage in stages) and self.holds(item)
        ]

    def __and__(self, other: Places) -> Places:
        """What both mean."""
        return Places(self.chain, self.countries & other.countries)

    def __or__(self, other: Places) -> Places:
        """What either means."""
        return Places(self.chain, self.countries | other.countries)

    def __sub__(self, other: Places) -> Places:
        """What is meant without what the other means."""
        return Places(self.chain, self.countries - other.countries)

    def __bool__(self) -> bool:
        """Whether anything is meant."""
        return bool(self.countries)


def place_words(chain: Chain) -> list[str]:
    """Every word that names places: regions, blocs, countries and `all`."""
    return [*chain.regions, *chain.blocs, *chain.countries, EVERYTHING]


def also_called(chain: Chain) -> dict[str, str]:
    """Other words for countries: ISO codes of two and three letters, common names -> our name."""
    return {word: item.name for item in chain.countries.values() for word in item.also_called}


def known_place(chain: Chain, word: str) -> str | None:
    """Return our name for a place, or None where nothing is called so.

    Our own words come first; codes and common names are read whatever their case.
    """
    target = _plain(word)
    for name in (word, target):
        if name == EVERYTHING or name in chain.regions or name in chain.blocs:
            return name
        if name in chain.countries:
            return name
    return also_called(chain).get(target)


def places(
    chain: Chain, words: str | Iterable[str], file: object = None, key: object = None
) -> Places:
    """Return what one word, or several, name.

    Parameters
    ----------
    words
        Regions, blocs, countries, ISO codes, common names of countries, or ``all``.
    file, key
        Where they stand, for the message of an error.

    Raises
    ------
    InputError
        If a word is unknown; it names the nearest known one.
    """
    by_region = chain.countries_by_region
    found: set[str] = set()
    for word in (words,) if isinstance(words, str) else words:
        name = known_place(chain, str(word))
        if name is None:
            raise unknown(
                "region, country or bloc", word, place_words(chain), file, key, also_called(chain)
            )
        if name == EVERYTHING:
            found.update(*by_region.values())
        elif name in chain.regions:
            found.update(by_region[name])
        elif name in chain.blocs:
            found.update(chain.blocs[name].countries)
        else:
            found.add(name)
    return Places(chain, frozenset(found))


def country_of(chain: Chain, region: str) -> str:
    """Return the country in which a new plant of a region is taken to lie: the largest user."""
    there = chain.countries_by_region[region]
    if region in there:
        return region
    return max(there, key=lambda c: (chain.countries[c].share_of_region_demand, c))


def home_of(chain: Chain) -> str:
    """Return the region that sets the price at home: the one that separates most."""
    made: dict[str, float] = {}
    for f in chain.facilities.values():
        if f.stage == "separation" and f.modelled:
            made[f.region] = made.get(f.region, 0.0) + f.capacity_t_per_year
    return max(made, key=lambda r: (made[r], r))


# --------------------------------------------------------------------------- materials


def materials(
    chain: Chain, words: str | Iterable[str], file: object = None, key: object = None
) -> list[str]:
    """Return the materials meant by names and group words, in the order of the chain.

    Raises
    ------
    InputError
        If a word is unknown; it names the nearest known one.
    """
    listed = (words,) if isinstance(words, str) else words
    wanted = {name for word in listed for name in chain.materials_named(word, file, key)}
    return [name for name in chain.materials if name in wanted]


# --------------------------------------------------------------------------- users


@dataclass(frozen=True)
class Users:
    """Who uses: sectors, tiers of them, or both, and where.

    Attributes
    ----------
    sectors : dict
        Sector -> share of its use that is meant (all of it, or that of some tiers).
    places : Places
    """

    sectors: dict[str, float]
    places: Places

    def share(self, sector: str, region: str) -> float:
        """Share of the use of a sector in a region that is meant."""
        return self.sectors.get(sector, 0.0) * self.places.use.get(region, 0.0)


def sectors(chain: Chain, words: str | Iterable[str]) -> list[str]:
    """Return the sectors meant, in the order of the chain."""
    wanted = {words} if isinstance(words, str) else set(words)
    return [s for s in chain.sectors if EVERYTHING in wanted or s in wanted]


def user_words(chain: Chain) -> list[str]:
    """Every word that names users: sectors, tiers and `all`."""
    tiers = dict.fromkeys(tier for shares in chain.tiers.values() for tier in shares)
    return [*chain.sectors, *tiers, EVERYTHING]


def users(
    chain: Chain, words: str | Iterable[str], where: str | Iterable[str] = EVERYTHING
) -> Users:
    """Return the users meant by sectors and tiers; a tier counts with its share of each sector.

    Raises
    ------
    InputError
        If a word is unknown.
    """
    wanted = {words} if isinstance(words, str) else set(words)
    known = user_words(chain)
    for word in sorted(wanted - set(known)):
        raise unknown("sector or tier", word, known)
    found = {}
    for sector in chain.sectors:
        whole = EVERYTHING in wanted or sector in wanted
        tiers = chain.tiers.get(sector, {})
        part = 1.0 if whole else min(1.0, sum(tiers.get(tier, 0.0) for tier in sorted(wanted)))
        if part > NOTHING:
            found[sector] = part
    return Users(found, places(chain, where))


def uses(chain: Chain) -> list[tuple[str, str, str]]:
    """Return who uses what in the base year, as (material, sector, region)."""
    return [(row.material, row.sector, row.region) for row in chain.demand] + [
        (row.material, row.sector, row.region) for row in chain.oxide_uses
    ]


# --------------------------------------------------------------------------- plants


def plants(
    chain: Chain,
    names: Iterable[str] | None = None,
    where: str | Iterable[str] | None = None,
    stage: str | None = None,
) -> list[str]:
    """Return the plants meant by name, or by place and stage, in the order of the chain.

    A country or a bloc means its own plants, not those of the whole region it is part of.
    """
    if names:
        wanted = {names} if isinstance(names, str) else set(names)
        return [f for f in chain.facilities if f in wanted]
    stages = () if stage is None else (stage,)
    return plants_at(chain, EVERYTHING if where is None else where, stages)


def plants_at(chain: Chain, where: str | Iterable[str], stages: Iterable[str]) -> list[str]:
    """Return the plants of some stages (none: all) that lie in some places."""
    return places(chain, where).plants(*stages)


def _plain(word: str) -> str:
    return word.strip().lower().replace(" ", "_").replace("-", "_")
