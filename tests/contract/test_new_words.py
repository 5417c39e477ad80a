"""A new metric and a new series are one function each: nothing else has to be touched."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.backcast.recorded import Recorded
from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.cli.catalogue import catalogue
from lodestone.engine.run import BatchRun
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS, evaluate
from lodestone.outputs.recorder import Recorder
from lodestone.outputs.selectors import expression_problems
from lodestone.outputs.series import SERIES, Query, check_query
from lodestone.outputs.series.book import SeriesBook
from lodestone.scenario import build_scenario
from tests.fixtures.worlds import scenario

#: As it would stand in a file of `sim/outputs/series/`.
SERIES_FILE = '''
from lodestone.outputs.series import rows
from lodestone.outputs.series.vocabulary import USE, series

@series("t", "flow", USE, "ndfeb_magnets;smco")
def made_up_t(asked):
    """Use put off earlier and made up now, or not."""
    late = rows.flow("late")
    return asked.sum().add(late, asked.use()).some(f"nobody in the chain uses {asked.told()}")
'''
#: As it would stand in a file of `sim/outputs/metrics/`.
METRIC_FILE = '''
from lodestone.outputs.metrics.registry import metric

@metric("t_magnet", "use planned over the horizon", ({}, {"region": "*"}), additive=True, of="planned_t")
def planned_over_run_t(series, region="all"):
    """Planned use of magnets, summed over the horizon."""
    rows = series.group_rows(region, "all")
    parts = getattr(rows, "rows", rows)
    return series["planned"][:, parts].sum(axis=(0, 1), dtype=float) * series.weeks
'''


@pytest.fixture
def words():
    """Both files, loaded; forgotten afterwards."""
    known = set(SERIES), set(METRICS)
    exec(compile(SERIES_FILE, "made_up.py", "exec"), {"__name__": "made_up"})
    exec(compile(METRIC_FILE, "planned_over.py", "exec"), {"__name__": "planned_over"})
    yield
    for registry, old in zip((SERIES, METRICS), known, strict=True):
        for name in set(registry) - old:
            del registry[name]


def test_both_are_listed_asked_for_and_refused_in_their_own_words(words):
    chain = load_chain("2024")
    rows = {row["series"]: row for row in catalogue("series")}
    assert rows["made_up_t"]["what_it_is"] == "Use put off earlier and made up now, or not."
    row = next(r for r in catalogue("metrics") if r["metric"] == "planned_over_run_t")
    assert (row["unit"], row["series"]) == ("t_magnet", "planned_t")
    with pytest.raises(InputError, match="takes no selector 'facility'"):
        check_query(Query("made_up_t", (("facility", ("au_mt_weld",)),)), chain, None, "")
    made = build_scenario({**scenario(weeks=60).written, "name": "mine"}, chain=chain)
    asked = "planned_over_run_t(region=europe)"
    assert not expression_problems("headline.0", asked, chain, made.start, made.end)


def test_both_are_kept_of_a_run(words):
    chain = load_chain("2024")
    run = BatchRun(scenario(weeks=8), chain, 0, np.arange(2))
    query = check_query(Query("made_up_t", (("region", ("europe",)),)), chain, None, "")
    plans = check_query(Query("planned_t", (("material", ("magnets",)),)), chain, None, "")
    recorder, book = Recorder(run), SeriesBook(run, [query, plans])
    run.watchers += [recorder, book]
    run.run()
    assert not isinstance(Recorded.of(book).track(query), str)
    values = evaluate(Series.of(recorder))
    parts = [v for key, v in values.items() if key.startswith("planned_over_run_t[region=")]
    np.testing.assert_allclose(sum(parts), values["planned_over_run_t"], rtol=1e-6)
    np.testing.assert_allclose(
        values["planned_over_run_t"], book.path(plans).sum(axis=0), rtol=1e-6
    )
