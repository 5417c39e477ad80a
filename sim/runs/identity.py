"""What decides the result of a run, and its hash."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lodestone.outputs.provenance import code_hash, seeds_hash
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario, load_reference


def reference_of(scenario: Scenario) -> Scenario | None:
    """The reference, with the scenario's own parameter overrides: only interventions differ."""
    reference = load_reference(scenario)
    if reference is None:
        return None
    return replace(reference, overrides={**reference.overrides, **scenario.overrides})


def identity_of(scenario: Scenario, settings: Settings) -> dict[str, Any]:
    """Everything that decides the result, fit for JSON; equal identity, equal numbers."""
    reference = reference_of(scenario)
    return {
        "scenario": scenario.to_dict(),
        "reference": reference.to_dict() if reference else None,
        "ensemble": {"worlds": settings.worlds, "seed": settings.seed},
        "clock": {"market_days": settings.market_days},
        "allocation": settings.allocation,
        "discount_rate": settings.discount_rate,
        "seeds": seeds_hash(),
        "code": code_hash(),
    }
