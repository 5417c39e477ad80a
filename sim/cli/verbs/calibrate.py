"""``lodestone calibrate``: behaviour fitted to history."""

from __future__ import annotations

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.cli.verb import Flag, Words, verb

NUMBERS = {"--members": 200, "--steps": 6, "--seeds": 1, "--fold-steps": 0, "--workers": 0}

MORE = """
Without an episode: all of 'lodestone list episodes', and always the control worlds of
seeds/controls, in which nothing happens. An ensemble is drawn from the priors of the
parameters of behaviour, and moved toward the facts in steps (ES-MDA), with an error for each kind
of fact. Every run is kept in results/calibration; an interrupted calibration goes on where it
was. With --cross-validate each history is left out in turn, and its facts are foretold.

  lodestone calibrate
  lodestone calibrate --cross-validate --write      seeds/posterior.csv anew, and the tables of what
                                                    was found: fit_facts.csv, fit_parameters.csv

Options: --members N (200), --steps N (6), --seeds N (1; ensembles that are pooled), --fold-steps N
(as --steps; fewer where a cross-validation must be quick), --workers N, --out DIR, --quiet."""


@verb(
    about="fits behaviour to history: an ensemble for all episodes, and how well it foretells",
    usage="lodestone calibrate [EPISODE|FOLDER ...] [--cross-validate] [--write]",
    order=70,
    flags=(
        Flag("--out"),
        *(Flag(name) for name in NUMBERS),
        Flag("--write", value=False),
        Flag("--cross-validate", value=False),
    ),
    more=MORE,
)
def work(words: Words) -> int:
    """Fit behaviour to history."""
    from lodestone.backcast.episodes import locate_episodes
    from lodestone.calibration.calibrate import study
    from lodestone.calibration.findings import skill_rows, summary_rows
    from lodestone.calibration.kept import write
    from lodestone.calibration.plan import shipped_plan
    from lodestone.calibration.posterior import parameter_rows
    from lodestone.cli.console import print_table, say

    if words.pairs:
        raise InputError("takes no settings", key=words.pairs[0])
    chosen: dict[str, int] = {}
    for flag, usual in NUMBERS.items():
        text = words.flags.get(flag, str(usual))
        if not text.isdigit() or (flag in list(NUMBERS)[:3] and int(text) < 1):
            raise InputError(f"must be a whole number, got {text!r}", key=flag)
        chosen[flag] = int(text)
    if chosen["--members"] < 20:
        raise InputError("an ensemble needs at least 20 members", key="--members")
    plan = shipped_plan(
        [path for name in words.names for path in locate_episodes(name)],
        members=chosen["--members"],
        steps=chosen["--steps"],
        seeds=tuple(range(chosen["--seeds"])),
        fold_steps=chosen["--fold-steps"],
    )
    crossed = words.on("--cross-validate")
    if crossed and len(plan.histories) < 2:
        raise InputError(
            "there is one history only: nothing is left to learn from", key="--cross-validate"
        )
    folder = read_path(words.flags.get("--out", "results/calibration"))
    quiet = words.on("--quiet")
    found = study(plan, folder, chosen["--workers"], None if quiet else say, crossed)
    if not quiet:
        tables = {
            "Parameters": parameter_rows(found.posterior),
            "Facts, and how many observed values 5-95 % hold": summary_rows(found.facts),
        }
        if crossed:
            tables["Skill where left out (above 0: better)"] = skill_rows(found.facts)
        for title, rows in tables.items():
            print_table(rows, list(rows[0]), title=title)
            print()
    for path in write(found, folder, seeds=words.on("--write")):
        print(path.resolve())
    return 0
