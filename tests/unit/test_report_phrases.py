"""Sentences on the awkward cases, which are the ordinary ones."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lodestone.report.asked import Row
from lodestone.report.phrases import level, reference_level, sentence
from lodestone.report.shortages import shortage_of
from lodestone.report.together import sentences
from lodestone.report.wording import resolution

INF = float("inf")
READING = SimpleNamespace()


def row(name: str, title: str, unit: str, own: object, calm: object = None) -> Row:
    held = None if calm is None else np.asarray(calm, dtype=float)
    return Row(name, name, {}, unit, title, np.asarray(own, dtype=float), held)


def told(*words: object) -> str:
    return sentence(READING, row(*words))  # type: ignore[arg-type]


STOP = ("first_stoppage", "Time until the first users in Europe stop, from 1 May 2025", "days")
LENGTH = ("time_to_recover_weeks", "Length of the shortage", "weeks")
LACK = ("unmet_t", "Net shortfall of magnets, to the end of 2029", "t_magnet")
PEAK = ("unmet_share_peak", "Net shortfall in the worst week, share of planned use", "share")


@pytest.mark.parametrize(
    ("words", "own", "calm", "said"),
    [
        # nobody runs short, with or without
        (STOP, [INF] * 20, [INF] * 20, "The first users in Europe stop in no world within the run; in the reference in none of the 20 worlds."),
        (LACK, [0.0] * 20, [0.0] * 20, "The net shortfall of magnets, to the end of 2029, is zero in every world, with and without the measures."),
        # all worlds run short, the reference in none
        (STOP, [40.0] * 20, [INF] * 20, "The first users in Europe stop 40 days after 1 May 2025, in all 20 worlds; in the reference in none."),
        # all run short in both: the reference tells its own days
        (STOP, [20.0, 30.0] * 10, [30.0, 20.0] * 10, "The first users in Europe stop 25 days (20–30) after 1 May 2025, in all 20 worlds; in the reference 25 days (20–30), in all 20 worlds."),
        (STOP, [20.0] * 20, [50.0] * 10 + [np.inf] * 10, "The first users in Europe stop 20 days after 1 May 2025, in all 20 worlds; 30 days earlier than in the reference where it comes to that as well, in 10 of 20 worlds (50 %)."),
        (STOP, [20.0] * 20, [50.0] * 20, "The first users in Europe stop 20 days after 1 May 2025, in all 20 worlds, 30 days earlier than in the reference."),
        # one world in twenty
        (STOP, [INF] * 19 + [40.0], [INF] * 20, "The first users in Europe stop 40 days after 1 May 2025, in 1 of 20 worlds (5 %); in the reference in none."),
        (LACK, [100.0] * 19 + [900.0], [100.0] * 20, "The net shortfall of magnets, to the end of 2029, is 100 t of magnet (100–140), the same as in the reference except in 1 of 20 worlds (5 %)."),
        # not recovered by the end of the run
        (LENGTH, [INF] * 18 + [30.0, 40.0], [0.0] * 20, "Length of the shortage: not over by the end of the run, in 18 of 20 worlds (90 %)."),
        # less than in the reference
        (LACK, [100.0] * 20, [400.0] * 20, "The net shortfall of magnets, to the end of 2029, is 100 t of magnet, 300 t of magnet less than in the reference."),
        (PEAK, [0.10] * 20, [0.25] * 20, "The net shortfall in the worst week is 10 % of planned use, 15 percentage points lower than in the reference."),
        # not clear of zero
        (LACK, [90.0, 115.0] * 10, [100.0] * 20, "The net shortfall of magnets, to the end of 2029, is 102 t of magnet (90–115); the difference from the reference, +2 t of magnet (−10 to 15), does not stand clear of zero."),
    ],
)  # fmt: skip
def test_awkward_cases_are_told_right(words, own, calm, said):
    assert told(*words, own, calm) == said


def test_the_reference_keeps_the_digits_of_its_own_band():
    own, calm = np.linspace(350e3, 1230e3, 20), np.linspace(55e3, 69e3, 20)
    held = row("lost_output_usd_million", "Lost output", "USD million", own, calm)
    assert reference_level(held) == "USD 62 billion", reference_level(held)


def test_certainty_is_told_of_the_date_on_which_it_holds():
    dates = pd.date_range("2025-01-06", periods=30, freq="7D")
    middle = np.r_[np.zeros(5), np.linspace(0.01, 0.06, 15), np.zeros(10)]

    def course_of(spread):
        low, high = np.clip(middle - spread, -1, None), middle + spread
        delta = pd.DataFrame({"unmet_share_p05": low, "unmet_share_p50": middle, "unmet_share_p95": high}, index=dates)  # fmt: skip
        levels = pd.DataFrame({"unmet_share_p50": middle, "reference_unmet_share_p50": 0.0}, index=dates)  # fmt: skip
        return shortage_of(delta, levels)

    wide, narrow = course_of(0.02), course_of(0.0)
    assert wide.likelihood == narrow.likelihood == "sure"  # at the peak
    assert narrow.sure_at_onset and not wide.sure_at_onset
    at = dates.get_loc(wide.peak)
    assert wide.p50 == middle[at] and wide.p95 == pytest.approx(middle[at] + 0.02)


def test_a_scenario_that_was_run_alone_names_no_reference():
    assert told(*LACK, [100.0] * 20).endswith("is 100 t of magnet.")
    assert told(*STOP, [INF] * 20) == "The first users in Europe stop in no world within the run."


def several(*cases: tuple[dict, str, object, object], name: str, unit: str) -> list[str]:
    rows = [
        Row(str(i), name, picked, unit, title, np.asarray(own, float), np.asarray(calm, float))
        for i, (picked, title, own, calm) in enumerate(cases)
    ]
    return sentences(SimpleNamespace(cut_off=lambda *_: ""), rows, 4)  # type: ignore[arg-type]


def test_the_same_number_in_several_years_is_one_sentence():
    title = "Mean home price of NdPr oxide in {}"
    cases = [({"year": y}, title.format(y), [p] * 20, [p + 2.0] * 20) for y, p in ((2026, 60.0), (2030, 50.0))]  # fmt: skip
    assert several(*cases, name="price_usd_per_kg", unit="USD/kg") == [
        "The mean home price of NdPr oxide is 60 USD per kg in 2026 and 50 USD per kg in 2030: 2 USD per kg "
        "and 2 USD per kg lower than in the reference."
    ]
    mixed = [*cases[:1], ({"year": 2030}, title.format(2030), [50.0] * 20, [40.0, 60.0] * 10)]
    (told,) = several(*mixed, name="price_usd_per_kg", unit="USD/kg")
    assert told.endswith("are \u22122 USD per kg in 2026 and 0 USD per kg (\u221210 to 10) in 2030 (not clear of zero).")  # fmt: skip


def test_first_stops_in_several_places_are_one_sentence():
    title = "Time until the first users{} stop, from 1 May 2025"
    cases = [
        ({}, title.format(""), [30.0] * 20, [INF] * 20),
        ({"region": "europe"}, title.format(" in Europe"), [50.0] * 19 + [INF], [INF] * 20),
        ({"region": "japan"}, title.format(" in Japan"), [INF] * 20, [INF] * 20),
    ]
    assert several(*cases, name="first_stoppage", unit="days") == [
        "The first users stop 30 days after 1 May 2025, in all 20 worlds; in Europe 50 days, in 19 of 20 "
        "worlds (95 %) and in Japan in no world. In the reference none stop."
    ]
    later = [({}, title.format(""), [30.0] * 20, [400.0] * 20), cases[1]]
    (told,) = several(*later, name="first_stoppage", unit="days")
    assert told.endswith("In the reference they stop later or not at all.")


def test_a_year_earlier_is_an_effect():
    words = (
        "coverage_year",
        "First year in which own NdFeB magnets in the Quad cover 25 % of use",
        "year",
    )
    assert not row(*words, [2030.0] * 20, [2031.0] * 20).still
    assert row(*words, [2030.0] * 20, [2030.0] * 20).still


def test_money_is_in_one_scale_and_minus_stands_in_front():
    cost = ("public_outlay_usd_million", "Public outlay, net of receipts, in 2030", "USD million")
    assert told(*cost, [1500.0] * 20, [2000.0] * 20) == (
        "Public outlay, net of receipts, in 2030 is USD 1.5 billion, USD 0.5 billion less than in the "
        "reference."
    )
    assert level(row(*cost, [-20.0] * 20)) == "−USD 20 million"


def test_an_end_of_a_band_is_not_rounded_to_nothing():
    assert resolution(18_890.0, 2_782.0, 53_510.0) == 1000.0
    assert resolution(0.0, 0.0, 53_510.0) == 10_000.0


def test_one_day_is_one_day():
    from lodestone.report.phrases import shown

    assert shown(1.0, 1.0, 1.0, "days") == "1 day" and shown(2.0, 2.0, 2.0, "days") == "2 days"
