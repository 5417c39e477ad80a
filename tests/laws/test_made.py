"""Who made what: by circuits, adding up, and never more than was made."""

from __future__ import annotations

import numpy as np
import pytest

from lodestone.worlds.made import content, facility_output, share_of_cell, share_of_plants
from tests.fixtures.worlds import shared


@pytest.fixture(scope="module")
def day():
    return shared({}, worlds=2, weeks=20).run.day


def plants(lay, stage, region):
    return [i for i, f in enumerate(lay.plants.rows) if f.stage == stage and f.region == region]


def share(day, name, material):
    row = day.layout.plants.at[name]
    region = day.layout.plants.rows[row].region
    return float(share_of_cell(day, row, day.layout.cells.at[(material, region)]).mean())


def test_a_light_earth_plant_makes_next_to_no_dysprosium(day):
    assert share(day, "us_mp_ndpr", "dy_oxide") < 0.01
    assert share(day, "my_lamp", "ndpr_oxide") > 0.5
    assert share(day, "cn_cnre_sep", "dy_oxide") < 0.1 < share(day, "cn_cnre_sep", "ndpr_oxide")
    lay = day.layout
    mp = lay.plants.rows[lay.plants.at["us_mp_ndpr"]]
    assert content(mp, lay.chain, "dy") < 1e-3 < content(mp, lay.chain, "ndpr")


def test_plants_of_a_region_never_make_more_than_the_region(day):
    lay = day.layout
    for c, (material, region) in enumerate(lay.cells.keys):
        form = lay.chain.materials[material].form
        stages = ("separation", "recycling") if form == "oxide" else (form,)
        rows = [i for s in stages for i in plants(lay, s, region)]
        made = facility_output(day, rows, lay.material_at[material])
        assert np.all(made <= day.flows["output"][c] * (1 + 1e-9) + 1e-12), (material, region)


def test_plants_on_file_add_up_to_one_and_separation_to_all_that_is_separated(day):
    lay = day.layout
    for material, region in (
        ("ndpr_oxide", "china"),
        ("dy_oxide", "china"),
        ("ndpr_oxide", "malaysia"),
        ("ndpr_oxide", "europe"),
    ):
        c = lay.cells.at[(material, region)]
        rows = np.array(plants(lay, "separation", region) + plants(lay, "recycling", region))
        assert share_of_plants(day, rows, c) == pytest.approx(1.0)
        made = facility_output(day, plants(lay, "separation", region), lay.material_at[material])
        e = lay.element_at[lay.chain.materials[material].element]
        split = day.flows["separated"][lay.separation.at[region], e]
        assert made == pytest.approx(split, rel=1e-9)


def test_a_recycler_of_the_base_year_makes_something(day):
    lay = day.layout
    row = next(i for i in lay.plants.of("recycling") if lay.plants.base[i])
    made = facility_output(day, [row], lay.material_at["ndpr_oxide"])
    assert np.all(made > 0.0)
