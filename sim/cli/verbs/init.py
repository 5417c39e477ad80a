"""``lodestone init``: a scenario file to copy and edit."""

from __future__ import annotations

import sys

from lodestone.cli.verb import Flag, Words, verb

MORE = """
The file is self-contained: what the scenario inherits is written out.
With --seeds FOLDER it writes an example of rows of your own (a price, a plant, a demand, a route)
that seeds=FOLDER lays over the shipped data, in every command.

  lodestone init licence_shock_april_2025 > mine.yaml
  lodestone check mine.yaml
  lodestone run mine.yaml"""


@verb(
    about="prints a scenario file to copy and edit",
    usage="lodestone init SCENARIO > my_scenario.yaml | init --seeds FOLDER",
    order=30,
    flags=(Flag("--seeds"),),
    more=MORE,
)
def work(words: Words) -> int:
    """Print a scenario file to copy and edit."""
    from lodestone.chain.load import load_chain
    from lodestone.scenario import load_mapping, write_scenario

    words.no_pairs()
    if "--seeds" in words.flags:
        from pathlib import Path

        from lodestone.chain.overlay import write_example

        for path in write_example(Path(words.flags["--seeds"]).expanduser()):
            print(path)
        return 0
    document = load_mapping(words.one("scenario"))
    chain = load_chain(str(document.data.get("vintage") or "2024"))
    sys.stdout.write(write_scenario(document, chain))
    return 0
