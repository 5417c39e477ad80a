"""On what the numbers stand: sources, assumptions, claims, facts of policy and trade, parameters."""

# ruff: noqa: RUF009 - `column` only wraps `dataclasses.field`

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lodestone.chain.row import COMPARISONS, GRADES, Row, column


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry of the bibliography.

    `kind` is its grade: data (official statistics and texts, price agencies, data sets), filing (a
    company's own report, announcement or release), press (news, trade press, digests), claim and
    outside (press that claims are tested against), memory, assumption. `grade` is our judgement of
    a press claim.
    """

    key: str = column()
    title: str = column()
    publisher: str = column(default="")
    url: str = column(default="")
    date: str = column(default="")
    kind: str = column(
        choices=("claim", "data", "filing", "press", "outside", "assumption", "memory")
    )
    grade: str = column(default="")
    licence: str = column(default="")
    note: str = column(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A number without a source that says so; cited by its key (A1, A2 ...)."""

    key: str = column()
    statement: str = column()
    value: str = column(default="")
    low: float | None = column(default=None)
    high: float | None = column(default=None)
    unit: str = column(default="")
    reason: str = column()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the press says, in our words, and how it is tested.

    Attributes
    ----------
    name
        c001, c002 ...: the key of the bibliography.
    file
        Name of the press digest in which it stands.
    value, low, high
        What is said, in `unit`; ISO dates (2027, 2027-06 or 2027-06-01) where the unit is date.
    parameter
        Our parameter (dotted name) or table that it bears on.
    conflicts_with
        Claims that say something else about the same thing.
    test
        `data`: against a fact of the seeds; `run`: against a metric of a run of `scenario`;
        blank: not testable, for the reason in `not_testable`.
    expression
        ``fact(selector=value, ...)`` or ``metric(selector=value, ...)``.
    measure
        `level`, or `difference` from or `ratio` to the reference's value in the same world.
    factor
        From the claim's unit to the unit of the expression.
    comparison
        How the words bind: `about` the value within `tolerance` (relative), `at_least`,
        `at_most`, `between` low and high; `reading`: our reading of words without a number,
        `reading_low` to `reading_high` in the unit of the expression (A71).
    source
        Assumptions that the test rests on.
    """

    name: str = column(header="claim")
    file: str = column()
    article_date: dt.date = column()
    topic: str = column()
    statement: str = column()
    quantity: str = column()
    value: float | str | None = column(default=None)
    low: float | str | None = column(default=None)
    high: float | str | None = column(default=None)
    unit: str = column(default="")
    subject: str = column()
    stage: str = column()
    grade: str = column(choices=GRADES)
    parameter: str = column(default="")
    conflicts_with: tuple[str, ...] = column(default=())
    test: str = column(choices=("data", "run"), default="")
    scenario: str = column(default="")
    expression: str = column(default="")
    measure: str = column(choices=("level", "difference", "ratio"), default="level")
    factor: float = column(default=1.0)
    comparison: str = column(choices=COMPARISONS, default="")
    tolerance: float = column(low=0, high=1, unit="share", default=0.0)
    reading_low: float | str | None = column(default=None)
    reading_high: float | str | None = column(default=None)
    source: tuple[str, ...] = column(of="sources", default=())
    not_testable: str = column(default="")
    note: str = column(default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFact(Row):
    """A dated measure of a government, as it was."""

    name: str = column(header="policy")
    jurisdiction: str = column()
    kind: str = column()
    target: str = column()
    terms: str = column()
    start: dt.date | None = column(default=None)
    end: dt.date | None = column(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFact(Row):
    """A trade flow as reported, kept for checks."""

    period: str = column()
    flow: str = column()
    origin: str = column()
    destination: str = column()
    value: float = column(low=0, unit="as `unit` says")
    unit: str = column()


#: Least and most that numbers of behaviour may be, by unit, wherever their documented range lies.
#: A lag of less than a market day is none, and decades are no behaviour; growth of more than 25 points a year is no
#: forecast (`rate`: what cannot shrink).
_LIMITS = {
    "share": (0.0, 1.0),
    "share per year": (-0.25, 0.25),
    "rate": (0.0, 1.0),
    "weeks": (1.0, 520.0),
    "months": (0.0, 240.0),
    "years": (0.1, 50.0),
    "doublings": (-5.0, 5.0),
}
#: How far beyond its documented range a number of another unit may go.
_WIDEST = 10.0
#: What equations divide by: nought has no meaning, and a tenth of the least is the limit.
_DIVISORS = (
    "investment.midstream_rate_per_year",
    "leak.half_wedge",
    "market.cover_softness",
    "market.glut_elasticity",
    "market.scarcity_elasticity",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Row):
    """A number of the model's behaviour: dotted name, unit, default, range, source.

    `standing` says how well history fixes it: `pinned`, `product` (only a product of two is),
    `ridge` (moves with others), `free`, `input`, or `sourced`. `shape` is the distribution
    that its range stands for when it is drawn.
    """

    name: str = column(header="parameter")
    title: str = column()
    unit: str = column()
    default: float | str | None = column()
    shape: str = column(choices=("triangular", "uniform", "fixed"), default="triangular")
    standing: str = column(
        choices=("pinned", "product", "ridge", "free", "input", "sourced", "chain"),
        default="free",
    )

    def limits(self) -> tuple[float, float]:
        """Least and most that may be meant: its unit's, its documented range at the least."""
        known = [v for v in (self.default, self.low, self.high) if isinstance(v, int | float)]
        least, most = min(known), max(known)
        unit = "rate" if self.unit == "share per year" and least >= 0 else self.unit
        low, high = _LIMITS.get(unit, (min(0.0, _WIDEST * least), _WIDEST * max(most, 0.0)))
        if self.name in _DIVISORS:
            low = least / _WIDEST
        return min(low, least), max(high, most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """A folder of seeds: the chain as it was in a base year."""

    name: str
    base_year: int
    start: dt.date
    title: str = ""
    note: str = ""
