"""Freeze the numbers of today and print which moved: ``python -m tests.regression``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.regression import measure


def main() -> None:
    """Run all cases, print what moved since the last freeze, and keep what came out."""
    old = measure.load() if measure.FROZEN.exists() else {"arithmetic": "", "cases": {}}
    with tempfile.TemporaryDirectory() as folder:
        found = {name: measure.measure(name, Path(folder)) for name in measure.CASES}
    exact = old["arithmetic"] in ("", measure.arithmetic())
    for name, entries in found.items():
        lines = measure.moved(old["cases"].get(name, {}), entries, exact)
        print(f"{name}: {len(lines)} of {len(entries)} moved")
        for line in lines:
            print(f"  {line}")
    measure.save(found)


if __name__ == "__main__":
    main()
