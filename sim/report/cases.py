"""Cases side by side: paired differences, what the bands do not separate, regret and dominance.

A case is anything with one row a world: a run folder, or a point of a study. The first case is the
base. Worlds are the same draws in all cases of one seed and vintage, so differences are taken world
by world; where that is not so they are refused, not guessed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.report.asked import USUAL, Row, quantiles, row_of
from lodestone.report.families import family
from lodestone.report.wording import capital, human

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.report.reading import Reading

__all__ = ["Case", "Comparison", "better", "case_of_point", "case_of_run"]

#: Metrics of which less is better for those who buy magnets; of all others nothing is said.
LESS_IS_BETTER = ("shortage", "money")
MORE_IS_BETTER = (
    "self_sufficiency",
    "stage_coverage",
    "chain_coverage",
    "cover_days_low",
    "first_stoppage",
    "separation_coverage",
    "recycled_share",
    "use_of_plan",
    "export_revenue_usd_million",
    "trade_value_usd_million",
)
MOST_METRICS = 8
COST, AVOIDED = "public_outlay_usd_million", "unmet_t"


@dataclass(frozen=True)
class Case:
    """One thing that is compared.

    Attributes
    ----------
    name
        What it is called in tables.
    reading
        Of its run folder; None for a point of a study.
    worlds
        One row a world, with a column ``world``.
    seed, vintage
        Which draws they are.
    """

    name: str
    reading: Reading | None
    worlds: pd.DataFrame
    seed: int
    vintage: str


def case_of_run(folder: Path | str, name: str | None = None) -> Case:
    """Return a run folder as a case, called by scenario, variant and overlays."""
    from lodestone.outputs.results import Results
    from lodestone.report.reading import Reading

    reading = Reading(Results.load(folder))
    ensemble = reading.results.config.get("ensemble") or {}
    variant = reading.scenario.get("variant")
    applied = [variant, *(reading.scenario.get("overlays") or [])]
    told = name or " + ".join([reading.name, *(str(a) for a in applied if a)])
    return Case(
        told,
        reading,
        reading.results.worlds,
        int(ensemble.get("seed", 0)),
        str(reading.scenario.get("vintage", "")),
    )


@dataclass(frozen=True)
class Comparison:
    """Two or more cases; the first is the base."""

    cases: tuple[Case, ...]

    @cached_property
    def worlds(self) -> np.ndarray:
        """World numbers that all cases hold.

        Raises
        ------
        InputError
            The draws are not the same: another seed or vintage, or no world in common.
        """
        base = self.cases[0]
        for case in self.cases[1:]:
            if (case.seed, case.vintage) != (base.seed, base.vintage):
                raise InputError(
                    f"'{base.name}' and '{case.name}' do not hold the same worlds (seed {base.seed}, "
                    f"data {base.vintage} against seed {case.seed}, data {case.vintage})",
                    key="lodestone compare",
                    hint="Run both with the same ensemble.seed and on one vintage.",
                )
        common = set(base.worlds["world"].astype(int))
        for case in self.cases[1:]:
            common &= set(case.worlds["world"].astype(int))
        if not common:
            raise InputError("the cases have no world in common", key="lodestone compare")
        return np.array(sorted(common))

    @cached_property
    def names(self) -> list[str]:
        """Names of the cases, told apart by number where two are alike."""
        names = [case.name for case in self.cases]
        return [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]

    def _values(self, case: Case, column: str) -> np.ndarray:
        held = case.worlds.set_index(case.worlds["world"].astype(int))[column]
        return held.loc[self.worlds].to_numpy(dtype=float)

    @cached_property
    def metrics(self) -> list[Row]:
        """Rows of the base case for the metrics that all cases hold: those asked for first."""
        reading = next((c.reading for c in self.cases if c.reading is not None), None)
        asked: list[str] = []
        for case in self.cases:
            if case.reading is not None:
                asked += [str(t) for t in case.reading.scenario.get("headline") or ()]
        shared = set.intersection(*(set(map(str, c.worlds.columns)) for c in self.cases))
        found: list[Row] = []
        if reading is None:
            columns = [c for c in self.cases[0].worlds.columns if c in shared and _is_metric(c)]
            for column in columns:
                found.append(_bare_row(column, self._values(self.cases[0], column)))
            return found[:MOST_METRICS]
        for text in dict.fromkeys([*asked, *USUAL]):
            row = row_of(reading, text)
            if row is None or not _column_of(row, shared):
                continue
            if text not in asked and len(found) >= MOST_METRICS:
                break
            found.append(row)
        return [r for r in found if not np.isnan(r.own).all()][: max(MOST_METRICS, 10)]

    def row(self, metric: Row, i: int) -> Row:
        """Return a metric of case `i`, with the base in the place of the reference."""
        shared = set.intersection(*(set(map(str, c.worlds.columns)) for c in self.cases))
        column = _column_of(metric, shared)
        assert column is not None
        own = self._values(self.cases[i], column)
        base = None if i == 0 else self._values(self.cases[0], column)
        return replace(metric, own=own, calm=base)

    def table(self) -> pd.DataFrame:
        """Return a row for each case and metric: band, paired difference to the base, regret."""
        import pandas as pd

        lines = []
        for metric in self.metrics:
            regret = self.regret(metric)
            for i, name in enumerate(self.names):
                row = self.row(metric, i)
                line: dict[str, Any] = {"case": name, "metric": metric.text, "unit": metric.unit}
                line |= dict(zip(("p05", "p50", "p95"), quantiles(row.own), strict=True))
                delta = quantiles(row.delta) if i else (0.0, 0.0, 0.0)
                line |= dict(
                    zip(("difference_p05", "difference_p50", "difference_p95"), delta, strict=True)
                )
                line["separated_from_base"] = "" if i == 0 else "yes" if row.clear else "no"
                line["mean_regret"] = float("nan") if regret is None else float(regret[i].mean())
                lines.append(line)
        return pd.DataFrame(lines)

    def regret(self, metric: Row) -> np.ndarray | None:
        """Return how much worse than the best case each case is, world by world, (cases, w).

        None where neither less nor more of a metric is called better, or it is not finite.
        """
        sign = better(metric)
        values = np.array([self.row(metric, i).own for i in range(len(self.cases))])
        if sign == 0 or not np.isfinite(values).all():
            return None
        cost = -sign * values
        return cost - cost.min(axis=0)

    def not_separated(self, metric: Row) -> list[tuple[str, str]]:
        """Return the pairs of cases whose paired difference does not stand clear of zero."""
        out = []
        for a, b in itertools.combinations(range(len(self.cases)), 2):
            one, two = self.row(metric, a), self.row(metric, b)
            if not replace(two, calm=one.own).clear:
                out.append((self.names[a], self.names[b]))
        return out

    def dominated(self) -> list[str]:
        """Say which case is no better than another in any judged metric, and worse in one."""
        judged = [m for m in self.metrics if self.regret(m) is not None]
        told = []
        for a, b in itertools.permutations(range(len(self.cases)), 2):
            worse = 0
            for metric in judged:
                sign = better(metric)
                pair = replace(self.row(metric, a), calm=self.row(metric, b).own)
                low, _, high = (sign * q for q in quantiles(pair.delta))
                if max(low, high) > 0 and not pair.still:
                    worse = -1
                    break
                worse += pair.clear
            if worse > 0:
                told.append(
                    f"{self.names[a]} is dominated by {self.names[b]}: better in none of "
                    f"{len(judged)} numbers in 95 % of worlds, clearly worse in {worse}."
                )
        return told


def better(metric: Row) -> int:
    """Return 1 where more is better for those who buy, -1 where less is, 0 where neither is said."""
    if metric.name in MORE_IS_BETTER:
        return 1
    return -1 if family(metric.name) in LESS_IS_BETTER else 0


def _is_metric(column: str) -> bool:
    skip = ("draw.", "reference_", "world", "confirmed_if", "refuted_if")
    return not str(column).startswith(skip)


def _bare_row(column: str, values: np.ndarray) -> Row:
    from lodestone.outputs.metrics import METRICS

    name = column.split("[", 1)[0].split("(", 1)[0]
    unit = METRICS[name].unit if name in METRICS else ""
    told = METRICS[name].title if name in METRICS else human(name)
    extra = column[len(name) :].strip("[]()")
    title = capital(told) + (f" ({extra})" if extra else "")
    return Row(column, name, {}, unit, title, values, None)


def _column_of(row: Row, columns: Iterable[str]) -> str | None:
    """The column under which a metric stands in all cases."""
    held = set(columns)
    keys = [row.text]
    if row.selectors:
        inside = ",".join(f"{k}={v}" for k, v in sorted(row.selectors.items()))
        keys.append(f"{row.name}[{inside}]")
        keys.append(f"{row.name}({', '.join(f'{k}={v}' for k, v in row.selectors.items())})")
    return next((k for k in keys if k in held), None)


def case_of_point(name: str, worlds: pd.DataFrame, seed: int, vintage: str) -> Case:
    """Return a point of a study as a case."""
    return Case(name, None, worlds.reset_index(drop=True), seed, vintage)
