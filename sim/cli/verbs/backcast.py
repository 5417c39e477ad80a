"""``lodestone backcast``: history replayed and scored fact by fact."""

from __future__ import annotations

from lodestone.border.errors import InputError
from lodestone.border.files import json_text, read_path
from lodestone.cli.verb import Flag, Words, setting_flags, verb

MORE = """
Without an episode: all of 'lodestone list episodes'. A FOLDER is any folder with an episode.yaml,
or with such folders (docs/episodes.md); its scenario may lie beside it. Each fact is evaluated in every world, and the
median is held against its band. A fact that cannot be evaluated says why, and counts as failed.

  lodestone backcast licensing_2025
  lodestone backcast ensemble.worlds=200 --json scorecard.json
  lodestone backcast path/to/my_episode scenario.overrides.licence.surge=1.3
  lodestone backcast --write docs            writes docs/scorecard.md and its figures in docs/img

Options: --worlds N (default 64), --seed N, --workers N; --json FILE (without a file: printed);
--write DIR; --quiet."""


@verb(
    about="replays history and scores it fact by fact",
    usage="lodestone backcast [EPISODE|FOLDER ...] [key=value ...] [--json FILE] [--write DIR]",
    order=60,
    flags=(
        Flag("--json", optional="-"),
        Flag("--write"),
        *setting_flags("--worlds", "--seed", "--workers"),
    ),
    more=MORE,
)
def work(words: Words) -> int:
    """Replay episodes and print the scorecard."""
    from lodestone.backcast.episodes import find_episodes, load_episode, locate_episodes
    from lodestone.backcast.score import BATCH, score
    from lodestone.calibration.card import Card
    from lodestone.cli.console import Progress, print_table, say
    from lodestone.runs.job import job_from_words

    given = dict(words.settings)
    typed = [pair.partition("=")[0] for pair in words.pairs]
    if not {"ensemble.worlds", "ensemble"} & {*given, *typed}:
        given["ensemble.worlds"] = BATCH
    job = job_from_words([], words.pairs, given)
    settings = job.settings
    files = [path for name in words.names or find_episodes() for path in locate_episodes(name)]
    if not files:
        raise InputError("there are no episodes", key="lodestone backcast")
    episodes = [
        load_episode(path, overrides=job.overrides, variant=job.variant, overlays=job.overlays)
        for path in dict.fromkeys(files)
    ]
    for name in [e.name for e in episodes]:
        if [e.name for e in episodes].count(name) > 1:
            raise InputError(f"two episodes are called '{name}'", hint="Name each once.")
    quiet = words.on("--quiet") or settings.quiet
    if not quiet:
        for remark in (r for e in episodes for r in e.remarks):
            say(f"note: {remark}")
    with Progress(quiet=quiet) as progress:
        scored = score(
            episodes,
            worlds=settings.worlds,
            seed=settings.seed,
            market_days=float(settings.market_days),
            allocation=settings.allocation,
            workers=settings.workers,
            progress=progress,
        )
    card = Card.of(scored)
    rows = [v.row() for _, _, verdicts in scored for v in verdicts]
    target = words.flags.get("--json")
    if target is not None and target != "-":
        from lodestone.border.files import save_text

        path = read_path(target)
        if not path.parent.is_dir():
            raise InputError("no such folder", file=path.parent, key="--json")
        save_text(path, json_text(rows, indent=1) + "\n")
    if target == "-" or settings.json:
        print(json_text(rows))
    elif not quiet:
        right = ["observed", "band", "p50", "p05_to_p95", "with_discrepancy"]
        columns = ["fact", *right[:2], "unit", *right[2:], "result", "left_out"]
        for episode, _, verdicts in scored:
            print_table(
                card.rows(episode, verdicts),
                columns if card.fitted else columns[:6] + columns[7:8],
                title=f"{episode.name}: {episode.title} ({episode.scenario.name})",
                right=right,
            )
            print()
        sums = ["passed", "failed", "not_evaluable", "facts", "share", "covered", "covered_wide"]
        print_table(
            card.totals(),
            ["episode", *sums],
            title=f"Facts in band at the median of {settings.worlds} worlds; observed values "
            "within 5-95 % of them, and of them with the model's discrepancy",
            right=sums,
        )
        if card.breath:
            print(f"\n{card.breath}")
            print()
            for title, found in (
                ("The calibration of the shipped posterior", card.summary()),
                ("Skill where left out of the fit (above 0: better)", card.skill()),
            ):
                print_table(found, list(found[0]), title=title)
                print()
    if "--write" in words.flags:
        from lodestone.backcast.panels import panels
        from lodestone.report.scorecard import write_scorecard

        made = write_scorecard(
            read_path(words.flags["--write"]),
            [(e.name, e.title, vs, card.rows(e, vs), panels(e, r, vs)) for e, r, vs in scored],
            card,
            settings.worlds,
        )
        for path in made:
            print(path.resolve())
    return 0
