"""A series as it is asked for, and which rows of a run that means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.outputs.series.sums import Sum

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun

#: Form of the product of a stage.
FORM_OF = {"mine": "concentrate", "separation": "oxide", "recycling": "oxide", "metal": "metal", "magnet": "magnet"}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A series as an episode file writes it: a metric and what it is asked of.

    Attributes
    ----------
    metric : str
        Name of the series.
    words : tuple of (str, tuple of str)
        Selectors other than ``case`` and ``per``, each with its names; ``all`` is left out.
    case : str
        ``scenario`` or ``reference``.
    per : str
        Length of a period: week, month, quarter or year.
    """

    metric: str
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    case: str = "scenario"
    per: str = "month"

    def get(self, selector: str) -> tuple[str, ...] | None:
        """Names of a selector, None for all."""
        return dict(self.words).get(selector)

    @property
    def probe(self) -> tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]:
        """What decides what is read; case and period do not."""
        return self.metric, self.words

    def told(self) -> str:
        """The series in words, for messages."""
        inside = ", ".join(f"{k}={'+'.join(v)}" for k, v in self.words)
        return f"{self.metric}({inside})" if inside else self.metric

    def goods(self, chain: Chain, default: str) -> list[str]:
        """Materials that are meant: those named, of the stages and elements named."""
        words, stages = self.get("material"), self.get("stage")
        elements = self.get("element")
        forms = {FORM_OF[s] for s in stages or ()}
        if words is None and stages is not None:
            names = list(chain.materials)
        else:
            names = [m for w in words or default.split(";") for m in chain.materials_named(w)]
        if stages is not None:
            names = [m for m in names if chain.materials[m].form in forms]
        if elements is not None:
            names = [m for m in names if chain.materials[m].element in (None, *elements)]
        return list(dict.fromkeys(names))

    def priced(self, chain: Chain, default: str) -> list[str]:
        """The same without ore, which has no price of its own."""
        return [m for m in self.goods(chain, default) if chain.materials[m].form != "concentrate"]


