"""What crosses borders, by customs' books and beside them; licences and quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lodestone.outputs.series import rows
from lodestone.outputs.series.asked import Asked
from lodestone.outputs.series.sums import Absent, Day, Look, Sum
from lodestone.outputs.series.vocabulary import TRADE, series

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions

GOODS = "oxides;metals;magnets"


def _shipped(asked: Asked, channel: str) -> Look:
    links, out = asked.links(), asked.sum()
    if channel != "grey":
        out.add(rows.declared, links)
    if channel != "declared":
        out.add(rows.grey, links)
    if channel != "grey":
        out.add(rows.ore("ore_shipped", asked.in_ore), asked.ore_links())
    return out.some(f"the chain has no flow {asked.told()}")


@series("t", "flow", TRADE, GOODS)
def exports_t(asked: Asked) -> Look:
    """Shipments over a border, by the day they leave; ore too where a concentrate is named."""
    return _shipped(asked, asked.channel())


@series("t", "flow", TRADE, GOODS)
def leak_t(asked: Asked) -> Look:
    """Shipments that no customs office sees (`channel: grey` of the exports)."""
    return _shipped(asked, "grey")


@series("t", "flow", TRADE, GOODS, arrives=True)
def imports_t(asked: Asked) -> Look:
    """Shipments over a border, by the day they land; ore too where a concentrate is named."""
    links, channel = asked.links(), asked.channel()
    goods, ore = Sum(asked.worlds), Sum(asked.worlds)
    if channel == "all":
        goods.add(rows.landed, links)
    else:
        goods.add(_Channel(asked, np.flatnonzero(links), channel), links)
    if channel != "grey":
        ore.add(_OreIn(asked), asked.ore_links())
    goods.terms += ore.terms
    return goods.some(f"the chain has no flow {asked.told()}")


class _OreIn:
    """Ore over a border, t: what is cleared from bond today is imported over the days to come."""

    def __init__(self, asked: Asked) -> None:
        self.read = rows.ore("ore_landed", asked.in_ore)
        self.bonded = asked.lay.ore.bonded
        self.before: np.ndarray | None = None

    def __call__(self, run: BatchRun, links: np.ndarray) -> np.ndarray:
        now = self.read(run, links)
        before, self.before = self.before, now
        return (
            now if before is None else np.where(np.isin(links, self.bonded)[:, None], before, now)
        )


class _Channel:
    """What has landed and was declared, or was not, by the shipments of the day on which it left."""

    def __init__(self, asked: Asked, links: np.ndarray, channel: str) -> None:
        self.grey = channel == "grey"
        transit = asked.lay.links.transit[links]
        self.late = np.maximum(np.ceil(transit / asked.run.market_days - 1e-9), 1).astype(int)
        self.sent: list[np.ndarray | None] = []

    def __call__(self, run: BatchRun, links: np.ndarray) -> np.ndarray:
        share = self._share(run, links)
        return rows.landed(run, links) * (share if self.grey else 1.0 - share)

    def _share(self, run: BatchRun, links: np.ndarray) -> np.ndarray:
        f, part = run.day.flows, None
        if np.any(f.grey[links]):
            part = f.grey[links] / np.maximum(f.shipped[links], 1e-12)
        out = np.zeros((len(links), len(run.worlds)))
        for lag in np.unique(self.late):
            then = self.sent[-lag] if lag <= len(self.sent) else None
            if then is not None:
                out[self.late == lag] = then[self.late == lag]
        self.sent.append(part)
        del self.sent[: -int(self.late.max()) or None]
        return np.minimum(out, 1.0)


@series("share", "share", ("material", "element", "origin", "destination"), GOODS)
def import_share(asked: Asked) -> Look:
    """Declared tonnes from an origin over all that are shipped to a destination."""
    own = asked.sum().add(rows.declared, asked.links())
    lay = asked.lay.links
    whole = asked.places("destination")[lay.region_to] * asked.counted[lay.material]
    everybody = asked.sum().add(rows.declared, np.where(lay.home, 0.0, whole))
    own.some(f"the chain has no flow {asked.told()}")
    return lambda run, rules: (own.of(run), everybody.of(run))


@series("t REO", "flow", ("element", "origin", "destination", "region"), "concentrates")
def ore_t(asked: Asked) -> Look:
    """Ore that mines send to separators, at home or abroad."""
    out = asked.sum().add(rows.ore("ore_shipped", asked.in_ore), asked.ore_links(home=True))
    return out.some(f"the chain has no flow {asked.told()}")


@series("share", "last", TRADE, GOODS)
def licences_granted_share(asked: Asked) -> Look:
    """Tonnes granted over tonnes filed, to date."""
    books = asked.run.day.office.rows
    listed = np.flatnonzero(asked.links()[books] > 0.0) if len(books) else books
    if not len(listed):
        raise Absent(f"no licence regime lists {asked.told()}")

    def look(run: BatchRun, rules: Conditions) -> Day:
        office = run.day.office
        filed = office.filed[listed].sum(axis=0)
        granted = office.granted_total[listed].sum(axis=0)
        out = np.full(filed.shape, np.nan)
        return np.divide(granted, filed, out=out, where=filed > 1e-9), None

    return look


@series("share", "to_date", TRADE, GOODS)
def quota_use(asked: Asked) -> Look:
    """Used over allocated, in the calendar year to date; days of an allocation count pro rata."""
    meant = asked.links() > 0.0
    books = [b for b in asked.run.day.quotas if np.any(b.links & meant)]
    if not books:
        raise Absent(f"no export quota covers {asked.told()}")
    width = asked.worlds
    held = [(np.zeros(width), book.year) for book in books]

    def look(run: BatchRun, rules: Conditions) -> Day:
        now, after = run.day.now, run.day.now + run.market_days
        used, allowed = np.zeros(width), np.zeros(width)
        for i, book in enumerate(books):
            before, year = held[i]
            in_force = book.active > 0.0
            gone = book.used - (before if book.year == year else 0.0)
            used = used + np.where(in_force, gone, 0.0)
            held[i] = (np.array(book.used), book.year)
            for first, last, tonnes, _ in book.periods:
                days = max(min(after, last) - max(now, first), 0.0)
                if days:
                    allowed = allowed + np.where(in_force, tonnes * (days / (last - first)), 0.0)
        return used, allowed

    return look


@series("share", "level", (*TRADE, "market"), GOODS)
def spot_share(asked: Asked) -> Look:
    """Share of traded volume at the ask."""
    if not np.any(asked.links()):
        raise Absent(f"the chain has no flow {asked.told()}")
    width = asked.worlds
    return lambda run, rules: (np.zeros(width) + 1.0 - run.draws["market.contract_share"], None)
