"""Where a run comes from: hashes, versions and the command that repeats it."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from lodestone.border.paths import data_root, seeds_root


def sha(text: str | bytes, length: int = 12) -> str:
    """Short SHA-256 of text."""
    data = text.encode() if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()[:length]


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal content, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


#: Stored results and notes that stand among the inputs and decide nothing.
NOT_AN_INPUT = (
    "claims_verdicts.csv",
    "contradictions.csv",
    "crossvalidation.csv",
    "fact_profiles.csv",
    "identified.csv",
)


def folder_hash(root: Path, pattern: str) -> str:
    """Hash of the content of the files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob(pattern)):
        if "__pycache__" in path.parts or not path.is_file() or path.name in NOT_AN_INPUT:
            continue
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def seeds_hash() -> str:
    """Hash of the seeds in use."""
    return folder_hash(seeds_root(), "*.csv")


@cache
def code_hash() -> str:
    """Hash of the package's code (what decides results, whatever the commit)."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for part in ("chain", "engine", "equations", "interventions", "outputs", "worlds"):
        digest.update(folder_hash(root / part, "*.py").encode())
    return digest.hexdigest()[:12]


def commit() -> str:
    """Commit of the clone the code runs from, or an empty text outside one."""
    try:
        out = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=data_root(),
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return out.stdout.strip() if out.returncode == 0 else ""


def versions() -> dict[str, str]:
    """Versions that decide results."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("lodestone-sim", "numpy", "scipy", "simpy", "pandas"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
