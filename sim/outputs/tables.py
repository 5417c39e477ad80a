"""The tables of a run folder, built from the parts of the scenario and its reference."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.expressions import Metric, asks_reference, judge, parse_verdict, written
from lodestone.chain.nouns import Chain
from lodestone.outputs.metrics import METRICS, share_lacking
from lodestone.outputs.parts import Parts, bands, read_rows
from lodestone.outputs.recorder import COST_ITEMS, STAGES, Series
from lodestone.worlds.made import content, nameplate

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.engine.run import BatchRun

BAND = ("mean", "p05", "p50", "p95")
NEGLIGIBLE_T = 1e-4
#: Selectors of a metric that have a column of their own in the summary.
SHOWN = ("region", "sector", "material", "element")


def save_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    hidden = path.with_name(f".{path.name}.part")
    hidden.write_text(text, encoding="utf-8", newline="")
    hidden.replace(path)


def save_table(path: Path, frame: pd.DataFrame) -> None:
    """Write a CSV whole or not at all; numbers have the seven digits of single precision."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    narrow = {
        name: column.astype(np.float32)
        for name, column in frame.items()
        if column.dtype == np.float64
    }
    table = pa.Table.from_pandas(frame.assign(**narrow), preserve_index=False)
    hidden = path.with_name(f".{path.name}.part")
    for quoting in ("none", "needed"):  # "needed" quotes all text; rarely needed at all
        options = arrow_csv.WriteOptions(include_header=False, quoting_style=quoting)
        try:
            with hidden.open("wb") as out:
                out.write((",".join(table.column_names) + "\n").encode())
                arrow_csv.write_csv(table, out, options)
            break
        except pa.ArrowInvalid:
            continue
    hidden.replace(path)


def save_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a Parquet file whole or not at all."""
    hidden = path.with_name(f".{path.name}.part")
    frame.to_parquet(hidden, index=False, compression="zstd")
    hidden.replace(path)


class Stack:
    """Collects blocks of rows and makes one table of them (a frame per block is slow)."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {}
        self.lengths: list[int] = []

    def add(self, **columns: Any) -> None:
        """Add a block: arrays of one length, and words that hold for all its rows."""
        length = max(len(v) for v in columns.values() if not isinstance(v, str | float | int))
        self.lengths.append(length)
        for name, values in columns.items():
            self.columns.setdefault(name, []).append(values)

    def frame(self) -> pd.DataFrame:
        """All blocks as a table."""
        import pandas as pd

        done: dict[str, Any] = {}
        for name, blocks in self.columns.items():
            if all(isinstance(b, str) for b in blocks):
                words, codes = np.unique(np.array(blocks, dtype=object), return_inverse=True)
                done[name] = pd.Categorical.from_codes(
                    np.repeat(codes, self.lengths), list(words)
                ).astype("str")
            else:
                done[name] = np.concatenate(
                    [
                        np.full(n, b) if isinstance(b, float | int) else np.asarray(b)
                        for b, n in zip(blocks, self.lengths, strict=True)
                    ]
                )
        return pd.DataFrame(done)


