"""What an episode is: dated facts, the scenario they are held against, and what they read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from lodestone.backcast.statistics import Span
from lodestone.chain.nouns import Chain
from lodestone.outputs.series import Query
from lodestone.scenario import Scenario

__all__ = ["Episode", "Fact", "Point", "Shock"]


@dataclass(frozen=True)
class Fact:
    """One fact of an episode.

    Attributes
    ----------
    id, text : str
    series : Query
        What is read from the run.
    against : Query, optional
        The series it is set against.
    kind : str
        Kind of statistic (`lodestone.backcast.statistics.KINDS`).
    keys : dict
        Its times (`Span`), thresholds and unit of counting.
    observed : float
        As the sources have it, in ``unit``.
    low, high : float
        Band for the median world; infinite where one side is open.
    unit : str
    factor : float
        From the model's unit to ``unit``.
    source : tuple of str
    scored : bool
        Whether it counts; a fact that the scenario is given as input is only shown.
    panel : str
        Which picture it belongs to.
    """

    id: str
    text: str
    series: Query
    against: Query | None
    kind: str
    keys: dict[str, Any]
    observed: float
    low: float
    high: float
    unit: str
    factor: float = 1.0
    source: tuple[str, ...] = ()
    note: str = ""
    scored: bool = True
    panel: str = ""

    @property
    def queries(self) -> tuple[Query, ...]:
        """Its series, one or two."""
        return (self.series,) if self.against is None else (self.series, self.against)


@dataclass(frozen=True)
class Point:
    """One observed value for the pictures, in the unit of its panel."""

    panel: str
    day: date
    value: float
    source: str


@dataclass(frozen=True)
class Shock:
    """A change of the quantity on offer, or of need, for the static forecaster.

    Attributes
    ----------
    materials : tuple of str
        Chain materials concerned.
    side : str
        ``abroad``, ``home`` or ``both``: where the good is scarcer (or more plentiful).
    span : Span
    quantity : float
        What is on offer over what is needed, less one: -0.4 where two fifths are missing.
    """

    materials: tuple[str, ...]
    side: str
    span: Span
    quantity: float


@dataclass(frozen=True)
class Episode:
    """A stretch of history with its facts, checked.

    Attributes
    ----------
    name, title : str
    file : Path
    scenario : Scenario
        Ends with the window: what comes later is not simulated.
    reference : Scenario or None
        Read only where a fact asks for it.
    chain : Chain
    window : Span
    facts : tuple of Fact
    points : tuple of Point
    remarks : tuple of str
        What is odd but allowed.
    history : str
        Episodes of one history are left out of a fit together; by default the episode's name.
    static : tuple of Shock
        What a forecaster with elasticities alone would take for the shock.
    """

    name: str
    title: str
    file: Path
    scenario: Scenario
    reference: Scenario | None
    chain: Chain
    window: Span
    facts: tuple[Fact, ...]
    points: tuple[Point, ...] = ()
    remarks: tuple[str, ...] = field(default=())
    history: str = ""
    static: tuple[Shock, ...] = ()

    def cases(self) -> dict[str, tuple[Scenario, list[Query]]]:
        """Scenarios to run, each with the series that facts ask of it."""
        out: dict[str, tuple[Scenario, list[Query]]] = {}
        for fact in self.facts:
            for query in fact.queries:
                run = self.scenario if query.case == "scenario" else self.reference
                assert run is not None
                out.setdefault(query.case, (run, []))[1].append(query)
        return out
