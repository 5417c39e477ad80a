"""``lodestone schema``: the format of a scenario file, for editors."""

from __future__ import annotations

from lodestone.border.files import json_text
from lodestone.cli.verb import Words, verb

MORE = """
Prints a JSON schema of scenario files: kinds of intervention and their keys with units and limits,
known regions, materials, sectors, plants and sources, parameters. Editors that know YAML schemas
complete and check a file whose first line names it (lodestone init writes that line):

  lodestone schema > lodestone.schema.json
  # yaml-language-server: $schema=lodestone.schema.json

A VINTAGE (default 2024) decides which words are known."""


@verb(
    about="prints a JSON schema of scenario files, for editors",
    usage="lodestone schema [VINTAGE] > lodestone.schema.json",
    order=35,
    more=MORE,
)
def work(words: Words) -> int:
    """Print the JSON schema of scenario files."""
    from lodestone.chain.load import load_chain
    from lodestone.scenario.schema import scenario_schema

    words.no_pairs()
    vintage = words.one("vintage") if words.names else "2024"
    print(json_text(scenario_schema(load_chain(vintage)), indent=1))
    return 0
