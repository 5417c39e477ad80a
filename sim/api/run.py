"""A finished run, read from its folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.api.pictures import Picture
from lodestone.api.units import with_units
from lodestone.border.errors import InputError
from lodestone.outputs.results import COLUMNS, Results

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Run"]


class Run:
    """A run of a scenario against its reference.

    Parameters
    ----------
    folder
        A run folder.

    Raises
    ------
    InputError
        It is none.
    """

    def __init__(self, folder: Path | str) -> None:
        self._results = Results.load(folder)
        self.folder: Path = self._results.folder.resolve()

    @property
    def scenario(self) -> str:
        """Name of the scenario."""
        return str(self._results.config["scenario"]["name"])

    @property
    def config(self) -> dict[str, Any]:
        """The resolved settings."""
        return self._results.config

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, hashes and command."""
        return self._results.provenance

    @property
    def summary(self) -> pd.DataFrame:
        """Headline metrics with bands and paired differences; a unit stands in each row."""
        return self.table("summary")

    @property
    def worlds(self) -> pd.DataFrame:
        """A row a world: draws (``draw.*``), metrics, and the reference's (``reference_*``)."""
        return with_units(self._results.worlds.copy())

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the run folder by its name without ending.

        Parameters
        ----------
        name
            ``summary``, ``shortage_curve``, ``price_curve``, ``series`` ...; see `tables`.

        Returns
        -------
        DataFrame
            A copy of your own; ``attrs["units"]`` has the unit of each column of numbers.
        """
        if name == "worlds":
            return self.worlds
        if name == "series":
            import pandas as pd

            path = self.folder / "series.parquet"
            if not path.is_file():
                raise InputError("the run kept no series", file=path)
            return with_units(pd.read_parquet(path))
        return with_units(self._results.table(name).copy())

    @property
    def tables(self) -> list[str]:
        """Names of the tables that the folder holds."""
        found = [name for name in COLUMNS if self._results.has(name)]
        return [
            *found,
            "worlds",
            *(["series"] if (self.folder / "series.parquet").is_file() else []),
        ]

    def metric(self, name: str, **selectors: Any) -> pd.Series:
        """Return any metric in every world.

        Parameters
        ----------
        name
            Name of a metric, or an expression: ``unmet_t(region=europe)``,
            ``delta(unmet_t(region=europe))``.
        selectors
            For example ``region="europe"``; lists are summed.

        Returns
        -------
        Series
            Indexed by world; ``attrs`` have ``unit``, ``title`` and ``remarks``: how a country
            inside a region was taken. What the run did not keep is
            computed by running the same worlds again.
        """
        import pandas as pd

        from lodestone.studies.again import metric_of_run, remarks_of_run
        from lodestone.studies.metrics import expression, title_of, unit_of

        text = expression(name, selectors)
        values = metric_of_run(self._results, text)
        series = pd.Series(values, index=pd.RangeIndex(len(values), name="world"), name=text)
        series.attrs = {
            "unit": unit_of(text),
            "title": title_of(text),
            "remarks": remarks_of_run(self._results, text),
        }
        return series

    def world(self, number: int) -> pd.Series:
        """Return the draws and metrics of one world.

        Raises
        ------
        InputError
            There is no such world.
        """
        table = self._results.worlds
        rows = table[table["world"] == number]
        if rows.empty:
            raise InputError(
                f"there is no world {number}: they are 0 to {len(table) - 1}", file=self.folder
            )
        return rows.iloc[0]

    def replay(self, world: int, first: Any = None, last: Any = None) -> Iterator[str]:
        """Yield one world tick by tick: rules, flows, prices and stocks by name, as text."""
        from lodestone.border.numbers import parse_date
        from lodestone.runs.replay import replay
        from lodestone.studies.again import cases_of

        scenario, _, settings = cases_of(self._results)
        since, until = (None if d is None else parse_date(str(d)) for d in (first, last))
        return replay(scenario, world, since, until, settings)

    def figure(self, name: str) -> Picture:
        """Draw a figure of the memo by its name (see `figures`).

        Raises
        ------
        InputError
            An unknown figure, or one for which the run holds nothing.
        """
        from lodestone.border.words import unknown
        from lodestone.report.figures import registered, settle
        from lodestone.report.reading import Reading
        from lodestone.report.style import look

        known = {spec.name: spec for spec in registered()}
        if name not in known:
            raise unknown("figure", name, known)
        with look():
            drawing = known[name].draw(Reading(self._results))
            if drawing is None:
                raise InputError(f"the run holds nothing to draw as '{name}'", file=self.folder)
            settle(drawing.figure)
        return Picture(drawing)

    @property
    def figures(self) -> dict[str, str]:
        """Title by name of every figure there is."""
        from lodestone.report.figures import registered

        return {spec.name: spec.title for spec in registered()}

    def report(self, formats: tuple[str, ...] = ("html", "md")) -> list[Path]:
        """Write the memo into the run folder; return its files."""
        from lodestone.report import write_report

        return write_report(self.folder, formats)

    def sensitivity(self, metric: str) -> pd.DataFrame:
        """Rank the inputs that decide a metric (see `lodestone.studies.sensitivity`)."""
        from lodestone.studies.sensitivity import indices, sample_of_run

        return indices(sample_of_run(self.folder, metric))

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        """The headline of the run, as a notebook shows it."""
        summary = self._results.table("summary")
        head = summary[
            (summary["region"] == "all") & (summary["sector"] == "all")
        ].dropna(subset=["p50"])  # fmt: skip
        columns = ["metric", "unit", "p05", "p50", "p95", "reference_p50", "delta_p50"]
        title = self._results.config["scenario"].get("title") or self.scenario
        shown = head[columns].replace([np.inf], "never")
        return (
            f"<p><b>{title}</b>, {self._results.config['ensemble']['worlds']} worlds<br>"
            f"{self.folder}</p>{shown.to_html(index=False, float_format=lambda v: f'{v:.4g}')}"
        )
