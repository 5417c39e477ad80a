"""What facts ask of a run: weekly series of a selection, one row a world, and nothing else.

A *probe* reads one market day and returns what the series is that day. The recorder runs the
probes of all facts of an episode over a batch of worlds and cuts their series into periods.
Sums are in float64. Days are counted from year 1, so that dates of all runs share an origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.backcast.statistics import Span, Track
from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.chain import naming
from lodestone.chain.nouns import STAGES, TIERS, Chain
from lodestone.outputs.shortage import shortfall

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun
    from lodestone.worlds.conditions import Conditions
    from lodestone.worlds.layout import Layout

__all__ = ["METRICS", "PERIODS", "SELECTORS", "Metric", "Query", "SeriesRecorder", "check_query"]

#: Words of a series besides its metric.
SELECTORS = (
    "material", "element", "stage", "region", "sector", "tier", "facility", "origin",
    "destination", "channel", "market", "case", "per",
)  # fmt: skip
PERIODS = ("week", "month", "quarter", "year")
CASES = ("scenario", "reference")
CHANNELS = ("declared", "grey", "all")
#: Form of the product of a stage.
FORM_OF = {"mine": "concentrate", "separation": "oxide", "recycling": "oxide", "metal": "metal", "magnet": "magnet"}  # fmt: skip

Day = tuple[np.ndarray, np.ndarray | None]
Read = Callable[["BatchRun", "Conditions"], Day]


@dataclass(frozen=True)
class Query:
    """A series as an episode file writes it: a metric and what it is asked of.

    Attributes
    ----------
    metric : str
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


@dataclass(frozen=True)
class Metric:
    """A metric that facts may ask for.

    Attributes
    ----------
    name, unit : str
        ``unit`` is that of one value; a flow adds the period.
    kind : str
        Kind of its track (see `lodestone.backcast.statistics.Track`).
    selectors : tuple of str
        What it may be asked of, besides ``case`` and ``per``.
    make : callable
        ``make(query, run)`` gives the probe, or says (str) why the run has no such series.
    arrives : bool
        Whether a market day's value belongs to the days before it (what has landed since).
    """

    name: str
    unit: str
    kind: str
    selectors: tuple[str, ...]
    make: Callable[[Query, BatchRun], Read | str]
    arrives: bool = False


class Absent(Exception):
    """The run has no such series; the message says why."""


# ---- names to rows ---------------------------------------------------------------------


def _weights(words: tuple[str, ...] | None, lay: Layout) -> np.ndarray:
    """Share of each region's use that is meant, shape (r,)."""
    if words is None:
        return np.ones(len(lay.regions))
    places = naming.places(lay.chain, words).use
    return np.array([places.get(r, 0.0) for r in lay.regions])


def _made(words: tuple[str, ...] | None, lay: Layout, materials: Sequence[str]) -> np.ndarray:
    """Share of each region's output of each material that is meant, shape (m, r)."""
    if words is None:
        return np.ones((len(materials), len(lay.regions)))
    places = naming.places(lay.chain, words)
    shares = [places.made(name) for name in materials]
    return np.array([[s.get(r, 0.0) for r in lay.regions] for s in shares], dtype=float)


def _materials(query: Query, chain: Chain, default: str) -> list[str]:
    """Materials of a query: those named, of the stages and elements named."""
    words = query.get("material")
    stages = query.get("stage")
    elements = query.get("element")
    if words is not None:
        names = [m for w in words for m in chain.materials_named(w)]
    elif stages is not None:
        forms = {FORM_OF[s] for s in stages}
        names = [m for m, item in chain.materials.items() if item.form in forms]
    else:
        if elements is not None and query.metric == "production_t":
            default = "oxides"  # an element is produced when its oxide is separated
        names = [m for w in default.split(";") for m in chain.materials_named(w)]
    if words is not None and stages is not None:
        forms = {FORM_OF[s] for s in stages}
        names = [m for m in names if chain.materials[m].form in forms]
    if elements is not None:
        names = [m for m in names if chain.materials[m].element in (None, *elements)]
    return list(dict.fromkeys(names))


def _contained(query: Query, lay: Layout) -> np.ndarray:
    """Tonnes that one tonne of a material counts, shape (m,).

    One, or with an element selected: one for its oxides and metals, what is contained of it
    for magnets, nothing for others.
    """
    elements = query.get("element")
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


