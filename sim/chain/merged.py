"""Places in merged seeds, told as the places in the user's own tables they come from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lodestone.border.paths import OVERLAY
from lodestone.chain.checks import Problem

__all__ = ["LINES", "ROOT", "placed"]

#: Where the lines of the merged tables come from.
LINES = ".lines.json"
#: Environment variable that names the seeds in use.
ROOT = "LODESTONE_SEEDS"


def placed(problem: Problem) -> Problem:
    """Return a problem with the place in the user's own table, where it stands in a merged one."""
    root = os.environ.get(ROOT)
    if not root or OVERLAY not in os.environ:
        return problem
    try:
        place = Path(problem.file).relative_to(root).as_posix()
        lines: dict[str, Any] = json.loads((Path(root) / LINES).read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return problem
    file, _, line = str(lines.get(place, {}).get(str(problem.line), "")).rpartition(":")
    if not file:
        return problem
    return Problem(file, int(line), problem.key, problem.message, problem.hint)
