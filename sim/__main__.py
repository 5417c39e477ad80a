"""``python -m sim``: with a verb the same as ``lodestone``, without one the Hydra application.

The package is called ``lodestone`` and its source folder ``sim``: started from a clone, this file
makes the folder it stands in known under that name, so that a clone always runs its own code.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def adopt() -> None:
    """Let ``lodestone`` be the package of this folder, whatever is installed."""
    if __package__ == "lodestone" or "lodestone" in sys.modules:
        return
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "lodestone", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["lodestone"] = package
    spec.loader.exec_module(package)


adopt()

from lodestone.cli import commands, guarded, main  # noqa: E402  (the name has to be known first)


def run(argv: list[str] | None = None) -> int:
    """Dispatch on the first word: a verb, or words for Hydra."""
    words = sys.argv[1:] if argv is None else argv
    first = words[0] if words else ""
    if first in (*commands(), "--version", "-V") or (
        first and "=" not in first and not first.startswith("-")
    ):
        return main(words)

    def work() -> int:
        from lodestone.cli.hydra_app import hydra_main

        return hydra_main(words)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(run())
