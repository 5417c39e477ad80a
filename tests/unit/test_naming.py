"""The one resolver of words: countries inside regions, blocs, codes, users and plants."""

from __future__ import annotations

import pytest

from lodestone.border.errors import InputError
from lodestone.chain import naming
from lodestone.chain.load import load_chain
from lodestone.interventions import build

REST_OF_EUROPE = ["united_kingdom", "norway", "switzerland", "turkey", "greenland", "ukraine"]


@pytest.fixture(scope="module")
def chain():
    return load_chain()


def test_a_bloc_and_the_rest_of_a_region_listed_apart_are_the_region(chain):
    apart = naming.places(chain, ["eu", *REST_OF_EUROPE])
    assert apart.countries == naming.places(chain, "europe").countries
    assert apart.use == {"europe": 1.0} and apart.split() == {}
    assert apart.plants() == naming.places(chain, "europe").plants()


def test_every_region_is_its_countries_and_no_country_counts_twice(chain):
    for region in chain.regions:
        there = sorted(naming.places(chain, region).countries)
        assert naming.places(chain, there).use == {region: 1.0}
        parts = [naming.places(chain, c) for c in there]
        assert sum(p.use[region] for p in parts) == pytest.approx(1.0, abs=1e-4)
        for stage in ("mine", "separation", "metal", "magnet", "recycling"):
            whole = naming.places(chain, region).plants(stage)
            assert sorted(f for p in parts for f in p.plants(stage)) == sorted(whole)
            assert sum(p.making(stage)[region] for p in parts) == pytest.approx(1.0, abs=1e-4)
    assert naming.places(chain, ["eu", "germany"]).use == naming.places(chain, "eu").use
    assert naming.places(chain, ["europe", "malta"]).use == {"europe": 1.0}


def test_a_country_means_its_own_plants_and_its_share(chain):
    malta, germany = (naming.places(chain, c) for c in ("malta", "germany"))
    assert malta.plants("magnet") == [] and malta.making("magnet") == {"europe": 0.0}
    assert set(germany.plants("magnet")) == {"de_vac_hanau", "de_gkn", "eu_smco"}
    assert 0.0 < germany.making("magnet")["europe"] < 1.0
    assert naming.places(chain, "russia").making("separation") == {"rest_of_world": 1.0}
    assert naming.places(chain, "russia").use["rest_of_world"] == pytest.approx(0.14)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("USA", "united_states"), ("us", "united_states"), ("UK", "united_kingdom"), ("GBR", "united_kingdom"),
     ("South Korea", "south_korea"), ("Korea", "south_korea"), ("Holland", "netherlands"),
     ("Burma", "myanmar"), ("PRC", "china"), ("DE", "germany"), ("Viet Nam", "vietnam")],
)  # fmt: skip
def test_codes_and_common_names_are_read_and_are_the_hint(chain, word, meant):
    assert naming.places(chain, word) == naming.places(chain, meant)
    given = {"kind": "export_ban", "exporter": "china", "materials": "oxides"}
    assert build("x", {**given, "destinations": word}).problems(chain) == []
    region = chain.countries[meant].region if meant in chain.countries else meant
    if region != meant:
        return
    plant = {"kind": "capacity_project", "stage": "mine", "material": "concentrate_light",
             "tonnes_per_year": 10, "start": "2030-01-01", "region": word}  # fmt: skip
    (problem,) = build("x", plant).problems(chain)
    assert problem.hint == f"Did you mean '{meant}'?"


def test_no_code_or_name_is_given_to_two_countries_or_hides_a_word_of_ours(chain):
    listed = [w for c in chain.countries.values() for w in c.also_called]
    assert len(listed) == len(set(listed))
    assert not set(listed) & {*chain.regions, *chain.blocs, *chain.countries, "all"}
    assert all(len(c.also_called) >= 2 for c in chain.countries.values() if c.name != "others")


def test_an_unknown_place_names_the_nearest(chain):
    with pytest.raises(InputError, match="Did you mean 'germany'"):
        naming.places(chain, "germny")


def test_users_are_sectors_and_tiers_with_their_shares(chain):
    everyone = naming.users(chain, "all")
    assert set(everyone.sectors.values()) == {1.0}
    tiers = naming.users(chain, ["defence", "essential_civilian", "other"])
    for sector in everyone.sectors:
        assert tiers.sectors[sector] == pytest.approx(1.0)
    defence = naming.users(chain, "defence", "eu")
    assert (
        defence.share("ev_traction", "europe") + defence.share("defence_and_aerospace", "europe")
        > 0.0
    )
    assert defence.share("defence_and_aerospace", "china") == 0.0
    with pytest.raises(InputError, match="sector or tier"):
        naming.users(chain, "defense_tier_x")


def test_materials_and_plants_come_in_the_order_of_the_chain(chain):
    assert naming.materials(chain, ["smco", "ndfeb_magnets"]) == naming.materials(chain, "magnets")
    assert naming.plants(chain, ["us_vulcan", "mm_kachin"]) == ["mm_kachin", "us_vulcan"]
    assert naming.plants(chain, None, "malta", "magnet") == []
