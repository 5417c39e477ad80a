"""``lodestone replay``: one world, tick by tick."""

from __future__ import annotations

from typing import Any

from lodestone.border.errors import InputError
from lodestone.cli.verb import Flag, Words, setting_flags, verb

MORE = """
D is YYYY-MM-DD or YYYY-MM; the default is the whole run. Worlds count from 0.

  lodestone replay licence_shock_april_2025 --world 3 --from 2025-04 --to 2025-06"""


@verb(
    about="one world, tick by tick: the rules in force and the flows by name",
    usage="lodestone replay SCENARIO --world K [--from D] [--to D] [key=value ...]",
    order=50,
    flags=(Flag("--world"), Flag("--from"), Flag("--to"), *setting_flags("--seed")),
    more=MORE,
)
def work(words: Words) -> int:
    """Print one world, tick by tick."""
    from lodestone.runs.job import job_from_words

    name = words.one("scenario")
    job = job_from_words([name], words.pairs, words.settings)
    text = words.flags.get("--world", "0")
    if not text.isdecimal() or len(text) > 6:
        raise InputError(f"must be a world's number from 0 to 999999, got '{text}'", key="--world")
    scenario = job.load()[0]
    first = _moment(words.flags.get("--from"), "--from") or scenario.start
    last = _moment(words.flags.get("--to"), "--to", end=True) or scenario.end
    if last < first:
        raise InputError(f"{last} is before {first}", key="--to")
    from lodestone.runs.replay import replay

    for line in replay(scenario, int(text), first, last, job.settings):
        print(line)
    return 0


def _moment(text: str | None, flag: str, end: bool = False) -> Any:
    """Read YYYY-MM-DD or YYYY-MM (its first or last day)."""
    import calendar
    from datetime import date

    if text is None:
        return None
    try:
        if len(text) == 7:
            first = date.fromisoformat(f"{text}-01")
            return (
                first.replace(day=calendar.monthrange(first.year, first.month)[1]) if end else first
            )
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"must be YYYY-MM or YYYY-MM-DD, got '{text}'", key=flag) from None
