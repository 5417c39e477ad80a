"""Which time a metric looks at, and whether the run reaches its end."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

from lodestone.border.units import DAYS_PER_MONTH, DAYS_PER_YEAR
from lodestone.outputs.metrics.registry import METRICS

#: Length of the windows that begin with the first disruption, days, and what they are called.
AFTER = {"year": (DAYS_PER_YEAR, "the year"), "two years": (730.5, "the two years")}
#: Days that a run may lack at either end of a window without a word: less than two market days.
SLACK = 13
#: Metrics of what happens from the first disruption on, to the end of the run.
FROM_SHOCK = (
    "first_military_stockout",
    "first_stoppage",
    "stoppage_weeks",
    "time_to_recover_weeks",
)


def last_year(start: date, end: date) -> int:
    """The year that "the last year" means: a January alone is no year.

    Parameters
    ----------
    start, end
        First day of the run, and first day no longer simulated.
    """
    last = end - timedelta(days=1)
    alone = last.month == 1 and last.year > start.year
    return last.year - 1 if alone else last.year


@cache
def _selectors(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def cut_off(
    name: str, selectors: dict[str, Any], start: date, end: date, shocks: tuple[date, date] | None
) -> str:
    """Say why a metric is not complete: the run does not reach the end of what it looks at.

    Parameters
    ----------
    name, selectors
        The metric.
    start, end
        First day of the run, and first day no longer simulated.
    shocks
        First and last day of the first disruption over the worlds; None where not known.

    Returns
    -------
    str
        Blank where it is complete.
    """
    item = METRICS[name]
    known = _selectors(item.function)
    if "year" in known and (selectors.get("year") or item.window == "last year"):
        asked = selectors.get("year") or last_year(start, end)
        years = [int(str(asked))]
        if name == "output_share_change":
            years.append(int(str(selectors.get("since") or start.year)))
        for year in years:
            if end < date(year + 1, 1, 1) - timedelta(days=SLACK):
                return f"not complete: the run ends on {end}, within {year}"
            if start > date(year, 1, 1) + timedelta(days=SLACK):
                return f"not complete: the run starts on {start}, within {year}"
        return ""
    if "months" in known:
        months = float(selectors.get("months") or known["months"].default)
        days, what = months * DAYS_PER_MONTH, f"the {months:g} months"
    elif item.window in AFTER:
        days, what = AFTER[item.window]
    else:
        return ""
    if selectors.get("since") and "since" in known:
        shocks = (date.fromisoformat(str(selectors["since"])),) * 2
    if shocks is None:
        return ""
    lacking = [(s + timedelta(days=days) - end).days > SLACK for s in shocks]
    if not any(lacking):
        return ""
    first, last = shocks
    told = f"{first}" if first == last else f"{first} to {last}, by world"
    some = "" if all(lacking) else " in some worlds"
    return f"not complete{some}: the run ends on {end}, within {what} after the disruption ({told})"


def counts_from_shock(name: str, selectors: Mapping[str, Any]) -> bool:
    """Whether what a metric looks at begins with the first disruption: no day or year is named."""
    if name not in METRICS or any(selectors.get(k) for k in ("since", "until", "year")):
        return False
    item = METRICS[name]
    return item.window in AFTER or name in FROM_SHOCK or "months" in _selectors(item.function)


def looks_at(
    name: str,
    selectors: dict[str, Any],
    start: date,
    end: date,
    shocks: tuple[date, date] | None = None,
) -> str:
    """Return the time that a metric looks at, as it stands in a table (parameters as `cut_off`)."""
    item = METRICS[name]
    known = _selectors(item.function)
    if "year" in known and (selectors.get("year") or item.window == "last year"):
        year = str(selectors.get("year") or last_year(start, end))
        before = f"{selectors.get('since') or start.year} to "
        return before + year if name == "output_share_change" else year
    since, until = selectors.get("since"), selectors.get("until")
    named = since if "since" in known else None
    if "until" in known:
        return f"{since or start} to {until or end}" if since or until else "whole run"
    first = named or "the first disruption"
    if not named and shocks is not None:
        first = " to ".join(dict.fromkeys(map(str, shocks)))
    if "months" in known:
        months = float(selectors.get("months") or known["months"].default)
        return f"{months:g} months from {first}"
    if item.window in AFTER:
        return f"{item.window} from {first}"
    return f"from {first}" if named or name in FROM_SHOCK else "whole run"
