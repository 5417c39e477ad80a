"""Certification: a bloc buys only goods whose chain holds nothing of an excluded origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.chain.nouns import Chain
from lodestone.interventions.base import Intervention, Problem, intervention
from lodestone.interventions.context import Context
from lodestone.interventions.effects import Effect
from lodestone.interventions.fields import Num, Path, Words, goods, number, places, share, text
from lodestone.worlds.conditions import Rules
from lodestone.worlds.parts import Part, made_there, ore_there, used_there
from lodestone.worlds.view import MarketView

#: Days between two looks at who supplies whom (habits move in months).
LOOK_DAYS = 28.0


def bloc_without(chain: Chain, members: tuple[str, ...], leavers: tuple[str, ...]) -> naming.Places:
    """A bloc without its leavers."""
    return naming.places(chain, members) - naming.places(chain, leavers)


def clean_share(m: MarketView, excluded: naming.Places) -> np.ndarray:
    """Share of what each cell sells whose chain holds nothing of the excluded places.

    Parameters
    ----------
    m : Market
        Habits of today say who supplies whom.
    excluded : Places

    Returns
    -------
    ndarray, shape (c, w)
        Oxides: the part of the ore separated there that comes from elsewhere. Metals and
        magnets: the scarcest of the clean parts of their inputs, because clean inputs can be
        kept apart. Less what is made in the excluded places.
    """
    lay, weight = m.layout, m.state.link_weight
    fed = np.zeros(len(lay.separation.places))
    bad = np.zeros(len(lay.separation.places))
    dug = ore_there(m, excluded.countries).mean(axis=1)
    np.add.at(fed, lay.ore.place, lay.ore.base_t[:, 0])
    np.add.at(bad, lay.ore.place, lay.ore.base_t[:, 0] * dug[lay.ore.pool])
    by_region = np.ones(len(lay.regions))
    by_region[lay.separation.regions] = 1.0 - bad / np.maximum(fed, 1e-12)
    out = np.where(lay.cells.oxide, by_region[lay.cells.region], 1.0)[:, None]
    out = out * made_elsewhere(m, excluded)
    for stage in (lay.cells.metal, lay.cells.magnet):
        total = np.maximum(lay.links.sum_by_destination(weight), 1e-12)
        arriving = lay.links.sum_by_destination(weight * out[lay.links.origin]) / total
        # A cell that buys nothing yet has nothing unclean.
        arriving = np.where(lay.links.sum_by_destination(weight) > 1e-12, arriving, 1.0)
        for i, c in zip(lay.groups.input, lay.groups.output, strict=True):
            if stage[c]:
                out[c] = np.minimum(out[c], arriving[i])
    return out


def made_elsewhere(m: MarketView, excluded: naming.Places) -> np.ndarray:
    """Share of what each cell sells that is not made in the excluded places, shape (c, w)."""
    made = made_there(m, excluded.countries, np.arange(m.layout.cells.n))
    return (1.0 - made) * np.ones((1, m.state.worlds))


class CertificationEffect(Effect):
    """Keeps uncertified goods out of part of a bloc's demand, and makes certified ones dearer."""

    item: Certification

    def set_up(self, ctx: Context) -> None:
        """Resolve the links into and inside the bloc."""
        lay, item = ctx.layout, self.item
        bloc = bloc_without(ctx.chain, item.bloc, item.without)
        self.excluded = ctx.places(item.excluded)
        made = np.isin(lay.links.material, ctx.material_rows(item.materials))
        weight = used_there(lay, bloc.countries)[lay.links.region_to]
        self.links = (weight[:, 0] > 0) & made
        cut = np.isin(lay.links.region_to[self.links], ctx.region_rows(bloc.split())).any()
        end = bloc.countries if cut else None
        self.part = Part("link", self.links, None, end, not cut)
        out = ctx.region_rows(self.excluded.regions)
        told = np.unique(lay.links.destination[self.links & np.isin(lay.links.region_from, out)])
        self.told = np.zeros(lay.cells.n, dtype=bool)
        self.told[told] = True
        self.premium = self.n.cost_premium * self.n.pass_through  # share of value that buyers pay
        self.clean: np.ndarray | None = None
        self.looked = -np.inf

    def look(self, now: float, days: float, m: MarketView, effects: Mapping[str, Effect]) -> None:
        """Look at the origins of what each seller works with, once a month."""
        super().look(now, days, m, effects)
        if now - self.looked < LOOK_DAYS or not np.any(self.share(now, now + days)):
            return
        self.looked = now
        ask = clean_share if self.item.chain_of_custody else made_elsewhere
        self.clean = ask(m, self.excluded)

    def fold(self, rules: Rules, t0: float, t1: float, m: MarketView) -> None:
        """Stop what exceeds the uncertified part of demand, and charge the certificates."""
        lay = m.layout
        known = self.known(t0)
        rules.announced.raise_to(self.told, known)
        share = self.n.now("share", t0)
        active = self.share(t0, t1)
        if not np.any(active * share) or self.clean is None:
            return
        # Sellers give their clean goods to certified buyers first.
        lacking = np.maximum(share - self.clean, 0.0)[lay.links.origin[self.links]]
        rules.passes.multiply(self.part, 1.0 - lacking * active)
        rules.trade_cost.add(self.part, share * self.premium * active)


@intervention("certification")
class Certification(Intervention):
    """A share of a bloc's demand takes only goods whose chain is free of an excluded origin.

    With ``chain_of_custody`` a magnet made elsewhere of the excluded origin's oxide or metal is
    not certified either. Without cost, and where nothing of the chain comes from the excluded
    origin, it changes nothing. What buyers do not pay of the cost the sellers bear.
    """

    title: ClassVar[str] = "a bloc buys only goods whose chain is free of an excluded origin"
    live: ClassVar[bool] = True
    effect: ClassVar[type[Effect]] = CertificationEffect
    neutral: ClassVar[dict[str, float]] = {"share": 0.0}

    bloc: Words = places(..., "who buys certified goods only")
    without: Words = places((), "members that do not take part")
    excluded: Words = places(("china",), "origins that are not certified")
    materials: Words = goods(("magnets",), "goods that need the certificate")
    cost_premium: Num = number(
        0.0,
        "cost of certified goods over others, as a share of value",
        unit="share of value",
        source="A78",
        low=0.0,
        high=10.0,
    )
    pass_through: Num = share(
        1.0,
        "share of that cost that buyers pay; the rest the sellers bear",
        source="definition",
        when={"cost_premium": ()},
    )
    chain_of_custody: bool = text(
        True, "whether the origin of the inputs counts, or only that of the goods themselves"
    )
    share: Path = share(
        1.0, "share of the bloc's demand that must be certified (0.2 to 1)", source="c181"
    )

    def check(self, chain: Chain) -> list[Problem]:
        """Refuse a bloc that nobody is in, and one that excludes its own members."""
        left = bloc_without(chain, self.bloc, self.without)
        if not any(share > 0.0 for share in left.use.values()):
            return [
                Problem(
                    key="bloc",
                    message="has no member with any demand",
                    hint="Name a bloc, or regions; see 'lodestone list blocs'.",
                )
            ]
        both = sorted((left & naming.places(chain, self.excluded)).countries)
        if both:
            return [
                Problem(
                    key="excluded",
                    message=f"{both[0]} is in the bloc and excluded by it",
                    hint="Take it out of one of the two.",
                )
            ]
        return []
