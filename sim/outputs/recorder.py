"""What is kept of every market day: series by group, cell and link, one row a world."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lodestone.border.abreast import Abreast
from lodestone.border.units import DAYS_PER_WEEK
from lodestone.engine.compiling import add_rows, compiled, fill, holds
from lodestone.outputs.gap import GapBook
from lodestone.outputs.items import COST_ITEMS, STAGES
from lodestone.outputs.room import Room
from lodestone.outputs.rows import Rows, once, rows_of
from lodestone.outputs.series import KEPT, rows
from lodestone.outputs.series.money import CostBook
from lodestone.outputs.shortage import shortfall
from lodestone.worlds.conditions import Conditions
from lodestone.worlds.flows import Flows
from lodestone.worlds.layout import Segments

if TYPE_CHECKING:
    from lodestone.engine.run import BatchRun

#: Share of normal tonnes that is kept out before trade is said to bind.
CLOSED = 0.02
#: Weeks over which arrivals are averaged before they are held against planned use (A270).
ARRIVAL_WEEKS = 4.0


_shortfall = compiled(shortfall)


class Use(NamedTuple):
    """What users of each line did on a market day, t, shape (u, w)."""

    planned: np.ndarray
    wanted: np.ndarray
    unmet: np.ndarray
    late: np.ndarray
    stopped: np.ndarray  # classes of cover
    got: np.ndarray


class Sums(NamedTuple):
    """The same by group of users, t, shape (g, w); raised."""

    planned: np.ndarray
    missing: np.ndarray  # planned use that does not happen for lack of goods
    made_up: np.ndarray  # use put off earlier
    come: np.ndarray  # arrivals, averaged over some weeks
    stopped: np.ndarray  # classes of cover

    @classmethod
    def zeros(cls, groups: int, worlds: int) -> Sums:
        """Nothing yet."""
        return cls(*np.zeros((len(cls._fields), groups, worlds)))


@compiled
def add_lines(
    groups: tuple[np.ndarray, np.ndarray],
    use: Use,
    arrivals: tuple[np.ndarray, float, float],
    sums: tuple[Sums, Sums],
    lost: np.ndarray,
) -> None:
    """Add up what users did by group and, of military lines, by military group.

    Parameters
    ----------
    groups : ndarray of int, shape (u,) each
        Group and military group of each line, -1 for none.
    use : Use
    arrivals : average so far (u, w), t/week; market days a week; share of the new in the average
        The average is moved for lines of a group.
    sums : (Sums, Sums)
        By group and by military group; raised.
    lost : ndarray, shape (u, w)
        Use that goes missing, less what is made up, t; written.
    """
    average, per_week, gain = arrivals
    worlds = lost.shape[1]
    missing, made_up = np.empty(worlds), np.empty(worlds)
    for u in range(lost.shape[0]):
        fill(lost[u], 0.0)
        lacks = holds(use.unmet[u]) or holds(use.late[u])
        if lacks:
            for w in range(worlds):
                missing[w], made_up[w] = _shortfall(
                    use.planned[u, w], use.wanted[u, w], use.unmet[u, w], use.late[u, w]
                )
            for w in range(worlds):
                lost[u, w] = missing[w] - made_up[w]
        if groups[0][u] < 0:
            continue
        for w in range(worlds):
            average[u, w] += (use.got[u, w] * per_week - average[u, w]) * gain
        for k in range(2):
            g, book = groups[k][u], sums[k]
            if g < 0:
                continue
            for w in range(worlds):
                book.planned[g, w] += use.planned[u, w]
            for w in range(worlds):
                book.come[g, w] += average[u, w]
            if lacks:
                for w in range(worlds):
                    book.missing[g, w] += missing[w]
                for w in range(worlds):
                    book.made_up[g, w] += made_up[w]
                for w in range(worlds):
                    book.stopped[g, w] += use.stopped[u, w]


@compiled
def add_up(values: np.ndarray, part: float, kept: np.ndarray) -> None:
    """Add a part of a flow (n, w) to what is kept of it (n, w), in place."""
    for n in range(values.shape[0]):
        if holds(values[n]):
            for w in range(values.shape[1]):
                kept[n, w] += values[n, w] * part


def _add_up(values: np.ndarray, part: float, kept: np.ndarray) -> None:
    """`add_up` for rows that may be columns of a study's room: the loop is compiled for whole arrays."""
    whole = np.ascontiguousarray(kept)
    add_up(values, part, whole)
    if whole is not kept:
        kept[...] = whole


