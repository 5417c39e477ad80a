"""``lodestone metric``: any metric of a finished run or study."""

from __future__ import annotations

from lodestone.border.errors import InputError
from lodestone.border.files import json_text
from lodestone.cli.verb import Words, verb

MORE = """
Any of 'lodestone list metrics' with its selectors. What the run did not keep is computed by running
the same worlds again. delta(...) is the difference from the reference in the same world,
reference(...) the reference's own value. A country inside a region counts with its share, or, where
the model does not tell it apart, as the region does; a note says which.

  lodestone metric RUN unmet_share_peak
  lodestone metric RUN 'unmet_share_between(region=europe, since=2025-04-01, until=2025-07-01)'
  lodestone metric RUN 'delta(unmet_t(region=[europe, japan]))' 'first_stoppage(region=europe)'
  lodestone metric STUDY 'unmet_t(region=japan)'      a row a point"""


@verb(
    about="any metric with selectors of a finished run or study",
    usage="lodestone metric RUN|STUDY EXPRESSION [EXPRESSION ...] [--json]",
    order=45,
    more=MORE,
)
def work(words: Words) -> int:
    """Print a row for each expression (and point)."""
    from lodestone.cli.console import print_table, say
    from lodestone.cli.running import short
    from lodestone.studies.tables import tidy

    # An expression with selectors holds a '=' and stands among the pairs.
    folder, *expressions = [*words.names, *words.pairs] or [""]
    if not words.names:
        raise InputError("names no run", key="metric", hint="See 'lodestone metric --help'.")
    if not expressions:
        raise InputError(
            "names no metric", key="lodestone metric", hint="See 'lodestone list metrics'."
        )
    table = tidy([folder], expressions).dropna(axis=1, how="all")
    rows = table.drop(columns=["run"]).to_dict("records")
    for note in dict.fromkeys(r["note"] for r in rows if r["note"]):
        say(f"note: {note}")
    if words.on("--json"):
        print(json_text([r | {"complete": "not complete" not in r["note"]} for r in rows]))
        return 0
    numbers = ["worlds", "mean", "p05", "p50", "p95"]
    shown = [
        r | {k: short(r[k], r["metric"].startswith("delta(")) for k in numbers[1:] if k in r}
        for r in rows
    ]
    columns = [
        c
        for c in table.columns
        if c not in ("run", "scenario", "note") and any(r[c] != "" for r in rows)
    ]
    columns = ["metric", *[c for c in columns if c != "metric"]]
    print_table(shown, columns, right=numbers)
    return 0
