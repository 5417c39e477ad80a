"""Recycling gives back part of what was used: never more, never earlier, and visible to scale."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.worlds.in_use import STAGES, WEEKS_PER_YEAR, grown_stock, past_growth
from tests.fixtures.worlds import day_after, shared, simulate

EPS = np.finfo(float).eps


def line(region="united_states", **more):
    quick = {"ramp_months": 1} if "tonnes_per_year" in more else {}
    return {
        "line": {
            "kind": "recycling", "region": region, "collection": 0.3, "start": day_after(4),
            **quick, **more,
        },
    }  # fmt: skip


class Tally:
    """Recovered oxide by region, what retires, and the stock of magnets in use, by market day."""

    def __init__(self):
        self.recovered, self.in_use, self.used = [], [], []

    def market_day(self, run, now, rules):
        self.recovered.append(run.day.flows["recovered"] + 0.0)
        magnets = run.day.flows["used"][run.layout.users.magnet].sum(axis=0)
        self.used.append(magnets)
        self.in_use.append(0.0 if run.day.in_use is None else run.day.in_use.stock.sum(axis=(0, 1)))


def run(items, weeks=60):
    tally = Tally()
    trace = simulate(items, worlds=3, weeks=weeks, before=lambda r: r.watchers.append(tally))
    assert trace.run.day.ledger.worst <= 100 * EPS
    shape = max(np.array(r).shape for r in tally.recovered)
    recovered = np.array([np.broadcast_to(r, (*shape[:2], 3)) for r in tally.recovered])
    return trace, recovered, tally


def test_magnets_in_use_are_what_was_used_and_has_not_retired():
    trace, _, tally = run(line())
    day = trace.run.day
    before = day.in_use.stock.copy()
    gone = day.in_use.retire(1.0)
    assert np.allclose(before.sum(axis=0) - day.in_use.stock.sum(axis=0), gone, rtol=1e-12)
    day.in_use.stock[...] = before
    grown = np.array(tally.in_use)
    assert np.all(np.diff(grown, axis=0) < np.array(tally.used)[1:])  # some retires every week


def test_a_steady_use_retires_what_it_takes_in_after_the_mean_life():
    use, weeks = np.array([[2.0]]), np.array([[300.0]])
    stock = grown_stock(use, weeks, np.array([[0.0]]))
    assert stock.sum() == pytest.approx(2.0 * STAGES * 300.0)  # Little: stock = flow x life
    assert stock[-1] / weeks == pytest.approx(2.0)
    grown = grown_stock(use, weeks, np.array([[0.1 / WEEKS_PER_YEAR]]))
    assert np.all(grown < stock)
    assert past_growth(np.array([0.9, 1.2, 600.0])) == pytest.approx(
        [0.04, 2 * np.log(1.2) / 6, 0.3]
    )


def test_more_collection_gives_back_more_and_never_more_than_retires():
    totals = []
    for share in (0.0, 0.1, 0.5, 1.0):
        trace, recovered, _ = run(line(collection=share))
        r = trace.layout.region_at["united_states"]
        totals.append(recovered[:, r].sum(axis=(0, 1)))
        if share == 1.0:
            in_use = trace.run.day.in_use
            retires = in_use.stock[-1] / in_use.stage_weeks  # t a week, growing
            there = in_use.oxide_of(retires, np.ones(len(in_use.lines), dtype=bool))[r]
            assert np.all(recovered[-1, r] <= there * 0.9 * (1 + 1e-2))
    assert np.all(np.diff(totals, axis=0) > 0)


def test_capacity_caps_a_line_and_two_lines_share_one_scrap_heap():
    _, recovered, _ = run(line(collection=1.0, tonnes_per_year=50))
    gained = recovered[20:].sum(axis=(1, 2)) - run({})[1][20:].sum(axis=(1, 2))
    assert np.allclose(gained, 50 / WEEKS_PER_YEAR, rtol=1e-9)
    twice = {**line(collection=1.0, recovery=1.0)}
    twice["other"] = dict(twice["line"])
    one, both = (run(items)[1][20:].sum() for items in (line(collection=1.0, recovery=1.0), twice))
    assert both == pytest.approx(one, rel=1e-6)


def test_nothing_comes_back_before_the_start_nor_from_what_is_recycled_already():
    trace, recovered, _ = run(line("japan"))
    _, base, _ = run({})
    assert np.array_equal(recovered[:4], base[:4])
    in_use = trace.run.day.in_use
    japan = trace.layout.region_at["japan"]
    there = in_use.oxide_of(
        in_use.stock[-1] / in_use.stage_weeks, np.ones(len(in_use.lines), dtype=bool)
    )[japan]
    gained = (recovered - base)[-1, japan]
    assert np.all(gained <= 0.3 * 0.9 * (there - base[-1, japan] + 1e-9) + 1e-9 + 0.05 * there)


def test_a_line_of_100_tonnes_shows_in_a_niche_and_not_in_the_market():
    """What Korea Zinc announced: a line of 100 t of oxide a year."""
    zinc = line("south_korea", collection=0.5, tonnes_per_year=100, ramp_months=12)
    trace, base = (shared(items, worlds=3, weeks=104) for items in (zinc, {}))
    lay = trace.layout
    cells = [lay.cells.at[(m, "south_korea")] for m in ("ndpr_oxide", "dy_oxide", "tb_oxide")]
    a_year = trace["output"][-52:, cells].sum(axis=(0, 1)) * 365.25 / 364.0
    assert np.allclose(a_year, 100.0, rtol=0.03)
    # The niche: Korea makes no oxide without it. The market: 0.1 % of the world's NdPr.
    korea = [
        c for c, (m, r) in enumerate(base.layout.cells.keys) if r == "south_korea" and "oxide" in m
    ]
    assert not base["output"][:, korea].any()
    world = lay.cells.material == lay.material_at["ndpr_oxide"]
    share = a_year / (trace["output"][-52:, world].sum(axis=(0, 1)))
    assert np.all((share > 0.0002) & (share < 0.002))
    moved = np.exp(trace["log_home"][-1] - base["log_home"][-1]) - 1.0
    ndpr, dy = (lay.material_at[m] for m in ("ndpr_oxide", "dy_oxide"))
    assert np.all(np.abs(moved[[ndpr, dy]]) < 0.005) and np.all(moved[ndpr] <= 0.0)
