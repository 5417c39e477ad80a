"""The JSON schema of scenario files: every shipped file fits it, and slips do not."""

from __future__ import annotations

import copy
import json

import pytest

from lodestone.border.yamlfile import parse_yaml
from lodestone.chain.load import load_chain
from lodestone.cli import main
from lodestone.interventions import kinds
from lodestone.scenario import find_scenarios
from lodestone.scenario.layers import KEYS
from lodestone.scenario.schema import scenario_schema

jsonschema = pytest.importorskip("jsonschema")  # comes with the explorer's altair


@pytest.fixture(scope="module")
def validators():
    made = {}
    for vintage in ("2024", "2019", "2009"):
        schema = scenario_schema(load_chain(vintage))
        jsonschema.Draft7Validator.check_schema(schema)
        made[vintage] = jsonschema.Draft7Validator(schema)
    return made


def read(name):
    path = find_scenarios()[name].path
    return parse_yaml(path.read_text(encoding="utf-8"), path).data


@pytest.mark.parametrize("name", list(find_scenarios()))
def test_a_shipped_scenario_fits(name, validators):
    data = read(name)
    found = list(validators[str(data.get("vintage", "2024"))].iter_errors(data))
    assert not found, (list(found[0].absolute_path), found[0].message[:300])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(questoin="?"),
        lambda d: d.pop("question"),
        lambda d: d.update(start="1 January 2024"),
        lambda d: d["interventions"]["april_2025_licences"].update(kind="export_license"),
        lambda d: d["interventions"]["april_2025_licences"].update(proccessing_days=3),
        lambda d: d["interventions"]["april_2025_licences"].update(materials=["dy_oxid"]),
        lambda d: d["interventions"]["april_2025_licences"].update(processing_days={"dist": "uniform", "low": 1}),
        lambda d: d["interventions"]["april_2025_licences"].update(spillover=5),
        lambda d: d["hypothesis"].update(confirmd_if="x"),
        lambda d: d.update(headline="unmet_t"),
        lambda d: d.update(variants={"v": {"interventoins": {}}}),
    ],
)  # fmt: skip
def test_a_slip_does_not_fit(change, validators):
    data = copy.deepcopy(read("licence_shock_april_2025"))
    assert validators["2024"].is_valid(data)
    change(data)
    assert not validators["2024"].is_valid(data)


def test_every_kind_and_key_is_in_it_with_its_unit():
    schema = scenario_schema(load_chain("2024"))
    assert set(schema["properties"]) == {*KEYS, "defaults"}
    for name, cls in kinds().items():
        held = schema["definitions"][f"kind_{name}"]["properties"]
        assert set(held) == set(cls.model_fields)
        for key, info in cls.model_fields.items():
            extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
            if extra.get("unit") not in (None, "-"):
                assert f"[{extra['unit']}" in held[key]["description"], (name, key)


def test_the_command_prints_it_and_init_names_it(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Lodestone scenario"
    assert main(["init", "calm_2024"]) == 0
    assert capsys.readouterr().out.startswith("# yaml-language-server: $schema=")
