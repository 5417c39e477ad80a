"""Conservation and non-negativity: nothing is made from nothing, and the book says so at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodestone.border.errors import ModelError
from lodestone.engine.phases.closing import recount as engine_recount
from tests.fixtures.worlds import ban, day_after, scenario, simulate

EPS = np.finfo(float).eps
#: State arrays that hold goods: tonnes, which may never be negative.
GOODS = (
    "ore_at_mine", "ore_in_transit", "ore_bonded", "ore_landed", "ore_at_plant", "seller_stock",
    "plant_stock", "user_stock", "in_transit", "landed", "held", "scrap", "public_stock",
)  # fmt: skip
#: Arrays of paper and behaviour that are quantities too.
PAPER = ("orders", "link_weight", "normal", "forecast", "plant_forecast", "shipped", "throughput")

#: One of everything, overlapping: the worst week of the century.
EVERYTHING = {
    "licence": {
        "kind": "export_licence", "exporter": "china",
        "materials": ["dy_oxide", "tb_oxide", "dy_metal", "ndfeb_high_coercivity"],
        "start": day_after(6), "approval": {"2024-01-01": 0.0, day_after(14): 0.6},
        "processing_days": {"dist": "uniform", "low": 20, "high": 90},
        "classes": {"military": {"approval": 0.0}}, "spillover": 0.5,
    },
    "quota": {
        "kind": "export_quota", "exporter": "china", "materials": "oxides",
        "start": "2024-01-01", "tonnes": {"2024-H1": 9000, "2024-H2": 7000, "2025": 20000},
    },
    "ban": ban(10, 18, destinations="united_states", materials="all"),
    "half_ban": ban(12, 26, destinations=["japan", "europe"], share=0.5, probability=0.5),
    "strait": {
        "kind": "route_closure", "origin": "china", "destination": "all",
        "start": day_after(20), "duration": {"dist": "uniform", "low": 5, "high": 40},
    },
    "border": {
        "kind": "route_closure", "origin": "myanmar", "destination": "china",
        "start": day_after(5), "end": day_after(15),
    },
    "outages": {
        "kind": "outage", "region": "china", "stage": "separation", "share_lost": 0.6,
        "rate_per_year": 1.0, "start": day_after(2),
    },
    "reserve": {
        "kind": "stockpile", "holder": "japan", "materials": ["dy_oxide", "ndfeb_magnets"],
        "target_days": 60, "opening_days": 20, "fill_days": 100, "draw": ["defence", "ev_traction"],
    },
    "boom": {
        "kind": "demand_shock", "sectors": "ev_traction",
        "factor": {"dist": "normal", "mean": 1.2, "sd": 0.2, "low": 0.5, "high": 2.0},
        "start": day_after(8), "end": day_after(30),
    },
    "grey": {
        "kind": "grey_channel", "exporter": "china", "hubs": ["vietnam"], "start": day_after(6),
        "opening_days": 20, "ceiling_share": 0.4, "detection": 0.2,
    },
    "tax": {"kind": "tariff", "rate": 0.25, "exporter": "china", "importer": "united_states"},
    "defence": {"kind": "allocation_rule", "rule": "defence_first", "start": day_after(9)},
    "floor": {
        "kind": "price_floor", "floor_usd_per_kg": 110, "materials": "ndpr_oxide",
        "facilities": "us_mp_ndpr", "pass_through": 0.5,
    },
    "bought": {
        "kind": "price_floor", "floor_usd_per_kg": 110, "materials": ["ndpr_oxide", "ndpr_metal"],
        "region": "japan", "mechanism": "purchase", "disposal": "stock", "start": day_after(3),
        "end": day_after(20),
    },
    "scrap": {"kind": "recycling", "region": "south_korea", "collection": 0.5, "start": day_after(2)},
    "no_digging": {
        "kind": "mining_ban", "region": "laos", "start": day_after(4), "end": day_after(12),
    },
    "ore_stays": {
        "kind": "processing_requirement", "region": ["australia", "united_states"],
        "start": day_after(3), "storage_weeks": 4,
    },
    "dear": {
        "kind": "cost_shift", "region": "japan", "stage": "magnet", "factor": 2,
        "pass_through": 0.3, "start": day_after(5), "end": day_after(24),
    },
    "learnt": {"kind": "separation_learning", "region": "malaysia"},
    "design": {"kind": "substitution", "design": "heavy_free", "years_to_half": 0.5},
    "robots": {
        "kind": "demand_growth", "sectors": "humanoid_robots", "kg_per_unit": 3,
        "units_in_use": {"2024-01-01": 0, "2026-01-01": 50000},
    },
    "bacteria": {
        "kind": "bio_extraction", "region": "brazil", "tonnes_per_year": 800,
        "ramp_months": 1, "start": day_after(6), "cost_factor": 0.8,
    },
    "lockdown": {"kind": "technology_ban", "commissioning_months": 1, "start": day_after(1)},
}  # fmt: skip


def recount(run):
    """Contained element of all goods, from the recipes and not from the engine's own tables."""
    lay, state, chain = run.layout, run.day.state, run.chain
    total = np.zeros((len(lay.elements), state.worlds))
    at = {e: i for i, e in enumerate(lay.elements)}

    def content(material):
        item = chain.materials[material]
        if item.form == "oxide":
            return {item.element: chain.elements[item.element].element_per_oxide}
        if item.form == "metal":
            return {item.element: 1.0}
        out = {}
        for r in chain.recipes[material].values():
            e = chain.materials[r.input].element
            out[e] = out.get(e, 0.0) + r.contained_element_t_per_t_output
        return out

    goods = state.seller_stock + state.plant_stock + state.public_stock
    for c, (material, _) in enumerate(lay.cells.keys):
        mine = goods[c] + state.user_stock[:, lay.users.cell == c].sum(axis=(0, 1))
        links = lay.links.destination == c
        mine = mine + (state.in_transit + state.landed + state.held)[links].sum(axis=0)
        for e, x in content(material).items():
            total[at[e]] += x * mine
    for e, name in enumerate(lay.elements):
        per = chain.elements[name].element_per_oxide
        for ore in ("ore_at_mine", "ore_in_transit", "ore_bonded", "ore_landed", "ore_at_plant"):
            total[e] += per * getattr(state, ore)[:, e].sum(axis=0)
        total[e] += state.scrap[:, e].sum(axis=0)
    return total


