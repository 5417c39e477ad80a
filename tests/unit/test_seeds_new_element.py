"""An element with its oxide, ore share, use, metal and price is added by rows of data alone."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from lodestone.border.errors import InputError
from lodestone.border.paths import seeds_root
from lodestone.border.units import WEEKS_PER_YEAR
from lodestone.chain.load import load_chain

SOURCE = {"source": "usgs_mcs_2026_data", "date": "2024", "confidence": "medium"}
ROWS = {
    "elements.csv": [
        {
            "element": "gd",
            "title": "Gadolinium",
            "oxide": "Gd2O3",
            "element_per_oxide": "0.8676",
            "group": "heavy",
            "thin_data": "yes",
        },
    ],
    "materials.csv": [
        {
            "material": "gd_oxide",
            "title": "Gadolinium oxide",
            "form": "oxide",
            "element": "gd",
            "basis": "t_oxide",
            "customs_code": "284690",
        },
        {
            "material": "gd_metal",
            "title": "Gadolinium metal and alloy",
            "form": "metal",
            "element": "gd",
            "basis": "t_metal",
            "customs_code": "280530",
        },
    ],
    "recipes.csv": [
        {
            "output": "gd_metal",
            "input": "gd_oxide",
            "input_t_per_t_output": "1.1944",
            "contained_element_t_per_t_output": "1",
        },
        {
            "output": "ndfeb_standard",
            "input": "gd_metal",
            "input_t_per_t_output": "0.006",
            "contained_element_t_per_t_output": "0.005",
        },
    ],
    "2024/element_mix.csv": [
        {"mix": "bayan_obo", "element": "gd", "share": "0.005"},
        {"mix": "ionic_myanmar", "element": "gd", "share": "0.05"},
    ],
    "2024/facilities.csv": [
        {
            "facility": "cn_gd_metal",
            "name": "Gadolinium metal",
            "country": "china",
            "region": "china",
            "stage": "metal",
            "material": "gd_metal",
            "role": "existing",
            "capacity_t_per_year": "900",
            "capacity_basis": "t_metal",
            "output_2024_t": "600",
            "status": "operating",
            "owner_bloc": "china",
            "unit_cost_usd_per_kg": "5",
        },
    ],
    "2024/oxide_uses.csv": [
        {
            "sector": "other_oxide",
            "material": "gd_oxide",
            "region": "china",
            "share_of_residual": "0.7",
        },
        {
            "sector": "other_oxide",
            "material": "gd_oxide",
            "region": "europe",
            "share_of_residual": "0.3",
        },
    ],
    "2024/prices.csv": [
        {"material": f"gd_{form}", "market": market, "usd_per_kg": price}
        for form, market, price in (
            ("oxide", "home", "24"),
            ("oxide", "ask", "29"),
            ("metal", "home", "33"),
            ("metal", "ask", "40"),
        )
    ],
}


def add_rows(seeds: Path, leave_out: str = "") -> None:
    for name, rows in ROWS.items():
        path = seeds / name
        with path.open(newline="", encoding="utf-8") as stream:
            header = next(csv.reader(stream))
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=header, restval="", lineterminator="\n")
            writer.writerows({**row, **SOURCE} for row in rows if name != leave_out)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    target = tmp_path / "seeds"
    target.mkdir()
    for path in seeds_root().glob("*.csv"):
        shutil.copy(path, target)
    shutil.copytree(seeds_root() / "2024", target / "2024")
    return target


def test_rows_alone_add_an_element(seeds):
    add_rows(seeds)
    chain = load_chain("2024", root=seeds)
    assert "gd" in chain.elements
    assert chain.mixes["ionic_myanmar"]["gd"] == 0.05
    assert chain.prices["gd_oxide", "ask"].usd_per_kg == 29
    assert "gd_oxide" in chain.materials_named("oxides")
    assert chain.recipes["ndfeb_standard"]["gd_metal"].input_t_per_t_output == 0.006
    uses = [row for row in chain.oxide_uses if row.material == "gd_oxide"]
    assert math.fsum(row.share_of_residual for row in uses) == pytest.approx(1)
    assert "price.gd_oxide.home_usd_per_kg" in chain.parameter_names()
    assert chain.facilities["cn_creg_sep"].separates == ("all",)


def test_the_new_element_runs_through_the_whole_chain(seeds):
    from lodestone.engine.run import BatchRun
    from lodestone.scenario import load_scenario

    add_rows(seeds)
    scenario = load_scenario("licence_shock_april_2025", overrides={"end": "2025-06-02"})
    run = BatchRun(scenario, load_chain("2024", root=seeds), 0, np.arange(3))
    lay = run.layout
    made = []

    class Watch:
        def market_day(self, run, now, rules):
            cells = np.flatnonzero(lay.cells.material == lay.material_at["gd_oxide"])
            made.append(run.day.flows["output"][cells].sum())

    run.watchers.append(Watch())
    run.run()  # closes the books of every element, gadolinium too, at every tick
    gd = lay.element_at["gd"]
    assert min(made) > 0 and run.day.ledger.mined[gd].min() > 0
    assert run.day.ledger.used[gd].min() > 0 and run.day.ledger.worst <= 100 * np.finfo(float).eps
    assert np.all(np.isfinite(run.day.state.log_home[lay.material_at["gd_oxide"]]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("materials.csv", "the element 'gd' has no 'gd_oxide'"),
        ("2024/prices.csv", "no home price of 'gd_oxide'"),
        ("elements.csv", "unknown element 'gd'"),
        ("recipes.csv", "no recipe makes 'gd_metal'"),
    ],
)
def test_a_forgotten_table_is_named(seeds, table, message):
    add_rows(seeds, leave_out=table)
    with pytest.raises(InputError) as caught:
        load_chain("2024", root=seeds)
    assert message in str(caught.value)


#: A fictitious heavy element with circuits of its own, in rows laid over the shipped seeds.
CIRCUIT_T = 40.0


def lay_over(folder: Path, circuit_t: float = CIRCUIT_T) -> Path:
    """Rows of the element `ub` in a folder of one's own, as `seeds=FOLDER` takes it."""
    told = (
        json.dumps(ROWS).replace("gd", "ub").replace("Gd", "Ub").replace("Gadolinium", "Unbinilium")
    )
    for name, rows in json.loads(told).items():
        if name == "elements.csv":
            rows[0]["circuit"] = "own"
        if name == "2024/facilities.csv":
            rows.append({"facility": "cn_creg_sep", "ub_t_per_year": str(circuit_t)})
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as stream:
            header = list(dict.fromkeys(k for row in rows for k in {**row, **SOURCE}))
            writer = csv.DictWriter(stream, fieldnames=header, restval="", lineterminator="\n")
            writer.writeheader()
            # A row that changes a shipped plant keeps the plant's own source.
            writer.writerows(row if "ub_t_per_year" in row else {**row, **SOURCE} for row in rows)
    return folder


