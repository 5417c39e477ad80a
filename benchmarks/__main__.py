"""`python -m benchmarks [--repeat N] [--json]`: the toy chain, every way, in one run."""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform

from benchmarks.harness import lines, measure
from benchmarks.toy import REGIONS, STAGES, toy_chain


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="best of how many (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    words = parser.parse_args()
    toy = toy_chain()
    measured = measure(repeat=words.repeat, toy=toy)
    if words.json:
        print(json.dumps([dataclasses.asdict(m) for m in measured], indent=1))
        return
    print(
        f"Toy chain: {STAGES} stages x {REGIONS} regions, {len(toy.share)} lanes, {toy.weeks} weeks; "
        f"best of {words.repeat}, Python {platform.python_version()}. Read ratios, not times.\n"
    )
    print("\n".join(lines(measured)))


if __name__ == "__main__":
    main()