class Books:
    """Keeps a second set of books beside the ledger."""

    def __init__(self):
        self.gaps, self.least = [], np.inf

    def open(self, run):
        run.watchers.append(self)
        self.opening = recount(run)

    def market_day(self, run, now, rules):
        book = run.day.ledger
        whole = self.opening + book.mined + book.recovered
        gap = whole - book.used - book.lost - recount(run)
        self.gaps.append(np.abs(gap / np.maximum(whole, 1e-9)).max())
        for name in (*GOODS, *PAPER):
            self.least = min(self.least, float(getattr(run.day.state, name).min()))


def test_a_year_of_everything_conserves_every_element_in_every_world():
    books = Books()
    trace = simulate(EVERYTHING, worlds=7, weeks=60, flat=False, before=books.open)
    assert trace.run.day.ledger.worst <= 100 * EPS
    assert max(books.gaps) < 1e-11  # summed over 60 closings, against a count of our own
    assert books.least >= -1e-9
    assert np.ptp(trace["unmet"].sum(axis=(0, 1))) > 0  # the worlds did differ


KINDS = [k for k in EVERYTHING if k != "quota"]


@given(
    names=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True),
    seed=st.integers(0, 10_000),
    first=st.integers(1, 12),
    days=st.sampled_from([3.5, 7.0, 14.0]),
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_any_mixture_conserves_and_nothing_turns_negative(names, seed, first, days):
    some = {n: {**EVERYTHING[n], "start": day_after(first)} for n in names}
    for item in some.values():
        if "end" in item:
            item["end"] = day_after(first + 11)
    books = Books()
    trace = simulate(some, worlds=2, seed=seed, weeks=24, market_days=days, before=books.open)
    assert trace.run.day.ledger.worst <= 100 * EPS
    assert max(books.gaps) < 1e-11
    assert books.least >= -1e-9


class Thief:
    """Takes a tonne out of one world on one market day."""

    def __init__(self, name, row, world, tonnes, day=70.0):
        self.name, self.row, self.world, self.tonnes, self.day = name, row, world, tonnes, day

    def market_day(self, run, now, rules):
        if now == self.day:
            stock = getattr(run.day.state, self.name)
            stock[(*self.row(run.layout), self.world)] -= self.tonnes


def dy_cell(lay):
    return (lay.cells.at[("dy_oxide", "china")],)


def dy_link(lay):
    c = lay.cells.at[("dy_oxide", "japan")]
    return (int(np.flatnonzero((lay.links.destination == c) & ~lay.links.home)[0]),)


def dy_ore(lay):
    return (lay.separation.at["china"], lay.element_at["dy"])


@pytest.mark.parametrize(
    ("stock", "row"),
    [
        ("seller_stock", dy_cell),
        ("plant_stock", dy_cell),
        ("public_stock", dy_cell),
        ("landed", dy_link),
        ("held", dy_link),
        ("ore_at_plant", dy_ore),
        ("scrap", lambda lay: (lay.region_at["china"], lay.element_at["dy"])),
        ("user_stock", lambda lay: (0, int(np.flatnonzero(lay.users.heavy)[0]))),
    ],
)
@pytest.mark.parametrize("tonnes", [1.0, -1.0])
def test_a_tonne_that_goes_missing_or_appears_is_named(stock, row, tonnes):
    thief = Thief(stock, row, 2, tonnes)
    with pytest.raises(ModelError) as error:
        simulate(worlds=[5, 11, 17], weeks=12, before=lambda run: run.watchers.append(thief))
    text = str(error.value)
    assert "world 17" in text and "2024-03-18" in text  # the market day after day 70
    assert "dy" in text or (stock == "user_stock" and "ndpr" in text)


def test_a_number_that_is_none_is_named():
    thief = Thief("plant_stock", dy_cell, 1, np.nan)
    with pytest.raises(ModelError, match="world 11"):
        simulate(worlds=[5, 11, 17], weeks=12, before=lambda run: run.watchers.append(thief))


def test_every_stock_of_the_state_is_counted():
    """A new array of goods must be added to GOODS here and to the count of the ledger."""
    trace = simulate(weeks=2, worlds=2)
    run = trace.run
    names = set(run.day.state.arrays())
    assert set(GOODS) <= names
    before = engine_recount(run.day)
    for name in GOODS:
        if name == "user_stock":
            continue  # summed at the end of use, before the book closes: the thief takes from it
        getattr(run.day.state, name)[...] += 1.0
        after = engine_recount(run.day)
        assert np.all(after > before), f"{name} is not counted by the ledger"
        before = after
    # The sum of user_stock by cell is kept: it is what the ledger counts of users.
    for name in sorted(names - set(GOODS) - {"cells_hold"}):
        held = getattr(run.day.state, name)
        if held.dtype == float:
            held += 1.0
    assert np.array_equal(engine_recount(run.day), before)


def test_the_scenario_of_everything_names_every_word_right():
    assert set(scenario(EVERYTHING).interventions) == set(EVERYTHING)
