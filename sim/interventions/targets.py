"""How the words of a declaration become rows, and when they mean nothing at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.context import Context, Words
from lodestone.worlds.made import makes
from lodestone.worlds.parts import Part

__all__ = [
    "PlantsOf",
    "Select",
    "Targets",
    "TradeOf",
    "UsersOf",
    "makes_any",
    "plants_of",
    "takes_any",
    "trade",
    "users_of",
]


@dataclass(frozen=True)
class Targets:
    """The rows that a declaration means; what it does not name is empty."""

    goods: Part | None = None
    ore: Part | None = None
    cells: Part | None = None
    users: Part | None = None
    plants: np.ndarray | None = None

    def nothing(self) -> bool:
        """Whether it names rows and none is there."""
        named = [p for p in (self.goods, self.ore, self.users) if p is not None]
        rows = any(part.rows.any() for part in named)
        empty = self.plants is not None and not len(self.plants)
        return empty or (bool(named) and not rows)


class Select(Protocol):
    """How the words of a declaration become rows, and when they mean nothing at all."""

    def rows(self, item: object, ctx: Context) -> Targets:
        """The rows meant."""

    def empty(self, item: object, chain: Chain) -> str:
        """Why nothing is meant, in a few words; empty if something is."""


@dataclass(frozen=True)
class TradeOf:
    """Goods and ore that places named under these keys send one another."""

    exporter: str
    destinations: str | None = None
    materials: str | None = None

    def rows(self, item: object, ctx: Context) -> Targets:
        """Trade links, links of concentrate, and buyers."""
        ours, ends, made = self._named(item)
        goods = ctx.goods(ours, ends, made)
        return Targets(goods=goods, ore=ctx.ore(ours, ends, made), cells=ctx.buyers(goods))

    def _named(self, item: object) -> tuple[Words, Words, Words]:
        ends = _words(item, self.destinations)
        made = _words(item, self.materials)
        return _words(item, self.exporter), ends, made

    def empty(self, item: object, chain: Chain) -> str:
        """Nothing is meant where the exporter makes none of it, or sells to itself alone."""
        exporter, ends, made = self._named(item)
        ours = naming.places(chain, exporter or ())
        theirs = naming.places(chain, naming.EVERYTHING if ends is None else ends)
        goods = naming.materials(chain, naming.EVERYTHING if made is None else made)
        makers = {region for region in ours.use if makes_any(chain, ours, region, goods)}
        if not makers:
            return f"{_listed(exporter)} makes none of {_listed(made or naming.EVERYTHING)}"
        if all(set(theirs.use) <= {region} for region in makers):
            return f"the model has no trade inside {' and '.join(sorted(makers))}"
        if not any(share > 0.0 for share in theirs.use.values()):
            return f"{_listed(ends)} has no share in what its region uses"
        if not any(
            _lane(chain, ours, region, there, goods)
            for region in makers
            for there in theirs.use
            if there != region
        ):
            what = _listed(made or naming.EVERYTHING)
            return f"no lane takes {what} from {_listed(exporter)} to {_listed(ends)}"
        return ""

    def later(self, item: object, chain: Chain, end: date) -> str:
        """Nothing is meant before the plants are built that make it or separate it."""
        there = {
            name: f
            for name, f in chain.facilities.items()
            if f.start_date is None or f.start_date < end
        }
        why = self.empty(item, replace(chain, facilities=there))
        return f"{why} before the run ends on {end}" if why else ""


@dataclass(frozen=True)
class UsersOf:
    """Users in the places and sectors named under these keys."""

    regions: str
    sectors: str

    def rows(self, item: object, ctx: Context) -> Targets:
        """Lines of users."""
        return Targets(users=ctx.users(_words(item, self.regions), _words(item, self.sectors)))

    def empty(self, item: object, chain: Chain) -> str:
        """Nothing is meant where nobody there uses anything for it."""
        where = naming.places(chain, _words(item, self.regions) or ()).use
        sectors = naming.sectors(chain, _words(item, self.sectors) or ())
        for _, sector, region in naming.uses(chain):
            if sector in sectors and where.get(region, 0.0) > 0.0:
                return ""
        return f"nobody in {_listed(_words(item, self.regions))} uses anything for it"


@dataclass(frozen=True)
class PlantsOf:
    """Plants named, or those of a place and stage."""

    facilities: str | None
    region: str
    stage: str | None = None

    def _named(self, item: object) -> tuple[Words, Words, str | None]:
        stage = _words(item, self.stage)
        at = stage if stage is None or isinstance(stage, str) else str(stage)
        return _words(item, self.facilities), _words(item, self.region), at

    def rows(self, item: object, ctx: Context) -> Targets:
        """Plants."""
        return Targets(plants=ctx.facilities(*self._named(item)))

    def empty(self, item: object, chain: Chain) -> str:
        """Nothing is meant where no plant of the stage is on file there."""
        names, region, stage = self._named(item)
        listed = (names,) if isinstance(names, str) else names
        found = naming.plants(chain, listed, region, stage)
        if any(chain.facilities[f].modelled for f in found):
            return ""
        what = f"facility of stage {stage}" if stage else "facility"
        return f"there is no {what} in {_listed(region or names)}"


def trade(exporter: str, destinations: str | None = None, materials: str | None = None) -> TradeOf:
    """What places named under these keys send one another."""
    return TradeOf(exporter, destinations, materials)


def users_of(regions: str, sectors: str) -> UsersOf:
    """Users in the places and sectors named under these keys."""
    return UsersOf(regions, sectors)


def plants_of(facilities: str | None, region: str, stage: str | None = None) -> PlantsOf:
    """Plants named under these keys, or those of a place and stage."""
    return PlantsOf(facilities, region, stage)


def makes_any(chain: Chain, where: naming.Places, region: str, goods: Iterable[str]) -> bool:
    """Whether the part of a region that is meant makes any of some goods, now or when built."""
    wanted = set(goods)
    split = region in where.split()
    for f in chain.facilities.values():
        if f.region != region or not f.modelled or (split and not where.holds(f)):
            continue
        if f.stage == "metal":
            made = {n for n, m in chain.materials.items() if m.form == "metal"}
        else:
            made = set(makes(f, chain))
        if made & wanted:
            return True
    alike = [f for f in chain.facilities.values() if f.region == region and f.modelled]
    on_file = {row.material for row in chain.baseline if row.region == region and row.tonnes > 0.0}
    return bool(on_file & wanted) and not (split and alike)


def takes_any(chain: Chain, region: str, goods: Iterable[str]) -> bool:
    """Whether anybody in a region uses any of some goods, or works them up."""
    wanted = set(goods)
    if any(material in wanted for material, _, place in naming.uses(chain) if place == region):
        return True
    inputs = {name for recipe in chain.recipes.values() for name in recipe}
    return bool(wanted & inputs) and any(
        f.region == region and f.modelled and f.stage in ("metal", "magnet")
        for f in chain.facilities.values()
    )


def _lane(chain: Chain, ours: naming.Places, region: str, there: str, goods: Iterable[str]) -> bool:
    """Whether any of some goods can go from a region to another.

    Ore goes abroad from all but the region that separates most, to where it can be separated.
    """
    ore = [m for m in goods if chain.materials[m].form == "concentrate"]
    other = [m for m in goods if m not in ore]
    if other and takes_any(chain, there, other) and makes_any(chain, ours, region, other):
        return True
    separated = any(
        f.region == there and f.modelled and f.stage == "separation"
        for f in chain.facilities.values()
    )
    leaves = region != naming.home_of(chain)
    return bool(ore) and separated and leaves and makes_any(chain, ours, region, ore)


def _words(item: object, key: str | None) -> Words:
    """What a declaration names under a key; None without a key, or where nothing is named."""
    given: Words = getattr(item, key) if key else None
    return given


def _listed(words: Words) -> str:
    return words if isinstance(words, str) else ", ".join(words or ())
