"""A scenario: a named question with dated interventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lodestone.border.numbers import Number, plain
from lodestone.border.yamlfile import KeyPath, Place, find_place

if TYPE_CHECKING:
    from lodestone.interventions.base import Intervention

__all__ = ["Scenario"]


@dataclass(frozen=True)
class Scenario:
    """A named question, checked against its chain.

    Attributes
    ----------
    name, title, question, narrative
        What it is called and asks.
    headline
        The metrics that answer the question, as ``metric(selector=value)``; a memo shows them first.
    hypothesis
        ``text``, ``claims``, ``confirmed_if``, ``refuted_if`` (see `lodestone.border.expressions`).
    vintage
        Folder of the seeds it stands on.
    reference
        Name of the scenario it is measured against, or None.
    start, end
        First day, and first day no longer simulated.
    interventions
        By name; the order has no meaning.
    overrides
        Parameters of the chain by dotted name; numbers, dates as ISO text, or distributions.
    variants
        Names of variants and what they change, as written.
    decision_date
        Until when it tells what happened; what follows is supposed.
    source_file
        Where it was read from.
    variant, overlays
        What was applied.
    source
        Keys of the bibliography for the scenario as a whole.
    """

    name: str
    title: str
    question: str
    narrative: str
    hypothesis: dict[str, Any]
    vintage: str
    reference: str | None
    start: date
    end: date
    interventions: dict[str, Intervention]
    overrides: dict[str, Number | str] = field(default_factory=dict)
    variants: dict[str, Any] = field(default_factory=dict)
    decision_date: date | None = None
    source_file: Path | None = None
    variant: str | None = None
    overlays: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    note: str = ""
    headline: tuple[str, ...] = ()
    #: File and line of each key, of whichever layer it was read from.
    places: Mapping[KeyPath, Place] = field(default_factory=dict, compare=False, repr=False)

    #: The mapping it was made of, all layers laid.
    written: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    #: Its measures as its file and variant have them: without overlays and what was typed.
    as_filed: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    #: What its overlays say of one thing differently, and which wins.
    laid_over: tuple[str, ...] = field(default=(), compare=False, repr=False)
    #: Names of its measures, and of some keys, that stand in it as the program ships them.
    shipped: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    #: The reference itself, where it is not looked up by name (a run repeated from its folder).
    kept_reference: Scenario | None = field(default=None, compare=False, repr=False)

    def place(self, key: str) -> Place | Path | None:
        """Return where a key stands; the scenario's file where that is not known."""
        return find_place(self.places, key) or self.source_file

    @property
    def roles(self) -> dict[str, str]:
        """Role (disruption or policy) of each intervention."""
        return {name: item.role for name, item in self.interventions.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return everything that decides the outcome or is reported, fit for JSON.

        Interventions are written with all their defaults and sorted by name, so that two
        spellings of one scenario give the same result. Where it was read from is left out.
        """
        return {
            "name": self.name,
            "title": self.title,
            "question": self.question,
            "narrative": self.narrative,
            **({"headline": list(self.headline)} if self.headline else {}),
            "hypothesis": plain(self.hypothesis),
            "vintage": self.vintage,
            "reference": self.reference or "none",
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "decision_date": self.decision_date.isoformat() if self.decision_date else None,
            "interventions": {
                n: self.interventions[n].written() for n in sorted(self.interventions)
            },
            "overrides": {n: plain(self.overrides[n]) for n in sorted(self.overrides)},
            "variant": self.variant,
            "overlays": list(self.overlays),
            "source": list(self.source),
        }

    def sources(self) -> list[str]:
        """Return every key of the bibliography that the scenario cites, sorted."""
        cited = set(self.source) | set(self.hypothesis.get("claims") or ())
        for item in self.interventions.values():
            cited |= set(item.source)
        return sorted(cited)
