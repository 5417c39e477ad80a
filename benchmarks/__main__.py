"""`python -m benchmarks [toy|full|studies] [--repeat N] [--long] [--json]`: how fast, against what.

`toy` computes one toy chain in every way; `full` times the whole chain, start-up and memory;
`studies` what a point of a study costs beside its worlds. Without a word all are run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform

from benchmarks import engine, phases, studies
from benchmarks.harness import lines, measure
from benchmarks.toy import REGIONS, STAGES, toy_chain

#: Worlds of the batch that is timed by phase.
PHASE_WORLDS = 200
NOTE = """\
Plain SimPy, bare numpy and the bare compiled loop compute the same and deliver the same tonnes in every world. The engine
computes more: orders, prices, stocks at every stage and a mass balance each week. Its deliveries a
week agree in an undisturbed world, and outages reduce them too, but by less, because stocks and
spare capacity take the first blow; the same outages are drawn in all ways."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("toy", "full", "studies", "all"), default="all")
    parser.add_argument("--repeat", type=int, default=2, help="best of how many (default 2)")
    parser.add_argument(
        "--long", action="store_true", help="all twelve years, batches to 256, 1,000 worlds"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    words = parser.parse_args()
    out: dict[str, list[object]] = {}
    if words.what in ("full", "all"):
        # First, while this process is small.
        full = list(engine.figures(words.long, words.repeat))
        out["full"] = [dataclasses.asdict(f) for f in full]
        spent = phases.by_phase(PHASE_WORLDS)
        out["phases"] = [{"phase": name, "ms_per_market_day": ms} for name, ms in spent.items()]
    if words.what in ("toy", "all"):
        toy = toy_chain()
        measured = measure(repeat=words.repeat, toy=toy)
        out["toy"] = [dataclasses.asdict(m) for m in measured]
    if words.what in ("studies", "all"):
        sizes = (8, 200) if words.long else (8,)
        costs = [studies.cost(what, worlds=w) for what in studies.SWEPT for w in sizes]
        out["studies"] = [dataclasses.asdict(c) for c in costs]
        faster = studies.speed_up() if words.long else None
    if words.json:
        print(json.dumps(out, indent=1))
        return
    if "toy" in out:
        print(
            f"Toy chain: {STAGES} stages x {REGIONS} regions, {len(toy.share)} lanes, {toy.weeks} "
            f"weeks; best of {words.repeat}, Python {platform.python_version()}. "
            "Read ratios, not times.\n"
        )
        print("\n".join(lines(measured)))
        print(f"\n{NOTE}\n")
    if "full" in out:
        print("Full chain:\n")
        print("\n".join(engine.lines(full)))
        print("\nWhere the time of a market day goes:\n")
        print("\n".join(phases.lines(spent, PHASE_WORLDS)))
    if "studies" in out:
        print("\nStudies, half a year and a point:\n")
        print("\n".join(studies.lines(costs)))
        if faster is not None:
            print(f"\nTwo processes finish a study {faster:.2f} times as fast as one.")


if __name__ == "__main__":
    main()