class Tables:
    """Builds the tables of a run.

    Parameters
    ----------
    run : BatchRun
        A batch of the scenario (any worlds): its labels.
    series : Series
        Labels of the kept series.
    scenario, reference : Parts
        Parts of both cases; ``reference`` is None where the scenario runs alone.
    """

    def __init__(
        self, run: BatchRun, series: Series, scenario: Parts, reference: Parts | None
    ) -> None:
        self.run, self.series, self.lay = run, series, run.layout
        self.scenario, self.reference = scenario, reference
        self.reference_links: list[tuple[str, str, str]] | None = None
        self.dates = [d.isoformat() for d in series.dates]

    # ---- shortage ----------------------------------------------------------------------

    def shortage_curve(self) -> pd.DataFrame:
        """Planned, gross and net unmet use by date, region, sector and tier, with totals."""

        groups, tiers = self.series.groups, self.run.chain.tiers
        tier_names = sorted({t for s in tiers.values() for t in s})
        regions = list(dict.fromkeys(r for r, _ in groups))
        sectors = sorted({s for _, s in groups}, key=self.lay.sector_at.__getitem__)
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
        military = {int(g): j for j, g in enumerate(self.series.military_groups)}
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
                "date": self.dates,
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

            p = read(self.scenario, "planned")
            u = read(self.scenario, "unmet")
            c = None
            if self.reference is not None:
                base = read(self.reference, "planned")
                c_share = share_lacking(read(self.reference, "unmet"), base)
                c = bands(c_share)[1][1]
            return (
                bands(p)[1][1],
                bands(read(self.scenario, "gross")),
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

    # ---- prices and costs --------------------------------------------------------------

    def price_curve(self) -> pd.DataFrame:
        """Home, ask and paid prices by date, material and market (all: over regions, by tonnes)."""

        lay = self.lay
        stack = Stack()

        def add(material: str, market: str, kind: str, rows: list[int], key: str) -> None:
            weights = np.ones(1) if key == "home" else self.series.price_weights(np.array(rows))
            values = self._mean_rows(self.scenario, key, rows, weights)
            mean, q = bands(values)
            calm: Any = np.nan
            if self.reference:
                calm = bands(self._mean_rows(self.reference, key, rows, weights))[1][1]
            stack.add(
                **{
                    "date": self.dates,
                    "material": material,
                    "market": market,
                    "kind": kind,
                    **{f"usd_per_kg_{n}": v for n, v in zip(BAND, (mean, *q), strict=True)},
                    "reference_usd_per_kg_p50": calm,
                }
            )

        for m, name in enumerate(lay.materials):
            cells = [i for i, c in enumerate(self.series.priced_cells) if lay.c_material[c] == m]
            add(name, lay.home_region, "home", [m], "home")
            for kind in ("ask", "paid"):
                if cells:
                    add(name, "all", kind, cells, kind)
                for i in cells:
                    region = lay.cells[self.series.priced_cells[i]][1]
                    add(name, region, kind, [i], kind)
        return stack.frame()

    @staticmethod
    def _mean_rows(parts: Parts, key: str, rows: list[int], weights: np.ndarray) -> np.ndarray:
        pieces = []
        for name in parts.names:
            chosen = read_rows(parts.folder / name / f"{key}.npy", np.asarray(rows))
            pieces.append(
                chosen[:, 0] if len(rows) == 1 else (chosen * weights[:, None]).sum(axis=1)
            )
        return np.concatenate(pieces, axis=-1)

    def cost_curve(self) -> pd.DataFrame:
        """Cost items by date and region, USD million a week."""

        regions = self.series.cost_regions
        n = len(regions)
        stack = Stack()
        for k, item in enumerate(COST_ITEMS):
            values = self.scenario.array("cost", slice(k * n, (k + 1) * n))
            picks: list[tuple[str, np.ndarray]] = [("all", values.sum(axis=1, dtype=float))]
            picks += [(r, values[:, i]) for i, r in enumerate(regions)]
            for region, path in picks:
                mean, q = bands(path)
                stack.add(
                    **{
                        "date": self.dates,
                        "region": region,
                        "item": item,
                        **{
                            f"usd_million_per_week_{b}": v
                            for b, v in zip(BAND, (mean, *q), strict=True)
                        },
                    }
                )
        return stack.frame()

    # ---- supply ------------------------------------------------------------------------

    def supply_curve(self) -> pd.DataFrame:
        """Merit order by year, case, stage and element: cost and available tonnes by plant.

        Under the scenario, the part of an exporter's output that buyers abroad used to take
        counts only as far as it passed in that year.
        """
        import pandas as pd

        lay, chain = self.lay, self.run.chain
        rows: list[dict[str, Any]] = []
        cases: list[tuple[str, Parts]] = [("scenario", self.scenario)]
        if self.reference:
            cases.insert(0, ("reference", self.reference))
        passes = self._passes()
        for case, parts in cases:
            available = bands(parts.array("available"))[1][1]  # (years, f)
            online = (parts.array("available") > 0).mean(axis=-1)
            for y, year in enumerate(self.series.years):
                for f, item in enumerate(lay.facilities):
                    if f >= available.shape[1] or online[y, f] < 0.5:
                        continue
                    for element in ("ndpr", "dy", "tb"):
                        if element not in lay.element_at:
                            continue
                        tonnes = float(available[y, f]) * content(item, chain, element)
                        if tonnes <= 0.0:
                            continue
                        if case == "scenario":
                            tonnes *= passes.get((year, item.region, item.stage, element), 1.0)
                        cash = _unit_cost(chain, item, element)
                        for basis, cost in (
                            ("cash", cash),
                            (
                                "incentive",
                                cash
                                + _capital_charge(chain, item, element, self.series.discount_rate),
                            ),
                        ):
                            rows.append(
                                {
                                    "year": year,
                                    "case": case,
                                    "stage": item.stage,
                                    "element": element,
                                    "facility": item.name,
                                    "region": item.region,
                                    "bloc": _bloc(item.region),
                                    "unit_cost_usd_per_kg": cost,
                                    "available_t": tonnes,
                                    "basis": basis,
                                }
                            )
        frame = pd.DataFrame(rows)
        keys = ["year", "case", "stage", "element", "basis"]
        frame = frame.sort_values(
            [*keys, "unit_cost_usd_per_kg", "facility"], kind="stable", ignore_index=True
        )
        frame["cumulative_t"] = frame.groupby(keys)["available_t"].cumsum()
        names = "year case stage element facility region bloc unit_cost_usd_per_kg available_t"
        return frame[[*names.split(), "cumulative_t", "basis"]]

    def _passes(self) -> dict[tuple[int, str, str, str], float]:
        """Share of an exporter's output of an element still to be had, by year and stage."""
        out: dict[tuple[int, str, str, str], float] = {}
        if not self.reference:
            return out
        lay, chain = self.lay, self.run.chain
        flows = [bands(p.array("declared"))[0] for p in (self.scenario, self.reference)]
        made = bands(self.reference.array("output"))[0]
        if flows[0].shape != flows[1].shape:
            return out
        crossing = ~lay.l_home
        for y, year in enumerate(self.series.years):
            months = [i for i, m in enumerate(self.series.months) if m.startswith(str(year))]
            for stage, form in (("separation", "oxide"), ("metal", "metal"), ("magnet", "magnet")):
                for e, element in enumerate(lay.elements):
                    for r, region in enumerate(lay.regions):
                        links = (
                            crossing
                            & (lay.l_region_from == r)
                            & np.array([lay.form[m] == form for m in lay.l_material])
                            & (lay.content[lay.l_material, e] > 0)
                        )
                        if not links.any():
                            continue
                        weight = lay.content[lay.l_material[links], e]
                        then = float((flows[1][months][:, links] * weight).sum())
                        now = float((flows[0][months][:, links] * weight).sum())
                        cells = (lay.c_region == r) & np.array(
                            [lay.form[m] == form for m in lay.c_material]
                        )
                        output = float(
                            (made[months][:, cells] * lay.content[lay.c_material[cells], e]).sum()
                        )
                        if then <= 0.0 or output <= 0.0:
                            continue
                        lost = min(then / output, 1.0) * max(1.0 - now / then, 0.0)
                        out[(year, region, stage, element)] = 1.0 - lost
            del y
        del chain
        return out

    # ---- trade -------------------------------------------------------------------------

    def trade_flows(self) -> pd.DataFrame:
        """Monthly shipments by link: leaf rows, declared and grey, both cases."""

        lay, chain = self.lay, self.run.chain
        stack = Stack()
        cases: list[tuple[str, Parts]] = [("scenario", self.scenario)]
        if self.reference:
            cases.insert(0, ("reference", self.reference))
        for case, parts in cases:
            label = parts.labels[0]
            for channel, key in (("declared", "declared"), ("grey", "grey"), ("declared", "ore")):
                names = label["ore_links"] if key == "ore" else label["links"]
                for rows, values in parts.blocks(key):
                    mean, q = bands(values)
                    for j, row in enumerate(rows):
                        material, origin, place = names[row]
                        if origin == place or not np.any(values[:, j] > NEGLIGIBLE_T):
                            continue
                        seen = mean[:, j] > NEGLIGIBLE_T
                        stack.add(
                            **{
                                "month": np.array(self.series.months)[seen],
                                "case": case,
                                "material": material,
                                "origin": origin,
                                "destination": place,
                                "channel": channel,
                                "basis": chain.materials[material].basis,
                                **{
                                    f"tonnes_{b}": v[:, j][seen]
                                    for b, v in zip(BAND, (mean, *q), strict=True)
                                },
                            }
                        )
        del lay
        return stack.frame()

    def bottlenecks(self) -> pd.DataFrame:
        """What binds each group at each month's end, with the share of worlds."""
        import pandas as pd

        codes = self.scenario.array("binding")
        groups = self.series.groups
        last_day: dict[str, str] = {}
        for d, m in zip(
            self.series.dates, [d.isoformat()[:7] for d in self.series.dates], strict=True
        ):
            last_day[m] = d.isoformat()
        rows = []
        for t, month in enumerate(self.series.months):
            if not codes[t].any():
                continue
            votes: dict[tuple[str, str], np.ndarray] = {}
            for g, (region, sector) in enumerate(groups):
                found = codes[t, g]
                for code in np.unique(found[found > 0]):
                    stage = STAGES[code % 8]
                    element = self.lay.elements[code // 8 - 1] if code % 8 else "none"
                    share = float((found == code).mean())
                    rows.append((last_day[month], region, sector, stage, element, share))
                    held = votes.setdefault((stage, element), np.zeros(codes.shape[-1]))
                    held += found == code
            # Over all users: what binds most groups of a world, so that shares add up to one.
            names = sorted(votes)
            counts = np.array([votes[n] for n in names])
            first = np.where(counts.max(axis=0) > 0, counts.argmax(axis=0), -1)
            for i, (stage, element) in enumerate(names):
                share = float((first == i).mean())
                if share > 0:
                    rows.append((last_day[month], "all", "all", stage, element, share))
        columns = [
            "date",
            "region",
            "sector",
            "binding_stage",
            "binding_element",
            "share_of_worlds",
        ]
        return pd.DataFrame(rows, columns=columns)

    # ---- worlds and summary ------------------------------------------------------------

    def worlds(self) -> pd.DataFrame:
        """One row a world: draws, metrics, the reference's metrics, verdicts."""
        import pandas as pd

        label = self.scenario.labels[0]
        columns: dict[str, Any] = {"world": self.scenario.array("worlds").astype(int)}
        draws = self.scenario.array("draws")
        for i, name in enumerate(label["draws"]):
            columns[f"draw.{name}"] = draws[i]
        metrics = self.scenario.array("metrics")
        for i, name in enumerate(label["metrics"]):
            columns[name] = metrics[i]
        if self.reference:
            calm = self.reference.array("metrics")
            for i, name in enumerate(self.reference.labels[0]["metrics"]):
                columns[f"reference_{name}"] = calm[i]
        columns |= {k: v for k, v in self.judged().items() if v is not None}
        frame = pd.DataFrame(columns)
        return frame.sort_values("world", ignore_index=True)

    def summary(self, worlds: pd.DataFrame) -> pd.DataFrame:
        """Metrics over worlds, with paired differences to the reference."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        others: list[dict[str, str]] = []
        element_of = {n: m.element for n, m in self.run.chain.materials.items()}
        for key in self.scenario.labels[0]["metrics"]:
            name, selection = parse_key(key)
            values = worlds[key].to_numpy()
            known = values[~np.isnan(values)]
            if not known.size:
                continue
            mean, q = bands(known)
            material = selection.get("material")
            row: dict[str, Any] = {
                "metric": name,
                "region": selection.get("region", "all"),
                "sector": selection.get("sector", "all"),
                "element": selection.get("element")
                or ((element_of.get(material) or material) if material else "all"),
                "unit": METRICS[name].unit,
                "mean": float(mean),
                **dict(zip(BAND[1:], map(float, q), strict=True)),
            }
            reference = f"reference_{key}"
            if reference in worlds:
                calm = worlds[reference].to_numpy()
                calm_known = calm[~np.isnan(calm)]
                row["reference_p50"] = float(bands(calm_known)[1][1]) if calm_known.size else np.nan
                delta = _difference(values, calm)
                delta = delta[~np.isnan(delta)]
                low, middle, high = bands(delta)[1] if delta.size else (np.nan,) * 3
                row.update(delta_p50=middle, delta_p05=low, delta_p95=high)
            else:
                row.update(reference_p50=np.nan, delta_p50=0.0, delta_p05=0.0, delta_p95=0.0)
            rows.append(row)
            others.append({k: v for k, v in selection.items() if k not in SHOWN})
        # Rows that only a selector without a column tells apart carry it in their name.
        place = ("metric", "region", "sector", "element")
        keys = [tuple(row[k] for k in place) for row in rows]
        for row, key, more in zip(rows, keys, others, strict=True):
            if keys.count(key) > 1:
                told = ", ".join(f"{k}={v}" for k, v in more.items())
                row["metric"] += f"({told})"
        return pd.DataFrame(rows)

    def judged(self) -> dict[str, np.ndarray | None]:
        """Each verdict expression in every world; None where it lacks a reference."""

        def values(parts: Parts) -> Callable[[str, Any], np.ndarray]:
            held, names = parts.array("asked"), parts.labels[0]["asked"]
            rows = {name: held[i] for i, name in enumerate(names)}
            return lambda name, selectors: rows[written(Metric(name, tuple(selectors.items())))]

        own = values(self.scenario)
        calm = values(self.reference) if self.reference else None
        found: dict[str, np.ndarray | None] = {}
        for kind in ("confirmed_if", "refuted_if"):
            text = self.series.scenario.hypothesis.get(kind)
            if text:
                tree = parse_verdict(text)
                alone = calm is None and asks_reference(tree)
                found[kind] = None if alone else np.asarray(judge(tree, own, calm), dtype=bool)
        return found

    def verdict(self) -> pd.DataFrame:
        """Probability of each verdict expression (none where it lacks a reference)."""
        import pandas as pd

        worlds = self.scenario.array("worlds").size
        rows = [
            {
                "kind": kind,
                "expression": self.series.scenario.hypothesis[kind],
                "probability": float("nan") if verdict is None else float(verdict.mean()),
                "worlds": int(worlds),
            }
            for kind, verdict in self.judged().items()
        ]
        columns = ["kind", "expression", "probability", "worlds"]
        return pd.DataFrame(rows, columns=columns)

    def claims(self) -> pd.DataFrame:
        """Press claims that the hypothesis names or whose test names the scenario, with verdict."""
        import pandas as pd

        from lodestone.outputs.claims import COLUMNS, claims_of, table_of_run

        def values(parts: Parts) -> dict[str, Any]:
            held = parts.array("claims")
            told: dict[str, Any] = dict(parts.labels[0]["untold"])
            return told | {name: held[i] for i, name in enumerate(parts.labels[0]["claims"])}

        scenario, chain = self.series.scenario, self.series.chain
        calm = values(self.reference) if self.reference else None
        asked = claims_of(chain, scenario)
        rows = table_of_run(asked, chain, scenario.name, values(self.scenario), calm)
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def series_table(self) -> pd.DataFrame:
        """The weekly and monthly cube, tidy: quantiles by variable, region and material."""

        stack = Stack()
        cases: list[tuple[str, Parts]] = [("scenario", self.scenario)]
        if self.reference:
            cases.append(("reference", self.reference))
        months = [f"{m}-01" for m in self.series.months]
        units = {"output": "t per month", "stock": "t", "used": "t per month"}
        for case, parts in cases:
            cells = parts.labels[0]["cells"]
            for key, unit in units.items():
                for rows, values in parts.blocks(key):
                    mean, q = bands(values)
                    for j, row in enumerate(rows):
                        if not np.any(values[:, j]):
                            continue
                        material, region = cells[row]
                        stack.add(
                            **{
                                "date": months,
                                "case": case,
                                "variable": key,
                                "material": material,
                                "region": region,
                                "unit": unit,
                                **{b: v[:, j] for b, v in zip(BAND, (mean, *q), strict=True)},
                            }
                        )
        return stack.frame()


def parse_key(key: str) -> tuple[str, dict[str, str]]:
    """Metric name and selection of a column name (the inverse of ``metrics.key_of``)."""
    if "[" not in key:
        return key, {}
    name, inside = key[:-1].split("[", 1)
    return name, dict(part.split("=", 1) for part in inside.split(","))


def _difference(values: np.ndarray, calm: np.ndarray) -> np.ndarray:
    """Paired difference; equal infinities differ by nothing."""
    with np.errstate(invalid="ignore"):
        return np.where(values == calm, 0.0, values - calm)


def _bloc(region: str) -> str:
    """Bloc under which a plant stands in the merit order (by region; see the blocs table)."""
    allied = {"australia", "canada", "europe", "japan", "south_korea", "united_states"}
    if region == "china":
        return "china"
    return "allies" if region in allied else "others"


def _unit_cost(chain: Chain, item: Any, element: str) -> float:
    """Cash cost of a kilogram of an element at a plant, joint cost shared by value."""
    prices = {
        e: chain.prices[(m, "home")].usd_per_kg
        for m, x in chain.materials.items()
        if x.form == "oxide" and (e := x.element) and (m, "home") in chain.prices
    }
    if item.stage == "mine":
        mix = chain.mixes[item.mix or ""]
        basket = sum(share * prices.get(e, 0.0) for e, share in mix.items())
        return float(item.unit_cost_usd_per_kg * prices[element] / max(basket, 1e-9))
    if item.stage in ("separation", "recycling"):
        held = nameplate(item, chain)
        basket = sum(t * prices.get(e, 0.0) for e, t in held.items())
        whole = item.capacity_t_per_year or 1.0
        return float(item.unit_cost_usd_per_kg * whole * prices[element] / max(basket, 1e-9))
    # Conversion is stated per kg of product; the curve counts kg of the element in it.
    share = content(item, chain, element)
    return float(item.unit_cost_usd_per_kg / max(share, 1e-3))


def _capital_charge(chain: Chain, item: Any, element: str, rate: float) -> float:
    """Yearly capital cost of a kilogram: an annuity over 15 years at the discount rate."""
    annuity = rate / (1.0 - (1.0 + rate) ** -15.0)
    capital = chain.plant_cost(item.stage, item.region).capital_usd_per_kg_year
    share = 1.0
    if item.stage == "mine":
        prices = chain.prices[(f"{element}_oxide", "home")].usd_per_kg
        mix = chain.mixes[item.mix or ""]
        basket = sum(
            s * chain.prices[(f"{e}_oxide", "home")].usd_per_kg
            for e, s in mix.items()
            if (f"{e}_oxide", "home") in chain.prices
        )
        share = prices / max(basket, 1e-9)
    return capital * annuity * share


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()