def _material_mask(query: Query, lay: Layout, default: str) -> np.ndarray:
    """Tonnes that count of each tonne of a material, zero where it is not asked for, (m,)."""
    names = set(_materials(query, lay.chain, default))
    asked = np.array([m in names for m in lay.materials])
    return np.where(asked, _contained(query, lay), 0.0)


def _ore_elements(query: Query, lay: Layout) -> np.ndarray:
    """Which elements of an ore count, shape (e,)."""
    elements = query.get("element")
    return np.array([1.0 if elements is None or e in elements else 0.0 for e in lay.elements])


def _users(query: Query, lay: Layout, default: str = "ndfeb_magnets;smco") -> np.ndarray:
    """Share of each user line that is meant, shape (u,)."""
    default = "all" if query.get("sector") is not None else default
    weight = _weights(query.get("region"), lay)[lay.users.region]
    weight = weight * (_material_mask(query, lay, default) > 0)[lay.users.material]
    sectors, tiers = query.get("sector"), query.get("tier")
    if sectors is not None:
        weight = weight * np.isin(lay.users.sector, [lay.sector_at[s] for s in sectors])
    if tiers is not None:
        shares = lay.chain.tiers
        part = [
            sum(shares.get(lay.sectors[s], {}).get(t, 0.0) for t in tiers) for s in lay.users.sector
        ]
        weight = weight * np.minimum(part, 1.0)
    return weight


