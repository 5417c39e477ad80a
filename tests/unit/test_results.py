"""Reading a run folder back: lazily, and naming what is missing or damaged."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from lodestone.border.errors import InputError
from lodestone.outputs.results import COLUMNS, Results
from tests.fixtures.run_folder import make_run_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a run folder that the test may damage."""
    return make_run_folder(tmp_path / "run", "some")


def test_tables_have_typed_columns(folder):
    table = Results.load(folder).table("shortage_curve")
    assert table["date"].dtype.kind == "M"
    assert table["unmet_share_p50"].dtype == "float64"
    assert set(table["region"]) >= {"all", "china"}
    calendar = Results.load(folder).table("calendar")
    assert (calendar["source"] == "").any(), "blank words stay blank"


def test_a_table_is_read_once_and_only_when_asked_for(folder):
    results = Results.load(folder)
    (folder / "price_curve.csv").unlink()
    first = results.table("summary")
    assert results.table("summary") is first
    with pytest.raises(InputError, match=r"price_curve\.csv: is missing"):
        results.table("price_curve")


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        Results.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is not a run folder"):
        Results.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a table"),
        (b"\xff\xfe\x00", "not a table"),
        (b"metric,region\na,b\n", "lacks the column sector"),
        (b'a,"b\n1,2', "is damaged"),
    ],
)
def test_a_damaged_table_is_named(folder, content, said):
    (folder / "summary.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        Results.load(folder).table("summary")
    assert "summary.csv" in str(caught.value)


def test_a_wrong_number_is_named_with_its_line(folder):
    path = folder / "summary.csv"
    lines = path.read_text().splitlines()
    parts = lines[2].split(",")
    parts[5] = "many"
    lines[2] = ",".join(parts)
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="line 3, mean: 'many' is not a number"):
        Results.load(folder).table("summary")


def test_a_wrong_date_is_named(folder):
    path = folder / "trade_flows.csv"
    path.write_text(path.read_text().replace("2024-03,", "2024-33,"))
    with pytest.raises(InputError, match="month: '2024-33' is not a date"):
        Results.load(folder).table("trade_flows")


def test_an_unknown_table_names_the_nearest(folder):
    with pytest.raises(InputError, match="shortage_curve"):
        Results.load(folder).table("shortage_curv")


def test_damaged_provenance_is_named(folder):
    (folder / "provenance.json").write_text("{")
    with pytest.raises(InputError, match=r"provenance\.json: is damaged"):
        _ = Results.load(folder).provenance


def test_worlds_are_read_from_parquet(folder):
    pd.DataFrame({"world": [0, 1], "unmet_t": [1.5, 2.5]}).to_parquet(folder / "worlds.parquet")
    assert list(Results.load(folder).worlds["unmet_t"]) == [1.5, 2.5]
    (folder / "worlds.parquet").write_bytes(b"none")
    with pytest.raises(InputError, match=r"worlds\.parquet: is damaged"):
        _ = Results.load(folder).worlds


@pytest.mark.parametrize("name", [n for n, (words, numbers) in COLUMNS.items() if words])
def test_the_fixture_has_the_columns_of_the_interface(name, folder):
    words, numbers = COLUMNS[name]
    found = pd.read_csv(folder / f"{name}.csv", nrows=0).columns
    assert set(found) == {*words, *numbers}
