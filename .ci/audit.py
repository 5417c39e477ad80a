"""Hold the locked versions against known vulnerabilities; say so where no service answers.

Reads the report of ``pip-audit --format json`` from the file named. Exit 0 where nothing is known
(or nobody could be asked), 1 where a locked version has a known vulnerability.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(report: str) -> int:
    """Print one line a vulnerability, or why there is none."""
    text = Path(report).read_text(encoding="utf-8").strip()
    packages = json.loads(text)["dependencies"] if text else []
    asked = [p for p in packages if "skip_reason" not in p]
    if not asked:
        print("audit: skipped, no vulnerability service answers from here")
        return 0
    found = [(p, v) for p in asked for v in p.get("vulns", [])]
    for package, flaw in found:
        fixed = ", ".join(flaw.get("fix_versions", [])) or "none yet"
        print(f"audit: {package['name']} {package['version']}: {flaw['id']} (fixed in {fixed})")
    print(f"audit: {len(asked)} of {len(packages)} packages checked, {len(found)} known flaws")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
