"""A scenario as a self-contained file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lodestone.border.yamlfile import Document, dump_yaml
from lodestone.scenario.layers import KEYS
from lodestone.scenario.load import build_scenario

if TYPE_CHECKING:
    from lodestone.chain.nouns import Chain

__all__ = ["write_scenario"]


def write_scenario(document: Document, chain: Chain | None = None) -> str:
    """Return a self-contained scenario file: everything inherited is written out.

    Parameters
    ----------
    document
        From `load_mapping`.
    chain
        If given, the titles of the sources are written as comments.
    """
    # Its group is that of the file it comes from, not of the copy.
    data = {key: document.data[key] for key in KEYS if key in document.data and key != "group"}
    head = [
        "# yaml-language-server: $schema=lodestone.schema.json",
        "#   (made by: lodestone schema > lodestone.schema.json; editors then complete and check)",
        "# A Lodestone scenario: what happens. Edit it, give it a name of its own, then",
        "#   lodestone check FILE.yaml      finds mistakes",
        "#   lodestone run FILE.yaml        runs it against its reference",
        "# Any number may be uncertain: {dist: triangular, low: 30, mode: 63, high: 100}.",
        "# Kinds of intervention and their keys: lodestone list interventions",
        "",
    ]
    tail: list[str] = []
    if chain is not None:
        cited = build_scenario(data, file=document.file, chain=chain).sources()
        titles = chain.source_titles(cited)
        if cited:
            tail = ["", "# Sources cited:", *(f"#   {k}: {titles.get(k, '')}" for k in cited)]
    return "\n".join(head) + dump_yaml(data) + "\n".join(tail) + ("\n" if tail else "")
