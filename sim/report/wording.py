"""Words and numbers as people read them, generated from names and values.

A number is rounded by its band: digits that the band does not support are not shown. Nothing
here knows a scenario.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from lodestone.border.units import DAYS_PER_YEAR

__all__ = [
    "EN_DASH",
    "MINUS",
    "band",
    "capital",
    "claim_check",
    "day",
    "duration",
    "human",
    "joined",
    "month",
    "number",
    "percent",
    "resolution",
    "stepped",
]

MINUS = "\u2212"
EN_DASH = "\u2013"

SYMBOLS = {
    "la": "La",
    "ce": "Ce",
    "pr": "Pr",
    "nd": "Nd",
    "ndpr": "NdPr",
    "sm": "Sm",
    "eu": "Eu",
    "gd": "Gd",
    "tb": "Tb",
    "dy": "Dy",
    "ho": "Ho",
    "y": "Y",
    "lu": "Lu",
    "sc": "Sc",
    "ndfeb": "NdFeB",
    "smco": "SmCo",
    "ev": "EV",
    "hvac": "HVAC",
    "usd": "USD",
    "reo": "REO",
    "us": "US",
    "mp": "MP",
    "gdp": "GDP",
    "reelement": "ReElement",
    "10x": "10X",
}
NAMES = {
    "ndfeb_high_coercivity": "high-coercivity NdFeB magnets",
    "ndfeb_standard": "standard NdFeB magnets",
    "ndfeb_magnets": "NdFeB magnets",
    "smco": "SmCo magnets",
    "united_states": "United States",
    "rest_of_world": "rest of world",
    "south_korea": "South Korea",
    "concentrate_light": "light concentrate",
    "concentrate_heavy": "heavy concentrate",
    "korea_zinc_line": "Korea Zinc line",
    "all": "all",
    "e_mobility_and_tools": "e-mobility and tools",
    "other_automotive": "other automotive use",
    "other_magnet": "other use of magnets",
    "other_oxide": "other use of oxides",
    "quad": "Quad",
    "brics": "BRICS",
    "g7": "G7",
    "eu": "EU",
    "eight_country": "eight-country alliance",
    "five_eyes": "Five Eyes",
}
PROPER = {
    "china",
    "myanmar",
    "laos",
    "australia",
    "malaysia",
    "canada",
    "brazil",
    "europe",
    "japan",
    "india",
    "vietnam",
    "thailand",
    "mexico",
    "africa",
    "korea",
    "kachin",
    "benson",
    "lynas",
    "iluka",
    "serra",
    "verde",
    "vulcan",
    "texas",
    "louisiana",
    "january",
    "february",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
}


def human(name: str) -> str:
    """Return a name of the model as people write it: `dy_oxide` becomes `Dy oxide`."""
    if name in NAMES:
        return NAMES[name]
    words = [
        SYMBOLS.get(word, word.capitalize() if word in PROPER else word)
        for word in str(name).split("_")
    ]
    return " ".join(words)


#: Tiers of users: single words in tables, so not to be read alone.
TIER_NAMES = {
    "defence": "defence use",
    "essential_civilian": "essential civilian use",
    "other": "other civilian use",
}


def human_of(axis: str, name: str) -> str:
    """Return a member of an axis of the tables (region, sector, tier) as people write it."""
    return TIER_NAMES.get(name, human(name)) if axis == "tier" else human(name)


def capital(text: str) -> str:
    """Return the text with its first letter large, the rest untouched."""
    return text[:1].upper() + text[1:]


def joined(words: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def resolution(value: float, low: float | None = None, high: float | None = None) -> float:
    """Return the step to which a value is rounded: what its band supports.

    With a band, one digit of its width, two where the width begins with 1 to 4 or where an end or
    the value would be rounded to zero without being it; never finer than three digits of the
    largest number shown. Without a band, three digits. Zero stays exact.
    """
    numbers = [abs(x) for x in (value, low, high) if x is not None and math.isfinite(x)]
    largest = max(numbers, default=0.0)
    if largest == 0:
        return 1.0
    finest = 10.0 ** (math.floor(math.log10(largest)) - 2)
    ends = [x for x in (low, value, high) if x is not None and math.isfinite(x)]
    width = max(ends) - min(ends)
    if low is None or high is None or width == 0:
        return finest
    power = math.floor(math.log10(width))
    gone = any(0 < x < 0.5 * 10.0**power for x in numbers)
    if width / 10.0**power < 5 or gone:
        power -= 1
    return max(10.0**power, finest)


def stepped(value: float, step: float) -> str:
    """Return a number rounded to a step, with the step's digits."""
    if not math.isfinite(value):
        return "not reached"
    rounded = round(value / step) * step
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{abs(rounded):,.{digits}f}"
    zero = float(text.replace(",", "")) == 0
    if zero:
        return "0"
    return f"{MINUS}{text}" if rounded < 0 else text


