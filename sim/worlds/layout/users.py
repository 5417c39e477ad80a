"""User lines: a sector's use of a material in a region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lodestone.worlds.layout.cells import Cells
from lodestone.worlds.layout.links import Links
from lodestone.worlds.layout.names import Names
from lodestone.worlds.layout.rows import WEEKS_PER_YEAR, Segments, column

#: Defence share of a sector from which its military users are a line of their own.
MILITARY_FROM = 0.1


@dataclass(frozen=True)
class Users:
    """One row a user line, by cell, tie and sector.

    Outside the home region a line is two: users who buy there, and users who buy elsewhere, in the
    shares of the base year (see `Links`; A325). What they are and want is the same.
    """

    keys: list[tuple[str, str, str]]  # (sector, material, region)
    n: int
    cell: np.ndarray  # (u,)
    sector: np.ndarray  # (u,)
    region: np.ndarray  # (u,)
    material: np.ndarray  # (u,)
    base: np.ndarray  # (u, 1) t/week in the base year
    whole: np.ndarray  # (u, 1) the same of both ties
    tie: np.ndarray  # (u,) row of ties (2c,), see `Links`
    tie_starts: np.ndarray  # (2c + 1,) lines of each tie
    other: np.ndarray  # (u,) the same line with the other tie, or -1
    here: np.ndarray  # (p,) lines tied to the home region
    there: np.ndarray  # (p,) the same lines, tied elsewhere
    alike: np.ndarray  # (q,) a line of each cell and elasticity: others answer as it does
    alike_as: np.ndarray  # (u,) the row in ``alike`` of each line
    tied: np.ndarray  # (u, 1) share of the whole in the base year
    by_cell: Segments
    cover: np.ndarray  # (u, 1) weeks of use that a line likes to hold
    elasticity: np.ndarray  # (u, 1) short-run price elasticity, positive
    magnet: np.ndarray  # (u,) bool
    heavy: np.ndarray  # (u,) bool: a magnet with heavy elements
    heavy_ceiling: np.ndarray  # (u, 1) most that can do without heavy elements, share
    free_ceiling: np.ndarray  # (u, 1) most that can do without rare earths, share
    lag: np.ndarray  # (u, 1) weeks of a redesign
    lost_output: np.ndarray  # (u, 1) output lost per kg missing, USD/kg
    defence: np.ndarray  # (u, 1) defence share of the line
    twin: np.ndarray  # (u,) line of the same use without heavy elements, or -1
    heavy_line: np.ndarray  # (h,) heavy line, and where it looks for the price of heavy metals:
    heavy_cell: np.ndarray  # (h,) cell
    heavy_share: np.ndarray  # (h, 1) share of the cost
    by_heavy: Segments | None

    def mean_elasticity(self, materials: int) -> np.ndarray:
        """Mean elasticity by material, weighted by use, shape (m, 1)."""
        used, answers = np.zeros((2, materials))
        np.add.at(used, self.material, self.base[:, 0])
        np.add.at(answers, self.material, (self.base * self.elasticity)[:, 0])
        return column(answers / np.maximum(used, 1e-12))


def users_of(n: Names, cells: Cells, links: Links, home_region: str) -> Users:
    """Lines of use by tie, military ones apart where a sector is military in good part."""
    plain = [k for k, t in n.balance.use.items() if t > 0]
    # A sector that uses only a heavy grade gets a line of the light one, empty at first, so
    # that what is designed without heavy elements goes on being a magnet.
    held = set(plain)
    for s, m, r in list(plain):
        light = n.light_twin.get(m)
        if light and (s, light, r) not in held and (light, r) in cells.at:
            held.add((s, light, r))
            plain.append((s, light, r))
    plain.sort(key=lambda k: (cells.at[(k[1], k[2])], k[0]))
    # A sector that is military in good part is two lines, so that what is refused to its
    # military users is not shared with its civil ones: (part of use, defence share).
    # Where one can buy in the home region or elsewhere, each is two again: (tie).
    tied_share = _tied_share(cells, links)
    lines = [
        (k, *part, tie)
        for k in plain
        for part in _military_parts(n, k[0])
        for tie in ((0, 1) if links.tied[cells.at[(k[1], k[2])]] else (1,))
    ]
    lines.sort(key=lambda line: (cells.at[(line[0][1], line[0][2])], line[3]))
    keys = [k for k, *_ in lines]
    cell = np.array([cells.at[(m, r)] for _, m, r in keys])
    tie = 2 * cell + np.array([t for *_, t in lines])
    at = {(k, d, t): u for u, (k, _, d, t) in enumerate(lines)}
    other = np.array([at.get((k, d, 1 - t), -1) for k, _, d, t in lines])
    whole = column([n.balance.use.get(k, 0.0) / WEEKS_PER_YEAR * x for k, x, _, _ in lines])
    here = np.flatnonzero((other >= 0) & (tie % 2 == 0))
    part = np.ones((len(keys), 1))
    part[here] = tied_share[cell[here]]
    part[other[here]] = 1.0 - part[here]
    rows = [n.chain.sectors[s] for s, _, _ in keys]
    elasticity = column([s.elasticity_short for s in rows])
    answers = np.column_stack([cell, elasticity])
    _, alike, alike_as = np.unique(answers, axis=0, return_index=True, return_inverse=True)
    heavy = [m in n.heavy for _, m, _ in keys]
    line, place, share = _heavy_inputs(n, cells, keys, np.array(heavy), home_region)
    return Users(
        keys=keys,
        n=len(keys),
        cell=cell,
        sector=np.array([n.sector_at[s] for s, _, _ in keys]),
        region=np.array([n.region_at[r] for _, _, r in keys]),
        material=np.array([n.material_at[m] for _, m, _ in keys]),
        base=whole * part,
        whole=whole,
        tie=tie,
        tie_starts=np.searchsorted(tie, np.arange(2 * cells.n + 1)),
        other=other,
        here=here,
        there=other[here],
        alike=alike,
        alike_as=alike_as.reshape(-1),
        tied=part,
        by_cell=Segments.of(cell),
        cover=column([s.cover_weeks for s in rows]),
        elasticity=elasticity,
        magnet=np.array([n.chain.materials[m].form == "magnet" for _, m, _ in keys]),
        heavy=np.array(heavy),
        heavy_ceiling=column(
            [s.heavy_free_ceiling if h else 0.0 for s, h in zip(rows, heavy, strict=True)]
        ),
        free_ceiling=column([s.ree_free_ceiling for s in rows]),
        lag=column([max(s.substitution_lag_weeks, 1.0) for s in rows]),
        lost_output=column([s.lost_output_usd_per_kg for s in rows]),
        defence=column([d for _, _, d, _ in lines]),
        twin=_twins(n, at),
        heavy_line=line,
        heavy_cell=place,
        heavy_share=share,
        by_heavy=Segments.of(line) if len(line) else None,
    )


def _military_parts(n: Names, sector: str) -> tuple[tuple[float, float], ...]:
    """Lines of a sector: (part of its use, defence share of that part)."""
    share = n.chain.tiers.get(sector, {}).get("defence", 0.0)
    if MILITARY_FROM <= share < 1.0:
        return ((1.0 - share, 0.0), (share, 1.0))
    return ((1.0, share),)


def _tied_share(cells: Cells, links: Links) -> np.ndarray:
    """Share of what came from the home region in the base year, (c, 1); nought where nobody is tied."""
    came = links.sum_by_destination(links.base)
    here = (links.tie % 2 == 0)[:, None]
    from_home = links.sum_by_destination(np.where(here, links.base, 0.0))
    return np.asarray(from_home / np.maximum(came, 1e-12))


def _twins(n: Names, at: dict[tuple[tuple[str, str, str], float, int], int]) -> np.ndarray:
    """Line of the same use, defence share and tie without heavy elements, or -1, shape (u,).

    ``at`` is the row of each line by use, defence share and tie.
    """
    pair = []
    for (s, m, r), d, t in at:
        light = ((s, n.light_twin[m], r), d) if m in n.light_twin else None
        pair.append(-1 if light is None else at.get((*light, t), at.get((*light, 1), -1)))
    return np.array(pair)


def _heavy_inputs(
    n: Names,
    cells: Cells,
    keys: list[tuple[str, str, str]],
    heavy: np.ndarray,
    home_region: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each heavy user line looks for the price of heavy metals: line, cell, share."""
    rows = []
    for u in np.flatnonzero(heavy):
        _, m, r = keys[u]
        parts = []
        for recipe in n.chain.recipes[m].values():
            e = n.chain.materials[recipe.input].element or ""
            if n.chain.elements[e].group != "heavy":
                continue
            here = cells.at.get((recipe.input, r))
            if here is None:
                near = [
                    c
                    for c, (x, y) in enumerate(cells.keys)
                    if x == recipe.input and y != home_region
                ]
                here = (
                    max(near, key=lambda c: (cells.need[c, 0], cells.keys[c]))
                    if near
                    else cells.at[(recipe.input, home_region)]
                )
            price = n.chain.prices[(recipe.input, "home")].usd_per_kg
            parts.append((here, recipe.input_t_per_t_output * price))
        whole = sum(x for _, x in parts)
        rows += [(int(u), c, x / whole) for c, x in parts]
    return (
        np.array([u for u, _, _ in rows], dtype=int),
        np.array([c for _, c, _ in rows], dtype=int),
        column([x for _, _, x in rows]),
    )