def run_over(folder: Path, circuit_t: float = CIRCUIT_T):
    """Two worlds of a year on the seeds with the element, and what is made of its oxide by month."""
    from lodestone.backcast.recorded import Recorded
    from lodestone.chain.overlay import seeds_in_use
    from lodestone.engine.run import BatchRun
    from lodestone.outputs.series import Query, check_query
    from lodestone.outputs.series.book import SeriesBook
    from lodestone.scenario import load_scenario

    with seeds_in_use(lay_over(folder, circuit_t)):
        scenario = load_scenario("calm_2024", overrides={"end": "2025-01-06"})
        chain = load_chain("2024")
        run = BatchRun(scenario, chain, 0, np.arange(2))
        asked = Query("production_t", (("material", ("ub_oxide",)), ("stage", ("separation",))))
        query = check_query(asked, chain, None, "")
        book = SeriesBook(run, [query])
        run.watchers.append(book)
        run.run()
    track = Recorded.of(book).track(query)
    assert not isinstance(track, str)
    return run, track.values()[:12].sum(axis=0)


def test_an_element_with_a_circuit_of_its_own_is_rows_laid_over_the_seeds(tmp_path):
    """Nothing in the code names it: its nameplate is a cell, and what comes out follows it."""
    run, made = run_over(tmp_path / "one")
    ub = run.layout.element_at["ub"]
    assert run.chain.facilities["cn_creg_sep"].contents()["ub"] == CIRCUIT_T
    assert run.day.ledger.worst <= 100 * np.finfo(float).eps
    assert np.all(made > 0.0) and run.day.ledger.used[ub].min() > 0.0
    larger, _ = run_over(tmp_path / "two", 9000.0)
    for held, tonnes in ((run, CIRCUIT_T), (larger, 9000.0)):
        nameplate = held.layout.separation.base_nameplate[:, ub].sum() * WEEKS_PER_YEAR
        assert nameplate == pytest.approx(tonnes)
    circuit = [r.layout.separation.circuit[:, ub].sum() for r in (run, larger)]
    assert circuit[1] > 1.5 * circuit[0], "its room is the nameplate, or what the base year makes"


def test_a_column_of_no_element_is_refused(tmp_path):
    from lodestone.chain.overlay import seeds_in_use

    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "facilities.csv").write_text("facility,dyy_t_per_year\ncn_creg_sep,5\n")
    with seeds_in_use(tmp_path), pytest.raises(InputError, match="dyy_t_per_year") as caught:
        load_chain("2024")
    assert "dy_t_per_year" in str(caught.value)