def number(value: float, low: float | None = None, high: float | None = None) -> str:
    """Return one number, rounded by its band; without one to three digits, no idle zeros."""
    text = stepped(value, resolution(value, low, high))
    if low is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


def band(value: float, low: float, high: float, unit: str = "", *, signed: bool = False) -> str:
    """Return `value unit (low to high)`, all three rounded to the same step.

    A band that rounds to the value itself is not repeated; a missing value is said.
    """
    if value is None or math.isnan(value):
        return "not known"
    space = "" if not unit or unit.startswith("\u00d7") else " "
    if math.isinf(value) and (low is None or not math.isfinite(low)):
        return "not within the horizon"
    step = resolution(value, low, high)
    if low is None or high is None or not high - low:
        shown = number(value)
    else:
        shown = stepped(value, step)
    if math.isinf(value):
        shown = "not within the horizon"
    if signed and math.isfinite(value) and value > 0 and shown != "0":
        shown = f"+{shown}"
    text = shown if math.isinf(value) else f"{shown}{space}{unit}"
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return text
    ends = [stepped(low, step), stepped(high, step)]
    if ends == [stepped(value, step)] * 2:
        return text
    joint = " to " if signed or low < 0 or not math.isfinite(high) else EN_DASH
    return f"{text} ({joint.join(ends)})"


def percent(value: float, low: float | None = None, high: float | None = None) -> str:
    """Return a share 0..1 as per cent with its band; small ones as `under 0.1 %`."""
    if math.isnan(value):
        return "not known"
    if low is None or high is None:
        if 0 < value < 0.001:
            return "under 0.1 %"
        value100 = 100 * value
        return f"{stepped(value100, max(resolution(value100), 0.1 if value < 0.1 else 1))} %"
    if max(abs(value), abs(low), abs(high)) < 0.001 and high > 0:
        return "under 0.1 %"
    step = max(resolution(100 * value, 100 * low, 100 * high), 0.1)
    shown, *ends = (stepped(100 * x, step) for x in (value, low, high))
    if ends == [shown, shown]:
        return f"{shown} %"
    joint = " to " if low < 0 else EN_DASH
    return f"{shown} % ({joint.join(ends)} %)"


def day(when: date) -> str:
    """Return a date as `4 April 2025`."""
    return f"{when.day} {when:%B %Y}"


def month(when: date) -> str:
    """Return a month as `April 2025`."""
    return f"{when:%B %Y}"


def duration(days: float) -> str:
    """Return a time span in the unit that people would use: days, weeks, months, years."""
    if days < 21:
        count, unit = round(days), "day"
    elif days < 183:
        count, unit = round(days / 7), "week"
    elif days < 3 * 365:
        count, unit = round(days / 30.44), "month"
    else:
        count, unit = round(days / DAYS_PER_YEAR), "year"
    return f"{count} {unit}" + ("" if count == 1 else "s")


def claim_check(verdicts: Sequence[str]) -> str:
    """Return in a sentence or two how many press claims a run bears out."""
    if not verdicts:
        return "No press claim is tested by this scenario."
    counts = {name: list(verdicts).count(name) for name in ("inside", "outside", "not testable")}
    tested = counts["inside"] + counts["outside"]
    if not tested:
        return (
            "No press claim can be tested here."
            if len(verdicts) > 1
            else "The one press claim named cannot be tested here."
        )
    noun = "press claim is" if tested == 1 else "press claims are"
    text = f"{tested} {noun} tested: {counts['inside']} inside what is found, "
    text += f"{counts['outside']} outside it"
    if counts["not testable"]:
        text += f"; {counts['not testable']} cannot be tested"
    return (
        f"{text}. Inside means that the range of the words and that of the worlds (5\u201395 %) or of "
        "the data meet, not that the claim is proved."
    )
