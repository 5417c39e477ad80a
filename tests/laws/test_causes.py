"""What does not act changes no bit: before it starts, when it is empty, after it has ended."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.interventions import kinds
from tests.fixtures.worlds import ban, day_after, shared, simulate

#: Of each kind one that bites (the contract test of effects shows that it does).
BITES = {
    "alliance": {"members": ["japan", "united_states"], "pooled_weight": 9.0},
    "alloy_embargo": {"withheld_by": "all", "materials": ["metals", "concentrates"]},
    "certification": {"bloc": "eight_country"},
    "end_use_denial": {"exporter": "china", "materials": "magnets"},
    "enforcement": {"exporter": "china", "deposit_share": 1.5},
    "offtake": {"facility": "uk_lcm", "buyer": "united_states", "share": 0.9},
    "ownership": {"facility": "my_lamp", "bloc": "europe"},
    "price_war": {"exporter": "china", "cut": 0.3},
    "production_quota": {"region": "china", "stage": "separation", "share": 0.7},
    "supply_pivot": {"origin": "australia", "destination": "china", "share": 0.5},
    "truce": {"suspends": "queue"},
    "allocation_rule": {"rule": "defence_first"},
    "bio_extraction": {"region": "brazil", "tonnes_per_year": 900},
    "capacity_project": {"facility": "us_mp_ndpr", "tonnes_per_year": None, "cancelled": True},
    "capital_support": {"facilities": "us_vulcan", "public_usd_million": 670},
    "cost_shift": {"region": "china", "stage": "magnet", "factor": 1.5},
    "demand_growth": {"sectors": "wind", "multiple": {"2024-01-01": 1, "2025-01-01": 2}},
    "demand_shock": {"factor": 1.3},
    "export_ban": {"exporter": "china", "materials": "ndfeb_magnets"},
    "export_licence": {"exporter": "china", "materials": ["oxides", "ndfeb_magnets"]},
    "export_quota": {"exporter": "china", "materials": "oxides", "tonnes": {"2024": 5000, "2025": 5000}},
    "grey_channel": {
        "exporter": "china", "hubs": ["vietnam"], "opening_days": 0, "ceiling_share": 0.5,
    },
    "mining_ban": {"region": "china"},
    "outage": {"region": "china", "stage": "separation", "share_lost": 0.9},
    "permitting": {
        "regions": "united_states", "factor": 0.5, "permitting_months": 24, "construction_months": 0,
    },
    "price_floor": {
        "floor_usd_per_kg": 900, "materials": "ndpr_oxide", "region": "china",
    },
    "processing_requirement": {"region": "myanmar"},
    "recycling": {"region": "europe", "collection": 0.5},
    "route_closure": {"origin": "china", "destination": "all"},
    "separation_learning": {"region": "malaysia", "rate_per_doubling": 0.3},
    "stockpile": {"holder": "japan", "materials": "ndfeb_magnets", "target_days": 90, "fill_days": 60},
    "substitution": {"design": "heavy_free", "years_to_half": 0.5},
    "support_withdrawal": {"supports": "floor"},
    "tariff": {"rate": 0.5, "exporter": "china", "importer": "united_states"},
    "technology_ban": {"commissioning_months": 1, "teams": 1},
}  # fmt: skip
#: Of each kind one that does nothing though it is in force.
EMPTY = {
    "alliance": {"members": "quad", "pooled_weight": 1.0},
    "alloy_embargo": {"withheld_by": "all", "share": 0.0},
    "certification": {"bloc": "eight_country", "share": 0.0},
    "enforcement": {"exporter": "china"},
    "offtake": {"facility": "uk_lcm", "buyer": "united_states", "share": 0.0},
    "ownership": {"facility": "my_lamp", "bloc": "europe", "priority_share": 0.0},
    "price_war": {"exporter": "china", "cut": 0.0},
    "production_quota": {"region": "china", "stage": "separation", "share": 10.0},
    "supply_pivot": {"origin": "canada", "destination": "europe", "share": 0.5},
    "truce": {"suspends": "queue", "duration": 14},
    "allocation_rule": {"rule": "pro_rata"},
    "bio_extraction": {"region": "brazil", "tonnes_per_year": 100},
    "capacity_project": {"facility": "us_mp_ndpr", "delay_days": 0},
    "capital_support": {"facilities": "us_vulcan", "public_usd_million": 0},
    "cost_shift": {"region": "china", "stage": "magnet", "factor": 1.5, "base": "off"},
    "demand_growth": {"sectors": "wind", "multiple": 1},
    "demand_shock": {"factor": 1.0},
    "export_ban": {"exporter": "china", "materials": "all", "share": 0.0},
    "export_quota": {
        "exporter": "china", "materials": "oxides", "tonnes": {"2024": 5000}, "enforcement": 0.0,
    },
    "grey_channel": {"exporter": "china", "hubs": ["vietnam"], "ceiling_share": 0.0},
    "mining_ban": {"region": "united_states", "action": "lift"},
    "outage": {"region": "china", "stage": "separation", "share_lost": 0.0},
    "permitting": {"regions": "united_states", "factor": 1},
    "price_floor": {"floor_usd_per_kg": 5, "materials": "ndpr_oxide", "region": "china"},
    "processing_requirement": {"region": "myanmar", "share": 0.0},
    "recycling": {"region": "europe", "collection": 0.0},
    "route_closure": {"origin": "china", "destination": "all", "share_closed": 0.0},
    "separation_learning": {"region": "malaysia", "rate_per_doubling": 0.0},
    "stockpile": {"holder": "japan", "materials": "ndfeb_magnets", "target_days": 0},
    "substitution": {"design": "heavy_free", "ceiling": 0},
    "support_withdrawal": {"supports": "floor", "survival_each_review": 1.0},
    "tariff": {"rate": 0.0, "exporter": "china"},
    "technology_ban": {"teams": 100, "ramp_factor": 1, "yield_loss": 0},
}  # fmt: skip
#: What goes on beside it: the law must hold in the middle of a shock too.
BESIDE = {
    "shock": ban(8, 20, destinations="europe"),
    "queue": {
        "kind": "export_licence", "exporter": "china", "materials": "dy_oxide", "start": day_after(6),
    },
}  # fmt: skip
WEEKS = 36
FROM = 24
#: A plant that is to start soon after the day on which kinds that move plants begin.
PLANT = {
    "plant": {
        "kind": "capacity_project", "region": "united_states", "stage": "magnet",
        "material": "ndfeb_standard", "tonnes_per_year": 9000, "ramp_months": 1,
        "start": day_after(FROM + 6),
    },
}  # fmt: skip
FLOOR = {"floor": {"kind": "price_floor", **BITES["price_floor"], "start": day_after(2)}}
#: What a kind needs beside it to act at all.
NEEDS = {
    "allocation_rule": {"short": ban(FROM - 4, None)},
    "alliance": {"short": ban(FROM - 4, None)},
    "ownership": {"short": ban(FROM - 4, None, materials="oxides")},
    "permitting": PLANT,
    "support_withdrawal": FLOOR,
    "technology_ban": PLANT,
}
#: Kinds whose own law says when they act: on dates beyond the horizon, or after a lag.
LATER = {"bio_extraction", "capacity_project", "capital_support", "grey_channel"}
SETTINGS = {"worlds": 3, "weeks": WEEKS, "prints": True, "keep": []}


def prints(more=None, beside=BESIDE):
    return shared({**beside, **(more or {})}, **SETTINGS).fingerprints


def test_every_kind_has_an_entry_that_bites():
    assert set(BITES) == set(kinds())
    # A licence, and a proof, always cost paper.
    assert set(EMPTY) == set(kinds()) - {"export_licence", "end_use_denial"}


@pytest.mark.parametrize("kind", sorted(set(BITES) - LATER))
def test_nothing_changes_before_the_first_day_and_something_after(kind):
    beside = NEEDS.get(kind, BESIDE)
    late = {"late": {"kind": kind, **BITES[kind], "start": day_after(FROM)}}
    base, run = prints(beside=beside), prints(late, beside)
    same = [a == b for a, b in zip(base, run, strict=True)]
    assert same[:FROM] == [True] * FROM, f"{kind} acts on market day {same.index(False)}"
    assert not all(same[FROM:]), f"{kind} does nothing"


def test_a_grey_channel_changes_nothing_before_it_opens():
    beside = {"shock": ban(4, None, materials="oxides")}
    late = {"late": {"kind": "grey_channel", **BITES["grey_channel"], "start": day_after(FROM)}}
    same = [a == b for a, b in zip(prints(beside=beside), prints(late, beside), strict=True)]
    assert same == [True] * FROM + [False] * (WEEKS - FROM)


def test_a_start_between_two_market_days_acts_for_its_share_of_the_week():
    """Half a week of a full ban is half a ban, and the days before are untouched."""
    half = {"late": {**ban(FROM), "start": day_after(FROM + 0.5)}}  # rounds to 4 of 7 days
    same = [a == b for a, b in zip(prints(), prints(half), strict=True)]
    assert same[:FROM] == [True] * FROM and not same[FROM]


def test_an_announced_ban_acts_from_its_announcement_and_not_before():
    told = {"late": ban(FROM, announced=day_after(FROM - 9))}
    same = [a == b for a, b in zip(prints(), prints(told), strict=True)]
    assert same[: FROM - 9] == [True] * (FROM - 9)
    assert not any(same[FROM - 9 :])


@pytest.mark.parametrize("kind", sorted(EMPTY))
def test_an_intervention_without_effect_changes_no_bit(kind):
    idle = {"idle": {"kind": kind, "start": day_after(3), **EMPTY[kind]}}
    if kind == "capacity_project":
        del idle["idle"]["start"]
    beside = NEEDS.get(kind, BESIDE)
    assert prints(idle, beside) == prints(beside=beside)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_an_intervention_that_does_not_happen_changes_no_bit(kind):
    never = {"never": {"kind": kind, **BITES[kind], "start": day_after(3), "probability": 0.0}}
    if kind == "stockpile":
        never["never"]["opening_days"] = 30
    beside = NEEDS.get(kind, BESIDE)
    assert prints(never, beside) == prints(beside=beside)


def test_where_it_does_not_happen_a_world_is_that_of_the_base():
    half = shared(
        {**BESIDE, "late": ban(FROM, probability=0.5)}, **{**SETTINGS, "worlds": 11}
    ).fingerprints
    base = shared(BESIDE, **{**SETTINGS, "worlds": 11}).fingerprints
    same = [a == b for a, b in zip(half[-1], base[-1], strict=True)]
    assert 0 < sum(same) < 11


# ---- overlaps ---------------------------------------------------------------------------


def two(a, b, names=("first", "second")):
    return prints(dict(zip(names, (a, b), strict=True)), beside={})


def test_a_ban_inside_a_ban_leaves_no_residue():
    outer, inner = ban(8, 26), ban(12, 20, destinations=["japan", "europe"])
    assert two(outer, inner) == prints({"first": outer}, beside={})


def test_two_bans_that_overlap_are_one_long_ban():
    assert two(ban(8, 18), ban(14, 26)) == prints({"first": ban(8, 26)}, beside={})


def test_bans_that_touch_are_one_long_ban():
    assert two(ban(8, 18), ban(18, 26)) == prints({"first": ban(8, 26)}, beside={})


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_the_names_and_their_order_do_not_matter(share):
    a = ban(8, 20, share=share, destinations="japan")
    b = ban(12, 26, share=0.3, destinations=["japan", "south_korea"])
    assert two(a, b, ("aaa", "zzz")) == two(b, a, ("aaa", "zzz"))


def test_after_the_end_no_rule_is_left():
    class Rules:
        seen: list = []  # noqa: RUF012

        def market_day(self, run, now, rules):
            self.seen.append((now / 7, rules.passes))

    simulate(
        {"a": ban(8, 18), "b": ban(14, 26, share=0.5)}, worlds=2, weeks=30,
        before=lambda run: run.watchers.append(Rules()),
    )  # fmt: skip
    held = {week: None if p is None else float(p.min()) for week, p in Rules.seen}
    assert held[7] is None and held[8] == 0.0 and held[17] == 0.0
    assert held[18] == 0.5 and held[25] == 0.5
    assert all(held[w] is None for w in range(26, 30))


def test_the_same_world_twice_is_the_same_world():
    """The fold reads and never keeps: a second run of one scenario repeats the first."""
    a = simulate(BESIDE, **SETTINGS).fingerprints
    assert a == prints()
    assert np.array(a).shape == (WEEKS, 3)
