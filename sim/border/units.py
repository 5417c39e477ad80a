"""Units at the border: one canonical unit per quantity inside, conversions only here.

Inside, time is in days (dates) or weeks (flows), mass in tonnes of a named basis, money in USD of
2024 and USD/kg, shares in 0..1. A number with a unit that a user writes is converted by
`to_canonical`; a unit of another dimension is refused, because `110 USD/t` read as `110 USD/kg`
is an error of a factor of a thousand.
"""

from __future__ import annotations

import datetime as dt

from lodestone.border.errors import InputError
from lodestone.border.words import suggestion

__all__ = [
    "DAYS_PER_MONTH",
    "DAYS_PER_QUARTER",
    "DAYS_PER_WEEK",
    "DAYS_PER_YEAR",
    "KG_PER_T",
    "MONTHS_PER_YEAR",
    "WEEKS_PER_MONTH",
    "WEEKS_PER_YEAR",
    "day_number",
    "element_from_oxide",
    "from_day_number",
    "oxide_from_element",
    "per_week",
    "unit_factor",
    "to_canonical",
    "usd_million",
]

KG_PER_T = 1000.0
DAYS_PER_WEEK = 7.0
DAYS_PER_YEAR = 365.25
MONTHS_PER_YEAR = 12.0
WEEKS_PER_YEAR = DAYS_PER_YEAR / DAYS_PER_WEEK
DAYS_PER_MONTH = DAYS_PER_YEAR / MONTHS_PER_YEAR
WEEKS_PER_MONTH = DAYS_PER_MONTH / DAYS_PER_WEEK
#: A quarter of a year in whole weeks.
DAYS_PER_QUARTER = 91.0

_UNITS: dict[str, tuple[str, float]] = {
    "t": ("mass", 1.0),
    "kg": ("mass", 1e-3),
    "kt": ("mass", 1e3),
    "mt": ("mass", 1e6),
    "day": ("time", 1.0),
    "week": ("time", DAYS_PER_WEEK),
    "month": ("time", DAYS_PER_YEAR / MONTHS_PER_YEAR),
    "year": ("time", DAYS_PER_YEAR),
    "t/day": ("flow", DAYS_PER_YEAR),
    "t/week": ("flow", WEEKS_PER_YEAR),
    "t/month": ("flow", MONTHS_PER_YEAR),
    "t/year": ("flow", 1.0),
    "kt/year": ("flow", 1e3),
    "usd/kg": ("price", 1.0),
    "usd/t": ("price", 1e-3),
    "usd": ("money", 1.0),
    "musd": ("money", 1e6),
    "busd": ("money", 1e9),
    "share": ("share", 1.0),
    "percent": ("share", 1e-2),
    "%": ("share", 1e-2),
    "ratio": ("share", 1.0),
    "multiple": ("share", 1.0),
    "fraction": ("share", 1.0),
    "index": ("index", 1.0),
    "classe": ("count", 1.0),
    "kg/day": ("flow", DAYS_PER_YEAR * 1e-3),
    "kg/month": ("flow", MONTHS_PER_YEAR * 1e-3),
    "kg/year": ("flow", 1e-3),
    "kt/month": ("flow", MONTHS_PER_YEAR * 1e3),
    "t/quarter": ("flow", 4.0),
    "kt/quarter": ("flow", 4e3),
}
_CANONICAL = {
    "mass": "t",
    "time": "day",
    "flow": "t/year",
    "price": "USD/kg",
    "money": "USD",
    "share": "share",
}


def to_canonical(
    value: float, unit: str, dimension: str, file: object = None, key: object = None
) -> float:
    """Convert a number to the canonical unit of a dimension.

    Parameters
    ----------
    value
        The number as written.
    unit
        Its unit, for example `kt/year`, `USD/t`, `percent`, `months`.
    dimension
        What it must be: `mass` (t), `time` (days), `flow` (t/year), `price` (USD/kg),
        `money` (USD) or `share`.

    Raises
    ------
    InputError
        If the unit is unknown or of another dimension.
    """
    if dimension not in _CANONICAL:
        raise ValueError(f"no dimension '{dimension}'")
    word = unit.strip().lower().replace(" per ", "/").replace("/y", "/year")
    word = word.replace("/yearear", "/year").replace("us$", "usd")
    found = _UNITS.get(word) or _UNITS.get(word.rstrip("s"))
    if found is None:
        raise InputError(
            f"unknown unit '{unit}'", file=file, key=key, hint=suggestion(word, _UNITS) or None
        )
    kind, factor = found
    if kind != dimension:
        raise InputError(
            f"'{unit}' is a {kind}, not a {dimension}",
            file=file,
            key=key,
            hint=f"Write it in {_CANONICAL[dimension]}.",
        )
    return value * factor


def unit_factor(natural: str, stated: str) -> float:
    """Return what turns a number in one unit into another of the same dimension.

    Raises
    ------
    ValueError
        With a message for the user: the unit is unknown, or measures something else.
    """
    found = []
    for unit in (natural, stated):
        word = _plain(unit)
        held = _UNITS.get(word) or _UNITS.get(word.rstrip("s"))
        if held is None:
            known = sorted({name for name, (kind, _) in _UNITS.items() if kind in _LISTED})
            near = suggestion(word, known)
            raise ValueError(f"unknown unit '{unit}'. {near}".strip())
        found.append(held)
    (own, factor), (other, into) = found
    if own != other:
        raise ValueError(f"'{stated}' is a {other}, and what is measured is a {own} ({natural})")
    return factor / into


#: Dimensions whose units are named when one is unknown.
_LISTED = ("mass", "time", "flow", "price", "share", "index")


def _plain(unit: str) -> str:
    word = unit.strip().lower().replace(" per ", "/").replace("us$", "usd").replace("tonnes", "t")
    head, sign, tail = word.partition("/")
    return f"{head.strip()}/{_PERIODS.get(tail.strip(), tail.strip())}" if sign else head


_PERIODS = {"y": "year", "yr": "year", "a": "year", "m": "month", "d": "day", "w": "week"}


def per_week(tonnes_per_year: float) -> float:
    """Return tonnes a week of a flow in tonnes a year."""
    return tonnes_per_year / WEEKS_PER_YEAR


def usd_million(tonnes: float, usd_per_kg: float) -> float:
    """Return the value in million USD of `tonnes` at a price in USD/kg."""
    return tonnes * KG_PER_T * usd_per_kg / 1e6


def element_from_oxide(t_oxide: float, element_per_oxide: float) -> float:
    """Return tonnes of element in tonnes of oxide (0.855 for NdPr, 0.871 for Dy)."""
    return t_oxide * element_per_oxide


def oxide_from_element(t_element: float, element_per_oxide: float) -> float:
    """Return the tonnes of oxide that hold `t_element` tonnes of element."""
    return t_element / element_per_oxide


def day_number(date: dt.date | str, start: dt.date | str) -> int:
    """Return whole days from `start` to `date`; dates are ISO outside, integers inside."""
    return (_date(date) - _date(start)).days


def from_day_number(day: int, start: dt.date | str) -> dt.date:
    """Return the date that is `day` days after `start`."""
    return _date(start) + dt.timedelta(days=int(day))


def _date(value: dt.date | str) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
