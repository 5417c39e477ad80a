"""Every kind of intervention is shown in the documentation: an example, a picture, and both true."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from lodestone.border.errors import InputError
from lodestone.chain.load import load_chain
from lodestone.interventions import REGISTRY
from lodestone.scenario import build_scenario, load_reference

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: Bytes of a picture in the repository.
MOST_BYTES = 60_000
#: Kinds that have nothing to do in a calm chain (who owns a plant counts there too: goods get scarce).
IDLE_ALONE = ("enforcement", "grey_channel")
#: Kinds that speak of another intervention and are refused without it.
REFUSED_ALONE = ("support_withdrawal", "truce")


def module():
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules["pictures"] = found
    spec.loader.exec_module(found)
    return found


pictures = module()
KINDS = sorted(REGISTRY)


def test_every_kind_has_an_example_and_no_example_is_left_over():
    files = {p.stem for p in pictures.EXAMPLES.glob("*.yaml")}
    grounds = {pictures.example(k).reference for k in KINDS} - {"calm_2024"}
    assert files == set(KINDS) | grounds


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_differs_from_its_reference_by_its_kind_alone(kind):
    scenario = pictures.example(kind)
    reference = load_reference(scenario)
    own = pictures.own_items(kind, scenario)
    assert own
    rest = {n: item for n, item in scenario.interventions.items() if n not in own}
    assert rest == reference.interventions
    assert scenario.overrides == reference.overrides
    assert (scenario.name, scenario.vintage) == (kind, "2024")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_is_known(kind):
    wanted = pictures.panels(kind)
    assert 2 <= len(wanted) <= 3
    for panel in wanted:
        assert panel.query(load_chain(pictures.example(kind).vintage))
        assert panel.goes in ("up", "down", "moves")


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_is_there_and_small(kind):
    content = pictures.picture_file(kind).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < MOST_BYTES


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_picture_caption_and_what_to_write(kind):
    page = (DOCS / "interventions.md").read_text("utf-8")
    section = page.split(f"\n## {kind}\n")[1].split("\n## ")[0]
    scenario = pictures.example(kind)
    assert f"![{scenario.title}](img/kind_{kind}.png)" in section
    assert " ".join(scenario.narrative.split()) in section
    block = section.split("```yaml\n")[1].split("```")[0]
    written = yaml.safe_load(block)["interventions"]
    assert set(written) == set(scenario.interventions)
    assert kind in {item["kind"] for item in written.values()}


def test_a_picture_is_drawn_of_what_was_run():
    """One kind, run and drawn: the grey line is the reference, and the file is a picture."""
    paths = pictures.both("export_ban", worlds=2)
    assert all(p.own.shape == p.calm.shape == (len(p.days), 2) for p in paths)
    before = [i for i, day in enumerate(paths[0].days) if day.year == 2024 and day.month < 6]
    assert all(np.array_equal(p.own[before], p.calm[before]) for p in paths)
    assert all(p.as_said() for p in paths)
    assert pictures.picture("export_ban", paths).startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", REFUSED_ALONE)
def test_a_kind_that_speaks_of_another_is_refused_alone(kind):
    scenario = pictures.example(kind)
    data = yaml.safe_load((pictures.EXAMPLES / f"{kind}.yaml").read_text("utf-8"))
    own = pictures.own_items(kind, scenario)
    data["interventions"] = {n: data["interventions"][n] for n in own}
    with pytest.raises(InputError):
        build_scenario({**data, "reference": "calm_2024"})


def ground(kind):
    """The reference of an example and its days: those of one ground are measured against one run."""
    calm = load_reference(pictures.example(kind))
    return calm.name, calm.start, calm.end


@cache
def calm_paths(of):
    """What every example of one ground shows of their reference, by kind; it is run once."""
    kinds = [kind for kind in KINDS if ground(kind) == of]
    calm = load_reference(pictures.example(kinds[0]))
    assert all(load_reference(pictures.example(kind)) == calm for kind in kinds)
    wanted = {kind: pictures.panels(kind) for kind in kinds}
    _, paths = pictures.watched(calm, [p for panels in wanted.values() for p in panels], 4)
    left = iter(paths)
    return {kind: [next(left) for _ in panels] for kind, panels in wanted.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.xdist_group(f"pictures {ground(k)}")) for k in KINDS]
)
def test_an_example_does_what_its_picture_says(kind):
    for path in pictures.both(kind, worlds=4, before=calm_paths(ground(kind))[kind]):
        assert path.as_said(), f"{path.panel.title}: {path.moved():+.3g} {path.panel.unit}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", IDLE_ALONE)
def test_a_kind_with_nothing_to_act_on_changes_nothing(kind):
    scenario = pictures.example(kind)
    alone = replace(scenario, interventions=pictures.own_items(kind, scenario))
    calm = replace(scenario, interventions={})
    wanted = [p for k in ("export_ban", "export_licence", "mining_ban") for p in pictures.panels(k)]
    _, own = pictures.watched(alone, wanted, 3)
    _, before = pictures.watched(calm, wanted, 3)
    assert all(np.array_equal(a, b) for a, b in zip(own, before, strict=True))
