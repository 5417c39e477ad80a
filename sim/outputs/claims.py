"""Press claims against intervals: inside, outside or not testable, and why.

A claim says a number, a bound or a direction. Its words become a range (`claimed`), which is held
against what the seeds leave open (a fact, `lodestone.chain.facts`) or against the middle nine tenths of
the worlds of a run (a metric). *Inside* means that the two ranges meet: the claim may be true as
far as we know. *Outside* means that they do not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lodestone.border.errors import InputError
from lodestone.border.expressions import parse_metric
from lodestone.chain.facts import date_of, find_fact, span_of

if TYPE_CHECKING:
    import numpy as np

    from lodestone.chain.nouns import Chain, Claim
    from lodestone.outputs.kept import Series
    from lodestone.scenario import Scenario

__all__ = [
    "COLUMNS",
    "INSIDE",
    "NOT_TESTABLE",
    "OUTSIDE",
    "against_data",
    "against_worlds",
    "claimed",
    "claims_of",
    "untested",
    "values_of",
]

INSIDE, OUTSIDE, NOT_TESTABLE = "inside", "outside", "not testable"
#: Columns of a run's `claims.csv` and of the stored table, words and numbers in the order shown.
COLUMNS = (
    "claim", "statement", "grade", "verdict", "tested", "expression", "measure", "unit",
    "claimed_low", "claimed_high", "p05", "p50", "p95", "share_of_worlds", "worlds", "why",
)  # fmt: skip
#: Relative slack for rounding in the arithmetic of a comparison.
SLACK = 1e-9


def claimed(claim: Claim) -> tuple[float, float]:
    """Return the range of values for which a claim would be right, in the tested unit.

    An open end is infinite. Dates are years with a fraction.
    """
    infinite = math.inf
    if claim.comparison == "reading":
        low = _number(claim.reading_low, 0, -infinite)
        return low, _number(claim.reading_high, 1, infinite)
    if claim.comparison == "at_least":
        return _scaled(claim, claim.low if claim.low is not None else claim.value, 0), infinite
    if claim.comparison == "at_most":
        return -infinite, _scaled(claim, claim.high if claim.high is not None else claim.value, 1)
    if claim.comparison == "between":
        return _scaled(claim, claim.low, 0), _scaled(claim, claim.high, 1)
    low, high = _scaled(claim, claim.value, 0), _scaled(claim, claim.value, 1)
    slack = claim.tolerance
    return low - slack * abs(low), high + slack * abs(high)


def _number(value: float | str | None, end: int, otherwise: float) -> float:
    if value is None:
        return otherwise
    return span_of(value)[end] if isinstance(value, str) else float(value)


def _scaled(claim: Claim, value: float | str | None, end: int) -> float:
    if claim.unit == "date":
        text = f"{value:g}" if isinstance(value, float) else str(value)
        return span_of(text)[end]
    if not isinstance(value, float):
        raise ValueError(f"{claim.name} states no number")
    return value * claim.factor


def claims_of(chain: Chain, scenario: Scenario) -> list[Claim]:
    """Return the claims that a run of a scenario is asked about, in the order of the register.

    Those that its hypothesis names, and those whose test names the scenario.
    """
    named = set(scenario.hypothesis.get("claims") or ())
    return [
        item
        for item in chain.claims.values()
        if item.name in named or (item.test == "run" and item.scenario == scenario.name)
    ]


def values_of(series: Series, claims: Iterable[Claim]) -> dict[str, np.ndarray | str]:
    """Return each tested claim's metric in every world, shape (w,), or why it has none."""
    from lodestone.outputs.metrics import find

    found: dict[str, np.ndarray | str] = {}
    for claim in claims:
        if claim.test != "run":
            continue
        metric = parse_metric(claim.expression)
        try:
            found[claim.name] = find(metric.name)(series, **dict(metric.selectors))
        except InputError as error:
            found[claim.name] = str(error)
    return found


# ---- rows of a table -------------------------------------------------------------------


