"""From nouns to arrays: which row of which array is which thing, and its base-year numbers.

Labels become indices here, once, before the tick. Constants are born with a singleton world
axis: shape ``(n, 1)``.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import date

import numpy as np
from scipy.sparse import csr_array

from lodestone.chain.balance import SWARF_RECOVERY, Balance, runs_in_base_year, separates
from lodestone.chain.nouns import Chain, Facility
from lodestone.equations.demand import CLASSES

WEEKS_PER_YEAR = 365.25 / 7.0
#: Transit assumed where no route row exists, days (A-number of the seeds' default route).
DEFAULT_TRANSIT_DAYS = 35.0
DEFAULT_EXPRESS_DAYS = 10.0
DEFAULT_FREIGHT = 0.3
#: Defence share of a sector from which its military users are a line of their own.
MILITARY_FROM = 0.1


def column(values: object) -> np.ndarray:
    """A constant per row, shape (n, 1)."""
    return np.asarray(values, dtype=float).reshape(-1, 1)


class Segments:
    """Rows sorted by a group, and their sums by group.

    Sums are products with a sparse matrix of ones: four times faster than ``np.add.reduceat``
    and the same bytes for any number of worlds (each world is added in row order).

    Parameters
    ----------
    sorted_ids : ndarray of int, shape (n,)
        Group of each row, not decreasing.

    Attributes
    ----------
    group : ndarray of int, shape (n,)
        Position of each row's group among the groups present.
    starts : ndarray of int, shape (g,)
        First row of each group.
    ids : ndarray of int, shape (g,)
        Which group stands at each position.
    """

    def __init__(self, sorted_ids: np.ndarray) -> None:
        self.rows = np.asarray(sorted_ids, dtype=int)
        self.ids, self.starts, self.group = np.unique(
            self.rows, return_index=True, return_inverse=True
        )
        self._by_size: dict[int, csr_array] = {}

    @classmethod
    def of(cls, sorted_ids: np.ndarray) -> Segments:
        """Segments of an ascending array of group ids."""
        return cls(sorted_ids)

    def _matrix(self, size: int) -> csr_array:
        if size not in self._by_size:
            n = len(self.rows)
            target = self.rows if size else self.group
            shape = (size or len(self.ids), n)
            self._by_size[size] = csr_array((np.ones(n), (target, np.arange(n))), shape=shape)
        return self._by_size[size]

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """Sum of rows (n, ...) by the groups present, shape (g, ...)."""
        flat = np.ascontiguousarray(rows).reshape(len(self.rows), -1)
        return (self._matrix(0) @ flat).reshape(len(self.ids), *rows.shape[1:])

    def spread(self, rows: np.ndarray, size: int) -> np.ndarray:
        """Sum of rows (n, ...) in an array of ``size`` groups, zeros where none."""
        flat = np.ascontiguousarray(rows).reshape(len(self.rows), -1)
        return (self._matrix(size) @ flat).reshape(size, *rows.shape[1:])


class Layout:
    """Index spaces and base-year arrays of a chain (all worlds share them).

    Index letters: ``r`` region, ``e`` element, ``m`` material (oxides, metals, magnets), ``c``
    cell (a material in a region), ``l`` link from an origin cell to a destination cell of the
    same material, ``u`` user line (sector, material, region), ``f`` facility, ``o`` ore pool
    (concentrate kind in a mining region), ``k`` ore link, ``s`` region with separators,
    ``i`` input of a plant cell, ``w`` world.

    Parameters
    ----------
    chain : Chain
    balance : Balance
        Closed base year of the same chain.
    start : date
        Day 0 of the run.
    opened : set of (material, origin, destination)
        Links that a contract opens beside those of habit and size; nobody orders there by
        himself.
    """

    def __init__(
        self,
        chain: Chain,
        balance: Balance,
        start: date,
        opened: Set[tuple[str, str, str]] = frozenset(),
    ) -> None:
        self.opened = opened
        self.chain, self.balance, self.start = chain, balance, start
        self.regions = list(chain.regions)
        self.elements = list(chain.elements)
        self.materials = [n for n, m in chain.materials.items() if m.form != "concentrate"]
        self.region_at = {n: i for i, n in enumerate(self.regions)}
        self.element_at = {n: i for i, n in enumerate(self.elements)}
        self.material_at = {n: i for i, n in enumerate(self.materials)}
        self.form = [chain.materials[m].form for m in self.materials]
        self.per_oxide = column([chain.elements[e].element_per_oxide for e in self.elements])
        self._facilities()
        self._cells()
        self._links()
        self._users()
        self._plants()
        self._ore()
        self._scrap()
        self._prices()
        self._contents()
        self._heavy_inputs()

    # ---- facilities --------------------------------------------------------------------

    def _facilities(self) -> None:
        chain = self.chain
        order = {"mine": 0, "separation": 1, "recycling": 2, "metal": 3, "magnet": 4}
        rows = [f for f in chain.facilities.values() if f.modelled]
        rows.sort(key=lambda f: (order[f.stage], self.region_at[f.region], f.name))
        self.facilities: list[Facility] = rows
        self.facility_at = {f.name: i for i, f in enumerate(rows)}
        self.f_stage = np.array([order[f.stage] for f in rows])
        self.f_region = np.array([self.region_at[f.region] for f in rows])
        self.f_capacity = column([f.capacity_t_per_year / WEEKS_PER_YEAR for f in rows])
        base = [runs_in_base_year(f, chain.vintage.base_year) for f in rows]
        self.f_base = np.array(base)
        use = self.balance.capacity_use
        self.f_use = column(
            [use.get(f.name, 1.0) if b else 0.0 for f, b in zip(rows, base, strict=True)]
        )
        self.f_cost = column([f.unit_cost_usd_per_kg for f in rows])
        self.f_ramp_months = column([max(f.ramp_months, 1.0) for f in rows])
        online = []
        for f, b in zip(rows, base, strict=True):
            if b:
                online.append(-np.inf)
            elif f.start_date is None:
                online.append(np.inf)
            else:
                online.append(float((f.start_date - self.start).days))
        self.f_online = column(online)
        # Plants of the base year that were still ramping up: days left to full output.
        left = []
        for f, b in zip(rows, base, strict=True):
            if b and f.start_date is not None and f.ramp_months > 0:
                end = (f.start_date - self.start).days + f.ramp_months * 30.4375
                left.append(
                    max(end, 0.0) if f.start_date.year >= chain.vintage.base_year - 2 else 0.0
                )
            else:
                left.append(0.0)
        self.f_ramp_left = column(left)

    def facilities_of(self, stage: str, region: str | None = None) -> list[int]:
        """Rows of the facilities of a stage (and region)."""
        return [
            i
            for i, f in enumerate(self.facilities)
            if f.stage == stage and (region is None or f.region == region)
        ]

    # ---- cells -------------------------------------------------------------------------

    def _cells(self) -> None:
        b, chain = self.balance, self.chain
        wanted: set[tuple[str, str]] = set(b.production) | set(b.plant_need)
        wanted |= {(m, r) for (_, m, r) in b.use}
        for f in self.facilities:
            if f.stage in ("separation", "recycling"):
                wanted |= {
                    (m, f.region) for m in self.materials if chain.materials[m].form == "oxide"
                }
            elif f.stage == "metal":
                wanted |= {(m, f.region) for m in self.metals_of(f)}
            elif f.stage == "magnet":
                wanted |= {(m, f.region) for m in self.magnets_of(f)}
        for m, r in list(wanted):
            if (m, r) in b.production or any(
                f.region == r and m in [*self.metals_of(f), *self.magnets_of(f)]
                for f in self.facilities
            ):
                wanted |= {(recipe.input, r) for recipe in chain.recipes.get(m, {}).values()}
        for m, r in list(wanted):  # inputs of the inputs (metal made on the spot)
            if (m, r) in b.production:
                wanted |= {(recipe.input, r) for recipe in chain.recipes.get(m, {}).values()}
        cells = sorted(wanted, key=lambda c: (self.material_at[c[0]], self.region_at[c[1]]))
        self.cells = cells
        self.cell_at = {c: i for i, c in enumerate(cells)}
        self.c_material = np.array([self.material_at[m] for m, _ in cells])
        self.c_region = np.array([self.region_at[r] for _, r in cells])
        per_week = 1.0 / WEEKS_PER_YEAR
        self.c_output = column([b.production.get(c, 0.0) * per_week for c in cells])
        self.c_plant_need = column([b.plant_need.get(c, 0.0) * per_week for c in cells])
        self.n_cells = len(cells)
        self.c_plant_cover = column([self._plant_cover(m, r) for m, r in cells])
        forms = np.array([self.form[m] for m in self.c_material])
        self.c_oxide, self.c_metal, self.c_magnet = (
            forms == "oxide",
            forms == "metal",
            forms == "magnet",
        )

    def _plant_cover(self, material: str, region: str) -> float:
        """Weeks of an input that makers of a region hold: as reported, else the default."""
        for row in self.chain.stockpiles.values():
            if row.kind == "industry" and row.region == region and row.days:
                named = {m for word in row.materials for m in self.chain.materials_named(word)}
                if material in named and self.chain.materials[material].form != "magnet":
                    return row.days / 7.0
        return self.chain.value("cover.plant_weeks")

    def metals_of(self, f: Facility) -> list[str]:
        """Metals that a metal plant can make (its own and, in small amounts, the others)."""
        if f.stage != "metal":
            return []
        return [m for m in self.materials if self.chain.materials[m].form == "metal"]

    def magnets_of(self, f: Facility) -> list[str]:
        """Magnet grades that a magnet plant can make."""
        if f.stage != "magnet":
            return []
        family = "smco" if f.material.startswith("smco") else "ndfeb"
        return [
            m
            for m in self.materials
            if self.chain.materials[m].form == "magnet" and m.startswith(family)
        ]

    # ---- links -------------------------------------------------------------------------

    def _links(self) -> None:
        b = self.balance
        base: dict[tuple[int, int], float] = {}
        for (m, origin, place), t in b.trade.items():
            pair = (self.cell_at[(m, origin)], self.cell_at[(m, place)])
            base[pair] = base.get(pair, 0.0) + t / WEEKS_PER_YEAR
        need = self.c_plant_need[:, 0].copy()
        for (_, m, r), t in b.use.items():
            need[self.cell_at[(m, r)]] += t / WEEKS_PER_YEAR
        self.c_need = column(need)
        pairs: dict[tuple[int, int], float] = {
            (c, c): 0.0 for c, (m, r) in enumerate(self.cells) if self._ever_makes(m, r)
        }
        pairs.update(dict.fromkeys(base, 0.0))
        habit = {
            (row.form, row.origin, row.destination): row.weight for row in self.chain.trade_priors
        }
        for c, (m, r) in enumerate(self.cells):
            if self.c_output[c, 0] > 0 or not self._ever_makes(m, r):
                continue
            form = self.chain.materials[m].form
            for d in np.flatnonzero((self.c_material == self.c_material[c]) & (need > 0)):
                place = self.cells[d][1]
                weight = habit.get((form, r, place), 0.0)
                if d == c:
                    weight = max(weight, 1.0)
                elif weight == 0.0 and form == "magnet":
                    continue
                share = need[d] / max(need[self.c_material == self.c_material[c]].sum(), 1e-9)
                if d != c and share < (0.12 if form == "oxide" else 0.06):
                    continue
                pairs[(c, int(d))] = max(weight, 0.05 if form != "magnet" else 0.0) * (
                    1.0 if d == c else share
                )
        for m, origin, place in self.opened:
            ends = (self.cell_at.get((m, origin)), self.cell_at.get((m, place)))
            if None not in ends and need[ends[1]] > 0 and self._ever_makes(m, origin):
                pairs.setdefault((int(ends[0]), int(ends[1])), 0.0)  # type: ignore[arg-type]
        keys = sorted(pairs, key=lambda p: (p[1], p[0]))
        self.links = keys
        self.l_from = np.array([o for o, _ in keys])
        self.l_to = np.array([d for _, d in keys])
        # Links stand sorted by destination; by seller they are reached through origin_links.
        cells = np.arange(self.n_cells + 1)
        self.link_starts = np.searchsorted(self.l_to, cells)
        self.origin_links = np.argsort(self.l_from, kind="stable")
        self.origin_starts = np.searchsorted(self.l_from[self.origin_links], cells)
        self.l_home = self.l_from == self.l_to
        self.l_base = column([base.get(p, 0.0) for p in keys])
        self.n_links = len(keys)
        ones = np.ones(self.n_links)
        self._origin_matrix = csr_array(
            (ones, (self.l_from, np.arange(self.n_links))), shape=(self.n_cells, self.n_links)
        )
        self._destination_matrix = csr_array(
            (ones, (self.l_to, np.arange(self.n_links))), shape=(self.n_cells, self.n_links)
        )
        # Share of an origin's output that a link stands for (new links: by need and habit).
        out = self.c_output[self.l_from, 0]
        new = np.array([pairs[p] for p in keys])
        total_new = np.zeros(self.n_cells)
        np.add.at(total_new, self.l_from, new)
        share_new = np.divide(
            new, total_new[self.l_from], out=np.zeros_like(new), where=total_new[self.l_from] > 0
        )
        self.l_share = column(
            np.where(out > 0, self.l_base[:, 0] / np.maximum(out, 1e-12), share_new)
        )
        transit, express, freight, express_cost = [], [], [], []
        for first, second in keys:
            route = self.route(self.cells[first][1], self.cells[second][1])
            transit.append(route[0])
            express.append(route[1])
            freight.append(route[2])
            express_cost.append(route[3])
        self.l_transit = np.array(transit)
        self.l_express = np.array(express)
        self.l_freight = column(freight)
        self.l_express_cost = column(express_cost)
        self.l_magnet = self.c_magnet[self.l_to]
        self.l_region_from = self.c_region[self.l_from]
        self.l_region_to = self.c_region[self.l_to]
        self.l_material = self.c_material[self.l_to]

    def route(self, origin: str, place: str) -> tuple[float, float, float, float]:
        """Transit days, express days, freight and express cost (USD/kg) of a pair of regions."""
        if origin == place:
            return 0.0, 0.0, 0.0, 0.0
        found = self.chain.routes.get((origin, place)) or self.chain.routes.get((place, origin))
        if found is None:
            return DEFAULT_TRANSIT_DAYS, DEFAULT_EXPRESS_DAYS, DEFAULT_FREIGHT, 7.0
        return (
            found.transit_days,
            min(found.express_days, found.transit_days),
            found.freight_usd_per_kg,
            found.express_usd_per_kg,
        )

    def _ever_makes(self, material: str, region: str) -> bool:
        if (material, region) in self.balance.production:
            return True
        form = self.chain.materials[material].form
        for f in self.facilities:
            if f.region != region:
                continue
            if form == "oxide" and f.stage in ("separation", "recycling"):
                return True
            if material in self.metals_of(f) or material in self.magnets_of(f):
                return True
        return False

    # ---- users -------------------------------------------------------------------------

    def _users(self) -> None:
        plain = [k for k, t in self.balance.use.items() if t > 0]
        # A sector that uses only a heavy grade gets a line of the light one, empty at first, so
        # that what is designed without heavy elements goes on being a magnet.
        held = set(plain)
        for s, m, r in list(plain):
            light = self._light_twin(m)
            if light and (s, light, r) not in held and (light, r) in self.cell_at:
                held.add((s, light, r))
                plain.append((s, light, r))
        plain.sort(key=lambda k: (self.cell_at[(k[1], k[2])], k[0]))
        # A sector that is military in good part is two lines, so that what is refused to its
        # military users is not shared with its civil ones: (part of use, defence share).
        lines = [(k, *part) for k in plain for part in self._military_parts(k[0])]
        keys = [k for k, _, _ in lines]
        parts = [part for _, part, _ in lines]
        self.users = keys
        self.sectors = list(self.chain.sectors)
        self.sector_at = {s: i for i, s in enumerate(self.sectors)}
        self.u_cell = np.array([self.cell_at[(m, r)] for _, m, r in keys])
        self.u_sector = np.array([self.sector_at[s] for s, _, _ in keys])
        self.u_region = np.array([self.region_at[r] for _, _, r in keys])
        self.u_material = np.array([self.material_at[m] for _, m, _ in keys])
        self.u_base = column(
            [
                self.balance.use.get(k, 0.0) / WEEKS_PER_YEAR * x
                for k, x in zip(keys, parts, strict=True)
            ]
        )
        self.by_cell = Segments.of(self.u_cell)
        self.user_starts = np.searchsorted(self.u_cell, np.arange(self.n_cells + 1))
        rows = [self.chain.sectors[s] for s, _, _ in keys]
        self.u_cover = column([s.cover_weeks for s in rows])
        self.u_elasticity = column([s.elasticity_short for s in rows])
        heavy = [self._heavy(m) for _, m, _ in keys]
        self.u_heavy = np.array(heavy)
        self.u_magnet = np.array([self.chain.materials[m].form == "magnet" for _, m, _ in keys])
        self.u_heavy_ceiling = column(
            [s.heavy_free_ceiling if h else 0.0 for s, h in zip(rows, heavy, strict=True)]
        )
        self.u_free_ceiling = column([s.ree_free_ceiling for s in rows])
        self.u_lag = column([max(s.substitution_lag_weeks, 1.0) for s in rows])
        self.u_lost_output = column([s.lost_output_usd_per_kg for s in rows])
        defence = np.array([share for _, _, share in lines])
        at = {(k, d): i for i, (k, d) in enumerate(zip(keys, defence, strict=True))}
        pair = []
        for (s, m, r), d in zip(keys, defence, strict=True):
            light = self._light_twin(m)
            pair.append(at.get(((s, light, r), d), -1) if light else -1)
        self.u_twin = np.array(pair)
        self.u_defence = column(defence)
        self.n_users = len(keys)

    def _military_parts(self, sector: str) -> tuple[tuple[float, float], ...]:
        """Lines of a sector: (part of its use, defence share of that part)."""
        share = self.chain.tiers.get(sector, {}).get("defence", 0.0)
        if MILITARY_FROM <= share < 1.0:
            return ((1.0 - share, 0.0), (share, 1.0))
        return ((1.0, share),)

    def tiers_of(self, line: int) -> dict[str, float]:
        """Share of each tier in the use of a user line."""
        sector = self.users[line][0]
        tiers = self.chain.tiers.get(sector, {})
        whole, mine = tiers.get("defence", 0.0), float(self.u_defence[line, 0])
        if mine == whole:
            return dict(tiers)
        rest = (1.0 - mine) / max(1.0 - whole, 1e-12)
        return {t: mine if t == "defence" else share * rest for t, share in tiers.items()}

    def _heavy(self, material: str) -> bool:
        return (
            any(
                self.chain.elements[self.chain.materials[r.input].element or ""].group == "heavy"
                for r in self.chain.recipes.get(material, {}).values()
                if self.chain.materials[r.input].element
            )
            and self.chain.materials[material].form == "magnet"
        )

    def _light_twin(self, material: str) -> str | None:
        if not self._heavy(material):
            return None
        family = material.split("_")[0]
        for m in self.materials:
            if m != material and m.startswith(family) and not self._heavy(m):
                return m
        return None

    def _heavy_inputs(self) -> None:
        """Where each heavy user line looks for the price of heavy metals: (line, cell, share)."""
        rows = []
        for u in np.flatnonzero(self.u_heavy):
            _, m, r = self.users[u]
            parts = []
            for recipe in self.chain.recipes[m].values():
                e = self.chain.materials[recipe.input].element or ""
                if self.chain.elements[e].group != "heavy":
                    continue
                here = self.cell_at.get((recipe.input, r))
                if here is None:
                    near = [
                        c
                        for c, (x, y) in enumerate(self.cells)
                        if x == recipe.input and y != self.home_region
                    ]
                    here = (
                        max(near, key=lambda c: (self.c_need[c, 0], self.cells[c]))
                        if near
                        else self.cell_at[(recipe.input, self.home_region)]
                    )
                price = self.chain.prices[(recipe.input, "home")].usd_per_kg
                parts.append((here, recipe.input_t_per_t_output * price))
            whole = sum(x for _, x in parts)
            rows += [(int(u), c, x / whole) for c, x in parts]
        self.h_line = np.array([u for u, _, _ in rows], dtype=int)
        self.h_cell = np.array([c for _, c, _ in rows], dtype=int)
        self.h_share = column([x for _, _, x in rows])
        self.by_heavy = Segments.of(self.h_line) if rows else None

    # ---- plants ------------------------------------------------------------------------

    def _plants(self) -> None:
        """Inputs of metal and magnet cells, and which plants share a capacity."""
        rows = []
        for c, (m, r) in enumerate(self.cells):
            for recipe in self.chain.recipes.get(m, {}).values():
                if (recipe.input, r) in self.cell_at and self._ever_makes(m, r):
                    rows.append((self.cell_at[(recipe.input, r)], c, recipe.input_t_per_t_output))
        rows.sort()
        self.i_input = np.array([i for i, _, _ in rows], dtype=int)
        self.i_output = np.array([o for _, o, _ in rows], dtype=int)
        self.i_coefficient = column([x for _, _, x in rows])
        self.by_input = Segments.of(self.i_input)
        self.order_output = np.argsort(self.i_output, kind="stable")
        self.by_output = Segments.of(self.i_output[self.order_output])
        made = np.zeros(self.n_cells, dtype=bool)
        made[self.i_output] = True
        self.c_made_to_order = made
        # Capacity groups: NdFeB grades of a region share plants; so do all metals.
        groups: dict[tuple[str, int], int] = {}
        cell_group = np.full(self.n_cells, -1)
        for c in map(int, np.flatnonzero(made)):
            m, r = self.cells[c]
            form = self.chain.materials[m].form
            family = m.split("_")[0] if form == "magnet" else "metal"
            cell_group[c] = groups.setdefault((family, self.region_at[r]), len(groups))
        self.g_of_cell = cell_group
        self.groups = list(groups)
        self.n_groups = len(groups)
        group_of = np.full(len(self.facilities), -1)
        for i, f in enumerate(self.facilities):
            if f.stage == "metal":
                group_of[i] = groups.get(("metal", self.region_at[f.region]), -1)
            elif f.stage == "magnet":
                family = "smco" if f.material.startswith("smco") else "ndfeb"
                group_of[i] = groups.get((family, self.region_at[f.region]), -1)
        self.g_of_facility = group_of
        base = np.zeros(self.n_groups)
        for c in map(int, np.flatnonzero(made)):
            base[cell_group[c]] += self.c_output[c, 0]
        capacity = np.zeros(self.n_groups)
        for i in range(len(self.facilities)):
            if group_of[i] >= 0 and self.f_base[i]:
                capacity[group_of[i]] += self.f_capacity[i, 0]
        # Where the control totals exceed the nameplates on file, unnamed plants make the rest.
        self.g_unnamed = column(np.maximum(base / 0.85 - capacity, 0.0))
        self.g_base_output = column(base)
        self.made_cells = np.flatnonzero(made)
        self.made_order = self.made_cells[np.argsort(cell_group[self.made_cells], kind="stable")]
        self.by_group = Segments.of(cell_group[self.made_order])
        plants = np.flatnonzero(group_of >= 0)
        self.plants_order = plants[np.argsort(group_of[plants], kind="stable")]

    # ---- ore ---------------------------------------------------------------------------

    def _ore(self) -> None:
        mines = self.facilities_of("mine")
        pools: dict[tuple[str, str], int] = {}
        for i in mines:
            f = self.facilities[i]
            pools.setdefault((f.material, f.region), len(pools))
        for material, region, _ in self.balance.ore:
            pools.setdefault((material, region), len(pools))
        self.ore_pools = list(pools)
        self.mines = np.array(
            sorted(
                mines, key=lambda i: pools[(self.facilities[i].material, self.facilities[i].region)]
            )
        )
        rows = [self.facilities[i] for i in self.mines]
        self.by_pool = Segments.of(np.array([pools[(f.material, f.region)] for f in rows]))
        # Clays leached on the spot open within a year; so does what a quota allows at the centre.
        quick = {
            pools[(f.material, f.region)]
            for f in rows
            if 0.0 < f.ramp_months <= 12.0 and f.role == "existing"
        }
        self._quick_pools = quick
        self.mine_mix = np.array(
            [[self.chain.mixes[f.mix or ""].get(e, 0.0) for e in self.elements] for f in rows]
        )[:, :, None]
        places = {f.region for f in self.facilities if f.stage == "separation"}
        places |= {p for _, _, p in self.balance.ore}
        self.separators = sorted(places, key=self.region_at.__getitem__)
        self.separator_regions = np.array([self.region_at[r] for r in self.separators])
        self.separator_at = {r: i for i, r in enumerate(self.separators)}
        nE = len(self.elements)
        base_ore = {
            key: np.array([t.get(e, 0.0) for e in self.elements]) / WEEKS_PER_YEAR
            for key, t in self.balance.ore.items()
        }
        links: dict[tuple[int, int], np.ndarray] = {}
        for (material, region, place), t in base_ore.items():
            links[(pools[(material, region)], self.separator_at[place])] = t
        china_like = max(
            self.separators,
            key=lambda r: sum(t.sum() for (_, _, p), t in base_ore.items() if p == r),
        )
        self.home_region = china_like
        fed_by_base = {p for _, _, p in base_ore}
        for (_material, region), o in pools.items():
            for place in self.separators:
                known = (o, self.separator_at[place])
                new_plant = place not in fed_by_base or place == region
                if (
                    known not in links
                    and region != china_like
                    and (new_plant or place == china_like)
                ) or (known not in links and region == place):
                    links[known] = np.zeros(nE)
        at_home = np.array([r == china_like for _, r in self.ore_pools])
        heavy = np.array(["heavy" in m for m, _ in self.ore_pools])
        quick_pool = np.array([o in self._quick_pools for o in range(len(self.ore_pools))])
        self.o_fast = (at_home & ~heavy) | (quick_pool & ~at_home)
        self.o_follows = self.o_fast
        named: dict[tuple[str, str], str] = {}
        for f in self.facilities:
            if f.stage == "mine" and f.destination:
                named.setdefault((f.material, f.region), f.destination)
        keys = sorted(links)
        self.ore_links = keys
        self.k_pool = np.array([o for o, _ in keys])
        self.k_place = np.array([s for _, s in keys])
        self.k_base = np.array([links[k] for k in keys])[:, :, None]
        self.k_base_t = column([links[k].sum() for k in keys])
        pool_region = [self.region_at[r] for _, r in self.ore_pools]
        place_region = [self.region_at[r] for r in self.separators]
        self.k_home = np.array([pool_region[o] == place_region[s] for o, s in keys])
        self.k_region_from = np.array([pool_region[o] for o, _ in keys])
        self.k_region_to = np.array([place_region[s] for _, s in keys])
        self.k_transit = np.array(
            [
                self.route(self.regions[a], self.regions[b])[0]
                for a, b in zip(self.k_region_from, self.k_region_to, strict=True)
            ]
        )
        held = {pair: r.ore_bond_days / 7.0 for pair, r in self.chain.routes.items()}
        self.k_bond = np.array(
            [
                held.get((self.regions[a], self.regions[b]), 0.0)
                for a, b in zip(self.k_region_from, self.k_region_to, strict=True)
            ]
        )[:, None, None]
        self.k_bonded = np.flatnonzero(self.k_bond[:, 0, 0] > 0.0)
        # Where ore without a base-year buyer goes: the seller named in the data, else the largest.
        preferred = []
        for o, s in keys:
            buyer = named.get(self.ore_pools[o], china_like)
            preferred.append(1.0 if self.separators[s] == buyer else 0.0)
        self.k_default = column(preferred)
        self.k_by_pool = Segments.of(self.k_pool)
        self.pool_base = np.add.reduceat(self.k_base, self.k_by_pool.starts, axis=0)
        fed = np.zeros((len(self.separators), nE))
        for (_, s), t in links.items():
            fed[s] += t
        self.s_fed = fed[:, :, None]
        self.s_base_feed = self.s_fed.sum(axis=1)
        # Capacity of separators, t REO contained a week; base-year plants fed by base-year ore.
        self.separation = np.array(
            sorted(
                self.facilities_of("separation"),
                key=lambda i: self.separator_at[self.facilities[i].region],
            ),
            dtype=int,
        )
        self.sep_by_place = Segments.of(
            np.array([self.separator_at[self.facilities[i].region] for i in self.separation])
        )
        self.sep_able = np.array(
            [
                [
                    1.0 if separates(self.facilities[i], e, self.chain) else 0.0
                    for e in self.elements
                ]
                for i in self.separation
            ]
        )[:, :, None]
        # Nameplate of the heavy circuits, t oxide a week; plants for heavies alone take no ore in,
        # they work up what the other plants of their region leave.
        self.sep_name = np.zeros((len(self.separation), nE, 1))
        for n, number in enumerate(self.separation):
            f = self.facilities[number]
            for element, t_year in (("dy", f.dy_t_per_year), ("tb", f.tb_t_per_year)):
                if element in self.element_at and separates(f, element, self.chain):
                    self.sep_name[n, self.element_at[element], 0] = t_year / WEEKS_PER_YEAR
        lights = [e for e in self.elements if self.chain.elements[e].group == "light"]
        self.sep_takes_ore = column(
            [
                1.0 if any(separates(self.facilities[i], e, self.chain) for e in lights) else 0.0
                for i in self.separation
            ]
        )
        recovery = [self.balance.recovery.get(r, 0.92) for r in self.separators]
        self.s_recovery = np.array(recovery)[:, None, None]
        capacity = np.zeros(len(self.separators))
        for i in self.separation:
            if self.f_base[i]:
                takes = self.sep_takes_ore[list(self.separation).index(i), 0]
                here = self.separator_at[self.facilities[i].region]
                capacity[here] += self.f_capacity[i, 0] * takes
        self.s_base_capacity = column(capacity)
        # Yield of each fed element in the base year (circuits for heavies may be missing).
        taken = np.zeros((len(self.separators), nE))
        for (e, r), tonnes in self.balance.primary.items():
            at = (self.separator_at[r], self.element_at[e])
            whole = fed[at] * recovery[at[0]]
            taken[at] = (tonnes / WEEKS_PER_YEAR) / whole if whole > 0 else 0.0
        self.s_taken = taken[:, :, None]
        # Base-year nameplate and output of the heavy circuits of a place (output rules where the
        # data state less nameplate than was made).
        nameplate = np.zeros((len(self.separators), nE))
        for n, i in enumerate(self.separation):
            if self.f_base[i]:
                nameplate[self.separator_at[self.facilities[i].region]] += self.sep_name[n, :, 0]
        yielded = fed * np.array(recovery)[:, None] * taken
        self.s_named = nameplate[:, :, None]
        self.s_circuit = np.maximum(nameplate, yielded)[:, :, None] * 1.15
        self.e_circuit = np.array([e in ("dy", "tb") for e in self.elements])
        self.e_follows = np.array(
            [
                self.chain.elements[e].group == "heavy" and e not in ("dy", "tb")
                for e in self.elements
            ]
        )
        self.e_kind = np.where(self.e_circuit, 1, np.where(self.e_follows, 2, 0))
        self.pool_base_t = column(self.pool_base[:, :, 0].sum(axis=1)) * np.ones(1)
        self.oxide_cell = np.array(
            [
                [self.cell_at.get((self._oxide(e), r), -1) for e in self.elements]
                for r in self.regions
            ]
        )

    def _oxide(self, element: str) -> str:
        for m in self.materials:
            item = self.chain.materials[m]
            if item.form == "oxide" and item.element == element:
                return m
        return ""

    # ---- scrap -------------------------------------------------------------------------

    def _scrap(self) -> None:
        nR, nE = len(self.regions), len(self.elements)
        self.scrap_base = np.zeros((nR, nE, 1))
        self.end_of_life = np.zeros((nR, nE, 1))
        for (e, r), t in self.balance.swarf.items():
            self.scrap_base[self.region_at[r], self.element_at[e], 0] = t / WEEKS_PER_YEAR
        for (e, r), t in self.balance.end_of_life.items():
            self.end_of_life[self.region_at[r], self.element_at[e], 0] = t / WEEKS_PER_YEAR
        recyclers = {r for _, r in self.balance.recycled}
        self.r_recycles = np.array([1.0 if r in recyclers else 0.0 for r in self.regions])[
            :, None, None
        ]
        self.swarf_recovery = SWARF_RECOVERY
        self.recyclers = np.array(
            [i for i in self.facilities_of("recycling") if not self.f_base[i]], dtype=int
        )
        yields = np.zeros((len(self.recyclers), nE))
        for n, i in enumerate(self.recyclers):
            f = self.facilities[i]
            for e, t in (
                ("ndpr", f.ndpr_t_per_year),
                ("dy", f.dy_t_per_year),
                ("tb", f.tb_t_per_year),
            ):
                if e in self.element_at:
                    yields[n, self.element_at[e]] = t / WEEKS_PER_YEAR
        self.recycler_yield = yields[:, :, None]
        # Scrap per tonne of magnet by region and element, and element lost per tonne of metal.
        scrap: dict[tuple[int, int], float] = {}
        loss: dict[tuple[int, int], float] = {}
        for c, (m, _) in enumerate(self.cells):
            for recipe in self.chain.recipes.get(m, {}).values():
                i = self.element_at[self.chain.materials[recipe.input].element or ""]
                if self.c_magnet[c]:
                    row = int(self.c_region[c]) * nE + i
                    scrap[(row, c)] = scrap.get((row, c), 0.0) + (
                        recipe.input_t_per_t_output - recipe.contained_element_t_per_t_output
                    )
                elif self.c_metal[c]:
                    kept = float(self.per_oxide[i, 0])
                    loss[(i, c)] = recipe.input_t_per_t_output * kept - 1.0
        left = [(c, row // nE, row % nE, t) for (row, c), t in scrap.items()]
        left += [(c, -1, e, t) for (e, c), t in loss.items()]
        self.left_cell = np.array([c for c, *_ in left], dtype=int)
        self.left_region = np.array([r for _, r, *_ in left], dtype=int)
        self.left_element = np.array([e for *_, e, _ in left], dtype=int)
        self.left_tonnes = np.array([t for *_, t in left])

    # ---- prices ------------------------------------------------------------------------

    def _prices(self) -> None:
        chain, home_region = self.chain, self.region_at[self.home_region]
        self.home = home_region
        n = len(self.materials)
        self.m_home = column([np.log(chain.prices[(m, "home")].usd_per_kg) for m in self.materials])
        ask = []
        for m in self.materials:
            row = chain.prices.get((m, "ask"))
            ask.append(
                np.log(row.usd_per_kg) if row else float(self.m_home[self.material_at[m], 0]) + 0.05
            )
        self.m_ask = column(ask)
        self.home_cell = np.array(
            [self.cell_at.get((m, self.home_region), -1) for m in self.materials]
        )
        self.c_home = self.c_region == home_region
        self.c_log_reference = np.where(
            self.c_home[:, None], self.m_home[self.c_material], self.m_ask[self.c_material]
        )
        link_at = {p: i for i, p in enumerate(self.links)}
        self.c_home_link = np.array(
            [link_at.get((self.home_cell[self.c_material[c]], c), -1) for c in range(self.n_cells)]
        )
        freight = np.where(
            self.c_home_link >= 0, self.l_freight[np.maximum(self.c_home_link, 0), 0], 0.3
        )
        freight = np.where(self.c_home, 0.0, freight)
        self.c_freight = column(freight)
        delivered = np.exp(self.m_home[self.c_material]) + self.c_freight
        self.c_wedge = np.exp(self.c_log_reference) / delivered
        # Costs passed on: metals from oxides, magnets from metals.
        self.cost_rows: list[tuple[int, list[tuple[int, float]], float]] = []
        for m_index, m in enumerate(self.materials):
            recipes = chain.recipes.get(m, {})
            if not recipes:
                continue
            inputs = [(self.material_at[r.input], r.input_t_per_t_output) for r in recipes.values()]
            cost = sum(x * np.exp(self.m_home[i, 0]) for i, x in inputs)
            share = min(cost / np.exp(self.m_home[m_index, 0]), 0.95)
            weights = [(i, share * x * np.exp(self.m_home[i, 0]) / cost) for i, x in inputs]
            self.cost_rows.append((m_index, weights, 1.0 - share))
        self.m_priced = np.array([not chain.recipes.get(m) for m in self.materials])
        del n

    # ---- contents ----------------------------------------------------------------------

    def _contents(self) -> None:
        """Tonnes of element in a tonne of each material, for the ledger, shape (m, e)."""
        self.content = np.zeros((len(self.materials), len(self.elements)))
        for i, m in enumerate(self.materials):
            item = self.chain.materials[m]
            if item.form == "oxide":
                e = self.element_at[item.element or ""]
                self.content[i, e] = self.per_oxide[e, 0]
            elif item.form == "metal":
                self.content[i, self.element_at[item.element or ""]] = 1.0
            else:
                for recipe in self.chain.recipes[m].values():
                    e = self.element_at[self.chain.materials[recipe.input].element or ""]
                    self.content[i, e] += recipe.contained_element_t_per_t_output
        self.by_material = Segments.of(self.c_material)

    def sum_by_destination(self, rows: np.ndarray) -> np.ndarray:
        """Sum of links by their destination cell: (l, w) -> (c, w)."""
        return self._destination_matrix @ rows

    def sum_by_origin(self, rows: np.ndarray) -> np.ndarray:
        """Sum of links by their origin cell: (l, w) -> (c, w)."""
        return self._origin_matrix @ rows

    # ---- lookups -----------------------------------------------------------------------

    def link_mask(
        self,
        origins: set[str] | None,
        places: dict[str, float] | None,
        materials: list[str] | None,
    ) -> np.ndarray:
        """Links from ``origins`` to ``places`` of ``materials`` that cross a border, (l,) bool."""
        mask = ~self.l_home
        if origins is not None:
            mask &= np.isin(self.l_region_from, [self.region_at[r] for r in origins])
        if places is not None:
            mask &= np.isin(self.l_region_to, [self.region_at[r] for r in places])
        if materials is not None:
            mask &= np.isin(
                self.l_material, [self.material_at[m] for m in materials if m in self.material_at]
            )
        return mask

    def user_rows(self, regions: set[str] | None, sectors: set[str] | None) -> np.ndarray:
        """User lines of regions and sectors, (u,) bool."""
        mask = np.ones(self.n_users, dtype=bool)
        if regions is not None:
            mask &= np.isin(self.u_region, [self.region_at[r] for r in regions])
        if sectors is not None:
            mask &= np.isin(self.u_sector, [self.sector_at[s] for s in sectors])
        return mask

    @property
    def classes(self) -> int:
        """Number of cover classes of a user line."""
        return CLASSES
