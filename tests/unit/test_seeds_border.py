"""Words, errors, paths and units: what stands between the user and the chain."""

from __future__ import annotations

import datetime as dt

import pytest

from lodestone.border import units
from lodestone.border.errors import InputError, ModelError
from lodestone.border.paths import data_root, seeds_root, vintages
from lodestone.border.words import nearest, suggestion, unknown


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("chian", ["china", "canada"], "china"),
        ("United States", ["united_states", "mexico"], "united_states"),
        ("magnets", ["magnet", "metal"], "magnet"),
        ("dy", ["dy_oxide", "tb_oxide"], "dy_oxide"),
        ("worlds", ["ensemble.worlds", "workers"], "ensemble.worlds"),
        ("days", ["stockpile.days", "transit.days", "day"], "day"),
        ("zzz", ["china", "canada"], None),
        ("x", [], None),
    ],
)
def test_nearest(word, known, expected):
    assert nearest(word, known) == expected


def test_suggestion_lists_a_short_vocabulary():
    assert suggestion("zzz", ["ask", "home"]) == "Known: ask, home."


def test_an_input_error_is_one_clear_sentence():
    error = unknown("region", "chian", ["china"], file="a.yaml", key="x.exporter")
    assert str(error) == "a.yaml: x.exporter: unknown region 'chian'. Did you mean 'china'?"
    assert error.exit_code == 2
    assert "\n" not in str(error)


def test_a_model_error_names_place_world_and_date():
    error = ModelError("dy does not balance by 3 t", place="japan", world=37, date="2025-04-04")
    assert str(error) == "dy does not balance by 3 t at japan in world 37 on 2025-04-04"
    assert error.exit_code == 3


def test_data_folders():
    assert (data_root("seeds") / "elements.csv").is_file()
    with pytest.raises(InputError, match="Did you mean 'seeds'"):
        data_root("seed")
    assert "2024" in vintages()


def test_another_seeds_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LODESTONE_SEEDS", str(tmp_path))
    assert seeds_root() == tmp_path
    assert vintages() == []


@pytest.mark.parametrize(
    ("value", "unit", "dimension", "expected"),
    [
        (110, "USD/t", "price", 0.11),
        (110, "US$/kg", "price", 110),
        (12, "kt/year", "flow", 12_000),
        (12, "kt/y", "flow", 12_000),
        (1, "t/week", "flow", 52.178571),
        (3, "weeks", "time", 21),
        (50, "%", "share", 0.5),
        (2, "kt", "mass", 2000),
        (750, "MUSD", "money", 7.5e8),
    ],
)
def test_units_convert(value, unit, dimension, expected):
    assert units.to_canonical(value, unit, dimension) == pytest.approx(expected)


def test_a_unit_of_another_dimension_is_refused():
    with pytest.raises(InputError, match="is a flow, not a price"):
        units.to_canonical(12, "kt/year", "price")
    with pytest.raises(InputError, match="unknown unit"):
        units.to_canonical(12, "furlong", "time")


def test_oxide_and_element_are_inverse():
    element = units.element_from_oxide(100, 0.855)
    assert element == pytest.approx(85.5)
    assert units.oxide_from_element(element, 0.855) == pytest.approx(100)


def test_price_floor_outlay_of_2600_tonnes():
    """Difference to a floor of 110 USD/kg at four market prices, million USD a year."""
    outlay = [units.usd_million(2600, 110 - market) for market in (47.8, 63, 72, 82)]
    assert [round(value) for value in outlay] == [162, 122, 99, 73]


def test_days_and_dates():
    assert units.day_number("2025-04-04", "2024-01-01") == 459
    assert units.from_day_number(459, dt.date(2024, 1, 1)) == dt.date(2025, 4, 4)