def _row(claim: Claim, **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    empty |= dict.fromkeys(COLUMNS[COLUMNS.index("claimed_low") : -1], math.nan)
    about = {"claim": claim.name, "statement": claim.statement, "grade": claim.grade}
    return empty | about | more


def untested(claim: Claim, why: str = "") -> dict[str, Any]:
    """Return the row of a claim that cannot be tested, with the reason."""
    return _row(claim, verdict=NOT_TESTABLE, why=why or claim.not_testable)


def against_data(claim: Claim, chain: Chain) -> dict[str, Any]:
    """Return the row of a claim held against a fact of the seeds."""
    metric = parse_metric(claim.expression)
    fact = find_fact(metric.name)
    low, middle, high = fact(chain, **dict(metric.selectors))
    return _judged(claim, "data", fact.unit, (low, middle, high))


def against_worlds(
    claim: Claim,
    scenario: str,
    values: np.ndarray,
    reference: np.ndarray | None = None,
) -> dict[str, Any]:
    """Return the row of a claim held against the worlds of a run.

    Parameters
    ----------
    claim : Claim
    scenario : str
        Whose run it is.
    values, reference : ndarray, shape (w,)
        The claim's metric in the scenario and, for differences and ratios, in the reference.
    """
    import numpy as np

    from lodestone.outputs.metrics import find
    from lodestone.outputs.parts import bands

    unit = find(parse_metric(claim.expression).name).unit
    if claim.measure != "level":
        if reference is None:
            return untested(claim, f"{scenario} was run alone: there is no reference to compare")
        with np.errstate(invalid="ignore", divide="ignore"):
            if claim.measure == "difference":
                values = np.where(values == reference, 0.0, values - reference)
            else:
                values, unit = values / reference, "ratio"
    known = values[~np.isnan(values)]
    if not known.size:
        return untested(claim, f"what the claim speaks of happens in no world of {scenario}")
    low, middle, high = (float(x) for x in bands(known)[1])
    floor, ceiling = _slack(*claimed(claim))
    share = float(np.mean((known >= floor) & (known <= ceiling)))
    return _judged(claim, scenario, unit, (low, middle, high), share, len(values))


def _slack(low: float, high: float) -> tuple[float, float]:
    return (
        low - SLACK * abs(low) if math.isfinite(low) else low,
        high + SLACK * abs(high) if math.isfinite(high) else high,
    )


def _judged(
    claim: Claim,
    tested: str,
    unit: str,
    ours: tuple[float, float, float],
    share: float = math.nan,
    worlds: float = math.nan,
) -> dict[str, Any]:
    low, high = claimed(claim)
    floor, ceiling = _slack(low, high)
    meets = ours[0] <= ceiling and ours[2] >= floor
    return _row(
        claim,
        verdict=INSIDE if meets else OUTSIDE,
        tested=tested,
        expression=claim.expression,
        measure=claim.measure,
        unit=unit,
        claimed_low=low if math.isfinite(low) else math.nan,
        claimed_high=high if math.isfinite(high) else math.nan,
        p05=ours[0],
        p50=ours[1],
        p95=ours[2],
        share_of_worlds=share,
        worlds=worlds,
        why=_why(claim, tested, unit, (low, high), ours, share, meets),
    )


def _why(
    claim: Claim,
    tested: str,
    unit: str,
    words: tuple[float, float],
    ours: tuple[float, float, float],
    share: float,
    meets: bool,
) -> str:
    """Say both ranges in a sentence."""
    if claim.measure == "difference" and unit == "share":
        unit = POINTS
    said = told_range(*words, unit)
    found = told_range(ours[0], ours[2], unit)
    words_say = "read as" if claim.comparison == "reading" else "claimed"
    more = " (difference from the reference)" if claim.measure == "difference" else ""
    who = "the data leave" if tested == "data" else "the run gives"
    text = f"{words_say} {said}{more}; {who} {found}"
    if not math.isnan(share):
        if meets and share < 0.9995:
            text += f"; right in {100 * share:.0f} % of the worlds"
    elif meets and not words[0] <= ours[1] <= words[1]:
        text += ", of which the middle does not agree"
    return text


def told_range(low: float, high: float, unit: str) -> str:
    """Return a range in words; an end that is not finite or missing is open."""
    open_low, open_high = not math.isfinite(low), not math.isfinite(high)
    if open_low and open_high:
        return "no finite value" if low == high else "any value"
    if open_low:
        return f"{told(high, unit)} or {'earlier' if unit == DATE else 'less'}"
    if open_high:
        return f"{told(low, unit)} or {'later' if unit == DATE else 'more'}"
    if told(low, unit) == told(high, unit):
        return told(low, unit)
    return f"{told(low, unit, False)} to {told(high, unit)}"


DATE = "calendar year"
POINTS = "points"


def told(value: float, unit: str, with_unit: bool = True) -> str:
    """Return one number with three digits and its unit, a date as such, a share in per cent."""
    if unit == DATE:
        return date_of(value).isoformat()
    if unit in ("share", POINTS):
        value, unit = 100.0 * value, "%" if unit == "share" else unit
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if text in ("1", "-1") and unit == POINTS:
        unit = "point"
    plain = unit in ("ratio", "multiple", "USD per USD") or unit.startswith("as in")
    return text if plain or not with_unit else f"{text} {unit.replace('_', ' of ')}"


def table_of_run(
    claims: Iterable[Claim],
    chain: Chain,
    scenario: str,
    own: Mapping[str, np.ndarray | str],
    calm: Mapping[str, np.ndarray | str] | None,
) -> list[dict[str, Any]]:
    """Return the rows of a run's `claims.csv`."""
    rows = []
    for claim in claims:
        if claim.test == "data":
            rows.append(against_data(claim, chain))
        elif claim.test != "run":
            rows.append(untested(claim))
        else:
            values = own[claim.name]
            base = None if calm is None else calm.get(claim.name)
            if isinstance(values, str) or isinstance(base, str):
                why = values if isinstance(values, str) else str(base)
                rows.append(untested(claim, f"this run cannot tell: {why}"))
            else:
                rows.append(against_worlds(claim, scenario, values, base))
    return rows
