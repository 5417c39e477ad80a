"""How planned use is met: by the exporter, others, own oxide, stocks, thrift."""

from __future__ import annotations

from typing import Any

import numpy as np

from lodestone.border.words import unknown
from lodestone.outputs.items import ITEMS
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics.registry import Values, metric
from lodestone.outputs.metrics.select import (
    met_by,
    met_by_quarter,
    ore_of,
    quarter_rows,
    won_by_quarter,
)


@metric("share", "China's share of the supply of an element in the last year", ())
def supply_share(
    series: Series,
    region: Any = "united_states",
    element: Any = "ndpr",
    item: Any = "exporter",
    year: Any = None,
) -> Values:
    """Share of one source in what a region is supplied with, in oxides, metals and magnets.

    Sources are the exporter (declared, content of whatever form), others (net), new_supply
    (separated in the region), recycling and leak, t of the element, in a year.
    """
    year = series.last_year if year is None else year
    known = ("exporter", "others", "new_supply", "recycling", "leak")
    if item not in known:
        raise unknown("source", str(item), known, key="item")
    parts = {k: np.maximum(met_by(series, k, region, element, year), 0.0) for k in known}
    return parts[str(item)] / np.maximum(np.sum(list(parts.values()), axis=0), 1e-12)


@metric("share", "own oxide over planned use in the last year", (), inside="plants")
def separation_coverage(
    series: Series, region: Any = "united_states", element: Any = "ndpr", year: Any = None
) -> Values:
    """What regions separate and recycle of an element over their planned use, in a year."""
    year = series.last_year if year is None else year
    made = won_by_quarter(series, region, element)[quarter_rows(series, year)].sum(axis=0)
    planned = sum(met_by(series, k, region, element, year) for k in ITEMS)
    return np.asarray(made / np.maximum(planned, 1e-12))


@metric("years", "years until own oxide covers a share of planned use", (), inside="plants")
def years_to_coverage(
    series: Series, region: Any = "united_states", element: Any = "ndpr", share: Any = 0.25
) -> Values:
    """Years from the start to the first four quarters in which regions cover a share of their use.

    Cover is what they separate and recycle over what they plan to use, t of the element. Counted
    to the end of the four quarters; ``inf``: not within the run.
    """
    made = won_by_quarter(series, region, element)
    planned = sum(met_by_quarter(series, k, region, element) for k in ITEMS)
    total = np.cumsum(np.stack([np.asarray(made), np.asarray(planned)]), axis=1)
    if total.shape[1] < 4:
        return np.full(len(series.worlds), np.inf)
    year = total[:, 3:].copy()
    year[:, 1:] -= total[:, :-4]
    enough = year[0] >= float(share) * year[1]
    quarters = np.argmax(enough, axis=0) + 4
    return np.where(enough.any(axis=0), quarters / 4.0, np.inf)


@metric("share", "use that happens, share of planned use, in the last year", ())
def use_of_plan(
    series: Series, region: Any = "all", element: Any = "ndpr", year: Any = None
) -> Values:
    """Use after thrift, substitution and shortage over planned use of an element, in a year."""
    year = series.last_year if year is None else year
    gone = sum(
        met_by(series, k, region, element, year)
        for k in ("demand_destruction", "substitution", "unmet")
    )
    planned = sum(met_by(series, k, region, element, year) for k in ITEMS)
    return np.asarray(1.0 - gone / np.maximum(planned, 1e-12))


@metric("t REO", "ore that mines send to separators in the last year", (), inside="plants")
def ore_t(series: Series, region: Any = "all", year: Any = None) -> Values:
    """Ore that the mines of regions send to separators in a year, t REO."""
    return ore_of(series, region, series.last_year if year is None else year)
