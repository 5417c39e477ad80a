"""``lodestone init``: a scenario file to copy and edit."""

from __future__ import annotations

import sys

from lodestone.cli.verb import Words, verb

MORE = """
The file is self-contained: what the scenario inherits is written out.

  lodestone init licence_shock_april_2025 > mine.yaml
  lodestone check mine.yaml
  lodestone run mine.yaml"""


@verb(
    about="prints a scenario file to copy and edit",
    usage="lodestone init SCENARIO > my_scenario.yaml",
    order=30,
    more=MORE,
)
def work(words: Words) -> int:
    """Print a scenario file to copy and edit."""
    from lodestone.chain.load import load_chain
    from lodestone.scenario import load_mapping, write_scenario

    words.no_pairs()
    document = load_mapping(words.one("scenario"))
    chain = load_chain(str(document.data.get("vintage") or "2024"))
    sys.stdout.write(write_scenario(document, chain))
    return 0