class Asked:
    """Which rows of a run a query means, and what of each counts.

    Parameters
    ----------
    query : Query
        Checked by `lodestone.outputs.series.check_query`.
    run : BatchRun
        The batch, before it starts.
    default : str
        Materials that are meant where none is named.
    """

    def __init__(self, query: Query, run: BatchRun, default: str) -> None:
        self.query, self.run, self.lay = query, run, run.layout
        self.default = default
        self.worlds = len(run.worlds)

    def get(self, selector: str) -> tuple[str, ...] | None:
        """Names of a selector, None for all."""
        return self.query.get(selector)

    def told(self) -> str:
        """The series in words, for messages."""
        return self.query.told()

    def sum(self) -> Sum:
        """A sum without a row as yet."""
        return Sum(self.worlds)

    def _meant(self, selectors: tuple[str, ...]) -> naming.Places | None:
        """Places of the first selector that is given; None for all."""
        words = next((w for s in selectors if (w := self.get(s)) is not None), None)
        return None if words is None else naming.places(self.lay.chain, words)

    def places(self, *selectors: str) -> np.ndarray:
        """Share of each region's use that the first selector given means, shape (r,)."""
        meant, regions = self._meant(selectors), self.lay.regions
        if meant is None:
            return np.ones(len(regions))
        return np.array([meant.use.get(r, 0.0) for r in regions])

    def made(self, *selectors: str, of: Sequence[str] | None = None) -> np.ndarray:
        """Share of each region's output of each material that is meant, shape (m, r)."""
        meant, regions = self._meant(selectors), self.lay.regions
        goods = self.lay.materials if of is None else of
        if meant is None:
            return np.ones((len(goods), len(regions)))
        shares = [meant.made(name) for name in goods]
        return np.array([[s.get(r, 0.0) for r in regions] for s in shares], dtype=float)

    def holds(self) -> np.ndarray:
        """Which plants lie in the places meant, 1 or 0, shape (f,)."""
        meant, plants = self._meant(("region",)), self.lay.plants.rows
        return np.array([1.0 if meant is None else float(meant.holds(f)) for f in plants])

    @cached_property
    def goods(self) -> list[str]:
        """Materials that are meant."""
        return self.query.goods(self.lay.chain, self.default)

    @cached_property
    def priced(self) -> list[str]:
        """Materials that are meant and have a price of their own."""
        return self.query.priced(self.lay.chain, self.default)

    @cached_property
    def contained(self) -> np.ndarray:
        """Tonnes that one tonne of a material counts, shape (m,).

        One, or with an element selected: one for its oxides and metals, what is contained of it
        for magnets, nothing for others.
        """
        lay, elements = self.lay, self.get("element")
        out = np.ones(len(lay.materials))
        if elements is None:
            return out
        rows = [lay.element_at[e] for e in elements if e in lay.element_at]
        for i, name in enumerate(lay.materials):
            item = lay.chain.materials[name]
            if item.element is None:
                out[i] = lay.content[i, rows].sum()
            else:
                out[i] = 1.0 if item.element in elements else 0.0
        return out

    @cached_property
    def counted(self) -> np.ndarray:
        """Tonnes that count of each tonne of a material, zero where it is not meant, (m,)."""
        names = set(self.goods)
        return np.where([m in names for m in self.lay.materials], self.contained, 0.0)

    @cached_property
    def in_ore(self) -> np.ndarray:
        """Which elements of an ore count, shape (e,)."""
        elements = self.get("element")
        named = self.lay.elements
        return np.array([1.0 if elements is None or e in elements else 0.0 for e in named])

    def users(self) -> np.ndarray:
        """Share of each user line that is meant, shape (u,)."""
        lay = self.lay
        weight = self.places("region")[lay.users.region]
        weight = weight * (self.counted > 0)[lay.users.material]
        sectors, tiers = self.get("sector"), self.get("tier")
        if sectors is not None:
            weight = weight * np.isin(lay.users.sector, [lay.sector_at[s] for s in sectors])
        if tiers is not None:
            weight = weight * np.minimum(sum(self._tier(t) for t in tiers), 1.0)
        return weight

    def _tier(self, tier: str) -> np.ndarray:
        """Share of each user line in a tier: military lines are all defence, civil ones not."""
        lay = self.lay
        military = lay.users.defence[:, 0]
        if tier == "defence":
            return military
        shares = [lay.chain.tiers.get(lay.sectors[s], {}) for s in lay.users.sector]
        whole = np.array([s.get(tier, 0.0) for s in shares])
        civil = 1.0 - np.array([s.get("defence", 0.0) for s in shares])
        return np.where(civil > 0.0, whole / np.maximum(civil, 1e-12), 0.0) * (1.0 - military)

    def use(self) -> np.ndarray:
        """Tonnes that count of each tonne that a user line takes, shape (u,)."""
        return self.users() * self.contained[self.lay.users.material]

    def makers(self) -> np.ndarray:
        """Tonnes that count of each tonne that makers take of an input, shape (inputs,).

        None do unless goods are named, and neither a sector nor a tier is.
        """
        cells = self.lay.groups.by_input.ids
        named = self.get("material") or self.get("element") or self.get("stage")
        if named is None or self.get("sector") is not None or self.get("tier") is not None:
            return np.zeros(len(cells))
        return self.cells()[cells]

    def cells(self, *selectors: str) -> np.ndarray:
        """Tonnes that count of each tonne in a cell, shape (c,)."""
        lay = self.lay
        return (
            self.counted[lay.cells.material]
            * self.places(*selectors or ("region",))[lay.cells.region]
        )

    def pools(self) -> np.ndarray:
        """Share of each ore pool that is meant, shape (o,)."""
        place, names = self.places("region"), self.goods
        return np.array(
            [place[self.lay.region_at[r]] if m in names else 0.0 for m, r in self.lay.ore.pools]
        )

    def links(self) -> np.ndarray:
        """Tonnes that count of each tonne on a link that crosses a border, shape (l,)."""
        links = self.lay.links
        origin = self.made("origin")[links.material, links.region_from]
        place = self.places("destination")[links.region_to]
        return np.where(links.home, 0.0, origin * place * self.counted[links.material])

    def ore_links(self, home: bool = False) -> np.ndarray:
        """Share of each ore link that is meant, shape (k,); at home only if asked for."""
        ore, names = self.lay.ore, self.goods
        pools = np.array([1.0 if m in names else 0.0 for m, _ in ore.pools])
        ends = ("origin", "region") if home else ("origin",)
        origin = self.made(*ends, of=["ore"])[0][ore.region_from]
        place = self.places("destination")[ore.region_to]
        abroad = ore.region_from != ore.region_to
        return np.where(abroad | home, origin * place * pools[ore.pool], 0.0)

    def channel(self) -> str:
        """Customs' own statistics, what they do not see, or both."""
        words = self.get("channel") or ("declared",)
        return "all" if len(set(words)) > 1 else words[0]
