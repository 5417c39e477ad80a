"""The page of questions: every command names what there is; what is asked is checked before a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lodestone.border.expressions import parse_metric
from lodestone.chain.load import load_chain
from lodestone.outputs.selectors import metric_problems
from lodestone.scenario import load_scenario

PLAN = yaml.safe_load(
    (Path(__file__).parents[2] / "docs" / "questions.yaml").read_text(encoding="utf-8")
)
ITEMS = PLAN["questions"]


def test_thirty_questions_of_which_most_are_answered():
    assert len(ITEMS) == 30
    assert sum("run" in item or "command" in item for item in ITEMS) >= 22
    assert all({"run", "command", "missing"} & set(item) for item in ITEMS)


@pytest.mark.parametrize("item", [i for i in ITEMS if "run" in i], ids=lambda i: i["text"][:40])
def test_what_a_question_asks_exists(item):
    scenario = load_scenario(item["run"], variant=item.get("variant"))
    chain = load_chain(scenario.vintage)
    for text in item.get("ask", ()):
        inner = text.removeprefix("delta(").removesuffix(")") if text.startswith("delta(") else text
        assert metric_problems(parse_metric(inner), chain, scenario.start, scenario.end) == []
