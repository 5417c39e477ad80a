"""Scenarios and overlays on disk: where they are looked for, and what a word means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.border.paths import data_root
from lodestone.border.words import unknown

__all__ = ["ScenarioFile", "find_overlays", "find_scenarios", "locate", "search_folders"]


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario file that was found, not yet checked."""

    name: str
    path: Path


def search_folders() -> list[Path]:
    """Return the folders searched for scenarios, the first winning.

    They are ``./scenarios``, those of ``$LODESTONE_SCENARIOS`` and the shipped one.
    """
    folders = [Path.cwd() / "scenarios"]
    setting = os.environ.get("LODESTONE_SCENARIOS", "")
    folders += [read_path(part) for part in setting.split(os.pathsep) if part]
    folders.append(data_root("scenarios"))
    seen: list[Path] = []
    for folder in folders:
        if folder.is_dir() and folder.resolve() not in [s.resolve() for s in seen]:
            seen.append(folder)
    return seen


def _files(inside: str) -> dict[str, ScenarioFile]:
    found: dict[str, ScenarioFile] = {}
    for folder in search_folders():
        for path in sorted((folder / inside).glob("*.y*ml")):
            if path.suffix in (".yaml", ".yml"):
                found.setdefault(path.stem, ScenarioFile(path.stem, path))
    return dict(sorted(found.items()))


def find_scenarios() -> dict[str, ScenarioFile]:
    """Return every scenario that can be called by name."""
    return _files(".")


def find_overlays() -> dict[str, ScenarioFile]:
    """Return every overlay that can be called by name."""
    return _files("overlays")


def locate(name_or_path: str | Path, *, overlay: bool = False, beside: Path | None = None) -> Path:
    """Return the file of a scenario (or overlay), given its name or a path.

    Raises
    ------
    InputError
        If there is none; names the nearest known one.
    """
    word = str(name_or_path)
    looks_like_path = word.endswith((".yaml", ".yml")) or os.sep in word or "/" in word
    if looks_like_path:
        path = read_path(word)
        for candidate in (
            path,
            *((beside.parent / path,) if beside and not path.is_absolute() else ()),
        ):
            if candidate.is_file():
                return candidate
        what = "is a folder" if path.is_dir() else "no such file"
        raise InputError(
            what,
            file=path,
            hint="Name a scenario file, or a scenario that 'lodestone list scenarios' shows.",
        )
    if beside is not None:
        neighbour = beside.parent / ("overlays" if overlay else "") / f"{word}.yaml"
        if neighbour.is_file():
            return neighbour
    known = find_overlays() if overlay else find_scenarios()
    if word not in known:
        error = unknown("overlay" if overlay else "scenario", word, known)
        more = "See 'lodestone list " + ("overlays'." if overlay else "scenarios'.")
        error.hint = f"{error.hint} {more}" if error.hint else more
        raise error
    return known[word].path
