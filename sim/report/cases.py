"""Cases side by side: paired differences, what the bands do not separate, regret and dominance.

A case is anything with one row a world: a run folder, or a point of a study. The first case is the
base. Worlds are the same draws in all cases of one seed and vintage, so differences are taken world
by world; where that is not so they are refused, not guessed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.report.asked import USUAL, Frame, Row, frame_of, quantiles, row_in
from lodestone.report.families import family
from lodestone.report.wording import capital, human, joined

if TYPE_CHECKING:
    import pandas as pd

    from lodestone.report.reading import Reading

__all__ = ["Case", "Comparison", "better", "case_of_point", "case_of_run", "changes"]

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
AS_WRITTEN = "as written"
#: Titles of sums and extremes over the whole run.
ENDS = re.compile(
    r"\bto (the end of|\d{1,2} [A-Z][a-z]+ \d{4})\b|\bLongest\b|\bworst (week|day)\b|^Length of"
)


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
    applied
        Variant and overlays of a run, so that cases of one scenario are called by them alone;
        None where the name was given or there is no run folder.
    asked
        Metrics that it is asked for, first things first.
    frame
        Last date and first own measure, for titles.
    happens
        Its disruptions: cases with other ones are no choices that somebody has.
    shocks
        First and last day of its first disruption over the worlds; empty where not known.
    """

    name: str
    reading: Reading | None
    worlds: pd.DataFrame
    seed: int
    vintage: str
    applied: tuple[str, ...] | None = None
    asked: tuple[str, ...] = ()
    frame: Frame | None = None
    happens: Any = None
    shocks: tuple[str, ...] = ()


def case_of_run(folder: Path | str, name: str | None = None) -> Case:
    """Return a run folder as a case, called by scenario, variant and overlays."""
    from lodestone.outputs.results import Results
    from lodestone.report.reading import Reading

    reading = Reading(Results.load(folder))
    ensemble = reading.results.config.get("ensemble") or {}
    variant = reading.scenario.get("variant")
    held = [variant, *(reading.scenario.get("overlays") or [])]
    applied = tuple(str(a) for a in held if a)
    return Case(
        name or " + ".join([reading.name, *applied]),
        reading,
        reading.results.worlds,
        int(ensemble.get("seed", 0)),
        str(reading.scenario.get("vintage", "")),
        None if name else applied,
        tuple(str(t) for t in reading.scenario.get("headline") or ()),
        frame_of(reading),
        _happens(reading.scenario.get("interventions") or {}),
        tuple(map(str, reading.results.provenance.get("first_disruption") or ())),
    )


def _happens(interventions: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in held.items() if k not in {"source", "note"}}
        for name, held in interventions.items()
        if isinstance(held, dict) and held.get("role") == "disruption"
    }


def changes(base: Reading, other: Reading) -> list[str]:
    """Say in which measures and numbers a run differs from another: dates and keys in words."""
    told = []
    one, two = (r.scenario.get("interventions") or {} for r in (base, other))
    for name in dict.fromkeys([*one, *two]):
        a, b = one.get(name), two.get(name)
        if a == b:
            continue
        if b is None:
            told.append(f"without {human(name)}")
        elif a is None:
            told.append(f"with {human(name)}")
        else:
            keys = [k for k in dict.fromkeys([*a, *b]) if a.get(k) != b.get(k)]
            keys = [k for k in keys if k not in {"source", "note", "role"}]
            if keys:
                told.append(f"{human(name)}: another {joined([human(k) for k in keys])}")
    a, b = (_flat(r.scenario.get("overrides") or {}) for r in (base, other))
    sets = [
        f"{key} {'as in the data' if b.get(key) is None else b[key]}"
        for key in dict.fromkeys([*a, *b])
        if a.get(key) != b.get(key)
    ]
    if len(sets) > 4:
        sets = [*sets[:3], f"{len(sets) - 3} more numbers"]
    return [*told, *sets]


