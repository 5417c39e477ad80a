"""A scenario: a named question with dated interventions, and how it is read from files."""

from lodestone.scenario.checks import (
    DEFAULT_REFERENCE,
    DEFAULT_VINTAGE,
)
from lodestone.scenario.files import ScenarioFile, find_overlays, find_scenarios, locate
from lodestone.scenario.layers import flatten_overrides, layer, load_mapping, set_at
from lodestone.scenario.load import build_scenario, load_reference, load_scenario
from lodestone.scenario.ranges import outside_ranges
from lodestone.scenario.renumbered import renumbered
from lodestone.scenario.scenario import Scenario
from lodestone.scenario.together import refuse_two_rules, waits_for
from lodestone.scenario.write import write_scenario

__all__ = [
    "DEFAULT_REFERENCE",
    "DEFAULT_VINTAGE",
    "Scenario",
    "ScenarioFile",
    "build_scenario",
    "find_overlays",
    "find_scenarios",
    "flatten_overrides",
    "layer",
    "load_mapping",
    "load_reference",
    "load_scenario",
    "locate",
    "outside_ranges",
    "refuse_two_rules",
    "renumbered",
    "set_at",
    "waits_for",
    "write_scenario",
]
