"""Planned use and what is missing of it, by date, region, sector and tier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.outputs.metrics import share_lacking
from lodestone.outputs.parts import Parts, bands
from lodestone.outputs.tables.frame import BAND, Stack
from lodestone.outputs.tables.registry import Source, banded, table

if TYPE_CHECKING:
    import pandas as pd


@table(
    words=("date", "region", "sector", "tier"),
    numbers=(
        "demand_t_magnet_per_week",
        *banded("gross_unmet_t_magnet_per_week"),
        *banded("unmet_t_magnet_per_week"),
        *banded("unmet_share"),
        "reference_unmet_share_p50",
    ),
    reads=("planned", "gross", "unmet", "military_planned", "military_gross", "military_unmet"),
)
def shortage_curve(src: Source) -> pd.DataFrame:
    """Planned, gross and net unmet use by date, region, sector and tier, with totals."""

    groups, tiers = src.labels.groups, src.chain.tiers
    tier_names = sorted({t for s in tiers.values() for t in s})
    regions = list(dict.fromkeys(r for r, _ in groups))
    sectors = sorted({s for _, s in groups}, key=src.labels.sector_at.__getitem__)
    rows_of: list[tuple[tuple[str, str, str], np.ndarray]] = []
    n = len(groups)
    ones = np.ones(n)
    all_rows = np.arange(n)
    tier_share = {
        t: np.array([tiers.get(s, {}).get(t, 0.0) for _, s in groups]) for t in tier_names
    }
    rows_of.append((("all", "all", "all"), all_rows))
    for r in regions:
        rows = np.array([i for i, g in enumerate(groups) if g[0] == r])
        rows_of.append(((r, "all", "all"), rows))
    for s in sectors:
        rows = np.array([i for i, g in enumerate(groups) if g[1] == s])
        rows_of.append((("all", s, "all"), rows))
    # Where a sector's military users have a line of their own, tiers are read from it.
    military = {int(g): j for j, g in enumerate(src.labels.military_groups)}
    stack = Stack()

    def total(parts: Parts, key: str, rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return parts.weighted(key, rows, weight.astype(np.float32))

    def of_tier(parts: Parts, key: str, rows: np.ndarray, tier: str) -> np.ndarray:
        share = tier_share[tier][rows]
        own = np.array([int(i) in military for i in rows])
        if not own.any():
            return total(parts, key, rows, share)
        lines = np.array([military[int(i)] for i in rows[own]])
        if tier == "defence":
            rest, line = np.where(own, 0.0, share), np.ones(len(lines))
        else:
            civil = share / np.maximum(1.0 - tier_share["defence"][rows], 1e-12)
            rest, line = np.where(own, civil, share), -civil[own]
        out = total(parts, key, rows, rest) + total(parts, f"military_{key}", lines, line)
        return np.maximum(out, 0.0)

    def block(
        key: tuple[str, str, str],
        p: np.ndarray,
        g: tuple[np.ndarray, np.ndarray],
        u: tuple[np.ndarray, np.ndarray],
        s: tuple[np.ndarray, np.ndarray],
        c: np.ndarray | None,
        part: float = 1.0,
    ) -> None:
        columns: dict[str, Any] = {
            "date": src.dates,
            "region": key[0],
            "sector": key[1],
            "tier": key[2],
            "demand_t_magnet_per_week": p * part,
        }
        for stem, (mean, q) in (
            ("gross_unmet_t_magnet_per_week", g),
            ("unmet_t_magnet_per_week", u),
        ):
            for name, values in zip(BAND, (mean, *q), strict=True):
                columns[f"{stem}_{name}"] = values * part
        for name, values in zip(BAND, (s[0], *s[1]), strict=True):
            columns[f"unmet_share_{name}"] = values
        columns["reference_unmet_share_p50"] = np.full(len(p), np.nan) if c is None else c
        stack.add(**columns)

    def quantities(rows: np.ndarray, tier: str | None = None) -> tuple[Any, ...]:
        def read(parts: Parts, key: str) -> np.ndarray:
            if tier is None:
                return total(parts, key, rows, ones[rows])
            return of_tier(parts, key, rows, tier)

        p = read(src.scenario, "planned")
        u = read(src.scenario, "unmet")
        c = None
        if src.reference is not None:
            base = read(src.reference, "planned")
            c_share = share_lacking(read(src.reference, "unmet"), base)
            c = bands(c_share)[1][1]
        return (
            bands(p)[1][1],
            bands(read(src.scenario, "gross")),
            bands(u),
            bands(share_lacking(u, p)),
            c,
        )

    for key, rows in rows_of:
        block(key, *quantities(rows))
    for t in tier_names:
        if tier_share[t].sum() > 0:
            block(("all", "all", t), *quantities(all_rows, t))
    for i, (r, s) in enumerate(groups):
        q = quantities(np.array([i]))
        for t in tier_names:
            part = tiers.get(s, {}).get(t, 0.0)
            if part > 0 and i in military:
                block((r, s, t), *quantities(np.array([i]), t))
            elif part > 0:
                p, g, u, share, c = q
                block((r, s, t), p, g, u, share, c, part)
    return stack.frame()
