"""Small phrases that studies tell."""

from __future__ import annotations

__all__ = ["duration", "number"]


def duration(seconds: float) -> str:
    """Write a length of time as a reader says it: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def number(value: float) -> str:
    """Three digits, with thousands set apart; ``never`` for what does not end."""
    if value != value:
        return "none"
    if value in (float("inf"), float("-inf")):
        return "never"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
