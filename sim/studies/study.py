"""A finished (or half-finished) study, read back: one row a point."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.outputs.parts import bands
from lodestone.outputs.tables import save_parquet, save_text
from lodestone.studies.folder import DRAWS, KEY, OWN, REFERENCE, SHOCK, StudyFolder
from lodestone.studies.metrics import DRAW, column_of, paired, unit_of
from lodestone.studies.points import Plan, Point, make_plan, numeric_keys
from lodestone.studies.request import Request, request_from_file
from lodestone.studies.values import shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Study", "open_study", "plain_value"]

QUANTILES = ("p05", "p50", "p95")


def plain_value(value: Any) -> Any:
    """Return a swept value fit for a cell: numbers as they are, everything else as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return shown(value)
    return value


class Study:
    """All points of a study with what was found.

    Parameters
    ----------
    plan : Plan
        Its points.
    folder : StudyFolder
        Where they are kept.
    failed : dict
        Error by key of a point.
    """

    def __init__(
        self,
        plan: Plan,
        folder: StudyFolder,
        failed: dict[str, tuple[str, str]] | None = None,
    ) -> None:
        self.plan, self.store = plan, folder
        self.errors = failed or {}
        self._results: pd.DataFrame | None = None

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return self.store.folder.resolve()

    @property
    def keys(self) -> list[str]:
        """The swept keys, in the order typed."""
        return [a.key for a in self.plan.varying]

    @property
    def points(self) -> list[Point]:
        """The points that are done, in the order of the design."""
        done = self.store.done(self.plan.asked)
        return [p for p in self.plan.points if p.key in done]

    @property
    def results(self) -> pd.DataFrame:
        """A row a point: swept keys, then metrics; ``attrs["units"]`` has the unit of each column."""
        if self._results is None:
            self._results = self.table(self.plan.shown)
        return self._results

    @property
    def failed(self) -> pd.DataFrame:
        """A row for each point that failed: its swept keys, the kind of error and its text."""
        import pandas as pd

        rows = [
            {
                "point": p.number,
                **{k: plain_value(v) for k, v in p.values.items()},
                "kind": self.errors[p.key][0],
                "error": self.errors[p.key][1],
            }
            for p in self.plan.points
            if p.key in self.errors
        ]
        return pd.DataFrame(rows, columns=["point", *self.keys, "kind", "error"])

    def shocks(self, point: Point) -> tuple[str, ...]:
        """First and last day of the first disruption of a point over its worlds; empty: not kept."""
        days = self.store.values(point.key, SHOCK)
        if days is None or not np.isfinite(days).all():
            return ()
        start = point.scenario.start
        return tuple((start + timedelta(days=int(d))).isoformat() for d in (days.min(), days.max()))

    def worlds(self, point: int | Point) -> pd.DataFrame:
        """A row a world of one point: draws (``draw.*``), metrics, the reference's metrics.

        Raises
        ------
        InputError
            The point is not done.
        """
        import pandas as pd

        item = self.plan.points[point] if isinstance(point, int) else point
        try:
            rows = self.store.worlds(item.key)
        except KeyError:
            raise InputError(
                f"point {item.number} is not done", file=self.folder, hint="Go on with the study."
            ) from None
        draws = self.store.draws(str(rows[DRAWS].iloc[0])).add_prefix(DRAW)
        own = rows.drop(columns=list(OWN)).reset_index(drop=True).dropna(axis=1, how="all")
        parts = [rows[["world"]].reset_index(drop=True), draws, own]
        name = self._reference(item)
        if name and self.store.holds(name):
            calm = self.store.worlds(name).drop(columns=list(OWN)).reset_index(drop=True)
            parts.append(calm.dropna(axis=1, how="all").add_prefix("reference_"))
        return pd.concat(parts, axis=1)

    def values(self, point: Point, column: str) -> tuple[np.ndarray, np.ndarray | None]:
        """A metric of a point and of its reference, shape (w,) each.

        Raises
        ------
        InputError
            The metric was not kept.
        """
        own = self.store.values(point.key, column)
        if own is None:
            raise InputError(
                f"the study does not hold '{column}'",
                file=self.folder,
                key="metric",
                hint="Run the study with metric=...: it computes what is missing.",
            )
        name, calm = self._reference(point), None
        if name and self.store.holds(name):
            calm = np.asarray(self.store.values(name, column), dtype=float)
        return np.asarray(own, dtype=float), calm

    def _tables(self, point: Point, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray | None]:
        """Metrics of a point and of its reference, shape (columns, w) each; see `values`."""
        name = self._reference(point)
        held = bool(name) and self.store.holds(name)
        own = self.store.table(point.key, tuple(columns))
        calm = self.store.table(name, tuple(columns)) if held else None
        if own is None or (held and calm is None):  # one by one: says what is missing
            each = [self.values(point, column) for column in columns]
            own = np.stack([values for values, _ in each])
            if held:
                calm = np.stack([np.broadcast_to(np.asarray(c, float), v.shape) for v, c in each])
        return own, calm

    def _reference(self, point: Point) -> str:
        """Key under which the metrics of a point's reference stand, or an empty text."""
        names = self.store.values(point.key, REFERENCE)
        assert names is not None
        return str(names[0])

    def table(self, columns: Sequence[str]) -> pd.DataFrame:
        """A row a point for some metrics.

        Returns
        -------
        DataFrame
            Swept keys; for each metric ``_p05, _p50, _p95`` over worlds, ``_delta_...`` (less the
            reference in the same world) and, with a base point, ``_base_...`` (less the base point
            in the same world); then ``worlds`` and the ``point``'s number.
        """
        import pandas as pd

        base = None if self.plan.base is None else self.plan.points[self.plan.base]
        done = self.store.done(self.plan.asked)
        rows = []
        for point in self.points:
            own, calm = self._tables(point, columns)
            sides = {"": own}
            if calm is not None:
                sides["_delta"] = paired(own, calm)
            if base is not None and base.key in done:
                other, _ = self._tables(base, columns)
                same = base.settings.seed == point.settings.seed
                n = min(own.shape[1], other.shape[1]) if same else 0
                sides["_base"] = paired(own[:, :n], other[:, :n])
            each = np.stack([_bands(values) for values in sides.values()], axis=1).ravel().tolist()
            names = [f"{c}{side}_{q}" for c in columns for side in sides for q in QUANTILES]
            row: dict[str, Any] = {k: plain_value(v) for k, v in point.values.items()}
            row |= dict(zip(names, each, strict=True))
            rows.append(row | {"worlds": point.settings.worlds, "point": point.number})
        frame = pd.DataFrame(rows, columns=None if rows else [*self.keys, "worlds", "point"])
        units = {c: unit_of(c.rsplit("_", 1)[0].removesuffix("_delta").removesuffix("_base"))
                 for c in frame.columns if c.endswith(QUANTILES)}  # fmt: skip
        frame.attrs = {"units": _Told(units)}
        return frame

    def long(self, metric: str) -> pd.DataFrame:
        """One metric, a row a world and point: ``point``, swept keys, ``world``, ``value``."""
        import pandas as pd

        how, column = column_of(metric)
        pieces = []
        for point in self.points:
            own, calm = self.values(point, column)
            if how != "level":
                if calm is None:
                    raise InputError("the study has no reference", key=f"metric={metric}")
                own = calm if how == "reference" else paired(own, calm)
            keys = {k: plain_value(v) for k, v in point.values.items()}
            pieces.append(
                pd.DataFrame(
                    {"point": point.number, **keys, "world": np.arange(len(own)), "value": own}
                )
            )
        return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()

    def idle_keys(self) -> list[str]:
        """The swept keys that change no metric, in any world of any point that is done.

        Told by points that differ in one key alone; a key without two such points is not listed.
        """
        points, out = self.points, []
        metrics = {p.key: self.store.worlds(p.key).drop(columns=list(OWN)) for p in points}
        seen = {key: rows.to_numpy(float).tobytes() for key, rows in metrics.items()}
        for key in self.keys:
            alike: dict[str, list[bytes]] = {}
            for p in points:
                others = str([v for k, v in p.values.items() if k != key])
                alike.setdefault(others, []).append(seen[p.key])
            apart = any(len(set(found)) > 1 for found in alike.values())
            if len(alike) < len(points) and not apart:
                out.append(key)
        return out

    def save(self) -> list[Path]:
        """Write ``results.csv``, ``results.parquet`` and ``failed.csv``."""
        folder = self.store.folder
        files = [folder / n for n in ("results.csv", "results.parquet", "failed.csv")]
        save_text(files[0], csv_of(self.results))
        # A column of a file has one kind: numbers beside words are words.
        mixed = [k for k in self.keys if self.results[k].dtype == object]
        save_parquet(files[1], self.results.assign(**{k: self.results[k].map(str) for k in mixed}))
        save_text(files[2], csv_of(self.failed))
        return files

    def _repr_html_(self) -> str:
        """Show the first columns of the results in a notebook."""
        head = [c for c in self.results.columns if not c.endswith(("_p05", "_p95"))][:12]
        return (
            f"<p>Study of {', '.join(self.plan.request.scenarios)}: {len(self.points)} of "
            f"{len(self.plan.points)} points, {len(self.errors)} failed.<br>{self.folder}</p>"
            + self.results[head].head(20).to_html(index=False)
        )

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r}, points={len(self.points)} of {len(self.plan.points)})"


