"""``lodestone calibrate``: behaviour fitted to history."""

from __future__ import annotations

from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.cli.verb import Flag, Words, verb

NUMBERS = {"--population": 48, "--generations": 60, "--starts": 2, "--seed": 0, "--workers": 0}

MORE = """
Without an episode: all of 'lodestone list episodes', and always the control worlds of
seeds/controls, in which nothing happens. Searches the sourced ranges of the parameters
of behaviour for vectors that bring the facts into their bands, and keeps every vector tried in
results/calibration; an interrupted search goes on where it was. With --leave-out the facts of one
episode stay unseen. With --cross-validate each is left out in turn, and its facts are scored.

  lodestone calibrate
  lodestone calibrate --leave-out licensing_2025
  lodestone calibrate --cross-validate              every episode left out in turn, and scored
  lodestone calibrate --generations 100 --write     --write makes seeds/posterior.csv anew, and the
                                                    tables of what history says of each number

Options: --population N (48), --generations N (60 from each start, a quarter of it again from the
best of all, before the last steps down), --starts N (2), --seed N, --workers N,
--out DIR, --begin FOLDER (start at the best of an earlier calibration), --quiet."""


@verb(
    about="fits behaviour to history: one vector for all episodes, and how well it is known",
    usage="lodestone calibrate [EPISODE|FOLDER ...] [--leave-out EPISODE] [--write]",
    order=70,
    flags=(
        Flag("--leave-out"),
        Flag("--out"),
        Flag("--begin"),
        *(Flag(name) for name in NUMBERS),
        Flag("--write", value=False),
        Flag("--cross-validate", value=False),
    ),
    more=MORE,
)
def work(words: Words) -> int:
    """Fit behaviour to history."""
    from lodestone.backcast.calibrate import (
        Plan,
        calibrate,
        cross_validate,
        fact_profiles,
        findings,
        load_fit,
        posterior_text,
    )
    from lodestone.backcast.episodes import find_episodes, locate_episodes
    from lodestone.backcast.kept import CROSS, KNOWN, PROFILES
    from lodestone.border.paths import seeds_root
    from lodestone.cli.console import print_table, say

    if words.pairs:
        raise InputError("takes no settings", key=words.pairs[0])
    chosen: dict[str, int] = {}
    for flag, usual in NUMBERS.items():
        text = words.flags.get(flag, str(usual))
        if not text.isdigit() or (flag in list(NUMBERS)[:3] and int(text) < 1):
            raise InputError(f"must be a whole number, got {text!r}", key=flag)
        chosen[flag] = int(text)
    episodes = [p for name in words.names or find_episodes() for p in locate_episodes(name)]
    # Worlds in which nothing happens hold a fit to be right for the right reason.
    files = episodes + sorted(p.parent for p in (seeds_root() / "controls").glob("*/episode.yaml"))
    left = words.flags.get("--leave-out")
    if left is not None:
        unseen = locate_episodes(left)
        files = [p for p in files if p not in unseen]
    if not files:
        raise InputError("there are no episodes", key="lodestone calibrate")
    plan = Plan(
        tuple(dict.fromkeys(files)),
        population=max(chosen["--population"], 4),
        generations=chosen["--generations"],
        starts=chosen["--starts"],
        seed=chosen["--seed"],
    )
    usual_place = "results/calibration" + (f"_without_{Path(left).name}" if left else "")
    folder = Path(words.flags.get("--out", usual_place)).expanduser()
    quiet = words.on("--quiet")
    begin = None
    if "--begin" in words.flags:
        begin = load_fit(Path(words.flags["--begin"]).expanduser())
    fit = calibrate(plan, folder, chosen["--workers"], None if quiet else say, begin=begin)
    facts, parameters = findings(plan, fit)
    if not quiet:
        print_table(facts, ["episode", "fact", "band", "best", "p05_to_p95", "in_band"])
        print()
        print_table(parameters, ["parameter", "range", "best", "p05_to_p95", "spread", "verdict"])
    if words.on("--write"):
        import pandas as pd

        from lodestone.border.files import save_table, save_text
        from lodestone.chain.load import POSTERIOR

        path = seeds_root() / POSTERIOR
        save_text(path, posterior_text(fit))
        print(path.resolve())
        for name, rows in ((KNOWN, parameters), (PROFILES, fact_profiles(plan, fit))):
            save_table(seeds_root() / name, pd.DataFrame(rows))
            print((seeds_root() / name).resolve())
    if words.on("--cross-validate"):
        import pandas as pd

        from lodestone.border.files import save_table

        rows = cross_validate(
            plan, folder, fit, episodes, chosen["--workers"], say=None if quiet else say
        )
        path = seeds_root() / CROSS if words.on("--write") else folder / CROSS
        save_table(path, pd.DataFrame(rows))
        passed = sum(r["pass"] for r in rows)
        print(f"{passed} of {len(rows)} unseen facts in band")
        print(path.resolve())
    print(folder.resolve())
    return 0
