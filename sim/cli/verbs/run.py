"""``lodestone run``: scenarios against their reference."""

from __future__ import annotations

from lodestone.border.errors import InputError
from lodestone.cli.running import run_job
from lodestone.cli.verb import Words, setting_flags, verb

MORE = """
Runs each scenario and its reference on common random numbers, writes the run folder with
tables, figures and report, prints a summary table and, as its last line, the folder's path.

  lodestone run licence_shock_april_2025
  lodestone run licence_shock_april_2025 ensemble.worlds=50 variant=no_talks
  lodestone run current_law scenario.end=2030-01-01 report.formats=[]
  lodestone run mine.yaml 'overlays=[path/to/overlay.yaml]' --worlds 20 --out results/mine

Change the scenario by name:
  scenario.start=2024-01-01  scenario.end=2027-01-01
  scenario.interventions.april_2025_licences.processing_days=45
  'scenario.interventions.april_2025_licences.approval={2025-04-04: 0, 2025-07-01: 0.5}'
  scenario.overrides.stockpile.japan.days=60      any of 'lodestone list parameters'
  variant=NAME   'overlays=[a,b]'                 see 'lodestone show SCENARIO'
Any number may be uncertain: '{dist: triangular, low: 30, mode: 63, high: 100}'.

Options: --worlds N, --seed N, --workers N, --out DIR (as the settings of these names);
--quiet: only the folder, and warnings; --json: the table as one line of JSON before the folder.
Groups: ensemble=quick (20 worlds), ensemble=thorough (1,000 worlds), report=none."""


def _more() -> str:
    from lodestone.cli.catalogue import shown
    from lodestone.runs.settings import SETTINGS, Settings

    defaults = Settings()
    lines = [MORE, "", "Settings (key=value), with default and unit:"]
    for item in SETTINGS.values():
        if not item.useful:
            continue
        value = shown(getattr(defaults, item.attribute))
        unit = "" if item.unit == "-" else f" {item.unit}"
        choices = f" ({', '.join(item.choices)})" if item.choices else ""
        lines.append(f"  {f'{item.key}={value}'.ljust(26)}{unit.ljust(14)} {item.about}{choices}")
    return "\n".join(lines)


@verb(
    about="runs scenarios against their reference and writes a run folder",
    usage="lodestone run SCENARIO [SCENARIO ...] [key=value ...] [options]",
    order=40,
    flags=setting_flags(),
    more=_more,
)
def work(words: Words) -> int:
    """Run scenarios and print their folders."""
    from lodestone.runs.job import job_from_words

    if not words.names:
        raise InputError(
            "names no scenario",
            key="lodestone run",
            hint="Write 'lodestone run licence_shock_april_2025', or see 'lodestone list scenarios'.",
        )
    given = dict(words.settings)
    for switch in ("quiet", "json"):
        if words.on(f"--{switch}"):
            given[switch] = True
    job = job_from_words(words.names, words.pairs, given)
    run_job(job.load(), job.settings)
    return 0
