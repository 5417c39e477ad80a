"""What docs/studies.md shows works: every example can be planned, every picture is there."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from lodestone.studies.request import request_from_words
from lodestone.studies.sweep import begin
from lodestone.studies.threshold import read_threshold

DOCS = Path(__file__).resolve().parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("studies_docs", DOCS / "studies.py")
assert SPEC is not None and SPEC.loader is not None
STUDIES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(STUDIES)
PAGE = (DOCS / "studies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", STUDIES.examples())
def test_an_example_can_be_planned_and_is_shown(name, tmp_path):
    example = STUDIES.examples()[name]
    words = STUDIES.words_of(example)
    plan, _ = begin(request_from_words(words[:1], words[1:], {"out": str(tmp_path / "a")}))
    assert len(plan.points) >= 5 and len(plan.varying) == 1
    if "threshold" in example:
        assert read_threshold(example["threshold"]).metric in plan.request.metrics
    assert f"img/studies/{name}.png" in PAGE and (DOCS / f"img/studies/{name}.png").is_file()
    assert example["question"] in PAGE
    for word in words:
        assert word in PAGE, word


def test_every_command_of_the_page_exists():
    from lodestone.cli.verb import commands

    verbs = set(re.findall(r"^lodestone (\w+)", PAGE, re.M))
    assert {"sweep", "sensitivity", "run", "check", "init"} <= verbs
    assert verbs <= set(commands())
