"""Seeds broken on purpose: each mistake is found, placed and explained."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from lodestone.border.errors import InputError
from lodestone.border.paths import seeds_root
from lodestone.chain.load import load_chain


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    source = seeds_root()
    target = tmp_path / "seeds"
    target.mkdir()
    for path in source.glob("*.csv"):
        shutil.copy(path, target)
    shutil.copytree(source / "2024", target / "2024")
    return target


def edit(path: Path, where: dict[str, str], changes: dict[str, str]) -> int:
    """Change cells of the first row that matches; return its line."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        if all(row[key] == value for key, value in where.items()):
            row.update(changes)
            write(path, rows)
            return number + 2
    raise AssertionError(f"no row {where} in {path}")


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


CASES = [
    ("2024/facilities.csv", {"facility": "us_vulcan"}, {"capacity_t_per_year": "-100"}, "below 0"),
    (
        "2024/facilities.csv",
        {"facility": "us_vulcan"},
        {"capacity_t_per_year": "nan"},
        "'nan' is not a number",
    ),
    (
        "2024/facilities.csv",
        {"facility": "us_vulcan"},
        {"capacity_t_per_year": "inf"},
        "'inf' is not a number",
    ),
    ("2024/facilities.csv", {"facility": "us_vulcan"}, {"region": "europe"}, "lies in"),
    (
        "2024/facilities.csv",
        {"facility": "us_vulcan"},
        {"region": "united_sttes"},
        "Did you mean 'united_states'",
    ),
    (
        "2024/facilities.csv",
        {"facility": "us_vulcan"},
        {"stage": "magnets"},
        "Did you mean 'magnet'",
    ),
    (
        "2024/facilities.csv",
        {"facility": "us_vulcan"},
        {"start_date": "2027-9"},
        "not a date like 2027-09-01",
    ),
    ("2024/facilities.csv", {"facility": "us_vulcan"}, {"start_date": ""}, "needs a date"),
    ("2024/facilities.csv", {"facility": "us_vulcan"}, {"output_2024_t": "5"}, "starts on"),
    (
        "2024/facilities.csv",
        {"facility": "us_vulcan"},
        {"material": "ndfebb"},
        "Did you mean 'ndfeb'",
    ),
    (
        "2024/facilities.csv",
        {"facility": "us_vulcan"},
        {"capacity_basis": "t_reo"},
        "counted in t_magnet",
    ),
    (
        "2024/facilities.csv",
        {"facility": "cn_bayan_obo"},
        {"mix": "bayan_oboe"},
        "Did you mean 'bayan_obo'",
    ),
    ("2024/facilities.csv", {"facility": "cn_bayan_obo"}, {"mix": ""}, "needs an element mix"),
    ("2024/facilities.csv", {"facility": "my_lamp"}, {"recovery": "1.2"}, "above 1"),
    ("2024/facilities.csv", {"facility": "my_lamp"}, {"recovery": ""}, "needs a recovery"),
    (
        "2024/facilities.csv",
        {"facility": "my_lamp"},
        {"source": "no_such_page"},
        "unknown source 'no_such_page'",
    ),
    ("2024/facilities.csv", {"facility": "my_lamp"}, {"source": ""}, "cell is empty"),
    (
        "2024/facilities.csv",
        {"facility": "my_lamp"},
        {"facility": "us_vulcan"},
        "stands already in line",
    ),
    (
        "2024/facilities.csv",
        {"facility": "my_lamp"},
        {"unit_cost_usd_per_kg": "99"},
        "lies outside",
    ),
    ("2024/element_mix.csv", {"mix": "bayan_obo", "element": "ce"}, {"share": "0.99"}, "sum to"),
    ("2024/element_mix.csv", {"mix": "bayan_obo", "element": "ce"}, {"share": "1.4"}, "above 1"),
    ("2024/tiers.csv", {"sector": "wind", "tier": "other"}, {"share": "0.1"}, "sum to 0.7"),
    (
        "2024/concentrate_trade.csv",
        {"origin": "laos"},
        {"share_of_origin_output": "0.5"},
        "sum to 0.5",
    ),
    (
        "2024/demand.csv",
        {"sector": "wind", "region": "china"},
        {"material": "dy_oxide"},
        "is not a magnet",
    ),
    (
        "2024/demand.csv",
        {"sector": "wind", "region": "china"},
        {"sector": "winds"},
        "Did you mean 'wind'",
    ),
    (
        "2024/demand.csv",
        {"sector": "wind", "region": "china"},
        {"t_per_year": "9e5"},
        "t_per_year: 900000 lies outside its own range",
    ),
    (
        "2024/prices.csv",
        {"material": "dy_oxide", "market": "home"},
        {"usd_per_kg": "0"},
        "below 0.01",
    ),
    (
        "2024/prices.csv",
        {"material": "dy_oxide", "market": "home"},
        {"market": "spot"},
        "unknown market",
    ),
    (
        "2024/routes.csv",
        {"origin": "china", "destination": "japan"},
        {"origin": "brazil"},
        "stands already",
    ),
    (
        "2024/stockpiles.csv",
        {"holder": "japan"},
        {"material": "magnet_stuff"},
        "unknown material 'magnet_stuff'",
    ),
    (
        "recipes.csv",
        {"output": "ndpr_metal"},
        {"input_t_per_t_output": "1.0"},
        "would contain 1 t of ndpr but is given 0.855",
    ),
    ("recipes.csv", {"output": "smco"}, {"input": "ndfeb_standard"}, "cannot be an input"),
    ("parameters.csv", {"parameter": "fear.trend"}, {"default": "2.5", "high": "9"}, ""),
    ("parameters.csv", {"parameter": "licence.surge"}, {"default": "7"}, "above high"),
    ("parameters.csv", {"parameter": "licence.surge"}, {"default": "fast"}, "not a number"),
    ("parameters.csv", {"parameter": "licence.surge"}, {"low": "5"}, "is above high"),
    ("materials.csv", {"material": "dy_oxide"}, {"basis": "t_metal"}, "counted in t_oxide"),
    ("materials.csv", {"material": "dy_oxide"}, {"element": "dyy"}, "unknown element 'dyy'"),
    ("elements.csv", {"element": "dy"}, {"thin_data": "maybe"}, "neither yes nor no"),
    ("countries.csv", {"country": "japan"}, {"share_of_region_demand": "0.4"}, "sum to 0.4"),
    (
        "blocs.csv",
        {"bloc": "quad", "country": "japan"},
        {"country": "japn"},
        "Did you mean 'japan'",
    ),
]


