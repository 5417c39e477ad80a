"""Where a run comes from: hashes of everything that decides it, versions, commit."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lodestone.border.paths import OVERLAY, data_root, seeds_root

#: Rooms that show, drive or judge runs and decide no number of one. The architecture test holds
#: that nothing on the way from a scenario to its tables imports them.
DECIDES_NOTHING = (
    "_data",
    "api",
    "backcast",
    "calibration",
    "cli",
    "explorer",
    "report",
    "studies",
)
#: Stored results and notes that stand among the inputs and decide nothing.
NOT_AN_INPUT = (
    "claims_verdicts.csv",
    "contradictions.csv",
    "fit_facts.csv",
    "fit_parameters.csv",
    "predictions.yaml",
)


def sha(text: str | bytes, length: int = 12) -> str:
    """Short SHA-256 of text."""
    data = text.encode() if isinstance(text, str) else text
    return hashlib.sha256(data).hexdigest()[:length]


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal content, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def folder_hash(root: Path, pattern: str) -> str:
    """Hash of the content of the files below a folder."""
    found = (p for p in root.rglob(pattern) if p.name not in NOT_AN_INPUT)
    return files_hash(root, found)


def files_hash(root: Path, paths: Iterable[Path]) -> str:
    """Hash of names, relative to a folder, and contents of files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        if "__pycache__" in path.parts or not path.is_file():
            continue
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def seeds_read(vintage: str) -> list[Path]:
    """Files of the seeds that can change a run on a vintage: its own and the common ones.

    A vintage may be a folder of one's own; the common tables are those of the seeds in use.
    """
    root = seeds_root()
    own = root / vintage  # an absolute path stays itself
    found = [p for p in (*root.glob("*.csv"), *root.glob("*.yaml")) if p.name not in NOT_AN_INPUT]
    return sorted({*found, *own.glob("*.csv"), *own.glob("*.yaml")})


def seeds_told(*vintages: str) -> dict[str, str]:
    """Where the seeds of some vintages were read from: the common tables, and each vintage."""
    import os

    root = seeds_root().resolve()
    over = {"overlay": os.environ[OVERLAY]} if OVERLAY in os.environ else {}
    return {"common": str(root)} | over | {str(v): str((root / v).resolve()) for v in vintages}


def seeds_hash(*vintages: str) -> str:
    """Hash of the seeds that runs on some vintages read, from wherever they were read."""
    digest = hashlib.sha256()
    for vintage in sorted(set(vintages)):
        files = seeds_read(vintage)
        stamp = tuple((str(p), s.st_mtime_ns, s.st_size) for p in files for s in [p.stat()])
        digest.update(_contents(stamp).encode())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=32)
def _contents(stamp: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, _, _ in stamp:
        path = Path(name)
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def code_read(package: Path | None = None) -> list[Path]:
    """Files of the package that can change a run."""
    root = package or Path(__file__).resolve().parents[1]
    return [p for p in root.rglob("*.py") if p.relative_to(root).parts[0] not in DECIDES_NOTHING]


@cache
def code_hash() -> str:
    """Hash of the package's code (what decides results, whatever the commit)."""
    root = Path(__file__).resolve().parents[1]
    return files_hash(root, code_read(root))


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


@cache
def versions() -> dict[str, str]:
    """Versions that decide results."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("lodestone-sim", "numpy", "scipy", "simpy", "numba", "pandas"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
