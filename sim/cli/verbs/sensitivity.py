"""``lodestone sensitivity``: which draws decide a metric, from what was run."""

from __future__ import annotations

import json
from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.cli.verb import Words, verb

MORE = """
From the worlds of a finished run or study; nothing is simulated. The index is PAWN (0: the input
decides nothing, 1: all), with a bootstrap interval and a noise floor: what chance alone gives the
largest of all inputs once in twenty times. Inputs that were drawn together are named, because the
sample cannot tell them apart. At least 40 worlds are needed; 200 and more are better.

  lodestone sensitivity RUN 'metric=unmet_share_peak(region=europe)'
  lodestone sensitivity STUDY 'metric=delta(unmet_t)'

Writes sensitivity/ in the folder: the ranking and a scatter of the first four inputs as PNG, SVG
and CSV. Options: --json, --quiet."""


@verb(
    about="which uncertain inputs decide a metric of a finished run or study",
    usage="lodestone sensitivity RUN|STUDY metric=METRIC [--json]",
    order=46,
    more=MORE,
)
def work(words: Words) -> int:
    """Rank the inputs, draw them, print the ranking and the folder of the figures."""
    from lodestone.cli.console import print_table, say
    from lodestone.cli.running import short
    from lodestone.report import studies as draw
    from lodestone.report.study_memo import file_name
    from lodestone.studies.metrics import check_metric, title_of
    from lodestone.studies.sensitivity import indices, sample_of_run
    from lodestone.studies.study import open_study, sample

    folder = Path(words.one("run or study"))
    metric = ""
    for pair in words.pairs:
        key, _, value = pair.partition("=")
        if key != "metric" or metric:
            raise InputError(f"'{pair}' means nothing here", key="lodestone sensitivity")
        metric = value
    if not metric:
        raise InputError(
            "names no metric", key="metric", hint="Write metric=unmet_share_peak, for example."
        )
    check_metric(metric)
    is_study = (folder / "study.yaml").is_file()
    found = sample(open_study(folder), metric) if is_study else sample_of_run(folder, metric)
    table = indices(found)
    worlds = int(table.attrs["worlds"])
    target = folder / "sensitivity"
    above = list(table.loc[table["above_noise"], "input"])
    words_of = title_of(metric)
    draw.save_drawing(draw.ranking(table, words_of, worlds), target, file_name(metric, "ranking"))
    drawing = draw.scatter(
        found.inputs, found.values, list(table["input"])[:4], above, words_of, found.unit
    )
    draw.save_drawing(drawing, target, file_name(metric, "scatter"))
    columns = ["rank", "input", "index", "low", "high", "above_noise", "direction", "moves_with"]
    if words.on("--json"):
        print(json.dumps({**table.attrs, "inputs": table.to_dict("records")}, default=str))
    else:
        rows = [
            {k: short(r[k]) if isinstance(r[k], float) else r[k] for k in columns}
            for r in table.head(15).to_dict("records")
        ]
        print_table(
            rows,
            columns,
            title=f"{words_of}: {worlds} worlds, noise floor {table['floor'].max():.3f}",
            right=["rank", "index", "low", "high"],
        )
        if not words.on("--quiet"):
            _remarks(table, found.left_out, say)
    print(target.resolve())
    return 0


def _remarks(table, left_out: int, say) -> None:  # type: ignore[no-untyped-def]
    above = int(table["above_noise"].sum())
    say(
        f"{above} of {len(table)} inputs stand out from chance in this sample; the others may "
        "matter too, by less than it can tell."
    )
    together = table.loc[table["above_noise"] & (table["moves_with"] != ""), "input"]
    if len(together):
        say(
            f"{', '.join(together)}: drawn together with others (moves with), which may be what "
            "decides."
        )
    if left_out:
        say(f"{left_out} worlds have no value of the metric and are left out.")
