"""``python -m sim``: with a verb the same as ``lodestone``, without one the Hydra application."""

from __future__ import annotations

import sys

from sim.cli import VERBS, guarded, main


def run(argv: list[str] | None = None) -> int:
    """Dispatch on the first word: a verb, or words for Hydra."""
    words = sys.argv[1:] if argv is None else argv
    first = words[0] if words else ""
    if first in (*VERBS, "--version", "-V") or (
        first and "=" not in first and not first.startswith("-")
    ):
        return main(words)

    def work() -> int:
        from sim.config import hydra_main

        return hydra_main(words)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(run())
