"""Which uncertain inputs decide a metric, from worlds that have already been run.

The index is PAWN (Pianosi and Wagener 2015, 2018), the mean over slices: an input is cut into
slices of equally many worlds, and the index is the mean over slices of the Kolmogorov-Smirnov
distance between the metric's distribution inside the slice and over all worlds. It reads ranks
only, so a metric that is endless in some worlds ("never stops") needs no special care; and it
needs no runs of its own. (SALib has the same index, and the tests hold ours against it. It leaves
the highest input out of every slice, so the highest of three levels is never looked at, and has
neither floor nor interval. Its delta took 8 minutes for the 83 inputs of 200 worlds.)

Two things keep it honest. In a small sample the index of an input without any influence is not
nil: the same index is therefore computed for shuffled inputs, its mean is taken off, and the *noise
floor* is what the largest of all shuffled inputs exceeds once in twenty times. What lies below it
cannot be told from chance in this sample. And a *bootstrap interval* over worlds. Where inputs were drawn together (the calibrated vectors of behaviour), the sample cannot
tell their effects apart; ``moves_with`` names them.

Only the metric's draws are looked at: an input that does not vary between worlds has no index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lodestone.border.errors import InputError
from lodestone.studies.metrics import DRAW, unit_of, values_in

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sample", "TopInput", "decisive", "indices", "pawn", "sample_of_run", "top_inputs"]

#: Fewest worlds from which anything is said, and fewest in a slice.
FEWEST, SLICE = 40, 15
SLICES = 10
#: Levels of the metric at which distributions are compared.
LEVELS = 400
#: Shuffled copies of the inputs for the floor, and resamples for the interval.
SHUFFLES, RESAMPLES = 100, 200
#: Rank correlation from which two inputs are said to move together.
TOGETHER = 0.7


@dataclass(frozen=True)
class Sample:
    """Inputs and a metric, row by row.

    Attributes
    ----------
    inputs
        A column an input, a row a world (of a point).
    values : ndarray, shape (rows,)
        The metric; may hold infinities, no NaN.
    metric, unit
        What the metric is.
    world : ndarray of int, shape (rows,)
        The world of each row: worlds, not rows, are what was drawn independently.
    point : ndarray of int, shape (rows,)
        The point of a study; zeros for a run.
    swept
        Names of the inputs that vary between points and not between worlds.
    left_out
        Rows without a value of the metric.
    """

    inputs: pd.DataFrame
    values: np.ndarray
    metric: str
    unit: str
    world: np.ndarray
    point: np.ndarray
    swept: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class TopInput:
    """An input that decides a metric, as a memo quotes it.

    Attributes
    ----------
    name
        The input, for example ``market.scarcity_elasticity``.
    index
        PAWN index less what chance gives, 0 (decides nothing) to 1.
    interval
        95 % bootstrap interval of the index.
    direction
        ``raises``, ``lowers`` or ``mixed``: what a higher input does to the metric.
    floor
        The noise floor of the sample: `index` lies above it.
    moves_with
        Inputs drawn together with this one, whose effects the sample cannot tell from its own.
    """

    name: str
    index: float
    interval: tuple[float, float]
    direction: str
    floor: float
    moves_with: tuple[str, ...] = ()


def top_inputs(run_folder: Path | str, metric: str, n: int = 3) -> list[TopInput]:
    """Return the inputs that decide a metric of a finished run, the most decisive first.

    Parameters
    ----------
    run_folder
        A finished run.
    metric
        A column of its ``worlds.parquet``, or the same as an expression:
        ``unmet_share_peak(region=europe)``; ``delta(...)`` of it is the paired difference.
    n
        At most so many.

    Returns
    -------
    list of TopInput
        Only inputs above the noise floor, so it may be shorter than `n` and is empty where the
        sample is too small (fewer than 40 worlds) or nothing stands out.

    Raises
    ------
    InputError
        The folder is no run, or does not hold the metric.
    """
    return decisive(sample_of_run(run_folder, metric), n)


def decisive(sample: Sample, n: int = 3) -> list[TopInput]:
    """Return the inputs that decide the metric of a sample, as `top_inputs`."""
    if len(sample.values) < FEWEST or _codes(sample.values).max() == 0:
        return []
    table = indices(sample)
    return [
        TopInput(
            str(row.input),
            float(row.index_),
            (float(row.low), float(row.high)),
            str(row.direction),
            float(row.floor),
            tuple(str(row.moves_with).split(", ")) if row.moves_with else (),
        )
        for row in table.rename(columns={"index": "index_"}).head(n).itertuples()
        if row.above_noise
    ]


# --------------------------------------------------------------------------- samples


def sample_of_run(folder: Path | str, metric: str) -> Sample:
    """Read inputs and a metric from the ``worlds.parquet`` of a finished run."""
    from lodestone.outputs.results import Results

    results = Results.load(folder)
    return sample_of_worlds(results.worlds, metric, file=Path(folder) / "worlds.parquet")


def sample_of_worlds(
    table: pd.DataFrame,
    metric: str,
    file: Path | str | None = None,
    swept: Mapping[str, Any] | None = None,
) -> Sample:
    """Sort a table of worlds into inputs and a metric.

    Parameters
    ----------
    table
        Columns ``world``, ``draw.*``, metrics, and ``point`` where there are several points.
    swept
        Values by row of the inputs that vary between points.
    """
    values = values_in(table, metric, file)
    known = ~np.isnan(values)
    inputs = table.loc[known, [c for c in table.columns if c.startswith(DRAW)]]
    inputs = inputs.rename(columns=lambda c: c.removeprefix(DRAW))
    for name, column in (swept or {}).items():
        inputs = inputs.assign(**{name: np.asarray(column, dtype=float)[known]})
    varying = [c for c in inputs.columns if inputs[c].nunique(dropna=True) > 1]
    point = table["point"].to_numpy() if "point" in table.columns else np.zeros(len(table), int)
    return Sample(
        inputs=inputs[varying].reset_index(drop=True),
        values=values[known],
        metric=metric,
        unit=unit_of(metric),
        world=table["world"].to_numpy()[known],
        point=np.unique(point, return_inverse=True)[1][known],
        swept=tuple(n for n in swept or () if n in varying),
        left_out=int((~known).sum()),
    )


# --------------------------------------------------------------------------- the index


def _codes(values: np.ndarray) -> np.ndarray:
    """Ranks without gaps: equal values, equal codes."""
    return np.unique(values, return_inverse=True)[1]


def _levels(values: np.ndarray) -> np.ndarray:
    """Ranks without gaps, in no more than `LEVELS` classes of equally many rows."""
    code = _codes(values)
    if code.max() < LEVELS:
        return code
    edges = np.quantile(code, np.arange(1, LEVELS) / LEVELS)
    return _codes(np.searchsorted(edges, code, side="right"))


def slices(inputs: np.ndarray, count: int) -> np.ndarray:
    """Cut one input into slices of equally many rows; few distinct levels are slices themselves.

    Returns
    -------
    ndarray of int, shape (rows,)
        The slice of each row, from 0 on.
    """
    levels = _codes(inputs)
    if levels[np.argmax(levels)] < count:
        return levels
    edges = np.quantile(inputs, np.arange(1, count) / count)
    return _codes(np.searchsorted(edges, inputs, side="right"))


def pawn(inputs: np.ndarray, values: np.ndarray, count: int | None = None) -> float:
    """PAWN index of one input, mean over slices.

    Parameters
    ----------
    inputs, values : ndarray, shape (rows,)
        Values may be infinite.
    count : int, optional
        Number of slices; by default 10, fewer where a slice would hold under 15 rows.

    Returns
    -------
    float
        Between 0 and 1.

    Notes
    -----
    Shares its definition with ``SALib.analyze.pawn`` (column ``mean``), apart from the largest
    input, which SALib leaves out of every slice.

    Source: Pianosi and Wagener, Environmental Modelling & Software 67 (2015) 1-11.
    """
    return _distance(slices(inputs, count or slice_count(len(values))), _levels(values))


def slice_count(rows: int) -> int:
    """Slices for a sample of that many independent rows."""
    return int(np.clip(rows // SLICE, 2, SLICES))


def _distance(part: np.ndarray, code: np.ndarray) -> float:
    kinds = int(code.max()) + 1
    return _from_counts(np.bincount(part * kinds + code, minlength=kinds), kinds)


def _from_counts(counts: np.ndarray, kinds: int) -> float:
    """Mean distance of the slices from all rows; counts of slice by value, flat."""
    full = -(-len(counts) // kinds) * kinds
    table = np.pad(counts, (0, full - len(counts))).reshape(-1, kinds).cumsum(axis=1)
    table = table[table[:, -1] > 0]
    total = table.sum(axis=0)
    inside = table / table[:, -1:]
    return float(np.abs(inside - total / total[-1]).max(axis=1).mean())


def indices(sample: Sample, seed: int = 0) -> pd.DataFrame:
    """Rank all inputs of a sample.

    Parameters
    ----------
    seed
        Of the shuffles and resamples.

    Returns
    -------
    DataFrame
        ``rank, input, index`` (PAWN less what chance gives), ``low, high`` (95 % bootstrap
        interval), ``floor`` (noise), ``above_noise, direction, rank_correlation, moves_with,
        pawn`` (as measured); the largest index first. ``attrs`` hold metric, unit, worlds, points
        and rows left out.

    Raises
    ------
    InputError
        Too few worlds, or a metric that is the same in all of them.
    """
    import pandas as pd

    worlds = len(np.unique(sample.world))
    points = len(np.unique(sample.point))
    if max(worlds, points) < FEWEST:
        raise InputError(
            f"{worlds} worlds are too few to tell inputs apart; at least {FEWEST} are needed",
            key=f"metric={sample.metric}",
            hint="Run it with more worlds: ensemble.worlds=200.",
        )
    code = _levels(sample.values)
    if code.max() == 0:
        raise InputError(
            f"is {sample.values[0]:g} in every world: nothing decides it",
            key=f"metric={sample.metric}",
            hint="Choose a metric that differs between worlds.",
        )
    if sample.inputs.columns.empty:
        raise InputError("no input varies in this sample", key=f"metric={sample.metric}")
    names = list(sample.inputs.columns)
    measure = _Measure(sample, code)
    raw = np.array([measure.index(n) for n in names])
    chance, floors = measure.floors(names, seed)
    low, high = measure.spread(names, seed)
    found = raw - chance
    spearman = np.array([_spearman(sample.inputs[n].to_numpy(), code) for n in names])
    sure = 2.0 / np.sqrt(worlds)
    table = pd.DataFrame(
        {
            "input": names,
            "index": np.maximum(found, 0.0),
            "low": np.clip(found + low, 0.0, 1.0),
            "high": np.clip(found + high, 0.0, 1.0),
            "floor": floors,
            "above_noise": found > floors,
            "direction": np.where(
                np.abs(spearman) < sure, "mixed", np.where(spearman > 0, "raises", "lowers")
            ),
            "rank_correlation": spearman,
            "moves_with": _together(sample.inputs, names, found),
            "pawn": raw,
        }
    )
    table = table.sort_values(
        ["index", "pawn", "input"], ascending=[False, False, True], ignore_index=True
    )
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    table.attrs = {
        "metric": sample.metric,
        "unit": sample.unit,
        "worlds": worlds,
        "points": points,
        "left_out": sample.left_out,
    }
    return table


class _Measure:
    """PAWN of all inputs of a sample, shuffled or resampled by what was drawn independently."""

    def __init__(self, sample: Sample, code: np.ndarray) -> None:
        self.sample, self.code = sample, code
        self.worlds, self.world = np.unique(sample.world, return_inverse=True)
        self.points, self.point = np.unique(sample.point, return_inverse=True)
        # Rows of each world and of each point, to take them whole.
        self.of_world = _members(self.world)
        self.of_point = _members(self.point)
        self.parts = {n: self._slices(n) for n in sample.inputs.columns}

    def _blocks(self, name: str) -> tuple[np.ndarray, list[np.ndarray]]:
        if name in self.sample.swept:
            return self.point, self.of_point
        return self.world, self.of_world

    def _slices(self, name: str) -> np.ndarray:
        _, members = self._blocks(name)
        return slices(self.sample.inputs[name].to_numpy(float), slice_count(len(members)))

    def index(self, name: str) -> float:
        return _distance(self.parts[name], self.code)

    def floors(self, names: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
        """What chance gives an input on average, and the largest of all once in twenty times.

        Draws are shuffled between worlds and swept keys between points, so that what a world or
        a point does to the metric in all its rows stays together.
        """
        chance, floors = np.zeros(len(names)), np.zeros(len(names))
        for swept in (False, True):
            own = np.array([i for i, n in enumerate(names) if (n in self.sample.swept) is swept])
            if not own.size:
                continue
            block, members = self._blocks(names[own[0]])
            first = np.array([rows[0] for rows in members])
            shuffled = np.empty((SHUFFLES, len(own)))
            for k in range(SHUFFLES):
                order = _order(seed, f"sensitivity shuffle {swept} {k}", len(members))
                for j, i in enumerate(own):
                    mixed = self.parts[names[i]][first][order][block]
                    shuffled[k, j] = _distance(mixed, self.code)
            chance[own] = shuffled.mean(axis=0)
            floors[own] = np.quantile((shuffled - shuffled.mean(axis=0)).max(axis=1), 0.95)
        return chance, floors

    def spread(self, names: Sequence[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
        """95 % band of the bootstrapped index around its mean, lower and upper end.

        Worlds are drawn with replacement, points for swept keys; all rows of one go together.
        """
        kinds = int(self.code.max()) + 1
        places = {n: self.parts[n] * kinds + self.code for n in names}
        drawn = np.empty((RESAMPLES, len(names)))
        for k in range(RESAMPLES):
            weights: dict[bool, np.ndarray] = {}
            for i, name in enumerate(names):
                swept = name in self.sample.swept
                if swept not in weights:
                    block, members = self._blocks(name)
                    picks = _picks(seed, f"sensitivity resample {swept} {k}", len(members))
                    weights[swept] = np.bincount(picks, minlength=len(members))[block]
                drawn[k, i] = _from_counts(
                    np.bincount(places[name], weights=weights[swept], minlength=kinds), kinds
                )
        middle = drawn.mean(axis=0)
        low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
        return low - middle, high - middle


def _members(block: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(block, kind="stable")
    return np.split(order, np.cumsum(np.bincount(block))[:-1])


def _order(seed: int, stream: str, n: int) -> np.ndarray:
    from lodestone.worlds.randomness import uniforms

    return np.argsort(uniforms(seed, stream, np.arange(n)), kind="stable")


def _picks(seed: int, stream: str, n: int) -> np.ndarray:
    from lodestone.worlds.randomness import uniforms

    return (uniforms(seed, stream, np.arange(n)) * n).astype(int)


def _spearman(inputs: np.ndarray, code: np.ndarray) -> float:
    a, b = _ranks(inputs), _ranks(code)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / scale) if scale > 0 else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, at, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2.0)[at]


def _together(inputs: pd.DataFrame, names: Sequence[str], found: np.ndarray) -> list[str]:
    """Name, for each input, the stronger ones that it moves with."""
    ranks = inputs[list(names)].rank().to_numpy(float)
    ranks = (ranks - ranks.mean(axis=0)) / np.maximum(ranks.std(axis=0), 1e-12)
    linked = np.abs(ranks.T @ ranks / len(ranks)) > TOGETHER
    out = []
    for i in range(len(names)):
        others = [j for j in np.flatnonzero(linked[i]).tolist() if j != i]
        out.append(", ".join(names[j] for j in sorted(others, key=lambda j: -found[j])[:3]))
    return out
