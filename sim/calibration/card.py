"""The scorecard: a replay of history beside what the calibration foretold without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lodestone.backcast.episodes import Episode
from lodestone.backcast.score import Replayed, Verdict, totals
from lodestone.calibration.discrepancy import band
from lodestone.calibration.findings import PARAMETERS, skill_rows, summary_rows
from lodestone.calibration.kept import kept_rows, scale_of_kept, shipped_facts

__all__ = ["Card", "breath"]

Scored = Sequence[tuple[Episode, Replayed, Sequence[Verdict]]]


def breath(rows: Sequence[Mapping[str, Any]]) -> str:
    """In the fit, left out, and coverage, in one sentence; empty without a calibration."""
    told = {r["view"]: r for r in summary_rows(rows)}
    if "left out of the fit" not in told:
        return ""
    seen, blind = told["in the fit"], told["left out of the fit"]
    return (
        f"In the fit {seen['in_band']} of {seen['facts']} facts are in their bands "
        f"({seen['share']}), left out of it {blind['in_band']} of {blind['facts']} "
        f"({blind['share']}), and the 5 to 95 % bands of facts left out hold "
        f"{blind['held_with_discrepancy']} of what was observed with the model's discrepancy in "
        f"them, {blind['held_by_worlds']} by the spread of the worlds alone."
    )


@dataclass(frozen=True)
class Card:
    """Verdicts of a replay, with what the calibration left behind.

    Attributes
    ----------
    scored : sequence of (Episode, Replayed, verdicts)
    kept : list of dict
        Rows of ``fit_facts.csv`` of the shipped posterior; empty without.
    """

    scored: Scored
    kept: list[dict[str, Any]]

    @classmethod
    def of(cls, scored: Scored) -> Card:
        """A card with the shipped calibration."""
        return cls(scored, shipped_facts())

    @property
    def fitted(self) -> set[tuple[str, str]]:
        """Facts in the fit."""
        return {(r["episode"], r["fact"]) for r in self.kept if r["view"] == "in_fit"}

    def wide(self) -> dict[tuple[str, str], tuple[float, float]]:
        """(episode, fact) -> 5-95 % band with the discrepancy."""
        scale = scale_of_kept(self.kept)
        out = {}
        for episode, replayed, verdicts in self.scored:
            for v in verdicts:
                low, _, high = band(v.fact, replayed.values[v.fact.id], scale)
                out[episode.name, v.fact.id] = (low, high)
        return out

    def totals(self) -> list[dict[str, Any]]:
        """Facts in band and held, by episode and over all."""
        return totals(self.scored, self.fitted, self.wide())

    def rows(self, episode: Episode, verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
        """One line a fact, with its wide band and what was foretold of it unseen."""
        wide = self.wide()
        blind = {
            (r["episode"], r["fact"]): f"{float(r['p50']):.3g} {'pass' if r['pass'] else 'FAIL'}"
            for r in self.kept
            if r["view"] == "left_out"
        }
        return [
            {
                **v.shown(),
                "with_discrepancy": "{:.3g}..{:.3g}".format(*wide[episode.name, v.fact.id]),
                "left_out": blind.get((episode.name, v.fact.id), ""),
            }
            for v in verdicts
        ]

    def summary(self) -> list[dict[str, Any]]:
        """In the fit, left out, the priors alone, and no model."""
        return summary_rows(self.kept) if self.kept else []

    def skill(self) -> list[dict[str, Any]]:
        """By episode, against the priors and two forecasters without a model."""
        return skill_rows(self.kept) if any(r["view"] == "left_out" for r in self.kept) else []

    def parameters(self) -> list[dict[str, Any]]:
        """What history says of each parameter."""
        return kept_rows(PARAMETERS) if self.kept else []

    @property
    def breath(self) -> str:
        """In the fit, left out, coverage."""
        return breath(self.kept)
