"""The command line: words typed, one call, an exit status. No logic and no defaults of its own.

Exit status: 0 done; 2 the input is wrong; 3 a check of the model failed; 130 interrupted;
1 anything else.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lodestone.border.errors import InputError
from lodestone.border.words import unknown
from lodestone.chain.overlay import seeds_in_use
from lodestone.cli.exits import guarded, plain_streams
from lodestone.cli.verb import commands

__all__ = ["main"]


def _help() -> str:
    known = commands()
    width = max(map(len, known))
    lines = [
        "Lodestone: disruptions of the rare-earth magnet supply chain. Who runs short, when, how",
        "surely, at what cost, and what would have helped.",
        "",
        "  lodestone COMMAND ...        'lodestone COMMAND --help' explains one, with examples",
        "",
        *(f"  {name.ljust(width)}  {item.about}" for name, item in known.items()),
        "",
        "A first run (20 worlds):",
        "  lodestone list scenarios",
        "  lodestone show licence_shock_april_2025",
        "  lodestone run licence_shock_april_2025 ensemble=quick",
        "",
        "Exit status: 0 done, 2 wrong input, 3 a check of the model failed, 130 interrupted, 1 else.",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    plain_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [w for w in words if w != "--debug"]

    def work() -> int:
        if words and words[0] in ("--version", "-V"):
            from lodestone import __version__

            print(f"lodestone-sim {__version__}")
            return 0
        known = commands()
        if not words or words[0] in ("--help", "-h", "help"):
            print(known[words[1]].help() if len(words) > 1 and words[1] in known else _help())
            return 0
        name, *rest = words
        if name not in known:
            error = unknown("command", name, known)
            error.hint = f"{error.hint or ''} See 'lodestone --help'.".strip()
            raise error
        item = known[name]
        if "--help" in rest or "-h" in rest:
            print(item.help())
            return 0
        own = [w.removeprefix("seeds=") for w in rest if w.startswith("seeds=")]
        if len(own) > 1:
            raise InputError("is given twice", key="seeds")
        with seeds_in_use(own[0] if own else None):
            return item.work(item.read([w for w in rest if not w.startswith("seeds=")]))

    return guarded(work, debug)