class _Told(dict[str, str]):
    """Units by column. Nobody writes into them, so that pandas need not copy them by the column."""

    def __deepcopy__(self, memo: object) -> _Told:
        return self


def _bands(values: np.ndarray) -> np.ndarray:
    """Quantiles over the worlds that have a value: values (n, w) -> (n, quantiles)."""
    known = ~np.isnan(values)
    sizes = known.sum(axis=1)
    found = np.full((len(values), len(QUANTILES)), np.nan)
    for size in {*sizes.tolist()} - {0}:
        rows = np.flatnonzero(sizes == size)
        found[rows] = bands(values[rows][known[rows]].reshape(len(rows), size))[1].T
    return found


def csv_of(frame: pd.DataFrame) -> str:
    """Write a frame as CSV with all digits of its numbers; blank where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.astype(object).to_numpy().tolist():
        writer.writerow(["" if isinstance(v, float) and v != v else _cell(v) for v in row])
    return out.getvalue()


def _cell(value: Any) -> Any:
    return repr(float(value)) if isinstance(value, float) else value


def open_study(folder: Path | str) -> Study:
    """Open a study's folder and see what is done.

    Raises
    ------
    InputError
        It is no study, or damaged, or of another version.
    """
    store = StudyFolder(folder)
    if not store.exists():
        raise InputError(
            "is not the folder of a study (it holds no study.yaml)",
            file=folder,
            hint="Give the folder that 'lodestone sweep' printed as its last line.",
        )
    store.check()
    request = replace(request_from_file(store.study_file), carried={"out": str(folder)})
    return Study(make_plan(request), store)


def request_of(folder: Path | str) -> Request:
    """Return the request that a study's folder holds, to go on in that folder."""
    return open_study(folder).plan.request


def sample(study: Study, metric: str) -> Any:
    """Inputs and a metric over all worlds and points of a study, for `sensitivity.indices`.

    Swept keys whose values are numbers are inputs beside the draws.
    """
    import pandas as pd

    from lodestone.studies.sensitivity import sample_of_worlds

    column = column_of(metric)[1]
    needed = {column, f"reference_{column}"}
    tables, numeric = [], numeric_keys(study.points)
    for point in study.points:
        table = study.worlds(point)
        table = table[
            [c for c in table.columns if c == "world" or c.startswith(DRAW) or c in needed]
        ]
        tables.append(table.assign(point=point.number))
    if not tables:
        raise InputError("no point is done", file=study.folder)
    whole = pd.concat(tables, ignore_index=True)
    swept = {
        k: whole["point"].map({p.number: float(p.values[k]) for p in study.points}).to_numpy()
        for k in numeric
    }
    # An input that a point does not draw (it is swept there) has no value in its rows.
    whole = whole[[c for c in whole.columns if not whole[c].isna().any() or c in needed]]
    return sample_of_worlds(whole, metric, study.folder, swept)


assert KEY in OWN
