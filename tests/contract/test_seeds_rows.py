"""One body over every row of every shipped seeds table."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import pytest

from lodestone.border.paths import seeds_root, vintages
from lodestone.chain.load import BY_VINTAGE, COMMON, load_chain
from lodestone.chain.nouns import Row

VINTAGES = vintages()
TABLES = [(v, name) for v in VINTAGES for name in (*COMMON, *BY_VINTAGE)]
FILES = sorted(path for path in seeds_root().rglob("*.csv") if "episodes" not in path.parts)
READ = ("data", "filing", "press")
DATE = re.compile(r"\d{4}")


@pytest.mark.parametrize(("vintage", "table"), TABLES)
def test_rows_say_where_they_are_from_and_how_sure_they_are(vintage, table):
    chain = load_chain(vintage)
    for line, row in chain.tables[table]:
        if not isinstance(row, Row):
            continue
        where = f"{table}.csv:{line}"
        assert row.source, where
        assert all(chain.knows_source(key) for key in row.source), where
        assert row.confidence in ("high", "medium", "low"), where
        assert DATE.match(row.date), where
        if row.low is not None and row.high is not None:
            assert row.low <= row.high, where


@pytest.mark.parametrize(("vintage", "table"), TABLES)
def test_a_recalled_row_is_never_of_high_confidence(vintage, table):
    chain = load_chain(vintage)
    for line, row in chain.tables[table]:
        if isinstance(row, Row) and row.source[:1] in (("recalled",), ("public_file_unnamed",)):
            assert row.confidence != "high", f"{table}.csv:{line}"


@pytest.mark.parametrize(("vintage", "table"), TABLES)
def test_numbers_are_finite(vintage, table):
    for line, row in load_chain(vintage).tables[table]:
        for name in row.__dataclass_fields__:
            value = getattr(row, name)
            if isinstance(value, float):
                assert math.isfinite(value), f"{table}.csv:{line}: {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_files_are_clean_utf8_csv(path: Path):
    text = path.read_bytes()
    assert b"\r" not in text
    assert text.endswith(b"\n")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    for row in rows:
        for cell in row:
            assert cell == cell.strip()


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_files_name_no_place_of_a_machine(path: Path):
    text = path.read_text(encoding="utf-8")
    for word in ("/home/", "/tmp/", "file id", "README"):
        assert word not in text, word


@pytest.mark.parametrize("vintage", VINTAGES)
def test_sources_of_data_have_an_address_and_a_title(vintage):
    chain = load_chain(vintage)
    for key, source in chain.sources.items():
        assert source.title
        if source.kind in READ and key != "atomic_weights":
            assert source.url.startswith("http"), key
        assert re.fullmatch(r"[a-z0-9_]+", key)
    addresses = [s.url for s in chain.sources.values() if s.url and s.kind in READ]
    assert len(addresses) == len(set(addresses))


def test_a_company_s_own_words_are_graded_as_a_filing():
    sources = load_chain("2024").sources.values()
    for source in sources:
        if "sec.gov/" in source.url or "asx.com.au/" in source.url:
            assert source.kind == "filing", source.key
    assert sum(s.kind == "filing" for s in sources) >= 20


@pytest.mark.parametrize("vintage", VINTAGES)
def test_snake_case_names(vintage):
    chain = load_chain(vintage)
    for table in (
        chain.regions,
        chain.countries,
        chain.blocs,
        chain.elements,
        chain.materials,
        chain.facilities,
        chain.sectors,
        chain.mixes,
        chain.stockpiles,
    ):
        for name in table:
            assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name), name
