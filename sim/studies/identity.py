"""What decides a point's numbers, as one hash: change any of it and only that point is stale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lodestone.outputs.provenance import canonical, code_hash, sha

if TYPE_CHECKING:
    from lodestone.runs.settings import Settings
    from lodestone.scenario import Scenario

__all__ = ["case_key"]

#: Parts of a scenario that decide no number (its measures' notes and sources apart).
WORDS_ONLY = (
    "title",
    "question",
    "narrative",
    "hypothesis",
    "headline",
    "source",
    "variant",
    "overlays",
    "decision_date",
)
ALSO_WORDS = ("source", "note")


def content_of(scenario: Scenario) -> dict[str, Any]:
    """Return what of a scenario decides numbers, fit for JSON."""
    held = {k: v for k, v in scenario.to_dict().items() if k not in WORDS_ONLY}
    held["interventions"] = {
        name: {k: v for k, v in item.items() if k not in ALSO_WORDS}
        for name, item in held["interventions"].items()
    }
    return held


def case_key(scenario: Scenario, reference: Scenario | None, settings: Settings, seeds: str) -> str:
    """Return the key of a case: code, seeds of its vintage, scenario, settings and random seed.

    Parameters
    ----------
    reference
        For a point its reference, because metrics count from the first disruption that the
        reference does not have; None for the reference itself.
    seeds
        Hash of the seeds of its vintage.
    """
    return sha(
        canonical(
            {
                "code": code_hash(),
                "seeds": seeds,
                "scenario": content_of(scenario),
                "reference": None if reference is None else content_of(reference),
                "worlds": settings.worlds,
                "seed": settings.seed,
                "market_days": settings.market_days,
                "allocation": settings.allocation,
                "discount_rate": settings.discount_rate,
            }
        ),
        20,
    )