def _flat(value: Any, head: str = "") -> dict[str, Any]:
    """Nested keys joined by dots."""
    if not isinstance(value, dict) or "dist" in value:
        return {head: value}
    out: dict[str, Any] = {}
    for key, held in value.items():
        out |= _flat(held, f"{head}.{key}" if head else str(key))
    return out


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
        if self.scenario is not None:
            names = [human(" + ".join(c.applied or ())) or AS_WRITTEN for c in self.cases]
        else:
            names = [
                n if c.applied is None else human(n) for n, c in zip(names, self.cases, strict=True)
            ]
        base = self.cases[0].reading
        for i, case in enumerate(self.cases):
            if i and names.count(names[i]) > 1 and base is not None and case.reading is not None:
                differs = changes(base, case.reading)
                if len(differs) == 1 and differs[0] not in names:
                    names[i] = differs[0]
        return [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]

    @cached_property
    def scenario(self) -> str | None:
        """The scenario of which all cases are variants; None where they are of several."""
        found = {
            c.reading.name if c.applied is not None and c.reading else None for c in self.cases
        }
        return found.pop() if len(found) == 1 else None

    def values(self, case: Case, column: str) -> np.ndarray:
        """Return a column of a case in the worlds that all cases hold, shape (w,)."""
        held = case.worlds.set_index(case.worlds["world"].astype(int))[column]
        return held.loc[self.worlds].to_numpy(dtype=float)

    @cached_property
    def metrics(self) -> list[Row]:
        """Rows of the base case for the metrics that all cases hold: those asked for first."""
        asked = [t for case in self.cases for t in case.asked]
        shared = set.intersection(*(set(map(str, c.worlds.columns)) for c in self.cases))
        frame, base = self.frame, self.cases[0].worlds
        if frame is None:
            columns = [c for c in base.columns if c in shared and _is_metric(c)]
            return [_bare_row(c, self.values(self.cases[0], c)) for c in columns][:MOST_METRICS]
        found: list[Row] = []
        for text in dict.fromkeys([*asked, *USUAL]):
            row = row_in(base, frame, text)
            if row is None or not _column_of(row, shared):
                continue
            if (self.apart and ENDS.search(row.title)) or row.title in {r.title for r in found}:
                continue
            if text not in asked and len(found) >= MOST_METRICS:
                break
            found.append(row)
        return [r for r in found if not np.isnan(r.own).all()][: max(MOST_METRICS, 10)]

    @cached_property
    def frame(self) -> Frame | None:
        """Last date and first own measure for titles, in words where the cases differ in it."""
        frames = [c.frame for c in self.cases if c.frame is not None]
        if not frames:
            return None
        shocks = {f.shock for f in frames}
        last = min(f.last for f in frames)
        return Frame(last, frames[0].shock if len(shocks) == 1 else "each case's own first measure")

    @cached_property
    def apart(self) -> bool:
        """Whether the cases end on different days, so that sums to the end are not alike."""
        return len({c.frame.last for c in self.cases if c.frame is not None}) > 1

    @cached_property
    def choices(self) -> list[int]:
        """Cases with the disruptions of the base: what somebody can choose between."""
        base = self.cases[0].happens
        return [i for i, c in enumerate(self.cases) if c.happens == base]

    @cached_property
    def moved(self) -> list[Row]:
        """The metrics in which any case differs from the base."""
        return [
            m
            for m in self.metrics
            if any(not self.row(m, i).still for i in range(1, len(self.cases)))
        ]

    @cached_property
    def telling(self) -> list[Row]:
        """What moves: the first asked for, then what stands clear in any case, then the rest."""

        def dull(metric: Row) -> bool:
            return not any(self.row(metric, i).clear for i in range(1, len(self.cases)))

        return self.moved[:1] + sorted(self.moved[1:], key=dull)

    def row(self, metric: Row, i: int) -> Row:
        """Return a metric of case `i`, with the base in the place of the reference."""
        shared = set.intersection(*(set(map(str, c.worlds.columns)) for c in self.cases))
        column = _column_of(metric, shared)
        assert column is not None
        own = self.values(self.cases[i], column)
        base = self.values(self.cases[0], column) if i and self.alike(metric, i) else None
        return replace(metric, own=own, calm=base)

    def alike(self, metric: Row, *which: int) -> bool:
        """Whether cases (all of them where none is named) look at the same time as the base.

        What begins with the first disruption begins on the same day, and no run ends within a window
        that another one completes.
        """
        from lodestone.outputs.metrics.window import counts_from_shock

        whole = [not self.cut_off(metric, i) for i in (0, *(which or range(1, len(self.cases))))]
        if any(whole) and not all(whole):
            return False
        if not counts_from_shock(metric.name, metric.selectors):
            return True
        return self._same_shock(*(which or range(1, len(self.cases))))

    def _same_shock(self, *which: int) -> bool:
        """Whether cases have the first disruption of the base on the same days, as far as known."""
        base, *others = (self.cases[i].shocks for i in (0, *which))
        return all(shocks == base or not (shocks and base) for shocks in others)

    def cut_off(self, metric: Row, i: int) -> str:
        """Say why a metric is not complete in a case; blank where it is, or nobody knows."""
        from lodestone.outputs.metrics import METRICS

        reading = self.cases[i].reading
        if reading is None or metric.name not in METRICS:
            return ""
        return reading.cut_off(metric.name, metric.selectors)

    @cached_property
    def keys(self) -> list[str]:
        """Names of the cases in tables: scenario, variant and overlays as they are typed."""
        names = [case.name for case in self.cases]
        return [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]

    def table(self) -> pd.DataFrame:
        """Return a row for each case and metric: band, paired difference to the base, regret."""
        import pandas as pd

        lines = []
        for metric in self.metrics:
            regret = self.regret(metric)
            for i, name in enumerate(self.keys):
                row = self.row(metric, i)
                line: dict[str, Any] = {"case": name, "metric": metric.text, "unit": metric.unit}
                line |= dict(zip(("p05", "p50", "p95"), quantiles(row.own), strict=True))
                delta = quantiles(row.delta) if i else (0.0, 0.0, 0.0)
                clear = "" if row.calm is None else "yes" if row.clear else "no"
                line |= dict(
                    zip(("difference_p05", "difference_p50", "difference_p95"), delta, strict=True)
                )
                line["separated_from_base"] = clear
                line["note"] = self.note(metric)
                line["mean_regret"] = float("nan") if regret is None else float(regret[i].mean())
                lines.append(line)
        return pd.DataFrame(lines)

    def note(self, metric: Row) -> str:
        """Return what to know of a metric: from which days it looks, how it takes countries."""
        told = dict.fromkeys(
            str(remark).partition(": ")[2]
            for case in self.cases
            if case.reading is not None
            for remark in case.reading.results.provenance.get("remarks") or ()
            if str(remark).startswith(f"{metric.text}: ")
        )
        cut = [(name, self.cut_off(metric, i)) for i, name in enumerate(self.names)]
        ends = [f"{name}: {why}" for name, why in cut if why]
        return "; ".join([*self._clocks(metric), *ends, *told])

    def _clocks(self, metric: Row) -> list[str]:
        """Say from which days a metric looks where its cases differ in that: no sentence or one."""
        from lodestone.outputs.metrics.window import counts_from_shock

        every = range(1, len(self.cases))
        if not counts_from_shock(metric.name, metric.selectors) or self._same_shock(*every):
            return []
        days = {
            n: " to ".join(dict.fromkeys(c.shocks))
            for n, c in zip(self.names, self.cases, strict=True)
        }
        told = "; ".join(f"{name}: {day}" for name, day in days.items() if day)
        return [
            f"looks from the first disruption, which differs by case ({told}): not the same time, and "
            "no difference is told between them"
        ]

    def regret(self, metric: Row) -> np.ndarray | None:
        """Return how much worse than the best case each case is, world by world, (cases, w).

        None where neither less nor more of a metric is called better, or it is not finite.
        """
        sign = better(metric)
        values = np.array([self.row(metric, i).own for i in range(len(self.cases))])
        if sign == 0 or not np.isfinite(values).all() or not self.alike(metric):
            return None
        cost = -sign * values
        regret = cost - cost.min(axis=0)
        return np.where(regret < 0.5 * metric.grain, 0.0, regret)

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
        for a, b in itertools.permutations(self.choices, 2):
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


def case_of_point(
    name: str,
    worlds: pd.DataFrame,
    seed: int,
    vintage: str,
    *,
    asked: tuple[str, ...] = (),
    frame: Frame | None = None,
    happens: Any = None,
    shocks: tuple[str, ...] = (),
) -> Case:
    """Return a point of a study as a case (see `Case`)."""
    held = worlds.reset_index(drop=True)
    return Case(name, None, held, seed, vintage, None, asked, frame, happens, shocks)