@once
def _days_of(
    rows: Rows,
) -> tuple[list[int], list[bool], list[tuple[tuple[int, float], ...]], list[int]]:
    """Where each market day stands in the year and month.

    Returns
    -------
    list of int
        Its year, as a row of the years.
    list of bool
        Whether it is the one nearest to mid-year, when what each plant could make is looked at.
    list of ((month, share), ...)
        Shares of its shipments by row of the months: they are split over the turn of a month.
    list of int
        The month in which it begins.
    """
    dates, names, days = rows.labels.dates, rows.labels.month_of, rows.labels.market_days
    months, years = rows.labels.months, rows.labels.years
    at = {m: i for i, m in enumerate(months)}
    nearest: dict[int, int] = {}
    for t, d in enumerate(dates):
        off = abs((d - date(d.year, 7, 1)).days)
        if d.year not in nearest or off < abs((dates[nearest[d.year]] - date(d.year, 7, 1)).days):
            nearest[d.year] = t
    split: list[tuple[tuple[int, float], ...]] = []
    for d, name in zip(dates, names, strict=True):
        last = d + timedelta(days=int(np.ceil(days)) - 1)
        if last.month == d.month:
            split.append(((at[name], 1.0),))
            continue
        inside = (date(last.year, last.month, 1) - d).days / days
        later = f"{last.year:04d}-{last.month:02d}"
        if later in at:
            split.append(((at[name], inside), (at[later], 1.0 - inside)))
        else:
            split.append(((at[name], inside),))
    return (
        [years.index(d.year) for d in dates],
        [nearest[d.year] == t for t, d in enumerate(dates)],
        split,
        [at[n] for n in names],
    )


#: Numbers of behaviour that metrics read, drawn or set.
READ = ("investment.lead_years_mine", "money.lost_output_doublings")


def drawn_names(run: BatchRun) -> tuple[str, ...]:
    """Numbers that are kept beside the series: those that differ between worlds, and those read."""
    given = run.scenario.overrides

    def differs(name: str, values: np.ndarray) -> bool:
        own = given.get(name)
        one = isinstance(own, Abreast) and not own.drawn  # one for the worlds of each point
        return values.size > 1 and not name.endswith(".default") and not one

    return tuple(n for n, values in run.draws.items() if n in READ or differs(n, values))


