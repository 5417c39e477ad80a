"""``lodestone sources``: where each number comes from."""

from __future__ import annotations

from typing import Any

from lodestone.border.words import unknown
from lodestone.cli.verb import Words, verb

MORE = """
Without a word: the whole bibliography. With a scenario: what it stands on. With the key of a
source: the entry and where it is used. With a parameter's name: where its value comes from.

  lodestone sources licence_shock_april_2025
  lodestone sources c120"""


@verb(
    about="where each number comes from",
    usage="lodestone sources [SCENARIO|KEY] [--json]",
    order=90,
    more=MORE,
)
def work(words: Words) -> int:
    """Print where numbers come from."""
    from lodestone.chain.load import load_chain
    from lodestone.cli.catalogue import source_rows, uses_of
    from lodestone.cli.console import print_table
    from lodestone.runs.job import job_from_words
    from lodestone.scenario import find_scenarios

    words.no_pairs()
    as_json = words.on("--json")
    columns = ["key", "title", "publisher", "date", "kind", "url"]
    if not words.names:
        chain = load_chain()
        keys = [*chain.sources, *chain.assumptions]
        print_table(source_rows(chain, keys), columns, as_json=as_json)
        return 0
    name = words.one("scenario or key")
    scenarios = find_scenarios()
    if name in scenarios or name.endswith((".yaml", ".yml")):
        scenario = job_from_words([name], words.pairs).load()[0]
        chain = load_chain(scenario.vintage)
        seeds = {k for held in chain.tables.values() for row in held for k in _row_sources(row)}
        cited = scenario.sources()
        rows = [r | {"used_by": "scenario"} for r in source_rows(chain, cited)]
        rest = sorted(k for k in seeds - set(cited) if chain.knows_source(k))
        rows += [r | {"used_by": "seeds"} for r in source_rows(chain, rest)]
        print_table(rows, ["used_by", *columns], as_json=as_json)
        return 0
    chain = load_chain()
    parameters = chain.parameter_names()
    if name in parameters:
        item = parameters[name]
        print_table(source_rows(chain, item.source), columns, as_json=as_json)
        if not as_json:
            span = "" if item.low is None else f", range {item.low:g} to {item.high:g}"
            print(f"{name}: {item.title}: {item.default} {item.unit}{span} ({item.confidence})")
        return 0
    if not chain.knows_source(name):
        raise unknown(
            "scenario, source or parameter",
            name,
            [*chain.sources, *chain.assumptions, *scenarios, *parameters],
        )
    print_table(source_rows(chain, [name]), [*columns, "grade"], as_json=as_json)
    used = uses_of(chain, name)
    if used and not as_json:
        print()
        print_table(used, ["where", "rows"], title="Used by", right=["rows"])
    return 0


def _row_sources(row: Any) -> tuple[str, ...]:
    held = row[1] if isinstance(row, tuple) and len(row) == 2 else row
    return tuple(getattr(held, "source", ()))
