"""Certification: a bloc buys only goods whose chain holds nothing of an excluded origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lodestone.chain import naming
from lodestone.interventions.base import (
    Intervention,
    Num,
    Path,
    Problem,
    Words,
    intervention,
    number,
    share,
    text,
    words,
)
from lodestone.interventions.effects import Context, Effect, timing
from lodestone.interventions.effects import Path as DrawnPath
from lodestone.worlds.conditions import Conditions

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

#: Days between two looks at who supplies whom (habits move in months).
LOOK_DAYS = 28.0


def bloc_without(
    chain: Chain, members: tuple[str, ...], leavers: tuple[str, ...]
) -> dict[str, float]:
    """Regions of a bloc, each with the share of its demand that is meant, without its leavers."""
    whole = naming.places(chain, members).use
    out = naming.places(chain, leavers).use if leavers else {}
    rest = {r: part - out.get(r, 0.0) for r, part in whole.items()}
    return {r: part for r, part in rest.items() if part > 1e-9}


def clean_share(day: Any, excluded: np.ndarray) -> np.ndarray:
    """Share of what each cell sells whose chain holds nothing of the excluded regions.

    Parameters
    ----------
    day : MarketDay
        Habits of today say who supplies whom.
    excluded : ndarray of bool, shape (r,)

    Returns
    -------
    ndarray, shape (c, w)
        Oxides: the part of the ore separated there that comes from other regions. Metals and
        magnets: the scarcest of the clean parts of their inputs, because clean inputs can be
        kept apart. 0 in excluded regions.
    """
    lay, weight = day.layout, day.state.link_weight
    fed = np.zeros(len(lay.separation.places))
    bad = np.zeros(len(lay.separation.places))
    np.add.at(fed, lay.ore.place, lay.ore.base_t[:, 0])
    np.add.at(bad, lay.ore.place, lay.ore.base_t[:, 0] * excluded[lay.ore.region_from])
    by_region = np.ones(len(lay.regions))
    by_region[lay.separation.regions] = 1.0 - bad / np.maximum(fed, 1e-12)
    out = np.where(lay.cells.oxide, by_region[lay.cells.region], 1.0)[:, None]
    out = np.where(excluded[lay.cells.region][:, None], 0.0, out) * np.ones((1, weight.shape[1]))
    for stage in (lay.cells.metal, lay.cells.magnet):
        total = np.maximum(lay.links.sum_by_destination(weight), 1e-12)
        arriving = lay.links.sum_by_destination(weight * out[lay.links.origin]) / total
        # A cell that buys nothing yet has nothing unclean.
        arriving = np.where(lay.links.sum_by_destination(weight) > 1e-12, arriving, 1.0)
        for i, c in zip(lay.groups.input, lay.groups.output, strict=True):
            if stage[c]:
                out[c] = np.minimum(out[c], arriving[i])
    return out


@dataclass
class CertificationEffect(Effect):
    """Keeps uncertified goods out of part of a bloc's demand, and makes certified ones dearer."""

    links: np.ndarray  # (l,) bool, into and inside the bloc
    weight: np.ndarray  # (l, 1) share of the destination's demand that is the bloc's
    excluded: np.ndarray  # (r,) bool
    certified: DrawnPath
    premium: np.ndarray  # (w,) share of value that buyers pay
    custody: bool
    clean: np.ndarray | None = None
    looked: float = field(default=-np.inf)

    def look(self, now: float, days: float, day: Any, effects: Mapping[str, Effect]) -> None:
        """Look at the origins of what each seller works with, once a month."""
        super().look(now, days, day, effects)
        if now - self.looked < LOOK_DAYS or not np.any(self.share(now, now + days)):
            return
        self.looked = now
        if self.custody:
            self.clean = clean_share(day, self.excluded)
        else:
            lay = day.layout
            origin = np.where(self.excluded[lay.cells.region], 0.0, 1.0)[:, None]
            self.clean = origin * np.ones((1, len(self.start)))

    def fold(self, rules: Conditions, t0: float, t1: float, day: Any) -> None:
        """Stop what exceeds the uncertified part of demand, and charge the certificates."""
        lay, w = day.layout, len(self.start)
        known = self.known(t0)
        if np.any(known):
            cells = np.unique(
                lay.links.destination[self.links & self.excluded[lay.links.region_from]]
            )
            rules.most("announced", cells, (lay.cells.n, w), known)
        share = self.certified.at(t0)
        active = self.share(t0, t1)
        if not np.any(active * share) or self.clean is None:
            return
        # Sellers give their clean goods to certified buyers first.
        lacking = np.maximum(share - self.clean, 0.0)[lay.links.origin] * self.weight
        if np.any(lacking[self.links]):
            passing = 1.0 - lacking[self.links] * active
            rules.multiply("passes", self.links, (lay.links.n, w), passing)
        if np.any(self.premium):
            cost = self.weight[self.links] * (share * self.premium * active)
            rules.add("trade_cost", self.links, (lay.links.n, w), cost)


@intervention("certification")
class Certification(Intervention):
    """A share of a bloc's demand takes only goods whose chain is free of an excluded origin.

    With ``chain_of_custody`` a magnet made elsewhere of the excluded origin's oxide or metal is
    not certified either. Without cost, and where nothing of the chain comes from the excluded
    origin, it changes nothing. What buyers do not pay of the cost the sellers bear.
    """

    title: ClassVar[str] = "a bloc buys only goods whose chain is free of an excluded origin"
    live: ClassVar[bool] = True

    bloc: Words = words(..., "who buys certified goods only", names="place")
    without: Words = words((), "members that do not take part", names="place")
    excluded: Words = words(("china",), "origins that are not certified", names="place")
    materials: Words = words(("magnets",), "goods that need the certificate", names="material")
    cost_premium: Num = number(
        0.0,
        "cost of certified goods over others, as a share of value",
        unit="share of value",
        source="A78",
        low=0.0,
        high=10.0,
    )
    pass_through: Num = share(
        1.0, "share of that cost that buyers pay; the rest the sellers bear", source="definition"
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
        if not left:
            return [
                Problem(
                    key="bloc",
                    message="has no member with any demand",
                    hint="Name a bloc, or regions; see 'lodestone list blocs'.",
                )
            ]
        both = sorted(set(left) & set(naming.places(chain, self.excluded).use))
        if both:
            return [
                Problem(
                    key="excluded",
                    message=f"{both[0]} is in the bloc and excluded by it",
                    hint="Take it out of one of the two.",
                )
            ]
        return []

    def compile(self, name: str, ctx: Context) -> CertificationEffect:
        """Resolve the links into and inside the bloc."""
        lay = ctx.layout
        bloc = bloc_without(ctx.chain, self.bloc, self.without)
        out = ctx.places(self.excluded)
        rows = {lay.material_at[m] for m in ctx.rows(self.materials) or [] if m in lay.material_at}
        weight = np.array([bloc.get(lay.regions[r], 0.0) for r in lay.links.region_to])
        links = (weight > 0) & np.isin(lay.links.material, sorted(rows))
        return CertificationEffect(
            **timing(self, name, ctx),
            links=links,
            weight=weight[:, None],
            excluded=np.array([r in out for r in lay.regions]),
            certified=ctx.path(self.share, f"{name}/share"),
            premium=ctx.number(self.cost_premium, f"{name}/cost_premium")
            * ctx.number(self.pass_through, f"{name}/pass_through"),
            custody=self.chain_of_custody,
        )
