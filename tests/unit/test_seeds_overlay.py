"""Rows of one's own over the shipped seeds: laid over, checked, named."""

from __future__ import annotations

import os
import shutil

import pytest

from lodestone.border.errors import InputError
from lodestone.border.paths import seeds_root
from lodestone.chain.load import load_chain, seeds_at_rest
from lodestone.chain.overlay import seeds_in_use, write_example
from lodestone.outputs.provenance import seeds_hash, seeds_told


@pytest.fixture
def example(tmp_path):
    write_example(tmp_path / "mine")
    return tmp_path / "mine"


def test_the_example_is_laid_over_and_gone_afterwards(example):
    shipped, before, root = load_chain(), seeds_hash("2024"), seeds_root()
    with seeds_in_use(example):
        mine = load_chain()
        assert mine.prices["dy_oxide", "ask"].usd_per_kg == 330
        assert mine.routes["china", "europe"].transit_days == 55
        plant = mine.facilities["my_magnet_plant"]
        assert (plant.region, plant.ramp_months) == ("europe", 18)
        assert seeds_hash("2024") != before
        assert seeds_told("2024")["overlay"] == str(example)
        # A cell that was left out keeps what is shipped.
        old, new = shipped.routes["china", "europe"], mine.routes["china", "europe"]
        assert new.freight_usd_per_kg == old.freight_usd_per_kg
    assert load_chain() is shipped and seeds_hash("2024") == before and seeds_root() == root
    assert "overlay" not in seeds_told("2024")


def test_another_vintage_keeps_its_hash(example):
    before = seeds_hash("2019")
    (example / "bibliography.csv").unlink()
    for name in ("demand", "facilities", "routes"):
        (example / "2024" / f"{name}.csv").unlink()
    (example / "2024" / "prices.csv").write_text("material,market,usd_per_kg\ndy_oxide,ask,300\n")
    own = seeds_hash("2024")
    with seeds_in_use(example):
        assert seeds_hash("2019") == before and seeds_hash("2024") != own


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("2024/prices.csv", "material,market,usd_per_kg\ndy_oxid,ask,300\n", r"prices\.csv:2: material, market: 'dy_oxid, ask' is no row that is shipped.*lacks source.*Did you mean 'dy_oxide'"),
        ("2024/demand.csv", "sector,region,material,t_per_year\nev_tracton,europe,ndfeb_high_coercivity,5000\n", r"demand\.csv:2: sector.*Did you mean 'ev_traction'"),
        ("2024/prices.csv", "material,market,usd_per_kg\ndy_oxide,ask,cheap\n", r"prices\.csv:2"),
        ("2024/prices.csv", "material,market,usd\ndy_oxide,ask,300\n", "usd_per_kg"),
        ("2024/prices.csv", "material,usd_per_kg\ndy_oxide,300\n", "market"),
        ("2024/prices.csv", "material,market,usd_per_kg\ndy_oxide,ask\n", "2 cells"),
        ("2024/price.csv", "material\n", "prices"),
        ("2023/prices.csv", "material\n", "unknown vintage"),
        ("prices.csv", "material\n", "2024/prices.csv"),
        ("2024/routes.csv", "origin,destination,transit_days,source\nchina,atlantis,9,A19\n", "a new one lacks.*freight_usd_per_kg"),
        ("2024/routes.csv", "origin,destination,transit_days,source\nchina,europe,9,nobody\n", r"routes\.csv:2.*nobody"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_was_written(tmp_path, file, text, why):
    path = tmp_path / "mine" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InputError, match=r"(?s)" + why) as caught, seeds_in_use(tmp_path / "mine"):
        load_chain()
    assert "lodestone-seeds-" not in str(caught.value)
    assert "LODESTONE_SEEDS_OVERLAY" not in os.environ


def test_folders_that_are_none_and_examples_over_work_are_refused(tmp_path, example):
    with pytest.raises(InputError, match="not a folder"), seeds_in_use(tmp_path / "nothing"):
        pass
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no table"), seeds_in_use(tmp_path / "empty"):
        pass
    with pytest.raises(InputError, match="not an empty folder"):
        write_example(example)


def test_every_command_takes_them(example, capsys):
    from lodestone.cli import main

    assert main(["list", "facilities", "my_magnet_plant", f"seeds={example}"]) == 0
    assert "my_magnet_plant" in capsys.readouterr().out
    assert main(["list", "facilities", "my_magnet_plant"]) == 0
    assert "Example Magnets" not in capsys.readouterr().out


def test_seeds_at_rest_are_looked_at_once_and_anew_afterwards(tmp_path, monkeypatch):
    root = tmp_path / "seeds"
    shutil.copytree(seeds_root(), root, ignore=shutil.ignore_patterns("episodes"))
    monkeypatch.setenv("LODESTONE_SEEDS", str(root))
    first = load_chain()
    with seeds_at_rest():
        with seeds_at_rest():
            assert load_chain() is first
        os.utime(root / "parameters.csv", (1.0, 1.0))
        assert load_chain() is first
        assert load_chain("2019") is not first
    assert load_chain() is not first
