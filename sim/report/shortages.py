"""The course of a shortage: how sure, from when, how much, until when, and whether it comes back.

A share of unmet use below `NOTICEABLE` is treated as no shortage, so that rounding and ordinary
friction are not reported as a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

__all__ = ["NOTICEABLE", "Return", "Shortage", "Turn", "shortage_of"]

NOTICEABLE = 0.005
"""Share of planned use from which unmet use is called a shortage (0..1)."""

CALM = pd.Timedelta(days=91)
"""How long a difference is below the noticeable share before it is called over."""

Likelihood = Literal["none", "possible", "likely", "sure"]


@dataclass(frozen=True)
class Return:
    """A difference that comes back after it was over.

    Attributes
    ----------
    since
        From when on it is noticeable in one world in twenty.
    peak
        When that is farthest.
    p50, far
        Difference of the unmet share of planned use then: median, and in one world in twenty.
    in_median
        Whether the median is noticeable again at any date.
    broken
        Whether it goes below the noticeable share for a quarter and comes back once more.
    late
        Whether it is small and late: less than half of the first time, and a year or more after.
    """

    since: pd.Timestamp
    peak: pd.Timestamp
    p50: float
    far: float
    in_median: bool
    broken: bool
    late: bool


@dataclass(frozen=True)
class Turn:
    """A median difference of the other sign at other dates.

    Attributes
    ----------
    since, peak
        First noticeable date, and when it is farthest.
    size
        How far, share of planned use (above 0).
    """

    since: pd.Timestamp
    peak: pd.Timestamp
    size: float


@dataclass(frozen=True)
class Shortage:
    """What the measures do to the unmet use of one group of users, from the first of them on.

    Every number is the difference from the reference in the same world; for a scenario that was
    run alone it is the level.

    Attributes
    ----------
    likelihood
        `none`: the difference stays below the noticeable share in 95 % of worlds at every date;
        `possible`: above it in fewer than half of them; `likely`: in more than half; `sure`: in at
        least 95 %.
    sign
        1 where use goes unmet that the reference meets, -1 where the measures spare users.
    peak
        First date at which the median (for `possible` the outer quantile) is within 2 % of its
        farthest, so that a plateau peaks where it is reached.
    p05, p50, p95
        Difference of the unmet share of planned use at the peak, -1..1.
    onset, end
        First date of a noticeable median, and its last before a calm quarter after the peak; None
        where there is none.
    sure_at_onset
        Whether on the first of these dates the difference is noticeable in at least 95 % of worlds.
    open_end
        Whether the noticeable median lasts to the end of the run.
    back
        Whether and how it comes back after the end; None where it does not.
    turn
        Whether at other dates the difference is the other way round; None where it is not.
    level_p50, reference_p50
        Median unmet share with and without the measures at the peak; NaN where not known.
    """

    likelihood: Likelihood
    sign: int
    peak: pd.Timestamp
    p05: float
    p50: float
    p95: float
    onset: pd.Timestamp | None
    end: pd.Timestamp | None
    sure_at_onset: bool
    open_end: bool
    back: Return | None
    turn: Turn | None
    level_p50: float
    reference_p50: float


def shortage_of(delta: pd.DataFrame, levels: pd.DataFrame) -> Shortage:
    """Return the course of a difference.

    Parameters
    ----------
    delta
        Differences by date, columns ``unmet_share_Q`` (share of planned use).
    levels
        Levels at the same dates, columns ``unmet_share_p50``, ``reference_unmet_share_p50``.
    """
    middle = delta["unmet_share_p50"].fillna(0.0)
    high = delta["unmet_share_p95"].fillna(middle)
    low = delta["unmet_share_p05"].fillna(middle)
    sign = 1 if middle.max() >= -middle.min() else -1
    if max(middle.max(), -middle.min()) < NOTICEABLE:
        sign = 1 if high.max() >= -low.min() else -1
    far, near = (high, low) if sign > 0 else (-low, -high)
    mid = sign * middle
    likelihood: Likelihood = "sure"
    if far.max() < NOTICEABLE:
        likelihood = "none"
    elif mid.max() < NOTICEABLE:
        likelihood = "possible"
    elif near.max() < NOTICEABLE:
        likelihood = "likely"
    leading = mid if mid.max() >= NOTICEABLE else far
    peak = (
        leading.index[leading >= 0.98 * leading.max()][0] if leading.max() > 0 else leading.idxmax()
    )
    noticed = mid.index[mid >= NOTICEABLE]
    end = _end(noticed, peak)
    return Shortage(
        likelihood=likelihood,
        sign=sign,
        peak=peak,
        p05=float(low[peak]),
        p50=float(middle[peak]),
        p95=float(high[peak]),
        onset=noticed[0] if len(noticed) else None,
        sure_at_onset=bool(len(noticed)) and float(near[noticed[0]]) >= NOTICEABLE,
        end=end,
        open_end=end == middle.index[-1],
        back=None if end is None else _back(mid, far, end),
        turn=_turn(-mid),
        level_p50=float(levels["unmet_share_p50"][peak]),
        reference_p50=float(levels["reference_unmet_share_p50"][peak]),
    )


def _turn(other: pd.Series) -> Turn | None:
    """The difference of the other sign, where the median makes it noticeable."""
    noticed = other.index[other >= NOTICEABLE]
    if not len(noticed):
        return None
    return Turn(since=noticed[0], peak=other.idxmax(), size=float(other.max()))


def _end(noticed: pd.DatetimeIndex, peak: pd.Timestamp) -> pd.Timestamp | None:
    """Last noticed date, from the peak on, before a calm quarter."""
    end = None
    for when in noticed[noticed >= peak]:
        if end is not None and when - end > CALM:
            break
        end = when
    return end


def _back(mid: pd.Series, far: pd.Series, end: pd.Timestamp) -> Return | None:
    """What comes after a calm quarter after the end, in one world in twenty or more.

    That outer worlds recover later than the median is no return: it counts from where they are back
    below the noticeable share, or where they never are, from where their difference has doubled
    since its least, or a quarter was quiet. The first return counts, however small beside later ones.
    """
    calm = far.index[(far < NOTICEABLE) & (far.index > end)]
    rest = far[far.index > end + CALM]
    if len(calm):
        rest = rest[rest.index > calm[0]]
    if rest.empty:
        return None
    quiet = (far.rolling(CALM).max().shift(1) < NOTICEABLE)[rest.index]
    later = rest[(rest >= NOTICEABLE) & (quiet | (rest >= 2.0 * rest.cummin()))]
    if later.empty:
        return None
    later = rest[later.index[0] :]
    later = later[later >= NOTICEABLE]
    peak = later.idxmax()
    small = later.max() < 0.5 * far[:end].max() and mid[later.index].max() < 0.5 * mid.max()
    return Return(
        since=later.index[0],
        peak=peak,
        p50=float(mid[peak]),
        far=float(far[peak]),
        in_median=bool((mid[later.index] >= NOTICEABLE).any()),
        broken=bool((later.index[1:] - later.index[:-1] > CALM).any()),
        late=bool(small and later.index[0] - end > pd.Timedelta(days=365)),
    )
