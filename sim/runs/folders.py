"""Folders of runs: a new one, an unfinished one that is taken up again, a finished one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lodestone.border.errors import InputError
from lodestone.border.files import save_text
from lodestone.outputs.provenance import canonical, sha
from lodestone.runs.identity import identity_of
from lodestone.runs.settings import Settings
from lodestone.scenario import Scenario

#: Folder of unfinished work inside a run folder.
PARTS = ".parts"
#: Folder of the kept series of every world, where a run was asked to keep them.
WORLDS = "worlds"


def run_folder(scenario: Scenario, settings: Settings, identity: dict[str, Any]) -> Path:
    """Folder of a run: as asked for, an unfinished one of the same content, or a new one.

    Raises
    ------
    InputError
        The folder asked for belongs to a run of other content.
    """
    own = sha(canonical(identity))
    if settings.out is not None:
        folder = Path(settings.out)
        held = _held_hash(folder)
        if held is not None and held != own:
            raise InputError(
                f"this folder holds another run (its hash is {held}, this run's is {own})",
                file=folder,
                key="out",
                hint="Give another folder with out=DIR, or remove this one.",
            )
        if folder.exists() and not folder.is_dir():
            raise InputError("is a file, not a folder", file=folder, key="out")
        if held is None and folder.is_dir() and any(folder.iterdir()):
            raise InputError(
                "this folder is not empty and holds no run",
                file=folder,
                key="out",
                hint="Give a new or empty folder with out=DIR.",
            )
        return folder
    root = Path("results") / scenario.name
    for path in sorted(root.glob(f"*-{own}"), reverse=True):
        if (path / PARTS).is_dir() and not (path / "provenance.json").exists():
            return path
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return root / f"{stamp}-{own}"


def finished_folder(scenario: Scenario, settings: Settings) -> Path | None:
    """The newest finished run of the same scenario, settings, seeds and code; None without one."""
    own = sha(canonical(identity_of(scenario, settings)))
    if settings.out is not None:
        folder = Path(settings.out)
        done = (folder / "provenance.json").is_file() and _held_hash(folder) == own
        return folder if done else None
    for path in sorted((Path("results") / scenario.name).glob(f"*-{own}"), reverse=True):
        if (path / "provenance.json").is_file() and (path / "claims.csv").is_file():
            return path
    return None


def _held_hash(folder: Path) -> str | None:
    for path in (folder / "provenance.json", folder / PARTS / "identity.json"):
        if path.is_file():
            try:
                return str(json.loads(path.read_text(encoding="utf-8"))["config_hash"])
            except (ValueError, KeyError, OSError):
                raise InputError("is damaged", file=path, hint="Remove the folder.") from None
    return None


def not_there(folder: Path) -> Path | None:
    """The outermost folder of a path that does not exist yet, None where all of it does."""
    if folder.exists():
        return None
    return not_there(folder.parent) or folder


def save_identity(parts: Path, identity: dict[str, Any]) -> None:
    """Say whose unfinished work stands in a folder."""
    parts.mkdir(parents=True, exist_ok=True)
    save_text(parts / "identity.json", json.dumps({"config_hash": sha(canonical(identity))}))
