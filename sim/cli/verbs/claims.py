"""``lodestone claims``: press claims against data and runs."""

from __future__ import annotations

from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.cli.verb import Flag, Words, setting_flags, verb

MORE = """
Without a scenario: the stored table of all claims; nothing is simulated. With a scenario: the
claims that its hypothesis names and those that are tested in it, from a finished run of the same
scenario and settings under results/, else from a new run without report. With a run folder: its own.

Inside: the claimed range and ours (data, or 5-95 % of the worlds) meet. Outside: they do not.
A claim without a number is read as one; 'note' in seeds/claims.csv says how.

  lodestone claims
  lodestone claims licence_shock_april_2025 ensemble.worlds=50
  lodestone claims --refresh --worlds 64      runs every scenario that a claim names, and writes
                                              seeds/claims_verdicts.csv"""


@verb(
    about="press claims set against the data and the runs: inside, outside, not testable",
    usage="lodestone claims [SCENARIO|RUN] [key=value ...] [--json]",
    order=100,
    flags=(*setting_flags(), Flag("--refresh", value=False)),
    more=MORE,
)
def work(words: Words) -> int:
    """Print press claims with their verdicts."""
    from lodestone.claims import read_rows, refresh, run_rows, stored_rows
    from lodestone.cli.console import Progress, say
    from lodestone.runs.job import job_from_words

    if words.on("--refresh") and words.names:
        raise InputError("takes no scenario: it makes the whole table anew", key="--refresh")
    if not words.names and not words.on("--refresh"):
        words.no_pairs()
        _print_claims(stored_rows(), words)
        return 0
    given = dict(words.settings)
    if words.on("--refresh"):
        job = job_from_words([], words.pairs, given)
        bars: list[Progress] = []

        def begin(name: str) -> Progress:
            if not words.on("--quiet"):
                say(f"{name}: {job.settings.worlds} worlds")
            bars.append(Progress(quiet=words.on("--quiet")))
            return bars[-1]

        print(refresh(job.settings, begin))
        return 0
    name = words.one("scenario")
    folder = read_path(name)
    if (folder / "provenance.json").is_file() and (folder / "claims.csv").is_file():
        words.no_pairs()
        _print_claims(read_rows(folder / "claims.csv"), words)
        return 0
    job = job_from_words([name], words.pairs, {**given, "report.formats": []})
    with Progress(quiet=words.on("--quiet")) as progress:
        folder, rows = run_rows(job.load()[0], job.settings, progress)
    _print_claims(rows, words)
    if not words.on("--quiet"):
        say(f"from the run {folder.resolve()}")
    return 0


def _print_claims(rows: list[dict[str, Any]], words: Words) -> None:
    """Print verdicts: all columns as JSON, else who says what, the verdict and why."""
    from lodestone.claims import tally
    from lodestone.cli.console import print_table, say
    from lodestone.outputs.claims import COLUMNS

    columns = COLUMNS if words.on("--json") else ("claim", "verdict", "tested", "statement", "why")
    print_table(rows, list(columns), as_json=words.on("--json"))
    if not words.on("--json") and not words.on("--quiet"):
        counts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(tally(rows).items()))
        say(f"{len(rows)} claims: {counts}" if rows else "no claim is tested by this scenario")
