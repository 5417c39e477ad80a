"""``lodestone compare``: runs, scenarios, variants or a study's points side by side."""

from __future__ import annotations

from lodestone.cli.verb import Flag, Words, setting_flags, verb

MORE = """
Each word is a run folder, a scenario (run with its settings, or taken from results/ where it was run
already) or a study's folder (all its points). The first case is the base; differences are taken in
the same worlds. variant=all runs a scenario and every variant of it; variant=[a,b] some of them.

  lodestone compare RUN_A RUN_B
  lodestone compare cutoff_total variant=all ensemble.worlds=100
  lodestone compare price_war_2029 support_withdrawal_price_war --format html,brief,xlsx out=DIR"""


@verb(
    about="compares runs, scenarios, variants or a study's points in the same worlds",
    usage="lodestone compare RUN|SCENARIO|STUDY [...] [variant=all] [key=value ...] [--format html,md]",
    order=85,
    flags=(*setting_flags(), Flag("--format")),
    more=MORE,
)
def work(words: Words) -> int:
    """Compare and print the table and the folder."""
    from lodestone.cli.comparing import compare_words

    table, made, folder = compare_words(words)
    if words.on("--json"):
        print(table.to_json(orient="records"))
    elif not words.on("--quiet"):
        from lodestone.cli.console import print_table, say
        from lodestone.cli.running import short

        columns = [
            "case",
            "metric",
            "unit",
            "p05",
            "p50",
            "p95",
            "difference_p50",
            "separated_from_base",
        ]
        numbers = columns[3:7]
        rows = [
            r | {c: short(r[c], c == "difference_p50") for c in numbers}
            for r in table.to_dict("records")
        ]
        print_table(rows, columns, right=numbers)
        for metric, note in dict.fromkeys((r["metric"], r["note"]) for r in rows if r["note"]):
            say(f"note: {metric}: {note}")
        if made:
            say(f"report: {made[0].resolve()}")
    print(folder.resolve())
    return 0
