"""A new kind is one file and one documented example: nothing else has to be touched."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from lodestone.chain.load import load_chain
from lodestone.engine.run import BatchRun
from lodestone.interventions.base import REGISTRY

DOCS = Path(__file__).parents[2] / "docs"

#: The file of the kind, as it would stand in `sim/interventions/half_week.py`.
KIND = '''
"""Half weeks: plants of a place work half of their time."""

from __future__ import annotations

from typing import ClassVar

from lodestone.interventions.base import (
    Acting, Intervention, Num, Rules, Words, intervention, places, plants_of, share,
)


@intervention("half_week")
class HalfWeek(Intervention):
    """Plants of a place work a share of their time less."""

    title: ClassVar[str] = "plants of a place work less"
    where = plants_of(None, "region")

    region: Words = places(..., "whose plants")
    less: Num = share(0.5, "share of the time that they stand still", source="definition")

    def act(self, rules: Rules, on: Acting) -> None:
        """Close the share."""
        rules.facility_available.multiply(on.plants, 1.0 - on.active * on.less)
'''
EXAMPLE = """
name: half_week
title: Plants work half of their time
question: What does this kind of intervention do alone?
narrative: Plants in China work half of their time from March 2024.
reference: calm_2024
start: 2024-01-01
end: 2024-09-01
interventions:
  less:
    kind: half_week
    region: china
    start: 2024-03-01
shows:
  - {show: production_t, material: ndpr_oxide, region: china, title: "Chinese output of NdPr oxide", goes: down}
  - {show: production_t, stage: mine, region: china, title: "Mines of China dig", goes: down}
"""


def module(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "half_week_kind.py").write_text(KIND, encoding="utf-8")
    (tmp_path / "half_week.yaml").write_text(EXAMPLE, encoding="utf-8")
    module("half_week_kind", tmp_path / "half_week_kind.py")
    yield module("pictures_of_a_new_kind", DOCS / "pictures.py")
    REGISTRY.pop("half_week")


def test_one_file_and_one_example_are_checked_run_and_seen(pictures, tmp_path):
    scenario = pictures.example("half_week", tmp_path)
    item = scenario.interventions["less"]
    chain = load_chain("2024")
    assert item.problems(chain) == [] and item.inert(chain, scenario.start, scenario.end) is None
    assert item.model_json_schema()["additionalProperties"] is False
    run = BatchRun(scenario, chain, 0, np.arange(2), 7.0)
    effect = run.by_name["less"]
    assert effect.where == "region china" and effect.reason == ""
    shown = pictures.both("half_week", worlds=2, folder=tmp_path)
    assert all(panel.as_said() for panel in shown), [p.moved() for p in shown]