class Recorder:
    """Watches a batch and keeps its series as float32 (T, rows, w) arrays.

    Which they are, by what rows and at what rhythm, is declared in `lodestone.outputs.series.kept`.

    Parameters
    ----------
    run : BatchRun
        The batch, before it starts.
    shock_day : ndarray, shape (w,), optional
        First disruption of the scenario in each world; stops before it are not counted as its
        consequence.
    room : Room, optional
        Where its series stand beside those of others; the batch has entered. By default alone.
    """

    def __init__(
        self, run: BatchRun, shock_day: np.ndarray | None = None, room: Room | None = None
    ) -> None:
        self.run = run
        w = len(run.worlds)
        if room is None:
            room = Room(w)
            room.enter(w)
        self.shock_day = np.zeros(w) if shock_day is None else np.resize(shock_day, w)
        lay = run.layout
        self.rows = rows_of(run)
        self.labels = self.rows.labels
        self.days = run.market_days
        self.times, self.dates = self.labels.times, self.labels.dates
        n = len(self.times)
        magnet = np.flatnonzero(lay.users.magnet)
        code = lay.users.region[magnet] * len(lay.sectors) + lay.users.sector[magnet]
        order = np.argsort(code, kind="stable")
        self.lines = magnet[order]
        self.by_group = Segments.of(code[order])
        g = len(self.labels.groups)
        self.group_of = np.full(lay.users.n, -1)
        self.group_of[self.lines] = self.by_group.group
        # Groups with a military line of their own: their defence tier is read, not reckoned.
        military = self.lines[lay.users.defence[self.lines, 0] == 1.0]
        code = lay.users.region[military] * len(lay.sectors) + lay.users.sector[military]
        self.military_of = np.full(lay.users.n, -1)
        self.military_of[military] = Segments.of(code).group
        self.military_groups = np.array(self.labels.military_groups, dtype=int)
        self.priced_cells = np.array(self.labels.priced_cells)
        self.paid_cells = np.union1d(self.priced_cells, lay.users.cell)
        self.months, self.years = self.labels.months, self.labels.years
        self._tick_year, self._mid_year, self._split, self.tick_of_month = _days_of(self.rows)
        many = {
            "group": g,
            "military_group": len(self.military_groups),
            "material": len(lay.materials),
            "priced_cell": len(self.priced_cells),
            "cost": len(COST_ITEMS) * len(lay.regions),
            "run": 1,
            "region": len(lay.regions),
            "link": lay.links.n,
            "cell": lay.cells.n,
            "ore_link": len(lay.ore.keys),
            "plant": len(lay.plants.rows),
            "region_element": len(lay.regions) * len(lay.elements),
        }
        steps = {"week": n, "month": len(self.months), "year": len(self.years)}
        self.kept: dict[str, np.ndarray] = {
            k.name: room.zeros(k.name, steps[k.per], many[k.axis], k.code)
            for k in KEPT.values()
            if k.axis in many and k.name != "rent"
        }
        self.kept["licences"][:] = np.nan
        # Nothing is kept of rents where there are no quotas.
        whole = (len(self.months), lay.links.n)
        self.kept["rent"] = (
            room.zeros("rent", *whole)
            if run.day.quotas
            else np.broadcast_to(np.float32(0.0), (*whole, w))
        )
        self.gap = GapBook(run, self.dates, room)
        self.costs = CostBook(run)
        self.draws = {name: np.broadcast_to(run.draws[name], (w,)) for name in drawn_names(run)}
        self.tick = 0
        # Arrivals come by the ship: users count what came of late, whatever the step.
        self.arrivals = np.array(np.broadcast_to(lay.users.base, (lay.users.n, w)))
        self.arrival_gain = 1.0 - np.exp(-self.days / DAYS_PER_WEEK / ARRIVAL_WEEKS)

    # ---- every market day --------------------------------------------------------------

    def market_day(self, run: BatchRun, now: float, rules: Conditions) -> None:
        """Keep one market day."""
        f = run.day.flows
        t, per_week = self.tick, 1.0 / (run.market_days / DAYS_PER_WEEK)
        unmet, planned, lost = self._users(f, per_week)
        self.gap.market_day(run)
        paid = np.empty_like(run.day.state.log_ask)
        paid[self.paid_cells] = rows.paid(run, self.paid_cells)
        self.kept["home"][t] = rows.home(run)
        self.kept["ask"][t] = rows.ask(run, self.priced_cells)
        self.kept["paid"][t] = paid[self.priced_cells]
        self.kept["cost"][t] = self.costs.items(run, rules, paid, lost) * per_week
        self._reserves(run, per_week)
        if rules.licences:
            # Only worlds that have one today: what others have is nothing to them.
            here = np.any([rule.active > 0.0 for rule in rules.licences], axis=0)
            self.kept["licences"][t, 0] = np.where(here, run.day.office.granted_share(), np.nan)
        kept = {"declared": f["declared"], "output": f["output"], "used": f["used_by_cell"]}
        if f["grey"] is not run.day.c.no_links:
            kept["grey"] = f["grey"]
        if run.day.quotas:
            kept["rent"] = f["declared"] * sum(q.rent_by_link() for q in run.day.quotas) / 1000.0
        for month, part in self._split[t]:
            for name, values in kept.items():
                _add_up(values, part, self.kept[name][month])
            if run.day.state.ore_went is not None:
                self.kept["ore"][month] += run.day.state.ore_went * part
            year = self.years.index(int(self.months[month][:4]))
            self.kept["recycled"][year] += f["recycled"].reshape(-1, len(run.worlds)) * part
        month = self.tick_of_month[t]
        if t + 1 == len(self.times) or self.tick_of_month[t + 1] != month:
            self.kept["stock"][month] = rows.held_by_makers(run)
            self.kept["reserve"][month] = rows.reserve(run)
            self.kept["binding"][month] = self._binding(run, unmet, planned)
        if self._mid_year[t]:
            able = rows.able(run)
            self.kept["available"][self._tick_year[t]] = able
            self.kept["idle"][self._tick_year[t]] = rows.idle(run, able)
        self.tick += 1

    def _users(self, f: Flows, per_week: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Keep what users did.

        Returns
        -------
        unmet, planned : ndarray, shape (g, w)
            t.
        lost : ndarray, shape (u, w)
            Use that goes missing, less what is made up, t.
        """
        t, weeks, worlds = self.tick, self.days / DAYS_PER_WEEK, self.arrivals.shape[1]
        whole = Sums.zeros(len(self.labels.groups), worlds)
        military = Sums.zeros(len(self.military_groups), worlds)
        lost = np.empty_like(f.planned)
        use = Use(f.planned, f.wanted, f.unmet, f.late, f.stopped, f.to_users)
        arrivals = self.arrivals, per_week, self.arrival_gain
        add_lines((self.group_of, self.military_of), use, arrivals, (whole, military), lost)
        planned, unmet = whole.planned, np.minimum(whole.missing, whole.planned)
        come = whole.come * weeks
        gross = np.maximum(np.where(planned - come > 1e-9 * planned, planned - come, 0.0), unmet)
        self.kept["planned"][t] = planned * per_week
        self.kept["gross"][t] = gross * per_week
        self.kept["unmet"][t] = unmet * per_week
        self.kept["caught_up"][t] = whole.made_up * per_week
        self.kept["stopped"][t] = whole.stopped > 0
        if len(self.military_groups):
            net = np.minimum(military.missing, military.planned)
            lacking = np.maximum(military.planned - military.come * weeks, net)
            lacking = np.minimum(lacking, gross[self.military_groups])
            self.kept["military_planned"][t] = military.planned * per_week
            self.kept["military_unmet"][t] = net * per_week
            self.kept["military_gross"][t] = lacking * per_week
        return unmet, planned, lost

    def _reserves(self, run: BatchRun, per_week: float) -> None:
        """What public reserves buy and sell, USD million a week by region, at the ask."""
        lay, f = run.layout, run.day.flows
        for key, flow in (("reserve_bought", f["bought"]), ("reserve_sold", f["released_public"])):
            if np.any(flow):
                worth = np.zeros((len(lay.regions), flow.shape[1]))
                add_rows(lay.cells.region, flow * rows.ask(run) / 1000.0 * per_week, worth)
                self.kept[key][self.tick] = worth

    @cached_property
    def _element_of_line(self) -> np.ndarray:
        """Element that is told where a user line lacks goods, (u,): a heavy one of its recipe first."""
        lay = self.run.layout
        element = np.zeros(lay.users.n, dtype=int)
        for u in range(lay.users.n):
            names = [
                lay.chain.materials[r.input].element
                for r in lay.chain.recipes.get(lay.users.keys[u][1], {}).values()
            ]
            heavy = [e for e in names if e and lay.chain.elements[e].group == "heavy"]
            pick = (heavy or [e for e in names if e] or [lay.elements[0]])[0]
            element[u] = lay.element_at[pick or lay.elements[0]]
        return element

    def _binding(self, run: BatchRun, unmet: np.ndarray, planned: np.ndarray) -> np.ndarray:
        """Stage code plus 8 x (element + 1) of what binds each group, shape (g, w), uint8.

        Groups without lack have no code; those with a lack that no stage explains have stage
        ``none``.
        """
        short = unmet > 0.001 * np.maximum(planned, 1e-12)
        out = np.zeros(short.shape, dtype=np.uint8)
        if not np.any(short):
            return out
        stage = self._stages(run)
        element = self._element_of_line
        worst = run.day.flows["unmet"][self.lines]
        starts = self.by_group.starts
        bounds = [*starts, len(self.lines)]
        for g in range(len(self.labels.groups)):
            rows = self.lines[bounds[g] : bounds[g + 1]]
            pick = np.argmax(worst[bounds[g] : bounds[g + 1]], axis=0)
            chosen = rows[pick]
            found = stage[chosen, np.arange(short.shape[1])]
            code = found + 8 * (np.where(found > 0, element[chosen], 0) + 1)
            out[g] = np.where(short[g], code, 0)
        return out

    def _stages(self, run: BatchRun) -> np.ndarray:
        """Stage that keeps goods from each user line this day, index of `STAGES`, shape (u, w).

        From the weakest reason to the strongest: nothing; goods that wait for a licence, or are
        under way, after a closure; makers in the exporter's region without free capacity; makers
        elsewhere, then those of the exporter, without inputs; normal tonnes that may not pass. A
        maker lacks inputs because of trade where they, or the oxide in them, are kept from its
        region, else for want of metal, or of oxide where makers of metal lack it in turn.
        """
        lay, day, st = run.layout, run.day, run.day.state
        closed = 1.0 - st.openness > CLOSED
        late = closed | (st.remembered > CLOSED)
        short = day.flows["input_short"] < 0.995
        kept, upstream = np.zeros_like(short), np.zeros_like(short)
        for _ in range(2):  # oxide to metal, metal to magnet
            for source, made in zip(lay.groups.input, lay.groups.output, strict=True):
                kept[made] |= late[source] | (short[source] & kept[source])
                upstream[made] |= short[source]
        why = np.where(kept, STAGES.index("trade"), STAGES.index("metal"))
        why = np.where(upstream & ~kept, STAGES.index("separation"), why)
        home = np.maximum(lay.prices.home_cell[lay.users.material], 0)
        waiting = st.orders + st.in_transit + st.landed + st.held
        lacking = np.zeros_like(st.openness)
        add_rows(lay.users.cell, day.flows["unmet"], lacking)
        comes = late & (lay.links.sum_by_destination(waiting) > lacking)
        stage = np.where(comes[lay.users.cell], STAGES.index("trade"), STAGES.index("none"))
        load = day.group_load[lay.groups.of_cell[home]]
        stage = np.where(load > 0.97, STAGES.index("magnet"), stage)
        # Makers elsewhere count where a twentieth of what users need comes from such as lack.
        most = np.full(stage.shape, 0.05)
        for code in np.unique(why):
            part = day.l_need_share * (short & (why == code))[lay.links.origin]
            weight = lay.links.sum_by_destination(part)[lay.users.cell]
            stage = np.where(weight > most, code, stage)
            most = np.maximum(most, weight)
        stage = np.where(short[home], why[home], stage)
        return np.where(closed[lay.users.cell], STAGES.index("trade"), stage)

    def arrays(self) -> dict[str, np.ndarray]:
        """All kept series by name, (T, rows, w) each; what they are stands in `KEPT`."""
        return {**self.kept, "gap": self.gap.series}