def _picked(weight: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows that count and their weights as a column.

    Raises
    ------
    Absent
        There are none.
    """
    rows = np.flatnonzero(weight > 0.0)
    if not rows.size:
        raise Absent(what)
    return rows, weight[rows][:, None]


def _total(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return (values * weight).sum(axis=0)


# ---- trade -----------------------------------------------------------------------------


def _links(query: Query, lay: Layout) -> np.ndarray:
    """Tonnes that count of each tonne on a link that crosses a border, shape (l,)."""
    default = "oxides;metals;magnets"
    made = _made(query.get("origin"), lay, lay.materials)
    origin = made[lay.links.material, lay.links.region_from]
    place = _weights(query.get("destination"), lay)[lay.links.region_to]
    counted = _material_mask(query, lay, default)[lay.links.material]
    return np.where(lay.links.home, 0.0, origin * place * counted)


def _ore_links(query: Query, lay: Layout) -> np.ndarray:
    """Share of each ore link that is meant, shape (k,)."""
    names = _materials(query, lay.chain, "oxides")
    pools = np.array([1.0 if m in names else 0.0 for m, _ in lay.ore.pools])
    origin = _made(query.get("origin"), lay, ["ore"])[0][lay.ore.region_from]
    place = _weights(query.get("destination"), lay)[lay.ore.region_to]
    abroad = lay.ore.region_from != lay.ore.region_to
    return np.where(abroad, origin * place * pools[lay.ore.pool], 0.0)


def _channel(query: Query) -> str:
    words = query.get("channel") or ("declared",)
    return "all" if len(set(words)) > 1 else words[0]


def _exports(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    channel = "grey" if query.metric == "leak_t" else _channel(query)
    weight, ore = _links(query, lay), _ore_links(query, lay)
    if channel == "grey":
        ore = ore * 0.0
    rows, ore_rows = np.flatnonzero(weight), np.flatnonzero(ore)
    if not rows.size and not ore_rows.size:
        return f"the chain has no flow {query.told()}"
    w, elements = weight[rows][:, None], _ore_elements(query, lay)
    width = len(run.worlds)

    def read(run: BatchRun, rules: Conditions) -> Day:
        f = run.day.flows
        sums = np.zeros(width)
        if rows.size and channel != "grey":
            sums = sums + _total(f["declared"][rows], w)
        if rows.size and channel != "declared":
            sums = sums + _total(f["grey"][rows], w)
        if ore_rows.size:
            sums = sums + _ore_sum(f["ore_shipped"], ore, elements)
        return sums, None

    return read


def _ore_sum(tonnes: np.ndarray, weight: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """Tonnes of ore (k, e, w) on the links that count, shape (w,)."""
    pick = np.flatnonzero(weight > 0.0)
    per_link = (tonnes[pick] * elements[:, None]).sum(axis=1)
    return (per_link * weight[pick][:, None]).sum(axis=0)


def _imports(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    channel = _channel(query)
    weight, ore = _links(query, lay), _ore_links(query, lay)
    if channel == "grey":
        ore = ore * 0.0
    rows, ore_rows = np.flatnonzero(weight), np.flatnonzero(ore)
    if not rows.size and not ore_rows.size:
        return f"the chain has no flow {query.told()}"
    w, elements = weight[rows][:, None], _ore_elements(query, lay)
    width = len(run.worlds)
    days = run.market_days
    late = np.maximum(np.ceil(lay.links.transit[rows] / days - 1e-9), 1).astype(int)
    sent: list[np.ndarray | None] = []

    def grey_share(run: BatchRun) -> np.ndarray:
        """Share of what has landed that was never declared, by the shipments of then."""
        f = run.day.flows
        part = None
        if np.any(f["grey"][rows]):
            part = f["grey"][rows] / np.maximum(f["shipped"][rows], 1e-12)
        out = np.zeros((len(rows), width))
        for lag in np.unique(late):
            then = sent[-lag] if lag <= len(sent) else None
            if then is not None:
                out[late == lag] = then[late == lag]
        sent.append(part)
        del sent[: -int(late.max()) or None]
        return np.minimum(out, 1.0)

    def read(run: BatchRun, rules: Conditions) -> Day:
        f = run.day.flows
        sums = np.zeros(width)
        if rows.size:
            landed = f["landed"][rows]
            if channel != "all":
                grey = grey_share(run)
                landed = landed * (grey if channel == "grey" else 1.0 - grey)
            sums = sums + _total(landed, w)
        if ore_rows.size:
            sums = sums + _ore_sum(f["ore_landed"], ore, elements)
        return sums, None

    return read


def _licences(query: Query, run: BatchRun) -> Read | str:
    books = run.day.office.rows
    rows = np.flatnonzero(_links(query, run.layout)[books] > 0.0) if len(books) else books
    if not len(rows):
        return f"no licence regime lists {query.told()}"

    def read(run: BatchRun, rules: Conditions) -> Day:
        office = run.day.office
        filed = office.filed[rows].sum(axis=0)
        granted = office.granted_total[rows].sum(axis=0)
        out = np.full(filed.shape, np.nan)
        return np.divide(granted, filed, out=out, where=filed > 1e-9), None

    return read


def _quota_use(query: Query, run: BatchRun) -> Read | str:
    asked = _links(query, run.layout) > 0.0
    books = [b for b in run.day.quotas if np.any(b.links & asked)]
    if not books:
        return f"no export quota covers {query.told()}"
    width = len(run.worlds)
    held = [(np.zeros(width), book.year) for book in books]

    def read(run: BatchRun, rules: Conditions) -> Day:
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

    return read


# ---- production ------------------------------------------------------------------------


def _production(query: Query, run: BatchRun) -> Read | str:
    if query.get("facility") is not None:
        return _by_facility(query, run)
    lay = run.layout
    stages = query.get("stage")
    names = set(_materials(query, lay.chain, "all"))
    made = _made(query.get("region"), lay, lay.materials)
    elements = _ore_elements(query, lay)
    pool = np.array([1.0 if m in names else 0.0 for m, _ in lay.ore.pools])
    if stages is not None and "mine" not in stages:
        pool = pool * 0.0
    mines = np.repeat(
        pool[lay.ore.by_pool.ids], np.diff([*lay.ore.by_pool.starts, len(lay.ore.mines)])
    )
    if (words := query.get("region")) is not None:
        there = naming.places(lay.chain, words)
        mines = mines * np.array([there.holds(lay.plants.rows[i]) for i in lay.ore.mines])
    counted = _material_mask(query, lay, "all")
    forms = np.array(lay.form)
    cell = counted[lay.cells.material] * made[lay.cells.material, lay.cells.region]
    oxide = np.zeros_like(cell)
    if stages is not None and not {"separation", "recycling"} <= set(stages):
        oxide = np.where(forms[lay.cells.material] == "oxide", cell, 0.0)
        cell = cell - oxide
    primary = stages is not None and "separation" in stages and np.any(oxide)
    second = stages is not None and "recycling" in stages and np.any(oxide)
    # What separators make of each element at each place, where only one oxide source is asked for.
    place = np.zeros((len(lay.separation.regions), len(lay.elements)))
    for e, name in enumerate(lay.elements):
        row = lay.material_at.get(lay.names.oxide(name), -1)
        if row >= 0:
            place[:, e] = counted[row] * made[row, lay.separation.regions]
    place = np.where(
        lay.separation.oxide_cell[lay.separation.regions] >= 0,
        place,
        0.0,
    )
    if not (np.any(mines) or np.any(cell) or (np.any(oxide) and (primary or second))):
        return f"nobody in the chain makes {query.told()}"
    width = len(run.worlds)
    rows, oxide_rows = np.flatnonzero(cell), np.flatnonzero(oxide)

    def read(run: BatchRun, rules: Conditions) -> Day:
        f = run.day.flows
        sums = np.zeros(width)
        if np.any(mines):
            part = (lay.ore.mix[:, :, 0] * elements).sum(axis=1)
            whole = 1.0 if query.get("element") is None else part[:, None]
            sums = sums + (f["dug"] * mines[:, None] * whole).sum(axis=0)
        if rows.size:
            sums = sums + _total(f["output"][rows], cell[rows][:, None])
        if primary or second:
            split = (f["separated"] * place[:, :, None]).sum(axis=(0, 1))
            if primary:
                sums = sums + split
            if second:
                whole_t = _total(f["output"][oxide_rows], oxide[oxide_rows][:, None])
                sums = sums + np.maximum(whole_t - split, 0.0)
        return sums, None

    return read


def _by_facility(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    names = query.get("facility") or ()
    rows = [lay.plants.at[n] for n in names if n in lay.plants.at]
    if not rows:
        return f"{', '.join(names)}: not modelled in this vintage (cancelled, closed or part of another row)"
    asked = _materials(query, lay.chain, "all")
    elements = query.get("element")
    if elements is not None and query.get("material") is None:
        # A plant is asked for by name: whatever it makes of the element counts.
        known = lay.chain.materials.items()
        asked = [m for m, item in known if item.element is None or item.element in elements]
    counted = np.where([m in asked for m in lay.materials], _contained(query, lay), 0.0)
    stages = query.get("stage")
    width = len(run.worlds)
    parts: list[tuple[int, str, list[int]]] = []
    for row in rows:
        f = lay.plants.rows[row]
        if stages is not None and f.stage not in stages:
            continue
        form = FORM_OF[f.stage]
        made = [m for m in asked if m in lay.material_at and lay.chain.materials[m].form == form]
        if f.stage == "mine":
            if f.material in asked:
                parts.append((row, "mine", []))
        elif made:
            able = {"metal": lay.names.metals_of(f), "magnet": lay.names.magnets_of(f)}.get(
                f.stage, made
            )
            parts.append((row, f.stage, [lay.material_at[m] for m in made if m in able]))
    if not parts:
        return f"{', '.join(names)}: no output of {query.told()} that the chain keeps apart"
    in_ore = _ore_elements(query, lay)

    def read(run: BatchRun, rules: Conditions) -> Day:
        day, sums = run.day, np.zeros(width)
        for row, stage, materials in parts:
            if stage == "mine":
                at = int(np.flatnonzero(lay.ore.mines == row)[0])
                part = 1.0
                if query.get("element") is not None:
                    part = float((lay.ore.mix[at, :, 0] * in_ore).sum())
                sums = sums + day.flows["dug"][at] * part
            for m in materials:
                sums = sums + day.facility_output(np.array([row]), m) * counted[m]
        return sums, None

    return read


# ---- use, stocks, stops ----------------------------------------------------------------


def _makers_need(query: Query, lay: Layout, default: str) -> np.ndarray:
    """Tonnes that count of what makers take of each input (i, ...), shape (inputs,)."""
    counted = _material_mask(query, lay, default)
    region = _weights(query.get("region"), lay)
    cells = lay.groups.by_input.ids
    return counted[lay.cells.material[cells]] * region[lay.cells.region[cells]]


def _wants_makers(query: Query) -> bool:
    """Whether a query of use or cover means makers too: goods named, no sector or tier."""
    named = query.get("material") or query.get("element") or query.get("stage")
    return named is not None and query.get("sector") is None and query.get("tier") is None


def _use(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    weight = _users(query, lay) * _contained(query, lay)[lay.users.material]
    need = _makers_need(query, lay, "ndfeb_magnets;smco") if _wants_makers(query) else np.zeros(0)
    rows, inputs = np.flatnonzero(weight), np.flatnonzero(need)
    if not rows.size and not inputs.size:
        return f"nobody in the chain uses {query.told()}"
    width = len(run.worlds)
    w, n = weight[rows][:, None], need[inputs][:, None]

    def read(run: BatchRun, rules: Conditions) -> Day:
        f, sums = run.day.flows, np.zeros(width)
        if rows.size:
            sums = sums + _total(f["used"][rows], w)
        if inputs.size:
            drawn = lay.groups.by_input.sum(lay.groups.coefficient * f["output"][lay.groups.output])
            sums = sums + _total(drawn[inputs], n)
        return sums, None

    return read


def _unmet(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    weight = _users(query, lay)
    if query.metric == "unmet_t":
        weight = weight * _contained(query, lay)[lay.users.material]
    rows, w = _picked(weight, f"nobody in the chain uses {query.told()}")

    def read(run: BatchRun, rules: Conditions) -> Day:
        f = run.day.flows
        planned, wanted, lacks, late = (f[k][rows] for k in ("planned", "wanted", "unmet", "late"))
        unmet = _total(shortfall(planned, wanted, lacks, late)[0], w)
        return unmet, (_total(planned, w) if query.metric == "unmet_share" else None)

    return read


def _stoppages(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    rows, w = _picked(_users(query, lay), f"nobody in the chain uses {query.told()}")
    width = len(run.worlds)
    counts = np.ones_like(w)

    def read(run: BatchRun, rules: Conditions) -> Day:
        return np.zeros(width) + _total(run.day.flows["stopped"][rows], counts), None

    return read


def _stock(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    width = len(run.worlds)
    if query.get("sector") is not None or query.get("tier") is not None:
        weight = _users(query, lay, "all") * _contained(query, lay)[lay.users.material]
        rows, w = _picked(weight, f"nobody in the chain uses {query.told()}")
        return lambda run, rules: (_total(run.day.users_hold[rows], w), None)
    names = set(_materials(query, lay.chain, "oxides;metals;magnets"))
    region = _weights(query.get("region"), lay)
    counted = _material_mask(query, lay, "oxides;metals;magnets")
    cell = counted[lay.cells.material] * region[lay.cells.region]
    elements = _ore_elements(query, lay)
    pool = np.array([region[lay.region_at[r]] if m in names else 0.0 for m, r in lay.ore.pools])
    wants_ore = np.any(pool) or any(lay.chain.materials[m].form == "concentrate" for m in names)
    place = region[lay.separation.regions] if wants_ore else np.zeros(len(lay.separation.places))
    rows = np.flatnonzero(cell)
    if not rows.size and not np.any(pool) and not np.any(place):
        return f"the chain holds no stock {query.told()}"
    w = cell[rows][:, None]

    def read(run: BatchRun, rules: Conditions) -> Day:
        st, sums = run.day.state, np.zeros(width)
        if rows.size:
            held = st.seller_stock + st.plant_stock + st.public_stock + run.day.cells_hold
            sums = sums + _total(held[rows], w)
        if np.any(pool):
            kept = (st.ore_at_mine * elements[:, None]).sum(axis=1)
            sums = sums + _total(kept, pool[:, None])
        if np.any(place):
            kept = (st.ore_at_plant * elements[:, None]).sum(axis=1)
            sums = sums + _total(kept, place[:, None])
        return sums, None

    return read


def _cover(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    weight = _users(query, lay)
    need = _makers_need(query, lay, "ndfeb_magnets;smco") if _wants_makers(query) else np.zeros(0)
    rows, inputs = np.flatnonzero(weight), np.flatnonzero(need)
    if not rows.size and not inputs.size:
        return f"nobody in the chain uses {query.told()}"
    width = len(run.worlds)
    w, n = weight[rows][:, None], (need[inputs] > 0)[:, None]
    cells = lay.groups.by_input.ids[inputs] if inputs.size else inputs
    on_hand_only = query.metric == "cover_on_hand_days"

    def read(run: BatchRun, rules: Conditions) -> Day:
        day, st = run.day, run.day.state
        rate = lay.users.by_cell.spread(st.forecast, lay.cells.n) + st.plant_forecast
        coming = (
            np.zeros_like(rate) if on_hand_only else lay.links.sum_by_destination(st.in_transit)
        )
        per_use = coming / np.maximum(rate, 1e-12)  # weeks of use under way, by cell
        held, use = np.zeros(width), np.zeros(width)
        if rows.size:
            user = st.forecast[rows]
            held = held + _total(day.users_hold[rows] + user * per_use[lay.users.cell[rows]], w)
            use = use + _total(user, w)
        if inputs.size:
            maker = st.plant_forecast[cells]
            held = held + _total(st.plant_stock[cells] + maker * per_use[cells], n)
            use = use + _total(maker, n)
        return np.where(use > 1e-12, 7.0 * held / np.maximum(use, 1e-12), np.nan), None

    return read


# ---- prices ----------------------------------------------------------------------------


def _price_materials(query: Query, chain: Chain) -> list[str]:
    default = "oxides" if query.get("element") is not None else "all"
    return [
        m for m in _materials(query, chain, default) if chain.materials[m].form != "concentrate"
    ]


def _price_home(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    places = query.get("market") or query.get("region")
    if places is not None and lay.home_region not in naming.places(lay.chain, places).use:
        return f"home prices exist in {lay.home_region} only"
    rows = [lay.material_at[m] for m in _price_materials(query, lay.chain) if m in lay.material_at]
    if not rows:
        return f"no price in the chain answers to {query.told()}"
    cells = lay.prices.home_cell[rows]

    def read(run: BatchRun, rules: Conditions) -> Day:
        st = run.day.state
        price = np.exp(st.log_home[rows])
        if len(rows) == 1:
            return np.array(price[0]), None
        volume = np.where((cells >= 0)[:, None], st.throughput[np.maximum(cells, 0)], 0.0) + 1e-12
        return (price * volume).sum(axis=0) / volume.sum(axis=0), None

    return read


def _price_abroad(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    words = query.get("market") or query.get("region")
    names = set(_price_materials(query, lay.chain))
    asked = np.array([m in names for m in lay.materials])
    place = _weights(words, lay)
    weight = np.where(
        asked[lay.cells.material] & (lay.cells.need[:, 0] > 0), place[lay.cells.region], 0.0
    )
    if words is None:
        weight = np.where(lay.cells.home, 0.0, weight)
    rows = np.flatnonzero(weight)
    if not rows.size:
        return f"nobody in the chain buys {query.told()}"
    w = weight[rows][:, None]
    paid = query.metric == "price_paid"

    def read(run: BatchRun, rules: Conditions) -> Day:
        day, st = run.day, run.day.state
        price = st.log_ask[rows]
        if paid:
            share = run.draws["market.contract_share"]
            price = st.log_contract[rows] * share + price * (1.0 - share)
        volume = w * np.maximum(day.flows["use_rate"][rows], 1e-12)
        return (np.exp(price) * volume).sum(axis=0) / volume.sum(axis=0), None

    return read


def _spot_share(query: Query, run: BatchRun) -> Read | str:
    lay = run.layout
    if not np.any(_links(query, lay)):
        return f"the chain has no flow {query.told()}"
    width = len(run.worlds)
    return lambda run, rules: (np.zeros(width) + 1.0 - run.draws["market.contract_share"], None)


# ---- the metrics -----------------------------------------------------------------------

_TRADE = ("material", "element", "stage", "origin", "destination", "channel", "region")
_USE = ("material", "element", "stage", "region", "sector", "tier")
_PRICE = ("material", "element", "stage", "market", "region")
#: Metrics of the episode format by name.
METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("exports_t", "t", "flow", _TRADE, _exports),
        Metric("imports_t", "t", "flow", _TRADE, _imports, arrives=True),
        Metric("leak_t", "t", "flow", _TRADE, _exports),
        Metric("production_t", "t", "flow", ("material", "element", "stage", "region", "facility"), _production),
        Metric("use_t", "t", "flow", _USE, _use),
        Metric("unmet_t", "t", "flow", _USE, _unmet),
        Metric("unmet_share", "share", "share", _USE, _unmet),
        Metric("stoppages", "classes", "level", _USE, _stoppages),
        Metric("stock_t", "t", "level", _USE, _stock),
        Metric("cover_days", "days", "level", _USE, _cover),
        Metric("cover_on_hand_days", "days", "level", _USE, _cover),
        Metric("price_home", "USD/kg", "level", _PRICE, _price_home),
        Metric("price_ask", "USD/kg", "level", _PRICE, _price_abroad),
        Metric("price_paid", "USD/kg", "level", _PRICE, _price_abroad),
        Metric("spot_share", "share", "level", (*_TRADE, "market"), _spot_share),
        Metric("licences_granted_share", "share", "last", _TRADE, _licences),
        Metric("quota_use", "share", "to_date", _TRADE, _quota_use),
    )
}  # fmt: skip


def check_query(query: Query, chain: Chain, file: Any, key: str) -> Query:
    """Check the names of a query against the chain; return it with aliases resolved.

    ``region`` means the origin of exports and leaks and the destination of imports.

    Raises
    ------
    InputError
        An unknown metric, selector or name; names the nearest known one.
    """
    if query.metric not in METRICS:
        raise unknown("metric", query.metric, METRICS, file, f"{key}.metric")
    metric = METRICS[query.metric]
    known: dict[str, Iterable[str]] = {
        "element": chain.elements,
        "stage": STAGES,
        "sector": chain.sectors,
        "tier": TIERS,
        "facility": chain.facilities,
        "channel": CHANNELS,
    }
    words: dict[str, tuple[str, ...]] = {}
    for selector, names in query.words:
        here = f"{key}.{selector}"
        if selector not in metric.selectors:
            error = unknown("selector", selector, (*metric.selectors, "case", "per"), file, here)
            error.message = f"{query.metric} takes no selector '{selector}'"
            raise error
        for name in names:
            if selector == "material":
                chain.materials_named(name, file, here)
            elif selector in ("region", "origin", "destination", "market"):
                naming.places(chain, name, file, here)
            elif name not in known[selector]:
                raise unknown(selector, name, known[selector], file, here)
        words[selector] = names
    if "region" in words and metric.selectors == _TRADE:
        side = "destination" if query.metric == "imports_t" else "origin"
        if side in words:
            raise InputError(
                f"'region' means the {side} here, and both are given",
                file=file,
                key=f"{key}.region",
            )
        words[side] = words.pop("region")
    if query.metric.startswith("price_"):
        if not {"material", "element"} & set(words):
            raise InputError(
                "a price needs a material (or an element, for its oxide)",
                file=file,
                key=key,
                hint="Write for example material: dy_oxide.",
            )
        if not _price_materials(Query(query.metric, tuple(words.items())), chain):
            raise InputError("has no price of its own", file=file, key=f"{key}.material",
                             hint="Ore is paid by what it contains: ask for an oxide.")  # fmt: skip
    named = {"material", "element", "stage", "facility"} & set(words)
    if query.metric == "production_t" and not named:
        raise InputError(
            "production needs a material, an element, a stage or a facility",
            file=file,
            key=key,
            hint="Write for example material: ndfeb_magnets.",
        )
    if not _materials(Query(query.metric, tuple(words.items())), chain, "all"):
        raise InputError("material, stage and element name nothing in common", file=file, key=key)
    return Query(query.metric, tuple(sorted(words.items())), query.case, query.per)


# ---- recording -------------------------------------------------------------------------


class SeriesRecorder:
    """Watches a batch and keeps the series of some queries by market day, float64.

    Parameters
    ----------
    run : BatchRun
        The batch, before it starts.
    queries : iterable of Query
        Series of one case; what reads the same is kept once.

    Attributes
    ----------
    absent : dict
        Probe -> why the run has no such series.
    """

    def __init__(self, run: BatchRun, queries: Iterable[Query]) -> None:
        self.keep = len(run.asked)
        self.days = run.market_days
        self.first = float(run.scenario.start.toordinal())
        self.times = np.arange(0.0, run.calendar.last_day, run.market_days)
        self.reads: dict[Any, Read] = {}
        self.absent: dict[Any, str] = {}
        for query in queries:
            if query.probe in self.reads or query.probe in self.absent:
                continue
            try:
                made = METRICS[query.metric].make(query, run)
            except Absent as error:
                made = str(error)
            if isinstance(made, str):
                self.absent[query.probe] = made
            else:
                self.reads[query.probe] = made
        shape = (len(self.times), self.keep)
        self.top = {probe: np.zeros(shape) for probe in self.reads}
        self.bottom: dict[Any, np.ndarray] = {}
        self.tick = 0

    def market_day(self, run: BatchRun, now: float, rules: Conditions) -> None:
        """Keep one market day."""
        for probe, read in self.reads.items():
            top, bottom = read(run, rules)
            self.top[probe][self.tick] = top[: self.keep]
            if bottom is not None:
                if probe not in self.bottom:
                    self.bottom[probe] = np.zeros_like(self.top[probe])
                self.bottom[probe][self.tick] = bottom[: self.keep]
        self.tick += 1

    def result(self) -> Recorded:
        """What was kept."""
        return Recorded(
            self.days, self.first, self.times[: self.tick], self.top, self.bottom, self.absent
        )


@dataclass
class Recorded:
    """Series by market day of one case, over the worlds of one or several batches.

    Attributes
    ----------
    days : float
        Length of a market day.
    first : float
        Ordinal of the first day.
    times : ndarray, shape (t,)
        Days since then of each market day.
    top, bottom : dict
        Probe -> (t, w); ``bottom`` only for shares.
    absent : dict
        Probe -> why there is no such series.
    """

    days: float
    first: float
    times: np.ndarray
    top: dict[Any, np.ndarray]
    bottom: dict[Any, np.ndarray]
    absent: dict[Any, str]

    def beside(self, other: Recorded) -> Recorded:
        """The same series with the worlds of another batch after these."""

        def join(a: dict[Any, np.ndarray], b: dict[Any, np.ndarray]) -> dict[Any, np.ndarray]:
            return {k: np.concatenate([a[k], b[k]], axis=1) for k in a}

        return Recorded(
            self.days,
            self.first,
            self.times,
            join(self.top, other.top),
            join(self.bottom, other.bottom),
            self.absent,
        )

    def track(self, query: Query) -> Track | str:
        """A query's series cut into its periods, or why there is none.

        A market day's flow falls on its days in equal parts, so a week over the turn of a month
        is split by its days. Months that the run covers in part count as if all their days were
        like the covered ones.
        """
        if query.probe in self.absent:
            return self.absent[query.probe]
        metric = METRICS[query.metric]
        start = self.first + self.times - (self.days if metric.arrives else 0.0)
        end = start + self.days
        periods = cut(start[0], end[-1], query.per)
        edges = np.array([p.first for p in periods]), np.array([p.last for p in periods])
        inside = np.minimum(edges[1][:, None], end) - np.maximum(edges[0][:, None], start)
        inside = np.clip(inside, 0.0, None)  # days of each market day in each period, (p, t)
        top = self.top[query.probe]
        bottom = self.bottom.get(query.probe)
        covered = inside.sum(axis=1, keepdims=True)
        if metric.kind == "level":
            top = _rows(inside / covered, top)
        elif metric.kind == "last":
            pick = [int(np.flatnonzero(row > 0.0)[-1]) for row in inside]
            top = top[pick]
        else:
            whole = (edges[1] - edges[0])[:, None] / covered
            top = _rows(inside / self.days, top) * whole
            if bottom is not None:
                bottom = _rows(inside / self.days, bottom) * whole
        return Track(
            kind=metric.kind,
            start=edges[0],
            end=edges[1],
            month=np.array([p.month for p in periods]),
            top=top,
            bottom=bottom,
            by_month=query.per == "month",
        )


def _rows(weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted sums of rows, period by period in row order: (p, t) and (t, w) -> (p, w)."""
    out = np.zeros((len(weight), values.shape[1]))
    for p, row in enumerate(weight):
        used = np.flatnonzero(row > 0.0)
        out[p] = (values[used] * row[used][:, None]).sum(axis=0)
    return out


def cut(first: float, last: float, per: str) -> list[Span]:
    """Periods that cover the days [first, last): weeks from the first day, or calendar periods."""
    out: list[Span] = []
    if per == "week":
        at = first
        while at < last - 1e-9:
            day = date.fromordinal(int(at))
            out.append(Span(at, at + 7.0, day.year * 12 + day.month - 1))
            at += 7.0
        return out
    months = {"month": 1, "quarter": 3, "year": 12}[per]
    day = date.fromordinal(int(first))
    at_month = (day.year * 12 + day.month - 1) // months * months
    while True:
        span = month_span(at_month, months)
        if span.first >= last:
            return out
        out.append(span)
        at_month += months


def month_span(month: int, count: int = 1) -> Span:
    """Span of calendar months, from months since year 0."""
    first = date(month // 12, month % 12 + 1, 1)
    after = month + count
    return Span(
        float(first.toordinal()),
        float(date(after // 12, after % 12 + 1, 1).toordinal()),
        month,
    )


def day_span(day: date) -> Span:
    """Span of one day."""
    after = day + timedelta(days=1)
    return Span(float(day.toordinal()), float(after.toordinal()), day.year * 12 + day.month - 1)
