"""Mines: bans and their lift, ore that must stay, and projects that hold no rare earths."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.border.errors import InputError
from tests.fixtures.worlds import day_after, scenario, shared, simulate

SETTINGS = {"worlds": 3, "weeks": 40}
PRINTS = {**SETTINGS, "prints": True, "keep": []}


def same(a, b):
    return shared(a, **PRINTS).fingerprints == shared(b, **PRINTS).fingerprints


def watched(items, what, weeks=60):
    kept = []

    class Watch:
        def market_day(self, run, now, rules):
            kept.append(what(run))

    trace = simulate(
        items, worlds=3, weeks=weeks, before=lambda r: r.watchers.append(Watch()), keep=()
    )
    assert trace.run.day.ledger.worst <= 100 * np.finfo(float).eps
    return np.array(kept), trace


# ---- bans and their lift ----------------------------------------------------------------

BAN = {"kind": "mining_ban", "region": "myanmar", "start": day_after(4)}


def test_a_ban_is_an_outage_of_all_mines_of_the_place():
    outage = {"kind": "outage", "region": "myanmar", "stage": "mine", "start": day_after(4)}
    assert same({"it": BAN}, {"it": outage})


def test_a_lift_ends_the_ban_on_the_same_mines_that_day():
    lift = {"kind": "mining_ban", "region": "myanmar", "action": "lift", "start": day_after(20)}
    assert same({"ban": BAN, "lift": lift}, {"ban": {**BAN, "end": day_after(20)}})
    elsewhere = {**lift, "region": "united_states"}
    assert same({"ban": BAN, "lift": elsewhere}, {"ban": BAN})


@pytest.mark.parametrize(
    ("lift", "why"),
    [
        ({"region": "united_states"}, "no rare-earth mine or project there is held back"),
        (
            {"region": "united_states", "commodity": "copper_nickel"},
            "copper nickel, not rare earths",
        ),
        ({"region": "mexico"}, "there is no rare-earth mine"),
    ],
)
def test_a_lift_that_adds_no_rare_earths_changes_no_bit_and_says_why(lift, why):
    it = {"kind": "mining_ban", "action": "lift", "start": "2024-03-01", **lift}
    assert same({"minnesota": it}, {})
    told = shared({"minnesota": it}, **SETTINGS).run.timelines()
    (line,) = [what for what, *_ in told if why in what]
    assert line.startswith("minnesota changes nothing: ")


def test_a_country_closes_its_own_mines_only():
    def closed(place):
        run = simulate(
            {"x": {"kind": "mining_ban", "region": place}}, worlds=2, weeks=3, keep=()
        ).run
        return {run.layout.plants.rows[row].country for row in run.effects[-1].rows}

    assert closed("greenland") == {"greenland"}
    assert closed("quad") == {"united_states", "australia", "india"}
    assert {"sweden", "norway"} <= closed("europe")


def test_a_plant_is_no_mine():
    with pytest.raises(InputError, match="no mine but a separation plant"):
        scenario({"x": {"kind": "mining_ban", "facilities": "us_mp_ndpr"}})


# ---- projects without rare earths -------------------------------------------------------


@pytest.mark.parametrize(
    ("project", "why"),
    [
        ({"region": "rest_of_world", "commodity": "tungsten", "public_funding_usd_million": 900,
          "start": "2026-01-01"}, "tungsten, no rare earths"),
        ({"region": "united_states", "stage": "mine", "material": "concentrate_light",
          "commodity": "copper", "tonnes_per_year": 5000, "start": "2024-02-01"}, "copper"),
        ({"region": "europe", "stage": "mine", "material": "concentrate_heavy",
          "tonnes_per_year": 0, "start": "2024-02-01"}, "without a plant has no capacity"),
    ],
)  # fmt: skip
def test_a_project_that_adds_no_rare_earths_changes_no_bit_and_says_why(project, why):
    it = {"kind": "capacity_project", **project}
    assert same({"it": it}, {})
    run = simulate({"it": it}, worlds=2, weeks=120, keep=()).run
    lines = [what for what, *_ in run.timelines() if why in what]
    assert lines and all("changes nothing" in line for line in lines)
    assert run.effects[-1].spending(0.0, 1000.0) is None or run.effects[-1].name != "it"


@pytest.mark.parametrize(
    ("project", "says"),
    [
        ({"commodity": "tungsten"}, "region: is missing"),
        ({"facility": "us_vulcan", "commodity": "tungsten"}, "is a rare-earth plant"),
    ],
)
def test_what_yields_no_rare_earths_needs_a_place_and_is_none_of_the_chain_s_plants(project, says):
    with pytest.raises(InputError, match=says):
        scenario({"x": {"kind": "capacity_project", **project}})


# ---- ore that must stay -----------------------------------------------------------------


def requirement(region="united_states", **more):
    return {
        "it": {"kind": "processing_requirement", "region": region, "start": day_after(6), **more}
    }


def leaving(region):
    def of(run):
        lay = run.layout
        here = lay.region_at[region]
        out = (lay.ore.region_from == here) & (lay.ore.region_to != here)
        return run.day.flows["ore_shipped"][out].sum(axis=(0, 1))

    return of


def test_no_ore_leaves_and_more_of_it_must_stay_the_less_leaves():
    totals = [
        watched(requirement(share=s) if s else {}, leaving("united_states"))[0][7:].sum(axis=0)
        for s in (0.0, 0.5, 1.0)
    ]
    assert np.all(totals[0] > totals[1]) and np.all(totals[1] > 0.0)
    assert np.all(totals[2] == 0.0)


def test_ore_may_go_to_partners():
    def to_china(run):
        lay = run.layout
        pick = (lay.ore.region_from == lay.region_at["united_states"]) & (
            lay.ore.region_to == lay.home
        )
        return run.day.flows["ore_shipped"][pick].sum(axis=(0, 1))

    open_, _ = watched(requirement(partners="china"), to_china)
    free, _ = watched({}, to_china)
    assert np.array_equal(open_, free) and np.all(free[-1] > 0)


def test_home_separators_lose_nothing_and_the_yard_never_overflows():
    def fed(run):
        lay = run.layout
        s = lay.separation.at["united_states"]
        return run.day.flows["separated"][s].sum(axis=0)

    def piled(run):
        lay = run.layout
        pools = [o for o, (_, r) in enumerate(lay.ore.pools) if r == "united_states"]
        return run.day.state.ore_at_mine[pools].sum(axis=(0, 1)) / lay.ore.pool_base[pools].sum()

    free, _ = watched({}, fed)
    kept, _ = watched(requirement(), fed)
    assert np.all(kept >= free - 1e-9)
    weeks, _ = watched(requirement(storage_weeks=13), piled, weeks=120)
    assert weeks[-1].min() > 13 and weeks.max() <= 26.0 + 1.0
