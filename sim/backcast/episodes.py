"""Episodes: history as data, found by name or on disk, and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lodestone.backcast.episode import Episode, Fact, Point, Shock
from lodestone.backcast.reader import read_document
from lodestone.border.errors import InputError
from lodestone.border.files import read_path
from lodestone.border.paths import seeds_root
from lodestone.border.words import unknown
from lodestone.border.yamlfile import Document, read_yaml

__all__ = [
    "Episode",
    "Fact",
    "Point",
    "Shock",
    "find_episodes",
    "load_episode",
    "locate_episode",
    "locate_episodes",
    "read_episode",
]


def find_episodes() -> dict[str, Path]:
    """Return the file of every shipped episode by its folder's name."""
    return {
        path.parent.name: path
        for path in sorted((seeds_root() / "episodes").glob("*/episode.yaml"))
    }


def locate_episode(word: str) -> Path:
    """Return the file of an episode, given its name, its folder or its file.

    Raises
    ------
    InputError
        If there is none; names the nearest known one.
    """
    known = find_episodes()
    path = read_path(word)
    if word in known and not (path / "episode.yaml").is_file():
        return known[word]
    if path.is_file() and path.suffix in (".yaml", ".yml"):
        return path
    if path.is_dir():
        for name in ("episode.yaml", "episode.yml"):
            if (path / name).is_file():
                return path / name
        raise InputError("holds no episode.yaml", file=path)
    error = unknown("episode", word, known)
    error.hint = f"{error.hint or ''} See 'lodestone list episodes', or name a folder.".strip()
    raise error


def locate_episodes(word: str) -> list[Path]:
    """Return the files meant by a word: one episode, or all in the folders of a folder."""
    path = read_path(word)
    if path.is_dir() and not (path / "episode.yaml").is_file():
        inside = sorted(path.glob("*/episode.yaml"))
        if inside:
            return inside
    return [locate_episode(word)]


# ---- reading ---------------------------------------------------------------------------


def load_episode(
    word: str | Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    variant: str | None = None,
    overlays: Iterable[str] = (),
) -> Episode:
    """Read and check an episode.

    Parameters
    ----------
    word
        Name of a shipped episode, or path of any episode folder or file.
    overrides, variant, overlays
        Changes to its scenario, as `lodestone.scenario.load_scenario` takes them.

    Raises
    ------
    InputError
        Naming file, key, what is wrong and the nearest known word.
    """
    path = locate_episode(str(word))
    return read_document(path, read_yaml(path), overrides or {}, variant, tuple(overlays))


def read_episode(path: Path, data: Mapping[str, Any]) -> Episode:
    """An episode from content that was put together in memory; ``path`` is named in errors."""
    return read_document(path, Document(dict(data), {}), {}, None, ())