@pytest.mark.parametrize(("file", "where", "changes", "message"), CASES)
def test_a_broken_cell_is_found(seeds, file, where, changes, message):
    line = edit(seeds / file, where, changes)
    if not message:
        load_chain("2024", root=seeds)
        return
    with pytest.raises(InputError) as caught:
        load_chain("2024", root=seeds)
    text = str(caught.value)
    assert message in text
    assert Path(file).name in text
    assert caught.value.exit_code == 2
    assert line >= 2


def test_a_message_names_the_line(seeds):
    line = edit(
        seeds / "2024/facilities.csv", {"facility": "us_vulcan"}, {"capacity_t_per_year": "-1"}
    )
    with pytest.raises(InputError, match=rf"facilities\.csv:{line}: capacity_t_per_year"):
        load_chain("2024", root=seeds)


def test_all_problems_are_reported_at_once(seeds):
    edit(seeds / "2024/tiers.csv", {"sector": "wind", "tier": "other"}, {"tier": "others"})
    edit(seeds / "2024/facilities.csv", {"facility": "us_vulcan"}, {"capacity_t_per_year": "x"})
    with pytest.raises(InputError) as caught:
        load_chain("2024", root=seeds)
    assert "2 problems" in str(caught.value)
    assert "tiers.csv" in str(caught.value)
    assert "facilities.csv" in str(caught.value)


def test_a_missing_file_is_named(seeds):
    (seeds / "2024/demand.csv").unlink()
    with pytest.raises(InputError, match=r"demand\.csv: the file is missing"):
        load_chain("2024", root=seeds)


def test_an_unknown_column_is_named(seeds):
    path = seeds / "2024/tiers.csv"
    path.write_text(path.read_text().replace("sector,tier,share", "sector,teir,share", 1))
    with pytest.raises(InputError, match="Did you mean 'tier'"):
        load_chain("2024", root=seeds)


def test_a_row_with_a_cell_too_many(seeds):
    path = seeds / "2024/tiers.csv"
    path.write_text(path.read_text() + "wind,other,0.4,,,A1,2024,low,note,extra\n")
    with pytest.raises(InputError, match="cells, but the header has"):
        load_chain("2024", root=seeds)


def test_a_file_that_is_not_text(seeds):
    (seeds / "2024/tiers.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match=r"tiers\.csv.*not text"):
        load_chain("2024", root=seeds)


def test_a_broken_vintage_file(seeds):
    (seeds / "2024/vintage.yaml").write_text("name: x\nbase_year: 2024\n")
    with pytest.raises(InputError, match="start: the key is missing"):
        load_chain("2024", root=seeds)


def test_edited_seeds_are_read_again(seeds):
    before = load_chain("2024", root=seeds)
    edit(seeds / "2024/facilities.csv", {"facility": "us_vulcan"}, {"capacity_t_per_year": "12345"})
    after = load_chain("2024", root=seeds)
    assert before.facilities["us_vulcan"].capacity_t_per_year == 10000
    assert after.facilities["us_vulcan"].capacity_t_per_year == 12345


def test_a_vintage_may_bring_its_own_parameters(seeds):
    shutil.copy(seeds / "parameters.csv", seeds / "2024/parameters.csv")
    edit(seeds / "2024/parameters.csv", {"parameter": "cover.home_weeks"}, {"default": "8"})
    assert load_chain("2024", root=seeds).value("cover.home_weeks") == 8


def test_more_use_than_separators_make_is_an_error_of_the_input(seeds):
    from lodestone.chain.balance import balance

    where = {"sector": "wind", "region": "europe", "material": "ndfeb_high_coercivity"}
    edit(seeds / "2024" / "demand.csv", where, {"t_per_year": "60000", "low": "1", "high": "1e6"})
    with pytest.raises(InputError, match="more than separators") as caught:
        balance(load_chain("2024", root=seeds))
    assert str(caught.value).startswith("demand.csv: t_per_year: ndpr_oxide: ")
