"""What words mean is looked up once a layout; several selections at once give each one's bytes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lodestone.outputs import adding, rows
from lodestone.outputs.kept import Series
from lodestone.outputs.metrics import METRICS, evaluate, key_of, selections
from lodestone.outputs.rows import Each, Picked, Rows, once
from lodestone.runs.chunk import record
from lodestone.runs.compiled import compile_scenario, shock_days
from lodestone.runs.settings import Settings
from lodestone.scenario import load_scenario

WORLDS = np.arange(5)
END = {"end": "2026-02-02"}


def series_of(worlds=WORLDS, **overrides) -> Series:
    shock = load_scenario("licence_shock_april_2025", overrides={**END, **overrides})
    compiled = compile_scenario(shock, replace(Settings(), seed=3))
    return record(compiled, worlds, lambda run: shock_days(compiled, None, worlds, run))[1]


@pytest.fixture(scope="module")
def series() -> Series:
    return series_of()


def alone(series: Series) -> Series:
    """The same series, with nothing looked up yet."""
    return Series(
        series.labels, series.chain, series.arrays, series.worlds, series.shock_day,
        keep=series.keep, draws=series.draws, discount_rate=series.discount_rate,
    )  # fmt: skip


def test_all_regions_at_once_are_each_of_them_to_the_bit(series):
    at_once = evaluate(series)
    keys = [(n, s) for n, item in METRICS.items() for s in selections(item, series)]
    assert list(at_once) == [key_of(n, s) for n, s in keys], "the columns stand in another order"
    assert sum(METRICS[n].each for n, _ in keys) > 200
    fresh = alone(series)
    for name, selection in keys:
        own = np.asarray(METRICS[name](fresh, **selection), dtype=float)
        assert own.tobytes() == at_once[key_of(name, selection)].tobytes(), (name, selection)
    short = at_once["unmet_t[region=europe]"]
    assert np.all(short > 0.0) and not np.array_equal(short, at_once["unmet_t"])


def test_a_world_alone_is_the_world_of_a_batch(series):
    one = evaluate(series_of(np.array([3])))
    for name, values in evaluate(series).items():
        assert np.array_equal(one[name][:1], values[3:4], equal_nan=True), name


def test_regions_one_by_one_are_not_regions_together(series):
    names = ("europe", "japan")
    together, each = series.used("unmet", list(names)), series.used("unmet", Each(names))
    assert together.shape == each.shape[1:] and each.shape[0] == 2
    assert np.allclose(together, each.sum(axis=0), rtol=1e-12)
    assert np.array_equal(each[1], series.used("unmet", "japan"))


def test_points_of_one_layout_share_what_words_mean_and_others_do_not(series):
    other = series_of(**{"overrides.fear.trend": 2.0})
    assert other.rows is series.rows and other.found is not series.found
    stock = series_of(**{"overrides.stockpile.japan.days": 75})
    assert stock.rows is series.rows and stock.chain is not series.chain
    longer = series_of(end="2026-06-01")
    assert longer.rows is not series.rows and len(longer.months) > len(series.months)
    moved = series_of(**{"overrides.facility.au_mt_weld.capacity_t_per_year": 1.0})
    assert moved.rows is not series.rows
    for other in (stock, longer, moved):
        fresh = evaluate(alone(other))
        for name, values in evaluate(other).items():
            assert values.tobytes() == fresh[name].tobytes(), name


def test_rows_read_no_table_of_the_chain_but_those_that_are_compared(series):
    class Words:
        """A chain of which only these tables are known."""

        def __getattr__(self, name):
            if name not in {*Rows.TABLES, "countries_by_region", "materials_named"}:
                raise AssertionError(f"'{name}' decides what words mean: compare it, too")
            return getattr(series.chain, name)

    fresh = alone(series)
    fresh.rows = Rows(series.labels, Words())
    at_once = evaluate(series)
    for name, values in evaluate(fresh).items():
        assert values.tobytes() == at_once[name].tobytes(), name
    for name in ("military_unmet_share", "recycled_share", "supply_share", "years_to_coverage"):
        assert METRICS[name](fresh, region="germany").shape == (5,)


def test_a_number_that_no_label_tells_leaves_the_rows_and_any_other_has_its_own(series):
    assert series_of(**{"overrides.sector.ev_traction.growth_2030": 2.0}).rows is series.rows
    recipe = "overrides.sector.ev_traction.lost_output_usd_per_kg"
    dear = series_of(**{recipe: 1e6})
    assert dear.rows is series.rows
    lost = evaluate(dear)["lost_output_usd_million[sector=ev_traction]"]
    assert np.all(lost > evaluate(series)["lost_output_usd_million[sector=ev_traction]"])


def test_countries_inside_a_region_go_by_the_plants_of_the_run(series):
    assert series.rows.whole("europe") is not None
    assert series.rows.whole("germany") is None
    made = series.made_in("germany", "ndfeb_magnets", series.last_year)
    assert np.shape(made["europe"]) == (5,)


def test_what_is_kept_is_bounded(monkeypatch, series):
    monkeypatch.setattr(rows, "KEPT", 2)
    for end in ("2025-03-03", "2025-03-10", "2025-03-17"):
        series_of(np.arange(2), end=end)
    assert len(rows._kept) == 2
    monkeypatch.setattr(rows, "MOST", 3)

    @once
    def word(held, text):
        return text.upper()

    held = Rows(series.labels, series.chain)
    for text in "abcdefg":
        assert word(held, text) == text.upper()
        assert len(held.found) <= 3


def test_sums_are_those_of_their_text(series):
    stack = series.users_each(Each(series.labels.regions), "all")
    values, weight = series["unmet"], np.linspace(0.5, 2.0, len(series.groups))
    assert np.any(values)
    for loop, given in ((adding.add_by_day, (values, weight)), (adding.add_whole, (values,))):
        shape = (len(series.labels.regions), len(values), len(WORLDS))
        one, two = (np.zeros(shape if loop is adding.add_by_day else shape[::2]) for _ in range(2))
        loop(*given, stack.rows, stack.starts, one)
        loop.py_func(*given, stack.rows, stack.starts, two)
        assert one.tobytes() == two.tobytes() and np.any(one)


@pytest.mark.parametrize("shape", [(7, 40, 2), (33, 90, 5), (80, 12, 64)])
def test_sums_of_rows_are_those_of_numpy_to_the_bit(shape):
    values = 1000.0 * np.random.default_rng(2).random(shape, dtype=np.float32)
    for rows_meant in (np.arange(shape[1]), np.array([0, 3, 4, 11]), np.array([], dtype=int)):
        picked, chosen = Picked(rows_meant, None), values[:, rows_meant, :]
        for axis in (-2, (0, 1)):
            own = picked.total(values, axis)
            assert own.tobytes() == chosen.sum(axis=axis, dtype=float).tobytes(), (shape, axis)


def test_several_names_are_kept_apart_from_each_of_them_and_lists_are_told_by_their_names():
    class Asked:
        def __init__(self):
            self.found = {}
            self.calls = []

        @once
        def of(self, region, sector="all"):
            self.calls.append(region)
            return len(self.calls)

    asked = Asked()
    names = ("europe", "japan")
    assert asked.of(names) != asked.of(Each(names))
    assert asked.of(["europe", ["japan"]]) == asked.of(["europe", ["japan"]])
    assert asked.of(Each(names), sector=["a"]) == asked.of(Each(names), sector=["a"])
    assert len(asked.calls) == 4
